//! Edges that end at a vault.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::rights::{Action, Held, Rights, WIDE};
use super::{Certainty, Edge, Goal, Step, Target};
use crate::access::{Access, Answer, Capability, Grant, Path, Via};
use crate::model::{DirectoryRoleGrant, Id, Tenant, Vault};

const VAULT_WRITE: Action = Action::Control("Microsoft.KeyVault/vaults/write");
const POLICY_WRITE: Action = Action::Control("Microsoft.KeyVault/vaults/accessPolicies/write");
const ROLE_WRITE: Action = Action::Control("Microsoft.Authorization/roleAssignments/write");
const DEFINITION_WRITE: Action = Action::Control("Microsoft.Authorization/roleDefinitions/write");
const DEPLOY: Action = Action::Control("Microsoft.KeyVault/vaults/deploy/action");
const DEPLOYMENT_WRITE: Action = Action::Control("Microsoft.Resources/deployments/write");
const SECRET_WRITE: Action = Action::Control("Microsoft.KeyVault/vaults/secrets/write");
const VAULT_DELETE: Action = Action::Control("Microsoft.KeyVault/vaults/delete");
const VAULT_PURGE: Action = Action::Control("Microsoft.KeyVault/locations/deletedVaults/purge/action");
const SETTINGS_WRITE: Action = Action::Control("Microsoft.Insights/diagnosticSettings/write");
const SETTINGS_DELETE: Action = Action::Control("Microsoft.Insights/diagnosticSettings/delete");

/// Global Administrator, in every tenant (learn.microsoft.com/entra/identity/role-based-access-control,
/// permissions-reference).
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// Edges to one vault.
pub(super) fn edges(rights: &Rights<'_>, access: &Access, vault: &Vault, goal: Goal) -> Vec<Edge> {
    let mut to = Edges { rights, vault, edges: Vec::new() };
    match goal {
        Goal::Read => {
            to.uses(&access.can(&vault.id, Capability::ReadSecret), Step::Use);
            to.widening(access, Capability::ReadSecret);
            to.template();
        }
        Goal::Change => {
            to.uses(&access.can(&vault.id, Capability::ChangeSecret), Step::Use);
            to.by(Step::OverwriteSecret, &[SECRET_WRITE], None);
            to.widening(access, Capability::ChangeSecret);
        }
        Goal::Destroy => {
            to.uses(&access.can(&vault.id, Capability::DestroySecret), Step::Use);
            to.destroying();
            to.widening(access, Capability::DestroySecret);
        }
        Goal::StopLog => to.by(Step::StopLog, &[SETTINGS_WRITE, SETTINGS_DELETE], None),
    }
    to.edges
}

/// Edges from everyone who may change one vault: its model, its policies, its log. Whether the right to write a vault
/// is enough to change its model is in doubt between documents; it is taken to be.
pub(super) fn managing(rights: &Rights<'_>, vault: &Vault) -> Vec<Edge> {
    let mut to = Edges { rights, vault, edges: Vec::new() };
    let step = if vault.is_rbac() { Step::FlipModel } else { Step::WritePolicy };
    to.by(step, &[VAULT_WRITE, POLICY_WRITE], None);
    to.by(Step::StopLog, &[SETTINGS_WRITE, SETTINGS_DELETE], None);
    to.edges
}

struct Edges<'a, 'b> {
    rights: &'a Rights<'b>,
    vault: &'a Vault,
    edges: Vec<Edge>,
}

impl Edges<'_, '_> {
    fn add(&mut self, step: Step, held: Held<'_>, doubt: Option<String>) {
        let to = Target::Vault(self.vault.id.clone());
        self.edges.push(held.edge(step, to, None, doubt, &self.vault.from));
    }

    /// Everyone who holds one of these actions on the vault.
    fn by(&mut self, step: Step, actions: &[Action], doubt: Option<&str>) {
        for action in actions {
            for held in self.rights.holders(*action, &self.vault.id) {
                self.add(step, held, doubt.map(str::to_owned));
            }
        }
    }

    /// Those who have the access already. One that is held through a group is the group's, too: whoever gets into it
    /// has it.
    fn uses(&mut self, grants: &[Grant], step: Step) {
        let mut groups = BTreeSet::new();
        for grant in grants.iter().filter(|grant| grant.answer != Answer::Denied) {
            if let Some(best) = grant.paths.iter().min_by_key(|path| (path.answer, path.is_wide)) {
                let edge = self.using(step, best, grant, &grant.principal_id, best.answer == Answer::Eligible);
                self.edges.push(edge);
            }
            let mut paths: Vec<&Arc<Path>> = grant.paths.iter().filter(|path| path.answer != Answer::Denied).collect();
            paths.sort_by_key(|path| (path.answer, path.is_wide));
            for path in paths {
                let is_eligible =
                    matches!(&*path.via, Via::EligibleRole { .. } | Via::Lighthouse { is_eligible: true, .. });
                for hop in path.through.iter().filter(|hop| groups.insert(hop.group_id.clone())) {
                    self.edges.push(self.using(step, path, grant, &hop.group_id, is_eligible));
                }
            }
        }
    }

    fn using(&self, step: Step, path: &Path, grant: &Grant, from: &str, is_activated_first: bool) -> Edge {
        let wide = path.is_wide.then(|| WIDE.to_owned());
        let doubt = path.open.as_ref().map(|open| open.detail.clone()).or(wide);
        Edge {
            step,
            from: from.to_owned(),
            to: Target::Vault(self.vault.id.clone()),
            by: format!("{} at `{}`", path.via.words(), path.scope),
            on: (grant.object != self.vault.id).then(|| grant.object.clone()),
            is_activated_first,
            certainty: if doubt.is_some() { Certainty::Possible } else { Certainty::Certain },
            doubt,
            evidence: path.evidence().chain([&self.vault.from]).cloned().collect(),
        }
    }

    /// Rights that widen access to the vault's content, toward what is wanted of it.
    fn widening(&mut self, access: &Access, toward: Capability) {
        let locked = lock(self.rights.tenant, &self.vault.id, &["ReadOnly"]);
        if self.vault.is_rbac() {
            let doubt = "documents disagree on whether the right to write the vault is enough";
            self.by(Step::FlipModel, &[VAULT_WRITE], Some(locked.as_deref().unwrap_or(doubt)));
            // with what conditions and deny assignments leave of it
            self.uses(&access.can_grant(&self.vault.id, toward), Step::GrantRole);
        } else {
            self.by(Step::WritePolicy, &[VAULT_WRITE, POLICY_WRITE], locked.as_deref());
            self.by(Step::GrantRole, &[ROLE_WRITE], None);
        }
        self.redefining();
        self.elevating();
    }

    /// Who may write role definitions adds actions to a custom role that he holds. Whether he may write this one is
    /// not known: its assignable scopes decide.
    fn redefining(&mut self) {
        for writer in self.rights.holders(DEFINITION_WRITE, &self.vault.id) {
            let own = self.rights.custom_roles(writer.principal, &self.vault.id);
            let Some(own) = own.into_iter().find(|own| own.role != writer.role || own.by != writer.by) else {
                continue;
            };
            let doubt = format!("it may write role definitions; whether {} is among them is not known", own.by);
            let mut held = writer;
            held.evidence.extend(own.evidence);
            self.add(Step::RedefineRole, held, Some(doubt));
        }
    }

    fn elevating(&mut self) {
        let tenant = self.rights.tenant;
        for (grant, is_eligible) in global_administrators(tenant) {
            let kind = tenant.principal(&grant.principal_id).map(|principal| &principal.kind);
            let doubt = kind.filter(|kind| kind.is_non_human());
            let doubt = doubt.map(|_| "elevating is documented for users".to_owned());
            self.edges.push(Edge {
                step: Step::Elevate,
                from: grant.principal_id.clone(),
                to: Target::Vault(self.vault.id.clone()),
                by: format!("{}directory role `Global Administrator`", if is_eligible { "eligible " } else { "" }),
                on: None,
                is_activated_first: is_eligible,
                certainty: if doubt.is_some() { Certainty::Possible } else { Certainty::Certain },
                doubt,
                evidence: vec![grant.from.clone(), self.vault.from.clone()],
            });
        }
    }

    /// The flag lets Resource Manager read secrets for a deployment of whoever may deploy with the vault.
    fn template(&mut self) {
        if self.vault.enabled_for_template_deployment != Some(true) {
            return;
        }
        let deployers = self.rights.anywhere(&[DEPLOYMENT_WRITE]);
        let holders = self.rights.holders(DEPLOY, &self.vault.id);
        for held in holders.into_iter().filter(|held| deployers.contains(held.principal)) {
            self.add(Step::DeployTemplate, held, Some("the way as a whole is not documented".to_owned()));
            if let Some(edge) = self.edges.last_mut() {
                edge.certainty = Certainty::Unconfirmed;
            }
        }
    }

    /// Without purge protection, who may delete and purge may destroy.
    fn destroying(&mut self) {
        if self.vault.purge_protection == Some(true) {
            return;
        }
        let locked = lock(self.rights.tenant, &self.vault.id, &["ReadOnly", "CanNotDelete"]);
        let Some(subscription) = self.vault.id.subscription() else { return };
        let purgers = self.rights.holders(VAULT_PURGE, &Id::new(format!("/subscriptions/{subscription}")));
        for held in self.rights.holders(VAULT_DELETE, &self.vault.id) {
            if let Some(purger) = purgers.iter().find(|purger| purger.principal == held.principal) {
                let mut held = held;
                held.is_eligible |= purger.is_eligible;
                held.evidence.extend(purger.evidence.iter().cloned());
                self.add(Step::DestroyVault, held, locked.clone());
            }
        }
    }
}

/// Holders of the role over the whole directory, and whether they must activate it.
fn global_administrators(tenant: &Tenant) -> impl Iterator<Item = (&DirectoryRoleGrant, bool)> {
    let standing = tenant.directory.role_assignments.iter().map(|grant| (grant, false));
    let eligible = tenant.directory.role_eligibilities.iter().map(|grant| (grant, true));
    let is_global = |grant: &DirectoryRoleGrant| {
        grant.role_id == GLOBAL_ADMINISTRATOR && grant.scope.as_deref().is_none_or(|scope| scope == "/")
    };
    standing.chain(eligible).filter(move |(grant, _)| is_global(grant))
}

/// A lock that stands in the way until it is removed.
fn lock(tenant: &Tenant, vault: &Id, levels: &[&str]) -> Option<String> {
    let mut locks = tenant.authorization.locks.iter();
    let lock = locks.find(|lock| {
        let is_level = |level: &String| levels.iter().any(|name| level.eq_ignore_ascii_case(name));
        lock.level.as_ref().is_some_and(is_level) && lock.scope.is_at_or_above(vault)
    })?;
    Some(format!("lock `{}` must be removed first", lock.id))
}
