//! What is read of the logs beside the vaults' reads, row by row.

use serde_json::{Value, json};

use super::*;
use crate::evidence::Period;
use crate::evidence::testing::CaptureBuilder;
use crate::model::{self, Tenant};

#[expect(clippy::needless_pass_by_value, reason = "calls read better")]
fn table(columns: &[&str], rows: Value) -> Value {
    let columns: Vec<Value> = columns.iter().map(|name| json!({"name": name, "type": "string"})).collect();
    json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})
}

fn tenant(builder: CaptureBuilder) -> Tenant {
    model::read(&builder.build()).expect("a tenant")
}

fn gaps(tenant: &Tenant, kind: Kind) -> Vec<Reason> {
    tenant.coverage.questions(kind).filter_map(|asked| Some(asked.gap.as_ref()?.0)).collect()
}

const DAYS: &[&str] = &["Day", "Rows", "First", "Last", "DelayMax", "DelayP95"];

#[test]
fn a_table_that_is_missing_is_told_from_an_empty_one_and_from_one_that_was_not_read() {
    let found = tenant(
        CaptureBuilder::default()
            .answer(
                Kind::LogContinuity,
                "workspace:W/AuditLogs",
                table(
                    DAYS,
                    json!([
                        ["2026-07-03T00:00:00Z", "2", "2026-07-03T01:00:00Z", "2026-07-03T02:00:00Z", 7.0, null],
                        ["2026-07-01T00:00:00Z", 40, "2026-07-01T05:00:00Z", "2026-07-01T06:00:00Z", -3, 1],
                    ]),
                ),
            )
            .answer(Kind::LogContinuity, "workspace:W/AzureActivity", table(DAYS, json!([])))
            .gap(Kind::LogContinuity, "workspace:W/SigninLogs", Reason::TableMissing)
            .gap(Kind::LogContinuity, "workspace:W/AZKVAuditLogs", Reason::NotAsked),
    );
    let said: Vec<(&str, LogState)> = found.logs.tables.iter().map(|one| (one.table.as_str(), one.state)).collect();
    assert_eq!(
        said,
        [
            ("AZKVAuditLogs", LogState::Unread(Reason::NotAsked)),
            ("AuditLogs", LogState::Rows),
            ("AzureActivity", LogState::Empty),
            ("SigninLogs", LogState::Missing),
        ]
    );
    let audit = &found.logs.tables[1];
    assert_eq!((audit.workspace.as_str(), audit.rows(), audit.longest_delay()), ("w", 42, Some(7)));
    assert_eq!(audit.first().map(|at| at.to_rfc3339()), Some("2026-07-01T05:00:00+00:00".to_owned()));
    assert_eq!(audit.last().map(|at| at.to_rfc3339()), Some("2026-07-03T02:00:00+00:00".to_owned()));
    let seen = Period::parse("2026-07-01..2026-07-04").expect("a period");
    let silent: Vec<String> = audit.silent_days(&seen).iter().map(|day| day.format("%m-%d").to_string()).collect();
    assert_eq!(silent, ["07-02", "07-04"]);
    assert!(gaps(&found, Kind::LogContinuity).contains(&Reason::TableMissing));
}

#[test]
fn a_row_of_the_activity_log_says_who_gave_what_to_whom() {
    let columns = &[
        "TimeGenerated",
        "OperationName",
        "Status",
        "CallerObjectId",
        "_ResourceId",
        "PrincipalId",
        "RoleDefinitionId",
        "RoleScope",
        "EnableRbacAuthorization",
        "RetentionInDays",
    ];
    let rows = json!([
        [
            "2026-07-02T00:00:00Z",
            "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE",
            "Succeeded",
            "AB",
            "/s/x",
            "CD",
            "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/EF",
            "/s",
            "",
            ""
        ],
        ["2026-07-01T00:00:00Z", "Microsoft.KeyVault/vaults/write", "Start", null, "", null, null, null, "False", "90"],
    ]);
    let found = tenant(CaptureBuilder::default().answer(Kind::Activity, "workspace:W", table(columns, rows)));
    let [vault, role] = &found.logs.activity[..] else { panic!("{:?}", found.logs.activity) };
    assert!(vault.at < role.at && !vault.is_success() && role.is_success());
    assert_eq!((vault.rbac, vault.retention_days, vault.caller_object_id.as_deref()), (Some(false), Some(90), None));
    assert!(role.is("Microsoft.Authorization/roleAssignments/write"));
    assert_eq!((role.caller_object_id.as_deref(), role.principal_id.as_deref()), (Some("ab"), Some("cd")));
    assert_eq!((role.role.as_deref(), role.rbac), (Some("ef"), None));
    assert_eq!(gaps(&found, Kind::Activity), []);
}

#[test]
fn a_row_without_time_or_operation_makes_its_question_a_gap() {
    for (kind, columns) in [
        (Kind::Activity, ["TimeGenerated", "OperationName"]),
        (Kind::DirectoryChanges, ["TimeGenerated", "OperationName"]),
        (Kind::ActivityCount, ["Day", "Rows"]),
        (Kind::UserSignIns, ["Day", "Rows"]),
    ] {
        for row in [json!([null, "x"]), json!(["soon", "x"]), json!(["2026-07-01T00:00:00Z", null])] {
            let found = tenant(CaptureBuilder::default().answer(kind, "workspace:w", table(&columns, json!([row]))));
            assert_eq!(gaps(&found, kind), [Reason::Malformed], "{kind:?} {row}");
        }
    }
}

#[test]
fn a_change_in_the_directory_names_its_targets_and_what_was_changed() {
    let columns = &["TimeGenerated", "ActivityDateTime", "OperationName", "InitiatorId", "TargetResources"];
    let targets = r#"[{"id":"AB","type":"Application","modifiedProperties":[{"displayName":"KeyDescription"},{}]},
        {"id":"","modifiedProperties":null}]"#;
    let rows = json!([
        ["2026-07-01T00:01:00Z", "2026-07-01T00:00:00Z", "Update application – Certificates ", "CD", targets],
        ["2026-07-02T00:01:00Z", null, "Add user", "", null],
    ]);
    let found = tenant(CaptureBuilder::default().answer(Kind::DirectoryChanges, "workspace:w", table(columns, rows)));
    let [first, second] = &found.logs.directory_changes[..] else { panic!() };
    assert_eq!(first.at.to_rfc3339(), "2026-07-01T00:00:00+00:00", "when it happened");
    assert_eq!(second.at.to_rfc3339(), "2026-07-02T00:01:00+00:00", "when it was published, where no more is told");
    assert_eq!(first.targets[0].id.as_deref(), Some("ab"));
    assert_eq!(first.targets[0].changed, ["KeyDescription"]);
    assert_eq!((first.targets[1].id.as_deref(), second.targets.len(), second.initiator_id.as_deref()), (None, 0, None));
    let odd = json!([["2026-07-01T00:01:00Z", null, "x", "", "{\"id\":1}"]]);
    let found = tenant(CaptureBuilder::default().answer(Kind::DirectoryChanges, "workspace:w", table(columns, odd)));
    assert_eq!(gaps(&found, Kind::DirectoryChanges), [Reason::Malformed]);
}

#[test]
fn sums_of_sign_ins_must_come_to_the_rows_of_their_table() {
    let columns = &["Day", "ServicePrincipalId", "ResultType", "Rows", "SignIns"];
    let rows = json!([["2026-07-01T00:00:00Z", "AB", "0", 3, 2], ["2026-07-01T00:00:00Z", "AB", 7_000_222, 1, 1]]);
    let of = |counted: u64| {
        let days = json!([["2026-07-01T00:00:00Z", counted, null, null, null, null]]);
        tenant(
            CaptureBuilder::default()
                .answer(Kind::LogContinuity, "workspace:w/AADServicePrincipalSignInLogs", table(DAYS, days))
                .answer(Kind::ServicePrincipalSignIns, "workspace:w", table(columns, rows.clone())),
        )
    };
    let whole = of(4);
    assert_eq!(gaps(&whole, Kind::ServicePrincipalSignIns), []);
    let said: Vec<(Option<bool>, u64)> = whole.logs.sign_ins.iter().map(|one| (one.succeeded, one.count)).collect();
    assert_eq!(said, [(Some(true), 2), (Some(false), 1)]);
    assert_eq!(whole.logs.sign_ins[0].principal_id.as_deref(), Some("ab"));
    assert_eq!(gaps(&of(5), Kind::ServicePrincipalSignIns), [Reason::TotalsDiffer]);
}

#[test]
fn that_nobody_keeps_a_log_says_nothing_about_what_happened() {
    use crate::model::{Need, Reach};
    let need = |kind| Need { kind, reach: Reach::Whole };
    let missing = |tenant: &Tenant| -> Vec<Reason> {
        let found = tenant.coverage.missing(need(Kind::Activity), &Id::new("/subscriptions/s"));
        found.into_iter().map(|missing| missing.reason).collect()
    };
    let mut without = CaptureBuilder::default().gap(Kind::Activity, "workspace:a", Reason::TableMissing);
    for (kind, scope) in [
        (Kind::Subscriptions, "tenant"),
        (Kind::ManagementGroups, "tenant"),
        (Kind::SubscriptionExports, "/subscriptions/s"),
    ] {
        without = without.answer(kind, scope, json!({"value": []}));
    }
    let tenant_without = tenant(without.clone());
    assert_eq!(missing(&tenant_without), [Reason::TableMissing]);
    assert_eq!(tenant_without.coverage.missing_anywhere(Kind::Activity), [], "and is no gap of the collection");
    let columns = &["TimeGenerated", "OperationName"];
    assert_eq!(missing(&tenant(without.answer(Kind::Activity, "workspace:b", table(columns, json!([]))))), []);
    assert_eq!(missing(&tenant(CaptureBuilder::default())), [Reason::NotAsked]);
}

/// A tenant whose table of sign-ins is missing in workspace `W`, with this export of the directory's logs.
fn without_sign_ins(exports: Option<Value>, customer_id: &str) -> Tenant {
    let id = "/subscriptions/s/resourceGroups/r/providers/Microsoft.OperationalInsights/workspaces/w";
    let workspaces = json!({"value": [{"id": id, "properties": {"customerId": customer_id}}]});
    let builder = CaptureBuilder::default()
        .answer(Kind::Workspaces, "/subscriptions/s", workspaces)
        .gap(Kind::UserSignIns, "workspace:g", Reason::TableMissing)
        .gap(Kind::UserSignInsCount, "workspace:g", Reason::TableMissing)
        .gap(Kind::LogContinuity, "workspace:g/SigninLogs", Reason::TableMissing);
    tenant(match exports {
        Some(settings) => builder.answer(Kind::DirectoryExports, "tenant", json!({ "value": settings })),
        None => builder.gap(Kind::DirectoryExports, "tenant", Reason::Forbidden),
    })
}

#[test]
fn a_table_may_be_missing_only_where_the_settings_say_that_nothing_is_sent_to_it() {
    let to = |workspace: &str, log: Value| {
        let id =
            format!("/subscriptions/S/resourceGroups/r/providers/Microsoft.OperationalInsights/workspaces/{workspace}");
        Some(json!([{"name": "entra", "properties": {"workspaceId": id, "logs": [log]}}]))
    };
    let on = |category: &str| json!({"category": category, "enabled": true});
    for (exports, customer_id, is_answer) in [
        (Some(json!([])), "G", true),
        (to("W", on("AuditLogs")), "G", true),
        (to("W", json!({"category": "SignInLogs", "enabled": false})), "G", true),
        (to("elsewhere", on("SignInLogs")), "G", true), // the one at hand is another
        (to("W", on("signinlogs")), "G", false),
        (to("W", json!({"categoryGroup": "allLogs", "enabled": true})), "G", false),
        (to("W", json!({"category": "SignInLogs"})), "G", false),
        (to("elsewhere", on("SignInLogs")), "other", false), // it may be the one at hand
        (None, "G", false),
    ] {
        let found = without_sign_ins(exports.clone(), customer_id);
        for kind in [Kind::UserSignIns, Kind::UserSignInsCount, Kind::LogContinuity] {
            let gaps = found.coverage.missing_anywhere(kind);
            assert_eq!(gaps.iter().all(|gap| gap.reason != Reason::TableMissing), is_answer, "{kind:?} {exports:?}");
        }
        assert_eq!(found.logs.tables[0].state, LogState::Missing);
    }
}

#[test]
fn sums_of_sign_ins_must_come_to_the_rows_that_were_counted() {
    let sums = json!([["2026-07-01T00:00:00Z", "AB", 3, 2], ["2026-07-02T00:00:00Z", "AB", 1, 1]]);
    let of = |rows: u64| {
        let days = json!([["2026-07-01T00:00:00Z", 3, 1], ["2026-07-02T00:00:00Z", rows.to_string(), "1"]]);
        tenant(
            CaptureBuilder::default()
                .answer(Kind::UserSignInsCount, "workspace:w", table(&["Day", "Rows", "Kept"], days))
                .answer(Kind::UserSignIns, "workspace:W", table(&["Day", "UserId", "Rows", "SignIns"], sums.clone())),
        )
    };
    let days: Vec<(u64, u64)> = of(1).logs.sign_in_days.iter().map(|day| (day.rows, day.sums)).collect();
    assert_eq!(days, [(3, 1), (1, 1)]);
    assert_eq!(gaps(&of(1), Kind::UserSignIns), []);
    assert_eq!(gaps(&of(2), Kind::UserSignIns), [Reason::TotalsDiffer]);
}

#[test]
fn a_change_of_a_vault_says_how_the_vault_is_set() {
    let columns = &[
        "TimeGenerated",
        "OperationName",
        "HttpStatusCode",
        "_ResourceId",
        "EnableRbacAuthorization",
        "CallerObjectId",
    ];
    let rows = json!([
        ["2026-07-02T00:00:00Z", "VaultPatch", "200", "/V", "false", "A"],
        ["2026-07-01T00:00:00Z", "VaultAccessPolicyChangedEventGridNotification", null, "/v", null, ""],
    ]);
    let found = tenant(CaptureBuilder::default().answer(Kind::VaultChangesLegacy, "workspace:w", table(columns, rows)));
    let [notice, patch] = &found.logs.vault_changes[..] else { panic!("{:?}", found.logs.vault_changes) };
    assert_eq!((notice.event.status, notice.rbac), (None, None), "it answers no call");
    assert_eq!((patch.event.status, patch.rbac, patch.soft_delete), (Some(200), Some(false), None));
    assert_eq!((patch.event.vault.key(), patch.event.table), ("/v", "AzureDiagnostics"));
    assert_eq!(gaps(&found, Kind::VaultChangesLegacy), []);
    assert!(found.vault_events.is_empty(), "reads are another question");
}
