//! Who can become a member of a group by activating the membership
//! (learn:entra/id-governance/privileged-identity-management/concept-pim-for-groups).
//!
//! Whoever can become owner is left to the escalations, as owners are.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Principals, Reached, Way, Who, hop, is_group, name};
use crate::access::{Activation, Hop, Membership, Open};
use crate::evidence::{Cite, Kind};
use crate::model::{GroupGrant, Id, Need, Reach, Tenant};

/// Those who can become members of any of the groups and are none yet, and the members of groups among them. The rules
/// of the activation are not read.
pub(super) fn reached(
    principals: &Principals,
    tenant: &Tenant,
    groups: &[(&str, Way)],
    members: &[Reached],
) -> Vec<Reached> {
    let mut found: Vec<Reached> = Vec::new();
    let mut seen: BTreeSet<Who> = BTreeSet::new();
    let is_member = |who: Who| members.binary_search_by_key(&who, |member| member.who).is_ok();
    for (group, way) in groups {
        for grant in of_group(tenant, group) {
            let activation = Arc::new(Activation {
                of: name(tenant, group),
                from: Some(grant.from.clone()),
                ..Activation::default()
            });
            let mut through: Vec<Hop> = way.through.to_vec();
            if let Some(last) = through.last_mut() {
                last.by = Membership::EligibleMember;
            }
            let mut add = |who: Who, further: &[Hop], memberships: &[Cite]| {
                if is_member(who) || !seen.insert(who) {
                    return;
                }
                found.push(Reached {
                    who,
                    through: through.iter().chain(further).cloned().collect(),
                    evidence: way.evidence.iter().chain(memberships).cloned().collect(),
                    activation: Some(activation.clone()),
                });
            };
            if is_group(tenant, &grant.principal_id, None) {
                let (inner, _) = principals.members(tenant, &grant.principal_id);
                inner.iter().for_each(|member| add(member.who, &member.through, &member.evidence));
                if super::open(tenant, &grant.principal_id).is_none() {
                    continue;
                }
                let own = [hop(tenant, &grant.principal_id, Membership::Member)];
                principals.find(&grant.principal_id).into_iter().for_each(|who| add(who, &own, &[]));
            } else if let Some(who) = principals.find(&grant.principal_id) {
                add(who, &[], &[]);
            }
        }
    }
    found
}

/// Eligible memberships of one group that are not over.
fn of_group<'a>(tenant: &'a Tenant, group: &'a str) -> impl Iterator<Item = &'a GroupGrant> {
    let all = &tenant.directory.group_eligibilities;
    let start = all.partition_point(|grant| grant.group_id.as_str() < group);
    let of_group = all.get(start..).unwrap_or_default().iter().take_while(move |grant| grant.group_id == group);
    let is_owner = |grant: &GroupGrant| grant.access.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("owner"));
    of_group.filter(move |grant| !is_owner(grant) && grant.end.is_none_or(|end| end > tenant.collected_at))
}

/// Why there may be more of them.
pub(super) fn unread(tenant: &Tenant, group: &str) -> Option<Open> {
    let need = Need { kind: Kind::GroupEligibilities, reach: Reach::Own };
    let missing = tenant.coverage.missing(need, &Id::new(format!("group:{group}"))).into_iter().next()?;
    let detail = format!("who can become a member of group `{}` was not read: {}", name(tenant, group), missing.detail);
    Some(Open { reason: missing.reason, detail, from: missing.from })
}
