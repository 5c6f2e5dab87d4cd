//! What of its own rights the collecting identity should not have, before a run.

use crate::access::{OwnEffective, OwnHeld, OwnPolicy, OwnRights, OwnRole};
use crate::cli::CliError;
use crate::collect::{self, OwnEntry};
use crate::model::Permission;

/// Judges what was read.
pub(super) fn judge(own: &collect::OwnRights) -> OwnRights {
    let effective = own.effective.iter().map(|at| OwnEffective {
        scope: at.scope.clone(),
        entries: at.entries.iter().map(permission).collect(),
        evidence: Vec::new(),
    });
    let roles = own.roles.iter().map(|role| OwnRole {
        assignment: role.assignment.clone(),
        scope: role.scope.clone(),
        role: role.role.clone(),
        group: role.group.clone(),
        entries: role.entries.iter().map(permission).collect(),
        evidence: Vec::new(),
    });
    let policies = own.policies.iter().map(|policy| OwnPolicy {
        vault: policy.vault.clone(),
        permissions: policy.permissions.clone(),
        evidence: Vec::new(),
    });
    OwnRights::of(&OwnHeld {
        effective: effective.collect(),
        roles: roles.collect(),
        policies: policies.collect(),
        subscriptions: own.subscriptions,
        unread: own.unread.clone(),
    })
}

/// An error that names every assignment, unless everything was looked at and nothing found.
pub(super) fn require_clean(rights: &OwnRights) -> Result<(), CliError> {
    if rights.is_clean() {
        return Ok(());
    }
    let head = match rights.excess.is_empty() {
        true => "the rights of the collecting identity could not be checked, and --strict-rights wants them to be",
        false => "the collecting identity holds rights that a collector must not have",
    };
    let mut lines = vec![head.to_owned()];
    lines.extend(rights.excess.iter().map(|excess| format!("{} (`{}`)", excess.line(), excess.id)));
    lines.extend(rights.unread.iter().map(|why| format!("not checked: {why}")));
    lines.push("nothing was collected; `tickmark role` prints what it needs".to_owned());
    Err(CliError::Use(lines.join("\n")))
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

    #[test]
    fn the_refusal_names_what_to_take_away_and_what_is_unknown() {
        let entry = |action: &str| OwnEntry { actions: vec![action.to_owned()], ..OwnEntry::default() };
        let role = |name: &str, action: &str| collect::OwnRole {
            assignment: format!("/a/{name}"),
            scope: "/subscriptions/s".to_owned(),
            role: name.to_owned(),
            group: Some("g1".to_owned()),
            entries: vec![entry(action)],
        };
        let roles = vec![role("Reader", "*/read"), role("Granter", "Microsoft.Authorization/roleAssignments/write")];
        let own = collect::OwnRights { roles, subscriptions: 1, ..collect::OwnRights::default() };
        let error = require_clean(&judge(&own)).expect_err("too much").to_string();
        assert!(error.contains("through the group `g1`: grant access (`/a/Granter`)"), "{error}");
        assert!(!error.contains("/a/Reader"), "{error}");

        let unread = vec!["the token names no object id".to_owned()];
        let own = collect::OwnRights { unread, ..collect::OwnRights::default() };
        let error = require_clean(&judge(&own)).expect_err("unknown").to_string();
        assert!(error.contains("could not be checked") && error.contains("no object id"), "{error}");
    }
}
