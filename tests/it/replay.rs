//! A recorded tenant that can be changed, and the whole judgement inside this process, without a disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tickmark::assess::{Assessment, Inputs, Organisation, assess};
use tickmark::azure::{Answer, Ask, Clock, Cloud, Door, Pace, Recording, TokenFacts, Transport, TransportError};
use tickmark::check::{Parameters, find};
use tickmark::collect::{CollectRequest, Keeper, Personal, Progress, Summary, collect, plan};
use tickmark::declared::Declared;
use tickmark::evidence::{Capture, Entry, EvidenceError, Expected, Head, Page, Period, Record, Tool, VaultObjects};
use tickmark::{control, model};

use super::harness::{as_recorded, tenant_folder};

/// The files of a recording.
#[derive(Clone)]
pub struct Tenant {
    pub head: Value,
    pub answers: Vec<Value>,
}

impl Tenant {
    pub fn open(name: &str) -> Tenant {
        let folder = tenant_folder(name);
        let read = |path: &Path| fs::read_to_string(path).expect("a recording");
        let more = fs::read_dir(folder.join("answers")).expect("a folder");
        let mut files: Vec<_> = more.map(|file| file.expect("a file").path()).collect();
        files.sort();
        files.insert(0, folder.join("answers.json"));
        let answers = |path| -> Vec<Value> { serde_json::from_str(&read(path)).expect("JSON") };
        Tenant {
            head: serde_json::from_str(&read(&folder.join("tenant.json"))).expect("JSON"),
            answers: files.iter().flat_map(|file| answers(file)).collect(),
        }
    }

    pub fn recording(&self) -> Recording {
        let answers = Value::Array(self.answers.clone()).to_string();
        Recording::from_parts(&self.head.to_string(), &[("answers.json", &answers)]).expect("a recording")
    }

    /// The same recording as a folder, for the binary.
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("a folder");
        fs::write(folder.join("tenant.json"), self.head.to_string()).expect("written");
        fs::write(folder.join("answers.json"), Value::Array(self.answers.clone()).to_string()).expect("written");
    }

    pub fn url(&self, answer: usize) -> &str {
        self.answers[answer]["request"]["url"].as_str().expect("a URL")
    }

    /// The same tenant with another answer to that request.
    pub fn answering(&self, answer: usize, response: Value) -> Tenant {
        let mut changed = self.clone();
        changed.answers[answer]["response"] = response;
        changed
    }
}

/// A 403 as Azure words it.
pub fn forbidden() -> Value {
    let message = "The client does not have authorization to perform the action.";
    json!({"status": 403, "body": {"error": {"code": "AuthorizationFailed", "message": message}}})
}

/// A capture that was never on a disk, and what follows from it.
pub struct Judged {
    pub capture: Capture,
    pub assessment: Assessment,
}

/// Collects and judges on the recording's own clock.
pub fn judge(recording: Recording) -> Judged {
    let now = recording.clock().now();
    judge_at(recording, now)
}

/// Collects and judges as if the recording answered at `now`.
pub fn judge_at(recording: Recording, now: DateTime<Utc>) -> Judged {
    let capture = capture_at(recording, now, VaultObjects::Arm);
    let assessment = assessed(&capture);
    Judged { capture, assessment }
}

/// Collects and judges on the recording's own clock, with what people declared.
pub fn judge_declared(recording: Recording, vault_objects: VaultObjects, declared: Declared) -> Judged {
    let now = recording.clock().now();
    let capture = capture_at(recording, now, vault_objects);
    let assessment = assessed_with(&capture, declared, Vec::new());
    Judged { capture, assessment }
}

/// The conclusions from a capture, with default thresholds and nothing declared.
pub fn assessed(capture: &Capture) -> Assessment {
    assessed_with(capture, Declared::default(), Vec::new())
}

/// The conclusions from a capture with what people declared, and the ledger's entries of packs before.
pub fn assessed_with(capture: &Capture, declared: Declared, ledger: Vec<Entry>) -> Assessment {
    let tenant = model::read(capture).expect("a tenant");
    let controls = control::embedded(|id| find(id).is_some()).expect("controls");
    let inputs = Inputs {
        organisation: Organisation::default(),
        period: capture.head.period,
        parameters: Parameters::default(),
        key_fingerprint: String::new(),
        tsa: Vec::new(),
        tool: tool(),
        declared,
    };
    assess(inputs, capture, tenant, &controls, ledger)
}

fn capture_at(recording: Recording, now: DateTime<Utc>, vault_objects: VaultObjects) -> Capture {
    let told = recording.head().clone();
    let request = CollectRequest {
        vault_objects,
        api_versions: BTreeMap::new(),
        tenant_id: told.tenant_id.clone(),
        expected: Expected {
            subscriptions: told.subscriptions,
            management_groups: told.management_groups,
            workspaces: told.workspaces,
        },
        period: Period::parse(&told.period).expect("a period"),
        now,
        tool: tool(),
        personal: Personal::default(),
    };
    let kept = Memory::default();
    let plan = serde_json::to_vec(&plan(&request)).expect("JSON");
    kept.0.borrow_mut().insert("plan.json".to_owned(), plan);
    let cloud = Cloud::named("public").expect("a cloud");
    let door = Door::new(Arc::new(AsRecorded(recording)), cloud, Arc::new(StillClock(now)), Pace::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let summary = runtime.block_on(collect(&door, &request, &kept, &Quiet)).expect("a collection");
    Capture::from_memory(head(&request, summary), kept.0.into_inner()).expect("a capture")
}

fn head(request: &CollectRequest, summary: Summary) -> Head {
    Head {
        schema: "tickmark.capture/v1".to_owned(),
        capture_id: "in-memory".to_owned(),
        run_id: "run-1".to_owned(),
        tenant_id: request.tenant_id.clone(),
        cloud: "public".to_owned(),
        period: request.period,
        started_at: request.now,
        ended_at: Some(request.now),
        status: summary.status,
        run_as: summary.run_as,
        tool: tool(),
        replayed: true,
        resumed: Vec::new(),
        plan_stamps: Vec::new(),
    }
}

fn tool() -> Tool {
    Tool { name: "tickmark".to_owned(), version: "0".to_owned(), rule_set_sha256: String::new() }
}

/// A recording that is asked later than it was made.
struct AsRecorded(Recording);

#[async_trait::async_trait]
impl Transport for AsRecorded {
    async fn send(&self, ask: &Ask, stale: Option<u32>) -> Result<Answer, TransportError> {
        let ask = Ask { url: as_recorded(&ask.url, &self.0), ..ask.clone() };
        self.0.send(&ask, stale).await
    }

    fn token_facts(&self) -> Option<TokenFacts> {
        self.0.token_facts()
    }

    fn credential(&self) -> String {
        self.0.credential()
    }
}

/// Path → bytes, as [`Capture::from_memory`] takes them.
#[derive(Default)]
struct Memory(RefCell<BTreeMap<String, Vec<u8>>>);

impl Keeper for Memory {
    fn keep_page(&self, evidence_id: &str, page: &Page, bytes: &[u8]) -> Result<(), EvidenceError> {
        self.0.borrow_mut().insert(format!("evidence/{evidence_id}/{}", page.file), bytes.to_vec());
        Ok(())
    }

    fn keep(&self, record: &Record) -> Result<(), EvidenceError> {
        let path = format!("evidence/{}/ipe.json", record.evidence_id);
        self.0.borrow_mut().insert(path, serde_json::to_vec(record).expect("JSON"));
        Ok(())
    }
}

struct Quiet;

impl Progress for Quiet {}

pub struct StillClock(pub DateTime<Utc>);

#[async_trait::async_trait]
impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }

    async fn sleep(&self, _duration: Duration) {}
}
