//! What to ask: a table of questions, the plan made from it, and the run that puts every question and keeps how
//! it ended.
//!
//! `table` has a row for each kind of question; [`plan`] fixes what will be asked before the first request.
//! [`collect`] puts the questions phase by phase, because later ones follow from earlier answers (`extract`);
//! `ask` follows one question through its pages, `reason` says why one ended without a full answer, and
//! `redact` decides what of an answer may be kept. A refusal ends its question, never the run.

mod ask;
mod earlier;
mod extract;
mod kql;
mod own;
mod permission;
mod plan;
mod probe;
mod reason;
mod record;
mod redact;
mod run;
mod table;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

pub use own::{OwnEffective, OwnEntry, OwnPolicy, OwnRights, OwnRole, own_rights};
pub use permission::{Permission, actions, data_actions, graph_permissions};
pub use plan::plan;
pub use probe::{Probe, Probed, State, probe};
pub use run::{CollectError, Keeper, Progress, Summary, collect};
pub use table::{Collector, Form, collectors};

use crate::evidence::{Expected, Period, Plan, Tool, VaultObjects};

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
    /// The period that logs are asked for.
    pub period: Period,
    /// When the run began, local clock. Logs are asked for up to here.
    pub now: DateTime<Utc>,
    /// The program, for the records.
    pub tool: Tool,
}

impl CollectRequest {
    /// What was to be collected by the run that wrote this plan, so that one that continues it asks the same.
    pub fn of_plan(plan: &Plan, tool: Tool) -> CollectRequest {
        CollectRequest {
            tenant_id: plan.tenant_id.clone(),
            expected: plan.expected.clone(),
            vault_objects: plan.vault_objects,
            period: plan.period,
            now: plan.written_at,
            tool,
        }
    }
}
