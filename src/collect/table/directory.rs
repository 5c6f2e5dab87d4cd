//! The directory, through Microsoft Graph.

use super::super::permission::Permission::{self, Graph};
use super::{Collector, Form, Shape};
use crate::evidence::{Kind, Over};

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Collector] = &[
    Collector::graph(Kind::ManagedIdentityPrincipals, &[Graph("Application.Read.All")], |_| {
        "/v1.0/servicePrincipals?$filter=servicePrincipalType%20eq%20%27ManagedIdentity%27&$count=true\
         &$select=id,appId,displayName,servicePrincipalType,accountEnabled,appOwnerOrganizationId,alternativeNames\
         &$top=999"
            .to_owned()
    })
    .put(Form::Advanced),
    Collector::graph(Kind::Applications, &[Graph("Application.Read.All")], |_| {
        "/v1.0/applications?$count=true\
         &$select=id,appId,displayName,createdDateTime,signInAudience,tags,passwordCredentials,keyCredentials&$top=999"
            .to_owned()
    })
    .put(Form::Advanced)
    .giving(&[Over::Application]),
    // Of every type, and so with the managed identities once more: what an application may do, it does as the
    // principal that stands for it here, whoever owns the application.
    Collector::graph(Kind::ServicePrincipals, &[Graph("Application.Read.All")], |_| {
        "/v1.0/servicePrincipals?$count=true&$select=id,appId,displayName,servicePrincipalType,accountEnabled,\
         appOwnerOrganizationId,preferredSingleSignOnMode,tags,passwordCredentials,keyCredentials&$top=999"
            .to_owned()
    })
    .put(Form::Advanced),
    Collector::graph(Kind::GraphAppRoles, &[Graph("Application.Read.All")], |_| {
        format!("/v1.0/servicePrincipals(appId='{GRAPH}')?$select=id,appId,displayName,appRoles")
    })
    .shaped(Shape::One),
    // Of one resource, and so one question for all who hold anything there.
    Collector::graph(Kind::GraphAppRoleAssignments, &[Graph("Application.Read.All")], |_| {
        format!("/v1.0/servicePrincipals(appId='{GRAPH}')/appRoleAssignedTo?$count=true&$top=999")
    })
    .put(Form::Advanced),
    Collector::graph(Kind::DirectoryRoleDefinitions, ROLES, |_| {
        "/v1.0/roleManagement/directory/roleDefinitions".to_owned()
    }),
    Collector::graph(Kind::DirectoryRoleAssignments, ROLES, |_| {
        "/v1.0/roleManagement/directory/roleAssignments".to_owned()
    }),
    Collector::graph(Kind::DirectoryRoleInstances, ROLES, |_| {
        "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances".to_owned()
    }),
    Collector::graph(Kind::DirectoryRoleEligibilities, ROLES, |_| {
        "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances".to_owned()
    }),
    Collector::graph(Kind::ConditionalAccessPolicies, POLICIES, |_| {
        "/v1.0/identity/conditionalAccess/policies".to_owned()
    }),
    Collector::graph(Kind::SecurityDefaults, POLICIES, |_| {
        "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy".to_owned()
    })
    .shaped(Shape::One),
    Collector::graph(Kind::DefaultAppPolicy, POLICIES, |_| "/v1.0/policies/defaultAppManagementPolicy".to_owned())
        .shaped(Shape::One),
    Collector::graph(Kind::AppPolicies, POLICIES, |_| "/v1.0/policies/appManagementPolicies".to_owned())
        .giving(&[Over::AppPolicy]),
    Collector::graph(Kind::DeletedApplications, &[Graph("Application.Read.All")], |_| {
        deleted("application", "id,appId,displayName,deletedDateTime")
    })
    .put(Form::Advanced),
    Collector::graph(Kind::DeletedServicePrincipals, &[Graph("Application.Read.All")], |_| {
        deleted("servicePrincipal", "id,appId,displayName,deletedDateTime")
    })
    .put(Form::Advanced),
    // The permissions that are named for these two alone, User.Read.All and Group.Read.All, add to the one that
    // looking up principals needs anyway; the second also opens what groups wrote to each other.
    Collector::graph(Kind::DeletedUsers, &[Graph("Directory.Read.All")], |_| deleted("user", "id,deletedDateTime"))
        .put(Form::Advanced),
    Collector::graph(Kind::DeletedGroups, &[Graph("Directory.Read.All")], |_| {
        deleted("group", "id,displayName,deletedDateTime")
    })
    .put(Form::Advanced),
    // Directory.Read.All does not do here.
    Collector::graph(Kind::ApplicationFederatedCredentials, &[Graph("Application.Read.All")], |application| {
        format!("/v1.0/applications/{}/federatedIdentityCredentials", object_id(application))
    }),
    Collector::graph(Kind::ApplicationOwners, &[Graph("Application.Read.All")], |application| {
        format!("/v1.0/applications/{}/owners?$count=true&{OWNERS}", object_id(application))
    })
    .put(Form::Advanced),
    Collector::graph(Kind::AppPolicyTargets, &[Graph("Policy.Read.All"), Graph("Application.Read.All")], |policy| {
        format!("/v1.0/policies/appManagementPolicies/{}/appliesTo?$select=id&$top=999", object_id(policy))
    }),
    Collector::graph(Kind::Principals, &[Graph("Directory.Read.All")], |_| {
        "/v1.0/directoryObjects/getByIds".to_owned()
    })
    .put(Form::Ids),
    // Asked the plain way, version 1.0 leaves out members that are service principals, without a word. As an advanced
    // query it names them, and says how many members there are.
    Collector::graph(Kind::GroupMembers, &[Graph("GroupMember.Read.All")], |group| {
        format!(
            "/v1.0/groups/{}/transitiveMembers?$count=true&$select=id,displayName,userType&$top=999",
            object_id(group)
        )
    })
    .put(Form::Advanced),
    Collector::graph(Kind::GroupOwners, &[Graph("GroupMember.Read.All")], |group| {
        format!("/v1.0/groups/{}/owners?$count=true&{OWNERS}", object_id(group))
    })
    .put(Form::Advanced),
    Collector::graph(Kind::GroupAssignments, &[Graph("PrivilegedAssignmentSchedule.Read.AzureADGroup")], |group| {
        of_group("assignmentScheduleInstances", group)
    }),
    Collector::graph(Kind::GroupEligibilities, &[Graph("PrivilegedEligibilitySchedule.Read.AzureADGroup")], |group| {
        of_group("eligibilityScheduleInstances", group)
    }),
    // Of a service principal, unlike an application and a group, owners are no advanced query: nothing counts them.
    Collector::graph(Kind::ServicePrincipalOwners, &[Graph("Application.Read.All")], |principal| {
        format!("/v1.0/servicePrincipals/{}/owners?{OWNERS}", object_id(principal))
    }),
];

/// The application id of Microsoft Graph, the same in every tenant and cloud.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// Reads roles and their schedules. Each schedule has a narrower permission of its own, which would add to this one:
/// assignments and definitions need it.
const ROLES: &[Permission] = &[Graph("RoleManagement.Read.Directory")];

/// Reads policies of every kind.
const POLICIES: &[Permission] = &[Graph("Policy.Read.All")];

/// What was deleted of one type of object.
fn deleted(of_type: &str, fields: &str) -> String {
    format!("/v1.0/directory/deletedItems/microsoft.graph.{of_type}?$count=true&$select={fields}&$top=999")
}

/// What privileged identity management knows of one group; the service wants it named.
fn of_group(list: &str, group: &str) -> String {
    let id = object_id(group);
    format!("/v1.0/identityGovernance/privilegedAccess/group/{list}?$filter=groupId%20eq%20%27{id}%27")
}

/// What is asked of owners: who they are, and whether they still can sign in.
const OWNERS: &str = "$select=id,displayName,accountEnabled,userType&$top=999";

/// The id in a scope such as `group:{object id}`.
fn object_id(scope: &str) -> &str {
    scope.split_once(':').map_or(scope, |(_, id)| id)
}
