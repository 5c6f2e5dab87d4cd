//! Runs against answers from a script.

mod probe;
mod resume;
mod script;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::script::{
    CALLER, GROUP, Ran, SUB, Script, Stopping, WORKSPACE, empty, of_sub, request, run, run_asking, run_at_vaults,
    run_with, tenant,
};
use super::*;
use crate::evidence::{CaptureStatus, Kind, Over, Reason};

#[test]
fn a_whole_tenant_is_asked_once_and_in_order() {
    let ran = run(tenant(), Expected::default());
    assert_eq!(ran.summary.status, CaptureStatus::Complete);
    let log = format!("workspace:{WORKSPACE}");
    assert_eq!(
        ran.summary.gaps,
        [
            (Kind::VaultLogLegacyCount, log.clone(), Reason::TableMissing),
            (Kind::VaultLogLegacy, log, Reason::TableMissing),
        ]
    );
    let kinds: Vec<Kind> = ran.capture.records.iter().map(|record| record.kind).collect();
    assert_eq!(
        kinds[..6],
        [
            Kind::Subscriptions,
            Kind::ManagementGroups,
            Kind::Entities,
            Kind::RoleAssignments,
            Kind::DirectoryExports,
            Kind::TenantActivity
        ]
    );
    assert_eq!(kinds.last(), Some(&Kind::GroupEligibilities));
    let per_subscription = Kind::ALL.iter().filter(|kind| kind.is_per_subscription()).count();
    // three lists of all subscriptions; two lists of what the vault holds, and its settings; the workspace's tables
    let of_directory = Kind::ALL.iter().filter(|kind| kind.over().contains(&Over::Directory)).count();
    let of_a_group = Kind::ALL.iter().filter(|kind| kind.over().contains(&Over::Group)).count();
    let of_logs = Kind::ALL.iter().filter(|kind| kind.is_log() && **kind != Kind::LogContinuity).count();
    assert_eq!(kinds.len(), 6 + per_subscription + 3 + 3 + 1 + of_logs + 8 + of_directory + 1 + of_a_group);
    assert_eq!(ran.asked.len(), kinds.len(), "nothing was asked twice");

    // The caller in the log and the principal of the assignment were looked up together.
    let principals = ran.record(Kind::Principals, "directory");
    let body = format!("{{\"ids\":[\"{GROUP}\",\"{CALLER}\"]}}");
    assert_eq!(principals.pages[0].body.as_deref(), Some(body.as_str()));
    assert_eq!(ran.page(principals, 0)["value"][0].get("mail"), None);
    assert_eq!(ran.record(Kind::ManagedIdentityPrincipals, "directory").control_totals[0].expected, 0);
}

#[test]
fn a_version_that_is_named_is_asked_first_and_the_tables_own_where_it_is_not_known() {
    let unknown = json!({"error": {"code": "InvalidApiVersionParameter", "message": "by the test"}});
    let vaults = |version: &str| format!("{SUB}/providers/Microsoft.KeyVault/vaults?api-version={version}");
    let asking = |script: Script| {
        let api_versions = BTreeMap::from([(Kind::Vaults, "2020-01-01".to_owned())]);
        let ran = run_asking(script, CollectRequest { api_versions, ..request(Expected::default()) }, None);
        let asked = ran.asked.iter().filter_map(|ask| ask.url.split_once(&vaults("")).map(|(_, rest)| rest.to_owned()));
        (asked.collect::<Vec<_>>(), ran)
    };
    let (asked, ran) = asking(tenant());
    assert_eq!(asked, ["2020-01-01"]);
    assert_eq!(ran.record(Kind::Vaults, SUB).source.api_version, "2020-01-01");
    assert_eq!(ran.capture.plan.api_versions.get(&Kind::Vaults).map(String::as_str), Some("2020-01-01"));

    let (asked, ran) = asking(tenant().first(&vaults("2020"), "", 400, &unknown));
    assert_eq!(asked, ["2020-01-01", "2026-02-01"]);
    let record = ran.record(Kind::Vaults, SUB);
    assert!(record.is_whole() && record.request.url.contains("api-version=2026-02-01"), "{record:?}");
    assert_eq!((record.source.api_version.as_str(), record.row_count), ("2026-02-01", 1));

    let (asked, ran) = asking(tenant().first(&vaults(""), "", 400, &unknown));
    assert_eq!(asked, ["2020-01-01", "2026-02-01", "2023-07-01"]);
    let (reason, detail) = ran.gap(Kind::Vaults, SUB);
    assert_eq!(reason, Reason::NotInCloud);
    assert!(detail.ends_with("is not offered there; asked in 2020-01-01, 2026-02-01, 2023-07-01"), "{detail}");
}

#[test]
fn a_vault_is_asked_itself_and_resource_manager_where_it_refuses() {
    let vault = |name: &str| format!("{SUB}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/{name}");
    let item = |name: &str, uri: &str| json!({"id": vault(name), "properties": {"vaultUri": uri}});
    let vaults = json!({"value": [item("kv1", "https://kv1.vault.azure.net/"), item("kv2", "https://kv2.vault.azure.net"),
        item("kv3", "https://kv3.vault.azure.net.evil.example/"), {"id": vault("kv4")}]});
    let refusal = json!({"error": {"code": "Forbidden", "innererror": {"code": "ForbiddenByFirewall"}}});
    let key = json!({"value": [{"kid": "https://kv1.vault.azure.net/keys/k", "attributes": {"enabled": true}}],
        "nextLink": "https://kv1.vault.azure.net:443/keys?api-version=7.2&$skiptoken=abc&maxresults=25"});
    let script = tenant()
        .first(&of_sub("/providers/Microsoft.KeyVault/vaults"), "", 200, &vaults)
        .first("https://kv1.vault.azure.net/", "", 200, &empty())
        .first("https://kv1.vault.azure.net/keys?", "", 200, &key)
        .first("https://kv1.vault.azure.net:443/keys?", "", 200, &empty())
        .first("https://kv2.vault.azure.net/", "", 403, &refusal);
    let ran = run_at_vaults(script);
    let keys = ran.record(Kind::VaultDataKeys, &vault("kv1"));
    assert!(keys.is_whole() && keys.page_count == 2 && keys.row_count == 1, "{keys:?}");
    assert_eq!(keys.request.url, "https://kv1.vault.azure.net/keys?api-version=7.5&maxresults=25");
    assert_eq!(
        (keys.source.host.as_str(), keys.source.permission.as_str()),
        ("kv1.vault.azure.net", "Microsoft.KeyVault/vaults/keys/read")
    );
    let (reason, detail) = ran.gap(Kind::VaultDataSecrets, &vault("kv2"));
    assert!(reason == Reason::Forbidden && detail.contains("network rules"), "{detail}");
    assert_eq!(ran.gap(Kind::VaultDeletedSecrets, &vault("kv3")).0, Reason::Refused);
    assert_eq!(ran.gap(Kind::VaultDataKeys, &vault("kv4")).0, Reason::Refused);
    assert!(ran.asked.iter().all(|ask| !ask.url.contains("evil.example")), "nothing went there");
    let by_arm = ran.capture.records.iter().filter(|record| record.kind == Kind::VaultSecrets);
    assert_eq!(
        by_arm.map(|record| record.scope.as_str()).collect::<Vec<_>>(),
        [vault("kv2"), vault("kv3"), vault("kv4")]
    );
    let own = run(tenant(), Expected::default());
    assert!(own.asked.iter().all(|ask| !ask.url.contains("vault.azure.net")), "only where it is wished");
}

#[test]
fn members_are_asked_for_so_that_service_principals_are_among_them() {
    let mut script = tenant();
    let members = format!("/groups/{GROUP}/transitiveMembers");
    let one = json!({"@odata.type": "#microsoft.graph.servicePrincipal", "id": CALLER, "displayName": "app"});
    let answer = json!({"@odata.count": 2, "value": [one]}).to_string();
    script.answers.insert(0, (members.clone(), String::new(), 200, answer));
    let ran = run(script, Expected::default());
    let asked = ran.asked.iter().find(|ask| ask.url.contains(&members)).expect("the question");
    assert!(asked.url.contains("$count=true"), "{}", asked.url);
    assert_eq!(asked.headers, [("ConsistencyLevel", "eventual".to_owned())]);
    let total = &ran.record(Kind::GroupMembers, &format!("group:{GROUP}")).control_totals[0];
    assert_eq!((total.expected, total.read), (2, 1), "one that is not shown is seen to be missing");
}

#[test]
fn rows_are_compared_with_the_services_count() {
    let ran = run(tenant(), Expected::default());
    let log = format!("workspace:{WORKSPACE}");
    let count = ran.record(Kind::VaultLogDedicatedCount, &log);
    let rows = ran.record(Kind::VaultLogDedicated, &log);
    let total = &rows.control_totals[0];
    assert_eq!((total.expected, total.read, total.record.as_str()), (3, 2, count.evidence_id.as_str()));
    assert!(ran.record(Kind::VaultLogLegacy, &log).control_totals.is_empty());

    let window = rows.window.as_ref().expect("a window");
    assert_eq!(window.cutoff.to_rfc3339(), "2026-10-02T08:30:00+00:00");
    assert_eq!(window.end.to_rfc3339(), "2026-10-01T00:00:00+00:00");
    let body: Value = serde_json::from_str(rows.request.body.as_deref().expect("a body")).expect("JSON");
    assert_eq!(body["timespan"], "2026-07-01T00:00:00Z/2026-10-01T00:00:00Z");
    assert!(body["query"].as_str().expect("text").starts_with("// tickmark: question=vault_log_dedicated;\n"));
}

#[test]
fn a_record_tells_how_it_was_asked() {
    let ran = run(tenant(), Expected::default());
    let vaults = ran.record(Kind::Vaults, SUB);
    assert_eq!(vaults.title, format!("Vaults at `{SUB}`"));
    assert_eq!(vaults.request.method, "GET");
    assert_eq!(
        vaults.request.url,
        format!("https://management.azure.com{SUB}/providers/Microsoft.KeyVault/vaults?api-version=2026-02-01")
    );
    assert_eq!(
        (vaults.source.host.as_str(), vaults.source.api_version.as_str()),
        ("management.azure.com", "2026-02-01")
    );
    assert_eq!(vaults.source.permission, "Microsoft.KeyVault/vaults/read");
    let page = &vaults.pages[0];
    assert_eq!((page.status, page.item_count, page.attempts), (200, 1, 1));
    assert_eq!(page.request_id.as_deref(), Some("req-1"));
    assert_eq!(vaults.clock.offset_seconds, Some(-3));
    assert_eq!((vaults.run_as.credential.as_str(), vaults.run_as.object_id.as_deref()), ("script", Some("me")));
    assert!(vaults.is_whole() && !vaults.truncated && vaults.last_next_link.is_none());
}

#[test]
fn a_refusal_ends_its_question_and_not_the_run() {
    let refusal = json!({"error": {"code": "AuthorizationFailed", "message": "client 'CANARY' has no right"}});
    let mut script = tenant();
    script.answers.insert(0, (of_sub("/resources"), String::new(), 403, refusal.to_string()));
    let ran = run(script, Expected::default());
    let record = ran.record(Kind::Resources, SUB);
    let gap = record.gap.as_ref().expect("a gap");
    assert_eq!(
        (gap.reason, gap.status, gap.code.as_deref()),
        (Reason::Forbidden, Some(403), Some("AuthorizationFailed"))
    );
    assert_eq!(gap.request_id.as_deref(), Some("req-1"));
    assert!(
        gap.detail.contains("`Microsoft.Resources/subscriptions/resources/read`") && !gap.detail.contains("CANARY"),
        "{}",
        gap.detail
    );
    assert_eq!((record.pages[0].status, record.row_count), (403, 0));
    assert_eq!(ran.page(record, 0), json!({"error": {"code": "AuthorizationFailed"}}));
    assert_eq!(ran.summary.gaps.len(), 3);
    assert!(ran.record(Kind::GroupMembers, &format!("group:{GROUP}")).is_whole());
}

/// The tenant with another answer for vaults, and further ones for `?page=`.
fn with_vaults(first: &Value, further: &[(&str, u16, Value)]) -> Ran {
    let mut script = tenant();
    let vaults = of_sub("/providers/Microsoft.KeyVault/vaults");
    script.answers.insert(0, (vaults, String::new(), 200, first.to_string()));
    for (page, status, body) in further {
        script.answers.insert(0, (format!("page={page}"), String::new(), *status, body.to_string()));
    }
    run(script, Expected::default())
}

fn link(page: &str) -> String {
    format!("https://management.azure.com{SUB}/next?page={page}&$skiptoken=CANARY")
}

#[test]
fn pages_are_followed_to_the_end() {
    let one = json!({"value": [], "nextLink": link("2")});
    let two = json!({"value": [{"id": "/subscriptions/s/v2"}], "nextLink": ""});
    let ran = with_vaults(&one, &[("2", 200, two)]);
    let record = ran.record(Kind::Vaults, SUB);
    assert!(record.is_whole() && record.last_next_link.is_none());
    assert_eq!((record.page_count, record.row_count), (2, 1));
    assert_eq!(record.pages[1].url, format!("https://management.azure.com{SUB}/next?page=2&$skiptoken=[cut]"));
    assert!(!serde_json::to_string(record).expect("JSON").contains("CANARY"));
    assert!(!ran.page(record, 0).to_string().contains("CANARY"));
}

#[test]
fn a_chain_that_breaks_off_keeps_what_was_read() {
    let one = || json!({"value": [{"id": "/subscriptions/s/v1"}], "nextLink": link("2")});
    let cut = with_vaults(&one(), &[("2", 503, json!({}))]);
    let (reason, detail) = cut.gap(Kind::Vaults, SUB);
    assert_eq!(reason, Reason::CutShort);
    assert!(detail.starts_with("1 page was read, then: HTTP 503"), "{detail}");
    let record = cut.record(Kind::Vaults, SUB);
    assert!(record.truncated);
    assert_eq!((record.row_count, record.pages.len()), (1, 2));
    assert_eq!(record.last_next_link, Some(link("2").replace("CANARY", "[cut]")));
    // What was read is still followed up.
    assert_eq!(cut.gap(Kind::DiagnosticSettings, "/subscriptions/s/v1").0, Reason::NotRecorded);

    let missing = with_vaults(&one(), &[]);
    assert_eq!(missing.gap(Kind::Vaults, SUB).0, Reason::CutShort);
    assert!(missing.gap(Kind::Vaults, SUB).1.contains("the recording holds no answer"));

    let odd = with_vaults(&one(), &[("2", 200, json!("<html>"))]);
    assert_eq!(odd.gap(Kind::Vaults, SUB).0, Reason::CutShort);
}

#[test]
fn a_loop_and_a_foreign_host_are_not_followed() {
    let around = with_vaults(
        &json!({"value": [], "nextLink": link("2")}),
        &[("2", 200, json!({"value": [], "nextLink": link("2")}))],
    );
    assert_eq!(
        around.gap(Kind::Vaults, SUB),
        (Reason::CutShort, "2 pages were read, then: the list links back to a page that was read")
    );

    let with_port = |number| link(number).replace("azure.com/", "azure.com:443/");
    let around = with_vaults(
        &json!({"value": [], "nextLink": link("2")}),
        &[("2", 200, json!({"value": [], "nextLink": with_port("2")}))],
    );
    assert_eq!(
        around.gap(Kind::Vaults, SUB).0,
        Reason::CutShort,
        "the same page, with the port that goes without saying"
    );

    let foreign = with_vaults(&json!({"value": [], "nextLink": "https://evil.example/next?sig=CANARY"}), &[]);
    assert_eq!(foreign.gap(Kind::Vaults, SUB).0, Reason::CutShort);
    assert_eq!(
        foreign.record(Kind::Vaults, SUB).last_next_link.as_deref(),
        Some("https://evil.example/next?sig=[cut]")
    );
    assert!(foreign.asked.iter().all(|ask| !ask.url.contains("evil.example")));
}

#[test]
fn an_answer_of_another_shape_is_not_an_empty_list() {
    for body in [json!({"result": []}), json!({"value": {}}), json!([]), json!("text"), json!({"value": null})] {
        let ran = with_vaults(&body, &[]);
        assert_eq!(ran.gap(Kind::Vaults, SUB).0, Reason::Malformed, "{body}");
    }
    // what is among the items and is none, is seen while it can be asked again; the items are kept
    for odd in [json!(null), json!(7), json!("text"), json!([])] {
        let ran = with_vaults(&json!({"value": [{"id": "/subscriptions/s/v1"}, odd]}), &[]);
        assert_eq!(ran.gap(Kind::Vaults, SUB).0, Reason::Malformed, "{odd}");
        assert_eq!(ran.record(Kind::Vaults, SUB).row_count, 2);
        assert_eq!(ran.page(ran.record(Kind::Vaults, SUB), 0)["value"][0]["id"], "/subscriptions/s/v1");
    }
    let partial = with_vaults(&json!({"value": [], "error": {"code": "X"}}), &[]);
    assert_eq!(partial.gap(Kind::Vaults, SUB).0, Reason::Partial);
}

#[test]
fn partial_rows_are_kept_and_said_to_be_partial() {
    let mut script = tenant();
    let body = json!({"tables": [{"name": "PrimaryResult", "columns": [], "rows": [[]]}],
        "error": {"code": "PartialError", "message": "CANARY"}});
    script.answers.insert(0, ("/query".to_owned(), "question=vault_log_dedicated;".to_owned(), 200, body.to_string()));
    let ran = run(script, Expected::default());
    let record = ran.record(Kind::VaultLogDedicated, &format!("workspace:{WORKSPACE}"));
    let gap = record.gap.as_ref().expect("a gap");
    assert_eq!((gap.reason, gap.code.as_deref(), record.truncated), (Reason::Partial, Some("PartialError"), true));
    assert_eq!(record.row_count, 1);
}

/// The tenant with two busy days in its log, and further answers to queries that hold these texts.
fn busy(answers: &[(&str, u16, Value)]) -> Script {
    let counts = json!({"tables": [{"name": "PrimaryResult",
        "columns": [{"name": "Day", "type": "datetime"}, {"name": "Kept", "type": "long"}],
        "rows": [["2026-07-10T00:00:00Z", 9_000], ["2026-08-10T00:00:00Z", 9_000]]}]});
    let script = tenant().first("/query", "question=vault_log_dedicated_count;", 200, &counts);
    answers.iter().fold(script, |script, (part, status, body)| script.first("/query", part, *status, body))
}

/// The windows that log rows were asked for in, and those whose answers were kept.
fn windows(ran: &Ran) -> (Vec<String>, Vec<String>) {
    let timespan = |body: &str| {
        let body: Value = serde_json::from_str(body).expect("JSON");
        body["timespan"].as_str().expect("a timespan").replace("T00:00:00Z", "")
    };
    let bodies = ran.asked.iter().filter_map(|ask| ask.body.as_deref());
    let asked = bodies.filter(|body| body.contains("question=vault_log_dedicated;")).map(timespan).collect();
    let record = ran.record(Kind::VaultLogDedicated, &format!("workspace:{WORKSPACE}"));
    let first = record.request.body.as_deref().expect("a body");
    (asked, record.pages.iter().map(|page| timespan(page.body.as_deref().unwrap_or(first))).collect())
}

const JULY: &str = "2026-07-01/2026-08-10";
const AUGUST: &str = "2026-08-10/2026-10-01";

#[test]
fn many_rows_are_asked_for_in_windows_that_follow_on_each_other() {
    let ran = run(busy(&[]), Expected::default());
    let both = vec![JULY.to_owned(), AUGUST.to_owned()];
    assert_eq!(windows(&ran), (both.clone(), both));
    let record = ran.record(Kind::VaultLogDedicated, &format!("workspace:{WORKSPACE}"));
    assert_eq!((record.page_count, record.row_count, record.gap.as_ref()), (2, 4, None));
    assert_eq!((record.control_totals[0].expected, record.control_totals[0].read), (18_000, 4));
    let window = record.window.as_ref().expect("a window");
    assert_eq!(window.end - window.start, chrono::TimeDelta::days(92), "the record is about the whole");
    let looked_up = ran.record(Kind::Principals, "directory").pages[0].body.clone();
    assert!(looked_up.is_some_and(|body| body.contains(CALLER)), "callers in any window are looked up");
}

#[test]
fn a_cut_answer_to_a_large_window_is_no_evidence_and_its_halves_are_asked_for() {
    let rows = json!({"tables": [{"name": "PrimaryResult", "columns": [], "rows": [[], []]}],
        "error": {"code": "PartialError"}});
    let july = "2026-07-01T00:00:00Z/2026-08-10T00:00:00Z";
    let halves = ["2026-07-01/2026-07-21".to_owned(), "2026-07-21/2026-08-10".to_owned()];
    for (status, body) in [(200, rows), (504, json!({}))] {
        let ran = run(busy(&[(july, status, body)]), Expected::default());
        let (asked, kept) = windows(&ran);
        let kept_due = [&halves[..], &[AUGUST.to_owned()]].concat();
        assert_eq!(kept, kept_due, "{status}");
        assert!(asked.starts_with(&[JULY.to_owned()]) && asked.ends_with(&kept_due), "{asked:?}");
        let record = ran.record(Kind::VaultLogDedicated, &format!("workspace:{WORKSPACE}"));
        assert_eq!((record.row_count, record.truncated, record.gap.as_ref()), (6, false, None), "{status}");
    }
}

#[test]
fn windows_that_no_halving_helps_end_as_a_gap() {
    let rows = json!({"tables": [{"name": "PrimaryResult", "columns": [], "rows": [[]]}],
        "error": {"code": "PartialError"}});
    let ran = run(busy(&[("question=vault_log_dedicated;", 200, rows)]), Expected::default());
    let (asked, kept) = windows(&ran);
    assert_eq!((asked.len(), kept.len()), (9, 1));
    let record = ran.record(Kind::VaultLogDedicated, &format!("workspace:{WORKSPACE}"));
    assert_eq!((record.gap.as_ref().map(|gap| gap.reason), record.truncated), (Some(Reason::Partial), true));
}

#[test]
fn an_expected_subscription_is_asked_even_when_it_is_not_visible() {
    let hidden = "eeeeeeee-0000-0000-0000-00000000000e";
    let ran = run(tenant(), Expected { subscriptions: vec![hidden.to_owned()], ..Expected::default() });
    assert_eq!(ran.gap(Kind::Vaults, &format!("/subscriptions/{hidden}")).0, Reason::NotRecorded);
    // The visible one is not expected: it stays in the list of subscriptions, and is left out.
    assert!(ran.capture.records.iter().all(|record| record.scope != SUB));
    assert_eq!(ran.record(Kind::Subscriptions, "tenant").row_count, 1);
}

#[test]
fn subscriptions_below_an_expected_group_are_asked() {
    let group = "/providers/Microsoft.Management/managementGroups/mg1";
    let mut script = tenant();
    let below = json!({"value": [{"id": SUB, "type": "/subscriptions", "name": "x"}]});
    script.answers.insert(0, (format!("{group}/descendants"), String::new(), 200, below.to_string()));
    let ran = run(script, Expected { management_groups: vec!["mg1".to_owned()], ..Expected::default() });
    assert!(ran.record(Kind::Vaults, SUB).is_whole());
    assert_eq!(ran.gap(Kind::RoleAssignments, group).0, Reason::NotRecorded);
}

#[test]
fn a_workspace_that_no_list_holds_is_asked_for_by_its_id() {
    let mut script = tenant();
    let list = of_sub("/providers/Microsoft.OperationalInsights/workspaces");
    script.answers.insert(0, (list, String::new(), 200, empty().to_string()));
    script.answers.insert(
        0,
        ("/WORKSPACES/W1?".to_owned(), String::new(), 404, json!({"error": {"code": "ResourceNotFound"}}).to_string()),
    );
    let ran = run(script, Expected::default());
    let gone = ran.capture.records.iter().find(|record| record.kind == Kind::Workspace).expect("a record");
    assert_eq!(gone.gap.as_ref().map(|gap| gap.reason), Some(Reason::NotFound));
    assert!(ran.capture.records.iter().all(|record| record.kind != Kind::Tables));
}

#[test]
fn a_tenant_without_subscriptions_is_no_error() {
    let mut script = tenant();
    script.answers.insert(0, ("azure.com/subscriptions?".to_owned(), String::new(), 200, empty().to_string()));
    let ran = run(script, Expected::default());
    assert!(ran.summary.gaps.is_empty());
    let fixed = Kind::ALL.iter().flat_map(|kind| kind.over()).filter(|over| over.fixed().is_some()).count();
    assert_eq!(ran.capture.records.len(), fixed);
}

#[test]
fn a_stopped_run_says_of_every_question_that_it_was_not_put() {
    let ran = run_with(tenant(), Expected::default(), Some(&Stopping));
    assert_eq!(ran.summary.status, CaptureStatus::Interrupted);
    assert!(ran.asked.is_empty());
    assert_eq!(ran.gap(Kind::Subscriptions, "tenant").0, Reason::Interrupted);
}

#[test]
fn a_deleted_group_is_not_expanded_and_an_unheard_directory_hides_none() {
    let mut deleted = tenant();
    deleted.answers.insert(0, ("/getByIds".to_owned(), String::new(), 200, empty().to_string()));
    let ran = run(deleted, Expected::default());
    assert!(ran.capture.records.iter().all(|record| record.kind != Kind::GroupMembers));

    let mut unheard = tenant();
    unheard.answers.insert(0, ("/getByIds".to_owned(), String::new(), 403, json!({}).to_string()));
    let ran = run(unheard, Expected::default());
    assert_eq!(ran.gap(Kind::Principals, "directory").0, Reason::Forbidden);
    assert!(ran.record(Kind::GroupMembers, &format!("group:{GROUP}")).is_whole());
}

#[test]
fn the_same_answers_make_the_same_capture() {
    let records = || run(tenant(), Expected::default()).capture.records;
    assert_eq!(records(), records());
}

const INDEX: &str = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01";
const VAULTS: &str = "where type =~ 'microsoft.keyvault/vaults'";

/// The tenant with these pages of vaults in Resource Graph: part of the request's body, and answer.
fn with_index(pages: &[(&str, Value)]) -> Ran {
    let mut script = tenant();
    for (part, body) in pages {
        script.answers.insert(0, (INDEX.to_owned(), (*part).to_owned(), 200, body.to_string()));
    }
    run(script, Expected::default())
}

fn index_page(total: u64, ids: &[&str], token: Option<&str>) -> Value {
    let rows: Vec<Value> = ids.iter().map(|id| json!({"id": id, "properties": {"secret": "CANARY"}})).collect();
    let mut page = json!({"totalRecords": total, "count": rows.len(), "resultTruncated": "false", "data": rows});
    if let Some(token) = token {
        page["$skipToken"] = json!(token);
    }
    page
}

#[test]
fn resource_graph_is_asked_page_by_page_with_the_same_query_and_scopes() {
    let ran = with_index(&[
        (VAULTS, index_page(3, &["/a", "/b"], Some("CANARY1"))),
        ("\"$skipToken\":\"CANARY1\"", index_page(3, &["/c"], None)),
    ]);
    let record = ran.record(Kind::ResourceGraphVaults, "subscriptions");
    assert!(record.is_whole() && !record.truncated && record.last_next_link.is_none());
    let total = &record.control_totals[0];
    assert_eq!((total.expected, total.read, total.source.as_str()), (3, 3, "totalRecords of the first page"));
    let asked: Vec<Value> = ran
        .asked
        .iter()
        .filter(|ask| ask.url.contains(INDEX) && ask.body.as_deref().is_some_and(|body| body.contains(VAULTS)))
        .map(|ask| serde_json::from_str(ask.body.as_deref().unwrap_or_default()).expect("JSON"))
        .collect();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0]["subscriptions"], json!([SUB.trim_start_matches("/subscriptions/")]));
    assert_eq!(asked[0]["options"], json!({"resultFormat": "objectArray", "$top": 1000}));
    let mut second = asked[1].clone();
    assert_eq!(second["options"]["$skipToken"].take(), "CANARY1");
    second["options"].as_object_mut().expect("options").remove("$skipToken");
    assert_eq!(second, asked[0]);
    // What is kept names the page, and not its token.
    assert_eq!(ran.page(record, 0)["$skipToken"], "[cut]");
    assert!(record.pages[1].body.as_deref().expect("a body").contains("\"$skipToken\":\"[cut]\""));
    assert_eq!(ran.page(record, 1)["data"], json!([{"id": "/c"}]));
}

#[test]
fn what_is_assigned_above_is_listed_too() {
    let ran = run(tenant(), Expected::default());
    let body = ran.record(Kind::ResourceGraphAssignments, "subscriptions").request.body.clone().expect("a body");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["options"]["authorizationScopeFilter"], "AtScopeAboveAndBelow");
}

#[test]
fn rows_that_resource_graph_leaves_out_are_seen() {
    let record = |ran: &Ran| ran.record(Kind::ResourceGraphVaults, "subscriptions").clone();
    // Fewer rows than it counts: the totals tell.
    let short = record(&with_index(&[(VAULTS, index_page(3, &["/a"], None))]));
    assert_eq!((short.control_totals[0].expected, short.control_totals[0].read), (3, 1));
    let mut truncated = index_page(1, &["/a"], None);
    truncated["resultTruncated"] = json!("true");
    let truncated = record(&with_index(&[(VAULTS, truncated)]));
    assert_eq!(truncated.gap.map(|gap| gap.reason), Some(Reason::CutShort));
    assert!(truncated.truncated);
    // A token that comes back for ever ends.
    let looping = record(&with_index(&[(VAULTS, index_page(9, &["/a"], Some("same")))]));
    assert_eq!(looping.gap.map(|gap| gap.reason), Some(Reason::CutShort));
    assert_eq!((looping.page_count, looping.last_next_link.as_deref()), (2, Some("$skipToken=[cut]")));
    // A table instead of objects is another shape.
    let table = json!({"totalRecords": 0, "count": 0, "resultTruncated": "false", "data": {"columns": [], "rows": []}});
    assert_eq!(record(&with_index(&[(VAULTS, table)])).gap.map(|gap| gap.reason), Some(Reason::Malformed));
}

#[test]
fn subscriptions_go_to_resource_graph_in_groups() {
    let mut script = tenant();
    let many: Vec<Value> =
        (0..251).map(|n| json!({"subscriptionId": format!("aaaaaaaa-0000-0000-0000-{n:012}")})).collect();
    let list = json!({"value": many}).to_string();
    script.answers.insert(0, ("azure.com/subscriptions?".to_owned(), String::new(), 200, list));
    let last = "aaaaaaaa-0000-0000-0000-000000000250\"]";
    script.answers.insert(0, (INDEX.to_owned(), last.to_owned(), 200, index_page(1, &["/b"], None).to_string()));
    let ran = run(script, Expected::default());
    let record = ran.record(Kind::ResourceGraphVaults, "subscriptions");
    assert_eq!((record.page_count, record.row_count), (2, 1));
    assert_eq!((record.control_totals[0].expected, record.control_totals[0].read), (1, 1), "one and none");
}

/// The tenant whose workspace has these tables: name and plan.
fn with_tables(tables: &[(&str, &str)]) -> Ran {
    let item = |(name, plan): &(&str, &str)| json!({"id": "/t", "name": name, "properties": {"plan": plan}});
    let list = json!({"value": tables.iter().map(item).collect::<Vec<Value>>()});
    let mut script = tenant();
    script.answers.insert(0, ("/workspaces/w1/tables".to_owned(), String::new(), 200, list.to_string()));
    run(script, Expected::default())
}

#[test]
fn a_table_on_a_plan_that_takes_no_such_query_is_a_gap_with_its_reason_and_is_not_asked() {
    let ran = with_tables(&[("AuditLogs", "Basic"), ("SigninLogs", "Auxiliary"), ("AzureActivity", "Analytics")]);
    let log = format!("workspace:{WORKSPACE}");
    for (kind, scope, plan) in [
        (Kind::DirectoryChanges, log.clone(), "Basic"),
        (Kind::DirectoryChangesCount, log.clone(), "Basic"),
        (Kind::UserSignIns, log.clone(), "Auxiliary"),
        (Kind::LogContinuity, format!("{log}/AuditLogs"), "Basic"),
    ] {
        let record = ran.record(kind, &scope);
        let gap = record.gap.as_ref().expect("a gap");
        assert_eq!((gap.reason, record.page_count), (Reason::NotAsked, 0), "{kind:?}");
        assert!(gap.detail.contains(&format!("is on the plan `{plan}`")), "{}", gap.detail);
        let name = record.request.body.as_deref().and_then(|body| body.split(';').next()).expect("a query").to_owned();
        let asked = ran.asked.iter().filter(|ask| ask.body.as_deref().is_some_and(|body| body.starts_with(&name)));
        assert_eq!(asked.count(), if kind == Kind::LogContinuity { 6 } else { 0 }, "{name}");
    }
    assert!(ran.record(Kind::Activity, &log).is_whole());
    assert!(ran.record(Kind::LogContinuity, &format!("{log}/AzureActivity")).is_whole());
}

#[test]
fn who_did_what_in_the_logs_is_looked_up() {
    let ids: Vec<String> = (1..=4).map(|n| format!("eeeeeeee-0000-0000-0000-00000000000{n}")).collect();
    let rows = |columns: &[&str], cells: Value| {
        let columns: Vec<Value> = columns.iter().map(|name| json!({"name": name, "type": "string"})).collect();
        json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": [cells]}]}).to_string()
    };
    let mut script = tenant();
    for (question, body) in [
        ("question=activity;", rows(&["CallerObjectId", "PrincipalId"], json!([ids[0], ids[1]]))),
        ("question=directory_changes;", rows(&["InitiatorId", "UserId"], json!([ids[2], CALLER]))),
        ("question=service_principal_sign_ins;", rows(&["ServicePrincipalId"], json!([ids[3]]))),
    ] {
        script.answers.insert(0, ("/query".to_owned(), question.to_owned(), 200, body));
    }
    let ran = run(script, Expected::default());
    let asked = ran.record(Kind::Principals, "directory").pages[0].body.clone().expect("a body");
    assert!(ids.iter().all(|id| asked.contains(id)), "{asked}");
}
