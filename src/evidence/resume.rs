//! Continuing a capture that was interrupted.
//!
//! What the earlier run kept is set back to `earlier/`, under a name made from its question. The run then goes the
//! way of any run and takes back, or asks again, one question after the other: numbers are given anew, so that they
//! are those of a run that was not interrupted. What was not synced yet when the machine stopped may be damaged;
//! digests tell, and such a question is put again. When that run is killed as well, `evidence/` and `earlier/` together
//! still hold everything.

use std::fs;
use std::path::{Path, PathBuf};

use super::capture::{LARGEST_RECORD, Place};
use super::write::{EARLIER, entries, is_aside, lock, remove_aside, remove_folder, sync_folder, to_json, write_json};
use super::{CaptureWriter, EvidenceError, Head, Kind, Page, Plan, Record, sha256_hex};

/// What an earlier run of the same capture kept for one question, and is still what its record says.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// Its record, with the number that it had.
    pub record: Record,
    place: Place,
}

impl Earlier {
    /// The bytes of one of its pages.
    pub fn page(&self, page: &Page) -> Result<Vec<u8>, EvidenceError> {
        self.place.read(&page.file, page.bytes)
    }

    /// Whether the question need not be put again: it was answered whole, or asking again would say the same.
    pub fn is_settled(&self) -> bool {
        is_settled(&self.record)
    }
}

/// What was found when a capture was taken up again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenUp {
    /// Records that are kept as they are.
    pub settled: usize,
    /// Records whose question is put again.
    pub passing: usize,
    /// Records that were damaged and removed.
    pub damaged: usize,
}

impl CaptureWriter {
    /// Opens a capture for writing again. Nothing is changed yet.
    pub fn reopen(folder: &Path) -> Result<(CaptureWriter, Plan), EvidenceError> {
        Head::open(folder)?; // a folder that is no capture gets no lock
        let lock = lock(folder)?;
        let place = Place::Folder(folder.to_owned());
        let plan = place.json("plan.json", LARGEST_RECORD)?;
        // Read once more: the holder of the lock may have finished it meanwhile.
        Ok((CaptureWriter::with(folder.to_owned(), Head::open(folder)?, lock), plan))
    }

    /// The head as it was read or written last.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Sets back what the earlier run kept, and writes the head of the one that continues.
    pub fn take_up(&mut self, head: Head) -> Result<TakenUp, EvidenceError> {
        let (evidence, earlier) = (self.folder.join("evidence"), self.folder.join(EARLIER));
        remove_aside(&self.folder)?;
        fs::create_dir_all(&earlier).map_err(EvidenceError::io("create", &earlier))?;
        self.is_continuing = true;
        let mut found = TakenUp::default();
        // What waited at the side goes first: of two records of one question, the one in its place is taken.
        let (mut all, in_place): (Vec<PathBuf>, Vec<PathBuf>) =
            entries(&evidence)?.into_iter().partition(|path| is_aside(path));
        all.extend(in_place);
        for path in all {
            let Some(record) = whole_record(&path)? else {
                remove_folder(&path)?;
                found.damaged += usize::from(!is_aside(&path)); // what was being written is not damaged
                continue;
            };
            let place = self.earlier_place(record.kind, &record.scope);
            remove_folder(&place)?; // from a run before that one, and replaced by it
            fs::rename(&path, &place).map_err(EvidenceError::io("rename", &path))?;
        }
        sync_folder(&evidence)?;
        sync_folder(&earlier)?;
        for path in entries(&earlier)? {
            match whole_record(&path)? {
                Some(record) if is_settled(&record) => found.settled += 1,
                Some(_) => found.passing += 1,
                None => {
                    remove_folder(&path)?;
                    found.damaged += 1;
                }
            }
        }
        self.head = head;
        write_json(&self.folder.join("capture.json"), &self.head)?;
        Ok(found)
    }

    /// What an earlier run kept for a question, if it is still what its record says.
    pub fn earlier(&self, kind: Kind, scope: &str) -> Result<Option<Earlier>, EvidenceError> {
        if !self.is_continuing {
            return Ok(None);
        }
        let path = self.earlier_place(kind, scope);
        let Some(record) = whole_record(&path)? else { return Ok(None) };
        let earlier = Earlier { record, place: Place::Folder(path) };
        for page in &earlier.record.pages {
            match or_damaged(earlier.page(page))? {
                Some(bytes) if sha256_hex(&bytes) == page.sha256 => {}
                _ => return Ok(None),
            }
        }
        Ok(Some(earlier))
    }

    /// Keeps an earlier run's answer in this one, as `record`: the same with this run's number.
    pub fn take_over(&self, earlier: &Earlier, record: &Record) -> Result<(), EvidenceError> {
        let (from, to) = (self.earlier_place(record.kind, &record.scope), self.folder.join("evidence"));
        if earlier.record != *record {
            write_json(&from.join("ipe.json"), record)?;
        }
        // Not synced: before this rename and after it nothing is missing.
        fs::rename(&from, to.join(&record.evidence_id)).map_err(EvidenceError::io("rename", &from))
    }

    /// How many records of earlier runs no question has come to.
    pub fn left_over(&self) -> Result<usize, EvidenceError> {
        self.settle()?;
        if self.is_continuing { Ok(entries(&self.folder.join(EARLIER))?.len()) } else { Ok(0) }
    }

    /// Removes what is left of earlier runs.
    pub(super) fn forget_all(&self) -> Result<(), EvidenceError> {
        sync_folder(&self.folder.join("evidence"))?; // with what was taken over
        remove_folder(&self.folder.join(EARLIER))
    }

    pub(super) fn earlier_place(&self, kind: Kind, scope: &str) -> PathBuf {
        let question = format!("{kind:?}\0{}", scope.to_lowercase());
        self.folder.join(EARLIER).join(sha256_hex(question.as_bytes()))
    }
}

fn is_settled(record: &Record) -> bool {
    record.gap.as_ref().is_none_or(|gap| !gap.reason.may_pass())
}

/// The record in a folder; none where it is missing or damaged.
fn whole_record(folder: &Path) -> Result<Option<Record>, EvidenceError> {
    let place = Place::Folder(folder.to_owned());
    let Some(record) = or_damaged(place.json::<Record>("ipe.json", LARGEST_RECORD))? else { return Ok(None) };
    let said = to_json(&record.transformations)?;
    let cuts = or_damaged(place.read("redactions.json", said.len() as u64))?;
    Ok((cuts == Some(said)).then_some(record))
}

/// What is missing or not what it should be is asked again; a file system that refuses ends the run.
fn or_damaged<T>(read: Result<T, EvidenceError>) -> Result<Option<T>, EvidenceError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(EvidenceError::Malformed { .. }) => Ok(None),
        Err(EvidenceError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
