//! The assessment → `results.json`, the report as HTML and Markdown, and tables for spreadsheets.
//!
//! A pure function: the same assessment gives the same bytes. Everything out of evidence is the work of strangers
//! and goes through `escape`; `view` decides what is shown, the templates only where.

mod csv;
mod error;
mod escape;
mod html;
mod markdown;
mod narrative;
mod results;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;

use crate::assess::Assessment;
use crate::control::Framework;

pub use csv::{NOTE, table};
pub use error::RenderError;

/// Everything that is rendered: paths in the pack and their bytes.
pub fn render(assessment: &Assessment) -> Result<BTreeMap<String, Vec<u8>>, RenderError> {
    let mut files = BTreeMap::new();
    {
        let view = view::View::of(assessment, &Framework::embedded()?);
        files.insert("report/report.html".to_owned(), html::report(&view)?);
        files.insert("report/report.md".to_owned(), markdown::report(&view)?);
    }
    files.insert("results.json".to_owned(), results::results(assessment)?);
    let exceptions = "report/exceptions.csv".to_owned();
    let bytes = csv::exceptions(assessment, &exceptions)?;
    files.insert(exceptions, bytes);
    if assessment.inventory.readers.len() > view::READERS {
        let path = "report/readers.csv".to_owned();
        let bytes = csv::readers(assessment, &path)?;
        files.insert(path, bytes);
    }
    if !assessment.grants.is_empty() {
        let path = "report/population-grants.csv".to_owned();
        let bytes = csv::grants(assessment, &path)?;
        files.insert(path, bytes);
    }
    for population in &assessment.populations {
        let path = format!("report/{}", view::population_file(population.check));
        let bytes = csv::population(population, &path)?;
        files.insert(path, bytes);
    }
    Ok(files)
}

/// Everything in this module that a report depends on, for the digest of the rule set.
pub fn rule_set_bytes() -> Vec<u8> {
    let files = html::FILES.iter().chain(markdown::FILES).chain([&("report.css", html::STYLE)]);
    files.flat_map(|(name, text)| [name.as_bytes(), b"\0", text.as_bytes(), b"\0"].concat()).collect()
}
