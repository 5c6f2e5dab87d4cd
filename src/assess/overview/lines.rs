//! The lines: one a check, a control, a criterion.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::judge::conclusion;
use super::super::{Conclusion, Counts, Selection};
use super::inputs::{MissingInput, OpenPoint, open};
use super::{Days, Sources, cites};
use crate::check::{Check, Finding, Outcome};
use crate::control::{Control, Framework};
use crate::declared::{Attached, Declared};

/// One check that was run.
#[derive(Clone, Debug)]
pub struct CheckLine {
    /// The check.
    pub check: &'static Check,
    /// Its findings by outcome.
    pub counts: Counts,
    /// Whole days of the period that its evidence can speak of; none where it speaks of a state.
    pub days: Option<i64>,
    /// Places in the list of missing inputs.
    pub missing: Vec<usize>,
    /// Why findings were left open.
    pub open: Vec<OpenPoint>,
    /// What the first finding that awaits a person says.
    pub manual: Option<String>,
}

/// One control, over the checks that were run for it.
#[derive(Clone, Debug)]
pub struct ControlLine {
    /// Its definition.
    pub control: Control,
    /// How it concludes; never free of exceptions while one of its checks was left out.
    pub conclusion: Conclusion,
    /// Findings by outcome.
    pub counts: Counts,
    /// Checks that were run for it.
    pub checks: Vec<&'static str>,
    /// Checks that it cites and that were left out.
    pub left_out: Vec<String>,
    /// The least of the days of its checks; none where all speak of a state.
    pub days: Option<i64>,
    /// Records that people attached for it.
    pub attached: Vec<Attached>,
}

/// The standard that a criterion is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// Trust Services Criteria.
    Soc2,
    /// NIST SP 800-53 r5.
    Nist,
}

impl Standard {
    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            Standard::Soc2 => "SOC 2",
            Standard::Nist => "NIST SP 800-53 r5",
        }
    }

    /// The word in exports.
    pub fn word(self) -> &'static str {
        match self {
            Standard::Soc2 => "soc2",
            Standard::Nist => "nist-sp-800-53-r5",
        }
    }
}

/// One criterion, over the checks of the controls that cite it.
#[derive(Clone, Debug)]
pub struct CriterionLine {
    /// Of which standard.
    pub standard: Standard,
    /// `CC6.1` or `AC-6(5)`.
    pub id: String,
    /// Short title.
    pub title: String,
    /// Controls that cite it.
    pub controls: Vec<String>,
    /// How those checks conclude. It is no opinion about the criterion.
    pub conclusion: Conclusion,
    /// Their findings by outcome, each once.
    pub counts: Counts,
    /// Checks that were run for it.
    pub checks: Vec<&'static str>,
    /// How many of the checks for it were left out.
    pub left_out: usize,
    /// The least of the days of its checks; none where all speak of a state.
    pub days: Option<i64>,
}

/// Lines of the checks, in their order.
pub(super) fn checks(
    wanted: &[&'static Check],
    findings: &[Arc<Finding>],
    missing: &[MissingInput],
    days: &Days,
    sources: &Sources<'_>,
) -> Vec<CheckLine> {
    let mut by_check: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        by_check.entry(finding.check()).or_default().push(finding);
    }
    let line = |check: &'static Check| {
        let own = by_check.get(check.id).map(Vec::as_slice).unwrap_or_default();
        let mut counts = Counts::default();
        own.iter().for_each(|finding| counts.add(finding.outcome(), finding.accepted().is_some()));
        let manual = own.iter().find(|finding| finding.outcome() == Outcome::Manual);
        let needs = |input: &MissingInput| input.checks.contains(&check.id);
        CheckLine {
            check,
            counts,
            days: days.of_check(check),
            missing: missing.iter().enumerate().filter(|(_, input)| needs(input)).map(|(place, _)| place).collect(),
            open: open(check, own, sources),
            manual: manual.map(|finding| finding.because().to_owned()),
        }
    };
    wanted.iter().copied().map(line).collect()
}

/// Lines of the controls for which a check was run.
pub(super) fn controls(
    all: &[Control],
    selection: &Selection,
    lines: &[CheckLine],
    declared: &Declared,
) -> Vec<ControlLine> {
    let line = |control: &Control| {
        let is_taken = |line: &&CheckLine| cites(control, line.check.id) && selection.takes(control, line.check.id);
        let taken: Vec<&CheckLine> = lines.iter().filter(is_taken).collect();
        let is_left_out = |id: &&String| !taken.iter().any(|line| line.check.id == id.as_str());
        let left_out: Vec<String> = control.checks.iter().filter(is_left_out).cloned().collect();
        let sum = sum(&taken);
        (!taken.is_empty()).then(|| ControlLine {
            control: control.clone(),
            conclusion: conclusion(&sum.counts, left_out.is_empty() && sum.is_heard),
            counts: sum.counts,
            checks: taken.iter().map(|line| line.check.id).collect(),
            left_out,
            days: sum.days,
            attached: declared
                .attached
                .iter()
                .filter(|one| one.control.eq_ignore_ascii_case(&control.id))
                .cloned()
                .collect(),
        })
    };
    all.iter().filter_map(line).collect()
}

/// Lines of the criteria that a control speaks for.
pub(super) fn criteria(
    framework: &Framework,
    all: &[Control],
    selection: &Selection,
    shown: &[ControlLine],
    lines: &[CheckLine],
) -> Vec<CriterionLine> {
    let soc2 = framework.criteria.iter().map(|one| (Standard::Soc2, one));
    let nist = framework.nist_controls.iter().map(|one| (Standard::Nist, one));
    let line = |(standard, criterion): (Standard, &crate::control::Criterion)| {
        let is_cited = |control: &Control| {
            let cited = match standard {
                Standard::Soc2 => &control.criteria,
                Standard::Nist => &control.nist,
            };
            cited.contains(&criterion.id)
        };
        let citing: Vec<&ControlLine> = shown.iter().filter(|line| is_cited(&line.control)).collect();
        if citing.is_empty() || !selection.shows(&criterion.id, all) {
            return None;
        }
        let is_taken = |line: &&CheckLine| citing.iter().any(|control| control.checks.contains(&line.check.id));
        let taken: Vec<&CheckLine> = lines.iter().filter(is_taken).collect();
        let mut every: Vec<&str> = all
            .iter()
            .filter(|control| is_cited(control))
            .flat_map(|control| &control.checks)
            .map(String::as_str)
            .collect();
        every.sort_unstable();
        every.dedup();
        let left_out = every.iter().filter(|id| !taken.iter().any(|line| line.check.id == **id)).count();
        let sum = sum(&taken);
        Some(CriterionLine {
            standard,
            id: criterion.id.clone(),
            title: criterion.title.clone(),
            controls: citing.iter().map(|line| line.control.id.clone()).collect(),
            conclusion: conclusion(&sum.counts, left_out == 0 && sum.is_heard),
            counts: sum.counts,
            checks: taken.iter().map(|line| line.check.id).collect(),
            left_out,
            days: sum.days,
        })
    };
    soc2.chain(nist).filter_map(line).collect()
}

struct Sum {
    counts: Counts,
    days: Option<i64>,
    /// Whether each of the checks has a finding: silence is never a pass.
    is_heard: bool,
}

fn sum(lines: &[&CheckLine]) -> Sum {
    let counts = lines.iter().fold(Counts::default(), |sum, line| sum.plus(line.counts));
    let is_heard = lines.iter().all(|line| line.counts != Counts::default());
    Sum { counts, days: lines.iter().filter_map(|line| line.days).min(), is_heard }
}
