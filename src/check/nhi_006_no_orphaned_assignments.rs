//! NHI-006: a principal that is gone holds nothing any more.

use std::collections::BTreeMap;

use super::people::is_of_another_tenant;
use super::{Check, Facts, Finding, Nature, Severity, about, population, whole};
use crate::evidence::{Kind, Reason};
use crate::model::{Id, RoleAssignment, Tenant};

pub(super) const CHECK: Check = Check {
    id: "NHI-006",
    title: "Deleted identities leave no role assignments",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Every principal of a role assignment is asked for in the directory by its object id. One that the directory \
           leaves out no longer exists, and its assignments should have been removed with it.",
    blind_to: "When the identity was deleted: the directory does not show it, so no days of grace are credited. \
               Assignments that were left behind and removed before collection. An identity made minutes before \
               collection may not be in the directory yet.",
    fix: "`az role assignment delete --ids ASSIGNMENT_ID` for each; delete the role assignments of an identity before \
          the identity itself, because Azure keeps them as \"Identity not found\".",
    needs: &[population(Kind::RoleAssignments), whole(Kind::Principals)],
    run,
};

/// So many assignments are named in a sentence; the others are cited.
const NAMED: usize = 5;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut held: BTreeMap<&str, Vec<&RoleAssignment>> = BTreeMap::new();
    for assignment in &facts.tenant.role_assignments {
        held.entry(&assignment.principal_id).or_default().push(assignment);
    }
    held.into_iter().filter_map(|(object_id, assignments)| judge(facts, object_id, &assignments)).collect()
}

fn judge(facts: &Facts<'_>, object_id: &str, assignments: &[&RoleAssignment]) -> Option<Finding> {
    let tenant = facts.tenant;
    let first = assignments.first()?;
    let on = about("principal", &Id::new(object_id), &tenant.principal_name(object_id), &first.from)
        .citing(assignments.iter().map(|assignment| &assignment.from));
    if let Some(principal) = tenant.principal(object_id) {
        let because = format!("the directory knows it as a {}", principal.kind.words());
        return Some(on.citing([&principal.from]).pass(because));
    }
    if assignments.iter().any(|assignment| is_of_another_tenant(assignment)) {
        let because = "it belongs to another tenant, whose directory is not asked";
        return Some(on.not_evaluated(Reason::PrincipalUnresolved, because));
    }
    let Some(answer) = tenant.resolved_ids.get(&object_id.to_lowercase()) else {
        return Some(match facts.missing(&[whole(Kind::Principals)], &Id::new(object_id)) {
            Some(missing) => on.missing(&missing),
            None => on.not_evaluated(Reason::PrincipalUnresolved, "the directory was not asked about it"),
        });
    };
    let named: Vec<String> = assignments.iter().take(NAMED).map(|assignment| named(tenant, assignment)).collect();
    let more = match assignments.len().saturating_sub(NAMED) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    Some(on.citing([answer]).fail(format!(
        "the directory does not know it any more, yet it holds {}{more}; the directory does not show when it was \
         deleted, so the {} days of grace cannot be credited",
        named.join(", "),
        facts.parameters.orphan_days
    )))
}

fn named(tenant: &Tenant, assignment: &RoleAssignment) -> String {
    let role = tenant.role_definitions.get(&assignment.role).map_or(&assignment.role, |role| &role.name);
    format!("{role} at `{}`", assignment.scope)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Outcome;
    use super::super::testing::{
        SECRETS_USER, SUB, assignment_json, base, findings_of, list, only, patched, role_json, service_principal_json,
        vault_id, with_principals,
    };
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    const APP: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const ASSIGNMENT: &str = "cccccccc-0000-0000-0000-000000000001";

    fn tenant(patch: &Value) -> CaptureBuilder {
        let assignment = assignment_json(ASSIGNMENT, &vault_id("kv1"), SECRETS_USER, APP, "ServicePrincipal");
        base().replace(Kind::RoleAssignments, SUB, list([patched(assignment, patch)])).replace(
            Kind::RoleDefinitions,
            SUB,
            list([role_json(SECRETS_USER, "Key Vault Secrets User", &[], &[])]),
        )
    }

    #[test]
    fn a_principal_that_the_directory_knows_passes() {
        let builder = with_principals(tenant(&json!({})), &[APP], [service_principal_json(APP, "app")]);
        let findings = findings_of(&CHECK, builder);
        assert_eq!(only(&findings).outcome(), Outcome::Pass);
        assert_eq!(only(&findings).because(), "the directory knows it as a service principal");
    }

    #[test]
    fn a_principal_that_the_directory_was_asked_for_and_left_out_fails() {
        let findings = findings_of(&CHECK, with_principals(tenant(&json!({})), &[APP], []));
        let finding = only(&findings);
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert!(finding.because().contains(&format!("Key Vault Secrets User at `{}`", vault_id("kv1"))), "{finding:?}");
        assert!(finding.because().contains("does not show when it was deleted"));
        assert_eq!(finding.evidence().len(), 2, "the assignment and the answer of the directory");
    }

    #[test]
    fn a_principal_of_another_tenant_is_not_evaluated() {
        for patch in [
            json!({"properties": {"principalType": "ForeignGroup"}}),
            json!({"properties": {"delegatedManagedIdentityResourceId": "/subscriptions/other"}}),
        ] {
            let findings = findings_of(&CHECK, with_principals(tenant(&patch), &[APP], []));
            assert_eq!(only(&findings).reason(), Some(Reason::PrincipalUnresolved), "{patch}");
        }
    }

    #[test]
    fn a_principal_that_the_directory_was_not_asked_for_is_not_evaluated() {
        let findings = findings_of(&CHECK, with_principals(tenant(&json!({})), &[], []));
        assert_eq!(only(&findings).reason(), Some(Reason::PrincipalUnresolved));
        let denied = with_principals(tenant(&json!({})), &[APP], []).denied(Kind::Principals, "directory");
        assert_eq!(only(&findings_of(&CHECK, denied)).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn refused_assignments_are_not_evaluated_and_none_at_all_not_applicable() {
        let findings = findings_of(&CHECK, base().denied(Kind::RoleAssignments, "/"));
        assert_eq!(only(&findings).outcome(), Outcome::NotEvaluated);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
