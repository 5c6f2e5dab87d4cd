//! Where logs go, how long they are kept, and what the platform itself logged.

use super::super::permission::Permission::Action;
use super::{Collector, Shape};
use crate::evidence::Kind;

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Collector] = &[
    Collector::arm(
        Kind::DiagnosticSettings,
        &[Action("Microsoft.Insights/diagnosticSettings/read")],
        "2021-05-01-preview",
        |vault| format!("{vault}/providers/Microsoft.Insights/diagnosticSettings"),
    ),
    Collector::arm(Kind::Workspaces, &[Action("Microsoft.OperationalInsights/workspaces/read")], "2023-09-01", |sub| {
        format!("{sub}/providers/Microsoft.OperationalInsights/workspaces")
    }),
    Collector::arm(
        Kind::Workspace,
        &[Action("Microsoft.OperationalInsights/workspaces/read")],
        "2023-09-01",
        str::to_owned,
    )
    .shaped(Shape::One),
    Collector::arm(
        Kind::Tables,
        &[Action("Microsoft.OperationalInsights/workspaces/tables/read")],
        "2022-10-01",
        |workspace| format!("{workspace}/tables"),
    ),
];
