//! What an auditor runs without anything of ours: openssl, sha256sum, jq.

use rand_core::OsRng;

use super::super::tsa;
use super::*;

/// Runs a recipe in the pack, with the trusted key beside it as `../TRUSTED.pub.pem`.
fn run(good: &Good, recipe: &str) -> (bool, String) {
    let key = good.pack.with_file_name("TRUSTED.pub.pem");
    fs::write(&key, trusted().to_pem().expect("a pem")).expect("the key");
    let script = format!("set -euo pipefail\nW=$(mktemp -d)\ntrap 'rm -r $W' EXIT\n{recipe}");
    let output = Command::new("bash").args(["-c", &script]).current_dir(&good.pack).output().expect("bash");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

const HUMAN: &str = r"
openssl dgst -sha256 -verify ../TRUSTED.pub.pem -signature attestation/SHA256SUMS.sig SHA256SUMS
sha256sum -c --strict SHA256SUMS";

const NOTHING_ADDED: &str = r"
find . -type f ! -path './attestation/*' ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | diff - <(cut -d'*' -f2- SHA256SUMS)
[ -z $(find . ! -type f ! -type d ; find . -type d -empty ; find . -type f -links +1) ]";

const AUTHORITATIVE: &str = r#"
E=attestation/pack.dsse.json; T=$(jq -er .payloadType $E); [ "$T" = application/vnd.in-toto+json ]; [ "$(jq '.signatures|length' $E)" = 1 ]
jq -er .payload $E | base64 -d > $W/body; jq -er '.signatures[0].sig' $E | base64 -d > $W/sig
{ printf 'DSSEv1 %d %s %d ' "${#T}" "$T" "$(wc -c < $W/body)"; cat $W/body; } > $W/pae
openssl dgst -sha256 -verify ../TRUSTED.pub.pem -signature $W/sig $W/pae
jq -er '.subject[]|.digest.sha256+" *"+.name' $W/body > $W/sums && sha256sum -c --strict --quiet $W/sums
cmp $W/body attestation/statement.json; cmp $W/sig attestation/pack.sig"#;

const FINGERPRINT: &str = "openssl pkey -pubin -in ../TRUSTED.pub.pem -outform DER | openssl dgst -sha256 -r";

#[test]
fn the_recipes_of_the_readme_accept_the_good_pack_and_see_a_change() {
    if !have(&["openssl", "jq", "bash", "sha256sum"]) {
        return;
    }
    let good = Good::new();
    let accepted = |recipe| {
        let (good, said) = run(&good, recipe);
        assert!(good, "{recipe}\n{said}");
        said
    };
    assert!(accepted(HUMAN).contains("Verified OK") && accepted(HUMAN).contains("report/report.html: OK"));
    accepted(NOTHING_ADDED);
    assert!(accepted(AUTHORITATIVE).contains("Verified OK"));
    assert_eq!(accepted(FINGERPRINT), format!("{} *stdin\n", trusted().fingerprint()));

    good.write("report/all-clear.html", "no exceptions");
    assert!(run(&good, HUMAN).0, "sha256sum cannot see an added file");
    assert!(!run(&good, NOTHING_ADDED).0);
    good.write("report/report.html", "no exceptions");
    assert!(!run(&good, HUMAN).0);
    assert!(!run(&good, AUTHORITATIVE).0);
}

#[test]
fn openssl_reads_our_key_file_and_we_read_its() {
    if !have(&["openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(folder.path()).output().expect("openssl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let ours = key().to_encrypted_pem(b"correct horse", &mut OsRng).expect("a file");
    fs::write(folder.path().join("ours.pem"), ours).expect("written");
    let public = openssl(&["pkey", "-in", "ours.pem", "-passin", "pass:correct horse", "-pubout"]);
    assert_eq!(TrustedKey::from_pem(&public).expect("a key"), trusted());

    openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "plain.pem"]);
    openssl(&[
        "pkcs8",
        "-topk8",
        "-in",
        "plain.pem",
        "-out",
        "theirs.pem",
        "-passout",
        "pass:secret",
        "-v2",
        "aes-256-cbc",
    ]);
    let public = openssl(&["pkey", "-in", "plain.pem", "-pubout"]);
    let theirs = fs::read_to_string(folder.path().join("theirs.pem")).expect("a file");
    let theirs = SigningKey::from_encrypted_pem(&theirs, b"secret").expect("a key");
    assert_eq!(theirs.public().expect("public"), TrustedKey::from_pem(&public).expect("a key"));
}

#[test]
fn time_stamps_are_asked_for_checked_and_readable_with_openssl() {
    if !have(&["openssl", "bash"]) {
        return;
    }
    let authority = TestAuthority::new();
    let good = authority.stamped(2);
    let report = good.verify();
    assert!(report.is_good(), "{report}");
    assert_eq!(report.stamps, good.sealed.stamps);
    assert_eq!(report.stamps.len(), 2);
    assert_eq!(report.stamps[0].authority.as_deref(), Some("CN=Test TSA"));
    assert_eq!(report.stamps[0].policy, "1.2.3.4.1");
    assert!(report.notes[0].contains("openssl ts -verify"), "{:?}", report.notes);
    let certificate = authority.path("tsa.crt");
    for token in ["pack.tsr", "pack.tsr.2"] {
        let (verified, said) = run(
            &good,
            &format!(
                "openssl ts -verify -data attestation/pack.sig -in attestation/{token} -CAfile {}",
                certificate.display()
            ),
        );
        assert!(verified && said.contains("Verification: OK"), "{said}");
    }
}

#[test]
fn a_reply_to_another_request_or_altered_is_refused() {
    if !have(&["openssl"]) {
        return;
    }
    let authority = TestAuthority::new();
    let reply = authority.reply(&tsa::request(b"ours", [1; 8]).expect("a request"));
    assert!(tsa::read_reply(&reply, b"ours", Some([1; 8])).is_ok());
    let refusal = |reply: &[u8], message: &[u8], nonce| tsa::read_reply(reply, message, nonce).expect_err("refused");
    assert!(refusal(&reply, b"theirs", None).contains("over other bytes"));
    assert!(refusal(&reply, b"ours", Some([2; 8])).contains("nonce"));
    // the year inside the token, as text
    let at = reply.windows(3).position(|window| window == b"\x18\x0f2").expect("a time") + 3;
    let mut altered = reply.clone();
    altered[at] += 1;
    assert!(refusal(&altered, b"ours", None).contains("altered"));
    let longer = [reply.as_slice(), b"x"].concat();
    assert!(refusal(&longer, b"ours", None).contains("not well-formed"));
}
