//! PACK-005: what the organisation sets for parameters of NIST controls is in force, and belongs to a control here.

use super::registers::{Known, of_rows};
use super::{Check, Facts, Finding, Nature, Severity, about};
use crate::declared::{Parameter, Row, Standing};
use crate::model::Id;

pub(super) const CHECK: Check = Check {
    id: "PACK-005",
    title: "Values that the organisation sets for parameters of NIST controls are in force, each for a control here",
    severity: Severity::Low,
    nature: Nature::Design,
    asks: "Every row of `registers/parameters.toml`: whether it is in force on the day of the collection, and whether a \
           control of this report cites the NIST SP 800-53 control that it names. A row that ended is an exception; one \
           for a control that none cites awaits a person. Rows in force are shown at the controls that cite them.",
    blind_to: "Whether the value is a good one, whether NIST's control has such a parameter, and whether Azure is set to \
               it: the thresholds of the checks are `[parameters]` of the configuration, and a person must hold the two \
               together.",
    fix: "Edit `registers/parameters.toml`: give a row that ended a new last day after it was approved again, or take it \
          out; correct the id of the NIST control as the report writes it, such as `AC-2(3)`.",
    needs: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(register) = &facts.declared.registers.parameters else { return Vec::new() };
    let label = |row: &Parameter| format!("{} {}", row.control.as_str(), row.parameter.as_str());
    let known = |row: &Row<Parameter>| match row.says.cited_by.is_empty() {
        true => Known::Unused(format!("no control of this report cites `{}`", row.says.control.as_str())),
        false => Known::Matches,
    };
    let mut findings = of_rows(facts, register, label, known);
    for row in register.in_force(facts.tenant.collected_at).filter(|row| !row.says.cited_by.is_empty()) {
        let on = about("register_row", &Id::new(row.place()), &label(&row.says), &row.from);
        let cited = row.says.cited_by.join(", ");
        findings.push(on.pass(format!("it is set to `{}`, and stands at {cited}", row.says.value.as_str())));
    }
    for row in register.rows.iter().filter(|row| is_to_come(facts, row)) {
        let on = about("register_row", &Id::new(row.place()), &label(&row.says), &row.from);
        findings.push(on.not_applicable("it begins after the day of the collection"));
    }
    findings
}

fn is_to_come(facts: &Facts<'_>, row: &Row<Parameter>) -> bool {
    matches!(row.standing(facts.tenant.collected_at), Standing::NotYet(_))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::check::testing::{base, findings_declared, findings_of, only};
    use crate::check::{Finding, Outcome};

    fn judged(control: &str, further: &str) -> Finding {
        let text = format!(
            "[[parameter]]\ncontrol = \"{control}\"\nparameter = \"time period\"\nvalue = \"90 days\"\n{further}"
        );
        only(&findings_declared(&CHECK, base(), &[("registers/parameters.toml", &text)])).clone()
    }

    #[test]
    fn a_row_in_force_for_a_control_here_passes_and_names_it() {
        for id in ["AC-2(3)", "ac-2(3)"] {
            let finding = judged(id, "until = 2026-12-31\n");
            assert_eq!(finding.outcome(), Outcome::Pass);
            assert!(
                finding.because().starts_with("it is set to `90 days`, and stands at TM-"),
                "{}",
                finding.because()
            );
        }
    }

    #[test]
    fn a_row_that_ended_fails_and_one_that_nobody_cites_awaits_a_person() {
        assert_eq!(judged("AC-2(3)", "until = 2026-09-30\n").outcome(), Outcome::Fail);
        let finding = judged("AC-99", "");
        assert_eq!(finding.outcome(), Outcome::Manual);
        assert!(finding.because().contains("no control of this report cites `AC-99`"), "{}", finding.because());
        assert_eq!(judged("AC-99", "until = 2026-09-30\n").outcome(), Outcome::Fail);
    }

    #[test]
    fn a_row_that_has_not_begun_and_no_register_do_not_apply() {
        assert_eq!(judged("AC-2(3)", "since = 2026-11-01\n").outcome(), Outcome::NotApplicable);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
        let empty = findings_declared(&CHECK, base(), &[("registers/parameters.toml", "")]);
        assert_eq!(only(&empty).outcome(), Outcome::NotApplicable);
    }
}
