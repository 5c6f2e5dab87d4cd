//! Who may read secrets and does not.

use std::collections::BTreeMap;

use super::logs::as_open;
use super::people::People;
use super::readers::{listed, unread};
use super::usage::{GrantUse, Usage, join};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::{Answer, Open, Unread};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Id, Vault};

pub(super) const CHECK: Check = Check {
    id: "RBAC-014",
    title: "Access to secrets that is granted is used",
    severity: Severity::Medium,
    nature: Nature::Operating,
    asks: "Every principal that may read secret values of a vault at collection, beside the successful `SecretGet` rows \
           of its log in the period, matched by object id. Access without a read for the configured number of days \
           (90) up to the end of the period is an exception. Access that was granted within that time, by the dates \
           of its role assignments, and eligible access are none. A period that is shorter than those days awaits a \
           person, who has the packs before it.",
    blind_to: "Access that was taken away before collection, when somebody became a member of a group, use of keys and \
               certificates, whether a read was needed, and workloads that start seldom, such as a yearly batch: \
               record a waiver for those. Reads by two hosts of one identity are not told apart.",
    fix: "Ask the owner of the identity, then take the role away: `az role assignment delete --ids <assignment id>`, in \
          a vault with access policies `az keyvault delete-policy --name VAULT --object-id ID`, from a group `az ad \
          group member remove`. For people make it eligible instead.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        judged(Kind::DenyAssignments),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::UserAssignedIdentities),
        judged(Kind::Resources),
        judged(Kind::VirtualMachines),
        judged(Kind::GroupMembers),
        judged(Kind::RoleEligibilityScheduleInstances),
        judged(Kind::GroupEligibilities),
        judged(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        judged(Kind::VaultLogDedicated),
        judged(Kind::VaultLogLegacy),
        judged(Kind::VaultLogDedicatedCount),
        judged(Kind::VaultLogLegacyCount),
    ],
    run,
};

/// What hides a reader, and so one that does not read, when it was not read.
const MATTERS: &[Unread] = &[Unread::Scope, Unread::ManagementGroups, Unread::Members, Unread::Definition];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let mut by_vault: BTreeMap<Id, Vec<GrantUse>> = BTreeMap::new();
    for line in join(facts) {
        by_vault.entry(line.vault.clone()).or_default().push(line);
    }
    let lines = |vault: &Vault| by_vault.get(&vault.id).map_or(&[][..], Vec::as_slice);
    facts.tenant.vaults.iter().map(|vault| judge(facts, &people, vault, lines(vault))).collect()
}

/// What one line means.
enum Verdict {
    Fine,
    Unused(String),
    TooShort,
    Open(Open),
}

fn judge(facts: &Facts<'_>, people: &People<'_>, vault: &Vault, lines: &[GrantUse]) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let is_standing = |line: &&GrantUse| line.answer.is_some() && !line.by_activation;
    let lines: Vec<&GrantUse> = lines.iter().filter(is_standing).collect();
    let (mut unused, mut too_short, mut open) = (Vec::new(), 0, None);
    let mut evidence: Vec<&Cite> = Vec::new();
    for line in &lines {
        match verdict(facts, people, line) {
            Verdict::Fine => {}
            Verdict::Unused(words) => {
                evidence.extend(&line.evidence);
                unused.push(words);
            }
            Verdict::TooShort => too_short += 1,
            Verdict::Open(why) => open = open.or(Some(why)),
        }
    }
    if !unused.is_empty() {
        return on.citing(evidence).fail(format!(
            "{} not read in {} days: {}",
            those(unused.len()),
            facts.parameters.unused_days,
            listed(unused)
        ));
    }
    if let Some(open) = open.or_else(|| unread(facts, vault, MATTERS)) {
        return on.open(&open);
    }
    let on = lines.iter().fold(on, |on, line| on.citing(&line.evidence));
    match (lines.len(), too_short) {
        (0, _) => on
            .citing(&facts.records_about(Kind::RoleAssignments, &vault.id))
            .not_applicable("nobody may read its secrets without activation"),
        (_, 1..) => on.manual(format!(
            "{} not read in the {} days that the period shows, fewer than {}; a person must look at the packs before",
            those(too_short),
            elapsed(facts),
            facts.parameters.unused_days
        )),
        (readers, 0) => on.pass(format!("each of those who may read its secrets did so or is new: {readers}")),
    }
}

fn those(count: usize) -> String {
    match count {
        1 => "1 principal that may read its secrets has".to_owned(),
        _ => format!("{count} principals that may read its secrets have"),
    }
}

/// Whole days of the period up to collection.
fn elapsed(facts: &Facts<'_>) -> i64 {
    (facts.period.end.min(facts.tenant.collected_at) - facts.period.start).num_days()
}

fn verdict(facts: &Facts<'_>, people: &People<'_>, line: &GrantUse) -> Verdict {
    let limit = facts.parameters.unused_days;
    let end = facts.period.end.min(facts.tenant.collected_at);
    let is_recent = |at: chrono::DateTime<chrono::Utc>| (end - at).num_days() < limit;
    if line.last.is_some_and(is_recent) || line.since.is_some_and(is_recent) {
        return Verdict::Fine;
    }
    if line.answer == Some(Answer::NotDetermined) {
        let detail = format!("whether `{}` may read is not determined: {}", line.principal, line.by);
        let from = line.evidence.first().cloned();
        return Verdict::Open(Open { reason: Reason::ValueUnknown, detail, from });
    }
    // a group never reads, and whoever is behind it may
    if let Some(missing) = people.hidden_members(&line.principal_id) {
        return Verdict::Open(as_open(&missing));
    }
    match (line.usage, line.idle_days, &line.open) {
        (Usage::NotDetermined, _, Some(open)) => Verdict::Open(Open::clone(open)),
        (Usage::Used | Usage::Unused, Some(days), _) if days >= limit => {
            let last =
                line.last.map_or_else(|| "never".to_owned(), |last| format!("last on {}", last.format("%Y-%m-%d")));
            Verdict::Unused(format!("`{}` ({last} in the period; {})", line.principal, line.by))
        }
        (Usage::Unused, Some(_), _) => Verdict::TooShort,
        _ => Verdict::Open(Open {
            reason: Reason::RetentionTooShort,
            detail: format!("`{}` read long ago, and the log does not show the whole period since", line.principal),
            from: line.evidence.first().cloned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::logs::testing::{count, logged, row};
    use crate::check::testing::{
        SECRETS_USER, SUB, assignment_json, base, findings_of, findings_with, group_json, list, only, patched,
        role_json, service_principal_json, vault_id, with_principals,
    };
    use crate::check::{Finding, Outcome, Parameters};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const APP: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const OTHER: &str = "aaaaaaaa-0000-0000-0000-000000000002";
    const GROUP: &str = "dddddddd-0000-0000-0000-000000000001";

    fn read_at(at: &str) -> Value {
        row(at, "SecretGet", 200, Some(APP))
    }

    /// `APP` and the others may read `kv`, whose log begins with the period; `APP` reads at these times.
    fn tenant(reads: &[&str], others: &[&str], patch: &Value) -> CaptureBuilder {
        let rows: Vec<Value> = reads.iter().map(|at| read_at(at)).collect();
        let actions = ["Microsoft.KeyVault/vaults/secrets/getSecret/action"];
        let holders = [APP].into_iter().chain(others.iter().copied()).enumerate();
        let assignments = holders.map(|(number, who)| {
            let name = format!("cccccccc-0000-0000-0000-{:012}", number + 1);
            patched(assignment_json(&name, &vault_id("kv"), SECRETS_USER, who, "ServicePrincipal"), patch)
        });
        let assignments = list(assignments);
        let builder = logged(base(), &rows, &[count("2026-07-01", 20, rows.len() as u64)])
            .replace(Kind::RoleDefinitions, SUB, list([role_json(SECRETS_USER, "Reader of secrets", &[], &actions)]))
            .replace(Kind::RoleAssignments, SUB, assignments);
        let people =
            [service_principal_json(APP, "app"), service_principal_json(OTHER, "other"), group_json(GROUP, "g")];
        with_principals(builder, &[APP, OTHER, GROUP], people)
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn access_that_is_used_passes() {
        let finding = judged(tenant(&["2026-07-04T00:00:00Z"], &[], &json!({})));
        assert_eq!((finding.outcome(), finding.subject().name.as_str()), (Outcome::Pass, "kv"), "89 days ago");
    }

    #[test]
    fn access_that_nobody_used_fails_and_names_the_holder() {
        let finding = judged(tenant(&["2026-09-03T00:00:00Z"], &[OTHER], &json!({})));
        assert_eq!(finding.outcome(), Outcome::Fail);
        let begins = "1 principal that may read its secrets has not read in 90 days: `other` (never in the period; ";
        assert!(finding.because().starts_with(begins), "{}", finding.because());
        let long_ago = judged(tenant(&["2026-07-02T00:00:00Z"], &[OTHER], &json!({})));
        assert!(
            long_ago.because().starts_with("2 principals that may read its secrets have not"),
            "{}",
            long_ago.because()
        );
        assert!(long_ago.because().contains("last on 2026-07-02"), "{}", long_ago.because());
    }

    #[test]
    fn access_that_is_new_is_no_exception() {
        let made = json!({"properties": {"createdOn": "2026-08-01T00:00:00Z"}});
        assert_eq!(judged(tenant(&[], &[], &made)).outcome(), Outcome::Pass);
        let untold = json!({"properties": {"createdOn": null}});
        assert_eq!(judged(tenant(&[], &[], &untold)).outcome(), Outcome::Fail, "a date that is not told is not new");
    }

    #[test]
    fn a_group_that_was_not_read_is_not_called_unused() {
        assert_eq!(judged(tenant(&["2026-09-03T00:00:00Z"], &[GROUP], &json!({}))).reason(), Some(Reason::NotAsked));
    }

    #[test]
    fn a_period_shorter_than_the_limit_awaits_a_person() {
        let parameters = Parameters { unused_days: 120, ..Parameters::default() };
        let findings = findings_with(&CHECK, tenant(&[], &[], &json!({})), &parameters);
        assert_eq!(only(&findings).outcome(), Outcome::Manual, "{}", only(&findings).because());
    }

    #[test]
    fn without_the_log_nothing_is_said_and_a_recent_read_is_enough() {
        let scope = vault_id("kv");
        let refused = tenant(&["2026-09-03T00:00:00Z"], &[], &json!({})).denied(Kind::DiagnosticSettings, &scope);
        assert_eq!(judged(refused).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn what_was_not_read_keeps_no_pass() {
        for (kind, scope) in [(Kind::RoleAssignments, "/"), (Kind::RoleDefinitions, SUB)] {
            let finding = judged(tenant(&["2026-09-03T00:00:00Z"], &[], &json!({})).denied(kind, scope));
            assert_eq!(finding.outcome(), Outcome::NotEvaluated, "{kind:?}");
        }
    }

    #[test]
    fn a_vault_without_readers_and_a_tenant_without_vaults_are_not_applicable() {
        let nobody = tenant(&[], &[], &json!({})).replace(Kind::RoleAssignments, SUB, list([]));
        assert_eq!(judged(nobody).outcome(), Outcome::NotApplicable);
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
