//! The directory, through Microsoft Graph.

use super::super::permission::Permission::Graph;
use super::{Collector, Form};
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
    // Directory.Read.All does not do here.
    Collector::graph(Kind::ApplicationFederatedCredentials, &[Graph("Application.Read.All")], |application| {
        format!("/v1.0/applications/{}/federatedIdentityCredentials", object_id(application))
    }),
    Collector::graph(Kind::ApplicationOwners, &[Graph("Application.Read.All")], |application| {
        format!("/v1.0/applications/{}/owners?$count=true&{OWNERS}", object_id(application))
    })
    .put(Form::Advanced),
    Collector::graph(Kind::Principals, &[Graph("Directory.Read.All")], |_| {
        "/v1.0/directoryObjects/getByIds".to_owned()
    })
    .put(Form::Ids),
    // Asked the plain way, version 1.0 leaves out members that are service principals, without a word. As an advanced
    // query it names them, and says how many members there are.
    Collector::graph(Kind::GroupMembers, &[Graph("GroupMember.Read.All")], |group| {
        format!("/v1.0/groups/{}/transitiveMembers?$count=true&$select=id,displayName&$top=999", object_id(group))
    })
    .put(Form::Advanced),
    // Of a service principal, unlike an application and a group, owners are no advanced query: nothing counts them.
    Collector::graph(Kind::ServicePrincipalOwners, &[Graph("Application.Read.All")], |principal| {
        format!("/v1.0/servicePrincipals/{}/owners?{OWNERS}", object_id(principal))
    }),
];

/// What is asked of owners: who they are, and whether they still can sign in.
const OWNERS: &str = "$select=id,displayName,accountEnabled,userType&$top=999";

/// The id in a scope such as `group:{object id}`.
fn object_id(scope: &str) -> &str {
    scope.split_once(':').map_or(scope, |(_, id)| id)
}
