//! Services that hold data: whether keys and passwords open them, and whose key encrypts what they hold.

use chrono::{DateTime, Utc};

use super::Resource;
use crate::model::Id;

/// Services that hold data, each list in order of id.
#[derive(Clone, Debug, Default)]
pub struct DataServices {
    /// Databases, storage, AI services.
    pub services: Vec<DataService>,
    /// Disk encryption sets.
    pub disk_encryption_sets: Vec<DiskEncryptionSet>,
    /// Managed HSMs.
    pub managed_hsms: Vec<ManagedHsm>,
    /// Private endpoints, to vaults among others.
    pub endpoints: Vec<NetworkEndpoint>,
}

/// A service that holds data.
#[derive(Clone, Debug)]
pub struct DataService {
    /// The resource, with its identity.
    pub resource: Resource,
    /// What it is.
    pub family: DataFamily,
    /// Whether keys or passwords open it beside the directory's identities. Decided from what the service takes an absent
    /// setting for.
    pub allows_keys: bool,
    /// Whose key encrypts it.
    pub encryption: Encryption,
    /// Who administers it through the directory, where told.
    pub administrator: Option<Administrator>,
    /// Of a storage account: what guards blobs in containers without a policy of their own.
    pub immutability: Option<AccountImmutability>,
}

/// The policy of a storage account for blobs that have none of their own (`immutableStorageWithVersioning`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountImmutability {
    /// Whether the policy is locked; one that is not can be taken away.
    pub is_locked: bool,
    /// How long a blob stays as it is after it was written: days.
    pub days: i64,
}

/// What a service that holds data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DataFamily {
    /// A SQL server.
    Sql,
    /// A storage account.
    Storage,
    /// A Cosmos DB account.
    Cosmos,
    /// An AI services account.
    Cognitive,
    /// An AI Search service.
    Search,
    /// A PostgreSQL flexible server.
    Postgres,
}

/// Whose key encrypts what a service holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// The platform's.
    Platform,
    /// The customer's, in a vault.
    Customer {
        /// Address of the key or, where only that is told, of its vault.
        key: Option<String>,
        /// Identity that reaches the key: an ARM id or a client id, where told.
        identity: Option<String>,
    },
    /// The list does not say.
    NotTold,
}

/// An administrator of a service, as the directory knows it.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// Object id of a user or group, application id of an application; lower case.
    pub id: Option<String>,
    /// `User`, `Group`, `Application`.
    pub principal_type: Option<String>,
}

/// A disk encryption set.
#[derive(Clone, Debug)]
pub struct DiskEncryptionSet {
    /// The resource, with its identity.
    pub resource: Resource,
    /// The vault that holds the key; absent for one of another subscription.
    pub vault: Option<Id>,
    /// Address of the key in use.
    pub key_url: Option<String>,
    /// `rotationToLatestKeyVersionEnabled`; absent means off.
    pub follows_rotation: bool,
}

/// A managed HSM. Who may use its keys is decided inside it, and Resource Manager cannot tell.
#[derive(Clone, Debug)]
pub struct ManagedHsm {
    /// The resource.
    pub resource: Resource,
    /// Address.
    pub uri: Option<String>,
    /// `enableSoftDelete`, where told.
    pub soft_delete: Option<bool>,
    /// `softDeleteRetentionInDays`.
    pub soft_delete_retention_days: Option<i64>,
    /// `enablePurgeProtection`, where told.
    pub purge_protection: Option<bool>,
    /// `publicNetworkAccess`, as received.
    pub public_network_access: Option<String>,
    /// `networkAcls.defaultAction`, as received.
    pub default_action: Option<String>,
    /// Object ids of those who administered it when it was made, lower case; not who does now.
    pub initial_administrators: Vec<String>,
    /// When it will be purged, for one that was deleted.
    pub scheduled_purge_at: Option<DateTime<Utc>>,
}

/// A private endpoint.
#[derive(Clone, Debug)]
pub struct NetworkEndpoint {
    /// The resource.
    pub resource: Resource,
    /// What it leads to.
    pub connections: Vec<EndpointConnection>,
}

/// What a private endpoint leads to.
#[derive(Clone, Debug)]
pub struct EndpointConnection {
    /// ARM id of the service; none where the connection names an alias.
    pub target: Option<Id>,
    /// Parts of the service: `vault`, `blob`, …
    pub groups: Vec<String>,
    /// `status`; only `Approved` counts.
    pub status: Option<String>,
}
