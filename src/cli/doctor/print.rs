//! The examination on a terminal or as JSON.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Examination, clock_words, excused, is_good};
use crate::access::OwnRights;
use crate::cli::CliError;
use crate::cli::args::Format;
use crate::cli::terminal::{Terminal, Tone, clean};
use crate::collect::{Probed, State};
use crate::evidence::Kind;

pub(super) fn print(examination: &Examination, terminal: &Terminal) -> Result<(), CliError> {
    if terminal.format == Format::Json {
        return terminal.json(&as_json(examination));
    }
    who(examination, terminal)?;
    head("Questions", terminal)?;
    let asked = &examination.probe.questions;
    for kind in Kind::ALL {
        of_kind(&asked.iter().filter(|asked| asked.kind == *kind).collect::<Vec<_>>(), terminal)?;
    }
    let note = "of things that are found, such as vaults, one in each subscription stands for the others, and of those \
                in none, such as groups, one for all; of workspaces, those that these vaults log to";
    line(&format!("  {}", terminal.tone(Tone::Dim, note)), terminal)?;
    head("Rights that the collector should not have", terminal)?;
    rights(examination.rights.as_ref(), terminal)?;
    if !examination.warnings.is_empty() {
        head("Warnings", terminal)?;
        for warning in &examination.warnings {
            line(&format!("  {}", clean(warning)), terminal)?;
        }
    }
    terminal.line(&format!("\n{}", last_line(examination)))
}

fn who(examination: &Examination, terminal: &Terminal) -> Result<(), CliError> {
    let asking = &examination.asking;
    terminal.line(&terminal.tone(Tone::Strong, "Who asks"))?;
    let expires_on = asking.expires_on.map(|time| time.to_rfc3339());
    let clock = examination.probe.clock_offset.map(clock_words);
    let unknown = "not told by the token";
    let rows = [
        ("credential", Some(asking.credential.as_str())),
        ("object id", Some(asking.object_id.as_deref().unwrap_or(unknown))),
        ("application", Some(asking.app_id.as_deref().unwrap_or(unknown))),
        ("tenant", Some(asking.tenant_id.as_deref().unwrap_or(unknown))),
        ("token of", asking.token_type.as_deref()),
        ("identity of", asking.managed_identity.as_deref()),
        ("valid until", expires_on.as_deref()),
        ("clock", clock.as_deref()),
    ];
    for (name, value) in rows {
        if let Some(value) = value {
            line(&format!("  {name:<12} {}", clean(value)), terminal)?;
        }
    }
    Ok(())
}

/// One line for what works of a kind, and one for each question that does not.
fn of_kind(asked: &[&Probed], terminal: &Terminal) -> Result<(), CliError> {
    let works: Vec<&&Probed> = asked.iter().filter(|asked| asked.state == State::Works).collect();
    let place = match works.as_slice() {
        [] => None,
        [one] => Some(one.scope.clone()),
        many => Some(counted(many.len(), "place")),
    };
    if let (Some(place), Some(first)) = (place, works.first()) {
        row(State::Works, first.kind, &place, terminal)?;
    }
    for asked in asked.iter().filter(|asked| asked.state != State::Works) {
        match (asked.state, &asked.detail) {
            (State::NotAsked, Some(why)) => row(asked.state, asked.kind, why, terminal)?,
            _ if excused(asked).is_some() => {
                let why = excused(asked).unwrap_or_default();
                row(State::NotAsked, asked.kind, &format!("{}: {why}", asked.scope), terminal)?;
            }
            (State::NoTable, _) => row(asked.state, asked.kind, &asked.scope, terminal)?,
            (_, detail) => {
                row(asked.state, asked.kind, &asked.scope, terminal)?;
                let detail = detail.as_deref().unwrap_or("no cause is told");
                line(&format!("      {}", terminal.tone(Tone::Dim, &clean(detail))), terminal)?;
            }
        }
    }
    Ok(())
}

fn row(state: State, kind: Kind, place: &str, terminal: &Terminal) -> Result<(), CliError> {
    let (mark, tone) = match state {
        State::Works => ("✓", Tone::Good),
        State::NoTable | State::NotAsked => ("–", Tone::Dim),
        _ => ("✗", Tone::Bad),
    };
    let words = terminal.tone(tone, &format!("{mark} {:<18}", state.words()));
    let width = Kind::ALL.iter().map(|kind| kind.words().len()).max().unwrap_or_default();
    line(&format!("  {words} {:<width$} {}", kind.words(), clean(place)), terminal)
}

fn rights(rights: Option<&OwnRights>, terminal: &Terminal) -> Result<(), CliError> {
    let Some(rights) = rights else {
        return line("  not checked: nobody is signed in", terminal);
    };
    for excess in &rights.excess {
        let words = terminal.tone(Tone::Bad, &clean(&format!("✗ {}", excess.line())));
        line(&format!("  {words}"), terminal)?;
        line(&format!("      {}", terminal.tone(Tone::Dim, &clean(&excess.id))), terminal)?;
    }
    if rights.excess.is_empty() {
        let seen = format!(
            "none seen in {} and above; roles and access policies that it holds there: {}",
            counted(rights.subscriptions, "subscription"),
            rights.looked_at
        );
        line(&format!("  {seen}"), terminal)?;
    }
    for why in &rights.unread {
        let words = terminal.tone(Tone::Open, &clean(&format!("? could not be checked: {why}")));
        line(&format!("  {words}"), terminal)?;
    }
    Ok(())
}

fn last_line(examination: &Examination) -> String {
    let questions = &examination.probe.questions;
    let bad: Vec<&Probed> = questions.iter().filter(|asked| !is_good(asked)).collect();
    let asked = questions.iter().filter(|asked| asked.state != State::NotAsked).count();
    let mut words = match bad.len() {
        0 => format!("all {asked} questions that could be asked would be answered"),
        many => format!("{many} of {asked} questions would not be answered"),
    };
    match &examination.rights {
        Some(rights) if !rights.excess.is_empty() => words.push_str("; the collector holds more than it should"),
        Some(rights) if rights.is_clean() => {}
        _ => words.push_str("; the collector's own rights could not be checked"),
    }
    let missing: BTreeSet<&str> = bad
        .iter()
        .filter(|asked| asked.state == State::Refused)
        .filter_map(|asked| asked.permissions.first().map(String::as_str))
        .collect();
    if !missing.is_empty() {
        words.push_str("\n`tickmark role` prints how to grant what is missing:");
        missing.iter().for_each(|name| words.push_str(&format!("\n  {name}")));
    }
    words
}

fn as_json(examination: &Examination) -> serde_json::Value {
    let asking = &examination.asking;
    let questions: Vec<_> = examination
        .probe
        .questions
        .iter()
        .map(|asked| {
            json!({
                "kind": asked.kind, "scope": asked.scope, "state": asked.state.word(), "reason": asked.reason,
                "detail": asked.detail, "excused": excused(asked), "permissions": asked.permissions,
            })
        })
        .collect();
    let rights = examination.rights.as_ref().map(|rights| {
        let excess: Vec<_> = rights
            .excess
            .iter()
            .map(|excess| {
                json!({
                    "id": excess.id, "by": excess.by, "scope": excess.scope, "group": excess.group,
                    "gives": excess.gives,
                })
            })
            .collect();
        json!({
            "excess": excess, "not_checked": rights.unread, "looked_at": rights.looked_at,
            "subscriptions": rights.subscriptions, "reads_every_type": rights.reads_every_type,
        })
    });
    json!({
        "tenant": examination.tenant_id,
        "all_works": examination.all_works(),
        "asking": {
            "credential": asking.credential, "object_id": asking.object_id, "app_id": asking.app_id,
            "tenant_id": asking.tenant_id, "token_type": asking.token_type,
            "managed_identity": asking.managed_identity, "expires_on": asking.expires_on,
        },
        "clock_offset_seconds": examination.probe.clock_offset,
        "questions": questions,
        "rights": rights,
        "warnings": examination.warnings,
    })
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn head(text: &str, terminal: &Terminal) -> Result<(), CliError> {
    terminal.line(&format!("\n{}", terminal.tone(Tone::Strong, text)))
}

/// One line, whatever a name of the tenant holds.
fn line(text: &str, terminal: &Terminal) -> Result<(), CliError> {
    terminal.line(&text.replace('\n', " "))
}
