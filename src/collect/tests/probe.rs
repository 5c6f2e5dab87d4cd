//! The questions before a run: whether each would be answered, and what the identity holds itself.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::*;
use super::script::*;
use crate::evidence::{Kind, Reason};

const ME: &str = "eeeeeeee-0000-0000-0000-00000000000e";

const SEEN_NONE: &str = "it was answered, and nothing was seen of what allows that";

struct Quiet;

impl Progress for Quiet {}

fn probed(script: Script) -> (Probe, Vec<crate::azure::Ask>) {
    let script = Arc::new(script);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let probe = runtime.block_on(probe(&door(script.clone()), &request(Expected::default()), &Quiet));
    (probe.expect("questions"), script.asked())
}

fn state(probe: &Probe, kind: Kind) -> State {
    probe.questions.iter().find(|asked| asked.kind == kind).unwrap_or_else(|| panic!("{kind:?}")).state
}

#[test]
fn each_kind_is_asked_in_its_cheapest_form_and_the_other_table_may_be_missing() {
    let (probe, asked) = probed(tenant());
    assert!(probe.questions.iter().all(|asked| asked.state.is_good()), "{:#?}", probe.questions);
    let kinds: std::collections::BTreeSet<Kind> = probe.questions.iter().map(|asked| asked.kind).collect();
    assert_eq!(kinds.len(), Kind::ALL.len());
    assert_eq!(state(&probe, Kind::ManagementGroupDescendants), State::NotAsked);
    assert_eq!(state(&probe, Kind::VaultLogLegacy), State::NoTable);
    assert_eq!(state(&probe, Kind::FederatedCredentials), State::NotAsked);
    assert!(asked.iter().any(|ask| ask.url.ends_with("/resources?api-version=2021-04-01&$top=1")));
    assert!(asked.iter().any(|ask| ask.url.contains("/v1.0/servicePrincipals?") && ask.url.ends_with("&$top=1")));
    let queries: Vec<&str> =
        asked.iter().filter(|ask| ask.url.ends_with("/query")).filter_map(|ask| ask.body.as_deref()).collect();
    let of_logs = Kind::ALL.iter().filter(|kind| kind.is_log() && **kind != Kind::LogContinuity).count();
    assert_eq!(queries.len(), of_logs + 8, "and the continuity of eight tables");
    assert!(queries.iter().all(|query| query.contains("| take 1")), "{queries:?}");
    assert_eq!(probe.clock_offset, Some(-3));
}

#[test]
fn a_form_that_is_not_known_is_replaced_by_the_plain_one() {
    let bad = json!({"error": {"code": "BadRequest"}});
    let (probe, asked) = probed(tenant().before("$top=1", 400, bad));
    assert_eq!(state(&probe, Kind::Resources), State::Works);
    assert_eq!(asked.iter().filter(|ask| ask.url.contains("/resources?api-version=2021")).count(), 2);
}

#[test]
fn a_refusal_names_what_it_takes() {
    let forbidden = json!({"error": {"code": "AuthorizationFailed"}});
    let (probe, _) = probed(tenant().before("Microsoft.KeyVault/deletedVaults", 403, forbidden));
    let refused: Vec<&Probed> = probe.questions.iter().filter(|asked| !asked.state.is_good()).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0].kind, refused[0].state), (Kind::DeletedVaults, State::Refused));
    assert_eq!(refused[0].permissions, ["Microsoft.KeyVault/deletedVaults/read"]);
}

#[test]
fn a_workspace_without_either_table_is_no_good() {
    let no_table = json!({"error": {"code": "BadArgumentError", "innererror": {"code": "SemanticError"}}});
    let (probe, _) = probed(tenant().before("/query", 400, no_table));
    assert_eq!(state(&probe, Kind::VaultLogDedicated), State::NotThere);
}

#[test]
fn without_a_good_token_one_question_is_enough() {
    let expired = json!({"error": {"code": "ExpiredAuthenticationToken"}});
    let (probe, _) = probed(tenant().before("/subscriptions?", 401, expired));
    assert_eq!(probe.questions.len(), 1);
    assert_eq!(probe.questions[0].reason, Some(Reason::Unauthenticated));
}

fn own(script: Script) -> OwnRights {
    let script = Arc::new(Script { object_id: Some(ME.to_owned()), ..script });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(own_rights(&door(script), &request(Expected::default()))).expect("questions")
}

fn assignment(name: &str, principal: &str, kind: &str) -> Value {
    json!({"id": format!("{SUB}/providers/Microsoft.Authorization/roleAssignments/{name}"),
        "properties": {"principalId": principal, "principalType": kind, "scope": SUB,
            "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/R1"}})
}

fn definitions() -> Value {
    json!({"value": [{"id": "/x/roleDefinitions/r1", "properties": {"roleName": "Wide", "permissions": [{"actions": ["*"]}]}}]})
}

#[test]
fn own_roles_are_those_that_azure_says_reach_the_identity() {
    let answer = json!({"value": [assignment("a1", ME, "ServicePrincipal"), assignment("a2", GROUP, "Group")]});
    let script = tenant().before("/roleDefinitions", 200, definitions()).before("assignedTo", 200, answer);
    let own = own(script);
    assert!(own.unread.is_empty(), "{:?}", own.unread);
    let found: Vec<(&str, Option<&str>)> =
        own.roles.iter().map(|role| (role.role.as_str(), role.group.as_deref())).collect();
    assert_eq!(found, [("Wide", None), ("Wide", Some(GROUP))]);
    assert_eq!(own.roles[0].entries[0].actions, ["*"]);
}

#[test]
fn where_that_form_is_not_answered_groups_are_expanded() {
    let all = json!({"value": [assignment("a1", CALLER, "User"), assignment("a2", GROUP, "Group")]});
    let members = json!({"value": [{"id": ME.to_uppercase()}]});
    let script = tenant()
        .before("/roleDefinitions", 200, definitions())
        .before("/roleAssignments", 200, all)
        .before("/transitiveMembers", 200, members)
        .before("assignedTo", 400, json!({"error": {"code": "BadRequest"}}));
    let own = own(script);
    assert_eq!(own.roles.iter().map(|role| role.group.as_deref()).collect::<Vec<_>>(), [Some(GROUP)]);
}

#[test]
fn what_was_not_read_is_told() {
    let forbidden = json!({"error": {"code": "AuthorizationFailed"}});
    let refused = own(tenant().before("filter=assignedTo", 403, forbidden));
    assert_eq!(refused.unread.len(), 1);
    assert!(refused.unread[0].starts_with(&format!("role assignments at `{SUB}`: HTTP 403")), "{:?}", refused.unread);
    let unknown_role = json!({"value": [assignment("a1", ME, "ServicePrincipal")]});
    let unknown = own(tenant().before("assignedTo", 200, unknown_role));
    assert!(unknown.unread[0].contains("is in no list of role definitions"), "{:?}", unknown.unread);
    let nobody = Arc::new(Script { object_id: None, ..tenant() });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let nobody = runtime.block_on(own_rights(&door(nobody), &request(Expected::default())));
    assert_eq!(nobody.expect("questions").unread, ["the token names no object id"]);
}

#[test]
fn an_identity_that_is_answered_holds_something() {
    let own = own(tenant().before("assignedTo", 200, empty()));
    assert_eq!(own.unread, [SEEN_NONE]);
}

#[test]
fn roles_above_the_subscriptions_count_and_each_once() {
    let group = "/providers/Microsoft.Management/managementGroups/m1";
    let answer = json!({"value": [assignment("a1", ME, "ServicePrincipal")]});
    let script = tenant()
        .before("/roleDefinitions", 200, definitions())
        .before("/roleAssignments", 200, empty())
        .before(&format!("{group}/providers/Microsoft.Authorization/roleAssignments"), 200, answer)
        .before("/managementGroups?", 200, json!({"value": [{"id": group}]}));
    let own = own(script);
    assert_eq!((own.roles.len(), own.unread.len()), (1, 0), "{own:?}");
}

#[test]
fn a_refusal_at_the_root_hides_nothing_where_azure_says_what_holds_below() {
    let forbidden = json!({"error": {"code": "AuthorizationFailed"}});
    let script = tenant().before("azure.com/providers/Microsoft.Authorization/roleAssignments", 403, forbidden).before(
        &format!("{SUB}/providers/Microsoft.Authorization/roleAssignments"),
        200,
        empty(),
    );
    assert_eq!(own(script).unread, [SEEN_NONE]);
}

#[test]
fn access_policies_that_name_the_identity_or_a_group_of_it_are_found() {
    let vault = |id: &str, policies: Value| json!({"id": id, "properties": {"accessPolicies": policies}});
    let vaults = json!({"value": [
        vault("/v", json!([
            {"objectId": CALLER, "permissions": {"secrets": ["all"]}},
            {"objectId": ME.to_uppercase(), "permissions": {"secrets": ["Get", "list"]}}])),
        vault("/w", json!([{"objectId": GROUP, "permissions": {"keys": ["sign"]}}])),
        vault("/x", json!([{"objectId": CALLER, "permissions": {"keys": ["sign"]}}])),
    ]});
    let found = |members: Value| {
        let script = tenant().before("assignedTo", 200, empty()).before("/transitiveMembers", 200, members).before(
            "Microsoft.KeyVault/vaults?",
            200,
            vaults.clone(),
        );
        let own = own(script);
        own.policies.into_iter().map(|policy| format!("{} {}", policy.vault, policy.permissions.join(" "))).collect()
    };
    let direct: Vec<String> = found(empty());
    assert_eq!(direct, ["/v secrets/get secrets/list"]);
    let through_group: Vec<String> = found(json!({"value": [{"id": ME}]}));
    assert_eq!(through_group, ["/v secrets/get secrets/list", "/w keys/sign"]);
}
