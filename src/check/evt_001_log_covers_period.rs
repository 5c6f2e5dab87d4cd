//! Whether silence in a vault's log can be taken for silence of the vault.

use chrono::{DateTime, Days, Utc};

use super::logs::{COUNTS, Log, Logs, gap, not_over, oldest, retention};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::evidence::{Cite, Kind, Period};
use crate::model::{Vault, VaultDay};

/// Fewer days than this do not make an average: one busy hour is not steady traffic.
const SHORTEST_SPAN: i64 = 7;

pub(super) const CHECK: Check = Check {
    id: "EVT-001",
    title: "The vault log covers the period without gaps",
    severity: Severity::Critical,
    nature: Nature::Operating,
    asks: "For every vault, the rows per day in its workspaces over the period, first and last row, and the retention \
           of the table. A vault with steady traffic (parameter `expected_rows_per_day`) whose log is silent longer \
           than `gap_hours` is an exception. Where the table keeps less than the period, only a part was seen and \
           nothing is concluded.",
    blind_to: "Silence shorter than a day inside a day that has rows; whether a quiet vault was quiet or unlogged, which \
               only a regular read of a canary secret can show; rows that were purged and whose neighbours remain.",
    fix: "Look at the activity log for `Microsoft.Insights/diagnosticSettings/write` and `delete` around the gap, and at \
          `_LogOperation` for a daily cap. Raise retention (LOG-003), collect more often than the retention, and read a \
          canary secret daily on quiet vaults.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        own(Kind::VaultLogDedicatedCount),
        own(Kind::VaultLogLegacyCount),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let logs = Logs::of(facts);
    facts.tenant.vaults.iter().map(|vault| judge(facts, &logs, vault)).collect()
}

fn judge<'a>(facts: &Facts<'a>, logs: &Logs<'a>, vault: &'a Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let log = match logs.of_vault(vault, COUNTS) {
        Ok(log) => log,
        Err(open) => return on.open(&open),
    };
    let days: Vec<&VaultDay> = log.days.iter().copied().filter(|day| day.rows > 0).collect();
    let rows: u64 = days.iter().map(|day| day.rows).sum();
    let edges: Vec<Cite> = days.first().into_iter().chain(days.last()).map(|day| day.from.clone()).collect();
    let on = on.citing(&log.evidence).citing(&edges);
    let too_short = log.kept_too_short(facts);
    let seen = Period { start: seen_from(facts, &log, too_short.is_some()), end: seen_until(facts) };
    let busy = is_busy(facts, &days, rows);
    let silence = silences(&days, &seen).into_iter().max_by_key(|(from, to)| (*to - *from, *from));
    if let Some((from, to)) = silence
        && busy
        && to - from > gap(facts)
    {
        return on.fail(words_of_silence(facts, &days, from, to));
    }
    if let Some(open) = too_short.or_else(|| not_over(facts)) {
        return on.open(&open);
    }
    if rows == 0 {
        return on.manual("no row in the whole period: silence proves nothing without a canary read");
    }
    let over = format!("{rows} rows on {} of {} days", count_of_days(&days), facts.period.days());
    if !busy {
        return on.manual(format!("low traffic, {over}: silence proves nothing without a canary read"));
    }
    on.pass(format!("{over}, no silence longer than {} hours", facts.parameters.gap_hours))
}

/// Where the part of the period begins that the tables could still show at collection.
fn seen_from(facts: &Facts<'_>, log: &Log<'_>, too_short: bool) -> DateTime<Utc> {
    let start = facts.period.start;
    if !too_short {
        return start;
    }
    let kept = log.destinations.iter().filter_map(|to| retention(facts, to.workspace_id, to.table).ok());
    let reach = kept.map(|kept| oldest(facts, &kept)).min();
    // With unknown retention, what lies before the first row may have been cut off.
    reach.or(log.first()).unwrap_or(start).max(start)
}

fn seen_until(facts: &Facts<'_>) -> DateTime<Utc> {
    facts.period.end.min(facts.tenant.collected_at)
}

/// Whether the vault has steady traffic between its first and its last row.
fn is_busy(facts: &Facts<'_>, days: &[&VaultDay], rows: u64) -> bool {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return false };
    let span = (last.day - first.day).num_days().saturating_add(1).max(SHORTEST_SPAN);
    let span = u64::try_from(span).unwrap_or(u64::MAX);
    rows >= facts.parameters.expected_rows_per_day.saturating_mul(span)
}

/// Stretches of `seen` without a row. A day's rows of one operation are taken for unbroken from the first to the last.
fn silences(days: &[&VaultDay], seen: &Period) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let mut stretches: Vec<(DateTime<Utc>, DateTime<Utc>)> = days
        .iter()
        .map(|day| {
            (day.first.unwrap_or(day.day), day.last.or(day.day.checked_add_days(Days::new(1))).unwrap_or(day.day))
        })
        .collect();
    stretches.sort();
    let mut silences = Vec::new();
    let mut heard_until = seen.start;
    for (first, last) in stretches {
        if first > heard_until {
            silences.push((heard_until, first.min(seen.end)));
        }
        heard_until = heard_until.max(last);
    }
    if heard_until < seen.end {
        silences.push((heard_until, seen.end));
    }
    silences.retain(|(from, to)| from < to);
    silences
}

fn words_of_silence(facts: &Facts<'_>, days: &[&VaultDay], from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let hours = (to - from).num_hours();
    let first = days.iter().map(|day| day.first.unwrap_or(day.day)).min();
    if first == Some(to) && from == facts.period.start {
        return format!("no row before {}, though the table keeps the {hours} hours before it", time(to));
    }
    format!("no row for {hours} hours, from {} to {}", time(from), time(to))
}

fn count_of_days(days: &[&VaultDay]) -> usize {
    let mut each: Vec<DateTime<Utc>> = days.iter().map(|day| day.day).collect();
    each.dedup();
    each.len()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::access::Access;
    use crate::check::logs::testing::{WORKSPACE, count, logged, setting_json, table_json, with_vault, workspace_id};
    use crate::check::testing::{base, findings_of, findings_with, list, only, vault_id};
    use crate::check::{Facts, Finding, Outcome, Parameters, runner};
    use crate::declared::Declared;
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Period, Reason};
    use crate::model;

    /// Counts of every day of the quarter but those of `silent`, thirty rows a day.
    fn daily(silent: impl Fn(&str) -> bool) -> Vec<Value> {
        let days = (7..=9).flat_map(|month| (1..=31).map(move |day| format!("2026-{month:02}-{day:02}")));
        days.filter(|day| day != "2026-09-31" && !silent(day)).map(|day| count(&day, 30, 30)).collect()
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn rows_on_every_day_pass() {
        let finding = judged(logged(base(), &[], &daily(|_| false)));
        assert_eq!(finding.outcome(), Outcome::Pass, "{}", finding.because());
        assert_eq!(finding.because(), "2760 rows on 92 of 92 days, no silence longer than 24 hours");
    }

    #[test]
    fn a_day_without_rows_on_a_busy_vault_fails() {
        let finding = judged(logged(base(), &[], &daily(|day| day == "2026-08-10")));
        assert_eq!(finding.outcome(), Outcome::Fail);
        // From 23:00 on the ninth, the last row, to midnight after the tenth.
        assert_eq!(finding.because(), "no row for 25 hours, from 2026-08-09T23:00:00Z to 2026-08-11T00:00:00Z");
    }

    #[test]
    fn logging_switched_on_within_the_period_fails() {
        let finding = judged(logged(base(), &[], &daily(|day| day < "2026-08-01")));
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert!(finding.because().starts_with("no row before 2026-08-01T00:00:00Z"), "{}", finding.because());
    }

    #[test]
    fn logging_switched_off_before_the_end_fails() {
        let finding = judged(logged(base(), &[], &daily(|day| day > "2026-08-31")));
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert!(
            finding.because().ends_with("from 2026-08-31T23:00:00Z to 2026-10-01T00:00:00Z"),
            "{}",
            finding.because()
        );
    }

    #[test]
    fn a_threshold_beyond_all_time_is_no_defect() {
        for gap_hours in [i64::MAX, i64::MIN] {
            let parameters = Parameters { gap_hours, ..Parameters::default() };
            let findings = findings_with(&CHECK, logged(base(), &[], &daily(|_| false)), &parameters);
            let expected = if gap_hours > 0 { Outcome::Pass } else { Outcome::Fail };
            assert_eq!(only(&findings).outcome(), expected);
        }
    }

    #[test]
    fn a_quiet_vault_awaits_a_person() {
        let quiet = [count("2026-07-03", 2, 2), count("2026-09-20", 1, 1)];
        let finding = judged(logged(base(), &[], &quiet));
        assert_eq!(finding.outcome(), Outcome::Manual);
        assert!(finding.because().starts_with("low traffic, 3 rows on 2 of 92 days"), "{}", finding.because());
        // One busy hour is not steady traffic.
        assert_eq!(judged(logged(base(), &[], &[count("2026-08-01", 40, 40)])).outcome(), Outcome::Manual);
        assert_eq!(judged(logged(base(), &[], &[])).outcome(), Outcome::Manual);
    }

    #[test]
    fn thirty_days_of_retention_do_not_show_a_quarter() {
        // Collected on 2 October at 09:00: the table reaches back to 2 September.
        let short = [table_json("AZKVAuditLogs", Some(30), Some(30))];
        let builder = logged(base(), &[], &daily(|day| day < "2026-09-02"));
        let finding = judged(builder.replace(Kind::Tables, &workspace_id(), list(short.clone())));
        assert_eq!((finding.outcome(), finding.reason()), (Outcome::NotEvaluated, Some(Reason::RetentionTooShort)));
        assert!(finding.because().contains("28 of the period's 92 days"), "{}", finding.because());
        // A hole in what it does show is seen.
        let builder = logged(base(), &[], &daily(|day| day < "2026-09-02" || day == "2026-09-15"));
        assert_eq!(judged(builder.replace(Kind::Tables, &workspace_id(), list(short))).outcome(), Outcome::Fail);
    }

    #[test]
    fn unknown_retention_matters_only_when_the_first_row_is_late() {
        let all = logged(base(), &[], &daily(|_| false)).denied(Kind::Tables, &workspace_id());
        assert_eq!(judged(all).outcome(), Outcome::Pass);
        let late = logged(base(), &[], &daily(|day| day < "2026-08-01")).denied(Kind::Tables, &workspace_id());
        assert_eq!(judged(late).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn counts_or_settings_that_were_not_read_are_not_evaluated() {
        let full = || logged(base(), &[], &daily(|_| false));
        assert_eq!(judged(full().denied(Kind::VaultLogDedicatedCount, WORKSPACE)).reason(), Some(Reason::Forbidden));
        assert_eq!(judged(full().denied(Kind::DiagnosticSettings, &vault_id("kv"))).reason(), Some(Reason::Forbidden));
        // The table that no setting sends to does not matter.
        assert_eq!(judged(full().denied(Kind::VaultLogLegacyCount, WORKSPACE)).outcome(), Outcome::Pass);
        assert_eq!(judged(full().denied(Kind::VaultLogDedicated, WORKSPACE)).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_vault_without_a_log_and_one_with_a_hidden_workspace_are_not_evaluated() {
        assert_eq!(judged(with_vault(base(), [])).reason(), Some(Reason::NotFound));
        let hidden =
            with_vault(base(), [setting_json(&json!({}))]).gap(Kind::Workspace, &workspace_id(), Reason::Forbidden);
        assert_eq!(judged(hidden).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn a_period_that_goes_on_is_not_evaluated() {
        let tenant = model::read(&logged(base(), &[], &[count("2026-10-01", 300, 9)]).build()).expect("a tenant");
        let period = Period::parse("2026Q4").expect("a period");
        let (access, parameters) = (Access::of(&tenant), Parameters::default());
        let facts = Facts {
            tenant: &tenant,
            access: &access,
            period,
            parameters: &parameters,
            declared: &Declared::default(),
            ledger: &[],
        };
        let finding = only(&runner::run(&CHECK, &facts)).clone();
        assert_eq!(finding.reason(), Some(Reason::PeriodNotOver));
        assert!(finding.because().contains("1 of the period's 92 days"), "{}", finding.because());
    }

    #[test]
    fn no_vault_is_not_applicable() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
