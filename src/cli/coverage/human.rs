//! The view on a terminal, in 100 columns. Signs and words say what colours say.

use crate::assess::{
    CheckLine, Conclusion, ControlLine, Counts, CriterionLine, MissingInput, OpenPoint, Overview, Standard,
};
use crate::check::{Finding, Outcome};
use crate::cli::terminal::{Terminal, Tone, clean};
use crate::cli::text::{WIDTH, counted, cut, hanging, shortened};
use crate::cli::{CliError, End, diff};
use crate::evidence::Reason;

/// Exceptions that are shown.
const EXCEPTIONS: usize = 20;
/// Kinds of questions that are named which no other check needs than the one of completeness.
const WHOLE: usize = 20;
/// Scopes that are named of one kind of question.
const SCOPES: usize = 3;
/// Characters of a finding that are shown.
const SENTENCE: usize = 150;
/// Columns of a title in a table.
const TITLE: usize = 47;

pub(super) fn print(overview: &Overview, end: End, terminal: &Terminal) -> Result<(), CliError> {
    head(overview, terminal)?;
    for standard in [Standard::Soc2, Standard::Nist] {
        let lines: Vec<&CriterionLine> = overview.criteria.iter().filter(|line| line.standard == standard).collect();
        criteria(&lines, standard, overview, terminal)?;
    }
    title("Controls", terminal)?;
    for line in &overview.controls {
        control(line, overview, terminal)?;
    }
    exceptions(overview, terminal)?;
    missing(overview, terminal)?;
    open(overview, terminal)?;
    by_hand(overview, terminal)?;
    if let Some(trend) = &overview.trend {
        terminal.line("")?;
        diff::print(&trend.compared, terminal)?;
    }
    terminal.line("")?;
    terminal.line(&last_line(overview, end))
}

fn head(overview: &Overview, terminal: &Terminal) -> Result<(), CliError> {
    let (inputs, collection) = (&overview.inputs, &overview.collection);
    let whose = format!("{} · {} · {}", inputs.organisation.name, inputs.organisation.system, inputs.period);
    terminal.line(&terminal.tone(Tone::Strong, &cut(&plain(&whose), WIDTH)))?;
    let collected = overview.head.started_at.format("%Y-%m-%d %H:%MZ");
    let logs = match collection.covered_days {
        Some(days) => format!("vault logs can cover {days} of {} days", collection.period_days),
        None => "no vault log covers any of the period".to_owned(),
    };
    let replayed = if overview.head.replayed { " from a recording" } else { "" };
    terminal.line(&format!(
        "collected {collected}{replayed} · {} of {} questions answered whole",
        collection.answered, collection.questions
    ))?;
    let silent = match overview.vaults_without_log {
        0 => String::new(),
        many => format!(" · {many} of {} send none to a workspace", counted(overview.vaults, "vault")),
    };
    terminal.line(&format!("{logs}{silent}"))?;
    if !overview.selection.is_all() {
        terminal.line(&format!(
            "{} looked at; what others speak for is not concluded",
            counted(overview.checks.len(), "check")
        ))?;
    }
    Ok(())
}

fn criteria(
    lines: &[&CriterionLine],
    standard: Standard,
    overview: &Overview,
    terminal: &Terminal,
) -> Result<(), CliError> {
    if lines.is_empty() {
        return Ok(());
    }
    let name = format!("Evidence for {}", standard.words());
    terminal.line("")?;
    let columns = format!("{name:<width$}{COLUMNS}", width = TITLE + 15);
    terminal.line(&terminal.tone(Tone::Strong, &columns))?;
    for line in lines {
        let (mark, tone) = sign(line.conclusion);
        let words = terminal.tone(tone, &format!("{mark} {:<9}", line.id));
        let partial = if line.left_out > 0 { format!(" ({} left out)", line.left_out) } else { String::new() };
        let about = format!("{:<TITLE$}", format!("{}{partial}", cut(&line.title, TITLE - 1 - partial.len())));
        terminal.line(&format!("  {words}  {about}{}{}", numbers(&line.counts), days(line.days, overview)))?;
    }
    Ok(())
}

/// Heads of the columns of [`numbers`] and [`days`].
const COLUMNS: &str = "   ✗    ?    ◷    ✓    –  period";

fn numbers(counts: &Counts) -> String {
    let of = [counts.fail, counts.not_evaluated, counts.manual, counts.pass, counts.not_applicable];
    of.map(|count| if count == 0 { format!("{:>5}", "·") } else { format!("{count:>5}") }).concat()
}

fn days(days: Option<i64>, overview: &Overview) -> String {
    let told =
        days.map_or_else(|| "state".to_owned(), |days| format!("{days}/{} days", overview.collection.period_days));
    format!("  {told}")
}

fn control(line: &ControlLine, overview: &Overview, terminal: &Terminal) -> Result<(), CliError> {
    let (mark, tone) = sign(line.conclusion);
    let words = terminal.tone(tone, &format!("{mark} {:<6} {:<19}", line.control.id, line.conclusion.words()));
    terminal.line(&format!("  {words}  {}", cut(&plain(&line.control.title), WIDTH - 32)))?;
    for id in &line.checks {
        let Some(check) = overview.check(id) else { continue };
        let (mark, tone) = sign(conclusion_of(check));
        let words = terminal.tone(tone, &format!("{mark} {id:<9}"));
        let (severity, width) = (check.check.severity.word(), TITLE - 11);
        let about = cut(check.check.title, width - 1);
        let (numbers, days) = (numbers(&check.counts), days(check.days, overview));
        terminal.line(&format!("    {words} {severity:<8} {about:<width$}{numbers}{days}"))?;
    }
    if !line.left_out.is_empty() {
        let told = format!("left out: {}; not concluded", line.left_out.join(", "));
        terminal.line(&terminal.tone(Tone::Dim, &hanging(&told, "    – ", "      ")))?;
    }
    Ok(())
}

fn conclusion_of(line: &CheckLine) -> Conclusion {
    match line.counts {
        counts if counts.fail > 0 => Conclusion::Exceptions,
        counts if counts.not_evaluated > 0 || counts == Counts::default() => Conclusion::NotEvaluated,
        counts if counts.manual > 0 => Conclusion::AwaitsPerson,
        counts if counts.pass > 0 => Conclusion::NoExceptions,
        _ => Conclusion::NotApplicable,
    }
}

fn sign(conclusion: Conclusion) -> (&'static str, Tone) {
    match conclusion {
        Conclusion::Exceptions => ("✗", Tone::Bad),
        Conclusion::NotEvaluated => ("?", Tone::Open),
        Conclusion::AwaitsPerson => ("◷", Tone::Open),
        Conclusion::NoExceptions => ("✓", Tone::Good),
        Conclusion::NotApplicable => ("–", Tone::Dim),
    }
}

fn exceptions(overview: &Overview, terminal: &Terminal) -> Result<(), CliError> {
    let severity = |finding: &Finding| overview.check(finding.check()).map(|line| line.check.severity);
    let mut fails: Vec<&Finding> =
        overview.findings.iter().map(AsRef::as_ref).filter(|one| one.outcome() == Outcome::Fail).collect();
    if fails.is_empty() {
        return Ok(());
    }
    fails.sort_by_key(|finding| std::cmp::Reverse(severity(finding)));
    title("Exceptions", terminal)?;
    for finding in fails.iter().take(EXCEPTIONS) {
        let accepted = finding
            .accepted()
            .map_or_else(String::new, |one| format!("accepted by {} until {}: ", one.approver, one.until));
        let word = severity(finding).map_or("", |severity| severity.word());
        let told = format!("{}: {accepted}{}", finding.subject().name, finding.because());
        let begin = format!("  {:<9} {word:<8}  ", finding.check());
        terminal.line(&hanging(&cut(&plain(&told), SENTENCE), &begin, "                      "))?;
    }
    more(fails.len(), EXCEPTIONS, terminal)
}

fn missing(overview: &Overview, terminal: &Terminal) -> Result<(), CliError> {
    if overview.missing.is_empty() && overview.missing_elsewhere == 0 {
        return Ok(());
    }
    title("Not read, and what would supply it", terminal)?;
    let (single, whole): (Vec<_>, Vec<_>) = overview.missing.iter().partition(|input| input.is_of_a_check());
    for input in single {
        not_read(input, terminal)?;
    }
    if !whole.is_empty() {
        terminal.line("  What only the completeness of the collection needs (PACK-001):")?;
    }
    for input in whole.iter().take(WHOLE) {
        let permissions: Vec<&str> = input.supply.permissions.iter().map(|(name, _)| name.as_str()).collect();
        let by = if permissions.is_empty() { input.supply.what.clone() } else { permissions.join(", ") };
        let told = format!("{} ({}) → {by}", input.kind.words(), counted(input.scopes.len(), "place"));
        terminal.line(&hanging(&told, "    ? ", "      "))?;
    }
    more(whole.len(), WHOLE, terminal)?;
    if overview.missing_elsewhere > 0 {
        terminal.line(&format!(
            "  {} more without a full answer that none of these checks needs; the report lists them",
            counted(overview.missing_elsewhere, "question")
        ))?;
    }
    Ok(())
}

fn not_read(input: &MissingInput, terminal: &Terminal) -> Result<(), CliError> {
    let scopes: Vec<String> = input.scopes.iter().take(SCOPES).map(|scope| shortened(&plain(scope), 80)).collect();
    let rest = input.scopes.len().saturating_sub(SCOPES);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let what = format!("{} at {}{rest}: {}", input.kind.words(), scopes.join(", "), input.reason.sentence());
    terminal.line(&terminal.tone(Tone::Open, &hanging(&what, "  ? ", "    ")))?;
    for (name, system) in &input.supply.permissions {
        terminal.line(&format!("      {name} ({system})"))?;
    }
    terminal.line(&hanging(&input.supply.what, "      → ", "        "))?;
    terminal.line(&terminal.tone(Tone::Dim, &hanging(&input.checks.join(", "), "      leaves open: ", "        ")))
}

/// What was read and still could not be judged.
fn open(overview: &Overview, terminal: &Terminal) -> Result<(), CliError> {
    let is_input = |line: &CheckLine, reason: Reason| {
        line.missing.iter().filter_map(|place| overview.missing.get(*place)).any(|input| input.reason == reason)
    };
    // one cause often leaves several checks open
    let mut causes: Vec<(&OpenPoint, usize, Vec<&str>)> = Vec::new();
    let points = overview.checks.iter().flat_map(|line| line.open.iter().map(move |point| (line, point)));
    for (line, point) in points.filter(|(line, point)| !is_input(line, point.reason)) {
        let is_same = |(known, ..): &&mut (&OpenPoint, usize, Vec<&str>)| {
            (known.reason, &known.settle, &known.example) == (point.reason, &point.settle, &point.example)
        };
        match causes.iter_mut().find(is_same) {
            Some((_, count, checks)) => {
                *count += point.count;
                checks.push(line.check.id);
            }
            None => causes.push((point, point.count, vec![line.check.id])),
        }
    }
    if causes.is_empty() {
        return Ok(());
    }
    title("Read, and still open", terminal)?;
    for (point, count, checks) in causes {
        let said = cut(&plain(&point.example), 3 * WIDTH);
        let told = if count > 1 { format!("{}, such as: {said}", counted(count, "result")) } else { said };
        terminal.line(&terminal.tone(Tone::Open, &hanging(&told, "  ? ", "    ")))?;
        terminal.line(&hanging(&point.settle, "      → ", "        "))?;
        terminal.line(&terminal.tone(Tone::Dim, &hanging(&checks.join(", "), "      leaves open: ", "        ")))?;
    }
    Ok(())
}

fn by_hand(overview: &Overview, terminal: &Terminal) -> Result<(), CliError> {
    let of_checks: Vec<&CheckLine> = overview.checks.iter().filter(|line| line.manual.is_some()).collect();
    let of_controls =
        overview.controls.iter().any(|line| !line.control.by_hand.is_empty() || !line.attached.is_empty());
    if of_checks.is_empty() && !of_controls {
        return Ok(());
    }
    title("Stays manual", terminal)?;
    for line in &overview.controls {
        for what in &line.control.by_hand {
            terminal.line(&hanging(&plain(what), &format!("  ◷ {:<9} ", line.control.id), "              "))?;
        }
    }
    for (line, one) in overview.controls.iter().flat_map(|line| line.attached.iter().map(move |one| (line, one))) {
        let told = format!("attached {}: {} ({}, {}, {})", one.id, one.title, one.period, one.person, one.date);
        let begin = format!("    {:<9} ", line.control.id);
        terminal.line(&hanging(&plain(&told), &begin, "              "))?;
    }
    for line in of_checks {
        let told = line.manual.as_deref().unwrap_or_default();
        let many = line.counts.manual;
        let told = if many > 1 { format!("{many} results, the first: {told}") } else { told.to_owned() };
        let begin = format!("  ◷ {:<9} ", line.check.id);
        terminal.line(&format!("{begin}{}", cut(&plain(&told), WIDTH - begin.chars().count())))?;
    }
    Ok(())
}

fn title(words: &str, terminal: &Terminal) -> Result<(), CliError> {
    terminal.line(&format!("\n{}", terminal.tone(Tone::Strong, words)))
}

fn more(all: usize, shown: usize, terminal: &Terminal) -> Result<(), CliError> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        rest => terminal.line(&format!("  … {rest} more; `--format json` has them all")),
    }
}

/// On one line, with nothing that moves the cursor.
fn plain(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// Exceptions and open points, whichever decides the exit code, and what that is.
fn last_line(overview: &Overview, end: End) -> String {
    let counts = overview.counts();
    let accepted = match counts.accepted {
        0 => String::new(),
        many => format!(" ({many} more accepted under a waiver)"),
    };
    let exceptions = match counts.fail - counts.accepted {
        0 => "no exceptions noted".to_owned(),
        many => counted(many, "exception"),
    };
    let incomplete = match (counts.not_evaluated, overview.missing.len() + overview.missing_elsewhere) {
        (0, 0) => "everything that was asked could be judged".to_owned(),
        (0, _) => "incomplete: not everything was read".to_owned(),
        (many, _) => format!("incomplete: {} not evaluated", counted(many, "point")),
    };
    let end = match end {
        End::Clean => "exit code 0",
        End::Exceptions => "exit code 1",
        End::Incomplete => "exit code 3",
    };
    format!("{exceptions}{accepted}; {incomplete}; {} await a person · {end}", counts.manual)
}
