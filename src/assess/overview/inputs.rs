//! What was not read, which checks needed it, and what would supply it.

use std::collections::{BTreeMap, BTreeSet};

use super::Sources;
use crate::check::{Check, Finding, Outcome};
use crate::evidence::{Kind, Reason};
use crate::model::{Missing, Tenant};

/// The check that judges the collection as a whole: it needs every answer.
const OF_EVERYTHING: &str = "PACK-001";

/// What would supply an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Supply {
    /// Permissions by the name under which they are granted, and the system that grants them.
    pub permissions: Vec<(String, &'static str)>,
    /// What to do, in a sentence without a full stop.
    pub what: String,
}

/// Questions of one kind without a full answer, for one reason.
#[derive(Clone, Debug)]
pub struct MissingInput {
    /// What was asked.
    pub kind: Kind,
    /// Why there is no full answer.
    pub reason: Reason,
    /// Where, in order.
    pub scopes: Vec<String>,
    /// What was said about the first of them.
    pub detail: String,
    /// Records that show it.
    pub records: Vec<String>,
    /// What would supply it.
    pub supply: Supply,
    /// Checks that need it.
    pub checks: Vec<&'static str>,
}

impl MissingInput {
    /// Whether another check needs it than the one that judges the collection as a whole.
    pub fn is_of_a_check(&self) -> bool {
        self.checks.iter().any(|check| *check != OF_EVERYTHING)
    }
}

/// Findings of one check that were left open for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPoint {
    /// Why.
    pub reason: Reason,
    /// How many.
    pub count: usize,
    /// What the first of them says.
    pub example: String,
    /// What would settle it.
    pub settle: String,
}

/// What `wanted` checks need and was not read; and how many further questions have no full answer. `open` are
/// the checks that left something open.
pub(super) fn missing(
    wanted: &[&'static Check],
    tenant: &Tenant,
    sources: &Sources<'_>,
    open: &BTreeSet<&str>,
) -> (Vec<MissingInput>, usize) {
    let mut of_kind: BTreeMap<Kind, Vec<Missing>> = BTreeMap::new();
    let mut by_place: BTreeMap<(Kind, String), (Missing, BTreeSet<&'static str>)> = BTreeMap::new();
    for check in wanted {
        for need in check.needs {
            let missing = of_kind.entry(need.kind).or_insert_with(|| tenant.coverage.missing_of_population(need.kind));
            // what a source no longer keeps may be told by another: it is missing where the check left something open
            let is_missing = |one: &&Missing| one.reason != Reason::RetentionTooShort || open.contains(check.id);
            for one in missing.iter().filter(is_missing) {
                let place = by_place.entry((one.kind, one.scope.clone()));
                place.or_insert_with(|| (one.clone(), BTreeSet::new())).1.insert(check.id);
            }
        }
    }
    let whole = wanted.iter().find(|check| check.id == OF_EVERYTHING);
    let mut elsewhere = 0;
    for missing in Kind::ALL.iter().flat_map(|kind| tenant.coverage.missing_anywhere(*kind)) {
        let place = (missing.kind, missing.scope.clone());
        match whole {
            Some(check) => {
                by_place.entry(place).or_insert_with(|| (missing, BTreeSet::new())).1.insert(check.id);
            }
            None => elsewhere += usize::from(!by_place.contains_key(&place)),
        }
    }

    // what is supplied in the same way and leaves the same checks open is one line
    let mut lines: BTreeMap<(Kind, Reason, Supply, Vec<&'static str>), MissingInput> = BTreeMap::new();
    for (one, checks) in by_place.into_values() {
        let (supply, checks) = ((sources.supply)(&one), checks.into_iter().collect::<Vec<_>>());
        let key = (one.kind, one.reason, supply.clone(), checks.clone());
        let line = lines.entry(key).or_insert_with(|| MissingInput {
            kind: one.kind,
            reason: one.reason,
            scopes: Vec::new(),
            detail: one.detail,
            records: Vec::new(),
            supply,
            checks,
        });
        line.scopes.push(one.scope);
        line.records.extend(one.from.map(|from| from.record().to_owned()));
    }
    let mut lines: Vec<MissingInput> = lines.into_values().collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.checks.len())); // what leaves most open comes first
    (lines, elsewhere)
}

/// Why findings of one check were left open, in the order of the reasons.
pub(super) fn open(check: &Check, findings: &[&Finding], sources: &Sources<'_>) -> Vec<OpenPoint> {
    let mut points: BTreeMap<Reason, OpenPoint> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.outcome() == Outcome::NotEvaluated) {
        let reason = finding.reason().unwrap_or(Reason::ValueUnknown);
        let settle = || (sources.settle)(check, reason);
        let example = || OpenPoint { reason, count: 0, example: finding.because().to_owned(), settle: settle() };
        points.entry(reason).or_insert_with(example).count += 1;
    }
    points.into_values().collect()
}
