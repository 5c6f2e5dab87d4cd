//! A pointer from a statement to the bytes that it rests on.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One place in one kept file. A finding cites the whole path that it followed, so that one place is held by very
/// many findings: a clone shares it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cite(Arc<Spot>);

/// Record, file in it, and JSON Pointer (RFC 6901) in that file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spot {
    /// Evidence id, `ev-0001`.
    pub record: String,
    /// File of that record: `page-0001.json`, or `ipe.json` for the record itself.
    pub page: String,
    /// JSON Pointer in that file; empty for the whole of it.
    pub pointer: String,
}

impl Spot {
    /// The place in one text: `ev-0001/page-0001.json#/value/3`, and for the whole of a file nothing behind its name.
    pub fn place(&self) -> String {
        format!("{}/{}", self.record, self.in_record())
    }

    /// The same within its record: `page-0001.json#/value/3`.
    pub fn in_record(&self) -> String {
        match self.pointer.as_str() {
            "" => self.page.clone(),
            pointer => format!("{}#{pointer}", self.page),
        }
    }
}

impl Cite {
    /// A place in an answer.
    pub fn new(record: &str, page: &str, pointer: impl Into<String>) -> Cite {
        Cite(Arc::new(Spot { record: record.to_owned(), page: page.to_owned(), pointer: pointer.into() }))
    }

    /// The record as such: that the question was put, and how it ended.
    pub fn of_record(record: &str) -> Cite {
        Cite::new(record, "ipe.json", "")
    }
}

impl Deref for Cite {
    type Target = Spot;

    fn deref(&self) -> &Spot {
        &self.0
    }
}

impl Serialize for Cite {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Cite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cite, D::Error> {
        Ok(Cite(Arc::new(Spot::deserialize(deserializer)?)))
    }
}
