//! NHI-002: workloads have a managed identity, so that they need no stored credential.

use super::{Check, Facts, Finding, Nature, Severity, about, own, population};
use crate::evidence::Kind;
use crate::model::Resource;

pub(super) const CHECK: Check = Check {
    id: "NHI-002",
    title: "Workloads use a managed identity",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "Whether virtual machines and scale sets, App Service and Functions apps, Logic Apps, Container Apps, data \
           factories, Synapse workspaces, Databricks access connectors, Kubernetes clusters and Automation accounts \
           carry a system-assigned or user-assigned identity. The configuration may limit this to values of the tags \
           `env` and `environment`. Where a workload has both and one of them is in scope, it is judged.",
    blind_to: "Whether the workload uses the identity, and whether it holds a stored credential beside it. A workload \
               that reaches no Azure data needs no identity: grant that by a waiver.",
    fix: "`az vm identity assign --name VM --resource-group RG`, `az webapp identity assign …` and so on (Bicep: \
          `identity: { type: 'SystemAssigned' }`), then give it the narrowest role that it needs.",
    needs: &[population(Kind::Resources), population(Kind::VirtualMachines)],
    run,
};

const VIRTUAL_MACHINE: &str = "microsoft.compute/virtualmachines";

/// Types of resource that run a customer's code or reach a customer's data, lower case.
pub const WORKLOADS: &[&str] = &[
    VIRTUAL_MACHINE,
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.web/sites",
    "microsoft.web/sites/slots",
    "microsoft.logic/workflows",
    "microsoft.app/containerapps",
    "microsoft.app/jobs",
    "microsoft.datafactory/factories",
    "microsoft.synapse/workspaces",
    "microsoft.databricks/accessconnectors",
    "microsoft.containerservice/managedclusters",
    "microsoft.automation/automationaccounts",
];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let workloads = facts.tenant.resources.iter().filter(|resource| is_one_of(resource, WORKLOADS));
    workloads.map(|resource| judge(facts, resource)).collect()
}

fn is_one_of(resource: &Resource, types: &[&str]) -> bool {
    types.iter().any(|name| resource.resource_type.eq_ignore_ascii_case(name))
}

fn judge(facts: &Facts<'_>, resource: &Resource) -> Finding {
    let on = about("workload", &resource.id, &resource.name, &resource.from);
    if let Some(identity) = &resource.identity {
        if identity.system_assigned {
            return on.pass("it has a system-assigned identity");
        }
        if !identity.user_assigned.is_empty() {
            return on.pass(format!("user-assigned identities attached: {}", identity.user_assigned.len()));
        }
    }
    let in_scope = &facts.parameters.workload_environments;
    let tags: Vec<(&str, &str)> =
        ENVIRONMENT.iter().filter_map(|tag| Some((*tag, resource.tags.get(*tag)?.as_str()))).collect();
    let is_in_scope = |value: &str| in_scope.iter().any(|name| name.eq_ignore_ascii_case(value));
    let mut beside = String::new();
    if !in_scope.is_empty() {
        match tags.as_slice() {
            [] => {
                return on.manual(format!(
                    "it has no managed identity and no tag `env` or `environment`; a person must say whether it belongs to {}",
                    in_scope.join(", ")
                ));
            }
            [(_, value), ..] if !tags.iter().any(|(_, value)| is_in_scope(value)) => {
                let said = match contradict(&tags) {
                    true => format!("its tags contradict each other ({}), and neither is in scope", both(&tags)),
                    false => format!("its environment is `{value}`, which is not in scope"),
                };
                return on.not_applicable(said);
            }
            tags if contradict(tags) => beside = format!("; its tags contradict each other: {}", both(tags)),
            _ => {}
        }
    }
    // The generic list may leave out the identity of a machine; the list of machines does not.
    if is_one_of(resource, &[VIRTUAL_MACHINE])
        && let Some(missing) = facts.missing(&[own(Kind::VirtualMachines)], &resource.id)
    {
        return on.missing(&missing);
    }
    on.fail(format!("it has no managed identity{beside}"))
}

/// Tags that say which environment a workload belongs to.
const ENVIRONMENT: &[&str] = &["env", "environment"];

fn contradict(tags: &[(&str, &str)]) -> bool {
    let first = tags.first().map_or("", |(_, value)| value);
    tags.iter().any(|(_, value)| !value.eq_ignore_ascii_case(first))
}

fn both(tags: &[(&str, &str)]) -> String {
    let tags: Vec<String> = tags.iter().map(|(tag, value)| format!("`{tag}` is `{value}`")).collect();
    tags.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{
        SUB, about_name, base, findings_of, findings_with, identity_id, list, only, outcomes, resource_json,
    };
    use super::super::{Outcome, Parameters};
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    fn tenant(resources: impl IntoIterator<Item = Value>) -> CaptureBuilder {
        base().replace(Kind::Resources, SUB, list(resources))
    }

    fn site(name: &str, patch: &Value) -> Value {
        resource_json("microsoft.web/Sites", name, patch)
    }

    #[test]
    fn a_workload_with_either_kind_of_identity_passes_and_one_without_fails() {
        let user = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity_id("shared"): {}}}});
        let system =
            json!({"identity": {"type": "SystemAssigned", "principalId": "aaaaaaaa-0000-0000-0000-000000000001"}});
        let findings = findings_of(
            &CHECK,
            tenant([
                site("system", &system),
                site("user", &user),
                site("none", &json!({"identity": {"type": "None"}})),
                site("absent", &json!({})),
                resource_json("Microsoft.Storage/storageAccounts", "data", &json!({})),
            ]),
        );
        assert_eq!(findings.len(), 4, "storage is no workload");
        for (name, outcome) in
            [("system", Outcome::Pass), ("user", Outcome::Pass), ("none", Outcome::Fail), ("absent", Outcome::Fail)]
        {
            assert_eq!(about_name(&findings, name).outcome(), outcome, "{name}");
        }
    }

    #[test]
    fn environments_limit_what_is_in_scope_but_an_untagged_workload_needs_a_person() {
        let parameters = Parameters { workload_environments: vec!["Prod".to_owned()], ..Parameters::default() };
        let builder = tenant([
            site("prod", &json!({"tags": {"Environment": "prod"}})),
            site("dev", &json!({"tags": {"env": "dev"}})),
            site("untagged", &json!({})),
        ]);
        let findings = findings_with(&CHECK, builder, &parameters);
        assert_eq!(about_name(&findings, "prod").outcome(), Outcome::Fail);
        assert_eq!(about_name(&findings, "dev").outcome(), Outcome::NotApplicable);
        assert_eq!(about_name(&findings, "untagged").outcome(), Outcome::Manual);
    }

    #[test]
    fn of_two_tags_that_contradict_each_other_either_brings_a_workload_into_scope() {
        let parameters = Parameters { workload_environments: vec!["prod".to_owned()], ..Parameters::default() };
        let tagged = |name: &str, env: &str, environment: &str| {
            site(name, &json!({"tags": {"env": env, "Environment": environment}}))
        };
        let builder = tenant([
            tagged("first", "prod", "test"),
            tagged("second", "test", "Prod"),
            tagged("same", "prod", "PROD"),
            tagged("neither", "test", "dev"),
        ]);
        let findings = findings_with(&CHECK, builder, &parameters);
        let says =
            |name: &str| (about_name(&findings, name).outcome(), about_name(&findings, name).because().to_owned());
        let told =
            "it has no managed identity; its tags contradict each other: `env` is `prod`, `environment` is `test`";
        assert_eq!(says("first"), (Outcome::Fail, told.to_owned()));
        let told =
            "it has no managed identity; its tags contradict each other: `env` is `test`, `environment` is `Prod`";
        assert_eq!(says("second"), (Outcome::Fail, told.to_owned()));
        assert_eq!(says("same"), (Outcome::Fail, "it has no managed identity".to_owned()));
        let told = "its tags contradict each other (`env` is `test`, `environment` is `dev`), and neither is in scope";
        assert_eq!(says("neither"), (Outcome::NotApplicable, told.to_owned()));
    }

    #[test]
    fn a_machine_without_identity_is_not_failed_on_the_generic_list_alone() {
        let machine = resource_json("Microsoft.Compute/virtualMachines", "vm1", &json!({}));
        let builder = tenant([machine]);
        assert_eq!(only(&findings_of(&CHECK, builder.clone())).outcome(), Outcome::Fail);
        let findings = findings_of(&CHECK, builder.denied(Kind::VirtualMachines, SUB));
        assert_eq!(about_name(&findings, "vm1").outcome(), Outcome::NotEvaluated);
    }

    #[test]
    fn a_refused_list_is_not_evaluated_and_an_empty_one_not_applicable() {
        let refused = findings_of(&CHECK, base().denied(Kind::Resources, SUB));
        assert_eq!(outcomes(&refused), [Outcome::NotEvaluated]);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
