//! Deny assignments that may touch a grant. They are not evaluated: where one may apply, the answer is open.

use super::principals::Principals;
use super::{Capability, Open, grants_action, grants_data_action};
use crate::evidence::{Kind, Reason};
use crate::model::{DenyAssignment, Id, Need, Reach, Tenant, Vault};

/// The GUID by which a deny assignment means everyone.
const EVERYONE: &str = "00000000-0000-0000-0000-000000000000";

/// Deny assignments that may touch one vault or something in it.
pub(super) struct Denies<'a> {
    tenant: &'a Tenant,
    vault: &'a Vault,
    denies: Vec<&'a DenyAssignment>,
    principals: &'a Principals,
    /// Why there may be more.
    unread: Option<Open>,
}

impl<'a> Denies<'a> {
    pub(super) fn on(tenant: &'a Tenant, principals: &'a Principals, vault: &'a Vault) -> Denies<'a> {
        let touches = |deny: &&DenyAssignment| {
            // `audit` only logs; a deny whose effect is not told may block.
            let is_audit = deny.effect.as_deref().is_some_and(|effect| effect.eq_ignore_ascii_case("audit"));
            !is_audit && (vault.id.is_at_or_above(&deny.scope) || reaches(tenant, deny, &vault.id))
        };
        let denies = tenant.deny_assignments.iter().filter(touches).collect();
        Denies { tenant, vault, denies, principals, unread: unread(tenant, vault) }
    }

    /// Why the capability may be taken from the principal on `object`, the vault or something in it: each of the
    /// actions that give it is in some deny assignment, or not every deny assignment was read.
    pub(super) fn open(&self, principal: &str, capability: Capability, actions: &[&str], object: &Id) -> Option<Open> {
        let takes = |action: &&str| {
            let mut near = self.denies.iter().filter(|deny| self.is_near(deny, capability, object));
            near.find(|deny| is_in(deny, capability, action) && self.means(deny, principal))
        };
        let taken: Option<Vec<&&DenyAssignment>> = actions.iter().map(takes).collect();
        match taken.as_deref().and_then(<[_]>::first) {
            Some(deny) => {
                let detail = format!("deny assignment `{}` at `{}` may forbid it", deny.name, deny.scope);
                Some(Open { reason: Reason::DenyNotEvaluated, detail, from: Some(deny.from.clone()) })
            }
            None => self.unread.clone(),
        }
    }

    /// Whether the deny assignment holds at the object, or at something in it that the capability is about.
    fn is_near(&self, deny: &DenyAssignment, capability: Capability, object: &Id) -> bool {
        let is_inside = object.is_at_or_above(&deny.scope) && capability.is_data();
        reaches(self.tenant, deny, object) || is_inside && capability.applies_below(&self.vault.id, &deny.scope)
    }

    fn means(&self, deny: &DenyAssignment, principal: &str) -> bool {
        let names =
            |id: &String| id == principal || self.principals.behind(id).iter().any(|reached| reached.id == principal);
        let may_name = |id: &String| id == EVERYONE || names(id) || self.principals.open(id).is_some();
        deny.principals.iter().any(may_name) && !deny.exclude_principals.iter().any(names)
    }
}

/// Whether the deny assignment forbids the action, where it holds.
fn is_in(deny: &DenyAssignment, capability: Capability, action: &str) -> bool {
    let grants = if capability.is_data() { grants_data_action } else { grants_action };
    deny.permissions.iter().any(|entry| grants(entry, action))
}

/// Whether the deny assignment holds at the object, by path or through management groups. Where those are not
/// known up to the root, one at any group may.
fn reaches(tenant: &Tenant, deny: &DenyAssignment, object: &Id) -> bool {
    let stays = deny.not_to_children == Some(true) && deny.scope != *object;
    let is_group = deny.scope.key() != "/" && deny.scope.subscription().is_none();
    !stays && (tenant.hierarchy.reaches(&deny.scope, object) || is_group && !tenant.hierarchy.is_known(object))
}

fn unread(tenant: &Tenant, vault: &Vault) -> Option<Open> {
    let need = Need { kind: Kind::DenyAssignments, reach: Reach::Own };
    let missing = tenant.coverage.missing(need, &vault.id).into_iter().next()?;
    let detail = format!("deny assignments at `{}` may forbid it and were not read: {}", missing.scope, missing.detail);
    Some(Open { reason: missing.reason, detail, from: missing.from })
}
