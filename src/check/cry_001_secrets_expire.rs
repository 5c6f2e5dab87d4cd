//! CRY-001: secrets have an end and are exchanged.

use super::{Check, Facts, Finding, Nature, Severity, about, population};
use crate::evidence::{Kind, Reason};
use crate::model::{ObjectFamily, VaultObject};

pub(super) const CHECK: Check = Check {
    id: "CRY-001",
    title: "Enabled secrets expire and are rotated",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "Every secret that is on: whether its newest version has an end, whether that has passed, and how old the version \
           is (parameter `secret_days`). Names and dates are listed, values never. Secrets behind certificates are left \
           out, as are those that are off. One that does not say whether it is on counts as on.",
    blind_to: "Whether the value changed with the version, and whether what uses it took the new one; older versions that \
               are still on; secrets outside vaults. An end is a note to whoever reads the secret: the vault still gives \
               the value after it.",
    fix: "Set a new version with an end: `az keyvault secret set --vault-name VAULT --name NAME --file FILE --expires DATE`, \
          or only the end with `az keyvault secret set-attributes`; Bicep `properties.attributes.exp`; Terraform \
          `expiration_date` of `azurerm_key_vault_secret`. Let an event (`Microsoft.KeyVault.SecretNearExpiry`) start the \
          rotation, or take the need away with a managed identity.",
    needs: &[population(Kind::Vaults), population(Kind::VaultSecrets), population(Kind::VaultDataSecrets)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let secrets = facts.tenant.contents.objects.iter().filter(|object| {
        object.family == ObjectFamily::Secret
            && object.managed != Some(true)
            && object.attributes.enabled != Some(false)
    });
    secrets.map(|secret| judge(facts, secret)).collect()
}

fn judge(facts: &Facts<'_>, secret: &VaultObject) -> Finding {
    let on = about("secret", &secret.id, &format!("{}/{}", secret.vault.name(), secret.name), &secret.from);
    let (at, limit) = (facts.tenant.collected_at, facts.parameters.secret_days);
    let Some(expires) = secret.attributes.expires else {
        return on.fail("it never expires");
    };
    let end = expires.format("%Y-%m-%d");
    if expires <= at {
        return on.fail(format!("it expired on {end} and is still on"));
    }
    let Some(created) = secret.attributes.created else {
        let because = "when its newest version was made is not told";
        return on.not_evaluated(Reason::ValueUnknown, because);
    };
    let age = (at - created).num_days();
    if age > limit {
        return on.fail(format!("its newest version is {age} days old (limit {limit})"));
    }
    on.pass(format!("it expires on {end}, and its newest version is {age} days old (limit {limit})"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{SUB, about_name, base, findings_of, list, only, patched, vault_id, vault_json};
    use super::super::{Finding, Outcome};
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    // 2026-01-01, 2025-10-02T09:00:00Z (365 days before collection), 2027-01-01
    const JANUARY: i64 = 1_767_225_600;
    const A_YEAR_AGO: i64 = 1_759_395_600;
    const NEXT_YEAR: i64 = 1_798_761_600;

    fn secrets(attributes: &Value) -> CaptureBuilder {
        let attributes = patched(json!({"enabled": true, "created": JANUARY, "exp": NEXT_YEAR}), attributes);
        let secret = json!({"id": format!("{}/secrets/db", vault_id("kv")), "name": "db",
            "properties": {"attributes": attributes}});
        base()
            .replace(Kind::Vaults, SUB, list([vault_json("kv", &json!({}))]))
            .answer(Kind::VaultSecrets, &vault_id("kv"), list([secret]))
            .answer(Kind::VaultKeys, &vault_id("kv"), list([]))
    }

    fn judged(attributes: &Value) -> Finding {
        only(&findings_of(&CHECK, secrets(attributes))).clone()
    }

    #[test]
    fn an_end_and_a_young_version_pass() {
        let finding = judged(&json!({}));
        assert_eq!(finding.because(), "it expires on 2027-01-01, and its newest version is 274 days old (limit 365)");
        assert_eq!((finding.outcome(), finding.subject().name.as_str()), (Outcome::Pass, "kv/db"));
        assert_eq!(judged(&json!({"created": A_YEAR_AGO})).outcome(), Outcome::Pass, "365 days");
    }

    #[test]
    fn no_end_a_past_one_and_an_old_version_fail() {
        assert_eq!(judged(&json!({"exp": null})).because(), "it never expires");
        assert_eq!(judged(&json!({"exp": JANUARY})).because(), "it expired on 2026-01-01 and is still on");
        let old = judged(&json!({"created": A_YEAR_AGO - 86_400}));
        assert_eq!((old.outcome(), old.because()), (Outcome::Fail, "its newest version is 366 days old (limit 365)"));
        assert_eq!(judged(&json!({"enabled": null, "exp": null})).outcome(), Outcome::Fail, "not said to be off");
    }

    #[test]
    fn one_that_is_off_is_left_out_and_an_untold_age_is_open() {
        assert_eq!(judged(&json!({"enabled": false, "exp": null})).outcome(), Outcome::NotApplicable);
        assert_eq!(judged(&json!({"created": null})).reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn a_list_that_was_not_read_is_not_evaluated_and_no_vault_not_applicable() {
        let unread = findings_of(&CHECK, secrets(&json!({})).denied(Kind::VaultSecrets, &vault_id("kv")));
        assert_eq!(about_name(&unread, &vault_id("kv")).reason(), Some(Reason::Forbidden));
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
        let unread = findings_of(&CHECK, base().denied(Kind::Vaults, SUB));
        assert_eq!(only(&unread).outcome(), Outcome::NotEvaluated);
    }
}
