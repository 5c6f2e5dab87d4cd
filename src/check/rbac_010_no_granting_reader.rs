//! Who decides about the access to a vault and reads its secrets as well.

use std::collections::BTreeMap;

use super::logs::as_open;
use super::people::{People, Who};
use super::readers::{listed, open_of, unread};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::{Activation, Answer, Capability, Grant, Open, Path, Unread, Via};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Missing, Vault};

pub(super) const CHECK: Check = Check {
    id: "RBAC-010",
    title: "Nobody administers the access to a vault and reads its secrets",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "For every vault, who may grant access to it (write role assignments; with access policies also write the \
           vault or its policies) and who may read secret values, effectively: directly, through groups, inherited, by \
           policy. A principal with both is an exception, also where it first activates one of the two without \
           anybody's approval. Where another person must approve the activation, the duties are apart.",
    blind_to: "That whoever may grant access can give itself reading at any time: this is about those who hold both \
               already, and KV-010 and `tickmark access --path` show the ways. Two accounts of one person, guests \
               whose home is the tenant of a delegation, and who approves in the end.",
    fix: "Take one of the two away: `az role assignment delete --ids <assignment id>`; in a vault with access policies \
          `az keyvault delete-policy --name VAULT --object-id ID`. Or make the reading role eligible with an approval: \
          portal, Privileged Identity Management, Azure resources, Settings, Require approval to activate.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        judged(Kind::RoleEligibilityScheduleInstances),
        judged(Kind::ClassicAdministrators),
        judged(Kind::RoleManagementPolicyAssignments),
        judged(Kind::RoleAssignmentScheduleInstances),
        judged(Kind::RegistrationAssignments),
        judged(Kind::DenyAssignments),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::UserAssignedIdentities),
        judged(Kind::Resources),
        judged(Kind::VirtualMachines),
        judged(Kind::GroupMembers),
        judged(Kind::GroupAssignments),
        judged(Kind::GroupEligibilities),
    ],
    run,
};

/// What hides somebody with both rights when it was not read.
const MATTERS: &[Unread] = &[
    Unread::Scope,
    Unread::ManagementGroups,
    Unread::Members,
    Unread::Definition,
    Unread::Eligibility,
    Unread::Classic,
];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    facts.tenant.vaults.iter().map(|vault| judge(facts, &people, vault)).collect()
}

/// Grants of one capability by principal, on the vault and in it.
type Holders<'a> = BTreeMap<&'a str, Vec<&'a Grant>>;

fn judge(facts: &Facts<'_>, people: &People<'_>, vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let granting = facts.access.can(&vault.id, Capability::GrantAccess);
    let reading = facts.access.can(&vault.id, Capability::ReadSecret);
    let (granting, reading) = (by_principal(&granting), by_principal(&reading));
    let mut both: Vec<String> = Vec::new();
    let mut evidence: Vec<Cite> = Vec::new();
    let mut open: Option<Open> = None;
    for (principal, grants) in &granting {
        let Some(reads) = reading.get(principal) else { continue };
        if people.hidden_members(principal).is_some() {
            continue; // whether anybody is behind it is asked below
        }
        match combined(grants, reads) {
            Verdict::Apart => {}
            Verdict::Both(words) => {
                both.push(format!("`{}`{words}", people.name(principal)));
                let paths = grants.iter().chain(reads).flat_map(|grant| &grant.paths);
                evidence.extend(paths.flat_map(|path| facts.access.evidence(&vault.id, path)));
            }
            Verdict::Open(why) => open = open.or(Some(why)),
        }
    }
    if !both.is_empty() {
        return on.citing(&evidence).fail(format!("may grant access to it and read its secrets: {}", listed(both)));
    }
    if let Some(open) = open.or_else(|| unread(facts, vault, MATTERS)) {
        return on.open(&open);
    }
    if let Some(missing) = hidden(people, &granting, &reading) {
        return on.open(&as_open(&missing));
    }
    let on = on.citing(&facts.records_about(Kind::RoleAssignments, &vault.id));
    on.pass(format!(
        "nobody holds both: {} may grant access to it, {} may read its secrets",
        granting.len(),
        reading.len()
    ))
}

/// Those that are not denied, and are of this tenant.
fn by_principal(grants: &[Grant]) -> Holders<'_> {
    let mut holders = Holders::new();
    let is_foreign = |grant: &&Grant| grant.paths.iter().all(|path| matches!(&*path.via, Via::Lighthouse { .. }));
    for grant in grants.iter().filter(|grant| grant.answer != Answer::Denied && !is_foreign(grant)) {
        holders.entry(&*grant.principal_id).or_default().push(grant);
    }
    holders
}

/// What two rights of one principal mean together.
enum Verdict {
    Apart,
    Both(&'static str),
    Open(Open),
}

fn combined(granting: &[&Grant], reading: &[&Grant]) -> Verdict {
    let best = |grants: &[&Grant]| Answer::over_paths(grants.iter().map(|grant| grant.answer));
    let both = best(granting).max(best(reading));
    match both {
        None | Some(Answer::Denied) => Verdict::Apart,
        Some(Answer::Allowed) => Verdict::Both(""),
        Some(Answer::Conditional | Answer::NotDetermined) => {
            let unsettled = granting.iter().chain(reading).filter(|grant| Some(grant.answer) == both);
            let mut paths = unsettled.flat_map(|grant| &grant.paths).filter(|path| Some(path.answer) == both);
            paths.next().map_or(Verdict::Apart, |path| Verdict::Open(open_of(path)))
        }
        Some(Answer::Eligible) => by_activation(granting, reading),
    }
}

/// One side, or both, must be activated first. An approval on one of them is enough.
fn by_activation(granting: &[&Grant], reading: &[&Grant]) -> Verdict {
    let sides = [granting, reading].map(|grants| {
        let paths: Vec<&Path> = grants.iter().flat_map(|grant| &grant.paths).map(|path| &**path).collect();
        let stands = paths.iter().any(|path| path.answer == Answer::Allowed);
        let eligible: Vec<&Path> = paths.into_iter().filter(|path| path.answer == Answer::Eligible).collect();
        (stands, eligible)
    });
    let mut not_told: Option<Open> = None;
    for (_, eligible) in sides.iter().filter(|(stands, _)| !stands) {
        let asked: Vec<Option<bool>> = eligible.iter().map(|path| approval(&path.activations)).collect();
        if asked.iter().all(|asked| *asked == Some(true)) {
            return Verdict::Apart;
        }
        if asked.iter().all(|asked| *asked != Some(false)) {
            not_told = eligible.iter().find(|path| approval(&path.activations).is_none()).map(|path| Open {
                reason: Reason::NotAsked,
                detail: format!("whether the activation needs an approval was not read: {}", path.words()),
                from: path.evidence().next().cloned(),
            });
        }
    }
    not_told.map_or(Verdict::Both(", after an activation that nobody approves"), Verdict::Open)
}

/// Whether one of the activations on a path needs an approval; none when no rule says yes and one was not read.
fn approval(activations: &[std::sync::Arc<Activation>]) -> Option<bool> {
    if activations.iter().any(|activation| activation.approval == Some(true)) {
        return Some(true);
    }
    activations.iter().all(|activation| activation.approval == Some(false)).then_some(false)
}

/// Somebody unknown on one side who may be anybody on the other.
fn hidden(people: &People<'_>, granting: &Holders<'_>, reading: &Holders<'_>) -> Option<Missing> {
    let behind = |holder: &&str| match people.who(holder) {
        Who::Gone(_) => people.unjudged(holder),
        _ => people.hidden_members(holder).or_else(|| people.unjudged(holder)),
    };
    let of_granting = granting.keys().filter(|_| !reading.is_empty()).find_map(behind);
    of_granting.or_else(|| reading.keys().filter(|_| !granting.is_empty()).find_map(behind))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::check::roles::testing::{ADA, APP, CONTRIBUTOR, GROUP, OFFICER, OWNER, READER, ada, holding};
    use crate::check::testing::{
        SECRETS_USER, SUB, base, findings_of, list, only, policy_json, user_json, vault_id, vault_json, with_principals,
    };
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    fn knowing_ada(builder: CaptureBuilder) -> CaptureBuilder {
        with_principals(builder, &[ADA], [user_json(ADA, "ada")])
    }

    /// Ada is Owner of the subscription and eligible for Secrets Officer at the vault, with this rule of approval.
    fn eligible(approval: Option<bool>) -> CaptureBuilder {
        let role = format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{OFFICER}");
        let at = |kind: &str| format!("{}/providers/Microsoft.Authorization/{kind}", vault_id("kv"));
        let schedule = json!({"id": at("roleEligibilityScheduleInstances/e1"), "name": "e1", "properties":
            {"scope": vault_id("kv"), "principalId": ADA, "roleDefinitionId": role, "memberType": "Direct"}});
        let rule = json!({"id": "Approval_EndUser_Assignment", "ruleType": "RoleManagementPolicyApprovalRule",
            "target": {"caller": "EndUser", "level": "Assignment"}, "setting": {"isApprovalRequired": approval}});
        let rules = json!({"id": at("roleManagementPolicyAssignments/p1"), "name": "p1", "properties":
            {"scope": vault_id("kv"), "roleDefinitionId": role, "effectiveRules": [rule]}});
        let rules = if approval.is_some() { vec![rules] } else { Vec::new() };
        knowing_ada(holding(&[(SUB, OWNER, ADA)], &json!({})))
            .replace(Kind::RoleEligibilityScheduleInstances, SUB, list([schedule]))
            .replace(Kind::RoleManagementPolicyAssignments, SUB, list(rules))
    }

    #[test]
    fn both_in_one_principal_fails_whatever_it_is() {
        let person = judged(knowing_ada(holding(&[(SUB, OWNER, ADA), (SUB, SECRETS_USER, ADA)], &json!({}))));
        assert_eq!((person.outcome(), person.subject().name.as_str()), (Outcome::Fail, "kv"));
        assert_eq!(person.because(), "may grant access to it and read its secrets: `ada`");
        let one_secret = format!("{}/secrets/db", vault_id("kv"));
        let workload = judged(holding(&[(SUB, OWNER, APP), (&one_secret, SECRETS_USER, APP)], &json!({})));
        assert_eq!(workload.outcome(), Outcome::Fail, "one secret is enough");
        let mixed = ada(holding(&[(SUB, OWNER, GROUP), (SUB, SECRETS_USER, ADA)], &json!({})));
        assert_eq!(judged(knowing_ada(mixed)).outcome(), Outcome::Fail, "one of them through a group");
    }

    #[test]
    fn apart_passes() {
        let held = [(SUB, OWNER, ADA), (SUB, SECRETS_USER, APP)];
        let finding = judged(knowing_ada(holding(&held, &json!({}))));
        assert_eq!(finding.because(), "nobody holds both: 1 may grant access to it, 1 may read its secrets");
        assert_eq!(finding.outcome(), Outcome::Pass);
        let reader = judged(holding(&[(SUB, READER, APP), (SUB, SECRETS_USER, APP)], &json!({})));
        assert_eq!(reader.outcome(), Outcome::Pass);
    }

    #[test]
    fn in_policy_mode_whoever_writes_the_vault_grants() {
        let policies =
            json!({"properties": {"enableRbacAuthorization": false, "accessPolicies": [policy_json(APP, &["get"])]}});
        let contributor = holding(&[(SUB, CONTRIBUTOR, APP)], &json!({}));
        let finding = judged(contributor.replace(Kind::Vaults, SUB, list([vault_json("kv", &policies)])));
        assert_eq!(finding.outcome(), Outcome::Fail);
    }

    #[test]
    fn an_activation_counts_unless_another_person_approves_it() {
        assert_eq!(judged(eligible(Some(true))).outcome(), Outcome::Pass);
        let alone = judged(eligible(Some(false)));
        assert_eq!(alone.outcome(), Outcome::Fail);
        assert!(alone.because().ends_with("`ada`, after an activation that nobody approves"), "{}", alone.because());
        assert_eq!(judged(eligible(None)).reason(), Some(Reason::NotAsked), "the rules were not read");
    }

    #[test]
    fn a_condition_and_a_group_that_was_not_read_are_not_evaluated() {
        let under = json!({"properties": {"condition": "(a)"}});
        let held = holding(&[(SUB, OWNER, APP), (SUB, SECRETS_USER, APP)], &under);
        assert_eq!(judged(held).reason(), Some(Reason::ConditionNotEvaluated));
        let hidden = holding(&[(SUB, OWNER, GROUP), (SUB, SECRETS_USER, APP)], &json!({}));
        assert_eq!(judged(hidden).reason(), Some(Reason::NotAsked));
        let alone = holding(&[(SUB, OWNER, GROUP)], &json!({}));
        assert_eq!(judged(alone).reason(), Some(Reason::NotAsked), "who is behind a holder is a gap of the vault");
    }

    #[test]
    fn what_was_not_read_keeps_no_pass() {
        for (kind, scope) in [
            (Kind::RoleAssignments, "/"),
            (Kind::RoleDefinitions, SUB),
            (Kind::RoleEligibilityScheduleInstances, SUB),
            (Kind::ClassicAdministrators, SUB),
        ] {
            let finding = judged(holding(&[(SUB, SECRETS_USER, APP)], &json!({})).denied(kind, scope));
            assert_eq!(finding.outcome(), Outcome::NotEvaluated, "{kind:?}");
        }
        let none = judged(holding(&[], &json!({})));
        assert_eq!(none.outcome(), Outcome::Pass, "nobody at all");
    }

    #[test]
    fn without_a_licence_nothing_is_activated_and_the_classic_model_may_be_retired() {
        let apart = holding(&[(SUB, SECRETS_USER, APP)], &json!({}));
        let unlicensed = apart.clone().refused(Kind::RoleEligibilityScheduleInstances, SUB, Reason::NotLicensed);
        assert_eq!(judged(unlicensed).outcome(), Outcome::Pass);
        assert_eq!(judged(apart.refused(Kind::ClassicAdministrators, SUB, Reason::Retired)).outcome(), Outcome::Pass);
    }

    #[test]
    fn no_vault_is_not_applicable() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
