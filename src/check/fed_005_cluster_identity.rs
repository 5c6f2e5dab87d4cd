//! FED-005: workloads in clusters sign in as themselves, and nobody by a shared certificate.

use super::{Check, Facts, Finding, Nature, Severity, about, population};
use crate::evidence::Kind;
use crate::model::Cluster;

pub(super) const CHECK: Check = Check {
    id: "FED-005",
    title: "Clusters use workload identity and have no local accounts",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Every Kubernetes cluster for four settings: the issuer for tokens is on (`oidcIssuerProfile`), workload identity \
           is on, pod-managed identity is off, and local accounts are off. A setting that is absent is off, and local \
           accounts that are not said to be disabled are on.",
    blind_to: "Whether the workloads in the cluster use it; secrets in the cluster; who may read or change service accounts \
               there; clusters outside Azure Kubernetes Service, those connected by Azure Arc among them.",
    fix: "`az aks update --enable-oidc-issuer --enable-workload-identity --disable-local-accounts --name CLUSTER \
          --resource-group GROUP`, and `--disable-pod-identity` where it is on; Bicep: `oidcIssuerProfile.enabled`, \
          `securityProfile.workloadIdentity.enabled`, `disableLocalAccounts`; Terraform: `oidc_issuer_enabled`, \
          `workload_identity_enabled`, `local_account_disabled`. Disabling local accounts needs Entra ID integration.",
    needs: &[population(Kind::ManagedClusters)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.hosts.clusters.iter().map(judge).collect()
}

fn judge(cluster: &Cluster) -> Finding {
    let on = about("cluster", &cluster.resource.id, &cluster.resource.name, &cluster.resource.from);
    let wrong: Vec<&str> = [
        (!cluster.oidc_issuer, "its issuer for tokens is off"),
        (!cluster.workload_identity, "workload identity is off"),
        (cluster.pod_identity, "pod-managed identity is on"),
        (!cluster.local_accounts_disabled, "local accounts are on"),
    ]
    .into_iter()
    .filter_map(|(is_wrong, words)| is_wrong.then_some(words))
    .collect();
    if wrong.is_empty() {
        return on.pass("workload identity is on with its issuer, pod-managed identity and local accounts are off");
    }
    on.fail(wrong.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{SUB, base, findings_of, list, only, patched, resource_json};
    use super::super::{Finding, Outcome};
    use super::*;
    use crate::evidence::Reason;

    fn judged(patch: &Value) -> Finding {
        let properties = json!({"disableLocalAccounts": true, "oidcIssuerProfile": {"enabled": true},
            "securityProfile": {"workloadIdentity": {"enabled": true}}, "podIdentityProfile": {"enabled": false}});
        let properties = json!({"properties": patched(properties, patch)});
        let cluster = resource_json("Microsoft.ContainerService/managedClusters", "aks", &properties);
        only(&findings_of(&CHECK, base().replace(Kind::ManagedClusters, SUB, list([cluster])))).clone()
    }

    #[test]
    fn all_four_pass_and_an_absent_pod_identity_is_off() {
        assert_eq!(judged(&json!({})).outcome(), Outcome::Pass);
        assert_eq!(judged(&json!({"podIdentityProfile": null})).outcome(), Outcome::Pass);
    }

    #[test]
    fn each_of_them_fails_when_it_is_wrong_or_absent() {
        for (patch, words) in [
            (json!({"oidcIssuerProfile": null}), "its issuer for tokens is off"),
            (json!({"securityProfile": {"workloadIdentity": {"enabled": false}}}), "workload identity is off"),
            (json!({"podIdentityProfile": {"enabled": true}}), "pod-managed identity is on"),
            (json!({"disableLocalAccounts": null}), "local accounts are on"),
        ] {
            let finding = judged(&patch);
            assert_eq!((finding.outcome(), finding.because()), (Outcome::Fail, words));
        }
        let bare = judged(&json!({"oidcIssuerProfile": null, "securityProfile": null, "disableLocalAccounts": false}));
        assert_eq!(bare.because(), "its issuer for tokens is off, workload identity is off, local accounts are on");
    }

    #[test]
    fn no_cluster_is_not_applicable_and_an_unread_list_not_evaluated() {
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
        let unread = findings_of(&CHECK, base().denied(Kind::ManagedClusters, SUB));
        assert_eq!(only(&unread).reason(), Some(Reason::Forbidden));
    }
}
