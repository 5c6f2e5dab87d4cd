//! The collecting identity's own rights: what Azure says that it may do in each subscription, the roles that are
//! assigned to it there, above and below, and the access policies that name it. What of that it should not have is
//! not for here to say.
//!
//! Azure is asked for the assignments that reach the identity, through groups as well. Where that form is not
//! answered, every assignment is read and the groups among them are expanded.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::CollectRequest;
use super::ask::put;
use super::probe::Nothing;
use super::run::{CollectError, Run};
use crate::azure::Door;
use crate::evidence::{Gap, Kind, Over, Page, Reason};

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

/// What the identity may do in a subscription, as Azure says: all its roles together, also those from above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnEffective {
    /// The subscription.
    pub scope: String,
    /// One entry for each that its roles have.
    pub entries: Vec<OwnEntry>,
}

/// What the identity holds, and what of that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnRights {
    /// What it may do, by subscription.
    pub effective: Vec<OwnEffective>,
    /// Roles, in order of assignment.
    pub roles: Vec<OwnRole>,
    /// Access policies, in order of vault.
    pub policies: Vec<OwnPolicy>,
    /// How many subscriptions were looked in.
    pub subscriptions: usize,
    /// Why the list may not be whole, a sentence each; empty when it is.
    pub unread: Vec<String>,
}

/// Reads what the identity that asks holds at and above the subscriptions that a run would ask in, and below them.
pub async fn own_rights(door: &Door, request: &CollectRequest) -> Result<OwnRights, CollectError> {
    let run = Run::new(door, request, &Nothing, &Nothing);
    let mut reader = Reader { run, object_id: String::new(), groups: BTreeMap::new(), own: OwnRights::default() };
    reader.read().await?;
    Ok(reader.own)
}

struct Reader<'a> {
    run: Run<'a>,
    object_id: String,
    /// Whether the identity was seen as a member, by group.
    groups: BTreeMap<String, bool>,
    own: OwnRights,
}

impl Reader<'_> {
    async fn read(&mut self) -> Result<(), CollectError> {
        self.learn_scopes().await?;
        let subscriptions = self.run.scopes(Over::Subscription);
        self.own.subscriptions = subscriptions.len();
        if subscriptions.is_empty() {
            self.own.unread.push("no subscription is known to look in".to_owned());
        }
        for scope in &subscriptions {
            let listed = self.list(Kind::OwnPermissions, scope).await?;
            if let Some(items) = listed {
                let entries = items.iter().map(entry).collect();
                self.own.effective.push(OwnEffective { scope: scope.clone(), entries });
            }
        }
        // who asks is known once something was asked
        let facts = self.run.door.transport().token_facts();
        let object_id = facts.and_then(|facts| facts.object_id).unwrap_or_default();
        if object_id.is_empty() || !object_id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            self.own.unread.push("the token names no object id".to_owned());
            return Ok(());
        }
        self.object_id = object_id.to_lowercase();
        let above = self.run.scopes(Over::Root).into_iter().chain(self.run.scopes(Over::ManagementGroup));
        let mut assignments = BTreeMap::new();
        for scope in above.chain(subscriptions.iter().cloned()) {
            for item in self.own_assignments(&scope).await? {
                // one that holds above several scopes is listed at each
                let id = text(&item, "/id").unwrap_or_default().to_lowercase();
                assignments.entry(id).or_insert(item);
            }
        }
        self.roles(assignments.into_values().collect(), &subscriptions).await?;
        self.policies(&subscriptions).await?;
        let is_seen = !self.own.roles.is_empty() || self.own.effective.iter().any(|at| !at.entries.is_empty());
        if !is_seen && self.own.unread.is_empty() {
            // it reads, so it holds something; what that is may hold more
            self.own.unread.push("it was answered, and nothing was seen of what allows that".to_owned());
        }
        Ok(())
    }

    /// Asks which subscriptions and management groups there are.
    async fn learn_scopes(&mut self) -> Result<(), CollectError> {
        for over in [Over::Tenant, Over::ManagementGroup] {
            let is_needed = |kind: Kind| match kind {
                // for whom the subscriptions are named, it does not matter which are visible
                Kind::Subscriptions => self.run.request.expected.subscriptions.is_empty(),
                Kind::ManagementGroups => true,
                Kind::ManagementGroupDescendants => !self.run.request.expected.management_groups.is_empty(),
                _ => false,
            };
            let questions = self.run.questions_over(over);
            let questions: Vec<_> = questions.into_iter().filter(|(kind, _)| is_needed(*kind)).collect();
            for (kind, scope) in questions {
                let Some(told) = self.put(kind, &scope, "").await? else { continue };
                told.pages.iter().for_each(|page| self.run.found.borrow_mut().learn(kind, &scope, page));
                self.take(kind, &scope, &told);
            }
        }
        Ok(())
    }

    /// The identity's own assignments at a scope: Azure is asked for those; where that form is not answered, all are
    /// read and looked through.
    async fn own_assignments(&mut self, scope: &str) -> Result<Vec<Value>, CollectError> {
        const KIND: Kind = Kind::RoleAssignments;
        // above subscriptions the question has a filter already
        let joint = if scope.to_ascii_lowercase().starts_with("/subscriptions/") { "&$filter=" } else { "%20and%20" };
        let narrow = format!("{joint}assignedTo(%27{}%27)", self.object_id);
        let Some(told) = self.put(KIND, scope, &narrow).await? else { return Ok(Vec::new()) };
        match told.gap.as_ref().map(|gap| gap.reason) {
            Some(Reason::NotRecorded | Reason::Refused) => {
                let Some(told) = self.put(KIND, scope, "").await? else { return Ok(Vec::new()) };
                let mut own = Vec::new();
                for item in self.take_assignments(scope, &told) {
                    if self.is_own(&item).await? {
                        own.push(item);
                    }
                }
                Ok(own)
            }
            _ => Ok(self.take_assignments(scope, &told)),
        }
    }

    /// At `/` a refusal hides nothing where its own permissions are known in every subscription: what is held at `/`
    /// holds in all of them.
    fn take_assignments(&mut self, scope: &str, told: &Answer) -> Vec<Value> {
        let is_refused = told.gap.as_ref().is_some_and(|gap| gap.reason == Reason::Forbidden);
        let is_known_below = self.own.subscriptions > 0 && self.own.effective.len() == self.own.subscriptions;
        if scope == "/" && is_refused && is_known_below {
            return Vec::new();
        }
        self.take(Kind::RoleAssignments, scope, told)
    }

    /// Looks up what the roles of these assignments give. Each subscription lists the built-in roles and those that
    /// can be assigned at or above it.
    async fn roles(&mut self, assignments: Vec<Value>, subscriptions: &[String]) -> Result<(), CollectError> {
        let role_of = |item: &Value| last_segment(text(item, "/properties/roleDefinitionId").unwrap_or_default());
        let mut roles: BTreeMap<String, (String, Vec<OwnEntry>)> = BTreeMap::new();
        for subscription in subscriptions {
            if assignments.iter().all(|item| roles.contains_key(&role_of(item))) {
                break;
            }
            for item in self.list(Kind::RoleDefinitions, subscription).await?.unwrap_or_default() {
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
        Ok(())
    }

    /// Whether an assignment is to the identity, or to a group that it is in.
    async fn is_own(&mut self, item: &Value) -> Result<bool, CollectError> {
        let principal = text(item, "/properties/principalId").unwrap_or_default().to_lowercase();
        if principal == self.object_id {
            return Ok(true);
        }
        if !text(item, "/properties/principalType").is_none_or(|kind| kind.eq_ignore_ascii_case("Group")) {
            return Ok(false);
        }
        self.is_member(&principal).await
    }

    /// Whether it is in a group, directly or through others.
    async fn is_member(&mut self, group: &str) -> Result<bool, CollectError> {
        if let Some(known) = self.groups.get(group) {
            return Ok(*known);
        }
        let scope = format!("group:{group}");
        let told = self.put(Kind::GroupMembers, &scope, "").await?;
        let members = told.map(|told| self.take(Kind::GroupMembers, &scope, &told)).unwrap_or_default();
        let is_self = |item: &Value| text(item, "/id").is_some_and(|id| id.eq_ignore_ascii_case(&self.object_id));
        let is_member = members.iter().any(is_self);
        self.groups.insert(group.to_owned(), is_member);
        Ok(is_member)
    }

    /// Access policies that name the identity, or a group that it is in.
    async fn policies(&mut self, subscriptions: &[String]) -> Result<(), CollectError> {
        let mut policies = Vec::new();
        for scope in subscriptions {
            for vault in self.list(Kind::Vaults, scope).await?.unwrap_or_default() {
                policies.extend(policies_of(&vault));
            }
        }
        let others: BTreeSet<String> = policies.iter().map(|(_, holder, _)| holder.clone()).collect();
        let mut own = BTreeSet::from([self.object_id.clone()]);
        for group in self.groups_among(others).await? {
            if self.is_member(&group).await? {
                own.insert(group);
            }
        }
        let mut found: BTreeMap<String, OwnPolicy> = BTreeMap::new();
        for (vault, _, permissions) in policies.into_iter().filter(|(_, holder, _)| own.contains(holder)) {
            let empty = || OwnPolicy { vault: vault.clone(), permissions: Vec::new() };
            found.entry(vault.to_lowercase()).or_insert_with(empty).permissions.extend(permissions);
        }
        self.own.policies = found.into_values().collect();
        self.own.policies.iter_mut().for_each(|policy| {
            policy.permissions.sort();
            policy.permissions.dedup();
        });
        Ok(())
    }

    /// Those of these object ids that are groups, as the directory says. Where a recording does not hold the look-up,
    /// those whose members it holds.
    async fn groups_among(&mut self, mut ids: BTreeSet<String>) -> Result<BTreeSet<String>, CollectError> {
        ids.remove(&self.object_id);
        if ids.is_empty() {
            return Ok(ids);
        }
        self.run.found.borrow_mut().principals = ids.clone();
        let Some(told) = self.put(Kind::Principals, "directory", "").await? else { return Ok(BTreeSet::new()) };
        if told.gap.as_ref().is_some_and(|gap| gap.reason == Reason::NotRecorded) {
            for id in ids.clone() {
                let told = self.put(Kind::GroupMembers, &format!("group:{id}"), "").await?;
                if told.is_none_or(|told| told.gap.is_some_and(|gap| gap.reason == Reason::NotRecorded)) {
                    ids.remove(&id);
                }
            }
            return Ok(ids);
        }
        let is_group = |item: &&Value| text(item, "/@odata.type").is_some_and(|kind| kind.ends_with(".group"));
        let found = self.take(Kind::Principals, "directory", &told);
        let groups = found.iter().filter(is_group).filter_map(|item| text(item, "/id")).map(str::to_lowercase);
        Ok(groups.filter(|id| ids.contains(id)).collect())
    }

    /// The items of a list, as a run asks for it; none when it was not read to its end.
    async fn list(&mut self, kind: Kind, scope: &str) -> Result<Option<Vec<Value>>, CollectError> {
        let Some(told) = self.put(kind, scope, "").await? else { return Ok(None) };
        let items = self.take(kind, scope, &told);
        Ok(Some(items).filter(|items| told.gap.is_none() || !items.is_empty()))
    }

    /// Puts a question as a run does, with something added to its address.
    async fn put(&self, kind: Kind, scope: &str, further: &str) -> Result<Option<Answer>, CollectError> {
        let Some(mut question) = self.run.question(kind, scope.to_owned())? else { return Ok(None) };
        question.parts.iter_mut().for_each(|part| part.ask.url.push_str(further));
        let pages = RefCell::new(Vec::new());
        let hold = |page: &Page, bytes: &[u8]| {
            pages.borrow_mut().extend((page.status == 200).then(|| bytes.to_vec()));
            Ok(())
        };
        let told = put(self.run.door, &question, &hold).await?;
        Ok(Some(Answer { gap: told.gap, pages: pages.into_inner() }))
    }

    /// What was read of a list, with a note when that is not all of it.
    fn take(&mut self, kind: Kind, scope: &str, told: &Answer) -> Vec<Value> {
        if let Some(gap) = &told.gap {
            self.own.unread.push(format!("{} at `{scope}`: {}", kind.words(), gap.detail));
        }
        let bodies = told.pages.iter().filter_map(|page| serde_json::from_slice::<Value>(page).ok());
        bodies.flat_map(|body| body.get("value").and_then(Value::as_array).cloned().unwrap_or_default()).collect()
    }
}

/// The pages of a list, and why they are not all.
struct Answer {
    gap: Option<Gap>,
    pages: Vec<Vec<u8>>,
}

/// The access policies of a vault: its id, who holds them, lower case, and what they give, such as `secrets/get`.
fn policies_of(vault: &Value) -> Vec<(String, String, Vec<String>)> {
    let id = text(vault, "/id").unwrap_or("a vault without an id");
    let policies = vault.pointer("/properties/accessPolicies").and_then(Value::as_array);
    let policy = |policy: &Value| {
        let holder = text(policy, "/objectId").unwrap_or_default().to_lowercase();
        let of_family = |family: &str| {
            let given = texts(policy, &format!("/permissions/{family}"));
            given.iter().map(|name| format!("{family}/{}", name.to_lowercase())).collect::<Vec<_>>()
        };
        let permissions = ["keys", "secrets", "certificates", "storage"].iter().flat_map(|family| of_family(family));
        (id.to_owned(), holder, permissions.collect())
    };
    policies.into_iter().flatten().map(policy).collect()
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
