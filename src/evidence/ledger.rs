//! `ledger.jsonl`: every run of a store, also the failed ones, each line holding the digest of the line before.
//!
//! It exists so that a run with an unwelcome result cannot be dropped without a trace.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::lock::FileLock;
use super::{EvidenceError, Period, sha256_hex, write_atomically};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A collection began.
    Started,
    /// It reached its end.
    Finished,
    /// It failed before its end.
    Failed,
    /// It was stopped, or ended without a word, which is noticed when it is continued.
    Interrupted,
    /// It was continued after an interruption.
    Resumed,
    /// A pack was sealed from a capture.
    Sealed,
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    /// 1, 2, 3 … without a gap.
    pub sequence: u64,
    /// Local clock, UTC.
    pub at: DateTime<Utc>,
    /// What happened.
    pub event: Event,
    /// Id of the run.
    pub run_id: String,
    /// The capture.
    pub capture_id: String,
    /// Entra tenant.
    pub tenant_id: String,
    /// The period that was collected or sealed.
    pub period: Period,
    /// SHA-256 of `plan.json`.
    pub plan_sha256: Option<String>,
    /// SHA-256 of the statement that was signed, for [`Event::Sealed`].
    pub statement_sha256: Option<String>,
    /// The pack, for [`Event::Sealed`].
    pub pack_id: Option<String>,
    /// One line: gaps, or why it failed.
    pub note: Option<String>,
    /// SHA-256 of the line before, without its line feed; 64 zeros on the first.
    pub previous_sha256: String,
}

/// The ledger of one store.
#[derive(Clone, Debug)]
pub struct Ledger {
    path: PathBuf,
    /// The entries, oldest first.
    pub entries: Vec<Entry>,
    lines: Vec<String>,
}

impl Ledger {
    /// Opens the ledger of a store; a store without one has an empty ledger.
    pub fn open(store: &Path) -> Result<Ledger, EvidenceError> {
        let path = store.join("ledger.jsonl");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(EvidenceError::Io { action: "read", path, source }),
        };
        Ledger::parse(path, &text)
    }

    /// Reads a ledger's text and follows its chain.
    pub fn parse(path: PathBuf, text: &str) -> Result<Ledger, EvidenceError> {
        let mut ledger = Ledger { path, entries: Vec::new(), lines: Vec::new() };
        for (index, line) in text.lines().enumerate() {
            let broken = |why: String| EvidenceError::Ledger { path: ledger.path.clone(), line: index + 1, why };
            let entry: Entry = serde_json::from_str(line).map_err(|error| broken(error.to_string()))?;
            if entry.sequence != index as u64 + 1 {
                return Err(broken(format!("sequence {} where {} was due", entry.sequence, index + 1)));
            }
            if entry.previous_sha256 != ledger.head() {
                return Err(broken("it does not hold the digest of the line before".to_owned()));
            }
            ledger.entries.push(entry);
            ledger.lines.push(line.to_owned());
        }
        Ok(ledger)
    }

    /// Digest of the last line; 64 zeros for an empty ledger.
    pub fn head(&self) -> String {
        self.lines.last().map_or_else(|| "0".repeat(64), |line| sha256_hex(line.as_bytes()))
    }

    /// The whole ledger as text, one entry a line.
    pub fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    /// The last line about the collection of a capture.
    pub fn last_of(&self, capture_id: &str) -> Option<&Entry> {
        let of_collection = |entry: &&Entry| entry.capture_id == capture_id && entry.event != Event::Sealed;
        self.entries.iter().rev().find(of_collection)
    }

    /// The line with which the collection of a capture began.
    pub fn start_of(&self, capture_id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.capture_id == capture_id && entry.event == Event::Started)
    }
}

/// The ledger of a store while nobody else can write to it, or make or take up a capture of that store.
#[derive(Debug)]
pub struct LockedLedger {
    ledger: Ledger,
    _lock: FileLock,
}

impl LockedLedger {
    /// Opens the ledger of a store, once whoever else writes to it has ended.
    pub fn open(store: &Path) -> Result<LockedLedger, EvidenceError> {
        let lock = FileLock::wait(&store.join("ledger.lock"))?;
        Ok(LockedLedger { ledger: Ledger::open(store)?, _lock: lock })
    }

    /// Adds one entry; `sequence` and `previous_sha256` are filled in here. The line is in the ledger whole or not at
    /// all.
    pub fn append(&mut self, mut entry: Entry) -> Result<(), EvidenceError> {
        entry.sequence = self.entries.len() as u64 + 1;
        entry.previous_sha256 = self.head();
        let line = serde_json::to_string(&entry)
            .map_err(|error| EvidenceError::Malformed { path: "ledger.jsonl".to_owned(), why: error.to_string() })?;
        write_atomically(&self.path, format!("{}{line}\n", self.text()).as_bytes())?;
        self.ledger.entries.push(entry);
        self.ledger.lines.push(line);
        Ok(())
    }
}

impl Deref for LockedLedger {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        &self.ledger
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(event: Event) -> Entry {
        Entry {
            sequence: 0,
            at: "2026-10-02T09:00:00Z".parse().expect("a time"),
            event,
            run_id: "run-1".to_owned(),
            capture_id: "c1".to_owned(),
            tenant_id: "t".to_owned(),
            period: Period::parse("2026Q3").expect("a period"),
            plan_sha256: None,
            statement_sha256: None,
            pack_id: None,
            note: None,
            previous_sha256: String::new(),
        }
    }

    #[test]
    fn a_line_taken_out_of_the_ledger_is_seen() {
        let store = tempfile::tempdir().expect("a folder");
        let mut ledger = LockedLedger::open(store.path()).expect("an empty ledger");
        for event in [Event::Started, Event::Failed, Event::Started, Event::Finished] {
            ledger.append(entry(event)).expect("a line");
        }
        let reopened = Ledger::open(store.path()).expect("the same ledger");
        assert_eq!(reopened.entries.len(), 4);
        assert_eq!(reopened.head(), ledger.head());

        let kept: Vec<&str> =
            ledger.lines.iter().map(String::as_str).enumerate().filter(|(i, _)| *i != 1).map(|(_, l)| l).collect();
        let error = Ledger::parse(PathBuf::from("ledger.jsonl"), &kept.join("\n")).expect_err("a gap");
        assert!(error.to_string().contains("line 2: sequence 3 where 2 was due"), "{error}");
    }
    #[test]
    fn two_writers_make_one_chain() {
        let store = tempfile::tempdir().expect("a folder");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let mut ledger = LockedLedger::open(store.path()).expect("a ledger");
                        ledger.append(entry(Event::Started)).expect("a line");
                    }
                });
            }
        });
        assert_eq!(Ledger::open(store.path()).expect("a whole chain").entries.len(), 20);
    }
}
