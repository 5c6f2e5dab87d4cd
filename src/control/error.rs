//! Mistakes in control files, each with its place.

use std::fmt;
use std::ops::Range;

use thiserror::Error;

/// Control files that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ControlError {
    /// Every mistake found.
    pub mistakes: Vec<Mistake>,
}

/// One mistake: `file:line:column: what`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    file: String,
    line: usize,
    column: usize,
    what: String,
}

impl Mistake {
    /// A mistake at a byte range of a file's text.
    pub fn at(file: &str, text: &str, span: &Range<usize>, what: String) -> Mistake {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Mistake { file: file.to_owned(), line, column, what }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.what)
    }
}
