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
const SERVICE_PRINCIPALS: &[Permission] = rows_of!("AADServicePrincipalSignInLogs");
const MANAGED_IDENTITIES: &[Permission] = rows_of!("AADManagedIdentitySignInLogs");
const USERS: &[Permission] = rows_of!("SigninLogs");
const USER_TOKENS: &[Permission] = rows_of!("AADNonInteractiveUserSignInLogs");

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
    Collector::logs(Kind::ActivityContinuity, ACTIVITY),
    Collector::logs(Kind::DirectoryChanges, DIRECTORY),
    Collector::logs(Kind::DirectoryChangesCount, DIRECTORY),
    Collector::logs(Kind::ServicePrincipalSignIns, SERVICE_PRINCIPALS),
    Collector::logs(Kind::ManagedIdentitySignIns, MANAGED_IDENTITIES),
    Collector::logs(Kind::UserSignIns, USERS),
    Collector::logs(Kind::UserTokenSignIns, USER_TOKENS),
    Collector::logs(Kind::ServicePrincipalSignInsCount, SERVICE_PRINCIPALS),
    Collector::logs(Kind::ManagedIdentitySignInsCount, MANAGED_IDENTITIES),
    Collector::logs(Kind::UserSignInsCount, USERS),
    Collector::logs(Kind::UserTokenSignInsCount, USER_TOKENS),
];
