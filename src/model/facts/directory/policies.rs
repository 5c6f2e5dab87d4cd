//! Policies of the directory: who must prove what to sign in, and which credentials applications may have.

use chrono::{DateTime, Utc};

use super::CredentialKind;
use crate::evidence::Cite;

/// A Conditional Access policy.
#[derive(Clone, Debug)]
pub struct ConditionalAccessPolicy {
    /// Id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// `state`: only `enabled` protects; `enabledForReportingButNotEnforced` does not.
    pub state: Option<String>,
    /// Whom it covers and whom it leaves out, among people.
    pub users: Selection,
    /// The same among applications that are signed in to.
    pub applications: Selection,
    /// The same among service principals that sign in. Managed identities cannot be covered.
    pub service_principals: Selection,
    /// The same among places.
    pub locations: Selection,
    /// Levels of risk of a service principal at which it applies, lower case.
    pub service_principal_risk: Vec<String>,
    /// Further conditions that are set, by their names; each makes it apply less often.
    pub narrowed_by: Vec<String>,
    /// `grantControls.operator`: `AND` or `OR`.
    pub operator: Option<String>,
    /// `grantControls.builtInControls`, lower case: `mfa`, `block`, …
    pub controls: Vec<String>,
    /// Name of the authentication strength that it asks for.
    pub authentication_strength: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

impl ConditionalAccessPolicy {
    /// Whether it is enforced.
    pub fn is_enforced(&self) -> bool {
        self.state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("enabled"))
    }
}

/// What a condition takes in and leaves out: ids, lower case, or words such as `all`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Taken in.
    pub include: Vec<String>,
    /// Left out.
    pub exclude: Vec<String>,
}

/// Whether security defaults are on: multifactor authentication for everyone, without Conditional Access.
#[derive(Clone, Debug)]
pub struct SecurityDefaults {
    /// `isEnabled`.
    pub enabled: Option<bool>,
    /// Where it was read.
    pub from: Cite,
}

/// A policy that restricts the credentials of applications.
#[derive(Clone, Debug)]
pub struct AppPolicy {
    /// Id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// `isEnabled`; a policy that is off restricts nothing.
    pub enabled: Option<bool>,
    /// What it says of app registrations.
    pub for_applications: Vec<AppRestriction>,
    /// What it says of service principals.
    pub for_service_principals: Vec<AppRestriction>,
    /// Lower-case object ids that it applies to in place of the default one; empty for the default one.
    pub applies_to: Vec<String>,
    /// Where it was read.
    pub from: Cite,
}

/// One restriction.
#[derive(Clone, Debug)]
pub struct AppRestriction {
    /// What it restricts.
    pub credential: CredentialKind,
    /// `restrictionType`: `passwordAddition`, `passwordLifetime`, `asymmetricKeyLifetime`, …
    pub restriction: String,
    /// `state`: `enabled` or `disabled`. Absent means enabled: the field came later, and what was set before it was in
    /// force (learn.microsoft.com/graph/api/resources/passwordcredentialconfiguration).
    pub enabled: bool,
    /// `maxLifetime`, an ISO 8601 duration.
    pub longest: Option<String>,
    /// Applications that were created before are not restricted; none restricts all.
    pub for_created_after: Option<DateTime<Utc>>,
    /// Whether somebody is exempt from it (`excludeActors`).
    pub exempts_actors: bool,
}

/// Something that was deleted and can still be restored: 30 days.
#[derive(Clone, Debug)]
pub struct DeletedObject {
    /// What it was.
    pub kind: DeletedKind,
    /// Lower-case object id.
    pub id: String,
    /// Lower-case application id, for applications and service principals.
    pub app_id: Option<String>,
    /// Display name; not asked of users.
    pub name: Option<String>,
    /// `deletedDateTime`.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Where it was read.
    pub from: Cite,
}

/// What was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeletedKind {
    /// An app registration.
    Application,
    /// A service principal.
    ServicePrincipal,
    /// A user.
    User,
    /// A group.
    Group,
}
