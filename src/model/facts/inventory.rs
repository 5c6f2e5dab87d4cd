//! Resources of every type, and the identities that they carry.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::evidence::Cite;
use crate::model::Id;

/// A subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// `/subscriptions/{guid}`.
    pub id: Id,
    /// Display name.
    pub name: String,
    /// `Enabled`, `Warned`, …
    pub state: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

/// A resource of any type.
#[derive(Clone, Debug)]
pub struct Resource {
    /// ARM id.
    pub id: Id,
    /// Resource name.
    pub name: String,
    /// `Microsoft.Compute/virtualMachines`, as received.
    pub resource_type: String,
    /// Azure region, if told.
    pub location: Option<String>,
    /// Tags that the allow-list keeps (environment, owner, purpose, …), names lower-cased.
    pub tags: BTreeMap<String, String>,
    /// When it was made; told of virtual machines.
    pub created_at: Option<DateTime<Utc>>,
    /// `identity` block; `None` when absent, which means that no identity is attached.
    pub identity: Option<Identity>,
    /// Where it was read.
    pub from: Cite,
}

/// The `identity` block of a resource.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The system-assigned identity's object id.
    pub system_principal_id: Option<String>,
    /// `type` says that a system-assigned identity is on.
    pub system_assigned: bool,
    /// ARM ids of attached user-assigned identities, with object and client id where told.
    pub user_assigned: Vec<AttachedIdentity>,
}

/// A user-assigned identity as its host names it.
#[derive(Clone, Debug)]
pub struct AttachedIdentity {
    /// ARM id.
    pub id: Id,
    /// Object id, where told.
    pub principal_id: Option<String>,
}

/// A user-assigned managed identity.
#[derive(Clone, Debug)]
pub struct UserAssignedIdentity {
    /// ARM id.
    pub id: Id,
    /// Name.
    pub name: String,
    /// Object id in the directory (`principalId`).
    pub principal_id: Option<String>,
    /// Application id (`clientId`).
    pub client_id: Option<String>,
    /// Tags that the allow-list keeps, names lower-cased.
    pub tags: BTreeMap<String, String>,
    /// `systemData.createdAt`, where told.
    pub created_at: Option<DateTime<Utc>>,
    /// Where it was read.
    pub from: Cite,
}

/// A federated credential of a user-assigned identity.
#[derive(Clone, Debug)]
pub struct FederatedCredential {
    /// ARM id of the identity.
    pub identity: Id,
    /// Name.
    pub name: String,
    /// `issuer`.
    pub issuer: Option<String>,
    /// `subject`; absent for flexible credentials.
    pub subject: Option<String>,
    /// `audiences`.
    pub audiences: Vec<String>,
    /// Where it was read.
    pub from: Cite,
}
