//! Thresholds of checks, by name, with their defaults.

use serde::{Deserialize, Serialize};

/// `[parameters]` of the configuration; kept in the pack, so that a re-performance uses the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// APP-003: longest life of a secret or certificate of an application, days.
    pub credential_days: i64,
    /// NHI-002: resources that carry one of these values in the tag `env` or `environment` must use a managed
    /// identity; empty means that every workload is in scope.
    pub workload_environments: Vec<String>,
    /// NHI-003: an identity attached to more resources than this needs a register entry with a reason.
    pub sharing_limit: usize,
    /// NHI-004: days that an identity may stay unattached.
    pub unattached_days: i64,
    /// NHI-005: most resources that may carry one user-assigned identity.
    pub shared_identity_limit: usize,
    /// NHI-006: days that an assignment may outlive its identity.
    pub orphan_days: i64,
    /// NHI-011: days without a sign-in after which an identity with a role is dormant.
    pub dormant_days: i64,
    /// CRY-001: oldest age of the newest version of a secret, days.
    pub secret_days: i64,
    /// KV-006: fewest days of soft-delete retention.
    pub soft_delete_days: i64,
    /// KV-007: networks (CIDR) that vaults may accept.
    pub approved_networks: Vec<String>,
    /// LOG-003: days that logs must outlive the period.
    pub retention_margin_days: i64,
    /// EVT-001: longest silence of a vault's log in hours.
    pub gap_hours: i64,
    /// EVT-001: a vault with fewer log rows per day than this, on average, is low traffic.
    pub expected_rows_per_day: u64,
    /// EVT-004: denied reads by one caller that is not known to the directory, from which on they are an exception.
    pub unknown_denials: u64,
    /// EVT-005: seconds between a handshake (401) and the call that follows it.
    pub handshake_seconds: i64,
    /// EVT-005: unanswered handshakes per address and day, from which on they are an exception.
    pub unanswered_handshakes: u64,
    /// PRB-004: most minutes between a call as recorded and its row in the log, and fewest from a call to the collection.
    pub probe_minutes: i64,
    /// RBAC-009, EVT-006: values of the tag `env` or `environment` that mean production; empty means that every vault is.
    pub production_environments: Vec<String>,
    /// RBAC-014: days without a read from which on access counts as unused.
    pub unused_days: i64,
    /// EVT-007: lists of a vault's contents by one workload within an hour, beyond which they are an exception.
    pub bulk_lists: usize,
    /// PIM-004, PIM-005: longest activation, minutes.
    pub activation_minutes: i64,
    /// LOG-009: operations of the activity log that must raise an alert.
    pub alerted_operations: Vec<String>,
    /// RBAC-013: items of the sample of grants and removals.
    pub sample_size: usize,
    /// RBAC-013: what the sample is drawn with; for the auditor to choose.
    pub sample_seed: String,
}

/// LOG-009: what gives access to vaults, changes or deletes them, or takes their logs away.
const ALERTED: &[&str] = &[
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.KeyVault/vaults/write",
    "Microsoft.KeyVault/vaults/delete",
    "Microsoft.KeyVault/vaults/accessPolicies/write",
    "Microsoft.Insights/diagnosticSettings/delete",
];

impl Default for Parameters {
    fn default() -> Parameters {
        Parameters {
            credential_days: 180,
            workload_environments: Vec::new(),
            sharing_limit: 1,
            unattached_days: 30,
            shared_identity_limit: 10,
            orphan_days: 7,
            dormant_days: 90,
            secret_days: 365,
            soft_delete_days: 7,
            approved_networks: Vec::new(),
            retention_margin_days: 30,
            gap_hours: 24,
            expected_rows_per_day: 24,
            unknown_denials: 3,
            handshake_seconds: 60,
            unanswered_handshakes: 20,
            probe_minutes: 60,
            production_environments: Vec::new(),
            unused_days: 90,
            bulk_lists: 20,
            activation_minutes: 120,
            alerted_operations: ALERTED.iter().map(|operation| (*operation).to_owned()).collect(),
            sample_size: 25,
            sample_seed: String::new(),
        }
    }
}
