//! A lock that two processes cannot both hold. The system gives it back when its holder ends, however it ends, so
//! that a run that was killed blocks nobody.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::EvidenceError;

/// Held until it is dropped. The file itself is empty and stays.
#[derive(Debug)]
pub(super) struct FileLock(#[expect(dead_code, reason = "the lock is held as long as the file is open")] File);

impl FileLock {
    /// Waits until nobody else holds it.
    pub(super) fn wait(path: &Path) -> Result<FileLock, EvidenceError> {
        let file = open(path)?;
        file.lock().map_err(EvidenceError::io("lock", path))?;
        Ok(FileLock(file))
    }

    /// Takes it now, or says that somebody else holds it.
    pub(super) fn take(path: &Path) -> Result<Option<FileLock>, EvidenceError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(FileLock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(EvidenceError::io("lock", path)(source)),
        }
    }
}

fn open(path: &Path) -> Result<File, EvidenceError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(EvidenceError::io("open", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_given_back_when_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.lock");
        let held = FileLock::take(&path).expect("a lock").expect("nobody holds it");
        assert!(FileLock::take(&path).expect("an answer").is_none());
        drop(held);
        assert!(FileLock::take(&path).expect("an answer").is_some());
    }
}
