//! The kinds of question that can be put to Azure: the name, the words and the families of scopes of each.

use serde::{Deserialize, Serialize};

use super::Over;

/// Declares [`Kind`]: each with its words (plural, as a reader of the report would say it) and where it is asked.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident($words:literal, $($over:ident)|+);)+) => {
        /// One kind of question. Together with a scope it names one row of the plan and one evidence record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Kind {
            /// Every kind, in the order in which they are asked.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),+];

            /// The kind in words, plural, as a reader of the report would say it.
            pub fn words(self) -> &'static str {
                match self {
                    $(Kind::$name => $words,)+
                }
            }

            /// The families of scopes that it is asked at.
            pub fn over(self) -> &'static [Over] {
                match self {
                    $(Kind::$name => &[$(Over::$over),+],)+
                }
            }
        }
    };
}

kinds! {
    // The tenant
    /// Subscriptions that the collecting identity can see.
    Subscriptions("subscriptions", Tenant);
    /// Management groups that the collecting identity can see.
    ManagementGroups("management groups", Tenant);
    /// Everything below one management group.
    ManagementGroupDescendants("descendants of a management group", ManagementGroup);
    // Workloads and identities
    /// Resources of every type, with their `identity` block.
    Resources("resources", Subscription);
    /// Virtual machines.
    VirtualMachines("virtual machines", Subscription);
    /// User-assigned managed identities.
    UserAssignedIdentities("user-assigned identities", Subscription);
    /// Federated credentials.
    FederatedCredentials("federated credentials", Identity);
    // Vaults
    /// Key vaults.
    Vaults("vaults", Subscription);
    /// Soft-deleted key vaults.
    DeletedVaults("deleted vaults", Subscription);
    /// Keys, as the vault itself lists them.
    VaultDataKeys("keys that a vault lists", VaultDataPlane);
    /// Secrets, as the vault itself lists them: never a value.
    VaultDataSecrets("secrets that a vault lists", VaultDataPlane);
    /// Certificates, as the vault itself lists them.
    VaultDataCertificates("certificates that a vault lists", VaultDataPlane);
    /// Soft-deleted keys, as the vault itself lists them.
    VaultDeletedKeys("deleted keys that a vault lists", VaultDataPlane);
    /// Soft-deleted secrets, as the vault itself lists them.
    VaultDeletedSecrets("deleted secrets that a vault lists", VaultDataPlane);
    /// Soft-deleted certificates, as the vault itself lists them.
    VaultDeletedCertificates("deleted certificates that a vault lists", VaultDataPlane);
    /// Keys, as Resource Manager lists them.
    VaultKeys("keys of a vault", VaultContents);
    /// Secrets, as Resource Manager lists them: never a value.
    VaultSecrets("secrets of a vault", VaultContents);
    // Authorization
    /// Role assignments.
    RoleAssignments("role assignments", Root | ManagementGroup | Subscription);
    /// Role definitions that can be assigned there.
    RoleDefinitions("role definitions", Subscription);
    /// Deny assignments.
    DenyAssignments("deny assignments", Subscription);
    /// What the collecting identity may do there, all its roles together, also those from above and through groups.
    OwnPermissions("own permissions of the collecting identity", Subscription);
    // Logging
    /// Diagnostic settings.
    DiagnosticSettings("diagnostic settings", Vault);
    /// Log Analytics workspaces.
    Workspaces("Log Analytics workspaces", Subscription);
    /// One workspace that a diagnostic setting names and no list showed.
    Workspace("a Log Analytics workspace", NamedWorkspace);
    /// Tables of a workspace, with plan and retention.
    Tables("tables of a workspace", Workspace);
    // The directory
    /// Managed identities as the directory knows them.
    ManagedIdentityPrincipals("managed identities in the directory", Directory);
    /// App registrations, with what is told of their credentials.
    Applications("app registrations", Directory);
    /// Service principals of every type, with what is told of their credentials.
    ServicePrincipals("service principals", Directory);
    /// Federated credentials of an app registration.
    ApplicationFederatedCredentials("federated credentials of an app registration", Application);
    /// Owners of an app registration.
    ApplicationOwners("owners of an app registration", Application);
    /// Users, groups and service principals by object id; an id that is left out does not exist.
    Principals("principals in the directory", Principals);
    /// Transitive members.
    GroupMembers("members of a group", Group);
    /// Owners of a service principal.
    ServicePrincipalOwners("owners of a service principal", ServicePrincipal);
    // Second lists
    /// Resources with an identity, and user-assigned identities, as Resource Graph lists them.
    ResourceGraphIdentities("resources with an identity (Resource Graph)", Subscriptions);
    /// Key vaults as Resource Graph lists them.
    ResourceGraphVaults("vaults (Resource Graph)", Subscriptions);
    /// Role assignments as Resource Graph lists them: at, above and below the subscriptions.
    ResourceGraphAssignments("role assignments (Resource Graph)", Subscriptions);
    // Log rows
    /// Key Vault reads, denials and handshakes in `AZKVAuditLogs`.
    VaultLogDedicated("vault log rows (AZKVAuditLogs)", Log);
    /// The same in `AzureDiagnostics`.
    VaultLogLegacy("vault log rows (AzureDiagnostics)", Log);
    /// Rows per day, vault and operation in `AZKVAuditLogs`, the control total.
    VaultLogDedicatedCount("vault log counts (AZKVAuditLogs)", LogCount);
    /// The same in `AzureDiagnostics`.
    VaultLogLegacyCount("vault log counts (AzureDiagnostics)", LogCount);
    /// Changes, deletions, recoveries, backups and lists in `AZKVAuditLogs`.
    VaultChangesDedicated("vault changes (AZKVAuditLogs)", Log);
    /// The same in `AzureDiagnostics`.
    VaultChangesLegacy("vault changes (AzureDiagnostics)", Log);
    /// Their number per day, vault and operation in `AZKVAuditLogs`.
    VaultChangesDedicatedCount("counts of vault changes (AZKVAuditLogs)", LogCount);
    /// The same in `AzureDiagnostics`.
    VaultChangesLegacyCount("counts of vault changes (AzureDiagnostics)", LogCount);
    /// Rows per day of one table, and how long they were under way.
    LogContinuity("continuity of a log table", LogTable);
    /// Changes of access, vaults, logging and identities in `AzureActivity`.
    Activity("changes of access, vaults, logging and identities (AzureActivity)", Log);
    /// Their number per day and operation.
    ActivityCount("counts of changes (AzureActivity)", LogCount);
    /// Changes of applications, credentials, groups and roles in `AuditLogs`.
    DirectoryChanges("changes in the directory (AuditLogs)", Log);
    /// Their number per day and operation.
    DirectoryChangesCount("counts of changes in the directory (AuditLogs)", LogCount);
    /// Sign-ins of service principals, summed.
    ServicePrincipalSignIns("sign-ins of service principals, summed", Log);
    /// Sign-ins of managed identities, summed.
    ManagedIdentitySignIns("sign-ins of managed identities, summed", Log);
    /// Sign-ins of people to Key Vault and to the management of Azure, summed.
    UserSignIns("sign-ins of people, summed", Log);
    /// The same on their behalf, without them.
    UserTokenSignIns("sign-ins on behalf of people, summed", Log);
}

impl Kind {
    /// Whether it is asked in every subscription.
    pub fn is_per_subscription(self) -> bool {
        self.over().contains(&Over::Subscription)
    }

    /// Whether it is asked only about things that other answers name: none found, none asked, nothing missing.
    pub fn is_per_thing_found(self) -> bool {
        let places = [Over::Tenant, Over::Root, Over::Subscription, Over::Directory];
        !self.over().iter().any(|over| places.contains(over))
    }

    /// Whether the answer is rows of a log.
    pub fn is_log(self) -> bool {
        self.over().iter().any(|over| matches!(over, Over::LogCount | Over::LogTable | Over::Log))
    }

    /// The question for rows whose number this one counts, by the same filter.
    pub fn counts(self) -> Option<Kind> {
        match self {
            Kind::VaultLogDedicatedCount => Some(Kind::VaultLogDedicated),
            Kind::VaultLogLegacyCount => Some(Kind::VaultLogLegacy),
            Kind::VaultChangesDedicatedCount => Some(Kind::VaultChangesDedicated),
            Kind::VaultChangesLegacyCount => Some(Kind::VaultChangesLegacy),
            Kind::ActivityCount => Some(Kind::Activity),
            Kind::DirectoryChangesCount => Some(Kind::DirectoryChanges),
            _ => None,
        }
    }

    /// Whether the answer is rows of the log of a vault.
    pub fn is_vault_log(self) -> bool {
        let rows = self.counts().unwrap_or(self);
        matches!(
            rows,
            Kind::VaultLogDedicated | Kind::VaultLogLegacy | Kind::VaultChangesDedicated | Kind::VaultChangesLegacy
        )
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
        assert_eq!(Kind::ALL.last(), Some(&Kind::UserTokenSignIns));
    }

    #[test]
    fn the_family_of_scopes_says_how_a_kind_is_asked() {
        assert!(Kind::RoleAssignments.is_per_subscription() && !Kind::RoleAssignments.is_per_thing_found());
        assert!(Kind::DiagnosticSettings.is_per_thing_found() && !Kind::DiagnosticSettings.is_per_subscription());
        assert!(Kind::VaultLogLegacy.is_log() && Kind::VaultLogLegacyCount.is_log() && !Kind::Tables.is_log());
        assert!(!Kind::ManagedIdentityPrincipals.is_per_thing_found() && Kind::Principals.is_per_thing_found());
    }
}
