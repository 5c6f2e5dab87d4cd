//! A small tenant, with short names for what is in it.
//!
//! Scopes: `/`, `mg:root`, `mg:NAME`, `sub`, `sub2`, `sub/GROUP`, a vault by its name, `kv1/secrets/db`. What a
//! principal is follows from the first letter of its id: `u` user, `s` service principal, `m` managed identity,
//! `g` group, `f` group of another tenant, `o` gone from the directory, `x` of a type that nobody knows.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::conditions::Condition;
use crate::evidence::testing::TENANT;

/// A tenant that is not the one collected from.
pub(super) const FOREIGN: &str = "99999999-ffff-ffff-ffff-999999999999";
/// The GUID by which a deny assignment means everyone, and an access policy no application.
pub(super) const ZERO: &str = "00000000-0000-0000-0000-000000000000";
/// The subscriptions.
pub(super) const SUBS: [&str; 2] = ["sub", "sub2"];

/// A tenant, and which of its lists could not be read.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct World {
    /// The management group above each subscription and group, the root's none. Empty: none are in use.
    pub parents: BTreeMap<String, String>,
    pub vaults: Vec<Vault>,
    /// Custom roles by name; the built-in ones of `tests/access/roles.json` are there too.
    pub roles: BTreeMap<String, Vec<Entry>>,
    pub assignments: Vec<Assignment>,
    pub eligible: Vec<Eligible>,
    pub denies: Vec<Deny>,
    /// Direct members of each group.
    pub groups: BTreeMap<String, Vec<String>>,
    /// Who can activate a membership of a group.
    pub eligible_members: Vec<Membership>,
    /// Owners of groups.
    pub owners: Vec<Membership>,
    /// What is special about a principal.
    pub principals: BTreeMap<String, Special>,
    /// Delegations to another tenant.
    pub delegations: Vec<Delegation>,
    /// Classic administrators, as `sub ROLE`.
    pub classic: Vec<String>,
    pub unread: Vec<Unread>,
}

impl Default for World {
    /// One RBAC vault in a subscription below group `prod` below the root group.
    fn default() -> World {
        let parents = [("mg:prod", "mg:root"), ("sub", "mg:prod"), ("sub2", "mg:root")];
        World {
            parents: parents.map(|(child, parent)| (child.to_owned(), parent.to_owned())).into(),
            vaults: vec![Vault::default()],
            roles: BTreeMap::new(),
            assignments: Vec::new(),
            eligible: Vec::new(),
            denies: Vec::new(),
            groups: BTreeMap::new(),
            eligible_members: Vec::new(),
            owners: Vec::new(),
            principals: BTreeMap::new(),
            delegations: Vec::new(),
            classic: Vec::new(),
            unread: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Vault {
    pub name: String,
    /// `sub/GROUP`.
    pub at: String,
    /// `enableRbacAuthorization`; `None` is absent.
    pub rbac: Option<bool>,
    /// Whether `enableRbacAuthorization` is absent; TOML has no null.
    pub rbac_absent: bool,
    /// Tenant that it trusts; absent is ours.
    pub tenant: Option<String>,
    pub policies: Vec<Policy>,
}

impl Default for Vault {
    fn default() -> Vault {
        Vault {
            name: "kv1".to_owned(),
            at: "sub/rg".to_owned(),
            rbac: Some(true),
            rbac_absent: false,
            tenant: None,
            policies: Vec::new(),
        }
    }
}

impl Vault {
    pub fn is_rbac(&self) -> bool {
        self.rbac == Some(true) && !self.rbac_absent
    }

    pub fn is_foreign(&self) -> bool {
        self.tenant.as_deref().is_some_and(|tenant| tenant != TENANT)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Policy {
    pub who: String,
    /// Tenant of the principal; absent is ours.
    pub tenant: Option<String>,
    pub application: Option<String>,
    pub secrets: Vec<String>,
    pub keys: Vec<String>,
    pub certificates: Vec<String>,
}

/// One permission entry of a role or a deny assignment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Entry {
    pub actions: Vec<String>,
    pub not_actions: Vec<String>,
    pub data_actions: Vec<String>,
    pub not_data_actions: Vec<String>,
    pub when: Option<Condition>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Assignment {
    pub who: String,
    pub role: String,
    pub at: String,
    #[serde(default)]
    pub when: Option<Condition>,
    /// `principalType`.
    #[serde(default)]
    pub told: Option<String>,
    /// Privileged Identity Management made it, `Activated` or `Assigned`, until then.
    #[serde(default)]
    pub kind: Option<String>,
    #[serde(default)]
    pub ends: Option<String>,
}

/// A role that can be activated.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Eligible {
    pub who: String,
    pub role: String,
    pub at: String,
    #[serde(default)]
    pub when: Option<Condition>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deny {
    pub at: String,
    #[serde(default)]
    pub effect: Option<String>,
    /// `everyone` for all principals.
    pub who: Vec<String>,
    #[serde(default)]
    pub not_who: Vec<String>,
    #[serde(default)]
    pub not_to_children: Option<bool>,
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Membership {
    pub group: String,
    pub who: String,
    /// `member` or `owner`.
    #[serde(default)]
    pub access: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Special {
    pub enabled: Option<bool>,
    pub user_type: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delegation {
    pub at: String,
    pub who: String,
    pub role: String,
    #[serde(default)]
    pub eligible: bool,
    #[serde(default)]
    pub state: Option<String>,
}

/// A list that was not read whole: `kind` at `at`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unread {
    /// As the evidence names it: `role_assignments`.
    pub kind: String,
    /// A scope, or `group:g1`, `directory`, `tenant`.
    pub at: String,
    #[serde(default)]
    pub how: Read,
}

/// How a question ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Read {
    Whole,
    /// The first half of the items arrived.
    Cut,
    #[default]
    Refused,
    NotAsked,
}

impl World {
    pub fn read(&self, kind: &str, at: &str) -> Read {
        self.unread
            .iter()
            .find(|unread| unread.kind == kind && unread.at == at)
            .map_or(Read::Whole, |unread| unread.how)
    }

    pub fn is_whole(&self, kind: &str, at: &str) -> bool {
        self.read(kind, at) == Read::Whole
    }

    /// What arrived of the items that the list holds.
    pub fn seen<T>(&self, kind: &str, at: &str, items: Vec<T>) -> Vec<T> {
        match self.read(kind, at) {
            Read::Whole => items,
            Read::Cut => {
                let half = items.len() / 2;
                items.into_iter().take(half).collect()
            }
            Read::Refused | Read::NotAsked => Vec::new(),
        }
    }

    /// The next scope above by path; none for a subscription and above.
    fn up_by_path(&self, scope: &str) -> Option<String> {
        if let Some(vault) = self.vaults.iter().find(|vault| vault.name == scope) {
            return Some(vault.at.clone());
        }
        if scope == "/" || scope.starts_with("mg:") || SUBS.contains(&scope) {
            return None;
        }
        let segments: Vec<&str> = scope.split('/').collect();
        match segments.as_slice() {
            [sub, _group] => Some((*sub).to_owned()),
            [vault, _family, _name] => Some((*vault).to_owned()),
            _ => panic!("what is `{scope}`?"),
        }
    }

    /// The subscription, management group or root in whose list something at `scope` is.
    pub fn list_of(&self, scope: &str) -> String {
        match self.up_by_path(scope) {
            Some(above) => self.list_of(&above),
            None => scope.to_owned(),
        }
    }

    /// `scope` and everything above it by path up to the subscription or group.
    pub fn path_up(&self, scope: &str) -> Vec<String> {
        let mut all = vec![scope.to_owned()];
        while let Some(above) = all.last().and_then(|last| self.up_by_path(last)) {
            all.push(above);
        }
        all
    }

    /// The vault that an object lies in, or that it is.
    pub fn vault_of(&self, object: &str) -> &Vault {
        let name = object.split('/').next().unwrap_or(object);
        self.vaults.iter().find(|vault| vault.name == name).unwrap_or_else(|| panic!("no vault `{name}`"))
    }

    pub fn management_groups(&self) -> BTreeSet<&str> {
        self.parents
            .values()
            .chain(self.parents.keys())
            .map(String::as_str)
            .filter(|id| id.starts_with("mg:"))
            .collect()
    }

    /// Every scope at which assignments are listed.
    pub fn lists(&self) -> Vec<&str> {
        SUBS.into_iter().chain(self.management_groups()).chain(["/"]).collect()
    }

    /// Whether `above` is above `child` in the tree.
    fn is_above(&self, above: &str, child: &str) -> bool {
        self.parents.get(child).is_some_and(|parent| parent == above || self.is_above(above, parent))
    }

    /// What stands below a management group, each with its parent.
    pub fn below(&self, group: &str) -> Vec<(&str, &str)> {
        let pairs = self.parents.iter().map(|(child, parent)| (child.as_str(), parent.as_str()));
        pairs.filter(|(child, _)| self.is_above(group, child)).collect()
    }

    /// The parent that some list shows.
    pub fn seen_parent(&self, child: &str) -> Option<&str> {
        let groups = self.management_groups();
        let mut seen =
            groups.iter().flat_map(|group| self.seen("management_group_descendants", group, self.below(group)));
        seen.find(|(below, _)| *below == child).map(|(_, parent)| parent)
    }

    /// What arrived of the items that stand at scopes, from the lists of subscriptions, groups and the root.
    pub fn seen_at_scopes<'a, T>(&'a self, kind: &str, items: &'a [T], at: impl Fn(&T) -> &str) -> Vec<&'a T> {
        let of = |list: &str| items.iter().filter(|item| self.list_of(at(item)) == list).collect();
        self.lists().into_iter().flat_map(|list| self.seen(kind, list, of(list))).collect()
    }

    /// Members through any number of groups, groups included, as a transitive list holds them.
    pub fn transitive(&self, group: &str) -> Vec<&str> {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        let mut todo: Vec<&str> = self.groups.get(group).into_iter().flatten().map(String::as_str).collect();
        while let Some(member) = todo.pop() {
            if found.insert(member) {
                todo.extend(self.groups.get(member).into_iter().flatten().map(String::as_str));
            }
        }
        found.into_iter().collect()
    }

    /// Every id that is named anywhere, and that a collection would look up; in order.
    pub fn named(&self) -> BTreeSet<&str> {
        let mut all: BTreeSet<&str> = BTreeSet::new();
        all.extend(self.assignments.iter().map(|held| held.who.as_str()));
        all.extend(self.eligible.iter().map(|held| held.who.as_str()));
        all.extend(self.denies.iter().flat_map(|deny| deny.who.iter().chain(&deny.not_who)).map(String::as_str));
        all.extend(self.vaults.iter().flat_map(|vault| &vault.policies).map(|policy| policy.who.as_str()));
        all.extend(self.groups.iter().flat_map(|(group, members)| members.iter().chain([group])).map(String::as_str));
        let further = self.eligible_members.iter().chain(&self.owners);
        all.extend(further.flat_map(|further| [further.who.as_str(), further.group.as_str()]));
        all.extend(self.principals.keys().map(String::as_str));
        all.remove("everyone");
        all
    }

    /// Whether all of it is something that the rules know of: no condition written by hand, no access from elsewhere.
    pub fn is_within_the_rules(&self) -> bool {
        let entries = self.roles.values().flatten().chain(self.denies.iter().flat_map(|deny| &deny.entries));
        let of_entries = entries.filter_map(|entry| entry.when.as_ref());
        let of_held = self.assignments.iter().filter_map(|held| held.when.as_ref());
        let mut conditions =
            of_entries.chain(of_held).chain(self.eligible.iter().filter_map(|held| held.when.as_ref()));
        let is_limited = |role: &String| role == "Key Vault Data Access Administrator";
        let has_limited = self.assignments.iter().any(|held| is_limited(&held.role));
        !has_limited
            && conditions.all(|condition| condition.says.is_some())
            && self.delegations.is_empty()
            && self.classic.is_empty()
    }

    /// Named ids of which the directory knows something, as far as its answer arrived.
    pub fn seen_principals(&self) -> Vec<&str> {
        let known = self.named().into_iter().filter(|id| is_known(id)).collect();
        self.seen("principals", "directory", known)
    }
}

/// Whether the directory has an object with this id.
pub(super) fn is_known(id: &str) -> bool {
    !id.starts_with(['o', 'f'])
}
