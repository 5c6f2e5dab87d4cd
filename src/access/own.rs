//! What the collecting identity holds that a collector must not have. Conditions and deny assignments are not taken
//! to narrow it.

use super::{Access, Hop, excess, grants_action, is_excess_in_policy};
use crate::evidence::{Cite, Kind};
use crate::model::{AccessPolicy, Id, Permission, Tenant};

/// What the identity may do in a subscription, all its roles together.
#[derive(Clone, Debug)]
pub struct OwnEffective {
    /// The subscription.
    pub scope: String,
    /// One entry for each that its roles have.
    pub entries: Vec<Permission>,
    /// Where it was read.
    pub evidence: Vec<Cite>,
}

/// A role that the identity holds.
#[derive(Clone, Debug)]
pub struct OwnRole {
    /// ARM id of the assignment.
    pub assignment: String,
    /// Where it holds.
    pub scope: String,
    /// Name of the role.
    pub role: String,
    /// The group through which it is held; none when it is held directly.
    pub group: Option<String>,
    /// What the role gives.
    pub entries: Vec<Permission>,
    /// The records that it rests on.
    pub evidence: Vec<Cite>,
}

/// An access policy that names the identity.
#[derive(Clone, Debug)]
pub struct OwnPolicy {
    /// ARM id of the vault.
    pub vault: String,
    /// `secrets/get`, lower case, in order.
    pub permissions: Vec<String>,
    /// The records that it rests on.
    pub evidence: Vec<Cite>,
}

/// Everything that was read about the identity's rights.
#[derive(Clone, Debug, Default)]
pub struct OwnHeld {
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

/// What of that it must not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnRights {
    /// In order of assignment, then of vault, then of subscription.
    pub excess: Vec<Excess>,
    /// Why it could not be checked whole; empty when it was.
    pub unread: Vec<String>,
    /// How many roles and access policies were looked at.
    pub looked_at: usize,
    /// In how many subscriptions.
    pub subscriptions: usize,
    /// Whether it may read resources of every type in every subscription.
    pub reads_every_type: bool,
    /// The records in which Azure says what it may do, all its roles together.
    pub effective: Vec<Cite>,
}

/// Something that gives too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// ARM id of the assignment, of the vault whose policy it is, or of the subscription.
    pub id: String,
    /// The role, or that it is an access policy, or that no assignment was seen that gives it.
    pub by: String,
    /// Where it holds.
    pub scope: String,
    /// The group through which it is held.
    pub group: Option<String>,
    /// What it gives, in words.
    pub gives: Vec<String>,
    /// The records that show it.
    pub evidence: Vec<Cite>,
}

impl Excess {
    /// One line about it.
    pub fn line(&self) -> String {
        let group = self.group.as_ref().map(|group| format!(", through the group `{group}`")).unwrap_or_default();
        format!("{} at `{}`{group}: {}", self.by, self.scope, self.gives.join(", "))
    }
}

impl OwnRights {
    /// Judges what was read.
    pub fn of(held: &OwnHeld) -> OwnRights {
        let mut found: Vec<Excess> = held.roles.iter().filter_map(of_role).collect();
        let unexplained: Vec<Excess> = held.effective.iter().filter_map(|at| unexplained(at, &found)).collect();
        found.extend(held.policies.iter().filter_map(of_policy));
        found.extend(unexplained);
        let reads_any =
            |at: &OwnEffective| at.entries.iter().any(|entry| grants_action(entry, "Any.Provider/anyType/read"));
        OwnRights {
            excess: found,
            unread: held.unread.clone(),
            looked_at: held.roles.len() + held.policies.len(),
            subscriptions: held.subscriptions,
            reads_every_type: !held.effective.is_empty() && held.effective.iter().all(reads_any),
            effective: held.effective.iter().flat_map(|at| at.evidence.iter().cloned()).collect(),
        }
    }

    /// The same from evidence: what the identity `object_id`, which collected it, held when it was collected.
    pub fn from_evidence(tenant: &Tenant, access: &Access, object_id: Option<&str>) -> OwnRights {
        OwnRights::of(&held(tenant, access, object_id))
    }

    /// One line about all of it.
    pub fn line(&self) -> String {
        let subscriptions = match self.subscriptions {
            1 => "1 subscription".to_owned(),
            many => format!("{many} subscriptions"),
        };
        let mut line = match self.excess.len() {
            0 => format!("no right seen that a collector must not have, in {subscriptions} and above"),
            1 => "1 right that a collector must not have".to_owned(),
            many => format!("{many} rights that a collector must not have"),
        };
        match self.unread.as_slice() {
            [] => {}
            [why] => line += &format!("; not checked whole: {why}"),
            [why, more @ ..] => line += &format!("; not checked whole: {why}, and {} more", more.len()),
        }
        line
    }

    /// Whether everything was looked at and nothing found.
    pub fn is_clean(&self) -> bool {
        self.excess.is_empty() && self.unread.is_empty()
    }
}

fn of_role(role: &OwnRole) -> Option<Excess> {
    let gives: Vec<String> = excess(&role.entries).into_iter().map(str::to_owned).collect();
    (!gives.is_empty()).then(|| Excess {
        id: role.assignment.clone(),
        by: format!("role `{}`", role.role),
        scope: role.scope.clone(),
        group: role.group.clone(),
        gives,
        evidence: role.evidence.clone(),
    })
}

fn of_policy(policy: &OwnPolicy) -> Option<Excess> {
    let gives: Vec<String> =
        policy.permissions.iter().filter(|permission| is_excess_in_policy(permission)).cloned().collect();
    (!gives.is_empty()).then(|| Excess {
        id: policy.vault.clone(),
        by: "access policy".to_owned(),
        scope: policy.vault.clone(),
        group: None,
        gives,
        evidence: policy.evidence.clone(),
    })
}

/// What Azure says that it may do in a subscription and no role gives that was seen there or above.
fn unexplained(at: &OwnEffective, roles: &[Excess]) -> Option<Excess> {
    let is_above = |scope: &str| !scope.to_ascii_lowercase().starts_with("/subscriptions/");
    let reaches = |seen: &&Excess| is_above(&seen.scope) || seen.scope.eq_ignore_ascii_case(&at.scope);
    let given: Vec<&String> = roles.iter().filter(reaches).flat_map(|seen| &seen.gives).collect();
    let gives = excess(&at.entries).into_iter().map(str::to_owned);
    let gives: Vec<String> = gives.filter(|words| !given.contains(&words)).collect();
    (!gives.is_empty()).then(|| Excess {
        id: at.scope.clone(),
        by: "an assignment that was not seen".to_owned(),
        scope: at.scope.clone(),
        group: None,
        gives,
        evidence: at.evidence.clone(),
    })
}

/// The kinds of answers without which the picture is not whole.
const NEEDED: &[Kind] = &[
    Kind::Subscriptions,
    Kind::ManagementGroups,
    Kind::ManagementGroupDescendants,
    Kind::OwnPermissions,
    Kind::RoleAssignments,
    Kind::RoleDefinitions,
    Kind::Vaults,
];

fn held(tenant: &Tenant, access: &Access, object_id: Option<&str>) -> OwnHeld {
    let coverage = &tenant.coverage;
    let mut held = OwnHeld { subscriptions: tenant.subscriptions.len(), ..OwnHeld::default() };
    for own in &tenant.own_permissions {
        match held.effective.iter_mut().find(|at| own.scope == Id::new(at.scope.clone())) {
            Some(at) => at.entries.push(own.permission.clone()),
            None => held.effective.push(OwnEffective {
                scope: own.scope.shown().to_owned(),
                entries: vec![own.permission.clone()],
                evidence: vec![own.from.clone()],
            }),
        }
    }
    let gaps = NEEDED.iter().flat_map(|kind| coverage.missing_anywhere(*kind));
    // what is held at `/` holds in every subscription, and Azure has said what holds there
    let is_known_below = coverage.missing_anywhere(Kind::OwnPermissions).is_empty() && !held.effective.is_empty();
    let gaps = gaps.filter(|gap| !(is_known_below && gap.kind == Kind::RoleAssignments && gap.scope == "/"));
    held.unread = gaps.map(|gap| format!("{} at `{}`: {}", gap.kind.words(), gap.scope, gap.detail)).collect();
    let Some(object_id) = object_id.map(str::to_lowercase).filter(|id| !id.is_empty()) else {
        held.unread.push("the token names no object id".to_owned());
        return held;
    };
    held.unread.extend(access.open_groups().iter().map(|open| open.detail.clone()));
    for role in access.held_by(&object_id) {
        let Some(assignment) = tenant.role_assignments.get(role.assignment) else { continue };
        let Some(definition) = tenant.role_definitions.get(&assignment.role) else {
            held.unread.push(format!("the role of `{}` is in no list of role definitions", assignment.id));
            continue;
        };
        held.roles.push(OwnRole {
            assignment: assignment.id.shown().to_owned(),
            scope: assignment.scope.shown().to_owned(),
            role: definition.name.clone(),
            group: role.through.first().map(|Hop { name, .. }| name.clone()),
            entries: definition.permissions.clone(),
            evidence: role.evidence.clone(),
        });
    }
    for vault in &tenant.vaults {
        let members = |group: &str| tenant.members.get(group).map(Vec::as_slice).unwrap_or_default();
        let is_own = |policy: &&AccessPolicy| {
            policy.object_id == object_id || members(&policy.object_id).iter().any(|member| member.id == object_id)
        };
        for policy in vault.access_policies.iter().filter(is_own) {
            held.policies.push(OwnPolicy {
                vault: vault.id.shown().to_owned(),
                permissions: permissions(policy),
                evidence: vec![policy.from.clone()],
            });
        }
    }
    held
}

/// `secrets/get`, in order.
fn permissions(policy: &AccessPolicy) -> Vec<String> {
    let families = [
        ("keys", &policy.keys),
        ("secrets", &policy.secrets),
        ("certificates", &policy.certificates),
        ("storage", &policy.storage),
    ];
    let mut found: Vec<String> =
        families.iter().flat_map(|(family, given)| given.iter().map(move |name| format!("{family}/{name}"))).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(action: &str) -> Permission {
        Permission { actions: vec![action.to_owned()], ..Permission::default() }
    }

    fn role(name: &str, scope: &str, action: &str) -> OwnRole {
        OwnRole {
            assignment: format!("/a/{name}"),
            scope: scope.to_owned(),
            role: name.to_owned(),
            group: None,
            entries: vec![entry(action)],
            evidence: Vec::new(),
        }
    }

    fn effective(scope: &str, actions: &[&str]) -> OwnEffective {
        let entries = actions.iter().map(|action| entry(action)).collect();
        OwnEffective { scope: scope.to_owned(), entries, evidence: Vec::new() }
    }

    const GRANTING: &str = "Microsoft.Authorization/roleAssignments/write";

    fn lines(held: &OwnHeld) -> Vec<String> {
        OwnRights::of(held).excess.iter().map(Excess::line).collect()
    }

    #[test]
    fn reader_is_clean_and_reads_every_type_where_it_holds_everywhere() {
        let mut held = OwnHeld {
            effective: vec![effective("/subscriptions/a", &["*/read"]), effective("/subscriptions/b", &["*/read"])],
            roles: vec![role("Reader", "/subscriptions/a", "*/read")],
            subscriptions: 2,
            ..OwnHeld::default()
        };
        let rights = OwnRights::of(&held);
        assert!(rights.is_clean() && rights.reads_every_type);
        assert_eq!(rights.line(), "no right seen that a collector must not have, in 2 subscriptions and above");
        held.effective[1] = effective("/subscriptions/b", &["Microsoft.KeyVault/vaults/read"]);
        assert!(!OwnRights::of(&held).reads_every_type);
    }

    #[test]
    fn a_right_without_an_assignment_that_was_seen_is_named_where_azure_says_that_it_holds() {
        let at = |scope: &str| effective(scope, &["*/read", GRANTING]);
        let above = "/providers/Microsoft.Management/managementGroups/root";
        let held = OwnHeld { effective: vec![at("/subscriptions/a")], ..OwnHeld::default() };
        assert_eq!(lines(&held), ["an assignment that was not seen at `/subscriptions/a`: grant access"]);
        for scope in ["/", above, "/SUBSCRIPTIONS/A"] {
            let held = OwnHeld { roles: vec![role("Granter", scope, GRANTING)], ..held.clone() };
            assert_eq!(lines(&held), [format!("role `Granter` at `{scope}`: grant access")], "it is explained");
        }
        // held in one resource group, or another subscription, it does not explain what holds in this one
        for scope in ["/subscriptions/a/resourceGroups/g", "/subscriptions/b"] {
            let held = OwnHeld { roles: vec![role("Granter", scope, GRANTING)], ..held.clone() };
            assert_eq!(lines(&held).len(), 2, "{scope}");
        }
    }

    #[test]
    fn an_access_policy_may_list_and_no_more() {
        let permissions = vec!["secrets/get".to_owned(), "secrets/list".to_owned()];
        let policy = OwnPolicy { vault: "/v".to_owned(), permissions, evidence: Vec::new() };
        let held = OwnHeld { policies: vec![policy], ..OwnHeld::default() };
        assert_eq!(lines(&held), ["access policy at `/v`: secrets/get"]);
    }

    #[test]
    fn what_was_not_read_is_not_clean() {
        let unread = vec!["one".to_owned(), "two".to_owned()];
        let rights = OwnRights::of(&OwnHeld { unread, subscriptions: 1, ..OwnHeld::default() });
        assert!(!rights.is_clean());
        assert!(rights.line().ends_with("; not checked whole: one, and 1 more"), "{}", rights.line());
    }
}
