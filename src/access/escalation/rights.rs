//! Who holds an action at a scope: by a role assignment, by a role that can be activated, or by delegation.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Certainty, Edge, Step, Target};
use crate::access::actions::{has, is_sure};
use crate::access::{grants_action, grants_data_action};
use crate::evidence::Cite;
use crate::model::{Delegation, DenyAssignment, Id, Permission, RoleSchedule, Tenant};

/// A control-plane or a data-plane action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    /// In `actions`.
    Control(&'static str),
    /// In `dataActions`.
    Data(&'static str),
}

/// How a role is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Assigned,
    Eligible,
    Delegated {
        is_eligible: bool,
    },
    /// Like an owner of the subscription, without a role.
    Classic,
}

/// One role of one holder at one scope.
#[derive(Clone, Debug)]
struct Holding<'a> {
    principal: &'a str,
    role: &'a str,
    scope: Id,
    condition: Option<&'a str>,
    manner: Manner,
    /// Why it may not be in force.
    doubt: Option<String>,
    from: &'a Cite,
}

/// A holder of an action.
#[derive(Clone, Debug)]
pub(super) struct Held<'a> {
    /// Lower-case object id; may be a group.
    pub(super) principal: &'a str,
    /// Lower-case GUID of the role.
    pub(super) role: &'a str,
    /// The role and its scope in words.
    pub(super) by: String,
    /// Whether it must be activated first.
    pub(super) is_eligible: bool,
    /// How sure it is, and why not.
    pub(super) certainty: Certainty,
    /// Why it is not certain.
    pub(super) doubt: Option<String>,
    /// Assignment and definition.
    pub(super) evidence: Vec<Cite>,
}

impl Held<'_> {
    /// The step that is taken by it; `from` is what it is taken on, or its target, `doubt` what else makes it unsure.
    pub(super) fn edge(self, step: Step, to: Target, on: Option<Id>, doubt: Option<String>, from: &Cite) -> Edge {
        let doubt = self.doubt.or(doubt);
        let mut evidence = self.evidence;
        evidence.push(from.clone());
        Edge {
            step,
            from: self.principal.to_owned(),
            to,
            by: self.by,
            on,
            is_activated_first: self.is_eligible,
            certainty: if doubt.is_some() { Certainty::Possible } else { self.certainty },
            doubt,
            evidence,
        }
    }
}

/// Why a right is in doubt that hangs on a reading of wildcards.
pub(super) const WIDE: &str = "it is found by reading `/*/` in the role as a single `/`, which is not documented";

/// How a role gives an action. The first in this order is the surest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Terms<'a> {
    /// Under which condition of its definition.
    condition: Option<&'a str>,
    /// Whether only one of two readings of its wildcards gives it.
    is_wide: bool,
}

/// Whether a role gives an action, and how.
type Given<'a> = Option<Terms<'a>>;

/// Places of roles in the list of their scope, by action.
type Giving = BTreeMap<(Action, Id), Rc<[usize]>>;

/// Roles by scope.
pub(super) struct Rights<'a> {
    pub(super) tenant: &'a Tenant,
    by_scope: BTreeMap<Id, Vec<Holding<'a>>>,
    given: RefCell<BTreeMap<(&'a str, Action), Given<'a>>>,
    /// Of the roles at one scope, the places of those that give an action: many resources lie below one scope.
    giving: RefCell<Giving>,
}

impl<'a> Rights<'a> {
    pub(super) fn of(tenant: &'a Tenant) -> Rights<'a> {
        let mut by_scope: BTreeMap<Id, Vec<Holding<'_>>> = BTreeMap::new();
        for holding in holdings(tenant) {
            by_scope.entry(holding.scope.clone()).or_default().push(holding);
        }
        Rights { tenant, by_scope, given: RefCell::default(), giving: RefCell::default() }
    }

    /// Everyone who holds an action at a scope, there or above it.
    pub(super) fn holders(&self, action: Action, at: &Id) -> Vec<Held<'a>> {
        let denied = self.denied(action, at);
        let mut held = Vec::new();
        for scope in self.tenant.hierarchy.scopes_of(at) {
            let Some(holdings) = self.by_scope.get(&scope) else { continue };
            let giving = self.giving(action, scope, holdings);
            for holding in giving.iter().filter_map(|place| holdings.get(*place)) {
                if let Some(terms) = self.given(holding, action) {
                    held.push(self.held(holding, terms, denied));
                }
            }
        }
        held
    }

    fn giving(&self, action: Action, scope: Id, holdings: &[Holding<'a>]) -> Rc<[usize]> {
        let compute = || {
            let places = holdings.iter().enumerate().filter(|(_, holding)| self.given(holding, action).is_some());
            places.map(|(place, _)| place).collect()
        };
        self.giving.borrow_mut().entry((action, scope)).or_insert_with(compute).clone()
    }

    /// Lower-case object ids of those who hold any of these actions anywhere; may be groups.
    pub(super) fn anywhere(&self, actions: &[Action]) -> BTreeSet<&'a str> {
        let holdings = self.by_scope.values().flatten();
        let gives = |holding: &&Holding<'a>| actions.iter().any(|action| self.given(holding, *action).is_some());
        holdings.filter(gives).map(|holding| holding.principal).collect()
    }

    /// Custom roles of a principal at a scope or above it.
    pub(super) fn custom_roles(&self, principal: &str, at: &Id) -> Vec<Held<'a>> {
        let is_custom = |holding: &&Holding<'a>| {
            let definition = self.tenant.role_definitions.get(holding.role);
            let kind = definition.and_then(|definition| definition.role_type.as_deref());
            holding.principal == principal && kind.is_some_and(|kind| kind.eq_ignore_ascii_case("CustomRole"))
        };
        let mut held = Vec::new();
        for scope in self.tenant.hierarchy.scopes_of(at) {
            let custom = self.by_scope.get(&scope).into_iter().flatten().filter(is_custom);
            held.extend(custom.map(|holding| self.held(holding, Terms::default(), None)));
        }
        held
    }

    fn given(&self, holding: &Holding<'a>, action: Action) -> Given<'a> {
        match (holding.manner, action) {
            (Manner::Classic, Action::Control(_)) => Some(Terms::default()),
            (Manner::Classic, Action::Data(_)) => None,
            _ => self.gives(holding.role, action),
        }
    }

    /// Each entry of a role grants by itself. One without a condition is enough.
    fn gives(&self, role: &'a str, action: Action) -> Given<'a> {
        let tenant = self.tenant;
        let compute = || -> Given<'a> {
            let entries = &tenant.role_definitions.get(role)?.permissions;
            let (action, is_data) = match action {
                Action::Control(action) => (action, false),
                Action::Data(action) => (action, true),
            };
            let giving = entries.iter().filter(|entry| has(entry, action, is_data));
            let terms = |entry: &'a Permission| Terms {
                condition: entry.condition.as_deref(),
                is_wide: !is_sure(entry, action, is_data),
            };
            giving.map(terms).min()
        };
        *self.given.borrow_mut().entry((role, action)).or_insert_with(compute)
    }

    fn held(&self, holding: &Holding<'a>, terms: Terms<'a>, denied: Option<&DenyAssignment>) -> Held<'a> {
        let definition = self.tenant.role_definitions.get(holding.role);
        let name = definition.map_or(holding.role, |definition| definition.name.as_str());
        let how = match holding.manner {
            Manner::Assigned => "role",
            Manner::Eligible => "eligible role",
            Manner::Delegated { is_eligible: false } => "delegated role",
            Manner::Delegated { is_eligible: true } => "delegated eligible role",
            Manner::Classic => "classic administrator",
        };
        let condition = holding.condition.or(terms.condition);
        let doubt = match (denied, condition) {
            (Some(deny), _) => Some(format!("deny assignment `{}` at `{}` may forbid it", deny.name, deny.scope)),
            (None, Some(condition)) => Some(format!("it holds only when: {condition}")),
            (None, None) => holding.doubt.clone().or_else(|| terms.is_wide.then(|| WIDE.to_owned())),
        };
        let evidence = std::iter::once(holding.from).chain(definition.map(|definition| &definition.from));
        Held {
            principal: holding.principal,
            role: holding.role,
            by: match holding.manner {
                Manner::Classic => format!("{how} of `{}`", holding.scope),
                _ => format!("{how} `{name}` at `{}`", holding.scope),
            },
            is_eligible: matches!(holding.manner, Manner::Eligible | Manner::Delegated { is_eligible: true }),
            certainty: if doubt.is_some() { Certainty::Possible } else { Certainty::Certain },
            doubt,
            evidence: evidence.cloned().collect(),
        }
    }

    /// A deny assignment that may take the action from someone there. It is never credited.
    fn denied(&self, action: Action, at: &Id) -> Option<&'a DenyAssignment> {
        let is_audit =
            |deny: &DenyAssignment| deny.effect.as_deref().is_some_and(|how| how.eq_ignore_ascii_case("audit"));
        let takes = |deny: &DenyAssignment| {
            deny.permissions.iter().any(|entry| match action {
                Action::Control(action) => grants_action(entry, action),
                Action::Data(action) => grants_data_action(entry, action),
            })
        };
        let mut denies = self.tenant.deny_assignments.iter();
        denies.find(|deny| !is_audit(deny) && self.tenant.hierarchy.reaches(&deny.scope, at) && takes(deny))
    }
}

fn holdings(tenant: &Tenant) -> impl Iterator<Item = Holding<'_>> {
    let assigned = tenant.role_assignments.iter().map(|assignment| Holding {
        principal: &assignment.principal_id,
        role: &assignment.role,
        scope: assignment.scope.clone(),
        condition: assignment.condition.as_deref(),
        manner: Manner::Assigned,
        doubt: None,
        from: &assignment.from,
    });
    let is_over = |schedule: &&RoleSchedule| schedule.ends.is_none_or(|ends| ends > tenant.collected_at);
    let eligible = tenant.authorization.eligible.iter().filter(is_over).map(|schedule| Holding {
        principal: &schedule.principal_id,
        role: &schedule.role,
        scope: schedule.scope.clone(),
        condition: schedule.condition.as_deref(),
        manner: Manner::Eligible,
        doubt: None,
        from: &schedule.from,
    });
    let delegations = tenant.authorization.delegations.iter();
    let is_going = |delegation: &&Delegation| {
        let state = delegation.state.as_deref().unwrap_or_default();
        ["Deleting", "Deleted"].iter().any(|word| state.eq_ignore_ascii_case(word))
    };
    let delegated = delegations.filter(move |delegation| !is_going(delegation)).flat_map(|delegation| {
        let state = delegation.state.as_deref().unwrap_or("not told");
        let doubt = (!state.eq_ignore_ascii_case("Succeeded"))
            .then(|| format!("the state of the delegation is {state}, so that it may not be in force"));
        let standing = delegation.authorizations.iter().map(|delegate| (delegate, false));
        let eligible = delegation.eligible.iter().map(|delegate| (delegate, true));
        standing.chain(eligible).map(move |(delegate, is_eligible)| Holding {
            principal: &delegate.principal_id,
            role: &delegate.role,
            scope: delegation.scope.clone(),
            condition: None,
            manner: Manner::Delegated { is_eligible },
            doubt: doubt.clone(),
            from: &delegation.from,
        })
    });
    let classic = tenant.authorization.classic_administrators.iter().filter_map(|administrator| {
        Some(Holding {
            principal: administrator.id.key(),
            role: "",
            scope: administrator.subscription()?,
            condition: None,
            manner: Manner::Classic,
            doubt: None,
            from: &administrator.from,
        })
    });
    assigned.chain(eligible).chain(delegated).chain(classic)
}
