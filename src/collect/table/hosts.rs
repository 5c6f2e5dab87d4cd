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

/// How references to vaults resolve. That these actions let it be read is not documented; a reader's `*/read` does.
const REFERENCES: &[Permission] =
    &[Action("Microsoft.Web/sites/config/read"), Action("Microsoft.Web/sites/slots/config/read")];

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
    Collector::arm(Kind::ScaleSets, &[Action("Microsoft.Compute/virtualMachineScaleSets/read")], "2024-03-01", |sub| {
        format!("{sub}/providers/Microsoft.Compute/virtualMachineScaleSets")
    }),
    Collector::arm(Kind::Sites, &[Action("Microsoft.Web/sites/read")], "2023-12-01", |sub| {
        format!("{sub}/providers/Microsoft.Web/sites")
    })
    .giving(&[Over::Site]),
    Collector::arm(Kind::SiteSlots, &[Action("Microsoft.Web/sites/slots/read")], "2023-12-01", |site| {
        format!("{site}/slots")
    })
    .giving(&[Over::Slot]),
    Collector::arm(Kind::SettingReferences, REFERENCES, "2023-12-01", |host| {
        format!("{host}/config/configreferences/appsettings")
    }),
    Collector::arm(Kind::ConnectionReferences, REFERENCES, "2023-12-01", |host| {
        format!("{host}/config/configreferences/connectionstrings")
    }),
    Collector::arm(Kind::ContainerApps, &[Action("Microsoft.App/containerApps/read")], "2024-03-01", |sub| {
        format!("{sub}/providers/Microsoft.App/containerApps")
    }),
    Collector::arm(
        Kind::ManagedClusters,
        &[Action("Microsoft.ContainerService/managedClusters/read")],
        "2024-02-01",
        |sub| format!("{sub}/providers/Microsoft.ContainerService/managedClusters"),
    ),
    Collector::arm(Kind::DataFactories, &[Action("Microsoft.DataFactory/factories/read")], "2018-06-01", |sub| {
        format!("{sub}/providers/Microsoft.DataFactory/factories")
    })
    .giving(&[Over::Factory]),
    Collector::arm(
        Kind::LinkedServices,
        &[Action("Microsoft.DataFactory/factories/linkedServices/read")],
        "2018-06-01",
        |factory| format!("{factory}/linkedservices"),
    ),
    Collector::arm(Kind::SynapseWorkspaces, &[Action("Microsoft.Synapse/workspaces/read")], "2021-06-01", |sub| {
        format!("{sub}/providers/Microsoft.Synapse/workspaces")
    }),
    Collector::arm(
        Kind::DatabricksWorkspaces,
        &[Action("Microsoft.Databricks/workspaces/read")],
        "2024-05-01",
        |sub| format!("{sub}/providers/Microsoft.Databricks/workspaces"),
    ),
    Collector::arm(
        Kind::AccessConnectors,
        &[Action("Microsoft.Databricks/accessConnectors/read")],
        "2024-05-01",
        |sub| format!("{sub}/providers/Microsoft.Databricks/accessConnectors"),
    ),
    Collector::arm(
        Kind::AutomationAccounts,
        &[Action("Microsoft.Automation/automationAccounts/read")],
        "2023-11-01",
        |sub| format!("{sub}/providers/Microsoft.Automation/automationAccounts"),
    ),
    Collector::arm(Kind::LogicApps, &[Action("Microsoft.Logic/workflows/read")], "2019-05-01", |sub| {
        format!("{sub}/providers/Microsoft.Logic/workflows")
    }),
];
