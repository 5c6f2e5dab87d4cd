//! How much was read, and which part of the period the logs cover.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::EvidenceLine;
use crate::evidence::{Capture, Cite, Kind, Period, PersonalData, Record};
use crate::model::{Difference, Id, Missing, Reconciliation, Tenant};

/// Which questions were answered, and which part of the period the logs cover.
#[derive(Clone, Debug)]
pub struct CollectionSummary {
    /// Questions put.
    pub questions: usize,
    /// Answered whole; a log table that does not exist and that no vault writes to counts as answered.
    pub answered: usize,
    /// The others, with their reason.
    pub gaps: Vec<GapLine>,
    /// One line for each workspace table in use.
    pub covered: Vec<CoveredPart>,
    /// Days of the period that every table in use covers; none without any table in use.
    pub covered_days: Option<i64>,
    /// Days of the period.
    pub period_days: i64,
    /// What two lists of the same things say of each other.
    pub compared: Vec<ComparedLists>,
    /// Items read over all questions.
    pub rows: u64,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Values and members that were cut before the answers were kept, by rule.
    pub cuts: BTreeMap<String, u64>,
    /// What was kept of personal data.
    pub personal_data: PersonalData,
}

/// Two lists of the same things: the resource manager's and Resource Graph's.
#[derive(Clone, Debug)]
pub struct ComparedLists {
    /// The things, plural.
    pub what: &'static str,
    /// How many the resource manager names.
    pub in_manager: usize,
    /// How many Resource Graph names.
    pub in_graph: usize,
    /// How many both name.
    pub in_both: usize,
    /// Why the two could not be compared, where Resource Graph's list is not whole.
    pub open: Option<String>,
    /// What one of them names and the other does not, in order of id.
    pub differences: Vec<DifferenceLine>,
}

/// One thing that only one of two lists names.
#[derive(Clone, Debug)]
pub struct DifferenceLine {
    /// ARM id.
    pub id: String,
    /// The list that names it.
    pub only_in: &'static str,
    /// Whether something explains it.
    pub is_explained: bool,
    /// What explains it, or that nothing does.
    pub why: String,
    /// Where it was read.
    pub from: Cite,
}

/// One question without a full answer.
#[derive(Clone, Debug)]
pub struct GapLine {
    /// The record that shows it; empty when the question was never put.
    pub record: String,
    /// Kind in words.
    pub kind: &'static str,
    /// Scope.
    pub scope: String,
    /// The reason as a sentence.
    pub reason: &'static str,
    /// What happened, and what would supply it.
    pub detail: String,
}

/// Which part of the period a log table can have covered when it was read.
#[derive(Clone, Debug)]
pub struct CoveredPart {
    /// Name of the workspace.
    pub workspace: String,
    /// Table.
    pub table: &'static str,
    /// Days that the table keeps rows in reach of queries.
    pub retention_days: Option<i64>,
    /// The part of the period that lies within retention and before the collection.
    pub part: Option<Period>,
    /// Whole days of that part.
    pub days: i64,
    /// Vaults that send their audit events there.
    pub vaults: Vec<String>,
}

/// Sums up one capture.
pub(super) fn summary(capture: &Capture, tenant: &Tenant, period: &Period) -> CollectionSummary {
    let missing = Kind::ALL.iter().flat_map(|kind| tenant.coverage.missing_anywhere(*kind));
    let gaps: Vec<GapLine> = missing.map(gap_line).collect();
    let covered = covered_parts(tenant, period);
    let pages = capture.records.iter().flat_map(|record| &record.pages);
    let never_put = gaps.iter().filter(|gap| gap.record.is_empty()).count();
    let questions = capture.records.len() + never_put;
    CollectionSummary {
        questions,
        answered: questions.saturating_sub(gaps.len()),
        covered_days: covered.iter().map(|part| part.days).min(),
        period_days: period.days(),
        rows: capture.records.iter().map(|record| record.row_count).sum(),
        requests: pages.map(|page| u64::from(page.attempts)).sum(),
        cuts: cuts(&capture.records),
        personal_data: capture.plan.personal_data.clone(),
        compared: tenant.reconciliations().iter().map(compared).collect(),
        gaps,
        covered,
    }
}

fn cuts(records: &[Record]) -> BTreeMap<String, u64> {
    let mut cuts = BTreeMap::new();
    for cut in records.iter().flat_map(|record| &record.transformations) {
        let count: &mut u64 = cuts.entry(cut.rule.clone()).or_default();
        *count = count.saturating_add(cut.count);
    }
    cuts
}

fn compared(lists: &Reconciliation) -> ComparedLists {
    let open = lists.open.first().map(|missing| format!("{}: {}", missing.reason.sentence(), missing.detail));
    let line = |one: &Difference| DifferenceLine {
        id: one.id.shown().to_owned(),
        only_in: one.only_in.words(),
        is_explained: one.why.is_explained(),
        why: one.why.words(),
        from: one.from.clone(),
    };
    ComparedLists {
        what: lists.what,
        in_manager: lists.in_manager,
        in_graph: lists.in_graph,
        in_both: lists.in_both,
        open,
        differences: lists.differences.iter().map(line).collect(),
    }
}

fn gap_line(missing: Missing) -> GapLine {
    GapLine {
        record: missing.from.map(|from| from.record().to_owned()).unwrap_or_default(),
        kind: missing.kind.words(),
        scope: missing.scope,
        reason: missing.reason.sentence(),
        detail: missing.detail,
    }
}

/// One part for each (workspace, table) that a vault sends audit events to.
fn covered_parts(tenant: &Tenant, period: &Period) -> Vec<CoveredPart> {
    let mut parts: BTreeMap<(&Id, &str), CoveredPart> = BTreeMap::new();
    for vault in &tenant.vaults {
        for setting in tenant.settings_of(&vault.id).filter(|setting| setting.sends_audit_events()) {
            let Some(workspace) = &setting.workspace_id else { continue };
            let table = if setting.is_dedicated() { "AZKVAuditLogs" } else { "AzureDiagnostics" };
            let part =
                parts.entry((workspace, table)).or_insert_with(|| covered_part(tenant, period, workspace, table));
            if part.vaults.last() != Some(&vault.name) {
                part.vaults.push(vault.name.clone());
            }
        }
    }
    let mut parts: Vec<CoveredPart> = parts.into_values().collect();
    parts.sort_by(|a, b| (&a.workspace, a.table).cmp(&(&b.workspace, b.table)));
    parts
}

fn covered_part(tenant: &Tenant, period: &Period, workspace: &Id, table: &'static str) -> CoveredPart {
    let held = tenant.workspaces.iter().find(|held| held.id == *workspace);
    // Rows in long-term retention are kept, and no query of a collection reaches them.
    let retention_days = tenant.kept(workspace, table).and_then(|kept| kept.interactive);
    let part = retention_days.and_then(|days| {
        let oldest = tenant.collected_at.checked_sub_signed(TimeDelta::try_days(days)?)?;
        period.overlap(&Period { start: oldest, end: tenant.collected_at })
    });
    CoveredPart {
        workspace: held.map_or_else(|| workspace.shown().to_owned(), |held| held.name.clone()),
        table,
        retention_days,
        days: part.map_or(0, |part| part.days()),
        part,
        vaults: Vec::new(),
    }
}

/// The request ledger: one line a record.
pub(super) fn evidence_lines(capture: &Capture) -> Vec<EvidenceLine> {
    capture.records.iter().map(evidence_line).collect()
}

fn evidence_line(record: &Record) -> EvidenceLine {
    let totals = record.control_totals.iter();
    EvidenceLine {
        id: record.evidence_id.clone(),
        title: record.title.clone(),
        kind: record.kind.words(),
        scope: record.scope.clone(),
        request: format!("{} {}", record.request.method, record.request.url),
        statuses: record.pages.iter().map(|page| page.status).collect(),
        rows: record.row_count,
        pages: record.pages.iter().map(|page| (page.file.clone(), page.sha256.clone())).collect(),
        cuts: record.transformations.iter().map(|cut| cut.count).sum(),
        retries: record.pages.iter().map(|page| page.attempts.saturating_sub(1)).sum(),
        ended_at: record.ended_at,
        gap: record.gap.as_ref().map(|gap| (gap.reason.sentence().to_owned(), gap.detail.clone())),
        totals: totals
            .map(|total| match total.read.cmp(&total.expected) {
                std::cmp::Ordering::Equal => {
                    format!("{} rows, the same by {} ({})", total.read, total.source, total.record)
                }
                _ => format!("{} rows read, {} by {} ({})", total.read, total.expected, total.source, total.record),
            })
            .collect(),
    }
}
