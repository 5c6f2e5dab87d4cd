//! Who can run code where an identity can be had.

use super::approved::Holders;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::escalation::Powers;
use crate::access::hosts;
use crate::declared::Power;
use crate::evidence::Kind;

pub(super) const CHECK: Check = Check {
    id: "NHI-009",
    title: "Who can run code where a workload's identity can be had is limited",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "For every resource that carries a managed identity, who may bring code onto it: run commands, extensions and \
           writing of virtual machines and scale sets, login to a machine by its data actions, publishing and settings \
           of sites and slots, writing of container apps and jobs, logic apps, factories' pipelines and runbooks, \
           credentials and commands of clusters. By roles in force or eligible, through groups, by a delegation, as \
           administrator of the classic model. Each must have a row with `run_code` in \
           `registers/administrators.toml`. Any code there can act as every identity that the resource carries. \
           Without the register the list awaits a person.",
    blind_to: "Access to a host that Azure does not decide: SSH keys and passwords, agents, images, repositories and \
               build systems, and rights inside a cluster. What a deny assignment or a condition leaves of a right is \
               not decided, and leaves the holder open.",
    fix: "Take writing and running from people on production hosts: `az role assignment delete --ids <assignment id>`, \
          or make it eligible with an approval; deploy through one pipeline. What is approved goes into \
          `registers/administrators.toml`.",
    needs: &[
        population(Kind::Resources),
        population(Kind::VirtualMachines),
        population(Kind::ScaleSets),
        population(Kind::Sites),
        population(Kind::SiteSlots),
        population(Kind::ContainerApps),
        population(Kind::ManagedClusters),
        population(Kind::DataFactories),
        population(Kind::AutomationAccounts),
        population(Kind::LogicApps),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        judged(Kind::RoleEligibilityScheduleInstances),
        judged(Kind::RegistrationAssignments),
        judged(Kind::ClassicAdministrators),
        judged(Kind::DenyAssignments),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::UserAssignedIdentities),
        judged(Kind::FederatedCredentials),
        judged(Kind::GroupMembers),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let (mut holders, powers) = (Holders::of(facts, Power::RunCode), Powers::of(facts.tenant));
    let mut findings = Vec::new();
    for host in hosts(facts.tenant) {
        let Some(carried) = host.identities.first() else { continue };
        let id = &host.resource.id;
        let on = about("workload", id, &host.resource.name, &host.resource.from)
            .citing(host.identities.iter().map(|carried| carried.from))
            .citing(&facts.records_about(Kind::RoleAssignments, id));
        let Some(edges) = powers.over_host(host.resource, carried) else {
            findings.push(on.manual(format!(
                "it carries an identity, and by which rights code comes onto a `{}` is not known here, so a person must say",
                host.resource.resource_type
            )));
            continue;
        };
        let nobody = "nobody who was read can run code on it";
        findings.push(holders.judge(on, id, edges, nobody));
    }
    findings.extend(holders.rows());
    findings
}
