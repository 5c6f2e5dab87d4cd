//! FED-004: a trust accepts tokens that were made for this exchange alone.

use super::federation::Trust;
use super::{Check, Facts, Finding, Nature, Severity, population};
use crate::evidence::{Kind, Reason};

pub(super) const CHECK: Check = Check {
    id: "FED-004",
    title: "The audience of each federated credential is the standard one of the cloud",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "Every federated credential of user-assigned identities and app registrations: whether its audiences are exactly \
           the one that the cloud offers for exchanging tokens, `api://AzureADTokenExchange` in the public cloud. A token \
           that was made for another service must not open this one.",
    blind_to: "Which audience a cloud of one's own offers, where nothing is concluded; whether the issuer gives tokens with \
               that audience to others as well.",
    fix: "`az identity federated-credential update … --audiences api://AzureADTokenExchange`, for an app registration `az \
          ad app federated-credential update`; Bicep `audiences`, Terraform `audience` and `audiences`. The pipeline must \
          ask for a token with the same audience.",
    needs: &[
        population(Kind::UserAssignedIdentities),
        population(Kind::FederatedCredentials),
        population(Kind::Applications),
        population(Kind::ApplicationFederatedCredentials),
    ],
    run,
};

/// The audience of each cloud (learn.microsoft.com/entra/workload-id/workload-identity-federation).
const AUDIENCES: &[(&str, &str)] = &[
    ("public", "api://AzureADTokenExchange"),
    ("usgov", "api://AzureADTokenExchangeUSGov"),
    ("usgov_dod", "api://AzureADTokenExchangeUSGov"),
    ("china", "api://AzureADTokenExchangeChina"),
];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let standard = AUDIENCES.iter().find(|(cloud, _)| *cloud == facts.tenant.cloud).map(|(_, audience)| *audience);
    Trust::all(facts).iter().map(|trust| judge(trust, standard)).collect()
}

fn judge(trust: &Trust<'_>, standard: Option<&str>) -> Finding {
    let (on, audiences) = (trust.about(), &trust.credential.audiences);
    let Some(standard) = standard else {
        return on.not_evaluated(Reason::ValueUnknown, "which audience this cloud offers is not known");
    };
    // audiences are compared with their case, as the service compares them
    match audiences.iter().find(|audience| *audience != standard) {
        Some(other) => on.fail(format!("it accepts tokens for `{other}`, and not for `{standard}` alone")),
        None if audiences.is_empty() => on.not_evaluated(Reason::ValueUnknown, "its audiences are not told"),
        None => on.pass(format!("it accepts tokens for `{standard}` alone")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::federation::testing::{nobody, trusting};
    use super::super::testing::{findings_of, only};
    use super::super::{Finding, Outcome};
    use super::*;

    fn judged(audiences: &Value) -> Vec<Finding> {
        let findings = findings_of(&CHECK, trusting(&json!({"audiences": audiences})));
        assert_eq!(findings.len(), 2, "{findings:?}");
        findings
    }

    #[test]
    fn the_standard_audience_alone_passes() {
        let is = |audiences: Value, outcome: Outcome| judged(&audiences).iter().all(|one| one.outcome() == outcome);
        assert!(is(json!(["api://AzureADTokenExchange"]), Outcome::Pass));
        assert!(is(json!(["https://github.com/contoso"]), Outcome::Fail));
        assert!(is(json!(["api://AzureADTokenExchange", "api://other"]), Outcome::Fail));
        assert!(is(json!(["api://AzureADTokenExchangeUSGov"]), Outcome::Fail), "of another cloud");
    }

    #[test]
    fn audiences_that_are_not_told_are_not_evaluated() {
        assert!(judged(&json!([])).iter().all(|one| one.reason() == Some(Reason::ValueUnknown)));
    }

    #[test]
    fn unread_trusts_are_not_evaluated_and_none_not_applicable() {
        let unread = findings_of(&CHECK, nobody().denied(Kind::Applications, "directory"));
        assert!(unread.iter().any(|one| one.reason() == Some(Reason::Forbidden)), "{unread:?}");
        assert_eq!(only(&findings_of(&CHECK, nobody())).outcome(), Outcome::NotApplicable);
    }
}
