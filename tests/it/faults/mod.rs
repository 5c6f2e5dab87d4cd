//! One fault at a time at one question of each family: the run ends, what was read is kept, what was not is a gap
//! with its reason, and nothing that rests on it passes.
//!
//! [`table`] has the faults, [`targets`] the questions. `changes.txt` says which findings change when the answer to
//! one of them is lost, and which when it is kept but is not known to be whole; every other finding must stay as it
//! is without the fault.

mod bench;
mod changes;
mod every_kind;
mod inside;
mod table;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tickmark::azure::{Pace, Patience};
use tickmark::check::Outcome;
use tickmark::evidence::{Reason, Record};

use self::bench::{Bench, Ran};
use self::changes::{changes, expected};
use self::table::{ALWAYS, End, Fault, edit, fault, faults, list_of, status};
use self::targets::{
    COUNT, GROUP, GROUPS, IDENTITIES, PRINCIPALS, ROWS, SECOND_PAGE, SETTINGS, SUBSCRIPTIONS, Target, VAULTS,
};
use crate::server::{Act, Stranger};

#[tokio::test]
async fn at_the_list_of_subscriptions() {
    every_fault_at(&SUBSCRIPTIONS).await;
}

#[tokio::test]
async fn at_the_first_page_of_managed_identities() {
    every_fault_at(&IDENTITIES).await;
}

#[tokio::test]
async fn at_the_list_of_vaults() {
    every_fault_at(&VAULTS).await;
}

#[tokio::test]
async fn at_the_second_page_of_role_assignments() {
    every_fault_at(&SECOND_PAGE).await;
}

#[tokio::test]
async fn at_the_diagnostic_settings_of_a_vault() {
    every_fault_at(&SETTINGS).await;
}

#[tokio::test]
async fn at_the_members_of_a_group() {
    every_fault_at(&GROUP).await;
}

#[tokio::test]
async fn at_the_look_up_of_principals() {
    every_fault_at(&PRINCIPALS).await;
}

#[tokio::test]
async fn at_the_rows_of_a_log() {
    every_fault_at(&ROWS).await;
}

#[tokio::test]
async fn at_the_count_of_a_log() {
    every_fault_at(&COUNT).await;
}

#[tokio::test]
async fn at_the_list_of_management_groups() {
    every_fault_at(&GROUPS).await;
}

async fn every_fault_at(target: &Target) {
    let bench = Bench::start(Patience::default()).await;
    let stranger = Stranger::start().await;
    let pace = Pace { jitter: Duration::ZERO, ..Pace::default() };
    let plain = bench.collect(pace.clone(), target.expects).await;
    let mut wrong: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for fault in faults(&stranger.address) {
        bench.server.set(target.meant, fault.act.clone(), fault.times);
        let ran = bench.collect(pace.clone(), target.expects).await;
        let mut says = |what: String| wrong.entry(what).or_default().push(fault.name);
        check(target, &fault, &plain, &ran, bench.server.asked(), &mut says);
    }
    assert_eq!(stranger.visits.load(Ordering::SeqCst), 0, "a stranger was asked");
    assert_eq!(bench.server.faults(), Vec::<String>::new());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn check(target: &Target, fault: &Fault, plain: &Ran, ran: &Ran, asked: u32, says: &mut impl FnMut(String)) {
    let mut end = fault.of_logs.filter(|_| target.is_log).unwrap_or(fault.end);
    if target.before > 0 {
        // pages were read before: whatever ends it, the list broke off
        end = match end {
            End::Lost(_) => End::Lost(Reason::CutShort),
            End::Kept(Reason::Malformed) => End::Kept(Reason::CutShort),
            other => other,
        };
    }
    let reason = match end {
        End::Healed => plain.gaps.get(&(target.kind, target.scope.to_owned())).copied(),
        End::Lost(reason) | End::Kept(reason) | End::Dented(reason) => Some(reason),
    };
    let found = ran.gaps.get(&(target.kind, target.scope.to_owned())).copied();
    if found != reason {
        says(format!("the question ends with {found:?}, not {reason:?}"));
    }
    let mut sent = fault.sent_to_logs.filter(|_| target.is_log).unwrap_or(fault.sent);
    if fault.end == End::Lost(Reason::NotInCloud) {
        sent *= target.versions;
    }
    if asked != sent {
        says(format!("asked {asked} times, not {sent}"));
    }
    if let Some(wait) = fault.waits
        && !ran.slept.contains(&wait)
    {
        says(format!("slept {:?}, not {wait}", ran.slept));
    }
    let section = |word: &str| expected(&format!("{} {word}", target.name));
    let changed = changes(&plain.findings, &ran.findings);
    let (word, expected) = match end {
        End::Healed => ("healed", Vec::new()),
        End::Lost(_) => ("lost", section("lost")),
        End::Kept(_) => ("kept", section("kept")),
        End::Dented(_) => {
            // which part of it goes depends on the item; nothing else may change, and nothing may pass that did not
            let known = [section("lost"), section("kept")].concat();
            let about = |line: &str| line.rsplit_once(": ").map_or("", |(about, _)| about).to_owned();
            let may_change: BTreeSet<String> = known.iter().map(|line| about(line)).collect();
            let is_loss = |line: &String| {
                let after = line.rsplit_once("> ").map_or("", |(_, after)| after);
                after == "-" || after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ') == "not_evaluated"
            };
            let is_known =
                |line: &&String| known.contains(line) || (may_change.contains(&about(line)) && is_loss(line));
            ("dented", changed.iter().filter(is_known).cloned().collect())
        }
    };
    for line in changed.iter().filter(|line| !expected.contains(line)) {
        says(format!("{word}: changes {line}"));
    }
    for line in expected.iter().filter(|line| !changed.contains(line)) {
        says(format!("{word}: leaves {line}"));
    }
    let was_incomplete = ran.findings.iter().any(|((check, _), (name, outcomes))| {
        // what the activity log keeps no more is told beside, whatever happens
        check == "PACK-001" && name == "the collection" && outcomes.contains(&Outcome::NotEvaluated)
    });
    if was_incomplete != (end != End::Healed) {
        says(format!("{word}: PACK-001 does not tell"));
    }
    check_records(target, fault, end, plain, ran, says);
}

/// What was read is kept, of the question itself and of every other.
fn check_records(target: &Target, fault: &Fault, end: End, plain: &Ran, ran: &Ran, says: &mut impl FnMut(String)) {
    let (before, after) = (plain.records(), ran.records());
    let own = (target.kind, target.scope.to_lowercase());
    let hashes = |record: &Record| record.pages.iter().map(|page| page.sha256.clone()).collect::<Vec<String>>();
    for (key, record) in before.iter().filter(|(key, _)| **key != own) {
        let same = after.get(key).is_some_and(|now| hashes(now) == hashes(record) && now.gap == record.gap);
        if !same && (end == End::Healed || !target.follow.contains(&key.0)) {
            says(format!("{:?} at {} is not kept as it was", key.0, key.1));
        }
    }
    let (Some(whole), Some(now)) = (before.get(&own), after.get(&own)) else {
        return says("the question has no record".to_owned());
    };
    let read = |record: &Record, pages: usize| record.pages.iter().take(pages).map(|page| page.item_count).sum::<u64>();
    match end {
        End::Healed if now.gap != whole.gap || now.row_count != whole.row_count => {
            says("healed, but not whole".to_owned())
        }
        End::Lost(_) if hashes(now)[..target.before] != hashes(whole)[..target.before] => {
            says("a page that was read is not kept".to_owned());
        }
        // an item that is none may be among them
        End::Kept(_) if now.row_count < read(whole, target.before + 1) => {
            says("items that were read are not kept".to_owned())
        }
        End::Dented(_) if now.row_count != whole.row_count => says("items that were read are not kept".to_owned()),
        _ => {}
    }
    let is_cut = matches!(end, End::Kept(Reason::CutShort | Reason::Partial))
        || (target.before > 0 && matches!(end, End::Lost(_)));
    if is_cut && !now.truncated {
        says("the record does not say that it is cut".to_owned());
    }
    let answered = now.pages.last().filter(|page| page.status != 200 || end == End::Healed);
    if let (Some(page), true) = (answered, fault.times == ALWAYS) {
        let sent = fault.sent_to_logs.filter(|_| target.is_log).unwrap_or(fault.sent);
        if page.attempts != sent && target.before == 0 && now.pages.len() == 1 {
            says(format!("the record tells of {} attempts, not {sent}", page.attempts));
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_given_up() {
    let bench = Bench::start(Patience { log_analytics: SOON, others: SOON, ..Patience::default() }).await;
    let pace = Pace { jitter: Duration::ZERO, tries_on_failure: 2, ..Pace::default() };
    let plain = bench.collect(pace.clone(), true).await;
    let for_ever = fault("too slow", Act::After(SOON * 20), ALWAYS, 2, End::Lost(Reason::Unavailable));
    let once = fault("too slow once", Act::After(SOON * 20), 1, 2, End::Healed);
    let mut wrong = Vec::new();
    for target in [&VAULTS, &SECOND_PAGE, &SETTINGS, &GROUP, &PRINCIPALS, &ROWS, &COUNT, &GROUPS] {
        for fault in [&for_ever, &once] {
            bench.server.set(target.meant, fault.act.clone(), fault.times);
            let ran = bench.collect(pace.clone(), true).await;
            let mut says = |what: String| wrong.push(format!("{}, {}: {what}", target.name, fault.name));
            check(target, fault, &plain, &ran, bench.server.asked(), &mut says);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn however_many_requests_are_refused_with_one_token_another_one_is_fetched_once() {
    let bench = Bench::start(Patience::default()).await;
    let pace = Pace { jitter: Duration::ZERO, ..Pace::default() };
    let plain = bench.collect(pace.clone(), true).await;
    let before = bench.server.tokens();
    bench.server.set(|_, _| true, Act::RefuseOldTokens, ALWAYS);
    let ran = bench.collect(pace, true).await;
    assert_eq!(bench.server.tokens() - before, 1, "all three services have the same audience here");
    assert_eq!(changes(&plain.findings, &ran.findings), Vec::<String>::new());
    let again = ran.capture.records.iter().flat_map(|record| &record.pages).filter(|page| page.attempts == 2).count();
    assert!((1..=8).contains(&again), "{again} were under way with the old one");
}

#[tokio::test]
async fn a_challenge_for_further_claims_ends_its_question_with_advice() {
    let bench = Bench::start(Patience::default()).await;
    let challenge = "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"";
    bench.server.set(VAULTS.meant, status(401, &[("www-authenticate", challenge)]), ALWAYS);
    let ran = bench.collect(Pace::default(), true).await;
    assert_eq!((bench.server.asked(), bench.server.tokens()), (1, 1), "it is neither asked nor signed in again");
    let gap = ran.records()[&(VAULTS.kind, VAULTS.scope.to_owned())].gap.clone().expect("a gap");
    assert_eq!((gap.reason, gap.status), (Reason::Unauthenticated, Some(401)));
    let expected = "HTTP 401 Fault: Conditional Access wants a new sign-in (continuous access evaluation), which this run \
                    cannot give; sign in again, or let the policy admit this identity, and continue the capture";
    assert_eq!(gap.detail, expected);
}

/// Long enough for every other answer of a server on this machine, on a busy one too.
const SOON: Duration = Duration::from_millis(1000);

#[tokio::test]
async fn a_hundred_thousand_rows_are_read_and_compared_with_their_count() {
    const ROWS_SAID: usize = 100_000;
    let bench = Bench::start(Patience::default()).await;
    let pace = Pace { jitter: Duration::ZERO, ..Pace::default() };
    let plain = bench.collect(pace.clone(), true).await;
    let act = edit(|body, _| {
        let rows = list_of(body).as_array_mut().expect("rows");
        let recorded = rows.clone();
        rows.extend(recorded.into_iter().cycle().take(ROWS_SAID - rows.len()));
    });
    bench.server.set(ROWS.meant, act, ALWAYS);
    let ran = bench.collect(pace, true).await;
    let key = (ROWS.kind, ROWS.scope.to_owned());
    let record = ran.records()[&key];
    assert_eq!((record.row_count, record.truncated), (ROWS_SAID as u64, false));
    // the service counted 36: which of the two is wrong cannot be told, so nothing rests on either
    assert_eq!(
        record.control_totals.iter().map(|total| (total.expected, total.read)).collect::<Vec<_>>(),
        [(36, 100_000)]
    );
    assert_eq!(ran.gaps.get(&key), Some(&Reason::TotalsDiffer));
    let mut expected = expected("rows lost");
    expected.retain(|line| !line.starts_with("PACK-001"));
    expected.push("PACK-001 the collection: pass > fail".to_owned());
    expected.sort();
    assert_eq!(changes(&plain.findings, &ran.findings), expected);
}
