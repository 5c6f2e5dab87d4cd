//! What the tree of management groups names, visible or not.

use std::collections::BTreeSet;

use super::{ModelError, Pages, first_of_each};
use crate::evidence::Kind;
use crate::model::{Entity, Id};

/// Entities in order of id.
pub(super) fn entities(pages: &mut Pages<'_>) -> Result<Vec<Entity>, ModelError> {
    let found = pages.items(Kind::Entities, |item| {
        let id = item.need_id("id")?;
        let properties = item.need_object("properties")?;
        let is_subscription = item.need("type")?.to_lowercase().ends_with("/subscriptions");
        Some(Entity {
            name: properties.text("displayName").unwrap_or_else(|| id.name().to_owned()),
            parent: properties.object("parent").and_then(|parent| parent.id("id")),
            permissions: properties.text("permissions"),
            is_subscription,
            from: item.from(),
            id: if is_subscription { subscription(&id) } else { id },
        })
    })?;
    Ok(first_of_each(found, |entity| &entity.id))
}

/// Every subscription that the tree names: those below a group, and those among the entities.
pub(super) fn subscriptions(pages: &mut Pages<'_>, entities: &[Entity]) -> Result<BTreeSet<Id>, ModelError> {
    let mut named: BTreeSet<Id> =
        entities.iter().filter(|entity| entity.is_subscription).map(|entity| entity.id.clone()).collect();
    let below = pages.items(Kind::ManagementGroupDescendants, |item| {
        let id = item.id("id")?;
        id.subscription().is_some().then(|| subscription(&id))
    })?;
    named.extend(below);
    Ok(named)
}

/// `/subscriptions/{guid}`, also for one that is named by its place below a group.
fn subscription(id: &Id) -> Id {
    Id::new(format!("/subscriptions/{}", id.subscription().unwrap_or(&id.name().to_lowercase())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};
    use crate::model::read;

    const GUID: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const GROUP: &str = "/providers/Microsoft.Management/managementGroups/mg1";

    #[test]
    fn the_tree_names_groups_and_subscriptions_once_each() {
        let parent = json!({"id": GROUP});
        let entities = json!({"value": [
            {"id": GROUP, "type": "Microsoft.Management/managementGroups", "name": "mg1",
                "properties": {"displayName": "One", "parent": {"id": null}, "permissions": "view"}},
            {"id": format!("/subscriptions/{}", GUID.to_uppercase()), "type": "/subscriptions", "name": GUID,
                "properties": {"displayName": "Prod", "parent": parent, "permissions": "noaccess"}},
        ]});
        let below = json!({"value": [
            {"id": format!("/subscriptions/{GUID}"), "type": "/subscriptions", "properties": {"parent": parent}},
            {"id": "/subscriptions/bbbbbbbb-0000-0000-0000-000000000002", "type": "/subscriptions", "properties": {"parent": parent}},
        ]});
        let builder = CaptureBuilder::default().answer(Kind::Entities, "tenant", entities).answer(
            Kind::ManagementGroupDescendants,
            GROUP,
            below,
        );
        let found = read(&builder.build()).expect("a tenant");
        assert_eq!(found.tree.entities.len(), 2);
        let hidden = found.tree.entities.iter().find(|entity| entity.is_subscription).expect("a subscription");
        assert_eq!((hidden.name.as_str(), hidden.permissions.as_deref()), ("Prod", Some("noaccess")));
        assert_eq!(hidden.parent.as_ref().map(|id| id.name()), Some("mg1"));
        assert_eq!(found.tree.subscriptions.len(), 2, "{:?}", found.tree.subscriptions);
        assert_eq!(found.unseen_subscriptions().len(), 2, "none is in the list of what is visible");
    }

    #[test]
    fn an_entity_without_a_type_is_a_gap() {
        let body = json!({"value": [{"id": GROUP, "properties": {}}]});
        let found = read(&CaptureBuilder::default().answer(Kind::Entities, "tenant", body).build()).expect("a tenant");
        assert_eq!(found.coverage.missing_anywhere(Kind::Entities)[0].reason, Reason::Malformed);
    }
}
