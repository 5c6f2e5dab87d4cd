//! Puts one question until it has its final answer: waits where the service asks for it, repeats what may pass,
//! and refuses what is not a read, what leaves the configured host, and redirects.
//!
//! Waiting is here and not in the transport, so that a replay goes the same way as Azure.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use thiserror::Error;
use tokio::sync::Semaphore;
use url::Url;

use super::{Answer, Api, Ask, Clock, Cloud, Method, Transport, TransportError, guard};

/// How patient and how busy the door is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How often a request is sent at most while the service answers 429.
    pub tries: u32,
    /// How often a request is sent at most while the service fails or cannot be reached.
    pub tries_on_failure: u32,
    /// The first wait where the service names none; doubled each time.
    pub first_wait: Duration,
    /// The longest wait that we choose ourselves.
    pub longest_wait: Duration,
    /// A service that asks for a longer wait than this is not waited for.
    pub longest_asked_wait: Duration,
    /// Up to this much is added to each wait, so that questions do not come back all at once.
    pub jitter: Duration,
    /// How many requests are under way at a time.
    pub at_a_time: usize,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            tries: 6,
            tries_on_failure: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            longest_asked_wait: Duration::from_secs(15 * 60),
            jitter: Duration::from_millis(250),
            at_a_time: 8,
        }
    }
}

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
    transport: Arc<dyn Transport>,
    cloud: Cloud,
    clock: Arc<dyn Clock>,
    pace: Pace,
    places: Semaphore,
}

impl Door {
    /// A door to the hosts of `cloud`.
    pub fn new(transport: Arc<dyn Transport>, cloud: Cloud, clock: Arc<dyn Clock>, pace: Pace) -> Door {
        let places = Semaphore::new(pace.at_a_time.max(1));
        Door { transport, cloud, clock, pace, places }
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

    /// Puts one question. Every final HTTP status is an answer; what it means is for the caller.
    pub async fn ask(&self, ask: Ask) -> Result<Answered, Refused> {
        self.may_leave(&ask)?;
        // a question that waits keeps its place: a service that throttles is not asked by the next in line
        let _place = self.places.acquire().await;
        let (mut attempts, mut throttled, mut failed) = (0, 0, 0);
        let (mut fresh_token, mut had_fresh_token) = (false, false);
        loop {
            attempts += 1;
            let sent = self.transport.send(&ask, fresh_token).await;
            let received_at = self.clock.now();
            fresh_token = false;
            let wait = match sent {
                Err(error) => {
                    failed += 1;
                    if !error.is_worth_repeating() || failed >= self.pace.tries_on_failure {
                        return Err(Refused::Failed { error, attempts });
                    }
                    self.backoff(failed)
                }
                Ok(answer) => {
                    let wait = match answer.status {
                        300..=399 => return Err(Refused::Redirect { status: answer.status }),
                        401 if !had_fresh_token && !wants_claims(&answer) => {
                            fresh_token = true;
                            had_fresh_token = true;
                            continue;
                        }
                        429 => {
                            throttled += 1;
                            (throttled < self.pace.tries).then(|| self.backoff(throttled))
                        }
                        408 | 500 | 502 | 503 | 504 => {
                            failed += 1;
                            (failed < self.tries(ask.api, answer.status)).then(|| self.backoff(failed))
                        }
                        _ => None,
                    };
                    let wait = wait.map(|wait| retry_after(&answer, received_at).unwrap_or(wait));
                    match wait.filter(|wait| *wait <= self.pace.longest_asked_wait) {
                        Some(wait) => wait,
                        None => return Ok(Answered { answer, attempts, received_at }),
                    }
                }
            };
            self.clock.sleep(wait + self.jitter(&ask.url, attempts)).await;
        }
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

    fn may_leave(&self, ask: &Ask) -> Result<(), Refused> {
        let own = || self.cloud.host(ask.api);
        let Ok(url) = Url::parse(&ask.url) else {
            return Err(Refused::ForeignHost { host: "?".to_owned(), own: own() });
        };
        if !self.cloud.is_own(ask.api, &ask.url) {
            let host = url.host_str().unwrap_or("?");
            let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
            return Err(Refused::ForeignHost { host, own: own() });
        }
        guard::permit(ask.api, ask.method, self.cloud.path_of(ask.api, &url)).map_err(|why| Refused::NotARead { why })
    }

    /// A query that timed out at the log service has already run for minutes; it is put once more, not five times.
    fn tries(&self, api: Api, status: u16) -> u32 {
        match (api, status) {
            (Api::LogAnalytics, 504) => self.pace.tries_on_failure.min(2),
            _ => self.pace.tries_on_failure,
        }
    }

    /// 1, 2, 4, 8 … times the first wait.
    fn backoff(&self, nth: u32) -> Duration {
        let doubled = 1_u32.checked_shl(nth.saturating_sub(1)).unwrap_or(u32::MAX);
        self.pace.first_wait.saturating_mul(doubled).min(self.pace.longest_wait)
    }

    /// Different for each question, the same in every run: spread without randomness.
    fn jitter(&self, url: &str, attempt: u32) -> Duration {
        let seed = url.bytes().fold(attempt, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        self.pace.jitter.saturating_mul(seed % 1000) / 1000
    }
}

/// Whether two URLs are on one host. Every vault is on a configured host, and a list goes on at its own.
fn is_same_host(one: &str, other: &str) -> bool {
    Url::parse(one).ok().zip(Url::parse(other).ok()).is_some_and(|(one, other)| one.origin() == other.origin())
}

/// The service wants a token with further claims, which nobody is there to supply.
fn wants_claims(answer: &Answer) -> bool {
    answer.header("www-authenticate").is_some_and(|value| value.contains("insufficient_claims"))
}

/// How long the service asks us to wait: seconds, whole or with a fraction, or a date.
fn retry_after(answer: &Answer, now: DateTime<Utc>) -> Option<Duration> {
    let value = answer.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    // a date that has passed means: at once
    Some((until.with_timezone(&Utc) - now).to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, VecDeque};
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::super::TokenFacts;
    use super::*;

    type Said = Result<Answer, TransportError>;

    /// Answers from a script, and notes each request's URL and whether it came with a fresh token.
    struct Script {
        answers: Mutex<VecDeque<Said>>,
        sent: Mutex<Vec<(String, bool)>>,
    }

    #[async_trait]
    impl Transport for Script {
        async fn send(&self, ask: &Ask, fresh_token: bool) -> Said {
            self.sent.lock().unwrap().push((ask.url.clone(), fresh_token));
            self.answers.lock().unwrap().pop_front().unwrap_or(Err(TransportError::NotRecorded))
        }

        fn token_facts(&self) -> Option<TokenFacts> {
            None
        }

        fn credential(&self) -> String {
            "script".to_owned()
        }
    }

    /// Stands still at 09:00:00 and notes how long it was asked to sleep.
    #[derive(Default)]
    struct Stopped {
        slept: Mutex<Vec<Duration>>,
    }

    #[async_trait]
    impl Clock for Stopped {
        fn now(&self) -> DateTime<Utc> {
            "2026-10-02T09:00:00Z".parse().unwrap()
        }

        async fn sleep(&self, duration: Duration) {
            self.slept.lock().unwrap().push(duration);
        }
    }

    fn answer(status: u16, headers: &[(&str, &str)]) -> Said {
        let headers: BTreeMap<String, String> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(Answer { status, headers, body: Vec::new() })
    }

    fn list() -> Ask {
        let url = "https://management.azure.com/subscriptions?api-version=2022-12-01".to_owned();
        Ask { api: Api::ResourceManager, method: Method::Get, url, headers: Vec::new(), body: None }
    }

    struct Run {
        outcome: Result<Answered, Refused>,
        slept: Vec<f64>,
        fresh: Vec<bool>,
    }

    fn door(answers: Vec<Said>) -> (Arc<Script>, Arc<Stopped>, Door) {
        let script = Arc::new(Script { answers: Mutex::new(answers.into()), sent: Mutex::default() });
        let clock = Arc::new(Stopped::default());
        let pace = Pace { jitter: Duration::ZERO, ..Pace::default() };
        let door = Door::new(script.clone(), Cloud::named("public").unwrap(), clock.clone(), pace);
        (script, clock, door)
    }

    async fn run(ask: Ask, answers: Vec<Said>) -> Run {
        let (script, clock, door) = door(answers);
        let outcome = door.ask(ask).await;
        let slept = clock.slept.lock().unwrap().iter().map(Duration::as_secs_f64).collect();
        let fresh = script.sent.lock().unwrap().iter().map(|sent| sent.1).collect();
        Run { outcome, slept, fresh }
    }

    #[tokio::test]
    async fn waits_as_long_as_the_service_asks() {
        let table = [
            ("2", 2.0),
            ("0.5", 0.5),
            ("Fri, 02 Oct 2026 09:00:30 GMT", 30.0),
            ("Fri, 02 Oct 2026 08:59:00 GMT", 0.0),
            ("soon", 1.0),
            ("-3", 1.0),
            ("300", 300.0),
        ];
        for (value, seconds) in table {
            let run = run(list(), vec![answer(429, &[("retry-after", value)]), answer(200, &[])]).await;
            let answered = run.outcome.unwrap();
            assert_eq!((answered.answer.status, answered.attempts, run.slept), (200, 2, vec![seconds]), "{value}");
        }
    }

    #[tokio::test]
    async fn gives_the_last_429_when_patience_is_used_up() {
        let run = run(list(), (0..9).map(|_| answer(429, &[])).collect()).await;
        let answered = run.outcome.unwrap();
        assert_eq!((answered.answer.status, answered.attempts), (429, 6));
        assert_eq!(run.slept, [1.0, 2.0, 4.0, 8.0, 16.0]);
    }

    #[tokio::test]
    async fn does_not_wait_for_an_hour() {
        let run = run(list(), vec![answer(429, &[("retry-after", "3600")])]).await;
        assert_eq!((run.outcome.unwrap().answer.status, run.slept), (429, vec![]));
    }

    #[tokio::test]
    async fn own_waits_are_capped() {
        let (_, _, mut door) = door(Vec::new());
        door.pace.longest_wait = Duration::from_secs(5);
        assert_eq!(door.backoff(1), Duration::from_secs(1));
        assert_eq!(door.backoff(3), Duration::from_secs(4));
        assert_eq!(door.backoff(4), Duration::from_secs(5));
        assert_eq!(door.backoff(99), Duration::from_secs(5));
    }

    #[tokio::test]
    async fn repeats_what_may_pass() {
        let run = run(list(), vec![answer(503, &[]), Err(TransportError::TimedOut), answer(200, &[])]).await;
        let answered = run.outcome.unwrap();
        assert_eq!((answered.answer.status, answered.attempts, run.slept), (200, 3, vec![1.0, 2.0]));
        assert_eq!(answered.received_at.to_rfc3339(), "2026-10-02T09:00:00+00:00");
    }

    #[tokio::test]
    async fn gives_up_after_five_failures() {
        let by_service = run(list(), (0..9).map(|_| answer(502, &[])).collect()).await.outcome.unwrap();
        assert_eq!((by_service.answer.status, by_service.attempts), (502, 5));
        let refused = run(list(), (0..9).map(|_| Err(TransportError::TimedOut)).collect()).await.outcome;
        assert_eq!(refused, Err(Refused::Failed { error: TransportError::TimedOut, attempts: 5 }));
    }

    #[tokio::test]
    async fn a_refusal_is_an_answer_and_is_not_repeated() {
        for status in [400, 403, 404, 409] {
            let run = run(list(), vec![answer(status, &[]), answer(200, &[])]).await;
            let answered = run.outcome.unwrap();
            assert_eq!((answered.answer.status, answered.attempts), (status, 1));
        }
        let refused = run(list(), vec![]).await.outcome;
        assert_eq!(refused, Err(Refused::Failed { error: TransportError::NotRecorded, attempts: 1 }));
    }

    #[tokio::test]
    async fn a_401_is_repeated_once_with_a_fresh_token() {
        let healed = run(list(), vec![answer(401, &[]), answer(200, &[])]).await;
        assert_eq!((healed.outcome.unwrap().answer.status, healed.fresh), (200, vec![false, true]));
        let lasting = run(list(), vec![answer(401, &[]), answer(401, &[]), answer(200, &[])]).await;
        assert_eq!((lasting.outcome.unwrap().answer.status, lasting.fresh), (401, vec![false, true]));
        let claims = [("www-authenticate", "Bearer error=\"insufficient_claims\", claims=\"e30=\"")];
        let hopeless = run(list(), vec![answer(401, &claims), answer(200, &[])]).await;
        assert_eq!((hopeless.outcome.unwrap().answer.status, hopeless.fresh), (401, vec![false]));
    }

    #[tokio::test]
    async fn a_query_that_timed_out_is_put_only_once_more() {
        let url = "https://api.loganalytics.azure.com/v1/workspaces/00000000-aaaa-bbbb-cccc-0123456789ab/query";
        let headers = Vec::new();
        let ask = Ask { api: Api::LogAnalytics, method: Method::Post, url: url.to_owned(), headers, body: None };
        let run = run(ask, (0..9).map(|_| answer(504, &[])).collect()).await;
        assert_eq!(run.outcome.unwrap().attempts, 2);
    }

    #[tokio::test]
    async fn nothing_else_leaves() {
        let redirect = run(list(), vec![answer(302, &[("location", "https://evil.example")])]).await;
        assert_eq!(redirect.outcome, Err(Refused::Redirect { status: 302 }));

        let foreign = run(Ask { url: "https://evil.example/subscriptions".to_owned(), ..list() }, vec![]).await;
        let own = "management.azure.com".to_owned();
        assert_eq!(foreign.outcome, Err(Refused::ForeignHost { host: "evil.example".to_owned(), own }));
        assert!(foreign.fresh.is_empty());
        let port =
            run(Ask { url: "https://management.azure.com:444/subscriptions".to_owned(), ..list() }, vec![]).await;
        assert_eq!(
            port.outcome.unwrap_err().to_string(),
            "the request was not sent: `management.azure.com:444` is not the configured host `management.azure.com`"
        );

        let post = run(Ask { method: Method::Post, ..list() }, vec![]).await;
        assert!(matches!(post.outcome, Err(Refused::NotARead { .. })));
        assert!(post.fresh.is_empty());
    }

    #[test]
    fn links_are_followed_verbatim_on_the_own_host() {
        let (_, _, door) = door(Vec::new());
        let asked = Ask { headers: vec![("ConsistencyLevel", "eventual".to_owned())], ..list() };
        assert_eq!(door.next(Api::ResourceManager, "", &asked), Ok(None));
        let link = "https://management.azure.com:443/subscriptions?%24skiptoken=a%2Bb&api-version=2022-12-01";
        let next = door.next(Api::ResourceManager, link, &asked).unwrap().unwrap();
        assert_eq!((next.url.as_str(), &next.headers, next.method), (link, &asked.headers, Method::Get));
        for foreign in ["https://evil.example/x", "http://management.azure.com/x", "/subscriptions?page=2"] {
            let refused = door.next(Api::ResourceManager, foreign, &asked);
            assert!(matches!(refused, Err(Refused::ForeignHost { .. })), "{foreign}");
        }
        let secret = door.next(Api::ResourceManager, "https://management.azure.com/secrets/a", &asked);
        assert!(matches!(secret, Err(Refused::NotARead { .. })));
    }

    #[test]
    fn a_vaults_list_goes_on_at_that_vault() {
        let (_, _, door) = door(Vec::new());
        let asked = Ask { api: Api::KeyVault, url: "https://kv-1.vault.azure.net/secrets".to_owned(), ..list() };
        let link = "https://kv-1.vault.azure.net:443/secrets?api-version=7.2&$skiptoken=x";
        assert_eq!(door.next(Api::KeyVault, link, &asked).unwrap().unwrap().url, link);
        let other = door.next(Api::KeyVault, "https://kv-2.vault.azure.net/secrets", &asked);
        let (host, own) = ("kv-2.vault.azure.net".to_owned(), "kv-1.vault.azure.net".to_owned());
        assert_eq!(other, Err(Refused::ForeignHost { host, own }));
        let value = door.next(Api::KeyVault, "https://kv-1.vault.azure.net/secrets/a", &asked);
        assert!(matches!(value, Err(Refused::NotARead { .. })));
    }

    #[test]
    fn jitter_is_small_and_the_same_each_time() {
        let (_, _, mut door) = door(Vec::new());
        door.pace.jitter = Duration::from_millis(250);
        let first = door.jitter("https://a", 1);
        assert!(first < Duration::from_millis(250));
        assert_eq!(first, door.jitter("https://a", 1));
        assert_ne!(first, door.jitter("https://b", 1));
    }
}
