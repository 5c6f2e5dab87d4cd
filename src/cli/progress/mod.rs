//! Progress of a collection: a bar on a terminal, plain lines at a sober rate elsewhere, nothing with `--quiet`.

mod meter;

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use indicatif::{ProgressBar, ProgressStyle};

use self::meter::{Meter, View};
use super::terminal::clean;
use crate::azure::{Api, Door};
use crate::collect::Progress;

pub(super) use self::meter::length;

/// How often the time is looked at while questions are under way.
const TICK: Duration = Duration::from_secs(1);

/// Shows how a run through one door goes.
pub(super) struct Shown<'door> {
    door: &'door Door,
    face: Face,
    state: Mutex<State>,
}

enum Face {
    Silent,
    Bar(ProgressBar),
    Lines,
}

#[derive(Default)]
struct State {
    meter: Meter,
    /// When the run began, and when the last line was printed.
    times: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl<'door> Shown<'door> {
    pub(super) fn new(quiet: bool, door: &'door Door) -> Shown<'door> {
        let face = if quiet {
            Face::Silent
        } else if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{spinner} {pos}/{len} {elapsed} {wide_msg}");
            Face::Bar(ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
        } else {
            Face::Lines
        };
        Shown { door, face, state: Mutex::default() }
    }

    /// Does the work, and looks at the time beside it.
    pub(super) async fn beside<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(TICK) => self.show(&mut self.lock()),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, state: &mut State) {
        let now = self.door.clock().now();
        match &self.face {
            Face::Silent => {}
            Face::Bar(bar) => {
                let view = state.meter.view(now, &self.door.conduct());
                bar.set_length(state.meter.known() as u64);
                bar.set_position(state.meter.done() as u64);
                bar.set_message(view.to_string());
                bar.tick();
            }
            Face::Lines => {
                let view = state.meter.view(now, &self.door.conduct());
                if is_due(&mut state.times, now) {
                    print(&line(state, &view));
                }
            }
        }
    }
}

/// Every ten seconds in the first two minutes, then every minute.
fn is_due(times: &mut Option<(DateTime<Utc>, DateTime<Utc>)>, now: DateTime<Utc>) -> bool {
    let (began, last) = times.get_or_insert((now, now));
    let rate = if now - *began < TimeDelta::minutes(2) { TimeDelta::seconds(10) } else { TimeDelta::minutes(1) };
    let is_due = now - *last >= rate;
    if is_due {
        *last = now;
    }
    is_due
}

fn line(state: &State, view: &View) -> String {
    format!("{} {view}", place(state))
}

fn place(state: &State) -> String {
    format!("[{}/{}]", state.meter.done(), state.meter.known())
}

fn print(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}"); // nothing can be said when standard error is gone
}

impl Progress for Shown<'_> {
    fn planned(&self, service: Api, questions: usize) {
        let mut state = self.lock();
        state.meter.planned(service, questions);
        self.show(&mut state);
    }

    fn ended(&self, service: Api, title: &str, gap: Option<&str>) {
        let mut state = self.lock();
        state.meter.ended(service, gap.is_some());
        if let Some(gap) = gap {
            let words = format!("gap: {}: {}", clean(title), clean(gap));
            match &self.face {
                Face::Silent => {}
                Face::Bar(bar) => bar.println(words),
                Face::Lines => print(&format!("{} {words}", place(&state))),
            }
        }
        self.show(&mut state);
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if let Face::Bar(bar) = &self.face {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_at_a_sober_rate() {
        let at = |second: i64| DateTime::from_timestamp(1_790_931_600 + second, 0).expect("a time");
        let mut times = None;
        let due: Vec<i64> = (0..400).filter(|second| is_due(&mut times, at(*second))).collect();
        assert_eq!(due, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 170, 230, 290, 350]);
    }

    #[test]
    fn a_clock_that_stands_still_prints_no_lines() {
        let mut times = None;
        assert!((0..400).all(|_| !is_due(&mut times, DateTime::UNIX_EPOCH)));
    }
}
