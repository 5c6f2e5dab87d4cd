//! The typed facts. Every fact carries the place that it was read from; absent is never taken for false.

mod authorization;
mod contents;
mod data_services;
mod directory;
mod hosts;
mod logging;
mod logs;
mod resource_graph;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

pub use self::authorization::{
    AssignmentCount, Authorization, ClassicAdministrator, Delegate, Delegation, Lock, RoleRequest, RoleRules,
    RoleSchedule,
};
pub use self::contents::*;
pub use self::data_services::*;
pub use self::directory::{
    AppPolicy, AppRestriction, AppRoleGrant, Application, ConditionalAccessPolicy, Credential, CredentialKind,
    DeletedKind, DeletedObject, Directory, DirectoryRole, DirectoryRoleGrant, GroupGrant, Owner, SecurityDefaults,
    Selection, ServicePrincipal,
};
pub use self::hosts::*;
pub use self::logging::{ActivityEvent, ActivityReach, ArchiveContainer, DefenderPlan, Grant, Logging};
pub use self::tree::{Entity, Tree};
use super::{Coverage, Hierarchy, Id};
use crate::evidence::{Cite, Period, PersonalData};

pub use logs::{
    Activity, ChangeTarget, DirectoryChange, LogDay, LogState, LogTable, Logs, OperationDay, SignInDay, SignInKind,
    SignIns, VaultChange,
};
pub use resource_graph::{IndexedAssignment, IndexedResource, ResourceGraph};

/// Everything that one capture says about a tenant.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Entra tenant id.
    pub id: String,
    /// When collection began, UTC.
    pub collected_at: DateTime<Utc>,
    /// What was kept of personal data.
    pub personal_data: PersonalData,
    /// Subscriptions that were visible.
    pub subscriptions: Vec<Subscription>,
    /// Management groups and their tree.
    pub hierarchy: Hierarchy,
    /// What the tree of management groups names, visible or not.
    pub tree: Tree,
    /// Resources of every type, virtual machines merged in, each id once.
    pub resources: Vec<Resource>,
    /// User-assigned managed identities.
    pub user_assigned: Vec<UserAssignedIdentity>,
    /// Federated credentials of user-assigned identities.
    pub federated: Vec<FederatedCredential>,
    /// Key vaults.
    pub vaults: Vec<Vault>,
    /// Soft-deleted vaults.
    pub deleted_vaults: Vec<DeletedVault>,
    /// What runs a customer's code, by type.
    pub hosts: Hosts,
    /// Services that hold data.
    pub data: DataServices,
    /// What vaults hold, as far as lists tell: names and attributes.
    pub contents: VaultContents,
    /// Role assignments, each id once.
    pub role_assignments: Vec<RoleAssignment>,
    /// Role definitions by lower-case GUID.
    pub role_definitions: BTreeMap<String, RoleDefinition>,
    /// Deny assignments, each id once.
    pub deny_assignments: Vec<DenyAssignment>,
    /// Roles that can be activated, how active ones came to be, and the rules for both.
    pub authorization: Authorization,
    /// What the collecting identity may do in each subscription, one for each entry of its roles.
    pub own_permissions: Vec<OwnPermission>,
    /// Diagnostic settings of vaults, in order of vault and name.
    pub diagnostic_settings: Vec<DiagnosticSetting>,
    /// Exports, the activity log, Defender plans and archives.
    pub logging: Logging,
    /// Log Analytics workspaces.
    pub workspaces: Vec<Workspace>,
    /// Their tables.
    pub tables: Vec<Table>,
    /// Managed identities as the directory lists them.
    pub managed_identities: Vec<Principal>,
    /// Every principal that the directory returned, by lower-case object id.
    pub principals: BTreeMap<String, Principal>,
    /// Lower-case object ids that the directory was asked for and that it answered about without a gap.
    /// One of these that is not in `principals` does not exist (deleted, or another tenant's).
    pub resolved_ids: BTreeMap<String, Cite>,
    /// Transitive members by lower-case object id of the group.
    pub members: BTreeMap<String, Vec<Member>>,
    /// What the directory says beyond that.
    pub directory: Directory,
    /// The second lists, from Resource Graph.
    pub resource_graph: ResourceGraph,
    /// What the logs say beyond that.
    pub logs: Logs,
    /// Vault log rows: reads, denials and handshakes, in order of time.
    pub vault_events: Vec<VaultEvent>,
    /// Vault log rows per day, vault and operation.
    pub vault_days: Vec<VaultDay>,
    /// Which questions were answered.
    pub coverage: Coverage,
}

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

/// A role assignment.
#[derive(Clone, Debug)]
pub struct RoleAssignment {
    /// ARM id.
    pub id: Id,
    /// `properties.scope`.
    pub scope: Id,
    /// Lower-case GUID of the role definition: the last segment of `roleDefinitionId`, which comes in three forms.
    pub role: String,
    /// Lower-case object id of the principal.
    pub principal_id: String,
    /// `principalType`, as received. Not a proof of what the principal is, and absent is unknown.
    pub principal_type: Option<String>,
    /// Text of the condition on the assignment, if any.
    pub condition: Option<String>,
    /// `createdOn`.
    pub created_on: Option<DateTime<Utc>>,
    /// `createdBy`, an object id.
    pub created_by: Option<String>,
    /// `delegatedManagedIdentityResourceId`, if any.
    pub delegated_managed_identity: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

/// A role definition.
#[derive(Clone, Debug)]
pub struct RoleDefinition {
    /// Lower-case GUID.
    pub guid: String,
    /// `roleName`.
    pub name: String,
    /// `type`: `BuiltInRole` or `CustomRole`, as received.
    pub role_type: Option<String>,
    /// One or more permission entries; each grants on its own.
    pub permissions: Vec<Permission>,
    /// Where it was read.
    pub from: Cite,
}

/// One entry of a role's permissions. The `not…` lists subtract inside this entry only.
#[derive(Clone, Debug, Default)]
pub struct Permission {
    /// Control-plane actions.
    pub actions: Vec<String>,
    /// Taken away from `actions`.
    pub not_actions: Vec<String>,
    /// Data-plane actions.
    pub data_actions: Vec<String>,
    /// Taken away from `data_actions`.
    pub not_data_actions: Vec<String>,
    /// Condition on this entry, if any.
    pub condition: Option<String>,
}

/// Something that the collecting identity may do.
#[derive(Clone, Debug)]
pub struct OwnPermission {
    /// The subscription.
    pub scope: Id,
    /// What it may do there.
    pub permission: Permission,
    /// Where it was read.
    pub from: Cite,
}

/// A deny assignment.
#[derive(Clone, Debug)]
pub struct DenyAssignment {
    /// ARM id.
    pub id: Id,
    /// Name.
    pub name: String,
    /// `properties.scope`.
    pub scope: Id,
    /// `denyAssignmentEffect`: `enforced`, `audit`; absent is unknown and never credited.
    pub effect: Option<String>,
    /// Lower-case object ids; the zero GUID means everyone.
    pub principals: Vec<String>,
    /// Lower-case object ids that are left out.
    pub exclude_principals: Vec<String>,
    /// `doNotApplyToChildScopes`.
    pub not_to_children: Option<bool>,
    /// Permission entries.
    pub permissions: Vec<Permission>,
    /// Where it was read.
    pub from: Cite,
}

/// A diagnostic setting of a vault.
#[derive(Clone, Debug)]
pub struct DiagnosticSetting {
    /// The vault.
    pub resource: Id,
    /// Name of the setting.
    pub name: String,
    /// Logs: category or category group, and whether it is on.
    pub logs: Vec<LogSetting>,
    /// ARM id of the Log Analytics workspace.
    pub workspace_id: Option<Id>,
    /// `Dedicated`, `AzureDiagnostics`, or absent (AzureDiagnostics).
    pub destination_type: Option<String>,
    /// ARM id of a storage account.
    pub storage_account_id: Option<String>,
    /// Authorization rule of an event hub.
    pub event_hub_rule_id: Option<String>,
    /// A partner solution.
    pub partner_id: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

/// One log of a diagnostic setting.
#[derive(Clone, Debug)]
pub struct LogSetting {
    /// `category`, when one is named.
    pub category: Option<String>,
    /// `categoryGroup`, when one is named.
    pub group: Option<String>,
    /// `enabled`.
    pub enabled: Option<bool>,
}

impl DiagnosticSetting {
    /// Whether vault audit events are switched on: category `AuditEvent`, or group `audit` or `allLogs`.
    pub fn sends_audit_events(&self) -> bool {
        self.logs.iter().any(|log| {
            let named = |text: &Option<String>, names: &[&str]| {
                text.as_deref().is_some_and(|text| names.iter().any(|name| text.eq_ignore_ascii_case(name)))
            };
            log.enabled == Some(true)
                && (named(&log.category, &["AuditEvent"]) || named(&log.group, &["audit", "allLogs"]))
        })
    }

    /// Whether a log is switched on: by its category, or by the group of all.
    pub fn sends(&self, category: &str) -> bool {
        let is =
            |text: &Option<String>, name: &str| text.as_deref().is_some_and(|text| text.eq_ignore_ascii_case(name));
        let mut on = self.logs.iter().filter(|log| log.enabled == Some(true));
        on.any(|log| is(&log.category, category) || is(&log.group, "allLogs"))
    }

    /// Whether the workspace gets the rows in `AZKVAuditLogs` (else in `AzureDiagnostics`).
    pub fn is_dedicated(&self) -> bool {
        self.destination_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("Dedicated"))
    }

    /// Whether the setting names any destination.
    pub fn has_destination(&self) -> bool {
        self.workspace_id.is_some()
            || self.storage_account_id.is_some()
            || self.event_hub_rule_id.is_some()
            || self.partner_id.is_some()
    }
}

/// A Log Analytics workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// ARM id.
    pub id: Id,
    /// Name.
    pub name: String,
    /// `customerId`: the GUID that queries use, lower case.
    pub customer_id: Option<String>,
    /// `retentionInDays`; null is possible.
    pub retention_days: Option<i64>,
    /// Where it was read.
    pub from: Cite,
}

/// A table of a workspace.
#[derive(Clone, Debug)]
pub struct Table {
    /// The workspace.
    pub workspace: Id,
    /// Table name.
    pub name: String,
    /// `plan`: Analytics, Basic, Auxiliary.
    pub plan: Option<String>,
    /// `retentionInDays`, interactive.
    pub retention_days: Option<i64>,
    /// `totalRetentionInDays`, with long-term retention.
    pub total_retention_days: Option<i64>,
    /// Where it was read.
    pub from: Cite,
}

/// What a principal is, as the directory says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalKind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A service principal of a managed identity.
    ManagedIdentity,
    /// Any other service principal.
    ServicePrincipal,
    /// Anything else, by its `@odata.type` or `servicePrincipalType`.
    Other(String),
}

impl PrincipalKind {
    /// The field's word for it.
    pub fn words(&self) -> &str {
        match self {
            PrincipalKind::User => "user",
            PrincipalKind::Group => "group",
            PrincipalKind::ManagedIdentity => "managed identity",
            PrincipalKind::ServicePrincipal => "service principal",
            PrincipalKind::Other(name) => name,
        }
    }

    /// Whether it is a non-human identity.
    pub fn is_non_human(&self) -> bool {
        matches!(self, PrincipalKind::ManagedIdentity | PrincipalKind::ServicePrincipal)
    }
}

/// A principal in the directory.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Lower-case object id.
    pub id: String,
    /// What it is.
    pub kind: PrincipalKind,
    /// Display name.
    pub name: String,
    /// `appId`, for service principals.
    pub app_id: Option<String>,
    /// `accountEnabled`.
    pub enabled: Option<bool>,
    /// `userType`, for users: `Member`, `Guest`.
    pub user_type: Option<String>,
    /// `appOwnerOrganizationId`, for service principals.
    pub owner_organization: Option<String>,
    /// `isAssignableToRole`, for groups: only privileged administrators and owners change the members of one that is.
    pub role_assignable: Option<bool>,
    /// `alternativeNames`: for managed identities, holds the ARM id of the owner.
    pub alternative_names: Vec<String>,
    /// Where it was read.
    pub from: Cite,
}

/// A transitive member of a group.
#[derive(Clone, Debug)]
pub struct Member {
    /// Lower-case object id.
    pub id: String,
    /// `@odata.type`, as received.
    pub odata_type: Option<String>,
    /// Display name.
    pub name: String,
    /// Where it was read.
    pub from: Cite,
}

/// One row of a vault's audit log.
#[derive(Clone, Debug)]
pub struct VaultEvent {
    /// `TimeGenerated`.
    pub at: DateTime<Utc>,
    /// The vault.
    pub vault: Id,
    /// `OperationName`.
    pub operation: String,
    /// HTTP status; the only honest outcome (`ResultType` reads `Success` on denials too).
    pub status: Option<u16>,
    /// Why it was denied, for a 403.
    pub denial: Option<Denial>,
    /// Lower-case object id of the caller.
    pub caller_object_id: Option<String>,
    /// Lower-case application id of the caller.
    pub caller_app_id: Option<String>,
    /// `xms_mirid`: ARM id of the managed identity that called.
    pub managed_identity: Option<String>,
    /// Address of the caller as it was kept: its network, unless it was configured otherwise.
    pub caller_ip: Option<String>,
    /// User agent.
    pub client: Option<String>,
    /// URI of the object, without its query.
    pub object: Option<String>,
    /// `CorrelationId`.
    pub correlation_id: Option<String>,
    /// `AppliedAssignmentId`: the role assignment that allowed it, lower-case GUID.
    pub assignment_id: Option<String>,
    /// The table.
    pub table: &'static str,
    /// GUID of the workspace, lower case.
    pub workspace: String,
    /// Where it was read.
    pub from: Cite,
}

/// The cause of a 403, as the log shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denial {
    /// `IsRbacAuthorized` is false.
    Rbac,
    /// `IsAccessPolicyMatch` is false on a vault in access-policy mode.
    AccessPolicy,
    /// `IsAddressAuthorized` is false, or the description says firewall or connection.
    Network,
    /// The row does not say.
    Unknown,
}

impl Denial {
    /// The cause in words.
    pub fn words(self) -> &'static str {
        match self {
            Denial::Rbac => "no role permits it (ForbiddenByRbac)",
            Denial::AccessPolicy => "no access policy permits it",
            Denial::Network => "the network rules refuse it",
            Denial::Unknown => "the log does not say why",
        }
    }
}

/// Rows of one day, vault, operation and status in one workspace's table.
#[derive(Clone, Debug)]
pub struct VaultDay {
    /// First instant of the day, UTC.
    pub day: DateTime<Utc>,
    /// The vault.
    pub vault: Id,
    /// `OperationName`.
    pub operation: String,
    /// Rows of all kinds.
    pub rows: u64,
    /// Rows that the question for rows asks for too.
    pub kept: u64,
    /// First of them.
    pub first: Option<DateTime<Utc>>,
    /// Last of them.
    pub last: Option<DateTime<Utc>>,
    /// The table.
    pub table: &'static str,
    /// GUID of the workspace, lower case.
    pub workspace: String,
    /// Where it was read.
    pub from: Cite,
}

impl Tenant {
    /// The principal with this object id, compared without case.
    pub fn principal(&self, object_id: &str) -> Option<&Principal> {
        self.principals.get(&object_id.to_lowercase())
    }

    /// Name of a principal for a reader, else its object id.
    pub fn principal_name(&self, object_id: &str) -> String {
        self.principal(object_id).map_or_else(|| object_id.to_owned(), |principal| principal.name.clone())
    }

    /// Settings of one vault.
    pub fn settings_of<'a>(&'a self, vault: &'a Id) -> impl Iterator<Item = &'a DiagnosticSetting> {
        let start = self.diagnostic_settings.partition_point(|setting| setting.resource < *vault);
        let from = self.diagnostic_settings.get(start..).unwrap_or_default();
        from.iter().take_while(move |setting| setting.resource == *vault)
    }

    /// The part of `period` that lies before the collection began.
    pub fn elapsed(&self, period: &Period) -> Option<Period> {
        period.overlap(&Period { start: period.start, end: self.collected_at })
    }
}
