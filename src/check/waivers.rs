//! Which waivers hold, and for which fails. A waived fail stays a fail; what is wrong with a waiver is PACK-004's.

use std::borrow::Borrow;
use std::sync::Arc;

use super::{Accepted, Facts, Finding, Outcome, find_in};
use crate::declared::{Row, Standing, Waiver};

/// Marks the fails that a waiver holds for. The first waiver of the file that holds is taken.
pub(super) fn accept(facts: &Facts<'_>, findings: &mut [Arc<Finding>]) {
    for row in facts.declared.waivers.iter().flat_map(|register| &register.rows) {
        if fault(facts, row).is_some() || too_many(row, findings) {
            continue;
        }
        let says = &row.says;
        let accepted = Arc::new(Accepted {
            approver: says.approver.as_str().to_owned(),
            owner: says.owner.as_str().to_owned(),
            until: says.expires.to_string(),
            reason: says.reason.as_str().to_owned(),
            compensating: says.compensating.as_str().to_owned(),
            ticket: says.ticket.as_ref().map(|ticket| ticket.as_str().to_owned()),
            waiver: row.from.clone(),
        });
        let covered = findings.iter_mut().filter(|finding| covers(&row.says, finding));
        let open = covered.filter(|finding| finding.accepted().is_none());
        open.for_each(|finding| Arc::make_mut(finding).accept(&accepted));
    }
}

/// Whether a waiver speaks of a fail.
pub(super) fn covers(waiver: &Waiver, finding: &Finding) -> bool {
    finding.outcome() == Outcome::Fail && waiver.covers(finding.check(), &finding.subject().id)
}

/// Whether a waiver covers more fails than it may. One without a pattern may cover whatever its subject has.
pub(super) fn too_many(row: &Row<Waiver>, findings: &[impl Borrow<Finding>]) -> bool {
    let most = row.says.at_most.filter(|_| row.says.is_pattern());
    most.is_some_and(|most| findings.iter().filter(|finding| covers(&row.says, (*finding).borrow())).count() > most)
}

/// Why a waiver does not hold, whatever it covers; in words.
pub(super) fn fault(facts: &Facts<'_>, row: &Row<Waiver>) -> Option<String> {
    let says = &row.says;
    let check = says.check.as_str();
    let at = facts.tenant.collected_at;
    if find_in(facts.declared, check).is_none() {
        return Some(format!("there is no check `{check}`"));
    }
    if check.eq_ignore_ascii_case("PACK-004") {
        return Some("what is wrong with waivers cannot be waived".to_owned());
    }
    if says.is_self_approved() {
        return Some(format!("its owner `{}` approved it", says.owner.as_str()));
    }
    if says.is_pattern() && says.at_most.is_none() {
        return Some("its subject is a pattern and `at_most` does not say how many it may cover".to_owned());
    }
    if says.expires < says.created {
        return Some(format!("it ends with {} and was accepted on {}", says.expires, says.created));
    }
    match row.standing(at) {
        Standing::InForce => None,
        Standing::Expired(day) => Some(format!("it ended with {day}")),
        Standing::NotYet(day) => Some(format!("it was accepted on {day}, after the deviation was seen")),
    }
}
