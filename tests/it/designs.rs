//! Who can do what to which vault in the tenants of published designs: what their READMEs say "by hand", held against
//! the whole list of grants.

use std::collections::BTreeMap;

use tickmark::access::{Access, Answer, Capability};
use tickmark::model;

use super::replay::{Tenant, judge};

/// Lines `WHO | VAULT OR OBJECT | ANSWER | CAPABILITY…`, sorted: every grant on every vault of a recorded tenant.
fn grants(tenant: &str) -> Vec<String> {
    let judged = judge(Tenant::open(tenant).recording());
    let tenant = model::read(&judged.capture).expect("a tenant");
    let access = Access::of(&tenant);
    let mut found: BTreeMap<(String, String, &str), Vec<Capability>> = BTreeMap::new();
    for vault in &tenant.vaults {
        assert!(access.gaps(&vault.id).is_empty(), "{:?}", access.gaps(&vault.id));
        for grant in access.on(&vault.id) {
            let below = grant.object.shown().get(vault.id.shown().len()..).expect("in the vault");
            let object = format!("{}{below}", vault.name);
            let key = (tenant.principal_name(&grant.principal_id), object, grant.answer.words());
            found.entry(key).or_default().push(grant.capability);
            assert!(!grant.paths.is_empty(), "{grant:?}");
            let all_cite = grant.paths.iter().all(|path| !access.evidence(&vault.id, path).is_empty());
            assert!(all_cite, "{grant:?}");
        }
    }
    let line = |((who, object, answer), capabilities): (&(String, String, &str), &Vec<Capability>)| {
        let capabilities: Vec<&str> = capabilities.iter().map(|capability| capability.name()).collect();
        format!("{who} | {object} | {answer} | {}", capabilities.join(" "))
    };
    found.iter().map(line).collect()
}

fn agree(tenant: &str, expected: &str) {
    let expected: Vec<String> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    assert_eq!(grants(tenant), expected);
}

#[test]
fn one_machine_reads_its_vault_and_the_platform_s_owner_grants() {
    agree(
        "idsentinel",
        "
        IDS-NHI-VM | kv-idsentinel-azureuser | allowed | read_secret list_secrets read_private_key
        Jordan Ellis | kv-idsentinel-azureuser | allowed | grant_access manage_vault
        Jordan Ellis | kv-idsentinel-azureuser | eligible | read_secret list_secrets change_secret destroy_secret decrypt sign encrypt export_key read_private_key
        ",
    );
}

#[test]
fn three_identities_have_what_four_access_policies_give() {
    agree(
        "design-policies",
        "
        id-database | kv-database | allowed | read_secret list_secrets read_private_key
        id-receiver | kv-message | allowed | decrypt
        id-receiver | kv-partner | allowed | read_secret read_private_key
        id-sender | kv-message | allowed | encrypt
        ",
    );
}

#[test]
fn the_same_identities_have_the_same_objects_by_roles() {
    agree(
        "design-roles",
        "
        id-database | kv-exchange/secrets/database | allowed | read_secret list_secrets read_private_key
        id-receiver | kv-exchange/keys/message | allowed | decrypt
        id-receiver | kv-exchange/secrets/partner | allowed | read_secret list_secrets read_private_key
        id-sender | kv-exchange/keys/message | allowed | encrypt
        ",
    );
}

#[test]
fn reader_at_a_vault_reads_nothing_in_it() {
    agree("design-reader", "");
}

#[test]
fn who_administers_does_it_by_activation() {
    agree(
        "design-activated",
        "
        Ruth Adeyemi | kv-platform-prod | eligible | read_secret list_secrets change_secret destroy_secret decrypt sign encrypt export_key read_private_key grant_access manage_vault
        Tom Lindgren | kv-platform-prod | allowed | list_secrets
        adf-platform | kv-platform-prod | allowed | read_secret list_secrets read_private_key
        func-portal | kv-platform-prod/secrets/db-conn | allowed | read_secret list_secrets read_private_key
        id-storage-cmk | kv-platform-prod/keys/cmk-storage | allowed | decrypt encrypt
        sp-azure-devops | kv-platform-prod | allowed | manage_vault
        sp-github-deploy | kv-platform-prod | allowed | read_secret list_secrets read_private_key
        ",
    );
}

/// Which secrets a host reaches through all its identities, and which machines share one.
#[test]
fn no_machine_reaches_more_than_its_identities_have() {
    let judged = judge(Tenant::open("design-policies").recording());
    let tenant = model::read(&judged.capture).expect("a tenant");
    let access = Access::of(&tenant);
    let mut reached: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for machine in tenant.resources.iter().filter(|resource| resource.resource_type.ends_with("virtualMachines")) {
        let identity = machine.identity.as_ref().expect("an identity");
        let own = identity.system_principal_id.iter();
        let attached = identity.user_assigned.iter().filter_map(|attached| attached.principal_id.as_ref());
        let vaults = own.chain(attached).flat_map(|id| tenant.vaults.iter().map(move |vault| (id, vault)));
        let grants = vaults.flat_map(|(id, vault)| {
            let grants = access.of_principal(&vault.id, id).into_iter();
            grants.filter(|grant| grant.answer == Answer::Allowed).map(|grant| (grant.capability, vault.name.clone()))
        });
        let mut all: Vec<(Capability, String)> = grants.collect();
        all.sort();
        let shown = all.iter().filter(|(capability, _)| *capability != Capability::ReadPrivateKey);
        let shown = shown.map(|(capability, vault)| format!("{} in {vault}", capability.words()));
        reached.insert(&machine.name, shown.collect());
    }
    let front = vec!["read secret values in kv-database".to_owned(), "list secrets in kv-database".to_owned()];
    let middle = [front.clone(), vec!["encrypt with keys in kv-message".to_owned()]].concat();
    let back = vec!["read secret values in kv-partner".to_owned(), "decrypt with keys in kv-message".to_owned()];
    assert_eq!(reached, BTreeMap::from([("vm-front", front), ("vm-middle", middle), ("vm-back", back)]));
}
