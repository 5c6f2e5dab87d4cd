//! Whether a role grants an action.
//!
//! `*` stands anywhere and spans segments; case does not count. The `not…` list of an entry takes away from that
//! entry alone: what one entry, or another role, grants stays granted. Control-plane actions never grant data
//! actions, nor the other way round (learn.microsoft.com/azure/role-based-access-control/role-definitions).

use crate::model::Permission;

/// Whether one entry of a role grants a control-plane action.
pub fn grants_action(entry: &Permission, action: &str) -> bool {
    grants(&entry.actions, &entry.not_actions, action)
}

/// Whether one entry of a role grants a data-plane action.
pub fn grants_data_action(entry: &Permission, action: &str) -> bool {
    grants(&entry.data_actions, &entry.not_data_actions, action)
}

/// Whether an entry has an action of that plane, and takes it away again nowhere.
pub(super) fn has(entry: &Permission, action: &str, is_data: bool) -> bool {
    if is_data { grants_data_action(entry, action) } else { grants_action(entry, action) }
}

/// Whether the entry has the action without `/*/` being read as a single `/`, which no source documents.
pub(super) fn is_strict(entry: &Permission, action: &str, is_data: bool) -> bool {
    let given = if is_data { &entry.data_actions } else { &entry.actions };
    given.iter().any(|pattern| matches(pattern, action, false))
}

/// Whether the entry has the action under either reading of `/*/`, so that it may be taken to forbid.
pub(super) fn is_sure(entry: &Permission, action: &str, is_data: bool) -> bool {
    let taken = if is_data { &entry.not_data_actions } else { &entry.not_actions };
    is_strict(entry, action, is_data) && !taken.iter().any(|pattern| matches(pattern, action, true))
}

/// Built-in roles list `vaults/*/read` for what must cover `vaults/read` too, so `/*/` may stand for a single `/`
/// when something is granted. It may not when something is taken away: both widen what is found.
fn grants(given: &[String], taken: &[String], action: &str) -> bool {
    given.iter().any(|pattern| matches(pattern, action, true))
        && !taken.iter().any(|pattern| matches(pattern, action, false))
}

/// Follows every way through the pattern at once, so that no pattern takes long.
pub(super) fn matches(pattern: &str, action: &str, is_loose: bool) -> bool {
    let (pattern, action) = (pattern.as_bytes(), action.as_bytes());
    let literal = pattern.split(|byte| *byte == b'*').next().unwrap_or_default();
    if literal.len() == pattern.len() {
        return pattern.eq_ignore_ascii_case(action);
    }
    if !action.get(..literal.len()).is_some_and(|start| start.eq_ignore_ascii_case(literal)) {
        return false;
    }
    let mut places = vec![false; pattern.len() + 1];
    reach(&mut places, pattern, 0, is_loose);
    for byte in action {
        let mut next = vec![false; pattern.len() + 1];
        for (place, expected) in pattern.iter().enumerate().filter(|(place, _)| places.get(*place) == Some(&true)) {
            if *expected == b'*' {
                reach(&mut next, pattern, place, is_loose);
            } else if expected.eq_ignore_ascii_case(byte) {
                reach(&mut next, pattern, place + 1, is_loose);
            }
        }
        places = next;
    }
    places.last() == Some(&true)
}

/// Marks `place`, and every place that is reached from it without reading anything.
fn reach(places: &mut [bool], pattern: &[u8], place: usize, is_loose: bool) {
    match places.get_mut(place) {
        Some(marked) if !*marked => *marked = true,
        _ => return,
    }
    let rest = pattern.get(place..).unwrap_or_default();
    if rest.starts_with(b"*") {
        reach(places, pattern, place + 1, is_loose);
    }
    if is_loose && rest.starts_with(b"/*/") {
        reach(places, pattern, place + 2, is_loose);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET_SECRET: &str = "Microsoft.KeyVault/vaults/secrets/getSecret/action";
    const ASSIGN: &str = "Microsoft.Authorization/roleAssignments/write";

    fn entry(actions: &[&str], not_actions: &[&str], data_actions: &[&str], not_data_actions: &[&str]) -> Permission {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Permission {
            actions: owned(actions),
            not_actions: owned(not_actions),
            data_actions: owned(data_actions),
            not_data_actions: owned(not_data_actions),
            condition: None,
        }
    }

    #[test]
    fn a_wildcard_stands_anywhere_and_spans_segments() {
        for pattern in ["*", "*/action", "Microsoft.KeyVault/*", "microsoft.keyvault/*/GETSECRET/*", "Micro*getSecret*"]
        {
            assert!(grants_data_action(&entry(&[], &[], &[pattern], &[]), GET_SECRET), "{pattern}");
        }
        for pattern in ["", "*/read", "Microsoft.Key/*", "Microsoft.KeyVault/vaults/secrets/getSecret", "**/write"] {
            assert!(!grants_data_action(&entry(&[], &[], &[pattern], &[]), GET_SECRET), "{pattern}");
        }
    }

    #[test]
    fn a_wildcard_segment_may_be_no_segment_when_granting_and_not_when_taking() {
        let vault_read = "Microsoft.KeyVault/vaults/read";
        assert!(grants_action(&entry(&["Microsoft.KeyVault/vaults/*/read"], &[], &[], &[]), vault_read));
        assert!(grants_action(&entry(&["*"], &["Microsoft.KeyVault/vaults/*/read"], &[], &[]), vault_read));
        assert!(!grants_action(&entry(&["Microsoft.KeyVault/vaults*read/x"], &[], &[], &[]), vault_read));
    }

    #[test]
    fn control_plane_actions_give_no_data_access() {
        let owner = entry(&["*"], &[], &[], &[]);
        assert!(grants_action(&owner, ASSIGN));
        assert!(!grants_data_action(&owner, GET_SECRET));
        assert!(!grants_action(&entry(&[], &[], &["*"], &[]), ASSIGN));
    }

    #[test]
    fn not_actions_take_away_from_their_own_entry_only() {
        let contributor = entry(&["*"], &["Microsoft.Authorization/*/Write"], &[], &[]);
        let other = entry(&["Microsoft.Authorization/roleAssignments/*"], &[], &[], &[]);
        assert!(!grants_action(&contributor, ASSIGN));
        assert!([contributor, other].iter().any(|entry| grants_action(entry, ASSIGN)));
    }

    #[test]
    fn not_data_actions_take_away_from_data_actions() {
        let most = entry(&[], &[], &["Microsoft.KeyVault/vaults/*"], &["*/getSecret/action"]);
        assert!(!grants_data_action(&most, GET_SECRET));
        assert!(grants_data_action(&most, "Microsoft.KeyVault/vaults/secrets/delete"));
    }
}
