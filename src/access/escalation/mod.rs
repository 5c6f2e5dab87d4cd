//! How someone who cannot read a vault's content could come to read it: rights that make more of themselves.
//!
//! Each such right is an edge, from whoever holds it to a vault, or to another principal that can then be acted as.
//! `rights` tells who holds an action at a scope; `vaults` has the edges that end at a vault, `identities` those to
//! managed identities, `directory` those to applications and groups; `search` finds the shortest way; `powers` lists
//! single steps, for who asks who can take them.
//!
//! A way is as sure as its least sure edge. Of two ways the surer is told, and of equally sure ones the shorter.
//! Deny assignments and locks are not taken to close a way: they make an edge possible where it was certain. Only of who
//! reads already, and of who assigns roles on a vault that uses them, does the engine know better. What a
//! role gives that was not read is no edge; [`super::Access`] names it as a gap.
//!
//! Not looked at: resetting a user's password or second factor, what external issuers of federated credentials let
//! their users do, and the tenant in which a foreign application is registered.

mod directory;
mod identities;
mod powers;
mod rights;
mod search;
#[cfg(test)]
mod tests;
mod vaults;

use serde::Serialize;

use crate::evidence::Cite;
use crate::model::Id;

pub use powers::{HOLDERS, Powers, says_nothing};
pub use search::Escalation;

/// What is reached at the end of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Reading the values of secrets.
    Read,
    /// Changing the values of secrets.
    Change,
    /// Destroying the vault or secrets, past recovery.
    Destroy,
    /// Stopping the vault's audit log.
    StopLog,
}

impl Goal {
    /// Every goal.
    pub const ALL: &'static [Goal] = &[Goal::Read, Goal::Change, Goal::Destroy, Goal::StopLog];

    /// The goal in words.
    pub fn words(self) -> &'static str {
        match self {
            Goal::Read => "read secret values",
            Goal::Change => "change secret values",
            Goal::Destroy => "destroy secrets",
            Goal::StopLog => "stop the audit log",
        }
    }
}

/// How sure it is that a step works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Microsoft's documentation says that it does.
    Certain,
    /// Documents disagree, or it hangs on a condition, a deny assignment or a lock that is not evaluated, or on how a
    /// wildcard is read.
    Possible,
    /// The single rights are documented, the way as a whole is not.
    Unconfirmed,
}

impl Certainty {
    /// The word for it.
    pub fn words(self) -> &'static str {
        match self {
            Certainty::Certain => "certain",
            Certainty::Possible => "possible",
            Certainty::Unconfirmed => "unconfirmed",
        }
    }
}

/// What is done in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Uses the right that it has on the vault's content.
    Use,
    /// Adds an access policy for itself (learn.microsoft.com/azure/key-vault/general/rbac-guide).
    WritePolicy,
    /// Switches the vault to access policies and adds one. Documents disagree on whether writing the vault is enough
    /// (learn.microsoft.com/azure/key-vault/general/rbac-guide against …/access-control-default).
    FlipModel,
    /// Assigns itself a role.
    GrantRole,
    /// Adds actions to a custom role that it holds.
    RedefineRole,
    /// Elevates access as Global Administrator (learn.microsoft.com/azure/role-based-access-control,
    /// elevate-access-global-admin).
    Elevate,
    /// Has a deployment fetch the secret.
    DeployTemplate,
    /// Writes a secret's value through Resource Manager, past firewall and data roles.
    OverwriteSecret,
    /// Deletes the vault and purges it.
    DestroyVault,
    /// Changes or deletes the vault's diagnostic settings.
    StopLog,
    /// Runs code on what carries the identity.
    RunCode,
    /// Attaches the identity to a resource of its own.
    AttachIdentity,
    /// Adds a federated credential to the identity.
    FederateIdentity,
    /// Adds a credential to the application.
    AddCredential,
    /// Adds itself to the group.
    JoinGroup,
    /// Is in the group already. Not counted as a step.
    Member,
    /// Activates membership of the group.
    ActivateMember,
}

impl Step {
    /// What is done, for a sentence that begins with who does it.
    pub fn words(self) -> &'static str {
        match self {
            Step::Use => "uses its access to",
            Step::WritePolicy => "adds an access policy for itself to",
            Step::FlipModel => "switches to access policies, and adds one for itself, on",
            Step::GrantRole => "assigns itself a role that reaches",
            Step::RedefineRole => "adds actions to a custom role that it holds and that reaches",
            Step::Elevate => "elevates its access at the root, and assigns itself a role, which reaches",
            Step::DeployTemplate => "has a deployment fetch secrets from",
            Step::OverwriteSecret => "overwrites secrets through Resource Manager in",
            Step::DestroyVault => "deletes and purges",
            Step::StopLog => "changes or deletes the diagnostic settings of",
            Step::RunCode => "runs code on what carries",
            Step::AttachIdentity => "attaches to a resource of its own",
            Step::FederateIdentity => "adds a federated credential to",
            Step::AddCredential => "adds a credential to",
            Step::JoinGroup => "adds itself to",
            Step::Member => "is in",
            Step::ActivateMember => "activates its membership of",
        }
    }

    /// Whether it is a step, and not something that holds already.
    fn length(self) -> u32 {
        u32::from(self != Step::Member)
    }
}

/// Where a step leads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Whoever takes the step can act as this principal: lower-case object id.
    Principal(String),
    /// The vault.
    Vault(Id),
}

/// One step: who takes it, by which right, and where it leads.
#[derive(Clone, Debug)]
pub struct Edge {
    /// What is done.
    pub step: Step,
    /// Lower-case object id of whoever does it.
    pub from: String,
    /// Where it leads.
    pub to: Target,
    /// The right by which it is done, in words: role and scope, ownership, directory role.
    pub by: String,
    /// On which resource it is done, where that is neither the vault nor the principal itself.
    pub on: Option<Id>,
    /// Whether the right must be activated first.
    pub is_activated_first: bool,
    /// How sure it is.
    pub certainty: Certainty,
    /// Why it is not certain.
    pub doubt: Option<String>,
    /// The records that it rests on.
    pub evidence: Vec<Cite>,
}

impl Edge {
    /// Steps that it takes, with the activation.
    fn length(&self) -> u32 {
        self.step.length() + u32::from(self.is_activated_first)
    }
}

/// The best way of one principal to a goal.
#[derive(Clone, Debug)]
pub struct Route {
    /// Lower-case object id of the principal.
    pub principal_id: String,
    /// How sure the least sure step is.
    pub certainty: Certainty,
    /// How many steps, activations counted, memberships not.
    pub length: u32,
    /// The steps, the first one first; each leads to whoever takes the next, the last to the vault.
    pub edges: Vec<Edge>,
}

impl Route {
    /// Whether it is no escalation: the access is there already, directly or through groups.
    pub fn is_direct(&self) -> bool {
        self.edges.iter().all(|edge| matches!(edge.step, Step::Use | Step::Member))
    }
}
