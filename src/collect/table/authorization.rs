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
        role_assignments_url,
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
    // answered at a subscription too, which the specification does not list
    Collector::arm(Kind::OwnPermissions, &[Action("Microsoft.Authorization/permissions/read")], "2022-04-01", |sub| {
        format!("{sub}/providers/Microsoft.Authorization/permissions")
    }),
];

/// At a subscription the list goes unfiltered, to see what lies below; above, only what is assigned there.
fn role_assignments_url(scope: &str) -> String {
    let path = format!("{}/providers/Microsoft.Authorization/roleAssignments", scope.trim_end_matches('/'));
    match scope.to_ascii_lowercase().starts_with("/subscriptions/") {
        true => path,
        false => format!("{path}?$filter=atScope()"),
    }
}
