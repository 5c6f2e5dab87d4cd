//! Vaults and what Azure Resource Manager says of their contents.

use super::super::permission::Permission::Action;
use super::Collector;
use crate::evidence::{Kind, Over};

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Collector] = &[
    Collector::arm(Kind::Vaults, &[Action("Microsoft.KeyVault/vaults/read")], "2026-02-01", |sub| {
        format!("{sub}/providers/Microsoft.KeyVault/vaults")
    })
    .giving(&[Over::Vault]),
    Collector::arm(Kind::DeletedVaults, &[Action("Microsoft.KeyVault/deletedVaults/read")], "2026-02-01", |sub| {
        format!("{sub}/providers/Microsoft.KeyVault/deletedVaults")
    }),
];
