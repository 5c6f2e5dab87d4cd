//! Vaults and what Azure Resource Manager says of their contents.

use super::super::permission::Permission::{self, Action, DataAction};
use super::Collector;
use crate::evidence::{Kind, Over};

/// Version of the vaults' own interface.
const DATA_PLANE: &str = "7.5";
/// Lets the vault list secrets, without their values.
const SECRETS: &[Permission] = &[DataAction("Microsoft.KeyVault/vaults/secrets/readMetadata/action")];
const KEYS: &[Permission] = &[DataAction("Microsoft.KeyVault/vaults/keys/read")];
const CERTIFICATES: &[Permission] = &[DataAction("Microsoft.KeyVault/vaults/certificates/read")];

/// Of the same shape; Azure ends it, with every version before 2026-02-01, on 2027-02-27.
const OLDER: &[&str] = &["2023-07-01"];

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Collector] = &[
    Collector::arm(Kind::Vaults, &[Action("Microsoft.KeyVault/vaults/read")], "2026-02-01", |sub| {
        format!("{sub}/providers/Microsoft.KeyVault/vaults")
    })
    .falling_back_to(OLDER)
    .giving(&[Over::Vault]),
    Collector::arm(Kind::DeletedVaults, &[Action("Microsoft.KeyVault/deletedVaults/read")], "2026-02-01", |sub| {
        format!("{sub}/providers/Microsoft.KeyVault/deletedVaults")
    })
    .falling_back_to(OLDER),
    Collector::arm(Kind::ManagedHsms, &[Action("Microsoft.KeyVault/managedHSMs/read")], "2026-02-01", |sub| {
        format!("{sub}/providers/Microsoft.KeyVault/managedHSMs")
    })
    .falling_back_to(OLDER),
    Collector::vault(Kind::VaultDataKeys, KEYS, DATA_PLANE, |_| "/keys?maxresults=25".to_owned()),
    Collector::vault(Kind::VaultDataSecrets, SECRETS, DATA_PLANE, |_| "/secrets?maxresults=25".to_owned()),
    Collector::vault(Kind::VaultDataCertificates, CERTIFICATES, DATA_PLANE, |_| {
        "/certificates?maxresults=25".to_owned()
    }),
    Collector::vault(Kind::VaultDeletedKeys, KEYS, DATA_PLANE, |_| "/deletedkeys?maxresults=25".to_owned()),
    Collector::vault(Kind::VaultDeletedSecrets, SECRETS, DATA_PLANE, |_| "/deletedsecrets?maxresults=25".to_owned()),
    Collector::vault(Kind::VaultDeletedCertificates, CERTIFICATES, DATA_PLANE, |_| {
        "/deletedcertificates?maxresults=25".to_owned()
    }),
    Collector::arm(Kind::VaultKeys, &[Action("Microsoft.KeyVault/vaults/keys/read")], "2026-02-01", |vault| {
        format!("{vault}/keys")
    })
    .falling_back_to(OLDER),
    Collector::arm(Kind::VaultSecrets, &[Action("Microsoft.KeyVault/vaults/secrets/read")], "2026-02-01", |vault| {
        format!("{vault}/secrets")
    })
    .falling_back_to(OLDER),
];
