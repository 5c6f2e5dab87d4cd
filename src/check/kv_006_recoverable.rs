//! KV-006: a deleted vault or secret can be recovered, and nobody can purge it early.

use super::{Check, Facts, Finding, Nature, Severity, about, population};
use crate::evidence::{Kind, Reason};
use crate::model::Vault;

pub(super) const CHECK: Check = Check {
    id: "KV-006",
    title: "Soft delete and purge protection are on",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "`enableSoftDelete`, `enablePurgeProtection` and `softDeleteRetentionInDays` of every vault. An absent \
           `enablePurgeProtection` means off: the service never stores false.",
    blind_to: "Whether a recovery was ever practised. An absent `enableSoftDelete` is not taken for on, although the \
               service now forces it on.",
    fix: "`az keyvault update --name VAULT --enable-purge-protection true` (Bicep: `enablePurgeProtection: true, \
          enableSoftDelete: true`). Purge protection cannot be taken off again, and the days of retention are fixed \
          when the vault is made.",
    needs: &[population(Kind::Vaults)],
    run,
};

/// The service keeps a deleted object at least this long, whatever the vault asks for.
const FEWEST_DAYS: i64 = 7;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.vaults.iter().map(|vault| judge(vault, facts.parameters.soft_delete_days)).collect()
}

fn judge(vault: &Vault, limit: i64) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let mut wrong = Vec::new();
    if vault.soft_delete == Some(false) {
        wrong.push("`enableSoftDelete` is false".to_owned());
    }
    match vault.purge_protection {
        Some(true) => {}
        Some(false) => wrong.push("`enablePurgeProtection` is false".to_owned()),
        None => wrong.push("`enablePurgeProtection` is absent, which means off".to_owned()),
    }
    if let Some(days) = vault.soft_delete_retention_days.filter(|days| *days < limit) {
        wrong.push(format!("deleted objects are kept for {days} days, fewer than {limit}"));
    }
    if !wrong.is_empty() {
        return on.fail(wrong.join("; "));
    }
    if vault.soft_delete.is_none() {
        return on.not_evaluated(Reason::ValueUnknown, "the vault does not say whether soft delete is on");
    }
    match vault.soft_delete_retention_days {
        Some(days) => on.pass(format!("both are on and deleted objects are kept for {days} days")),
        None if limit <= FEWEST_DAYS => on
            .pass(format!("both are on; the days of retention are not told, the service keeps at least {FEWEST_DAYS}")),
        None => on.not_evaluated(Reason::ValueUnknown, format!("the vault does not say whether it keeps {limit} days")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{SUB, base, findings_of, findings_with, list, only, vault_json};
    use super::super::{Outcome, Parameters};
    use super::*;

    fn finding(properties: &Value, limit: i64) -> Finding {
        let vault = vault_json("kv1", &json!({"properties": properties}));
        let parameters = Parameters { soft_delete_days: limit, ..Parameters::default() };
        only(&findings_with(&CHECK, base().replace(Kind::Vaults, SUB, list([vault])), &parameters)).clone()
    }

    #[test]
    fn both_on_passes() {
        assert_eq!(finding(&json!({}), 90).outcome(), Outcome::Pass);
    }

    #[test]
    fn either_off_or_too_few_days_fails() {
        let absent = finding(&json!({"enablePurgeProtection": null}), 7);
        assert_eq!(absent.outcome(), Outcome::Fail);
        assert!(absent.because().contains("absent"));
        assert_eq!(finding(&json!({"enableSoftDelete": false}), 7).outcome(), Outcome::Fail);
        let short = finding(&json!({"softDeleteRetentionInDays": 30}), 90);
        assert_eq!(short.because(), "deleted objects are kept for 30 days, fewer than 90");
    }

    #[test]
    fn what_the_vault_does_not_say_is_not_evaluated() {
        assert_eq!(finding(&json!({"enableSoftDelete": null}), 7).reason(), Some(Reason::ValueUnknown));
        assert_eq!(finding(&json!({"softDeleteRetentionInDays": null}), 90).reason(), Some(Reason::ValueUnknown));
        assert_eq!(finding(&json!({"softDeleteRetentionInDays": null}), 7).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_refused_list_is_not_evaluated_and_an_empty_one_not_applicable() {
        let refused = findings_of(&CHECK, base().denied(Kind::Vaults, SUB));
        assert_eq!(only(&refused).outcome(), Outcome::NotEvaluated);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
