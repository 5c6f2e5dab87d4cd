//! Identities that several resources share, and how far they reach.

use std::collections::{BTreeMap, BTreeSet};

use super::environments::{shown, told};
use super::people::counted;
use super::readers::listed;
use super::{Check, Facts, Finding, Nature, Severity, about, population, whole};
use crate::access::{Carriage, hosts};
use crate::evidence::{Cite, Kind};
use crate::model::{Id, Resource, UserAssignedIdentity};

pub(super) const CHECK: Check = Check {
    id: "NHI-005",
    title: "A shared identity stays within one environment and a size limit",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "The resources that carry each user-assigned identity, clusters through their nodes and add-ons among them, \
           with the values of their tags `env` and `environment` and of the identity's own. More than one value, in \
           any case of letters, and more resources than the configuration allows (10) are exceptions. Resources \
           without such a tag await a person, unless there is only one.",
    blind_to: "Environments that are told apart by names, groups or subscriptions alone; two words for one environment; \
               whether the tags are true; attachments in subscriptions that were not collected; workloads that come to \
               the identity by federation.",
    fix: "Make an identity for each environment: `az identity create`, `az vm identity assign --identities NEW_ID`, move \
          its roles, then `az vm identity remove --identities OLD_ID` (Bicep: `identity.userAssignedIdentities`; \
          Terraform: `identity { identity_ids }`). Tag what belongs together: `az tag update --operation merge`.",
    needs: &[
        population(Kind::UserAssignedIdentities),
        whole(Kind::Resources),
        whole(Kind::VirtualMachines),
        whole(Kind::ManagedClusters),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let found = hosts(facts.tenant);
    let mut carriers: BTreeMap<&Id, Vec<(&Resource, &Cite)>> = BTreeMap::new();
    for host in &found {
        for carried in host.identities.iter().filter(|carried| carried.by != Carriage::Federated) {
            if let Some(identity) = carried.identity {
                carriers.entry(identity).or_default().push((host.resource, carried.from));
            }
        }
    }
    let of = |identity: &UserAssignedIdentity| carriers.get(&identity.id).map_or(&[][..], Vec::as_slice);
    facts.tenant.user_assigned.iter().map(|identity| judge(facts, identity, of(identity))).collect()
}

fn judge(facts: &Facts<'_>, identity: &UserAssignedIdentity, carriers: &[(&Resource, &Cite)]) -> Finding {
    let on = about("managed_identity", &identity.id, &identity.name, &identity.from)
        .citing(carriers.iter().map(|(_, from)| *from));
    let limit = facts.parameters.shared_identity_limit;
    if carriers.len() > limit {
        return on.fail(format!("{} carry it, more than {limit}", counted(carriers.len(), "resource")));
    }
    let mut environments: BTreeSet<String> = told(&identity.tags);
    let mut untold: Vec<String> = Vec::new();
    for (resource, _) in carriers {
        let own = told(&resource.tags);
        if own.is_empty() {
            untold.push(format!("`{}`", resource.name));
        }
        environments.extend(own);
    }
    if environments.len() > 1 {
        let names = carriers.iter().map(|(resource, _)| format!("`{}`", resource.name)).collect();
        return on.fail(format!(
            "the tags of the identity and of what carries it name several environments, {}: {}",
            shown(&environments),
            listed(names)
        ));
    }
    match carriers {
        [] => on.not_applicable("no resource carries it, so it is not shared"),
        [_] => on.pass("1 resource carries it, so it is not shared"),
        _ if !untold.is_empty() => on.manual(format!(
            "{} carry it, and no tag says to which environment some belong, so a person must: {}",
            counted(carriers.len(), "resource"),
            listed(untold)
        )),
        _ => on.pass(format!(
            "{} carry it, all of the environment {} (limit {limit})",
            counted(carriers.len(), "resource"),
            shown(&environments)
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::testing::{
        SUB, base, findings_of, findings_with, identity_id, identity_json, list, only, patched, resource_json,
    };
    use crate::check::{Finding, Outcome, Parameters};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const OBJECT: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    /// An identity with these tags, attached to one site for each value of tags.
    fn shared(own: &Value, sites: &[Value]) -> CaptureBuilder {
        let attached =
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity_id("SHARED"): {}}}});
        let site = |(number, tags): (usize, &Value)| {
            resource_json(
                "Microsoft.Web/sites",
                &format!("site{number}"),
                &patched(attached.clone(), &json!({"tags": tags})),
            )
        };
        base()
            .replace(Kind::UserAssignedIdentities, SUB, list([identity_json("shared", OBJECT, &json!({"tags": own}))]))
            .replace(Kind::Resources, SUB, list(sites.iter().enumerate().map(site)))
    }

    fn judged(own: &Value, sites: &[Value]) -> Finding {
        only(&findings_of(&CHECK, shared(own, sites))).clone()
    }

    #[test]
    fn one_environment_passes_whatever_the_case_of_its_letters() {
        let finding = judged(&json!({}), &[json!({"env": "Prod"}), json!({"Environment": "PROD"})]);
        assert_eq!(finding.outcome(), Outcome::Pass);
        assert_eq!(finding.because(), "2 resources carry it, all of the environment `prod` (limit 10)");
        assert_eq!(finding.evidence().len(), 3, "the identity and both sites");
        assert_eq!(judged(&json!({}), &[json!({})]).outcome(), Outcome::Pass, "one host is no sharing");
    }

    #[test]
    fn two_environments_fail_also_when_the_identity_itself_names_the_second() {
        let two = judged(&json!({}), &[json!({"env": "prod"}), json!({"env": "dev"}), json!({})]);
        assert_eq!(two.outcome(), Outcome::Fail);
        assert!(two.because().contains("`dev`, `prod`: `site0`, `site1`, `site2`"), "{}", two.because());
        assert_eq!(judged(&json!({"env": "prod"}), &[json!({"env": "dev"})]).outcome(), Outcome::Fail);
        assert_eq!(judged(&json!({}), &[json!({"env": "dev", "environment": "prod"})]).outcome(), Outcome::Fail);
    }

    #[test]
    fn an_environment_that_is_not_told_awaits_a_person() {
        assert_eq!(
            judged(&json!({"env": "prod"}), &[json!({"env": "prod"}), json!({"env": " "})]).outcome(),
            Outcome::Manual
        );
    }

    #[test]
    fn more_resources_than_allowed_fail() {
        let sites: Vec<Value> = (0..3).map(|_| json!({"env": "prod"})).collect();
        let limit = |shared_identity_limit| {
            let parameters = Parameters { shared_identity_limit, ..Parameters::default() };
            only(&findings_with(&CHECK, shared(&json!({}), &sites), &parameters)).outcome()
        };
        assert_eq!((limit(3), limit(2)), (Outcome::Pass, Outcome::Fail));
    }

    #[test]
    fn lists_that_were_not_read_keep_no_pass_and_a_fail_that_was_seen_stays() {
        let two = [json!({"env": "prod"}), json!({"env": "prod"})];
        for kind in [Kind::VirtualMachines, Kind::ManagedClusters] {
            let findings = findings_of(&CHECK, shared(&json!({}), &two).denied(kind, SUB));
            assert_eq!(only(&findings).reason(), Some(Reason::Forbidden), "{kind:?}");
            let differing = [json!({"env": "prod"}), json!({"env": "dev"})];
            let findings = findings_of(&CHECK, shared(&json!({}), &differing).denied(kind, SUB));
            assert_eq!(only(&findings).outcome(), Outcome::Fail, "{kind:?}");
        }
        let refused = findings_of(&CHECK, base().denied(Kind::UserAssignedIdentities, SUB));
        assert_eq!(only(&refused).outcome(), Outcome::NotEvaluated);
    }

    #[test]
    fn an_identity_that_nothing_carries_and_no_identity_are_not_applicable() {
        assert_eq!(judged(&json!({}), &[]).outcome(), Outcome::NotApplicable);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
