//! Whether a log that the directory or the platform exports shows a stretch of time whole.
//!
//! An empty log says nothing by itself. It counts as whole when a setting sends it to a workspace, every question about
//! it was answered, and no stretch was silent in all the tables that the same source fills there: other rows of those
//! days show that the export was on.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};

use super::logs::{as_open, unread_workspace};
use super::{Facts, own, whole};
use crate::access::Open;
use crate::evidence::{Cite, Kind, Period, Reason};
use crate::model::{DiagnosticSetting, Id, LogState, LogTable};

/// A log, and where its rows are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    /// The category by which a diagnostic setting sends it.
    pub category: &'static str,
    /// The table that holds it.
    pub table: &'static str,
    /// Tables that the same source fills, itself among them.
    alongside: &'static [&'static str],
    /// The question for its rows, and the one that counts them.
    questions: [Kind; 2],
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
pub(super) const AUDIT: Source = Source {
    category: "AuditLogs",
    table: "AuditLogs",
    alongside: DIRECTORY,
    questions: [Kind::DirectoryChanges, Kind::DirectoryChangesCount],
};
/// Sign-ins of service principals.
pub(super) const SERVICE_PRINCIPALS: Source = Source {
    category: "ServicePrincipalSignInLogs",
    table: "AADServicePrincipalSignInLogs",
    alongside: DIRECTORY,
    questions: [Kind::ServicePrincipalSignIns, Kind::ServicePrincipalSignInsCount],
};
/// Sign-ins of managed identities.
pub(super) const MANAGED_IDENTITIES: Source = Source {
    category: "ManagedIdentitySignInLogs",
    table: "AADManagedIdentitySignInLogs",
    alongside: DIRECTORY,
    questions: [Kind::ManagedIdentitySignIns, Kind::ManagedIdentitySignInsCount],
};
/// Changes of resources in a subscription.
const ACTIVITY: Source = Source {
    category: "Administrative",
    table: "AzureActivity",
    alongside: &["AzureActivity"],
    questions: [Kind::Activity, Kind::ActivityCount],
};

/// The records by which a log of the directory shows `part` whole, or why it does not.
pub(super) fn directory_shows(facts: &Facts<'_>, source: &Source, part: &Period) -> Result<Vec<Cite>, Open> {
    let tenant = facts.tenant;
    if let Some(missing) = facts.missing(&[whole(Kind::DirectoryExports)], &Id::new("tenant")) {
        return Err(as_open(&missing));
    }
    let settings: Vec<&DiagnosticSetting> = tenant.logging.directory_exports.iter().collect();
    let from = facts.records_of(Kind::DirectoryExports).into_iter().next();
    workspaces_show(facts, source, part, &settings, "the directory", from)
}

/// The records by which the activity log shows the changes of identities in a subscription over `part`: the platform's
/// own log, which keeps 90 days, or its export.
pub(super) fn activity_shows(facts: &Facts<'_>, subscription: &Id, part: &Period) -> Result<Vec<Cite>, Open> {
    let Some(missing) = facts.missing(&[own(Kind::ActivityOfIdentities)], subscription) else {
        return Ok(facts.records_about(Kind::ActivityOfIdentities, subscription));
    };
    if facts.missing(&[own(Kind::SubscriptionExports)], subscription).is_some() {
        return Err(as_open(&missing));
    }
    let above = facts.tenant.hierarchy.above(subscription);
    let logging = &facts.tenant.logging;
    let own = logging.subscription_exports.iter().filter(|setting| setting.resource == *subscription);
    let of_groups = logging.group_exports.iter().filter(|setting| above.contains(&setting.resource));
    let settings: Vec<&DiagnosticSetting> = own.chain(of_groups).collect();
    // where no export reaches further, the platform's own log says why it does not
    let shown = workspaces_show(facts, &ACTIVITY, part, &settings, "the subscription", missing.from.clone());
    shown.map_err(|_| as_open(&missing))
}

fn workspaces_show(
    facts: &Facts<'_>,
    source: &Source,
    part: &Period,
    settings: &[&DiagnosticSetting],
    whose: &str,
    from: Option<Cite>,
) -> Result<Vec<Cite>, Open> {
    let mut first: Option<Open> = None;
    for setting in settings.iter().filter(|setting| setting.sends(source.category)) {
        let Some(workspace) = &setting.workspace_id else { continue };
        match workspace_shows(facts, source, part, setting, workspace) {
            Ok(evidence) => return Ok(evidence),
            Err(open) => first = first.or(Some(open)),
        }
    }
    Err(first.unwrap_or_else(|| Open {
        reason: Reason::NotFound,
        detail: format!(
            "no diagnostic setting of {whose} sends `{}` to a workspace, so there is no log to read",
            source.category
        ),
        from,
    }))
}

fn workspace_shows(
    facts: &Facts<'_>,
    source: &Source,
    part: &Period,
    setting: &DiagnosticSetting,
    workspace: &Id,
) -> Result<Vec<Cite>, Open> {
    let found = facts.tenant.workspaces.iter().find(|one| one.id == *workspace);
    let Some(guid) = found.and_then(|one| one.customer_id.as_deref()) else {
        return Err(as_open(&unread_workspace(facts, workspace)));
    };
    let scope = format!("workspace:{guid}");
    let mut evidence = vec![setting.from.clone()];
    for kind in source.questions {
        if let Some(missing) = facts.missing(&[whole(kind)], &Id::new(scope.clone())) {
            return Err(as_open(&missing));
        }
        let asked = facts.tenant.coverage.questions(kind).filter(|asked| asked.scope.eq_ignore_ascii_case(&scope));
        evidence.extend(asked.map(|asked| asked.from.clone()));
    }
    let tables: Vec<&LogTable> = facts.tenant.logs.tables.iter().filter(|table| table.workspace == guid).collect();
    let open = |reason, detail: String, from: &Cite| Open { reason, detail, from: Some(from.clone()) };
    let name = source.table;
    let Some(own) = tables.iter().find(|table| table.table == name) else {
        return Err(open(Reason::NotAsked, format!("rows per day of `{name}` were not asked for"), &setting.from));
    };
    match own.state {
        LogState::Rows | LogState::Empty => {}
        LogState::Missing => return Err(open(Reason::TableMissing, format!("`{name}` does not exist yet"), &own.from)),
        LogState::Unread(reason) => {
            return Err(open(reason, format!("rows per day of `{name}` were not read"), &own.from));
        }
    }
    evidence.push(own.from.clone());
    let heard: Vec<&LogTable> =
        tables.iter().copied().filter(|table| source.alongside.contains(&table.table.as_str())).collect();
    if let Some((from, to)) = silence(facts, &heard, part) {
        let day = |at: DateTime<Utc>| at.format("%Y-%m-%d").to_string();
        let detail = format!(
            "no row of {} from {} to {}, so whether it was exported then is not known",
            heard.iter().map(|table| format!("`{}`", table.table)).collect::<Vec<String>>().join(", "),
            day(from),
            day(to)
        );
        return Err(open(Reason::RetentionTooShort, detail, &own.from));
    }
    Ok(evidence)
}

/// The first run of whole days in `part` on which none of the tables has a row, of `gap_hours` or longer: its first
/// and its last day.
fn silence(facts: &Facts<'_>, tables: &[&LogTable], part: &Period) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let longest = TimeDelta::try_hours(facts.parameters.gap_hours.max(1)).unwrap_or(TimeDelta::MAX);
    let mut run: Option<(DateTime<Utc>, DateTime<Utc>)> = None;
    let mut day = part.start.with_time(NaiveTime::MIN).single()?;
    while let Some(next) = day.checked_add_days(Days::new(1)) {
        // a day that is not over may still be heard of
        if next > part.end {
            break;
        }
        let is_heard = tables.iter().any(|table| table.days.iter().any(|with| with.day == day && with.rows > 0));
        run = if is_heard { None } else { Some((run.map_or(day, |(first, _)| first), day)) };
        if let Some((first, last)) = run
            && next - first >= longest
        {
            return Some((first, last));
        }
        day = next;
    }
    None
}

#[cfg(test)]
pub(super) mod testing {
    //! The directory's logs in the workspace `law`.

    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::super::logs::testing::{WORKSPACE, workspace_id};
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
        let mut builder = builder
            .replace(Kind::Workspaces, SUB, list([workspace]))
            .replace(Kind::DirectoryExports, "tenant", list([setting]))
            .answer(Kind::Tables, &workspace_id(), list([]));
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
                "SigninLogs" => held.heard.iter().map(|day| (day.clone(), 1)).collect(),
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
    use super::super::logs::testing::WORKSPACE;
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
        assert_eq!(shows(without(&[])), Ok(4), "setting, rows, counts, rows per day");
    }

    #[test]
    fn days_on_which_nothing_was_heard_leave_it_open() {
        let (reason, detail) = shows(without(&["2026-08-03"])).expect_err("a silent day");
        assert_eq!(reason, Reason::RetentionTooShort);
        assert!(detail.contains("from 2026-08-03 to 2026-08-03"), "{detail}");
        let all = quarter();
        let (_, detail) = shows(without(&all.iter().map(String::as_str).collect::<Vec<_>>())).expect_err("silence");
        assert!(detail.contains("from 2026-07-01"), "{detail}");
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
