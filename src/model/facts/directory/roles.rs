//! Rights inside the directory: roles, application permissions, memberships with a schedule.

use chrono::{DateTime, Utc};

use crate::evidence::Cite;

/// A role of the directory.
#[derive(Clone, Debug)]
pub struct DirectoryRole {
    /// Lower-case id; for built-in roles the same in every tenant.
    pub id: String,
    /// Display name.
    pub name: String,
    /// `isBuiltIn`.
    pub built_in: Option<bool>,
    /// `isEnabled`; a role that is off gives nothing.
    pub enabled: Option<bool>,
    /// `allowedResourceActions` of all its permissions, lower case.
    pub actions: Vec<String>,
    /// Where it was read.
    pub from: Cite,
}

/// A role of the directory that someone holds or can activate.
#[derive(Clone, Debug)]
pub struct DirectoryRoleGrant {
    /// Lower-case object id of the holder.
    pub principal_id: String,
    /// Lower-case id of the role.
    pub role_id: String,
    /// `directoryScopeId`: `/` is the whole directory, else an administrative unit or one object.
    pub scope: Option<String>,
    /// `assignmentType`: `Assigned` or `Activated`; told by the schedule alone.
    pub assignment: Option<String>,
    /// `memberType`: `Direct`, `Group`, `Inherited`; told by the schedules alone.
    pub member: Option<String>,
    /// From when.
    pub start: Option<DateTime<Utc>>,
    /// Until when. A grant that was `Assigned` and has no end is a standing one.
    pub end: Option<DateTime<Utc>>,
    /// Where it was read.
    pub from: Cite,
}

/// An application permission of Microsoft Graph that someone holds.
#[derive(Clone, Debug)]
pub struct AppRoleGrant {
    /// Lower-case object id of the holder.
    pub principal_id: String,
    /// `principalType`: `ServicePrincipal`, `User`, `Group`.
    pub principal_type: Option<String>,
    /// Lower-case id of the permission.
    pub role_id: String,
    /// Its name, such as `Directory.Read.All`; none when Graph's list of its permissions was not read or lacks it.
    pub role: Option<String>,
    /// When it was granted.
    pub granted_at: Option<DateTime<Utc>>,
    /// Where it was read.
    pub from: Cite,
}

/// A membership or an ownership of a group that privileged identity management knows.
#[derive(Clone, Debug)]
pub struct GroupGrant {
    /// Lower-case object id of the group.
    pub group_id: String,
    /// Lower-case object id of the member or owner.
    pub principal_id: String,
    /// `accessId`: `member` or `owner`.
    pub access: Option<String>,
    /// `assignmentType`: `Assigned` or `Activated`; not told of what can only be activated.
    pub assignment: Option<String>,
    /// From when.
    pub start: Option<DateTime<Utc>>,
    /// Until when.
    pub end: Option<DateTime<Utc>>,
    /// Where it was read.
    pub from: Cite,
}
