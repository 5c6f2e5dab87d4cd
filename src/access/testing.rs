//! A tenant of a few lists, for tests of access.
#![allow(clippy::needless_pass_by_value)] // `json!` is easier to read without a reference before it

use serde_json::{Value, json};

use super::{Access, Answer, Capability, Grant};
use crate::evidence::testing::{CaptureBuilder, TENANT};
use crate::evidence::{Kind, Reason};
use crate::model::{self, Id};

pub const SUB: &str = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001";
pub const EVERYONE: &str = "00000000-0000-0000-0000-000000000000";

/// A tenant of a few lists: one subscription below group `prod` below the root group.
#[derive(Default)]
pub struct Small {
    pub vaults: Vec<Value>,
    pub roles: Vec<Value>,
    pub assignments: Vec<Value>,
    pub denies: Vec<Value>,
    pub principals: Vec<Value>,
    pub members: Vec<(&'static str, Vec<Value>)>,
    pub unread_groups: Vec<&'static str>,
}

pub fn vault_id(name: &str) -> String {
    format!("{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}")
}

pub fn group_id(name: &str) -> String {
    format!("/providers/Microsoft.Management/managementGroups/{name}")
}

pub fn kind_of(id: &str) -> &'static str {
    match id.chars().next() {
        Some('g') => "#microsoft.graph.group",
        Some('s') => "#microsoft.graph.servicePrincipal",
        _ => "#microsoft.graph.user",
    }
}

impl Small {
    pub fn vault(mut self, name: &str, is_rbac: bool, policies: Value) -> Small {
        self.vaults.push(json!({"id": vault_id(name), "name": name, "properties": {
            "tenantId": TENANT, "enableRbacAuthorization": is_rbac, "accessPolicies": policies}}));
        self
    }

    /// One RBAC vault `kv1`.
    pub fn rbac() -> Small {
        Small::default().vault("kv1", true, json!([]))
    }

    /// One vault `kv1` with access policies.
    pub fn policies(policies: Value) -> Small {
        Small::default().vault("kv1", false, policies)
    }

    /// A role whose GUID is its name, with these permission entries.
    pub fn role(mut self, name: &str, permissions: Value) -> Small {
        self.roles.push(json!({"id": format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{name}"),
            "properties": {"roleName": name, "type": "CustomRole", "permissions": permissions}}));
        self
    }

    /// A role with these data actions below `Microsoft.KeyVault/vaults/`.
    pub fn data_role(self, name: &str, actions: &[&str]) -> Small {
        let actions: Vec<String> = actions.iter().map(|action| format!("Microsoft.KeyVault/vaults/{action}")).collect();
        self.role(name, json!([{"dataActions": actions}]))
    }

    pub fn assign(self, role: &str, principal: &'static str, scope: &str) -> Small {
        self.assign_when(role, principal, scope, None)
    }

    pub fn assign_when(mut self, role: &str, principal: &'static str, scope: &str, condition: Option<&str>) -> Small {
        let number = self.assignments.len() + 1;
        self.assignments.push(json!({
            "id": format!("{}/providers/Microsoft.Authorization/roleAssignments/{number}", scope.trim_end_matches('/')),
            "properties": {"scope": scope, "principalId": principal, "condition": condition,
                "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}")}}));
        self.knows(&[principal])
    }

    /// Principals of the directory; `g…` are groups, `s…` service principals, the rest users.
    pub fn knows(mut self, ids: &[&str]) -> Small {
        self.principals.extend(ids.iter().map(|id| json!({"@odata.type": kind_of(id), "id": id, "displayName": id})));
        self
    }

    pub fn group(mut self, id: &'static str, members: &[&str]) -> Small {
        let members = members.iter().map(|id| json!({"@odata.type": kind_of(id), "id": id, "displayName": id}));
        self.members.push((id, members.collect()));
        self.knows(&[id])
    }

    pub fn unread_group(mut self, id: &'static str) -> Small {
        self.unread_groups.push(id);
        self.knows(&[id])
    }

    pub fn deny(mut self, scope: &str, principal: &str, patch: &Value) -> Small {
        let mut properties = json!({"denyAssignmentName": "stop", "scope": scope, "principals": [{"id": principal}],
            "permissions": [{"dataActions": ["Microsoft.KeyVault/vaults/secrets/*"]}]});
        for (name, value) in patch.as_object().into_iter().flatten() {
            properties[name] = value.clone();
        }
        let id = format!("{scope}/providers/Microsoft.Authorization/denyAssignments/{}", self.denies.len());
        self.denies.push(json!({"id": id, "properties": properties}));
        self
    }

    pub fn access(self) -> Access {
        access_of(self.answers())
    }

    pub fn answers(self) -> CaptureBuilder {
        let list = |items: Vec<Value>| json!({ "value": items });
        let child = |id: &str, parent: &str| json!({"id": id, "type": "x", "properties": {"parent": {"id": parent}}});
        let below = vec![child(&group_id("prod"), &group_id(TENANT)), child(SUB, &group_id("prod"))];
        let mut builder = CaptureBuilder::default()
            .answer(Kind::Subscriptions, "tenant", list(vec![json!({"id": SUB})]))
            .answer(Kind::ManagementGroups, "tenant", list(vec![json!({"id": group_id(TENANT)})]))
            .answer(Kind::ManagementGroupDescendants, &group_id(TENANT), list(below))
            .answer(Kind::Vaults, SUB, list(self.vaults))
            .answer(Kind::RoleDefinitions, SUB, list(self.roles))
            .answer(Kind::RoleAssignments, SUB, list(self.assignments))
            .answer(Kind::DenyAssignments, &group_id(TENANT), list(Vec::new()))
            .answer(Kind::DenyAssignments, &group_id("prod"), list(Vec::new()))
            .answer(Kind::DenyAssignments, SUB, list(self.denies))
            .answer(Kind::Principals, "directory", list(self.principals));
        for (group, members) in self.members {
            builder = builder.answer(Kind::GroupMembers, &format!("group:{group}"), list(members));
        }
        for group in self.unread_groups {
            builder = builder.gap(Kind::GroupMembers, &format!("group:{group}"), Reason::Forbidden);
        }
        builder
    }
}

pub fn access_of(answers: CaptureBuilder) -> Access {
    Access::of(&model::read(&answers.build()).expect("a tenant"))
}

pub fn can(access: &Access, vault: &str, capability: Capability) -> Vec<(String, Answer)> {
    let vault = Id::new(vault_id(vault));
    access.can(&vault, capability).iter().map(|grant| (grant.principal_id.to_string(), grant.answer)).collect()
}

pub fn allowed(ids: &[&str]) -> Vec<(String, Answer)> {
    ids.iter().map(|id| ((*id).to_owned(), Answer::Allowed)).collect()
}

pub fn only(access: &Access, capability: Capability) -> Grant {
    let vault = Id::new(vault_id("kv1"));
    let grants: Vec<Grant> = access.can(&vault, capability);
    assert_eq!(grants.len(), 1, "{grants:#?}");
    grants[0].clone()
}

/// Why the only path of the only grant is open, and nothing is settled by it.
pub fn open(access: &Access, capability: Capability) -> (Reason, String) {
    let grant = only(access, capability);
    assert!(matches!(grant.answer, Answer::NotDetermined | Answer::Conditional), "{grant:#?}");
    assert_eq!(grant.answer, grant.paths[0].answer);
    let open = grant.paths[0].open.clone().expect("an open path");
    (open.reason, open.detail.clone())
}

pub fn get_secret() -> Small {
    Small::rbac().data_role("reads", &["secrets/getSecret/action"])
}
