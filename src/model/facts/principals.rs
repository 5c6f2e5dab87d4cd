//! Principals of the directory, and members of groups.

use crate::evidence::Cite;

/// What a principal is, as the directory says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalKind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A service principal of a managed identity.
    ManagedIdentity,
    /// Any other service principal.
    ServicePrincipal,
    /// Anything else, by its `@odata.type` or `servicePrincipalType`.
    Other(String),
}

impl PrincipalKind {
    /// The field's word for it.
    pub fn words(&self) -> &str {
        match self {
            PrincipalKind::User => "user",
            PrincipalKind::Group => "group",
            PrincipalKind::ManagedIdentity => "managed identity",
            PrincipalKind::ServicePrincipal => "service principal",
            PrincipalKind::Other(name) => name,
        }
    }

    /// Whether it is a non-human identity.
    pub fn is_non_human(&self) -> bool {
        matches!(self, PrincipalKind::ManagedIdentity | PrincipalKind::ServicePrincipal)
    }
}

/// A principal in the directory.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Lower-case object id.
    pub id: String,
    /// What it is.
    pub kind: PrincipalKind,
    /// Display name.
    pub name: String,
    /// `appId`, for service principals.
    pub app_id: Option<String>,
    /// `accountEnabled`.
    pub enabled: Option<bool>,
    /// `userType`, for users: `Member`, `Guest`.
    pub user_type: Option<String>,
    /// `appOwnerOrganizationId`, for service principals.
    pub owner_organization: Option<String>,
    /// `isAssignableToRole`, for groups: only privileged administrators and owners change the members of one that is.
    pub role_assignable: Option<bool>,
    /// `alternativeNames`: for managed identities, holds the ARM id of the owner.
    pub alternative_names: Vec<String>,
    /// Where it was read.
    pub from: Cite,
}

/// A transitive member of a group.
#[derive(Clone, Debug)]
pub struct Member {
    /// Lower-case object id.
    pub id: String,
    /// `@odata.type`, as received.
    pub odata_type: Option<String>,
    /// Display name.
    pub name: String,
    /// `userType`, for users: `Member`, `Guest`.
    pub user_type: Option<String>,
    /// Where it was read.
    pub from: Cite,
}
