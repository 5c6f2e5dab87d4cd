//! What runs a customer's code: apps, machines, clusters, factories.

use super::inventory::resource;
use super::{Item, ModelError, Pages, first_of_each};
use crate::evidence::{CUT, Kind};
use crate::model::{
    Cluster, ContainerApp, ContainerAppSecret, DatabricksWorkspace, FactoryVault, Hosts, LogicApp, Machine, Resource,
    Site, SynapseWorkspace, VaultReference,
};

/// Hosts by type, each list in order of id.
pub(super) fn read(pages: &mut Pages<'_>) -> Result<Hosts, ModelError> {
    let mut machines = pages.items(Kind::VirtualMachines, |item| machine(item, MACHINE))?;
    machines.extend(pages.items(Kind::ScaleSets, |item| machine(item, SCALE_SET))?);
    let mut sites = pages.items(Kind::Sites, |item| site(item, false))?;
    sites.extend(pages.items(Kind::SiteSlots, |item| site(item, true))?);
    let mut vault_references = pages.items(Kind::SettingReferences, |item| reference(item, false))?;
    vault_references.extend(pages.items(Kind::ConnectionReferences, |item| reference(item, true))?);
    vault_references.sort_by(|a, b| {
        (&a.host, a.is_connection_string, &a.setting).cmp(&(&b.host, b.is_connection_string, &b.setting))
    });
    let mut factory_vaults = pages.items(Kind::LinkedServices, factory_vault)?;
    factory_vaults.sort_by(|a, b| (&a.factory, &a.name).cmp(&(&b.factory, &b.name)));
    Ok(Hosts {
        machines: first_of_each(machines, |machine| &machine.resource.id),
        sites: first_of_each(sites, |site| &site.resource.id),
        vault_references,
        container_apps: list(pages, Kind::ContainerApps, container_app, |app| &app.resource)?,
        clusters: list(pages, Kind::ManagedClusters, cluster, |cluster| &cluster.resource)?,
        factories: resources(pages, Kind::DataFactories, "Microsoft.DataFactory/factories")?,
        factory_vaults,
        synapse_workspaces: list(pages, Kind::SynapseWorkspaces, synapse_workspace, |one| &one.resource)?,
        databricks_workspaces: list(pages, Kind::DatabricksWorkspaces, databricks_workspace, |one| &one.resource)?,
        access_connectors: resources(pages, Kind::AccessConnectors, "Microsoft.Databricks/accessConnectors")?,
        automation_accounts: resources(pages, Kind::AutomationAccounts, "Microsoft.Automation/automationAccounts")?,
        logic_apps: list(pages, Kind::LogicApps, logic_app, |app| &app.resource)?,
    })
}

const MACHINE: &str = "Microsoft.Compute/virtualMachines";
const SCALE_SET: &str = "Microsoft.Compute/virtualMachineScaleSets";

/// The items of a kind in order of id.
pub(super) fn list<T>(
    pages: &mut Pages<'_>,
    kind: Kind,
    read: fn(&Item<'_>) -> Option<T>,
    resource: fn(&T) -> &Resource,
) -> Result<Vec<T>, ModelError> {
    Ok(first_of_each(pages.items(kind, read)?, |one| &resource(one).id))
}

/// Those of which nothing but the resource itself matters.
fn resources(pages: &mut Pages<'_>, kind: Kind, usual_type: &str) -> Result<Vec<Resource>, ModelError> {
    Ok(first_of_each(pages.items(kind, |item| resource(item, Some(usual_type)))?, |one| &one.id))
}

/// Secrets and extensions are below the machine's own properties, and below those of a scale set's machines.
fn machine(item: &Item<'_>, usual_type: &str) -> Option<Machine> {
    let resource = resource(item, Some(usual_type))?;
    let properties = item.object("properties");
    let of_set = properties.as_ref().and_then(|properties| properties.object("virtualMachineProfile"));
    let profile = of_set.as_ref().or(properties.as_ref());
    let groups = profile.and_then(|profile| profile.object("osProfile")).map(|os| os.items("secrets"));
    let vaults = groups.unwrap_or_default();
    let mut extensions = item.items("resources");
    extensions.extend(
        profile
            .and_then(|profile| profile.object("extensionProfile"))
            .map(|all| all.items("extensions"))
            .unwrap_or_default(),
    );
    Some(Machine {
        resource,
        deployed_from: vaults.iter().filter_map(|group| group.object("sourceVault")?.id("id")).collect(),
        observed: extensions.iter().flat_map(observed).collect(),
    })
}

/// Addresses that the Key Vault extension watches. Other extensions have other settings, which are not kept.
fn observed(extension: &Item<'_>) -> Vec<String> {
    let secrets = extension
        .object("properties")
        .filter(|properties| properties.text("publisher").is_some_and(|name| name == "Microsoft.Azure.KeyVault"))
        .and_then(|properties| properties.object("settings")?.object("secretsManagementSettings"));
    secrets.map(|secrets| secrets.texts("observedCertificates")).unwrap_or_default()
}

fn site(item: &Item<'_>, is_slot: bool) -> Option<Site> {
    let usual_type = if is_slot { "Microsoft.Web/sites/slots" } else { "Microsoft.Web/sites" };
    let properties = item.need_object("properties")?;
    Some(Site {
        resource: resource(item, Some(usual_type))?,
        is_slot,
        kind: item.text("kind"),
        state: properties.text("state"),
        reference_identity: properties.text("keyVaultReferenceIdentity").filter(|identity| !identity.is_empty()),
    })
}

fn reference(item: &Item<'_>, is_connection_string: bool) -> Option<VaultReference> {
    let setting = item.need_id_or_cut("id")?.name().to_owned();
    let properties = item.need_object("properties")?;
    // The version here describes an identity block; a bare word has been seen too.
    let identity_type = properties.value().get("identityType");
    let identity_type = identity_type.and_then(|told| told.get("type").unwrap_or(told).as_text());
    Some(VaultReference {
        host: item.scope_id(),
        setting: item.text("name").unwrap_or(setting),
        is_connection_string,
        status: properties.text("status"),
        vault: properties.text("vaultName"),
        secret: properties.text("secretName"),
        version: properties.text("secretVersion"),
        identity_type: identity_type.filter(|text| *text != CUT).map(str::to_owned),
        from: item.from(),
    })
}

fn container_app(item: &Item<'_>) -> Option<ContainerApp> {
    let properties = item.need_object("properties")?;
    // an app without secrets has no list of them
    let secrets = properties.object("configuration").map(|configuration| configuration.items("secrets"));
    let secret = |item: &Item<'_>| {
        Some(ContainerAppSecret {
            name: item.need("name")?,
            vault_url: item.text("keyVaultUrl").filter(|url| !url.is_empty()),
            identity: item.text("identity"),
        })
    };
    Some(ContainerApp {
        resource: resource(item, Some("Microsoft.App/containerApps"))?,
        secrets: secrets.unwrap_or_default().iter().filter_map(secret).collect(),
    })
}

/// Each absent profile means that the feature is off (Microsoft.ContainerService 2024-02-01, `ManagedClusterProperties`);
/// absent `disableLocalAccounts` means that they are on.
fn cluster(item: &Item<'_>) -> Option<Cluster> {
    let properties = item.need_object("properties")?;
    let is_on = |place: Option<Item<'_>>, name: &str| place.and_then(|place| place.flag(name)).unwrap_or(false);
    let security = properties.object("securityProfile");
    let kms = security.as_ref().and_then(|security| security.object("azureKeyVaultKms"));
    let issuer = properties.object("oidcIssuerProfile");
    let kubelet = properties.object("identityProfile").and_then(|all| all.object("kubeletidentity"));
    let add_on = properties.object("addonProfiles").and_then(|all| all.object("azureKeyvaultSecretsProvider"));
    let add_on = add_on.filter(|add_on| add_on.flag("enabled") == Some(true));
    Some(Cluster {
        resource: resource(item, Some("Microsoft.ContainerService/managedClusters"))?,
        kubelet_object_id: kubelet.and_then(|identity| identity.lower("objectId")),
        secrets_provider_object_id: add_on.and_then(|add_on| add_on.object("identity")?.lower("objectId")),
        oidc_issuer_url: issuer.as_ref().and_then(|issuer| issuer.text("issuerURL")),
        oidc_issuer: is_on(issuer, "enabled"),
        workload_identity: is_on(security.as_ref().and_then(|all| all.object("workloadIdentity")), "enabled"),
        pod_identity: is_on(properties.object("podIdentityProfile"), "enabled"),
        local_accounts_disabled: properties.flag("disableLocalAccounts").unwrap_or(false),
        azure_rbac: is_on(properties.object("aadProfile"), "enableAzureRBAC"),
        kms_key: kms.filter(|kms| kms.flag("enabled") == Some(true)).and_then(|kms| kms.text("keyId")),
    })
}

/// Links to anything but vaults are left out: of those, nothing but their type is kept.
fn factory_vault(item: &Item<'_>) -> Option<FactoryVault> {
    let properties = item.need_object("properties")?;
    if !properties.need("type")?.eq_ignore_ascii_case("AzureKeyVault") {
        return None;
    }
    let settings = properties.object("typeProperties");
    // An expression stands where the address should, as an object; it was cut when it was collected.
    let base_url = settings.as_ref().and_then(|settings| settings.value().get("baseUrl")?.as_text());
    let credential = settings.as_ref().and_then(|settings| settings.object("credential")?.text("referenceName"));
    Some(FactoryVault {
        factory: item.scope_id(),
        name: item.need("name")?,
        base_url: base_url.filter(|url| url.starts_with("https://")).map(str::to_owned),
        credential,
        from: item.from(),
    })
}

fn synapse_workspace(item: &Item<'_>) -> Option<SynapseWorkspace> {
    let properties = item.need_object("properties")?;
    let key = properties.object("encryption").and_then(|encryption| encryption.object("cmk")?.object("key"));
    Some(SynapseWorkspace {
        resource: resource(item, Some("Microsoft.Synapse/workspaces"))?,
        entra_only: properties.flag("azureADOnlyAuthentication").unwrap_or(false),
        trusted_services: properties.flag("trustedServiceBypassEnabled"),
        key_url: key.and_then(|key| key.text("keyVaultUrl")),
    })
}

fn databricks_workspace(item: &Item<'_>) -> Option<DatabricksWorkspace> {
    let properties = item.need_object("properties")?;
    let object_id = |name: &str| properties.object(name).and_then(|identity| identity.lower("principalId"));
    Some(DatabricksWorkspace {
        resource: resource(item, Some("Microsoft.Databricks/workspaces"))?,
        storage_object_id: object_id("storageAccountIdentity"),
        disk_object_id: object_id("managedDiskIdentity"),
    })
}

fn logic_app(item: &Item<'_>) -> Option<LogicApp> {
    let properties = item.need_object("properties")?;
    Some(LogicApp { resource: resource(item, Some("Microsoft.Logic/workflows"))?, state: properties.text("state") })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::evidence::testing::CaptureBuilder;
    use crate::model::{Id, Tenant};

    const SUB: &str = "/subscriptions/s";
    const OBJECT: &str = "AAAAAAAA-0000-0000-0000-000000000001";

    fn id(path: &str) -> String {
        format!("{SUB}/resourceGroups/g/providers/{path}")
    }

    fn tenant(kind: Kind, scope: &str, pages: Vec<Vec<Value>>) -> Tenant {
        let pages = pages.into_iter().map(|items| (json!({"value": items}), None)).collect();
        crate::model::read(&CaptureBuilder::default().pages(kind, scope, pages).build()).expect("facts")
    }

    /// Facts of one full item and one with nothing but its id and empty properties, on two pages.
    fn full_and_bare(kind: Kind, full: Value, path: &str) -> Tenant {
        let bare = json!({"id": format!("{}-z", id(path)), "identity": null, "tags": null, "properties": {}});
        let tenant = tenant(kind, SUB, vec![vec![full], vec![bare]]);
        assert!(tenant.coverage.missing_anywhere(kind).is_empty(), "{:?}", tenant.coverage.missing_anywhere(kind));
        let unlike = json!({"id": id(path), "properties": "none"});
        let marked = self::tenant(kind, SUB, vec![vec![unlike]]);
        assert_eq!(marked.coverage.missing_anywhere(kind).len(), 1, "{kind:?}: an item of another shape is a gap");
        tenant
    }

    #[test]
    fn machines_point_at_vaults_in_two_ways() {
        let certificate = "https://kv.vault.azure.net/secrets/tls";
        let extension = json!({"properties": {"publisher": "Microsoft.Azure.KeyVault", "type": "KeyVaultForLinux",
            "settings": {"secretsManagementSettings": {"observedCertificates": [certificate]}}}});
        let other = json!({"properties": {"publisher": "Microsoft.Azure.Extensions", "settings": "[cut]"}});
        let secrets =
            json!([{"sourceVault": {"id": id("Microsoft.KeyVault/vaults/kv")}, "vaultCertificates": null}, {}]);
        let machine = json!({"id": id("Microsoft.Compute/virtualMachines/vm"), "resources": [extension, other],
            "properties": {"osProfile": {"secrets": secrets}}});
        let told = full_and_bare(Kind::VirtualMachines, machine, "Microsoft.Compute/virtualMachines/vm").hosts.machines;
        assert_eq!((told.len(), told[0].observed.as_slice()), (2, [certificate.to_owned()].as_slice()));
        assert_eq!(told[0].deployed_from, [Id::new(id("microsoft.keyvault/vaults/KV"))]);
        assert!(told[1].observed.is_empty() && told[1].deployed_from.is_empty());
        let set = json!({"id": id("Microsoft.Compute/virtualMachineScaleSets/set"), "properties": {"virtualMachineProfile": {
            "osProfile": {"secrets": secrets}, "extensionProfile": {"extensions": [extension]}}}});
        let told = full_and_bare(Kind::ScaleSets, set, "Microsoft.Compute/virtualMachineScaleSets/set").hosts.machines;
        assert_eq!((told[0].deployed_from.len(), told[0].observed.len()), (1, 1));
    }

    #[test]
    fn an_app_says_which_identity_reads_its_references_and_how_they_resolve() {
        let app = id("Microsoft.Web/sites/app");
        let full = json!({"id": app, "name": "app", "kind": "app,linux", "identity": {"type": "SystemAssigned", "principalId": OBJECT},
            "properties": {"state": "Running", "keyVaultReferenceIdentity": "SystemAssigned"}});
        let told = full_and_bare(Kind::Sites, full, "Microsoft.Web/sites/app").hosts.sites;
        assert_eq!(
            (told[0].kind.as_deref(), told[0].reference_identity.as_deref()),
            (Some("app,linux"), Some("SystemAssigned"))
        );
        assert!(!told[0].is_slot && told[0].resource.identity.is_some() && told[1].reference_identity.is_none());
        let item = |setting: &str, properties: Value| json!({"id": format!("{app}/config/configreferences/appsettings/{setting}"), "properties": properties});
        let full = json!({"status": "AccessToKeyVaultDenied", "vaultName": "kv", "secretName": "db", "secretVersion": null,
            "identityType": {"type": "SystemAssigned"}});
        let old = json!({"vaultName": "kv", "identityType": "UserAssigned"});
        let cut = json!({"status": "InvalidSyntax", "identityType": "[cut]"});
        let pages = vec![vec![item("Db", full)], vec![item("Old", old), item("Raw", cut), json!({"properties": {}})]];
        let tenant = tenant(Kind::SettingReferences, &app, pages);
        let told: Vec<_> = tenant
            .hosts
            .vault_references
            .iter()
            .map(|one| (one.setting.as_str(), one.is_resolved(), one.identity_type.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("Db", Some(false), Some("SystemAssigned")),
                ("Old", None, Some("UserAssigned")),
                ("Raw", Some(false), None)
            ]
        );
        assert_eq!(tenant.hosts.vault_references[0].host, Id::new(app));
        assert_eq!(tenant.coverage.missing_anywhere(Kind::SettingReferences).len(), 1, "one has no id");
    }

    #[test]
    fn a_container_app_tells_stored_secrets_from_those_of_a_vault() {
        let secrets = json!([{"name": "db", "keyVaultUrl": "https://kv.vault.azure.net/secrets/db", "identity": "system"},
            {"name": "raw", "keyVaultUrl": null}]);
        let full =
            json!({"id": id("Microsoft.App/containerApps/ca"), "properties": {"configuration": {"secrets": secrets}}});
        let told = full_and_bare(Kind::ContainerApps, full, "Microsoft.App/containerApps/ca").hosts.container_apps;
        let of: Vec<(&str, bool)> =
            told[0].secrets.iter().map(|one| (one.name.as_str(), one.vault_url.is_some())).collect();
        assert_eq!(of, [("db", true), ("raw", false)]);
        assert!(told[1].secrets.is_empty());
    }

    #[test]
    fn a_cluster_has_on_only_what_it_says_is_on() {
        let full = json!({"id": id("Microsoft.ContainerService/managedClusters/aks"), "properties": {
            "identityProfile": {"kubeletidentity": {"objectId": OBJECT}}, "disableLocalAccounts": true,
            "addonProfiles": {"azureKeyvaultSecretsProvider": {"enabled": true, "identity": {"objectId": OBJECT}}},
            "oidcIssuerProfile": {"enabled": true, "issuerURL": "https://issuer.example/x/"},
            "securityProfile": {"workloadIdentity": {"enabled": true}, "azureKeyVaultKms": {"enabled": false, "keyId": "https://kv/keys/k"}},
            "podIdentityProfile": {"enabled": false}, "aadProfile": {"enableAzureRBAC": true}}});
        let told =
            full_and_bare(Kind::ManagedClusters, full, "Microsoft.ContainerService/managedClusters/aks").hosts.clusters;
        let (full, bare) = (&told[0], &told[1]);
        let object = Some(OBJECT.to_lowercase());
        assert_eq!((&full.kubelet_object_id, &full.secrets_provider_object_id), (&object, &object));
        assert!(
            full.oidc_issuer
                && full.workload_identity
                && full.local_accounts_disabled
                && full.azure_rbac
                && !full.pod_identity
        );
        assert_eq!(
            (full.oidc_issuer_url.as_deref(), full.kms_key.as_deref()),
            (Some("https://issuer.example/x/"), None)
        );
        assert!(!bare.oidc_issuer && !bare.workload_identity && !bare.local_accounts_disabled && !bare.azure_rbac);
        assert_eq!((&bare.kubelet_object_id, &bare.secrets_provider_object_id), (&None, &None));
    }

    #[test]
    fn of_a_factorys_links_only_vaults_are_facts() {
        let factory = id("Microsoft.DataFactory/factories/adf");
        let link = |name: &str, properties: Value| json!({"id": format!("{factory}/linkedservices/{name}"), "name": name, "properties": properties});
        let items = vec![
            link(
                "vault",
                json!({"type": "AzureKeyVault", "typeProperties": {"baseUrl": "https://kv.vault.azure.net/"}}),
            ),
            link(
                "other",
                json!({"type": "AzureKeyVault", "typeProperties": {"baseUrl": "[cut]", "credential": {"referenceName": "c1"}}}),
            ),
            link("sql", json!({"type": "AzureSqlDatabase", "typeProperties": {"baseUrl": "[cut]"}})),
        ];
        let told = tenant(Kind::LinkedServices, &factory, vec![items]);
        let of: Vec<_> = told
            .hosts
            .factory_vaults
            .iter()
            .map(|one| (one.name.as_str(), one.base_url.as_deref(), one.credential.as_deref()))
            .collect();
        assert_eq!(of, [("other", None, Some("c1")), ("vault", Some("https://kv.vault.azure.net/"), None)]);
        assert!(told.coverage.missing_anywhere(Kind::LinkedServices).is_empty());
        let untyped = tenant(Kind::LinkedServices, &factory, vec![vec![link("x", json!({}))]]);
        assert_eq!(untyped.coverage.missing_anywhere(Kind::LinkedServices).len(), 1);
    }

    #[test]
    fn workspaces_and_flows_tell_what_checks_read() {
        let full = json!({"id": id("Microsoft.Synapse/workspaces/syn"), "properties": {"azureADOnlyAuthentication": true,
            "trustedServiceBypassEnabled": false, "encryption": {"cmk": {"key": {"keyVaultUrl": "https://kv/keys/k"}}}}});
        let told =
            full_and_bare(Kind::SynapseWorkspaces, full, "Microsoft.Synapse/workspaces/syn").hosts.synapse_workspaces;
        assert_eq!(
            (told[0].entra_only, told[0].trusted_services, told[0].key_url.is_some()),
            (true, Some(false), true)
        );
        assert_eq!((told[1].entra_only, told[1].trusted_services, told[1].key_url.is_some()), (false, None, false));
        let full = json!({"id": id("Microsoft.Databricks/workspaces/dbw"), "properties": {
            "storageAccountIdentity": {"principalId": OBJECT}, "managedDiskIdentity": null}});
        let told = full_and_bare(Kind::DatabricksWorkspaces, full, "Microsoft.Databricks/workspaces/dbw")
            .hosts
            .databricks_workspaces;
        assert_eq!(
            (told[0].storage_object_id.clone(), told[0].disk_object_id.clone()),
            (Some(OBJECT.to_lowercase()), None)
        );
        let full = json!({"id": id("Microsoft.Logic/workflows/la"), "properties": {"state": "Disabled"}});
        let told = full_and_bare(Kind::LogicApps, full, "Microsoft.Logic/workflows/la").hosts.logic_apps;
        assert_eq!((told[0].state.as_deref(), told[1].state.as_deref()), (Some("Disabled"), None));
    }
}
