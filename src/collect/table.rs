//! The table of questions: where each kind is asked, in which version, and which permission it needs.

use crate::azure::Api;
use crate::evidence::Kind;

/// How one kind of question is put.
#[derive(Clone, Copy, Debug)]
pub struct Collector {
    /// What is asked.
    pub kind: Kind,
    /// The least permission that answers it whole: an Azure action, or a Graph application permission.
    pub permission: &'static str,
    /// Path and query for a scope. ARM's `api-version` is added from the next field.
    pub url: fn(&str) -> String,
    /// `api-version` of ARM, or the version in the path.
    pub api_version: &'static str,
    /// The service that is asked.
    pub api: Api,
}

impl Collector {
    const fn arm(
        kind: Kind,
        permission: &'static str,
        api_version: &'static str,
        url: fn(&str) -> String,
    ) -> Collector {
        Collector { kind, permission, url, api_version, api: Api::ResourceManager }
    }

    const fn graph(kind: Kind, permission: &'static str, url: fn(&str) -> String) -> Collector {
        Collector { kind, permission, url, api_version: "v1.0", api: Api::Graph }
    }

    const fn logs(kind: Kind) -> Collector {
        let permission = "Microsoft.OperationalInsights/workspaces/query/read";
        Collector { kind, permission, url: query_url, api_version: "v1", api: Api::LogAnalytics }
    }

    /// Path and query of the question at `scope`.
    pub fn path_and_query(&self, scope: &str) -> String {
        let url = (self.url)(&in_path(scope));
        match self.api {
            Api::ResourceManager => {
                let (path, rest) = url.split_once('?').unwrap_or((&url, ""));
                let rest = if rest.is_empty() { String::new() } else { format!("&{rest}") };
                format!("{path}?api-version={}{rest}", self.api_version)
            }
            Api::Graph | Api::LogAnalytics => url,
        }
    }
}

/// Every question, in the order of [`Kind::ALL`].
const COLLECTORS: &[Collector] = &[
    Collector::arm(Kind::Subscriptions, "Microsoft.Resources/subscriptions/read", "2022-12-01", |_| {
        "/subscriptions".to_owned()
    }),
    Collector::arm(Kind::ManagementGroups, "Microsoft.Management/managementGroups/read", "2023-04-01", |_| {
        "/providers/Microsoft.Management/managementGroups".to_owned()
    }),
    Collector::arm(
        Kind::ManagementGroupDescendants,
        "Microsoft.Management/managementGroups/descendants/read",
        "2023-04-01",
        |group| format!("{group}/descendants"),
    ),
    // This list leaves out, without a word, what the caller may not read: only the right to read everything
    // makes it whole.
    Collector::arm(Kind::Resources, "*/read", "2021-04-01", |sub| format!("{sub}/resources")),
    Collector::arm(Kind::VirtualMachines, "Microsoft.Compute/virtualMachines/read", "2024-03-01", |sub| {
        format!("{sub}/providers/Microsoft.Compute/virtualMachines")
    }),
    Collector::arm(
        Kind::UserAssignedIdentities,
        "Microsoft.ManagedIdentity/userAssignedIdentities/read",
        "2023-01-31",
        |sub| format!("{sub}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"),
    ),
    Collector::arm(
        Kind::FederatedCredentials,
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read",
        "2023-01-31",
        |identity| format!("{identity}/federatedIdentityCredentials"),
    ),
    Collector::arm(Kind::Vaults, "Microsoft.KeyVault/vaults/read", "2026-02-01", |sub| {
        format!("{sub}/providers/Microsoft.KeyVault/vaults")
    }),
    Collector::arm(Kind::DeletedVaults, "Microsoft.KeyVault/deletedVaults/read", "2026-02-01", |sub| {
        format!("{sub}/providers/Microsoft.KeyVault/deletedVaults")
    }),
    Collector::arm(
        Kind::RoleAssignments,
        "Microsoft.Authorization/roleAssignments/read",
        "2022-04-01", // older ones leave conditions out
        role_assignments_url,
    ),
    Collector::arm(Kind::RoleDefinitions, "Microsoft.Authorization/roleDefinitions/read", "2022-04-01", |sub| {
        format!("{sub}/providers/Microsoft.Authorization/roleDefinitions")
    }),
    Collector::arm(Kind::DenyAssignments, "Microsoft.Authorization/denyAssignments/read", "2022-04-01", |sub| {
        format!("{sub}/providers/Microsoft.Authorization/denyAssignments")
    }),
    Collector::arm(
        Kind::DiagnosticSettings,
        "Microsoft.Insights/diagnosticSettings/read",
        "2021-05-01-preview",
        |vault| format!("{vault}/providers/Microsoft.Insights/diagnosticSettings"),
    ),
    Collector::arm(Kind::Workspaces, "Microsoft.OperationalInsights/workspaces/read", "2023-09-01", |sub| {
        format!("{sub}/providers/Microsoft.OperationalInsights/workspaces")
    }),
    Collector::arm(Kind::Workspace, "Microsoft.OperationalInsights/workspaces/read", "2023-09-01", str::to_owned),
    Collector::arm(Kind::Tables, "Microsoft.OperationalInsights/workspaces/tables/read", "2022-10-01", |workspace| {
        format!("{workspace}/tables")
    }),
    Collector::graph(Kind::ManagedIdentityPrincipals, "Application.Read.All", |_| {
        "/v1.0/servicePrincipals?$filter=servicePrincipalType%20eq%20%27ManagedIdentity%27&$count=true\
         &$select=id,appId,displayName,servicePrincipalType,accountEnabled,appOwnerOrganizationId,alternativeNames\
         &$top=999"
            .to_owned()
    }),
    Collector::graph(Kind::Principals, "Directory.Read.All", |_| "/v1.0/directoryObjects/getByIds".to_owned()),
    // Asked the plain way, version 1.0 leaves out members that are service principals, without a word. As an advanced
    // query it names them, and says how many members there are.
    Collector::graph(Kind::GroupMembers, "GroupMember.Read.All", |group| {
        let id = group.trim_start_matches("group:");
        format!("/v1.0/groups/{id}/transitiveMembers?$count=true&$select=id,displayName&$top=999")
    }),
    Collector::logs(Kind::VaultLogDedicated),
    Collector::logs(Kind::VaultLogLegacy),
    Collector::logs(Kind::VaultLogDedicatedCount),
    Collector::logs(Kind::VaultLogLegacyCount),
];

/// The row for a kind.
pub(super) fn collector(kind: Kind) -> Option<&'static Collector> {
    COLLECTORS.iter().find(|collector| collector.kind == kind)
}

/// The permission that each question needs, to tell customers what the collecting identity must hold.
pub fn permissions() -> Vec<(Kind, &'static str)> {
    COLLECTORS.iter().map(|collector| (collector.kind, collector.permission)).collect()
}

/// At a subscription the list goes unfiltered, to see what lies below; above, only what is assigned there.
fn role_assignments_url(scope: &str) -> String {
    let path = format!("{}/providers/Microsoft.Authorization/roleAssignments", scope.trim_end_matches('/'));
    match scope.to_ascii_lowercase().starts_with("/subscriptions/") {
        true => path,
        false => format!("{path}?$filter=atScope()"),
    }
}

fn query_url(scope: &str) -> String {
    format!("/v1/workspaces/{}/query", scope.trim_start_matches("workspace:"))
}

/// A scope as part of a path: a name may hold characters that mean something else in a URL.
fn in_path(scope: &str) -> String {
    let mut path = String::with_capacity(scope.len());
    for byte in scope.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'(' | b')' | b':' => {
                path.push(char::from(byte));
            }
            other => path.push_str(&format!("%{other:02X}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(kind: Kind, scope: &str) -> String {
        collector(kind).expect("a row").path_and_query(scope)
    }

    #[test]
    fn there_is_one_row_for_each_kind_in_order() {
        let kinds: Vec<Kind> = COLLECTORS.iter().map(|collector| collector.kind).collect();
        assert_eq!(kinds, Kind::ALL);
        assert!(permissions().iter().all(|(_, permission)| !permission.is_empty()));
    }

    #[test]
    fn urls_are_those_of_the_services() {
        assert_eq!(url(Kind::Subscriptions, "tenant"), "/subscriptions?api-version=2022-12-01");
        assert_eq!(
            url(Kind::RoleAssignments, "/"),
            "/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=atScope()"
        );
        assert_eq!(
            url(Kind::RoleAssignments, "/providers/Microsoft.Management/managementGroups/mg1"),
            "/providers/Microsoft.Management/managementGroups/mg1/providers/Microsoft.Authorization/roleAssignments\
             ?api-version=2022-04-01&$filter=atScope()"
        );
        assert_eq!(
            url(Kind::RoleAssignments, "/subscriptions/s1"),
            "/subscriptions/s1/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"
        );
        assert_eq!(url(Kind::VaultLogLegacy, "workspace:abc"), "/v1/workspaces/abc/query");
        assert_eq!(
            url(Kind::GroupMembers, "group:g1"),
            "/v1.0/groups/g1/transitiveMembers?$count=true&$select=id,displayName&$top=999"
        );
    }

    #[test]
    fn a_name_cannot_add_a_query() {
        assert_eq!(
            url(Kind::Tables, "/subscriptions/s/resourceGroups/a b?x#y%2e"),
            "/subscriptions/s/resourceGroups/a%20b%3Fx%23y%252e/tables?api-version=2022-10-01"
        );
    }
}
