//! May principal P do action A on resource R? The published rules, one after the other, over lists
//! (learn.microsoft.com/azure/role-based-access-control/overview, role-definitions, deny-assignments,
//! conditions-overview; learn.microsoft.com/azure/key-vault/general/rbac-guide).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::answers::{BUILT_IN, role_guid};
use super::conditions::{About, Condition};
use super::world::{Assignment, Deny, Eligible, Entry, Policy, SUBS, Vault, World, ZERO};
use crate::access::{Answer, Capability};
use crate::evidence::testing::TENANT;

/// What one way of being given something comes to, or all of them together: none means no.
pub(super) type Outcome = Option<Answer>;

/// Whether something is so; "and" is the least, "or" the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tri {
    No,
    /// Nobody can tell.
    Maybe,
    Yes,
}

use Tri::{Maybe, No, Yes};

fn tri(is_so: bool) -> Tri {
    if is_so { Yes } else { No }
}

fn any(all: impl Iterator<Item = Tri>) -> Tri {
    all.max().unwrap_or(No)
}

fn not(tri: Tri) -> Tri {
    match tri {
        No => Yes,
        Maybe => Maybe,
        Yes => No,
    }
}

/// Which of the two lists of an entry an action belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Plane {
    Control,
    Data,
}

/// The better of two outcomes: what is had for sure, then what can be had, then what nobody can tell, then what is
/// forbidden, then nothing.
fn better(a: Outcome, b: Outcome) -> Outcome {
    let rank = |outcome: Outcome| match outcome {
        Some(Answer::Allowed) => 5,
        Some(Answer::Eligible) => 4,
        Some(Answer::Conditional) => 3,
        Some(Answer::NotDetermined) => 2,
        Some(Answer::Denied) => 1,
        None => 0,
    };
    if rank(a) >= rank(b) { a } else { b }
}

/// The weakest of the parts of one way: what is forbidden stays so, whatever else is not known.
fn weakest(parts: &[Outcome]) -> Outcome {
    let rank = |outcome: Outcome| match outcome {
        Some(Answer::Allowed) => 0,
        Some(Answer::Eligible) => 1,
        Some(Answer::Conditional) => 2,
        Some(Answer::NotDetermined) => 3,
        Some(Answer::Denied) => 4,
        None => 5,
    };
    parts.iter().copied().max_by_key(|outcome| rank(*outcome)).unwrap_or(None)
}

fn as_outcome(tri: Tri) -> Outcome {
    match tri {
        Yes => Some(Answer::Allowed),
        Maybe => Some(Answer::NotDetermined),
        No => None,
    }
}

/// A built-in role as the rules read it.
#[derive(Clone, Debug)]
pub(super) struct BuiltIn {
    pub name: String,
    pub entries: Vec<Entry>,
}

/// By GUID.
pub(super) static BUILT_IN_ROLES: LazyLock<Vec<(String, BuiltIn)>> = LazyLock::new(|| {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let entry = |entry: &Value| Entry {
        actions: texts(&entry["actions"]),
        not_actions: texts(&entry["notActions"]),
        data_actions: texts(&entry["dataActions"]),
        not_data_actions: texts(&entry["notDataActions"]),
        when: entry["condition"].as_str().map(|text| Condition::from(text.to_owned())),
    };
    let entries =
        |role: &Value| role["properties"]["permissions"].as_array().into_iter().flatten().map(entry).collect();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let read = |role: &Value| {
        (text(&role["name"]), BuiltIn { name: text(&role["properties"]["roleName"]), entries: entries(role) })
    };
    BUILT_IN.iter().map(read).collect()
});

/// The rules over one tenant.
pub(super) struct Rules<'a> {
    world: &'a World,
    /// The entries of each role that some subscription's list shows, by its GUID.
    roles: BTreeMap<String, Vec<Entry>>,
    assignments: Vec<&'a Assignment>,
    eligible: Vec<&'a Eligible>,
    denies: Vec<&'a Deny>,
    /// What was found already, as it is asked for very often.
    chains: RefCell<BTreeMap<String, (Vec<String>, bool)>>,
    members: RefCell<BTreeMap<(String, String), Outcome>>,
}

impl<'a> Rules<'a> {
    pub fn over(world: &'a World) -> Rules<'a> {
        let custom = world.roles.iter().map(|(name, entries)| (name.to_lowercase(), entries.clone()));
        let built_in = BUILT_IN_ROLES.iter().map(|(guid, role)| (guid.clone(), role.entries.clone()));
        let all: Vec<(String, Vec<Entry>)> = built_in.chain(custom).collect();
        let seen = SUBS.iter().flat_map(|sub| world.seen("role_definitions", sub, all.clone()));
        Rules {
            world,
            roles: seen.collect(),
            assignments: world.seen_at_scopes("role_assignments", &world.assignments, |held| &held.at),
            eligible: world.seen_at_scopes("role_eligibility_schedule_instances", &world.eligible, |held| &held.at),
            denies: seen_denies(world),
            chains: RefCell::default(),
            members: RefCell::default(),
        }
    }

    /// Whether P has the capability on the vault as a whole, or on one object in it. `None` is no.
    pub fn answer(&self, person: &str, object: &str, capability: Capability) -> Outcome {
        let vault = self.world.vault_of(object);
        let trusted =
            if is_data(capability) && vault.is_foreign() { Some(Answer::NotDetermined) } else { Some(Answer::Allowed) };
        let found = if is_data(capability) && !vault.is_rbac() {
            self.by_policies(person, vault, capability)
        } else {
            let actions = actions(capability, vault).into_iter().map(|(plane, action)| {
                // who writes the vault or its policies writes the vault's, whatever in it is asked about
                let is_of_vault = action.starts_with("Microsoft.KeyVault/vaults/") && plane == Plane::Control;
                self.may(person, plane, action, if is_of_vault { &vault.name } else { object })
            });
            actions.fold(None, better)
        };
        weakest(&[found, trusted])
    }

    /// Whether lists that could hold more about the object were not read.
    pub fn has_gap(&self, object: &str, capability: Capability) -> bool {
        let vault = self.world.vault_of(object);
        if is_data(capability) && !vault.is_rbac() {
            return false;
        }
        let (chain, is_known) = self.chain(object);
        let mut lists = vec![self.world.list_of(object)];
        lists.extend(chain);
        let eligible = lists.iter().all(|list| self.world.is_whole("role_eligibility_schedule_instances", list));
        lists.push("/".to_owned());
        let assigned = lists.iter().all(|list| self.world.is_whole("role_assignments", list));
        !is_known || !assigned || !eligible
    }

    /// The decision of Azure RBAC about one action.
    fn may(&self, person: &str, plane: Plane, action: &str, resource: &str) -> Outcome {
        let about = self.about(action, resource);
        let active = self.assignments.iter().map(|held| (&held.who, &held.role, &held.at, &held.when, Answer::Allowed));
        // What can be activated is not yet had.
        let eligible = self.eligible.iter().map(|held| (&held.who, &held.role, &held.at, &held.when, Answer::Eligible));
        // Allow: one satisfied assignment at the resource or above is enough; assignments add up.
        let mut granted = None;
        for (who, role, at, when, best) in active.chain(eligible) {
            // where the groups above are not known, one that is named is not taken to be above: the gap says so
            let scope = as_outcome(tri(self.is_at_or_above(at, resource) == Yes));
            let member = self.means(who, person);
            let given = self.role_grants(role, plane, about);
            let found = weakest(&[scope, member, given, met(when.as_ref(), about), Some(best)]);
            // Deny: final where it is sure. Of one who may be behind a holder it is asked about the holder.
            let whom = if member == Some(Answer::NotDetermined) { who } else { person };
            if found.is_some() {
                granted = better(granted, self.after_denies(found, whom, plane, about, resource));
            }
        }
        granted
    }

    fn after_denies(&self, granted: Outcome, person: &str, plane: Plane, about: About<'_>, resource: &str) -> Outcome {
        let denied = self.denies.iter().map(|deny| self.denies(deny, person, plane, about, resource));
        let unread = tri(!self.are_denies_read(resource)).min(Maybe);
        denied.chain([unread]).fold(granted, |granted, denied| {
            let left = match denied {
                No => Some(Answer::Allowed),
                Maybe => Some(Answer::NotDetermined),
                Yes => Some(Answer::Denied),
            };
            weakest(&[granted, left])
        })
    }

    fn about<'b>(&'b self, action: &'b str, resource: &'b str) -> About<'b> {
        let segments: Vec<&str> = resource.split('/').collect();
        let secret = match segments.as_slice() {
            [_, "secrets", name] => Some(*name),
            _ => None,
        };
        About { action, vault: &self.world.vault_of(resource).name, secret }
    }

    fn are_denies_read(&self, resource: &str) -> bool {
        let (mut lists, is_known) = self.chain(resource);
        lists.push(self.world.list_of(resource));
        is_known && lists.iter().all(|list| self.world.is_whole("deny_assignments", list))
    }

    fn denies(&self, deny: &Deny, person: &str, plane: Plane, about: About<'_>, resource: &str) -> Tri {
        let effect = match deny.effect.as_deref() {
            Some(effect) if effect.eq_ignore_ascii_case("audit") => No,
            Some(effect) if effect.eq_ignore_ascii_case("enforced") => Yes,
            _ => Maybe,
        };
        let is_elsewhere = deny.not_to_children == Some(true) && deny.at != resource;
        let is_in = |holder: &String| match self.means(holder, person) {
            _ if holder == "everyone" => Yes,
            Some(Answer::Allowed) => Yes,
            Some(Answer::NotDetermined) => Maybe,
            _ => No, // who may yet become a member is none
        };
        let named = any(deny.who.iter().map(is_in));
        let excluded = any(deny.not_who.iter().map(is_in));
        let takes = any(deny.entries.iter().map(|entry| {
            let when = match met(entry.when.as_ref(), about) {
                Some(Answer::Allowed) => Yes,
                Some(Answer::Conditional) => Maybe,
                _ => No,
            };
            takes(entry, plane, about.action).min(when)
        }));
        // What a vault holds lies in child scopes of it: a deny that stays at the vault is not sure for all of that.
        let is_about_contents = plane == Plane::Data && deny.not_to_children == Some(true);
        let scope = match self.is_at_or_above(&deny.at, resource) {
            _ if is_elsewhere => No,
            scope if is_about_contents && !resource.contains('/') => scope.min(Maybe),
            scope => scope,
        };
        effect.min(scope).min(named).min(not(excluded)).min(takes)
    }

    /// Whether a role grants the action: some one entry has it and does not take it back, and its condition holds.
    fn role_grants(&self, role: &str, plane: Plane, about: About<'_>) -> Outcome {
        let Some(entries) = self.roles.get(&role_guid(role)) else { return Some(Answer::NotDetermined) };
        let of = |entry: &Entry| match grants(entry, plane, about.action) {
            true => met(entry.when.as_ref(), about),
            false => None,
        };
        entries.iter().map(of).fold(None, better)
    }

    /// Root above all, management groups by their tree, everything else by its path.
    fn is_at_or_above(&self, scope: &str, resource: &str) -> Tri {
        if scope == "/" || self.world.path_up(resource).iter().any(|above| above == scope) {
            return Yes;
        }
        if !scope.starts_with("mg:") {
            return No;
        }
        let (chain, is_known) = self.chain(resource);
        match chain.iter().any(|group| group == scope) {
            true => Yes,
            false if is_known => No,
            false => Maybe,
        }
    }

    /// Management groups above the resource as far as they were read, and whether that is all the way.
    fn chain(&self, resource: &str) -> (Vec<String>, bool) {
        let start = self.world.list_of(resource);
        if let Some(known) = self.chains.borrow().get(&start) {
            return known.clone();
        }
        let mut at = start.clone();
        let mut chain: Vec<String> = Vec::new();
        while let Some(parent) = self.world.seen_parent(&at) {
            chain.push(parent.to_owned());
            at = parent.to_owned();
        }
        let reaches_root = chain.last().is_some_and(|top| top == "mg:root");
        let are_unused = self.world.management_groups().is_empty()
            && self.world.is_whole("management_groups", "tenant")
            && self.world.is_whole("role_assignments", "/");
        let found = (chain, reaches_root || are_unused);
        self.chains.borrow_mut().insert(start, found.clone());
        found
    }

    /// Whether the holder is P, or a group that P is in or can become a member of.
    fn means(&self, holder: &str, person: &str) -> Outcome {
        let key = (holder.to_owned(), person.to_owned());
        if let Some(known) = self.members.borrow().get(&key) {
            return *known;
        }
        let found = self.means_anew(holder, person);
        self.members.borrow_mut().insert(key, found);
        found
    }

    fn means_anew(&self, holder: &str, person: &str) -> Outcome {
        if holder.eq_ignore_ascii_case(person) {
            return Some(Answer::Allowed);
        }
        if !self.world.groups.contains_key(holder) {
            return as_outcome(if self.may_be_group(holder) { Maybe } else { No });
        }
        let mut found = as_outcome(self.is_member(holder, person));
        for eligible in &self.world.eligible_members {
            let group = eligible.group.as_str();
            let here = self.world.eligible_members.iter().filter(|other| other.group == group).collect();
            let seen: Vec<_> = self.world.seen("group_eligibilities", &format!("group:{group}"), here);
            let is_seen = seen.iter().any(|other| other.who == eligible.who && other.access == eligible.access);
            // who can become an owner can then add itself: an escalation, and no membership
            let is_member = eligible.access.as_deref() != Some("owner");
            if is_seen && is_member && eligible.who == person {
                let is_within = if group == holder { Yes } else { self.is_member(holder, group) };
                found = better(found, weakest(&[as_outcome(is_within), Some(Answer::Eligible)]));
            }
        }
        found
    }

    /// A transitive list that was read whole says who is in the group; another one only who is, and through whom.
    fn is_member(&self, group: &str, member: &str) -> Tri {
        let seen = |group: &str| -> Vec<&str> {
            let list = format!("group:{group}");
            self.world.seen("group_members", &list, self.world.transitive(group))
        };
        let mut found = seen(group);
        let mut at = 0;
        while let Some(inner) = found.get(at).copied() {
            let further: Vec<&str> = seen(inner).into_iter().filter(|id| !found.contains(id)).collect();
            found.extend(further);
            at += 1;
        }
        match self.world.is_whole("group_members", &format!("group:{group}")) {
            _ if found.contains(&member) => Yes,
            true => No,
            false => Maybe,
        }
    }

    /// Whether something that is no group of this tenant may be a group all the same: the directory decides, then
    /// what an assignment says.
    fn may_be_group(&self, id: &str) -> bool {
        let listed = self.world.named().into_iter().filter(|id| id.starts_with('m')).collect();
        let listed = self.world.seen("managed_identity_principals", "directory", listed);
        let is_known = listed.contains(&id) || self.world.seen_principals().contains(&id);
        if is_known && !id.starts_with('x') {
            return false;
        }
        let told = self.assignments.iter().filter(|held| held.who == id).find_map(|held| held.told.as_deref());
        if self.world.is_whole("principals", "directory") && !is_known {
            return told == Some("ForeignGroup"); // gone, or another tenant's
        }
        !matches!(told, Some("User" | "ServicePrincipal" | "Device"))
    }

    /// The decision of a vault that is not in RBAC mode: its access policies, and nothing else.
    fn by_policies(&self, person: &str, vault: &Vault, capability: Capability) -> Outcome {
        vault.policies.iter().map(|policy| self.by_policy(policy, person, vault, capability)).fold(None, better)
    }

    fn by_policy(&self, policy: &Policy, person: &str, vault: &Vault, capability: Capability) -> Outcome {
        let (secrets, keys) = permissions(capability);
        let lists = |given: &[String], wanted: &[&str]| {
            let mut given = given.iter().map(|name| name.to_lowercase());
            !wanted.is_empty() && given.any(|name| name == "all" || wanted.contains(&name.as_str()))
        };
        let gives = tri(lists(&policy.secrets, secrets) || lists(&policy.keys, keys));
        let is_compound = policy.application.as_deref().is_some_and(|application| application != ZERO);
        let alone = if is_compound { Some(Answer::Conditional) } else { Some(Answer::Allowed) };
        let trusted = vault.tenant.as_deref().unwrap_or(TENANT);
        let is_foreign = policy.tenant.as_deref().unwrap_or(TENANT) != trusted;
        let ours = if is_foreign { Some(Answer::NotDetermined) } else { Some(Answer::Allowed) };
        weakest(&[as_outcome(gives), self.means(&policy.who, person), alone, ours])
    }
}

fn seen_denies(world: &World) -> Vec<&Deny> {
    let of = |list: &str| world.denies.iter().filter(|deny| world.is_deny_listed(deny, list)).collect();
    let lists = world.lists().into_iter().filter(|list| *list != "/");
    lists.flat_map(|list| world.seen("deny_assignments", list, of(list))).collect()
}

fn met(when: Option<&Condition>, about: About<'_>) -> Outcome {
    let Some(when) = when else { return Some(Answer::Allowed) };
    match when.says.as_ref().and_then(|says| says.holds(about)) {
        Some(true) => Some(Answer::Allowed),
        Some(false) => Some(Answer::Denied), // it cannot hold
        None => Some(Answer::Conditional),
    }
}

/// Whether an entry of a role has the action and does not take it back. What is granted is read widely.
pub(super) fn grants(entry: &Entry, plane: Plane, action: &str) -> bool {
    let (given, taken) = lists(entry, plane);
    is_in(given, action, like_loosely) && !is_in(taken, action, like)
}

/// Whether an entry of a deny assignment takes the action. What is denied is sure only where no reading says otherwise.
fn takes(entry: &Entry, plane: Plane, action: &str) -> Tri {
    let (denied, left_out) = lists(entry, plane);
    if is_in(denied, action, like) && !is_in(left_out, action, like_loosely) {
        return Yes;
    }
    tri(is_in(denied, action, like_loosely) && !is_in(left_out, action, like)).min(Maybe)
}

fn lists(entry: &Entry, plane: Plane) -> (&[String], &[String]) {
    match plane {
        Plane::Control => (&entry.actions, &entry.not_actions),
        Plane::Data => (&entry.data_actions, &entry.not_data_actions),
    }
}

fn is_in(patterns: &[String], action: &str, like: fn(&str, &str) -> bool) -> bool {
    patterns.iter().any(|pattern| like(&pattern.to_lowercase(), &action.to_lowercase()))
}

/// `*` stands for any text, none included.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => match text.strip_prefix(start) {
            Some(text) => (0..=text.len()).any(|skipped| like(rest, &text[skipped..])),
            None => false,
        },
    }
}

/// The same, where `/*/` may also stand for `/`: built-in roles are written so, and it only widens what is found.
fn like_loosely(pattern: &str, text: &str) -> bool {
    let shorter = |at: usize| format!("{}{}", &pattern[..at], &pattern[at + 2..]);
    like(pattern, text)
        || (0..pattern.len()).any(|at| pattern[at..].starts_with("/*/") && like_loosely(&shorter(at), text))
}

/// Whether it is about what a vault holds.
pub(super) fn is_data(capability: Capability) -> bool {
    capability != Capability::GrantAccess && capability != Capability::ManageVault
}

/// Whether a capability can be had on such an object at all.
pub(super) fn fits(capability: Capability, object: &str) -> bool {
    use Capability::*;
    let Some(family) = object.split('/').nth(1) else { return true };
    match capability {
        ManageVault => false,
        GrantAccess => true,
        ReadSecret | ListSecrets | ChangeSecret | DestroySecret => family == "secrets",
        ReadPrivateKey => family == "secrets" || family == "certificates",
        Decrypt | Sign | Encrypt | ExportKey => family == "keys",
    }
}

/// The actions of which any one gives a capability.
fn actions(capability: Capability, vault: &Vault) -> Vec<(Plane, &'static str)> {
    let data: &[&'static str] = match capability {
        Capability::ReadSecret => {
            &["Microsoft.KeyVault/vaults/secrets/getSecret/action", "Microsoft.KeyVault/vaults/secrets/backup/action"]
        }
        Capability::ListSecrets => &["Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
        Capability::ChangeSecret => &[
            "Microsoft.KeyVault/vaults/secrets/setSecret/action",
            "Microsoft.KeyVault/vaults/secrets/update/action",
            "Microsoft.KeyVault/vaults/secrets/restore/action",
        ],
        Capability::DestroySecret => {
            &["Microsoft.KeyVault/vaults/secrets/delete", "Microsoft.KeyVault/vaults/secrets/purge/action"]
        }
        Capability::Decrypt => {
            &["Microsoft.KeyVault/vaults/keys/decrypt/action", "Microsoft.KeyVault/vaults/keys/unwrap/action"]
        }
        Capability::Sign => &["Microsoft.KeyVault/vaults/keys/sign/action"],
        Capability::Encrypt => &[
            "Microsoft.KeyVault/vaults/keys/encrypt/action",
            "Microsoft.KeyVault/vaults/keys/wrap/action",
            "Microsoft.KeyVault/vaults/keys/verify/action",
        ],
        Capability::ExportKey => {
            &["Microsoft.KeyVault/vaults/keys/backup/action", "Microsoft.KeyVault/vaults/keys/release/action"]
        }
        Capability::ReadPrivateKey => &["Microsoft.KeyVault/vaults/secrets/getSecret/action"],
        Capability::GrantAccess | Capability::ManageVault => &[],
    };
    // Whoever may write a vault with access policies, or the policies, may add one for himself.
    let control: &[&'static str] = match capability {
        Capability::GrantAccess if vault.is_rbac() => &["Microsoft.Authorization/roleAssignments/write"],
        Capability::GrantAccess => &[
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.KeyVault/vaults/accessPolicies/write",
            "Microsoft.KeyVault/vaults/write",
        ],
        Capability::ManageVault => &["Microsoft.KeyVault/vaults/write"],
        _ => &[],
    };
    let data = data.iter().map(|action| (Plane::Data, *action));
    data.chain(control.iter().map(|action| (Plane::Control, *action))).collect()
}

/// The access-policy permissions of which any one gives a capability: on secrets, on keys.
fn permissions(capability: Capability) -> (&'static [&'static str], &'static [&'static str]) {
    match capability {
        Capability::ReadSecret => (&["get", "backup"], &[]),
        Capability::ListSecrets => (&["list"], &[]),
        Capability::ChangeSecret => (&["set", "restore"], &[]),
        Capability::DestroySecret => (&["delete", "purge"], &[]),
        Capability::ReadPrivateKey => (&["get"], &[]),
        Capability::Decrypt => (&[], &["decrypt", "unwrapkey"]),
        Capability::Sign => (&[], &["sign"]),
        Capability::Encrypt => (&[], &["encrypt", "wrapkey", "verify"]),
        Capability::ExportKey => (&[], &["backup", "release"]),
        Capability::GrantAccess | Capability::ManageVault => (&[], &[]),
    }
}
