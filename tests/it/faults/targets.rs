//! The questions that faults are put to: one of each family, all in the tenant `mixed`.

use tickmark::evidence::Kind;

use crate::server::Meant;

pub struct Target {
    /// Its sections in [`CHANGES`].
    pub name: &'static str,
    pub kind: Kind,
    pub scope: &'static str,
    pub meant: Meant,
    /// Pages that are read before.
    pub before: usize,
    pub is_log: bool,
    /// Versions that it is asked in where none is known.
    pub versions: u32,
    /// The configuration names the subscriptions.
    pub expects: bool,
    /// Kinds of questions that are not put, or put otherwise, when the answer is lost.
    pub follow: &'static [Kind],
}

pub const VAULTS: Target = Target {
    name: "vaults",
    kind: Kind::Vaults,
    scope: "/subscriptions/ed93a94d-c4ca-4c8a-b9ab-24148f502c6f",
    meant: |url, _| {
        url.contains("/subscriptions/ed93a94d-c4ca-4c8a-b9ab-24148f502c6f/providers/Microsoft.KeyVault/vaults?")
    },
    before: 0,
    is_log: false,
    versions: 2,
    expects: true,
    follow: &[Kind::DiagnosticSettings, Kind::VaultKeys, Kind::VaultSecrets],
};

pub const SECOND_PAGE: Target = Target {
    name: "second page",
    kind: Kind::RoleAssignments,
    scope: "/subscriptions/e177c59b-bf4c-46ad-a223-8df6f0feecdc",
    meant: |url, _| {
        url.contains("/e177c59b-bf4c-46ad-a223-8df6f0feecdc/providers/Microsoft.Authorization/roleAssignments?")
            && url.contains("skiptoken")
    },
    before: 1,
    is_log: false,
    versions: 1,
    expects: true,
    follow: &[Kind::Principals],
};

pub const SETTINGS: Target = Target {
    name: "settings",
    kind: Kind::DiagnosticSettings,
    scope: "/subscriptions/e177c59b-bf4c-46ad-a223-8df6f0feecdc/resourceGroups/rg-track-prod/providers/Microsoft.KeyVault/vaults/kv-track-prod",
    meant: |url, _| url.contains("/vaults/kv-track-prod/providers/Microsoft.Insights/diagnosticSettings?"),
    before: 0,
    is_log: false,
    versions: 1,
    expects: true,
    follow: &[
        Kind::Tables,
        Kind::VaultLogDedicated,
        Kind::VaultLogLegacy,
        Kind::VaultLogDedicatedCount,
        Kind::VaultLogLegacyCount,
        Kind::VaultChangesDedicated,
        Kind::VaultChangesLegacy,
        Kind::VaultChangesDedicatedCount,
        Kind::VaultChangesLegacyCount,
        Kind::LogContinuity,
        Kind::Activity,
        Kind::ActivityCount,
        Kind::DirectoryChanges,
        Kind::DirectoryChangesCount,
        Kind::ServicePrincipalSignIns,
        Kind::ManagedIdentitySignIns,
        Kind::UserSignIns,
        Kind::UserTokenSignIns,
        Kind::ServicePrincipalSignInsCount,
        Kind::ManagedIdentitySignInsCount,
        Kind::UserSignInsCount,
        Kind::UserTokenSignInsCount,
        Kind::Principals,
    ],
};

pub const GROUP: Target = Target {
    name: "group",
    kind: Kind::GroupMembers,
    scope: "group:48ada810-44d1-4d14-878e-2b051d5895ab",
    meant: |url, _| url.contains("/groups/48ada810-44d1-4d14-878e-2b051d5895ab/transitiveMembers?"),
    before: 0,
    is_log: false,
    versions: 1,
    expects: true,
    follow: &[],
};

pub const PRINCIPALS: Target = Target {
    name: "principals",
    kind: Kind::Principals,
    scope: "directory",
    meant: |url, _| url.ends_with("/directoryObjects/getByIds"),
    before: 0,
    is_log: false,
    versions: 1,
    expects: true,
    follow: &[
        Kind::GroupMembers,
        Kind::GroupOwners,
        Kind::GroupAssignments,
        Kind::GroupEligibilities,
        Kind::ServicePrincipalOwners,
    ],
};

pub const ROWS: Target = Target {
    name: "rows",
    kind: Kind::VaultLogDedicated,
    scope: "workspace:5b1e89fa-f992-4c0b-b9a8-407336ca3b01",
    meant: |url, body| {
        url.contains("/5b1e89fa-f992-4c0b-b9a8-407336ca3b01/") && body.contains("question=vault_log_dedicated;")
    },
    before: 0,
    is_log: true,
    versions: 1,
    expects: true,
    follow: &[Kind::Principals],
};

pub const COUNT: Target = Target {
    name: "count",
    kind: Kind::VaultLogDedicatedCount,
    scope: "workspace:5b1e89fa-f992-4c0b-b9a8-407336ca3b01",
    meant: |url, body| {
        url.contains("/5b1e89fa-f992-4c0b-b9a8-407336ca3b01/") && body.contains("question=vault_log_dedicated_count;")
    },
    before: 0,
    is_log: true,
    versions: 1,
    expects: true,
    follow: &[],
};

pub const GROUPS: Target = Target {
    name: "groups",
    kind: Kind::ManagementGroups,
    scope: "tenant",
    meant: |url, _| url.contains("/providers/Microsoft.Management/managementGroups?"),
    before: 0,
    is_log: false,
    versions: 1,
    expects: true,
    follow: &[
        Kind::ManagementGroupDescendants,
        Kind::RoleAssignments,
        Kind::DenyAssignments,
        Kind::ManagementGroupExports,
        Kind::ArchiveContainers,
        Kind::RoleEligibilityScheduleInstances,
        Kind::RoleAssignmentScheduleInstances,
        Kind::RoleAssignmentScheduleRequests,
        Kind::RoleEligibilityScheduleRequests,
        Kind::RoleManagementPolicyAssignments,
        Kind::Principals,
        Kind::GroupMembers,
    ],
};

pub const SUBSCRIPTIONS: Target = Target {
    name: "subscriptions",
    kind: Kind::Subscriptions,
    scope: "tenant",
    meant: |url, _| url.starts_with("https://management.azure.com/subscriptions?"),
    before: 0,
    is_log: false,
    versions: 1,
    expects: false,
    follow: Kind::ALL,
};

pub const IDENTITIES: Target = Target {
    name: "identities",
    kind: Kind::ManagedIdentityPrincipals,
    scope: "directory",
    meant: |url, _| url.contains("/v1.0/servicePrincipals?$filter=") && !url.contains("skiptoken"),
    before: 0,
    is_log: false,
    versions: 1,
    expects: true,
    follow: &[],
};
