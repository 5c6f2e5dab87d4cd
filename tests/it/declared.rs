//! Registers, waivers and attached records, from the files beside the configuration to the pack.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Bench, Ran, tenant_folder};

/// A copy of a recorded tenant in `tenant/`, to which a test adds what is declared.
fn copied(bench: &Bench, tenant: &str) {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let path = entry.expect("an entry").path();
            let target = to.join(path.file_name().expect("a name"));
            if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(drop).expect("copied") }
        }
    }
    copy(&tenant_folder(tenant), &bench.path("tenant"));
    fs::create_dir_all(bench.path("tenant/declared/registers")).expect("a folder");
}

fn demo(bench: &Bench) -> Ran {
    bench.run(&["--quiet", "demo", "--out", "demo", "--replay", "tenant"])
}

fn of_check<'a>(results: &'a Value, check: &str) -> Vec<&'a Value> {
    results["findings"].as_array().expect("findings").iter().filter(|one| one["check"] == check).collect()
}

/// The subject of the only failure of KV-002 in the tenant.
fn legacy_vault(results: &Value) -> String {
    let fails: Vec<&Value> = of_check(results, "KV-002").into_iter().filter(|one| one["outcome"] == "fail").collect();
    assert_eq!(fails.len(), 1, "{fails:#?}");
    fails[0]["subject"]["id"].as_str().expect("an id").to_owned()
}

const WAIVER: &str = "owner = \"Ada\"\nreason = \"moves in October\"\ncreated = 2026-06-01\nexpires = 2026-12-31\n\
    compensating = \"its policies are reviewed each week\"\nticket = \"CHG-7\"\n";

#[test]
fn a_waived_exception_stays_one_and_is_shown_with_who_and_until_when() {
    let bench = Bench::new();
    copied(&bench, "mixed");
    let before = demo(&bench);
    assert_eq!(before.code, 1, "{}", before.err);
    let results = bench.results();
    let vault = legacy_vault(&results);
    let waiver = format!("[[waiver]]\ncheck = \"KV-002\"\nsubject = \"{vault}\"\napprover = \"Grace\"\n{WAIVER}");
    bench.write("tenant/declared/waivers.toml", &waiver);
    let after = demo(&bench);
    assert_eq!(after.code, 1, "an accepted exception is one: {}", after.err);
    let results = bench.results();
    let fails: Vec<&Value> = of_check(&results, "KV-002").into_iter().filter(|one| one["outcome"] == "fail").collect();
    assert_eq!(fails[0]["accepted"]["approver"], "Grace");
    assert_eq!(fails[0]["accepted"]["until"], "2026-12-31");
    assert_eq!(fails[0]["accepted"]["waiver"]["page"], "waivers.toml");
    let control = &results["controls"].as_array().expect("controls")[2];
    assert_eq!((&control["id"], &control["conclusion"]), (&Value::from("TM-03"), &Value::from("exceptions")));
    assert_eq!(control["counts"]["accepted"], 1);
    assert_eq!(of_check(&results, "PACK-004")[0]["outcome"], "pass");
    assert_eq!(bench.read("demo/pack/declared/waivers.toml"), waiver, "the pack holds what was declared");
    let report = bench.read("demo/pack/report/report.html");
    assert!(report.contains("<strong>Accepted</strong> by"), "the page says so");
    let accepted: Vec<String> = bench
        .read("demo/pack/report/exceptions.csv")
        .lines()
        .filter(|line| line.contains("\"Grace\",\"2026-12-31\",\"declared/waivers.toml#/waiver/0\""))
        .map(str::to_owned)
        .collect();
    assert_eq!(accepted.len(), 1, "{accepted:#?}");
    let again = bench.run(&["reperform", "demo/pack"]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    let verified = bench.run(&["verify", "demo/pack", "--key", "demo/tickmark.pub.pem"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

#[test]
fn a_waiver_that_was_changed_in_the_pack_gives_other_results() {
    let bench = Bench::new();
    copied(&bench, "mixed");
    demo(&bench);
    let vault = legacy_vault(&bench.results());
    let waiver = format!("[[waiver]]\ncheck = \"KV-002\"\nsubject = \"{vault}\"\napprover = \"Grace\"\n{WAIVER}");
    bench.write("tenant/declared/waivers.toml", &waiver);
    demo(&bench);
    bench.write("demo/pack/declared/waivers.toml", &waiver.replace("Grace", "Mallory"));
    let again = bench.run(&["reperform", "demo/pack"]);
    assert_eq!(again.code, 1, "{}", again.out);
    assert!(again.out.contains("results.json"), "{}", again.out);
    let verified = bench.run(&["verify", "demo/pack", "--key", "demo/tickmark.pub.pem"]);
    assert_eq!(verified.code, 1, "{}", verified.out);
}

#[test]
fn a_mistake_stops_the_job_and_names_file_line_and_column() {
    let bench = Bench::new();
    copied(&bench, "empty");
    bench.write("tenant/declared/registers/networks.toml", "[[network]]\nnetwork = \"office\"\npurpose = \"p\"\n");
    let ran = demo(&bench);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("registers/networks.toml:2:11: `office` is not an IPv4 network"), "{}", ran.err);
    assert!(!bench.path("demo/pack").exists());
}

#[test]
fn a_record_made_by_hand_is_attached_sealed_and_named_at_its_control() {
    let bench = Bench::new();
    copied(&bench, "empty");
    bench.write("minutes.txt", "reviewed by Grace on 1 October\n");
    let attach = ["attach", "minutes.txt", "--control", "tm-03", "--title", "Minutes of the review"];
    let who = ["--person", "Grace Hopper", "--date", "2026-10-01", "--period", "2026Q3"];
    let first = bench.run(&[&attach[..], &who].concat());
    assert_eq!(first.code, 0, "{}", first.err);
    let second = bench.run(&[&attach[..], &who].concat());
    assert!(second.out.starts_with("at-0002 is attached to TM-03"), "{}", second.out);
    fs::rename(bench.path("attached"), bench.path("tenant/declared/attached")).expect("moved");
    let ran = demo(&bench);
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.err);
    assert_eq!(bench.read("demo/pack/declared/attached/at-0001/content.txt"), "reviewed by Grace on 1 October\n");
    let results = bench.results();
    let control = &results["controls"].as_array().expect("controls")[2];
    assert_eq!(control["attached"][0]["person"], "Grace Hopper");
    assert_eq!(control["attached"][1]["id"], "at-0002");
    assert!(bench.read("demo/pack/report/report.md").contains("Minutes of the review"));
    assert_eq!(bench.run(&["reperform", "demo/pack"]).code, 0);
}

#[test]
fn what_cannot_be_attached_leaves_nothing_behind() {
    let bench = Bench::new();
    bench.write("empty.txt", "");
    bench.write("minutes.txt", "m");
    let run = |file: &str, control: &str| {
        bench.run(&["attach", file, "--control", control, "--title", "t", "--person", "p", "--period", "2026Q3"])
    };
    for (ran, why) in [
        (run("empty.txt", "TM-03"), "is empty"),
        (run("gone.txt", "TM-03"), "cannot read `gone.txt`"),
        (run("minutes.txt", "TM-99"), "there is no control `TM-99`"),
    ] {
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(why), "{}", ran.err);
    }
    assert!(!bench.path("attached").exists());
}

#[test]
fn a_draft_of_what_was_found_becomes_registers_that_are_judged() {
    let bench = Bench::new();
    copied(&bench, "mixed");
    demo(&bench);
    let printed = bench.run(&["register", "suggest", "networks", "--pack", "demo/pack"]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(printed.out.contains("[[network]]\nnetwork = \"203.0.113.0/24\"\npurpose = \"\""), "{}", printed.out);
    let written = bench.run(&["register", "suggest", "--pack", "demo/pack", "--out", "registers"]);
    assert_eq!(written.code, 0, "{}", written.err);
    let again = bench.run(&["register", "suggest", "--pack", "demo/pack", "--out", "registers"]);
    assert_eq!(again.code, 2, "what a person has written is not replaced");
    let networks = bench.read("registers/networks.toml").replace("purpose = \"\"", "purpose = \"the office\"");
    bench.write("tenant/declared/registers/networks.toml", &networks);
    let before = of_check(&bench.results(), "KV-007").iter().filter(|one| one["outcome"] == "manual").count();
    demo(&bench);
    let after = of_check(&bench.results(), "KV-007").iter().filter(|one| one["outcome"] == "manual").count();
    assert_eq!((before, after), (1, 0));
}

#[test]
fn a_draft_of_administrators_that_somebody_approved_leaves_nobody_unlisted() {
    let bench = Bench::new();
    copied(&bench, "mixed");
    demo(&bench);
    let checks = ["NHI-008", "NHI-009", "KV-010"];
    let open = |bench: &Bench| -> Vec<String> {
        let results = bench.results();
        let all = checks.iter().flat_map(|check| of_check(&results, check));
        let open = all.filter(|one| one["outcome"] != "pass");
        open.map(|one| format!("{} {} {}", one["check"], one["subject"]["name"], one["because"])).collect()
    };
    assert_eq!(open(&bench).len(), 14, "without the register each list awaits a person");
    let draft = bench.run(&["register", "suggest", "administrators", "--pack", "demo/pack"]);
    assert_eq!(draft.code, 0, "{}", draft.err);
    let said = draft.out.replace("reason = \"\"", "reason = \"r\"").replace("approver = \"\"", "approver = \"a\"");
    bench.write("tenant/declared/registers/administrators.toml", &said);
    let ran = demo(&bench);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(open(&bench), Vec::<String>::new());
}

#[test]
fn what_is_set_for_a_nist_control_stands_at_the_controls_that_cite_it() {
    let bench = Bench::new();
    copied(&bench, "empty");
    let row = |control: &str, more: &str| {
        format!(
            "[[parameter]]\ncontrol = \"{control}\"\nparameter = \"time for disabling\"\nvalue = \"90 <days>\"\n{more}"
        )
    };
    let rows = [row("AC-2(3)", "until = 2026-12-31\n"), row("AC-99", ""), row("AC-6", "until = 2026-06-30\n")].concat();
    bench.write("tenant/declared/registers/parameters.toml", &rows);
    let ran = demo(&bench);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let results = bench.results();
    let controls = results["controls"].as_array().expect("controls");
    for control in controls {
        let cites = control["criteria"].as_array().expect("criteria").iter().any(|id| id == "AC-2(3)");
        let set = control["parameters"].as_array().map_or(0, Vec::len);
        assert_eq!(set, usize::from(cites), "{control}");
    }
    let one = controls.iter().find(|control| control["parameters"].is_array()).expect("a control");
    assert_eq!(
        (&one["parameters"][0]["value"], &one["parameters"][0]["until"]),
        (&"90 <days>".into(), &"2026-12-31".into())
    );
    let mut found: Vec<String> = of_check(&results, "PACK-005")
        .iter()
        .map(|one| format!("{} {}", one["subject"]["name"], one["outcome"]).replace('"', ""))
        .collect();
    found.sort();
    let of = |control: &str, outcome: &str| format!("{control} time for disabling {outcome}");
    assert_eq!(found, [of("AC-2(3)", "pass"), of("AC-6", "fail"), of("AC-99", "manual")]);
    let (page, text) = (bench.read("demo/pack/report/report.html"), bench.read("demo/pack/report/report.md"));
    assert!(page.contains("What the organisation sets") && page.contains("90 &lt;days&gt;"), "it is text");
    assert!(text.contains("The organisation sets: `AC-2(3)`, time for disabling: 90"), "{text}");
    assert_eq!(bench.run(&["reperform", "demo/pack"]).code, 0);
}
