//! Rights inside the directory: roles, application permissions, memberships with a schedule.

use std::collections::BTreeMap;

use super::super::{Item, ModelError, Pages};
use crate::evidence::Kind;
use crate::model::{AppRoleGrant, Directory, DirectoryRole, DirectoryRoleGrant, GroupGrant};

/// Reads them into `directory`.
pub(super) fn read(pages: &mut Pages<'_>, directory: &mut Directory) -> Result<(), ModelError> {
    for role in pages.items(Kind::DirectoryRoleDefinitions, role)? {
        directory.roles.entry(role.id.clone()).or_insert(role);
    }
    directory.role_assignments = role_grants(pages, Kind::DirectoryRoleAssignments)?;
    directory.role_instances = role_grants(pages, Kind::DirectoryRoleInstances)?;
    directory.role_eligibilities = role_grants(pages, Kind::DirectoryRoleEligibilities)?;
    directory.group_assignments = group_grants(pages, Kind::GroupAssignments)?;
    directory.group_eligibilities = group_grants(pages, Kind::GroupEligibilities)?;
    let names = permissions(pages)?;
    directory.graph_grants = pages.items(Kind::GraphAppRoleAssignments, |item| {
        let role_id = item.need("appRoleId")?.to_lowercase();
        Some(AppRoleGrant {
            principal_id: item.need("principalId")?.to_lowercase(),
            principal_type: item.text("principalType"),
            role: names.get(&role_id).cloned(),
            granted_at: item.time("createdDateTime"),
            from: item.from(),
            role_id,
        })
    })?;
    directory.graph_grants.sort_by(|a, b| (&a.principal_id, &a.role_id).cmp(&(&b.principal_id, &b.role_id)));
    directory.graph_grants.dedup_by(|a, b| a.principal_id == b.principal_id && a.role_id == b.role_id);
    Ok(())
}

fn role(item: &Item<'_>) -> Option<DirectoryRole> {
    let id = item.need("id")?.to_lowercase();
    // a role without permissions is none; absent leaves open what it gives
    let permissions = item.need_list("rolePermissions").unwrap_or_default();
    let actions = permissions.iter().flat_map(|permission| permission.texts("allowedResourceActions"));
    Some(DirectoryRole {
        name: item.text("displayName").unwrap_or_else(|| id.clone()),
        built_in: item.flag("isBuiltIn"),
        enabled: item.flag("isEnabled"),
        actions: actions.map(|action| action.to_lowercase()).collect(),
        from: item.from(),
        id,
    })
}

fn role_grants(pages: &mut Pages<'_>, kind: Kind) -> Result<Vec<DirectoryRoleGrant>, ModelError> {
    let mut grants = pages.items(kind, |item| {
        Some(DirectoryRoleGrant {
            principal_id: item.need("principalId")?.to_lowercase(),
            role_id: item.need("roleDefinitionId")?.to_lowercase(),
            scope: item.whole_text("directoryScopeId"),
            assignment: item.text("assignmentType"),
            member: item.text("memberType"),
            start: item.time("startDateTime"),
            end: item.time("endDateTime"),
            from: item.from(),
        })
    })?;
    grants.sort_by(|a, b| (&a.principal_id, &a.role_id, &a.from).cmp(&(&b.principal_id, &b.role_id, &b.from)));
    Ok(grants)
}

fn group_grants(pages: &mut Pages<'_>, kind: Kind) -> Result<Vec<GroupGrant>, ModelError> {
    let mut grants = pages.items(kind, |item| {
        Some(GroupGrant {
            group_id: item.need("groupId")?.to_lowercase(),
            principal_id: item.need("principalId")?.to_lowercase(),
            access: item.text("accessId"),
            assignment: item.text("assignmentType"),
            start: item.time("startDateTime"),
            end: item.time("endDateTime"),
            from: item.from(),
        })
    })?;
    grants.sort_by(|a, b| (&a.group_id, &a.principal_id, &a.from).cmp(&(&b.group_id, &b.principal_id, &b.from)));
    Ok(grants)
}

/// Names of the application permissions that Graph offers, by lower-case id.
fn permissions(pages: &mut Pages<'_>) -> Result<BTreeMap<String, String>, ModelError> {
    let mut names = BTreeMap::new();
    pages.bodies(Kind::GraphAppRoles, |body| {
        for role in body.need_list("appRoles").unwrap_or_default() {
            if let (Some(id), Some(name)) = (role.need("id"), role.text("value")) {
                names.insert(id.to_lowercase(), name);
            }
        }
    })?;
    Ok(names)
}
