//! Signing in, each way that a machine of tests can play: the run says which was used.

use std::fs;

use tickmark::evidence::Capture;

use super::azure::{Azure, Moods};
use super::harness::{Bench, Ran};
use super::replay::Tenant;

const CLIENT: &str = "cccccccc-0000-0000-0000-00000000000c";

fn azure() -> Azure {
    Azure::start(&Tenant::open("empty"), Moods { knows: Some("token-of-az".to_owned()), ..Moods::default() })
}

/// Collects with this value of `credential`, and further lines of its table.
fn collect(bench: &Bench, azure: &Azure, credential: &str, more: &str) -> Ran {
    let config = azure.config("CREDENTIAL").replace("\"CREDENTIAL\"\n", &format!("{credential}\n{more}"));
    bench.write("tickmark.toml", &config);
    bench.run(&["collect"])
}

/// The credential that the capture names.
fn used(bench: &Bench, ran: &Ran) -> String {
    let id = ran.out.lines().next().and_then(|line| line.strip_prefix("capture "));
    let id = id.unwrap_or_else(|| panic!("no capture: {}{}", ran.out, ran.err));
    let capture = Capture::open(&bench.path("tickmark-store/captures").join(id)).expect("a capture");
    let credentials = capture.records.iter().map(|record| record.run_as.credential.as_str());
    assert!(credentials.into_iter().all(|credential| credential == capture.head.run_as.credential));
    assert!(ran.err.contains(&format!("asking as {}\n", capture.head.run_as.credential)), "{}", ran.err);
    capture.head.run_as.credential
}

/// A bench on which `az` is this script.
fn with_az(bench: Bench, script: &str) -> Bench {
    let path = format!("{}:/usr/bin:/bin", bench.path("bin").display());
    fs::create_dir(bench.path("bin")).expect("a folder");
    bench.write("bin/az", &format!("#!/bin/sh\n{script}\n"));
    bench.shell("chmod +x bin/az");
    bench.with("PATH", &path)
}

const SIGNED_IN: &str = r#"echo '{"accessToken": "token-of-az", "expires_on": 4102444800, "tokenType": "Bearer"}'; echo "$@" >> "$(dirname "$0")/../asked""#;

#[test]
fn by_a_client_secret_with_a_warning() {
    let (azure, bench) = (azure(), Bench::new().with("AZURE_CLIENT_SECRET", "hunter2"));
    let ran = collect(&bench, &azure, "\"client_secret\"", "");
    assert_eq!(used(&bench, &ran), "client_secret");
    assert!(ran.err.contains("warning: whoever copies the client secret can sign in from anywhere"), "{}", ran.err);
    assert!(azure.proofs().iter().all(|proof| proof == "hunter2"));
}

#[test]
fn by_a_certificate_without_a_warning() {
    let (azure, bench) = (azure(), Bench::new());
    let made = bench.shell(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out app.pem -days 2 -subj /CN=c && cat key.pem >> app.pem",
    );
    assert_eq!(made.code, 0, "{}", made.err);
    let ran = collect(&bench, &azure, "\"client_certificate\"", "certificate_file = \"app.pem\"\n");
    assert_eq!(used(&bench, &ran), "client_certificate");
    assert!(!ran.err.contains("warning: whoever"), "{}", ran.err);
    let proofs = azure.proofs();
    assert!(!proofs.is_empty() && proofs.iter().all(|proof| proof.split('.').count() == 3), "signed: {proofs:?}");
}

#[test]
fn by_a_federated_token_file_as_in_kubernetes() {
    let (azure, bench) = (azure(), Bench::new());
    bench.write("federated", "of-the-cluster");
    let bench = bench.with("AZURE_FEDERATED_TOKEN_FILE", "federated");
    let ran = collect(&bench, &azure, "\"workload_identity\"", "");
    assert_eq!(used(&bench, &ran), "workload_identity");
    assert!(azure.proofs().iter().all(|proof| proof == "of-the-cluster"), "{:?}", azure.proofs());
}

#[test]
fn by_the_service_connection_of_a_pipeline() {
    let azure = azure();
    let bench = Bench::new()
        .with("SYSTEM_OIDCREQUESTURI", &format!("{}/oidc", azure.address()))
        .with("SYSTEM_ACCESSTOKEN", "job-token")
        .with("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "connection");
    let ran = collect(&bench, &azure, "\"azure_pipelines\"", "");
    assert_eq!(used(&bench, &ran), "azure_pipelines");
    assert!(azure.proofs().iter().all(|proof| proof == "of-the-job"), "{:?}", azure.proofs());
}

#[test]
fn by_the_managed_identity_of_an_app() {
    let azure = azure();
    let endpoint = format!("{}/identity", azure.address());
    let bench = Bench::new().with("IDENTITY_ENDPOINT", &endpoint).with("IDENTITY_HEADER", "of-the-app");
    let ran = collect(&bench, &azure, "\"managed_identity\"", "");
    assert_eq!(used(&bench, &ran), "managed_identity");
    let proofs = azure.proofs();
    let is_right = |proof: &String| proof.starts_with("of-the-app ") && proof.contains(&format!("client_id={CLIENT}"));
    assert!(!proofs.is_empty() && proofs.iter().all(is_right), "{proofs:?}");
}

#[test]
fn by_az_which_is_started_once_for_each_service() {
    let azure = azure();
    let bench = with_az(Bench::new(), SIGNED_IN);
    let ran = collect(&bench, &azure, "\"azure_cli\"", "");
    assert_eq!(used(&bench, &ran), "azure_cli");
    let asked = bench.read("asked");
    assert_eq!(asked.lines().count(), 1, "all services have the same audience here: {asked}");
    assert!(asked.starts_with("account get-access-token -o json --scope "), "{asked}");
}

#[test]
fn in_the_users_order_until_one_can() {
    let azure = azure();
    let bench = with_az(Bench::new().with("AZURE_CLIENT_SECRET", "hunter2"), SIGNED_IN);
    let ran = collect(&bench, &azure, "[\"workload_identity\", \"azure_cli\", \"client_secret\"]", "");
    assert_eq!(used(&bench, &ran), "azure_cli");
    let expected = "could not sign in by workload_identity: the credential `workload_identity` needs a token file in \
                    AZURE_FEDERATED_TOKEN_FILE\n";
    assert!(ran.err.contains(expected), "{}", ran.err);
    assert!(azure.proofs().is_empty(), "the secret was not needed");

    let bench = with_az(Bench::new().with("AZURE_CLIENT_SECRET", "hunter2"), "echo 'Please run az login' >&2; exit 1");
    let ran = collect(&bench, &azure, "[\"azure_cli\", \"client_secret\"]", "");
    assert_eq!(used(&bench, &ran), "client_secret");
    assert!(
        ran.err.contains("could not sign in by azure_cli: no token: ") && ran.err.contains("az login"),
        "{}",
        ran.err
    );
}

#[test]
fn where_none_of_them_can_nothing_is_begun() {
    let azure = azure();
    let bench = Bench::new().with("AZURE_CLIENT_SECRET", "wrong");
    let ran = collect(&bench, &azure, "[\"token\", \"client_secret\"]", "");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.starts_with("error: none of the credentials can sign in\ntoken: "), "{}", ran.err);
    assert!(ran.err.contains("\nclient_secret: no token: ") && !ran.err.contains("wrong"), "{}", ran.err);
    assert!(!bench.path("tickmark-store").exists());
}
