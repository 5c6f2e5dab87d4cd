//! Writing a capture: each record to the side first, then renamed, so that a record is whole or absent.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{EvidenceError, Head, Plan, Record};

/// Writes one capture below `captures/` of a store.
#[derive(Debug)]
pub struct CaptureWriter {
    folder: PathBuf,
    head: Head,
}

impl CaptureWriter {
    /// Makes the capture's folder with its head and plan. An existing capture is never written over.
    pub fn create(store: &Path, head: Head, plan: &Plan) -> Result<CaptureWriter, EvidenceError> {
        let captures = store.join("captures");
        fs::create_dir_all(&captures).map_err(EvidenceError::io("create", &captures))?;
        let folder = captures.join(&head.capture_id);
        fs::create_dir(&folder).map_err(EvidenceError::io("create", &folder))?;
        let evidence = folder.join("evidence");
        fs::create_dir(&evidence).map_err(EvidenceError::io("create", &evidence))?;
        let writer = CaptureWriter { folder, head };
        write_json(&writer.folder.join("plan.json"), plan)?;
        write_json(&writer.folder.join("capture.json"), &writer.head)?;
        Ok(writer)
    }

    /// The capture's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps one record with the bytes of its pages, in the order of `record.pages`.
    pub fn keep(&self, record: &Record, pages: &[Vec<u8>]) -> Result<(), EvidenceError> {
        let evidence = self.folder.join("evidence");
        let aside = evidence.join(format!("{}.tmp", record.evidence_id));
        let final_place = evidence.join(&record.evidence_id);
        if aside.exists() {
            fs::remove_dir_all(&aside).map_err(EvidenceError::io("remove", &aside))?;
        }
        fs::create_dir(&aside).map_err(EvidenceError::io("create", &aside))?;
        for (page, bytes) in record.pages.iter().zip(pages) {
            write_synced(&aside.join(&page.file), bytes)?;
        }
        write_synced(&aside.join("redactions.json"), &to_json(&record.transformations)?)?;
        write_synced(&aside.join("ipe.json"), &to_json(record)?)?;
        fs::rename(&aside, &final_place).map_err(EvidenceError::io("rename", &aside))
    }

    /// Writes the head again, at the end of the run.
    pub fn finish(&mut self, head: Head) -> Result<(), EvidenceError> {
        self.head = head;
        write_json(&self.folder.join("capture.json"), &self.head)
    }
}

/// Replaces `path` by `bytes`: written beside it, synced, renamed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), EvidenceError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let aside = path.with_file_name(name);
    write_synced(&aside, bytes)?;
    fs::rename(&aside, path).map_err(EvidenceError::io("rename", path))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), EvidenceError> {
    write_atomically(path, &to_json(value)?)
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, EvidenceError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| EvidenceError::Malformed { path: "the value to write".to_owned(), why: error.to_string() })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), EvidenceError> {
    let mut file = File::create(path).map_err(EvidenceError::io("write", path))?;
    file.write_all(bytes).map_err(EvidenceError::io("write", path))?;
    file.sync_all().map_err(EvidenceError::io("write", path))
}
