//! Who reads a certificate's private key by reading secrets.

use super::logs::as_open;
use super::people::{People, Person, Who};
use super::readers::{listed, open_of, unread};
use super::registered::Registered;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::{Answer, Capability, Grant, Open, Unread};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{ObjectFamily, Vault, VaultObject};

pub(super) const CHECK: Check = Check {
    id: "RBAC-004",
    title: "Reading secrets does not expose private keys of certificates unintentionally",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "For every vault that holds a certificate, by its own list, which non-human identities may read the secret of \
           the same name: that is the certificate with its private key, so that Key Vault Secrets User reads it. An \
           identity whose row in `registers/identities.toml` lets it read secrets and not `read_private_key` is an \
           exception; one without a row, or without `may`, awaits a person.",
    blind_to: "Whether the certificate's policy forbids the export of its key, in which case the secret holds the \
               public part alone; certificates that were stored as plain secrets or outside vaults; vaults whose own \
               lists were not asked for, as Resource Manager lists no certificates (`vault_objects` in the \
               configuration).",
    fix: "Keep certificates in a vault of their own; or give the workload its secrets one by one (`az role assignment \
          create --scope <vault id>/secrets/NAME`); or make the key not exportable (`az keyvault certificate \
          get-default-policy`, `keyProperties.exportable: false`). What is meant goes into `may` of \
          `registers/identities.toml`.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        judged(Kind::VaultDataCertificates),
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

/// What hides a reader when it was not read.
const MATTERS: &[Unread] = &[Unread::Scope, Unread::ManagementGroups, Unread::Members, Unread::Definition];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let registered = Registered::of(facts, &people);
    facts.tenant.vaults.iter().map(|vault| judge(facts, &people, registered.as_ref(), vault)).collect()
}

fn judge(facts: &Facts<'_>, people: &People<'_>, registered: Option<&Registered<'_>>, vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let objects = &facts.tenant.contents.objects;
    let below = format!("{}/", vault.id.key());
    let start = objects.partition_point(|object| object.id.key() < below.as_str());
    let of_vault = objects.get(start..).unwrap_or_default().iter();
    let of_vault = of_vault.take_while(|object| object.id.key().starts_with(&below));
    let certificates: Vec<&VaultObject> =
        of_vault.filter(|object| object.family == ObjectFamily::Certificate).collect();
    let asked = facts.records_about(Kind::VaultDataCertificates, &vault.id);
    let missing = facts.missing(&[own(Kind::VaultDataCertificates)], &vault.id);
    if certificates.is_empty() {
        return match missing {
            None => on.citing(&asked).not_applicable("the vault lists no certificate"),
            Some(missing) if missing.reason == Reason::NotAsked => on.manual(
                "the vault was not asked for its certificates, and Resource Manager lists none: a person must say \
                 whether it holds any, or set `vault_objects = \"data_plane\"`",
            ),
            Some(missing) => on.missing(&missing),
        };
    }
    let on = certificates.iter().fold(on, |on, certificate| on.citing([&certificate.from]));
    let names = listed(certificates.iter().map(|certificate| format!("`{}`", certificate.name)).collect());
    let (mut exposed, mut untold, mut meant, mut open) = (Vec::new(), Vec::new(), 0, None);
    let mut cited: Vec<Cite> = Vec::new();
    for grant in facts.access.can(&vault.id, Capability::ReadPrivateKey) {
        let is_of_one = || certificates.iter().any(|one| one.name.eq_ignore_ascii_case(grant.object.name()));
        if grant.answer == Answer::Denied || (grant.object != vault.id && !is_of_one()) {
            continue;
        }
        let Who::Known(person) = people.who(&grant.principal_id) else { continue };
        if !person.kind.is_non_human() {
            continue;
        }
        cited.extend(grant.paths.iter().flat_map(|path| facts.access.evidence(&vault.id, path)));
        match verdict(registered, person, &grant) {
            Verdict::Meant(from) => {
                cited.push(from);
                meant += 1;
            }
            Verdict::Exposed(from) => {
                cited.push(from);
                exposed.push(format!("`{}`", person.name));
            }
            Verdict::Untold => untold.push(format!("`{}`", person.name)),
            Verdict::Open(why) => open = open.or(Some(why)),
        }
    }
    let on = on.citing(&cited);
    if !exposed.is_empty() {
        return on.fail(format!(
            "registered to read secrets and no private keys, and may read those of the certificates {names}: {}",
            listed(exposed)
        ));
    }
    if let Some(open) = open.or_else(|| unread(facts, vault, MATTERS)).or_else(|| missing.as_ref().map(as_open)) {
        return on.open(&open);
    }
    if !untold.is_empty() {
        return on.manual(format!(
            "may read the private keys of the certificates {names} as secrets, and no register says whether that is \
             meant, so a person must: {}",
            listed(untold)
        ));
    }
    let on = on.citing(&asked);
    match meant {
        0 => on.pass(format!("no non-human identity may read the private keys of the certificates {names}")),
        _ => on.pass(format!("each of those who may read the private keys of {names} is registered to: {meant}")),
    }
}

/// What one identity's access to private keys means.
enum Verdict {
    Meant(Cite),
    Exposed(Cite),
    Untold,
    Open(Open),
}

fn verdict(registered: Option<&Registered<'_>>, person: &Person, grant: &Grant) -> Verdict {
    let Some((may, row)) = registered.and_then(|registered| registered.may(&person.id)) else { return Verdict::Untold };
    if may.contains(&Capability::ReadPrivateKey) {
        return Verdict::Meant(row.from.clone());
    }
    match grant.paths.iter().find(|path| path.answer == Answer::NotDetermined) {
        Some(path) if grant.answer == Answer::NotDetermined => Verdict::Open(open_of(path)),
        _ => Verdict::Exposed(row.from.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::check::roles::testing::{ADA, APP, GROUP, ada, holding};
    use crate::check::testing::{
        SECRETS_USER, SUB, about_name, base, findings_declared, findings_of, list, only, vault_id, vault_json,
    };
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const FILE: &str = "registers/identities.toml";

    /// The workload reads the secrets of `kv`, which lists these certificates.
    fn with(certificates: &[&str]) -> CaptureBuilder {
        let item = |name: &&str| json!({"id": format!("https://kv.vault.azure.net/certificates/{name}"), "attributes": {"enabled": true}});
        holding(&[(&vault_id("kv"), SECRETS_USER, APP)], &json!({})).answer(
            Kind::VaultDataCertificates,
            &vault_id("kv"),
            list(certificates.iter().map(item)),
        )
    }

    fn registered(may: &str) -> Finding {
        let row = format!("[[identity]]\nidentity = \"{APP}\"\nowner = \"o\"\npurpose = \"p\"\n{may}\n");
        only(&findings_declared(&CHECK, with(&["tls"]), &[(FILE, &row)])).clone()
    }

    #[test]
    fn an_identity_that_is_meant_to_read_keys_passes_and_one_that_is_not_fails() {
        assert_eq!(registered("may = [\"read_secret\", \"read_private_key\"]").outcome(), Outcome::Pass);
        let exposed = registered("may = [\"read_secret\"]");
        assert_eq!(exposed.outcome(), Outcome::Fail);
        assert!(exposed.because().contains("certificates `tls`: `app`"), "{}", exposed.because());
    }

    #[test]
    fn without_a_row_it_awaits_a_person() {
        assert_eq!(registered("").outcome(), Outcome::Manual);
        let finding = only(&findings_of(&CHECK, with(&["tls"]))).clone();
        assert_eq!(finding.outcome(), Outcome::Manual);
        assert!(finding.because().ends_with("so a person must: `app`"), "{}", finding.because());
    }

    #[test]
    fn nobody_passes_and_a_person_is_not_asked_about_here() {
        let person = ada(holding(&[(SUB, SECRETS_USER, GROUP), (SUB, SECRETS_USER, ADA)], &json!({})));
        let item = json!({"id": "https://kv.vault.azure.net/certificates/tls", "attributes": {"enabled": true}});
        let builder = person.answer(Kind::VaultDataCertificates, &vault_id("kv"), list([item]));
        assert_eq!(only(&findings_of(&CHECK, builder)).outcome(), Outcome::Pass);
    }

    #[test]
    fn certificates_that_nobody_asked_for_await_a_person_and_a_refusal_is_not_evaluated() {
        let unasked = holding(&[(&vault_id("kv"), SECRETS_USER, APP)], &json!({}));
        assert_eq!(only(&findings_of(&CHECK, unasked)).outcome(), Outcome::Manual);
        let refused = with(&[]).denied(Kind::VaultDataCertificates, &vault_id("kv"));
        assert_eq!(only(&findings_of(&CHECK, refused)).reason(), Some(Reason::Forbidden));
        for (kind, scope) in [(Kind::RoleAssignments, "/"), (Kind::RoleDefinitions, SUB)] {
            let findings = findings_of(&CHECK, with(&["tls"]).denied(kind, scope));
            assert_eq!(only(&findings).reason(), Some(Reason::Forbidden), "{kind:?}");
        }
    }

    #[test]
    fn a_vault_whose_name_begins_alike_keeps_its_certificates_to_itself() {
        let item = json!({"id": "https://kv-2.vault.azure.net/certificates/tls", "attributes": {"enabled": true}});
        let vaults = ["kv", "kv-2"].map(|name| vault_json(name, &json!({})));
        let builder = with(&["web"]).replace(Kind::Vaults, SUB, list(vaults)).answer(
            Kind::VaultDataCertificates,
            &vault_id("kv-2"),
            list([item]),
        );
        let findings = findings_of(&CHECK, builder);
        assert!(about_name(&findings, "kv").because().contains("certificates `web`"), "{findings:#?}");
        assert!(about_name(&findings, "kv-2").because().contains("certificates `tls`"), "{findings:#?}");
    }

    #[test]
    fn no_certificate_and_no_vault_are_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, with(&[]))).outcome(), Outcome::NotApplicable);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
