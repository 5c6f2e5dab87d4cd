//! KV-012: odd use of vaults is looked for.

use super::{Check, Facts, Finding, Nature, Severity, about, own, population};
use crate::evidence::{Kind, Reason};
use crate::model::{DefenderPlan, Subscription, Vault};

/// Name of the plan in the list of plans.
const PLAN: &str = "KeyVaults";

pub(super) const CHECK: Check = Check {
    id: "KV-012",
    title: "Threat detection is on where vaults are",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "For every subscription that holds a vault, whether the Defender for Cloud plan `KeyVaults` has the tier \
           Standard at the time of collection.",
    blind_to: "Whether the plan was on through the whole period, whether anybody looks at its alerts, which suppression \
               rules hide some of them, and detection by other products.",
    fix: "`az security pricing create --name KeyVaults --tier standard` in the subscription (Bicep: \
          `Microsoft.Security/pricings`, name `KeyVaults`, `pricingTier: 'Standard'`; Terraform: \
          `azurerm_security_center_subscription_pricing`), or by a policy for all subscriptions.",
    needs: &[population(Kind::Vaults), own(Kind::DefenderPlans)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let of = |subscription: &Subscription| -> Vec<&Vault> {
        let mut vaults =
            facts.tenant.vaults.iter().filter(|vault| subscription.id.is_at_or_above(&vault.id)).peekable();
        if vaults.peek().is_some() { vaults.collect() } else { Vec::new() }
    };
    let subscriptions = facts.tenant.subscriptions.iter().map(|subscription| (subscription, of(subscription)));
    subscriptions
        .filter(|(_, vaults)| !vaults.is_empty())
        .map(|(subscription, vaults)| judge(facts, subscription, &vaults))
        .collect()
}

fn judge(facts: &Facts<'_>, subscription: &Subscription, vaults: &[&Vault]) -> Finding {
    let on = about("subscription", &subscription.id, &subscription.name, &subscription.from)
        .citing(vaults.iter().take(1).map(|vault| &vault.from));
    let mut plans = facts.tenant.logging.plans.iter();
    let is_own = |plan: &&DefenderPlan| plan.subscription == subscription.id && plan.name.eq_ignore_ascii_case(PLAN);
    let count = match vaults.len() {
        1 => "1 vault".to_owned(),
        many => format!("{many} vaults"),
    };
    if let Some(plan) = plans.find(is_own) {
        let on = on.citing([&plan.from]);
        return match plan.is_on() {
            Some(true) => on.pass(format!("the plan `{PLAN}` is on ({}), over {count}", words(plan))),
            Some(false) => on.fail(format!("the plan `{PLAN}` is off ({}), over {count}", words(plan))),
            None => on.not_evaluated(Reason::ValueUnknown, format!("the plan `{PLAN}` does not say which tier it has")),
        };
    }
    match facts.missing(&[own(Kind::DefenderPlans)], &subscription.id) {
        Some(missing) => on.missing(&missing),
        None => on
            .citing(&facts.records_about(Kind::DefenderPlans, &subscription.id))
            .not_evaluated(Reason::NotFound, format!("no plan `{PLAN}` is in the list of plans")),
    }
}

fn words(plan: &DefenderPlan) -> String {
    let tier = plan.tier.as_deref().unwrap_or("no tier told");
    plan.sub_plan.as_deref().map_or_else(|| tier.to_owned(), |sub| format!("{tier}, {sub}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::testing::{SUB, base, findings_of, list, only, vault_json};
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn with_vault(plans: &[Value]) -> CaptureBuilder {
        let vaults = list([vault_json("kv", &json!({}))]);
        base().replace(Kind::Vaults, SUB, vaults).replace(Kind::DefenderPlans, SUB, list(plans.to_vec()))
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    fn plan(name: &str, tier: &Value) -> Value {
        json!({"name": name, "properties": {"pricingTier": tier, "subPlan": "PerKeyVault"}})
    }

    #[test]
    fn a_plan_that_is_on_passes_and_one_that_is_off_fails() {
        let on = judged(with_vault(&[plan("Arm", &json!("Free")), plan("keyvaults", &json!("standard"))]));
        assert_eq!(
            (on.outcome(), on.because()),
            (Outcome::Pass, "the plan `KeyVaults` is on (standard, PerKeyVault), over 1 vault")
        );
        let off = judged(with_vault(&[plan("Arm", &json!("Standard")), plan("KeyVaults", &json!("Free"))]));
        assert_eq!(off.outcome(), Outcome::Fail, "another plan does not count");
    }

    #[test]
    fn a_list_without_the_plan_or_its_tier_is_not_evaluated() {
        assert_eq!(judged(with_vault(&[])).reason(), Some(Reason::NotFound));
        assert_eq!(judged(with_vault(&[plan("KeyVaults", &Value::Null)])).reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn unread_plans_are_not_evaluated() {
        let denied = with_vault(&[]).denied(Kind::DefenderPlans, SUB);
        assert_eq!(judged(denied).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn a_subscription_without_a_vault_needs_no_plan() {
        let plans = list([plan("KeyVaults", &json!("Free"))]);
        assert_eq!(judged(base().replace(Kind::DefenderPlans, SUB, plans)).outcome(), Outcome::NotApplicable);
    }
}
