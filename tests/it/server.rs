//! Azure on this machine: a recorded tenant over HTTP, which misbehaves where it is told to.
//!
//! Sign-in, Resource Manager, Graph and Log Analytics stand behind one port, each below a path of its own. Links
//! in answers are rewritten to that port, as a service writes links to itself.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::Value;
use tickmark::azure::{Cloud, Endpoints, Recording};
use tokio::net::TcpListener;

use super::harness::{as_recorded, tenant_folder};

/// Host in the public cloud, and where it stands here.
const HOSTS: [(&str, &str); 3] = [
    ("https://management.azure.com", "/arm"),
    ("https://graph.microsoft.com", "/graph"),
    ("https://api.loganalytics.azure.com", "/logs"),
];

/// What is done to the requests that a trap is for.
#[derive(Clone)]
pub enum Act {
    /// Another answer: status, headers, body.
    Say(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The recorded answer with this content type.
    Typed(&'static str),
    /// The recorded answer, changed; the second argument is the URL that was asked.
    Edit(Arc<Change>),
    /// The recorded answer's bytes, changed.
    Rewrite(fn(Vec<u8>) -> Vec<u8>),
    /// The recorded answer, so much later.
    After(Duration),
    /// The connection ends without an answer.
    HangUp,
    /// The connection ends in the middle of the answer.
    BreakOff,
    /// 401 to every token that was given out before the trap was set.
    RefuseOldTokens,
}

/// A change of an answer.
pub type Change = dyn Fn(&mut Value, &str) + Send + Sync;

/// Whether a request is meant: its URL in the public cloud, and its body.
pub type Meant = fn(&str, &str) -> bool;

struct Trap {
    meant: Meant,
    act: Act,
    /// How many of those requests it catches.
    times: u32,
    tokens_before: u32,
}

/// The server, while it is in scope.
pub struct Server {
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

struct State {
    address: String,
    recording: Recording,
    trap: Mutex<Option<Trap>>,
    caught: AtomicU32,
    asked: AtomicU32,
    tokens: AtomicU32,
    /// Requests of the recording that had no answer, and requests without a token.
    faults: Mutex<Vec<String>>,
}

impl Server {
    pub async fn start(tenant: &str) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let state = Arc::new(State {
            address: format!("http://{}", listener.local_addr().expect("an address")),
            recording: Recording::open(&tenant_folder(tenant)).expect("a recording"),
            trap: Mutex::default(),
            caught: AtomicU32::new(0),
            asked: AtomicU32::new(0),
            tokens: AtomicU32::new(0),
            faults: Mutex::default(),
        });
        let shared = state.clone();
        let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let state = shared.clone();
            async move { state.answer(&method, &uri, &headers, &String::from_utf8_lossy(&body)).await }
        };
        let task = tokio::spawn(async move {
            axum::serve(listener, Router::new().fallback(answer)).await.expect("it serves");
        });
        Server { state, task }
    }

    pub fn recording(&self) -> &Recording {
        &self.state.recording
    }

    pub fn cloud(&self) -> Cloud {
        let at = |path: &str| format!("{}{path}", self.state.address);
        let endpoints = Endpoints {
            authority: at("/login"),
            resource_manager: at("/arm"),
            graph: at("/graph"),
            log_analytics: at("/logs"),
            key_vault: None,
        };
        Cloud::custom(&endpoints).expect("endpoints")
    }

    /// The next `times` requests that are meant are treated so; every count begins anew.
    pub fn set(&self, meant: Meant, act: Act, times: u32) {
        let tokens_before = self.state.tokens.load(Ordering::SeqCst);
        *self.state.trap.lock().expect("a lock") = Some(Trap { meant, act, times, tokens_before });
        self.state.caught.store(0, Ordering::SeqCst);
        self.state.asked.store(0, Ordering::SeqCst);
    }

    /// How many requests that are meant have come since the trap was set.
    pub fn asked(&self) -> u32 {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// How many tokens were given out.
    pub fn tokens(&self) -> u32 {
        self.state.tokens.load(Ordering::SeqCst)
    }

    /// What a client should not have sent.
    pub fn faults(&self) -> Vec<String> {
        self.state.faults.lock().expect("a lock").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The subscription that the tree of the tenant `mixed` names and that the collecting identity has no access to.
const HIDDEN: &str = "69a509d0-b50c-4308-82c2-a454e9a086ce";

/// The tree without that subscription, so that the tenant is whole before a fault.
pub fn without_hidden(body: &[u8]) -> Vec<u8> {
    let Ok(mut answer) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    match answer.get_mut("value").and_then(Value::as_array_mut) {
        Some(items) if items.iter().any(|item| item.to_string().contains(HIDDEN)) => {
            items.retain(|item| !item.to_string().contains(HIDDEN));
            answer.to_string().into_bytes()
        }
        _ => body.to_vec(),
    }
}

impl State {
    async fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &str) -> Response {
        let local = uri.path_and_query().map_or("", |path| path.as_str());
        if local.starts_with("/login/") {
            return self.sign_in();
        }
        let public = HOSTS.iter().find_map(|(host, at)| Some(format!("{host}{}", local.strip_prefix(at)?)));
        let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer t-"));
        let (Some(public), Some(token)) = (public, token) else {
            self.faults.lock().expect("a lock").push(format!("{method} {uri}"));
            return reply(404, &[], Vec::new());
        };
        let recorded = self.recording.answer_for(method.as_str(), &as_recorded(&public, &self.recording), body);
        let recorded =
            recorded.map(|answer| (answer.status, answer.headers, self.localised(&without_hidden(&answer.body))));
        let act = self.act(&public, body, token.parse().expect("a number"));
        let (status, headers, body) = match (act, recorded) {
            (Some(Act::Say(status, headers, body)), _) => {
                return reply(status, &headers, self.localised(&body));
            }
            (_, None) => {
                self.faults.lock().expect("a lock").push(format!("not recorded: {method} {public}"));
                return reply(404, &[], Vec::new());
            }
            (None, Some(recorded)) => recorded,
            (Some(act), Some((status, mut headers, body))) => match act {
                Act::HangUp => return broken(200, Vec::new()),
                Act::BreakOff => return broken(200, body[..body.len() / 2].to_vec()),
                Act::RefuseOldTokens => {
                    return reply(401, &[], br#"{"error":{"code":"ExpiredAuthenticationToken"}}"#.to_vec());
                }
                Act::Typed(kind) => {
                    headers.insert("content-type".to_owned(), kind.to_owned());
                    (status, headers, body)
                }
                Act::Edit(edit) => {
                    let mut value: Value = serde_json::from_slice(&body).expect("JSON");
                    edit(&mut value, &format!("{}{local}", self.address));
                    (status, headers, value.to_string().into_bytes())
                }
                Act::Rewrite(rewrite) => (status, headers, rewrite(body)),
                Act::After(delay) => {
                    tokio::time::sleep(delay).await;
                    (status, headers, body)
                }
                Act::Say(..) => unreachable!("answered above"),
            },
        };
        let headers: Vec<(&str, String)> = headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        reply(status, &headers, body)
    }

    /// What the trap does to this request, if it catches it.
    fn act(&self, public: &str, body: &str, token: u32) -> Option<Act> {
        let trap = self.trap.lock().expect("a lock");
        let trap = trap.as_ref().filter(|trap| (trap.meant)(public, body))?;
        self.asked.fetch_add(1, Ordering::SeqCst);
        if matches!(trap.act, Act::RefuseOldTokens) && token > trap.tokens_before {
            return None;
        }
        (self.caught.fetch_add(1, Ordering::SeqCst) < trap.times).then(|| trap.act.clone())
    }

    /// Tokens `t-1`, `t-2`, …
    fn sign_in(&self) -> Response {
        let number = self.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        let body = format!(r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"t-{number}"}}"#);
        reply(200, &[("content-type", "application/json".to_owned())], body.into_bytes())
    }

    fn localised(&self, body: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(body) else { return body.to_vec() };
        let local = HOSTS.iter().fold(text.to_owned(), |text, (host, at)| {
            text.replace(&format!("{host}/"), &format!("{}{at}/", self.address))
        });
        local.into_bytes()
    }
}

fn reply(status: u16, headers: &[(&str, String)], body: Vec<u8>) -> Response {
    let mut response = Response::builder().status(StatusCode::from_u16(status).expect("a status"));
    for (name, value) in headers.iter().filter(|(name, _)| *name != "content-length") {
        response = response.header(*name, value);
    }
    response.body(Body::from(body)).expect("a response")
}

/// An answer that ends in an error of the connection.
fn broken(status: u16, begun: Vec<u8>) -> Response {
    let begun = (!begun.is_empty()).then(|| Ok(Bytes::from(begun)));
    let parts = begun.into_iter().chain([Err(std::io::Error::other("the connection ends here"))]);
    let body = Body::from_stream(futures::stream::iter(parts));
    Response::builder().status(status).body(body).expect("a response")
}

/// Listens and counts who comes.
pub struct Stranger {
    pub address: String,
    pub visits: Arc<AtomicU32>,
    task: tokio::task::JoinHandle<()>,
}

impl Stranger {
    pub async fn start() -> Stranger {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let visits = Arc::new(AtomicU32::new(0));
        let counted = visits.clone();
        let task = tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Stranger { address, visits, task }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.task.abort();
    }
}
