//! Who holds roles on a vault that do not show a single value.

use std::collections::{BTreeMap, BTreeSet};

use super::people::{People, Who, counted};
use super::roles::unknown_definition;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population, whole};
use crate::access::{Answer, Capability, Grant, grants_action};
use crate::evidence::{Cite, Kind};
use crate::model::{Id, PrincipalKind, RoleAssignment, RoleDefinition, Tenant, Vault};

/// Whoever may do this sees the vault in Azure Resource Manager.
const SEEING: &str = "Microsoft.KeyVault/vaults/read";
/// So many names are printed for a vault; the rest is counted.
const NAMES: usize = 10;

pub(super) const CHECK: Check = Check {
    id: "RBAC-011",
    title: "Roles that show a vault without its values are shown as such",
    severity: Severity::Info,
    nature: Nature::Design,
    asks: "For every vault in RBAC mode, who holds a role that sees or manages the vault (Reader, Key Vault Reader, \
           Contributor, Owner and others with `Microsoft.KeyVault/vaults/read`) and no role that reads secret values. \
           Such roles cannot read values under RBAC; the list is reported for information.",
    blind_to: "Ways from such a role to the values: who may grant access (RBAC-005) or change the vault can give itself \
               a role first. These holders are marked.",
    fix: "Nothing to fix. To narrow who sees the vault, delete the assignments with `az role assignment delete --ids \
          <assignment id>`.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        whole(Kind::Principals),
        judged(Kind::GroupMembers),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let seeing = seeing(facts.tenant);
    let vaults = facts.tenant.vaults.iter().filter(|vault| vault.is_rbac());
    vaults.map(|vault| judge(facts, &people, &seeing, vault)).collect()
}

fn judge(facts: &Facts<'_>, people: &People<'_>, seeing: &BTreeSet<&str>, vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let mut readers: Vec<Grant> = facts.access.can(&vault.id, Capability::ReadSecret);
    readers.retain(|grant| grant.answer != Answer::Denied);
    if let Some(hidden) = readers.iter().find_map(|grant| people.hidden_members(&grant.principal_id)) {
        return on.missing(&hidden);
    }
    let readers: BTreeSet<&str> = readers.iter().map(|grant| &*grant.principal_id).collect();
    let mut evidence: BTreeSet<Cite> = BTreeSet::new();
    let mut holders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let reaching = facts.access.reaching(&vault.id).into_iter();
    let above = facts.tenant.hierarchy.above(&vault.id);
    let reaches = |scope: &Id| scope.is_at_or_above(&vault.id) || above.contains(scope);
    for assignment in reaching.filter_map(|index| facts.tenant.role_assignments.get(index)) {
        if !reaches(&assignment.scope) {
            continue;
        }
        if !facts.tenant.role_definitions.contains_key(&assignment.role) {
            return on.open(&unknown_definition(assignment)); // it may see the vault
        }
        if !seeing.contains(assignment.role.as_str()) {
            continue;
        }
        if let Some(hidden) = people.hidden_members(&assignment.principal_id) {
            return on.missing(&hidden); // the list would be shorter than it is, and say nothing of it
        }
        evidence.insert(assignment.from.clone());
        let role = facts.tenant.role_definitions.get(&assignment.role);
        let role = role.map_or(assignment.role.clone(), |role| role.name.clone());
        for holder in who_holds(facts, people, assignment) {
            holders.entry(holder).or_default().insert(role.clone());
        }
    }
    holders.retain(|holder, _| !readers.contains(holder.as_str()));
    let on = on.citing(&evidence);
    if holders.is_empty() {
        return on.not_applicable("nobody holds a role that sees the vault without reading its values");
    }
    on.pass(words(facts, people, vault, &holders))
}

/// The roles that see vaults.
fn seeing(tenant: &Tenant) -> BTreeSet<&str> {
    let sees = |role: &RoleDefinition| role.permissions.iter().any(|entry| grants_action(entry, SEEING));
    let roles = tenant.role_definitions.iter().filter(|(_, role)| sees(role));
    roles.map(|(guid, _)| guid.as_str()).collect()
}

/// The principal, or the members of the group; a group without members stands for itself.
fn who_holds(facts: &Facts<'_>, people: &People<'_>, assignment: &RoleAssignment) -> Vec<String> {
    let is_group = |id: &str| matches!(people.who(id), Who::Known(person) if person.kind == PrincipalKind::Group);
    let members = facts.tenant.members.get(&assignment.principal_id).into_iter().flatten();
    let people: Vec<String> = members.map(|member| member.id.clone()).filter(|id| !is_group(id)).collect();
    if people.is_empty() { vec![assignment.principal_id.clone()] } else { people }
}

fn words(
    facts: &Facts<'_>,
    people: &People<'_>,
    vault: &Vault,
    holders: &BTreeMap<String, BTreeSet<String>>,
) -> String {
    let changing = [Capability::GrantAccess, Capability::ManageVault].into_iter();
    let changing = changing.flat_map(|capability| facts.access.can(&vault.id, capability));
    let changing = changing.filter(|grant| grant.answer != Answer::Denied);
    let can_change: BTreeSet<String> = changing.map(|grant| grant.principal_id.to_string()).collect();
    let mut named: Vec<String> = holders
        .iter()
        .map(|(holder, roles)| {
            let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
            let mark = if can_change.contains(holder.as_str()) { ", and may change that" } else { "" };
            format!("`{}` (holds {}{mark})", people.name(holder), roles.join(", "))
        })
        .collect();
    named.sort();
    let rest = named.len().saturating_sub(NAMES);
    named.truncate(NAMES);
    let more = if rest == 0 { String::new() } else { format!(", and {rest} more") };
    format!("{} cannot read values under RBAC: {}{more}", counted(holders.len(), "principal"), named.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::check::roles::testing::{APP, GROUP, OWNER, READER, ada, holding};
    use crate::check::testing::{SECRETS_USER, SUB, base, findings_of, only, vault_id};
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn a_reader_is_shown_as_one_who_reads_no_value() {
        let finding = judged(holding(&[(SUB, READER, APP)], &json!({})));
        assert_eq!((finding.outcome(), finding.subject().name.as_str()), (Outcome::Pass, "kv"));
        assert_eq!(finding.because(), "1 principal cannot read values under RBAC: `app` (holds Reader)");
    }

    #[test]
    fn an_owner_is_marked_and_members_stand_for_their_group() {
        let finding = judged(ada(holding(&[(SUB, OWNER, GROUP)], &json!({}))));
        let because = "1 principal cannot read values under RBAC: `ada` (holds Owner, and may change that)";
        assert_eq!(finding.because(), because);
    }

    #[test]
    fn who_reads_secrets_by_another_role_is_left_out() {
        let finding = judged(holding(&[(SUB, READER, APP), (&vault_id("kv"), SECRETS_USER, APP)], &json!({})));
        assert_eq!(finding.outcome(), Outcome::NotApplicable);
        // Reading one secret is reading.
        let one_secret = format!("{}/secrets/db", vault_id("kv"));
        let finding = judged(holding(&[(SUB, READER, APP), (&one_secret, SECRETS_USER, APP)], &json!({})));
        assert_eq!(finding.outcome(), Outcome::NotApplicable);
    }

    #[test]
    fn a_reading_group_that_was_not_read_leaves_it_open() {
        let finding = judged(holding(&[(SUB, READER, APP), (&vault_id("kv"), SECRETS_USER, GROUP)], &json!({})));
        assert_eq!(finding.reason(), Some(Reason::NotAsked));
    }

    #[test]
    fn a_seeing_group_that_was_not_read_leaves_the_list_open() {
        let finding = judged(holding(&[(SUB, READER, APP), (SUB, OWNER, GROUP)], &json!({})));
        assert_eq!(finding.reason(), Some(Reason::NotAsked));
    }

    #[test]
    fn assignments_that_were_not_read_keep_no_pass() {
        let finding = judged(holding(&[(SUB, READER, APP)], &json!({})).denied(Kind::RoleAssignments, "/"));
        assert_eq!(finding.reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn no_vault_is_not_applicable() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
