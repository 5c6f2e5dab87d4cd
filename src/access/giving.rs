//! Which roles are of use on a vault to somebody who may assign them to himself: what a condition on a delegation is
//! held against.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::condition::{Asked, Granting, Truth};
use super::role::{Role, Rules};
use super::{Capability, Rule};
use crate::model::Tenant;

/// What somebody may want of a vault's secrets when he assigns himself a role.
const TOWARD: &[Capability] = &[Capability::ReadSecret, Capability::ChangeSecret, Capability::DestroySecret];

/// The action by which roles are assigned.
pub(super) const ASSIGN: &str = "Microsoft.Authorization/roleAssignments/write";

/// Roles that are of use, by lower-case GUID.
#[derive(Clone, Debug, Default)]
pub(super) struct Giving {
    /// On a vault in RBAC mode.
    rbac: Useful,
    /// On one in RBAC mode, toward one end alone.
    toward: BTreeMap<Capability, Useful>,
    /// On one in access-policy mode, where data roles have no effect.
    pub(super) policies: Useful,
    /// Every role that was read, of use or not, without hyphens.
    read: BTreeSet<String>,
}

/// Roles that are of use on vaults in one mode.
#[derive(Clone, Debug, Default)]
pub(super) struct Useful {
    /// They give access to the contents, or let grant it.
    surely: BTreeSet<String>,
    /// They may: under a condition, or because they may write the vault.
    perhaps: BTreeSet<String>,
}

impl Giving {
    pub(super) fn of(tenant: &Tenant) -> Giving {
        let mut rules = Rules::default();
        let definitions = tenant.role_definitions.values();
        let roles: BTreeMap<&str, Role> =
            definitions.map(|definition| (definition.guid.as_str(), Role::of(definition, &mut rules))).collect();
        Giving {
            rbac: Useful::of(&roles, true, None),
            toward: TOWARD.iter().map(|end| (*end, Useful::of(&roles, true, Some(*end)))).collect(),
            policies: Useful::of(&roles, false, None),
            read: roles.keys().map(|guid| guid.replace('-', "")).collect(),
        }
    }
}

impl Giving {
    /// Those of use on a vault in RBAC mode, toward one end where one is asked for.
    pub(super) fn on_rbac(&self, toward: Option<Capability>) -> &Useful {
        toward.and_then(|end| self.toward.get(&end)).unwrap_or(&self.rbac)
    }
}

impl Useful {
    fn of(roles: &BTreeMap<&str, Role>, is_rbac: bool, toward: Option<Capability>) -> Useful {
        let mut useful = Useful::default();
        let mut limited: Vec<(&str, &[Arc<Rule>])> = Vec::new();
        for (guid, role) in roles {
            let leads =
                |capability: Capability| !capability.is_data() || toward.is_none_or(|wanted| wanted == capability);
            for (capability, given) in role.gives(is_rbac).iter().filter(|(capability, _)| leads(*capability)) {
                let counts = match capability {
                    Capability::ManageVault => false,
                    Capability::GrantAccess => true,
                    _ => is_rbac,
                };
                for given in given.iter().filter(|_| is_rbac || !capability.is_data()) {
                    match given.under.is_empty() {
                        true if counts => useful.surely.insert((*guid).to_owned()),
                        false if given.action == ASSIGN => {
                            limited.push((guid, &given.under));
                            false
                        }
                        _ => useful.perhaps.insert((*guid).to_owned()),
                    };
                }
            }
        }
        useful.follow(&limited);
        useful
    }

    /// A role that assigns under a condition is of use as far as one is that it may assign.
    fn follow(&mut self, limited: &[(&str, &[Arc<Rule>])]) {
        let holds = |under: &[Arc<Rule>], role: &String| {
            let granting = Granting { role, principal_id: None, principal_type: None };
            let asked = Asked::anywhere(ASSIGN).to_grant(granting);
            let truths: Vec<Truth> = under.iter().map(|rule| rule.holds(&asked)).collect();
            [Truth::True, Truth::Unknown].into_iter().find(|truth| truths.contains(truth)).unwrap_or(Truth::False)
        };
        loop {
            let before = (self.surely.len(), self.perhaps.len());
            for (guid, under) in limited {
                if self.surely.iter().any(|role| holds(under, role) == Truth::True) {
                    self.surely.insert((*guid).to_owned());
                } else if self.surely.iter().chain(&self.perhaps).any(|role| holds(under, role) != Truth::False) {
                    self.perhaps.insert((*guid).to_owned());
                }
            }
            if before == (self.surely.len(), self.perhaps.len()) {
                return;
            }
        }
    }

    /// Whether the condition lets its holder give himself a role that is of use. Where it lets him give one to others
    /// alone, or one that may be of use, that is open.
    pub(super) fn may_be_granted(
        &self,
        read: &Giving,
        rule: &Rule,
        asked: &Asked<'_>,
        itself: (&str, Option<&str>),
    ) -> Truth {
        let holds = |role: &str, principal_id: Option<&str>, principal_type: Option<&str>| {
            rule.holds(&asked.to_grant(Granting { role, principal_id, principal_type }))
        };
        if self.surely.iter().any(|role| holds(role, Some(itself.0), itself.1) == Truth::True) {
            return Truth::True;
        }
        let named = rule.roles().into_iter().map(|role| role.to_lowercase().replace('-', ""));
        let unread = named.filter(|role| !read.read.contains(role));
        let mut open = self.surely.iter().chain(&self.perhaps).cloned().chain(unread);
        // With no role of use read there is nothing to hold the condition against, and what is not parsed may mean any.
        let is_blind = !rule.is_parsed() || self.surely.is_empty() && self.perhaps.is_empty();
        match is_blind || open.any(|role| holds(&role, None, None) != Truth::False) {
            true => Truth::Unknown,
            false => Truth::False,
        }
    }
}
