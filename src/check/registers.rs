//! What the registers themselves show: rows that ended, that name nobody, or that match nothing.
//!
//! A row that ended approves nothing any more, so that what it approved is an exception of its own; that the row is
//! still there is told beside it.

use super::{Facts, Finding, about};
use crate::declared::{Register, Row, Standing, Timed};
use crate::model::{Id, Missing};

/// What the evidence knows of what a row names.
pub(super) enum Known {
    /// It is there, and the row is of use.
    Matches,
    /// It is there, and the row approves nothing that it has; in words.
    Unused(String),
    /// The lists are whole, and it is not there; in words.
    Unknown(String),
    /// The lists are not whole.
    NotTold(Missing),
}

/// Findings about the rows of a register; none about a row that is in force and of use, or that has not begun.
/// `label` is what the row is about, for a reader.
pub(super) fn of_rows<T: Timed>(
    facts: &Facts<'_>,
    register: &Register<T>,
    label: impl Fn(&T) -> String,
    known: impl Fn(&Row<T>) -> Known,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in &register.rows {
        let on = || about("register_row", &Id::new(row.place()), &label(&row.says), &row.from);
        match row.standing(facts.tenant.collected_at) {
            Standing::NotYet(_) => {}
            Standing::Expired(day) => {
                let what =
                    format!("the row at `{}` ended with {day}: take it out, or have it approved again", row.place());
                findings.push(on().fail(what));
            }
            Standing::InForce => match known(row) {
                Known::Matches => {}
                Known::Unused(what) => findings.push(
                    on().manual(format!("{what}: a person must confirm the row at `{}` or take it out", row.place())),
                ),
                Known::Unknown(what) => {
                    findings.push(on().fail(format!("{what}: the row at `{}` names what is not there", row.place())));
                }
                Known::NotTold(missing) => findings.push(on().missing(&missing)),
            },
        }
    }
    findings
}

/// The findings about a principal that a row names, where nothing else is to be said of it: whether the directory
/// knows it.
#[allow(dead_code, reason = "for the registers of persons")]
pub(super) fn principal(facts: &Facts<'_>, object_id: &str) -> Known {
    let id = object_id.to_lowercase();
    match (facts.tenant.principals.contains_key(&id), facts.tenant.resolved_ids.contains_key(&id)) {
        (true, _) => Known::Matches,
        (false, true) => Known::Unknown(format!("the directory has no principal `{object_id}`")),
        // the directory is asked about principals that hold something: nobody said anything about this one
        (false, false) => Known::Unused(format!("`{object_id}` holds nothing that was read")),
    }
}
