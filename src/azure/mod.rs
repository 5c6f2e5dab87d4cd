//! The door: the only place that opens a socket or holds a credential.
//!
//! A question goes through [`Door`], which waits and asks again where the service says so, follows links only to
//! the configured host, refuses every request that is not a known read, and hands back what was answered.
//! Behind it stands a [`Transport`]: [`Live`] over HTTPS, or [`Recording`], which answers from a folder. Nothing
//! in here knows what a question means.

mod certificate;
mod clouds;
mod credential;
mod door;
mod error;
mod guard;
mod http;
mod live;
mod recording;
mod token;
mod tsa;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use clouds::{Cloud, CloudError, Endpoints, is_safe_address};
pub use credential::{CredentialError, CredentialKind, CredentialSettings};
pub use door::{Answered, Door, Pace, Refused};
pub use error::TransportError;
pub use live::{Live, LiveError, LiveSettings, Patience};
pub use recording::{RecordedOrganisation, RecordedRunAs, Recording, RecordingError, RecordingHead};
pub use token::TokenFacts;
pub use tsa::request_timestamp;

/// Which service is asked; decides host and token audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// Azure Resource Manager.
    ResourceManager,
    /// Microsoft Graph.
    Graph,
    /// Log Analytics query API.
    LogAnalytics,
    /// A vault itself; each has a host of its own.
    KeyVault,
}

/// HTTP methods that a read can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST, for the few reads that have a body; see the guard.
    Post,
}

/// One request, without its credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The service.
    pub api: Api,
    /// GET or POST.
    pub method: Method,
    /// Absolute URL on the host of that service.
    pub url: String,
    /// Further headers, such as `ConsistencyLevel`.
    pub headers: Vec<(&'static str, String)>,
    /// JSON body of a POST.
    pub body: Option<String>,
}

/// One HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Body, decoded from its transfer and content encoding.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Sends one request once. `fresh_token` asks for a new token, after a 401.
#[async_trait]
pub trait Transport: Send + Sync {
    /// The answer, whatever its status; an error only when there was no HTTP answer.
    async fn send(&self, ask: &Ask, fresh_token: bool) -> Result<Answer, TransportError>;

    /// Facts about the token that is used, never the token. `None` before the first token.
    fn token_facts(&self) -> Option<TokenFacts>;

    /// Name of the credential for the evidence: `azure_cli`, `recording`, …
    fn credential(&self) -> String;
}

/// Time, as everyone but the command line is given it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> DateTime<Utc>;

    /// Waits.
    async fn sleep(&self, duration: Duration);
}
