//! Roles, denials and everything else that gives or takes access.

use super::super::permission::Permission::Action;
use super::{Collector, Shape};
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
        "2026-09-01", // tells whether a deny is enforced or only logged; older ones leave that open
        |scope| assigned(scope, "denyAssignments"),
    )
    .falling_back_to(&["2022-04-01"]),
    // a preview; its own action is in no list of operations, so that the one for the assignments stands here
    Collector::arm(
        Kind::RoleAssignmentsUsageMetrics,
        &[Action("Microsoft.Authorization/roleAssignments/read")],
        "2019-08-01-preview",
        |sub| format!("{sub}/providers/Microsoft.Authorization/roleAssignmentsUsageMetrics"),
    )
    .shaped(Shape::One),
    Collector::arm(
        Kind::ClassicAdministrators,
        &[Action("Microsoft.Authorization/classicAdministrators/read")],
        "2015-07-01",
        |sub| format!("{sub}/providers/Microsoft.Authorization/classicAdministrators"),
    ),
    Collector::arm(Kind::Locks, &[Action("Microsoft.Authorization/locks/read")], "2020-05-01", |sub| {
        format!("{sub}/providers/Microsoft.Authorization/locks")
    }),
    // without the definition, who got what is not told
    Collector::arm(
        Kind::RegistrationAssignments,
        &[
            Action("Microsoft.ManagedServices/registrationAssignments/read"),
            Action("Microsoft.ManagedServices/registrationDefinitions/read"),
        ],
        "2022-10-01",
        |sub| {
            format!(
                "{sub}/providers/Microsoft.ManagedServices/registrationAssignments?$expandRegistrationDefinition=true"
            )
        },
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
