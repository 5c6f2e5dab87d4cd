//! Whether the rows that were read are all the rows there are.

use super::logs::{COUNTS, Logs, ROWS};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::evidence::{Kind, Reason};
use crate::model::Vault;

pub(super) const CHECK: Check = Check {
    id: "EVT-002",
    title: "The population of secret reads is produced and complete",
    severity: Severity::High,
    nature: Nature::Operating,
    asks: "For every vault, the rows of its log that were read (secret reads, handshakes and denials), against a count \
           of the same rows that was asked for on its own, for each workspace and table.",
    blind_to: "Rows that never reached the workspace (EVT-001), and operations other than reads, handshakes and denials.",
    fix: "Collect again. If the difference stays, look for rows that arrived late or were purged in between.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        own(Kind::VaultLogDedicated),
        own(Kind::VaultLogLegacy),
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
    let kinds: Vec<Kind> = ROWS.iter().chain(COUNTS).copied().collect();
    let log = match logs.of_vault(vault, &kinds) {
        Ok(log) => log,
        Err(open) => return on.open(&open),
    };
    let on = on.citing(&log.evidence);
    if let Some((table, read, counted)) = log.miscounted() {
        let words = format!("{read} rows were read from `{table}`, and the count says {counted}");
        return on.not_evaluated(Reason::TotalsDiffer, words);
    }
    if let Some(open) = log.falls_short(facts) {
        return on.open(&open);
    }
    if log.is_empty() {
        return on.not_applicable("the log holds no row of it in the period, and the count says the same");
    }
    let reads = log.rows.iter().filter(|row| row.operation.eq_ignore_ascii_case("SecretGet")).count();
    on.pass(format!("{} rows as counted, {reads} SecretGet", log.rows.len()))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::check::logs::testing::{WORKSPACE, count, logged, row, table_json, with_vault, workspace_id};
    use crate::check::testing::{base, findings_of, list, only};
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const WORKLOAD: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    fn three_rows() -> [serde_json::Value; 3] {
        [
            row("2026-07-01T08:00:00Z", "Authentication", 401, None),
            row("2026-07-01T08:00:01Z", "SecretGet", 200, Some(WORKLOAD)),
            row("2026-07-01T09:00:00Z", "SecretGet", 403, Some(WORKLOAD)),
        ]
    }

    #[test]
    fn rows_as_counted_pass() {
        // Ten rows in the log, three of them of the kinds that are read.
        let finding = judged(logged(base(), &three_rows(), &[count("2026-07-01", 10, 3)]));
        assert_eq!((finding.outcome(), finding.because()), (Outcome::Pass, "3 rows as counted, 2 SecretGet"));
    }

    #[test]
    fn a_row_fewer_or_more_than_counted_is_not_evaluated() {
        for counted in [2, 4] {
            let finding = judged(logged(base(), &three_rows(), &[count("2026-07-01", 10, counted)]));
            assert_eq!(finding.reason(), Some(Reason::TotalsDiffer));
        }
        assert_eq!(judged(logged(base(), &three_rows(), &[])).reason(), Some(Reason::TotalsDiffer));
    }

    #[test]
    fn unread_rows_or_counts_are_not_evaluated() {
        let full = || logged(base(), &three_rows(), &[count("2026-07-01", 10, 3)]);
        for kind in [Kind::VaultLogDedicated, Kind::VaultLogDedicatedCount] {
            assert_eq!(judged(full().denied(kind, WORKSPACE)).reason(), Some(Reason::Forbidden));
        }
        assert_eq!(judged(with_vault(base(), [])).reason(), Some(Reason::NotFound));
    }

    #[test]
    fn a_population_of_a_part_of_the_period_is_not_the_population() {
        let rows = [row("2026-09-10T08:00:01Z", "SecretGet", 200, Some(WORKLOAD))];
        let builder = logged(base(), &rows, &[count("2026-09-10", 10, 1)]);
        assert_eq!(judged(builder.clone()).outcome(), Outcome::Pass);
        let short = list([table_json("AZKVAuditLogs", Some(30), Some(365))]);
        assert_eq!(
            judged(builder.replace(Kind::Tables, &workspace_id(), short)).reason(),
            Some(Reason::RetentionTooShort)
        );
    }

    #[test]
    fn an_empty_log_and_no_vault_are_not_applicable() {
        assert_eq!(judged(logged(base(), &[], &[])).outcome(), Outcome::NotApplicable);
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
