//! The typed facts. Every fact carries the place that it was read from; absent is never taken for false.

mod authorization;
mod contents;
mod data_services;
mod directory;
mod hosts;
mod inventory;
mod kept;
mod log_settings;
mod logging;
mod logs;
mod principals;
mod resource_graph;
mod roles;
mod tree;
mod vault_logs;
mod vaults;

use std::collections::BTreeMap;

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
pub use self::inventory::*;
pub use self::kept::KeptItem;
pub use self::log_settings::*;
pub use self::logging::{
    ActionGroup, ActivityAlert, ActivityEvent, ActivityReach, AlertCondition, ArchiveContainer, DefenderPlan, Grant,
    Logging, SearchAlert,
};
pub use self::principals::*;
pub use self::roles::*;
pub use self::tree::{Entity, Tree};
pub use self::vault_logs::*;
pub use self::vaults::*;
use super::{Coverage, Hierarchy, Id};
use crate::evidence::{Cite, Kind, Period, PersonalData, RunAs};

pub use logs::{
    Activity, ChangeTarget, DirectoryChange, LogDay, LogState, LogTable, Logs, OperationDay, SignInDay, SignInKind,
    SignIns, SubscriptionDay, VaultChange,
};
pub use resource_graph::{IndexedAssignment, IndexedResource, ResourceGraph};

/// Everything that one capture says about a tenant.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Entra tenant id.
    pub id: String,
    /// The cloud that was asked: `public`, `usgov`, `china`, or a name of one's own.
    pub cloud: String,
    /// When collection began, UTC.
    pub collected_at: DateTime<Utc>,
    /// Who collected: facts about the token.
    pub collected_by: RunAs,
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
    /// Records as they were kept, of the kinds that the organisation's own checks ask about.
    pub kept: BTreeMap<Kind, Vec<KeptItem>>,
    /// Which questions were answered.
    pub coverage: Coverage,
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

    /// What a principal is for a reader; where the directory does not know it, or was not asked, that.
    pub fn principal_kind(&self, object_id: &str) -> String {
        match self.principal(object_id) {
            Some(principal) => principal.kind.words().to_owned(),
            None if self.resolved_ids.contains_key(&object_id.to_lowercase()) => "not in the directory".to_owned(),
            None => "not resolved".to_owned(),
        }
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
