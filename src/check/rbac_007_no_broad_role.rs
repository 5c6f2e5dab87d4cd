//! Owner and Contributor, wider than one resource.

use super::roles::{Verdict, each_identity};
use super::{Check, Facts, Finding, Nature, Severity, judged, population, whole};
use crate::evidence::Kind;
use crate::model::{Id, RoleAssignment};

/// The roles by GUID, which is the same in every cloud.
const BROAD: &[(&str, &str)] =
    &[("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner"), ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor")];

pub(super) const CHECK: Check = Check {
    id: "RBAC-007",
    title: "No non-human identity holds Owner or Contributor at resource group or above",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Roles in force for every managed identity and service principal, assigned directly or through groups, \
           at resource groups, subscriptions, management groups and the tenant root. Roles are compared by \
           definition id, not by name. A role on a single resource is not an exception here.",
    blind_to: "Custom roles with the same actions, roles that are eligible and not active, roles that principals \
               of other tenants hold here by a delegation (Azure Lighthouse), and assignments in subscriptions that the \
               collecting identity cannot see.",
    fix: "Assign a role that names what the workload does, at the resource it does it to, then \
          `az role assignment delete --ids <assignment id>`.",
    needs: &[
        population(Kind::ManagedIdentityPrincipals),
        whole(Kind::Principals),
        judged(Kind::GroupMembers),
        whole(Kind::Subscriptions),
        whole(Kind::ManagementGroups),
        whole(Kind::RoleAssignments),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    each_identity(facts, verdict, "holds neither Owner nor Contributor at a resource group or above")
}

fn verdict(_: &Facts<'_>, assignment: &RoleAssignment) -> Verdict {
    match BROAD.iter().find(|(guid, _)| *guid == assignment.role) {
        // A condition narrows which assignments an Owner may write, not the rest of the role: it is not asked here.
        Some((_, role)) if !is_one_resource(&assignment.scope) => {
            Verdict::Exception(format!("holds `{role}` at `{}`", assignment.scope))
        }
        _ => Verdict::Fine,
    }
}

/// Whether a scope lies below a resource group.
fn is_one_resource(scope: &Id) -> bool {
    scope.key().starts_with("/subscriptions/") && scope.key().contains("/providers/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::check::roles::testing::{APP, CONTRIBUTOR, GROUP, OWNER, READER, holding, member_of};
    use crate::check::testing::{
        ROOT_GROUP, SUB, about_name, base, findings_in, findings_of, list, only, service_principal_json, vault_id,
    };
    use crate::check::{Finding, Outcome, Parameters};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    fn with_role(scope: &str, role: &str) -> CaptureBuilder {
        holding(&[(scope, role, APP)], &json!({}))
    }

    #[test]
    fn a_single_resource_is_narrow_enough() {
        assert_eq!(judged(with_role(&vault_id("kv"), CONTRIBUTOR)).outcome(), Outcome::Pass);
        assert_eq!(judged(with_role(SUB, READER)).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_resource_group_and_everything_above_fail() {
        for scope in [format!("{SUB}/resourceGroups/rg"), SUB.to_owned(), ROOT_GROUP.to_owned(), "/".to_owned()] {
            for (role, name) in [(OWNER, "Owner"), (CONTRIBUTOR, "Contributor")] {
                let finding = judged(with_role(&scope, role));
                assert_eq!(finding.outcome(), Outcome::Fail);
                assert_eq!(finding.because(), format!("holds `{name}` at `{scope}`"));
            }
        }
    }

    #[test]
    fn a_condition_does_not_make_an_owner_narrow() {
        let under = json!({"properties": {"condition": "(a)"}});
        assert_eq!(judged(holding(&[(SUB, OWNER, APP)], &under)).outcome(), Outcome::Fail);
    }

    #[test]
    fn roles_through_groups_count_and_unread_groups_leave_it_open() {
        let held = || holding(&[(SUB, CONTRIBUTOR, GROUP)], &json!({}));
        let because = format!("holds `Contributor` at `{SUB}` through group `readers`");
        assert_eq!(judged(member_of(held(), APP)).because(), because);
        let findings = findings_of(&CHECK, held());
        assert_eq!(about_name(&findings, "app").reason(), Some(Reason::NotAsked));
        assert_eq!(about_name(&findings, "readers").reason(), Some(Reason::NotAsked));
    }

    #[test]
    fn a_member_of_an_unknown_kind_and_a_group_of_another_tenant_are_not_passed_over() {
        const ODD: &str = "eeeeeeee-0000-0000-0000-000000000001";
        let held = holding(&[(SUB, CONTRIBUTOR, GROUP)], &json!({}));
        let odd = |kind: &str| json!({"@odata.type": kind, "id": ODD, "displayName": "odd"});
        let with = |kind: &str| held.clone().answer(Kind::GroupMembers, &format!("group:{GROUP}"), list([odd(kind)]));
        let findings = findings_of(&CHECK, with("#microsoft.graph.newKind"));
        assert_eq!(about_name(&findings, "readers").reason(), Some(Reason::ValueUnknown));
        assert_eq!(about_name(&findings, "app").outcome(), Outcome::Pass, "whoever is in the group is known");
        assert_eq!(findings_of(&CHECK, with("#microsoft.graph.device")).len(), 1);

        let foreign = json!({"properties": {"principalType": "ForeignGroup"}});
        let builder = holding(&[(SUB, CONTRIBUTOR, ODD)], &foreign);
        let builder = builder.replace(Kind::Principals, "directory", list([service_principal_json(APP, "app")]));
        let asked = json!({"ids": [APP, ODD]}).to_string();
        let mut capture = builder.build();
        let directory = capture.records.iter_mut().find(|record| record.kind == Kind::Principals).expect("a record");
        directory.pages[0].body = Some(asked);
        let findings = findings_in(&CHECK, &capture, &Parameters::default());
        assert_eq!(about_name(&findings, ODD).reason(), Some(Reason::PrincipalUnresolved));
    }

    #[test]
    fn whatever_was_not_read_keeps_no_pass_and_definitions_are_not_needed() {
        for (kind, scope) in
            [(Kind::RoleAssignments, "/"), (Kind::RoleAssignments, SUB), (Kind::Principals, "directory")]
        {
            let findings = findings_of(&CHECK, with_role(SUB, READER).denied(kind, scope));
            assert!(
                findings.iter().all(|finding| finding.outcome() == Outcome::NotEvaluated),
                "{kind:?}: {findings:#?}"
            );
        }
        assert_eq!(judged(with_role(SUB, READER).denied(Kind::RoleDefinitions, SUB)).outcome(), Outcome::Pass);
        assert_eq!(judged(with_role(SUB, OWNER).denied(Kind::RoleDefinitions, SUB)).outcome(), Outcome::Fail);
    }

    #[test]
    fn no_identity_is_not_applicable() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
