//! The words of an access answer.

use std::sync::Arc;

use serde::Serialize;

use crate::evidence::{Cite, Reason};
use crate::model::Id;

/// What a principal may do to an object in a vault, or to the vault. The mapping to data actions and access
/// policy permissions is the capability table of Key Vault's two permission models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Read a secret's value: `secrets/getSecret/action` or `secrets/backup/action`; policy `get`, `backup`.
    ReadSecret,
    /// List names and attributes: `secrets/readMetadata/action`; policy `list`.
    ListSecrets,
    /// Write a value: `secrets/setSecret`, `update`, `restore`; policy `set`, `restore`.
    ChangeSecret,
    /// Delete or purge: `secrets/delete`, `secrets/purge/action`; policy `delete`, `purge`.
    DestroySecret,
    /// Decrypt or unwrap with a key.
    Decrypt,
    /// Sign with a key.
    Sign,
    /// Encrypt, wrap or verify with a key.
    Encrypt,
    /// Take a key out: backup or release.
    ExportKey,
    /// Read a certificate's private key, through the secret of the same name.
    ReadPrivateKey,
    /// Grant access to the vault: `Microsoft.Authorization/roleAssignments/write`, or access policies.
    GrantAccess,
    /// Change the vault itself: `Microsoft.KeyVault/vaults/write`.
    ManageVault,
}

impl Capability {
    /// Every capability.
    pub const ALL: &'static [Capability] = &[
        Capability::ReadSecret,
        Capability::ListSecrets,
        Capability::ChangeSecret,
        Capability::DestroySecret,
        Capability::Decrypt,
        Capability::Sign,
        Capability::Encrypt,
        Capability::ExportKey,
        Capability::ReadPrivateKey,
        Capability::GrantAccess,
        Capability::ManageVault,
    ];

    /// The capability in words.
    pub fn words(self) -> &'static str {
        match self {
            Capability::ReadSecret => "read secret values",
            Capability::ListSecrets => "list secrets",
            Capability::ChangeSecret => "change secrets",
            Capability::DestroySecret => "destroy secrets",
            Capability::Decrypt => "decrypt with keys",
            Capability::Sign => "sign with keys",
            Capability::Encrypt => "encrypt with keys",
            Capability::ExportKey => "export keys",
            Capability::ReadPrivateKey => "read private keys of certificates",
            Capability::GrantAccess => "grant access",
            Capability::ManageVault => "manage the vault",
        }
    }
}

/// Whether a principal can do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes, now.
    Allowed,
    /// After an activation.
    Eligible,
    /// When a condition holds.
    Conditional,
    /// No: a deny assignment forbids it.
    Denied,
    /// Could not be worked out; the path says why.
    NotDetermined,
}

/// One principal, one vault, one capability, with every path that gives it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Lower-case object id of the user, service principal or unresolved principal (groups are expanded; a
    /// group whose members were not read stands for them).
    pub principal_id: String,
    /// The vault, or an object in it. An object has a grant of its own unless the whole vault is granted for
    /// certain; then its paths are further paths of the vault's grant.
    pub object: Id,
    /// What may be done.
    pub capability: Capability,
    /// Whether it can be done, over all paths.
    pub answer: Answer,
    /// The paths, widest scope first.
    pub paths: Vec<Arc<Path>>,
}

/// One way in which access is given.
#[derive(Clone, Debug)]
pub struct Path {
    /// What gives it.
    pub via: Via,
    /// The scope at which it is given: where the assignment sits, or the vault for an access policy.
    pub scope: Id,
    /// Groups that the principal comes through, from the one that holds the grant to the one that holds the
    /// principal. Transitive membership is read as one hop.
    pub through: Vec<Hop>,
    /// What keeps the path from counting as allowed.
    pub open: Option<Open>,
    /// The records that the path rests on: assignment, definition, membership, vault.
    pub evidence: Vec<Cite>,
}

/// What gives access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// A role assignment.
    Role {
        /// ARM id of the assignment.
        assignment: Id,
        /// Lower-case GUID of the role definition.
        role: String,
        /// Name of the role, or its GUID when the definition was not read.
        role_name: String,
    },
    /// An access policy of a vault in access-policy mode.
    Policy {
        /// Set when only this application acting for the principal is meant.
        application_id: Option<String>,
    },
}

/// A group on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Lower-case object id.
    pub group_id: String,
    /// Display name, else the object id.
    pub name: String,
}

/// Why a path is not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// From the closed list.
    pub reason: Reason,
    /// One line: the condition's text, the deny assignment, the missing definition.
    pub detail: String,
    /// The record that shows it.
    pub from: Option<Cite>,
}

/// A role that a principal holds, directly or through groups, at one scope.
#[derive(Clone, Debug)]
pub struct Held {
    /// Index into [`crate::model::Tenant::role_assignments`].
    pub assignment: usize,
    /// Groups that it comes through.
    pub through: Vec<Hop>,
    /// Records that it rests on: assignment, definition, membership.
    pub evidence: Vec<Cite>,
}
