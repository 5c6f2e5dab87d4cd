//! The other commands, as a new user meets them.

use std::fs;

use serde_json::Value;

use super::harness::{Bench, findings, tenant_folder};

const TENANT: &str = "11111111-1111-1111-1111-111111111111";

#[test]
fn from_init_to_a_verified_pack_with_one_key() {
    let bench = Bench::new().with("TICKMARK_KEY_PASSPHRASE", "correct horse");
    let init = bench.run(&["init", "--organisation", "Example \"Ltd\"", "--system", "Shop", "--tenant", TENANT]);
    assert_eq!(init.code, 0, "{}", init.err);
    let recording = tenant_folder("clean").display().to_string();
    let ran = bench.run(&["--quiet", "run", "--replay", &recording, "--period", "2026Q3", "--out", "pack", "--zip"]);
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.err);
    assert!(ran.out.starts_with("Example \"Ltd\" · Shop · 2026-07-01..2026-09-30\n"), "{}", ran.out);

    let good = bench.run(&["verify", "pack", "--key", "keys/tickmark.pub.pem"]);
    assert_eq!(good.code, 0, "{}", good.out);
    assert!(bench.path("pack.zip").is_file());

    let other = Bench::new().with("TICKMARK_KEY_PASSPHRASE", "x");
    other.run(&["init", "--tenant", TENANT]);
    let stranger = other.path("keys/tickmark.pub.pem").display().to_string();
    let bad = bench.run(&["verify", "pack", "--key", &stranger]);
    assert_eq!(bad.code, 1);

    let entries: Vec<Value> = bench
        .read("tickmark-store/ledger.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("an entry"))
        .collect();
    let events: Vec<&str> = entries.iter().map(|entry| entry["event"].as_str().expect("an event")).collect();
    assert_eq!(events, ["started", "finished", "sealed"]);
}

#[test]
fn a_wrong_passphrase_is_found_before_the_first_question() {
    let bench = Bench::new().with("TICKMARK_KEY_PASSPHRASE", "right");
    bench.run(&["init", "--tenant", TENANT]);
    let bench = bench.with("TICKMARK_KEY_PASSPHRASE", "wrong");
    let recording = tenant_folder("empty").display().to_string();
    let ran = bench.run(&["run", "--replay", &recording]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("passphrase"), "{}", ran.err);
    assert!(!bench.path("tickmark-store").exists());
}

#[test]
fn init_never_writes_over_anything() {
    let bench = Bench::new().with("TICKMARK_KEY_PASSPHRASE", "x");
    bench.write("tickmark.toml", "# mine\n");
    let ran = bench.run(&["init"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`tickmark.toml` is there already; nothing was changed"), "{}", ran.err);
    assert_eq!(bench.read("tickmark.toml"), "# mine\n");
    assert!(!bench.path("keys").exists());
}

#[test]
fn mistakes_in_the_configuration_are_shown_with_their_places() {
    let bench = Bench::new();
    bench.write("tickmark.toml", "[azure]\ntenant_id = \"x\"\n\n[storage]\npath = \"y\"\n");
    let ran = bench.run(&["collect"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("tickmark.toml:2:13: "), "{}", ran.err);
    assert!(ran.err.contains("tickmark.toml:4:2: unknown key `storage` here"), "{}", ran.err);
}

#[test]
fn collect_then_assess_then_nothing_changes() {
    let bench = Bench::new();
    let recording = tenant_folder("mixed").display().to_string();
    let collected = bench.run(&["--quiet", "collect", "--replay", &recording]);
    assert!([0, 3].contains(&collected.code), "{}{}", collected.out, collected.err);
    let one = bench.run(&["assess", "--out", "one", "--format", "json"]);
    assert_eq!(one.code, 1, "{}", one.err);
    let summary: Value = serde_json::from_str(&one.out).expect("JSON");
    assert!(summary["counts"]["fail"].as_u64().expect("a count") > 5);
    bench.run(&["assess", "--out", "two"]);
    assert_eq!(bench.files("one"), bench.files("two"));
}

#[test]
fn without_a_name_the_newest_whole_capture_is_judged_and_what_was_passed_over_is_told() {
    let bench = Bench::new();
    let tenant = tenant_folder("clean").display().to_string();
    assert_eq!(bench.run(&["--quiet", "--store", "store", "collect", "--replay", &tenant]).code, 0);
    let captures = bench.path("store/captures");
    let whole = fs::read_dir(&captures).expect("a store").next().expect("a capture").expect("a folder").path();
    let id = whole.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
    let copy = |name: &str, change: &dyn Fn(&mut Value)| {
        for (path, bytes) in bench.files(&format!("store/captures/{id}")) {
            let to = captures.join(name).join(path);
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            fs::write(to, bytes).expect("written");
        }
        let head = format!("store/captures/{name}/capture.json");
        let mut value = bench.json(&head);
        value["captureId"] = name.into();
        value["startedAt"] = "2026-10-05T09:00:00Z".into();
        change(&mut value);
        bench.write(&head, &value.to_string());
    };
    let assess = |more: &[&str]| bench.run(&[&["--store", "store", "assess", "--out", "out"], more].concat());
    let is_whole = || {
        findings(&bench.json("out/results.json"), "PACK-001")
            .contains(&("the collection".to_owned(), "pass".to_owned()))
    };

    let first = assess(&[]);
    assert!(first.code == 0 && !first.err.contains("passed over"), "{}", first.err);
    copy("interrupted", &|head| head["status"] = "interrupted".into());
    copy("damaged", &|_| {});
    bench.write("store/captures/damaged/plan.json", "{");
    copy("headless", &|_| {});
    bench.write("store/captures/headless/capture.json", "{");
    let ran = assess(&[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(is_whole());
    for (name, why) in
        [("interrupted", "it did not reach its end"), ("damaged", "plan.json"), ("headless", "capture.json")]
    {
        let line = ran.err.lines().find(|line| line.contains(&format!("passed over capture `{name}`")));
        assert!(line.is_some_and(|line| line.contains(why)), "{name}: {}", ran.err);
    }
    // whoever names one gets that one
    assert_eq!(assess(&["--capture", "interrupted"]).code, 3);
    assert!(!is_whole());
    fs::remove_dir_all(&whole).expect("removed");
    let ran = assess(&[]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("holds no capture that reached its end"), "{}", ran.err);
}

#[test]
fn explain_and_list_tell_what_there_is() {
    let bench = Bench::new();
    let explained = bench.run(&["explain", "rbac-007"]);
    assert_eq!(explained.code, 0);
    for words in ["RBAC-007", "Blind to", "How to fix a failure", "TM-03", "CC6.3"] {
        assert!(explained.out.contains(words), "{words}: {}", explained.out);
    }
    let unknown = bench.run(&["explain", "RBAC-999"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("RBAC-001, RBAC-002"), "{}", unknown.err);

    let list: Value = serde_json::from_str(&bench.run(&["list", "--format", "json"]).out).expect("JSON");
    let ids: Vec<&str> =
        list["checks"].as_array().expect("checks").iter().map(|check| check["id"].as_str().expect("an id")).collect();
    let expected = [
        "NHI-001", "NHI-002", "NHI-003", "NHI-004", "NHI-006", "KV-001", "KV-002", "KV-004", "KV-005", "KV-006",
        "KV-007", "RBAC-001", "RBAC-002", "RBAC-005", "RBAC-007", "RBAC-011", "LOG-001", "LOG-002", "LOG-003",
        "EVT-001", "EVT-002", "EVT-003", "EVT-004", "EVT-005", "PACK-001",
    ];
    for id in expected {
        assert!(ids.contains(&id), "{id}");
    }
    for check in list["checks"].as_array().expect("checks") {
        assert!(!check["criteria"].as_array().expect("criteria").is_empty(), "{check} is cited by no control");
    }
}

#[test]
fn every_check_has_its_page() {
    let bench = Bench::new();
    assert_eq!(bench.run(&["explain", "--all", "--out", "docs"]).code, 0);
    let page = bench.read("docs/checks/RBAC-007.md");
    for words in ["# RBAC-007: ", "## What it cannot see", "## How to fix a failure", "| TM-03 ", "CC6.3"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(bench.read("docs/checks/mapping.md").contains("[RBAC-007](RBAC-007.md)"));
    assert!(bench.read("docs/comparison.md").contains("prowler/compliance/azure/soc2_azure.json"));
    assert_eq!(bench.run(&["explain"]).code, 2, "a check, or all of them with a folder");
    assert_eq!(bench.run(&["explain", "--all"]).code, 2);
}

#[test]
fn completions_and_version_are_printed() {
    let bench = Bench::new();
    assert!(bench.run(&["completions", "bash"]).out.contains("_tickmark()"));
    assert_eq!(bench.run(&["--version"]).out, format!("tickmark {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(bench.run(&["verify", "somewhere"]).code, 2, "a key is required");
}
