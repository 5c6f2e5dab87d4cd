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

use std::io::Write;

use crate::assess::Assessment;
use crate::control::Framework;

pub use csv::{NOTE, table};
pub use error::RenderError;

/// Writes one file. Whoever wants it twice calls it twice; the bytes are the same.
pub type Content<'a> = &'a dyn Fn(&mut dyn Write) -> Result<(), RenderError>;

/// Renders everything. `take` gets each file's path in the pack and what writes it, so that no file need be held.
pub fn render<E: From<RenderError>>(
    assessment: &Assessment,
    mut take: impl FnMut(&str, Content<'_>) -> Result<(), E>,
) -> Result<(), E> {
    {
        let view = view::View::of(assessment, &Framework::embedded().map_err(RenderError::from)?);
        take("report/report.html", &|out| html::report(&view, out))?;
        take("report/report.md", &|out| markdown::report(&view, out))?;
    }
    take("results.json", &|out| results::results(assessment, out))?;
    take(csv::EXCEPTIONS, &|out| csv::exceptions(assessment, out))?;
    if assessment.evidence.len() > view::REQUESTS {
        take(csv::REQUESTS, &|out| csv::requests(assessment, out))?;
    }
    if assessment.inventory.readers.len() > view::READERS {
        take(csv::READERS, &|out| csv::readers(assessment, out))?;
    }
    if !assessment.grants.is_empty() {
        take(csv::GRANTS, &|out| csv::grants(assessment, out))?;
    }
    if !assessment.assignments.is_empty() {
        take(csv::ASSIGNMENTS, &|out| csv::assignments(assessment, out))?;
    }
    if !assessment.secrets.is_empty() {
        take(csv::SECRETS, &|out| csv::secrets(assessment, out))?;
    }
    if !assessment.role_changes.is_empty() {
        take(csv::CHANGES, &|out| csv::role_changes(assessment, out))?;
    }
    if !assessment.hosts.lines.is_empty() {
        take(csv::HOSTS, &|out| csv::hosts(assessment, out))?;
    }
    for population in &assessment.populations {
        let path = format!("report/{}", view::population_file(population.check));
        take(&path, &|out| csv::population(population, out))?;
    }
    Ok(())
}

/// Everything in this module that a report depends on, for the digest of the rule set.
pub fn rule_set_bytes() -> Vec<u8> {
    let files = html::FILES.iter().chain(markdown::FILES).chain([&("report.css", html::STYLE)]);
    files.flat_map(|(name, text)| [name.as_bytes(), b"\0", text.as_bytes(), b"\0"].concat()).collect()
}
