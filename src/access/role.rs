//! What the roles that are held give, worked out once for each role and mode of a vault.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::actions::is_sure;
use super::{Capability, Rule};
use crate::model::{Permission, RoleDefinition};

/// An action by which a role gives a capability.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// The action.
    pub(super) action: &'static str,
    /// Conditions in the definition of which any one must hold; none when an entry gives it without.
    pub(super) under: Vec<Arc<Rule>>,
    /// Whether every entry that gives it does so only by one of two readings of its wildcards.
    pub(super) is_wide: bool,
}

/// What a role gives.
#[derive(Clone, Debug, Default)]
pub(super) struct Role {
    rbac: Vec<(Capability, Vec<Given>)>,
    policies: Vec<(Capability, Vec<Given>)>,
}

impl Role {
    /// Works it out. Each entry of a role grants on its own, under its own condition
    /// (learn:azure/role-based-access-control/role-definitions).
    pub(super) fn of(definition: &RoleDefinition, rules: &mut Rules) -> Role {
        let entries: Vec<(&Permission, Option<Arc<Rule>>)> = definition
            .permissions
            .iter()
            .map(|entry| (entry, entry.condition.as_deref().map(|text| rules.read(text))))
            .collect();
        let of = |is_rbac: bool| {
            let capabilities =
                Capability::ALL.iter().map(|capability| (*capability, given(&entries, *capability, is_rbac)));
            capabilities.filter(|(_, given)| !given.is_empty()).collect()
        };
        Role { rbac: of(true), policies: of(false) }
    }

    /// The conditions in its definition that matter here.
    pub(super) fn rules(&self) -> Vec<&Arc<Rule>> {
        let given = self.rbac.iter().chain(&self.policies).flat_map(|(_, given)| given);
        given.flat_map(|given| &given.under).collect()
    }

    /// A role that was not read: it may give anything.
    pub(super) fn anything() -> Role {
        let given = |action: &&'static str| Given { action, under: Vec::new(), is_wide: false };
        let of = |is_rbac: bool| {
            let actions = |capability: Capability| capability.data_actions().iter().chain(capability.actions(is_rbac));
            Capability::ALL.iter().map(|capability| (*capability, actions(*capability).map(given).collect())).collect()
        };
        Role { rbac: of(true), policies: of(false) }
    }

    /// What it gives on a vault in that mode, leaving aside that data roles have no effect in access-policy mode.
    pub(super) fn gives(&self, is_rbac: bool) -> &[(Capability, Vec<Given>)] {
        if is_rbac { &self.rbac } else { &self.policies }
    }
}

fn given(entries: &[(&Permission, Option<Arc<Rule>>)], capability: Capability, is_rbac: bool) -> Vec<Given> {
    let is_data = capability.is_data();
    let mut given: Vec<Given> = Vec::new();
    for (entry, rule) in entries {
        for action in capability.granted_by(entry, is_rbac) {
            let wide = !is_sure(entry, action, is_data);
            match given.iter_mut().find(|given| given.action == action) {
                None => given.push(Given { action, under: rule.iter().cloned().collect(), is_wide: wide }),
                Some(before) => {
                    match rule {
                        None => before.under.clear(),
                        Some(rule) if !before.under.is_empty() => before.under.push(rule.clone()),
                        Some(_) => {}
                    }
                    before.is_wide &= wide;
                }
            }
        }
    }
    given
}

/// Conditions by their text: very many assignments carry the same one.
#[derive(Debug, Default)]
pub(super) struct Rules(BTreeMap<String, Arc<Rule>>);

impl Rules {
    /// The condition with this text, read once.
    pub(super) fn read(&mut self, text: &str) -> Arc<Rule> {
        if let Some(rule) = self.0.get(text) {
            return rule.clone();
        }
        let rule = Arc::new(Rule::read(text));
        self.0.insert(text.to_owned(), rule.clone());
        rule
    }
}
