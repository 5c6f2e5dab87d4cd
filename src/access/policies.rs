//! Access policies of a vault: what they give in access-policy mode, and those that name nobody who signs in.

use super::index::{Gives, Source};
use super::principals::Principals;
use super::{Answer, Capability, Open, Via};
use crate::evidence::Reason;
use crate::model::{AccessPolicy, Tenant, Vault};

/// The policies of a vault, and apart from them those whose object id is an app registration's: never the object of a
/// token, so that nobody is meant (learn:azure/key-vault/general/assign-access-policy).
pub(super) fn of(tenant: &Tenant, principals: &Principals, vault: &Vault) -> (Vec<Source>, Vec<Source>) {
    let sources =
        vault.access_policies.iter().filter_map(|policy| Some((policy, source(tenant, principals, vault, policy)?)));
    let is_dead = |policy: &AccessPolicy| {
        let applications = &tenant.directory.applications;
        let found = applications.binary_search_by(|application| application.id.as_str().cmp(&policy.object_id));
        found.is_ok() && !tenant.principals.contains_key(&policy.object_id)
    };
    let (dead, live): (Vec<_>, Vec<_>) = sources.partition(|(policy, _)| is_dead(policy));
    let only = |pairs: Vec<(&AccessPolicy, Source)>| pairs.into_iter().map(|(_, source)| source).collect();
    (only(live), only(dead))
}

fn source(tenant: &Tenant, principals: &Principals, vault: &Vault, policy: &AccessPolicy) -> Option<Source> {
    let holder = principals.holder(&policy.object_id)?;
    let given = Capability::ALL.iter().copied().filter(|capability| capability.is_in(policy));
    let via = Via::Policy { application_id: policy.application_id.clone() };
    let gives = Gives::Policy(given.collect());
    let source = Source::new(via, vault.id.clone(), holder.clone(), gives, vec![policy.from.clone()]);
    Some(match why_open(tenant, vault, policy) {
        Some((answer, open)) => source.at_best(answer, Some(open)),
        None => source,
    })
}

/// What keeps an access policy from being settled. A compound identity, an application that acts for the principal,
/// has no equivalent among roles (learn:azure/key-vault/general/rbac-guide).
fn why_open(tenant: &Tenant, vault: &Vault, policy: &AccessPolicy) -> Option<(Answer, Open)> {
    let trusted = vault.tenant_id.as_ref().unwrap_or(&tenant.id);
    let (answer, reason, detail) = match (&policy.application_id, &policy.tenant_id) {
        (_, Some(named)) if !named.eq_ignore_ascii_case(trusted) => (
            Answer::NotDetermined,
            Reason::PrincipalUnresolved,
            format!("the policy names tenant `{named}`, and the vault trusts `{trusted}`"),
        ),
        (Some(application), _) => {
            let detail = format!("it holds only for application `{application}` acting for this principal");
            (Answer::Conditional, Reason::ConditionNotEvaluated, detail)
        }
        _ => return None,
    };
    Some((answer, Open { reason, detail, from: Some(policy.from.clone()) }))
}

/// After a move between tenants a vault goes on trusting the old one; what its grants are worth is then open.
pub(super) fn wrong_tenant(tenant: &Tenant, vault: &Vault) -> Option<Open> {
    let trusted = vault.tenant_id.as_deref().filter(|trusted| !trusted.eq_ignore_ascii_case(&tenant.id))?;
    let detail = format!("the vault trusts tenant `{trusted}` and not this one");
    Some(Open { reason: Reason::ValueUnknown, detail, from: Some(vault.from.clone()) })
}
