//! Services that hold data: what an absent setting means is decided here, with the contract that says so.

use super::hosts::list;
use super::inventory::resource;
use super::{Item, ModelError, Pages, first_of_each};
use crate::evidence::Kind;
use crate::model::{
    AccountImmutability, Administrator, DataFamily, DataService, DataServices, DiskEncryptionSet, Encryption,
    EndpointConnection, Id, ManagedHsm, NetworkEndpoint,
};

/// Services of every type, each list in order of id.
pub(super) fn read(pages: &mut Pages<'_>) -> Result<DataServices, ModelError> {
    let mut services = pages.items(Kind::SqlServers, sql_server)?;
    for (kind, read) in READERS {
        services.extend(pages.items(*kind, read)?);
    }
    let protectors = pages.items(Kind::EncryptionProtectors, protector)?;
    for service in &mut services {
        if let Some((_, encryption)) = protectors.iter().find(|(server, _)| *server == service.resource.id) {
            service.encryption = encryption.clone();
        }
    }
    Ok(DataServices {
        services: first_of_each(services, |service| &service.resource.id),
        disk_encryption_sets: list(pages, Kind::DiskEncryptionSets, disk_encryption_set, |one| &one.resource)?,
        managed_hsms: list(pages, Kind::ManagedHsms, managed_hsm, |one| &one.resource)?,
        endpoints: list(pages, Kind::PrivateEndpoints, endpoint, |one| &one.resource)?,
    })
}

type Read = fn(&Item<'_>) -> Option<DataService>;

const READERS: &[(Kind, Read)] = &[
    (Kind::StorageAccounts, storage_account),
    (Kind::CosmosAccounts, cosmos_account),
    (Kind::CognitiveAccounts, cognitive_account),
    (Kind::SearchServices, search_service),
    (Kind::PostgresServers, postgres_server),
];

fn service(
    item: &Item<'_>,
    (family, usual_type): (DataFamily, &str),
    allows_keys: bool,
    encryption: Encryption,
) -> Option<DataService> {
    let resource = resource(item, Some(usual_type))?;
    Some(DataService { resource, family, allows_keys, encryption, administrator: None, immutability: None })
}

/// Only `administrators.azureADOnlyAuthentication` turns passwords off (Microsoft.Sql 2021-11-01).
fn sql_server(item: &Item<'_>) -> Option<DataService> {
    let administrators = item.need_object("properties")?.object("administrators");
    let entra_only = administrators.as_ref().and_then(|admins| admins.flag("azureADOnlyAuthentication"));
    let what = (DataFamily::Sql, "Microsoft.Sql/servers");
    let server = service(item, what, entra_only != Some(true), Encryption::NotTold)?;
    let administrator = administrators
        .map(|admins| Administrator { id: admins.lower("sid"), principal_type: admins.text("principalType") });
    Some(DataService { administrator, ..server })
}

/// The server and what protects it: `serverKeyType` is `ServiceManaged` or `AzureKeyVault`.
fn protector(item: &Item<'_>) -> Option<(Id, Encryption)> {
    let properties = item.need_object("properties")?;
    let is_customers = properties.need("serverKeyType")?.eq_ignore_ascii_case("AzureKeyVault");
    let key = || Encryption::Customer { key: properties.text("uri"), identity: None };
    Some((item.scope_id(), if is_customers { key() } else { Encryption::Platform }))
}

/// `allowSharedKeyAccess` absent or null means that keys work (Microsoft.Storage 2023-05-01). The names below
/// `keyvaultproperties` are in lower case.
fn storage_account(item: &Item<'_>) -> Option<DataService> {
    let properties = item.need_object("properties")?;
    let encryption = properties.object("encryption");
    let source = encryption.as_ref().and_then(|encryption| encryption.text("keySource"));
    let encryption = match source {
        Some(source) if source.eq_ignore_ascii_case("Microsoft.Keyvault") => {
            let of = |name: &str| encryption.as_ref().and_then(|encryption| encryption.object(name));
            let identity = of("identity").and_then(|identity| identity.text("userAssignedIdentity"));
            Encryption::Customer { key: of("keyvaultproperties").and_then(|key| key.text("keyvaulturi")), identity }
        }
        _ => Encryption::Platform, // the only other source; without an `encryption` block it is this one too
    };
    let allows_keys = properties.flag("allowSharedKeyAccess") != Some(false);
    let what = (DataFamily::Storage, "Microsoft.Storage/storageAccounts");
    let account = service(item, what, allows_keys, encryption)?;
    Some(DataService { immutability: immutability(&properties), ..account })
}

/// The account's own policy, where it is on and tells its state and days.
fn immutability(properties: &Item<'_>) -> Option<AccountImmutability> {
    let versioning = properties.object("immutableStorageWithVersioning")?;
    let policy = versioning.object("immutabilityPolicy").filter(|_| versioning.flag("enabled") == Some(true))?;
    let state = policy.text("state").filter(|state| !state.eq_ignore_ascii_case("Disabled"))?;
    let days = policy.number("immutabilityPeriodSinceCreationInDays")?;
    Some(AccountImmutability { is_locked: state.eq_ignore_ascii_case("Locked"), days })
}

/// `disableLocalAuth` absent means that keys work (Microsoft.DocumentDB 2024-05-15).
fn cosmos_account(item: &Item<'_>) -> Option<DataService> {
    let properties = item.need_object("properties")?;
    let key = properties.text("keyVaultKeyUri").filter(|key| !key.is_empty());
    let encryption = match key {
        Some(key) => Encryption::Customer { key: Some(key), identity: properties.text("defaultIdentity") },
        None => Encryption::Platform,
    };
    let what = (DataFamily::Cosmos, "Microsoft.DocumentDB/databaseAccounts");
    service(item, what, properties.flag("disableLocalAuth") != Some(true), encryption)
}

/// `disableLocalAuth` absent means that keys work (Microsoft.CognitiveServices 2023-05-01).
fn cognitive_account(item: &Item<'_>) -> Option<DataService> {
    let properties = item.need_object("properties")?;
    let encryption = properties.object("encryption");
    let source = encryption.as_ref().and_then(|encryption| encryption.text("keySource"));
    let encryption = match source {
        Some(source) if source.eq_ignore_ascii_case("Microsoft.KeyVault") => {
            let key = encryption.as_ref().and_then(|encryption| encryption.object("keyVaultProperties"));
            let of = |name: &str| key.as_ref().and_then(|key| key.text(name));
            Encryption::Customer { key: of("keyVaultUri"), identity: of("identityClientId") }
        }
        _ => Encryption::Platform,
    };
    let what = (DataFamily::Cognitive, "Microsoft.CognitiveServices/accounts");
    service(item, what, properties.flag("disableLocalAuth") != Some(true), encryption)
}

/// `disableLocalAuth` absent means that keys work (Microsoft.Search 2023-11-01). Keys of the customer are a matter of
/// each index, which Resource Manager does not tell.
fn search_service(item: &Item<'_>) -> Option<DataService> {
    let properties = item.need_object("properties")?;
    let what = (DataFamily::Search, "Microsoft.Search/searchServices");
    service(item, what, properties.flag("disableLocalAuth") != Some(true), Encryption::NotTold)
}

/// `authConfig.passwordAuth` absent means Enabled, `dataEncryption` absent the platform's key
/// (Microsoft.DBforPostgreSQL 2022-12-01).
fn postgres_server(item: &Item<'_>) -> Option<DataService> {
    let properties = item.need_object("properties")?;
    let password = properties.object("authConfig").and_then(|config| config.text("passwordAuth"));
    let encryption = properties.object("dataEncryption");
    let kind = encryption.as_ref().and_then(|encryption| encryption.text("type"));
    let of = |name: &str| encryption.as_ref().and_then(|encryption| encryption.text(name));
    let encryption = match kind {
        Some(kind) if kind.eq_ignore_ascii_case("AzureKeyVault") => {
            Encryption::Customer { key: of("primaryKeyURI"), identity: of("primaryUserAssignedIdentityId") }
        }
        _ => Encryption::Platform,
    };
    let allows_passwords = !password.is_some_and(|word| word.eq_ignore_ascii_case("Disabled"));
    let what = (DataFamily::Postgres, "Microsoft.DBforPostgreSQL/flexibleServers");
    service(item, what, allows_passwords, encryption)
}

fn disk_encryption_set(item: &Item<'_>) -> Option<DiskEncryptionSet> {
    let properties = item.need_object("properties")?;
    let key = properties.object("activeKey");
    Some(DiskEncryptionSet {
        resource: resource(item, Some("Microsoft.Compute/diskEncryptionSets"))?,
        vault: key.as_ref().and_then(|key| key.object("sourceVault")?.id("id")),
        key_url: key.and_then(|key| key.text("keyUrl")),
        follows_rotation: properties.flag("rotationToLatestKeyVersionEnabled").unwrap_or(false),
    })
}

fn managed_hsm(item: &Item<'_>) -> Option<ManagedHsm> {
    let properties = item.need_object("properties")?;
    Some(ManagedHsm {
        resource: resource(item, Some("Microsoft.KeyVault/managedHSMs"))?,
        uri: properties.text("hsmUri"),
        soft_delete: properties.flag("enableSoftDelete"),
        soft_delete_retention_days: properties.number("softDeleteRetentionInDays"),
        purge_protection: properties.flag("enablePurgeProtection"),
        public_network_access: properties.text("publicNetworkAccess"),
        default_action: properties.object("networkAcls").and_then(|acls| acls.text("defaultAction")),
        initial_administrators: properties.lower_set("initialAdminObjectIds").into_iter().collect(),
        scheduled_purge_at: properties.time("scheduledPurgeDate"),
    })
}

/// Connections that the service's owner approves at once, and those that were asked for by hand.
fn endpoint(item: &Item<'_>) -> Option<NetworkEndpoint> {
    let properties = item.need_object("properties")?;
    let mut connections = properties.items("privateLinkServiceConnections");
    connections.extend(properties.items("manualPrivateLinkServiceConnections"));
    let connection = |item: &Item<'_>| {
        let properties = item.need_object("properties")?;
        Some(EndpointConnection {
            target: properties.id("privateLinkServiceId"),
            groups: properties.texts("groupIds"),
            status: properties.object("privateLinkServiceConnectionState").and_then(|state| state.text("status")),
        })
    };
    Some(NetworkEndpoint {
        resource: resource(item, Some("Microsoft.Network/privateEndpoints"))?,
        connections: connections.iter().filter_map(connection).collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::evidence::testing::CaptureBuilder;
    use crate::model::Tenant;

    const SUB: &str = "/subscriptions/s";
    const KEY: &str = "https://kv.vault.azure.net/keys/k";

    fn read(kind: Kind, items: &[(&str, Value)]) -> Tenant {
        let item = |(name, properties): &(&str, Value)| json!({"id": format!("{SUB}/resourceGroups/g/providers/x/y/{name}"), "properties": properties});
        let pages = items.iter().map(|one| (json!({"value": [item(one)]}), None)).collect();
        crate::model::read(&CaptureBuilder::default().pages(kind, SUB, pages).build()).expect("facts")
    }

    /// Whether keys work, and the address of the customer's key, of each service in order of name.
    fn told(kind: Kind, items: &[(&str, Value)]) -> Vec<(bool, Option<String>)> {
        let tenant = read(kind, items);
        assert!(tenant.coverage.missing_anywhere(kind).is_empty(), "{:?}", tenant.coverage.missing_anywhere(kind));
        let key = |service: &DataService| match &service.encryption {
            Encryption::Customer { key, .. } => key.clone(),
            _ => None,
        };
        tenant.data.services.iter().map(|service| (service.allows_keys, key(service))).collect()
    }

    #[test]
    fn what_is_not_said_to_be_off_is_on() {
        let key = || Some(KEY.to_owned());
        let open = || (true, None);
        let storage = json!({"allowSharedKeyAccess": false, "encryption": {"keySource": "MICROSOFT.KEYVAULT",
            "keyvaultproperties": {"keyvaulturi": KEY}, "identity": {"userAssignedIdentity": "/x"}}});
        let null = json!({"allowSharedKeyAccess": null, "encryption": {"keySource": "Microsoft.Storage"}});
        assert_eq!(
            told(Kind::StorageAccounts, &[("a", storage), ("b", null), ("c", json!({}))]),
            [(false, key()), open(), open()]
        );
        let cosmos = json!({"disableLocalAuth": true, "keyVaultKeyUri": KEY, "defaultIdentity": "FirstPartyIdentity"});
        let empty = json!({"disableLocalAuth": false, "keyVaultKeyUri": ""});
        assert_eq!(
            told(Kind::CosmosAccounts, &[("a", cosmos), ("b", empty), ("c", json!({}))]),
            [(false, key()), open(), open()]
        );
        let cognitive = json!({"disableLocalAuth": true, "encryption": {"keySource": "Microsoft.KeyVault",
            "keyVaultProperties": {"keyVaultUri": KEY}}});
        assert_eq!(told(Kind::CognitiveAccounts, &[("a", cognitive), ("b", json!({}))]), [(false, key()), open()]);
        let search = json!({"disableLocalAuth": true, "authOptions": null});
        assert_eq!(told(Kind::SearchServices, &[("a", search), ("b", json!({}))]), [(false, None), open()]);
        let postgres = json!({"authConfig": {"passwordAuth": "Disabled", "activeDirectoryAuth": "Enabled"},
            "dataEncryption": {"type": "AzureKeyVault", "primaryKeyURI": KEY}});
        let system =
            json!({"authConfig": {"activeDirectoryAuth": "Enabled"}, "dataEncryption": {"type": "SystemManaged"}});
        assert_eq!(
            told(Kind::PostgresServers, &[("a", postgres), ("b", system), ("c", json!({}))]),
            [(false, key()), open(), open()]
        );
    }

    #[test]
    fn a_setting_that_cannot_be_read_is_not_taken_for_off_and_makes_the_list_a_gap() {
        let tenant = read(Kind::StorageAccounts, &[("a", json!({"allowSharedKeyAccess": "perhaps"}))]);
        assert!(tenant.data.services[0].allows_keys);
        assert!(tenant.coverage.missing_anywhere(Kind::StorageAccounts)[0].detail.contains("allowSharedKeyAccess"));
    }

    #[test]
    fn a_sql_server_is_encrypted_as_its_protector_says() {
        let server = |name: &str| format!("{SUB}/resourceGroups/g/providers/Microsoft.Sql/servers/{name}");
        let admins = json!({"sid": "AA-1", "principalType": "Group", "azureADOnlyAuthentication": true, "login": "x"});
        let servers = json!({"value": [{"id": server("one"), "properties": {"administrators": admins}},
            {"id": server("two"), "properties": {"administrators": null}}, {"id": server("three"), "properties": {}}]});
        let protector = |key: Value| json!({"value": [{"id": "/x", "properties": key}]});
        let builder = CaptureBuilder::default()
            .pages(Kind::SqlServers, SUB, vec![(servers, None)])
            .answer(
                Kind::EncryptionProtectors,
                &server("ONE"),
                protector(json!({"serverKeyType": "AzureKeyVault", "uri": KEY})),
            )
            .answer(Kind::EncryptionProtectors, &server("two"), protector(json!({"serverKeyType": "ServiceManaged"})));
        let tenant = crate::model::read(&builder.build()).expect("facts");
        let told: Vec<_> = tenant
            .data
            .services
            .iter()
            .map(|one| (one.resource.name.as_str(), one.allows_keys, one.encryption.clone()))
            .collect();
        let customer = Encryption::Customer { key: Some(KEY.to_owned()), identity: None };
        assert_eq!(
            told,
            [("one", false, customer), ("three", true, Encryption::NotTold), ("two", true, Encryption::Platform)]
        );
        let admin = tenant.data.services[0].administrator.as_ref().expect("one");
        assert_eq!((admin.id.as_deref(), admin.principal_type.as_deref()), (Some("aa-1"), Some("Group")));
    }

    #[test]
    fn disks_hsms_and_endpoints_name_vaults_and_services() {
        let vault = format!("{SUB}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv");
        let full = json!({"activeKey": {"keyUrl": KEY, "sourceVault": {"id": vault}}, "rotationToLatestKeyVersionEnabled": true});
        let sets =
            read(Kind::DiskEncryptionSets, &[("a", full), ("b", json!({"activeKey": null}))]).data.disk_encryption_sets;
        assert_eq!((sets[0].vault.clone(), sets[0].follows_rotation), (Some(Id::new(vault.clone())), true));
        assert!(sets[1].vault.is_none() && !sets[1].follows_rotation);
        let full = json!({"hsmUri": "https://h.managedhsm.azure.net", "enablePurgeProtection": true, "softDeleteRetentionInDays": "90",
            "networkAcls": {"defaultAction": "Deny"}, "initialAdminObjectIds": ["AA-1", "aa-1"]});
        let hsms = read(Kind::ManagedHsms, &[("a", full), ("b", json!({"networkAcls": null}))]).data.managed_hsms;
        assert_eq!((hsms[0].purge_protection, hsms[0].soft_delete_retention_days), (Some(true), Some(90)));
        assert_eq!(hsms[0].initial_administrators, ["aa-1"]);
        assert_eq!((hsms[1].purge_protection, hsms[1].default_action.as_deref()), (None, None));
        let connection = json!({"properties": {"privateLinkServiceId": vault, "groupIds": ["vault"],
            "privateLinkServiceConnectionState": {"status": "Pending"}}});
        let full = json!({"privateLinkServiceConnections": [], "manualPrivateLinkServiceConnections": [connection]});
        let endpoints = read(Kind::PrivateEndpoints, &[("a", full), ("b", json!({}))]).data.endpoints;
        let of = &endpoints[0].connections[0];
        assert_eq!((of.target.clone(), of.status.as_deref()), (Some(Id::new(vault)), Some("Pending")));
        assert!(endpoints[1].connections.is_empty());
    }
}
