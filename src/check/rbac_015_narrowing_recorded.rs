//! What narrows access beside roles and scopes: conditions and deny assignments, with their text.

use std::collections::{BTreeMap, BTreeSet};

use super::people::counted;
use super::{Check, Facts, Finding, Nature, Severity, about, population};
use crate::access::is_condition_read;
use crate::evidence::{Kind, Reason};
use crate::model::{DenyAssignment, Id, RoleAssignment, RoleDefinition, Tenant};

/// So many characters of a condition are printed; the record holds the rest.
const SHOWN: usize = 400;
/// Stands for everybody in a deny assignment.
const EVERYBODY: &str = "00000000-0000-0000-0000-000000000000";

pub(super) const CHECK: Check = Check {
    id: "RBAC-015",
    title: "Conditions and deny assignments that narrow access are recorded",
    severity: Severity::Info,
    nature: Nature::Design,
    asks: "Every role assignment with a condition, every role in use whose definition has one, and every deny \
           assignment, with its text: reported so that a reader knows what the answers about access rest on. A \
           condition that cannot be parsed, and a deny assignment that does not tell its effect, are never taken to \
           narrow anything.",
    blind_to: "Whether what they narrow is what somebody meant, and what depends on the request itself (addresses, \
               tags of a blob, custom attributes of the caller): such access is shown as conditional.",
    fix: "Nothing to fix. Where a condition is not understood, write it in the grammar that Azure documents: portal, \
          Access control (IAM), the assignment, Condition, Visual editor; or `az role assignment update`.",
    needs: &[population(Kind::RoleAssignments), population(Kind::RoleDefinitions), population(Kind::DenyAssignments)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let tenant = facts.tenant;
    let assignments = tenant.role_assignments.iter().filter_map(|assignment| of_assignment(tenant, assignment));
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    for assignment in &tenant.role_assignments {
        *held.entry(assignment.role.as_str()).or_default() += 1;
    }
    let roles = held.iter().filter_map(|(guid, times)| of_role(tenant.role_definitions.get(*guid)?, *times));
    assignments.chain(roles).chain(tenant.deny_assignments.iter().map(of_deny)).collect()
}

fn of_assignment(tenant: &Tenant, assignment: &RoleAssignment) -> Option<Finding> {
    let condition = assignment.condition.as_deref()?;
    let role = tenant.role_definitions.get(&assignment.role);
    let role = role.map_or(assignment.role.as_str(), |role| role.name.as_str());
    let holder = tenant.principal_name(&assignment.principal_id);
    let on = about("role_assignment", &assignment.id, &format!("{role} of {holder}"), &assignment.from);
    let said = format!("the role at `{}` is under the condition `{}`", assignment.scope, shown(condition));
    Some(match is_condition_read(condition) {
        true => on.pass(said),
        false => on.not_evaluated(Reason::ConditionNotEvaluated, format!("{said}, which could not be parsed")),
    })
}

fn of_role(role: &RoleDefinition, times: usize) -> Option<Finding> {
    let conditions: BTreeSet<&str> = role.permissions.iter().filter_map(|entry| entry.condition.as_deref()).collect();
    let first = conditions.first()?;
    let on = about("role_definition", &Id::new(role.guid.clone()), &role.name, &role.from);
    let said = format!("held by {}, under the condition `{}`", counted(times, "assignment"), shown(first));
    Some(match conditions.iter().all(|condition| is_condition_read(condition)) {
        true => on.pass(said),
        false => on.not_evaluated(Reason::ConditionNotEvaluated, format!("{said}; one could not be parsed")),
    })
}

fn of_deny(deny: &DenyAssignment) -> Finding {
    let on = about("deny_assignment", &deny.id, &deny.name, &deny.from);
    let who = match deny.principals.iter().any(|id| id == EVERYBODY) {
        true => "everybody".to_owned(),
        false => counted(deny.principals.len(), "principal"),
    };
    let except = match deny.exclude_principals.len() {
        0 => String::new(),
        excluded => format!(" except {excluded}"),
    };
    let actions: usize = deny.permissions.iter().map(|entry| entry.actions.len()).sum();
    let data_actions: usize = deny.permissions.iter().map(|entry| entry.data_actions.len()).sum();
    let below = if deny.not_to_children == Some(true) { " and not below" } else { "" };
    let said = format!(
        "at `{}`{below}, for {who}{except} (patterns of actions: {actions}, of data actions: {data_actions})",
        deny.scope
    );
    match deny.effect.as_deref() {
        Some(effect) if effect.eq_ignore_ascii_case("enforced") => on.pass(format!("it denies {said}")),
        Some(effect) if effect.eq_ignore_ascii_case("audit") => {
            on.pass(format!("it only reports, and denies nothing, {said}"))
        }
        effect => on.not_evaluated(
            Reason::DenyNotEvaluated,
            format!("its effect is {}, so that it is not credited, {said}", effect.unwrap_or("not told")),
        ),
    }
}

/// The text on one line, cut.
fn shown(condition: &str) -> String {
    let line = condition.split_whitespace().collect::<Vec<&str>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::roles::testing::{APP, CUSTOM, OWNER, holding};
    use crate::check::testing::{
        ROOT_GROUP, SECRETS_USER, SUB, base, findings_of, list, only, patched, role_json, vault_id,
    };
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const READABLE: &str = "(@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'db')";

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    fn under(condition: &str) -> CaptureBuilder {
        holding(&[(&vault_id("kv"), SECRETS_USER, APP)], &json!({"properties": {"condition": condition}}))
    }

    fn denying(patch: &Value) -> CaptureBuilder {
        let deny = json!({"id": format!("{SUB}/providers/Microsoft.Authorization/denyAssignments/d1"), "name": "d1",
            "properties": {"denyAssignmentName": "stack", "scope": SUB, "denyAssignmentEffect": "enforced",
            "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}],
            "excludePrincipals": [{"id": APP, "type": "ServicePrincipal"}], "doNotApplyToChildScopes": false,
            "permissions": [{"actions": ["*/write", "*/delete"], "notActions": [], "dataActions": [], "notDataActions": []}]}});
        base().replace(Kind::DenyAssignments, SUB, list([patched(deny, &json!({"properties": patch}))]))
    }

    #[test]
    fn a_condition_is_recorded_with_its_text() {
        let finding = judged(under(&READABLE.replace(' ', "\n  ")));
        assert_eq!(
            (finding.outcome(), finding.subject().name.as_str()),
            (Outcome::Pass, "Key Vault Secrets User of app")
        );
        assert!(finding.because().ends_with(&format!("is under the condition `{READABLE}`")), "{}", finding.because());
        let long = judged(under(&format!("{READABLE}{}", " ".repeat(10) + &format!(" OR {READABLE}").repeat(9))));
        assert!(long.because().ends_with("…`"), "{}", long.because());
    }

    #[test]
    fn a_condition_that_cannot_be_parsed_is_not_evaluated() {
        let finding = judged(under("(((somehow"));
        assert_eq!(finding.reason(), Some(Reason::ConditionNotEvaluated));
    }

    #[test]
    fn a_role_with_a_condition_counts_when_it_is_held() {
        let role = |condition: &str| {
            let entry = json!([{"actions": ["*/read"], "dataActions": [], "condition": condition}]);
            list([patched(role_json(CUSTOM, "Narrow", &[], &[]), &json!({"properties": {"permissions": entry}}))])
        };
        let with = |builder: CaptureBuilder, condition: &str| {
            judged(builder.replace(Kind::RoleDefinitions, SUB, role(condition)))
        };
        let held = holding(&[(SUB, CUSTOM, APP)], &json!({}));
        assert_eq!(with(held.clone(), READABLE).outcome(), Outcome::Pass);
        assert_eq!(with(held, "(((somehow").outcome(), Outcome::NotEvaluated);
        assert_eq!(with(holding(&[(SUB, OWNER, APP)], &json!({})), READABLE).outcome(), Outcome::NotApplicable);
    }

    #[test]
    fn a_deny_assignment_is_credited_only_when_it_says_that_it_is_enforced() {
        let enforced = judged(denying(&json!({})));
        assert_eq!(enforced.outcome(), Outcome::Pass);
        let because =
            format!("it denies at `{SUB}`, for everybody except 1 (patterns of actions: 2, of data actions: 0)");
        assert_eq!((enforced.because(), enforced.subject().name.as_str()), (because.as_str(), "stack"));
        let audit = judged(denying(&json!({"denyAssignmentEffect": "Audit"})));
        assert!(audit.because().starts_with("it only reports"), "{}", audit.because());
        assert_eq!(judged(denying(&json!({"denyAssignmentEffect": null}))).reason(), Some(Reason::DenyNotEvaluated));
    }

    #[test]
    fn lists_that_were_not_read_are_not_evaluated_and_nothing_is_not_applicable() {
        for (kind, scope) in
            [(Kind::RoleAssignments, ROOT_GROUP), (Kind::DenyAssignments, SUB), (Kind::RoleDefinitions, SUB)]
        {
            let finding = judged(base().denied(kind, scope));
            assert_eq!(finding.outcome(), Outcome::NotEvaluated, "{kind:?}");
        }
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
