//! Part of step 9: time-stamps over the plan. What was to be asked was fixed before the time that they say, and so
//! before the first answer.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::super::statement::Statement;
use super::files::Files;
use super::{Report, Step};

/// Checks each token over the plan: its imprint, the time that the manifest tells of it in its `capture`, and that this is no later
/// than the collection's beginning. A replay begins on the recording's clock, which says nothing about its own time.
pub(super) fn check(files: &Files<'_>, statement: &Statement, capture: &Value, report: &mut Report) {
    let is_replayed = capture.get("replayed").and_then(Value::as_bool).unwrap_or_default();
    let began = time(&statement.predicate.collection.started_at).filter(|_| !is_replayed);
    let told = told(capture);
    let tokens = files.plan_stamps();
    if told.len() != tokens.len() {
        let what = format!("{} time-stamps over the plan are told of, {} are here", told.len(), tokens.len());
        report.problem(Step::Time, Some("manifest.json"), what);
    }
    for (index, (path, read)) in tokens.into_iter().enumerate() {
        let stamp = match read {
            Ok(stamp) => stamp,
            Err(why) => {
                report.problem(Step::Time, Some(&path), why);
                continue;
            }
        };
        let at = stamp.at.to_rfc3339();
        if let Some(told) = told.get(index).filter(|told| **told != Some(stamp.at)) {
            let told = told.map_or_else(|| "no time".to_owned(), |told| told.to_rfc3339());
            report.problem(Step::Time, Some(&path), format!("says {at}, and manifest.json says {told} of it"));
        }
        // ten minutes, because two honest clocks differ
        if began.is_some_and(|began| stamp.at > began + TimeDelta::minutes(10)) {
            let what = format!("says {at}, after the collection began by its own clock: the plan may be younger");
            report.problem(Step::Time, Some(&path), what);
        }
        report.plan_stamps.push(stamp);
    }
}

/// What a reader must know about the plan's time beside what is said of the signature's.
pub(super) fn note(report: &mut Report) {
    let note = match (report.plan_stamps.is_empty(), report.stamps.is_empty()) {
        (true, true) => return, // that all time is asserted is said already
        (true, false) => "that the plan came first is asserted by the collector: no third party put a time on it",
        (false, _) => {
            "each time-stamp token over the plan is over these bytes; its authority's own signature is not verified \
             here: run `openssl ts -verify -data plan.json -in plan.tsr -CAfile TSA-CA.pem`"
        }
    };
    report.notes.push(note.to_owned());
}

/// The times that the manifest tells of the tokens, in their order.
fn told(capture: &Value) -> Vec<Option<DateTime<Utc>>> {
    let stamps = capture.get("planStamps").and_then(Value::as_array).into_iter().flatten();
    stamps.filter_map(|stamp| stamp.get("at").and_then(Value::as_str)).map(time).collect()
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}
