//! The difference of two packs as JSON (its schema is `docs/diff.schema.json`) and as Markdown.

use serde_json::{Value, json};

use super::{length, outcome_words};
use crate::assess::{Change, Compared, PopulationChange, Side};
use crate::render::escape::{markdown_code, markdown_sentence, markdown_text, visible};

/// Rows of a table of the Markdown.
const ROWS: usize = 50;
/// Names of a population that are told.
const NAMES: usize = 5;
/// Characters of a sentence.
const SENTENCE: usize = 300;

/// As JSON.
pub fn json(compared: &Compared) -> Value {
    let found = &compared.comparison;
    let changes = |changes: &[Change]| changes.iter().map(change).collect::<Vec<_>>();
    let control = |one: &crate::assess::ConclusionChange| json!({"id": one.id, "title": one.title, "before": one.before, "after": one.after});
    json!({
        "schema": "tickmark.diff/v1",
        "tenant": compared.tenant,
        "earlier": side(&compared.earlier),
        "later": side(&compared.later),
        "secondsBetween": (compared.later.collected_at - compared.earlier.collected_at).num_seconds(),
        "sameRules": compared.same_rules(),
        "counts": {
            "new": found.new.len(), "fixed": found.fixed.len(), "stillOpen": found.still_open.len(),
            "noLongerEvaluated": found.no_longer_evaluated.len(), "gone": found.gone.len(),
            "openInBoth": found.open_in_both,
        },
        "new": changes(&found.new),
        "fixed": changes(&found.fixed),
        "stillOpen": changes(&found.still_open),
        "noLongerEvaluated": changes(&found.no_longer_evaluated),
        "gone": changes(&found.gone),
        "populations": found.populations.iter().map(population).collect::<Vec<_>>(),
        "controls": found.controls.iter().map(control).collect::<Vec<_>>(),
        "checksAdded": found.checks_added,
        "checksRemoved": found.checks_removed,
    })
}

fn side(side: &Side) -> Value {
    json!({"id": side.id, "collectedAt": side.collected_at, "period": side.period, "tool": side.tool})
}

fn change(change: &Change) -> Value {
    json!({
        "check": change.check, "subject": change.subject, "before": change.before, "after": change.after,
        "because": change.because, "accepted": change.accepted,
    })
}

fn population(change: &PopulationChange) -> Value {
    json!({
        "check": change.check, "before": change.before, "after": change.after, "added": change.added,
        "removed": change.removed, "partial": change.is_partial,
    })
}

/// One sentence over a comparison, for Markdown.
pub(super) fn summary(compared: &Compared) -> String {
    let found = &compared.comparison;
    format!(
        "Since {} ({} earlier): {} new, {} fixed, {} still open, {} no longer evaluated, {} whose subject is gone.",
        markdown_code(&compared.earlier.id),
        length(compared.later.collected_at - compared.earlier.collected_at),
        found.new.len(),
        found.fixed.len(),
        found.still_open.len(),
        found.no_longer_evaluated.len(),
        found.gone.len(),
    )
}

/// As Markdown, short enough for a comment on a pull request. Everything out of evidence is escaped.
pub fn markdown(compared: &Compared) -> String {
    let found = &compared.comparison;
    let mut out = format!("## What changed: {} → {}\n\n", compared.earlier.period, compared.later.period);
    out.push_str(&format!("{}\n", summary(compared)));
    if !compared.same_rules() {
        out.push_str("\nThe two were judged by different rules: a change may be the rules'.\n");
    }
    for (title, changes) in [
        ("New exceptions", &found.new),
        ("No longer evaluated", &found.no_longer_evaluated),
        ("Still open", &found.still_open),
        ("Fixed", &found.fixed),
        ("No longer in the population", &found.gone),
    ] {
        table(&mut out, title, changes);
    }
    if !found.populations.is_empty() {
        out.push_str("\n### Changed populations\n\n| Check | Before | After | Added | Removed |\n| --- | ---: | ---: | --- | --- |\n");
        for one in &found.populations {
            let partial = if one.is_partial { " (part not read)" } else { "" };
            out.push_str(&format!(
                "| {}{partial} | {} | {} | {} | {} |\n",
                one.check,
                one.before,
                one.after,
                names(&one.added),
                names(&one.removed)
            ));
        }
    }
    if !found.controls.is_empty() {
        out.push_str("\n### Controls that conclude otherwise\n\n");
        for one in &found.controls {
            let (before, after) = (one.before.replace('_', " "), one.after.replace('_', " "));
            out.push_str(&format!(
                "- {} {}: {} → {}\n",
                markdown_text(&one.id),
                markdown_text(&visible(&one.title, SENTENCE)),
                markdown_text(&before),
                markdown_text(&after)
            ));
        }
    }
    for (words, ids) in [
        ("Checks that only the later has", &found.checks_added),
        ("Checks that only the earlier has", &found.checks_removed),
    ] {
        if !ids.is_empty() {
            out.push_str(&format!("\n{words}: {}.\n", markdown_text(&ids.join(", "))));
        }
    }
    out
}

fn table(out: &mut String, title: &str, changes: &[Change]) {
    if changes.is_empty() {
        return;
    }
    out.push_str(&format!(
        "\n### {title}\n\n| Check | Subject | Before | Now | What was found |\n| --- | --- | --- | --- | --- |\n"
    ));
    for change in changes.iter().take(ROWS) {
        out.push_str(&format!(
            "| {} | {} | {} | {}{} | {} |\n",
            markdown_text(&change.check),
            markdown_code(&visible(&change.subject.name, 100)),
            outcome_words(change.before),
            outcome_words(change.after),
            if change.accepted.is_some() { ", accepted" } else { "" },
            markdown_sentence(&visible(&change.because, SENTENCE)),
        ));
    }
    if changes.len() > ROWS {
        out.push_str(&format!("\n… and {} more; `--format json` has them all.\n", changes.len() - ROWS));
    }
}

fn names(subjects: &[crate::check::Subject]) -> String {
    let mut names: Vec<String> =
        subjects.iter().take(NAMES).map(|subject| markdown_code(&visible(&subject.name, 100))).collect();
    if subjects.len() > NAMES {
        names.push(format!("{} more", subjects.len() - NAMES));
    }
    names.join(", ")
}
