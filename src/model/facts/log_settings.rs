//! Where logs are sent, and how long they are kept there.

use crate::evidence::Cite;
use crate::model::Id;

/// A diagnostic setting of a vault.
#[derive(Clone, Debug)]
pub struct DiagnosticSetting {
    /// The vault.
    pub resource: Id,
    /// Name of the setting.
    pub name: String,
    /// Logs: category or category group, and whether it is on.
    pub logs: Vec<LogSetting>,
    /// ARM id of the Log Analytics workspace.
    pub workspace_id: Option<Id>,
    /// `Dedicated`, `AzureDiagnostics`, or absent (AzureDiagnostics).
    pub destination_type: Option<String>,
    /// ARM id of a storage account.
    pub storage_account_id: Option<String>,
    /// Authorization rule of an event hub.
    pub event_hub_rule_id: Option<String>,
    /// A partner solution.
    pub partner_id: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

/// One log of a diagnostic setting.
#[derive(Clone, Debug)]
pub struct LogSetting {
    /// `category`, when one is named.
    pub category: Option<String>,
    /// `categoryGroup`, when one is named.
    pub group: Option<String>,
    /// `enabled`.
    pub enabled: Option<bool>,
}

impl DiagnosticSetting {
    /// Whether vault audit events are switched on: category `AuditEvent`, or group `audit` or `allLogs`.
    pub fn sends_audit_events(&self) -> bool {
        self.logs.iter().any(|log| {
            let named = |text: &Option<String>, names: &[&str]| {
                text.as_deref().is_some_and(|text| names.iter().any(|name| text.eq_ignore_ascii_case(name)))
            };
            log.enabled == Some(true)
                && (named(&log.category, &["AuditEvent"]) || named(&log.group, &["audit", "allLogs"]))
        })
    }

    /// Whether a log is switched on: by its category, or by the group of all.
    pub fn sends(&self, category: &str) -> bool {
        let is =
            |text: &Option<String>, name: &str| text.as_deref().is_some_and(|text| text.eq_ignore_ascii_case(name));
        let mut on = self.logs.iter().filter(|log| log.enabled == Some(true));
        on.any(|log| is(&log.category, category) || is(&log.group, "allLogs"))
    }

    /// Whether the workspace gets the rows in `AZKVAuditLogs` (else in `AzureDiagnostics`).
    pub fn is_dedicated(&self) -> bool {
        self.destination_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("Dedicated"))
    }

    /// Whether the setting names any destination.
    pub fn has_destination(&self) -> bool {
        self.workspace_id.is_some()
            || self.storage_account_id.is_some()
            || self.event_hub_rule_id.is_some()
            || self.partner_id.is_some()
    }
}

/// A Log Analytics workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// ARM id.
    pub id: Id,
    /// Name.
    pub name: String,
    /// `customerId`: the GUID that queries use, lower case.
    pub customer_id: Option<String>,
    /// `retentionInDays`; null is possible.
    pub retention_days: Option<i64>,
    /// Where it was read.
    pub from: Cite,
}

/// A table of a workspace.
#[derive(Clone, Debug)]
pub struct Table {
    /// The workspace.
    pub workspace: Id,
    /// Table name.
    pub name: String,
    /// `plan`: Analytics, Basic, Auxiliary.
    pub plan: Option<String>,
    /// `retentionInDays`, interactive.
    pub retention_days: Option<i64>,
    /// `totalRetentionInDays`, with long-term retention.
    pub total_retention_days: Option<i64>,
    /// Where it was read.
    pub from: Cite,
}
