//! Second lists of what the resource manager lists, from Resource Graph: an index of its own, filled in another way.
//!
//! A query names `id` among its columns and has an order; without them the service cannot page, and leaves rows out
//! (learn:azure/governance/resource-graph/concepts/paging-results). Columns are the fewest that tell one thing from
//! another: `properties` may hold anything.

use super::super::permission::Permission::{self, Action};
use super::{Collector, Form, Listing, Shape};
use crate::azure::Api;
use crate::evidence::Kind;

/// The first lets a query run and shows no rows; rows are shown of what the caller may read.
const SEARCH: Permission = Action("Microsoft.ResourceGraph/resources/read");

/// Resources and identities in one list, so that one count covers both. Of a user-assigned identity the object id
/// is in its properties.
const IDENTITIES: Listing = Listing {
    name: "resource_graph_identities",
    query: "resources\n\
            | extend isIdentity = type =~ 'microsoft.managedidentity/userassignedidentities'\n\
            | extend identityType = tostring(identity.type)\n\
            | where isIdentity or (isnotempty(identityType) and identityType !~ 'None')\n\
            | extend principalId = iff(isIdentity, tostring(properties.principalId), tostring(identity.principalId))\n\
            | project id, name, type, identityType, principalId\n\
            | order by id asc",
    is_inherited: false,
};

const VAULTS: Listing = Listing {
    name: "resource_graph_vaults",
    query: "resources\n\
            | where type =~ 'microsoft.keyvault/vaults'\n\
            | project id, name, type\n\
            | order by id asc",
    is_inherited: false,
};

const ASSIGNMENTS: Listing = Listing {
    name: "resource_graph_assignments",
    query: "authorizationresources\n\
            | where type =~ 'microsoft.authorization/roleassignments'\n\
            | extend principalId = tostring(properties.principalId), scope = tostring(properties.scope)\n\
            | extend roleDefinitionId = tostring(properties.roleDefinitionId), createdOn = tostring(properties.createdOn)\n\
            | project id, type, principalId, scope, roleDefinitionId, createdOn\n\
            | order by id asc",
    is_inherited: true,
};

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Collector] = &[
    listing(
        Kind::ResourceGraphIdentities,
        &[SEARCH, Action("Microsoft.ManagedIdentity/userAssignedIdentities/read")],
        &IDENTITIES,
    ),
    listing(Kind::ResourceGraphVaults, &[SEARCH, Action("Microsoft.KeyVault/vaults/read")], &VAULTS),
    listing(
        Kind::ResourceGraphAssignments,
        &[SEARCH, Action("Microsoft.Authorization/roleAssignments/read")],
        &ASSIGNMENTS,
    ),
];

const fn listing(kind: Kind, permissions: &'static [Permission], listing: &'static Listing) -> Collector {
    Collector {
        kind,
        permissions,
        url: |_| "/providers/Microsoft.ResourceGraph/resources".to_owned(),
        api_version: "2022-10-01",
        older: &[],
        kept_days: None,
        api: Api::ResourceManager,
        form: Form::Listing(listing),
        shape: Shape::Data,
        gives: &[],
    }
}
