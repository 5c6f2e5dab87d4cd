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

/// What is said of a file when it is attached.
#[derive(Clone, Debug)]
pub struct NewRecord<'a> {
    /// The control that it is for.
    pub control: &'a str,
    /// What it is.
    pub title: &'a str,
    /// The period that it speaks of, as [`Period::parse`] reads it.
    pub period: &'a str,
    /// Who made it, or vouches for it.
    pub person: &'a str,
    /// The day that it was made.
    pub date: Day,
    /// Name of the file as it was given.
    pub name: &'a str,
    /// Name of the file beside the record.
    pub file: &'a str,
}

impl NewRecord<'_> {
    /// The text of `record.toml`, with the digest of the file's bytes.
    pub fn text(&self, content: &[u8]) -> String {
        let sha256 = sha256_hex(content);
        let date = self.date.to_string();
        let rows: [(&str, &str); 8] = [
            ("control", self.control),
            ("title", self.title),
            ("period", self.period),
            ("person", self.person),
            ("date", &date),
            ("name", self.name),
            ("file", self.file),
            ("sha256", &sha256),
        ];
        rows.map(|(key, text)| format!("{key} = {}\n", toml::Value::String(text.to_owned()))).concat()
    }
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

#[cfg(test)]
mod tests {
    use super::super::Declared;
    use super::*;

    fn files(content: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let date: Day = Day("2026-10-01".parse().expect("a day"));
        let record = NewRecord {
            control: "TM-03",
            title: "Minutes of the \"quarterly\" review",
            period: "2026Q3",
            person: "Grace",
            date,
            name: "Minutes (final).pdf",
            file: "content.pdf",
        };
        BTreeMap::from([
            ("attached/at-0001/record.toml".to_owned(), record.text(b"minutes").into_bytes()),
            ("attached/at-0001/content.pdf".to_owned(), content.to_vec()),
        ])
    }

    #[test]
    fn what_was_attached_is_read_with_who_and_when() {
        let declared = Declared::read(files(b"minutes")).expect("one record");
        let [attached] = declared.attached.as_slice() else { panic!("{declared:#?}") };
        assert_eq!((attached.id.as_str(), attached.control.as_str()), ("at-0001", "TM-03"));
        assert_eq!((attached.person.as_str(), attached.date.to_string().as_str()), ("Grace", "2026-10-01"));
        assert_eq!((attached.title.as_str(), attached.bytes), ("Minutes of the \"quarterly\" review", 7));
        assert_eq!(attached.from.place(), "declared/attached/at-0001/content.pdf");
    }

    #[test]
    fn a_file_that_is_another_or_not_there_and_one_without_a_record_are_refused() {
        let refused = |files| Declared::read(files).expect_err("refused").to_string();
        assert!(refused(files(b"others")).contains("is not the file that was attached"));
        let mut gone = files(b"minutes");
        gone.remove("attached/at-0001/content.pdf");
        assert!(refused(gone).contains("`attached/at-0001/content.pdf` is not there"));
        let mut alone = files(b"minutes");
        alone.remove("attached/at-0001/record.toml");
        assert!(refused(alone).contains("there is no record.toml beside this file"));
    }
}
