//! Key vaults and soft-deleted vaults.

use super::{Item, ModelError, Pages, first_of_each};
use crate::evidence::Kind;
use crate::model::{AccessPolicy, DeletedVault, NetworkAcls, PrivateEndpoint, Vault};

/// The GUID that stands for "none".
const ZERO: &str = "00000000-0000-0000-0000-000000000000";

/// Vaults in order of id. A vault without `properties` cannot be judged and makes its list a gap.
pub(super) fn vaults(pages: &mut Pages<'_>) -> Result<Vec<Vault>, ModelError> {
    let found = pages.items(Kind::Vaults, |item| {
        let id = item.need_id("id")?;
        let properties = item.need_object("properties")?;
        let policies: Vec<AccessPolicy> = properties.items("accessPolicies").iter().filter_map(access_policy).collect();
        Some(Vault {
            name: item.text("name").unwrap_or_else(|| id.name().to_owned()),
            tenant_id: properties.lower("tenantId"),
            vault_uri: properties.text("vaultUri"),
            tags: item.tags(),
            rbac: properties.flag("enableRbacAuthorization"),
            unread_policies: properties.count("accessPolicies") - policies.len(),
            access_policies: policies,
            soft_delete: properties.flag("enableSoftDelete"),
            soft_delete_retention_days: properties.number("softDeleteRetentionInDays"),
            purge_protection: properties.flag("enablePurgeProtection"),
            public_network_access: properties.text("publicNetworkAccess"),
            network_acls: properties.object("networkAcls").map(|acls| network_acls(&acls)),
            enabled_for_deployment: properties.flag("enabledForDeployment"),
            enabled_for_disk_encryption: properties.flag("enabledForDiskEncryption"),
            enabled_for_template_deployment: properties.flag("enabledForTemplateDeployment"),
            private_endpoints: properties.items("privateEndpointConnections").iter().map(private_endpoint).collect(),
            created_at: item.object("systemData").and_then(|system| system.time("createdAt")),
            from: item.from(),
            id,
        })
    })?;
    Ok(first_of_each(found, |vault| &vault.id))
}

fn access_policy(item: &Item<'_>) -> Option<AccessPolicy> {
    let object_id = item.need("objectId")?.to_lowercase();
    let permissions = item.object("permissions");
    let on = |family: &str| permissions.as_ref().map(|lists| lists.lower_set(family)).unwrap_or_default();
    Some(AccessPolicy {
        tenant_id: item.lower("tenantId"),
        object_id,
        application_id: item.lower("applicationId").filter(|id| id != ZERO),
        keys: on("keys"),
        secrets: on("secrets"),
        certificates: on("certificates"),
        storage: on("storage"),
        from: item.from(),
    })
}

fn network_acls(item: &Item<'_>) -> NetworkAcls {
    let values = |list: &str, name: &str| -> Vec<String> {
        item.items(list).iter().filter_map(|rule| rule.need(name)).collect()
    };
    let (addresses, subnets) = (values("ipRules", "value"), values("virtualNetworkRules", "id"));
    NetworkAcls {
        default_action: item.text("defaultAction"),
        bypass: item.text("bypass"),
        unread_rules: item.count("ipRules") - addresses.len() + item.count("virtualNetworkRules") - subnets.len(),
        ip_rules: addresses,
        virtual_network_rules: subnets,
    }
}

fn private_endpoint(item: &Item<'_>) -> PrivateEndpoint {
    let properties = item.object("properties");
    let of = |name: &str| properties.as_ref().and_then(|properties| properties.object(name));
    PrivateEndpoint {
        id: of("privateEndpoint").and_then(|endpoint| endpoint.text("id")),
        status: of("privateLinkServiceConnectionState").and_then(|state| state.text("status")),
    }
}

/// Soft-deleted vaults in order of the vault's id.
pub(super) fn deleted_vaults(pages: &mut Pages<'_>) -> Result<Vec<DeletedVault>, ModelError> {
    let mut found = pages.items(Kind::DeletedVaults, |item| {
        let properties = item.need_object("properties")?;
        let vault_id = properties.need_id("vaultId")?;
        Some(DeletedVault {
            name: item.text("name").unwrap_or_else(|| vault_id.name().to_owned()),
            deleted_at: properties.time("deletionDate"),
            scheduled_purge_at: properties.time("scheduledPurgeDate"),
            purge_protection: properties.flag("purgeProtectionEnabled"),
            from: item.from(),
            vault_id,
        })
    })?;
    // The same name may have been deleted more than once, so the id does not tell them apart.
    found.sort_by(|a, b| (&a.vault_id, a.deleted_at).cmp(&(&b.vault_id, b.deleted_at)));
    Ok(found)
}
