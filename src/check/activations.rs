//! Activations of roles in the period, and since when the list of them is known to be whole.
//!
//! Privileged Identity Management does not say how long it lists past requests; its own history shows 30 days
//! (learn:entra/id-governance/privileged-identity-management/azure-pim-resource-rbac). Beyond that the list is taken
//! for whole only where the directory's audit log of the period is in a workspace, whose rows of activations it is
//! then held against.

use chrono::{DateTime, TimeDelta, Utc};

use super::Facts;
use super::log_reach::{AUDIT, directory_shows};
use crate::evidence::Cite;
use crate::model::{DirectoryChange, RoleRequest};

/// So long the history of activations is kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// A request and the row that tells of its completion lie no further apart: an approval may take a day.
const SAME_REQUEST: TimeDelta = TimeDelta::days(1);

/// A role that its holder made active.
#[derive(Clone, Copy, Debug)]
pub(super) struct Activation<'a> {
    /// The request.
    pub request: &'a RoleRequest,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when, where an end or a length was asked for.
    pub until: Option<DateTime<Utc>>,
}

/// Activations by request that took effect, or of which it is not known that they did not, in order of time.
pub(super) fn activations<'a>(facts: &Facts<'a>) -> Vec<Activation<'a>> {
    let requests = facts.tenant.authorization.active_requests.iter();
    let mut found: Vec<Activation<'a>> =
        requests.filter(|request| is_activation(request)).filter_map(activation).collect();
    found.sort_by(|a, b| (a.from, &a.request.id).cmp(&(b.from, &b.request.id)));
    found
}

fn activation(request: &RoleRequest) -> Option<Activation<'_>> {
    let from = request.starts.or(request.created_on)?;
    let length = request.minutes.and_then(TimeDelta::try_minutes);
    let until = request.ends.or_else(|| from.checked_add_signed(length?));
    Some(Activation { request, from, until })
}

fn is_activation(request: &RoleRequest) -> bool {
    let is = |text: &Option<String>, words: &[&str]| {
        text.as_deref().is_some_and(|text| words.iter().any(|word| text.eq_ignore_ascii_case(word)))
    };
    let without_effect = [
        "Denied",
        "AdminDenied",
        "Canceled",
        "Failed",
        "FailedAsResourceIsLocked",
        "TimedOut",
        "Invalid",
        "PendingApproval",
        "PendingAdminDecision",
        "PendingEvaluation",
    ];
    is(&request.request_type, &["SelfActivate", "SelfExtend", "SelfRenew"]) && !is(&request.status, &without_effect)
}

/// Since when every activation is in the list of requests, with the records that make it so; and why not from the
/// beginning of the period, where it is not.
pub(super) struct Known {
    /// From then on.
    pub since: DateTime<Utc>,
    /// The records of the exported log, where it is whole.
    pub evidence: Vec<Cite>,
    /// Why the list is not known to be whole before.
    pub short: Option<String>,
}

/// Since when the list of requests is whole.
pub(super) fn known(facts: &Facts<'_>) -> Known {
    let (start, kept) = (facts.period.start, facts.tenant.collected_at - KEPT);
    if kept <= start {
        return Known { since: start, evidence: Vec::new(), short: None };
    }
    match directory_shows(facts, &AUDIT, &facts.period) {
        Ok(evidence) => Known { since: start, evidence, short: None },
        Err(open) => Known {
            since: kept.min(facts.period.end),
            evidence: Vec::new(),
            short: Some(format!(
                "the history of activations is kept for 30 days, and the directory's audit log of the period is in no \
                 workspace: {}",
                open.detail
            )),
        },
    }
}

/// Rows of the directory's audit log that tell of an activation of an Azure role and that no request explains.
pub(super) fn unexplained<'a>(facts: &Facts<'a>) -> Vec<&'a DirectoryChange> {
    let activations = activations(facts);
    let rows = facts.tenant.logs.directory_changes.iter().filter(|row| facts.period.contains(row.at));
    let of_azure = rows.filter(|row| is_completed_activation(row));
    of_azure.filter(|row| !activations.iter().any(|one| explains(one, row))).collect()
}

/// Activations of directory roles and of memberships have other categories: `RoleManagement`, `GroupManagement`.
fn is_completed_activation(row: &DirectoryChange) -> bool {
    let is = |text: &Option<String>, word: &str| text.as_deref().is_some_and(|text| text.eq_ignore_ascii_case(word));
    is(&row.service, "PIM")
        && is(&row.category, "ResourceManagement")
        && row.operation.to_lowercase().contains("completed (pim activation)")
}

fn explains(activation: &Activation<'_>, row: &DirectoryChange) -> bool {
    let names = |id: &Option<String>| id.as_deref() == Some(activation.request.principal_id.as_str());
    let is_about = names(&row.initiator_id) || row.targets.iter().any(|target| names(&target.id));
    is_about && (activation.from - row.at).abs() <= SAME_REQUEST
}

/// Rows that tell that somebody approved what he had asked for himself.
pub(super) fn approved_by_requestor<'a>(facts: &Facts<'a>, activation: &Activation<'_>) -> Option<&'a DirectoryChange> {
    let requestor = activation.request.requestor_id.as_deref()?;
    facts.tenant.logs.directory_changes.iter().find(|row| {
        row.service.as_deref().is_some_and(|service| service.eq_ignore_ascii_case("PIM"))
            && row.operation.to_lowercase().contains("request approved")
            && row.initiator_id.as_deref() == Some(requestor)
            && row.targets.iter().any(|target| target.id.as_deref() == Some(activation.request.principal_id.as_str()))
            && (activation.from - row.at).abs() <= SAME_REQUEST
    })
}
