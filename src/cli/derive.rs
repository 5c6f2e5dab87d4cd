//! The pure part of the job: from a capture and the inputs to everything that is rendered. Assessing, sealing and
//! re-performing are the same call.

use super::CliError;
use crate::assess::{Assessment, Inputs, assess};
use crate::check::{CHECKS, all_checks, find};
use crate::collect;
use crate::control::{self, Control, ControlError, Mistake};
use crate::declared::{CustomCheck, Declared, uncited};
use crate::evidence::{Capture, Entry, sha256_hex};
use crate::{model, render};

/// Judges a capture. The facts of a large tenant are not held while the report is made.
pub(super) fn derive(capture: &Capture, inputs: Inputs, ledger: Vec<Entry>) -> Result<Assessment, CliError> {
    let controls = controls(&inputs.declared)?;
    refuse_lost_records(&inputs, &controls)?;
    let tenant = model::read_keeping(capture, &inputs.declared.kinds())?;
    Ok(assess(inputs, capture, tenant, &controls, ledger))
}

/// Refuses a record that was attached for a control that is not there.
pub(super) fn refuse_lost_records(inputs: &Inputs, controls: &[Control]) -> Result<(), CliError> {
    let is_control = |id: &str| controls.iter().any(|control| control.id.eq_ignore_ascii_case(id));
    let Some(lost) = inputs.declared.attached.iter().find(|attached| !is_control(&attached.control)) else {
        return Ok(());
    };
    let place = format!("attached/{}/record.toml", lost.id);
    Err(CliError::Use(format!(
        "`{place}` is for the control `{}`, and there is none\n`tickmark list` names the controls; correct the record",
        lost.control
    )))
}

/// The controls that this build carries, then the organisation's own.
pub(super) fn controls(declared: &Declared) -> Result<Vec<Control>, CliError> {
    let mut controls = control::embedded(|id| find(id).is_some())?;
    controls.extend(custom_controls(declared)?);
    Ok(controls)
}

/// Controls that the organisation has written. A check of its own that none of them cites is one by itself, under the
/// criteria that its file names.
pub(super) fn custom_controls(declared: &Declared) -> Result<Vec<Control>, ControlError> {
    let mut controls =
        control::custom(declared.control_files(), |id| all_checks(declared).any(|check| check.id == id))?;
    let mut mistakes = Vec::new();
    for own in uncited(&declared.checks, &controls) {
        if own.criteria.is_empty() && own.nist.is_empty() {
            let what =
                format!("no control cites `{}`, and it names no criterion itself: it would speak for nothing", own.id);
            mistakes.push(Mistake::at(own.from.page(), "", &(0..0), what));
        }
        controls.push(by_itself(own));
    }
    if mistakes.is_empty() { Ok(controls) } else { Err(ControlError { mistakes }) }
}

/// A check as the one that speaks for a control of its name.
fn by_itself(own: &CustomCheck) -> Control {
    Control {
        id: own.id.clone(),
        title: own.title.clone(),
        says: format!("{}.", own.title),
        criteria: own.criteria.clone(),
        nist: own.nist.clone(),
        checks: vec![own.id.clone()],
        by_hand: Vec::new(),
        proves: "Whether each clause of a check that the organisation has written held in the records that were kept, \
                 one by one for everything that the check asks about."
            .to_owned(),
        does_not_show: own.blind_to.clone(),
        narrative: String::new(),
        shows: Vec::new(),
    }
}

/// Digest over everything that a result depends on beside code: words of the checks, controls, queries, templates.
pub(super) fn rule_set_sha256() -> String {
    let mut bytes = Vec::new();
    for check in CHECKS {
        for text in
            [check.id, check.title, check.severity.word(), check.nature.word(), check.asks, check.blind_to, check.fix]
        {
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(0);
        }
    }
    bytes.extend(control::rule_set_bytes());
    for (name, query) in collect::queries() {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(query.as_bytes());
    }
    bytes.extend(render::rule_set_bytes());
    sha256_hex(&bytes)
}
