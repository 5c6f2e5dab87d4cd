//! PACK-003: this pack follows the one before, without a day between and without a day twice.

use super::{Check, Facts, Finding, Nature, Severity, about};
use crate::evidence::{Cite, Entry, Event, Kind};
use crate::model::Id;

pub(super) const CHECK: Check = Check {
    id: "PACK-003",
    title: "The period follows that of the pack before, and the chain to it is intact",
    severity: Severity::High,
    nature: Nature::Operating,
    asks: "The last line of the ledger that says that a pack of this tenant was sealed, with the digest of its signed \
           statement, and its period against this one: it must end where this one begins. A gap and an overlap are \
           exceptions. A period that was sealed before awaits a person, who says why it is sealed again. Every line of \
           the ledger holds the digest of the line before; one that does not is refused when the ledger is read.",
    blind_to: "Packs that were sealed with another store; whether the pack before is at hand and whole, which \
               `tickmark verify` tells; a store that was replaced as a whole. Let the auditor keep the digest of each \
               statement.",
    fix: "Collect the missing period while the logs keep it, or record why there is no pack of it and a waiver; keep the \
          store, and its ledger, in one place under version control or on storage that cannot be changed.",
    needs: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let records: Vec<Cite> = facts.records_of(Kind::Subscriptions);
    let Some(first) = records.first() else { return Vec::new() };
    let sealed = facts
        .ledger
        .iter()
        .filter(|entry| entry.event == Event::Sealed && entry.tenant_id.eq_ignore_ascii_case(&facts.tenant.id));
    let sealed: Vec<&Entry> = sealed.collect();
    let on = about("chain", &Id::new(facts.tenant.id.clone()), "the chain of packs", first);
    let others = sealed.iter().filter(|entry| entry.period != facts.period);
    let before = others.max_by_key(|entry| entry.sequence);
    let again = sealed.iter().rev().find(|entry| entry.period == facts.period);
    if let Some(entry) = sealed.iter().find(|entry| entry.statement_sha256.is_none() || entry.pack_id.is_none()) {
        return vec![on.fail(format!(
            "line {} of the ledger seals a pack and does not name it or its statement",
            entry.sequence
        ))];
    }
    let Some(before) = before else {
        return vec![match again {
            Some(entry) => {
                on.manual(format!("{} has this period already; a person must say why it is sealed again", named(entry)))
            }
            None => on.not_applicable("the ledger tells of no pack before: this one begins the chain"),
        }];
    };
    let (end, start) = (before.period.end, facts.period.start);
    vec![if end < start {
        let days = (start - end).num_days();
        on.fail(format!("{} ends with {}, {days} days before this period begins", named(before), before.period))
    } else if before.period.overlap(&facts.period).is_some() {
        on.fail(format!("{} has the period {}, which overlaps this one", named(before), before.period))
    } else if end > start {
        on.fail(format!("{} has the period {}, which is later than this one", named(before), before.period))
    } else if let Some(entry) = again {
        on.manual(format!("{} has this period already; a person must say why it is sealed again", named(entry)))
    } else {
        on.pass(format!("it follows {} with the period {}", named(before), before.period))
    }]
}

/// A pack of the ledger, for a reader.
fn named(entry: &Entry) -> String {
    let (pack, statement) = (entry.pack_id.as_deref(), entry.statement_sha256.as_deref());
    format!("pack `{}` (statement {})", pack.unwrap_or("not named"), statement.unwrap_or("not named"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use crate::check::testing::base;
    use crate::check::{Outcome, Parameters, runner};
    use crate::declared::Declared;
    use crate::evidence::Period;
    use crate::evidence::testing::{CaptureBuilder, TENANT};
    use crate::model;

    fn entry(sequence: u64, event: Event, period: &str) -> Entry {
        let period = Period::parse(period).expect("a period");
        Entry {
            sequence,
            at: period.end,
            event,
            run_id: String::new(),
            capture_id: String::new(),
            tenant_id: TENANT.to_uppercase(),
            period,
            plan_sha256: None,
            statement_sha256: Some(format!("digest-{sequence}")),
            pack_id: Some(format!("pack-{sequence}")),
            note: None,
            previous_sha256: String::new(),
        }
    }

    /// The one finding about 2026Q3 with this ledger.
    fn judged_of(builder: CaptureBuilder, ledger: &[Entry]) -> Finding {
        let tenant = model::read(&builder.build()).expect("a tenant");
        let (access, parameters, declared) = (Access::of(&tenant), Parameters::default(), Declared::default());
        let period = Period::parse("2026Q3").expect("a period");
        let facts =
            Facts { tenant: &tenant, access: &access, period, parameters: &parameters, declared: &declared, ledger };
        crate::check::testing::only(&runner::run(&CHECK, &facts)).clone()
    }

    fn judged(ledger: &[Entry]) -> Finding {
        judged_of(base(), ledger)
    }

    #[test]
    fn a_period_that_follows_passes_whatever_happened_between() {
        let finding = judged(&[
            entry(1, Event::Sealed, "2026Q1"),
            entry(2, Event::Sealed, "2026Q2"),
            entry(3, Event::Started, "2026Q3"),
        ]);
        let because = "it follows pack `pack-2` (statement digest-2) with the period 2026-04-01..2026-06-30";
        assert_eq!((finding.outcome(), finding.because()), (Outcome::Pass, because));
    }

    #[test]
    fn a_gap_an_overlap_and_a_later_pack_fail() {
        for (period, says) in [
            ("2026Q1", "ends with 2026-01-01..2026-03-31, 91 days before this period begins"),
            ("2026-04-01..2026-07-01", "which overlaps this one"),
            ("2026", "which overlaps this one"),
            ("2026Q4", "which is later than this one"),
        ] {
            let finding = judged(&[entry(1, Event::Sealed, period)]);
            assert_eq!(finding.outcome(), Outcome::Fail, "{period}");
            assert!(finding.because().contains(says), "{finding:?}");
        }
    }

    #[test]
    fn the_same_period_again_awaits_a_person() {
        let again = judged(&[entry(1, Event::Sealed, "2026Q2"), entry(2, Event::Sealed, "2026Q3")]);
        assert_eq!(again.outcome(), Outcome::Manual);
        assert_eq!(judged(&[entry(1, Event::Sealed, "2026Q3")]).outcome(), Outcome::Manual);
    }

    #[test]
    fn a_line_that_does_not_name_its_statement_fails() {
        let broken = Entry { statement_sha256: None, ..entry(1, Event::Sealed, "2026Q2") };
        assert_eq!(
            judged(&[broken]).because(),
            "line 1 of the ledger seals a pack and does not name it or its statement"
        );
    }

    #[test]
    fn the_first_pack_has_none_before_it() {
        assert_eq!(judged(&[]).outcome(), Outcome::NotApplicable);
        assert_eq!(judged(&[entry(1, Event::Failed, "2026Q2")]).outcome(), Outcome::NotApplicable);
        let other = Entry { tenant_id: "other".to_owned(), ..entry(1, Event::Sealed, "2026Q1") };
        assert_eq!(judged(&[other]).outcome(), Outcome::NotApplicable, "another tenant's");
        assert_eq!(judged_of(CaptureBuilder::default(), &[]).outcome(), Outcome::NotEvaluated);
    }
}
