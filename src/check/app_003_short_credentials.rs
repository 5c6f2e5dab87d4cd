//! APP-003: credentials that are allowed are short-lived, and gone when they have ended.

use chrono::{DateTime, Utc};

use super::applications::{
    about_application, about_service_principal, count_of, has_own_credentials, is_unexpired, named, signing_in,
};
use super::finding::About;
use super::people::and_more;
use super::{Check, Facts, Finding, Nature, Severity, population};
use crate::evidence::{Kind, Reason};
use crate::model::Credential;

pub(super) const CHECK: Check = Check {
    id: "APP-003",
    title: "Credentials of applications are short-lived and removed when they end",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "Every secret and certificate of app registrations and service principals: how long it is valid from its start \
           to its end (parameter `credential_days`), and whether it has ended and is still listed. Microsoft's own \
           applications, managed identities and certificates that sign tokens are left out.",
    blind_to: "How often a credential is really exchanged; federated credentials, which have no end; whether an ended one \
               was ever used.",
    fix: "Give a new one a short life (`az ad app credential reset --id APP_ID --append --end-date DATE`; Terraform \
          `end_date` of `azuread_application_password`), put it in place, and remove the old one with `az ad app \
          credential delete`. An app management policy (APP-004) keeps longer ones from being made.",
    needs: &[population(Kind::Applications), population(Kind::ServicePrincipals)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let directory = &facts.tenant.directory;
    let applications = directory.applications.iter().map(|one| (about_application(one), &one.credentials));
    let own = directory.service_principals.iter().filter(|one| has_own_credentials(one));
    let principals = own.map(|one| (about_service_principal(one), &one.credentials));
    let each = applications.chain(principals);
    each.filter_map(|(on, credentials)| judge(facts, on, &signing_in(credentials).collect::<Vec<_>>())).collect()
}

/// None for one without any credential: there is nothing to be short.
fn judge(facts: &Facts<'_>, on: About, credentials: &[&Credential]) -> Option<Finding> {
    if credentials.is_empty() {
        return None;
    }
    let limit = facts.parameters.credential_days;
    let on = on.citing(credentials.iter().map(|credential| &credential.from));
    let wrong: Vec<String> =
        credentials.iter().filter_map(|one| wrong(one, facts.tenant.collected_at, limit)).collect();
    if let Some(first) = wrong.first() {
        return Some(on.fail(and_more(first, wrong.len())));
    }
    if let Some(open) = credentials.iter().find(|one| one.start.is_none() || one.end.is_none()) {
        let because = format!("how long it is valid is not told: {}", named(open));
        return Some(on.not_evaluated(Reason::ValueUnknown, because));
    }
    Some(on.pass(format!("{}, none valid for more than {limit} days, none ended", count_of(credentials))))
}

/// What is wrong with one credential.
fn wrong(credential: &Credential, at: DateTime<Utc>, limit: i64) -> Option<String> {
    if !is_unexpired(credential, at) {
        return Some(format!("it still lists {}", named(credential)));
    }
    let life = credential.end? - credential.start?;
    // a part of a day beyond the limit is beyond it
    let is_long = life.num_seconds() > limit.saturating_mul(86_400);
    is_long.then(|| format!("{} is valid for {} days (limit {limit})", named(credential), life.num_days()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::applications::testing::{application_json, credential_json, principal_json, registered};
    use super::super::testing::{findings_of, only, outcomes};
    use super::super::{Finding, Outcome};
    use super::*;

    fn with(list: &str, start: &str, end: &str) -> Value {
        json!({list: [credential_json("one", start, end)]})
    }

    fn judged(patch: &Value) -> Finding {
        only(&findings_of(&CHECK, registered(&[application_json(patch)], &[]))).clone()
    }

    #[test]
    fn a_short_life_passes_and_a_longer_one_fails() {
        let at_limit = judged(&with("keyCredentials", "2026-06-01T00:00:00Z", "2026-11-28T00:00:00Z"));
        assert_eq!(at_limit.outcome(), Outcome::Pass, "180 days: {at_limit:?}");
        let beyond = judged(&with("keyCredentials", "2026-06-01T00:00:00Z", "2026-11-28T00:00:01Z"));
        assert_eq!(beyond.outcome(), Outcome::Fail);
        let secret = judged(&with("passwordCredentials", "2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z"));
        assert!(secret.because().ends_with("is valid for 730 days (limit 180)"), "{}", secret.because());
    }

    #[test]
    fn one_that_ended_and_is_still_listed_fails() {
        let ended = judged(&with("passwordCredentials", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"));
        assert_eq!(ended.because(), "it still lists client secret `one`, which ends on 2026-02-01");
        assert_eq!(ended.outcome(), Outcome::Fail);
    }

    #[test]
    fn a_date_that_is_not_told_leaves_it_open() {
        let endless = json!({"keyCredentials": [{"keyId": "k", "startDateTime": "2026-01-01T00:00:00Z"}]});
        assert_eq!(judged(&endless).reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn service_principals_are_judged_too_but_not_the_platforms_own() {
        let long = with("keyCredentials", "2021-05-01T00:00:00Z", "2031-05-01T00:00:00Z");
        let own = findings_of(&CHECK, registered(&[], &[principal_json(&long)]));
        assert_eq!(only(&own).outcome(), Outcome::Fail);
        let mut identity = long.clone();
        identity["servicePrincipalType"] = json!("ManagedIdentity");
        let platform = findings_of(&CHECK, registered(&[], &[principal_json(&identity)]));
        assert_eq!(only(&platform).outcome(), Outcome::NotApplicable);
    }

    #[test]
    fn no_credential_is_not_applicable_and_unread_lists_are_not_evaluated() {
        assert_eq!(judged(&json!({})).outcome(), Outcome::NotApplicable);
        let unread = registered(&[application_json(&json!({}))], &[]).denied(Kind::ServicePrincipals, "directory");
        assert_eq!(outcomes(&findings_of(&CHECK, unread)), [Outcome::NotEvaluated]);
    }
}
