//! What the logs in the workspaces say beyond the reads of vaults.

use chrono::{DateTime, Days, NaiveTime, Utc};

use super::{VaultDay, VaultEvent};
use crate::evidence::{Cite, Period, Reason};
use crate::model::Id;

/// What was read of the logs.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    /// Each table that was asked about in each workspace, in order of workspace and table.
    pub tables: Vec<LogTable>,
    /// Changes, deletions, recoveries, backups and lists in the vaults' logs, in order of time.
    pub vault_changes: Vec<VaultChange>,
    /// The same per day, vault and operation, as the service counted them.
    pub vault_change_days: Vec<VaultDay>,
    /// Changes of access, vaults, logging and identities in the activity log, in order of time.
    pub activity: Vec<Activity>,
    /// The same per day and operation, as the service counted them.
    pub activity_days: Vec<OperationDay>,
    /// Rows of the exported activity log by day and subscription, whatever was done.
    pub subscription_days: Vec<SubscriptionDay>,
    /// Changes in the directory, in order of time.
    pub directory_changes: Vec<DirectoryChange>,
    /// The same per day and operation, as the service counted them.
    pub directory_change_days: Vec<OperationDay>,
    /// Sign-ins, summed per day, in order of day.
    pub sign_ins: Vec<SignIns>,
    /// Their rows and sums per day, as the service counted them in a query of its own.
    pub sign_in_days: Vec<SignInDay>,
}

/// One table of one workspace over the period.
#[derive(Clone, Debug)]
pub struct LogTable {
    /// GUID of the workspace for queries, lower case.
    pub workspace: String,
    /// Name of the table; of `AzureDiagnostics` only the rows of vaults count.
    pub table: String,
    /// What it holds.
    pub state: LogState,
    /// Days with rows, in order.
    pub days: Vec<LogDay>,
    /// The record that shows it.
    pub from: Cite,
}

/// What a table holds of the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogState {
    /// Rows.
    Rows,
    /// No row of the period; the table exists.
    Empty,
    /// There is no such table: nothing was ever stored there.
    Missing,
    /// Not known.
    Unread(Reason),
}

/// Rows of one day in one table.
#[derive(Clone, Debug)]
pub struct LogDay {
    /// First instant of the day, UTC.
    pub day: DateTime<Utc>,
    /// Rows.
    pub rows: u64,
    /// First of them.
    pub first: Option<DateTime<Utc>>,
    /// Last of them.
    pub last: Option<DateTime<Utc>>,
    /// The longest that one was under way, seconds. Below zero where the sender's clock was ahead.
    pub delay_max: Option<i64>,
    /// What 95 of 100 did not exceed, seconds.
    pub delay_p95: Option<i64>,
    /// Where it was read.
    pub from: Cite,
}

impl LogTable {
    /// Rows of the period.
    pub fn rows(&self) -> u64 {
        self.days.iter().map(|day| day.rows).sum()
    }

    /// The first row of the period.
    pub fn first(&self) -> Option<DateTime<Utc>> {
        self.days.iter().filter_map(|day| day.first).min()
    }

    /// The last row of the period.
    pub fn last(&self) -> Option<DateTime<Utc>> {
        self.days.iter().filter_map(|day| day.last).max()
    }

    /// The longest that a row was under way, seconds.
    pub fn longest_delay(&self) -> Option<i64> {
        self.days.iter().filter_map(|day| day.delay_max).max()
    }

    /// Days that `seen` touches and that have no row: their first instants. What that means is for a check to say;
    /// of a table that was not read nothing is known, and all its days are silent.
    pub fn silent_days(&self, seen: &Period) -> Vec<DateTime<Utc>> {
        let mut silent = Vec::new();
        let mut day = seen.start.with_time(NaiveTime::MIN).single().unwrap_or(seen.start);
        while day < seen.end {
            if !self.days.iter().any(|with_rows| with_rows.day == day && with_rows.rows > 0) {
                silent.push(day);
            }
            let Some(next) = day.checked_add_days(Days::new(1)) else { break };
            day = next;
        }
        silent
    }
}

/// One change, deletion, recovery, backup or list in a vault's log.
#[derive(Clone, Debug)]
pub struct VaultChange {
    /// Who did what, when, and how it ended.
    pub event: VaultEvent,
    /// Whether the vault is in RBAC mode after a write to it, where told.
    pub rbac: Option<bool>,
    /// Whether purge protection is on after it, where told.
    pub purge_protection: Option<bool>,
    /// Whether soft delete is on after it, where told.
    pub soft_delete: Option<bool>,
}

/// One row of the activity log. A change has several: started, accepted, ended; what was changed may stand in any.
#[derive(Clone, Debug)]
pub struct Activity {
    /// `TimeGenerated`.
    pub at: DateTime<Utc>,
    /// `OperationNameValue`, as received; its case varies.
    pub operation: String,
    /// `ActivityStatusValue`: `Start`, `Accept`, `Success`, `Failure` and longer forms of them.
    pub status: Option<String>,
    /// `ActivitySubstatusValue`.
    pub substatus: Option<String>,
    /// `CategoryValue`.
    pub category: Option<String>,
    /// Lower-case object id of who did it.
    pub caller_object_id: Option<String>,
    /// Lower-case application id of who did it.
    pub caller_app_id: Option<String>,
    /// Its address, coarsened by redaction.
    pub caller_ip: Option<String>,
    /// `CorrelationId`: joins the rows of one change; a deployment shares one over many resources.
    pub correlation_id: Option<String>,
    /// What was changed.
    pub resource: Option<Id>,
    /// The same as the provider names it.
    pub entity: Option<Id>,
    /// Lower-case object id of the principal that a role was given to or taken from.
    pub principal_id: Option<String>,
    /// `principalType` of it.
    pub principal_type: Option<String>,
    /// Lower-case GUID of that role's definition.
    pub role: Option<String>,
    /// Where the role holds.
    pub role_scope: Option<Id>,
    /// `enableRbacAuthorization` of a vault that was written, where told.
    pub rbac: Option<bool>,
    /// `publicNetworkAccess` of a resource that was written, where told.
    pub public_network_access: Option<String>,
    /// `retentionInDays` of a workspace or table that was written, where told.
    pub retention_days: Option<i64>,
    /// `totalRetentionInDays` of a table that was written, where told.
    pub total_retention_days: Option<i64>,
    /// `issuer` of a federated credential that was written, where told.
    pub issuer: Option<String>,
    /// `subject` of it.
    pub subject: Option<String>,
    /// GUID of the workspace, lower case.
    pub workspace: String,
    /// Where it was read.
    pub from: Cite,
}

impl Activity {
    /// Whether the row says that the change was made.
    pub fn is_success(&self) -> bool {
        self.status
            .as_deref()
            .is_some_and(|status| ["success", "succeeded"].iter().any(|word| status.eq_ignore_ascii_case(word)))
    }

    /// Whether it is this operation; operations compare without case.
    pub fn is(&self, operation: &str) -> bool {
        self.operation.eq_ignore_ascii_case(operation)
    }
}

/// Rows of one day and operation in one workspace.
#[derive(Clone, Debug)]
pub struct OperationDay {
    /// First instant of the day, UTC.
    pub day: DateTime<Utc>,
    /// The operation; lower case for the activity log.
    pub operation: String,
    /// Rows.
    pub rows: u64,
    /// GUID of the workspace, lower case.
    pub workspace: String,
    /// Where it was read.
    pub from: Cite,
}

/// Rows of one day and subscription in one workspace's exported activity log.
#[derive(Clone, Debug)]
pub struct SubscriptionDay {
    /// First instant of the day, UTC.
    pub day: DateTime<Utc>,
    /// `/subscriptions/{guid}`.
    pub subscription: Id,
    /// Rows.
    pub rows: u64,
    /// GUID of the workspace, lower case.
    pub workspace: String,
    /// Where it was read.
    pub from: Cite,
}

/// One row of the directory's audit log.
#[derive(Clone, Debug)]
pub struct DirectoryChange {
    /// When it happened: `ActivityDateTime`, else when it was published.
    pub at: DateTime<Utc>,
    /// `OperationName`, as received; spelled with hyphens, dashes and trailing blanks.
    pub operation: String,
    /// `Category`.
    pub category: Option<String>,
    /// `Result`: `success`, `failure`, …
    pub result: Option<String>,
    /// `LoggedByService`: `Core Directory`, `PIM`, …
    pub service: Option<String>,
    /// Lower-case object id of who did it: a person or a service principal.
    pub initiator_id: Option<String>,
    /// Lower-case application id of who did it.
    pub initiator_app_id: Option<String>,
    /// Its address, coarsened by redaction.
    pub initiator_ip: Option<String>,
    /// To what.
    pub targets: Vec<ChangeTarget>,
    /// `CorrelationId`.
    pub correlation_id: Option<String>,
    /// GUID of the workspace, lower case.
    pub workspace: String,
    /// Where it was read.
    pub from: Cite,
}

/// What a change in the directory was made to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeTarget {
    /// Lower-case object id, where told.
    pub id: Option<String>,
    /// `type`: `User`, `Application`, `ServicePrincipal`, `Role`, …
    pub kind: Option<String>,
    /// Names of the properties that were changed.
    pub changed: Vec<String>,
}

/// Whose sign-ins they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignInKind {
    /// Of a service principal, with a credential.
    ServicePrincipal,
    /// Of a managed identity. One stands for all uses of its token.
    ManagedIdentity,
    /// Of a person.
    User,
    /// On behalf of a person, without them.
    UserToken,
}

/// Rows and sums of one day and sort of sign-in in one workspace.
#[derive(Clone, Debug)]
pub struct SignInDay {
    /// Whose.
    pub kind: SignInKind,
    /// First instant of the day, UTC.
    pub day: DateTime<Utc>,
    /// Rows.
    pub rows: u64,
    /// What they come to when they are summed: [`SignIns`].
    pub sums: u64,
    /// GUID of the workspace, lower case.
    pub workspace: String,
    /// Where it was read.
    pub from: Cite,
}

/// Sign-ins of one day that agree in all that is told of them.
#[derive(Clone, Debug)]
pub struct SignIns {
    /// Whose.
    pub kind: SignInKind,
    /// First instant of the day on which they were published, UTC.
    pub day: DateTime<Utc>,
    /// Lower-case object id of the identity or person.
    pub principal_id: Option<String>,
    /// Lower-case application id: of the identity, or of the client that a person used.
    pub app_id: Option<String>,
    /// Lower-case application id of what was signed in to.
    pub resource_id: Option<String>,
    /// `ResultType`, as received.
    pub result: Option<String>,
    /// Whether they succeeded: result `0`, or the word; none where nothing is told.
    pub succeeded: Option<bool>,
    /// Address, coarsened by redaction; withheld for managed identities and not asked of people.
    pub address: Option<String>,
    /// `ClientCredentialType`, where the table has it.
    pub credential_type: Option<String>,
    /// `ServicePrincipalCredentialKeyId`.
    pub credential_key_id: Option<String>,
    /// `FederatedCredentialId`.
    pub federated_credential_id: Option<String>,
    /// `UserType` of a person.
    pub user_type: Option<String>,
    /// `AuthenticationRequirement` of a person's.
    pub authentication: Option<String>,
    /// `ConditionalAccessStatus` of a person's.
    pub conditional_access: Option<String>,
    /// Rows that tell of them; a sign-in may be written more than once.
    pub rows: u64,
    /// Sign-ins.
    pub count: u64,
    /// First of them.
    pub first: Option<DateTime<Utc>>,
    /// Last of them.
    pub last: Option<DateTime<Utc>>,
    /// GUID of the workspace, lower case.
    pub workspace: String,
    /// Where it was read.
    pub from: Cite,
}
