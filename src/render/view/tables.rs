//! The tables behind the controls: inventory, timelines, runs, requests, compared lists and gaps.

use serde::Serialize;

use super::front::days_of;
use super::{CiteView, Places, anchor, time};
use crate::assess::{Assessment, ComparedLists, DifferenceLine, EvidenceLine, Moment, Story};
use crate::evidence::Event;
use crate::render::escape::Shown;

/// Lines of who can do what that a page shows. Where there are more, the whole table is a file of its own.
pub(in crate::render) const READERS: usize = 2_000;
/// Requests that a page shows. Where there are more, the whole ledger is a file of its own.
pub(in crate::render) const REQUESTS: usize = 2_000;

#[derive(Serialize)]
pub(super) struct IdentityView {
    name: Shown,
    sort: &'static str,
    object_id: Shown,
    attached_to: Vec<Shown>,
    federated: Vec<Shown>,
    from: CiteView,
}

#[derive(Serialize)]
pub(super) struct VaultView {
    name: Shown,
    id: Shown,
    model: &'static str,
    network: Shown,
    protection: Shown,
    audit: Shown,
    from: CiteView,
}

#[derive(Serialize)]
pub(super) struct ReaderView {
    vault: Shown,
    principal: Shown,
    principal_id: Shown,
    principal_kind: Shown,
    can: Shown,
    answer: &'static str,
    path: Shown,
    evidence: Vec<CiteView>,
}

/// One identity, one vault, one timeline.
#[derive(Clone, Serialize)]
pub(super) struct StoryView {
    anchor: String,
    principal: Shown,
    principal_id: Shown,
    vault: Shown,
    vault_id: Shown,
    shows: Shown,
    denied_before: usize,
    allowed_before: usize,
    denied_after: usize,
    allowed_after: usize,
    moments: Vec<MomentView>,
}

#[derive(Clone, Serialize)]
struct MomentView {
    at: String,
    what: Shown,
    sort: &'static str,
    sign: &'static str,
    from: CiteView,
}

#[derive(Serialize)]
pub(super) struct RunView {
    sequence: u64,
    at: String,
    event: &'static str,
    sign: &'static str,
    run_id: Shown,
    capture_id: Shown,
    period: String,
    note: Shown,
    /// What the line commits to: digest of the plan or of the signed statement.
    digests: Vec<(&'static str, Shown)>,
}

/// One record of the request ledger.
#[derive(Serialize)]
pub(super) struct LedgerView {
    id: Shown,
    anchor: Option<String>,
    title: Shown,
    kind: &'static str,
    scope: Shown,
    request: Shown,
    statuses: String,
    rows: u64,
    cuts: u64,
    retries: u32,
    ended_at: String,
    pages: Vec<(Shown, Shown)>,
    reason: Option<Shown>,
    detail: Option<Shown>,
    totals: Vec<Shown>,
}

/// Two lists of the same things, and what only one of them names.
#[derive(Serialize)]
pub(super) struct ComparedView {
    what: &'static str,
    said: String,
    open: Option<Shown>,
    differences: Vec<DifferenceView>,
}

#[derive(Serialize)]
struct DifferenceView {
    id: Shown,
    only_in: &'static str,
    is_explained: bool,
    why: Shown,
    from: CiteView,
}

#[derive(Serialize)]
pub(super) struct GapView {
    record: Shown,
    anchor: Option<String>,
    kind: &'static str,
    scope: Shown,
    reason: &'static str,
    detail: Shown,
}

pub(super) fn identities(assessment: &Assessment, places: &Places<'_>) -> Vec<IdentityView> {
    let lines = assessment.inventory.identities.iter();
    let shown = |texts: &[String]| texts.iter().map(|text| Shown::sentence(text)).collect();
    lines
        .map(|line| IdentityView {
            name: Shown::name(&line.name),
            sort: line.sort,
            object_id: Shown::name(&line.object_id),
            attached_to: shown(&line.attached_to),
            federated: shown(&line.federated),
            from: places.view(&line.from),
        })
        .collect()
}

pub(super) fn vaults(assessment: &Assessment, places: &Places<'_>) -> Vec<VaultView> {
    let lines = assessment.inventory.vaults.iter();
    lines
        .map(|line| VaultView {
            name: Shown::name(&line.name),
            id: Shown::sentence(&line.id),
            model: line.model,
            network: Shown::sentence(&line.network),
            protection: Shown::sentence(&line.protection),
            audit: Shown::sentence(&line.audit),
            from: places.view(&line.from),
        })
        .collect()
}

pub(super) fn readers(assessment: &Assessment, places: &Places<'_>) -> Vec<ReaderView> {
    let lines = assessment.inventory.readers.iter();
    lines
        .take(READERS)
        .map(|line| ReaderView {
            vault: Shown::name(&line.vault.name),
            principal: Shown::name(&line.who.name),
            principal_id: Shown::name(if line.who.name == line.who.id { "" } else { &line.who.id }),
            principal_kind: Shown::name(&line.who.kind),
            can: Shown::sentence(&line.can),
            answer: line.by.answer,
            path: Shown::sentence(&line.by.path),
            evidence: line.evidence().map(|cite| places.view(cite)).collect(),
        })
        .collect()
}

pub(super) fn stories(assessment: &Assessment, places: &Places<'_>) -> Vec<StoryView> {
    let numbered = assessment.stories.iter().enumerate();
    numbered.map(|(index, story)| story_view(index + 1, story, places)).collect()
}

fn story_view(number: usize, story: &Story, places: &Places<'_>) -> StoryView {
    StoryView {
        anchor: format!("timeline-{number}"),
        principal: Shown::name(&story.principal),
        principal_id: Shown::name(&story.principal_id),
        vault: Shown::name(&story.vault),
        vault_id: Shown::sentence(&story.vault_id),
        shows: Shown::sentence(&story.shows),
        denied_before: story.denied_before,
        allowed_before: story.allowed_before,
        denied_after: story.denied_after,
        allowed_after: story.allowed_after,
        moments: story.moments.iter().map(|moment| moment_view(moment, places)).collect(),
    }
}

fn moment_view(moment: &Moment, places: &Places<'_>) -> MomentView {
    let sign = match moment.sort {
        "handshake" => "↔",
        "denied" => "✗",
        "assigned" => "★",
        "allowed" => "✓",
        _ => "⋯",
    };
    MomentView {
        at: time(moment.at),
        what: Shown::sentence(&moment.what),
        sort: moment.sort,
        sign,
        from: places.view(&moment.from),
    }
}

pub(super) fn runs(assessment: &Assessment) -> Vec<RunView> {
    let entries = assessment.ledger_entries.iter();
    entries
        .map(|entry| {
            let (event, sign) = match entry.event {
                Event::Started => ("started", "▸"),
                Event::Finished => ("finished", "✓"),
                Event::Failed => ("failed", "✗"),
                Event::Interrupted => ("interrupted", "✗"),
                Event::Resumed => ("resumed", "▸"),
                Event::Sealed => ("sealed", "■"),
            };
            let digests = [
                ("plan", &entry.plan_sha256),
                ("pack", &entry.pack_id),
                ("statement", &entry.statement_sha256),
                ("line before", &Some(entry.previous_sha256.clone())),
            ];
            RunView {
                sequence: entry.sequence,
                at: time(entry.at),
                event,
                sign,
                run_id: Shown::name(&entry.run_id),
                capture_id: Shown::name(&entry.capture_id),
                period: days_of(&entry.period),
                note: Shown::sentence(entry.note.as_deref().unwrap_or_default()),
                digests: digests
                    .into_iter()
                    .filter_map(|(what, value)| Some((what, Shown::name(value.as_deref()?))))
                    .collect(),
            }
        })
        .collect()
}

/// The part of the request ledger that is shown. Where it is longer, what was not answered whole comes first.
pub(super) fn requests(assessment: &Assessment) -> Vec<&EvidenceLine> {
    let mut lines: Vec<&EvidenceLine> = assessment.evidence.iter().collect();
    if lines.len() > REQUESTS {
        lines.sort_by_key(|line| line.gap.is_none());
        lines.truncate(REQUESTS);
    }
    lines
}

pub(super) fn ledger(lines: &[&EvidenceLine]) -> Vec<LedgerView> {
    lines
        .iter()
        .map(|line| LedgerView {
            id: Shown::name(&line.id),
            anchor: anchor(&line.id),
            title: Shown::sentence(&line.title),
            kind: line.kind,
            scope: Shown::sentence(&line.scope),
            request: Shown::sentence(&line.request),
            statuses: statuses(&line.statuses),
            rows: line.rows,
            cuts: line.cuts,
            retries: line.retries,
            ended_at: time(line.ended_at),
            pages: line.pages.iter().map(|(file, sha256)| (Shown::name(file), Shown::name(sha256))).collect(),
            reason: line.gap.as_ref().map(|(reason, _)| Shown::sentence(reason)),
            detail: line.gap.as_ref().map(|(_, detail)| Shown::sentence(detail)),
            totals: line.totals.iter().map(|total| Shown::sentence(total)).collect(),
        })
        .collect()
}

/// `200 × 3, 403`: runs of the same status counted.
fn statuses(statuses: &[u16]) -> String {
    let runs = statuses.chunk_by(|a, b| a == b);
    let words = runs.filter_map(|run| {
        let status = run.first()?;
        Some(if run.len() == 1 { status.to_string() } else { format!("{status} × {}", run.len()) })
    });
    words.collect::<Vec<_>>().join(", ")
}

pub(super) fn compared(assessment: &Assessment, places: &Places<'_>) -> Vec<ComparedView> {
    let view = |lists: &ComparedLists| {
        let line = |line: &DifferenceLine| DifferenceView {
            id: Shown::sentence(&line.id),
            only_in: line.only_in,
            is_explained: line.is_explained,
            why: Shown::sentence(&line.why),
            from: places.view(&line.from),
        };
        ComparedView {
            what: lists.what,
            said: said(lists),
            open: lists.open.as_deref().map(Shown::sentence),
            differences: lists.differences.iter().map(line).collect(),
        }
    };
    assessment.collection.compared.iter().map(view).collect()
}

/// What two lists come to, in words.
fn said(lists: &ComparedLists) -> String {
    let counted = format!(
        "{} by the resource manager, {} by Resource Graph, {} by both",
        lists.in_manager, lists.in_graph, lists.in_both
    );
    let explained = lists.differences.iter().filter(|line| line.is_explained).count();
    let unexplained = lists.differences.len() - explained;
    match (lists.open.is_some(), lists.differences.len()) {
        (true, _) => format!("{counted}; not compared whole, see the gaps"),
        (false, 0) => format!("{counted}; no difference"),
        (false, _) => format!("{counted}; differences: {explained} explained, {unexplained} unexplained"),
    }
}

pub(super) fn gaps(assessment: &Assessment, places: &Places<'_>) -> Vec<GapView> {
    let lines = assessment.collection.gaps.iter();
    lines
        .map(|line| GapView {
            record: Shown::name(&line.record),
            anchor: places.view(&crate::evidence::Cite::of_record(&line.record)).anchor,
            kind: line.kind,
            scope: Shown::sentence(&line.scope),
            reason: line.reason,
            detail: Shown::sentence(&line.detail),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn runs_of_one_status_are_counted() {
        assert_eq!(super::statuses(&[200, 200, 200, 429, 200]), "200 × 3, 429, 200");
        assert_eq!(super::statuses(&[]), "");
    }
}
