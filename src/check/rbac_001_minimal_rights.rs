//! Workloads' data rights on vaults in RBAC mode.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::people::{People, Person, about_access, and_more};
use super::roles::{conditional, role_name, through, unknown_definition};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population, whole};
use crate::access::{Held, Open, Path, Via};
use crate::evidence::{Cite, Kind};
use crate::model::{Missing, Permission, RoleAssignment, RoleDefinition, Vault};

/// Roles that read or use and do not change, by GUID: Secrets User, Crypto User, Certificate User, Crypto Service
/// Encryption User, Key Vault Reader.
const MINIMAL: &[&str] = &[
    "4633458b-17de-408a-b874-0445c86b69e6",
    "12338af0-0e69-4776-bea7-57ae8d297424",
    "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
    "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    "21090545-7ca7-4776-b22c-e363652d74d2",
];

/// Data actions that a custom role may have to count as minimal.
const READING: &[&str] =
    &["microsoft.keyvault/vaults/secrets/getsecret/action", "microsoft.keyvault/vaults/secrets/readmetadata/action"];

pub(super) const CHECK: Check = Check {
    id: "RBAC-001",
    title: "Data rights of non-human identities on vaults are read-only and minimal",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "For every vault in RBAC mode, the data roles that managed identities and service principals hold at, above \
           and inside the vault, directly or through groups. Key Vault Secrets User, Crypto User, Certificate User, \
           Crypto Service Encryption User and Reader count as minimal, by definition id; so does a custom role that \
           only reads secrets. Every other data role is an exception.",
    blind_to: "Whether the workload needs what it may read, vaults in access-policy mode (KV-005), roles that are \
               eligible and not active, and principals of other tenants that come through Lighthouse.",
    fix: "Assign the role that the workload needs at the vault, such as `az role assignment create --role \
          4633458b-17de-408a-b874-0445c86b69e6 --assignee-object-id <object id> --assignee-principal-type \
          ServicePrincipal --scope <vault id>`, then delete the wider assignment.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        whole(Kind::Principals),
        judged(Kind::GroupMembers),
        judged(Kind::DenyAssignments),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let mut holders = Holders::new();
    for person in people.non_human() {
        for held in facts.access.held_by(&person.id) {
            holders.entry(held.assignment).or_default().push((person, held));
        }
    }
    let vaults = facts.tenant.vaults.iter().filter(|vault| vault.is_rbac());
    vaults.flat_map(|vault| of_vault(facts, &people, &holders, vault)).collect()
}

/// The non-human identities behind each role assignment, by its place in the list.
type Holders<'a> = BTreeMap<usize, Vec<(&'a Person, Held)>>;

/// Assignments that an identity is behind, and how.
type Roles<'a> = Vec<(&'a RoleAssignment, &'a Held)>;

fn of_vault(facts: &Facts<'_>, people: &People<'_>, holders: &Holders<'_>, vault: &Vault) -> Vec<Finding> {
    let with_data = with_data(facts, vault);
    let named: BTreeSet<&str> = with_data.iter().map(|(_, assignment)| assignment.principal_id.as_str()).collect();
    let hidden = named.iter().find_map(|holder| people.hidden_members(holder));
    let unjudged = named.iter().find_map(|holder| people.unjudged(holder));
    let mut of_person: BTreeMap<&str, (&Person, Roles<'_>)> = BTreeMap::new();
    for (index, assignment) in &with_data {
        for (person, held) in holders.get(index).into_iter().flatten() {
            of_person.entry(&person.id).or_insert((person, Vec::new())).1.push((assignment, held));
        }
    }
    let persons = of_person.values();
    let mut findings: Vec<Finding> =
        persons.filter_map(|(person, roles)| judge(facts, vault, person, roles, hidden.as_ref())).collect();
    for open in hidden.iter().chain(&unjudged) {
        findings.push(about("vault", &vault.id, &vault.name, &vault.from).missing(open));
    }
    if findings.is_empty() {
        let lists = facts.records_of(Kind::RoleAssignments);
        let on = about("vault", &vault.id, &vault.name, &vault.from).citing(&lists);
        findings.push(on.not_applicable("no non-human identity holds a data role on it"));
    }
    findings
}

/// Data roles of one identity on one vault; none when it has none.
fn judge(
    facts: &Facts<'_>,
    vault: &Vault,
    person: &Person,
    roles: &[(&RoleAssignment, &Held)],
    hidden: Option<&Missing>,
) -> Option<Finding> {
    let mut minimal: Vec<String> = Vec::new();
    let mut wide: Vec<String> = Vec::new();
    let mut open: Option<Open> = None;
    let mut evidence: Vec<&Cite> = Vec::new();
    for (assignment, held) in roles {
        let definition = facts.tenant.role_definitions.get(&assignment.role);
        evidence.extend(&held.evidence);
        let words = words(facts, assignment, held);
        let Some(definition) = definition else {
            open = open.or_else(|| Some(unknown_definition(assignment)));
            continue;
        };
        // A condition or a deny assignment takes away from a role that only reads, and adds nothing to it.
        if is_minimal(assignment, definition) {
            minimal.push(words);
            continue;
        }
        match why_open(facts, vault, person, assignment, definition) {
            Some(why) => open = open.or(Some(why)),
            None => wide.push(words),
        }
    }
    let on = about_access(vault, person).citing(evidence);
    match (wide.first(), open, hidden, minimal.first()) {
        (Some(first), ..) => Some(on.fail(format!("holds {}, more than reading", and_more(first, wide.len())))),
        (None, Some(open), ..) => Some(on.open(&open)),
        (None, None, Some(hidden), Some(_)) => Some(on.missing(hidden)),
        (None, None, None, Some(_)) => Some(on.pass(format!("holds only {}", minimal.join(", ")))),
        (None, None, _, None) => None,
    }
}

fn words(facts: &Facts<'_>, assignment: &RoleAssignment, held: &Held) -> String {
    format!("`{}` at `{}`{}", role_name(facts, &assignment.role), assignment.scope, through(held))
}

/// The assignments at, above and inside the vault whose role has data actions of a vault, or was not read.
fn with_data<'a>(facts: &Facts<'a>, vault: &Vault) -> Vec<(usize, &'a RoleAssignment)> {
    let tenant = facts.tenant;
    let reaching = facts.access.reaching(&vault.id).into_iter();
    let reaching = reaching.filter_map(|index| Some((index, tenant.role_assignments.get(index)?)));
    let may_read = |role: &str| tenant.role_definitions.get(role).is_none_or(has_vault_data);
    reaching.filter(|(_, assignment)| may_read(&assignment.role)).collect()
}

/// What keeps the role from being judged. What the access engine says about the same assignment goes first, because
/// it knows deny assignments; roles that give none of its capabilities have no path there.
fn why_open(
    facts: &Facts<'_>,
    vault: &Vault,
    person: &Person,
    assignment: &RoleAssignment,
    definition: &RoleDefinition,
) -> Option<Open> {
    let is_this = |path: &&Arc<Path>| matches!(&*path.via, Via::Role { assignment: id, .. } if *id == assignment.id);
    let of_person = facts.access.of_principal(&vault.id, &person.id);
    let mut paths = of_person.iter().flat_map(|grant| &grant.paths).filter(is_this);
    if let Some(open) = paths.find_map(|path| path.open.as_deref()) {
        return Some(open.clone());
    }
    let on_role = definition.permissions.iter().find_map(|entry| entry.condition.as_deref());
    assignment.condition.as_deref().or(on_role).map(|condition| conditional(assignment, condition))
}

/// Whether a role has any data action that a vault knows.
fn has_vault_data(definition: &RoleDefinition) -> bool {
    data_actions(definition).any(|action| {
        let action = action.to_lowercase();
        let before_wildcard = action.split('*').next().unwrap_or_default();
        action.starts_with("microsoft.keyvault/") || "microsoft.keyvault/vaults/".starts_with(before_wildcard)
    })
}

fn is_minimal(assignment: &RoleAssignment, definition: &RoleDefinition) -> bool {
    let is_reading = |action: &str| READING.contains(&action.to_lowercase().as_str());
    MINIMAL.contains(&assignment.role.as_str()) || data_actions(definition).all(is_reading)
}

fn data_actions(definition: &RoleDefinition) -> impl Iterator<Item = &str> {
    let entries = definition.permissions.iter();
    entries.flat_map(|entry: &Permission| entry.data_actions.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::roles::testing::{
        APP, CERTIFICATES, CUSTOM, GROUP, OFFICER, OWNER, UNLISTED, ada, holding, member_of,
    };
    use crate::check::testing::{
        SECRETS_USER, SUB, about_name, base, findings_of, list, only, role_json, vault_id, vault_json,
    };
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    fn with_role(role: &str) -> CaptureBuilder {
        holding(&[(&vault_id("kv"), role, APP)], &json!({}))
    }

    #[test]
    fn reading_roles_pass() {
        let finding = judged(with_role(SECRETS_USER));
        assert_eq!((finding.outcome(), finding.subject().name.as_str()), (Outcome::Pass, "kv ← app"));
        assert_eq!(finding.because(), format!("holds only `Key Vault Secrets User` at `{}`", vault_id("kv")));
        // A custom role that only reads secrets, whatever its case.
        assert_eq!(judged(with_role(CUSTOM)).outcome(), Outcome::Pass);
        // Inherited reading is RBAC-002's.
        assert_eq!(judged(holding(&[(SUB, SECRETS_USER, APP)], &json!({}))).outcome(), Outcome::Pass);
    }

    #[test]
    fn officers_fail_also_where_they_read_no_secret_and_inside_the_vault() {
        for role in [OFFICER, CERTIFICATES] {
            assert_eq!(judged(with_role(role)).outcome(), Outcome::Fail);
        }
        let one_secret = format!("{}/secrets/db", vault_id("kv"));
        assert_eq!(judged(holding(&[(&one_secret, OFFICER, APP)], &json!({}))).outcome(), Outcome::Fail);
        let both = [(vault_id("kv"), SECRETS_USER), (SUB.to_owned(), OFFICER)];
        let held: Vec<(&str, &str, &str)> = both.iter().map(|(scope, role)| (scope.as_str(), *role, APP)).collect();
        let because = format!("holds `Key Vault Secrets Officer` at `{SUB}`, more than reading");
        assert_eq!(judged(holding(&held, &json!({}))).because(), because);
    }

    #[test]
    fn a_wildcard_in_a_custom_role_fails() {
        let wide = list([role_json(CUSTOM, "Everything", &[], &["*"])]);
        assert_eq!(judged(with_role(CUSTOM).replace(Kind::RoleDefinitions, SUB, wide)).outcome(), Outcome::Fail);
        let named_like_a_reader = list([role_json(CUSTOM, "Key Vault Secrets User", &[], &["Microsoft.KeyVault/*"])]);
        let finding = judged(with_role(CUSTOM).replace(Kind::RoleDefinitions, SUB, named_like_a_reader));
        assert_eq!(finding.outcome(), Outcome::Fail);
    }

    #[test]
    fn a_member_of_an_unknown_kind_is_not_passed_over() {
        let held = holding(&[(&vault_id("kv"), OFFICER, GROUP)], &json!({}));
        let odd = json!({"id": "eeeeeeee-0000-0000-0000-000000000001", "displayName": "odd"});
        let finding = judged(held.answer(Kind::GroupMembers, &format!("group:{GROUP}"), list([odd])));
        assert_eq!(finding.reason(), Some(Reason::ValueUnknown), "{}", finding.because());
    }

    #[test]
    fn a_role_through_a_group_names_the_group() {
        let finding = judged(member_of(holding(&[(&vault_id("kv"), OFFICER, GROUP)], &json!({})), APP));
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert!(finding.because().contains("through group `readers`"), "{}", finding.because());
    }

    #[test]
    fn an_unlisted_definition_or_a_condition_is_not_evaluated() {
        assert_eq!(judged(with_role(UNLISTED)).reason(), Some(Reason::RoleDefinitionUnknown));
        for role in [OFFICER, CERTIFICATES] {
            let under = json!({"properties": {"condition": "(a)"}});
            let finding = judged(holding(&[(&vault_id("kv"), role, APP)], &under));
            assert_eq!(finding.reason(), Some(Reason::ConditionNotEvaluated));
        }
    }

    #[test]
    fn what_may_be_denied_is_not_evaluated_beyond_reading_and_stays_a_pass_within() {
        let unread = |role: &str| judged(with_role(role).denied(Kind::DenyAssignments, SUB));
        assert_eq!(unread(OFFICER).reason(), Some(Reason::Forbidden));
        assert_eq!(unread(SECRETS_USER).outcome(), Outcome::Pass);
        let under = json!({"properties": {"condition": "(a)"}});
        let finding = judged(holding(&[(&vault_id("kv"), SECRETS_USER, APP)], &under));
        assert_eq!(finding.outcome(), Outcome::Pass);
    }

    #[test]
    fn a_group_that_was_not_read_keeps_no_pass_on_its_vault_alone() {
        let vaults = ["kv", "other"].map(|name| vault_json(name, &json!({})));
        let (kv, other) = (vault_id("kv"), vault_id("other"));
        let builder =
            holding(&[(&kv, SECRETS_USER, APP), (&other, SECRETS_USER, APP), (&kv, OFFICER, GROUP)], &json!({}));
        let builder = builder.replace(Kind::Vaults, SUB, list(vaults));
        let findings =
            findings_of(&CHECK, builder.gap(Kind::GroupMembers, &format!("group:{GROUP}"), Reason::Forbidden));
        assert_eq!(about_name(&findings, "kv ← app").reason(), Some(Reason::Forbidden));
        assert_eq!(about_name(&findings, "kv").reason(), Some(Reason::Forbidden));
        assert_eq!(about_name(&findings, "other ← app").outcome(), Outcome::Pass);
    }

    #[test]
    fn roles_and_definitions_that_were_not_read_keep_no_pass() {
        for (kind, scope) in [(Kind::RoleAssignments, "/"), (Kind::Principals, "directory")] {
            let findings = findings_of(&CHECK, with_role(SECRETS_USER).denied(kind, scope));
            assert!(findings.iter().all(|finding| finding.outcome() == Outcome::NotEvaluated), "{findings:#?}");
        }
        let without = judged(with_role(SECRETS_USER).denied(Kind::RoleDefinitions, SUB));
        assert_eq!(without.outcome(), Outcome::NotEvaluated);
        let unread = judged(holding(&[], &json!({})).denied(Kind::RoleAssignments, SUB));
        assert_eq!(unread.reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn nobody_humans_managers_and_vaults_with_policies_are_not_applicable() {
        assert_eq!(judged(holding(&[], &json!({}))).outcome(), Outcome::NotApplicable);
        assert_eq!(
            judged(ada(holding(&[(&vault_id("kv"), OFFICER, GROUP)], &json!({})))).outcome(),
            Outcome::NotApplicable
        );
        assert_eq!(judged(with_role(OWNER)).outcome(), Outcome::NotApplicable);
        let policies: Value = vault_json("kv", &json!({"properties": {"enableRbacAuthorization": false}}));
        assert_eq!(
            judged(with_role(OFFICER).replace(Kind::Vaults, SUB, list([policies]))).outcome(),
            Outcome::NotApplicable
        );
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
