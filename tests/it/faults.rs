//! One fault at a time at one question of each family: the run ends, what was read is kept, what was not is a gap
//! with its reason, and nothing that rests on it passes.
//!
//! [`faults`] is the table of faults, [`TARGETS`] that of questions. A target says which findings change when its
//! answer is lost, and which when it is kept but is not known to be whole; every other finding must stay as it is
//! without the fault.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tickmark::access::Access;
use tickmark::azure::{
    Clock, Cloud, CredentialKind, CredentialSettings, Door, Live, LiveSettings, Pace, Patience, Transport,
};
use tickmark::check::{Facts, Outcome, Parameters, run_all};
use tickmark::collect::{CollectRequest, Keeper, Progress, collect, plan};
use tickmark::evidence::{
    Capture, CaptureStatus, EvidenceError, Expected, Head, Kind, Period, Reason, Record, RunAs, Tool,
};

use super::server::{Act, Meant, Server, Stranger};

// ---- the table of faults ---------------------------------------------------------------------------------------

/// How a question ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With its whole answer.
    Healed,
    /// Without it.
    Lost(Reason),
    /// With all its items, but not known to be whole.
    Kept(Reason),
    /// With most of its items.
    Dented(Reason),
}

struct Fault {
    name: &'static str,
    act: Act,
    times: u32,
    /// For a list.
    end: End,
    /// For a log query, where it differs.
    of_logs: Option<End>,
    /// Requests that are sent.
    sent: u32,
    /// To the log service, where it differs.
    sent_to_logs: Option<u32>,
    /// A wait that the service asked for, milliseconds.
    waits: Option<u64>,
}

const ALWAYS: u32 = u32::MAX;

fn fault(name: &'static str, act: Act, times: u32, sent: u32, end: End) -> Fault {
    Fault { name, act, times, end, of_logs: None, sent, sent_to_logs: None, waits: None }
}

impl Fault {
    fn for_logs(self, end: End) -> Fault {
        Fault { of_logs: Some(end), ..self }
    }

    fn waiting(self, milliseconds: u64) -> Fault {
        Fault { waits: Some(milliseconds), ..self }
    }
}

fn status(code: u16, headers: &[(&'static str, &str)]) -> Act {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Act::Say(code, headers, br#"{"error":{"code":"Fault","message":"by the test"}}"#.to_vec())
}

fn refusal(code: u16, name: &str) -> Act {
    Act::Say(code, Vec::new(), json!({"error": {"code": name, "message": "by the test"}}).to_string().into_bytes())
}

fn says(body: &str) -> Act {
    Act::Say(200, Vec::new(), body.as_bytes().to_vec())
}

fn edit(change: impl Fn(&mut Value, &str) + Send + Sync + 'static) -> Act {
    Act::Edit(Arc::new(change))
}

const PROXY: &str = "<html><head><title>Sign in</title></head><body>Your organisation's proxy</body></html>";

/// Every fault. `stranger` is the address of a host that is not Azure.
fn faults(stranger: &str) -> Vec<Fault> {
    use End::{Dented, Healed, Kept, Lost};
    let foreign = format!("{stranger}/next?sig=s");
    let mut faults = vec![
        fault("429, wait 2", status(429, &[("retry-after", "2")]), 1, 2, Healed).waiting(2000),
        fault("429, wait 0.5", status(429, &[("retry-after", "0.5")]), 1, 2, Healed).waiting(500),
        fault("429, until a date", status(429, &[("retry-after", "Fri, 02 Oct 2026 09:00:30 GMT")]), 1, 2, Healed)
            .waiting(30_000),
        fault("429, no wait named", status(429, &[]), 1, 2, Healed).waiting(1000),
        fault("429 for ever", status(429, &[("retry-after", "1")]), ALWAYS, 6, Lost(Reason::Throttled)),
        fault("429, wait an hour", status(429, &[("retry-after", "3600")]), ALWAYS, 1, Lost(Reason::Throttled)),
        fault("hung up once", Act::HangUp, 1, 2, Healed),
        fault("hung up for ever", Act::HangUp, ALWAYS, 5, Lost(Reason::Unavailable)),
        fault("broken off once", Act::BreakOff, 1, 2, Healed),
        fault("broken off for ever", Act::BreakOff, ALWAYS, 5, Lost(Reason::Unavailable)),
        fault("cut JSON", Act::Rewrite(|body| body[..body.len() * 2 / 3].to_vec()), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("malformed JSON", says(r#"{"value":[,]}"#), ALWAYS, 1, Lost(Reason::Malformed)),
        fault(
            "two answers in one",
            Act::Rewrite(|body| [body.clone(), body].concat()),
            ALWAYS,
            1,
            Lost(Reason::Malformed),
        ),
        fault("empty body", says(""), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("null", says("null"), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("empty object", says("{}"), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("bare list", says("[]"), ALWAYS, 1, Lost(Reason::Malformed)),
        fault(
            "not UTF-8",
            Act::Say(200, Vec::new(), b"{\"value\":[\"\xff\"]}".to_vec()),
            ALWAYS,
            1,
            Lost(Reason::Malformed),
        ),
        fault("HTML from a proxy", says(PROXY), ALWAYS, 1, Lost(Reason::Malformed)),
        fault(
            "HTML from a proxy, 502",
            Act::Say(502, vec![("content-type", "text/html".to_owned())], PROXY.as_bytes().to_vec()),
            ALWAYS,
            5,
            Lost(Reason::Unavailable),
        ),
        fault("JSON that calls itself HTML", Act::Typed("text/html"), ALWAYS, 1, Healed),
        fault("a redirect", status(302, &[("location", &foreign)]), ALWAYS, 1, Lost(Reason::Refused)),
        fault("links to itself", edit(|body, here| body["nextLink"] = json!(here)), ALWAYS, 1, Kept(Reason::CutShort)),
        fault(
            "links elsewhere",
            edit(move |body, _| body["nextLink"] = json!(foreign)),
            ALWAYS,
            1,
            Kept(Reason::CutShort),
        ),
        fault(
            "a link that is a number",
            edit(|body, _| body["nextLink"] = json!(2)),
            ALWAYS,
            1,
            Lost(Reason::Malformed),
        ),
        fault("401, token expired", Act::RefuseOldTokens, ALWAYS, 2, Healed),
        fault("401 for ever", refusal(401, "InvalidAuthenticationToken"), ALWAYS, 2, Lost(Reason::Unauthenticated)),
        fault(
            "401, further claims",
            status(401, &[("www-authenticate", "Bearer error=\"insufficient_claims\", claims=\"e30=\"")]),
            ALWAYS,
            1,
            Lost(Reason::Unauthenticated),
        ),
        fault("403", refusal(403, "AuthorizationFailed"), ALWAYS, 1, Lost(Reason::Forbidden)),
        fault("400, no licence", refusal(400, "AadPremiumLicenseRequired"), ALWAYS, 1, Lost(Reason::NotLicensed)),
        fault("404", refusal(404, "SubscriptionNotFound"), ALWAYS, 1, Lost(Reason::NotFound)),
        fault("409", refusal(409, "MissingSubscriptionRegistration"), ALWAYS, 1, Lost(Reason::Refused)),
        fault("400, no provider", refusal(400, "NoRegisteredProviderFound"), ALWAYS, 1, Lost(Reason::NotInCloud)),
        fault("400, version", refusal(400, "InvalidApiVersionParameter"), ALWAYS, 1, Lost(Reason::NotInCloud)),
        fault(
            "400, no table",
            Act::Say(
                400,
                Vec::new(),
                br#"{"error":{"code":"BadArgumentError","innererror":{"code":"SemanticError"}}}"#.to_vec(),
            ),
            ALWAYS,
            1,
            Lost(Reason::Refused),
        )
        .for_logs(Lost(Reason::TableMissing)),
        fault("204", Act::Say(204, Vec::new(), Vec::new()), ALWAYS, 1, Lost(Reason::Malformed))
            .for_logs(Lost(Reason::TableMissing)),
        fault(
            "marked as partial",
            edit(|body, _| body["error"] = json!({"code": "PartialError", "message": "by the test"})),
            ALWAYS,
            1,
            Kept(Reason::Partial),
        ),
        fault("eight megabytes", edit(|body, _| body["padding"] = json!("x".repeat(8 << 20))), ALWAYS, 1, Healed),
        fault("a member twice", Act::Rewrite(twice), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("a member twice in an item", Act::Rewrite(twice_in_an_item), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("deep nesting", Act::Rewrite(deep), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("no list", edit(|body, _| *list_of(body) = json!({"0": {}})), ALWAYS, 1, Lost(Reason::Malformed)),
        fault(
            "no items in the list",
            edit(|body, _| *list_of(body) = json!([1, "two", null])),
            ALWAYS,
            1,
            Lost(Reason::Malformed),
        ),
        fault(
            "one item is text",
            edit(|body, _| push(list_of(body), json!("two"))),
            ALWAYS,
            1,
            Kept(Reason::Malformed),
        ),
        fault(
            "an id that is a number",
            edit(|body, _| deform(list_of(body), json!(7))),
            ALWAYS,
            1,
            Dented(Reason::Malformed),
        ),
        fault(
            "an id that is a list",
            edit(|body, _| deform(list_of(body), json!([7]))),
            ALWAYS,
            1,
            Dented(Reason::Malformed),
        ),
    ];
    for code in [500, 502, 503, 504] {
        let name = |often: &str| -> &'static str { Box::leak(format!("{code} {often}").into_boxed_str()) };
        faults.push(fault(name("once"), status(code, &[]), 1, 2, Healed));
        let for_ever = fault(name("for ever"), status(code, &[]), ALWAYS, 5, Lost(Reason::Unavailable));
        // a query that timed out has run for minutes, and is put only once more
        faults.push(if code == 504 { Fault { sent_to_logs: Some(2), ..for_ever } } else { for_ever });
    }
    faults
}

/// The list of a page, or the rows of a table.
fn list_of(body: &mut Value) -> &mut Value {
    match body.get("tables").is_some() {
        true => &mut body["tables"][0]["rows"],
        false => &mut body["value"],
    }
}

fn push(list: &mut Value, item: Value) {
    list.as_array_mut().expect("a list").push(item);
}

/// Changes what tells the first item from others: its id and name; of a row, the first cell.
fn deform(list: &mut Value, value: Value) {
    let first = &mut list[0];
    for place in ["/id", "/name", "/subscriptionId", "/0"] {
        if let Some(found) = first.pointer_mut(place) {
            *found = value.clone();
        }
    }
}

/// The answer, and then an empty list of the same name.
fn twice(body: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(body).expect("UTF-8");
    let again = if text.contains("\"tables\"") { "\"tables\":[]" } else { "\"value\":[]" };
    let end = text.rfind('}').expect("an object");
    format!("{},{again}}}", &text[..end]).into_bytes()
}

/// The first `id` or `name` is said twice, with two values.
fn twice_in_an_item(body: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(body).expect("UTF-8");
    let name = if text.contains("\"tables\"") { "\"name\"" } else { "\"id\"" };
    text.replacen(name, &format!("{name}:\"other\",{name}"), 1).into_bytes()
}

/// A member beside the list that is nested deeper than anyone reads.
fn deep(body: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(body).expect("UTF-8");
    let depth = 100_000;
    let end = text.rfind('}').expect("an object");
    format!("{},\"deep\":{}{}}}", &text[..end], "[".repeat(depth), "]".repeat(depth)).into_bytes()
}

// ---- the questions that the faults are put to -----------------------------------------------------------------

struct Target {
    /// Its sections in [`CHANGES`].
    name: &'static str,
    kind: Kind,
    scope: &'static str,
    meant: Meant,
    /// Pages that are read before.
    before: usize,
    is_log: bool,
    /// The configuration names the subscriptions.
    expects: bool,
    /// Kinds of questions that are not put, or put otherwise, when the answer is lost.
    follow: &'static [Kind],
}

const VAULTS: Target = Target {
    name: "vaults",
    kind: Kind::Vaults,
    scope: "/subscriptions/ed93a94d-c4ca-4c8a-b9ab-24148f502c6f",
    meant: |url, _| {
        url.contains("/subscriptions/ed93a94d-c4ca-4c8a-b9ab-24148f502c6f/providers/Microsoft.KeyVault/vaults?")
    },
    before: 0,
    is_log: false,
    expects: true,
    follow: &[Kind::DiagnosticSettings],
};

const SECOND_PAGE: Target = Target {
    name: "second page",
    kind: Kind::RoleAssignments,
    scope: "/subscriptions/e177c59b-bf4c-46ad-a223-8df6f0feecdc",
    meant: |url, _| {
        url.contains("/e177c59b-bf4c-46ad-a223-8df6f0feecdc/providers/Microsoft.Authorization/roleAssignments?")
            && url.contains("skiptoken")
    },
    before: 1,
    is_log: false,
    expects: true,
    follow: &[Kind::Principals],
};

const SETTINGS: Target = Target {
    name: "settings",
    kind: Kind::DiagnosticSettings,
    scope: "/subscriptions/e177c59b-bf4c-46ad-a223-8df6f0feecdc/resourceGroups/rg-track-prod/providers/Microsoft.KeyVault/vaults/kv-track-prod",
    meant: |url, _| url.contains("/vaults/kv-track-prod/providers/Microsoft.Insights/diagnosticSettings?"),
    before: 0,
    is_log: false,
    expects: true,
    follow: &[
        Kind::Tables,
        Kind::VaultLogDedicated,
        Kind::VaultLogLegacy,
        Kind::VaultLogDedicatedCount,
        Kind::VaultLogLegacyCount,
        Kind::Principals,
    ],
};

const GROUP: Target = Target {
    name: "group",
    kind: Kind::GroupMembers,
    scope: "group:48ada810-44d1-4d14-878e-2b051d5895ab",
    meant: |url, _| url.contains("/groups/48ada810-44d1-4d14-878e-2b051d5895ab/transitiveMembers?"),
    before: 0,
    is_log: false,
    expects: true,
    follow: &[],
};

const PRINCIPALS: Target = Target {
    name: "principals",
    kind: Kind::Principals,
    scope: "directory",
    meant: |url, _| url.ends_with("/directoryObjects/getByIds"),
    before: 0,
    is_log: false,
    expects: true,
    follow: &[Kind::GroupMembers],
};

const ROWS: Target = Target {
    name: "rows",
    kind: Kind::VaultLogDedicated,
    scope: "workspace:5b1e89fa-f992-4c0b-b9a8-407336ca3b01",
    meant: |url, body| {
        url.contains("/5b1e89fa-f992-4c0b-b9a8-407336ca3b01/") && body.contains("question=vault_log_dedicated;")
    },
    before: 0,
    is_log: true,
    expects: true,
    follow: &[Kind::Principals],
};

const COUNT: Target = Target {
    name: "count",
    kind: Kind::VaultLogDedicatedCount,
    scope: "workspace:5b1e89fa-f992-4c0b-b9a8-407336ca3b01",
    meant: |url, body| {
        url.contains("/5b1e89fa-f992-4c0b-b9a8-407336ca3b01/") && body.contains("question=vault_log_dedicated_count;")
    },
    before: 0,
    is_log: true,
    expects: true,
    follow: &[],
};

const GROUPS: Target = Target {
    name: "groups",
    kind: Kind::ManagementGroups,
    scope: "tenant",
    meant: |url, _| url.contains("/providers/Microsoft.Management/managementGroups?"),
    before: 0,
    is_log: false,
    expects: true,
    follow: &[Kind::ManagementGroupDescendants, Kind::RoleAssignments, Kind::Principals, Kind::GroupMembers],
};

const SUBSCRIPTIONS: Target = Target {
    name: "subscriptions",
    kind: Kind::Subscriptions,
    scope: "tenant",
    meant: |url, _| url.starts_with("https://management.azure.com/subscriptions?"),
    before: 0,
    is_log: false,
    expects: false,
    follow: Kind::ALL,
};

const IDENTITIES: Target = Target {
    name: "identities",
    kind: Kind::ManagedIdentityPrincipals,
    scope: "directory",
    meant: |url, _| url.contains("/v1.0/servicePrincipals?") && !url.contains("skiptoken"),
    before: 0,
    is_log: false,
    expects: true,
    follow: &[],
};

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

// ---- one run ---------------------------------------------------------------------------------------------------

/// Stands still, and notes what it was asked to sleep.
struct Noted {
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
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Keeper for Memory {
    fn keep(&self, record: &Record, pages: &[Vec<u8>]) -> Result<(), EvidenceError> {
        let mut files = self.0.lock().expect("a lock");
        let place = |file: &str| format!("evidence/{}/{file}", record.evidence_id);
        for (page, bytes) in record.pages.iter().zip(pages) {
            files.insert(place(&page.file), bytes.clone());
        }
        files.insert(place("ipe.json"), serde_json::to_vec(record).expect("JSON"));
        Ok(())
    }
}

struct Quiet;

impl Progress for Quiet {}

/// The server and a client that has signed in.
struct Bench {
    server: Server,
    live: Arc<Live>,
    cloud: Cloud,
}

impl Bench {
    async fn start(patience: Patience) -> Bench {
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

    async fn collect(&self, pace: Pace, expects: bool) -> Ran {
        let head = self.server.recording().head();
        let now = head.recorded_at;
        let clock = Arc::new(Noted { now, slept: Mutex::default() });
        let tool = Tool { name: "tickmark".to_owned(), version: "0".to_owned(), rule_set_sha256: String::new() };
        let request = CollectRequest {
            tenant_id: head.tenant_id.clone(),
            expected: Expected {
                subscriptions: if expects { head.subscriptions.clone() } else { Vec::new() },
                ..Expected::default()
            },
            period: Period::parse(&head.period).expect("a period"),
            now,
            tool: tool.clone(),
        };
        let live: Arc<dyn Transport> = self.live.clone();
        let door = Door::new(live, self.cloud.clone(), clock.clone(), pace);
        let keeper = Memory::default();
        let limit = Duration::from_secs(60);
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
        };
        assert_eq!(summary.status, CaptureStatus::Complete);
        let capture = Capture::from_memory(head, files).expect("a capture");
        let slept = clock.slept.lock().expect("a lock").clone();
        Ran::judge(capture, slept)
    }
}

/// By check and id of the subject: its name, and the outcomes in order.
type Findings = BTreeMap<(String, String), (String, Vec<Outcome>)>;

struct Ran {
    capture: Capture,
    findings: Findings,
    /// Reason of each question's gap, as the judgement sees it.
    gaps: BTreeMap<(Kind, String), Reason>,
    slept: Vec<u64>,
}

impl Ran {
    fn judge(capture: Capture, slept: Vec<u64>) -> Ran {
        let tenant = tickmark::model::read(&capture).expect("facts");
        let access = Access::of(&tenant);
        let parameters = Parameters::default();
        let facts = Facts { tenant: &tenant, access: &access, period: capture.head.period, parameters: &parameters };
        let mut findings = Findings::new();
        for finding in run_all(&facts) {
            let subject = finding.subject();
            let name = match subject.kind.as_str() {
                "scope" => format!("at {}", subject.id.rsplit('/').next().unwrap_or_default()),
                _ => subject.name.clone(),
            };
            let key = (finding.check().to_owned(), format!("{} {}", subject.kind, subject.id.to_lowercase()));
            findings.entry(key).or_insert((name, Vec::new())).1.push(finding.outcome());
        }
        findings.values_mut().for_each(|(_, outcomes)| outcomes.sort());
        let asked = Kind::ALL.iter().flat_map(|kind| tenant.coverage.questions(*kind));
        let gaps = asked.filter_map(|asked| Some(((asked.kind, asked.scope.clone()), asked.gap.as_ref()?.0))).collect();
        Ran { capture, findings, gaps, slept }
    }

    fn records(&self) -> BTreeMap<(Kind, String), &Record> {
        self.capture.records.iter().map(|record| ((record.kind, record.scope.to_lowercase()), record)).collect()
    }
}

/// Lines `CHECK subject: before > after` for what changed.
fn changes(before: &Findings, after: &Findings) -> Vec<String> {
    let words = |finding: Option<&(String, Vec<Outcome>)>| match finding {
        None => "-".to_owned(),
        Some((_, outcomes)) => {
            let mut counts: Vec<(usize, &str)> = Vec::new();
            for outcome in outcomes {
                match counts.iter_mut().find(|(_, word)| *word == outcome.word()) {
                    Some((count, _)) => *count += 1,
                    None => counts.push((1, outcome.word())),
                }
            }
            let word = |(count, word): &(usize, &str)| {
                if *count == 1 { (*word).to_owned() } else { format!("{count} {word}") }
            };
            counts.iter().map(word).collect::<Vec<String>>().join(" + ")
        }
    };
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut lines: Vec<String> = keys
        .into_iter()
        .map(|key| (&key.0, before.get(key), after.get(key)))
        .filter(|(_, one, two)| one.map(|finding| &finding.1) != two.map(|finding| &finding.1))
        .map(|(check, one, two)| {
            let name = one.or(two).map_or("", |finding| finding.0.as_str());
            let is_several = one.or(two).is_some_and(|finding| finding.1.len() > 1);
            let name = if is_several { name.split(" ← ").next().unwrap_or(name) } else { name };
            format!("{check} {name}: {} > {}", words(one), words(two))
        })
        .collect();
    lines.sort();
    lines
}

/// What changes, by target and by how the question ends; reviewed by hand.
const CHANGES: &str = include_str!("faults.txt");

/// The lines of one section, written out: `CHECK before > after: name, name` is a line for each name.
fn expected(section: &str) -> Vec<String> {
    let heading = format!("\n[{section}]\n");
    let (_, rest) = CHANGES.split_once(&heading).unwrap_or_else(|| panic!("no section `{section}`"));
    let lines =
        rest.split("\n[").next().unwrap_or_default().lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut expected: Vec<String> = lines
        .flat_map(|line| {
            let (change, names) = line.split_once(": ").unwrap_or_else(|| panic!("`{line}` names nobody"));
            let (check, change) = change.split_once(' ').expect("a check");
            names.split(", ").map(move |name| format!("{check} {name}: {change}"))
        })
        .collect();
    expected.sort();
    expected
}

// ---- every fault at one question ------------------------------------------------------------------------------

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
    let sent = fault.sent_to_logs.filter(|_| target.is_log).unwrap_or(fault.sent);
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
            let is_loss = |line: &String| line.ends_with("> -") || line.ends_with("> not_evaluated");
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
    let was_incomplete = ran
        .findings
        .iter()
        .any(|((check, _), (_, outcomes))| check == "PACK-001" && outcomes.contains(&Outcome::NotEvaluated));
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

// ---- faults that take time --------------------------------------------------------------------------------------

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_given_up() {
    let bench = Bench::start(Patience { log_analytics: SOON, others: SOON }).await;
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
