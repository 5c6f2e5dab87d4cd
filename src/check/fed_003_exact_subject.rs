//! FED-003: a trust names exactly one thing that may become the identity.

use super::federation::Trust;
use super::{Check, Facts, Finding, Nature, Severity, population};
use crate::evidence::{Kind, Reason};

pub(super) const CHECK: Check = Check {
    id: "FED-003",
    title: "The subject of each federated credential is exact",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Every federated credential of user-assigned identities and app registrations: whether its subject names one \
           environment of one repository, one service connection, one service account or one workspace. A wildcard, any \
           pull request, a whole repository and a whole organisation are exceptions. A branch or a tag awaits a person, \
           who must show that it is protected.",
    blind_to: "Whether a branch, a tag or an environment is protected, which only the issuer knows; who may write to the \
               repository; whether a repository that is named without its number was deleted and its name taken by \
               somebody else. A flexible credential has an expression in place of a subject, which version 1.0 of Graph \
               does not tell, so that nothing is concluded about it.",
    fix: "Name an environment and protect it with reviewers: `az identity federated-credential update --name NAME \
          --identity-name IDENTITY --resource-group GROUP --issuer ISSUER --subject \
          repo:ORG/REPO:environment:production`; for an app registration `az ad app federated-credential update`. Bicep: \
          `subject` of `Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials`; Terraform: \
          `azurerm_federated_identity_credential`, `azuread_application_federated_identity_credential`.",
    needs: &[
        population(Kind::UserAssignedIdentities),
        population(Kind::FederatedCredentials),
        population(Kind::Applications),
        population(Kind::ApplicationFederatedCredentials),
    ],
    run,
};

/// What a subject lets in.
enum Admits {
    /// One thing, named exactly.
    One,
    /// Whatever reaches a branch or tag, which must be protected there.
    Ref,
    /// More than one thing.
    More(&'static str),
    /// Nobody here knows what the issuer means by it.
    Unknown,
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    Trust::all(facts).iter().map(judge).collect()
}

fn judge(trust: &Trust<'_>) -> Finding {
    let (on, credential) = (trust.about(), trust.credential);
    let Some(subject) = credential.subject.as_deref().filter(|subject| !subject.is_empty()) else {
        let because = "it has no subject: a flexible credential, whose expression is not told";
        return on.not_evaluated(Reason::ValueUnknown, because);
    };
    let Some(issuer) = credential.issuer.as_deref() else {
        return on.not_evaluated(Reason::ValueUnknown, "its issuer is not told");
    };
    match admits(issuer, subject) {
        Admits::One => on.pass(format!("it admits `{subject}` alone")),
        Admits::Ref => on.manual(format!("it admits `{subject}`: show that the branch or tag is protected")),
        Admits::More(what) => on.fail(format!("it admits {what}: `{subject}`")),
        Admits::Unknown => {
            on.manual(format!("what `{issuer}` means by the subject `{subject}` must be told by a person"))
        }
    }
}

fn admits(issuer: &str, subject: &str) -> Admits {
    let host = issuer.trim_start_matches("https://").split('/').next().unwrap_or_default().to_lowercase();
    if subject.contains('*') || subject.contains('?') {
        return Admits::More("whatever fits a wildcard");
    }
    match host.as_str() {
        "token.actions.githubusercontent.com" => of_github(subject),
        "gitlab.com" => of_gitlab(subject),
        "app.terraform.io" => of_terraform(subject),
        "vstoken.dev.azure.com" => of_azure_devops(subject),
        // service connections of the newer kind, and managed identities that applications trust
        _ if is_entra(&host) => Admits::One,
        _ if host.ends_with(".ghe.com") => of_github(subject),
        _ if is_cluster(&host) => of_cluster(subject),
        _ => Admits::Unknown,
    }
}

fn is_entra(host: &str) -> bool {
    ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "sts.windows.net"]
        .contains(&host)
}

/// Issuers of Kubernetes clusters of Azure (`REGION.oic.prod-aks.azure.com`) and of Amazon.
fn is_cluster(host: &str) -> bool {
    host.contains(".oic.") && host.contains("aks.azure.") || host.starts_with("oidc.eks.")
}

/// `repo:ORG/REPO:environment:E`, `…:ref:refs/heads/B`, `…:pull_request`; since July 2026 also with the numbers of both,
/// `repo:ORG@1/REPO@2:…` (docs.github.com/actions, OpenID Connect reference).
fn of_github(subject: &str) -> Admits {
    let Some(rest) = subject.strip_prefix("repo:") else {
        let is_org = subject.starts_with("repository_owner");
        return if is_org { Admits::More("every repository of an organisation") } else { Admits::Unknown };
    };
    let (repository, context) = rest.split_once(':').unwrap_or((rest, ""));
    if !is_pair(repository) {
        return Admits::More("every repository of an organisation");
    }
    match context.split_once(':') {
        Some(("environment", name)) if !name.is_empty() => Admits::One,
        Some(("ref", name)) if !name.is_empty() => Admits::Ref,
        None if context == "pull_request" => Admits::More("any pull request"),
        _ if context.is_empty() => Admits::More("whatever runs in a repository"),
        _ => Admits::Unknown,
    }
}

/// `ORG/REPO`, both told.
fn is_pair(repository: &str) -> bool {
    repository.split_once('/').is_some_and(|(owner, name)| !owner.is_empty() && !name.is_empty())
}

/// `project_path:GROUP/PROJECT:ref_type:branch:ref:main` (docs.gitlab.com/ci/secrets/id_token_authentication).
fn of_gitlab(subject: &str) -> Admits {
    match subject.strip_prefix("project_path:").and_then(|rest| rest.split_once(":ref_type:")) {
        Some((project, reference)) if is_pair(project) && reference.contains(":ref:") => Admits::Ref,
        _ => Admits::Unknown,
    }
}

/// `organization:O:project:P:workspace:W:run_phase:plan` (developer.hashicorp.com/terraform, dynamic credentials).
fn of_terraform(subject: &str) -> Admits {
    let named = |part: &str| subject.contains(part);
    match (named(":workspace:"), named(":run_phase:")) {
        (true, true) => Admits::One,
        (false, _) => Admits::More("every workspace of a project"),
        (true, false) => Admits::Unknown,
    }
}

/// `sc://ORG/PROJECT/CONNECTION`.
fn of_azure_devops(subject: &str) -> Admits {
    let parts: Vec<&str> = subject.strip_prefix("sc://").unwrap_or_default().split('/').collect();
    if parts.len() == 3 && parts.iter().all(|part| !part.is_empty()) { Admits::One } else { Admits::Unknown }
}

/// `system:serviceaccount:NAMESPACE:NAME`.
fn of_cluster(subject: &str) -> Admits {
    let parts: Vec<&str> = subject.strip_prefix("system:serviceaccount:").unwrap_or_default().split(':').collect();
    if parts.len() == 2 && parts.iter().all(|part| !part.is_empty()) { Admits::One } else { Admits::Unknown }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Outcome;
    use super::super::federation::testing::{nobody, trusting};
    use super::super::testing::{SUB, about_name, findings_of, identity_id, only, outcomes};
    use super::*;

    /// The outcome of the identity's and the application's trust, which are the same.
    fn judged(patch: &Value) -> (Outcome, String) {
        let findings = findings_of(&CHECK, trusting(patch));
        let of_identity = about_name(&findings, "pipeline ← trust");
        let of_application = about_name(&findings, "app ← trust");
        assert_eq!(of_identity.outcome(), of_application.outcome());
        (of_identity.outcome(), of_identity.because().to_owned())
    }

    fn subject(subject: &str) -> Outcome {
        judged(&json!({"subject": subject})).0
    }

    #[test]
    fn one_environment_passes_and_a_branch_or_tag_awaits_a_person() {
        let (outcome, because) = judged(&json!({}));
        assert_eq!(because, "it admits `repo:contoso/ledger:environment:production` alone");
        assert_eq!(outcome, Outcome::Pass);
        assert_eq!(subject("repo:contoso@1/ledger@2:environment:production"), Outcome::Pass);
        assert_eq!(subject("repo:contoso/ledger:ref:refs/heads/main"), Outcome::Manual);
        assert_eq!(subject("repo:contoso/ledger:ref:refs/tags/v1"), Outcome::Manual);
    }

    #[test]
    fn pull_requests_wildcards_repositories_and_organisations_fail() {
        for wide in [
            "repo:contoso/ledger:pull_request",
            "repo:contoso/ledger:ref:refs/heads/*",
            "repo:contoso/*:environment:production",
            "repo:contoso/ledger",
            "repo:contoso",
            "repository_owner:contoso",
        ] {
            assert_eq!(subject(wide), Outcome::Fail, "{wide}");
        }
    }

    #[test]
    fn other_issuers_have_their_own_words() {
        let with = |issuer: &str, subject: &str| judged(&json!({"issuer": issuer, "subject": subject})).0;
        let aks = "https://westeurope.oic.prod-aks.azure.com/t/c/";
        assert_eq!(with(aks, "system:serviceaccount:shop:api"), Outcome::Pass);
        assert_eq!(with(aks, "system:serviceaccount:shop"), Outcome::Manual);
        assert_eq!(with("https://vstoken.dev.azure.com/o", "sc://org/project/connection"), Outcome::Pass);
        assert_eq!(with("https://login.microsoftonline.com/t/v2.0", "/eid1/c/pub/t/x/a/y/sc/o/c"), Outcome::Pass);
        assert_eq!(with("https://gitlab.com", "project_path:g/p:ref_type:branch:ref:main"), Outcome::Manual);
        let workspace = "organization:o:project:p:workspace:w:run_phase:apply";
        assert_eq!(with("https://app.terraform.io", workspace), Outcome::Pass);
        assert_eq!(with("https://app.terraform.io", "organization:o:project:p"), Outcome::Fail);
        assert_eq!(with("https://issuer.example", "whoever"), Outcome::Manual);
    }

    #[test]
    fn a_flexible_credential_is_not_evaluated() {
        let findings = findings_of(&CHECK, trusting(&json!({"subject": null})));
        assert!(findings.iter().all(|finding| finding.reason() == Some(Reason::ValueUnknown)), "{findings:?}");
    }

    #[test]
    fn unread_trusts_are_not_evaluated_and_none_not_applicable() {
        let unread = findings_of(&CHECK, nobody().denied(Kind::FederatedCredentials, &identity_id("pipeline")));
        assert_eq!(only(&unread).reason(), Some(Reason::Forbidden));
        let unread = findings_of(&CHECK, trusting(&json!({})).denied(Kind::UserAssignedIdentities, SUB));
        assert!(outcomes(&unread).contains(&Outcome::NotEvaluated));
        assert_eq!(only(&findings_of(&CHECK, nobody())).outcome(), Outcome::NotApplicable);
    }
}
