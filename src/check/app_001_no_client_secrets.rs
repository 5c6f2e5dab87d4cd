//! APP-001: applications do not sign in with a password of their own.

use super::applications::{about_application, count_of, is_unexpired, named, signing_in};
use super::people::and_more;
use super::{Check, Facts, Finding, Nature, Severity, population};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Application, Credential, CredentialKind};

pub(super) const CHECK: Check = Check {
    id: "APP-001",
    title: "No client secrets on app registrations",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Every app registration for client secrets (`passwordCredentials`) that have not ended, those that begin later \
           included. An empty list means none; a list that is left out says nothing. A secret that has ended cannot sign \
           in and is told with a pass; APP-003 wants it removed.",
    blind_to: "Secrets of applications that are registered in another tenant, and those on the service principal itself, \
               which APP-002 reads; where a secret is kept and who knows it; whether it is used, which APP-008 asks the log.",
    fix: "Let the application sign in with a managed identity or a federated credential, then remove the secret: portal, \
          Entra ID → App registrations → Certificates & secrets; `az ad app credential delete --id APP_ID --key-id KEY_ID`; \
          in Terraform take away the `azuread_application_password`; in Bicep (Microsoft Graph extension) the entry of \
          `passwordCredentials`.",
    needs: &[population(Kind::Applications)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.directory.applications.iter().map(|application| judge(facts, application)).collect()
}

fn judge(facts: &Facts<'_>, application: &Application) -> Finding {
    let on = about_application(application);
    let secrets = signing_in(&application.credentials).filter(|credential| credential.kind == CredentialKind::Secret);
    let (live, ended): (Vec<&Credential>, Vec<&Credential>) =
        secrets.partition(|secret| is_unexpired(secret, facts.tenant.collected_at));
    if let Some(first) = live.first() {
        let cites: Vec<&Cite> = live.iter().map(|secret| &secret.from).collect();
        return on.citing(cites).fail(format!("it has {}", and_more(&named(first), live.len())));
    }
    if !application.tells_credentials {
        return on.not_evaluated(Reason::ValueUnknown, "the directory did not tell its credentials");
    }
    if ended.is_empty() {
        return on.pass("it has no client secret");
    }
    on.pass(format!("it has no client secret that works; {} ended and is still listed", count_of(&ended)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::applications::testing::{application_json, credential_json, registered};
    use super::super::testing::{about_name, base, findings_of, list, only};
    use super::super::{Finding, Outcome};
    use super::*;

    fn judged(patch: &Value) -> Finding {
        only(&findings_of(&CHECK, registered(&[application_json(patch)], &[]))).clone()
    }

    fn secret(start: &str, end: &str) -> Value {
        json!({"passwordCredentials": [credential_json("one", start, end)]})
    }

    #[test]
    fn none_passes_and_a_certificate_is_no_secret() {
        assert_eq!(judged(&json!({})).because(), "it has no client secret");
        let certificate = credential_json("cert", "2026-06-01T00:00:00Z", "2026-12-01T00:00:00Z");
        assert_eq!(judged(&json!({"keyCredentials": [certificate]})).outcome(), Outcome::Pass);
    }

    #[test]
    fn one_that_works_or_will_work_fails_and_one_that_ended_does_not() {
        let works = judged(&secret("2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z"));
        assert_eq!(works.because(), "it has client secret `one`, which ends on 2028-01-01");
        assert_eq!(works.outcome(), Outcome::Fail);
        let later = judged(&secret("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"));
        assert_eq!(later.outcome(), Outcome::Fail);
        let ended = judged(&secret("2024-01-01T00:00:00Z", "2026-10-02T09:00:00Z"));
        assert_eq!((ended.outcome(), ended.because().contains("still listed")), (Outcome::Pass, true), "{ended:?}");
        let endless = json!({"passwordCredentials": [{"keyId": "k", "displayName": null}]});
        assert_eq!(judged(&endless).outcome(), Outcome::Fail, "an end that is not told is none");
    }

    #[test]
    fn a_list_that_is_left_out_is_not_an_empty_one() {
        let builder = registered(&[application_json(&json!({"passwordCredentials": null}))], &[]);
        assert_eq!(about_name(&findings_of(&CHECK, builder), "app").reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn an_unread_list_is_not_evaluated_and_an_empty_one_not_applicable() {
        let unread = findings_of(&CHECK, registered(&[], &[]).denied(Kind::Applications, "directory"));
        assert_eq!(only(&unread).reason(), Some(Reason::Forbidden));
        assert_eq!(only(&findings_of(&CHECK, base())).reason(), Some(Reason::NotAsked));
        assert_eq!(only(&findings_of(&CHECK, registered(&[], &[]))).outcome(), Outcome::NotApplicable);
        let cut = registered(&[], &[]).denied(Kind::Applications, "directory");
        let cut =
            cut.cut(Kind::Applications, "directory", vec![list([application_json(&json!({}))])], Reason::CutShort);
        assert_eq!(
            about_name(&findings_of(&CHECK, cut), "app").outcome(),
            Outcome::Pass,
            "one that was read is judged"
        );
    }
}
