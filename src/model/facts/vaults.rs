//! Key vaults as resources: model, policies, network, protection.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::evidence::Cite;
use crate::model::Id;

/// A key vault.
#[derive(Clone, Debug)]
pub struct Vault {
    /// ARM id.
    pub id: Id,
    /// Name.
    pub name: String,
    /// Tenant that the vault trusts, lower case.
    pub tenant_id: Option<String>,
    /// `vaultUri`.
    pub vault_uri: Option<String>,
    /// Tags that the allow-list keeps, names lower-cased.
    pub tags: BTreeMap<String, String>,
    /// `enableRbacAuthorization`; only `Some(true)` is RBAC, false **and absent** mean access policies
    /// (learn.microsoft.com/azure/key-vault/general/access-control-default).
    pub rbac: Option<bool>,
    /// Access policies; ignored by the vault while it is in RBAC mode.
    pub access_policies: Vec<AccessPolicy>,
    /// Further entries that could not be read, such as one that names nobody.
    pub unread_policies: usize,
    /// `enableSoftDelete`; absent on old vaults.
    pub soft_delete: Option<bool>,
    /// `softDeleteRetentionInDays`.
    pub soft_delete_retention_days: Option<i64>,
    /// `enablePurgeProtection`; absent means off, false is never stored.
    pub purge_protection: Option<bool>,
    /// `publicNetworkAccess`, as received; absent means enabled.
    pub public_network_access: Option<String>,
    /// `networkAcls`; absent means that every network may connect.
    pub network_acls: Option<NetworkAcls>,
    /// `enabledForDeployment`.
    pub enabled_for_deployment: Option<bool>,
    /// `enabledForDiskEncryption`.
    pub enabled_for_disk_encryption: Option<bool>,
    /// `enabledForTemplateDeployment`.
    pub enabled_for_template_deployment: Option<bool>,
    /// Private endpoint connections.
    pub private_endpoints: Vec<PrivateEndpoint>,
    /// `systemData.createdAt`, where told.
    pub created_at: Option<DateTime<Utc>>,
    /// Where it was read.
    pub from: Cite,
}

impl Vault {
    /// Whether Azure RBAC decides about data-plane access.
    pub fn is_rbac(&self) -> bool {
        self.rbac == Some(true)
    }
}

/// One entry of a vault's access policies.
#[derive(Clone, Debug)]
pub struct AccessPolicy {
    /// Tenant of the principal, lower case.
    pub tenant_id: Option<String>,
    /// Object id of a user, group or service principal, lower case.
    pub object_id: String,
    /// Set when only this application acting for that principal is meant; lower case, zero GUID read as absent.
    pub application_id: Option<String>,
    /// Permissions on keys, lower case.
    pub keys: BTreeSet<String>,
    /// Permissions on secrets, lower case.
    pub secrets: BTreeSet<String>,
    /// Permissions on certificates, lower case.
    pub certificates: BTreeSet<String>,
    /// Permissions on storage accounts, lower case.
    pub storage: BTreeSet<String>,
    /// Where it was read.
    pub from: Cite,
}

/// A vault's network rules.
#[derive(Clone, Debug, Default)]
pub struct NetworkAcls {
    /// `defaultAction`: `Allow` or `Deny`; absent is read as Allow by the service.
    pub default_action: Option<String>,
    /// `bypass`: `AzureServices` (also when absent) or `None`.
    pub bypass: Option<String>,
    /// `ipRules[].value`.
    pub ip_rules: Vec<String>,
    /// `virtualNetworkRules[].id`.
    pub virtual_network_rules: Vec<String>,
    /// Further rules that could not be read: each lets in an address or a subnet that is not known.
    pub unread_rules: usize,
}

/// A private endpoint connection of a vault.
#[derive(Clone, Debug)]
pub struct PrivateEndpoint {
    /// ARM id of the endpoint, where told.
    pub id: Option<String>,
    /// `privateLinkServiceConnectionState.status`; only `Approved` counts.
    pub status: Option<String>,
}

/// A soft-deleted vault.
#[derive(Clone, Debug)]
pub struct DeletedVault {
    /// ARM id of the vault before it was deleted.
    pub vault_id: Id,
    /// Name.
    pub name: String,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it will be purged.
    pub scheduled_purge_at: Option<DateTime<Utc>>,
    /// Whether purge protection is on.
    pub purge_protection: Option<bool>,
    /// Where it was read.
    pub from: Cite,
}
