//! Deny assignments that may touch a grant. They are not evaluated: where one may apply, the answer is open.

use super::principals::Principals;
use super::{Capability, Open, grants_action, grants_data_action};
use crate::evidence::Reason;
use crate::model::{DenyAssignment, Id, Tenant, Vault};

/// The GUID by which a deny assignment means everyone.
const EVERYONE: &str = "00000000-0000-0000-0000-000000000000";

/// Deny assignments that may touch one vault or something in it.
pub(super) struct Denies<'a> {
    denies: Vec<&'a DenyAssignment>,
    principals: &'a Principals,
    is_rbac: bool,
}

impl<'a> Denies<'a> {
    pub(super) fn on(tenant: &'a Tenant, principals: &'a Principals, vault: &Vault) -> Denies<'a> {
        let touches = |deny: &&DenyAssignment| {
            // `audit` only logs; a deny whose effect is not told may block.
            let is_audit = deny.effect.as_deref().is_some_and(|effect| effect.eq_ignore_ascii_case("audit"));
            !is_audit && (vault.id.is_at_or_above(&deny.scope) || reaches(tenant, deny, &vault.id))
        };
        let denies = tenant.deny_assignments.iter().filter(touches).collect();
        Denies { denies, principals, is_rbac: vault.is_rbac() }
    }

    /// The first deny assignment that may take `capability` on `object` from the principal.
    pub(super) fn open(&self, principal: &str, capability: Capability, object: &Id) -> Option<Open> {
        let deny = self.denies.iter().find(|deny| {
            let is_near =
                deny.scope.is_at_or_above(object) || object.is_at_or_above(&deny.scope) || !is_path(&deny.scope);
            is_near && self.takes(deny, capability) && self.means(deny, principal)
        })?;
        let detail = format!("deny assignment `{}` at `{}` may forbid it", deny.name, deny.scope);
        Some(Open { reason: Reason::DenyNotEvaluated, detail, from: Some(deny.from.clone()) })
    }

    fn takes(&self, deny: &DenyAssignment, capability: Capability) -> bool {
        let is_taken = |entry| {
            let data = capability.data_actions().iter().any(|action| grants_data_action(entry, action));
            data || capability.actions(self.is_rbac).iter().any(|action| grants_action(entry, action))
        };
        deny.permissions.iter().any(is_taken)
    }

    fn means(&self, deny: &DenyAssignment, principal: &str) -> bool {
        let names =
            |id: &String| id == principal || self.principals.behind(id).iter().any(|reached| reached.id == principal);
        let may_name = |id: &String| id == EVERYONE || names(id) || self.principals.open(id).is_some();
        deny.principals.iter().any(may_name) && !deny.exclude_principals.iter().any(names)
    }
}

/// Whether the deny assignment holds at the vault, by path or through management groups.
fn reaches(tenant: &Tenant, deny: &DenyAssignment, vault: &Id) -> bool {
    let stays = deny.not_to_children == Some(true) && deny.scope != *vault;
    !stays && tenant.hierarchy.reaches(&deny.scope, vault)
}

/// Whether the scope says by its path what lies below it; a management group does not.
fn is_path(scope: &Id) -> bool {
    scope.key() == "/" || scope.subscription().is_some()
}
