//! What is signed: an in-toto Statement that names every file of the pack and the facts of its making.
//!
//! It is written once. The bytes are signed, the bytes are kept, and only verified bytes are read again.

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::names;

/// `_type` of every statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// `predicateType` of a pack.
pub const PREDICATE_TYPE: &str = "https://tickmark.dev/attestation/evidence-pack/v1";

/// The statement. Fields are written in the order in which they stand here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Statement {
    /// Always [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// Every file outside `attestation/`, by path.
    pub subject: Vec<Subject>,
    /// Always [`PREDICATE_TYPE`].
    pub predicate_type: String,
    /// The facts.
    pub predicate: Predicate,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its path.
    pub name: String,
    /// Its digest.
    pub digest: Digest,
}

/// A file's digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// The facts of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Predicate {
    /// Id of the pack.
    pub pack_id: String,
    /// Entra tenant.
    pub tenant: String,
    /// 1, 2, 3 … over the packs of this tenant and system.
    pub sequence: u64,
    /// The period.
    pub period: Span,
    /// The collection that it was made from.
    pub collection: Collection,
    /// The pack before; absent for the first.
    pub previous: Option<Previous>,
    /// Who signed.
    pub signer: Signer,
    /// What made it.
    pub tool: Tool,
    /// Totals.
    pub counts: Counts,
    /// Files held back, with their digests.
    pub withheld: Vec<Withheld>,
}

/// From when to when, RFC 3339, UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// First moment.
    pub start: String,
    /// Last moment.
    pub end: String,
}

/// The collection that a pack was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Collection {
    /// Clock of the collector, RFC 3339, UTC.
    pub started_at: String,
    /// Clock of the collector, RFC 3339, UTC.
    pub ended_at: String,
    /// Id of the run, also in the ledger.
    pub run_id: String,
    /// SHA-256 of `plan.json`.
    pub plan_sha256: String,
    /// SHA-256 of the last line of `ledger.jsonl`, without its line feed; 64 zeros for an empty ledger.
    pub ledger_head_sha256: String,
}

/// The pack before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Previous {
    /// Its id.
    pub pack_id: String,
    /// SHA-256 of its `attestation/statement.json`.
    pub statement_sha256: String,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// Fingerprint of the key.
    pub keyid: String,
    /// Where the key lives, if it lives in a vault: its address with version.
    pub kid: Option<String>,
}

/// What made the pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Tool {
    /// Name of the program.
    pub name: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the program.
    pub sha256: String,
    /// SHA-256 of what it judges by.
    pub rule_set_sha256: String,
}

/// Totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Counts {
    /// Files outside `attestation/`; sealing fills it in.
    pub files: u64,
    /// Kept questions.
    pub evidence: u64,
    /// Exceptions found.
    pub exceptions: u64,
    /// Points that could not be determined.
    pub not_determined: u64,
    /// Files held back; sealing fills it in.
    pub withheld: u64,
}

/// A file that was held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// Its path in the whole pack.
    pub name: String,
    /// Its digest.
    pub digest: Digest,
    /// Why.
    pub reason: String,
}

impl Statement {
    /// Everything that is wrong with a statement by itself, as (path, what).
    pub(super) fn faults(&self) -> Vec<(Option<String>, String)> {
        let mut faults = Vec::new();
        if self.statement_type != STATEMENT_TYPE {
            faults
                .push((None, format!("its type is `{}`, not `{STATEMENT_TYPE}`", self.statement_type.escape_debug())));
        }
        if self.predicate_type != PREDICATE_TYPE {
            faults.push((
                None,
                format!("its predicate type is `{}`, not `{PREDICATE_TYPE}`", self.predicate_type.escape_debug()),
            ));
        }
        let subjects = self.subject.iter().map(|subject| (&subject.name, &subject.digest));
        let withheld = self.predicate.withheld.iter().map(|file| (&file.name, &file.digest));
        for (name, digest) in subjects.chain(withheld) {
            if let Err(why) = names::check_path(name) {
                faults.push((Some(name.clone()), format!("a path that no pack may hold: {why}")));
            }
            if !super::digest::is_sha256_hex(&digest.sha256) {
                faults.push((Some(name.clone()), "its digest is not 64 lower-case hexadecimal digits".to_owned()));
            }
        }
        let all = self.subject.iter().map(|subject| &subject.name);
        let all = all.chain(self.predicate.withheld.iter().map(|file| &file.name));
        if let Err((path, why)) = names::check_together(all.map(String::as_str)) {
            faults.push((Some(path), why));
        }
        self.add_time_faults(&mut faults);
        let counts = &self.predicate.counts;
        for (counted, said, there) in [
            ("files", counts.files, self.subject.len()),
            ("withheld files", counts.withheld, self.predicate.withheld.len()),
        ] {
            if said != there as u64 {
                faults.push((None, format!("it counts {said} {counted} and names {there}")));
            }
        }
        faults
    }

    fn add_time_faults(&self, faults: &mut Vec<(Option<String>, String)>) {
        let Predicate { period, collection, .. } = &self.predicate;
        for (what, from, to) in [
            ("the period", &period.start, &period.end),
            ("the collection", &collection.started_at, &collection.ended_at),
        ] {
            match (DateTime::parse_from_rfc3339(from), DateTime::parse_from_rfc3339(to)) {
                (Ok(start), Ok(end)) if start <= end => {}
                (Ok(_), Ok(_)) => faults.push((None, format!("{what} ends at `{to}`, before it starts at `{from}`"))),
                _ => {
                    let times = format!("`{}` to `{}`", from.escape_debug(), to.escape_debug());
                    faults.push((None, format!("{what}, {times}, is not two moments in RFC 3339 form")));
                }
            }
        }
    }
}
