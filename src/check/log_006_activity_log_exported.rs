//! LOG-006: what is done to a subscription is on record for longer than Azure's own 90 days.

use super::log_001_audit_events_sent::where_to;
use super::{Check, Facts, Finding, Nature, Severity, about, own, population};
use crate::evidence::Kind;
use crate::model::{DiagnosticSetting, Subscription};

/// The category that holds changes made through Azure Resource Manager.
const CATEGORY: &str = "Administrative";

pub(super) const CHECK: Check = Check {
    id: "LOG-006",
    title: "The activity log of every subscription is exported",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "For every subscription, whether a diagnostic setting of it sends the category `Administrative` of its activity \
           log to a workspace, a storage account, an event hub or a partner. Azure itself keeps the log for 90 days.",
    blind_to: "Since when a setting sends it; whether its destination is there and keeps it. Settings of management groups \
               are not credited: they carry the group's own log, and Microsoft does not say that they carry those of \
               the subscriptions below.",
    fix: "`az monitor diagnostic-settings subscription create --name activity --location global --workspace <workspace id> \
          --logs '[{\"category\":\"Administrative\",\"enabled\":true}]'`, or by the built-in policy that configures activity \
          logs to stream to a workspace (Bicep: `Microsoft.Insights/diagnosticSettings` at subscription scope).",
    needs: &[population(Kind::Subscriptions), own(Kind::SubscriptionExports)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.subscriptions.iter().map(|subscription| judge(facts, subscription)).collect()
}

fn judge(facts: &Facts<'_>, subscription: &Subscription) -> Finding {
    let on = about("subscription", &subscription.id, &subscription.name, &subscription.from);
    let settings: Vec<&DiagnosticSetting> = exports_of(facts, subscription).collect();
    let on = on.citing(settings.iter().map(|setting| &setting.from));
    let mut sending = settings.iter().filter(|setting| setting.sends(CATEGORY));
    if let Some(setting) = sending.clone().find(|setting| setting.has_destination()) {
        return on.pass(format!("setting `{}` sends it to {}", setting.name, where_to(setting)));
    }
    if let Some(missing) = facts.missing(&[own(Kind::SubscriptionExports)], &subscription.id) {
        return on.missing(&missing);
    }
    let on = on.citing(&facts.records_about(Kind::SubscriptionExports, &subscription.id));
    match (sending.next(), settings.len()) {
        (Some(setting), _) => {
            on.fail(format!("setting `{}` has `{CATEGORY}` on and names no destination", setting.name))
        }
        (None, 0) => on.fail("its activity log is not exported, so that it is gone after 90 days"),
        (None, _) => on.fail(format!("no setting of it sends `{CATEGORY}`, so that changes are gone after 90 days")),
    }
}

fn exports_of<'a>(facts: &Facts<'a>, subscription: &'a Subscription) -> impl Iterator<Item = &'a DiagnosticSetting> {
    facts.tenant.logging.subscription_exports.iter().filter(|setting| setting.resource == subscription.id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::testing::{ROOT_GROUP, SUB, base, findings_of, list, only};
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn setting(patch: &Value) -> Value {
        let law = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/law";
        let setting = json!({"name": "activity", "properties": {"workspaceId": law,
            "logs": [{"category": "Policy", "enabled": true}, {"category": "administrative", "enabled": true}]}});
        crate::check::testing::patched(setting, patch)
    }

    fn judged(settings: &[Value]) -> Finding {
        let builder = base().replace(Kind::SubscriptionExports, SUB, list(settings.to_vec()));
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn a_setting_with_the_category_and_a_destination_passes() {
        let finding = judged(&[setting(&json!({}))]);
        assert_eq!(
            (finding.outcome(), finding.because()),
            (Outcome::Pass, "setting `activity` sends it to workspace `law`")
        );
    }

    #[test]
    fn none_another_category_and_no_destination_fail() {
        assert_eq!(judged(&[]).because(), "its activity log is not exported, so that it is gone after 90 days");
        let off = json!({"properties": {"logs": [{"category": "Administrative", "enabled": false}]}});
        assert_eq!(judged(&[setting(&off)]).outcome(), Outcome::Fail);
        let nowhere = judged(&[setting(&json!({"properties": {"workspaceId": null}}))]);
        assert!(nowhere.because().ends_with("names no destination"), "{nowhere:?}");
    }

    #[test]
    fn a_setting_of_a_management_group_is_not_credited() {
        let builder = base().replace(Kind::ManagementGroupExports, ROOT_GROUP, list([setting(&json!({}))]));
        assert_eq!(only(&findings_of(&CHECK, builder)).outcome(), Outcome::Fail);
    }

    #[test]
    fn unread_settings_and_subscriptions_are_not_evaluated() {
        let denied = base().denied(Kind::SubscriptionExports, SUB);
        assert_eq!(only(&findings_of(&CHECK, denied)).reason(), Some(Reason::Forbidden));
        let none = findings_of(&CHECK, CaptureBuilder::default());
        assert_eq!(only(&none).outcome(), Outcome::NotEvaluated);
    }
}
