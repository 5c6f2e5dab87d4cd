//! KV-007: the vault's data plane answers approved networks alone.

use super::registers::{Known, of_rows};
use super::{About, Check, Facts, Finding, Nature, Severity, about, population};
use crate::access::network::{Reach, Route};
use crate::evidence::{Kind, Reason};
use crate::model::{Network, NetworkAcls, Vault};

pub(super) const CHECK: Check = Check {
    id: "KV-007",
    title: "The vault can be reached only from approved networks",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "`publicNetworkAccess` and `networkAcls` of every vault. Closed means Disabled, SecuredByPerimeter, or a \
           default of Deny with address rules that all lie within the approved networks: `approved_networks` of the \
           configuration and `registers/networks.toml`. An absent `networkAcls` means that every network may connect.",
    blind_to: "The rules of a network security perimeter, whether a permitted subnet is a rightful one, trusted \
               Microsoft services, and the control plane: Azure Resource Manager writes secrets past these rules. A \
               private endpoint alone closes nothing.",
    fix: "`az keyvault update --name VAULT --public-network-access Disabled`, or `az keyvault update --name VAULT \
          --default-action Deny` and `az keyvault network-rule add --name VAULT --ip-address CIDR` (Bicep: \
          `publicNetworkAccess: 'Disabled'`). List what is approved in `registers/networks.toml`, or as `approved_networks` in the configuration.",
    needs: &[population(Kind::Vaults)],
    run,
};

/// A rule with fewer fixed bits than this covers so much of the internet that it is open, approved or not.
const WIDEST_PREFIX: u32 = 8;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut approved = facts.parameters.approved_networks.clone();
    let register = facts.declared.registers.networks.as_ref();
    let in_force = register.into_iter().flat_map(|register| register.in_force(facts.tenant.collected_at));
    approved.extend(in_force.map(|row| row.says.network.shown.clone()));
    let mut findings: Vec<Finding> = facts.tenant.vaults.iter().map(|vault| judge(vault, &approved)).collect();
    if let Some(register) = register {
        let rules: Vec<Network> = facts.tenant.vaults.iter().flat_map(rules_of).collect();
        findings.extend(of_rows(
            facts,
            register,
            |row| row.network.shown.clone(),
            |row| match rules.iter().any(|rule| row.says.network.network.contains(*rule)) {
                true => Known::Matches,
                false => Known::Unused(format!("no vault lets in an address of `{}`", row.says.network.shown)),
            },
        ));
    }
    findings
}

/// The address rules of a vault that can be read.
fn rules_of(vault: &Vault) -> Vec<Network> {
    vault.network_acls.iter().flat_map(|acls| &acls.ip_rules).filter_map(|rule| Network::parse(rule)).collect()
}

fn judge(vault: &Vault, approved: &[String]) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    match (Route::to(vault).reach, &vault.network_acls) {
        (Reach::PrivateEndpoints, _) => on.pass("`publicNetworkAccess` is Disabled: private endpoints alone"),
        (Reach::Perimeter, _) => {
            on.pass("`publicNetworkAccess` is SecuredByPerimeter: the rules of its network perimeter decide")
        }
        (Reach::Internet, None) => {
            on.fail("public access is on and `networkAcls` is absent: every network may connect")
        }
        (Reach::Internet, Some(acls)) if acls.default_action.is_none() => {
            on.fail("public access is on and no default action is set, which means Allow")
        }
        (Reach::Internet, _) => {
            on.fail("public access is on and the default action is Allow: every network may connect")
        }
        (Reach::Listed, Some(acls)) => judge_rules(on, acls, approved),
        (Reach::Listed | Reach::NotDetermined, _) => on.not_evaluated(Reason::ValueUnknown, unknown(vault)),
    }
}

/// The setting whose value is not one of those that Azure documents.
fn unknown(vault: &Vault) -> String {
    let action = vault.network_acls.as_ref().and_then(|acls| acls.default_action.as_deref());
    match vault.public_network_access.as_deref() {
        Some(value) if !value.eq_ignore_ascii_case("enabled") => format!("`publicNetworkAccess` is `{value}`"),
        _ => format!("the default action is `{}`", action.unwrap_or_default()),
    }
}

/// A vault that denies by default: its address rules decide.
fn judge_rules(on: About, acls: &NetworkAcls, approved: &[String]) -> Finding {
    let parsed: Vec<(&String, Option<Network>)> =
        acls.ip_rules.iter().map(|rule| (rule, Network::parse(rule))).collect();
    let open: Vec<&String> = parsed
        .iter()
        .filter(|(_, network)| network.is_some_and(|network| network.prefix() < WIDEST_PREFIX))
        .map(|(rule, _)| *rule)
        .collect();
    if !open.is_empty() {
        return on.fail(format!("address rules open it to the internet: {}", quoted(&open)));
    }
    let mut subnets = match acls.virtual_network_rules.len() {
        0 => String::new(),
        count => format!("; {count} subnets are let in as well"),
    };
    let unread = format!("rules that could not be read let in further networks: {}", acls.unread_rules);
    if acls.unread_rules > 0 {
        subnets += &format!("; {unread}");
    }
    let is_unread = |on: About| on.not_evaluated(Reason::Malformed, unread.clone());
    if parsed.is_empty() && acls.unread_rules > 0 {
        return is_unread(on);
    }
    if parsed.is_empty() {
        return on.pass(format!("the default is Deny and no public address is let in{subnets}"));
    }
    if approved.is_empty() {
        let rules: Vec<&String> = acls.ip_rules.iter().collect();
        return on.manual(format!(
            "the default is Deny and these addresses are let in: {}{subnets}; no approved networks are given, so a \
             person must say that they are approved",
            quoted(&rules)
        ));
    }
    let mut allowed = Vec::new();
    for text in approved {
        match Network::parse(text) {
            Some(network) => allowed.push(network),
            None => {
                return on.not_evaluated(
                    Reason::ValueUnknown,
                    format!("`{text}` in `approved_networks` is not an IPv4 network"),
                );
            }
        }
    }
    let is_outside = |network: &Network| !allowed.iter().any(|approved| approved.contains(*network));
    let outside: Vec<&String> =
        parsed.iter().filter(|(_, network)| network.as_ref().is_some_and(is_outside)).map(|(rule, _)| *rule).collect();
    if !outside.is_empty() {
        return on.fail(format!("address rules lie outside the approved networks: {}{subnets}", quoted(&outside)));
    }
    if acls.unread_rules > 0 {
        return is_unread(on);
    }
    match parsed.iter().find(|(_, network)| network.is_none()) {
        Some((rule, _)) => {
            on.not_evaluated(Reason::ValueUnknown, format!("the address rule `{rule}` is not an IPv4 network"))
        }
        None => {
            on.pass(format!("the default is Deny and every address rule lies within the approved networks{subnets}"))
        }
    }
}

fn quoted(rules: &[&String]) -> String {
    rules.iter().map(|rule| format!("`{rule}`")).collect::<Vec<String>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{
        SUB, about_name, base, findings_declared, findings_of, findings_with, list, only, vault_json,
    };
    use super::super::{Outcome, Parameters};
    use super::*;

    fn outcome(properties: &Value, approved: &[&str]) -> Outcome {
        let vault = vault_json("kv1", &json!({"properties": properties}));
        let approved_networks = approved.iter().map(|text| (*text).to_owned()).collect();
        let parameters = Parameters { approved_networks, ..Parameters::default() };
        only(&findings_with(&CHECK, base().replace(Kind::Vaults, SUB, list([vault])), &parameters)).outcome()
    }

    fn rules(addresses: &[&str]) -> Value {
        let rules: Vec<Value> = addresses.iter().map(|address| json!({"value": address})).collect();
        json!({"publicNetworkAccess": "enabled", "networkAcls": {"defaultAction": "Deny", "ipRules": rules}})
    }

    #[test]
    fn the_decision_table() {
        assert_eq!(outcome(&json!({"publicNetworkAccess": "disabled", "networkAcls": null}), &[]), Outcome::Pass);
        assert_eq!(outcome(&json!({"publicNetworkAccess": "SecuredByPerimeter"}), &[]), Outcome::Pass);
        assert_eq!(outcome(&json!({"publicNetworkAccess": null}), &[]), Outcome::Pass, "denies by default");
        assert_eq!(outcome(&json!({"publicNetworkAccess": null, "networkAcls": null}), &[]), Outcome::Fail);
        let allow = json!({"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}});
        assert_eq!(outcome(&allow, &[]), Outcome::Fail);
        let unset = json!({"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": null}});
        assert_eq!(outcome(&unset, &[]), Outcome::Fail);
        assert_eq!(outcome(&json!({"publicNetworkAccess": "Sometimes"}), &[]), Outcome::NotEvaluated);
    }

    fn registered(rows: &str, addresses: &[&str]) -> Vec<Finding> {
        let vault = vault_json("kv1", &json!({"properties": rules(addresses)}));
        let builder = base().replace(Kind::Vaults, SUB, list([vault]));
        findings_declared(&CHECK, builder, &[("registers/networks.toml", rows)])
    }

    #[test]
    fn a_registered_network_is_approved_until_its_last_day() {
        let office = "[[network]]\nnetwork = \"203.0.113.0/24\"\npurpose = \"office\"\n";
        assert_eq!(only(&registered(office, &["203.0.113.7"])).outcome(), Outcome::Pass);
        let ended = registered(&format!("{office}until = 2026-01-31\n"), &["203.0.113.7"]);
        assert_eq!(about_name(&ended, "kv1").outcome(), Outcome::Manual, "no approved network is left: {ended:#?}");
        let row = about_name(&ended, "203.0.113.0/24");
        assert_eq!((row.outcome(), row.subject().id.as_str()), (Outcome::Fail, "registers/networks.toml:1"));
        assert_eq!(row.evidence()[0].place(), "declared/registers/networks.toml#/network/0");
        let unused = registered(office, &[]);
        assert_eq!(about_name(&unused, "kv1").outcome(), Outcome::Pass);
        assert_eq!(about_name(&unused, "203.0.113.0/24").outcome(), Outcome::Manual);
    }

    #[test]
    fn address_rules_are_held_against_the_approved_networks() {
        assert_eq!(outcome(&rules(&[]), &[]), Outcome::Pass);
        assert_eq!(outcome(&rules(&["203.0.113.7"]), &[]), Outcome::Manual);
        assert_eq!(outcome(&rules(&["203.0.113.7", "203.0.113.16/28"]), &["203.0.113.0/24"]), Outcome::Pass);
        assert_eq!(outcome(&rules(&["203.0.113.7", "198.51.100.1"]), &["203.0.113.0/24"]), Outcome::Fail);
        assert_eq!(outcome(&rules(&["203.0.113.7", "office"]), &["203.0.113.0/24"]), Outcome::NotEvaluated);
        assert_eq!(outcome(&rules(&["203.0.113.7"]), &["our office"]), Outcome::NotEvaluated);
    }

    #[test]
    fn a_rule_that_cannot_be_read_lets_in_nobody_knows_whom() {
        let with = |rules: Value, approved: &[&str]| {
            let acls = json!({"defaultAction": "Deny", "ipRules": rules});
            let vault =
                vault_json("kv1", &json!({"properties": {"publicNetworkAccess": "Enabled", "networkAcls": acls}}));
            let approved_networks = approved.iter().map(|text| (*text).to_owned()).collect();
            let parameters = Parameters { approved_networks, ..Parameters::default() };
            let findings = findings_with(&CHECK, base().replace(Kind::Vaults, SUB, list([vault])), &parameters);
            let of_vault = findings.iter().find(|finding| finding.subject().kind == "vault").expect("the vault");
            (of_vault.outcome(), of_vault.because().to_owned())
        };
        let unread = "rules that could not be read let in further networks: 1";
        assert_eq!(with(json!([{}]), &[]), (Outcome::NotEvaluated, unread.to_owned()));
        let rules = json!([{"value": "203.0.113.7"}, {"value": null}]);
        assert_eq!(with(rules.clone(), &["203.0.113.0/24"]), (Outcome::NotEvaluated, unread.to_owned()));
        let (outcome, because) = with(rules.clone(), &["198.51.100.0/24"]);
        assert!(outcome == Outcome::Fail && because.ends_with(unread), "{because}");
        let (outcome, because) = with(rules, &[]);
        assert!(outcome == Outcome::Manual && because.contains(unread), "{because}");
    }

    #[test]
    fn a_rule_for_the_whole_internet_is_open_even_when_it_is_approved() {
        assert_eq!(outcome(&rules(&["0.0.0.0/0"]), &["0.0.0.0/0"]), Outcome::Fail);
        assert_eq!(outcome(&rules(&["0.0.0.0/1", "128.0.0.0/1"]), &[]), Outcome::Fail);
    }

    #[test]
    fn a_refused_list_is_not_evaluated_and_an_empty_one_not_applicable() {
        let refused = findings_of(&CHECK, base().denied(Kind::Vaults, SUB));
        assert_eq!(only(&refused).outcome(), Outcome::NotEvaluated);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
