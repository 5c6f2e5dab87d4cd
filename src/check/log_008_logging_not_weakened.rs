//! LOG-008: nobody took logs away, shortened them or purged them in the period.

use super::callers::shown;
use super::operations::{self, Operation};
use super::people::People;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population};
use crate::evidence::{Cite, Kind};
use crate::model::{Id, Subscription};

pub(super) const CHECK: Check = Check {
    id: "LOG-008",
    title: "Logging was not weakened in the period",
    severity: Severity::Critical,
    nature: Nature::Operating,
    asks: "Changes of the period, from the activity log of every subscription and from its export: a diagnostic setting of \
           a vault, a workspace or a subscription that was deleted or written; a workspace, a table, a data export that \
           was deleted or written; a purge of rows. A deletion and a purge are exceptions, and so is a retention set \
           below the period and the margin of the parameter `retention_margin_days`. Of another change a person must \
           record that it was approved, as the log does not tell what was there before it.",
    blind_to: "Whether a deletion was approved: record a waiver for one that was. Diagnostic settings of the directory and \
               of management groups, which are in no subscription's log; a daily cap on a workspace; storage accounts \
               and event hubs that logs were sent to.",
    fix: "Restore the setting or the retention, note the time without logs, and find out who did it and why. Deny it: a \
          resource lock does not protect diagnostic settings, a policy with `denyAction` on \
          `Microsoft.Insights/diagnosticSettings` does; alert on it (LOG-009).",
    needs: &[
        population(Kind::Subscriptions),
        judged(Kind::ActivityOfDiagnosticSettings),
        judged(Kind::ActivityOfWorkspaces),
        judged(Kind::SubscriptionExports),
        judged(Kind::ManagementGroupExports),
        judged(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        judged(Kind::Activity),
        judged(Kind::ActivityCount),
        judged(Kind::ActivityContinuity),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
    ],
    run,
};

const OF_SETTINGS: &str = "microsoft.insights/diagnosticsettings/";
const OF_WORKSPACES: &str = "microsoft.operationalinsights/workspaces/";

/// What a change means for the logs.
enum Effect {
    Taken(&'static str),
    Shortened(i64),
    Kept(i64),
    Changed(&'static str),
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let changes = operations::of_period(facts, &[OF_SETTINGS, OF_WORKSPACES]);
    let needed = facts.period.days().saturating_add(facts.parameters.retention_margin_days);
    let judged: Vec<(&Operation, Effect)> =
        changes.iter().filter_map(|change| Some((change, effect(change, needed)?))).collect();
    let mut findings: Vec<Finding> =
        judged.iter().filter_map(|(change, effect)| of_change(&people, change, effect, needed)).collect();
    let of_subscription = facts.tenant.subscriptions.iter().map(|subscription| {
        let seen = judged.iter().filter(|(change, _)| subscription.id.is_at_or_above(&change.resource)).count();
        of_subscription(facts, subscription, seen)
    });
    findings.extend(of_subscription);
    findings
}

/// Whether the log of a subscription covers the period, which is what makes the list of changes whole.
fn of_subscription(facts: &Facts<'_>, subscription: &Subscription, seen: usize) -> Finding {
    let on = about("subscription", &subscription.id, &subscription.name, &subscription.from);
    let mut evidence: Vec<Cite> = Vec::new();
    for kind in [Kind::ActivityOfDiagnosticSettings, Kind::ActivityOfWorkspaces] {
        match operations::covered(facts, kind, &subscription.id) {
            Ok(further) => evidence.extend(further),
            Err(open) => return on.open(&open),
        }
    }
    let on = on.citing(&evidence);
    match seen {
        0 => on.pass("its log covers the period and tells of no change of logging"),
        1 => on.pass("its log covers the period and tells of one change of logging, which has a line of its own"),
        count => on.pass(format!(
            "its log covers the period and tells of {count} changes of logging, each with a line of its own"
        )),
    }
}

fn of_change(people: &People<'_>, change: &Operation, effect: &Effect, needed: i64) -> Option<Finding> {
    let (target, name) = target(&change.resource);
    let on = about("log_change", &change.resource, &name, change.evidence.first()?).citing(&change.evidence);
    let when = format!("by {} at {}", change.by(people), shown(change.at));
    Some(match effect {
        Effect::Taken(what) => on.fail(format!("{what} of {target} {when}")),
        Effect::Shortened(days) => on.fail(format!("{target} was set to keep {days} of {needed} days {when}")),
        Effect::Kept(days) => on.pass(format!("{target} was set to keep {days} days, {needed} are needed, {when}")),
        Effect::Changed(what) => {
            on.manual(format!("{what} of {target} {when}; a person must record that it was approved"))
        }
    })
}

/// What a change means; none for one that touches no log of the system.
fn effect(change: &Operation, needed: i64) -> Option<Effect> {
    if let Some(verb) = change.name.strip_prefix(OF_SETTINGS) {
        return match verb {
            "delete" if is_watched(&change.resource) => Some(Effect::Taken("deletion")),
            "write" if is_watched(&change.resource) => Some(Effect::Changed("change")),
            _ => None,
        };
    }
    match change.name.strip_prefix(OF_WORKSPACES)? {
        "delete" | "tables/delete" => Some(Effect::Taken("deletion")),
        "dataexports/delete" => Some(Effect::Taken("deletion")),
        "purge/action" => Some(Effect::Taken("purge")),
        "dataexports/write" => Some(Effect::Changed("change")),
        // what a table is kept for in all decides; a workspace has but one number
        "write" | "tables/write" => match change.total_retention_days.or(change.retention_days) {
            Some(days) if (1..needed).contains(&days) => Some(Effect::Shortened(days)),
            Some(days) if days >= needed => Some(Effect::Kept(days)),
            _ => Some(Effect::Changed("change")),
        },
        _ => None,
    }
}

/// Whether a diagnostic setting is one that this system's evidence rests on: of a vault, a workspace or a subscription.
fn is_watched(setting: &Id) -> bool {
    let key = setting.key();
    let Some((parent, _)) = key.rsplit_once("/providers/microsoft.insights/diagnosticsettings") else { return false };
    let of_types = ["/providers/microsoft.keyvault/vaults/", "/providers/microsoft.operationalinsights/workspaces/"];
    of_types.iter().any(|of_type| parent.contains(of_type)) || parent.split('/').count() <= 3
}

/// What was changed, for a reader: in a sentence, and as a name.
fn target(resource: &Id) -> (String, String) {
    let shown = resource.shown();
    let lower = shown.to_ascii_lowercase();
    let parent = lower.find("/providers/microsoft.insights/diagnosticsettings").and_then(|at| shown.get(..at));
    match parent {
        Some(parent) => {
            let of = Id::new(parent);
            (
                format!("the setting `{}` of `{}`", resource.name(), of.name()),
                format!("{}/{}", of.name(), resource.name()),
            )
        }
        None => (format!("`{}`", resource.name()), resource.name().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::logs::testing::workspace_id;
    use crate::check::operations::testing::{activity_json, event_json, exporting, ninety_days};
    use crate::check::testing::{SUB, about_name, base, findings_in, findings_of, list, only, vault_id};
    use crate::check::{Finding, Outcome, Parameters};
    use crate::evidence::{Kind, Reason};

    const SETTING: &str = "Microsoft.Insights/diagnosticSettings";
    const AT: &str = "2026-08-01T10:00:00Z";

    fn setting() -> String {
        format!("{}/providers/microsoft.insights/diagnosticSettings/audit", vault_id("kv"))
    }

    /// The findings beside that of the subscription.
    fn told(rows: &[Value]) -> Vec<Finding> {
        let mut findings = findings_of(&CHECK, exporting(base(), rows, &[]));
        assert_eq!(about_name(&findings, "Production").outcome(), Outcome::Pass);
        findings.retain(|finding| finding.subject().kind == "log_change");
        findings
    }

    #[test]
    fn a_quiet_log_that_covers_the_period_passes() {
        let findings = findings_of(&CHECK, base());
        assert_eq!(only(&findings).because(), "its log covers the period and tells of no change of logging");
        assert_eq!(only(&findings).evidence().len(), 3, "the subscription and its two questions");
    }

    #[test]
    fn a_deletion_fails_in_either_source_and_in_any_case() {
        let row =
            activity_json(AT, "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE", &setting().to_lowercase(), &json!({}));
        let findings = told(&[row]);
        assert_eq!((only(&findings).outcome(), only(&findings).subject().name.as_str()), (Outcome::Fail, "kv/audit"));
        let because =
            "deletion of the setting `audit` of `kv` by `99999999-9999-9999-9999-999999999999` at 2026-08-01T10:00:00Z";
        assert_eq!(only(&findings).because(), because);
        let event = event_json(AT, &format!("{SETTING}/delete"), &setting(), &json!({}));
        let findings = findings_of(&CHECK, base().replace(Kind::ActivityOfDiagnosticSettings, SUB, list([event])));
        assert_eq!(about_name(&findings, "kv/audit").outcome(), Outcome::Fail);
        let law = workspace_id();
        for operation in ["purge/action", "delete", "dataExports/delete"] {
            let row =
                activity_json(AT, &format!("Microsoft.OperationalInsights/workspaces/{operation}"), &law, &json!({}));
            assert_eq!(only(&told(&[row])).outcome(), Outcome::Fail, "{operation}");
        }
    }

    #[test]
    fn a_change_whose_effect_is_not_told_awaits_a_person() {
        let row = activity_json(AT, &format!("{SETTING}/write"), &setting(), &json!({}));
        assert_eq!(only(&told(&[row])).outcome(), Outcome::Manual);
        let of_subscription = format!("{SUB}/providers/microsoft.insights/diagnosticSettings/activity");
        let row = activity_json(AT, &format!("{SETTING}/write"), &of_subscription, &json!({}));
        assert_eq!(only(&told(&[row])).outcome(), Outcome::Manual);
    }

    #[test]
    fn a_retention_is_held_against_the_days_that_are_needed() {
        let table = format!("{}/tables/AZKVAuditLogs", workspace_id());
        let set = |patch: &Value| {
            told(&[activity_json(AT, "Microsoft.OperationalInsights/workspaces/tables/write", &table, patch)])
        };
        let short = set(&json!({"RetentionInDays": 30, "TotalRetentionInDays": 121}));
        assert_eq!(only(&short).outcome(), Outcome::Fail);
        assert!(only(&short).because().starts_with("`AZKVAuditLogs` was set to keep 121 of 122 days"));
        assert_eq!(only(&set(&json!({"RetentionInDays": 30, "TotalRetentionInDays": 122}))).outcome(), Outcome::Pass);
        assert_eq!(only(&set(&json!({"RetentionInDays": -1}))).outcome(), Outcome::Manual);
        assert_eq!(only(&set(&json!({}))).outcome(), Outcome::Manual);
    }

    #[test]
    fn what_touches_no_log_of_the_system_and_what_failed_is_no_change() {
        let of_machine = format!(
            "{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm/providers/microsoft.insights/diagnosticSettings/d"
        );
        let rows = [
            activity_json(AT, &format!("{SETTING}/delete"), &of_machine, &json!({})),
            activity_json(AT, &format!("{SETTING}/delete"), &setting(), &json!({"Status": "Failure"})),
            activity_json(
                AT,
                "Microsoft.OperationalInsights/workspaces/savedSearches/write",
                &workspace_id(),
                &json!({}),
            ),
            activity_json("2026-06-30T23:59:59Z", &format!("{SETTING}/delete"), &setting(), &json!({})),
        ];
        assert_eq!(told(&rows).len(), 0);
    }

    #[test]
    fn a_log_that_does_not_cover_the_period_is_open_and_what_it_shows_stays() {
        let event = event_json(AT, &format!("{SETTING}/delete"), &setting(), &json!({}));
        let log = base().replace(Kind::ActivityOfDiagnosticSettings, SUB, list([event]));
        let findings = findings_in(&CHECK, &ninety_days(log), &Parameters::default());
        assert_eq!(about_name(&findings, "kv/audit").outcome(), Outcome::Fail);
        assert_eq!(about_name(&findings, "Production").reason(), Some(Reason::RetentionTooShort));
        let whole = findings_in(&CHECK, &ninety_days(exporting(base(), &[], &[])), &Parameters::default());
        assert_eq!(only(&whole).outcome(), Outcome::Pass);
        for kind in [Kind::ActivityOfDiagnosticSettings, Kind::ActivityOfWorkspaces] {
            assert_eq!(only(&findings_of(&CHECK, base().denied(kind, SUB))).reason(), Some(Reason::Forbidden));
        }
    }

    #[test]
    fn no_subscription_is_not_evaluated() {
        let none = findings_of(&CHECK, crate::evidence::testing::CaptureBuilder::default());
        assert_eq!(only(&none).outcome(), Outcome::NotEvaluated);
    }
}
