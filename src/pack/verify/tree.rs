//! Step 1: what is on disk. Nothing is opened here, and a link is never followed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::super::digest::copy_hashed;
use super::super::names::{self, MAX_PATH};
use super::{Report, Step};

/// Most files and folders in a pack.
const MAX_ENTRIES: usize = 200_000;

/// The only names in `attestation/`, besides `pack.tsr.2` to `pack.tsr.9`.
const ATTESTATION: [&str; 8] = [
    "SHA256SUMS.p7s",
    "SHA256SUMS.sig",
    "pack.dsse.json",
    "pack.sig",
    "pack.sigstore.json",
    "pack.tsr",
    "review.dsse.json",
    "statement.json",
];

/// The regular files of a pack.
pub(super) struct Tree {
    root: PathBuf,
    /// Files outside `attestation/`.
    pub files: BTreeSet<String>,
    /// Names in `attestation/`.
    pub attestation: BTreeSet<String>,
    /// Paths that are there but refused, so that they are not called missing as well.
    pub refused: BTreeSet<String>,
}

impl Tree {
    /// Walks the folder and reports everything in it that no pack may hold.
    pub fn walk(root: &Path, report: &mut Report) -> Tree {
        let mut tree = Tree {
            root: root.to_owned(),
            files: BTreeSet::new(),
            attestation: BTreeSet::new(),
            refused: BTreeSet::new(),
        };
        let mut folders = vec![String::new()];
        let mut budget = MAX_ENTRIES;
        while let Some(folder) = folders.pop() {
            let entries = match list(&root.join(&folder), budget) {
                Ok(entries) => entries,
                Err(error) => {
                    report.problem(Step::Tree, about(&folder), format!("the folder cannot be read: {error}"));
                    continue;
                }
            };
            if entries.is_empty() {
                report.problem(Step::Tree, about(&folder), "is an empty folder");
            }
            if entries.len() > budget {
                report.problem(Step::Tree, None, format!("more than {MAX_ENTRIES} files and folders"));
                break;
            }
            budget -= entries.len();
            for (name, plain) in entries {
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                tree.enter(path, plain, &mut folders, report);
            }
        }
        tree.compare_cases(report);
        tree
    }

    fn enter(&mut self, path: String, plain: bool, folders: &mut Vec<String>, report: &mut Report) {
        if !plain {
            report.problem(Step::Tree, Some(&path), "its name is not text");
            return;
        }
        let kind = match fs::symlink_metadata(self.root.join(&path)) {
            Ok(kind) => kind,
            Err(error) => {
                report.problem(Step::Tree, Some(&path), format!("cannot be looked at: {error}"));
                self.refused.insert(path);
                return;
            }
        };
        if kind.is_dir() {
            if path.len() > MAX_PATH {
                report.problem(Step::Tree, Some(&path), format!("is a folder deeper than {MAX_PATH} bytes of path"));
            } else if path.starts_with("attestation/") {
                report.problem(Step::Tree, Some(&path), "is a folder in attestation/, which holds files only");
            } else {
                if let Err(why) = names::check_path(&path) {
                    report.problem(Step::Tree, Some(&path), why);
                }
                folders.push(path);
            }
        } else if !kind.is_file() {
            let what = if kind.is_symlink() { "is a symbolic link, not a file" } else { "is not a regular file" };
            report.problem(Step::Tree, Some(&path), what);
            self.refused.insert(path);
        } else {
            self.enter_file(path, &kind, report);
        }
    }

    fn enter_file(&mut self, path: String, kind: &Metadata, report: &mut Report) {
        if hard_links(kind) > 1 {
            report.problem(Step::Tree, Some(&path), "is a hard link: the same file has another name elsewhere");
        }
        if let Some(name) = path.strip_prefix("attestation/") {
            if ATTESTATION.contains(&name) || token_number(name).is_some() {
                self.attestation.insert(name.to_owned());
            } else {
                report.problem(Step::Tree, Some(&path), "is not one of the names that attestation/ may hold");
            }
            return;
        }
        if let Err(why) = names::check_path(&path) {
            report.problem(Step::Tree, Some(&path), why);
        }
        self.files.insert(path);
    }

    fn compare_cases(&self, report: &mut Report) {
        let mut folded: BTreeMap<String, &str> = BTreeMap::new();
        for path in &self.files {
            if let Some(other) = folded.insert(path.to_lowercase(), path) {
                report.problem(Step::Tree, Some(path), names::equal_but_for_case(other));
            }
        }
    }

    /// Size and digest of a file, read in pieces.
    pub fn digest(&self, path: &str) -> io::Result<(u64, String)> {
        copy_hashed(&mut File::open(self.root.join(path))?, &mut io::sink())
    }

    /// A whole file, if it is not longer than `limit`.
    pub fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, String> {
        let known = path
            .strip_prefix("attestation/")
            .map_or_else(|| self.files.contains(path), |name| self.attestation.contains(name));
        if !known {
            return Err("is missing".to_owned());
        }
        let mut bytes = Vec::new();
        File::open(self.root.join(path))
            .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
            .map_err(|error| format!("cannot be read: {error}"))?;
        if bytes.len() as u64 > limit { Err(format!("is longer than {limit} bytes")) } else { Ok(bytes) }
    }
}

/// The folder for a message; nothing for the pack itself.
fn about(folder: &str) -> Option<&str> {
    (!folder.is_empty()).then_some(folder)
}

/// The names in a folder, sorted, each with whether it is text; no more than `most` and one.
fn list(folder: &Path, most: usize) -> io::Result<Vec<(String, bool)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)?.take(most.saturating_add(1)) {
        let name = entry?.file_name();
        entries.push((name.to_string_lossy().into_owned(), name.to_str().is_some()));
    }
    entries.sort();
    Ok(entries)
}

/// 2 for `pack.tsr.2`, up to 9.
fn token_number(name: &str) -> Option<usize> {
    let number: usize = name.strip_prefix("pack.tsr.").filter(|digits| digits.len() == 1)?.parse().ok()?;
    (number >= 2).then_some(number)
}

#[cfg(unix)]
fn hard_links(kind: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(kind)
}

#[cfg(not(unix))]
fn hard_links(_: &Metadata) -> u64 {
    1 // not told by this system
}
