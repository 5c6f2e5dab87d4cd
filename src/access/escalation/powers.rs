//! Single steps, for who asks who can take them: over an identity, over a host, over a vault.

use super::Edge;
use super::identities::{self, Identities};
use super::rights::Rights;
use super::vaults;
use crate::access::Carried;
use crate::evidence::{Kind, Reason};
use crate::model::{Missing, Resource, Tenant, Vault};

/// Lists that say who holds rights in Azure; without one of them somebody may be missing.
pub const HOLDERS: &[Kind] = &[
    Kind::RoleAssignments,
    Kind::RoleDefinitions,
    Kind::RoleEligibilityScheduleInstances,
    Kind::RegistrationAssignments,
    Kind::ClassicAdministrators,
];

/// Whether a list that was not read names nobody all the same: without the licence there is no eligible role, and what
/// is retired grants nothing.
pub fn says_nothing(missing: &Missing) -> bool {
    match missing.reason {
        Reason::NotLicensed => missing.kind == Kind::RoleEligibilityScheduleInstances,
        reason => reason == Reason::Retired,
    }
}

/// Who can take which step in one tenant. Holders may be groups; roles that must be activated are told as such.
pub struct Powers<'a> {
    rights: Rights<'a>,
    identities: Identities<'a>,
}

impl<'a> Powers<'a> {
    /// Puts the rights in order.
    pub fn of(tenant: &'a Tenant) -> Powers<'a> {
        let rights = Rights::of(tenant);
        let identities = Identities::of(tenant, &rights);
        Powers { rights, identities }
    }

    /// Everyone who can attach a user-assigned identity to a resource of his own, or add a federated credential to it.
    pub fn over_identity(&self, principal_id: &str) -> Vec<Edge> {
        self.identities.taking(&self.rights, &principal_id.to_lowercase())
    }

    /// Everyone who can run code on a resource as an identity that it carries; none where it is not known how code
    /// comes onto a resource of this type.
    pub fn over_host(&self, resource: &Resource, carried: &Carried<'_>) -> Option<Vec<Edge>> {
        identities::running_on(&self.rights, resource, carried)
    }

    /// Everyone who can change a vault's permission model or policies, or stop its log.
    pub fn over_vault(&self, vault: &Vault) -> Vec<Edge> {
        vaults::managing(&self.rights, vault)
    }
}
