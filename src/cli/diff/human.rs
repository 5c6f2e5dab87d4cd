//! What changed, on a terminal, in 100 columns.

use crate::assess::{Change, Compared, Comparison, PopulationChange};
use crate::check::{Outcome, Subject};
use crate::cli::CliError;
use crate::cli::terminal::{Terminal, Tone, clean};
use crate::cli::text::{WIDTH, counted, cut, hanging};
use crate::render::export::{length, outcome_words};

/// Rows that are shown of one list.
const ROWS: usize = 20;
/// Names that are shown of what came or went.
const NAMES: usize = 5;

/// Prints the two packs and every list that is not empty.
pub(in crate::cli) fn print(compared: &Compared, terminal: &Terminal) -> Result<(), CliError> {
    let (earlier, later, found) = (&compared.earlier, &compared.later, &compared.comparison);
    terminal.line(&terminal.tone(Tone::Strong, "What changed"))?;
    for (word, side) in [("earlier", earlier), ("later", later)] {
        let told =
            format!("  {word:<8} {} · {} · {}", side.collected_at.format("%Y-%m-%d %H:%MZ"), side.period, side.id);
        terminal.line(&cut(&clean(&told), WIDTH))?;
    }
    terminal.line(&format!("  between  {}", length(later.collected_at - earlier.collected_at)))?;
    if !compared.same_rules() {
        terminal.line("  judged by different rules: a change may be the rules'")?;
    }
    let lists: [(&str, &str, Tone, &[Change]); 5] = [
        ("New", "+", Tone::Bad, &found.new),
        ("No longer evaluated", "?", Tone::Open, &found.no_longer_evaluated),
        ("Still open", "✗", Tone::Bad, &found.still_open),
        ("Fixed", "✓", Tone::Good, &found.fixed),
        ("No longer in the population", "–", Tone::Dim, &found.gone),
    ];
    for (title, sign, tone, changes) in lists {
        list(title, sign, tone, changes, terminal)?;
    }
    populations(&found.populations, terminal)?;
    controls(found, terminal)?;
    for (words, ids) in [
        ("checks that only the later has", &found.checks_added),
        ("checks that only the earlier has", &found.checks_removed),
    ] {
        if !ids.is_empty() {
            terminal.line(&hanging(&clean(&ids.join(", ")), &format!("\n  {words}: "), "    "))?;
        }
    }
    Ok(())
}

fn list(title: &str, sign: &str, tone: Tone, changes: &[Change], terminal: &Terminal) -> Result<(), CliError> {
    if changes.is_empty() {
        return Ok(());
    }
    terminal.line(&format!("\n  {}", terminal.tone(Tone::Strong, &format!("{title} ({})", changes.len()))))?;
    for change in changes.iter().take(ROWS) {
        let begin = format!("  {sign} {:<9} ", clean(&change.check));
        let was = match (change.before, change.after) {
            (Some(Outcome::Fail), Some(Outcome::Fail)) => String::new(),
            (before, after) => format!(" [{} → {}]", outcome_words(before), outcome_words(after)),
        };
        let accepted = change.accepted.as_ref();
        let accepted = accepted.map_or_else(String::new, |one| format!(" (accepted until {})", one.until));
        let told = clean(&format!("{}{was}{accepted}: {}", change.subject.name, change.because)).replace('\n', " ");
        let line = format!("{}{}", terminal.tone(tone, &begin), cut(&told, WIDTH - begin.chars().count()));
        terminal.line(&line)?;
    }
    match changes.len().saturating_sub(ROWS) {
        0 => Ok(()),
        rest => terminal.line(&format!("  … {rest} more; `--format json` has them all")),
    }
}

fn populations(changes: &[PopulationChange], terminal: &Terminal) -> Result<(), CliError> {
    if changes.is_empty() {
        return Ok(());
    }
    terminal.line(&format!("\n  {}", terminal.tone(Tone::Strong, "Changed populations")))?;
    for change in changes {
        let partial = if change.is_partial { " (part of it was not read)" } else { "" };
        let told = format!(
            "{} → {}{partial}{}{}",
            change.before,
            change.after,
            names(" +", &change.added),
            names(" −", &change.removed)
        );
        let begin = format!("    {:<9} ", clean(&change.check));
        terminal.line(&hanging(&clean(&told).replace('\n', " "), &begin, "              "))?;
    }
    Ok(())
}

fn names(sign: &str, subjects: &[Subject]) -> String {
    let mut told: String =
        subjects.iter().take(NAMES).map(|subject| format!("{sign} {}", cut(&subject.name, 40))).collect();
    if subjects.len() > NAMES {
        told.push_str(&format!("{sign} {} more", subjects.len() - NAMES));
    }
    told
}

fn controls(found: &Comparison, terminal: &Terminal) -> Result<(), CliError> {
    if found.controls.is_empty() {
        return Ok(());
    }
    terminal.line(&format!("\n  {}", terminal.tone(Tone::Strong, "Controls that conclude otherwise")))?;
    for one in &found.controls {
        let told = format!("    {:<9} {} → {}  {}", one.id, one.before, one.after, one.title).replace('_', " ");
        terminal.line(&cut(&clean(&told).replace('\n', " "), WIDTH))?;
    }
    Ok(())
}

/// All of it in one line.
pub(in crate::cli) fn last_line(found: &Comparison) -> String {
    format!(
        "{}; {} no longer evaluated; {} fixed, {} still open, {} gone",
        counted(found.new.len(), "new exception"),
        found.no_longer_evaluated.len(),
        found.fixed.len(),
        found.still_open.len(),
        found.gone.len(),
    )
}
