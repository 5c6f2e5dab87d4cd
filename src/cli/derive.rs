//! The pure part of the job: from a capture and the inputs to everything that is rendered. Assessing, sealing and
//! re-performing are the same call.

use super::CliError;
use crate::assess::{Assessment, Inputs, assess};
use crate::check::{CHECKS, find};
use crate::collect;
use crate::control::{self, Control};
use crate::evidence::{Capture, Entry, sha256_hex};
use crate::{model, render};

/// Judges a capture. The facts of a large tenant are not held while the report is made.
pub(super) fn derive(capture: &Capture, inputs: Inputs, ledger: Vec<Entry>) -> Result<Assessment, CliError> {
    let controls = controls()?;
    refuse_lost_records(&inputs, &controls)?;
    let tenant = model::read(capture)?;
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

/// The controls that this build carries.
pub(super) fn controls() -> Result<Vec<Control>, CliError> {
    Ok(control::embedded(|id| find(id).is_some())?)
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
