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
    Collector::arm(
        Kind::SubscriptionExports,
        &[Action("Microsoft.Insights/diagnosticSettings/read")],
        "2021-05-01-preview",
        |sub| format!("{sub}/providers/Microsoft.Insights/diagnosticSettings"),
    ),
    Collector::arm(
        Kind::ManagementGroupExports,
        &[Action("Microsoft.Insights/diagnosticSettings/read")],
        "2021-05-01-preview",
        |group| format!("{group}/providers/Microsoft.Insights/diagnosticSettings"),
    ),
    // a role of the directory opens it (unconfirmed which is the least), or this action at the root
    Collector::arm(
        Kind::DirectoryExports,
        &[Action("microsoft.aadiam/diagnosticSettings/read")],
        "2017-04-01-preview",
        |_| "/providers/microsoft.aadiam/diagnosticSettings".to_owned(),
    ),
    activity(Kind::ActivityOfAuthorization, |sub| events(sub, "Microsoft.Authorization")),
    activity(Kind::ActivityOfVaults, |sub| events(sub, "Microsoft.KeyVault")),
    activity(Kind::ActivityOfDiagnosticSettings, |sub| events(sub, "Microsoft.Insights")),
    activity(Kind::ActivityOfIdentities, |sub| events(sub, "Microsoft.ManagedIdentity")),
    activity(Kind::ActivityOfWorkspaces, |sub| events(sub, "Microsoft.OperationalInsights")),
    activity(Kind::TenantActivity, |_| events("", "Microsoft.Authorization")),
    Collector::arm(Kind::DefenderPlans, &[Action("Microsoft.Security/pricings/read")], "2024-01-01", |sub| {
        format!("{sub}/providers/Microsoft.Security/pricings")
    }),
    Collector::arm(
        Kind::ActivityLogAlerts,
        &[Action("Microsoft.Insights/activityLogAlerts/read")],
        "2020-10-01",
        |sub| format!("{sub}/providers/Microsoft.Insights/activityLogAlerts"),
    ),
    Collector::arm(
        Kind::LogSearchAlerts,
        &[Action("Microsoft.Insights/scheduledQueryRules/read")],
        "2021-08-01",
        |sub| format!("{sub}/providers/Microsoft.Insights/scheduledQueryRules"),
    ),
    Collector::arm(Kind::ActionGroups, &[Action("Microsoft.Insights/actionGroups/read")], "2023-01-01", |sub| {
        format!("{sub}/providers/Microsoft.Insights/actionGroups")
    }),
    Collector::arm(
        Kind::ArchiveContainers,
        &[Action("Microsoft.Storage/storageAccounts/blobServices/containers/read")],
        "2023-05-01",
        |account| format!("{account}/blobServices/default/containers"),
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

/// The activity log keeps 90 days (learn:azure/azure-monitor/platform/activity-log).
const fn activity(kind: Kind, url: fn(&str) -> String) -> Collector {
    Collector::arm(kind, &[Action("Microsoft.Insights/eventtypes/values/read")], "2015-04-01", url).kept_for(90)
}

/// Events of one resource provider in the window. The filter takes these patterns and no other; the tenant's takes its
/// channels as well. What a caller sent along is asked for only where it says who got which role.
fn events(scope: &str, provider: &str) -> String {
    let channels = if scope.is_empty() { "eventChannels%20eq%20%27Admin,%20Operation%27%20and%20" } else { "" };
    let bodies = if provider == "Microsoft.Authorization" { ",properties" } else { "" };
    format!(
        "{scope}/providers/Microsoft.Insights/eventtypes/management/values?$filter=eventTimestamp%20ge%20%27{{start}}%27\
         %20and%20eventTimestamp%20le%20%27{{end}}%27%20and%20{channels}resourceProvider%20eq%20%27{provider}%27\
         &$select=authorization,claims,correlationId,eventDataId,eventTimestamp,operationName,resourceId,status,subStatus,\
         submissionTimestamp{bodies}"
    )
}
