//! The log of one vault: where it goes, what was read of it, and which part of the period it can show.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::finding::missing_words;
use super::{Facts, own};
use crate::access::Open;
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{DiagnosticSetting, Id, Missing, Tenant, Vault, VaultDay, VaultEvent, Workspace};

/// Rows of the vault log.
pub(super) const ROWS: &[Kind] = &[Kind::VaultLogDedicated, Kind::VaultLogLegacy];
/// Their counts by day.
pub(super) const COUNTS: &[Kind] = &[Kind::VaultLogDedicatedCount, Kind::VaultLogLegacyCount];
/// So long after an event its row is in the log, and a collection sees it.
const SETTLING: TimeDelta = TimeDelta::minutes(60);

/// The rows of every vault, in order of time.
pub(super) struct Logs<'a> {
    facts: Facts<'a>,
    events: BTreeMap<&'a Id, Vec<&'a VaultEvent>>,
    days: BTreeMap<&'a Id, Vec<&'a VaultDay>>,
}

/// The log of one vault, every question about it answered.
pub(super) struct Log<'a> {
    /// Rows of the period as they were read, also when two workspaces hold the same call.
    pub rows: Vec<&'a VaultEvent>,
    /// Counts of the period.
    pub days: Vec<&'a VaultDay>,
    /// Where the vault sends its audit events.
    pub destinations: Vec<Destination<'a>>,
    /// Settings, and the questions put to the workspaces.
    pub evidence: Vec<Cite>,
}

/// A workspace that the vault's audit events go to.
#[derive(Clone, Debug)]
pub(super) struct Destination<'a> {
    /// The setting that names it.
    pub setting: &'a DiagnosticSetting,
    /// Its ARM id.
    pub workspace_id: &'a Id,
    /// The workspace, when it was read.
    pub workspace: Option<&'a Workspace>,
    /// The table that gets the rows.
    pub table: &'static str,
}

/// How long a table keeps rows, in days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Retention {
    /// In reach of queries.
    pub interactive: i64,
    /// With long-term retention.
    pub total: i64,
    /// Where it was read.
    pub from: Cite,
}

impl<'a> Logs<'a> {
    /// Sorts the rows by vault.
    pub fn of(facts: &Facts<'a>) -> Logs<'a> {
        let mut logs = Logs { facts: *facts, events: BTreeMap::new(), days: BTreeMap::new() };
        for event in facts.tenant.vault_events.iter().filter(|event| facts.period.contains(event.at)) {
            logs.events.entry(&event.vault).or_default().push(event);
        }
        for day in facts.tenant.vault_days.iter().filter(|day| facts.period.contains(day.day)) {
            logs.days.entry(&day.vault).or_default().push(day);
        }
        logs
    }

    /// The log of `vault`, or why there is none to judge, when the answers to `kinds` matter.
    pub fn of_vault(&self, vault: &'a Vault, kinds: &[Kind]) -> Result<Log<'a>, Open> {
        let tenant = self.facts.tenant;
        if let Some(missing) = self.facts.missing(&[own(Kind::DiagnosticSettings)], &vault.id) {
            return Err(as_open(&missing));
        }
        let destinations = destinations(tenant, vault);
        if destinations.is_empty() {
            let mut asked = tenant.coverage.at(Kind::DiagnosticSettings, &vault.id);
            return Err(Open {
                reason: Reason::NotFound,
                detail: "no diagnostic setting sends audit events to a workspace, so there is no log to read"
                    .to_owned(),
                from: asked.next().map(|asked| asked.from.clone()),
            });
        }
        let mut evidence: Vec<Cite> = Vec::new();
        for destination in &destinations {
            let Some(guid) = destination.workspace.and_then(|workspace| workspace.customer_id.as_deref()) else {
                return Err(as_open(&unread_workspace(&self.facts, destination.workspace_id)));
            };
            evidence.push(destination.setting.from.clone());
            let scope = Id::new(format!("workspace:{guid}"));
            for kind in kinds {
                let of_scope = tenant.coverage.at(*kind, &scope);
                evidence.extend(of_scope.filter(|asked| asked.gap.is_none()).map(|asked| asked.from.clone()));
            }
        }
        if let Some(missing) = kinds.iter().find_map(|kind| self.facts.missing(&[own(*kind)], &vault.id)) {
            return Err(as_open(&missing));
        }
        let rows = self.events.get(&vault.id).cloned().unwrap_or_default();
        let days = self.days.get(&vault.id).cloned().unwrap_or_default();
        Ok(Log { rows, days, destinations, evidence })
    }
}

impl<'a> Log<'a> {
    /// The rows with each call once: a call that two workspaces or tables hold is taken from the first.
    pub fn calls(&self) -> Vec<&'a VaultEvent> {
        let source = |event: &VaultEvent| (event.workspace.clone(), event.table);
        let first = self.rows.first().map(|event| source(event));
        if self.rows.iter().all(|event| first.as_ref().is_some_and(|first| *first == source(event))) {
            return self.rows.clone();
        }
        let mut seen: BTreeMap<_, (&str, &str)> = BTreeMap::new();
        let mut calls = Vec::new();
        for event in &self.rows {
            let source = (&*event.workspace, event.table);
            let key =
                (event.at, event.correlation, &event.operation, &event.object, event.status, &event.caller_object_id);
            if *seen.entry(key).or_insert(source) == source {
                calls.push(*event);
            }
        }
        calls
    }

    /// Whether the log holds nothing of the vault in the period.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.days.iter().all(|day| day.rows == 0)
    }

    /// The first table of a workspace of which more or fewer rows were read than counted: its name, both numbers.
    pub fn miscounted(&self) -> Option<(&'a str, u64, u64)> {
        let mut totals: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
        for row in &self.rows {
            totals.entry((row.table, &*row.workspace)).or_default().0 += 1;
        }
        for day in &self.days {
            totals.entry((day.table, day.workspace.as_str())).or_default().1 += day.kept;
        }
        let mut differing = totals.into_iter().filter(|(_, (read, counted))| read != counted);
        differing.next().map(|((table, _), (read, counted))| (table, read, counted))
    }

    /// The first instant in the period that the log shows.
    pub fn first(&self) -> Option<DateTime<Utc>> {
        let counted = self.days.iter().filter(|day| day.rows > 0).map(|day| day.first.unwrap_or(day.day));
        counted.chain(self.rows.iter().map(|event| event.at)).min()
    }

    /// Why the log cannot show the whole period, if it cannot: the tables keep less, or the period was not over.
    pub fn falls_short(&self, facts: &Facts<'_>) -> Option<Open> {
        self.kept_too_short(facts).or_else(|| not_over(facts))
    }

    /// Whether it holds rows from the beginning of the period. A log without any may have begun later.
    pub fn shows_the_beginning(&self, facts: &Facts<'_>) -> bool {
        self.first().is_some_and(|first| first - facts.period.start <= gap(facts))
    }

    /// Why the tables cannot show the beginning of the period. Rows from the beginning settle it.
    pub fn kept_too_short(&self, facts: &Facts<'_>) -> Option<Open> {
        let start = facts.period.start;
        if self.shows_the_beginning(facts) {
            return None;
        }
        let mut longest: Option<Retention> = None;
        let mut unknown: Option<Open> = None;
        for destination in &self.destinations {
            match retention(facts, destination.workspace_id, destination.table) {
                Ok(kept) if longest.as_ref().is_none_or(|other| other.interactive < kept.interactive) => {
                    longest = Some(kept);
                }
                Ok(_) => {}
                Err(open) => unknown = unknown.or(Some(open)),
            }
        }
        match longest {
            Some(kept) if oldest(facts, &kept) <= start => None,
            _ if unknown.is_some() => unknown,
            Some(kept) => {
                let covered =
                    (facts.period.end.min(facts.tenant.collected_at) - oldest(facts, &kept)).num_days().max(0);
                Some(Open {
                    reason: Reason::RetentionTooShort,
                    detail: format!(
                        "the log keeps {} days, so it shows {covered} of the period's {} days",
                        kept.interactive,
                        facts.period.days(),
                    ),
                    from: Some(kept.from),
                })
            }
            None => None,
        }
    }
}

/// The oldest instant that a table with this retention could still show at collection.
pub(super) fn oldest(facts: &Facts<'_>, kept: &Retention) -> DateTime<Utc> {
    let back =
        TimeDelta::try_days(kept.interactive).and_then(|days| facts.tenant.collected_at.checked_sub_signed(days));
    back.unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// The longest silence that is none.
pub(super) fn gap(facts: &Facts<'_>) -> TimeDelta {
    TimeDelta::try_hours(facts.parameters.gap_hours.max(0)).unwrap_or(TimeDelta::MAX)
}

/// Why the end of the period is not in the log.
pub(super) fn not_over(facts: &Facts<'_>) -> Option<Open> {
    let (end, collected) = (facts.period.end, facts.tenant.collected_at);
    if collected - end >= SETTLING {
        return None;
    }
    let elapsed = facts.tenant.elapsed(&facts.period).map_or(0, |part| part.days());
    Some(Open {
        reason: Reason::PeriodNotOver,
        detail: format!(
            "collected on {}, when {elapsed} of the period's {} days were over and in the log",
            collected.format("%Y-%m-%dT%H:%M:%SZ"),
            facts.period.days(),
        ),
        from: None,
    })
}

/// The workspaces that the vault's audit events go to.
pub(super) fn destinations<'a>(tenant: &'a Tenant, vault: &'a Vault) -> Vec<Destination<'a>> {
    let settings = tenant.settings_of(&vault.id).filter(|setting| setting.sends_audit_events());
    settings
        .filter_map(|setting| {
            let workspace_id = setting.workspace_id.as_ref()?;
            let workspace = tenant.workspaces.iter().find(|workspace| workspace.id == *workspace_id);
            let table = if setting.is_dedicated() { "AZKVAuditLogs" } else { "AzureDiagnostics" };
            Some(Destination { setting, workspace_id, workspace, table })
        })
        .collect()
}

/// Why a workspace that a setting names was not read.
pub(super) fn unread_workspace(facts: &Facts<'_>, id: &Id) -> Missing {
    let coverage = &facts.tenant.coverage;
    let single = coverage.at(Kind::Workspace, id).next();
    let (reason, detail) = match single.and_then(|asked| asked.gap.clone()) {
        Some(gap) => gap,
        None => (Reason::NotAsked, "no list of workspaces that was read holds it".to_owned()),
    };
    Missing {
        kind: Kind::Workspace,
        scope: id.shown().to_owned(),
        reason,
        detail,
        from: single.map(|asked| asked.from.clone()),
    }
}

/// How long `table` of a workspace keeps rows. Where the table says nothing (absent or -1), the workspace decides.
pub(super) fn retention(facts: &Facts<'_>, workspace_id: &Id, table: &str) -> Result<Retention, Open> {
    if let Some(missing) = facts.missing(&[own(Kind::Tables)], workspace_id) {
        return Err(as_open(&missing));
    }
    let Some(kept) = facts.tenant.kept(workspace_id, table) else {
        let mut asked = facts.tenant.coverage.at(Kind::Tables, workspace_id);
        return Err(Open {
            reason: Reason::TableMissing,
            detail: format!(
                "workspace `{}` has no table `{table}`; it appears with its first row",
                workspace_id.name()
            ),
            from: asked.next().map(|asked| asked.from.clone()),
        });
    };
    let from = kept.table.from.clone();
    match (kept.interactive, kept.total) {
        (Some(interactive), Some(total)) => Ok(Retention { interactive, total, from }),
        _ => Err(Open {
            reason: Reason::ValueUnknown,
            detail: format!(
                "neither table `{table}` nor workspace `{}` says how long rows are kept",
                workspace_id.name()
            ),
            from: Some(from),
        }),
    }
}

/// What was not read, as a reason that leaves a finding open.
pub(super) fn as_open(missing: &Missing) -> Open {
    Open { reason: missing.reason, detail: missing_words(missing), from: missing.from.clone() }
}

#[cfg(test)]
pub(super) mod testing {
    //! A vault `kv` that logs to the workspace `law`, and rows of its log.

    use serde_json::{Value, json};

    use crate::check::testing::{
        SUB, arm_id, base, list, patched, service_principal_json, vault_id, vault_json, with_principals,
    };
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Over};

    /// Scope of the questions about the log.
    pub const WORKSPACE: &str = "workspace:33333333-3333-3333-3333-333333333333";
    const ROW: &[&str] = &[
        "TimeGenerated",
        "OperationName",
        "HttpStatusCode",
        "ResultDescription",
        "CallerIpAddress",
        "CallerObjectId",
        "CallerAppId",
        "ManagedIdentityId",
        "IsRbacAuthorized",
        "ClientInfo",
        "RequestUri",
        "CorrelationId",
        "AppliedAssignmentId",
        "_ResourceId",
    ];

    /// ARM id of the workspace.
    pub fn workspace_id() -> String {
        arm_id("Microsoft.OperationalInsights/workspaces", "law")
    }

    /// A setting that sends the audit group to the workspace's own table.
    pub fn setting_json(patch: &Value) -> Value {
        let setting = json!({"id": format!("{}/providers/microsoft.insights/diagnosticSettings/audit", vault_id("kv")),
            "name": "audit", "properties": {"workspaceId": workspace_id(), "logAnalyticsDestinationType": "Dedicated",
            "logs": [{"categoryGroup": "audit", "enabled": true}]}});
        patched(setting, patch)
    }

    /// Adds the vault `kv` with these settings.
    pub fn with_vault(builder: CaptureBuilder, settings: impl IntoIterator<Item = Value>) -> CaptureBuilder {
        builder.replace(Kind::Vaults, SUB, list([vault_json("kv", &json!({}))])).answer(
            Kind::DiagnosticSettings,
            &vault_id("kv"),
            list(settings),
        )
    }

    /// A table of the workspace.
    pub fn table_json(name: &str, retention: Option<i64>, total: Option<i64>) -> Value {
        json!({"name": name, "properties": {"plan": "Analytics", "retentionInDays": retention, "totalRetentionInDays": total}})
    }

    /// Adds the workspace with a year of retention.
    pub fn with_workspace(builder: CaptureBuilder) -> CaptureBuilder {
        let workspace = json!({"id": workspace_id(), "name": "law",
            "properties": {"customerId": WORKSPACE.trim_start_matches("workspace:"), "retentionInDays": 365}});
        builder.replace(Kind::Workspaces, SUB, list([workspace])).answer(
            Kind::Tables,
            &workspace_id(),
            list([table_json("AZKVAuditLogs", Some(365), Some(365))]),
        )
    }

    /// The vault, its setting and its workspace, with these rows and counts.
    pub fn logged(builder: CaptureBuilder, rows: &[Value], counts: &[Value]) -> CaptureBuilder {
        with_log(with_workspace(with_vault(builder, [setting_json(&json!({}))])), rows, counts)
    }

    /// Adds the answers about the log: nothing in the shared table, these rows and counts in the vault's own.
    pub fn with_log(builder: CaptureBuilder, rows: &[Value], counts: &[Value]) -> CaptureBuilder {
        let further =
            Kind::ALL.iter().filter(|kind| kind.over().iter().any(|over| matches!(over, Over::Log | Over::LogCount)));
        let further = further
            .filter(|kind| !matches!(kind.counts().unwrap_or(**kind), Kind::VaultLogDedicated | Kind::VaultLogLegacy));
        let builder = further.fold(builder, |builder, kind| builder.answer(*kind, WORKSPACE, table(COUNT, &[])));
        let builder = builder.answer(Kind::LogContinuity, &format!("{WORKSPACE}/AZKVAuditLogs"), table(COUNT, &[]));
        builder
            .answer(Kind::VaultLogDedicated, WORKSPACE, table(ROW, rows))
            .answer(Kind::VaultLogLegacy, WORKSPACE, table(ROW, &[]))
            .answer(Kind::VaultLogDedicatedCount, WORKSPACE, table(COUNT, counts))
            .answer(Kind::VaultLogLegacyCount, WORKSPACE, table(COUNT, &[]))
    }

    const COUNT: &[&str] = &["Day", "OperationName", "VaultId", "Rows", "Kept", "First", "Last"];

    fn table(names: &[&str], rows: &[Value]) -> Value {
        let columns: Vec<Value> = names.iter().map(|name| json!({"name": name, "type": "string"})).collect();
        let cells = |row: &Value| -> Value { names.iter().map(|name| row[*name].clone()).collect() };
        json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows.iter().map(cells).collect::<Vec<_>>()}]})
    }

    /// One row of the log of `kv`.
    pub fn row(at: &str, operation: &str, status: u16, caller: Option<&str>) -> Value {
        json!({"TimeGenerated": at, "OperationName": operation, "HttpStatusCode": status, "CallerObjectId": caller,
            "CallerIpAddress": "203.0.113.0", "ClientInfo": "azsdk-python", "CorrelationId": at,
            "RequestUri": "https://kv.vault.azure.net/secrets/db", "_ResourceId": vault_id("kv").to_lowercase()})
    }

    /// `rows` reads of `kv` on one day, the first at midnight and the last at 23:00, `kept` of them asked for.
    pub fn count(day: &str, rows: u64, kept: u64) -> Value {
        json!({"Day": format!("{day}T00:00:00Z"), "OperationName": "SecretGet", "VaultId": vault_id("kv").to_lowercase(),
            "Rows": rows, "Kept": kept, "First": format!("{day}T00:00:00Z"), "Last": format!("{day}T23:00:00Z")})
    }

    /// A vault that logs every day of the quarter, read once by a workload that the directory knows.
    pub fn steady() -> CaptureBuilder {
        const APP: &str = "aaaaaaaa-0000-0000-0000-000000000001";
        let days = (7..=9).flat_map(|month| (1..=31).map(move |day| format!("2026-{month:02}-{day:02}")));
        let days = days.filter(|day| day != "2026-09-31");
        let counts: Vec<Value> = days.map(|day| count(&day, 30, u64::from(day == "2026-07-01"))).collect();
        let builder = logged(base(), &[row("2026-07-01T08:00:00Z", "SecretGet", 200, Some(APP))], &counts);
        with_principals(builder, &[APP], [service_principal_json(APP, "app")])
    }
}
