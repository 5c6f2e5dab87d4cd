//! People who may read secrets of production at any time.

use std::collections::BTreeSet;

use super::environments::{shown, told};
use super::logs::as_open;
use super::people::{People, Who};
use super::readers::{Stands, listed, stands, unread};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::{Answer, Capability, Grant, Open, Unread};
use crate::evidence::{Cite, Kind};
use crate::model::{PrincipalKind, Vault};

pub(super) const CHECK: Check = Check {
    id: "RBAC-009",
    title: "No person has standing access to production secrets",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Every path by which a user may read secret values of a vault, directly, through groups, by inheritance or by \
           an access policy, in either permission model. One without an end that need not be activated is an \
           exception. Eligible roles and memberships, and roles that are activated at the moment, are none; a role \
           that was assigned until a date awaits a person. Production are the vaults whose tag `env` or `environment` \
           has one of the values in the configuration; without any, every vault.",
    blind_to: "Ways to become a reader (granting access, changing the vault, running code on a host), applications that \
               a person can use as their own, access by a delegation from another tenant, and whether the tags are \
               true. Privileged Identity Management knows no access policies: under them all access stands.",
    fix: "Make the role eligible: portal, Privileged Identity Management, Azure resources, Assignments; or `az role \
          assignment delete --ids <assignment id>` after an eligible one was made (Terraform: \
          `azurerm_pim_eligible_role_assignment` in place of `azurerm_role_assignment`). A vault with access policies \
          must move to roles first. For an account for emergencies record a waiver.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        judged(Kind::RoleAssignmentScheduleInstances),
        judged(Kind::DenyAssignments),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::UserAssignedIdentities),
        judged(Kind::Resources),
        judged(Kind::VirtualMachines),
        judged(Kind::GroupMembers),
        judged(Kind::GroupEligibilities),
    ],
    run,
};

/// What hides a reader when it was not read. What can be activated is no standing access.
const MATTERS: &[Unread] = &[Unread::Scope, Unread::ManagementGroups, Unread::Members, Unread::Definition];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    facts.tenant.vaults.iter().map(|vault| judge(facts, &people, vault)).collect()
}

/// What was found of the people who read one vault.
#[derive(Default)]
struct Found {
    standing: Vec<String>,
    ending: Vec<String>,
    /// Everybody else who reads by activation.
    others: BTreeSet<String>,
    open: Option<Open>,
    evidence: BTreeSet<Cite>,
}

fn judge(facts: &Facts<'_>, people: &People<'_>, vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let environment = told(&vault.tags);
    let production = &facts.parameters.production_environments;
    let is_production = |value: &String| production.iter().any(|name| name.eq_ignore_ascii_case(value));
    if !production.is_empty() && !environment.is_empty() && !environment.iter().any(is_production) {
        return on.not_applicable(format!("its environment is {}, which is not production", shown(&environment)));
    }
    let found = look(facts, people, vault);
    let on = on.citing(&found.evidence);
    if !found.standing.is_empty() {
        let said = format!("people may read its secrets at any time: {}", listed(found.standing));
        if !production.is_empty() && environment.is_empty() {
            return on.manual(format!("{said}; no tag says whether it is of production, so a person must"));
        }
        return on.fail(said);
    }
    if let Some(open) = found.open.or_else(|| unread(facts, vault, MATTERS)) {
        return on.open(&open);
    }
    if !found.ending.is_empty() {
        let said = listed(found.ending);
        return on.manual(format!("people may read its secrets until a date, without activation: {said}; a person must say whether that is right"));
    }
    let others = match found.others.len() {
        0 => String::new(),
        1 => "; 1 person by activation".to_owned(),
        count => format!("; {count} people by activation"),
    };
    on.citing(&facts.records_about(Kind::RoleAssignments, &vault.id))
        .pass(format!("no person may read its secrets without activation{others}"))
}

fn look(facts: &Facts<'_>, people: &People<'_>, vault: &Vault) -> Found {
    let mut found = Found::default();
    let grants = facts.access.can(&vault.id, Capability::ReadSecret);
    for grant in grants.iter().filter(|grant| grant.answer != Answer::Denied) {
        match people.who(&grant.principal_id) {
            Who::Known(person) if person.kind.is_non_human() => {}
            Who::Known(person) if person.kind == PrincipalKind::User => {
                found.evidence.insert(person.from.clone());
                found.add(facts, vault, grant, &person.name);
            }
            _ => {
                let mut paths = grant.paths.iter();
                let may_stand = paths.any(|path| !matches!(stands(facts, vault, path), Stands::No));
                let hidden =
                    || people.hidden_members(&grant.principal_id).or_else(|| people.unjudged(&grant.principal_id));
                if may_stand && let Some(missing) = hidden() {
                    found.open.get_or_insert_with(|| as_open(&missing));
                }
            }
        }
    }
    found
}

impl Found {
    /// The best path of one person decides.
    fn add(&mut self, facts: &Facts<'_>, vault: &Vault, grant: &Grant, name: &str) {
        let mut ends = None;
        for path in &grant.paths {
            match stands(facts, vault, path) {
                Stands::No => {}
                Stands::Always => {
                    self.evidence.extend(facts.access.evidence(&vault.id, path));
                    self.standing.push(format!("`{name}` by {}", path.words()));
                    return;
                }
                Stands::Until(end) if ends.is_none_or(|(known, _)| known < end) => ends = Some((end, path)),
                Stands::Until(_) => {}
                Stands::Open(open) => {
                    self.open.get_or_insert(open);
                }
            }
        }
        if let Some((end, path)) = ends {
            self.evidence.extend(facts.access.evidence(&vault.id, path));
            self.ending.push(format!("`{name}` until {}", end.format("%Y-%m-%d")));
        } else {
            self.others.insert(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::roles::testing::{ADA, APP, GROUP, ada, holding, member_of};
    use crate::check::testing::{
        SECRETS_USER, SUB, base, findings_of, findings_with, list, only, policy_json, user_json, vault_id, vault_json,
        with_principals,
    };
    use crate::check::{Finding, Outcome, Parameters};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    /// Ada holds Secrets User at the vault.
    fn reading() -> CaptureBuilder {
        with_principals(holding(&[(&vault_id("kv"), SECRETS_USER, ADA)], &json!({})), &[ADA], [user_json(ADA, "ada")])
    }

    /// The same, with how the assignment came to be.
    fn scheduled(patch: &Value) -> CaptureBuilder {
        let origin = format!(
            "{}/providers/Microsoft.Authorization/roleAssignments/cccccccc-0000-0000-0000-000000000001",
            vault_id("kv")
        );
        let schedule = json!({"id": format!("{}/providers/Microsoft.Authorization/roleAssignmentScheduleInstances/s1", vault_id("kv")),
            "name": "s1", "properties": {"scope": vault_id("kv"), "principalId": ADA, "assignmentType": "Assigned",
            "roleDefinitionId": format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{SECRETS_USER}"),
            "originRoleAssignmentId": origin}});
        let schedule = crate::check::testing::patched(schedule, &json!({"properties": patch}));
        reading().replace(Kind::RoleAssignmentScheduleInstances, SUB, list([schedule]))
    }

    #[test]
    fn a_person_who_may_read_at_any_time_fails() {
        let finding = judged(reading());
        assert_eq!((finding.outcome(), finding.subject().name.as_str()), (Outcome::Fail, "kv"));
        assert!(finding.because().contains("`ada` by "), "{}", finding.because());
        let through = judged(ada(holding(&[(SUB, SECRETS_USER, GROUP)], &json!({}))));
        assert!(through.because().contains("through group `readers`"), "{}", through.because());
        assert_eq!(judged(scheduled(&json!({}))).outcome(), Outcome::Fail);
    }

    #[test]
    fn an_access_policy_stands() {
        let policies =
            json!({"properties": {"enableRbacAuthorization": null, "accessPolicies": [policy_json(ADA, &["Get"])]}});
        let builder = reading().replace(Kind::RoleAssignments, SUB, list([]));
        let builder = builder.replace(Kind::Vaults, SUB, list([vault_json("kv", &policies)]));
        assert_eq!(judged(builder).outcome(), Outcome::Fail);
    }

    #[test]
    fn what_is_activated_passes_and_what_ends_awaits_a_person() {
        let ends = json!({"endDateTime": "2026-12-31T00:00:00Z"});
        assert_eq!(judged(scheduled(&ends)).outcome(), Outcome::Manual);
        let activated = crate::check::testing::patched(ends, &json!({"assignmentType": "Activated"}));
        let finding = judged(scheduled(&activated));
        assert_eq!(finding.because(), "no person may read its secrets without activation; 1 person by activation");
        assert_eq!(finding.outcome(), Outcome::Pass);
    }

    #[test]
    fn workloads_pass() {
        assert_eq!(judged(holding(&[(&vault_id("kv"), SECRETS_USER, APP)], &json!({}))).outcome(), Outcome::Pass);
        assert_eq!(judged(member_of(holding(&[(SUB, SECRETS_USER, GROUP)], &json!({})), APP)).outcome(), Outcome::Pass);
    }

    #[test]
    fn how_an_assignment_came_to_be_matters_unless_there_is_no_licence() {
        let unread = |reason| judged(reading().refused(Kind::RoleAssignmentScheduleInstances, SUB, reason));
        assert_eq!(unread(Reason::Forbidden).reason(), Some(Reason::Forbidden));
        assert_eq!(unread(Reason::NotLicensed).outcome(), Outcome::Fail, "nothing can be activated there");
    }

    #[test]
    fn conditions_hidden_members_and_strangers_are_not_evaluated() {
        let under = json!({"properties": {"condition": "(a)"}});
        let conditional =
            with_principals(holding(&[(&vault_id("kv"), SECRETS_USER, ADA)], &under), &[ADA], [user_json(ADA, "ada")]);
        assert_eq!(judged(conditional).reason(), Some(Reason::ConditionNotEvaluated));
        assert_eq!(judged(holding(&[(SUB, SECRETS_USER, GROUP)], &json!({}))).reason(), Some(Reason::NotAsked));
        let stranger = holding(&[(SUB, SECRETS_USER, "eeeeeeee-0000-0000-0000-000000000001")], &json!({}));
        assert_eq!(judged(stranger).reason(), Some(Reason::PrincipalUnresolved));
    }

    #[test]
    fn what_was_not_read_keeps_no_pass() {
        for (kind, scope) in [(Kind::RoleAssignments, "/"), (Kind::RoleAssignments, SUB), (Kind::RoleDefinitions, SUB)]
        {
            let finding = judged(holding(&[(&vault_id("kv"), SECRETS_USER, APP)], &json!({})).denied(kind, scope));
            assert_eq!(finding.outcome(), Outcome::NotEvaluated, "{kind:?}");
        }
    }

    #[test]
    fn another_environment_is_not_applicable_and_one_that_is_not_told_awaits_a_person() {
        let parameters = Parameters { production_environments: vec!["Prod".to_owned()], ..Parameters::default() };
        let tagged = |tags: Value| {
            let vault = vault_json("kv", &json!({"tags": tags}));
            let findings = findings_with(&CHECK, reading().replace(Kind::Vaults, SUB, list([vault])), &parameters);
            only(&findings).outcome()
        };
        assert_eq!(tagged(json!({"env": "PROD"})), Outcome::Fail);
        assert_eq!(tagged(json!({"env": "dev", "environment": "prod"})), Outcome::Fail, "either counts");
        assert_eq!(tagged(json!({"Environment": "dev"})), Outcome::NotApplicable);
        assert_eq!(tagged(json!({})), Outcome::Manual);
    }

    #[test]
    fn no_vault_is_not_applicable() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
