//! Over HTTP with a credential, the same tenant gives the same capture as from a recording, whatever the services
//! do in between; and nothing is asked that is not a read.

use std::time::Duration;

use serde_json::Value;
use tickmark::assess::Assessment;
use tickmark::check::Finding;
use tickmark::evidence::{Capture, Record};

use super::azure::{Azure, Moods, Seen};
use super::harness::{Bench, Ran};
use super::replay::{Tenant, assessed, judge_at};

const THROTTLED: &str = "/providers/Microsoft.KeyVault/vaults?";
const FAILED: &str = "/roleDefinitions?";

fn collect(bench: &Bench, azure: &Azure, credential: &str) -> Ran {
    bench.write("tickmark.toml", &azure.config(credential));
    let ran = bench.run(&["collect"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    ran
}

/// The one capture of the store.
fn captured(bench: &Bench, ran: &Ran) -> Capture {
    let id = ran.out.lines().next().and_then(|line| line.strip_prefix("capture ")).expect("the id of a capture");
    Capture::open(&bench.path("tickmark-store/captures").join(id)).expect("a capture")
}

#[test]
fn a_live_run_keeps_what_a_replay_keeps() {
    let tenant = Tenant::open("mixed");
    let moods = Moods {
        first_token_ends_after: Some(20),
        throttles_once: Some(THROTTLED),
        fails_once: Some(FAILED),
        ..Moods::default()
    };
    let azure = Azure::start(&tenant, moods);
    let bench = Bench::new().with("AZURE_CLIENT_SECRET", "hunter2");
    let ran = collect(&bench, &azure, "client_secret");
    let live = captured(&bench, &ran);
    assert_eq!(live.head.run_as.credential, "client_secret");
    assert_eq!(live.head.run_as.object_id.as_deref(), tenant.head["runAs"]["objectId"].as_str());
    is_the_replayed(&bench, &live, &tenant, &azure);

    let attempts = |part: &str| {
        let pages = live.records.iter().flat_map(|record| &record.pages);
        pages.filter(|page| page.url.contains(part)).map(|page| page.attempts).max()
    };
    assert!(attempts(THROTTLED) >= Some(2), "the evidence counts the second try");
    assert!(attempts(FAILED) >= Some(2), "the evidence counts the second try");
    is_told(&bench, &ran, &azure.seen());
    let seen = azure.seen();
    is_patient(&seen);
    is_reading_only(&seen);

    let issued = azure.issued();
    assert!(issued.len() >= 2, "the first token ran out");
    let refused = seen.iter().filter(|seen| seen.status == 401);
    for one in seen.iter().filter(|seen| !seen.url.starts_with("/authority/")) {
        let bearer = one.bearer.as_ref().expect("a bearer");
        assert!(issued.contains(bearer), "{one:?}");
    }
    let refused: Vec<&Seen> = refused.collect();
    assert!(!refused.is_empty() && refused.iter().all(|one| one.bearer.as_ref() == issued.first()), "{refused:#?}");
    for one in refused {
        let again = seen.iter().find(|other| other.url == one.url && other.at > one.at && other.bearer != one.bearer);
        assert!(again.is_some(), "asked again with another token: {one:?}");
    }
    assert!(seen.iter().all(|one| one.status != 501), "everything that was asked is in the recording");
}

#[test]
fn a_ready_made_token_collects_the_same() {
    let tenant = Tenant::open("mixed");
    let token = "an.opaque.token-of-nobody";
    let azure = Azure::start(&tenant, Moods { knows: Some(token.to_owned()), ..Moods::default() });
    let bench = Bench::new().with("TICKMARK_TOKEN", token);
    let ran = collect(&bench, &azure, "token");
    let live = captured(&bench, &ran);
    assert_eq!((live.head.run_as.credential.as_str(), &live.head.run_as.object_id), ("token", &None));
    is_the_replayed(&bench, &live, &tenant, &azure);
    assert!(azure.seen().iter().all(|one| one.bearer.as_deref() == Some(token)));
    assert!(azure.issued().is_empty());
    is_reading_only(&azure.seen());
}

#[test]
fn a_token_that_nobody_takes_is_a_gap_and_not_an_empty_tenant() {
    let tenant = Tenant::open("clean");
    let azure = Azure::start(&tenant, Moods::default());
    let bench = Bench::new().with("TICKMARK_TOKEN", "expired");
    bench.write("tickmark.toml", &azure.config("token"));
    let ran = bench.run(&["collect"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    let results = bench.run(&["assess", "--out", "out", "--format", "json"]);
    assert_eq!(results.code, 3, "{}", results.out);
    let outcomes = bench.json("out/results.json");
    // the ledger, waivers and what is set for parameters are no answers of Azure
    let own = ["PACK-003", "PACK-004", "PACK-005"];
    let of_azure = |finding: &&Value| !own.iter().any(|check| finding["check"] == *check);
    for finding in outcomes["findings"].as_array().expect("findings").iter().filter(of_azure) {
        assert_eq!(finding["outcome"], "not_evaluated", "{finding}");
    }
}

/// Requests, retries and waits, beside the result and in the ledger.
fn is_told(bench: &Bench, ran: &Ran, seen: &[Seen]) {
    let to_arm = || seen.iter().filter(|one| one.url.starts_with("/arm/"));
    let requests = to_arm().count();
    let again = to_arm().filter(|one| [401, 429, 503].contains(&one.status)).count();
    let expected = format!("asked Resource Manager {requests} times ({again} retries, throttled once, 2 s waited)");
    assert!(ran.err.contains(&expected), "{expected}: {}", ran.err);
    let ledger = bench.read("tickmark-store/ledger.jsonl");
    assert!(ledger.contains(&expected) && ledger.contains("Log Analytics"), "{ledger}");
}

/// Ids, scopes, pages byte for byte, gaps and counts; and the results that follow.
fn is_the_replayed(bench: &Bench, live: &Capture, tenant: &Tenant, azure: &Azure) {
    let replayed = judge_at(tenant.recording(), live.head.started_at);
    let told = |record: &Record, local: &dyn Fn(&str) -> String| {
        let pages: Vec<String> = record
            .pages
            .iter()
            .map(|page| format!("{} {} {} {:?}", page.file, local(&page.url), page.status, page.request_id))
            .collect();
        let gap = record.gap.as_ref().map(|gap| (gap.reason, gap.detail.clone()));
        format!(
            "{} {:?} {} {} {} {pages:#?} {:?} {:?} {:?} {gap:?} {:?}",
            record.evidence_id,
            record.kind,
            record.scope,
            record.row_count,
            local(&record.request.url),
            record.request.body,
            record.control_totals,
            record.window,
            record.transformations,
        )
    };
    assert_eq!(live.records.len(), replayed.capture.records.len());
    for (own, other) in live.records.iter().zip(&replayed.capture.records) {
        assert_eq!(told(own, &str::to_owned), told(other, &|text| azure.localized(text)));
        for (own_page, other_page) in own.pages.iter().zip(&other.pages) {
            let text = |capture: &Capture, record, page| {
                String::from_utf8(capture.page(record, page).expect("a page")).expect("UTF-8")
            };
            let expected = azure.localized(&text(&replayed.capture, other, other_page));
            assert_eq!(text(live, own, own_page), expected, "{} {}", own.evidence_id, own_page.file);
        }
    }
    let from_live = assessed(live);
    // on loopback the cloud is one of its own, whose audience for exchanges nobody knows, and a token may name nobody
    let is_of_azure = |check: &str| !["FED-004", "PACK-002"].contains(&check);
    let of_azure = |assessment: &Assessment| -> Vec<Finding> {
        let findings = assessment.findings.iter().filter(|finding| is_of_azure(finding.check()));
        findings.map(|finding| Finding::clone(finding)).collect()
    };
    let (own, other) = (of_azure(&from_live), of_azure(&replayed.assessment));
    own.iter().zip(&other).for_each(|(own, other)| assert_eq!(own, other));
    assert_eq!(own.len(), other.len());

    let assessed = bench.run(&["assess", "--out", "out"]);
    assert_eq!(assessed.code, 1, "{}", assessed.err);
    let results = bench.json("out/results.json");
    let outcomes: Vec<(&str, &str, &str)> = results["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| is_of_azure(text(&finding["check"])))
        .map(|finding| (text(&finding["check"]), text(&finding["subject"]["id"]), text(&finding["outcome"])))
        .collect();
    let expected: Vec<(&str, &str, &str)> = replayed
        .assessment
        .findings
        .iter()
        .filter(|finding| is_of_azure(finding.check()))
        .map(|finding| (finding.check(), finding.subject().id.as_str(), finding.outcome().word()))
        .collect();
    assert_eq!(outcomes, expected);
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// Whoever is asked to wait is not asked before.
fn is_patient(seen: &[Seen]) {
    let throttled: Vec<&Seen> = seen.iter().filter(|one| one.status == 429).collect();
    assert_eq!(throttled.len(), 1, "{throttled:#?}");
    let again = seen.iter().find(|one| one.url == throttled[0].url && one.at > throttled[0].at).expect("a second try");
    let waited = again.at - throttled[0].at;
    assert!(waited >= Duration::from_secs(2), "only {waited:?}");
    assert_eq!(seen.iter().filter(|one| one.status == 503).count(), 1);
}

/// Whether a path is `…/providers/Microsoft.KeyVault/vaults/{name}/{list}` of Resource Manager.
fn is_below_a_vault(path: &str) -> bool {
    let below = path.split_once("/providers/Microsoft.KeyVault/vaults/").map(|(_, below)| below.split('/').count());
    path.starts_with("/arm/subscriptions/") && below == Some(2)
}

/// GET, and the reads that have a body; and never a path that gives out the value of a secret.
fn is_reading_only(seen: &[Seen]) {
    for one in seen {
        let path = one.url.split('?').next().unwrap_or_default();
        let is_known_post = path == "/graph/v1.0/directoryObjects/getByIds"
            || path == "/arm/providers/Microsoft.ResourceGraph/resources"
            || path == "/arm/providers/Microsoft.Management/getEntities"
            || (path.starts_with("/logs/v1/workspaces/") && path.ends_with("/query"))
            || (path.starts_with("/authority/") && path.ends_with("/oauth2/v2.0/token"));
        assert!(one.method == "GET" || (one.method == "POST" && is_known_post), "{one:?}");
        // lists of Resource Manager, of names and attributes
        if ["/keys", "/secrets"].iter().any(|list| path.ends_with(list)) && is_below_a_vault(path) {
            continue;
        }
        // how references resolve, without what they resolve to
        if ["appsettings", "connectionstrings"]
            .iter()
            .any(|list| path.ends_with(&format!("/config/configreferences/{list}")))
        {
            continue;
        }
        for word in ["/secrets", "list", "config", "keys", "sharedkeys", "backup", "regenerate"] {
            let hides = path.to_lowercase().split('/').any(|part| part.starts_with(word.trim_start_matches('/')));
            assert!(!hides, "{one:?}");
        }
    }
    assert!(seen.len() > 40, "only {} requests", seen.len());
}
