//! KV-011: the vault opens no way around its own grants to the platform.

use super::kv_008_private_endpoints::{Reasoned, reasoned};
use super::{Check, Facts, Finding, Nature, Severity, about, population};
use crate::evidence::Kind;
use crate::model::Vault;

pub(super) const CHECK: Check = Check {
    id: "KV-011",
    title: "Deployment flags are off, or on for a reason",
    severity: Severity::Low,
    nature: Nature::Design,
    asks: "`enabledForDeployment`, `enabledForDiskEncryption` and `enabledForTemplateDeployment` of every vault. Each lets \
           the platform fetch secrets or keys for whoever may deploy there, beside the grants of the vault. A flag that \
           is on needs a reason in the vault's row of `registers/vaults.toml` (`deployment`); without the register a \
           person must record it. A flag that is absent is off.",
    blind_to: "Who uses a flag that is on, and whether machines still need it. `vaults/deploy/action` is needed to use the \
               one for templates; who holds it is not asked here.",
    fix: "`az keyvault update --name VAULT --enabled-for-deployment false --enabled-for-disk-encryption false \
          --enabled-for-template-deployment false` (Bicep: `enabledForDeployment: false` and so on; Terraform: \
          `enabled_for_deployment = false`), or record why a flag must be on.",
    needs: &[population(Kind::Vaults)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.vaults.iter().map(|vault| judge(facts, vault)).collect()
}

fn judge(facts: &Facts<'_>, vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let flags = [
        (vault.enabled_for_deployment, "enabledForDeployment"),
        (vault.enabled_for_disk_encryption, "enabledForDiskEncryption"),
        (vault.enabled_for_template_deployment, "enabledForTemplateDeployment"),
    ];
    let set: Vec<String> =
        flags.iter().filter(|(flag, _)| *flag == Some(true)).map(|(_, name)| format!("`{name}`")).collect();
    if set.is_empty() {
        return on.pass("none of the three flags is on");
    }
    let are_on = format!("{} {} on", set.join(", "), if set.len() == 1 { "is" } else { "are" });
    match reasoned(facts, vault, |row| row.deployment.as_ref()) {
        Reasoned::Given(reason, from) => on.citing([from]).pass(format!("{are_on}, because: {reason}")),
        Reasoned::NotGiven(from) => on.citing([from]).fail(format!("{are_on}, and the register gives no reason")),
        Reasoned::NoRegister => on.manual(format!("{are_on}, for a reason that a person must record")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::testing::{SUB, base, findings_declared, findings_of, list, only, vault_json};
    use crate::check::{Finding, Outcome};
    use crate::evidence::Kind;

    fn judged(patch: &Value) -> Finding {
        let vaults = list([vault_json("kv", &json!({"properties": patch}))]);
        only(&findings_of(&CHECK, base().replace(Kind::Vaults, SUB, vaults))).clone()
    }

    #[test]
    fn absent_null_and_false_are_off() {
        for flag in [json!({}), json!({"enabledForDeployment": null}), json!({"enabledForDeployment": false})] {
            assert_eq!(judged(&flag).outcome(), Outcome::Pass, "{flag}");
        }
    }

    #[test]
    fn each_flag_that_is_on_awaits_its_reason_by_name() {
        let finding = judged(&json!({"enabledForDeployment": true, "enabledForDiskEncryption": false,
            "enabledForTemplateDeployment": true}));
        assert_eq!(finding.outcome(), Outcome::Manual);
        assert!(finding.because().starts_with("`enabledForDeployment`, `enabledForTemplateDeployment` are on"));
    }

    #[test]
    fn the_register_of_vaults_gives_the_reason_or_makes_its_lack_an_exception() {
        let with = |rows: &str| {
            let vaults = list([vault_json("kv", &json!({"properties": {"enabledForDiskEncryption": true}}))]);
            let builder = base().replace(Kind::Vaults, SUB, vaults);
            only(&findings_declared(&CHECK, builder, &[("registers/vaults.toml", rows)])).outcome()
        };
        let row = "[[vault]]\nvault = \"kv\"\napplication = \"a\"\nenvironment = \"prod\"\n";
        assert_eq!(with(&format!("{row}deployment = \"disks of the farm\"\n")), Outcome::Pass);
        assert_eq!(with(&format!("{row}bypass = \"backup service\"\n")), Outcome::Fail);
    }

    #[test]
    fn unread_vaults_are_not_evaluated_and_none_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, base().denied(Kind::Vaults, SUB))).outcome(), Outcome::NotEvaluated);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
