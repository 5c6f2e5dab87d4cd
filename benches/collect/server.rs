//! The loopback Azure: serves the synthetic tenant, and counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::tenant::{Size, Tenant};

struct Served {
    tenant: Tenant,
    latency: Duration,
    seen: Mutex<Seen>,
}

/// Requests since the last reset.
#[derive(Default)]
struct Seen {
    /// By method, path and body, how often.
    requests: BTreeMap<(String, String, String), u64>,
    /// Bytes of all bodies.
    bytes: usize,
}

/// Serves until it is killed; prints its address first.
pub fn serve(size: Size, latency: Duration) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let tenant = Tenant::of(size, &base);
        println!("{base}");
        let served = Arc::new(Served { tenant, latency, seen: Mutex::default() });
        axum::serve(listener, Router::new().fallback(answer).with_state(served)).await.expect("it serves");
    });
}

async fn answer(State(served): State<Arc<Served>>, method: Method, uri: Uri, body: Bytes) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    match path {
        "/_seen" => return axum::Json(served.seen()).into_response(),
        "/_reset" => {
            *served.lock() = Seen::default();
            return StatusCode::OK.into_response();
        }
        _ => {}
    }
    let key = (method.to_string(), path.to_owned(), String::from_utf8_lossy(&body).into_owned());
    *served.lock().requests.entry(key).or_default() += 1;
    if !served.latency.is_zero() {
        tokio::time::sleep(served.latency).await;
    }
    let headers = [
        ("content-type", "application/json; charset=utf-8"),
        ("x-ms-request-id", "11111111-2222-3333-4444-555555555555"),
        ("x-ms-correlation-request-id", "66666666-2222-3333-4444-555555555555"),
    ];
    match served.tenant.answer(path, &body) {
        Some(parts) => {
            let length = parts.iter().map(Bytes::len).sum::<usize>();
            served.lock().bytes += length;
            let stream = futures::stream::iter(parts.into_iter().map(Ok::<_, std::io::Error>));
            (headers, [("content-length", length.to_string())], Body::from_stream(stream)).into_response()
        }
        None if path.starts_with("/logs") => {
            let said = json!({"error": {"code": "BadArgumentError", "innererror": {"code": "SemanticError"}}});
            (StatusCode::BAD_REQUEST, headers, said.to_string()).into_response()
        }
        None => {
            let said = json!({"error": {"code": "NotFound", "message": path}});
            (StatusCode::NOT_FOUND, headers, said.to_string()).into_response()
        }
    }
}

impl Served {
    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> Value {
        let seen = self.lock();
        json!({
            "requests": seen.requests.values().sum::<u64>(),
            "bytes": seen.bytes,
            "pages": seen.requests.keys().map(|(method, path, body)| json!([method, path, body])).collect::<Vec<_>>(),
        })
    }
}
