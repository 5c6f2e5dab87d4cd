//! Roles that people hold without having activated them and without an end. What PIM-001 and PIM-002 share.
//!
//! Privileged Identity Management lists every active role with how it came to be. One that was activated, or that ends,
//! is not standing; neither is a membership of the holding group that was activated or ends. What it does not list is
//! standing, when its list was read whole.

use super::people::{People, Who, and_more};
use super::roles::role_name;
use super::{Facts, Finding, about, own};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{GroupGrant, Id, Member, PrincipalKind, RoleAssignment, Subscription};

/// Judges every assignment of one of `roles` (GUIDs) at a scope that `counts` to people, and says of each subscription
/// where there is none that there is none.
pub(super) fn each_assignment(facts: &Facts<'_>, roles: &[&str], counts: fn(&Id) -> bool, none: &str) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let of_roles = facts.tenant.role_assignments.iter().filter(|held| roles.contains(&held.role.as_str()));
    let counted: Vec<&RoleAssignment> = of_roles.filter(|held| counts(&held.scope)).collect();
    let mut findings = Vec::new();
    let mut judged: Vec<&RoleAssignment> = Vec::new();
    for assignment in counted {
        if let Some(finding) = judge(facts, &people, assignment) {
            findings.push(finding);
            judged.push(assignment);
        }
    }
    let hierarchy = &facts.tenant.hierarchy;
    let reaches = |assignment: &RoleAssignment, subscription: &Subscription| {
        subscription.id.is_at_or_above(&assignment.scope) || hierarchy.reaches(&assignment.scope, &subscription.id)
    };
    let quiet = facts.tenant.subscriptions.iter().filter(|one| !judged.iter().any(|held| reaches(held, one)));
    findings.extend(quiet.map(|subscription| {
        about("subscription", &subscription.id, &subscription.name, &subscription.from)
            .citing(&facts.records_of(Kind::RoleAssignments))
            .pass(none)
    }));
    findings
}

/// A person who holds the assignment, and what makes that pass, if anything does.
struct Holder {
    name: String,
    passing: Option<String>,
    evidence: Vec<Cite>,
}

/// None for an assignment that no person holds.
fn judge(facts: &Facts<'_>, people: &People<'_>, assignment: &RoleAssignment) -> Option<Finding> {
    let role = role_name(facts, &assignment.role);
    let holder = people.name(&assignment.principal_id);
    let name = format!("{} ← {holder} ({role})", short(facts, &assignment.scope));
    let on = about("role_assignment", &assignment.id, &name, &assignment.from);
    let holders = match holders(facts, people, assignment) {
        Ok(holders) if holders.is_empty() => return None,
        Ok(holders) => holders,
        Err(missing) => return Some(on.missing(&missing)),
    };
    let on = on.citing(holders.iter().flat_map(|holder| &holder.evidence));
    if let Some(schedule) = facts.tenant.schedules_of(assignment).next() {
        let on = on.citing([&schedule.from]);
        let until = schedule.ends.map(|ends| ends.format("%Y-%m-%d %H:%M UTC").to_string());
        match (schedule.is_activated(), &until) {
            (true, Some(until)) => return Some(on.pass(format!("`{role}` is activated until {until}"))),
            (true, None) => return Some(on.pass(format!("`{role}` is activated, of which the end is not told"))),
            (false, Some(until)) => return Some(on.pass(format!("`{role}` ends on {until}"))),
            (false, None) => return Some(standing(on, role, &holders)),
        }
    }
    let need = own(Kind::RoleAssignmentScheduleInstances);
    match facts.missing(&[need], &assignment.id) {
        // without the licence nothing can be activated, so that whatever is assigned stands
        Some(missing) if missing.reason != Reason::NotLicensed => Some(on.missing(&missing)),
        _ => Some(standing(on, role, &holders)),
    }
}

fn standing(on: super::About, role: &str, holders: &[Holder]) -> Finding {
    let mut permanent = holders.iter().filter(|holder| holder.passing.is_none());
    let count = permanent.clone().count();
    match permanent.next() {
        Some(first) => on.fail(format!(
            "`{role}` stands for {}, without an activation and without an end",
            and_more(&first.name, count)
        )),
        None => {
            let first = holders
                .first()
                .map(|holder| format!("{} {}", holder.name, holder.passing.as_deref().unwrap_or_default()));
            on.pass(format!(
                "`{role}` stands for a group of whose people none does: {}",
                and_more(&first.unwrap_or_default(), holders.len())
            ))
        }
    }
}

/// The people behind an assignment; what was not read may hold further ones.
fn holders(
    facts: &Facts<'_>,
    people: &People<'_>,
    assignment: &RoleAssignment,
) -> Result<Vec<Holder>, crate::model::Missing> {
    let id = assignment.principal_id.as_str();
    if let Some(missing) = people.hidden_members(id) {
        return Err(missing);
    }
    let person = match people.who(id) {
        Who::Known(person) => person,
        Who::Gone(_) | Who::Unknown => return Ok(Vec::new()),
    };
    match person.kind {
        PrincipalKind::User => {
            Ok(vec![Holder { name: format!("`{}`", person.name), passing: None, evidence: vec![person.from.clone()] }])
        }
        PrincipalKind::Group => {
            let members = facts.tenant.members.get(id).into_iter().flatten();
            Ok(members.filter_map(|member| of_group(facts, people, id, &person.name, member)).collect())
        }
        _ => Ok(Vec::new()),
    }
}

fn of_group(facts: &Facts<'_>, people: &People<'_>, group: &str, group_name: &str, member: &Member) -> Option<Holder> {
    let Who::Known(person) = people.who(&member.id) else { return None };
    if person.kind != PrincipalKind::User {
        return None;
    }
    let grants = facts.tenant.directory.group_assignments.iter();
    let is_own = |grant: &&GroupGrant| {
        grant.group_id == group
            && grant.principal_id == member.id
            && !grant.access.as_deref().is_some_and(|access| access.eq_ignore_ascii_case("owner"))
    };
    let grant = grants.filter(is_own).find(|grant| is_activated(grant) || grant.end.is_some());
    let passing = grant.map(|grant| match (is_activated(grant), grant.end) {
        (true, Some(end)) => format!("has activated the membership until {}", end.format("%Y-%m-%d %H:%M UTC")),
        (true, None) => "has activated the membership".to_owned(),
        (false, end) => {
            format!("is a member until {}", end.map(|end| end.format("%Y-%m-%d").to_string()).unwrap_or_default())
        }
    });
    let mut evidence = vec![member.from.clone()];
    evidence.extend(grant.map(|grant| grant.from.clone()));
    Some(Holder { name: format!("`{}` through group `{group_name}`", person.name), passing, evidence })
}

fn is_activated(grant: &GroupGrant) -> bool {
    grant.assignment.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("Activated"))
}

/// A scope for a reader: the name of a subscription or group, else the last segment.
fn short(facts: &Facts<'_>, scope: &Id) -> String {
    let subscription = facts.tenant.subscriptions.iter().find(|one| one.id == *scope).map(|one| one.name.clone());
    let group = || facts.tenant.hierarchy.names.get(scope).cloned();
    subscription
        .or_else(group)
        .unwrap_or_else(|| if scope.key() == "/" { "/".to_owned() } else { scope.name().to_owned() })
}
