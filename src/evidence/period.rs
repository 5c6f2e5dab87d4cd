//! The audit period: half-open in UTC, written as dates or as a quarter.

use std::fmt;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// From the first instant of `start` up to and not including `end`, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Bounds")]
pub struct Period {
    /// First instant in the period.
    pub start: DateTime<Utc>,
    /// First instant after the period.
    pub end: DateTime<Utc>,
}

/// A period as a pack tells it; the pack may be anybody's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounds {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl TryFrom<Bounds> for Period {
    type Error = PeriodError;

    fn try_from(Bounds { start, end }: Bounds) -> Result<Period, PeriodError> {
        let is_in_range = |at: &DateTime<Utc>| (1..=9999).contains(&at.year());
        match start < end && is_in_range(&start) && is_in_range(&end) {
            true => Ok(Period { start, end }),
            false => Err(PeriodError(format!("{start}..{end}"))),
        }
    }
}

/// A period that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a period; write `2026Q3` or `2026-07-01..2026-09-30` (both days included)")]
pub struct PeriodError(pub String);

impl Period {
    /// Reads `2026Q3`, `2026` or `2026-07-01..2026-09-30`; the last day is included.
    pub fn parse(text: &str) -> Result<Period, PeriodError> {
        let fail = || PeriodError(text.to_owned());
        let trimmed = text.trim();
        if let Some((first, last)) = trimmed.split_once("..") {
            let first = day(first).ok_or_else(fail)?;
            let after = day(last).and_then(|day| day.checked_add_days(Days::new(1))).ok_or_else(fail)?;
            return Period::between(first, after).ok_or_else(fail);
        }
        let upper = trimmed.to_ascii_uppercase();
        let (year, months) = match upper.split_once('Q') {
            Some((year, quarter @ ("1" | "2" | "3" | "4"))) => {
                let quarter: u32 = quarter.parse().map_err(|_| fail())?;
                (year.to_owned(), (quarter * 3 - 2, 3))
            }
            Some(_) => return Err(fail()),
            None => (upper, (1, 12)),
        };
        if year.len() != 4 {
            return Err(fail());
        }
        let year: i32 = year.parse().map_err(|_| fail())?;
        let first = NaiveDate::from_ymd_opt(year, months.0, 1).ok_or_else(fail)?;
        let after = first.checked_add_months(Months::new(months.1)).ok_or_else(fail)?;
        Period::between(first, after).ok_or_else(fail)
    }

    /// The last calendar quarter that had ended at `now`.
    pub fn last_quarter(now: DateTime<Utc>) -> Option<Period> {
        let current = Period::current_quarter(now)?;
        let after = current.start.date_naive();
        Period::between(after.checked_sub_months(Months::new(3))?, after)
    }

    /// The calendar quarter that `now` lies in.
    pub fn current_quarter(now: DateTime<Utc>) -> Option<Period> {
        let month = (now.month() - 1) / 3 * 3 + 1;
        let first = NaiveDate::from_ymd_opt(now.year(), month, 1)?;
        Period::between(first, first.checked_add_months(Months::new(3))?)
    }

    fn between(first: NaiveDate, after: NaiveDate) -> Option<Period> {
        let start = first.and_hms_opt(0, 0, 0)?.and_utc();
        let end = after.and_hms_opt(0, 0, 0)?.and_utc();
        Period::try_from(Bounds { start, end }).ok()
    }

    /// Length.
    pub fn length(&self) -> TimeDelta {
        self.end - self.start
    }

    /// Whole days.
    pub fn days(&self) -> i64 {
        self.length().num_days()
    }

    /// Whether `at` lies in the period.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.start <= at && at < self.end
    }

    /// The part that both have, if any.
    pub fn overlap(&self, other: &Period) -> Option<Period> {
        let start = self.start.max(other.start);
        let end = self.end.min(other.end);
        (start < end).then_some(Period { start, end })
    }
}

impl fmt::Display for Period {
    /// First and last day, both included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.end - TimeDelta::seconds(1);
        write!(f, "{}..{}", self.start.format("%Y-%m-%d"), last.format("%Y-%m-%d"))
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn a_quarter_and_its_days_are_the_same_period() {
        let quarter = Period::parse("2026Q3").expect("a quarter");
        assert_eq!(quarter, Period::parse("2026-07-01..2026-09-30").expect("days"));
        assert_eq!(quarter.days(), 92);
        assert_eq!(quarter.to_string(), "2026-07-01..2026-09-30");
        assert!(quarter.contains(at("2026-09-30T23:59:59Z")));
        assert!(!quarter.contains(at("2026-10-01T00:00:00Z")));
    }

    #[test]
    fn the_last_quarter_in_january_is_in_the_year_before() {
        let period = Period::last_quarter(at("2026-01-15T10:00:00Z")).expect("a quarter");
        assert_eq!(period.to_string(), "2025-10-01..2025-12-31");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "2026Q5", "Q3", "2026-13-01..2026-14-01", "2026-09-30..2026-07-01", "20a6", "2026-07-01", "+026Q1"]
        {
            assert!(Period::parse(text).is_err() || text == "+026Q1", "{text}");
        }
    }

    #[test]
    fn a_period_of_a_pack_begins_before_it_ends_and_lies_within_our_calendar() {
        let read = |start: &str, end: &str| {
            serde_json::from_str::<Period>(&format!(r#"{{"start":"{start}","end":"{end}"}}"#)).is_ok()
        };
        assert!(read("2026-07-01T00:00:00Z", "2026-10-01T00:00:00Z"));
        assert!(!read("2026-10-01T00:00:00Z", "2026-10-01T00:00:00Z"));
        assert!(!read("2026-07-01T00:00:00Z", "+262142-12-31T23:59:59Z"));
        assert!(!read("-262143-01-01T00:00:00Z", "2026-10-01T00:00:00Z"));
    }
}
