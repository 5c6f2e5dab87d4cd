//! What gives access through roles: assignments, eligible roles, what was delegated, administrators of the classic
//! model.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::index::{Gives, Source};
use super::principals::{Holder, Principals};
use super::role::{Role, Rules};
use super::{Activation, Answer, Open, Standing, Via};
use crate::evidence::{Cite, Reason};
use crate::model::{
    ClassicAdministrator, Delegate, Delegation, Id, Permission, RoleAssignment, RoleDefinition, RoleSchedule, Tenant,
    Text, Texts,
};

/// Every source, assignments first and in the tenant's order.
pub(super) fn of(tenant: &Tenant, principals: &Principals, rules: &mut Rules) -> Vec<Source> {
    let mut roles =
        Roles { tenant, read: BTreeMap::new(), unread: Arc::new(Role::anything()), texts: Texts::default() };
    let mut standing: BTreeMap<&Id, &RoleSchedule> = BTreeMap::new();
    for schedule in &tenant.authorization.active {
        standing.extend(schedule.origin.as_ref().map(|origin| (origin, schedule)));
    }
    let mut sources = Vec::with_capacity(tenant.role_assignments.len());
    for (place, assignment) in tenant.role_assignments.iter().enumerate() {
        let Some(holder) = principals.holder(&assignment.principal_id) else { continue };
        let schedule = standing.get(&assignment.id).copied();
        sources.push(active(place, assignment, schedule, holder, &mut roles, rules));
    }
    let is_over = |schedule: &&RoleSchedule| schedule.ends.is_none_or(|ends| ends > tenant.collected_at);
    for schedule in tenant.authorization.eligible.iter().filter(is_over) {
        let Some(holder) = principals.holder(&schedule.principal_id) else { continue };
        sources.push(eligible(schedule, holder, &mut roles, rules));
    }
    for delegation in &tenant.authorization.delegations {
        let now = delegation.authorizations.iter().map(|delegate| (delegate, false));
        for (delegate, is_eligible) in now.chain(delegation.eligible.iter().map(|delegate| (delegate, true))) {
            sources.extend(delegated(delegation, delegate, is_eligible, principals, &mut roles, rules));
        }
    }
    let administrators = &tenant.authorization.classic_administrators;
    sources.extend(administrators.iter().filter_map(|administrator| classic(administrator, principals, rules)));
    sources
}

/// Roles that are held, each worked out once.
struct Roles<'a> {
    tenant: &'a Tenant,
    read: BTreeMap<String, Arc<Role>>,
    unread: Arc<Role>,
    texts: Texts,
}

impl<'a> Roles<'a> {
    fn definition(&self, guid: &str) -> Option<&'a RoleDefinition> {
        self.tenant.role_definitions.get(guid)
    }

    fn name(&self, guid: &str) -> Text {
        self.text(self.definition(guid).map_or(guid, |definition| &definition.name))
    }

    fn text(&self, text: &str) -> Text {
        self.texts.text(text)
    }

    /// The role; one that may give anything when its definition was not read.
    fn role(&mut self, guid: &str, rules: &mut Rules) -> Arc<Role> {
        let Some(definition) = self.definition(guid) else { return self.unread.clone() };
        if let Some(role) = self.read.get(guid) {
            return role.clone();
        }
        let role = Arc::new(Role::of(definition, rules));
        self.read.insert(guid.to_owned(), role.clone());
        role
    }

    /// The source that gives the role at the scope.
    fn source(
        &mut self,
        via: Via,
        scope: &Id,
        holder: &Arc<Holder>,
        guid: &str,
        from: &Cite,
        rules: &mut Rules,
    ) -> Source {
        let role = self.role(guid, rules);
        let definition = self.definition(guid);
        let base = std::iter::once(from).chain(definition.map(|definition| &definition.from)).cloned().collect();
        let source = Source::new(via, scope.clone(), holder.clone(), Gives::Role(role), base);
        if definition.is_some() {
            return source;
        }
        let detail = format!("role definition `{guid}` was not read");
        let open = Open { reason: Reason::RoleDefinitionUnknown, detail, from: Some(from.clone()) };
        source.at_best(Answer::NotDetermined, Some(open))
    }
}

fn active(
    place: usize,
    assignment: &RoleAssignment,
    schedule: Option<&RoleSchedule>,
    holder: &Arc<Holder>,
    roles: &mut Roles<'_>,
    rules: &mut Rules,
) -> Source {
    let standing = match schedule {
        Some(schedule) if schedule.is_activated() => Standing::Activated(schedule.ends),
        Some(schedule) => schedule.ends.map_or(Standing::Permanent, Standing::Until),
        None => Standing::Unknown,
    };
    let (role, role_name) = (roles.text(&assignment.role), roles.name(&assignment.role));
    let via = Via::Role { assignment: assignment.id.clone(), role_name, role, standing };
    let mut source = roles.source(via, &assignment.scope, holder, &assignment.role, &assignment.from, rules);
    source.rule = assignment.condition.as_deref().map(|text| rules.read(text));
    source.place = Some(place);
    source
}

/// An eligible role gives nothing before it is activated (learn:entra/id-governance/privileged-identity-management).
fn eligible(schedule: &RoleSchedule, holder: &Arc<Holder>, roles: &mut Roles<'_>, rules: &mut Rules) -> Source {
    let role = schedule.role.clone();
    let name = roles.name(&role);
    // Every scope has rules of its own for a role; those of a scope above are not inherited.
    let all = &roles.tenant.authorization.rules;
    let start = all.partition_point(|rules| (&rules.scope, &rules.role) < (&schedule.scope, &role));
    let activation = all.get(start).filter(|rules| rules.scope == schedule.scope && rules.role == role);
    let activation = activation.map_or_else(
        || Activation { of: name.to_string(), ..Activation::default() },
        |rules| Activation {
            of: name.to_string(),
            approval: rules.approval,
            mfa: rules.mfa,
            authentication_context: rules.authentication_context,
            reason: rules.reason,
            ticket: rules.ticket,
            longest_minutes: rules.longest_activation,
            from: Some(rules.from.clone()),
        },
    );
    let via = Via::EligibleRole {
        schedule: schedule.id.clone(),
        role: roles.text(&role),
        role_name: name,
        ends: schedule.ends,
    };
    let mut source = roles.source(via, &schedule.scope, holder, &schedule.role, &schedule.from, rules);
    source.rule = schedule.condition.as_deref().map(|text| rules.read(text));
    source.activation = Some(Arc::new(activation));
    source.at_best(Answer::Eligible, None)
}

/// What Azure Lighthouse gives to another tenant's principal (learn:azure/lighthouse/concepts/tenants-users-roles).
/// It never stands in a list of role assignments, and a group of the other tenant cannot be expanded here.
fn delegated(
    delegation: &Delegation,
    delegate: &Delegate,
    is_eligible: bool,
    principals: &Principals,
    roles: &mut Roles<'_>,
    rules: &mut Rules,
) -> Option<Source> {
    let who = principals.find(&delegate.principal_id)?;
    let holder = Arc::new(Holder::alone(principals.id(who), who));
    let role = delegate.role.clone();
    let name = roles.name(&role);
    let via = Via::Lighthouse {
        delegation: delegation.id.clone(),
        tenant: delegation.managing_tenant.clone(),
        role_name: name.clone(),
        role: roles.text(&role),
        is_eligible,
    };
    let mut source = roles.source(via, &delegation.scope, &holder, &delegate.role, &delegation.from, rules);
    if is_eligible {
        source.activation = Some(Arc::new(Activation {
            of: name.to_string(),
            mfa: delegate.mfa,
            longest_minutes: delegate.longest_activation,
            from: Some(delegation.from.clone()),
            ..Activation::default()
        }));
        source = source.at_best(Answer::Eligible, None);
    }
    if !delegate.may_assign.is_empty() {
        let detail = format!(
            "it assigns only the roles {}, and only to managed identities",
            delegate.may_assign.iter().map(|role| format!("`{}`", roles.name(role))).collect::<Vec<_>>().join(", ")
        );
        source.limited =
            Some(Arc::new(Open { reason: Reason::ConditionNotEvaluated, detail, from: Some(delegation.from.clone()) }));
    }
    let is_in_force = delegation.state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("Succeeded"));
    if is_in_force {
        return Some(source);
    }
    let state = delegation.state.as_deref().unwrap_or("not told");
    let detail = format!("the state of the delegation is {state}, so that it may not be in force");
    let open = Open { reason: Reason::ValueUnknown, detail, from: Some(delegation.from.clone()) };
    Some(source.at_best(Answer::NotDetermined, Some(open)))
}

/// An administrator of the classic model is like an owner of the subscription. The model is retired, and a list that
/// still shows one is taken at its word (learn:azure/role-based-access-control/classic-administrators).
fn classic(administrator: &ClassicAdministrator, principals: &Principals, rules: &mut Rules) -> Option<Source> {
    let subscription = administrator.subscription()?;
    let who = principals.find(administrator.id.key())?;
    let holder = Arc::new(Holder::alone(principals.id(who), who));
    let owner = RoleDefinition {
        guid: String::new(),
        name: String::new(),
        role_type: None,
        permissions: vec![Permission { actions: vec!["*".to_owned()], ..Permission::default() }],
        from: administrator.from.clone(),
    };
    let gives = Gives::Role(Arc::new(Role::of(&owner, rules)));
    let via = Via::Classic { administrator: administrator.id.clone(), roles: administrator.roles.clone() };
    Some(Source::new(via, subscription, holder, gives, vec![administrator.from.clone()]))
}
