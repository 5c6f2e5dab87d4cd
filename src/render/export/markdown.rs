//! The engineers' view as Markdown, short enough for a comment on a pull request.

use super::diff::summary;
use crate::assess::{Conclusion, CriterionLine, MissingInput, Overview, Standard};
use crate::check::{Finding, Outcome};
use crate::render::escape::{markdown_code, markdown_sentence, markdown_text, markdown_words, visible};

/// Rows of exceptions, and of what awaits a person.
const ROWS: usize = 50;
/// Rows of what was not read.
const MISSING: usize = 30;
/// Scopes that are named of one row.
const SCOPES: usize = 3;
/// Characters of a sentence.
const SENTENCE: usize = 300;

/// The text. Everything out of evidence is escaped.
pub fn markdown(overview: &Overview) -> String {
    let (inputs, collection, counts) = (&overview.inputs, &overview.collection, overview.counts());
    let accepted = counts.accepted;
    let mut out = format!(
        "## Evidence coverage: {} · {}\n\n{} to judge: **{} exceptions**{}, **{} not evaluated**, {} await a person, {} without exception, {} not applicable. \
         {} of {} questions were answered whole.\n",
        markdown_text(&visible(&inputs.organisation.system, 100)),
        inputs.period,
        counted(overview.findings.len(), "result"),
        counts.fail - accepted,
        if accepted > 0 { format!(" ({accepted} more accepted)") } else { String::new() },
        counts.not_evaluated,
        counts.manual,
        counts.pass,
        counts.not_applicable,
        collection.answered,
        collection.questions,
    );
    if !overview.selection.is_all() {
        out.push_str("\nSome checks were left out (`--only`, `--skip`); what they speak for is not concluded.\n");
    }
    if let Some(trend) = &overview.trend {
        out.push_str(&format!("\n{}\n", summary(&trend.compared)));
    }
    for standard in [Standard::Soc2, Standard::Nist] {
        let lines: Vec<&CriterionLine> = overview.criteria.iter().filter(|line| line.standard == standard).collect();
        criteria(&mut out, standard, &lines, overview);
    }
    exceptions(&mut out, overview);
    missing(&mut out, overview);
    by_hand(&mut out, overview);
    out
}

fn criteria(out: &mut String, standard: Standard, lines: &[&CriterionLine], overview: &Overview) {
    if lines.is_empty() {
        return;
    }
    out.push_str(&format!(
        "\n### {}\n\n| | Evidence for | Exceptions | Not evaluated | By hand | No exception | n/a | Period |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n",
        standard.words()
    ));
    for line in lines {
        let before = overview.trend.as_ref().and_then(|trend| trend.counts_of(&line.checks));
        let cell = |now: usize, then: Option<usize>| match then {
            Some(then) if then != now => format!("{then} → {now}"),
            _ => now.to_string(),
        };
        out.push_str(&format!(
            "| {} {} | {} | {} | {} | {} | {} | {} | {} |\n",
            sign(line.conclusion),
            line.conclusion.words(),
            markdown_words(&format!("{} {}", line.id, line.title)),
            cell(line.counts.fail, before.map(|counts| counts.fail)),
            cell(line.counts.not_evaluated, before.map(|counts| counts.not_evaluated)),
            cell(line.counts.manual, before.map(|counts| counts.manual)),
            line.counts.pass,
            line.counts.not_applicable,
            days(line.days, overview.collection.period_days),
        ));
    }
}

/// How much of the period the evidence can speak of.
fn days(days: Option<i64>, of: i64) -> String {
    days.map_or_else(|| "state only".to_owned(), |days| format!("{days} of {of} days"))
}

fn sign(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Exceptions => "✗",
        Conclusion::NotEvaluated => "?",
        Conclusion::AwaitsPerson => "◷",
        Conclusion::NoExceptions => "✓",
        Conclusion::NotApplicable => "–",
    }
}

fn exceptions(out: &mut String, overview: &Overview) {
    let mut fails: Vec<&Finding> =
        overview.findings.iter().map(AsRef::as_ref).filter(|one| one.outcome() == Outcome::Fail).collect();
    let severity = |finding: &Finding| overview.check(finding.check()).map(|line| line.check.severity);
    fails.sort_by_key(|finding| std::cmp::Reverse(severity(finding)));
    if fails.is_empty() {
        return;
    }
    out.push_str("\n### Exceptions\n\n| Check | Severity | Subject | What was found |\n| --- | --- | --- | --- |\n");
    for finding in fails.iter().take(ROWS) {
        let accepted = finding.accepted().map_or_else(String::new, |one| {
            format!(
                " (accepted by {} until {})",
                markdown_text(&visible(&one.approver, 100)),
                markdown_text(&one.until)
            )
        });
        out.push_str(&format!(
            "| {} | {} | {} | {}{accepted} |\n",
            finding.check(),
            severity(finding).map_or("", |severity| severity.word()),
            markdown_code(&visible(&finding.subject().name, 100)),
            markdown_sentence(&visible(finding.because(), SENTENCE)),
        ));
    }
    more(out, fails.len(), ROWS);
}

fn missing(out: &mut String, overview: &Overview) {
    if overview.missing.is_empty() {
        return;
    }
    out.push_str("\n### Not read\n\n| What | Why | What would supply it | Leaves open |\n| --- | --- | --- | --- |\n");
    for input in overview.missing.iter().take(MISSING) {
        out.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            place(input),
            input.reason.sentence(),
            supply(input),
            input.checks.join(", ")
        ));
    }
    more(out, overview.missing.len(), MISSING);
}

fn place(input: &MissingInput) -> String {
    let scopes: Vec<String> =
        input.scopes.iter().take(SCOPES).map(|scope| markdown_code(&visible(scope, 200))).collect();
    let rest = input.scopes.len().saturating_sub(SCOPES);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{} at {}{rest}", input.kind.words(), scopes.join(", "))
}

fn supply(input: &MissingInput) -> String {
    let named = input.supply.permissions.iter().map(|(name, system)| format!("`{name}` ({system})"));
    let named: Vec<String> = named.collect();
    let what = markdown_words(&input.supply.what);
    if named.is_empty() { what } else { format!("{}: {what}", named.join(", ")) }
}

fn by_hand(out: &mut String, overview: &Overview) {
    let lines =
        overview.controls.iter().flat_map(|line| line.control.by_hand.iter().map(|what| (&line.control.id, what)));
    let mut lines: Vec<String> = lines.map(|(id, what)| format!("- {id}: {}\n", markdown_words(what))).collect();
    for (line, one) in overview.controls.iter().flat_map(|line| line.attached.iter().map(move |one| (line, one))) {
        let title = markdown_text(&visible(&one.title, SENTENCE));
        let person = markdown_text(&visible(&one.person, 100));
        lines.push(format!(
            "- {}: attached {}: {title} ({}, {person}, {})\n",
            line.control.id, one.id, one.period, one.date
        ));
    }
    if !lines.is_empty() {
        out.push_str("\n### Stays manual\n\n");
        out.push_str(&lines.concat());
    }
}

fn more(out: &mut String, all: usize, shown: usize) {
    if all > shown {
        out.push_str(&format!("\n… and {} more; `--format json` has them all.\n", all - shown));
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
