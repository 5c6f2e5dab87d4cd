//! RBAC-012: nobody reaches vaults from the root of the tenant, and no guest reaches one at all.

use std::collections::BTreeMap;

use super::logs::as_open;
use super::people::{People, Who, and_more};
use super::roles::role_name;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::{Answer, Gap, Grant, Open, Unread, Via};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Member, Missing, PrincipalKind, RoleAssignment, Tenant, Vault};

pub(super) const CHECK: Check = Check {
    id: "RBAC-012",
    title: "No access to vaults from the tenant's root and none by guests",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Every role assignment at `/`, which reaches every vault of the tenant whatever its role, as an elevation by a \
           Global Administrator leaves it; and for every vault each person who can do anything with it or its contents, \
           directly, through groups, by an access policy or after an activation, and whom the directory calls a guest.",
    blind_to: "Outsiders who are no guests: principals of other tenants by a delegation (Azure Lighthouse), applications \
               of other organisations, an employee's account that was invited as a member, a guest who was made a \
               member. Administrators of the classic model. What a guest can see of a vault by a role without any right \
               to its contents or its settings, such as Reader.",
    fix: "Root: sign in as the administrator, set Entra ID > Properties > Access management for Azure resources to No, or \
          `az role assignment delete --assignee <object id> --role <role> --scope /`. Guests: delete the assignment, the \
          policy or the membership of the group, and give the access to an account of your own organisation.",
    needs: &[
        population(Kind::RoleAssignments),
        population(Kind::Vaults),
        own(Kind::RoleAssignments),
        judged(Kind::RoleDefinitions),
        judged(Kind::DenyAssignments),
        judged(Kind::RoleEligibilityScheduleInstances),
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

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let at_root = facts.tenant.role_assignments.iter().filter(|assignment| assignment.scope.key() == "/");
    let mut findings: Vec<Finding> = at_root.map(|assignment| of_root(facts, assignment)).collect();
    let people = People::of(facts.tenant);
    let members: BTreeMap<&str, &Member> =
        facts.tenant.members.values().flatten().map(|member| (member.id.as_str(), member)).collect();
    findings.extend(facts.tenant.vaults.iter().map(|vault| of_vault(facts, &people, &members, vault)));
    findings
}

fn of_root(facts: &Facts<'_>, assignment: &RoleAssignment) -> Finding {
    let name = format!("/ ← {}", facts.tenant.principal_name(&assignment.principal_id));
    let role = role_name(facts, &assignment.role);
    let kind = facts.tenant.principal_kind(&assignment.principal_id);
    about("role_assignment", &assignment.id, &name, &assignment.from)
        .fail(format!("`{role}` is assigned at `/` ({kind}), above every vault of the tenant"))
}

/// Whether somebody is a guest, as far as it is told.
enum Sort {
    Guest,
    Other,
    NotTold(Missing),
}

fn of_vault(facts: &Facts<'_>, people: &People<'_>, members: &BTreeMap<&str, &Member>, vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let mut guests: Vec<String> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut evidence: Vec<Cite> = Vec::new();
    let mut by_holder: BTreeMap<String, Vec<Grant>> = BTreeMap::new();
    for grant in facts.access.on(&vault.id).into_iter().filter(|grant| grant.answer != Answer::Denied) {
        by_holder.entry(grant.principal_id.to_string()).or_default().push(grant);
    }
    for (id, grants) in &by_holder {
        let paths = || grants.iter().flat_map(|grant| &grant.paths).filter(|path| is_of_this_tenant(&path.via));
        let Some(first) = paths().min_by_key(|path| path.answer) else { continue };
        let best = grants.iter().map(|grant| grant.answer).min().unwrap_or(first.answer);
        match sort(facts.tenant, people, members, id) {
            Sort::Other => {}
            Sort::NotTold(missing) => open.push(as_open(&missing)),
            Sort::Guest if best <= Answer::Eligible => {
                evidence.extend(facts.access.evidence(&vault.id, first));
                guests.push(format!("the guest `{}` by {}", people.name(id), first.words()));
            }
            Sort::Guest => open.push(Open {
                reason: first.open.as_ref().map_or(Reason::ValueUnknown, |open| open.reason),
                detail: format!("whether the guest `{}` has it is not settled: {}", people.name(id), first.words()),
                from: first.evidence().next().cloned(),
            }),
        }
    }
    if let Some(first) = guests.first() {
        return on.citing(&evidence).fail(format!("open to {}", and_more(first, guests.len())));
    }
    if let Some(open) = open.first() {
        return on.open(open);
    }
    if let Some(gap) = facts.access.gaps(&vault.id).iter().find(|gap| may_hide_a_guest(gap)) {
        let from: Vec<Cite> = gap.from.iter().cloned().collect();
        return on.citing(&from).not_evaluated(gap.reason, format!("`{}` was not read: {}", gap.name, gap.detail));
    }
    let held = match by_holder.len() {
        1 => "the one who has access is no guest".to_owned(),
        count => format!("none of the {count} who have access is a guest"),
    };
    on.citing(&facts.records_of(Kind::RoleAssignments)).pass(held)
}

/// What other tenants and the classic model give is named among what the check cannot see.
fn is_of_this_tenant(via: &Via) -> bool {
    !matches!(via, Via::Lighthouse { .. } | Via::Classic { .. })
}

/// Without the licence nobody can activate a role, so that there is no list to be missing.
fn may_hide_a_guest(gap: &Gap) -> bool {
    match gap.about {
        Unread::Scope | Unread::ManagementGroups | Unread::Members | Unread::Definition => true,
        Unread::Eligibility => gap.reason != Reason::NotLicensed,
        _ => false,
    }
}

fn sort(tenant: &Tenant, people: &People<'_>, members: &BTreeMap<&str, &Member>, id: &str) -> Sort {
    if let Some(missing) = people.hidden_members(id) {
        return Sort::NotTold(missing);
    }
    let person = match people.who(id) {
        Who::Known(person) => person,
        // nobody signs in as one who is gone
        Who::Gone(_) => return Sort::Other,
        Who::Unknown => return Sort::NotTold(people.unresolved(id)),
    };
    if person.kind != PrincipalKind::User {
        return Sort::Other;
    }
    let listed = tenant.principal(id).and_then(|principal| principal.user_type.as_deref());
    match listed.or_else(|| members.get(id).and_then(|member| member.user_type.as_deref())) {
        Some(kind) if kind.eq_ignore_ascii_case("Guest") => Sort::Guest,
        Some(_) => Sort::Other,
        None => Sort::NotTold(Missing {
            kind: Kind::Principals,
            scope: "directory".to_owned(),
            reason: Reason::ValueUnknown,
            detail: format!("the directory does not say whether `{}` is a member or a guest", person.name),
            from: Some(person.from.clone()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::roles::testing::{ADA, APP, GROUP, OWNER, READER, UNLISTED, holding};
    use crate::check::testing::{
        ROOT_GROUP, SECRETS_USER, SUB, about_name, base, findings_of, group_json, list, only, outcomes, patched,
        user_json, vault_id, with_principals,
    };
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    /// `ada` holds the role at the scope; the directory says this of her.
    fn ada_holds(scope: &str, role: &str, patch: &Value) -> CaptureBuilder {
        let builder = holding(&[(scope, role, ADA)], &json!({"properties": {"principalType": "User"}}));
        with_principals(builder, &[ADA], [patched(user_json(ADA, "ada"), patch)])
    }

    fn guest() -> Value {
        json!({"userType": "guest"})
    }

    #[test]
    fn a_member_passes_and_a_guest_fails_wherever_the_role_sits() {
        for scope in [vault_id("kv"), SUB.to_owned(), ROOT_GROUP.to_owned()] {
            assert_eq!(judged(ada_holds(&scope, SECRETS_USER, &json!({}))).outcome(), Outcome::Pass, "{scope}");
            let finding = judged(ada_holds(&scope, SECRETS_USER, &guest()));
            assert_eq!(finding.outcome(), Outcome::Fail);
            let because = format!("open to the guest `ada` by role `Key Vault Secrets User` at `{scope}`");
            assert_eq!(finding.because(), because);
        }
    }

    #[test]
    fn a_role_that_reaches_nothing_of_the_vault_is_no_access_of_a_guest() {
        assert_eq!(judged(ada_holds(SUB, READER, &guest())).outcome(), Outcome::Pass);
        assert_eq!(judged(ada_holds(&vault_id("kv10"), SECRETS_USER, &guest())).outcome(), Outcome::Pass);
    }

    #[test]
    fn any_role_at_the_root_fails_also_where_there_is_no_vault() {
        let findings = findings_of(&CHECK, holding(&[("/", READER, APP)], &json!({})));
        let finding = about_name(&findings, "/ ← app");
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert_eq!(
            finding.because(),
            "`Reader` is assigned at `/` (service principal), above every vault of the tenant"
        );
        assert_eq!(about_name(&findings, "kv").outcome(), Outcome::Pass);
        let no_vault = holding(&[("/", OWNER, APP)], &json!({})).replace(Kind::Vaults, SUB, list([]));
        assert_eq!(judged(no_vault).outcome(), Outcome::Fail);
        let above = holding(&[(ROOT_GROUP, OWNER, APP)], &json!({}));
        assert_eq!(judged(above).outcome(), Outcome::Pass, "the root management group is not the root");
    }

    #[test]
    fn a_guest_in_a_group_fails_and_one_of_whom_the_type_is_not_told_is_open() {
        let of_group = |patch: &Value| {
            let member = patched(user_json(ADA, "ada"), patch);
            let builder = holding(&[(SUB, OWNER, GROUP)], &json!({}));
            let builder = builder.answer(Kind::GroupEligibilities, &format!("group:{GROUP}"), list([]));
            builder.answer(Kind::GroupMembers, &format!("group:{GROUP}"), list([member]))
        };
        let finding = judged(of_group(&guest()));
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert!(finding.because().ends_with("through group `readers`"), "{finding:?}");
        let finding = judged(of_group(&json!({"userType": null})));
        assert_eq!(finding.reason(), Some(Reason::ValueUnknown));
        assert_eq!(judged(of_group(&json!({}))).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_guest_who_can_activate_a_role_fails() {
        let eligible = json!({"id": format!("{SUB}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances/e1"),
            "name": "e1", "properties": {"scope": SUB, "principalId": ADA, "principalType": "User", "memberType": "Direct",
            "roleDefinitionId": format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{SECRETS_USER}")}});
        let builder = with_principals(holding(&[], &json!({})), &[ADA], [patched(user_json(ADA, "ada"), &guest())]);
        let finding = judged(builder.replace(Kind::RoleEligibilityScheduleInstances, SUB, list([eligible])));
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert!(finding.because().contains("eligible role `Key Vault Secrets User`"), "{finding:?}");
    }

    #[test]
    fn a_condition_and_an_unlisted_role_leave_a_guest_open() {
        let under = json!({"properties": {"condition": "(a)"}});
        let builder = holding(&[(SUB, SECRETS_USER, ADA)], &under);
        let builder = with_principals(builder, &[ADA], [patched(user_json(ADA, "ada"), &guest())]);
        assert_eq!(judged(builder).outcome(), Outcome::NotEvaluated);
        assert_eq!(judged(ada_holds(SUB, UNLISTED, &guest())).reason(), Some(Reason::RoleDefinitionUnknown));
    }

    #[test]
    fn whatever_was_not_read_keeps_no_pass_and_no_licence_hides_nothing() {
        let whole = || ada_holds(SUB, SECRETS_USER, &json!({}));
        for (kind, scope) in [
            (Kind::RoleAssignments, "/"),
            (Kind::RoleAssignments, ROOT_GROUP),
            (Kind::RoleDefinitions, SUB),
            (Kind::RoleEligibilityScheduleInstances, SUB),
            (Kind::Principals, "directory"),
        ] {
            let findings = findings_of(&CHECK, whole().denied(kind, scope));
            assert!(!outcomes(&findings).contains(&Outcome::Pass), "{kind:?} {findings:#?}");
        }
        let unlicensed =
            |builder: CaptureBuilder| builder.refused(Kind::RoleEligibilityScheduleInstances, SUB, Reason::NotLicensed);
        assert_eq!(judged(unlicensed(whole())).outcome(), Outcome::Pass);
        let unread = holding(&[(SUB, OWNER, GROUP)], &json!({}));
        let unread = with_principals(unread, &[GROUP], [group_json(GROUP, "readers")]);
        assert_eq!(judged(unread).outcome(), Outcome::NotEvaluated, "members were not asked for");
    }

    #[test]
    fn no_assignment_and_no_vault_are_not_applicable() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
