//! Who can read a vault, why, and how one could come to it, as a person and a program are told.

use serde_json::Value;

use super::harness::{Bench, Ran};

fn sealed() -> Bench {
    let bench = Bench::new();
    let ran = bench.demo("mixed");
    assert_eq!(ran.code, 1, "{}", ran.err);
    bench
}

fn access(bench: &Bench, args: &[&str]) -> Ran {
    let start = ["--quiet", "access", "--pack", "demo/pack"];
    bench.run(&[&start[..], args].concat())
}

fn json(bench: &Bench, args: &[&str]) -> Value {
    let ran = access(bench, &[args, &["--format", "json"]].concat());
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
}

/// Name, capability and answer of every answer.
fn answers(told: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let answers = told["answers"].as_array().expect("answers").iter();
    answers.map(|one| (text(&one["principal"]["name"]), text(&one["capability"]), text(&one["answer"]))).collect()
}

fn reading(told: &Value) -> Vec<(String, String)> {
    let reads = answers(told).into_iter().filter(|(_, capability, _)| capability == "read_secret");
    let mut reads: Vec<_> = reads.map(|(name, _, answer)| (name, answer)).collect();
    reads.sort();
    reads
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, answer)| ((*name).to_owned(), (*answer).to_owned())).collect()
}

#[test]
fn readers_of_a_vault_are_told_with_their_path_and_its_records() {
    let bench = sealed();
    let told = json(&bench, &["--vault", "kv-track-prod"]);
    let expected = [
        ("Bo Lindqvist", "eligible"),
        ("Dana Okafor", "allowed"),
        ("sp-nightly-report", "allowed"),
        ("vm-track-01", "allowed"),
    ];
    assert_eq!(reading(&told), pairs(&expected));
    let dana = told["answers"]
        .as_array()
        .expect("answers")
        .iter()
        .find(|one| one["principal"]["name"] == "Dana Okafor" && one["capability"] == "read_secret");
    let path = &dana.expect("an answer")["paths"][0];
    assert_eq!(path["scope"], "/providers/Microsoft.Management/managementGroups/mg-brightwater");
    assert_eq!(path["through"][0]["name"], "grp-vault-readers");
    let record = path["evidence"][0].as_str().and_then(|place| place.split('#').next()).expect("a place");
    assert!(bench.path(&format!("demo/pack/evidence/{record}")).is_file(), "{record}");
    assert_eq!(told["network"]["reach"], "listed");
}

#[test]
fn a_person_reads_the_same_and_is_told_what_was_not_read() {
    let bench = sealed();
    let ran = access(&bench, &["--vault", "KV-TRACK-PROD"]);
    assert_eq!(ran.code, 3, "who is behind a delegation is known in the other tenant alone");
    assert!(ran.out.contains("Who can read secret values: 3 allowed, 1 eligible"), "{}", ran.out);
    assert!(ran.out.contains("dormant while the vault uses roles"), "{}", ran.out);
    assert!(ran.out.contains("A lower bound: there may be more."), "{}", ran.out);
    let why = access(&bench, &["--vault", "kv-track-prod", "--why", "dana okafor"]);
    assert!(why.out.contains("read secret values · allowed\n  role `Key Vault Secrets User` at"), "{}", why.out);
}

#[test]
fn a_capture_and_the_pack_made_of_it_tell_the_same() {
    let bench = sealed();
    let of_pack = access(&bench, &["--vault", "kv-track-prod", "--format", "json"]);
    let store = ["--quiet", "--store", "demo/store", "access", "--vault", "kv-track-prod", "--format", "json"];
    assert_eq!(bench.run(&store).out, of_pack.out);
}

#[test]
fn one_secret_is_told_by_itself_and_keys_are_not_about_it() {
    let bench = sealed();
    let told = json(&bench, &["--vault", "kv-track-prod", "--secret", "db"]);
    let capabilities: Vec<String> = answers(&told).into_iter().map(|(_, capability, _)| capability).collect();
    assert!(capabilities.contains(&"read_secret".to_owned()) && !capabilities.contains(&"sign".to_owned()));
    let object = told["answers"][0]["object"].as_str().expect("an object");
    assert!(object.ends_with("/vaults/kv-track-prod/secrets/db"), "{object}");
}

#[test]
fn what_a_principal_can_reach_is_told_by_vault() {
    let bench = sealed();
    let told = json(&bench, &["--principal", "sp-nightly-report", "--capability", "read_secret"]);
    let objects: Vec<&str> =
        told["answers"].as_array().expect("answers").iter().filter_map(|one| one["object"].as_str()).collect();
    assert_eq!(objects.len(), 1, "{objects:?}");
    assert!(objects[0].ends_with("/vaults/kv-track-prod"));
}

#[test]
fn the_way_of_a_pipeline_leads_over_the_machine_that_it_may_change() {
    let bench = sealed();
    let told = json(&bench, &["--path", "id-github-deploy", "kv-track-prod"]);
    let steps: Vec<&str> =
        told["path"]["steps"].as_array().expect("steps").iter().filter_map(|one| one["step"].as_str()).collect();
    assert_eq!((steps, &told["path"]["certainty"]), (vec!["run_code", "use"], &Value::from("certain")));
    let ran = access(&bench, &["--path", "id-github-deploy", "kv-track-prod"]);
    assert!(ran.out.contains("could come to read secret values of kv-track-prod: 2 steps, certain"), "{}", ran.out);
    assert!(ran.out.contains("1. `id-github-deploy` runs code on what carries `vm-track-01`"), "{}", ran.out);
    let none = access(&bench, &["--path", "00000000-0000-0000-0000-0000000000aa", "kv-track-prod"]);
    assert!(none.out.starts_with("No way is known by which"), "{}", none.out);
}

#[test]
fn a_spreadsheet_and_a_graph_hold_the_same_answers() {
    let bench = sealed();
    let told = json(&bench, &["--vault", "kv-track-prod"]);
    let table = access(&bench, &["--vault", "kv-track-prod", "--format", "csv"]).out;
    let rows = csv::Reader::from_reader(table.as_bytes()).into_records().filter(Result::is_ok).count();
    assert_eq!(rows, answers(&told).len());
    let graph = access(&bench, &["--vault", "kv-track-prod", "--format", "dot"]).out;
    assert!(
        graph.starts_with("digraph access {") && graph.contains("[label=\"Dana Okafor\\nuser, guest\"]"),
        "{graph}"
    );
    let refused = bench.run(&["--format", "csv", "list"]);
    assert_eq!((refused.code, refused.err.contains("only `tickmark access` prints csv")), (2, true));
}

#[test]
fn vaults_that_nobody_could_list_are_named_and_not_taken_for_none() {
    let bench = Bench::new();
    assert_eq!(bench.demo("denied").code, 1);
    let told = json(&bench, &["--principal", "00000000-0000-0000-0000-0000000000aa"]);
    let gaps: Vec<_> = told["gaps"].as_array().expect("gaps").iter().filter(|gap| gap["about"] == "vaults").collect();
    assert_eq!(gaps.len(), 1, "{told:#}");
    assert_eq!(gaps[0]["reason"], "forbidden");
    let ran = access(&bench, &["--vault", "kv-shared"]);
    assert_eq!((ran.code, ran.err.contains("whose vaults were not read: HTTP 403")), (2, true), "{}", ran.err);
}

#[test]
fn ways_that_the_directory_could_show_are_not_taken_for_none() {
    let bench = Bench::new();
    assert_eq!(bench.demo("denied").code, 1);
    let ran = access(&bench, &["--path", "00000000-0000-0000-0000-0000000000aa", "kv-track-prod"]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.starts_with("No way is known by which"), "{}", ran.out);
    let unread = ran.out.lines().filter(|line| line.trim_start().starts_with("the directory")).count();
    assert!(unread > 0, "{}", ran.out);
}

#[test]
fn what_cannot_be_found_is_told_with_what_there_is() {
    let bench = sealed();
    let ran = access(&bench, &["--vault", "kv-nowhere"]);
    assert_eq!((ran.code, ran.err.contains("its vaults: kv-shared, kv-track-legacy, kv-track-prod")), (2, true));
    let ran = access(&bench, &["--vault", "kv-track-prod", "--why", "nobody"]);
    assert_eq!((ran.code, ran.err.contains("the capture has no principal `nobody`")), (2, true));
    let ran = access(&bench, &["--vault", "kv-track-prod", "--capability", "fly"]);
    assert_eq!((ran.code, ran.err.contains("there is none of this name; there are read_secret")), (2, true));
    assert_eq!(access(&bench, &[]).code, 2);
}
