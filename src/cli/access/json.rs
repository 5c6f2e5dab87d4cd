//! Answers for a program.

use serde_json::{Value, json};

use super::{Shown, principal, word};
use crate::access::escalation::{Edge, Goal, Route as Way, Target};
use crate::access::network::Route;
use crate::access::{Gap, Grant, Idle, Path};
use crate::evidence::Cite;
use crate::model::{Tenant, Vault};

pub(super) fn of(shown: &Shown<'_>) -> Value {
    let answers: Vec<Value> = shown.grants.iter().map(|grant| answer(shown, grant)).collect();
    let idle: Vec<Value> = match shown.vault {
        Some(vault) => shown.access.idle(&vault.id).iter().map(|one| idle(shown.tenant, one)).collect(),
        None => Vec::new(),
    };
    json!({
        "capture": shown.capture,
        "collected_at": shown.tenant.collected_at,
        "vault": shown.vault.map(|vault| vault.id.shown()),
        "network": shown.vault.map(Route::to),
        "principal": shown.principal.as_deref().map(|id| who(shown.tenant, id)),
        "answers": answers,
        "gives_nothing_now": idle,
        "gaps": gaps(&shown.gaps),
    })
}

fn answer(shown: &Shown<'_>, grant: &Grant) -> Value {
    let paths: Vec<Value> = grant.paths.iter().map(|one| path(shown, grant, one)).collect();
    json!({
        "principal": who(shown.tenant, &grant.principal_id),
        "object": grant.object.shown(),
        "capability": grant.capability.name(),
        "answer": word(grant.answer),
        "paths": paths,
    })
}

fn who(tenant: &Tenant, id: &str) -> Value {
    let (name, kind) = principal(tenant, id);
    json!({"id": id, "name": name, "type": kind})
}

fn path(shown: &Shown<'_>, grant: &Grant, path: &Path) -> Value {
    let through: Vec<Value> =
        path.through.iter().map(|hop| json!({"group_id": hop.group_id, "name": hop.name})).collect();
    let activations: Vec<String> = path.activations.iter().map(|activation| activation.words()).collect();
    let vault = shown.tenant.vaults.iter().find(|vault| vault.id.is_at_or_above(&grant.object));
    let evidence = vault.map(|vault| shown.access.evidence(&vault.id, path)).unwrap_or_default();
    json!({
        "words": path.words(),
        "via": path.via.words(),
        "scope": path.scope.shown(),
        "through": through,
        "answer": word(path.answer),
        "activations": activations,
        "open": path.open.as_ref().map(|open| json!({"reason": word(open.reason), "detail": open.detail})),
        "evidence": places(&evidence),
    })
}

fn idle(tenant: &Tenant, idle: &Idle) -> Value {
    let capabilities: Vec<&str> = idle.capabilities.iter().map(|capability| capability.name()).collect();
    json!({
        "principal": who(tenant, &idle.holder_id),
        "via": idle.via.words(),
        "scope": idle.scope.shown(),
        "capabilities": capabilities,
        "why": idle.why.words(),
        "evidence": places(&idle.evidence),
    })
}

pub(super) fn gaps(gaps: &[Gap]) -> Vec<Value> {
    let gap = |gap: &Gap| {
        json!({
            "about": word(gap.about),
            "name": gap.name,
            "reason": word(gap.reason),
            "detail": gap.detail,
            "evidence": gap.from.as_ref().map(|cite| cite.place()),
        })
    };
    gaps.iter().map(gap).collect()
}

fn places(evidence: &[Cite]) -> Vec<String> {
    evidence.iter().map(|cite| cite.place()).collect()
}

pub(super) fn route(tenant: &Tenant, id: &str, vault: &Vault, goal: Goal, way: Option<&Way>, unread: &[Gap]) -> Value {
    json!({
        "principal": who(tenant, id),
        "vault": vault.id.shown(),
        "goal": word(goal),
        "path": way.map(|way| json!({
            "certainty": word(way.certainty),
            "length": way.length,
            "direct": way.is_direct(),
            "steps": way.edges.iter().map(|edge| step(tenant, edge)).collect::<Vec<_>>(),
        })),
        "gaps": gaps(unread),
    })
}

fn step(tenant: &Tenant, edge: &Edge) -> Value {
    let to = match &edge.to {
        Target::Principal(id) => who(tenant, id),
        Target::Vault(vault) => json!({"id": vault.shown(), "name": vault.name(), "type": "vault"}),
    };
    json!({
        "step": word(edge.step),
        "from": who(tenant, &edge.from),
        "to": to,
        "by": edge.by,
        "on": edge.on.as_ref().map(|on| on.shown()),
        "activated_first": edge.is_activated_first,
        "certainty": word(edge.certainty),
        "doubt": edge.doubt,
        "evidence": places(&edge.evidence),
    })
}
