//! `tickmark verify`: numbered steps, a key from the caller, every mismatch reported.

use serde_json::json;

use super::args::{Format, Verify};
use super::terminal::{Terminal, Tone, clean};
use super::{CliError, End};
use crate::pack::{Expect, Outcome, TrustedKey, verify};

pub(super) fn run(options: &Verify, terminal: &Terminal) -> Result<End, CliError> {
    let mut keys = Vec::new();
    for path in &options.key {
        let pem = std::fs::read_to_string(path).map_err(CliError::io("read", path))?;
        keys.push(TrustedKey::from_pem(&pem)?);
    }
    let expect = Expect { tenant: options.tenant.clone(), pack_id: options.pack_id.clone(), ..Expect::default() };
    let report = verify(&options.pack, &keys, &expect);
    let end = if report.is_good() { End::Clean } else { End::Exceptions };
    if terminal.format == Format::Json {
        let steps: Vec<_> = report
            .steps
            .iter()
            .map(|step| {
                let (word, saw) = match &step.outcome {
                    Outcome::Good(saw) => ("good", saw.as_str()),
                    Outcome::Bad => ("bad", ""),
                    Outcome::NotDone(why) => ("not_done", why.as_str()),
                };
                json!({"step": step.step.number(), "title": step.step.title(), "outcome": word, "saw": saw})
            })
            .collect();
        let problems: Vec<_> = report
            .problems
            .iter()
            .map(|problem| json!({"step": problem.step.number(), "path": problem.path, "what": problem.what}))
            .collect();
        terminal.json(&json!({
            "good": report.is_good(), "fingerprint": report.fingerprint, "steps": steps, "problems": problems, "notes": report.notes,
        }))?;
        return Ok(end);
    }
    for step in &report.steps {
        let (mark, tone, saw) = match &step.outcome {
            Outcome::Good(saw) => ("✓ good", Tone::Good, saw.as_str()),
            Outcome::Bad => ("✗ bad", Tone::Bad, ""),
            Outcome::NotDone(why) => ("? not done", Tone::Open, why.as_str()),
        };
        let mark = terminal.tone(tone, &format!("{mark:<10}"));
        terminal.line(&format!("{:>2}. {mark} {:<40} {}", step.step.number(), step.step.title(), clean(saw)))?;
    }
    for problem in &report.problems {
        terminal.line(&clean(&problem.to_string()))?;
    }
    for note in &report.notes {
        terminal.line(&format!("note: {}", clean(note)))?;
    }
    if let Some(signer) = &report.fingerprint {
        terminal.line(&format!("signed by {signer}: compare with the fingerprint that you got another way"))?;
    }
    terminal.line(match report.is_good() {
        true => "The pack is as it was signed.",
        false => "The pack does NOT verify.",
    })?;
    Ok(end)
}
