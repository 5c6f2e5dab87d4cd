//! What an assessment says, on a terminal or as JSON, and the exit code that follows from it.

use std::path::Path;

use serde_json::json;

use super::args::Format;
use super::terminal::{Terminal, Tone, clean};
use super::{CliError, End};
use crate::assess::{Assessment, Conclusion, Counts};
use crate::check::Outcome;

/// A sealed pack, where there is one.
pub(super) struct PackLine<'a> {
    pub(super) folder: &'a Path,
    pub(super) pack_id: &'a str,
    pub(super) fingerprint: &'a str,
    pub(super) statement_sha256: &'a str,
    pub(super) zip: Option<(&'a Path, &'a str)>,
}

/// Prints the conclusions; the last line tells the end in words.
pub(super) fn print(
    assessment: &Assessment,
    pack: Option<&PackLine<'_>>,
    terminal: &Terminal,
) -> Result<End, CliError> {
    let counts = totals(assessment);
    let end = end(assessment, &counts);
    if terminal.format == Format::Json {
        terminal.json(&as_json(assessment, pack, &counts))?;
        return Ok(end);
    }
    terminal.line(&terminal.tone(
        Tone::Strong,
        &clean(&format!(
            "{} · {} · {}",
            assessment.inputs.organisation.name, assessment.inputs.organisation.system, assessment.inputs.period
        )),
    ))?;
    let collection = &assessment.collection;
    terminal.line(&format!("{} of {} questions answered whole", collection.answered, collection.questions))?;
    if let Some(days) = collection.covered_days {
        terminal.line(&format!("vault logs can cover {days} of {} days", collection.period_days))?;
    }
    for why in plan_failures(assessment) {
        terminal.line(&clean(&format!("the plan has {why}")).replace('\n', " "))?;
    }
    for excess in &assessment.own.excess {
        let words = format!("the collecting identity must not have this: {}", excess.line());
        terminal.line(&terminal.tone(Tone::Bad, &clean(&words).replace('\n', " ")))?;
    }
    terminal.line("")?;
    for result in &assessment.controls {
        let (mark, tone) = match result.conclusion {
            Conclusion::Exceptions => ("✗", Tone::Bad),
            Conclusion::NoExceptions => ("✓", Tone::Good),
            Conclusion::NotEvaluated => ("?", Tone::Open),
            Conclusion::AwaitsPerson => ("…", Tone::Open),
            Conclusion::NotApplicable => ("–", Tone::Dim),
        };
        let words = terminal.tone(tone, &format!("{mark} {:<20}", result.conclusion.words()));
        terminal.line(&format!("  {} {words} {}", result.control.id, result.control.title))?;
    }
    exceptions(assessment, terminal)?;
    gaps(assessment, terminal)?;
    if let Some(pack) = pack {
        terminal.line(&format!("\npack        {}", pack.folder.display()))?;
        terminal.line(&format!("fingerprint {}", pack.fingerprint))?;
        terminal.line(&format!("statement   {}", pack.statement_sha256))?;
        if let Some((zip, digest)) = pack.zip {
            terminal.line(&format!("zip         {} (SHA-256 {digest})", zip.display()))?;
        }
    }
    terminal.line(&format!("\n{}", last_line(&counts)))?;
    Ok(end)
}

/// Exceptions and open points, in words; both are said whichever decides the exit code.
fn last_line(counts: &Counts) -> String {
    let exceptions = match counts.fail {
        0 => "no exceptions noted".to_owned(),
        1 => "1 exception".to_owned(),
        many => format!("{many} exceptions"),
    };
    let exceptions = match counts.accepted {
        0 => exceptions,
        accepted => format!("{exceptions}, {accepted} of them accepted under a waiver"),
    };
    let open = match counts.not_evaluated {
        0 => "everything that was asked could be judged".to_owned(),
        1 => "incomplete: 1 point not evaluated".to_owned(),
        many => format!("incomplete: {many} points not evaluated"),
    };
    format!("{exceptions}; {open}; {} await a person", counts.manual)
}

fn exceptions(assessment: &Assessment, terminal: &Terminal) -> Result<(), CliError> {
    const SHOWN: usize = 20;
    let fails: Vec<_> = assessment.findings.iter().filter(|finding| finding.outcome() == Outcome::Fail).collect();
    if fails.is_empty() {
        return Ok(());
    }
    terminal.line(&format!("\n{}", terminal.tone(Tone::Strong, "Exceptions")))?;
    for finding in fails.iter().take(SHOWN) {
        let accepted = finding.accepted().map(|one| format!(" (accepted by {} until {})", one.approver, one.until));
        let accepted = accepted.unwrap_or_default();
        let words = format!("  {:<9} {}: {}{accepted}", finding.check(), finding.subject().name, finding.because());
        terminal.line(&clean(&words).replace('\n', " "))?;
    }
    if fails.len() > SHOWN {
        terminal.line(&format!("  … {} more in report/exceptions.csv", fails.len() - SHOWN))?;
    }
    Ok(())
}

fn gaps(assessment: &Assessment, terminal: &Terminal) -> Result<(), CliError> {
    const SHOWN: usize = 10;
    let gaps = &assessment.collection.gaps;
    if gaps.is_empty() {
        return Ok(());
    }
    terminal.line(&format!("\n{}", terminal.tone(Tone::Strong, "Not read")))?;
    for gap in gaps.iter().take(SHOWN) {
        let words = format!("  {} at {}: {}; {}", gap.kind, gap.scope, gap.reason, gap.detail);
        terminal.line(&clean(&words).replace('\n', " "))?;
    }
    if gaps.len() > SHOWN {
        terminal.line(&format!("  … {} more in the report", gaps.len() - SHOWN))?;
    }
    Ok(())
}

fn totals(assessment: &Assessment) -> Counts {
    let of = |outcome| assessment.findings.iter().filter(|finding| finding.outcome() == outcome).count();
    Counts {
        pass: of(Outcome::Pass),
        fail: of(Outcome::Fail),
        accepted: assessment.findings.iter().filter(|finding| finding.accepted().is_some()).count(),
        not_applicable: of(Outcome::NotApplicable),
        manual: of(Outcome::Manual),
        not_evaluated: of(Outcome::NotEvaluated),
    }
}

/// Why an authority that was asked put no time on the plan.
fn plan_failures(assessment: &Assessment) -> impl Iterator<Item = &String> {
    assessment.head.plan_stamps.iter().filter_map(|stamp| stamp.failed.as_ref())
}

fn end(assessment: &Assessment, counts: &Counts) -> End {
    if counts.fail > 0 {
        End::Exceptions
    } else if counts.not_evaluated > 0
        || !assessment.collection.gaps.is_empty()
        || plan_failures(assessment).count() > 0
    {
        End::Incomplete
    } else {
        End::Clean
    }
}

fn as_json(assessment: &Assessment, pack: Option<&PackLine<'_>>, counts: &Counts) -> serde_json::Value {
    let controls: Vec<_> = assessment
        .controls
        .iter()
        .map(|result| {
            json!({"id": result.control.id, "title": result.control.title, "conclusion": result.conclusion.word(), "counts": result.counts})
        })
        .collect();
    json!({
        "tenant": assessment.head.tenant_id,
        "capture": assessment.head.capture_id,
        "period": assessment.inputs.period,
        "questions": assessment.collection.questions,
        "answered": assessment.collection.answered,
        "counts": counts,
        "plan_stamps": assessment.head.plan_stamps,
        "must_not_have": assessment.own.excess.iter().map(|excess| excess.line()).collect::<Vec<_>>(),
        "controls": controls,
        "pack": pack.map(|pack| json!({
            "folder": pack.folder,
            "pack_id": pack.pack_id,
            "fingerprint": pack.fingerprint,
            "statement_sha256": pack.statement_sha256,
            "zip": pack.zip.map(|(path, sha256)| json!({"path": path, "sha256": sha256})),
        })),
    })
}
