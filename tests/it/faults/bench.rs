//! One run, in this process: from the server's answers to findings.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tickmark::access::Access;
use tickmark::azure::{
    Clock, Cloud, CredentialKind, CredentialSettings, Door, Live, LiveSettings, Pace, Patience, Transport,
};
use tickmark::check::{Facts, Finding, Outcome, Parameters, run_all};
use tickmark::collect::{CollectRequest, Keeper, Personal, Progress, collect, plan};
use tickmark::declared::Declared;
use tickmark::evidence::{
    Capture, CaptureStatus, EvidenceError, Expected, Head, Kind, Page, Period, Reason, Record, RunAs, Tool,
    VaultObjects,
};

use crate::server::Server;

/// Stands still, and notes what it was asked to sleep.
pub struct Noted {
    now: DateTime<Utc>,
    slept: Mutex<Vec<u64>>,
}

#[async_trait]
impl Clock for Noted {
    fn now(&self) -> DateTime<Utc> {
        self.now
    }

    async fn sleep(&self, duration: Duration) {
        self.slept.lock().expect("a lock").push(duration.as_millis() as u64);
    }
}

/// Keeps records in memory.
#[derive(Default)]
pub struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Keeper for Memory {
    fn keep_page(&self, evidence_id: &str, page: &Page, bytes: &[u8]) -> Result<(), EvidenceError> {
        let path = format!("evidence/{evidence_id}/{}", page.file);
        self.0.lock().expect("a lock").insert(path, bytes.to_vec());
        Ok(())
    }

    fn keep(&self, record: &Record) -> Result<(), EvidenceError> {
        let path = format!("evidence/{}/ipe.json", record.evidence_id);
        self.0.lock().expect("a lock").insert(path, serde_json::to_vec(record).expect("JSON"));
        Ok(())
    }
}

pub struct Quiet;

impl Progress for Quiet {}

/// The server and a client that has signed in.
pub struct Bench {
    pub server: Server,
    pub live: Arc<Live>,
    pub cloud: Cloud,
}

impl Bench {
    pub async fn start(patience: Patience) -> Bench {
        let server = Server::start("mixed").await;
        let cloud = server.cloud();
        let credential = CredentialSettings {
            kind: CredentialKind::ClientSecret,
            tenant_id: Some("t".to_owned()),
            client_id: Some("c".to_owned()),
            client_secret: Some("s".to_owned()),
            ..CredentialSettings::default()
        };
        let settings = LiveSettings { credential, patience, ..LiveSettings::default() };
        // a token of that server is good for an hour from the machine's now, which is later than this
        let clock = Arc::new(Noted { now: "2020-01-01T00:00:00Z".parse().expect("a time"), slept: Mutex::default() });
        let live = Live::connect(cloud.clone(), settings, clock).await.expect("a client");
        Bench { server, live: Arc::new(live), cloud }
    }

    pub async fn collect(&self, pace: Pace, expects: bool) -> Ran {
        let head = self.server.recording().head();
        let now = head.recorded_at;
        let clock = Arc::new(Noted { now, slept: Mutex::default() });
        let tool = Tool { name: "tickmark".to_owned(), version: "0".to_owned(), rule_set_sha256: String::new() };
        let request = CollectRequest {
            vault_objects: VaultObjects::Arm,
            api_versions: BTreeMap::new(),
            tenant_id: head.tenant_id.clone(),
            expected: Expected {
                subscriptions: if expects { head.subscriptions.clone() } else { Vec::new() },
                ..Expected::default()
            },
            period: Period::parse(&head.period).expect("a period"),
            now,
            tool: tool.clone(),
            personal: Personal::default(),
        };
        let live: Arc<dyn Transport> = self.live.clone();
        let door = Door::new(live, self.cloud.clone(), clock.clone(), pace);
        let keeper = Memory::default();
        let limit = Duration::from_secs(180); // far above what a quiet machine needs
        let run = tokio::time::timeout(limit, collect(&door, &request, &keeper, &Quiet)).await;
        let summary = run.expect("the run ends").expect("no fault ends it");
        let mut files = keeper.0.into_inner().expect("a lock");
        files.insert("plan.json".to_owned(), serde_json::to_vec(&plan(&request)).expect("JSON"));
        let head = Head {
            schema: "tickmark.capture/v1".to_owned(),
            capture_id: "c".to_owned(),
            run_id: "r".to_owned(),
            tenant_id: request.tenant_id,
            cloud: self.cloud.name().to_owned(),
            period: request.period,
            started_at: now,
            ended_at: Some(now),
            status: summary.status,
            run_as: RunAs::default(),
            tool,
            replayed: false,
            resumed: Vec::new(),
            plan_stamps: Vec::new(),
        };
        assert_eq!(summary.status, CaptureStatus::Complete);
        let capture = Capture::from_memory(head, files).expect("a capture");
        let slept = clock.slept.lock().expect("a lock").clone();
        Ran::judge(capture, slept)
    }
}

/// By check and id of the subject: its name, and the outcomes in order.
pub type Findings = BTreeMap<(String, String), (String, Vec<Outcome>)>;

pub struct Ran {
    pub capture: Capture,
    pub findings: Findings,
    /// The same, as they are.
    pub all: Vec<Finding>,
    /// Reason of each question's gap, as the judgement sees it.
    pub gaps: BTreeMap<(Kind, String), Reason>,
    pub slept: Vec<u64>,
}

impl Ran {
    pub fn judge(capture: Capture, slept: Vec<u64>) -> Ran {
        let tenant = tickmark::model::read(&capture).expect("facts");
        let access = Access::of(&tenant);
        let parameters = Parameters::default();
        let facts = Facts {
            tenant: &tenant,
            access: &access,
            period: capture.head.period,
            parameters: &parameters,
            declared: &Declared::default(),
            ledger: &[],
        };
        let mut findings = Findings::new();
        let all: Vec<Finding> = run_all(&facts).into_iter().map(Arc::unwrap_or_clone).collect();
        for finding in &all {
            let subject = finding.subject();
            let name = match subject.kind.as_str() {
                "scope" => format!("at {}", subject.id.rsplit('/').next().unwrap_or_default()),
                _ => subject.name.to_string(),
            };
            let key = (finding.check().to_owned(), format!("{} {}", subject.kind, subject.id.to_lowercase()));
            findings.entry(key).or_insert((name, Vec::new())).1.push(finding.outcome());
        }
        findings.values_mut().for_each(|(_, outcomes)| outcomes.sort());
        let asked = Kind::ALL.iter().flat_map(|kind| tenant.coverage.questions(*kind));
        let gaps = asked.filter_map(|asked| Some(((asked.kind, asked.scope.clone()), asked.gap.as_ref()?.0))).collect();
        Ran { capture, findings, all, gaps, slept }
    }

    pub fn records(&self) -> BTreeMap<(Kind, String), &Record> {
        self.capture.records.iter().map(|record| ((record.kind, record.scope.to_lowercase()), record)).collect()
    }
}
