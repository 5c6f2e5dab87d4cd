//! Many questions through the door at a time, in a time that only passes when everyone waits.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use futures::task::{ArcWake, waker};
use tokio::sync::oneshot;

use super::super::{Answered, TokenFacts};
use super::*;

/// How long each answer takes.
const TAKES: u64 = 100;

/// Milliseconds since the beginning.
type Instant = u64;

/// A clock that is put forward to the next one who sleeps.
#[derive(Default)]
struct Simulated {
    now: Mutex<Instant>,
    sleepers: Mutex<BinaryHeap<Reverse<Sleeper>>>,
}

struct Sleeper(Instant, oneshot::Sender<()>);

impl PartialEq for Sleeper {
    fn eq(&self, other: &Sleeper) -> bool {
        self.0 == other.0
    }
}

impl Eq for Sleeper {}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Sleeper) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sleeper {
    fn cmp(&self, other: &Sleeper) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl Simulated {
    fn instant(&self) -> Instant {
        *lock(&self.now)
    }

    fn put_forward(&self) {
        let Some(Reverse(Sleeper(until, call))) = lock(&self.sleepers).pop() else { panic!("nobody will wake") };
        *lock(&self.now) = until;
        let _ = call.send(());
    }
}

#[async_trait]
impl Clock for Simulated {
    fn now(&self) -> DateTime<Utc> {
        let begin: DateTime<Utc> = "2026-10-02T09:00:00Z".parse().unwrap();
        begin + TimeDelta::milliseconds(self.instant().try_into().unwrap())
    }

    async fn sleep(&self, duration: Duration) {
        let (call, woken) = oneshot::channel();
        let until = self.instant() + u64::try_from(duration.as_millis()).unwrap();
        lock(&self.sleepers).push(Reverse(Sleeper(until, call)));
        woken.await.unwrap();
    }
}

/// One request: its URL, when it was sent, and when it was answered.
#[derive(Clone, Debug)]
struct Seen {
    url: String,
    from: Instant,
    to: Instant,
}

/// Status and headers, by URL and the time at which it was asked.
type Says = fn(&str, Instant) -> (u16, Vec<(&'static str, String)>);

/// Services that take their time.
struct Services {
    clock: Arc<Simulated>,
    says: Says,
    seen: Mutex<Vec<Seen>>,
}

#[async_trait]
impl Transport for Services {
    async fn send(&self, ask: &Ask, _: Option<u32>) -> Result<Answer, TransportError> {
        let from = self.clock.instant();
        self.clock.sleep(Duration::from_millis(TAKES)).await;
        let (status, headers) = (self.says)(&ask.url, from);
        lock(&self.seen).push(Seen { url: ask.url.clone(), from, to: from + TAKES });
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Answer { status, headers, body: Vec::new(), token: 1 })
    }

    fn token_facts(&self) -> Option<TokenFacts> {
        None
    }

    fn credential(&self) -> String {
        "simulated".to_owned()
    }
}

/// Whether someone can go on.
#[derive(Default)]
struct Woken(AtomicBool);

impl ArcWake for Woken {
    fn wake_by_ref(woken: &Arc<Woken>) {
        woken.0.store(true, Ordering::SeqCst);
    }
}

/// How it went.
struct Ran {
    /// By name of the question: how it ended, and when.
    ended: BTreeMap<String, (Result<Answered, Refused>, Instant)>,
    seen: Vec<Seen>,
    conduct: BTreeMap<Api, Conduct>,
}

impl Ran {
    fn of<'ran>(&'ran self, part: &'ran str) -> impl Iterator<Item = &'ran Seen> {
        self.seen.iter().filter(move |seen| seen.url.contains(part))
    }

    /// Most requests side by side between two instants.
    fn width(&self, part: &str, from: Instant, to: Instant) -> usize {
        let begun = self.of(part).map(|seen| seen.from).filter(|at| (from..to).contains(at));
        begun.map(|at| self.of(part).filter(|other| other.from <= at && at < other.to).count()).max().unwrap_or(0)
    }

    fn status(&self, name: &str) -> u16 {
        self.ended[name].0.as_ref().map_or(0, |answered| answered.answer.status)
    }
}

/// Puts lists of so many pages side by side; each has the URL of its pages but for the last segment.
fn run(pace: Pace, says: Says, lists: &[(Ask, usize)]) -> Ran {
    let clock = Arc::new(Simulated::default());
    let services = Arc::new(Services { clock: clock.clone(), says, seen: Mutex::default() });
    let door = Door::new(services.clone(), Cloud::named("public").unwrap(), clock.clone(), pace);
    let door = &door;
    let put = lists.iter().map(|(first, pages)| async move {
        let mut visit = door.visit();
        let mut last = None;
        for page in 1..=*pages {
            let url = if *pages == 1 { first.url.clone() } else { format!("{}{page}", first.url) };
            let answered = visit.ask(Ask { url, ..first.clone() }).await;
            let is_end = answered.is_err();
            last = Some(answered);
            if is_end {
                break;
            }
        }
        (first.url.clone(), last.unwrap(), door.clock().now())
    });
    let begin = clock.now();
    let mut under_way: FuturesUnordered<_> = put.collect();
    let mut ended = BTreeMap::new();
    let woken = Arc::new(Woken::default());
    let waker = waker(woken.clone());
    loop {
        match under_way.poll_next_unpin(&mut Context::from_waker(&waker)) {
            Poll::Ready(Some((name, answered, at))) => {
                let at = (at - begin).num_milliseconds().try_into().unwrap();
                ended.insert(name, (answered, at));
            }
            Poll::Ready(None) => break,
            Poll::Pending if woken.0.swap(false, Ordering::SeqCst) => {}
            Poll::Pending => clock.put_forward(),
        }
    }
    let conduct = door.conduct();
    let seen = lock(&services.seen).clone();
    Ran { ended, seen, conduct }
}

fn pace() -> Pace {
    Pace { jitter: Duration::ZERO, ..Pace::default() }
}

fn vaults(subscription: &str, number: usize) -> Ask {
    let url = format!(
        "https://management.azure.com/subscriptions/{subscription}/resourceGroups/g{number:03}/providers/Microsoft.KeyVault/vaults"
    );
    Ask { api: Api::ResourceManager, method: Method::Get, url, headers: Vec::new(), body: None }
}

fn log_query(workspace: usize) -> Ask {
    let url = format!("https://api.loganalytics.azure.com/v1/workspaces/00000000-0000-0000-0000-{workspace:012}/query");
    Ask { api: Api::LogAnalytics, method: Method::Post, url, headers: Vec::new(), body: Some(String::new()) }
}

fn single(asks: impl IntoIterator<Item = Ask>) -> Vec<(Ask, usize)> {
    asks.into_iter().map(|ask| (ask, 1)).collect()
}

fn fine() -> (u16, Vec<(&'static str, String)>) {
    (200, Vec::new())
}

fn wait(seconds: u64) -> (u16, Vec<(&'static str, String)>) {
    (429, vec![("retry-after", seconds.to_string())])
}

#[test]
fn one_key_that_throttles_waits_as_a_whole_and_holds_up_no_other() {
    let asks = (0..40).flat_map(|number| [vaults("slow", number), vaults("fast", number)]);
    let says: Says = |url, at| if url.contains("slow") && at < 30_000 { wait(30) } else { fine() };
    let ran = run(pace(), says, &single(asks));
    assert!(ran.ended.values().all(|(ended, _)| ended.as_ref().unwrap().answer.status == 200));

    // the first requests were under way when the first of them was told to wait
    let before = ran.of("slow").filter(|seen| seen.from < 30_000).count();
    assert!(before <= 8, "{before} requests were sent to it in vain");
    let first_told = ran.of("slow").map(|seen| seen.to).min().unwrap();
    let early = ran.of("slow").filter(|seen| (first_told..first_told + 30_000).contains(&seen.from)).count();
    assert_eq!(early, 0, "nobody asks before it is time");
    assert!(ran.width("slow", 30_000, 30_500) <= 4, "half as many, until it is calm");

    // 80 questions through 8 places of 100 ms each take a second at most
    let last = ran.of("fast").map(|seen| seen.to).max().unwrap();
    assert!(last <= 1000, "the other key was held up until {last}");
    let conduct = ran.conduct[&Api::ResourceManager];
    assert_eq!(conduct.requests, 80 + before as u64);
    assert_eq!((conduct.retries, conduct.throttled), (before as u64, before as u64));
    assert_eq!(conduct.waited.as_millis(), 30_000);
}

#[test]
fn a_lane_grows_again_once_it_is_calm() {
    let asks = (0..400).map(|number| vaults("s", number));
    let says: Says = |_, at| if at == 0 { wait(1) } else { fine() };
    let ran = run(pace(), says, &single(asks));
    assert_eq!(ran.width("s", 0, 1), 8);
    assert_eq!(ran.width("s", 1000, 1300), 4);
    assert_eq!(ran.width("s", 5000, 60_000), 8);
}

#[test]
fn with_little_left_of_the_quota_it_asks_one_at_a_time() {
    let asks = (0..40).map(|number| vaults("s", number));
    let says: Says = |_, at| {
        let remaining = if at < 2000 { "12" } else { "240" };
        (200, vec![("x-ms-ratelimit-remaining-subscription-reads", remaining.to_owned())])
    };
    let ran = run(pace(), says, &single(asks));
    assert_eq!(ran.width("s", 0, 1), 8, "nobody said anything yet");
    assert_eq!(ran.width("s", 100, 2000), 1);
    assert_eq!(ran.conduct[&Api::ResourceManager].retries, 0);
}

#[test]
fn a_used_up_quota_of_resource_graph_is_waited_for_before_the_next_request() {
    let url = "https://management.azure.com/providers/Microsoft.ResourceGraph/resources".to_owned();
    let page = Ask { method: Method::Post, url: format!("{url}?page="), body: Some(String::new()), ..vaults("s", 0) };
    let says: Says = |url, _| {
        let remaining = if url.ends_with('2') { "0" } else { "7" };
        let after = "00:00:05".to_owned();
        (200, vec![("x-ms-user-quota-remaining", remaining.to_owned()), ("x-ms-user-quota-resets-after", after)])
    };
    let ran = run(pace(), says, &[(page, 3)]);
    let sent: Vec<Instant> = ran.seen.iter().map(|seen| seen.from).collect();
    assert_eq!(sent, [0, 100, 5200]);
    let conduct = ran.conduct[&Api::ResourceManager];
    assert_eq!((conduct.requests, conduct.retries, conduct.throttled), (3, 0, 0));
    assert_eq!(conduct.waited.as_secs(), 5);
}

#[test]
fn a_key_that_only_throttles_is_given_up_and_the_rest_is_not_even_sent() {
    let asks = (0..50).flat_map(|number| [vaults("shut", number), vaults("open", number)]);
    let says: Says = |url, _| if url.contains("shut") { wait(2) } else { fine() };
    let ran = run(pace(), says, &single(asks));
    let ended =
        |name: &str| ran.ended.iter().filter(|(url, _)| url.contains(name)).map(|(_, (ended, _))| ended).collect();
    let shut: Vec<&Result<Answered, Refused>> = ended("shut");
    let unsent = shut.iter().filter(|ended| matches!(ended, Err(Refused::GivenUp { .. }))).count();
    assert!(unsent >= 42, "{unsent} were not sent");
    assert!(ran.of("shut").count() <= 8 * 6, "{} were sent", ran.of("shut").count());
    let words = shut.iter().find_map(|ended| ended.as_ref().err()).unwrap().to_string();
    let expected = "the request was not sent: `microsoft.keyvault` in subscription `shut` throttled question after \
                    question; collect again at a quieter time";
    assert_eq!(words, expected);
    let open: Vec<&Result<Answered, Refused>> = ended("open");
    assert!(open.iter().all(|ended| ended.as_ref().is_ok_and(|answered| answered.answer.status == 200)));
}

#[test]
fn an_hour_is_not_waited_for_and_the_rest_of_the_key_is_still_asked() {
    let asks = (0..10).map(|number| vaults("s", number));
    let says: Says = |url, _| if url.contains("g003") { wait(3600) } else { fine() };
    let ran = run(pace(), says, &single(asks));
    let statuses: Vec<u16> = (0..10).map(|number| ran.status(&vaults("s", number).url)).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 200, 200, 200, 200, 200, 200]);
    assert_eq!((ran.seen.len(), ran.conduct[&Api::ResourceManager].waited), (10, Duration::ZERO));
}

#[test]
fn patience_ends_before_the_tries_do() {
    let says: Says = |_, _| wait(600);
    let ran = run(pace(), says, &single([vaults("s", 0)]));
    let sent: Vec<Instant> = ran.seen.iter().map(|seen| seen.from / 1000).collect();
    assert_eq!(sent, [0, 600, 1200, 1800], "half an hour in all");
}

#[test]
fn lists_that_were_begun_are_finished_before_others_begin() {
    let lists: Vec<(Ask, usize)> = (0..30).map(|number| (vaults("s", number), 3)).collect();
    let ran = run(pace(), |_, _| fine(), &lists);
    let begun = |at: Instant| ran.of("vaults1").filter(|seen| seen.from <= at).count();
    let ended = |at: Instant| ran.of("vaults3").filter(|seen| seen.to <= at).count();
    for at in (0..2000).step_by(50) {
        assert!(begun(at) <= ended(at) + 8, "at {at}: {} begun, {} ended", begun(at), ended(at));
    }
    assert_eq!(ran.ended.values().map(|(_, at)| *at).max(), Some(1200), "90 pages, 8 at a time");
}

#[test]
fn so_many_at_a_time_and_fewer_of_them_are_log_queries() {
    let queries = (0..20).map(log_query);
    let lists = (0..20).flat_map(|number| [vaults("a", number), vaults("b", number), vaults("c", number)]);
    let ran = run(pace(), |_, _| fine(), &single(queries.chain(lists)));
    assert_eq!(ran.width("/query", 0, 10_000), 5);
    assert_eq!(ran.width("https", 0, 10_000), 8);
}

#[test]
fn own_waits_are_spread_by_chance_and_waits_that_were_told_only_grow() {
    let failing: Says = |_, at| if at == 0 { (503, Vec::new()) } else { fine() };
    let pauses = |seed, says: Says| {
        let asks = single((0..8).map(|number| vaults(&format!("s{number}"), number)));
        let ran = run(Pace { seed: Some(seed), ..Pace::default() }, says, &asks);
        let mut again: Vec<Instant> = ran.seen.iter().map(|seen| seen.from).filter(|at| *at > 0).collect();
        again.sort_unstable();
        again
    };
    let one = pauses(1, failing);
    assert_eq!(one.len(), 8);
    assert!(one.iter().all(|at| (TAKES..TAKES + 1000).contains(at)), "{one:?}");
    assert!(one.last().unwrap() - one[0] > 200, "{one:?} are spread");
    assert_eq!(one, pauses(1, failing), "a replay goes the same way");
    assert_ne!(one, pauses(2, failing));

    let throttling: Says = |_, at| if at == 0 { wait(2) } else { fine() };
    let told = pauses(1, throttling);
    assert!(told.iter().all(|at| (TAKES + 2000..TAKES + 2250).contains(at)), "{told:?}");
    assert!(told.last().unwrap() > &told[0], "{told:?}");
}
