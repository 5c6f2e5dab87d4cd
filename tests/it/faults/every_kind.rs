//! Every fault that reaches the judging in a way of its own, at a question of every kind that there is.
//!
//! What must follow is not written down by kind, so that a new kind is held to it from its first day; all that it
//! needs is a recorded tenant that answers it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tickmark::check::{CHECKS, Finding, Outcome};
use tickmark::collect::collectors;
use tickmark::evidence::{Capture, Kind, Over, Reason, Record, VaultObjects};
use tickmark::model::Reach;

use super::bench::Ran;
use super::inside::Inside;
use super::table::{End, Fault, faults, list_name};
use crate::sweep::claims_of_ignorance;

/// Not to be there is what this check is about.
const GONE: (Kind, Reason, &str) = (Kind::Workspace, Reason::NotFound, "LOG-002");

/// Refusals that are answers, so that nothing is missing for them.
const ANSWERS: &[(Kind, &[Reason])] = &[
    (Kind::ClassicAdministrators, &[Reason::Retired]),
    (Kind::RoleAssignmentsUsageMetrics, &[Reason::NotInCloud, Reason::NotFound, Reason::Refused]),
];

/// What there is only with a licence: who has none has none of it.
const LICENSED: &[Kind] = &[
    Kind::RoleEligibilityScheduleInstances,
    Kind::RoleAssignmentScheduleInstances,
    Kind::RoleAssignmentScheduleRequests,
    Kind::RoleEligibilityScheduleRequests,
    Kind::RoleManagementPolicyAssignments,
    Kind::DirectoryRoleInstances,
    Kind::DirectoryRoleEligibilities,
    Kind::GroupAssignments,
    Kind::GroupEligibilities,
];

#[test]
fn at_every_kind_of_question() {
    // whatever the first one does not ask, or has nothing of, the second one does
    let clean = Inside::open("clean", VaultObjects::Arm, None);
    let mixed = Inside::open("mixed", VaultObjects::DataPlane, Some("/ed93a94d-c4ca-4c8a-b9ab-24148f502c6f/"));
    let wrong: Mutex<BTreeMap<String, Vec<String>>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(kind) = Kind::ALL.get(next.fetch_add(1, Ordering::SeqCst)) {
            let (inside, record) = subject(*kind, [&clean, &mixed]);
            for (what, name) in every_fault_at(inside, record) {
                wrong.lock().expect("a lock").entry(format!("{kind:?}: {what}")).or_default().push(name.to_owned());
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let wrong = wrong.into_inner().expect("a lock");
    let wrong: Vec<String> = wrong.iter().map(|(what, faults)| format!("{what} ({})", faults.join(", "))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A question of this kind that is answered whole, with something in the answer if there is such a one.
fn subject(kind: Kind, tenants: [&Inside; 2]) -> (&Inside, &Record) {
    let whole =
        |inside: &'_ Inside, record: &Record| record.kind == kind && record.is_whole() && inside.said(record).is_some();
    let all = || {
        tenants.into_iter().flat_map(|inside| inside.plain.capture.records.iter().map(move |record| (inside, record)))
    };
    let mut full = all().filter(|(inside, record)| whole(inside, record) && record.row_count > 0);
    let found = full.next().or_else(|| all().find(|(inside, record)| whole(inside, record)));
    found.unwrap_or_else(|| panic!("no recorded tenant answers a question about {}", kind.words()))
}

fn every_fault_at<'f>(inside: &Inside, record: &Record) -> Vec<(String, &'f str)> {
    let list = inside.said(record).and_then(|said| list_name(&said));
    let mut wrong = Vec::new();
    let mut judged: BTreeMap<BTreeSet<(Kind, String)>, Vec<Finding>> = BTreeMap::new();
    let mut forbidden: Option<Vec<Finding>> = None;
    let mut table: Vec<Fault> = faults("https://stranger.example").into_iter().filter(Fault::differs).collect();
    table.sort_by_key(|fault| fault.end != End::Lost(Reason::Forbidden)); // all else is compared with it
    // Resource Graph has tokens for links, and a token leads nowhere else
    let can_be = |fault: &&Fault| match list {
        _ if fault.name == "400, no table" && !record.kind.is_log() => false,
        None => !fault.is_about_lists,
        Some(list) => list != "data" || fault.name != "links elsewhere",
    };
    for fault in table.iter().filter(can_be) {
        let (capture, asked) = inside.with(record, fault);
        let mut says = |what: String| wrong.push((what, fault.name));
        let end = end(fault, record.kind);
        let follows = list == Some("data") && fault.name == "links to itself";
        let sent = u32::from(follows) + fault.sent_to_logs.filter(|_| record.kind.is_log()).unwrap_or(fault.sent);
        let versions = collectors().find(|row| row.kind == record.kind).map_or(1, |row| 1 + row.older.len() as u32);
        let sent = if end == End::Lost(Reason::NotInCloud) { sent * versions } else { sent };
        if asked != sent {
            says(format!("asked {asked} times, not {sent}"));
        }
        check_records(&inside.plain.capture, &capture, record, end, &mut says);
        let changed = changed(&inside.plain.capture, &capture);
        let lacking = judged.entry(lines(&capture)).or_insert_with(|| Ran::judge(capture, Vec::new()).all);
        let forbidden = forbidden.get_or_insert_with(|| lacking.clone());
        check_findings((inside, record, end), &changed, lacking, forbidden, &mut says);
    }
    wrong
}

/// How the question ends.
fn end(fault: &Fault, kind: Kind) -> End {
    match fault.of_logs.filter(|_| kind.is_log()).unwrap_or(fault.end) {
        End::Lost(Reason::NotInCloud) if kind == Kind::ClassicAdministrators => End::Lost(Reason::Retired),
        end => end,
    }
}

/// The question ends as it should, what was read is kept, and all that does not follow from it is as it was.
fn check_records(plain: &Capture, ran: &Capture, own: &Record, end: End, says: &mut impl FnMut(String)) {
    let hashes = |record: &Record| record.pages.iter().map(|page| page.sha256.clone()).collect::<Vec<String>>();
    let find = |kind: Kind, scope: &str| ran.records.iter().find(|record| record.kind == kind && record.scope == scope);
    for record in plain.records.iter().filter(|record| (record.kind, &record.scope) != (own.kind, &own.scope)) {
        let now = find(record.kind, &record.scope);
        let is_same = now.is_some_and(|now| hashes(now) == hashes(record) && now.gap == record.gap);
        if !is_same && stage(record) <= stage(own) {
            says(format!("{:?} at {} is not as it was", record.kind, record.scope));
        }
    }
    let Some(now) = find(own.kind, &own.scope) else { return says("the question has no record".to_owned()) };
    let (End::Lost(reason) | End::Kept(reason)) = end else { return says("it is not that kind of fault".to_owned()) };
    let found = now.gap.as_ref().map(|gap| gap.reason);
    if found != Some(reason) {
        says(format!("it ends with {found:?}, not {reason:?}"));
    }
    if now.gap.as_ref().is_some_and(|gap| gap.detail.is_empty()) {
        says("the gap has no words".to_owned());
    }
    if let End::Kept(_) = end {
        let read = own.pages.first().map_or(0, |page| page.item_count);
        if now.row_count < read {
            says(format!("{} of {read} items are kept", now.row_count));
        }
        if reason != Reason::Malformed && !now.truncated {
            says("the record does not say that it is cut".to_owned());
        }
    }
}

/// Kinds with an answer that is not as it was.
fn changed(plain: &Capture, ran: &Capture) -> BTreeSet<Kind> {
    let (plain, ran) = (lines(plain), lines(ran));
    plain.symmetric_difference(&ran).map(|(kind, _)| *kind).collect()
}

/// Place of a question in the order in which they are asked.
fn stage(record: &Record) -> usize {
    let over = record.kind.over();
    let scope = record.scope.to_lowercase();
    let is = |family: &Over| match family {
        Over::Root => scope == "/",
        Over::ManagementGroup => scope.starts_with("/providers/microsoft.management/"),
        Over::Slot => scope.contains("/slots/"),
        Over::Subscription => scope.starts_with("/subscriptions/"),
        Over::Site => !scope.contains("/slots/"),
        _ => true,
    };
    let family = over.iter().find(|family| over.len() == 1 || is(family)).expect("a family");
    Over::STAGES.iter().position(|stage| stage.contains(family)).expect("a stage")
}

fn check_findings(
    (inside, own, end): (&Inside, &Record, End),
    changed: &BTreeSet<Kind>,
    lacking: &[Finding],
    forbidden: &[Finding],
    says: &mut impl FnMut(String),
) {
    let (End::Lost(reason) | End::Kept(reason)) = end else { return };
    let whole = &inside.plain.all;
    let is_table_missing = reason == Reason::TableMissing;
    let is_answer = ANSWERS.iter().any(|(kind, reasons)| *kind == own.kind && reasons.contains(&reason))
        || (reason == Reason::NotLicensed && LICENSED.contains(&own.kind));
    let is_gone = |check: &str| (own.kind, reason, check) == GONE;
    let without_gone = |findings: &[Finding]| -> Vec<Finding> {
        findings.iter().filter(|finding| !is_gone(finding.check())).cloned().collect()
    };
    // who has no licence has nothing of it, which settles more than the answer did
    if !(reason == Reason::NotLicensed && is_answer) {
        claims_of_ignorance(&without_gone(whole), &without_gone(lacking)).into_iter().for_each(&mut *says);
    }

    // the collection says that this is missing, and where
    let named = format!("{} at `{}`", own.kind.words(), own.scope);
    let tells = |finding: &&Finding| {
        finding.check() == "PACK-001" && finding.outcome() != Outcome::Pass && finding.because().contains(&named)
    };
    if lacking.iter().find(tells).is_some() == is_answer && !is_table_missing {
        says(format!("PACK-001 does {}tell", if is_answer { "" } else { "not " }));
    }

    let (before, after, when_forbidden) = (outcomes(whole), outcomes(lacking), outcomes(forbidden));
    // whatever the reason is, not to know is not to know
    if let (End::Lost(_), false) = (end, is_answer || is_table_missing) {
        for (key, words) in difference(&when_forbidden, &after).into_iter().filter(|(key, _)| !is_gone(key.0)) {
            says(format!("{} of {}: {words} when it is forbidden", key.0, key.1));
        }
    }
    for check in CHECKS.iter().filter(|check| check.id != "PACK-001") {
        let needed =
            |reaches: &[Reach]| check.needs.iter().any(|need| need.kind == own.kind && reaches.contains(&need.reach));
        // what needs nothing of it is as it was
        if !check.needs.iter().flat_map(|need| rests_on(need.kind)).any(|kind| changed.contains(&kind)) {
            let of_check = |all: &Outcomes<'_>| {
                all.iter()
                    .filter(|(key, _)| key.0 == check.id)
                    .map(|(key, now)| (key.1.to_owned(), now.clone()))
                    .collect::<Vec<_>>()
            };
            if of_check(&before) != of_check(&after) {
                says(format!("{} changes, and does not say that it needs it", check.id));
            }
        }
        // a list that may lack something leaves open all that needs the whole of it
        if let (End::Kept(_), true) = (end, needed(&[Reach::Own, Reach::Whole])) {
            for (key, was) in before.iter().filter(|(key, _)| key.0 == check.id) {
                let left_open =
                    |found: &Outcomes| found.get(key).is_some_and(|now| now.contains(&Outcome::NotEvaluated));
                if !was.contains(&Outcome::NotEvaluated) && left_open(&when_forbidden) && !left_open(&after) {
                    says(format!("{} of {} does not mind that the list is cut", key.0, key.1));
                }
            }
        }
    }
}

/// Kinds of questions that a need for one of them is a need for.
fn rests_on(kind: Kind) -> Vec<Kind> {
    let mut kinds = vec![kind];
    if kind.is_per_subscription() {
        kinds.push(Kind::Subscriptions); // where they are asked
    }
    if kind.holds_downwards() {
        kinds.extend([Kind::ManagementGroups, Kind::ManagementGroupDescendants]); // what holds from above
    }
    kinds
}

type Outcomes<'a> = BTreeMap<(&'a str, &'a str), Vec<Outcome>>;

fn outcomes(findings: &[Finding]) -> Outcomes<'_> {
    let mut outcomes = Outcomes::new();
    for finding in findings {
        outcomes.entry((finding.check(), &finding.subject().id)).or_default().push(finding.outcome());
    }
    outcomes.values_mut().for_each(|outcomes| outcomes.sort());
    outcomes
}

fn difference<'a>(one: &Outcomes<'a>, other: &Outcomes<'a>) -> Vec<((&'a str, &'a str), String)> {
    let keys: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let unlike = keys.into_iter().filter(|key| one.get(*key) != other.get(*key));
    unlike.map(|key| (*key, format!("{:?}, not {:?}", other.get(key), one.get(key)))).collect()
}

/// What the judging sees of a capture.
fn lines(capture: &Capture) -> BTreeSet<(Kind, String)> {
    let line = |record: &Record| {
        let pages: Vec<&str> =
            record.pages.iter().filter(|page| page.status == 200).map(|page| &*page.sha256).collect();
        let gap = record.gap.as_ref().map(|gap| gap.reason);
        (record.kind, format!("{} {gap:?} {} {} {pages:?}", record.scope, record.truncated, record.row_count))
    };
    capture.records.iter().map(line).collect()
}
