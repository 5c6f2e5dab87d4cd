//! Checks that the organisation has written (`checks/*.toml`): the same outcomes, run by the same runner.
//!
//! A clause that does not hold is a fail, or awaits a person; one that cannot be decided from the record leaves its
//! subject open, and so does a `where` that cannot be decided. What a population needs is told by [`CustomCheck::needs`],
//! so that the runner takes back what rests on something unread.

mod subjects;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use self::subjects::{Subjects, each};
use super::{About, Check, Facts, Finding, Nature, about};
use crate::declared::{CustomCheck, Declared, Otherwise};
use crate::evidence::{Cite, Reason};
use crate::expression::{Stopped, Variables, Why};
use crate::model::Id;

/// The organisation's own checks, as those of this build are.
pub fn custom_checks(declared: &Declared) -> Vec<&'static Check> {
    declared.checks.iter().map(words).collect()
}

/// The words of a check. Findings name their check for as long as the program runs, and so each definition is
/// held that long, once.
pub(super) fn words(own: &CustomCheck) -> &'static Check {
    static KNOWN: Mutex<BTreeMap<String, &'static Check>> = Mutex::new(BTreeMap::new());
    let text = |text: &String| -> &'static str { Box::leak(text.clone().into_boxed_str()) };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(own.sha256.clone()).or_insert_with(|| {
        Box::leak(Box::new(Check {
            id: text(&own.id),
            title: text(&own.title),
            severity: own.severity,
            nature: Nature::Design,
            asks: text(&own.asks),
            blind_to: text(&own.blind_to),
            fix: text(&own.fix),
            needs: Box::leak(own.needs.clone().into_boxed_slice()),
            run: without_definition,
        }))
    })
}

/// The runner finds the definition by the id; where there is none, nothing is concluded.
fn without_definition(facts: &Facts<'_>) -> Vec<Finding> {
    let on = about("check", &Id::new(&facts.tenant.id), "a check of one's own", &Cite::new("declared", "checks", ""));
    vec![on.not_evaluated(Reason::Undecided, "its definition is not among what was declared")]
}

/// Judges every subject of the population.
pub(super) fn run(own: &CustomCheck, facts: &Facts<'_>) -> Vec<Finding> {
    let subjects = match Subjects::of(own, facts) {
        Ok(subjects) => subjects,
        Err(unread) => return vec![*unread],
    };
    each(&subjects, own, facts, judge)
}

/// None where the subject does not belong to the population.
fn judge(own: &CustomCheck, variables: &Variables<'_>, on: About) -> Option<Finding> {
    match own.only.as_ref().map(|only| only.condition.holds(variables)) {
        None | Some(Ok(true)) => {}
        Some(Ok(false)) => return None,
        Some(Err(stopped)) => {
            let because = format!("whether it belongs to the population is not known (`where`): {}", stopped.what);
            return Some(on.not_evaluated(reason(&stopped), because));
        }
    }
    let (mut fails, mut manual, mut open) = (Vec::new(), Vec::new(), None);
    let count = own.clauses.len();
    for (place, clause) in own.clauses.iter().enumerate() {
        let which = format!("clause {} of {count}", place + 1);
        match clause.expression.condition.holds(variables) {
            Ok(true) => {}
            Ok(false) => {
                let said = format!("{} ({which})", clause.message);
                if clause.otherwise == Otherwise::Fail { fails.push(said) } else { manual.push(said) }
            }
            Err(stopped) => {
                let because =
                    format!("{which} could not be decided: {} (a failure would say: {})", stopped.what, clause.message);
                open.get_or_insert((reason(&stopped), because));
            }
        }
    }
    Some(match (fails.is_empty(), open, manual.is_empty()) {
        (false, _, _) => on.fail(fails.join("; ")),
        (true, Some((reason, because)), _) => on.not_evaluated(reason, because),
        (true, None, false) => on.manual(manual.join("; ")),
        (true, None, true) if count == 1 => on.pass("the one clause holds"),
        (true, None, true) => on.pass(format!("all {count} clauses hold")),
    })
}

fn reason(stopped: &Stopped) -> Reason {
    match stopped.why {
        Why::Unread(reason) => reason,
        Why::Missing | Why::Cut | Why::Types | Why::TooLong => Reason::Undecided,
    }
}
