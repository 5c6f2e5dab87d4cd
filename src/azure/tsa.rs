//! Sends a time-stamp request (RFC 3161). What is in it and in the answer is for `pack` to say.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use url::Url;

use super::TransportError;
use super::clouds::is_safe;
use super::http::{Network, Way, client, failure, read_bounded};

/// A time-stamp answer is a few kilobytes with its certificates.
const LONGEST_ANSWER: usize = 1 << 20;
/// How long its answer may fall silent.
const SILENCE: Duration = Duration::from_secs(30);
const QUERY: &str = "application/timestamp-query";
const REPLY: &str = "application/timestamp-reply";

/// Posts a DER request to a time-stamp authority and gives its DER answer.
pub async fn request_timestamp(url: &str, der_request: Vec<u8>, network: &Network) -> Result<Vec<u8>, TransportError> {
    let unsendable = |why: &str| TransportError::Unsendable(format!("the time-stamp authority {why}"));
    let url = Url::parse(url).map_err(|_| unsendable("has no valid URL"))?;
    if !is_safe(&url) {
        return Err(unsendable("is not asked over https"));
    }
    let request = client(Way::Outward(network))?.post(url).header(CONTENT_TYPE, QUERY).header(ACCEPT, REPLY);
    let response = request.body(der_request).send().await.map_err(failure)?;
    let status = response.status();
    if !status.is_success() {
        return Err(TransportError::Unexpected(format!("the time-stamp authority said HTTP {}", status.as_u16())));
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(REPLY)) {
        return Err(TransportError::Unexpected(format!("the time-stamp authority sent `{kind}`, not `{REPLY}`")));
    }
    read_bounded(response, LONGEST_ANSWER, SILENCE).await
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Bytes;
    use axum::http::HeaderMap;
    use axum::routing::post;

    use super::*;

    async fn authority() -> String {
        let stamp = |headers: HeaderMap, body: Bytes| async move {
            assert_eq!(headers.get("content-type").unwrap(), QUERY);
            ([("content-type", REPLY)], [b"stamped ", body.as_ref()].concat())
        };
        let router = Router::new().route("/stamp", post(stamp)).route("/page", post(|| async { "<html>" }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    #[tokio::test]
    async fn gives_the_bytes_of_a_time_stamp_answer_and_of_nothing_else() {
        let address = authority().await;
        let ask = |path: &str| request_timestamp_at(format!("{address}{path}"));
        assert_eq!(ask("/stamp").await, Ok(b"stamped der".to_vec()));
        let page = ask("/page").await.unwrap_err().to_string();
        assert!(page.contains("sent `text/plain; charset=utf-8`"), "{page}");
        let nowhere = ask("/nowhere").await.unwrap_err().to_string();
        assert!(nowhere.ends_with("said HTTP 404"), "{nowhere}");
    }

    #[tokio::test]
    async fn plain_http_is_for_this_machine() {
        for url in ["http://tsa.example/stamp", "ftp://localhost/", "tsa"] {
            let refused = request_timestamp_at(url.to_owned()).await;
            assert!(matches!(refused, Err(TransportError::Unsendable(_))), "{url}");
        }
    }

    async fn request_timestamp_at(url: String) -> Result<Vec<u8>, TransportError> {
        request_timestamp(&url, b"der".to_vec(), &Network::default()).await
    }
}
