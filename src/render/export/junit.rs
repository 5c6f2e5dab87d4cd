//! JUnit XML, in the form that Ant writes and CI servers read: a suite a check, a test case a subject.
//!
//! An exception is a `failure`. What could not be judged is an `error`, never a test that passed. What waits for a
//! person, what does not apply and what somebody accepted are `skipped`, with words.

use chrono::{DateTime, Utc};

use crate::assess::{CheckLine, Overview};
use crate::check::{Finding, Outcome};
use crate::render::escape::html_text;

/// The document.
pub fn junit(overview: &Overview) -> Vec<u8> {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (place, line) in overview.checks.iter().enumerate() {
        suite(&mut out, overview, line, place);
    }
    out.push_str("</testsuites>\n");
    out.into_bytes()
}

/// How a test case ends.
enum Case {
    Passed,
    Failure { kind: &'static str, message: String },
    Error { kind: String, message: String },
    Skipped { message: String },
}

fn suite(out: &mut String, overview: &Overview, line: &CheckLine, place: usize) {
    let (check, head) = (line.check, &overview.head);
    let own = overview.findings.iter().map(AsRef::as_ref).filter(|finding| finding.check() == check.id);
    let mut cases: Vec<(String, Case)> = own.map(|finding| (name(finding), case(line, finding))).collect();
    if cases.is_empty() {
        let message = "the check said nothing".to_owned(); // silence is never a pass
        cases.push((check.id.to_owned(), Case::Error { kind: "silence".to_owned(), message }));
    }
    let of = |is: fn(&Case) -> bool| cases.iter().filter(|(_, case)| is(case)).count();
    out.push_str(&format!(
        "  <testsuite id=\"{place}\" package=\"{}\" name=\"{}\" timestamp=\"{}\" hostname=\"localhost\" tests=\"{}\" \
         failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\">\n",
        text(check.id.split('-').next().unwrap_or(check.id)),
        text(&format!("{} {}", check.id, check.title)),
        stamp(head.ended_at.unwrap_or(head.started_at)),
        cases.len(),
        of(|case| matches!(case, Case::Failure { .. })),
        of(|case| matches!(case, Case::Error { .. })),
        of(|case| matches!(case, Case::Skipped { .. })),
    ));
    let criteria: Vec<&str> =
        overview.criteria.iter().filter(|one| one.checks.contains(&check.id)).map(|one| one.id.as_str()).collect();
    out.push_str("    <properties>\n");
    for (name, value) in [
        ("tenant", head.tenant_id.as_str()),
        ("capture", head.capture_id.as_str()),
        ("period", overview.inputs.period.to_string().as_str()),
        ("timezone", "UTC"),
        ("severity", check.severity.word()),
        ("nature", check.nature.word()),
        ("criteria", criteria.join(", ").as_str()),
    ] {
        out.push_str(&format!("      <property name=\"{name}\" value=\"{}\"/>\n", text(value)));
    }
    out.push_str("    </properties>\n");
    for (name, case) in &cases {
        out.push_str(&test_case(check.id, name, case));
    }
    out.push_str("    <system-out></system-out>\n    <system-err></system-err>\n  </testsuite>\n");
}

fn case(line: &CheckLine, finding: &Finding) -> Case {
    let because = finding.because();
    match (finding.outcome(), finding.accepted()) {
        (Outcome::Pass, _) => Case::Passed,
        (Outcome::Fail, Some(accepted)) => Case::Skipped {
            message: format!(
                "exception, accepted by {} until {} ({}): {because}",
                accepted.approver, accepted.until, accepted.reason
            ),
        },
        (Outcome::Fail, None) => Case::Failure { kind: line.check.severity.word(), message: because.to_owned() },
        (Outcome::NotEvaluated, _) => Case::Error {
            kind: finding
                .reason()
                .map_or("not_evaluated".to_owned(), |reason| format!("not_evaluated: {}", reason.sentence())),
            message: format!("not evaluated: {because}"),
        },
        (Outcome::Manual, _) => Case::Skipped { message: format!("awaits a person: {because}") },
        (Outcome::NotApplicable, _) => Case::Skipped { message: format!("not applicable: {because}") },
    }
}

/// Name and id: names alone are not unique.
fn name(finding: &Finding) -> String {
    let subject = finding.subject();
    if subject.id == subject.name { subject.id.clone() } else { format!("{} ({})", subject.name, subject.id) }
}

fn test_case(check: &str, name: &str, case: &Case) -> String {
    let inner = match case {
        Case::Passed => String::new(),
        Case::Failure { kind, message } => {
            format!("<failure type=\"{}\" message=\"{}\"></failure>", text(kind), text(message))
        }
        Case::Error { kind, message } => {
            format!("<error type=\"{}\" message=\"{}\"></error>", text(kind), text(message))
        }
        Case::Skipped { message } => format!("<skipped message=\"{}\"></skipped>", text(message)),
    };
    format!("    <testcase classname=\"{}\" name=\"{}\" time=\"0\">{inner}</testcase>\n", text(check), text(name))
}

/// Text for an attribute. XML 1.0 knows no way to write most control characters, nor U+FFFE and U+FFFF.
fn text(value: &str) -> String {
    html_text(&value.replace(['\n', '\t'], " ")).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// The schema takes no zone; the property says which it is.
fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_attribute_cannot_hold_is_written_out() {
        assert_eq!(text("a<b & \"c\"\nd\u{0}\u{ffff}"), "a&lt;b &amp; &quot;c&quot; d⟨U+0000⟩\u{fffd}");
    }

    #[test]
    fn only_a_pass_is_an_empty_case() {
        let of = |case: Case| test_case("KV-006", "kv", &case);
        assert_eq!(of(Case::Passed), "    <testcase classname=\"KV-006\" name=\"kv\" time=\"0\"></testcase>\n");
        for case in [
            Case::Failure { kind: "high", message: "m".to_owned() },
            Case::Error { kind: "not_evaluated".to_owned(), message: "m".to_owned() },
            Case::Skipped { message: "m".to_owned() },
        ] {
            assert!(!of(case).contains("\"0\"></testcase>"));
        }
    }
}
