//! The index of the checks, and the mapping to SOC 2 and NIST SP 800-53 both ways.

use super::{GENERATED, Sources, cell, link};
use crate::check::{CHECKS, Nature};
use crate::control::{Control, Criterion};

/// Families of checks, with what each is about.
const FAMILIES: &[(&str, &str)] = &[
    ("NHI", "Identities of workloads: inventory and life"),
    ("APP", "Credentials of applications"),
    ("FED", "Federation"),
    ("KV", "Vaults"),
    ("RBAC", "Effective access"),
    ("PIM", "Access that is activated"),
    ("CA", "Conditional Access"),
    ("LOG", "What is logged, and how long it is kept"),
    ("EVT", "What the logs show over the period"),
    ("PRB", "Break/fix probes"),
    ("CRY", "Keys, secrets and certificates"),
    ("DAT", "Services that hold data"),
    ("AUD", "Auditors"),
    ("PACK", "The evidence itself"),
    ("MAN", "Records of people"),
];

/// `docs/checks/README.md`.
pub(super) fn index(sources: &Sources) -> String {
    let operating = CHECKS.iter().filter(|check| check.nature == Nature::Operating).count();
    let mut page = format!(
        "# Checks\n\n{GENERATED}\n{} checks, of which {operating} speak of the period and the others of a state at the time of \
         collection. A check is cited by controls, and the controls name the criteria: [the mapping both ways](mapping.md).\n",
        CHECKS.len()
    );
    let family = |id: &str| id.split('-').next().unwrap_or(id).to_owned();
    let mut named: Vec<(String, &str)> =
        FAMILIES.iter().map(|(family, words)| ((*family).to_owned(), *words)).collect();
    for check in CHECKS {
        if !named.iter().any(|(known, _)| *known == family(check.id)) {
            named.push((family(check.id), "Further checks"));
        }
    }
    for (name, words) in named {
        let own: Vec<_> = CHECKS.iter().filter(|check| family(check.id) == name).collect();
        if own.is_empty() {
            continue;
        }
        page.push_str(&format!(
            "\n## {name}: {words}\n\n| Check | Severity | Speaks of | What it says |\n| --- | --- | --- | --- |\n"
        ));
        for check in own {
            let speaks_of = match check.nature {
                Nature::Design => "state",
                Nature::Operating => "period",
            };
            let controls: Vec<&str> = sources.citing(check.id).map(|control| control.id.as_str()).collect();
            page.push_str(&format!(
                "| {} | {} | {speaks_of} | {} ({}) |\n",
                link(check.id),
                check.severity.word(),
                cell(check.title),
                controls.join(", ")
            ));
        }
    }
    page
}

/// `docs/checks/mapping.md`.
pub(super) fn both_ways(sources: &Sources) -> String {
    let mut page = format!(
        "# Mapping\n\n{GENERATED}\nWhich checks give evidence for which criterion, and back. The mapping goes through controls: a \
         check knows no framework. That a check passes is evidence for a criterion, and no opinion that it is met. What a \
         control does not show stands beside it in the report and in `tickmark coverage`.\n\nTitles of SOC 2 criteria are in \
         words of our own; those of NIST SP 800-53 r5 are NIST's.\n"
    );
    page.push_str("\n## From SOC 2 criteria\n");
    page.push_str(&from(&sources.framework.criteria, sources, |control| &control.criteria));
    page.push_str("\n## From NIST SP 800-53 r5 controls\n");
    page.push_str(&from(&sources.framework.nist_controls, sources, |control| &control.nist));
    page.push_str("\n## From checks\n\n| Check | Controls | SOC 2 | NIST SP 800-53 r5 |\n| --- | --- | --- | --- |\n");
    for check in CHECKS {
        let citing: Vec<&Control> = sources.citing(check.id).collect();
        let all = |of: fn(&Control) -> &Vec<String>, known: &[Criterion]| -> String {
            let cited = |id: &&str| citing.iter().any(|control| of(control).iter().any(|cited| cited == id));
            known.iter().map(|one| one.id.as_str()).filter(cited).collect::<Vec<_>>().join(", ")
        };
        let controls: Vec<&str> = citing.iter().map(|control| control.id.as_str()).collect();
        page.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            link(check.id),
            controls.join(", "),
            all(|control| &control.criteria, &sources.framework.criteria),
            all(|control| &control.nist, &sources.framework.nist_controls)
        ));
    }
    page
}

/// A row for each criterion that a control cites; the others are named below.
fn from(known: &[Criterion], sources: &Sources, of: fn(&Control) -> &Vec<String>) -> String {
    let mut table = "\n| Criterion | What it is about | Controls | Checks |\n| --- | --- | --- | --- |\n".to_owned();
    let mut without = Vec::new();
    for criterion in known {
        let citing: Vec<&Control> =
            sources.controls.iter().filter(|control| of(control).contains(&criterion.id)).collect();
        if citing.is_empty() {
            without.push(criterion.id.as_str());
            continue;
        }
        let is_cited = |id: &str| citing.iter().any(|control| control.checks.iter().any(|cited| cited == id));
        let checks: Vec<String> =
            CHECKS.iter().filter(|check| is_cited(check.id)).map(|check| link(check.id)).collect();
        let controls: Vec<&str> = citing.iter().map(|control| control.id.as_str()).collect();
        let note = if criterion.note.is_empty() { String::new() } else { format!(" *{}*", cell(&criterion.note)) };
        table.push_str(&format!(
            "| {} {} | {}{note} | {} | {} |\n",
            criterion.id,
            cell(&criterion.title),
            cell(&criterion.about),
            controls.join(", "),
            checks.join(", ")
        ));
    }
    if !without.is_empty() {
        table.push_str(&format!("\nKnown and cited by no control: {}.\n", without.join(", ")));
    }
    table
}
