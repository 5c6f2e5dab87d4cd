//! Verifying a sealed folder, in ten steps that are also the auditor's.
//!
//! Everything that is wrong is reported, not only the first thing. Nothing from the pack is believed before a
//! key from outside has verified it, nothing is read without a limit, and no step that could not be done counts
//! as good. Files are hashed in pieces, so the size of a pack does not matter.

mod files;
mod plan_time;
mod report;
mod tree;

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use self::files::Files;
pub use self::report::{Outcome, Problem, Report, Step, StepOutcome};
use self::tree::Tree;
use super::digest::sha256_hex;
use super::dsse::{Envelope, PAYLOAD_TYPE, pae};
use super::key::parse_signature;
use super::seal::token_name;
use super::statement::{Span, Statement};
use super::{TrustedKey, json, sigstore, tsa};

/// Longest envelope, manifest or statement: some 200,000 files.
const MAX_TEXT: u64 = 96 << 20;
/// Longest `SHA256SUMS`.
const MAX_SUMS: u64 = 48 << 20;
/// Longest ledger.
const MAX_LEDGER: u64 = 64 << 20;
/// Longest signature file; what is longer than a signature is refused by its parser.
const MAX_SIGNATURE: u64 = 4 << 10;
/// Longest time-stamp reply.
const MAX_TOKEN: u64 = 1 << 20;

/// What the verifier expects of the pack, each of it optional and from outside the pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// Entra tenant.
    pub tenant: Option<String>,
    /// The period, exactly.
    pub period: Option<Span>,
    /// Id of the pack.
    pub pack_id: Option<String>,
    /// Place in the sequence.
    pub sequence: Option<u64>,
    /// SHA-256 of the statement, as noted on the day.
    pub statement_sha256: Option<String>,
    /// SHA-256 of the statement of the pack before.
    pub previous_sha256: Option<String>,
    /// How many time-stamps there must be at least.
    pub timestamps: Option<usize>,
    /// No time-stamp may be earlier.
    pub stamped_after: Option<DateTime<Utc>>,
    /// No time-stamp may be later.
    pub stamped_before: Option<DateTime<Utc>>,
}

/// Verifies the pack in the folder `pack` against keys that the caller trusts.
pub fn verify(pack: &Path, keys: &[TrustedKey], expect: &Expect) -> Report {
    let mut report = Report::default();
    if !pack.is_dir() {
        let what = format!("`{}` is not a folder; a zip must be unpacked first", pack.display());
        report.problem(Step::Tree, None, what);
        report.done(Step::Tree, "");
        return report.finish("there is no pack");
    }
    let tree = Tree::walk(pack, &mut report);
    report.done(Step::Tree, format!("{} files", tree.files.len() + tree.attestation.len()));

    let Some(envelope) = read_envelope(&tree, &mut report) else {
        return report.finish("there is no envelope to go by");
    };
    let tokens = read_tokens(&tree, &mut report);
    compare_copies(&tree, &envelope, &tokens, &mut report);
    let Some(key) = check_signature(&envelope, keys, &mut report) else {
        // the list for people has a signature of its own, but without the statement it does not close the set
        return report.finish("no trusted key signed this, so nothing in it is believed");
    };
    report.fingerprint = Some(key.fingerprint().to_owned());
    report.statement_sha256 = Some(sha256_hex(&envelope.payload));
    let Some(statement) = read_statement(&envelope, key, &mut report) else {
        return report.finish("the statement cannot be read");
    };

    let files = Files::compare(&tree, &statement, &mut report);
    files.check_sums(key, &mut report);
    let manifest = files.check_manifest(&mut report);
    files.check_ledger(&mut report);
    let capture = manifest.as_ref().map_or(&Value::Null, |manifest| &manifest.capture);
    plan_time::check(&files, &statement, capture, &mut report);
    let promised = manifest.map(|manifest| manifest.timestamps);
    check_time(&envelope, &statement, &tokens, promised, &mut report);
    plan_time::note(&mut report);
    check_expectations(&statement, expect, &mut report);
    add_notes(&tree, &statement, &mut report);
    report.statement = Some(statement);
    report.finish("it was not reached")
}

/// Step 2.
fn read_envelope(tree: &Tree, report: &mut Report) -> Option<Envelope> {
    let path = "attestation/pack.dsse.json";
    let envelope = tree.read(path, MAX_TEXT).and_then(|bytes| Envelope::parse(&bytes));
    match envelope {
        Ok(envelope) => {
            if let Err(fault) = parse_signature(&envelope.signature) {
                report.problem(Step::Envelope, Some(path), format!("its signature is refused: {fault}"));
            }
            report.done(Step::Envelope, format!("{} bytes under one signature", envelope.payload.len()));
            Some(envelope)
        }
        Err(why) => {
            report.problem(Step::Envelope, Some(path), why);
            report.done(Step::Envelope, "");
            None
        }
    }
}

/// Step 3. The envelope's own hint never chooses the key.
fn check_signature<'k>(envelope: &Envelope, keys: &'k [TrustedKey], report: &mut Report) -> Option<&'k TrustedKey> {
    let path = Some("attestation/pack.dsse.json");
    let message = pae(PAYLOAD_TYPE, &envelope.payload);
    let signer = keys.iter().find(|key| key.verify(&message, &envelope.signature).is_ok());
    let claimed = envelope.keyid.as_deref().unwrap_or_default();
    if keys.is_empty() {
        let what = "no trusted key was given: name the public key that reached you outside the pack; \
                    a key that comes with the pack proves nothing";
        report.problem(Step::Signature, None, what);
    } else if let Some(key) = signer {
        if envelope.keyid.as_deref().is_some_and(|keyid| keyid != key.fingerprint()) {
            let what = format!("names the key `{}`, but `{}` signed it", claimed.escape_debug(), key.fingerprint());
            report.problem(Step::Signature, path, what);
        }
    } else {
        let trusted: Vec<&str> = keys.iter().map(TrustedKey::fingerprint).collect();
        let what = if trusted.contains(&claimed) {
            format!("names the trusted key `{claimed}`, but that key did not sign these bytes: they were altered")
        } else {
            format!("is not signed by `{}`; it names the key `{}`", trusted.join("`, `"), claimed.escape_debug())
        };
        report.problem(Step::Signature, path, what);
    }
    report.done(Step::Signature, signer.map_or("", TrustedKey::fingerprint));
    signer
}

/// Part of step 4: the files beside the envelope hold the same bytes as it. Nothing is believed for it.
fn compare_copies(tree: &Tree, envelope: &Envelope, tokens: &[Vec<u8>], report: &mut Report) {
    let mut compare = |path: &str, limit: u64, same: &[u8]| match tree.read(path, limit) {
        Ok(bytes) if bytes == same => {}
        Ok(_) => report.problem(Step::Statement, Some(path), "differs from the envelope in pack.dsse.json"),
        Err(why) => report.problem(Step::Statement, Some(path), why),
    };
    compare("attestation/statement.json", MAX_TEXT, &envelope.payload);
    compare("attestation/pack.sig", MAX_SIGNATURE, &envelope.signature);
    if tree.attestation.contains("pack.sigstore.json") {
        match sigstore::bundle(envelope, tokens) {
            Ok(bundle) => compare("attestation/pack.sigstore.json", 2 * MAX_TEXT, &bundle),
            Err(error) => report.problem(Step::Statement, Some("attestation/pack.sigstore.json"), error.to_string()),
        }
    }
}

/// Step 4: only bytes that a trusted key signed come here.
fn read_statement(envelope: &Envelope, key: &TrustedKey, report: &mut Report) -> Option<Statement> {
    let path = Some("attestation/statement.json");
    let statement = match json::parse::<Statement>(&envelope.payload) {
        Ok(statement) => statement,
        Err(why) => {
            report.problem(Step::Statement, path, format!("is not a statement that this version reads: {why}"));
            report.done(Step::Statement, "");
            return None;
        }
    };
    for (about, what) in statement.faults() {
        report.problem(Step::Statement, about.as_deref().or(path), what);
    }
    let keyid = &statement.predicate.signer.keyid;
    if keyid != key.fingerprint() {
        let what = format!("names the signer `{}`, but `{}` signed it", keyid.escape_debug(), key.fingerprint());
        report.problem(Step::Statement, path, what);
    }
    report.done(Step::Statement, format!("pack `{}`", statement.predicate.pack_id.escape_debug()));
    Some(statement)
}

/// All time-stamp replies, in order.
fn read_tokens(tree: &Tree, report: &mut Report) -> Vec<Vec<u8>> {
    let present = tree.attestation.iter().filter(|name| name.starts_with("pack.tsr")).count();
    let mut tokens = Vec::new();
    for index in 0..present {
        let path = format!("attestation/{}", token_name(index));
        match tree.read(&path, MAX_TOKEN) {
            Ok(token) => tokens.push(token),
            Err(why) => report.problem(Step::Time, Some(&path), why),
        }
    }
    tokens
}

/// Step 9.
fn check_time(
    envelope: &Envelope,
    statement: &Statement,
    tokens: &[Vec<u8>],
    promised: Option<u64>,
    report: &mut Report,
) {
    let ended = DateTime::parse_from_rfc3339(&statement.predicate.collection.ended_at).ok();
    for (index, token) in tokens.iter().enumerate() {
        let path = format!("attestation/{}", token_name(index));
        match tsa::read_reply(token, &envelope.signature, None) {
            Ok(stamp) => {
                // ten minutes, because two honest clocks differ
                if ended.is_some_and(|ended| stamp.at + TimeDelta::minutes(10) < ended) {
                    let what = format!("says {}, before the collection ended by its own clock", stamp.at.to_rfc3339());
                    report.problem(Step::Time, Some(&path), what);
                }
                report.stamps.push(stamp);
            }
            Err(why) => report.problem(Step::Time, Some(&path), why),
        }
    }
    if let Some(promised) = promised.filter(|promised| *promised != tokens.len() as u64) {
        let what = format!("{promised} time-stamps were sealed in, {} are here", tokens.len());
        report.problem(Step::Time, None, what);
    }
    let plan = match report.plan_stamps.iter().map(|stamp| stamp.at).min() {
        Some(at) => format!("; the plan was fixed before {}", at.to_rfc3339()),
        None => String::new(),
    };
    if tokens.is_empty() {
        report.notes.push("time is asserted by the signer: the pack holds no time-stamp of a third party".to_owned());
        return report.done(Step::Time, format!("asserted by the signer{plan}"));
    }
    report.notes.push(
        "each time-stamp token is over this signature; its authority's own signature is not verified here: run \
         `openssl ts -verify -data attestation/pack.sig -in attestation/pack.tsr -CAfile TSA-CA.pem`"
            .to_owned(),
    );
    let times: Vec<String> = report.stamps.iter().map(|stamp| stamp.at.to_rfc3339()).collect();
    report.done(Step::Time, format!("time-stamp token present, imprint matches, says {}{plan}", times.join(", ")));
}

/// Step 10.
fn check_expectations(statement: &Statement, expect: &Expect, report: &mut Report) {
    let facts = &statement.predicate;
    let mut differ = |what: &str, found: &str, wanted: &str| {
        let what = format!("{what} is `{}`, expected was `{}`", found.escape_debug(), wanted.escape_debug());
        report.problem(Step::Expectations, None, what);
    };
    if let Some(tenant) = expect.tenant.as_deref().filter(|tenant| !tenant.eq_ignore_ascii_case(&facts.tenant)) {
        differ("the tenant", &facts.tenant, tenant);
    }
    if let Some(period) = expect.period.as_ref().filter(|period| !same_span(period, &facts.period)) {
        let text = |span: &Span| format!("{} to {}", span.start, span.end);
        differ("the period", &text(&facts.period), &text(period));
    }
    if let Some(pack_id) = expect.pack_id.as_deref().filter(|pack_id| *pack_id != facts.pack_id) {
        differ("the pack", &facts.pack_id, pack_id);
    }
    if let Some(sequence) = expect.sequence.filter(|sequence| *sequence != facts.sequence) {
        differ("the sequence", &facts.sequence.to_string(), &sequence.to_string());
    }
    let previous = facts.previous.as_ref().map_or("none", |previous| previous.statement_sha256.as_str());
    if let Some(wanted) = expect.previous_sha256.as_deref().filter(|wanted| !wanted.eq_ignore_ascii_case(previous)) {
        differ("the statement of the pack before", previous, wanted);
    }
    let digest = report.statement_sha256.clone().unwrap_or_default();
    if let Some(wanted) = expect.statement_sha256.as_deref().filter(|wanted| !wanted.eq_ignore_ascii_case(&digest)) {
        report.problem(
            Step::Expectations,
            None,
            format!("the statement is `{digest}`, expected was `{}`", wanted.escape_debug()),
        );
    }
    check_expected_times(expect, report);
    let said = if *expect == Expect::default() { "nothing was expected" } else { "as expected" };
    report.done(Step::Expectations, said);
}

fn check_expected_times(expect: &Expect, report: &mut Report) {
    if let Some(wanted) = expect.timestamps.filter(|wanted| report.stamps.len() < *wanted) {
        let what = format!("{} good time-stamps, expected were at least {wanted}", report.stamps.len());
        report.problem(Step::Expectations, None, what);
    }
    let window = expect.stamped_after.is_some() || expect.stamped_before.is_some();
    if window && report.stamps.is_empty() {
        report.problem(Step::Expectations, None, "a time was expected, but there is no good time-stamp to show it");
    }
    for stamp in report.stamps.clone() {
        let at = stamp.at.to_rfc3339();
        if let Some(after) = expect.stamped_after.filter(|after| stamp.at < *after) {
            let what = format!("a time-stamp says {at}, expected was not before {}", after.to_rfc3339());
            report.problem(Step::Expectations, None, what);
        }
        if let Some(before) = expect.stamped_before.filter(|before| stamp.at > *before) {
            let what = format!("a time-stamp says {at}, expected was not after {}", before.to_rfc3339());
            report.problem(Step::Expectations, None, what);
        }
    }
}

/// Equal as moments, however they are written.
fn same_span(a: &Span, b: &Span) -> bool {
    let same = |a: &str, b: &str| match (DateTime::parse_from_rfc3339(a), DateTime::parse_from_rfc3339(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    };
    same(&a.start, &b.start) && same(&a.end, &b.end)
}

/// What a reader must know although nothing is wrong.
fn add_notes(tree: &Tree, statement: &Statement, report: &mut Report) {
    for withheld in &statement.predicate.withheld {
        report.notes.push(format!("`{}` was held back: {}", withheld.name, withheld.reason.escape_debug()));
    }
    let is_of_cuts = |name: &str| name.starts_with("evidence/") && name.ends_with("/redactions.json");
    let cuts = statement.subject.iter().filter(|subject| is_of_cuts(&subject.name)).count();
    if cuts > 0 {
        report.notes.push(format!(
            "answers were redacted before they were signed: {cuts} files `redactions.json` in `evidence/` say where"
        ));
    }
    for name in ["SHA256SUMS.p7s", "review.dsse.json"] {
        if tree.attestation.contains(name) {
            report
                .notes
                .push(format!("`attestation/{name}` is not verified here, and the statement does not cover it"));
        }
    }
}
