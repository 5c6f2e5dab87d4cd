//! A known string, shown by a recorded tenant wherever Azure may show a secret and carried by our own token, is in
//! nothing that is written or printed.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::azure::{Azure, Moods};
use super::harness::{Bench, Ran, tenant_folder};
use super::needles::Needles;
use super::replay::Tenant;

const CANARY: &str = "tmk-CANARY-7f3a9c51e8d24b06-SECRET";
const TOKEN: &str = "tmk-TOKEN-93b1c6e07d5f4a28-SECRET";

fn canary() -> Needles {
    Needles::of(CANARY, &["tmk-CANARY", "7f3a9c51e8d24b06"])
}

fn token() -> Needles {
    Needles::of(TOKEN, &["tmk-TOKEN", "93b1c6e07d5f4a28"])
}

/// Everything in the folder of the bench, and what the commands printed.
fn written(bench: &Bench, runs: &[Ran]) -> BTreeMap<String, Vec<u8>> {
    let mut files = bench.files(".");
    assert!(files.len() > 20, "only {} files", files.len());
    for (number, ran) in runs.iter().enumerate() {
        files.insert(format!("standard output of run {number}"), ran.out.clone().into_bytes());
        files.insert(format!("standard error of run {number}"), ran.err.clone().into_bytes());
    }
    files
}

#[test]
fn the_recording_shows_it_in_many_forms() {
    let answers = std::fs::read(tenant_folder("canary").join("answers.json")).expect("a recording");
    let found = canary().found_in(&answers).join(", ");
    for form in ["plain", "hex", "base64, alignment 0", "base64, alignment 1"] {
        assert!(found.contains(form), "{form} is not among {found}");
    }
    let places = String::from_utf8(answers).expect("UTF-8").matches("tmk-CANARY").count();
    assert!(places > 30, "only {places} places");
}

#[test]
fn nothing_that_the_demo_writes_or_prints_holds_it() {
    let bench = Bench::new();
    let recording = tenant_folder("canary").display().to_string();
    let demo = bench.run(&["demo", "--out", "demo", "--replay", &recording]);
    assert_eq!(demo.code, 1, "{}", demo.err);
    let runs = [
        demo,
        bench.run(&["verify", "demo/pack", "--key", "demo/tickmark.pub.pem"]),
        bench.run(&["reperform", "demo/pack"]),
        bench.run(&["--store", "demo/store", "assess", "--format", "json"]),
    ];
    let files = written(&bench, &runs);
    assert!(files.keys().any(|name| name.ends_with("report.html")), "{:?}", files.keys());
    canary().assert_absent(&files);
}

#[test]
fn nothing_that_a_run_with_a_zip_writes_or_prints_holds_it() {
    let bench = Bench::new().with("TICKMARK_KEY_PASSPHRASE", "correct horse");
    let recording = tenant_folder("canary").display().to_string();
    bench.run(&["init", "--tenant", "f2ec6b4c-dbab-4220-9599-c663e261db2d"]);
    let ran =
        bench.run(&["run", "--replay", &recording, "--period", "2026Q3", "--out", "pack", "--zip", "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let files = written(&bench, &[ran]);
    assert!(files.contains_key("pack.zip"), "{:?}", files.keys());
    canary().assert_absent(&files);
}

#[test]
fn nothing_that_vaults_list_of_themselves_lets_it_through() {
    let bench = Bench::new().with("TICKMARK_KEY_PASSPHRASE", "correct horse");
    let recording = tenant_folder("canary").display().to_string();
    bench.run(&["init", "--tenant", "f2ec6b4c-dbab-4220-9599-c663e261db2d"]);
    let config = bench.read("tickmark.toml");
    bench.write("tickmark.toml", &config.replace("# vault_objects = \"arm\"", "vault_objects = \"data_plane\""));
    let ran = bench.run(&["collect", "--replay", &recording, "--period", "2026Q3"]);
    assert_eq!(ran.code, 3, "two questions are refused: {}", ran.err);
    let files = written(&bench, &[ran]);
    let has = |text: &str| files.values().any(|bytes| String::from_utf8_lossy(bytes).contains(text));
    assert!(has("https://kv-bench.vault.azure.net/certificates/bench-tls") && has("vault_deleted_secrets"));
    canary().assert_absent(&files);
}

#[test]
fn no_form_of_our_own_token_is_written_or_printed() {
    let claims = format!(r#"{{"oid":"o-1","appid":"a-1","tid":"t-1","name":"{TOKEN}"}}"#);
    let jwt = format!("eyJhbGciOiJub25lIn0.{}.{TOKEN}", URL_SAFE_NO_PAD.encode(claims));
    for token_text in [jwt, TOKEN.to_owned()] {
        let moods = Moods {
            knows: Some(token_text.clone()),
            echoes_the_token: Some("/denyAssignments?"),
            throttles_once: Some("/vaults?"),
            ..Moods::default()
        };
        let azure = Azure::start(&Tenant::open("canary"), moods);
        let bench = Bench::new().with("TICKMARK_TOKEN", &token_text);
        bench.write("tickmark.toml", &azure.config("token"));
        let collected = bench.run(&["collect"]);
        assert_eq!(collected.code, 3, "two questions are refused: {}", collected.err);
        assert!(azure.seen().iter().all(|one| one.bearer.as_deref() == Some(token_text.as_str())));
        let assessed = bench.run(&["assess", "--out", "out"]);
        let files = written(&bench, &[collected, assessed]);
        token().assert_absent(&files);
        canary().assert_absent(&files);

        // and when nobody takes it
        let strict = Azure::start(&Tenant::open("canary"), Moods::default());
        let bench = Bench::new().with("TICKMARK_TOKEN", &token_text);
        bench.write("tickmark.toml", &strict.config("token"));
        let refused = bench.run(&["collect"]);
        assert_eq!(refused.code, 3, "{}", refused.err);
        let assessed = bench.run(&["assess", "--out", "out"]);
        token().assert_absent(&written(&bench, &[refused, assessed]));
    }
}

#[test]
fn a_client_secret_is_not_written_or_printed_when_it_is_refused() {
    let azure = Azure::start(&Tenant::open("canary"), Moods::default());
    let bench = Bench::new().with("AZURE_CLIENT_SECRET", TOKEN);
    bench.write("tickmark.toml", &azure.config("client_secret"));
    let refused = bench.run(&["collect"]);
    assert!([2, 3].contains(&refused.code), "{}", refused.err);
    let mut files = bench.files(".");
    files.insert("output".to_owned(), [refused.out, refused.err].concat().into_bytes());
    token().assert_absent(&files);
}
