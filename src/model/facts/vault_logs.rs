//! Rows of the vaults' audit log, and their counts.

use chrono::{DateTime, Utc};

use crate::evidence::Cite;
use crate::model::Id;

/// One row of a vault's audit log.
#[derive(Clone, Debug)]
pub struct VaultEvent {
    /// `TimeGenerated`.
    pub at: DateTime<Utc>,
    /// The vault.
    pub vault: Id,
    /// `OperationName`.
    pub operation: String,
    /// HTTP status; the only honest outcome (`ResultType` reads `Success` on denials too).
    pub status: Option<u16>,
    /// Why it was denied, for a 403.
    pub denial: Option<Denial>,
    /// Lower-case object id of the caller.
    pub caller_object_id: Option<String>,
    /// Lower-case application id of the caller.
    pub caller_app_id: Option<String>,
    /// `xms_mirid`: ARM id of the managed identity that called.
    pub managed_identity: Option<String>,
    /// Address of the caller as it was kept: its network, unless it was configured otherwise.
    pub caller_ip: Option<String>,
    /// User agent.
    pub client: Option<String>,
    /// URI of the object, without its query.
    pub object: Option<String>,
    /// `CorrelationId`.
    pub correlation_id: Option<String>,
    /// `AppliedAssignmentId`: the role assignment that allowed it, lower-case GUID.
    pub assignment_id: Option<String>,
    /// The table.
    pub table: &'static str,
    /// GUID of the workspace, lower case.
    pub workspace: String,
    /// Where it was read.
    pub from: Cite,
}

/// The cause of a 403, as the log shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
