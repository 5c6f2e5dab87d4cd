//! The few pointers that later questions follow from: ids, read out of what was kept.
//!
//! Everything is tolerant: a field that is absent, null or of another type gives nothing here, and is for the
//! model to judge. Ids compare without case; of several spellings the first in order is used, so that the order
//! of answers does not matter.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{subscription_scope, workspace_scope};
use super::rows;
use super::sketch::Sketch;
use super::table::collector;
use super::windows::Days;
use crate::evidence::{CUT, Kind, Over};

/// The object id that role and deny assignments use for everyone.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// The claim that says who called.
const CALLER: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";

/// Ids by their lower-case form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ids(BTreeMap<String, String>);

impl Ids {
    /// Adds an id that may stand in a path of ARM.
    pub(super) fn add(&mut self, id: &str) {
        let id = id.trim_end_matches('/');
        if !is_arm_id(id) {
            return;
        }
        self.keep(id);
    }

    /// Adds a directory object of a family, by its id.
    fn add_object(&mut self, prefix: &str, id: &str) {
        if let Some(id) = guid(id) {
            self.keep(&format!("{prefix}{id}"));
        }
    }

    fn keep(&mut self, id: &str) {
        let shown = self.0.entry(id.to_lowercase()).or_insert_with(|| id.to_owned());
        if id < shown.as_str() {
            *shown = id.to_owned();
        }
    }

    /// The ids as shown, in order.
    pub(super) fn shown(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.0.contains_key(&id.trim_end_matches('/').to_lowercase())
    }
}

/// What was found so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// Visible subscriptions.
    pub subscriptions: Ids,
    /// Ids that are scopes of further questions.
    scopes: BTreeMap<Over, Ids>,
    /// Subscriptions that the tree of management groups names, visible or not.
    pub tree: Ids,
    /// Subscriptions below each management group, by its lower-case id.
    pub below: BTreeMap<String, Ids>,
    /// Workspaces that were read.
    pub workspaces: Ids,
    /// Workspaces that diagnostic settings name.
    pub named_workspaces: Ids,
    /// Address of each vault, as told, by its lower-case id.
    pub vault_uris: BTreeMap<String, String>,
    /// Scope for queries of each workspace that was read, by its lower-case id.
    pub query_scopes: BTreeMap<String, String>,
    /// Plans of tables that take only some queries, by the workspace's lower-case id and the table's lower-case name.
    odd_plans: BTreeMap<(String, String), String>,
    /// Object ids to look up, lower case.
    pub principals: BTreeSet<String>,
    /// Object ids that role assignments call groups, lower case.
    pub said_groups: BTreeSet<String>,
    /// Object ids that the directory calls groups, lower case.
    pub known_groups: BTreeSet<String>,
    /// Rows that the counts expect, by question for rows and scope.
    pub expected_rows: BTreeMap<(Kind, String), Days>,
}

impl Found {
    /// The ids that answers gave for a family of scopes.
    pub(super) fn of(&self, over: Over) -> Ids {
        self.scopes.get(&over).cloned().unwrap_or_default()
    }

    /// Learns from one kept page.
    pub(super) fn learn(&mut self, kind: Kind, scope: &str, page: &[u8]) {
        if !teaches(kind) {
            return;
        }
        if let Some(counted) = kind.counts() {
            return rows::count(page, self.expected_rows.entry((counted, scope.to_owned())).or_default());
        }
        if kind.is_log() {
            return rows::principals(page).iter().for_each(|id| self.learn_principal(Some(id)));
        }
        let Some(body) = Sketch::of(page) else { return };
        for item in list(&body, "/value") {
            self.learn_item(kind, scope, item);
        }
        if kind == Kind::Workspace {
            self.learn_workspace(&body);
        }
    }

    fn learn_item(&mut self, kind: Kind, scope: &str, item: &Sketch<'_>) {
        let id = text(item, "/id");
        for over in collector(kind).map(|row| row.gives).unwrap_or_default() {
            self.learn_scope(*over, id);
        }
        self.learn_identity(item);
        match kind {
            Kind::Subscriptions => {
                let guid = text(item, "/subscriptionId").or(id);
                guid.into_iter().for_each(|guid| self.subscriptions.add(&subscription_scope(guid)));
            }
            Kind::ManagementGroupDescendants | Kind::Entities => {
                let is_subscription =
                    text(item, "/type").is_some_and(|kind| kind.to_ascii_lowercase().ends_with("/subscriptions"));
                if let (true, Some(id)) = (is_subscription, id.or(text(item, "/name"))) {
                    self.tree.add(&subscription_scope(id));
                    if kind == Kind::ManagementGroupDescendants {
                        self.below.entry(scope.to_lowercase()).or_default().add(&subscription_scope(id));
                    }
                }
            }
            Kind::ManagedClusters => {
                for place in ["/properties/identityProfile", "/properties/addonProfiles"] {
                    for identity in members(item, place) {
                        self.learn_principal(text(identity, "/objectId").or(text(identity, "/identity/objectId")));
                    }
                }
            }
            Kind::DatabricksWorkspaces => {
                self.learn_principal(text(item, "/properties/storageAccountIdentity/principalId"));
                self.learn_principal(text(item, "/properties/managedDiskIdentity/principalId"));
            }
            Kind::SqlServers => {
                // for an application it is the application's id, which is no object's
                let is_object = text(item, "/properties/administrators/principalType")
                    .is_some_and(|kind| ["user", "group"].contains(&kind.to_ascii_lowercase().as_str()));
                self.learn_principal(text(item, "/properties/administrators/sid").filter(|_| is_object));
            }
            Kind::ManagedHsms => {
                let admins = list(item, "/properties/initialAdminObjectIds");
                admins.iter().for_each(|admin| self.learn_principal(admin.text()));
            }
            Kind::UserAssignedIdentities => self.learn_principal(text(item, "/properties/principalId")),
            Kind::Vaults => {
                if let (Some(id), Some(uri)) = (id, text(item, "/properties/vaultUri")) {
                    self.vault_uris.insert(id.trim_end_matches('/').to_lowercase(), uri.to_owned());
                }
                for policy in list(item, "/properties/accessPolicies") {
                    self.learn_principal(text(policy, "/objectId"));
                }
            }
            Kind::RoleAssignments
            | Kind::RoleEligibilityScheduleInstances
            | Kind::RoleAssignmentScheduleInstances
            | Kind::RoleAssignmentScheduleRequests
            | Kind::RoleEligibilityScheduleRequests => {
                self.learn_principal(text(item, "/properties/requestorId"));
                if kind == Kind::RoleEligibilityScheduleInstances {
                    let scope = text(item, "/properties/scope").filter(|scope| is_below_subscription(scope));
                    self.learn_scope(Over::EligibleScope, scope);
                }
                let principal = text(item, "/properties/principalId");
                self.learn_principal(principal);
                let is_group =
                    text(item, "/properties/principalType").is_some_and(|kind| kind.eq_ignore_ascii_case("Group"));
                if let (true, Some(id)) = (is_group, principal.and_then(guid)) {
                    self.said_groups.insert(id);
                }
            }
            Kind::DirectoryRoleAssignments | Kind::DirectoryRoleInstances | Kind::DirectoryRoleEligibilities => {
                self.learn_principal(text(item, "/principalId"));
            }
            Kind::RoleManagementPolicyAssignments => {
                let rules = list(item, "/properties/effectiveRules").iter();
                for stage in rules.flat_map(|rule| list(rule, "/setting/approvalStages")) {
                    for approver in
                        ["/primaryApprovers", "/escalationApprovers"].iter().flat_map(|way| list(stage, way))
                    {
                        self.learn_principal(text(approver, "/id"));
                    }
                }
            }
            Kind::DiagnosticSettings
            | Kind::SubscriptionExports
            | Kind::ManagementGroupExports
            | Kind::DirectoryExports => {
                let named = text(item, "/properties/workspaceId").filter(|id| is_workspace(id));
                named.into_iter().for_each(|id| self.named_workspaces.add(id));
                let archive = text(item, "/properties/storageAccountId").filter(|id| is_storage_account(id));
                archive.into_iter().for_each(|id| self.scopes.entry(Over::Archive).or_default().add(id));
            }
            _ if kind.is_activity() => {
                let caller = item.at("/claims").and_then(|claims| claims.member(CALLER)?.text());
                self.learn_principal(caller.filter(|caller| is_told(caller)));
            }
            Kind::Workspaces => self.learn_workspace(item),
            Kind::Tables => {
                let plan = text(item, "/properties/plan").filter(|plan| !plan.eq_ignore_ascii_case("Analytics"));
                if let (Some(name), Some(plan)) = (text(item, "/name"), plan) {
                    let workspace = scope.trim_end_matches('/').to_lowercase();
                    self.odd_plans.insert((workspace, name.to_lowercase()), plan.to_owned());
                }
            }
            Kind::Principals => {
                let named = |pointer: &str, name: &str| {
                    text(item, pointer).is_some_and(|found| found.eq_ignore_ascii_case(name))
                };
                if let (true, Some(id)) = (named("/@odata.type", "#microsoft.graph.group"), id.and_then(guid)) {
                    self.known_groups.insert(id);
                }
                // a managed identity belongs to its resource and has no owners
                let is_application = named("/@odata.type", "#microsoft.graph.servicePrincipal")
                    && !named("/servicePrincipalType", "ManagedIdentity");
                if is_application {
                    self.learn_scope(Over::ServicePrincipal, id);
                }
            }
            _ => {}
        }
    }

    /// Learns that questions of a family are to be put about the thing with this id.
    fn learn_scope(&mut self, over: Over, id: Option<&str>) {
        let (Some(id), ids) = (id, self.scopes.entry(over).or_default()) else { return };
        match over.prefix() {
            Some(prefix) => ids.add_object(prefix, id),
            None => ids.add(id),
        }
    }

    fn learn_principal(&mut self, id: Option<&str>) {
        self.principals.extend(id.and_then(guid));
    }

    /// The `identity` block that a resource of any type may carry.
    fn learn_identity(&mut self, item: &Sketch<'_>) {
        self.learn_principal(text(item, "/identity/principalId"));
        for identity in members(item, "/identity/userAssignedIdentities") {
            self.learn_principal(text(identity, "/principalId"));
        }
    }

    fn learn_workspace(&mut self, item: &Sketch<'_>) {
        let Some(id) = text(item, "/id") else { return };
        self.workspaces.add(id);
        if let Some(customer) = text(item, "/properties/customerId").and_then(guid) {
            self.query_scopes.insert(id.trim_end_matches('/').to_lowercase(), workspace_scope(&customer));
        }
    }

    /// The plan of a table of the log at `scope`, where it is one that takes only some queries.
    pub(super) fn odd_plan(&self, scope: &str, table: &str) -> Option<&str> {
        let log = scope.split('/').next().unwrap_or(scope);
        let workspaces = self.query_scopes.iter().filter(|(_, known)| *known == log);
        let mut plans = workspaces.filter_map(|(id, _)| self.odd_plans.get(&(id.clone(), table.to_lowercase())));
        plans.next().map(String::as_str)
    }

    /// Workspaces in use, with the scope for queries where it is known.
    pub(super) fn workspaces_in_use(&self, expected: &[String]) -> (Vec<String>, BTreeSet<String>) {
        let expected: BTreeSet<String> = expected.iter().map(|guid| workspace_scope(guid.trim())).collect();
        let in_use = |id: &&str| {
            let scope = self.query_scopes.get(&id.to_lowercase());
            self.named_workspaces.contains(id) || scope.is_some_and(|scope| expected.contains(scope))
        };
        let ids: Vec<String> = self.workspaces.shown().filter(in_use).map(str::to_owned).collect();
        let queries = ids.iter().filter_map(|id| self.query_scopes.get(&id.to_lowercase()).cloned());
        (
            ids.clone(),
            queries.chain(expected).filter(|scope| scope.strip_prefix("workspace:").and_then(guid).is_some()).collect(),
        )
    }
}

/// Whether later questions follow from answers of this kind. The others are large and need not be read here.
pub(super) fn teaches(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::FederatedCredentials
            | Kind::DeletedVaults
            | Kind::VaultDataKeys
            | Kind::VaultDataSecrets
            | Kind::VaultDataCertificates
            | Kind::VaultKeys
            | Kind::VaultSecrets
            | Kind::RoleDefinitions
            | Kind::DenyAssignments
            | Kind::OwnPermissions
            | Kind::ManagedIdentityPrincipals
            | Kind::ServicePrincipals
            | Kind::ApplicationFederatedCredentials
            | Kind::ApplicationOwners
            | Kind::GroupMembers
            | Kind::ServicePrincipalOwners
            | Kind::ResourceGraphIdentities
            | Kind::ResourceGraphVaults
            | Kind::ResourceGraphAssignments
    )
}

fn list<'s, 'a>(value: &'s Sketch<'a>, way: &str) -> &'s [Sketch<'a>] {
    value.at(way).map(Sketch::items).unwrap_or_default()
}

/// The values of an object that is used as a map.
fn members<'s, 'a>(value: &'s Sketch<'a>, way: &str) -> impl Iterator<Item = &'s Sketch<'a>> {
    value.at(way).into_iter().flat_map(Sketch::members)
}

fn text<'s>(value: &'s Sketch<'_>, way: &str) -> Option<&'s str> {
    value.at(way)?.text().filter(|text| is_told(text))
}

fn is_told(text: &str) -> bool {
    !text.is_empty() && text != CUT
}

/// Whether a scope is a resource group or a resource: what lies above is asked about anyway.
fn is_below_subscription(scope: &str) -> bool {
    is_arm_id(scope)
        && scope.to_ascii_lowercase().starts_with("/subscriptions/")
        && scope.trim_end_matches('/').split('/').count() > 3
}

/// Whether an id may be put into a path of ARM: no step up, nothing that ends the path.
fn is_arm_id(id: &str) -> bool {
    let lower = id.to_ascii_lowercase();
    let is_rooted = lower.starts_with("/subscriptions/") || lower.starts_with("/providers/");
    is_rooted && id.split('/').skip(1).all(|step| !matches!(step, "" | "." | "..")) && !id.contains(char::is_control)
}

fn is_workspace(id: &str) -> bool {
    id.to_ascii_lowercase().contains("/providers/microsoft.operationalinsights/workspaces/")
}

fn is_storage_account(id: &str) -> bool {
    id.to_ascii_lowercase().contains("/providers/microsoft.storage/storageaccounts/")
}

/// The text in lower case when it is a GUID and not the zero one.
fn guid(text: &str) -> Option<String> {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    let is_guid = parts == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    Some(text.to_lowercase()).filter(|lower| is_guid && lower != NOBODY)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const A: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const B: &str = "bbbbbbbb-0000-0000-0000-000000000002";
    const C: &str = "cccccccc-0000-0000-0000-000000000003";

    fn learn(kind: Kind, scope: &str, body: &Value) -> Found {
        let mut found = Found::default();
        found.learn(kind, scope, body.to_string().as_bytes());
        found
    }

    #[test]
    fn ids_are_taken_once_whatever_their_case_and_order() {
        let upper = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.KeyVault/vaults/KV";
        for order in [[upper.to_owned(), upper.to_lowercase()], [upper.to_lowercase(), upper.to_owned()]] {
            let found = learn(Kind::Vaults, "", &json!({"value": [{"id": order[0]}, {"id": order[1]}]}));
            assert_eq!(found.of(Over::Vault).shown().collect::<Vec<_>>(), [upper]);
        }
    }

    #[test]
    fn what_is_absent_null_or_odd_gives_nothing() {
        for body in [
            json!({}),
            json!({"value": null}),
            json!({"value": [null, 1, {}, {"id": null}, {"id": 7}, {"id": ""}, {"id": "/subscriptions/../x"}]}),
            json!({"value": [{"id": "[cut]", "subscriptionId": "[cut]"}]}),
        ] {
            for kind in Kind::ALL {
                let found = learn(*kind, "x", &body);
                assert!(found.of(Over::Vault).shown().next().is_none() && found.principals.is_empty(), "{kind:?}");
                assert!(found.subscriptions.shown().all(|id| !id.contains("cut")), "{kind:?}");
            }
        }
    }

    #[test]
    fn principals_come_from_policies_assignments_and_identities() {
        let vaults =
            json!({"value": [{"id": "/subscriptions/s/v", "properties": {"accessPolicies": [{"objectId": A}, {}]}}]});
        assert_eq!(learn(Kind::Vaults, "", &vaults).principals, BTreeSet::from([A.to_owned()]));
        let assignments = json!({"value": [
            {"properties": {"principalId": A.to_uppercase(), "principalType": "Group"}},
            {"properties": {"principalId": NOBODY}},
            {"properties": {"principalId": B}},
        ]});
        let found = learn(Kind::RoleAssignments, "", &assignments);
        assert_eq!(found.principals, BTreeSet::from([A.to_owned(), B.to_owned()]));
        assert_eq!(found.said_groups, BTreeSet::from([A.to_owned()]));
        let resources = json!({"value": [{"identity": {"principalId": A, "userAssignedIdentities": {
            "/subscriptions/s/x": {"principalId": B}, "/subscriptions/s/y": null}}}]});
        assert_eq!(learn(Kind::Resources, "", &resources).principals.len(), 2);
    }

    #[test]
    fn clusters_and_workspaces_name_identities_in_ways_of_their_own() {
        let cluster = json!({"value": [{"identity": {"type": "SystemAssigned", "principalId": A}, "properties": {
            "identityProfile": {"kubeletidentity": {"objectId": B, "clientId": B}, "other": null},
            "addonProfiles": {"azureKeyvaultSecretsProvider": {"enabled": true, "identity": {"objectId": C}}}}}]});
        let all = BTreeSet::from([A.to_owned(), B.to_owned(), C.to_owned()]);
        assert_eq!(learn(Kind::ManagedClusters, "", &cluster).principals, all);
        let workspace = json!({"value": [{"properties": {"storageAccountIdentity": {"principalId": A},
            "managedDiskIdentity": {"principalId": B}}}]});
        assert_eq!(learn(Kind::DatabricksWorkspaces, "", &workspace).principals.len(), 2);
        let server =
            |kind: &str| json!({"value": [{"properties": {"administrators": {"sid": A, "principalType": kind}}}]});
        assert_eq!(learn(Kind::SqlServers, "", &server("Group")).principals, BTreeSet::from([A.to_owned()]));
        assert!(learn(Kind::SqlServers, "", &server("Application")).principals.is_empty());
        let hsm = json!({"value": [{"properties": {"initialAdminObjectIds": [A, null]}}]});
        assert_eq!(learn(Kind::ManagedHsms, "", &hsm).principals.len(), 1);
    }

    #[test]
    fn subscriptions_below_a_group_are_told_from_groups() {
        let body = json!({"value": [
            {"id": "/subscriptions/s1", "type": "/subscriptions"},
            {"id": "/subscriptions/s2", "type": "Microsoft.Management/managementGroups/subscriptions"},
            {"id": "/providers/Microsoft.Management/managementGroups/m", "type": "Microsoft.Management/managementGroups"},
        ]});
        let found =
            learn(Kind::ManagementGroupDescendants, "/providers/Microsoft.Management/managementGroups/M1", &body);
        let below = &found.below["/providers/microsoft.management/managementgroups/m1"];
        assert_eq!(below.shown().collect::<Vec<_>>(), ["/subscriptions/s1", "/subscriptions/s2"]);
    }

    #[test]
    fn callers_and_counts_come_from_rows() {
        let rows = json!({"tables": [{"name": "PrimaryResult", "columns": [{"name": "CallerObjectId"}],
            "rows": [[A], [B], ["x"], [null], [A]]}]});
        assert_eq!(learn(Kind::VaultLogDedicated, "w", &rows).principals.len(), 2);
        let counts = json!({"tables": [{"name": "PrimaryResult", "columns": [{"name": "Rows"}, {"name": "Kept"}],
            "rows": [[10, 3], ["9", "4"], [1, null]]}]});
        let found = learn(Kind::VaultLogLegacyCount, "w", &counts);
        assert_eq!(found.expected_rows[&(Kind::VaultLogLegacy, "w".to_owned())], Days::from([(None, 7)]));
    }

    #[test]
    fn a_workspace_is_in_use_when_a_setting_names_it_or_it_is_expected() {
        let id = |name: &str| {
            format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/{name}")
        };
        let mut found = learn(
            Kind::Workspaces,
            "",
            &json!({"value": [
                {"id": id("w1"), "properties": {"customerId": A}},
                {"id": id("w2"), "properties": {"customerId": B}},
                {"id": id("w3")},
            ]}),
        );
        let setting = json!({"value": [{"properties": {"workspaceId": id("W1").to_uppercase()}}, {"properties": {"workspaceId": ""}}]});
        found.learn(Kind::DiagnosticSettings, "", setting.to_string().as_bytes());
        let (ids, queries) = found.workspaces_in_use(&[]);
        assert_eq!((ids, queries), (vec![id("w1")], BTreeSet::from([format!("workspace:{A}")])));
        let (ids, queries) = found.workspaces_in_use(&[B.to_uppercase()]);
        assert_eq!((ids.len(), queries.len()), (2, 2));
    }
}
