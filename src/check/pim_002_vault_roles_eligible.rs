//! PIM-002: nobody administers the contents of vaults without activating it.

use super::standing::each_assignment;
use super::{Check, Facts, Finding, Nature, Severity, judged, own, population, whole};
use crate::evidence::Kind;

/// Key Vault Administrator, Secrets Officer, Certificates Officer, Crypto Officer.
const ROLES: &[&str] = &[
    "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "a4417e6f-fecd-4de8-b567-7b0420556985",
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
];

pub(super) const CHECK: Check = Check {
    id: "PIM-002",
    title: "Key Vault Administrator and the Officer roles are eligible only",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Every assignment of Key Vault Administrator, Secrets Officer, Certificates Officer and Crypto Officer, by \
           definition id, at any scope to a person or to a group with people in it, held against what Privileged Identity \
           Management says of it: one that was activated, or that ends, is not standing, and neither is a person whose \
           membership of the group was activated or ends. What it does not list is standing.",
    blind_to: "Custom roles and access policies that give the same (RBAC-008, KV-005); workloads (RBAC-001), which cannot \
               be eligible; roles that have no effect because the vault uses access policies; nested groups with \
               activated memberships, which count as standing.",
    fix: "Make the role eligible: Privileged Identity Management > Azure resources > the vault > Assignments > Add, type \
          Eligible, then remove the active one (`az role assignment delete --ids ID`). Terraform: \
          `azurerm_pim_eligible_role_assignment`.",
    needs: &[
        population(Kind::RoleAssignments),
        population(Kind::Subscriptions),
        own(Kind::RoleAssignments),
        judged(Kind::RoleAssignmentScheduleInstances),
        judged(Kind::RoleDefinitions),
        whole(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::UserAssignedIdentities),
        judged(Kind::Resources),
        judged(Kind::VirtualMachines),
        judged(Kind::GroupMembers),
        judged(Kind::GroupAssignments),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let none = "no person holds one of the four roles in it or above it";
    each_assignment(facts, ROLES, |_| true, none)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::roles::testing::{ADA, APP, GROUP, OFFICER, READER, holding};
    use crate::check::testing::{
        ROOT_GROUP, SUB, base, findings_of, group_json, list, only, service_principal_json, user_json, vault_id,
        with_principals,
    };
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    /// Assignments of `ada`, of the workload `app` and of the group `readers`, in which `ada` is.
    fn held(held: &[(&str, &str, &str)]) -> CaptureBuilder {
        let people = [user_json(ADA, "ada"), service_principal_json(APP, "app"), group_json(GROUP, "readers")];
        let builder = with_principals(holding(held, &json!({})), &[ADA], people);
        builder.answer(Kind::GroupMembers, &format!("group:{GROUP}"), list([user_json(ADA, "ada")]))
    }

    /// How the first assignment at the subscription came to be.
    fn schedule(patch: &Value) -> Value {
        let origin =
            format!("{SUB}/providers/Microsoft.Authorization/roleAssignments/CCCCCCCC-0000-0000-0000-000000000001");
        let schedule = json!({"id": format!("{SUB}/x/i1"), "properties": {"scope": SUB, "principalId": ADA,
            "roleDefinitionId": OFFICER, "originRoleAssignmentId": origin, "assignmentType": "Assigned"}});
        crate::check::testing::patched(schedule, &json!({"properties": patch}))
    }

    fn scheduled(patch: &Value) -> CaptureBuilder {
        held(&[(SUB, OFFICER, ADA)]).replace(Kind::RoleAssignmentScheduleInstances, SUB, list([schedule(patch)]))
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn a_person_who_holds_it_for_ever_fails() {
        let finding = judged(scheduled(&json!({})));
        assert_eq!(
            (finding.outcome(), finding.subject().name.as_str()),
            (Outcome::Fail, "Production ← ada (Key Vault Secrets Officer)")
        );
        assert_eq!(
            finding.because(),
            "`Key Vault Secrets Officer` stands for `ada`, without an activation and without an end"
        );
        assert_eq!(judged(held(&[(SUB, OFFICER, ADA)])).outcome(), Outcome::Fail, "what is in no schedule stands");
        assert_eq!(judged(held(&[(ROOT_GROUP, OFFICER, ADA)])).outcome(), Outcome::Fail);
    }

    #[test]
    fn what_was_activated_or_ends_is_not_standing() {
        for patch in [
            json!({"assignmentType": "activated", "endDateTime": "2026-10-02T10:00:00Z"}),
            json!({"assignmentType": "Activated", "endDateTime": null}),
            json!({"endDateTime": "2026-12-31T00:00:00Z"}),
        ] {
            assert_eq!(judged(scheduled(&patch)).outcome(), Outcome::Pass, "{patch}");
        }
    }

    #[test]
    fn a_group_counts_by_its_people_and_by_how_they_are_in_it() {
        let group = || held(&[(SUB, OFFICER, GROUP)]);
        let finding = judged(group());
        assert!(finding.because().contains("`ada` through group `readers`"), "{finding:?}");
        let grant = json!({"id": "g1", "groupId": GROUP, "principalId": ADA, "accessId": "member",
            "assignmentType": "activated", "endDateTime": "2026-10-02T10:00:00Z"});
        let activated = group().answer(Kind::GroupAssignments, &format!("group:{GROUP}"), list([grant]));
        assert_eq!(judged(activated).outcome(), Outcome::Pass);
        let only_workloads = with_principals(holding(&[(SUB, OFFICER, GROUP)], &json!({})), &[], []).answer(
            Kind::GroupMembers,
            &format!("group:{GROUP}"),
            list([service_principal_json(APP, "app")]),
        );
        assert_eq!(judged(only_workloads).subject().kind, "subscription", "a group of workloads is nobody here");
        let unread = with_principals(holding(&[(SUB, OFFICER, GROUP)], &json!({})), &[], []);
        assert_eq!(judged(unread).reason(), Some(Reason::NotAsked));
    }

    #[test]
    fn workloads_other_roles_are_not_asked_about() {
        for (scope, role, who) in
            [(SUB.to_owned(), OFFICER, APP), (vault_id("kv"), READER, ADA), (vault_id("kv"), OFFICER, APP)]
        {
            let finding = judged(held(&[(scope.as_str(), role, who)]));
            assert_eq!(
                (finding.outcome(), finding.subject().kind.as_str()),
                (Outcome::Pass, "subscription"),
                "{role} at {scope}"
            );
        }
    }

    #[test]
    fn an_unread_schedule_is_open_and_a_missing_licence_makes_everything_stand() {
        let kind = Kind::RoleAssignmentScheduleInstances;
        let whole = || held(&[(SUB, OFFICER, ADA)]);
        assert_eq!(judged(whole().denied(kind, SUB)).reason(), Some(Reason::Forbidden));
        assert_eq!(judged(whole().refused(kind, SUB, Reason::NotLicensed)).outcome(), Outcome::Fail);
    }

    #[test]
    fn unread_assignments_and_principals_keep_no_pass() {
        for (kind, scope) in
            [(Kind::RoleAssignments, "/"), (Kind::RoleAssignments, SUB), (Kind::Principals, "directory")]
        {
            let findings = findings_of(&CHECK, held(&[]).denied(kind, scope));
            assert!(
                findings.iter().all(|one| one.outcome() == Outcome::NotEvaluated),
                "{kind:?} {scope}: {findings:#?}"
            );
        }
        let none = findings_of(&CHECK, CaptureBuilder::default());
        assert!(none.iter().all(|one| one.outcome() == Outcome::NotEvaluated), "{none:#?}");
        assert_eq!(only(&findings_of(&CHECK, with_principals(base(), &[], []))).outcome(), Outcome::Pass);
    }
}
