//! KV-003: a vault that is in RBAC mode was so all the period.

use chrono::{DateTime, TimeDelta, Utc};

use super::callers::shown;
use super::operations::{self, Operation};
use super::people::{People, counted};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Denial, Vault};

/// A write through Resource Manager and the row of it in the vault's log lie no further apart.
const SAME_WRITE: TimeDelta = TimeDelta::minutes(5);
/// A vault that was first written no longer after the time that it gives for its creation was made by that write.
const SAME_CREATION: TimeDelta = TimeDelta::minutes(10);

pub(super) const CHECK: Check = Check {
    id: "KV-003",
    title: "The permission model of a vault did not change in the period",
    severity: Severity::High,
    nature: Nature::Operating,
    asks: "For every vault, each write to it in the period (`Microsoft.KeyVault/vaults/write` in the activity log and in \
           its export, `VaultPut` and `VaultPatch` in the vault's own log) and the model that each left, beside what \
           calls in the vault's log show of the model at their time: a call that a role assignment allowed or that no \
           role allowed was judged by roles, one that no access policy allowed by policies. A vault that is in RBAC mode \
           now and was in access-policy mode at any time of the period is an exception, and so is one that left RBAC.",
    blind_to: "Two changes within one write and the next call. What the log of a part of the period would tell that \
               neither source keeps: that is then not evaluated. Who may change the model: Microsoft's pages differ, and \
               `vaults/write` is taken to be enough.",
    fix: "`az keyvault update --name VAULT --enable-rbac-authorization true`, and find out who changed it and why; access \
          policies revive at once when a vault leaves RBAC. Export the activity log to a workspace (LOG-006), so that \
          writes of the whole period can be told, and deny the change by the built-in policy on the RBAC model.",
    needs: &[
        population(Kind::Vaults),
        judged(Kind::ActivityOfVaults),
        judged(Kind::SubscriptionExports),
        judged(Kind::ManagementGroupExports),
        judged(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        judged(Kind::Activity),
        judged(Kind::ActivityCount),
        judged(Kind::ActivityContinuity),
        judged(Kind::VaultChangesDedicated),
        judged(Kind::VaultChangesLegacy),
        judged(Kind::VaultLogDedicated),
        judged(Kind::VaultLogLegacy),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
    ],
    run,
};

/// Something that tells, or changes, the model at one time.
struct Sign {
    at: DateTime<Utc>,
    /// RBAC or not, where it is told.
    rbac: Option<bool>,
    is_write: bool,
    words: String,
    evidence: Vec<Cite>,
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let writes = operations::of_period(facts, &["microsoft.keyvault/vaults/write"]);
    let exact: Vec<&Operation> =
        writes.iter().filter(|write| write.name == "microsoft.keyvault/vaults/write").collect();
    facts.tenant.vaults.iter().map(|vault| judge(facts, &people, &exact, vault)).collect()
}

fn judge(facts: &Facts<'_>, people: &People<'_>, writes: &[&Operation], vault: &Vault) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let signs = signs(facts, people, writes, vault);
    let now = vault.is_rbac();
    if let Some(other) = signs.iter().find(|sign| sign.rbac == Some(!now)) {
        let words = match now {
            true => format!("{}: it was in access-policy mode", other.words),
            false => format!("{}: it was in RBAC mode, and is not any more", other.words),
        };
        return on.citing(&other.evidence).fail(words);
    }
    let subscription = facts.tenant.subscriptions.iter().find(|one| one.id.is_at_or_above(&vault.id));
    let covered = match subscription {
        Some(subscription) => operations::covered(facts, Kind::ActivityOfVaults, &subscription.id),
        None => return on.not_evaluated(Reason::NotFound, "its subscription is not in the list of subscriptions"),
    };
    let evidence = match covered {
        Ok(evidence) => evidence,
        Err(open) => return on.open(&open),
    };
    let on = on.citing(&evidence).citing(signs.iter().filter(|sign| sign.is_write).flat_map(|sign| &sign.evidence));
    if !now {
        return on
            .not_applicable("it is in access-policy mode, and nothing shows that it was not all the period (KV-002)");
    }
    let made = signs.iter().filter(|sign| sign.is_write).count();
    match unknown_between(facts, vault, &signs) {
        Some(because) => on.not_evaluated(Reason::ValueUnknown, because),
        None if made == 0 => on.pass("it is in RBAC mode, and nothing was written to it in the period"),
        None => on.pass(format!("in RBAC mode before and after each of {}", counted(made, "write"))),
    }
}

/// Writes, and calls that show the model, in order of time.
fn signs(facts: &Facts<'_>, people: &People<'_>, writes: &[&Operation], vault: &Vault) -> Vec<Sign> {
    let mut signs: Vec<Sign> = Vec::new();
    let rows = facts.tenant.logs.vault_changes.iter().filter(|row| row.event.vault == vault.id);
    let is_done = |status: Option<u16>| status.is_some_and(|status| (200..300).contains(&status));
    let is_write = |name: &str| ["VaultPut", "VaultPatch"].iter().any(|write| name.eq_ignore_ascii_case(write));
    for row in rows.filter(|row| is_write(&row.event.operation) && is_done(row.event.status)) {
        let words = format!("after `{}` at {}", row.event.operation, shown(row.event.at));
        let evidence = vec![row.event.from()];
        signs.push(Sign { at: row.event.at, rbac: row.rbac, is_write: true, words, evidence });
    }
    for write in writes.iter().filter(|write| write.resource == vault.id) {
        let words = format!("after a write by {} at {}", write.by(people), shown(write.at));
        let near = |sign: &&mut Sign| (sign.at - write.at).abs() <= SAME_WRITE && sign.is_write;
        match signs.iter_mut().find(near) {
            Some(same) if same.rbac.is_none() || write.rbac.is_none() || same.rbac == write.rbac => {
                same.rbac = same.rbac.or(write.rbac);
                same.evidence.extend(write.evidence.iter().cloned());
            }
            _ => {
                let (at, rbac, evidence) = (write.at, write.rbac, write.evidence.clone());
                signs.push(Sign { at, rbac, is_write: true, words, evidence });
            }
        }
    }
    for call in facts.tenant.vault_events.iter().filter(|call| call.vault == vault.id) {
        let rbac = match call.denial {
            Some(Denial::Rbac) => Some(true),
            Some(Denial::AccessPolicy) => Some(false),
            _ => call.assignment_id.as_ref().map(|_| true),
        };
        if rbac.is_some() {
            let words = format!("by a call at {}", shown(call.at));
            signs.push(Sign { at: call.at, rbac, is_write: false, words, evidence: vec![call.from()] });
        }
    }
    signs.retain(|sign| facts.period.contains(sign.at));
    signs.sort_by_key(|sign| (sign.at, sign.is_write));
    signs
}

/// A stretch between two writes of which nothing tells the model, in words. What is there now has been so since the
/// last write.
fn unknown_between(facts: &Facts<'_>, vault: &Vault, signs: &[Sign]) -> Option<String> {
    let writes: Vec<&Sign> = signs.iter().filter(|sign| sign.is_write).collect();
    let tells = |from: DateTime<Utc>, until: DateTime<Utc>| {
        signs.iter().any(|sign| !sign.is_write && sign.rbac == Some(true) && from <= sign.at && sign.at <= until)
    };
    let first = writes.first()?;
    let is_made_by_it = vault.created_at.is_some_and(|made| (made - first.at).abs() <= SAME_CREATION);
    if !is_made_by_it && !tells(facts.period.start, first.at) {
        return Some(format!("nothing tells the model before the first write, at {}", shown(first.at)));
    }
    let open = writes.windows(2).find_map(|pair| match pair {
        [one, next] if one.rbac.is_none() && !tells(one.at, next.at) => Some(one),
        _ => None,
    });
    open.map(|write| format!("nothing tells the model {}", write.words))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::logs::testing::{WORKSPACE, setting_json};
    use crate::check::operations::testing::{activity_json, event_json, exporting, ninety_days};
    use crate::check::testing::{SUB, base, findings_in, findings_of, list, only, patched, vault_id, vault_json};
    use crate::check::{Finding, Outcome, Parameters};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const WRITE: &str = "Microsoft.KeyVault/vaults/write";
    const CALL: &[&str] = &[
        "TimeGenerated",
        "OperationName",
        "HttpStatusCode",
        "CallerObjectId",
        "AppliedAssignmentId",
        "IsAccessPolicyMatch",
        "EnableRbacAuthorization",
        "_ResourceId",
    ];

    fn with_vault(patch: &Value, rows: &[Value]) -> CaptureBuilder {
        exporting(base(), rows, &[]).replace(Kind::Vaults, SUB, list([vault_json("kv", patch)])).answer(
            Kind::DiagnosticSettings,
            &vault_id("kv"),
            list([setting_json(&json!({}))]),
        )
    }

    fn write(at: &str, rbac: &Value) -> Value {
        activity_json(at, WRITE, &vault_id("kv"), &json!({"EnableRbacAuthorization": rbac}))
    }

    fn calls(builder: CaptureBuilder, kind: Kind, rows: &[Value]) -> CaptureBuilder {
        let columns: Vec<Value> = CALL.iter().map(|name| json!({"name": name, "type": "string"})).collect();
        let cells = |row: &Value| -> Value { CALL.iter().map(|name| row[*name].clone()).collect() };
        let rows: Vec<Value> = rows.iter().map(cells).collect();
        builder.replace(
            kind,
            WORKSPACE,
            json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}),
        )
    }

    fn call(at: &str, patch: &Value) -> Value {
        let call = json!({"TimeGenerated": at, "OperationName": "SecretGet", "HttpStatusCode": 200,
            "_ResourceId": vault_id("kv")});
        patched(call, patch)
    }

    fn allowed_by_role(at: &str) -> Value {
        call(at, &json!({"AppliedAssignmentId": "cccccccc-0000-0000-0000-000000000001"}))
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn without_a_write_what_is_there_now_was_there_all_the_time() {
        let finding = judged(with_vault(&json!({}), &[]));
        assert_eq!(finding.because(), "it is in RBAC mode, and nothing was written to it in the period");
        let policies = judged(with_vault(&json!({"properties": {"enableRbacAuthorization": null}}), &[]));
        assert_eq!(policies.outcome(), Outcome::NotApplicable, "KV-002 speaks of it");
    }

    #[test]
    fn a_write_that_left_rbac_fails_and_so_does_a_call_that_policies_judged() {
        let left = [write("2026-08-01T10:00:00Z", &json!(false)), write("2026-08-01T11:00:00Z", &json!(true))];
        let finding = judged(with_vault(&json!({}), &left));
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert!(finding.because().ends_with("at 2026-08-01T10:00:00Z: it was in access-policy mode"), "{finding:?}");
        let denied = call("2026-08-03T10:00:00Z", &json!({"HttpStatusCode": 403, "IsAccessPolicyMatch": false}));
        let by_policy = calls(with_vault(&json!({}), &[]), Kind::VaultLogDedicated, &[denied]);
        assert_eq!(judged(by_policy).outcome(), Outcome::Fail);
        let patch =
            call("2026-08-03T10:00:00Z", &json!({"OperationName": "VaultPatch", "EnableRbacAuthorization": false}));
        let by_log = calls(with_vault(&json!({}), &[]), Kind::VaultChangesDedicated, &[patch]);
        assert!(judged(by_log).because().starts_with("after `VaultPatch` at"), "the vault's own log tells it too");
        let now_policies = json!({"properties": {"enableRbacAuthorization": false}});
        let was = judged(with_vault(&now_policies, &[write("2026-08-01T10:00:00Z", &json!(true))]));
        assert!(was.because().ends_with("it was in RBAC mode, and is not any more"), "{was:?}");
    }

    #[test]
    fn the_model_must_be_told_before_the_first_write_and_between_two() {
        let one = [write("2026-08-01T10:00:00Z", &json!(true))];
        let untold = judged(with_vault(&json!({}), &one));
        assert_eq!(untold.reason(), Some(Reason::ValueUnknown));
        let told =
            calls(with_vault(&json!({}), &one), Kind::VaultLogDedicated, &[allowed_by_role("2026-07-02T10:00:00Z")]);
        assert_eq!(judged(told).because(), "in RBAC mode before and after each of 1 write");
        let made = json!({"systemData": {"createdAt": "2026-08-01T09:58:00Z"}});
        let made = patched(vault_json("kv", &json!({})), &made);
        let made = with_vault(&json!({}), &one).replace(Kind::Vaults, SUB, list([made]));
        assert_eq!(judged(made).outcome(), Outcome::Pass, "the write made it");

        let two = [write("2026-08-01T10:00:00Z", &Value::Null), write("2026-08-05T10:00:00Z", &Value::Null)];
        let before = allowed_by_role("2026-07-02T10:00:00Z");
        let open = calls(with_vault(&json!({}), &two), Kind::VaultLogDedicated, std::slice::from_ref(&before));
        let because = judged(open).because().to_owned();
        assert!(
            because.starts_with("nothing tells the model after a write by") && because.contains("2026-08-01"),
            "{because}"
        );
        let between = [before, allowed_by_role("2026-08-03T10:00:00Z")];
        let told = calls(with_vault(&json!({}), &two), Kind::VaultLogDedicated, &between);
        assert_eq!(judged(told).outcome(), Outcome::Pass, "the last write left what is there now");
    }

    #[test]
    fn a_write_that_failed_and_one_to_another_vault_are_none() {
        let failed = activity_json(
            "2026-08-01T10:00:00Z",
            WRITE,
            &vault_id("kv"),
            &json!({"Status": "Failure", "EnableRbacAuthorization": false}),
        );
        let other =
            activity_json("2026-08-01T10:00:00Z", WRITE, &vault_id("kv10"), &json!({"EnableRbacAuthorization": false}));
        assert_eq!(judged(with_vault(&json!({}), &[failed, other])).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_log_that_does_not_cover_the_period_concludes_nothing_but_keeps_what_it_shows() {
        let vaults = list([vault_json("kv", &json!({}))]);
        let alone = base().replace(Kind::Vaults, SUB, vaults.clone());
        let short = findings_in(&CHECK, &ninety_days(alone.clone()), &Parameters::default());
        assert_eq!(only(&short).reason(), Some(Reason::RetentionTooShort));
        assert_eq!(judged(alone.clone()).outcome(), Outcome::Pass, "a log that keeps the period is enough");
        let denied = judged(alone.denied(Kind::ActivityOfVaults, SUB));
        assert_eq!(denied.reason(), Some(Reason::Forbidden));
        let unnamed = event_json("2026-08-01T10:00:00Z", WRITE, &vault_id("kv"), &json!({}));
        let log = base().replace(Kind::Vaults, SUB, vaults).replace(Kind::ActivityOfVaults, SUB, list([unnamed]));
        assert_eq!(judged(log).reason(), Some(Reason::ValueUnknown), "the log itself holds no body");
    }

    #[test]
    fn no_vault_is_not_applicable_and_unread_ones_are_not_evaluated() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
        assert_eq!(judged(base().denied(Kind::Vaults, SUB)).outcome(), Outcome::NotEvaluated);
    }
}
