//! The setup as commands of `az`, and as a Bicep file.

use super::{DESCRIPTION, Setup, data_definition, definition};
use crate::collect;

/// A script that creates the role, assigns it, and grants the permissions of Microsoft Graph.
pub(super) fn az(setup: &Setup) -> String {
    let principal = setup.principal.as_deref().unwrap_or("OBJECT-ID");
    let graph_permissions = collect::graph_permissions().join(" ");
    let graph = &setup.graph;
    let above = match setup.scopes.iter().any(|scope| scope.starts_with("/subscriptions/")) {
        true => {
            "\n# In subscriptions alone the management groups above stay unread, and access that comes from there is not\n\
             # evaluated. To see it, assign the role at the root management group too (and make it assignable there).\n"
        }
        false => "",
    };
    let role = if setup.built_in { built_in(setup) } else { custom(setup) };
    format!(
        r#"#!/bin/sh
# What tickmark needs to collect: roles in Azure and application permissions in Microsoft Graph. Computed from its table
# of questions; docs/permissions.md says which question needs what. All of it is reading.
# Who runs this needs Owner or User Access Administrator at the scopes below, and Privileged Role Administrator in
# the directory. Replace OBJECT-ID and ROOT-GROUP where they stand. It can be run again.
set -eu

# Object id of the managed identity or service principal (of the principal, not of the application).
WHO='{principal}'
give() {{ az role assignment create --assignee-object-id "$WHO" --assignee-principal-type ServicePrincipal --role "$1" --scope "$2"; }}

{role}{above}
# Microsoft Graph. (`az ad app permission` would do for an app registration; a managed identity has none, so that the
# assignments are made directly.)
GRAPH=00000003-0000-0000-c000-000000000000
GRAPH_PRINCIPAL=$(az ad sp show --id $GRAPH --query id -o tsv)
HELD=$(az rest --url "https://{graph}/v1.0/servicePrincipals/$WHO/appRoleAssignments" --query 'value[].appRoleId' -o tsv)
for PERMISSION in {graph_permissions}; do
  APP_ROLE=$(az ad sp show --id $GRAPH --query "appRoles[?value=='$PERMISSION' && contains(allowedMemberTypes, 'Application')].id" -o tsv)
  [ -n "$APP_ROLE" ] || {{ echo "Microsoft Graph has no application permission $PERMISSION" >&2; exit 1; }}
  case "$HELD" in *"$APP_ROLE"*) continue ;; esac
  az rest --method POST --url "https://{graph}/v1.0/servicePrincipals/$WHO/appRoleAssignments" \
    --headers Content-Type=application/json \
    --body "{{\"principalId\": \"$WHO\", \"resourceId\": \"$GRAPH_PRINCIPAL\", \"appRoleId\": \"$APP_ROLE\"}}"
done

# If you want it: assignments at `/`, above the root management group. No custom role can hold there, Management Group
# Reader reads no assignments, and who assigns a role there needs elevated access. Without it that one question is
# refused, and the report says so.
# give Reader /

# Then see what works: tickmark doctor
"#
    )
}

/// The custom role and where it holds.
fn custom(setup: &Setup) -> String {
    let role = serde_json::to_string_pretty(&definition(setup)).unwrap_or_default();
    let scopes: String = setup.scopes.iter().map(|scope| format!("give \"$ROLE\" '{scope}'\n")).collect();
    let (name, root) = (&setup.name, &setup.root);
    let data = data(setup);
    format!(
        r#"# The role. `*/read` would be shorter and would read everything; here every action is named. It has a price: the
# list of resources leaves out, without a word, types that the role does not name. Named are the types that checks
# look for. Add others that carry identities in your tenant (az resource list --query '[].type' -o tsv | sort -u).
ROLE='{name}'
DEFINITION='{role}'
az role definition create --role-definition "$DEFINITION" || az role definition update --role-definition "$DEFINITION"

# Where it holds. Of logs, workspaces/query/read lets a query run and workspaces/query/TABLE/read shows the rows of one
# table. A workspace outside these scopes needs the role as well, or Log Analytics Data Reader. A table marked as
# protected needs Privileged Monitoring Data Reader. A new role may take some minutes until it can be assigned.
{scopes}# The list of management groups has been seen to come back empty for a custom role with the same action.
give "Management Group Reader" '{root}'
{data}"#
    )
}

/// The role for vaults that are asked themselves, where the configuration says so.
fn data(setup: &Setup) -> String {
    if setup.data_scopes.is_empty() {
        return String::new();
    }
    let role = serde_json::to_string_pretty(&data_definition(setup)).unwrap_or_default();
    let name = &setup.name;
    let scopes: String =
        setup.data_scopes.iter().map(|scope| format!("give '{name} Vault Metadata' '{scope}'\n")).collect();
    format!(
        r#"
# Vaults are asked themselves for what they hold (vault_objects = "data_plane"): names and attributes, no values. A role
# with data actions can be assigned in subscriptions only. In a vault with access policies it has no effect.
DEFINITION='{role}'
az role definition create --role-definition "$DEFINITION" || az role definition update --role-definition "$DEFINITION"
{scopes}"#
    )
}

/// Roles that Azure has already.
fn built_in(setup: &Setup) -> String {
    let scopes: String = setup.scopes.iter().map(|scope| format!("give Reader '{scope}'\n")).collect();
    let root = &setup.root;
    let data = match setup.data_scopes.is_empty() {
        true => String::new(),
        false => {
            let scopes = setup.scopes.iter().map(|scope| format!("give 'Key Vault Reader' '{scope}'\n"));
            format!(
                "# Vaults are asked themselves for what they hold: names and attributes, no values.\n{}",
                scopes.collect::<String>()
            )
        }
    };
    format!(
        r#"# Roles that Azure has. They read more than tickmark asks for.
{scopes}give "Management Group Reader" '{root}'
# Of all workspaces that are visible, or of those only that hold logs of vaults. A table marked as protected needs
# Privileged Monitoring Data Reader.
for WORKSPACE in $(az monitor log-analytics workspace list --query '[].id' -o tsv); do
  give "Log Analytics Data Reader" "$WORKSPACE"
done
{data}"#
    )
}

/// Id of the role Key Vault Reader (learn:azure/role-based-access-control/built-in-roles/security).
pub(super) const KEY_VAULT_READER: &str = "21090545-7ca7-4776-b22c-e363652d74d2";

/// A Bicep file for a management group. Microsoft Graph is not in it: plain Bicep cannot reach it.
pub(super) fn bicep(setup: &Setup) -> String {
    let actions: String = collect::actions().iter().map(|action| format!("          '{action}'\n")).collect();
    let (name, description) = (&setup.name, DESCRIPTION);
    let principal = setup.principal.as_ref().map(|principal| format!(" = '{principal}'")).unwrap_or_default();
    let vaults = match setup.data_scopes.is_empty() {
        true => String::new(),
        false => format!(
            r#"
// Vaults are asked themselves for what they hold (vault_objects = "data_plane"): names and attributes, no values. A
// custom role with data actions cannot be assigned at a management group, so that this is Key Vault Reader.
resource vaults 'Microsoft.Authorization/roleAssignments@2022-04-01' = {{
  name: guid(managementGroup().id, principalId, '{KEY_VAULT_READER}')
  properties: {{
    roleDefinitionId: tenantResourceId('Microsoft.Authorization/roleDefinitions', '{KEY_VAULT_READER}')
    principalId: principalId
    principalType: 'ServicePrincipal'
  }}
}}
"#
        ),
    };
    format!(
        r#"// The custom role of tickmark and its assignment at a management group, computed from its table of questions.
// az deployment mg create --management-group-id ROOT-GROUP --location LOCATION --template-file collector.bicep
// The permissions of Microsoft Graph are not in here: tickmark role --as az
targetScope = 'managementGroup'

@description('Object id of the managed identity or service principal that collects.')
param principalId string{principal}

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {{
  name: guid(managementGroup().id, '{name}')
  properties: {{
    roleName: '{name}'
    type: 'CustomRole'
    description: '{description}'
    permissions: [
      {{
        actions: [
{actions}        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }}
    ]
    assignableScopes: [
      managementGroup().id
    ]
  }}
}}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {{
  name: guid(managementGroup().id, principalId, role.id)
  properties: {{
    roleDefinitionId: role.id
    principalId: principalId
    principalType: 'ServicePrincipal'
  }}
}}
{vaults}"#
    )
}
