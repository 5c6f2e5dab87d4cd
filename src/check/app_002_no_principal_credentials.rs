//! APP-002: service principals carry no credentials of their own.

use super::applications::{about_service_principal, has_own_credentials, named, signing_in};
use super::people::and_more;
use super::{Check, Facts, Finding, Nature, Severity, population};
use crate::evidence::{Kind, Reason};
use crate::model::{Credential, ServicePrincipal};

pub(super) const CHECK: Check = Check {
    id: "APP-002",
    title: "No secrets or certificates on service principals themselves",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Every service principal for secrets and certificates of its own, whether or not they have ended: whoever adds \
           one there signs in as the application, and the app registration does not show it. Left out are those of \
           Microsoft's own applications, managed identities, whose certificate is the platform's, and the certificates \
           that sign SAML tokens.",
    blind_to: "Credentials on the app registration, which APP-001 and APP-003 read; those of an application that another \
               tenant registered, in that tenant.",
    fix: "Remove it; the portal does not show it: `az ad sp credential delete --id OBJECT_ID --key-id KEY_ID` (for a \
          certificate with `--cert`), or in Terraform take away the `azuread_service_principal_password` or \
          `azuread_service_principal_certificate`.",
    needs: &[population(Kind::ServicePrincipals)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let principals = facts.tenant.directory.service_principals.iter();
    principals.filter(|principal| has_own_credentials(principal)).map(judge).collect()
}

fn judge(principal: &ServicePrincipal) -> Finding {
    let on = about_service_principal(principal);
    let own: Vec<&Credential> = signing_in(&principal.credentials).collect();
    if let Some(first) = own.first() {
        let on = on.citing(own.iter().map(|credential| &credential.from));
        return on.fail(format!("it has {} of its own", and_more(&named(first), own.len())));
    }
    if !principal.tells_credentials {
        return on.not_evaluated(Reason::ValueUnknown, "the directory did not tell its credentials");
    }
    match principal.credentials.is_empty() {
        true => on.pass("it has no credential of its own"),
        false => on.pass("it has no credential of its own but the certificate that signs its tokens"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::applications::testing::{credential_json, principal_json, registered};
    use super::super::testing::{about_name, findings_of, only};
    use super::super::{Finding, Outcome};
    use super::*;

    fn judged(patch: &Value) -> Finding {
        only(&findings_of(&CHECK, registered(&[], &[principal_json(patch)]))).clone()
    }

    #[test]
    fn none_passes_and_any_fails_even_one_that_ended() {
        assert_eq!(judged(&json!({})).outcome(), Outcome::Pass);
        for (list, end) in [("passwordCredentials", "2030-01-01T00:00:00Z"), ("keyCredentials", "2020-01-01T00:00:00Z")]
        {
            let patch = json!({list: [credential_json("own", "2019-01-01T00:00:00Z", end)]});
            assert_eq!(judged(&patch).outcome(), Outcome::Fail, "{list}");
        }
    }

    #[test]
    fn the_certificate_that_signs_tokens_is_none() {
        let mut signing = credential_json("sso", "2025-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
        signing["usage"] = json!("Sign");
        let password = credential_json("sso", "2025-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
        let both = json!({"keyCredentials": [signing], "passwordCredentials": [password]});
        let finding = judged(&both);
        assert_eq!((finding.outcome(), finding.because().contains("signs its tokens")), (Outcome::Pass, true));
    }

    #[test]
    fn those_of_microsoft_and_of_the_platform_are_left_out() {
        let certificate = json!([credential_json("c", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")]);
        for patch in [
            json!({"servicePrincipalType": "ManagedIdentity", "keyCredentials": certificate}),
            json!({"appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a", "keyCredentials": certificate}),
        ] {
            assert_eq!(judged(&patch).outcome(), Outcome::NotApplicable, "{patch}");
        }
        let foreign = json!({"appOwnerOrganizationId": "99999999-0000-0000-0000-000000000001"});
        assert_eq!(judged(&foreign).outcome(), Outcome::Pass);
    }

    #[test]
    fn what_was_not_told_is_not_evaluated() {
        let left_out = registered(&[], &[principal_json(&json!({"keyCredentials": null}))]);
        assert_eq!(about_name(&findings_of(&CHECK, left_out), "app").reason(), Some(Reason::ValueUnknown));
        let unread = registered(&[], &[]).denied(Kind::ServicePrincipals, "directory");
        assert_eq!(only(&findings_of(&CHECK, unread)).reason(), Some(Reason::Forbidden));
        assert_eq!(only(&findings_of(&CHECK, registered(&[], &[]))).outcome(), Outcome::NotApplicable);
    }
}
