//! The directory: applications, the principals that stand for them, their credentials and their owners; in `roles`
//! what they may do there, in `policies` what is asked of them.

mod policies;
mod roles;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{FederatedCredential, PrincipalKind};
use crate::evidence::Cite;
use crate::model::Id;
pub use policies::{
    AppPolicy, AppRestriction, ConditionalAccessPolicy, DeletedKind, DeletedObject, SecurityDefaults, Selection,
};
pub use roles::{AppRoleGrant, DirectoryRole, DirectoryRoleGrant, GroupGrant};

/// What the directory says beyond principals and members.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// App registrations, in order of object id.
    pub applications: Vec<Application>,
    /// Service principals of every type, in order of object id.
    pub service_principals: Vec<ServicePrincipal>,
    /// Federated credentials of app registrations; `identity` is `application:{object id}`.
    pub federated: Vec<FederatedCredential>,
    /// Owners of app registrations, service principals and groups.
    pub owners: Vec<Owner>,
    /// Application permissions of Microsoft Graph that are granted.
    pub graph_grants: Vec<AppRoleGrant>,
    /// Roles of the directory by lower-case id.
    pub roles: BTreeMap<String, DirectoryRole>,
    /// Roles that are held now, by whatever way; without a schedule.
    pub role_assignments: Vec<DirectoryRoleGrant>,
    /// The same with their schedule: whether assigned or activated, and until when. Needs a licence.
    pub role_instances: Vec<DirectoryRoleGrant>,
    /// Roles that can be activated. Needs a licence.
    pub role_eligibilities: Vec<DirectoryRoleGrant>,
    /// Memberships and ownerships of groups among the principals, with their schedule. Needs a licence.
    pub group_assignments: Vec<GroupGrant>,
    /// Those that can be activated. Needs a licence.
    pub group_eligibilities: Vec<GroupGrant>,
    /// Conditional Access policies.
    pub conditional_access: Vec<ConditionalAccessPolicy>,
    /// Security defaults; none when they were not read.
    pub security_defaults: Option<SecurityDefaults>,
    /// The app management policy for whatever has none of its own; none when it was not read.
    pub default_app_policy: Option<AppPolicy>,
    /// The other app management policies.
    pub app_policies: Vec<AppPolicy>,
    /// What was deleted in the last 30 days.
    pub deleted: Vec<DeletedObject>,
}

impl Directory {
    /// What is told of a deleted object by its id, compared without case.
    pub fn deleted(&self, object_id: &str) -> Option<&DeletedObject> {
        self.deleted.iter().find(|object| object.id.eq_ignore_ascii_case(object_id))
    }

    /// Owners of a thing by its scope, such as `application:{object id}`.
    pub fn owners_of<'a>(&'a self, owned: &'a Id) -> impl Iterator<Item = &'a Owner> {
        self.owners.iter().filter(move |owner| owner.owned == *owned)
    }
}

/// An app registration.
#[derive(Clone, Debug)]
pub struct Application {
    /// Lower-case object id.
    pub id: String,
    /// Lower-case application (client) id.
    pub app_id: String,
    /// Display name.
    pub name: String,
    /// `createdDateTime`.
    pub created_at: Option<DateTime<Utc>>,
    /// `signInAudience`: `AzureADMyOrg`, `AzureADMultipleOrgs`, …
    pub audience: Option<String>,
    /// `tags`, lower case; one that looked like a secret is `[cut]`.
    pub tags: BTreeSet<String>,
    /// Secrets and certificates.
    pub credentials: Vec<Credential>,
    /// Whether both lists of them were there; one that is left out says nothing.
    pub tells_credentials: bool,
    /// Where it was read.
    pub from: Cite,
}

impl Application {
    /// The scope of questions about it.
    pub fn scope(&self) -> Id {
        Id::new(format!("application:{}", self.id))
    }
}

/// A service principal of any type.
#[derive(Clone, Debug)]
pub struct ServicePrincipal {
    /// Lower-case object id.
    pub id: String,
    /// Lower-case application (client) id.
    pub app_id: Option<String>,
    /// Display name.
    pub name: String,
    /// `servicePrincipalType`: `Application`, `ManagedIdentity`, `Legacy`, …
    pub service_type: Option<String>,
    /// `accountEnabled`.
    pub enabled: Option<bool>,
    /// `appOwnerOrganizationId`, lower case: the tenant of the app registration; null for managed identities.
    pub owner_organization: Option<String>,
    /// `preferredSingleSignOnMode`: `saml`, `oidc`, …
    pub single_sign_on: Option<String>,
    /// `tags`, lower case; one that looked like a secret is `[cut]`.
    pub tags: BTreeSet<String>,
    /// Secrets and certificates on the service principal itself. Those of a managed identity are the platform's own.
    pub credentials: Vec<Credential>,
    /// Whether both lists of them were there; one that is left out says nothing.
    pub tells_credentials: bool,
    /// Where it was read.
    pub from: Cite,
}

impl ServicePrincipal {
    /// The scope of questions about it.
    pub fn scope(&self) -> Id {
        Id::new(format!("service-principal:{}", self.id))
    }

    /// Whether it stands for a managed identity.
    pub fn is_managed_identity(&self) -> bool {
        self.service_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("ManagedIdentity"))
    }
}

/// What is told of a secret or a certificate.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Secret or key.
    pub kind: CredentialKind,
    /// `keyId`, lower case.
    pub key_id: Option<String>,
    /// `displayName`.
    pub name: Option<String>,
    /// From when it is valid.
    pub start: Option<DateTime<Utc>>,
    /// Until when.
    pub end: Option<DateTime<Utc>>,
    /// Whether it belongs to a certificate that signs SAML tokens, and so signs nobody in: a private key whose usage
    /// is `Sign`; the password with its `keyId`, which opens its file; the public key with the same name and the same
    /// two dates, made together with it (learn.microsoft.com/graph/api/serviceprincipal-addtokensigningcertificate).
    pub signs_tokens: bool,
    /// Where it was read.
    pub from: Cite,
}

impl Credential {
    /// Whether it was valid at `at`; one of which a date is not told counts as valid then.
    pub fn is_valid_at(&self, at: DateTime<Utc>) -> bool {
        self.start.is_none_or(|start| start <= at) && self.end.is_none_or(|end| at < end)
    }
}

/// Secret or key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialKind {
    /// A client secret (`passwordCredentials`).
    Secret,
    /// A certificate or another key (`keyCredentials`).
    Key,
}

impl CredentialKind {
    /// The word for it.
    pub fn words(self) -> &'static str {
        match self {
            CredentialKind::Secret => "client secret",
            CredentialKind::Key => "certificate",
        }
    }
}

/// Someone who owns an object of the directory, and so may change it.
#[derive(Clone, Debug)]
pub struct Owner {
    /// What is owned: `application:{object id}`, `service-principal:{object id}`, `group:{object id}`.
    pub owned: Id,
    /// Lower-case object id of the owner.
    pub id: String,
    /// What the owner is.
    pub kind: PrincipalKind,
    /// Display name.
    pub name: String,
    /// `accountEnabled`; not told of some, or to a collector that may not read it.
    pub enabled: Option<bool>,
    /// `userType`, for users: `Member`, `Guest`.
    pub user_type: Option<String>,
    /// Where it was read.
    pub from: Cite,
}
