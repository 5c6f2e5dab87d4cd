//! What an object id stands for, out of every list that names one.
//!
//! The directory is believed first. Azure Resource Manager names identities too, and a group's member list says
//! of what type a member is; both help where the directory was not asked. An id that was asked for and is not
//! there is gone; an id that nobody was asked about is unknown. Neither is taken for a human or for a workload.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::about;
use super::finding::About;
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Id, Member, Missing, Principal, PrincipalKind, RoleAssignment, Tenant, Vault};

/// Someone whom a list names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// Lower-case object id.
    pub id: String,
    /// What it is.
    pub kind: PrincipalKind,
    /// Name for a reader.
    pub name: String,
    /// The record that names it.
    pub from: Cite,
}

impl Person {
    /// The word for a subject's kind.
    pub fn subject_kind(&self) -> &'static str {
        match self.kind {
            PrincipalKind::ManagedIdentity => "managed_identity",
            PrincipalKind::ServicePrincipal => "service_principal",
            PrincipalKind::User => "user",
            PrincipalKind::Group => "group",
            PrincipalKind::Other(_) => "principal",
        }
    }

    /// Begins a finding about it.
    pub fn about(&self) -> About {
        about(self.subject_kind(), &Id::new(self.id.clone()), &self.name, &self.from)
    }
}

/// What is known about one object id.
#[derive(Clone, Debug)]
pub(super) enum Who<'a> {
    /// Somebody.
    Known(&'a Person),
    /// The directory was asked and does not have it.
    Gone(&'a Cite),
    /// Nobody was asked, or not with success.
    Unknown,
}

/// Everybody whom the capture names.
#[derive(Debug)]
pub(super) struct People<'a> {
    tenant: &'a Tenant,
    by_id: BTreeMap<String, Person>,
    by_app: BTreeMap<String, String>,
    by_arm_id: BTreeMap<Id, String>,
    /// Principals that Azure itself says are of another tenant.
    foreign: BTreeSet<&'a str>,
}

impl<'a> People<'a> {
    /// Reads them out of every list.
    pub fn of(tenant: &'a Tenant) -> People<'a> {
        let foreign = tenant.role_assignments.iter().filter(|assignment| is_of_another_tenant(assignment));
        let mut people = People {
            tenant,
            by_id: BTreeMap::new(),
            by_app: BTreeMap::new(),
            by_arm_id: BTreeMap::new(),
            foreign: foreign.map(|assignment| assignment.principal_id.as_str()).collect(),
        };
        for principal in tenant.principals.values().chain(&tenant.managed_identities) {
            people.add_principal(principal);
        }
        for identity in &tenant.user_assigned {
            if let Some(id) = &identity.principal_id {
                people.add(id, PrincipalKind::ManagedIdentity, &identity.name, &identity.from);
                people.by_arm_id.insert(identity.id.clone(), id.to_lowercase());
                if let Some(client) = &identity.client_id {
                    people.by_app.entry(client.to_lowercase()).or_insert_with(|| id.to_lowercase());
                }
            }
        }
        for resource in &tenant.resources {
            if let Some(id) = resource.identity.as_ref().and_then(|identity| identity.system_principal_id.as_ref()) {
                people.add(id, PrincipalKind::ManagedIdentity, &resource.name, &resource.from);
                people.by_arm_id.insert(resource.id.clone(), id.to_lowercase());
            }
        }
        for member in tenant.members.values().flatten() {
            if let Some(kind) = member.odata_type.as_deref().and_then(kind_of_member) {
                people.add(&member.id, kind, &member.name, &member.from);
            }
        }
        people
    }

    fn add_principal(&mut self, principal: &Principal) {
        self.add(&principal.id, principal.kind.clone(), &principal.name, &principal.from);
        if let Some(app) = &principal.app_id {
            self.by_app.entry(app.to_lowercase()).or_insert_with(|| principal.id.to_lowercase());
        }
    }

    fn add(&mut self, id: &str, kind: PrincipalKind, name: &str, from: &Cite) {
        let id = id.to_lowercase();
        let kind = match kind {
            // An agent's identity is a service principal under another type.
            PrincipalKind::Other(name) if name.eq_ignore_ascii_case("agentIdentity") => PrincipalKind::ServicePrincipal,
            kind => kind,
        };
        let person = Person { id: id.clone(), kind, name: name.to_owned(), from: from.clone() };
        self.by_id.entry(id).or_insert(person);
    }

    /// What is known about an object id, compared without case.
    pub fn who(&self, object_id: &str) -> Who<'_> {
        let id = folded(object_id);
        match (self.by_id.get(&*id), self.tenant.resolved_ids.get(&*id)) {
            (Some(person), _) => Who::Known(person),
            (None, Some(asked)) => Who::Gone(asked),
            (None, None) => Who::Unknown,
        }
    }

    /// The holder of an application id.
    pub fn of_app(&self, app_id: &str) -> Option<&Person> {
        self.by_id.get(self.by_app.get(&app_id.to_lowercase())?)
    }

    /// The managed identity with this ARM id, its own or its host's.
    pub fn of_arm_id(&self, arm_id: &str) -> Option<&Person> {
        self.by_id.get(self.by_arm_id.get(&Id::new(arm_id))?)
    }

    /// Every non-human identity, by object id.
    pub fn non_human(&self) -> impl Iterator<Item = &Person> {
        self.by_id.values().filter(|person| person.kind.is_non_human())
    }

    /// Name for a reader, else the object id.
    pub fn name(&self, object_id: &str) -> String {
        match self.who(object_id) {
            Who::Known(person) => person.name.clone(),
            Who::Gone(_) | Who::Unknown => object_id.to_owned(),
        }
    }

    /// Why the members of this principal are not known: it is a group that was not read whole, or it may be one.
    pub fn hidden_members(&self, object_id: &str) -> Option<Missing> {
        let id = folded(object_id);
        match self.who(&id) {
            Who::Known(person) if person.kind == PrincipalKind::Group => self.unread_group(&id),
            Who::Known(Person { kind: PrincipalKind::Other(kind), name, from, .. }) => Some(Missing {
                kind: Kind::Principals,
                scope: "directory".to_owned(),
                reason: Reason::ValueUnknown,
                detail: format!("`{name}` is a `{kind}`, and who stands behind it is not known"),
                from: Some(from.clone()),
            }),
            Who::Known(_) | Who::Gone(_) => None,
            Who::Unknown => Some(self.unresolved(&id)),
        }
    }

    /// Somebody behind this principal of whom it is not known whether it is a non-human identity, although every list
    /// was read: a member of a kind that is not known, or a principal of another tenant. That one cannot be judged;
    /// for all others nothing is left open.
    pub fn unjudged(&self, object_id: &str) -> Option<Missing> {
        let id = object_id.to_lowercase();
        match self.who(&id) {
            Who::Gone(asked) if self.foreign.contains(id.as_str()) => Some(Missing {
                kind: Kind::Principals,
                scope: "directory".to_owned(),
                reason: Reason::PrincipalUnresolved,
                detail: format!("`{id}` belongs to another tenant, whose directory is not asked"),
                from: Some(asked.clone()),
            }),
            Who::Gone(_) | Who::Unknown => None,
            Who::Known(group) => {
                let is_open = |member: &&Member| {
                    !self.by_id.contains_key(&member.id) && !member.odata_type.as_deref().is_some_and(is_harmless)
                };
                let member = self.tenant.members.get(&id)?.iter().find(is_open)?;
                Some(Missing {
                    kind: Kind::GroupMembers,
                    scope: format!("group:{id}"),
                    reason: Reason::ValueUnknown,
                    detail: format!("member `{}` of `{}` is of a kind that is not known", member.name, group.name),
                    from: Some(member.from.clone()),
                })
            }
        }
    }

    fn unread_group(&self, id: &str) -> Option<Missing> {
        let scope = format!("group:{id}");
        let asked = self.tenant.coverage.at(Kind::GroupMembers, &Id::new(scope.as_str())).next();
        match asked {
            Some(asked) => asked.gap.clone().map(|(reason, detail)| Missing {
                kind: Kind::GroupMembers,
                scope: asked.scope.clone(),
                reason,
                detail: format!("members of `{}`: {detail}", self.name(id)),
                from: Some(asked.from.clone()),
            }),
            None => Some(Missing {
                kind: Kind::GroupMembers,
                scope,
                reason: Reason::NotAsked,
                detail: format!("the members of `{}` were not asked for", self.name(id)),
                from: None,
            }),
        }
    }

    /// The directory's missing answer about an object id.
    pub fn unresolved(&self, object_id: &str) -> Missing {
        let coverage = &self.tenant.coverage;
        let refused = coverage.missing_anywhere(Kind::Principals).into_iter().next();
        Missing {
            kind: Kind::Principals,
            scope: "directory".to_owned(),
            reason: Reason::PrincipalUnresolved,
            detail: match &refused {
                Some(refused) => format!("`{object_id}` may be anyone, {}", refused.reason.sentence()),
                None => format!("`{object_id}` was not looked up"),
            },
            from: refused.and_then(|refused| refused.from),
        }
    }
}

/// An id in lower case, as nearly all are.
fn folded(id: &str) -> Cow<'_, str> {
    match id.contains(char::is_uppercase) {
        true => Cow::Owned(id.to_lowercase()),
        false => Cow::Borrowed(id),
    }
}

/// Whether Azure itself says that the principal is of another tenant.
pub(super) fn is_of_another_tenant(assignment: &RoleAssignment) -> bool {
    assignment.delegated_managed_identity.is_some()
        || assignment.principal_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("ForeignGroup"))
}

/// Members that sign in to nothing here.
fn is_harmless(odata_type: &str) -> bool {
    let harmless = ["#microsoft.graph.device", "#microsoft.graph.orgContact", "#microsoft.graph.contact"];
    harmless.iter().any(|known| odata_type.eq_ignore_ascii_case(known))
}

fn kind_of_member(odata_type: &str) -> Option<PrincipalKind> {
    match odata_type.trim_start_matches('#').to_lowercase().as_str() {
        "microsoft.graph.serviceprincipal" | "microsoft.graph.agentidentity" => Some(PrincipalKind::ServicePrincipal),
        "microsoft.graph.user" => Some(PrincipalKind::User),
        "microsoft.graph.group" => Some(PrincipalKind::Group),
        _ => None,
    }
}

/// Begins a finding about somebody's access to one vault. The subject's id is the vault's, so that what was not
/// read for the vault is missing for the finding.
pub(super) fn about_access(vault: &Vault, person: &Person) -> About {
    let name = format!("{} ← {}", vault.name, person.name);
    about(person.subject_kind(), &vault.id, &name, &vault.from).citing([&person.from])
}

/// The first of many, with a count of the rest.
pub(super) fn and_more(first: &str, count: usize) -> String {
    match count {
        0 | 1 => first.to_owned(),
        _ => format!("{first}, and {} more", count - 1),
    }
}

/// `1 read`, `2 reads`.
pub(super) fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::testing::SUB;
    use crate::check::testing::{base, group_json, identity_id, identity_json, list, user_json, with_principals};
    use crate::model;

    const ASKED: &str = "aaaaaaaa-0000-0000-0000-00000000000a";
    const GROUP: &str = "aaaaaaaa-0000-0000-0000-00000000000b";
    const ARM: &str = "aaaaaaaa-0000-0000-0000-00000000000c";
    const MEMBER: &str = "aaaaaaaa-0000-0000-0000-00000000000d";

    #[test]
    fn what_an_id_stands_for_is_taken_from_every_list_and_never_guessed() {
        let member = json!({"@odata.type": "#microsoft.graph.servicePrincipal", "id": MEMBER, "displayName": "worker"});
        let builder = base()
            .replace(Kind::UserAssignedIdentities, SUB, list([identity_json("shared", ARM, &json!({}))]))
            .answer(Kind::GroupMembers, &format!("group:{GROUP}"), list([member]));
        let builder = with_principals(builder, &[ASKED, GROUP], [group_json(GROUP, "readers")]);
        let tenant = model::read(&builder.build()).expect("a tenant");
        let people = People::of(&tenant);
        assert!(matches!(people.who(&ASKED.to_uppercase()), Who::Gone(_)));
        assert!(matches!(people.who("aaaaaaaa-0000-0000-0000-0000000000ff"), Who::Unknown));
        let names: Vec<&str> = people.non_human().map(|person| person.name.as_str()).collect();
        assert_eq!(names, ["shared", "worker"]);
        assert_eq!(people.of_arm_id(&identity_id("SHARED")).map(|person| person.id.as_str()), Some(ARM));
        assert_eq!(people.of_app(ARM).map(|person| person.name.as_str()), Some("shared"));
    }

    #[test]
    fn a_group_hides_its_members_until_they_were_read_and_so_does_an_unknown_type() {
        let odd = json!({"id": ASKED, "displayName": "odd"});
        let builder =
            with_principals(base(), &[ASKED, GROUP, ARM], [group_json(GROUP, "readers"), odd, user_json(ARM, "ada")]);
        let hidden = |builder: crate::evidence::testing::CaptureBuilder, id: &str| {
            let tenant = model::read(&builder.build()).expect("a tenant");
            People::of(&tenant).hidden_members(id).map(|missing| missing.reason)
        };
        let scope = format!("group:{GROUP}");
        assert_eq!(hidden(builder.clone(), GROUP), Some(Reason::NotAsked));
        assert_eq!(
            hidden(builder.clone().gap(Kind::GroupMembers, &scope, Reason::Forbidden), GROUP),
            Some(Reason::Forbidden)
        );
        assert_eq!(hidden(builder.clone().answer(Kind::GroupMembers, &scope, list([])), GROUP), None);
        assert_eq!(hidden(builder.clone(), ASKED), Some(Reason::ValueUnknown));
        assert_eq!(hidden(builder.clone(), ARM), None);
        assert_eq!(hidden(builder, MEMBER), Some(Reason::PrincipalUnresolved));
    }
}
