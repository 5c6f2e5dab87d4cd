//! The report as one HTML file: no script, nothing remote, and a policy that forbids both.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use tera::{Context, Kwargs, State, Tera, Value};

use super::RenderError;
use super::escape;
use super::view::View;

/// The one style sheet; the policy carries its digest.
pub(super) const STYLE: &str = include_str!("../../templates/report.css");

pub(super) const FILES: &[(&str, &str)] = &[
    ("components.html", include_str!("../../templates/components.html")),
    ("cover.html", include_str!("../../templates/cover.html")),
    ("summary.html", include_str!("../../templates/summary.html")),
    ("control.html", include_str!("../../templates/control.html")),
    ("annex.html", include_str!("../../templates/annex.html")),
    (REPORT, include_str!("../../templates/report.html")),
];

const REPORT: &str = "report.html";

/// Writes `report.html`.
pub(super) fn report(view: &View, out: &mut dyn Write) -> Result<(), RenderError> {
    let failed = |source: tera::Error| RenderError::Template { template: REPORT, source: Box::new(source) };
    let mut tera = Tera::default();
    tera.set_escape_fn(escape::html);
    tera.register_filter("name", |text: &str, _: Kwargs, _: &State| {
        safe(&format!("<bdi>{}</bdi>", escape::html_text(text)))
    });
    tera.register_filter("code", |text: &str, _: Kwargs, _: &State| {
        safe(&format!("<code><bdi>{}</bdi></code>", escape::html_text(text)))
    });
    tera.register_filter("sentence", |text: &str, _: Kwargs, _: &State| safe(&escape::html_sentence(text)));
    tera.register_filter("thousands", |number: i64, _: Kwargs, _: &State| thousands(number));
    tera.add_raw_templates(FILES.iter().copied()).map_err(failed)?;
    let mut context = Context::from_serialize(view).map_err(failed)?;
    context.insert("style", &Value::safe_string(STYLE));
    context.insert("policy", &Value::safe_string(&policy(STYLE)));
    tera.render_to(REPORT, &context, out).map_err(failed)
}

/// Forbids everything but the one style sheet; the digest is of the exact text between `<style>` and `</style>`.
fn policy(style: &str) -> String {
    let digest = STANDARD.encode(Sha256::digest(style.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'")
}

fn safe(html: &str) -> Value {
    Value::safe_string(html)
}

/// `12,345`.
pub(super) fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if number < 0 { format!("-{grouped}") } else { grouped }
}
