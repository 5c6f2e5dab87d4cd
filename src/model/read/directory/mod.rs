//! Principals and memberships as the directory tells them; what else it tells has files of its own.

mod applications;
mod policies;
mod roles;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Item, ModelError, Pages};
use crate::evidence::{Cite, Kind};
use crate::model::{Directory, Member, Principal, PrincipalKind};

/// What the directory says.
pub(super) struct Read {
    pub(super) directory: Directory,
    pub(super) managed_identities: Vec<Principal>,
    pub(super) principals: BTreeMap<String, Principal>,
    pub(super) resolved_ids: BTreeMap<String, Cite>,
    pub(super) members: BTreeMap<String, Vec<Member>>,
}

/// Reads everything that the directory answered.
pub(super) fn read(pages: &mut Pages<'_>) -> Result<Read, ModelError> {
    let mut principals = BTreeMap::new();
    for found in pages.items(Kind::Principals, |item| principal(item, None))? {
        principals.entry(found.id.clone()).or_insert(found);
    }
    let resolved_ids = resolved_ids(pages);
    let listed = pages.items(Kind::ManagedIdentityPrincipals, |item| {
        // The service filters, but only with the right header; what it lets through is filtered here.
        let other = |kind: String| !kind.eq_ignore_ascii_case("ManagedIdentity");
        match item.text("servicePrincipalType").is_some_and(other) {
            true => None,
            false => principal(item, Some(PrincipalKind::ManagedIdentity)),
        }
    })?;
    let mut managed: BTreeMap<String, Principal> = BTreeMap::new();
    for found in listed {
        // The list tells more than the look-up by id: `alternativeNames` among others.
        principals.insert(found.id.clone(), found.clone());
        managed.entry(found.id.clone()).or_insert(found);
    }
    let members = members(pages)?;
    let mut directory = Directory::default();
    applications::read(pages, &mut directory)?;
    roles::read(pages, &mut directory)?;
    policies::read(pages, &mut directory)?;
    Ok(Read { directory, managed_identities: managed.into_values().collect(), principals, resolved_ids, members })
}

fn principal(item: &Item<'_>, usual_kind: Option<PrincipalKind>) -> Option<Principal> {
    let id = item.need("id")?.to_lowercase();
    Some(Principal {
        kind: usual_kind.unwrap_or_else(|| kind(item)),
        name: item.shown("displayName").unwrap_or_else(|| id.clone()),
        app_id: item.lower("appId"),
        enabled: item.flag("accountEnabled"),
        user_type: item.text("userType"),
        owner_organization: item.lower("appOwnerOrganizationId"),
        role_assignable: item.flag("isAssignableToRole"),
        alternative_names: item.texts("alternativeNames"),
        from: item.from(),
        id,
    })
}

/// The kind by `@odata.type`; every service principal that is no managed identity is a plain one, whatever
/// further types the directory may come to know.
fn kind(item: &Item<'_>) -> PrincipalKind {
    let service_type = item.text("servicePrincipalType");
    let odata_type = item.text("@odata.type").unwrap_or_default();
    let name = odata_type.rsplit('.').next().unwrap_or_default();
    match name.to_lowercase().as_str() {
        "user" => PrincipalKind::User,
        "group" => PrincipalKind::Group,
        "serviceprincipal" | "" if service_type.is_some() || !name.is_empty() => match service_type {
            Some(kind) if kind.eq_ignore_ascii_case("ManagedIdentity") => PrincipalKind::ManagedIdentity,
            _ => PrincipalKind::ServicePrincipal,
        },
        "" => PrincipalKind::Other("directory object".to_owned()),
        _ => PrincipalKind::Other(name.to_owned()),
    }
}

/// The ids that were asked for in look-ups without a gap, from the bodies of the requests.
fn resolved_ids(pages: &Pages<'_>) -> BTreeMap<String, Cite> {
    let mut resolved = BTreeMap::new();
    for record in pages.whole(Kind::Principals) {
        for page in &record.pages {
            let asked = page.body.as_deref().or(record.request.body.as_deref());
            let body: Option<Value> = asked.and_then(|body| serde_json::from_str(body).ok());
            let ids = body.as_ref().and_then(|body| body.get("ids")?.as_array()).map(Vec::as_slice).unwrap_or_default();
            let whole = Cite::new(&record.evidence_id, &page.file, "");
            for id in ids.iter().filter_map(Value::as_str) {
                resolved.entry(id.to_lowercase()).or_insert_with(|| whole.clone());
            }
        }
    }
    resolved
}

/// Members by group, as far as they were read. Whether the list is whole is for the coverage to say.
fn members(pages: &mut Pages<'_>) -> Result<BTreeMap<String, Vec<Member>>, ModelError> {
    let mut members: BTreeMap<String, Vec<Member>> = BTreeMap::new();
    pages.bodies(Kind::GroupMembers, |body| {
        let Some(group) = body.scope().strip_prefix("group:") else {
            body.fault("the question does not name its group");
            return;
        };
        let Some(items) = body.list("value") else {
            body.fault("there is no list of values");
            return;
        };
        body.place().counted("/value", body.length("value"));
        let of_group = members.entry(group.to_lowercase()).or_default();
        of_group.extend(items.iter().filter_map(|item| {
            let id = item.need("id")?.to_lowercase();
            let name = item.shown("displayName").unwrap_or_else(|| id.clone());
            let user_type = item.text("userType");
            Some(Member { odata_type: item.text("@odata.type"), name, user_type, from: item.from(), id })
        }));
    })?;
    for of_group in members.values_mut() {
        of_group.sort_by(|a, b| (&a.id, &a.from).cmp(&(&b.id, &b.from)));
        of_group.dedup_by(|a, b| a.id == b.id);
    }
    Ok(members)
}

#[cfg(test)]
mod tests;
