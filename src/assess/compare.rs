//! Two packs of one tenant: what is new, fixed, still open, and what can no longer be told.
//!
//! A finding is the same in both when check and subject are: evidence numbers and sentences do not count. What was an exception counts as fixed only when the later pack judged the same subject
//! and found none. Where the later pack could not judge it, nobody knows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Counts, Told, ToldAccepted};
use crate::check::{Outcome, Subject};
use crate::evidence::{Period, Tool};
use crate::model::Id;

/// One subject of one check, whose result changed or is still an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Id of the check.
    pub check: String,
    /// What it is about.
    pub subject: Subject,
    /// How it ended in the earlier pack; none when it was not there.
    pub before: Option<Outcome>,
    /// How it ended in the later one; none when it is not there.
    pub after: Option<Outcome>,
    /// What the later pack says, else the earlier.
    pub because: String,
    /// The waiver that holds for it in the later pack; it stays an exception.
    pub accepted: Option<ToldAccepted>,
}

/// The population of one check, where it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PopulationChange {
    /// Id of the check.
    pub check: String,
    /// Subjects in the earlier pack.
    pub before: usize,
    /// Subjects in the later one.
    pub after: usize,
    /// Those that are only in the later one.
    pub added: Vec<Subject>,
    /// Those that are only in the earlier one.
    pub removed: Vec<Subject>,
    /// Whether part of it was not read in one of the two, so that what is missing may be there.
    pub is_partial: bool,
}

/// A control that concludes otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConclusionChange {
    /// Its id.
    pub id: String,
    /// One line.
    pub title: String,
    /// In the earlier pack.
    pub before: String,
    /// In the later one.
    pub after: String,
}

/// What changed between two packs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Exceptions that were none in the earlier pack.
    pub new: Vec<Change>,
    /// Exceptions of the earlier pack that the later one judged and found none.
    pub fixed: Vec<Change>,
    /// Exceptions in both.
    pub still_open: Vec<Change>,
    /// What the earlier pack judged and the later one could not, exceptions first.
    pub no_longer_evaluated: Vec<Change>,
    /// Exceptions whose subject is not in the later population, which was read whole.
    pub gone: Vec<Change>,
    /// How many could be judged in neither.
    pub open_in_both: usize,
    /// Populations that changed.
    pub populations: Vec<PopulationChange>,
    /// Controls that conclude otherwise.
    pub controls: Vec<ConclusionChange>,
    /// Checks that only the later pack has: their exceptions are new here, and may be old.
    pub checks_added: Vec<String>,
    /// Checks that only the earlier pack has.
    pub checks_removed: Vec<String>,
}

/// One of two packs that are compared.
#[derive(Clone, Debug)]
pub struct Side {
    /// Id of the pack, or of the capture where it was not sealed.
    pub id: String,
    /// When the collection began, UTC.
    pub collected_at: DateTime<Utc>,
    /// The period under examination.
    pub period: Period,
    /// The program that judged.
    pub tool: Tool,
}

/// Two packs and what changed from one to the other.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Entra tenant of both.
    pub tenant: String,
    /// The earlier.
    pub earlier: Side,
    /// The later.
    pub later: Side,
    /// What changed.
    pub comparison: Comparison,
}

impl Compared {
    /// Whether both were judged by the same rules: if not, a change may be the rules'.
    pub fn same_rules(&self) -> bool {
        self.earlier.tool.rule_set_sha256 == self.later.tool.rule_set_sha256
    }
}

/// What changed since an earlier pack, beside what that one said of each check.
#[derive(Clone, Debug)]
pub struct Trend {
    /// The two, and what changed.
    pub compared: Compared,
    /// The earlier one's findings by outcome, by check.
    pub counts: BTreeMap<String, Counts>,
}

impl Trend {
    /// What the earlier pack said of these checks together; none when it had none of them.
    pub fn counts_of(&self, checks: &[&str]) -> Option<Counts> {
        let mut told = checks.iter().filter_map(|check| self.counts.get(*check)).peekable();
        told.peek()?;
        Some(told.fold(Counts::default(), |sum, counts| sum.plus(*counts)))
    }
}

/// Findings of a pack by outcome, by check.
pub fn counts_by_check(told: &Told) -> BTreeMap<String, Counts> {
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for finding in &told.findings {
        counts.entry(finding.check.clone()).or_default().add(finding.outcome, finding.accepted.is_some());
    }
    counts
}

/// Compares two packs of one tenant.
pub fn compare(earlier: &Told, later: &Told) -> Comparison {
    let (before, after) = (States::of(earlier), States::of(later));
    let mut comparison = Comparison {
        checks_added: after.checks().difference(&before.checks()).map(|id| (*id).to_owned()).collect(),
        checks_removed: before.checks().difference(&after.checks()).map(|id| (*id).to_owned()).collect(),
        populations: populations(&before, &after),
        controls: conclusions(earlier, later),
        ..Comparison::default()
    };
    let keys: BTreeSet<&Key<'_>> = before.by_subject.keys().chain(after.by_subject.keys()).collect();
    for key in keys {
        let (then, now) = (before.by_subject.get(key), after.by_subject.get(key));
        let Some(told) = now.or(then) else { continue };
        let change = Change {
            check: key.0.to_owned(),
            subject: told.subject.clone(),
            before: then.map(|state| state.outcome),
            after: now.map(|state| state.outcome),
            because: told.because.to_owned(),
            accepted: now.and_then(|state| state.accepted.cloned()),
        };
        sort_in(&mut comparison, change, &after);
    }
    // those that were exceptions are what somebody may take for fixed
    comparison.no_longer_evaluated.sort_by_key(|change| change.before != Some(Outcome::Fail));
    comparison
}

fn sort_in(comparison: &mut Comparison, change: Change, later: &States<'_>) {
    use Outcome::{Fail, Manual, NotApplicable, NotEvaluated, Pass};
    match (change.before, change.after) {
        (Some(Fail), Some(Fail)) => comparison.still_open.push(change),
        (_, Some(Fail)) => comparison.new.push(change),
        (Some(Fail), Some(Pass | NotApplicable)) => comparison.fixed.push(change),
        // a person's word is awaited where there was an exception
        (Some(Fail), Some(Manual | NotEvaluated)) => comparison.no_longer_evaluated.push(change),
        (Some(Fail), None) if later.is_whole_around(&change) => comparison.gone.push(change),
        (Some(Fail), None) => comparison.no_longer_evaluated.push(change),
        (Some(NotEvaluated), Some(NotEvaluated)) => comparison.open_in_both += 1,
        (Some(Pass | NotApplicable | Manual), Some(NotEvaluated)) => comparison.no_longer_evaluated.push(change),
        _ => {}
    }
}

/// Check, kind of subject, and what makes it the same one in another run.
type Key<'a> = (&'a str, &'a str, String);

struct State<'a> {
    subject: &'a Subject,
    outcome: Outcome,
    because: &'a str,
    accepted: Option<&'a ToldAccepted>,
}

/// How each subject of each check ended: the worst, where a check says more than one thing of it.
struct States<'a> {
    by_subject: BTreeMap<Key<'a>, State<'a>>,
    /// By check: what it could not judge as a whole, as ids.
    unread: BTreeMap<&'a str, Vec<Id>>,
}

impl<'a> States<'a> {
    fn of(told: &'a Told) -> States<'a> {
        let mut states = States { by_subject: BTreeMap::new(), unread: BTreeMap::new() };
        for finding in &told.findings {
            let subject = &finding.subject;
            if finding.outcome == Outcome::NotEvaluated {
                states.unread.entry(&finding.check).or_default().push(Id::new(subject.id.clone()));
            }
            let key = (finding.check.as_str(), subject.kind.as_str(), subject.key());
            let accepted = finding.accepted.as_ref();
            let state = State { subject, outcome: finding.outcome, because: &finding.because, accepted };
            let known = states.by_subject.get(&key).map(|known| weight(known.outcome));
            if known.is_none_or(|known| known < weight(state.outcome)) {
                states.by_subject.insert(key, state);
            }
        }
        states
    }

    fn checks(&self) -> BTreeSet<&'a str> {
        self.by_subject.keys().map(|(check, ..)| *check).collect()
    }

    /// Whether the check was run and left nothing open that the subject could lie in.
    fn is_whole_around(&self, change: &Change) -> bool {
        let subject = Id::new(change.subject.id.clone());
        let is_path = |id: &Id| id.key().starts_with('/');
        let unread = self.unread.get(change.check.as_str()).map(Vec::as_slice).unwrap_or_default();
        // of what is no path, nobody knows what lies in it
        let may_hold = |open: &Id| !is_path(open) || !is_path(&subject) || open.is_at_or_above(&subject);
        self.checks().contains(change.check.as_str()) && !unread.iter().any(may_hold)
    }
}

/// What counts where a check says more than one thing of a subject.
fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::NotApplicable => 0,
        Outcome::Pass => 1,
        Outcome::Manual => 2,
        Outcome::NotEvaluated => 3,
        Outcome::Fail => 4,
    }
}

fn populations(before: &States<'_>, after: &States<'_>) -> Vec<PopulationChange> {
    let of = |states: &States<'_>, check: &str| -> BTreeMap<(String, String), Subject> {
        // a part that was not read, or a tenant without such things, is no item of a population
        let own = states
            .by_subject
            .iter()
            .filter(|((own, kind, _), _)| *own == check && !matches!(*kind, "scope" | "tenant"));
        own.map(|((_, kind, id), state)| (((*kind).to_owned(), id.clone()), state.subject.clone())).collect()
    };
    let mut changes = Vec::new();
    for check in before.checks().intersection(&after.checks()) {
        let (then, now) = (of(before, check), of(after, check));
        let only = |these: &BTreeMap<(String, String), Subject>, those: &BTreeMap<(String, String), Subject>| {
            these.iter().filter(|(key, _)| !those.contains_key(*key)).map(|(_, one)| one.clone()).collect::<Vec<_>>()
        };
        let (added, removed) = (only(&now, &then), only(&then, &now));
        if added.is_empty() && removed.is_empty() {
            continue;
        }
        let is_open = |states: &States<'_>| {
            states.by_subject.iter().any(|((own, kind, _), state)| {
                own == check && *kind == "scope" && state.outcome == Outcome::NotEvaluated
            })
        };
        changes.push(PopulationChange {
            check: (*check).to_owned(),
            before: then.len(),
            after: now.len(),
            added,
            removed,
            is_partial: is_open(before) || is_open(after),
        });
    }
    changes
}

fn conclusions(earlier: &Told, later: &Told) -> Vec<ConclusionChange> {
    let change = |now: &super::ToldControl| {
        let then = earlier.controls.iter().find(|then| then.id == now.id)?;
        (then.conclusion != now.conclusion).then(|| ConclusionChange {
            id: now.id.clone(),
            title: now.title.clone(),
            before: then.conclusion.clone(),
            after: now.conclusion.clone(),
        })
    };
    later.controls.iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::{ToldControl, ToldFinding};
    use Outcome::{Fail, Manual, NotApplicable, NotEvaluated, Pass};

    const VAULTS: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults";

    fn told(findings: &[(&str, &str, &str, Outcome)]) -> Told {
        let finding = |(check, kind, id, outcome): &(&str, &str, &str, Outcome)| ToldFinding {
            check: (*check).to_owned(),
            subject: Subject { kind: (*kind).to_owned(), id: (*id).to_owned(), name: (*id).to_owned() },
            outcome: *outcome,
            because: "as it is".to_owned(),
            accepted: None,
        };
        Told {
            schema: Told::SCHEMA.to_owned(),
            tenant: "t".to_owned(),
            period: Period::parse("2026Q3").expect("a period"),
            tool: Tool { name: "tickmark".to_owned(), version: "1".to_owned(), rule_set_sha256: String::new() },
            controls: Vec::new(),
            findings: findings.iter().map(finding).collect(),
        }
    }

    fn vault(name: &str) -> String {
        format!("{VAULTS}/{name}")
    }

    fn ids(changes: &[Change]) -> Vec<&str> {
        changes.iter().map(|change| change.subject.id.as_str()).collect()
    }

    #[test]
    fn each_transition_has_its_place() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"].map(vault);
        let of = |outcomes: [Outcome; 8]| {
            let rows: Vec<_> =
                names.iter().zip(outcomes).map(|(id, end)| ("KV-006", "vault", id.as_str(), end)).collect();
            told(&rows)
        };
        let earlier = of([Fail, Fail, Pass, Fail, Pass, Fail, NotEvaluated, Fail]);
        let later = of([Fail, Pass, Fail, NotEvaluated, NotEvaluated, NotApplicable, NotEvaluated, Manual]);
        let found = compare(&earlier, &later);
        assert_eq!(ids(&found.still_open), [names[0].as_str()]);
        assert_eq!(ids(&found.fixed), [names[1].as_str(), names[5].as_str()]);
        assert_eq!(ids(&found.new), [names[2].as_str()]);
        assert_eq!(
            ids(&found.no_longer_evaluated),
            [names[3].as_str(), names[7].as_str(), names[4].as_str()],
            "exceptions first"
        );
        assert_eq!((found.open_in_both, found.gone.len(), found.populations.len()), (1, 0, 0));
    }

    #[test]
    fn ids_are_the_same_in_any_case() {
        let upper = vault("KV");
        let found = compare(
            &told(&[("KV-006", "vault", &upper, Fail)]),
            &told(&[("KV-006", "vault", &upper.to_lowercase(), Fail)]),
        );
        assert_eq!((found.still_open.len(), found.new.len(), found.populations.len()), (1, 0, 0));
    }

    #[test]
    fn a_subject_that_is_not_there_is_gone_only_where_the_population_was_read_whole() {
        let (one, two) = (vault("one"), vault("two"));
        let earlier = told(&[("KV-006", "vault", &one, Fail), ("KV-006", "vault", &two, Pass)]);
        let whole = compare(&earlier, &told(&[("KV-006", "vault", &two, Pass)]));
        assert_eq!((ids(&whole.gone), whole.fixed.len()), (vec![one.as_str()], 0));
        assert_eq!(whole.populations[0].removed.len(), 1);
        for open in ["/subscriptions/s", "tenant"] {
            let later = told(&[("KV-006", "vault", &two, Pass), ("KV-006", "scope", open, NotEvaluated)]);
            let found = compare(&earlier, &later);
            assert_eq!((ids(&found.no_longer_evaluated), found.gone.len()), (vec![one.as_str()], 0), "{open}");
            assert!(found.populations[0].is_partial);
        }
        let elsewhere = told(&[("KV-006", "vault", &two, Pass), ("KV-006", "scope", "/subscriptions/x", NotEvaluated)]);
        assert_eq!(ids(&compare(&earlier, &elsewhere).gone), [one.as_str()]);
        // a later pack without the check says nothing of it
        let without = compare(&earlier, &told(&[("KV-002", "vault", &two, Pass)]));
        assert_eq!((ids(&without.no_longer_evaluated), without.gone.len()), (vec![one.as_str()], 0));
        assert_eq!(
            (without.checks_added, without.checks_removed),
            (vec!["KV-002".to_owned()], vec!["KV-006".to_owned()])
        );
    }

    #[test]
    fn of_two_results_about_one_subject_the_worse_counts() {
        let id = vault("v");
        let earlier = told(&[("RBAC-001", "principal", &id, Pass), ("RBAC-001", "principal", &id, Fail)]);
        let later = told(&[("RBAC-001", "principal", &id, NotEvaluated), ("RBAC-001", "principal", &id, Pass)]);
        let found = compare(&earlier, &later);
        assert_eq!((found.fixed.len(), found.no_longer_evaluated.len()), (0, 1));
    }

    #[test]
    fn controls_that_conclude_otherwise_are_named() {
        let with = |conclusion: &str| {
            let control =
                ToldControl { id: "TM-01".to_owned(), title: "t".to_owned(), conclusion: conclusion.to_owned() };
            Told { controls: vec![control], ..told(&[]) }
        };
        assert_eq!(compare(&with("exceptions"), &with("exceptions")).controls, []);
        let found = compare(&with("exceptions"), &with("not_evaluated"));
        assert_eq!(
            (found.controls[0].before.as_str(), found.controls[0].after.as_str()),
            ("exceptions", "not_evaluated")
        );
    }
}
