//! Who encrypts and who decrypts.

use std::collections::BTreeMap;

use super::people::{People, Person, Who};
use super::readers::{listed, open_of, unread};
use super::registered::Registered;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::{Answer, Capability, Grant, Open, Unread};
use crate::evidence::{Cite, Kind};
use crate::model::Vault;

pub(super) const CHECK: Check = Check {
    id: "RBAC-006",
    title: "Those who encrypt and those who decrypt are apart",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "For every vault, which non-human identities may encrypt or wrap with its keys, and which may decrypt or \
           unwrap, effectively. One whose `may` in `registers/identities.toml` names one of the two and that holds the \
           other is an exception. One that holds both and whose row does not say what it is meant to do awaits a \
           person.",
    blind_to: "Keys that are used outside of vaults, wrapping by storage and databases with a key of the customer \
               (which needs both), and data that can be read without a key.",
    fix: "No built-in role does one without the other: make two custom roles, one with \
          `Microsoft.KeyVault/vaults/keys/encrypt/action`, one with `…/decrypt/action` in `dataActions` (`az role \
          definition create`), assign them at the key, and take Key Vault Crypto User away. In a vault with access \
          policies: `az keyvault set-policy --key-permissions encrypt`.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        judged(Kind::RoleEligibilityScheduleInstances),
        judged(Kind::DenyAssignments),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::UserAssignedIdentities),
        judged(Kind::Resources),
        judged(Kind::VirtualMachines),
        judged(Kind::GroupMembers),
        judged(Kind::GroupEligibilities),
    ],
    run,
};

/// What hides a holder when it was not read.
const MATTERS: &[Unread] = &[Unread::Scope, Unread::ManagementGroups, Unread::Members, Unread::Definition];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let registered = Registered::of(facts, &people);
    facts.tenant.vaults.iter().map(|vault| judge(facts, &people, registered.as_ref(), vault)).collect()
}

fn judge(facts: &Facts<'_>, people: &People<'_>, registered: Option<&Registered<'_>>, vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let of = |capability| facts.access.can(&vault.id, capability).into_iter();
    let grants: Vec<Grant> = of(Capability::Encrypt).chain(of(Capability::Decrypt)).collect();
    let mut holders: BTreeMap<&str, (&Person, Vec<&Grant>)> = BTreeMap::new();
    for grant in grants.iter().filter(|grant| grant.answer != Answer::Denied) {
        if let Who::Known(person) = people.who(&grant.principal_id)
            && person.kind.is_non_human()
        {
            holders.entry(&person.id).or_insert((person, Vec::new())).1.push(grant);
        }
    }
    let (mut beyond, mut both, mut open) = (Vec::new(), Vec::new(), None);
    let mut cited: Vec<Cite> = Vec::new();
    for (person, held) in holders.values() {
        cited
            .extend(held.iter().flat_map(|grant| &grant.paths).flat_map(|path| facts.access.evidence(&vault.id, path)));
        let holds = |capability| held.iter().any(|grant| grant.capability == capability);
        let Some((may, row)) = registered.and_then(|registered| registered.may(&person.id)) else {
            if holds(Capability::Encrypt) && holds(Capability::Decrypt) {
                both.push(format!("`{}`", person.name));
            }
            continue;
        };
        cited.push(row.from.clone());
        // about keys at all: one that is meant to use none is NHI-007's
        let sides = [(Capability::Encrypt, Capability::Decrypt), (Capability::Decrypt, Capability::Encrypt)];
        for (own, other) in sides.into_iter().filter(|(own, other)| may.contains(own) && !may.contains(other)) {
            let strays: Vec<&&Grant> = held.iter().filter(|grant| grant.capability == other).collect();
            if strays.iter().any(|grant| grant.answer != Answer::NotDetermined) {
                beyond.push(format!("`{}` is registered to {} and may {}", person.name, own.words(), other.words()));
            } else if let Some(path) = strays.iter().flat_map(|grant| &grant.paths).next() {
                open = open.or(Some(open_of(path)));
            }
        }
    }
    let on = on.citing(&cited);
    if !beyond.is_empty() {
        return on.fail(listed(beyond));
    }
    let open: Option<Open> = open;
    if let Some(open) = open.or_else(|| unread(facts, vault, MATTERS)) {
        return on.open(&open);
    }
    if !both.is_empty() {
        return on.manual(format!(
            "may both encrypt and decrypt, and no register says whether that is meant, so a person must: {}",
            listed(both)
        ));
    }
    match holders.len() {
        0 => on
            .citing(&facts.records_about(Kind::RoleAssignments, &vault.id))
            .not_applicable("no non-human identity may encrypt or decrypt with its keys"),
        holders => on.pass(format!("each holds one of the two, or both as its row says: {holders}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::check::roles::testing::{APP, CUSTOM, holding};
    use crate::check::testing::{SUB, base, findings_declared, findings_of, list, only, role_json, vault_id};
    use crate::check::{Finding, Outcome};
    use crate::evidence::Kind;
    use crate::evidence::testing::CaptureBuilder;

    const FILE: &str = "registers/identities.toml";
    const ENCRYPT: &str = "Microsoft.KeyVault/vaults/keys/encrypt/action";
    const DECRYPT: &str = "Microsoft.KeyVault/vaults/keys/decrypt/action";

    fn with(actions: &[&str]) -> CaptureBuilder {
        holding(&[(&vault_id("kv"), CUSTOM, APP)], &json!({})).replace(
            Kind::RoleDefinitions,
            SUB,
            list([role_json(CUSTOM, "Messages", &[], actions)]),
        )
    }

    fn registered(actions: &[&str], may: &str) -> Finding {
        let row = format!("[[identity]]\nidentity = \"{APP}\"\nowner = \"o\"\npurpose = \"p\"\n{may}\n");
        only(&findings_declared(&CHECK, with(actions), &[(FILE, &row)])).clone()
    }

    #[test]
    fn one_of_the_two_passes() {
        assert_eq!(only(&findings_of(&CHECK, with(&[ENCRYPT]))).outcome(), Outcome::Pass);
        assert_eq!(registered(&[DECRYPT], "may = [\"decrypt\"]").outcome(), Outcome::Pass);
        let both = registered(&[ENCRYPT, DECRYPT], "may = [\"encrypt\", \"decrypt\"]");
        assert_eq!(both.outcome(), Outcome::Pass, "as its row says");
    }

    #[test]
    fn a_registered_sender_that_decrypts_fails_and_the_other_way_round() {
        let sender = registered(&[ENCRYPT, "Microsoft.KeyVault/vaults/keys/unwrap/action"], "may = [\"encrypt\"]");
        assert_eq!(sender.outcome(), Outcome::Fail);
        let because = "`app` is registered to encrypt with keys and may decrypt with keys";
        assert_eq!(sender.because(), because);
        assert_eq!(registered(&[ENCRYPT, DECRYPT], "may = [\"decrypt\"]").outcome(), Outcome::Fail);
    }

    #[test]
    fn both_without_a_row_awaits_a_person() {
        assert_eq!(only(&findings_of(&CHECK, with(&[ENCRYPT, DECRYPT]))).outcome(), Outcome::Manual);
        assert_eq!(registered(&["Microsoft.KeyVault/vaults/keys/*"], "").outcome(), Outcome::Manual);
    }

    #[test]
    fn what_was_not_read_keeps_no_pass() {
        for (kind, scope) in [(Kind::RoleAssignments, "/"), (Kind::RoleDefinitions, SUB)] {
            let findings = findings_of(&CHECK, with(&[ENCRYPT]).denied(kind, scope));
            assert_eq!(only(&findings).outcome(), Outcome::NotEvaluated, "{kind:?}");
        }
    }

    #[test]
    fn nobody_and_no_vault_are_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, holding(&[], &json!({})))).outcome(), Outcome::NotApplicable);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
