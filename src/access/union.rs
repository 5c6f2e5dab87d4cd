//! What code on each host reaches through all identities of the host together, and which of them gives it.
//!
//! The boundary is the host, not the process: any code there can act as every identity that it carries. What only one
//! of several identities gives is what the others' code would lose if that one moved to a host of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Access, Answer, Capability, Grant, Host, Path, hosts};
use crate::evidence::Cite;
use crate::model::{Id, Tenant};

/// A host, and what it reaches.
#[derive(Clone, Debug)]
pub struct HostReach<'a> {
    /// The host and its identities.
    pub host: Host<'a>,
    /// What code on it may do in vaults, by vault, object and capability.
    pub reached: Vec<Reached>,
}

/// Something that code on a host may do.
#[derive(Clone, Debug)]
pub struct Reached {
    /// The vault, or the object in it that alone is granted.
    pub object: Id,
    /// The vault.
    pub vault: Id,
    /// What may be done. Reading private keys follows from reading secrets and is left out.
    pub capability: Capability,
    /// The best answer of the identities: allowed, conditional or not determined.
    pub answer: Answer,
    /// Places of the identities that give it, in order.
    pub by: Vec<usize>,
    /// The records of the paths.
    pub evidence: Vec<Cite>,
}

impl HostReach<'_> {
    /// What one identity gives.
    pub fn given_by(&self, place: usize) -> impl Iterator<Item = &Reached> {
        self.reached.iter().filter(move |reached| reached.by.contains(&place))
    }

    /// What one identity alone gives: moved to a host of its own, it would take this away from the code that stays.
    pub fn alone(&self, place: usize) -> impl Iterator<Item = &Reached> {
        self.reached.iter().filter(move |reached| reached.by == [place])
    }
}

/// Every host with what it reaches. Vaults of which not all was read are reached at least so: [`Access::gaps`].
pub fn union<'a>(tenant: &'a Tenant, access: &Access) -> Vec<HostReach<'a>> {
    let mut found: Vec<HostReach<'a>> =
        hosts(tenant).into_iter().map(|host| HostReach { host, reached: Vec::new() }).collect();
    let mut carriers: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (host, reach) in found.iter().enumerate() {
        for (place, carried) in reach.host.identities.iter().enumerate() {
            if let Some(principal) = &carried.principal_id {
                carriers.entry(principal.clone()).or_default().push((host, place));
            }
        }
    }
    if carriers.is_empty() {
        return found;
    }
    for vault in &tenant.vaults {
        for (host, reached) in of_vault(access, &vault.id, &carriers) {
            if let Some(reach) = found.get_mut(host) {
                reach.reached.push(reached);
            }
        }
    }
    found
}

/// What one vault gives to hosts, in order of object and capability.
fn of_vault(access: &Access, vault: &Id, carriers: &BTreeMap<String, Vec<(usize, usize)>>) -> Vec<(usize, Reached)> {
    let counts = |grant: &Grant| {
        let is_had = matches!(grant.answer, Answer::Allowed | Answer::Conditional | Answer::NotDetermined);
        is_had && grant.capability != Capability::ReadPrivateKey
    };
    let grants = access.on(vault);
    let mut by_object: BTreeMap<(&Id, Capability), BTreeMap<&str, &Grant>> = BTreeMap::new();
    for grant in grants.iter().filter(|grant| carriers.contains_key(&*grant.principal_id)) {
        by_object.entry((&grant.object, grant.capability)).or_default().insert(&grant.principal_id, grant);
    }
    let mut found = Vec::new();
    for ((object, capability), own) in &by_object {
        // who holds the whole vault holds the object too, unless the object's own answer says otherwise
        let mut holders: BTreeMap<&str, &Grant> = match *object == vault {
            true => BTreeMap::new(),
            false => by_object.get(&(vault, *capability)).cloned().unwrap_or_default(),
        };
        holders.extend(own.iter().map(|(principal, grant)| (*principal, *grant)));
        let mut of_host: BTreeMap<usize, (Answer, Vec<usize>, Vec<Cite>)> = BTreeMap::new();
        for (principal, grant) in holders.into_iter().filter(|(_, grant)| counts(grant)) {
            for (host, place) in carriers.get(principal).into_iter().flatten() {
                let entry = of_host.entry(*host).or_insert((grant.answer, Vec::new(), Vec::new()));
                entry.0 = entry.0.min(grant.answer);
                entry.1.push(*place);
                entry.2.extend(evidence(access, vault, &grant.paths));
            }
        }
        found.extend(of_host.into_iter().map(|(host, (answer, mut by, mut evidence))| {
            by.sort_unstable();
            evidence.sort();
            evidence.dedup();
            let reached = Reached {
                object: (*object).clone(),
                vault: vault.clone(),
                capability: *capability,
                answer,
                by,
                evidence,
            };
            (host, reached)
        }));
    }
    found
}

/// The records of the best path.
fn evidence(access: &Access, vault: &Id, paths: &[Arc<Path>]) -> Vec<Cite> {
    let best = paths.iter().min_by_key(|path| path.answer);
    best.map(|path| access.evidence(vault, path)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::testing::{
        SECRETS_USER, SUB, arm_id, assignment_json, base, identity_id, identity_json, list, resource_json, role_json,
        vault_id, vault_json,
    };
    use crate::evidence::Kind;
    use crate::evidence::testing::CaptureBuilder;
    use crate::model;

    const A: &str = "aaaaaaaa-0000-0000-0000-00000000000a";
    const B: &str = "aaaaaaaa-0000-0000-0000-00000000000b";

    /// Two identities on one site, `a` alone on another, and these scopes to read secrets at.
    fn tenant(held: &[(&str, &str)]) -> CaptureBuilder {
        let site = |name: &str, identities: &[&str]| {
            let attached: serde_json::Map<String, serde_json::Value> =
                identities.iter().map(|name| (identity_id(name), json!({}))).collect();
            let identity = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": attached}});
            resource_json("Microsoft.Web/sites", name, &identity)
        };
        let actions = ["Microsoft.KeyVault/vaults/secrets/getSecret/action"];
        let assignments = held.iter().enumerate().map(|(number, (scope, who))| {
            let name = format!("cccccccc-0000-0000-0000-{number:012}");
            assignment_json(&name, scope, SECRETS_USER, who, "ServicePrincipal")
        });
        base()
            .replace(Kind::Vaults, SUB, list(["kv1", "kv2"].map(|name| vault_json(name, &json!({})))))
            .replace(Kind::Resources, SUB, list([site("both", &["a", "b"]), site("one", &["a"])]))
            .replace(
                Kind::UserAssignedIdentities,
                SUB,
                list([identity_json("a", A, &json!({})), identity_json("b", B, &json!({}))]),
            )
            .replace(Kind::RoleDefinitions, SUB, list([role_json(SECRETS_USER, "Reader", &[], &actions)]))
            .replace(Kind::RoleAssignments, SUB, list(assignments))
    }

    /// `HOST: OBJECT by PLACES`, in order.
    fn reached(builder: CaptureBuilder) -> Vec<String> {
        let tenant = model::read(&builder.build()).expect("a tenant");
        let found = union(&tenant, &Access::of(&tenant));
        let line = |reach: &HostReach<'_>, one: &Reached| {
            format!("{}: {} by {:?}", reach.host.resource.name, one.object.name(), one.by)
        };
        found
            .iter()
            .flat_map(|reach| reach.reached.iter().map(|one| line(reach, one)).collect::<Vec<String>>())
            .collect()
    }

    #[test]
    fn a_host_reaches_what_each_of_its_identities_reaches() {
        let (kv1, kv2) = (vault_id("kv1"), vault_id("kv2"));
        let lines = reached(tenant(&[(&kv1, A), (&kv2, B)]));
        assert_eq!(lines, ["both: kv1 by [0]", "both: kv2 by [1]", "one: kv1 by [0]"]);
        let overlapping = reached(tenant(&[(&kv1, A), (&kv1, B)]));
        assert_eq!(overlapping, ["both: kv1 by [0, 1]", "one: kv1 by [0]"], "a split takes nothing away");
    }

    #[test]
    fn whoever_holds_the_vault_holds_the_secret_too() {
        let (kv1, one) = (vault_id("kv1"), format!("{}/secrets/db", vault_id("kv1")));
        let lines = reached(tenant(&[(&kv1, A), (&one, B)]));
        assert_eq!(lines, ["both: kv1 by [0]", "both: db by [0, 1]", "one: kv1 by [0]", "one: db by [0]"]);
    }

    #[test]
    fn without_access_and_without_hosts_there_is_nothing() {
        assert!(reached(tenant(&[])).is_empty());
        assert!(reached(tenant(&[(&arm_id("Microsoft.Web/sites", "x"), A)])).is_empty());
        assert!(reached(base()).is_empty());
    }
}
