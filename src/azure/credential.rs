//! Which identity collects, and how it signs in.
//!
//! A credential is chosen in the configuration, or several in an order. `auto` decides by what the environment holds and
//! says what it took: an order of the program's own picks surprising identities, which is no good for evidence.
//! Nothing here reads the environment: `cli` hands its values in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::http::{AsyncRawResponse, ClientOptions, HttpClient, Request};
use azure_core::time::OffsetDateTime;
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzurePipelinesCredential, AzurePipelinesCredentialOptions,
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use super::arc::ArcCredential;
use super::certificate::CertificateAssertion;
use super::error::one_line;
use super::http::{Network, Way, client};
use super::token::TokenFacts;
use super::{Clock, TransportError};

/// How to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// One of the others, by what the environment holds.
    #[default]
    Auto,
    /// The managed identity of the machine or app.
    ManagedIdentity,
    /// A federated token file, as in Kubernetes.
    WorkloadIdentity,
    /// Whoever is signed in to the `az` command.
    AzureCli,
    /// The service connection of an Azure Pipelines job.
    AzurePipelines,
    /// A certificate file.
    ClientCertificate,
    /// A client secret.
    ClientSecret,
    /// A ready-made token.
    Token,
}

impl CredentialKind {
    /// The name as it is written in configuration and evidence.
    pub fn name(self) -> &'static str {
        match self {
            CredentialKind::Auto => "auto",
            CredentialKind::ManagedIdentity => "managed_identity",
            CredentialKind::WorkloadIdentity => "workload_identity",
            CredentialKind::AzureCli => "azure_cli",
            CredentialKind::AzurePipelines => "azure_pipelines",
            CredentialKind::ClientCertificate => "client_certificate",
            CredentialKind::ClientSecret => "client_secret",
            CredentialKind::Token => "token",
        }
    }
}

/// No credential.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CredentialError {
    /// Something that this credential needs was not given.
    #[error("the credential `{}` needs {what}", .kind.name())]
    Missing {
        /// Which credential.
        kind: CredentialKind,
        /// What is missing.
        what: &'static str,
    },
    /// The identity library refused it.
    #[error("the credential `{}` cannot be used: {why}", .kind.name())]
    Unusable {
        /// Which credential.
        kind: CredentialKind,
        /// Why.
        why: String,
    },
    /// The certificate file is not usable.
    #[error("the certificate file `{path}` cannot be used: {why}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There is no client to sign in with.
    #[error(transparent)]
    Client(#[from] TransportError),
}

/// Everything that signing in may need. Values of the environment are handed in, here and in `environment`.
#[derive(Clone, Default)]
pub struct CredentialSettings {
    /// How to sign in.
    pub kind: CredentialKind,
    /// What is tried after that, in this order, until one can sign in.
    pub otherwise: Vec<CredentialKind>,
    /// Entra tenant.
    pub tenant_id: Option<String>,
    /// Application id, or client id of a user-assigned identity.
    pub client_id: Option<String>,
    /// A ready-made token, from `TICKMARK_TOKEN`; used for every audience.
    pub token: Option<String>,
    /// From `AZURE_CLIENT_SECRET`.
    pub client_secret: Option<String>,
    /// PEM file with certificate and RSA key, from the configuration or `AZURE_CLIENT_CERTIFICATE_PATH`.
    pub certificate_file: Option<PathBuf>,
    /// Values of those of [`CredentialSettings::VARIABLES`] that are set.
    pub environment: BTreeMap<String, String>,
}

impl fmt::Debug for CredentialSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialSettings")
            .field("kind", &self.kind)
            .field("otherwise", &self.otherwise)
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .field("certificate_file", &self.certificate_file)
            .field("environment", &self.environment.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// What signing in needs besides its settings.
#[derive(Clone)]
pub(super) struct SignIn {
    pub(super) authority: Url,
    pub(super) network: Network,
    pub(super) clock: Arc<dyn Clock>,
}

impl CredentialSettings {
    /// The variables that `environment` may hold.
    pub const VARIABLES: &'static [&'static str] = &[
        "AZURE_CLIENT_ID",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_TENANT_ID",
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "IMDS_ENDPOINT",
        "MSI_ENDPOINT",
        "MSI_SECRET",
        "PROGRAMDATA",
        "SYSTEM_ACCESSTOKEN",
        "SYSTEM_OIDCREQUESTURI",
    ];

    /// What is tried, in order.
    pub fn order(&self) -> impl Iterator<Item = CredentialKind> {
        std::iter::once(self.kind).chain(self.otherwise.iter().copied())
    }

    /// What a kind stands for: itself, or for `auto` the first for which everything is at hand. None when only a look
    /// at the machine can tell a managed identity from someone's `az`.
    pub fn choose(&self, kind: CredentialKind) -> Option<CredentialKind> {
        if kind != CredentialKind::Auto {
            return Some(kind);
        }
        let set = |name: &str| self.variable(name).is_some();
        let client = self.client_id().is_some() && self.tenant_id().is_some();
        // what was given on purpose comes before what the platform offers
        if self.token.is_some() {
            Some(CredentialKind::Token)
        } else if client && self.client_secret.is_some() {
            Some(CredentialKind::ClientSecret)
        } else if client && self.certificate_file.is_some() {
            Some(CredentialKind::ClientCertificate)
        } else if set("IDENTITY_ENDPOINT") || (set("MSI_ENDPOINT") && set("MSI_SECRET")) {
            Some(CredentialKind::ManagedIdentity)
        } else if set("MSI_ENDPOINT") {
            // Cloud Shell, where `az` is signed in
            Some(CredentialKind::AzureCli)
        } else if client && set("AZURE_FEDERATED_TOKEN_FILE") {
            Some(CredentialKind::WorkloadIdentity)
        } else if client && ["SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN", CONNECTION].into_iter().all(set) {
            Some(CredentialKind::AzurePipelines)
        } else {
            None
        }
    }

    /// The same, after a look at the machine where that is needed.
    pub(super) async fn settle(&self, kind: CredentialKind) -> CredentialKind {
        match self.choose(kind) {
            Some(kind) => kind,
            None if on_azure_machine().await => CredentialKind::ManagedIdentity,
            None => CredentialKind::AzureCli,
        }
    }

    /// The credential of that kind. It has no token yet.
    pub(super) fn build(
        &self,
        kind: CredentialKind,
        sign_in: &SignIn,
    ) -> Result<Arc<dyn TokenCredential>, CredentialError> {
        let missing = |what| CredentialError::Missing { kind, what };
        let unusable = |error: azure_core::Error| CredentialError::Unusable { kind, why: one_line(&error) };
        let tenant_id = || self.tenant_id().ok_or(missing("a tenant id"));
        let client_id = || self.client_id().ok_or(missing("a client id"));
        let credential: Arc<dyn TokenCredential> = match kind {
            CredentialKind::Auto => return Err(missing("to be chosen first")),
            CredentialKind::Token => {
                let token = self.token.as_deref().filter(|token| !token.trim().is_empty());
                Arc::new(ReadyToken::new(token.ok_or(missing("a token in TICKMARK_TOKEN"))?.trim()))
            }
            CredentialKind::AzureCli => {
                let tenant_id = self.tenant_id();
                let options = AzureCliCredentialOptions { tenant_id, ..Default::default() };
                AzureCliCredential::new(Some(options)).map_err(unusable)?
            }
            CredentialKind::ManagedIdentity if self.is_arc() => {
                let endpoint = self.variable("IDENTITY_ENDPOINT").unwrap_or_default();
                let keys = ArcCredential::keys(self.variable("PROGRAMDATA"));
                Arc::new(ArcCredential::new(endpoint, self.client_id(), keys)?)
            }
            CredentialKind::ManagedIdentity => {
                let user_assigned_id = self.client_id().map(UserAssignedId::ClientId);
                // the address is on this machine or its host: no proxy reaches it
                let transport = Arc::new(client(Way::Direct)?);
                let client_options = with_transport(transport);
                let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options };
                ManagedIdentityCredential::new(Some(options)).map_err(unusable)?
            }
            CredentialKind::WorkloadIdentity => {
                let file = self.variable("AZURE_FEDERATED_TOKEN_FILE");
                let file = file.ok_or(missing("a token file in AZURE_FEDERATED_TOKEN_FILE"))?;
                let options = WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options: sign_in.options()? },
                    client_id: Some(client_id()?),
                    tenant_id: Some(tenant_id()?),
                    token_file_path: Some(PathBuf::from(file)),
                };
                WorkloadIdentityCredential::new(Some(options)).map_err(unusable)?
            }
            CredentialKind::AzurePipelines => {
                let connection = self.variable(CONNECTION);
                let connection = connection.ok_or(missing("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"))?;
                let access = self.variable("SYSTEM_ACCESSTOKEN");
                let access = access.ok_or(missing("SYSTEM_ACCESSTOKEN; map it into the step's environment"))?;
                let options = AzurePipelinesCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options: sign_in.options()? },
                };
                AzurePipelinesCredential::new(tenant_id()?, client_id()?, connection, access.to_owned(), Some(options))
                    .map_err(unusable)?
            }
            CredentialKind::ClientSecret => {
                let secret = self.client_secret.clone().ok_or(missing("a secret in AZURE_CLIENT_SECRET"))?;
                let options = ClientSecretCredentialOptions { client_options: sign_in.options()? };
                ClientSecretCredential::new(&tenant_id()?, client_id()?, Secret::new(secret), Some(options))
                    .map_err(unusable)?
            }
            CredentialKind::ClientCertificate => {
                let file = self.certificate_file.as_deref().ok_or(missing("a certificate file"))?;
                let (tenant_id, client_id) = (tenant_id()?, client_id()?);
                let authority = sign_in.authority.as_str().trim_end_matches('/');
                let token_url = format!("{authority}/{tenant_id}/oauth2/v2.0/token");
                let assertion = CertificateAssertion::open(file, &client_id, token_url, sign_in.clock.clone())?;
                let options = ClientAssertionCredentialOptions { client_options: sign_in.options()? };
                ClientAssertionCredential::new(tenant_id, client_id, assertion, Some(options)).map_err(unusable)?
            }
        };
        Ok(credential)
    }

    /// Whether a managed identity can be told from the environment; on a virtual machine only by asking.
    pub(super) fn names_managed_identity(&self) -> bool {
        self.variable("IDENTITY_ENDPOINT").is_some() || self.variable("MSI_ENDPOINT").is_some()
    }

    /// A server that Azure Arc connects has no header to prove itself with.
    fn is_arc(&self) -> bool {
        let set = |name| self.variable(name).is_some();
        set("IDENTITY_ENDPOINT") && set("IMDS_ENDPOINT") && !set("IDENTITY_HEADER")
    }

    fn tenant_id(&self) -> Option<String> {
        self.tenant_id.clone().or_else(|| self.variable("AZURE_TENANT_ID").map(str::to_owned))
    }

    fn client_id(&self) -> Option<String> {
        self.client_id.clone().or_else(|| self.variable("AZURE_CLIENT_ID").map(str::to_owned))
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

const CONNECTION: &str = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID";

impl SignIn {
    /// Options of the identity library: our client, our authority.
    fn options(&self) -> Result<ClientOptions, TransportError> {
        let inner = client(Way::Outward(&self.network))?;
        let mut seen = self.authority.clone();
        seen.set_path("");
        // the library insists on https; `Authority` puts the real scheme and base path back
        let _ = seen.set_scheme("https");
        let mut custom = CustomConfiguration::default();
        custom.authority_host = seen.to_string();
        let transport = Arc::new(Authority { inner, seen, real: self.authority.clone() });
        Ok(ClientOptions { cloud: Some(Arc::new(custom.into())), ..with_transport(transport) })
    }
}

fn with_transport(client: Arc<dyn HttpClient>) -> ClientOptions {
    ClientOptions { transport: Some(azure_core::http::Transport::new(client)), ..Default::default() }
}

/// Sends what is meant for the authority to where it really is.
#[derive(Debug)]
struct Authority {
    inner: reqwest::Client,
    seen: Url,
    real: Url,
}

#[async_trait]
impl HttpClient for Authority {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        if request.url().origin() != self.seen.origin() {
            return self.inner.execute_request(request).await;
        }
        let mut request = request.clone();
        let url = request.url_mut();
        let path = format!("{}{}", self.real.path().trim_end_matches('/'), url.path());
        url.set_path(&path);
        let _ = url.set_scheme(self.real.scheme());
        self.inner.execute_request(&request).await
    }
}

/// A token that was handed in, for every audience.
#[derive(Debug)]
struct ReadyToken(AccessToken);

impl ReadyToken {
    fn new(token: &str) -> ReadyToken {
        let expires_on = TokenFacts::read("token", token).expires_on;
        // without a date of its own the token is taken as good; the service decides anyway
        let seconds = expires_on.map_or(4_102_444_800, |time| time.timestamp());
        let expires_on = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        ReadyToken(AccessToken::new(token.to_owned(), expires_on))
    }
}

#[async_trait]
impl TokenCredential for ReadyToken {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        Ok(self.0.clone())
    }
}

/// Whether the metadata service of an Azure machine answers here, within a second.
pub(super) async fn on_azure_machine() -> bool {
    const METADATA: &str = "http://169.254.169.254/metadata/instance?api-version=2021-02-01";
    let Ok(client) = client(Way::Direct) else { return false };
    let request = client.get(METADATA).header("Metadata", "true").timeout(Duration::from_secs(1));
    request.send().await.is_ok_and(|response| response.status().is_success())
}

#[cfg(test)]
mod tests {
    use super::super::recording::StillClock;
    use super::*;

    fn settings(variables: &[&str]) -> CredentialSettings {
        let environment = variables.iter().map(|name| ((*name).to_owned(), "value".to_owned())).collect();
        CredentialSettings { environment, ..Default::default() }
    }

    fn sign_in() -> SignIn {
        SignIn {
            authority: Url::parse("https://login.microsoftonline.com").unwrap(),
            network: Network::default(),
            clock: Arc::new(StillClock("2026-10-02T09:00:00Z".parse().unwrap())),
        }
    }

    #[test]
    fn auto_takes_what_the_environment_holds() {
        use CredentialKind::{AzureCli, AzurePipelines, ManagedIdentity, WorkloadIdentity};
        let kubernetes = ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"];
        let table: [(&[&str], _); 8] = [
            (&[], None),
            (&["IDENTITY_ENDPOINT", "IDENTITY_HEADER"], Some(ManagedIdentity)),
            (&["MSI_ENDPOINT", "MSI_SECRET"], Some(ManagedIdentity)),
            (&["MSI_ENDPOINT"], Some(AzureCli)),
            (&kubernetes, Some(WorkloadIdentity)),
            (&["AZURE_FEDERATED_TOKEN_FILE"], None),
            (
                &["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN", CONNECTION],
                Some(AzurePipelines),
            ),
            (&["AZURE_CLIENT_ID", "AZURE_TENANT_ID"], None),
        ];
        for (variables, expected) in table {
            assert_eq!(settings(variables).choose(CredentialKind::Auto), expected, "{variables:?}");
        }
        let secret = Some("s".to_owned());
        let given = CredentialSettings { client_secret: secret.clone(), ..settings(&kubernetes) };
        assert_eq!(given.choose(CredentialKind::Auto), Some(CredentialKind::ClientSecret));
        let with_token = CredentialSettings { token: secret, ..given.clone() };
        assert_eq!(with_token.choose(CredentialKind::Auto), Some(CredentialKind::Token));
        assert_eq!(given.choose(AzureCli), Some(AzureCli));
    }

    #[test]
    fn names_are_those_of_the_configuration() {
        for (kind, name) in
            [(CredentialKind::AzureCli, "azure_cli"), (CredentialKind::ManagedIdentity, "managed_identity")]
        {
            assert_eq!(kind.name(), name);
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{name}\""));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let table = [
            (CredentialKind::Token, "the credential `token` needs a token in TICKMARK_TOKEN"),
            (CredentialKind::ClientSecret, "the credential `client_secret` needs a secret in AZURE_CLIENT_SECRET"),
            (CredentialKind::ClientCertificate, "the credential `client_certificate` needs a certificate file"),
            (
                CredentialKind::WorkloadIdentity,
                "the credential `workload_identity` needs a token file in AZURE_FEDERATED_TOKEN_FILE",
            ),
        ];
        for (kind, expected) in table {
            let error = CredentialSettings::default().build(kind, &sign_in()).err().unwrap();
            assert_eq!(error.to_string(), expected);
        }
        let secret = CredentialSettings { client_secret: Some("s".to_owned()), ..Default::default() };
        let error = secret.build(CredentialKind::ClientSecret, &sign_in()).err().unwrap();
        assert_eq!(error.to_string(), "the credential `client_secret` needs a tenant id");
        let error = CredentialSettings { tenant_id: Some("a/b".to_owned()), ..secret };
        let error = CredentialSettings { client_id: Some("c".to_owned()), ..error };
        let error = error.build(CredentialKind::ClientSecret, &sign_in()).err().unwrap();
        assert!(matches!(error, CredentialError::Unusable { .. }));
    }

    #[tokio::test]
    async fn a_ready_token_is_given_for_every_audience_and_never_printed() {
        let settings = CredentialSettings { token: Some(" hunter2\n".to_owned()), ..Default::default() };
        let credential = settings.build(CredentialKind::Token, &sign_in()).unwrap();
        let token = credential.get_token(&["https://graph.microsoft.com/.default"], None).await.unwrap();
        assert_eq!(token.token.secret(), "hunter2");
        let secret = CredentialSettings { client_secret: Some("hunter2".to_owned()), ..settings };
        let printed = format!("{secret:?} {credential:?} {token:?}");
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
