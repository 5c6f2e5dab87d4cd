//! Captures for tests, built from the bodies of answers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    Capture, CaptureStatus, Clock, Expected, Gap, Head, Kind, Page, Period, PersonalData, Plan, Reason, Record,
    Request, RunAs, Source, Tool, VaultObjects, sha256_hex,
};

/// The tenant of test captures.
pub const TENANT: &str = "11111111-1111-1111-1111-111111111111";
/// When test captures were made.
pub const COLLECTED_AT: &str = "2026-10-02T09:00:00Z";

/// Kind, scope, pages with the body of each request, and how it ended.
type Asked = (Kind, String, Vec<(Value, Option<String>)>, Option<Gap>);

/// Builds a capture in memory.
#[derive(Clone, Debug, Default)]
pub struct CaptureBuilder {
    records: Vec<Asked>,
    personal: PersonalData,
}

impl CaptureBuilder {
    /// Adds one answered question with one page, whose body is `body`.
    pub fn answer(self, kind: Kind, scope: &str, body: Value) -> CaptureBuilder {
        self.pages(kind, scope, vec![(body, None)])
    }

    /// Adds one answered question with pages and the request body of each page.
    pub fn pages(mut self, kind: Kind, scope: &str, pages: Vec<(Value, Option<String>)>) -> CaptureBuilder {
        self.records.push((kind, scope.to_owned(), pages, None));
        self
    }

    /// Adds one question that ended as a gap without an answer.
    pub fn gap(self, kind: Kind, scope: &str, reason: Reason) -> CaptureBuilder {
        self.cut(kind, scope, Vec::new(), reason)
    }

    /// Adds one question that was answered in part.
    pub fn cut(mut self, kind: Kind, scope: &str, pages: Vec<Value>, reason: Reason) -> CaptureBuilder {
        let gap = Gap { reason, detail: "as the test says".to_owned(), status: None, code: None, request_id: None };
        let pages = pages.into_iter().map(|body| (body, None)).collect();
        self.records.push((kind, scope.to_owned(), pages, Some(gap)));
        self
    }

    /// Replaces the answer to the question of this kind and scope; panics when there is none.
    pub fn replace(mut self, kind: Kind, scope: &str, body: Value) -> CaptureBuilder {
        let mut of_scope = self.records.iter_mut().filter(|held| held.0 == kind && held.1.eq_ignore_ascii_case(scope));
        let held = of_scope.next().unwrap_or_else(|| panic!("nothing to replace: {kind:?} {scope}"));
        held.2 = vec![(body, None)];
        held.3 = None;
        self
    }

    /// Replaces the question of this kind and scope by a gap; panics when there is none.
    pub fn denied(self, kind: Kind, scope: &str) -> CaptureBuilder {
        self.refused(kind, scope, Reason::Forbidden)
    }

    /// The same for any reason.
    pub fn refused(mut self, kind: Kind, scope: &str, reason: Reason) -> CaptureBuilder {
        let before = self.records.len();
        self.records.retain(|record| !(record.0 == kind && record.1.eq_ignore_ascii_case(scope)));
        assert!(self.records.len() < before, "nothing to deny: {kind:?} {scope}");
        self.gap(kind, scope, reason)
    }

    /// What is kept of personal data, by the plan. The answers are as they are given.
    pub fn personal(mut self, personal: PersonalData) -> CaptureBuilder {
        self.personal = personal;
        self
    }

    /// Every question so far.
    pub fn questions(&self) -> Vec<(Kind, String)> {
        self.records.iter().map(|record| (record.0, record.1.clone())).collect()
    }

    /// The capture.
    pub fn build(self) -> Capture {
        let at: DateTime<Utc> = COLLECTED_AT.parse().expect("a time");
        let period = Period::parse("2026Q3").expect("a period");
        let tool = Tool { name: "tickmark".to_owned(), version: "0.0.0".to_owned(), rule_set_sha256: "0".repeat(64) };
        let run_as = RunAs { credential: "recording".to_owned(), ..RunAs::default() };
        let mut files = BTreeMap::new();
        for (index, (kind, scope, bodies, gap)) in self.records.into_iter().enumerate() {
            let id = format!("ev-{:04}", index + 1);
            let mut pages = Vec::new();
            let mut rows = 0;
            for (number, (body, asked)) in bodies.iter().enumerate() {
                let bytes = serde_json::to_vec(body).expect("JSON");
                let items = [&body["value"], &body["data"], &body["tables"][0]["rows"]]
                    .into_iter()
                    .find_map(Value::as_array)
                    .map_or(1, Vec::len) as u64;
                rows += items;
                pages.push(Page {
                    file: format!("page-{:04}.json", number + 1),
                    url: "https://example.invalid/".to_owned(),
                    body: asked.clone(),
                    status: 200,
                    item_count: items,
                    request_id: None,
                    correlation_id: None,
                    server_date: None,
                    received_at: at,
                    attempts: 1,
                    bytes: bytes.len() as u64,
                    sha256: sha256_hex(&bytes),
                });
                files.insert(format!("evidence/{id}/page-{:04}.json", number + 1), bytes);
            }
            let record = Record {
                evidence_id: id.clone(),
                title: format!("{} at {scope}", kind.words()),
                kind,
                scope,
                source: Source {
                    cloud: "public".to_owned(),
                    tenant_id: TENANT.to_owned(),
                    host: "example.invalid".to_owned(),
                    api_version: "test".to_owned(),
                    permission: "test".to_owned(),
                },
                request: Request { method: "GET".to_owned(), url: "https://example.invalid/".to_owned(), body: None },
                page_count: pages.len() as u64,
                pages,
                row_count: rows,
                last_next_link: None,
                truncated: gap.is_some(),
                control_totals: Vec::new(),
                run_as: run_as.clone(),
                clock: Clock { offset_seconds: Some(0) },
                window: None,
                tool: tool.clone(),
                transformations: Vec::new(),
                started_at: at,
                ended_at: at,
                gap,
            };
            files.insert(format!("evidence/{id}/ipe.json"), serde_json::to_vec_pretty(&record).expect("JSON"));
            files.insert(format!("evidence/{id}/redactions.json"), b"[]\n".to_vec());
        }
        let plan = Plan {
            vault_objects: VaultObjects::Arm,
            api_versions: BTreeMap::new(),
            schema: "tickmark.plan/v1".to_owned(),
            tenant_id: TENANT.to_owned(),
            period,
            written_at: at,
            expected: Expected::default(),
            personal_data: self.personal,
            questions: Vec::new(),
            derived: Vec::new(),
        };
        files.insert("plan.json".to_owned(), serde_json::to_vec_pretty(&plan).expect("JSON"));
        let head = Head {
            schema: "tickmark.capture/v1".to_owned(),
            capture_id: "test".to_owned(),
            run_id: "run-test".to_owned(),
            tenant_id: TENANT.to_owned(),
            cloud: "public".to_owned(),
            period,
            started_at: at,
            ended_at: Some(at),
            status: CaptureStatus::Complete,
            run_as,
            tool,
            replayed: true,
            resumed: Vec::new(),
            plan_stamps: Vec::new(),
        };
        Capture::from_memory(head, files).expect("a capture")
    }
}
