//! The kinds of question that can be put to Azure.

use serde::{Deserialize, Serialize};

/// One kind of question. Together with a scope it names one row of the plan and one evidence record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Subscriptions that the collecting identity can see. Scope: `tenant`.
    Subscriptions,
    /// Management groups that the collecting identity can see. Scope: `tenant`.
    ManagementGroups,
    /// Everything below one management group. Scope: the management group.
    ManagementGroupDescendants,
    /// Resources of every type, with their `identity` block. Scope: a subscription.
    Resources,
    /// Virtual machines. Scope: a subscription.
    VirtualMachines,
    /// User-assigned managed identities. Scope: a subscription.
    UserAssignedIdentities,
    /// Federated credentials. Scope: a user-assigned identity.
    FederatedCredentials,
    /// Key vaults. Scope: a subscription.
    Vaults,
    /// Soft-deleted key vaults. Scope: a subscription.
    DeletedVaults,
    /// Role assignments. Scope: `/`, a management group, or a subscription (without `atScope()`).
    RoleAssignments,
    /// Role definitions that can be assigned there. Scope: a subscription.
    RoleDefinitions,
    /// Deny assignments. Scope: a subscription.
    DenyAssignments,
    /// Diagnostic settings. Scope: a vault.
    DiagnosticSettings,
    /// Log Analytics workspaces. Scope: a subscription.
    Workspaces,
    /// One workspace that a diagnostic setting names and no list showed. Scope: the workspace.
    Workspace,
    /// Tables of a workspace, with plan and retention. Scope: the workspace.
    Tables,
    /// Managed identities as the directory knows them. Scope: `directory`.
    ManagedIdentityPrincipals,
    /// Users, groups and service principals by object id; an id that is left out does not exist. Scope: `directory`.
    Principals,
    /// Transitive members. Scope: `group:<object id>`.
    GroupMembers,
    /// Key Vault reads, denials and handshakes in `AZKVAuditLogs`. Scope: `workspace:<GUID>`.
    VaultLogDedicated,
    /// The same in `AzureDiagnostics`. Scope: `workspace:<GUID>`.
    VaultLogLegacy,
    /// Rows per day, vault and operation in `AZKVAuditLogs`, the control total. Scope: `workspace:<GUID>`.
    VaultLogDedicatedCount,
    /// The same in `AzureDiagnostics`. Scope: `workspace:<GUID>`.
    VaultLogLegacyCount,
}

impl Kind {
    /// Every kind, in the order in which they are asked.
    pub const ALL: &'static [Kind] = &[
        Kind::Subscriptions,
        Kind::ManagementGroups,
        Kind::ManagementGroupDescendants,
        Kind::Resources,
        Kind::VirtualMachines,
        Kind::UserAssignedIdentities,
        Kind::FederatedCredentials,
        Kind::Vaults,
        Kind::DeletedVaults,
        Kind::RoleAssignments,
        Kind::RoleDefinitions,
        Kind::DenyAssignments,
        Kind::DiagnosticSettings,
        Kind::Workspaces,
        Kind::Workspace,
        Kind::Tables,
        Kind::ManagedIdentityPrincipals,
        Kind::Principals,
        Kind::GroupMembers,
        Kind::VaultLogDedicated,
        Kind::VaultLogLegacy,
        Kind::VaultLogDedicatedCount,
        Kind::VaultLogLegacyCount,
    ];

    /// The kind in words, plural, as a reader of the report would say it.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Subscriptions => "subscriptions",
            Kind::ManagementGroups => "management groups",
            Kind::ManagementGroupDescendants => "descendants of a management group",
            Kind::Resources => "resources",
            Kind::VirtualMachines => "virtual machines",
            Kind::UserAssignedIdentities => "user-assigned identities",
            Kind::FederatedCredentials => "federated credentials",
            Kind::Vaults => "vaults",
            Kind::DeletedVaults => "deleted vaults",
            Kind::RoleAssignments => "role assignments",
            Kind::RoleDefinitions => "role definitions",
            Kind::DenyAssignments => "deny assignments",
            Kind::DiagnosticSettings => "diagnostic settings",
            Kind::Workspaces => "Log Analytics workspaces",
            Kind::Workspace => "a Log Analytics workspace",
            Kind::Tables => "tables of a workspace",
            Kind::ManagedIdentityPrincipals => "managed identities in the directory",
            Kind::Principals => "principals in the directory",
            Kind::GroupMembers => "members of a group",
            Kind::VaultLogDedicated => "vault log rows (AZKVAuditLogs)",
            Kind::VaultLogLegacy => "vault log rows (AzureDiagnostics)",
            Kind::VaultLogDedicatedCount => "vault log counts (AZKVAuditLogs)",
            Kind::VaultLogLegacyCount => "vault log counts (AzureDiagnostics)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_once_in_declaration_order() {
        let mut sorted = Kind::ALL.to_vec();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted, Kind::ALL);
        assert_eq!(Kind::ALL.last(), Some(&Kind::VaultLogLegacyCount));
    }
}
