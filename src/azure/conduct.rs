//! How the services were asked: for a person who waits, and for the record of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Api;

/// How a service was asked so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conduct {
    /// Requests that were sent, retries among them.
    pub requests: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// Answers that asked for patience (429).
    pub throttled: u64,
    /// Time during which at least one key of the service was left alone because the service asked for it.
    pub waited: Duration,
}

/// Counts, by service.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<Api, Counted>);

#[derive(Debug, Default)]
struct Counted {
    conduct: Conduct,
    /// Pauses that are under way, and when the first of them began.
    pauses: usize,
    since: Option<DateTime<Utc>>,
}

impl Tally {
    pub(super) fn sent(&mut self, api: Api, is_retry: bool) {
        let conduct = &mut self.of(api).conduct;
        conduct.requests += 1;
        conduct.retries += u64::from(is_retry);
    }

    pub(super) fn throttled(&mut self, api: Api) {
        self.of(api).conduct.throttled += 1;
    }

    pub(super) fn pause_began(&mut self, api: Api, now: DateTime<Utc>) {
        let counted = self.of(api);
        counted.pauses += 1;
        counted.since = counted.since.or(Some(now));
    }

    pub(super) fn pause_ended(&mut self, api: Api, now: DateTime<Utc>) {
        let counted = self.of(api);
        counted.pauses = counted.pauses.saturating_sub(1);
        if counted.pauses == 0 {
            counted.conduct.waited += between(counted.since.take(), now);
        }
    }

    /// What was counted until now, pauses that are under way included.
    pub(super) fn at(&self, now: DateTime<Utc>) -> BTreeMap<Api, Conduct> {
        let until_now = |(api, counted): (&Api, &Counted)| {
            (*api, Conduct { waited: counted.conduct.waited + between(counted.since, now), ..counted.conduct })
        };
        self.0.iter().map(until_now).collect()
    }

    fn of(&mut self, api: Api) -> &mut Counted {
        self.0.entry(api).or_default()
    }
}

fn between(since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Duration {
    since.and_then(|since| (now - since).to_std().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_side_by_side_are_one_and_one_that_lasts_counts_until_now() {
        let at = |second: i64| DateTime::from_timestamp(second, 0).unwrap();
        let waited = |tally: &Tally, second| tally.at(at(second)).get(&Api::Graph).unwrap().waited.as_secs();
        let mut tally = Tally::default();
        tally.pause_began(Api::Graph, at(10));
        tally.pause_began(Api::Graph, at(12));
        tally.pause_ended(Api::Graph, at(15));
        assert_eq!(waited(&tally, 16), 6);
        tally.pause_ended(Api::Graph, at(20));
        assert_eq!(waited(&tally, 99), 10);
        tally.pause_began(Api::Graph, at(100));
        assert_eq!(waited(&tally, 103), 13);
        tally.pause_began(Api::LogAnalytics, at(100));
        assert_eq!(waited(&tally, 103), 13, "each service has its own");
    }
}
