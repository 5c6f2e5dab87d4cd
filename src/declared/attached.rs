//! Records that were made by hand: minutes of a review, a scanner's report, an export of tickets.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::rows::whole;
use super::{Day, Text};
use crate::control::Mistake;
use crate::evidence::{Cite, Period, sha256_hex};

/// Most bytes of one attached file.
pub const MAX_ATTACHED_BYTES: u64 = 20 * 1024 * 1024;

/// One attached record.
#[derive(Clone, Debug, PartialEq)]
pub struct Attached {
    /// `at-0001`: the folder below `attached/`.
    pub id: String,
    /// The control that it is for.
    pub control: String,
    /// What it is.
    pub title: String,
    /// The period that it speaks of.
    pub period: Period,
    /// Who made it, or vouches for it.
    pub person: String,
    /// The day that it was made.
    pub date: Day,
    /// Name of the file as it was given.
    pub name: String,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// The file, where it is kept.
    pub from: Cite,
}

/// `attached/at-0001/record.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    control: Text,
    title: Text,
    period: Text,
    person: Text,
    date: Day,
    name: Text,
    /// Name in the folder.
    file: Text,
    sha256: Text,
}

/// Every record with its file; one whose file is not there, or is another than it says, is a mistake.
pub(super) fn read(files: &BTreeMap<String, Vec<u8>>, mistakes: &mut Vec<Mistake>) -> Vec<Attached> {
    let mut found = Vec::new();
    let mut known = Vec::new();
    for (name, bytes) in files {
        let id = name.strip_prefix("attached/").and_then(|rest| rest.strip_suffix("/record.toml"));
        let Some(id) = id.filter(|id| !id.contains('/')) else { continue };
        known.push(format!("attached/{id}/"));
        match one(id, name, bytes, files) {
            Ok(attached) => found.push(attached),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    for name in files.keys().filter(|name| name.starts_with("attached/")) {
        if !known.iter().any(|folder| name.starts_with(folder)) {
            let what = "there is no record.toml beside this file; add it with `tickmark attach`".to_owned();
            mistakes.push(Mistake::at(name, "", &(0..0), what));
        }
    }
    found
}

fn one(id: &str, name: &str, bytes: &[u8], files: &BTreeMap<String, Vec<u8>>) -> Result<Attached, Mistake> {
    let record: Record = whole(bytes, name)?;
    let wrong = |what: String| Mistake::at(name, "", &(0..0), what);
    let path = format!("attached/{id}/{}", record.file.as_str());
    let content = files.get(&path).ok_or_else(|| wrong(format!("the file `{path}` is not there")))?;
    let digest = sha256_hex(content);
    if digest != record.sha256.as_str() {
        return Err(wrong(format!("`{path}` is not the file that was attached: its SHA-256 is {digest}")));
    }
    let period = Period::parse(record.period.as_str()).map_err(|error| wrong(error.to_string()))?;
    Ok(Attached {
        id: id.to_owned(),
        control: record.control.as_str().to_owned(),
        title: record.title.as_str().to_owned(),
        period,
        person: record.person.as_str().to_owned(),
        date: record.date,
        name: record.name.as_str().to_owned(),
        sha256: digest,
        bytes: content.len() as u64,
        from: Cite::new("declared", &path, ""),
    })
}
