//! What a command can fail with, and whose fault it is.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::config::ConfigError;
use crate::azure::{CloudError, LiveError, RecordingError};
use crate::collect::{CollectError, PseudonymError};
use crate::control::ControlError;
use crate::evidence::{EvidenceError, PeriodError};
use crate::model::ModelError;
use crate::pack::PackError;
use crate::render::RenderError;

/// A command that failed.
#[derive(Debug, Error)]
pub enum CliError {
    /// Wrong use: the message says what to do.
    #[error("{0}")]
    Use(String),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A period.
    #[error(transparent)]
    Period(#[from] PeriodError),
    /// A cloud or its endpoints.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// A recording.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// A credential, or a network client that could not be set up.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// The collection as a whole.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The key of pseudonyms.
    #[error(transparent)]
    Pseudonym(#[from] PseudonymError),
    /// A capture.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A capture whose answers cannot be read at all.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A pack or a key.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The run was stopped by the user.
    #[error("{0}")]
    Stopped(String),
    /// The control files that this build carries.
    #[error("the built-in controls are wrong, which is a defect of tickmark\n{0}")]
    Control(#[from] ControlError),
    /// Registers, waivers or attached records, each mistake with file, line and column.
    #[error("what is declared in `{folder}` cannot be used; nothing was judged\n{error}")]
    Declared {
        /// Where the files are.
        folder: PathBuf,
        /// The mistakes.
        error: ControlError,
    },
    /// The templates that this build carries.
    #[error("the report could not be rendered, which is a defect of tickmark\n{0}")]
    Render(#[from] RenderError),
    /// A defect of ours.
    #[error("{0}\nthis is a defect of tickmark")]
    Defect(String),
    /// The file system.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Standard output.
    #[error("cannot print: {0}")]
    Print(std::io::Error),
}

impl CliError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> CliError {
        let path = path.to_owned();
        move |source| CliError::Io { action, path, source }
    }

    /// 2 wrong use or configuration, 3 incomplete, 4 our fault.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            CliError::Stopped(_) | CliError::Collect(_) => 3,
            CliError::Control(_) | CliError::Render(_) | CliError::Defect(_) => 4,
            _ => 2,
        }
    }
}
