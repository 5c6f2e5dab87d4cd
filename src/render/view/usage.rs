//! Who could read secrets against who did.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{CiteView, Places, READERS};
use crate::assess::Assessment;
use crate::check::usage::{AssignmentUse, GrantUse, Usage};
use crate::render::escape::Shown;

/// The section.
#[derive(Serialize)]
pub(super) struct UsageView {
    /// How many lines of each kind there are, in the order of the table.
    counts: Vec<(&'static str, usize)>,
    lines: Vec<LineView>,
    total: usize,
    /// Role assignments and policies, by what became of them.
    by_assignment: Vec<(&'static str, usize)>,
    assignments: Vec<AssignmentView>,
    assignments_total: usize,
    /// Secrets, by what became of them.
    by_secret: Vec<(&'static str, usize)>,
    secrets_total: usize,
    /// Roles that were given and taken in the period.
    role_changes: usize,
    /// How many of them the sample holds.
    role_changes_drawn: usize,
}

/// One role assignment or policy.
#[derive(Serialize)]
struct AssignmentView {
    by: Shown,
    scope: Shown,
    holder: Shown,
    principals: usize,
    vaults: usize,
    usage: &'static str,
    reads: usize,
    last: String,
    idle_days: Option<i64>,
    because: Shown,
    evidence: Vec<CiteView>,
}

/// One line.
#[derive(Serialize)]
struct LineView {
    vault: Shown,
    principal: Shown,
    principal_id: Shown,
    usage: &'static str,
    reads: usize,
    secrets: usize,
    first: String,
    last: String,
    idle_days: Option<i64>,
    by: Shown,
    evidence: Vec<CiteView>,
}

pub(super) fn usage(assessment: &Assessment, places: &Places<'_>) -> UsageView {
    let rank = |usage: Usage| Usage::ALL.iter().position(|other| *other == usage);
    let mut lines: Vec<&GrantUse> = assessment.grants.iter().collect();
    lines.sort_by_key(|line| (rank(line.usage), &line.vault_name, &line.principal, &line.principal_id));
    let mut assignments: Vec<&AssignmentUse> = assessment.assignments.iter().collect();
    assignments.sort_by_key(|line| rank(line.usage));
    UsageView {
        counts: counted(lines.iter().map(|line| line.usage)),
        by_assignment: counted(assignments.iter().map(|line| line.usage)),
        assignments_total: assignments.len(),
        assignments: assignments.into_iter().take(READERS).map(|line| assignment_view(line, places)).collect(),
        by_secret: counted(assessment.secrets.iter().map(|line| line.usage)),
        secrets_total: assessment.secrets.len(),
        role_changes: assessment.role_changes.len(),
        role_changes_drawn: assessment.role_changes.iter().filter(|change| change.sample.is_some()).count(),
        total: lines.len(),
        lines: lines.into_iter().take(READERS).map(|line| line_view(line, places)).collect(),
    }
}

/// How many there are of each usage, in the order of the tables; none of which there is none.
fn counted(usages: impl Iterator<Item = Usage>) -> Vec<(&'static str, usize)> {
    let usages: Vec<Usage> = usages.collect();
    let count = |usage: &Usage| usages.iter().filter(|other| *other == usage).count();
    Usage::ALL.iter().map(|usage| (usage.words(), count(usage))).filter(|(_, count)| *count > 0).collect()
}

fn day(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(String::new, |at| at.format("%Y-%m-%d").to_string())
}

fn assignment_view(line: &AssignmentUse, places: &Places<'_>) -> AssignmentView {
    AssignmentView {
        by: Shown::sentence(&line.by),
        scope: Shown::sentence(line.scope.shown()),
        holder: Shown::name(&line.holder),
        principals: line.principals,
        vaults: line.vaults,
        usage: line.usage.words(),
        reads: line.reads,
        last: day(line.last),
        idle_days: line.idle_days,
        because: Shown::sentence(&line.because),
        evidence: places.views(&line.evidence),
    }
}

fn line_view(line: &GrantUse, places: &Places<'_>) -> LineView {
    let by = match (line.by.is_empty(), line.because.is_empty()) {
        (true, _) => line.because.to_string(),
        (false, true) => line.by.to_string(),
        (false, false) => format!("{}; {}", line.by, line.because),
    };
    LineView {
        vault: Shown::name(&line.vault_name),
        principal: Shown::name(&line.principal),
        principal_id: Shown::name(if line.principal == line.principal_id { "" } else { &line.principal_id }),
        usage: line.usage.words(),
        reads: line.reads,
        secrets: line.secrets,
        first: day(line.first),
        last: day(line.last),
        idle_days: line.idle_days,
        by: Shown::sentence(&by),
        evidence: places.views(&line.evidence),
    }
}
