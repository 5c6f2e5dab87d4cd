//! The managed identity of a server that is connected by Azure Arc, which the identity library does not know.
//!
//! The agent on the machine names a file that only a privileged user may read; what it holds proves that we may, and
//! the agent gives a token for it. The agent's answer decides where a file is read and what is sent on, so the place
//! is held against the one that the agent's documentation names.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::time::OffsetDateTime;
use reqwest::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::TransportError;
use super::clouds::is_safe;
use super::error::plain;
use super::http::{Way, client, failure, read_bounded};

const API_VERSION: &str = "2020-06-01";
/// A key file is shorter than this: bytes.
const LONGEST_KEY: u64 = 4096;
/// A token answer is shorter than this: bytes.
const LONGEST_ANSWER: usize = 1 << 20;
const SILENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// The identity of an Arc server.
pub(super) struct ArcCredential {
    client: Client,
    endpoint: Url,
    client_id: Option<String>,
    /// The folder that the agent keeps its keys in.
    keys: PathBuf,
}

impl fmt::Debug for ArcCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArcCredential").field("endpoint", &self.endpoint.as_str()).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    /// Seconds since 1970, as text or as a number.
    expires_on: Value,
    client_id: Option<String>,
    resource: Option<String>,
}

impl ArcCredential {
    /// `endpoint` is `IDENTITY_ENDPOINT`; `keys` the folder of the agent's keys.
    pub(super) fn new(
        endpoint: &str,
        client_id: Option<String>,
        keys: PathBuf,
    ) -> Result<ArcCredential, TransportError> {
        let unsendable = |why: &str| TransportError::Unsendable(format!("the agent of Azure Arc {why}"));
        let endpoint = Url::parse(endpoint).map_err(|_| unsendable("has no valid address in IDENTITY_ENDPOINT"))?;
        if !is_safe(&endpoint) {
            return Err(unsendable("is not on this machine, as IDENTITY_ENDPOINT says"));
        }
        Ok(ArcCredential { client: client(Way::Direct)?, endpoint, client_id, keys })
    }

    /// Where the agent keeps its keys. `program_data` is the variable of Windows.
    pub(super) fn keys(program_data: Option<&str>) -> PathBuf {
        match program_data {
            Some(folder) if cfg!(windows) => Path::new(folder).join("AzureConnectedMachineAgent").join("Tokens"),
            _ => PathBuf::from("/var/opt/azcmagent/tokens"),
        }
    }

    async fn token(&self, scope: &str) -> Result<AccessToken, String> {
        let resource = scope.trim_end_matches("/.default");
        let mut url = self.endpoint.clone();
        url.query_pairs_mut().append_pair("api-version", API_VERSION).append_pair("resource", resource);
        if let Some(client_id) = &self.client_id {
            url.query_pairs_mut().append_pair("client_id", client_id);
        }
        let request = || self.client.get(url.clone()).header("Metadata", "true");
        let challenged = send(request()).await?;
        let challenge = challenged.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let place = challenge.and_then(|challenge| challenge.trim().strip_prefix("Basic realm="));
        let place = place.filter(|_| challenged.status().as_u16() == 401);
        let place = place.ok_or_else(|| format!("it names no key (HTTP {})", challenged.status().as_u16()))?;
        let key = read_key(&self.keys, Path::new(place.trim_matches('"')))?;
        let mut proof = HeaderValue::from_str(&format!("Basic {key}")).map_err(|_| "its key is no text")?;
        proof.set_sensitive(true);
        let answer = send(request().header(AUTHORIZATION, proof)).await?;
        let status = answer.status().as_u16();
        let body = read_bounded(answer, LONGEST_ANSWER, SILENCE).await.map_err(|error| error.to_string())?;
        if status != 200 {
            return Err(plain(&format!("it refuses (HTTP {status}): {}", String::from_utf8_lossy(&body))));
        }
        // the answer holds a token: what is wrong with it is not repeated
        let token: Token = serde_json::from_slice(&body).map_err(|_| "its answer is no token")?;
        self.accept(token, resource)
    }

    /// Older agents give the token of the machine whichever identity was asked for.
    fn accept(&self, token: Token, resource: &str) -> Result<AccessToken, String> {
        if let Some(wanted) = &self.client_id {
            let given = token.client_id.as_deref().unwrap_or("none");
            if !given.eq_ignore_ascii_case(wanted) {
                return Err(plain(&format!("it gives a token of the client `{given}` and not of `{wanted}`")));
            }
        }
        let is_other = |given: &String| given.trim_end_matches('/') != resource.trim_end_matches('/');
        if let Some(given) = token.resource.filter(is_other) {
            return Err(plain(&format!("it gives a token for `{given}` and not for `{resource}`")));
        }
        let seconds = match &token.expires_on {
            Value::String(text) => text.parse().ok(),
            other => other.as_i64(),
        };
        let expires_on = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        let expires_on = expires_on.ok_or("its answer does not say until when the token is good")?;
        Ok(AccessToken::new(token.access_token, expires_on))
    }
}

async fn send(request: RequestBuilder) -> Result<Response, String> {
    request.send().await.map_err(|error| failure(error).to_string())
}

/// The content of a key file, which must be a plain, short file right in the folder of keys.
fn read_key(keys: &Path, file: &Path) -> Result<String, String> {
    let refuse = |why: &str| Err(format!("it names the file `{}`, which {why}", file.display()));
    if file.parent() != Some(keys) || file.extension().is_none_or(|ending| ending != "key") {
        return refuse("is none of its keys");
    }
    let unreadable = |error: std::io::Error| {
        format!("its key `{}` cannot be read: {error}; run as root or as a member of the group `himds`", file.display())
    };
    let about = std::fs::symlink_metadata(file).map_err(unreadable)?;
    if !about.is_file() || about.len() > LONGEST_KEY {
        return refuse("is no key");
    }
    let mut key = String::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    opened.take(LONGEST_KEY).read_to_string(&mut key).map_err(unreadable)?;
    Ok(key)
}

#[async_trait]
impl TokenCredential for ArcCredential {
    async fn get_token(
        &self,
        scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let scope = scopes.first().copied().unwrap_or_default();
        let failed = |why| {
            let why = format!("the agent of Azure Arc gives no token: {why}");
            azure_core::Error::with_message(ErrorKind::Credential, why)
        };
        self.token(scope).await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use axum::Router;
    use axum::extract::State;
    use axum::http::{HeaderMap, StatusCode, Uri};
    use axum::response::{IntoResponse, Response as Answer};
    use axum::routing::get;
    use serde_json::json;

    use super::*;

    /// The agent: names its key, and gives a token of `client` for it.
    #[derive(Clone)]
    struct Agent {
        key: PathBuf,
        client: &'static str,
    }

    async fn agent(State(agent): State<Agent>, uri: Uri, headers: HeaderMap) -> Answer {
        let url = Url::parse("http://localhost").and_then(|url| url.join(&uri.to_string())).unwrap();
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!((headers["metadata"].to_str().unwrap(), query["api-version"].as_str()), ("true", "2020-06-01"));
        match headers.get("authorization").map(|value| value.to_str().unwrap()) {
            None => {
                let challenge = format!("Basic realm={}", agent.key.display());
                (StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)]).into_response()
            }
            Some("Basic hunter2") => axum::Json(json!({
                "access_token": "t-1", "expires_on": "1790935200", "client_id": agent.client,
                "resource": query["resource"], "token_type": "Bearer",
            }))
            .into_response(),
            Some(_) => (StatusCode::FORBIDDEN, "no").into_response(),
        }
    }

    async fn credential(keys: &Path, agent_says: Agent, client_id: Option<&str>) -> ArcCredential {
        let router = Router::new().route("/token", get(agent)).with_state(agent_says);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/token", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        ArcCredential::new(&endpoint, client_id.map(str::to_owned), keys.to_owned()).unwrap()
    }

    const SCOPE: &str = "https://management.azure.com/.default";

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("0123.key");
        std::fs::write(&key, "hunter2").unwrap();
        (folder, key)
    }

    #[tokio::test]
    async fn the_key_that_the_agent_names_is_sent_back_for_a_token() {
        let (folder, key) = folder();
        let credential = credential(folder.path(), Agent { key, client: "c-1" }, Some("C-1")).await;
        let token = credential.get_token(&[SCOPE], None).await.unwrap();
        assert_eq!((token.token.secret(), token.expires_on.unix_timestamp()), ("t-1", 1_790_935_200));
    }

    #[tokio::test]
    async fn a_token_of_another_identity_is_not_taken() {
        let (folder, key) = folder();
        let credential = credential(folder.path(), Agent { key, client: "machine" }, Some("c-1")).await;
        let error = credential.get_token(&[SCOPE], None).await.unwrap_err().to_string();
        assert!(error.ends_with("it gives a token of the client `machine` and not of `c-1`"), "{error}");
    }

    #[tokio::test]
    async fn no_other_file_is_read_and_sent() {
        let (folder, _) = folder();
        let keys = folder.path().join("keys");
        std::fs::create_dir(&keys).unwrap();
        std::fs::write(keys.join("long.key"), "x".repeat(5000)).unwrap();
        std::fs::write(keys.join("other.txt"), "hunter2").unwrap();
        std::fs::create_dir(keys.join("folder.key")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path().join("0123.key"), keys.join("link.key")).unwrap();
        for name in ["long.key", "other.txt", "folder.key", "link.key", "../0123.key", "absent.key", "x/../long.key"] {
            let credential = credential(&keys, Agent { key: keys.join(name), client: "c" }, None).await;
            let error = credential.get_token(&[SCOPE], None).await.unwrap_err().to_string();
            assert!(error.contains("which is no") || error.contains("cannot be read"), "{name}: {error}");
        }
    }

    #[test]
    fn an_agent_is_on_this_machine() {
        for endpoint in ["http://10.0.0.1:40342/token", "agent"] {
            let refused = ArcCredential::new(endpoint, None, PathBuf::new()).unwrap_err().to_string();
            assert!(refused.contains("IDENTITY_ENDPOINT"), "{refused}");
        }
    }
}
