//! `tickmark demo`: the recorded tenant of the README, from questions to a verified pack.

use serde_json::Value;
use tickmark::evidence::sha256_hex;

use super::harness::{Bench, findings, tenant_folder};

fn demo(bench: &Bench) -> super::harness::Ran {
    bench.run(&["demo", "--out", "demo"])
}

#[test]
fn the_demo_leaves_a_pack_that_verifies_and_reperforms() {
    let bench = Bench::new();
    let ran = demo(&bench);
    assert_eq!(ran.code, 1, "the demo tenant has exceptions\n{}\n{}", ran.out, ran.err);
    assert!(ran.out.contains("tickmark verify demo/pack --key demo/tickmark.pub.pem"), "{}", ran.out);

    let verified = bench.run(&["verify", "demo/pack", "--key", "demo/tickmark.pub.pem"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    assert!(verified.out.ends_with("The pack is as it was signed.\n"), "{}", verified.out);

    let again = bench.run(&["reperform", "demo/pack"]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    assert!(again.out.starts_with("identical: "), "{}", again.out);
}

#[test]
fn two_demos_are_the_same_byte_for_byte() {
    let (one, two) = (Bench::new(), Bench::new());
    demo(&one);
    demo(&two);
    assert_eq!(one.files("demo/pack"), two.files("demo/pack"));
    demo(&one); // over itself
    assert_eq!(one.files("demo/pack"), two.files("demo/pack"));
}

#[test]
fn the_scenario_is_told_by_the_results() {
    let bench = Bench::new();
    demo(&bench);
    let results = bench.results();
    let fails: Vec<&str> = results["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| finding["outcome"] == "fail")
        .map(|finding| finding["check"].as_str().expect("an id"))
        .collect();
    // a vault as the portal makes it: no purge protection, open to every network
    assert!(fails.contains(&"KV-006") && fails.contains(&"KV-007"), "{fails:?}");
    let vault = "kv-idsentinel-azureuser";
    assert_eq!(findings(&results, "KV-002"), [(vault.to_owned(), "pass".to_owned())]);
    assert_eq!(findings(&results, "LOG-001"), [(vault.to_owned(), "pass".to_owned())]);
    assert!(findings(&results, "RBAC-001").iter().all(|(_, outcome)| outcome == "pass"));

    let report = bench.read("demo/pack/report/report.md");
    for words in ["Break/fix", "401", "403", "ForbiddenByRbac", "Key Vault Secrets User", "IDS-NHI-VM"] {
        assert!(report.contains(words), "{words} is not in the report");
    }
}

#[test]
fn an_edited_page_is_named_by_reperform_and_by_verify() {
    let bench = Bench::new();
    demo(&bench);
    let vaults = bench
        .files("demo/pack/evidence")
        .into_iter()
        .find(|(_, bytes)| String::from_utf8_lossy(bytes).contains("\"enableRbacAuthorization\": true"))
        .expect("the vault's page");
    let edited = String::from_utf8(vaults.1)
        .expect("UTF-8")
        .replace("\"enableRbacAuthorization\": true", "\"enableRbacAuthorization\": false");
    bench.write(&format!("demo/pack/evidence/{}", vaults.0), &edited);

    let again = bench.run(&["reperform", "demo/pack"]);
    assert_eq!(again.code, 1);
    assert!(again.out.contains(&format!("differs evidence/{}", vaults.0)), "{}", again.out);
    assert!(again.out.contains("differs results.json"), "{}", again.out);

    let verified = bench.run(&["verify", "demo/pack", "--key", "demo/tickmark.pub.pem"]);
    assert_eq!(verified.code, 1);
    assert!(verified.out.contains(&vaults.0), "{}", verified.out);
    assert!(verified.out.ends_with("The pack does NOT verify.\n"), "{}", verified.out);
}

#[test]
fn a_folder_that_is_not_a_demo_is_left_alone() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("mine/pack")).expect("a folder");
    bench.write("mine/pack/thesis.txt", "years of work");
    let ran = bench.run(&["demo", "--out", "mine"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`mine/pack` is there and is not a demo's"), "{}", ran.err);
    assert_eq!(bench.read("mine/pack/thesis.txt"), "years of work");
}

#[test]
fn whoever_has_the_list_of_role_changes_finds_its_digest_and_the_sample() {
    let bench = Bench::new();
    let tenant = tenant_folder("mixed").display().to_string();
    let ran = bench.run(&["--quiet", "demo", "--out", "demo", "--replay", &tenant]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let text = bench.read("demo/pack/report/population-changes.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let items: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    let digest = sha256_hex(items.join("\n").as_bytes());
    let results = bench.results();
    let of_check = |one: &&Value| one["check"] == "RBAC-013" && one["subject"]["kind"] == "population";
    let told = results["findings"].as_array().expect("findings").iter().find(of_check).expect("the population");
    let because = told["because"].as_str().expect("words");
    assert!(because.starts_with(&format!("{} items, SHA-256 of their list {digest};", rows.len())), "{because}");
    // the first in order of the digest over seed (here none) and item
    let first = items.iter().min_by_key(|item| sha256_hex(format!("\n{item}").as_bytes())).expect("an item");
    let drawn: Vec<&str> = rows.iter().filter(|row| &row[3] == "1").map(|row| &row[0]).collect();
    assert_eq!(drawn, [*first]);
}
