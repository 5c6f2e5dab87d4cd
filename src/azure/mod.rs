//! The door: the only place that opens a socket or holds a credential.
//!
//! A question goes through [`Door`], which waits and asks again where the service says so, follows links only to
//! the configured host, refuses every request that is not a known read, and hands back what was answered.
//! Behind it stands a [`Transport`]: [`Live`] over HTTPS, or [`Recording`], which answers from a folder. Nothing
//! in here knows what a question means.

mod arc;
mod certificate;
mod clouds;
mod conduct;
mod credential;
mod door;
mod error;
mod guard;
mod http;
mod key;
mod lane;
mod live;
mod pace;
mod recording;
mod token;
mod told;
mod tsa;
mod visit;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use clouds::{Audiences, Cloud, CloudError, Endpoints, is_safe_address};
pub use conduct::Conduct;
pub use credential::{CredentialError, CredentialKind, CredentialSettings};
pub use door::{Answered, Door, Refused};
pub use error::TransportError;
pub use http::{Network, Proxy};
pub use live::{Live, LiveError, LiveSettings, PassedOver, Patience};
pub use pace::Pace;
pub use recording::{RecordedOrganisation, RecordedRunAs, Recording, RecordingError, RecordingHead};
pub use token::TokenFacts;
pub use tsa::request_timestamp;
pub use visit::{Turn, Visit};

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

impl Api {
    /// For a person.
    pub fn words(self) -> &'static str {
        match self {
            Api::ResourceManager => "Resource Manager",
            Api::Graph => "Microsoft Graph",
            Api::LogAnalytics => "Log Analytics",
            Api::KeyVault => "Key Vault",
        }
    }

    /// For a program.
    pub fn name(self) -> &'static str {
        match self {
            Api::ResourceManager => "resource_manager",
            Api::Graph => "graph",
            Api::LogAnalytics => "log_analytics",
            Api::KeyVault => "key_vault",
        }
    }
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
    /// Which token of the transport the request went out with: 1, 2, … in the order in which they were got.
    pub token: u32,
}

impl Answer {
    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Whether the service wants a token with further claims (continuous access evaluation). Nobody is there to
    /// supply them.
    pub fn wants_claims(&self) -> bool {
        self.status == 401
            && self.header("www-authenticate").is_some_and(|challenge| challenge.contains("insufficient_claims"))
    }
}

/// Sends one request once. `refused` is the token that the service did not take, after a 401: then another one is
/// used, which is got at most once, however many requests were refused with the same.
#[async_trait]
pub trait Transport: Send + Sync {
    /// The answer, whatever its status; an error only when there was no HTTP answer.
    async fn send(&self, ask: &Ask, refused: Option<u32>) -> Result<Answer, TransportError>;

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
