//! What verification found: every step with its outcome, every problem with its file.

use std::fmt;

use super::super::statement::Statement;
use super::super::tsa::Stamp;

/// The steps, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Regular files with plain names, and nothing else.
    Tree,
    /// The envelope is one signed statement.
    Envelope,
    /// A trusted key signed it.
    Signature,
    /// The statement can be read, and its copies are the same.
    Statement,
    /// The files are those of the statement, no more and no fewer, byte for byte.
    Files,
    /// `SHA256SUMS` says the same, and its own signature holds.
    Sums,
    /// `manifest.json` says the same.
    Manifest,
    /// Plan and ledger are those of the statement, and the ledger's chain holds.
    Ledger,
    /// Time-stamps are over this signature, and those of the plan over the plan.
    Time,
    /// It is the pack that was expected.
    Expectations,
}

impl Step {
    /// All of them.
    pub const ALL: [Step; 10] = [
        Step::Tree,
        Step::Envelope,
        Step::Signature,
        Step::Statement,
        Step::Files,
        Step::Sums,
        Step::Manifest,
        Step::Ledger,
        Step::Time,
        Step::Expectations,
    ];

    /// Its number, from 1.
    pub fn number(self) -> usize {
        self as usize + 1
    }

    /// What it looks at, in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Step::Tree => "only regular files with plain names",
            Step::Envelope => "one signed statement",
            Step::Signature => "signed by a trusted key",
            Step::Statement => "statement readable, copies equal",
            Step::Files => "files as signed, none added or missing",
            Step::Sums => "SHA256SUMS agrees and is signed",
            Step::Manifest => "manifest.json agrees",
            Step::Ledger => "plan and ledger agree",
            Step::Time => "time",
            Step::Expectations => "the pack that was expected",
        }
    }
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing wrong; what was seen.
    Good(String),
    /// Problems were found.
    Bad,
    /// It could not be done, and why. A pack with such a step is not good.
    NotDone(String),
}

/// One step and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepOutcome {
    /// The step.
    pub step: Step,
    /// How it ended.
    pub outcome: Outcome,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The step that found it.
    pub step: Step,
    /// The file or folder inside the pack, if it is about one.
    pub path: Option<String>,
    /// What is wrong, in one line.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "step {}: ", self.step.number())?;
        if let Some(path) = &self.path {
            write!(formatter, "`{}`: ", path.escape_debug())?;
        }
        formatter.write_str(&self.what)
    }
}

/// What verification found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The steps, in order, all ten of them.
    pub steps: Vec<StepOutcome>,
    /// Everything that is wrong, by step and path.
    pub problems: Vec<Problem>,
    /// What a reader must know although nothing is wrong, one line each.
    pub notes: Vec<String>,
    /// Fingerprint of the trusted key that signed; absent if none did.
    pub fingerprint: Option<String>,
    /// SHA-256 of the statement; absent if it is not signed by a trusted key.
    pub statement_sha256: Option<String>,
    /// The statement; absent if it is not signed by a trusted key or cannot be read.
    pub statement: Option<Statement>,
    /// What the time-stamp tokens over the signature say.
    pub stamps: Vec<Stamp>,
    /// What the time-stamp tokens over the plan say.
    pub plan_stamps: Vec<Stamp>,
}

impl Report {
    /// True when every step was done and nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
            && self.steps.len() == Step::ALL.len()
            && self.steps.iter().all(|step| matches!(step.outcome, Outcome::Good(_)))
    }

    pub(super) fn problem(&mut self, step: Step, path: Option<&str>, what: impl Into<String>) {
        self.problems.push(Problem { step, path: path.map(str::to_owned), what: what.into() });
    }

    /// Ends a step: good with these words unless it found problems.
    pub(super) fn done(&mut self, step: Step, good: impl Into<String>) {
        let bad = self.problems.iter().any(|problem| problem.step == step);
        let outcome = if bad { Outcome::Bad } else { Outcome::Good(good.into()) };
        self.steps.push(StepOutcome { step, outcome });
    }

    /// Ends a step that could not be done.
    pub(super) fn not_done(&mut self, step: Step, why: impl Into<String>) {
        self.steps.push(StepOutcome { step, outcome: Outcome::NotDone(why.into()) });
    }

    /// Puts everything in order and leaves no step unsaid.
    pub(super) fn finish(mut self, rest: &str) -> Report {
        for step in Step::ALL {
            if self.steps.iter().any(|done| done.step == step) {
                continue;
            }
            if self.problems.iter().any(|problem| problem.step == step) {
                self.done(step, rest);
            } else {
                self.not_done(step, rest);
            }
        }
        self.steps.sort_by_key(|done| done.step);
        self.problems.sort();
        self.problems.dedup();
        self
    }
}

impl fmt::Display for Report {
    /// One line a step with its problems below it, then the notes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for StepOutcome { step, outcome } in &self.steps {
            let (mark, said) = match outcome {
                Outcome::Good(said) => ("ok", said.as_str()),
                Outcome::Bad => ("BAD", ""),
                Outcome::NotDone(why) => ("not done", why.as_str()),
            };
            let gap = if said.is_empty() { "" } else { ": " };
            writeln!(formatter, "{:>2}. {mark:8} {}{gap}{said}", step.number(), step.title())?;
            for problem in self.problems.iter().filter(|problem| problem.step == *step) {
                match &problem.path {
                    Some(path) => writeln!(formatter, "      `{}`: {}", path.escape_debug(), problem.what)?,
                    None => writeln!(formatter, "      {}", problem.what)?,
                }
            }
        }
        self.notes.iter().try_for_each(|note| writeln!(formatter, "note: {note}"))
    }
}
