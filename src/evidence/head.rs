//! `capture.json`: who collected, when, from where, and with what.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::capture::{LARGEST_RECORD, Place};
use super::{EvidenceError, Period};

/// The head of a capture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Head {
    /// Always `tickmark.capture/v1`.
    pub schema: String,
    /// Name of the capture's folder; unique in its store.
    pub capture_id: String,
    /// Id of the run, also in the ledger.
    pub run_id: String,
    /// Entra tenant, as configured.
    pub tenant_id: String,
    /// Name of the cloud: `public`, `usgov`, `usgov_dod`, `china`, `custom`.
    pub cloud: String,
    /// The period that the questions about logs were asked for.
    pub period: Period,
    /// Local clock at the start, UTC.
    pub started_at: DateTime<Utc>,
    /// Local clock at the end, UTC; absent while running and after an interruption.
    pub ended_at: Option<DateTime<Utc>>,
    /// Whether the run reached its end.
    pub status: CaptureStatus,
    /// The identity that asked.
    pub run_as: RunAs,
    /// The program that asked.
    pub tool: Tool,
    /// True when the answers came from a recording and not from Azure.
    pub replayed: bool,
    /// When and with what the run was continued after an interruption; empty for a run in one go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<Resumed>,
    /// Time-stamps that were asked for over `plan.json`, before the first question was put.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan_stamps: Vec<PlanStamp>,
}

/// What one time-stamping authority said about the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PlanStamp {
    /// Address of the authority.
    pub authority: String,
    /// The time in its token, before which the plan was as it is; none when there is no token.
    pub at: Option<DateTime<Utc>>,
    /// Why there is no token.
    pub failed: Option<String>,
}

/// Name of a token over the plan, counted from 0, beside `plan.json`: `plan.tsr`, `plan.tsr.2`, …
pub fn plan_token_name(index: usize) -> String {
    if index == 0 { "plan.tsr".to_owned() } else { format!("plan.tsr.{}", index + 1) }
}

/// One continuation of a run that was interrupted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Resumed {
    /// Local clock, UTC.
    pub at: DateTime<Utc>,
    /// The program that continued it.
    pub tool: Tool,
}

impl Head {
    /// Names of the tokens over the plan that are kept beside it.
    pub fn plan_tokens(&self) -> Vec<String> {
        let tokens = self.plan_stamps.iter().filter(|stamp| stamp.at.is_some()).count();
        (0..tokens).map(plan_token_name).collect()
    }

    /// Reads the head of the capture in `folder`.
    pub fn open(folder: &Path) -> Result<Head, EvidenceError> {
        if !folder.join("capture.json").is_file() {
            return Err(EvidenceError::NoCapture { path: folder.to_owned() });
        }
        Place::Folder(folder.to_owned()).json("capture.json", LARGEST_RECORD)
    }
}

/// Whether a run reached its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureStatus {
    /// Questions are still being put, or the run died.
    Running,
    /// Every question of the plan was answered or ended as a gap.
    Complete,
    /// Stopped on request before the end.
    Interrupted,
}

/// The identity that collected: facts about its token, never the token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RunAs {
    /// Which credential was used: `azure_cli`, `managed_identity`, `recording`, …
    pub credential: String,
    /// `oid` claim.
    pub object_id: Option<String>,
    /// `appid` or `azp` claim.
    pub app_id: Option<String>,
    /// `tid` claim.
    pub tenant_id: Option<String>,
    /// `idtyp` claim: `app` or `user`.
    pub token_type: Option<String>,
    /// `xms_mirid` claim: ARM id of the managed identity.
    pub managed_identity: Option<String>,
}

/// The program that made or judged the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Tool {
    /// `tickmark`.
    pub name: String,
    /// Version of the package.
    pub version: String,
    /// SHA-256 over the checks' words, the controls, the queries and the templates that this build carries.
    pub rule_set_sha256: String,
}
