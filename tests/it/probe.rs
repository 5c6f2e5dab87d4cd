//! `tickmark probe`: the script under `sh`, against a vault on this machine and an `az` that is none.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use tickmark::declared::{Declared, Probe};

use super::harness::{Bench, Ran};

const VALUE: &str = "the-canary-value-of-the-vault";
const WITHOUT: &str = "aaaaaaaa-0000-0000-0000-000000000001";
const WITH: &str = "aaaaaaaa-0000-0000-0000-000000000002";
/// The payloads, base64url without padding: `{"aud":"https://vault.azure.net","oid":"…1","appid":"…1","idtyp":"app",
/// "xms_mirid":"/subscriptions/s/x/id-without","iat":1755525600,"exp":1755612000,"sub":"not kept?>"}`, and one with `azp`.
const TOKEN_WITHOUT: &str = concat!(
    "eyJ0eXAiOiJKV1QifQ.",
    "eyJhdWQiOiJodHRwczovL3ZhdWx0LmF6dXJlLm5ldCIsIm9pZCI6ImFhYWFhYWFhLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMSIsImFwcGlkIjoiYWFhYWFhYWEtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAxIiwiaWR0eXAiOiJhcHAiLCJ4bXNfbWlyaWQiOiIvc3Vic2NyaXB0aW9ucy9zL3gvaWQtd2l0aG91dCIsImlhdCI6MTc1NTUyNTYwMCwiZXhwIjoxNzU1NjEyMDAwLCJzdWIiOiJub3Qga2VwdD8-In0",
    ".c2lnbmF0dXJlLW9mLW9uZQ"
);
const TOKEN_WITH: &str = concat!(
    "eyJ0eXAiOiJKV1QifQ.",
    "eyJhdWQiOiJodHRwczovL3ZhdWx0LmF6dXJlLm5ldCIsIm9pZCI6ImFhYWFhYWFhLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMiIsImF6cCI6ImFhYWFhYWFhLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMiIsImlhdCI6MTc1NTUyNTYwMCwiZXhwIjoxNzU1NjEyMDAwfQ",
    ".c2lnbmF0dXJlLW9mLXR3bw"
);

/// A vault that listens on this machine: its address, and the heads of the requests that came.
fn vault() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (heard, own) = (seen.clone(), address.clone());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a client");
            let lines = BufReader::new(stream.try_clone().expect("the same")).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let head = head.join("\n");
            stream.write_all(answer(&head, &own).as_bytes()).expect("written");
            heard.lock().expect("a list").push(head);
        }
    });
    (address, seen)
}

fn answer(head: &str, own: &str) -> String {
    let challenge = "WWW-Authenticate: Bearer authorization=\"https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111\", resource=\"https://vault.azure.net\"\r\n";
    let (status, further, body) = if head.contains(TOKEN_WITH) {
        let id = format!("{own}/secrets/canary/0123456789abcdef0123456789abcdef");
        ("200 OK", "", format!(r#"{{"value": "{VALUE}", "id": "{id}", "attributes": {{"enabled": true}}}}"#))
    } else if head.contains(TOKEN_WITHOUT) {
        let error = r#"{"code": "Forbidden", "message": "Caller is not authorized: appid=1", "innererror": {"code": "ForbiddenByRbac"}}"#;
        ("403 Forbidden", "", format!(r#"{{"error": {error}}}"#))
    } else {
        ("401 Unauthorized", challenge, r#"{"error": {"code": "Unauthorized", "message": "AKV10000"}}"#.to_owned())
    };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-Ms-Request-Id: dddddddd-0000-4000-8000-000000000001\r\n\
         {further}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Writes the script for a vault at `address`, and `bin/az`.
fn prepared(bench: &Bench, address: &str) {
    let ran = bench.run(&["probe", "--vault", address, "--secret", "canary", "--out", "probe.sh"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    fs::create_dir_all(bench.path("bin")).expect("a folder");
    let az = format!(
        "#!/bin/sh\n[ \"$*\" = 'account get-access-token --resource https://vault.azure.net --query accessToken --output tsv' ] || exit 9\n\
         case $AZURE_CONFIG_DIR in without) echo '{TOKEN_WITHOUT}' ;; with) echo '{TOKEN_WITH}' ;; *) exit 1 ;; esac\n"
    );
    bench.write("bin/az", &az);
    fs::set_permissions(bench.path("bin/az"), fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// Runs the script, traced, which must not show a token either; none where this machine lacks what it needs, which is said past the harness.
fn run(bench: &Bench, variables: &str, args: &str) -> Option<Ran> {
    let has = bench.shell("command -v curl && command -v jq");
    if has.code != 0 {
        std::io::stderr().write_all(b"SKIPPED: the script of `tickmark probe` needs curl and jq\n").expect("stderr");
        return None;
    }
    Some(
        bench
            .shell(&format!("export TMPDIR=$PWD NO_PROXY='*'; PATH=$PWD/bin:$PATH; {variables} sh -x probe.sh {args}")),
    )
}

/// The record that was written, as tickmark reads it.
fn record(bench: &Bench, name: &str) -> Probe {
    let bytes = fs::read(bench.path(name)).expect("a record");
    let declared = Declared::read(BTreeMap::from([(name.to_owned(), bytes)])).expect("a record that is read");
    declared.probes.into_iter().next().expect("one")
}

/// Every file of the bench but those that the test wrote, and what was printed, holds none of these.
fn nowhere(bench: &Bench, ran: &Ran, needles: &[&str]) {
    let files = bench.files("");
    let written = files.iter().filter(|(name, _)| !name.starts_with("bin/"));
    let texts = written.map(|(name, bytes)| (name.as_str(), String::from_utf8_lossy(bytes).into_owned()));
    for (name, text) in texts.chain([("out", ran.out.clone()), ("err", ran.err.clone())]) {
        for needle in needles {
            assert!(!text.contains(needle), "{name} holds {needle}");
        }
    }
}

const SECRETS: [&str; 7] =
    [VALUE, "canary-value", TOKEN_WITHOUT, TOKEN_WITH, "c2lnbmF0dXJl", "eyJhdWQi", "Caller is not authorized"];

#[test]
fn the_script_makes_three_calls_and_keeps_what_was_answered_but_no_token_and_no_value() {
    let bench = Bench::new();
    let (address, seen) = vault();
    prepared(&bench, &address);
    let variables = "PROBE_PERSON='Grace \"H\" Hopper' PROBE_WITHOUT_ROLE_AZ=without PROBE_WITH_ROLE_AZ=with";
    let Some(ran) = run(&bench, variables, "probes/one.toml") else { return };
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(
        ran.out.lines().take(3).collect::<Vec<_>>(),
        ["without_token: 401", "without_role: 403", "with_role: 200"]
    );
    nowhere(&bench, &ran, &SECRETS);

    let probe = record(&bench, "probes/one.toml");
    assert_eq!((probe.vault.as_str(), probe.person.as_str()), (address.as_str(), "Grace \"H\" Hopper"));
    let answered: Vec<u16> = probe.calls().map(|(_, call)| call.status).collect();
    assert_eq!(answered, [401, 403, 200]);
    let [knock, refused, read] =
        [&probe.without_token, &probe.without_role, &probe.with_role].map(|call| call.clone().expect("a call"));
    let told = |web: Option<tickmark::declared::Web>| web.map(|web| web.as_str().to_owned());
    assert_eq!(told(knock.resource).as_deref(), Some("https://vault.azure.net"));
    assert_eq!(
        told(knock.authorization).as_deref(),
        Some("https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111")
    );
    let inner = refused.inner_code.as_ref().map(|code| code.as_str());
    assert_eq!(inner, Some("ForbiddenByRbac"));
    let of = |call: &tickmark::declared::Call| call.token.clone().expect("facts");
    let (without, with) = (of(&refused), of(&read));
    assert_eq!(without.oid.as_ref().map(|oid| oid.as_str()), Some(WITHOUT));
    assert_eq!(without.xms_mirid.as_ref().map(|id| id.as_str()), Some("/subscriptions/s/x/id-without"));
    assert_eq!((without.iat, without.exp), (Some(1_755_525_600), Some(1_755_612_000)));
    assert_eq!(with.oid.as_ref().map(|oid| oid.as_str()), Some(WITH));
    assert_eq!(with.appid.as_ref().map(|id| id.as_str()), Some(WITH), "an application of version 2 calls it azp");
    assert_eq!((read.length, read.id.is_some()), (Some(VALUE.len() as u64), true));

    // what the log will tell the calls from others by
    let seen = seen.lock().expect("a list");
    let client = probe.client.as_ref().expect("a user agent").as_str();
    assert_eq!(seen.len(), 3);
    for (head, call) in seen.iter().zip([knock.ids, refused.ids, read.ids]) {
        assert!(head.starts_with("GET /secrets/canary?api-version=7.4 "), "{head}");
        assert!(head.contains(&format!("User-Agent: {client}")), "{head}");
        assert!(head.contains(&format!("x-ms-client-request-id: {}", call[0].as_str())), "{head}");
        assert_eq!(call[1].as_str(), "dddddddd-0000-4000-8000-000000000001", "the vault's own id");
    }
}

#[test]
fn tokens_may_come_from_the_environment_and_a_call_without_one_is_left_out() {
    let bench = Bench::new();
    let (address, _) = vault();
    prepared(&bench, &address);
    let variables = format!("PROBE_PERSON=Grace PROBE_WITH_ROLE_TOKEN={TOKEN_WITH}");
    let Some(ran) = run(&bench, &variables, "") else { return };
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    nowhere(&bench, &ran, &SECRETS);
    let files = bench.files("probes");
    let name = files.keys().next().expect("a record under a name of its own");
    assert!(name.starts_with("127-") && name.ends_with(".toml") && files.len() == 1, "{files:?}");
    let probe = record(&bench, &format!("probes/{name}"));
    let answered: Vec<(&str, u16)> = probe.calls().map(|(words, call)| (words, call.status)).collect();
    assert_eq!(answered, [("without a token", 401), ("with a role", 200)]);
    assert_eq!(
        fs::read_dir(bench.path("")).expect("a folder").count(),
        3,
        "bin, probe.sh, probes: nothing is left over"
    );
}

#[test]
fn a_vault_that_does_not_answer_is_recorded_as_that() {
    let bench = Bench::new();
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    prepared(&bench, &format!("http://{nobody}"));
    let variables = "PROBE_PERSON=Grace PROBE_WITHOUT_ROLE_AZ=without";
    let Some(ran) = run(&bench, variables, "one.toml") else { return };
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    fs::create_dir_all(bench.path("probes")).expect("a folder");
    fs::rename(bench.path("one.toml"), bench.path("probes/one.toml")).expect("kept");
    let answered: Vec<u16> = record(&bench, "probes/one.toml").calls().map(|(_, call)| call.status).collect();
    assert_eq!(answered, [0, 0]);
}

#[test]
fn the_script_refuses_to_run_for_nobody_and_to_replace_a_record() {
    let bench = Bench::new();
    let (address, seen) = vault();
    prepared(&bench, &address);
    bench.write("there.toml", "kept");
    for (variables, args, words) in [
        ("", "", "say who runs this"),
        ("PROBE_PERSON=Grace", "there.toml", "there.toml is there already"),
        ("PROBE_PERSON=Grace PROBE_WITH_ROLE_TOKEN='a\"b'", "", "what was given as a token is none"),
    ] {
        let Some(ran) = run(&bench, variables, args) else { return };
        assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains(words), "{}", ran.err);
    }
    assert_eq!((bench.read("there.toml").as_str(), seen.lock().expect("a list").len()), ("kept", 0));
}
