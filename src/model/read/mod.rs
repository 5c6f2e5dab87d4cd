//! From kept answers to typed facts, one file a family of answers.
//!
//! `pages` walks records and pages and marks what could not be read; `item` reads one JSON object field by
//! field. Order never decides: what is listed twice is kept once, by its id without case.

mod activity;
mod authorization;
mod contents;
mod data_services;
mod delegated;
mod directory;
mod entities;
mod groups;
mod hosts;
mod inventory;
mod item;
mod json;
mod kept;
mod log_settings;
mod logs;
mod pages;
mod privileged;
mod resource_graph;
mod rows;
mod vault_logs;
mod vaults;

use std::collections::BTreeSet;

use thiserror::Error;

use self::item::Item;
use self::pages::Pages;
use super::{DataFamily, Id, PrincipalKind, ResourceGraph, Tenant, Tree};
use crate::evidence::{Capture, EvidenceError, Kind, Over, VaultObjects};

/// Evidence that may not be relied on at all.
#[derive(Debug, Error)]
pub enum ModelError {
    /// A page is missing or cannot be read.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A page is not the one that its record speaks of.
    #[error(
        "`{path}` is not what was collected: its SHA-256 is {found}, the record says {recorded}\n\
         restore the capture from a copy, or collect again"
    )]
    Damaged {
        /// The page, relative to the capture.
        path: String,
        /// Digest of the bytes.
        found: String,
        /// Digest in the record.
        recorded: String,
    },
}

/// Reads the facts that a capture holds.
pub fn read(capture: &Capture) -> Result<Tenant, ModelError> {
    read_keeping(capture, &BTreeSet::new())
}

/// The same with the records of these kinds, for checks that the organisation has written.
pub fn read_keeping(capture: &Capture, kinds: &BTreeSet<Kind>) -> Result<Tenant, ModelError> {
    read_from(capture, Pages::of(capture), kinds)
}

/// The same for who wants to know what was read and what was not: rows of the vaults' logs are read and dropped, page
/// by page, so that they are never all in memory, and the second lists of Resource Graph are dropped too.
pub fn survey(capture: &Capture) -> Result<Tenant, ModelError> {
    let mut pages = Pages::of(capture);
    pages.keeps_reads = false;
    read_from(capture, pages, &BTreeSet::new())
}

fn read_from(capture: &Capture, mut pages: Pages<'_>, kinds: &BTreeSet<Kind>) -> Result<Tenant, ModelError> {
    let subscriptions = inventory::subscriptions(&mut pages)?;
    let resources = inventory::resources(&mut pages)?;
    let user_assigned = inventory::user_assigned(&mut pages)?;
    let federated = inventory::federated(&mut pages)?;
    let vaults = vaults::vaults(&mut pages)?;
    let deleted_vaults = vaults::deleted_vaults(&mut pages)?;
    let contents = contents::read(&mut pages)?;
    let hosts = hosts::read(&mut pages)?;
    let data = data_services::read(&mut pages)?;
    let role_assignments = authorization::role_assignments(&mut pages)?;
    let role_definitions = authorization::role_definitions(&mut pages)?;
    let deny_assignments = authorization::deny_assignments(&mut pages)?;
    let authorization = authorization::further(&mut pages, &role_assignments)?;
    let entities = entities::entities(&mut pages)?;
    let own_permissions = authorization::own_permissions(&mut pages)?;
    let hierarchy = groups::hierarchy(&mut pages, &capture.head.tenant_id)?;
    let tree = Tree { subscriptions: entities::subscriptions(&mut pages, &entities)?, entities };
    let diagnostic_settings = log_settings::diagnostic_settings(&mut pages, Kind::DiagnosticSettings)?;
    let logging = activity::logging(&mut pages, capture.plan.period)?;
    let workspaces = log_settings::workspaces(&mut pages)?;
    let tables = log_settings::tables(&mut pages)?;
    let read = directory::read(&mut pages)?;
    let mut resource_graph = resource_graph::read(&mut pages)?;
    if !pages.keeps_reads {
        resource_graph = ResourceGraph::default(); // what could not be read of it is noted
    }
    let vault_events = vault_logs::events(&mut pages)?;
    let vault_days = vault_logs::days(&mut pages)?;
    let logs = logs::read(&mut pages)?;
    let kept = kept::read(&mut pages, kinds)?;
    let mut tenant = Tenant {
        id: capture.head.tenant_id.clone(),
        cloud: capture.head.cloud.clone(),
        collected_at: capture.head.started_at,
        collected_by: capture.head.run_as.clone(),
        personal_data: capture.plan.personal_data.clone(),
        subscriptions,
        hierarchy,
        tree,
        resources,
        user_assigned,
        federated,
        vaults,
        deleted_vaults,
        contents,
        hosts,
        data,
        role_assignments,
        role_definitions,
        deny_assignments,
        authorization,
        own_permissions,
        diagnostic_settings,
        logging,
        workspaces,
        tables,
        managed_identities: read.managed_identities,
        principals: read.principals,
        resolved_ids: read.resolved_ids,
        members: read.members,
        directory: read.directory,
        resource_graph,
        vault_events,
        vault_days,
        logs,
        kept,
        coverage: pages.coverage,
    };
    log_settings::sources_of_logs(&mut tenant);
    groups::above_subscriptions(&mut tenant);
    expect_questions(&mut tenant, capture.plan.vault_objects);
    log_settings::idle_tables(&mut tenant);
    Ok(tenant)
}

/// What is asked of every group among the principals.
const OF_GROUPS: [Kind; 4] = [Kind::GroupMembers, Kind::GroupOwners, Kind::GroupAssignments, Kind::GroupEligibilities];

/// Names the questions that follow from what was found, so that one that was never put is seen to be missing.
fn expect_questions(tenant: &mut Tenant, vault_objects: VaultObjects) {
    let mut expected: BTreeSet<(Kind, Id)> = BTreeSet::new();
    let visible = tenant.subscriptions.iter().map(|subscription| subscription.id.clone());
    for subscription in visible.chain(tenant.unseen_subscriptions()) {
        let kinds = Kind::ALL.iter().filter(|kind| kind.is_per_subscription());
        expected.extend(kinds.map(|kind| (*kind, subscription.clone())));
        for group in tenant.hierarchy.above(&subscription) {
            expected.extend(Kind::ALL.iter().filter(|kind| kind.is_per_group()).map(|kind| (*kind, group.clone())));
        }
    }
    if !tenant.subscriptions.is_empty() {
        expected.insert((Kind::RoleAssignments, Id::new("/")));
        let of_all = Kind::ALL.iter().filter(|kind| kind.over().contains(&Over::Subscriptions));
        expected.extend(of_all.map(|kind| (*kind, Id::new("subscriptions"))));
    }
    expected.extend(tenant.user_assigned.iter().map(|identity| (Kind::FederatedCredentials, identity.id.clone())));
    for site in &tenant.hosts.sites {
        let id = &site.resource.id;
        expected.extend([Kind::SettingReferences, Kind::ConnectionReferences].map(|kind| (kind, id.clone())));
        expected.extend((!site.is_slot).then(|| (Kind::SiteSlots, id.clone())));
    }
    expected.extend(tenant.hosts.factories.iter().map(|factory| (Kind::LinkedServices, factory.id.clone())));
    let servers = tenant.data.services.iter().filter(|service| service.family == DataFamily::Sql);
    expected.extend(servers.map(|server| (Kind::EncryptionProtectors, server.resource.id.clone())));
    // each scope has rules of its own for a role
    let rules = tenant.authorization.eligible.iter().filter(|schedule| is_below_subscription(&schedule.scope));
    expected.extend(rules.map(|schedule| (Kind::RoleManagementPolicyAssignments, schedule.scope.clone())));
    for vault in &tenant.vaults {
        expected.insert((Kind::DiagnosticSettings, vault.id.clone()));
        let lists = contents::expected(vault_objects, &tenant.coverage, &vault.id);
        expected.extend(lists.into_iter().map(|kind| (kind, vault.id.clone())));
    }
    let settings = tenant.diagnostic_settings.iter().chain(tenant.logging.exports());
    let archives = settings.filter_map(|setting| setting.storage_account_id.as_deref());
    expected.extend(archives.map(|id| (Kind::ArchiveContainers, Id::new(id))));
    let in_use = tenant.diagnostic_settings.iter().filter(|setting| setting.sends_audit_events());
    let in_use: BTreeSet<Id> = in_use.filter_map(|setting| setting.workspace_id.clone()).collect();
    let exported: BTreeSet<Id> = tenant.logging.exports().filter_map(|one| one.workspace_id.clone()).collect();
    let is_in_use = |id: &Id| in_use.contains(id) || exported.contains(id);
    let read = tenant.workspaces.iter().filter(|workspace| is_in_use(&workspace.id));
    for guid in read.filter_map(|workspace| workspace.customer_id.as_deref()) {
        // those of vaults follow from each vault's settings
        let of_log = |kind: &&Kind| kind.over().iter().any(|over| matches!(over, Over::Log | Over::LogCount));
        let kinds = Kind::ALL.iter().filter(|kind| of_log(kind) && !kind.is_vault_log());
        expected.extend(kinds.map(|kind| (*kind, Id::new(format!("workspace:{guid}")))));
    }
    expected.extend(in_use.into_iter().map(|id| (Kind::Tables, id)));
    for application in &tenant.directory.applications {
        let kinds = [Kind::ApplicationFederatedCredentials, Kind::ApplicationOwners];
        expected.extend(kinds.map(|kind| (kind, application.scope())));
    }
    for policy in &tenant.directory.app_policies {
        expected.insert((Kind::AppPolicyTargets, Id::new(format!("app-policy:{}", policy.id))));
    }
    for principal in tenant.principals.values() {
        let of = |prefix: &str| Id::new(format!("{prefix}{}", principal.id));
        match principal.kind {
            PrincipalKind::Group => expected.extend(OF_GROUPS.map(|kind| (kind, of("group:")))),
            PrincipalKind::ServicePrincipal => {
                expected.extend([(Kind::ServicePrincipalOwners, of("service-principal:"))]);
            }
            _ => {}
        }
    }
    for (kind, scope) in expected {
        tenant.coverage.expect(kind, &scope);
    }
}

/// Whether a scope is a resource group or a resource.
fn is_below_subscription(scope: &Id) -> bool {
    scope.subscription().is_some() && scope.key().split('/').count() > 3
}

/// The items in order of id, each id once; `merge` gets the kept item and a further one of the same id.
fn once<T>(items: Vec<T>, id: impl Fn(&T) -> &Id, mut merge: impl FnMut(&mut T, T)) -> Vec<T> {
    let mut kept: std::collections::BTreeMap<Id, T> = std::collections::BTreeMap::new();
    for item in items {
        match kept.entry(id(&item).clone()) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(item);
            }
            std::collections::btree_map::Entry::Occupied(mut first) => merge(first.get_mut(), item),
        }
    }
    kept.into_values().collect()
}

/// The items in order of id, the first of each id.
fn first_of_each<T>(items: Vec<T>, id: impl Fn(&T) -> &Id) -> Vec<T> {
    once(items, id, |_, _| {})
}

#[cfg(test)]
mod tests;
