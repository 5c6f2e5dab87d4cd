//! The directory, through Microsoft Graph.

use super::super::permission::Permission::Graph;
use super::{Collector, Form};
use crate::evidence::Kind;

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Collector] = &[
    Collector::graph(Kind::ManagedIdentityPrincipals, &[Graph("Application.Read.All")], |_| {
        "/v1.0/servicePrincipals?$filter=servicePrincipalType%20eq%20%27ManagedIdentity%27&$count=true\
         &$select=id,appId,displayName,servicePrincipalType,accountEnabled,appOwnerOrganizationId,alternativeNames\
         &$top=999"
            .to_owned()
    })
    .put(Form::Advanced),
    Collector::graph(Kind::Principals, &[Graph("Directory.Read.All")], |_| {
        "/v1.0/directoryObjects/getByIds".to_owned()
    })
    .put(Form::Ids),
    // Asked the plain way, version 1.0 leaves out members that are service principals, without a word. As an advanced
    // query it names them, and says how many members there are.
    Collector::graph(Kind::GroupMembers, &[Graph("GroupMember.Read.All")], |group| {
        let id = group.trim_start_matches("group:");
        format!("/v1.0/groups/{id}/transitiveMembers?$count=true&$select=id,displayName&$top=999")
    })
    .put(Form::Advanced),
];
