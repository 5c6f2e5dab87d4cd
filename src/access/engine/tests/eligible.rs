use serde_json::{Value, json};

use crate::access::testing::{SUB, Small, access_of, allowed, can, get_secret, only, open, vault_id};
use crate::access::{Access, Answer, Capability, IdleWhy, Membership, Standing, Unread, Via};
use crate::evidence::testing::{CaptureBuilder, TENANT};
use crate::evidence::{Kind, Reason};
use crate::model::Id;

fn list(items: &[Value]) -> Value {
    json!({ "value": items })
}

fn schedule(role: &str, principal: &str, more: &Value) -> Value {
    let mut properties = json!({"scope": SUB, "principalId": principal,
        "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}")});
    for (name, value) in more.as_object().into_iter().flatten() {
        properties[name] = value.clone();
    }
    json!({"id": format!("{SUB}/providers/Microsoft.Authorization/instances/{role}-{principal}"), "properties": properties})
}

fn eligible(small: Small, role: &str, principal: &'static str, more: &Value) -> CaptureBuilder {
    let instances = list(&[schedule(role, principal, more)]);
    small.knows(&[principal]).answers().answer(Kind::RoleEligibilityScheduleInstances, SUB, instances)
}

fn membership(group: &str, principal: &str, access: &str) -> Value {
    json!({"groupId": group, "principalId": principal, "accessId": access})
}

#[test]
fn an_eligible_role_gives_nothing_before_its_activation_whose_rules_are_told() {
    let rules = json!([
        {"id": "Approval_EndUser_Assignment", "setting": {"isApprovalRequired": true}},
        {"id": "Enablement_EndUser_Assignment", "enabledRules": ["MultiFactorAuthentication"]},
        {"id": "Expiration_EndUser_Assignment", "maximumDuration": "PT2H"}]);
    let rules = list(&[schedule("reads", "x", &json!({"effectiveRules": rules}))]);
    let answers = eligible(get_secret(), "reads", "u1", &json!({}));
    let access = access_of(answers.answer(Kind::RoleManagementPolicyAssignments, SUB, rules));
    let grant = only(&access, Capability::ReadSecret);
    assert_eq!((grant.answer, grant.paths[0].open.is_none()), (Answer::Eligible, true));
    let [activation] = grant.paths[0].activations.as_slice() else { panic!("one activation") };
    assert_eq!((activation.of.as_str(), activation.approval, activation.mfa), ("reads", Some(true), Some(true)));
    assert_eq!((activation.longest_minutes, activation.ticket), (Some(120), Some(false)));
    assert!(matches!(&*grant.paths[0].via, Via::EligibleRole { ends: None, .. }));
    assert!(access.held_by("u1").is_empty(), "it is not held");
}

#[test]
fn an_eligible_role_is_reached_through_groups_and_is_worth_no_more_than_its_condition() {
    let through = access_of(eligible(get_secret().group("g1", &["u1"]), "reads", "g1", &json!({})));
    let grant = only(&through, Capability::ReadSecret);
    assert_eq!((&*grant.principal_id, grant.answer), ("u1", Answer::Eligible));
    let under = |condition: &str| {
        let access = access_of(eligible(get_secret(), "reads", "u1", &json!({ "condition": condition })));
        only(&access, Capability::ReadSecret).answer
    };
    assert_eq!(under("@Environment[x] StringEquals 'y'"), Answer::Conditional);
    assert_eq!(under("@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv1'"), Answer::Eligible);
    let lost = access_of(eligible(Small::rbac(), "lost", "u1", &json!({})));
    assert_eq!(only(&lost, Capability::ReadSecret).answer, Answer::NotDetermined);
    let over = access_of(eligible(get_secret(), "reads", "u1", &json!({"endDateTime": "2001-01-01T00:00:00Z"})));
    assert!(can(&over, "kv1", Capability::ReadSecret).is_empty());
}

#[test]
fn a_role_that_is_held_and_eligible_is_allowed() {
    let access = access_of(eligible(get_secret().assign("reads", "u1", SUB), "reads", "u1", &json!({})));
    let grant = only(&access, Capability::ReadSecret);
    assert_eq!((grant.answer, grant.paths.len()), (Answer::Allowed, 2));
}

#[test]
fn who_can_become_a_member_is_eligible_and_who_can_become_owner_is_not() {
    let grants = [
        membership("g1", "u2", "member"),
        membership("g1", "u3", "owner"),
        membership("g1", "u1", "member"),
        membership("g1", "g2", "member"),
        json!({"groupId": "g1", "principalId": "u5", "accessId": "member", "endDateTime": "2001-01-01T00:00:00Z"}),
    ];
    let small = get_secret().assign("reads", "g1", SUB).group("g1", &["u1"]).group("g2", &["u4"]);
    let small = small.knows(&["u2", "u3", "u5"]);
    let access = access_of(small.answers().answer(Kind::GroupEligibilities, "group:g1", list(&grants)));
    let found = can(&access, "kv1", Capability::ReadSecret);
    let of = |id: &str, answer| (id.to_owned(), answer);
    assert_eq!(found, [of("u1", Answer::Allowed), of("u2", Answer::Eligible), of("u4", Answer::Eligible)]);
    let path = access.of_principal(&Id::new(vault_id("kv1")), "u4")[0].paths[0].clone();
    let hops: Vec<(&str, Membership)> = path.through.iter().map(|hop| (hop.group_id.as_str(), hop.by)).collect();
    assert_eq!(hops, [("g1", Membership::EligibleMember), ("g2", Membership::Member)]);
    assert_eq!(path.activations[0].of, "g1");
    assert!(access.held_by("u2").is_empty());
    let gaps = access.gaps(&Id::new(vault_id("kv1")));
    assert!(!gaps.iter().any(|gap| gap.about == Unread::Eligibility && gap.name == "g1"), "{gaps:#?}");
}

#[test]
fn who_can_become_a_member_of_a_group_in_a_policy_is_a_gap_when_it_was_not_read() {
    let policy = json!([{"tenantId": TENANT, "objectId": "g1", "permissions": {"secrets": ["get"]}}]);
    let answers = || Small::policies(policy.clone()).group("g1", &[]).knows(&["u1"]).answers();
    let grants = list(&[membership("g1", "u1", "member")]);
    let read = access_of(answers().answer(Kind::GroupEligibilities, "group:g1", grants));
    assert_eq!(can(&read, "kv1", Capability::ReadSecret), [("u1".to_owned(), Answer::Eligible)]);
    let refused = access_of(answers().gap(Kind::GroupEligibilities, "group:g1", Reason::Forbidden));
    assert!(can(&refused, "kv1", Capability::ReadSecret).is_empty());
    let names_it = |access: &Access| {
        let gaps = access.gaps(&Id::new(vault_id("kv1")));
        gaps.iter().any(|gap| gap.about == Unread::Eligibility && gap.name == "g1")
    };
    assert!(names_it(&refused) && !names_it(&read));
}

#[test]
fn a_deny_on_a_group_does_not_yet_mean_who_can_become_a_member() {
    let small = get_secret().assign("reads", "u1", SUB).group("g1", &[]);
    let small = small.deny(SUB, "g1", &json!({"denyAssignmentEffect": "enforced"}));
    let grants = list(&[membership("g1", "u1", "member")]);
    let access = access_of(small.answers().answer(Kind::GroupEligibilities, "group:g1", grants));
    assert_eq!(only(&access, Capability::ReadSecret).answer, Answer::Allowed);
}

#[test]
fn an_active_role_tells_how_long_it_stands() {
    let standing = |more: Value| {
        let assignment = format!("{SUB}/providers/Microsoft.Authorization/roleAssignments/1");
        let mut more = more;
        more["originRoleAssignmentId"] = json!(assignment.to_uppercase());
        let small = get_secret().assign("reads", "u1", SUB);
        let instances = list(&[schedule("reads", "u1", &more)]);
        let access = access_of(small.answers().answer(Kind::RoleAssignmentScheduleInstances, SUB, instances));
        match &*only(&access, Capability::ReadSecret).paths[0].via {
            Via::Role { standing, .. } => *standing,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(standing(json!({"assignmentType": "Assigned"})), Standing::Permanent);
    let end = "2030-01-01T00:00:00Z";
    assert!(matches!(standing(json!({"assignmentType": "Assigned", "endDateTime": end})), Standing::Until(_)));
    assert!(matches!(
        standing(json!({"assignmentType": "Activated", "endDateTime": end})),
        Standing::Activated(Some(_))
    ));
    let unknown = only(&get_secret().assign("reads", "u1", SUB).access(), Capability::ReadSecret);
    assert!(matches!(&*unknown.paths[0].via, Via::Role { standing: Standing::Unknown, .. }));
}

fn delegated(state: &str, authorizations: &Value, eligible: &Value) -> Access {
    let id = format!("{SUB}/providers/Microsoft.ManagedServices/registrationAssignments/r");
    let definition = json!({"properties": {"managedByTenantId": "Other", "authorizations": authorizations,
        "eligibleAuthorizations": eligible}});
    let one = json!({"id": id, "properties": {"provisioningState": state, "registrationDefinition": definition}});
    let small = Small::policies(json!([]))
        .role("writer", json!([{"actions": ["Microsoft.KeyVault/vaults/*"]}]))
        .role("grants", json!([{"actions": ["Microsoft.Authorization/roleAssignments/write"]}]));
    access_of(small.answers().answer(Kind::RegistrationAssignments, SUB, list(&[one])))
}

#[test]
fn what_is_delegated_to_another_tenant_is_given_although_no_assignment_shows_it() {
    let writer = json!([{"principalId": "X1", "roleDefinitionId": "WRITER"}]);
    let access = delegated("Succeeded", &writer, &json!([]));
    assert_eq!(can(&access, "kv1", Capability::GrantAccess), allowed(&["x1"]));
    let grant = only(&access, Capability::ManageVault);
    assert!(
        matches!(&*grant.paths[0].via, Via::Lighthouse { tenant: Some(tenant), is_eligible: false, .. } if tenant == "other")
    );
    let gaps = access.gaps(&Id::new(vault_id("kv1")));
    assert!(gaps.iter().any(|gap| gap.about == Unread::Delegation && gap.name == "x1"), "{gaps:#?}");
    assert_eq!(open(&delegated("Deleting", &writer, &json!([])), Capability::ManageVault).0, Reason::ValueUnknown);
    let just_in_time = json!([{"principalId": "x1", "roleDefinitionId": "writer",
        "justInTimeAccessPolicy": {"multiFactorAuthProvider": "Azure", "maximumActivationDuration": "PT8H"}}]);
    let grant = only(&delegated("Succeeded", &json!([]), &just_in_time), Capability::ManageVault);
    assert_eq!((grant.answer, grant.paths[0].activations[0].longest_minutes), (Answer::Eligible, Some(480)));
    let limited =
        json!([{"principalId": "x1", "roleDefinitionId": "grants", "delegatedRoleDefinitionIds": ["writer"]}]);
    let (_, detail) = open(&delegated("Succeeded", &limited, &json!([])), Capability::GrantAccess);
    assert_eq!(detail, "it assigns only the roles `writer`, and only to managed identities");
}

#[test]
fn an_administrator_of_the_classic_model_is_like_an_owner() {
    let of = |role: &str| {
        let id = format!("{SUB}/providers/Microsoft.Authorization/classicAdministrators/ada");
        let one = json!({"id": id, "properties": {"emailAddress": "[cut]@example.com", "role": role}});
        access_of(Small::rbac().answers().answer(Kind::ClassicAdministrators, SUB, list(&[one])))
    };
    let access = of("ServiceAdministrator;AccountAdministrator");
    let grant = only(&access, Capability::GrantAccess);
    assert_eq!(grant.answer, Answer::Allowed);
    assert!(matches!(&*grant.paths[0].via, Via::Classic { roles, .. } if roles.len() == 2));
    assert!(can(&access, "kv1", Capability::ReadSecret).is_empty(), "an owner reads no secret");
    assert!(can(&of("AccountAdministrator"), "kv1", Capability::GrantAccess).is_empty());
}

#[test]
fn what_would_give_access_and_gives_none_is_kept_in_sight() {
    let why = |access: &Access| -> Vec<(String, IdleWhy)> {
        let idle = access.idle(&Id::new(vault_id("kv1")));
        idle.iter().map(|idle| (idle.holder_id.to_string(), idle.why)).collect()
    };
    let policy = json!([{"tenantId": TENANT, "objectId": "U1", "permissions": {"secrets": ["get"]}}]);
    let dormant = Small::default().vault("kv1", true, policy.clone()).knows(&["u1"]).access();
    assert_eq!(why(&dormant), [("u1".to_owned(), IdleWhy::DormantPolicy)]);
    let ineffective = Small::policies(json!([])).data_role("reads", &["secrets/*"]).assign("reads", "u1", SUB).access();
    assert_eq!(why(&ineffective), [("u1".to_owned(), IdleWhy::IneffectiveRole)]);
    // The object id of an app registration stands in no token.
    let application = list(&[json!({"id": "U1", "appId": "a", "displayName": "app"})]);
    let small = Small::policies(policy);
    let access = access_of(small.answers().answer(Kind::Applications, "directory", application));
    assert_eq!(why(&access), [("u1".to_owned(), IdleWhy::NamesRegistration)]);
    assert!(can(&access, "kv1", Capability::ReadSecret).is_empty());
}

#[test]
fn a_role_on_a_certificate_may_reach_the_secret_with_its_name() {
    let of = |below: &str| {
        let scope = format!("{}/{below}", vault_id("kv1"));
        let access = get_secret().assign("reads", "u1", &scope).access();
        let key = Id::new(format!("{}/certificates/tls", vault_id("kv1")));
        access.answer("u1", &key, Capability::ReadPrivateKey).answer
    };
    assert_eq!(of("secrets/tls"), Some(Answer::Allowed));
    assert_eq!(of("certificates/tls"), Some(Answer::NotDetermined));
    assert_eq!(of("keys/tls"), None);
    assert_eq!(of("secrets/other"), None);
}

#[test]
fn what_was_not_read_is_named() {
    let answers = get_secret().assign("reads", "g1", SUB).assign("lost", "u1", SUB).unread_group("g1").answers();
    let gaps = access_of(answers.denied(Kind::DenyAssignments, SUB)).gaps(&Id::new(vault_id("kv1")));
    let has = |about: Unread, name: &str| gaps.iter().any(|gap| gap.about == about && gap.name == name);
    assert!(has(Unread::Members, "g1") && has(Unread::Definition, "lost") && has(Unread::Denies, SUB), "{gaps:#?}");
    let unknown = get_secret().answers().denied(Kind::ManagementGroups, "tenant");
    let gaps = access_of(unknown.replace(
        Kind::ManagementGroupDescendants,
        &crate::access::testing::group_id(TENANT),
        list(&[]),
    ))
    .gaps(&Id::new(vault_id("kv1")));
    assert!(gaps.iter().any(|gap| gap.about == Unread::ManagementGroups), "{gaps:#?}");
}
