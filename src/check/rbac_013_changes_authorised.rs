//! RBAC-013: who was given a role and who lost one in the period, and a sample of them for a person to trace.

use super::operations;
use super::people::counted;
use super::role_changes::{RoleChange, role_changes};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population};
use crate::evidence::{Kind, Reason, sha256_hex};
use crate::model::{Id, Missing};

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
           awaits the ticket that authorised it. `report/population-changes.csv` lists every item.",
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
        judged(Kind::ManagementGroupExports),
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

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let items = role_changes(facts);
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
    let mut sample: Vec<(usize, &RoleChange)> = items.iter().filter_map(|item| Some((item.sample?, item))).collect();
    sample.sort_by_key(|(place, _)| *place);
    let list: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
    findings.push(on.manual(format!(
        "{}, SHA-256 of their list {}; a sample of {} was drawn with the seed `{}`, a ticket is needed for each",
        counted(items.len(), "item"),
        sha256_hex(list.join("\n").as_bytes()),
        sample.len(),
        facts.parameters.sample_seed,
    )));
    let of = sample.len();
    findings.extend(sample.into_iter().filter_map(|(place, item)| {
        let on = about("role_change", &item.subject, &item.name, item.evidence.first()?).citing(&item.evidence);
        Some(on.manual(format!("sample {place} of {of}: {}; its ticket is needed", item.words)))
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
