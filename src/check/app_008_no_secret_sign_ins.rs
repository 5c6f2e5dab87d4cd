//! APP-008: nobody signed in with a client secret in the period.

use std::collections::{BTreeMap, BTreeSet};

use super::applications::{about_service_principal, has_own_credentials};
use super::callers::shown;
use super::finding::About;
use super::log_reach::{SERVICE_PRINCIPALS, directory_shows};
use super::logs::not_over;
use super::people::counted;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population};
use crate::access::Open;
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{CredentialKind, Id, SignInKind, SignIns};

pub(super) const CHECK: Check = Check {
    id: "APP-008",
    title: "No sign-in with a client secret in the period",
    severity: Severity::High,
    nature: Nature::Operating,
    asks: "Sign-ins of service principals over the period, each with the sort of credential (`ClientCredentialType`) or, \
           where that is not told, with the id of the key, which is looked up among the secrets and certificates that the \
           directory lists. One with a client secret that did not fail is an exception. None at all counts only where the \
           log was exported and read whole over the period.",
    blind_to: "Secrets that were tried and refused, which are told but are no sign-in; an id of a key that was removed \
               since; sign-ins that the directory does not log, such as with a token that still lasted; personal accounts. \
               Microsoft's own applications are left out.",
    fix: "Let the application sign in with a managed identity or a federated credential and remove the secret (APP-001). \
          Export the log: portal, Entra ID → Diagnostic settings → ServicePrincipalSignInLogs; Terraform \
          `azurerm_monitor_aad_diagnostic_setting`; Bicep `microsoft.aadiam/diagnosticSettings`; it needs Entra ID P1.",
    needs: &[
        population(Kind::ServicePrincipals),
        judged(Kind::Applications),
        judged(Kind::DirectoryExports),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        judged(Kind::LogContinuity),
        judged(Kind::ServicePrincipalSignIns),
        judged(Kind::ServicePrincipalSignInsCount),
    ],
    run,
};

/// Sign-ins of one service principal, in order of day.
type Own<'a> = Vec<&'a SignIns>;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let directory = &facts.tenant.directory;
    let in_period =
        facts.tenant.logs.sign_ins.iter().filter(|one| {
            one.kind == SignInKind::ServicePrincipal && facts.period.contains(one.first.unwrap_or(one.day))
        });
    let mut by_principal: BTreeMap<&str, Own<'_>> = BTreeMap::new();
    for one in in_period {
        let named = one.principal_id.as_deref().or(one.app_id.as_deref()).unwrap_or("nobody named");
        by_principal.entry(named).or_default().push(one);
    }
    let open = directory_shows(facts, &SERVICE_PRINCIPALS, &facts.period);
    let open = match not_over(facts) {
        Some(unfinished) => open.and(Err(unfinished)),
        None => open,
    };
    let keys = keys(facts);
    let mut findings = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for principal in &directory.service_principals {
        known.insert(&principal.id);
        let own = by_principal.get(principal.id.as_str()).map_or(&[][..], Vec::as_slice);
        if has_own_credentials(principal) {
            findings.push(judge(about_service_principal(principal), own, &keys, &open));
        }
    }
    // whoever signed in and is no longer listed
    for (id, own) in by_principal.iter().filter(|(id, _)| !known.contains(*id)) {
        let Some(first) = own.first() else { continue };
        let name = directory.deleted(id).and_then(|object| object.name.as_deref()).unwrap_or(id);
        findings.push(judge(about("service_principal", &Id::new(*id), name, &first.from), own, &keys, &open));
    }
    findings
}

/// Ids of keys, lower case, and what they are of.
fn keys(facts: &Facts<'_>) -> BTreeMap<String, CredentialKind> {
    let directory = &facts.tenant.directory;
    let of_applications = directory.applications.iter().flat_map(|one| &one.credentials);
    let all = of_applications.chain(directory.service_principals.iter().flat_map(|one| &one.credentials));
    all.filter_map(|one| Some((one.key_id.clone()?, one.kind))).collect()
}

fn judge(
    on: About,
    own: &[&SignIns],
    keys: &BTreeMap<String, CredentialKind>,
    log: &Result<Vec<Cite>, Open>,
) -> Finding {
    let used: Vec<&&SignIns> = own.iter().filter(|one| one.succeeded != Some(false)).collect();
    let by_secret: Vec<&&&SignIns> = used.iter().filter(|one| is_secret(one, keys) == Some(true)).collect();
    if let (Some(first), Some(last)) = (by_secret.first(), by_secret.last()) {
        let count: u64 = by_secret.iter().map(|one| one.count).sum();
        let when = match (shown(first.first.unwrap_or(first.day)), shown(last.last.unwrap_or(last.day))) {
            (from, to) if from == to => format!("at {from}"),
            (from, to) => format!("from {from} to {to}"),
        };
        let because = format!("{} with a client secret, {when}", counted_signs(count));
        return on.citing(by_secret.iter().map(|one| &one.from)).fail(because);
    }
    let on = on.citing(own.iter().map(|one| &one.from));
    if let Some(unknown) = used.iter().find(|one| is_secret(one, keys).is_none()) {
        let because = format!("with what it signed in on {} is not told", unknown.day.format("%Y-%m-%d"));
        return on.not_evaluated(Reason::ValueUnknown, because);
    }
    match log {
        Err(open) => on.open(open),
        Ok(evidence) => {
            let refused: u64 = own.iter().filter(|one| one.succeeded == Some(false)).map(|one| one.count).sum();
            let count: u64 = used.iter().map(|one| one.count).sum();
            let because = format!("{}, none with a client secret; {refused} refused", counted_signs(count));
            on.citing(evidence).pass(because)
        }
    }
}

fn counted_signs(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "sign-in")
}

/// Whether a sign-in was with a secret; none where that is not told.
fn is_secret(one: &SignIns, keys: &BTreeMap<String, CredentialKind>) -> Option<bool> {
    match one.credential_type.as_deref() {
        Some(told) if !told.is_empty() && !told.eq_ignore_ascii_case("none") => {
            return Some(told.eq_ignore_ascii_case("clientSecret"));
        }
        _ => {}
    }
    if one.federated_credential_id.as_deref().is_some_and(|id| !id.is_empty()) {
        return Some(false);
    }
    let key = one.credential_key_id.as_deref().filter(|id| !id.is_empty())?;
    Some(*keys.get(key)? == CredentialKind::Secret)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::applications::testing::{
        PRINCIPAL, application_json, credential_json, principal_json, registered,
    };
    use super::super::log_reach::testing::{Held, exported, sign_in};
    use super::super::logs::testing::WORKSPACE;
    use super::super::testing::{about_name, base, findings_of, list, only};
    use super::super::{Finding, Outcome};
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    fn tenant(sign_ins: &[Value]) -> CaptureBuilder {
        let secret = credential_json("one", "2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
        let certificate = credential_json("two", "2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
        let patch = json!({"passwordCredentials": [secret], "keyCredentials": [certificate]});
        let builder = registered(&[application_json(&patch)], &[principal_json(&json!({}))]);
        exported(builder, &Held { service_principals: sign_ins.to_vec(), ..Held::default() })
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    fn by_key(key: &str) -> Value {
        let mut one = sign_in("2026-08-31", PRINCIPAL, "");
        one["CredentialKeyId"] = json!(key);
        one
    }

    #[test]
    fn none_and_other_credentials_pass() {
        assert_eq!(judged(tenant(&[])).because(), "0 sign-ins, none with a client secret; 0 refused");
        for credential in ["clientAssertion", "federatedIdentityCredential", "certificate"] {
            assert_eq!(judged(tenant(&[sign_in("2026-08-31", PRINCIPAL, credential)])).outcome(), Outcome::Pass);
        }
        assert_eq!(judged(tenant(&[by_key("TWO-key")])).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_sign_in_with_a_secret_fails_by_its_sort_or_by_its_key() {
        let seen = judged(tenant(&[sign_in("2026-07-31", PRINCIPAL, "ClientSecret"), by_key("one-KEY")]));
        let because = "2 sign-ins with a client secret, from 2026-07-31T08:00:00Z to 2026-08-31T08:00:00Z";
        assert_eq!((seen.outcome(), seen.because()), (Outcome::Fail, because));
    }

    #[test]
    fn a_refused_one_is_no_sign_in_and_one_of_an_unknown_key_is_open() {
        let mut refused = sign_in("2026-08-31", PRINCIPAL, "clientSecret");
        refused["ResultType"] = json!("7000222");
        assert_eq!(judged(tenant(&[refused])).because(), "0 sign-ins, none with a client secret; 1 refused");
        assert_eq!(judged(tenant(&[by_key("removed")])).reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn one_that_is_no_longer_listed_is_told_too() {
        let gone = "eeeeeeee-0000-0000-0000-000000000001";
        let findings = findings_of(&CHECK, tenant(&[sign_in("2026-08-31", gone, "clientSecret")]));
        assert_eq!(about_name(&findings, gone).outcome(), Outcome::Fail);
        assert_eq!(about_name(&findings, "app").outcome(), Outcome::Pass);
    }

    #[test]
    fn without_the_whole_log_nothing_passes_and_what_was_seen_stays() {
        for (kind, scope) in [(Kind::ServicePrincipalSignIns, WORKSPACE), (Kind::DirectoryExports, "tenant")] {
            assert_eq!(judged(tenant(&[]).denied(kind, scope)).reason(), Some(Reason::Forbidden), "{kind:?}");
        }
        let nowhere = tenant(&[]).replace(Kind::DirectoryExports, "tenant", list([]));
        assert_eq!(judged(nowhere).reason(), Some(Reason::NotFound));
        let quiet =
            exported(registered(&[], &[principal_json(&json!({}))]), &Held { heard: vec![], ..Held::default() });
        assert_eq!(judged(quiet).reason(), Some(Reason::RetentionTooShort));
        let seen = tenant(&[sign_in("2026-08-31", PRINCIPAL, "clientSecret")]).denied(Kind::DirectoryExports, "tenant");
        assert_eq!(judged(seen).outcome(), Outcome::Fail);
    }

    #[test]
    fn nobody_who_could_is_not_applicable_and_an_unread_list_not_evaluated() {
        assert_eq!(judged(registered(&[], &[])).outcome(), Outcome::NotApplicable);
        assert_eq!(judged(base()).reason(), Some(Reason::NotAsked));
    }
}
