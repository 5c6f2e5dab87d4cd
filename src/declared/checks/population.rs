//! What a check of one's own can ask about: for each, the variable that an expression knows it by, and what must
//! have been read for it to be whole.

use crate::evidence::{Kind, Shape};
use crate::model::{Need, ObjectFamily, Reach};

/// What a check judges, one by one.
#[derive(Debug)]
pub struct Population {
    /// Its name in a file: `vaults`.
    pub name: &'static str,
    /// What an expression knows each by: `vault`.
    pub variable: &'static str,
    /// Where they are from.
    pub source: Source,
    /// What must have been read.
    pub needs: &'static [Need],
    /// What belongs to each, by variables of their own.
    pub related: &'static [Related],
}

/// Where the subjects of a check are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The records of one kind, as Azure told them and as they were kept.
    Records(Kind),
    /// What vaults hold, which two lists tell in two forms.
    Objects(ObjectFamily),
}

/// A record that belongs to a subject.
#[derive(Debug)]
pub struct Related {
    /// What an expression knows it by: `role`.
    pub variable: &'static str,
    /// Of which kind it is.
    pub kind: Kind,
    /// The member of the subject's `properties` whose last part is the record's.
    pub by: &'static str,
    /// What must have been read.
    pub need: Need,
}

/// Variables that every expression knows: the time of collection, and the period.
pub const TIMES: [&str; 3] = ["now", "period_start", "period_end"];

const fn list(kind: Kind) -> Need {
    Need { kind, reach: Reach::Population }
}

macro_rules! populations {
    ($($name:literal $variable:literal $kind:ident $($below:ident)*;)+) => {
        &[$(Population {
            name: $name,
            variable: $variable,
            source: Source::Records(Kind::$kind),
            needs: &[$(list(Kind::$below),)* list(Kind::$kind)],
            related: &[],
        }),+]
    };
}

/// Those with one list of records; behind the kind stand the lists that it is found through.
const PLAIN: &[Population] = populations! {
    "subscriptions" "subscription" Subscriptions;
    "resources" "resource" Resources;
    "virtual_machines" "machine" VirtualMachines;
    "scale_sets" "scale_set" ScaleSets;
    "sites" "site" Sites;
    "container_apps" "app" ContainerApps;
    "managed_clusters" "cluster" ManagedClusters;
    "data_factories" "factory" DataFactories;
    "automation_accounts" "account" AutomationAccounts;
    "logic_apps" "app" LogicApps;
    "user_assigned_identities" "identity" UserAssignedIdentities;
    "federated_credentials" "credential" FederatedCredentials UserAssignedIdentities;
    "vaults" "vault" Vaults;
    "deleted_vaults" "vault" DeletedVaults;
    "managed_hsms" "hsm" ManagedHsms;
    "diagnostic_settings" "setting" DiagnosticSettings Vaults;
    "storage_accounts" "account" StorageAccounts;
    "sql_servers" "server" SqlServers;
    "postgres_servers" "server" PostgresServers;
    "cosmos_accounts" "account" CosmosAccounts;
    "cognitive_accounts" "account" CognitiveAccounts;
    "search_services" "service" SearchServices;
    "private_endpoints" "endpoint" PrivateEndpoints;
    "workspaces" "workspace" Workspaces;
    "role_definitions" "role" RoleDefinitions;
    "locks" "lock" Locks;
    "activity_log_alerts" "rule" ActivityLogAlerts;
    "applications" "application" Applications;
    "service_principals" "principal" ServicePrincipals;
    "conditional_access_policies" "policy" ConditionalAccessPolicies;
};

/// The others.
const FURTHER: &[Population] = &[
    Population {
        name: "role_assignments",
        variable: "assignment",
        source: Source::Records(Kind::RoleAssignments),
        needs: &[list(Kind::RoleAssignments)],
        related: &[
            Related {
                variable: "role",
                kind: Kind::RoleDefinitions,
                by: "roleDefinitionId",
                need: Need { kind: Kind::RoleDefinitions, reach: Reach::Own },
            },
            Related {
                variable: "principal",
                kind: Kind::Principals,
                by: "principalId",
                need: Need { kind: Kind::Principals, reach: Reach::Whole },
            },
        ],
    },
    Population {
        name: "secrets",
        variable: "secret",
        source: Source::Objects(ObjectFamily::Secret),
        needs: &[list(Kind::Vaults), list(Kind::VaultSecrets), list(Kind::VaultDataSecrets)],
        related: &[],
    },
    Population {
        name: "keys",
        variable: "key",
        source: Source::Objects(ObjectFamily::Key),
        needs: &[list(Kind::Vaults), list(Kind::VaultKeys), list(Kind::VaultDataKeys)],
        related: &[],
    },
    Population {
        name: "certificates",
        variable: "certificate",
        source: Source::Objects(ObjectFamily::Certificate),
        needs: &[list(Kind::Vaults), list(Kind::VaultDataCertificates)],
        related: &[],
    },
];

impl Population {
    /// Every population, in the order of the documentation.
    pub fn all() -> impl Iterator<Item = &'static Population> {
        PLAIN.iter().chain(FURTHER)
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<&'static Population> {
        Population::all().find(|population| population.name == name)
    }

    /// What can be known of a subject; `kept` says what is kept of a record.
    pub fn shape(&self, kept: &dyn Fn(Kind) -> Shape) -> Shape {
        match self.source {
            Source::Records(kind) => kept(kind),
            Source::Objects(_) => object_shape(true, true),
        }
    }
}

/// What can be told of an object of a vault, by its way.
pub fn object_fields() -> &'static [&'static str] {
    &[
        "attributes.created",
        "attributes.enabled",
        "attributes.exp",
        "attributes.nbf",
        "attributes.updated",
        "id",
        "keySize",
        "kty",
        "managed",
        "name",
        "vault",
    ]
}

/// What is told of an object of a vault, by Resource Manager's list and by the vault's own. `exp` and the other times
/// are seconds, as both tell them.
pub fn object_shape(by_manager: bool, by_vault: bool) -> Shape {
    let mut members = vec![
        ("id".to_owned(), Shape::Leaf),
        ("name".to_owned(), Shape::Leaf),
        ("vault".to_owned(), Shape::Leaf),
        ("attributes".to_owned(), Shape::leaves(&["enabled", "nbf", "exp", "created", "updated"])),
    ];
    if by_manager {
        members.extend([("kty".to_owned(), Shape::Leaf), ("keysize".to_owned(), Shape::Leaf)]);
    }
    if by_vault {
        members.push(("managed".to_owned(), Shape::Leaf));
    }
    Shape::Object { members: members.into_iter().collect(), any: None }
}
