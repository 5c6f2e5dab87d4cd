//! Reading a capture, or the part of a sealed pack that has the same shape.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{EvidenceError, Head, Page, Plan, Record, sha256_hex};

/// A page larger than this is not read: bytes.
const LARGEST_PAGE: u64 = 256 << 20;
/// A record, plan or head larger than this is not read: bytes.
pub(super) const LARGEST_RECORD: u64 = 64 << 20;

/// A capture: its head, plan and records. Pages are read when asked for.
#[derive(Clone, Debug)]
pub struct Capture {
    /// `capture.json`.
    pub head: Head,
    /// `plan.json`.
    pub plan: Plan,
    /// The records, by evidence id.
    pub records: Vec<Record>,
    place: Place,
}

#[derive(Clone, Debug)]
pub(super) enum Place {
    Folder(PathBuf),
    Memory(BTreeMap<String, Vec<u8>>),
}

/// One file of the evidence tree, for sealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceFile {
    /// Path below the capture, with `/`.
    pub path: String,
    /// The record that it belongs to; none for `plan.json` and its time-stamps.
    pub record: Option<String>,
}

/// A kept page that is not what its record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Path below the capture.
    pub path: String,
    /// What is wrong.
    pub why: String,
}

impl Capture {
    /// Opens the capture in `folder` by its `capture.json`.
    pub fn open(folder: &Path) -> Result<Capture, EvidenceError> {
        Capture::with_head(Head::open(folder)?, Place::Folder(folder.to_owned()))
    }

    /// Opens the evidence of a pack, whose head is kept in the manifest.
    pub fn open_with_head(folder: &Path, head: Head) -> Result<Capture, EvidenceError> {
        Capture::with_head(head, Place::Folder(folder.to_owned()))
    }

    /// A capture whose files are given; keys are paths such as `evidence/ev-0001/ipe.json`.
    pub fn from_memory(head: Head, files: BTreeMap<String, Vec<u8>>) -> Result<Capture, EvidenceError> {
        Capture::with_head(head, Place::Memory(files))
    }

    fn with_head(head: Head, place: Place) -> Result<Capture, EvidenceError> {
        let plan = place.json("plan.json", LARGEST_RECORD)?;
        let ids = place.record_ids()?;
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            let path = format!("evidence/{id}/ipe.json");
            let mut record: Record = place.json(&path, LARGEST_RECORD)?;
            record.shrink();
            if record.evidence_id != id {
                let why = format!("it says that it is `{}`", record.evidence_id);
                return Err(EvidenceError::Malformed { path, why });
            }
            records.push(record);
        }
        Ok(Capture { head, plan, records, place })
    }

    /// The bytes of one page as kept.
    pub fn page(&self, record: &Record, page: &Page) -> Result<Vec<u8>, EvidenceError> {
        self.place.read(&format!("evidence/{}/{}", record.evidence_id, page.file), LARGEST_PAGE)
    }

    /// Any file of the capture, by its path below it.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, EvidenceError> {
        self.place.read(path, LARGEST_PAGE)
    }

    /// Pages that are missing or whose digest is not the recorded one, in order.
    pub fn damage(&self) -> Vec<Damage> {
        let mut found = Vec::new();
        for record in &self.records {
            for page in &record.pages {
                let path = format!("evidence/{}/{}", record.evidence_id, page.file);
                match self.page(record, page) {
                    Ok(bytes) if sha256_hex(&bytes) == page.sha256 => {}
                    Ok(bytes) => found.push(Damage {
                        path,
                        why: format!("its SHA-256 is {}, the record says {}", sha256_hex(&bytes), page.sha256),
                    }),
                    Err(error) => found.push(Damage { path, why: error.to_string() }),
                }
            }
        }
        found
    }

    /// The same capture with each page's digest as found, so that changed evidence can be judged to show what the
    /// change does. Only for comparing; such a capture is never sealed.
    pub fn as_found(mut self) -> Capture {
        let mut found = Vec::new();
        for record in &self.records {
            found.push(
                record
                    .pages
                    .iter()
                    .map(|page| self.page(record, page).ok())
                    .map(|bytes| bytes.map(|bytes| sha256_hex(&bytes)))
                    .collect::<Vec<_>>(),
            );
        }
        for (record, digests) in self.records.iter_mut().zip(found) {
            for (page, digest) in record.pages.iter_mut().zip(digests) {
                page.sha256 = digest.unwrap_or_else(|| page.sha256.clone());
            }
        }
        self
    }

    /// The files that go into a pack: the plan and its time-stamps, and every file of every record, in a fixed order.
    pub fn files(&self) -> Vec<EvidenceFile> {
        let plan = std::iter::once("plan.json".to_owned()).chain(self.head.plan_tokens());
        let mut files: Vec<EvidenceFile> = plan.map(|path| EvidenceFile { path, record: None }).collect();
        for record in &self.records {
            let own = |file: &str| EvidenceFile {
                path: format!("evidence/{}/{file}", record.evidence_id),
                record: Some(record.evidence_id.clone()),
            };
            files.push(own("ipe.json"));
            files.extend(record.pages.iter().map(|page| own(&page.file)));
            files.push(own("redactions.json"));
        }
        files
    }
}

impl Place {
    pub(super) fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, EvidenceError> {
        match self {
            Place::Memory(files) => files
                .get(path)
                .cloned()
                .ok_or_else(|| EvidenceError::Malformed { path: path.to_owned(), why: "it is missing".to_owned() }),
            Place::Folder(folder) => {
                let full = folder.join(path);
                let file = File::open(&full).map_err(EvidenceError::io("read", &full))?;
                let mut bytes = Vec::new();
                file.take(limit + 1).read_to_end(&mut bytes).map_err(EvidenceError::io("read", &full))?;
                if bytes.len() as u64 > limit {
                    let why = format!("it is larger than {limit} bytes");
                    return Err(EvidenceError::Malformed { path: path.to_owned(), why });
                }
                Ok(bytes)
            }
        }
    }

    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, path: &str, limit: u64) -> Result<T, EvidenceError> {
        let bytes = self.read(path, limit)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| EvidenceError::Malformed { path: path.to_owned(), why: error.to_string() })
    }

    /// Evidence ids in numeric order. Names that are not evidence ids are refused.
    fn record_ids(&self) -> Result<Vec<String>, EvidenceError> {
        let mut ids = Vec::new();
        match self {
            Place::Memory(files) => {
                let folders = files.keys().filter_map(|path| path.strip_prefix("evidence/")?.split('/').next());
                ids.extend(folders.map(str::to_owned));
            }
            Place::Folder(folder) => {
                let root = folder.join("evidence");
                for entry in fs::read_dir(&root).map_err(EvidenceError::io("read", &root))? {
                    let entry = entry.map_err(EvidenceError::io("read", &root))?;
                    let name = entry.file_name().to_string_lossy().into_owned();
                    if !name.ends_with(".tmp") {
                        ids.push(name);
                    }
                }
            }
        }
        let mut numbered = Vec::new();
        for id in ids {
            let Some(number) = id.strip_prefix("ev-").and_then(|digits| digits.parse::<u64>().ok()) else {
                let path = format!("evidence/{id}");
                return Err(EvidenceError::Malformed { path, why: "it is not named like a record".to_owned() });
            };
            numbered.push((number, id));
        }
        numbered.sort();
        numbered.dedup();
        Ok(numbered.into_iter().map(|(_, id)| id).collect())
    }
}
