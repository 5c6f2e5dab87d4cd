//! Diagnostic settings of vaults, the workspaces that they send to, and the tables there.

use std::collections::{BTreeMap, BTreeSet};

use super::{Item, ModelError, Pages, first_of_each};
use crate::evidence::{Kind, Reason};
use crate::model::{Asked, DiagnosticSetting, Id, LogSetting, Table, Tenant, Workspace};

/// Diagnostic settings of one kind of thing, by the thing and name.
pub(super) fn diagnostic_settings(pages: &mut Pages<'_>, kind: Kind) -> Result<Vec<DiagnosticSetting>, ModelError> {
    let mut found = pages.items(kind, |item| {
        let properties = item.need_object("properties")?;
        let told = |name: &str| properties.text(name).filter(|text| !text.is_empty());
        Some(DiagnosticSetting {
            resource: item.scope_id(),
            name: item.need("name")?,
            logs: properties.items("logs").iter().map(log_setting).collect(),
            workspace_id: properties.id("workspaceId"),
            destination_type: told("logAnalyticsDestinationType"),
            storage_account_id: told("storageAccountId"),
            event_hub_rule_id: told("eventHubAuthorizationRuleId"),
            partner_id: told("marketplacePartnerId"),
            from: item.from(),
        })
    })?;
    found.sort_by(|a, b| (&a.resource, &a.name).cmp(&(&b.resource, &b.name)));
    Ok(found)
}

fn log_setting(item: &Item<'_>) -> LogSetting {
    LogSetting { category: item.text("category"), group: item.text("categoryGroup"), enabled: item.flag("enabled") }
}

/// Workspaces in order of id: those of the lists, and those that were asked for one by one.
pub(super) fn workspaces(pages: &mut Pages<'_>) -> Result<Vec<Workspace>, ModelError> {
    let mut found = pages.items(Kind::Workspaces, workspace)?;
    pages.bodies(Kind::Workspace, |body| found.extend(workspace(body)))?;
    Ok(first_of_each(found, |workspace| &workspace.id))
}

fn workspace(item: &Item<'_>) -> Option<Workspace> {
    let id = item.need_id("id")?;
    let properties = item.need_object("properties")?;
    Some(Workspace {
        name: item.text("name").unwrap_or_else(|| id.name().to_owned()),
        customer_id: properties.lower("customerId"),
        retention_days: properties.number("retentionInDays"),
        from: item.from(),
        id,
    })
}

/// Tables, by workspace and name.
pub(super) fn tables(pages: &mut Pages<'_>) -> Result<Vec<Table>, ModelError> {
    let mut found = pages.items(Kind::Tables, |item| {
        let name = item.need("name")?;
        let properties = item.need_object("properties")?;
        Some(Table {
            workspace: item.scope_id(),
            name,
            plan: properties.text("plan"),
            retention_days: properties.number("retentionInDays"),
            total_retention_days: properties.number("totalRetentionInDays"),
            from: item.from(),
        })
    })?;
    found.sort_by(|a, b| (&a.workspace, &a.name).cmp(&(&b.workspace, &b.name)));
    Ok(found)
}

const DEDICATED: [Kind; 4] = [
    Kind::VaultLogDedicated,
    Kind::VaultLogDedicatedCount,
    Kind::VaultChangesDedicated,
    Kind::VaultChangesDedicatedCount,
];
const LEGACY: [Kind; 4] =
    [Kind::VaultLogLegacy, Kind::VaultLogLegacyCount, Kind::VaultChangesLegacy, Kind::VaultChangesLegacyCount];

/// Tells the coverage which questions hold the log of each vault: those for the workspaces that its settings
/// name, in the shape that the setting chose. A workspace whose query GUID is not known could not be asked; its
/// ARM id stands in the scope, so that the question counts as never put.
pub(super) fn sources_of_logs(tenant: &mut Tenant) {
    let guids: BTreeMap<&Id, &String> = tenant
        .workspaces
        .iter()
        .filter_map(|workspace| Some((&workspace.id, workspace.customer_id.as_ref()?)))
        .collect();
    let mut logs_of: BTreeMap<Id, BTreeSet<(Kind, String)>> = BTreeMap::new();
    let mut workspaces_of: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
    for setting in tenant.diagnostic_settings.iter().filter(|setting| setting.sends_audit_events()) {
        let Some(workspace) = &setting.workspace_id else { continue };
        let scope = guids.get(workspace).map_or(workspace.shown(), |guid| guid.as_str());
        let (kinds, table) = match setting.is_dedicated() {
            true => (DEDICATED, "AZKVAuditLogs"),
            false => (LEGACY, "AzureDiagnostics"),
        };
        let sources = logs_of.entry(setting.resource.clone()).or_default();
        sources.extend(kinds.map(|kind| (kind, format!("workspace:{scope}"))));
        sources.insert((Kind::LogContinuity, format!("workspace:{scope}/{table}")));
        workspaces_of.entry(setting.resource.clone()).or_default().insert(workspace.clone());
    }
    tenant.coverage.log_sources = logs_of.values().flatten().cloned().collect();
    tenant.coverage.logs_of = logs_of;
    tenant.coverage.workspaces_of = workspaces_of;
}

/// Tables that hold the directory's logs, and the category of each (learn:entra/identity/monitoring-health/
/// concept-diagnostic-settings-logs-options).
const OF_DIRECTORY: &[(&str, &str)] = &[
    ("AuditLogs", "AuditLogs"),
    ("SigninLogs", "SignInLogs"),
    ("AADNonInteractiveUserSignInLogs", "NonInteractiveUserSignInLogs"),
    ("AADServicePrincipalSignInLogs", "ServicePrincipalSignInLogs"),
    ("AADManagedIdentitySignInLogs", "ManagedIdentitySignInLogs"),
];

/// The table that a question about a log beyond those of vaults reads.
fn table_of(kind: Kind, scope: &str) -> Option<&str> {
    Some(match kind.counts().unwrap_or(kind) {
        Kind::LogContinuity => scope.split_once('/')?.1,
        Kind::Activity | Kind::ActivityContinuity => "AzureActivity",
        Kind::DirectoryChanges => "AuditLogs",
        Kind::ServicePrincipalSignIns => "AADServicePrincipalSignInLogs",
        Kind::ManagedIdentitySignIns => "AADManagedIdentitySignInLogs",
        Kind::UserSignIns => "SigninLogs",
        Kind::UserTokenSignIns => "AADNonInteractiveUserSignInLogs",
        _ => return None,
    })
}

/// Tells the coverage of which tables beyond those of vaults the settings say that nothing is sent to them: a table
/// of that kind may be missing. Where not every setting was read, or one cannot be followed, they say it of none.
pub(super) fn idle_tables(tenant: &mut Tenant) {
    let mut idle = BTreeSet::new();
    for kind in Kind::ALL.iter().copied().filter(|kind| kind.is_log()) {
        let is_missing = |asked: &&Asked| matches!(asked.gap, Some((Reason::TableMissing, _)));
        for asked in tenant.coverage.questions(kind).filter(is_missing) {
            if table_of(kind, &asked.scope).is_some_and(|table| is_idle(tenant, table, &asked.scope)) {
                idle.insert((kind, Id::new(asked.scope.clone())));
            }
        }
    }
    tenant.coverage.idle_tables = idle;
}

fn is_idle(tenant: &Tenant, table: &str, scope: &str) -> bool {
    let category = OF_DIRECTORY.iter().find(|(name, _)| *name == table).map(|(_, category)| *category);
    let (lists, settings): (&[Kind], Vec<&DiagnosticSetting>) = match (category, table) {
        (Some(_), _) => (&[Kind::DirectoryExports], tenant.logging.directory_exports.iter().collect()),
        (None, "AzureActivity") => {
            let exports = tenant.logging.subscription_exports.iter().chain(&tenant.logging.group_exports);
            (&[Kind::SubscriptionExports, Kind::ManagementGroups, Kind::ManagementGroupExports], exports.collect())
        }
        _ => return false,
    };
    let is_read = |kind: &Kind| {
        let is_asked = tenant.coverage.was_asked(*kind) || *kind == Kind::ManagementGroupExports;
        is_asked && tenant.coverage.missing_of_population(*kind).is_empty()
    };
    let log = scope.split('/').next().unwrap_or(scope);
    let guid = log.strip_prefix("workspace:").unwrap_or(log);
    let guid_of = |id: &Id| {
        tenant.workspaces.iter().find(|workspace| workspace.id == *id).and_then(|one| one.customer_id.as_deref())
    };
    let is_known =
        tenant.workspaces.iter().any(|one| one.customer_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(guid)));
    let may_be_here = |setting: &&DiagnosticSetting| {
        setting.workspace_id.as_ref().is_some_and(|id| match guid_of(id) {
            Some(known) => known.eq_ignore_ascii_case(guid),
            None => !is_known, // a workspace that was not read may be this one, unless this one was
        })
    };
    lists.iter().all(is_read) && !settings.iter().filter(|one| may_be_here(one)).any(|one| may_send(one, category))
}

/// Whether a setting sends a category, or any where none is named, or does not say that it does not.
fn may_send(setting: &DiagnosticSetting, category: Option<&str>) -> bool {
    let mut on = setting.logs.iter().filter(|log| log.enabled != Some(false));
    on.any(|log| match (log.category.as_deref().filter(|own| !own.is_empty()), category) {
        (Some(own), Some(asked)) => own.eq_ignore_ascii_case(asked),
        _ => true, // a group may hold it
    })
}
