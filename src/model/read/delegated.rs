//! Access and limits beside role assignments: delegations to other tenants, classic administrators, locks, and the
//! service's own count of assignments.

use super::authorization::last_segment;
use super::privileged::duration;
use super::{Item, ModelError, Pages, first_of_each};
use crate::evidence::{Kind, Reason};
use crate::model::{AssignmentCount, ClassicAdministrator, Delegate, Delegation, Id, Lock, RoleAssignment};

/// Delegations in order of id. One whose definition was not given with it tells nobody's role: a fault.
pub(super) fn delegations(pages: &mut Pages<'_>) -> Result<Vec<Delegation>, ModelError> {
    let found = pages.items(Kind::RegistrationAssignments, |item| {
        let id = item.need_id("id")?;
        let properties = item.need_object("properties")?;
        let definition = properties.need_object("registrationDefinition")?.need_object("properties")?;
        Some(Delegation {
            scope: before(&id, "/providers/microsoft.managedservices/"),
            name: definition.text("registrationDefinitionName"),
            managing_tenant: definition.lower("managedByTenantId"),
            state: properties.text("provisioningState"),
            authorizations: definition.items("authorizations").iter().filter_map(delegate).collect(),
            eligible: definition.items("eligibleAuthorizations").iter().filter_map(delegate).collect(),
            from: item.from(),
            id,
        })
    })?;
    Ok(first_of_each(found, |delegation| &delegation.id))
}

fn delegate(item: &Item<'_>) -> Option<Delegate> {
    let policy = item.object("justInTimeAccessPolicy");
    let provider = policy.as_ref().and_then(|policy| policy.text("multiFactorAuthProvider"));
    Some(Delegate {
        principal_id: item.need("principalId")?.to_lowercase(),
        role: last_segment(&item.need("roleDefinitionId")?),
        may_assign: item.texts("delegatedRoleDefinitionIds").iter().map(|role| last_segment(role)).collect(),
        mfa: provider.map(|provider| provider.eq_ignore_ascii_case("Azure")),
        longest_activation: policy.as_ref().and_then(|policy| duration(policy, "maximumActivationDuration")),
    })
}

/// Classic administrators in order of id.
pub(super) fn classic_administrators(pages: &mut Pages<'_>) -> Result<Vec<ClassicAdministrator>, ModelError> {
    let found = pages.items(Kind::ClassicAdministrators, |item| {
        let id = item.need_id("id")?;
        let properties = item.need_object("properties")?;
        let roles = properties.need("role")?;
        Some(ClassicAdministrator {
            roles: roles.split(';').map(|role| role.trim().to_owned()).filter(|role| !role.is_empty()).collect(),
            domain: properties.text("emailAddress"),
            from: item.from(),
            id,
        })
    })?;
    Ok(first_of_each(found, |administrator| &administrator.id))
}

/// Locks in order of id.
pub(super) fn locks(pages: &mut Pages<'_>) -> Result<Vec<Lock>, ModelError> {
    let found = pages.items(Kind::Locks, |item| {
        let id = item.need_id("id")?;
        Some(Lock {
            scope: before(&id, "/providers/microsoft.authorization/locks/"),
            level: item.need_object("properties")?.text("level"),
            from: item.from(),
            id,
        })
    })?;
    Ok(first_of_each(found, |lock| &lock.id))
}

/// Counts by subscription, held against the assignments that were read. A difference that nothing explains makes the
/// count a gap: either list or count is not whole.
pub(super) fn counts(
    pages: &mut Pages<'_>,
    assignments: &[RoleAssignment],
) -> Result<Vec<AssignmentCount>, ModelError> {
    // the list of a subscription may hold what it inherits
    let listed: Vec<(Id, i64)> = pages
        .whole(Kind::RoleAssignments)
        .map(|record| (Id::new(record.scope.clone()), i64::try_from(record.row_count).unwrap_or(i64::MAX)))
        .collect();
    let mut found = Vec::new();
    pages.bodies(Kind::RoleAssignmentsUsageMetrics, |body| {
        let subscription = body.scope_id();
        // without its list there is nothing to compare with, and the list is the gap
        let Some((_, listed)) = listed.iter().find(|(scope, _)| *scope == subscription) else { return };
        let own = assignments.iter().filter(|assignment| subscription.is_at_or_above(&assignment.scope)).count();
        let own = i64::try_from(own).unwrap_or(i64::MAX);
        let count = AssignmentCount {
            current: body.number("roleAssignmentsCurrentCount"),
            limit: body.number("roleAssignmentsLimit"),
            read: own,
            inherited: (listed - own).max(0),
            from: body.from(),
            subscription,
        };
        if count.current.is_none() {
            body.fault("`roleAssignmentsCurrentCount` is missing");
        }
        if let (Some(current), Some(unexplained)) = (count.current, count.unexplained()) {
            let what = format!(
                "the service counts {current} role assignments of the subscription; {} were read at or below it, and \
                 {} more are inherited; a difference of {unexplained} is unexplained",
                count.read, count.inherited
            );
            body.place().note(Reason::TotalsDiffer, "/roleAssignmentsCurrentCount", &what);
        }
        found.push(count);
    })?;
    found.sort_by(|a, b| a.subscription.cmp(&b.subscription));
    Ok(found)
}

/// The part of an id before its last `marker`, which is in lower case.
fn before(id: &Id, marker: &str) -> Id {
    match id.key().rfind(marker) {
        Some(at) => Id::new(id.shown().get(..at).unwrap_or(id.shown())),
        None => id.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is easier to read without a reference before it")]
mod tests {
    use serde_json::{Value, json};

    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};
    use crate::model::{Id, Tenant, read};

    const SUB: &str = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001";
    const GROUP: &str = "/providers/Microsoft.Management/managementGroups/mg1";

    fn tenant(builder: CaptureBuilder) -> Tenant {
        read(&builder.build()).expect("a tenant")
    }

    fn list(items: Value) -> Value {
        json!({ "value": items })
    }

    #[test]
    fn a_delegation_tells_who_of_which_tenant_got_what() {
        let id = format!("{SUB}/resourceGroups/rg/providers/Microsoft.ManagedServices/registrationAssignments/r1");
        let definition = json!({"registrationDefinitionName": "Support", "managedByTenantId": "T-2",
            "authorizations": [{"principalId": "P-1", "roleDefinitionId": "ABC", "delegatedRoleDefinitionIds": ["D-1"]}],
            "eligibleAuthorizations": [{"principalId": "P-2", "roleDefinitionId": "abd",
                "justInTimeAccessPolicy": {"multiFactorAuthProvider": "None", "maximumActivationDuration": "PT8H"}}]});
        let items = json!([{"id": id, "properties": {"provisioningState": "Succeeded", "registrationDefinition": {"properties": definition}}}]);
        let found = tenant(CaptureBuilder::default().answer(Kind::RegistrationAssignments, SUB, list(items)));
        let delegation = &found.authorization.delegations[0];
        assert_eq!(delegation.scope, Id::new(format!("{SUB}/resourceGroups/rg")));
        assert_eq!(delegation.managing_tenant.as_deref(), Some("t-2"));
        let held = &delegation.authorizations[0];
        assert_eq!((held.principal_id.as_str(), held.role.as_str(), held.mfa), ("p-1", "abc", None));
        assert_eq!(held.may_assign, ["d-1"]);
        let eligible = &delegation.eligible[0];
        assert_eq!((eligible.mfa, eligible.longest_activation), (Some(false), Some(480)));
    }

    #[test]
    fn a_delegation_without_its_definition_is_a_gap() {
        let id = format!("{SUB}/providers/Microsoft.ManagedServices/registrationAssignments/r1");
        let items = json!([{"id": id, "properties": {"registrationDefinitionId": "x"}}]);
        let found = tenant(CaptureBuilder::default().answer(Kind::RegistrationAssignments, SUB, list(items)));
        assert!(found.authorization.delegations.is_empty());
        let gap = &found.coverage.missing_anywhere(Kind::RegistrationAssignments)[0];
        assert!(gap.detail.starts_with("`registrationDefinition` is missing"), "{gap:?}");
    }

    #[test]
    fn classic_roles_are_parted_and_a_lock_names_what_it_locks() {
        let administrator = json!([{"id": format!("{SUB}/providers/Microsoft.Authorization/classicAdministrators/c1"),
            "properties": {"emailAddress": "[cut]@a.example", "role": "ServiceAdministrator;AccountAdministrator"}}]);
        let lock = json!([{"id": format!("{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv/providers/Microsoft.Authorization/locks/keep"),
            "properties": {"level": "CanNotDelete"}}]);
        let found =
            tenant(CaptureBuilder::default().answer(Kind::ClassicAdministrators, SUB, list(administrator)).answer(
                Kind::Locks,
                SUB,
                list(lock),
            ));
        let further = &found.authorization;
        assert_eq!(further.classic_administrators[0].roles, ["ServiceAdministrator", "AccountAdministrator"]);
        assert_eq!(
            further.locks[0].scope,
            Id::new(format!("{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"))
        );
    }

    /// Two assignments at the subscription or below, one inherited, and the service's count.
    fn counted(count: Value) -> Tenant {
        let at = |name: &str, scope: &str| {
            json!({"id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"),
                "properties": {"scope": scope, "principalId": "p", "roleDefinitionId": "r"}})
        };
        let items = json!([at("1", SUB), at("2", &format!("{SUB}/resourceGroups/rg")), at("3", GROUP)]);
        tenant(CaptureBuilder::default().answer(Kind::RoleAssignments, SUB, list(items)).answer(
            Kind::RoleAssignmentsUsageMetrics,
            SUB,
            count,
        ))
    }

    #[test]
    fn a_count_with_or_without_what_is_inherited_is_explained() {
        for current in [json!(2), json!("3")] {
            let found = counted(json!({"subscriptionId": "x", "roleAssignmentsCurrentCount": current}));
            let count = &found.authorization.counts[0];
            assert_eq!((count.read, count.inherited, count.unexplained()), (2, 1, None));
            assert!(found.coverage.missing_anywhere(Kind::RoleAssignmentsUsageMetrics).is_empty());
        }
    }

    #[test]
    fn a_difference_that_nothing_explains_is_a_gap_and_so_is_a_count_that_is_not_told() {
        let found = counted(json!({"subscriptionId": "x", "roleAssignmentsCurrentCount": 5}));
        assert_eq!(found.authorization.counts[0].unexplained(), Some(3));
        let gap = &found.coverage.missing_anywhere(Kind::RoleAssignmentsUsageMetrics)[0];
        assert_eq!(gap.reason, Reason::TotalsDiffer);
        assert!(gap.detail.contains("counts 5") && gap.detail.contains("2 were read"), "{gap:?}");
        let found = counted(json!({"subscriptionId": "x"}));
        assert_eq!(found.coverage.missing_anywhere(Kind::RoleAssignmentsUsageMetrics)[0].reason, Reason::Malformed);
    }
}
