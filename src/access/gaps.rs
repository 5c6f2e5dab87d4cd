//! What was not read, so that answers are a lower bound.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::index::{Gives, Index, Site, Source};
use super::{Gap, Open, Unread, Via};
use crate::evidence::{Kind, Reason};
use crate::model::{Id, Missing, Need, Reach, Tenant};

/// The lists that say what is given in a subscription and above it, and what a hole in each means.
const LISTS: &[(Kind, Unread)] = &[
    (Kind::RoleAssignments, Unread::Scope),
    (Kind::RoleDefinitions, Unread::Definition),
    (Kind::DenyAssignments, Unread::Denies),
    (Kind::RoleEligibilityScheduleInstances, Unread::Eligibility),
    (Kind::RegistrationAssignments, Unread::Delegation),
    (Kind::ClassicAdministrators, Unread::Classic),
];

/// Gaps that every vault of a subscription shares.
pub(super) fn of_subscription(tenant: &Tenant, vault: &Id) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (kind, about) in LISTS {
        let missing = tenant.coverage.missing(Need { kind: *kind, reach: Reach::Own }, vault);
        gaps.extend(
            missing.into_iter().filter(|missing| missing.reason != Reason::Retired).map(|missing| gap(*about, missing)),
        );
    }
    gaps.sort();
    gaps.dedup();
    gaps
}

/// Lists of vaults that were not read: there may be vaults that nobody knows of here.
pub(super) fn of_vaults(tenant: &Tenant) -> Vec<Gap> {
    of_lists(tenant, &[(Kind::Vaults, Unread::Vaults)])
}

/// What is missing of these lists anywhere.
pub(super) fn of_lists(tenant: &Tenant, lists: &[(Kind, Unread)]) -> Vec<Gap> {
    let missing = lists.iter().flat_map(|(kind, about)| {
        let missing = tenant.coverage.missing_of_population(*kind);
        missing.into_iter().map(|missing| gap(*about, missing))
    });
    let found: BTreeSet<Gap> = missing.collect();
    found.into_iter().collect()
}

fn gap(about: Unread, missing: Missing) -> Gap {
    let is_tree = missing.reason == Reason::HierarchyUnknown;
    Gap {
        about: if is_tree { Unread::ManagementGroups } else { about },
        name: missing.scope,
        reason: missing.reason,
        detail: missing.detail,
        from: missing.from,
    }
}

/// Gaps of one vault: those of its subscription, and what its own sources leave open.
pub(super) fn of(index: &Index, site: &Site) -> Vec<Gap> {
    let mut found: BTreeSet<Gap> = site.gaps.iter().cloned().collect();
    let above = site.chain.sources.iter().map(|(_, source)| source);
    let own = index.by_scope.get(&site.id).into_iter().flatten();
    let inside = index.inside(&site.id).flat_map(|(_, sources)| sources);
    let sources = above.chain(own).chain(inside).filter_map(|source| index.sources.get(*source));
    let policies = site.policies.iter().filter(|_| !site.is_rbac);
    for source in sources.chain(policies) {
        of_source(source, &mut found);
    }
    found.into_iter().collect()
}

fn of_source(source: &Source, found: &mut BTreeSet<Gap>) {
    let named = |about: Unread, name: &str, open: &Open| Gap {
        about,
        name: name.to_owned(),
        reason: open.reason,
        detail: open.detail.clone(),
        from: open.from.clone(),
    };
    found.extend(source.holder.open.iter().map(|open| named(Unread::Members, &source.holder.id, open)));
    // Without the licence that holds for every group alike, and is said once for the roles.
    let unread = source.holder.unread_eligible.iter().filter(|open| open.reason != Reason::NotLicensed);
    found.extend(unread.map(|open| named(Unread::Eligibility, &source.holder.id, open)));
    if let (Some((role, _)), Some(open)) = (source.via.role(), &source.open)
        && open.reason == Reason::RoleDefinitionUnknown
    {
        found.insert(named(Unread::Definition, role, open));
    }
    if let Via::Lighthouse { tenant, .. } = &*source.via {
        let tenant = tenant.as_deref().unwrap_or("not told");
        let detail = format!("who is behind `{}` is known in tenant `{tenant}` alone", source.holder.id);
        let from = source.base.first().cloned();
        let open = Open { reason: Reason::PrincipalUnresolved, detail, from };
        found.insert(named(Unread::Delegation, &source.holder.id, &open));
    }
    let given = match &source.gives {
        Gives::Role(role) => role.rules(),
        _ => Vec::new(),
    };
    for rule in source.rule.iter().chain(given).filter(|rule| !rule.is_parsed()) {
        let detail = format!("the condition could not be parsed: {}", rule.text);
        let open = Open { reason: Reason::ConditionNotEvaluated, detail, from: source.base.first().cloned() };
        found.insert(named(Unread::Condition, source.scope.shown(), &open));
    }
}

/// Groups that hold a role or a policy and whose members are not all known, each once.
pub(super) fn open_groups(tenant: &Tenant, index: &Index) -> Vec<Open> {
    let roles = tenant.role_assignments.iter().map(|assignment| &assignment.principal_id);
    let policies = tenant.vaults.iter().flat_map(|vault| &vault.access_policies).map(|policy| &policy.object_id);
    let holders: BTreeSet<&String> = roles.chain(policies).collect();
    let open = holders.into_iter().filter_map(|id| index.principals.holder(id)?.open.as_ref());
    open.map(|open: &Arc<Open>| Open::clone(open)).collect()
}
