//! Applications, the service principals that stand for them, their credentials and their owners.

use std::collections::BTreeSet;

use super::super::{Item, ModelError, Pages, once};
use super::kind;
use crate::evidence::Kind;
use crate::model::{
    Application, Credential, CredentialKind, Directory, FederatedCredential, Id, Owner, ServicePrincipal,
};

/// Reads them into `directory`.
pub(super) fn read(pages: &mut Pages<'_>, directory: &mut Directory) -> Result<(), ModelError> {
    directory.applications = first_by_id(pages.items(Kind::Applications, application)?, |item| &item.id);
    directory.service_principals =
        first_by_id(pages.items(Kind::ServicePrincipals, service_principal)?, |item| &item.id);
    directory.federated = pages.items(Kind::ApplicationFederatedCredentials, |item| {
        Some(FederatedCredential {
            identity: Id::new(item.scope()),
            name: item.need("name")?,
            issuer: item.whole_text("issuer"),
            subject: item.whole_text("subject"),
            audiences: item.texts("audiences"),
            from: item.from(),
        })
    })?;
    directory.federated.sort_by(|a, b| (&a.identity, &a.name).cmp(&(&b.identity, &b.name)));
    for kind in [Kind::ApplicationOwners, Kind::ServicePrincipalOwners, Kind::GroupOwners] {
        directory.owners.extend(pages.items(kind, owner)?);
    }
    directory.owners.sort_by(|a, b| (&a.owned, &a.id, &a.from).cmp(&(&b.owned, &b.id, &b.from)));
    directory.owners.dedup_by(|a, b| a.owned == b.owned && a.id == b.id);
    Ok(())
}

fn application(item: &Item<'_>) -> Option<Application> {
    let id = item.need("id")?.to_lowercase();
    Some(Application {
        app_id: item.need("appId")?.to_lowercase(),
        name: name(item, &id),
        created_at: item.time("createdDateTime"),
        audience: item.text("signInAudience"),
        tags: tags(item),
        credentials: credentials(item),
        tells_credentials: tells_credentials(item),
        from: item.from(),
        id,
    })
}

fn service_principal(item: &Item<'_>) -> Option<ServicePrincipal> {
    let id = item.need("id")?.to_lowercase();
    Some(ServicePrincipal {
        app_id: item.lower("appId"),
        name: name(item, &id),
        service_type: item.text("servicePrincipalType"),
        enabled: item.flag("accountEnabled"),
        owner_organization: item.lower("appOwnerOrganizationId"),
        single_sign_on: item.text("preferredSingleSignOnMode"),
        tags: tags(item),
        credentials: credentials(item),
        tells_credentials: tells_credentials(item),
        from: item.from(),
        id,
    })
}

/// Both lists must be there: they are asked for by name, and a list that is left out says nothing about secrets.
fn credentials(item: &Item<'_>) -> Vec<Credential> {
    let keys = item.need_list("keyCredentials").unwrap_or_default();
    let signing: Vec<&Item<'_>> =
        keys.iter().filter(|key| key.text("usage").is_some_and(|usage| usage.eq_ignore_ascii_case("Sign"))).collect();
    let opens =
        |secret: &Item<'_>, key: &Item<'_>| secret.lower("keyId").is_some_and(|id| key.lower("keyId") == Some(id));
    let is_twin = |one: &Item<'_>, other: &Item<'_>| {
        let same = |field| one.text(field).is_some_and(|value| other.text(field) == Some(value));
        same("displayName") && same("startDateTime") && same("endDateTime")
    };
    let passwords = item.need_list("passwordCredentials").unwrap_or_default();
    let secrets = passwords
        .iter()
        .map(|secret| credential(secret, CredentialKind::Secret, signing.iter().any(|key| opens(secret, key))));
    let certificates = keys.iter().map(|key| {
        let is_signing = signing.iter().any(|other| other.from() == key.from() || is_twin(other, key));
        credential(key, CredentialKind::Key, is_signing)
    });
    secrets.chain(certificates).collect()
}

fn tells_credentials(item: &Item<'_>) -> bool {
    item.has("passwordCredentials") && item.has("keyCredentials")
}

fn credential(item: &Item<'_>, kind: CredentialKind, signs_tokens: bool) -> Credential {
    Credential {
        kind,
        key_id: item.lower("keyId"),
        name: item.text("displayName"),
        start: item.time("startDateTime"),
        end: item.time("endDateTime"),
        signs_tokens,
        from: item.from(),
    }
}

fn owner(item: &Item<'_>) -> Option<Owner> {
    let id = item.need("id")?.to_lowercase();
    Some(Owner {
        owned: Id::new(item.scope()),
        kind: kind(item),
        name: name(item, &id),
        enabled: item.flag("accountEnabled"),
        user_type: item.text("userType"),
        from: item.from(),
        id,
    })
}

/// Free words: one that was cut hides none of the others, and whoever looks for a word sees that there was one more.
fn tags(item: &Item<'_>) -> BTreeSet<String> {
    item.texts_or_cut("tags").into_iter().map(|tag| tag.to_lowercase()).collect()
}

fn name(item: &Item<'_>, id: &str) -> String {
    item.text("displayName").filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_owned())
}

/// The items in order of object id, the first of each.
fn first_by_id<T>(items: Vec<T>, id: impl Fn(&T) -> &str) -> Vec<T> {
    let keyed = items.into_iter().map(|item| (Id::new(id(&item)), item)).collect();
    once(keyed, |(id, _)| id, |_, _| {}).into_iter().map(|(_, item)| item).collect()
}
