//! A tenant in which access is tangled: for each subscription 100 vaults, 2,000 role assignments, 400 principals and
//! 100 groups that hold each other five deep.

use serde_json::{Value, json};
use tickmark::evidence::Kind;

use crate::kept::Kept;

/// The tenant's id.
pub const TENANT: &str = "7e000000-0000-4000-8000-000000000001";
/// A principal that holds something.
pub const SOMEBODY: &str = "a0000000-0000-4000-8000-000000000000";
/// Vaults of a subscription; a fifth of them uses access policies.
const VAULTS: usize = 100;
/// Principals of a subscription.
const PEOPLE: usize = 400;
/// Groups of a subscription.
const GROUPS: usize = 100;
const ROLES: [&str; 5] = ["owner", "contributor", "reader", "reads-secrets", "administers"];

/// Keeps the answers of a tenant of so many subscriptions.
pub fn keep(kept: &mut Kept, subscriptions: usize) {
    let root = format!("/providers/Microsoft.Management/managementGroups/{TENANT}");
    let below =
        |sub| json!({"id": subscription(sub), "type": "/subscriptions", "properties": {"parent": {"id": root}}});
    kept.answer(
        Kind::Subscriptions,
        "tenant",
        (0..subscriptions).map(|sub| json!({"id": subscription(sub)})).collect(),
    );
    kept.answer(Kind::ManagementGroups, "tenant", vec![json!({"id": root})]);
    kept.answer(Kind::ManagementGroupDescendants, &root, (0..subscriptions).map(below).collect());
    kept.answer(Kind::DenyAssignments, &root, Vec::new());
    let (people, groups) = (subscriptions * PEOPLE, subscriptions * GROUPS);
    kept.answer(Kind::Principals, "directory", (0..people).map(person).chain((0..groups).map(group)).collect());
    for number in 0..groups {
        // each group holds four people, and those behind it in its row of five; the service lists members at any depth
        let row_end = number - number % 5 + 5;
        let members = (number..row_end).flat_map(|inner| (inner * 4..inner * 4 + 4).map(person));
        let scope = format!("group:{}", id("b", number));
        kept.answer(Kind::GroupMembers, &scope, members.chain((number + 1..row_end).map(group)).collect());
    }
    for sub in 0..subscriptions {
        kept.answer(Kind::Vaults, &subscription(sub), (0..VAULTS).map(|number| vault(sub, number)).collect());
        kept.answer(Kind::RoleDefinitions, &subscription(sub), roles());
        kept.answer(Kind::DenyAssignments, &subscription(sub), denies(sub));
        let assignments = (0..2_000).map(|number| assignment(sub, number, people, groups));
        kept.answer(Kind::RoleAssignments, &subscription(sub), assignments.collect());
    }
}

fn id(sort: &str, number: usize) -> String {
    format!("{sort}{number:07}-0000-4000-8000-000000000000")
}

fn subscription(number: usize) -> String {
    format!("/subscriptions/{}", id("f", number))
}

/// ARM id of a vault; ten resource groups share the vaults of a subscription.
pub fn vault_id(sub: usize, number: usize) -> String {
    let group = format!("{}/resourceGroups/rg{}", subscription(sub), number % 10);
    format!("{group}/providers/Microsoft.KeyVault/vaults/kv-{sub}-{number}")
}

fn person(number: usize) -> Value {
    let kind = if number.is_multiple_of(4) { "servicePrincipal" } else { "user" };
    json!({"@odata.type": format!("#microsoft.graph.{kind}"), "id": id("a", number), "displayName": format!("p{number}")})
}

fn group(number: usize) -> Value {
    json!({"@odata.type": "#microsoft.graph.group", "id": id("b", number), "displayName": format!("g{number}")})
}

fn vault(sub: usize, number: usize) -> Value {
    let policy = |n: usize| {
        let who = if n.is_multiple_of(4) { id("b", sub * GROUPS + n) } else { id("a", sub * PEOPLE + n) };
        json!({"tenantId": TENANT, "objectId": who, "permissions": {"secrets": ["get", "list"], "keys": ["all"]}})
    };
    let uses_policies = number.is_multiple_of(5);
    let policies: Vec<Value> = if uses_policies { (number..number + 16).map(policy).collect() } else { Vec::new() };
    json!({"id": vault_id(sub, number), "name": format!("kv-{sub}-{number}"),
        "properties": {"tenantId": TENANT, "enableRbacAuthorization": !uses_policies, "accessPolicies": policies}})
}

/// Roles of a few shapes: wildcards, subtraction, data actions.
fn roles() -> Vec<Value> {
    let role = |name: &str, entry: Value| {
        json!({"id": format!("/providers/Microsoft.Authorization/roleDefinitions/{name}"),
            "properties": {"roleName": name, "type": "CustomRole", "permissions": [entry]}})
    };
    vec![
        role("owner", json!({"actions": ["*"]})),
        role("contributor", json!({"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]})),
        role("reader", json!({"actions": ["*/read"]})),
        role("reads-secrets", json!({"dataActions": ["Microsoft.KeyVault/vaults/secrets/getSecret/action"]})),
        role("administers", json!({"dataActions": ["Microsoft.KeyVault/vaults/*"]})),
    ]
}

/// In every tenth subscription, one at a resource group that leaves a group out.
fn denies(sub: usize) -> Vec<Value> {
    let scope = format!("{}/resourceGroups/rg3", subscription(sub));
    let deny = json!({"id": format!("{scope}/providers/Microsoft.Authorization/denyAssignments/d{sub}"), "properties": {
        "denyAssignmentName": "stop", "scope": scope, "denyAssignmentEffect": "enforced",
        "principals": [{"id": "00000000-0000-0000-0000-000000000000"}],
        "excludePrincipals": [{"id": id("b", sub * GROUPS)}],
        "permissions": [{"dataActions": ["Microsoft.KeyVault/vaults/secrets/*"]}]}});
    if sub.is_multiple_of(10) { vec![deny] } else { Vec::new() }
}

/// One in a hundred at the subscription, one in ten at a resource group, the others at a vault; half of them to groups,
/// one in forty under a condition that names a secret.
fn assignment(sub: usize, number: usize, people: usize, groups: usize) -> Value {
    let scope = match number {
        0..20 => subscription(sub),
        20..200 => format!("{}/resourceGroups/rg{}", subscription(sub), number % 10),
        _ => vault_id(sub, number % VAULTS),
    };
    let who = match number % 2 {
        0 => id("a", (sub * PEOPLE + number) % people),
        _ => id("b", (sub * GROUPS + number) % groups),
    };
    let condition =
        (number % 40 == 7).then_some("@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'shared-secret'");
    json!({"id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{sub:04}{number:04}"),
        "properties": {"scope": scope, "principalId": who, "condition": condition,
            "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{}", ROLES[(number / 2) % 5])}})
}
