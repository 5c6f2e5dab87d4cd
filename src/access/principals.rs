//! Who stands behind the principal of an assignment or policy: itself, or the members of the group.
//!
//! Members are read as transitive lists, so a nested group is one hop; where its own list was read too, what that
//! list adds is followed. A group whose list is not whole stands for itself, beside the members that were read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Hop, Open};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Id, Need, PrincipalKind, Reach, Tenant};

/// A principal behind a holder.
pub(super) struct Reached {
    /// Lower-case object id.
    pub(super) id: String,
    /// The groups in between, from the holder on; empty when it is the holder itself.
    pub(super) through: Vec<Hop>,
    /// The memberships.
    pub(super) evidence: Vec<Cite>,
}

/// Everyone behind one holder.
pub(super) struct Holder {
    /// By id.
    pub(super) reached: Vec<Reached>,
    /// Why there may be more.
    pub(super) open: Option<Open>,
}

/// Every holder of an assignment or policy, worked out once.
pub(super) struct Principals {
    holders: BTreeMap<String, Holder>,
}

impl Principals {
    pub(super) fn of(tenant: &Tenant) -> Principals {
        let mut types: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for assignment in &tenant.role_assignments {
            let told = types.entry(&assignment.principal_id).or_default();
            *told = told.or(assignment.principal_type.as_deref());
        }
        let policies = tenant.vaults.iter().flat_map(|vault| &vault.access_policies);
        let denied = tenant.deny_assignments.iter();
        let denied = denied.flat_map(|deny| deny.principals.iter().chain(&deny.exclude_principals));
        for id in policies.map(|policy| &policy.object_id).chain(denied) {
            types.entry(id).or_default();
        }
        let holders = types.into_iter().map(|(id, told)| (id.to_owned(), holder(tenant, id, told))).collect();
        Principals { holders }
    }

    /// Everyone behind the principal with this lower-case object id.
    pub(super) fn behind(&self, id: &str) -> &[Reached] {
        self.holders.get(id).map(|holder| holder.reached.as_slice()).unwrap_or_default()
    }

    /// Why there may be more behind it.
    pub(super) fn open(&self, id: &str) -> Option<&Open> {
        self.holders.get(id)?.open.as_ref()
    }
}

fn holder(tenant: &Tenant, id: &str, told: Option<&str>) -> Holder {
    if !may_be_group(tenant, id, told) {
        return Holder { reached: vec![itself(id)], open: None };
    }
    let open = open(tenant, id);
    let mut reached = members(tenant, id);
    if open.is_some() {
        reached.push(itself(id));
    }
    reached.sort_by(|a, b| a.id.cmp(&b.id));
    Holder { reached, open }
}

fn itself(id: &str) -> Reached {
    Reached { id: id.to_owned(), through: Vec::new(), evidence: Vec::new() }
}

/// The directory decides; where it was not heard, an assignment's `principalType` is only taken for a group, or
/// for something that is not one, when it says so.
fn may_be_group(tenant: &Tenant, id: &str, told: Option<&str>) -> bool {
    if tenant.members.contains_key(id) {
        return true;
    }
    match tenant.principal(id).map(|principal| &principal.kind) {
        Some(PrincipalKind::Group) => return true,
        // It is there, and of no type that is known here: no better than not heard of.
        Some(PrincipalKind::Other(_)) | None => {}
        Some(_) => return false,
    }
    let is = |names: &[&str]| told.is_some_and(|told| names.iter().any(|name| told.eq_ignore_ascii_case(name)));
    if tenant.resolved_ids.contains_key(id) && tenant.principal(id).is_none() {
        // The directory was asked and does not know it. A group of another tenant is still a group.
        return is(&["ForeignGroup"]);
    }
    !is(&["User", "ServicePrincipal", "Device"])
}

/// Why the members of what may be a group are not all known.
fn open(tenant: &Tenant, id: &str) -> Option<Open> {
    let known = tenant.principal(id);
    let is_group = known.is_some_and(|principal| principal.kind == PrincipalKind::Group);
    if !is_group && !tenant.members.contains_key(id) {
        let detail = format!("`{id}` may be a group; the directory did not tell");
        let from = known.map(|principal| principal.from.clone());
        return Some(Open { reason: Reason::PrincipalUnresolved, detail, from });
    }
    let need = Need { kind: Kind::GroupMembers, reach: Reach::Own };
    let missing = tenant.coverage.missing(need, &Id::new(format!("group:{id}"))).into_iter().next()?;
    let name = tenant.principal_name(id);
    let detail = format!("the members of group `{name}` were not read whole: {}", missing.detail);
    let from = missing.from.or_else(|| known.map(|group| group.from.clone()));
    Some(Open { reason: missing.reason, detail, from })
}

/// Members that are not groups, each by the shortest way.
fn members(tenant: &Tenant, id: &str) -> Vec<Reached> {
    let hop = |id: &str| Hop { group_id: id.to_owned(), name: tenant.principal_name(id) };
    let mut found: BTreeMap<&str, Reached> = BTreeMap::new();
    let mut seen: BTreeSet<&str> = BTreeSet::from([id]);
    let mut queue: VecDeque<(&str, Vec<Hop>, Vec<Cite>)> = VecDeque::from([(id, vec![hop(id)], Vec::new())]);
    while let Some((group, through, evidence)) = queue.pop_front() {
        for member in tenant.members.get(group).into_iter().flatten() {
            let with_member = || evidence.iter().chain([&member.from]).cloned().collect::<Vec<Cite>>();
            let typed = member.odata_type.as_deref().is_some_and(|kind| kind.to_lowercase().ends_with(".group"));
            let known = tenant.principal(&member.id).is_some_and(|principal| principal.kind == PrincipalKind::Group);
            if typed || known || tenant.members.contains_key(&member.id) {
                if seen.insert(&member.id) {
                    let further = through.iter().cloned().chain([hop(&member.id)]).collect();
                    queue.push_back((&member.id, further, with_member()));
                }
            } else if !found.contains_key(member.id.as_str()) {
                let reached = Reached { id: member.id.clone(), through: through.clone(), evidence: with_member() };
                found.insert(&member.id, reached);
            }
        }
    }
    found.into_values().collect()
}
