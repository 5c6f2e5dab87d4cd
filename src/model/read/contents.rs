//! What vaults hold: lists of the vaults themselves, and of Resource Manager.
//!
//! Both tell times in seconds (Key Vault data plane 7.5, `Attributes`; Microsoft.KeyVault 2023-07-01, `Attributes`), and
//! an absent `exp` means that the object never expires.

use super::{Item, ModelError, Pages, first_of_each};
use crate::evidence::{Kind, VaultObjects};
use crate::model::{
    Coverage, DeletedVaultObject, Id, ObjectAttributes, ObjectFamily, ObjectSource, VaultContents, VaultObject,
};

const OWN: &[(Kind, ObjectFamily)] = &[
    (Kind::VaultDataKeys, ObjectFamily::Key),
    (Kind::VaultDataSecrets, ObjectFamily::Secret),
    (Kind::VaultDataCertificates, ObjectFamily::Certificate),
];
const DELETED: &[(Kind, ObjectFamily)] = &[
    (Kind::VaultDeletedKeys, ObjectFamily::Key),
    (Kind::VaultDeletedSecrets, ObjectFamily::Secret),
    (Kind::VaultDeletedCertificates, ObjectFamily::Certificate),
];
const ARM: &[(Kind, ObjectFamily)] =
    &[(Kind::VaultKeys, ObjectFamily::Key), (Kind::VaultSecrets, ObjectFamily::Secret)];

/// Objects in order of id. Of two that tell of the same, the vault's own list is kept, which tells more.
pub(super) fn read(pages: &mut Pages<'_>) -> Result<VaultContents, ModelError> {
    let mut objects = Vec::new();
    for (kind, family) in OWN {
        objects.extend(pages.items(*kind, |item| own(item, *family))?);
    }
    for (kind, family) in ARM {
        objects.extend(pages.items(*kind, |item| listed_by_arm(item, *family))?);
    }
    let mut deleted = Vec::new();
    for (kind, family) in DELETED {
        deleted.extend(pages.items(*kind, |item| deleted_object(item, *family))?);
    }
    Ok(VaultContents {
        objects: first_of_each(objects, |object| &object.id),
        deleted: first_of_each(deleted, |object| &object.id),
    })
}

/// Lists that a vault's contents follow from: its own where it is asked itself, else those of Resource Manager; these
/// too where its own did not come whole.
pub(super) fn expected(vault_objects: VaultObjects, coverage: &Coverage, vault: &Id) -> Vec<Kind> {
    let kinds = |lists: &[(Kind, ObjectFamily)]| lists.iter().map(|(kind, _)| *kind).collect::<Vec<Kind>>();
    if vault_objects == VaultObjects::Arm {
        return kinds(ARM);
    }
    let is_told =
        [Kind::VaultDataKeys, Kind::VaultDataSecrets].iter().all(|kind| coverage.is_answered_at(*kind, vault));
    let by_arm = if is_told { Vec::new() } else { kinds(ARM) };
    [kinds(OWN), kinds(DELETED), by_arm].concat()
}

fn own(item: &Item<'_>, family: ObjectFamily) -> Option<VaultObject> {
    let (id, vault, name) = place(item, family, "")?;
    Some(VaultObject {
        source: ObjectSource::DataPlane,
        managed: item.flag("managed"),
        attributes: attributes(item),
        key_type: None,
        key_size: None,
        from: item.from(),
        family,
        id,
        vault,
        name,
    })
}

fn deleted_object(item: &Item<'_>, family: ObjectFamily) -> Option<DeletedVaultObject> {
    let (id, vault, name) = place(item, family, "deleted")?;
    Some(DeletedVaultObject {
        deleted_at: item.seconds("deletedDate"),
        scheduled_purge_at: item.seconds("scheduledPurgeDate"),
        attributes: attributes(item),
        from: item.from(),
        family,
        id,
        vault,
        name,
    })
}

/// Id, vault and name. A vault names its objects by their address: `kid` of a key, `id` of the others, whose last
/// segment is the name; lists name no version.
fn place(item: &Item<'_>, family: ObjectFamily, prefix: &str) -> Option<(Id, Id, String)> {
    let address = match family {
        ObjectFamily::Key => item.need_id_or_cut("kid")?,
        _ => item.need_id_or_cut("id")?,
    };
    let vault = item.scope_id();
    let name = address.name().to_owned();
    Some((Id::new(format!("{vault}/{prefix}{}/{name}", family.segment())), vault, name))
}

fn listed_by_arm(item: &Item<'_>, family: ObjectFamily) -> Option<VaultObject> {
    let id = item.need_id_or_cut("id")?;
    let properties = item.need_object("properties")?;
    Some(VaultObject {
        vault: item.scope_id(),
        name: item.text("name").unwrap_or_else(|| id.name().to_owned()),
        source: ObjectSource::Arm,
        managed: None, // Resource Manager does not tell
        attributes: attributes(&properties),
        key_type: properties.text("kty"),
        key_size: properties.number("keySize"),
        from: item.from(),
        family,
        id,
    })
}

fn attributes(item: &Item<'_>) -> ObjectAttributes {
    let Some(told) = item.need_object("attributes") else { return ObjectAttributes::default() };
    ObjectAttributes {
        enabled: told.flag("enabled"),
        not_before: told.seconds("nbf"),
        expires: told.seconds("exp"),
        created: told.seconds("created"),
        updated: told.seconds("updated"),
        recovery_level: told.text("recoveryLevel"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    const VAULT: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv";

    fn contents(builder: CaptureBuilder) -> crate::model::Tenant {
        crate::model::read(&builder.build()).expect("facts")
    }

    #[test]
    fn a_list_of_resource_manager_tells_attributes_in_seconds() {
        let id = |name: &str| format!("{VAULT}/secrets/{name}");
        let attributes = json!({"enabled": true, "nbf": 1_767_225_600, "exp": "1798761600", "created": 1_767_225_600,
            "updated": 1_767_312_000, "recoveryLevel": "Recoverable"});
        let first = json!({"value": [{"id": id("db"), "name": "db", "properties": {"attributes": attributes}}]});
        let second =
            json!({"value": [{"id": id("old"), "properties": {"attributes": {"enabled": null, "created": true}}}]});
        let keys = json!({"value": [{"id": format!("{VAULT}/keys/k"), "name": "k",
            "properties": {"attributes": {"enabled": false}, "kty": "RSA-HSM", "keySize": 3072}}]});
        let builder = CaptureBuilder::default()
            .pages(Kind::VaultSecrets, VAULT, vec![(first, None), (second, None)])
            .pages(Kind::VaultKeys, VAULT, vec![(keys, None)]);
        let tenant = contents(builder);
        let [key, secret, old] = tenant.contents.objects.as_slice() else { panic!("{:?}", tenant.contents) };
        assert_eq!(
            (key.key_type.as_deref(), key.key_size, key.attributes.enabled),
            (Some("RSA-HSM"), Some(3072), Some(false))
        );
        assert_eq!((secret.name.as_str(), secret.family, secret.source.word()), ("db", ObjectFamily::Secret, "arm"));
        let told = &secret.attributes;
        let day = |time: Option<chrono::DateTime<chrono::Utc>>| time.map(|time| time.date_naive().to_string());
        assert_eq!(day(told.not_before).as_deref(), Some("2026-01-01"));
        assert_eq!(day(told.expires).as_deref(), Some("2027-01-01"), "also from text");
        assert_eq!(day(told.updated).as_deref(), Some("2026-01-02"));
        assert_eq!((old.name.as_str(), old.attributes.enabled, old.attributes.expires), ("old", None, None));
        let missing = tenant.coverage.missing_anywhere(Kind::VaultSecrets);
        assert!(missing[0].detail.contains("`created` is not a time in seconds"), "{missing:?}");
        assert_eq!(secret.from.page(), "page-0001.json");
    }

    #[test]
    fn a_vaults_own_list_names_objects_by_address_and_tells_what_was_deleted() {
        let attributes = json!({"enabled": true, "recoveryLevel": "Recoverable+Purgeable"});
        let at = |path: &str| format!("https://kv.vault.azure.net/{path}");
        let list = |item: serde_json::Value| vec![(json!({"value": [item], "nextLink": null}), None)];
        let builder = CaptureBuilder::default()
            .pages(
                Kind::VaultDataKeys,
                VAULT,
                list(json!({"kid": at("keys/tls"), "managed": true, "attributes": attributes})),
            )
            .pages(
                Kind::VaultDataSecrets,
                VAULT,
                list(json!({"id": at("secrets/tls"), "managed": true, "attributes": attributes})),
            )
            .pages(
                Kind::VaultDataCertificates,
                VAULT,
                list(json!({"id": at("certificates/tls"), "attributes": attributes})),
            )
            .pages(
                Kind::VaultDeletedSecrets,
                VAULT,
                list(json!({"id": at("secrets/gone"), "attributes": attributes,
                "deletedDate": 1_767_225_600, "scheduledPurgeDate": 1_775_001_600})),
            )
            .pages(
                Kind::VaultSecrets,
                VAULT,
                list(json!({"id": format!("{VAULT}/secrets/TLS"), "properties": {"attributes": {}}})),
            );
        let tenant = contents(builder);
        let told: Vec<(&str, &str, Option<bool>)> = tenant
            .contents
            .objects
            .iter()
            .map(|object| (object.family.segment(), object.source.word(), object.managed))
            .collect();
        let own = "data_plane";
        assert_eq!(told, [("certificates", own, None), ("keys", own, Some(true)), ("secrets", own, Some(true))]);
        let [gone] = tenant.contents.deleted.as_slice() else { panic!("{:?}", tenant.contents.deleted) };
        assert_eq!((gone.name.as_str(), gone.id.key().ends_with("/vaults/kv/deletedsecrets/gone")), ("gone", true));
        assert_eq!(gone.scheduled_purge_at.map(|time| time.to_rfc3339()).as_deref(), Some("2026-04-01T00:00:00+00:00"));
    }

    #[test]
    fn an_object_without_attributes_makes_its_list_a_gap() {
        let items = json!({"value": [{"id": format!("{VAULT}/secrets/a"), "properties": {}}, {"name": "b"}]});
        let tenant = contents(CaptureBuilder::default().pages(Kind::VaultSecrets, VAULT, vec![(items, None)]));
        assert_eq!(tenant.contents.objects.len(), 1);
        assert!(tenant.coverage.missing_anywhere(Kind::VaultSecrets)[0].detail.contains("`attributes` is missing"));
    }

    #[test]
    fn which_lists_are_expected_follows_from_where_they_come_from() {
        let nothing = contents(CaptureBuilder::default()).coverage;
        let vault = Id::new(VAULT);
        assert_eq!(expected(VaultObjects::Arm, &nothing, &vault), [Kind::VaultKeys, Kind::VaultSecrets]);
        assert_eq!(expected(VaultObjects::DataPlane, &nothing, &vault).len(), 8, "its own did not come");
        let empty = || vec![(json!({"value": []}), None)];
        let told = CaptureBuilder::default().pages(Kind::VaultDataKeys, VAULT, empty()).pages(
            Kind::VaultDataSecrets,
            VAULT,
            empty(),
        );
        let told = contents(told).coverage;
        assert_eq!(expected(VaultObjects::DataPlane, &told, &vault).len(), 6);
        let need = crate::model::Need { kind: Kind::VaultSecrets, reach: crate::model::Reach::Own };
        assert!(told.missing(need, &vault).is_empty(), "the vault has told");
        assert_eq!(nothing.missing(need, &vault).len(), 1);
    }
}
