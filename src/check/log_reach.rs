//! Whether a log that the directory or a subscription exports shows a part of the period whole.
//!
//! It does when a setting sends it to a workspace, every question about it was answered whole, its table keeps rows from
//! before the part, and no day of the part is silent: a day without any row may be a quiet one or one that did not
//! arrive. Where few rows are usual (nobody signs in as a service principal), rows that the same source sent to other
//! tables of the workspace show that the export was on.

use chrono::{DateTime, Days, NaiveTime, Utc};

use super::logs::{as_open, unread_workspace};
use super::{Facts, own, whole};
use crate::access::Open;
use crate::evidence::{Cite, Kind, Period, Reason};
use crate::model::{DiagnosticSetting, Id, LogState, LogTable};

/// A log that can be exported to a workspace.
#[derive(Debug)]
pub(super) struct Log {
    /// The category by which a diagnostic setting sends it.
    category: &'static str,
    /// The table that holds it.
    table: &'static str,
    /// The questions for its rows, and those that count them.
    questions: &'static [Kind],
    /// Whose rows show that it was exported on a day.
    heard: Heard,
}

/// Whose rows show that a log was exported on a day.
#[derive(Clone, Copy, Debug)]
enum Heard {
    /// Those of any of these tables, which the same source fills.
    In(&'static [&'static str]),
    /// Those of the subscription in the table, which others fill too.
    OfSubscription,
}

/// Tables that the directory fills.
const DIRECTORY: &[&str] = &[
    "AuditLogs",
    "SigninLogs",
    "AADNonInteractiveUserSignInLogs",
    "AADServicePrincipalSignInLogs",
    "AADManagedIdentitySignInLogs",
];

/// Changes in the directory.
pub(super) const AUDIT: Log = Log {
    category: "AuditLogs",
    table: "AuditLogs",
    questions: &[Kind::DirectoryChanges, Kind::DirectoryChangesCount],
    heard: Heard::In(&["AuditLogs"]),
};
/// Sign-ins of service principals.
pub(super) const SERVICE_PRINCIPALS: Log = Log {
    category: "ServicePrincipalSignInLogs",
    table: "AADServicePrincipalSignInLogs",
    questions: &[Kind::ServicePrincipalSignIns, Kind::ServicePrincipalSignInsCount],
    heard: Heard::In(DIRECTORY),
};
/// Sign-ins of managed identities.
pub(super) const MANAGED_IDENTITIES: Log = Log {
    category: "ManagedIdentitySignInLogs",
    table: "AADManagedIdentitySignInLogs",
    questions: &[Kind::ManagedIdentitySignIns, Kind::ManagedIdentitySignInsCount],
    heard: Heard::In(DIRECTORY),
};
/// Changes of resources in a subscription.
const ACTIVITY: Log = Log {
    category: "Administrative",
    table: "AzureActivity",
    questions: &[Kind::Activity, Kind::ActivityCount, Kind::ActivityContinuity],
    heard: Heard::OfSubscription,
};

/// The records by which a log of the directory shows `part` whole, or why it does not.
pub(super) fn directory_shows(facts: &Facts<'_>, log: &Log, part: &Period) -> Result<Vec<Cite>, Open> {
    if let Some(missing) = facts.missing(&[whole(Kind::DirectoryExports)], &Id::new("tenant")) {
        return Err(as_open(&missing));
    }
    let settings: Vec<&DiagnosticSetting> = facts.tenant.logging.directory_exports.iter().collect();
    let from = facts.records_of(Kind::DirectoryExports).into_iter().next();
    let of = Exports { log, settings, owner: Id::new("tenant"), whose: "the directory", from };
    of.show(facts, part)
}

/// The records by which the exported activity log of a subscription shows `part` whole, or why it does not. Settings of
/// the management groups above send it too.
pub(super) fn activity_shows(facts: &Facts<'_>, subscription: &Id, part: &Period) -> Result<Vec<Cite>, Open> {
    if let Some(missing) = facts.missing(&[own(Kind::SubscriptionExports)], subscription) {
        return Err(as_open(&missing));
    }
    let above = facts.tenant.hierarchy.above(subscription);
    let logging = &facts.tenant.logging;
    let own = logging.subscription_exports.iter().filter(|setting| setting.resource == *subscription);
    let of_groups = logging.group_exports.iter().filter(|setting| above.contains(&setting.resource));
    let settings: Vec<&DiagnosticSetting> = own.chain(of_groups).collect();
    let from = facts.records_about(Kind::SubscriptionExports, subscription).into_iter().next();
    let of = Exports { log: &ACTIVITY, settings, owner: subscription.clone(), whose: "the subscription", from };
    of.show(facts, part)
}

/// The settings that may send a log of one owner.
struct Exports<'a> {
    log: &'a Log,
    settings: Vec<&'a DiagnosticSetting>,
    owner: Id,
    whose: &'static str,
    /// The list of settings.
    from: Option<Cite>,
}

impl Exports<'_> {
    /// The first workspace that holds the part whole; else why the first one does not.
    fn show(&self, facts: &Facts<'_>, part: &Period) -> Result<Vec<Cite>, Open> {
        let mut first: Option<Open> = None;
        for setting in self.settings.iter().filter(|setting| setting.sends(self.log.category)) {
            let Some(workspace) = &setting.workspace_id else { continue };
            match self.held(facts, setting, workspace, part) {
                Ok(evidence) => return Ok(evidence),
                Err(open) => first = first.or(Some(open)),
            }
        }
        Err(first.unwrap_or_else(|| {
            let (whose, category) = (self.whose, self.log.category);
            let detail = format!(
                "no diagnostic setting of {whose} sends `{category}` to a workspace, so there is no log to read"
            );
            Open { reason: Reason::NotFound, detail, from: self.from.clone() }
        }))
    }

    fn held(
        &self,
        facts: &Facts<'_>,
        setting: &DiagnosticSetting,
        workspace: &Id,
        part: &Period,
    ) -> Result<Vec<Cite>, Open> {
        let found = facts.tenant.workspaces.iter().find(|one| one.id == *workspace);
        let Some(guid) = found.and_then(|one| one.customer_id.as_deref()) else {
            return Err(as_open(&unread_workspace(facts, workspace)));
        };
        let scope = format!("workspace:{guid}");
        let mut evidence = vec![setting.from.clone()];
        for kind in self.log.questions {
            if let Some(missing) = facts.missing(&[whole(*kind)], &Id::new(scope.clone())) {
                return Err(as_open(&missing));
            }
            let asked = facts.tenant.coverage.questions(*kind).filter(|asked| asked.scope.eq_ignore_ascii_case(&scope));
            evidence.extend(asked.map(|asked| asked.from.clone()));
        }
        evidence.push(self.kept(facts, workspace, part, &setting.from)?);
        let (heard, records) = self.heard(facts, guid, &setting.from)?;
        let mut days = days_of(facts, part);
        if let Some(silent) = days.find(|day| !heard.contains(day)) {
            let (table, place, day) = (self.log.table, workspace.name(), silent.format("%Y-%m-%d"));
            let beside =
                if matches!(self.log.heard, Heard::In([_, _, ..])) { ", nor has a table beside it" } else { "" };
            let detail = format!(
                "`{table}` in workspace `{place}` has no row of {day}{beside}, so whether it was exported then is not known"
            );
            return Err(Open { reason: Reason::RetentionTooShort, detail, from: records.first().cloned() });
        }
        evidence.extend(records);
        Ok(evidence)
    }

    /// The record that shows that the table keeps rows from before the part.
    fn kept(&self, facts: &Facts<'_>, workspace: &Id, part: &Period, setting: &Cite) -> Result<Cite, Open> {
        if let Some(missing) = facts.missing(&[own(Kind::Tables)], workspace) {
            return Err(as_open(&missing));
        }
        let (table, place) = (self.log.table, workspace.name());
        let open = |reason, detail, from: &Cite| Open { reason, detail, from: Some(from.clone()) };
        let Some(kept) = facts.tenant.kept(workspace, table) else {
            let detail = format!("the tables of workspace `{place}` do not list `{table}`");
            return Err(open(Reason::TableMissing, detail, setting));
        };
        let Some(days) = kept.interactive else {
            let detail = format!("how long workspace `{place}` keeps `{table}` is not told");
            return Err(open(Reason::ValueUnknown, detail, &kept.table.from));
        };
        let oldest = Days::new(u64::try_from(days).unwrap_or(0));
        let oldest = facts.tenant.collected_at.checked_sub_days(oldest).unwrap_or(DateTime::<Utc>::MIN_UTC);
        if oldest > part.start {
            let detail = format!("workspace `{place}` keeps `{table}` for {days} days, which is too short");
            return Err(open(Reason::RetentionTooShort, detail, &kept.table.from));
        }
        Ok(kept.table.from.clone())
    }

    /// Days on which something was exported, and the records that tell them.
    fn heard(&self, facts: &Facts<'_>, guid: &str, setting: &Cite) -> Result<(Vec<DateTime<Utc>>, Vec<Cite>), Open> {
        let logs = &facts.tenant.logs;
        let Heard::In(alongside) = self.log.heard else {
            let own = logs.subscription_days.iter();
            let own = own.filter(|one| one.rows > 0 && one.workspace == guid && one.subscription == self.owner);
            return Ok((own.map(|one| one.day).collect(), Vec::new()));
        };
        let tables: Vec<&LogTable> = logs.tables.iter().filter(|table| table.workspace == guid).collect();
        let name = self.log.table;
        let open = |reason, detail: String, from: &Cite| Open { reason, detail, from: Some(from.clone()) };
        let Some(own) = tables.iter().find(|table| table.table == name) else {
            return Err(open(Reason::NotAsked, format!("rows per day of `{name}` were not asked for"), setting));
        };
        match own.state {
            LogState::Rows | LogState::Empty => {}
            LogState::Missing => {
                return Err(open(Reason::TableMissing, format!("`{name}` does not exist yet"), &own.from));
            }
            LogState::Unread(reason) => {
                return Err(open(reason, format!("rows per day of `{name}` were not read"), &own.from));
            }
        }
        let beside = tables.iter().filter(|table| alongside.contains(&table.table.as_str()));
        let days = beside.flat_map(|table| &table.days).filter(|day| day.rows > 0);
        Ok((days.map(|day| day.day).collect(), vec![own.from.clone()]))
    }
}

/// First instants of the days that a part of the period touches, but for a day that was not over at the collection.
fn days_of(facts: &Facts<'_>, part: &Period) -> impl Iterator<Item = DateTime<Utc>> {
    let first = part.start.with_time(NaiveTime::MIN).single().unwrap_or(part.start);
    let (end, now) = (part.end, facts.tenant.collected_at);
    let is_over = move |day: &DateTime<Utc>| day.checked_add_days(Days::new(1)).is_some_and(|next| next <= now);
    std::iter::successors(Some(first), |day| day.checked_add_days(Days::new(1)))
        .take_while(move |day| *day < end && is_over(day))
}

#[cfg(test)]
pub(super) mod testing {
    //! The directory's logs in the workspace `law`.

    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::super::logs::testing::{WORKSPACE, table_json, workspace_id};
    use super::super::testing::{SUB, list};
    use super::DIRECTORY;
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Over};

    /// Days of the third quarter.
    pub fn quarter() -> Vec<String> {
        let days = (7..=9).flat_map(|month| (1..=31).map(move |day| format!("2026-{month:02}-{day:02}")));
        days.filter(|day| day != "2026-09-31").collect()
    }

    /// A table of a log with these rows; a member that a row lacks is null.
    pub fn table(names: &[&str], rows: &[Value]) -> Value {
        let columns: Vec<Value> = names.iter().map(|name| json!({"name": name, "type": "string"})).collect();
        let cells = |row: &Value| -> Value { names.iter().map(|name| row[*name].clone()).collect() };
        json!({"tables": [{"name": "PrimaryResult", "columns": columns,
            "rows": rows.iter().map(cells).collect::<Vec<_>>()}]})
    }

    /// One sign-in of a service principal or managed identity on a day, with this sort of credential.
    pub fn sign_in(day: &str, principal: &str, credential: &str) -> Value {
        json!({"Day": format!("{day}T00:00:00Z"), "ServicePrincipalId": principal, "AppId": principal, "ResultType": "0",
            "ResourceId": "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "CredentialType": credential, "Rows": 1, "SignIns": 1,
            "First": format!("{day}T08:00:00Z"), "Last": format!("{day}T08:00:00Z")})
    }

    const SIGN_IN: &[&str] = &[
        "Day",
        "ServicePrincipalId",
        "AppId",
        "ResourceId",
        "ResultType",
        "CredentialType",
        "CredentialKeyId",
        "Rows",
        "SignIns",
        "First",
        "Last",
    ];
    const CHANGE: &[&str] =
        &["TimeGenerated", "OperationName", "Result", "InitiatorId", "CorrelationId", "TargetResources"];
    const PER_DAY: &[&str] = &["Day", "Rows", "First", "Last", "DelayMax", "DelayP95"];

    /// What the logs of the directory hold.
    #[derive(Clone, Debug)]
    pub struct Held {
        /// Days on which somebody signed in, so that the export is seen to be on.
        pub heard: Vec<String>,
        /// Sign-ins of service principals.
        pub service_principals: Vec<Value>,
        /// Sign-ins of managed identities.
        pub managed_identities: Vec<Value>,
        /// Changes.
        pub changes: Vec<Value>,
    }

    impl Default for Held {
        fn default() -> Held {
            Held { heard: quarter(), service_principals: vec![], managed_identities: vec![], changes: vec![] }
        }
    }

    /// Adds the workspace, the setting that sends every log of the directory to it, and what it holds.
    pub fn exported(builder: CaptureBuilder, held: &Held) -> CaptureBuilder {
        let categories = ["AuditLogs", "SignInLogs", "ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs"];
        let logs: Vec<Value> = categories.iter().map(|name| json!({"category": name, "enabled": true})).collect();
        let setting =
            json!({"id": "entra", "name": "entra", "properties": {"workspaceId": workspace_id(), "logs": logs}});
        let workspace = json!({"id": workspace_id(), "name": "law",
            "properties": {"customerId": WORKSPACE.trim_start_matches("workspace:"), "retentionInDays": 365}});
        let kept: Vec<Value> = DIRECTORY.iter().map(|name| table_json(name, Some(365), Some(365))).collect();
        let mut builder = builder
            .replace(Kind::Workspaces, SUB, list([workspace]))
            .replace(Kind::DirectoryExports, "tenant", list([setting]))
            .answer(Kind::Tables, &workspace_id(), list(kept));
        let of_log = |kind: &&Kind| kind.over().iter().any(|over| matches!(over, Over::Log | Over::LogCount));
        for kind in Kind::ALL.iter().filter(of_log) {
            let body = match kind {
                Kind::ServicePrincipalSignIns => table(SIGN_IN, &held.service_principals),
                Kind::ManagedIdentitySignIns => table(SIGN_IN, &held.managed_identities),
                Kind::DirectoryChanges => table(CHANGE, &held.changes),
                _ => table(&["Day"], &[]),
            };
            builder = builder.answer(*kind, WORKSPACE, body);
        }
        for name in DIRECTORY {
            let rows = match *name {
                "SigninLogs" | "AuditLogs" => held.heard.iter().map(|day| (day.clone(), 1)).collect(),
                "AADServicePrincipalSignInLogs" => by_day(&held.service_principals),
                "AADManagedIdentitySignInLogs" => by_day(&held.managed_identities),
                _ => BTreeMap::new(),
            };
            let rows: Vec<Value> = rows
                .iter()
                .map(|(day, rows)| json!({"Day": format!("{day}T00:00:00Z"), "Rows": rows, "DelayMax": 60}))
                .collect();
            builder = builder.answer(Kind::LogContinuity, &format!("{WORKSPACE}/{name}"), table(PER_DAY, &rows));
        }
        builder
    }

    fn by_day(sign_ins: &[Value]) -> BTreeMap<String, u64> {
        let mut days = BTreeMap::new();
        for one in sign_ins {
            let day = one["Day"].as_str().expect("a day").trim_end_matches("T00:00:00Z").to_owned();
            *days.entry(day).or_default() += 1;
        }
        days
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Parameters;
    use super::super::logs::testing::{WORKSPACE, table_json, workspace_id};
    use super::super::testing::{SUB, base, list};
    use super::testing::{Held, exported, quarter};
    use super::*;
    use crate::access::Access;
    use crate::declared::Declared;
    use crate::evidence::testing::CaptureBuilder;
    use crate::model;

    fn shows(builder: CaptureBuilder) -> Result<usize, (Reason, String)> {
        let tenant = model::read(&builder.build()).expect("a tenant");
        let (access, parameters, declared) = (Access::of(&tenant), Parameters::default(), Declared::default());
        let period = Period::parse("2026Q3").expect("a period");
        let facts = Facts {
            tenant: &tenant,
            access: &access,
            period,
            parameters: &parameters,
            declared: &declared,
            ledger: &[],
        };
        let shown = directory_shows(&facts, &SERVICE_PRINCIPALS, &period);
        shown.map(|evidence| evidence.len()).map_err(|open| (open.reason, open.detail))
    }

    fn without(days: &[&str]) -> CaptureBuilder {
        let heard = quarter().into_iter().filter(|day| !days.contains(&day.as_str())).collect();
        exported(base(), &Held { heard, ..Held::default() })
    }

    #[test]
    fn an_empty_table_beside_one_with_rows_of_every_day_is_whole() {
        assert_eq!(shows(without(&[])), Ok(5), "setting, rows, counts, how long they are kept, rows per day");
    }

    #[test]
    fn days_on_which_nothing_was_heard_leave_it_open() {
        let (reason, detail) = shows(without(&["2026-08-03"])).expect_err("a silent day");
        assert_eq!(reason, Reason::RetentionTooShort);
        assert!(detail.contains("has no row of 2026-08-03, nor has a table beside it"), "{detail}");
        let all = quarter();
        let (_, detail) = shows(without(&all.iter().map(String::as_str).collect::<Vec<_>>())).expect_err("silence");
        assert!(detail.contains("no row of 2026-07-01"), "{detail}");
    }

    #[test]
    fn a_table_that_keeps_less_than_its_neighbours_is_not_vouched_for_by_them() {
        let tables = ["AuditLogs", "SigninLogs"].map(|name| table_json(name, Some(365), Some(365)));
        let short = table_json("AADServicePrincipalSignInLogs", Some(30), Some(30));
        let kept = list(tables.into_iter().chain([short]));
        let (reason, detail) =
            shows(without(&[]).replace(Kind::Tables, &workspace_id(), kept)).expect_err("it keeps a month");
        assert_eq!(reason, Reason::RetentionTooShort);
        assert!(detail.ends_with("keeps `AADServicePrincipalSignInLogs` for 30 days, which is too short"), "{detail}");
        let unread = without(&[]).denied(Kind::Tables, &workspace_id());
        assert_eq!(shows(unread).map_err(|open| open.0), Err(Reason::Forbidden));
    }

    #[test]
    fn what_no_setting_sends_or_nobody_could_read_is_not_whole() {
        let nowhere = without(&[]).replace(Kind::DirectoryExports, "tenant", list([]));
        assert_eq!(shows(nowhere).map_err(|open| open.0), Err(Reason::NotFound));
        let storage = json!({"id": "s", "name": "s", "properties": {"storageAccountId": "/x",
            "logs": [{"category": "ServicePrincipalSignInLogs", "enabled": true}]}});
        let stored = without(&[]).replace(Kind::DirectoryExports, "tenant", list([storage]));
        assert_eq!(shows(stored).map_err(|open| open.0), Err(Reason::NotFound));
        for (kind, scope) in [
            (Kind::DirectoryExports, "tenant".to_owned()),
            (Kind::ServicePrincipalSignIns, WORKSPACE.to_owned()),
            (Kind::ServicePrincipalSignInsCount, WORKSPACE.to_owned()),
            (Kind::LogContinuity, format!("{WORKSPACE}/AADServicePrincipalSignInLogs")),
        ] {
            assert_eq!(
                shows(without(&[]).denied(kind, &scope)).map_err(|open| open.0),
                Err(Reason::Forbidden),
                "{kind:?}"
            );
        }
        let gone = without(&[]).replace(Kind::Workspaces, SUB, list([]));
        assert_eq!(shows(gone).map_err(|open| open.0), Err(Reason::NotAsked));
    }
}
