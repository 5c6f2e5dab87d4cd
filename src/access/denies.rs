//! Deny assignments: what they take away, for certain or perhaps
//! (learn:azure/role-based-access-control/deny-assignments).
//!
//! One that is enforced and names the principal, the action and the scope forbids, and nothing outweighs it. Where
//! any of that is not known, it may forbid; it is never taken to narrow access then.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::actions::{has, is_sure};
use super::condition::{Asked, Truth};
use super::index::Site;
use super::principals::{Holder, Principals, Who};
use super::role::Rules;
use super::{Answer, Open, Rule};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{DenyAssignment, Hierarchy, Id, Need, Permission, Reach, Tenant};

/// The GUID by which a deny assignment means everyone.
const EVERYONE: &str = "00000000-0000-0000-0000-000000000000";

/// A deny assignment that is not known only to audit.
#[derive(Clone, Debug)]
pub(super) struct Deny {
    name: String,
    scope: Id,
    /// `denyAssignmentEffect` is `enforced`. Older versions of the service do not tell it.
    is_enforced: bool,
    /// `doNotApplyToChildScopes`.
    stays: bool,
    is_everyone: bool,
    principals: Vec<Arc<Holder>>,
    excluded: Vec<Arc<Holder>>,
    entries: Vec<(Permission, Option<Arc<Rule>>)>,
    from: Cite,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Denies {
    all: Vec<Arc<Deny>>,
}

/// Those near one vault.
#[derive(Clone, Debug, Default)]
pub(super) struct Near {
    /// Deny assignments, and whether each is known to lie at, above or inside the vault.
    denies: Vec<(Arc<Deny>, bool)>,
    /// Why there may be more.
    unread: Option<Arc<Open>>,
}

impl Denies {
    pub(super) fn of(tenant: &Tenant, principals: &Principals, rules: &mut Rules) -> Denies {
        // `audit` only logs; one whose effect is not told may block.
        let is = |deny: &DenyAssignment, effect: &str| {
            deny.effect.as_deref().is_some_and(|told| told.eq_ignore_ascii_case(effect))
        };
        let holders = |ids: &[String]| ids.iter().filter_map(|id| principals.holder(id).cloned()).collect();
        let compile = |deny: &DenyAssignment, rules: &mut Rules| Deny {
            name: deny.name.clone(),
            scope: deny.scope.clone(),
            is_enforced: is(deny, "enforced"),
            stays: deny.not_to_children == Some(true),
            is_everyone: deny.principals.iter().any(|id| id == EVERYONE),
            principals: holders(&deny.principals),
            excluded: holders(&deny.exclude_principals),
            entries: deny
                .permissions
                .iter()
                .map(|entry| (entry.clone(), entry.condition.as_deref().map(|text| rules.read(text))))
                .collect(),
            from: deny.from.clone(),
        };
        let blocking = tenant.deny_assignments.iter().filter(|deny| !is(deny, "audit"));
        Denies { all: blocking.map(|deny| Arc::new(compile(deny, rules))).collect() }
    }

    /// Those that may touch the vault or something in it.
    pub(super) fn near(&self, tenant: &Tenant, vault: &Id, unread: Option<Arc<Open>>) -> Near {
        let place = |deny: &Arc<Deny>| {
            let is_known = vault.is_at_or_above(&deny.scope) || tenant.hierarchy.reaches(&deny.scope, vault);
            (is_known || may_reach(&tenant.hierarchy, &deny.scope, vault)).then(|| (deny.clone(), is_known))
        };
        Near { denies: self.all.iter().filter_map(place).collect(), unread }
    }
}

/// Whether a deny assignment at a management group whose place is not known may lie above.
fn may_reach(hierarchy: &Hierarchy, scope: &Id, vault: &Id) -> bool {
    let is_group = scope.key() != "/" && scope.subscription().is_none();
    is_group && !hierarchy.is_known(vault)
}

/// Why deny assignments at or above the vault may exist that nobody read.
pub(super) fn unread(tenant: &Tenant, vault: &Id) -> Option<Open> {
    let need = Need { kind: Kind::DenyAssignments, reach: Reach::Own };
    let missing = tenant.coverage.missing(need, vault).into_iter().next()?;
    let detail = format!("deny assignments at `{}` may forbid it and were not read: {}", missing.scope, missing.detail);
    Some(Open { reason: missing.reason, detail, from: missing.from })
}

/// Who asks for what, where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use<'a> {
    pub(super) who: Who,
    pub(super) is_data: bool,
    /// The vault, or an object in it.
    pub(super) object: &'a Id,
    pub(super) asked: Asked<'a>,
}

impl Near {
    /// Whether nothing forbids anything here.
    pub(super) fn is_empty(&self) -> bool {
        self.denies.is_empty() && self.unread.is_none()
    }

    /// Objects in the vault about which some of them say something else than about the vault. One that stays at the
    /// vault does not reach any object in it.
    pub(super) fn objects(&self, site: &Site) -> BTreeSet<Id> {
        let mut found: BTreeSet<Id> = BTreeSet::new();
        for (deny, _) in &self.denies {
            if deny.scope == site.id {
                found.extend(site.objects.iter().filter(|_| deny.stays).cloned());
            } else if site.id.is_at_or_above(&deny.scope) {
                found.insert(deny.scope.clone());
                found.extend(site.objects.iter().filter(|object| deny.scope.is_at_or_above(object)).cloned());
            }
        }
        found
    }

    /// What they make of the use: allowed where none of them touches it.
    pub(super) fn judge(&self, site: &Site, used: &Use<'_>) -> (Answer, Option<Arc<Open>>) {
        let mut worst: (Answer, Option<Arc<Open>>) = (Answer::Allowed, None);
        for (deny, is_known) in &self.denies {
            let (answer, detail) = deny.judge(site, used, *is_known);
            if answer > worst.0 {
                let words = match answer {
                    Answer::Denied => "forbids it",
                    _ => "may forbid it",
                };
                let why = detail.map(|why| format!(": {why}")).unwrap_or_default();
                let detail = format!("deny assignment `{}` at `{}` {words}{why}", deny.name, deny.scope);
                let open = Open { reason: Reason::DenyNotEvaluated, detail, from: Some(deny.from.clone()) };
                worst = (answer, Some(Arc::new(open)));
            }
        }
        match &self.unread {
            Some(unread) if worst.0 < Answer::NotDetermined => (Answer::NotDetermined, Some(unread.clone())),
            _ => worst,
        }
    }
}

/// How sure something is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sure {
    No,
    Maybe(String),
    Yes,
}

impl Deny {
    /// What it makes of the use, and why it is not sure.
    fn judge(&self, site: &Site, used: &Use<'_>, is_known: bool) -> (Answer, Option<String>) {
        let mut maybe = None;
        for sure in [self.holds_at(site, used, is_known), self.means(used.who), self.takes(used)] {
            match sure {
                Sure::No => return (Answer::Allowed, None),
                Sure::Maybe(why) => maybe = maybe.or(Some(why)),
                Sure::Yes => {}
            }
        }
        if !self.is_enforced {
            maybe = maybe.or_else(|| Some("whether it is enforced or only audits is not told".to_owned()));
        }
        match maybe {
            Some(why) => (Answer::NotDetermined, Some(why)),
            None => (Answer::Denied, None),
        }
    }

    fn holds_at(&self, site: &Site, used: &Use<'_>, is_known: bool) -> Sure {
        if self.scope == *used.object {
            let is_about_contents = used.is_data && used.object == &site.id;
            return match self.stays && is_about_contents {
                true => Sure::Maybe("it stays at the vault, and what lies in it may be beyond it".to_owned()),
                false => Sure::Yes,
            };
        }
        // What lies inside the vault says nothing about the vault as a whole.
        let is_inside = site.id != self.scope && site.id.is_at_or_above(&self.scope);
        if self.stays || is_inside && !self.scope.is_at_or_above(used.object) {
            return Sure::No;
        }
        match is_known {
            true => Sure::Yes,
            false => Sure::Maybe("whether its management group lies above is not known".to_owned()),
        }
    }

    /// Whether it means the principal. Whoever can only become a member of a group is not in it yet.
    fn means(&self, who: Who) -> Sure {
        let names = |holder: &Arc<Holder>| holder.reaching(who).1.iter().any(|reached| reached.activation.is_none());
        let may_name = |holder: &&Arc<Holder>| holder.open.is_some();
        if self.excluded.iter().any(names) {
            return Sure::No;
        }
        let unsure = |holder: &Arc<Holder>, what: &str| {
            Sure::Maybe(format!("whether it {what} the principal by `{}` is not known", holder.id))
        };
        match self.principals.iter().find(may_name) {
            _ if self.is_everyone || self.principals.iter().any(names) => {}
            Some(holder) => return unsure(holder, "means"),
            None => return Sure::No,
        }
        match self.excluded.iter().find(may_name) {
            Some(holder) => unsure(holder, "leaves out"),
            None => Sure::Yes,
        }
    }

    /// Whether it takes the action: `actions` without `notActions`, or the same of data actions, entry by entry.
    fn takes(&self, used: &Use<'_>) -> Sure {
        let mut found = Sure::No;
        for (entry, rule) in &self.entries {
            if !has(entry, used.asked.action, used.is_data) {
                continue;
            }
            let truth = rule.as_ref().map_or(Truth::True, |rule| rule.holds(&used.asked));
            let sure = match (truth, rule) {
                (Truth::False, _) => continue,
                (Truth::Unknown, Some(rule)) => Sure::Maybe(format!("it holds only when: {}", rule.text)),
                _ if is_sure(entry, used.asked.action, used.is_data) => return Sure::Yes,
                _ => Sure::Maybe("whether its wildcards mean the action is not documented".to_owned()),
            };
            if found == Sure::No {
                found = sure;
            }
        }
        found
    }
}
