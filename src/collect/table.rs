//! The table of questions: where each kind is asked, in which version, and which permission it needs.

use super::permission::Permission::{self, Action, Graph, LogTable};
use crate::azure::Api;
use crate::evidence::Kind;

/// How one kind of question is put.
#[derive(Clone, Copy, Debug)]
pub struct Collector {
    /// What is asked.
    pub kind: Kind,
    /// The least that answers it: the first lets it be asked, further ones fill the answer.
    pub permissions: &'static [Permission],
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
        permissions: &'static [Permission],
        api_version: &'static str,
        url: fn(&str) -> String,
    ) -> Collector {
        Collector { kind, permissions, url, api_version, api: Api::ResourceManager }
    }

    const fn graph(kind: Kind, permissions: &'static [Permission], url: fn(&str) -> String) -> Collector {
        Collector { kind, permissions, url, api_version: "v1.0", api: Api::Graph }
    }

    const fn logs(kind: Kind, permissions: &'static [Permission]) -> Collector {
        Collector { kind, permissions, url: query_url, api_version: "v1", api: Api::LogAnalytics }
    }

    /// The permission without which the question is refused.
    pub fn permission(&self) -> String {
        self.permissions.first().map(|permission| permission.name()).unwrap_or_default()
    }

    /// Headers beside the common ones: `$count` and all that depends on the index behind it are ignored without this.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        match self.kind {
            Kind::ManagedIdentityPrincipals | Kind::GroupMembers => {
                vec![("ConsistencyLevel", "eventual".to_owned())]
            }
            _ => Vec::new(),
        }
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

/// The list of resources leaves out, without a word, every type that the caller may not read. `*/read` would make
/// it whole, and would read everything else too; named are therefore the types that checks look for, and those that
/// commonly carry an identity. An identity on a resource of another type still shows: the directory knows it, and the
/// inventory is compared with the directory.
const RESOURCES: &[Permission] = &[
    Action("Microsoft.Resources/subscriptions/resources/read"),
    Action("Microsoft.App/containerApps/read"),
    Action("Microsoft.App/jobs/read"),
    Action("Microsoft.Automation/automationAccounts/read"),
    Action("Microsoft.Compute/virtualMachineScaleSets/read"),
    Action("Microsoft.Compute/virtualMachines/read"),
    Action("Microsoft.ContainerInstance/containerGroups/read"),
    Action("Microsoft.ContainerService/managedClusters/read"),
    Action("Microsoft.DataFactory/factories/read"),
    Action("Microsoft.Databricks/accessConnectors/read"),
    Action("Microsoft.HybridCompute/machines/read"),
    Action("Microsoft.KeyVault/vaults/read"),
    Action("Microsoft.Logic/workflows/read"),
    Action("Microsoft.Synapse/workspaces/read"),
    Action("Microsoft.Web/sites/read"),
    Action("Microsoft.Web/sites/slots/read"),
];

/// The first action runs a query and shows no rows; the second shows those of one table.
const DEDICATED: &[Permission] =
    &[Action("Microsoft.OperationalInsights/workspaces/query/read"), LogTable("AZKVAuditLogs")];
const LEGACY: &[Permission] =
    &[Action("Microsoft.OperationalInsights/workspaces/query/read"), LogTable("AzureDiagnostics")];

/// Every question, in the order of [`Kind::ALL`].
pub(super) const COLLECTORS: &[Collector] = &[
    Collector::arm(Kind::Subscriptions, &[Action("Microsoft.Resources/subscriptions/read")], "2022-12-01", |_| {
        "/subscriptions".to_owned()
    }),
    Collector::arm(
        Kind::ManagementGroups,
        &[Action("Microsoft.Management/managementGroups/read")],
        "2023-04-01",
        |_| "/providers/Microsoft.Management/managementGroups".to_owned(),
    ),
    Collector::arm(
        Kind::ManagementGroupDescendants,
        &[Action("Microsoft.Management/managementGroups/descendants/read")],
        "2023-04-01",
        |group| format!("{group}/descendants"),
    ),
    Collector::arm(Kind::Resources, RESOURCES, "2021-04-01", |sub| format!("{sub}/resources")),
    Collector::arm(Kind::VirtualMachines, &[Action("Microsoft.Compute/virtualMachines/read")], "2024-03-01", |sub| {
        format!("{sub}/providers/Microsoft.Compute/virtualMachines")
    }),
    Collector::arm(
        Kind::UserAssignedIdentities,
        &[Action("Microsoft.ManagedIdentity/userAssignedIdentities/read")],
        "2023-01-31",
        |sub| format!("{sub}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"),
    ),
    Collector::arm(
        Kind::FederatedCredentials,
        &[Action("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read")],
        "2023-01-31",
        |identity| format!("{identity}/federatedIdentityCredentials"),
    ),
    Collector::arm(Kind::Vaults, &[Action("Microsoft.KeyVault/vaults/read")], "2026-02-01", |sub| {
        format!("{sub}/providers/Microsoft.KeyVault/vaults")
    }),
    Collector::arm(Kind::DeletedVaults, &[Action("Microsoft.KeyVault/deletedVaults/read")], "2026-02-01", |sub| {
        format!("{sub}/providers/Microsoft.KeyVault/deletedVaults")
    }),
    Collector::arm(
        Kind::RoleAssignments,
        &[Action("Microsoft.Authorization/roleAssignments/read")],
        "2022-04-01", // older ones leave conditions out
        role_assignments_url,
    ),
    Collector::arm(
        Kind::RoleDefinitions,
        &[Action("Microsoft.Authorization/roleDefinitions/read")],
        "2022-04-01",
        |sub| format!("{sub}/providers/Microsoft.Authorization/roleDefinitions"),
    ),
    Collector::arm(
        Kind::DenyAssignments,
        &[Action("Microsoft.Authorization/denyAssignments/read")],
        "2022-04-01",
        |sub| format!("{sub}/providers/Microsoft.Authorization/denyAssignments"),
    ),
    Collector::arm(
        Kind::DiagnosticSettings,
        &[Action("Microsoft.Insights/diagnosticSettings/read")],
        "2021-05-01-preview",
        |vault| format!("{vault}/providers/Microsoft.Insights/diagnosticSettings"),
    ),
    Collector::arm(Kind::Workspaces, &[Action("Microsoft.OperationalInsights/workspaces/read")], "2023-09-01", |sub| {
        format!("{sub}/providers/Microsoft.OperationalInsights/workspaces")
    }),
    Collector::arm(
        Kind::Workspace,
        &[Action("Microsoft.OperationalInsights/workspaces/read")],
        "2023-09-01",
        str::to_owned,
    ),
    Collector::arm(
        Kind::Tables,
        &[Action("Microsoft.OperationalInsights/workspaces/tables/read")],
        "2022-10-01",
        |workspace| format!("{workspace}/tables"),
    ),
    Collector::graph(Kind::ManagedIdentityPrincipals, &[Graph("Application.Read.All")], |_| {
        "/v1.0/servicePrincipals?$filter=servicePrincipalType%20eq%20%27ManagedIdentity%27&$count=true\
         &$select=id,appId,displayName,servicePrincipalType,accountEnabled,appOwnerOrganizationId,alternativeNames\
         &$top=999"
            .to_owned()
    }),
    Collector::graph(Kind::Principals, &[Graph("Directory.Read.All")], |_| {
        "/v1.0/directoryObjects/getByIds".to_owned()
    }),
    // Asked the plain way, version 1.0 leaves out members that are service principals, without a word. As an advanced
    // query it names them, and says how many members there are.
    Collector::graph(Kind::GroupMembers, &[Graph("GroupMember.Read.All")], |group| {
        let id = group.trim_start_matches("group:");
        format!("/v1.0/groups/{id}/transitiveMembers?$count=true&$select=id,displayName&$top=999")
    }),
    Collector::logs(Kind::VaultLogDedicated, DEDICATED),
    Collector::logs(Kind::VaultLogLegacy, LEGACY),
    Collector::logs(Kind::VaultLogDedicatedCount, DEDICATED),
    Collector::logs(Kind::VaultLogLegacyCount, LEGACY),
];

/// The row for a kind.
pub(super) fn collector(kind: Kind) -> Option<&'static Collector> {
    COLLECTORS.iter().find(|collector| collector.kind == kind)
}

/// Every row.
pub fn collectors() -> &'static [Collector] {
    COLLECTORS
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
