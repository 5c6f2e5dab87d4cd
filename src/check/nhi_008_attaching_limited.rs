//! Who can take a user-assigned identity for a resource of his own.

use super::approved::Holders;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::escalation::Powers;
use crate::declared::Power;
use crate::evidence::Kind;

pub(super) const CHECK: Check = Check {
    id: "NHI-008",
    title: "Who can attach a user-assigned identity is limited",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "For every user-assigned identity, who holds `userAssignedIdentities/*/assign/action` on it and may write a \
           resource to attach it to, or may add a federated credential to it: by roles in force or eligible, through \
           groups, by a delegation, as administrator of the classic model. Each must have a row with \
           `attach_identity` in `registers/administrators.toml`, or be in a group that has one. Without the register \
           the list awaits a person.",
    blind_to: "Who may grant himself such a role (RBAC-005), assignment restrictions of the identity, and whether the \
               resource that it is attached to is in the same region. A deny assignment or a condition that may stand \
               in the way is not decided, and leaves the holder open.",
    fix: "Give Managed Identity Operator at the one identity, to deployment principals alone, and take Contributor \
          away from its resource group: `az role assignment delete --ids <assignment id>`; or keep identities in a \
          resource group of their own. What is approved goes into `registers/administrators.toml`.",
    needs: &[
        population(Kind::UserAssignedIdentities),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        judged(Kind::RoleEligibilityScheduleInstances),
        judged(Kind::RegistrationAssignments),
        judged(Kind::ClassicAdministrators),
        judged(Kind::DenyAssignments),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::Resources),
        judged(Kind::VirtualMachines),
        judged(Kind::GroupMembers),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let (mut holders, powers) = (Holders::of(facts, Power::AttachIdentity), Powers::of(facts.tenant));
    let mut findings = Vec::new();
    for identity in &facts.tenant.user_assigned {
        let on = about("managed_identity", &identity.id, &identity.name, &identity.from)
            .citing(&facts.records_about(Kind::RoleAssignments, &identity.id));
        let Some(principal) = &identity.principal_id else {
            let because = "its object id is not told, so that nobody can be found who may use it";
            findings.push(on.not_evaluated(crate::evidence::Reason::ValueUnknown, because));
            continue;
        };
        let edges = powers.over_identity(principal);
        let nobody = "nobody who was read can attach it to a resource or federate it";
        findings.push(holders.judge(on, &identity.id, edges, nobody));
    }
    findings.extend(holders.rows());
    findings
}
