//! What the tests of the checks share: a small tenant, and the answers that it is made of.
//!
//! A test starts from [`base`], replaces the lists that it is about, and reads the findings of one check.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Check, Facts, Finding, Outcome, Parameters, runner};
use crate::access::Access;
use crate::declared::Declared;
use crate::evidence::testing::{CaptureBuilder, TENANT};
use crate::evidence::{Capture, Kind, Over, Period};
use crate::model;

/// The one subscription of [`base`].
pub const SUB: &str = "/subscriptions/22222222-2222-2222-2222-222222222222";
/// The tenant's root management group.
pub const ROOT_GROUP: &str = "/providers/Microsoft.Management/managementGroups/11111111-1111-1111-1111-111111111111";
/// Role definition of Key Vault Secrets User.
pub const SECRETS_USER: &str = "4633458b-17de-408a-b874-0445c86b69e6";

/// A tenant with one subscription below the root group and nothing in it: every list was asked for and is empty.
pub fn base() -> CaptureBuilder {
    let guid = SUB.trim_start_matches("/subscriptions/");
    let mut builder = CaptureBuilder::default()
        .answer(
            Kind::Subscriptions,
            "tenant",
            list([json!({"id": SUB, "subscriptionId": guid, "displayName": "Production", "state": "Enabled"})]),
        )
        .answer(
            Kind::ManagementGroups,
            "tenant",
            list([json!({"id": ROOT_GROUP, "name": TENANT, "type": "Microsoft.Management/managementGroups",
                "properties": {"tenantId": TENANT, "displayName": "Tenant Root Group"}})]),
        )
        .answer(
            Kind::ManagementGroupDescendants,
            ROOT_GROUP,
            list([json!({"id": SUB, "name": guid, "type": "/subscriptions",
                "properties": {"displayName": "Production", "parent": {"id": ROOT_GROUP}}})]),
        );
    for kind in Kind::ALL.iter().copied().filter(|kind| kind.is_per_subscription()) {
        let body = match kind {
            Kind::RoleAssignmentsUsageMetrics => json!({"subscriptionId": guid, "roleAssignmentsCurrentCount": 0}),
            _ => list([]),
        };
        builder = builder.answer(kind, SUB, body);
    }
    let everywhere = [Over::ManagementGroup, Over::Tenant];
    let asked = [Kind::Subscriptions, Kind::ManagementGroups, Kind::ManagementGroupDescendants];
    for kind in Kind::ALL.iter().copied().filter(|kind| !asked.contains(kind)) {
        for over in kind.over().iter().filter(|over| everywhere.contains(over)) {
            builder = builder.answer(kind, over.fixed().unwrap_or(ROOT_GROUP), list([]));
        }
    }
    for kind in [Kind::ResourceGraphIdentities, Kind::ResourceGraphVaults, Kind::ResourceGraphAssignments] {
        builder = builder.answer(kind, "subscriptions", indexed([]));
    }
    for (kind, scope) in [(Kind::RoleAssignments, "/"), (Kind::ManagedIdentityPrincipals, "directory")] {
        builder = builder.answer(kind, scope, list([]));
    }
    builder
}

/// Findings of one check over what the builder holds, with default thresholds and the period 2026Q3.
pub fn findings_of(check: &'static Check, builder: CaptureBuilder) -> Vec<Finding> {
    findings_with(check, builder, &Parameters::default())
}

/// The same with other thresholds.
pub fn findings_with(check: &'static Check, builder: CaptureBuilder, parameters: &Parameters) -> Vec<Finding> {
    findings_in(check, &builder.build(), parameters)
}

/// The same over a capture.
pub fn findings_in(check: &'static Check, capture: &Capture, parameters: &Parameters) -> Vec<Finding> {
    judged(check, capture, parameters, &Declared::default())
}

/// Findings with the default thresholds and these files below `declared/`: `("registers/readers.toml", "[[reader]]…")`.
pub fn findings_declared(check: &'static Check, builder: CaptureBuilder, files: &[(&str, &str)]) -> Vec<Finding> {
    findings_declared_with(check, builder, files, &Parameters::default())
}

/// The same with other thresholds.
pub fn findings_declared_with(
    check: &'static Check,
    builder: CaptureBuilder,
    files: &[(&str, &str)],
    parameters: &Parameters,
) -> Vec<Finding> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    let declared = Declared::read(files.collect()).expect("files that can be read");
    judged(check, &builder.build(), parameters, &declared)
}

/// Findings of every check by its id; the capture is read once.
pub fn findings_of_all(builder: CaptureBuilder) -> BTreeMap<&'static str, Vec<Finding>> {
    let tenant = model::read(&builder.build()).expect("a tenant");
    let access = Access::of(&tenant);
    let period = Period::parse("2026Q3").expect("a period");
    let (parameters, declared) = (Parameters::default(), Declared::default());
    let facts =
        Facts { tenant: &tenant, access: &access, period, parameters: &parameters, declared: &declared, ledger: &[] };
    super::CHECKS.iter().map(|check| (check.id, runner::run(check, &facts))).collect()
}

fn judged(check: &'static Check, capture: &Capture, parameters: &Parameters, declared: &Declared) -> Vec<Finding> {
    let tenant = model::read(capture).expect("a tenant");
    let access = Access::of(&tenant);
    let period = Period::parse("2026Q3").expect("a period");
    runner::run(check, &Facts { tenant: &tenant, access: &access, period, parameters, declared, ledger: &[] })
}

/// The only finding; panics when there are none or more.
pub fn only(findings: &[Finding]) -> &Finding {
    match findings {
        [finding] => finding,
        _ => panic!("one finding was expected: {findings:#?}"),
    }
}

/// The only finding about the subject with this name.
pub fn about_name<'a>(findings: &'a [Finding], name: &str) -> &'a Finding {
    let of_name: Vec<&Finding> = findings.iter().filter(|finding| finding.subject().name == name).collect();
    match of_name.as_slice() {
        [finding] => finding,
        _ => panic!("one finding about `{name}` was expected: {findings:#?}"),
    }
}

/// How each finding ended, in order.
pub fn outcomes(findings: &[Finding]) -> Vec<Outcome> {
    findings.iter().map(Finding::outcome).collect()
}

/// An ARM or Graph list of one page.
pub fn list(items: impl IntoIterator<Item = Value>) -> Value {
    json!({"value": items.into_iter().collect::<Vec<Value>>()})
}

/// A list of Resource Graph of one page.
pub fn indexed(items: impl IntoIterator<Item = Value>) -> Value {
    let items: Vec<Value> = items.into_iter().collect();
    json!({"totalRecords": items.len(), "count": items.len(), "resultTruncated": "false", "data": items})
}

/// A host or a user-assigned identity as Resource Graph lists it.
pub fn indexed_json(resource_type: &str, name: &str, identity_type: &str, principal_id: &str) -> Value {
    json!({"id": arm_id(resource_type, name), "name": name, "type": resource_type.to_lowercase(),
        "identityType": identity_type, "principalId": principal_id})
}

/// A role assignment as Resource Graph lists it.
pub fn indexed_assignment(assignment: &Value) -> Value {
    let of = |name: &str| assignment["properties"][name].clone();
    json!({"id": assignment["id"], "type": "microsoft.authorization/roleassignments", "scope": of("scope"),
        "principalId": of("principalId"), "roleDefinitionId": of("roleDefinitionId"), "createdOn": of("createdOn")})
}

/// `value` with `patch` laid over it: objects are merged, null takes a member away (JSON Merge Patch).
pub fn patched(mut value: Value, patch: &Value) -> Value {
    let (Some(members), Some(changes)) = (value.as_object_mut(), patch.as_object()) else { return patch.clone() };
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            let before = members.remove(name).unwrap_or(Value::Null);
            members.insert(name.clone(), patched(before, change));
        }
    }
    value
}

/// ARM id of a resource in [`SUB`].
pub fn arm_id(resource_type: &str, name: &str) -> String {
    format!("{SUB}/resourceGroups/rg/providers/{resource_type}/{name}")
}

/// ARM id of a vault in [`SUB`].
pub fn vault_id(name: &str) -> String {
    arm_id("Microsoft.KeyVault/vaults", name)
}

/// ARM id of a user-assigned identity in [`SUB`].
pub fn identity_id(name: &str) -> String {
    arm_id("Microsoft.ManagedIdentity/userAssignedIdentities", name)
}

/// A vault as it should be: RBAC, soft delete, purge protection, closed to public networks.
pub fn vault_json(name: &str, patch: &Value) -> Value {
    let vault = json!({
        "id": vault_id(name), "name": name, "type": "Microsoft.KeyVault/vaults", "location": "westeurope", "tags": {},
        "properties": {
            "tenantId": TENANT, "vaultUri": format!("https://{name}.vault.azure.net/"),
            "sku": {"family": "A", "name": "standard"}, "accessPolicies": [], "enableRbacAuthorization": true,
            "enableSoftDelete": true, "softDeleteRetentionInDays": 90, "enablePurgeProtection": true,
            "publicNetworkAccess": "Disabled",
            "networkAcls": {"defaultAction": "Deny", "bypass": "None", "ipRules": [], "virtualNetworkRules": []},
        },
    });
    patched(vault, patch)
}

/// A resource as the generic list shows it: without properties.
pub fn resource_json(resource_type: &str, name: &str, patch: &Value) -> Value {
    let resource =
        json!({"id": arm_id(resource_type, name), "name": name, "type": resource_type, "location": "westeurope"});
    patched(resource, patch)
}

/// An access policy that names secret permissions alone.
pub fn policy_json(object_id: &str, secrets: &[&str]) -> Value {
    json!({"tenantId": TENANT, "objectId": object_id, "permissions": {"secrets": secrets}})
}

/// A user-assigned identity, made in January 2026.
pub fn identity_json(name: &str, principal_id: &str, patch: &Value) -> Value {
    let identity = json!({
        "id": identity_id(name), "name": name, "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
        "location": "westeurope", "tags": {},
        "properties": {"tenantId": TENANT, "principalId": principal_id, "clientId": principal_id},
        "systemData": {"createdAt": "2026-01-15T08:00:00Z"},
    });
    patched(identity, patch)
}

/// A role assignment at `scope`; `name` is the GUID of the assignment.
pub fn assignment_json(name: &str, scope: &str, role: &str, principal_id: &str, principal_type: &str) -> Value {
    let above = scope.trim_end_matches('/');
    json!({
        "id": format!("{above}/providers/Microsoft.Authorization/roleAssignments/{name}"), "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "scope": scope, "principalId": principal_id, "principalType": principal_type,
            "roleDefinitionId": format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            "createdOn": "2026-02-01T08:00:00Z", "createdBy": "99999999-9999-9999-9999-999999999999",
        },
    })
}

/// A built-in role definition.
pub fn role_json(guid: &str, name: &str, actions: &[&str], data_actions: &[&str]) -> Value {
    json!({
        "id": format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{guid}"), "name": guid,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": name, "type": "BuiltInRole", "assignableScopes": ["/"],
            "permissions": [{"actions": actions, "notActions": [], "dataActions": data_actions, "notDataActions": []}],
        },
    })
}

/// A managed identity as the directory lists it; `owner` is the ARM id of the identity or of its host.
pub fn managed_identity_json(object_id: &str, name: &str, owner: &str) -> Value {
    let explicit = owner.to_lowercase().contains("/userassignedidentities/");
    json!({
        "@odata.type": "#microsoft.graph.servicePrincipal", "id": object_id, "appId": object_id, "displayName": name,
        "servicePrincipalType": "ManagedIdentity", "accountEnabled": true, "appOwnerOrganizationId": null,
        "alternativeNames": [if explicit { "isExplicit=True" } else { "isExplicit=False" }, owner],
    })
}

/// A service principal of an application.
pub fn service_principal_json(object_id: &str, name: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.servicePrincipal", "id": object_id, "appId": object_id, "displayName": name,
        "servicePrincipalType": "Application", "accountEnabled": true, "appOwnerOrganizationId": TENANT,
        "alternativeNames": [],
    })
}

/// A user.
pub fn user_json(object_id: &str, name: &str) -> Value {
    json!({"@odata.type": "#microsoft.graph.user", "id": object_id, "displayName": name,
        "userPrincipalName": format!("{name}@contoso.example"), "userType": "Member", "accountEnabled": true})
}

/// A group.
pub fn group_json(object_id: &str, name: &str) -> Value {
    json!({"@odata.type": "#microsoft.graph.group", "id": object_id, "displayName": name, "securityEnabled": true})
}

/// Adds the directory's answer about the object ids `asked`; what is not in `found` does not exist.
pub fn with_principals(
    builder: CaptureBuilder,
    asked: &[&str],
    found: impl IntoIterator<Item = Value>,
) -> CaptureBuilder {
    let body = json!({"ids": asked}).to_string();
    builder.pages(Kind::Principals, "directory", vec![(list(found), Some(body))])
}

/// A tenant with one of everything: a site with its own identity, a shared identity attached to it and trusted by
/// a pipeline, a vault in each permission model, and an assignment to the site's identity.
pub fn furnished() -> CaptureBuilder {
    const SITE: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const SHARED: &str = "aaaaaaaa-0000-0000-0000-000000000002";
    const GROUP: &str = "aaaaaaaa-0000-0000-0000-000000000003";
    const PERSON: &str = "aaaaaaaa-0000-0000-0000-000000000004";
    let site_id = arm_id("Microsoft.Web/sites", "site");
    let site = resource_json(
        "Microsoft.Web/sites",
        "site",
        &json!({"identity": {"type": "SystemAssigned, UserAssigned", "principalId": SITE,
            "userAssignedIdentities": {identity_id("shared"): {"principalId": SHARED}}}}),
    );
    let policies = json!({"enableRbacAuthorization": false,
        "accessPolicies": [policy_json(SHARED, &["get"]), policy_json(GROUP, &["set"])]});
    let vaults = [vault_json("kv1", &json!({})), vault_json("kv2", &json!({"properties": policies}))];
    let of_vaults = ["kv1", "kv2"].map(|name| resource_json("Microsoft.KeyVault/vaults", name, &json!({})));
    let tags = json!({"tags": {"owner": "team-a", "purpose": "billing"}});
    let credential = json!({"id": format!("{}/federatedIdentityCredentials/pipeline", identity_id("shared")),
        "name": "pipeline", "properties": {"issuer": "https://issuer.example", "subject": "pipeline",
        "audiences": ["api://AzureADTokenExchange"]}});
    let assignment = assignment_json(
        "cccccccc-0000-0000-0000-000000000001",
        &vault_id("kv1"),
        SECRETS_USER,
        SITE,
        "ServicePrincipal",
    );
    let read_secrets = ["Microsoft.KeyVault/vaults/secrets/getSecret/action"];
    let identities = [
        managed_identity_json(SITE, "site", &site_id),
        managed_identity_json(SHARED, "shared", &identity_id("shared")),
    ];
    let [of_site, of_shared] = identities.clone();
    let mut builder = base()
        .replace(Kind::Resources, SUB, list(of_vaults.into_iter().chain([site])))
        .replace(Kind::UserAssignedIdentities, SUB, list([identity_json("shared", SHARED, &tags)]))
        .replace(Kind::Vaults, SUB, list(vaults))
        .replace(Kind::ResourceGraphAssignments, "subscriptions", indexed([indexed_assignment(&assignment)]))
        .replace(
            Kind::ResourceGraphVaults,
            "subscriptions",
            indexed(["kv1", "kv2"].map(|name| resource_json("microsoft.keyvault/vaults", name, &json!({})))),
        )
        .replace(
            Kind::ResourceGraphIdentities,
            "subscriptions",
            indexed([
                indexed_json("Microsoft.Web/sites", "site", "SystemAssigned, UserAssigned", SITE),
                indexed_json("Microsoft.ManagedIdentity/userAssignedIdentities", "shared", "", SHARED),
            ]),
        )
        .replace(Kind::RoleAssignments, SUB, list([assignment]))
        .replace(
            Kind::RoleAssignmentsUsageMetrics,
            SUB,
            json!({"subscriptionId": SUB, "roleAssignmentsCurrentCount": 1}),
        )
        .replace(
            Kind::RoleDefinitions,
            SUB,
            list([role_json(SECRETS_USER, "Key Vault Secrets User", &[], &read_secrets)]),
        )
        .replace(Kind::ManagedIdentityPrincipals, "directory", list(identities))
        .answer(Kind::FederatedCredentials, &identity_id("shared"), list([credential]))
        .answer(Kind::GroupMembers, &format!("group:{GROUP}"), list([user_json(PERSON, "person")]));
    for kind in [Kind::GroupOwners, Kind::GroupAssignments, Kind::GroupEligibilities] {
        builder = builder.answer(kind, &format!("group:{GROUP}"), list([]));
    }
    for name in ["kv1", "kv2"] {
        for kind in [Kind::DiagnosticSettings, Kind::VaultKeys, Kind::VaultSecrets] {
            builder = builder.answer(kind, &vault_id(name), list([]));
        }
    }
    with_principals(builder, &[SITE, SHARED, GROUP], [of_site, of_shared, group_json(GROUP, "group")])
}
