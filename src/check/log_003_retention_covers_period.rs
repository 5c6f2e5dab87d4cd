//! Whether the tables keep a period's rows long enough to be examined.

use std::collections::BTreeMap;

use super::logs::{Destination, destinations, retention};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::evidence::Kind;
use crate::model::Id;

pub(super) const CHECK: Check = Check {
    id: "LOG-003",
    title: "Tables that hold vault logs keep them beyond the period",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "For every workspace table that a vault's audit events go to, whether its total retention is at least the \
           length of the period and a margin (parameter `retention_margin_days`). Where the table says nothing, the \
           workspace's retention counts.",
    blind_to: "Since when that retention holds, and rows that were purged; copies in storage accounts.",
    fix: "`az monitor log-analytics workspace table update --resource-group <group> --workspace-name <workspace> --name \
          AZKVAuditLogs --retention-time 180 --total-retention-time 365`.",
    needs: &[
        population(Kind::Vaults),
        population(Kind::DiagnosticSettings),
        own(Kind::Tables),
        judged(Kind::Workspaces),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut users: BTreeMap<(&Id, &str), Vec<Destination<'_>>> = BTreeMap::new();
    for user in facts.tenant.vaults.iter().flat_map(|vault| destinations(facts.tenant, vault)) {
        users.entry((user.workspace_id, user.table)).or_default().push(user);
    }
    users.values().filter_map(|users| Some(judge(facts, users.first()?, users))).collect()
}

/// The table of one destination, with every setting that sends to it.
fn judge(facts: &Facts<'_>, to: &Destination<'_>, users: &[Destination<'_>]) -> Finding {
    let name = format!("{}/{}", to.workspace_id.name(), to.table);
    let from = to.workspace.map_or(&to.setting.from, |workspace| &workspace.from);
    let on = about("workspace", to.workspace_id, &name, from).citing(users.iter().map(|user| &user.setting.from));
    let kept = match retention(facts, to.workspace_id, to.table) {
        Ok(kept) => kept,
        Err(open) => return on.open(&open),
    };
    let on = on.citing([&kept.from]);
    let period = facts.period.days();
    let margin = facts.parameters.retention_margin_days;
    if kept.total < period.saturating_add(margin) {
        return on.fail(format!("keeps {} days; the period of {period} days and {margin} more are needed", kept.total));
    }
    if kept.interactive < period {
        return on.pass(format!(
            "keeps {} days, but only {} in reach of queries, less than the period: collect more often than that",
            kept.total, kept.interactive,
        ));
    }
    on.pass(format!("keeps {} days, {} of them in reach of queries", kept.total, kept.interactive))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::logs::testing::{setting_json, table_json, with_vault, with_workspace, workspace_id};
    use crate::check::testing::{base, findings_of, list, only, vault_id};
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn logging() -> CaptureBuilder {
        with_workspace(with_vault(base(), [setting_json(&json!({}))]))
    }

    fn judged(tables: impl IntoIterator<Item = Value>) -> Finding {
        only(&findings_of(&CHECK, logging().replace(Kind::Tables, &workspace_id(), list(tables)))).clone()
    }

    #[test]
    fn the_period_and_a_margin_are_needed() {
        // 2026Q3 has 92 days, the margin is 30.
        let finding = judged([table_json("AZKVAuditLogs", Some(122), Some(122))]);
        assert_eq!((finding.outcome(), finding.subject().name.as_str()), (Outcome::Pass, "law/AZKVAuditLogs"));
        let finding = judged([table_json("AZKVAuditLogs", Some(121), Some(121))]);
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert_eq!(finding.because(), "keeps 121 days; the period of 92 days and 30 more are needed");
    }

    #[test]
    fn rows_out_of_reach_of_queries_pass_with_a_warning() {
        let finding = judged([table_json("AZKVAuditLogs", Some(30), Some(365))]);
        assert_eq!(finding.outcome(), Outcome::Pass);
        assert!(finding.because().contains("only 30 in reach of queries"), "{}", finding.because());
    }

    #[test]
    fn a_table_that_inherits_is_judged_by_the_workspace() {
        // The workspace of the fixture keeps 365 days.
        assert_eq!(judged([table_json("AZKVAuditLogs", Some(-1), None)]).outcome(), Outcome::Pass);
        assert_eq!(judged([table_json("azkvauditlogs", None, Some(-1))]).outcome(), Outcome::Pass);
    }

    #[test]
    fn the_other_table_does_not_count() {
        let finding = judged([table_json("AzureDiagnostics", Some(365), Some(365))]);
        assert_eq!((finding.outcome(), finding.reason()), (Outcome::NotEvaluated, Some(Reason::TableMissing)));
    }

    #[test]
    fn unread_tables_and_settings_are_not_evaluated() {
        let denied = logging().denied(Kind::Tables, &workspace_id());
        assert_eq!(only(&findings_of(&CHECK, denied)).reason(), Some(Reason::Forbidden));
        let denied = logging().denied(Kind::DiagnosticSettings, &vault_id("kv"));
        let findings = findings_of(&CHECK, denied);
        assert!(findings.iter().all(|finding| finding.outcome() == Outcome::NotEvaluated), "{findings:#?}");
    }

    #[test]
    fn no_vault_that_logs_to_a_workspace_is_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, with_vault(base(), []))).outcome(), Outcome::NotApplicable);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
