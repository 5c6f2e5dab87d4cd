//! `tickmark coverage`: what evidence there is, what would supply the rest, and the same for other programs.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use super::harness::{Bench, Ran, shared, tenant_folder};

/// A bench with a sealed demo of the tenant.
fn sealed(tenant: &str) -> Bench {
    let bench = Bench::new();
    let ran = bench.demo(tenant);
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.err);
    bench
}

fn coverage(bench: &Bench, args: &[&str]) -> Ran {
    bench.run(&[&["--quiet", "coverage", "--pack", "demo/pack"], args].concat())
}

fn json(bench: &Bench, args: &[&str]) -> Value {
    let ran = coverage(bench, &[args, &["--format", "json"]].concat());
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("{name} in {value}"))
}

fn texts<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    list(value, name).iter().map(|one| one.as_str().expect("a text")).collect()
}

fn line<'a>(value: &'a Value, list_name: &str, id: &str) -> &'a Value {
    let found = list(value, list_name).iter().find(|line| line["id"] == id);
    found.unwrap_or_else(|| panic!("{id} is not in {list_name}"))
}

/// Exceptions that the pack tells.
fn fails(bench: &Bench) -> usize {
    list(&bench.results(), "findings").iter().filter(|one| one["outcome"] == "fail").count()
}

/// Errors of a document against a schema.
fn errors(schema: &str, document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn each_control_and_criterion_counts_what_the_pack_says() {
    let bench = sealed("mixed");
    let (told, results) = (json(&bench, &[]), bench.results());
    for control in list(&results, "controls") {
        let line = line(&told, "controls", control["id"].as_str().expect("an id"));
        assert_eq!((&line["counts"], &line["conclusion"]), (&control["counts"], &control["conclusion"]));
    }
    // a criterion counts each finding of the checks of its controls, and each once
    for criterion in list(&told, "criteria") {
        let is_citing = |control: &&Value| list(control, "criteria").contains(&criterion["id"]);
        let citing = list(&results, "controls").iter().filter(is_citing);
        let checks: BTreeSet<&str> = citing.flat_map(|control| texts(control, "checks")).collect();
        let is_own = |one: &&Value| checks.contains(one["check"].as_str().expect("an id"));
        for outcome in ["fail", "pass", "not_evaluated"] {
            let own = list(&results, "findings").iter().filter(is_own);
            let count = own.filter(|one| one["outcome"] == outcome).count() as u64;
            assert_eq!(criterion["counts"][outcome].as_u64(), Some(count), "{criterion}");
        }
    }
    let pass_and_fail = |value: &Value| (value["pass"].as_u64(), value["fail"].as_u64());
    let legacy = pass_and_fail(&line(&told, "checks", "EVT-001")["counts"]);
    assert_eq!(legacy, (Some(1), Some(1)));
    let total: u64 = list(&told, "checks").iter().map(|check| check["counts"]["fail"].as_u64().expect("a count")).sum();
    assert_eq!(told["counts"]["fail"].as_u64(), Some(total));
    assert_eq!(list(&results, "findings").iter().filter(|finding| finding["outcome"] == "fail").count() as u64, total);
}

#[test]
fn operating_checks_tell_the_days_of_the_period_and_states_tell_none() {
    let bench = sealed("mixed");
    let told = json(&bench, &[]);
    // the table keeps 90 days: asked on 2 October, it reaches back to 4 July
    assert_eq!(line(&told, "checks", "EVT-003")["days"], 88);
    assert_eq!(line(&told, "controls", "TM-07")["days"], 88);
    assert_eq!(line(&told, "criteria", "AU-6")["days"], 88);
    assert_eq!(line(&told, "checks", "KV-006")["days"], Value::Null);
    assert_eq!(line(&told, "criteria", "SC-28")["days"], Value::Null);
    assert_eq!((&told["collection"]["vaults"], &told["collection"]["vaultsWithoutLog"]), (&3.into(), &1.into()));
}

#[test]
fn what_was_not_read_names_the_permission_or_the_setting_and_the_checks() {
    let bench = sealed("denied");
    let told = json(&bench, &[]);
    let missing = |kind: &str, reason: &str| {
        let found = list(&told, "missing").iter().find(|one| one["kind"] == kind && one["reason"] == reason);
        found.unwrap_or_else(|| panic!("{kind} {reason}")).clone()
    };
    let vaults = missing("vaults", "forbidden");
    assert_eq!(vaults["permissions"][0]["name"], "Microsoft.KeyVault/vaults/read");
    assert_eq!(vaults["permissions"][0]["system"], "Azure role");
    assert_eq!(texts(&vaults, "scopes"), ["/subscriptions/ed93a94d-c4ca-4c8a-b9ab-24148f502c6f"]);
    assert!(texts(&vaults, "checks").contains(&"KV-002") && texts(&vaults, "checks").contains(&"PACK-001"));
    let record = vaults["records"][0].as_str().expect("a record");
    assert!(bench.path(&format!("demo/pack/evidence/{record}/ipe.json")).is_file());
    let table = missing("vault_log_dedicated", "table_missing");
    assert!(table["supply"].as_str().expect("words").contains("category group `audit`"), "{table}");
    assert!(list(&table, "permissions").is_empty(), "no permission makes a table");
    // everything that the pack lists as a gap is missing here for somebody
    let gaps = list(&told, "missing").iter().map(|one| list(one, "scopes").len()).sum::<usize>();
    let questions = &told["collection"];
    let unanswered =
        questions["questions"].as_u64().expect("a count") - questions["answered"].as_u64().expect("a count");
    assert!(gaps as u64 >= unanswered, "{gaps} of {unanswered}");
}

#[test]
fn the_documents_are_as_their_schema_says() {
    for tenant in ["mixed", "denied", "clean", "empty"] {
        let bench = sealed(tenant);
        let told = json(&bench, &[]);
        assert_eq!(errors(include_str!("../../docs/coverage.schema.json"), &told), Vec::<String>::new(), "{tenant}");
    }
}

#[test]
fn it_fits_a_terminal_of_100_columns_and_says_in_words_what_colours_say() {
    for tenant in ["mixed", "denied", "clean", "empty"] {
        let bench = sealed(tenant);
        let plain = coverage(&bench, &["--against", "demo/pack"]);
        let wide: Vec<&str> = plain.out.lines().filter(|line| line.chars().count() > 100).collect();
        assert_eq!(wide, Vec::<&str>::new(), "{tenant}");
        let coloured = coverage(&bench, &["--against", "demo/pack", "--color", "always"]).out;
        assert!(coloured.contains("\x1b[") && !plain.out.contains('\x1b'));
        let mut bare = coloured;
        for code in ["32", "31", "33", "2", "1", "0"] {
            bare = bare.replace(&format!("\x1b[{code}m"), "");
        }
        assert_eq!(bare, plain.out, "{tenant}");
    }
}

#[test]
fn a_person_is_told_the_state_the_remedy_and_the_end() {
    let bench = sealed("denied");
    let exceptions = format!("{} exceptions; incomplete: ", fails(&bench));
    let ran = coverage(&bench, &[]);
    assert_eq!(ran.code, 1);
    for words in [
        "Evidence for SOC 2",
        "Evidence for NIST SP 800-53 r5",
        "Not read, and what would supply it",
        "      Microsoft.KeyVault/vaults/read (Azure role)",
        "Stays manual",
        exceptions.as_str(),
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    assert!(ran.out.ends_with("await a person · exit code 1\n"), "{}", ran.out);
    let clean = sealed("clean");
    let ran = coverage(&clean, &[]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("no exceptions noted; everything that was asked could be judged"), "{}", ran.out);
}

#[test]
fn the_exit_code_is_what_was_asked_for() {
    let mixed = sealed("mixed");
    for (fail_on, code) in [("incomplete", 1), ("exceptions", 1), ("low", 1), ("critical", 1), ("never", 0)] {
        assert_eq!(coverage(&mixed, &["--fail-on", fail_on]).code, code, "{fail_on}");
    }
    let denied = sealed("denied");
    // KV-006 is medium and has an exception, EVT-001 is critical and could not be judged
    for (fail_on, code) in [("incomplete", 1), ("medium", 1), ("high", 3), ("critical", 3), ("never", 0)] {
        assert_eq!(coverage(&denied, &["--only", "KV-006,EVT-001", "--fail-on", fail_on]).code, code, "{fail_on}");
    }
    // EVT-005 is low and open, PACK-001 is not looked at
    for (fail_on, code) in [("incomplete", 3), ("exceptions", 0), ("low", 3), ("medium", 0)] {
        assert_eq!(coverage(&denied, &["--only", "EVT-005", "--fail-on", fail_on]).code, code, "{fail_on}");
    }
    let wrong = coverage(&mixed, &["--fail-on", "sometimes"]);
    assert_eq!(wrong.code, 2);
}

#[test]
fn a_part_can_be_looked_at_and_is_not_taken_for_the_whole() {
    let bench = sealed("clean");
    let told = json(&bench, &["--only", "KV", "--skip", "kv-004"]);
    let checks: BTreeSet<&str> = list(&told, "checks").iter().filter_map(|check| check["id"].as_str()).collect();
    assert!(checks.contains("KV-002") && checks.iter().all(|id| id.starts_with("KV-")), "{checks:?}");
    assert!(!checks.contains("KV-004"));
    let control = line(&told, "controls", "TM-03");
    assert_eq!(control["conclusion"], "not_evaluated", "some of its checks were left out");
    assert!(texts(control, "leftOut").contains(&"KV-004") && texts(control, "leftOut").contains(&"RBAC-001"));
    assert_eq!(line(&told, "controls", "TM-06")["conclusion"], "no_exceptions", "it has KV-007 alone");
    let human = coverage(&bench, &["--only", "CC6.6"]);
    assert_eq!(human.code, 0, "{}", human.out);
    assert!(human.out.contains("CC6.6") && !human.out.contains("CC7.2") && human.out.contains("is not concluded"));

    let unknown = coverage(&bench, &["--only", "KV-02"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("is called `KV-02`"), "{}", unknown.err);
}

#[test]
fn a_capture_its_pack_and_a_live_collection_tell_the_same() {
    let bench = sealed("canary"); // nothing is declared there, which a live collection would look for elsewhere
    let of_pack = json(&bench, &[]);
    let store = ["--quiet", "--store", "demo/store", "coverage", "--format", "json"];
    let of_capture: Value = serde_json::from_str(&bench.run(&store).out).expect("JSON");
    assert_eq!(of_capture["criteria"], of_pack["criteria"]);
    assert_eq!(of_capture["findings"], of_pack["findings"]);
    let recording = tenant_folder("canary").display().to_string();
    let live =
        bench.run(&["--quiet", "--store", "new", "coverage", "--live", "--replay", &recording, "--format", "json"]);
    assert_eq!(live.code, 1, "{}", live.err);
    let live: Value = serde_json::from_str(&live.out).expect("JSON");
    assert_eq!(live["checks"], of_pack["checks"]);
    assert!(bench.path("new/captures").is_dir(), "it is kept");
    let both = coverage(&bench, &["--live"]);
    assert_eq!(both.code, 2);
}

#[test]
fn an_earlier_pack_shows_the_way() {
    let bench = sealed("mixed");
    std::fs::create_dir_all(bench.path("earlier")).expect("a folder");
    let (mut manifest, mut results) = (bench.json("demo/pack/manifest.json"), bench.results());
    manifest["capture"]["startedAt"] = "2026-07-02T09:00:00Z".into();
    for finding in results["findings"].as_array_mut().expect("findings") {
        if finding["check"] == "KV-006" {
            finding["outcome"] = "fail".into(); // all three, where the later pack has one
        }
    }
    bench.write("earlier/manifest.json", &manifest.to_string());
    bench.write("earlier/results.json", &results.to_string());
    let told = json(&bench, &["--against", "earlier"]);
    let check = line(&told, "checks", "KV-006");
    assert_eq!((&check["before"]["fail"], &check["counts"]["fail"]), (&3.into(), &1.into()));
    assert_eq!(list(&told["since"], "fixed").len(), 2);
    assert_eq!(told["since"]["secondsBetween"], 92 * 24 * 3600);
    assert_eq!(errors(include_str!("../../docs/diff.schema.json"), &told["since"]), Vec::<String>::new());
    let markdown = coverage(&bench, &["--against", "earlier", "--format", "markdown"]).out;
    assert!(markdown.contains("(92 days earlier): 0 new, 2 fixed"), "{markdown}");
    let human = coverage(&bench, &["--against", "earlier"]).out;
    assert!(human.contains("Fixed (2)") && human.contains("between  92 days"), "{human}");
}

/// Fingerprint, rule and kind of each result.
fn sarif_results(sarif: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let results = list(&sarif["runs"][0], "results").iter();
    results
        .map(|one| (text(&one["partialFingerprints"]["checkAndSubject/v1"]), text(&one["ruleId"]), text(&one["kind"])))
        .collect()
}

fn sarif(bench: &Bench) -> Value {
    serde_json::from_str(&coverage(bench, &["--format", "sarif"]).out).expect("JSON")
}

#[test]
fn sarif_is_valid_names_resources_and_never_shows_what_is_open_as_a_pass() {
    for tenant in ["mixed", "denied", "clean", "empty"] {
        let bench = sealed(tenant);
        let log = sarif(&bench);
        if let Some(schema) = shared("interop/sarif-schema-2.1.0.json") {
            let schema = std::fs::read_to_string(schema).expect("the schema");
            assert_eq!(errors(&schema, &log), Vec::<String>::new(), "{tenant}");
        }
        let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
        let results = bench.results();
        for finding in list(&results, "findings") {
            match finding["outcome"].as_str() {
                Some("fail") => *expected.entry("fail").or_default() += 1,
                Some("not_evaluated") => *expected.entry("open").or_default() += 1,
                Some("manual") => *expected.entry("review").or_default() += 1,
                _ => {}
            }
        }
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        let rules: Vec<&str> =
            list(&log["runs"][0]["tool"]["driver"], "rules").iter().filter_map(|rule| rule["id"].as_str()).collect();
        for one in list(&log["runs"][0], "results") {
            let kind = one["kind"].as_str().expect("a kind");
            *kinds.entry(kind).or_default() += 1;
            assert_eq!(one["level"] == "none", kind != "fail", "{one}");
            assert_eq!(one["ruleId"], rules[one["ruleIndex"].as_u64().expect("a place") as usize]);
            let place = &one["locations"][0];
            assert_eq!(place["logicalLocations"][0]["fullyQualifiedName"], one["properties"]["subject"]["id"]);
            let file = place["physicalLocation"]["artifactLocation"]["uri"].as_str().expect("a file");
            assert!(bench.path("demo/pack").join(file).is_file(), "{file}");
        }
        assert_eq!(kinds, expected, "{tenant}");
    }
}

#[test]
fn fingerprints_are_the_same_in_another_collection_of_the_tenant() {
    // much of it was refused the second time
    let (whole, part) = (sarif(&sealed("mixed")), sarif(&sealed("denied")));
    let fails = |log: &Value| -> BTreeMap<String, String> {
        let fails = sarif_results(log).into_iter().filter(|(.., kind)| kind == "fail");
        fails.map(|(fingerprint, rule, _)| (rule, fingerprint)).collect()
    };
    let (before, after) = (fails(&whole), fails(&part));
    for rule in ["KV-002", "KV-006", "KV-007", "NHI-002", "RBAC-007"] {
        assert_eq!(before[rule], after[rule], "{rule}");
    }
    let mut ids: Vec<String> = list(&whole["runs"][0], "results")
        .iter()
        .map(|one| one["partialFingerprints"]["primaryLocationLineHash"].to_string())
        .collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "no two results have the same");
}

#[test]
fn junit_is_valid_and_counts_what_is_open_as_errors() {
    let schema = shared("interop/JUnit.xsd");
    for tenant in ["mixed", "denied", "clean", "empty"] {
        let bench = sealed(tenant);
        let xml = coverage(&bench, &["--format", "junit"]).out;
        if let Some(schema) = &schema {
            bench.write("report.xml", &xml);
            let checked = Command::new("xmllint")
                .args(["--noout", "--schema"])
                .arg(schema)
                .arg(bench.path("report.xml"))
                .output();
            match checked {
                Ok(output) => assert!(output.status.success(), "{tenant}: {}", String::from_utf8_lossy(&output.stderr)),
                Err(_) => {
                    use std::io::Write;
                    std::io::stderr()
                        .write_all(b"SKIPPED: xmllint is not installed (libxml2-utils)\n")
                        .expect("stderr");
                }
            }
        }
        let results = bench.results();
        let of =
            |outcome: &str| list(&results, "findings").iter().filter(|finding| finding["outcome"] == outcome).count();
        let elements = |name: &str| xml.matches(&format!("<{name} ")).count();
        assert_eq!(elements("failure"), of("fail"), "{tenant}");
        assert_eq!(elements("error"), of("not_evaluated"), "{tenant}");
        assert_eq!(elements("skipped"), of("manual") + of("not_applicable"), "{tenant}");
        assert_eq!(elements("testcase"), list(&results, "findings").len(), "{tenant}");
        let sums = |name: &str| -> usize {
            let suites = xml.lines().filter(|line| line.trim_start().starts_with("<testsuite "));
            let values = suites
                .filter_map(|line| line.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse::<usize>().ok());
            values.sum()
        };
        assert_eq!(
            (sums("tests"), sums("failures"), sums("errors")),
            (elements("testcase"), of("fail"), of("not_evaluated"))
        );
    }
}

#[test]
fn markdown_is_short_enough_for_a_comment_and_says_what_matters() {
    let bench = sealed("denied");
    let exceptions = format!("**{} exceptions**", fails(&bench));
    let text = coverage(&bench, &["--format", "markdown"]).out;
    assert!(text.len() < 65_536, "{} bytes", text.len());
    for words in [
        "## Evidence coverage",
        exceptions.as_str(),
        "| ✗ Exceptions noted | CC6.1 ",
        "### Not read",
        "`Microsoft.KeyVault/vaults/read` (Azure role)",
        "### Stays manual",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn formats_of_one_command_are_refused_by_another() {
    let bench = Bench::new();
    for format in ["sarif", "junit", "markdown"] {
        let ran = bench.run(&["list", "--format", format]);
        assert_eq!(ran.code, 2, "{format}");
        assert!(ran.err.contains("only `tickmark coverage`"), "{}", ran.err);
    }
    let ran = bench.run(&["coverage", "--format", "csv"]);
    assert_eq!((ran.code, ran.err.contains("only `tickmark access` prints csv")), (2, true));
}
