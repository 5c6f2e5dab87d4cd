//! Who can do what to which vault in the tenants of published designs: what their READMEs say "by hand", held against
//! the whole list of grants.

use std::collections::BTreeMap;

use tickmark::access::{Access, Capability};
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

/// `HOST as IDENTITY: WHAT in WHERE; alone: …`, each identity that gives something, and what several hosts reach.
fn hosts(tenant: &str) -> (Vec<String>, Vec<String>) {
    let judged = judge(Tenant::open(tenant).recording());
    let found = &judged.assessment.hosts;
    let giving = found.lines.iter().filter(|line| !line.reaches.is_empty());
    let line = |line: &tickmark::assess::HostLine| {
        let words = |of: fn(&tickmark::assess::ReachLine) -> &str| -> String {
            let told = line.reaches.iter().filter(|reach| !of(reach).is_empty());
            told.map(|reach| format!("{} in {}", of(reach), reach.place)).collect::<Vec<String>>().join("; ")
        };
        format!("{} as {}: {} | alone: {}", line.host, line.identity, words(|one| &one.can), words(|one| &one.alone))
    };
    let mut lines: Vec<String> = giving.map(line).collect();
    lines.sort();
    let overlaps = found.overlaps.iter();
    let overlaps = overlaps
        .map(|one| format!("{} in {}: {} as {}", one.can, one.place, one.hosts.join(", "), one.identities.join(", ")));
    (lines, overlaps.collect())
}

#[test]
fn a_host_reaches_what_its_identities_have_together_and_a_split_would_take_apart() {
    let (lines, overlaps) = hosts("design-policies");
    let expected = [
        "vm-back as id-receiver: decrypt with keys in kv-message; read secret values in kv-partner | alone: decrypt with \
         keys in kv-message; read secret values in kv-partner",
        "vm-front as id-database: read secret values, list secrets in kv-database | alone: read secret values, list \
         secrets in kv-database",
        "vm-middle as id-database: read secret values, list secrets in kv-database | alone: read secret values, list \
         secrets in kv-database",
        "vm-middle as id-sender: encrypt with keys in kv-message | alone: encrypt with keys in kv-message",
    ];
    assert_eq!(lines, expected);
    // the two machines share the database's password by one identity
    assert_eq!(overlaps, ["read secret values, list secrets in kv-database: vm-front, vm-middle as id-database"]);
}

#[test]
fn the_same_machines_reach_the_same_objects_by_roles() {
    let (lines, overlaps) = hosts("design-roles");
    let of = |host: &str| lines.iter().filter(|line| line.starts_with(host)).cloned().collect::<Vec<String>>();
    let database = "read secret values, list secrets in kv-exchange/secrets/database";
    assert_eq!(of("vm-front"), [format!("vm-front as id-database: {database} | alone: {database}")]);
    let message = "encrypt with keys in kv-exchange/keys/message";
    let middle = [
        format!("vm-middle as id-database: {database} | alone: {database}"),
        format!("vm-middle as id-sender: {message} | alone: {message}"),
    ];
    assert_eq!(of("vm-middle"), middle);
    assert_eq!(of("vm-back").len(), 1);
    assert_eq!(overlaps, [format!("{database}: vm-front, vm-middle as id-database")]);
}
