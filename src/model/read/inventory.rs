//! Subscriptions, resources, and the identities that Azure attaches to them.

use std::collections::BTreeMap;

use super::{Item, ModelError, Pages, first_of_each, once};
use crate::evidence::Kind;
use crate::model::{AttachedIdentity, FederatedCredential, Id, Identity, Resource, Subscription, UserAssignedIdentity};

/// Subscriptions in order of id.
pub(super) fn subscriptions(pages: &mut Pages<'_>) -> Result<Vec<Subscription>, ModelError> {
    let found = pages.items(Kind::Subscriptions, |item| {
        let id = match item.id("id") {
            Some(id) => id,
            None => Id::new(format!("/subscriptions/{}", item.need("subscriptionId")?)),
        };
        let name = item.text("displayName").unwrap_or_else(|| id.name().to_owned());
        Some(Subscription { name, state: item.text("state"), from: item.from(), id })
    })?;
    Ok(first_of_each(found, |subscription| &subscription.id))
}

/// Resources of every type in order of id. A virtual machine is in two lists; its identities add up.
pub(super) fn resources(pages: &mut Pages<'_>) -> Result<Vec<Resource>, ModelError> {
    let mut found = pages.items(Kind::Resources, |item| resource(item, None))?;
    found.extend(pages.items(Kind::VirtualMachines, |item| resource(item, Some("Microsoft.Compute/virtualMachines")))?);
    Ok(once(found, |resource| &resource.id, merge))
}

/// What a list of any type tells of a resource. `usual_type` stands for a type that the list leaves out.
pub(super) fn resource(item: &Item<'_>, usual_type: Option<&str>) -> Option<Resource> {
    // The list holds every type, and some have names that look like keys, such as a certificate named by its
    // thumbprint: one of them leaves the others readable.
    let id = item.need_id_or_cut("id")?;
    let resource_type = match usual_type {
        Some(usual) => item.text("type").unwrap_or_else(|| usual.to_owned()),
        None => item.need("type")?,
    };
    Some(Resource {
        name: item.text("name").unwrap_or_else(|| id.name().to_owned()),
        resource_type,
        location: item.text("location"),
        tags: item.tags(),
        created_at: item.object("properties").and_then(|properties| properties.time("timeCreated")),
        identity: item.object("identity").and_then(|block| identity(&block)),
        from: item.from(),
        id,
    })
}

/// Reads an `identity` block. `type` is written `SystemAssigned,UserAssigned` with and without a space; the block
/// is absent, or its type `None`, when no identity is attached (common-types, managedidentity).
fn identity(block: &Item<'_>) -> Option<Identity> {
    let kinds = block.text("type").unwrap_or_default();
    let system_principal_id = block.lower("principalId");
    let mut attached: BTreeMap<Id, Option<String>> = BTreeMap::new();
    for (id, value) in block.entries("userAssignedIdentities") {
        // The value may be null or empty; the key alone says that the identity is attached.
        attached.insert(Id::new(id), value.lower("principalId"));
    }
    let named = kinds.split(',').any(|kind| kind.trim().eq_ignore_ascii_case("SystemAssigned"));
    let identity = Identity {
        system_assigned: named || system_principal_id.is_some(),
        system_principal_id,
        user_assigned: attached.into_iter().map(|(id, principal_id)| AttachedIdentity { id, principal_id }).collect(),
    };
    (identity.system_assigned || !identity.user_assigned.is_empty()).then_some(identity)
}

fn merge(kept: &mut Resource, further: Resource) {
    kept.created_at = kept.created_at.or(further.created_at);
    for (name, value) in further.tags {
        kept.tags.entry(name).or_insert(value);
    }
    let Some(theirs) = further.identity else { return };
    let Some(own) = &mut kept.identity else {
        kept.identity = Some(theirs);
        kept.from = further.from; // the list that shows the identity
        return;
    };
    own.system_assigned |= theirs.system_assigned;
    own.system_principal_id = own.system_principal_id.take().or(theirs.system_principal_id);
    for attached in theirs.user_assigned {
        match own.user_assigned.iter_mut().find(|known| known.id == attached.id) {
            Some(known) => known.principal_id = known.principal_id.take().or(attached.principal_id),
            None => own.user_assigned.push(attached),
        }
    }
    own.user_assigned.sort_by(|a, b| a.id.cmp(&b.id));
}

/// User-assigned identities in order of id.
pub(super) fn user_assigned(pages: &mut Pages<'_>) -> Result<Vec<UserAssignedIdentity>, ModelError> {
    let found = pages.items(Kind::UserAssignedIdentities, |item| {
        let id = item.need_id("id")?;
        let properties = item.need_object("properties")?;
        Some(UserAssignedIdentity {
            name: item.text("name").unwrap_or_else(|| id.name().to_owned()),
            principal_id: properties.lower("principalId"),
            client_id: properties.lower("clientId"),
            tags: item.tags(),
            created_at: item.object("systemData").and_then(|system| system.time("createdAt")),
            from: item.from(),
            id,
        })
    })?;
    Ok(first_of_each(found, |identity| &identity.id))
}

/// Federated credentials, by identity and name.
pub(super) fn federated(pages: &mut Pages<'_>) -> Result<Vec<FederatedCredential>, ModelError> {
    let mut found = pages.items(Kind::FederatedCredentials, |item| {
        let properties = item.need_object("properties")?;
        Some(FederatedCredential {
            identity: item.scope_id(),
            name: item.need("name")?,
            issuer: properties.whole_text("issuer"),
            subject: properties.whole_text("subject"),
            audiences: properties.texts("audiences"),
            from: item.from(),
        })
    })?;
    found.sort_by(|a, b| (&a.identity, &a.name).cmp(&(&b.identity, &b.name)));
    Ok(found)
}
