//! Services that hold data: whether they can be reached with keys or passwords, and whose key encrypts what they hold.

use super::super::permission::Permission::Action;
use super::Collector;
use crate::evidence::{Kind, Over};

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Collector] = &[
    Collector::arm(
        Kind::DiskEncryptionSets,
        &[Action("Microsoft.Compute/diskEncryptionSets/read")],
        "2023-10-02",
        |sub| format!("{sub}/providers/Microsoft.Compute/diskEncryptionSets"),
    ),
    // The administrators are left out unless they are asked for.
    Collector::arm(Kind::SqlServers, &[Action("Microsoft.Sql/servers/read")], "2021-11-01", |sub| {
        format!("{sub}/providers/Microsoft.Sql/servers?$expand=administrators/activedirectory")
    })
    .giving(&[Over::SqlServer]),
    Collector::arm(
        Kind::EncryptionProtectors,
        &[Action("Microsoft.Sql/servers/encryptionProtector/read")],
        "2021-11-01",
        |server| format!("{server}/encryptionProtector"),
    ),
    Collector::arm(Kind::StorageAccounts, &[Action("Microsoft.Storage/storageAccounts/read")], "2023-05-01", |sub| {
        format!("{sub}/providers/Microsoft.Storage/storageAccounts")
    }),
    Collector::arm(
        Kind::CosmosAccounts,
        &[Action("Microsoft.DocumentDB/databaseAccounts/read")],
        "2024-05-15",
        |sub| format!("{sub}/providers/Microsoft.DocumentDB/databaseAccounts"),
    ),
    Collector::arm(
        Kind::CognitiveAccounts,
        &[Action("Microsoft.CognitiveServices/accounts/read")],
        "2023-05-01",
        |sub| format!("{sub}/providers/Microsoft.CognitiveServices/accounts"),
    ),
    Collector::arm(Kind::SearchServices, &[Action("Microsoft.Search/searchServices/read")], "2023-11-01", |sub| {
        format!("{sub}/providers/Microsoft.Search/searchServices")
    }),
    Collector::arm(
        Kind::PostgresServers,
        &[Action("Microsoft.DBforPostgreSQL/flexibleServers/read")],
        "2022-12-01",
        |sub| format!("{sub}/providers/Microsoft.DBforPostgreSQL/flexibleServers"),
    ),
    Collector::arm(Kind::PrivateEndpoints, &[Action("Microsoft.Network/privateEndpoints/read")], "2024-01-01", |sub| {
        format!("{sub}/providers/Microsoft.Network/privateEndpoints")
    }),
];
