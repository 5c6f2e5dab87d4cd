//! Two lists of the same things, held against each other line by line.
//!
//! The resource manager and Resource Graph list the same things in different ways: one asks each provider, the other
//! is an index that is filled behind it. A thing that only one of them names is a difference. It is explained, or it
//! stays unexplained; it is never dropped.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Id, Missing, Need, Reach, Tenant};
use crate::evidence::{Cite, Kind};

/// The index lags behind a change by seconds to minutes (learn:azure/governance/resource-graph/overview says near
/// real time, and no figure). What changed this shortly before the collection need not be in both lists.
const LAG: TimeDelta = TimeDelta::minutes(15);

/// Types that both lists are known to hold where they may be read, lower case. That one of them holds none of a type
/// explains nothing here.
const IN_BOTH: &[&str] = &[
    "microsoft.app/containerapps",
    "microsoft.automation/automationaccounts",
    "microsoft.compute/virtualmachines",
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.containerinstance/containergroups",
    "microsoft.containerservice/managedclusters",
    "microsoft.databricks/accessconnectors",
    "microsoft.datafactory/factories",
    "microsoft.hybridcompute/machines",
    "microsoft.keyvault/vaults",
    "microsoft.logic/workflows",
    "microsoft.managedidentity/userassignedidentities",
    "microsoft.synapse/workspaces",
    "microsoft.web/sites",
];

/// What two lists say of one sort of things.
#[derive(Clone, Debug)]
pub struct Reconciliation {
    /// The things, plural.
    pub what: &'static str,
    /// How many the resource manager names.
    pub in_manager: usize,
    /// How many Resource Graph names.
    pub in_graph: usize,
    /// How many both name.
    pub in_both: usize,
    /// Those that one of them names, in order of id.
    pub differences: Vec<Difference>,
    /// Why Resource Graph's list is not whole. What it does not name is then no difference.
    pub open: Vec<Missing>,
    /// The records of Resource Graph.
    pub from: Vec<Cite>,
}

/// One thing that only one list names.
#[derive(Clone, Debug)]
pub struct Difference {
    /// ARM id.
    pub id: Id,
    /// The list that names it.
    pub only_in: List,
    /// Why it is not in the other.
    pub why: Why,
    /// Where it was read.
    pub from: Cite,
}

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// The resource manager's lists, provider by provider.
    Manager,
    /// Resource Graph.
    Graph,
}

impl List {
    /// The list in words.
    pub fn words(self) -> &'static str {
        match self {
            List::Manager => "the resource manager",
            List::Graph => "Resource Graph",
        }
    }
}

/// Why a thing is in one list only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was made or deleted at this time, minutes before the collection: the index lags.
    Lag(DateTime<Utc>),
    /// It is assigned at this place above, whose own list was not read.
    Inherited(Id),
    /// It is assigned at a management group that is above none of the subscriptions asked in.
    Elsewhere(Id),
    /// The other list holds nothing of this type: it may not be visible there.
    TypeNotVisible(String),
    /// The other list was not read to its end there.
    NotRead(Box<Missing>),
    /// Nothing explains it.
    Unexplained,
}

impl Why {
    /// Whether something explains it.
    pub fn is_explained(&self) -> bool {
        *self != Why::Unexplained
    }

    /// The explanation as a clause, for a reader.
    pub fn words(&self) -> String {
        match self {
            Why::Lag(at) => format!(
                "it was made or deleted at {}, minutes before the collection, and the index lags behind",
                at.format("%Y-%m-%dT%H:%M:%SZ")
            ),
            Why::Inherited(scope) => {
                format!("it is inherited from `{}`, whose own list was not read", scope.shown())
            }
            Why::Elsewhere(scope) => {
                format!("it holds at `{}`, which is above none of the subscriptions asked in", scope.shown())
            }
            Why::TypeNotVisible(name) => {
                format!("the other list holds nothing of the type `{name}`, which may not be visible there")
            }
            Why::NotRead(missing) => {
                format!("the other list of {} was not read at `{}`", missing.kind.words(), missing.scope)
            }
            Why::Unexplained => "unexplained".to_owned(),
        }
    }
}

impl Reconciliation {
    /// Differences that nothing explains.
    pub fn unexplained(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|difference| !difference.why.is_explained())
    }

    /// The difference about one thing.
    pub fn about(&self, id: &Id) -> Option<&Difference> {
        self.differences.iter().find(|difference| difference.id == *id)
    }
}

/// One thing in a list.
struct Line<'a> {
    resource_type: Option<&'a str>,
    /// When it was made, where that is told.
    made: Option<DateTime<Utc>>,
    from: &'a Cite,
}

type Lines<'a> = BTreeMap<&'a Id, Line<'a>>;

/// Why a list does not hold a thing that it may not have been read for.
type Unread<'a> = &'a dyn Fn(&Id) -> Option<Why>;

impl Tenant {
    /// Vaults, identities and role assignments by both lists.
    pub fn reconciliations(&self) -> Vec<Reconciliation> {
        vec![self.vaults_by_both(), self.identities_by_both(), self.assignments_by_both()]
    }

    /// Key Vault's own lists, against Resource Graph.
    pub fn vaults_by_both(&self) -> Reconciliation {
        let manager = self.vaults.iter().map(|vault| {
            let made = vault.created_at;
            (&vault.id, Line { resource_type: None, made, from: &vault.from })
        });
        let graph = self.resource_graph.vaults.iter().map(|vault| {
            let made = self.deleted_at(&vault.id);
            (&vault.id, Line { resource_type: None, made, from: &vault.from })
        });
        let unread = |id: &Id| self.unread(&[Kind::Vaults, Kind::DeletedVaults], id);
        self.compare("vaults", Kind::ResourceGraphVaults, &unread, &manager.collect(), &graph.collect())
    }

    /// Resources with an identity and user-assigned identities, against Resource Graph.
    pub fn identities_by_both(&self) -> Reconciliation {
        let hosts = self.resources.iter().filter(|resource| resource.identity.is_some()).map(|resource| {
            let (resource_type, made) = (Some(resource.resource_type.as_str()), resource.created_at);
            (&resource.id, Line { resource_type, made, from: &resource.from })
        });
        let identities = self.user_assigned.iter().map(|identity| {
            let made = identity.created_at;
            (&identity.id, Line { resource_type: None, made, from: &identity.from })
        });
        let graph = self.resource_graph.identities.iter().map(|resource| {
            (&resource.id, Line { resource_type: Some(&resource.resource_type), made: None, from: &resource.from })
        });
        let lists = [Kind::Resources, Kind::VirtualMachines, Kind::UserAssignedIdentities];
        let unread = |id: &Id| self.unread(&lists, id);
        let manager = hosts.chain(identities).collect();
        self.compare(WITH_IDENTITY, Kind::ResourceGraphIdentities, &unread, &manager, &graph.collect())
    }

    /// Role assignments at, above and below the subscriptions, against Resource Graph.
    pub fn assignments_by_both(&self) -> Reconciliation {
        let manager = self.role_assignments.iter().map(|assignment| {
            (&assignment.id, Line { resource_type: None, made: assignment.created_on, from: &assignment.from })
        });
        let graph = self.resource_graph.assignments.iter().map(|assignment| {
            (&assignment.id, Line { resource_type: None, made: assignment.created_on, from: &assignment.from })
        });
        let unread = |id: &Id| {
            let scope = scope_of(id)?;
            let list =
                scope.subscription().map_or_else(|| scope.clone(), |guid| Id::new(format!("/subscriptions/{guid}")));
            let missing = self.coverage.missing_at(Kind::RoleAssignments, list.shown()).into_iter().next()?;
            Some(match scope.subscription() {
                Some(_) => Why::NotRead(Box::new(missing)),
                None => Why::Inherited(scope),
            })
        };
        let (manager, graph) = (manager.collect(), graph.collect());
        let mut found = self.compare(ASSIGNMENTS, Kind::ResourceGraphAssignments, &unread, &manager, &graph);
        let above: BTreeSet<Id> =
            self.subscriptions.iter().flat_map(|subscription| self.hierarchy.above(&subscription.id)).collect();
        for difference in found.differences.iter_mut().filter(|one| one.only_in == List::Manager) {
            let scope = scope_of(&difference.id).filter(|scope| scope.subscription().is_none() && scope.key() != "/");
            if let Some(scope) = scope.filter(|scope| !above.contains(scope)) {
                difference.why = Why::Elsewhere(scope);
            }
        }
        found
    }

    /// Why the resource manager's lists of these kinds say nothing about a thing.
    fn unread(&self, kinds: &[Kind], id: &Id) -> Option<Why> {
        let mut missing =
            kinds.iter().flat_map(|kind| self.coverage.missing(Need { kind: *kind, reach: Reach::Own }, id));
        missing.next().map(|missing| Why::NotRead(Box::new(missing)))
    }

    fn compare(
        &self,
        what: &'static str,
        of_graph: Kind,
        unread: Unread<'_>,
        manager: &Lines<'_>,
        graph: &Lines<'_>,
    ) -> Reconciliation {
        let open = self.coverage.missing_anywhere(of_graph);
        let mut differences = Vec::new();
        // What a list that is not whole lacks is no difference.
        if open.is_empty() {
            differences.extend(self.only(List::Manager, manager, graph, &|_| None));
        }
        differences.extend(self.only(List::Graph, graph, manager, unread));
        differences.sort_by(|a, b| (&a.id, a.only_in).cmp(&(&b.id, b.only_in)));
        Reconciliation {
            what,
            in_manager: manager.len(),
            in_graph: graph.len(),
            in_both: manager.keys().filter(|id| graph.contains_key(*id)).count(),
            differences,
            open,
            from: self.coverage.questions(of_graph).map(|asked| asked.from.clone()).collect(),
        }
    }

    /// What only one list names.
    fn only<'a>(
        &'a self,
        list: List,
        one: &'a Lines<'a>,
        other: &'a Lines<'a>,
        unread: Unread<'a>,
    ) -> impl Iterator<Item = Difference> + 'a {
        let others: BTreeSet<String> =
            other.values().filter_map(|line| line.resource_type).map(str::to_lowercase).collect();
        let is_visible = move |name: &str| {
            let name = name.to_lowercase();
            IN_BOTH.contains(&name.as_str()) || others.contains(&name)
        };
        one.iter().filter(|(id, _)| !other.contains_key(*id)).map(move |(id, line)| {
            let why = match (unread(id), line.made, line.resource_type) {
                (Some(why), ..) => why,
                (None, Some(at), _) if at >= self.collected_at - LAG => Why::Lag(at),
                (None, _, Some(name)) if !is_visible(name) => Why::TypeNotVisible(name.to_owned()),
                _ => Why::Unexplained,
            };
            Difference { id: (*id).clone(), only_in: list, why, from: line.from.clone() }
        })
    }

    /// When a vault was deleted last, where it still shows as deleted.
    fn deleted_at(&self, id: &Id) -> Option<DateTime<Utc>> {
        let deleted = self.deleted_vaults.iter().filter(|deleted| deleted.vault_id == *id);
        deleted.filter_map(|deleted| deleted.deleted_at).max()
    }
}

const WITH_IDENTITY: &str = "resources with an identity, and user-assigned identities";
const ASSIGNMENTS: &str = "role assignments";

/// The place at which an assignment holds, from its id.
fn scope_of(assignment: &Id) -> Option<Id> {
    let (scope, _) = assignment.shown().rsplit_once("/providers/")?;
    Some(Id::new(if scope.is_empty() { "/" } else { scope }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::evidence::Reason;
    use crate::evidence::testing::{CaptureBuilder, TENANT};
    use crate::model;

    const SUB: &str = "/subscriptions/22222222-2222-2222-2222-222222222222";
    const ABOVE: &str = "/providers/Microsoft.Management/managementGroups/11111111-1111-1111-1111-111111111111";
    const BESIDE: &str = "/providers/Microsoft.Management/managementGroups/beside";

    fn list(items: impl IntoIterator<Item = Value>) -> Value {
        json!({"value": items.into_iter().collect::<Vec<Value>>()})
    }

    fn index(items: impl IntoIterator<Item = Value>) -> Value {
        let items: Vec<Value> = items.into_iter().collect();
        json!({"totalRecords": items.len(), "count": items.len(), "resultTruncated": "false", "data": items})
    }

    /// One subscription below the root group; collected on 2026-10-02 at 09:00.
    fn base() -> CaptureBuilder {
        CaptureBuilder::default()
            .answer(Kind::Subscriptions, "tenant", list([json!({"id": SUB, "displayName": "Production"})]))
            .answer(
                Kind::ManagementGroups,
                "tenant",
                list([json!({"id": ABOVE, "name": TENANT, "properties": {"displayName": "Root"}})]),
            )
            .answer(
                Kind::ManagementGroupDescendants,
                ABOVE,
                list([json!({"id": SUB, "type": "/subscriptions", "properties": {"parent": {"id": ABOVE}}})]),
            )
    }

    fn tenant(builder: CaptureBuilder) -> Tenant {
        model::read(&builder.build()).expect("a tenant")
    }

    fn assignment(scope: &str, name: &str, created: &str) -> Value {
        json!({"id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"), "name": name,
            "properties": {"scope": scope, "principalId": "p", "roleDefinitionId": "/r/x", "createdOn": created}})
    }

    fn in_index(scope: &str, name: &str, created: &str) -> Value {
        json!({"id": format!("{scope}/providers/microsoft.authorization/roleassignments/{}", name.to_uppercase()),
            "type": "microsoft.authorization/roleassignments", "scope": scope, "principalId": "P", "createdOn": created})
    }

    fn whys(lists: &Reconciliation) -> Vec<(List, String)> {
        let name = |one: &Difference| one.id.name().to_lowercase();
        lists.differences.iter().map(|one| (one.only_in, format!("{} {:?}", name(one), one.why))).collect()
    }

    const LONG_AGO: &str = "2026-01-01T00:00:00Z";

    #[test]
    fn assignments_compare_without_case_and_differences_are_explained_by_place_and_time() {
        let manager = [assignment(SUB, "both", LONG_AGO), assignment(SUB, "new", "2026-10-02T08:50:00Z")];
        let graph = [
            in_index(SUB, "both", LONG_AGO),
            in_index(ABOVE, "above", LONG_AGO),
            in_index(BESIDE, "unread", LONG_AGO),
            in_index(SUB, "odd", LONG_AGO),
        ];
        let found = tenant(
            base()
                .answer(Kind::RoleAssignments, SUB, list(manager))
                .answer(Kind::RoleAssignments, ABOVE, list([]))
                .answer(Kind::RoleAssignments, BESIDE, list([assignment(BESIDE, "elsewhere", LONG_AGO)]))
                .gap(Kind::RoleAssignments, "/", Reason::Forbidden)
                .answer(Kind::ResourceGraphAssignments, "subscriptions", index(graph)),
        );
        let lists = found.assignments_by_both();
        assert_eq!((lists.in_manager, lists.in_graph, lists.in_both), (3, 4, 1));
        let said: Vec<(List, String)> = whys(&lists);
        let is = |list: List, name: &str, why: &str| {
            said.iter().any(|(of, text)| *of == list && text.starts_with(&format!("{name} {why}")))
        };
        assert!(is(List::Manager, "new", "Lag"), "{said:?}");
        assert!(is(List::Manager, "elsewhere", "Elsewhere"), "{said:?}");
        assert!(is(List::Graph, "above", "Unexplained"), "its own list was read: {said:?}");
        assert!(is(List::Graph, "odd", "Unexplained"), "{said:?}");
        assert!(is(List::Graph, "unread", "Unexplained"), "the list at that group was read too: {said:?}");
        assert_eq!(lists.unexplained().count(), 3);
    }

    #[test]
    fn what_is_inherited_from_a_place_that_was_not_read_is_explained_by_that() {
        let found = tenant(
            base()
                .answer(Kind::RoleAssignments, SUB, list([]))
                .gap(Kind::RoleAssignments, ABOVE, Reason::Forbidden)
                .answer(
                    Kind::ResourceGraphAssignments,
                    "subscriptions",
                    index([in_index(ABOVE, "above", LONG_AGO), in_index("", "root", LONG_AGO)]),
                ),
        );
        let lists = found.assignments_by_both();
        let inherited: Vec<&Why> = lists.differences.iter().map(|one| &one.why).collect();
        assert_eq!(inherited, [&Why::Inherited(Id::new("/")), &Why::Inherited(Id::new(ABOVE))]);
    }

    #[test]
    fn a_list_that_is_not_whole_lacks_nothing() {
        let vault = |name: &str| json!({"id": format!("{SUB}/v/{name}"), "type": "t", "properties": {}});
        let lists = tenant(
            base().answer(Kind::Vaults, SUB, list([vault("kv1")])).answer(Kind::DeletedVaults, SUB, list([])).cut(
                Kind::ResourceGraphVaults,
                "subscriptions",
                vec![index([vault("kv2")])],
                Reason::CutShort,
            ),
        )
        .vaults_by_both();
        assert_eq!(lists.open[0].reason, Reason::CutShort);
        // what it does name is seen
        assert_eq!(whys(&lists), [(List::Graph, "kv2 Unexplained".to_owned())]);
        let lists = tenant(base().gap(Kind::Vaults, SUB, Reason::Forbidden).answer(
            Kind::ResourceGraphVaults,
            "subscriptions",
            index([vault("kv2")]),
        ))
        .vaults_by_both();
        assert!(matches!(lists.differences[0].why, Why::NotRead(_)), "{lists:?}");
    }

    #[test]
    fn a_type_that_a_list_never_holds_is_told_from_a_thing_that_it_lacks() {
        let host = |kind: &str, name: &str| {
            json!({"id": format!("{SUB}/providers/{kind}/{name}"), "name": name, "type": kind,
                "identity": {"type": "SystemAssigned", "principalId": "p"}})
        };
        let lists = tenant(
            base()
                .answer(
                    Kind::Resources,
                    SUB,
                    list([host("Microsoft.Web/sites", "site"), host("Microsoft.Rare/things", "thing")]),
                )
                .answer(Kind::VirtualMachines, SUB, list([]))
                .answer(Kind::UserAssignedIdentities, SUB, list([]))
                .answer(Kind::ResourceGraphIdentities, "subscriptions", index([])),
        )
        .identities_by_both();
        let said = whys(&lists);
        assert_eq!(said[0].1, "thing TypeNotVisible(\"Microsoft.Rare/things\")");
        assert_eq!(said[1].1, "site Unexplained", "sites are in both lists");
    }
}
