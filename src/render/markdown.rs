//! The report as Markdown, for people and for tools that compare two reports.

use std::io::{self, Write};

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

/// Writes `report.md`.
pub(super) fn report(view: &View, out: &mut dyn Write) -> Result<(), RenderError> {
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
    tera.render_to(REPORT, &context, Trimmed { out, held: Vec::new() }).map_err(failed)?;
    Ok(out.write_all(b"\n")?)
}

/// Writes what it gets without the white space at the end.
struct Trimmed<'a> {
    out: &'a mut dyn Write,
    /// White space that is written once something else follows.
    held: Vec<u8>,
}

impl Write for Trimmed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let shown = bytes.trim_ascii_end();
        if !shown.is_empty() {
            self.out.write_all(&std::mem::take(&mut self.held))?;
            self.out.write_all(shown)?;
        }
        self.held.extend(bytes.iter().skip(shown.len()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
