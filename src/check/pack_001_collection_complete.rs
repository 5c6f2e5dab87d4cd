//! PACK-001: every question was answered whole, so that the other results rest on all there is.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::unread;
use super::operations;
use super::{About, Check, Facts, Finding, Nature, Severity, about};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Difference, Id, Missing, Reconciliation};

pub(super) const CHECK: Check = Check {
    id: "PACK-001",
    title: "The collection is complete",
    severity: Severity::Critical,
    nature: Nature::Operating,
    asks: "Whether every planned question, and every question that follows from an answer, was answered to its last \
           page, whether independent counts agree with the rows that were read, whether what the configuration expects \
           to exist, or the tree of management groups names, was seen, and whether the resource manager and Resource \
           Graph list the same vaults, identities and role assignments, save for differences that are explained. A log \
           table that does not exist and that nothing is known to write to is no gap. The part of the period that the \
           activity log no longer keeps is covered where a workspace holds the exported log of each day of it whole (of \
           the tenant's own log, the directory's audit log, which has the elevations too), and has a line of its own, \
           not evaluated, otherwise.",
    blind_to: "Changes at the root, other than an elevation, in a part of the period that the tenant's log no longer \
               keeps. What Azure hides from the collecting identity without saying so: lists show only what it may read. Name \
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
    let expected =
        unseen(facts).into_iter().map(|what| (Kind::Subscriptions, format!("the configuration expects {what}")));
    let in_tree = facts.tenant.unseen_subscriptions().into_iter().map(|id| {
        let what = format!("the tree of management groups names subscription `{}`", id.name());
        (Kind::ManagementGroupDescendants, what)
    });
    findings.extend(expected.chain(in_tree).map(|(kind, what)| {
        let lists = [Kind::Subscriptions, kind].into_iter().flat_map(|kind| coverage.questions(kind));
        let records: Vec<Cite> = lists.map(|asked| asked.from.clone()).collect();
        let because = format!("{what}, which the collecting identity did not see");
        on(first).citing(&records).not_evaluated(Reason::NotFound, because)
    }));
    findings.extend(facts.tenant.reconciliations().iter().filter_map(|one| unlike(on(first), one)));
    if !coverage.is_finished() {
        findings.push(on(first).not_evaluated(Reason::Interrupted, "the collection did not reach its end"));
    }
    let out_of_reach = out_of_reach(facts);
    if findings.is_empty() {
        let (held, further) = out_of_reach.held.unwrap_or_default();
        let beside = told_beside(facts);
        let because = format!("all {} questions were answered whole{held}{beside}{}", records.len(), explained(facts));
        findings.push(on(first).citing(&records).citing(&further).pass(because));
    }
    findings.extend(out_of_reach.lost);
    findings
}

/// The parts of the period that the activity log no longer keeps.
struct OutOfReach {
    /// What exported tables hold of them, in words, and the records.
    held: Option<(String, Vec<Cite>)>,
    /// What no table holds: a line for each cause. What needs it is not evaluated by the check that does.
    lost: Vec<Finding>,
}

fn out_of_reach(facts: &Facts<'_>) -> OutOfReach {
    let mut held: Vec<Cite> = Vec::new();
    /// What is out of reach, and why no table holds it.
    type Cause = (String, String);
    let mut lost: BTreeMap<Cause, (BTreeSet<&str>, Vec<Cite>)> = BTreeMap::new();
    for missing in facts.tenant.coverage.out_of_reach() {
        match operations::out_of_reach(facts, missing.kind, &Id::new(missing.scope.clone())) {
            Ok(evidence) => held.extend(missing.from.into_iter().chain(evidence)),
            Err(why) => {
                let (kinds, records) = lost.entry((missing.detail, why)).or_default();
                kinds.insert(missing.kind.words());
                records.extend(missing.from);
            }
        }
    }
    let line = |((detail, why), of_cause): (Cause, (BTreeSet<&str>, Vec<Cite>))| {
        let (kinds, records) = of_cause;
        let kinds = kinds.into_iter().collect::<Vec<&str>>().join(", ");
        // not by the cause, which may be told in many words
        let id = Id::new(format!("{detail}: {kinds}"));
        let on = about("period", &id, "the part of the period that is out of reach", records.first()?).citing(&records);
        Some(on.not_evaluated(Reason::RetentionTooShort, format!("{detail}; {why}: {kinds}")))
    };
    let lost: Vec<Finding> = lost.into_iter().filter_map(line).collect();
    let words = match lost.is_empty() {
        true => "; what the activity log no longer keeps of the period is whole in exported tables",
        false => "; of what the activity log no longer keeps of the period, a part is whole in exported tables",
    };
    OutOfReach { held: (!held.is_empty()).then(|| (words.to_owned(), held)), lost }
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

/// Questions whose refusal is no gap, and subscriptions that the configuration leaves out, in words.
fn told_beside(facts: &Facts<'_>) -> String {
    let mut told: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (asked, says) in facts.tenant.coverage.excused() {
        told.entry(says).or_default().push(format!("{} at `{}`", asked.kind.words(), asked.scope));
    }
    let outside = facts.tenant.subscriptions_out_of_scope();
    let outside = outside.iter().map(|id| format!("subscription `{}`", id.name()));
    told.entry("left out by the configuration").or_default().extend(outside);
    let told = told.into_iter().filter(|(_, what)| !what.is_empty());
    told.map(|(says, what)| format!("; {says}: {}", what.join(", "))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::operations::testing::{exporting, ninety_days};
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

    /// A tree in which one more subscription stands than is visible.
    fn with_hidden() -> CaptureBuilder {
        let hidden = json!({"id": "/subscriptions/44444444-4444-4444-4444-444444444444", "type": "/subscriptions",
            "properties": {"displayName": "Hidden", "permissions": "noaccess"}});
        base().replace(Kind::Entities, "tenant", list([hidden]))
    }

    #[test]
    fn a_subscription_that_the_tree_names_must_have_been_seen_and_asked() {
        let findings = findings_of(&CHECK, with_hidden());
        let named = findings.iter().find(|finding| finding.because().contains("the tree")).expect("a finding");
        assert_eq!(named.reason(), Some(Reason::NotFound));
        assert!(named.because().contains("44444444-"), "{named:?}");
        let of_subscription = Kind::ALL.iter().filter(|kind| kind.is_per_subscription()).count();
        assert_eq!(findings.len(), of_subscription + 1, "and each of its questions was never put");
    }

    #[test]
    fn a_subscription_that_the_configuration_leaves_out_is_told_and_is_no_gap() {
        let mut capture = with_hidden().build();
        capture.plan.expected.subscriptions = vec![SUB.trim_start_matches("/subscriptions/").to_owned()];
        let findings = findings_in(&CHECK, &capture, &Parameters::default());
        assert_eq!(only(&findings).outcome(), Outcome::Pass);
        assert!(only(&findings).because().contains("left out by the configuration: subscription `44444444-"));
    }

    #[test]
    fn what_the_service_has_retired_or_never_had_is_told_and_is_no_gap() {
        let replaced = |kind, reason| only(&findings_of(&CHECK, base().refused(kind, SUB, reason))).clone();
        let finding = replaced(Kind::ClassicAdministrators, Reason::Retired);
        assert_eq!(finding.outcome(), Outcome::Pass);
        assert!(finding.because().contains("retired by the service"), "{finding:?}");
        let finding = replaced(Kind::RoleAssignmentsUsageMetrics, Reason::NotFound);
        assert!(finding.because().contains("no second count"), "{finding:?}");
        for (kind, reason) in [
            (Kind::ClassicAdministrators, Reason::Forbidden),
            (Kind::RoleAssignmentsUsageMetrics, Reason::Forbidden),
            // a licence that is missing says nothing of what was there all the same
            (Kind::Locks, Reason::NotLicensed),
        ] {
            assert_eq!(replaced(kind, reason).outcome(), Outcome::NotEvaluated, "{kind:?}");
        }
    }

    #[test]
    fn a_feature_without_a_licence_is_told_and_is_no_gap_but_a_refusal_is_one() {
        let of_subscription = |kind: &&Kind| kind.is_privileged_management() && kind.is_per_subscription();
        let kinds: Vec<Kind> = Kind::ALL.iter().filter(of_subscription).copied().collect();
        assert_eq!(kinds.len(), 5);
        for kind in &kinds {
            let with = |reason| only(&findings_of(&CHECK, base().refused(*kind, SUB, reason))).clone();
            let unlicensed = with(Reason::NotLicensed);
            assert_eq!(unlicensed.outcome(), Outcome::Pass, "{kind:?}");
            let told = format!(
                "; not licensed, so that no role or membership can be activated there: {} at `{SUB}`",
                kind.words()
            );
            assert!(unlicensed.because().ends_with(&told), "{unlicensed:?}");
            for reason in [Reason::Forbidden, Reason::NotFound, Reason::Throttled, Reason::Malformed] {
                assert_eq!(with(reason).outcome(), Outcome::NotEvaluated, "{kind:?} {reason:?}");
            }
        }
        // the tenant's own activity log needs a role at the root: not to have it is a gap, whatever else is known
        let refused = findings_of(&CHECK, base().denied(Kind::TenantActivity, "tenant"));
        assert_eq!(only(&refused).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn what_the_activity_log_no_longer_keeps_is_open_and_told_once() {
        let mut capture = ninety_days(base());
        let findings = findings_in(&CHECK, &capture, &Parameters::default());
        assert_eq!(outcomes(&findings), [Outcome::Pass, Outcome::NotEvaluated, Outcome::NotEvaluated]);
        assert!(!findings[0].because().contains("2026-07-04"), "{findings:?}");
        for finding in &findings[1..] {
            let because = finding.because();
            assert_eq!(because.matches("2026-07-01T00:00:00Z to 2026-07-04T11:00:00Z").count(), 1, "{because}");
            assert_eq!(finding.reason(), Some(Reason::RetentionTooShort));
        }
        assert!(findings[2].because().contains("sends `Administrative` to a workspace"), "{findings:?}");
        assert!(findings[1].because().ends_with("changes of access in the tenant's activity log"), "{findings:?}");
        assert_eq!(findings[2].evidence().len(), 5, "a question for each family of operations");
        // it is told beside a gap as well
        capture.head.status = CaptureStatus::Interrupted;
        let findings = findings_in(&CHECK, &capture, &Parameters::default());
        assert_eq!(outcomes(&findings), [Outcome::NotEvaluated; 3]);
    }

    #[test]
    fn what_exported_tables_hold_is_covered_and_cited() {
        let capture = ninety_days(exporting(base(), &[], &[]));
        let findings = findings_in(&CHECK, &capture, &Parameters::default());
        let collection = findings.iter().find(|finding| finding.subject().kind == "collection").expect("a finding");
        assert!(
            findings.iter().all(|finding| finding.subject().kind == "collection"),
            "no part is lost: {findings:#?}"
        );
        assert!(collection.outcome() == Outcome::Pass && collection.because().contains("whole in exported tables"));
        let answered = capture.records.len();
        assert!(collection.evidence().len() > answered, "the settings and the table too");
        let silent = findings_in(&CHECK, &ninety_days(exporting(base(), &[], &["2026-07-02"])), &Parameters::default());
        let open: Vec<&Finding> = silent.iter().filter(|finding| finding.subject().kind == "period").collect();
        assert!(open.iter().all(|finding| finding.reason() == Some(Reason::RetentionTooShort)), "{open:#?}");
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
