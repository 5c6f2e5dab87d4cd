//! Who can change a vault itself.

use super::approved::Holders;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::escalation::Powers;
use crate::declared::Power;
use crate::evidence::Kind;

pub(super) const CHECK: Check = Check {
    id: "KV-010",
    title: "Who can change a vault's model or policies, or stop its log, is limited",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "For every vault, who holds `vaults/write`, `vaults/accessPolicies/write`, `diagnosticSettings/write` or \
           `diagnosticSettings/delete` on it: by roles in force or eligible, through groups, by a delegation, as \
           administrator of the classic model. Each must have a row with `manage_vault` in \
           `registers/administrators.toml`, or be in a group that has one. Without the register the list awaits a \
           person.",
    blind_to: "Microsoft's pages differ on whether `vaults/write` is enough to switch a vault to access policies \
               (rbac-guide asks for `roleAssignments/write` as well, access-control-default only in the portal): it is \
               taken to be. Locks that would have to be removed first, settings of the workspace itself, and what a \
               deny assignment or a condition leaves of a right, which leaves its holder open.",
    fix: "Take Contributor and Key Vault Contributor away from people and workloads at production vaults: `az role \
          assignment delete --ids <assignment id>`, or make them eligible with an approval. A policy with effect deny \
          on `enableRbacAuthorization` keeps the model: `az policy assignment create`. What is approved goes into \
          `registers/administrators.toml`.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        judged(Kind::RoleEligibilityScheduleInstances),
        judged(Kind::RegistrationAssignments),
        judged(Kind::ClassicAdministrators),
        judged(Kind::DenyAssignments),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::UserAssignedIdentities),
        judged(Kind::Resources),
        judged(Kind::VirtualMachines),
        judged(Kind::GroupMembers),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let (mut holders, powers) = (Holders::of(facts, Power::ManageVault), Powers::of(facts.tenant));
    let mut findings = Vec::new();
    for vault in &facts.tenant.vaults {
        let on = about("vault", &vault.id, &vault.name, &vault.from)
            .citing(&facts.records_about(Kind::RoleAssignments, &vault.id));
        let edges = powers.over_vault(vault);
        let nobody = "nobody who was read can change it or stop its log";
        findings.push(holders.judge(on, &vault.id, edges, nobody));
    }
    findings.extend(holders.rows());
    findings
}
