//! What the collecting identity must hold, added up over the table of questions.

use std::collections::BTreeSet;

use super::table::collectors;

/// One permission, in the system that grants it. Data actions stand apart: only a configuration that has vaults asked
/// themselves needs them, and a role that holds one cannot be assigned at a management group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// An action of the management plane, in an Azure role.
    Action(&'static str),
    /// An action on the data of a resource, in an Azure role.
    DataAction(&'static str),
    /// Rows of one table of Log Analytics, by the table's name; an action in an Azure role as well.
    LogTable(&'static str),
    /// An application permission of Microsoft Graph.
    Graph(&'static str),
}

impl Permission {
    /// The name by which it is granted.
    pub fn name(self) -> String {
        match self {
            Permission::Action(name) | Permission::DataAction(name) | Permission::Graph(name) => name.to_owned(),
            Permission::LogTable(table) => format!("Microsoft.OperationalInsights/workspaces/query/{table}/read"),
        }
    }

    /// The system that grants it.
    pub fn system(self) -> &'static str {
        match self {
            Permission::Action(_) => "Azure role",
            Permission::DataAction(_) => "Azure role, on data",
            Permission::LogTable(_) => "Azure role, by table",
            Permission::Graph(_) => "Microsoft Graph",
        }
    }
}

/// Every action that an Azure role for the collecting identity needs, each once, in order.
pub fn actions() -> Vec<String> {
    named(|permission| matches!(permission, Permission::Action(_) | Permission::LogTable(_)))
}

/// Every data action that a second role needs where vaults are asked themselves, each once, in order.
pub fn data_actions() -> Vec<String> {
    named(|permission| matches!(permission, Permission::DataAction(_)))
}

/// Every application permission of Microsoft Graph that it needs, each once, in order.
pub fn graph_permissions() -> Vec<String> {
    named(|permission| matches!(permission, Permission::Graph(_)))
}

fn named(is_wanted: fn(&Permission) -> bool) -> Vec<String> {
    let all = collectors().flat_map(|collector| collector.permissions).filter(|permission| is_wanted(permission));
    all.map(|permission| permission.name()).collect::<BTreeSet<String>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::Api;

    #[test]
    fn only_reads_are_needed_and_each_is_named() {
        let actions = actions();
        assert!(actions.len() > 20);
        for action in &actions {
            assert!(action.ends_with("/read"), "`{action}` is no read");
            assert!(!action.contains('*'), "`{action}` is wider than a question");
            assert!(action.to_ascii_lowercase().starts_with("microsoft."), "`{action}` is of no provider of Azure");
        }
        for permission in graph_permissions() {
            assert!(permission.contains(".Read.") || permission.ends_with(".Read"), "`{permission}` is no read");
        }
        // Of vaults, the resource and lists of what is in it; its values have other names.
        let of_vaults: Vec<&String> =
            actions.iter().filter(|action| action.starts_with("Microsoft.KeyVault/")).collect();
        assert_eq!(
            of_vaults,
            [
                "Microsoft.KeyVault/deletedVaults/read",
                "Microsoft.KeyVault/managedHSMs/read",
                "Microsoft.KeyVault/vaults/keys/read",
                "Microsoft.KeyVault/vaults/read",
                "Microsoft.KeyVault/vaults/secrets/read"
            ]
        );
        assert_eq!(
            data_actions(),
            [
                "Microsoft.KeyVault/vaults/certificates/read",
                "Microsoft.KeyVault/vaults/keys/read",
                "Microsoft.KeyVault/vaults/secrets/readMetadata/action"
            ]
        );
    }

    #[test]
    fn what_is_needed_is_what_the_questions_need() {
        let (actions, data, graph) = (actions(), data_actions(), graph_permissions());
        for collector in collectors() {
            assert!(!collector.permissions.is_empty(), "{:?}", collector.kind);
            for permission in collector.permissions {
                let (held, is_api) = match permission {
                    Permission::Graph(_) => (&graph, collector.api == Api::Graph),
                    Permission::DataAction(_) => (&data, collector.api == Api::KeyVault),
                    _ => (&actions, !matches!(collector.api, Api::Graph | Api::KeyVault)),
                };
                assert!(held.contains(&permission.name()), "{:?}", collector.kind);
                assert!(is_api, "{:?}", collector.kind);
            }
        }
        let needed_by_none = |name: &&String| {
            !collectors().flat_map(|row| row.permissions).any(|permission| permission.name() == **name)
        };
        assert_eq!(actions.iter().chain(&data).chain(&graph).find(needed_by_none), None);
    }

    #[test]
    fn a_log_question_may_run_and_sees_its_own_table_only() {
        let row = collectors().find(|row| row.kind == crate::evidence::Kind::VaultLogLegacyCount).expect("a row");
        let names: Vec<String> = row.permissions.iter().map(|permission| permission.name()).collect();
        assert_eq!(
            names,
            [
                "Microsoft.OperationalInsights/workspaces/query/read",
                "Microsoft.OperationalInsights/workspaces/query/AzureDiagnostics/read"
            ]
        );
    }
}
