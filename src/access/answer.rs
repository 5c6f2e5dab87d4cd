//! The words of an access answer.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Capability;
use crate::evidence::{Cite, Reason};
use crate::model::{Id, Text};

/// Whether a principal can do it. The order is the rule: over several paths the first in this order counts
/// ([`Answer::over_paths`]), over the parts of one path the last ([`Answer::and`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes, now.
    Allowed,
    /// After an activation that the principal asks for itself.
    Eligible,
    /// When a condition holds that the evidence does not decide.
    Conditional,
    /// Could not be worked out; the path says why.
    NotDetermined,
    /// No: what would give it is forbidden for certain, by a deny assignment or by a condition that cannot hold.
    Denied,
}

impl Answer {
    /// The answer over all paths: one path that is allowed is enough; denied only when every path is.
    pub fn over_paths(answers: impl IntoIterator<Item = Answer>) -> Option<Answer> {
        answers.into_iter().min()
    }

    /// The answer of one path that needs both.
    pub fn and(self, other: Answer) -> Answer {
        self.max(other)
    }

    /// The field's word for it.
    pub fn words(self) -> &'static str {
        match self {
            Answer::Allowed => "allowed",
            Answer::Eligible => "eligible",
            Answer::Conditional => "conditional",
            Answer::NotDetermined => "not determined",
            Answer::Denied => "denied",
        }
    }
}

/// One principal, one vault or object, one capability, with every path that gives it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Lower-case object id of the user, service principal or unresolved principal (groups are expanded; a
    /// group whose members were not read stands for them).
    pub principal_id: Arc<str>,
    /// The vault, or an object in it. An object has a grant of its own where its answer differs from the vault's,
    /// or where something is given at the object and the vault is not granted for certain; else the vault's grant
    /// stands for it, and holds what is given at the object as further paths.
    pub object: Id,
    /// What may be done.
    pub capability: Capability,
    /// Whether it can be done, over all paths.
    pub answer: Answer,
    /// The paths, widest scope first.
    pub paths: Vec<Arc<Path>>,
}

/// The answer about one principal, one object and one capability.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Over all paths; none when nothing gives it. What was not read may: see [`super::Access::gaps`].
    pub answer: Option<Answer>,
    /// The paths, widest scope first.
    pub paths: Vec<Arc<Path>>,
}

/// One way in which access is given.
#[derive(Clone, Debug)]
pub struct Path {
    /// What gives it.
    pub via: Arc<Via>,
    /// The scope at which it is given: where the assignment sits, or the vault for an access policy.
    pub scope: Id,
    /// Groups that the principal comes through, from the one that holds the grant to the one that holds the
    /// principal. Transitive membership is read as one hop.
    pub through: Arc<[Hop]>,
    /// What this path alone answers.
    pub answer: Answer,
    /// What keeps the path from counting as allowed: the text of the condition, the deny assignment, what was not
    /// read. None for one that is allowed, or that only waits for its activation.
    pub open: Option<Arc<Open>>,
    /// What must be activated before it gives anything, in order; empty when nothing need be.
    pub activations: Vec<Arc<Activation>>,
    /// Whether it is found only by reading `/*/` in a role as a single `/`, which Azure does not document.
    pub is_wide: bool,
    /// Assignment or policy, and definition.
    pub(super) base: Arc<[Cite]>,
    /// Memberships.
    pub(super) memberships: Arc<[Cite]>,
}

impl Path {
    /// The records that the path rests on: assignment, definition, memberships, and what keeps it open. What shows
    /// that its scope lies above a vault is [`super::Access::evidence`]'s to add.
    pub fn evidence(&self) -> impl Iterator<Item = &Cite> {
        let open = self.open.iter().filter_map(|open| open.from.as_ref());
        let open = open.filter(|from| !self.base.contains(from));
        let activations = self.activations.iter().filter_map(|activation| activation.from.as_ref());
        self.base.iter().chain(self.memberships.iter()).chain(activations).chain(open)
    }
}

/// What gives access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// An active role assignment.
    Role {
        /// ARM id of the assignment.
        assignment: Id,
        /// Lower-case GUID of the role definition.
        role: Text,
        /// Name of the role, or its GUID when the definition was not read.
        role_name: Text,
        /// How long it lasts.
        standing: Standing,
    },
    /// A role that can be activated; it gives nothing before.
    EligibleRole {
        /// ARM id of the eligibility.
        schedule: Id,
        /// Lower-case GUID of the role definition.
        role: Text,
        /// Name of the role, or its GUID when the definition was not read.
        role_name: Text,
        /// Until when it can be activated; none means for ever.
        ends: Option<DateTime<Utc>>,
    },
    /// An access policy of a vault in access-policy mode.
    Policy {
        /// Set when only this application acting for the principal is meant.
        application_id: Option<String>,
    },
    /// A role that was delegated to a principal of another tenant (Azure Lighthouse); no list of role assignments
    /// shows it.
    Lighthouse {
        /// ARM id of the registration assignment.
        delegation: Id,
        /// The other tenant, lower case.
        tenant: Option<String>,
        /// Lower-case GUID of the role definition.
        role: Text,
        /// Name of the role, or its GUID when the definition was not read.
        role_name: Text,
        /// Whether it must be activated first.
        is_eligible: bool,
    },
    /// An administrator of the classic model, who is like an owner of the subscription.
    Classic {
        /// ARM id of the entry.
        administrator: Id,
        /// `CoAdministrator`, `ServiceAdministrator`, …
        roles: Vec<String>,
    },
}

impl Via {
    /// GUID and name of the role that it gives; none for what gives no role.
    pub fn role(&self) -> Option<(&str, &str)> {
        match self {
            Via::Role { role, role_name, .. }
            | Via::EligibleRole { role, role_name, .. }
            | Via::Lighthouse { role, role_name, .. } => Some((role, role_name)),
            Via::Policy { .. } | Via::Classic { .. } => None,
        }
    }
}

/// How long an active role lasts, as Privileged Identity Management knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was assigned and has no end.
    Permanent,
    /// It was assigned and ends.
    Until(DateTime<Utc>),
    /// It was eligible and is activated, until then where an end is told.
    Activated(Option<DateTime<Utc>>),
    /// Its schedule was not read.
    Unknown,
}

/// An activation that a path waits for, with its rules. Each rule is none when it was not read: that is not "off".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activation {
    /// The role or the group that is activated.
    pub of: String,
    /// Someone must approve.
    pub approval: Option<bool>,
    /// A second factor is asked for, by the rule itself.
    pub mfa: Option<bool>,
    /// A Conditional Access authentication context is asked for, which may hold the second factor.
    pub authentication_context: Option<bool>,
    /// A reason is asked for.
    pub reason: Option<bool>,
    /// A ticket is asked for.
    pub ticket: Option<bool>,
    /// Longest activation, minutes.
    pub longest_minutes: Option<i64>,
    /// Where the rules were read; none when they were not.
    pub from: Option<Cite>,
}

/// A group on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Lower-case object id.
    pub group_id: String,
    /// Display name, else the object id.
    pub name: String,
    /// How the next on the path, or the principal, belongs to it.
    pub by: Membership,
}

/// How someone belongs to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Membership {
    /// A member. An owner is none: that he can add himself is an escalation.
    Member,
    /// Can activate its membership.
    EligibleMember,
}

/// Why a path is not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// From the closed list.
    pub reason: Reason,
    /// One line: the condition's text, the deny assignment, the missing definition.
    pub detail: String,
    /// The record that shows it.
    pub from: Option<Cite>,
}

/// A role that a principal holds, directly or through groups, at one scope.
#[derive(Clone, Debug)]
pub struct Held {
    /// Index into [`crate::model::Tenant::role_assignments`].
    pub assignment: usize,
    /// Groups that it comes through.
    pub through: Arc<[Hop]>,
    /// Records that it rests on: assignment, definition, membership.
    pub evidence: Vec<Cite>,
}

/// Something that was not read, so that the answers about a vault are a lower bound.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// What it is about.
    pub about: Unread,
    /// The scope, group or definition, as named.
    pub name: String,
    /// From the closed list.
    pub reason: Reason,
    /// One line with the cause.
    pub detail: String,
    /// The record that shows it; none when the question was never put.
    pub from: Option<Cite>,
}

/// What was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unread {
    /// Role assignments at a scope: more may be granted.
    Scope,
    /// The management groups above: more may be granted there.
    ManagementGroups,
    /// Who is behind a holder: more principals may be granted.
    Members,
    /// A role definition: what its assignments give is not known.
    Definition,
    /// A condition that could not be parsed: its access is shown as conditional.
    Condition,
    /// Deny assignments: less may be granted.
    Denies,
    /// Eligible roles or eligible members: more may be had by activation.
    Eligibility,
    /// What was delegated to other tenants, or who there is behind it.
    Delegation,
    /// Administrators of the classic model.
    Classic,
    /// Lists of vaults: there may be further ones.
    Vaults,
    /// Roles, permissions, owners and members in the directory: somebody may come to more by them.
    Directory,
    /// Resources and identities: somebody may come to more through what carries them.
    Hosts,
}

/// Something that would give access and gives none, kept because it does as soon as the vault changes its model.
#[derive(Clone, Debug)]
pub struct Idle {
    /// Lower-case object id of the one it names; groups are not expanded.
    pub holder_id: Arc<str>,
    /// What it is.
    pub via: Arc<Via>,
    /// Where it sits.
    pub scope: Id,
    /// What it would give.
    pub capabilities: Vec<Capability>,
    /// Why it gives nothing.
    pub why: IdleWhy,
    /// The records.
    pub evidence: Vec<Cite>,
}

/// Why something gives no access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdleWhy {
    /// An access policy of a vault in RBAC mode; it revives when the vault leaves that mode.
    DormantPolicy,
    /// A data role on a vault in access-policy mode.
    IneffectiveRole,
    /// An access policy for the object id of an app registration, which never signs in; its service principal does.
    NamesRegistration,
}
