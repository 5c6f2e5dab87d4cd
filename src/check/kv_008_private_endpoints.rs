//! KV-008: private endpoints are approved, and trusted services pass the firewall for a reason alone.

use super::people::and_more;
use super::{Check, Facts, Finding, Nature, Severity, about, population};
use crate::declared::{Text, VaultRow};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{NetworkAcls, Vault};

pub(super) const CHECK: Check = Check {
    id: "KV-008",
    title: "Private endpoint connections are approved, and a firewall bypass has its reason",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "For every vault, the state of each private endpoint connection (`privateLinkServiceConnectionState.status`): \
           one that is not Approved is an exception. And `networkAcls.bypass`: AzureServices, which is also meant where \
           nothing is set, lets trusted Microsoft services past the firewall and past disabled public access; that needs \
           a reason in the vault's row of `registers/vaults.toml` (`bypass`). Without the register a person must record it.",
    blind_to: "Who approved a connection, in whose network its other end lies, and whether names resolve to it; which \
               trusted services do pass, of which Azure keeps the list.",
    fix: "`az keyvault private-endpoint-connection approve` or `delete --id <connection id>`; \
          `az keyvault update --name VAULT --bypass None` where no trusted service needs the vault (Bicep: \
          `networkAcls: { bypass: 'None' }`; Terraform: `network_acls { bypass = \"None\" }`), else record why it does.",
    needs: &[population(Kind::Vaults)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.vaults.iter().map(|vault| judge(facts, vault)).collect()
}

/// The reason in the row of a vault, that the register is there and has none, or that there is no register.
pub(super) enum Reasoned<'a> {
    Given(&'a str, &'a Cite),
    NotGiven(&'a Cite),
    NoRegister,
}

/// What the register of vaults says of one, by the field that `reason` takes.
pub(super) fn reasoned<'a>(
    facts: &Facts<'a>,
    vault: &Vault,
    reason: fn(&'a VaultRow) -> Option<&'a Text>,
) -> Reasoned<'a> {
    let Some(register) = facts.declared.registers.vaults.as_ref() else { return Reasoned::NoRegister };
    let mut rows = register.in_force(facts.tenant.collected_at).filter(|row| row.says.vault.is(&vault.id));
    match rows.find_map(|row| Some((reason(&row.says)?, &row.from))) {
        Some((text, from)) => Reasoned::Given(text.as_str(), from),
        None => Reasoned::NotGiven(&register.from),
    }
}

fn judge(facts: &Facts<'_>, vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let named = |id: &Option<String>| {
        id.as_deref()
            .and_then(|id| id.rsplit('/').next())
            .map_or("without a name".to_owned(), |name| format!("`{name}`"))
    };
    let mut pending: Vec<String> = Vec::new();
    for endpoint in &vault.private_endpoints {
        match endpoint.status.as_deref() {
            Some(state) if state.eq_ignore_ascii_case("Approved") => {}
            Some(state) => pending.push(format!("the connection {} is {state}", named(&endpoint.id))),
            None => {
                let because = format!("the state of the connection {} is not told", named(&endpoint.id));
                return on.not_evaluated(Reason::ValueUnknown, because);
            }
        }
    }
    if let Some(first) = pending.first() {
        return on.fail(and_more(first, pending.len()));
    }
    let connections = match vault.private_endpoints.len() {
        0 => "it has no private endpoint connection".to_owned(),
        1 => "its private endpoint connection is approved".to_owned(),
        count => format!("its {count} private endpoint connections are approved"),
    };
    match bypass(vault) {
        Bypass::None => on.pass(format!("{connections}, and nothing passes its network rules")),
        Bypass::Moot(why) => on.pass(format!("{connections}; {why}")),
        Bypass::Services(how) => {
            let passes = format!("{connections}; trusted Microsoft services pass its network rules ({how})");
            match reasoned(facts, vault, |row| row.bypass.as_ref()) {
                Reasoned::Given(reason, from) => on.citing([from]).pass(format!("{passes}, because: {reason}")),
                Reasoned::NotGiven(from) => {
                    on.citing([from]).fail(format!("{passes}, and the register gives no reason"))
                }
                Reasoned::NoRegister => on.manual(format!("{passes}, for a reason that a person must record")),
            }
        }
        Bypass::Unknown(what) => on.not_evaluated(Reason::ValueUnknown, format!("{connections}; {what}")),
    }
}

enum Bypass {
    None,
    /// Nothing to pass, or overridden.
    Moot(&'static str),
    Services(&'static str),
    Unknown(String),
}

/// Who passes the network rules. Where nothing is set, trusted services do (spec:Microsoft.KeyVault, `bypass`: "If not
/// specified the default is 'AzureServices'").
fn bypass(vault: &Vault) -> Bypass {
    let access = vault.public_network_access.as_deref().unwrap_or("Enabled");
    if access.eq_ignore_ascii_case("SecuredByPerimeter") {
        return Bypass::Moot("the rules of its network perimeter override a bypass");
    }
    let is_disabled = access.eq_ignore_ascii_case("Disabled");
    let none = NetworkAcls::default();
    let acls = vault.network_acls.as_ref().unwrap_or(&none);
    let is_open = !acls.default_action.as_deref().is_some_and(|action| action.eq_ignore_ascii_case("Deny"));
    match acls.bypass.as_deref() {
        _ if !is_disabled && is_open => {
            Bypass::Moot("every network is let in (KV-007), so that there is nothing to pass")
        }
        Some(bypass) if bypass.eq_ignore_ascii_case("None") => Bypass::None,
        Some(bypass) if bypass.eq_ignore_ascii_case("AzureServices") => Bypass::Services("`bypass` is AzureServices"),
        Some(other) => Bypass::Unknown(format!("`bypass` is `{other}`")),
        None => Bypass::Services("`bypass` is not set, which means AzureServices"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::testing::{SUB, base, findings_declared, findings_of, list, only, vault_json};
    use crate::check::{Finding, Outcome};
    use crate::evidence::{Kind, Reason};

    fn judged(patch: &Value) -> Finding {
        let vaults = list([vault_json("kv", &json!({"properties": patch}))]);
        only(&findings_of(&CHECK, base().replace(Kind::Vaults, SUB, vaults))).clone()
    }

    fn connections(states: &[Option<&str>]) -> Value {
        let one = |state: &Option<&str>| {
            json!({"properties": {"privateEndpoint": {"id": "/x/privateEndpoints/pe1"},
            "privateLinkServiceConnectionState": {"status": state}}})
        };
        json!({"privateEndpointConnections": states.iter().map(one).collect::<Vec<Value>>()})
    }

    #[test]
    fn approved_connections_and_no_bypass_pass() {
        assert_eq!(
            judged(&json!({})).because(),
            "it has no private endpoint connection, and nothing passes its network rules"
        );
        let two = judged(&connections(&[Some("Approved"), Some("approved")]));
        assert_eq!(two.outcome(), Outcome::Pass);
        assert!(two.because().starts_with("its 2 private endpoint connections are approved"));
    }

    #[test]
    fn one_connection_in_another_state_fails_and_one_without_a_state_is_open() {
        for state in ["Pending", "Rejected", "Disconnected"] {
            let finding = judged(&connections(&[Some("Approved"), Some(state)]));
            assert_eq!(finding.outcome(), Outcome::Fail);
            assert_eq!(finding.because(), format!("the connection `pe1` is {state}"));
        }
        assert_eq!(judged(&connections(&[None])).reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn a_bypass_awaits_its_reason_also_where_it_is_only_the_default() {
        for (acls, how) in
            [(json!({"bypass": "azureservices"}), "`bypass` is AzureServices"), (json!({"bypass": null}), "not set")]
        {
            let finding = judged(&json!({"networkAcls": acls}));
            assert_eq!(finding.outcome(), Outcome::Manual, "{acls}");
            assert!(finding.because().contains(how), "{finding:?}");
        }
        // disabled public access without any rule: trusted services still pass
        assert_eq!(judged(&json!({"networkAcls": null})).outcome(), Outcome::Manual);
        assert_eq!(judged(&json!({"networkAcls": {"bypass": "Odd"}})).reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn the_register_of_vaults_gives_the_reason_or_makes_its_lack_an_exception() {
        let with = |rows: &str| {
            let vaults = list([vault_json("kv", &json!({"properties": {"networkAcls": {"bypass": "AzureServices"}}}))]);
            let builder = base().replace(Kind::Vaults, SUB, vaults);
            only(&findings_declared(&CHECK, builder, &[("registers/vaults.toml", rows)])).clone()
        };
        let row = "[[vault]]\nvault = \"KV\"\napplication = \"a\"\nenvironment = \"prod\"\n";
        let given = with(&format!("{row}bypass = \"backup service\"\n"));
        assert_eq!(given.outcome(), Outcome::Pass);
        assert!(given.because().ends_with("because: backup service"), "{given:?}");
        assert_eq!(with(row).outcome(), Outcome::Fail);
        assert_eq!(with("# none\n").outcome(), Outcome::Fail);
        let ended = format!("{row}bypass = \"backup service\"\nuntil = 2026-09-30\n");
        assert_eq!(with(&ended).outcome(), Outcome::Fail, "a row that ended gives no reason");
    }

    #[test]
    fn where_there_is_nothing_to_pass_a_bypass_is_moot() {
        let open =
            json!({"publicNetworkAccess": null, "networkAcls": {"defaultAction": "Allow", "bypass": "AzureServices"}});
        assert!(judged(&open).because().ends_with("so that there is nothing to pass"));
        let perimeter =
            json!({"publicNetworkAccess": "SecuredByPerimeter", "networkAcls": {"bypass": "AzureServices"}});
        assert_eq!(judged(&perimeter).outcome(), Outcome::Pass);
        let listed = json!({"publicNetworkAccess": "Enabled", "networkAcls": {"bypass": "AzureServices"}});
        assert_eq!(judged(&listed).outcome(), Outcome::Manual, "the default of Deny is there to be passed");
    }

    #[test]
    fn unread_vaults_are_not_evaluated_and_none_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, base().denied(Kind::Vaults, SUB))).outcome(), Outcome::NotEvaluated);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
