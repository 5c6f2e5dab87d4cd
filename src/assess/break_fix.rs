//! Break/fix stories out of the vault log: for an identity and a vault, the handshake without a token (401),
//! the reads that were denied (403, with the cause) before a role was assigned, and the reads that were allowed
//! (200) after it. The role assignment's creation time comes from Azure RBAC, the rows from the vault's log.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::evidence::{Cite, Period};
use crate::model::{Id, RoleAssignment, Tenant, VaultEvent};

/// A handshake belongs to a call of the same client that follows within this time.
const HANDSHAKE: TimeDelta = TimeDelta::seconds(60);
/// Events shown of one sort in a row; the rest is counted.
const SHOWN: usize = 3;

/// One identity, one vault, one timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// Object id of the identity, as Azure shows it in lower case.
    pub principal_id: String,
    /// Its name in the directory, else its object id.
    pub principal: String,
    /// ARM id of the vault.
    pub vault_id: String,
    /// Name of the vault.
    pub vault: String,
    /// The timeline, oldest first.
    pub moments: Vec<Moment>,
    /// Denied reads before the assignment.
    pub denied_before: usize,
    /// Of those, denied for want of a role.
    pub denied_by_rbac: usize,
    /// Allowed reads after the assignment.
    pub allowed_after: usize,
    /// Denied reads after it.
    pub denied_after: usize,
    /// Allowed reads before it; more than none means that something else gave access.
    pub allowed_before: usize,
    /// What the timeline shows, in a sentence.
    pub shows: String,
}

/// One point of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When, UTC.
    pub at: DateTime<Utc>,
    /// What, in a few words.
    pub what: String,
    /// `handshake`, `denied`, `assigned`, `allowed`, `more`.
    pub sort: &'static str,
    /// The record.
    pub from: Cite,
}

/// Every story that the log of the period tells: an assignment, and calls on at least one side of it that show a change.
pub(super) fn stories(tenant: &Tenant, period: &Period) -> Vec<Story> {
    let mut calls: BTreeMap<(&str, &Id), Vec<&VaultEvent>> = BTreeMap::new();
    for event in tenant.vault_events.iter().filter(|event| period.contains(event.at)) {
        if let Some(caller) = &event.caller_object_id {
            calls.entry((caller, &event.vault)).or_default().push(event);
        }
    }
    let mut assignments: BTreeMap<&str, Vec<&RoleAssignment>> = BTreeMap::new();
    for assignment in &tenant.role_assignments {
        assignments.entry(&assignment.principal_id).or_default().push(assignment);
    }
    let mut challenges: BTreeMap<&Id, Vec<&VaultEvent>> = BTreeMap::new();
    for event in tenant.vault_events.iter().filter(|event| event.status == Some(401)) {
        challenges.entry(&event.vault).or_default().push(event);
    }
    let stories = calls.into_iter().filter_map(|((caller, vault), events)| {
        let held = assignments.get(caller)?;
        let challenges = challenges.get(vault).map(Vec::as_slice).unwrap_or_default();
        story(tenant, held, vault, &events, challenges)
    });
    stories.collect()
}

/// The story of one caller and vault: the roles that the caller holds, its calls, and the vault's challenges.
fn story(
    tenant: &Tenant,
    held: &[&RoleAssignment],
    vault: &Id,
    events: &[&VaultEvent],
    challenges: &[&VaultEvent],
) -> Option<Story> {
    let reads: Vec<&&VaultEvent> =
        events.iter().filter(|event| event.operation.eq_ignore_ascii_case("SecretGet")).collect();
    let assignment = first_assignment(tenant, held, vault)?;
    let caller = assignment.principal_id.as_str();
    let assigned = assignment.created_on?;
    let side = |denied: bool, before: bool| -> Vec<&VaultEvent> {
        let of_side = reads.iter().filter(|read| (read.at < assigned) == before);
        of_side
            .filter(|read| if denied { read.status == Some(403) } else { is_success(read) })
            .map(|read| **read)
            .collect()
    };
    let (denied_before, allowed_after) = (side(true, true), side(false, false));
    let (denied_after, allowed_before) = (side(true, false), side(false, true));
    if denied_before.is_empty() && allowed_before.is_empty() {
        return None; // nothing before the assignment: no change to show
    }
    let by_rbac = denied_before.iter().filter(|read| read.denial == Some(crate::model::Denial::Rbac)).count();
    let mut moments = Vec::new();
    for read in denied_before.iter().take(SHOWN).chain(allowed_after.iter().take(SHOWN)) {
        moments.extend(handshake_before(challenges, read));
    }
    extend(&mut moments, &denied_before, "denied");
    extend(&mut moments, &allowed_before, "allowed");
    moments.push(Moment {
        at: assigned,
        what: format!("role `{}` assigned at {}", role_name(tenant, assignment), assignment.scope),
        sort: "assigned",
        from: assignment.from.clone(),
    });
    extend(&mut moments, &denied_after, "denied");
    extend(&mut moments, &allowed_after, "allowed");
    moments.sort_by(|a, b| (a.at, a.sort, &a.from).cmp(&(b.at, b.sort, &b.from)));
    moments.dedup();
    let known = tenant.vaults.iter().find(|known| known.id == *vault);
    Some(Story {
        principal_id: caller.to_owned(),
        principal: tenant.principal_name(caller),
        vault_id: known.map_or(vault, |known| &known.id).shown().to_owned(),
        vault: known.map_or(vault.name(), |known| &known.name).to_owned(),
        shows: shows(denied_before.len(), by_rbac, allowed_before.len(), allowed_after.len()),
        denied_before: denied_before.len(),
        denied_by_rbac: by_rbac,
        allowed_after: allowed_after.len(),
        denied_after: denied_after.len(),
        allowed_before: allowed_before.len(),
        moments,
    })
}

fn shows(denied_before: usize, by_rbac: usize, allowed_before: usize, allowed_after: usize) -> String {
    let reads = |count: usize| if count == 1 { "1 read was".to_owned() } else { format!("{count} reads were") };
    if allowed_before > 0 {
        let reads = reads(allowed_before);
        return format!("{reads} allowed before the assignment, so it is not what gave access first");
    }
    let denied = reads(denied_before);
    if by_rbac < denied_before {
        return format!(
            "{denied} denied before the assignment, {by_rbac} of them for want of a role, and {allowed_after} allowed \
             after it; the other causes say nothing about the role"
        );
    }
    format!(
        "{denied} denied before the assignment (for want of a role) and {allowed_after} allowed after it: a valid token \
         alone did not give access"
    )
}

/// The first assignment to the caller itself that reaches the vault and still exists.
fn first_assignment<'a>(tenant: &Tenant, held: &[&'a RoleAssignment], vault: &Id) -> Option<&'a RoleAssignment> {
    let of_caller = held.iter().copied().filter(|assignment| {
        tenant.hierarchy.reaches(&assignment.scope, vault) || vault.is_at_or_above(&assignment.scope)
    });
    let reading = of_caller.filter(|assignment| {
        tenant
            .role_definitions
            .get(&assignment.role)
            .is_some_and(|role| role.permissions.iter().any(|permission| !permission.data_actions.is_empty()))
    });
    reading
        .filter(|assignment| assignment.created_on.is_some())
        .min_by_key(|assignment| (assignment.created_on, &assignment.id))
}

fn role_name(tenant: &Tenant, assignment: &RoleAssignment) -> String {
    tenant.role_definitions.get(&assignment.role).map_or_else(|| assignment.role.clone(), |role| role.name.clone())
}

fn is_success(event: &VaultEvent) -> bool {
    event.status.is_some_and(|status| (200..300).contains(&status))
}

/// The 401 of the same client just before a call. It carries no identity, so address and client join it.
fn handshake_before(challenges: &[&VaultEvent], read: &VaultEvent) -> Option<Moment> {
    let mut candidates = challenges.iter().filter(|event| {
        event.client == read.client
            && event.caller_ip.is_some()
            && event.caller_ip == read.caller_ip
            && event.at <= read.at
            && read.at - event.at <= HANDSHAKE
    });
    let event = candidates.next_back()?;
    Some(Moment {
        at: event.at,
        what: "called without a token; the vault answered with its challenge (401)".to_owned(),
        sort: "handshake",
        from: event.from(),
    })
}

fn extend(moments: &mut Vec<Moment>, events: &[&VaultEvent], sort: &'static str) {
    for event in events.iter().take(SHOWN) {
        let status = event.status.map_or_else(|| "?".to_owned(), |status| status.to_string());
        let what = match event.denial {
            Some(denial) => format!("read denied ({status}): {}", denial.words()),
            None => format!("read allowed ({status})"),
        };
        moments.push(Moment { at: event.at, what, sort, from: event.from() });
    }
    if let Some(last) = events.last().filter(|_| events.len() > SHOWN) {
        let what = format!("{} more of the same up to here", events.len() - SHOWN);
        moments.push(Moment { at: last.at, what, sort: "more", from: last.from() });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::check::testing::{SUB, assignment_json, base, list, role_json, vault_id, vault_json};
    use crate::evidence::Kind;
    use crate::evidence::testing::CaptureBuilder;
    use crate::model;

    const CALLER: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const ROLE: &str = "4633458b-17de-408a-b874-0445c86b69e6";

    fn row(at: &str, operation: &str, status: u16, caller: &Value, rbac: &Value) -> Value {
        json!([at, operation, status, "192.0.2.0", "sdk", caller, rbac, vault_id("kv1")])
    }

    fn log(rows: &[Value]) -> Value {
        let names = [
            "TimeGenerated",
            "OperationName",
            "HttpStatusCode",
            "CallerIpAddress",
            "ClientInfo",
            "CallerObjectId",
            "IsRbacAuthorized",
            "_ResourceId",
        ];
        let columns: Vec<Value> = names.iter().map(|name| json!({"name": name, "type": "string"})).collect();
        json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})
    }

    fn tenant(created_on: &str, rows: &[Value]) -> CaptureBuilder {
        let mut assignment = assignment_json("a1", &vault_id("kv1"), ROLE, CALLER, "ServicePrincipal");
        assignment["properties"]["createdOn"] = json!(created_on);
        let role =
            role_json(ROLE, "Key Vault Secrets User", &[], &["Microsoft.KeyVault/vaults/secrets/getSecret/action"]);
        base()
            .replace(Kind::Vaults, SUB, list([vault_json("kv1", &json!({}))]))
            .replace(Kind::RoleAssignments, SUB, list([assignment]))
            .replace(Kind::RoleDefinitions, SUB, list([role]))
            .answer(Kind::VaultLogDedicated, "workspace:dddddddd-0000-0000-0000-000000000001", log(rows))
    }

    fn told(builder: CaptureBuilder) -> Vec<Story> {
        let capture = builder.build();
        stories(&model::read(&capture).expect("a tenant"), &capture.head.period)
    }

    fn scenario() -> Vec<Value> {
        vec![
            row("2026-08-18T14:00:00Z", "Authentication", 401, &Value::Null, &Value::Null),
            row("2026-08-18T14:00:01Z", "SecretGet", 403, &json!(CALLER), &json!(false)),
            row("2026-08-18T15:00:00Z", "Authentication", 401, &Value::Null, &Value::Null),
            row("2026-08-18T15:00:01Z", "SecretGet", 200, &json!(CALLER), &json!(true)),
        ]
    }

    #[test]
    fn denied_before_and_allowed_after_the_assignment_is_a_story() {
        let stories = told(tenant("2026-08-18T14:21:07Z", &scenario()));
        assert_eq!(stories.len(), 1);
        let sorts: Vec<&str> = stories[0].moments.iter().map(|moment| moment.sort).collect();
        assert_eq!(sorts, ["handshake", "denied", "assigned", "handshake", "allowed"]);
        assert_eq!((stories[0].denied_before, stories[0].denied_by_rbac, stories[0].allowed_after), (1, 1, 1));
        assert!(stories[0].shows.contains("(for want of a role) and 1 allowed after it"), "{}", stories[0].shows);
    }

    #[test]
    fn a_read_before_the_assignment_takes_the_story_its_point() {
        let mut rows = scenario();
        rows.insert(1, row("2026-08-18T14:00:00.5Z", "SecretGet", 200, &json!(CALLER), &json!(true)));
        let stories = told(tenant("2026-08-18T14:21:07Z", &rows));
        assert!(stories[0].shows.starts_with("1 read was allowed before the assignment"), "{}", stories[0].shows);
    }

    #[test]
    fn without_a_call_before_the_assignment_there_is_no_story() {
        assert_eq!(told(tenant("2026-08-01T00:00:00Z", &scenario()[2..])), []);
    }
}
