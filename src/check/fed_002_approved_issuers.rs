//! FED-002: only approved issuers can say who becomes an identity.

use super::federation::Trust;
use super::registers::{Known, of_rows};
use super::{Check, Facts, Finding, Nature, Severity, population};
use crate::declared::{Issuer, Register};
use crate::evidence::{Kind, Reason};

pub(super) const CHECK: Check = Check {
    id: "FED-002",
    title: "Federated credentials trust approved issuers alone",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "The issuer of every federated credential of user-assigned identities and app registrations, held against \
           `registers/issuers.toml`. One that no row in force names is an exception. Without the register each trust \
           awaits a person.",
    blind_to: "Who stands behind an issuer, and whom it gives tokens to: an issuer that many organisations share, such as \
               that of GitHub, is told apart by the subject alone, which FED-003 reads.",
    fix: "Remove the trust: `az identity federated-credential delete --name NAME --identity-name IDENTITY --resource-group \
          GROUP`, `az ad app federated-credential delete --id APP_ID --federated-credential-id ID`; or have the issuer \
          approved and add it to `registers/issuers.toml`. For user-assigned identities an Azure Policy can allow issuers \
          (built in, in preview). Bicep: `issuer`; Terraform: `issuer`.",
    needs: &[
        population(Kind::UserAssignedIdentities),
        population(Kind::FederatedCredentials),
        population(Kind::Applications),
        population(Kind::ApplicationFederatedCredentials),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let trusts = Trust::all(facts);
    let register = facts.declared.registers.issuers.as_ref();
    let mut findings: Vec<Finding> = trusts.iter().map(|trust| judge(facts, register, trust)).collect();
    if let Some(register) = register {
        let known = |issuer: &Issuer| {
            let mut told = trusts.iter().filter_map(|trust| trust.credential.issuer.as_deref());
            match told.any(|trusted| allows(issuer.issuer.as_str(), trusted)) {
                true => Known::Matches,
                false => Known::Unused(format!("no federated credential trusts `{}`", issuer.issuer.as_str())),
            }
        };
        findings.extend(of_rows(facts, register, |row| row.issuer.as_str().to_owned(), |row| known(&row.says)));
    }
    findings
}

fn judge(facts: &Facts<'_>, register: Option<&Register<Issuer>>, trust: &Trust<'_>) -> Finding {
    let on = trust.about();
    let Some(issuer) = trust.credential.issuer.as_deref() else {
        return on.not_evaluated(Reason::ValueUnknown, "its issuer is not told");
    };
    let Some(register) = register else {
        return on
            .manual(format!("it trusts `{issuer}`; there is no register of issuers, so a person must approve it"));
    };
    let mut rows = register.in_force(facts.tenant.collected_at);
    match rows.find(|row| allows(row.says.issuer.as_str(), issuer)) {
        Some(row) => on.citing([&row.from]).pass(format!("the row at `{}` approves `{issuer}`", row.place())),
        None => on
            .citing([&register.from])
            .fail(format!("it trusts `{issuer}`, which no row in force of `registers/issuers.toml` approves")),
    }
}

/// Whether a row stands for an issuer: the same address, or one below it. Paths tell tenants apart, with their case.
fn allows(row: &str, issuer: &str) -> bool {
    match row.strip_suffix("/*") {
        Some(above) => issuer.strip_prefix(above).is_some_and(|rest| rest.starts_with('/') && rest.len() > 1),
        None => row.trim_end_matches('/') == issuer.trim_end_matches('/'),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Outcome;
    use super::super::federation::testing::{nobody, trusting};
    use super::super::testing::{about_name, findings_declared, findings_of, identity_id, only};
    use super::*;

    const GITHUB: &str =
        "[[issuer]]\nissuer = \"https://token.actions.githubusercontent.com\"\nreason = \"our pipelines\"\n";

    fn declared(rows: &str) -> Vec<Finding> {
        findings_declared(&CHECK, trusting(&json!({})), &[("registers/issuers.toml", rows)])
    }

    #[test]
    fn an_issuer_of_the_register_passes_and_another_fails() {
        assert!(declared(GITHUB).iter().all(|finding| finding.outcome() == Outcome::Pass));
        let other = declared("[[issuer]]\nissuer = \"https://gitlab.com\"\nreason = \"r\"\n");
        assert_eq!(about_name(&other, "app ← trust").outcome(), Outcome::Fail);
        assert_eq!(about_name(&other, "https://gitlab.com").outcome(), Outcome::Manual, "matches nothing");
    }

    #[test]
    fn a_row_that_ended_approves_nothing() {
        let ended = declared(&format!("{GITHUB}until = \"2026-09-30\"\n"));
        assert!(ended.iter().all(|finding| finding.outcome() == Outcome::Fail), "{ended:?}");
        assert_eq!(ended.len(), 3, "two trusts and the row");
    }

    #[test]
    fn a_row_may_stand_for_every_address_below_it() {
        assert!(allows("https://vstoken.dev.azure.com/*", "https://vstoken.dev.azure.com/org"));
        assert!(allows("https://sts.example/t/", "https://sts.example/t"));
        assert!(!allows("https://vstoken.dev.azure.com/*", "https://vstoken.dev.azure.com/"));
        assert!(!allows("https://vstoken.dev.azure.com/*", "https://vstoken.dev.azure.com.evil.example/org"));
        assert!(!allows("https://sts.example/T", "https://sts.example/t"), "another tenant");
    }

    #[test]
    fn without_the_register_each_trust_awaits_a_person() {
        let findings = findings_of(&CHECK, trusting(&json!({})));
        assert!(findings.iter().all(|finding| finding.outcome() == Outcome::Manual), "{findings:?}");
        let untold = findings_of(&CHECK, trusting(&json!({"issuer": null})));
        assert!(untold.iter().all(|finding| finding.reason() == Some(Reason::ValueUnknown)), "{untold:?}");
    }

    #[test]
    fn unread_trusts_are_not_evaluated_and_none_not_applicable() {
        let unread = findings_of(&CHECK, nobody().denied(Kind::FederatedCredentials, &identity_id("pipeline")));
        assert_eq!(only(&unread).reason(), Some(Reason::Forbidden));
        assert_eq!(only(&findings_of(&CHECK, nobody())).outcome(), Outcome::NotApplicable);
    }
}
