//! The report as Markdown, for people and for tools that compare two reports.

use tera::{Context, Kwargs, State, Tera, Value};

use super::RenderError;
use super::escape;
use super::html::thousands;
use super::view::View;

pub(super) const FILES: &[(&str, &str)] = &[
    ("components.md", include_str!("../../templates/components.md")),
    (REPORT, include_str!("../../templates/report.md")),
];

const REPORT: &str = "report.md";

/// The bytes of `report.md`.
pub(super) fn report(view: &View) -> Result<Vec<u8>, RenderError> {
    let failed = |source: tera::Error| RenderError::Template { template: REPORT, source: Box::new(source) };
    let mut tera = Tera::default();
    tera.autoescape_on([".md"]);
    tera.set_escape_fn(escape::markdown);
    tera.register_filter("code", |text: &str, _: Kwargs, _: &State| Value::safe_string(&escape::markdown_code(text)));
    tera.register_filter("words", |text: &str, _: Kwargs, _: &State| Value::safe_string(&escape::markdown_words(text)));
    tera.register_filter("sentence", |text: &str, _: Kwargs, _: &State| {
        Value::safe_string(&escape::markdown_sentence(text))
    });
    tera.register_filter("thousands", |number: i64, _: Kwargs, _: &State| Value::safe_string(&thousands(number)));
    tera.add_raw_templates(FILES.iter().copied()).map_err(failed)?;
    let context = Context::from_serialize(view).map_err(failed)?;
    let mut text = tera.render(REPORT, &context).map_err(failed)?;
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(text.into_bytes())
}
