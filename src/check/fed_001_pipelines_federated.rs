//! FED-001: pipelines sign in by federation alone.

use std::collections::BTreeSet;

use super::applications::{about_application, is_unexpired, named, signing_in};
use super::finding::About;
use super::people::and_more;
use super::registers::{Known, of_rows};
use super::{Check, Facts, Finding, Nature, Severity, about, population};
use crate::declared::{IdentityName, Pipeline, Register, Row};
use crate::evidence::{Kind, Reason};
use crate::model::{Application, Credential, FederatedCredential, Id, ServicePrincipal, UserAssignedIdentity};

pub(super) const CHECK: Check = Check {
    id: "FED-001",
    title: "Principals of pipelines are federated only",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Every principal of `registers/pipelines.toml`: whether it trusts a federated credential, whether that is of the \
           issuer and the subjects that its row names, and whether it has no secret and no certificate. What is tagged \
           `ci`, or trusts the issuer of a CI/CD system, and is not in the register is an exception. Without the register \
           whatever looks like a pipeline awaits a person.",
    blind_to: "Pipelines that sign in as something that is neither registered nor looks like one, such as a person's \
               account or a managed identity of a build agent, which needs no credential; secrets in the CI/CD system.",
    fix: "`az ad app federated-credential create --id APP_ID --parameters @FILE` or `az identity federated-credential create`, \
          let the pipeline use it, then `az ad app credential delete --id APP_ID --key-id KEY_ID`. Terraform: \
          `azuread_application_federated_identity_credential`, `azurerm_federated_identity_credential`; Bicep: \
          `Microsoft.Graph/applications/federatedIdentityCredentials`, \
          `Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials`.",
    needs: &[
        population(Kind::Applications),
        population(Kind::ApplicationFederatedCredentials),
        population(Kind::UserAssignedIdentities),
        population(Kind::FederatedCredentials),
        population(Kind::ServicePrincipals),
    ],
    run,
};

/// Tags by which a principal is said to be a pipeline's.
const TAGS: &[&str] = &["ci", "cd", "cicd", "ci/cd", "ci-cd", "pipeline"];
/// Hosts of issuers that are CI/CD systems.
const SYSTEMS: &[&str] =
    &["token.actions.githubusercontent.com", "vstoken.dev.azure.com", "gitlab.com", "app.terraform.io"];

/// Something that a pipeline may sign in as.
enum Holder<'a> {
    Application(&'a Application, Option<&'a ServicePrincipal>),
    Identity(&'a UserAssignedIdentity),
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let holders = holders(facts);
    let Some(register) = &facts.declared.registers.pipelines else {
        let pipelines = holders.iter().filter(|holder| holder.looks_like_one(facts));
        return pipelines.map(|holder| unregistered(facts, holder)).collect();
    };
    let mut findings: Vec<Finding> = Vec::new();
    let mut registered: BTreeSet<usize> = BTreeSet::new();
    for row in register.in_force(facts.tenant.collected_at) {
        for (place, holder) in holders.iter().enumerate().filter(|(_, holder)| holder.is(&row.says.principal)) {
            if registered.insert(place) {
                findings.push(judge(facts, holder, row));
            }
        }
    }
    let others = holders
        .iter()
        .enumerate()
        .filter(|(place, holder)| !registered.contains(place) && holder.looks_like_one(facts));
    findings.extend(others.map(|(_, holder)| {
        let because = "it looks like a pipeline's, and no row in force of `registers/pipelines.toml` names it";
        holder.about(facts).citing([&register.from]).fail(because)
    }));
    findings.extend(rows(facts, register, &holders));
    findings
}

/// Every application and every user-assigned identity.
fn holders<'a>(facts: &Facts<'a>) -> Vec<Holder<'a>> {
    let directory = &facts.tenant.directory;
    let applications = directory.applications.iter().map(|application| {
        let principal = directory.service_principals.iter();
        let principal = principal.filter(|one| one.app_id.as_deref() == Some(application.app_id.as_str())).next();
        Holder::Application(application, principal)
    });
    applications.chain(facts.tenant.user_assigned.iter().map(Holder::Identity)).collect()
}

impl<'a> Holder<'a> {
    fn about(&self, facts: &Facts<'_>) -> About {
        let on = match self {
            Holder::Application(application, _) => about_application(application),
            Holder::Identity(identity) => about("managed_identity", &identity.id, &identity.name, &identity.from),
        };
        on.citing(self.trusts(facts).iter().map(|trust| &trust.from))
            .citing(self.credentials().iter().map(|credential| &credential.from))
    }

    fn is(&self, name: &IdentityName) -> bool {
        let same = |id: Option<&str>, object: &str| id.is_some_and(|id| id.eq_ignore_ascii_case(object));
        match (self, name) {
            (Holder::Identity(identity), IdentityName::Resource(id)) => identity.id == *id,
            (Holder::Identity(identity), IdentityName::Object(object)) => {
                same(identity.principal_id.as_deref(), object) || same(identity.client_id.as_deref(), object)
            }
            (Holder::Application(application, principal), IdentityName::Object(object)) => {
                same(Some(&application.id), object)
                    || same(Some(&application.app_id), object)
                    || same(principal.map(|one| one.id.as_str()), object)
            }
            (Holder::Application(..), IdentityName::Resource(_)) => false,
        }
    }

    fn trusts<'b>(&self, facts: &Facts<'b>) -> Vec<&'b FederatedCredential> {
        let (all, own) = match self {
            Holder::Application(application, _) => (&facts.tenant.directory.federated, application.scope()),
            Holder::Identity(identity) => (&facts.tenant.federated, identity.id.clone()),
        };
        all.iter().filter(|credential| credential.identity == own).collect()
    }

    /// Secrets and certificates, on the registration and on the service principal.
    fn credentials(&self) -> Vec<&'a Credential> {
        let Holder::Application(application, principal) = self else { return Vec::new() };
        let own = principal.into_iter().flat_map(|one| &one.credentials);
        signing_in(&application.credentials).chain(own.filter(|one| !one.signs_tokens)).collect()
    }

    fn tells_credentials(&self) -> bool {
        match self {
            Holder::Application(application, principal) => {
                application.tells_credentials && principal.is_none_or(|one| one.tells_credentials)
            }
            Holder::Identity(_) => true,
        }
    }

    fn looks_like_one(&self, facts: &Facts<'_>) -> bool {
        let is_tagged = match self {
            Holder::Application(application, principal) => {
                let tags = application.tags.iter().chain(principal.into_iter().flat_map(|one| &one.tags));
                tags.into_iter().any(|tag| TAGS.contains(&tag.as_str()))
            }
            Holder::Identity(_) => false,
        };
        let is_system = |trust: &&FederatedCredential| {
            let issuer = trust.issuer.as_deref().unwrap_or_default().trim_start_matches("https://");
            SYSTEMS.iter().any(|system| issuer.split('/').next().is_some_and(|host| host.eq_ignore_ascii_case(system)))
        };
        is_tagged || self.trusts(facts).iter().any(is_system)
    }
}

fn unregistered(facts: &Facts<'_>, holder: &Holder<'_>) -> Finding {
    let (trusts, credentials) = (holder.trusts(facts).len(), holder.credentials().len());
    holder.about(facts).manual(format!(
        "it looks like a pipeline's: federated credentials: {trusts}, secrets and certificates: {credentials}; there is \
         no register of pipelines, so a person must say what it is"
    ))
}

fn judge(facts: &Facts<'_>, holder: &Holder<'_>, row: &Row<Pipeline>) -> Finding {
    let on = holder.about(facts).citing([&row.from]);
    let live: Vec<&Credential> = holder
        .credentials()
        .into_iter()
        .filter(|credential| is_unexpired(credential, facts.tenant.collected_at))
        .collect();
    if let Some(first) = live.first() {
        return on.fail(format!("it has {} beside federation", and_more(&named(first), live.len())));
    }
    let trusts = holder.trusts(facts);
    if let Some(other) = trusts.iter().find_map(|trust| differs(trust, &row.says)) {
        return on.fail(format!("{other}, which the row at `{}` does not name", row.place()));
    }
    // unread lists leave open whether there is one; of a pass and a fail alike
    let own = match holder {
        Holder::Application(application, _) => (Kind::ApplicationFederatedCredentials, application.scope()),
        Holder::Identity(identity) => (Kind::FederatedCredentials, identity.id.clone()),
    };
    if let Some(missing) = facts.missing(&[super::own(own.0)], &own.1) {
        return on.missing(&missing);
    }
    if trusts.is_empty() {
        return on.fail("it trusts no federated credential");
    }
    if !holder.tells_credentials() {
        return on.not_evaluated(Reason::ValueUnknown, "the directory did not tell its credentials");
    }
    on.pass(format!("federated credentials: {}, as its row says; neither secret nor certificate", trusts.len()))
}

/// What of a trust is not in the row, where the row says anything of it.
fn differs(trust: &FederatedCredential, row: &Pipeline) -> Option<String> {
    let issuer = trust.issuer.as_deref().unwrap_or("an issuer that is not told");
    if row.issuer.as_ref().is_some_and(|named| named.as_str().trim_end_matches('/') != issuer.trim_end_matches('/')) {
        return Some(format!("it trusts the issuer `{issuer}`"));
    }
    let subject = trust.subject.as_deref().unwrap_or("an expression that is not told");
    let is_named = row.subjects.is_empty() || row.subjects.iter().any(|named| named.as_str() == subject);
    (!is_named).then(|| format!("it trusts the subject `{subject}`"))
}

/// Rows that ended, and rows that name nothing that is there.
fn rows(facts: &Facts<'_>, register: &Register<Pipeline>, holders: &[Holder<'_>]) -> Vec<Finding> {
    let lists = [Kind::Applications, Kind::ServicePrincipals, Kind::UserAssignedIdentities].map(super::whole);
    let known = |row: &Pipeline| {
        let shown = row.principal.shown();
        match holders.iter().any(|holder| holder.is(&row.principal)) {
            true => Known::Matches,
            false => facts
                .missing(&lists, &Id::new(shown))
                .map_or_else(|| Known::Unknown(format!("nothing that was read is `{shown}`")), Known::NotTold),
        }
    };
    of_rows(facts, register, |row| row.principal.shown().to_owned(), |row| known(&row.says))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Outcome;
    use super::super::applications::testing::{APP, APP_ID, application_json, credential_json, registered};
    use super::super::federation::testing::{nobody, trusting};
    use super::super::testing::{about_name, findings_declared, findings_of, identity_id, list, only};
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    const SUBJECT: &str = "repo:contoso/ledger:environment:production";

    fn row(principal: &str, more: &str) -> String {
        format!("[[pipeline]]\nprincipal = \"{principal}\"\nowner = \"platform\"\nsystem = \"GitHub\"\n{more}\n")
    }

    fn both(more: &str) -> String {
        row(APP_ID, more) + &row(&identity_id("pipeline"), more)
    }

    fn judged(builder: CaptureBuilder, rows: &str) -> Vec<Finding> {
        findings_declared(&CHECK, builder, &[("registers/pipelines.toml", rows)])
    }

    fn with(patch: &Value) -> CaptureBuilder {
        trusting(&json!({})).replace(Kind::Applications, "directory", list([application_json(patch)]))
    }

    fn outcome(findings: &[Finding], name: &str) -> Outcome {
        about_name(findings, name).outcome()
    }

    #[test]
    fn registered_and_federated_passes() {
        for more in
            ["", &format!("issuer = \"https://token.actions.githubusercontent.com\"\nsubjects = [\"{SUBJECT}\"]")]
        {
            let findings = judged(trusting(&json!({})), &both(more));
            assert_eq!((outcome(&findings, "app"), outcome(&findings, "pipeline")), (Outcome::Pass, Outcome::Pass));
        }
        let by_object =
            judged(trusting(&json!({})), &(row(APP, "") + &row("aaaaaaaa-0000-0000-0000-000000000009", "")));
        assert_eq!((outcome(&by_object, "app"), outcome(&by_object, "pipeline")), (Outcome::Pass, Outcome::Pass));
    }

    #[test]
    fn a_secret_no_trust_or_another_one_fails() {
        let secret = credential_json("one", "2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
        let secret = judged(with(&json!({"passwordCredentials": [secret]})), &both(""));
        assert_eq!((outcome(&secret, "app"), outcome(&secret, "pipeline")), (Outcome::Fail, Outcome::Pass));
        let ended = credential_json("one", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z");
        assert_eq!(outcome(&judged(with(&json!({"keyCredentials": [ended]})), &both("")), "app"), Outcome::Pass);
        let none = judged(nobody(), &both(""));
        assert_eq!(about_name(&none, "pipeline").because(), "it trusts no federated credential");
        for more in ["issuer = \"https://gitlab.com\"", "subjects = [\"repo:contoso/ledger:environment:test\"]"] {
            assert_eq!(outcome(&judged(trusting(&json!({})), &both(more)), "app"), Outcome::Fail, "{more}");
        }
    }

    #[test]
    fn what_looks_like_one_and_is_not_registered_fails_and_a_row_for_nothing_too() {
        let findings = judged(trusting(&json!({})), &row(APP_ID, ""));
        assert_eq!((outcome(&findings, "app"), outcome(&findings, "pipeline")), (Outcome::Pass, Outcome::Fail));
        let gone = "eeeeeeee-0000-0000-0000-000000000001";
        let findings =
            judged(trusting(&json!({})).answer(Kind::ServicePrincipals, "directory", list([])), &row(gone, ""));
        assert_eq!(outcome(&findings, gone), Outcome::Fail);
    }

    #[test]
    fn without_the_register_whatever_looks_like_one_awaits_a_person() {
        let findings = findings_of(&CHECK, trusting(&json!({})));
        assert_eq!((outcome(&findings, "app"), outcome(&findings, "pipeline")), (Outcome::Manual, Outcome::Manual));
        let tagged = findings_of(&CHECK, registered(&[application_json(&json!({"tags": ["CI"]}))], &[]));
        assert_eq!(outcome(&tagged, "app"), Outcome::Manual);
        let aks = trusting(&json!({"issuer": "https://westeurope.oic.prod-aks.azure.com/t/c/"}));
        assert_eq!(only(&findings_of(&CHECK, aks)).outcome(), Outcome::NotApplicable);
    }

    #[test]
    fn unread_trusts_are_not_evaluated() {
        let unread = trusting(&json!({})).denied(Kind::FederatedCredentials, &identity_id("pipeline"));
        let findings = judged(unread, &both(""));
        assert_eq!(about_name(&findings, "pipeline").reason(), Some(Reason::Forbidden));
        let unread = findings_of(&CHECK, registered(&[], &[]).denied(Kind::Applications, "directory"));
        assert_eq!(only(&unread).outcome(), Outcome::NotEvaluated);
    }
}
