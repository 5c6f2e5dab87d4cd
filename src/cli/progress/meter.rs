//! How far a run is, in numbers and in words. It reads no clock: every number comes with its time.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::azure::{Api, Conduct};

/// How far back speed is measured.
const WINDOW: TimeDelta = TimeDelta::seconds(30);
/// Samples are taken no more often than this.
const EVERY: TimeDelta = TimeDelta::seconds(1);
/// A speed is told from this on.
const SHORTEST: TimeDelta = TimeDelta::seconds(2);

/// Counts what is told of a run.
#[derive(Debug, Default)]
pub(super) struct Meter {
    services: BTreeMap<Api, Service>,
    gaps: usize,
    samples: VecDeque<Sample>,
}

/// Questions to one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Service {
    planned: usize,
    ended: usize,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: DateTime<Utc>,
    requests: u64,
    ended: usize,
}

/// How far a run is at one instant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    /// By service: questions that have ended, and questions that are known.
    services: Vec<(Api, usize, usize)>,
    /// Requests a second lately.
    per_second: Option<f64>,
    /// How long the services asked us to wait, all together.
    throttled: Duration,
    gaps: usize,
    /// At the speed of lately, for the questions that are known.
    left: Option<Duration>,
}

impl Meter {
    pub(super) fn planned(&mut self, service: Api, questions: usize) {
        self.services.entry(service).or_default().planned += questions;
    }

    pub(super) fn ended(&mut self, service: Api, is_gap: bool) {
        self.services.entry(service).or_default().ended += 1;
        self.gaps += usize::from(is_gap);
    }

    /// Questions that have ended.
    pub(super) fn done(&self) -> usize {
        self.services.values().map(|service| service.ended).sum()
    }

    /// Questions that are known.
    pub(super) fn known(&self) -> usize {
        self.services.values().map(|service| service.planned).sum()
    }

    /// How far it is now.
    pub(super) fn view(&mut self, now: DateTime<Utc>, conduct: &BTreeMap<Api, Conduct>) -> View {
        let requests = conduct.values().map(|conduct| conduct.requests).sum();
        let sample = Sample { at: now, requests, ended: self.done() };
        if self.samples.back().is_none_or(|last| now - last.at >= EVERY) {
            self.samples.push_back(sample);
        }
        // one that is older than the window is kept, so that the window is always full
        while self.samples.get(1).is_some_and(|second| now - second.at >= WINDOW) {
            self.samples.pop_front();
        }
        let before = self.samples.front().copied().unwrap_or(sample);
        let seconds = (now - before.at).as_seconds_f64();
        let per_second = |count: u64| {
            (now - before.at >= SHORTEST).then(|| count as f64 / seconds).filter(|speed| speed.is_finite())
        };
        let ended = sample.ended.saturating_sub(before.ended);
        let speed = per_second(ended as u64).filter(|speed| *speed > 0.0);
        let left = self.known().saturating_sub(sample.ended);
        View {
            services: self.services.iter().map(|(api, service)| (*api, service.ended, service.planned)).collect(),
            per_second: per_second(requests.saturating_sub(before.requests)),
            throttled: conduct.values().map(|conduct| conduct.waited).sum(),
            gaps: self.gaps,
            left: speed.and_then(|speed| Duration::try_from_secs_f64(left as f64 / speed).ok()),
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = |(api, ended, planned): &(Api, usize, usize)| format!("{} {ended}/{planned}", api.words());
        let services: Vec<String> = self.services.iter().map(service).collect();
        let mut parts = vec![services.join(", ")];
        parts.extend(self.per_second.map(|speed| format!("{speed:.1} requests a second")));
        if self.throttled.as_secs() > 0 {
            parts.push(format!("throttled for {}", length(self.throttled)));
        }
        parts.push(match self.gaps {
            0 => "no gaps".to_owned(),
            1 => "1 gap".to_owned(),
            many => format!("{many} gaps"),
        });
        // answers bring further questions
        parts.extend(self.left.filter(|left| left.as_secs() > 0).map(|left| format!("at least {} left", length(left))));
        f.write_str(&parts.join(" · "))
    }
}

/// `35 s`, `2 min`, `1 h 5 min`.
pub(in crate::cli) fn length(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let minutes = seconds / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_931_600 + second, 0).expect("a time")
    }

    fn conduct(requests: u64, waited: u64) -> BTreeMap<Api, Conduct> {
        let waited = Duration::from_secs(waited);
        BTreeMap::from([(Api::ResourceManager, Conduct { requests, waited, ..Conduct::default() })])
    }

    #[test]
    fn numbers_follow_a_scripted_clock() {
        let mut meter = Meter::default();
        meter.planned(Api::ResourceManager, 100);
        meter.planned(Api::Graph, 2);
        assert_eq!(
            meter.view(at(0), &conduct(0, 0)).to_string(),
            "Resource Manager 0/100, Microsoft Graph 0/2 · no gaps"
        );

        // ten questions in ten seconds, by twenty requests
        (0..9).for_each(|_| meter.ended(Api::ResourceManager, false));
        meter.ended(Api::Graph, true);
        assert_eq!(
            meter.view(at(10), &conduct(20, 0)).to_string(),
            "Resource Manager 9/100, Microsoft Graph 1/2 · 2.0 requests a second · 1 gap · at least 1 min left"
        );
        // 50 seconds of being throttled: nothing has ended within the window, so no time is told
        let throttled = meter.view(at(60), &conduct(20, 45));
        assert_eq!(
            throttled.to_string(),
            "Resource Manager 9/100, Microsoft Graph 1/2 · 0.0 requests a second · throttled for 45 s · 1 gap"
        );
        // and 30 seconds later 62 have, of the 92 that were left: half of that time again for the rest
        (0..61).for_each(|_| meter.ended(Api::ResourceManager, false));
        meter.ended(Api::Graph, true);
        let later = meter.view(at(90), &conduct(82, 45));
        assert_eq!(later.left.map(|left| left.as_secs()), Some(14), "30 left at 62 in 30 s");
        assert_eq!(later.per_second.map(|speed| (speed * 10.0).round()), Some(21.0), "62 in 30 s");
        assert_eq!((meter.done(), meter.known()), (72, 102));
    }

    #[test]
    fn a_clock_that_stands_still_tells_no_speed() {
        let mut meter = Meter::default();
        meter.planned(Api::LogAnalytics, 3);
        for _ in 0..3 {
            meter.ended(Api::LogAnalytics, false);
            let view = meter.view(at(0), &conduct(3, 0));
            assert_eq!((view.per_second, view.left), (None, None));
        }
        assert_eq!(meter.view(at(0), &conduct(3, 0)).to_string(), "Log Analytics 3/3 · no gaps");
    }

    #[test]
    fn the_window_stays_short_in_a_long_run() {
        let mut meter = Meter::default();
        for second in 0..10_000 {
            meter.view(at(second), &conduct(0, 0));
        }
        assert!(meter.samples.len() <= 32, "{}", meter.samples.len());
    }

    #[test]
    fn lengths_are_told_as_a_person_would() {
        let of = |seconds| length(Duration::from_secs(seconds));
        assert_eq!(
            [of(0), of(59), of(60), of(119), of(3600), of(3900)],
            ["0 s", "59 s", "1 min", "1 min", "1 h 0 min", "1 h 5 min"]
        );
    }
}
