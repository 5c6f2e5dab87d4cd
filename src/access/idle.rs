//! What would give access to a vault's contents and gives none: kept in sight, because a change of the vault's model
//! brings it to life (learn:azure/key-vault/general/rbac-guide).

use super::index::{Gives, Index, Site, Source};
use super::{Capability, Idle, IdleWhy};
use crate::evidence::Reason;

/// Dormant policies, ineffective roles and policies that name nobody.
pub(super) fn of(index: &Index, site: &Site) -> Vec<Idle> {
    let dead = site.dead.iter().map(|policy| (policy, IdleWhy::NamesRegistration));
    let dormant = site.policies.iter().filter(|_| site.is_rbac).map(|policy| (policy, IdleWhy::DormantPolicy));
    let above = site.chain.sources.iter().map(|(_, source)| source);
    let own = index.by_scope.get(&site.id).into_iter().flatten();
    let inside = index.inside(&site.id).flat_map(|(_, sources)| sources);
    let sources = above.chain(own).chain(inside).filter_map(|source| index.sources.get(*source));
    let is_read =
        |source: &&Source| source.open.as_ref().is_none_or(|open| open.reason != Reason::RoleDefinitionUnknown);
    let roles = sources.filter(|_| !site.is_rbac).filter(is_read).map(|source| (source, IdleWhy::IneffectiveRole));
    let idle = dead.chain(dormant).chain(roles).map(|(source, why)| idle(source, why));
    idle.filter(|idle| !idle.capabilities.is_empty()).collect()
}

fn idle(source: &Source, why: IdleWhy) -> Idle {
    let capabilities: Vec<Capability> = match &source.gives {
        Gives::Policy(given) => given.to_vec(),
        Gives::Role(role) => {
            role.gives(true).iter().map(|(capability, _)| *capability).filter(|of| of.is_data()).collect()
        }
    };
    Idle {
        holder_id: source.holder.id.clone(),
        via: source.via.clone(),
        scope: source.scope.clone(),
        capabilities,
        why,
        evidence: source.base.to_vec(),
    }
}
