//! KV-001: two independent lists name the same vaults.

use std::collections::BTreeMap;

use super::{Check, Facts, Finding, Nature, Severity, about, own, population};
use crate::evidence::Kind;
use crate::model::{Id, Resource, Vault};

pub(super) const CHECK: Check = Check {
    id: "KV-001",
    title: "The population of vaults is complete",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Whether Key Vault's own list and the resource manager's list of resources name the same vaults, in each \
           subscription and both ways. Vaults that were deleted but can still be recovered explain a difference.",
    blind_to: "Subscriptions that the collecting identity cannot see, and Managed HSM pools. Both lists come from the \
               same cloud and hide the same things from an identity without Reader.",
    fix: "Give the collecting identity Reader on every subscription (`az role assignment create --role Reader --scope \
          /subscriptions/ID --assignee-object-id ID`), collect again, and compare with `az resource list \
          --resource-type Microsoft.KeyVault/vaults`.",
    needs: &[
        population(Kind::Vaults),
        population(Kind::Resources),
        own(Kind::Vaults),
        own(Kind::Resources),
        own(Kind::DeletedVaults),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut lists: BTreeMap<&Id, (Option<&Vault>, Option<&Resource>)> = BTreeMap::new();
    for vault in &facts.tenant.vaults {
        lists.entry(&vault.id).or_default().0 = Some(vault);
    }
    let is_vault = |resource: &&Resource| resource.resource_type.eq_ignore_ascii_case("Microsoft.KeyVault/vaults");
    for resource in facts.tenant.resources.iter().filter(is_vault) {
        lists.entry(&resource.id).or_default().1 = Some(resource);
    }
    let judged = lists.into_values().map(|pair| match pair {
        (Some(vault), Some(resource)) => Some(
            about("vault", &vault.id, &vault.name, &vault.from)
                .citing([&resource.from])
                .pass("both lists name it: Key Vault's own and the resource manager's"),
        ),
        (Some(vault), None) => Some(only_vault(facts, vault)),
        (None, Some(resource)) => Some(only_resource(facts, resource)),
        (None, None) => None,
    });
    judged.flatten().collect()
}

fn only_vault(facts: &Facts<'_>, vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    match facts.missing(&[own(Kind::Resources)], &vault.id) {
        Some(missing) => on.missing(&missing),
        None => on
            .citing(&facts.records_about(Kind::Resources, &vault.id))
            .fail("Key Vault lists it, the resource manager's list of resources does not"),
    }
}

fn only_resource(facts: &Facts<'_>, resource: &Resource) -> Finding {
    let on = about("vault", &resource.id, &resource.name, &resource.from);
    if let Some(missing) = facts.missing(&[own(Kind::Vaults), own(Kind::DeletedVaults)], &resource.id) {
        return on.missing(&missing);
    }
    let on = on.citing(&facts.records_about(Kind::Vaults, &resource.id));
    match facts.tenant.deleted_vaults.iter().find(|deleted| deleted.vault_id == resource.id) {
        Some(deleted) => on.citing([&deleted.from]).pass(
            "the resource manager still lists it and Key Vault lists it as deleted, which explains the difference",
        ),
        None => on
            .citing(&facts.records_about(Kind::DeletedVaults, &resource.id))
            .fail("the resource manager lists it, Key Vault lists it neither as a vault nor as deleted"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Outcome;
    use super::super::testing::{
        SUB, about_name, base, findings_of, list, only, outcomes, resource_json, vault_id, vault_json,
    };
    use super::*;
    use crate::evidence::Reason;
    use crate::evidence::testing::CaptureBuilder;

    fn listed(vaults: &[&str], resources: &[&str]) -> CaptureBuilder {
        let vaults = vaults.iter().map(|name| vault_json(name, &json!({})));
        let resources = resources.iter().map(|name| resource_json("microsoft.keyvault/vaults", name, &json!({})));
        base().replace(Kind::Vaults, SUB, list(vaults)).replace(Kind::Resources, SUB, list(resources))
    }

    #[test]
    fn a_vault_in_both_lists_passes_and_cites_both() {
        let findings = findings_of(&CHECK, listed(&["kv1"], &["kv1"]));
        assert_eq!(only(&findings).outcome(), Outcome::Pass);
        assert_eq!(only(&findings).evidence().len(), 2);
    }

    #[test]
    fn a_vault_in_one_list_alone_fails_whichever_list_it_is() {
        let findings = findings_of(&CHECK, listed(&["kv1", "kv2"], &["kv2", "kv3"]));
        assert_eq!(about_name(&findings, "kv1").outcome(), Outcome::Fail);
        assert_eq!(about_name(&findings, "kv2").outcome(), Outcome::Pass);
        assert_eq!(about_name(&findings, "kv3").outcome(), Outcome::Fail);
    }

    #[test]
    fn a_deleted_vault_explains_the_difference() {
        let deleted = json!({"id": "/subscriptions/s/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv3",
            "name": "kv3", "properties": {"vaultId": vault_id("kv3"), "deletionDate": "2026-10-01T00:00:00Z"}});
        let builder = listed(&[], &["kv3"]).replace(Kind::DeletedVaults, SUB, list([deleted]));
        assert_eq!(only(&findings_of(&CHECK, builder)).outcome(), Outcome::Pass);
    }

    #[test]
    fn without_the_list_of_resources_no_vault_is_judged() {
        let findings = findings_of(&CHECK, listed(&["kv1"], &[]).denied(Kind::Resources, SUB));
        assert_eq!(about_name(&findings, "kv1").outcome(), Outcome::NotEvaluated);
        assert_eq!(about_name(&findings, "kv1").reason(), Some(Reason::Forbidden));
        assert_eq!(outcomes(&findings), [Outcome::NotEvaluated, Outcome::NotEvaluated]);
    }

    #[test]
    fn two_empty_lists_are_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
