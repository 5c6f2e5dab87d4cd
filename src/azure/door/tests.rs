//! Questions through the door, one at a time and side by side, answered from a script.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use async_trait::async_trait;

use super::super::{Answered, TokenFacts};
use super::*;

type Said = Result<Answer, TransportError>;

/// Answers from a script, and notes each request's URL and the token that it says was refused.
struct Script {
    answers: Mutex<VecDeque<Said>>,
    sent: Mutex<Vec<(String, Option<u32>)>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, ask: &Ask, refused: Option<u32>) -> Said {
        self.sent.lock().unwrap().push((ask.url.clone(), refused));
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
    Ok(Answer { status, headers, body: Vec::new(), token: 7 })
}

fn list() -> Ask {
    let url = "https://management.azure.com/subscriptions?api-version=2022-12-01".to_owned();
    Ask { api: Api::ResourceManager, method: Method::Get, url, headers: Vec::new(), body: None }
}

struct Run {
    outcome: Result<Answered, Refused>,
    slept: Vec<f64>,
    refused: Vec<Option<u32>>,
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
    let refused = script.sent.lock().unwrap().iter().map(|sent| sent.1).collect();
    Run { outcome, slept, refused }
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
    assert_eq!((healed.outcome.unwrap().answer.status, healed.refused), (200, vec![None, Some(7)]));
    let lasting = run(list(), vec![answer(401, &[]), answer(401, &[]), answer(200, &[])]).await;
    assert_eq!((lasting.outcome.unwrap().answer.status, lasting.refused), (401, vec![None, Some(7)]));
    let claims = [("www-authenticate", "Bearer error=\"insufficient_claims\", claims=\"e30=\"")];
    let hopeless = run(list(), vec![answer(401, &claims), answer(200, &[])]).await;
    assert_eq!((hopeless.outcome.unwrap().answer.status, hopeless.refused), (401, vec![None]));
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
    assert!(foreign.refused.is_empty());
    let port = run(Ask { url: "https://management.azure.com:444/subscriptions".to_owned(), ..list() }, vec![]).await;
    assert_eq!(
        port.outcome.unwrap_err().to_string(),
        "the request was not sent: `management.azure.com:444` is not the configured host `management.azure.com`"
    );

    let post = run(Ask { method: Method::Post, ..list() }, vec![]).await;
    assert!(matches!(post.outcome, Err(Refused::NotARead { .. })));
    assert!(post.refused.is_empty());
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
