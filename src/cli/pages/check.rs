//! The page of one check.

use super::{GENERATED, Sources, anchor, cell, paragraph};
use crate::check::{Check, Nature};
use crate::collect::{Permission, collectors};
use crate::evidence::Kind;

/// The page.
pub(super) fn page(check: &Check, sources: &Sources) -> String {
    let mut page = format!("# {}: {}\n\n{GENERATED}\n", check.id, check.title);
    page.push_str(&format!("- Severity: {}\n- Speaks of: {}\n", check.severity.word(), nature(check.nature)));
    let compared = sources.compared.of(check.id);
    page.push_str(&format!("- Elsewhere: {compared} ([comparison](../comparison.md))\n"));
    for (title, words) in
        [("What it asks", check.asks), ("What it cannot see", check.blind_to), ("How to fix a failure", check.fix)]
    {
        page.push_str(&format!("\n## {title}\n\n{}\n", paragraph(words.trim())));
    }
    page.push_str("\n## What it needs\n\n");
    page.push_str(&needs(check));
    page.push_str("\n## What it speaks for\n\n");
    page.push_str(&controls(check, sources));
    page.push_str(
        "\nThresholds and what people declare: [configuration](../configuration.md). All checks: [index](README.md).\n",
    );
    page
}

fn nature(nature: Nature) -> &'static str {
    match nature {
        Nature::Design => "a state, at the time of collection (design)",
        Nature::Operating => "the period under examination (operating)",
    }
}

/// The questions, and the permissions without which each is refused. Where one has no full answer, a result that needed
/// it is "not evaluated".
fn needs(check: &Check) -> String {
    if check.needs.is_empty() {
        return "No question of its own: it judges the evidence as a whole, or what people declared.\n".to_owned();
    }
    let mut kinds: Vec<Kind> = check.needs.iter().map(|need| need.kind).collect();
    kinds.sort();
    kinds.dedup();
    let mut table = "| Question | Permission | Granted by |\n| --- | --- | --- |\n".to_owned();
    for row in collectors().filter(|row| kinds.contains(&row.kind)) {
        let tables = row.permissions.iter().skip(1).filter(|permission| matches!(permission, Permission::LogTable(_)));
        let needed: Vec<&Permission> = row.permissions.first().into_iter().chain(tables).collect();
        let names: Vec<String> = needed.iter().map(|permission| format!("`{}`", permission.name())).collect();
        let mut systems: Vec<&str> = needed.iter().map(|permission| permission.system()).collect();
        systems.dedup();
        let words = row.kind.words();
        table.push_str(&format!(
            "| [{words}](../permissions.md#{}) | {} | {} |\n",
            anchor(words),
            names.join(", "),
            systems.join(", ")
        ));
    }
    table
}

fn controls(check: &Check, sources: &Sources) -> String {
    let mut table = "| Control | SOC 2 | NIST SP 800-53 r5 |\n| --- | --- | --- |\n".to_owned();
    for control in sources.citing(check.id) {
        table.push_str(&format!(
            "| {} {} | {} | {} |\n",
            control.id,
            cell(&control.title),
            control.criteria.join(", "),
            control.nist.join(", ")
        ));
    }
    table
}
