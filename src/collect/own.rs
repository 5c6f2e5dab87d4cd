//! The collecting identity's own rights: the roles that are assigned to it, and the access policies that name it.
//! What of that it should not have is not for here to say.
//!
//! Azure is asked for the assignments that reach the identity, through groups as well. Where that form is not
//! answered, every assignment is read and the groups among them are expanded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ask::{Put, Told, put};
use super::extract::Found;
use super::plan::{group_scope, scopes};
use super::table::collector;
use crate::azure::{Ask, Door, Method};
use crate::evidence::{Expected, Kind, Reason};

/// A role that the identity holds somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRole {
    /// ARM id of the assignment.
    pub assignment: String,
    /// Where it holds.
    pub scope: String,
    /// Name of the role.
    pub role: String,
    /// Object id of the group through which it is held; none when it is held directly.
    pub group: Option<String>,
    /// What the role gives: its entries, each on its own.
    pub entries: Vec<OwnEntry>,
}

/// One entry of a role's permissions, as Azure lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnEntry {
    /// `actions`.
    pub actions: Vec<String>,
    /// `notActions`.
    pub not_actions: Vec<String>,
    /// `dataActions`.
    pub data_actions: Vec<String>,
    /// `notDataActions`.
    pub not_data_actions: Vec<String>,
}

/// An access policy that names the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPolicy {
    /// ARM id of the vault.
    pub vault: String,
    /// `secrets/get`, lower case, in order.
    pub permissions: Vec<String>,
}

/// What the identity holds, and what of that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnRights {
    /// Roles, in order of assignment.
    pub roles: Vec<OwnRole>,
    /// Access policies, in order of vault.
    pub policies: Vec<OwnPolicy>,
    /// How many subscriptions were looked in.
    pub subscriptions: usize,
    /// Why the list may not be whole, a sentence each; empty when it is.
    pub unread: Vec<String>,
}

/// Reads what the identity that asks holds at and above the subscriptions that a run would ask in.
pub async fn own_rights(door: &Door, expected: &Expected) -> OwnRights {
    let mut reader = Reader { door, object_id: String::new(), groups: BTreeMap::new(), own: OwnRights::default() };
    let (above, subscriptions) = reader.scopes(expected).await;
    // who asks is known once something was asked
    let object_id = door.transport().token_facts().and_then(|facts| facts.object_id).unwrap_or_default();
    if object_id.is_empty() || !object_id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        reader.own.unread.push("the token names no object id".to_owned());
        return reader.own;
    }
    reader.object_id = object_id.to_lowercase();
    if subscriptions.is_empty() {
        reader.own.unread.push("no subscription is known to look in".to_owned());
    }
    let mut assignments = BTreeMap::new();
    for scope in above.iter().chain(&subscriptions) {
        for item in reader.own_assignments(scope).await {
            // one that holds above several scopes is listed at each
            let id = text(&item, "/id").unwrap_or_default().to_lowercase();
            assignments.entry(id).or_insert(item);
        }
    }
    reader.roles(assignments.into_values().collect(), &subscriptions).await;
    for subscription in &subscriptions {
        for vault in reader.list(Kind::Vaults, subscription).await {
            reader.policies(&vault);
        }
    }
    let mut own = reader.own;
    if own.roles.is_empty() && own.unread.is_empty() {
        // it reads, so it holds something; what that is may hold more
        own.unread.push("it was answered, and no role assignment of it was seen that allows that".to_owned());
    }
    own.policies.sort_by_key(|policy| policy.vault.to_lowercase());
    own.subscriptions = subscriptions.len();
    own
}

struct Reader<'a> {
    door: &'a Door,
    object_id: String,
    /// Whether the identity was seen as a member, by group.
    groups: BTreeMap<String, bool>,
    own: OwnRights,
}

impl Reader<'_> {
    /// Scopes above the subscriptions, and the subscriptions.
    async fn scopes(&mut self, expected: &Expected) -> (Vec<String>, Vec<String>) {
        let mut found = Found::default();
        let groups = scopes(&expected.management_groups, group_scope);
        let below = groups.iter().map(|group| (Kind::ManagementGroupDescendants, group.as_str()));
        let of_tenant = [(Kind::Subscriptions, "tenant"), (Kind::ManagementGroups, "tenant")];
        for (kind, scope) in of_tenant.into_iter().chain(below) {
            let Some(told) = self.put(kind, scope, "").await else { continue };
            // for whom the subscriptions are named, it does not matter which are visible
            if kind != Kind::Subscriptions || expected.subscriptions.is_empty() {
                self.take(kind, scope, &told);
            }
            told.kept.iter().for_each(|page| found.learn(kind, scope, page));
        }
        groups.iter().for_each(|group| found.groups.add(group));
        let above = std::iter::once("/").chain(found.groups.shown()).map(str::to_owned).collect();
        (above, found.subscriptions_in(expected).shown().map(str::to_owned).collect())
    }

    /// The identity's own assignments at a scope: Azure is asked for those; where that form is not answered, all are
    /// read and looked through.
    async fn own_assignments(&mut self, scope: &str) -> Vec<Value> {
        const KIND: Kind = Kind::RoleAssignments;
        // above subscriptions the question has a filter already
        let joint = if scope.to_ascii_lowercase().starts_with("/subscriptions/") { "&$filter=" } else { "%20and%20" };
        let narrow = format!("{joint}assignedTo(%27{}%27)", self.object_id);
        let Some(told) = self.put(KIND, scope, &narrow).await else { return Vec::new() };
        match told.gap.as_ref().map(|gap| gap.reason) {
            Some(Reason::NotRecorded | Reason::Refused) => {
                let Some(told) = self.put(KIND, scope, "").await else { return Vec::new() };
                let mut own = Vec::new();
                for item in self.take_assignments(scope, &told) {
                    if self.is_own(&item).await {
                        own.push(item);
                    }
                }
                own
            }
            _ => self.take_assignments(scope, &told),
        }
    }

    /// At `/` a refusal is an answer too: a role there that changes or grants anything reads assignments as well.
    fn take_assignments(&mut self, scope: &str, told: &Told) -> Vec<Value> {
        let is_refused = told.gap.as_ref().is_some_and(|gap| gap.reason == Reason::Forbidden);
        if scope == "/" && is_refused { Vec::new() } else { self.take(Kind::RoleAssignments, scope, told) }
    }

    /// Looks up what the roles of these assignments give. Each subscription lists the built-in roles and those that
    /// can be assigned at or above it.
    async fn roles(&mut self, assignments: Vec<Value>, subscriptions: &[String]) {
        let role_of = |item: &Value| last_segment(text(item, "/properties/roleDefinitionId").unwrap_or_default());
        let mut roles: BTreeMap<String, (String, Vec<OwnEntry>)> = BTreeMap::new();
        for subscription in subscriptions {
            if assignments.iter().all(|item| roles.contains_key(&role_of(item))) {
                break;
            }
            for item in self.list(Kind::RoleDefinitions, subscription).await {
                let entries = item.pointer("/properties/permissions").and_then(Value::as_array);
                let (Some(id), Some(entries)) = (text(&item, "/id").or(text(&item, "/name")), entries) else {
                    continue;
                };
                let name = text(&item, "/properties/roleName").unwrap_or(id).to_owned();
                roles.insert(last_segment(id), (name, entries.iter().map(entry).collect()));
            }
        }
        for item in assignments {
            let id = text(&item, "/id").unwrap_or("an assignment without an id").to_owned();
            let Some((role, entries)) = roles.get(&role_of(&item)) else {
                self.own.unread.push(format!("the role of `{id}` is in no list of role definitions"));
                continue;
            };
            let principal = text(&item, "/properties/principalId").unwrap_or_default().to_lowercase();
            self.own.roles.push(OwnRole {
                assignment: id,
                scope: text(&item, "/properties/scope").unwrap_or("?").to_owned(),
                role: role.clone(),
                group: Some(principal).filter(|principal| *principal != self.object_id),
                entries: entries.clone(),
            });
        }
    }

    /// Whether an assignment is to the identity, or to a group that it is in.
    async fn is_own(&mut self, item: &Value) -> bool {
        let principal = text(item, "/properties/principalId").unwrap_or_default().to_lowercase();
        if principal == self.object_id {
            return true;
        }
        if !text(item, "/properties/principalType").is_none_or(|kind| kind.eq_ignore_ascii_case("Group")) {
            return false;
        }
        if let Some(known) = self.groups.get(&principal) {
            return *known;
        }
        let members = self.list(Kind::GroupMembers, &format!("group:{principal}")).await;
        let is_self = |item: &Value| text(item, "/id").is_some_and(|id| id.eq_ignore_ascii_case(&self.object_id));
        let is_member = members.iter().any(is_self);
        self.groups.insert(principal, is_member);
        is_member
    }

    fn policies(&mut self, vault: &Value) {
        let policies = vault.pointer("/properties/accessPolicies").and_then(Value::as_array);
        let own =
            |policy: &&Value| text(policy, "/objectId").is_some_and(|id| id.eq_ignore_ascii_case(&self.object_id));
        let mut found = BTreeSet::new();
        for policy in policies.into_iter().flatten().filter(own) {
            for family in ["keys", "secrets", "certificates", "storage"] {
                let given = texts(policy, &format!("/permissions/{family}"));
                found.extend(given.iter().map(|name| format!("{family}/{}", name.to_lowercase())));
            }
        }
        if !found.is_empty() {
            let vault = text(vault, "/id").unwrap_or("a vault without an id").to_owned();
            self.own.policies.push(OwnPolicy { vault, permissions: found.into_iter().collect() });
        }
    }

    /// The items of a list, as a run asks for it.
    async fn list(&mut self, kind: Kind, scope: &str) -> Vec<Value> {
        match self.put(kind, scope, "").await {
            Some(told) => self.take(kind, scope, &told),
            None => Vec::new(),
        }
    }

    async fn put(&self, kind: Kind, scope: &str, further: &str) -> Option<Told> {
        let collector = collector(kind)?;
        let path_and_query = format!("{}{further}", collector.path_and_query(scope));
        let url = self.door.cloud().url(collector.api, &path_and_query);
        let ask = Ask { api: collector.api, method: Method::Get, url, headers: collector.headers(), body: None };
        Some(put(self.door, &Put { collector, scope: scope.to_owned(), asks: vec![ask] }).await)
    }

    /// What was read of a list, with a note when that is not all of it.
    fn take(&mut self, kind: Kind, scope: &str, told: &Told) -> Vec<Value> {
        if let Some(gap) = &told.gap {
            self.own.unread.push(format!("{} at `{scope}`: {}", kind.words(), gap.detail));
        }
        let read = told.pages.iter().zip(&told.kept).filter(|(page, _)| page.status == 200);
        let bodies = read.filter_map(|(_, kept)| serde_json::from_slice::<Value>(kept).ok());
        bodies.flat_map(|body| body.get("value").and_then(Value::as_array).cloned().unwrap_or_default()).collect()
    }
}

fn entry(entry: &Value) -> OwnEntry {
    OwnEntry {
        actions: texts(entry, "/actions"),
        not_actions: texts(entry, "/notActions"),
        data_actions: texts(entry, "/dataActions"),
        not_data_actions: texts(entry, "/notDataActions"),
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn texts(value: &Value, pointer: &str) -> Vec<String> {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn last_segment(id: &str) -> String {
    id.trim_end_matches('/').rsplit('/').next().unwrap_or(id).to_lowercase()
}
