//! NHI-012: workloads do not administer the directory.

use std::collections::BTreeMap;

use super::applications::{about_service_principal, is_microsofts};
use super::people::{People, Who, and_more};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population, whole};
use crate::access::Open;
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{DirectoryRole, DirectoryRoleGrant, Id, Missing, PrincipalKind, ServicePrincipal, Tenant};

pub(super) const CHECK: Check = Check {
    id: "NHI-012",
    title: "No non-human identity holds a privileged directory role or a high-risk Graph permission",
    severity: Severity::Critical,
    nature: Nature::Design,
    asks: "For every service principal and managed identity, the Entra roles that it holds, directly or through a group, \
           and the application permissions of Microsoft Graph that are granted to it. A role counts that Microsoft marks \
           as privileged, or a custom one with an action that changes credentials, roles, members of groups, consents, \
           passwords or policies; a permission counts with which an application can give itself or others such rights.",
    blind_to: "Microsoft's mark in the answer itself, which version 1.0 of Graph does not tell: the marked roles are a \
               list in this program, as published in January 2026. Permissions to read or write data, such as mail and \
               files; permissions of other services than Microsoft Graph; who can add a credential to the application. \
               Of Microsoft's own applications only exceptions are told.",
    fix: "Take the role away: portal, Entra ID → Roles & admins; `az rest --method DELETE --url \
          https://graph.microsoft.com/v1.0/roleManagement/directory/roleAssignments/ID`; Terraform: \
          `azuread_directory_role_assignment`. Take the permission away: Enterprise applications → Permissions; `az rest \
          --method DELETE --url https://graph.microsoft.com/v1.0/servicePrincipals/OBJECT_ID/appRoleAssignments/ID`; \
          Terraform: `azuread_app_role_assignment`; Bicep: `Microsoft.Graph/appRoleAssignedTo`. Use a narrower one, such as \
          `Application.ReadWrite.OwnedBy`, or a role over one administrative unit, under a waiver.",
    needs: &[
        population(Kind::ServicePrincipals),
        whole(Kind::DirectoryRoleAssignments),
        whole(Kind::DirectoryRoleDefinitions),
        whole(Kind::GraphAppRoleAssignments),
        whole(Kind::GraphAppRoles),
        judged(Kind::Principals),
        judged(Kind::GroupMembers),
    ],
    run,
};

/// Roles that Microsoft marks as privileged, by template id
/// (learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference, 2026-01-20).
const PRIVILEGED: &[&str] = &[
    "db506228-d27e-4b7d-95e5-295956d6615f", // Agent ID Administrator
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", // Application Administrator
    "cf1c38e5-3621-4004-a7cb-879624dced7c", // Application Developer
    "ecb2c6bf-0ab6-418e-bd87-7986f8d63bbe", // Attribute Provisioning Administrator
    "422218e4-db15-4ef9-bbe0-8afb41546d79", // Attribute Provisioning Reader
    "c4e39bd9-1100-46d3-8c65-fb160da0071f", // Authentication Administrator
    "25a516ed-2fa0-40ea-a2d0-12923a21473a", // Authentication Extensibility Administrator
    "aaf43236-0c0d-4d5f-883a-6955382ac081", // B2C IEF Keyset Administrator
    "158c047a-c907-4556-b7ef-446551a6b5f7", // Cloud Application Administrator
    "7698a772-787b-4ac8-901f-60d6b08affd2", // Cloud Device Administrator
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", // Conditional Access Administrator
    "9360feb5-f418-4baa-8175-e2a00bac4301", // Directory Writers
    "8329153b-31d0-4727-b945-745eb3bc5f31", // Domain Name Administrator
    "be2f45a1-457d-42af-a067-6ec1fa63bc45", // External Identity Provider Administrator
    "62e90394-69f5-4237-9190-012177145e10", // Global Administrator
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451", // Global Reader
    "729827e3-9c14-49f7-bb1b-9608f156bbb8", // Helpdesk Administrator
    "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2", // Hybrid Identity Administrator
    "3a2c62db-5318-420d-8d74-23affee5d9d5", // Intune Administrator
    "59d46f88-662b-457b-bceb-5c3809e5908f", // Lifecycle Workflows Administrator
    "4ba39ca4-527c-499a-b93d-d9b492c50246", // Partner Tier1 Support
    "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8", // Partner Tier2 Support
    "966707d0-3269-4727-9be2-8c3a10f19b9d", // Password Administrator
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13", // Privileged Authentication Administrator
    "e8611ab8-c189-46e8-94e1-60213ab1f814", // Privileged Role Administrator
    "194ae4cb-b126-40b2-bd5b-6091b380977d", // Security Administrator
    "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f", // Security Operator
    "5d6b6bb7-de71-4623-b4af-96380a352509", // Security Reader
    "fe930be7-5e62-47db-91af-98c3a49a38b1", // User Administrator
];

/// Things of the directory whose change gives rights, as actions of custom roles begin with them
/// (learn.microsoft.com/entra/identity/role-based-access-control/privileged-roles-permissions).
const RIGHTS: &[&str] = &[
    "microsoft.directory/applicationpolicies/",
    "microsoft.directory/applications/",
    "microsoft.directory/applications.myorganization/",
    "microsoft.directory/authorizationpolicy/",
    "microsoft.directory/conditionalaccesspolicies/",
    "microsoft.directory/domains/federation",
    "microsoft.directory/domains/allproperties/",
    "microsoft.directory/groups/allproperties/",
    "microsoft.directory/groups/members/",
    "microsoft.directory/groups/owners/",
    "microsoft.directory/groups.security/members/",
    "microsoft.directory/groups.security/owners/",
    "microsoft.directory/groupsassignabletoroles/",
    "microsoft.directory/oauth2permissiongrants/",
    "microsoft.directory/roleassignments/",
    "microsoft.directory/roledefinitions/",
    "microsoft.directory/serviceprincipals/",
    "microsoft.directory/users/authenticationmethods/",
    "microsoft.directory/users/password/",
    "microsoft.directory/users/allproperties/",
];
/// Endings of actions on those things that give rights. Others change names, tags and the like.
const GIVING: &[&str] = &[
    "/alltasks",
    "/allproperties/update",
    "/authentication/update",
    "/credentials/update",
    "/members/update",
    "/owners/update",
    "/password/update",
    "/permissions/update",
    "/approleassignedto/update",
    "/federation/update",
    "/federationconfiguration/update",
];

/// Application permissions with which an application can come to any right in the directory, or give it
/// (learn.microsoft.com/graph/permissions-reference).
const HIGH_RISK: &[&str] = &[
    "AdministrativeUnit.ReadWrite.All",
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "DeviceManagementConfiguration.ReadWrite.All",
    "DeviceManagementRBAC.ReadWrite.All",
    "Directory.ReadWrite.All",
    "Domain.ReadWrite.All",
    "EntitlementManagement.ReadWrite.All",
    "Group.ReadWrite.All",
    "GroupMember.ReadWrite.All",
    "Policy.ReadWrite.AuthenticationMethod",
    "Policy.ReadWrite.Authorization",
    "Policy.ReadWrite.ConditionalAccess",
    "Policy.ReadWrite.PermissionGrant",
    "PrivilegedAccess.ReadWrite.AzureAD",
    "PrivilegedAccess.ReadWrite.AzureADGroup",
    "PrivilegedAccess.ReadWrite.AzureResources",
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "RoleManagement.ReadWrite.All",
    "RoleManagement.ReadWrite.Directory",
    "RoleManagementPolicy.ReadWrite.AzureADGroup",
    "RoleManagementPolicy.ReadWrite.Directory",
    "Synchronization.ReadWrite.All",
    "User.DeleteRestore.All",
    "User.EnableDisableAccount.All",
    "User.ManageIdentities.All",
    "User.ReadWrite.All",
    "User-PasswordProfile.ReadWrite.All",
    "UserAuthenticationMethod.ReadWrite.All",
];

/// What someone holds, as far as it matters here.
struct Right {
    /// What it is, for a reader; or why nothing can be said about it.
    what: Result<String, Open>,
    evidence: Vec<Cite>,
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let tenant = facts.tenant;
    let people = People::of(tenant);
    let known: BTreeMap<&str, &ServicePrincipal> =
        tenant.directory.service_principals.iter().map(|one| (one.id.as_str(), one)).collect();
    let (rights, hidden) = rights(tenant, &people, &known);
    let unread = hidden.values().next().map(|(_, missing)| missing);
    let judged = known.values().filter_map(|principal| {
        let finding = judge(facts, principal, rights.get(&principal.id).map_or(&[], Vec::as_slice), unread);
        let is_told = !is_microsofts(principal) || finding.outcome() == super::Outcome::Fail;
        is_told.then_some(finding)
    });
    let of_hidden = hidden.iter().map(|(id, (grant, missing))| {
        about("principal", &Id::new(*id), &people.name(id), &grant.from).missing(missing)
    });
    judged.chain(of_hidden).collect()
}

fn judge(facts: &Facts<'_>, principal: &ServicePrincipal, rights: &[Right], unread: Option<&Missing>) -> Finding {
    let on = about_service_principal(principal);
    let on = rights.iter().fold(on, |on, right| on.citing(&right.evidence));
    let wrong: Vec<&String> = rights.iter().filter_map(|right| right.what.as_ref().ok()).collect();
    if let Some(first) = wrong.first() {
        return on.fail(format!("it holds {}", and_more(first, wrong.len())));
    }
    if let Some(open) = rights.iter().find_map(|right| right.what.as_ref().err()) {
        return on.open(open);
    }
    if let Some(unread) = unread {
        return on.missing(unread);
    }
    on.citing(&facts.records_of(Kind::DirectoryRoleAssignments))
        .citing(&facts.records_of(Kind::GraphAppRoleAssignments))
        .pass("it holds neither a privileged directory role nor a high-risk permission of Microsoft Graph")
}

type Hidden<'a> = BTreeMap<&'a str, (&'a DirectoryRoleGrant, Missing)>;

/// What matters, by lower-case object id of who holds it; and holders of such a role of whom it is not known who
/// stands behind them.
fn rights<'a>(
    tenant: &'a Tenant,
    people: &People<'_>,
    known: &BTreeMap<&str, &ServicePrincipal>,
) -> (BTreeMap<String, Vec<Right>>, Hidden<'a>) {
    let mut rights: BTreeMap<String, Vec<Right>> = BTreeMap::new();
    let mut hidden = Hidden::new();
    for grant in &tenant.directory.role_assignments {
        let Some(what) = of_role(tenant, grant) else { continue };
        let evidence = |more: &[&Cite]| {
            let role = tenant.directory.roles.get(&grant.role_id).map(|role| &role.from);
            more.iter().copied().chain(role).chain([&grant.from]).cloned().collect::<Vec<Cite>>()
        };
        let own = rights.entry(grant.principal_id.clone()).or_default();
        own.push(Right { what: what.clone(), evidence: evidence(&[]) });
        if known.contains_key(grant.principal_id.as_str()) {
            continue;
        }
        if let Some(missing) = people.hidden_members(&grant.principal_id) {
            hidden.entry(&grant.principal_id).or_insert((grant, missing));
        }
        let Who::Known(group) = people.who(&grant.principal_id) else { continue };
        if group.kind != PrincipalKind::Group {
            continue;
        }
        for member in tenant.members.get(&grant.principal_id).into_iter().flatten() {
            let what = what.clone().map(|what| format!("{what} through group `{}`", group.name));
            let right = Right { what, evidence: evidence(&[&member.from, &group.from]) };
            rights.entry(member.id.clone()).or_default().push(right);
        }
    }
    for grant in &tenant.directory.graph_grants {
        let what = match grant.role.as_deref() {
            Some(role) if is_high_risk(role) => Ok(format!("the permission `{role}` of Microsoft Graph")),
            Some(_) => continue,
            None => Err(Open {
                reason: Reason::ValueUnknown,
                detail: format!(
                    "Microsoft Graph's list of its permissions does not name `{}`, which it holds",
                    grant.role_id
                ),
                from: Some(grant.from.clone()),
            }),
        };
        rights.entry(grant.principal_id.clone()).or_default().push(Right { what, evidence: vec![grant.from.clone()] });
    }
    (rights, hidden)
}

/// What a role that someone holds means; none when it is not privileged.
fn of_role(tenant: &Tenant, grant: &DirectoryRoleGrant) -> Option<Result<String, Open>> {
    let role = tenant.directory.roles.get(&grant.role_id);
    let is_marked = PRIVILEGED.contains(&grant.role_id.as_str());
    let name = match role {
        Some(role) if role.enabled == Some(false) => return None,
        Some(role) if is_marked || gives_rights(role) => role.name.as_str(),
        Some(_) => return None,
        None if is_marked => grant.role_id.as_str(),
        None => {
            return Some(Err(Open {
                reason: Reason::RoleDefinitionUnknown,
                detail: format!("the directory role `{}` that it holds was not read", grant.role_id),
                from: Some(grant.from.clone()),
            }));
        }
    };
    let over = match grant.scope.as_deref() {
        None | Some("/") => String::new(),
        Some(scope) => format!(" over `{scope}`"),
    };
    Some(Ok(format!("the directory role `{name}`{over}")))
}

/// Whether a role of one's own has an action that gives rights. Built-in roles are marked or they are not.
fn gives_rights(role: &DirectoryRole) -> bool {
    let is_giving = |action: &String| {
        RIGHTS.iter().any(|thing| action.starts_with(thing)) && GIVING.iter().any(|ending| action.ends_with(ending))
    };
    role.built_in != Some(true) && role.actions.iter().any(is_giving)
}

fn is_high_risk(permission: &str) -> bool {
    HIGH_RISK.iter().any(|known| known.eq_ignore_ascii_case(permission))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::applications::testing::{PRINCIPAL, principal_json, registered};
    use super::super::testing::{
        about_name, base, findings_of, group_json, list, only, service_principal_json, with_principals,
    };
    use super::super::{Finding, Outcome};
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    const GLOBAL: &str = "62e90394-69f5-4237-9190-012177145e10";
    const READERS: &str = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b";
    const CUSTOM: &str = "dddddddd-0000-0000-0000-0000000000c1";
    const GROUP: &str = "dddddddd-0000-0000-0000-0000000000d1";
    const PERMISSION: &str = "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9";

    fn role(id: &str, name: &str, built_in: bool, actions: &[&str]) -> Value {
        json!({"id": id, "displayName": name, "isBuiltIn": built_in, "isEnabled": true,
            "rolePermissions": [{"allowedResourceActions": actions}]})
    }

    /// The service principal `app`, with these roles (holder, role) and a permission of Graph where one is named.
    fn holding(roles: &[(&str, &str)], permission: Option<&str>) -> CaptureBuilder {
        let grants = roles.iter().map(|(holder, role)| {
            json!({"id": "g", "principalId": holder, "roleDefinitionId": role, "directoryScopeId": "/"})
        });
        let definitions = [
            role(GLOBAL, "Global Administrator", true, &["microsoft.directory/applications/allProperties/allTasks"]),
            role(READERS, "Directory Readers", true, &["microsoft.directory/users/standard/read"]),
            role(CUSTOM, "App keys", false, &["microsoft.directory/applications/Credentials/update"]),
        ];
        let granted = permission.map(|_| {
            json!({"id": "a", "principalId": PRINCIPAL, "principalType": "ServicePrincipal",
            "appRoleId": PERMISSION, "createdDateTime": "2026-01-01T00:00:00Z"})
        });
        let offered = json!({"id": "graph", "appId": "graph", "displayName": "Microsoft Graph",
            "appRoles": [{"id": PERMISSION, "value": permission}]});
        registered(&[], &[principal_json(&json!({}))])
            .answer(Kind::DirectoryRoleAssignments, "directory", list(grants))
            .answer(Kind::DirectoryRoleDefinitions, "directory", list(definitions))
            .answer(Kind::GraphAppRoleAssignments, "directory", list(granted))
            .answer(Kind::GraphAppRoles, "directory", offered)
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn nothing_and_harmless_rights_pass() {
        assert_eq!(judged(holding(&[], None)).outcome(), Outcome::Pass);
        assert_eq!(judged(holding(&[(PRINCIPAL, READERS)], Some("Directory.Read.All"))).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_privileged_role_a_custom_one_like_it_and_a_high_risk_permission_fail() {
        let global = judged(holding(&[(&PRINCIPAL.to_uppercase(), GLOBAL)], None));
        assert_eq!(global.because(), "it holds the directory role `Global Administrator`");
        assert_eq!(global.outcome(), Outcome::Fail);
        assert_eq!(judged(holding(&[(PRINCIPAL, CUSTOM)], None)).outcome(), Outcome::Fail);
        let graph = judged(holding(&[], Some("Application.ReadWrite.All")));
        assert_eq!(graph.because(), "it holds the permission `Application.ReadWrite.All` of Microsoft Graph");
        assert_eq!(graph.outcome(), Outcome::Fail);
    }

    #[test]
    fn a_role_of_ones_own_that_is_off_or_only_reads_passes() {
        let off = json!([{"id": CUSTOM, "displayName": "App keys", "isBuiltIn": false, "isEnabled": false,
            "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/applications/credentials/update"]}]}]);
        let reads = role(CUSTOM, "Looks", false, &["microsoft.directory/applications/allProperties/read"]);
        for definitions in [json!({"value": off}), list([reads])] {
            let builder = holding(&[(PRINCIPAL, CUSTOM)], None);
            let builder = builder.replace(Kind::DirectoryRoleDefinitions, "directory", definitions);
            assert_eq!(judged(builder).outcome(), Outcome::Pass);
        }
    }

    #[test]
    fn a_role_through_a_group_counts_and_a_group_that_was_not_read_leaves_it_open() {
        let builder = || with_principals(holding(&[(GROUP, GLOBAL)], None), &[GROUP], [group_json(GROUP, "admins")]);
        let scope = format!("group:{GROUP}");
        let members = list([service_principal_json(PRINCIPAL, "app")]);
        let member = judged(builder().answer(Kind::GroupMembers, &scope, members));
        assert!(member.because().ends_with("`Global Administrator` through group `admins`"), "{}", member.because());
        assert_eq!(judged(builder().answer(Kind::GroupMembers, &scope, list([]))).outcome(), Outcome::Pass);
        let unread = findings_of(&CHECK, builder().gap(Kind::GroupMembers, &scope, Reason::Forbidden));
        assert_eq!(about_name(&unread, "app").reason(), Some(Reason::Forbidden));
        assert_eq!(about_name(&unread, "admins").reason(), Some(Reason::Forbidden));
        let unresolved = findings_of(&CHECK, holding(&[(GROUP, GLOBAL)], None));
        assert_eq!(about_name(&unresolved, "app").reason(), Some(Reason::PrincipalUnresolved));
    }

    #[test]
    fn an_unread_role_or_a_permission_without_a_name_is_not_evaluated() {
        let unread = judged(holding(&[(PRINCIPAL, "dddddddd-0000-0000-0000-00000000dead")], None));
        assert_eq!(unread.reason(), Some(Reason::RoleDefinitionUnknown));
        let nameless = json!({"id": "graph", "appId": "graph", "appRoles": []});
        let builder =
            holding(&[], Some("Application.ReadWrite.All")).replace(Kind::GraphAppRoles, "directory", nameless);
        assert_eq!(judged(builder).reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn whatever_was_not_read_keeps_no_pass_but_a_fail_stays() {
        for kind in [
            Kind::DirectoryRoleAssignments,
            Kind::DirectoryRoleDefinitions,
            Kind::GraphAppRoleAssignments,
            Kind::GraphAppRoles,
        ] {
            let finding = judged(holding(&[], None).denied(kind, "directory"));
            assert_eq!(finding.reason(), Some(Reason::Forbidden), "{kind:?}");
        }
        let fails = holding(&[(PRINCIPAL, GLOBAL)], None).denied(Kind::GraphAppRoleAssignments, "directory");
        assert_eq!(judged(fails).outcome(), Outcome::Fail);
        assert_eq!(judged(base()).outcome(), Outcome::NotEvaluated);
        let unread = holding(&[], None).denied(Kind::ServicePrincipals, "directory");
        assert_eq!(judged(unread).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn of_microsofts_own_only_exceptions_are_told_and_no_principal_is_not_applicable() {
        let own = json!({"appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a"});
        let of = |roles: &[(&str, &str)]| {
            holding(roles, None).replace(Kind::ServicePrincipals, "directory", list([principal_json(&own)]))
        };
        assert_eq!(judged(of(&[])).outcome(), Outcome::NotApplicable);
        assert_eq!(judged(of(&[(PRINCIPAL, GLOBAL)])).outcome(), Outcome::Fail);
    }

    #[test]
    fn the_lists_name_each_thing_once() {
        for list in [PRIVILEGED, HIGH_RISK, RIGHTS, GIVING] {
            let once: std::collections::BTreeSet<_> = list.iter().collect();
            assert_eq!(once.len(), list.len());
        }
    }
}
