//! PIM-005: activations of the period followed the rules and came to an end.

use super::activations::{self, Activation};
use super::callers::shown;
use super::logs::not_over;
use super::people::People;
use super::roles::role_name;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population};
use crate::evidence::{Kind, Reason};
use crate::model::{Id, RoleRules};

pub(super) const CHECK: Check = Check {
    id: "PIM-005",
    title: "Activations in the period followed the rules and ended",
    severity: Severity::High,
    nature: Nature::Operating,
    asks: "Every activation of an Azure role in the period, by the requests that Privileged Identity Management lists: a \
           reason was given; a ticket and an approval where the rules of the scope ask for them; it was asked for with an \
           end, no later than the minutes of the parameter `activation_minutes`; nobody approved his own. Where the \
           directory's audit log of the period is in a workspace, the list is held against it; without that log \
           nothing is concluded about what is older than 30 days.",
    blind_to: "What was done while a role was active; whether reason and ticket are true; who approved, where the audit log \
               does not tell: the service lets nobody approve his own request. The rules at the time: those of today are \
               compared. Activations of directory roles and of memberships of groups.",
    fix: "Ask the person for reason and ticket and record them; shorten the maximum duration and require justification, \
          ticket and approval in the role's settings (PIM-004); export the directory's audit log (LOG-005).",
    needs: &[
        population(Kind::RoleAssignmentScheduleRequests),
        judged(Kind::RoleManagementPolicyAssignments),
        judged(Kind::RoleDefinitions),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::DirectoryExports),
        judged(Kind::DirectoryChanges),
        judged(Kind::DirectoryChangesCount),
        judged(Kind::LogContinuity),
        judged(Kind::DiagnosticSettings),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let in_period = activations::activations(facts).into_iter().filter(|one| facts.period.contains(one.from));
    let mut findings: Vec<Finding> = in_period.map(|one| judge(facts, &people, &one)).collect();
    findings.extend(activations::unexplained(facts).into_iter().map(|row| {
        let who = row.initiator_id.as_deref().map_or("nobody named".to_owned(), |id| people.name(id));
        let id = Id::new(row.correlation_id.clone().unwrap_or_else(|| shown(row.at)));
        about("activation", &id, &format!("{who} at {}", shown(row.at)), &row.from).not_evaluated(
            Reason::TotalsDiffer,
            "the directory's audit log tells of an activation that is not in the list of requests",
        )
    }));
    findings.extend(of_period(facts, findings.is_empty()));
    findings
}

/// Whether there may be further activations; and that there was none, where that is known.
fn of_period(facts: &Facts<'_>, is_empty: bool) -> Option<Finding> {
    let records = facts.records_of(Kind::RoleAssignmentScheduleRequests);
    let coverage = &facts.tenant.coverage;
    let is_unread = !coverage.missing_of_population(Kind::RoleAssignmentScheduleRequests).is_empty();
    if is_unread || records.is_empty() {
        return None; // the runner says so
    }
    let on = about("period", &Id::new("activations of the period"), "activations of the period", records.first()?)
        .citing(&records);
    if facts.tenant.subscriptions.is_empty() {
        let because = "no subscription is visible, so that there may be activations of which nobody was asked";
        return Some(on.not_evaluated(Reason::NotFound, because));
    }
    let is_unlicensed = coverage
        .questions(Kind::RoleAssignmentScheduleRequests)
        .all(|asked| matches!(asked.gap, Some((Reason::NotLicensed, _))));
    if is_unlicensed {
        return Some(on.not_applicable("without the licence no role can be activated"));
    }
    let known = activations::known(facts);
    if let Some(why) = known.short {
        return Some(on.not_evaluated(Reason::RetentionTooShort, why));
    }
    if let Some(open) = not_over(facts) {
        return Some(on.open(&open));
    }
    is_empty.then(|| on.citing(&known.evidence).not_applicable("no role was activated in the period"))
}

fn judge(facts: &Facts<'_>, people: &People<'_>, activation: &Activation<'_>) -> Finding {
    let request = activation.request;
    let role = role_name(facts, &request.role);
    let name = format!("{} at {} ({role})", people.name(&request.principal_id), shown(activation.from));
    let on = about("activation", &request.id, &name, &request.from);
    let mut rules = facts.tenant.authorization.rules.iter();
    let rules = rules.find(|rules| rules.scope == request.scope && rules.role == request.role);
    let on = on.citing(rules.iter().map(|rules| &rules.from));
    let longest = facts.parameters.activation_minutes;
    let minutes = activation.until.map(|until| (until - activation.from).num_minutes());
    let asks = |rule: fn(&RoleRules) -> Option<bool>| rules.is_some_and(|rules| rule(rules) == Some(true));
    let mut wrong: Vec<String> = Vec::new();
    if !request.has_reason {
        wrong.push("no reason was given".to_owned());
    }
    if asks(|rules| rules.ticket) && request.ticket.is_none() {
        wrong.push("the rules ask for a ticket, and none was given".to_owned());
    }
    if asks(|rules| rules.approval) && request.approval_id.is_none() {
        wrong.push("the rules ask for an approval, and there was none".to_owned());
    }
    if let Some(minutes) = minutes.filter(|minutes| *minutes > longest) {
        wrong.push(format!("it lasted {minutes} minutes, {longest} are allowed"));
    }
    if let Some(row) = activations::approved_by_requestor(facts, activation) {
        let on = on.citing([&row.from]);
        wrong.push("the one who asked for it approved it".to_owned());
        return on.fail(wrong.join("; "));
    }
    if !wrong.is_empty() {
        return on.fail(wrong.join("; "));
    }
    match minutes {
        Some(minutes) => {
            let ticket = request.ticket.as_deref().map(|ticket| format!(", ticket `{ticket}`")).unwrap_or_default();
            let approval = if request.approval_id.is_some() { ", approved" } else { "" };
            on.pass(format!("with a reason{ticket}{approval}, for {minutes} minutes"))
        }
        None => on.not_evaluated(Reason::ValueUnknown, "neither its end nor its length is told"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::logs::testing::WORKSPACE;
    use crate::check::operations::testing::exporting;
    use crate::check::roles::testing::OFFICER;
    use crate::check::testing::{SUB, about_name, base, findings_of, list, only, patched, user_json, with_principals};
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const ADA: &str = "bbbbbbbb-0000-0000-0000-000000000001";
    const PERIOD: &str = "activations of the period";

    fn request(name: &str, patch: &Value) -> Value {
        let request = json!({"id": format!("{SUB}/requests/{name}"), "properties": {"scope": SUB, "principalId": ADA,
            "roleDefinitionId": OFFICER, "requestType": "SelfActivate", "status": "Provisioned", "requestorId": ADA,
            "approvalId": "a1", "justification": "[cut]", "ticketInfo": {"ticketNumber": "CHG-7"},
            "createdOn": "2026-08-11T12:00:00Z", "scheduleInfo": {"startDateTime": "2026-08-11T12:04:00Z",
                "expiration": {"duration": "PT1H"}}}});
        patched(request, &json!({"properties": patch}))
    }

    fn with(requests: &[Value]) -> CaptureBuilder {
        let builder =
            exporting(base(), &[], &[]).replace(Kind::RoleAssignmentScheduleRequests, SUB, list(requests.to_vec()));
        with_principals(builder, &[ADA], [user_json(ADA, "ada")])
    }

    fn judged(patch: &Value) -> Finding {
        only(&findings_of(&CHECK, with(&[request("r1", patch)]))).clone()
    }

    #[test]
    fn an_activation_with_reason_and_an_early_end_passes() {
        let finding = judged(&json!({}));
        assert_eq!(
            (finding.outcome(), finding.because()),
            (Outcome::Pass, "with a reason, ticket `CHG-7`, approved, for 60 minutes")
        );
        assert_eq!(judged(&json!({"scheduleInfo": {"expiration": {"duration": "PT2H"}}})).outcome(), Outcome::Pass);
    }

    #[test]
    fn what_the_rules_ask_for_and_was_not_done_fails() {
        let none = judged(&json!({"justification": "  "}));
        assert_eq!((none.outcome(), none.because()), (Outcome::Fail, "no reason was given"));
        let long = json!({"scheduleInfo": {"expiration": {"duration": null, "endDateTime": "2026-08-11T22:04:00Z"}}});
        assert_eq!(judged(&long).because(), "it lasted 600 minutes, 120 are allowed");
        let rules = json!({"id": "p1", "properties": {"scope": SUB, "roleDefinitionId": OFFICER, "effectiveRules": [
            {"id": "Approval_EndUser_Assignment", "setting": {"isApprovalRequired": true}},
            {"id": "Enablement_EndUser_Assignment", "enabledRules": ["Ticketing"]}]}});
        let lacking = with(&[request("r1", &json!({"approvalId": null, "ticketInfo": null}))]);
        assert_eq!(only(&findings_of(&CHECK, lacking.clone())).outcome(), Outcome::Pass, "where no rule asks for them");
        let lacking = lacking.replace(Kind::RoleManagementPolicyAssignments, SUB, list([rules]));
        let findings = findings_of(&CHECK, lacking);
        let because =
            "the rules ask for a ticket, and none was given; the rules ask for an approval, and there was none";
        assert_eq!(only(&findings).because(), because);
    }

    #[test]
    fn one_without_an_end_is_open_and_one_without_effect_is_none() {
        assert_eq!(judged(&json!({"scheduleInfo": {"expiration": null}})).reason(), Some(Reason::ValueUnknown));
        for patch in [
            json!({"status": "Denied"}),
            json!({"requestType": "AdminAssign"}),
            json!({"scheduleInfo": {"startDateTime": "2026-06-30T23:00:00Z"}}),
        ] {
            let finding = judged(&patch);
            assert_eq!(
                (finding.outcome(), finding.because()),
                (Outcome::NotApplicable, "no role was activated in the period")
            );
        }
    }

    fn changes(rows: &[Value]) -> Value {
        const NAMES: &[&str] =
            &["TimeGenerated", "OperationName", "Category", "LoggedByService", "InitiatorId", "TargetResources"];
        let columns: Vec<Value> = NAMES.iter().map(|name| json!({"name": name, "type": "string"})).collect();
        let cells = |row: &Value| -> Value { NAMES.iter().map(|name| row[*name].clone()).collect() };
        json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows.iter().map(cells).collect::<Vec<_>>()}]})
    }

    fn row(at: &str, operation: &str, category: &str) -> Value {
        json!({"TimeGenerated": at, "OperationName": operation, "Category": category, "LoggedByService": "PIM",
            "InitiatorId": ADA, "TargetResources": [{"id": ADA, "type": "User"}]})
    }

    #[test]
    fn who_approved_his_own_request_fails() {
        let own =
            row("2026-08-11T12:03:00Z", "Add member to role request approved (PIM activation)", "ResourceManagement");
        let builder = with(&[request("r1", &json!({}))]).replace(Kind::DirectoryChanges, WORKSPACE, changes(&[own]));
        assert_eq!(only(&findings_of(&CHECK, builder)).because(), "the one who asked for it approved it");
    }

    #[test]
    fn an_activation_that_only_the_audit_log_tells_of_is_open() {
        let done = "Add member to role completed (PIM activation)";
        let rows = [
            row("2026-08-20T10:00:00Z", done, "ResourceManagement"),
            row("2026-08-21T10:00:00Z", done, "RoleManagement"),
            row("2026-08-11T12:05:00Z", done, "ResourceManagement"),
        ];
        let builder = with(&[request("r1", &json!({}))]).replace(Kind::DirectoryChanges, WORKSPACE, changes(&rows));
        let findings = findings_of(&CHECK, builder);
        assert_eq!(findings.len(), 2, "a directory role is none, and one has its request: {findings:#?}");
        assert_eq!(about_name(&findings, "ada at 2026-08-20T10:00:00Z").reason(), Some(Reason::TotalsDiffer));
    }

    #[test]
    fn without_the_exported_log_what_is_older_than_thirty_days_is_open() {
        let requests = list([request("r1", &json!({}))]);
        let alone = base().replace(Kind::RoleAssignmentScheduleRequests, SUB, requests);
        let findings = findings_of(&CHECK, alone);
        assert_eq!(about_name(&findings, PERIOD).reason(), Some(Reason::RetentionTooShort));
        assert_eq!(findings.iter().filter(|one| one.outcome() == Outcome::Pass).count(), 1, "what was seen is judged");
        let denied = findings_of(&CHECK, with(&[]).denied(Kind::DirectoryChanges, WORKSPACE));
        assert_eq!(only(&denied).reason(), Some(Reason::RetentionTooShort));
        let unread = findings_of(&CHECK, with(&[]).denied(Kind::RoleAssignmentScheduleRequests, SUB));
        assert!(unread.iter().all(|one| one.outcome() == Outcome::NotEvaluated), "{unread:#?}");
    }

    #[test]
    fn without_the_licence_nothing_can_be_activated() {
        let kind = Kind::RoleAssignmentScheduleRequests;
        let root = crate::check::testing::ROOT_GROUP;
        let builder = base().refused(kind, SUB, Reason::NotLicensed).refused(kind, root, Reason::NotLicensed);
        assert_eq!(only(&findings_of(&CHECK, builder)).outcome(), Outcome::NotApplicable);
    }
}
