//! What evidence there is for each criterion and control, for those who keep it whole: outcomes, days of the period,
//! what was not read and what would supply it, what waits for a person.
//!
//! Made from the same findings as the report; tables that only the report shows are not computed.

mod inputs;
mod lines;
mod reach;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{CollectionSummary, Counts, Inputs, Selection, Trend};
use crate::access::Access;
use crate::check::{Check, Facts, Finding, Outcome, all_checks, run_those};
use crate::control::{Control, Framework};
use crate::evidence::{Capture, Entry, Head, Kind, Reason};
use crate::model::{Missing, Tenant, Vault};

pub use inputs::{MissingInput, OpenPoint, Supply};
pub use lines::{CheckLine, ControlLine, CriterionLine, Standard};
use reach::Days;

/// What the view needs to know of the sources, which nothing in the evidence tells.
pub struct Sources<'a> {
    /// What would supply something that was not read.
    pub supply: &'a dyn Fn(&Missing) -> Supply,
    /// What would settle what a check left open for a reason of its own.
    pub settle: &'a dyn Fn(&Check, Reason) -> String,
    /// The log table that a question of this kind at this scope reads.
    pub table: &'a dyn Fn(Kind, &str) -> Option<String>,
    /// The ledger of runs, up to the capture.
    pub ledger: &'a [Entry],
}

/// Everything that is shown.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What the person said.
    pub inputs: Inputs,
    /// The capture's head.
    pub head: Head,
    /// What was looked at.
    pub selection: Selection,
    /// Which questions were answered, and which part of the period the logs cover.
    pub collection: CollectionSummary,
    /// Vaults that were read.
    pub vaults: usize,
    /// Of those, the ones whose audit events no table that was read can hold.
    pub vaults_without_log: usize,
    /// SOC 2 criteria, then NIST controls, each in the order of its file.
    pub criteria: Vec<CriterionLine>,
    /// Controls, in the order of their files.
    pub controls: Vec<ControlLine>,
    /// Checks that were run, in the order of the table.
    pub checks: Vec<CheckLine>,
    /// What was not read and a check that was run needs, each with what would supply it.
    pub missing: Vec<MissingInput>,
    /// Questions without a full answer that no check that was run needs.
    pub missing_elsewhere: usize,
    /// Findings of the checks that were run, sorted.
    pub findings: Vec<Arc<Finding>>,
    /// What changed since an earlier pack.
    pub trend: Option<Trend>,
}

impl Overview {
    /// Findings by outcome, each once.
    pub fn counts(&self) -> Counts {
        self.checks.iter().fold(Counts::default(), |sum, line| sum.plus(line.counts))
    }

    /// Fails that no waiver holds for.
    pub fn exceptions(&self) -> impl Iterator<Item = &Finding> {
        let fails = self.findings.iter().filter(|finding| finding.outcome() == Outcome::Fail);
        fails.map(AsRef::as_ref).filter(|finding| finding.accepted().is_none())
    }

    /// The line of a check that was run.
    pub fn check(&self, id: &str) -> Option<&CheckLine> {
        self.checks.iter().find(|line| line.check.id == id)
    }
}

/// Looks at one capture.
pub fn overview(
    inputs: Inputs,
    capture: &Capture,
    tenant: &Tenant,
    (controls, framework): (&[Control], &Framework),
    selection: Selection,
    sources: &Sources<'_>,
) -> Overview {
    let is_wanted = |check: &Check| controls.iter().any(|one| cites(one, check.id) && selection.takes(one, check.id));
    let wanted: Vec<&'static Check> = all_checks(&inputs.declared).filter(|check| is_wanted(check)).collect();
    let access = Access::of(tenant);
    let Inputs { period, parameters, declared, .. } = &inputs;
    let facts = Facts { tenant, access: &access, period: *period, parameters, declared, ledger: sources.ledger };
    let findings = run_those(&facts, is_wanted);
    let collection = super::coverage::summary(capture, tenant, &inputs.period);
    let is_open = |finding: &&Arc<Finding>| finding.outcome() == Outcome::NotEvaluated;
    let open: BTreeSet<&str> = findings.iter().filter(is_open).map(|finding| finding.check()).collect();
    let (missing, missing_elsewhere) = inputs::missing(&wanted, tenant, sources, &open);
    let days = Days::of(capture, tenant, &inputs.period, &collection, sources);
    let checks = lines::checks(&wanted, &findings, &missing, &days, sources);
    let controls_shown = lines::controls(controls, &selection, &checks, &inputs.declared);
    Overview {
        criteria: lines::criteria(framework, controls, &selection, &controls_shown, &checks),
        controls: controls_shown,
        head: capture.head.clone(),
        vaults: tenant.vaults.len(),
        vaults_without_log: tenant.vaults.iter().filter(|vault| !has_log(tenant, vault)).count(),
        trend: None,
        inputs,
        selection,
        collection,
        checks,
        missing,
        missing_elsewhere,
        findings,
    }
}

fn has_log(tenant: &Tenant, vault: &Vault) -> bool {
    tenant.settings_of(&vault.id).any(|setting| setting.sends_audit_events() && setting.workspace_id.is_some())
}

fn cites(control: &Control, check: &str) -> bool {
    control.checks.iter().any(|cited| cited == check)
}
