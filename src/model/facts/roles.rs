//! Role assignments, what roles give, and what is denied.

use chrono::{DateTime, Utc};

use crate::evidence::Cite;
use crate::model::Id;

/// A role assignment.
#[derive(Clone, Debug)]
pub struct RoleAssignment {
    /// ARM id.
    pub id: Id,
    /// `properties.scope`.
    pub scope: Id,
    /// Lower-case GUID of the role definition: the last segment of `roleDefinitionId`, which comes in three forms.
    pub role: String,
    /// Lower-case object id of the principal.
    pub principal_id: String,
    /// `principalType`, as received. Not a proof of what the principal is, and absent is unknown.
    pub principal_type: Option<String>,
    /// Text of the condition on the assignment, if any.
    pub condition: Option<String>,
    /// `createdOn`.
    pub created_on: Option<DateTime<Utc>>,
    /// `createdBy`, an object id.
    pub created_by: Option<String>,
    /// `delegatedManagedIdentityResourceId`, if any.
    pub delegated_managed_identity: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

/// A role definition.
#[derive(Clone, Debug)]
pub struct RoleDefinition {
    /// Lower-case GUID.
    pub guid: String,
    /// `roleName`.
    pub name: String,
    /// `type`: `BuiltInRole` or `CustomRole`, as received.
    pub role_type: Option<String>,
    /// One or more permission entries; each grants on its own.
    pub permissions: Vec<Permission>,
    /// Where it was read.
    pub from: Cite,
}

/// One entry of a role's permissions. The `not…` lists subtract inside this entry only.
#[derive(Clone, Debug, Default)]
pub struct Permission {
    /// Control-plane actions.
    pub actions: Vec<String>,
    /// Taken away from `actions`.
    pub not_actions: Vec<String>,
    /// Data-plane actions.
    pub data_actions: Vec<String>,
    /// Taken away from `data_actions`.
    pub not_data_actions: Vec<String>,
    /// Condition on this entry, if any.
    pub condition: Option<String>,
}

/// Something that the collecting identity may do.
#[derive(Clone, Debug)]
pub struct OwnPermission {
    /// The subscription.
    pub scope: Id,
    /// What it may do there.
    pub permission: Permission,
    /// Where it was read.
    pub from: Cite,
}

/// A deny assignment.
#[derive(Clone, Debug)]
pub struct DenyAssignment {
    /// ARM id.
    pub id: Id,
    /// Name.
    pub name: String,
    /// `properties.scope`.
    pub scope: Id,
    /// `denyAssignmentEffect`: `enforced`, `audit`; absent is unknown and never credited.
    pub effect: Option<String>,
    /// Lower-case object ids; the zero GUID means everyone.
    pub principals: Vec<String>,
    /// Lower-case object ids that are left out.
    pub exclude_principals: Vec<String>,
    /// `doNotApplyToChildScopes`.
    pub not_to_children: Option<bool>,
    /// Permission entries.
    pub permissions: Vec<Permission>,
    /// Where it was read.
    pub from: Cite,
}
