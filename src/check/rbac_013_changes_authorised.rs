//! RBAC-013: who was given a role and who lost one in the period, and a sample of them for a person to trace.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::activations::{self, Activation};
use super::callers::shown;
use super::operations::{self, Operation};
use super::people::{People, counted};
use super::roles::role_name;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population};
use crate::evidence::{Cite, Kind, Reason, sha256_hex};
use crate::model::{Id, Missing, RoleAssignment, RoleRequest};

pub(super) const CHECK: Check = Check {
    id: "RBAC-013",
    title: "Access grants and removals in the period were authorised",
    severity: Severity::High,
    nature: Nature::Operating,
    asks: "The population: every role assignment that was made or removed in the period, from the activity log of each \
           subscription and of the tenant and from the export of it; every request to Privileged Identity Management by \
           which somebody else gave or took a role; every role assignment that is there now and was made in the period, \
           whether or not a log tells of it. An activation by the \
           holder is PIM-005's. From it a sample is drawn (parameters `sample_size`, `sample_seed`): items \
           in order of SHA-256 over seed and item, so that whoever knows the seed draws the same. Each item of the sample \
           awaits the ticket that authorised it.",
    blind_to: "Whether a ticket exists: that is the person's part. Roles given at management groups and taken away again, \
               whose log is the group's own; roles given at the root and taken away again in a part of the period that \
               the tenant's log no longer keeps; memberships of groups; access policies of vaults.",
    fix: "Attach for each sampled item the request, its approval and the date of both, and have the approver not be the \
          one who was given the role. Let the auditor choose the seed after the period has ended. Grant roles through \
          groups with an approval or through Privileged Identity Management, which keeps the reason.",
    needs: &[
        population(Kind::Subscriptions),
        population(Kind::RoleAssignments),
        population(Kind::RoleAssignmentScheduleRequests),
        population(Kind::RoleEligibilityScheduleRequests),
        judged(Kind::RoleDefinitions),
        judged(Kind::ActivityOfAuthorization),
        judged(Kind::TenantActivity),
        judged(Kind::SubscriptionExports),
        judged(Kind::DirectoryExports),
        judged(Kind::DirectoryChanges),
        judged(Kind::DirectoryChangesCount),
        judged(Kind::LogContinuity),
        judged(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        judged(Kind::Activity),
        judged(Kind::ActivityCount),
        judged(Kind::ActivityContinuity),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
    ],
    run,
};

/// Who got or lost a role, where the log does not say.
const NOBODY: &str = "somebody whom the log does not name";
const OF_ASSIGNMENTS: &str = "microsoft.authorization/roleassignments/";

/// One grant or removal.
struct Item {
    /// The same in every run over the same evidence: time, what was done, what it was done to.
    key: String,
    subject: Id,
    name: String,
    words: String,
    evidence: Vec<Cite>,
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let items = items(facts);
    let mut findings = uncovered(facts);
    let mut records = facts.records_of(Kind::ActivityOfAuthorization);
    records.extend(facts.records_of(Kind::TenantActivity));
    let (Some(first), false) = (records.first(), facts.tenant.subscriptions.is_empty()) else { return findings };
    let on = about("population", &Id::new(facts.tenant.id.clone()), "grants and removals of the period", first)
        .citing(&records);
    if items.is_empty() {
        if findings.is_empty() {
            findings.push(on.not_applicable("the logs cover the period and tell of no role that was given or taken"));
        }
        return findings;
    }
    if let Some(missing) = requests_missing(facts) {
        findings.push(on.missing(&missing));
        return findings;
    }
    let sample = sample(&items, &facts.parameters.sample_seed, facts.parameters.sample_size);
    let list: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
    findings.push(on.manual(format!(
        "{}, SHA-256 of their list {}; a sample of {} was drawn with the seed `{}`, a ticket is needed for each",
        counted(items.len(), "item"),
        sha256_hex(list.join("\n").as_bytes()),
        sample.len(),
        facts.parameters.sample_seed,
    )));
    let of = sample.len();
    findings.extend(sample.into_iter().enumerate().filter_map(|(place, item)| {
        let on = about("role_change", &item.subject, &item.name, item.evidence.first()?).citing(&item.evidence);
        Some(on.manual(format!("sample {} of {of}: {}; its ticket is needed", place + 1, item.words)))
    }));
    findings
}

/// Without the requests an activation by its holder looks like a grant by somebody else, and no item is certain.
fn requests_missing(facts: &Facts<'_>) -> Option<Missing> {
    let requests = Kind::RoleAssignmentScheduleRequests;
    let is_nothing = |missing: &Missing| missing.kind == requests && missing.reason == Reason::NotLicensed;
    facts.tenant.coverage.missing_of_population(requests).into_iter().find(|missing| !is_nothing(missing))
}

/// Scopes whose log does not cover the period: there may be further items.
fn uncovered(facts: &Facts<'_>) -> Vec<Finding> {
    let subscriptions = facts.tenant.subscriptions.iter();
    let scopes =
        subscriptions.map(|one| (Kind::ActivityOfAuthorization, one.id.clone(), one.name.clone(), one.from.clone()));
    let asked = facts.tenant.coverage.questions(Kind::TenantActivity).next();
    let tenant = asked
        .map(|asked| (Kind::TenantActivity, Id::new("tenant"), "the tenant's root".to_owned(), asked.from.clone()));
    let open = scopes.chain(tenant).filter_map(|(kind, scope, name, from)| {
        let open = operations::covered(facts, kind, &scope).err()?;
        Some(about("scope", &scope, &name, &from).open(&open))
    });
    open.collect()
}

/// The population, in order of time.
fn items(facts: &Facts<'_>) -> Vec<Item> {
    let people = People::of(facts.tenant);
    let changes = operations::of_period(facts, &[OF_ASSIGNMENTS]);
    let written: BTreeSet<String> = changes.iter().map(|change| change.resource.name().to_lowercase()).collect();
    let activations = activations::activations(facts);
    let others = changes.iter().filter(|change| !activations.iter().any(|one| is_of(one, change)));
    let mut items: Vec<Item> = others.filter_map(|change| of_change(facts, &people, change)).collect();
    let requests = facts.tenant.authorization.active_requests.iter().map(|one| (one, "active"));
    let requests = requests.chain(facts.tenant.authorization.eligible_requests.iter().map(|one| (one, "eligible")));
    items.extend(requests.filter_map(|(request, kind)| of_request(facts, &people, request, kind)));
    let now = facts.tenant.role_assignments.iter();
    let untold = now.filter(|assignment| !written.contains(&assignment.id.name().to_lowercase()));
    items.extend(untold.filter_map(|assignment| of_assignment(facts, &people, assignment)));
    items.sort_by(|a, b| a.key.cmp(&b.key));
    items.dedup_by(|a, b| a.key == b.key);
    items
}

/// Whether a change is an activation that its holder asked for, or its end: those are PIM-005's.
fn is_of(activation: &Activation<'_>, change: &Operation) -> bool {
    let request = activation.request;
    let is_near = |at: DateTime<Utc>| (at - change.at).abs() <= TimeDelta::days(1);
    let scope = change.role_scope.clone().unwrap_or_else(|| Id::new(scope_of(&change.resource)));
    change.principal_id.as_deref() == Some(request.principal_id.as_str())
        && change.role.as_deref() == Some(request.role.as_str())
        && scope == request.scope
        && (is_near(activation.from) || activation.until.is_some_and(is_near))
}

fn of_change(facts: &Facts<'_>, people: &People<'_>, change: &Operation) -> Option<Item> {
    let done = match change.name.strip_prefix(OF_ASSIGNMENTS)? {
        "write" => "given",
        "delete" => "taken",
        _ => return None,
    };
    // what a removal took may be known from the assignment's own making
    let role = change.role.as_deref().map(|role| role_name(facts, role));
    let whom = change.principal_id.as_deref().map(|id| people.name(id));
    let (whom, quoted) = match whom {
        Some(whom) => (whom.clone(), format!("`{whom}`")),
        None => (NOBODY.to_owned(), NOBODY.to_owned()),
    };
    let role = role.map_or_else(|| "a role that the log does not name".to_owned(), |role| format!("`{role}`"));
    let scope = change.role_scope.clone().unwrap_or_else(|| Id::new(scope_of(&change.resource)));
    let preposition = if done == "given" { "to" } else { "from" };
    Some(Item {
        key: format!("{}\t{}\t{}", shown(change.at), change.name, change.resource.key()),
        subject: change.resource.clone(),
        name: format!("{done} at {}: {whom}", shown(change.at)),
        words: format!(
            "{role} at `{scope}` was {done} {preposition} {quoted} by {} at {}",
            change.by(people),
            shown(change.at)
        ),
        evidence: change.evidence.clone(),
    })
}

/// The scope that an assignment sits at, from its id.
fn scope_of(assignment: &Id) -> String {
    let lower = assignment.shown().to_ascii_lowercase();
    let end = lower.find("/providers/microsoft.authorization/roleassignments").unwrap_or(lower.len());
    match assignment.shown().get(..end) {
        Some("") | None => "/".to_owned(),
        Some(scope) => scope.to_owned(),
    }
}

/// A request by which somebody else gave or took a role; an activation by oneself is PIM-005's.
fn of_request(facts: &Facts<'_>, people: &People<'_>, request: &RoleRequest, kind: &str) -> Option<Item> {
    let at = request.created_on.filter(|at| facts.period.contains(*at))?;
    let request_type = request.request_type.as_deref()?;
    let status = request.status.as_deref().unwrap_or("not told");
    let refused = ["Denied", "AdminDenied", "Canceled", "Failed", "TimedOut", "Invalid"];
    let is_refused = refused.iter().any(|word| word.eq_ignore_ascii_case(status));
    if !request_type.to_ascii_lowercase().starts_with("admin") || is_refused {
        return None;
    }
    let (role, whom) = (role_name(facts, &request.role), people.name(&request.principal_id));
    let by =
        request.requestor_id.as_deref().map_or("somebody whom the list does not name".to_owned(), |id| people.name(id));
    let ticket = request.ticket.as_deref().map(|ticket| format!(", ticket `{ticket}`")).unwrap_or_default();
    Some(Item {
        key: format!("{}\t{request_type}\t{}", shown(at), request.id.key()),
        subject: request.id.clone(),
        name: format!("{request_type} at {}: {whom}", shown(at)),
        words: format!(
            "`{request_type}` of {kind} role `{role}` at `{}` for `{whom}` by `{by}` at {} ({status}{ticket})",
            request.scope,
            shown(at)
        ),
        evidence: vec![request.from.clone()],
    })
}

/// An assignment that was made in the period and that no log tells of.
fn of_assignment(facts: &Facts<'_>, people: &People<'_>, assignment: &RoleAssignment) -> Option<Item> {
    let at = assignment.created_on.filter(|at| facts.period.contains(*at))?;
    let (role, whom) = (role_name(facts, &assignment.role), people.name(&assignment.principal_id));
    let by = assignment.created_by.as_deref().map_or("nobody named".to_owned(), |id| people.name(id));
    Some(Item {
        key: format!("{}\tassignment\t{}", shown(at), assignment.id.key()),
        subject: assignment.id.clone(),
        name: format!("given at {}: {whom}", shown(at)),
        words: format!(
            "`{role}` at `{}` was given to `{whom}` by `{by}` at {}, of which no log that was read tells",
            assignment.scope,
            shown(at)
        ),
        evidence: vec![assignment.from.clone()],
    })
}

/// The first items in order of SHA-256 over seed and item, in that order.
fn sample<'a>(items: &'a [Item], seed: &str, size: usize) -> Vec<&'a Item> {
    let mut drawn: Vec<(String, &Item)> =
        items.iter().map(|item| (sha256_hex(format!("{seed}\n{}", item.key).as_bytes()), item)).collect();
    drawn.sort_by(|a, b| a.0.cmp(&b.0));
    drawn.into_iter().take(size).map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::operations::testing::{activity_json, event_json, exporting, ninety_days};
    use crate::check::roles::testing::{APP, OWNER, holding};
    use crate::check::testing::{
        SUB, about_name, assignment_json, base, findings_in, findings_of, findings_with, list, only, patched,
        user_json, with_principals,
    };
    use crate::check::{Finding, Outcome, Parameters};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";
    const DELETE: &str = "Microsoft.Authorization/roleAssignments/delete";
    const POPULATION: &str = "grants and removals of the period";

    fn assignment(name: &str) -> String {
        format!("{SUB}/providers/Microsoft.Authorization/roleAssignments/{name}")
    }

    fn with(rows: &[Value]) -> CaptureBuilder {
        exporting(base(), rows, &[])
    }

    /// Grants on the first days of August.
    fn grants(count: usize) -> Vec<Value> {
        let one = |day| {
            activity_json(&format!("2026-08-{day:02}T10:00:00Z"), WRITE, &assignment(&format!("a{day}")), &json!({}))
        };
        (1..=count).map(one).collect()
    }

    fn sampled(findings: &[Finding]) -> Vec<String> {
        findings
            .iter()
            .filter(|one| one.subject().kind == "role_change")
            .map(|one| one.subject().id.to_string())
            .collect()
    }

    #[test]
    fn each_grant_and_each_removal_awaits_its_ticket() {
        let role = format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}");
        let given = json!({"PrincipalId": APP, "RoleDefinitionId": role, "RoleScope": SUB});
        let rows = [
            activity_json("2026-08-01T10:00:00Z", WRITE, &assignment("a1"), &given),
            activity_json("2026-08-02T10:00:00Z", DELETE, &assignment("a1"), &json!({})),
            activity_json("2026-08-02T10:00:00Z", "Microsoft.Authorization/locks/write", SUB, &json!({})),
        ];
        let builder = exporting(holding(&[], &json!({})), &rows, &[]);
        let findings = findings_of(&CHECK, builder);
        assert!(findings.iter().all(|finding| finding.outcome() == Outcome::Manual), "{findings:#?}");
        assert!(about_name(&findings, POPULATION).because().starts_with("2 items, SHA-256 of their list "));
        let given = about_name(&findings, "given at 2026-08-01T10:00:00Z: app");
        let words = format!(
            "`Owner` at `{SUB}` was given to `app` by `99999999-9999-9999-9999-999999999999` at 2026-08-01T10:00:00Z; its ticket is needed"
        );
        assert!(given.because().ends_with(&words), "{given:?}");
        let taken = about_name(&findings, "taken at 2026-08-02T10:00:00Z: somebody whom the log does not name");
        assert!(taken.because().contains(&format!("at `{SUB}` was taken from")), "the scope is in the assignment's id");
    }

    #[test]
    fn the_sample_depends_on_the_seed_and_on_nothing_else() {
        let drawn = |rows: &[Value], seed: &str| {
            let parameters = Parameters { sample_size: 3, sample_seed: seed.to_owned(), ..Parameters::default() };
            sampled(&findings_with(&CHECK, with(rows), &parameters))
        };
        let rows = grants(9);
        let mut reversed = rows.clone();
        reversed.reverse();
        let first = drawn(&rows, "one");
        assert_eq!(first.len(), 3);
        let sorted = |drawn: Vec<_>| drawn.into_iter().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(sorted(first), sorted(drawn(&reversed, "one")));
        assert_ne!(drawn(&rows, "one"), drawn(&rows, "two"));
        let all = findings_with(&CHECK, with(&rows), &Parameters { sample_size: 100, ..Parameters::default() });
        assert_eq!(sampled(&all).len(), 9);
    }

    #[test]
    fn an_assignment_that_no_log_tells_of_and_a_request_are_items_too() {
        let made = json!({"properties": {"createdOn": "2026-08-05T08:00:00Z"}});
        let made = patched(assignment_json("a7", SUB, OWNER, APP, "ServicePrincipal"), &made);
        let before = assignment_json("a8", SUB, OWNER, APP, "ServicePrincipal");
        let request = |request_type: &str, status: &str| {
            json!({"id": format!("{SUB}/requests/{request_type}{status}"), "properties": {"scope": SUB, "principalId": APP,
                "roleDefinitionId": OWNER, "requestType": request_type, "status": status, "requestorId": APP,
                "createdOn": "2026-08-06T08:00:00Z", "ticketInfo": {"ticketNumber": "CHG-1"}}})
        };
        let requests = [
            request("AdminAssign", "Provisioned"),
            request("AdminAssign", "Denied"),
            request("SelfActivate", "Provisioned"),
        ];
        let builder = with(&[]).replace(Kind::RoleAssignments, SUB, list([made, before])).replace(
            Kind::RoleEligibilityScheduleRequests,
            SUB,
            list(requests),
        );
        let builder = with_principals(builder, &[APP], [user_json(APP, "ada")]);
        let findings = findings_of(&CHECK, builder.clone());
        assert_eq!(sampled(&findings).len(), 2, "{findings:#?}");
        assert!(
            about_name(&findings, "given at 2026-08-05T08:00:00Z: ada")
                .because()
                .contains("no log that was read tells")
        );
        let request = about_name(&findings, "AdminAssign at 2026-08-06T08:00:00Z: ada");
        assert!(request.because().contains("(Provisioned, ticket `CHG-1`)"), "{request:?}");
        // a log that does tell of it makes no second item
        let event = event_json("2026-08-05T08:00:00Z", WRITE, &assignment("A7"), &json!({}));
        let told = findings_of(&CHECK, builder.replace(Kind::ActivityOfAuthorization, SUB, list([event])));
        assert_eq!(sampled(&told).len(), 2);
    }

    #[test]
    fn an_activation_by_its_holder_is_left_to_the_check_of_activations() {
        let role = format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}");
        let given = |at: &str| {
            activity_json(
                at,
                WRITE,
                &assignment(at),
                &json!({"PrincipalId": APP, "RoleDefinitionId": role, "RoleScope": SUB}),
            )
        };
        let request = json!({"id": format!("{SUB}/requests/r"), "properties": {"scope": SUB, "principalId": APP,
            "roleDefinitionId": OWNER, "requestType": "SelfActivate", "status": "Provisioned",
            "scheduleInfo": {"startDateTime": "2026-08-01T10:00:00Z", "expiration": {"duration": "PT2H"}}}});
        let rows = [given("2026-08-01T10:27:00Z"), given("2026-08-10T10:00:00Z")];
        let builder = with(&rows).replace(Kind::RoleAssignmentScheduleRequests, SUB, list([request]));
        assert_eq!(sampled(&findings_of(&CHECK, builder)), [assignment("2026-08-10T10:00:00Z")]);
    }

    #[test]
    fn a_quiet_period_is_not_applicable_where_the_log_covers_it() {
        assert_eq!(only(&findings_of(&CHECK, with(&[]))).outcome(), Outcome::NotApplicable);
        let short = findings_in(&CHECK, &ninety_days(base()), &Parameters::default());
        let reasons: Vec<Option<Reason>> = short.iter().map(Finding::reason).collect();
        assert_eq!(reasons, [Some(Reason::RetentionTooShort); 2], "the subscription and the tenant");
        let whole = findings_in(&CHECK, &ninety_days(with(&[])), &Parameters::default());
        assert_eq!(only(&whole).outcome(), Outcome::NotApplicable);
    }

    #[test]
    fn an_unread_log_is_open_beside_what_is_known() {
        let event = event_json("2026-08-01T10:00:00Z", WRITE, &assignment("a1"), &json!({}));
        let known = base().replace(Kind::ActivityOfAuthorization, SUB, list([event]));
        let findings = findings_of(&CHECK, known.denied(Kind::TenantActivity, "tenant"));
        assert_eq!(about_name(&findings, "the tenant's root").reason(), Some(Reason::Forbidden));
        assert_eq!(sampled(&findings).len(), 1);
        let unread = findings_of(&CHECK, base().denied(Kind::ActivityOfAuthorization, SUB));
        assert_eq!(only(&unread).reason(), Some(Reason::Forbidden));
        assert_eq!(only(&findings_of(&CHECK, CaptureBuilder::default())).outcome(), Outcome::NotEvaluated);
    }
}
