//! What can go wrong with a capture on disk.

use std::path::PathBuf;

use thiserror::Error;

/// A capture that cannot be read or written.
#[derive(Debug, Error)]
pub enum EvidenceError {
    /// The file system refused.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried: `read`, `write`, `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the capture is not what it should be.
    #[error("`{path}` is not a usable part of a capture: {why}")]
    Malformed {
        /// The file, relative to the capture.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing to read.
    #[error("`{path}` holds no capture (no capture.json)")]
    NoCapture {
        /// The folder.
        path: PathBuf,
    },
    /// Another process writes it.
    #[error("another process is writing the capture `{path}`\nwait until it has ended")]
    InUse {
        /// The capture's folder.
        path: PathBuf,
    },
    /// The ledger's chain of digests is broken.
    #[error("the ledger `{path}` is broken at line {line}: {why}")]
    Ledger {
        /// The ledger.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
}

impl EvidenceError {
    pub(super) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> EvidenceError {
        let path = path.to_owned();
        move |source| EvidenceError::Io { action, path, source }
    }
}
