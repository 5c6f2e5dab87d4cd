//! The assessment → `results.json`, the report as HTML and Markdown, and tables for spreadsheets; the engineers' view of
//! it for other programs (`export`).
//!
//! A pure function: the same assessment gives the same bytes. Everything out of evidence is the work of strangers
//! and goes through `escape`; `view` decides what is shown, the templates only where.

mod csv;
mod error;
mod escape;
pub mod export;
mod html;
mod markdown;
mod narrative;
mod results;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod view;

use crate::assess::Assessment;
use crate::control::Framework;

pub use csv::{NOTE, table};
pub use error::RenderError;

/// Renders everything. `take` gets each file's path in the pack and its bytes, so that no two files need be held.
pub fn render<E: From<RenderError>>(
    assessment: &Assessment,
    mut take: impl FnMut(&str, Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    {
        let view = view::View::of(assessment, &Framework::embedded().map_err(RenderError::from)?);
        take("report/report.html", html::report(&view)?)?;
        take("report/report.md", markdown::report(&view)?)?;
    }
    take("results.json", results::results(assessment)?)?;
    let exceptions = "report/exceptions.csv";
    take(exceptions, csv::exceptions(assessment, exceptions)?)?;
    if assessment.inventory.readers.len() > view::READERS {
        let readers = "report/readers.csv";
        take(readers, csv::readers(assessment, readers)?)?;
    }
    if !assessment.grants.is_empty() {
        let grants = "report/population-grants.csv";
        take(grants, csv::grants(assessment, grants)?)?;
    }
    for population in &assessment.populations {
        let path = format!("report/{}", view::population_file(population.check));
        take(&path, csv::population(population, &path)?)?;
    }
    Ok(())
}

/// Everything in this module that a report depends on, for the digest of the rule set.
pub fn rule_set_bytes() -> Vec<u8> {
    let files = html::FILES.iter().chain(markdown::FILES).chain([&("report.css", html::STYLE)]);
    files.flat_map(|(name, text)| [name.as_bytes(), b"\0", text.as_bytes(), b"\0"].concat()).collect()
}
