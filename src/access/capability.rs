//! What each capability takes: data actions in RBAC mode, permissions of an access policy in the other, and
//! control-plane actions in both (learn.microsoft.com/azure/role-based-access-control/permissions/security).

use super::{grants_action, grants_data_action};
use crate::model::{AccessPolicy, Id, Permission};

const VAULTS_WRITE: &str = "Microsoft.KeyVault/vaults/write";

/// What a principal may do to an object in a vault, or to the vault. The mapping to data actions and access
/// policy permissions is the capability table of Key Vault's two permission models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// Permissions on keys or on secrets.
#[derive(Clone, Copy)]
enum Family {
    Keys,
    Secrets,
}

impl Capability {
    /// Its name in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Capability::ReadSecret => "read_secret",
            Capability::ListSecrets => "list_secrets",
            Capability::ChangeSecret => "change_secret",
            Capability::DestroySecret => "destroy_secret",
            Capability::Decrypt => "decrypt",
            Capability::Sign => "sign",
            Capability::Encrypt => "encrypt",
            Capability::ExportKey => "export_key",
            Capability::ReadPrivateKey => "read_private_key",
            Capability::GrantAccess => "grant_access",
            Capability::ManageVault => "manage_vault",
        }
    }

    /// Whether it is about what a vault holds, and not about the vault as a resource.
    pub(super) fn is_data(self) -> bool {
        !matches!(self, Capability::GrantAccess | Capability::ManageVault)
    }

    /// Data actions of which any one gives it; none for control-plane capabilities.
    pub(super) fn data_actions(self) -> &'static [&'static str] {
        match self {
            Capability::ReadSecret => &[
                "Microsoft.KeyVault/vaults/secrets/getSecret/action",
                "Microsoft.KeyVault/vaults/secrets/backup/action",
            ],
            Capability::ListSecrets => &["Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
            Capability::ChangeSecret => &[
                "Microsoft.KeyVault/vaults/secrets/setSecret/action",
                "Microsoft.KeyVault/vaults/secrets/update/action",
                "Microsoft.KeyVault/vaults/secrets/restore/action",
            ],
            Capability::DestroySecret => {
                &["Microsoft.KeyVault/vaults/secrets/delete", "Microsoft.KeyVault/vaults/secrets/purge/action"]
            }
            Capability::Decrypt => {
                &["Microsoft.KeyVault/vaults/keys/decrypt/action", "Microsoft.KeyVault/vaults/keys/unwrap/action"]
            }
            Capability::Sign => &["Microsoft.KeyVault/vaults/keys/sign/action"],
            Capability::Encrypt => &[
                "Microsoft.KeyVault/vaults/keys/encrypt/action",
                "Microsoft.KeyVault/vaults/keys/wrap/action",
                "Microsoft.KeyVault/vaults/keys/verify/action",
            ],
            Capability::ExportKey => {
                &["Microsoft.KeyVault/vaults/keys/backup/action", "Microsoft.KeyVault/vaults/keys/release/action"]
            }
            Capability::ReadPrivateKey => &["Microsoft.KeyVault/vaults/secrets/getSecret/action"],
            Capability::GrantAccess | Capability::ManageVault => &[],
        }
    }

    /// Control-plane actions of which any one gives it. On a vault in access-policy mode, whoever may write the
    /// vault or its policies may add a policy for himself (learn.microsoft.com/azure/key-vault/general/rbac-guide).
    pub(super) fn actions(self, is_rbac: bool) -> &'static [&'static str] {
        match self {
            Capability::GrantAccess if is_rbac => &["Microsoft.Authorization/roleAssignments/write"],
            Capability::GrantAccess => &[
                "Microsoft.Authorization/roleAssignments/write",
                "Microsoft.KeyVault/vaults/accessPolicies/write",
                VAULTS_WRITE,
            ],
            Capability::ManageVault => &[VAULTS_WRITE],
            _ => &[],
        }
    }

    /// Those of its actions that one entry of a role grants.
    pub(super) fn granted_by(self, entry: &Permission, is_rbac: bool) -> Vec<&'static str> {
        let data = self.data_actions().iter().filter(|action| grants_data_action(entry, action));
        let control = self.actions(is_rbac).iter().filter(|action| grants_action(entry, action));
        data.chain(control).copied().collect()
    }

    /// Whether it can be about one secret.
    pub fn is_of_secrets(self) -> bool {
        matches!(
            self,
            Capability::ReadSecret
                | Capability::ListSecrets
                | Capability::ChangeSecret
                | Capability::DestroySecret
                | Capability::ReadPrivateKey
        )
    }

    /// Whether a role assigned at `scope`, an object in `vault`, can give it there.
    pub(super) fn applies_below(self, vault: &Id, scope: &Id) -> bool {
        let below = scope.key().strip_prefix(vault.key()).unwrap_or_default();
        let of_secrets = self.is_of_secrets();
        match below.split('/').nth(1) {
            _ if self == Capability::GrantAccess => true,
            _ if self == Capability::ManageVault => false,
            Some("secrets") => of_secrets,
            Some("keys") => !of_secrets,
            Some("certificates") => self == Capability::ReadPrivateKey,
            _ => true, // a kind of object that this version does not know
        }
    }

    /// Whether an access policy gives it. `all` stands for every permission, purge included.
    pub(super) fn is_in(self, policy: &AccessPolicy) -> bool {
        let (family, any_of): (Family, &[&str]) = match self {
            Capability::ReadSecret => (Family::Secrets, &["get", "backup"]),
            Capability::ListSecrets => (Family::Secrets, &["list"]),
            Capability::ChangeSecret => (Family::Secrets, &["set", "restore"]),
            Capability::DestroySecret => (Family::Secrets, &["delete", "purge"]),
            Capability::ReadPrivateKey => (Family::Secrets, &["get"]),
            Capability::Decrypt => (Family::Keys, &["decrypt", "unwrapkey"]),
            Capability::Sign => (Family::Keys, &["sign"]),
            Capability::Encrypt => (Family::Keys, &["encrypt", "wrapkey", "verify"]),
            Capability::ExportKey => (Family::Keys, &["backup", "release"]),
            Capability::GrantAccess | Capability::ManageVault => return false,
        };
        let given = match family {
            Family::Keys => &policy.keys,
            Family::Secrets => &policy.secrets,
        };
        given.contains("all") || any_of.iter().any(|permission| given.contains(*permission))
    }
}
