//! Writing a capture: everything to the side first, synced, then renamed, so that a capture, a record and a file are
//! each whole or absent, whenever the process or the machine stops.
//!
//! To sync each record by itself would take longer than to collect it. Records wait at the side until there are many,
//! are synced together, and are renamed then, while further ones are written. What waits is not lost with the process:
//! a run that continues finds it there, and takes it when it is whole.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use serde::Serialize;

use super::lock::FileLock;
use super::{CaptureStatus, EvidenceError, Head, Page, Plan, Record};

/// Name of what is not in its place yet ends so.
pub(super) const ASIDE: &str = ".tmp";
/// Folder of what earlier runs of a capture kept.
pub(super) const EARLIER: &str = "earlier";

/// How many records wait to be synced together.
const TOGETHER: usize = 500;

/// Writes one capture below `captures/` of a store. Nobody else can write the same one meanwhile.
#[derive(Debug)]
pub struct CaptureWriter {
    pub(super) folder: PathBuf,
    pub(super) head: Head,
    /// Records that are written to the side, and what each of them replaces.
    waiting: RefCell<Vec<Waiting>>,
    /// Those that are being put into their places.
    settling: RefCell<Option<JoinHandle<Result<(), EvidenceError>>>>,
    /// Whether there is something of earlier runs.
    pub(super) is_continuing: bool,
    _lock: FileLock,
}

/// A record that is written to the side.
#[derive(Debug)]
struct Waiting {
    evidence_id: String,
    /// The place of what an earlier run kept for the same question.
    replaced: Option<PathBuf>,
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
        Ok(CaptureWriter::with(folder, head, lock))
    }

    pub(super) fn with(folder: PathBuf, head: Head, lock: FileLock) -> CaptureWriter {
        let is_continuing = folder.join(EARLIER).exists();
        let (waiting, settling) = (RefCell::default(), RefCell::default());
        CaptureWriter { folder, head, waiting, settling, is_continuing, _lock: lock }
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

    /// Keeps one page of a record to the side, the first page first. The record is there once [`CaptureWriter::keep`]
    /// was called.
    pub fn keep_page(&self, evidence_id: &str, page: &Page, bytes: &[u8]) -> Result<(), EvidenceError> {
        let aside = self.aside(evidence_id);
        let made = if page.file == Page::FIRST { create_folder(&aside) } else { Ok(()) };
        or_removed(made.and_then(|()| write(&aside.join(&page.file), bytes).map(drop)), &aside)
    }

    /// Keeps a record whose pages, if it has any, were kept to the side. It takes the place of what an earlier run
    /// kept for the same question.
    pub fn keep(&self, record: &Record) -> Result<(), EvidenceError> {
        let aside = self.aside(&record.evidence_id);
        or_removed(write_record(&aside, record), &aside)?;
        let replaced = self.is_continuing.then(|| self.earlier_place(record.kind, &record.scope));
        self.waiting.borrow_mut().push(Waiting { evidence_id: record.evidence_id.clone(), replaced });
        let are_settled = self.settling.borrow().as_ref().is_none_or(JoinHandle::is_finished);
        if are_settled && self.waiting.borrow().len() >= TOGETHER { self.begin_to_settle() } else { Ok(()) }
    }

    /// Begins to put the records that wait into their places, once those before them are there.
    fn begin_to_settle(&self) -> Result<(), EvidenceError> {
        self.be_settled()?;
        let (evidence, waiting) = (self.folder.join("evidence"), self.waiting.take());
        *self.settling.borrow_mut() = Some(thread::spawn(move || settle(&evidence, &waiting)));
        Ok(())
    }

    /// Waits until the records that are being put into their places are there.
    fn be_settled(&self) -> Result<(), EvidenceError> {
        let Some(settling) = self.settling.take() else { return Ok(()) };
        let broken = || EvidenceError::io("sync", &self.folder)(std::io::Error::other("the thread that syncs died"));
        settling.join().unwrap_or_else(|_| Err(broken()))
    }

    /// Puts all records into their places.
    pub(super) fn settle(&self) -> Result<(), EvidenceError> {
        self.be_settled()?;
        settle(&self.folder.join("evidence"), &self.waiting.take())
    }

    fn aside(&self, evidence_id: &str) -> PathBuf {
        aside(&self.folder.join("evidence"), evidence_id)
    }

    /// Writes the head again, at the end of the run. Once it says that the capture is complete, nothing of earlier
    /// runs is left.
    pub fn finish(&mut self, head: Head) -> Result<(), EvidenceError> {
        self.settle()?;
        if head.status == CaptureStatus::Complete {
            self.forget_all()?;
        }
        self.head = head;
        write_json(&self.folder.join("capture.json"), &self.head)
    }
}

/// Whatever ends a run: what was kept is put into its place.
impl Drop for CaptureWriter {
    fn drop(&mut self) {
        let _ = self.settle(); // the error that ended the run is the one to tell; what stays aside is found again
    }
}

/// Syncs records that wait, and puts them into their places.
fn settle(evidence: &Path, waiting: &[Waiting]) -> Result<(), EvidenceError> {
    if waiting.is_empty() {
        return Ok(());
    }
    let asides: Vec<PathBuf> = waiting.iter().map(|record| aside(evidence, &record.evidence_id)).collect();
    sync_all(evidence, &asides)?;
    for (record, aside) in waiting.iter().zip(&asides) {
        fs::rename(aside, evidence.join(&record.evidence_id)).map_err(EvidenceError::io("rename", aside))?;
    }
    sync_folder(evidence)?;
    waiting.iter().filter_map(|record| record.replaced.as_deref()).try_for_each(remove_folder)
}

fn aside(evidence: &Path, evidence_id: &str) -> PathBuf {
    evidence.join(format!("{evidence_id}{ASIDE}"))
}

/// The lock of a capture; refused while another process holds it.
pub(super) fn lock(folder: &Path) -> Result<FileLock, EvidenceError> {
    let in_use = || EvidenceError::InUse { path: folder.to_owned() };
    FileLock::take(&folder.join("capture.lock"))?.ok_or_else(in_use)
}

/// Replaces `path` by `bytes`: written beside it, synced, renamed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), EvidenceError> {
    write_aside(path, |file| file.write_all(bytes).map_err(EvidenceError::io("write", path)))
}

/// The same, of whatever `fill` writes, so that it need not be held.
pub fn write_aside<E: From<EvidenceError>>(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ASIDE);
    let aside = path.with_file_name(name);
    let mut file = BufWriter::with_capacity(1 << 16, File::create(&aside).map_err(EvidenceError::io("write", &aside))?);
    fill(&mut file)?;
    let file = file.into_inner().map_err(|error| EvidenceError::io("write", &aside)(error.into_error()))?;
    file.sync_all().map_err(EvidenceError::io("write", &aside))?;
    fs::rename(&aside, path).map_err(EvidenceError::io("rename", path))?;
    Ok(sync_folder(path.parent().unwrap_or(path))?)
}

/// A rename is lasting only once its folder is synced.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> Result<(), EvidenceError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let opened = File::open(folder).map_err(EvidenceError::io("sync", folder))?;
    opened.sync_all().map_err(EvidenceError::io("sync", folder))
}

/// Syncs what is in these folders, which lie in `parent`: with one call, for all of its file system.
#[cfg(target_os = "linux")]
fn sync_all(parent: &Path, _: &[PathBuf]) -> Result<(), EvidenceError> {
    let opened = File::open(parent).map_err(EvidenceError::io("sync", parent))?;
    rustix::fs::syncfs(&opened).map_err(|error| EvidenceError::io("sync", parent)(error.into()))
}

/// Syncs what is in these folders, file by file.
#[cfg(not(target_os = "linux"))]
fn sync_all(_: &Path, folders: &[PathBuf]) -> Result<(), EvidenceError> {
    for folder in folders {
        for path in entries(folder)? {
            let file = File::options().write(true).open(&path).map_err(EvidenceError::io("sync", &path))?;
            file.sync_all().map_err(EvidenceError::io("sync", &path))?;
        }
        sync_folder(folder)?;
    }
    Ok(())
}

/// Folders cannot be synced here.
#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> Result<(), EvidenceError> {
    Ok(())
}

/// Removes what a run left beside its place.
pub(super) fn remove_aside(folder: &Path) -> Result<(), EvidenceError> {
    for path in entries(folder)?.into_iter().filter(|path| is_aside(path)) {
        if path.is_dir() {
            remove_folder(&path)?;
        } else {
            fs::remove_file(&path).map_err(EvidenceError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Whether this is not in its place yet.
pub(super) fn is_aside(path: &Path) -> bool {
    path.as_os_str().to_string_lossy().ends_with(ASIDE)
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

/// An empty folder, whatever was there.
fn create_folder(path: &Path) -> Result<(), EvidenceError> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            remove_folder(path)?;
            fs::create_dir(path).map_err(EvidenceError::io("create", path))
        }
        made => made.map_err(EvidenceError::io("create", path)),
    }
}

/// Makes room for the words that tell of an error, which is the one to tell.
fn or_removed(kept: Result<(), EvidenceError>, aside: &Path) -> Result<(), EvidenceError> {
    if kept.is_err() {
        let _ = fs::remove_dir_all(aside);
    }
    kept
}

fn write_record(folder: &Path, record: &Record) -> Result<(), EvidenceError> {
    if record.pages.is_empty() {
        create_folder(folder)?;
    }
    write(&folder.join("redactions.json"), &to_json(&record.transformations)?)?;
    // last: with it the record is whole
    write(&folder.join("ipe.json"), &to_json(record)?).map(drop)
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
    write(path, bytes)?.sync_all().map_err(EvidenceError::io("write", path))
}

fn write(path: &Path, bytes: &[u8]) -> Result<File, EvidenceError> {
    let mut file = File::create(path).map_err(EvidenceError::io("write", path))?;
    file.write_all(bytes).map_err(EvidenceError::io("write", path))?;
    Ok(file)
}
