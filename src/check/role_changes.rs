//! Every grant and removal of a role in the period: the population of which a sample is traced (RBAC-013).

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::Facts;
use super::activations::{self, Activation};
use super::callers::shown;
use super::operations::{self, Operation};
use super::people::People;
use super::roles::role_name;
use crate::evidence::{Cite, sha256_hex};
use crate::model::{Id, RoleAssignment, RoleRequest};

/// Who got or lost a role, where the log does not say.
const NOBODY: &str = "somebody whom the log does not name";
const OF_ASSIGNMENTS: &str = "microsoft.authorization/roleassignments/";

/// One grant or removal.
#[derive(Clone, Debug)]
pub struct RoleChange {
    /// The same in every run over the same evidence: time, what was done, what it was done to, with tabs between.
    pub key: String,
    /// The assignment, or the request to Privileged Identity Management.
    pub subject: Id,
    /// What was done, when, and to whom.
    pub name: String,
    /// The same with role, scope and who did it.
    pub words: String,
    /// Its place in the sample, from 1 on; none where it was not drawn.
    pub sample: Option<usize>,
    /// The records.
    pub evidence: Vec<Cite>,
}

/// The population, in order of time, and which of it the sample holds: the first items in order of SHA-256 over seed and
/// item.
pub fn role_changes(facts: &Facts<'_>) -> Vec<RoleChange> {
    let mut items = items(facts);
    let seed = &facts.parameters.sample_seed;
    let digest = |item: &RoleChange| sha256_hex(format!("{seed}\n{}", item.key).as_bytes());
    let mut drawn: Vec<(String, usize)> = items.iter().enumerate().map(|(place, item)| (digest(item), place)).collect();
    drawn.sort();
    for (number, (_, place)) in drawn.into_iter().take(facts.parameters.sample_size).enumerate() {
        if let Some(item) = items.get_mut(place) {
            item.sample = Some(number + 1);
        }
    }
    items
}

fn items(facts: &Facts<'_>) -> Vec<RoleChange> {
    let people = People::of(facts.tenant);
    let changes = operations::of_period(facts, &[OF_ASSIGNMENTS]);
    let written: BTreeSet<String> = changes.iter().map(|change| change.resource.name().to_lowercase()).collect();
    let activations = activations::activations(facts);
    let others = changes.iter().filter(|change| !activations.iter().any(|one| is_of(one, change)));
    let mut items: Vec<RoleChange> = others.filter_map(|change| of_change(facts, &people, change)).collect();
    let requests = facts.tenant.authorization.active_requests.iter().map(|one| (one, "active"));
    let requests = requests.chain(facts.tenant.authorization.eligible_requests.iter().map(|one| (one, "eligible")));
    items.extend(requests.filter_map(|(request, kind)| of_request(facts, &people, request, kind)));
    let now = facts.tenant.role_assignments.iter();
    let untold = now.filter(|assignment| !written.contains(&assignment.id.name().to_lowercase()));
    items.extend(untold.filter_map(|assignment| of_assignment(facts, &people, assignment)));
    items.sort_by(|a, b| a.key.cmp(&b.key));
    items.dedup_by(|a, b| a.key == b.key);
    items
}

/// Whether a change is an activation that its holder asked for, or its end: those are PIM-005's.
fn is_of(activation: &Activation<'_>, change: &Operation) -> bool {
    let request = activation.request;
    let is_near = |at: DateTime<Utc>| (at - change.at).abs() <= TimeDelta::days(1);
    let scope = change.role_scope.clone().unwrap_or_else(|| Id::new(scope_of(&change.resource)));
    change.principal_id.as_deref() == Some(request.principal_id.as_str())
        && change.role.as_deref() == Some(request.role.as_str())
        && scope == request.scope
        && (is_near(activation.from) || activation.until.is_some_and(is_near))
}

fn of_change(facts: &Facts<'_>, people: &People<'_>, change: &Operation) -> Option<RoleChange> {
    let done = match change.name.strip_prefix(OF_ASSIGNMENTS)? {
        "write" => "given",
        "delete" => "taken",
        _ => return None,
    };
    // what a removal took may be known from the assignment's own making
    let role = change.role.as_deref().map(|role| role_name(facts, role));
    let whom = change.principal_id.as_deref().map(|id| people.name(id));
    let (whom, quoted) = match whom {
        Some(whom) => (whom.clone(), format!("`{whom}`")),
        None => (NOBODY.to_owned(), NOBODY.to_owned()),
    };
    let role = role.map_or_else(|| "a role that the log does not name".to_owned(), |role| format!("`{role}`"));
    let scope = change.role_scope.clone().unwrap_or_else(|| Id::new(scope_of(&change.resource)));
    let preposition = if done == "given" { "to" } else { "from" };
    Some(RoleChange {
        key: format!("{}\t{}\t{}", shown(change.at), change.name, change.resource.key()),
        subject: change.resource.clone(),
        name: format!("{done} at {}: {whom}", shown(change.at)),
        words: format!(
            "{role} at `{scope}` was {done} {preposition} {quoted} by {} at {}",
            change.by(people),
            shown(change.at)
        ),
        sample: None,
        evidence: change.evidence.clone(),
    })
}

/// The scope that an assignment sits at, from its id.
fn scope_of(assignment: &Id) -> String {
    let lower = assignment.shown().to_ascii_lowercase();
    let end = lower.find("/providers/microsoft.authorization/roleassignments").unwrap_or(lower.len());
    match assignment.shown().get(..end) {
        Some("") | None => "/".to_owned(),
        Some(scope) => scope.to_owned(),
    }
}

/// A request by which somebody else gave or took a role; an activation by oneself is PIM-005's.
fn of_request(facts: &Facts<'_>, people: &People<'_>, request: &RoleRequest, kind: &str) -> Option<RoleChange> {
    let at = request.created_on.filter(|at| facts.period.contains(*at))?;
    let request_type = request.request_type.as_deref()?;
    let status = request.status.as_deref().unwrap_or("not told");
    let refused = ["Denied", "AdminDenied", "Canceled", "Failed", "TimedOut", "Invalid"];
    let is_refused = refused.iter().any(|word| word.eq_ignore_ascii_case(status));
    if !request_type.to_ascii_lowercase().starts_with("admin") || is_refused {
        return None;
    }
    let (role, whom) = (role_name(facts, &request.role), people.name(&request.principal_id));
    let by =
        request.requestor_id.as_deref().map_or("somebody whom the list does not name".to_owned(), |id| people.name(id));
    let ticket = request.ticket.as_deref().map(|ticket| format!(", ticket `{ticket}`")).unwrap_or_default();
    Some(RoleChange {
        key: format!("{}\t{request_type}\t{}", shown(at), request.id.key()),
        subject: request.id.clone(),
        name: format!("{request_type} at {}: {whom}", shown(at)),
        words: format!(
            "`{request_type}` of {kind} role `{role}` at `{}` for `{whom}` by `{by}` at {} ({status}{ticket})",
            request.scope,
            shown(at)
        ),
        sample: None,
        evidence: vec![request.from.clone()],
    })
}

/// An assignment that was made in the period and that no log tells of.
fn of_assignment(facts: &Facts<'_>, people: &People<'_>, assignment: &RoleAssignment) -> Option<RoleChange> {
    let at = assignment.created_on.filter(|at| facts.period.contains(*at))?;
    let (role, whom) = (role_name(facts, &assignment.role), people.name(&assignment.principal_id));
    let by = assignment.created_by.as_deref().map_or("nobody named".to_owned(), |id| people.name(id));
    Some(RoleChange {
        key: format!("{}\tassignment\t{}", shown(at), assignment.id.key()),
        subject: assignment.id.clone(),
        name: format!("given at {}: {whom}", shown(at)),
        words: format!(
            "`{role}` at `{}` was given to `{whom}` by `{by}` at {}, of which no log that was read tells",
            assignment.scope,
            shown(at)
        ),
        sample: None,
        evidence: vec![assignment.from.clone()],
    })
}
