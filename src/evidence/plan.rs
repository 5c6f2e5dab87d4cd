//! `plan.json`: what was to be asked, fixed before the first request.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Kind, Period, PersonalData};

/// The plan of one capture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Plan {
    /// Always `tickmark.plan/v1`.
    pub schema: String,
    /// Entra tenant.
    pub tenant_id: String,
    /// Period of the questions about logs.
    pub period: Period,
    /// When the plan was written, local clock, UTC.
    pub written_at: DateTime<Utc>,
    /// What the configuration expects to exist.
    pub expected: Expected,
    /// What is kept of personal data.
    #[serde(default)]
    pub personal_data: PersonalData,
    /// Where lists of vaults' contents come from.
    #[serde(default)]
    pub vault_objects: VaultObjects,
    /// Versions that are asked first, in place of the program's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub api_versions: BTreeMap<Kind, String>,
    /// Questions known before the first answer.
    pub questions: Vec<Question>,
    /// Questions that follow from answers: one for each thing found.
    pub derived: Vec<Derived>,
}

/// What the configuration expects to exist, so that a miss is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Expected {
    /// Subscription GUIDs; empty means all that are visible.
    pub subscriptions: Vec<String>,
    /// Names of management groups.
    pub management_groups: Vec<String>,
    /// Workspace GUIDs; empty means those that diagnostic settings name.
    pub workspaces: Vec<String>,
}

/// Where lists of keys, secrets and certificates come from. Neither list holds a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaultObjects {
    /// Resource Manager: keys and secrets, with a reader's role.
    #[default]
    Arm,
    /// The vault itself: certificates and deleted objects too, with a role on the vault's data. Resource Manager is
    /// asked about vaults that refuse.
    DataPlane,
}

/// One question: a kind at a scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What is asked.
    pub kind: Kind,
    /// Where.
    pub scope: String,
}

/// A rule that makes questions out of answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Derived {
    /// What is asked.
    pub kind: Kind,
    /// For each of what, in words.
    pub for_each: String,
}
