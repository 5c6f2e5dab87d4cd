//! Resources that run code or hold data, and the identities that they carry.

use super::super::permission::Permission::{self, Action};
use super::Collector;
use crate::evidence::{Kind, Over};

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

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Collector] = &[
    Collector::arm(Kind::Resources, RESOURCES, "2021-04-01", |sub| format!("{sub}/resources")),
    Collector::arm(Kind::VirtualMachines, &[Action("Microsoft.Compute/virtualMachines/read")], "2024-03-01", |sub| {
        format!("{sub}/providers/Microsoft.Compute/virtualMachines")
    }),
    Collector::arm(
        Kind::UserAssignedIdentities,
        &[Action("Microsoft.ManagedIdentity/userAssignedIdentities/read")],
        "2023-01-31",
        |sub| format!("{sub}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"),
    )
    .giving(&[Over::Identity]),
    Collector::arm(
        Kind::FederatedCredentials,
        &[Action("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read")],
        "2023-01-31",
        |identity| format!("{identity}/federatedIdentityCredentials"),
    ),
];
