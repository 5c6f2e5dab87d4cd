//! One judgement of every non-human identity by the roles that it holds, wherever they are assigned.
//!
//! What RBAC-005 and RBAC-007 share: a role that is an exception makes the identity fail. Otherwise a role that
//! could not be judged leaves it open, and so does such a role in the hands of a group whose members were not
//! read: the identity may be one of them.

use std::collections::BTreeMap;

use super::people::{People, Person, and_more};
use super::{Facts, Finding, about, own};
use crate::access::{Held, Open};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Id, Missing, RoleAssignment};

/// What one role assignment means for its holder.
pub(super) enum Verdict {
    /// Nothing.
    Fine,
    /// An exception; the words say what the role permits.
    Exception(String),
    /// It may be one.
    Open(Open),
}

/// Judges every non-human identity by `verdict`; `none` says what was found when there is no exception.
pub(super) fn each_identity(
    facts: &Facts<'_>,
    verdict: fn(&Facts<'_>, &RoleAssignment) -> Verdict,
    none: &str,
) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let suspects: Vec<&RoleAssignment> = facts
        .tenant
        .role_assignments
        .iter()
        .filter(|assignment| !matches!(verdict(facts, assignment), Verdict::Fine))
        .collect();
    let hidden = hidden(&people, &suspects);
    let unread = hidden.values().next().map(|(_, missing)| missing.clone()).or_else(|| unread_above(facts));
    let mut findings: Vec<Finding> =
        people.non_human().map(|person| judge(facts, person, verdict, none, unread.as_ref())).collect();
    let unjudged =
        suspects.iter().filter_map(|held| Some((&held.principal_id, (*held, people.unjudged(&held.principal_id)?))));
    let unjudged: BTreeMap<&String, (&RoleAssignment, Missing)> = unjudged.collect();
    let hidden = hidden.iter().map(|(id, (held, missing))| (*id, held, missing));
    let open = hidden.chain(unjudged.iter().map(|(id, (held, missing))| (id.as_str(), held, missing)));
    findings.extend(open.map(|(id, held, missing)| {
        let kind = if missing.kind == Kind::GroupMembers { "group" } else { "principal" };
        about(kind, &Id::new(id), &people.name(id), &held.from).missing(missing)
    }));
    findings
}

fn judge(
    facts: &Facts<'_>,
    person: &Person,
    verdict: fn(&Facts<'_>, &RoleAssignment) -> Verdict,
    none: &str,
    unread: Option<&Missing>,
) -> Finding {
    let on = person.about();
    let held = &facts.access.held_by(&person.id);
    let mut exceptions: Vec<(String, &[Cite])> = Vec::new();
    let mut open: Option<(Open, &[Cite])> = None;
    for role in held {
        let Some(assignment) = facts.tenant.role_assignments.get(role.assignment) else { continue };
        match verdict(facts, assignment) {
            Verdict::Fine => {}
            Verdict::Exception(words) => exceptions.push((format!("{words}{}", through(role)), &role.evidence)),
            Verdict::Open(why) if open.is_none() => open = Some((why, &role.evidence)),
            Verdict::Open(_) => {}
        }
    }
    let on = exceptions.iter().fold(on, |on, (_, evidence)| on.citing(*evidence));
    if let Some((words, _)) = exceptions.first() {
        return on.fail(and_more(words, exceptions.len()));
    }
    if let Some((why, evidence)) = open {
        return on.citing(evidence).open(&why);
    }
    if let Some(unread) = unread {
        return on.missing(unread);
    }
    let on = held.iter().fold(on, |on, role| on.citing(&role.evidence));
    on.citing(&facts.records_of(Kind::RoleAssignments)).pass(none)
}

/// Groups, and what may be one, that hold a suspect role and whose members are not known.
pub(super) fn hidden<'a>(
    people: &People<'_>,
    suspects: &[&'a RoleAssignment],
) -> BTreeMap<&'a str, (&'a RoleAssignment, Missing)> {
    let mut hidden = BTreeMap::new();
    for held in suspects {
        if let Some(missing) = people.hidden_members(&held.principal_id) {
            hidden.entry(held.principal_id.as_str()).or_insert((*held, missing));
        }
    }
    hidden
}

/// Assignments at management groups that nobody could see, above any subscription.
pub(super) fn unread_above(facts: &Facts<'_>) -> Option<Missing> {
    let mut subscriptions = facts.tenant.subscriptions.iter();
    subscriptions.find_map(|subscription| facts.missing(&[own(Kind::RoleAssignments)], &subscription.id))
}

/// The groups that a role comes through, for a reader.
pub(super) fn through(held: &Held) -> String {
    match &*held.through {
        [] => String::new(),
        hops => {
            let names: Vec<String> = hops.iter().map(|hop| format!("`{}`", hop.name)).collect();
            format!(" through group {}", names.join(", "))
        }
    }
}

/// Name of a role for a reader, else its GUID.
pub(super) fn role_name<'a>(facts: &Facts<'a>, role: &'a str) -> &'a str {
    facts.tenant.role_definitions.get(role).map_or(role, |definition| definition.name.as_str())
}

/// Why nothing can be said about an assignment whose definition was not read.
pub(super) fn unknown_definition(assignment: &RoleAssignment) -> Open {
    Open {
        reason: Reason::RoleDefinitionUnknown,
        detail: format!("definition `{}` of the role at `{}` was not read", assignment.role, assignment.scope),
        from: Some(assignment.from.clone()),
    }
}

/// Why nothing can be said about an assignment with a condition.
pub(super) fn conditional(assignment: &RoleAssignment, condition: &str) -> Open {
    Open {
        reason: Reason::ConditionNotEvaluated,
        detail: format!("the role at `{}` is under the condition `{}`", assignment.scope, condition.trim()),
        from: Some(assignment.from.clone()),
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! A vault `kv`, a workload `app` with a group `readers` and a human `ada`, and roles that they hold.

    use serde_json::{Value, json};

    use crate::check::testing::{
        ROOT_GROUP, SECRETS_USER, SUB, assignment_json, base, group_json, list, patched, role_json,
        service_principal_json, user_json, vault_json, with_principals,
    };
    use crate::evidence::Kind;
    use crate::evidence::testing::CaptureBuilder;

    /// The workload.
    pub const APP: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    /// The human.
    pub const ADA: &str = "bbbbbbbb-0000-0000-0000-000000000001";
    /// The group.
    pub const GROUP: &str = "dddddddd-0000-0000-0000-000000000001";
    /// Key Vault Secrets Officer.
    pub const OFFICER: &str = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7";
    /// Key Vault Certificates Officer.
    pub const CERTIFICATES: &str = "a4417e6f-fecd-4de8-b567-7b0420556985";
    /// Owner.
    pub const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
    /// Contributor.
    pub const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
    /// Reader.
    pub const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    /// A custom role that reads secrets.
    pub const CUSTOM: &str = "ffffffff-0000-0000-0000-000000000001";
    /// A role whose definition is in no list.
    pub const UNLISTED: &str = "ffffffff-0000-0000-0000-00000000dead";

    fn roles() -> Value {
        let vault = |action: &str| format!("Microsoft.KeyVault/vaults/{action}");
        let (get, list_secrets) = (vault("secrets/getSecret/action"), vault("secrets/readMetadata/action"));
        let contributor = role_json(CONTRIBUTOR, "Contributor", &["*"], &[]);
        let not_actions = ["Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"];
        let permissions =
            json!([{"actions": ["*"], "notActions": not_actions, "dataActions": [], "notDataActions": []}]);
        list([
            role_json(SECRETS_USER, "Key Vault Secrets User", &[], &[&get, &list_secrets]),
            role_json(OFFICER, "Key Vault Secrets Officer", &[], &[&vault("secrets/*")]),
            role_json(CERTIFICATES, "Key Vault Certificates Officer", &[], &[&vault("certificates/*")]),
            role_json(OWNER, "Owner", &["*"], &[]),
            patched(contributor, &json!({"properties": {"permissions": permissions}})),
            role_json(READER, "Reader", &["*/read"], &[]),
            role_json(CUSTOM, "App Reads Secrets", &[], &[&get.to_uppercase()]),
        ])
    }

    /// The tenant with these assignments (scope, role, principal); `patch` is laid over each.
    pub fn holding(held: &[(&str, &str, &str)], patch: &Value) -> CaptureBuilder {
        let mut lists: Vec<(&str, Vec<Value>)> = [SUB, ROOT_GROUP, "/"].map(|scope| (scope, Vec::new())).into();
        for (number, (scope, role, principal)) in held.iter().enumerate() {
            let name = format!("cccccccc-0000-0000-0000-{:012}", number + 1);
            let own = lists
                .iter_mut()
                .find(|(of, _)| of.eq_ignore_ascii_case(scope) || (*of == SUB && scope.starts_with(SUB)));
            let (_, items) = own.expect("a list for the scope");
            items.push(patched(assignment_json(&name, scope, role, principal, "ServicePrincipal"), patch));
        }
        let vaults = list([vault_json("kv", &json!({}))]);
        let mut builder = base().replace(Kind::Vaults, SUB, vaults).replace(Kind::RoleDefinitions, SUB, roles());
        for (scope, items) in lists {
            builder = builder.replace(Kind::RoleAssignments, scope, list(items));
        }
        let people = [service_principal_json(APP, "app"), group_json(GROUP, "readers")];
        with_principals(builder, &[APP, GROUP], people)
    }

    /// Adds this workload as the one member of the group.
    pub fn member_of(builder: CaptureBuilder, id: &str) -> CaptureBuilder {
        builder.answer(Kind::GroupMembers, &format!("group:{GROUP}"), list([service_principal_json(id, "app")]))
    }

    /// Adds the human as the one member of the group.
    pub fn ada(builder: CaptureBuilder) -> CaptureBuilder {
        builder.answer(Kind::GroupMembers, &format!("group:{GROUP}"), list([user_json(ADA, "ada")]))
    }
}
