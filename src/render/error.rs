//! What can go wrong while rendering. None of it is the fault of the evidence.

use std::io;

use thiserror::Error;

use crate::control::ControlError;

/// A report that could not be rendered.
#[derive(Debug, Error)]
pub enum RenderError {
    /// A template is wrong or asks for something that is not there.
    #[error("the template `{template}` cannot be rendered: {source}")]
    Template {
        /// Its name.
        template: &'static str,
        /// What the engine says, with line and column.
        source: Box<tera::Error>,
    },
    /// The embedded criteria cannot be read.
    #[error("the criteria cannot be read: {0}")]
    Criteria(#[from] ControlError),
    /// JSON could not be written.
    #[error("the results cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// A file could not be written.
    #[error("the report cannot be written: {0}")]
    Write(#[from] io::Error),
}
