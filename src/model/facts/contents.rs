//! What vaults hold, as lists of names and attributes tell it. No list holds a value.

use chrono::{DateTime, Utc};

use crate::evidence::Cite;
use crate::model::Id;

/// What vaults hold.
#[derive(Clone, Debug, Default)]
pub struct VaultContents {
    /// Keys, secrets and certificates, each once, in order of id.
    pub objects: Vec<VaultObject>,
    /// Those that were deleted and can be brought back; only vaults themselves list them.
    pub deleted: Vec<DeletedVaultObject>,
}

/// A key, a secret or a certificate.
#[derive(Clone, Debug)]
pub struct VaultObject {
    /// `{vault}/secrets/{name}`, `{vault}/keys/{name}`, `{vault}/certificates/{name}`.
    pub id: Id,
    /// The vault.
    pub vault: Id,
    /// Which of the three. A certificate is in the lists of keys and secrets too, as `managed`.
    pub family: ObjectFamily,
    /// Name.
    pub name: String,
    /// Who told.
    pub source: ObjectSource,
    /// `managed`: the key or secret behind a certificate, which is counted with the certificate. Only vaults tell it.
    pub managed: Option<bool>,
    /// What the list says of its current version.
    pub attributes: ObjectAttributes,
    /// `kty` of a key, where told: `RSA`, `RSA-HSM`, `EC`, …
    pub key_type: Option<String>,
    /// `keySize` of a key in bits, where told.
    pub key_size: Option<i64>,
    /// Where it was read.
    pub from: Cite,
}

/// Attributes of the current version of an object.
#[derive(Clone, Debug, Default)]
pub struct ObjectAttributes {
    /// `enabled`.
    pub enabled: Option<bool>,
    /// `nbf`; of a secret it informs and does not keep from reading.
    pub not_before: Option<DateTime<Utc>>,
    /// `exp`; absent means that it never expires.
    pub expires: Option<DateTime<Utc>>,
    /// `created`.
    pub created: Option<DateTime<Utc>>,
    /// `updated`.
    pub updated: Option<DateTime<Utc>>,
    /// `recoveryLevel`, as received. `Purgeable` in it means that purge protection does not hold for the object.
    pub recovery_level: Option<String>,
}

/// A key, a secret or a certificate that was deleted.
#[derive(Clone, Debug)]
pub struct DeletedVaultObject {
    /// `{vault}/deletedsecrets/{name}`, …
    pub id: Id,
    /// The vault.
    pub vault: Id,
    /// What it was.
    pub family: ObjectFamily,
    /// Name.
    pub name: String,
    /// `deletedDate`.
    pub deleted_at: Option<DateTime<Utc>>,
    /// `scheduledPurgeDate`.
    pub scheduled_purge_at: Option<DateTime<Utc>>,
    /// What the list says of its last version.
    pub attributes: ObjectAttributes,
    /// Where it was read.
    pub from: Cite,
}

/// What an object of a vault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectFamily {
    /// A key.
    Key,
    /// A secret.
    Secret,
    /// A certificate.
    Certificate,
}

/// Who told of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectSource {
    /// The vault itself.
    DataPlane,
    /// Resource Manager.
    Arm,
}

impl ObjectFamily {
    /// The word for it in an id.
    pub fn segment(self) -> &'static str {
        match self {
            ObjectFamily::Key => "keys",
            ObjectFamily::Secret => "secrets",
            ObjectFamily::Certificate => "certificates",
        }
    }
}

impl ObjectSource {
    /// `data_plane` or `arm`.
    pub fn word(self) -> &'static str {
        match self {
            ObjectSource::DataPlane => "data_plane",
            ObjectSource::Arm => "arm",
        }
    }
}
