#![allow(clippy::needless_pass_by_value)] // `json!` is easier to read without a reference before it

use serde_json::{Value, json};

use super::{read, survey};
use crate::evidence::testing::{CaptureBuilder, TENANT};
use crate::evidence::{Capture, Kind, Reason};
use crate::model::{Denial, Id, Need, PrincipalKind, Reach, Tenant};

const SUB: &str = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001";
const ZERO: &str = "00000000-0000-0000-0000-000000000000";

fn tenant(builder: CaptureBuilder) -> Tenant {
    read(&builder.build()).expect("a tenant")
}

fn list(items: Value) -> Value {
    json!({ "value": items })
}

fn vault_id(name: &str) -> String {
    format!("{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}")
}

fn identity_id(name: &str) -> String {
    format!("{SUB}/resourcegroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}")
}

fn workspace_id(name: &str) -> String {
    format!("{SUB}/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/{name}")
}

/// What is missing of a kind anywhere, as reasons.
fn missing(tenant: &Tenant, kind: Kind) -> Vec<Reason> {
    tenant.coverage.missing_anywhere(kind).iter().map(|missing| missing.reason).collect()
}

fn rows(columns: &[&str], rows: Value) -> Value {
    let columns: Vec<Value> = columns.iter().map(|name| json!({"name": name, "type": "string"})).collect();
    json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})
}

#[test]
fn a_fact_cites_record_page_and_place() {
    let page = |name: &str| (list(json!([{"id": vault_id(name), "name": name, "properties": {}}])), None);
    let found = tenant(CaptureBuilder::default().pages(Kind::Vaults, SUB, vec![page("kv1"), page("kv2")]));
    let from = &found.vaults[1].from;
    assert_eq!((from.record(), from.page(), &*from.pointer()), ("ev-0001", "page-0002.json", "/value/0"));
}

#[test]
fn an_item_without_its_id_makes_the_list_a_gap_and_the_rest_stays() {
    let items = json!([{"name": "kv1", "properties": {}}, {"id": vault_id("kv2"), "properties": {}}]);
    let found = tenant(CaptureBuilder::default().answer(Kind::Vaults, SUB, list(items)));
    assert_eq!(found.vaults.len(), 1);
    let missing = found.coverage.missing_anywhere(Kind::Vaults);
    assert_eq!(missing[0].reason, Reason::Malformed);
    assert_eq!(missing[0].detail, "`id` is missing, at `/value/0` in ev-0001/page-0001.json");
}

#[test]
fn a_record_without_pages_and_a_page_with_fewer_items_than_counted_are_gaps() {
    let vault = json!([{"id": vault_id("kv1"), "properties": {}}]);
    let capture = || CaptureBuilder::default().answer(Kind::Vaults, SUB, list(vault.clone())).build();
    let mut none = capture();
    none.records[0].pages.clear();
    assert_eq!(missing(&read(&none).expect("a tenant"), Kind::Vaults), [Reason::Malformed]);
    let mut fewer = capture();
    fewer.records[0].pages[0].item_count = 2;
    let found = read(&fewer).expect("a tenant");
    assert_eq!(
        found.coverage.missing_anywhere(Kind::Vaults)[0].detail,
        "items in the page: 1, counted when it came: 2, at `/value` in ev-0001/page-0001.json"
    );
}

#[test]
fn a_cut_id_names_nothing_and_makes_the_list_a_gap() {
    let items = json!([{"id": "[cut]", "name": "kv1", "properties": {}}, {"id": vault_id("kv2"), "properties": {}}]);
    let found = tenant(CaptureBuilder::default().answer(Kind::Vaults, SUB, list(items)));
    assert_eq!(found.vaults.iter().map(|vault| vault.name.as_str()).collect::<Vec<_>>(), ["kv2"]);
    let gaps = found.coverage.missing_anywhere(Kind::Vaults);
    assert_eq!(gaps[0].detail, "`id` was cut when it was collected, at `/value/0` in ev-0001/page-0001.json");

    // a certificate named by its thumbprint looks like a key; it is one of thousands of resources
    let certificate = json!([{"id": "[cut]", "name": "[cut]", "type": "Microsoft.Web/certificates"}]);
    let found = tenant(CaptureBuilder::default().answer(Kind::Resources, SUB, list(certificate)));
    assert!(missing(&found, Kind::Resources).is_empty());

    // two of them are not one, which would have the identities of both
    let of_type = "Microsoft.Compute/virtualMachineScaleSets";
    let two = json!([{"id": "[cut]", "type": of_type, "identity": {"type": "SystemAssigned", "principalId": "p"}},
        {"id": "[cut]", "type": of_type}]);
    let found = tenant(CaptureBuilder::default().answer(Kind::Resources, SUB, list(two)));
    assert_eq!(found.resources.iter().map(|one| one.identity.is_some()).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_cut_action_or_vault_is_not_taken_for_none() {
    let role = json!([{"id": "r", "properties": {"permissions": [{"actions": ["[cut]"]}]}}]);
    let found = tenant(CaptureBuilder::default().answer(Kind::RoleDefinitions, SUB, list(role)));
    assert_eq!(missing(&found, Kind::RoleDefinitions), [Reason::Malformed]);
    let body = rows(
        &["TimeGenerated", "OperationName", "_ResourceId", "HttpStatusCode"],
        json!([["2026-07-01T00:00:00Z", "SecretGet", "[cut]", 200]]),
    );
    let found = tenant(CaptureBuilder::default().answer(Kind::VaultLogDedicated, "workspace:w", body));
    assert_eq!(missing(&found, Kind::VaultLogDedicated), [Reason::Malformed]);
}

#[test]
fn a_list_of_subscriptions_with_a_gap_leaves_every_population_open() {
    let builder = || {
        let subscriptions = vec![list(json!([{"id": SUB}]))];
        let builder = CaptureBuilder::default().cut(Kind::Subscriptions, "tenant", subscriptions, Reason::CutShort);
        builder.answer(Kind::Vaults, SUB, list(json!([])))
    };
    let whole = |found: &Tenant, kind| found.coverage.missing_of_population(kind).is_empty();
    let found = tenant(builder());
    assert!(missing(&found, Kind::Vaults).is_empty() && !whole(&found, Kind::Vaults));
    let seen = &found.coverage.missing_of_population(Kind::Vaults)[0];
    assert_eq!((seen.kind, seen.reason), (Kind::Subscriptions, Reason::CutShort));

    // where the configuration names the subscriptions, the list of what is visible adds none
    let mut capture = builder().build();
    capture.plan.expected.subscriptions = vec![SUB.trim_start_matches("/subscriptions/").to_owned()];
    assert!(whole(&read(&capture).unwrap(), Kind::Vaults));
    // where it names groups, what stands below them counts
    let group = "/providers/Microsoft.Management/managementGroups/mg1";
    let mut capture = builder().gap(Kind::ManagementGroupDescendants, group, Reason::Forbidden).build();
    capture.plan.expected.management_groups = vec!["MG1".to_owned()];
    assert!(!whole(&read(&capture).unwrap(), Kind::Vaults));
    capture.plan.expected.management_groups = vec!["mg2".to_owned()];
    assert!(whole(&read(&capture).unwrap(), Kind::Vaults));

    // and assignments at a group that no list showed are not in a list of assignments
    let unseen = CaptureBuilder::default().gap(Kind::ManagementGroups, "tenant", Reason::Forbidden);
    assert!(!whole(&tenant(unseen), Kind::RoleAssignments));
}

#[test]
fn a_vault_without_properties_is_not_taken_for_one_without_policies() {
    let found = tenant(CaptureBuilder::default().answer(Kind::Vaults, SUB, list(json!([{"id": vault_id("kv1")}]))));
    assert!(found.vaults.is_empty());
    assert_eq!(missing(&found, Kind::Vaults), [Reason::Malformed]);
}

#[test]
fn a_field_of_another_type_is_not_told_and_makes_the_question_a_gap() {
    let item = json!({"id": vault_id("kv1"), "properties": {"enablePurgeProtection": [true]}});
    let found = tenant(CaptureBuilder::default().answer(Kind::Vaults, SUB, list(json!([item]))));
    assert_eq!(found.vaults[0].purge_protection, None);
    assert_eq!(missing(&found, Kind::Vaults), [Reason::Malformed]);
}

#[test]
fn a_page_that_is_no_list_and_one_with_an_error_beside_it_are_gaps() {
    let builder = CaptureBuilder::default().answer(Kind::Vaults, SUB, json!({"values": []})).answer(
        Kind::VaultLogDedicated,
        "workspace:w1",
        {
            let mut body = rows(&["TimeGenerated"], json!([]));
            body["error"] = json!({"code": "PartialError"});
            body
        },
    );
    let found = tenant(builder);
    assert_eq!(missing(&found, Kind::Vaults), [Reason::Malformed]);
    assert_eq!(missing(&found, Kind::VaultLogDedicated), [Reason::Partial]);
}

#[test]
fn a_last_page_that_names_a_next_one_is_cut_short() {
    let mut body = list(json!([]));
    body["nextLink"] = json!("https://example.invalid/next");
    let found = tenant(CaptureBuilder::default().answer(Kind::Vaults, SUB, body));
    assert_eq!(missing(&found, Kind::Vaults), [Reason::CutShort]);
}

/// A capture with one vault list whose bytes are replaced, and its recorded digest too when `recorded`.
fn with_bytes(bytes: &[u8], recorded: bool) -> Capture {
    use std::collections::BTreeMap;
    let whole = CaptureBuilder::default().answer(Kind::Vaults, SUB, list(json!([]))).build();
    let mut record = whole.records[0].clone();
    if recorded {
        record.pages[0].sha256 = crate::evidence::sha256_hex(bytes);
    }
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    files.insert("plan.json".to_owned(), serde_json::to_vec(&whole.plan).expect("JSON"));
    files.insert("evidence/ev-0001/ipe.json".to_owned(), serde_json::to_vec(&record).expect("JSON"));
    files.insert("evidence/ev-0001/page-0001.json".to_owned(), bytes.to_vec());
    Capture::from_memory(whole.head, files).expect("a capture")
}

#[test]
fn bytes_that_are_not_json_are_a_gap_and_bytes_that_were_changed_are_refused() {
    let found = read(&with_bytes(b"<html>", true)).expect("a tenant");
    assert_eq!(missing(&found, Kind::Vaults), [Reason::Malformed]);
    let refused = read(&with_bytes(b"{\"value\":[ ]}", false)).expect_err("changed bytes");
    assert!(refused.to_string().starts_with("`evidence/ev-0001/page-0001.json` is not what was collected"));
}

#[test]
fn identity_blocks_are_read_in_all_their_forms() {
    let host = |name: &str, identity: Value| {
        json!({"id": format!("{SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/{name}"), "name": name,
               "type": "Microsoft.Web/sites", "identity": identity})
    };
    let both = json!({"type": "SystemAssigned, UserAssigned", "principalId": "P1", "userAssignedIdentities": {
        identity_id("a"): {"principalId": "P2", "clientId": "C2"}, identity_id("b"): null, identity_id("c"): {}}});
    let items = json!([
        host("both", both),
        host("none", json!({"type": "None"})),
        host("null", json!(null)),
        host("tight", json!({"type": "systemassigned,userassigned"}))
    ]);
    let found = tenant(CaptureBuilder::default().answer(Kind::Resources, SUB, list(items)));
    let identity = |name: &str| {
        let resource = found.resources.iter().find(|resource| resource.name == name).expect("a resource");
        resource.identity.clone()
    };
    let both = identity("both").expect("an identity");
    assert!(both.system_assigned);
    assert_eq!(both.system_principal_id.as_deref(), Some("p1"));
    let attached: Vec<Option<&str>> = both.user_assigned.iter().map(|one| one.principal_id.as_deref()).collect();
    assert_eq!(attached, [Some("p2"), None, None]);
    assert!(identity("none").is_none() && identity("null").is_none());
    assert!(identity("tight").expect("an identity").system_assigned);
    assert!(found.coverage.missing_anywhere(Kind::Resources).is_empty());
}

#[test]
fn a_virtual_machine_in_both_lists_is_one_resource_with_the_identities_of_both() {
    let id = format!("{SUB}/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/vm1");
    let with = |id: &str, identity: &str| {
        json!({"id": id, "name": "vm1", "type": "Microsoft.Compute/virtualMachines",
               "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity_id(identity): {}}}})
    };
    let builder = CaptureBuilder::default().answer(Kind::Resources, SUB, list(json!([with(&id, "a")]))).answer(
        Kind::VirtualMachines,
        SUB,
        list(json!([with(&id.to_uppercase(), "b")])),
    );
    let found = tenant(builder);
    assert_eq!(found.resources.len(), 1);
    assert_eq!(found.resources[0].identity.as_ref().expect("an identity").user_assigned.len(), 2);
}

#[test]
fn access_policies_are_read_without_case_and_a_zero_application_is_none() {
    let policy = json!({"tenantId": TENANT, "objectId": "ABC", "applicationId": ZERO,
        "permissions": {"secrets": ["Get", "list"], "keys": null, "certificates": ["All"]}});
    let item = json!({"id": vault_id("kv1"), "properties": {"accessPolicies": [policy], "networkAcls": null}});
    let found = tenant(CaptureBuilder::default().answer(Kind::Vaults, SUB, list(json!([item]))));
    let policy = &found.vaults[0].access_policies[0];
    assert_eq!(policy.object_id, "abc");
    assert_eq!(policy.application_id, None);
    assert!(policy.secrets.contains("get") && policy.certificates.contains("all") && policy.keys.is_empty());
    assert_eq!(policy.from.pointer(), "/value/0/properties/accessPolicies/0");
    assert!(found.vaults[0].network_acls.is_none());
}

#[test]
fn entries_of_a_vault_that_name_nobody_are_counted_and_make_the_list_a_gap() {
    let properties = json!({
        "accessPolicies": [{"objectId": "abc"}, {"permissions": {"secrets": ["get"]}}, {"objectId": 7}, null],
        "networkAcls": {"ipRules": [{"value": "203.0.113.7"}, {}], "virtualNetworkRules": [{"id": 1}, {"id": "/s"}]},
    });
    let item = json!({"id": vault_id("kv1"), "properties": properties});
    let found = tenant(CaptureBuilder::default().answer(Kind::Vaults, SUB, list(json!([item]))));
    let (vault, acls) = (&found.vaults[0], found.vaults[0].network_acls.as_ref().expect("rules"));
    assert_eq!((vault.access_policies.len(), vault.unread_policies), (1, 3));
    assert_eq!((acls.ip_rules.len(), acls.virtual_network_rules.len(), acls.unread_rules), (1, 1, 2));
    assert_eq!(found.coverage.missing_anywhere(Kind::Vaults)[0].reason, Reason::Malformed);
}

#[test]
fn a_role_assignment_listed_at_two_scopes_is_one_and_its_role_is_the_last_segment() {
    let at = |id: &str, role: &str| json!({"id": id, "properties": {"scope": "/", "roleDefinitionId": role, "principalId": "P", "condition": ""}});
    let id = "/providers/Microsoft.Authorization/roleAssignments/1";
    let builder = CaptureBuilder::default()
        .answer(Kind::RoleAssignments, SUB, list(json!([at(id, &format!("{SUB}/providers/x/roleDefinitions/ABC"))])))
        .answer(Kind::RoleAssignments, "/", list(json!([at(&id.to_uppercase(), "abc")])));
    let found = tenant(builder);
    assert_eq!(found.role_assignments.len(), 1);
    let assignment = &found.role_assignments[0];
    assert_eq!((assignment.role.as_str(), assignment.principal_id.as_str()), ("abc", "p"));
    assert_eq!(assignment.condition, None);
}

#[test]
fn ids_asked_of_the_directory_count_as_resolved_only_without_a_gap() {
    let ask = |id: &str| Some(json!({"ids": [id]}).to_string());
    let user = json!([{"@odata.type": "#microsoft.graph.user", "id": "U1", "displayName": "Ann"}]);
    let whole = CaptureBuilder::default().pages(
        Kind::Principals,
        "directory",
        vec![(list(user), ask("U1")), (list(json!([])), ask("GONE"))],
    );
    let found = tenant(whole);
    assert_eq!(found.principals["u1"].kind, PrincipalKind::User);
    assert_eq!(found.resolved_ids["gone"].page(), "page-0002.json");

    let cut = CaptureBuilder::default().pages(Kind::Principals, "directory", vec![(json!({"value": 1}), ask("GONE"))]);
    assert!(tenant(cut).resolved_ids.is_empty());
}

#[test]
fn the_list_of_managed_identities_is_filtered_again_and_tells_more_than_the_look_up() {
    let look_up = json!([
        {"@odata.type": "#microsoft.graph.servicePrincipal", "id": "m1", "servicePrincipalType": "ManagedIdentity"},
        {"@odata.type": "#microsoft.graph.servicePrincipal", "id": "s1", "servicePrincipalType": "Application"},
        {"@odata.type": "#microsoft.graph.device", "id": "d1"}]);
    let listed = json!([
        {"id": "m1", "servicePrincipalType": "ManagedIdentity", "alternativeNames": ["isExplicit=True", identity_id("a")]},
        {"id": "s2", "servicePrincipalType": "Application"}]);
    let builder = CaptureBuilder::default().answer(Kind::Principals, "directory", list(look_up)).answer(
        Kind::ManagedIdentityPrincipals,
        "directory",
        list(listed),
    );
    let found = tenant(builder);
    assert_eq!(found.managed_identities.len(), 1);
    assert_eq!(found.principals["m1"].alternative_names.len(), 2);
    assert_eq!(found.principals["m1"].kind, PrincipalKind::ManagedIdentity);
    assert_eq!(found.principals["s1"].kind, PrincipalKind::ServicePrincipal);
    assert_eq!(found.principals["d1"].kind, PrincipalKind::Other("device".to_owned()));
    assert!(!found.principals.contains_key("s2"));
}

#[test]
fn log_rows_are_read_by_column_name_whatever_the_type_of_their_cells() {
    let columns = [
        "OperationName",
        "TimeGenerated",
        "HttpStatusCode",
        "IsRbacAuthorized",
        "Identity",
        "_ResourceId",
        "RequestUri",
    ];
    let claims = json!({"claim": {"oid": "OID", "appid": "APP", "xms_mirid": identity_id("a")}}).to_string();
    let uri = "https://kv1.vault.azure.net/secrets/db?api-version=7.4";
    let body = rows(
        &columns,
        json!([
            ["SecretGet", "2026-07-02T00:00:00Z", "403", "false", claims, vault_id("kv1"), uri],
            ["SecretGet", "2026-07-01T00:00:00.1234567Z", 200.0, true, null, vault_id("kv1"), uri]
        ]),
    );
    let found = tenant(CaptureBuilder::default().answer(Kind::VaultLogLegacy, "workspace:W1", body));
    let [first, second] = &found.vault_events[..] else { panic!("two rows") };
    assert_eq!((first.status, first.denial, first.caller_object_id.as_deref()), (Some(200), None, None));
    assert_eq!((second.status, second.denial), (Some(403), Some(Denial::Rbac)));
    assert_eq!(second.caller_object_id.as_deref(), Some("oid"));
    assert_eq!(second.managed_identity.as_deref(), Some(&*identity_id("a")));
    assert_eq!(second.object.as_deref(), Some("https://kv1.vault.azure.net/secrets/db"));
    assert_eq!((second.table, &*second.workspace), ("AzureDiagnostics", "w1"));
    assert_eq!(second.from().pointer(), "/tables/0/rows/0");
    assert!(found.coverage.missing_anywhere(Kind::VaultLogLegacy).is_empty());
}

#[test]
fn the_cause_of_a_denial_is_taken_from_what_the_row_tells() {
    let columns = [
        "TimeGenerated",
        "OperationName",
        "_ResourceId",
        "HttpStatusCode",
        "IsRbacAuthorized",
        "IsAccessPolicyMatch",
        "IsAddressAuthorized",
        "ResultDescription",
    ];
    let denied = |rbac: Value, policy: Value, address: Value, told: &str| {
        let row = json!(["2026-07-01T00:00:00Z", "SecretGet", vault_id("kv1"), 403, rbac, policy, address, told]);
        let body = rows(&columns, json!([row]));
        let found = tenant(CaptureBuilder::default().answer(Kind::VaultLogDedicated, "workspace:w1", body));
        found.vault_events[0].denial.expect("a denial")
    };
    let no = || json!(null);
    assert_eq!(denied(json!(false), no(), no(), ""), Denial::Rbac);
    assert_eq!(denied(no(), json!(false), no(), ""), Denial::AccessPolicy);
    assert_eq!(denied(json!(true), json!(false), no(), ""), Denial::Unknown);
    assert_eq!(denied(json!(false), no(), json!(false), ""), Denial::Network);
    assert_eq!(
        denied(no(), no(), no(), "Client address is not authorized and caller is not a trusted service."),
        Denial::Network
    );
    assert_eq!(denied(json!(false), no(), json!(false), "ForbiddenByRbac"), Denial::Rbac);
    assert_eq!(denied(no(), no(), no(), "no idea"), Denial::Unknown);
}

#[test]
fn a_log_row_without_a_time_or_a_vault_makes_the_log_a_gap() {
    let body = rows(&["TimeGenerated", "OperationName", "_ResourceId"], json!([["x", "SecretGet", vault_id("kv1")]]));
    let found = tenant(CaptureBuilder::default().answer(Kind::VaultLogDedicated, "workspace:w1", body));
    assert!(found.vault_events.is_empty());
    assert_eq!(missing(&found, Kind::VaultLogDedicated), [Reason::Malformed]);
}

#[test]
fn a_survey_drops_log_rows_and_sees_the_same_gaps() {
    let columns = ["TimeGenerated", "OperationName", "_ResourceId", "HttpStatusCode"];
    let row = |at: &str| json!([at, "SecretGet", vault_id("kv1"), 200]);
    for (body, gaps) in [
        (rows(&columns, json!([row("2026-07-01T00:00:00Z")])), Vec::new()),
        (rows(&columns, json!([row("2026-07-01T00:00:00Z"), row("x")])), vec![Reason::Malformed]),
    ] {
        let capture = CaptureBuilder::default().answer(Kind::VaultLogDedicated, "workspace:w1", body).build();
        let (whole, surveyed) = (read(&capture).expect("a tenant"), survey(&capture).expect("a tenant"));
        assert_eq!((whole.vault_events.len(), surveyed.vault_events.len()), (1, 0));
        assert_eq!(missing(&whole, Kind::VaultLogDedicated), gaps);
        assert_eq!(missing(&surveyed, Kind::VaultLogDedicated), gaps);
    }
}

#[test]
fn counts_are_read_as_whole_numbers() {
    let body = rows(
        &["Day", "OperationName", "VaultId", "Rows", "Kept", "First", "Last"],
        json!([["2026-07-01T00:00:00Z", "SecretGet", vault_id("kv1"), "120", 3, "2026-07-01T01:00:00Z", null]]),
    );
    let found = tenant(CaptureBuilder::default().answer(Kind::VaultLogDedicatedCount, "workspace:w1", body));
    assert_eq!((found.vault_days[0].rows, found.vault_days[0].kept), (120, 3));
    assert!(found.vault_days[0].last.is_none());
}

fn setting(workspace: &str, destination: Option<&str>) -> Value {
    list(json!([{"name": "audit", "properties": {"workspaceId": workspace, "logAnalyticsDestinationType": destination,
        "logs": [{"categoryGroup": "audit", "enabled": true}]}}]))
}

fn logs_of(tenant: &Tenant) -> Vec<(Reason, String)> {
    let mut all = Vec::new();
    for kind in [Kind::VaultLogDedicated, Kind::VaultLogLegacy] {
        let need = Need { kind, reach: Reach::Own };
        let found = tenant.coverage.missing(need, &Id::new(vault_id("kv1")));
        all.extend(found.into_iter().map(|missing| (missing.reason, missing.scope)));
    }
    all
}

#[test]
fn the_log_of_a_vault_is_where_its_setting_sends_it() {
    let workspaces = list(json!([{"id": workspace_id("w"), "name": "w", "properties": {"customerId": "GUID"}}]));
    let builder = CaptureBuilder::default()
        .answer(Kind::Workspaces, SUB, workspaces)
        .answer(Kind::DiagnosticSettings, &vault_id("kv1"), setting(&workspace_id("W"), Some("Dedicated")))
        .gap(Kind::VaultLogLegacy, "workspace:guid", Reason::TableMissing);
    let without = tenant(builder.clone());
    assert_eq!(logs_of(&without), [(Reason::NotAsked, "workspace:guid".to_owned())]);
    assert_eq!(missing(&without, Kind::VaultLogDedicated), [Reason::NotAsked]);
    assert_eq!(missing(&without, Kind::VaultLogLegacy), [], "no setting sends to that table");

    let with = tenant(builder.answer(Kind::VaultLogDedicated, "workspace:guid", rows(&["TimeGenerated"], json!([]))));
    assert_eq!(logs_of(&with), []);
}

#[test]
fn a_log_in_a_workspace_that_was_not_read_was_never_asked() {
    let builder = CaptureBuilder::default()
        .answer(Kind::DiagnosticSettings, &vault_id("kv1"), setting(&workspace_id("far"), None))
        .gap(Kind::Workspace, &workspace_id("far"), Reason::Forbidden);
    let found = tenant(builder);
    assert_eq!(logs_of(&found), [(Reason::NotAsked, format!("workspace:{}", workspace_id("far")))]);
}

#[test]
fn a_log_whose_settings_were_not_read_is_not_known_to_be_empty() {
    let found = tenant(CaptureBuilder::default().gap(Kind::DiagnosticSettings, &vault_id("kv1"), Reason::Forbidden));
    assert_eq!(logs_of(&found)[0].0, Reason::Forbidden);
}

fn group(name: &str) -> String {
    format!("/providers/Microsoft.Management/managementGroups/{name}")
}

#[test]
fn the_chain_of_groups_is_known_when_it_ends_at_the_root_group() {
    let child =
        |id: &str, parent: &str, kind: &str| json!({"id": id, "type": kind, "properties": {"parent": {"id": parent}}});
    let mg = "Microsoft.Management/managementGroups";
    let below = json!([
        child(&group("prod"), &group(TENANT), mg),
        child(SUB, &group("prod"), "Microsoft.Management/managementGroups/subscriptions")
    ]);
    let listed = json!([{"id": group(TENANT), "name": TENANT, "properties": {"displayName": "Root"}}]);
    let found = tenant(CaptureBuilder::default().answer(Kind::ManagementGroups, "tenant", list(listed)).answer(
        Kind::ManagementGroupDescendants,
        &group(TENANT),
        list(below),
    ));
    assert_eq!(found.hierarchy.above(&Id::new(vault_id("kv1"))), [Id::new(group("prod")), Id::new(group(TENANT))]);
    assert!(found.hierarchy.is_known(&Id::new(SUB)));
    assert_eq!(found.hierarchy.root, Some(Id::new(group(TENANT))));
    assert!(!found.hierarchy.is_known(&Id::new("/subscriptions/other")));
}

#[test]
fn groups_are_unused_only_when_the_list_is_whole_and_empty_and_the_root_could_be_read() {
    let empty = || list(json!([]));
    let listed = CaptureBuilder::default().answer(Kind::ManagementGroups, "tenant", empty());
    assert!(!tenant(listed.clone()).hierarchy.unused);
    assert!(!tenant(listed.clone().gap(Kind::RoleAssignments, "/", Reason::Forbidden)).hierarchy.unused);
    assert!(tenant(listed.answer(Kind::RoleAssignments, "/", empty())).hierarchy.unused);
}

/// A subscription with one vault, whose role assignments are read there and at the root; no groups in use.
fn flat() -> CaptureBuilder {
    let vault = json!({"id": vault_id("kv1"), "name": "kv1", "properties": {"enableRbacAuthorization": true}});
    CaptureBuilder::default()
        .answer(Kind::Subscriptions, "tenant", list(json!([{"id": SUB, "displayName": "one", "state": "Enabled"}])))
        .answer(Kind::ManagementGroups, "tenant", list(json!([])))
        .answer(Kind::Vaults, SUB, list(json!([vault])))
        .answer(Kind::RoleAssignments, SUB, list(json!([])))
        .answer(Kind::RoleAssignments, "/", list(json!([])))
}

fn own(tenant: &Tenant, kind: Kind, subject: &str) -> Vec<Reason> {
    let found = tenant.coverage.missing(Need { kind, reach: Reach::Own }, &Id::new(subject));
    found.into_iter().map(|missing| missing.reason).collect()
}

#[test]
fn role_assignments_of_a_vault_need_its_subscription_and_the_root() {
    let whole = tenant(flat());
    assert_eq!(own(&whole, Kind::RoleAssignments, &vault_id("kv1")), []);
    // Not the subscription of the vault.
    let elsewhere = own(&whole, Kind::RoleAssignments, "/subscriptions/other/resourceGroups/g");
    assert_eq!(elsewhere, [Reason::NotAsked, Reason::HierarchyUnknown]);
    // The root refused: whether groups are in use is open too.
    let refused = tenant(flat().denied(Kind::RoleAssignments, "/"));
    assert_eq!(own(&refused, Kind::RoleAssignments, &vault_id("kv1")), [Reason::Forbidden, Reason::HierarchyUnknown]);
}

#[test]
fn role_assignments_of_a_vault_need_every_group_above_it() {
    let below = json!([{"id": SUB, "type": "Microsoft.Management/managementGroups/subscriptions",
        "properties": {"parent": {"id": group(TENANT)}}}]);
    let listed = json!([{"id": group(TENANT), "properties": {"displayName": "Root"}}]);
    let builder = CaptureBuilder::default()
        .answer(Kind::ManagementGroups, "tenant", list(listed))
        .answer(Kind::ManagementGroupDescendants, &group(TENANT), list(below))
        .answer(Kind::RoleAssignments, SUB, list(json!([])))
        .answer(Kind::Vaults, SUB, list(json!([{"id": vault_id("kv1"), "properties": {}}])))
        .answer(Kind::RoleAssignments, "/", list(json!([])));
    assert_eq!(own(&tenant(builder.clone()), Kind::RoleAssignments, &vault_id("kv1")), [Reason::NotAsked]);
    let whole = builder.answer(Kind::RoleAssignments, &group(TENANT), list(json!([])));
    assert_eq!(own(&tenant(whole), Kind::RoleAssignments, &vault_id("kv1")), []);
}

#[test]
fn a_subject_that_is_no_path_needs_every_question_of_the_kind() {
    let principal = "bbbbbbbb-0000-0000-0000-000000000001";
    let whole = tenant(flat());
    assert_eq!(own(&whole, Kind::RoleAssignments, principal), []);
    assert_eq!(own(&whole, Kind::RoleDefinitions, principal), [Reason::NotAsked]);
    let refused = tenant(flat().denied(Kind::RoleAssignments, SUB));
    assert_eq!(own(&refused, Kind::RoleAssignments, principal), [Reason::Forbidden]);
    let directory = tenant(flat().gap(Kind::ManagedIdentityPrincipals, "directory", Reason::Forbidden));
    assert_eq!(own(&directory, Kind::ManagedIdentityPrincipals, &vault_id("kv1")), [Reason::Forbidden]);
}

#[test]
fn a_question_that_follows_from_what_was_found_and_was_never_put_is_missing() {
    let found = tenant(flat());
    assert_eq!(own(&found, Kind::DiagnosticSettings, &vault_id("kv1")), [Reason::NotAsked]);
    assert_eq!(missing(&found, Kind::DiagnosticSettings), [Reason::NotAsked]);
    assert_eq!(missing(&found, Kind::Resources), [Reason::NotAsked]);
    assert_eq!(missing(&found, Kind::FederatedCredentials), []);
}

#[test]
fn members_of_a_group_that_the_directory_knows_must_have_been_asked_for() {
    let groups = json!([{"@odata.type": "#microsoft.graph.group", "id": "G1", "displayName": "Ops"}]);
    let builder = CaptureBuilder::default().answer(Kind::Principals, "directory", list(groups));
    assert_eq!(missing(&tenant(builder.clone()), Kind::GroupMembers), [Reason::NotAsked]);
    let members = json!([{"@odata.type": "#microsoft.graph.user", "id": "U1"}]);
    let found = tenant(builder.answer(Kind::GroupMembers, "group:g1", list(members)));
    assert_eq!(missing(&found, Kind::GroupMembers), []);
    assert_eq!(found.members["g1"][0].id, "u1");
}
