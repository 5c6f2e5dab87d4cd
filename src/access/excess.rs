//! What a collector of evidence must not be able to do: reach what it reports on, change it, or list keys.

use super::{Capability, grants_action, grants_data_action};
use crate::model::Permission;

/// Actions beside those of the capabilities, each with what it is good for.
const ACTIONS: &[(&str, &str)] = &[
    ("Microsoft.Authorization/roleDefinitions/write", "change what roles give"),
    ("Microsoft.Authorization/elevateAccess/action", "take over the tenant's access"),
    ("Microsoft.KeyVault/vaults/accessPolicies/write", "grant access"),
    ("Microsoft.KeyVault/vaults/secrets/write", "change secrets"),
    ("Microsoft.KeyVault/vaults/deploy/action", "take secrets into a deployment"),
    ("Microsoft.KeyVault/vaults/delete", "delete vaults"),
    ("Microsoft.Insights/diagnosticSettings/write", "change what is logged"),
    ("Microsoft.Insights/diagnosticSettings/delete", "stop what is logged"),
    ("Microsoft.OperationalInsights/workspaces/write", "change how long logs are kept"),
    ("Microsoft.OperationalInsights/workspaces/sharedKeys/action", LIST_KEYS),
    ("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", "use other identities"),
    ("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write", "become other identities"),
    ("Microsoft.Storage/storageAccounts/listKeys/action", LIST_KEYS),
    ("Microsoft.Web/sites/config/list/action", LIST_KEYS),
];

const LIST_KEYS: &str = "list keys";

/// Ends of actions that hand out keys, whatever provider they are of.
const HAND_OUT: &[&str] = &[
    "/listkeys/action",
    "/listsecrets/action",
    "/listconnectionstrings/action",
    "/listcredentials/action",
    "/listaccountsas/action",
];

/// What these entries of a role give that a collector must not have, in words, each once, in order.
pub fn excess(entries: &[Permission]) -> Vec<&'static str> {
    let has = |action: &str| entries.iter().any(|entry| grants_action(entry, action));
    let has_data = |action: &str| entries.iter().any(|entry| grants_data_action(entry, action));
    // names and attributes of secrets are no values; everything else that the data plane has, is
    let capabilities = Capability::ALL.iter().filter(|capability| **capability != Capability::ListSecrets);
    let held = capabilities.filter(|capability| {
        capability.data_actions().iter().any(|action| has_data(action))
            || capability.actions(false).iter().any(|action| has(action))
    });
    let mut words: Vec<&'static str> = held.map(|capability| capability.words()).collect();
    words.extend(ACTIONS.iter().filter(|(action, _)| has(action)).map(|(_, words)| *words));
    let given = entries.iter().flat_map(|entry| &entry.actions);
    if given.map(|action| action.to_lowercase()).any(|action| HAND_OUT.iter().any(|end| action.ends_with(end))) {
        words.push(LIST_KEYS);
    }
    words.sort_unstable();
    words.dedup();
    words
}

/// What a permission of an access policy, such as `secrets/get`, gives beyond names and attributes.
pub fn is_excess_in_policy(permission: &str) -> bool {
    !matches!(
        permission,
        "secrets/list" | "keys/list" | "keys/get" | "keys/getrotationpolicy" | "certificates/list" | "certificates/get"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(actions: &[&str], not_actions: &[&str], data_actions: &[&str]) -> Vec<Permission> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        vec![Permission {
            actions: owned(actions),
            not_actions: owned(not_actions),
            data_actions: owned(data_actions),
            ..Permission::default()
        }]
    }

    #[test]
    fn reading_is_no_excess() {
        assert!(excess(&role(&["*/read"], &[], &[])).is_empty());
        assert!(
            excess(&role(
                &["*/read", "Microsoft.Support/*"],
                &[],
                &["Microsoft.OperationalInsights/workspaces/tables/data/read"]
            ))
            .is_empty()
        );
        assert!(excess(&role(&[], &[], &["Microsoft.KeyVault/vaults/secrets/readMetadata/action"])).is_empty());
    }

    #[test]
    fn what_reaches_values_or_changes_access_is() {
        let secrets_user = role(&[], &[], &["Microsoft.KeyVault/vaults/secrets/getSecret/action"]);
        assert_eq!(excess(&secrets_user), ["read private keys of certificates", "read secret values"]);
        assert_eq!(excess(&role(&["Microsoft.Authorization/roleAssignments/*"], &[], &[])), ["grant access"]);
        assert_eq!(excess(&role(&["Microsoft.DocumentDB/databaseAccounts/listKeys/action"], &[], &[])), ["list keys"]);
        let contributor = excess(&role(&["*"], &["Microsoft.Authorization/*/Write"], &[]));
        for words in ["manage the vault", "list keys", "stop what is logged", "use other identities"] {
            assert!(contributor.contains(&words), "{words}: {contributor:?}");
        }
        assert!(!contributor.contains(&"read secret values"), "a control-plane role reads no value");
    }

    #[test]
    fn a_policy_may_list_and_no_more() {
        for harmless in ["secrets/list", "keys/get"] {
            assert!(!is_excess_in_policy(harmless), "{harmless}");
        }
        for excess in ["secrets/get", "secrets/all", "keys/decrypt", "storage/get"] {
            assert!(is_excess_in_policy(excess), "{excess}");
        }
    }
}
