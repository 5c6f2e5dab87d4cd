//! A recorded tenant inside this process: one run without a fault, and from it runs in which one question meets one.
//!
//! All other answers are taken over from the run without a fault, as by a run that is continued, so that a fault
//! costs no more than its own question and what follows from it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::Value;
use tickmark::azure::{Answer, Ask, Clock, Cloud, Door, Pace, Recording, TokenFacts, Transport, TransportError};
use tickmark::collect::{CollectRequest, Keeper, Personal, Summary, collect, plan};
use tickmark::evidence::{
    Capture, CaptureStatus, CaptureWriter, Earlier, EvidenceError, Expected, Head, Kind, Page, Period, Record, RunAs,
    Tool, VaultObjects,
};

use super::bench::{Quiet, Ran};
use super::table::Fault;
use crate::harness::tenant_folder;
use crate::replay::StillClock;
use crate::server::{Act, without_hidden};

/// What of a request tells one question from another: neither its version nor its page.
type Key = (String, String);

/// A tenant, and what one run without a fault made of it.
pub struct Inside {
    pub plain: Ran,
    answers: Arc<BTreeMap<Key, Answer>>,
    request: CollectRequest,
    head: Head,
    earlier: BTreeMap<(Kind, String), Earlier>,
    _folder: tempfile::TempDir,
}

impl Inside {
    /// `vault_objects` says who is asked what vaults hold. Of the workspaces whose list has `unlisted` in its URL, the
    /// list names none, so that they are asked for one by one.
    pub fn open(tenant: &str, vault_objects: VaultObjects, unlisted: Option<&'static str>) -> Inside {
        let recording = Recording::open(&tenant_folder(tenant)).expect("a recording");
        let told = recording.head().clone();
        let tool = Tool { name: "tickmark".to_owned(), version: "0".to_owned(), rule_set_sha256: String::new() };
        let request = CollectRequest {
            vault_objects,
            api_versions: BTreeMap::new(),
            tenant_id: told.tenant_id.clone(),
            expected: Expected { subscriptions: told.subscriptions, ..Expected::default() },
            period: Period::parse(&told.period).expect("a period"),
            now: told.recorded_at,
            tool: tool.clone(),
            personal: Personal::default(),
        };
        let mut head = Head {
            schema: "tickmark.capture/v1".to_owned(),
            capture_id: "plain".to_owned(),
            run_id: "r".to_owned(),
            tenant_id: request.tenant_id.clone(),
            cloud: "public".to_owned(),
            period: request.period,
            started_at: request.now,
            ended_at: Some(request.now),
            status: CaptureStatus::Running,
            run_as: RunAs::default(),
            tool,
            replayed: true,
            resumed: Vec::new(),
            plan_stamps: Vec::new(),
        };
        let folder = tempfile::tempdir().expect("a folder");
        let kept = CaptureWriter::create(folder.path(), head.clone(), &plan(&request)).expect("a capture");
        let heard = Arc::new(Heard { recording, unlisted, left_out: Mutex::default(), answers: Mutex::default() });
        let summary = run(&request, heard.clone(), &kept);
        assert_eq!(summary.status, CaptureStatus::Complete);
        head.status = CaptureStatus::Complete;
        drop(kept);
        let at = folder.path().join("captures/plain");
        let (mut kept, _) = CaptureWriter::reopen(&at).expect("a capture");
        let capture = Capture::open(&at).expect("a capture");
        let capture = Capture::from_memory(head.clone(), in_memory(&capture)).expect("a capture");
        kept.take_up(head.clone()).expect("what a run takes over");
        let earlier = capture.records.iter().map(|record| {
            let earlier = kept.earlier(record.kind, &record.scope).expect("it can be read");
            ((record.kind, record.scope.clone()), earlier.expect("it was kept"))
        });
        let earlier = earlier.collect();
        let answers = Arc::new(heard.answers.lock().expect("a lock").clone());
        Inside { plain: Ran::judge(capture, Vec::new()), answers, request, head, earlier, _folder: folder }
    }

    /// What the service said first to this question, if it was asked.
    pub fn said(&self, record: &Record) -> Option<Value> {
        let answer = self.answers.get(&key(&record.request.url, record.request.body.as_deref()))?;
        serde_json::from_slice(&answer.body).ok()
    }

    /// The same run with this fault at the question of `record`, and how often that was asked.
    pub fn with(&self, record: &Record, fault: &Fault) -> (Capture, u32) {
        let meant = key(&record.request.url, record.request.body.as_deref());
        let caught = AtomicU32::new(0);
        let (act, times) = (fault.act.clone(), fault.times);
        let faulty = Arc::new(Faulty { answers: self.answers.clone(), meant, act, times, caught });
        let anew = (record.kind, record.scope.clone());
        let keeper = Continued { plain: self, anew, files: RefCell::default() };
        let summary = run(&self.request, faulty.clone(), &keeper);
        assert_eq!(summary.status, CaptureStatus::Complete);
        let mut files = keeper.files.into_inner();
        files.insert("plan.json".to_owned(), serde_json::to_vec(&plan(&self.request)).expect("JSON"));
        let capture = Capture::from_memory(self.head.clone(), files).expect("a capture");
        (capture, faulty.caught.load(Ordering::SeqCst))
    }
}

fn run(request: &CollectRequest, transport: Arc<dyn Transport>, keeper: &dyn Keeper) -> Summary {
    let cloud = Cloud::named("public").expect("a cloud");
    let clock: Arc<dyn Clock> = Arc::new(StillClock(request.now));
    let door = Door::new(transport, cloud, clock, Pace::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(collect(&door, request, keeper, &Quiet)).expect("no fault ends the run")
}

fn in_memory(capture: &Capture) -> BTreeMap<String, Vec<u8>> {
    let files = capture.files().into_iter();
    files.map(|file| (file.path.clone(), capture.read(&file.path).expect("a file"))).collect()
}

fn key(url: &str, body: Option<&str>) -> Key {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let query: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("api-version=")).collect();
    let mut body: Value = serde_json::from_str(body.unwrap_or_default()).unwrap_or_default();
    if let Some(options) = body.pointer_mut("/options").and_then(Value::as_object_mut) {
        options.remove("$skipToken");
    }
    (format!("{place}?{}", query.join("&")).to_lowercase(), body.to_string())
}

/// The recording, which remembers what it said.
struct Heard {
    recording: Recording,
    unlisted: Option<&'static str>,
    /// Workspaces that were left out of a list, by the URL that they are asked for with.
    left_out: Mutex<BTreeMap<Key, Value>>,
    answers: Mutex<BTreeMap<Key, Answer>>,
}

impl Heard {
    async fn answer(&self, ask: &Ask, refused: Option<u32>) -> Result<Answer, TransportError> {
        let key = key(&ask.url, None);
        if let Some(workspace) = self.left_out.lock().expect("a lock").get(&key) {
            let body = workspace.to_string().into_bytes();
            return Ok(Answer { status: 200, headers: BTreeMap::new(), body, token: 0 });
        }
        let mut answer = self.recording.send(ask, refused).await?;
        answer.body = without_hidden(&answer.body);
        let is_list = ask.url.contains("/providers/Microsoft.OperationalInsights/workspaces?");
        if is_list && self.unlisted.is_some_and(|place| ask.url.contains(place)) {
            let list: Value = serde_json::from_slice(&answer.body).expect("JSON");
            for workspace in list["value"].as_array().expect("a list") {
                let id = workspace["id"].as_str().expect("an id");
                let url = format!("https://management.azure.com{id}");
                self.left_out.lock().expect("a lock").insert(self::key(&url, None), workspace.clone());
            }
            answer.body = br#"{"value":[]}"#.to_vec();
        }
        Ok(answer)
    }
}

#[async_trait]
impl Transport for Heard {
    async fn send(&self, ask: &Ask, refused: Option<u32>) -> Result<Answer, TransportError> {
        let answer = self.answer(ask, refused).await?;
        let key = key(&ask.url, ask.body.as_deref());
        self.answers.lock().expect("a lock").insert(key, answer.clone());
        Ok(answer)
    }

    fn token_facts(&self) -> Option<TokenFacts> {
        self.recording.token_facts()
    }

    fn credential(&self) -> String {
        self.recording.credential()
    }
}

/// What was heard, and a fault at one question.
struct Faulty {
    answers: Arc<BTreeMap<Key, Answer>>,
    meant: Key,
    act: Act,
    times: u32,
    caught: AtomicU32,
}

#[async_trait]
impl Transport for Faulty {
    async fn send(&self, ask: &Ask, _refused: Option<u32>) -> Result<Answer, TransportError> {
        let key = key(&ask.url, ask.body.as_deref());
        let recorded = self.answers.get(&key).cloned().ok_or(TransportError::NotRecorded);
        if key != self.meant || self.caught.fetch_add(1, Ordering::SeqCst) >= self.times {
            return recorded;
        }
        let mut answer = match (&self.act, recorded) {
            (Act::Say(..), Err(_)) => Answer { status: 0, headers: BTreeMap::new(), body: Vec::new(), token: 0 },
            (_, recorded) => recorded?,
        };
        match &self.act {
            Act::Say(status, headers, body) => {
                let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
                return Ok(Answer { status: *status, headers: headers.collect(), body: body.clone(), token: 0 });
            }
            Act::Typed(kind) => drop(answer.headers.insert("content-type".to_owned(), (*kind).to_owned())),
            Act::Edit(edit) => {
                let mut value: Value = serde_json::from_slice(&answer.body).expect("JSON");
                edit(&mut value, &ask.url);
                answer.body = value.to_string().into_bytes();
            }
            Act::Rewrite(rewrite) => answer.body = rewrite(answer.body),
            Act::After(_) => return Err(TransportError::TimedOut),
            Act::HangUp | Act::BreakOff => return Err(TransportError::Reset("by the test".to_owned())),
            Act::RefuseOldTokens => unreachable!("there are no tokens here"),
        }
        Ok(answer)
    }

    fn token_facts(&self) -> Option<TokenFacts> {
        None
    }

    fn credential(&self) -> String {
        "recording".to_owned()
    }
}

/// Takes everything over but the answer to one question.
struct Continued<'a> {
    plain: &'a Inside,
    anew: (Kind, String),
    files: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Keeper for Continued<'_> {
    fn keep_page(&self, evidence_id: &str, page: &Page, bytes: &[u8]) -> Result<(), EvidenceError> {
        self.files.borrow_mut().insert(format!("evidence/{evidence_id}/{}", page.file), bytes.to_vec());
        Ok(())
    }

    fn keep(&self, record: &Record) -> Result<(), EvidenceError> {
        let path = format!("evidence/{}/ipe.json", record.evidence_id);
        let before = self.plain.earlier.get(&(record.kind, record.scope.clone()));
        let bytes = match before.is_some_and(|before| before.record == *record) {
            true => self.plain.plain.capture.read(&path).expect("a file"),
            false => serde_json::to_vec(record).expect("JSON"),
        };
        self.files.borrow_mut().insert(path, bytes);
        Ok(())
    }

    fn earlier(&self, kind: Kind, scope: &str) -> Result<Option<Earlier>, EvidenceError> {
        let question = (kind, scope.to_owned());
        Ok(self.plain.earlier.get(&question).filter(|_| question != self.anew).cloned())
    }

    fn take_over(&self, earlier: &Earlier, record: &Record) -> Result<(), EvidenceError> {
        for page in &record.pages {
            self.keep_page(&record.evidence_id, page, &self.plain.plain.capture.page(&earlier.record, page)?)?;
        }
        self.keep(record)
    }
}
