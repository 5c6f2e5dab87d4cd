//! What may be kept of an answer: a list of what is allowed, everything else is cut.
//!
//! [`allow`] holds the list, by kind of question. [`scan`] walks the bytes and copies what the list allows, byte
//! for byte; a member that is not on it goes with its name. Strings that are allowed still go through [`scrub`],
//! because a secret can stand in a name or a tag. [`rows`] makes the list for a table of log rows from its
//! columns, [`url`] cuts tokens out of links, and [`person`] holds data of persons to the switches of the
//! configuration, with [`pseudonym`] in its place where that is asked for. What was cut is counted by rule and place, never shown, and no
//! digest of it is kept: a low-entropy value can be guessed from its digest.

mod allow;
mod cell;
mod cuts;
mod look;
mod person;
mod pseudonym;
mod rows;
mod scan;
mod scrub;
mod url;

#[cfg(test)]
mod tests;

pub(super) use cell::is_code;
pub use pseudonym::{Personal, PseudonymError, Pseudonyms};
pub(super) use rows::Columns;
pub(super) use scan::Malformed;
pub(super) use scrub::secret_in_text as is_secret;
pub(super) use url::shown;

use crate::evidence::{CUT, Kind, Redaction, Shape};

/// Bytes that may be kept, and what was cut to get them. Places do not name the page yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clean {
    /// JSON.
    pub bytes: Vec<u8>,
    /// By rule and place.
    pub cuts: Vec<Redaction>,
}

/// What may be kept of an answer to a question of this kind, of personal data what `personal` says. `tables` are those
/// of the answer, where it holds rows.
pub(super) fn answer(kind: Kind, body: &[u8], tables: &[Columns], personal: &Personal) -> Result<Clean, Malformed> {
    let list = allow::answers(kind);
    match list.member("column") {
        Some((_, columns)) => scan::copy(body, &rows::allowed(columns, tables), personal),
        None => scan::copy(body, list, personal),
    }
}

/// What may be kept of an error answer: codes, never messages.
pub(super) fn refusal(body: &[u8]) -> Result<Clean, Malformed> {
    scan::copy(body, allow::refusals(), &Personal::default())
}

/// What can be kept of one item of an answer to a question of this kind.
pub fn kept(kind: Kind) -> Shape {
    let list = allow::answers(kind).member("value");
    list.map(|(_, list)| list.item(0).shape()).unwrap_or_default()
}

/// The same by the way to each value: names, `[]` for the items of a list, `*` for any name in a map.
pub fn kept_ways(kind: Kind) -> Vec<Vec<String>> {
    allow::ways(kind)
}
