use serde_json::json;

use crate::access::testing::{SUB, Small, access_of, get_secret, only, vault_id};
use crate::access::{Answer, Capability, Unread};
use crate::evidence::Kind;
use crate::model::Id;

fn named(name: &str) -> String {
    format!("@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals '{name}'")
}

#[test]
fn a_condition_on_the_vaults_name_is_decided() {
    let of = |name: &str| {
        let text = format!("@Resource[Microsoft.KeyVault/vaults:name] StringEquals '{name}'");
        only(&get_secret().assign_when("reads", "u1", SUB, Some(&text)).access(), Capability::ReadSecret)
    };
    assert_eq!(of("kv1").answer, Answer::Allowed);
    let denied = of("kv2");
    assert_eq!(denied.answer, Answer::Denied);
    let detail = &denied.paths[0].open.as_ref().expect("why").detail;
    assert!(detail.starts_with("its condition cannot hold here: @Resource"), "{detail}");
}

#[test]
fn a_condition_on_the_secrets_name_is_decided_for_every_secret_that_is_listed() {
    let vault = Id::new(vault_id("kv1"));
    let secret = |name: &str| json!({"id": format!("{vault}/secrets/{name}"), "name": name, "properties": {}});
    let small = get_secret().assign_when("reads", "u1", SUB, Some(&named("db")));
    let list = json!({"value": [secret("db"), secret("web")]});
    let access = access_of(small.answers().answer(Kind::VaultSecrets, vault.shown(), list));
    let grants = access.can(&vault, Capability::ReadSecret);
    let found: Vec<(&str, Answer)> = grants.iter().map(|grant| (grant.object.name(), grant.answer)).collect();
    assert_eq!(found, [("kv1", Answer::Conditional), ("db", Answer::Allowed), ("web", Answer::Denied)]);
    let unlisted = access.answer("u1", &Id::new(format!("{vault}/secrets/db2")), Capability::ReadSecret);
    assert_eq!(unlisted.answer, Some(Answer::Denied));
    assert!(access.gaps(&vault).iter().all(|gap| gap.about != Unread::Condition));
}

#[test]
fn a_condition_that_is_not_parsed_is_shown_and_named_as_a_gap() {
    let access = get_secret().assign_when("reads", "u1", SUB, Some("whatever this is")).access();
    let grant = only(&access, Capability::ReadSecret);
    assert_eq!(grant.answer, Answer::Conditional);
    let detail = &grant.paths[0].open.as_ref().expect("why").detail;
    assert_eq!(detail, "it holds only when: whatever this is (not parsed)");
    let gaps = access.gaps(&Id::new(vault_id("kv1")));
    assert!(gaps.iter().any(|gap| gap.about == Unread::Condition && gap.name == SUB), "{gaps:#?}");
}

#[test]
fn a_delegation_is_worth_what_the_roles_are_worth_that_it_lets_assign() {
    let only_role =
        |role: &str| format!("@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] GuidEquals {role}");
    let granting = |role: &str| json!([{"actions": ["Microsoft.Authorization/roleAssignments/write"], "condition": only_role(role)}]);
    let of = |role: &str| {
        let small = get_secret()
            .role("writer", json!([{"actions": ["Microsoft.KeyVault/vaults/write"]}]))
            .role("itself", granting("itself"))
            .role("first", granting("second"))
            .role("second", granting("reads"))
            .role("third", granting("writer"))
            .assign(role, "u1", SUB);
        only(&small.access(), Capability::GrantAccess).answer
    };
    assert_eq!(of("itself"), Answer::Denied, "it may assign itself alone, and that is worth nothing");
    assert_eq!(of("second"), Answer::Allowed);
    assert_eq!(of("first"), Answer::Allowed, "by one that it may assign");
    assert_eq!(of("third"), Answer::Conditional, "who may write the vault may perhaps open it");
}

/// A holder who may assign this role alone, and to whom.
fn delegated(role: &str, and: &str) -> Answer {
    let text = format!(
        "((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/write'}})) OR \
         (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{role}}}{and}))"
    );
    let access = get_secret()
        .role("plain", json!([{"actions": ["Microsoft.Compute/*"]}]))
        .role("grants", json!([{"actions": ["Microsoft.Authorization/roleAssignments/write"]}]))
        .assign_when("grants", "u1", SUB, Some(&text))
        .access();
    only(&access, Capability::GrantAccess).answer
}

#[test]
fn who_may_assign_a_role_that_reads_may_grant_himself_access() {
    let kind = |kind: &str| {
        format!(" AND @Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEqualsIgnoreCase '{kind}'")
    };
    assert_eq!(delegated("reads", ""), Answer::Allowed);
    assert_eq!(delegated("plain", ""), Answer::Denied, "a role of no use on a vault");
    assert_eq!(delegated("plain, reads", ""), Answer::Allowed);
    assert_eq!(delegated("unread", ""), Answer::Conditional, "what it gives is not known");
    assert_eq!(delegated("reads", &kind("User")), Answer::Allowed);
    assert_eq!(delegated("reads", &kind("ServicePrincipal")), Answer::Conditional, "to others, not to himself");
}

#[test]
fn a_condition_says_nothing_about_actions_that_it_does_not_name() {
    let text =
        format!("(!(ActionMatches{{'Microsoft.KeyVault/vaults/secrets/getSecret/action'}})) OR ({})", named("db"));
    let small = Small::rbac().data_role("all", &["*"]).assign_when("all", "u1", SUB, Some(&text));
    let access = small.access();
    assert_eq!(only(&access, Capability::DestroySecret).answer, Answer::Allowed);
    assert_eq!(only(&access, Capability::ReadPrivateKey).answer, Answer::Conditional);
    assert_eq!(only(&access, Capability::ReadSecret).answer, Answer::Allowed, "by backup, which it leaves alone");
}
