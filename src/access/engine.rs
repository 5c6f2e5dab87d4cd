//! Joins assignments, access policies and hierarchy into grants.

use super::{Capability, Grant, Held, Open};
use crate::model::{Id, Tenant};

/// Effective access in one tenant.
#[derive(Clone, Debug, Default)]
pub struct Access {}

impl Access {
    /// Works out access for every vault and every principal that holds anything.
    pub fn of(_tenant: &Tenant) -> Access {
        Access::default()
    }

    /// Grants on one vault and on objects in it, sorted by capability and principal. In RBAC mode from role
    /// assignments at or above the vault and on its objects; in access-policy mode from its access policies
    /// (data roles have no effect there, ARM's control-plane roles have).
    pub fn on(&self, _vault: &Id) -> &[Grant] {
        &[]
    }

    /// Grants of one capability on one vault.
    pub fn can(&self, vault: &Id, capability: Capability) -> impl Iterator<Item = &Grant> {
        self.on(vault).iter().filter(move |grant| grant.capability == capability)
    }

    /// Role assignments that a principal holds, directly or through groups, at any scope; object id in any case.
    pub fn held_by(&self, _principal_id: &str) -> &[Held] {
        &[]
    }

    /// What keeps the picture of a principal's roles from being whole: groups whose members were not read (the
    /// principal may be in them), each with the record.
    pub fn open_groups(&self) -> &[Open] {
        &[]
    }
}
