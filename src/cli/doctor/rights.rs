//! What of its own rights the collecting identity should not have.

use crate::access::{excess, grants_action, is_excess_in_policy};
use crate::cli::CliError;
use crate::collect::{OwnEntry, OwnRights};
use crate::model::Permission;

/// Rights that were found, and whether everything was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Rights {
    /// In order of assignment, then of vault.
    pub(super) excess: Vec<Excess>,
    /// Why it could not be checked whole; empty when it was.
    pub(super) unread: Vec<String>,
    /// How many roles and access policies were looked at.
    pub(super) looked_at: usize,
    /// In how many subscriptions.
    pub(super) subscriptions: usize,
    /// Whether a role lets it read resources of every type.
    pub(super) reads_every_type: bool,
}

/// One assignment or policy that gives too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excess {
    /// ARM id of the assignment, or of the vault whose policy it is.
    pub(super) id: String,
    /// The role, or that it is an access policy.
    pub(super) by: String,
    /// Where it holds.
    pub(super) scope: String,
    /// Object id of the group through which it is held.
    pub(super) group: Option<String>,
    /// What it gives, in words.
    pub(super) gives: Vec<String>,
}

impl Excess {
    /// One line about it.
    pub(super) fn line(&self) -> String {
        let group = self.group.as_ref().map(|group| format!(", through the group `{group}`")).unwrap_or_default();
        format!("{} at `{}`{group}: {}", self.by, self.scope, self.gives.join(", "))
    }
}

impl Rights {
    /// Judges what was read.
    pub(super) fn of(own: &OwnRights) -> Rights {
        let mut found = Vec::new();
        for role in &own.roles {
            let entries: Vec<Permission> = role.entries.iter().map(permission).collect();
            let gives: Vec<String> = excess(&entries).into_iter().map(str::to_owned).collect();
            if !gives.is_empty() {
                found.push(Excess {
                    id: role.assignment.clone(),
                    by: format!("role `{}`", role.role),
                    scope: role.scope.clone(),
                    group: role.group.clone(),
                    gives,
                });
            }
        }
        for policy in &own.policies {
            let gives: Vec<String> =
                policy.permissions.iter().filter(|permission| is_excess_in_policy(permission)).cloned().collect();
            if !gives.is_empty() {
                let (id, scope) = (policy.vault.clone(), policy.vault.clone());
                found.push(Excess { id, by: "access policy".to_owned(), scope, group: None, gives });
            }
        }
        let any_type = "Any.Provider/anyType/read";
        let reads_any = |entry: &OwnEntry| grants_action(&permission(entry), any_type);
        Rights {
            excess: found,
            unread: own.unread.clone(),
            looked_at: own.roles.len() + own.policies.len(),
            subscriptions: own.subscriptions,
            reads_every_type: own.roles.iter().flat_map(|role| &role.entries).any(reads_any),
        }
    }

    /// Whether everything was looked at and nothing found.
    pub(super) fn is_clean(&self) -> bool {
        self.excess.is_empty() && self.unread.is_empty()
    }

    /// An error that names every assignment, unless all is well.
    pub(super) fn require_clean(&self) -> Result<(), CliError> {
        if self.is_clean() {
            return Ok(());
        }
        let head = match self.excess.is_empty() {
            true => "the rights of the collecting identity could not be checked, and --strict-rights wants them to be",
            false => "the collecting identity holds rights that a collector must not have",
        };
        let mut lines = vec![head.to_owned()];
        lines.extend(self.excess.iter().map(|excess| format!("{} (`{}`)", excess.line(), excess.id)));
        lines.extend(self.unread.iter().map(|why| format!("not checked: {why}")));
        lines.push("nothing was collected; `tickmark role` prints what it needs".to_owned());
        Err(CliError::Use(lines.join("\n")))
    }
}

fn permission(entry: &OwnEntry) -> Permission {
    Permission {
        actions: entry.actions.clone(),
        not_actions: entry.not_actions.clone(),
        data_actions: entry.data_actions.clone(),
        not_data_actions: entry.not_data_actions.clone(),
        condition: None, // a condition may narrow a right, and is not taken to
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::{OwnPolicy, OwnRole};

    fn role(name: &str, actions: &[&str]) -> OwnRole {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        OwnRole {
            assignment: format!("/a/{name}"),
            scope: "/subscriptions/s".to_owned(),
            role: name.to_owned(),
            group: Some("g1".to_owned()),
            entries: vec![OwnEntry { actions, ..OwnEntry::default() }],
        }
    }

    #[test]
    fn reader_is_clean_and_says_that_lists_are_whole() {
        let own = OwnRights { roles: vec![role("Reader", &["*/read"])], subscriptions: 1, ..OwnRights::default() };
        let rights = Rights::of(&own);
        assert!(rights.is_clean() && rights.reads_every_type && rights.require_clean().is_ok());
    }

    #[test]
    fn each_assignment_that_gives_too_much_is_named() {
        let policies = vec![OwnPolicy {
            vault: "/v".to_owned(),
            permissions: vec!["secrets/get".to_owned(), "secrets/list".to_owned()],
        }];
        let roles =
            vec![role("Reader", &["*/read"]), role("Granter", &["Microsoft.Authorization/roleAssignments/write"])];
        let rights = Rights::of(&OwnRights { roles, policies, ..OwnRights::default() });
        let lines: Vec<String> = rights.excess.iter().map(Excess::line).collect();
        assert_eq!(
            lines,
            [
                "role `Granter` at `/subscriptions/s`, through the group `g1`: grant access",
                "access policy at `/v`: secrets/get"
            ]
        );
        let error = rights.require_clean().expect_err("too much").to_string();
        assert!(error.contains("`/a/Granter`") && !error.contains("Reader"), "{error}");
    }

    #[test]
    fn what_could_not_be_read_is_not_clean() {
        let rights =
            Rights::of(&OwnRights { unread: vec!["the token names no object id".to_owned()], ..OwnRights::default() });
        let error = rights.require_clean().expect_err("unknown").to_string();
        assert!(error.contains("could not be checked") && error.contains("no object id"), "{error}");
    }
}
