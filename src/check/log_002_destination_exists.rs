//! Whether the workspace that a vault logs to is there, and which table to ask.

use super::log_001_audit_events_sent::where_to;
use super::logs::{destinations, unread_workspace};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::evidence::{Kind, Reason};
use crate::model::{DiagnosticSetting, Vault};

pub(super) const CHECK: Check = Check {
    id: "LOG-002",
    title: "The workspace that a vault logs to exists, and its table is known",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "For every vault that sends audit events, whether each workspace that its settings name can be read, and \
           whether rows go to `AZKVAuditLogs` or `AzureDiagnostics`.",
    blind_to: "Storage accounts, event hubs and partner solutions, which are not read; a workspace of another tenant, \
               which answers like one that is hidden.",
    fix: "Point the setting at a workspace that exists: `az monitor diagnostic-settings update --name <setting> \
          --resource <vault id> --set workspaceId=<workspace id>`. Prefer `logAnalyticsDestinationType: 'Dedicated'`.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.vaults.iter().map(|vault| judge(facts, vault)).collect()
}

fn judge(facts: &Facts<'_>, vault: &Vault) -> Finding {
    let sending: Vec<&DiagnosticSetting> = facts
        .tenant
        .settings_of(&vault.id)
        .filter(|setting| setting.sends_audit_events() && setting.has_destination())
        .collect();
    let on = about("vault", &vault.id, &vault.name, &vault.from).citing(sending.iter().map(|setting| &setting.from));
    let to = destinations(facts.tenant, vault);
    let unread: Vec<_> =
        to.iter().filter(|to| to.workspace.is_none()).map(|to| unread_workspace(facts, to.workspace_id)).collect();
    if let Some(gone) = unread.iter().find(|unread| unread.reason == Reason::NotFound) {
        return on.citing(&gone.from).fail(format!("workspace `{}` is not there", gone.scope));
    }
    if let Some(unread) = unread.first() {
        return on.missing(unread);
    }
    if let Some(missing) = facts.missing(&[own(Kind::DiagnosticSettings)], &vault.id) {
        return on.missing(&missing);
    }
    if sending.is_empty() {
        return on.not_applicable("it sends audit events nowhere, which LOG-001 reports");
    }
    if to.is_empty() {
        let places: Vec<String> = sending.iter().map(|setting| where_to(setting)).collect();
        return on.manual(format!("its log goes to {} only, which is not read", places.join(" and ")));
    }
    let words: Vec<String> =
        to.iter().map(|to| format!("workspace `{}` gets the rows in `{}`", to.workspace_id.name(), to.table)).collect();
    on.citing(to.iter().filter_map(|to| to.workspace).map(|workspace| &workspace.from)).pass(words.join(", and "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::check::Outcome;
    use crate::check::logs::testing::{setting_json, with_vault, with_workspace, workspace_id};
    use crate::check::testing::{base, findings_of, only, vault_id};
    use crate::evidence::{Kind, Reason};

    #[test]
    fn a_workspace_that_was_read_passes_with_the_table() {
        let finding =
            only(&findings_of(&CHECK, with_workspace(with_vault(base(), [setting_json(&json!({}))])))).clone();
        assert_eq!(finding.outcome(), Outcome::Pass);
        assert_eq!(finding.because(), "workspace `law` gets the rows in `AZKVAuditLogs`");
        let legacy = setting_json(&json!({"properties": {"logAnalyticsDestinationType": null}}));
        let finding = only(&findings_of(&CHECK, with_workspace(with_vault(base(), [legacy])))).clone();
        assert_eq!(finding.because(), "workspace `law` gets the rows in `AzureDiagnostics`");
    }

    #[test]
    fn a_workspace_that_is_gone_fails_and_one_that_is_hidden_is_not_evaluated() {
        let builder = with_vault(base(), [setting_json(&json!({}))]);
        let gone = builder.clone().gap(Kind::Workspace, &workspace_id(), Reason::NotFound);
        assert_eq!(only(&findings_of(&CHECK, gone)).outcome(), Outcome::Fail);
        let hidden = builder.clone().gap(Kind::Workspace, &workspace_id(), Reason::Forbidden);
        assert_eq!(only(&findings_of(&CHECK, hidden)).reason(), Some(Reason::Forbidden));
        assert_eq!(only(&findings_of(&CHECK, builder)).reason(), Some(Reason::NotAsked));
    }

    #[test]
    fn a_log_that_goes_to_storage_alone_awaits_a_person() {
        let storage = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/logs";
        let setting = setting_json(&json!({"properties": {"workspaceId": null, "storageAccountId": storage}}));
        let finding = only(&findings_of(&CHECK, with_vault(base(), [setting]))).clone();
        assert_eq!(finding.outcome(), Outcome::Manual);
        assert_eq!(finding.because(), "its log goes to storage account `logs` only, which is not read");
    }

    #[test]
    fn no_setting_is_not_applicable_and_unread_settings_are_not_evaluated() {
        let builder = with_vault(base(), []);
        assert_eq!(only(&findings_of(&CHECK, builder.clone())).outcome(), Outcome::NotApplicable);
        let denied = builder.denied(Kind::DiagnosticSettings, &vault_id("kv"));
        assert_eq!(only(&findings_of(&CHECK, denied)).reason(), Some(Reason::Forbidden));
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
