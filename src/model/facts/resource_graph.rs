//! What Resource Graph lists: the same things as the resource manager, from an index of its own.

use chrono::{DateTime, Utc};

use crate::evidence::Cite;
use crate::model::Id;

/// The second lists.
#[derive(Clone, Debug, Default)]
pub struct ResourceGraph {
    /// Resources with an identity, and user-assigned identities; each id once.
    pub identities: Vec<IndexedResource>,
    /// Key vaults, each id once.
    pub vaults: Vec<IndexedResource>,
    /// Role assignments at, above and below the subscriptions, each id once.
    pub assignments: Vec<IndexedAssignment>,
}

/// A resource as the index has it.
#[derive(Clone, Debug)]
pub struct IndexedResource {
    /// ARM id.
    pub id: Id,
    /// Name.
    pub name: String,
    /// Resource type; the index writes it in lower case.
    pub resource_type: String,
    /// `identity.type` of a host; absent for vaults and for user-assigned identities.
    pub identity_type: Option<String>,
    /// Lower-case object id: of the host's own identity, or of the user-assigned identity that it is.
    pub principal_id: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

impl IndexedResource {
    /// Whether it is a user-assigned identity and not a host.
    pub fn is_user_assigned_identity(&self) -> bool {
        self.resource_type.eq_ignore_ascii_case("Microsoft.ManagedIdentity/userAssignedIdentities")
    }
}

/// A role assignment as the index has it.
#[derive(Clone, Debug)]
pub struct IndexedAssignment {
    /// ARM id.
    pub id: Id,
    /// Where it holds.
    pub scope: Option<Id>,
    /// Lower-case object id of the principal.
    pub principal_id: Option<String>,
    /// `createdOn`.
    pub created_on: Option<DateTime<Utc>>,
    /// Where it was read.
    pub from: Cite,
}
