//! Rows of logs in Log Analytics; each kind has a file in `queries/`.

use super::super::permission::Permission::{self, Action, LogTable};
use super::Collector;
use crate::evidence::Kind;

/// The first action runs a query and shows no rows; the second shows those of one table.
macro_rules! rows_of {
    ($($table:literal),+) => {
        &[Action("Microsoft.OperationalInsights/workspaces/query/read"), $(LogTable($table)),+]
    };
}

const DEDICATED: &[Permission] = rows_of!("AZKVAuditLogs");
const LEGACY: &[Permission] = rows_of!("AzureDiagnostics");
const ACTIVITY: &[Permission] = rows_of!("AzureActivity");
const DIRECTORY: &[Permission] = rows_of!("AuditLogs");

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Collector] = &[
    Collector::logs(Kind::VaultLogDedicated, DEDICATED),
    Collector::logs(Kind::VaultLogLegacy, LEGACY),
    Collector::logs(Kind::VaultLogDedicatedCount, DEDICATED),
    Collector::logs(Kind::VaultLogLegacyCount, LEGACY),
    Collector::logs(Kind::VaultChangesDedicated, DEDICATED),
    Collector::logs(Kind::VaultChangesLegacy, LEGACY),
    Collector::logs(Kind::VaultChangesDedicatedCount, DEDICATED),
    Collector::logs(Kind::VaultChangesLegacyCount, LEGACY),
    Collector::logs(
        Kind::LogContinuity,
        rows_of!(
            "AADManagedIdentitySignInLogs",
            "AADNonInteractiveUserSignInLogs",
            "AADServicePrincipalSignInLogs",
            "AZKVAuditLogs",
            "AuditLogs",
            "AzureActivity",
            "AzureDiagnostics",
            "SigninLogs"
        ),
    ),
    Collector::logs(Kind::Activity, ACTIVITY),
    Collector::logs(Kind::ActivityCount, ACTIVITY),
    Collector::logs(Kind::DirectoryChanges, DIRECTORY),
    Collector::logs(Kind::DirectoryChangesCount, DIRECTORY),
    Collector::logs(Kind::ServicePrincipalSignIns, rows_of!("AADServicePrincipalSignInLogs")),
    Collector::logs(Kind::ManagedIdentitySignIns, rows_of!("AADManagedIdentitySignInLogs")),
    Collector::logs(Kind::UserSignIns, rows_of!("SigninLogs")),
    Collector::logs(Kind::UserTokenSignIns, rows_of!("AADNonInteractiveUserSignInLogs")),
];
