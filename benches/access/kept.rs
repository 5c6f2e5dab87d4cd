//! A capture on disk, made of the bodies of answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tickmark::evidence::{
    CaptureStatus, Clock, Expected, Head, Kind, Page, Period, PersonalData, Plan, Record, Request, RunAs, Source, Tool,
    VaultObjects, sha256_hex,
};

use crate::tenant::TENANT;

/// Writes answers one after the other, so that they are never all in memory.
pub struct Kept {
    folder: PathBuf,
    records: usize,
    /// Bytes of all answers.
    pub bytes: usize,
}

impl Kept {
    /// A capture in this folder.
    pub fn at(folder: &Path) -> Kept {
        std::fs::create_dir_all(folder.join("evidence")).expect("a folder");
        let plan = Plan {
            vault_objects: VaultObjects::Arm,
            api_versions: BTreeMap::new(),
            schema: "tickmark.plan/v1".to_owned(),
            tenant_id: TENANT.to_owned(),
            period: period(),
            written_at: at(),
            expected: Expected::default(),
            personal_data: PersonalData::default(),
            questions: Vec::new(),
            derived: Vec::new(),
        };
        write(&folder.join("plan.json"), &plan);
        Kept { folder: folder.to_owned(), records: 0, bytes: 0 }
    }

    /// Keeps the answer to one question.
    pub fn answer(&mut self, kind: Kind, scope: &str, items: Vec<Value>) {
        self.records += 1;
        let id = format!("ev-{:04}", self.records);
        let rows = items.len() as u64;
        let bytes = serde_json::to_vec(&BTreeMap::from([("value", Value::Array(items))])).expect("JSON");
        let page = Page {
            file: "page-0001.json".to_owned(),
            url: "https://example.invalid/".to_owned(),
            body: None,
            status: 200,
            item_count: rows,
            request_id: None,
            correlation_id: None,
            server_date: None,
            received_at: at(),
            attempts: 1,
            bytes: bytes.len() as u64,
            sha256: sha256_hex(&bytes),
        };
        let record = Record {
            evidence_id: id.clone(),
            title: format!("{} at {scope}", kind.words()),
            kind,
            scope: scope.to_owned(),
            source: Source {
                cloud: "public".to_owned(),
                tenant_id: TENANT.to_owned(),
                host: "example.invalid".to_owned(),
                api_version: "bench".to_owned(),
                permission: "bench".to_owned(),
            },
            request: Request { method: "GET".to_owned(), url: "https://example.invalid/".to_owned(), body: None },
            page_count: 1,
            pages: vec![page],
            row_count: rows,
            last_next_link: None,
            truncated: false,
            control_totals: Vec::new(),
            run_as: RunAs::default(),
            clock: Clock { offset_seconds: Some(0) },
            window: None,
            tool: tool(),
            transformations: Vec::new(),
            started_at: at(),
            ended_at: at(),
            gap: None,
        };
        let folder = self.folder.join("evidence").join(id);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("page-0001.json"), &bytes).expect("written");
        write(&folder.join("ipe.json"), &record);
        self.bytes += bytes.len();
    }
}

/// The head of the capture.
pub fn head() -> Head {
    Head {
        schema: "tickmark.capture/v1".to_owned(),
        capture_id: "bench".to_owned(),
        run_id: "run-bench".to_owned(),
        tenant_id: TENANT.to_owned(),
        cloud: "public".to_owned(),
        period: period(),
        started_at: at(),
        ended_at: Some(at()),
        status: CaptureStatus::Complete,
        run_as: RunAs::default(),
        tool: tool(),
        replayed: true,
        resumed: Vec::new(),
        plan_stamps: Vec::new(),
    }
}

fn tool() -> Tool {
    Tool { name: "tickmark".to_owned(), version: "0.0.0".to_owned(), rule_set_sha256: "0".repeat(64) }
}

fn period() -> Period {
    Period::parse("2026Q3").expect("a period")
}

fn at() -> DateTime<Utc> {
    "2026-10-02T09:00:00Z".parse().expect("a time")
}

fn write(path: &Path, value: &impl serde::Serialize) {
    std::fs::write(path, serde_json::to_vec_pretty(value).expect("JSON")).expect("written");
}
