//! LOG-004: what a setting sends to a storage account stays there as it was written.

use std::collections::{BTreeMap, BTreeSet};

use super::people::and_more;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::evidence::{Kind, Reason};
use crate::model::{AccountImmutability, ArchiveContainer, DiagnosticSetting, Id, Missing};

/// Containers that Azure Monitor and Log Analytics write to begin so
/// (learn:azure/azure-monitor/platform/resource-logs, learn:azure/azure-monitor/logs/logs-data-export).
const OF_LOGS: &[&str] = &["insights-", "am-"];

pub(super) const CHECK: Check = Check {
    id: "LOG-004",
    title: "An archive of logs cannot be changed",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "For every storage account that a diagnostic setting of a vault, a subscription, a management group or the \
           directory names, the containers of logs in it (`insights-…`, `am-…`): each needs a locked immutability policy \
           that lasts as long as the period and the margin of the parameter `retention_margin_days`, or a legal hold; one \
           without a policy is guarded by that of its account, if there is one (`immutableStorageWithVersioning`). A policy that is not locked can be taken away. Where no setting names an account, the workspace is the record \
           (LOG-003), and there is no archive to judge.",
    blind_to: "Policies on single versions of blobs; legal holds that a person may release; \
               data export rules of a workspace to accounts that no diagnostic setting names; whether all that was logged \
               arrived in the archive.",
    fix: "`az storage container immutability-policy create --account-name ACCOUNT --container-name CONTAINER --period DAYS \
          --allow-protected-append-writes true`, then `az storage container immutability-policy lock` with the policy's \
          ETag; a locked policy cannot be shortened. Bicep: `immutabilityPolicies` with `state: 'Locked'`.",
    needs: &[
        population(Kind::Vaults),
        population(Kind::SubscriptionExports),
        population(Kind::ManagementGroupExports),
        population(Kind::DirectoryExports),
        judged(Kind::DiagnosticSettings),
        own(Kind::ArchiveContainers),
        judged(Kind::StorageAccounts),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let settings = facts.tenant.diagnostic_settings.iter().chain(facts.tenant.logging.exports());
    let mut accounts: BTreeMap<Id, Vec<&DiagnosticSetting>> = BTreeMap::new();
    let known: BTreeSet<&Id> = facts.tenant.resources.iter().map(|resource| &resource.id).collect();
    for setting in settings {
        if let Some(account) = setting.storage_account_id.as_deref().filter(|account| !account.is_empty()) {
            // as the account itself is shown: settings write it in any case
            let account = Id::new(account);
            let account = known.get(&account).map_or(account, |known| Id::clone(known));
            accounts.entry(account).or_default().push(setting);
        }
    }
    let mut findings: Vec<Finding> =
        accounts.iter().filter_map(|(account, settings)| judge(facts, account, settings)).collect();
    // a setting that was not read may name a further account
    for missing in facts.tenant.coverage.missing_anywhere(Kind::DiagnosticSettings) {
        findings.push(super::finding::unread(&missing));
    }
    findings
}

fn judge(facts: &Facts<'_>, account: &Id, settings: &[&DiagnosticSetting]) -> Option<Finding> {
    let on = about("storage_account", account, account.name(), &settings.first()?.from)
        .citing(settings.iter().map(|one| &one.from));
    let is_of_logs = |container: &&ArchiveContainer| {
        container.account == *account && OF_LOGS.iter().any(|start| container.name.to_lowercase().starts_with(start))
    };
    let containers: Vec<&ArchiveContainer> = facts.tenant.logging.containers.iter().filter(is_of_logs).collect();
    let mut services = facts.tenant.data.services.iter();
    let service = services.find(|service| service.resource.id == *account);
    let on = on
        .citing(containers.iter().map(|container| &container.from))
        .citing(service.filter(|service| service.immutability.is_some()).map(|service| &service.resource.from));
    let usual = match service.and_then(|service| service.immutability) {
        None => facts.missing(&[own(Kind::StorageAccounts)], account).map_or(Ok(None), Err),
        policy => Ok(policy),
    };
    let needed = facts.period.days().saturating_add(facts.parameters.retention_margin_days);
    let states: Vec<(&ArchiveContainer, State)> =
        containers.iter().map(|container| (*container, state(container, &usual, needed))).collect();
    let loose: Vec<String> = states
        .iter()
        .filter_map(|(container, state)| match state {
            State::Loose(why) => Some(format!("`{}` {why}", container.name)),
            _ => None,
        })
        .collect();
    if let Some(first) = loose.first() {
        return Some(on.fail(and_more(first, loose.len())));
    }
    if let Some(missing) = facts.missing(&[own(Kind::ArchiveContainers)], account) {
        return Some(on.missing(&missing));
    }
    if let Some(missing) = states.iter().find_map(|(_, state)| match state {
        State::Unread(missing) => Some(*missing),
        _ => None,
    }) {
        return Some(on.missing(missing));
    }
    if let Some((container, _)) = states.iter().find(|(_, state)| matches!(state, State::NotTold)) {
        let because = format!("how `{}` is guarded is not told", container.name);
        return Some(on.not_evaluated(Reason::ValueUnknown, because));
    }
    let on = on.citing(&facts.records_about(Kind::ArchiveContainers, account));
    Some(match states.len() {
        0 => on.not_evaluated(Reason::NotFound, "settings send logs there, and it has no container of logs"),
        1 => on.pass(format!("its container of logs is kept unchanged for {needed} days or more")),
        count => on.pass(format!("its {count} containers of logs are kept unchanged for {needed} days or more")),
    })
}

enum State<'a> {
    Kept,
    /// What its account has was not read.
    Unread(&'a Missing),
    Loose(String),
    NotTold,
}

/// How long what a container holds stays as it is, held against the days that are needed. The policy of the account
/// counts where the container has none (Microsoft.Storage 2023-05-01, `ImmutableStorageAccount`).
fn state<'a>(
    container: &ArchiveContainer,
    usual: &'a Result<Option<AccountImmutability>, Missing>,
    needed: i64,
) -> State<'a> {
    if container.has_legal_hold == Some(true) {
        return State::Kept;
    }
    match (container.has_policy, container.is_locked, container.days) {
        (Some(false), ..) => by_account(container, usual, needed),
        (_, Some(false), _) => State::Loose("has a policy that is not locked".to_owned()),
        (_, Some(true), Some(days)) if days < needed => State::Loose(format!("is kept {days} of {needed} days")),
        (_, Some(true), Some(_)) => State::Kept,
        _ => State::NotTold,
    }
}

/// The same for a container without a policy of its own.
fn by_account<'a>(
    container: &ArchiveContainer,
    usual: &'a Result<Option<AccountImmutability>, Missing>,
    needed: i64,
) -> State<'a> {
    match usual {
        Err(missing) => State::Unread(missing),
        Ok(Some(policy)) if !policy.is_locked => {
            State::Loose("has no policy, and that of its account is not locked".to_owned())
        }
        Ok(Some(policy)) if policy.days < needed => {
            State::Loose(format!("is kept {} of {needed} days, by its account's policy", policy.days))
        }
        Ok(Some(_)) => State::Kept,
        Ok(None) if container.is_versioned == Some(true) => {
            State::Loose("has no policy; versions can be guarded one by one, which is not told".to_owned())
        }
        Ok(None) => State::Loose("has no immutability policy".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::testing::{SUB, arm_id, base, findings_of, list, only, vault_id, vault_json};
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn account() -> String {
        arm_id("Microsoft.Storage/storageAccounts", "archive")
    }

    fn export(account: &str) -> Value {
        json!({"name": "e", "properties": {"storageAccountId": account,
            "logs": [{"category": "Administrative", "enabled": true}]}})
    }

    fn with_archive(containers: &[Value]) -> CaptureBuilder {
        base().replace(Kind::SubscriptionExports, SUB, list([export(&account())])).answer(
            Kind::ArchiveContainers,
            &account(),
            list(containers.to_vec()),
        )
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    fn container(name: &str, properties: &Value) -> Value {
        json!({"name": name, "properties": properties})
    }

    fn policy(days: i64, state: &str) -> Value {
        json!({"hasImmutabilityPolicy": true, "hasLegalHold": false, "immutabilityPolicy": {"properties":
            {"immutabilityPeriodSinceCreationInDays": days, "state": state}}})
    }

    #[test]
    fn a_locked_policy_that_lasts_and_a_legal_hold_pass() {
        let hold = json!({"hasImmutabilityPolicy": false, "hasLegalHold": true});
        let containers = [
            container("insights-activity-logs", &policy(122, "Locked")),
            container("am-azureactivity", &hold),
            container("website", &json!({"hasImmutabilityPolicy": false, "hasLegalHold": false})),
        ];
        let finding = judged(with_archive(&containers));
        assert_eq!(finding.outcome(), Outcome::Pass);
        assert_eq!(finding.because(), "its 2 containers of logs are kept unchanged for 122 days or more");
    }

    #[test]
    fn what_can_be_changed_fails() {
        for (properties, says) in [
            (json!({"hasImmutabilityPolicy": false, "hasLegalHold": false}), "has no immutability policy"),
            (policy(400, "Unlocked"), "has a policy that is not locked"),
            (policy(121, "Locked"), "is kept 121 of 122 days"),
            (
                json!({"hasImmutabilityPolicy": false, "immutableStorageWithVersioning": {"enabled": true}}),
                "one by one",
            ),
        ] {
            let finding = judged(with_archive(&[container("insights-logs-auditevent", &properties)]));
            assert_eq!(finding.outcome(), Outcome::Fail, "{properties}");
            assert!(finding.because().contains(says), "{finding:?}");
        }
    }

    #[test]
    fn a_container_without_a_policy_is_guarded_by_that_of_its_account() {
        let bare = [container(
            "insights-logs-auditevent",
            &json!({"hasImmutabilityPolicy": false, "immutableStorageWithVersioning": {"enabled": true}}),
        )];
        let of_account = |enabled: bool, days: i64, state: &str| {
            let policy = json!({"immutabilityPeriodSinceCreationInDays": days, "state": state});
            let account = json!({"id": account(), "name": "archive", "type": "Microsoft.Storage/storageAccounts",
                "properties": {"immutableStorageWithVersioning": {"enabled": enabled, "immutabilityPolicy": policy}}});
            judged(with_archive(&bare).replace(Kind::StorageAccounts, SUB, list([account])))
        };
        let kept = of_account(true, 122, "locked");
        assert_eq!(kept.outcome(), Outcome::Pass, "{kept:?}");
        for (finding, says) in [
            (of_account(true, 121, "Locked"), "is kept 121 of 122 days, by its account's policy"),
            (of_account(true, 400, "Unlocked"), "that of its account is not locked"),
            (of_account(true, 400, "Disabled"), "one by one"),
            (of_account(false, 400, "Locked"), "one by one"),
        ] {
            assert_eq!(finding.outcome(), Outcome::Fail);
            assert!(finding.because().contains(says), "{finding:?}");
        }
        let unread = judged(with_archive(&bare).denied(Kind::StorageAccounts, SUB));
        assert_eq!((unread.outcome(), unread.reason()), (Outcome::NotEvaluated, Some(Reason::Forbidden)));
        // its own policy goes before
        let own = [container("insights-logs-auditevent", &policy(10, "Locked"))];
        assert_eq!(judged(with_archive(&own)).outcome(), Outcome::Fail);
    }

    #[test]
    fn what_is_not_told_or_not_there_is_open() {
        let silent = judged(with_archive(&[container("insights-logs-auditevent", &json!({}))]));
        assert_eq!(silent.reason(), Some(Reason::ValueUnknown));
        assert_eq!(judged(with_archive(&[])).reason(), Some(Reason::NotFound));
        let denied = judged(with_archive(&[]).denied(Kind::ArchiveContainers, &account()));
        assert_eq!(denied.reason(), Some(Reason::Forbidden));
        let never = base().replace(Kind::SubscriptionExports, SUB, list([export(&account().to_uppercase())]));
        assert_eq!(judged(never).reason(), Some(Reason::NotAsked));
    }

    #[test]
    fn no_archive_is_not_applicable_unless_a_setting_was_not_read() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
        let denied = base().denied(Kind::DirectoryExports, "tenant");
        assert_eq!(judged(denied).outcome(), Outcome::NotEvaluated);
        let vault = base().replace(Kind::Vaults, SUB, list([vault_json("kv", &json!({}))]));
        let unread = vault.gap(Kind::DiagnosticSettings, &vault_id("kv"), Reason::Forbidden);
        assert_eq!(judged(unread).outcome(), Outcome::NotEvaluated);
    }
}
