//! Writing a capture: everything to the side first, synced, then renamed, so that a capture, a record and a file are
//! each whole or absent, whenever the process or the machine stops.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::lock::FileLock;
use super::{CaptureStatus, EvidenceError, Head, Plan, Record};

/// Name of what is not in its place yet ends so.
pub(super) const ASIDE: &str = ".tmp";

/// Writes one capture below `captures/` of a store. Nobody else can write the same one meanwhile.
#[derive(Debug)]
pub struct CaptureWriter {
    pub(super) folder: PathBuf,
    pub(super) head: Head,
    pub(super) _lock: FileLock,
}

impl CaptureWriter {
    /// Makes the capture's folder with its head and plan. An existing capture is never written over. The caller holds
    /// the store's ledger, so that nobody else makes one at the same time.
    pub fn create(store: &Path, head: Head, plan: &Plan) -> Result<CaptureWriter, EvidenceError> {
        let captures = store.join("captures");
        fs::create_dir_all(&captures).map_err(EvidenceError::io("create", &captures))?;
        remove_aside(&captures)?;
        let folder = captures.join(&head.capture_id);
        let aside = captures.join(format!("{}{ASIDE}", head.capture_id));
        let evidence = aside.join("evidence");
        fs::create_dir_all(&evidence).map_err(EvidenceError::io("create", &evidence))?;
        write_synced(&aside.join("plan.json"), &to_json(plan)?)?;
        write_synced(&aside.join("capture.json"), &to_json(&head)?)?;
        sync_folder(&aside)?;
        // Where something is in the way, this fails: no capture is empty.
        fs::rename(&aside, &folder).map_err(EvidenceError::io("create", &folder))?;
        sync_folder(&captures)?;
        sync_folder(store)?;
        let lock = lock(&folder)?;
        Ok(CaptureWriter { folder, head, _lock: lock })
    }

    /// The capture's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps what time-stamping authorities said about the plan: their tokens beside it, then the head that names them.
    pub fn keep_plan_stamps(&mut self, head: Head, tokens: &[Vec<u8>]) -> Result<(), EvidenceError> {
        for (name, token) in head.plan_tokens().iter().zip(tokens) {
            write_atomically(&self.folder.join(name), token)?;
        }
        self.head = head;
        write_json(&self.folder.join("capture.json"), &self.head)
    }

    /// Keeps one record with the bytes of its pages, in the order of `record.pages`. It takes the place of what an
    /// earlier run kept for the same question.
    pub fn keep(&self, record: &Record, pages: &[Vec<u8>]) -> Result<(), EvidenceError> {
        let evidence = self.folder.join("evidence");
        let aside = evidence.join(format!("{}{ASIDE}", record.evidence_id));
        let place = evidence.join(&record.evidence_id);
        remove_folder(&aside)?;
        let kept = write_record(&aside, record, pages)
            .and_then(|()| fs::rename(&aside, &place).map_err(EvidenceError::io("rename", &aside)));
        if let Err(error) = kept {
            let _ = fs::remove_dir_all(&aside); // room for the words that tell of the error, which is the one to tell
            return Err(error);
        }
        sync_folder(&evidence)?;
        self.forget(record)
    }

    /// Writes the head again, at the end of the run. Once it says that the capture is complete, nothing of earlier
    /// runs is left.
    pub fn finish(&mut self, head: Head) -> Result<(), EvidenceError> {
        if head.status == CaptureStatus::Complete {
            self.forget_all()?;
        }
        self.head = head;
        write_json(&self.folder.join("capture.json"), &self.head)
    }
}

/// The lock of a capture; refused while another process holds it.
pub(super) fn lock(folder: &Path) -> Result<FileLock, EvidenceError> {
    let in_use = || EvidenceError::InUse { path: folder.to_owned() };
    FileLock::take(&folder.join("capture.lock"))?.ok_or_else(in_use)
}

/// Replaces `path` by `bytes`: written beside it, synced, renamed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), EvidenceError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ASIDE);
    let aside = path.with_file_name(name);
    write_synced(&aside, bytes)?;
    fs::rename(&aside, path).map_err(EvidenceError::io("rename", path))?;
    sync_folder(path.parent().unwrap_or(path))
}

/// A rename is lasting only once its folder is synced.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> Result<(), EvidenceError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let opened = File::open(folder).map_err(EvidenceError::io("sync", folder))?;
    opened.sync_all().map_err(EvidenceError::io("sync", folder))
}

/// Folders cannot be synced here.
#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> Result<(), EvidenceError> {
    Ok(())
}

/// Removes what a run left beside its place.
pub(super) fn remove_aside(folder: &Path) -> Result<(), EvidenceError> {
    for path in entries(folder)? {
        if !path.to_string_lossy().ends_with(ASIDE) {
            continue;
        }
        if path.is_dir() {
            remove_folder(&path)?;
        } else {
            fs::remove_file(&path).map_err(EvidenceError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// What is in a folder, in order.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, EvidenceError> {
    let read = || EvidenceError::io("read", folder);
    let found: Result<Vec<_>, _> = fs::read_dir(folder).map_err(read())?.collect();
    let mut paths: Vec<PathBuf> = found.map_err(read())?.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    Ok(paths)
}

/// Removes a folder that may not be there.
pub(super) fn remove_folder(path: &Path) -> Result<(), EvidenceError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(EvidenceError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

fn write_record(folder: &Path, record: &Record, pages: &[Vec<u8>]) -> Result<(), EvidenceError> {
    fs::create_dir(folder).map_err(EvidenceError::io("create", folder))?;
    for (page, bytes) in record.pages.iter().zip(pages) {
        write_synced(&folder.join(&page.file), bytes)?;
    }
    write_synced(&folder.join("redactions.json"), &to_json(&record.transformations)?)?;
    write_synced(&folder.join("ipe.json"), &to_json(record)?)?;
    sync_folder(folder)
}

pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), EvidenceError> {
    write_atomically(path, &to_json(value)?)
}

pub(super) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, EvidenceError> {
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
