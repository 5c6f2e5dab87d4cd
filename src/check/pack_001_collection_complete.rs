//! PACK-001: every question was answered whole, so that the other results rest on all there is.

use super::finding::unread;
use super::{About, Check, Facts, Finding, Nature, Severity, about};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Coverage, Difference, Id, Missing, Reconciliation};

pub(super) const CHECK: Check = Check {
    id: "PACK-001",
    title: "The collection is complete",
    severity: Severity::Critical,
    nature: Nature::Operating,
    asks: "Whether every planned question, and every question that follows from an answer, was answered to its last \
           page, whether independent counts agree with the rows that were read, whether what the configuration expects \
           to exist was seen, and whether the resource manager and Resource Graph list the same vaults, identities and \
           role assignments, save for differences that are explained. A log table that does not exist and that \
           nothing is known to write to is no gap.",
    blind_to: "What Azure hides from the collecting identity without saying so: lists show only what it may read. Name \
               the subscriptions that must be there in the configuration, so that a missing one is seen.",
    fix: "Give the collecting identity the permission that each gap names, and collect again. Where two counts or two \
          lists differ, collect again after the log and the index have settled; what then still differs is in the \
          report line by line.",
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
    findings.extend(facts.tenant.reconciliations().iter().filter_map(|one| unlike(on(first), one)));
    if !coverage.is_finished() {
        findings.push(on(first).not_evaluated(Reason::Interrupted, "the collection did not reach its end"));
    }
    if findings.is_empty() {
        let idle = idle_tables(coverage);
        let because = format!("all {} questions were answered whole{idle}{}", records.len(), explained(facts));
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

/// Differences between two lists that nothing explains.
fn unlike(on: About, lists: &Reconciliation) -> Option<Finding> {
    let unexplained: Vec<&Difference> = lists.unexplained().collect();
    let first = unexplained.first()?;
    let more = match unexplained.len() {
        1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let because = format!(
        "{}: {} by the resource manager, {} by Resource Graph; unexplained: only {} lists `{}`{more}",
        lists.what,
        lists.in_manager,
        lists.in_graph,
        first.only_in.words(),
        first.id.shown(),
    );
    Some(on.citing(&lists.from).citing(unexplained.iter().map(|one| &one.from)).fail(because))
}

/// Differences between two lists that are explained, in words.
fn explained(facts: &Facts<'_>) -> String {
    let lists = facts.tenant.reconciliations();
    match lists.iter().map(|lists| lists.differences.len()).sum::<usize>() {
        0 => String::new(),
        1 => "; one difference between two lists is explained".to_owned(),
        count => format!("; {count} differences between two lists are explained"),
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
        _ => format!("; no such table, and nothing known that writes to it: {}", idle.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{
        SUB, base, findings_in, findings_of, indexed, list, only, outcomes, resource_json, vault_id, vault_json,
    };
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
        let vault = resource_json("microsoft.keyvault/vaults", "kv1", &json!({}));
        let builder = base().replace(Kind::Vaults, SUB, list([vault_json("kv1", &json!({}))])).replace(
            Kind::ResourceGraphVaults,
            "subscriptions",
            indexed([vault]),
        );
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
    fn a_thing_that_only_one_of_two_lists_names_fails_unless_it_is_explained() {
        let index = |names: &[&str]| {
            let vaults = names.iter().map(|name| resource_json("Microsoft.KeyVault/vaults", name, &json!({})));
            base().replace(Kind::ResourceGraphVaults, "subscriptions", indexed(vaults))
        };
        let findings = findings_of(&CHECK, index(&["kv1", "kv2"]));
        assert_eq!(only(&findings).outcome(), Outcome::Fail);
        let because = only(&findings).because();
        assert!(because.starts_with("vaults: 0 by the resource manager, 2 by Resource Graph;"), "{because}");
        assert!(
            because.ends_with(&format!("only Resource Graph lists `{}`, and 1 more", vault_id("kv1"))),
            "{because}"
        );
        let deleted = json!({"id": "/subscriptions/s/x", "name": "kv1", "properties": {"vaultId": vault_id("kv1"),
            "deletionDate": "2026-10-02T08:58:00Z"}});
        let findings = findings_of(&CHECK, index(&["kv1"]).replace(Kind::DeletedVaults, SUB, list([deleted])));
        assert_eq!(only(&findings).outcome(), Outcome::Pass);
        assert!(only(&findings).because().ends_with("; one difference between two lists is explained"));
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
