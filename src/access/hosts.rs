//! What carries identities: the resources that name them, clusters through their nodes and add-ons, and clusters that
//! a federated credential trusts.
//!
//! Any code on a host can act as every identity that the host carries
//! (learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-faq).

use std::collections::BTreeMap;

use crate::evidence::Cite;
use crate::model::{Id, Resource, Tenant};

/// A resource and the identities that code on it can act as.
#[derive(Clone, Debug)]
pub struct Host<'a> {
    /// The resource.
    pub resource: &'a Resource,
    /// Each identity once; never empty.
    pub identities: Vec<Carried<'a>>,
}

/// An identity on a host.
#[derive(Clone, Debug)]
pub struct Carried<'a> {
    /// Lower-case object id; none where no list tells it.
    pub principal_id: Option<String>,
    /// The identity's own resource, where it is user-assigned and known.
    pub identity: Option<&'a Id>,
    /// How it is carried.
    pub by: Carriage,
    /// The record that shows it.
    pub from: &'a Cite,
}

/// How a host carries an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carriage {
    /// It is the host's own.
    System,
    /// It is attached.
    Attached,
    /// The nodes of a cluster, or its add-on for secrets, carry it.
    Cluster,
    /// A federated credential of it trusts the cluster's issuer; only the service account that it names can use it.
    Federated,
}

/// Every host, in the order of the lists that name them; those by type come first.
pub fn hosts(tenant: &Tenant) -> Vec<Host<'_>> {
    let mut hosts = Hosts::of(tenant);
    for resource in resources(tenant) {
        let Some(identity) = &resource.identity else { continue };
        if let Some(own) = &identity.system_principal_id {
            hosts.add(resource, Some(own), None, Carriage::System, &resource.from);
        }
        for attached in &identity.user_assigned {
            hosts.add(resource, attached.principal_id.as_ref(), Some(&attached.id), Carriage::Attached, &resource.from);
        }
    }
    for cluster in &tenant.hosts.clusters {
        for principal in [&cluster.kubelet_object_id, &cluster.secrets_provider_object_id].into_iter().flatten() {
            hosts.add(&cluster.resource, Some(principal), None, Carriage::Cluster, &cluster.resource.from);
        }
        let Some(issuer) = &cluster.oidc_issuer_url else { continue };
        for credential in tenant.federated.iter().filter(|credential| credential.issuer.as_ref() == Some(issuer)) {
            hosts.add(&cluster.resource, None, Some(&credential.identity), Carriage::Federated, &cluster.resource.from);
        }
    }
    hosts.found
}

/// Everything that may carry an identity: the list of all resources, and the lists by type, which tell of some more.
fn resources(tenant: &Tenant) -> impl Iterator<Item = &Resource> {
    let hosts = &tenant.hosts;
    let machines = hosts.machines.iter().map(|machine| &machine.resource);
    let sites = hosts.sites.iter().map(|site| &site.resource);
    let apps = hosts.container_apps.iter().map(|app| &app.resource);
    let clusters = hosts.clusters.iter().map(|cluster| &cluster.resource);
    let logic = hosts.logic_apps.iter().map(|app| &app.resource);
    let typed = machines.chain(sites).chain(apps).chain(clusters).chain(logic);
    typed.chain(&hosts.factories).chain(&hosts.automation_accounts).chain(&tenant.resources)
}

/// Hosts as they are found, each resource and each identity on it once.
struct Hosts<'a> {
    found: Vec<Host<'a>>,
    places: BTreeMap<&'a Id, usize>,
    /// Object ids of user-assigned identities, lower case, and the way back.
    principals: BTreeMap<&'a Id, String>,
    identities: BTreeMap<String, &'a Id>,
}

impl<'a> Hosts<'a> {
    fn of(tenant: &'a Tenant) -> Hosts<'a> {
        let told = tenant.user_assigned.iter();
        let told = told.filter_map(|found| Some((&found.id, found.principal_id.as_ref()?.to_lowercase())));
        let principals: BTreeMap<&Id, String> = told.collect();
        let identities = principals.iter().map(|(id, principal)| (principal.clone(), *id)).collect();
        Hosts { found: Vec::new(), places: BTreeMap::new(), principals, identities }
    }

    fn add(
        &mut self,
        resource: &'a Resource,
        principal: Option<&String>,
        identity: Option<&'a Id>,
        by: Carriage,
        from: &'a Cite,
    ) {
        let principal_id = principal.map(|id| id.to_lowercase()).or_else(|| self.principals.get(identity?).cloned());
        let identity = identity.or_else(|| self.identities.get(principal_id.as_ref()?).copied());
        let place = *self.places.entry(&resource.id).or_insert_with(|| {
            self.found.push(Host { resource, identities: Vec::new() });
            self.found.len() - 1
        });
        let Some(host) = self.found.get_mut(place) else { return };
        let is_same = |known: &Carried<'_>| match (&known.principal_id, &principal_id) {
            (Some(known), Some(new)) => known == new,
            _ => known.identity.is_some() && known.identity == identity,
        };
        if !host.identities.iter().any(is_same) {
            host.identities.push(Carried { principal_id, identity, by, from });
        }
    }
}
