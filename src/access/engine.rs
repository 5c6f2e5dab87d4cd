//! Effective access in one tenant: the facts in order, and the questions that can be put to them.

use std::sync::Arc;

use super::index::Index;
use super::walk::{Walk, Want};
use super::{Capability, Gap, Grant, Held, Idle, Open, Path, Verdict};
use crate::evidence::Cite;
use crate::model::{Id, Tenant};

/// Effective access in one tenant. Answers are worked out when they are asked for; a clone shares everything.
#[derive(Clone, Debug, Default)]
pub struct Access {
    index: Arc<Index>,
    open_groups: Arc<[Open]>,
    unread_vaults: Arc<[Gap]>,
}

impl Access {
    /// Puts the facts in order.
    pub fn of(tenant: &Tenant) -> Access {
        let index = Arc::new(Index::of(tenant));
        let open_groups = super::gaps::open_groups(tenant, &index).into();
        let unread_vaults = super::gaps::of_vaults(tenant).into();
        Access { index, open_groups, unread_vaults }
    }

    /// The same, for who looks at roles and not at vaults.
    pub fn holders(tenant: &Tenant) -> Access {
        Access::of(tenant)
    }

    /// Grants on one vault and on objects in it, sorted by capability, principal and object. In RBAC mode from roles
    /// at or above the vault and on its objects; in access-policy mode from its access policies (data roles have no
    /// effect there, ARM's control-plane roles have). Each call works them out anew.
    pub fn on(&self, vault: &Id) -> Vec<Grant> {
        self.walk(vault, Want::default())
    }

    /// Grants of one capability on one vault and on objects in it.
    pub fn can(&self, vault: &Id, capability: Capability) -> Vec<Grant> {
        self.walk(vault, Want { capability: Some(capability), ..Want::default() })
    }

    /// Who can grant access to one vault, and by that come to `toward`: a delegation that is limited to some roles
    /// counts as far as one of them gives it, or lets grant on.
    pub(super) fn can_grant(&self, vault: &Id, toward: Capability) -> Vec<Grant> {
        let want = Want { capability: Some(Capability::GrantAccess), toward: Some(toward), ..Want::default() };
        self.walk(vault, want)
    }

    /// Grants of one principal on one vault and on objects in it; object id in any case.
    pub fn of_principal(&self, vault: &Id, principal_id: &str) -> Vec<Grant> {
        let Some(who) = self.index.principals.find(&principal_id.to_lowercase()) else { return Vec::new() };
        self.walk(vault, Want { who: Some(who), ..Want::default() })
    }

    /// Everything that one principal has on any vault, by vault; object id in any case.
    pub fn reach(&self, principal_id: &str) -> impl Iterator<Item = Grant> {
        let ids: Vec<Id> = self.index.sites.keys().cloned().collect();
        ids.into_iter().flat_map(move |vault| self.of_principal(&vault, principal_id))
    }

    /// Whether one principal can do one thing to one object: a vault, or `{vault}/secrets/{name}`, `/keys/`,
    /// `/certificates/`, listed or not. Of a vault the answer is about all that it holds, except what
    /// [`Access::of_principal`] lists apart.
    pub fn answer(&self, principal_id: &str, object: &Id, capability: Capability) -> Verdict {
        let none = Verdict { answer: None, paths: Vec::new() };
        let (Some(who), Some(vault)) = (self.index.principals.find(&principal_id.to_lowercase()), vault_of(object))
        else {
            return none;
        };
        let want = Want { who: Some(who), capability: Some(capability), object: Some(object), toward: None };
        let mut grants = self.walk(&vault, want).into_iter().filter(|grant| grant.object == *object);
        grants.next().map_or(none, |grant| Verdict { answer: Some(grant.answer), paths: grant.paths })
    }

    /// What was not read, so that answers about the vault are a lower bound; empty when they are whole.
    pub fn gaps(&self, vault: &Id) -> Vec<Gap> {
        self.index.sites.get(vault).map(|site| super::gaps::of(&self.index, site)).unwrap_or_default()
    }

    /// Lists of vaults that were not read. An answer about every vault, or that a vault is not there, is worth no more
    /// than these allow.
    pub fn unread_vaults(&self) -> &[Gap] {
        &self.unread_vaults
    }

    /// Access policies and roles that would give access to the vault's contents and give none.
    pub fn idle(&self, vault: &Id) -> Vec<Idle> {
        self.index.sites.get(vault).map(|site| super::idle::of(&self.index, site)).unwrap_or_default()
    }

    /// The records that a path to a vault rests on: its own, those that show that its scope lies above, and the
    /// vault's.
    pub fn evidence(&self, vault: &Id, path: &Path) -> Vec<Cite> {
        let mut evidence = self.evidence_above(vault, path);
        evidence.extend(self.index.sites.get(vault).map(|site| site.from.clone()));
        evidence
    }

    /// The same without the vault's.
    pub fn evidence_above(&self, vault: &Id, path: &Path) -> Vec<Cite> {
        let site = self.index.sites.get(vault);
        let way = site.and_then(|site| site.chain.ways.get(&path.scope)).into_iter().flat_map(|way| way.iter());
        path.evidence().chain(way).cloned().collect()
    }

    /// Role assignments at, above and inside one vault, as places in the tenant's list, in its order.
    pub fn reaching(&self, vault: &Id) -> Vec<usize> {
        let Some(site) = self.index.sites.get(vault) else { return Vec::new() };
        let above = site.chain.sources.iter().map(|(_, source)| source);
        let own = self.index.by_scope.get(vault).into_iter().flatten();
        let inside = self.index.inside(vault).flat_map(|(_, sources)| sources);
        let sources = above.chain(own).chain(inside).filter_map(|source| self.index.sources.get(*source));
        let mut places: Vec<usize> = sources.filter_map(|source| source.place).collect();
        places.sort_unstable();
        places
    }

    /// Role assignments that a principal holds, directly or through groups, at any scope, in the tenant's order;
    /// object id in any case. Whoever can only become a member of a group does not hold its roles.
    pub fn held_by(&self, principal_id: &str) -> Vec<Held> {
        let id = principal_id.to_lowercase();
        let Some(who) = self.index.principals.find(&id) else { return Vec::new() };
        let mut held: Vec<Held> = Vec::new();
        for holder in self.index.principals.holders_of(who).filter(|holder| *holder.id != *id) {
            for reached in holder.reaching(who).1.iter().filter(|reached| reached.activation.is_none()) {
                for (assignment, base) in self.index.held.get(&holder.id).into_iter().flatten() {
                    let evidence = base.iter().chain(reached.evidence.iter()).cloned().collect();
                    held.push(Held { assignment: *assignment, through: reached.through.clone(), evidence });
                }
            }
        }
        for (assignment, base) in self.index.held.get(id.as_str()).into_iter().flatten() {
            held.push(Held { assignment: *assignment, through: Arc::from([]), evidence: base.to_vec() });
        }
        held.sort_by_key(|held| held.assignment);
        held
    }

    /// What keeps the picture of a principal's roles from being whole: groups whose members were not read (the
    /// principal may be in them), each with the record.
    pub fn open_groups(&self) -> &[Open] {
        &self.open_groups
    }

    fn walk(&self, vault: &Id, want: Want<'_>) -> Vec<Grant> {
        match self.index.sites.get(vault) {
            Some(site) => Walk::grants(&self.index, site, want),
            None => Vec::new(),
        }
    }
}

/// The vault that an object is, or lies in.
fn vault_of(object: &Id) -> Option<Id> {
    let (above, rest) = object.key().split_once("/providers/microsoft.keyvault/vaults/")?;
    let name = rest.split('/').next().filter(|name| !name.is_empty())?;
    Some(Id::new(format!("{above}/providers/microsoft.keyvault/vaults/{name}")))
}

#[cfg(test)]
mod tests;
