//! The first page: who, what, when, how much of it, and what it rests on.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{BAR, Mark, Part, bar, time};
use crate::assess::{Assessment, Conclusion, CoveredPart};
use crate::evidence::{CaptureStatus, Head, Period, PersonalData, PlanStamp, RunAs};
use crate::render::escape::Shown;

/// Names in a list on the first page.
const NAMES: usize = 6;
/// Rules of redaction that are named; there are fewer.
const RULES: usize = 24;

#[derive(Serialize)]
pub(super) struct Front {
    organisation: Shown,
    system: Shown,
    tenant: Shown,
    cloud: Shown,
    period: String,
    period_days: i64,
    covered_days: Option<i64>,
    covered: Vec<PartView>,
    capture_id: Shown,
    started_at: String,
    ended_at: Option<String>,
    replayed: bool,
    run_as: Vec<Fact>,
    own: Own,
    plan: Vec<Shown>,
    collected_with: Shown,
    judged_with: Shown,
    rule_set: Shown,
    key_fingerprint: Shown,
    tsa: Vec<Shown>,
    questions: usize,
    answered: usize,
    open: usize,
    rows: u64,
    requests: u64,
    cuts: u64,
    cuts_by_rule: Vec<(Shown, u64)>,
    personal: Vec<Fact>,
    controls: usize,
    conclusions: Vec<Part>,
    notices: Vec<Notice>,
}

/// A label and what it is.
#[derive(Serialize)]
pub(super) struct Fact {
    label: &'static str,
    value: Shown,
}

/// What the identity that collected held itself.
#[derive(Serialize)]
struct Own {
    words: Shown,
    excess: Vec<Shown>,
    more: usize,
    evidence: Vec<String>,
}

/// Something that a reader must know before any result.
#[derive(Serialize)]
pub(super) struct Notice {
    title: &'static str,
    text: String,
}

/// One log table and the part of the period that it covers.
#[derive(Serialize)]
pub(super) struct PartView {
    workspace: Shown,
    table: &'static str,
    retention_days: Option<i64>,
    days: i64,
    covered: Option<String>,
    uncovered: Vec<String>,
    vaults: Vec<Shown>,
    more_vaults: usize,
    x: i64,
    width: i64,
}

pub(super) fn front(assessment: &Assessment) -> Front {
    let (inputs, head, collection) = (&assessment.inputs, &assessment.head, &assessment.collection);
    Front {
        organisation: Shown::name(&inputs.organisation.name),
        system: Shown::name(&inputs.organisation.system),
        tenant: Shown::name(&head.tenant_id),
        cloud: Shown::name(&head.cloud),
        period: days_of(&inputs.period),
        period_days: collection.period_days,
        covered_days: collection.covered_days,
        covered: collection.covered.iter().map(|part| part_view(part, &inputs.period)).collect(),
        capture_id: Shown::name(&head.capture_id),
        started_at: time(head.started_at),
        ended_at: head.ended_at.map(time),
        replayed: head.replayed,
        run_as: run_as(&head.run_as),
        own: own(assessment),
        plan: plan(head).iter().map(|line| Shown::sentence(line)).collect(),
        collected_with: Shown::name(&format!("{} {}", head.tool.name, head.tool.version)),
        judged_with: Shown::name(&format!("{} {}", inputs.tool.name, inputs.tool.version)),
        rule_set: Shown::name(&inputs.tool.rule_set_sha256),
        key_fingerprint: Shown::name(&inputs.key_fingerprint),
        tsa: inputs.tsa.iter().map(|address| Shown::sentence(address)).collect(),
        questions: collection.questions,
        answered: collection.answered,
        open: collection.gaps.len(),
        rows: collection.rows,
        requests: collection.requests,
        cuts: collection.cuts.values().sum(),
        cuts_by_rule: collection.cuts.iter().take(RULES).map(|(rule, count)| (Shown::name(rule), *count)).collect(),
        personal: personal(&collection.personal_data),
        controls: assessment.controls.len(),
        conclusions: conclusions(assessment),
        notices: notices(assessment),
    }
}

const CONCLUSIONS: [Conclusion; 5] = [
    Conclusion::Exceptions,
    Conclusion::NotEvaluated,
    Conclusion::AwaitsPerson,
    Conclusion::NoExceptions,
    Conclusion::NotApplicable,
];

pub(super) fn conclusion_mark(conclusion: Conclusion) -> Mark {
    // The classes of style are those of the outcomes.
    let (word, sign) = match conclusion {
        Conclusion::Exceptions => ("fail", "✗"),
        Conclusion::NotEvaluated => ("not_evaluated", "?"),
        Conclusion::AwaitsPerson => ("manual", "◷"),
        Conclusion::NoExceptions => ("pass", "✓"),
        Conclusion::NotApplicable => ("not_applicable", "–"),
    };
    Mark { word, words: conclusion.words(), sign }
}

fn conclusions(assessment: &Assessment) -> Vec<Part> {
    bar(CONCLUSIONS.map(|conclusion| {
        let ended_so = assessment.controls.iter().filter(|result| result.conclusion == conclusion).count();
        (conclusion_mark(conclusion), ended_so)
    }))
}

fn notices(assessment: &Assessment) -> Vec<Notice> {
    let (inputs, head, collection) = (&assessment.inputs, &assessment.head, &assessment.collection);
    let mut notices = Vec::new();
    let mut say = |title, text: String| notices.push(Notice { title, text });
    if head.replayed {
        say(
            "Answers from a recording",
            "The answers that this report rests on were replayed from a recording. They did not come from Azure in this run \
             and are no evidence about a live tenant."
                .to_owned(),
        );
    }
    if head.status != CaptureStatus::Complete {
        say("The run did not reach its end", "Questions that it did not come to are listed as gaps.".to_owned());
    }
    if let (Some(last), Some(end)) = (head.resumed.last(), head.ended_at) {
        say(
            "The collection was interrupted and continued",
            format!(
                "It began at {}, was taken up again {}, the last time at {}, and ended at {}. Each record in the request \
                 ledger says when its question was put.",
                time(head.started_at),
                if head.resumed.len() == 1 { "once".to_owned() } else { format!("{} times", head.resumed.len()) },
                time(last.at),
                time(end)
            ),
        );
    }
    if head.period != inputs.period {
        let asked = days_of(&head.period);
        say(
            "Logs were asked for another period",
            format!("The questions about logs cover {asked}, this report another period."),
        );
    }
    match collection.covered_days {
        None => say(
            "No part of the period is covered by logs",
            "No vault that was read sends its audit events to a log table that was read. Nothing here speaks of operation over the period."
                .to_owned(),
        ),
        Some(days) if days < collection.period_days => say(
            "The logs do not cover the whole period",
            format!(
                "{days} of {} days are covered by every log table in use. For the other days, no record is not the same as no event.",
                collection.period_days
            ),
        ),
        Some(_) => {}
    }
    if head.plan_stamps.iter().any(|stamp| stamp.failed.is_some()) {
        say(
            "The plan has no time from an authority that was asked",
            "An authority that was to put its time on the plan before the first request did not. What it said stands beside \
             the completeness of the collection."
                .to_owned(),
        );
    }
    if !assessment.own.excess.is_empty() {
        say(
            "The collecting identity could do more than read",
            "It held rights that a collector must not have; they are listed beside the completeness of the collection. \
             The requests that it sent here are in the request ledger, and all of them are reads."
                .to_owned(),
        );
    }
    if !collection.gaps.is_empty() {
        let open = collection.gaps.len();
        let have = if open == 1 { "has" } else { "have" };
        say(
            "Not everything could be read",
            format!(
                "{open} of {} questions {have} no full answer. What depends on them is not evaluated, and never counted as free of exceptions.",
                collection.questions
            ),
        );
    }
    notices
}

fn part_view(part: &CoveredPart, period: &Period) -> PartView {
    let whole = period.length().num_seconds().max(1);
    let units = |seconds: i64| seconds.saturating_mul(BAR as i64) / whole;
    let (x, width) = part.part.map_or((0, 0), |covered| {
        let x = units((covered.start - period.start).num_seconds());
        (x, units((covered.end - period.start).num_seconds()) - x)
    });
    PartView {
        workspace: Shown::name(&part.workspace),
        table: part.table,
        retention_days: part.retention_days,
        days: part.days,
        covered: part.part.map(|covered| span_of(&covered)),
        uncovered: uncovered(part.part, period).iter().map(span_of).collect(),
        vaults: part.vaults.iter().take(NAMES).map(|name| Shown::name(name)).collect(),
        more_vaults: part.vaults.len().saturating_sub(NAMES),
        x,
        width,
    }
}

/// What of `period` lies before and after the covered part.
fn uncovered(covered: Option<Period>, period: &Period) -> Vec<Period> {
    let Some(covered) = covered else { return vec![*period] };
    let before = Period { start: period.start, end: covered.start };
    let after = Period { start: covered.end, end: period.end };
    [before, after].into_iter().filter(|part| part.start < part.end).collect()
}

fn run_as(run_as: &RunAs) -> Vec<Fact> {
    let told = [
        ("Object id", &run_as.object_id),
        ("Application id", &run_as.app_id),
        ("Tenant of the token", &run_as.tenant_id),
        ("Token type", &run_as.token_type),
        ("Managed identity", &run_as.managed_identity),
    ];
    let credential = Fact { label: "Credential", value: Shown::name(&run_as.credential) };
    let told =
        told.into_iter().filter_map(|(label, value)| Some(Fact { label, value: Shown::name(value.as_deref()?) }));
    std::iter::once(credential).chain(told).collect()
}

fn personal(data: &PersonalData) -> Vec<Fact> {
    let key = data.key_id.as_deref().map(|id| ("Pseudonyms made with the key", id));
    let told = data.words().into_iter().chain(key);
    told.map(|(label, words)| Fact { label, value: Shown::name(words) }).collect()
}

fn own(assessment: &Assessment) -> Own {
    let rights = &assessment.own;
    let shown = rights.excess.iter().flat_map(|excess| excess.evidence.iter());
    let evidence: BTreeSet<String> =
        shown.chain(&rights.effective).map(|cite| cite.record().to_owned()).take(NAMES * NAMES).collect();
    Own {
        words: Shown::sentence(&rights.line()),
        excess: rights.excess.iter().take(NAMES).map(|excess| Shown::sentence(&excess.line())).collect(),
        more: rights.excess.len().saturating_sub(NAMES),
        evidence: evidence.into_iter().take(NAMES).collect(),
    }
}

/// What shows that the plan was fixed before the first question was put.
fn plan(head: &Head) -> Vec<String> {
    if head.plan_stamps.is_empty() {
        return vec![
            "before the first request, by the collector's own clock; no third party put a time on it".to_owned(),
        ];
    }
    let line = |stamp: &PlanStamp| match (stamp.at, &stamp.failed) {
        (Some(at), _) => format!("before {}, says the token of `{}`", time(at), stamp.authority),
        (None, why) => why.clone().unwrap_or_else(|| format!("no time-stamp from `{}`", stamp.authority)),
    };
    head.plan_stamps.iter().map(line).collect()
}

/// First and last day, both included.
pub(super) fn days_of(period: &Period) -> String {
    period.to_string().replace("..", " to ")
}

/// Days where the part begins and ends at midnight, else instants.
fn span_of(part: &Period) -> String {
    let is_midnight = |at: chrono::DateTime<chrono::Utc>| at.time() == chrono::NaiveTime::MIN;
    if is_midnight(part.start) && is_midnight(part.end) {
        return days_of(part);
    }
    format!("{} to {}", time(part.start), time(part.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_covered_is_the_rest_of_the_period() {
        let period = Period::parse("2026Q3").expect("a period");
        let covered = Period::parse("2026-07-04..2026-09-29").expect("a period");
        let rest: Vec<String> = uncovered(Some(covered), &period).iter().map(days_of).collect();
        assert_eq!(rest, ["2026-07-01 to 2026-07-03", "2026-09-30 to 2026-09-30"]);
        assert!(uncovered(Some(period), &period).is_empty());
        assert_eq!(uncovered(None, &period), [period]);
    }
}
