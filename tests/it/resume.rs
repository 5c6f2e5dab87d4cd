//! Runs that are killed, stopped or out of room, and continued: the evidence is that of a run in one go, apart from
//! times, and what was answered is not asked again.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use serde_json::Value;
use tickmark::evidence::{Capture, CaptureStatus, Event, Ledger, Record};

use super::azure::{Azure, Moods, Seen};
use super::harness::{Bench, Ran, tenant_folder};
use super::replay::Tenant;

const TOKEN: &str = "an.opaque.token-of-nobody";
/// Kill points of the test that is always run; `TICKMARK_KILLS` asks for more.
const KILLS: u32 = 12;
/// Requests that may be under way when a run is killed, and are sent once more.
const AT_A_TIME: usize = 8;
/// Further pages of the lists of this tenant: a question that was under way may have had all of its answers.
const SECOND_PAGES: usize = 9;

/// A tenant that takes its time, and what one run in one go keeps of it.
struct World {
    azure: Azure,
    whole: BTreeMap<String, String>,
    asked: usize,
    took: Duration,
}

impl World {
    fn new() -> World {
        let tenant = Tenant::open("mixed");
        let moods = Moods { knows: Some(TOKEN.to_owned()), takes: Duration::from_millis(15), ..Moods::default() };
        let azure = Azure::start(&tenant, moods);
        let mut world = World { azure, whole: BTreeMap::new(), asked: 0, took: Duration::ZERO };
        let (bench, begun) = (world.bench(), Instant::now());
        let ran = bench.run(&["collect"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        world.took = begun.elapsed();
        world.asked = world.azure.seen().len();
        world.whole = evidence(&bench);
        assert_eq!(events(&bench), [Event::Started, Event::Finished]);
        world
    }

    fn bench(&self) -> Bench {
        let bench = Bench::new().with("TICKMARK_TOKEN", TOKEN);
        bench.write("tickmark.toml", &self.azure.config("token"));
        bench
    }

    /// Begins a capture and comes back once the tenant was asked so often.
    fn started(&self, bench: &Bench, requests: usize) -> Child {
        let before = self.azure.seen().len();
        let child = bench.start(&["collect"]);
        let begun = Instant::now();
        while self.azure.seen().len() < before + requests {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not ask");
            sleep(Duration::from_millis(2));
        }
        child
    }

    /// Continues, and holds the result to that of a run in one go.
    fn continued(&self, bench: &Bench, context: &str) {
        let answered = settled(bench);
        let before = self.azure.seen();
        let ran = bench.run(&["collect", "--resume"]);
        assert_eq!(ran.code, 0, "{context}: {}{}", ran.out, ran.err);
        let seen = self.azure.seen();
        for record in &answered {
            let is_of = |seen: &&Seen| self.is_of(record, seen);
            assert!(before.iter().any(|one| is_of(&one)), "{context}: {} was never asked", record.title);
            let again = seen[before.len()..].iter().find(is_of);
            assert!(again.is_none(), "{context}: {} was answered and is asked again", record.title);
        }
        self.is_whole(bench, context);
    }

    fn is_of(&self, record: &Record, seen: &Seen) -> bool {
        let request = &record.request;
        request.method == seen.method
            && request.url.strip_prefix(self.azure.address()) == Some(&seen.url)
            && request.body.as_deref().unwrap_or_default() == seen.body
    }

    fn is_whole(&self, bench: &Bench, context: &str) {
        let found = evidence(bench);
        let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&self.whole), "{context}");
        for (name, text) in &found {
            assert!(text == &self.whole[name], "{context}: {name}: {text}\n{}", self.whole[name]);
        }
        let capture = capture(bench);
        assert_eq!(capture.head.status, CaptureStatus::Complete);
        assert!(capture.damage().is_empty(), "{context}");
        let begun = DateTime::from_timestamp(capture.head.started_at.timestamp(), 0).expect("a time");
        for window in capture.records.iter().filter_map(|record| record.window.as_ref()) {
            assert_eq!(window.cutoff, begun - TimeDelta::minutes(30), "{context}: the window is that of the beginning");
        }
    }
}

fn folder(bench: &Bench) -> Option<PathBuf> {
    let entries = fs::read_dir(bench.path("tickmark-store/captures")).ok()?;
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    found.retain(|path| path.extension().is_none());
    assert!(found.len() <= 1, "{found:?}");
    found.pop()
}

fn capture(bench: &Bench) -> Capture {
    Capture::open(&folder(bench).expect("a capture")).expect("a capture")
}

fn events(bench: &Bench) -> Vec<Event> {
    let ledger = Ledger::open(&bench.path("tickmark-store")).expect("a whole chain");
    ledger.entries.iter().map(|entry| entry.event).collect()
}

/// Questions that are answered on disk, also by a run that was continued and killed as well.
fn settled(bench: &Bench) -> Vec<Record> {
    let Some(folder) = folder(bench) else { return Vec::new() };
    let mut records = Vec::new();
    for part in ["evidence", "earlier"] {
        for entry in fs::read_dir(folder.join(part)).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.extension().is_none() {
                let text = fs::read(path.join("ipe.json")).expect("a record is whole or absent");
                let record: Record = serde_json::from_slice(&text).expect("a record is whole or absent");
                records.push(record);
            }
        }
    }
    records.retain(|record| record.gap.as_ref().is_none_or(|gap| !gap.reason.may_pass()));
    records
}

/// The files of the evidence; of records, what does not tell the time.
fn evidence(bench: &Bench) -> BTreeMap<String, String> {
    let folder = folder(bench).expect("a capture");
    let mut left: Vec<String> = fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    left.sort();
    assert_eq!(left, ["capture.json", "capture.lock", "evidence", "plan.json"]);
    let below = folder.join("evidence").display().to_string();
    let files = bench.files(&below).into_iter();
    files.map(|(name, bytes)| (name.clone(), comparable(&name, String::from_utf8(bytes).expect("UTF-8")))).collect()
}

fn comparable(name: &str, text: String) -> String {
    if !name.ends_with("ipe.json") {
        return text;
    }
    let mut record: Value = serde_json::from_str(&timeless(&text)).expect("JSON");
    record["clock"] = Value::Null;
    for page in record["pages"].as_array_mut().expect("pages") {
        page["attempts"] = Value::Null;
        page["serverDate"] = Value::Null;
    }
    format!("{record:#}")
}

/// The text with every RFC 3339 time cut.
fn timeless(text: &str) -> String {
    let form = "dddd-dd-ddTdd:dd:dd";
    let is_time = |at: &str| {
        at.len() >= form.len()
            && at.bytes().zip(form.bytes()).all(|(is, due)| if due == b'd' { is.is_ascii_digit() } else { is == due })
    };
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(next) = rest.chars().next() {
        if rest.is_char_boundary(form.len().min(rest.len())) && is_time(rest) {
            rest = rest[form.len()..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            shown.push_str("TIME");
        } else {
            shown.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    shown
}

fn ended(child: Child) -> Ran {
    Ran::of(child.wait_with_output().expect("it ends"))
}

/// The same numbers in every run of the tests, spread over 16 bits.
fn spread(n: u32) -> u32 {
    n.wrapping_add(1).wrapping_mul(2_654_435_761) >> 8 & 0xffff
}

#[test]
fn killed_at_any_point_and_continued_it_keeps_what_one_run_keeps() {
    let world = World::new();
    #[allow(clippy::disallowed_methods, reason = "how thorough the test is, is told from outside")]
    let kills = std::env::var("TICKMARK_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let mut cut = 0;
    for n in 0..kills {
        let bench = world.bench();
        let before = world.azure.seen().len();
        let mut child = bench.start(&["collect"]);
        // somewhere in the n-th part of the run
        sleep(world.took * (n * 0x1_0000 + spread(n)) / (kills * 0x1_0000));
        child.kill().expect("killed");
        child.wait().expect("it is dead");
        let context = format!("kill {n} after {} answers", world.azure.seen().len() - before);
        let Some(folder) = folder(&bench) else {
            let ran = bench.run(&["collect", "--resume"]);
            assert_eq!(ran.code, 2, "{context}: {}", ran.err);
            assert!(ran.err.contains("holds no interrupted capture"), "{context}: {}", ran.err);
            assert_eq!(bench.run(&["collect"]).code, 0, "{context}");
            world.is_whole(&bench, &context);
            continue;
        };
        if events(&bench).ends_with(&[Event::Finished]) {
            assert_eq!(bench.run(&["collect", "--resume"]).code, 2, "{context}");
            continue;
        }
        cut += 1;
        // also where the last line of the ledger is all that is missing
        let was_complete = tickmark::evidence::Head::open(&folder).expect("a head").status == CaptureStatus::Complete;
        world.continued(&bench, &context);
        let again = world.azure.seen().len() - before - world.asked;
        assert!(again <= AT_A_TIME + SECOND_PAGES, "{context}: {again} requests were sent twice");
        let expected: &[Event] = match was_complete {
            true => &[Event::Started, Event::Finished],
            false => &[Event::Started, Event::Interrupted, Event::Resumed, Event::Finished],
        };
        assert_eq!(events(&bench), expected, "{context}");
    }
    assert!(cut * 2 > kills, "only {cut} of {kills} kills met a capture");
}

#[test]
fn killed_again_and_again_it_still_gets_to_the_end() {
    let world = World::new();
    let bench = world.bench();
    let before = world.azure.seen().len();
    let mut args = vec!["collect"];
    for n in 0.. {
        assert!(n < 100, "it does not get further");
        let mut child = bench.start(&args);
        sleep(world.took / 4 + world.took * spread(n) / 0x4_0000);
        child.kill().expect("killed");
        child.wait().expect("it is dead");
        if folder(&bench).is_some() {
            args = vec!["collect", "--resume"];
            if capture(&bench).head.status == CaptureStatus::Complete {
                break;
            }
        }
    }
    let runs = events(&bench).iter().filter(|event| matches!(event, Event::Started | Event::Resumed)).count();
    assert!(runs > 2, "{runs} runs");
    world.is_whole(&bench, "in the end");
    let again = world.azure.seen().len() - before - world.asked;
    assert!(again <= AT_A_TIME * (runs - 1), "{again} requests were sent twice in {runs} runs");
}

#[test]
fn ctrl_c_ends_a_run_in_good_order_and_the_configuration_of_then_is_kept_to() {
    let world = World::new();
    let bench = world.bench();
    let child = world.started(&bench, 20);
    bench.shell(&format!("kill -INT {}", child.id()));
    let ran = ended(child);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let id = capture(&bench).head.capture_id;
    assert!(ran.err.contains(&format!("continue with `tickmark collect --resume --capture {id}`")), "{}", ran.err);
    assert_eq!(events(&bench), [Event::Started, Event::Interrupted]);
    assert_eq!(capture(&bench).head.status, CaptureStatus::Interrupted);

    let config = world
        .azure
        .config("token")
        .replace("subscriptions = [", "subscriptions = [\"22222222-2222-2222-2222-222222222222\", ");
    bench.write("tickmark.toml", &config.replace("2026Q3", "2026Q1").replace(", ]", "]"));
    world.continued(&bench, "after Ctrl-C");
    assert_eq!(events(&bench), [Event::Started, Event::Interrupted, Event::Resumed, Event::Finished]);
    let ledger = bench.read("tickmark-store/ledger.jsonl");
    assert!(ledger.contains("records are kept, ") && ledger.contains("answered before the interruption"), "{ledger}");
    assert_eq!(capture(&bench).head.resumed.len(), 1);
}

#[test]
#[cfg(unix)]
fn a_file_that_cannot_be_written_ends_the_run_and_loses_nothing() {
    let world = World::new();
    let bench = world.bench();
    // signal 25 tells of files that get too large; without it the write fails as on a full disk; the plan fits (blocks
    // of 512 bytes), the rows of a log do not
    let ran = bench.shell("trap '' 25; ulimit -f 42; exec \"$TICKMARK\" collect");
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("cannot write `") && ran.err.contains("File too large"), "{}", ran.err);
    assert!(ran.err.contains("continue with `tickmark collect --resume"), "{}", ran.err);
    assert_eq!(events(&bench), [Event::Started, Event::Failed]);
    assert!(!settled(&bench).is_empty());
    world.continued(&bench, "with larger files");
    assert_eq!(events(&bench), [Event::Started, Event::Failed, Event::Resumed, Event::Finished]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_ends_the_run_and_loses_nothing() {
    let world = World::new();
    let bench = world.bench();
    let script = "mkdir disk tickmark-store || exit 90
        mount -t tmpfs -o size=256k tmpfs disk || exit 90
        \"$TICKMARK\" --store disk/store collect; echo \"first $?\"
        cp -r disk/store full || exit 91
        mount -o remount,size=64m disk || exit 92
        \"$TICKMARK\" --store disk/store collect --resume; echo \"second $?\"
        cp -r disk/store/. tickmark-store || exit 93";
    bench.write("disk.sh", script);
    let ran = bench.shell(
        "unshare --user --map-root-user --mount true || exit 90; \
        exec unshare --user --map-root-user --mount sh disk.sh",
    );
    if ran.code == 90 {
        eprintln!("skipped: no disk can be mounted here: {}", ran.err);
        return;
    }
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("first 3\n") && ran.out.contains("second 0\n"), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("No space left on device"), "{}", ran.err);
    world.is_whole(&bench, "with room again");
    let events = events(&bench);
    assert_eq!((events.first(), events.last()), (Some(&Event::Started), Some(&Event::Finished)), "{events:?}");
}

#[test]
fn what_would_mix_two_captures_is_refused() {
    let world = World::new();
    let bench = world.bench();
    let child = world.started(&bench, 10);
    let refused = |args: &[&str], why: &str| {
        let ran = bench.run(&[&["collect", "--resume"], args].concat());
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(why), "{}", ran.err);
    };
    refused(&[], "another process is writing the capture");
    bench.shell(&format!("kill -KILL {}", child.id()));
    child.wait_with_output().expect("it is dead");

    let id = capture_id(&bench);
    let before = bench.files("tickmark-store");
    let good = world.azure.config("token");
    let tenant = Tenant::open("mixed").head["tenantId"].as_str().expect("a tenant").to_owned();
    bench.write("tickmark.toml", &good.replace(&tenant, "99999999-9999-9999-9999-999999999999"));
    refused(&["--capture", &id], "and the configuration names `99999999-");
    refused(&[], "holds no interrupted capture of this tenant\nthere is `");
    bench.write("tickmark.toml", &good);
    refused(&["--period", "2026Q1"], "it is of the period 2026-07-01..2026-09-30, not 2026-01-01..2026-03-31");
    refused(&["--capture", "../captures"], "holds no capture `../captures`");
    refused(&["--replay", &tenant_folder("mixed").display().to_string()], "the cloud `custom`");
    let plan = format!("tickmark-store/captures/{id}/plan.json");
    let kept = bench.read(&plan);
    bench.write(&plan, &kept.replace("\"vaults\"", "\"workspaces\""));
    refused(&[], "its plan.json is not the one that the ledger names");
    bench.write(&plan, &kept);
    assert!(bench.files("tickmark-store") == before, "a refusal changes nothing");
    assert_eq!(bench.run(&["collect", "--capture", &id]).code, 2, "--capture goes with --resume");
    let judged = bench.run(&["assess", "--capture", &id]);
    // where it was killed decides whether an exception was seen already; the last line tells of both
    assert!([1, 3].contains(&judged.code), "{}{}", judged.out, judged.err);
    let last = judged.out.lines().last().unwrap_or_default();
    assert!(last.contains("incomplete: "), "what was not asked is not evaluated: {last}");

    let head = format!("tickmark-store/captures/{id}/capture.json");
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    bench.write(&head, &bench.read(&head).replace(&version, "\"version\": \"0.0.9\""));
    world.continued(&bench, "with another version");
    let ledger = bench.read("tickmark-store/ledger.jsonl");
    let told = format!("continued by tickmark {} (rule set ", env!("CARGO_PKG_VERSION"));
    assert!(ledger.contains("begun by tickmark 0.0.9 (rule set ") && ledger.contains(&told), "{ledger}");
    refused(&["--capture", &id], "it is complete");
    refused(&[], "holds no interrupted capture");
}

fn capture_id(bench: &Bench) -> String {
    capture(bench).head.capture_id
}

#[test]
fn two_runs_side_by_side_make_two_captures_and_one_chain() {
    let world = World::new();
    let bench = world.bench();
    let runs: Vec<Child> = (0..3).map(|_| bench.start(&["collect"])).collect();
    for run in runs {
        let ran = ended(run);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let mut events = events(&bench);
    assert_eq!(events.len(), 6);
    events.sort_by_key(|event| *event == Event::Finished);
    assert_eq!(events[2..4], [Event::Started, Event::Finished]);
    let captures = fs::read_dir(bench.path("tickmark-store/captures")).expect("captures").count();
    assert_eq!(captures, 3);
}
