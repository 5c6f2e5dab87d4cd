//! What `results.json` of a sealed pack tells, as far as two packs are compared.

use serde::{Deserialize, Serialize};

use super::Overview;
use crate::check::{Outcome, Subject};
use crate::evidence::{Period, Tool};

/// The results of one pack. What a later version adds to the file is passed over; an outcome that this version does
/// not know is refused.
#[derive(Clone, Debug, Deserialize)]
pub struct Told {
    /// Name and version of the format.
    pub schema: String,
    /// Entra tenant.
    pub tenant: String,
    /// The period under examination.
    pub period: Period,
    /// The program that judged.
    pub tool: Tool,
    /// One result a control.
    pub controls: Vec<ToldControl>,
    /// Every finding.
    pub findings: Vec<ToldFinding>,
}

/// One control as a pack tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ToldControl {
    /// Its id.
    pub id: String,
    /// One line.
    pub title: String,
    /// How it concluded.
    pub conclusion: String,
}

/// One finding as a pack tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ToldFinding {
    /// Id of the check.
    pub check: String,
    /// What it is about.
    pub subject: Subject,
    /// How it ended.
    pub outcome: Outcome,
    /// One sentence.
    pub because: String,
    /// The waiver that holds for a fail.
    #[serde(default)]
    pub accepted: Option<ToldAccepted>,
}

/// Who accepted a fail, and until when, as a pack tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldAccepted {
    /// Who accepted it.
    pub approver: String,
    /// Last day, UTC: `2026-12-31`.
    pub until: String,
}

impl Told {
    /// The `schema` that can be read.
    pub const SCHEMA: &str = "tickmark.results/v1";

    /// What the pack of this view would tell.
    pub fn of(overview: &Overview) -> Told {
        let control = |line: &super::ControlLine| ToldControl {
            id: line.control.id.clone(),
            title: line.control.title.clone(),
            conclusion: line.conclusion.word().to_owned(),
        };
        let accepted =
            |one: &crate::check::Accepted| ToldAccepted { approver: one.approver.clone(), until: one.until.clone() };
        let finding = |finding: &crate::check::Finding| ToldFinding {
            check: finding.check().to_owned(),
            subject: finding.subject().clone(),
            outcome: finding.outcome(),
            because: finding.because().to_owned(),
            accepted: finding.accepted().map(accepted),
        };
        Told {
            schema: Told::SCHEMA.to_owned(),
            tenant: overview.head.tenant_id.clone(),
            period: overview.inputs.period,
            tool: overview.inputs.tool.clone(),
            controls: overview.controls.iter().map(control).collect(),
            findings: overview.findings.iter().map(|one| finding(one)).collect(),
        }
    }

    /// The part about these checks and controls.
    pub fn about(mut self, checks: &[&str], controls: &[&str]) -> Told {
        self.findings.retain(|finding| checks.contains(&finding.check.as_str()));
        self.controls.retain(|control| controls.contains(&control.id.as_str()));
        self
    }
}
