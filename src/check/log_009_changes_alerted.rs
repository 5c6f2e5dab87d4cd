//! LOG-009: somebody is told when access to vaults, a vault or its logging is changed.

use super::people::counted;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::evidence::{Cite, Kind};
use crate::model::{ActionGroup, ActivityAlert, AlertCondition, Id, SearchAlert, Subscription};

pub(super) const CHECK: Check = Check {
    id: "LOG-009",
    title: "Changes of access, of vaults and of their logging raise an alert",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "For every subscription that holds a vault, whether for each operation of the parameter `alerted_operations` an \
           alert rule on the activity log is on, watches the subscription, fires for the operation without asking for \
           more than its category, its type of resource or its success, and tells an action group that is on and has a \
           receiver. Where no such rule is there but one that searches logs is on and tells a group, a person must say what it searches \
           for: the text of queries is not kept.",
    blind_to: "What rules that search logs look for; rules of Sentinel and of products outside Azure; whether somebody \
               acts on an alert; suppression by alert processing rules; receivers that take no mail any more.",
    fix: "`az monitor activity-log alert create --name NAME --resource-group RG --scope /subscriptions/SUB --condition \
          category=Administrative and operationName=OPERATION --action-group GROUP`, one for each operation (Bicep: \
          `Microsoft.Insights/activityLogAlerts`; Terraform: `azurerm_monitor_activity_log_alert`).",
    needs: &[
        population(Kind::Vaults),
        own(Kind::ActivityLogAlerts),
        judged(Kind::ActionGroups),
        judged(Kind::LogSearchAlerts),
    ],
    run,
};

/// Fields that narrow an alert no further than a change of the kind that was made.
const HARMLESS: &[(&str, &[&str])] =
    &[("category", &["Administrative"]), ("status", &["Succeeded"]), ("resourceProvider", &[]), ("resourceType", &[])];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let holds_a_vault = |subscription: &&Subscription| {
        facts.tenant.vaults.iter().any(|vault| subscription.id.is_at_or_above(&vault.id))
    };
    facts.tenant.subscriptions.iter().filter(holds_a_vault).map(|subscription| judge(facts, subscription)).collect()
}

fn judge(facts: &Facts<'_>, subscription: &Subscription) -> Finding {
    let on = about("subscription", &subscription.id, &subscription.name, &subscription.from);
    let logging = &facts.tenant.logging;
    let mut evidence: Vec<Cite> = Vec::new();
    let mut lacking: Vec<&str> = Vec::new();
    let mut untold: Option<String> = None;
    for operation in &facts.parameters.alerted_operations {
        let mut watching = logging.activity_alerts.iter().filter(|rule| watches(rule, &subscription.id, operation));
        let told = watching.clone().find_map(|rule| Some((rule, groups(facts, rule).0?)));
        match told {
            Some((rule, group)) => evidence.extend([rule.from.clone(), group.from.clone()]),
            None => {
                untold = untold.or_else(|| watching.find_map(|rule| groups(facts, rule).1));
                lacking.push(operation);
            }
        }
    }
    let on = on.citing(&evidence);
    if lacking.is_empty() {
        return on.pass(format!("{} raise an alert", counted(facts.parameters.alerted_operations.len(), "operation")));
    }
    let words = format!("no alert on {}", lacking.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", "));
    if let Some(missing) = facts.missing(&[own(Kind::ActivityLogAlerts)], &subscription.id) {
        return on.missing(&missing);
    }
    if let Some(group) = untold {
        // a group of a list that was not read may well tell somebody
        let of_groups = facts.tenant.coverage.missing_anywhere(Kind::ActionGroups).into_iter().next();
        if let Some(missing) = of_groups {
            return on.missing(&missing);
        }
        return on.fail(format!("{words}: {group}"));
    }
    let on = on.citing(&facts.records_about(Kind::ActivityLogAlerts, &subscription.id));
    let tells = |rule: &&SearchAlert| rule.enabled == Some(true) && !rule.action_groups.is_empty();
    let mut searching = logging.search_alerts.iter().filter(tells).peekable();
    if searching.peek().is_some() {
        let rules: Vec<&Cite> = searching.map(|rule| &rule.from).collect();
        let count = counted(rules.len(), "rule");
        return on
            .citing(rules)
            .manual(format!("{words}; {count} that search logs are on, of which a person must say what for"));
    }
    match facts.tenant.coverage.missing_anywhere(Kind::LogSearchAlerts).into_iter().next() {
        Some(missing) => on.missing(&missing),
        None => on.citing(&facts.records_of(Kind::LogSearchAlerts)).fail(words),
    }
}

/// Whether a rule that is on fires whenever the operation is done in the subscription.
fn watches(rule: &ActivityAlert, subscription: &Id, operation: &str) -> bool {
    let is_for = |condition: &AlertCondition| is_field(condition, "operationName") && has_value(condition, operation);
    let is_for_it = |condition: &AlertCondition| is_for(condition) || condition.any_of.iter().any(is_for);
    rule.enabled != Some(false)
        && rule.scopes.iter().any(|scope| scope == subscription)
        && rule.conditions.iter().any(is_for_it)
        && rule.conditions.iter().all(|condition| is_for_it(condition) || is_harmless(condition, operation))
}

fn is_field(condition: &AlertCondition, name: &str) -> bool {
    condition.field.as_deref().is_some_and(|field| field.eq_ignore_ascii_case(name))
}

fn has_value(condition: &AlertCondition, value: &str) -> bool {
    condition.values.iter().any(|own| own.eq_ignore_ascii_case(value))
}

/// Whether a condition holds for every change by the operation that was made.
fn is_harmless(condition: &AlertCondition, operation: &str) -> bool {
    let Some((name, values)) = HARMLESS.iter().find(|(name, _)| is_field(condition, name)) else {
        return !condition.any_of.is_empty() && condition.any_of.iter().any(|one| is_harmless(one, operation));
    };
    let provider = operation.split('/').next().unwrap_or(operation);
    let of_type = operation.rsplit_once('/').map_or(operation, |(of_type, _)| of_type);
    match *name {
        "resourceProvider" => has_value(condition, provider),
        "resourceType" => has_value(condition, of_type),
        _ => values.iter().any(|value| has_value(condition, value)),
    }
}

/// An action group of a rule that tells somebody; else why the first does not, in words.
fn groups<'a>(facts: &Facts<'a>, rule: &ActivityAlert) -> (Option<&'a ActionGroup>, Option<String>) {
    let mut why = Some(format!("the rule `{}` tells no action group", rule.id.name()));
    for id in &rule.action_groups {
        match facts.tenant.logging.action_groups.iter().find(|group| group.id == *id) {
            Some(group) if group.enabled != Some(false) && group.receivers > 0 => return (Some(group), None),
            Some(group) => why = Some(format!("the action group `{}` is off or has no receiver", group.id.name())),
            None => why = Some(format!("the action group `{}` is in no list", id.name())),
        }
    }
    (None, why)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::testing::{SUB, base, findings_of, list, only, patched, vault_json};
    use crate::check::{Finding, Outcome, Parameters};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn group_id() -> String {
        format!("{SUB}/resourceGroups/rg/providers/Microsoft.Insights/actionGroups/ops")
    }

    fn rule(name: &str, operation: &str, patch: &Value) -> Value {
        let rule = json!({"id": format!("{SUB}/resourceGroups/rg/providers/Microsoft.Insights/activityLogAlerts/{name}"),
            "properties": {"enabled": true, "scopes": [SUB.to_uppercase().replace("/SUBSCRIPTIONS/", "/subscriptions/")],
                "condition": {"allOf": [{"field": "category", "equals": "Administrative"},
                    {"field": "operationName", "equals": operation}]},
                "actions": {"actionGroups": [{"actionGroupId": group_id().to_lowercase()}]}}});
        patched(rule, &json!({"properties": patch}))
    }

    fn rules(patch: &Value) -> Vec<Value> {
        let operations = Parameters::default().alerted_operations;
        operations.iter().enumerate().map(|(at, one)| rule(&format!("r{at}"), &one.to_uppercase(), patch)).collect()
    }

    fn with(rules: &[Value], group: &Value) -> CaptureBuilder {
        let own = json!({"id": group_id(), "properties": {"enabled": true, "emailReceivers": [{"status": "Enabled"}]}});
        base()
            .replace(Kind::Vaults, SUB, list([vault_json("kv", &json!({}))]))
            .replace(Kind::ActivityLogAlerts, SUB, list(rules.to_vec()))
            .replace(Kind::ActionGroups, SUB, list([patched(own, &json!({"properties": group}))]))
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn a_rule_for_each_operation_passes_whatever_its_case() {
        let finding = judged(with(&rules(&json!({})), &json!({})));
        assert_eq!((finding.outcome(), finding.because()), (Outcome::Pass, "5 operations raise an alert"));
        let any_of: Vec<Value> = Parameters::default()
            .alerted_operations
            .iter()
            .map(|one| json!({"field": "operationName", "equals": one}))
            .collect();
        let one =
            json!({"condition": {"allOf": [{"field": "status", "containsAny": ["succeeded"]}, {"anyOf": any_of}]}});
        assert_eq!(judged(with(&[rule("all", "x", &one)], &json!({}))).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_rule_that_is_off_narrow_or_elsewhere_does_not_count() {
        let narrowed = |field: &str, value: &str| {
            json!({"condition": {"allOf": [{"field": "operationName", "equals": "Microsoft.KeyVault/vaults/delete"},
                {"field": field, "equals": value}]}})
        };
        for patch in [
            json!({"enabled": false}),
            json!({"scopes": [format!("{SUB}/resourceGroups/rg")]}),
            narrowed("caller", "ada@contoso.example"),
            narrowed("status", "Failed"),
            narrowed("resourceType", "Microsoft.Compute/virtualMachines"),
        ] {
            let mut rules = rules(&json!({}));
            rules[2] = rule("r2", "Microsoft.KeyVault/vaults/delete", &patch);
            let finding = judged(with(&rules, &json!({})));
            assert_eq!(
                (finding.outcome(), finding.because()),
                (Outcome::Fail, "no alert on `Microsoft.KeyVault/vaults/delete`"),
                "{patch}"
            );
        }
        assert_eq!(judged(with(&[], &json!({}))).outcome(), Outcome::Fail);
    }

    #[test]
    fn an_alert_that_tells_nobody_is_none() {
        for group in [json!({"enabled": false}), json!({"emailReceivers": []})] {
            let finding = judged(with(&rules(&json!({})), &group));
            assert!(finding.because().ends_with("the action group `ops` is off or has no receiver"), "{finding:?}");
            assert_eq!(finding.outcome(), Outcome::Fail);
        }
        let nobody = judged(with(&rules(&json!({"actions": {"actionGroups": []}})), &json!({})));
        assert!(nobody.because().ends_with("the rule `r0` tells no action group"), "{nobody:?}");
    }

    #[test]
    fn a_rule_that_searches_logs_awaits_a_person() {
        let with_search = |enabled: bool, groups: &[String]| {
            let rule = json!({"id": format!("{SUB}/x/s1"), "properties": {"enabled": enabled, "scopes": [SUB],
                "actions": {"actionGroups": groups}}});
            judged(with(&[], &json!({})).replace(Kind::LogSearchAlerts, SUB, list([rule]))).outcome()
        };
        assert_eq!(with_search(true, &[group_id()]), Outcome::Manual);
        assert_eq!(with_search(false, &[group_id()]), Outcome::Fail);
        assert_eq!(with_search(true, &[]), Outcome::Fail, "it tells nobody");
    }

    #[test]
    fn unread_rules_groups_and_searches_are_not_evaluated() {
        let whole = || with(&rules(&json!({})), &json!({}));
        for kind in [Kind::ActivityLogAlerts, Kind::ActionGroups] {
            assert_eq!(judged(whole().denied(kind, SUB)).reason(), Some(Reason::Forbidden), "{kind:?}");
        }
        let none = with(&[], &json!({})).denied(Kind::LogSearchAlerts, SUB);
        assert_eq!(judged(none).reason(), Some(Reason::Forbidden));
        assert_eq!(judged(whole().denied(Kind::LogSearchAlerts, SUB)).outcome(), Outcome::Pass, "not needed");
    }

    #[test]
    fn a_subscription_without_a_vault_needs_no_alert() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
        assert_eq!(judged(base().denied(Kind::Vaults, SUB)).outcome(), Outcome::NotEvaluated);
    }
}
