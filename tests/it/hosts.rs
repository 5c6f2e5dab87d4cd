//! What recorded tenants say of hosts, services that hold data and vaults' contents, by hand.

use tickmark::model::{self, Encryption, ObjectSource, Tenant};

use super::harness::{Bench, tenant_folder};
use super::replay::judge;

fn facts(name: &str) -> Tenant {
    let judged = judge(tickmark::azure::Recording::open(&tenant_folder(name)).expect("a recording"));
    model::read(&judged.capture).expect("facts")
}

#[test]
fn mixed_has_hosts_of_every_type() {
    let tenant = facts("mixed");
    let hosts = &tenant.hosts;
    let machines: Vec<&str> = hosts.machines.iter().map(|one| one.resource.name.as_str()).collect();
    assert_eq!(machines, ["vm-legacy-ftp", "vm-track-01", "vm-track-02", "vmss-track-edge"]);
    let edge = &hosts.machines[3];
    assert_eq!(edge.observed, ["https://kv-track-prod.vault.azure.net/secrets/track-tls"]);
    assert_eq!(edge.deployed_from[0].name(), "kv-track-legacy");
    let sites: Vec<(&str, bool)> = hosts.sites.iter().map(|site| (site.resource.name.as_str(), site.is_slot)).collect();
    assert_eq!(sites, [("app-portal", false), ("app-portal/staging", true), ("func-quotes", false)]);
    let references: Vec<(&str, &str, Option<&str>)> = hosts
        .vault_references
        .iter()
        .map(|one| (one.host.name(), one.setting.as_str(), one.status.as_deref()))
        .collect();
    assert_eq!(
        references,
        [
            ("app-portal", "OAUTH_SECRET", None),
            ("app-portal", "PORTAL_BROKEN", Some("InvalidSyntax")),
            ("app-portal", "REPORT_KEY", Some("AccessToKeyVaultDenied")),
            ("app-portal", "SESSION_KEY", Some("Resolved")),
            ("app-portal", "TrackingDb", Some("AccessToKeyVaultDenied")),
            ("staging", "SESSION_KEY", Some("MSINotEnabled")),
        ]
    );
    let of_app: Vec<bool> = hosts.container_apps[0].secrets.iter().map(|one| one.vault_url.is_some()).collect();
    assert_eq!(of_app, [true, false]);
    let clusters: Vec<(&str, bool, bool, bool)> = hosts
        .clusters
        .iter()
        .map(|one| (one.resource.name.as_str(), one.oidc_issuer, one.workload_identity, one.local_accounts_disabled))
        .collect();
    assert_eq!(clusters, [("aks-lab", false, false, false), ("aks-platform", true, true, true)]);
    let track = tenant.user_assigned.iter().find(|one| one.name == "id-track-app").expect("the identity");
    assert_eq!(hosts.clusters[1].kubelet_object_id, track.principal_id);
    let links: Vec<(&str, bool)> =
        hosts.factory_vaults.iter().map(|one| (one.name.as_str(), one.base_url.is_some())).collect();
    assert_eq!(links, [("ls_vault", true), ("ls_vault_any", false), ("ls_vault_track", true)]);
    assert!(!hosts.synapse_workspaces[0].entra_only && hosts.logic_apps[0].state.as_deref() == Some("Enabled"));
    assert_eq!(hosts.automation_accounts.len() + hosts.access_connectors.len() + hosts.factories.len(), 3);
}

#[test]
fn mixed_has_services_with_keys_and_without() {
    let data = facts("mixed").data;
    let told: Vec<(&str, bool, bool)> = data
        .services
        .iter()
        .map(|one| {
            let is_customers = matches!(&one.encryption, Encryption::Customer { key: Some(key), .. } if key.starts_with("https://kv-track-prod.vault.azure.net"));
            (one.resource.name.as_str(), one.allows_keys, is_customers)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("psql-track", true, false),
            ("sql-reports", true, false),
            ("sql-track", false, true),
            ("sttracklogs", true, false),
            ("sttrackold", true, false),
            ("sttrackprod", false, true),
            ("oai-shared", true, true),
            ("psql-shared", false, true),
            ("cosmos-lab", true, false),
            ("cosmos-shared", false, true),
            ("srch-shared", true, false),
        ]
    );
    let set = &data.disk_encryption_sets[0];
    assert!(set.follows_rotation && set.vault.as_ref().is_some_and(|vault| vault.name() == "kv-track-prod"));
    assert!(set.key_url.as_deref().is_some_and(|url| url.contains("/keys/track-cmk/")), "{set:?}");
    assert_eq!(data.managed_hsms[0].purge_protection, Some(true));
    let connections = data.endpoints.iter().flat_map(|endpoint| &endpoint.connections);
    let status: Vec<Option<&str>> = connections.map(|one| one.status.as_deref()).collect();
    assert_eq!(status, [Some("Approved"), Some("Pending")]);
}

#[test]
fn vaults_tell_more_of_themselves_than_resource_manager_tells() {
    let by_arm = facts("mixed").contents;
    assert_eq!((by_arm.objects.len(), by_arm.deleted.len()), (4 + 2 + 1 + 1 + 2, 0));
    assert!(by_arm.objects.iter().all(|object| object.source == ObjectSource::Arm));
    let expired = by_arm.objects.iter().find(|object| object.name == "report-smtp").expect("the secret");
    assert_eq!(expired.attributes.expires.map(|time| time.to_rfc3339()).as_deref(), Some("2026-01-14T00:00:00+00:00"));

    let bench = Bench::new().with("TICKMARK_KEY_PASSPHRASE", "correct horse");
    let recording = tenant_folder("mixed").display().to_string();
    bench.run(&["init", "--tenant", "18d5f02b-8e83-48c5-a19c-a7b2a0b2c032"]);
    let config = bench.read("tickmark.toml");
    bench.write("tickmark.toml", &config.replace("# vault_objects = \"arm\"", "vault_objects = \"data_plane\""));
    let ran = bench.run(&["collect", "--replay", &recording, "--period", "2026Q3"]);
    assert_eq!(ran.code, 3, "one vault refuses: {}", ran.err);
    let files = bench.files("tickmark-store/captures");
    let records: Vec<String> = files
        .iter()
        .filter(|(name, _)| name.ends_with("ipe.json"))
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    let count = |kind: &str| records.iter().filter(|text| text.contains(&format!("\"kind\": \"{kind}\""))).count();
    assert_eq!(count("vault_data_secrets"), 3);
    assert_eq!(count("vault_secrets"), 1, "Resource Manager is asked about the one that refuses");
    let plan = files.iter().find(|(name, _)| name.ends_with("plan.json")).expect("a plan");
    assert!(String::from_utf8_lossy(plan.1).contains("\"vaultObjects\": \"data_plane\""));
}
