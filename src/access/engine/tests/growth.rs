//! How long it takes at two sizes, to be run by hand: `cargo test --lib growth -- --ignored --nocapture`.

use std::time::Instant;

use serde_json::{Value, json};

use crate::access::{Access, Answer};
use crate::evidence::Kind;
use crate::evidence::testing::{CaptureBuilder, TENANT};
use crate::model;

/// A tenant of so many subscriptions with 100 vaults, 2000 assignments, 400 principals and 100 groups nested five deep
/// each, and a few groups with everyone at the root.
fn tenant(subscriptions: usize) -> CaptureBuilder {
    let list = |items: Vec<Value>| json!({ "value": items });
    let group = |name: &str| format!("/providers/Microsoft.Management/managementGroups/{name}");
    let id = |kind: &str, number: usize| format!("{kind}{number:07}-0000-0000-0000-000000000000");
    let subscription = |number: usize| format!("/subscriptions/{}", id("f", number));
    let role = |name: &str, entry: Value| {
        json!({"id": format!("/providers/Microsoft.Authorization/roleDefinitions/{name}"),
            "properties": {"roleName": name, "type": "CustomRole", "permissions": [entry]}})
    };
    let roles = vec![
        role("owner", json!({"actions": ["*"]})),
        role("contributor", json!({"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]})),
        role("reader", json!({"actions": ["*/read"]})),
        role("user", json!({"dataActions": ["Microsoft.KeyVault/vaults/secrets/getSecret/action"]})),
    ];
    let names = ["owner", "contributor", "reader", "user"];
    let people: Vec<Value> = (0..subscriptions * 400)
        .map(|number| json!({"@odata.type": "#microsoft.graph.user", "id": id("a", number), "displayName": "x"}))
        .collect();
    let groups = subscriptions * 100;
    let group_json =
        |number: usize| json!({"@odata.type": "#microsoft.graph.group", "id": id("b", number), "displayName": "g"});
    let mut builder = CaptureBuilder::default()
        .answer(Kind::Subscriptions, "tenant", list((0..subscriptions).map(|n| json!({"id": subscription(n)})).collect()))
        .answer(Kind::ManagementGroups, "tenant", list(vec![json!({"id": group(TENANT)})]))
        .answer(
            Kind::ManagementGroupDescendants,
            &group(TENANT),
            list((0..subscriptions).map(|n| json!({"id": subscription(n), "type": "x", "properties": {"parent": {"id": group(TENANT)}}})).collect()),
        )
        .answer(Kind::DenyAssignments, &group(TENANT), list(Vec::new()))
        .answer(Kind::Principals, "directory", list(people.iter().cloned().chain((0..groups).map(group_json)).collect()));
    for number in 0..groups {
        // five deep: each group holds four people, and those behind it in its row of five
        let row_end = number - number % 5 + 5;
        let inner = (number + 1..row_end).map(group_json);
        let members = (number..row_end).flat_map(|n| people[n * 4..n * 4 + 4].iter().cloned());
        builder = builder.answer(
            Kind::GroupMembers,
            &format!("group:{}", id("b", number)),
            list(members.chain(inner).collect()),
        );
    }
    for number in 0..subscriptions {
        let vault = |n: usize| {
            format!("{}/resourceGroups/rg{}/providers/Microsoft.KeyVault/vaults/kv{n}", subscription(number), n % 10)
        };
        let vaults = (0..100).map(|n| json!({"id": vault(n), "name": format!("kv{n}"), "properties": {"tenantId": TENANT, "enableRbacAuthorization": n % 5 > 0}}));
        let assignments = (0..2000).map(|n| {
            let scope = match n {
                0..20 => subscription(number),
                20..200 => format!("{}/resourceGroups/rg{}", subscription(number), n % 10),
                _ => vault(n % 100),
            };
            let who = if n % 2 == 0 { id("a", (number * 400 + n) % (subscriptions * 400)) } else { id("b", (number * 100 + n) % groups) };
            json!({"id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{n}"),
                "properties": {"scope": scope, "principalId": who, "roleDefinitionId": format!("/x/{}", names[(n / 2) % 4])}})
        });
        builder = builder
            .answer(Kind::Vaults, &subscription(number), list(vaults.collect()))
            .answer(Kind::RoleDefinitions, &subscription(number), list(roles.clone()))
            .answer(Kind::DenyAssignments, &subscription(number), list(Vec::new()))
            .answer(Kind::RoleAssignments, &subscription(number), list(assignments.collect()));
    }
    builder
}

#[test]
#[ignore = "takes long, and asserts nothing that holds on every machine"]
fn growth_of_the_whole_matrix() {
    for subscriptions in [2, 4, 8, 16] {
        let capture = tenant(subscriptions).build();
        let start = Instant::now();
        let tenant = model::read(&capture).expect("a tenant");
        let read = start.elapsed();
        let start = Instant::now();
        let access = Access::of(&tenant);
        let ordered = start.elapsed();
        let start = Instant::now();
        let grants: usize = tenant.vaults.iter().map(|vault| access.on(&vault.id).len()).sum();
        let matrix = start.elapsed();
        let start = Instant::now();
        let gaps: usize = tenant.vaults.iter().map(|vault| access.gaps(&vault.id).len()).sum();
        let named = start.elapsed();
        let start = Instant::now();
        let one = access.of_principal(&tenant.vaults[0].id, "a0000000-0000-0000-0000-000000000000");
        let why = start.elapsed();
        assert!(one.iter().all(|grant| grant.answer == Answer::Allowed));
        eprintln!(
            "{subscriptions} subscriptions: read {read:?}, order {ordered:?}, {grants} grants in {matrix:?}, {gaps} gaps in {named:?}, one principal {why:?}"
        );
    }
}
