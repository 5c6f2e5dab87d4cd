//! `tickmark explain CHECK-ID`, and the pages of the documentation about all of them.

use std::path::Path;

use serde_json::json;

use super::args::{Args, Explain, Format};
use super::terminal::{Terminal, Tone, clean};
use super::text;
use super::{CliError, End, declared, derive, pages};
use crate::check::{all_checks, find_in};
use crate::declared::{CustomCheck, Declared, Otherwise};
use crate::evidence::write_atomically;

pub(super) fn run(options: &Explain, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let id = match (&options.check, &options.out) {
        (_, Some(out)) => return write_pages(out, terminal),
        (Some(id), None) => id,
        (None, None) => return Err(CliError::Use("name a check, or say --all".to_owned())),
    };
    let declared = declared::configured(args)?;
    let Some(check) = find_in(&declared, id) else {
        return Err(CliError::Use(format!("there is no check `{id}`{}", nearest(&declared, id))));
    };
    let own = declared.check(check.id);
    let controls: Vec<_> = derive::controls(&declared)?
        .into_iter()
        .filter(|control| control.checks.iter().any(|id| id == check.id))
        .collect();
    let needs: Vec<&str> = check.needs.iter().map(|need| need.kind.words()).collect();
    if terminal.format == Format::Json {
        let controls: Vec<_> = controls
            .iter()
            .map(|control| json!({"id": control.id, "title": control.title, "criteria": control.criteria, "nist": control.nist}))
            .collect();
        let mut value = json!({
            "id": check.id, "title": check.title, "severity": check.severity.word(), "nature": check.nature.word(),
            "asks": check.asks, "needs": needs, "blind_to": check.blind_to, "fix": check.fix, "controls": controls,
        });
        if let Some(own) = own {
            value["own"] = told(own);
        }
        terminal.json(&value)?;
        return Ok(End::Clean);
    }
    terminal.line(&terminal.tone(Tone::Strong, &format!("{}  {}", check.id, check.title)))?;
    terminal.line(&format!(
        "severity {} · {}",
        check.severity.word(),
        match check.nature {
            crate::check::Nature::Design => "design: a state at the time of collection",
            crate::check::Nature::Operating => "operating: over the period",
        }
    ))?;
    if let Some(own) = own {
        print_custom(own, terminal)?;
    }
    for (head, text) in [("Asks", check.asks), ("Blind to", check.blind_to), ("How to fix a failure", check.fix)] {
        terminal.line(&format!("\n{}\n{}", terminal.tone(Tone::Strong, head), text::wrapped(text, "  ")))?;
    }
    terminal.line(&format!(
        "\n{}\n{}",
        terminal.tone(Tone::Strong, "Needs"),
        text::wrapped(&needs.join(", "), "  ")
    ))?;
    terminal.line(&format!("\n{}", terminal.tone(Tone::Strong, "Speaks for")))?;
    for control in &controls {
        terminal.line(&format!("  {}  {}", control.id, control.title))?;
        terminal.line(&format!(
            "         SOC 2 {} · NIST SP 800-53 {}",
            control.criteria.join(", "),
            control.nist.join(", ")
        ))?;
    }
    Ok(End::Clean)
}

/// What a check of one's own asks about and by which expressions.
fn told(own: &CustomCheck) -> serde_json::Value {
    let clauses = own.clauses.iter().map(|clause| {
        json!({"expression": clause.expression.text, "message": clause.message, "otherwise": word(clause.otherwise)})
    });
    json!({
        "file": own.from.page(), "population": own.population.name,
        "where": own.only.as_ref().map(|only| &only.text), "clauses": clauses.collect::<Vec<_>>(),
    })
}

fn print_custom(own: &CustomCheck, terminal: &Terminal) -> Result<(), CliError> {
    let line = |text: &str| terminal.line(&clean(text));
    line(&format!("the organisation's own: {}", own.from.page()))?;
    terminal.line(&format!("\n{}", terminal.tone(Tone::Strong, "Population")))?;
    line(&format!("  {}, each as `{}`", own.population.name, own.population.variable))?;
    if let Some(only) = &own.only {
        line(&format!("  where {}", one_line(&only.text)))?;
    }
    terminal.line(&format!("\n{}", terminal.tone(Tone::Strong, "Clauses")))?;
    for (place, clause) in own.clauses.iter().enumerate() {
        line(&format!("  {}. {}", place + 1, one_line(&clause.expression.text)))?;
        line(&format!("     else {}: {}", word(clause.otherwise), clause.message))?;
    }
    Ok(())
}

fn word(otherwise: Otherwise) -> &'static str {
    match otherwise {
        Otherwise::Fail => "fail",
        Otherwise::Manual => "manual",
    }
}

/// An expression without its line breaks.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Writes the pages below a folder. A page of a check that is there no more stays: who knows whose it is.
fn write_pages(out: &Path, terminal: &Terminal) -> Result<End, CliError> {
    let pages = pages::pages()?;
    for (path, text) in &pages {
        let full = out.join(path);
        let folder = full.parent().unwrap_or(out);
        std::fs::create_dir_all(folder).map_err(CliError::io("create", folder))?;
        write_atomically(&full, text.as_bytes())?;
    }
    terminal.note(&format!("{} pages are in {}", pages.len(), out.display()));
    Ok(End::Clean)
}

/// Ids of the same family, for a typing error.
fn nearest(declared: &Declared, wrong: &str) -> String {
    let family = wrong.split('-').next().unwrap_or("").to_uppercase();
    let same: Vec<&str> =
        all_checks(declared).map(|check| check.id).filter(|id| id.split('-').next() == Some(family.as_str())).collect();
    match same.is_empty() {
        true => "\n`tickmark list` shows them all".to_owned(),
        false => format!("\nthere are {}", same.join(", ")),
    }
}
