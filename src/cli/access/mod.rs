//! `tickmark access`: who can read a vault, what a principal can reach, and how one could come to the other. Reads a
//! capture or a pack; asks nobody.

mod csv;
mod dot;
mod find;
mod human;
mod json;

use std::collections::BTreeSet;

use super::args::{AccessOptions, Args, Format, GoalChoice};
use super::collect::optional_config;
use super::terminal::Terminal;
use super::{CliError, End, context, reperform};
use crate::access::escalation::{Escalation, Goal};
use crate::access::{Access, Answer, Capability, Gap, Grant};
use crate::evidence::Capture;
use crate::model::{self, Id, Tenant, Vault};

/// What is asked about, and the answers.
pub(super) struct Shown<'a> {
    tenant: &'a Tenant,
    access: &'a Access,
    /// The capture's id.
    capture: &'a str,
    /// The vault that is asked about; none when a principal is.
    vault: Option<&'a Vault>,
    /// The object in it.
    object: Option<Id>,
    /// The principal that is asked about.
    principal: Option<String>,
    grants: Vec<Grant>,
    gaps: Vec<Gap>,
}

pub(super) fn run(options: &AccessOptions, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let capture = capture(options, args, terminal)?;
    let tenant = model::read(&capture)?;
    let access = Access::of(&tenant);
    if let Some([principal, vault]) = options.path.as_deref() {
        let principal = find::principal(&tenant, principal)?;
        let vault = find::vault(&tenant, &access, vault)?;
        return path(&tenant, &access, &principal, vault, goal(options.goal), terminal);
    }
    let shown = match (&options.vault, &options.principal) {
        (Some(vault), _) => of_vault(&tenant, &access, &capture, find::vault(&tenant, &access, vault)?, options)?,
        (None, Some(principal)) => of_principal(&tenant, &access, &capture, find::principal(&tenant, principal)?),
        (None, None) => return Err(CliError::Use("say --vault, --principal or --path".to_owned())),
    };
    let wanted = capabilities(options, terminal.format);
    let grants = shown.grants.into_iter().filter(|grant| wanted.contains(&grant.capability)).collect();
    let shown = Shown { grants, ..shown };
    match (terminal.format, options.why.is_some()) {
        (Format::Human, true) => human::why(&shown, terminal)?,
        (Format::Human, false) => human::table(&shown, &wanted, terminal)?,
        (Format::Json, _) => terminal.json(&json::of(&shown))?,
        (Format::Csv, _) => terminal.raw(&csv::of(&shown)?)?,
        (Format::Dot, _) => terminal.raw(dot::of(&shown).as_bytes())?,
        (Format::Sarif | Format::Junit | Format::Markdown, _) => {} // refused before a command begins
    }
    Ok(end(&shown.gaps))
}

/// Answers that are a lower bound end like a run with gaps.
fn end(gaps: &[Gap]) -> End {
    if gaps.is_empty() { End::Clean } else { End::Incomplete }
}

fn capture(options: &AccessOptions, args: &Args, terminal: &Terminal) -> Result<Capture, CliError> {
    if let Some(pack) = &options.pack {
        let (head, _) = reperform::manifest(pack)?;
        return Ok(Capture::open_with_head(pack, head)?);
    }
    let config = optional_config(args)?;
    let store = context::store(args, config.as_ref());
    Ok(context::capture(&store, options.which.capture.as_deref(), terminal)?.1)
}

/// A person is shown who reads secrets; a program gets everything.
fn capabilities(options: &AccessOptions, format: Format) -> BTreeSet<Capability> {
    if !options.capability.is_empty() {
        return options.capability.iter().flat_map(|choice| choice.0.iter().copied()).collect();
    }
    match format {
        Format::Human if options.why.is_none() && options.principal.is_none() => [Capability::ReadSecret].into(),
        _ => Capability::ALL.iter().copied().collect(),
    }
}

fn of_vault<'a>(
    tenant: &'a Tenant,
    access: &'a Access,
    capture: &'a Capture,
    vault: &'a Vault,
    options: &AccessOptions,
) -> Result<Shown<'a>, CliError> {
    let principal = options.why.as_deref().map(|why| find::principal(tenant, why)).transpose()?;
    let mut grants = match &principal {
        Some(principal) => access.of_principal(&vault.id, principal),
        None => access.on(&vault.id),
    };
    let object = options.secret.as_deref().map(|name| Id::new(format!("{}/secrets/{name}", vault.id)));
    if let Some(object) = &object {
        grants = on_object(access, &grants, object);
    }
    let gaps = access.gaps(&vault.id);
    let capture = capture.head.capture_id.as_str();
    Ok(Shown { tenant, access, capture, vault: Some(vault), object, principal, grants, gaps })
}

/// The answers about one object, of everyone who has any about its vault.
fn on_object(access: &Access, grants: &[Grant], object: &Id) -> Vec<Grant> {
    let asked: BTreeSet<(Capability, &str)> = grants
        .iter()
        .filter(|grant| grant.capability.is_of_secrets())
        .map(|grant| (grant.capability, &*grant.principal_id))
        .collect();
    let answer = |(capability, principal): (Capability, &str)| {
        let verdict = access.answer(principal, object, capability);
        let (answer, paths) = (verdict.answer?, verdict.paths);
        Some(Grant { principal_id: principal.into(), object: object.clone(), capability, answer, paths })
    };
    asked.into_iter().filter_map(answer).collect()
}

fn of_principal<'a>(tenant: &'a Tenant, access: &'a Access, capture: &'a Capture, principal: String) -> Shown<'a> {
    let grants = access.reach(&principal).collect();
    let of_vaults = tenant.vaults.iter().flat_map(|vault| access.gaps(&vault.id));
    let gaps: BTreeSet<Gap> = access.unread_vaults().iter().cloned().chain(of_vaults).collect();
    let capture = capture.head.capture_id.as_str();
    let gaps = gaps.into_iter().collect();
    Shown { tenant, access, capture, vault: None, object: None, principal: Some(principal), grants, gaps }
}

fn goal(choice: GoalChoice) -> Goal {
    match choice {
        GoalChoice::Read => Goal::Read,
        GoalChoice::Change => Goal::Change,
        GoalChoice::Destroy => Goal::Destroy,
        GoalChoice::StopLog => Goal::StopLog,
    }
}

fn path(
    tenant: &Tenant,
    access: &Access,
    principal: &str,
    vault: &Vault,
    goal: Goal,
    terminal: &Terminal,
) -> Result<End, CliError> {
    let escalation = Escalation::of(tenant, access);
    let route = escalation.path(principal, vault, goal);
    let gaps = escalation.gaps(vault);
    match terminal.format {
        Format::Json => terminal.json(&json::route(tenant, principal, vault, goal, route.as_ref(), &gaps))?,
        Format::Human => human::route(tenant, principal, vault, goal, route.as_ref(), &gaps, terminal)?,
        _ => {
            return Err(CliError::Use("--path prints human or json; leave --format out".to_owned()));
        }
    }
    Ok(end(&gaps))
}

/// A principal as a reader is told of it: name, and what it is.
fn principal(tenant: &Tenant, id: &str) -> (String, String) {
    let (name, mut kind) = (tenant.principal_name(id), tenant.principal_kind(id));
    let Some(known) = tenant.principal(id) else { return (name, kind) };
    if known.user_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("Guest")) {
        kind.push_str(", guest");
    }
    if known.enabled == Some(false) {
        kind.push_str(", disabled");
    }
    (name, kind)
}

/// The word of a capability or an answer in JSON.
fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// How many of each answer, in the order of the answers.
fn counts(grants: &[&Grant]) -> Vec<(Answer, usize)> {
    let mut answers: Vec<Answer> = grants.iter().map(|grant| grant.answer).collect();
    answers.sort_unstable();
    let mut counts: Vec<(Answer, usize)> = Vec::new();
    for answer in answers {
        match counts.last_mut() {
            Some((last, count)) if *last == answer => *count += 1,
            _ => counts.push((answer, 1)),
        }
    }
    counts
}
