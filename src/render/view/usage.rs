//! Who could read secrets against who did.

use serde::Serialize;

use super::{CiteView, Places, READERS};
use crate::assess::Assessment;
use crate::check::usage::{GrantUse, Usage};
use crate::render::escape::Shown;

/// The section.
#[derive(Serialize)]
pub(super) struct UsageView {
    /// How many lines of each kind there are, in the order of the table.
    counts: Vec<(&'static str, usize)>,
    lines: Vec<LineView>,
    total: usize,
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
    let count = |usage: &Usage| assessment.grants.iter().filter(|line| line.usage == *usage).count();
    let counts = Usage::ALL.iter().map(|usage| (usage.words(), count(usage))).filter(|(_, count)| *count > 0);
    UsageView {
        counts: counts.collect(),
        total: lines.len(),
        lines: lines.into_iter().take(READERS).map(|line| line_view(line, places)).collect(),
    }
}

fn line_view(line: &GrantUse, places: &Places<'_>) -> LineView {
    let day =
        |at: Option<chrono::DateTime<chrono::Utc>>| at.map_or_else(String::new, |at| at.format("%Y-%m-%d").to_string());
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
