//! KV-002: Azure RBAC, not access policies, decides about secrets, keys and certificates.

use super::{Check, Facts, Finding, Nature, Severity, about, population};
use crate::evidence::Kind;
use crate::model::Vault;

pub(super) const CHECK: Check = Check {
    id: "KV-002",
    title: "Azure RBAC decides about access to the vault's objects",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "The stored value of `enableRbacAuthorization` of every vault. Only `true` is Azure RBAC; `false`, null and \
           an absent value all mean access policies.",
    blind_to: "Whether the model was changed and changed back during the period: it is a switch that anyone who may \
               write the vault can turn.",
    fix: "First assign data roles to those who need them, then switch: `az keyvault update --name VAULT \
          --enable-rbac-authorization true` (Bicep: `enableRbacAuthorization: true`). All access policies stop \
          working at once.",
    needs: &[population(Kind::Vaults)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.vaults.iter().map(judge).collect()
}

fn judge(vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    match vault.rbac {
        Some(true) => on.pass("`enableRbacAuthorization` is true"),
        Some(false) => on.fail("`enableRbacAuthorization` is false: access policies decide"),
        None => on.fail("`enableRbacAuthorization` is absent or null, which means that access policies decide"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Outcome;
    use super::super::testing::{SUB, about_name, base, findings_of, list, only, vault_json};
    use super::*;
    use crate::evidence::Reason;
    use crate::evidence::testing::CaptureBuilder;

    fn vaults(items: impl IntoIterator<Item = Value>) -> CaptureBuilder {
        base().replace(Kind::Vaults, SUB, list(items))
    }

    #[test]
    fn only_true_passes_and_absent_is_told_from_false() {
        let findings = findings_of(
            &CHECK,
            vaults([
                vault_json("rbac", &json!({})),
                vault_json("policies", &json!({"properties": {"enableRbacAuthorization": false}})),
                vault_json("old", &json!({"properties": {"enableRbacAuthorization": null}})),
            ]),
        );
        assert_eq!(about_name(&findings, "rbac").outcome(), Outcome::Pass);
        assert!(about_name(&findings, "policies").because().contains("is false"));
        assert_eq!(about_name(&findings, "policies").outcome(), Outcome::Fail);
        assert!(about_name(&findings, "old").because().contains("absent or null"));
        assert_eq!(about_name(&findings, "old").outcome(), Outcome::Fail);
    }

    #[test]
    fn an_explicit_null_is_access_policies_too() {
        let mut vault = vault_json("null", &json!({}));
        vault["properties"]["enableRbacAuthorization"] = Value::Null;
        assert_eq!(only(&findings_of(&CHECK, vaults([vault]))).outcome(), Outcome::Fail);
    }

    #[test]
    fn a_list_that_broke_off_judges_what_it_showed_and_says_that_there_may_be_more() {
        let builder = CaptureBuilder::default().cut(
            Kind::Vaults,
            SUB,
            vec![list([vault_json("kv1", &json!({}))])],
            Reason::CutShort,
        );
        let findings = findings_of(&CHECK, builder);
        assert_eq!(about_name(&findings, "kv1").outcome(), Outcome::Pass);
        assert_eq!(about_name(&findings, SUB).reason(), Some(Reason::CutShort));
    }

    #[test]
    fn a_refused_list_is_not_evaluated_and_an_empty_one_not_applicable() {
        let refused = findings_of(&CHECK, base().denied(Kind::Vaults, SUB));
        assert_eq!(only(&refused).outcome(), Outcome::NotEvaluated);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
