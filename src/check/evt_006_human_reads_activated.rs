//! EVT-006: people read production secrets only while they had activated the right to.

use super::activations::{self, Activation, Known};
use super::callers::{Calls, by_caller, described, shown};
use super::logs::{Log, Logs, ROWS};
use super::people::{People, Person, Who, counted};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::grants_data_action;
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{PrincipalKind, Vault, VaultEvent};

/// What reads a secret's value under roles.
const READING: &str = "Microsoft.KeyVault/vaults/secrets/getSecret/action";

pub(super) const CHECK: Check = Check {
    id: "EVT-006",
    title: "Reads of production secrets by people are covered by an activation",
    severity: Severity::High,
    nature: Nature::Operating,
    asks: "For every vault and every person in its log, each `SecretGet` with an HTTP status from 200 to 299, held against \
           the activations that Privileged Identity Management lists: the person had made a role active that reads secrets \
           and that reaches the vault, and the read lies within that time. A read outside any such time is an exception. \
           Vaults count whose tag `env` or `environment` has a value of the parameter `production_environments`, or has \
           none; an empty parameter means all vaults.",
    blind_to: "Rights through a membership of a group that was activated, of which the directory keeps no list of the \
               period: such a read is shown as outside, and a waiver can explain it. Reads by a person through an \
               application of his own; what was done with the value; workloads (EVT-003).",
    fix: "Ask the person, record the reason, rotate the secret that was read; take the standing right away and make the role \
          eligible (PIM-002).",
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
        judged(Kind::VirtualMachines),
        judged(Kind::GroupMembers),
        judged(Kind::RoleDefinitions),
        judged(Kind::RoleAssignmentScheduleRequests),
        judged(Kind::DirectoryExports),
        judged(Kind::DirectoryChanges),
        judged(Kind::DirectoryChangesCount),
        judged(Kind::LogContinuity),
        own(Kind::VaultLogDedicated),
        own(Kind::VaultLogLegacy),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let (logs, people) = (Logs::of(facts), People::of(facts.tenant));
    let activations = activations::activations(facts);
    let known = activations::known(facts);
    let production = facts.tenant.vaults.iter().filter(|vault| is_production(facts, vault));
    production.flat_map(|vault| of_vault(facts, (&logs, &people), (&activations, &known), vault)).collect()
}

/// Whether a vault holds production secrets, by its tags; one that does not say may.
fn is_production(facts: &Facts<'_>, vault: &Vault) -> bool {
    let values = &facts.parameters.production_environments;
    let tag = vault.tags.get("env").or_else(|| vault.tags.get("environment"));
    values.is_empty() || tag.is_none_or(|tag| values.iter().any(|value| value.eq_ignore_ascii_case(tag)))
}

fn of_vault<'a>(
    facts: &Facts<'a>,
    (logs, people): (&Logs<'a>, &People<'_>),
    (activations, known): (&[Activation<'_>], &Known),
    vault: &'a Vault,
) -> Vec<Finding> {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let log = match logs.of_vault(vault, ROWS) {
        Ok(log) => log,
        Err(open) => return vec![on.open(&open)],
    };
    let reads = log.calls().into_iter().filter(|call| call.operation.eq_ignore_ascii_case("SecretGet"));
    let done: Vec<&VaultEvent> =
        reads.filter(|call| call.status.is_some_and(|status| (200..300).contains(&status))).collect();
    let count = done.len();
    let mut findings: Vec<Finding> = Vec::new();
    for calls in by_caller(done) {
        match calls.who(people) {
            Who::Known(person) if person.kind == PrincipalKind::User => {
                findings.push(judge(facts, &log, (people, person), (activations, known), (vault, &calls)));
            }
            Who::Known(_) | Who::Gone(_) => {} // a workload, or nobody (EVT-003)
            Who::Unknown => {
                let on = calls.about(vault, people);
                findings.push(match &calls.caller {
                    Some(caller) => on.missing(&people.unresolved(caller)),
                    None => on.not_evaluated(Reason::PrincipalUnresolved, "the log names no caller"),
                });
            }
        }
    }
    if findings.is_empty() {
        let on = on.citing(&log.evidence);
        findings.push(match log.falls_short(facts) {
            Some(open) => on.open(&open),
            None => on.pass(format!("none of {} was by a person", counted(count, "read"))),
        });
    }
    findings
}

fn judge(
    facts: &Facts<'_>,
    log: &Log<'_>,
    (people, person): (&People<'_>, &Person),
    (activations, known): (&[Activation<'_>], &Known),
    (vault, calls): (&Vault, &Calls<'_>),
) -> Finding {
    let on = calls.about(vault, people).citing([&person.from]);
    let own: Vec<&Activation<'_>> =
        activations.iter().filter(|one| one.request.principal_id == person.id && reads(facts, one, vault)).collect();
    let covering = |read: &VaultEvent| {
        own.iter().find(|one| one.from <= read.at && one.until.is_some_and(|until| read.at < until))
    };
    let outside: Vec<&VaultEvent> = calls.events.iter().copied().filter(|read| covering(read).is_none()).collect();
    let unread = facts.missing(&[super::own(Kind::RoleAssignmentScheduleRequests)], &vault.id);
    // without the licence nobody can activate anything
    let unread = unread.filter(|missing| missing.reason != Reason::NotLicensed);
    let said = format!("by {}", described(person));
    if let Some(missing) = unread.filter(|_| !outside.is_empty()) {
        return on.missing(&missing);
    }
    let is_unlicensed = facts.missing(&[super::own(Kind::RoleAssignmentScheduleRequests)], &vault.id).is_some();
    let proven: Vec<&&VaultEvent> = outside.iter().filter(|read| is_unlicensed || read.at >= known.since).collect();
    if let Some(first) = proven.first() {
        let seen: Vec<Cite> = proven.iter().map(|read| read.from()).collect();
        let on = on.citing(&seen).citing(&known.evidence);
        let many = counted(proven.len(), "read");
        return on.fail(format!("{many} {said} outside any activation, the first at {}", shown(first.at)));
    }
    if let Some(read) = outside.first() {
        let why = known.short.clone().unwrap_or_default();
        let because = format!("whether the read {said} at {} was covered is not known: {why}", shown(read.at));
        return on.citing([&read.from()]).not_evaluated(Reason::RetentionTooShort, because);
    }
    let used: Vec<Cite> = own.iter().map(|one| one.request.from.clone()).collect();
    let on = on.citing(&used).citing(&log.evidence);
    match log.falls_short(facts) {
        Some(open) => on.open(&open),
        None => on.pass(format!("{} {said}, each within an activation", counted(calls.events.len(), "read"))),
    }
}

/// Whether an activation gave the right to read secrets of the vault.
fn reads(facts: &Facts<'_>, activation: &Activation<'_>, vault: &Vault) -> bool {
    let scope = &activation.request.scope;
    // one at an object in the vault is credited for the vault: the reads of it are a part of those judged
    let reaches = facts.tenant.hierarchy.reaches(scope, &vault.id) || vault.id.is_at_or_above(scope);
    let definition = facts.tenant.role_definitions.get(&activation.request.role);
    reaches && definition.is_some_and(|role| role.permissions.iter().any(|entry| grants_data_action(entry, READING)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::logs::testing::{WORKSPACE, count, logged, row, with_vault};
    use crate::check::roles::testing::OFFICER;
    use crate::check::testing::{
        SUB, base, findings_of, findings_with, list, only, patched, role_json, service_principal_json, user_json,
        vault_id, vault_json, with_principals,
    };
    use crate::check::{Finding, Outcome, Parameters};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const ADA: &str = "bbbbbbbb-0000-0000-0000-000000000001";
    const APP: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    /// `ada` reads at these times; the log begins with the period.
    fn reading(caller: &str, times: &[&str]) -> CaptureBuilder {
        let rows: Vec<Value> = times.iter().map(|at| row(at, "SecretGet", 200, Some(caller))).collect();
        let counts = [count("2026-07-01", 20, 0), count("2026-09-20", 20, rows.len() as u64)];
        let definition = role_json(OFFICER, "Key Vault Secrets Officer", &[], &["Microsoft.KeyVault/vaults/secrets/*"]);
        let builder = logged(base(), &rows, &counts).replace(Kind::RoleDefinitions, SUB, list([definition]));
        with_principals(builder, &[ADA, APP], [user_json(ADA, "ada"), service_principal_json(APP, "app")])
    }

    fn request(patch: &Value) -> Value {
        let request = json!({"id": format!("{SUB}/requests/r1"), "properties": {"scope": vault_id("kv"), "principalId": ADA,
            "roleDefinitionId": OFFICER, "requestType": "SelfActivate", "status": "Provisioned", "justification": "[cut]",
            "scheduleInfo": {"startDateTime": "2026-09-20T09:00:00Z", "expiration": {"duration": "PT2H"}}}});
        patched(request, &json!({"properties": patch}))
    }

    fn activated(times: &[&str], patch: &Value) -> Finding {
        let builder = reading(ADA, times).replace(Kind::RoleAssignmentScheduleRequests, SUB, list([request(patch)]));
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn reads_within_an_activation_pass() {
        let finding = activated(&["2026-09-20T09:00:00Z", "2026-09-20T10:59:59Z"], &json!({}));
        assert_eq!(
            (finding.outcome(), finding.because()),
            (Outcome::Pass, "2 reads by user `ada`, each within an activation")
        );
        assert_eq!(activated(&["2026-09-20T10:00:00Z"], &json!({"scope": SUB})).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_read_outside_fails_by_time_role_scope_person_and_effect() {
        let before_and_after = activated(&["2026-09-20T08:59:59Z", "2026-09-20T11:00:00Z"], &json!({}));
        let because = "2 reads by user `ada` outside any activation, the first at 2026-09-20T08:59:59Z";
        assert_eq!((before_and_after.outcome(), before_and_after.because()), (Outcome::Fail, because));
        for patch in [
            json!({"roleDefinitionId": "acdd72a7-3385-48ef-bd42-f606fba81ae7"}),
            json!({"scope": vault_id("kv10")}),
            json!({"principalId": APP}),
            json!({"status": "Denied"}),
        ] {
            assert_eq!(activated(&["2026-09-20T10:00:00Z"], &patch).outcome(), Outcome::Fail, "{patch}");
        }
    }

    #[test]
    fn beyond_thirty_days_an_activation_may_have_been_forgotten() {
        let old = only(&findings_of(&CHECK, reading(ADA, &["2026-08-20T10:00:00Z"]))).clone();
        assert_eq!(old.reason(), Some(Reason::RetentionTooShort));
        let both = reading(ADA, &["2026-08-20T10:00:00Z", "2026-09-20T10:00:00Z"]);
        assert_eq!(
            only(&findings_of(&CHECK, both)).outcome(),
            Outcome::Fail,
            "the younger one was outside for certain"
        );
    }

    #[test]
    fn without_the_licence_every_read_is_outside_and_an_unread_list_leaves_it_open() {
        let kind = Kind::RoleAssignmentScheduleRequests;
        let old = || reading(ADA, &["2026-08-20T10:00:00Z"]);
        let root = crate::check::testing::ROOT_GROUP;
        let unlicensed = old().refused(kind, SUB, Reason::NotLicensed).refused(kind, root, Reason::NotLicensed);
        assert_eq!(only(&findings_of(&CHECK, unlicensed)).outcome(), Outcome::Fail);
        assert_eq!(only(&findings_of(&CHECK, old().denied(kind, SUB))).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn reads_by_workloads_are_no_reads_by_people() {
        let finding = only(&findings_of(&CHECK, reading(APP, &["2026-09-20T10:00:00Z"]))).clone();
        assert_eq!((finding.outcome(), finding.because()), (Outcome::Pass, "none of 1 read was by a person"));
    }

    #[test]
    fn a_vault_of_another_environment_is_left_out() {
        let parameters = Parameters { production_environments: vec!["prod".to_owned()], ..Parameters::default() };
        let tagged = |env: &str| {
            let vault = vault_json("kv", &json!({"tags": {"Env": env}}));
            reading(ADA, &["2026-09-20T10:00:00Z"]).replace(Kind::Vaults, SUB, list([vault]))
        };
        let judged = |builder| only(&findings_with(&CHECK, builder, &parameters)).outcome();
        assert_eq!(judged(tagged("PROD")), Outcome::Fail);
        assert_eq!(judged(tagged("test")), Outcome::NotApplicable);
        assert_eq!(judged(reading(ADA, &["2026-09-20T10:00:00Z"])), Outcome::Fail, "one that does not say may be");
    }

    #[test]
    fn an_unread_log_a_vault_without_one_and_none_at_all() {
        let denied = reading(ADA, &[]).denied(Kind::VaultLogDedicated, WORKSPACE);
        assert_eq!(only(&findings_of(&CHECK, denied)).reason(), Some(Reason::Forbidden));
        assert_eq!(only(&findings_of(&CHECK, with_vault(base(), []))).reason(), Some(Reason::NotFound));
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
