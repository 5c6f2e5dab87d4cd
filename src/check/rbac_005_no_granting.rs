//! Workloads that can hand out access.

use super::roles::{Verdict, conditional, each_identity, role_name, unknown_definition};
use super::{Check, Facts, Finding, Nature, Severity, judged, population, whole};
use crate::access::grants_action;
use crate::evidence::Kind;
use crate::model::RoleAssignment;

/// Who may do this gives roles to anyone, also to itself.
const GRANTING: &str = "Microsoft.Authorization/roleAssignments/write";

pub(super) const CHECK: Check = Check {
    id: "RBAC-005",
    title: "No non-human identity can grant access",
    severity: Severity::Critical,
    nature: Nature::Design,
    asks: "Roles in force for every managed identity and service principal, directly or through groups, at any \
           scope, whose definition permits `Microsoft.Authorization/roleAssignments/write`: Owner, User Access \
           Administrator, Role Based Access Control Administrator, Key Vault Data Access Administrator, and custom \
           roles, wildcards included. A condition is never taken to forbid it.",
    blind_to: "What a condition permits in the end, deny assignments, roles that are eligible and not active, \
               directory roles such as Global Administrator, what principals of other tenants may do here by a \
               delegation (Azure Lighthouse), and the rewriting of a custom role that is held already.",
    fix: "Take the role away with `az role assignment delete --ids <assignment id>`. If a pipeline must assign roles, \
          give it Role Based Access Control Administrator at the resource group with a condition that names the roles \
          and principals it may use, and record a waiver.",
    needs: &[
        population(Kind::ManagedIdentityPrincipals),
        whole(Kind::Principals),
        judged(Kind::GroupMembers),
        whole(Kind::Subscriptions),
        whole(Kind::ManagementGroups),
        whole(Kind::RoleAssignments),
        whole(Kind::RoleDefinitions),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    each_identity(facts, verdict, "no role that it holds permits granting access")
}

fn verdict(facts: &Facts<'_>, assignment: &RoleAssignment) -> Verdict {
    let Some(definition) = facts.tenant.role_definitions.get(&assignment.role) else {
        return Verdict::Open(unknown_definition(assignment));
    };
    let mut granting = definition.permissions.iter().filter(|entry| grants_action(entry, GRANTING)).peekable();
    if granting.peek().is_none() {
        return Verdict::Fine;
    }
    let on_every_entry = granting.map(|entry| entry.condition.as_deref()).collect::<Option<Vec<&str>>>();
    let condition = assignment.condition.as_deref().or(on_every_entry.and_then(|texts| texts.first().copied()));
    match condition {
        Some(condition) => Verdict::Open(conditional(assignment, condition)),
        None => {
            let role = role_name(facts, &assignment.role);
            Verdict::Exception(format!("holds `{role}` at `{}`, which permits granting access", assignment.scope))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::check::roles::testing::{
        APP, CONTRIBUTOR, CUSTOM, GROUP, OWNER, READER, UNLISTED, ada, holding, member_of,
    };
    use crate::check::testing::{
        ROOT_GROUP, SUB, about_name, base, findings_of, list, only, patched, role_json, vault_id,
    };
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    fn with_role(scope: &str, role: &str) -> CaptureBuilder {
        holding(&[(scope, role, APP)], &json!({}))
    }

    #[test]
    fn roles_that_do_not_grant_pass() {
        for role in [READER, CONTRIBUTOR] {
            let finding = judged(with_role(SUB, role));
            assert_eq!((finding.outcome(), finding.subject().name.as_str()), (Outcome::Pass, "app"));
        }
    }

    #[test]
    fn owner_fails_at_any_scope_and_a_custom_role_like_it() {
        for scope in [vault_id("kv"), SUB.to_owned(), ROOT_GROUP.to_owned(), "/".to_owned()] {
            let finding = judged(with_role(&scope, OWNER));
            assert_eq!(finding.because(), format!("holds `Owner` at `{scope}`, which permits granting access"));
            assert_eq!(finding.outcome(), Outcome::Fail);
        }
        let custom = list([role_json(CUSTOM, "Helper", &["Microsoft.Authorization/roleAssignments/*"], &[])]);
        let finding = judged(with_role(SUB, CUSTOM).replace(Kind::RoleDefinitions, SUB, custom));
        assert_eq!(finding.outcome(), Outcome::Fail);
    }

    #[test]
    fn a_condition_on_the_assignment_or_in_the_role_never_passes() {
        let under = json!({"properties": {"condition": "(a)"}});
        assert_eq!(judged(holding(&[(SUB, OWNER, APP)], &under)).reason(), Some(Reason::ConditionNotEvaluated));
        let granting = ["Microsoft.Authorization/roleAssignments/write"];
        let in_role = json!({"properties": {"permissions": [{"actions": granting, "notActions": [], "dataActions": [],
            "notDataActions": [], "condition": "(b)"}]}});
        let role = patched(role_json(CUSTOM, "Key Vault Data Access Administrator", &[], &[]), &in_role);
        let finding = judged(with_role(SUB, CUSTOM).replace(Kind::RoleDefinitions, SUB, list([role])));
        assert_eq!(finding.reason(), Some(Reason::ConditionNotEvaluated));
        assert!(finding.because().contains("`(b)`"), "{}", finding.because());
    }

    #[test]
    fn a_member_of_a_group_that_grants_fails() {
        let finding = judged(member_of(holding(&[(SUB, OWNER, GROUP)], &json!({})), APP));
        assert!(finding.because().ends_with("through group `readers`"), "{}", finding.because());
        let human = judged(ada(holding(&[(SUB, OWNER, GROUP)], &json!({}))));
        assert_eq!(human.outcome(), Outcome::Pass);
    }

    #[test]
    fn an_unread_group_matters_when_it_holds_such_a_role() {
        let unread = format!("group:{GROUP}");
        let granting = holding(&[(SUB, OWNER, GROUP)], &json!({})).gap(Kind::GroupMembers, &unread, Reason::Forbidden);
        let findings = findings_of(&CHECK, granting);
        assert_eq!(about_name(&findings, "app").reason(), Some(Reason::Forbidden));
        assert_eq!(about_name(&findings, "readers").reason(), Some(Reason::Forbidden));
        let reading = holding(&[(SUB, READER, GROUP)], &json!({})).gap(Kind::GroupMembers, &unread, Reason::Forbidden);
        assert_eq!(judged(reading).outcome(), Outcome::Pass);
    }

    #[test]
    fn an_unlisted_definition_is_not_evaluated() {
        assert_eq!(judged(with_role(SUB, UNLISTED)).reason(), Some(Reason::RoleDefinitionUnknown));
    }

    #[test]
    fn a_holder_whom_the_directory_was_not_asked_about_is_not_evaluated() {
        let stranger = "eeeeeeee-0000-0000-0000-000000000001";
        let findings = findings_of(&CHECK, holding(&[(SUB, OWNER, stranger)], &json!({})));
        assert_eq!(about_name(&findings, stranger).reason(), Some(Reason::PrincipalUnresolved));
        assert_eq!(about_name(&findings, "app").reason(), Some(Reason::PrincipalUnresolved));
    }

    #[test]
    fn whatever_was_not_read_keeps_no_pass() {
        for (kind, scope) in [
            (Kind::RoleAssignments, "/"),
            (Kind::RoleAssignments, ROOT_GROUP),
            (Kind::RoleDefinitions, SUB),
            (Kind::ManagementGroups, "tenant"),
            (Kind::Principals, "directory"),
        ] {
            let findings = findings_of(&CHECK, with_role(SUB, READER).denied(kind, scope));
            assert!(
                findings.iter().all(|finding| finding.outcome() == Outcome::NotEvaluated),
                "{kind:?}: {findings:#?}"
            );
        }
        assert_eq!(judged(with_role(SUB, OWNER).denied(Kind::RoleAssignments, "/")).outcome(), Outcome::Fail);
    }

    #[test]
    fn no_identity_is_not_applicable() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
