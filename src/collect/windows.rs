//! Log rows in windows of time, so that no answer is larger than the service gives and than memory should hold.
//!
//! The count of rows by day, which is asked first, says where to cut. Windows are half-open and follow on each
//! other from the first instant to the last, so that every row is in exactly one of them; rows that arrive while they
//! are asked for are in none, by the cutoff that all share.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use crate::evidence::Window;

/// Rows that one answer should hold: some megabytes. The service gives 500,000 at most, or 64 MB.
const ROWS: u64 = 10_000;
/// An answer with no more rows than this is not cut for its size; halves would fare no better.
const FEW: u128 = 1_000;
/// No more windows than about this, whatever the counts say: past 20 million rows each holds more.
const MOST: u128 = 2_000;
/// Seconds of a day.
const DAY: u64 = 86_400;
/// How often a window is halved whose answer was cut or did not come in time.
const HALVINGS: u32 = 8;

/// Rows that the service counted, by day; by none where a count names no day that can be read.
pub(super) type Days = BTreeMap<Option<DateTime<Utc>>, u64>;

/// Where a window may be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cuts {
    /// At any second.
    Anywhere,
    /// Where a day ends, UTC: each row sums a day, and half a day would make a second row of it.
    BetweenDays,
}

/// A window of time that one request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// First instant in it, first instant after it, and the cutoff.
    pub window: Window,
    /// How often it may still be halved.
    halvings: u32,
    cuts: Cuts,
}

impl Span {
    /// A window that is asked for as a whole, whatever comes of it.
    pub(super) fn whole(window: Window) -> Span {
        Span { window, halvings: 0, cuts: Cuts::BetweenDays }
    }

    /// A window in windows, each with no more rows than one answer should hold as far as the counts tell: one, where
    /// they are few or nothing is known.
    pub(super) fn cut(window: &Window, counted: Option<&Days>, cuts: Cuts) -> Vec<Span> {
        let total = counted.map(|days| days.values().map(|rows| u128::from(*rows)).sum::<u128>());
        let halvings = if total.is_some_and(|total| total <= FEW) { 0 } else { HALVINGS };
        let bearable = u64::try_from(total.unwrap_or(0) / MOST).unwrap_or(u64::MAX).max(ROWS);
        let days = counted.into_iter().flatten().filter_map(|(day, rows)| Some(((*day)?, *rows)));
        let mut ends = Vec::new();
        let mut held: u64 = 0;
        for (day, rows) in days {
            if day + TimeDelta::days(1) <= window.start || day >= window.end {
                continue;
            }
            if held > 0 && rows.saturating_add(held) > bearable {
                ends.push(day);
                held = 0;
            }
            let parts = if cuts == Cuts::Anywhere { rows.div_ceil(bearable).max(1) } else { 1 };
            let part_ends = (1..parts).map(|part| i64::try_from(part * DAY / parts).unwrap_or_default());
            ends.extend(part_ends.map(|seconds| day + TimeDelta::seconds(seconds)));
            held = held.saturating_add(rows / parts);
        }
        ends.retain(|end| window.start < *end && *end < window.end);
        ends.push(window.end);
        let mut start = window.start;
        let mut spans = Vec::new();
        for end in ends {
            spans.push(Span { window: Window { start, end, cutoff: window.cutoff }, halvings, cuts });
            start = end;
        }
        spans
    }

    /// Both halves, cut at a whole second or between days; none where it was halved often enough or is too short.
    pub(super) fn halves(&self) -> Option<[Span; 2]> {
        let halvings = self.halvings.checked_sub(1)?;
        let Window { start, end, cutoff } = self.window;
        let middle = start + TimeDelta::seconds((end - start).num_seconds() / 2);
        let middle = match self.cuts {
            Cuts::Anywhere => Some(middle),
            Cuts::BetweenDays => {
                let midnight = middle.duration_trunc(TimeDelta::days(1)).ok()?;
                [midnight, midnight + TimeDelta::days(1)].into_iter().find(|day| start < *day && *day < end)
            }
        };
        let middle = middle.filter(|middle| start < *middle)?;
        let span = |(start, end)| Span { window: Window { start, end, cutoff }, halvings, cuts: self.cuts };
        Some([(start, middle), (middle, end)].map(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn quarter() -> Window {
        let (start, end) = (at("2026-07-01T00:00:00Z"), at("2026-10-01T00:00:00Z"));
        Window { start, end, cutoff: end }
    }

    fn days(rows: &[(&str, u64)]) -> Days {
        rows.iter().map(|(day, rows)| (Some(at(&format!("{day}T00:00:00Z"))), *rows)).collect()
    }

    /// Where the windows end; they are seen to follow on each other from the first instant to the last.
    fn ends(days: &Days) -> Vec<String> {
        let spans = Span::cut(&quarter(), Some(days), Cuts::Anywhere);
        let mut start = quarter().start;
        for span in &spans {
            assert!(span.window.start == start && start < span.window.end, "{span:?}");
            start = span.window.end;
        }
        assert_eq!(start, quarter().end);
        spans.iter().map(|span| span.window.end.format("%m-%d %H:%M").to_string()).collect()
    }

    #[test]
    fn few_rows_are_one_window() {
        assert_eq!(ends(&Days::new()), ["10-01 00:00"]);
        assert_eq!(ends(&days(&[("2026-07-02", 6_000), ("2026-08-02", 4_000)])), ["10-01 00:00"]);
    }

    #[test]
    fn many_rows_are_cut_between_days() {
        let days = days(&[("2026-07-02", 6_000), ("2026-07-03", 4_000), ("2026-08-01", 1)]);
        assert_eq!(ends(&days), ["08-01 00:00", "10-01 00:00"]);
    }

    #[test]
    fn a_day_with_more_is_cut_in_equal_parts() {
        let busy = days(&[("2026-07-02", 1), ("2026-07-03", 40_000), ("2026-07-04", 1)]);
        assert_eq!(
            ends(&busy),
            ["07-03 00:00", "07-03 06:00", "07-03 12:00", "07-03 18:00", "07-04 00:00", "10-01 00:00"]
        );
    }

    #[test]
    fn whatever_is_counted_the_windows_are_not_endless() {
        let all: Vec<(String, u64)> = (1..=31).map(|day| (format!("2026-07-{day:02}"), u64::MAX)).collect();
        let all: Vec<(&str, u64)> = all.iter().map(|(day, rows)| (day.as_str(), *rows)).collect();
        assert!(ends(&days(&all)).len() < 2_100);
        assert_eq!(ends(&days(&[("2026-07-03", 40_000_000)])).len(), 2_000);
    }

    #[test]
    fn days_outside_the_window_and_odd_counts_cut_nothing() {
        let mut odd = days(&[("2026-06-01", u64::MAX), ("2026-10-01", 40_000), ("2026-12-01", 40_000)]);
        odd.insert(None, 40_000);
        assert_eq!(ends(&odd), ["10-01 00:00"]);
    }

    #[test]
    fn halves_follow_on_and_come_to_an_end() {
        let span = Span::cut(&quarter(), None, Cuts::Anywhere).remove(0);
        let [first, second] = span.halves().expect("halves");
        let ends = [first.window.start, first.window.end, second.window.start, second.window.end];
        assert_eq!(ends, ["07-01", "08-16", "08-16", "10-01"].map(|day| at(&format!("2026-{day}T00:00:00Z"))));
        let (mut at, mut halved) = (span, 0);
        while let Some([half, _]) = at.halves() {
            (at, halved) = (half, halved + 1);
        }
        assert_eq!(halved, HALVINGS);
    }

    #[test]
    fn sums_of_days_are_cut_between_days_only() {
        let busy = days(&[("2026-07-02", 1), ("2026-07-03", 40_000), ("2026-07-04", 1)]);
        let spans = Span::cut(&quarter(), Some(&busy), Cuts::BetweenDays);
        let ends: Vec<DateTime<Utc>> = spans.iter().map(|span| span.window.end).collect();
        assert_eq!(ends, ["07-03", "07-04", "10-01"].map(|day| at(&format!("2026-{day}T00:00:00Z"))));
        assert_eq!(spans[1].halves(), None, "one day");
        let window = Window { start: at("2026-07-01T10:00:00Z"), end: at("2026-07-02T02:00:00Z"), ..quarter() };
        let [first, second] = Span::cut(&window, None, Cuts::BetweenDays)[0].halves().expect("two days");
        let midnight = at("2026-07-02T00:00:00Z");
        assert_eq!((first.window.end, second.window.start, second.window.end), (midnight, midnight, window.end));
        assert_eq!((first.halves(), second.halves()), (None, None));
    }

    #[test]
    fn what_cannot_be_too_large_is_not_halved() {
        assert_eq!(Span::whole(quarter()).halves(), None);
        let of = |rows: u128| {
            Span::cut(&quarter(), Some(&days(&[("2026-07-02", rows as u64)])), Cuts::Anywhere)
                .remove(0)
                .halves()
                .is_some()
        };
        assert_eq!((of(FEW), of(FEW + 1)), (false, true));
        let start = quarter().start;
        let second = Window { end: start + TimeDelta::seconds(1), ..quarter() };
        assert_eq!(Span::cut(&second, None, Cuts::Anywhere).remove(0).halves(), None, "it is too short");
    }
}
