//! The engineers' view, and the difference of two packs, for other programs: JSON, SARIF, JUnit, Markdown.
//!
//! In none of them does something that could not be judged look like something that passed.

mod diff;
mod fingerprint;
mod json;
mod junit;
mod markdown;
mod sarif;
#[cfg(test)]
mod tests;

pub use diff::{json as diff_json, markdown as diff_markdown};
pub use fingerprint::fingerprint;
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use sarif::sarif;

use chrono::TimeDelta;

use crate::check::Outcome;

/// A length of time in days and hours, the larger two units that are not zero.
pub fn length(time: TimeDelta) -> String {
    let counted = |count: i64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    let minutes = time.num_minutes().max(0);
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => counted(minutes, "minute"),
        (0, hours, _) => counted(hours, "hour"),
        (days, 0, _) => counted(days, "day"),
        (days, hours, _) => format!("{} {}", counted(days, "day"), counted(hours, "hour")),
    }
}

/// An outcome for a reader; none where the thing was not there.
pub fn outcome_words(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Fail) => "exception",
        Some(Outcome::NotEvaluated) => "not evaluated",
        Some(Outcome::Manual) => "awaits a person",
        Some(Outcome::Pass) => "no exception",
        Some(Outcome::NotApplicable) => "not applicable",
        None => "not there",
    }
}
