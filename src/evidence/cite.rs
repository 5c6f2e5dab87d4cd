//! A pointer from a statement to the bytes that it rests on.

use serde::{Deserialize, Serialize};

/// One place in one kept file: record, file in it, and JSON Pointer (RFC 6901) in that file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cite {
    /// Evidence id, `ev-0001`.
    pub record: String,
    /// File of that record: `page-0001.json`, or `ipe.json` for the record itself.
    pub page: String,
    /// JSON Pointer in that file; empty for the whole of it.
    pub pointer: String,
}

impl Cite {
    /// A place in an answer.
    pub fn new(record: &str, page: &str, pointer: impl Into<String>) -> Cite {
        Cite { record: record.to_owned(), page: page.to_owned(), pointer: pointer.into() }
    }

    /// The record as such: that the question was put, and how it ended.
    pub fn of_record(record: &str) -> Cite {
        Cite::new(record, "ipe.json", "")
    }
}
