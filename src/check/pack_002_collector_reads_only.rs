//! PACK-002: the identity that collected could change nothing, and changed nothing.

use super::callers::shown;
use super::operations::{self, Operation};
use super::people::and_more;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population};
use crate::access::OwnRights;
use crate::evidence::{Cite, Kind, Reason};
use crate::model::Id;

pub(super) const CHECK: Check = Check {
    id: "PACK-002",
    title: "The collector had and used only rights to read",
    severity: Severity::Medium,
    nature: Nature::Operating,
    asks: "What the collecting identity held when it collected, by what Azure itself says that it may do in each \
           subscription, by its role assignments (directly and through groups) and by access policies that name it: a \
           right to change anything, to grant access or to read a secret's value is an exception. And what the logs of \
           the period show of it: a change in the activity log or its export, a read of a secret in a vault's log.",
    blind_to: "Rights in the directory and in Microsoft Graph; rights that it held at another time; conditions and deny \
               assignments, which are not taken to narrow what it holds; what it did in a part of the period that no \
               log covers, where its rights say what it could have done.",
    fix: "Take the role away and use the one that `tickmark role` prints; collect with an identity of its own that does \
          nothing else.",
    needs: &[
        population(Kind::Subscriptions),
        judged(Kind::OwnPermissions),
        judged(Kind::ManagementGroups),
        judged(Kind::ManagementGroupDescendants),
        judged(Kind::RoleAssignments),
        judged(Kind::RoleDefinitions),
        judged(Kind::Vaults),
        judged(Kind::Principals),
        judged(Kind::GroupMembers),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::ActivityOfAuthorization),
        judged(Kind::ActivityOfVaults),
        judged(Kind::ActivityOfDiagnosticSettings),
        judged(Kind::ActivityOfIdentities),
        judged(Kind::ActivityOfWorkspaces),
        judged(Kind::TenantActivity),
        judged(Kind::Activity),
        judged(Kind::VaultLogDedicated),
        judged(Kind::VaultLogLegacy),
        judged(Kind::VaultChangesDedicated),
        judged(Kind::VaultChangesLegacy),
        judged(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let records: Vec<Cite> = facts.records_of(Kind::OwnPermissions);
    let asked = facts.records_of(Kind::Subscriptions);
    let (Some(first), false) = (records.first().or(asked.first()), facts.tenant.subscriptions.is_empty()) else {
        return Vec::new();
    };
    let object_id = facts.tenant.collected_by.object_id.as_deref();
    let name = object_id.map_or("the collecting identity".to_owned(), |id| facts.tenant.principal_name(id));
    let id = Id::new(object_id.unwrap_or("the collecting identity"));
    let on = about("collector", &id, &name, first).citing(&records);
    let rights = OwnRights::from_evidence(facts.tenant, facts.access, object_id);
    if let Some(first) = rights.excess.first() {
        let evidence = rights.excess.iter().flat_map(|excess| &excess.evidence);
        return vec![on.citing(evidence).fail(and_more(&first.line(), rights.excess.len()))];
    }
    let Some(object_id) = object_id.map(str::to_lowercase) else {
        return vec![on.not_evaluated(
            Reason::PrincipalUnresolved,
            "the token names no object id, so that its rights are not known",
        )];
    };
    let did = done(facts, &object_id);
    if let Some((words, _)) = did.first() {
        let evidence: Vec<Cite> = did.iter().map(|(_, from)| from.clone()).collect();
        return vec![on.citing(&evidence).fail(and_more(words, did.len()))];
    }
    if let Some(why) = rights.unread.first() {
        let reason = unread(facts).unwrap_or(Reason::PrincipalUnresolved);
        return vec![on.not_evaluated(reason, format!("its rights are not known whole: {why}"))];
    }
    vec![
        on.citing(&rights.effective)
            .pass(format!("{}; no log of the period shows a change or a read of a secret by it", rights.line())),
    ]
}

/// Why its rights are not known whole, where a list was not read.
fn unread(facts: &Facts<'_>) -> Option<Reason> {
    let lists = [Kind::OwnPermissions, Kind::RoleAssignments, Kind::RoleDefinitions, Kind::Vaults, Kind::GroupMembers];
    lists.iter().flat_map(|kind| facts.tenant.coverage.missing_anywhere(*kind)).map(|missing| missing.reason).next()
}

/// What the logs show of the identity beyond reading: words and record.
fn done(facts: &Facts<'_>, object_id: &str) -> Vec<(String, Cite)> {
    let is_own = |change: &Operation| change.caller.as_deref() == Some(object_id);
    let changes = operations::of_period(facts, &["microsoft."]).into_iter().filter(is_own);
    let mut did: Vec<(String, Cite)> = changes
        .filter_map(|change| {
            let words = format!("it did `{}` to `{}` at {}", change.name, change.resource, shown(change.at));
            Some((words, change.evidence.first()?.clone()))
        })
        .collect();
    let changes = facts.tenant.logs.vault_changes.iter().map(|change| &change.event);
    let changes = changes.filter(|event| !event.operation.contains("List"));
    let reads = facts.tenant.vault_events.iter().filter(|event| event.operation.eq_ignore_ascii_case("SecretGet"));
    let events = changes.chain(reads).filter(|event| facts.period.contains(event.at));
    let own = events.filter(|event| event.caller_object_id.as_deref() == Some(object_id));
    let done = own.filter(|event| event.status.is_some_and(|status| (200..300).contains(&status)));
    did.extend(done.map(|event| {
        let words =
            format!("it did `{}` in the vault `{}` at {}", event.operation, event.vault.name(), shown(event.at));
        (words, event.from())
    }));
    did
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::logs::testing::{count, logged, row};
    use crate::check::operations::testing::event_json;
    use crate::check::testing::{
        SUB, assignment_json, base, findings_in, list, only, policy_json, role_json, service_principal_json, vault_id,
        vault_json, with_principals,
    };
    use crate::check::{Finding, Outcome, Parameters};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const OWN: &str = "aaaaaaaa-0000-0000-0000-000000000009";
    const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

    /// The identity holds the role, and Azure says that it may do this.
    fn holding(builder: CaptureBuilder, role: &str, action: &str) -> CaptureBuilder {
        let may = json!({"actions": [action], "notActions": [], "dataActions": [], "notDataActions": []});
        let builder = builder
            .replace(Kind::OwnPermissions, SUB, list([may]))
            .replace(Kind::RoleAssignments, SUB, list([assignment_json("a1", SUB, role, OWN, "ServicePrincipal")]))
            .replace(Kind::RoleDefinitions, SUB, list([role_json(role, "Role", &[action], &[])]));
        with_principals(builder, &[OWN], [service_principal_json(OWN, "collector")])
    }

    fn judged_as(builder: CaptureBuilder, object_id: Option<&str>) -> Finding {
        let mut capture = builder.build();
        capture.head.run_as.object_id = object_id.map(str::to_owned);
        only(&findings_in(&CHECK, &capture, &Parameters::default())).clone()
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        judged_as(builder, Some(&OWN.to_uppercase()))
    }

    fn reader() -> CaptureBuilder {
        holding(base(), READER, "*/read")
    }

    #[test]
    fn one_that_only_reads_passes() {
        let finding = judged(reader());
        assert_eq!((finding.outcome(), finding.subject().name.as_str()), (Outcome::Pass, "collector"));
    }

    #[test]
    fn a_right_to_write_fails_in_a_role_and_in_an_access_policy() {
        let owner = judged(holding(base(), OWNER, "*"));
        assert_eq!(owner.outcome(), Outcome::Fail);
        assert!(owner.because().starts_with("role `Role` at `/subscriptions/"), "{owner:?}");
        let policies =
            json!({"properties": {"enableRbacAuthorization": false, "accessPolicies": [policy_json(OWN, &["get"])]}});
        let vault = reader().replace(Kind::Vaults, SUB, list([vault_json("kv", &policies)]));
        assert_eq!(judged(vault).outcome(), Outcome::Fail);
    }

    #[test]
    fn what_it_did_fails_whatever_it_holds_now() {
        let claims = json!({"claims": {"http://schemas.microsoft.com/identity/claims/objectidentifier": OWN}});
        let event = |at: &str, patch: &Value| event_json(at, "Microsoft.KeyVault/vaults/write", &vault_id("kv"), patch);
        let wrote = reader().replace(Kind::ActivityOfVaults, SUB, list([event("2026-08-01T10:00:00Z", &claims)]));
        assert!(judged(wrote).because().starts_with("it did `microsoft.keyvault/vaults/write` to"));
        let others = reader().replace(Kind::ActivityOfVaults, SUB, list([event("2026-08-01T10:00:00Z", &json!({}))]));
        assert_eq!(judged(others).outcome(), Outcome::Pass);
        let read = row("2026-08-01T10:00:00Z", "SecretGet", 200, Some(OWN));
        let read = holding(logged(base(), &[read], &[count("2026-08-01", 1, 1)]), READER, "*/read");
        assert_eq!(judged(read).because(), "it did `SecretGet` in the vault `kv` at 2026-08-01T10:00:00Z");
        let refused = row("2026-08-01T10:00:00Z", "SecretGet", 403, Some(OWN));
        let refused = holding(logged(base(), &[refused], &[count("2026-08-01", 1, 1)]), READER, "*/read");
        assert_eq!(judged(refused).outcome(), Outcome::Pass);
    }

    #[test]
    fn rights_that_are_not_known_are_not_evaluated() {
        assert_eq!(judged_as(reader(), None).reason(), Some(Reason::PrincipalUnresolved));
        assert_eq!(judged(reader().denied(Kind::OwnPermissions, SUB)).outcome(), Outcome::NotEvaluated);
        assert_eq!(judged(reader().denied(Kind::RoleAssignments, SUB)).outcome(), Outcome::NotEvaluated);
        assert_eq!(judged(CaptureBuilder::default()).outcome(), Outcome::NotEvaluated);
    }
}
