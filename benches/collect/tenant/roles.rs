//! Role assignments and the definitions behind them.

use std::fmt::Write;

use super::{APPLICATION, APPLICATIONS, GROUP, GROUPS, IDENTITY, Size, USER, guid};

/// When every assignment was made.
const MADE: &str = "2025-10-01T07:00:00.1102871Z";
/// Built-in roles of a tenant today.
const BUILT_IN_ROLES: usize = 928;

/// Roles that matter for vaults: GUID, name, actions, data actions.
const ROLES: &[(&str, &str, &str, &str)] = &[
    ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", r#""*""#, ""),
    ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", r#""*""#, ""),
    ("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", r#""*/read""#, ""),
    (
        "4633458b-17de-408a-b874-0445c86b69e6",
        "Key Vault Secrets User",
        "",
        r#""Microsoft.KeyVault/vaults/secrets/getSecret/action","Microsoft.KeyVault/vaults/secrets/readMetadata/action""#,
    ),
    (
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "Key Vault Secrets Officer",
        r#""Microsoft.KeyVault/checkNameAvailability/read","Microsoft.KeyVault/vaults/*/read""#,
        r#""Microsoft.KeyVault/vaults/secrets/*""#,
    ),
    (
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        "Key Vault Administrator",
        r#""Microsoft.KeyVault/checkNameAvailability/read","Microsoft.KeyVault/vaults/*/read""#,
        r#""Microsoft.KeyVault/vaults/*""#,
    ),
];

/// One role assignment, and its row in the index. Of a hundred, 2 are at the subscription, 18 at a resource group, 30 at a vault, the rest
/// at other resources.
pub fn assignment(
    size: Size,
    sub: usize,
    id: &str,
    number: usize,
    rg: &dyn Fn(usize) -> String,
    vault: &dyn Fn(usize) -> String,
    identity: &dyn Fn(usize) -> String,
) -> (String, String) {
    let turn = number / 100 + number % 100 * 7;
    let (scope, role) = match number % 100 {
        0 | 1 => (id.to_owned(), [2, 2, 2, 1, 0][number / 100 % 5]),
        2..20 => (rg(turn % size.vaults), [2, 2, 1, 2, 3, 2, 1, 5, 2, 2][turn % 10]),
        20..50 => (vault(turn % size.vaults), [3, 3, 3, 4, 3, 3, 5, 3, 2, 3][turn % 10]),
        _ => (identity(turn % (size.vaults / 2)), [2, 1][turn % 2]),
    };
    let identities = size.vaults / 2;
    let (principal, kind) = match number % 10 {
        0..6 => (guid(IDENTITY, sub, turn % identities), "ServicePrincipal"),
        6 | 7 => (guid(USER, sub, turn % 40), "User"),
        8 => (guid(GROUP, sub, turn % GROUPS), "Group"),
        _ => (guid(APPLICATION, sub, turn % APPLICATIONS), "ServicePrincipal"),
    };
    let (role, ..) = ROLES[role];
    let (definition, name) =
        (format!("{id}/providers/Microsoft.Authorization/roleDefinitions/{role}"), guid(0x7a, sub, number));
    let listed = format!(
        r#"{{"properties":{{"roleDefinitionId":"{definition}","principalId":"{principal}","principalType":"{kind}","scope":"{scope}","condition":null,"conditionVersion":null,"createdOn":"{MADE}","updatedOn":"{MADE}","createdBy":"{0}","updatedBy":"{0}","delegatedManagedIdentityResourceId":null,"description":null}},"id":"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}","type":"Microsoft.Authorization/roleAssignments","name":"{name}"}}"#,
        guid(USER, sub, 1)
    );
    let row = format!(
        r#"{{"id":"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}","type":"microsoft.authorization/roleassignments","principalId":"{principal}","scope":"{scope}","roleDefinitionId":"{definition}","createdOn":"{MADE}"}}"#
    );
    (listed, row)
}

/// The role definitions as a subscription lists them: the built-in ones carry its id.
pub fn definitions(sub: &str) -> Vec<String> {
    let one = |guid: &str, name: &str, actions: &str, data: &str| {
        format!(
            r#"{{"properties":{{"roleName":"{name}","type":"BuiltInRole","description":"Lets a principal do what the name says, as the documentation of the service tells in a sentence or two of about this length.","assignableScopes":["/"],"permissions":[{{"actions":[{actions}],"notActions":[],"dataActions":[{data}],"notDataActions":[]}}],"createdOn":"2015-02-02T21:55:09.8806423Z","updatedOn":"2023-03-17T00:10:13.0100000Z","createdBy":null,"updatedBy":null}},"id":"{sub}/providers/Microsoft.Authorization/roleDefinitions/{guid}","type":"Microsoft.Authorization/roleDefinitions","name":"{guid}"}}"#
        )
    };
    let mut listed: Vec<String> =
        ROLES.iter().map(|(guid, name, actions, data)| one(guid, name, actions, data)).collect();
    for number in ROLES.len()..BUILT_IN_ROLES {
        let provider = number % 90;
        let mut actions = String::from(
            r#""Microsoft.Authorization/*/read","Microsoft.Insights/alertRules/*","Microsoft.Resources/deployments/*","Microsoft.Resources/subscriptions/resourceGroups/read""#,
        );
        for action in 0..number % 8 {
            let _ = write!(actions, r#","Microsoft.Provider{provider}/things{action}/read""#);
        }
        listed.push(one(&guid(0x8d, 0, number), &format!("Service {provider} Role {number}"), &actions, ""));
    }
    listed
}
