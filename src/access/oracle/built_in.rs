//! The built-in roles of Azure, against what is known about them, and what each lets its holder do to a vault:
//! `tests/access/built-in-roles.txt`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;

use super::agreement::Product;
use super::answers::{BUILT_IN, id};
use super::conditions::Condition;
use super::rules::{Plane, grants};
use super::world::{Assignment, Entry, Vault, World};
use crate::access::{Answer, Capability, grants_action, grants_data_action};
use crate::model::Permission;

/// Name, GUID and permission entries.
struct Role {
    name: String,
    guid: String,
    entries: Vec<Permission>,
}

/// The built-in roles of Azure, when the reference is at hand.
fn built_in() -> Option<Vec<Role>> {
    #[allow(clippy::disallowed_methods)] // tests find their reference material by the environment
    let shared = std::env::var("TICKMARK_SHARED").unwrap_or_else(|_| "../shared".to_owned());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(shared).join("azure/reference/builtin-roles.json");
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("SKIPPED: `{}` is not there; set TICKMARK_SHARED", path.display());
        return None;
    };
    let roles: Vec<Value> = serde_json::from_slice(&bytes).expect("roles");
    let text = |role: &Value, name: &str| role[name].as_str().expect("a text").to_owned();
    let read = |role: &Value| Role {
        name: text(role, "roleName"),
        guid: text(role, "name"),
        entries: role["permissions"].as_array().expect("entries").iter().map(permission).collect(),
    };
    Some(roles.iter().map(read).collect())
}

fn permission(entry: &Value) -> Permission {
    let texts = |name: &str| -> Vec<String> {
        let list = entry[name].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Permission {
        actions: texts("actions"),
        not_actions: texts("notActions"),
        data_actions: texts("dataActions"),
        not_data_actions: texts("notDataActions"),
        condition: entry["condition"].as_str().map(str::to_owned),
    }
}

/// An entry as the rules read it.
fn entry(permission: &Permission) -> Entry {
    Entry {
        actions: permission.actions.clone(),
        not_actions: permission.not_actions.clone(),
        data_actions: permission.data_actions.clone(),
        not_data_actions: permission.not_data_actions.clone(),
        when: permission.condition.clone().map(Condition::from),
    }
}

#[test]
fn built_in_roles_that_grant_what_matters_are_as_many_as_were_counted() {
    let Some(roles) = built_in() else { return };
    let holding = |grants: fn(&Permission, &str) -> bool, action: &str| {
        roles.iter().filter(|role| role.entries.iter().any(|entry| grants(entry, action))).count()
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
        let entries = &roles.iter().find(|found| found.name == role).expect("the role").entries;
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

/// The rules read patterns in another way than the product; both find the same in every built-in role.
#[test]
fn both_ways_of_reading_patterns_find_the_same_in_every_built_in_role() {
    let Some(roles) = built_in() else { return };
    const CONTROL: &[&str] = &[
        "Microsoft.Authorization/roleAssignments/write",
        "Microsoft.Authorization/roleDefinitions/write",
        "Microsoft.KeyVault/vaults/write",
        "Microsoft.KeyVault/vaults/read",
        "Microsoft.KeyVault/vaults/delete",
        "Microsoft.KeyVault/vaults/accessPolicies/write",
        "Microsoft.KeyVault/vaults/secrets/write",
        "Microsoft.KeyVault/vaults/deploy/action",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        "Microsoft.Insights/diagnosticSettings/delete",
    ];
    let data: Vec<&str> = Capability::ALL.iter().flat_map(|capability| capability.data_actions()).copied().collect();
    let mut granted = 0;
    for role in &roles {
        for permission in &role.entries {
            let entry = entry(permission);
            for action in CONTROL {
                let found = grants_action(permission, action);
                assert_eq!(found, grants(&entry, Plane::Control, action), "{} {action}", role.name);
                granted += u32::from(found);
            }
            for action in &data {
                let found = grants_data_action(permission, action);
                assert_eq!(found, grants(&entry, Plane::Data, action), "{} {action}", role.name);
                granted += u32::from(found);
            }
        }
    }
    assert!(granted > 150, "{granted}");
}

/// The roles that hand-worked cases use are those of Azure, word for word.
#[test]
fn the_roles_of_the_cases_are_the_built_in_ones() {
    let Some(roles) = built_in() else { return };
    for kept in BUILT_IN.iter() {
        let role = roles.iter().find(|role| kept["name"] == role.guid.as_str()).expect("the role");
        assert_eq!(kept["properties"]["roleName"], role.name.as_str());
        let entries = kept["properties"]["permissions"].as_array().expect("entries");
        let entries: Vec<String> = entries.iter().map(|entry| format!("{:?}", permission(entry))).collect();
        let expected: Vec<String> = role.entries.iter().map(|entry| format!("{entry:?}")).collect();
        assert_eq!(entries, expected, "{}", role.name);
    }
}

/// A tenant in which each role is assigned to a user of its own at the subscription, above a vault of each model.
fn everyone_with_a_role(roles: &[Role]) -> World {
    let assignment = |(number, role): (usize, &Role)| Assignment {
        who: format!("u{number}"),
        role: role.guid.clone(),
        at: "sub".to_owned(),
        when: None,
        told: Some("User".to_owned()),
        kind: None,
        ends: None,
    };
    World {
        vaults: vec![
            Vault { name: "by-roles".to_owned(), ..Vault::default() },
            Vault { name: "by-policies".to_owned(), rbac: Some(false), ..Vault::default() },
        ],
        roles: roles.iter().map(|role| (role.guid.clone(), role.entries.iter().map(entry).collect())).collect(),
        assignments: roles.iter().enumerate().map(assignment).collect(),
        ..World::default()
    }
}

const HEAD: &str = "\
# What each built-in role of Azure lets its holder do to a vault when it is assigned at the subscription above it: first
# to a vault in RBAC mode, then to one with access policies. `?` is conditional. Roles that can do nothing are left out.
";

#[test]
fn what_each_built_in_role_does_to_a_vault_is_known() {
    let Some(roles) = built_in() else { return };
    let world = everyone_with_a_role(&roles);
    let product = Product::of(&world.capture());
    let mut counts: BTreeMap<&str, BTreeMap<String, u32>> = BTreeMap::new();
    let mut lines = Vec::new();
    for (number, role) in roles.iter().enumerate() {
        let mut on = |vault: &'static str| {
            let can = Capability::ALL.iter().filter_map(|capability| {
                let name = serde_json::to_value(capability).expect("a name").as_str().expect("a text").to_owned();
                let mark = match product.says(&format!("u{number}"), &id(&world, vault), *capability)? {
                    Answer::Allowed => "",
                    Answer::Conditional => "?",
                    other => panic!("{} {name}: {other:?}", role.name),
                };
                *counts.entry(vault).or_default().entry(name.clone()).or_default() += 1;
                Some(format!("{name}{mark}"))
            });
            can.collect::<Vec<_>>().join(" ")
        };
        let (by_roles, by_policies) = (on("by-roles"), on("by-policies"));
        if !(by_roles.is_empty() && by_policies.is_empty()) {
            let or_none = |text: String| if text.is_empty() { "nothing".to_owned() } else { text };
            lines.push(format!("{}: {} | {}", role.name, or_none(by_roles), or_none(by_policies)));
        }
    }
    lines.sort();
    let mut text = format!("{HEAD}\n{} roles, {} of them:\n\n{}\n", roles.len(), lines.len(), lines.join("\n"));
    for (vault, counts) in &counts {
        let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        writeln!(text, "\nRoles {vault}: {}", counts.join(", ")).expect("text");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access/built-in-roles.txt");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    if kept != text {
        let found = std::env::temp_dir().join("built-in-roles.txt");
        std::fs::write(&found, &text).expect("written");
        panic!("`{path}` says otherwise than what was found, which is in `{}`", found.display());
    }
    let of = |vault: &str, name: &str| counts.get(vault).and_then(|counts| counts.get(name)).copied();
    assert_eq!(of("by-roles", "grant_access"), Some(28), "hold roleAssignments/write");
    assert_eq!(of("by-roles", "read_private_key"), Some(4), "hold getSecret");
    assert_eq!(of("by-roles", "manage_vault"), Some(7), "hold vaults/write");
    assert_eq!(of("by-policies", "read_secret"), None, "roles give no data there");
}
