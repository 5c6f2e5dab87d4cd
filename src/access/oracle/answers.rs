//! What a collection of a small tenant would leave, as Azure and the directory answer.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::world::{Deny, Entry, FOREIGN, Read, SUBS, Vault, World, ZERO, is_known};
use crate::evidence::testing::{CaptureBuilder, TENANT};
use crate::evidence::{Capture, Kind, Over, Reason};
use crate::model::Id;

/// Built-in roles as Azure lists them, without the parts that do not count.
pub(super) static BUILT_IN: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access/roles.json");
    serde_json::from_slice(&std::fs::read(path).expect("roles")).expect("JSON")
});

/// Each question with its items and, for a look-up, the body that asked.
type Questions = Vec<(Kind, String, Vec<Value>, Option<String>)>;

impl World {
    /// The id that a short name stands for.
    pub fn id(&self, scope: &str) -> String {
        if let Some(vault) = self.vaults.iter().find(|vault| vault.name == scope) {
            return format!("{}/providers/Microsoft.KeyVault/vaults/{}", self.id(&vault.at), vault.name);
        }
        let segments: Vec<&str> = scope.split('/').collect();
        match segments.as_slice() {
            ["", ""] => "/".to_owned(),
            ["sub"] => "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001".to_owned(),
            ["sub2"] => "/subscriptions/aaaaaaaa-0000-0000-0000-000000000002".to_owned(),
            ["mg:root"] => self.id(&format!("mg:{TENANT}")),
            [group] if group.starts_with("mg:") => {
                format!("/providers/Microsoft.Management/managementGroups/{}", &group[3..])
            }
            [sub @ ("sub" | "sub2"), group] => format!("{}/resourceGroups/{group}", self.id(sub)),
            [vault, family, name] => format!("{}/{family}/{name}", self.id(vault)),
            _ => panic!("what is `{scope}`?"),
        }
    }

    /// The scope of a question.
    fn asked_at(&self, at: &str) -> String {
        match at {
            "tenant" | "directory" => at.to_owned(),
            _ if at.starts_with("group:") => at.to_owned(),
            _ => self.id(at),
        }
    }

    /// The capture of this tenant.
    pub fn capture(&self) -> Capture {
        self.capture_in_case(0)
    }

    /// The same, with the n-th id in upper case where bit n of `upper` is set.
    pub fn capture_in_case(&self, upper: u64) -> Capture {
        let mut builder = CaptureBuilder::default();
        let mut case = Case { upper, next: 0 };
        for (kind, at, items, body) in self.questions() {
            let read = self.read(&kind.name(), &at);
            let mut items = json!(self.seen(&kind.name(), &at, items));
            case.change(&mut items, false);
            let body = body.map(|body| {
                let mut body: Value = serde_json::from_str(&body).expect("JSON");
                case.change(&mut body, true);
                body.to_string()
            });
            let scope = self.asked_at(&at);
            let page = json!({ "value": items });
            builder = match read {
                Read::Whole => builder.pages(kind, &scope, vec![(page, body)]),
                Read::Cut => builder.cut(kind, &scope, vec![page], Reason::CutShort),
                Read::Refused => builder.gap(kind, &scope, Reason::Forbidden),
                Read::NotAsked => builder,
            };
        }
        builder.build()
    }

    /// The questions that a collection would put, but for the lists of vaults: who is in no list has no access.
    pub fn removable(&self) -> Vec<(String, String)> {
        let questions = self.questions().into_iter().map(|(kind, at, ..)| (kind.name(), at));
        let matters = |kind: &String| RANDOMLY_UNREAD.iter().any(|name| name == kind);
        questions.filter(|(kind, _)| matters(kind)).collect()
    }

    fn questions(&self) -> Questions {
        let mut all: Questions = Vec::new();
        let groups = self.management_groups();
        for kind in ABOUT_ACCESS.iter().copied() {
            let mut put = |at: &str, items: Vec<Value>| all.push((kind, at.to_owned(), items, None));
            if kind.over().contains(&Over::Tenant) {
                put("tenant", self.of_tenant(kind));
            }
            if kind.over().contains(&Over::Directory) {
                put("directory", self.of_directory(kind));
            }
            if kind.over().contains(&Over::Root) {
                put("/", self.at_scope(kind, "/"));
            }
            for group in groups.iter().filter(|_| kind.over().contains(&Over::ManagementGroup)) {
                put(group, self.at_scope(kind, group));
            }
            for sub in SUBS.iter().filter(|_| kind.is_per_subscription()) {
                put(sub, self.at_scope(kind, sub));
            }
            for group in self.groups.keys().filter(|_| kind.over().contains(&Over::Group)) {
                put(&format!("group:{group}"), self.of_group(kind, group));
            }
        }
        let found = self.named().into_iter().filter(|id| is_known(id)).map(|id| self.principal(id)).collect();
        let body = json!({"ids": self.named()}).to_string();
        all.push((Kind::Principals, "directory".to_owned(), found, Some(body)));
        all
    }

    fn of_tenant(&self, kind: Kind) -> Vec<Value> {
        match kind {
            Kind::Subscriptions => SUBS.iter().map(|sub| json!({"id": self.id(sub), "displayName": sub})).collect(),
            Kind::ManagementGroups => {
                self.management_groups().iter().map(|group| json!({"id": self.id(group)})).collect()
            }
            _ => Vec::new(),
        }
    }

    fn of_directory(&self, kind: Kind) -> Vec<Value> {
        let named = self.named();
        let of = |letters: &'static [char]| named.iter().filter(move |id| id.starts_with(letters));
        match kind {
            Kind::ManagedIdentityPrincipals => of(&['m']).map(|id| self.principal(id)).collect(),
            Kind::ServicePrincipals => of(&['s', 'm']).map(|id| self.principal(id)).collect(),
            _ => Vec::new(),
        }
    }

    fn of_group(&self, kind: Kind, group: &str) -> Vec<Value> {
        match kind {
            Kind::GroupMembers => self.transitive(group).into_iter().map(|id| self.principal(id)).collect(),
            Kind::GroupOwners => {
                let owners = self.owners.iter().filter(|owner| owner.group == group);
                owners.map(|owner| self.principal(&owner.who)).collect()
            }
            Kind::GroupEligibilities => {
                let eligible = self.eligible_members.iter().filter(|eligible| eligible.group == group);
                eligible
                    .map(|eligible| {
                        json!({"id": format!("{group}-{}", eligible.who), "groupId": group, "principalId": eligible.who,
                            "accessId": eligible.access.as_deref().unwrap_or("member"), "memberType": "direct",
                            "startDateTime": "2026-09-01T00:00:00Z", "endDateTime": null})
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// What the list of a subscription, a management group or the root holds.
    fn at_scope(&self, kind: Kind, list: &str) -> Vec<Value> {
        let is_here = |scope: &str| self.list_of(scope) == list;
        match kind {
            Kind::ManagementGroupDescendants => self.below(list).into_iter().map(|pair| self.child(pair)).collect(),
            Kind::Vaults => {
                self.vaults.iter().filter(|vault| is_here(&vault.name)).map(|vault| self.vault(vault)).collect()
            }
            Kind::RoleDefinitions => {
                let built_in = BUILT_IN.iter().map(|role| {
                    let mut role = role.clone();
                    let name = role["name"].as_str().expect("a GUID");
                    role["id"] = json!(format!("/providers/Microsoft.Authorization/roleDefinitions/{name}"));
                    role
                });
                built_in.chain(self.roles.iter().map(|(name, entries)| self.role(list, name, entries))).collect()
            }
            Kind::RoleAssignments => {
                let numbered = self.assignments.iter().enumerate().filter(|(_, held)| is_here(&held.at));
                numbered.map(|(number, held)| self.held(number, &held.who, &held.role, &held.at, held)).collect()
            }
            Kind::RoleAssignmentScheduleInstances => {
                let numbered = self.assignments.iter().enumerate().filter(|(_, held)| is_here(&held.at));
                numbered.filter_map(|(number, held)| self.active(number, held)).collect()
            }
            Kind::RoleEligibilityScheduleInstances => {
                let numbered = self.eligible.iter().enumerate().filter(|(_, held)| is_here(&held.at));
                let eligible = numbered.map(|(number, held)| {
                    let id = format!(
                        "{}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances/{number}",
                        self.above(&held.at)
                    );
                    json!({"id": id, "properties": {"scope": self.id(&held.at), "principalId": held.who,
                        "roleDefinitionId": role_id(&held.role), "memberType": "Direct", "status": "Provisioned",
                        "startDateTime": "2026-09-01T00:00:00Z", "endDateTime": null,
                        "condition": held.when.as_ref().map(|when| &when.text)}})
                });
                eligible.collect()
            }
            Kind::DenyAssignments => {
                let numbered = self.denies.iter().enumerate().filter(|(_, deny)| self.is_deny_listed(deny, list));
                numbered.map(|(number, deny)| self.deny(number, deny)).collect()
            }
            Kind::RegistrationAssignments => {
                let numbered = self.delegations.iter().enumerate().filter(|(_, delegation)| is_here(&delegation.at));
                let shown = numbered.map(|(number, given)| {
                    let to = json!([{"principalId": given.who, "roleDefinitionId": role_id(&given.role)}]);
                    let (active, eligible) = if given.eligible { (json!([]), to) } else { (to, json!([])) };
                    json!({"id": format!("{}/providers/Microsoft.ManagedServices/registrationAssignments/{number}", self.id(&given.at)),
                        "properties": {"provisioningState": given.state.as_deref().unwrap_or("Succeeded"),
                            "registrationDefinition": {"properties": {"registrationDefinitionName": "Support",
                                "managedByTenantId": FOREIGN, "authorizations": active, "eligibleAuthorizations": eligible}}}})
                });
                shown.collect()
            }
            Kind::ClassicAdministrators => {
                let here =
                    self.classic.iter().enumerate().filter_map(|(number, text)| Some((number, text.split_once(' ')?)));
                let here = here.filter(|(_, (sub, _))| *sub == list);
                here.map(|(number, (_, role))| {
                    json!({"id": format!("{}/providers/Microsoft.Authorization/classicAdministrators/{number}", self.id(list)),
                        "properties": {"role": role, "emailAddress": "[cut]@example.com"}})
                })
                .collect()
            }
            _ => Vec::new(),
        }
    }

    /// A subscription or group lists the deny assignments at and above it, a subscription also those below.
    pub fn is_deny_listed(&self, deny: &Deny, list: &str) -> bool {
        let at = self.list_of(&deny.at);
        at == list || at == "/" || self.below(&at).iter().any(|(child, _)| *child == list)
    }

    fn above(&self, scope: &str) -> String {
        self.id(scope).trim_end_matches('/').to_owned()
    }

    fn child(&self, (child, parent): (&str, &str)) -> Value {
        let is_sub = SUBS.contains(&child);
        let kind = if is_sub {
            "Microsoft.Management/managementGroups/subscriptions"
        } else {
            "Microsoft.Management/managementGroups"
        };
        json!({"id": self.id(child), "type": kind, "properties": {"parent": {"id": self.id(parent)}}})
    }

    fn role(&self, sub: &str, name: &str, entries: &[Entry]) -> Value {
        json!({"id": format!("{}/providers/Microsoft.Authorization/roleDefinitions/{name}", self.id(sub)),
            "properties": {"roleName": name, "type": "CustomRole", "permissions": entries_json(entries)}})
    }

    fn held(&self, number: usize, who: &str, role: &str, at: &str, held: &super::world::Assignment) -> Value {
        json!({"id": self.assignment_id(number, at), "properties": {"scope": self.id(at), "principalId": who,
            "principalType": held.told, "roleDefinitionId": role_id(role),
            "condition": held.when.as_ref().map(|when| &when.text)}})
    }

    fn assignment_id(&self, number: usize, at: &str) -> String {
        format!("{}/providers/Microsoft.Authorization/roleAssignments/{number}", self.above(at))
    }

    fn active(&self, number: usize, held: &super::world::Assignment) -> Option<Value> {
        let kind = held.kind.as_ref()?;
        let id = format!(
            "{}/providers/Microsoft.Authorization/roleAssignmentScheduleInstances/{number}",
            self.above(&held.at)
        );
        Some(json!({"id": id, "properties": {"scope": self.id(&held.at), "principalId": held.who,
            "roleDefinitionId": role_id(&held.role), "assignmentType": kind, "memberType": "Direct",
            "originRoleAssignmentId": self.assignment_id(number, &held.at), "status": "Provisioned",
            "startDateTime": "2026-09-01T00:00:00Z", "endDateTime": held.ends}}))
    }

    fn deny(&self, number: usize, deny: &Deny) -> Value {
        let named =
            |ids: &[String]| -> Value {
                ids.iter()
                    .map(|id| {
                        if id == "everyone" {
                            json!({"id": ZERO, "type": "SystemDefined"})
                        } else {
                            json!({ "id": id })
                        }
                    })
                    .collect()
            };
        json!({"id": format!("{}/providers/Microsoft.Authorization/denyAssignments/{number}", self.above(&deny.at)),
            "properties": {"denyAssignmentName": format!("deny {number}"), "scope": self.id(&deny.at),
                "denyAssignmentEffect": deny.effect, "principals": named(&deny.who),
                "excludePrincipals": named(&deny.not_who), "doNotApplyToChildScopes": deny.not_to_children,
                "permissions": entries_json(&deny.entries)}})
    }

    fn vault(&self, vault: &Vault) -> Value {
        let policies = vault.policies.iter().map(|policy| {
            json!({"objectId": policy.who, "tenantId": policy.tenant.as_deref().unwrap_or(TENANT),
                "applicationId": policy.application, "permissions": {"secrets": policy.secrets, "keys": policy.keys,
                    "certificates": policy.certificates}})
        });
        let rbac = vault.rbac.filter(|_| !vault.rbac_absent);
        json!({"id": self.id(&vault.name), "name": vault.name, "properties": {
            "tenantId": vault.tenant.as_deref().unwrap_or(TENANT), "enableRbacAuthorization": rbac,
            "accessPolicies": policies.collect::<Value>()}})
    }

    fn principal(&self, id: &str) -> Value {
        let (odata_type, service_type) = match id.get(..1) {
            Some("u") => (Some("#microsoft.graph.user"), None),
            Some("g") => (Some("#microsoft.graph.group"), None),
            Some("s") => (Some("#microsoft.graph.servicePrincipal"), Some("Application")),
            Some("m") => (Some("#microsoft.graph.servicePrincipal"), Some("ManagedIdentity")),
            _ => (None, None),
        };
        let special = self.principals.get(id).cloned().unwrap_or_default();
        json!({"@odata.type": odata_type, "id": id, "displayName": id, "servicePrincipalType": service_type,
            "accountEnabled": special.enabled, "userType": special.user_type, "appId": format!("app-{id}")})
    }
}

/// The questions whose answers say something about access.
const ABOUT_ACCESS: &[Kind] = &[
    Kind::Subscriptions,
    Kind::ManagementGroups,
    Kind::ManagementGroupDescendants,
    Kind::Vaults,
    Kind::RoleAssignments,
    Kind::RoleDefinitions,
    Kind::DenyAssignments,
    Kind::ClassicAdministrators,
    Kind::RegistrationAssignments,
    Kind::RoleEligibilityScheduleInstances,
    Kind::RoleAssignmentScheduleInstances,
    Kind::RoleManagementPolicyAssignments,
    Kind::ManagedIdentityPrincipals,
    Kind::ServicePrincipals,
    Kind::GroupMembers,
    Kind::GroupOwners,
    Kind::GroupAssignments,
    Kind::GroupEligibilities,
];

/// Questions that a random tenant may lack, as the evidence names them.
const RANDOMLY_UNREAD: &[&str] = &[
    "role_assignments",
    "role_definitions",
    "deny_assignments",
    "management_groups",
    "management_group_descendants",
    "group_members",
    "group_eligibilities",
    "principals",
    "managed_identity_principals",
    "role_eligibility_schedule_instances",
];

/// The GUID of a built-in role by its name; that of a custom role is its name.
pub(super) fn role_guid(role: &str) -> String {
    let named = BUILT_IN.iter().find(|found| found["properties"]["roleName"] == role);
    named.map_or_else(|| role.to_lowercase(), |found| found["name"].as_str().expect("a GUID").to_owned())
}

fn role_id(role: &str) -> String {
    format!("/providers/Microsoft.Authorization/roleDefinitions/{}", role_guid(role))
}

fn entries_json(entries: &[Entry]) -> Value {
    let entry = |entry: &Entry| {
        json!({"actions": entry.actions, "notActions": entry.not_actions, "dataActions": entry.data_actions,
            "notDataActions": entry.not_data_actions, "condition": entry.when.as_ref().map(|when| &when.text)})
    };
    entries.iter().map(entry).collect()
}

/// Changes the case of ids.
struct Case {
    upper: u64,
    next: u32,
}

impl Case {
    fn of(&mut self, id: &str) -> String {
        let is_upper = self.upper.rotate_right(self.next) & 1 == 1;
        self.next = (self.next + 1) % 64;
        if is_upper { id.to_uppercase() } else { id.to_owned() }
    }

    fn change(&mut self, value: &mut Value, is_id: bool) {
        const IDS: &[&str] = &[
            "id",
            "scope",
            "principalId",
            "objectId",
            "roleDefinitionId",
            "tenantId",
            "applicationId",
            "ids",
            "groupId",
        ];
        match value {
            Value::String(text) if is_id => *text = self.of(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.change(item, is_id)),
            Value::Object(members) => {
                members.iter_mut().for_each(|(name, value)| self.change(value, IDS.contains(&name.as_str())));
            }
            _ => {}
        }
    }
}

/// The id of a scope as the model knows it.
pub(super) fn id(world: &World, scope: &str) -> Id {
    Id::new(world.id(scope))
}
