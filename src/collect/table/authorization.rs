//! Roles, denials and everything else that gives or takes access.

use super::super::permission::Permission::Action;
use super::Collector;
use crate::evidence::Kind;

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Collector] = &[
    Collector::arm(
        Kind::RoleAssignments,
        &[Action("Microsoft.Authorization/roleAssignments/read")],
        "2022-04-01", // older ones leave conditions out
        |scope| assigned(scope, "roleAssignments"),
    ),
    Collector::arm(
        Kind::RoleDefinitions,
        &[Action("Microsoft.Authorization/roleDefinitions/read")],
        "2022-04-01",
        |sub| format!("{sub}/providers/Microsoft.Authorization/roleDefinitions"),
    ),
    Collector::arm(
        Kind::DenyAssignments,
        &[Action("Microsoft.Authorization/denyAssignments/read")],
        "2022-04-01",
        |sub| format!("{sub}/providers/Microsoft.Authorization/denyAssignments"),
    ),
    // Privileged Identity Management. A tenant without the licence answers `AadPremiumLicenseRequired`.
    Collector::arm(
        Kind::RoleEligibilityScheduleInstances,
        &[Action("Microsoft.Authorization/roleEligibilityScheduleInstances/read")],
        "2020-10-01",
        |scope| assigned(scope, "roleEligibilityScheduleInstances"),
    ),
    Collector::arm(
        Kind::RoleAssignmentScheduleInstances,
        &[Action("Microsoft.Authorization/roleAssignmentScheduleInstances/read")],
        "2020-10-01",
        |scope| assigned(scope, "roleAssignmentScheduleInstances"),
    ),
    Collector::arm(
        Kind::RoleAssignmentScheduleRequests,
        &[Action("Microsoft.Authorization/roleAssignmentScheduleRequests/read")],
        "2020-10-01",
        |scope| assigned(scope, "roleAssignmentScheduleRequests"),
    ),
    Collector::arm(
        Kind::RoleEligibilityScheduleRequests,
        &[Action("Microsoft.Authorization/roleEligibilityScheduleRequests/read")],
        "2020-10-01",
        |scope| assigned(scope, "roleEligibilityScheduleRequests"),
    ),
    // takes no filter: the answer is about the scope itself, a rule for each role there
    Collector::arm(
        Kind::RoleManagementPolicyAssignments,
        &[Action("Microsoft.Authorization/roleManagementPolicyAssignments/read")],
        "2020-10-01",
        |scope| format!("{scope}/providers/Microsoft.Authorization/roleManagementPolicyAssignments"),
    ),
    // answered at a subscription too, which the specification does not list
    Collector::arm(Kind::OwnPermissions, &[Action("Microsoft.Authorization/permissions/read")], "2022-04-01", |sub| {
        format!("{sub}/providers/Microsoft.Authorization/permissions")
    }),
];

/// At a subscription the list goes unfiltered, to see what lies below; above, only what is assigned there.
fn assigned(scope: &str, list: &str) -> String {
    let path = format!("{}/providers/Microsoft.Authorization/{list}", scope.trim_end_matches('/'));
    match scope.to_ascii_lowercase().starts_with("/subscriptions/") {
        true => path,
        false => format!("{path}?$filter=atScope()"),
    }
}
