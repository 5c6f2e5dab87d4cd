//! Answers for a spreadsheet.

use super::{CliError, Shown, principal, word};
use crate::access::Grant;
use crate::render;

const HEADER: &[&str] = &[
    "principal_id",
    "principal_name",
    "principal_type",
    "object",
    "capability",
    "answer",
    "paths",
    "capture",
    "whole",
    render::NOTE,
];

/// One row for each answer. `whole` is `no` where something was not read and there may be more.
pub(super) fn of(shown: &Shown<'_>) -> Result<Vec<u8>, CliError> {
    let whole = if shown.gaps.is_empty() { "yes" } else { "no" };
    let row = |grant: &Grant| {
        let (name, kind) = principal(shown.tenant, &grant.principal_id);
        let paths: Vec<String> = grant.paths.iter().map(|path| path.words()).collect();
        vec![
            grant.principal_id.to_string(),
            name,
            kind,
            grant.object.shown().to_owned(),
            grant.capability.name().to_owned(),
            word(grant.answer),
            paths.join(" | "),
            shown.capture.to_owned(),
            whole.to_owned(),
        ]
    };
    Ok(render::table(HEADER, shown.grants.iter().map(row))?)
}
