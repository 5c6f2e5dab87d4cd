//! EVT-007: workloads read what they need and change, destroy, copy or list nothing.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::callers::{Calls, by_caller, described, shown};
use super::logs::{Log, Logs};
use super::people::{People, Who};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::Capability;
use crate::declared::IdentityName;
use crate::evidence::{Kind, Reason};
use crate::model::{Vault, VaultChange, VaultEvent};

/// Rows of changes and lists in the vault log.
const CHANGES: &[Kind] = &[Kind::VaultChangesDedicated, Kind::VaultChangesLegacy];

/// Words in the names of operations that change, destroy or copy something in a vault, or the vault.
const CHANGING: &[&str] = &[
    "Set", "Put", "Patch", "Create", "Import", "Update", "Delete", "Purge", "Backup", "Restore", "Recover", "Rotate",
    "Release", "Enroll", "Renew", "Merge",
];

pub(super) const CHECK: Check = Check {
    id: "EVT-007",
    title: "Workloads neither change, delete, purge nor back up anything in a vault, nor list it in bulk",
    severity: Severity::High,
    nature: Nature::Operating,
    asks: "For every vault, the rows of its log with an HTTP status from 200 to 299 whose operation writes, deletes, purges, \
           recovers, backs up or restores a secret, a key, a certificate or the vault, by a managed identity, a service \
           principal or a caller whom the directory does not have, unless its row in `registers/identities.toml` says \
           that it may (`change_secret`, `destroy_secret`, `export_key`, `manage_vault`). And lists: more than `bulk_lists` \
           of them by one such caller within an hour.",
    blind_to: "Which of them are a workload's task, such as the rotation of a secret, where no register says so. \
               Changes by people (EVT-006 looks at their reads); use of keys; refused attempts (EVT-004); one long list on \
               many pages is as many rows.",
    fix: "Find out what the workload did and why; give it a role that only reads (RBAC-001) and the changing part to a \
          separate identity. After a backup or a bulk list by an identity that needs neither, rotate what it could read.",
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
        judged(Kind::VaultLogDedicated),
        judged(Kind::VaultLogLegacy),
        judged(Kind::VaultLogDedicatedCount),
        judged(Kind::VaultLogLegacyCount),
        own(Kind::VaultChangesDedicated),
        own(Kind::VaultChangesLegacy),
    ],
    run,
};

/// What an operation does, by its name. The service may come to know further ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Changes,
    Lists,
    Tells,
    Unknown,
}

fn doing(operation: &str) -> Doing {
    if operation.ends_with("EventGridNotification") {
        return Doing::Tells; // the vault's own word
    }
    if operation.contains("List") {
        return Doing::Lists;
    }
    match CHANGING.iter().any(|word| operation.contains(word)) {
        true => Doing::Changes,
        false => Doing::Unknown,
    }
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let (logs, people) = (Logs::of(facts), People::of(facts.tenant));
    let mut by_vault: BTreeMap<&crate::model::Id, Vec<&VaultChange>> = BTreeMap::new();
    let in_period = facts.tenant.logs.vault_changes.iter().filter(|row| facts.period.contains(row.event.at));
    for row in in_period {
        by_vault.entry(&row.event.vault).or_default().push(row);
    }
    let of = |vault: &'_ Vault| by_vault.get(&vault.id).cloned().unwrap_or_default();
    facts.tenant.vaults.iter().flat_map(|vault| of_vault(facts, &logs, &people, vault, &of(vault))).collect()
}

fn of_vault<'a>(
    facts: &Facts<'a>,
    logs: &Logs<'a>,
    people: &People<'_>,
    vault: &'a Vault,
    changes: &[&'a VaultChange],
) -> Vec<Finding> {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let log = match logs.of_vault(vault, CHANGES) {
        Ok(log) => log,
        Err(open) => return vec![on.open(&open)],
    };
    let is_done = |event: &&VaultEvent| event.status.is_some_and(|status| (200..300).contains(&status));
    let done: Vec<&VaultEvent> = changes.iter().map(|row| &row.event).filter(is_done).collect();
    let mut findings: Vec<Finding> =
        by_caller(done).iter().filter_map(|calls| judge(facts, people, vault, calls)).collect();
    let on = on.citing(&log.evidence);
    if let Some(open) = log.falls_short(facts).or_else(|| silent_at_first(facts, &log)) {
        findings.push(on.open(&open)); // beside what was seen: the days that the log cannot show may hold more
    } else if findings.is_empty() {
        findings.push(on.pass("its log of the period shows no change and no bulk list by a workload"));
    }
    findings
}

/// A log that begins after the period, or holds nothing, may not have been switched on.
fn silent_at_first(facts: &Facts<'_>, log: &Log<'_>) -> Option<crate::access::Open> {
    if log.shows_the_beginning(facts) {
        return None;
    }
    let detail = match log.first() {
        Some(first) => format!("the log begins at {}, after the period does", shown(first)),
        None => "the log holds no row of the period, which proves nothing".to_owned(),
    };
    Some(crate::access::Open { reason: Reason::ValueUnknown, detail, from: log.evidence.first().cloned() })
}

fn judge(facts: &Facts<'_>, people: &People<'_>, vault: &Vault, calls: &Calls<'_>) -> Option<Finding> {
    let told = told(facts, calls, &allowed(facts, people, calls))?;
    let on = calls.about(vault, people);
    Some(match (calls.who(people), told) {
        (Who::Known(person), _) if !person.kind.is_non_human() => return None,
        (Who::Known(person), Told::Done(what)) => {
            on.citing([&person.from]).fail(format!("{what} by {}", described(person)))
        }
        (Who::Gone(asked), Told::Done(what)) => {
            on.citing([asked]).fail(format!("{what} by a caller whom the directory does not have"))
        }
        (Who::Unknown, _) => match &calls.caller {
            Some(caller) => on.missing(&people.unresolved(caller)),
            None => on.not_evaluated(Reason::PrincipalUnresolved, "the log names no caller of a change"),
        },
        (_, Told::Unknown(operation)) => {
            on.not_evaluated(Reason::ValueUnknown, format!("what `{operation}` does is not known"))
        }
    })
}

/// What a caller did that a workload should not, if anything.
enum Told {
    Done(String),
    Unknown(String),
}

/// What the register of identities says that the caller may do.
fn allowed(facts: &Facts<'_>, people: &People<'_>, calls: &Calls<'_>) -> Vec<Capability> {
    let Who::Known(person) = calls.who(people) else { return Vec::new() };
    let register = facts.declared.registers.identities.as_ref();
    let rows = register.into_iter().flat_map(|register| register.in_force(facts.tenant.collected_at));
    let own = rows.filter(|row| match &row.says.identity {
        IdentityName::Object(object) => object.eq_ignore_ascii_case(&person.id),
        IdentityName::Resource(id) => people.of_arm_id(id.shown()).is_some_and(|one| one.id == person.id),
    });
    own.flat_map(|row| row.says.may.iter().flatten()).map(|name| name.0).collect()
}

/// What a changing operation takes; none for one that no register can permit.
fn takes(operation: &str) -> Option<Capability> {
    let is = |words: &[&str]| words.iter().any(|word| operation.contains(word));
    match operation {
        _ if operation.starts_with("Vault") => Some(Capability::ManageVault),
        _ if operation.starts_with("Secret") && is(&["Delete", "Purge"]) => Some(Capability::DestroySecret),
        _ if operation.starts_with("Secret") && is(&["Set", "Update", "Restore", "Recover"]) => {
            Some(Capability::ChangeSecret)
        }
        _ if operation.starts_with("Key") && is(&["Backup", "Release"]) => Some(Capability::ExportKey),
        _ => None,
    }
}

fn told(facts: &Facts<'_>, calls: &Calls<'_>, allowed: &[Capability]) -> Option<Told> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lists = Vec::new();
    let mut unknown = None;
    for event in &calls.events {
        match doing(&event.operation) {
            Doing::Changes if takes(&event.operation).is_some_and(|one| allowed.contains(&one)) => {}
            Doing::Changes => *counts.entry(&event.operation).or_default() += 1,
            Doing::Lists => lists.push(event.at),
            Doing::Unknown => unknown = unknown.or(Some(event.operation.clone())),
            Doing::Tells => {}
        }
    }
    let mut words: Vec<String> = counts.iter().map(|(operation, count)| format!("{count} × {operation}")).collect();
    let most = facts.parameters.bulk_lists;
    let hour = TimeDelta::hours(1);
    let is_burst =
        lists.iter().any(|first| lists.iter().filter(|at| **at >= *first && **at < *first + hour).count() > most);
    if is_burst {
        words.push(format!("{} lists, more than {most} within an hour", lists.len()));
    }
    match words.is_empty() {
        false => Some(Told::Done(format!("{} {}", words.join(", "), calls.when()))),
        true => unknown.map(|operation| Told::Unknown(operation.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{CHECK, Doing, doing};
    use crate::check::logs::testing::{WORKSPACE, count, logged, row, table_json, with_vault, workspace_id};
    use crate::check::testing::{
        about_name, base, findings_declared, findings_of, list, only, service_principal_json, user_json,
        with_principals,
    };
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const APP: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const ADA: &str = "bbbbbbbb-0000-0000-0000-000000000001";
    const GONE: &str = "cccccccc-0000-0000-0000-000000000001";

    fn with(rows: &[Value]) -> CaptureBuilder {
        const NAMES: &[&str] = &["TimeGenerated", "OperationName", "HttpStatusCode", "CallerObjectId", "_ResourceId"];
        let columns: Vec<Value> = NAMES.iter().map(|name| json!({"name": name, "type": "string"})).collect();
        let cells = |row: &Value| -> Value { NAMES.iter().map(|name| row[*name].clone()).collect() };
        let rows: Vec<Value> = rows.iter().map(cells).collect();
        let answer = json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]});
        let builder = logged(base(), &[], &[count("2026-07-01", 20, 0)]);
        let builder = builder.replace(Kind::VaultChangesDedicated, WORKSPACE, answer);
        with_principals(builder, &[APP, ADA, GONE], [service_principal_json(APP, "app"), user_json(ADA, "ada")])
    }

    fn judged(rows: &[Value]) -> Vec<Finding> {
        findings_of(&CHECK, with(rows))
    }

    #[test]
    fn operations_are_told_apart_by_their_names() {
        for name in
            ["SecretSet", "SecretBackup", "KeyRestore", "VaultPatch", "CertificatePolicyUpdate", "KeyRotateIfDue"]
        {
            assert_eq!(doing(name), Doing::Changes, "{name}");
        }
        assert_eq!((doing("SecretListVersions"), doing("CertificateIssuersList")), (Doing::Lists, Doing::Lists));
        assert_eq!(doing("VaultAccessPolicyChangedEventGridNotification"), Doing::Tells);
        assert_eq!(doing("SecretTeleport"), Doing::Unknown);
    }

    #[test]
    fn changes_of_a_workload_fail_with_their_counts() {
        let rows = [
            row("2026-08-01T10:00:00Z", "SecretSet", 200, Some(APP)),
            row("2026-08-01T11:00:00Z", "SecretSet", 201, Some(APP)),
            row("2026-08-01T12:00:00Z", "SecretBackup", 200, Some(APP)),
            row("2026-08-01T13:00:00Z", "SecretDelete", 403, Some(APP)),
        ];
        let findings = judged(&rows);
        let because = "1 × SecretBackup, 2 × SecretSet from 2026-08-01T10:00:00Z to 2026-08-01T12:00:00Z by service principal `app`";
        assert_eq!((only(&findings).outcome(), only(&findings).because()), (Outcome::Fail, because));
        assert_eq!(only(&findings).subject().name, "kv ← app");
    }

    #[test]
    fn what_the_register_says_that_it_may_do_is_no_exception() {
        let rows = [
            row("2026-08-01T10:00:00Z", "SecretSet", 200, Some(APP)),
            row("2026-08-01T12:00:00Z", "SecretBackup", 200, Some(APP)),
        ];
        let register =
            format!("[[identity]]\nidentity = \"{APP}\"\nowner = \"o\"\npurpose = \"p\"\nmay = [\"change_secret\"]\n");
        let with_register = |rows: &[Value]| {
            only(&findings_declared(&CHECK, with(rows), &[("registers/identities.toml", &register)])).clone()
        };
        assert_eq!(with_register(&rows[..1]).outcome(), Outcome::Pass);
        assert!(with_register(&rows).because().starts_with("1 × SecretBackup from "), "a backup no register permits");
    }

    #[test]
    fn a_few_lists_are_none_and_many_within_an_hour_are_a_burst() {
        let lists = |count: usize, minutes: usize| -> Vec<Value> {
            let at =
                |number: usize| format!("2026-08-01T{:02}:{:02}:00Z", number * minutes / 60, number * minutes % 60);
            (0..count).map(|number| row(&at(number), "SecretList", 200, Some(APP))).collect()
        };
        assert_eq!(only(&judged(&lists(20, 2))).outcome(), Outcome::Pass);
        let burst = judged(&lists(21, 2));
        assert!(only(&burst).because().starts_with("21 lists, more than 20 within an hour"), "{burst:?}");
        assert_eq!(only(&judged(&lists(30, 20))).outcome(), Outcome::Pass, "three an hour");
    }

    #[test]
    fn people_are_not_asked_about_and_a_caller_who_is_gone_fails() {
        let rows = [row("2026-08-01T10:00:00Z", "SecretSet", 200, Some(ADA))];
        assert_eq!(only(&judged(&rows)).outcome(), Outcome::Pass);
        let rows = [row("2026-08-01T10:00:00Z", "SecretPurge", 200, Some(GONE))];
        assert_eq!(only(&judged(&rows)).outcome(), Outcome::Fail);
        let rows = [row("2026-08-01T10:00:00Z", "SecretSet", 200, Some("dddddddd-0000-0000-0000-000000000001"))];
        assert_eq!(only(&judged(&rows)).reason(), Some(Reason::PrincipalUnresolved));
        let rows = [row("2026-08-01T10:00:00Z", "SecretTeleport", 200, Some(APP))];
        assert_eq!(only(&judged(&rows)).reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn a_log_that_does_not_show_the_period_concludes_nothing_and_keeps_what_it_shows() {
        let rows = [row("2026-08-01T10:00:00Z", "SecretSet", 200, Some(APP))];
        let late = with(&rows).replace(
            Kind::VaultLogDedicatedCount,
            WORKSPACE,
            json!({"tables": [{"name": "PrimaryResult",
            "columns": [], "rows": []}]}),
        );
        let findings = findings_of(&CHECK, late);
        assert_eq!(about_name(&findings, "kv ← app").outcome(), Outcome::Fail);
        assert_eq!(about_name(&findings, "kv").reason(), Some(Reason::ValueUnknown));
        let short = logged(base(), &[], &[count("2026-09-10", 20, 0)]);
        let short =
            short.replace(Kind::Tables, &workspace_id(), list([table_json("AZKVAuditLogs", Some(30), Some(30))]));
        assert_eq!(only(&findings_of(&CHECK, short)).reason(), Some(Reason::RetentionTooShort));
    }

    #[test]
    fn an_unread_log_a_vault_without_one_and_none_at_all() {
        let denied = with(&[]).denied(Kind::VaultChangesDedicated, WORKSPACE);
        assert_eq!(only(&findings_of(&CHECK, denied)).reason(), Some(Reason::Forbidden));
        assert_eq!(only(&findings_of(&CHECK, with_vault(base(), []))).reason(), Some(Reason::NotFound));
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
