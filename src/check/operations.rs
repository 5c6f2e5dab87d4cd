//! What was done through Azure Resource Manager in the period: from its activity log, which keeps 90 days, and from the
//! table `AzureActivity` that it is exported to, and which part of the period the two cover together.
//!
//! A part that the activity log no longer keeps, or that could not be read, is covered by a workspace that holds its
//! export whole (`log_reach`). The tenant's own log has no export; the elevations in it are in the directory's audit log
//! too, which covers it in the same way.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Facts;
use super::log_reach::{AUDIT, activity_shows, directory_shows};
use super::logs::not_over;
use super::people::People;
use crate::access::Open;
use crate::evidence::{Cite, Kind, Period, Reason};
use crate::model::{Activity, ActivityEvent, Asked, Id};

/// One change that was made, joined from all rows that tell of it.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// When it was done.
    pub at: DateTime<Utc>,
    /// The operation, lower case.
    pub name: String,
    /// What was changed.
    pub resource: Id,
    /// Lower-case object id of who did it, else the application id.
    pub caller: Option<String>,
    /// Lower-case object id of the principal that a role was given to or taken from.
    pub principal_id: Option<String>,
    /// Lower-case GUID of that role's definition.
    pub role: Option<String>,
    /// Where the role holds.
    pub role_scope: Option<Id>,
    /// Whether a vault was in RBAC mode after it.
    pub rbac: Option<bool>,
    /// Days in reach of queries that a workspace or table was set to.
    pub retention_days: Option<i64>,
    /// Days in all that a table was set to.
    pub total_retention_days: Option<i64>,
    /// The rows.
    pub evidence: Vec<Cite>,
}

impl Operation {
    /// Who did it, for a reader.
    pub fn by(&self, people: &People<'_>) -> String {
        match &self.caller {
            Some(caller) => format!("`{}`", people.name(caller)),
            None => "a caller whom the log does not name".to_owned(),
        }
    }
}

/// One row of either source, in one form.
struct Row<'a> {
    at: DateTime<Utc>,
    operation: &'a str,
    is_done: bool,
    resource: &'a Id,
    correlation: Option<&'a str>,
    told: Told,
    from: &'a Cite,
}

/// What a row may tell of a change.
#[derive(Clone, Debug, Default)]
struct Told {
    caller: Option<String>,
    principal_id: Option<String>,
    role: Option<String>,
    role_scope: Option<Id>,
    rbac: Option<bool>,
    retention_days: Option<i64>,
    total_retention_days: Option<i64>,
}

impl Told {
    fn with(self, other: Told) -> Told {
        Told {
            caller: self.caller.or(other.caller),
            principal_id: self.principal_id.or(other.principal_id),
            role: self.role.or(other.role),
            role_scope: self.role_scope.or(other.role_scope),
            rbac: self.rbac.or(other.rbac),
            retention_days: self.retention_days.or(other.retention_days),
            total_retention_days: self.total_retention_days.or(other.total_retention_days),
        }
    }
}

/// Every change of the period that was made whose operation begins like one of `names`, in order of time. Rows of one
/// change share operation, resource and correlation; what was changed may stand in any of them, and both sources may
/// hold it.
pub(super) fn of_period(facts: &Facts<'_>, names: &[&str]) -> Vec<Operation> {
    let is_asked = |operation: &str| {
        let operation = operation.to_ascii_lowercase();
        names.iter().any(|name| operation.starts_with(&name.to_ascii_lowercase()))
    };
    let of_log = facts.tenant.logging.activity.iter().filter(|event| is_asked(&event.operation)).filter_map(of_event);
    let of_table = facts.tenant.logs.activity.iter().filter(|row| is_asked(&row.operation)).filter_map(of_row);
    let mut changes: BTreeMap<(String, Id, String), Vec<Row<'_>>> = BTreeMap::new();
    for row in of_log.chain(of_table).filter(|row| facts.period.contains(row.at)) {
        // rows without a correlation stand for themselves
        let correlation = row.correlation.map_or_else(|| row.at.to_rfc3339(), str::to_lowercase);
        changes.entry((row.operation.to_lowercase(), row.resource.clone(), correlation)).or_default().push(row);
    }
    let mut found: Vec<Operation> = changes.into_iter().filter_map(|((name, ..), rows)| joined(name, rows)).collect();
    found.sort_by(|a, b| (a.at, &a.name, &a.resource).cmp(&(b.at, &b.name, &b.resource)));
    found
}

fn joined(name: String, rows: Vec<Row<'_>>) -> Option<Operation> {
    let done = rows.iter().filter(|row| row.is_done).min_by_key(|row| row.at)?;
    let (at, resource) = (done.at, done.resource.clone());
    let evidence = rows.iter().map(|row| row.from.clone()).collect();
    // what a row at the end of the change tells goes before what was asked for at its start
    let (ends, starts): (Vec<Row<'_>>, Vec<Row<'_>>) = rows.into_iter().partition(|row| row.is_done);
    let told = ends.into_iter().chain(starts).map(|row| row.told).reduce(Told::with)?;
    Some(Operation {
        at,
        name,
        resource,
        caller: told.caller,
        principal_id: told.principal_id,
        role: told.role,
        role_scope: told.role_scope,
        rbac: told.rbac,
        retention_days: told.retention_days,
        total_retention_days: told.total_retention_days,
        evidence,
    })
}

fn of_event(event: &ActivityEvent) -> Option<Row<'_>> {
    let grant = event.grant.as_ref();
    Some(Row {
        at: event.at,
        operation: &event.operation,
        is_done: event.has_succeeded(),
        resource: event.resource.as_ref().or(event.authorized_scope.as_ref())?,
        correlation: event.correlation_id.as_deref(),
        told: Told {
            caller: event.caller_id.clone().or_else(|| event.caller_app_id.clone()),
            principal_id: grant.map(|grant| grant.principal_id.clone()),
            role: grant.and_then(|grant| grant.role.clone()),
            role_scope: grant.and_then(|grant| grant.scope.clone()),
            ..Told::default()
        },
        from: &event.from,
    })
}

fn of_row(row: &Activity) -> Option<Row<'_>> {
    Some(Row {
        at: row.at,
        operation: &row.operation,
        is_done: row.is_success(),
        // the same as the provider names it, in its own letters
        resource: row
            .entity
            .as_ref()
            .filter(|own| row.resource.as_ref().is_none_or(|one| one == *own))
            .or(row.resource.as_ref())?,
        correlation: row.correlation_id.as_deref(),
        told: Told {
            caller: row.caller_object_id.clone().or_else(|| row.caller_app_id.clone()),
            principal_id: row.principal_id.clone(),
            role: row.role.clone(),
            role_scope: row.role_scope.clone(),
            rbac: row.rbac,
            retention_days: row.retention_days,
            total_retention_days: row.total_retention_days,
        },
        from: &row.from,
    })
}

/// The records that cover the whole period for one kind of change at one scope (a subscription, or `tenant`), else why
/// they do not. A change that was seen is not taken back by that.
pub(super) fn covered(facts: &Facts<'_>, kind: Kind, scope: &Id) -> Result<Vec<Cite>, Open> {
    if let Some(open) = not_over(facts) {
        return Err(open);
    }
    let asked = asked_at(facts, kind, scope);
    let Some(asked) = asked else {
        return Err(Open {
            reason: Reason::NotAsked,
            detail: format!("no question about {} was put at `{scope}`", kind.words()),
            from: None,
        });
    };
    let mut evidence = vec![asked.from.clone()];
    let lacking = match &asked.gap {
        Some((reason, detail)) => Some((facts.period, *reason, detail.clone())),
        None => short_at(facts, kind, scope),
    };
    if let Some((part, reason, detail)) = lacking {
        match in_table(facts, kind, scope, &part) {
            Ok(further) => evidence.extend(further),
            Err(why) => {
                let detail = format!("{} at `{scope}`: {detail}; {why}", kind.words());
                return Err(Open { reason, detail, from: Some(asked.from.clone()) });
            }
        }
    }
    Ok(evidence)
}

fn asked_at<'a>(facts: &Facts<'a>, kind: Kind, scope: &Id) -> Option<&'a Asked> {
    facts.tenant.coverage.questions(kind).find(|asked| Id::new(asked.scope.clone()) == *scope)
}

/// The part of the period that the activity log no longer keeps.
fn short_at(facts: &Facts<'_>, kind: Kind, scope: &Id) -> Option<(Period, Reason, String)> {
    let mut reach = facts.tenant.logging.reach.iter();
    let reach = reach.find(|reach| reach.kind == kind && reach.scope == *scope && reach.start > facts.period.start)?;
    let part = Period { start: facts.period.start, end: reach.start.min(facts.period.end) };
    let detail = "the activity log keeps 90 days, and the part of the period before is in no answer of it".to_owned();
    Some((part, Reason::RetentionTooShort, detail))
}

/// What covers the part of the period that the activity log no longer keeps of one kind at one scope; else why nothing
/// does.
pub(super) fn out_of_reach(facts: &Facts<'_>, kind: Kind, scope: &Id) -> Result<Vec<Cite>, String> {
    match short_at(facts, kind, scope) {
        Some((part, ..)) => in_table(facts, kind, scope, &part),
        None => Ok(Vec::new()),
    }
}

/// What covers a part of the period in exported tables; else why nothing does.
fn in_table(facts: &Facts<'_>, kind: Kind, scope: &Id, part: &Period) -> Result<Vec<Cite>, String> {
    let shown = match kind {
        Kind::TenantActivity => directory_shows(facts, &AUDIT, part),
        _ => activity_shows(facts, scope, part),
    };
    shown.map_err(|open| open.detail)
}

#[cfg(test)]
pub(super) mod testing {
    //! A subscription whose activity log goes to the workspace `law`, of which the first days are out of the log's reach.

    use serde_json::{Value, json};

    use crate::check::logs::testing::{WORKSPACE, table_json, with_log, with_workspace, workspace_id};
    use crate::check::testing::{SUB, list, patched};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Capture, Kind, Window};

    const ROW: &[&str] = &[
        "TimeGenerated",
        "OperationName",
        "Status",
        "CallerObjectId",
        "CorrelationId",
        "_ResourceId",
        "PrincipalId",
        "RoleDefinitionId",
        "RoleScope",
        "EnableRbacAuthorization",
        "RetentionInDays",
        "TotalRetentionInDays",
    ];

    /// A row of `AzureActivity`; `patch` is laid over it.
    pub fn activity_json(at: &str, operation: &str, resource: &str, patch: &Value) -> Value {
        let row = json!({"TimeGenerated": at, "OperationName": operation, "Status": "Success", "CorrelationId": at,
            "CallerObjectId": "99999999-9999-9999-9999-999999999999", "_ResourceId": resource});
        patched(row, patch)
    }

    /// An event of the platform's own log; `patch` is laid over it.
    pub fn event_json(at: &str, operation: &str, resource: &str, patch: &Value) -> Value {
        let event = json!({"eventDataId": format!("{operation} {at}"), "eventTimestamp": at, "resourceId": resource,
            "operationName": {"value": operation}, "status": {"value": "Succeeded"}, "correlationId": at,
            "claims": {"http://schemas.microsoft.com/identity/claims/objectidentifier": "99999999-9999-9999-9999-999999999999"}});
        patched(event, patch)
    }

    fn table(names: &[&str], rows: &[Value]) -> Value {
        let columns: Vec<Value> = names.iter().map(|name| json!({"name": name, "type": "string"})).collect();
        let cells = |row: &Value| -> Value { names.iter().map(|name| row[*name].clone()).collect() };
        json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows.iter().map(cells).collect::<Vec<_>>()}]})
    }

    /// Adds the export of the activity log and of the directory's log, with rows on each day of the quarter but `silent`.
    pub fn exporting(builder: CaptureBuilder, rows: &[Value], silent: &[&str]) -> CaptureBuilder {
        let days = (7..=9).flat_map(|month| (1..=31).map(move |day| format!("2026-{month:02}-{day:02}")));
        let days: Vec<String> = days.filter(|day| day != "2026-09-31" && !silent.contains(&day.as_str())).collect();
        let sub = SUB.trim_start_matches("/subscriptions/");
        let counts: Vec<Value> = days
            .iter()
            .map(|day| json!({"Day": format!("{day}T00:00:00Z"), "SubscriptionId": sub, "Rows": 12}))
            .collect();
        let export = |category: &str| {
            list([json!({"name": "to-law", "properties": {"workspaceId": workspace_id(),
                "logs": [{"category": category, "enabled": true}]}})])
        };
        let tables = ["AzureActivity", "AuditLogs", "AZKVAuditLogs"].map(|name| table_json(name, Some(365), Some(365)));
        with_log(with_workspace(builder), &[], &[])
            .replace(Kind::Tables, &workspace_id(), list(tables))
            .replace(Kind::SubscriptionExports, SUB, export("Administrative"))
            .replace(Kind::DirectoryExports, "tenant", export("AuditLogs"))
            .replace(Kind::Activity, WORKSPACE, table(ROW, rows))
            .replace(Kind::ActivityContinuity, WORKSPACE, table(&["Day", "SubscriptionId", "Rows"], &counts))
            .answer(Kind::LogContinuity, &format!("{WORKSPACE}/AuditLogs"), table(&["Day", "Rows"], &counts))
    }

    /// The capture with an activity log that reaches back to 4 July alone.
    pub fn ninety_days(builder: CaptureBuilder) -> Capture {
        let mut capture = builder.build();
        let at = |text: &str| text.parse().expect("a time");
        let end = at("2026-10-01T00:00:00Z");
        let window = Window { start: at("2026-07-04T11:00:00Z"), end, cutoff: end };
        for record in capture.records.iter_mut().filter(|record| record.kind.is_activity()) {
            record.window = Some(window.clone());
        }
        capture
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::testing::{activity_json, event_json, exporting, ninety_days};
    use super::*;
    use crate::access::Access;
    use crate::check::Parameters;
    use crate::check::logs::testing::{WORKSPACE, table_json, workspace_id};
    use crate::check::testing::{SUB, base, list, vault_id};
    use crate::evidence::Capture;
    use crate::evidence::testing::CaptureBuilder;
    use crate::model;

    fn asked<T>(capture: &Capture, ask: impl FnOnce(&Facts<'_>) -> T) -> T {
        let tenant = model::read(capture).expect("a tenant");
        let (access, parameters) = (Access::of(&tenant), Parameters::default());
        let period = Period::parse("2026Q3").expect("a period");
        let declared = crate::declared::Declared::default();
        let (tenant, access) = (&tenant, &access);
        ask(&Facts { tenant, access, period, parameters: &parameters, declared: &declared, ledger: &[] })
    }

    fn covers(capture: &Capture, kind: Kind, scope: &str) -> Result<usize, String> {
        asked(capture, |facts| covered(facts, kind, &Id::new(scope)))
            .map(|evidence| evidence.len())
            .map_err(|open| format!("{:?}: {}", open.reason, open.detail))
    }

    const WRITE: &str = "Microsoft.KeyVault/vaults/write";

    #[test]
    fn the_rows_of_one_change_are_joined_over_both_sources_and_a_failed_one_is_none() {
        let vault = vault_id("kv");
        let same = json!({"correlationId": "c1"});
        let events = [
            event_json("2026-08-01T10:00:01Z", WRITE, &vault, &same),
            event_json("2026-08-02T10:00:00Z", WRITE, &vault, &json!({"status": {"value": "Failed"}})),
        ];
        let rows = [
            activity_json(
                "2026-08-01T10:00:00Z",
                &WRITE.to_uppercase(),
                &vault.to_lowercase(),
                &json!({"Status": "Start", "CorrelationId": "C1", "EnableRbacAuthorization": false}),
            ),
            activity_json(
                "2026-08-01T10:00:02Z",
                &WRITE.to_uppercase(),
                &vault.to_lowercase(),
                &json!({"CorrelationId": "C1", "EnableRbacAuthorization": true}),
            ),
            activity_json("2026-10-01T00:00:00Z", WRITE, &vault, &json!({})),
        ];
        let builder = exporting(base(), &rows, &[]).replace(Kind::ActivityOfVaults, SUB, list(events));
        let found = asked(&builder.build(), |facts| of_period(facts, &["microsoft.keyvault/"]));
        let [one] = found.as_slice() else { panic!("one change: {found:#?}") };
        assert_eq!((one.at.to_rfc3339().as_str(), one.rbac), ("2026-08-01T10:00:01+00:00", Some(true)));
        assert_eq!(one.evidence.len(), 3);
    }

    #[test]
    fn the_log_alone_covers_a_period_that_it_keeps() {
        assert_eq!(covers(&base().build(), Kind::ActivityOfVaults, SUB), Ok(1));
        let denied = base().denied(Kind::ActivityOfVaults, SUB).build();
        assert!(covers(&denied, Kind::ActivityOfVaults, SUB).is_err_and(|why| why.starts_with("Forbidden")));
        assert!(covers(&base().build(), Kind::ActivityOfVaults, "/subscriptions/other").is_err());
    }

    #[test]
    fn what_the_log_no_longer_keeps_is_covered_by_whole_rows_of_the_table_alone() {
        let alone = covers(&ninety_days(base()), Kind::ActivityOfVaults, SUB);
        assert!(
            alone.is_err_and(|why| why.contains("RetentionTooShort")
                && why.contains("no diagnostic setting of the subscription sends"))
        );
        let whole = exporting(base(), &[], &[]);
        assert_eq!(covers(&ninety_days(whole.clone()), Kind::ActivityOfVaults, SUB), Ok(6));
        // a silent day later in the period is the log's to tell
        assert!(covers(&ninety_days(exporting(base(), &[], &["2026-08-01"])), Kind::ActivityOfVaults, SUB).is_ok());
        let silent = covers(&ninety_days(exporting(base(), &[], &["2026-07-02"])), Kind::ActivityOfVaults, SUB);
        assert!(silent.is_err_and(|why| why.contains("has no row of 2026-07-02, so whether it was exported")));
        for kind in &[Kind::Activity, Kind::ActivityCount, Kind::ActivityContinuity] {
            let unread = covers(&ninety_days(whole.clone().denied(*kind, WORKSPACE)), Kind::ActivityOfVaults, SUB);
            assert!(unread.is_err(), "{kind:?}");
        }
        let short = list([table_json("AzureActivity", Some(90), Some(90))]);
        let short = ninety_days(whole.clone().replace(Kind::Tables, &workspace_id(), short));
        assert!(
            covers(&short, Kind::ActivityOfVaults, SUB)
                .is_err_and(|why| why.ends_with("keeps `AzureActivity` for 90 days, which is too short"))
        );
        let of_others = json!({"name": "e", "properties": {"workspaceId": workspace_id(),
            "logs": [{"category": "Policy", "enabled": true}]}});
        let of_others = ninety_days(whole.clone().replace(Kind::SubscriptionExports, SUB, list([of_others])));
        assert!(covers(&of_others, Kind::ActivityOfVaults, SUB).is_err());
        // a log that could not be read at all is in the table for the whole period
        assert!(covers(&ninety_days(whole.denied(Kind::ActivityOfVaults, SUB)), Kind::ActivityOfVaults, SUB).is_ok());
    }

    #[test]
    fn elevations_of_the_part_out_of_reach_are_in_the_directorys_log() {
        let tenant = Kind::TenantActivity;
        assert!(covers(&ninety_days(base()), tenant, "tenant").is_err());
        let whole: CaptureBuilder = exporting(base(), &[], &[]);
        assert_eq!(covers(&ninety_days(whole.clone()), tenant, "tenant"), Ok(6));
        assert!(covers(&ninety_days(whole.denied(Kind::DirectoryChanges, WORKSPACE)), tenant, "tenant").is_err());
        assert!(covers(&ninety_days(exporting(base(), &[], &["2026-07-03"])), tenant, "tenant").is_err());
    }

    #[test]
    fn a_period_that_is_not_over_is_not_covered() {
        let mut capture = base().build();
        capture.head.started_at = "2026-09-30T12:00:00Z".parse().expect("a time");
        let early = covers(&capture, Kind::ActivityOfVaults, SUB);
        assert!(early.is_err_and(|why| why.starts_with("PeriodNotOver")));
    }
}
