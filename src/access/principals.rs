//! Who stands behind the principal of an assignment or policy: itself, or the members of the group.
//!
//! Members are read as transitive lists, so a nested group is one hop; where its own list was read too, what that
//! list adds is followed. A group whose list is not whole stands for itself, beside the members that were read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::{Activation, Hop, Membership, Open};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Id, Need, PrincipalKind, Reach, Tenant};

/// A principal, as its place in the sorted list of all that are named anywhere.
pub(super) type Who = u32;

/// A principal behind a holder.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    /// Who it is.
    pub(super) who: Who,
    /// The groups in between, from the holder on; empty when it is the holder itself.
    pub(super) through: Arc<[Hop]>,
    /// The memberships.
    pub(super) evidence: Arc<[Cite]>,
    /// The membership that must be activated first, if one must.
    pub(super) activation: Option<Arc<Activation>>,
}

/// Everyone behind one holder.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    /// Lower-case object id.
    pub(super) id: Arc<str>,
    /// In order of id.
    pub(super) reached: Vec<Reached>,
    /// Why there may be more.
    pub(super) open: Option<Arc<Open>>,
}

impl Holder {
    /// One of another directory, whose groups cannot be expanded here.
    pub(super) fn alone(id: Arc<str>, who: Who) -> Holder {
        Holder { id, reached: vec![itself(who)], open: None }
    }

    /// The ways by which it holds for one principal, which is a member or can become one, and the place of the first.
    pub(super) fn reaching(&self, who: Who) -> (usize, &[Reached]) {
        let start = self.reached.partition_point(|reached| reached.who < who);
        let end = self.reached.partition_point(|reached| reached.who <= who);
        (start, self.reached.get(start..end).unwrap_or_default())
    }
}

/// Every holder of an assignment or policy, worked out once.
#[derive(Clone, Debug, Default)]
pub(super) struct Principals {
    ids: Vec<Arc<str>>,
    /// What each is, in the words of a role assignment, where the directory tells.
    types: Vec<Option<&'static str>>,
    holders: BTreeMap<Who, Arc<Holder>>,
    /// The holders that each principal is behind.
    of: BTreeMap<Who, Vec<Who>>,
}

impl Principals {
    pub(super) fn of(tenant: &Tenant) -> Principals {
        let told = told_types(tenant);
        let mut ids: Vec<&str> = told.keys().copied().collect();
        ids.extend(tenant.members.values().flatten().map(|member| member.id.as_str()));
        let authorization = &tenant.authorization;
        let delegates = authorization.delegations.iter().flat_map(|one| one.authorizations.iter().chain(&one.eligible));
        ids.extend(delegates.map(|delegate| delegate.principal_id.as_str()));
        ids.extend(authorization.classic_administrators.iter().map(|administrator| administrator.id.key()));
        ids.sort_unstable();
        ids.dedup();
        let ids: Vec<Arc<str>> = ids.into_iter().map(Arc::from).collect();
        let types = ids.iter().map(|id| type_of(tenant, id)).collect();
        let mut principals = Principals { ids, types, ..Principals::default() };
        for (id, told) in told {
            let holder = principals.expand(tenant, id, told);
            let Some(who) = principals.find(id) else { continue };
            for reached in &holder.reached {
                let of = principals.of.entry(reached.who).or_default();
                if of.last() != Some(&who) {
                    of.push(who);
                }
            }
            principals.holders.insert(who, Arc::new(holder));
        }
        principals
    }

    /// The principal with this lower-case object id, if anything names it.
    pub(super) fn find(&self, id: &str) -> Option<Who> {
        let place = self.ids.binary_search_by(|known| (**known).cmp(id)).ok()?;
        u32::try_from(place).ok()
    }

    /// Its lower-case object id.
    pub(super) fn id(&self, who: Who) -> Arc<str> {
        usize::try_from(who).ok().and_then(|place| self.ids.get(place)).cloned().unwrap_or_else(|| Arc::from(""))
    }

    /// What it is: `User`, `Group`, `ServicePrincipal`; none where the directory does not tell.
    pub(super) fn type_of(&self, who: Who) -> Option<&'static str> {
        usize::try_from(who).ok().and_then(|place| self.types.get(place)).copied().flatten()
    }

    /// Everyone behind the principal with this lower-case object id.
    pub(super) fn holder(&self, id: &str) -> Option<&Arc<Holder>> {
        self.holders.get(&self.find(id)?)
    }

    /// The holders that a principal is behind, itself among them, in order of id.
    pub(super) fn holders_of(&self, who: Who) -> impl Iterator<Item = &Arc<Holder>> {
        self.of.get(&who).into_iter().flatten().filter_map(|holder| self.holders.get(holder))
    }

    fn expand(&self, tenant: &Tenant, id: &str, told: Option<&str>) -> Holder {
        let own = self.find(id).unwrap_or_default();
        let shared: Arc<str> = self.id(own);
        if !may_be_group(tenant, id, told) {
            return Holder { id: shared, reached: vec![itself(own)], open: None };
        }
        let open = open(tenant, id);
        let mut reached = self.members(tenant, id);
        if open.is_some() {
            reached.push(itself(own));
        }
        reached.sort_by_key(|reached| reached.who);
        Holder { id: shared, reached, open: open.map(Arc::new) }
    }

    /// Members that are not groups, each by the shortest way.
    fn members(&self, tenant: &Tenant, id: &str) -> Vec<Reached> {
        let hop = |id: &str| Hop { group_id: id.to_owned(), name: name(tenant, id), by: Membership::Member };
        let mut found: BTreeMap<Who, Reached> = BTreeMap::new();
        let mut seen: BTreeSet<&str> = BTreeSet::from([id]);
        type Way = (Arc<[Hop]>, Vec<Cite>);
        let mut queue: VecDeque<(&str, Way)> = VecDeque::from([(id, (Arc::from([hop(id)]), Vec::new()))]);
        while let Some((group, (through, evidence))) = queue.pop_front() {
            for member in tenant.members.get(group).into_iter().flatten() {
                let with_member = || evidence.iter().chain([&member.from]).cloned();
                if is_group(tenant, &member.id, member.odata_type.as_deref()) {
                    if seen.insert(&member.id) {
                        let further: Arc<[Hop]> = through.iter().cloned().chain([hop(&member.id)]).collect();
                        queue.push_back((&member.id, (further, with_member().collect())));
                    }
                } else if let Some(who) = self.find(&member.id) {
                    found.entry(who).or_insert_with(|| Reached {
                        who,
                        through: through.clone(),
                        evidence: with_member().collect(),
                        activation: None,
                    });
                }
            }
        }
        found.into_values().collect()
    }
}

fn itself(who: Who) -> Reached {
    Reached { who, through: Arc::from([]), evidence: Arc::from([]), activation: None }
}

fn type_of(tenant: &Tenant, id: &str) -> Option<&'static str> {
    match &tenant.principals.get(id)?.kind {
        PrincipalKind::User => Some("User"),
        PrincipalKind::Group => Some("Group"),
        PrincipalKind::ManagedIdentity | PrincipalKind::ServicePrincipal => Some("ServicePrincipal"),
        PrincipalKind::Other(_) => None,
    }
}

/// Name of a principal whose id is in lower case already.
fn name(tenant: &Tenant, id: &str) -> String {
    tenant.principals.get(id).map_or_else(|| id.to_owned(), |principal| principal.name.clone())
}

/// Whether a member of a group is a group itself.
fn is_group(tenant: &Tenant, id: &str, odata_type: Option<&str>) -> bool {
    odata_type.is_some_and(|kind| kind.to_ascii_lowercase().ends_with(".group"))
        || tenant.members.contains_key(id)
        || tenant.principals.get(id).is_some_and(|principal| principal.kind == PrincipalKind::Group)
}

/// Every holder, with what an assignment says of its type.
fn told_types(tenant: &Tenant) -> BTreeMap<&str, Option<&str>> {
    let mut types: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for assignment in &tenant.role_assignments {
        let told = types.entry(&assignment.principal_id).or_default();
        *told = told.or(assignment.principal_type.as_deref());
    }
    for schedule in &tenant.authorization.eligible {
        let told = types.entry(&schedule.principal_id).or_default();
        *told = told.or(schedule.principal_type.as_deref());
    }
    let policies = tenant.vaults.iter().flat_map(|vault| &vault.access_policies);
    let denied = tenant.deny_assignments.iter();
    let denied = denied.flat_map(|deny| deny.principals.iter().chain(&deny.exclude_principals));
    let eligible = tenant.directory.group_eligibilities.iter().map(|grant| &grant.principal_id);
    for id in policies.map(|policy| &policy.object_id).chain(denied).chain(eligible) {
        types.entry(id).or_default();
    }
    types
}

/// The directory decides; where it was not heard, an assignment's `principalType` is only taken for a group, or
/// for something that is not one, when it says so.
fn may_be_group(tenant: &Tenant, id: &str, told: Option<&str>) -> bool {
    if tenant.members.contains_key(id) {
        return true;
    }
    match tenant.principals.get(id).map(|principal| &principal.kind) {
        Some(PrincipalKind::Group) => return true,
        // It is there, and of no type that is known here: no better than not heard of.
        Some(PrincipalKind::Other(_)) | None => {}
        Some(_) => return false,
    }
    let is = |names: &[&str]| told.is_some_and(|told| names.iter().any(|name| told.eq_ignore_ascii_case(name)));
    if tenant.resolved_ids.contains_key(id) && !tenant.principals.contains_key(id) {
        // The directory was asked and does not know it. A group of another tenant is still a group.
        return is(&["ForeignGroup"]);
    }
    !is(&["User", "ServicePrincipal", "Device"])
}

/// Why the members of what may be a group are not all known.
fn open(tenant: &Tenant, id: &str) -> Option<Open> {
    let known = tenant.principals.get(id);
    let is_group = known.is_some_and(|principal| principal.kind == PrincipalKind::Group);
    if !is_group && !tenant.members.contains_key(id) {
        let detail = format!("`{id}` may be a group; the directory did not tell");
        let from = known.map(|principal| principal.from.clone());
        return Some(Open { reason: Reason::PrincipalUnresolved, detail, from });
    }
    let need = Need { kind: Kind::GroupMembers, reach: Reach::Own };
    let missing = tenant.coverage.missing(need, &Id::new(format!("group:{id}"))).into_iter().next()?;
    let detail = format!("the members of group `{}` were not read whole: {}", name(tenant, id), missing.detail);
    let from = missing.from.or_else(|| known.map(|group| group.from.clone()));
    Some(Open { reason: missing.reason, detail, from })
}
