//! PACK-001: every question was answered whole, so that the other results rest on all there is.

use super::finding::unread;
use super::{About, Check, Facts, Finding, Nature, Severity, about};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Coverage, Id, Missing};

pub(super) const CHECK: Check = Check {
    id: "PACK-001",
    title: "The collection is complete",
    severity: Severity::Critical,
    nature: Nature::Operating,
    asks: "Whether every planned question, and every question that follows from an answer, was answered to its last \
           page, whether independent counts agree with the rows that were read, and whether what the configuration \
           expects to exist was seen. A log table that does not exist and that no vault writes to is no gap.",
    blind_to: "What Azure hides from the collecting identity without saying so: lists show only what it may read. Name \
               the subscriptions that must be there in the configuration, so that a missing one is seen.",
    fix: "Give the collecting identity the permission that each gap names, and collect again. Where two counts differ, \
          collect again after the log has settled.",
    needs: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let coverage = &facts.tenant.coverage;
    let records: Vec<Cite> =
        Kind::ALL.iter().flat_map(|kind| coverage.questions(*kind)).map(|asked| asked.from.clone()).collect();
    let Some(first) = records.first() else {
        return vec![unread(&Missing {
            kind: Kind::Subscriptions,
            scope: "tenant".to_owned(),
            reason: Reason::NotAsked,
            detail: "no question was put at all".to_owned(),
            from: None,
        })];
    };
    let on = |from: &Cite| about("collection", &Id::new(facts.tenant.id.clone()), "the collection", from);

    let gaps: Vec<Missing> = Kind::ALL.iter().flat_map(|kind| coverage.missing_anywhere(*kind)).collect();
    let mut findings: Vec<Finding> =
        gaps.iter().map(|gap| judge(on(gap.from.as_ref().unwrap_or(first)), gap)).collect();
    findings.extend(unseen(facts).into_iter().map(|what| {
        let records: Vec<Cite> = coverage.questions(Kind::Subscriptions).map(|asked| asked.from.clone()).collect();
        let because = format!("the configuration expects {what}, which the collecting identity did not see");
        on(first).citing(&records).not_evaluated(Reason::NotFound, because)
    }));
    if !coverage.is_finished() {
        findings.push(on(first).not_evaluated(Reason::Interrupted, "the collection did not reach its end"));
    }
    if findings.is_empty() {
        let idle = idle_tables(coverage);
        let because = format!("all {} questions were answered whole{idle}", records.len());
        findings.push(on(first).citing(&records).pass(because));
    }
    findings
}

fn judge(on: About, gap: &Missing) -> Finding {
    match gap.reason {
        Reason::TotalsDiffer => {
            on.fail(format!("{} at `{}`: an independent count differs; {}", gap.kind.words(), gap.scope, gap.detail))
        }
        _ => on.missing(gap),
    }
}

/// What the configuration expects and nothing showed.
fn unseen(facts: &Facts<'_>) -> Vec<String> {
    let tenant = facts.tenant;
    let expected = tenant.coverage.expected();
    let subscriptions = expected.subscriptions.iter().filter(|guid| {
        let id = Id::new(format!("/subscriptions/{guid}"));
        !tenant.subscriptions.iter().any(|subscription| subscription.id == id)
    });
    let groups = expected
        .management_groups
        .iter()
        .filter(|name| !tenant.hierarchy.names.keys().any(|group| group.name().eq_ignore_ascii_case(name)));
    let logs = [Kind::VaultLogDedicated, Kind::VaultLogLegacy];
    let workspaces = expected.workspaces.iter().filter(|guid| {
        let scope = Id::new(format!("workspace:{guid}"));
        !logs
            .iter()
            .flat_map(|kind| tenant.coverage.questions(*kind))
            .any(|asked| Id::new(asked.scope.clone()) == scope)
    });
    let subscriptions = subscriptions.map(|guid| format!("subscription `{guid}`"));
    let groups = groups.map(|name| format!("management group `{name}`"));
    subscriptions.chain(groups).chain(workspaces.map(|guid| format!("workspace `{guid}`"))).collect()
}

/// Log tables that do not exist and are no gap, in words.
fn idle_tables(coverage: &Coverage) -> String {
    let asked = Kind::ALL.iter().flat_map(|kind| coverage.questions(*kind));
    let idle: Vec<String> = asked
        .filter(|asked| matches!(asked.gap, Some((Reason::TableMissing, _))))
        .map(|asked| format!("{} at `{}`", asked.kind.words(), asked.scope))
        .collect();
    match idle.len() {
        0 => String::new(),
        _ => format!("; no such table, and no vault that writes to it: {}", idle.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{SUB, base, findings_in, findings_of, list, only, outcomes, vault_id, vault_json};
    use super::super::{Outcome, Parameters};
    use super::*;
    use crate::evidence::CaptureStatus;
    use crate::evidence::testing::CaptureBuilder;

    const WORKSPACE: &str = "dddddddd-0000-0000-0000-000000000001";

    #[test]
    fn a_collection_without_a_gap_passes_and_cites_every_record() {
        let questions = base().questions().len();
        let findings = findings_of(&CHECK, base());
        assert_eq!(only(&findings).outcome(), Outcome::Pass);
        assert_eq!(only(&findings).evidence().len(), questions);
        assert_eq!(only(&findings).because(), format!("all {questions} questions were answered whole"));
    }

    #[test]
    fn each_gap_keeps_the_collection_from_being_complete() {
        let builder = base().denied(Kind::Vaults, SUB).denied(Kind::ManagedIdentityPrincipals, "directory");
        let findings = findings_of(&CHECK, builder);
        assert_eq!(outcomes(&findings), [Outcome::NotEvaluated, Outcome::NotEvaluated]);
        assert!(findings.iter().all(|finding| finding.reason() == Some(Reason::Forbidden)));
    }

    #[test]
    fn a_question_that_follows_from_an_answer_and_was_not_put_is_a_gap() {
        let builder = base().replace(Kind::Vaults, SUB, list([vault_json("kv1", &json!({}))]));
        let findings = findings_of(&CHECK, builder.clone());
        assert_eq!(outcomes(&findings), [Outcome::NotEvaluated; 3], "its settings, its keys and its secrets");
        assert!(findings.iter().all(|finding| finding.reason() == Some(Reason::NotAsked)));
        let follow = [Kind::DiagnosticSettings, Kind::VaultKeys, Kind::VaultSecrets];
        let builder = follow.iter().fold(builder, |builder, kind| builder.answer(*kind, &vault_id("kv1"), list([])));
        assert_eq!(only(&findings_of(&CHECK, builder)).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_log_table_that_no_vault_writes_to_may_be_missing() {
        let builder = base().gap(Kind::VaultLogLegacy, &format!("workspace:{WORKSPACE}"), Reason::TableMissing);
        let findings = findings_of(&CHECK, builder);
        assert_eq!(only(&findings).outcome(), Outcome::Pass);
        assert!(only(&findings).because().contains("AzureDiagnostics"), "{findings:?}");
    }

    #[test]
    fn counts_that_differ_fail() {
        let builder = base().gap(Kind::VaultLogLegacy, &format!("workspace:{WORKSPACE}"), Reason::TotalsDiffer);
        assert_eq!(only(&findings_of(&CHECK, builder)).outcome(), Outcome::Fail);
    }

    #[test]
    fn what_the_configuration_expects_must_have_been_seen() {
        let mut capture = base().build();
        let seen = SUB.trim_start_matches("/subscriptions/").to_owned();
        capture.plan.expected.subscriptions = vec![seen, "33333333-3333-3333-3333-333333333333".to_owned()];
        capture.plan.expected.workspaces = vec![WORKSPACE.to_owned()];
        let findings = findings_in(&CHECK, &capture, &Parameters::default());
        assert_eq!(outcomes(&findings), [Outcome::NotEvaluated, Outcome::NotEvaluated]);
        assert!(findings[0].because().contains("subscription `33333333-"), "{findings:?}");
        assert!(findings[1].because().contains("workspace `dddddddd-"), "{findings:?}");
    }

    #[test]
    fn a_collection_that_was_stopped_is_not_complete() {
        let mut capture = base().build();
        capture.head.status = CaptureStatus::Interrupted;
        let findings = findings_in(&CHECK, &capture, &Parameters::default());
        assert_eq!(only(&findings).reason(), Some(Reason::Interrupted));
    }

    #[test]
    fn no_record_at_all_is_not_evaluated() {
        let findings = findings_of(&CHECK, CaptureBuilder::default());
        assert_eq!(only(&findings).outcome(), Outcome::NotEvaluated);
    }
}
