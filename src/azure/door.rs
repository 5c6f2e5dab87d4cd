//! Puts one question until it has its final answer: waits where the service asks for it, repeats what may pass,
//! and refuses what is not a read, what leaves the configured host, and redirects.
//!
//! Requests queue by what their service counts together ([`Key`]), so that one that throttles holds up no other.
//! Waiting is here and not in the transport, so that a replay goes the same way as Azure.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use thiserror::Error;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use super::conduct::Tally;
use super::key::Key;
use super::lane::{Lane, Pause};
use super::pace::Luck;
use super::visit::Visit;
use super::{Answer, Api, Ask, Clock, Cloud, Conduct, Method, Pace, Transport, TransportError, guard};

/// The final answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What the service said.
    pub answer: Answer,
    /// How often the request was sent.
    pub attempts: u32,
    /// When the answer was in, local clock.
    pub received_at: DateTime<Utc>,
}

/// No answer of the service that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// The guard knows no such read.
    #[error("the request was not sent: {why}")]
    NotARead {
        /// Why.
        why: &'static str,
    },
    /// A URL that is not on the configured host.
    #[error("the request was not sent: `{host}` is not the configured host `{own}`")]
    ForeignHost {
        /// Host of the URL, or `?`.
        host: String,
        /// The configured host.
        own: String,
    },
    /// A redirect; none of the services has one.
    #[error("the service answered with a redirect (HTTP {status}), which is not followed")]
    Redirect {
        /// HTTP status.
        status: u16,
    },
    /// The service throttled the questions before this one to their end.
    #[error("the request was not sent: {key} throttled question after question; collect again at a quieter time")]
    GivenUp {
        /// What throttles.
        key: String,
    },
    /// There was no HTTP answer.
    #[error("{error} (sent {attempts} times)")]
    Failed {
        /// Why.
        error: TransportError,
        /// How often the request was sent.
        attempts: u32,
    },
}

/// The only way out.
pub struct Door {
    pub(super) transport: Arc<dyn Transport>,
    cloud: Cloud,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pace: Pace,
    places: Semaphore,
    log_places: Semaphore,
    lanes: Mutex<BTreeMap<Key, Arc<Lane>>>,
    pub(super) tally: Mutex<Tally>,
    pub(super) luck: Mutex<Luck>,
}

impl Door {
    /// A door to the hosts of `cloud`.
    pub fn new(transport: Arc<dyn Transport>, cloud: Cloud, clock: Arc<dyn Clock>, pace: Pace) -> Door {
        Door {
            transport,
            cloud,
            clock,
            places: Semaphore::new(pace.at_a_time.max(1)),
            log_places: Semaphore::new(pace.log_queries_at_a_time.max(1)),
            lanes: Mutex::default(),
            tally: Mutex::default(),
            luck: Mutex::new(Luck::new(pace.seed)),
            pace,
        }
    }

    /// The cloud behind it.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// What stands behind it.
    pub fn transport(&self) -> &dyn Transport {
        self.transport.as_ref()
    }

    /// The clock that it reads.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// How the services were asked until now.
    pub fn conduct(&self) -> BTreeMap<Api, Conduct> {
        lock(&self.tally).at(self.clock.now())
    }

    /// Puts one question. Every final HTTP status is an answer; what it means is for the caller.
    pub async fn ask(&self, ask: Ask) -> Result<Answered, Refused> {
        self.visit().ask(ask).await
    }

    /// For a question of several pages.
    pub fn visit(&self) -> Visit<'_> {
        Visit::new(self)
    }

    /// The question after this one, from the link that its answer ends with; none when the link is empty.
    ///
    /// The link is taken verbatim, keeps the headers of the first question, and must be on the same host.
    pub fn next(&self, api: Api, link: &str, asked: &Ask) -> Result<Option<Ask>, Refused> {
        if link.is_empty() {
            return Ok(None);
        }
        let headers = asked.headers.clone();
        let ask = Ask { api, method: Method::Get, url: link.to_owned(), headers, body: None };
        self.may_leave(&ask)?;
        if api == Api::KeyVault && !is_same_host(&ask.url, &asked.url) {
            let host =
                |url: &str| Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
            return Err(Refused::ForeignHost { host: host(&ask.url), own: host(&asked.url) });
        }
        Ok(Some(ask))
    }

    pub(super) fn may_leave(&self, ask: &Ask) -> Result<Key, Refused> {
        let own = || self.cloud.host(ask.api);
        let Ok(url) = Url::parse(&ask.url) else {
            return Err(Refused::ForeignHost { host: "?".to_owned(), own: own() });
        };
        if !self.cloud.is_own_url(ask.api, &url) {
            let host = url.host_str().unwrap_or("?");
            let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
            return Err(Refused::ForeignHost { host, own: own() });
        }
        let path = self.cloud.path_of(ask.api, &url);
        guard::permit(ask.api, ask.method, path).map_err(|why| Refused::NotARead { why })?;
        Ok(Key::of(ask.api, &url, path))
    }

    pub(super) fn lane(&self, key: &Key) -> Arc<Lane> {
        let widest = match key.api() {
            Api::KeyVault => self.pace.at_a_time_to_a_vault,
            Api::ResourceManager | Api::Graph | Api::LogAnalytics => self.pace.at_a_time,
        };
        lock(&self.lanes).entry(key.clone()).or_insert_with(|| Lane::new(widest)).clone()
    }

    pub(super) async fn place(&self, api: Api) -> Place<'_> {
        // neither semaphore is ever closed
        let of_logs = if api == Api::LogAnalytics { self.log_places.acquire().await.ok() } else { None };
        Place { _of_all: self.places.acquire().await.ok(), _of_logs: of_logs }
    }

    pub(super) fn pause(&self, api: Api, lane: &Arc<Lane>) -> Paused<'_> {
        lock(&self.tally).pause_began(api, self.clock.now());
        Paused { door: self, api, _pause: lane.pause() }
    }

    /// A query that timed out at the log service has already run for minutes; it is put once more, not five times.
    pub(super) fn tries(&self, api: Api, status: u16) -> u32 {
        match (api, status) {
            (Api::LogAnalytics, 504) => self.pace.tries_on_failure.min(2),
            _ => self.pace.tries_on_failure,
        }
    }
}

/// One of the requests that may be under way at a time; log queries are counted for themselves as well.
pub(super) struct Place<'door> {
    _of_all: Option<SemaphorePermit<'door>>,
    _of_logs: Option<SemaphorePermit<'door>>,
}

/// A key is left alone, and the time counted, until this is dropped.
pub(super) struct Paused<'door> {
    door: &'door Door,
    api: Api,
    _pause: Pause,
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        lock(&self.door.tally).pause_ended(self.api, self.door.clock.now());
    }
}

/// Whether two URLs are on one host. Every vault is on a configured host, and a list goes on at its own.
fn is_same_host(one: &str, other: &str) -> bool {
    Url::parse(one).ok().zip(Url::parse(other).ok()).is_some_and(|(one, other)| one.origin() == other.origin())
}

/// What is behind a lock; a panic elsewhere does not make it worse.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod side_by_side;
#[cfg(test)]
mod tests;
