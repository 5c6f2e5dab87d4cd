//! What the role assignments alone do not show: roles that can be activated, and the rules for it.

use chrono::{DateTime, Utc};

use crate::evidence::Cite;
use crate::model::{Id, RoleAssignment, Tenant};

/// The family of facts about authorization beside role assignments, definitions and denies.
#[derive(Clone, Debug, Default)]
pub struct Authorization {
    /// Roles that can be activated now, in order of id.
    pub eligible: Vec<RoleSchedule>,
    /// Roles that are active now and how they came to be, in order of id.
    pub active: Vec<RoleSchedule>,
    /// Requests for active roles, in order of id: activations, grants and removals.
    pub active_requests: Vec<RoleRequest>,
    /// Requests for eligible roles, in order of id.
    pub eligible_requests: Vec<RoleRequest>,
    /// Rules for activating and assigning, by scope and role.
    pub rules: Vec<RoleRules>,
}

/// A role that a principal can activate, or has, at a scope, as Privileged Identity Management knows it.
#[derive(Clone, Debug)]
pub struct RoleSchedule {
    /// ARM id of the instance.
    pub id: Id,
    /// `properties.scope`.
    pub scope: Id,
    /// Lower-case GUID of the role definition.
    pub role: String,
    /// Lower-case object id of the principal.
    pub principal_id: String,
    /// `principalType`, as received; absent is unknown.
    pub principal_type: Option<String>,
    /// `memberType`: `Direct`, `Inherited` from a scope above, `Group` through a group.
    pub member_type: Option<String>,
    /// `assignmentType`, of an active one: `Activated` or `Assigned`.
    pub assignment_type: Option<String>,
    /// The role assignment that an active one is, by its id.
    pub origin: Option<Id>,
    /// `startDateTime`.
    pub starts: Option<DateTime<Utc>>,
    /// `endDateTime`; absent means for ever (learn.microsoft.com/entra, pim-apis).
    pub ends: Option<DateTime<Utc>>,
    /// Text of the condition, if any.
    pub condition: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

impl RoleSchedule {
    /// Whether it is an eligible role that was activated, and so not standing access.
    pub fn is_activated(&self) -> bool {
        self.assignment_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("Activated"))
    }
}

/// A request to Privileged Identity Management.
#[derive(Clone, Debug)]
pub struct RoleRequest {
    /// ARM id.
    pub id: Id,
    /// `properties.scope`.
    pub scope: Id,
    /// Lower-case GUID of the role definition.
    pub role: String,
    /// Lower-case object id of the one who gets or loses the role.
    pub principal_id: String,
    /// Lower-case object id of the one who asked.
    pub requestor_id: Option<String>,
    /// `requestType`: `SelfActivate`, `AdminAssign`, `AdminRemove`, …, as received.
    pub request_type: Option<String>,
    /// `status`: `Provisioned`, `Denied`, …, as received.
    pub status: Option<String>,
    /// `approvalId`; absent when nobody had to approve.
    pub approval_id: Option<String>,
    /// Whether a reason was given; its text is not kept.
    pub has_reason: bool,
    /// Number of a ticket; `[cut]` when it was longer than a number.
    pub ticket: Option<String>,
    /// Start that was asked for.
    pub starts: Option<DateTime<Utc>>,
    /// End that was asked for, where it is a time.
    pub ends: Option<DateTime<Utc>>,
    /// Length that was asked for, where it is a length: minutes.
    pub minutes: Option<i64>,
    /// `createdOn`.
    pub created_on: Option<DateTime<Utc>>,
    /// Where it was read.
    pub from: Cite,
}

/// The rules in force for one role at one scope. Each is `None` when the answer holds no such rule, which is not
/// "off".
#[derive(Clone, Debug)]
pub struct RoleRules {
    /// ARM id of the assignment of the policy.
    pub id: Id,
    /// `properties.scope`.
    pub scope: Id,
    /// Lower-case GUID of the role definition.
    pub role: String,
    /// Activation needs an approval (`Approval_EndUser_Assignment`).
    pub approval: Option<bool>,
    /// Lower-case object ids of those who may approve.
    pub approvers: Vec<String>,
    /// Activation needs a second factor (`Enablement_EndUser_Assignment`).
    pub mfa: Option<bool>,
    /// Activation needs a reason (the same rule).
    pub reason: Option<bool>,
    /// Activation needs a ticket (the same rule).
    pub ticket: Option<bool>,
    /// Activation needs a Conditional Access authentication context, which may ask for a second factor in place of
    /// the rule above (`AuthenticationContext_EndUser_Assignment`).
    pub authentication_context: Option<bool>,
    /// Longest activation, minutes (`Expiration_EndUser_Assignment`).
    pub longest_activation: Option<i64>,
    /// The role may be eligible for ever (`Expiration_Admin_Eligibility`).
    pub permanent_eligible: Option<bool>,
    /// The role may be assigned for ever (`Expiration_Admin_Assignment`).
    pub permanent_active: Option<bool>,
    /// Whoever assigns the role as active needs a second factor (`Enablement_Admin_Assignment`).
    pub admin_mfa: Option<bool>,
    /// Whoever assigns the role as active gives a reason (the same rule).
    pub admin_reason: Option<bool>,
    /// Where it was read.
    pub from: Cite,
}

impl Tenant {
    /// How a role assignment came to be, as Privileged Identity Management knows it. None when it does not list it,
    /// or was not read: whether the access is standing is then not known.
    pub fn schedules_of<'a>(&'a self, assignment: &'a RoleAssignment) -> impl Iterator<Item = &'a RoleSchedule> {
        let active = self.authorization.active.iter();
        active.filter(move |schedule| schedule.origin.as_ref() == Some(&assignment.id))
    }
}
