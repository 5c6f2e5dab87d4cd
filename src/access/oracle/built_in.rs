//! The built-in roles of Azure, against what is known about them, and what each lets its holder do to a vault:
//! `tests/access/built-in-roles.txt`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::agreement::Product;
use super::answers::id;
use super::conditions::Condition;
use super::rules::{BUILT_IN_ROLES, Plane, grants};
use super::world::{Assignment, Entry, Vault, World};
use crate::access::built_in::{built_in, guids};
use crate::access::{Answer, Capability, grants_action, grants_data_action};
use crate::model::Permission;

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
    for (name, entries) in &roles {
        for permission in entries {
            let entry = entry(permission);
            for action in CONTROL {
                let found = grants_action(permission, action);
                assert_eq!(found, grants(&entry, Plane::Control, action), "{name} {action}");
                granted += u32::from(found);
            }
            for action in &data {
                let found = grants_data_action(permission, action);
                assert_eq!(found, grants(&entry, Plane::Data, action), "{name} {action}");
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
    for (_, kept) in BUILT_IN_ROLES.iter() {
        let (_, entries) = roles.iter().find(|(name, _)| *name == kept.name).expect("the role");
        let entries: Vec<Entry> = entries.iter().map(entry).collect();
        assert_eq!(format!("{entries:?}"), format!("{:?}", kept.entries), "{}", kept.name);
    }
}

/// A tenant in which each role is assigned to a user of its own at the subscription, above a vault of each model.
fn everyone_with_a_role(roles: &[(String, Vec<Permission>)], guids: Vec<String>) -> World {
    let mut world = World {
        vaults: vec![
            Vault { name: "by-roles".to_owned(), ..Vault::default() },
            Vault { name: "by-policies".to_owned(), rbac: Some(false), ..Vault::default() },
        ],
        ..World::default()
    };
    for (number, ((_, entries), role)) in roles.iter().zip(guids).enumerate() {
        world.roles.insert(role.clone(), entries.iter().map(entry).collect());
        world.assignments.push(Assignment {
            who: format!("u{number}"),
            role,
            at: "sub".to_owned(),
            when: None,
            told: Some("User".to_owned()),
            kind: None,
            ends: None,
        });
    }
    world
}

const HEAD: &str = "\
# What each built-in role of Azure lets its holder do to a vault when it is assigned at the subscription above it: first
# to a vault in RBAC mode, then to one with access policies. `?` is conditional; `!` has the action under a
# condition that allows no role that gives access. Roles that can do nothing are left out.
";

#[test]
fn what_each_built_in_role_does_to_a_vault_is_known() {
    let Some(roles) = built_in() else { return };
    let world = everyone_with_a_role(&roles, guids().expect("the reference is there"));
    let product = Product::of(&world.capture());
    let mut counts: BTreeMap<&str, BTreeMap<String, u32>> = BTreeMap::new();
    let mut lines = Vec::new();
    for (number, (role, _)) in roles.iter().enumerate() {
        let mut on = |vault: &'static str| {
            let can = Capability::ALL.iter().filter_map(|capability| {
                let name = capability.name().to_owned();
                let mark = match product.says(&format!("u{number}"), &id(&world, vault), *capability)? {
                    Answer::Allowed => "",
                    Answer::Conditional => "?",
                    Answer::Denied => "!",
                    other => panic!("{role} {name}: {other:?}"),
                };
                *counts.entry(vault).or_default().entry(name.clone()).or_default() += 1;
                Some(format!("{name}{mark}"))
            });
            can.collect::<Vec<_>>().join(" ")
        };
        let (by_roles, by_policies) = (on("by-roles"), on("by-policies"));
        if !(by_roles.is_empty() && by_policies.is_empty()) {
            let or_none = |text: String| if text.is_empty() { "nothing".to_owned() } else { text };
            lines.push(format!("{role}: {} | {}", or_none(by_roles), or_none(by_policies)));
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
