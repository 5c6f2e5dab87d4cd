//! Whose reads the log shows.

use super::callers::{Calls, by_caller, described};
use super::logs::{Log, Logs, ROWS};
use super::people::{People, Who, counted};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::evidence::{Kind, Reason};
use crate::model::{PrincipalKind, Vault, VaultEvent};

pub(super) const CHECK: Check = Check {
    id: "EVT-003",
    title: "Every successful secret read is by a known non-human identity",
    severity: Severity::Critical,
    nature: Nature::Operating,
    asks: "For every vault and every caller in its log, the `SecretGet` rows with an HTTP status from 200 to 299 \
           (`ResultType` is not used: it reads Success on denials too). The caller's object id is looked up in the \
           directory and in the lists of managed identities. A human, or an id that the directory does not have, is \
           an exception.",
    blind_to: "Which machine used an identity that several share; values that left by backup or by a certificate's own \
               operations; whether a human's read was covered by an activation; vaults that were deleted since.",
    fix: "Find out who the caller was (Entra audit log, `Remove service principal`), rotate the secrets that were read, \
          and take the role away from humans: `az role assignment delete --assignee <object id> --scope <vault id>`.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::UserAssignedIdentities),
        judged(Kind::Resources),
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
    let reads: Vec<&VaultEvent> =
        log.calls().into_iter().filter(|call| call.operation.eq_ignore_ascii_case("SecretGet")).collect();
    let done = reads.iter().copied().filter(|call| call.status.is_some_and(|status| (200..300).contains(&status)));
    let mut findings: Vec<Finding> =
        by_caller(done).iter().map(|calls| judge(facts, &log, people, vault, calls)).collect();
    if let Some(unclear) = reads.iter().find(|call| call.status.is_none()) {
        let on = on.clone().citing([&unclear.from()]);
        findings.push(on.not_evaluated(Reason::ValueUnknown, "a read has no HTTP status, so its outcome is not known"));
    }
    if findings.is_empty() {
        let on = on.citing(&log.evidence);
        findings.push(match log.falls_short(facts) {
            Some(open) => on.open(&open),
            None => on.not_applicable("the log shows no successful read in the period"),
        });
    }
    findings
}

fn judge(facts: &Facts<'_>, log: &Log<'_>, people: &People<'_>, vault: &Vault, calls: &Calls<'_>) -> Finding {
    let on = calls.about(vault, people);
    let reads = format!("{} {}", counted(calls.events.len(), "read"), calls.when());
    match calls.who(people) {
        Who::Known(person) if person.kind.is_non_human() => {
            let on = on.citing([&person.from]).citing(&log.evidence);
            match log.falls_short(facts) {
                Some(open) => on.open(&open),
                None => on.pass(format!("{reads} by {}{}", described(person), calls.named_identity())),
            }
        }
        Who::Known(person) if person.kind == PrincipalKind::User => {
            on.citing([&person.from]).fail(format!("{reads} by the human {}", described(person)))
        }
        Who::Known(person) => on.citing([&person.from]).not_evaluated(
            Reason::ValueUnknown,
            format!("{reads} by {}, of which it is not known whether it is a workload", described(person)),
        ),
        Who::Gone(asked) => on.citing([asked]).fail(format!("{reads} by a caller whom the directory does not have")),
        Who::Unknown => match &calls.caller {
            Some(caller) => on.missing(&people.unresolved(caller)),
            None => on.not_evaluated(Reason::PrincipalUnresolved, format!("{reads}, and the log names no caller")),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::logs::testing::{WORKSPACE, count, logged, row, table_json, with_vault, workspace_id};
    use crate::check::testing::{
        SUB, about_name, base, findings_of, identity_id, identity_json, list, only, patched, service_principal_json,
        user_json, with_principals,
    };
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const WORKLOAD: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const HUMAN: &str = "bbbbbbbb-0000-0000-0000-000000000001";
    const NOBODY: &str = "cccccccc-0000-0000-0000-000000000001";

    fn reads(callers: &[&str]) -> CaptureBuilder {
        let rows: Vec<Value> = callers
            .iter()
            .enumerate()
            .map(|(hour, caller)| row(&format!("2026-07-01T{hour:02}:30:00Z"), "SecretGet", 200, Some(caller)))
            .collect();
        logged(base(), &rows, &[count("2026-07-01", 20, rows.len() as u64)])
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn reads_by_a_service_principal_pass_with_their_count() {
        let builder =
            with_principals(reads(&[WORKLOAD, WORKLOAD]), &[WORKLOAD], [service_principal_json(WORKLOAD, "app")]);
        let finding = judged(builder);
        assert_eq!((finding.outcome(), finding.subject().name.as_str()), (Outcome::Pass, "kv ← app"));
        let because = "2 reads from 2026-07-01T00:30:00Z to 2026-07-01T01:30:00Z by service principal `app`";
        assert_eq!(finding.because(), because);
    }

    #[test]
    fn an_identity_that_only_the_resource_manager_names_is_known() {
        let identity = list([identity_json("id-app", WORKLOAD, &json!({}))]);
        let builder = reads(&[WORKLOAD]).replace(Kind::UserAssignedIdentities, SUB, identity);
        assert_eq!(judged(builder).subject().name, "kv ← id-app");
        // A row without an object id is matched by the managed identity that it names.
        let by_name = row("2026-07-01T08:00:00Z", "SecretGet", 200, None);
        let by_name = patched(by_name, &json!({"ManagedIdentityId": identity_id("ID-App")}));
        let builder = logged(base(), &[by_name], &[count("2026-07-01", 1, 1)]);
        let identity = list([identity_json("id-app", WORKLOAD, &json!({}))]);
        let finding = judged(builder.replace(Kind::UserAssignedIdentities, SUB, identity));
        assert_eq!((finding.outcome(), finding.subject().name.as_str()), (Outcome::Pass, "kv ← id-app"));
    }

    #[test]
    fn a_human_and_a_caller_whom_the_directory_does_not_have_fail() {
        let builder = with_principals(
            reads(&[HUMAN, NOBODY, WORKLOAD]),
            &[HUMAN, NOBODY, WORKLOAD],
            [user_json(HUMAN, "ada"), service_principal_json(WORKLOAD, "app")],
        );
        let findings = findings_of(&CHECK, builder);
        assert_eq!(
            about_name(&findings, "kv ← ada").because(),
            "1 read at 2026-07-01T00:30:00Z by the human user `ada`"
        );
        assert_eq!(about_name(&findings, &format!("kv ← {NOBODY}")).outcome(), Outcome::Fail);
        assert_eq!(about_name(&findings, "kv ← app").outcome(), Outcome::Pass);
    }

    #[test]
    fn a_caller_who_was_not_looked_up_is_not_taken_for_anyone() {
        assert_eq!(judged(reads(&[NOBODY])).reason(), Some(Reason::PrincipalUnresolved));
        let refused = reads(&[NOBODY]).gap(Kind::Principals, "directory", Reason::Forbidden);
        assert_eq!(judged(refused).reason(), Some(Reason::PrincipalUnresolved));
        let unnamed = logged(base(), &[row("2026-07-01T08:00:00Z", "SecretGet", 200, None)], &[]);
        assert_eq!(judged(unnamed).reason(), Some(Reason::PrincipalUnresolved));
    }

    #[test]
    fn a_denied_read_is_not_a_read() {
        let denied = row("2026-07-01T08:00:00Z", "SecretGet", 403, Some(NOBODY));
        let finding = judged(logged(base(), &[denied], &[count("2026-07-01", 1, 1)]));
        assert_eq!(
            (finding.outcome(), finding.because()),
            (Outcome::NotApplicable, "the log shows no successful read in the period")
        );
    }

    #[test]
    fn a_read_without_a_status_is_not_taken_for_a_denial() {
        let unclear =
            patched(row("2026-07-01T08:00:00Z", "SecretGet", 200, Some(WORKLOAD)), &json!({"HttpStatusCode": null}));
        let finding = judged(logged(base(), &[unclear], &[count("2026-07-01", 1, 1)]));
        assert_eq!(finding.outcome(), Outcome::NotEvaluated);
    }

    #[test]
    fn an_unread_log_and_a_log_of_a_part_of_the_period_are_not_evaluated() {
        let known = || with_principals(reads(&[WORKLOAD]), &[WORKLOAD], [service_principal_json(WORKLOAD, "app")]);
        assert_eq!(judged(known().denied(Kind::VaultLogDedicated, WORKSPACE)).reason(), Some(Reason::Forbidden));
        assert_eq!(judged(known().denied(Kind::VaultLogLegacy, WORKSPACE)).outcome(), Outcome::Pass);
        assert_eq!(judged(with_vault(base(), [])).reason(), Some(Reason::NotFound));
        let late = row("2026-09-10T08:00:00Z", "SecretGet", 200, Some(WORKLOAD));
        let late = logged(base(), &[late], &[count("2026-09-10", 1, 1)]);
        let late = with_principals(late, &[WORKLOAD], [service_principal_json(WORKLOAD, "app")]);
        let short = list([table_json("AZKVAuditLogs", Some(30), Some(30))]);
        assert_eq!(
            judged(late.replace(Kind::Tables, &workspace_id(), short)).reason(),
            Some(Reason::RetentionTooShort)
        );
    }

    #[test]
    fn no_vault_is_not_applicable() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
