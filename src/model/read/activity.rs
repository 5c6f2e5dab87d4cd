//! Exports, the activity log, Defender plans and the containers of archives.

use super::authorization::last_segment;
use super::json::Json;
use super::log_settings::diagnostic_settings;
use super::{Item, ModelError, Pages, first_of_each};
use crate::evidence::{Kind, Period, Record};
use crate::model::{
    ActionGroup, ActivityAlert, ActivityEvent, ActivityReach, AlertCondition, ArchiveContainer, DefenderPlan, Grant,
    Id, Logging, SearchAlert,
};

/// The claim that holds the caller's object id.
const CALLER: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";

/// Reads the family. A part of `period` that the activity log no longer keeps is noted in the coverage.
pub(super) fn logging(pages: &mut Pages<'_>, period: Period) -> Result<Logging, ModelError> {
    let mut logging = Logging {
        subscription_exports: diagnostic_settings(pages, Kind::SubscriptionExports)?,
        group_exports: diagnostic_settings(pages, Kind::ManagementGroupExports)?,
        directory_exports: diagnostic_settings(pages, Kind::DirectoryExports)?,
        plans: plans(pages)?,
        containers: containers(pages)?,
        activity_alerts: activity_alerts(pages)?,
        search_alerts: search_alerts(pages)?,
        action_groups: action_groups(pages)?,
        ..Logging::default()
    };
    for kind in Kind::ALL.iter().copied().filter(|kind| kind.is_activity()) {
        logging.activity.extend(pages.items(kind, |item| event(kind, item))?);
        logging.reach.extend(reach(pages, kind, period));
    }
    logging.activity.sort_by(|a, b| (a.at, &a.id, &a.from).cmp(&(b.at, &b.id, &b.from)));
    let mut seen = std::collections::BTreeSet::new();
    logging.activity.retain(|event| seen.insert(event.id.clone()));
    Ok(logging)
}

fn event(kind: Kind, item: &Item<'_>) -> Option<ActivityEvent> {
    let value = |name: &str| item.object(name).and_then(|named| named.text("value")).filter(|text| !text.is_empty());
    let Some(operation) = value("operationName") else {
        item.fault("`operationName` has no `value`");
        return None;
    };
    let Some(at) = item.time("eventTimestamp") else {
        item.fault("`eventTimestamp` is missing");
        return None;
    };
    let claims = item.object("claims");
    let claim = |name: &str| claims.as_ref().and_then(|claims| claims.lower(name));
    Some(ActivityEvent {
        id: item.need("eventDataId")?,
        at,
        submitted_at: item.time("submissionTimestamp"),
        kind,
        scope: item.scope_id(),
        operation,
        status: value("status"),
        sub_status: value("subStatus"),
        resource: item.id("resourceId"),
        authorized_scope: item.object("authorization").and_then(|authorization| authorization.id("scope")),
        caller_id: claim(CALLER),
        caller_app_id: claim("appid"),
        correlation_id: item.lower("correlationId"),
        grant: item.object("properties").and_then(|properties| grant(&properties)),
        from: item.from(),
    })
}

/// The role in the body of the request, else of the answer. Bodies are JSON in text, and members of both are written
/// with and without a capital. One that is absent or cut tells nothing, which is no fault.
fn grant(properties: &Item<'_>) -> Option<Grant> {
    ["requestbody", "responseBody"].iter().find_map(|name| {
        let text = properties.text(name)?;
        let body = Json::of(text.as_bytes()).ok()?;
        let of_role = member(&body, "properties")?;
        let text = |name: &str| member(of_role, name)?.as_text().filter(|text| !text.is_empty());
        Some(Grant {
            principal_id: text("principalId")?.to_lowercase(),
            role: text("roleDefinitionId").map(last_segment),
            scope: text("scope").map(Id::new),
        })
    })
}

fn member<'a>(value: &'a Json<'a>, name: &str) -> Option<&'a Json<'a>> {
    value.members()?.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Which part of the period each question of a kind reached.
fn reach(pages: &mut Pages<'_>, kind: Kind, period: Period) -> Vec<ActivityReach> {
    let records: Vec<&Record> = pages.records(kind).collect();
    let mut reach = Vec::new();
    for record in records {
        let Some(window) = &record.window else { continue };
        let is_short = window.start > period.start;
        if is_short {
            let detail = format!(
                "the activity log keeps 90 days: what happened from {} to {} is in no answer of it",
                period.start.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
                window.start.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            );
            pages.coverage.falls_short(record, detail);
        }
        reach.push(ActivityReach {
            kind,
            scope: Id::new(record.scope.clone()),
            start: window.start,
            end: window.end,
            is_short,
            from: record.cite(),
        });
    }
    reach
}

fn activity_alerts(pages: &mut Pages<'_>) -> Result<Vec<ActivityAlert>, ModelError> {
    let found = pages.items(Kind::ActivityLogAlerts, |item| {
        let properties = item.need_object("properties")?;
        let condition = properties.need_object("condition")?;
        let actions = properties.object("actions");
        let groups = actions.iter().flat_map(|actions| actions.items("actionGroups"));
        Some(ActivityAlert {
            id: item.need_id("id")?,
            enabled: properties.flag("enabled"),
            scopes: properties.texts("scopes").into_iter().map(Id::new).collect(),
            conditions: condition.items("allOf").iter().map(alert_condition).collect(),
            action_groups: groups.filter_map(|group| group.id("actionGroupId")).collect(),
            from: item.from(),
        })
    })?;
    Ok(first_of_each(found, |alert| &alert.id))
}

fn alert_condition(item: &Item<'_>) -> AlertCondition {
    let mut values: Vec<String> = item.text("equals").into_iter().collect();
    values.extend(item.texts_or_cut("containsAny"));
    AlertCondition {
        field: item.text("field"),
        values,
        any_of: item.items("anyOf").iter().map(alert_condition).collect(),
    }
}

fn search_alerts(pages: &mut Pages<'_>) -> Result<Vec<SearchAlert>, ModelError> {
    let found = pages.items(Kind::LogSearchAlerts, |item| {
        let properties = item.need_object("properties")?;
        let actions = properties.object("actions");
        let groups = actions.iter().flat_map(|actions| actions.texts("actionGroups"));
        Some(SearchAlert {
            id: item.need_id("id")?,
            enabled: properties.flag("enabled"),
            scopes: properties.texts("scopes").into_iter().map(Id::new).collect(),
            action_groups: groups.map(Id::new).collect(),
            from: item.from(),
        })
    })?;
    Ok(first_of_each(found, |alert| &alert.id))
}

/// Lists of receivers whose length is told: of the others nothing is kept.
const RECEIVERS: &[&str] = &[
    "emailReceivers",
    "smsReceivers",
    "voiceReceivers",
    "webhookReceivers",
    "automationRunbookReceivers",
    "logicAppReceivers",
    "azureFunctionReceivers",
    "armRoleReceivers",
    "eventHubReceivers",
];

fn action_groups(pages: &mut Pages<'_>) -> Result<Vec<ActionGroup>, ModelError> {
    let found = pages.items(Kind::ActionGroups, |item| {
        let properties = item.need_object("properties")?;
        Some(ActionGroup {
            id: item.need_id("id")?,
            enabled: properties.flag("enabled"),
            receivers: RECEIVERS.iter().map(|name| properties.count(name)).sum(),
            from: item.from(),
        })
    })?;
    Ok(first_of_each(found, |group| &group.id))
}

fn plans(pages: &mut Pages<'_>) -> Result<Vec<DefenderPlan>, ModelError> {
    let mut found = pages.items(Kind::DefenderPlans, |item| {
        let properties = item.need_object("properties")?;
        Some(DefenderPlan {
            subscription: item.scope_id(),
            name: item.need("name")?,
            tier: properties.text("pricingTier"),
            sub_plan: properties.text("subPlan"),
            from: item.from(),
        })
    })?;
    found.sort_by(|a, b| (&a.subscription, &a.name).cmp(&(&b.subscription, &b.name)));
    Ok(found)
}

fn containers(pages: &mut Pages<'_>) -> Result<Vec<ArchiveContainer>, ModelError> {
    let mut found = pages.items(Kind::ArchiveContainers, |item| {
        let name = item.need("name")?;
        let properties = item.need_object("properties")?;
        let policy = properties.object("immutabilityPolicy").and_then(|policy| policy.object("properties"));
        let state = policy.as_ref().and_then(|policy| policy.text("state"));
        let versioning = properties.object("immutableStorageWithVersioning");
        Some(ArchiveContainer {
            account: item.scope_id(),
            name,
            has_policy: properties.flag("hasImmutabilityPolicy"),
            is_locked: state.map(|state| state.eq_ignore_ascii_case("Locked")),
            days: policy.as_ref().and_then(|policy| policy.number("immutabilityPeriodSinceCreationInDays")),
            has_legal_hold: properties.flag("hasLegalHold"),
            is_versioned: versioning.and_then(|versioning| versioning.flag("enabled")),
            from: item.from(),
        })
    })?;
    found.sort_by(|a, b| (&a.account, &a.name).cmp(&(&b.account, &b.name)));
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is easier to read without a reference before it")]
mod tests {
    use serde_json::{Value, json};

    use super::CALLER;
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason, Window};
    use crate::model::{Id, Need, Reach, Tenant, read};

    const SUB: &str = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001";

    fn tenant(builder: CaptureBuilder) -> Tenant {
        read(&builder.build()).expect("a tenant")
    }

    fn list(items: Value) -> Value {
        json!({ "value": items })
    }

    fn event(id: &str, patch: &Value) -> Value {
        let mut event = json!({"eventDataId": id, "eventTimestamp": "2026-08-01T10:00:00.1234567Z",
            "operationName": {"value": "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE"}});
        let members = patch.as_object().cloned().unwrap_or_default();
        event.as_object_mut().expect("an object").extend(members);
        event
    }

    fn activity(items: Value) -> Tenant {
        tenant(CaptureBuilder::default().answer(Kind::ActivityOfAuthorization, SUB, list(items)))
    }

    #[test]
    fn an_event_tells_who_did_what_and_who_got_which_role() {
        let request = r#"{"Id":"x","Properties":{"PrincipalId":"P-1","RoleDefinitionId":"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/ABC","Scope":"/subscriptions/s"}}"#;
        let answer = r#"{"properties":{"principalId":"p-2","roleDefinitionId":null}}"#;
        let found = activity(json!([
            event(
                "2",
                &json!({"claims": {CALLER: "C-1", "appid": "A-1"}, "status": {"value": "succeeded"},
                "properties": {"requestbody": request, "responseBody": answer}})
            ),
            event("1", &json!({"eventTimestamp": "2026-07-30T10:00:00Z", "properties": {"responseBody": answer}})),
            event("2", &json!({})),
            event("3", &json!({"claims": null, "status": {"value": ""}, "properties": {"requestbody": "[cut]"}})),
        ]));
        let [first, second, third] = found.logging.activity.as_slice() else { panic!("three events") };
        assert_eq!((first.id.as_str(), second.id.as_str()), ("1", "2"), "in order of time, each once");
        assert!(second.is("Microsoft.Authorization/roleAssignments/write") && second.has_succeeded());
        assert_eq!((second.caller_id.as_deref(), second.caller_app_id.as_deref()), (Some("c-1"), Some("a-1")));
        let granted = second.grant.as_ref().expect("a grant");
        assert_eq!((granted.principal_id.as_str(), granted.role.as_deref()), ("p-1", Some("abc")));
        let taken = first.grant.as_ref().expect("a grant");
        assert_eq!((taken.principal_id.as_str(), &taken.role, &taken.scope), ("p-2", &None, &None));
        assert!(third.grant.is_none() && third.caller_id.is_none() && !third.has_succeeded());
        assert!(found.coverage.missing_anywhere(Kind::ActivityOfAuthorization).is_empty());
    }

    #[test]
    fn an_event_without_time_or_operation_makes_the_log_a_gap() {
        for patch in [json!({"eventTimestamp": null}), json!({"operationName": null}), json!({"eventDataId": ""})] {
            let found = activity(json!([event("1", &patch)]));
            assert!(found.logging.activity.is_empty());
            let gap = &found.coverage.missing_anywhere(Kind::ActivityOfAuthorization)[0];
            assert_eq!(gap.reason, Reason::Malformed, "{patch}");
        }
    }

    #[test]
    fn what_the_log_no_longer_keeps_is_missing_for_whoever_needs_the_period_and_no_gap_of_the_collection() {
        let kind = Kind::ActivityOfAuthorization;
        let mut capture = CaptureBuilder::default().answer(kind, SUB, list(json!([]))).build();
        let at = |text: &str| text.parse().expect("a time");
        let end = at("2026-10-01T00:00:00Z");
        capture.records[0].window = Some(Window { start: at("2026-07-04T11:00:00Z"), end, cutoff: end });
        let found = read(&capture).expect("a tenant");
        assert!(found.coverage.missing_anywhere(kind).is_empty());
        assert!(found.logging.reach[0].is_short);
        for need in [Need { kind, reach: Reach::Own }, Need { kind, reach: Reach::Whole }] {
            let missing = found.coverage.missing(need, &Id::new(SUB));
            assert_eq!(missing[0].reason, Reason::RetentionTooShort, "{need:?}");
            assert!(missing[0].detail.contains("2026-07-01T00:00:00Z to 2026-07-04T11:00:00Z"), "{missing:?}");
        }
        assert_eq!(found.coverage.missing_of_population(kind).len(), 1);

        capture.records[0].window = Some(Window { start: at("2026-07-01T00:00:00Z"), end, cutoff: end });
        let found = read(&capture).expect("a tenant");
        assert!(found.coverage.missing_of_population(kind).is_empty() && !found.logging.reach[0].is_short);
    }

    #[test]
    fn an_export_sends_what_is_switched_on() {
        let setting = json!([{"name": "e", "properties": {"workspaceId": "", "storageAccountId": null, "logs": [
            {"category": "Administrative", "enabled": true}, {"category": "Policy", "enabled": false}]}},
            {"name": "f", "properties": {"logs": [{"categoryGroup": "alllogs", "enabled": true}]}}]);
        let found = tenant(CaptureBuilder::default().answer(Kind::SubscriptionExports, SUB, list(setting)));
        let [one, two] = found.logging.subscription_exports.as_slice() else { panic!("two exports") };
        assert!(one.sends("administrative") && !one.sends("Policy") && !one.has_destination());
        assert!(two.sends("Administrative"));
        assert_eq!(one.resource, Id::new(SUB));
    }

    #[test]
    fn a_container_is_immutable_as_far_as_it_says_so() {
        let account = format!("{SUB}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/starchive");
        let containers = json!([
            {"name": "b", "properties": {"hasImmutabilityPolicy": true, "hasLegalHold": false,
                "immutabilityPolicy": {"properties": {"immutabilityPeriodSinceCreationInDays": 400, "state": "Locked"}}}},
            {"name": "a", "properties": {"immutabilityPolicy": null}},
        ]);
        let found = tenant(CaptureBuilder::default().answer(Kind::ArchiveContainers, &account, list(containers)));
        let [a, b] = found.logging.containers.as_slice() else { panic!("two containers") };
        assert_eq!((b.has_policy, b.is_locked, b.days), (Some(true), Some(true), Some(400)));
        assert_eq!((a.has_policy, a.is_locked, a.has_legal_hold), (None, None, None));
    }

    #[test]
    fn a_storage_account_that_a_setting_names_must_have_been_asked_about() {
        let account = format!("{SUB}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/starchive");
        let setting = json!([{"name": "e", "properties": {"storageAccountId": account.to_uppercase(), "logs": []}}]);
        let builder = CaptureBuilder::default().answer(Kind::DirectoryExports, "tenant", list(setting));
        let missing =
            |builder: CaptureBuilder| tenant(builder).coverage.missing_anywhere(Kind::ArchiveContainers).len();
        assert_eq!(missing(builder.clone()), 1);
        assert_eq!(missing(builder.answer(Kind::ArchiveContainers, &account, list(json!([])))), 0);
    }

    #[test]
    fn a_plan_is_on_when_its_tier_says_so() {
        let plans = json!([{"name": "KeyVaults", "properties": {"pricingTier": "standard", "subPlan": "PerKeyVault"}},
            {"name": "Arm", "properties": {"pricingTier": "Free"}}, {"name": "Dns", "properties": {}}]);
        let found = tenant(CaptureBuilder::default().answer(Kind::DefenderPlans, SUB, list(plans)));
        let on: Vec<Option<bool>> = found.logging.plans.iter().map(|plan| plan.is_on()).collect();
        assert_eq!(on, [Some(false), None, Some(true)], "Arm, Dns, KeyVaults");
    }
}
