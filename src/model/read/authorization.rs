//! Role assignments, role definitions and deny assignments.

use std::collections::BTreeMap;

use super::{Item, ModelError, Pages, delegated, first_of_each, privileged};
use crate::evidence::Kind;
use crate::model::{Authorization, DenyAssignment, OwnPermission, Permission, RoleAssignment, RoleDefinition};

/// The GUID by which a deny assignment means everyone.
const EVERYONE: &str = "00000000-0000-0000-0000-000000000000";

/// Role assignments in order of id. Lists at several scopes show the same one; it is kept once.
pub(super) fn role_assignments(pages: &mut Pages<'_>) -> Result<Vec<RoleAssignment>, ModelError> {
    let found = pages.items(Kind::RoleAssignments, |item| {
        let id = item.need_id("id")?;
        let properties = item.need_object("properties")?;
        Some(RoleAssignment {
            scope: properties.need_id("scope")?,
            role: last_segment(&properties.need("roleDefinitionId")?),
            principal_id: properties.need("principalId")?.to_lowercase(),
            principal_type: properties.text("principalType"),
            condition: properties.text("condition").filter(|text| !text.trim().is_empty()),
            created_on: properties.time("createdOn"),
            created_by: properties.text("createdBy").filter(|text| !text.is_empty()),
            delegated_managed_identity: properties.text("delegatedManagedIdentityResourceId"),
            from: item.from(),
            id,
        })
    })?;
    Ok(first_of_each(found, |assignment| &assignment.id))
}

/// Role definitions by lower-case GUID. Every subscription lists the built-in ones; the first is kept.
pub(super) fn role_definitions(pages: &mut Pages<'_>) -> Result<BTreeMap<String, RoleDefinition>, ModelError> {
    let mut definitions = BTreeMap::new();
    pages.items(Kind::RoleDefinitions, |item| {
        let guid = match item.text("id") {
            Some(id) => last_segment(&id),
            None => item.need("name")?.to_lowercase(),
        };
        let properties = item.need_object("properties")?;
        let entries = properties.need_list("permissions")?;
        let definition = RoleDefinition {
            name: properties.text("roleName").unwrap_or_else(|| guid.clone()),
            role_type: properties.text("type"),
            permissions: entries.iter().map(permission).collect(),
            from: item.from(),
            guid,
        };
        definitions.entry(definition.guid.clone()).or_insert(definition);
        Some(())
    })?;
    Ok(definitions)
}

/// Deny assignments in order of id.
pub(super) fn deny_assignments(pages: &mut Pages<'_>) -> Result<Vec<DenyAssignment>, ModelError> {
    let found = pages.items(Kind::DenyAssignments, |item| {
        let id = item.need_id("id")?;
        let properties = item.need_object("properties")?;
        Some(DenyAssignment {
            name: properties.text("denyAssignmentName").unwrap_or_else(|| id.name().to_owned()),
            scope: properties.need_id("scope")?,
            effect: properties.text("denyAssignmentEffect"),
            principals: properties.items("principals").iter().filter_map(principal).collect(),
            exclude_principals: properties.items("excludePrincipals").iter().filter_map(principal).collect(),
            not_to_children: properties.flag("doNotApplyToChildScopes"),
            permissions: properties.items("permissions").iter().map(permission).collect(),
            from: item.from(),
            id,
        })
    })?;
    Ok(first_of_each(found, |deny| &deny.id))
}

/// What role assignments alone do not show.
pub(super) fn further(pages: &mut Pages<'_>, assignments: &[RoleAssignment]) -> Result<Authorization, ModelError> {
    Ok(Authorization {
        eligible: privileged::schedules(pages, Kind::RoleEligibilityScheduleInstances)?,
        active: privileged::schedules(pages, Kind::RoleAssignmentScheduleInstances)?,
        active_requests: privileged::requests(pages, Kind::RoleAssignmentScheduleRequests)?,
        eligible_requests: privileged::requests(pages, Kind::RoleEligibilityScheduleRequests)?,
        rules: privileged::rules(pages)?,
        delegations: delegated::delegations(pages)?,
        classic_administrators: delegated::classic_administrators(pages)?,
        locks: delegated::locks(pages)?,
        counts: delegated::counts(pages, assignments)?,
    })
}

/// What the collecting identity may do, by subscription, as listed.
pub(super) fn own_permissions(pages: &mut Pages<'_>) -> Result<Vec<OwnPermission>, ModelError> {
    let mut found = pages.items(Kind::OwnPermissions, |item| {
        Some(OwnPermission { scope: item.scope_id(), permission: permission(item), from: item.from() })
    })?;
    found.sort_by(|a, b| a.scope.cmp(&b.scope));
    Ok(found)
}

fn permission(item: &Item<'_>) -> Permission {
    Permission {
        actions: item.texts("actions"),
        not_actions: item.texts("notActions"),
        data_actions: item.texts("dataActions"),
        not_data_actions: item.texts("notDataActions"),
        condition: item.text("condition").filter(|text| !text.trim().is_empty()),
    }
}

fn principal(item: &Item<'_>) -> Option<String> {
    let is_everyone =
        |kind: String| kind.eq_ignore_ascii_case("Everyone") || kind.eq_ignore_ascii_case("SystemDefined");
    match item.lower("id") {
        Some(id) => Some(id),
        None if item.text("type").is_some_and(is_everyone) => Some(EVERYONE.to_owned()),
        None => {
            item.fault("a principal of a deny assignment has no `id`");
            None
        }
    }
}

/// The GUID at the end of an id that comes in three forms: below a subscription, below the root, or bare.
pub(super) fn last_segment(id: &str) -> String {
    id.trim_end_matches('/').rsplit('/').next().unwrap_or(id).to_lowercase()
}
