//! Joins assignments, access policies and hierarchy into grants.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::denies::Denies;
use super::principals::{Principals, Reached};
use super::{Answer, Capability, Grant, Held, Open, Path, Via};
use crate::evidence::{Cite, Reason};
use crate::model::{AccessPolicy, Id, RoleAssignment, RoleDefinition, Tenant, Vault};

/// Effective access in one tenant.
#[derive(Clone, Debug, Default)]
pub struct Access {
    grants: BTreeMap<Id, Vec<Grant>>,
    reaching: BTreeMap<Id, Vec<usize>>,
    held: BTreeMap<String, Vec<Held>>,
    open_groups: Vec<Open>,
}

impl Access {
    /// Works out access for every vault and every principal that holds anything.
    pub fn of(tenant: &Tenant) -> Access {
        let principals = Principals::of(tenant);
        let engine = Engine::of(tenant, &principals);
        let mut access = Access::of_holders(tenant, &principals);
        for vault in &tenant.vaults {
            let scopes = engine.scopes(vault);
            access.reaching.insert(vault.id.clone(), engine.reaching(&scopes));
            access.grants.insert(vault.id.clone(), engine.grants_on(vault, &scopes));
        }
        access
    }

    /// Who holds which roles, and nothing about vaults.
    pub fn holders(tenant: &Tenant) -> Access {
        Access::of_holders(tenant, &Principals::of(tenant))
    }

    fn of_holders(tenant: &Tenant, principals: &Principals) -> Access {
        Access { held: held(tenant, principals), open_groups: open_groups(tenant, principals), ..Access::default() }
    }

    /// Grants on one vault and on objects in it, sorted by capability and principal. In RBAC mode from role
    /// assignments at or above the vault and on its objects; in access-policy mode from its access policies
    /// (data roles have no effect there, ARM's control-plane roles have).
    pub fn on(&self, vault: &Id) -> &[Grant] {
        self.grants.get(vault).map(Vec::as_slice).unwrap_or_default()
    }

    /// Grants of one capability on one vault.
    pub fn can(&self, vault: &Id, capability: Capability) -> impl Iterator<Item = &Grant> {
        self.on(vault).iter().filter(move |grant| grant.capability == capability)
    }

    /// Grants of one principal on one vault.
    pub fn of_principal<'a>(&'a self, vault: &Id, principal_id: &'a str) -> impl Iterator<Item = &'a Grant> {
        let grants = self.on(vault);
        Capability::ALL.iter().flat_map(move |capability| {
            let key = (*capability, principal_id);
            let start = grants.partition_point(|grant| (grant.capability, grant.principal_id.as_str()) < key);
            let from = grants.get(start..).unwrap_or_default();
            from.iter().take_while(move |grant| (grant.capability, grant.principal_id.as_str()) == key)
        })
    }

    /// Role assignments at, above and inside one vault, as places in the tenant's list, in its order.
    pub fn reaching(&self, vault: &Id) -> &[usize] {
        self.reaching.get(vault).map(Vec::as_slice).unwrap_or_default()
    }

    /// Role assignments that a principal holds, directly or through groups, at any scope; object id in any case.
    pub fn held_by(&self, principal_id: &str) -> &[Held] {
        self.held.get(&principal_id.to_lowercase()).map(Vec::as_slice).unwrap_or_default()
    }

    /// What keeps the picture of a principal's roles from being whole: groups whose members were not read (the
    /// principal may be in them), each with the record.
    pub fn open_groups(&self) -> &[Open] {
        &self.open_groups
    }
}

/// How a role gives a capability.
enum Given<'a> {
    /// By these actions.
    By(Vec<&'static str>),
    /// Under a condition in the definition only.
    When(&'a str),
}

struct Engine<'a> {
    tenant: &'a Tenant,
    principals: &'a Principals,
    /// Places in the tenant's list.
    by_scope: BTreeMap<&'a Id, Vec<usize>>,
    /// What each role that is assigned gives, by GUID and by whether the vault is in RBAC mode; none for a role
    /// that was not read.
    roles: BTreeMap<(&'a str, bool), Option<BTreeMap<Capability, Given<'a>>>>,
}

impl<'a> Engine<'a> {
    fn of(tenant: &'a Tenant, principals: &'a Principals) -> Engine<'a> {
        let mut by_scope: BTreeMap<&Id, Vec<usize>> = BTreeMap::new();
        let mut roles = BTreeMap::new();
        for (index, assignment) in tenant.role_assignments.iter().enumerate() {
            by_scope.entry(&assignment.scope).or_default().push(index);
            for is_rbac in [true, false] {
                let role = assignment.role.as_str();
                let definition = tenant.role_definitions.get(role);
                roles.entry((role, is_rbac)).or_insert_with(|| definition.map(|definition| given(definition, is_rbac)));
            }
        }
        Engine { tenant, principals, by_scope, roles }
    }

    /// Assignments at these scopes.
    fn reaching(&self, scopes: &[(usize, Id, Vec<Cite>)]) -> Vec<usize> {
        let at = scopes.iter().filter_map(|(_, scope, _)| self.by_scope.get(scope));
        let mut reaching: Vec<usize> = at.flatten().copied().collect();
        reaching.sort_unstable();
        reaching
    }

    fn grants_on(&self, vault: &Vault, scopes: &[(usize, Id, Vec<Cite>)]) -> Vec<Grant> {
        let denies = Denies::on(self.tenant, self.principals, vault);
        let mut found = Found::default();
        for (rank, scope, way) in scopes {
            let indices = self.by_scope.get(scope).into_iter().flatten();
            for assignment in indices.filter_map(|index| self.tenant.role_assignments.get(*index)) {
                self.assignment(vault, *rank, assignment, way, &denies, &mut found);
            }
        }
        if !vault.is_rbac() {
            for policy in &vault.access_policies {
                self.policy(vault, policy, &mut found);
            }
        }
        found.into_grants(&vault.id)
    }

    /// The scopes whose assignments count, widest first with their rank, and what shows that they lie above.
    fn scopes(&self, vault: &Vault) -> Vec<(usize, Id, Vec<Cite>)> {
        let mut scopes = vec![Id::new("/")];
        let mut ways = BTreeMap::new();
        let groups = self.tenant.hierarchy.above(&vault.id);
        let mut below = vault.id.subscription().map(|guid| Id::new(format!("/subscriptions/{guid}")));
        let mut way = Vec::new();
        for group in &groups {
            let step = below.as_ref().and_then(|below| self.tenant.hierarchy.parents.get(below));
            way.extend(step.map(|(_, from)| from.clone()));
            ways.insert(group.clone(), way.clone());
            below = Some(group.clone());
        }
        scopes.extend(groups.into_iter().rev());
        let key = vault.id.key();
        let ends = key.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0).chain([key.len()]);
        scopes.extend(ends.filter_map(|end| key.get(..end)).map(Id::new));
        // Keys that begin with the vault's stand together; those of `kv10` are among them and drop out again.
        let further = self.by_scope.range::<Id, _>(&vault.id..).map(|(scope, _)| *scope);
        let further = further.take_while(|scope| scope.key().starts_with(key));
        let inside = further.filter(|scope| **scope != vault.id && vault.id.is_at_or_above(scope));
        scopes.extend(inside.cloned());
        let ranked = scopes.into_iter().enumerate();
        ranked.map(|(rank, scope)| (rank, scope.clone(), ways.remove(&scope).unwrap_or_default())).collect()
    }

    fn assignment(
        &self,
        vault: &Vault,
        rank: usize,
        assignment: &RoleAssignment,
        way: &[Cite],
        denies: &Denies<'_>,
        found: &mut Found,
    ) {
        let definition = self.tenant.role_definitions.get(&assignment.role);
        let is_inside = assignment.scope != vault.id && vault.id.is_at_or_above(&assignment.scope);
        // Who may write vaults, but only inside one, can write neither it nor its policies.
        let is_rbac = vault.is_rbac() || is_inside;
        let given = self.roles.get(&(assignment.role.as_str(), is_rbac)).and_then(Option::as_ref);
        let object = if is_inside { &assignment.scope } else { &vault.id };
        let path = |reached: &Reached, open: Option<Open>| {
            let mut evidence = vec![assignment.from.clone()];
            evidence.extend(definition.map(|definition| definition.from.clone()));
            evidence.extend(reached.evidence.iter().cloned());
            evidence.extend(way.iter().cloned());
            evidence.push(vault.from.clone());
            let via = Via::Role {
                assignment: assignment.id.clone(),
                role: assignment.role.clone(),
                role_name: definition.map_or_else(|| assignment.role.clone(), |found| found.name.clone()),
            };
            let scope = assignment.scope.clone();
            Arc::new(Path { via, scope, through: reached.through.clone(), open, evidence })
        };
        // a settled path is the same for every capability that it gives
        let mut settled: BTreeMap<&str, Arc<Path>> = BTreeMap::new();
        for capability in Capability::ALL.iter().copied() {
            if capability.is_data() && !vault.is_rbac() {
                continue; // data roles have no effect on a vault in access-policy mode
            }
            if is_inside && !capability.applies_below(&vault.id, &assignment.scope) {
                continue;
            }
            let given = given.map(|given| given.get(&capability));
            if matches!(given, Some(None)) {
                continue;
            }
            let given = given.flatten();
            let actions = if let Some(Given::By(actions)) = given { actions.as_slice() } else { &[] };
            let open = why_open(assignment, given).or_else(|| wrong_tenant(self.tenant, vault, capability));
            for reached in self.principals.behind(&assignment.principal_id) {
                let open = open.clone().or_else(|| denies.open(&reached.id, capability, actions, object));
                let path = match open {
                    Some(_) => path(reached, open),
                    None => settled.entry(&reached.id).or_insert_with(|| path(reached, None)).clone(),
                };
                found.add(capability, &reached.id, object, rank, path);
            }
        }
    }

    fn policy(&self, vault: &Vault, policy: &AccessPolicy, found: &mut Found) {
        for capability in Capability::ALL.iter().copied().filter(|capability| capability.is_in(policy)) {
            let open =
                why_policy_open(self.tenant, vault, policy).or_else(|| wrong_tenant(self.tenant, vault, capability));
            for reached in self.principals.behind(&policy.object_id) {
                let mut evidence = vec![policy.from.clone()];
                evidence.extend(reached.evidence.iter().cloned());
                evidence.push(vault.from.clone());
                let path = Path {
                    via: Via::Policy { application_id: policy.application_id.clone() },
                    scope: vault.id.clone(),
                    through: reached.through.clone(),
                    open: open.clone(),
                    evidence,
                };
                found.add(capability, &reached.id, &vault.id, usize::MAX, Arc::new(path));
            }
        }
    }
}

/// Paths to one object or the vault, with the rank of their scope.
type Ranked = Vec<(usize, Arc<Path>)>;

/// Paths by capability and principal, then by object.
#[derive(Default)]
struct Found(BTreeMap<(Capability, String), BTreeMap<Id, Ranked>>);

impl Found {
    fn add(&mut self, capability: Capability, principal: &str, object: &Id, rank: usize, path: Arc<Path>) {
        let objects = self.0.entry((capability, principal.to_owned())).or_default();
        objects.entry(object.clone()).or_default().push((rank, path));
    }

    /// One grant for the vault and one for each object in it. Where the whole vault is granted for certain, the
    /// narrower paths are further paths of that grant.
    fn into_grants(self, vault: &Id) -> Vec<Grant> {
        let mut grants = Vec::new();
        for ((capability, principal_id), mut objects) in self.0 {
            let is_settled = |paths: &Ranked| paths.iter().any(|(_, path)| path.open.is_none());
            if objects.get(vault).is_some_and(is_settled) {
                let all = std::mem::take(&mut objects).into_values().flatten().collect();
                objects.insert(vault.clone(), all);
            }
            for (object, mut paths) in objects {
                paths.sort_by(|(a_rank, a), (b_rank, b)| (a_rank, &a.scope).cmp(&(b_rank, &b.scope)));
                let paths: Vec<Arc<Path>> = paths.into_iter().map(|(_, path)| path).collect();
                let answer = match paths.iter().any(|path| path.open.is_none()) {
                    true => Answer::Allowed,
                    false => Answer::NotDetermined,
                };
                grants.push(Grant { principal_id: principal_id.clone(), object, capability, answer, paths });
            }
        }
        grants
    }
}

/// The capabilities that a role gives. Each entry of the role grants on its own.
fn given(definition: &RoleDefinition, is_rbac: bool) -> BTreeMap<Capability, Given<'_>> {
    let of = |capability: Capability| {
        let by = |entry| capability.granted_by(entry, is_rbac);
        let (always, when): (Vec<_>, Vec<_>) =
            definition.permissions.iter().partition(|entry| entry.condition.is_none());
        let actions: Vec<&'static str> = always.into_iter().flat_map(by).collect();
        if !actions.is_empty() {
            return Some(Given::By(actions));
        }
        let entry = when.into_iter().find(|entry| !by(entry).is_empty())?;
        entry.condition.as_deref().map(Given::When)
    };
    Capability::ALL.iter().filter_map(|capability| Some((*capability, of(*capability)?))).collect()
}

/// What keeps a role assignment from being settled, leaving deny assignments aside.
fn why_open(assignment: &RoleAssignment, given: Option<&Given<'_>>) -> Option<Open> {
    let Some(given) = given else {
        let detail = format!("role definition `{}` was not read", assignment.role);
        return Some(Open { reason: Reason::RoleDefinitionUnknown, detail, from: Some(assignment.from.clone()) });
    };
    let condition = match (&assignment.condition, given) {
        (Some(condition), _) => condition.as_str(),
        (None, Given::When(condition)) => condition,
        (None, _) => return None,
    };
    let detail = format!("it holds only when: {condition}");
    Some(Open { reason: Reason::ConditionNotEvaluated, detail, from: Some(assignment.from.clone()) })
}

/// What keeps an access policy from being settled.
fn why_policy_open(tenant: &Tenant, vault: &Vault, policy: &AccessPolicy) -> Option<Open> {
    let trusted = vault.tenant_id.as_ref().unwrap_or(&tenant.id);
    let (reason, detail) = match (&policy.application_id, &policy.tenant_id) {
        (Some(application), _) => {
            let detail = format!("it holds only for application `{application}` acting for this principal");
            (Reason::ConditionNotEvaluated, detail)
        }
        (None, Some(named)) if !named.eq_ignore_ascii_case(trusted) => (
            Reason::PrincipalUnresolved,
            format!("the policy names tenant `{named}`, and the vault trusts `{trusted}`"),
        ),
        _ => return None,
    };
    Some(Open { reason, detail, from: Some(policy.from.clone()) })
}

/// After a move between tenants a vault goes on trusting the old one; what its grants are worth is then open.
fn wrong_tenant(tenant: &Tenant, vault: &Vault, capability: Capability) -> Option<Open> {
    let trusted = vault.tenant_id.as_deref().filter(|trusted| !trusted.eq_ignore_ascii_case(&tenant.id))?;
    if !capability.is_data() {
        return None;
    }
    let detail = format!("the vault trusts tenant `{trusted}` and not this one");
    Some(Open { reason: Reason::ValueUnknown, detail, from: Some(vault.from.clone()) })
}

/// Role assignments by everyone who holds them; a group holds its own too.
fn held(tenant: &Tenant, principals: &Principals) -> BTreeMap<String, Vec<Held>> {
    let mut held: BTreeMap<String, Vec<Held>> = BTreeMap::new();
    for (index, assignment) in tenant.role_assignments.iter().enumerate() {
        let definition = tenant.role_definitions.get(&assignment.role);
        let base = || std::iter::once(&assignment.from).chain(definition.map(|definition| &definition.from)).cloned();
        let mut is_itself = false;
        for reached in principals.behind(&assignment.principal_id) {
            is_itself |= reached.id == assignment.principal_id;
            let evidence = base().chain(reached.evidence.iter().cloned()).collect();
            let role = Held { assignment: index, through: reached.through.clone(), evidence };
            held.entry(reached.id.clone()).or_default().push(role);
        }
        if !is_itself {
            let role = Held { assignment: index, through: Vec::new(), evidence: base().collect() };
            held.entry(assignment.principal_id.clone()).or_default().push(role);
        }
    }
    held
}

/// Groups that hold a role or a policy and whose members are not all known, each once.
fn open_groups(tenant: &Tenant, principals: &Principals) -> Vec<Open> {
    let roles = tenant.role_assignments.iter().map(|assignment| &assignment.principal_id);
    let policies = tenant.vaults.iter().flat_map(|vault| &vault.access_policies).map(|policy| &policy.object_id);
    let holders: std::collections::BTreeSet<&String> = roles.chain(policies).collect();
    holders.into_iter().filter_map(|id| principals.open(id).cloned()).collect()
}

#[cfg(test)]
mod tests;
