//! The tamper suite: one thing done to the good pack, and the step and file that must answer.

use p256::ecdsa::Signature;

use super::super::dsse::Envelope;
use super::super::key::parse_signature;
use super::super::statement::{Digest, Statement, Subject, Withheld};
use super::*;

/// Asserts that the pack is refused, and that this step says these words about this file.
#[track_caller]
pub(super) fn refused(report: &Report, step: Step, path: &str, words: &str) {
    assert!(!report.is_good(), "accepted");
    let path = (!path.is_empty()).then_some(path);
    let said =
        |problem: &&Problem| problem.step == step && problem.path.as_deref() == path && problem.what.contains(words);
    assert!(
        report.problems.iter().any(|problem| said(&problem)),
        "step {step:?} on {path:?} with `{words}` in\n{report}"
    );
}

/// What a holder of the key can do: sign other bytes properly.
fn sign_anew(good: &Good, payload: &[u8]) {
    let envelope = Envelope::seal(payload.to_vec(), &key()).expect("an envelope");
    put_envelope(good, &envelope);
}

fn put_envelope(good: &Good, envelope: &Envelope) {
    good.write("attestation/pack.dsse.json", envelope.to_json().expect("a text"));
    good.write("attestation/statement.json", &envelope.payload);
    good.write("attestation/pack.sig", &envelope.signature);
    good.write("attestation/pack.sigstore.json", sigstore::bundle(envelope, &[]).expect("a bundle"));
}

fn envelope(good: &Good) -> Envelope {
    Envelope::parse(&good.read("attestation/pack.dsse.json")).expect("an envelope")
}

/// Signs the statement again after a change.
fn restate(good: &Good, change: impl FnOnce(&mut Statement)) {
    let mut statement: Statement = serde_json::from_slice(&envelope(good).payload).expect("a statement");
    change(&mut statement);
    sign_anew(good, &serde_json::to_vec(&statement).expect("bytes"));
}

fn edit(good: &Good, path: &str, from: &str, to: &str) {
    let text = String::from_utf8(good.read(path)).expect("text");
    assert!(text.contains(from), "`{from}` in {path}");
    good.write(path, text.replace(from, to));
}

const PAGE: &str = "evidence/ev-0001/page-0001.json";
const DSSE: &str = "attestation/pack.dsse.json";

#[test]
fn t01_t02_t04_t05_evidence_changed_deleted_or_added() {
    let good = Good::new();
    edit(&good, PAGE, "1", "2");
    edit(&good, "report/report.html", "2", "0");
    fs::remove_file(good.pack.join("evidence/ev-0001/ipe.json")).expect("removed");
    good.write("evidence/ev-0001/page-0002.json", "{}");
    let report = good.verify();
    refused(&report, Step::Files, PAGE, "was changed");
    refused(&report, Step::Files, "report/report.html", "was changed");
    refused(&report, Step::Files, "evidence/ev-0001/ipe.json", "is missing");
    refused(&report, Step::Files, "evidence/ev-0001/page-0002.json", "was added");
    assert_eq!(report.problems.len(), 4, "each once\n{report}");
}

#[test]
fn t03_deleted_with_its_line_in_the_sums() {
    let good = Good::new();
    fs::remove_file(good.pack.join(PAGE)).expect("removed");
    let sums = String::from_utf8(good.read("SHA256SUMS")).expect("text");
    let kept: String = sums.split_inclusive('\n').filter(|line| !line.contains(PAGE)).collect();
    good.write("SHA256SUMS", kept);
    let report = good.verify();
    refused(&report, Step::Files, PAGE, "is missing");
    refused(&report, Step::Sums, PAGE, "is not listed");
    refused(&report, Step::Sums, "attestation/SHA256SUMS.sig", "other bytes");
}

#[test]
fn t06_edited_and_sums_recomputed() {
    let good = Good::new();
    let before = sha256_hex(&good.read("report/report.html"));
    good.write("report/report.html", "no exceptions");
    edit(&good, "SHA256SUMS", &before, &sha256_hex(b"no exceptions"));
    let report = good.verify();
    refused(&report, Step::Files, "report/report.html", "was changed");
    refused(&report, Step::Files, "SHA256SUMS", "was changed");
    refused(&report, Step::Sums, "report/report.html", "another digest");
}

#[test]
fn t07_two_files_swapped() {
    let good = Good::new();
    let (one, two) = (PAGE, "evidence/ev-0002/page-0001.json");
    let (a, b) = (good.read(one), good.read(two));
    good.write(one, b);
    good.write(two, a);
    let report = good.verify();
    refused(&report, Step::Files, one, "was swapped with `evidence/ev-0002/page-0001.json`");
    refused(&report, Step::Files, two, "was swapped with `evidence/ev-0001/page-0001.json`");
    assert_eq!(report.steps.iter().filter(|step| matches!(step.outcome, Outcome::NotDone(_))).count(), 0);
}

#[test]
fn t08_renamed_by_case() {
    let good = Good::new();
    fs::rename(good.pack.join("report/report.html"), good.pack.join("report/Report.html")).expect("renamed");
    let report = good.verify();
    refused(&report, Step::Tree, "report/Report.html", "upper-case");
    refused(&report, Step::Files, "report/Report.html", "it has the content of the missing `report/report.html`");
    refused(&report, Step::Files, "report/report.html", "is missing");
    good.write("report/report.html", "both");
    refused(&good.verify(), Step::Tree, "report/report.html", "differs from `report/Report.html` only by case");
}

#[cfg(unix)]
#[test]
fn t09_t10_t11_links_and_empty_folders() {
    let good = Good::new();
    let outside = good.pack.with_file_name("outside");
    fs::rename(good.pack.join(PAGE), &outside).expect("moved");
    std::os::unix::fs::symlink(&outside, good.pack.join(PAGE)).expect("a link");
    fs::hard_link(good.pack.join("plan.json"), good.pack.with_file_name("again")).expect("a hard link");
    fs::create_dir(good.pack.join("evidence/ev-0009")).expect("a folder");
    let socket = std::os::unix::net::UnixListener::bind(good.pack.join("report/pipe"));
    let report = good.verify();
    refused(&report, Step::Tree, PAGE, "is a symbolic link");
    refused(&report, Step::Tree, "plan.json", "is a hard link");
    refused(&report, Step::Tree, "evidence/ev-0009", "is an empty folder");
    if socket.is_ok() {
        refused(&report, Step::Tree, "report/pipe", "is not a regular file");
    }
    std::os::unix::fs::symlink("evidence", good.pack.join("more")).expect("a link to a folder");
    refused(&good.verify(), Step::Tree, "more", "is a symbolic link");
}

#[test]
fn t12_t13_statement_or_payload_edited() {
    let good = Good::new();
    edit(&good, "attestation/statement.json", "\"exceptions\":2", "\"exceptions\":0");
    refused(&good.verify(), Step::Statement, "attestation/statement.json", "differs from the envelope");

    let good = Good::new();
    let mut altered = envelope(&good);
    altered.payload =
        String::from_utf8(altered.payload).expect("text").replace("\"exceptions\":2", "\"exceptions\":0").into();
    put_envelope(&good, &altered);
    let report = good.verify();
    refused(&report, Step::Signature, DSSE, "they were altered");
    assert_eq!(report.statement, None, "unsigned words are not handed on");
    assert!(report.steps.iter().any(|step| step.step == Step::Files && matches!(step.outcome, Outcome::NotDone(_))));
}

#[test]
fn t14_t15_t16_t44_other_envelopes() {
    for (from, to, words) in [
        ("in-toto+json", "in-toto+cbor", "payload type"),
        ("\"signatures\":[", "\"signatures\":[],\"was\":[", "0 signatures"),
        ("\"signatures\":[", "\"signatures\":[{\"sig\":\"AA==\"},", "2 signatures"),
        ("{\"payload\":", "{\"payload\":\"\",\"payload\":", "occurs twice"),
    ] {
        let good = Good::new();
        edit(&good, DSSE, from, to);
        let report = good.verify();
        refused(&report, Step::Envelope, DSSE, words);
        assert_eq!(report.steps.len(), 10);
    }
    let good = Good::new();
    let mut raw = envelope(&good);
    raw.signature = parse_signature(&raw.signature).expect("ours").to_bytes().to_vec();
    put_envelope(&good, &raw);
    refused(&good.verify(), Step::Envelope, DSSE, "raw form of 64 bytes");
}

#[test]
fn t17_t23_t54_another_key() {
    let other = SigningKey::from_scalar_bytes(&[8; 32]).expect("a key");
    let good = Good::sealed_with(request(&other));
    let report = good.verify();
    let other = other.public().expect("public");
    refused(&report, Step::Signature, DSSE, trusted().fingerprint());
    refused(&report, Step::Signature, DSSE, &format!("it names the key `{}`", other.fingerprint()));
    let report = verify(&good.pack, &[trusted(), other], &Expect::default());
    assert!(report.is_good(), "one of the trusted keys is enough\n{report}");

    refused(&verify(&good.pack, &[], &Expect::default()), Step::Signature, "", "no trusted key was given");

    let good = Good::new();
    edit(&good, DSSE, trusted().fingerprint(), &"0".repeat(64));
    refused(&good.verify(), Step::Signature, DSSE, "names the key `0000");
}

#[test]
fn t18_the_mirrored_signature() {
    let good = Good::new();
    let mirror = |der: &[u8]| {
        let (r, s) = parse_signature(der).expect("ours").split_scalars();
        Signature::from_scalars(r, -s).expect("the twin").to_der().as_bytes().to_vec()
    };
    let mut mirrored = envelope(&good);
    mirrored.signature = mirror(&mirrored.signature);
    put_envelope(&good, &mirrored);
    refused(&good.verify(), Step::Envelope, DSSE, "mirrored");

    let good = Good::new();
    good.write("attestation/SHA256SUMS.sig", mirror(&good.read("attestation/SHA256SUMS.sig")));
    refused(&good.verify(), Step::Sums, "attestation/SHA256SUMS.sig", "mirrored");
}

#[test]
fn t19_t20_t22_time_stamps() {
    if !have(&["openssl"]) {
        return;
    }
    let authority = TestAuthority::new();
    let good = authority.stamped(1);
    let at = good.verify().stamps[0].at;
    let hour = chrono::TimeDelta::hours(1);
    let within = |after, before| {
        let expect = Expect {
            stamped_after: Some(after),
            stamped_before: Some(before),
            timestamps: Some(1),
            ..Expect::default()
        };
        verify(&good.pack, &[trusted()], &expect)
    };
    assert!(within(at - hour, at + hour).is_good());
    refused(&within(at - hour - hour, at - hour), Step::Expectations, "", "expected was not after");
    refused(&within(at + hour, at + hour + hour), Step::Expectations, "", "expected was not before");

    let foreign = authority.reply(&tsa::request(b"another signature", [1; 8]).expect("a request"));
    good.write("attestation/pack.tsr", foreign);
    refused(&good.verify(), Step::Time, "attestation/pack.tsr", "over other bytes");

    fs::remove_file(good.pack.join("attestation/pack.tsr")).expect("removed");
    put_envelope(&good, &envelope(&good)); // the bundle is made to agree
    refused(&good.verify(), Step::Time, "", "1 time-stamps were sealed in, 0 are here");

    let bare = Good::new();
    let wanting = Expect { timestamps: Some(1), ..Expect::default() };
    refused(&verify(&bare.pack, &[trusted()], &wanting), Step::Expectations, "", "0 good time-stamps");

    let good = authority.stamped(2);
    fs::remove_file(good.pack.join("attestation/pack.tsr")).expect("removed");
    refused(&good.verify(), Step::Time, "attestation/pack.tsr", "is missing");
}

#[test]
fn t52_a_time_stamp_before_the_collection_shows_a_wrong_clock() {
    if !have(&["openssl"]) {
        return;
    }
    let authority = TestAuthority::new();
    let folder = tempfile::tempdir().expect("a folder");
    let key = key();
    let mut ask = |query: &[u8]| Ok(authority.reply(query));
    let mut request = request(&key);
    request.facts.collection.ended_at = "2999-01-01T00:00:00Z".to_owned();
    request.authorities.push(Authority { name: "test".to_owned(), nonce: [1; 8], ask: &mut ask });
    let error = seal(request, &folder.path().join("out")).expect_err("refused").to_string();
    assert!(error.contains("before the collection ended"), "{error}");
}

#[test]
fn t21_another_pack_than_expected() {
    let good = Good::new();
    let check = |expect: Expect| verify(&good.pack, &[trusted()], &expect);
    let text = |text: &str| Some(text.to_owned());
    assert!(
        check(Expect {
            tenant: text("8A2F0000-0000-0000-0000-000000000001"),
            period: Some(Span {
                start: "2026-07-01T02:00:00+02:00".to_owned(),
                end: "2026-09-30T23:59:59Z".to_owned()
            }),
            pack_id: text("contoso-2026q3"),
            sequence: Some(1),
            statement_sha256: Some(good.sealed.statement_sha256.clone()),
            ..Expect::default()
        })
        .is_good()
    );
    let q4 = Span { start: "2026-10-01T00:00:00Z".to_owned(), end: "2026-12-31T23:59:59Z".to_owned() };
    let step = Step::Expectations;
    refused(&check(Expect { period: Some(q4), ..Expect::default() }), step, "", "the period is `2026-07-01");
    refused(&check(Expect { tenant: text("other"), ..Expect::default() }), step, "", "the tenant is `8a2f");
    refused(&check(Expect { pack_id: text("q4"), ..Expect::default() }), step, "", "the pack is `contoso-2026q3`");
    refused(&check(Expect { sequence: Some(2), ..Expect::default() }), step, "", "the sequence is `1`");
    refused(&check(Expect { previous_sha256: text("00"), ..Expect::default() }), step, "", "the pack before is `none`");
    refused(&check(Expect { statement_sha256: text("00"), ..Expect::default() }), step, "", "expected was `00`");
    let late = "2026-10-01T00:00:00Z".parse().expect("a time");
    refused(&check(Expect { stamped_before: Some(late), ..Expect::default() }), step, "", "no good time-stamp");
}

#[test]
fn t24_t25_line_endings() {
    let good = Good::new();
    edit(&good, "SHA256SUMS", "\n", "\r\n");
    let report = good.verify();
    refused(&report, Step::Files, "SHA256SUMS", "was changed");
    refused(&report, Step::Sums, "SHA256SUMS", "carriage return");

    let good = Good::new();
    good.write(PAGE, "{\"value\":[1]}");
    refused(&good.verify(), Step::Files, PAGE, "was changed");
}

#[test]
fn t26_the_attestation_folder_is_closed() {
    let good = Good::new();
    good.write("attestation/trusted.pub.pem", "trust me");
    good.write("attestation/pack.tsr.10", "");
    fs::create_dir(good.pack.join("attestation/more")).expect("a folder");
    fs::remove_file(good.pack.join("attestation/pack.sig")).expect("removed");
    let report = good.verify();
    refused(&report, Step::Tree, "attestation/trusted.pub.pem", "names that attestation/ may hold");
    refused(&report, Step::Tree, "attestation/pack.tsr.10", "names that attestation/ may hold");
    refused(&report, Step::Tree, "attestation/more", "holds files only");
    refused(&report, Step::Statement, "attestation/pack.sig", "is missing");

    let good = Good::new();
    good.write("attestation/review.dsse.json", "{\"approved\":true}");
    let report = good.verify();
    assert!(report.is_good(), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("review.dsse.json` is not verified here")));
}

#[cfg(unix)]
#[test]
fn t27_mode_and_time_may_change() {
    use std::os::unix::fs::PermissionsExt;
    let good = Good::new();
    let file = fs::File::open(good.pack.join(PAGE)).expect("a file");
    file.set_permissions(fs::Permissions::from_mode(0o755)).expect("a mode");
    assert!(good.verify().is_good());
}

#[test]
fn t28_a_url_safe_envelope_is_read() {
    let good = Good::new();
    let text = String::from_utf8(good.read(DSSE)).expect("text");
    let url_safe = |text: &str| text.replace('+', "-").replace('/', "_").replace('=', "");
    let (head, rest) = text.split_once("\",\"payloadType").expect("a payload");
    let (middle, signature) = rest.split_once("\"sig\":\"").expect("a signature");
    let head = format!("{{\"payload\":\"{}", url_safe(head.strip_prefix("{\"payload\":\"").expect("a payload")));
    good.write(DSSE, format!("{head}\",\"payloadType{middle}\"sig\":\"{}", url_safe(signature)));
    assert_ne!(good.read(DSSE), text.as_bytes());
    let report = good.verify();
    assert!(report.is_good(), "{report}");
}

#[test]
fn t31_to_t33_ledger_plan_and_manifest_against_the_statement() {
    let good = Good::new();
    restate(&good, |statement| {
        statement.predicate.collection.plan_sha256 = "0".repeat(64);
        statement.predicate.collection.ledger_head_sha256 = "0".repeat(64);
        statement.predicate.sequence = 2;
        statement.predicate.tool.version = "9".to_owned();
    });
    let report = good.verify();
    refused(&report, Step::Ledger, "plan.json", "is not the plan");
    refused(&report, Step::Ledger, "ledger.jsonl", "is not the head");
    refused(&report, Step::Manifest, "manifest.json", "sequence");
    refused(&report, Step::Manifest, "manifest.json", "another tool");

    // a failed run taken out, everything else made to agree
    let good = Good::new();
    let lines = ledger();
    good.write("ledger.jsonl", format!("{}\n{}\n", lines[0], lines[2]));
    let digest = sha256_hex(&good.read("ledger.jsonl"));
    restate(&good, |statement| {
        let subject = statement.subject.iter_mut().find(|subject| subject.name == "ledger.jsonl");
        subject.expect("the ledger").digest.sha256 = digest;
    });
    let report = good.verify();
    refused(&report, Step::Ledger, "ledger.jsonl", "a line was taken out");
    refused(&report, Step::Sums, "ledger.jsonl", "another digest");
    refused(&report, Step::Manifest, "ledger.jsonl", "another digest");
    refused(&report, Step::Manifest, "ledger.jsonl", "another size");
}

#[test]
fn t45_to_t47_statements_that_should_not_have_been_signed() {
    let good = Good::new();
    let payload = String::from_utf8(envelope(&good).payload).expect("text");
    sign_anew(&good, payload.replace("\"packId\":", "\"packId\":\"x\",\"packId\":").as_bytes());
    refused(&good.verify(), Step::Statement, "attestation/statement.json", "`packId` occurs twice");

    let good = Good::new();
    restate(&good, |statement| {
        let digest = |c: &str| Digest { sha256: c.repeat(64) };
        for name in ["../outside", "/etc/passwd", "readme.txt", "evidence/con.json"] {
            statement.subject.push(Subject { name: name.to_owned(), digest: digest("0") });
        }
        statement.subject.push(Subject { name: "short".to_owned(), digest: digest("") });
        let reason = "PII".to_owned();
        statement.predicate.withheld.push(Withheld { name: "held/back".to_owned(), digest: digest("1"), reason });
    });
    let report = good.verify();
    refused(&report, Step::Statement, "../outside", "`..`");
    refused(&report, Step::Statement, "/etc/passwd", "absolute");
    refused(&report, Step::Statement, "readme.txt", "only by case");
    refused(&report, Step::Statement, "evidence/con.json", "device");
    refused(&report, Step::Statement, "short", "64 lower-case");
    refused(&report, Step::Statement, "attestation/statement.json", "it counts 9 files and names 14");
    refused(&report, Step::Statement, "attestation/statement.json", "it counts 0 withheld files and names 1");
    assert!(report.notes.iter().any(|note| note == "`held/back` was held back: PII"));
}

#[test]
fn odd_names_are_reported_and_shown_escaped() {
    let good = Good::new();
    good.write(".DS_Store", "");
    good.write("report/a b", "");
    #[cfg(unix)]
    good.write("report/\u{1b}[2J", "");
    let report = good.verify();
    refused(&report, Step::Tree, ".DS_Store", "does not start");
    refused(&report, Step::Tree, "report/a b", "character");
    #[cfg(unix)]
    {
        refused(&report, Step::Tree, "report/\u{1b}[2J", "character");
        assert!(!report.to_string().contains('\u{1b}'));
    }
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt;
        fs::write(good.pack.join(std::ffi::OsStr::from_bytes(b"\xff")), "").expect("a file");
        refused(&good.verify(), Step::Tree, "\u{fffd}", "not text");
    }
}

#[test]
fn what_is_no_pack_at_all_is_told_kindly() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = verify(&folder.path().join("pack.zip"), &[trusted()], &Expect::default());
    refused(&report, Step::Tree, "", "must be unpacked first");
    assert_eq!(report.steps.len(), 10);
    let report = verify(folder.path(), &[trusted()], &Expect::default());
    refused(&report, Step::Envelope, DSSE, "is missing");
    for hostile in ["", "[", "null", "{}", &"[".repeat(1_000_000), "\u{0}", &"{\"a\":".repeat(200)] {
        let good = Good::new();
        good.write(DSSE, hostile);
        refused(&good.verify(), Step::Envelope, DSSE, "");
        let good = Good::new();
        sign_anew(&good, hostile.as_bytes());
        refused(&good.verify(), Step::Statement, "attestation/statement.json", "is not a statement");
    }
}

#[test]
fn no_byte_of_a_pack_can_be_flipped_unseen() {
    let good = Good::new();
    for (path, bytes) in all_bytes(&good.pack) {
        let step = (bytes.len() / 40).max(1);
        for at in (0..bytes.len()).step_by(step) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            fs::write(good.pack.join(&path), flipped).expect("a file");
            assert!(!good.verify().is_good(), "byte {at} of {}", path.display());
        }
        fs::write(good.pack.join(&path), bytes).expect("a file");
    }
    assert!(good.verify().is_good());
}
