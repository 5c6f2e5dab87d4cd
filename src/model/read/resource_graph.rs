//! The second lists, from Resource Graph.

use super::{Item, ModelError, Pages, first_of_each};
use crate::evidence::Kind;
use crate::model::{IndexedAssignment, IndexedResource, ResourceGraph};

/// What Resource Graph lists. A row without its id, or of another type than the contract's, makes its list a gap.
pub(super) fn read(pages: &mut Pages<'_>) -> Result<ResourceGraph, ModelError> {
    let identities = pages.items_of(Kind::ResourceGraphIdentities, "data", resource)?;
    let vaults = pages.items_of(Kind::ResourceGraphVaults, "data", resource)?;
    let assignments = pages.items_of(Kind::ResourceGraphAssignments, "data", assignment)?;
    Ok(ResourceGraph {
        identities: first_of_each(identities, |resource| &resource.id),
        vaults: first_of_each(vaults, |resource| &resource.id),
        // what is assigned above the subscriptions is in every batch of them
        assignments: first_of_each(assignments, |assignment| &assignment.id),
    })
}

fn resource(item: &Item<'_>) -> Option<IndexedResource> {
    let id = item.need_id_or_cut("id")?;
    // a text that the query could not read is empty
    let told = |text: Option<String>| text.filter(|text| !text.is_empty());
    Some(IndexedResource {
        name: item.text("name").unwrap_or_else(|| id.name().to_owned()),
        resource_type: item.need("type")?,
        identity_type: told(item.text("identityType")),
        principal_id: item.lower("principalId"),
        from: item.from(),
        id,
    })
}

fn assignment(item: &Item<'_>) -> Option<IndexedAssignment> {
    let created_on = match item.text("createdOn") {
        Some(text) if text.is_empty() => None,
        _ => item.time("createdOn"),
    };
    Some(IndexedAssignment {
        id: item.need_id("id")?,
        scope: item.id("scope"),
        principal_id: item.lower("principalId"),
        created_on,
        from: item.from(),
    })
}
