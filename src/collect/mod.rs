//! What to ask: a table of questions, the plan made from it, and the run that puts every question and keeps how
//! it ended.
//!
//! `table` has a row for each kind of question; [`plan`] fixes what will be asked before the first request.
//! [`collect`] puts the questions phase by phase, because later ones follow from earlier answers (`extract`);
//! `ask` follows one question through its pages, `reason` says why one ended without a full answer, `redact`
//! decides what of an answer may be kept, and `windows` cuts a log into answers of a bearable size. A refusal ends
//! its question, never the run.

mod ask;
mod earlier;
mod envelope;
mod extract;
mod keeper;
mod kql;
mod own;
mod permission;
mod plan;
mod probe;
mod question;
mod reason;
mod record;
mod redact;
mod rows;
mod run;
mod sketch;
mod supply;
mod table;
mod windows;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

pub use keeper::Keeper;
pub use own::{OwnEffective, OwnEntry, OwnPolicy, OwnRights, OwnRole, own_rights};
pub use permission::{Permission, actions, data_actions, graph_permissions};
pub use plan::plan;
pub use probe::{Probe, Probed, State, probe};
pub use redact::{Personal, PseudonymError, Pseudonyms, kept, kept_ways};
pub use run::{CollectError, Progress, Summary, collect};
pub use supply::{of_reason, supplies, table_of};
pub use table::{Collector, Form, collectors};

use crate::evidence::{Expected, Kind, Period, Plan, Tool, VaultObjects};

/// Every query by name, as the program carries it; part of its rule set.
pub fn queries() -> impl Iterator<Item = (&'static str, &'static str)> {
    kql::sources().chain(table::listings())
}

/// What is to be collected.
#[derive(Clone, Debug)]
pub struct CollectRequest {
    /// Entra tenant.
    pub tenant_id: String,
    /// What the configuration expects to exist; an empty list of subscriptions means all that are visible.
    pub expected: Expected,
    /// Where lists of vaults' contents come from.
    pub vault_objects: VaultObjects,
    /// Versions that are asked first, in place of the table's; those of the table are asked where a cloud does not
    /// know them.
    pub api_versions: BTreeMap<Kind, String>,
    /// The period that logs are asked for.
    pub period: Period,
    /// When the run began, local clock. Logs are asked for up to here.
    pub now: DateTime<Utc>,
    /// The program, for the records.
    pub tool: Tool,
    /// What is kept of personal data.
    pub personal: Personal,
}

impl CollectRequest {
    /// What was to be collected by the run that wrote this plan, so that one that continues it asks the same. The
    /// switches of personal data must be those of the plan: the key of the pseudonyms does not stand there.
    pub fn of_plan(plan: &Plan, tool: Tool, personal: Personal) -> CollectRequest {
        CollectRequest {
            tenant_id: plan.tenant_id.clone(),
            expected: plan.expected.clone(),
            vault_objects: plan.vault_objects,
            api_versions: plan.api_versions.clone(),
            period: plan.period,
            now: plan.written_at,
            tool,
            personal,
        }
    }
}
