//! LOG-005: the directory's own logs go somewhere where they stay.

use super::finding::unread;
use super::log_001_audit_events_sent::where_to;
use super::runner::not_asked;
use super::{Check, Facts, Finding, Nature, Severity, about, whole};
use crate::evidence::{Cite, Kind};
use crate::model::{DiagnosticSetting, Id};

/// The logs without which who signed in and who changed the directory cannot be told for a period: the category, and
/// what it holds (learn:entra/identity/monitoring-health/concept-diagnostic-settings-logs-options).
const NEEDED: &[(&str, &str)] = &[
    ("AuditLogs", "changes in the directory"),
    ("SignInLogs", "sign-ins of people"),
    ("ServicePrincipalSignInLogs", "sign-ins of service principals"),
    ("ManagedIdentitySignInLogs", "sign-ins of managed identities"),
];

pub(super) const CHECK: Check = Check {
    id: "LOG-005",
    title: "The directory's sign-in and audit logs are exported",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Whether a diagnostic setting of Entra sends each of `AuditLogs`, `SignInLogs`, `ServicePrincipalSignInLogs` and \
           `ManagedIdentitySignInLogs` to a workspace, a storage account, an event hub or a partner. Entra itself keeps \
           them for 7 days (Free) or 30 days (P1, P2), not for a period.",
    blind_to: "Since when a setting sends them, whether its destination is there and keeps them, and sign-ins on behalf of \
               people (`NonInteractiveUserSignInLogs`), which are many and are no part of the check.",
    fix: "Entra admin center > Monitoring & health > Diagnostic settings: add the categories to a setting that sends to the \
          workspace (Terraform: `azurerm_monitor_aad_diagnostic_setting`). Sign-in logs need Entra ID P1 or P2.",
    needs: &[whole(Kind::DirectoryExports)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let records = facts.records_of(Kind::DirectoryExports);
    let Some(first) = records.first() else { return vec![unread(&not_asked(Kind::DirectoryExports))] };
    NEEDED.iter().map(|(category, holds)| judge(facts, (category, holds), first, &records)).collect()
}

fn judge(facts: &Facts<'_>, (category, holds): (&str, &str), first: &Cite, records: &[Cite]) -> Finding {
    let settings = &facts.tenant.logging.directory_exports;
    let on = about("directory_log", &Id::new(category), category, first);
    let mut sending = settings.iter().filter(|setting| setting.sends(category));
    let is_sent = |setting: &&DiagnosticSetting| setting.has_destination();
    if let Some(setting) = sending.clone().find(is_sent) {
        let because = format!("setting `{}` sends {holds} to {}", setting.name, where_to(setting));
        return on.citing([&setting.from]).pass(because);
    }
    if let Some(missing) = facts.missing(&[whole(Kind::DirectoryExports)], &Id::new("tenant")) {
        return on.missing(&missing);
    }
    let on = on.citing(records).citing(settings.iter().map(|setting| &setting.from));
    match sending.next() {
        Some(setting) => on.fail(format!("setting `{}` has {holds} on and names no destination", setting.name)),
        None => on.fail(format!("no setting sends {holds}, which Entra keeps for 30 days at most")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{CHECK, NEEDED};
    use crate::check::testing::{about_name, base, findings_of, list, outcomes};
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn setting(categories: &[(&str, bool)], workspace: &Value) -> Value {
        let logs: Vec<Value> =
            categories.iter().map(|(category, on)| json!({"category": category, "enabled": on})).collect();
        json!({"name": "entra", "properties": {"workspaceId": workspace, "logs": logs}})
    }

    fn judged(settings: &[Value]) -> Vec<Finding> {
        findings_of(&CHECK, with(settings))
    }

    fn with(settings: &[Value]) -> CaptureBuilder {
        base().replace(Kind::DirectoryExports, "tenant", list(settings.to_vec()))
    }

    fn all(on: bool) -> Vec<(&'static str, bool)> {
        NEEDED.iter().map(|(category, _)| (*category, on)).collect()
    }

    #[test]
    fn all_four_in_one_setting_or_over_several_pass() {
        let law = json!("/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/law");
        assert_eq!(outcomes(&judged(&[setting(&all(true), &law)])), [Outcome::Pass; 4]);
        let split: Vec<Value> = all(true).into_iter().map(|one| setting(&[one], &law)).collect();
        assert_eq!(outcomes(&judged(&split)), [Outcome::Pass; 4]);
    }

    #[test]
    fn what_is_off_or_goes_nowhere_fails_by_name() {
        let law = json!("/x/law");
        let mut categories = all(true);
        categories[3].1 = false;
        let findings = judged(&[setting(&categories, &law)]);
        assert_eq!(about_name(&findings, "ManagedIdentitySignInLogs").outcome(), Outcome::Fail);
        assert_eq!(about_name(&findings, "AuditLogs").outcome(), Outcome::Pass);
        let nowhere = judged(&[setting(&all(true), &Value::Null)]);
        assert!(nowhere.iter().all(|finding| finding.because().ends_with("names no destination")), "{nowhere:?}");
        assert_eq!(outcomes(&judged(&[])), [Outcome::Fail; 4], "a proven empty list");
        let further = setting(&[("NonInteractiveUserSignInLogs", true)], &law);
        assert_eq!(outcomes(&judged(&[further])), [Outcome::Fail; 4]);
    }

    #[test]
    fn unread_settings_are_not_evaluated() {
        let findings = findings_of(&CHECK, with(&[]).denied(Kind::DirectoryExports, "tenant"));
        assert!(findings.iter().all(|finding| finding.reason() == Some(Reason::Forbidden)), "{findings:?}");
        let never = findings_of(&CHECK, CaptureBuilder::default());
        assert_eq!(outcomes(&never), [Outcome::NotEvaluated]);
    }
}
