//! One control out of its checks' findings.

use super::{Conclusion, ControlResult, Counts};
use crate::check::{Finding, Outcome};
use crate::control::Control;

/// Concludes one control: any fail → exceptions; else anything not evaluated, or no finding at all → not
/// evaluated; else anything manual → awaits a person; else any pass → no exceptions; else not applicable.
pub(crate) fn judge(control: &Control, findings: &[Finding]) -> ControlResult {
    let mut counts = Counts::default();
    let mut heard = std::collections::BTreeSet::new();
    for finding in findings.iter().filter(|finding| control.checks.iter().any(|check| check == finding.check())) {
        heard.insert(finding.check());
        match finding.outcome() {
            Outcome::Pass => counts.pass += 1,
            Outcome::Fail => counts.fail += 1,
            Outcome::NotApplicable => counts.not_applicable += 1,
            Outcome::Manual => counts.manual += 1,
            Outcome::NotEvaluated => counts.not_evaluated += 1,
        }
    }
    let all_heard = control.checks.iter().all(|check| heard.contains(check.as_str()));
    let conclusion = if counts.fail > 0 {
        Conclusion::Exceptions
    } else if counts.not_evaluated > 0 || !all_heard || control.checks.is_empty() {
        Conclusion::NotEvaluated
    } else if counts.manual > 0 {
        Conclusion::AwaitsPerson
    } else if counts.pass > 0 {
        Conclusion::NoExceptions
    } else {
        Conclusion::NotApplicable
    };
    ControlResult { control: control.clone(), conclusion, counts }
}
