//! Rows of the vaults' audit log, and their counts.

use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::evidence::{Cite, KeptFile};
use crate::model::Id;

/// One row of a vault's audit log. There are very many, of few different calls: rows share what they say beside their
/// time, and it is read through them.
#[derive(Clone, Debug)]
pub struct VaultEvent {
    /// `TimeGenerated`.
    pub at: DateTime<Utc>,
    /// `CorrelationId`.
    pub correlation: Correlation,
    row: u32,
    rows: Arc<RowList>,
    call: Arc<VaultCall>,
}

/// What a row says beside its time.
#[derive(Clone, Debug)]
pub struct VaultCall {
    /// The vault.
    pub vault: Id,
    /// `OperationName`.
    pub operation: Arc<str>,
    /// HTTP status; the only honest outcome (`ResultType` reads `Success` on denials too).
    pub status: Option<u16>,
    /// Why it was denied, for a 403.
    pub denial: Option<Denial>,
    /// Lower-case object id of the caller.
    pub caller_object_id: Option<Arc<str>>,
    /// Lower-case application id of the caller.
    pub caller_app_id: Option<Arc<str>>,
    /// `xms_mirid`: ARM id of the managed identity that called.
    pub managed_identity: Option<Arc<str>>,
    /// Address of the caller as it was kept: its network, unless it was configured otherwise.
    pub caller_ip: Option<Arc<str>>,
    /// User agent.
    pub client: Option<Arc<str>>,
    /// URI of the object, without its query.
    pub object: Option<Arc<str>>,
    /// `AppliedAssignmentId`: the role assignment that allowed it, lower-case GUID.
    pub assignment_id: Option<Arc<str>>,
    /// The table.
    pub table: &'static str,
    /// GUID of the workspace, lower case.
    pub workspace: Arc<str>,
}

impl VaultCall {
    /// All of it as shown, so that two which compare as equal and are shown in two ways stay two.
    fn shown(&self) -> impl Eq + Hash {
        let caller =
            (&self.caller_object_id, &self.caller_app_id, &self.managed_identity, &self.caller_ip, &self.client);
        let what = (self.vault.shown(), &self.operation, self.status, self.denial, &self.object, &self.assignment_id);
        (what, caller, self.table, &self.workspace)
    }
}

impl PartialEq for VaultCall {
    fn eq(&self, other: &VaultCall) -> bool {
        self.shown() == other.shown()
    }
}

impl Eq for VaultCall {}

impl Hash for VaultCall {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.shown().hash(state);
    }
}

/// A `CorrelationId`, good for comparing: the first half of its SHA-256, so that each takes the same room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Correlation([u8; 16]);

/// The rows of one page.
#[derive(Debug)]
pub(in crate::model) struct RowList {
    pub(in crate::model) file: KeptFile,
    /// JSON Pointer of the list.
    pub(in crate::model) pointer: String,
}

impl RowList {
    /// The place of a row.
    pub(in crate::model) fn row(&self, row: u32) -> Cite {
        self.file.at(&format!("{}/{row}", self.pointer))
    }
}

impl Correlation {
    /// The one with this text; without a text, one that equals every other such.
    pub fn of(text: Option<&str>) -> Correlation {
        let digest = text.map(|text| Sha256::digest(text.as_bytes()));
        let half = digest.as_ref().and_then(|digest| digest.first_chunk::<16>());
        half.copied().map(Correlation).unwrap_or_default()
    }
}

impl VaultEvent {
    /// The row in this place.
    pub(in crate::model) fn new(
        at: DateTime<Utc>,
        correlation: Correlation,
        (rows, row): (Arc<RowList>, u32),
        call: Arc<VaultCall>,
    ) -> VaultEvent {
        VaultEvent { at, correlation, row, rows, call }
    }

    /// Where it was read.
    pub fn from(&self) -> Cite {
        self.rows.row(self.row)
    }
}

impl Deref for VaultEvent {
    type Target = VaultCall;

    fn deref(&self) -> &VaultCall {
        &self.call
    }
}

/// The cause of a 403, as the log shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Denial {
    /// `IsRbacAuthorized` is false.
    Rbac,
    /// `IsAccessPolicyMatch` is false on a vault in access-policy mode.
    AccessPolicy,
    /// `IsAddressAuthorized` is false, or the description says firewall or connection.
    Network,
    /// The row does not say.
    Unknown,
}

impl Denial {
    /// The cause in words.
    pub fn words(self) -> &'static str {
        match self {
            Denial::Rbac => "no role permits it (ForbiddenByRbac)",
            Denial::AccessPolicy => "no access policy permits it",
            Denial::Network => "the network rules refuse it",
            Denial::Unknown => "the log does not say why",
        }
    }
}

/// Rows of one day, vault, operation and status in one workspace's table.
#[derive(Clone, Debug)]
pub struct VaultDay {
    /// First instant of the day, UTC.
    pub day: DateTime<Utc>,
    /// The vault.
    pub vault: Id,
    /// `OperationName`.
    pub operation: String,
    /// Rows of all kinds.
    pub rows: u64,
    /// Rows that the question for rows asks for too.
    pub kept: u64,
    /// First of them.
    pub first: Option<DateTime<Utc>>,
    /// Last of them.
    pub last: Option<DateTime<Utc>>,
    /// The table.
    pub table: &'static str,
    /// GUID of the workspace, lower case.
    pub workspace: String,
    /// Where it was read.
    pub from: Cite,
}
