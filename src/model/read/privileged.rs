//! Privileged Identity Management for Azure resources: schedules, requests and rules.

use super::authorization::last_segment;
use super::{Item, ModelError, Pages, first_of_each};
use crate::evidence::Kind;
use crate::model::{RoleRequest, RoleRules, RoleSchedule};

/// Schedules of one kind in order of id. Lists at several scopes show the same one; it is kept once.
pub(super) fn schedules(pages: &mut Pages<'_>, kind: Kind) -> Result<Vec<RoleSchedule>, ModelError> {
    let found = pages.items(kind, |item| {
        let id = item.need_id("id")?;
        let properties = item.need_object("properties")?;
        Some(RoleSchedule {
            scope: properties.need_id("scope")?,
            role: last_segment(&properties.need("roleDefinitionId")?),
            principal_id: properties.need("principalId")?.to_lowercase(),
            principal_type: properties.text("principalType"),
            member_type: properties.text("memberType"),
            assignment_type: properties.text("assignmentType"),
            origin: properties.id("originRoleAssignmentId"),
            starts: properties.time("startDateTime"),
            ends: properties.time("endDateTime"),
            condition: properties.text("condition").filter(|text| !text.trim().is_empty()),
            from: item.from(),
            id,
        })
    })?;
    Ok(first_of_each(found, |schedule| &schedule.id))
}

/// Requests of one kind in order of id.
pub(super) fn requests(pages: &mut Pages<'_>, kind: Kind) -> Result<Vec<RoleRequest>, ModelError> {
    let found = pages.items(kind, |item| {
        let id = item.need_id("id")?;
        let properties = item.need_object("properties")?;
        let told = |item: &Item<'_>, name: &str| item.text(name).filter(|text| !text.trim().is_empty());
        let schedule = properties.object("scheduleInfo");
        let expiration = schedule.as_ref().and_then(|schedule| schedule.object("expiration"));
        Some(RoleRequest {
            scope: properties.need_id("scope")?,
            role: last_segment(&properties.need("roleDefinitionId")?),
            principal_id: properties.need("principalId")?.to_lowercase(),
            requestor_id: properties.lower("requestorId"),
            request_type: properties.text("requestType"),
            status: properties.text("status"),
            approval_id: told(&properties, "approvalId"),
            has_reason: told(&properties, "justification").is_some(),
            ticket: properties.object("ticketInfo").and_then(|ticket| told(&ticket, "ticketNumber")),
            starts: schedule.as_ref().and_then(|schedule| schedule.time("startDateTime")),
            ends: expiration.as_ref().and_then(|expiration| expiration.time("endDateTime")),
            minutes: expiration.as_ref().and_then(|expiration| duration(expiration, "duration")),
            created_on: properties.time("createdOn"),
            from: item.from(),
            id,
        })
    })?;
    Ok(first_of_each(found, |request| &request.id))
}

/// Rules by scope and role. An answer without the list of rules is a fault: "no rules" is never told that way.
pub(super) fn rules(pages: &mut Pages<'_>) -> Result<Vec<RoleRules>, ModelError> {
    let mut found = pages.items(Kind::RoleManagementPolicyAssignments, |item| {
        let id = item.need_id("id")?;
        let properties = item.need_object("properties")?;
        let mut rules = RoleRules {
            scope: properties.need_id("scope")?,
            role: last_segment(&properties.need("roleDefinitionId")?),
            approval: None,
            approvers: Vec::new(),
            mfa: None,
            reason: None,
            ticket: None,
            authentication_context: None,
            longest_activation: None,
            permanent_eligible: None,
            permanent_active: None,
            admin_mfa: None,
            admin_reason: None,
            from: item.from(),
            id,
        };
        for rule in properties.need_list("effectiveRules")? {
            read_rule(&mut rules, &rule);
        }
        Some(rules)
    })?;
    found.sort_by(|a, b| (&a.scope, &a.role, &a.id).cmp(&(&b.scope, &b.role, &b.id)));
    found.dedup_by(|a, b| a.id == b.id);
    Ok(found)
}

/// Reads one rule by its id; others, such as those about notifications, are left alone.
fn read_rule(rules: &mut RoleRules, rule: &Item<'_>) {
    let enabled = |name: &str| {
        let is_told = rule.has("enabledRules");
        is_told.then(|| rule.texts("enabledRules").iter().any(|enabled| enabled.eq_ignore_ascii_case(name)))
    };
    // What may stay for ever is what need not expire.
    let permanent = || rule.flag("isExpirationRequired").map(|required| !required);
    match rule.need("id").unwrap_or_default().to_ascii_lowercase().as_str() {
        "approval_enduser_assignment" => {
            let Some(setting) = rule.object("setting") else { return };
            rules.approval = setting.flag("isApprovalRequired");
            for stage in setting.items("approvalStages") {
                let approvers = ["primaryApprovers", "escalationApprovers"];
                let approvers = approvers.iter().flat_map(|name| stage.items(name));
                rules.approvers.extend(approvers.filter_map(|approver| approver.lower("id")));
            }
            rules.approvers.sort();
            rules.approvers.dedup();
        }
        "enablement_enduser_assignment" => {
            rules.mfa = enabled("MultiFactorAuthentication");
            rules.reason = enabled("Justification");
            rules.ticket = enabled("Ticketing");
        }
        "authenticationcontext_enduser_assignment" => rules.authentication_context = rule.flag("isEnabled"),
        "expiration_enduser_assignment" => rules.longest_activation = duration(rule, "maximumDuration"),
        "expiration_admin_eligibility" => rules.permanent_eligible = permanent(),
        "expiration_admin_assignment" => rules.permanent_active = permanent(),
        "enablement_admin_assignment" => {
            rules.admin_mfa = enabled("MultiFactorAuthentication");
            rules.admin_reason = enabled("Justification");
        }
        _ => {}
    }
}

/// A length of time, minutes.
pub(super) fn duration(item: &Item<'_>, name: &str) -> Option<i64> {
    let text = item.text(name).filter(|text| !text.is_empty())?;
    let minutes = minutes(&text);
    if minutes.is_none() {
        item.fault(&format!("`{name}` is not a length of time"));
    }
    minutes
}

/// Minutes of an ISO 8601 duration such as `PT8H` or `P90D`; a part of a minute counts as one. Years and months have
/// no fixed length: 365 and 30 days stand for them.
fn minutes(text: &str) -> Option<i64> {
    let (days, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((days, time)) => (days, time),
        None => (text.strip_prefix('P')?, ""),
    };
    const DAY: i64 = 24 * 60;
    let days = sum(days, &[('Y', 365 * DAY * 60), ('M', 30 * DAY * 60), ('W', 7 * DAY * 60), ('D', DAY * 60)])?;
    let seconds = days.checked_add(sum(time, &[('H', 3600), ('M', 60), ('S', 1)])?)?;
    (text.len() > 1 && !text.ends_with('T')).then(|| seconds.div_euclid(60) + i64::from(seconds % 60 > 0))
}

/// Seconds of parts such as `8H30M`, each unit at most once and in order.
fn sum(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut total: i64 = 0;
    for (unit, seconds) in units {
        if let Some((number, rest)) = text.split_once(*unit) {
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*seconds)?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(total)
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is easier to read without a reference before it")]
mod tests {
    use serde_json::{Value, json};

    use super::minutes;
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};
    use crate::model::{Tenant, read};

    const SUB: &str = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001";

    fn tenant(builder: CaptureBuilder) -> Tenant {
        read(&builder.build()).expect("a tenant")
    }

    fn id(of_type: &str, name: &str) -> String {
        format!("{SUB}/providers/Microsoft.Authorization/{of_type}/{name}")
    }

    /// Properties that every item has, with more.
    fn with(more: &Value) -> Value {
        let mut properties = json!({"scope": SUB, "principalId": "P-1",
            "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/ABC"});
        let members = more.as_object().cloned().unwrap_or_default();
        properties.as_object_mut().expect("an object").extend(members);
        properties
    }

    #[test]
    fn lengths_of_time_are_read_in_all_their_forms() {
        for (text, expected) in [
            ("PT8H", 480),
            ("PT30M", 30),
            ("P1DT12H", 2160),
            ("P90D", 129_600),
            ("PT90S", 2),
            ("P1Y", 525_600),
            ("PT1H30M", 90),
            ("P2W", 20_160),
        ] {
            assert_eq!(minutes(text), Some(expected), "{text}");
        }
        for text in ["", "P", "PT", "8H", "PTH", "P8H", "PT1M2H", "P-1D", "PT99999999999999999999H"] {
            assert_eq!(minutes(text), None, "{text}");
        }
    }

    #[test]
    fn a_role_assignment_is_joined_to_its_schedule_whatever_the_case_of_its_id() {
        let assignment = id("roleAssignments", "a1");
        let list = |value: Value| json!({"value": [{"id": id("x", "i1"), "properties": value}]});
        let builder = CaptureBuilder::default()
            .answer(Kind::RoleAssignments, SUB, json!({"value": [{"id": assignment, "properties": with(&json!({}))}]}))
            .answer(
                Kind::RoleAssignmentScheduleInstances,
                SUB,
                list(with(&json!({"assignmentType": "activated", "originRoleAssignmentId": assignment.to_uppercase(),
                    "endDateTime": "2026-10-02T10:00:00Z"}))),
            )
            .answer(
                Kind::RoleEligibilityScheduleInstances,
                SUB,
                list(with(&json!({"memberType": "Group", "endDateTime": null}))),
            );
        let found = tenant(builder);
        let schedules: Vec<_> = found.schedules_of(&found.role_assignments[0]).collect();
        assert_eq!(schedules.len(), 1);
        assert!(schedules[0].is_activated() && schedules[0].ends.is_some());
        let eligible = &found.authorization.eligible[0];
        assert_eq!((eligible.role.as_str(), eligible.principal_id.as_str()), ("abc", "p-1"));
        assert!(eligible.ends.is_none() && !eligible.is_activated());
    }

    #[test]
    fn a_request_tells_that_a_reason_was_given_and_not_which() {
        let request = |name: &str, more: Value| json!({"id": id("r", name), "properties": with(&more)});
        let list = json!({"value": [
            request("1", json!({"requestType": "SelfActivate", "requestorId": "P-1", "justification": "[cut]",
                "approvalId": "a", "ticketInfo": {"ticketNumber": "CHG1", "ticketSystem": null},
                "scheduleInfo": {"startDateTime": "2026-08-01T10:00:00Z", "expiration": {"type": "AfterDuration", "duration": "PT2H", "endDateTime": null}}})),
            request("2", json!({"justification": " ", "ticketInfo": null, "scheduleInfo": null})),
            request("3", json!({"scheduleInfo": {"expiration": {"duration": "two hours"}}})),
        ]});
        let found = tenant(CaptureBuilder::default().answer(Kind::RoleAssignmentScheduleRequests, SUB, list));
        let [first, second, third] = found.authorization.active_requests.as_slice() else { panic!("three requests") };
        assert!(first.has_reason && first.ticket.as_deref() == Some("CHG1") && first.minutes == Some(120));
        assert!(!second.has_reason && second.ticket.is_none() && second.requestor_id.is_none());
        assert_eq!(third.minutes, None);
        let gaps = found.coverage.missing_anywhere(Kind::RoleAssignmentScheduleRequests);
        assert_eq!(gaps[0].reason, Reason::Malformed);
        assert!(gaps[0].detail.contains("`duration` is not a length of time"), "{gaps:?}");
    }

    fn rules(rules: Value) -> Tenant {
        let list = json!({"value": [{"id": id("roleManagementPolicyAssignments", "p"), "properties": with(&json!({"effectiveRules": rules}))}]});
        tenant(CaptureBuilder::default().answer(Kind::RoleManagementPolicyAssignments, SUB, list))
    }

    #[test]
    fn rules_are_read_by_their_id() {
        let found = rules(json!([
            {"id": "Expiration_EndUser_Assignment", "maximumDuration": "PT2H", "isExpirationRequired": true},
            {"id": "Enablement_EndUser_Assignment", "enabledRules": ["MultiFactorAuthentication", "justification"]},
            {"id": "Approval_EndUser_Assignment", "setting": {"isApprovalRequired": true, "approvalStages": [
                {"primaryApprovers": [{"id": "G-1", "userType": "Group"}], "escalationApprovers": null}]}},
            {"id": "AuthenticationContext_EndUser_Assignment", "isEnabled": false},
            {"id": "Expiration_Admin_Eligibility", "isExpirationRequired": false},
            {"id": "Expiration_Admin_Assignment", "isExpirationRequired": "True"},
            {"id": "Enablement_Admin_Assignment", "enabledRules": []},
            {"id": "Notification_Admin_Admin_Eligibility"},
        ]));
        let rules = &found.authorization.rules[0];
        assert_eq!((rules.mfa, rules.reason, rules.ticket), (Some(true), Some(true), Some(false)));
        assert_eq!((rules.approval, rules.approvers.as_slice()), (Some(true), ["g-1".to_owned()].as_slice()));
        assert_eq!((rules.authentication_context, rules.longest_activation), (Some(false), Some(120)));
        assert_eq!((rules.permanent_eligible, rules.permanent_active), (Some(true), Some(false)));
        assert_eq!((rules.admin_mfa, rules.admin_reason), (Some(false), Some(false)));
        assert!(found.coverage.missing_anywhere(Kind::RoleManagementPolicyAssignments).is_empty());
    }

    #[test]
    fn a_rule_that_is_absent_is_not_told_and_no_list_of_rules_is_a_gap() {
        let found = rules(json!([{"id": "Enablement_EndUser_Assignment", "enabledRules": null}]));
        let of_role = &found.authorization.rules[0];
        assert_eq!((of_role.mfa, of_role.approval, of_role.permanent_active), (None, None, None));
        let found = rules(Value::Null);
        assert!(found.authorization.rules.is_empty());
        assert_eq!(found.coverage.missing_anywhere(Kind::RoleManagementPolicyAssignments).len(), 1);
    }

    #[test]
    fn without_the_licence_nothing_can_be_activated_which_is_no_list_of_nothing() {
        let kind = Kind::RoleEligibilityScheduleInstances;
        let found = tenant(CaptureBuilder::default().gap(kind, SUB, Reason::NotLicensed));
        assert!(found.authorization.eligible.is_empty());
        assert!(found.coverage.missing_anywhere(kind).is_empty(), "the collection lacks nothing");
        assert_eq!(found.coverage.missing_at(kind, SUB)[0].reason, Reason::NotLicensed, "who needs the list lacks it");
        let found = tenant(CaptureBuilder::default().gap(kind, SUB, Reason::Forbidden));
        assert_eq!(found.coverage.missing_anywhere(kind)[0].reason, Reason::Forbidden);
    }
}
