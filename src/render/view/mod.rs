//! The assessment as the templates see it: words, numbers and [`Shown`] text, in the order of the page.
//!
//! Templates print and do not judge: what is counted, cut, sorted or put into words is decided here, once for
//! HTML and Markdown.

mod control;
mod front;
mod graph;
mod hosts;
mod tables;
mod usage;

pub(super) use tables::{READERS, REQUESTS};

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::escape::Shown;
use crate::assess::{Assessment, EvidenceLine};
use crate::check::Outcome;
use crate::control::Framework;
use crate::evidence::Cite;

/// Width of a bar, in the units of its picture.
const BAR: usize = 1_000;

/// Everything that the report shows.
#[derive(Serialize)]
pub(super) struct View {
    front: front::Front,
    controls: Vec<control::ControlView>,
    identities: Vec<tables::IdentityView>,
    vaults: Vec<tables::VaultView>,
    readers: Vec<tables::ReaderView>,
    readers_total: usize,
    graph: graph::GraphView,
    usage: usage::UsageView,
    hosts: hosts::HostsView,
    stories: Vec<tables::StoryView>,
    runs: Vec<tables::RunView>,
    ledger: Vec<tables::LedgerView>,
    requests_total: usize,
    compared: Vec<tables::ComparedView>,
    gaps: Vec<tables::GapView>,
}

impl View {
    /// The view of one assessment.
    pub(super) fn of(assessment: &Assessment, framework: &Framework) -> View {
        let requests = tables::requests(assessment);
        let places = Places::of(assessment, &requests);
        let stories = tables::stories(assessment, &places);
        View {
            front: front::front(assessment),
            controls: control::controls(assessment, framework, &places, &stories),
            identities: tables::identities(assessment, &places),
            vaults: tables::vaults(assessment, &places),
            readers: tables::readers(assessment, &places),
            readers_total: assessment.inventory.readers.len(),
            graph: graph::graph(&assessment.graph),
            usage: usage::usage(assessment, &places),
            hosts: hosts::hosts(assessment, &places),
            stories,
            runs: tables::runs(assessment),
            ledger: tables::ledger(&requests),
            requests_total: assessment.evidence.len(),
            compared: tables::compared(assessment, &places),
            gaps: tables::gaps(assessment, &places),
        }
    }
}

/// A word with the sign that goes with it, so that colour is never the only difference.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Mark {
    /// Machine word, also a style class.
    word: &'static str,
    /// For a reader.
    words: &'static str,
    /// One sign.
    sign: &'static str,
}

/// Outcomes in the order of the report: what needs attention comes first.
const OUTCOMES: [Outcome; 5] =
    [Outcome::Fail, Outcome::NotEvaluated, Outcome::Manual, Outcome::Pass, Outcome::NotApplicable];

fn mark(outcome: Outcome) -> Mark {
    let (words, sign) = match outcome {
        Outcome::Fail => ("Exception", "✗"),
        Outcome::NotEvaluated => ("Not evaluated", "?"),
        Outcome::Manual => ("Awaits a person", "◷"),
        Outcome::Pass => ("No exception", "✓"),
        Outcome::NotApplicable => ("Not applicable", "–"),
    };
    Mark { word: outcome.word(), words, sign }
}

/// One part of a bar.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Part {
    #[serde(flatten)]
    mark: Mark,
    count: usize,
    x: usize,
    width: usize,
}

/// Parts of a bar in proportion to their counts; together they fill it, and a part with a count is never invisible.
fn bar(counts: impl IntoIterator<Item = (Mark, usize)>) -> Vec<Part> {
    let counts: Vec<(Mark, usize)> = counts.into_iter().collect();
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    let least = BAR / 50;
    let shown = counts.iter().filter(|(_, count)| *count > 0).count();
    let free = BAR.saturating_sub(shown * least);
    let mut seen = 0;
    let mut x = 0;
    let mut parts = Vec::new();
    for (mark, count) in counts {
        let start = seen * free / total.max(1);
        seen += count;
        let end = seen * free / total.max(1);
        let width = if count == 0 { 0 } else { end - start + least };
        parts.push(Part { mark, count, x, width });
        x += width;
    }
    parts
}

/// A place in the evidence, with a link into the request ledger and the digest of its page.
#[derive(Clone, Serialize)]
pub(super) struct CiteView {
    record: Shown,
    /// Id of the ledger's row; absent when the ledger has no such row.
    anchor: Option<String>,
    /// File and JSON Pointer.
    place: Shown,
    short: Option<String>,
    sha256: Option<String>,
}

/// Digests of the kept pages, and the rows of the request ledger.
pub(super) struct Places<'a> {
    digests: BTreeMap<(&'a str, &'a str), &'a str>,
}

impl<'a> Places<'a> {
    fn of(assessment: &'a Assessment, listed: &[&'a EvidenceLine]) -> Places<'a> {
        let mut digests: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        digests.extend(listed.iter().map(|line| ((line.id.as_str(), ""), "")));
        for line in &assessment.evidence {
            digests
                .extend(line.pages.iter().map(|(file, sha256)| ((line.id.as_str(), file.as_str()), sha256.as_str())));
        }
        for attached in &assessment.inputs.declared.attached {
            digests.insert(("declared", attached.from.page()), attached.sha256.as_str());
        }
        Places { digests }
    }

    fn view(&self, cite: &Cite) -> CiteView {
        let digest = self.digests.get(&(cite.record(), cite.page())).copied();
        let is_listed = self.digests.contains_key(&(cite.record(), ""));
        CiteView {
            record: Shown::name(cite.record()),
            anchor: anchor(cite.record()).filter(|_| is_listed),
            place: Shown::sentence(&cite.in_record()),
            short: digest.map(|digest| digest.chars().take(12).collect()),
            sha256: digest.map(|digest| digest.chars().take(64).collect()),
        }
    }

    fn views(&self, cites: &[Cite]) -> Vec<CiteView> {
        cites.iter().map(|cite| self.view(cite)).collect()
    }
}

/// The id of a row of the request ledger: ours, and nothing else may become one.
fn anchor(record: &str) -> Option<String> {
    let digits = record.strip_prefix("ev-")?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| record.to_owned())
}

/// `2026-10-02 09:00:03Z`: RFC 3339 with a space.
fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The path of a check's population below `report/`.
pub(super) fn population_file(check: &str) -> String {
    format!("population-{}.csv", check.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_bar_touch_and_fill_it() {
        let parts = bar([(mark(Outcome::Fail), 1), (mark(Outcome::Manual), 0), (mark(Outcome::Pass), 9_999)]);
        assert_eq!((parts[0].x, parts[0].width), (0, 20), "one in ten thousand is still seen");
        assert_eq!((parts[1].x, parts[1].width), (20, 0));
        assert_eq!(parts[2].x + parts[2].width, BAR);
        assert!(bar([(mark(Outcome::Pass), 0)]).iter().all(|part| part.width == 0));
    }

    #[test]
    fn only_our_own_ids_become_anchors() {
        assert_eq!(anchor("ev-0003").as_deref(), Some("ev-0003"));
        for other in ["ev-", "ev-+1", "ev-1\"><script>", "javascript:1", ""] {
            assert_eq!(anchor(other), None);
        }
    }
}
