//! What each host reaches through all its identities.

use serde::Serialize;

use super::{CiteView, Places};
use crate::assess::{Assessment, HostLine, ReachLine};
use crate::render::escape::Shown;

/// So many lines are on the page; the rest is in the table beside it.
const LINES: usize = 500;
/// So many vaults or objects are named in one line.
const OBJECTS: usize = 10;

/// The section.
#[derive(Serialize)]
pub(super) struct HostsView {
    lines: Vec<LineView>,
    total: usize,
    /// Hosts that carry more than one identity.
    several: usize,
    overlaps: Vec<OverlapView>,
    overlaps_total: usize,
}

/// One identity on one host.
#[derive(Serialize)]
struct LineView {
    host: Shown,
    host_type: Shown,
    identity: Shown,
    identities: usize,
    reaches: Vec<Shown>,
    alone: Vec<Shown>,
    /// So many more are in the table.
    more: usize,
    evidence: Vec<CiteView>,
}

/// An object that several hosts reach.
#[derive(Serialize)]
struct OverlapView {
    place: Shown,
    can: Shown,
    identities: Shown,
    hosts: Shown,
    evidence: Vec<CiteView>,
}

pub(super) fn hosts(assessment: &Assessment, places: &Places<'_>) -> HostsView {
    let found = &assessment.hosts;
    // a host of one identity that reaches nothing is in the table beside the page
    let told: Vec<&HostLine> =
        found.lines.iter().filter(|line| line.identities > 1 || !line.reaches.is_empty()).collect();
    let mut several: Vec<&str> =
        found.lines.iter().filter(|line| line.identities > 1).map(|line| line.host_id.as_str()).collect();
    several.dedup();
    let overlaps = found.overlaps.iter().take(LINES).map(|overlap| OverlapView {
        place: Shown::name(&overlap.place),
        can: Shown::sentence(&overlap.can),
        identities: Shown::sentence(&cut(&overlap.identities)),
        hosts: Shown::sentence(&cut(&overlap.hosts)),
        evidence: places.views(&overlap.evidence),
    });
    HostsView {
        total: told.len(),
        several: several.len(),
        lines: told.into_iter().take(LINES).map(|line| line_view(line, places)).collect(),
        overlaps: overlaps.collect(),
        overlaps_total: found.overlaps.len(),
    }
}

fn line_view(line: &HostLine, places: &Places<'_>) -> LineView {
    let shown = |words: fn(&ReachLine) -> &str| -> Vec<Shown> {
        let lines = line.reaches.iter().filter(|reach| !words(reach).is_empty()).take(OBJECTS);
        lines.map(|reach| Shown::sentence(&format!("{} in {}{}", words(reach), reach.place, answer(reach)))).collect()
    };
    let evidence: Vec<_> = line.reaches.iter().take(OBJECTS).flat_map(|reach| reach.evidence.iter().cloned()).collect();
    let mut evidence = [vec![line.from.clone()], evidence].concat();
    evidence.sort();
    evidence.dedup();
    LineView {
        host: Shown::name(&line.host),
        host_type: Shown::name(&line.host_type),
        identity: Shown::name(&line.identity),
        identities: line.identities,
        reaches: shown(|reach| &reach.can),
        alone: shown(|reach| &reach.alone),
        more: line.reaches.len().saturating_sub(OBJECTS),
        evidence: places.views(&evidence),
    }
}

/// What is not allowed for certain says so.
fn answer(reach: &ReachLine) -> String {
    match reach.answer {
        "allowed" => String::new(),
        other => format!(" ({other})"),
    }
}

fn cut(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(OBJECTS).map(String::as_str).collect();
    match names.len().saturating_sub(OBJECTS) {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}
