//! `tickmark role`: the least that the collecting identity must hold, computed from the table of questions.

mod markdown;
mod script;

use serde_json::{Value, json};

use super::args::{Args, Format, Role, RoleForm};
use super::collect::optional_config;
use super::config::Config;
use super::terminal::Terminal;
use super::{CliError, End};
use crate::collect;
use crate::evidence::VaultObjects;

/// What a role is made out for: names and scopes from the configuration, placeholders where there is none.
pub(super) struct Setup {
    /// Name of the custom role.
    name: String,
    /// Object id of the collecting identity, where given.
    principal: Option<String>,
    /// Where the role is assigned: ARM ids.
    scopes: Vec<String>,
    /// Where the role can be assigned: one management group at most, or subscriptions.
    assignable: Vec<String>,
    /// Whether roles that Azure has are assigned instead of a custom one.
    built_in: bool,
    /// Subscriptions at which the role for the data of vaults is assigned; empty where vaults are not asked themselves.
    data_scopes: Vec<String>,
    /// ARM id of the root management group.
    root: String,
    /// Host of Microsoft Graph.
    graph: String,
}

/// Stands for the name of the tenant's root group, which is the tenant's GUID.
const ROOT_GROUP: &str = "ROOT-GROUP";

/// Stands for a subscription's GUID.
const SUBSCRIPTION: &str = "SUBSCRIPTION-ID";

pub(super) fn run(options: &Role, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let setup = Setup::of(options, optional_config(args)?.as_ref())?;
    let form = match (options.form, terminal.format) {
        (Some(form), _) => form,
        (None, Format::Json) => RoleForm::Json,
        (None, _) => RoleForm::Az,
    };
    let text = match form {
        RoleForm::Az => script::az(&setup),
        RoleForm::Json => return terminal.json(&definitions(&setup)).map(|()| End::Clean),
        RoleForm::Bicep => script::bicep(&setup),
        RoleForm::Markdown => markdown::page(),
    };
    terminal.raw(text.as_bytes())?;
    Ok(End::Clean)
}

impl Setup {
    fn of(options: &Role, config: Option<&Config>) -> Result<Setup, CliError> {
        // both end up in a script
        let is_plain = |text: &str, further: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || further.contains(c))
        };
        if !is_plain(&options.name, " -_.") {
            return Err(CliError::Use(format!(
                "`{}` is no name for a role here\nuse letters, digits, spaces, `-`, `_` and `.`",
                options.name
            )));
        }
        if let Some(principal) = options.principal.as_ref().filter(|principal| !is_plain(principal, "-")) {
            return Err(CliError::Use(format!(
                "`{principal}` is no object id\nit is a GUID; that of the service principal, not of the application"
            )));
        }
        let group = |name: &str| format!("/providers/Microsoft.Management/managementGroups/{name}");
        let root = group(config.map_or(ROOT_GROUP, |config| &config.azure.tenant_id));
        let groups: Vec<String> = config
            .map(|config| config.azure.management_groups.iter().map(|name| group(name)).collect())
            .unwrap_or_default();
        let subscriptions: Vec<String> = config
            .map(|config| config.azure.subscriptions.iter().map(|id| format!("/subscriptions/{id}")).collect())
            .unwrap_or_default();
        let asks_vaults = config.is_some_and(|config| config.azure.vault_objects == VaultObjects::DataPlane);
        let data_scopes = match (asks_vaults, subscriptions.as_slice()) {
            (false, _) => Vec::new(),
            (true, []) => vec![format!("/subscriptions/{SUBSCRIPTION}")],
            (true, named) => named.to_vec(),
        };
        let (scopes, assignable) = match (groups.as_slice(), subscriptions.is_empty()) {
            ([], true) => (vec![root.clone()], vec![root.clone()]),
            ([], false) => (subscriptions.clone(), subscriptions),
            ([one], true) => (groups.clone(), vec![one.clone()]),
            // a custom role names one group at most; the root group is above all of them
            _ => ([groups, subscriptions].concat(), vec![root.clone()]),
        };
        let cloud = match config {
            Some(config) => match &config.azure.endpoints {
                Some(endpoints) => crate::azure::Cloud::custom(endpoints)?,
                None => crate::azure::Cloud::named(&config.azure.cloud)?,
            },
            None => crate::azure::Cloud::named("public")?,
        };
        Ok(Setup {
            name: options.name.clone(),
            built_in: options.built_in,
            principal: options.principal.clone(),
            scopes,
            assignable,
            data_scopes,
            root,
            graph: cloud.host(crate::azure::Api::Graph),
        })
    }
}

/// The custom role; where vaults are asked themselves, a list of both roles. No role that can be assigned at a
/// management group may have data actions, so that one role cannot be both.
fn definitions(setup: &Setup) -> Value {
    match setup.data_scopes.is_empty() {
        true => definition(setup),
        false => json!([definition(setup), data_definition(setup)]),
    }
}

/// The custom role as `az role definition create` takes it.
fn definition(setup: &Setup) -> Value {
    json!({
        "Name": setup.name,
        "IsCustom": true,
        "Description": DESCRIPTION,
        "Actions": collect::actions(),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": setup.assignable,
    })
}

/// The second role, for vaults that are asked themselves: names and attributes of what they hold. A role with data
/// actions can be assigned in subscriptions only.
fn data_definition(setup: &Setup) -> Value {
    json!({
        "Name": format!("{} Vault Metadata", setup.name),
        "IsCustom": true,
        "Description": "Lists what vaults hold, without values.",
        "Actions": [],
        "NotActions": [],
        "DataActions": collect::data_actions(),
        "NotDataActions": [],
        "AssignableScopes": setup.data_scopes,
    })
}

const DESCRIPTION: &str = "Reads what tickmark asks for, and no more. Resource types that are not named here stay \
                           invisible: add those that carry identities in your tenant.";

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Role {
        Role { form: None, principal: None, name: "Tickmark Collector".to_owned(), built_in: false }
    }

    fn setup() -> Setup {
        Setup::of(&options(), None).expect("a setup")
    }

    fn committed(path: &str) -> String {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    #[test]
    fn the_committed_role_is_the_computed_one() {
        let committed: Value = serde_json::from_str(&committed("docs/collector-role.json")).expect("JSON");
        assert_eq!(
            committed,
            definition(&setup()),
            "write it again: tickmark role --as json > docs/collector-role.json"
        );
    }

    #[test]
    fn the_committed_page_is_the_generated_one() {
        assert!(
            committed("docs/permissions.md") == markdown::page(),
            "docs/permissions.md is not what the table says\nwrite it again: tickmark role --as markdown > docs/permissions.md"
        );
    }

    #[test]
    fn every_type_that_a_check_looks_for_among_resources_can_be_read() {
        let actions: Vec<String> = collect::actions().iter().map(|action| action.to_lowercase()).collect();
        for resource_type in crate::check::WORKLOADS {
            assert!(actions.contains(&format!("{resource_type}/read")), "{resource_type}");
        }
    }

    #[test]
    fn every_form_grants_every_action_and_nothing_else() {
        let setup = setup();
        let actions = collect::actions();
        let json = definition(&setup);
        assert_eq!(json["Actions"], json!(actions));
        assert_eq!(json["DataActions"], json!([]));
        let bicep = script::bicep(&setup);
        let listed: Vec<&str> = bicep
            .lines()
            .map(str::trim)
            .filter_map(|line| line.strip_prefix("'Microsoft.")?.strip_suffix('\''))
            .collect();
        let expected: Vec<&str> = actions.iter().filter_map(|action| action.strip_prefix("Microsoft.")).collect();
        assert_eq!(listed, expected);
        let az = script::az(&setup);
        for action in &actions {
            assert!(az.contains(&format!("\"{action}\"")), "{action}");
        }
        for permission in collect::graph_permissions() {
            assert!(az.contains(&permission), "{permission}");
        }
    }

    #[test]
    fn where_vaults_are_asked_themselves_every_form_lets_them_be_asked() {
        let arm = setup();
        assert!(definitions(&arm).is_object() && !script::bicep(&arm).contains(script::KEY_VAULT_READER));
        assert!(!script::az(&arm).contains("DataActions\": [\n    \"Microsoft.KeyVault"));
        let scope = format!("/subscriptions/{SUBSCRIPTION}");
        let setup = Setup { data_scopes: vec![scope.clone()], ..setup() };
        let roles = definitions(&setup);
        assert_eq!((&roles[0], &roles[1]), (&definition(&setup), &data_definition(&setup)));
        assert_eq!(roles[1]["DataActions"], json!(collect::data_actions()));
        assert!(!collect::data_actions().is_empty());
        assert!(script::bicep(&setup).contains(&format!("'{}'", script::KEY_VAULT_READER)));
        assert!(script::az(&setup).contains(&format!("give 'Tickmark Collector Vault Metadata' '{scope}'")));
        let built_in = Setup { built_in: true, ..setup };
        assert!(script::az(&built_in).contains("give 'Key Vault Reader' "));
    }

    #[test]
    fn a_name_or_an_id_cannot_leave_its_place_in_the_script() {
        for name in ["a'; rm -rf x", "$(id)", "", "a\nb"] {
            assert!(Setup::of(&Role { name: name.to_owned(), ..options() }, None).is_err(), "{name}");
        }
        let principal = Some("x\"; y".to_owned());
        assert!(Setup::of(&Role { principal, ..options() }, None).is_err());
    }
}
