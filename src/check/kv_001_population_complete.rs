//! KV-001: independent lists name the same vaults.

use std::collections::BTreeMap;

use super::{Check, Facts, Finding, Nature, Severity, about, own, population};
use crate::evidence::{Cite, Kind};
use crate::model::{Id, IndexedResource, Missing, Reconciliation, Resource, Vault, Why};

pub(super) const CHECK: Check = Check {
    id: "KV-001",
    title: "The population of vaults is complete",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Whether Key Vault's own list, the resource manager's list of resources and Resource Graph name the same \
           vaults, in each subscription and each way. Vaults that were deleted but can still be recovered explain a \
           difference, and so does a vault that was made or deleted minutes before the collection: Resource Graph is \
           an index that lags behind.",
    blind_to: "Subscriptions that the collecting identity cannot see, and Managed HSM pools. The lists come from the \
               same cloud and hide the same things from an identity without Reader.",
    fix: "Give the collecting identity Reader on every subscription (`az role assignment create --role Reader --scope \
          /subscriptions/ID --assignee-object-id ID`), collect again, and compare with `az resource list \
          --resource-type Microsoft.KeyVault/vaults` and `az graph query -q \"resources | where type =~ \
          'microsoft.keyvault/vaults'\"`.",
    needs: &[
        population(Kind::Vaults),
        population(Kind::Resources),
        own(Kind::Vaults),
        own(Kind::Resources),
        own(Kind::DeletedVaults),
        own(Kind::ResourceGraphVaults),
    ],
    run,
};

/// One vault in each of the lists.
#[derive(Default)]
struct Lists<'a> {
    vault: Option<&'a Vault>,
    resource: Option<&'a Resource>,
    indexed: Option<&'a IndexedResource>,
}

/// What a list that does not name a vault says by that.
enum Absence {
    /// It was not read there.
    Unread(Missing),
    /// Something explains it.
    Explained(String, Vec<Cite>),
    /// Nothing does.
    Unexplained(Vec<Cite>),
}

type AbsenceOf<'a> = fn(&Facts<'a>, &Reconciliation, &Id) -> Absence;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut lists: BTreeMap<&Id, Lists<'_>> = BTreeMap::new();
    for vault in &facts.tenant.vaults {
        lists.entry(&vault.id).or_default().vault = Some(vault);
    }
    let is_vault = |resource: &&Resource| resource.resource_type.eq_ignore_ascii_case("Microsoft.KeyVault/vaults");
    for resource in facts.tenant.resources.iter().filter(is_vault) {
        lists.entry(&resource.id).or_default().resource = Some(resource);
    }
    for indexed in &facts.tenant.resource_graph.vaults {
        lists.entry(&indexed.id).or_default().indexed = Some(indexed);
    }
    let both = facts.tenant.vaults_by_both();
    lists.into_iter().filter_map(|(id, lists)| judge(facts, &both, id, &lists)).collect()
}

fn judge(facts: &Facts<'_>, both: &Reconciliation, id: &Id, lists: &Lists<'_>) -> Option<Finding> {
    let vault = lists.vault.map(|vault| ("Key Vault", &vault.name, &vault.from));
    let resource = lists.resource.map(|resource| ("the resource manager", &resource.name, &resource.from));
    let indexed = lists.indexed.map(|indexed| ("Resource Graph", &indexed.name, &indexed.from));
    let named = || [vault, resource, indexed].into_iter().flatten();
    let (_, name, from) = named().next()?;
    let mut on = about("vault", id, name, from).citing(named().map(|(_, _, from)| from));
    let absent = [
        (vault.is_none(), "Key Vault", not_in_vaults as AbsenceOf<'_>),
        (resource.is_none(), "the resource manager", not_in_resources),
        (indexed.is_none(), "Resource Graph", not_in_graph),
    ];
    let (mut unread, mut explained, mut lacking) = (None, Vec::new(), Vec::new());
    for (_, list, absence) in absent.into_iter().filter(|(is_absent, ..)| *is_absent) {
        match absence(facts, both, id) {
            Absence::Unread(missing) => unread = unread.or(Some(missing)),
            Absence::Explained(why, cites) => {
                on = on.citing(&cites);
                explained.push(why);
                if vault.is_none() {
                    break; // it was deleted: a list without it is right
                }
            }
            Absence::Unexplained(cites) => {
                on = on.citing(&cites);
                lacking.push(list);
            }
        }
    }
    let named = named().map(|(list, ..)| list).collect::<Vec<&str>>().join(" and ");
    Some(match (lacking.is_empty(), unread) {
        (false, _) => on.fail(format!("only one side lists it: {named}; not {}", lacking.join(" and not "))),
        (true, Some(missing)) => on.missing(&missing),
        (true, None) if explained.is_empty() => {
            on.pass("every list names it: Key Vault's own, the resource manager's and Resource Graph's")
        }
        (true, None) => on.pass(format!("{named} list it; {}, which explains the difference", explained.join(", "))),
    })
}

fn not_in_vaults(facts: &Facts<'_>, _: &Reconciliation, id: &Id) -> Absence {
    if let Some(missing) = facts.missing(&[own(Kind::Vaults), own(Kind::DeletedVaults)], id) {
        return Absence::Unread(missing);
    }
    let records = |kind: Kind| facts.records_about(kind, id);
    match facts.tenant.deleted_vaults.iter().find(|deleted| deleted.vault_id == *id) {
        Some(deleted) => Absence::Explained("Key Vault lists it as deleted".to_owned(), vec![deleted.from.clone()]),
        None => Absence::Unexplained([records(Kind::Vaults), records(Kind::DeletedVaults)].concat()),
    }
}

fn not_in_resources(facts: &Facts<'_>, _: &Reconciliation, id: &Id) -> Absence {
    match facts.missing(&[own(Kind::Resources)], id) {
        Some(missing) => Absence::Unread(missing),
        None => Absence::Unexplained(facts.records_about(Kind::Resources, id)),
    }
}

fn not_in_graph(facts: &Facts<'_>, both: &Reconciliation, id: &Id) -> Absence {
    let records = facts.records_of(Kind::ResourceGraphVaults);
    match facts.missing(&[own(Kind::ResourceGraphVaults)], id) {
        Some(missing) => Absence::Unread(missing),
        None => match both.about(id).map(|difference| &difference.why) {
            Some(why @ Why::Lag(_)) => Absence::Explained(why.words(), records),
            _ => Absence::Unexplained(records),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Outcome;
    use super::super::testing::{
        SUB, about_name, base, findings_of, indexed, list, only, outcomes, resource_json, vault_id, vault_json,
    };
    use super::*;
    use crate::evidence::Reason;
    use crate::evidence::testing::CaptureBuilder;

    fn listed(vaults: &[&str], resources: &[&str]) -> CaptureBuilder {
        let vaults = vaults.iter().map(|name| vault_json(name, &json!({})));
        let resources = resources.iter().map(|name| resource_json("microsoft.keyvault/vaults", name, &json!({})));
        base().replace(Kind::Vaults, SUB, list(vaults)).replace(Kind::Resources, SUB, list(resources))
    }

    /// The vaults of the other two lists, and what Resource Graph lists.
    fn indexed_too(builder: CaptureBuilder, names: &[&str]) -> CaptureBuilder {
        let vaults = names.iter().map(|name| resource_json("microsoft.keyvault/vaults", name, &json!({})));
        builder.replace(Kind::ResourceGraphVaults, "subscriptions", indexed(vaults))
    }

    #[test]
    fn a_vault_in_every_list_passes_and_cites_each() {
        let findings = findings_of(&CHECK, indexed_too(listed(&["kv1"], &["kv1"]), &["kv1"]));
        assert_eq!(only(&findings).outcome(), Outcome::Pass);
        assert_eq!(only(&findings).evidence().len(), 3);
    }

    #[test]
    fn a_vault_that_any_list_lacks_fails_whichever_list_it_is() {
        let builder = indexed_too(listed(&["kv1", "kv2", "kv5"], &["kv2", "kv3", "kv5"]), &["kv2", "kv4"]);
        let findings = findings_of(&CHECK, builder);
        assert_eq!(about_name(&findings, "kv2").outcome(), Outcome::Pass);
        for (name, words) in [
            ("kv1", "Key Vault; not the resource manager and not Resource Graph"),
            ("kv3", "the resource manager; not Key Vault and not Resource Graph"),
            ("kv4", "Resource Graph; not Key Vault and not the resource manager"),
            ("kv5", "Key Vault and the resource manager; not Resource Graph"),
        ] {
            assert_eq!(about_name(&findings, name).outcome(), Outcome::Fail);
            assert!(about_name(&findings, name).because().ends_with(words), "{findings:#?}");
        }
    }

    #[test]
    fn a_vault_that_was_made_minutes_ago_need_not_be_in_the_index() {
        let made = |at: &str| {
            let vault = vault_json("kv1", &json!({"systemData": {"createdAt": at}}));
            let resource = resource_json("microsoft.keyvault/vaults", "kv1", &json!({}));
            let builder = base().replace(Kind::Vaults, SUB, list([vault]));
            only(&findings_of(&CHECK, builder.replace(Kind::Resources, SUB, list([resource])))).clone()
        };
        // collected at 09:00
        let new = made("2026-10-02T08:50:00Z");
        assert_eq!(new.outcome(), Outcome::Pass);
        assert!(new.because().contains("made or deleted at 2026-10-02T08:50:00Z"), "{}", new.because());
        assert_eq!(made("2026-10-02T08:40:00Z").outcome(), Outcome::Fail);
    }

    #[test]
    fn without_resource_graph_no_vault_passes_and_a_difference_that_was_seen_stays() {
        let builder = listed(&["kv1", "kv2"], &["kv1"]).denied(Kind::ResourceGraphVaults, "subscriptions");
        let findings = findings_of(&CHECK, builder);
        assert_eq!(about_name(&findings, "kv1").reason(), Some(Reason::Forbidden));
        assert_eq!(about_name(&findings, "kv2").outcome(), Outcome::Fail);
    }

    #[test]
    fn an_index_that_counts_more_than_it_gives_is_not_relied_on() {
        let mut vaults = indexed([resource_json("microsoft.keyvault/vaults", "kv1", &json!({}))]);
        vaults["$skipToken"] = json!("[cut]");
        let builder = listed(&["kv1"], &["kv1"]).replace(Kind::ResourceGraphVaults, "subscriptions", vaults);
        assert_eq!(only(&findings_of(&CHECK, builder)).reason(), Some(Reason::CutShort));
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
        let findings = findings_of(&CHECK, indexed_too(listed(&["kv1"], &[]), &["kv1"]).denied(Kind::Resources, SUB));
        assert_eq!(about_name(&findings, "kv1").outcome(), Outcome::NotEvaluated);
        assert_eq!(about_name(&findings, "kv1").reason(), Some(Reason::Forbidden));
        assert_eq!(outcomes(&findings), [Outcome::NotEvaluated, Outcome::NotEvaluated]);
    }

    #[test]
    fn empty_lists_are_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
