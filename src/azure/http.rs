//! The HTTP client that everything in here shares, and the reading of an answer within bounds.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response};

use super::TransportError;
use super::error::{one_line, plain};

/// How a client reaches its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Through the proxy of the environment, where there is one.
    Outward,
    /// Straight to an address of this machine or its host, which no proxy can reach.
    Direct,
}

/// A client without redirects, with time-outs, and with one more trusted root where `extra_root` (PEM) is given.
pub(super) fn client(extra_root: Option<&[u8]>, way: Way) -> Result<Client, TransportError> {
    let unsendable = |error: reqwest::Error| TransportError::Unsendable(one_line(&error));
    let mut builder = Client::builder()
        .user_agent(concat!("tickmark/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .timeout(Duration::from_secs(180));
    if let Some(pem) = extra_root {
        let roots = Certificate::from_pem_bundle(pem).map_err(unsendable)?;
        if roots.is_empty() {
            return Err(TransportError::Unsendable("the file of trusted roots holds no certificate".to_owned()));
        }
        builder = builder.tls_certs_merge(roots);
    }
    builder = match way {
        Way::Outward => builder.connect_timeout(Duration::from_secs(20)),
        Way::Direct => builder.connect_timeout(Duration::from_secs(2)).no_proxy(),
    };
    builder.build().map_err(unsendable)
}

/// The body in chunks, so that an answer without end does not fill the memory.
pub(super) async fn read_bounded(mut response: Response, limit: usize) -> Result<Vec<u8>, TransportError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > limit {
            return Err(TransportError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The client's error without the URL, whose query may hold more than a reader should see.
pub(super) fn failure(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_timeout() {
        return TransportError::TimedOut;
    }
    let text = plain(&one_line(&error));
    if error.is_connect() {
        TransportError::Connect(text)
    } else if error.is_builder() {
        TransportError::Unsendable(text)
    } else {
        TransportError::Reset(text)
    }
}
