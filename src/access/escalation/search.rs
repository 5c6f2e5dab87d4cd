//! The best way from each principal to a goal: backwards from the vault, by the number of steps.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::rc::Rc;

use super::directory::Directory;
use super::identities::Identities;
use super::rights::Rights;
use super::{Certainty, Edge, Goal, Route, Target, vaults};
use crate::access::{Access, Gap, Unread, gaps};
use crate::evidence::Kind;
use crate::model::{Tenant, Vault};

/// Lists without which a way may be missed.
const LISTS: &[(Kind, Unread)] = &[
    (Kind::Applications, Unread::Directory),
    (Kind::ApplicationOwners, Unread::Directory),
    (Kind::ServicePrincipals, Unread::Directory),
    (Kind::ServicePrincipalOwners, Unread::Directory),
    (Kind::GraphAppRoles, Unread::Directory),
    (Kind::GraphAppRoleAssignments, Unread::Directory),
    (Kind::DirectoryRoleDefinitions, Unread::Directory),
    (Kind::DirectoryRoleAssignments, Unread::Directory),
    (Kind::DirectoryRoleEligibilities, Unread::Directory),
    (Kind::GroupMembers, Unread::Directory),
    (Kind::GroupOwners, Unread::Directory),
    (Kind::GroupEligibilities, Unread::Directory),
    (Kind::Resources, Unread::Hosts),
    (Kind::UserAssignedIdentities, Unread::Hosts),
    (Kind::FederatedCredentials, Unread::Hosts),
    (Kind::ManagedClusters, Unread::Hosts),
];

/// Ways to the content of vaults in one tenant.
pub struct Escalation<'a> {
    access: &'a Access,
    rights: Rights<'a>,
    identities: Identities<'a>,
    directory: Directory<'a>,
    /// Edges to principals, worked out when first needed.
    edges: RefCell<BTreeMap<String, Rc<[Edge]>>>,
}

impl<'a> Escalation<'a> {
    /// Prepares the search; `access` is that of the same tenant.
    pub fn of(tenant: &'a Tenant, access: &'a Access) -> Escalation<'a> {
        let rights = Rights::of(tenant);
        let identities = Identities::of(tenant, &rights);
        Escalation { access, rights, identities, directory: Directory::of(tenant), edges: RefCell::default() }
    }

    /// For everyone who has a way to the goal, the surest and of those the shortest, by object id.
    pub fn to(&self, vault: &Vault, goal: Goal) -> BTreeMap<String, Route> {
        let last: Vec<Edge> = vaults::edges(&self.rights, self.access, vault, goal);
        let mut routes = BTreeMap::new();
        for limit in [Certainty::Certain, Certainty::Possible, Certainty::Unconfirmed] {
            for (principal, edges) in self.search(&last, limit) {
                routes.entry(principal).or_insert_with_key(|principal| route(principal, edges));
            }
        }
        routes
    }

    /// What was not read, so that there may be ways that are not found: what the vault's own answers lack, and lists
    /// that ways begin at or lead through.
    pub fn gaps(&self, vault: &Vault) -> Vec<Gap> {
        let mut gaps = self.access.gaps(&vault.id);
        gaps.extend(gaps::of_lists(self.rights.tenant, LISTS));
        gaps
    }

    /// The way of one principal.
    pub fn path(&self, principal_id: &str, vault: &Vault, goal: Goal) -> Option<Route> {
        self.to(vault, goal).remove(&principal_id.to_lowercase())
    }

    /// Shortest ways with no step less sure than `limit`.
    fn search(&self, last: &[Edge], limit: Certainty) -> BTreeMap<String, Vec<Edge>> {
        let mut search = Search { limit, next: BTreeMap::new(), queue: BinaryHeap::new() };
        last.iter().for_each(|edge| search.consider(0, edge));
        while let Some(Reverse((length, principal))) = search.queue.pop() {
            if search.next.get(&principal).is_some_and(|(known, _)| *known < length) {
                continue; // a shorter way was found since
            }
            self.edges_to(&principal).iter().for_each(|edge| search.consider(length, edge));
        }
        search.next.keys().map(|principal| (principal.clone(), follow(&search.next, principal))).collect()
    }

    fn edges_to(&self, principal: &str) -> Rc<[Edge]> {
        if let Some(known) = self.edges.borrow().get(principal) {
            return known.clone();
        }
        let mut edges = self.directory.edges(principal);
        edges.extend(self.identities.edges(&self.rights, principal));
        let edges: Rc<[Edge]> = edges.into();
        self.edges.borrow_mut().insert(principal.to_owned(), edges.clone());
        edges
    }
}

/// Shortest ways as far as they are known: for each principal its length and first edge.
struct Search {
    limit: Certainty,
    next: BTreeMap<String, (u32, Edge)>,
    queue: BinaryHeap<Reverse<(u32, String)>>,
}

impl Search {
    /// An edge to someone whose own way has this length.
    fn consider(&mut self, length: u32, edge: &Edge) {
        let length = length + edge.length();
        if edge.certainty <= self.limit && self.next.get(&edge.from).is_none_or(|(known, _)| length < *known) {
            self.next.insert(edge.from.clone(), (length, edge.clone()));
            self.queue.push(Reverse((length, edge.from.clone())));
        }
    }
}

/// The edges from a principal on. Lengths shrink along them, or stay along memberships, each of which leads to
/// someone that was settled before; a loop would be a defect, and ends here.
fn follow(next: &BTreeMap<String, (u32, Edge)>, principal: &str) -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    let mut at = principal.to_owned();
    while let Some((_, edge)) = next.get(&at) {
        edges.push(edge.clone());
        match &edge.to {
            Target::Principal(id) if edges.len() <= next.len() => at.clone_from(id),
            _ => break,
        }
    }
    edges
}

fn route(principal: &str, edges: Vec<Edge>) -> Route {
    Route {
        principal_id: principal.to_owned(),
        certainty: edges.iter().map(|edge| edge.certainty).max().unwrap_or(Certainty::Certain),
        length: edges.iter().map(Edge::length).sum(),
        edges,
    }
}
