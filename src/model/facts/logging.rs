//! Where the platform's and the directory's own logs go, what the activity log says, and what guards the archives.

use chrono::{DateTime, Utc};

use super::DiagnosticSetting;
use crate::evidence::{Cite, Kind};
use crate::model::Id;

/// The family of facts about logging beside vaults' settings, workspaces and tables.
#[derive(Clone, Debug, Default)]
pub struct Logging {
    /// Exports of the activity log of subscriptions; `resource` is the subscription.
    pub subscription_exports: Vec<DiagnosticSetting>,
    /// The same of management groups.
    pub group_exports: Vec<DiagnosticSetting>,
    /// Exports of the directory's logs; `resource` is `tenant`.
    pub directory_exports: Vec<DiagnosticSetting>,
    /// Events of the activity log in order of time, each once.
    pub activity: Vec<ActivityEvent>,
    /// Which part of the period each question about the activity log reached.
    pub reach: Vec<ActivityReach>,
    /// Plans of Defender for Cloud, by subscription and name.
    pub plans: Vec<DefenderPlan>,
    /// Containers of storage accounts that logs go to, by account and name.
    pub containers: Vec<ArchiveContainer>,
    /// Alert rules on the activity log, in order of id.
    pub activity_alerts: Vec<ActivityAlert>,
    /// Alert rules that search logs, in order of id.
    pub search_alerts: Vec<SearchAlert>,
    /// Whom alert rules tell, in order of id.
    pub action_groups: Vec<ActionGroup>,
}

impl Logging {
    /// Every export.
    pub fn exports(&self) -> impl Iterator<Item = &DiagnosticSetting> {
        self.subscription_exports.iter().chain(&self.group_exports).chain(&self.directory_exports)
    }
}

/// One event of the activity log. One change has several: its start, and its end.
#[derive(Clone, Debug)]
pub struct ActivityEvent {
    /// `eventDataId`.
    pub id: String,
    /// `eventTimestamp`.
    pub at: DateTime<Utc>,
    /// `submissionTimestamp`: when it could be read.
    pub submitted_at: Option<DateTime<Utc>>,
    /// The question that it answers, which names the family of operations.
    pub kind: Kind,
    /// The subscription, or `tenant`.
    pub scope: Id,
    /// `operationName.value`, as received; its case varies.
    pub operation: String,
    /// `status.value`: `Started`, `Accepted`, `Succeeded`, `Failed`, as received.
    pub status: Option<String>,
    /// `subStatus.value`, the HTTP status in words.
    pub sub_status: Option<String>,
    /// `resourceId`: what was changed.
    pub resource: Option<Id>,
    /// `authorization.scope`.
    pub authorized_scope: Option<Id>,
    /// Lower-case object id of the caller.
    pub caller_id: Option<String>,
    /// Lower-case application id of the caller.
    pub caller_app_id: Option<String>,
    /// `correlationId`, shared by the events of one change.
    pub correlation_id: Option<String>,
    /// Who got or lost which role, where the event holds it.
    pub grant: Option<Grant>,
    /// Where it was read.
    pub from: Cite,
}

impl ActivityEvent {
    /// Whether the operation is this one, whatever its case.
    pub fn is(&self, operation: &str) -> bool {
        self.operation.eq_ignore_ascii_case(operation)
    }

    /// Whether the event says that the change was made.
    pub fn has_succeeded(&self) -> bool {
        let status = self.status.as_deref().unwrap_or_default();
        ["Succeeded", "Success"].iter().any(|word| status.eq_ignore_ascii_case(word))
    }
}

/// A role that was given or taken. The activity log holds it in the body of the request or of the answer, which may
/// be absent or cut short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Lower-case object id of the principal.
    pub principal_id: String,
    /// Lower-case GUID of the role definition.
    pub role: Option<String>,
    /// Where it holds.
    pub scope: Option<Id>,
}

/// Which part of the period a question about the activity log reached. The log keeps 90 days.
#[derive(Clone, Debug)]
pub struct ActivityReach {
    /// The question.
    pub kind: Kind,
    /// The subscription, or `tenant`.
    pub scope: Id,
    /// First instant that was asked for.
    pub start: DateTime<Utc>,
    /// First instant that was not asked for.
    pub end: DateTime<Utc>,
    /// Whether that begins after the period does.
    pub is_short: bool,
    /// The record.
    pub from: Cite,
}

/// A plan of Defender for Cloud.
#[derive(Clone, Debug)]
pub struct DefenderPlan {
    /// The subscription.
    pub subscription: Id,
    /// `KeyVaults`, `VirtualMachines`, …
    pub name: String,
    /// `pricingTier`: `Free` or `Standard`, as received.
    pub tier: Option<String>,
    /// `subPlan`.
    pub sub_plan: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

impl DefenderPlan {
    /// Whether the plan is on; none where the tier is not told.
    pub fn is_on(&self) -> Option<bool> {
        self.tier.as_deref().map(|tier| tier.eq_ignore_ascii_case("Standard"))
    }
}

/// A container of a storage account that logs go to.
#[derive(Clone, Debug)]
pub struct ArchiveContainer {
    /// ARM id of the storage account.
    pub account: Id,
    /// Name, such as `insights-logs-auditevent`.
    pub name: String,
    /// `hasImmutabilityPolicy`.
    pub has_policy: Option<bool>,
    /// Whether the policy is locked; one that is not can be taken away. None where there is none, or it is not told.
    pub is_locked: Option<bool>,
    /// How long a blob stays as it is after it was written: days.
    pub days: Option<i64>,
    /// `hasLegalHold`.
    pub has_legal_hold: Option<bool>,
    /// Whether policies can be set on each version (`immutableStorageWithVersioning`).
    pub is_versioned: Option<bool>,
    /// Where it was read.
    pub from: Cite,
}

/// An alert rule on the activity log.
#[derive(Clone, Debug)]
pub struct ActivityAlert {
    /// ARM id.
    pub id: Id,
    /// `enabled`; absent means on (spec:Microsoft.Insights, activityLogAlerts: default true).
    pub enabled: Option<bool>,
    /// What it watches, and all below.
    pub scopes: Vec<Id>,
    /// Everything that an event must be.
    pub conditions: Vec<AlertCondition>,
    /// ARM ids of the action groups that it tells.
    pub action_groups: Vec<Id>,
    /// Where it was read.
    pub from: Cite,
}

/// One thing that an event must be for an alert: a field with a value, or one of several such.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertCondition {
    /// `operationName`, `category`, `status`, …, as received.
    pub field: Option<String>,
    /// The values of which the event has one.
    pub values: Vec<String>,
    /// Conditions of which the event fulfils one.
    pub any_of: Vec<AlertCondition>,
}

/// An alert rule that searches logs. What it searches for is not kept.
#[derive(Clone, Debug)]
pub struct SearchAlert {
    /// ARM id.
    pub id: Id,
    /// `enabled`.
    pub enabled: Option<bool>,
    /// What it searches.
    pub scopes: Vec<Id>,
    /// ARM ids of the action groups that it tells.
    pub action_groups: Vec<Id>,
    /// Where it was read.
    pub from: Cite,
}

/// Whom alert rules tell.
#[derive(Clone, Debug)]
pub struct ActionGroup {
    /// ARM id.
    pub id: Id,
    /// `enabled`.
    pub enabled: Option<bool>,
    /// How many receivers it has: mail, text message, call, webhook, runbook, Logic App, function, role, event hub.
    pub receivers: usize,
    /// Where it was read.
    pub from: Cite,
}
