//! FED-007: changes of who may become an identity, as a list to hold against approvals.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::callers::shown;
use super::log_reach::{AUDIT, directory_shows};
use super::logs::not_over;
use super::operations::covered;
use super::people::{People, Who};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population};
use crate::access::Open;
use crate::evidence::{Cite, Kind};
use crate::model::{DirectoryChange, Id, UserAssignedIdentity};

pub(super) const CHECK: Check = Check {
    id: "FED-007",
    title: "Changes of credentials and trusts in the period were approved",
    severity: Severity::Medium,
    nature: Nature::Operating,
    asks: "Every change in the period of the secrets, certificates and federated credentials of applications and service \
           principals, from the directory's audit log, and of the federated credentials of user-assigned identities, from \
           the activity log or its export: what was changed, when and by whom. Each awaits the ticket by which it was \
           approved. Whether the logs show the whole period is a result of its own.",
    blind_to: "What the change was: values are not kept. Approvals, which are people's records. In a tenant without any \
               application and identity, and without a deleted one that could be restored, nothing is asked of the logs: \
               a change of one that was deleted for good in the period is not seen there. A day on which the audit log has no row at all may be a quiet one or one that did not arrive, so \
               that the log is then not known to be whole.",
    fix: "Attach the ticket of each change. Export the logs: Entra ID → Diagnostic settings → AuditLogs; for every \
          subscription, Activity log → Export → Administrative (Terraform `azurerm_monitor_aad_diagnostic_setting` and \
          `azurerm_monitor_diagnostic_setting`). Let only a pipeline with a review change trusts.",
    needs: &[
        population(Kind::Applications),
        population(Kind::DeletedApplications),
        population(Kind::UserAssignedIdentities),
        judged(Kind::ServicePrincipals),
        judged(Kind::Principals),
        judged(Kind::Subscriptions),
        judged(Kind::ManagementGroups),
        judged(Kind::DirectoryExports),
        judged(Kind::SubscriptionExports),
        judged(Kind::ManagementGroupExports),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        judged(Kind::LogContinuity),
        judged(Kind::DirectoryChanges),
        judged(Kind::DirectoryChangesCount),
        judged(Kind::ActivityOfIdentities),
        judged(Kind::Activity),
        judged(Kind::ActivityCount),
        judged(Kind::ActivityContinuity),
    ],
    run,
};

/// Operations of the audit log that change credentials, letters alone, as their spelling varies.
const OF_CREDENTIALS: &[&str] = &[
    "updateapplicationcertificatesandsecretsmanagement",
    "addserviceprincipalcredentials",
    "removeserviceprincipalcredentials",
];
/// An operation that changes anything of an application, and the property that holds its federated credentials.
const OF_APPLICATION: (&str, &str) = ("updateapplication", "FederatedIdentityCredentials");
/// What the operations of the activity log have in their names.
const OF_IDENTITY: &str = "/federatedidentitycredentials/";

/// One change.
struct Change<'a> {
    what: String,
    /// Object id or ARM id of what was changed.
    on: Id,
    at: DateTime<Utc>,
    by: Option<&'a str>,
    from: &'a Cite,
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let tenant = facts.tenant;
    let people = People::of(tenant);
    let names: BTreeMap<&str, &str> = tenant
        .directory
        .applications
        .iter()
        .map(|one| (one.id.as_str(), one.name.as_str()))
        .chain(tenant.directory.service_principals.iter().map(|one| (one.id.as_str(), one.name.as_str())))
        .collect();
    let mut changes = in_directory(facts);
    changes.extend(of_identities(facts));
    let mut findings: Vec<Finding> = changes.iter().map(|change| told(change, &people, &names)).collect();
    let is_deleted = !tenant.directory.deleted.is_empty();
    if !tenant.directory.applications.is_empty() || is_deleted || !changes.is_empty() {
        let shows = directory_shows(facts, &AUDIT, &facts.period);
        findings.extend(reach(facts, "the directory's audit log", &Id::new(tenant.id.clone()), shows));
    }
    let of_identity = |one: &UserAssignedIdentity| Some(Id::new(format!("/subscriptions/{}", one.id.subscription()?)));
    let subscriptions: BTreeSet<Id> = tenant.user_assigned.iter().filter_map(of_identity).collect();
    for id in subscriptions {
        let known = tenant.subscriptions.iter().find(|one| one.id == id);
        let name = format!("the activity log of {}", known.map_or(id.shown(), |one| one.name.as_str()));
        findings.extend(reach(facts, &name, &id, covered(facts, Kind::ActivityOfIdentities, &id)));
    }
    findings
}

/// Whether a log shows the period: a finding of its own.
fn reach(facts: &Facts<'_>, name: &str, id: &Id, shows: Result<Vec<Cite>, Open>) -> Option<Finding> {
    let evidence = match (shows, not_over(facts)) {
        (Ok(evidence), None) => evidence,
        (Err(open), _) | (_, Some(open)) => {
            let lists = [Kind::Subscriptions, Kind::UserAssignedIdentities, Kind::Applications];
            let first = || lists.iter().flat_map(|kind| facts.records_of(*kind)).next();
            let from = open.from.clone().or_else(first)?;
            return Some(about("log", id, name, &from).open(&open));
        }
    };
    let on = about("log", id, name, evidence.first()?);
    Some(on.citing(&evidence).pass("it shows the whole period, so that no change is left out"))
}

fn in_directory<'a>(facts: &Facts<'a>) -> Vec<Change<'a>> {
    let rows = facts.tenant.logs.directory_changes.iter().filter(|row| facts.period.contains(row.at));
    rows.filter(|row| is_of_trust(row))
        .map(|row| Change {
            what: row.operation.trim().to_owned(),
            on: row
                .targets
                .iter()
                .find_map(|target| target.id.clone())
                .map_or_else(|| Id::new("an application that the log does not name"), Id::new),
            at: row.at,
            by: row.initiator_id.as_deref().or(row.initiator_app_id.as_deref()),
            from: &row.from,
        })
        .collect()
}

fn is_of_trust(row: &DirectoryChange) -> bool {
    if row.result.as_deref().is_some_and(|result| result.eq_ignore_ascii_case("failure")) {
        return false;
    }
    let letters: String = row.operation.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect();
    let (operation, property) = OF_APPLICATION;
    let mut changed = row.targets.iter().flat_map(|target| &target.changed);
    OF_CREDENTIALS.contains(&letters.as_str())
        || letters == operation && changed.any(|name| name.eq_ignore_ascii_case(property))
}

/// From the platform's own log and from its export, each change once.
fn of_identities<'a>(facts: &Facts<'a>) -> Vec<Change<'a>> {
    let tenant = facts.tenant;
    let is_of_trust = |operation: &str| operation.to_lowercase().contains(OF_IDENTITY);
    let own = tenant.logging.activity.iter().filter(|event| event.has_succeeded() && is_of_trust(&event.operation));
    let own = own.map(|event| {
        let by = event.caller_id.as_deref().or(event.caller_app_id.as_deref());
        (event.correlation_id.as_deref(), event.resource.as_ref(), &event.operation, event.at, by, &event.from)
    });
    let exported = tenant.logs.activity.iter().filter(|row| row.is_success() && is_of_trust(&row.operation));
    let exported = exported.map(|row| {
        let by = row.caller_object_id.as_deref().or(row.caller_app_id.as_deref());
        let on = row.entity.as_ref().or(row.resource.as_ref());
        (row.correlation_id.as_deref(), on, &row.operation, row.at, by, &row.from)
    });
    let mut once: BTreeMap<(String, String, String), Change<'a>> = BTreeMap::new();
    for (correlation, on, operation, at, by, from) in own.chain(exported).filter(|one| facts.period.contains(one.3)) {
        let on = on.cloned().unwrap_or_else(|| Id::new("an identity that the log does not name"));
        // without a correlation, rows of the same second are the same change
        let place = correlation.map_or_else(|| shown(at), str::to_lowercase);
        let key = (place, operation.to_lowercase(), on.key().to_owned());
        let is_removal = operation.to_lowercase().ends_with("/delete");
        let what = if is_removal { "federated credential removed" } else { "federated credential written" };
        once.entry(key).or_insert(Change { what: what.to_owned(), on, at, by, from });
    }
    once.into_values().collect()
}

fn told(change: &Change<'_>, people: &People<'_>, names: &BTreeMap<&str, &str>) -> Finding {
    let name = names.get(change.on.key()).copied().unwrap_or_else(|| last_parts(&change.on));
    let on = about("trust_change", &change.on, &format!("{name} at {}", shown(change.at)), change.from);
    let who = match change.by {
        None => "somebody whom the log does not name".to_owned(),
        Some(id) => match people.who(id) {
            Who::Known(person) => format!("{} `{}`", person.kind.words(), person.name),
            Who::Gone(_) => format!("`{id}`, whom the directory does not know any more"),
            Who::Unknown => format!("`{id}`"),
        },
    };
    on.manual(format!("{} by {who}: attach the approval", change.what))
}

/// The identity and the credential, of an id of a federated credential; else the id.
fn last_parts(id: &Id) -> &str {
    let marker = "/userassignedidentities/";
    id.key().find(marker).and_then(|at| id.shown().get(at + marker.len()..)).unwrap_or(id.shown())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Outcome;
    use super::super::applications::testing::{APP, application_json, registered};
    use super::super::federation::testing::trusting;
    use super::super::log_reach::testing::{Held, exported};
    use super::super::logs::testing::WORKSPACE;
    use super::super::testing::{
        SUB, about_name, base, findings_of, identity_id, list, only, outcomes, user_json, with_principals,
    };
    use super::*;
    use crate::evidence::Reason;
    use crate::evidence::testing::CaptureBuilder;

    const ADA: &str = "bbbbbbbb-0000-0000-0000-000000000001";
    const LOG: &str = "the directory's audit log";

    fn change(operation: &str, result: &str, changed: &str) -> Value {
        let targets = json!([{"id": APP, "type": "Application", "modifiedProperties": [{"displayName": changed}]}]);
        json!({"TimeGenerated": "2026-08-20T14:05:00Z", "OperationName": operation, "Result": result,
            "InitiatorId": ADA, "CorrelationId": "c", "TargetResources": targets.to_string()})
    }

    fn tenant(changes: &[Value]) -> CaptureBuilder {
        let builder =
            registered(&[application_json(&json!({}))], &[]).answer(Kind::DeletedApplications, "directory", list([]));
        let builder = with_principals(builder, &[ADA], [user_json(ADA, "ada")]);
        exported(builder, &Held { changes: changes.to_vec(), ..Held::default() })
    }

    #[test]
    fn each_change_of_a_credential_awaits_its_approval() {
        let secret = change("Update application – Certificates and secrets management ", "success", "KeyDescription");
        let findings = findings_of(&CHECK, tenant(&[secret]));
        let told = about_name(&findings, "app at 2026-08-20T14:05:00Z");
        assert_eq!(told.outcome(), Outcome::Manual);
        assert!(told.because().ends_with("by user `ada`: attach the approval"), "{}", told.because());
        assert_eq!(about_name(&findings, LOG).outcome(), Outcome::Pass);
    }

    #[test]
    fn only_successful_changes_of_trust_count() {
        for (row, count) in [
            (change("Update application - Certificates and secrets management", "Success", ""), 2),
            (change("Add service principal credentials", "success", ""), 2),
            (change("Update application", "success", "FederatedIdentityCredentials"), 2),
            (change("Update application", "success", "DisplayName"), 1),
            (change("Add service principal credentials", "failure", ""), 1),
            (change("Add owner to application", "success", ""), 1),
        ] {
            let findings = findings_of(&CHECK, tenant(std::slice::from_ref(&row)));
            assert_eq!(findings.len(), count, "{row}: {findings:?}");
        }
    }

    #[test]
    fn none_in_a_log_that_was_read_whole_passes_and_in_one_that_was_not_is_not_evaluated() {
        assert_eq!(outcomes(&findings_of(&CHECK, tenant(&[]))), [Outcome::Pass]);
        for (kind, scope) in [(Kind::DirectoryExports, "tenant"), (Kind::DirectoryChanges, WORKSPACE)] {
            let findings = findings_of(&CHECK, tenant(&[]).denied(kind, scope));
            assert_eq!(only(&findings).reason(), Some(Reason::Forbidden), "{kind:?}");
        }
        let nowhere = tenant(&[]).replace(Kind::DirectoryExports, "tenant", list([]));
        assert_eq!(only(&findings_of(&CHECK, nowhere)).reason(), Some(Reason::NotFound));
    }

    #[test]
    fn a_change_of_an_identitys_trust_is_told_once_from_either_log() {
        let id = format!("{}/federatedIdentityCredentials/trust", identity_id("pipeline"));
        let event = |status: &str, event: &str| {
            json!({"eventDataId": event, "eventTimestamp": "2026-08-03T10:00:00Z", "resourceId": id, "correlationId": "C",
                "operationName": {"value": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write"},
                "status": {"value": status}, "caller": "x",
                "claims": {"http://schemas.microsoft.com/identity/claims/objectidentifier": ADA}})
        };
        let events = list([event("Started", "1"), event("Succeeded", "2"), event("Succeeded", "3")]);
        let builder = trusting(&json!({})).answer(Kind::DeletedApplications, "directory", list([])).replace(
            Kind::ActivityOfIdentities,
            SUB,
            events,
        );
        let findings = findings_of(&CHECK, exported(builder.clone(), &Held::default()));
        let told = about_name(&findings, "pipeline/federatedIdentityCredentials/trust at 2026-08-03T10:00:00Z");
        assert!(told.because().starts_with("federated credential written by"), "{}", told.because());
        let activity = about_name(&findings, "the activity log of Production");
        assert_eq!(activity.outcome(), Outcome::Pass);
        let refused = exported(builder, &Held::default()).denied(Kind::ActivityOfIdentities, SUB);
        let findings = findings_of(&CHECK, refused);
        assert_eq!(about_name(&findings, "the activity log of Production").reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn nothing_that_could_be_changed_is_not_applicable_and_unread_lists_are_not_evaluated() {
        let none = registered(&[], &[]).answer(Kind::DeletedApplications, "directory", list([]));
        assert_eq!(only(&findings_of(&CHECK, none)).outcome(), Outcome::NotApplicable);
        assert!(findings_of(&CHECK, base()).iter().all(|one| one.reason() == Some(Reason::NotAsked)));
    }
}
