//! The checks: one file a check, named by its id, and the table of them all.
//!
//! A check is a value and a pure function from facts to findings. [`run_all`] settles what no check may decide
//! for itself: a list that was not read whole is never an empty population, and a pass that needed something
//! unread is not a pass.

mod callers;
mod evt_001_log_covers_period;
mod evt_002_read_population;
mod evt_003_reads_by_known_identities;
mod evt_004_denied_reads;
mod evt_005_handshakes;
mod finding;
mod log_001_audit_events_sent;
mod log_002_destination_exists;
mod log_003_retention_covers_period;
mod logs;
mod parameters;
mod people;
mod runner;
#[cfg(test)]
mod testing;

use crate::access::Access;
use crate::evidence::{Kind, Period};
use crate::model::{Need, Reach, Tenant};

pub use finding::{About, Finding, Outcome, Subject, about};
pub use parameters::Parameters;
pub use runner::run_all;

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Fixed id, `RBAC-007`.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// How much a failure matters.
    pub severity: Severity,
    /// Whether it speaks of a state or of a period.
    pub nature: Nature,
    /// What is asked and how, for an auditor.
    pub asks: &'static str,
    /// What it cannot see, for an auditor.
    pub blind_to: &'static str,
    /// How to fix a failure, for an engineer: portal, az, Bicep or Terraform.
    pub fix: &'static str,
    /// What must have been read, and how far.
    pub needs: &'static [Need],
    /// The judgement.
    pub run: fn(&Facts<'_>) -> Vec<Finding>,
}

/// How much a failure matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For information.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// The word in reports and exports.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// Whether a check speaks of a state or of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// A state at the time of collection.
    Design,
    /// Operation over the period.
    Operating,
}

impl Nature {
    /// The word in reports and exports.
    pub fn word(self) -> &'static str {
        match self {
            Nature::Design => "design",
            Nature::Operating => "operating",
        }
    }
}

/// What a check may look at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The tenant.
    pub tenant: &'a Tenant,
    /// Who can do what.
    pub access: &'a Access,
    /// The period under examination.
    pub period: Period,
    /// Thresholds.
    pub parameters: &'a Parameters,
}

/// A need for the list that the subjects come from.
const fn population(kind: Kind) -> Need {
    Need { kind, reach: Reach::Population }
}

/// A need for the questions whose scope holds the subject.
const fn own(kind: Kind) -> Need {
    Need { kind, reach: Reach::Own }
}

/// A need for every question of a kind.
const fn whole(kind: Kind) -> Need {
    Need { kind, reach: Reach::Whole }
}

/// Every check, in the order of the report.
pub const CHECKS: &[&Check] = &[
    &log_001_audit_events_sent::CHECK,
    &log_002_destination_exists::CHECK,
    &log_003_retention_covers_period::CHECK,
    &evt_001_log_covers_period::CHECK,
    &evt_002_read_population::CHECK,
    &evt_003_reads_by_known_identities::CHECK,
    &evt_004_denied_reads::CHECK,
    &evt_005_handshakes::CHECK,
];

/// The check with this id, compared without case.
pub fn find(id: &str) -> Option<&'static Check> {
    CHECKS.iter().copied().find(|check| check.id.eq_ignore_ascii_case(id))
}
