//! What can go wrong while a pack is made. A pack that does not verify is not an error: it is a [`super::Report`].

use std::path::{Path, PathBuf};

use thiserror::Error;

/// A pack, key or zip that cannot be made.
#[derive(Debug, Error)]
pub enum PackError {
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
    /// Something is already there, and is not written over.
    #[error("`{path}` exists and is not written over; name another place or move it away")]
    Exists {
        /// The file or folder.
        path: PathBuf,
    },
    /// Replacing was allowed, but what is there is not a pack.
    #[error("`{path}` is not a sealed pack, so it is not replaced; move it away")]
    NotAPack {
        /// The folder.
        path: PathBuf,
    },
    /// A file's name breaks a rule of the layout.
    #[error("`{path}` cannot be in a pack: {why}")]
    Name {
        /// The path inside the pack.
        path: String,
        /// The rule, and how it is broken.
        why: String,
    },
    /// A file to be copied is not a regular file.
    #[error("`{path}` is not a regular file; only regular files go into a pack")]
    NotRegular {
        /// The file.
        path: PathBuf,
    },
    /// A fact given for the statement or the manifest cannot be written.
    #[error("the pack cannot be described: {0}")]
    Fact(String),
    /// What was given does not fit together.
    #[error("nothing was sealed, because the pack would not verify: {0}")]
    WouldNotVerify(String),
    /// A key that cannot be read or used.
    #[error("{0}")]
    Key(String),
    /// A time-stamp authority gave nothing usable.
    #[error("no time-stamp from `{authority}`: {why}")]
    TimeStamp {
        /// Its name, as the caller gave it.
        authority: String,
        /// What is wrong with its answer.
        why: String,
    },
    /// The zip could not be written.
    #[error("cannot write `{path}`: {why}")]
    Zip {
        /// The zip.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl From<serde_json::Error> for PackError {
    fn from(error: serde_json::Error) -> PackError {
        PackError::Fact(error.to_string())
    }
}

impl PackError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> PackError {
        let path = path.to_owned();
        move |source| PackError::Io { action, path, source }
    }
}
