#![allow(clippy::needless_pass_by_value)] // `json!` is easier to read without a reference before it

use serde_json::{Value, json};

use super::super::read;
use crate::evidence::testing::CaptureBuilder;
use crate::evidence::{Kind, Reason};
use crate::model::{Credential, CredentialKind, DeletedKind, Id, Need, PrincipalKind, Reach, Tenant};

fn tenant(builder: CaptureBuilder) -> Tenant {
    read(&builder.build()).expect("a tenant")
}

fn in_directory(kind: Kind, items: Value) -> Tenant {
    tenant(CaptureBuilder::default().answer(kind, "directory", json!({ "value": items })))
}

/// What is missing of a kind anywhere, as reasons.
fn missing(tenant: &Tenant, kind: Kind) -> Vec<Reason> {
    tenant.coverage.missing_anywhere(kind).iter().map(|missing| missing.reason).collect()
}

fn application_json(id: &str) -> Value {
    json!({"id": id, "appId": "A1", "displayName": "app", "passwordCredentials": [], "keyCredentials": []})
}

fn at(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse().expect("a time")
}

#[test]
fn an_application_is_read_with_its_credentials() {
    let found = in_directory(
        Kind::Applications,
        json!([{"id": "ID1", "appId": "APP1", "displayName": "deploy", "createdDateTime": "2024-02-01T10:00:00Z",
            "signInAudience": "AzureADMultipleOrgs", "tags": ["CI", "ci", "[cut]"],
            "passwordCredentials": [
                {"keyId": "K1", "displayName": null, "startDateTime": "2024-02-01T10:00:00Z", "endDateTime": "2026-02-01T10:00:00Z"}],
            "keyCredentials": [
                {"keyId": "K2", "displayName": "CN=deploy", "type": "AsymmetricX509Cert", "usage": "Verify",
                 "startDateTime": "2025-02-01T10:00:00.1234567Z"}]}]),
    );
    assert_eq!(missing(&found, Kind::Applications), []);
    let application = &found.directory.applications[0];
    assert_eq!((application.id.as_str(), application.app_id.as_str()), ("id1", "app1"));
    assert_eq!((application.name.as_str(), application.audience.as_deref()), ("deploy", Some("AzureADMultipleOrgs")));
    assert_eq!(application.tags.iter().collect::<Vec<_>>(), ["[cut]", "ci"]);
    let [secret, key] = application.credentials.as_slice() else { panic!("{:?}", application.credentials) };
    assert_eq!(
        (secret.kind, secret.key_id.as_deref(), secret.name.as_deref()),
        (CredentialKind::Secret, Some("k1"), None)
    );
    assert!(secret.is_valid_at(at("2026-02-01T09:59:59Z")) && !secret.is_valid_at(at("2026-02-01T10:00:00Z")));
    assert_eq!((key.kind, key.end), (CredentialKind::Key, None));
    assert!(key.is_valid_at(at("2199-01-01T00:00:00Z")), "without an end it does not end");
    assert!(!secret.signs_tokens && !key.signs_tokens);
    assert_eq!(key.from.pointer(), "/value/0/keyCredentials/0");
}

#[test]
fn an_application_of_which_the_credentials_are_not_told_is_a_gap() {
    for field in ["passwordCredentials", "keyCredentials"] {
        for odd in [Value::Null, json!("none"), json!([7])] {
            let mut item = application_json("ID1");
            item[field] = odd.clone();
            let found = in_directory(Kind::Applications, json!([item, application_json("ID2")]));
            assert_eq!(missing(&found, Kind::Applications), [Reason::Malformed], "{field} {odd}");
            assert_eq!(found.directory.applications.len(), 2, "the others stay");
        }
    }
    let nameless = in_directory(Kind::Applications, json!([{"appId": "A1"}]));
    assert_eq!(missing(&nameless, Kind::Applications), [Reason::Malformed]);
    assert!(nameless.directory.applications.is_empty());
}

#[test]
fn two_pages_make_one_list_and_each_application_counts_once() {
    let page = |id: &str| (json!({"value": [application_json(id)]}), None);
    let pages = vec![page("ID1"), page("id1"), page("ID2")];
    let found = tenant(CaptureBuilder::default().pages(Kind::Applications, "directory", pages));
    let ids: Vec<&str> = found.directory.applications.iter().map(|application| application.id.as_str()).collect();
    assert_eq!(ids, ["id1", "id2"]);
}

#[test]
fn a_certificate_that_signs_tokens_is_told_from_one_that_signs_in() {
    let dates = json!({"displayName": "CN=SSO", "startDateTime": "2025-01-10T12:00:00Z", "endDateTime": "2028-01-10T12:00:00Z"});
    let with = |more: Value| {
        let mut credential = dates.clone();
        more.as_object().expect("an object").iter().for_each(|(name, value)| credential[name] = value.clone());
        credential
    };
    let found = in_directory(
        Kind::ServicePrincipals,
        json!([{"id": "S1", "servicePrincipalType": "Application", "preferredSingleSignOnMode": "saml",
            "appOwnerOrganizationId": "T1", "accountEnabled": true,
            "passwordCredentials": [with(json!({"keyId": "SIGN"})), with(json!({"keyId": "own"}))],
            "keyCredentials": [
                with(json!({"keyId": "sign", "usage": "Sign"})),
                with(json!({"keyId": "twin", "usage": "Verify"})),
                with(json!({"keyId": "own key", "usage": "Verify", "startDateTime": "2025-01-10T12:00:01Z"}))]}]),
    );
    let principal = &found.directory.service_principals[0];
    let signs = |credential: &Credential| (credential.key_id.clone().unwrap_or_default(), credential.signs_tokens);
    let told: Vec<(String, bool)> = principal.credentials.iter().map(signs).collect();
    let expected = [("sign", true), ("own", false), ("sign", true), ("twin", true), ("own key", false)];
    assert_eq!(told, expected.map(|(key, signs)| (key.to_owned(), signs)));
    assert_eq!(
        (principal.single_sign_on.as_deref(), principal.owner_organization.as_deref()),
        (Some("saml"), Some("t1"))
    );
    assert!(!principal.is_managed_identity());
}

#[test]
fn a_flexible_federated_credential_has_no_subject_and_a_cut_one_is_a_fault() {
    let items = json!([
        {"name": "any", "issuer": "https://token.actions.githubusercontent.com", "subject": null, "audiences": ["api://x"]},
        {"name": "cut", "issuer": "https://token.actions.githubusercontent.com", "subject": "[cut]", "audiences": []},
    ]);
    let answer = |items: Value| {
        tenant(CaptureBuilder::default().answer(
            Kind::ApplicationFederatedCredentials,
            "application:a1",
            json!({ "value": items }),
        ))
    };
    let found = answer(json!([items[0]]));
    let credential = &found.directory.federated[0];
    assert_eq!((credential.identity.shown(), credential.subject.as_deref()), ("application:a1", None));
    assert_eq!(missing(&found, Kind::ApplicationFederatedCredentials), []);
    assert_eq!(missing(&answer(items), Kind::ApplicationFederatedCredentials), [Reason::Malformed]);
}

#[test]
fn owners_are_known_by_what_they_own_and_absent_is_not_disabled() {
    let owners = json!([
        {"@odata.type": "#microsoft.graph.user", "id": "U1", "displayName": "Rolf", "accountEnabled": false, "userType": "Member"},
        {"@odata.type": "#microsoft.graph.user", "id": "U2"},
        {"@odata.type": "#microsoft.graph.servicePrincipal", "id": "S1", "displayName": "sp", "accountEnabled": null},
        {"@odata.type": "#microsoft.graph.user", "id": "u1"},
    ]);
    let found =
        tenant(
            CaptureBuilder::default()
                .answer(Kind::ApplicationOwners, "application:a1", json!({ "value": owners }))
                .answer(Kind::ServicePrincipalOwners, "service-principal:s9", json!({"value": []})),
        );
    let owned = Id::new("application:A1");
    let of = found.directory.owners_of(&owned);
    let told: Vec<_> = of.map(|owner| (owner.id.as_str(), owner.kind.clone(), owner.enabled)).collect();
    assert_eq!(
        told,
        [
            ("s1", PrincipalKind::ServicePrincipal, None),
            ("u1", PrincipalKind::User, Some(false)),
            ("u2", PrincipalKind::User, None)
        ]
    );
}

#[test]
fn what_follows_from_an_application_and_from_a_principal_must_have_been_asked() {
    let applications = json!({"value": [application_json("a1"), application_json("a2")]});
    let principals = json!({"value": [
        {"@odata.type": "#microsoft.graph.servicePrincipal", "id": "s1", "servicePrincipalType": "Application"},
        {"@odata.type": "#microsoft.graph.servicePrincipal", "id": "m1", "servicePrincipalType": "ManagedIdentity"},
        {"@odata.type": "#microsoft.graph.user", "id": "u1"}]});
    let found = tenant(
        CaptureBuilder::default()
            .answer(Kind::Applications, "directory", applications)
            .answer(Kind::Principals, "directory", principals)
            .answer(Kind::ApplicationOwners, "application:a1", json!({"value": []})),
    );
    assert_eq!(missing(&found, Kind::ApplicationFederatedCredentials), [Reason::NotAsked; 2]);
    assert_eq!(missing(&found, Kind::ApplicationOwners), [Reason::NotAsked]);
    assert_eq!(missing(&found, Kind::ServicePrincipalOwners), [Reason::NotAsked]);
    let own = |kind, subject: &str| found.coverage.missing(Need { kind, reach: Reach::Own }, &Id::new(subject)).len();
    assert_eq!(own(Kind::ApplicationOwners, "application:a1"), 0);
    assert_eq!(own(Kind::ApplicationOwners, "a1"), 0, "with and without the prefix");
    assert_eq!(own(Kind::ApplicationOwners, "application:a2"), 1);
    assert_eq!(own(Kind::ApplicationOwners, "someone else"), 1, "who is no application may stand in any list");
}

#[test]
fn directory_roles_are_joined_by_ids_without_case_and_keep_their_schedule() {
    let roles = json!({"value": [
        {"id": "ROLE1", "displayName": "Application Administrator", "isBuiltIn": true, "isEnabled": true,
         "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/applications/credentials/update"]}]},
        {"id": "ROLE2", "isBuiltIn": false, "rolePermissions": []}]});
    let held = |more: Value| {
        let mut item = json!({"principalId": "P1", "roleDefinitionId": "Role1", "directoryScopeId": "/"});
        more.as_object().expect("an object").iter().for_each(|(name, value)| item[name] = value.clone());
        json!({ "value": [item] })
    };
    let found = tenant(
        CaptureBuilder::default()
            .answer(Kind::DirectoryRoleDefinitions, "directory", roles)
            .answer(Kind::DirectoryRoleAssignments, "directory", held(json!({})))
            .answer(
                Kind::DirectoryRoleInstances,
                "directory",
                held(json!({"assignmentType": "Activated", "memberType": "Direct", "startDateTime": "2026-10-02T07:00:00Z",
                    "endDateTime": "2026-10-02T09:00:00.287Z"})),
            )
            .answer(Kind::DirectoryRoleEligibilities, "directory", held(json!({"endDateTime": null}))),
    );
    let directory = &found.directory;
    let assigned = &directory.role_assignments[0];
    assert_eq!((assigned.principal_id.as_str(), assigned.scope.as_deref()), ("p1", Some("/")));
    assert_eq!((assigned.assignment.as_deref(), assigned.end), (None, None), "the plain list tells no schedule");
    let role = &directory.roles[&assigned.role_id];
    assert_eq!((role.name.as_str(), role.built_in), ("Application Administrator", Some(true)));
    assert_eq!(role.actions, ["microsoft.directory/applications/credentials/update"]);
    assert_eq!((directory.roles["role2"].name.as_str(), directory.roles["role2"].enabled), ("role2", None));
    assert_eq!(directory.role_instances[0].assignment.as_deref(), Some("Activated"));
    assert_eq!(directory.role_instances[0].end, Some(at("2026-10-02T09:00:00.287Z")));
    assert_eq!(directory.role_eligibilities[0].end, None);
    for kind in [Kind::DirectoryRoleDefinitions, Kind::DirectoryRoleInstances] {
        assert_eq!(missing(&found, kind), []);
    }
}

#[test]
fn a_role_that_does_not_say_what_it_allows_and_a_holder_without_id_are_gaps() {
    let role = in_directory(Kind::DirectoryRoleDefinitions, json!([{"id": "R1", "displayName": "x"}]));
    assert_eq!(missing(&role, Kind::DirectoryRoleDefinitions), [Reason::Malformed]);
    let holder = in_directory(Kind::DirectoryRoleAssignments, json!([{"roleDefinitionId": "R1"}]));
    assert_eq!(missing(&holder, Kind::DirectoryRoleAssignments), [Reason::Malformed]);
    assert!(holder.directory.role_assignments.is_empty());
}

#[test]
fn a_granted_permission_has_the_name_that_graph_gives_its_id() {
    let graph =
        json!({"id": "g", "appRoles": [{"id": "AAAA", "value": "Directory.Read.All"}, {"id": "BBBB", "value": null}]});
    let grants = json!({"value": [
        {"principalId": "S1", "appRoleId": "aaaa", "principalType": "ServicePrincipal"},
        {"principalId": "s1", "appRoleId": "AAAA"},
        {"principalId": "S2", "appRoleId": "cccc", "createdDateTime": "2021-02-02T04:22:45.9480566Z"}]});
    let found = tenant(CaptureBuilder::default().answer(Kind::GraphAppRoles, "directory", graph).answer(
        Kind::GraphAppRoleAssignments,
        "directory",
        grants,
    ));
    let told: Vec<_> =
        found.directory.graph_grants.iter().map(|grant| (grant.principal_id.as_str(), grant.role.as_deref())).collect();
    assert_eq!(told, [("s1", Some("Directory.Read.All")), ("s2", None)]);
    let nameless = tenant(CaptureBuilder::default().answer(Kind::GraphAppRoles, "directory", json!({"id": "g"})));
    assert_eq!(missing(&nameless, Kind::GraphAppRoles), [Reason::Malformed]);
}

#[test]
fn a_conditional_access_policy_tells_whom_it_covers_and_what_narrows_it() {
    let policy = |more: Value| {
        let mut item = json!({"id": "C1", "displayName": "MFA", "state": "enabled", "conditions": {
            "clientAppTypes": ["all"], "signInRiskLevels": [], "platforms": null,
            "users": {"includeUsers": ["All"], "excludeUsers": ["U1"], "excludeGroups": ["G1"], "excludeGuestsOrExternalUsers": null},
            "applications": {"includeApplications": ["All"]}},
            "grantControls": {"operator": "OR", "builtInControls": ["MFA"], "authenticationStrength": null}});
        more.as_object().expect("an object").iter().for_each(|(name, value)| item[name] = value.clone());
        item
    };
    let report_only = json!({"id": "C2", "state": "enabledForReportingButNotEnforced", "grantControls": null, "conditions": {
        "platforms": {"includePlatforms": ["iOS"]}, "clientAppTypes": ["browser"],
        "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"], "servicePrincipalFilter": {"mode": "include"}},
        "servicePrincipalRiskLevels": ["High"], "locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}}});
    let found = in_directory(Kind::ConditionalAccessPolicies, json!([report_only, policy(json!({}))]));
    assert_eq!(missing(&found, Kind::ConditionalAccessPolicies), []);
    let [first, second] = found.directory.conditional_access.as_slice() else { panic!("two policies") };
    assert!(first.is_enforced() && first.narrowed_by.is_empty());
    assert_eq!(
        (first.users.include.as_slice(), first.users.exclude.as_slice()),
        (&["all".to_owned()][..], &["u1".to_owned(), "g1".to_owned()][..])
    );
    assert_eq!((first.controls.as_slice(), first.authentication_strength.as_deref()), (&["mfa".to_owned()][..], None));
    assert!(!second.is_enforced(), "report-only protects nothing");
    assert_eq!(second.narrowed_by, ["clientAppTypes", "platforms"]);
    assert_eq!(second.service_principals.include, ["serviceprincipalsinmytenant", "servicePrincipalFilter"]);
    assert_eq!(
        (second.service_principal_risk.as_slice(), second.locations.exclude.as_slice()),
        (&["high".to_owned()][..], &["alltrusted".to_owned()][..])
    );
    let blind = in_directory(Kind::ConditionalAccessPolicies, json!([{"id": "C3", "state": "enabled"}]));
    assert_eq!(missing(&blind, Kind::ConditionalAccessPolicies), [Reason::Malformed]);
}

#[test]
fn an_app_management_policy_restricts_unless_its_restriction_is_switched_off() {
    let of = json!({
        "passwordCredentials": [
            {"restrictionType": "passwordAddition", "restrictForAppsCreatedAfterDateTime": "2025-01-01T00:00:00Z"},
            {"restrictionType": "passwordLifetime", "state": "disabled", "maxLifetime": "P180D",
             "excludeActors": {"customSecurityAttributes": [{"id": "x"}]}}],
        "keyCredentials": []});
    let default = json!({"id": "ZERO", "isEnabled": true, "applicationRestrictions": of});
    let own = json!({"value": [{"id": "OWN", "displayName": "old apps", "isEnabled": false, "restrictions": of}]});
    let builder = CaptureBuilder::default().answer(Kind::DefaultAppPolicy, "directory", default).answer(
        Kind::AppPolicies,
        "directory",
        own,
    );
    assert_eq!(missing(&tenant(builder.clone()), Kind::AppPolicyTargets), [Reason::NotAsked]);
    let found = tenant(builder.answer(Kind::AppPolicyTargets, "app-policy:own", json!({"value": [{"id": "A1"}]})));
    let default = found.directory.default_app_policy.as_ref().expect("the default policy");
    assert!(default.for_service_principals.is_empty(), "what is not said is not restricted");
    let [addition, lifetime] = default.for_applications.as_slice() else { panic!("two restrictions") };
    assert!(addition.enabled && !addition.exempts_actors && !lifetime.enabled && lifetime.exempts_actors);
    assert_eq!(addition.for_created_after, Some(at("2025-01-01T00:00:00Z")));
    assert_eq!((lifetime.credential, lifetime.longest.as_deref()), (CredentialKind::Secret, Some("P180D")));
    let own = &found.directory.app_policies[0];
    assert_eq!(
        (own.enabled, own.for_service_principals.len(), own.applies_to.as_slice()),
        (Some(false), 2, &["a1".to_owned()][..])
    );
}

#[test]
fn security_defaults_that_were_not_read_are_not_off() {
    assert!(tenant(CaptureBuilder::default()).directory.security_defaults.is_none());
    let body = json!({"id": "00000000-0000-0000-0000-000000000005", "isEnabled": false});
    let found = tenant(CaptureBuilder::default().answer(Kind::SecurityDefaults, "directory", body));
    assert_eq!(found.directory.security_defaults.and_then(|defaults| defaults.enabled), Some(false));
}

#[test]
fn what_was_deleted_and_who_can_become_a_member_is_known_by_id() {
    let deleted = json!({"value": [{"id": "S1", "appId": "A1", "displayName": "sync", "deletedDateTime": "2026-09-18T10:11:13Z"}]});
    let grants = json!({"value": [{"groupId": "G1", "principalId": "U1", "accessId": "member", "endDateTime": null}]});
    let groups = json!({"value": [{"@odata.type": "#microsoft.graph.group", "id": "G1", "isAssignableToRole": true}]});
    let found = tenant(
        CaptureBuilder::default()
            .answer(Kind::DeletedServicePrincipals, "directory", deleted)
            .answer(Kind::DeletedUsers, "directory", json!({"value": [{"id": "U9", "deletedDateTime": null}]}))
            .answer(Kind::Principals, "directory", groups)
            .answer(Kind::GroupEligibilities, "group:g1", grants),
    );
    let gone = found.directory.deleted("s1").expect("it was deleted");
    assert_eq!(
        (gone.kind, gone.name.as_deref(), gone.deleted_at),
        (DeletedKind::ServicePrincipal, Some("sync"), Some(at("2026-09-18T10:11:13Z")))
    );
    assert_eq!(
        found.directory.deleted("u9").map(|gone| (gone.kind, gone.name.clone())),
        Some((DeletedKind::User, None))
    );
    assert!(found.directory.deleted("u1").is_none());
    let eligible = &found.directory.group_eligibilities[0];
    assert_eq!(
        (eligible.group_id.as_str(), eligible.principal_id.as_str(), eligible.access.as_deref()),
        ("g1", "u1", Some("member"))
    );
    assert_eq!(found.principals["g1"].role_assignable, Some(true));
    for kind in [Kind::GroupMembers, Kind::GroupOwners, Kind::GroupAssignments] {
        assert_eq!(missing(&found, kind), [Reason::NotAsked], "{kind:?}");
    }
}
