//! Each right that makes more of itself, worked by hand: who has a way to vault `kv1`, by which steps, how surely.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{Certainty, Escalation, Goal, Step, Target};
use crate::access::{Access, Unread};
use crate::evidence::testing::{CaptureBuilder, TENANT};
use crate::evidence::{Cite, Kind};
use crate::model::{
    self, AppRoleGrant, AttachedIdentity, ClassicAdministrator, Cluster, Delegate, Delegation, DenyAssignment,
    DirectoryRole, DirectoryRoleGrant, FederatedCredential, GroupGrant, Id, Identity, Lock, Member, Owner, Permission,
    Principal, PrincipalKind, Resource, RoleAssignment, RoleDefinition, RoleSchedule, ServicePrincipal, Tenant,
    UserAssignedIdentity,
};

const SUB: &str = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001";
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const READS: &str = "Microsoft.KeyVault/vaults/secrets/getSecret/action";

fn from() -> Cite {
    Cite::of_record("ev-0001")
}

fn vault_id() -> String {
    format!("{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv1")
}

fn in_group(kind: &str, name: &str) -> Id {
    Id::new(format!("{SUB}/resourceGroups/rg/providers/{kind}/{name}"))
}

/// A tenant with one vault, to which each case adds what it is about.
struct Case(Tenant);

impl Case {
    fn new(is_rbac: bool) -> Case {
        let vault = json!({"id": vault_id(), "name": "kv1",
            "properties": {"tenantId": TENANT, "enableRbacAuthorization": is_rbac, "accessPolicies": []}});
        let root = format!("/providers/Microsoft.Management/managementGroups/{TENANT}");
        let below = json!({"id": SUB, "type": "x", "properties": {"parent": {"id": root}}});
        let none = || json!({"value": []});
        let answers = CaptureBuilder::default()
            .answer(Kind::Subscriptions, "tenant", json!({"value": [{"id": SUB}]}))
            .answer(Kind::ManagementGroups, "tenant", json!({"value": [{"id": root}]}))
            .answer(Kind::ManagementGroupDescendants, &root, json!({"value": [below]}))
            .answer(Kind::DenyAssignments, &root, none())
            .answer(Kind::DenyAssignments, SUB, none())
            .answer(Kind::GroupMembers, "group:g1", none())
            .answer(Kind::GroupMembers, "group:g2", none())
            .answer(Kind::Vaults, SUB, json!({"value": [vault]}));
        Case(model::read(&answers.build()).expect("a tenant"))
    }

    fn role(mut self, name: &str, actions: &[&str], data_actions: &[&str]) -> Case {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let entry = Permission { actions: owned(actions), data_actions: owned(data_actions), ..Permission::default() };
        self.0.role_definitions.insert(
            name.to_owned(),
            RoleDefinition {
                guid: name.to_owned(),
                name: name.to_owned(),
                role_type: Some("CustomRole".to_owned()),
                permissions: vec![entry],
                from: from(),
            },
        );
        self
    }

    /// A role with this one action, held at the scope.
    fn may(self, principal: &str, action: &str, scope: &str) -> Case {
        let case = if action.contains("Secret/action") {
            self.role(action, &[], &[action])
        } else {
            self.role(action, &[action], &[])
        };
        case.assign(principal, action, scope, None)
    }

    fn assign(mut self, principal: &str, role: &str, scope: &str, condition: Option<&str>) -> Case {
        let number = self.0.role_assignments.len();
        self.0.role_assignments.push(RoleAssignment {
            id: Id::new(format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{number}")),
            scope: Id::new(scope),
            role: role.to_owned(),
            principal_id: principal.to_owned(),
            principal_type: None,
            condition: condition.map(str::to_owned),
            created_on: None,
            created_by: None,
            delegated_managed_identity: None,
            from: from(),
        });
        let kind = match principal.chars().next() {
            Some('g') => PrincipalKind::Group,
            Some('m') => PrincipalKind::ManagedIdentity,
            Some('s') => PrincipalKind::ServicePrincipal,
            _ => PrincipalKind::User,
        };
        self.principal(principal, kind)
    }

    fn principal(mut self, id: &str, kind: PrincipalKind) -> Case {
        let principal = Principal {
            id: id.to_owned(),
            kind,
            name: id.to_owned(),
            app_id: None,
            enabled: Some(true),
            user_type: None,
            owner_organization: None,
            role_assignable: Some(false),
            alternative_names: Vec::new(),
            from: from(),
        };
        self.0.principals.insert(id.to_owned(), principal);
        self
    }

    fn member(mut self, group: &str, id: &str) -> Case {
        let member = Member { id: id.to_owned(), odata_type: None, name: id.to_owned(), user_type: None, from: from() };
        self.0.members.entry(group.to_owned()).or_default().push(member);
        self.principal(group, PrincipalKind::Group)
    }

    fn owner(mut self, owned: &str, id: &str) -> Case {
        let (owned, kind, name) = (Id::new(owned), PrincipalKind::User, id.to_owned());
        let owner = Owner { owned, id: id.to_owned(), kind, name, enabled: None, user_type: None, from: from() };
        self.0.directory.owners.push(owner);
        self
    }

    /// A user-assigned identity that reads secrets, with its own resource.
    fn reading_identity(mut self) -> Case {
        self.0.user_assigned.push(UserAssignedIdentity {
            id: in_group("Microsoft.ManagedIdentity/userAssignedIdentities", "id1"),
            name: "id1".to_owned(),
            principal_id: Some("m1".to_owned()),
            client_id: None,
            tags: BTreeMap::new(),
            created_at: None,
            from: from(),
        });
        self.may("m1", READS, &vault_id())
    }

    fn host(mut self, kind: &str, identity: Identity) -> Case {
        self.0.resources.push(resource(kind, Some(identity)));
        self
    }

    fn directory_role(mut self, principal: &str, id: &str, actions: &[&str], scope: &str, is_eligible: bool) -> Case {
        let role = DirectoryRole {
            id: id.to_owned(),
            name: id.to_owned(),
            built_in: Some(true),
            enabled: Some(true),
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            from: from(),
        };
        self.0.directory.roles.insert(id.to_owned(), role);
        let grant = DirectoryRoleGrant {
            principal_id: principal.to_owned(),
            role_id: id.to_owned(),
            scope: Some(scope.to_owned()),
            assignment: None,
            member: None,
            start: None,
            end: None,
            from: from(),
        };
        match is_eligible {
            true => self.0.directory.role_eligibilities.push(grant),
            false => self.0.directory.role_assignments.push(grant),
        }
        self
    }

    /// Every way: who, how surely, in how many steps, and the steps.
    fn ways(&self, goal: Goal) -> Vec<(String, Certainty, u32, Vec<Step>)> {
        let access = Access::of(&self.0);
        let escalation = Escalation::of(&self.0, &access);
        let routes = escalation.to(&self.0.vaults[0], goal).into_values();
        routes
            .map(|route| {
                let steps = route.edges.iter().map(|edge| edge.step).collect();
                (route.principal_id, route.certainty, route.length, steps)
            })
            .collect()
    }

    fn reads(&self) -> Vec<(String, Certainty, u32, Vec<Step>)> {
        self.ways(Goal::Read)
    }
}

fn resource(kind: &str, identity: Option<Identity>) -> Resource {
    Resource {
        id: in_group(kind, "host"),
        name: "host".to_owned(),
        resource_type: kind.to_owned(),
        location: None,
        tags: BTreeMap::new(),
        created_at: None,
        identity,
        from: from(),
    }
}

/// A role that can be activated in the subscription.
fn eligible(principal: &str, role: &str, ends: Option<DateTime<Utc>>) -> RoleSchedule {
    RoleSchedule {
        id: Id::new("e1"),
        scope: Id::new(SUB),
        role: role.to_owned(),
        principal_id: principal.to_owned(),
        principal_type: None,
        member_type: None,
        assignment_type: None,
        origin: None,
        starts: None,
        ends,
        condition: None,
        from: from(),
    }
}

fn system_assigned() -> Identity {
    Identity { system_principal_id: Some("m1".to_owned()), system_assigned: true, user_assigned: Vec::new() }
}

fn way(principal: &str, certainty: Certainty, length: u32, steps: &[Step]) -> (String, Certainty, u32, Vec<Step>) {
    (principal.to_owned(), certainty, length, steps.to_vec())
}

fn certain(principal: &str, steps: &[Step]) -> (String, Certainty, u32, Vec<Step>) {
    let counted = steps.iter().filter(|step| **step != Step::Member).count();
    way(principal, Certainty::Certain, u32::try_from(counted).expect("few"), steps)
}

fn possible(principal: &str, steps: &[Step]) -> (String, Certainty, u32, Vec<Step>) {
    (principal.to_owned(), Certainty::Possible, certain(principal, steps).2, steps.to_vec())
}

#[test]
fn nobody_has_a_way_where_nobody_holds_anything() {
    for goal in Goal::ALL {
        assert_eq!(Case::new(true).ways(*goal), []);
    }
}

#[test]
fn who_writes_the_vault_writes_himself_an_access_policy() {
    for action in ["Microsoft.KeyVault/vaults/write", "Microsoft.KeyVault/vaults/accessPolicies/write"] {
        let case = Case::new(false).may("u1", action, SUB);
        assert_eq!(case.reads(), [certain("u1", &[Step::WritePolicy])], "{action}");
    }
}

#[test]
fn on_a_vault_with_roles_writing_it_may_be_enough_and_writing_policies_is_not() {
    let case = Case::new(true).may("u1", "Microsoft.KeyVault/vaults/write", SUB);
    assert_eq!(case.reads(), [possible("u1", &[Step::FlipModel])]);
    assert_eq!(Case::new(true).may("u1", "Microsoft.KeyVault/vaults/accessPolicies/write", SUB).reads(), []);
}

#[test]
fn who_writes_role_assignments_assigns_himself_a_role() {
    const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";
    assert_eq!(Case::new(true).may("u1", WRITE, SUB).reads(), [certain("u1", &[Step::GrantRole])]);
    let elsewhere = format!("{SUB}/resourceGroups/other");
    assert_eq!(Case::new(true).may("u1", WRITE, &elsewhere).reads(), []);
    let case =
        Case::new(true).role("rbac", &[WRITE], &[]).assign("u1", "rbac", SUB, Some("@Request[x] GuidEquals {y}"));
    assert_eq!(case.reads(), [possible("u1", &[Step::GrantRole])]);
}

#[test]
fn a_condition_on_what_he_may_assign_decides_where_it_can() {
    const READER: &str = "4633458b-17de-408a-b874-0445c86b69e6";
    const OTHER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    let limited = |to: &str| {
        let attribute = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]";
        let condition = format!("({attribute} ForAnyOfAnyValues:GuidEquals {{{to}}})");
        Case::new(true)
            .role(READER, &[], &[READS])
            .role(OTHER, &["*/read"], &[])
            .role("rbac", &["Microsoft.Authorization/roleAssignments/write"], &[])
            .assign("u1", "rbac", SUB, Some(&condition))
            .reads()
    };
    assert_eq!(limited(READER), [certain("u1", &[Step::GrantRole])]);
    assert_eq!(limited(OTHER), [], "a role that only lists gives no secret");
}

#[test]
fn a_delegation_limited_to_a_role_leads_where_that_role_leads() {
    const KEYS: &str = "12338af0-0e69-4776-bea7-57ae8d297424";
    const SETS: &str = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7";
    const ON: &str = "8b54135c-b56d-4d72-a534-26097cfdc8d8";
    const ASSIGN: &str = "Microsoft.Authorization/roleAssignments/write";
    let limited = |to: &str, goal: Goal| {
        let attribute = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]";
        let condition = format!("({attribute} ForAnyOfAnyValues:GuidEquals {{{to}}})");
        Case::new(true)
            .role(KEYS, &[], &["Microsoft.KeyVault/vaults/keys/decrypt/action"])
            .role(SETS, &[], &["Microsoft.KeyVault/vaults/secrets/setSecret/action"])
            .role(ON, &[ASSIGN], &[])
            .role("rbac", &[ASSIGN], &[])
            .assign("u1", "rbac", SUB, Some(&condition))
            .ways(goal)
    };
    let granted = [certain("u1", &[Step::GrantRole])];
    for goal in [Goal::Read, Goal::Change, Goal::Destroy] {
        assert_eq!(limited(KEYS, goal), [], "a role for keys gives no secret: {goal:?}");
        assert_eq!(limited(ON, goal), granted, "a role that assigns any role gives all: {goal:?}");
    }
    assert_eq!(limited(SETS, Goal::Change), granted);
    assert_eq!(limited(SETS, Goal::Read), [], "who sets a secret cannot read it");
}

#[test]
fn what_hangs_on_how_a_wildcard_is_read_is_possible() {
    // whether `vaults/*/write` covers `vaults/write` no source says
    for (is_rbac, action, step) in [
        (false, "Microsoft.KeyVault/vaults/*/write", Step::WritePolicy),
        (true, "Microsoft.Authorization/roleAssignments/*/write", Step::GrantRole),
    ] {
        let only = Case::new(is_rbac).may("u1", action, SUB);
        // policies lie below the vault, so that these may be written for certain
        let expected = if is_rbac { possible("u1", &[step]) } else { certain("u1", &[step]) };
        assert_eq!(only.reads(), [expected], "{action}");
    }
    let case = Case::new(true).role("wide", &[], &["Microsoft.KeyVault/vaults/secrets/*/getSecret/action"]);
    assert_eq!(case.assign("u1", "wide", SUB, None).reads(), [possible("u1", &[Step::Use])]);
    let stops = Case::new(true).may("u1", "Microsoft.Insights/diagnosticSettings/*/write", SUB);
    assert_eq!(stops.ways(Goal::StopLog), [possible("u1", &[Step::StopLog])]);
}

#[test]
fn who_writes_role_definitions_may_widen_a_custom_role_of_his_own() {
    let case = Case::new(true).may("u1", "Microsoft.Authorization/roleDefinitions/write", SUB);
    assert_eq!(case.reads(), [], "he holds no other custom role that reaches the vault");
    let case = case.may("u1", "Microsoft.Compute/disks/read", SUB);
    assert_eq!(case.reads(), [possible("u1", &[Step::RedefineRole])]);
}

#[test]
fn a_global_administrator_elevates_his_access_and_an_eligible_one_activates_first() {
    let case = Case::new(true)
        .directory_role("u1", GLOBAL_ADMINISTRATOR, &[], "/", false)
        .directory_role("u2", GLOBAL_ADMINISTRATOR, &[], "/", true)
        .directory_role("u3", GLOBAL_ADMINISTRATOR, &[], "/administrativeUnits/au1", false);
    assert_eq!(case.reads(), [certain("u1", &[Step::Elevate]), way("u2", Certainty::Certain, 2, &[Step::Elevate]),]);
}

#[test]
fn a_deployment_fetches_secrets_where_the_vault_lets_it_which_is_not_confirmed() {
    let deploys = |flag: bool| {
        let role = ["Microsoft.KeyVault/vaults/deploy/action", "Microsoft.Resources/deployments/write"];
        let mut case = Case::new(true).role("deployer", &role, &[]).assign("u1", "deployer", SUB, None);
        case.0.vaults[0].enabled_for_template_deployment = Some(flag);
        case.reads()
    };
    assert_eq!(deploys(false), []);
    assert_eq!(deploys(true), [way("u1", Certainty::Unconfirmed, 1, &[Step::DeployTemplate])]);
}

#[test]
fn who_writes_secrets_through_resource_manager_changes_them_and_does_not_read_them() {
    let case = Case::new(true).may("u1", "Microsoft.KeyVault/vaults/secrets/write", SUB);
    assert_eq!(case.reads(), []);
    assert_eq!(case.ways(Goal::Change), [certain("u1", &[Step::OverwriteSecret])]);
}

#[test]
fn who_deletes_and_purges_destroys_unless_purging_is_protected() {
    let role = ["Microsoft.KeyVault/vaults/delete", "Microsoft.KeyVault/locations/deletedVaults/purge/action"];
    let mut case = Case::new(true).role("both", &role, &[]).assign("u1", "both", SUB, None).may(
        "u2",
        "Microsoft.KeyVault/vaults/delete",
        SUB,
    );
    assert_eq!(case.ways(Goal::Destroy), [certain("u1", &[Step::DestroyVault])]);
    case.0.vaults[0].purge_protection = Some(true);
    assert_eq!(case.ways(Goal::Destroy), []);
}

#[test]
fn who_changes_diagnostic_settings_stops_the_log() {
    for action in ["Microsoft.Insights/diagnosticSettings/write", "Microsoft.Insights/diagnosticSettings/delete"] {
        let case = Case::new(true).may("u1", action, SUB);
        assert_eq!(case.ways(Goal::StopLog), [certain("u1", &[Step::StopLog])]);
        assert_eq!(case.reads(), []);
    }
}

#[test]
fn who_runs_code_on_the_host_is_its_identity() {
    let hosts = [
        ("Microsoft.Compute/virtualMachines", "Microsoft.Compute/virtualMachines/runCommand/action"),
        ("Microsoft.Web/sites", "Microsoft.Web/sites/publish/action"),
        ("Microsoft.Web/sites/slots", "Microsoft.Web/sites/slots/publish/action"),
        ("Microsoft.Logic/workflows", "Microsoft.Logic/workflows/write"),
        ("Microsoft.DataFactory/factories", "Microsoft.DataFactory/factories/pipelines/write"),
        ("microsoft.app/containerapps", "Microsoft.App/containerApps/write"),
    ];
    for (kind, action) in hosts {
        let case = Case::new(true).host(kind, system_assigned()).may("m1", READS, &vault_id()).may("u1", action, SUB);
        let expected = [certain("m1", &[Step::Use]), certain("u1", &[Step::RunCode, Step::Use])];
        assert_eq!(case.reads(), expected, "{kind}");
    }
    let reader = Case::new(true)
        .host("Microsoft.Compute/virtualMachines", system_assigned())
        .may("m1", READS, &vault_id())
        .may("u1", "Microsoft.Compute/virtualMachines/read", SUB);
    assert_eq!(reader.reads(), [certain("m1", &[Step::Use])]);
}

#[test]
fn an_attached_identity_whose_object_id_the_host_does_not_tell_is_found_by_its_resource() {
    let id = in_group("Microsoft.ManagedIdentity/userAssignedIdentities", "ID1");
    let attached = Identity { user_assigned: vec![AttachedIdentity { id, principal_id: None }], ..Identity::default() };
    let case = Case::new(true).reading_identity().host("Microsoft.Web/sites", attached).may(
        "u1",
        "Microsoft.Web/sites/publish/action",
        SUB,
    );
    assert_eq!(case.reads()[1], certain("u1", &[Step::RunCode, Step::Use]));
}

#[test]
fn who_runs_code_in_a_cluster_is_the_identity_of_its_nodes_and_may_be_one_that_trusts_it() {
    let cluster = |kubelet: Option<&str>, issuer: Option<&str>| {
        let mut case = Case::new(true).reading_identity().may(
            "u1",
            "Microsoft.ContainerService/managedClusters/runCommand/action",
            SUB,
        );
        case.0.hosts.clusters.push(Cluster {
            resource: resource("Microsoft.ContainerService/managedClusters", None),
            kubelet_object_id: kubelet.map(str::to_owned),
            secrets_provider_object_id: None,
            oidc_issuer: issuer.is_some(),
            oidc_issuer_url: issuer.map(str::to_owned),
            workload_identity: true,
            pod_identity: false,
            local_accounts_disabled: false,
            azure_rbac: false,
            kms_key: None,
        });
        case.0.federated.push(FederatedCredential {
            identity: in_group("Microsoft.ManagedIdentity/userAssignedIdentities", "id1"),
            name: "f".to_owned(),
            issuer: Some("https://oidc.example/1/".to_owned()),
            subject: Some("system:serviceaccount:ns:sa".to_owned()),
            audiences: Vec::new(),
            from: from(),
        });
        case.reads().into_iter().find(|(principal, ..)| principal == "u1")
    };
    assert_eq!(cluster(Some("m1"), None), Some(certain("u1", &[Step::RunCode, Step::Use])));
    assert_eq!(cluster(None, Some("https://oidc.example/1/")), Some(possible("u1", &[Step::RunCode, Step::Use])));
    assert_eq!(cluster(None, Some("https://oidc.example/2/")), None);
}

#[test]
fn who_may_attach_the_identity_needs_a_resource_of_his_own() {
    const ASSIGN: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";
    let case = Case::new(true).reading_identity().may("u1", ASSIGN, SUB);
    assert_eq!(case.reads(), [certain("m1", &[Step::Use])]);
    let elsewhere = format!("{SUB}/resourceGroups/other");
    let case = case.may("u1", "Microsoft.Compute/virtualMachines/write", &elsewhere);
    assert_eq!(case.reads()[1], certain("u1", &[Step::AttachIdentity, Step::Use]));
    let through_groups = Case::new(true)
        .reading_identity()
        .may("g1", ASSIGN, SUB)
        .member("g1", "u1")
        .member("g1", "u2")
        .may("u1", "Microsoft.Web/sites/write", &elsewhere);
    assert_eq!(
        through_groups.reads(),
        [certain("m1", &[Step::Use]), certain("u1", &[Step::AttachIdentity, Step::Use]),]
    );
}

#[test]
fn who_may_add_a_federated_credential_becomes_the_identity() {
    let action = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write";
    let case = Case::new(true).reading_identity().may("u1", action, SUB);
    assert_eq!(case.reads()[1], certain("u1", &[Step::FederateIdentity, Step::Use]));
}

/// A service principal `s1` that reads, of an application whose owner is `u1`.
fn application() -> Case {
    let mut case = Case::new(true).may("s1", READS, &vault_id());
    case.0.directory.service_principals.push(ServicePrincipal {
        id: "s1".to_owned(),
        app_id: Some("app1".to_owned()),
        name: "app".to_owned(),
        service_type: Some("Application".to_owned()),
        enabled: Some(true),
        owner_organization: None,
        single_sign_on: None,
        tags: std::collections::BTreeSet::new(),
        credentials: Vec::new(),
        tells_credentials: true,
        from: from(),
    });
    case.0.directory.applications.push(model::Application {
        id: "o1".to_owned(),
        app_id: "app1".to_owned(),
        name: "app".to_owned(),
        created_at: None,
        audience: None,
        tags: std::collections::BTreeSet::new(),
        credentials: Vec::new(),
        tells_credentials: true,
        from: from(),
    });
    case
}

#[test]
fn owners_of_application_or_service_principal_add_a_credential() {
    let case = application().owner("application:o1", "u1").owner("service-principal:s1", "u2");
    assert_eq!(
        case.reads()[1..],
        [certain("u1", &[Step::AddCredential, Step::Use]), certain("u2", &[Step::AddCredential, Step::Use]),]
    );
}

#[test]
fn directory_roles_add_a_credential_where_they_reach() {
    let action = "microsoft.directory/applications/credentials/update";
    let case = application()
        .directory_role("u1", "application administrator", &[action], "/", false)
        .directory_role("u2", "application administrator", &[action], "/", true)
        .directory_role("u3", "application administrator", &[action], "/O1", false)
        .directory_role("u4", "application administrator", &[action], "/other", false)
        .directory_role("u5", "reader", &["microsoft.directory/applications/standard/read"], "/", false);
    assert_eq!(
        case.reads()[1..],
        [
            certain("u1", &[Step::AddCredential, Step::Use]),
            way("u2", Certainty::Certain, 3, &[Step::AddCredential, Step::Use]),
            certain("u3", &[Step::AddCredential, Step::Use]),
        ]
    );
}

#[test]
fn application_permissions_add_a_credential() {
    let with = |role: &str| {
        let mut case = application();
        case.0.directory.graph_grants.push(AppRoleGrant {
            principal_id: "s2".to_owned(),
            principal_type: None,
            role_id: "x".to_owned(),
            role: Some(role.to_owned()),
            granted_at: None,
            from: from(),
        });
        case.reads().into_iter().find(|(principal, ..)| principal == "s2")
    };
    assert_eq!(with("Application.ReadWrite.All"), Some(certain("s2", &[Step::AddCredential, Step::Use])));
    let further = possible("s2", &[Step::AddCredential, Step::Use]);
    assert_eq!(with("AppRoleAssignment.ReadWrite.All"), Some(further));
    assert_eq!(with("Application.Read.All"), None);
}

#[test]
fn members_read_through_a_group_and_its_owner_adds_himself() {
    let case = Case::new(true).may("g1", READS, SUB).member("g1", "u1").owner("group:g1", "u2");
    assert_eq!(
        case.reads(),
        [certain("g1", &[Step::Use]), certain("u1", &[Step::Use]), certain("u2", &[Step::JoinGroup, Step::Use]),]
    );
}

#[test]
fn membership_and_ownership_that_can_be_activated_are_ways() {
    let mut case = Case::new(true).may("g1", READS, SUB).member("g1", "u1");
    for (principal, access) in [("u2", "member"), ("u3", "owner")] {
        case.0.directory.group_eligibilities.push(GroupGrant {
            group_id: "g1".to_owned(),
            principal_id: principal.to_owned(),
            access: Some(access.to_owned()),
            assignment: None,
            start: None,
            end: None,
            from: from(),
        });
    }
    assert_eq!(
        case.reads()[2..],
        [
            way("u2", Certainty::Certain, 2, &[Step::Use]), // the engine knows it as eligible
            way("u3", Certainty::Certain, 3, &[Step::JoinGroup, Step::Use]),
        ]
    );
}

#[test]
fn a_group_that_can_hold_directory_roles_is_not_open_to_groups_administrators() {
    let action = "microsoft.directory/groups/members/update";
    let mut case = Case::new(true).may("g1", READS, SUB).member("g1", "u1").directory_role(
        "u2",
        "groups administrator",
        &[action],
        "/",
        false,
    );
    assert_eq!(case.reads()[2], certain("u2", &[Step::JoinGroup, Step::Use]));
    case.0.principals.get_mut("g1").expect("the group").role_assignable = Some(true);
    assert_eq!(case.reads().len(), 2);
}

#[test]
fn an_eligible_role_counts_one_more_step() {
    let mut case = Case::new(false).role("contributor", &["*"], &[]);
    case.0.authorization.eligible.push(eligible("u1", "contributor", None));
    let reads = case.reads();
    assert_eq!((reads.len(), reads[0].2, reads[0].1), (1, 2, Certainty::Certain), "{reads:?}");
}

#[test]
fn who_was_delegated_from_another_tenant_has_the_ways_of_his_role() {
    let delegated = |state: &str| {
        let mut case = Case::new(false).role("contributor", &["Microsoft.KeyVault/*"], &[]);
        let delegate = Delegate {
            principal_id: "x1".to_owned(),
            role: "contributor".to_owned(),
            may_assign: Vec::new(),
            mfa: None,
            longest_activation: None,
        };
        case.0.authorization.delegations.push(Delegation {
            id: Id::new("d1"),
            scope: Id::new(SUB),
            name: None,
            managing_tenant: Some("other".to_owned()),
            state: Some(state.to_owned()),
            authorizations: vec![delegate],
            eligible: Vec::new(),
            from: from(),
        });
        case.reads()
    };
    assert_eq!(delegated("Succeeded"), [certain("x1", &[Step::WritePolicy])]);
    assert_eq!(delegated("Deleting"), []);
    assert_eq!(delegated("Updating"), [possible("x1", &[Step::WritePolicy])], "it may be in force");
}

#[test]
fn a_classic_administrator_writes_policies_and_one_who_pays_the_bill_does_not() {
    let with = |role: &str| {
        let mut case = Case::new(false);
        let id = Id::new(format!("{SUB}/providers/Microsoft.Authorization/classicAdministrators/c1"));
        let roles = vec![role.to_owned()];
        case.0.authorization.classic_administrators.push(ClassicAdministrator {
            id,
            roles,
            domain: None,
            from: from(),
        });
        case.reads().into_iter().map(|(_, certainty, _, steps)| (certainty, steps)).collect::<Vec<_>>()
    };
    assert_eq!(with("CoAdministrator"), [(Certainty::Certain, vec![Step::WritePolicy])]);
    assert_eq!(with("AccountAdministrator"), []);
}

#[test]
fn an_eligible_role_that_has_ended_is_no_way() {
    let mut case = Case::new(false).role("contributor", &["*"], &[]);
    let ends = case.0.collected_at;
    case.0.authorization.eligible.push(eligible("u1", "contributor", Some(ends)));
    assert_eq!(case.reads(), []);
}

#[test]
fn lists_without_which_a_way_may_be_missed_are_named() {
    let case = Case::new(true);
    let access = Access::of(&case.0);
    let gaps = Escalation::of(&case.0, &access).gaps(&case.0.vaults[0]);
    let about = |about: Unread| gaps.iter().any(|gap| gap.about == about);
    assert!(about(Unread::Hosts), "the list of resources was never asked: {gaps:#?}");
}

#[test]
fn a_deny_assignment_or_a_lock_makes_a_way_possible_and_never_closes_it() {
    let write = "Microsoft.KeyVault/vaults/write";
    let mut denied = Case::new(false).may("u1", write, SUB);
    denied.0.deny_assignments.push(DenyAssignment {
        id: Id::new("deny"),
        name: "stop".to_owned(),
        scope: Id::new(SUB),
        effect: Some("enforced".to_owned()),
        principals: vec!["u1".to_owned()],
        exclude_principals: Vec::new(),
        not_to_children: None,
        permissions: vec![Permission { actions: vec!["*".to_owned()], ..Permission::default() }],
        from: from(),
    });
    assert_eq!(denied.reads(), [possible("u1", &[Step::WritePolicy])]);
    denied.0.deny_assignments[0].effect = Some("audit".to_owned());
    assert_eq!(denied.reads(), [certain("u1", &[Step::WritePolicy])]);
    let mut locked = Case::new(false).may("u1", write, SUB);
    let (id, scope, level) = (Id::new("lock"), Id::new(vault_id()), Some("ReadOnly".to_owned()));
    locked.0.authorization.locks.push(Lock { id, scope, level, from: from() });
    assert_eq!(locked.reads(), [possible("u1", &[Step::WritePolicy])]);
}

#[test]
fn a_long_certain_way_is_told_before_a_short_possible_one() {
    let case = Case::new(true).reading_identity().may("u1", "Microsoft.KeyVault/vaults/write", SUB).may(
        "u1",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
        SUB,
    );
    assert_eq!(case.reads()[1], certain("u1", &[Step::FederateIdentity, Step::Use]));
}

#[test]
fn ways_go_on_through_several_principals() {
    let case = application()
        .host("Microsoft.Compute/virtualMachines", system_assigned())
        .owner("application:o1", "m1")
        .may("g2", "Microsoft.Compute/virtualMachines/runCommand/action", SUB)
        .member("g2", "u1")
        .owner("group:g2", "u2");
    let access = Access::of(&case.0);
    let escalation = Escalation::of(&case.0, &access);
    let route = escalation.path("U2", &case.0.vaults[0], Goal::Read).expect("a way");
    let steps: Vec<_> = route.edges.iter().map(|edge| (edge.from.as_str(), edge.step)).collect();
    let expected = [("u2", Step::JoinGroup), ("g2", Step::RunCode), ("m1", Step::AddCredential), ("s1", Step::Use)];
    assert_eq!((steps.as_slice(), route.length, route.is_direct()), (&expected[..], 4, false));
    assert_eq!(route.edges[3].to, Target::Vault(Id::new(vault_id())));
    let member = escalation.path("u1", &case.0.vaults[0], Goal::Read).expect("a way");
    assert_eq!((member.length, member.edges[0].step), (3, Step::Member));
}

#[test]
fn groups_that_hold_each_other_and_identities_that_run_each_other_come_to_an_end() {
    let case = Case::new(true)
        .may("g1", READS, SUB)
        .member("g1", "g2")
        .member("g2", "g1")
        .member("g2", "u1")
        .host("Microsoft.Compute/virtualMachines", system_assigned())
        .may("m1", "Microsoft.Compute/virtualMachines/write", SUB)
        .may("m1", READS, SUB);
    let ways = case.reads();
    assert_eq!(ways.iter().map(|way| way.0.as_str()).collect::<Vec<_>>(), ["g1", "g2", "m1", "u1"]);
    assert!(ways.iter().all(|way| way.2 == 1), "{ways:?}");
}
