//! Runs that are interrupted and continued, on disk: what is kept in the end is what one run would have kept.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::super::*;
use super::script::{SUB, Script, Still, of_sub, request, tenant};
use crate::azure::{Api, Clock, Cloud, Door, Pace};
use crate::evidence::{
    Capture, CaptureStatus, CaptureWriter, Earlier, EvidenceError, Gap, Head, Kind, Page, Reason, Record, RunAs,
    TakenUp,
};

/// Keeps so many records and then fails, as a full disk does.
struct Room<'a>(&'a CaptureWriter, Cell<usize>);

impl Room<'_> {
    fn take(&self) -> Result<(), EvidenceError> {
        let left = self.1.get().checked_sub(1).ok_or_else(|| EvidenceError::Io {
            action: "write",
            path: PathBuf::from("page-0001.json"),
            source: std::io::ErrorKind::StorageFull.into(),
        })?;
        self.1.set(left);
        Ok(())
    }
}

impl Keeper for Room<'_> {
    fn keep_page(&self, evidence_id: &str, page: &Page, bytes: &[u8]) -> Result<(), EvidenceError> {
        self.0.keep_page(evidence_id, page, bytes)
    }

    fn keep(&self, record: &Record) -> Result<(), EvidenceError> {
        self.take()?;
        self.0.keep(record)
    }

    fn earlier(&self, kind: Kind, scope: &str) -> Result<Option<Earlier>, EvidenceError> {
        self.0.earlier(kind, scope)
    }

    fn take_over(&self, earlier: &Earlier, record: &Record) -> Result<(), EvidenceError> {
        self.take()?;
        self.0.take_over(earlier, record)
    }
}

/// Asks the run to stop once so many questions have ended.
struct StopAfter(Cell<usize>);

impl Progress for StopAfter {
    fn ended(&self, _: Api, _: &str, _: Option<&str>) {
        self.0.set(self.0.get().saturating_sub(1));
    }

    fn stop_asked(&self) -> bool {
        self.0.get() == 0
    }
}

const NEVER: usize = usize::MAX;

/// One run; how it ended, and how often the tenant was asked.
fn put(writer: &CaptureWriter, script: Script, room: usize, stop_after: usize) -> (Option<Summary>, usize) {
    let (ended, asked) = put_by(Arc::new(Still), writer, script, (room, stop_after));
    (ended, asked.len())
}

/// The same by another clock; how it ended, and the URLs that were asked.
fn put_by(
    clock: Arc<dyn Clock>,
    writer: &CaptureWriter,
    script: Script,
    (room, stop_after): (usize, usize),
) -> (Option<Summary>, Vec<String>) {
    let script = Arc::new(script);
    let pace = Pace { tries: 2, tries_on_failure: 2, ..Pace::default() };
    let door = Door::new(script.clone(), Cloud::named("public").expect("a cloud"), clock, pace);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let progress = StopAfter(Cell::new(stop_after));
    let keeper = Room(writer, Cell::new(room));
    let request = request(Expected::default());
    let ended = runtime.block_on(collect(&door, &request, &keeper, &progress));
    (ended.ok(), script.asked().into_iter().map(|ask| ask.url).collect())
}

/// A clock that stands still days after the plan was written.
struct Later;

#[async_trait]
impl Clock for Later {
    fn now(&self) -> DateTime<Utc> {
        Still.now() + TimeDelta::days(5)
    }

    async fn sleep(&self, _: Duration) {}
}

#[test]
fn a_run_that_continues_days_later_asks_for_the_window_of_the_plan() {
    let events = |urls: &[String]| -> Vec<String> {
        urls.iter().filter(|url| url.contains("/eventtypes/management/values?")).cloned().collect()
    };
    let store = tempfile::tempdir().expect("a folder");
    let (_, asked) = put_by(Arc::new(Still), &begin(store.path()), tenant(), (NEVER, NEVER));
    let of_plan = events(&asked);
    assert_eq!(of_plan.len(), 6, "five of the subscription, one of the tenant");
    let (writer, _) = take_up(store.path());
    let (_, asked) = put_by(Arc::new(Later), &writer, tenant(), (NEVER, NEVER));
    assert_eq!(asked, Vec::<String>::new(), "all of it was answered");

    // what was not answered then is asked for as it would have been
    let store = tempfile::tempdir().expect("a folder");
    put(&begin(store.path()), tenant(), NEVER, 0);
    let (writer, _) = take_up(store.path());
    let (_, asked) = put_by(Arc::new(Later), &writer, tenant(), (NEVER, NEVER));
    assert_eq!(events(&asked), of_plan);
}

fn head(status: CaptureStatus) -> Head {
    let request = request(Expected::default());
    Head {
        schema: "tickmark.capture/v1".to_owned(),
        capture_id: "c".to_owned(),
        run_id: "r".to_owned(),
        tenant_id: "t1".to_owned(),
        cloud: "public".to_owned(),
        period: request.period,
        started_at: request.now,
        ended_at: None,
        status,
        run_as: RunAs::default(),
        tool: request.tool,
        replayed: false,
        resumed: Vec::new(),
        plan_stamps: Vec::new(),
    }
}

fn begin(store: &Path) -> CaptureWriter {
    let plan = plan(&request(Expected::default()));
    CaptureWriter::create(store, head(CaptureStatus::Running), &plan).expect("a capture")
}

fn take_up(store: &Path) -> (CaptureWriter, TakenUp) {
    let (mut writer, plan) = CaptureWriter::reopen(&store.join("captures/c")).expect("a capture");
    let now = CollectRequest::of_plan(&plan, writer.head().tool.clone(), Personal::default()).now;
    assert_eq!(now, request(Expected::default()).now, "logs are asked for up to the first beginning");
    let found = writer.take_up(head(CaptureStatus::Running)).expect("taken up");
    (writer, found)
}

/// The files of the capture, but for the head.
fn files(store: &Path) -> BTreeMap<String, Vec<u8>> {
    let capture = Capture::open(&store.join("captures/c")).expect("a capture");
    assert!(capture.damage().is_empty());
    let of = |path: String| (path.clone(), capture.read(&path).expect("a file"));
    capture.files().into_iter().map(|file| of(file.path)).collect()
}

/// Finishes and gives the files; nothing may be left but these.
fn finish(mut writer: CaptureWriter, store: &Path) -> BTreeMap<String, Vec<u8>> {
    writer.finish(head(CaptureStatus::Complete)).expect("finished");
    let left: Vec<_> = fs::read_dir(writer.folder()).expect("a folder").map(|entry| entry.expect("an entry")).collect();
    let mut left: Vec<_> = left.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    left.sort();
    assert_eq!(left, ["capture.json", "capture.lock", "evidence", "plan.json"]);
    files(store)
}

/// What one run keeps, and how often it asks.
fn in_one_go(script: Script) -> (BTreeMap<String, Vec<u8>>, usize) {
    let store = tempfile::tempdir().expect("a folder");
    let writer = begin(store.path());
    let (summary, asked) = put(&writer, script, NEVER, NEVER);
    assert_eq!(summary.expect("it ended").status, CaptureStatus::Complete);
    (finish(writer, store.path()), asked)
}

/// First one run with `before`, then one with [`tenant`] that is not hindered: files, and how often that one asked.
fn continued(before: Script, room: usize, stop_after: usize) -> (BTreeMap<String, Vec<u8>>, usize) {
    let store = tempfile::tempdir().expect("a folder");
    put(&begin(store.path()), before, room, stop_after);
    let (writer, _) = take_up(store.path());
    let (summary, asked) = put(&writer, tenant(), NEVER, NEVER);
    assert_eq!(summary.expect("it ended").status, CaptureStatus::Complete);
    (finish(writer, store.path()), asked)
}

fn record(store: &Path, kind: Kind) -> Record {
    let capture = Capture::open(&store.join("captures/c")).expect("a capture");
    capture.records.into_iter().find(|record| record.kind == kind).expect("a record")
}

fn throttled() -> serde_json::Value {
    json!({"error": {"code": "TooManyRequests"}})
}

#[test]
fn after_every_single_record_a_run_can_end_and_be_continued() {
    let (whole, questions) = in_one_go(tenant());
    for kept in 0..questions {
        let (files, asked) = continued(tenant(), kept, NEVER);
        assert!(files == whole, "after {kept} records");
        assert_eq!(asked, questions - kept, "only what was missing was asked, after {kept} records");
    }
}

/// The store as a process that is killed at this moment leaves it: the writer gets no turn to put things in place.
fn as_killed(store: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    let mut folders = vec![PathBuf::from("captures/c")];
    while let Some(folder) = folders.pop() {
        fs::create_dir_all(copy.path().join(&folder)).expect("a folder");
        for entry in fs::read_dir(store.join(&folder)).expect("a folder") {
            let path = folder.join(entry.expect("an entry").file_name());
            match store.join(&path).is_dir() {
                true => folders.push(path),
                false => drop(fs::copy(store.join(&path), copy.path().join(&path)).expect("copied")),
            }
        }
    }
    copy
}

#[test]
fn what_was_not_in_its_place_when_the_process_was_killed_is_found_again() {
    let (whole, questions) = in_one_go(tenant());
    let store = tempfile::tempdir().expect("a folder");
    let writer = begin(store.path());
    put(&writer, tenant(), questions - 1, NEVER);
    let places = fs::read_dir(writer.folder().join("evidence")).expect("a folder");
    assert!(places.map(|entry| entry.expect("an entry").path()).all(|path| path.to_string_lossy().ends_with(".tmp")));
    // with the last page or record cut as by a power failure, its question is asked again
    for (torn, asked_again) in [(None, 1), (Some("ev-0003.tmp/page-0001.json"), 2), (Some("ev-0003.tmp/ipe.json"), 2)] {
        let copy = as_killed(store.path());
        if let Some(torn) = torn {
            let file = fs::File::options().write(true).open(copy.path().join("captures/c/evidence").join(torn));
            file.and_then(|file| file.set_len(5)).expect("cut");
        }
        let (writer, _) = take_up(copy.path());
        let (_, asked) = put(&writer, tenant(), NEVER, NEVER);
        assert_eq!(asked, asked_again, "{torn:?}");
        assert!(finish(writer, copy.path()) == whole, "{torn:?}");
    }
}

#[test]
fn a_run_that_continues_can_itself_be_interrupted_again_and_again() {
    let (whole, questions) = in_one_go(tenant());
    let store = tempfile::tempdir().expect("a folder");
    put(&begin(store.path()), tenant(), 4, NEVER);
    let mut runs = 0;
    loop {
        let (writer, found) = take_up(store.path());
        assert_eq!((found.passing, found.damaged), (0, 0));
        runs += 1;
        assert!(runs < questions, "every run gets further");
        // room for what is taken over and one more
        let (ended, _) = put(&writer, tenant(), found.settled + 1, NEVER);
        if ended.is_some() {
            assert!(finish(writer, store.path()) == whole);
            break;
        }
    }
}

#[test]
fn of_two_records_of_one_question_the_one_in_its_place_is_taken() {
    let (whole, questions) = in_one_go(tenant());
    let store = tempfile::tempdir().expect("a folder");
    put(&begin(store.path()), tenant(), questions - 1, NEVER);
    let folder = store.path().join("captures/c");
    take_up(store.path());
    // as after a kill between keeping a record and removing the one that it replaces
    for entry in fs::read_dir(folder.join("earlier")).expect("what was set back") {
        let earlier = entry.expect("an entry").path();
        let record: Record =
            serde_json::from_slice(&fs::read(earlier.join("ipe.json")).expect("a file")).expect("JSON");
        let place = folder.join("evidence").join(record.evidence_id);
        fs::create_dir(&place).expect("a folder");
        for file in fs::read_dir(earlier).expect("a record") {
            let file = file.expect("an entry");
            fs::copy(file.path(), place.join(file.file_name())).expect("copied");
        }
    }
    let (writer, found) = take_up(store.path());
    assert_eq!(found.settled, questions - 1);
    let (_, asked) = put(&writer, tenant(), NEVER, NEVER);
    assert_eq!(asked, 1);
    assert!(finish(writer, store.path()) == whole);
}

#[test]
fn a_run_that_was_told_to_stop_is_continued_with_the_numbers_of_one_run() {
    let (whole, questions) = in_one_go(tenant());
    for ended in (0..questions).step_by(4) {
        let (files, asked) = continued(tenant(), NEVER, ended);
        assert!(files == whole, "stopped after {ended}");
        assert!(asked <= questions - ended, "stopped after {ended}: asked {asked}");
    }
}

#[test]
fn what_may_pass_is_asked_again_and_so_is_what_followed_from_it() {
    let (whole, questions) = in_one_go(tenant());
    // Without the subscriptions there is almost no question; without the assignments the look-up knows of no group.
    let assignments = of_sub("/providers/Microsoft.Authorization/roleAssignments");
    let count = "question=vault_log_dedicated_count;";
    let (rows, second) = ("question=vault_log_dedicated;", "/servicePrincipals?");
    for (url, in_body) in [
        ("azure.com/subscriptions?", ""),
        (assignments.as_str(), ""),
        ("/query", count),
        ("/query", rows),
        (second, ""),
    ] {
        let (files, asked) = continued(tenant().first(url, in_body, 429, &throttled()), NEVER, NEVER);
        assert!(files == whole, "{url} {in_body}");
        assert!(asked >= 1 && asked < questions, "{url} {in_body}: asked {asked}");
    }
}

#[test]
fn a_log_in_windows_is_taken_over_and_its_callers_are_looked_up_again() {
    let counts = json!({"tables": [{"name": "PrimaryResult", "columns": [{"name": "Day"}, {"name": "Kept"}],
        "rows": [["2026-07-10T00:00:00Z", 9_000], ["2026-08-10T00:00:00Z", 9_000]]}]});
    let busy = || tenant().first("/query", "question=vault_log_dedicated_count;", 200, &counts);
    let (whole, questions) = in_one_go(busy());
    for kept in 0..questions - 1 {
        let store = tempfile::tempdir().expect("a folder");
        put(&begin(store.path()), busy(), kept, NEVER);
        let (writer, _) = take_up(store.path());
        put(&writer, busy(), NEVER, NEVER);
        assert!(finish(writer, store.path()) == whole, "after {kept} records");
    }
}

#[test]
fn a_refusal_stays_and_is_not_asked_again() {
    let denied = || tenant().first(&of_sub("/providers/Microsoft.KeyVault/vaults"), "", 403, &json!({}));
    let (whole, _) = in_one_go(denied());
    let (files, asked) = continued(denied(), NEVER, NEVER);
    assert!(files == whole);
    assert_eq!(asked, 0);
}

#[test]
fn a_damaged_record_is_asked_again() {
    let (whole, questions) = in_one_go(tenant());
    for (damaged, bytes) in [("page-0001.json", "[]"), ("ipe.json", "{"), ("redactions.json", "")] {
        let store = tempfile::tempdir().expect("a folder");
        put(&begin(store.path()), tenant(), questions - 1, NEVER);
        let vaults = record(store.path(), Kind::Vaults).evidence_id;
        let folder = store.path().join("captures/c/evidence");
        fs::write(folder.join(vaults).join(damaged), bytes).expect("written");
        fs::create_dir(folder.join("ev-0099.tmp")).expect("a record that was being written");
        let (writer, _) = take_up(store.path());
        let (_, asked) = put(&writer, tenant(), NEVER, NEVER);
        assert_eq!(asked, 2, "{damaged}");
        assert!(finish(writer, store.path()) == whole, "{damaged}");
    }
}

#[test]
fn pages_of_a_list_that_broke_off_are_not_given_up_for_a_question_that_was_not_put() {
    let vaults = of_sub("/providers/Microsoft.KeyVault/vaults");
    let next = format!("https://management.azure.com{SUB}/providers/Microsoft.KeyVault/vaults?page=2");
    let cut = || {
        let first = json!({"value": [], "nextLink": next});
        tenant().first(&vaults, "", 200, &first).first("vaults?page=2", "", 503, &json!({}))
    };
    let store = tempfile::tempdir().expect("a folder");
    put(&begin(store.path()), cut(), NEVER, NEVER);
    let before = record(store.path(), Kind::Vaults);
    assert_eq!((before.gap.as_ref().map(|gap| gap.reason), before.page_count), (Some(Reason::CutShort), 2));

    let (writer, found) = take_up(store.path());
    assert_eq!(found.passing, 1);
    let (summary, asked) = put(&writer, tenant(), NEVER, 0);
    assert_eq!((summary.expect("it ended").status, asked), (CaptureStatus::Interrupted, 0));
    assert_eq!(record(store.path(), Kind::Vaults), before);
    drop(writer);

    let (writer, _) = take_up(store.path());
    put(&writer, tenant(), NEVER, NEVER);
    assert!(finish(writer, store.path()) == in_one_go(tenant()).0);
}

#[test]
fn answers_whose_question_no_longer_arises_are_left_out() {
    let list = of_sub("/providers/Microsoft.OperationalInsights/workspaces");
    let broken = tenant().first(&list, "", 429, &throttled()).first("/workspaces/w1?", "", 404, &json!({}));
    let store = tempfile::tempdir().expect("a folder");
    put(&begin(store.path()), broken, NEVER, NEVER);
    assert!(matches!(
        record(store.path(), Kind::Workspace).gap,
        Some(Gap { reason: Reason::NotFound | Reason::NotRecorded, .. })
    ));
    let (writer, _) = take_up(store.path());
    put(&writer, tenant(), NEVER, NEVER);
    assert_eq!(writer.left_over().expect("a number"), 1);
    assert!(finish(writer, store.path()) == in_one_go(tenant()).0);
}

#[test]
fn a_capture_is_written_by_one_process_at_a_time() {
    let store = tempfile::tempdir().expect("a folder");
    let writer = begin(store.path());
    let folder = store.path().join("captures/c");
    assert!(matches!(CaptureWriter::reopen(&folder), Err(EvidenceError::InUse { .. })));
    drop(writer);
    assert!(CaptureWriter::reopen(&folder).is_ok());
    let again = CaptureWriter::create(store.path(), head(CaptureStatus::Running), &plan(&request(Expected::default())));
    assert!(again.is_err(), "an existing capture is not written over");
}
