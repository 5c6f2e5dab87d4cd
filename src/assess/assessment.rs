//! The conclusion over one capture: everything that is rendered, and nothing that is not a function of evidence.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{AccessGraph, CollectionSummary, Inventory, Population, Story, judge};
use crate::access::{Access, OwnRights};
use crate::check::usage::{self, AssignmentUse, GrantUse, SecretUse};
use crate::check::{Facts, Finding, Outcome, Parameters, RoleChange, role_changes, run_all};
use crate::control::Control;
use crate::declared::{Attached, Declared, Parameter, Row};
use crate::evidence::{Capture, Head, Period, Tool};
use crate::model::{ResourceGraph, Tenant, VaultContents};

/// What the person who runs the assessment says, kept in the pack so that it can be re-performed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Inputs {
    /// Whose tenant, and which system is under examination.
    pub organisation: Organisation,
    /// The period under examination.
    pub period: Period,
    /// Thresholds.
    pub parameters: Parameters,
    /// SHA-256 of the DER SubjectPublicKeyInfo of the signing key, lower-case hex.
    pub key_fingerprint: String,
    /// TSA addresses; empty means that the signer asserts the time.
    pub tsa: Vec<String>,
    /// The program that judged.
    pub tool: Tool,
    /// Registers, waivers and attached records; their files lie in the pack as they are.
    #[serde(skip)]
    pub declared: Declared,
}

/// Whose tenant, and which system is under examination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Name of the organisation.
    pub name: String,
    /// Name of the system under examination.
    pub system: String,
}

/// Everything that the report shows.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// What the person said.
    pub inputs: Inputs,
    /// The capture's head.
    pub head: Head,
    /// Which questions were answered, and which part of the period the logs cover.
    pub collection: CollectionSummary,
    /// What the identity that collected held itself, and what of that a collector must not have.
    pub own: OwnRights,
    /// One result a control, in the order of the control files.
    pub controls: Vec<ControlResult>,
    /// Every finding, sorted.
    pub findings: Vec<Arc<Finding>>,
    /// Populations with their results, one a check.
    pub populations: Vec<Population>,
    /// Identities, vaults, and who can read what.
    pub inventory: Inventory,
    /// Who can read secrets, as much of it as can be drawn.
    pub graph: AccessGraph,
    /// Who could read secrets against who did.
    pub grants: Vec<GrantUse>,
    /// The same by role assignment and access policy.
    pub assignments: Vec<AssignmentUse>,
    /// The same by secret.
    pub secrets: Vec<SecretUse>,
    /// Grants and removals of roles in the period.
    pub role_changes: Vec<RoleChange>,
    /// What each host reaches through all its identities.
    pub hosts: super::Hosts,
    /// Break/fix timelines out of the vault log.
    pub stories: Vec<Story>,
    /// The request ledger: one line a record.
    pub evidence: Vec<EvidenceLine>,
    /// The capture's run ledger, as text lines for the report.
    pub ledger_entries: Vec<crate::evidence::Entry>,
}

/// The result of one control.
#[derive(Clone, Debug)]
pub struct ControlResult {
    /// Its definition.
    pub control: Control,
    /// The conclusion.
    pub conclusion: Conclusion,
    /// Findings by outcome.
    pub counts: Counts,
    /// Records that people made for it.
    pub attached: Vec<Attached>,
    /// What the organisation sets for parameters of the NIST controls that it cites, as in force at collection.
    pub parameters: Vec<Row<Parameter>>,
}

/// How a control ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// At least one fail.
    Exceptions,
    /// No fail, and nothing left open.
    NoExceptions,
    /// No fail, and something could not be judged.
    NotEvaluated,
    /// No fail, nothing unjudged, and something waits for a person.
    AwaitsPerson,
    /// Nothing to judge.
    NotApplicable,
}

impl Conclusion {
    /// The word in results.
    pub fn word(self) -> &'static str {
        match self {
            Conclusion::Exceptions => "exceptions",
            Conclusion::NoExceptions => "no_exceptions",
            Conclusion::NotEvaluated => "not_evaluated",
            Conclusion::AwaitsPerson => "awaits_person",
            Conclusion::NotApplicable => "not_applicable",
        }
    }

    /// The words in the report.
    pub fn words(self) -> &'static str {
        match self {
            Conclusion::Exceptions => "Exceptions noted",
            Conclusion::NoExceptions => "No exceptions noted",
            Conclusion::NotEvaluated => "Not evaluated",
            Conclusion::AwaitsPerson => "Awaits a person",
            Conclusion::NotApplicable => "Not applicable",
        }
    }
}

/// Findings by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// As it should be.
    pub pass: usize,
    /// Exceptions.
    pub fail: usize,
    /// Those of them that a waiver holds for.
    pub accepted: usize,
    /// Proven not to apply.
    pub not_applicable: usize,
    /// Waits for a person.
    pub manual: usize,
    /// Could not be judged.
    pub not_evaluated: usize,
}

impl Counts {
    /// Counts one finding.
    pub fn add(&mut self, outcome: Outcome, is_accepted: bool) {
        self.accepted += usize::from(is_accepted);
        match outcome {
            Outcome::Pass => self.pass += 1,
            Outcome::Fail => self.fail += 1,
            Outcome::NotApplicable => self.not_applicable += 1,
            Outcome::Manual => self.manual += 1,
            Outcome::NotEvaluated => self.not_evaluated += 1,
        }
    }

    /// Both together.
    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            pass: self.pass + other.pass,
            fail: self.fail + other.fail,
            accepted: self.accepted + other.accepted,
            not_applicable: self.not_applicable + other.not_applicable,
            manual: self.manual + other.manual,
            not_evaluated: self.not_evaluated + other.not_evaluated,
        }
    }
}

/// One record of the request ledger.
#[derive(Clone, Debug)]
pub struct EvidenceLine {
    /// Evidence id.
    pub id: String,
    /// The question in words.
    pub title: String,
    /// Kind in words.
    pub kind: &'static str,
    /// Scope.
    pub scope: String,
    /// Method and URL.
    pub request: String,
    /// HTTP statuses of the pages.
    pub statuses: Vec<u16>,
    /// Items.
    pub rows: u64,
    /// Values and members that were cut before the answer was kept.
    pub cuts: u64,
    /// Pages: file and SHA-256.
    pub pages: Vec<(String, String)>,
    /// Requests sent beyond the first for each page.
    pub retries: u32,
    /// When it ended, UTC.
    pub ended_at: DateTime<Utc>,
    /// Reason sentence and detail of the gap.
    pub gap: Option<(String, String)>,
    /// Differences between counts, in words.
    pub totals: Vec<String>,
}

/// Judges one capture. What is no longer looked at is let go on the way: the facts of a large tenant and all that is
/// said of them are much to hold at once.
pub fn assess(
    inputs: Inputs,
    capture: &Capture,
    mut tenant: Tenant,
    controls: &[Control],
    ledger_entries: Vec<crate::evidence::Entry>,
) -> Assessment {
    let access = Access::of(&tenant);
    let Inputs { period, parameters, declared, .. } = &inputs;
    let at = tenant.collected_at;
    let facts =
        Facts { tenant: &tenant, access: &access, period: *period, parameters, declared, ledger: &ledger_entries };
    let findings = run_all(&facts);
    let collection = super::coverage::summary(capture, &tenant, period);
    let own = OwnRights::from_evidence(&tenant, &access, capture.head.run_as.object_id.as_deref());
    let stories = super::break_fix::stories(&tenant, period);
    let grants = usage::join(&facts);
    let (assignments, secrets) = (usage::by_assignment(&facts), usage::by_secret(&facts));
    let role_changes = role_changes(&facts);
    let graph = super::graph::graph(&tenant, &access);
    let hosts = super::hosts::hosts(&tenant, &access);
    // the inventory is of resources, vaults and principals, and asks `access` about the rest
    tenant.resource_graph = ResourceGraph::default();
    tenant.role_assignments = Vec::new();
    tenant.contents = VaultContents::default();
    tenant.vault_events = Vec::new();
    Assessment {
        head: capture.head.clone(),
        collection,
        own,
        controls: controls.iter().map(|control| judge::judge(control, &findings, declared, at)).collect(),
        populations: super::population::populations(&findings, declared),
        inventory: super::inventory::inventory(&tenant, &access),
        graph,
        grants,
        assignments,
        secrets,
        role_changes,
        hosts,
        stories,
        evidence: super::coverage::evidence_lines(capture),
        ledger_entries,
        findings,
        inputs,
    }
}
