//! What the checks of federation share: every trust in a token of another issuer, whoever trusts it.

use super::finding::About;
use super::{Facts, about};
use crate::evidence::Cite;
use crate::model::{FederatedCredential, Id};

/// A federated credential and who trusts it.
pub(super) struct Trust<'a> {
    /// What is trusted.
    pub credential: &'a FederatedCredential,
    /// The identity or application for a reader.
    holder: String,
    /// Whether a user-assigned identity trusts it; else an app registration.
    is_identity: bool,
    /// The record of the one who trusts it.
    from: Option<&'a Cite>,
}

impl<'a> Trust<'a> {
    /// Every one in the tenant, in order of who trusts it and name.
    pub fn all(facts: &Facts<'a>) -> Vec<Trust<'a>> {
        let tenant = facts.tenant;
        let of_identities = tenant.federated.iter().map(|credential| {
            let identity = tenant.user_assigned.iter().find(|one| one.id == credential.identity);
            Trust {
                credential,
                holder: identity.map_or(credential.identity.name(), |one| one.name.as_str()).to_owned(),
                is_identity: true,
                from: identity.map(|one| &one.from),
            }
        });
        let of_applications = tenant.directory.federated.iter().map(|credential| {
            let application = tenant.directory.applications.iter().find(|one| one.scope() == credential.identity);
            Trust {
                credential,
                holder: application.map_or(credential.identity.shown(), |one| one.name.as_str()).to_owned(),
                is_identity: false,
                from: application.map(|one| &one.from),
            }
        });
        of_identities.chain(of_applications).collect()
    }

    /// Begins a finding about it. The subject's id holds the one who trusts it.
    pub fn about(&self) -> About {
        let credential = self.credential;
        let id = match self.is_identity {
            true => Id::new(format!("{}/federatedIdentityCredentials/{}", credential.identity, credential.name)),
            false => {
                Id::new(format!("{}/federatedIdentityCredentials/{}", credential.identity.shown(), credential.name))
            }
        };
        let name = format!("{} ← {}", self.holder, credential.name);
        about("federated_credential", &id, &name, &credential.from).citing(self.from)
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! The identity `pipeline` and the application `app`, and what they trust.

    use serde_json::{Value, json};

    use super::super::applications::testing::{APP, application_json, registered};
    use super::super::testing::{SUB, identity_id, identity_json, list, patched};
    use crate::evidence::Kind;
    use crate::evidence::testing::CaptureBuilder;

    /// A trust in one environment of a repository.
    pub fn trust_json(patch: &Value) -> Value {
        let trust = json!({"issuer": "https://token.actions.githubusercontent.com",
            "subject": "repo:contoso/ledger:environment:production", "audiences": ["api://AzureADTokenExchange"]});
        patched(trust, patch)
    }

    /// Both trust the same.
    pub fn trusting(patch: &Value) -> CaptureBuilder {
        let id = format!("{}/federatedIdentityCredentials/trust", identity_id("pipeline"));
        let of_identity = json!({"id": id, "name": "trust", "properties": trust_json(patch)});
        let of_application = patched(json!({"id": "f", "name": "trust"}), &trust_json(patch));
        registered(&[application_json(&json!({}))], &[])
            .replace(
                Kind::UserAssignedIdentities,
                SUB,
                list([identity_json("pipeline", "aaaaaaaa-0000-0000-0000-000000000009", &json!({}))]),
            )
            .answer(Kind::FederatedCredentials, &identity_id("pipeline"), list([of_identity]))
            .replace(Kind::ApplicationFederatedCredentials, &format!("application:{APP}"), list([of_application]))
    }

    /// Nobody trusts anything, and everybody was asked.
    pub fn nobody() -> CaptureBuilder {
        trusting(&json!({})).replace(Kind::FederatedCredentials, &identity_id("pipeline"), list([])).replace(
            Kind::ApplicationFederatedCredentials,
            &format!("application:{APP}"),
            list([]),
        )
    }
}
