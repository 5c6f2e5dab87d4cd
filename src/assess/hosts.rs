//! What code on each host reaches through all its identities, in words, and which hosts reach the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::access::{Access, Capability, HostReach, Reached, union};
use crate::evidence::Cite;
use crate::model::{Id, Tenant, Texts};

/// Hosts and what they reach.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// One for each host and identity on it; hosts with several identities first, then by name.
    pub lines: Vec<HostLine>,
    /// Objects that several hosts reach, by vault and object.
    pub overlaps: Vec<Overlap>,
}

/// One identity on one host.
#[derive(Clone, Debug)]
pub struct HostLine {
    /// Name of the host.
    pub host: String,
    /// Its ARM id.
    pub host_id: String,
    /// Its type.
    pub host_type: String,
    /// How many identities it carries.
    pub identities: usize,
    /// Name of the identity, else its object id.
    pub identity: String,
    /// Its object id; empty where it is not told.
    pub principal_id: String,
    /// What it gives, by vault and object.
    pub reaches: Vec<ReachLine>,
    /// The record that shows that the host carries it.
    pub from: Cite,
}

/// One vault or object that an identity gives to a host. There are very many of these: they share their texts.
#[derive(Clone, Debug)]
pub struct ReachLine {
    /// Name of the vault.
    pub vault: Arc<str>,
    /// ARM id of the vault, or of the object that alone is granted.
    pub object: Arc<str>,
    /// Where in words: `kv` or `kv/secrets/db`.
    pub place: Arc<str>,
    /// What may be done, in words.
    pub can: Arc<str>,
    /// Those of these that no other identity of the host gives, in words; empty on a host with one identity.
    pub alone: Arc<str>,
    /// Names of the host's other identities that give some of it.
    pub also_by: Vec<String>,
    /// The worst of the answers, in words.
    pub answer: &'static str,
    /// The records.
    pub evidence: Vec<Cite>,
}

/// An object that several hosts reach.
#[derive(Clone, Debug)]
pub struct Overlap {
    /// Where in words.
    pub place: String,
    /// What may be done there by several, in words.
    pub can: String,
    /// Names of the identities by which.
    pub identities: Vec<String>,
    /// Names of the hosts.
    pub hosts: Vec<String>,
    /// The records.
    pub evidence: Vec<Cite>,
}

/// Works it out for every host.
pub(super) fn hosts(tenant: &Tenant, access: &Access) -> Hosts {
    let found = union(tenant, access);
    let names = Names::of(tenant);
    let mut lines: Vec<HostLine> = found.iter().flat_map(|reach| lines_of(&names, reach)).collect();
    lines.sort_by(|a, b| {
        let key = |line: &HostLine| (line.identities < 2, line.host.clone(), line.host_id.clone());
        key(a).cmp(&key(b)) // identities of one host stay in the order in which it names them
    });
    Hosts { lines, overlaps: overlaps(&names, &found) }
}

/// Names of identities and vaults.
struct Names<'a> {
    tenant: &'a Tenant,
    identities: BTreeMap<String, &'a str>,
    texts: Texts,
}

impl<'a> Names<'a> {
    fn of(tenant: &'a Tenant) -> Names<'a> {
        let own = tenant.user_assigned.iter();
        let identities = own.filter_map(|one| Some((one.principal_id.as_ref()?.to_lowercase(), one.name.as_str())));
        Names { tenant, identities: identities.collect(), texts: Texts::default() }
    }

    fn identity(&self, reach: &HostReach<'_>, place: usize) -> String {
        let Some(carried) = reach.host.identities.get(place) else { return String::new() };
        let Some(principal) = &carried.principal_id else {
            return carried.identity.map_or_else(String::new, |id| id.name().to_owned());
        };
        match self.identities.get(principal) {
            Some(name) => (*name).to_owned(),
            None => self.tenant.principal_name(principal),
        }
    }
}

/// `kv`, or `kv/secrets/db`.
fn place(reached: &Reached) -> String {
    let below = reached.object.shown().get(reached.vault.shown().len()..).unwrap_or_default();
    format!("{}{below}", reached.vault.name())
}

fn lines_of(names: &Names<'_>, reach: &HostReach<'_>) -> Vec<HostLine> {
    let identities = reach.host.identities.len();
    let of_identity = |(number, carried): (usize, &crate::access::Carried<'_>)| HostLine {
        host: reach.host.resource.name.clone(),
        host_id: reach.host.resource.id.shown().to_owned(),
        host_type: reach.host.resource.resource_type.clone(),
        identities,
        identity: names.identity(reach, number),
        principal_id: carried.principal_id.clone().unwrap_or_default(),
        reaches: reaches(names, reach, number),
        from: carried.from.clone(),
    };
    reach.host.identities.iter().enumerate().map(of_identity).collect()
}

fn reaches(names: &Names<'_>, reach: &HostReach<'_>, number: usize) -> Vec<ReachLine> {
    let mut by_object: BTreeMap<(String, &Id), Vec<&Reached>> = BTreeMap::new();
    for reached in reach.given_by(number) {
        by_object.entry((place(reached), &reached.object)).or_default().push(reached);
    }
    let is_several = reach.host.identities.len() > 1;
    let line = |((place, object), reached): ((String, &Id), Vec<&Reached>)| {
        let alone = reached.iter().filter(|one| is_several && one.by == [number]);
        let others: BTreeSet<usize> = reached.iter().flat_map(|one| &one.by).copied().collect();
        let evidence: BTreeSet<Cite> = reached.iter().flat_map(|one| &one.evidence).cloned().collect();
        ReachLine {
            vault: names.texts.of(reached.first().map_or("", |one| one.vault.name())),
            object: names.texts.of(object.shown()),
            place: names.texts.of(&place),
            can: names.texts.of(&words(reached.iter().map(|one| one.capability))),
            alone: names.texts.of(&words(alone.map(|one| one.capability))),
            also_by: others
                .into_iter()
                .filter(|other| *other != number)
                .map(|one| names.identity(reach, one))
                .collect(),
            answer: reached.iter().map(|one| one.answer).max().map_or("", |answer| answer.words()),
            evidence: evidence.into_iter().collect(),
        }
    };
    by_object.into_iter().map(line).collect()
}

fn words(capabilities: impl Iterator<Item = Capability>) -> String {
    let words: Vec<&str> = capabilities.map(Capability::words).collect();
    words.join(", ")
}

/// What several hosts reach, joined where the same ones reach it by the same identities.
fn overlaps(names: &Names<'_>, found: &[HostReach<'_>]) -> Vec<Overlap> {
    type By<'a> = (BTreeSet<String>, BTreeSet<String>, BTreeSet<&'a Cite>);
    let mut by_object: BTreeMap<(String, Capability), By<'_>> = BTreeMap::new();
    for reach in found {
        for reached in &reach.reached {
            let (hosts, identities, evidence) = by_object.entry((place(reached), reached.capability)).or_default();
            hosts.insert(reach.host.resource.id.shown().to_owned());
            identities.extend(reached.by.iter().map(|number| names.identity(reach, *number)));
            evidence.extend(&reached.evidence);
        }
    }
    type Same = (String, BTreeSet<String>, BTreeSet<String>);
    let mut joined: BTreeMap<Same, (Vec<Capability>, BTreeSet<&Cite>)> = BTreeMap::new();
    for ((place, capability), (hosts, identities, evidence)) in by_object {
        if hosts.len() > 1 {
            let entry = joined.entry((place, hosts, identities)).or_default();
            entry.0.push(capability);
            entry.1.extend(evidence);
        }
    }
    let overlap = |((place, hosts, identities), (can, evidence)): (Same, (Vec<Capability>, BTreeSet<&Cite>))| Overlap {
        place,
        can: words(can.into_iter()),
        identities: identities.into_iter().collect(),
        hosts: hosts.iter().map(|id| id.rsplit('/').next().unwrap_or(id).to_owned()).collect(),
        evidence: evidence.into_iter().cloned().collect(),
    };
    joined.into_iter().map(overlap).collect()
}
