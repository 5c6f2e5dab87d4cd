//! Runs the checks and settles silence.
//!
//! A population that was not read whole gets a finding of its own. A pass, a not-applicable or a manual result
//! that needed something unread is taken back. No finding at all is "not applicable" only when every list that
//! the subjects come from was answered whole; those answers are then cited.

use std::sync::Arc;

use super::finding::{empty, unread};
use super::waivers;
use super::{Check, Facts, Finding, Outcome, all_checks, custom};
use crate::evidence::{Cite, Kind, Over, Reason};
use crate::model::{Id, Missing, Need, Reach, Texts};

/// Every check over `facts`; findings sorted by check, subject and outcome.
pub fn run_all(facts: &Facts<'_>) -> Vec<Arc<Finding>> {
    run_those(facts, |_| true)
}

/// The checks that `is_wanted`, sorted in the same way.
pub fn run_those(facts: &Facts<'_>, is_wanted: impl Fn(&Check) -> bool) -> Vec<Arc<Finding>> {
    let texts = Texts::default();
    let wanted = all_checks(facts.declared).filter(|check| is_wanted(check));
    let all = wanted.flat_map(|check| run(check, facts));
    let mut findings: Vec<_> = all.map(|finding| Arc::new(finding.sharing(&texts))).collect();
    waivers::accept(facts, &mut findings);
    findings.sort_by(|a, b| {
        (a.check(), a.subject(), a.outcome(), a.because()).cmp(&(b.check(), b.subject(), b.outcome(), b.because()))
    });
    findings
}

/// One check over `facts`.
pub(super) fn run(check: &Check, facts: &Facts<'_>) -> Vec<Finding> {
    let coverage = &facts.tenant.coverage;
    let mut unread_parts: Vec<Missing> = Vec::new();
    for need in check.needs.iter().filter(|need| need.reach == Reach::Population) {
        let mut missing = coverage.missing_of_population(need.kind);
        if missing.is_empty() && !coverage.was_asked(need.kind) && !follows_from_others(need.kind) {
            missing.push(not_asked(need.kind));
        }
        // one list that everything is found through may be missing of several populations
        missing.retain(|missing| !unread_parts.contains(missing));
        unread_parts.extend(missing);
    }
    let mut findings: Vec<Finding> = unread_parts.iter().map(unread).collect();
    let unread_whole: Vec<Option<Missing>> = check.needs.iter().map(|need| unread_whole(facts, *need)).collect();
    let found = match facts.declared.check(check.id) {
        Some(own) => custom::run(own, facts),
        None => (check.run)(facts),
    };
    for finding in found {
        findings.push(settle(check.needs, &unread_whole, facts, finding));
    }
    if findings.is_empty() {
        findings.push(silence(check, facts));
    }
    findings.into_iter().map(|finding| finding.of_check(check.id)).collect()
}

/// What is missing of a need that is the same for every subject.
fn unread_whole(facts: &Facts<'_>, need: Need) -> Option<Missing> {
    let nobody = Id::new("");
    (need.reach == Reach::Whole).then(|| facts.tenant.coverage.missing(need, &nobody).into_iter().next()).flatten()
}

/// Takes back what was concluded without something that it needed. A fail that was seen stays a fail.
fn settle(needs: &[Need], unread_whole: &[Option<Missing>], facts: &Facts<'_>, finding: Finding) -> Finding {
    if let Outcome::Fail | Outcome::NotEvaluated = finding.outcome() {
        return finding;
    }
    let subject = Id::new(finding.subject().id.as_str());
    let missing = needs.iter().zip(unread_whole).find_map(|(need, whole)| match need.reach {
        Reach::Whole => whole.clone(),
        _ => facts.tenant.coverage.missing(*need, &subject).into_iter().next(),
    });
    match missing {
        Some(missing) => finding.taken_back(&missing),
        None => finding,
    }
}

fn silence(check: &Check, facts: &Facts<'_>) -> Finding {
    let coverage = &facts.tenant.coverage;
    let settled_here = check.needs.iter().filter(|need| need.reach != Reach::Judged);
    let mut missing = settled_here.flat_map(|need| coverage.missing_of_population(need.kind));
    if let Some(missing) = missing.next() {
        return unread(&missing);
    }
    // what belongs to the directory, and to no subscription, is not hidden with them
    let is_hidden = |need: &Need| need.reach == Reach::Population && follows_from_others(need.kind);
    if facts.tenant.subscriptions.is_empty() && check.needs.iter().any(is_hidden) {
        // Only what the identity may see is listed: no subscription at all proves nothing.
        return unread(&Missing {
            kind: Kind::Subscriptions,
            scope: "tenant".to_owned(),
            reason: Reason::NotFound,
            detail: "no subscription is visible to the collecting identity; give it Reader".to_owned(),
            from: coverage.questions(Kind::Subscriptions).next().map(|asked| asked.from.clone()),
        });
    }
    let lists = check.needs.iter().filter(|need| need.reach == Reach::Population);
    let evidence: Vec<Cite> =
        lists.clone().flat_map(|need| coverage.questions(need.kind).map(|asked| asked.from.clone())).collect();
    if evidence.is_empty() {
        // The lists that things are found in were themselves asked and empty; they stand for it.
        let roots: Vec<Cite> = coverage.questions(Kind::Subscriptions).map(|asked| asked.from.clone()).collect();
        if roots.is_empty() {
            return unread(&not_asked(Kind::Subscriptions)); // nothing was asked, which proves nothing
        }
        return empty(&facts.tenant.id, "nothing of the kind was found", roots);
    }
    let words: Vec<&str> = lists.map(|need| need.kind.words()).collect();
    empty(&facts.tenant.id, &words.join(", "), evidence)
}
/// Whether it depends on other answers where, and so whether, the kind is asked.
fn follows_from_others(kind: Kind) -> bool {
    !kind.over().iter().any(|over| matches!(over, Over::Tenant | Over::Directory))
}

pub(super) fn not_asked(kind: Kind) -> Missing {
    Missing {
        kind,
        scope: "tenant".to_owned(),
        reason: Reason::NotAsked,
        detail: format!("no question about {} was put", kind.words()),
        from: None,
    }
}
