//! The built-in roles of Azure, against what is known about them.

use std::path::PathBuf;

use serde_json::Value;

use super::{Capability, grants_action, grants_data_action};
use crate::model::Permission;

/// Permission entries of the built-in roles of Azure, by name, when the reference is at hand.
fn built_in() -> Option<Vec<(String, Vec<Permission>)>> {
    #[allow(clippy::disallowed_methods)] // tests find their reference material by the environment
    let shared = std::env::var("TICKMARK_SHARED").unwrap_or_else(|_| "../shared".to_owned());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(shared).join("azure/reference/builtin-roles.json");
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("SKIPPED: `{}` is not there; set TICKMARK_SHARED", path.display());
        return None;
    };
    let roles: Vec<Value> = serde_json::from_slice(&bytes).expect("roles");
    let texts = |entry: &Value, name: &str| -> Vec<String> {
        let list = entry[name].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let entry = |entry: &Value| Permission {
        actions: texts(entry, "actions"),
        not_actions: texts(entry, "notActions"),
        data_actions: texts(entry, "dataActions"),
        not_data_actions: texts(entry, "notDataActions"),
        condition: entry["condition"].as_str().map(str::to_owned),
    };
    let read = |role: &Value| {
        let name = role["roleName"].as_str().expect("a name").to_owned();
        (name, role["permissions"].as_array().expect("entries").iter().map(entry).collect())
    };
    Some(roles.iter().map(read).collect())
}

/// Name of the role and text of every condition in one, when the reference is at hand.
pub(super) fn conditions() -> Option<Vec<(String, String)>> {
    let roles = built_in()?.into_iter();
    let of_role = |(name, entries): (String, Vec<Permission>)| {
        entries.into_iter().filter_map(move |entry| Some((name.clone(), entry.condition?)))
    };
    Some(roles.flat_map(of_role).collect())
}

#[test]
fn built_in_roles_that_grant_what_matters_are_as_many_as_were_counted() {
    let Some(roles) = built_in() else { return };
    let holding = |grants: fn(&Permission, &str) -> bool, action: &str| {
        roles.iter().filter(|(_, entries)| entries.iter().any(|entry| grants(entry, action))).count()
    };
    assert_eq!(roles.len(), 928);
    assert_eq!(holding(grants_action, "Microsoft.Authorization/roleAssignments/write"), 28);
    assert_eq!(holding(grants_data_action, "Microsoft.KeyVault/vaults/secrets/getSecret/action"), 4);
    assert_eq!(holding(grants_action, "Microsoft.KeyVault/vaults/write"), 7);
    assert_eq!(holding(grants_action, "Microsoft.KeyVault/vaults/accessPolicies/write"), 7);
}

#[test]
fn built_in_vault_roles_do_what_they_are_known_for() {
    let Some(roles) = built_in() else { return };
    let can = |role: &str, capability: Capability| {
        let (_, entries) = roles.iter().find(|(name, _)| name == role).expect("the role");
        let data = capability.data_actions().iter();
        data.clone().any(|action| entries.iter().any(|entry| grants_data_action(entry, action)))
    };
    assert!(!can("Key Vault Reader", Capability::ReadSecret), "metadata only");
    assert!(can("Key Vault Reader", Capability::ListSecrets));
    assert!(can("Key Vault Certificate User", Capability::ReadSecret), "reads every secret value");
    assert!(!can("Key Vault Certificates Officer", Capability::ReadSecret));
    assert!(can("Key Vault Crypto Service Encryption User", Capability::Decrypt), "unwraps");
    assert!(!can("Owner", Capability::ReadSecret) && !can("Contributor", Capability::ReadSecret));
    assert!(can("Key Vault Secrets User", Capability::ReadPrivateKey));
}
