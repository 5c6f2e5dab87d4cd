//! One control out of its checks' findings.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Conclusion, ControlResult, Counts};
use crate::check::Finding;
use crate::control::Control;
use crate::declared::Declared;

/// Concludes one control: any fail → exceptions; else anything not evaluated, or no finding at all → not
/// evaluated; else anything manual → awaits a person; else any pass → no exceptions; else not applicable. What was set
/// for parameters of NIST controls is that of the moment `at`.
pub(crate) fn judge(
    control: &Control,
    findings: &[Arc<Finding>],
    declared: &Declared,
    at: DateTime<Utc>,
) -> ControlResult {
    let mut counts = Counts::default();
    let mut heard = std::collections::BTreeSet::new();
    for finding in findings.iter().filter(|finding| control.checks.iter().any(|check| check == finding.check())) {
        heard.insert(finding.check());
        counts.add(finding.outcome(), finding.accepted().is_some());
    }
    let all_heard = control.checks.iter().all(|check| heard.contains(check.as_str()));
    let conclusion = conclusion(&counts, all_heard && !control.checks.is_empty());
    let of_control = declared.attached.iter().filter(|attached| attached.control.eq_ignore_ascii_case(&control.id));
    let set = declared.registers.parameters.iter().flat_map(|register| register.in_force(at));
    let set = set.filter(|row| row.says.cited_by.contains(&control.id));
    ControlResult {
        control: control.clone(),
        conclusion,
        counts,
        attached: of_control.cloned().collect(),
        parameters: set.cloned().collect(),
    }
}

/// How findings conclude; `is_whole` says that each check that should speak did.
pub(super) fn conclusion(counts: &Counts, is_whole: bool) -> Conclusion {
    if counts.fail > 0 {
        Conclusion::Exceptions
    } else if counts.not_evaluated > 0 || !is_whole {
        Conclusion::NotEvaluated
    } else if counts.manual > 0 {
        Conclusion::AwaitsPerson
    } else if counts.pass > 0 {
        Conclusion::NoExceptions
    } else {
        Conclusion::NotApplicable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Outcome, about};
    use crate::evidence::{Cite, Reason};
    use crate::model::Id;

    fn control(checks: &[&str]) -> Control {
        Control {
            id: "TM-01".to_owned(),
            title: String::new(),
            says: String::new(),
            criteria: Vec::new(),
            nist: Vec::new(),
            checks: checks.iter().map(|check| (*check).to_owned()).collect(),
            by_hand: Vec::new(),
            proves: String::new(),
            does_not_show: String::new(),
            narrative: String::new(),
            shows: Vec::new(),
        }
    }

    fn concluded(outcomes: &[Outcome]) -> Conclusion {
        let findings: Vec<Arc<Finding>> = outcomes
            .iter()
            .map(|outcome| {
                let on = about("vault", &Id::new("/v"), "v", &Cite::of_record("ev-0001"));
                let finding = match outcome {
                    Outcome::Pass => on.pass("p"),
                    Outcome::Fail => on.fail("f"),
                    Outcome::NotApplicable => on.not_applicable("n"),
                    Outcome::Manual => on.manual("m"),
                    Outcome::NotEvaluated => on.not_evaluated(Reason::Forbidden, "x"),
                };
                Arc::new(finding.of_check("KV-002"))
            })
            .collect();
        judge(&control(&["KV-002"]), &findings, &Declared::default(), DateTime::UNIX_EPOCH).conclusion
    }

    #[test]
    fn the_worst_that_was_seen_decides() {
        use Outcome::{Fail, Manual, NotApplicable, NotEvaluated, Pass};
        assert_eq!(concluded(&[Pass, NotEvaluated, Manual, Fail]), Conclusion::Exceptions);
        assert_eq!(concluded(&[Pass, NotEvaluated, Manual]), Conclusion::NotEvaluated);
        assert_eq!(concluded(&[Pass, Manual, NotApplicable]), Conclusion::AwaitsPerson);
        assert_eq!(concluded(&[Pass, NotApplicable]), Conclusion::NoExceptions);
        assert_eq!(concluded(&[NotApplicable]), Conclusion::NotApplicable);
        assert_eq!(concluded(&[]), Conclusion::NotEvaluated, "silence is never a pass");
    }

    #[test]
    fn a_check_that_said_nothing_keeps_its_control_open() {
        let on = about("vault", &Id::new("/v"), "v", &Cite::of_record("ev-0001"));
        let findings = [Arc::new(on.pass("p").of_check("KV-002"))];
        assert_eq!(
            judge(&control(&["KV-002", "KV-004"]), &findings, &Declared::default(), DateTime::UNIX_EPOCH).conclusion,
            Conclusion::NotEvaluated
        );
    }

    #[test]
    fn what_is_set_for_a_nist_control_stands_where_that_is_cited_and_as_long_as_it_is_in_force() {
        let text =
            "[[parameter]]\ncontrol = \"AC-2(3)\"\nparameter = \"time\"\nvalue = \"90 days\"\nuntil = 2026-12-31\n";
        let files = [("registers/parameters.toml".to_owned(), text.as_bytes().to_vec())];
        let declared = Declared::read(files.into()).expect("a register");
        let controls = crate::control::embedded(|_| true).expect("controls");
        let at = |day: &str| -> Vec<String> {
            let at = format!("{day}T09:00:00Z").parse().expect("a time");
            let having = controls.iter().map(|control| judge(control, &[], &declared, at));
            having.filter(|result| !result.parameters.is_empty()).map(|result| result.control.id).collect()
        };
        let citing: Vec<String> = controls
            .iter()
            .filter(|control| control.nist.iter().any(|id| id == "AC-2(3)"))
            .map(|control| control.id.clone())
            .collect();
        assert!(!citing.is_empty() && citing.len() < controls.len());
        assert_eq!((at("2026-10-02"), at("2027-01-01")), (citing, Vec::new()));
    }
}
