//! What the role assignments alone do not show: roles that can be activated and the rules for it, access from other
//! tenants and of the classic model, locks, and a second count.

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
    /// Access that was delegated to other tenants, in order of id.
    pub delegations: Vec<Delegation>,
    /// Administrators of the classic model, in order of id.
    pub classic_administrators: Vec<ClassicAdministrator>,
    /// Locks, in order of id.
    pub locks: Vec<Lock>,
    /// The service's own counts of role assignments, by subscription.
    pub counts: Vec<AssignmentCount>,
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

/// Access that was delegated to another tenant, which no list of role assignments shows.
#[derive(Clone, Debug)]
pub struct Delegation {
    /// ARM id of the registration assignment.
    pub id: Id,
    /// What is delegated: a subscription or a resource group.
    pub scope: Id,
    /// `registrationDefinitionName`, the name of the offer.
    pub name: Option<String>,
    /// `managedByTenantId`, lower case.
    pub managing_tenant: Option<String>,
    /// `provisioningState`, as received; only `Succeeded` is in force.
    pub state: Option<String>,
    /// Who of the other tenant holds which role.
    pub authorizations: Vec<Delegate>,
    /// Who of the other tenant can activate which role.
    pub eligible: Vec<Delegate>,
    /// Where it was read.
    pub from: Cite,
}

/// A principal of another tenant and its role.
#[derive(Clone, Debug)]
pub struct Delegate {
    /// Lower-case object id, in the other tenant's directory.
    pub principal_id: String,
    /// Lower-case GUID of the role definition.
    pub role: String,
    /// Lower-case GUIDs of roles that it may assign to managed identities.
    pub may_assign: Vec<String>,
    /// Of an eligible one: whether activation needs a second factor (`multiFactorAuthProvider` is `Azure`).
    pub mfa: Option<bool>,
    /// Of an eligible one: longest activation, minutes.
    pub longest_activation: Option<i64>,
}

/// An administrator of the classic model, retired on 2024-08-31.
#[derive(Clone, Debug)]
pub struct ClassicAdministrator {
    /// ARM id.
    pub id: Id,
    /// `CoAdministrator`, `ServiceAdministrator`, `AccountAdministrator`; more than one is possible.
    pub roles: Vec<String>,
    /// `[cut]@` and the domain of the mail address.
    pub domain: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

impl ClassicAdministrator {
    /// The subscription, where its roles give access to it; the account administrator pays the bill and has none
    /// (learn.microsoft.com/azure/role-based-access-control/classic-administrators).
    pub fn subscription(&self) -> Option<Id> {
        let is_billing = |role: &String| role.eq_ignore_ascii_case("AccountAdministrator");
        if !self.roles.is_empty() && self.roles.iter().all(is_billing) {
            return None;
        }
        Some(Id::new(format!("/subscriptions/{}", self.id.subscription()?)))
    }
}

/// A lock.
#[derive(Clone, Debug)]
pub struct Lock {
    /// ARM id.
    pub id: Id,
    /// What is locked, and all below it.
    pub scope: Id,
    /// `CanNotDelete` or `ReadOnly`, as received. It holds for the control plane only.
    pub level: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

/// The service's own count of the role assignments of one subscription, and what was read beside it.
#[derive(Clone, Debug)]
pub struct AssignmentCount {
    /// The subscription.
    pub subscription: Id,
    /// `roleAssignmentsCurrentCount`. Assignments at management groups are not in it.
    pub current: Option<i64>,
    /// `roleAssignmentsLimit`.
    pub limit: Option<i64>,
    /// Assignments at the subscription and below it that were read.
    pub read: i64,
    /// Further ones in the subscription's list, inherited from management groups or the root.
    pub inherited: i64,
    /// Where it was read.
    pub from: Cite,
}

impl AssignmentCount {
    /// What the service counts less what was read, where no rule explains it. Whether the count holds those that are
    /// inherited is not documented: either way of counting is taken for the same.
    pub fn unexplained(&self) -> Option<i64> {
        let current = self.current?;
        let is_explained = [self.read, self.read + self.inherited].contains(&current);
        (!is_explained).then(|| current - self.read)
    }
}

impl Tenant {
    /// How a role assignment came to be, as Privileged Identity Management knows it. None when it does not list it,
    /// or was not read: whether the access is standing is then not known.
    pub fn schedules_of<'a>(&'a self, assignment: &'a RoleAssignment) -> impl Iterator<Item = &'a RoleSchedule> {
        let active = self.authorization.active.iter();
        active.filter(move |schedule| schedule.origin.as_ref() == Some(&assignment.id))
    }
}
