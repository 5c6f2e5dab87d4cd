//! Before a run: what works, who asks, and what the collector should not be able to do.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::harness::{Bench, Ran, tenant_folder};

const COLLECTOR: &str = "0d41b9f9-28df-44fc-86ad-e04cac332c2d";

fn doctor(bench: &Bench, tenant: &str) -> Ran {
    bench.run(&["--quiet", "doctor", "--replay", &tenant_folder(tenant).display().to_string()])
}

fn doctor_json(bench: &Bench, recording: &str) -> (i32, Value) {
    let ran = bench.run(&["--quiet", "--format", "json", "doctor", "--replay", recording]);
    (ran.code, serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err)))
}

/// How many questions ended in each state.
fn states(examination: &Value) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for asked in examination["questions"].as_array().expect("questions") {
        *counts.entry(asked["state"].as_str().expect("a state").to_owned()).or_default() += 1;
    }
    counts
}

/// The mixed tenant in `recording/`, asked by somebody else.
fn asked_by(bench: &Bench, object_id: &str) -> String {
    let from = tenant_folder("mixed");
    fs::create_dir_all(bench.path("recording/answers")).expect("a folder");
    fs::copy(from.join("answers.json"), bench.path("recording/answers.json")).expect("copied");
    for file in fs::read_dir(from.join("answers")).expect("a folder") {
        let file = file.expect("a file");
        fs::copy(file.path(), bench.path("recording/answers").join(file.file_name())).expect("copied");
    }
    let head = fs::read_to_string(from.join("tenant.json")).expect("a head");
    assert!(head.contains(COLLECTOR));
    bench.write("recording/tenant.json", &head.replace(COLLECTOR, object_id));
    bench.path("recording").display().to_string()
}

#[test]
fn where_everything_is_granted_all_works_and_nothing_is_kept() {
    let bench = Bench::new();
    let ran = doctor(&bench, "mixed");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for words in [
        &format!("object id    {COLLECTOR}"),
        "✓ works              deleted vaults",
        "– no such table      vault log rows (AzureDiagnostics)",
        "none seen in 2 subscriptions and above",
        "questions that could be asked would be answered",
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    assert!(!ran.out.contains('✗') && !ran.out.contains("Warnings"), "{}", ran.out);
    assert!(bench.files(".").is_empty(), "nothing is kept");
}

#[test]
fn a_refusal_names_permission_and_scope() {
    let bench = Bench::new();
    let ran = doctor(&bench, "denied");
    assert_eq!(ran.code, 3, "{}", ran.out);
    let refused = "/subscriptions/ed93a94d-c4ca-4c8a-b9ab-24148f502c6f";
    assert!(ran.out.contains(&format!("`Microsoft.KeyVault/vaults/read` at `{refused}`")), "{}", ran.out);
    assert!(ran.out.contains("`tickmark role` prints how to grant what is missing:\n"), "{}", ran.out);
    assert!(ran.out.contains("the collector's own rights could not be checked"), "{}", ran.out);

    let (code, examination) = doctor_json(&bench, &tenant_folder("denied").display().to_string());
    assert_eq!((code, &examination["all_works"]), (3, &Value::Bool(false)));
    let counts = states(&examination);
    // every question about that subscription; the workspace without either table
    let about_it = tickmark::evidence::Kind::ALL.iter().filter(|kind| kind.is_per_subscription()).count();
    let at_refused = |asked: &&Value| asked["state"] == "refused" && asked["scope"] == refused;
    let of_it = examination["questions"].as_array().expect("questions").iter().filter(at_refused).count();
    assert!(of_it > about_it / 2 && counts["refused"] >= of_it, "{of_it} of {about_it}: {counts:?}");
    for asked in examination["questions"].as_array().expect("questions").iter().filter(at_refused) {
        assert_eq!(asked["scope"], refused);
        assert_eq!(asked["reason"], "forbidden");
        assert!(asked["permissions"][0].as_str().expect("a permission").ends_with("/read"));
    }
}

#[test]
fn an_empty_tenant_is_answered_and_its_collector_only_reads() {
    let bench = Bench::new();
    let (code, examination) = doctor_json(&bench, &tenant_folder("empty").display().to_string());
    let counts = states(&examination);
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["not_asked", "works"], "{counts:?}");
    let rights = &examination["rights"];
    // no role assignment is shown there, and Azure says what the identity may do all the same
    assert_eq!((&rights["looked_at"], &rights["reads_every_type"]), (&Value::from(0), &Value::Bool(true)));
    assert_eq!(
        (&rights["excess"], &rights["not_checked"]),
        (&Value::from(Vec::<u8>::new()), &Value::from(Vec::<u8>::new()))
    );
    assert_eq!(code, 0);
}

#[test]
fn rights_that_a_collector_should_not_have_are_named() {
    let bench = Bench::new();
    let recording = asked_by(&bench, "7220f100-bcd4-432c-ba67-b96bef340e05"); // sp-landing-zone
    let (code, examination) = doctor_json(&bench, &recording);
    assert_eq!(code, 3);
    let excess = examination["rights"]["excess"].as_array().expect("a list");
    assert_eq!(excess.len(), 1, "{excess:#?}");
    assert_eq!(excess[0]["by"], "role `User Access Administrator`");
    assert!(excess[0]["gives"].as_array().expect("a list").contains(&Value::from("grant access")), "{excess:#?}");
}

#[test]
fn rights_are_followed_through_groups_and_from_above() {
    let bench = Bench::new();
    // in a group in the group that holds Key Vault Secrets User at a management group
    let recording = asked_by(&bench, "cbfcb6f3-8e6a-4a0e-8a5a-000000000000");
    let (_, stranger) = doctor_json(&bench, &recording);
    assert!(stranger["rights"]["excess"].as_array().expect("a list").is_empty());

    let bench = Bench::new();
    let (_, member) = doctor_json(&bench, &asked_by(&bench, "812c66ca-d09c-44a6-9956-67634438bc1e"));
    let excess = member["rights"]["excess"].as_array().expect("a list");
    assert_eq!(excess.len(), 1, "{excess:#?}");
    assert_eq!(excess[0]["scope"], "/providers/Microsoft.Management/managementGroups/mg-brightwater");
    assert!(excess[0]["group"].is_string());
    assert!(excess[0]["gives"].as_array().expect("a list").contains(&Value::from("read secret values")));
}

#[test]
fn strict_rights_refuse_before_the_first_question_of_the_plan() {
    let bench = Bench::new();
    let recording = asked_by(&bench, "7220f100-bcd4-432c-ba67-b96bef340e05");
    let ran = bench.run(&["--quiet", "collect", "--strict-rights", "--replay", &recording]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("rights that a collector must not have"), "{}", ran.err);
    assert!(ran.err.contains("/providers/Microsoft.Authorization/roleAssignments/"), "{}", ran.err);
    assert!(!bench.path("tickmark-store").exists(), "nothing was collected");
    // without the option it is collected, and judged like any other identity
    assert_eq!(bench.run(&["--quiet", "collect", "--replay", &recording]).code, 0);
}

#[test]
fn a_run_says_what_the_collector_must_not_have_and_seals_it_in() {
    let bench = Bench::new();
    let ran = bench.run(&["collect", "--replay", &asked_by(&bench, "7220f100-bcd4-432c-ba67-b96bef340e05")]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let warned = "warning: the collecting identity must not have this: role `User Access Administrator` at";
    assert!(ran.err.contains(warned) && ran.err.contains("`--strict-rights`"), "{}", ran.err);
    assert_eq!(bench.run(&["assess", "--out", "out"]).code, 1);
    let results: Value = serde_json::from_str(&bench.read("out/results.json")).expect("JSON");
    let collector = &results["collector"];
    assert_eq!(collector["objectId"], "7220f100-bcd4-432c-ba67-b96bef340e05");
    let excess = &collector["mustNotHave"][0];
    assert_eq!(excess["by"], "role `User Access Administrator`");
    assert!(excess["gives"].as_array().expect("a list").contains(&Value::from("grant access")));
    assert!(!excess["evidence"].as_array().expect("a list").is_empty(), "it is cited");
    let report = bench.read("out/report/report.md");
    assert!(report.contains("The collecting identity could do more than read"));
    assert!(report.contains("- Its own rights: 1 right that a collector must not have"));

    let bench = Bench::new();
    let ran = bench.run(&["collect", "--replay", &tenant_folder("mixed").display().to_string()]);
    assert!(!ran.err.contains("must not have"), "{}", ran.err);
    bench.run(&["assess", "--out", "out"]);
    let results: Value = serde_json::from_str(&bench.read("out/results.json")).expect("JSON");
    let none = Value::from(Vec::<u8>::new());
    assert_eq!((&results["collector"]["mustNotHave"], &results["collector"]["notChecked"]), (&none, &none));
    assert_eq!(results["collector"]["effective"].as_array().expect("a list").len(), 2, "one for each subscription");
}

#[test]
fn strict_rights_refuse_what_cannot_be_told() {
    let bench = Bench::new();
    let denied = tenant_folder("denied").display().to_string();
    let ran = bench.run(&["--quiet", "collect", "--strict-rights", "--replay", &denied]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("could not be checked") && ran.err.contains("HTTP 403"), "{}", ran.err);

    let good = tenant_folder("mixed").display().to_string();
    let ran = bench.run(&["--quiet", "collect", "--strict-rights", "--replay", &good]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(bench.path("tickmark-store").exists());
}

#[test]
fn the_role_is_printed_in_every_form_and_takes_its_scopes_from_the_configuration() {
    let bench = Bench::new();
    let role: Value = serde_json::from_str(&bench.run(&["role", "--as", "json"]).out).expect("JSON");
    assert!(role["Actions"].as_array().expect("actions").len() > 20);
    assert!(bench.run(&["role", "--as", "bicep"]).out.contains("targetScope = 'managementGroup'"));
    assert!(bench.run(&["role", "--as", "markdown"]).out.starts_with("# Permissions\n"));

    bench.write(
        "tickmark.toml",
        "[organisation]\nname = \"A\"\nsystem = \"B\"\n[azure]\ntenant_id = \"11111111-1111-1111-1111-111111111111\"\n\
         management_groups = [\"mg-a\", \"mg-b\"]\n",
    );
    let script = bench.run(&["role", "--principal", COLLECTOR]).out;
    let groups = "/providers/Microsoft.Management/managementGroups";
    for words in [
        format!("WHO='{COLLECTOR}'"),
        format!("give \"$ROLE\" '{groups}/mg-a'\ngive \"$ROLE\" '{groups}/mg-b'\n"),
        format!("give \"Management Group Reader\" '{groups}/11111111-1111-1111-1111-111111111111'"),
        // a custom role names one management group at most
        format!("\"{groups}/11111111-1111-1111-1111-111111111111\""),
    ] {
        assert!(script.contains(&words), "{words}: {script}");
    }
    assert!(!script.contains("DataActions\": [\n"), "nothing is asked of vaults: {script}");
    let config = bench.read("tickmark.toml");
    bench.write("tickmark.toml", &format!("{config}vault_objects = \"data_plane\"\n"));
    let asking_vaults = bench.run(&["role"]).out;
    let given = "give 'Tickmark Collector Vault Metadata' '/subscriptions/SUBSCRIPTION-ID'";
    assert!(
        asking_vaults.contains("secrets/readMetadata/action\"") && asking_vaults.contains(given),
        "{asking_vaults}"
    );
    assert!(bench.run(&["role", "--built-in"]).out.contains("give 'Key Vault Reader' '"), "{asking_vaults}");
    bench.write("tickmark.toml", &config);
    let script = bench.run(&["role", "--built-in"]).out;
    assert!(
        script.contains(&format!("give Reader '{groups}/mg-a'\n")) && !script.contains("role definition"),
        "{script}"
    );
    assert!(script.contains("for PERMISSION in Application.Read.All"), "{script}");
    assert_eq!(bench.run(&["role", "--principal", "$(id)"]).code, 2);
}
