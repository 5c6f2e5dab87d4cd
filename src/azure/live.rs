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
use super::credential::SignIn;
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
    /// No client.
    #[error(transparent)]
    Client(#[from] TransportError),
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
    credential: Arc<dyn TokenCredential>,
    /// By scope. Held while a token is fetched, so that `az` is not started eight times at once.
    tokens: tokio::sync::Mutex<BTreeMap<String, Held>>,
    facts: Mutex<Option<TokenFacts>>,
}

impl Live {
    /// Settles on a credential. No token is fetched yet.
    pub async fn connect(cloud: Cloud, settings: LiveSettings, clock: Arc<dyn Clock>) -> Result<Live, LiveError> {
        let client = client(Way::Outward(&settings.network))?;
        let sign_in = SignIn { authority: cloud.authority().clone(), network: settings.network.clone(), clock };
        let kind = settings.credential.settle().await;
        let credential = settings.credential.build(kind, &sign_in)?;
        let (tokens, facts) = (tokio::sync::Mutex::default(), Mutex::new(None));
        Ok(Live { client, cloud, settings, sign_in, kind, credential, tokens, facts })
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
        let url = Url::parse(&ask.url).ok().filter(|_| self.cloud.is_own(ask.api, &ask.url));
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
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::extract::Path;
    use axum::http::{HeaderMap as Received, StatusCode, Uri};
    use axum::routing::{any, get, post};

    use super::super::Endpoints;
    use super::super::recording::StillClock;
    use super::*;

    /// A server on this machine that says back what it was asked.
    async fn echo() -> String {
        let echo = |uri: Uri, headers: Received, body: String| async move {
            let header = |name: &str| headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
            let said = format!("{uri}|{}|{}|{body}", header("authorization"), header("user-agent"));
            ([("X-Ms-Request-Id", "r-1"), ("Set-Cookie", "c=1")], said)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(echo))).await });
        address
    }

    async fn live(address: &str, longest_answer: usize) -> Live {
        let at = |path: &str| format!("{address}/{path}");
        let endpoints = Endpoints {
            authority: at("login"),
            resource_manager: at("arm"),
            graph: at("graph"),
            log_analytics: at("logs"),
            key_vault: None,
        };
        let token = Some("hunter2".to_owned());
        let credential = CredentialSettings { kind: CredentialKind::Token, token, ..Default::default() };
        let settings = LiveSettings { credential, longest_answer, ..Default::default() };
        let clock = Arc::new(StillClock("2026-10-02T09:00:00Z".parse().unwrap()));
        Live::connect(Cloud::custom(&endpoints).unwrap(), settings, clock).await.unwrap()
    }

    fn ask(url: String) -> Ask {
        Ask { api: Api::ResourceManager, method: Method::Get, url, headers: Vec::new(), body: None }
    }

    #[tokio::test]
    async fn a_question_goes_out_with_its_token_and_comes_back_without_cookies() {
        let live = live(&echo().await, 1000).await;
        assert_eq!(live.token_facts(), None);
        let url = live.cloud.url(Api::ResourceManager, "/subscriptions?api-version=1");
        let post = Ask { method: Method::Post, body: Some("{}".to_owned()), ..ask(url) };
        let answer = live.send(&post, None).await.unwrap();
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!("/arm/subscriptions?api-version=1|Bearer hunter2|tickmark/{version}|{{}}");
        assert_eq!((answer.status, String::from_utf8(answer.body.clone()).unwrap()), (200, expected));
        assert_eq!((answer.header("x-ms-request-id"), answer.header("set-cookie")), (Some("r-1"), None));
        assert_eq!(live.token_facts().unwrap().credential, "token");
        assert!(live.send(&post, Some(1)).await.is_ok());
    }

    #[tokio::test]
    async fn no_token_goes_elsewhere_and_no_answer_is_endless() {
        let address = echo().await;
        let own = live(&address, 10).await;
        let url = own.cloud.url(Api::ResourceManager, "/subscriptions");
        assert_eq!(own.send(&ask(url), None).await, Err(TransportError::TooLarge { limit: 10 }));
        let foreign = own.send(&ask("http://127.0.0.1:9/arm".to_owned()), None).await;
        assert!(matches!(foreign, Err(TransportError::Unsendable(_))));
    }

    /// Signs in at `/login` like Entra ID, giving `t-1`, `t-2`, …; refuses the tenant `closed`.
    async fn authority() -> String {
        let count = Arc::new(AtomicUsize::new(0));
        let sign_in = move |Path(tenant): Path<String>, form: String| async move {
            assert!(form.contains("client_secret=hunter2") && form.contains("grant_type=client_credentials"), "{form}");
            if tenant == "closed" {
                let said = r#"{"error_codes":[7000215],"error_description":"AADSTS7000215: Invalid\nclient secret."}"#;
                return (StatusCode::UNAUTHORIZED, said.to_owned());
            }
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            (StatusCode::OK, format!(r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"t-{number}"}}"#))
        };
        let bearer = |headers: Received| async move { headers["authorization"].to_str().unwrap().to_owned() };
        let router =
            Router::new().route("/login/{tenant}/oauth2/v2.0/token", post(sign_in)).route("/arm/whoami", get(bearer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    #[tokio::test]
    async fn signs_in_at_the_authority_once_and_again_when_a_fresh_token_is_wanted() {
        let mut live = live(&authority().await, 1000).await;
        let secret = |tenant: &str| CredentialSettings {
            kind: CredentialKind::ClientSecret,
            tenant_id: Some(tenant.to_owned()),
            client_id: Some("c".to_owned()),
            client_secret: Some("hunter2".to_owned()),
            ..Default::default()
        };
        live.settings.credential = secret("t");
        live.kind = CredentialKind::ClientSecret;
        live.credential = secret("t").build(live.kind, &live.sign_in).unwrap();
        // tokens of that server are good for an hour from the machine's own now
        live.sign_in.clock = Arc::new(StillClock("2020-01-01T00:00:00Z".parse().unwrap()));
        let whoami = ask(live.cloud.url(Api::ResourceManager, "/whoami"));
        let said = async |refused| {
            let answer = live.send(&whoami, refused).await.unwrap();
            (String::from_utf8(answer.body).unwrap(), answer.token)
        };
        let first = ("Bearer t-1".to_owned(), 1);
        let second = ("Bearer t-2".to_owned(), 2);
        assert_eq!([said(None).await, said(None).await], [first.clone(), first]);
        // several whose token was refused at the same time fetch one other token
        let refused = futures::future::join_all((0..20).map(|_| said(Some(1)))).await;
        assert!(refused.iter().all(|one| *one == second), "{refused:?}");
        assert_eq!(said(None).await, second);

        live.settings.credential = secret("closed");
        let refused = live.send(&whoami, Some(2)).await.unwrap_err().to_string();
        let expected = "no token: ClientSecretCredential authentication failed.";
        assert!(refused.starts_with(expected) && refused.contains("AADSTS7000215"), "{refused}");
    }

    #[tokio::test]
    async fn nobody_there_is_worth_repeating_and_the_error_names_no_url() {
        // bound and dropped: nobody listens there
        let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let live = live(&format!("http://127.0.0.1:{port}"), 1000).await;
        let url = live.cloud.url(Api::ResourceManager, "/subscriptions?$skiptoken=hidden");
        let error = live.send(&ask(url), None).await.unwrap_err();
        assert!(matches!(error, TransportError::Connect(_)));
        assert!(error.is_worth_repeating() && !error.to_string().contains("hidden"), "{error}");
    }
}
