//! Edges to applications, by credentials that can be added to them, and to groups, by members that can be added.
//!
//! Names of permissions: learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference and
//! learn.microsoft.com/graph/permissions-reference.

use std::collections::BTreeMap;

use super::{Certainty, Edge, Step, Target};
use crate::evidence::Cite;
use crate::model::{DirectoryRoleGrant, Id, PrincipalKind, ServicePrincipal, Tenant};

/// Actions of directory roles that add a credential to any application or service principal.
const CREDENTIALS: &[&str] = &[
    "microsoft.directory/applications/credentials/update",
    "microsoft.directory/applications/allproperties/alltasks",
    "microsoft.directory/applications/allproperties/update",
    "microsoft.directory/serviceprincipals/credentials/update",
    "microsoft.directory/serviceprincipals/allproperties/alltasks",
    "microsoft.directory/serviceprincipals/allproperties/update",
];
/// Actions of directory roles that add a member to any group that cannot hold directory roles.
const MEMBERS: &[&str] = &[
    "microsoft.directory/groups/members/update",
    "microsoft.directory/groups.security/members/update",
    "microsoft.directory/groups/allproperties/alltasks",
    "microsoft.directory/groups/allproperties/update",
];
/// The same for groups that can.
const ROLE_MEMBERS: &[&str] = &[
    "microsoft.directory/groupsassignabletoroles/members/update",
    "microsoft.directory/groupsassignabletoroles/allproperties/update",
    "microsoft.directory/groupsassignabletoroles/alltasks",
    "microsoft.directory/groups/allproperties/alltasks",
];
/// Application permissions of Microsoft Graph that add a credential to any application.
const GRAPH_CREDENTIALS: &[&str] = &["Application.ReadWrite.All"];
/// Those by which an application gets further ones.
const GRAPH_FURTHER: &[&str] = &["AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory"];
/// Those that add a member to any group that cannot hold directory roles.
const GRAPH_MEMBERS: &[&str] = &["Group.ReadWrite.All", "GroupMember.ReadWrite.All", "Directory.ReadWrite.All"];

/// Who may add credentials and members, worked out once.
pub(super) struct Directory<'a> {
    tenant: &'a Tenant,
    service_principals: BTreeMap<&'a str, &'a ServicePrincipal>,
    owners: BTreeMap<&'a Id, Vec<&'a crate::model::Owner>>,
    applications: BTreeMap<&'a str, Id>,
}

/// A right of someone, as it is told.
struct Right<'a> {
    principal: &'a str,
    by: String,
    is_eligible: bool,
    doubt: Option<&'static str>,
    evidence: Vec<Cite>,
}

impl<'a> Directory<'a> {
    pub(super) fn of(tenant: &'a Tenant) -> Directory<'a> {
        let directory = &tenant.directory;
        let mut owners: BTreeMap<&Id, Vec<_>> = BTreeMap::new();
        for owner in &directory.owners {
            owners.entry(&owner.owned).or_default().push(owner);
        }
        let service_principals = directory.service_principals.iter();
        let applications = directory.applications.iter();
        Directory {
            tenant,
            service_principals: service_principals.map(|principal| (principal.id.as_str(), principal)).collect(),
            owners,
            applications: applications.map(|app| (app.app_id.as_str(), app.scope())).collect(),
        }
    }

    /// Edges to the principal: members and whoever may make himself one of a group; whoever may add a credential to
    /// an application.
    pub(super) fn edges(&self, principal: &str) -> Vec<Edge> {
        let known = self.tenant.principal(principal).map(|found| &found.kind);
        if known == Some(&PrincipalKind::Group) || self.tenant.members.contains_key(principal) {
            return self.to_group(principal);
        }
        match self.service_principals.get(principal) {
            Some(found) if !found.is_managed_identity() => self.to_application(found),
            _ => Vec::new(),
        }
    }

    fn to_group(&self, group: &str) -> Vec<Edge> {
        let directory = &self.tenant.directory;
        let known = self.tenant.principal(group);
        let mut edges = Vec::new();
        for member in self.tenant.members.get(group).into_iter().flatten() {
            let right = plain(&member.id, "membership".to_owned(), member.from.clone());
            edges.push(edge(Step::Member, right, group));
        }
        for owner in self.owners.get(&Id::new(format!("group:{group}"))).into_iter().flatten() {
            edges.push(edge(
                Step::JoinGroup,
                plain(&owner.id, "ownership of the group".to_owned(), owner.from.clone()),
                group,
            ));
        }
        for grant in directory.group_eligibilities.iter().filter(|grant| grant.group_id == group) {
            let is_owner = grant.access.as_deref().is_some_and(|access| access.eq_ignore_ascii_case("owner"));
            let (step, by) = match is_owner {
                true => (Step::JoinGroup, "eligible ownership of the group"),
                false => (Step::ActivateMember, "eligible membership"),
            };
            let mut right = plain(&grant.principal_id, by.to_owned(), grant.from.clone());
            right.is_eligible = is_owner; // activating a membership is the step itself
            edges.push(edge(step, right, group));
        }
        // what is not known to hold directory roles counts as a group that cannot
        let is_role_assignable = known.and_then(|group| group.role_assignable) == Some(true);
        let actions = if is_role_assignable { ROLE_MEMBERS } else { MEMBERS };
        edges.extend(self.by_roles(actions, &[group]).into_iter().map(|right| edge(Step::JoinGroup, right, group)));
        if !is_role_assignable {
            edges.extend(self.by_graph(GRAPH_MEMBERS, None).map(|right| edge(Step::JoinGroup, right, group)));
        }
        edges
    }

    fn to_application(&self, principal: &ServicePrincipal) -> Vec<Edge> {
        let to = principal.id.as_str();
        let application = principal.app_id.as_deref().and_then(|id| self.applications.get(id));
        let mut rights = Vec::new();
        for (owned, what) in
            [(Some(principal.scope()), "service principal"), (application.cloned(), "app registration")]
        {
            for owner in owned.as_ref().and_then(|owned| self.owners.get(owned)).into_iter().flatten() {
                rights.push(plain(&owner.id, format!("ownership of the {what}"), owner.from.clone()));
            }
        }
        let of_application = application.map(|scope| scope.key().trim_start_matches("application:").to_owned());
        let ids: Vec<&str> = std::iter::once(to).chain(of_application.as_deref()).collect();
        rights.extend(self.by_roles(CREDENTIALS, &ids));
        rights.extend(self.by_graph(GRAPH_CREDENTIALS, None));
        let doubt = "it must give itself a further permission first";
        rights.extend(self.by_graph(GRAPH_FURTHER, Some(doubt)));
        rights.into_iter().map(|right| edge(Step::AddCredential, right, to)).collect()
    }

    /// Holders of directory roles with one of these actions, over the whole directory or over one of these objects.
    fn by_roles(&self, actions: &[&str], objects: &[&str]) -> Vec<Right<'a>> {
        let directory = &self.tenant.directory;
        let standing = directory.role_assignments.iter().map(|grant| (grant, false));
        let eligible = directory.role_eligibilities.iter().map(|grant| (grant, true));
        let mut rights = Vec::new();
        for (grant, is_eligible) in standing.chain(eligible) {
            let Some(role) = directory.roles.get(&grant.role_id) else { continue };
            let gives = role.actions.iter().any(|action| actions.contains(&action.as_str()));
            if !gives || role.enabled == Some(false) {
                continue;
            }
            let Some(doubt) = reach(grant, objects) else { continue };
            let how = if is_eligible { "eligible directory role" } else { "directory role" };
            rights.push(Right {
                principal: &grant.principal_id,
                by: format!("{how} `{}`", role.name),
                is_eligible,
                doubt,
                evidence: vec![grant.from.clone(), role.from.clone()],
            });
        }
        rights
    }

    fn by_graph<'b>(
        &'b self,
        permissions: &'static [&'static str],
        doubt: Option<&'static str>,
    ) -> impl Iterator<Item = Right<'a>> + use<'a, 'b> {
        let grants = self.tenant.directory.graph_grants.iter();
        grants.filter_map(move |grant| {
            let role = grant.role.as_deref()?;
            permissions.contains(&role).then(|| Right {
                principal: &grant.principal_id,
                by: format!("application permission `{role}`"),
                is_eligible: false,
                doubt,
                evidence: vec![grant.from.clone()],
            })
        })
    }
}

/// Whether a role reaches one of these objects: outer none where it does not, inner the doubt about it.
fn reach(grant: &DirectoryRoleGrant, objects: &[&str]) -> Option<Option<&'static str>> {
    match grant.scope.as_deref() {
        None | Some("/") => Some(None),
        Some(scope) if scope.to_lowercase().starts_with("/administrativeunits/") => {
            Some(Some("it holds in an administrative unit; whether the object is in it is not known"))
        }
        Some(scope) => objects.contains(&scope.trim_start_matches('/').to_lowercase().as_str()).then_some(None),
    }
}

fn plain(principal: &str, by: String, from: Cite) -> Right<'_> {
    Right { principal, by, is_eligible: false, doubt: None, evidence: vec![from] }
}

fn edge(step: Step, right: Right<'_>, to: &str) -> Edge {
    Edge {
        step,
        from: right.principal.to_owned(),
        to: Target::Principal(to.to_owned()),
        by: right.by,
        on: None,
        is_activated_first: right.is_eligible,
        certainty: if right.doubt.is_some() { Certainty::Possible } else { Certainty::Certain },
        doubt: right.doubt.map(str::to_owned),
        evidence: right.evidence,
    }
}
