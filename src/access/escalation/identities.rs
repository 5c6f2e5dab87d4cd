//! Edges to managed identities: through the code of what carries them, by attaching them, by federation.

use std::collections::{BTreeMap, BTreeSet};

use super::rights::{Action, Held, Rights};
use super::{Edge, Step, Target};
use crate::access::{self, Carriage, Carried};
use crate::evidence::Cite;
use crate::model::{Id, Resource, Tenant};

const ASSIGN: Action = Action::Control("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action");
const FEDERATE: Action =
    Action::Control("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write");

/// Actions by which code comes onto a host, by its type in lower case
/// (learn.microsoft.com/azure/role-based-access-control, resource-provider-operations).
const CODE: &[(&str, &[Action])] = &[
    (
        "microsoft.compute/virtualmachines",
        &[
            Action::Control("Microsoft.Compute/virtualMachines/runCommand/action"),
            Action::Control("Microsoft.Compute/virtualMachines/runCommands/write"),
            Action::Control("Microsoft.Compute/virtualMachines/extensions/write"),
            Action::Control("Microsoft.Compute/virtualMachines/write"),
            Action::Data("Microsoft.Compute/virtualMachines/login/action"),
            Action::Data("Microsoft.Compute/virtualMachines/loginAsAdmin/action"),
        ],
    ),
    (
        "microsoft.compute/virtualmachinescalesets",
        &[
            Action::Control("Microsoft.Compute/virtualMachineScaleSets/write"),
            Action::Control("Microsoft.Compute/virtualMachineScaleSets/extensions/write"),
            Action::Control("Microsoft.Compute/virtualMachineScaleSets/virtualMachines/runCommand/action"),
        ],
    ),
    (
        "microsoft.web/sites",
        &[
            Action::Control("Microsoft.Web/sites/publish/action"),
            Action::Control("Microsoft.Web/sites/publishxml/action"),
            Action::Control("Microsoft.Web/sites/config/write"),
            Action::Control("Microsoft.Web/sites/write"),
        ],
    ),
    (
        "microsoft.web/sites/slots",
        &[
            Action::Control("Microsoft.Web/sites/slots/publish/action"),
            Action::Control("Microsoft.Web/sites/slots/publishxml/action"),
            Action::Control("Microsoft.Web/sites/slots/config/write"),
            Action::Control("Microsoft.Web/sites/slots/write"),
        ],
    ),
    ("microsoft.app/containerapps", &[Action::Control("Microsoft.App/containerApps/write")]),
    ("microsoft.app/jobs", &[Action::Control("Microsoft.App/jobs/write")]),
    (
        "microsoft.containerservice/managedclusters",
        &[
            Action::Control("Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action"),
            Action::Control("Microsoft.ContainerService/managedClusters/runCommand/action"),
            Action::Control("Microsoft.ContainerService/managedClusters/write"),
        ],
    ),
    ("microsoft.datafactory/factories", &[Action::Control("Microsoft.DataFactory/factories/pipelines/write")]),
    ("microsoft.logic/workflows", &[Action::Control("Microsoft.Logic/workflows/write")]),
    (
        "microsoft.automation/automationaccounts",
        &[
            Action::Control("Microsoft.Automation/automationAccounts/runbooks/write"),
            Action::Control("Microsoft.Automation/automationAccounts/runbooks/draft/write"),
        ],
    ),
];

/// Who may write one of these anywhere has a resource of his own to attach an identity to.
const OWN_HOST: &[Action] = &[
    Action::Control("Microsoft.Compute/virtualMachines/write"),
    Action::Control("Microsoft.Compute/virtualMachineScaleSets/write"),
    Action::Control("Microsoft.Web/sites/write"),
    Action::Control("Microsoft.App/containerApps/write"),
    Action::Control("Microsoft.ContainerInstance/containerGroups/write"),
    Action::Control("Microsoft.Automation/automationAccounts/write"),
    Action::Control("Microsoft.Logic/workflows/write"),
    Action::Control("Microsoft.DataFactory/factories/write"),
    Action::Control("Microsoft.Resources/deploymentScripts/write"),
];

/// What carries an identity.
struct Host<'a> {
    id: &'a Id,
    resource_type: &'a str,
    from: &'a Cite,
    /// Why code there may not come to the identity.
    doubt: Option<&'static str>,
}

/// Identities by lower-case object id: what carries each, and its own resource.
pub(super) struct Identities<'a> {
    hosts: BTreeMap<String, Vec<Host<'a>>>,
    user_assigned: BTreeMap<&'a str, (&'a Id, &'a Cite)>,
    /// Who has a resource of his own; members of groups among them.
    own_host: BTreeSet<&'a str>,
}

impl<'a> Identities<'a> {
    pub(super) fn of(tenant: &'a Tenant, rights: &Rights<'a>) -> Identities<'a> {
        let ids = tenant.user_assigned.iter();
        let user_assigned: BTreeMap<&str, (&Id, &Cite)> =
            ids.filter_map(|found| Some((found.principal_id.as_deref()?, (&found.id, &found.from)))).collect();
        let direct = rights.anywhere(OWN_HOST);
        let members = direct.iter().filter_map(|id| tenant.members.get(*id)).flatten();
        let own_host = members.map(|member| member.id.as_str()).chain(direct.iter().copied()).collect();
        Identities { hosts: hosts(tenant), user_assigned, own_host }
    }

    /// Edges to the principal, where it is a managed identity.
    pub(super) fn edges(&self, rights: &Rights<'_>, principal: &str) -> Vec<Edge> {
        let mut edges = Vec::new();
        for host in self.hosts.get(principal).into_iter().flatten() {
            edges.extend(running(rights, host, principal).unwrap_or_default());
        }
        edges.extend(self.taking(rights, principal));
        edges
    }

    /// Edges to a user-assigned identity by attaching or federating it.
    pub(super) fn taking(&self, rights: &Rights<'_>, principal: &str) -> Vec<Edge> {
        let mut edges = Vec::new();
        let Some((id, from)) = self.user_assigned.get(principal) else { return edges };
        let itself = Host { id, resource_type: "", from, doubt: None };
        for held in rights.holders(FEDERATE, id) {
            edges.push(edge(Step::FederateIdentity, held, principal, &itself));
        }
        for held in rights.holders(ASSIGN, id) {
            edges.extend(self.attaching(rights.tenant, &held, principal, &itself));
        }
        edges
    }

    /// The holder, and where it is a group its members, as far as they have a resource of their own.
    fn attaching(&self, tenant: &Tenant, held: &Held<'_>, principal: &str, itself: &Host<'_>) -> Vec<Edge> {
        let attach = |held: Held<'_>| edge(Step::AttachIdentity, held, principal, itself);
        if self.own_host.contains(held.principal) {
            return vec![attach(held.clone())];
        }
        let members = tenant.members.get(held.principal).into_iter().flatten();
        let with_host = members.filter(|member| self.own_host.contains(member.id.as_str()));
        let of_member = |member: &crate::model::Member| {
            let mut edge = attach(held.clone());
            edge.from.clone_from(&member.id);
            edge.evidence.push(member.from.clone());
            edge
        };
        with_host.map(of_member).collect()
    }
}

/// Edges from everyone who comes to run code on a host; none where nobody says by which actions code comes onto such
/// a resource.
fn running(rights: &Rights<'_>, host: &Host<'_>, principal: &str) -> Option<Vec<Edge>> {
    let kind = host.resource_type.to_lowercase();
    let (_, actions) = CODE.iter().find(|(name, _)| *name == kind)?;
    let holders = actions.iter().flat_map(|action| rights.holders(*action, host.id));
    Some(holders.map(|held| edge(Step::RunCode, held, principal, host)).collect())
}

/// The same for one identity that a resource carries.
pub(super) fn running_on(rights: &Rights<'_>, resource: &Resource, carried: &Carried<'_>) -> Option<Vec<Edge>> {
    running(rights, &host(resource, carried), carried.principal_id.as_deref().unwrap_or_default())
}

fn edge(step: Step, held: Held<'_>, principal: &str, host: &Host<'_>) -> Edge {
    let (to, on) = (Target::Principal(principal.to_owned()), Some(host.id.clone()));
    held.edge(step, to, on, host.doubt.map(str::to_owned), host.from)
}

/// What carries each identity, by its object id: attachments first.
fn hosts(tenant: &Tenant) -> BTreeMap<String, Vec<Host<'_>>> {
    let found = access::hosts(tenant);
    let is_named = |by: Carriage| matches!(by, Carriage::System | Carriage::Attached);
    let mut hosts: BTreeMap<String, Vec<Host<'_>>> = BTreeMap::new();
    for named in [true, false] {
        for one in &found {
            for carried in one.identities.iter().filter(|carried| is_named(carried.by) == named) {
                let Some(principal) = &carried.principal_id else { continue };
                hosts.entry(principal.clone()).or_default().push(host(one.resource, carried));
            }
        }
    }
    hosts
}

fn host<'a>(resource: &'a Resource, carried: &Carried<'a>) -> Host<'a> {
    let doubt = "the code must run as the service account that the federated credential names";
    let doubt = (carried.by == Carriage::Federated).then_some(doubt);
    Host { id: &resource.id, resource_type: &resource.resource_type, from: carried.from, doubt }
}
