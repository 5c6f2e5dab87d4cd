//! Steps 5 to 8: the files against the statement, and what the files themselves say about it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::digest::sha256_hex;
use super::super::manifest::{DescribedFile, MANIFEST_SCHEMA, Manifest, PackHead};
use super::super::statement::Statement;
use super::super::tsa::{self, Stamp};
use super::super::{TrustedKey, json, sums};
use super::tree::Tree;
use super::{MAX_LEDGER, MAX_SIGNATURE, MAX_SUMS, MAX_TEXT, MAX_TOKEN, Report, Step};

/// What the statement says about the files, and what was found.
pub(super) struct Files<'a> {
    tree: &'a Tree,
    statement: &'a Statement,
    /// Digests as signed.
    signed: BTreeMap<&'a str, &'a str>,
    /// Sizes and digests as found, of files that could be read.
    found: BTreeMap<&'a str, (u64, String)>,
}

impl<'a> Files<'a> {
    /// Step 5: the closed set, and every digest.
    pub fn compare(tree: &'a Tree, statement: &'a Statement, report: &mut Report) -> Files<'a> {
        let signed: BTreeMap<&str, &str> =
            statement.subject.iter().map(|subject| (subject.name.as_str(), subject.digest.sha256.as_str())).collect();
        let mut found = BTreeMap::new();
        for path in &tree.files {
            match tree.digest(path) {
                Ok(digest) => drop(found.insert(path.as_str(), digest)),
                Err(error) => report.problem(Step::Files, Some(path), format!("cannot be read: {error}")),
            }
        }
        let files = Files { tree, statement, signed, found };
        files.report_differences(report);
        let bytes: u64 = files.found.values().map(|(bytes, _)| bytes).sum();
        report.done(Step::Files, format!("{} files, {bytes} bytes", files.found.len()));
        files
    }

    fn report_differences(&self, report: &mut Report) {
        // which signed path a content belongs to, so that a swap or a renaming is called one
        let (mut owner, mut missing) = (BTreeMap::new(), BTreeMap::new());
        for (path, sha256) in &self.signed {
            owner.entry(*sha256).or_insert(*path);
            if !self.found.contains_key(path) {
                missing.entry(*sha256).or_insert(*path);
            }
        }
        for (path, signed) in &self.signed {
            match self.found.get(path) {
                Some((_, found)) if found == signed => {}
                Some((_, found)) => {
                    report.problem(Step::Files, Some(path), self.changed(path, owner.get(found.as_str()).copied()));
                }
                None if self.tree.files.contains(*path) || self.tree.refused.contains(*path) => {} // said already
                None => report.problem(Step::Files, Some(path), "is missing: the statement names it"),
            }
        }
        for (path, (_, found)) in self.found.iter().filter(|(path, _)| !self.signed.contains_key(*path)) {
            let mut what = "was added: the statement does not name it".to_owned();
            if let Some(other) = missing.get(found.as_str()) {
                what.push_str(&format!("; it has the content of the missing `{other}`"));
            }
            report.problem(Step::Files, Some(path), what);
        }
        for path in ["manifest.json", "SHA256SUMS", "plan.json", "ledger.jsonl"] {
            if !self.signed.contains_key(path) {
                report.problem(Step::Files, Some(path), "is not named by the statement, but every pack has it");
            }
        }
    }

    fn changed(&self, path: &str, owner: Option<&str>) -> String {
        let Some(owner) = owner else { return "was changed: its digest is not the signed one".to_owned() };
        let back = self.found.get(owner).map(|(_, sha256)| sha256.as_str());
        if back.is_some() && back == self.signed.get(path).copied() {
            format!("was swapped with `{owner}`: each has the content of the other")
        } else {
            format!("was changed: it has the content of `{owner}`")
        }
    }

    /// A file's bytes, if they are exactly the signed ones.
    fn read_signed(&self, path: &str, limit: u64) -> Result<Vec<u8>, String> {
        let bytes = self.tree.read(path, limit).map_err(|why| format!("`{path}` {why}"))?;
        if self.signed.get(path) != Some(&sha256_hex(&bytes).as_str()) {
            return Err(format!("`{path}` is not the signed one"));
        }
        Ok(bytes)
    }

    /// Step 6: the list for people says the same as the statement.
    pub fn check_sums(&self, key: &TrustedKey, report: &mut Report) {
        let bytes = match self.tree.read("SHA256SUMS", MAX_SUMS) {
            Ok(bytes) => bytes,
            Err(why) => return report.not_done(Step::Sums, format!("`SHA256SUMS` {why}")),
        };
        check_sums_signature(self.tree, &bytes, key, report);
        let listed = std::str::from_utf8(&bytes).map_err(|error| error.to_string());
        match listed.and_then(sums::parse) {
            Ok(listed) => self.compare_sums(&listed.into_iter().collect(), report),
            Err(why) => report.problem(Step::Sums, Some("SHA256SUMS"), why),
        }
        report.done(Step::Sums, "the same files and digests as in the statement");
    }

    fn compare_sums(&self, listed: &BTreeMap<&str, &str>, report: &mut Report) {
        for (path, signed) in self.signed.iter().filter(|(path, _)| **path != "SHA256SUMS") {
            match listed.get(path) {
                Some(sha256) if sha256 == signed => {}
                Some(_) => report.problem(Step::Sums, Some(path), "has another digest in SHA256SUMS than was signed"),
                None => report.problem(Step::Sums, Some(path), "is not listed in SHA256SUMS"),
            }
        }
        for path in listed.keys().filter(|path| !self.signed.contains_key(*path) || **path == "SHA256SUMS") {
            report.problem(Step::Sums, Some(path), "is listed in SHA256SUMS, but not in the statement");
        }
    }

    /// Step 7: the manifest says the same as the statement. Returns it.
    pub fn check_manifest(&self, report: &mut Report) -> Option<Manifest<DescribedFile>> {
        let bytes = match self.read_signed("manifest.json", MAX_TEXT) {
            Ok(bytes) => bytes,
            Err(why) => {
                report.not_done(Step::Manifest, why);
                return None;
            }
        };
        let manifest: Manifest<DescribedFile> = match json::parse(&bytes) {
            Ok(manifest) => manifest,
            Err(why) => {
                report.problem(Step::Manifest, Some("manifest.json"), why);
                report.done(Step::Manifest, "");
                return None;
            }
        };
        let mut wrong = |what: String| report.problem(Step::Manifest, Some("manifest.json"), what);
        if manifest.schema != MANIFEST_SCHEMA {
            wrong(format!("its schema is `{}`, not `{MANIFEST_SCHEMA}`", manifest.schema.escape_debug()));
        }
        if manifest.pack != PackHead::of(&self.statement.predicate) {
            wrong("it names another pack, tenant, sequence, period or previous pack than the statement".to_owned());
        }
        if manifest.tool != self.statement.predicate.tool {
            wrong("it names another tool than the statement".to_owned());
        }
        self.compare_manifest(&manifest, report);
        report.done(Step::Manifest, format!("{} files described", manifest.files.len()));
        Some(manifest)
    }

    fn compare_manifest(&self, manifest: &Manifest<DescribedFile>, report: &mut Report) {
        let mut described = BTreeSet::new();
        for file in &manifest.files {
            let mut wrong = |what| report.problem(Step::Manifest, Some(&file.path), what);
            if !described.insert(file.path.as_str()) {
                wrong("is described twice");
            }
            match self.signed.get(file.path.as_str()) {
                None => wrong("is described, but the statement does not name it"),
                Some(sha256) if *sha256 != file.sha256 => wrong("has another digest in manifest.json than was signed"),
                Some(_) => {}
            }
            if self.found.get(file.path.as_str()).is_some_and(|(bytes, _)| *bytes != file.bytes) {
                wrong("has another size than manifest.json says");
            }
        }
        let others = ["manifest.json", "SHA256SUMS"];
        for path in self.signed.keys().filter(|path| !described.contains(*path) && !others.contains(path)) {
            report.problem(Step::Manifest, Some(path), "is not described in manifest.json");
        }
    }

    /// Part of step 9: each time-stamp over the plan with its path, and what it says. The plan is the one that was signed.
    pub fn plan_stamps(&self) -> Vec<(String, Result<Stamp, String>)> {
        let plan = self.read_signed("plan.json", MAX_TEXT);
        let tokens = self.signed.keys().filter(|path| **path == "plan.tsr" || path.starts_with("plan.tsr."));
        let read = |path: &&str| {
            let token = self.read_signed(path, MAX_TOKEN)?;
            tsa::read_reply(&token, plan.as_ref().map_err(String::clone)?, None)
        };
        tokens.map(|path| ((*path).to_owned(), read(path))).collect()
    }

    /// Step 8: the plan and the ledger are those that the statement names, and the chain holds.
    pub fn check_ledger(&self, report: &mut Report) {
        let collection = &self.statement.predicate.collection;
        if let Some(plan) = self.signed.get("plan.json")
            && *plan != collection.plan_sha256
        {
            report.problem(Step::Ledger, Some("plan.json"), "is not the plan that the statement names as collected by");
        }
        let ledger = match self.read_signed("ledger.jsonl", MAX_LEDGER) {
            Ok(ledger) => ledger,
            Err(why) => return report.not_done(Step::Ledger, why),
        };
        let mut lines = 0;
        match follow(&ledger) {
            Ok((count, head)) if head == collection.ledger_head_sha256 => lines = count,
            Ok(_) => {
                let what = "its last line is not the head that the statement names: lines were added or cut off";
                report.problem(Step::Ledger, Some("ledger.jsonl"), what);
            }
            Err(why) => report.problem(Step::Ledger, Some("ledger.jsonl"), why),
        }
        report.done(Step::Ledger, format!("{lines} ledger lines in an unbroken chain"));
    }
}

/// The signature beside `SHA256SUMS`, which stands on its own.
fn check_sums_signature(tree: &Tree, sums: &[u8], key: &TrustedKey, report: &mut Report) {
    let path = "attestation/SHA256SUMS.sig";
    let verified = tree
        .read(path, MAX_SIGNATURE)
        .and_then(|signature| key.verify(sums, &signature).map_err(|fault| format!("does not verify: {fault}")));
    if let Err(why) = verified {
        report.problem(Step::Sums, Some(path), why);
    }
}

/// The part of a ledger line that makes the chain.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    sequence: u64,
    previous_sha256: String,
}

/// Follows a ledger's chain; the number of lines and the digest of the last, 64 zeros if there is none.
fn follow(ledger: &[u8]) -> Result<(u64, String), String> {
    let mut lines = 0;
    let mut head = "0".repeat(64);
    let mut rest = ledger;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let end = end.ok_or_else(|| format!("line {} does not end with a line feed", lines + 1))?;
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        lines += 1;
        let link: Link = json::parse(line).map_err(|why| format!("line {lines}: {why}"))?;
        if link.sequence != lines {
            return Err(format!(
                "line {lines}: sequence {} where {lines} was due: a line was taken out",
                link.sequence
            ));
        }
        if link.previous_sha256 != head {
            return Err(format!("line {lines}: it does not hold the digest of the line before"));
        }
        head = sha256_hex(line);
    }
    Ok((lines, head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_followed_line_by_line() {
        let zeros = "0".repeat(64);
        assert_eq!(follow(b""), Ok((0, zeros.clone())));
        let first = format!(r#"{{"sequence":1,"event":"failed","previousSha256":"{zeros}"}}"#);
        let second =
            format!(r#"{{"sequence":2,"event":"started","previousSha256":"{}"}}"#, sha256_hex(first.as_bytes()));
        let head = sha256_hex(second.as_bytes());
        assert_eq!(follow(format!("{first}\n{second}\n").as_bytes()), Ok((2, head)));

        let refused = |text: String| follow(text.as_bytes()).expect_err("broken");
        assert!(refused(format!("{second}\n")).contains("line 1: sequence 2 where 1 was due"));
        assert!(
            refused(format!("{}\n{second}\n", first.replace("failed", "edited"))).contains("line 2: it does not hold")
        );
        assert!(refused(format!("{first}\n{second}")).contains("line 2 does not end"));
        assert!(refused("{}\n".to_owned()).contains("line 1: missing field"));
    }
}
