//! What the checks of applications share: whose a service principal is, and words for credentials.

use chrono::{DateTime, Utc};

use super::about;
use super::finding::About;
use super::people::counted;
use crate::model::{Application, Credential, CredentialKind, Id, ServicePrincipal};

/// The tenants in which Microsoft registers the applications that it brings into every directory
/// (learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in).
const MICROSOFT: &[&str] = &["f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"];

/// Whether the application behind a service principal is Microsoft's own.
pub(super) fn is_microsofts(principal: &ServicePrincipal) -> bool {
    principal.owner_organization.as_deref().is_some_and(|owner| MICROSOFT.contains(&owner))
}

/// Whether the organisation, or whoever gave it the application, decides about its credentials: neither Microsoft's own
/// nor a managed identity, whose certificate is the platform's.
pub(super) fn has_own_credentials(principal: &ServicePrincipal) -> bool {
    !is_microsofts(principal) && !principal.is_managed_identity()
}

/// Begins a finding about an app registration.
pub(super) fn about_application(application: &Application) -> About {
    about("application", &Id::new(application.id.clone()), &application.name, &application.from)
}

/// Begins a finding about a service principal.
pub(super) fn about_service_principal(principal: &ServicePrincipal) -> About {
    let kind = if principal.is_managed_identity() { "managed_identity" } else { "service_principal" };
    about(kind, &Id::new(principal.id.clone()), &principal.name, &principal.from)
}

/// Whether a credential still works at `at`, or will: one without an end is taken to work.
pub(super) fn is_unexpired(credential: &Credential, at: DateTime<Utc>) -> bool {
    credential.end.is_none_or(|end| at < end)
}

/// Credentials that sign somebody in: not those of a certificate that signs tokens.
pub(super) fn signing_in(credentials: &[Credential]) -> impl Iterator<Item = &Credential> {
    credentials.iter().filter(|credential| !credential.signs_tokens)
}

/// A credential for a reader: what it is, its name and its end.
pub(super) fn named(credential: &Credential) -> String {
    let what = credential.kind.words();
    let name = credential.name.as_deref().or(credential.key_id.as_deref()).unwrap_or("without a name");
    match credential.end {
        Some(end) => format!("{what} `{name}`, which ends on {}", end.format("%Y-%m-%d")),
        None => format!("{what} `{name}`, whose end is not told"),
    }
}

/// `2 client secrets and 1 certificate`.
pub(super) fn count_of(credentials: &[&Credential]) -> String {
    let each = [CredentialKind::Secret, CredentialKind::Key].map(|kind| {
        let number = credentials.iter().filter(|credential| credential.kind == kind).count();
        (number > 0).then(|| counted(number, kind.words()))
    });
    let words: Vec<String> = each.into_iter().flatten().collect();
    if words.is_empty() { "no credential".to_owned() } else { words.join(" and ") }
}

#[cfg(test)]
pub(super) mod testing {
    //! App registrations and service principals, and what is asked about them.

    use serde_json::{Value, json};

    use crate::check::federation::testing::trusting;
    use crate::check::log_reach::testing::{Held, exported, sign_in};
    use crate::check::testing::{
        SECRETS_USER, SUB, arm_id, assignment_json, base, identity_id, list, managed_identity_json, patched,
        resource_json, role_json, service_principal_json, user_json, vault_id, vault_json, with_principals,
    };
    use crate::evidence::Kind;
    use crate::evidence::testing::{CaptureBuilder, TENANT};

    /// Object id of the app registration `app`.
    pub const APP: &str = "aaaaaaaa-0000-0000-0000-0000000000a1";
    /// Its application id.
    pub const APP_ID: &str = "aaaaaaaa-0000-0000-0000-0000000000a2";
    /// Object id of its service principal.
    pub const PRINCIPAL: &str = "aaaaaaaa-0000-0000-0000-0000000000a3";

    /// A client secret or a certificate with these two dates.
    pub fn credential_json(name: &str, start: &str, end: &str) -> Value {
        json!({"displayName": name, "keyId": format!("{name}-key"), "startDateTime": start, "endDateTime": end,
            "usage": "Verify", "type": "AsymmetricX509Cert"})
    }

    /// The app registration `app` without any credential.
    pub fn application_json(patch: &Value) -> Value {
        let application = json!({"id": APP, "appId": APP_ID, "displayName": "app", "signInAudience": "AzureADMyOrg",
            "createdDateTime": "2026-01-10T08:00:00Z", "tags": [], "passwordCredentials": [], "keyCredentials": []});
        patched(application, patch)
    }

    /// Its service principal.
    pub fn principal_json(patch: &Value) -> Value {
        let principal = json!({"id": PRINCIPAL, "appId": APP_ID, "displayName": "app", "accountEnabled": true,
            "servicePrincipalType": "Application", "appOwnerOrganizationId": TENANT, "tags": [],
            "preferredSingleSignOnMode": null, "passwordCredentials": [], "keyCredentials": []});
        patched(principal, patch)
    }

    /// A tenant with these app registrations and service principals; each registration was asked for its federated
    /// credentials and owners, and has none.
    pub fn registered(applications: &[Value], principals: &[Value]) -> CaptureBuilder {
        let builder = base().answer(Kind::Applications, "directory", list(applications.to_vec())).answer(
            Kind::ServicePrincipals,
            "directory",
            list(principals.to_vec()),
        );
        applications.iter().fold(builder, |builder, application| {
            let scope = format!("application:{}", application["id"].as_str().expect("an id"));
            builder.answer(Kind::ApplicationFederatedCredentials, &scope, list([])).answer(
                Kind::ApplicationOwners,
                &scope,
                list([]),
            )
        })
    }

    /// A tenant in which applications, trusts, hosts and logs are in order: everything of its kind once.
    pub fn in_order() -> CaptureBuilder {
        const ADA: &str = "bbbbbbbb-0000-0000-0000-000000000001";
        const PIPELINE: &str = "aaaaaaaa-0000-0000-0000-000000000009";
        const ROLE: &str = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b";
        let certificate = credential_json("one", "2026-08-01T00:00:00Z", "2026-12-01T00:00:00Z");
        let own = |name: &str| service_principal_json(PRINCIPAL, name);
        let granted = |number: u8, principal: &str| {
            let name = format!("cccccccc-0000-0000-0000-00000000000{number}");
            assignment_json(&name, &vault_id("kv"), SECRETS_USER, principal, "ServicePrincipal")
        };
        let strict = json!([{"restrictionType": "passwordAddition", "state": "enabled"}]);
        let strict = json!({"passwordCredentials": strict, "keyCredentials": []});
        let policy = json!({"id": "0", "displayName": "default", "isEnabled": true,
            "applicationRestrictions": strict, "servicePrincipalRestrictions": strict});
        let further = json!({"id": "p", "displayName": "further", "isEnabled": true, "restrictions": strict});
        let site = arm_id("Microsoft.Web/sites", "site");
        let reference = json!({"id": format!("{site}/config/configreferences/appsettings/DB"), "name": "DB",
            "properties": {"vaultName": "kv", "secretName": "db", "status": "Resolved"}});
        let secrets = json!([{"name": "db", "keyVaultUrl": "https://kv.vault.azure.net/secrets/db"}]);
        let cluster = json!({"disableLocalAccounts": true, "oidcIssuerProfile": {"enabled": true},
            "securityProfile": {"workloadIdentity": {"enabled": true}}});
        let delegation =
            format!("{SUB}/resourceGroups/rg/providers/Microsoft.ManagedServices/registrationAssignments/one");
        let definition = json!({"properties": {"managedByTenantId": "99999999-0000-0000-0000-000000000001",
            "authorizations": [{"principalId": "p", "roleDefinitionId": SECRETS_USER}]}});
        // created, and its end: 2026-01-01, 2027-01-01
        let attributes = json!({"enabled": true, "created": 1_767_225_600, "exp": 1_798_761_600});
        let secret = json!({"id": format!("{}/secrets/db", vault_id("kv")), "name": "db",
            "properties": {"attributes": attributes}});
        let scope = format!("application:{APP}");
        let with = |resource_type: &str, name: &str, properties: &Value| {
            list([resource_json(resource_type, name, &json!({"properties": properties}))])
        };
        let builder = trusting(&json!({}))
            .replace(
                Kind::Applications,
                "directory",
                list([application_json(&json!({"keyCredentials": [certificate]}))]),
            )
            .replace(Kind::ServicePrincipals, "directory", list([principal_json(&json!({}))]))
            .replace(Kind::ApplicationOwners, &scope, list([user_json(ADA, "ada")]))
            .answer(Kind::DeletedUsers, "directory", list([]))
            .answer(Kind::DeletedApplications, "directory", list([]))
            .answer(Kind::DefaultAppPolicy, "directory", policy)
            .answer(Kind::AppPolicies, "directory", list([further]))
            .answer(Kind::AppPolicyTargets, "app-policy:p", list([json!({"id": APP})]))
            .answer(
                Kind::DirectoryRoleAssignments,
                "directory",
                list([json!({"id": "g", "principalId": PRINCIPAL, "roleDefinitionId": ROLE, "directoryScopeId": "/"})]),
            )
            .answer(
                Kind::DirectoryRoleDefinitions,
                "directory",
                list([json!({"id": ROLE, "displayName": "Directory Readers", "isBuiltIn": true, "isEnabled": true,
                    "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/users/standard/read"]}]})]),
            )
            .answer(Kind::GraphAppRoleAssignments, "directory", list([]))
            .answer(Kind::GraphAppRoles, "directory", json!({"id": "graph", "appRoles": []}))
            .replace(Kind::Sites, SUB, with("Microsoft.Web/sites", "site", &json!({"state": "Running"})))
            .answer(Kind::SiteSlots, &site, list([]))
            .answer(Kind::SettingReferences, &site, list([reference]))
            .answer(Kind::ConnectionReferences, &site, list([]))
            .replace(
                Kind::ContainerApps,
                SUB,
                with("Microsoft.App/containerApps", "ca", &json!({"configuration": {"secrets": secrets}})),
            )
            .replace(Kind::ManagedClusters, SUB, with("Microsoft.ContainerService/managedClusters", "aks", &cluster))
            .replace(
                Kind::RegistrationAssignments,
                SUB,
                list([json!({"id": delegation, "properties": {"provisioningState": "Succeeded",
                    "registrationDefinition": definition}})]),
            )
            .replace(Kind::RoleAssignments, SUB, list([granted(1, PRINCIPAL), granted(2, PIPELINE)]))
            .replace(Kind::RoleDefinitions, SUB, list([role_json(SECRETS_USER, "Key Vault Secrets User", &[], &[])]))
            .replace(Kind::Vaults, SUB, list([vault_json("kv", &json!({}))]))
            .answer(Kind::DiagnosticSettings, &vault_id("kv"), list([]))
            .answer(Kind::VaultSecrets, &vault_id("kv"), list([secret]))
            .answer(Kind::VaultKeys, &vault_id("kv"), list([]));
        let pipeline = managed_identity_json(PIPELINE, "pipeline", &identity_id("pipeline"));
        let people = [own("app"), user_json(ADA, "ada"), pipeline];
        let builder = with_principals(builder, &[PRINCIPAL, ADA, PIPELINE], people);
        let held = Held {
            service_principals: vec![sign_in("2026-09-12", PRINCIPAL, "clientAssertion")],
            managed_identities: vec![sign_in("2026-09-12", PIPELINE, "")],
            ..Held::default()
        };
        exported(builder, &held)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::testing::{PRINCIPAL, application_json, credential_json, principal_json, registered};
    use super::*;
    use crate::model;

    #[test]
    fn microsofts_own_and_managed_identities_have_no_credentials_of_the_organisation() {
        let microsoft = json!({"appOwnerOrganizationId": "F8CDEF31-a31e-4b4a-93e4-5f571e91255a"});
        let of = |patch: &serde_json::Value| {
            let tenant = model::read(&registered(&[], &[principal_json(patch)]).build()).expect("a tenant");
            has_own_credentials(&tenant.directory.service_principals[0])
        };
        assert!(of(&json!({})) && of(&json!({"appOwnerOrganizationId": null})));
        assert!(!of(&microsoft) && !of(&json!({"servicePrincipalType": "ManagedIdentity"})));
    }

    #[test]
    fn credentials_are_counted_and_named() {
        let secret = credential_json("one", "2026-01-01T00:00:00Z", "2026-12-01T00:00:00Z");
        let patch = json!({"passwordCredentials": [secret], "keyCredentials": [secret, secret]});
        let tenant = model::read(&registered(&[application_json(&patch)], &[]).build()).expect("a tenant");
        let credentials: Vec<&Credential> = tenant.directory.applications[0].credentials.iter().collect();
        assert_eq!(count_of(&credentials), "1 client secret and 2 certificates");
        assert_eq!(named(credentials[0]), "client secret `one`, which ends on 2026-12-01");
        assert_eq!(count_of(&[]), "no credential");
        assert_eq!(PRINCIPAL.len(), 36);
    }
}
