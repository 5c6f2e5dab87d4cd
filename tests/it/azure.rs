//! Azure on this machine: a recording behind a loopback server, with a place to sign in, tokens that run out and
//! services that ask for patience.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tickmark::azure::Recording;

use super::harness::as_recorded;
use super::replay::Tenant;

/// Path on this server, and the host of the public cloud that it stands for.
const SERVICES: [(&str, &str); 3] = [
    ("/arm", "https://management.azure.com"),
    ("/graph", "https://graph.microsoft.com"),
    ("/logs", "https://api.loganalytics.azure.com"),
];

/// What the server does beside answering.
#[derive(Clone, Default)]
pub struct Moods {
    /// The first token that was issued is refused after so many requests.
    pub first_token_ends_after: Option<usize>,
    /// The first request whose URL holds this is answered with 429 and `Retry-After: 2`.
    pub throttles_once: Option<&'static str>,
    /// The first request whose URL holds this is answered with 503.
    pub fails_once: Option<&'static str>,
    /// Requests whose URL holds this are answered with 403 and the caller's own token in the body.
    pub echoes_the_token: Option<&'static str>,
    /// A token that is good though it was never issued.
    pub knows: Option<String>,
    /// How long each answer takes.
    pub takes: Duration,
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Instant,
    pub method: String,
    /// Path and query.
    pub url: String,
    pub body: String,
    pub bearer: Option<String>,
    pub status: u16,
}

pub struct Azure {
    address: String,
    world: Arc<World>,
    _runtime: tokio::runtime::Runtime,
}

struct World {
    address: String,
    recording: Recording,
    tenant: Value,
    moods: Moods,
    state: Mutex<Changing>,
}

#[derive(Default)]
struct Changing {
    issued: Vec<String>,
    /// Proofs that tokens were given for, in the same order.
    proofs: Vec<String>,
    asked: usize,
    had_mood: BTreeSet<&'static str>,
    seen: Vec<Seen>,
}

impl Azure {
    pub fn start(tenant: &Tenant, moods: Moods) -> Azure {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let world = Arc::new(World {
            address: address.clone(),
            recording: tenant.recording(),
            tenant: tenant.head.clone(),
            moods,
            state: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(world.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Azure { address, world, _runtime: runtime }
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.world.lock().seen.clone()
    }

    /// Tokens in the order in which they were issued.
    pub fn issued(&self) -> Vec<String> {
        self.world.lock().issued.clone()
    }

    /// What tokens were given for: the secret or assertion of the form, or the header of an identity endpoint.
    pub fn proofs(&self) -> Vec<String> {
        self.world.lock().proofs.clone()
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A configuration for this server.
    pub fn config(&self, credential: &str) -> String {
        let (head, address) = (&self.world.tenant, &self.address);
        format!(
            "[organisation]\nname = {name}\nsystem = {system}\n\n[azure]\ncloud = \"custom\"\ntenant_id = {tenant}\n\
             subscriptions = {subscriptions}\ncredential = \"{credential}\"\n\
             client_id = \"cccccccc-0000-0000-0000-00000000000c\"\n\n[azure.endpoints]\n\
             authority = \"{address}/authority\"\nresource_manager = \"{address}/arm\"\ngraph = \"{address}/graph\"\n\
             log_analytics = \"{address}/logs\"\n\n[period]\ndefault = {period}\n",
            name = head["organisation"]["name"],
            system = head["organisation"]["system"],
            tenant = head["tenantId"],
            subscriptions = head["subscriptions"],
            period = head["period"],
        )
    }

    /// Text of the public cloud as this server says it.
    pub fn localized(&self, text: &str) -> String {
        self.world.localized(text)
    }
}

impl World {
    fn lock(&self) -> MutexGuard<'_, Changing> {
        self.state.lock().expect("the state")
    }

    fn localized(&self, text: &str) -> String {
        SERVICES
            .iter()
            .fold(text.to_owned(), |text, (path, host)| text.replace(host, &format!("{}{path}", self.address)))
    }

    /// The URL that the public cloud has for a path of this server.
    fn public(&self, url: &str) -> Option<String> {
        let (path, host) = SERVICES.iter().find(|(path, _)| url.starts_with(&format!("{path}/")))?;
        Some(format!("{host}{}", &url[path.len()..]))
    }

    fn sign_in(&self, form: &str) -> Response {
        let part = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        let secret = part("client_secret").filter(|secret| *secret == "hunter2");
        let assertion = part("client_assertion");
        let Some(proof) = secret.or(assertion).filter(|_| part("grant_type") == Some("client_credentials")) else {
            return fault(StatusCode::UNAUTHORIZED, "invalid_client");
        };
        let token = self.issue(proof);
        axum::Json(json!({"token_type": "Bearer", "expires_in": 3600, "access_token": token})).into_response()
    }

    /// The identity endpoint of an app.
    fn app_identity(&self, url: &str, headers: &HeaderMap) -> Response {
        let Some(header) = headers.get("x-identity-header").and_then(|value| value.to_str().ok()) else {
            return fault(StatusCode::BAD_REQUEST, "no header");
        };
        let token = self.issue(&format!("{header} {url}"));
        axum::Json(json!({"token_type": "Bearer", "expires_on": "4102444800", "access_token": token})).into_response()
    }

    fn issue(&self, proof: &str) -> String {
        let mut state = self.lock();
        let number = state.issued.len() + 1;
        let run_as = &self.tenant["runAs"];
        let claims = json!({
            "oid": run_as["objectId"], "appid": run_as["appId"], "tid": run_as["tenantId"],
            "idtyp": run_as["tokenType"], "xms_mirid": run_as["managedIdentity"], "jti": number,
        });
        let token = format!("e30.{}.signature{number}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        state.issued.push(token.clone());
        state.proofs.push(proof.to_owned());
        token
    }

    /// The answer of a service.
    fn serve(&self, method: &Method, url: &str, bearer: Option<&str>, body: &str) -> Response {
        let mut state = self.lock();
        state.asked += 1;
        let place = bearer.and_then(|bearer| state.issued.iter().position(|token| token == bearer));
        let is_over = place == Some(0) && self.moods.first_token_ends_after.is_some_and(|most| state.asked > most);
        let is_good = (place.is_some() && !is_over) || bearer.is_some() && bearer == self.moods.knows.as_deref();
        if !is_good {
            return fault(StatusCode::UNAUTHORIZED, "ExpiredAuthenticationToken");
        }
        if self.moods.throttles_once.is_some_and(|part| url.contains(part) && state.had_mood.insert("throttled")) {
            let answer = fault(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests");
            return ([("retry-after", "2")], answer).into_response();
        }
        if self.moods.fails_once.is_some_and(|part| url.contains(part) && state.had_mood.insert("failed")) {
            return (StatusCode::SERVICE_UNAVAILABLE, "<html>Our services are not available</html>").into_response();
        }
        if self.moods.echoes_the_token.is_some_and(|part| url.contains(part)) {
            let token = bearer.unwrap_or_default();
            let message = format!("The token 'Bearer {token}' does not do; Authorization: Bearer {token}");
            let body = json!({"error": {"code": "AuthorizationFailed", "message": message, "target": token}});
            let headers = [("www-authenticate", format!("Bearer error=\"{token}\""))];
            return (StatusCode::FORBIDDEN, headers, axum::Json(body)).into_response();
        }
        let public = self.public(url).unwrap_or_default();
        let Some(answer) = self.recording.answer_for(method.as_str(), &as_recorded(&public, &self.recording), body)
        else {
            return fault(StatusCode::NOT_IMPLEMENTED, "NotRecorded");
        };
        let status = StatusCode::from_u16(answer.status).expect("a status");
        let body = self.localized(&String::from_utf8(answer.body).expect("UTF-8"));
        let mut response = (status, body).into_response();
        for (name, value) in &answer.headers {
            let name = axum::http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
            response.headers_mut().insert(name, value.parse().expect("a value"));
        }
        response
    }
}

async fn answer(
    State(world): State<Arc<World>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let at = Instant::now();
    let body = String::from_utf8(body.to_vec()).expect("UTF-8");
    let url = uri.path_and_query().map_or("/", |url| url.as_str()).to_owned();
    tokio::time::sleep(world.moods.takes).await;
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let tenant = world.tenant["tenantId"].as_str().expect("a tenant");
    let response = if url == format!("/authority/{tenant}/oauth2/v2.0/token") && method == Method::POST {
        world.sign_in(&body)
    } else if url.starts_with("/identity?") {
        world.app_identity(&url, &headers)
    } else if url.starts_with("/oidc?") && method == Method::POST && bearer == Some("job-token") {
        axum::Json(json!({"oidcToken": "of-the-job"})).into_response()
    } else {
        world.serve(&method, &url, bearer, &body)
    };
    let status = response.status().as_u16();
    let bearer = bearer.map(str::to_owned);
    world.lock().seen.push(Seen { at, method: method.to_string(), url, body, bearer, status });
    response
}

fn fault(status: StatusCode, code: &str) -> Response {
    (status, axum::Json(json!({"error": {"code": code, "message": "No."}}))).into_response()
}
