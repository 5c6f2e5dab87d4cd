//! Answers for a person: an entry of two or more lines each, so that long names and ids fit any width.

use std::collections::BTreeSet;

use super::super::terminal::{Terminal, Tone, clean};
use super::{CliError, Shown, counts, principal};
use crate::access::escalation::{Edge, Goal, Route as Way, Target};
use crate::access::network::Route;
use crate::access::{Answer, Capability, Gap, Grant};
use crate::model::{Tenant, Vault};

pub(super) fn table(shown: &Shown<'_>, wanted: &BTreeSet<Capability>, terminal: &Terminal) -> Result<(), CliError> {
    head(shown, terminal)?;
    for capability in Capability::ALL.iter().filter(|capability| wanted.contains(capability)) {
        let mut grants: Vec<&Grant> = shown.grants.iter().filter(|grant| grant.capability == *capability).collect();
        if grants.is_empty() && wanted.len() > 1 {
            continue;
        }
        grants.sort_by_cached_key(|grant| {
            let name = principal(shown.tenant, &grant.principal_id).0.to_lowercase();
            (grant.answer, name, grant.principal_id.clone(), grant.object.clone())
        });
        let title = match shown.vault {
            Some(_) => format!("Who can {}", capability.words()),
            None => format!("Where it can {}", capability.words()),
        };
        let counted: Vec<(Answer, usize)> = counts(&grants);
        let counted = counted.iter().map(|(answer, count)| format!("{count} {}", answer.words()));
        let counted = counted.collect::<Vec<_>>().join(", ");
        let counted = if counted.is_empty() { "nobody".to_owned() } else { counted };
        terminal.line(&format!("\n{}: {counted}", terminal.tone(Tone::Strong, &title)))?;
        for grant in grants {
            entry(shown, grant, terminal)?;
        }
    }
    if shown.grants.is_empty() && wanted.len() > 1 {
        terminal.line("\nNothing gives access.")?;
    }
    idle(shown, terminal)?;
    gaps(&shown.gaps, terminal)
}

/// The paths of one principal, each with the records that it rests on.
pub(super) fn why(shown: &Shown<'_>, terminal: &Terminal) -> Result<(), CliError> {
    head(shown, terminal)?;
    if shown.grants.is_empty() {
        terminal.line("\nNothing gives it access to this vault or anything in it.")?;
    }
    for grant in &shown.grants {
        let can = format!("{} · {}", grant.capability.words(), grant.answer.words());
        terminal.line(&format!("\n{}", terminal.tone(tone(grant.answer), &can)))?;
        if shown.vault.is_some_and(|vault| vault.id != grant.object) {
            terminal.line(&format!("  on {}", clean(grant.object.shown())))?;
        }
        for path in &grant.paths {
            terminal.line(&format!("  {}", clean(&path.words())))?;
            let Some(vault) = shown.vault else { continue };
            let records: BTreeSet<String> =
                shown.access.evidence(&vault.id, path).iter().map(|cite| cite.place()).collect();
            let records: Vec<String> = records.into_iter().collect();
            terminal.line(&terminal.tone(Tone::Dim, &format!("    {}", records.join(" "))))?;
        }
    }
    gaps(&shown.gaps, terminal)
}

fn head(shown: &Shown<'_>, terminal: &Terminal) -> Result<(), CliError> {
    let at = shown.tenant.collected_at.format("%Y-%m-%d %H:%M UTC");
    if let Some(vault) = shown.vault {
        terminal.line(&terminal.tone(Tone::Strong, &clean(shown.object.as_ref().unwrap_or(&vault.id).shown())))?;
        let model = if vault.is_rbac() { "roles (RBAC mode)" } else { "access policies" };
        terminal.line(&format!("  permission: {model}"))?;
        terminal.line(&format!("  network:    {}", clean(&Route::to(vault).words())))?;
    }
    if let Some(id) = &shown.principal {
        let (name, kind) = principal(shown.tenant, id);
        terminal.line(&format!(
            "{}  {}",
            terminal.tone(Tone::Strong, &clean(&name)),
            clean(&format!("{kind}, {id}"))
        ))?;
    }
    terminal.line(&terminal.tone(Tone::Dim, &format!("  as collected {at}, capture {}", clean(shown.capture))))
}

fn entry(shown: &Shown<'_>, grant: &Grant, terminal: &Terminal) -> Result<(), CliError> {
    let answer = terminal.tone(tone(grant.answer), &format!("{:<14}", grant.answer.words()));
    let what = match shown.vault {
        Some(vault) => {
            let (name, kind) = principal(shown.tenant, &grant.principal_id);
            let on = if grant.object == vault.id || shown.object.is_some() {
                String::new()
            } else {
                format!(", on `{}` alone", grant.object.name())
            };
            format!("{name}  ({kind}, {}){on}", grant.principal_id)
        }
        None => grant.object.shown().to_owned(),
    };
    terminal.line(&format!("  {answer} {}", clean(&what)))?;
    for path in &grant.paths {
        terminal.line(&format!("      {}", clean(&path.words())))?;
    }
    Ok(())
}

fn tone(answer: Answer) -> Tone {
    match answer {
        Answer::Allowed => Tone::Bad,
        Answer::Eligible | Answer::Conditional | Answer::NotDetermined => Tone::Open,
        Answer::Denied => Tone::Good,
    }
}

fn idle(shown: &Shown<'_>, terminal: &Terminal) -> Result<(), CliError> {
    let Some(vault) = shown.vault else { return Ok(()) };
    let idle = shown.access.idle(&vault.id);
    if idle.is_empty() {
        return Ok(());
    }
    terminal.line(&format!("\n{}", terminal.tone(Tone::Strong, "Gives nothing now")))?;
    for one in idle {
        let (name, kind) = principal(shown.tenant, &one.holder_id);
        let via = one.via.words();
        let line = format!("{name}  ({kind}): {via} at `{}`, {}", one.scope, one.why.words());
        terminal.line(&format!("  {}", clean(&line)))?;
    }
    Ok(())
}

fn gaps(gaps: &[Gap], terminal: &Terminal) -> Result<(), CliError> {
    if gaps.is_empty() {
        return terminal.line("\nEverything that this rests on was read.");
    }
    terminal.line(&format!("\n{}", terminal.tone(Tone::Open, "A lower bound: there may be more. Not read were")))?;
    for gap in gaps {
        let name = if gap.detail.contains(&gap.name) { String::new() } else { format!(" `{}`", gap.name) };
        terminal.line(&clean(&format!("  {}{name}: {}", gap.about.words(), gap.detail)))?;
    }
    Ok(())
}

/// How the principal could come to the goal.
pub(super) fn route(
    tenant: &Tenant,
    id: &str,
    vault: &Vault,
    goal: Goal,
    way: Option<&Way>,
    unread: &[Gap],
    terminal: &Terminal,
) -> Result<(), CliError> {
    let (name, kind) = principal(tenant, id);
    let who = clean(&format!("{name} ({kind})"));
    let what = format!("{} of {}", goal.words(), clean(&vault.name));
    match way {
        None => terminal.line(&format!("No way is known by which {who} could {what}."))?,
        Some(way) if way.is_direct() => {
            let when = if way.edges.iter().any(|edge| edge.is_activated_first) { "once activated" } else { "already" };
            terminal.line(&format!("{who} can {what} {when}:"))?;
        }
        Some(way) => {
            let steps =
                format!("{} step{}, {}", way.length, if way.length == 1 { "" } else { "s" }, way.certainty.words());
            terminal.line(&format!("{who} could come to {what}: {}", terminal.tone(Tone::Strong, &steps)))?;
        }
    }
    for (number, edge) in way.iter().flat_map(|way| &way.edges).enumerate() {
        step(tenant, number + 1, edge, goal, terminal)?;
    }
    gaps(unread, terminal)
}

fn step(tenant: &Tenant, number: usize, edge: &Edge, goal: Goal, terminal: &Terminal) -> Result<(), CliError> {
    let (from, _) = principal(tenant, &edge.from);
    let to = match &edge.to {
        Target::Principal(id) => format!("`{}`", principal(tenant, id).0),
        Target::Vault(vault) if edge.step == crate::access::escalation::Step::Use => {
            format!("{} of `{}`", goal.words(), vault.name())
        }
        Target::Vault(vault) => format!("`{}`", vault.name()),
    };
    let first = if edge.is_activated_first { "activates its right, then " } else { "" };
    terminal.line(&clean(&format!("  {number}. `{from}` {first}{} {to}", edge.step.words())))?;
    terminal.line(&clean(&format!("     by {}", edge.by)))?;
    if let Some(on) = &edge.on {
        terminal.line(&clean(&format!("     on {on}")))?;
    }
    if let Some(doubt) = &edge.doubt {
        terminal.line(&format!("     {}: {}", edge.certainty.words(), clean(doubt)))?;
    }
    let records: Vec<String> = edge.evidence.iter().map(|cite| cite.place()).collect();
    terminal.line(&terminal.tone(Tone::Dim, &format!("     {}", records.join(" "))))
}
