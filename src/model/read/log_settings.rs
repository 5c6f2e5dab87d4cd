//! Diagnostic settings of vaults, the workspaces that they send to, and the tables there.

use std::collections::{BTreeMap, BTreeSet};

use super::{Item, ModelError, Pages, first_of_each};
use crate::evidence::Kind;
use crate::model::{DiagnosticSetting, Id, LogSetting, Table, Tenant, Workspace};

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
        let kinds = match setting.is_dedicated() {
            true => [Kind::VaultLogDedicated, Kind::VaultLogDedicatedCount],
            false => [Kind::VaultLogLegacy, Kind::VaultLogLegacyCount],
        };
        let sources = logs_of.entry(setting.resource.clone()).or_default();
        sources.extend(kinds.map(|kind| (kind, format!("workspace:{scope}"))));
        workspaces_of.entry(setting.resource.clone()).or_default().insert(workspace.clone());
    }
    tenant.coverage.logs_of = logs_of;
    tenant.coverage.workspaces_of = workspaces_of;
}
