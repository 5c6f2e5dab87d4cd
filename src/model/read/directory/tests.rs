#![allow(clippy::needless_pass_by_value)] // `json!` is easier to read without a reference before it

use serde_json::{Value, json};

use super::super::read;
use crate::evidence::testing::CaptureBuilder;
use crate::evidence::{Kind, Reason};
use crate::model::{Credential, CredentialKind, Id, Need, PrincipalKind, Reach, Tenant};

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
    assert_eq!(key.from.pointer, "/value/0/keyCredentials/0");
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
