//! `tickmark diff`: what changed between two packs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::harness::{Bench, Ran};

/// The pack of `demo/` and, beside it, `later/`: the same with what `change` does to its results, three months on.
fn two_packs(change: &dyn Fn(&mut Vec<Value>)) -> Bench {
    let bench = Bench::new();
    assert_eq!(bench.demo("mixed").code, 1);
    later(&bench, "later", &|manifest, results| {
        manifest["capture"]["startedAt"] = "2027-01-04T10:00:00Z".into();
        change(results["findings"].as_array_mut().expect("findings"));
    });
    bench
}

fn later(bench: &Bench, name: &str, change: &dyn Fn(&mut Value, &mut Value)) {
    let (mut manifest, mut results) = (bench.json("demo/pack/manifest.json"), bench.results());
    change(&mut manifest, &mut results);
    std::fs::create_dir_all(bench.path(name)).expect("a folder");
    bench.write(&format!("{name}/manifest.json"), &manifest.to_string());
    bench.write(&format!("{name}/results.json"), &results.to_string());
}

fn diff(bench: &Bench, args: &[&str]) -> Ran {
    bench.run(&[&["diff", "demo/pack", "later"], args].concat())
}

fn json(bench: &Bench) -> Value {
    let ran = diff(bench, &["--format", "json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err));
    let schema: Value = serde_json::from_str(include_str!("../../docs/diff.schema.json")).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&told).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    told
}

/// The finding of a check about a subject of this name.
fn set(findings: &mut [Value], check: &str, name: &str, outcome: &str) {
    let found = findings.iter_mut().find(|one| one["check"] == check && one["subject"]["name"] == name);
    found.unwrap_or_else(|| panic!("{check} {name}"))["outcome"] = outcome.into();
}

/// Check and name of the changes of one sort.
fn changes(told: &Value, sort: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    told[sort]
        .as_array()
        .expect("changes")
        .iter()
        .map(|one| (text(&one["check"]), text(&one["subject"]["name"])))
        .collect()
}

fn one(check: &str, name: &str) -> Vec<(String, String)> {
    vec![(check.to_owned(), name.to_owned())]
}

#[test]
fn a_pack_beside_itself_shows_what_is_still_open_and_nothing_new() {
    let bench = two_packs(&|_| {});
    let told = json(&bench);
    let results = bench.results();
    let fails = results["findings"].as_array().expect("findings").iter().filter(|one| one["outcome"] == "fail");
    // what fails twice, by two events, is open once
    let fails: BTreeSet<(String, String)> =
        fails.map(|one| (one["check"].to_string(), one["subject"].to_string())).collect();
    assert_eq!(told["counts"]["stillOpen"], fails.len());
    for sort in ["new", "fixed", "noLongerEvaluated", "gone", "populations", "controls"] {
        assert_eq!(told[sort], Value::Array(Vec::new()), "{sort}");
    }
    assert_eq!(diff(&bench, &[]).code, 0);
}

#[test]
fn new_fixed_and_no_longer_evaluated_are_told_apart() {
    let bench = two_packs(&|findings| {
        set(findings, "KV-006", "kv-track-legacy", "pass");
        set(findings, "KV-006", "kv-track-prod", "fail");
        set(findings, "KV-007", "kv-track-legacy", "not_evaluated");
    });
    let told = json(&bench);
    assert_eq!(changes(&told, "fixed"), one("KV-006", "kv-track-legacy"));
    assert_eq!(changes(&told, "new"), one("KV-006", "kv-track-prod"));
    assert_eq!(changes(&told, "noLongerEvaluated"), one("KV-007", "kv-track-legacy"));
    assert_eq!(told["secondsBetween"], (94 * 24 + 1) * 3600);
    let human = diff(&bench, &[]);
    assert_eq!(human.code, 1, "{}", human.out);
    assert!(human.out.contains("between  94 days 1 hour"), "{}", human.out);
    assert!(human.out.contains("kv-track-legacy [exception → not evaluated]"), "{}", human.out);
    assert!(human.out.contains("Neither pack was verified here"), "{}", human.out);
    let still = told["counts"]["stillOpen"].as_u64().expect("a count");
    let last = format!("1 new exception; 1 no longer evaluated; 1 fixed, {still} still open, 0 gone\n");
    assert!(human.out.ends_with(&last), "{}", human.out);
    assert!(human.out.lines().all(|line| line.chars().count() <= 100), "{}", human.out);
    let markdown = diff(&bench, &["--format", "markdown"]).out;
    assert!(markdown.contains("### No longer evaluated\n\n| Check | Subject |"), "{markdown}");
}

#[test]
fn an_exception_that_could_not_be_judged_again_ends_incomplete_and_not_clean() {
    let bench = two_packs(&|findings| set(findings, "KV-007", "kv-track-legacy", "not_evaluated"));
    assert_eq!(diff(&bench, &[]).code, 3);
}

#[test]
fn a_vault_that_is_not_there_is_gone_only_where_the_vaults_were_read_whole() {
    let without = |findings: &mut Vec<Value>| {
        findings.retain(|one| one["check"] != "KV-006" || one["subject"]["name"] != "kv-track-legacy");
    };
    let bench = two_packs(&without);
    let told = json(&bench);
    assert_eq!(changes(&told, "gone"), one("KV-006", "kv-track-legacy"));
    assert_eq!((&told["populations"][0]["before"], &told["populations"][0]["after"]), (&3.into(), &2.into()));
    assert_eq!(told["populations"][0]["removed"][0]["name"], "kv-track-legacy");

    let bench = two_packs(&|findings| {
        without(findings);
        let mut unread = findings.iter().find(|one| one["check"] == "KV-006").expect("a finding").clone();
        unread["outcome"] = "not_evaluated".into();
        unread["subject"] = serde_json::json!({"kind": "scope", "id": "tenant", "name": "tenant"});
        findings.push(unread);
    });
    let told = json(&bench);
    assert_eq!(changes(&told, "noLongerEvaluated"), one("KV-006", "kv-track-legacy"));
    assert_eq!((changes(&told, "gone").len(), &told["populations"][0]["partial"]), (0, &true.into()));
}

#[test]
fn packs_of_two_tenants_and_the_later_first_are_refused() {
    let bench = two_packs(&|_| {});
    later(&bench, "other", &|manifest, results| {
        manifest["capture"]["tenantId"] = "00000000-0000-0000-0000-000000000001".into();
        results["tenant"] = "00000000-0000-0000-0000-000000000001".into();
    });
    let ran = bench.run(&["diff", "demo/pack", "other"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("of different tenants"), "{}", ran.err);
    let ran = bench.run(&["diff", "later", "demo/pack"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("give the earlier one first"), "{}", ran.err);
    later(&bench, "strange", &|_, results| results["schema"] = "tickmark.results/v9".into());
    let ran = bench.run(&["diff", "demo/pack", "strange"]);
    assert_eq!((ran.code, ran.err.contains("tickmark.results/v9")), (2, true), "{}", ran.err);
    assert_eq!(bench.run(&["diff", "demo/pack", "nowhere"]).code, 2);
}
