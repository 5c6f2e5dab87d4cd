//! The kinds of question that can be put to Azure: the name, the words and the families of scopes of each.

use serde::{Deserialize, Serialize};

use super::Over;

/// Declares [`Kind`]: each with its words (plural, as a reader of the report would say it) and where it is asked.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident($words:literal, $($over:ident)|+ $(,)?);)+) => {
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

            /// The kind as it is written in evidence and configuration: `role_assignments`.
            pub fn name(self) -> String {
                let name = format!("{self:?}");
                let mut snake = String::with_capacity(name.len() + 8);
                for (index, letter) in name.char_indices() {
                    if letter.is_uppercase() && index > 0 {
                        snake.push('_');
                    }
                    snake.extend(letter.to_lowercase());
                }
                snake
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
    /// Everything of the tree of management groups that the collecting identity may know of, subscriptions without
    /// access among it.
    Entities("entities of the tree of management groups", Tenant);
    // Workloads and identities
    /// Resources of every type, with their `identity` block.
    Resources("resources", Subscription);
    /// Virtual machines.
    VirtualMachines("virtual machines", Subscription);
    /// User-assigned managed identities.
    UserAssignedIdentities("user-assigned identities", Subscription);
    /// Federated credentials.
    FederatedCredentials("federated credentials", Identity);
    /// Virtual machine scale sets.
    ScaleSets("virtual machine scale sets", Subscription);
    /// Apps of App Service, functions among them.
    Sites("web and function apps", Subscription);
    /// Slots of an app, each with an identity of its own.
    SiteSlots("slots of an app", Site);
    /// Settings of an app or a slot that refer to a vault: names and how they resolve, never values.
    SettingReferences("vault references in the settings of an app", Site | Slot);
    /// Connection strings of an app or a slot that refer to a vault: names and how they resolve, never values.
    ConnectionReferences("vault references in the connection strings of an app", Site | Slot);
    /// Container apps.
    ContainerApps("container apps", Subscription);
    /// Kubernetes clusters.
    ManagedClusters("Kubernetes clusters", Subscription);
    /// Data factories.
    DataFactories("data factories", Subscription);
    /// Services that a data factory is linked with.
    LinkedServices("linked services of a data factory", Factory);
    /// Synapse workspaces.
    SynapseWorkspaces("Synapse workspaces", Subscription);
    /// Databricks workspaces.
    DatabricksWorkspaces("Databricks workspaces", Subscription);
    /// Databricks access connectors.
    AccessConnectors("Databricks access connectors", Subscription);
    /// Automation accounts.
    AutomationAccounts("Automation accounts", Subscription);
    /// Logic Apps of the consumption plan.
    LogicApps("Logic Apps", Subscription);
    // Services that hold data
    /// Disk encryption sets.
    DiskEncryptionSets("disk encryption sets", Subscription);
    /// SQL servers.
    SqlServers("SQL servers", Subscription);
    /// The key that protects a SQL server's data.
    EncryptionProtectors("the encryption protector of a SQL server", SqlServer);
    /// Storage accounts.
    StorageAccounts("storage accounts", Subscription);
    /// Cosmos DB accounts.
    CosmosAccounts("Cosmos DB accounts", Subscription);
    /// AI services accounts, with models of language among them.
    CognitiveAccounts("AI services accounts", Subscription);
    /// AI Search services.
    SearchServices("AI Search services", Subscription);
    /// PostgreSQL flexible servers.
    PostgresServers("PostgreSQL servers", Subscription);
    /// Private endpoints.
    PrivateEndpoints("private endpoints", Subscription);
    // Vaults
    /// Key vaults.
    Vaults("vaults", Subscription);
    /// Soft-deleted key vaults.
    DeletedVaults("deleted vaults", Subscription);
    /// Managed HSMs.
    ManagedHsms("managed HSMs", Subscription);
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
    DenyAssignments("deny assignments", ManagementGroup | Subscription);
    /// The service's own count of role assignments, a control total.
    RoleAssignmentsUsageMetrics("counts of role assignments", Subscription);
    /// Administrators of the retired classic model.
    ClassicAdministrators("classic administrators", Subscription);
    /// Locks against change and deletion.
    Locks("locks", Subscription);
    /// Access that was delegated to another tenant (Azure Lighthouse).
    RegistrationAssignments("delegations to other tenants", Subscription);
    /// Roles that can be activated now, by Privileged Identity Management.
    RoleEligibilityScheduleInstances("eligible role assignments", ManagementGroup | Subscription);
    /// Roles that are active now, with how they came to be: the join to role assignments tells standing access from
    /// an activation.
    RoleAssignmentScheduleInstances("active role assignments and how they came to be", ManagementGroup | Subscription);
    /// Requests for active roles: activations, grants and removals.
    RoleAssignmentScheduleRequests("requests for active roles", ManagementGroup | Subscription);
    /// Requests for eligible roles.
    RoleEligibilityScheduleRequests("requests for eligible roles", ManagementGroup | Subscription);
    /// The rules by which each role is activated and assigned at a scope.
    RoleManagementPolicyAssignments(
        "rules for activating and assigning roles",
        ManagementGroup | Subscription | EligibleScope
    );
    /// What the collecting identity may do there, all its roles together, also those from above and through groups.
    OwnPermissions("own permissions of the collecting identity", Subscription);
    // Logging
    /// Diagnostic settings.
    DiagnosticSettings("diagnostic settings", Vault);
    /// Diagnostic settings by which the activity log of a subscription is exported.
    SubscriptionExports("exports of the activity log", Subscription);
    /// The same of a management group.
    ManagementGroupExports("exports of the activity log of a management group", ManagementGroup);
    /// Diagnostic settings by which the directory's sign-in and audit logs are exported.
    DirectoryExports("exports of the directory's logs", Tenant);
    /// Changes of roles, denies and locks in the activity log of a subscription.
    ActivityOfAuthorization("changes of access in the activity log", Subscription);
    /// Changes of vaults there.
    ActivityOfVaults("changes of vaults in the activity log", Subscription);
    /// Changes of diagnostic settings there.
    ActivityOfDiagnosticSettings("changes of diagnostic settings in the activity log", Subscription);
    /// Changes of user-assigned identities and their federated credentials there.
    ActivityOfIdentities("changes of identities in the activity log", Subscription);
    /// Changes of workspaces, their tables and their exports there.
    ActivityOfWorkspaces("changes of workspaces in the activity log", Subscription);
    /// Changes of access at the tenant's root, an administrator's elevation among them.
    TenantActivity("changes of access in the tenant's activity log", Tenant);
    /// Plans of Defender for Cloud.
    DefenderPlans("Defender plans", Subscription);
    /// Alert rules on the activity log.
    ActivityLogAlerts("alert rules on the activity log", Subscription);
    /// Alert rules that search logs, without the text of their queries.
    LogSearchAlerts("alert rules that search logs", Subscription);
    /// Whom alert rules tell, without any address.
    ActionGroups("action groups", Subscription);
    /// Containers of a storage account that a diagnostic setting names, with what keeps them from being changed.
    ArchiveContainers("containers of an archive", Archive);
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
    /// The application permissions that Microsoft Graph offers, by id and name.
    GraphAppRoles("application permissions that Microsoft Graph offers", Directory);
    /// Who holds an application permission of Microsoft Graph.
    GraphAppRoleAssignments("granted application permissions of Microsoft Graph", Directory);
    /// Roles of the directory.
    DirectoryRoleDefinitions("directory role definitions", Directory);
    /// Who holds a role of the directory now.
    DirectoryRoleAssignments("directory role assignments", Directory);
    /// The same with the schedule: assigned or activated, from when and until when.
    DirectoryRoleInstances("directory role assignments with their schedule", Directory);
    /// Who can activate a role of the directory.
    DirectoryRoleEligibilities("directory roles that can be activated", Directory);
    /// Conditional Access policies, those for service principals among them.
    ConditionalAccessPolicies("Conditional Access policies", Directory);
    /// Whether security defaults are on.
    SecurityDefaults("security defaults", Directory);
    /// What the tenant says of the credentials of applications that no policy of their own speaks of.
    DefaultAppPolicy("the default app management policy", Directory);
    /// Policies that say it of single applications.
    AppPolicies("app management policies", Directory);
    /// App registrations that were deleted and can be restored.
    DeletedApplications("deleted app registrations", Directory);
    /// Service principals that were deleted and can be restored.
    DeletedServicePrincipals("deleted service principals", Directory);
    /// Users that were deleted and can be restored; their ids alone.
    DeletedUsers("deleted users", Directory);
    /// Groups that were deleted and can be restored.
    DeletedGroups("deleted groups", Directory);
    /// Federated credentials of an app registration.
    ApplicationFederatedCredentials("federated credentials of an app registration", Application);
    /// Owners of an app registration.
    ApplicationOwners("owners of an app registration", Application);
    /// The applications and service principals that a policy speaks of.
    AppPolicyTargets("what an app management policy applies to", AppPolicy);
    /// Users, groups and service principals by object id; an id that is left out does not exist.
    Principals("principals in the directory", Principals);
    /// Transitive members.
    GroupMembers("members of a group", Group);
    /// Owners of a group.
    GroupOwners("owners of a group", Group);
    /// Members and owners of a group as privileged identity management knows them.
    GroupAssignments("memberships of a group with their schedule", Group);
    /// Who can activate a membership or ownership.
    GroupEligibilities("memberships of a group that can be activated", Group);
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
    /// Rows per day and subscription in `AzureActivity`, by which it is seen whose activity log arrived there.
    ActivityContinuity("days of the exported activity log, by subscription (AzureActivity)", LogCount);
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
    /// The sums of service principals' sign-ins, counted per day.
    ServicePrincipalSignInsCount("counts of sign-ins of service principals", LogCount);
    /// The same of managed identities.
    ManagedIdentitySignInsCount("counts of sign-ins of managed identities", LogCount);
    /// The same of people.
    UserSignInsCount("counts of sign-ins of people", LogCount);
    /// The same on their behalf.
    UserTokenSignInsCount("counts of sign-ins on behalf of people", LogCount);
}

impl Kind {
    /// Whether it is asked in every subscription.
    pub fn is_per_subscription(self) -> bool {
        self.over().contains(&Over::Subscription)
    }

    /// Whether it is asked at every management group above a subscription.
    pub fn is_per_group(self) -> bool {
        self.over().contains(&Over::ManagementGroup) && self != Kind::ManagementGroupDescendants
    }

    /// Whether what is listed at a management group holds for the subscriptions below it too.
    pub fn holds_downwards(self) -> bool {
        self.is_per_subscription() && self.over().contains(&Over::ManagementGroup)
    }

    /// Whether it is asked only about things that other answers name: none found, none asked, nothing missing.
    pub fn is_per_thing_found(self) -> bool {
        let places = [Over::Tenant, Over::Root, Over::Subscription, Over::Directory];
        !self.over().iter().any(|over| places.contains(over))
    }

    /// Whether the answer is events of the platform's activity log.
    pub fn is_activity(self) -> bool {
        matches!(
            self,
            Kind::ActivityOfAuthorization
                | Kind::ActivityOfVaults
                | Kind::ActivityOfDiagnosticSettings
                | Kind::ActivityOfIdentities
                | Kind::ActivityOfWorkspaces
                | Kind::TenantActivity
        )
    }

    /// Whether it is asked of Privileged Identity Management, which needs a licence of its own.
    pub fn is_privileged_management(self) -> bool {
        matches!(
            self,
            Kind::RoleEligibilityScheduleInstances
                | Kind::RoleAssignmentScheduleInstances
                | Kind::RoleAssignmentScheduleRequests
                | Kind::RoleEligibilityScheduleRequests
                | Kind::RoleManagementPolicyAssignments
                | Kind::DirectoryRoleInstances
                | Kind::DirectoryRoleEligibilities
                | Kind::GroupAssignments
                | Kind::GroupEligibilities
        )
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
            Kind::ServicePrincipalSignInsCount => Some(Kind::ServicePrincipalSignIns),
            Kind::ManagedIdentitySignInsCount => Some(Kind::ManagedIdentitySignIns),
            Kind::UserSignInsCount => Some(Kind::UserSignIns),
            Kind::UserTokenSignInsCount => Some(Kind::UserTokenSignIns),
            _ => None,
        }
    }

    /// Whether each row of the answer sums what a day of a log holds.
    pub fn is_sum_of_day(self) -> bool {
        matches!(
            self,
            Kind::ServicePrincipalSignIns | Kind::ManagedIdentitySignIns | Kind::UserSignIns | Kind::UserTokenSignIns
        )
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
        assert_eq!(Kind::ALL.last(), Some(&Kind::UserTokenSignInsCount));
    }

    #[test]
    fn a_name_is_what_evidence_says() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.name().as_str());
        }
    }

    #[test]
    fn the_family_of_scopes_says_how_a_kind_is_asked() {
        assert!(Kind::RoleAssignments.is_per_subscription() && !Kind::RoleAssignments.is_per_thing_found());
        assert!(Kind::RoleAssignments.holds_downwards() && !Kind::Vaults.holds_downwards());
        assert!(Kind::DiagnosticSettings.is_per_thing_found() && !Kind::DiagnosticSettings.is_per_subscription());
        assert!(Kind::VaultLogLegacy.is_log() && Kind::VaultLogLegacyCount.is_log() && !Kind::Tables.is_log());
        assert!(!Kind::ManagedIdentityPrincipals.is_per_thing_found() && Kind::Principals.is_per_thing_found());
    }
}
