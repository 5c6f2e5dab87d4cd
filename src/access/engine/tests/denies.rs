use serde_json::json;

use crate::access::testing::{EVERYONE, SUB, Small, can, get_secret, group_id, only, vault_id};
use crate::access::{Answer, Capability};
use crate::evidence::Reason;
use crate::model::Id;

const GET: &str = "Microsoft.KeyVault/vaults/secrets/getSecret/action";

fn held() -> Small {
    get_secret().assign("reads", "u1", SUB)
}

/// The answer about reading secrets when this is denied and enforced.
fn denied(small: Small, scope: &str, principal: &str, patch: serde_json::Value) -> Answer {
    let mut enforced = json!({"denyAssignmentEffect": "Enforced"});
    for (name, value) in patch.as_object().into_iter().flatten() {
        enforced[name] = value.clone();
    }
    only(&small.deny(scope, principal, &enforced).access(), Capability::ReadSecret).answer
}

#[test]
fn an_enforced_deny_is_final_at_every_scope_above() {
    for scope in [SUB.to_owned(), vault_id("kv1"), group_id("prod"), format!("{SUB}/resourceGroups/rg")] {
        assert_eq!(denied(held(), &scope, "u1", json!({})), Answer::Denied, "{scope}");
        assert_eq!(denied(held(), &scope, EVERYONE, json!({})), Answer::Denied, "{scope}");
    }
    let access = held().deny(SUB, "u1", &json!({"denyAssignmentEffect": "enforced"})).access();
    let path = only(&access, Capability::ReadSecret).paths[0].clone();
    let open = path.open.clone().expect("why");
    assert_eq!(open.detail, format!("deny assignment `stop` at `{SUB}` forbids it"));
    assert!(path.evidence().any(|cite| Some(cite) == open.from.as_ref()));
}

#[test]
fn a_deny_that_only_audits_or_tells_no_effect_takes_nothing_for_certain() {
    assert_eq!(denied(held(), SUB, "u1", json!({"denyAssignmentEffect": "audit"})), Answer::Allowed);
    assert_eq!(denied(held(), SUB, "u1", json!({"denyAssignmentEffect": null})), Answer::NotDetermined);
    assert_eq!(denied(held(), SUB, "u1", json!({"denyAssignmentEffect": "later"})), Answer::NotDetermined);
}

#[test]
fn a_deny_names_and_leaves_out_through_groups() {
    let grouped = || held().group("g1", &["u1"]);
    let without = |id: &str| json!({"excludePrincipals": [{"id": id}]});
    assert_eq!(denied(grouped(), SUB, "g1", json!({})), Answer::Denied);
    assert_eq!(denied(grouped(), SUB, EVERYONE, without("g1")), Answer::Allowed);
    assert_eq!(denied(grouped(), SUB, EVERYONE, without("u1")), Answer::Allowed);
    assert_eq!(denied(held().group("g1", &[]), SUB, "g1", json!({})), Answer::Allowed);
    assert_eq!(denied(held().unread_group("g1"), SUB, "g1", json!({})), Answer::NotDetermined);
    assert_eq!(denied(held().unread_group("g1"), SUB, EVERYONE, without("g1")), Answer::NotDetermined);
}

#[test]
fn a_deny_takes_its_actions_without_its_not_actions() {
    let entries = |entry: serde_json::Value| json!({"permissions": [entry]});
    for (entry, expected) in [
        (json!({"dataActions": ["*"]}), Answer::Denied),
        (json!({"actions": ["*"]}), Answer::Allowed),
        (json!({"dataActions": ["*"], "notDataActions": [GET]}), Answer::Allowed),
        (json!({"dataActions": [GET], "condition": "@Environment[x] StringEquals 'y'"}), Answer::NotDetermined),
        (
            json!({"dataActions": [GET], "condition": "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv2'"}),
            Answer::Allowed,
        ),
        (
            json!({"dataActions": [GET], "condition": "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv1'"}),
            Answer::Denied,
        ),
    ] {
        assert_eq!(denied(held(), SUB, "u1", entries(entry.clone())), expected, "{entry}");
    }
    let two = json!({"permissions": [{"dataActions": ["*"], "notDataActions": [GET]}, {"dataActions": [GET]}]});
    assert_eq!(denied(held(), SUB, "u1", two), Answer::Denied, "each entry takes by itself");
}

#[test]
fn a_deny_is_sure_only_under_both_readings_of_a_wildcard() {
    let manage = |entry: serde_json::Value| {
        let patch = json!({"denyAssignmentEffect": "enforced", "permissions": [entry]});
        let small =
            Small::rbac().role("writer", json!([{"actions": ["Microsoft.KeyVault/*"]}])).assign("writer", "u1", SUB);
        only(&small.deny(SUB, "u1", &patch).access(), Capability::ManageVault).answer
    };
    let wide = "Microsoft.KeyVault/vaults/*/write";
    assert_eq!(manage(json!({"actions": ["*"], "notActions": [wide]})), Answer::NotDetermined);
    assert_eq!(manage(json!({"actions": [wide]})), Answer::NotDetermined);
    assert_eq!(manage(json!({"actions": ["Microsoft.KeyVault/vaults/*"]})), Answer::Denied);
}

#[test]
fn a_deny_on_one_secret_is_told_of_that_secret_alone() {
    let secret = format!("{}/secrets/db", vault_id("kv1"));
    let access = held().deny(&secret, "u1", &json!({"denyAssignmentEffect": "enforced"})).access();
    let grants = access.can(&Id::new(vault_id("kv1")), Capability::ReadSecret);
    let found: Vec<(&str, Answer)> = grants.iter().map(|grant| (grant.object.name(), grant.answer)).collect();
    assert_eq!(found, [("kv1", Answer::Allowed), ("db", Answer::Denied)]);
    let of = |object: String| access.answer("u1", &Id::new(object), Capability::ReadSecret).answer;
    assert_eq!(of(secret.to_uppercase()), Some(Answer::Denied));
    assert_eq!(of(format!("{secret}2")), Some(Answer::Allowed), "`db2` does not lie in `db`");
    assert_eq!(of(vault_id("kv1")), Some(Answer::Allowed));
    // The certificate with that name has its private key there.
    let key = access.answer("u1", &Id::new(format!("{}/certificates/db", vault_id("kv1"))), Capability::ReadPrivateKey);
    assert_eq!(key.answer, Some(Answer::Denied));
}

#[test]
fn a_deny_on_one_secret_does_not_keep_the_writer_of_the_vault_from_granting_it() {
    let secret = format!("{}/secrets/db", vault_id("kv1"));
    let all = json!({"denyAssignmentEffect": "enforced", "permissions": [{"actions": ["*"]}]});
    let owner = |small: Small| small.role("owner", json!([{"actions": ["*"]}])).assign("owner", "u1", &vault_id("kv1"));
    let answer = |small: Small| {
        let access = owner(small).deny(&secret, EVERYONE, &all).access();
        access.answer("u1", &Id::new(&*secret), Capability::GrantAccess).answer
    };
    assert_eq!(answer(Small::policies(json!([]))), Some(Answer::Allowed));
    assert_eq!(answer(Small::rbac()), Some(Answer::Denied));
}

#[test]
fn a_deny_is_final_for_a_role_that_nobody_has_read() {
    let enforced = json!({"denyAssignmentEffect": "enforced"});
    let access = Small::rbac().assign("lost", "u1", SUB).deny(SUB, "u1", &enforced).access();
    assert_eq!(only(&access, Capability::ReadSecret).answer, Answer::Denied);
    assert_eq!(only(&access, Capability::Sign).answer, Answer::NotDetermined);
}

#[test]
fn a_deny_of_one_action_leaves_what_another_gives() {
    let both = Small::rbac()
        .data_role("both", &["secrets/getSecret/action", "secrets/backup/action"])
        .assign("both", "u1", SUB);
    let get = json!({"denyAssignmentEffect": "enforced", "permissions": [{"dataActions": [GET]}]});
    let access = both.deny(SUB, "u1", &get).access();
    let kv1 = |answer| [("u1".to_owned(), answer)];
    assert_eq!(can(&access, "kv1", Capability::ReadSecret), kv1(Answer::Allowed), "by backup");
    assert_eq!(can(&access, "kv1", Capability::ReadPrivateKey), kv1(Answer::Denied));
}

#[test]
fn what_a_deny_says_has_a_reason() {
    let access = held().deny(SUB, "u1", &json!({})).access();
    let open = only(&access, Capability::ReadSecret).paths[0].open.clone().expect("why");
    assert_eq!(open.reason, Reason::DenyNotEvaluated);
    let why = "may forbid it: whether it is enforced or only audits is not told";
    assert_eq!(open.detail, format!("deny assignment `stop` at `{SUB}` {why}"));
}
