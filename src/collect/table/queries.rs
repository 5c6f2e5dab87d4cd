//! Rows of logs in Log Analytics; each kind has a file in `queries/`.

use super::super::permission::Permission::{self, Action, LogTable};
use super::Collector;
use crate::evidence::Kind;

/// The first action runs a query and shows no rows; the second shows those of one table.
const DEDICATED: &[Permission] =
    &[Action("Microsoft.OperationalInsights/workspaces/query/read"), LogTable("AZKVAuditLogs")];
const LEGACY: &[Permission] =
    &[Action("Microsoft.OperationalInsights/workspaces/query/read"), LogTable("AzureDiagnostics")];

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Collector] = &[
    Collector::logs(Kind::VaultLogDedicated, DEDICATED),
    Collector::logs(Kind::VaultLogLegacy, LEGACY),
    Collector::logs(Kind::VaultLogDedicatedCount, DEDICATED),
    Collector::logs(Kind::VaultLogLegacyCount, LEGACY),
];
