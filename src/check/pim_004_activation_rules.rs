//! PIM-004: what must be done before an eligible role becomes active.

use std::collections::BTreeMap;

use super::people::People;
use super::roles::role_name;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population};
use crate::evidence::{Kind, Reason};
use crate::model::{Asked, Id, Missing, RoleRules, RoleSchedule};

pub(super) const CHECK: Check = Check {
    id: "PIM-004",
    title: "Activating a role takes approval, a second factor, a reason and a ticket, and ends soon",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "For every role that somebody can activate, the rules of Privileged Identity Management for that role at the very \
           scope at which it is eligible, which has rules of its own: an approval, a second factor, a reason and a ticket \
           are asked for, and an activation ends after the minutes of the parameter `activation_minutes` at most. One \
           that is weaker is an exception. A Conditional Access context in place of the second factor awaits a person, \
           as what it asks for is not read here.",
    blind_to: "Who approves, and whether approvers look; whether a ticket exists; rules of memberships of groups and of \
               directory roles; rules of roles for which nobody is eligible.",
    fix: "Privileged Identity Management > Azure resources > the scope > Settings > the role > Edit: require justification, \
          ticket information, approval and multifactor authentication on activation, maximum duration 2 hours. Bicep: \
          `Microsoft.Authorization/roleManagementPolicies`; Terraform: `azurerm_role_management_policy`.",
    needs: &[
        population(Kind::RoleEligibilityScheduleInstances),
        judged(Kind::RoleManagementPolicyAssignments),
        judged(Kind::RoleDefinitions),
        judged(Kind::Principals),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut eligible: BTreeMap<(&Id, &str), Vec<&RoleSchedule>> = BTreeMap::new();
    let in_force = facts.tenant.authorization.eligible.iter();
    for schedule in in_force.filter(|one| one.ends.is_none_or(|ends| ends > facts.tenant.collected_at)) {
        eligible.entry((&schedule.scope, &schedule.role)).or_default().push(schedule);
    }
    let people = People::of(facts.tenant);
    eligible
        .into_iter()
        .filter_map(|((scope, role), schedules)| judge(facts, &people, scope, role, &schedules))
        .collect()
}

fn judge(
    facts: &Facts<'_>,
    people: &People<'_>,
    scope: &Id,
    role: &str,
    schedules: &[&RoleSchedule],
) -> Option<Finding> {
    let who: Vec<String> = schedules.iter().map(|schedule| people.name(&schedule.principal_id)).collect();
    let name = format!("{} at {} ({})", role_name(facts, role), scope.name(), who.join(", "));
    let id = Id::new(format!("{}/roles/{role}", scope.shown().trim_end_matches('/')));
    let on = about("eligible_role", &id, &name, &schedules.first()?.from).citing(schedules.iter().map(|one| &one.from));
    let rules = facts.tenant.authorization.rules.iter().find(|rules| rules.scope == *scope && rules.role == role);
    let Some(rules) = rules else { return Some(on.missing(&unread(facts, scope))) };
    let on = on.citing([&rules.from]);
    let longest = facts.parameters.activation_minutes;
    let weaker = weaker(rules, longest);
    if !weaker.is_empty() {
        return Some(on.fail(format!("activation {}", weaker.join(", "))));
    }
    if let Some(what) = untold(rules) {
        return Some(on.not_evaluated(Reason::ValueUnknown, format!("the rules do not tell {what}")));
    }
    let minutes = rules.longest_activation.unwrap_or_default();
    if rules.mfa != Some(true) {
        return Some(on.manual(
            "a Conditional Access authentication context stands in place of the second factor; a person must say what it asks for",
        ));
    }
    Some(
        on.pass(format!(
            "approval, second factor, reason and ticket are asked for, and it ends after {minutes} minutes"
        )),
    )
}

/// Where the rules ask for less, in words.
fn weaker(rules: &RoleRules, longest: i64) -> Vec<String> {
    let is_off = |rule: Option<bool>| rule == Some(false);
    let mut weaker = Vec::new();
    if is_off(rules.approval) {
        weaker.push("needs no approval".to_owned());
    }
    if is_off(rules.mfa) && rules.authentication_context != Some(true) {
        weaker.push("needs no second factor".to_owned());
    }
    if is_off(rules.reason) {
        weaker.push("needs no reason".to_owned());
    }
    if is_off(rules.ticket) {
        weaker.push("needs no ticket".to_owned());
    }
    if let Some(minutes) = rules.longest_activation.filter(|minutes| *minutes > longest) {
        weaker.push(format!("may last {minutes} minutes, {longest} are allowed"));
    }
    weaker
}

/// A rule that the answer does not hold, which is not "off" and not "on".
fn untold(rules: &RoleRules) -> Option<&'static str> {
    let has_context = rules.authentication_context == Some(true);
    let told = [
        (rules.approval.is_some(), "whether an approval is needed"),
        (rules.mfa.is_some() || has_context, "whether a second factor is needed"),
        (rules.reason.is_some(), "whether a reason is needed"),
        (rules.ticket.is_some(), "whether a ticket is needed"),
        (rules.longest_activation.is_some(), "how long an activation lasts"),
    ];
    told.iter().find(|(is_told, _)| !is_told).map(|(_, what)| *what)
}

/// Why there are no rules of a scope.
fn unread(facts: &Facts<'_>, scope: &Id) -> Missing {
    let kind = Kind::RoleManagementPolicyAssignments;
    let asked: Option<&Asked> =
        facts.tenant.coverage.questions(kind).find(|asked| Id::new(asked.scope.clone()) == *scope);
    let (reason, detail) = match asked {
        Some(Asked { gap: Some((reason, detail)), .. }) => (*reason, detail.clone()),
        Some(_) => (Reason::NotFound, "the answer holds no rules of this role".to_owned()),
        None => (Reason::NotAsked, "the rules of this scope were not asked for".to_owned()),
    };
    Missing { kind, scope: scope.shown().to_owned(), reason, detail, from: asked.map(|asked| asked.from.clone()) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::roles::testing::OFFICER;
    use crate::check::testing::{SUB, base, findings_of, list, only, user_json, vault_id, with_principals};
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const ADA: &str = "bbbbbbbb-0000-0000-0000-000000000001";

    fn eligible(scope: &str, end: &Value) -> Value {
        json!({"id": format!("{scope}/x/e1"), "properties": {"scope": scope, "principalId": ADA, "endDateTime": end,
            "roleDefinitionId": format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{OFFICER}")}})
    }

    fn rules(scope: &str, enabled: &Value, approval: &Value, longest: &Value, context: bool) -> Value {
        json!({"id": format!("{scope}/x/p1"), "properties": {"scope": scope,
            "roleDefinitionId": format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{OFFICER}"),
            "effectiveRules": [
                {"id": "Approval_EndUser_Assignment", "setting": {"isApprovalRequired": approval}},
                {"id": "AuthenticationContext_EndUser_Assignment", "isEnabled": context},
                {"id": "Enablement_EndUser_Assignment", "enabledRules": enabled},
                {"id": "Expiration_EndUser_Assignment", "maximumDuration": longest}]}})
    }

    fn all() -> Value {
        json!(["MultiFactorAuthentication", "Justification", "Ticketing"])
    }

    fn with(scope: &str, rules: &[Value]) -> CaptureBuilder {
        let builder =
            base().replace(Kind::RoleEligibilityScheduleInstances, SUB, list([eligible(scope, &Value::Null)]));
        let builder = match scope == SUB {
            true => builder.replace(Kind::RoleManagementPolicyAssignments, SUB, list(rules.to_vec())),
            false => builder.answer(Kind::RoleManagementPolicyAssignments, scope, list(rules.to_vec())),
        };
        with_principals(builder, &[ADA], [user_json(ADA, "ada")])
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn all_four_and_two_hours_pass() {
        let finding = judged(with(SUB, &[rules(SUB, &all(), &json!(true), &json!("PT2H"), false)]));
        assert_eq!(finding.outcome(), Outcome::Pass);
        assert!(finding.subject().name.ends_with("(ada)"), "{finding:?}");
    }

    #[test]
    fn each_rule_that_is_weaker_fails_by_name() {
        for (enabled, approval, longest, says) in [
            (all(), json!(false), json!("PT2H"), "activation needs no approval"),
            (json!(["Justification", "Ticketing"]), json!(true), json!("PT2H"), "activation needs no second factor"),
            (
                json!(["MultiFactorAuthentication", "Ticketing"]),
                json!(true),
                json!("PT2H"),
                "activation needs no reason",
            ),
            (
                json!(["MultiFactorAuthentication", "Justification"]),
                json!(true),
                json!("PT2H"),
                "activation needs no ticket",
            ),
            (all(), json!(true), json!("PT8H"), "activation may last 480 minutes, 120 are allowed"),
        ] {
            let finding = judged(with(SUB, &[rules(SUB, &enabled, &approval, &longest, false)]));
            assert_eq!((finding.outcome(), finding.because()), (Outcome::Fail, says));
        }
    }

    #[test]
    fn a_context_in_place_of_the_second_factor_awaits_a_person() {
        let enabled = json!(["Justification", "Ticketing"]);
        let finding = judged(with(SUB, &[rules(SUB, &enabled, &json!(true), &json!("PT1H"), true)]));
        assert_eq!(finding.outcome(), Outcome::Manual);
    }

    #[test]
    fn the_rules_are_those_of_the_very_scope() {
        let strict = |scope: &str| rules(scope, &all(), &json!(true), &json!("PT2H"), false);
        let vault = vault_id("kv");
        assert_eq!(judged(with(&vault, &[strict(&vault)])).outcome(), Outcome::Pass);
        let above = base()
            .replace(Kind::RoleEligibilityScheduleInstances, SUB, list([eligible(&vault, &Value::Null)]))
            .replace(Kind::RoleManagementPolicyAssignments, SUB, list([strict(SUB)]));
        assert_eq!(judged(above).reason(), Some(Reason::NotAsked), "those of the subscription are others");
    }

    #[test]
    fn a_rule_that_is_not_told_and_unread_rules_are_open() {
        let untold = judged(with(SUB, &[rules(SUB, &Value::Null, &json!(true), &json!("PT2H"), false)]));
        assert_eq!(untold.reason(), Some(Reason::ValueUnknown));
        assert_eq!(judged(with(SUB, &[])).reason(), Some(Reason::NotFound));
        let denied = with(SUB, &[]).denied(Kind::RoleManagementPolicyAssignments, SUB);
        assert_eq!(judged(denied).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn where_nobody_is_eligible_there_are_no_rules_to_judge() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
        let over = list([eligible(SUB, &json!("2026-01-01T00:00:00Z"))]);
        let over = base().replace(Kind::RoleEligibilityScheduleInstances, SUB, over);
        assert_eq!(judged(over).outcome(), Outcome::NotApplicable);
        let denied = base().denied(Kind::RoleEligibilityScheduleInstances, SUB);
        assert_eq!(judged(denied).outcome(), Outcome::NotEvaluated);
    }
}
