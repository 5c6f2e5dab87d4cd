//! Azure itself, over HTTPS.
//!
//! Tokens come from the identity library with its own pipeline; our questions go out through the same HTTP client
//! directly. A pipeline would wait and repeat as well, and that is the door's work: a replay must go the same way
//! as Azure, attempts must be counted for the evidence, and a wait of minutes must not end the run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use thiserror::Error;
use url::Url;

use super::clouds::is_safe;
use super::credential::{SignIn, on_azure_machine};
use super::error::one_line;
use super::http::{Network, Way, client, failure, read_bounded};
use super::{
    Answer, Api, Ask, Clock, Cloud, CredentialError, CredentialKind, CredentialSettings, Method, TokenFacts, Transport,
    TransportError,
};

/// A token is not used in its last five minutes.
const MARGIN: i64 = 300;

/// How to reach Azure.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// How to sign in.
    pub credential: CredentialSettings,
    /// Proxy and trusted roots.
    pub network: Network,
    /// Longest answer that is read, in bytes after decompression.
    pub longest_answer: usize,
    /// How long one answer may take.
    pub patience: Patience,
}

/// How long one answer may take, from the request to its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// A log query may run for ten minutes.
    pub log_analytics: Duration,
    /// Resource Manager gives its providers one.
    pub others: Duration,
    /// Between two pieces of an answer that has begun.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        let seconds = Duration::from_secs;
        Patience { log_analytics: seconds(660), others: seconds(180), silence: seconds(60) }
    }
}

impl Patience {
    fn with(self, api: Api) -> Duration {
        match api {
            Api::LogAnalytics => self.log_analytics,
            Api::ResourceManager | Api::Graph | Api::KeyVault => self.others,
        }
    }
}

impl Default for LiveSettings {
    fn default() -> LiveSettings {
        let credential = CredentialSettings::default();
        let (network, patience) = (Network::default(), Patience::default());
        LiveSettings { credential, network, longest_answer: 256 << 20, patience }
    }
}

/// Azure cannot be reached with these settings.
#[derive(Debug, Error)]
pub enum LiveError {
    /// No credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// None of several credentials can sign in.
    #[error("none of the credentials can sign in\n{}", .0.iter().map(PassedOver::to_string).collect::<Vec<_>>().join("\n"))]
    NoneSignsIn(Vec<PassedOver>),
    /// No client.
    #[error(transparent)]
    Client(#[from] TransportError),
}

/// A credential that could not sign in, where the next one was tried.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {why}", .kind.name())]
pub struct PassedOver {
    /// Which.
    pub kind: CredentialKind,
    /// Why.
    pub why: String,
}

/// A token in use.
#[derive(Clone)]
struct Held {
    token: AccessToken,
    /// 1 for the first of its scope, and so on.
    number: u32,
}

/// Azure, asked with one identity.
pub struct Live {
    client: reqwest::Client,
    cloud: Cloud,
    settings: LiveSettings,
    sign_in: SignIn,
    kind: CredentialKind,
    passed_over: Vec<PassedOver>,
    credential: Arc<dyn TokenCredential>,
    /// By scope. Held while a token is fetched, so that `az` is not started eight times at once.
    tokens: tokio::sync::Mutex<BTreeMap<String, Held>>,
    facts: Mutex<Option<TokenFacts>>,
}

impl Live {
    /// Settles on a credential: one alone is used as it is, and no token is fetched yet; of several, the first that
    /// gets a token for Resource Manager is used for the whole run.
    pub async fn connect(cloud: Cloud, settings: LiveSettings, clock: Arc<dyn Clock>) -> Result<Live, LiveError> {
        let client = client(Way::Outward(&settings.network))?;
        let sign_in = SignIn { authority: cloud.authority().clone(), network: settings.network.clone(), clock };
        let order: Vec<CredentialKind> = settings.credential.order().collect();
        let mut passed_over = Vec::new();
        for first in &order {
            let kind = settings.credential.settle(*first).await;
            let built = settings.credential.build(kind, &sign_in);
            if order.len() == 1 {
                return Ok(Live::with(client, cloud, settings, sign_in, kind, built?));
            }
            let failed = match built {
                Err(error) => one_line(&error),
                Ok(_) if is_elsewhere(kind, &settings.credential).await => "this is no machine of Azure's".to_owned(),
                Ok(credential) => {
                    let live =
                        Live::with(client.clone(), cloud.clone(), settings.clone(), sign_in.clone(), kind, credential);
                    match live.sign_in().await {
                        Ok(_) => return Ok(Live { passed_over, ..live }),
                        Err(error) => error.to_string(),
                    }
                }
            };
            passed_over.push(PassedOver { kind, why: failed });
        }
        Err(LiveError::NoneSignsIn(passed_over))
    }

    fn with(
        client: reqwest::Client,
        cloud: Cloud,
        settings: LiveSettings,
        sign_in: SignIn,
        kind: CredentialKind,
        credential: Arc<dyn TokenCredential>,
    ) -> Live {
        let (tokens, facts, passed_over) = (tokio::sync::Mutex::default(), Mutex::new(None), Vec::new());
        Live { client, cloud, settings, sign_in, kind, passed_over, credential, tokens, facts }
    }

    /// The credentials before the one in use that could not sign in.
    pub fn passed_over(&self) -> &[PassedOver] {
        &self.passed_over
    }

    /// Fetches a token for Resource Manager, to learn before the first question that and as whom we can sign in.
    pub async fn sign_in(&self) -> Result<TokenFacts, TransportError> {
        let held = self.token(Api::ResourceManager, None).await?;
        Ok(TokenFacts::read(self.kind.name(), held.token.token.secret()))
    }

    /// The token for an API. One that is about to expire or that was refused is replaced; of several that come with
    /// the same refused one, the first fetches another and the others find it here.
    async fn token(&self, api: Api, refused: Option<u32>) -> Result<Held, TransportError> {
        let scope = self.cloud.scope(api);
        let mut tokens = self.tokens.lock().await;
        let held = tokens.get(scope);
        let is_refused = held.is_some_and(|held| refused == Some(held.number));
        let good_until = self.sign_in.clock.now().timestamp() + MARGIN;
        let is_good = |held: &&Held| !is_refused && held.token.expires_on.unix_timestamp() > good_until;
        if let Some(held) = held.filter(is_good) {
            return Ok(held.clone());
        }
        let number = held.map_or(0, |held| held.number) + 1;
        // credentials keep tokens too; a new one has none yet
        let rebuilt = is_refused.then(|| self.settings.credential.build(self.kind, &self.sign_in)).transpose();
        let rebuilt = rebuilt.map_err(|error| TransportError::Token(one_line(&error)))?;
        let credential = rebuilt.as_ref().unwrap_or(&self.credential);
        let token = credential.get_token(&[scope], None).await;
        let token = token.map_err(|error| TransportError::Token(one_line(&error)))?;
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        // only tokens for Resource Manager name the managed identity
        if facts.is_none() || api == Api::ResourceManager {
            *facts = Some(TokenFacts::read(self.kind.name(), token.token.secret()));
        }
        let held = Held { token, number };
        tokens.insert(scope.to_owned(), held.clone());
        Ok(held)
    }

    /// The door has looked already; a token is worth a second look.
    fn own_url(&self, ask: &Ask) -> Result<Url, TransportError> {
        let url = Url::parse(&ask.url).ok().filter(|url| self.cloud.is_own_url(ask.api, url));
        let url = url.ok_or_else(|| TransportError::Unsendable("the URL is not on the configured host".to_owned()))?;
        if !is_safe(&url) {
            return Err(TransportError::Unsendable("no token is sent over plain http".to_owned()));
        }
        Ok(url)
    }
}

#[async_trait]
impl Transport for Live {
    async fn send(&self, ask: &Ask, refused: Option<u32>) -> Result<Answer, TransportError> {
        let url = self.own_url(ask)?;
        let Held { token, number } = self.token(ask.api, refused).await?;
        let method = match ask.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.token.secret()))
            .map_err(|_| TransportError::Token("it holds a character that no header can carry".to_owned()))?;
        bearer.set_sensitive(true);
        let mut request = self.client.request(method, url).timeout(self.settings.patience.with(ask.api));
        request = request.header(AUTHORIZATION, bearer).header(ACCEPT, "application/json");
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = &ask.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let response = request.send().await.map_err(failure)?;
        let status = response.status().as_u16();
        let headers = headers(response.headers());
        let body = read_bounded(response, self.settings.longest_answer, self.settings.patience.silence).await?;
        Ok(Answer { status, headers, body, token: number })
    }

    fn token_facts(&self) -> Option<TokenFacts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn credential(&self) -> String {
        self.kind.name().to_owned()
    }
}

/// A managed identity is asked for again and again, for a minute or longer. Where others are to follow, a short look
/// tells whether that is worth it.
async fn is_elsewhere(kind: CredentialKind, settings: &CredentialSettings) -> bool {
    kind == CredentialKind::ManagedIdentity && !settings.names_managed_identity() && !on_azure_machine().await
}

/// Lower-case names, values of the same name joined; cookies are nobody's evidence.
fn headers(received: &HeaderMap) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in received.iter().filter(|(name, _)| *name != "set-cookie") {
        let value = String::from_utf8_lossy(value.as_bytes());
        let joined = headers.entry(name.as_str().to_owned()).or_default();
        if !joined.is_empty() {
            joined.push_str(", ");
        }
        joined.push_str(&value);
    }
    headers
}

#[cfg(test)]
mod tests;
