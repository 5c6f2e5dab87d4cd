//! Cases worked out by hand, each named for the rule that it shows.
#![allow(clippy::needless_pass_by_value)] // `json!` is easier to read without a reference before it

mod conditions;
mod denies;
mod eligible;

use serde_json::{Value, json};

use crate::access::testing::{
    EVERYONE, SUB, Small, access_of, allowed, can, get_secret, group_id, only, open, vault_id,
};
use crate::access::{Answer, Capability, Via};
use crate::evidence::testing::TENANT;
use crate::evidence::{Kind, Reason};
use crate::model::Id;

#[test]
fn a_role_at_the_vault_gives_its_data_actions_there() {
    let access = get_secret().assign("reads", "s1", &vault_id("kv1")).access();
    let grant = only(&access, Capability::ReadSecret);
    assert_eq!((&*grant.principal_id, grant.answer), ("s1", Answer::Allowed));
    assert_eq!(grant.object, Id::new(vault_id("kv1")));
    assert!(matches!(&*grant.paths[0].via, Via::Role { role_name, .. } if role_name == "reads"));
    let evidence = access.evidence(&grant.object, &grant.paths[0]);
    let cited: Vec<&str> = evidence.iter().map(|cite| cite.record()).collect();
    assert_eq!(cited, ["ev-0006", "ev-0005", "ev-0004"], "assignment, definition, vault");
    assert_eq!(can(&access, "kv1", Capability::ReadPrivateKey), allowed(&["s1"]));
    assert_eq!(can(&access, "kv1", Capability::ChangeSecret), []);
}

#[test]
fn what_one_role_takes_from_itself_another_may_give() {
    let access = Small::rbac()
        .role("most", json!([{"dataActions": ["Microsoft.KeyVault/vaults/*"], "notDataActions": ["*/getSecret/action", "*/backup/action"]}]))
        .data_role("reads", &["secrets/getSecret/action"])
        .assign("most", "u1", SUB)
        .assign("most", "u2", SUB)
        .assign("reads", "u1", SUB)
        .access();
    assert_eq!(can(&access, "kv1", Capability::ReadSecret), allowed(&["u1"]));
    assert_eq!(can(&access, "kv1", Capability::DestroySecret), allowed(&["u1", "u2"]));
}

#[test]
fn what_one_entry_takes_another_entry_of_the_same_role_may_give() {
    let access = Small::rbac()
        .role(
            "two",
            json!([{"actions": ["*"], "notActions": ["Microsoft.Authorization/*/write"]},
                            {"actions": ["Microsoft.Authorization/roleAssignments/write"]}]),
        )
        .assign("two", "u1", SUB)
        .access();
    assert_eq!(can(&access, "kv1", Capability::GrantAccess), allowed(&["u1"]));
}

#[test]
fn every_control_plane_action_gives_no_data_access() {
    let access = Small::rbac().role("owner", json!([{"actions": ["*"]}])).assign("owner", "u1", SUB).access();
    assert_eq!(can(&access, "kv1", Capability::ReadSecret), []);
    assert_eq!(can(&access, "kv1", Capability::GrantAccess), allowed(&["u1"]));
    assert_eq!(can(&access, "kv1", Capability::ManageVault), allowed(&["u1"]));
}

#[test]
fn every_data_action_gives_no_control() {
    let access = Small::rbac().data_role("admin", &["*"]).assign("admin", "u1", SUB).access();
    for capability in Capability::ALL.iter().filter(|capability| capability.is_data()) {
        assert_eq!(can(&access, "kv1", *capability), allowed(&["u1"]), "{capability:?}");
    }
    assert_eq!(can(&access, "kv1", Capability::GrantAccess), []);
    assert_eq!(can(&access, "kv1", Capability::ManageVault), []);
}

#[test]
fn a_role_on_kv1_says_nothing_about_kv10() {
    let access = get_secret().vault("kv10", true, json!([])).assign("reads", "u1", &vault_id("kv1")).access();
    assert_eq!(can(&access, "kv1", Capability::ReadSecret), allowed(&["u1"]));
    assert_eq!(can(&access, "kv10", Capability::ReadSecret), []);
    let on_object = format!("{}/secrets/db", vault_id("kv10"));
    let access = get_secret().vault("kv10", true, json!([])).assign("reads", "u1", &on_object).access();
    assert_eq!(can(&access, "kv1", Capability::ReadSecret), []);
}

#[test]
fn a_role_is_inherited_from_a_management_group_through_a_nested_group() {
    let access = get_secret()
        .assign("reads", "g-outer", &group_id("prod"))
        .group("g-outer", &["g-inner"])
        .group("g-inner", &["s1"])
        .access();
    let grant = only(&access, Capability::ReadSecret);
    assert_eq!((&*grant.principal_id, grant.answer), ("s1", Answer::Allowed));
    let hops: Vec<&str> = grant.paths[0].through.iter().map(|hop| hop.group_id.as_str()).collect();
    assert_eq!(hops, ["g-outer", "g-inner"]);
    assert_eq!(grant.paths[0].scope, Id::new(group_id("prod")));
    assert!(access.open_groups().is_empty());
}

#[test]
fn groups_that_hold_each_other_come_to_an_end() {
    let access = get_secret().assign("reads", "g1", SUB).group("g1", &["g2", "u1"]).group("g2", &["g1", "u2"]).access();
    assert_eq!(can(&access, "kv1", Capability::ReadSecret), allowed(&["u1", "u2"]));
}

#[test]
fn a_role_at_the_root_reaches_every_vault_and_one_at_another_group_does_not() {
    let access = get_secret().assign("reads", "u1", "/").assign("reads", "u2", &group_id("test")).access();
    assert_eq!(can(&access, "kv1", Capability::ReadSecret), allowed(&["u1"]));
}

#[test]
fn paths_are_listed_from_the_widest_scope_down() {
    let access = get_secret()
        .assign("reads", "u1", &vault_id("kv1"))
        .assign("reads", "u1", SUB)
        .assign("reads", "u1", &group_id("prod"))
        .assign("reads", "u1", &format!("{}/secrets/db", vault_id("kv1")))
        .assign("reads", "u1", "/")
        .assign("reads", "u1", &group_id(TENANT))
        .access();
    let grant = only(&access, Capability::ReadSecret);
    let names: Vec<&str> = grant.paths.iter().map(|path| path.scope.name()).collect();
    assert_eq!(names, ["", TENANT, "prod", "aaaaaaaa-0000-0000-0000-000000000001", "kv1", "db"]);
}

#[test]
fn a_role_on_one_secret_is_a_grant_on_that_object() {
    let secret = format!("{}/secrets/db", vault_id("kv1"));
    let access = get_secret()
        .data_role("keys", &["keys/*"])
        .assign("reads", "u1", &secret)
        .assign("keys", "u1", &secret)
        .access();
    assert_eq!(only(&access, Capability::ReadSecret).object, Id::new(secret));
    assert_eq!(can(&access, "kv1", Capability::Decrypt), [], "a secret is no key");
}

#[test]
fn a_vault_in_access_policy_mode_ignores_data_roles() {
    let access = Small::policies(json!([])).data_role("admin", &["*"]).assign("admin", "u1", SUB).access();
    assert!(access.on(&Id::new(vault_id("kv1"))).is_empty());
    assert_eq!(access.held_by("U1").len(), 1, "it is still held");
}

#[test]
fn a_vault_in_rbac_mode_ignores_access_policies() {
    let policy = json!([{"tenantId": TENANT, "objectId": "u1", "permissions": {"secrets": ["all"]}}]);
    let access = Small::default().vault("kv1", true, policy).knows(&["u1"]).access();
    assert!(access.on(&Id::new(vault_id("kv1"))).is_empty());
}

#[test]
fn whoever_may_write_a_vault_with_access_policies_may_grant_access_to_it() {
    let writer = json!([{"actions": ["Microsoft.KeyVault/vaults/write"]}]);
    let access = Small::policies(json!([]))
        .role("writer", writer.clone())
        .role("policies", json!([{"actions": ["Microsoft.KeyVault/vaults/accessPolicies/write"]}]))
        .assign("writer", "u1", SUB)
        .assign("policies", "u2", SUB)
        .access();
    assert_eq!(can(&access, "kv1", Capability::GrantAccess), allowed(&["u1", "u2"]));
    assert_eq!(can(&access, "kv1", Capability::ManageVault), allowed(&["u1"]));
    let access = Small::rbac().role("writer", writer).assign("writer", "u1", SUB).access();
    assert_eq!(can(&access, "kv1", Capability::GrantAccess), []);
}

#[test]
fn whoever_may_write_vaults_inside_one_alone_may_grant_nothing() {
    let secret = format!("{}/secrets/db", vault_id("kv1"));
    let inside = |action: &str| {
        let small = Small::policies(json!([])).role("writes", json!([{"actions": [action]}]));
        can(&small.assign("writes", "u1", &secret).access(), "kv1", Capability::GrantAccess)
    };
    for action in ["Microsoft.KeyVault/vaults/write", "Microsoft.KeyVault/vaults/accessPolicies/write"] {
        assert_eq!(inside(action), []);
    }
    assert_eq!(inside("Microsoft.Authorization/roleAssignments/write"), allowed(&["u1"]));
}

#[test]
fn access_policies_give_what_they_list_to_the_members_of_their_group() {
    let policy = json!([{"tenantId": TENANT, "objectId": "G1", "permissions": {"secrets": ["Get", "List"], "keys": ["unwrapKey"]}}]);
    let access = Small::policies(policy).group("g1", &["s1"]).access();
    let given: Vec<Capability> = access.on(&Id::new(vault_id("kv1"))).iter().map(|grant| grant.capability).collect();
    use Capability::{Decrypt, ListSecrets, ReadPrivateKey, ReadSecret};
    assert_eq!(given, [ReadSecret, ListSecrets, Decrypt, ReadPrivateKey]);
    assert_eq!(can(&access, "kv1", ReadSecret), allowed(&["s1"]));
}

#[test]
fn all_in_an_access_policy_takes_in_purge() {
    let policy = json!([{"tenantId": TENANT, "objectId": "u1", "permissions": {"secrets": ["all"], "keys": ["all"]}}]);
    let access = Small::policies(policy).knows(&["u1"]).access();
    for capability in Capability::ALL.iter().filter(|capability| capability.is_data()) {
        assert_eq!(can(&access, "kv1", *capability), allowed(&["u1"]), "{capability:?}");
    }
}

#[test]
fn a_policy_for_an_application_acting_for_somebody_is_not_settled() {
    let policy =
        json!([{"tenantId": TENANT, "objectId": "u1", "applicationId": "app", "permissions": {"secrets": ["get"]}}]);
    let access = Small::policies(policy).knows(&["u1"]).access();
    let (reason, detail) = open(&access, Capability::ReadSecret);
    assert_eq!(reason, Reason::ConditionNotEvaluated);
    assert_eq!(detail, "it holds only for application `app` acting for this principal");
}

#[test]
fn a_policy_for_another_tenant_is_not_settled() {
    let policy = json!([{"tenantId": "other", "objectId": "u1", "permissions": {"secrets": ["get"]}}]);
    let access = Small::policies(policy).knows(&["u1"]).access();
    assert_eq!(open(&access, Capability::ReadSecret).0, Reason::PrincipalUnresolved);
}

#[test]
fn a_policy_that_names_a_tenant_on_a_vault_that_names_none_is_held_against_this_one() {
    let of = |tenant: &str| {
        let policy = json!([{"objectId": "u1", "tenantId": tenant, "permissions": {"secrets": ["get"]}}]);
        let mut small = Small::policies(policy).knows(&["u1"]);
        small.vaults[0]["properties"]["tenantId"] = Value::Null;
        can(&small.access(), "kv1", Capability::ReadSecret)
    };
    assert_eq!(of(TENANT), allowed(&["u1"]));
    assert_eq!(of("another"), [("u1".to_owned(), Answer::NotDetermined)]);
}

#[test]
fn a_condition_on_the_assignment_leaves_the_answer_open_with_its_text() {
    let access = get_secret().assign_when("reads", "u1", SUB, Some("@Resource[name] StringEquals 'a'")).access();
    let (reason, detail) = open(&access, Capability::ReadSecret);
    assert_eq!(reason, Reason::ConditionNotEvaluated);
    assert_eq!(detail, "it holds only when: @Resource[name] StringEquals 'a'");
}

#[test]
fn a_condition_in_the_role_leaves_the_answer_open_unless_another_entry_grants_without() {
    let granting = |condition: Value| json!({"actions": ["Microsoft.Authorization/roleAssignments/write"], "condition": condition});
    let role = |entries: Value| Small::rbac().role("r", entries).assign("r", "u1", SUB).access();
    assert_eq!(
        open(&role(json!([granting(json!("x"))])), Capability::GrantAccess).1,
        "it holds only when: x (not parsed)"
    );
    let both = role(json!([granting(json!("x")), granting(json!(null))]));
    assert_eq!(can(&both, "kv1", Capability::GrantAccess), allowed(&["u1"]));
}

#[test]
fn one_settled_path_is_enough() {
    let access =
        get_secret().assign_when("reads", "u1", SUB, Some("x")).assign("reads", "u1", &vault_id("kv1")).access();
    let grant = only(&access, Capability::ReadSecret);
    assert_eq!((grant.answer, grant.paths.len()), (Answer::Allowed, 2));
}

#[test]
fn an_unsettled_role_on_the_vault_does_not_hide_a_settled_one_on_a_secret() {
    let secret = format!("{}/secrets/db", vault_id("kv1"));
    let access = get_secret().assign_when("reads", "u1", SUB, Some("x")).assign("reads", "u1", &secret).access();
    let vault = Id::new(vault_id("kv1"));
    let grants = access.can(&vault, Capability::ReadSecret);
    let found: Vec<(&str, Answer)> = grants.iter().map(|grant| (grant.object.name(), grant.answer)).collect();
    assert_eq!(found, [("kv1", Answer::Conditional), ("db", Answer::Allowed)]);
}

#[test]
fn a_role_whose_definition_was_not_read_may_give_anything() {
    let access = Small::rbac().assign("lost", "u1", SUB).access();
    assert_eq!(
        open(&access, Capability::ReadSecret),
        (Reason::RoleDefinitionUnknown, "role definition `lost` was not read".to_owned())
    );
    assert_eq!(can(&access, "kv1", Capability::Sign), [("u1".to_owned(), Answer::NotDetermined)]);
}

#[test]
fn a_deny_assignment_that_may_apply_leaves_the_answer_open() {
    let base = || get_secret().assign("reads", "g1", SUB).group("g1", &["u1"]).group("g2", &["u1"]);
    let reasons = |small: Small| {
        let grant = only(&small.access(), Capability::ReadSecret);
        (grant.answer, grant.paths[0].open.as_ref().map(|open| open.reason))
    };
    let is_open = (Answer::NotDetermined, Some(Reason::DenyNotEvaluated));
    let is_allowed = (Answer::Allowed, None);
    let none = json!({});
    assert_eq!(reasons(base().deny(SUB, "u1", &none)), is_open);
    assert_eq!(reasons(base().deny(SUB, "G2", &none)), is_open, "through another group");
    assert_eq!(reasons(base().deny(SUB, EVERYONE, &none)), is_open);
    assert_eq!(reasons(base().deny(SUB, EVERYONE, &json!({"excludePrincipals": [{"id": "g1"}]}))), is_allowed);
    assert_eq!(reasons(base().unread_group("g3").deny(SUB, "g3", &none)), is_open, "its members were not read");
    assert_eq!(reasons(base().deny(SUB, "u1", &json!({"denyAssignmentEffect": "Audit"}))), is_allowed);
    assert_eq!(reasons(base().knows(&["u2"]).deny(SUB, "u2", &none)), is_allowed);
    assert_eq!(reasons(base().deny(SUB, "u1", &json!({"doNotApplyToChildScopes": true}))), is_allowed);
    assert_eq!(reasons(base().deny(&vault_id("kv2"), "u1", &none)), is_allowed);
    let keys = json!({"permissions": [{"dataActions": ["Microsoft.KeyVault/vaults/keys/*"]}]});
    assert_eq!(reasons(base().deny(SUB, "u1", &keys)), is_allowed);
}

#[test]
fn a_deny_assignment_leaves_open_what_no_further_action_gives() {
    let held = |actions: &[&str]| Small::rbac().data_role("reads", actions).assign("reads", "u1", SUB);
    let backup = json!({"permissions": [{"dataActions": ["Microsoft.KeyVault/vaults/secrets/backup/action"]}]});
    let both = ["secrets/getSecret/action", "secrets/backup/action"];
    let answer = |small: Small| only(&small.access(), Capability::ReadSecret).answer;
    assert_eq!(answer(held(&both).deny(SUB, "u1", &backup)), Answer::Allowed);
    assert_eq!(answer(held(&both[1..]).deny(SUB, "u1", &backup)), Answer::NotDetermined);
    assert_eq!(answer(held(&both).deny(SUB, "u1", &backup).deny(SUB, "u1", &json!({}))), Answer::NotDetermined);
}

#[test]
fn a_deny_assignment_holds_where_it_sits_and_on_what_it_is_about() {
    let secret = format!("{}/secrets/db", vault_id("kv1"));
    let key = format!("{}/keys/k", vault_id("kv1"));
    let all = json!({"permissions": [{"actions": ["*"], "dataActions": ["*"]}]});
    let held = |scope: &str| {
        Small::rbac().role("both", json!([{"actions": ["*"], "dataActions": ["*"]}])).assign("both", "u1", scope)
    };
    let answer = |small: Small, capability| only(&small.access(), capability).answer;
    // One that stays at the vault does not reach the secrets in it.
    let stays = json!({"doNotApplyToChildScopes": true});
    let at_vault = |small: Small| answer(small.deny(&vault_id("kv1"), "u1", &stays), Capability::ReadSecret);
    assert_eq!(at_vault(held(&secret)), Answer::Allowed);
    assert_eq!(at_vault(held(SUB)), Answer::NotDetermined);
    // One on a key takes that key away, and nothing else of the vault.
    let access = held(SUB).deny(&key, "u1", &all).access();
    let answers = |capability| -> Vec<(String, Answer)> {
        let grants = access.can(&Id::new(vault_id("kv1")), capability);
        grants.iter().map(|grant| (grant.object.name().to_owned(), grant.answer)).collect()
    };
    let vault = ("kv1".to_owned(), Answer::Allowed);
    assert_eq!(answers(Capability::Sign), [vault.clone(), ("k".to_owned(), Answer::NotDetermined)]);
    for capability in [Capability::ReadSecret, Capability::ManageVault] {
        assert_eq!(answers(capability), std::slice::from_ref(&vault), "{capability:?}");
    }
    assert_eq!(answers(Capability::GrantAccess), [vault, ("k".to_owned(), Answer::NotDetermined)]);
    let on_key = access.answer("u1", &Id::new(key), Capability::Sign);
    assert_eq!(on_key.answer, Some(Answer::NotDetermined));
}

#[test]
fn a_deny_assignment_at_a_group_of_unknown_place_may_apply() {
    let at_prod = || get_secret().assign("reads", "u1", SUB).deny(&group_id("prod"), "u1", &json!({})).answers();
    let unread = at_prod().denied(Kind::ManagementGroupDescendants, &group_id(TENANT));
    for answers in [at_prod(), unread] {
        assert_eq!(open(&access_of(answers), Capability::ReadSecret).0, Reason::DenyNotEvaluated);
    }
}

#[test]
fn a_deny_assignment_may_be_in_a_list_that_was_not_read() {
    let held = || get_secret().assign("reads", "u1", SUB);
    let (reason, detail) =
        open(&access_of(held().answers().denied(Kind::DenyAssignments, SUB)), Capability::ReadSecret);
    assert_eq!(reason, Reason::Forbidden);
    assert!(detail.starts_with(&format!("deny assignments at `{SUB}` may forbid it and were not read")), "{detail}");
    // Access policies know no denial.
    let policy = Small::policies(json!([{"objectId": "u1", "permissions": {"secrets": ["get"]}}])).knows(&["u1"]);
    let access = access_of(policy.answers().denied(Kind::DenyAssignments, SUB));
    assert_eq!(can(&access, "kv1", Capability::ReadSecret), allowed(&["u1"]));
}

#[test]
fn a_group_whose_members_were_not_read_stands_for_itself_and_is_told() {
    let access = get_secret().assign("reads", "g1", SUB).unread_group("g1").access();
    assert_eq!(can(&access, "kv1", Capability::ReadSecret), allowed(&["g1"]));
    let [open] = access.open_groups() else { panic!("one open group") };
    assert_eq!(open.reason, Reason::Forbidden);
    assert_eq!(open.detail, "the members of group `g1` were not read whole: as the test says");
    assert!(open.from.is_some());
}

#[test]
fn an_id_that_the_directory_did_not_tell_about_may_be_a_group() {
    let mut small = get_secret().assign("reads", "x1", SUB);
    small.principals.clear();
    let access = small.access();
    assert_eq!(can(&access, "kv1", Capability::ReadSecret), allowed(&["x1"]));
    assert_eq!(access.open_groups()[0].reason, Reason::PrincipalUnresolved);
}

#[test]
fn an_id_of_a_type_that_is_not_known_may_be_a_group_unless_the_assignment_tells() {
    let of = |told: Value| {
        let mut small = get_secret().assign("reads", "x1", SUB);
        small.principals = vec![json!({"id": "x1", "displayName": "odd"})];
        small.assignments[0]["properties"]["principalType"] = told;
        small.access()
    };
    let access = of(Value::Null);
    assert_eq!(can(&access, "kv1", Capability::ReadSecret), allowed(&["x1"]));
    assert_eq!(access.open_groups()[0].reason, Reason::PrincipalUnresolved);
    assert!(access.open_groups()[0].from.is_some());
    assert!(of(json!("ServicePrincipal")).open_groups().is_empty());
}

#[test]
fn roles_are_held_directly_and_through_groups_at_any_scope() {
    let access = get_secret()
        .assign("reads", "g1", "/subscriptions/other")
        .assign("reads", "u1", &vault_id("kv1"))
        .group("g1", &["u1"])
        .access();
    let held: Vec<usize> = access.held_by("U1").iter().map(|held| held.through.len()).collect();
    assert_eq!(held, [0, 1], "in the order of the assignments' ids");
    assert_eq!(access.held_by("g1").len(), 1);
    assert!(access.held_by("nobody").is_empty());
}
