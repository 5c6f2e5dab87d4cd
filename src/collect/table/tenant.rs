//! The tenant: subscriptions and management groups.

use super::super::permission::Permission::Action;
use super::{Collector, Form};
use crate::evidence::{Kind, Over};

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Collector] = &[
    Collector::arm(Kind::Subscriptions, &[Action("Microsoft.Resources/subscriptions/read")], "2022-12-01", |_| {
        "/subscriptions".to_owned()
    }),
    Collector::arm(
        Kind::ManagementGroups,
        &[Action("Microsoft.Management/managementGroups/read")],
        "2023-04-01",
        |_| "/providers/Microsoft.Management/managementGroups".to_owned(),
    )
    .giving(&[Over::ManagementGroup]),
    Collector::arm(
        Kind::ManagementGroupDescendants,
        &[Action("Microsoft.Management/managementGroups/descendants/read")],
        "2023-04-01",
        |group| format!("{group}/descendants"),
    ),
    // asks for what one may see oneself, and needs no role for it (unconfirmed)
    Collector::arm(Kind::Entities, &[Action("Microsoft.Management/managementGroups/read")], "2023-04-01", |_| {
        "/providers/Microsoft.Management/getEntities".to_owned()
    })
    .put(Form::Post("")),
];
