//! Whether a vault's audit events leave the vault at all.

use super::{Check, Facts, Finding, Nature, Severity, about, own, population};
use crate::evidence::Kind;
use crate::model::{DiagnosticSetting, Vault};

pub(super) const CHECK: Check = Check {
    id: "LOG-001",
    title: "Vault audit events are sent to a destination",
    severity: Severity::Critical,
    nature: Nature::Design,
    asks: "For every vault, whether any diagnostic setting has the category `AuditEvent`, or the category group `audit` \
           or `allLogs`, switched on and names a destination: workspace, storage account, event hub or partner.",
    blind_to: "Whether the setting was on through the whole period (EVT-001 looks at what arrived), and whether the \
               destination is there (LOG-002).",
    fix: "`az monitor diagnostic-settings create --name audit --resource <vault id> --workspace <workspace id> \
          --export-to-resource-specific true --logs '[{\"categoryGroup\":\"audit\",\"enabled\":true}]'`; in the portal: \
          the vault, Diagnostic settings, Add.",
    needs: &[population(Kind::Vaults), own(Kind::DiagnosticSettings)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.vaults.iter().map(|vault| judge(facts, vault)).collect()
}

fn judge(facts: &Facts<'_>, vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let settings: Vec<&DiagnosticSetting> = facts.tenant.settings_of(&vault.id).collect();
    let on = on.citing(settings.iter().map(|setting| &setting.from));
    let mut sending = settings.iter().filter(|setting| setting.sends_audit_events() && setting.has_destination());
    if let Some(setting) = sending.next() {
        return on.pass(format!("setting `{}` sends audit events to {}", setting.name, where_to(setting)));
    }
    // That no setting sends them is known only when every setting was read.
    if let Some(missing) = facts.missing(&[own(Kind::DiagnosticSettings)], &vault.id) {
        return on.missing(&missing);
    }
    let on = on.citing(&facts.records_about(Kind::DiagnosticSettings, &vault.id));
    match settings.len() {
        0 => on.fail("it has no diagnostic setting, so no audit event is kept"),
        1 => on.fail("its diagnostic setting does not send audit events to any destination"),
        many => on.fail(format!("none of its {many} diagnostic settings sends audit events to any destination")),
    }
}

/// The destinations of a setting, for a reader.
pub(super) fn where_to(setting: &DiagnosticSetting) -> String {
    let mut places = Vec::new();
    if let Some(workspace) = &setting.workspace_id {
        places.push(format!("workspace `{}`", workspace.name()));
    }
    if let Some(account) = &setting.storage_account_id {
        places.push(format!("storage account `{}`", last_segment(account)));
    }
    if setting.event_hub_rule_id.is_some() {
        places.push("an event hub".to_owned());
    }
    if setting.partner_id.is_some() {
        places.push("a partner solution".to_owned());
    }
    places.join(" and ")
}

fn last_segment(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::logs::testing::{setting_json, with_vault};
    use crate::check::testing::{SUB, base, findings_of, list, only, vault_id, vault_json};
    use crate::check::{Finding, Outcome};
    use crate::evidence::{Kind, Reason};

    fn judged(setting: Value) -> Finding {
        only(&findings_of(&CHECK, with_vault(base(), [setting]))).clone()
    }

    #[test]
    fn a_group_or_the_category_with_a_destination_passes() {
        assert_eq!(judged(setting_json(&json!({}))).outcome(), Outcome::Pass);
        let by_category = json!({"properties": {"logs": [{"category": "AuditEvent", "enabled": true}]}});
        let finding = judged(setting_json(&by_category));
        assert_eq!(finding.because(), "setting `audit` sends audit events to workspace `law`");
    }

    #[test]
    fn a_setting_that_is_off_or_sends_nowhere_fails() {
        let off = json!({"properties": {"logs": [{"categoryGroup": "audit", "enabled": false}]}});
        assert_eq!(judged(setting_json(&off)).outcome(), Outcome::Fail);
        let nowhere = json!({"properties": {"workspaceId": null}});
        assert_eq!(judged(setting_json(&nowhere)).outcome(), Outcome::Fail);
        let metrics_only =
            json!({"properties": {"logs": [{"category": "AzurePolicyEvaluationDetails", "enabled": true}]}});
        assert_eq!(judged(setting_json(&metrics_only)).outcome(), Outcome::Fail);
    }

    #[test]
    fn no_setting_fails() {
        let finding = only(&findings_of(&CHECK, with_vault(base(), []))).clone();
        assert_eq!(
            (finding.outcome(), finding.because()),
            (Outcome::Fail, "it has no diagnostic setting, so no audit event is kept")
        );
    }

    #[test]
    fn settings_that_were_not_read_are_not_taken_for_none() {
        let builder = with_vault(base(), []).denied(Kind::DiagnosticSettings, &vault_id("kv"));
        let finding = only(&findings_of(&CHECK, builder)).clone();
        assert_eq!((finding.outcome(), finding.reason()), (Outcome::NotEvaluated, Some(Reason::Forbidden)));
        let never_asked = base().replace(Kind::Vaults, SUB, list([vault_json("kv", &json!({}))]));
        assert_eq!(only(&findings_of(&CHECK, never_asked)).reason(), Some(Reason::NotAsked));
    }

    #[test]
    fn no_vault_is_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
