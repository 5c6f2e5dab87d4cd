//! Checks that the organisation has written, from their files to the sealed pack and the other programs' formats.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::harness::{Bench, Ran, findings, tenant_folder};

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/checks");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("the examples").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// A copy of a recorded tenant in `tenant/`, with the worked examples declared.
fn bench(tenant: &str) -> Bench {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let path = entry.expect("an entry").path();
            let target = to.join(path.file_name().expect("a name"));
            if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(drop).expect("copied") }
        }
    }
    let bench = Bench::new();
    copy(&tenant_folder(tenant), &bench.path("tenant"));
    for below in ["checks", "controls", "registers"] {
        fs::create_dir_all(bench.path("tenant/declared").join(below)).expect("a folder");
    }
    for file in examples() {
        let name = file.file_name().expect("a name");
        fs::copy(&file, bench.path("tenant/declared/checks").join(name)).expect("copied");
    }
    bench
}

fn demo(bench: &Bench) -> Ran {
    bench.run(&["--quiet", "demo", "--out", "demo", "--replay", "tenant"])
}

fn outcomes(results: &Value, check: &str) -> BTreeMap<String, usize> {
    findings(results, check).into_iter().fold(BTreeMap::new(), |mut counts, (_, outcome)| {
        *counts.entry(outcome).or_default() += 1;
        counts
    })
}

fn control<'a>(results: &'a Value, id: &str) -> Option<&'a Value> {
    results["controls"].as_array().expect("controls").iter().find(|control| control["id"] == id)
}

#[test]
fn the_examples_are_judged_reported_sealed_and_judged_again_from_the_same_bytes() {
    let bench = bench("mixed");
    let ran = demo(&bench);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let results = bench.results();
    let told = |name: &str, outcome: &str| (name.to_owned(), outcome.to_owned());
    assert_eq!(
        findings(&results, "ORG-001"),
        [told("kv-shared", "pass"), told("kv-track-legacy", "fail"), told("kv-track-prod", "pass")]
    );
    assert_eq!(outcomes(&results, "ORG-002"), BTreeMap::from([("pass".to_owned(), 3)]));
    let third = outcomes(&results, "ORG-003");
    assert_eq!(third, BTreeMap::from([("not_evaluated".to_owned(), 1), ("pass".to_owned(), 7)]));
    for (id, conclusion) in [("ORG-001", "exceptions"), ("ORG-002", "no_exceptions"), ("ORG-003", "not_evaluated")] {
        let control = control(&results, id).unwrap_or_else(|| panic!("{id} is a control by itself"));
        assert_eq!(control["conclusion"], conclusion, "{control}");
    }

    let title = "Production vaults keep what is deleted for 90 days";
    for report in ["report/report.html", "report/report.md"] {
        let text = bench.read(&format!("demo/pack/{report}"));
        assert!(text.contains(title) && text.contains("whoever may purge can shorten that to nothing"), "{report}");
        assert!(text.contains("Vaults without the tag, or with another spelling of it"), "{report}: blind to");
    }
    let population = bench.read("demo/pack/report/population-org-001.csv");
    assert_eq!(population.lines().filter(|line| line.contains("kv-")).count(), 3, "{population}");
    let exceptions = bench.read("demo/pack/report/exceptions.csv");
    let row = exceptions.lines().find(|line| line.contains("ORG-001")).expect("a row");
    assert!(row.contains("\"medium\"") && row.contains("CC6.1"), "{row}");

    for file in examples() {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let sealed = fs::read(bench.path(&format!("demo/pack/declared/checks/{name}"))).expect("sealed");
        assert_eq!(sealed, fs::read(&file).expect("the example"), "{name}");
    }
    fs::remove_dir_all(bench.path("tenant")).expect("what was declared is gone");
    let again = bench.run(&["reperform", "demo/pack"]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    let verified = bench.run(&["verify", "demo/pack", "--key", "demo/tickmark.pub.pem"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);

    let check = "demo/pack/declared/checks/vault-retention.toml";
    bench.write(check, &bench.read(check).replace(">= 90", ">= 7"));
    let again = bench.run(&["reperform", "demo/pack"]);
    assert_eq!(again.code, 1, "{}", again.out);
    assert!(again.out.contains("results.json"), "{}", again.out);
    assert_eq!(bench.run(&["verify", "demo/pack", "--key", "demo/tickmark.pub.pem"]).code, 1);
}

#[test]
fn in_a_tenant_in_order_the_examples_find_nothing_and_leave_nothing_open() {
    let bench = bench("clean");
    let ran = demo(&bench);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let results = bench.results();
    for check in ["ORG-001", "ORG-002", "ORG-003"] {
        let outcomes = outcomes(&results, check);
        assert_eq!(outcomes.keys().collect::<Vec<_>>(), ["pass"], "{check}: {outcomes:?}");
    }
}

#[test]
fn the_engineers_view_and_the_other_formats_have_them_and_can_choose_them() {
    let bench = bench("mixed");
    demo(&bench);
    let coverage = |args: &[&str]| bench.run(&[&["--quiet", "coverage", "--pack", "demo/pack"], args].concat());
    let json = |args: &[&str]| -> Value {
        let ran = coverage(&[args, &["--format", "json"]].concat());
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
    };
    let ids = |value: &Value, list: &str| -> Vec<String> {
        let lines = value[list].as_array().expect("a list").iter();
        lines.map(|line| line["id"].as_str().expect("an id").to_owned()).collect()
    };
    let own = json(&["--only", "ORG"]);
    assert_eq!(ids(&own, "checks"), ["ORG-001", "ORG-002", "ORG-003"]);
    assert_eq!(ids(&own, "controls"), ["ORG-001", "ORG-002", "ORG-003"]);
    assert_eq!(ids(&json(&["--only", "org-001"]), "checks"), ["ORG-001"]);
    let skipped = ids(&json(&["--skip", "ORG-001"]), "checks");
    assert!(!skipped.contains(&"ORG-001".to_owned()) && skipped.contains(&"ORG-002".to_owned()));
    assert!(ids(&json(&["--only", "CC6.1"]), "checks").contains(&"ORG-001".to_owned()), "its own mapping counts");
    assert_eq!(coverage(&["--only", "ORG-009"]).code, 2);
    assert_eq!(coverage(&["--only", "ORG-001", "--fail-on", "medium"]).code, 1);
    assert_eq!(coverage(&["--only", "ORG-001", "--fail-on", "high"]).code, 0);
    for (format, told) in [
        ("sarif", "\"ruleId\": \"ORG-001\""),
        ("junit", "ORG-001 Production vaults keep what is deleted for 90 days"),
        ("markdown", "ORG-001"),
        ("human", "ORG-001"),
    ] {
        let ran = coverage(&["--only", "ORG", "--format", format]);
        let text = ran.out.replace("\":\"", "\": \"");
        assert!(text.contains(told), "{format}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn a_waiver_holds_for_them_and_a_control_of_ones_own_cites_them() {
    let bench = bench("mixed");
    bench.write(
        "tenant/declared/waivers.toml",
        "[[waiver]]\ncheck = \"ORG-001\"\nsubject = \"kv-track-legacy\"\nowner = \"Ada\"\napprover = \"Grace\"\n\
         reason = \"moves in October\"\ncreated = 2026-06-01\nexpires = 2026-12-31\ncompensating = \"weekly review\"\n",
    );
    let control_file = "id = \"ACME-7\"\ntitle = \"Deleted secrets come back\"\nsays = \"They do.\"\ncriteria = [\"CC6.7\"]\n\
        nist = []\nchecks = [\"ORG-001\", \"KV-006\"]\nproves = \"p\"\ndoes_not_show = \"d\"\n";
    bench.write("tenant/declared/controls/acme-7.toml", control_file);
    let ran = demo(&bench);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let results = bench.results();
    let all = results["findings"].as_array().expect("findings");
    let fail = all.iter().find(|one| one["check"] == "ORG-001" && one["outcome"] == "fail").expect("a fail");
    let subject = fail["subject"]["id"].as_str().expect("an id");
    assert_eq!(fail["accepted"]["approver"], Value::Null, "a waiver names an id or a pattern");
    let waiver = bench.read("tenant/declared/waivers.toml").replace("\"kv-track-legacy\"", &format!("\"{subject}\""));
    bench.write("tenant/declared/waivers.toml", &waiver);
    assert_eq!(demo(&bench).code, 1);
    let results = bench.results();
    let all = results["findings"].as_array().expect("findings");
    let fail = all.iter().find(|one| one["check"] == "ORG-001" && one["outcome"] == "fail").expect("a fail");
    assert_eq!(fail["accepted"]["approver"], "Grace", "{fail}");
    assert_eq!(findings(&results, "PACK-004")[0].1, "pass", "the waiver is of a check that there is");

    let acme = control(&results, "ACME-7").expect("a control of one's own");
    assert_eq!(acme["checks"], serde_json::json!(["ORG-001", "KV-006"]));
    assert_eq!(acme["criteria"], serde_json::json!(["CC6.7"]));
    assert_eq!(acme["conclusion"], "exceptions");
    assert!(control(&results, "ORG-001").is_none(), "what a control cites is none by itself");
    assert!(control(&results, "ORG-002").is_some());
    assert_eq!(bench.run(&["reperform", "demo/pack"]).code, 0);
}

#[test]
fn mistakes_stop_the_job_and_name_their_places() {
    let bench = bench("empty");
    let own = "tenant/declared/checks/own.toml";
    let text = bench.read("tenant/declared/checks/vault-retention.toml").replace("ORG-001", "ORG-009");
    let control = "id = \"TM-99\"\ntitle = \"t\"\nsays = \"s\"\ncriteria = []\nnist = []\nchecks = [\"ORG-404\"]\n\
        proves = \"p\"\ndoes_not_show = \"d\"\n";
    for (check, control, told) in [
        (text.replace(">= 90", ">= )"), "", "checks/own.toml:17:61: `)` closes nothing"),
        (
            text.replace(".softDeleteRetentionInDays", ".softDeleteDays"),
            "",
            "checks/own.toml:17:32: `vault.properties.softDeleteDays` is never kept",
        ),
        (text.replace("ORG-009", "ORG-002"), "", "the id `ORG-002` is that of `checks/identity-region.toml` too"),
        (
            text.replace("criteria = [\"CC6.1\"]\n", "").replace("nist = [\"SC-12\"]\n", ""),
            "",
            "checks/own.toml:1:1: no control cites `ORG-009`, and it names no criterion itself",
        ),
        (text.clone(), control, "controls/tm-99.toml:6:11: `ORG-404` is no check"),
        (text.clone(), &control.replace("ORG-404", "ORG-009"), "`TM-99` is no id of a control of one's own"),
    ] {
        bench.write(own, &check);
        let file = bench.path("tenant/declared/controls/tm-99.toml");
        if control.is_empty() {
            drop(fs::remove_file(file))
        } else {
            fs::write(file, control).expect("written")
        }
        let ran = demo(&bench);
        assert_eq!(ran.code, 2, "{told}: {}", ran.err);
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
        assert!(!bench.path("demo/pack").exists());
    }
}

#[test]
fn list_and_explain_tell_them_where_the_configuration_is() {
    let bench = bench("empty");
    bench.write(
        "tickmark.toml",
        "[organisation]\nname = \"o\"\nsystem = \"s\"\n[azure]\ntenant_id = \"11111111-1111-1111-1111-111111111111\"\n\
         [declared]\nfolder = \"tenant/declared\"\n",
    );
    let list = bench.run(&["list"]);
    assert_eq!(list.code, 0, "{}", list.err);
    let line = list.out.lines().find(|line| line.contains("ORG-001")).expect("a line");
    assert_eq!(line.trim(), "ORG-001   medium    Production vaults keep what is deleted for 90 days");
    let told = bench.run(&["explain", "org-001"]);
    assert_eq!(told.code, 0, "{}", told.err);
    for words in [
        "the organisation's own: checks/vault-retention.toml",
        "vaults, each as `vault`",
        "where has(vault.tags) && has(vault.tags.env)",
        "1. vault.properties.softDeleteRetentionInDays >= 90",
        "else fail: what is deleted can be brought back for less than 90 days",
        "ORG-001  Production vaults",
        "CC6.1",
    ] {
        assert!(told.out.contains(words), "{words}: {}", told.out);
    }
    let json: Value = serde_json::from_str(&bench.run(&["--format", "json", "explain", "ORG-002"]).out).expect("JSON");
    assert_eq!(json["own"]["population"], "user_assigned_identities");
    assert_eq!(json["own"]["clauses"][0]["otherwise"], "fail");
    let wrong = bench.run(&["explain", "ORG-999"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("ORG-001, ORG-002, ORG-003"), "{}", wrong.err);
}

#[test]
fn what_can_be_asked_is_listed_and_the_guide_names_it() {
    let bench = Bench::new();
    let all = bench.run(&["list", "--fields"]);
    assert_eq!(all.code, 0, "{}", all.err);
    assert!(all.out.contains("role_assignments             assignment, role, principal"), "{}", all.out);
    let vault = bench.run(&["list", "--fields", "vaults"]);
    for field in [
        "vault.properties.enablePurgeProtection",
        "vault.properties.accessPolicies[].permissions.secrets[]",
        "vault.tags.env",
    ] {
        assert!(vault.out.lines().any(|line| line == field), "{field}: {}", vault.out);
    }
    let json: Value =
        serde_json::from_str(&bench.run(&["--format", "json", "list", "--fields", "secrets"]).out).expect("JSON");
    assert!(json["fields"].as_array().expect("fields").contains(&Value::from("secret.attributes.exp")));
    let wrong = bench.run(&["list", "--fields", "vault"]);
    assert_eq!(wrong.code, 2);

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/custom-checks.md")).expect("the guide");
    for function in tickmark::expression::names() {
        let name = function.trim_end_matches("()");
        assert!(guide.contains(&format!("{name}(")), "the guide does not name `{function}`");
    }
    // what the guide shows is what it says that it is
    let fenced =
        |from: &str| guide.split(from).nth(1).and_then(|rest| rest.split("```").next()).expect("a block").to_owned();
    let shown = bench_of(&fenced("# checks/vault-retention.toml\n"), &fenced("# controls/acme-7.toml\n"));
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("ORG-001") && shown.out.contains("ACME-7"), "{}", shown.out);
}

/// `tickmark list` with one check and one control.
fn bench_of(check: &str, control: &str) -> Ran {
    let bench = Bench::new();
    for folder in ["checks", "controls"] {
        fs::create_dir_all(bench.path(folder)).expect("a folder");
    }
    bench.write("checks/any.toml", check);
    bench.write("controls/acme-7.toml", control);
    bench.write(
        "tickmark.toml",
        "[organisation]\nname = \"o\"\nsystem = \"s\"\n[azure]\ntenant_id = \"11111111-1111-1111-1111-111111111111\"\n",
    );
    bench.run(&["list"])
}
