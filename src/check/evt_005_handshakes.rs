//! Calls without a token: the first half of a handshake, or someone knocking.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};

use super::logs::{Logs, ROWS};
use super::people::counted;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::evidence::{Addresses, Cite, Kind, Reason};
use crate::model::{Vault, VaultEvent};

pub(super) const CHECK: Check = Check {
    id: "EVT-005",
    title: "Calls without a valid token are handshakes",
    severity: Severity::Low,
    nature: Nature::Operating,
    asks: "For every vault, the rows with HTTP status 401. A client first calls without a token and is told where to get \
           one; such a row is answered when the same address and client make an authenticated call (2xx or 403) within \
           `handshake_seconds`. Unanswered rows from one address on one day, from `unanswered_handshakes` on, are an \
           exception.",
    blind_to: "Answers by operations other than secret reads and denials, whose rows are not read: their handshakes count \
               as unanswered. Addresses are coarsened in the evidence, so neighbours count \
               as one; with `personal_data.addresses` set to \"full\" they are not, with \"none\" none is matched.",
    fix: "Look up the address. If it is a scanner of your own, record it; if not, close public access: \
          `az keyvault update --name <vault> --public-network-access Disabled`.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        own(Kind::VaultLogDedicated),
        own(Kind::VaultLogLegacy),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let logs = Logs::of(facts);
    facts.tenant.vaults.iter().map(|vault| judge(facts, &logs, vault)).collect()
}

fn judge<'a>(facts: &Facts<'a>, logs: &Logs<'a>, vault: &'a Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let log = match logs.of_vault(vault, ROWS) {
        Ok(log) => log,
        Err(open) => return on.open(&open),
    };
    let calls = log.calls();
    let knocks: Vec<&VaultEvent> = calls.iter().copied().filter(|call| call.status == Some(401)).collect();
    let unanswered = unanswered(facts, &calls);
    let mut by_day: BTreeMap<(NaiveDate, Option<&str>), Vec<&VaultEvent>> = BTreeMap::new();
    for knock in &unanswered {
        by_day.entry((knock.at.date_naive(), knock.caller_ip.as_deref())).or_default().push(knock);
    }
    let limit = facts.parameters.unanswered_handshakes;
    let is_many = |knocks: &Vec<&VaultEvent>| u64::try_from(knocks.len()).unwrap_or(u64::MAX) >= limit;
    let found = by_day.iter().filter(|(_, knocks)| is_many(knocks)).min_by_key(|((_, address), _)| address.is_none());
    if let Some(((day, address), knocks)) = found {
        if address.is_none() && facts.tenant.personal_data.addresses == Addresses::None {
            let on = on.citing(&places(knocks));
            let told = format!("{} on {day}, and no address of a caller was kept", counted(knocks.len(), "call"));
            return on.not_evaluated(Reason::Withheld, told);
        }
        let from = address.map_or("addresses that the log does not name".to_owned(), |address| format!("`{address}`"));
        let on = on.citing(&places(knocks));
        return on.fail(format!(
            "{} from {from} on {day} without an authenticated call after them",
            counted(knocks.len(), "call")
        ));
    }
    if let Some(unclear) = calls.iter().find(|call| call.status.is_none()) {
        let on = on.citing([&unclear.from()]);
        return on.not_evaluated(Reason::ValueUnknown, "a row has no HTTP status, so its outcome is not known");
    }
    let on = on.citing(&log.evidence);
    if let Some(open) = log.falls_short(facts) {
        return on.open(&open);
    }
    if log.is_empty() {
        return on.not_applicable("the log holds no row of it in the period");
    }
    on.pass(format!(
        "{} without a valid token: {} followed by an authenticated call, {} not",
        counted(knocks.len(), "call"),
        knocks.len() - unanswered.len(),
        unanswered.len(),
    ))
}

fn places(events: &[&VaultEvent]) -> Vec<Cite> {
    events.iter().map(|event| event.from()).collect()
}

/// Calls without a token after which the same address and client did not come back with one in time.
fn unanswered<'a>(facts: &Facts<'_>, calls: &[&'a VaultEvent]) -> Vec<&'a VaultEvent> {
    let within = TimeDelta::try_seconds(facts.parameters.handshake_seconds).unwrap_or(TimeDelta::MAX);
    let is_authenticated =
        |status: Option<u16>| status.is_some_and(|status| (200..300).contains(&status) || status == 403);
    let mut open = Vec::new();
    for (index, knock) in calls.iter().enumerate().filter(|(_, call)| call.status == Some(401)) {
        let mut later = calls.iter().skip(index).take_while(|call| call.at - knock.at <= within);
        let is_same = |call: &VaultEvent| call.caller_ip == knock.caller_ip && call.client == knock.client;
        let can_match = knock.caller_ip.is_some();
        if !(can_match && later.any(|call| is_authenticated(call.status) && is_same(call))) {
            open.push(*knock);
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::logs::testing::{WORKSPACE, count, logged, row, with_vault};
    use crate::check::testing::{base, findings_of, only, patched};
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Addresses, Kind, PersonalData, Reason};

    const CALLER: Option<&str> = Some("aaaaaaaa-0000-0000-0000-000000000001");

    fn judged(rows: &[Value]) -> Finding {
        only(&findings_of(&CHECK, logged(base(), rows, &[count("2026-07-01", 99, rows.len() as u64)]))).clone()
    }

    /// So many calls without a token, a minute and a second apart.
    fn knocks(count: u32) -> Vec<Value> {
        let at = |number: u32| format!("2026-07-01T{:02}:{:02}:{:02}Z", 1 + number / 30, number % 30 * 2, number % 60);
        (0..count).map(|number| row(&at(number), "Authentication", 401, None)).collect()
    }

    #[test]
    fn a_challenge_that_is_answered_within_a_minute_is_a_handshake() {
        let knock = row("2026-07-01T08:00:00Z", "Authentication", 401, None);
        let finding = judged(&[knock.clone(), row("2026-07-01T08:01:00Z", "SecretGet", 200, CALLER)]);
        assert_eq!(finding.outcome(), Outcome::Pass);
        assert_eq!(finding.because(), "1 call without a valid token: 1 followed by an authenticated call, 0 not");
        // A denial is an authenticated call too.
        let finding = judged(&[knock, row("2026-07-01T08:00:01Z", "SecretGet", 403, CALLER)]);
        assert!(finding.because().ends_with("1 followed by an authenticated call, 0 not"), "{}", finding.because());
    }

    #[test]
    fn a_later_call_or_another_address_does_not_answer() {
        let knock = row("2026-07-01T08:00:00Z", "Authentication", 401, None);
        let late = row("2026-07-01T08:01:01Z", "SecretGet", 200, CALLER);
        let elsewhere =
            patched(row("2026-07-01T08:00:01Z", "SecretGet", 200, CALLER), &json!({"CallerIpAddress": "198.51.100.0"}));
        for answer in [late, elsewhere] {
            let finding = judged(&[knock.clone(), answer]);
            assert_eq!(finding.because(), "1 call without a valid token: 0 followed by an authenticated call, 1 not");
        }
    }

    #[test]
    fn twenty_unanswered_calls_from_one_address_on_a_day_fail() {
        let finding = judged(&knocks(20));
        assert_eq!(finding.outcome(), Outcome::Fail);
        let because = "20 calls from `203.0.113.0` on 2026-07-01 without an authenticated call after them";
        assert_eq!(finding.because(), because);
        assert_eq!(judged(&knocks(19)).outcome(), Outcome::Pass);
    }

    #[test]
    fn without_addresses_nothing_is_matched_and_nothing_is_clean() {
        let cut = |row: Value| patched(row, &json!({"CallerIpAddress": "[cut]"}));
        let personal = PersonalData { addresses: Addresses::None, ..PersonalData::default() };
        let judged = |rows: Vec<Value>| {
            let rows: Vec<Value> = rows.into_iter().map(cut).collect();
            let counts = [count("2026-07-01", 99, rows.len() as u64)];
            only(&findings_of(&CHECK, logged(base(), &rows, &counts).personal(personal.clone()))).clone()
        };
        let finding = judged(knocks(20));
        assert_eq!(finding.reason(), Some(Reason::Withheld));
        assert_eq!(finding.because(), "20 calls on 2026-07-01, and no address of a caller was kept");
        let call = row("2026-07-01T08:00:01Z", "SecretGet", 200, CALLER);
        let finding = judged(vec![row("2026-07-01T08:00:00Z", "Authentication", 401, None), call]);
        assert_eq!(finding.because(), "1 call without a valid token: 0 followed by an authenticated call, 1 not");
    }

    #[test]
    fn an_unread_log_is_not_evaluated() {
        let judged = |builder: CaptureBuilder| only(&findings_of(&CHECK, builder)).clone();
        let denied = logged(base(), &knocks(1), &[]).denied(Kind::VaultLogDedicated, WORKSPACE);
        assert_eq!(judged(denied).reason(), Some(Reason::Forbidden));
        assert_eq!(judged(with_vault(base(), [])).reason(), Some(Reason::NotFound));
    }

    #[test]
    fn an_empty_log_and_no_vault_are_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, logged(base(), &[], &[]))).outcome(), Outcome::NotApplicable);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
