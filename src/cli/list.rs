//! `tickmark list`.

use std::collections::BTreeSet;

use serde_json::json;

use super::args::{Args, Format, List};
use super::terminal::{Terminal, Tone};
use super::{CliError, End, declared, derive, fields};
use crate::check::all_checks;
use crate::control::Control;

pub(super) fn run(options: &List, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    if let Some(population) = &options.fields {
        return fields::run(population.as_deref(), terminal);
    }
    let declared = declared::configured(args)?;
    let controls = derive::controls(&declared)?;
    if terminal.format == Format::Json {
        let checks: Vec<_> = all_checks(&declared)
            .map(|check| {
                json!({"id": check.id, "title": check.title, "severity": check.severity.word(), "criteria": criteria(&controls, check.id)})
            })
            .collect();
        let controls: Vec<_> = controls
            .iter()
            .map(|control| {
                json!({"id": control.id, "title": control.title, "criteria": control.all_criteria(), "checks": control.checks})
            })
            .collect();
        terminal.json(&json!({"checks": checks, "controls": controls}))?;
        return Ok(End::Clean);
    }
    terminal.line(&terminal.tone(Tone::Strong, "Checks"))?;
    for check in all_checks(&declared) {
        terminal.line(&format!("  {:<9} {:<9} {}", check.id, check.severity.word(), check.title))?;
    }
    terminal.line(&format!("\n{}", terminal.tone(Tone::Strong, "Controls")))?;
    for control in &controls {
        terminal.line(&format!("  {}  {}", control.id, control.title))?;
        terminal.line(&format!("         {}", control.all_criteria().join(", ")))?;
        terminal.line(&format!("         {}", control.checks.join(", ")))?;
    }
    terminal.line("\n`tickmark explain CHECK-ID` says what a check asks and how to fix a failure.")?;
    Ok(End::Clean)
}

/// Criteria of every control that cites the check, in order, each once.
fn criteria(controls: &[Control], check: &str) -> Vec<String> {
    let citing = controls.iter().filter(|control| control.checks.iter().any(|id| id == check));
    let all: Vec<String> = citing.flat_map(Control::all_criteria).collect();
    let mut seen = BTreeSet::new();
    all.into_iter().filter(|id| seen.insert(id.clone())).collect()
}
