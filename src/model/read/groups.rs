//! The tree of management groups.

use std::collections::BTreeMap;

use super::{ModelError, Pages};
use crate::evidence::Kind;
use crate::model::{Hierarchy, Id, Tenant};

/// Reads the tree from the list of groups and from what stands below each of them.
pub(super) fn hierarchy(pages: &mut Pages<'_>, tenant_id: &str) -> Result<Hierarchy, ModelError> {
    let mut names = BTreeMap::new();
    let mut parents = BTreeMap::new();
    pages.items(Kind::ManagementGroups, |item| {
        let id = item.need_id("id")?;
        let shown = item.object("properties").and_then(|properties| properties.text("displayName"));
        names.insert(id.clone(), shown.unwrap_or_else(|| id.name().to_owned()));
        Some(())
    })?;
    let listed = names.len();
    pages.items(Kind::ManagementGroupDescendants, |item| {
        let id = item.need_id("id")?;
        let properties = item.need_object("properties")?;
        let parent = properties.need_object("parent")?.need_id("id")?;
        // `type` is `Microsoft.Management/managementGroups`, or the same with `/subscriptions` behind it.
        let is_subscription = item.text("type").is_some_and(|kind| kind.to_lowercase().ends_with("/subscriptions"));
        if !is_subscription && id.subscription().is_none() {
            let shown = properties.text("displayName").unwrap_or_else(|| id.name().to_owned());
            names.entry(id.clone()).or_insert(shown);
        }
        let child = match id.subscription() {
            Some(guid) => Id::new(format!("/subscriptions/{guid}")),
            None => id,
        };
        parents.entry(child).or_insert((parent, item.from()));
        Some(())
    })?;
    let is_root = |id: &Id| id.name().eq_ignore_ascii_case(tenant_id);
    let root = names.keys().chain(parents.values().map(|(parent, _)| parent)).find(|id| is_root(id)).cloned();
    let list_is_empty = listed == 0 && pages.whole(Kind::ManagementGroups).next().is_some();
    let mut at_root = pages.whole(Kind::RoleAssignments).filter(|record| record.scope == "/");
    let unused = list_is_empty && parents.is_empty() && at_root.next().is_some();
    Ok(Hierarchy { parents, names, root, unused })
}

/// Tells the coverage which groups stand above each subscription, and where that is not known. A subscription
/// that was not listed but whose resources were read counts too.
pub(super) fn above_subscriptions(tenant: &mut Tenant) {
    let listed = tenant.subscriptions.iter().map(|subscription| subscription.id.clone());
    let ids = tenant.vaults.iter().map(|vault| &vault.id);
    let ids = ids.chain(tenant.resources.iter().map(|resource| &resource.id));
    let ids = ids.chain(tenant.user_assigned.iter().map(|identity| &identity.id));
    let ids = ids.chain(tenant.role_assignments.iter().map(|assignment| &assignment.scope));
    let found = ids.filter_map(Id::subscription).map(|guid| Id::new(format!("/subscriptions/{guid}")));
    let every: std::collections::BTreeSet<Id> = listed.chain(found).collect();
    for subscription in every {
        if !tenant.hierarchy.is_known(&subscription) {
            tenant.coverage.unknown_above.insert(subscription.clone());
        }
        tenant.coverage.above.insert(subscription.clone(), tenant.hierarchy.above(&subscription));
    }
    for group in tenant.hierarchy.names.keys() {
        if !tenant.hierarchy.is_known(group) {
            tenant.coverage.unknown_above.insert(group.clone());
        }
        tenant.coverage.above.insert(group.clone(), tenant.hierarchy.above(group));
    }
}
