//! What a question is asked about: the tenant, a subscription, a vault, …

/// A family of scopes. A kind of question is asked at every scope of each of its families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Over {
    /// The tenant as a whole. Scope: `tenant`.
    Tenant,
    /// The root of role-based access control. Scope: `/`.
    Root,
    /// A management group. Scope: its id.
    ManagementGroup,
    /// A subscription. Scope: `/subscriptions/{guid}`.
    Subscription,
    /// All subscriptions that are asked in, together. Scope: `subscriptions`.
    Subscriptions,
    /// A user-assigned identity. Scope: its id.
    Identity,
    /// A vault. Scope: its id.
    Vault,
    /// A vault that is asked itself for what it holds. Scope: its id.
    VaultDataPlane,
    /// An app of App Service. Scope: its id.
    Site,
    /// A data factory. Scope: its id.
    Factory,
    /// A SQL server. Scope: its id.
    SqlServer,
    /// A resource group or resource at which somebody can activate a role. Scope: its id.
    EligibleScope,
    /// A vault whose contents Resource Manager is asked for. Scope: its id.
    VaultContents,
    /// A slot of an app. Scope: its id.
    Slot,
    /// A workspace that a diagnostic setting names and no list showed. Scope: its id.
    NamedWorkspace,
    /// A storage account that a diagnostic setting names. Scope: its id.
    Archive,
    /// A workspace in use. Scope: its id.
    Workspace,
    /// The log of a workspace in use, counted. Scope: `workspace:{GUID for queries}`.
    LogCount,
    /// A table of the log of a workspace in use, of those that are asked about. Scope: that of the log, `/` and the
    /// table's name.
    LogTable,
    /// The log of a workspace in use. Scope: `workspace:{GUID for queries}`.
    Log,
    /// The directory as a whole. Scope: `directory`.
    Directory,
    /// An app registration. Scope: `application:{object id}`.
    Application,
    /// A policy that says which credentials applications may have. Scope: `app-policy:{id}`.
    AppPolicy,
    /// The object ids that answers name, looked up in batches. Scope: `directory`.
    Principals,
    /// A group among the principals. Scope: `group:{object id}`.
    Group,
    /// A service principal among the principals that is no managed identity. Scope: `service-principal:{object id}`.
    ServicePrincipal,
}

impl Over {
    /// The families in the order in which they are asked: what stands in one row goes out side by side, and follows
    /// from the answers to the rows before.
    pub const STAGES: &'static [&'static [Over]] = &[
        &[Over::Tenant, Over::Root],
        &[Over::ManagementGroup],
        &[Over::Subscription, Over::Subscriptions],
        &[
            Over::Identity,
            Over::Vault,
            Over::VaultDataPlane,
            Over::Site,
            Over::Factory,
            Over::SqlServer,
            Over::EligibleScope,
        ],
        &[Over::VaultContents, Over::Slot, Over::NamedWorkspace, Over::Archive],
        &[Over::Workspace],
        &[Over::LogCount, Over::LogTable],
        &[Over::Log],
        &[Over::Directory],
        &[Over::Application, Over::AppPolicy],
        &[Over::Principals],
        &[Over::Group, Over::ServicePrincipal],
    ];

    /// The scopes of the family, for one whose scopes are known before anything is asked.
    pub fn fixed(self) -> Option<&'static str> {
        match self {
            Over::Tenant => Some("tenant"),
            Over::Root => Some("/"),
            Over::Directory => Some("directory"),
            _ => None,
        }
    }

    /// What one scope of the family is, in words, as the plan says it.
    pub fn words(self) -> &'static str {
        match self {
            Over::Tenant => "tenant",
            Over::Root => "root scope",
            Over::ManagementGroup => "management group that is visible",
            Over::Subscription => "subscription that is visible or that the tree names",
            Over::Subscriptions => "group of subscriptions that are visible or that the tree names",
            Over::Identity => "user-assigned identity that was found",
            Over::Vault => "vault that was found",
            Over::VaultDataPlane => "vault that was found, where `vault_objects` is `data_plane`",
            Over::Site => "app that was found",
            Over::Factory => "data factory that was found",
            Over::SqlServer => "SQL server that was found",
            Over::EligibleScope => "resource group or resource at which a role can be activated",
            Over::Slot => "slot of an app that was found",
            Over::VaultContents => "vault that was found, unless it has told itself what it holds",
            Over::NamedWorkspace => "workspace that a diagnostic setting names and no list holds",
            Over::Archive => "storage account that a diagnostic setting names",
            Over::Workspace => "workspace in use: named by a diagnostic setting, or expected",
            Over::LogCount | Over::Log => "workspace in use",
            Over::LogTable => "table of a workspace in use",
            Over::Directory => "directory",
            Over::Application => "app registration that was found",
            Over::AppPolicy => "app management policy that was found",
            Over::Principals => {
                "thousand object ids in role assignments, access policies, identities, log rows and directory roles"
            }
            Over::Group => "group among the principals",
            Over::ServicePrincipal => "service principal among the principals that is no managed identity",
        }
    }

    /// What stands before the id in the scopes of a family of directory objects, lower case.
    pub fn prefix(self) -> Option<&'static str> {
        match self {
            Over::Application => Some("application:"),
            Over::AppPolicy => Some("app-policy:"),
            Over::Group => Some("group:"),
            Over::ServicePrincipal => Some("service-principal:"),
            _ => None,
        }
    }

    /// The resource type whose id is the scope, lower case, for families of resources below a subscription.
    pub fn resource_type(self) -> Option<&'static str> {
        match self {
            Over::Identity => Some("microsoft.managedidentity/userassignedidentities"),
            Over::Vault | Over::VaultDataPlane | Over::VaultContents => Some("microsoft.keyvault/vaults"),
            Over::Archive => Some("microsoft.storage/storageaccounts"),
            Over::Site => Some("microsoft.web/sites"),
            Over::Slot => Some("microsoft.web/sites/slots"),
            Over::Factory => Some("microsoft.datafactory/factories"),
            Over::SqlServer => Some("microsoft.sql/servers"),
            Over::NamedWorkspace | Over::Workspace => Some("microsoft.operationalinsights/workspaces"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Kind;

    #[test]
    fn every_family_has_its_place_and_the_order_is_that_of_the_declaration() {
        let placed: Vec<Over> = Over::STAGES.iter().flat_map(|stage| stage.iter().copied()).collect();
        assert!(placed.is_sorted(), "{placed:?}");
        assert_eq!(placed.last(), Some(&Over::ServicePrincipal));
        assert!(placed.iter().all(|over| Kind::ALL.iter().any(|kind| kind.over().contains(over))), "{placed:?}");
        assert!(Kind::ALL.iter().flat_map(|kind| kind.over()).all(|over| placed.contains(over)));
    }
}
