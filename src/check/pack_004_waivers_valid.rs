//! PACK-004: an exception is accepted by somebody else than its owner, for a time, and before it is found.

use std::collections::BTreeSet;

use super::runner;
use super::waivers::{covers, fault, too_many};
use super::{Check, Facts, Finding, Nature, Outcome, Severity, about, find_in};
use crate::declared::{Row, Waiver};
use crate::model::Id;

pub(super) const CHECK: Check = Check {
    id: "PACK-004",
    title: "Waivers are valid: approved by another than the owner, in force, and about something that is there",
    severity: Severity::High,
    nature: Nature::Operating,
    asks: "Every row of `waivers.toml`, held against the findings of the check that it names: whether the check exists, \
           whether owner and approver differ, whether it was accepted before this collection began and has not ended, \
           whether it covers an exception, and with a pattern not more than it says. What it names as evidence must be \
           an attached record or a record of this evidence. A waived exception stays one, and is shown as accepted.",
    blind_to: "Whether approver and owner are the persons they are said to be, whether the approver may accept a risk, \
               and whether what is done instead works. When a deviation began is told by few findings: a waiver that was \
               accepted within the period awaits a person, who must say that it was accepted before the deviation.",
    fix: "Edit `waivers.toml`: take out what ended or covers nothing; have an exception accepted by somebody who does not \
          own it, with `created` and `expires`; narrow a pattern or raise `at_most` after review.",
    needs: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let rows: Vec<&Row<Waiver>> = facts.declared.waivers.iter().flat_map(|register| &register.rows).collect();
    let named: BTreeSet<String> = rows.iter().map(|row| row.says.check.as_str().to_uppercase()).collect();
    let checks = named.iter().filter_map(|id| find_in(facts.declared, id)).filter(|check| check.id != CHECK.id);
    let findings: Vec<Finding> = checks.flat_map(|check| runner::run(check, facts)).collect();
    rows.into_iter().map(|row| judge(facts, row, &findings)).collect()
}

fn judge(facts: &Facts<'_>, row: &Row<Waiver>, findings: &[Finding]) -> Finding {
    let says = &row.says;
    let name = format!("{} {}", says.check.as_str(), says.subject.as_str());
    let covered: Vec<&Finding> = findings.iter().filter(|finding| covers(says, finding)).collect();
    let on = about("waiver", &Id::new(row.place()), &name, &row.from)
        .citing(covered.iter().filter_map(|finding| finding.evidence().first()));
    if let Some(fault) = fault(facts, row) {
        return on.fail(format!("the waiver at `{}` does not hold: {fault}", row.place()));
    }
    if too_many(row, findings) {
        let most = says.at_most.unwrap_or_default();
        return on.fail(format!("it covers {} exceptions, more than its {most}, and so none", covered.len()));
    }
    if let Some(unknown) = says.evidence.iter().find(|id| !is_there(facts, id.as_str())) {
        return on.fail(format!("`{}` is neither an attached record nor a record of this evidence", unknown.as_str()));
    }
    if covered.is_empty() {
        let open = findings.iter().find(|finding| {
            finding.check().eq_ignore_ascii_case(says.check.as_str()) && finding.outcome() == Outcome::NotEvaluated
        });
        return match open.and_then(|open| Some((open, open.reason()?))) {
            Some((open, reason)) => on
                .citing(open.evidence())
                .not_evaluated(reason, format!("it covers no exception that was seen, and {}", open.because())),
            None => on.fail("it covers no exception: take it out"),
        };
    }
    let until = format!("accepted by `{}` until {}", says.approver.as_str(), says.expires);
    let of_period = find_in(facts.declared, says.check.as_str()).is_some_and(|check| check.nature == Nature::Operating);
    match of_period && says.created.start() >= facts.period.start {
        true => on.manual(format!(
            "{until}; it was accepted on {}, within the period: a person must say that this was before the deviation",
            says.created
        )),
        false => on.pass(match covered.len() {
            1 => format!("{until}; it covers 1 exception"),
            count => format!("{until}; it covers {count} exceptions"),
        }),
    }
}

fn is_there(facts: &Facts<'_>, id: &str) -> bool {
    facts.declared.attached.iter().any(|attached| attached.id == id) || facts.tenant.coverage.has_record(id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{SUB, base, findings_declared, findings_of, list, only, vault_id, vault_json};
    use super::*;
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    /// Two vaults with the old permission model, so that KV-002 fails twice.
    fn tenant() -> CaptureBuilder {
        let old = json!({"properties": {"enableRbacAuthorization": false}});
        base().replace(Kind::Vaults, SUB, list([vault_json("kv1", &old), vault_json("kv2", &old)]))
    }

    fn row(subject: &str, more: &str) -> String {
        format!(
            "[[waiver]]\ncheck = \"kv-002\"\nsubject = \"{subject}\"\nreason = \"migration\"\nowner = \"Ada\"\n\
             approver = \"Grace\"\ncompensating = \"weekly review\"\n{more}"
        )
    }

    const DAYS: &str = "created = 2026-01-10\nexpires = 2026-12-31\n";

    fn judged(text: &str) -> Finding {
        only(&findings_declared(&CHECK, tenant(), &[("waivers.toml", text)])).clone()
    }

    fn refused(text: &str, why: &str) {
        let finding = judged(text);
        assert_eq!(finding.outcome(), Outcome::Fail, "{}", finding.because());
        assert!(finding.because().contains(why), "{}", finding.because());
    }

    #[test]
    fn a_waiver_in_force_that_covers_an_exception_passes() {
        let finding = judged(&row(&vault_id("KV1"), DAYS));
        assert_eq!(finding.because(), "accepted by `Grace` until 2026-12-31; it covers 1 exception");
        assert_eq!(finding.outcome(), Outcome::Pass);
        assert!(finding.evidence().iter().any(|cite| cite.place() == "declared/waivers.toml#/waiver/0"));
    }

    #[test]
    fn what_ended_is_self_approved_or_covers_nothing_is_an_exception() {
        let one = vault_id("kv1");
        refused(&row(&one, "created = 2025-01-10\nexpires = 2025-12-31\n"), "it ended with 2025-12-31");
        refused(&row(&one, "created = 2027-01-10\nexpires = 2027-12-31\n"), "after the deviation was seen");
        refused(&row(&one, DAYS).replace("\"Grace\"", "\" ADA\""), "its owner `Ada` approved it");
        refused(&row(&one, DAYS).replace("kv-002", "KV-000"), "there is no check `KV-000`");
        refused(&row(&one, DAYS).replace("kv-002", "PACK-004"), "cannot be waived");
        refused(&row(&vault_id("kv3"), DAYS), "it covers no exception");
        refused(&row(&one, &format!("{DAYS}evidence = [\"at-0009\"]\n")), "`at-0009` is neither");
    }

    #[test]
    fn a_pattern_needs_a_bound_and_keeps_it() {
        let pattern = vault_id("*");
        refused(&row(&pattern, DAYS), "`at_most` does not say");
        refused(&row(&pattern, &format!("{DAYS}at_most = 1\n")), "covers 2 exceptions, more than its 1");
        assert_eq!(judged(&row(&pattern, &format!("{DAYS}at_most = 2\n"))).outcome(), Outcome::Pass);
    }

    #[test]
    fn what_could_not_be_judged_leaves_a_waiver_that_covers_nothing_open() {
        let denied = base().denied(Kind::Vaults, SUB);
        let text = row(&vault_id("kv1"), DAYS);
        let findings = findings_declared(&CHECK, denied, &[("waivers.toml", &text)]);
        assert_eq!(only(&findings).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn no_waiver_is_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, tenant())).outcome(), Outcome::NotApplicable);
    }
}
