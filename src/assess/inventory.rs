//! The inventory of the report: identities, vaults, and who can do what on each vault.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::access::network::Route;
use crate::access::{Access, Path};
use crate::evidence::Cite;
use crate::model::{Id, Tenant, Vault};

/// Identities, vaults, and who can read what.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Managed identities, by name.
    pub identities: Vec<IdentityLine>,
    /// Vaults, by name.
    pub vaults: Vec<VaultLine>,
    /// One line for each vault, principal and path, by vault and principal.
    pub readers: Vec<ReaderLine>,
}

/// One managed identity.
#[derive(Clone, Debug)]
pub struct IdentityLine {
    /// Name.
    pub name: String,
    /// `system-assigned` or `user-assigned`.
    pub sort: &'static str,
    /// Object id; empty when not told.
    pub object_id: String,
    /// ARM ids of the resources that carry it.
    pub attached_to: Vec<String>,
    /// Issuer and subject of each federated credential.
    pub federated: Vec<String>,
    /// Where it was read.
    pub from: Cite,
}

/// One vault.
#[derive(Clone, Debug)]
pub struct VaultLine {
    /// Name.
    pub name: String,
    /// ARM id.
    pub id: String,
    /// Permission model in words.
    pub model: &'static str,
    /// Who may connect, in words.
    pub network: String,
    /// Soft delete and purge protection in words.
    pub protection: String,
    /// Where its audit events go, in words.
    pub audit: String,
    /// Where it was read.
    pub from: Cite,
}

/// One way in which one principal gets at one vault. There are very many of these, of few parts: they share them.
#[derive(Clone, Debug)]
pub struct ReaderLine {
    /// The vault.
    pub vault: Arc<NamedVault>,
    /// The principal.
    pub who: Arc<Reader>,
    /// The capabilities that this path gives, in words.
    pub can: Arc<str>,
    /// The path.
    pub by: Arc<Way>,
}

/// A vault by its name.
#[derive(Clone, Debug)]
pub struct NamedVault {
    /// Its name.
    pub name: String,
    /// Where it was read.
    pub from: Cite,
}

/// A principal by its name.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Name, else its object id.
    pub name: String,
    /// Object id.
    pub id: String,
    /// What it is; `not in the directory` for an orphan.
    pub kind: String,
}

/// A path to vaults.
#[derive(Clone, Debug)]
pub struct Way {
    /// The answer in words.
    pub answer: &'static str,
    /// The path in words.
    pub path: String,
    /// The records that it rests on, up to the vault.
    pub evidence: Vec<Cite>,
}

impl ReaderLine {
    /// The records that it rests on.
    pub fn evidence(&self) -> impl Iterator<Item = &Cite> {
        self.by.evidence.iter().chain([&self.vault.from])
    }
}

pub(super) fn inventory(tenant: &Tenant, access: &Access) -> Inventory {
    let mut vaults: Vec<&Vault> = tenant.vaults.iter().collect();
    vaults.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    let mut known = Known::default();
    Inventory {
        identities: identities(tenant),
        readers: vaults.iter().flat_map(|vault| readers(tenant, access, vault, &mut known)).collect(),
        vaults: vaults.iter().map(|vault| vault_line(tenant, vault)).collect(),
    }
}

fn identities(tenant: &Tenant) -> Vec<IdentityLine> {
    let mut lines: Vec<IdentityLine> = Vec::new();
    let mut hosts: BTreeMap<&Id, Vec<&Id>> = BTreeMap::new();
    for resource in &tenant.resources {
        let Some(identity) = &resource.identity else { continue };
        let attached: BTreeSet<&Id> = identity.user_assigned.iter().map(|attached| &attached.id).collect();
        attached.into_iter().for_each(|id| hosts.entry(id).or_default().push(&resource.id));
        if !identity.system_assigned {
            continue;
        }
        lines.push(IdentityLine {
            name: resource.name.clone(),
            sort: "system-assigned",
            object_id: identity.system_principal_id.clone().unwrap_or_default(),
            attached_to: vec![resource.id.shown().to_owned()],
            federated: Vec::new(),
            from: resource.from.clone(),
        });
    }
    for identity in &tenant.user_assigned {
        let hosts = hosts.get(&identity.id).into_iter().flatten();
        let credentials = tenant.federated.iter().filter(|credential| credential.identity == identity.id);
        let words = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        lines.push(IdentityLine {
            name: identity.name.clone(),
            sort: "user-assigned",
            object_id: identity.principal_id.clone().unwrap_or_default(),
            attached_to: hosts.map(|host| host.shown().to_owned()).collect(),
            federated: credentials.map(|one| format!("{} · {}", words(&one.issuer), words(&one.subject))).collect(),
            from: identity.from.clone(),
        });
    }
    lines.sort_by(|a, b| (&a.name, &a.object_id).cmp(&(&b.name, &b.object_id)));
    lines
}

fn vault_line(tenant: &Tenant, vault: &Vault) -> VaultLine {
    let soft_delete = match (vault.soft_delete, vault.soft_delete_retention_days) {
        (Some(true), Some(days)) => format!("soft delete {days} days"),
        (Some(true), None) => "soft delete".to_owned(),
        (Some(false), _) => "no soft delete".to_owned(),
        (None, _) => "soft delete not told".to_owned(),
    };
    let purge = if vault.purge_protection == Some(true) { "purge protection" } else { "no purge protection" };
    let destinations: Vec<String> = tenant
        .settings_of(&vault.id)
        .filter(|setting| setting.sends_audit_events())
        .map(|setting| match &setting.workspace_id {
            Some(workspace) => workspace.name().to_owned(),
            None => "outside Log Analytics".to_owned(),
        })
        .collect();
    VaultLine {
        name: vault.name.clone(),
        id: vault.id.shown().to_owned(),
        model: if vault.is_rbac() { "Azure RBAC" } else { "access policies" },
        network: Route::to(vault).words(),
        protection: format!("{soft_delete}, {purge}"),
        audit: if destinations.is_empty() { "not sent, as far as read".to_owned() } else { destinations.join(", ") },
        from: vault.from.clone(),
    }
}

/// What lines share.
#[derive(Default)]
struct Known {
    words: BTreeMap<String, Arc<str>>,
    readers: BTreeMap<Arc<str>, Arc<Reader>>,
    /// By the place of the path in memory and the subscription of the vault: the groups above are the subscription's.
    /// The path is held, so that no other comes to lie there.
    ways: BTreeMap<Place, (Arc<Path>, Arc<Way>)>,
}

/// Where a path lies in memory, and the subscription of the vault.
type Place = (*const Path, String);

impl Known {
    fn words(&mut self, text: String) -> Arc<str> {
        self.words.entry(text).or_insert_with_key(|text| text.as_str().into()).clone()
    }

    fn reader(&mut self, tenant: &Tenant, id: &Arc<str>) -> Arc<Reader> {
        let new = || Reader { name: tenant.principal_name(id), id: id.to_string(), kind: tenant.principal_kind(id) };
        self.readers.entry(id.clone()).or_insert_with(|| Arc::new(new())).clone()
    }

    fn way(&mut self, access: &Access, vault: &Vault, path: &Arc<Path>) -> Arc<Way> {
        let subscription = vault.id.subscription().unwrap_or_default().to_owned();
        let new = || {
            let evidence = access.evidence_above(&vault.id, path);
            let way = Way { answer: path.answer.words(), path: path.words(), evidence };
            (path.clone(), Arc::new(way))
        };
        self.ways.entry((Arc::as_ptr(path), subscription)).or_insert_with(new).1.clone()
    }
}

/// Who, by what, and what it gives.
type Found = (Arc<Reader>, Arc<Way>, &'static str);

/// Paths of one vault, the capabilities of one principal and path joined in one line.
fn readers(tenant: &Tenant, access: &Access, vault: &Vault, known: &mut Known) -> Vec<ReaderLine> {
    let named = Arc::new(NamedVault { name: vault.name.clone(), from: vault.from.clone() });
    let mut found: Vec<Found> = Vec::new();
    for grant in access.on(&vault.id) {
        let who = known.reader(tenant, &grant.principal_id);
        let ways =
            grant.paths.iter().map(|path| (who.clone(), known.way(access, vault, path), grant.capability.words()));
        found.extend(ways);
    }
    let in_order = |a: &Found, b: &Found| (&a.0.name, &a.0.id, &a.1.path).cmp(&(&b.0.name, &b.0.id, &b.1.path));
    found.sort_by(in_order);
    let line = |of_path: &[Found]| {
        let (who, by, _) = of_path.first()?;
        let can: Vec<&str> = of_path.iter().map(|(_, _, can)| *can).collect();
        Some(ReaderLine { vault: named.clone(), who: who.clone(), can: known.words(can.join(", ")), by: by.clone() })
    };
    let lines = found.chunk_by(|a, b| in_order(a, b).is_eq()).filter_map(line);
    lines.collect()
}
