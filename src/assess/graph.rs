//! Who can read secrets as a graph: identity → group → role or policy → scope → vault. As much as a person can read;
//! the report's table has the rest.

use std::collections::BTreeMap;

use crate::access::{Access, Answer, Capability, Path, Via};
use crate::model::{Id, Tenant, Vault};

/// Most paths that are drawn: beyond that, lines cannot be told apart.
const MOST_PATHS: usize = 32;

/// Columns of the graph, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Who.
    Principal,
    /// The group through which it comes.
    Group,
    /// What gives it.
    Grant,
    /// Where that is given.
    Scope,
    /// The vault, or the object in it that alone is granted.
    Object,
}

/// One box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its column.
    pub column: Column,
    /// What it says.
    pub label: String,
    /// What kind of thing it is; empty where the column says it.
    pub kind: String,
}

/// One line, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Place of a node.
    pub from: usize,
    /// Place of a node further right.
    pub to: usize,
    /// Whether a path along it is allowed as it is; else one waits for something, or is not settled.
    pub is_allowed: bool,
}

/// The graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessGraph {
    /// Boxes, by column and then in the order in which they were met.
    pub nodes: Vec<Node>,
    /// Lines, each once.
    pub edges: Vec<Edge>,
    /// Paths that are drawn.
    pub drawn: usize,
    /// Whether there are more than are drawn.
    pub is_cut: bool,
}

/// The graph of reading secret values, vault by vault in order of name. A vault with more paths than fit is left to the
/// table, unless nothing else would be drawn.
pub(super) fn graph(tenant: &Tenant, access: &Access) -> AccessGraph {
    let mut vaults: Vec<&Vault> = tenant.vaults.iter().collect();
    vaults.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    let mut drawing = Drawing::default();
    let mut is_cut = false;
    for vault in vaults {
        if drawing.drawn >= MOST_PATHS {
            is_cut = true;
            break;
        }
        let grants = access.can(&vault.id, Capability::ReadSecret);
        let paths: Vec<(&str, &Id, &Path)> = grants
            .iter()
            .flat_map(|grant| grant.paths.iter().map(move |path| (&*grant.principal_id, &grant.object, &**path)))
            .filter(|(_, _, path)| path.answer != Answer::Denied)
            .collect();
        let room = MOST_PATHS - drawing.drawn;
        let fits = paths.len() <= room;
        is_cut |= !fits;
        if fits || drawing.drawn == 0 {
            paths.into_iter().take(room).for_each(|(who, object, path)| drawing.draw(tenant, who, object, path));
        }
    }
    drawing.finish(is_cut)
}

/// What a node stands for in its column.
type Place = (Column, String);

/// Nodes by column and what they stand for; the values are the order in which they were met.
#[derive(Default)]
struct Drawing {
    nodes: BTreeMap<Place, (usize, Node)>,
    edges: BTreeMap<(Place, Place), bool>,
    drawn: usize,
}

impl Drawing {
    fn draw(&mut self, tenant: &Tenant, who: &str, object: &Id, path: &Path) {
        self.drawn += 1;
        let is_allowed = path.answer == Answer::Allowed;
        let mut at = self.node(Column::Principal, who, &tenant.principal_name(who), &tenant.principal_kind(who));
        if !path.through.is_empty() {
            let names: Vec<&str> = path.through.iter().map(|hop| hop.name.as_str()).collect();
            let key: Vec<&str> = path.through.iter().map(|hop| hop.group_id.as_str()).collect();
            let next = self.node(Column::Group, &key.join(" "), &names.join(" → "), "group");
            self.edge(&mut at, next, is_allowed);
        }
        let next = self.node(
            Column::Grant,
            &format!("{} {}", label(&path.via), path.scope.key()),
            &label(&path.via),
            kind(&path.via),
        );
        self.edge(&mut at, next, is_allowed);
        let scope_name = if path.scope.key() == "/" { "/ (the whole tenant)" } else { path.scope.name() };
        if path.scope != *object {
            let next = self.node(Column::Scope, path.scope.key(), scope_name, level(&path.scope));
            self.edge(&mut at, next, is_allowed);
        }
        let next = self.node(Column::Object, object.key(), object.name(), level(object));
        self.edge(&mut at, next, is_allowed);
    }

    fn node(&mut self, column: Column, key: &str, label: &str, kind: &str) -> Place {
        let place = (column, key.to_owned());
        let order = self.nodes.len();
        let node = || Node { column, label: label.to_owned(), kind: kind.to_owned() };
        self.nodes.entry(place.clone()).or_insert_with(|| (order, node()));
        place
    }

    /// A line from `at` to `next`, which is the new `at`. Of several paths along it the best is drawn.
    fn edge(&mut self, at: &mut Place, next: Place, is_allowed: bool) {
        *self.edges.entry((at.clone(), next.clone())).or_default() |= is_allowed;
        *at = next;
    }

    fn finish(self, is_cut: bool) -> AccessGraph {
        let mut ordered: Vec<(&Place, &(usize, Node))> = self.nodes.iter().collect();
        ordered.sort_by_key(|((column, _), (order, _))| (*column, *order));
        let places: BTreeMap<&Place, usize> =
            ordered.iter().enumerate().map(|(place, (key, _))| (*key, place)).collect();
        let edge = |((from, to), is_allowed): (&(Place, Place), &bool)| {
            Some(Edge { from: *places.get(from)?, to: *places.get(to)?, is_allowed: *is_allowed })
        };
        let mut edges: Vec<Edge> = self.edges.iter().filter_map(edge).collect();
        edges.sort();
        let nodes = ordered.into_iter().map(|(_, (_, node))| node.clone()).collect();
        AccessGraph { nodes, edges, drawn: self.drawn, is_cut }
    }
}

fn label(via: &Via) -> String {
    match via {
        Via::Role { role_name, .. } | Via::EligibleRole { role_name, .. } | Via::Lighthouse { role_name, .. } => {
            role_name.to_string()
        }
        Via::Policy { .. } => "access policy".to_owned(),
        Via::Classic { .. } => "classic administrator".to_owned(),
    }
}

fn kind(via: &Via) -> &'static str {
    match via {
        Via::Role { .. } => "role",
        Via::EligibleRole { .. } => "eligible role",
        Via::Lighthouse { .. } => "delegated role",
        Via::Policy { application_id: Some(_) } => "for an application on its behalf",
        Via::Policy { .. } | Via::Classic { .. } => "",
    }
}

/// What kind of scope an id is.
fn level(id: &Id) -> &'static str {
    let key = id.key();
    let parts = key.split('/').count();
    match key {
        "/" => "",
        _ if key.starts_with("/providers/microsoft.management/") => "management group",
        _ if parts == 3 => "subscription",
        _ if parts == 5 => "resource group",
        _ if key.contains("/secrets/") => "secret",
        _ if key.contains("/vaults/") => "vault",
        _ => "resource",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing::{SUB, Small, get_secret, vault_id};
    use crate::model;

    fn labels(graph: &AccessGraph, column: Column) -> Vec<&str> {
        graph.nodes.iter().filter(|node| node.column == column).map(|node| node.label.as_str()).collect()
    }

    fn drawn(small: Small) -> AccessGraph {
        let tenant = model::read(&small.answers().build()).expect("a tenant");
        graph(&tenant, &Access::of(&tenant))
    }

    #[test]
    fn a_member_of_a_group_with_a_role_on_the_subscription_is_five_boxes_and_four_lines() {
        let small = get_secret().assign("reads", "g1", SUB).group("g1", &["u1"]);
        let graph = drawn(small);
        let by_column: Vec<usize> = [Column::Principal, Column::Group, Column::Grant, Column::Scope, Column::Object]
            .map(|column| labels(&graph, column).len())
            .to_vec();
        assert_eq!(by_column, [1, 1, 1, 1, 1], "{graph:#?}");
        assert_eq!(labels(&graph, Column::Object), ["kv1"]);
        let lines: Vec<(usize, usize)> = graph.edges.iter().map(|edge| (edge.from, edge.to)).collect();
        assert_eq!(lines, [(0, 1), (1, 2), (2, 3), (3, 4)]);
        assert!(graph.edges.iter().all(|edge| edge.is_allowed) && !graph.is_cut);
    }

    #[test]
    fn a_role_on_the_vault_itself_needs_no_box_for_the_scope() {
        let small = get_secret().assign("reads", "u1", &vault_id("kv1"));
        let graph = drawn(small);
        assert_eq!(labels(&graph, Column::Scope), Vec::<&str>::new());
        assert_eq!((graph.nodes.len(), graph.edges.len(), graph.drawn), (3, 2, 1));
    }

    #[test]
    fn more_paths_than_a_person_can_read_are_cut_and_it_is_said() {
        let who: Vec<&'static str> = (0..40).map(|n| &*format!("u{n}").leak()).collect();
        let small = who.iter().fold(get_secret(), |small, who| small.assign("reads", who, SUB));
        let graph = drawn(small);
        assert_eq!((graph.drawn, graph.is_cut), (MOST_PATHS, true));
    }

    #[test]
    fn nobody_who_can_read_is_an_empty_graph() {
        assert_eq!(drawn(get_secret()), AccessGraph::default());
    }
}
