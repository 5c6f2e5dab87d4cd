//! What a service says about its limits, in the headers of an answer.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Answer;

/// A tenth of the 250 reads that Resource Manager grants at once: below, we go slower.
const LOW: u64 = 25;

/// How long the service asks to wait before the next try: `Retry-After` in seconds, whole or with a fraction, or as a
/// date; or milliseconds in the headers that some services have instead, which are finer and come first.
pub(super) fn retry_after(answer: &Answer, now: DateTime<Utc>) -> Option<Duration> {
    let milliseconds = ["x-ms-retry-after-ms", "retry-after-ms"].iter().find_map(|name| answer.header(name));
    if let Some(milliseconds) = milliseconds.and_then(|value| value.trim().parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    }
    let value = answer.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    // a date that has passed means: at once
    Some((until.with_timezone(&Utc) - now).to_std().unwrap_or(Duration::ZERO))
}

/// How long nothing more will be answered: Resource Graph says when the last request of a quota was used up.
pub(super) fn quota_used_up(answer: &Answer) -> Option<Duration> {
    let remaining: u64 = answer.header("x-ms-user-quota-remaining")?.trim().parse().ok()?;
    if remaining > 0 {
        return None;
    }
    clock_time(answer.header("x-ms-user-quota-resets-after")?.trim())
}

/// `hh:mm:ss`, the seconds perhaps with a fraction.
fn clock_time(text: &str) -> Option<Duration> {
    let parts: Vec<&str> = text.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    let whole =
        hours.parse::<u32>().ok()?.checked_mul(3600)?.checked_add(minutes.parse::<u32>().ok()?.checked_mul(60)?)?;
    Duration::try_from_secs_f64(f64::from(whole) + seconds.parse::<f64>().ok()?).ok()
}

/// Whether the service says that little is left of what it grants; none when it says nothing.
pub(super) fn is_low(answer: &Answer) -> Option<bool> {
    let remaining = answer.headers.iter().filter(|(name, _)| name.starts_with("x-ms-ratelimit-remaining-"));
    remaining.flat_map(|(_, value)| numbers(value)).min().map(|least| least < LOW)
}

/// One number; or several policies in one value, as `Microsoft.Compute/LowCostGet3Min;107,Microsoft.Compute/…;699`.
fn numbers(value: &str) -> impl Iterator<Item = u64> {
    value.split(',').filter_map(|part| part.rsplit(';').next()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers<'a> = &'a [(&'a str, &'a str)];

    fn answer(headers: Headers<'_>) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Answer { status: 429, headers, body: Vec::new(), token: 0 }
    }

    fn wait(headers: Headers<'_>) -> Option<f64> {
        let now = "2026-10-02T09:00:00Z".parse().unwrap();
        retry_after(&answer(headers), now).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn a_wait_is_said_in_several_ways() {
        let table: &[(Headers<'_>, Option<f64>)] = &[
            (&[("retry-after", "17")], Some(17.0)),
            (&[("retry-after", " 0.5 ")], Some(0.5)),
            (&[("retry-after", "0")], Some(0.0)),
            (&[("retry-after", "Fri, 02 Oct 2026 09:00:42 GMT")], Some(42.0)),
            (&[("retry-after", "Fri, 02 Oct 2026 08:00:00 GMT")], Some(0.0)),
            (&[("retry-after-ms", "1500")], Some(1.5)),
            (&[("x-ms-retry-after-ms", "250"), ("retry-after", "1")], Some(0.25)),
            (&[("x-ms-retry-after-ms", "soon"), ("retry-after", "3")], Some(3.0)),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "NaN")], None),
            (&[], None),
        ];
        for (headers, expected) in table {
            assert_eq!(wait(headers), *expected, "{headers:?}");
        }
    }

    #[test]
    fn a_used_up_quota_says_when_it_is_filled_again() {
        let quota = |remaining, after| {
            let answer = answer(&[("x-ms-user-quota-remaining", remaining), ("x-ms-user-quota-resets-after", after)]);
            quota_used_up(&answer).map(|wait| wait.as_secs_f64())
        };
        assert_eq!(quota("0", "00:00:05"), Some(5.0));
        assert_eq!(quota("0", "01:02:03.5"), Some(3723.5));
        assert_eq!(quota("1", "00:00:05"), None);
        assert_eq!(quota("0", "5"), None);
        assert_eq!(quota_used_up(&answer(&[])), None);
    }

    #[test]
    fn the_least_of_what_remains_decides() {
        let low = |headers: Headers<'_>| is_low(&answer(headers));
        assert_eq!(low(&[("x-ms-ratelimit-remaining-subscription-reads", "249")]), Some(false));
        assert_eq!(low(&[("x-ms-ratelimit-remaining-subscription-reads", "24")]), Some(true));
        let both =
            [("x-ms-ratelimit-remaining-subscription-reads", "249"), ("x-ms-ratelimit-remaining-tenant-reads", "3")];
        assert_eq!(low(&both), Some(true));
        let policies = "Microsoft.Compute/HighCostGet3Min;7,Microsoft.Compute/HighCostGet30Min;699";
        assert_eq!(low(&[("x-ms-ratelimit-remaining-resource", policies)]), Some(true));
        assert_eq!(low(&[("x-ms-ratelimit-remaining-resource", "unknown")]), None);
        assert_eq!(low(&[("x-ms-request-id", "1")]), None);
    }
}
