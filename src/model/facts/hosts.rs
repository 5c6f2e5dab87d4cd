//! What runs a customer's code, and how it comes to secrets: identities, references to vaults, pointers to secrets.

use super::Resource;
use crate::evidence::Cite;
use crate::model::Id;

/// Hosts by type, each in order of id. Their identities are those that the host itself names.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// Virtual machines and scale sets, with what they fetch from vaults.
    pub machines: Vec<Machine>,
    /// Apps of App Service and their slots.
    pub sites: Vec<Site>,
    /// Settings and connection strings of apps and slots that refer to vaults.
    pub vault_references: Vec<VaultReference>,
    /// Container apps.
    pub container_apps: Vec<ContainerApp>,
    /// Kubernetes clusters.
    pub clusters: Vec<Cluster>,
    /// Data factories.
    pub factories: Vec<Resource>,
    /// Vaults that data factories are linked with.
    pub factory_vaults: Vec<FactoryVault>,
    /// Synapse workspaces.
    pub synapse_workspaces: Vec<SynapseWorkspace>,
    /// Databricks workspaces.
    pub databricks_workspaces: Vec<DatabricksWorkspace>,
    /// Databricks access connectors, which carry the identities that Databricks workspaces use.
    pub access_connectors: Vec<Resource>,
    /// Automation accounts.
    pub automation_accounts: Vec<Resource>,
    /// Logic Apps of the consumption plan; those of the standard plan are apps.
    pub logic_apps: Vec<LogicApp>,
}

/// A virtual machine or a scale set.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The resource, with its identity.
    pub resource: Resource,
    /// Vaults whose certificates the platform puts onto it, with the vault's own leave and no identity of the machine
    /// (`osProfile.secrets[].sourceVault`).
    pub deployed_from: Vec<Id>,
    /// Addresses of what the Key Vault extension fetches onto it with the machine's identity.
    pub observed: Vec<String>,
}

/// An app of App Service or one of its slots, which has settings and an identity of its own.
#[derive(Clone, Debug)]
pub struct Site {
    /// The resource, with its identity.
    pub resource: Resource,
    /// Whether it is a slot.
    pub is_slot: bool,
    /// `kind`: `app,linux`, `functionapp`, `workflowapp`, …
    pub kind: Option<String>,
    /// `state`: `Running`, `Stopped`.
    pub state: Option<String>,
    /// `keyVaultReferenceIdentity`: which identity reads vault references, the ARM id of a user-assigned one or
    /// `SystemAssigned`; absent means the system-assigned one.
    pub reference_identity: Option<String>,
}

/// A setting or a connection string that refers to a vault.
#[derive(Clone, Debug)]
pub struct VaultReference {
    /// The app or slot.
    pub host: Id,
    /// Name of the setting.
    pub setting: String,
    /// Whether it is a connection string.
    pub is_connection_string: bool,
    /// `status`: `Resolved`, `AccessToKeyVaultDenied`, `SecretNotFound`, …; not every version of the service tells it.
    pub status: Option<String>,
    /// Name of the vault; absent where the reference cannot be understood.
    pub vault: Option<String>,
    /// Name of the secret.
    pub secret: Option<String>,
    /// Version that the reference asks for; absent means the newest.
    pub version: Option<String>,
    /// Kind of identity that reads it: `SystemAssigned`, `UserAssigned`.
    pub identity_type: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

impl VaultReference {
    /// Whether the service says that the value was read.
    pub fn is_resolved(&self) -> Option<bool> {
        self.status.as_deref().map(|status| status.eq_ignore_ascii_case("Resolved"))
    }
}

/// A container app.
#[derive(Clone, Debug)]
pub struct ContainerApp {
    /// The resource, with its identity.
    pub resource: Resource,
    /// Its secrets: names, and where they come from.
    pub secrets: Vec<ContainerAppSecret>,
}

/// A secret of a container app.
#[derive(Clone, Debug)]
pub struct ContainerAppSecret {
    /// Name.
    pub name: String,
    /// Address in a vault; none means that the app itself stores the value.
    pub vault_url: Option<String>,
    /// Which identity reads it: an ARM id, or `system`.
    pub identity: Option<String>,
}

/// A Kubernetes cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The resource, with the identity of its control plane.
    pub resource: Resource,
    /// Object id of the identity that the nodes use, lower case.
    pub kubelet_object_id: Option<String>,
    /// Object id of the identity of the add-on that mounts secrets of vaults, lower case; none when the add-on is off.
    pub secrets_provider_object_id: Option<String>,
    /// `oidcIssuerProfile.enabled`; absent means off.
    pub oidc_issuer: bool,
    /// `oidcIssuerProfile.issuerURL`, which federated credentials name exactly, with its last slash.
    pub oidc_issuer_url: Option<String>,
    /// `securityProfile.workloadIdentity.enabled`; absent means off.
    pub workload_identity: bool,
    /// `podIdentityProfile.enabled`, the older way; absent means off.
    pub pod_identity: bool,
    /// `disableLocalAccounts`; absent means that local accounts, with a certificate of cluster administrators, are on.
    pub local_accounts_disabled: bool,
    /// `aadProfile.enableAzureRBAC`; absent means off.
    pub azure_rbac: bool,
    /// The key of a vault that encrypts the cluster's secrets (`securityProfile.azureKeyVaultKms`), where it is on.
    pub kms_key: Option<String>,
}

/// A vault that a data factory is linked with.
#[derive(Clone, Debug)]
pub struct FactoryVault {
    /// The factory.
    pub factory: Id,
    /// Name of the link.
    pub name: String,
    /// Address of the vault; none where it is an expression.
    pub base_url: Option<String>,
    /// Name of the factory's credential that is used; none means the factory's own identity.
    pub credential: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

/// A Synapse workspace.
#[derive(Clone, Debug)]
pub struct SynapseWorkspace {
    /// The resource, with its identity.
    pub resource: Resource,
    /// `azureADOnlyAuthentication`; absent means that passwords work too.
    pub entra_only: bool,
    /// `trustedServiceBypassEnabled`, where told.
    pub trusted_services: Option<bool>,
    /// Address of the customer's key (`encryption.cmk.key.keyVaultUrl`); none means the platform's.
    pub key_url: Option<String>,
}

/// A Databricks workspace. It has no identity that a workload could use; access connectors have.
#[derive(Clone, Debug)]
pub struct DatabricksWorkspace {
    /// The resource.
    pub resource: Resource,
    /// Object id of the identity that encrypts its storage, lower case.
    pub storage_object_id: Option<String>,
    /// Object id of the identity that encrypts its disks, lower case.
    pub disk_object_id: Option<String>,
}

/// A Logic App.
#[derive(Clone, Debug)]
pub struct LogicApp {
    /// The resource, with its identity.
    pub resource: Resource,
    /// `state`: `Enabled`, `Disabled`, …
    pub state: Option<String>,
}
