//! KV-004: nothing revives if a vault leaves the RBAC model.

use super::{Check, Facts, Finding, Nature, Severity, about, population};
use crate::evidence::{Kind, Reason};
use crate::model::{Tenant, Vault};

pub(super) const CHECK: Check = Check {
    id: "KV-004",
    title: "No access policies are left behind on a vault in the RBAC model",
    severity: Severity::Low,
    nature: Nature::Design,
    asks: "Whether vaults in the RBAC model still carry access policies. The vault ignores them, but they work again \
           the moment the model is switched back.",
    blind_to: "Who may switch the model back.",
    fix: "Remove each entry after the move to RBAC: `az keyvault delete-policy --name VAULT --object-id ID` \
          (Bicep: `accessPolicies: []`).",
    needs: &[population(Kind::Vaults)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.vaults.iter().map(|vault| judge(facts.tenant, vault)).collect()
}

fn judge(tenant: &Tenant, vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    if !vault.is_rbac() {
        return on.not_applicable("access policies decide on this vault, so none is left behind");
    }
    let unread = vault.unread_policies;
    if vault.access_policies.is_empty() {
        return match unread {
            0 => on.pass("no access policy is left"),
            _ => on.not_evaluated(
                Reason::Malformed,
                format!("entries of its access policies could not be read: {unread}"),
            ),
        };
    }
    let names: Vec<String> =
        vault.access_policies.iter().map(|policy| format!("`{}`", tenant.principal_name(&policy.object_id))).collect();
    let further = if unread == 0 { String::new() } else { format!("; further entries could not be read: {unread}") };
    on.citing(vault.access_policies.iter().map(|policy| &policy.from)).fail(format!(
        "{} dormant access policies would revive if the model is switched back: {}{further}",
        names.len(),
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Outcome;
    use super::super::testing::{SUB, base, findings_of, list, only, policy_json, vault_json};
    use super::*;

    const APP: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    fn outcome(vault: Value) -> Outcome {
        only(&findings_of(&CHECK, base().replace(Kind::Vaults, SUB, list([vault])))).outcome()
    }

    #[test]
    fn a_policy_left_on_an_rbac_vault_fails() {
        assert_eq!(outcome(vault_json("kv1", &json!({}))), Outcome::Pass);
        let left = vault_json("kv1", &json!({"properties": {"accessPolicies": [policy_json(APP, &["get"])]}}));
        let findings = findings_of(&CHECK, base().replace(Kind::Vaults, SUB, list([left])));
        assert_eq!(only(&findings).outcome(), Outcome::Fail);
        assert!(only(&findings).because().contains(APP));
    }

    #[test]
    fn an_entry_that_names_nobody_is_neither_none_nor_forgotten() {
        let of = |policies: Value| {
            let vault = vault_json("kv1", &json!({"properties": {"accessPolicies": policies}}));
            let findings = findings_of(&CHECK, base().replace(Kind::Vaults, SUB, list([vault])));
            let of_vault = findings.iter().find(|finding| finding.subject().kind == "vault").expect("the vault");
            (of_vault.outcome(), of_vault.because().to_owned())
        };
        let (outcome, because) = of(json!([{"permissions": {"secrets": ["get"]}}]));
        assert_eq!(
            (outcome, because.as_str()),
            (Outcome::NotEvaluated, "entries of its access policies could not be read: 1")
        );
        let (outcome, because) = of(json!([policy_json(APP, &["get"]), {}]));
        assert!(outcome == Outcome::Fail && because.ends_with("; further entries could not be read: 1"), "{because}");
    }

    #[test]
    fn a_vault_in_the_policy_model_has_nothing_left_behind() {
        let patch =
            json!({"properties": {"enableRbacAuthorization": false, "accessPolicies": [policy_json(APP, &["get"])]}});
        assert_eq!(outcome(vault_json("kv1", &patch)), Outcome::NotApplicable);
    }

    #[test]
    fn a_refused_list_is_not_evaluated_and_an_empty_one_not_applicable() {
        let refused = findings_of(&CHECK, base().denied(Kind::Vaults, SUB));
        assert_eq!(only(&refused).outcome(), Outcome::NotEvaluated);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
