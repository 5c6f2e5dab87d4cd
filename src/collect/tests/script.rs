//! A small tenant that answers from a script, and a run against it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::*;
use crate::azure::{Answer, Api, Ask, Clock, Cloud, Door, Pace, TokenFacts, Transport, TransportError};
use crate::evidence::{Capture, EvidenceError, Head, Kind, Page, Reason, Record, RunAs, VaultObjects};

pub(super) const SUB: &str = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001";
pub(super) const WORKSPACE: &str = "bbbbbbbb-0000-0000-0000-00000000000b";
pub(super) const GROUP: &str = "cccccccc-0000-0000-0000-00000000000c";
pub(super) const CALLER: &str = "dddddddd-0000-0000-0000-00000000000d";

/// Answers by a part of the URL and a part of the body, the first that fits; notes what was asked.
pub(super) struct Script {
    pub(super) answers: Vec<(String, String, u16, String)>,
    /// As the token tells.
    pub(super) object_id: Option<String>,
    pub(super) asked: Mutex<Vec<Ask>>,
}

impl Default for Script {
    fn default() -> Script {
        Script { answers: Vec::new(), object_id: Some("me".to_owned()), asked: Mutex::default() }
    }
}

impl Script {
    /// Puts an answer before those that there are.
    pub(super) fn first(mut self, url: &str, in_body: &str, status: u16, body: &Value) -> Script {
        self.answers.insert(0, (url.to_owned(), in_body.to_owned(), status, body.to_string()));
        self
    }

    /// The same, whatever the body of the request.
    #[expect(clippy::needless_pass_by_value, reason = "calls read better")]
    pub(super) fn before(self, url: &str, status: u16, body: Value) -> Script {
        self.first(url, "", status, &body)
    }

    pub(super) fn asked(&self) -> Vec<Ask> {
        self.asked.lock().expect("a lock").clone()
    }

    pub(super) fn on(self, url: &str, status: u16, body: Value) -> Script {
        self.on_query(url, "", status, body)
    }

    #[expect(clippy::needless_pass_by_value, reason = "calls read better")]
    fn on_query(mut self, url: &str, in_body: &str, status: u16, body: Value) -> Script {
        self.answers.push((url.to_owned(), in_body.to_owned(), status, body.to_string()));
        self
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, ask: &Ask, _: Option<u32>) -> Result<Answer, TransportError> {
        self.asked.lock().expect("a lock").push(ask.clone());
        // Later questions come back first: numbering must not care.
        for _ in 0..(ask.url.len() % 5) {
            tokio::task::yield_now().await;
        }
        let body = ask.body.clone().unwrap_or_default();
        let fits = |(url, part, ..): &&(String, String, u16, String)| ask.url.contains(url) && body.contains(part);
        let (_, _, status, text) = self.answers.iter().find(fits).ok_or(TransportError::NotRecorded)?;
        let headers = BTreeMap::from([
            ("x-ms-request-id".to_owned(), "req-1".to_owned()),
            ("date".to_owned(), "Fri, 02 Oct 2026 09:00:03 GMT".to_owned()),
        ]);
        Ok(Answer { status: *status, headers, body: text.clone().into_bytes(), token: 0 })
    }

    fn token_facts(&self) -> Option<TokenFacts> {
        Some(TokenFacts { object_id: self.object_id.clone(), ..TokenFacts::default() })
    }

    fn credential(&self) -> String {
        "script".to_owned()
    }
}

/// A clock that stands still.
pub(super) struct Still;

#[async_trait]
impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        "2026-10-02T09:00:00Z".parse().expect("a time")
    }

    async fn sleep(&self, _: Duration) {}
}

/// Keeps in memory.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>, Mutex<Vec<String>>);

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

impl Progress for Memory {
    fn ended(&self, _: Api, title: &str, gap: Option<&str>) {
        self.1.lock().expect("a lock").push(format!("{title}: {gap:?}"));
    }
}

pub(super) struct Stopping;

impl Progress for Stopping {
    fn stop_asked(&self) -> bool {
        true
    }
}

pub(super) fn request(expected: Expected) -> CollectRequest {
    CollectRequest {
        vault_objects: VaultObjects::Arm,
        api_versions: BTreeMap::new(),
        tenant_id: "t1".to_owned(),
        expected,
        period: Period::parse("2026Q3").expect("a period"),
        now: "2026-10-02T09:00:00.5Z".parse().expect("a time"),
        tool: Tool { name: "tickmark".to_owned(), version: "0".to_owned(), rule_set_sha256: String::new() },
        personal: Personal::default(),
    }
}

pub(super) struct Ran {
    pub(super) summary: Summary,
    pub(super) capture: Capture,
    pub(super) asked: Vec<Ask>,
}

impl Ran {
    pub(super) fn record(&self, kind: Kind, scope: &str) -> &Record {
        let fits = |record: &&Record| record.kind == kind && record.scope.eq_ignore_ascii_case(scope);
        self.capture.records.iter().find(fits).unwrap_or_else(|| panic!("no record of {kind:?} at {scope}"))
    }

    pub(super) fn gap(&self, kind: Kind, scope: &str) -> (Reason, &str) {
        let gap = self.record(kind, scope).gap.as_ref().expect("a gap");
        (gap.reason, gap.detail.as_str())
    }

    pub(super) fn page(&self, record: &Record, index: usize) -> Value {
        let bytes = self.capture.page(record, &record.pages[index]).expect("a page");
        serde_json::from_slice(&bytes).expect("JSON")
    }
}

pub(super) fn run(script: Script, expected: Expected) -> Ran {
    run_with(script, expected, None)
}

pub(super) fn door(script: Arc<Script>) -> Door {
    let pace = Pace { tries: 2, tries_on_failure: 2, ..Pace::default() };
    Door::new(script, Cloud::named("public").expect("a cloud"), Arc::new(Still), pace)
}

pub(super) fn run_with(script: Script, expected: Expected, progress: Option<&dyn Progress>) -> Ran {
    run_asking(script, request(expected), progress)
}

/// A run that asks vaults themselves.
pub(super) fn run_at_vaults(script: Script) -> Ran {
    let request = CollectRequest { vault_objects: VaultObjects::DataPlane, ..request(Expected::default()) };
    run_asking(script, request, None)
}

pub(super) fn run_asking(script: Script, request: CollectRequest, progress: Option<&dyn Progress>) -> Ran {
    let script = Arc::new(script);
    let door = door(script.clone());
    let memory = Memory::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let summary = runtime
        .block_on(collect(&door, &request, &memory, progress.unwrap_or(&memory)))
        .expect("a run never fails for what Azure says");
    let mut files = memory.0.into_inner().expect("a lock");
    let plan = plan(&request);
    files.insert("plan.json".to_owned(), serde_json::to_vec(&plan).expect("JSON"));
    let head = Head {
        schema: "tickmark.capture/v1".to_owned(),
        capture_id: "c".to_owned(),
        run_id: "r".to_owned(),
        tenant_id: "t1".to_owned(),
        cloud: "public".to_owned(),
        period: request.period,
        started_at: request.now,
        ended_at: None,
        status: summary.status,
        run_as: RunAs::default(),
        tool: request.tool,
        replayed: true,
        resumed: Vec::new(),
        plan_stamps: Vec::new(),
    };
    let capture = Capture::from_memory(head, files).expect("a capture");
    assert!(capture.damage().is_empty(), "digests are those of what was kept");
    let asked = script.asked();
    Ran { summary, capture, asked }
}

pub(super) fn of_sub(path: &str) -> String {
    format!("{SUB}{path}?api-version=")
}

pub(super) fn empty() -> Value {
    json!({"value": []})
}

/// A small tenant: a vault with a workspace, a group that may read, one caller.
pub(super) fn tenant() -> Script {
    let vault = format!("{SUB}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv1");
    let workspace = format!("{SUB}/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w1");
    let provider = |name: &str| of_sub(&format!("/providers/{name}"));
    let rows = json!({"tables": [{"name": "PrimaryResult",
        "columns": [{"name": "TimeGenerated", "type": "datetime"}, {"name": "CallerObjectId", "type": "string"}],
        "rows": [["2026-07-01T00:00:00Z", CALLER], ["2026-07-02T00:00:00Z", CALLER]]}]});
    let counts = json!({"tables": [{"name": "PrimaryResult",
        "columns": [{"name": "Rows", "type": "long"}, {"name": "Kept", "type": "long"}], "rows": [[7, 2], [5, 1]]}]});
    let no_table = json!({"error": {"code": "BadArgumentError", "innererror": {"code": "SemanticError"}}});
    let script = Script::default()
        .on(&format!("{vault}/keys?"), 200, empty())
        .on(&format!("{vault}/secrets?"), 200, empty())
        .on(&format!("{vault}/providers/Microsoft.Insights/diagnosticSettings"), 200,
            json!({"value": [{"name": "d", "properties": {"workspaceId": workspace.to_uppercase().replace("/SUBSCRIPTIONS/", "/subscriptions/")}}]}))
        .on(&format!("{workspace}/tables"), 200, empty())
        .on("azure.com/subscriptions?api-version=2022-12-01", 200,
            json!({"value": [{"id": SUB, "subscriptionId": SUB.trim_start_matches("/subscriptions/"), "displayName": "one"}]}))
        .on("azure.com/providers/Microsoft.Management/managementGroups?", 200, empty())
        .on("azure.com/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=atScope()", 200, empty())
        .on(&of_sub("/resources"), 200, empty())
        .on(&provider("Microsoft.Compute/virtualMachines"), 200, empty())
        .on(&provider("Microsoft.ManagedIdentity/userAssignedIdentities"), 200, empty())
        .on(&provider("Microsoft.KeyVault/vaults"), 200, json!({"value": [{"id": vault, "name": "kv1"}]}))
        .on(&provider("Microsoft.KeyVault/deletedVaults"), 200, empty())
        .on(&provider("Microsoft.Authorization/roleAssignments"), 200,
            json!({"value": [{"id": "/x", "properties": {"principalId": GROUP, "principalType": "Group"}}]}))
        .on(&provider("Microsoft.Authorization/roleDefinitions"), 200, empty())
        .on(&provider("Microsoft.Authorization/denyAssignments"), 200, empty())
        .on("/providers/Microsoft.Management/getEntities?", 200, empty())
        .on("/providers/microsoft.aadiam/diagnosticSettings?", 200, empty())
        .on("/eventtypes/management/values?", 200, empty())
        .on(&provider("Microsoft.Insights/diagnosticSettings"), 200, empty())
        .on(&provider("Microsoft.Security/pricings"), 200, empty())
        .on(&provider("Microsoft.Insights/activityLogAlerts"), 200, empty())
        .on(&provider("Microsoft.Insights/scheduledQueryRules"), 200, empty())
        .on(&provider("Microsoft.Insights/actionGroups"), 200, empty())
        .on(&provider("Microsoft.Authorization/roleAssignmentsUsageMetrics"), 200,
            json!({"subscriptionId": "aaaaaaaa-0000-0000-0000-000000000001", "roleAssignmentsCurrentCount": 1}))
        .on(&provider("Microsoft.Authorization/classicAdministrators"), 200, empty())
        .on(&provider("Microsoft.Authorization/locks"), 200, empty())
        .on(&provider("Microsoft.ManagedServices/registrationAssignments"), 200, empty())
        .on(&provider("Microsoft.Authorization/roleEligibilityScheduleInstances"), 200, empty())
        .on(&provider("Microsoft.Authorization/roleAssignmentScheduleInstances"), 200, empty())
        .on(&provider("Microsoft.Authorization/roleAssignmentScheduleRequests"), 200, empty())
        .on(&provider("Microsoft.Authorization/roleEligibilityScheduleRequests"), 200, empty())
        .on(&provider("Microsoft.Authorization/roleManagementPolicyAssignments"), 200, empty())
        .on(&provider("Microsoft.Authorization/permissions"), 200, empty())
        .on(&provider("Microsoft.OperationalInsights/workspaces"), 200,
            json!({"value": [{"id": workspace, "properties": {"customerId": WORKSPACE.to_uppercase()}}]}))
        .on_query("/query", "question=vault_log_dedicated_count;", 200, counts)
        .on_query("/query", "question=vault_log_dedicated;", 200, rows)
        .on_query("/query", "question=vault_log_legacy", 400, no_table)
        .on_query("/query", "question=", 200, json!({"tables": [{"name": "PrimaryResult", "columns": [], "rows": []}]}))
        .on("/Microsoft.ResourceGraph/resources?", 200,
            json!({"totalRecords": 0, "count": 0, "resultTruncated": "false", "data": []}))
        .on("/v1.0/servicePrincipals?", 200, json!({"@odata.count": 0, "value": []}))
        .on("/v1.0/applications?", 200, json!({"@odata.count": 0, "value": []}))
        .on("/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?", 200, json!({"id": "g", "appRoles": []}))
        .on("/appRoleAssignedTo?", 200, json!({"@odata.count": 0, "value": []}))
        .on("/v1.0/roleManagement/directory/", 200, empty())
        .on("/v1.0/identity/conditionalAccess/policies", 200, empty())
        .on("/v1.0/policies/appManagementPolicies", 200, empty())
        .on("/v1.0/policies/", 200, json!({"id": "00000000-0000-0000-0000-000000000000", "isEnabled": false}))
        .on("/v1.0/directory/deletedItems/", 200, json!({"@odata.count": 0, "value": []}))
        .on("/v1.0/identityGovernance/privilegedAccess/group/", 200, empty())
        .on("/owners?", 200, json!({"@odata.count": 0, "value": []}))
        .on("/directoryObjects/getByIds", 200, json!({"value": [
            {"@odata.type": "#microsoft.graph.group", "id": GROUP, "displayName": "readers", "mail": "CANARY@example.com"}]}))
        .on(&format!("/groups/{GROUP}/transitiveMembers"), 200, empty());
    // of everything else there is none
    let others = collectors().filter(|row| row.kind.is_per_subscription()).map(|row| (row.url)(SUB));
    others.fold(script, |script, url| {
        let path = url.split('?').next().unwrap_or_default();
        script.on(&format!("{path}?api-version="), 200, empty())
    })
}
