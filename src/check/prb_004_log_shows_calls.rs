//! The vault's own log holds the calls that a record of a probe tells of.

use chrono::TimeDelta;

use super::logs::{COUNTS, Log, Logs, ROWS, oldest, retention};
use super::probes::{is_of_period, nobody_probed, on_record, out_of_period};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population};
use crate::access::Open;
use crate::declared::{Call, Probe, Web};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Correlation, Denial, Vault, VaultEvent};

pub(super) const CHECK: Check = Check {
    id: "PRB-004",
    title: "The vault's log shows the same calls as the record of the probe",
    severity: Severity::High,
    nature: Nature::Operating,
    asks: "For every record of a probe of the period (`probes/*.toml`), each of its calls in the log of that vault: a row \
           with the same status within `probe_minutes`, found by the request id, by the user agent that the script sends, \
           or by caller and secret. A row that tells of another caller or cause than the record is an exception, and so \
           is a call without a row, where the log was read whole, reaches back to the call, agrees with its count, and \
           was read `probe_minutes` after it or later. Calls that got no answer are not looked for. Without a record it \
           awaits a person.",
    blind_to: "A call without a token has no caller in the log, and is told from others by request id or user agent alone. \
               That the vault takes the id which a client sends for its `CorrelationId` is documented for clients; where \
               it does not, the user agent and the caller are left. A row shows that a call was made, and not by which \
               person; vaults that no record is about.",
    fix: "Look for the vault's diagnostic setting at the time of the call (LOG-001, LOG-008, EVT-001): \
          `az monitor diagnostic-settings list --resource <vault id>`. Rows arrive within about ten minutes: collect an \
          hour after the probe or later. Where a row says otherwise than the record, one of the two is wrong: probe \
          again, and keep the record as the script writes it.",
    needs: &[
        population(Kind::Vaults),
        judged(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        judged(Kind::VaultLogDedicated),
        judged(Kind::VaultLogLegacy),
        judged(Kind::VaultLogDedicatedCount),
        judged(Kind::VaultLogLegacyCount),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let logs = Logs::of(facts);
    let (counted, others): (Vec<&Probe>, Vec<&Probe>) =
        facts.declared.probes.iter().partition(|probe| is_of_period(facts, probe));
    let mut findings: Vec<Finding> = others.iter().map(|probe| out_of_period(facts, on_record(probe))).collect();
    findings.extend(counted.iter().map(|probe| judge(facts, &logs, probe)));
    if counted.is_empty() {
        findings.extend(nobody_probed(facts, "calls that a log could show", !others.is_empty()));
    }
    findings
}

/// What the log has of one call.
enum Trace<'a> {
    /// Its row, and by what it was known.
    Found(&'a VaultEvent, &'static str),
    /// A row with its request id that says otherwise; in words.
    Differs(&'a VaultEvent, String),
    /// A row that may be of this call or of another.
    Unclear(&'a VaultEvent),
    /// No row.
    Absent,
}

fn judge<'a>(facts: &Facts<'a>, logs: &Logs<'a>, probe: &Probe) -> Finding {
    let Some(vault) = facts.tenant.vaults.iter().find(|vault| is_at(vault, &probe.vault)) else {
        let because = format!("no vault with the address `{}` was collected", probe.vault.as_str());
        return on_record(probe).not_evaluated(Reason::NotFound, because);
    };
    let file = probe.file.trim_start_matches("probes/");
    let on = about("vault", &vault.id, &format!("{} ← {file}", vault.name), &vault.from).citing([&probe.from]);
    let kinds: Vec<Kind> = ROWS.iter().chain(COUNTS).copied().collect();
    let log = match logs.of_vault(vault, &kinds) {
        Ok(log) => log,
        Err(open) => return on.open(&open),
    };
    let answered: Vec<(&str, &Call)> = probe.calls().filter(|(_, call)| call.status != 0).collect();
    if answered.is_empty() {
        return on
            .not_evaluated(Reason::Inconclusive, "no call of the record got an answer, so that none need have a row");
    }
    let traces: Vec<(&str, &Call, Trace<'_>)> =
        answered.iter().map(|(words, call)| (*words, *call, trace(facts, probe, call, &log))).collect();
    let rows: Vec<Cite> = traces.iter().filter_map(|(_, _, trace)| trace.row()).map(VaultEvent::from).collect();
    let on = on.citing(&rows);
    let differs = traces.iter().find_map(|(words, _, trace)| match trace {
        Trace::Differs(_, what) => Some(format!("the row of the call {words} {what}")),
        _ => None,
    });
    if let Some(what) = differs {
        return on.fail(what);
    }
    let on = on.citing(&log.evidence);
    let absent: Vec<&(&str, &Call, Trace<'_>)> =
        traces.iter().filter(|(_, _, trace)| matches!(trace, Trace::Absent)).collect();
    let proven = absent.iter().filter(|(_, call, _)| unsettled(facts, &log, call).is_none());
    let proven: Vec<String> = proven.map(|(words, call, _)| format!("{words} at {}", time(call))).collect();
    if !proven.is_empty() {
        return on.fail(format!("the log holds no row of what the record tells: {}", proven.join("; ")));
    }
    if let Some(open) = absent.first().and_then(|(_, call, _)| unsettled(facts, &log, call)) {
        return on.open(&open);
    }
    if let Some((words, call, _)) = traces.iter().find(|(_, _, trace)| matches!(trace, Trace::Unclear(_))) {
        let because = format!(
            "a row beside the call {words} of {} may be of this call or of another: row or record name neither request id \
             nor user agent",
            time(call)
        );
        return on.not_evaluated(Reason::ValueUnknown, because);
    }
    let told: Vec<String> = traces
        .iter()
        .filter_map(|(words, call, trace)| match trace {
            Trace::Found(_, by) => Some(format!("{words} {} at {}, by {by}", call.status, time(call))),
            _ => None,
        })
        .collect();
    on.pass(format!("the log shows what the record of `{}` tells: {}", probe.person.as_str(), told.join("; ")))
}

impl<'a> Trace<'a> {
    fn row(&self) -> Option<&'a VaultEvent> {
        match self {
            Trace::Found(row, _) | Trace::Differs(row, _) | Trace::Unclear(row) => Some(row),
            Trace::Absent => None,
        }
    }
}

/// Whether a vault has this address; one that tells none is known by its name.
fn is_at(vault: &Vault, address: &Web) -> bool {
    match vault.vault_uri.as_deref().and_then(Web::parse) {
        Some(own) => own == *address,
        None => address.as_str().split(['/', '.']).nth(2).is_some_and(|name| name.eq_ignore_ascii_case(&vault.name)),
    }
}

fn time(call: &Call) -> String {
    call.at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn window(facts: &Facts<'_>) -> TimeDelta {
    TimeDelta::try_minutes(facts.parameters.probe_minutes.max(0)).unwrap_or(TimeDelta::MAX)
}

fn trace<'a>(facts: &Facts<'_>, probe: &Probe, call: &Call, log: &Log<'a>) -> Trace<'a> {
    let near: Vec<&VaultEvent> =
        log.rows.iter().copied().filter(|row| (row.at - call.at).abs() <= window(facts)).collect();
    // a GUID is the same in either case, and the row has it as it was sent
    let ids: Vec<Correlation> = call
        .ids
        .iter()
        .flat_map(|id| [id.as_str().to_owned(), id.as_str().to_uppercase()])
        .map(|id| Correlation::of(Some(&id)))
        .collect();
    let by_id: Vec<&VaultEvent> = near.iter().copied().filter(|row| ids.contains(&row.correlation)).collect();
    if let Some(row) = by_id.iter().find(|row| difference(probe, call, row).is_none()) {
        return Trace::Found(row, "its request id");
    }
    if let Some((row, what)) = by_id.first().and_then(|row| Some((*row, difference(probe, call, row)?))) {
        return Trace::Differs(row, what);
    }
    let alike: Vec<&VaultEvent> =
        near.into_iter().filter(|row| difference(probe, call, row).is_none() || row.status.is_none()).collect();
    let client = probe.client.as_ref().map(|client| client.as_str());
    let is_client = |row: &VaultEvent| client.is_some() && row.client.as_deref() == client;
    if let Some(row) = alike.iter().find(|row| row.status.is_some() && is_client(row)) {
        return Trace::Found(row, "its user agent");
    }
    // whoever sends another user agent is another
    let mut others = alike.into_iter().filter(|row| client.is_none() || row.client.is_none() || is_client(row));
    let caller = call.token.as_ref().and_then(|facts| facts.oid.as_ref()).map(|oid| oid.as_str());
    let first = others.next();
    let of_caller = first.into_iter().chain(others).find(|row| {
        row.status.is_some() && caller.is_some() && row.caller_object_id.as_deref() == caller && row.object.is_some()
    });
    match (of_caller, first) {
        (Some(row), _) => Trace::Found(row, "its caller and secret"),
        (None, Some(row)) => Trace::Unclear(row),
        (None, None) => Trace::Absent,
    }
}

/// In what a row says otherwise than the record of a call; what either does not tell is no difference.
fn difference(probe: &Probe, call: &Call, row: &VaultEvent) -> Option<String> {
    if row.status != Some(call.status) {
        let status = row.status.map_or_else(|| "no status".to_owned(), |status| status.to_string());
        return Some(format!("has {status}, and the record {}", call.status));
    }
    let caller = call.token.as_ref().and_then(|facts| facts.oid.as_ref()).map(|oid| oid.as_str());
    if let (Some(told), Some(caller)) = (&row.caller_object_id, caller)
        && **told != *caller
    {
        return Some(format!("names the caller {told}, and the record {caller}"));
    }
    let object = row.object.as_deref().and_then(|object| Web::parse(&object.replacen(":443/", "/", 1)));
    if let Some(object) = object.filter(|object| !object.is_below(&probe.secret)) {
        return Some(format!("is about `{}`, and the record about `{}`", object.as_str(), probe.secret.as_str()));
    }
    let inner = call.inner_code.as_ref().map(|code| code.as_str());
    let told = match row.denial {
        Some(Denial::Rbac) => &["ForbiddenByRbac"][..],
        Some(Denial::AccessPolicy) => &["ForbiddenByPolicy", "AccessDenied"],
        Some(Denial::Network) => &["ForbiddenByFirewall", "ForbiddenByConnection"],
        Some(Denial::Unknown) | None => return None,
    };
    let other = inner.filter(|inner| !told.contains(inner))?;
    let cause = row.denial.map(Denial::words).unwrap_or_default();
    Some(format!("says that {cause}, and the record `{other}`"))
}

/// Why the absence of a row of a call proves nothing, if so.
fn unsettled(facts: &Facts<'_>, log: &Log<'_>, call: &Call) -> Option<Open> {
    let since = facts.tenant.collected_at - call.at;
    if since < window(facts) {
        let detail = format!(
            "the log was read {} minutes after the call of {}, when its row need not have been there",
            since.num_minutes(),
            time(call)
        );
        return Some(Open { reason: Reason::PeriodNotOver, detail, from: None });
    }
    if let Some((table, read, counted)) = log.miscounted() {
        let detail = format!("{read} rows were read from `{table}`, and the count says {counted}");
        return Some(Open { reason: Reason::TotalsDiffer, detail, from: None });
    }
    if log.first().is_some_and(|first| first <= call.at) {
        return None;
    }
    let mut unknown = None;
    for destination in &log.destinations {
        match retention(facts, destination.workspace_id, destination.table) {
            Ok(kept) if oldest(facts, &kept) <= call.at => return None,
            Ok(kept) => {
                let detail =
                    format!("the log keeps {} days, and the call of {} is older", kept.interactive, time(call));
                unknown.get_or_insert(Open { reason: Reason::RetentionTooShort, detail, from: Some(kept.from) });
            }
            Err(open) => {
                unknown.get_or_insert(open);
            }
        }
    }
    unknown
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::logs::testing::{WORKSPACE, count, logged, row, table_json, workspace_id};
    use crate::check::probes::testing::{FILE, WITHOUT, probed, record, rows};
    use crate::check::testing::{
        SUB, base, findings_declared, findings_declared_with, findings_of, list, only, outcomes, patched,
    };
    use crate::check::{Finding, Outcome, Parameters};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn judged_in(builder: CaptureBuilder, replaced: &[(&str, &str)]) -> Finding {
        only(&findings_declared(&CHECK, builder, &[(FILE, &record(replaced))])).clone()
    }

    fn judged(rows: &[Value], replaced: &[(&str, &str)]) -> Finding {
        judged_in(probed(rows), replaced)
    }

    /// The rows, each with this laid over it.
    fn all_rows(patch: &Value) -> Vec<Value> {
        rows().into_iter().map(|row| patched(row, patch)).collect()
    }

    const NO_ID: &[(&str, &str)] = &[
        ("client_request_id = \"cccccccc-0000-4000-8000-000000000001\"\n", ""),
        ("client_request_id = \"cccccccc-0000-4000-8000-000000000002\"\n", ""),
        ("client_request_id = \"cccccccc-0000-4000-8000-000000000003\"\n", ""),
    ];

    #[test]
    fn three_rows_with_the_ids_that_were_sent_pass_and_are_cited() {
        let finding = judged(&rows(), &[]);
        assert_eq!(finding.outcome(), Outcome::Pass, "{}", finding.because());
        assert_eq!(finding.because().matches("by its request id").count(), 3, "{}", finding.because());
        assert!(finding.because().contains("without a token 401 at 2026-08-18T14:00:00Z"), "{}", finding.because());
        assert_eq!(finding.evidence().iter().filter(|cite| cite.place().contains("/tables/0/rows/")).count(), 3);
        assert_eq!(&*finding.subject().name, "kv ← kv-20260818.140000.toml");
    }

    #[test]
    fn a_log_with_ids_of_its_own_is_matched_by_the_user_agent_and_without_one_by_caller_and_secret() {
        let own_ids = all_rows(&json!({"CorrelationId": "dddddddd-0000-4000-8000-000000000001"}));
        let finding = judged(&own_ids, &[]);
        assert_eq!(finding.because().matches("by its user agent").count(), 3, "{}", finding.because());
        // a record that somebody wrote by hand, of the calls of a workload
        let client = ("client = \"tickmark-probe/20260818.140000.812\"\n", "");
        let without = record(&[NO_ID, &[client]].concat());
        let with_token: Vec<&str> = without.split("\n[").collect();
        let text = format!("{}\n[{}\n[{}", with_token[0], with_token[2], with_token[3]);
        let finding = only(&findings_declared(&CHECK, probed(&rows()), &[(FILE, &text)])).clone();
        assert!(finding.because().contains("with a token and without a role 403"), "{}", finding.because());
        assert!(finding.because().ends_with("by its caller and secret"), "{}", finding.because());
        // a call without a token has no caller
        let finding = judged(&rows(), &[NO_ID, &[client]].concat());
        assert_eq!(finding.reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn a_call_that_a_whole_log_does_not_hold_fails() {
        for gone in 0..3 {
            let mut rows = rows();
            rows.remove(gone);
            let finding = judged(&rows, &[]);
            assert_eq!(finding.outcome(), Outcome::Fail, "{gone}: {}", finding.because());
            assert!(
                finding.because().starts_with("the log holds no row of what the record tells: "),
                "{}",
                finding.because()
            );
        }
        // an hour is the most that clocks may differ
        let late = all_rows(&json!({"TimeGenerated": "2026-08-18T15:00:03Z"}));
        assert_eq!(judged(&late, &[]).outcome(), Outcome::Fail);
        let in_time = all_rows(&json!({"TimeGenerated": "2026-08-18T14:59:59Z"}));
        assert_eq!(judged(&in_time, &[]).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_handshake_of_another_client_is_not_taken_for_the_call_without_a_token() {
        let mut rows = rows();
        rows[0] = patched(rows[0].clone(), &json!({"CorrelationId": "x", "ClientInfo": "azsdk-python/1.0"}));
        assert_eq!(judged(&rows, &[]).outcome(), Outcome::Fail);
        // one that tells no user agent may be it
        rows[0] = patched(rows[0].clone(), &json!({"ClientInfo": null}));
        assert_eq!(judged(&rows, &[]).reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn a_row_that_says_otherwise_than_the_record_fails() {
        for (number, patch, words) in [
            (0, json!({"HttpStatusCode": 200}), "has 200, and the record 401"),
            (2, json!({"CallerObjectId": WITHOUT}), "names the caller"),
            (
                1,
                json!({"IsRbacAuthorized": null, "ResultDescription": "ForbiddenByFirewall"}),
                "the network rules refuse it",
            ),
            (2, json!({"RequestUri": "https://kv.vault.azure.net/secrets/canary2?api-version=7.4"}), "is about"),
        ] {
            let mut rows = rows();
            rows[number] = patched(rows[number].clone(), &patch);
            let finding = judged(&rows, &[]);
            assert_eq!(finding.outcome(), Outcome::Fail, "{words}: {}", finding.because());
            assert!(finding.because().contains(words), "{}", finding.because());
        }
    }

    #[test]
    fn an_absent_row_proves_nothing_in_a_log_that_may_not_show_it() {
        // the log may lag by more days than have gone by since the calls
        let slow = Parameters { probe_minutes: 60 * 24 * 60, ..Parameters::default() };
        let lagging = only(&findings_declared_with(&CHECK, probed(&[]), &[(FILE, &record(&[]))], &slow)).clone();
        assert_eq!(lagging.reason(), Some(Reason::PeriodNotOver), "{}", lagging.because());
        let short = |builder: CaptureBuilder| {
            builder.replace(Kind::Tables, &workspace_id(), list([table_json("AZKVAuditLogs", Some(30), Some(365))]))
        };
        let only_later = || {
            let read = row("2026-09-20T08:00:00Z", "SecretGet", 200, Some(WITHOUT));
            logged(base(), &[read], &[count("2026-09-20", 30, 1)])
        };
        assert_eq!(judged_in(only_later(), &[]).outcome(), Outcome::Fail, "a year of retention");
        assert_eq!(judged_in(short(only_later()), &[]).reason(), Some(Reason::RetentionTooShort));
        assert_eq!(judged_in(short(probed(&[])), &[]).outcome(), Outcome::Fail, "rows of July are there");
        // fewer rows were read than counted
        let counted = |kept| count("2026-08-18", 30, kept);
        let fewer = logged(base(), &rows()[1..], &[counted(3)]);
        assert_eq!(judged_in(fewer, &[]).reason(), Some(Reason::TotalsDiffer));
        let all = logged(base(), &rows(), &[counted(4)]);
        assert_eq!(judged_in(all, &[]).outcome(), Outcome::Pass, "what was found was found");
    }

    #[test]
    fn calls_without_an_answer_are_not_looked_for() {
        let finding = judged(&rows()[1..], &[("status = 401", "status = 0")]);
        assert_eq!(finding.outcome(), Outcome::Pass);
        let none = [("status = 401", "status = 0"), ("status = 403", "status = 0"), ("status = 200", "status = 0")];
        assert_eq!(judged(&rows(), &none).reason(), Some(Reason::Inconclusive));
    }

    #[test]
    fn an_unread_log_and_a_vault_that_was_not_collected_are_not_evaluated() {
        for kind in [Kind::VaultLogDedicated, Kind::VaultLogDedicatedCount] {
            let finding = judged_in(probed(&rows()).denied(kind, WORKSPACE), &[]);
            assert_eq!(finding.reason(), Some(Reason::Forbidden), "{kind:?}");
        }
        let elsewhere = judged(&rows(), &[("https://kv.vault.azure.net", "https://kv-other.vault.azure.net")]);
        assert_eq!(elsewhere.reason(), Some(Reason::NotFound));
        let findings = findings_declared(&CHECK, base().denied(Kind::Vaults, SUB), &[(FILE, &record(&[]))]);
        assert_eq!(outcomes(&findings), [Outcome::NotEvaluated, Outcome::NotEvaluated]);
    }

    #[test]
    fn without_a_record_it_awaits_a_person_and_without_a_vault_it_does_not_apply() {
        assert_eq!(only(&findings_of(&CHECK, probed(&[]))).outcome(), Outcome::Manual);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
        let findings = findings_declared(&CHECK, probed(&[]), &[(FILE, &record(&[("2026-08-18", "2026-06-18")]))]);
        assert_eq!(outcomes(&findings), [Outcome::NotApplicable, Outcome::Manual]);
    }
}
