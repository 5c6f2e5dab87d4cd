//! Denials in a vault's log, by cause.

use std::collections::BTreeMap;

use super::callers::{Calls, by_caller, described};
use super::logs::{Log, Logs, ROWS};
use super::people::{People, Who, counted};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::evidence::{Kind, Reason};
use crate::model::{Denial, Vault};

pub(super) const CHECK: Check = Check {
    id: "EVT-004",
    title: "Denied calls are split by cause and reviewed",
    severity: Severity::Medium,
    nature: Nature::Operating,
    asks: "For every vault and every caller in its log, the rows with HTTP status 403, by cause: no role, no access \
           policy, or the network. Each needs a person's record that it was looked at. Repeated denials (parameter \
           `unknown_denials`) of a caller that the directory does not have are an exception.",
    blind_to: "Calls that a firewall in front of the vault stopped, and whether anyone looked at the denials.",
    fix: "Record for each caller what it wanted and what was done. For `ForbiddenByRbac` of a workload in use, assign \
          Key Vault Secrets User at the vault; for the network, `az keyvault network-rule add`; for an unknown caller, \
          open an incident.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        judged(Kind::Principals),
        own(Kind::VaultLogDedicated),
        own(Kind::VaultLogLegacy),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let (logs, people) = (Logs::of(facts), People::of(facts.tenant));
    facts.tenant.vaults.iter().flat_map(|vault| of_vault(facts, &logs, &people, vault)).collect()
}

fn of_vault<'a>(facts: &Facts<'a>, logs: &Logs<'a>, people: &People<'_>, vault: &'a Vault) -> Vec<Finding> {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let log = match logs.of_vault(vault, ROWS) {
        Ok(log) => log,
        Err(open) => return vec![on.open(&open)],
    };
    let calls = log.calls();
    let denied = calls.iter().copied().filter(|call| call.status == Some(403));
    let mut findings: Vec<Finding> =
        by_caller(denied).iter().map(|calls| judge(facts, &log, people, vault, calls)).collect();
    let unclear = calls.iter().find(|call| call.status.is_none());
    let on = on.citing(&log.evidence);
    if let Some(unclear) = unclear {
        let on = on.citing([&unclear.from()]);
        findings.push(on.not_evaluated(Reason::ValueUnknown, "a row has no HTTP status, so its outcome is not known"));
    } else if let Some(open) = log.falls_short(facts) {
        findings.push(on.open(&open)); // beside denials too: the days that the log cannot show may hold more
    } else if findings.is_empty() {
        findings.push(match log.is_empty() {
            true => on.not_applicable("the log holds no row of it in the period"),
            false => on.pass(format!("no denied call in {}", counted(calls.len(), "row"))),
        });
    }
    findings
}

fn judge(facts: &Facts<'_>, log: &Log<'_>, people: &People<'_>, vault: &Vault, calls: &Calls<'_>) -> Finding {
    let on = calls.about(vault, people);
    let count = calls.events.len();
    let denials = format!("{} {}: {}", counted(count, "denied call"), calls.when(), causes(calls));
    let is_repeated = u64::try_from(count).unwrap_or(u64::MAX) >= facts.parameters.unknown_denials;
    match calls.who(people) {
        Who::Gone(asked) if is_repeated => {
            on.citing([asked]).fail(format!("{denials}; the directory does not have the caller"))
        }
        Who::Gone(asked) => on
            .citing([asked])
            .citing(&log.evidence)
            .manual(format!("{denials}; the directory does not have the caller")),
        Who::Unknown if is_repeated && calls.caller.is_some() => {
            on.missing(&people.unresolved(calls.caller.as_deref().unwrap_or_default()))
        }
        Who::Unknown => on.citing(&log.evidence).manual(denials),
        Who::Known(person) => {
            on.citing([&person.from]).citing(&log.evidence).manual(format!("{denials}; by {}", described(person)))
        }
    }
}

/// The causes with their counts, in a fixed order.
fn causes(calls: &Calls<'_>) -> String {
    let mut counts: BTreeMap<Denial, usize> = BTreeMap::new();
    for event in &calls.events {
        *counts.entry(event.denial.unwrap_or(Denial::Unknown)).or_default() += 1;
    }
    let words: Vec<String> = counts.iter().map(|(cause, count)| format!("{count} × {}", cause.words())).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::logs::testing::{WORKSPACE, count, logged, row, table_json, with_vault, workspace_id};
    use crate::check::testing::{base, findings_of, list, only, patched, service_principal_json, with_principals};
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const CALLER: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    /// Denials at hours 1, 2, 3 … with these descriptions.
    fn denials(descriptions: &[&str]) -> CaptureBuilder {
        let rows: Vec<Value> = descriptions
            .iter()
            .enumerate()
            .map(|(hour, text)| {
                let row = row(&format!("2026-07-01T{:02}:00:00Z", hour + 1), "SecretGet", 403, Some(CALLER));
                patched(row, &json!({"ResultDescription": text}))
            })
            .collect();
        logged(base(), &rows, &[count("2026-07-01", 20, rows.len() as u64)])
    }

    #[test]
    fn denials_of_a_known_caller_await_a_person_with_their_causes() {
        let builder =
            denials(&["Caller is not authorized to perform action on resource", "Client address is not authorized"]);
        let finding = judged(with_principals(builder, &[CALLER], [service_principal_json(CALLER, "app")]));
        assert_eq!(finding.outcome(), Outcome::Manual);
        assert_eq!(
            finding.because(),
            "2 denied calls from 2026-07-01T01:00:00Z to 2026-07-01T02:00:00Z: 1 × no role permits it (ForbiddenByRbac), \
             1 × the network rules refuse it; by service principal `app`"
        );
    }

    #[test]
    fn three_denials_of_a_caller_whom_the_directory_does_not_have_fail() {
        assert_eq!(judged(with_principals(denials(&["a", "b", "c"]), &[CALLER], [])).outcome(), Outcome::Fail);
        assert_eq!(judged(with_principals(denials(&["a", "b"]), &[CALLER], [])).outcome(), Outcome::Manual);
        // Not looked up is not unknown to the directory.
        assert_eq!(judged(denials(&["a", "b", "c"])).reason(), Some(Reason::PrincipalUnresolved));
    }

    #[test]
    fn denials_in_a_log_that_does_not_show_the_whole_period_are_not_the_whole_list() {
        let late = row("2026-09-10T08:00:00Z", "SecretGet", 403, Some(CALLER));
        let late = logged(base(), &[late], &[count("2026-09-10", 1, 1)]);
        let late = with_principals(late, &[CALLER], [service_principal_json(CALLER, "app")]);
        let short = list([table_json("AZKVAuditLogs", Some(30), Some(30))]);
        let findings = findings_of(&CHECK, late.replace(Kind::Tables, &workspace_id(), short));
        let outcomes: Vec<Outcome> = findings.iter().map(Finding::outcome).collect();
        assert_eq!(outcomes, [Outcome::Manual, Outcome::NotEvaluated]);
        assert_eq!(findings[1].reason(), Some(Reason::RetentionTooShort));
    }

    #[test]
    fn no_denial_in_the_rows_passes() {
        let builder = logged(
            base(),
            &[row("2026-07-01T00:00:00Z", "SecretGet", 200, Some(CALLER))],
            &[count("2026-07-01", 1, 1)],
        );
        let finding = judged(builder);
        assert_eq!((finding.outcome(), finding.because()), (Outcome::Pass, "no denied call in 1 row"));
    }

    #[test]
    fn an_empty_log_and_no_vault_are_not_applicable() {
        assert_eq!(judged(logged(base(), &[], &[])).outcome(), Outcome::NotApplicable);
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }

    #[test]
    fn an_unread_log_is_not_evaluated() {
        let denied = denials(&[]).denied(Kind::VaultLogDedicated, WORKSPACE);
        assert_eq!(judged(denied).reason(), Some(Reason::Forbidden));
        let missing_table =
            denials(&[]).denied(Kind::VaultLogDedicated, WORKSPACE).denied(Kind::VaultLogDedicatedCount, WORKSPACE);
        assert_eq!(judged(missing_table).outcome(), Outcome::NotEvaluated);
        assert_eq!(judged(with_vault(base(), [])).reason(), Some(Reason::NotFound));
    }
}
