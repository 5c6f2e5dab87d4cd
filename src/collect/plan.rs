//! The plan: what will be asked, fixed before the first request, so that a miss can be seen.

use super::CollectRequest;
use crate::evidence::{Derived, Kind, Plan, Question};

/// Asked once, about the tenant.
pub(super) const OF_TENANT: &[(Kind, &str)] =
    &[(Kind::Subscriptions, "tenant"), (Kind::ManagementGroups, "tenant"), (Kind::RoleAssignments, "/")];

/// Asked at every management group.
pub(super) const OF_GROUP: &[Kind] = &[Kind::ManagementGroupDescendants, Kind::RoleAssignments];

/// Asked in every subscription.
pub(super) const OF_SUBSCRIPTION: &[Kind] = &[
    Kind::Resources,
    Kind::VirtualMachines,
    Kind::UserAssignedIdentities,
    Kind::Vaults,
    Kind::DeletedVaults,
    Kind::RoleAssignments,
    Kind::RoleDefinitions,
    Kind::DenyAssignments,
    Kind::Workspaces,
];

/// Log questions that count; put before those for rows, whose control total they are.
pub(super) const COUNTS: &[Kind] = &[Kind::VaultLogDedicatedCount, Kind::VaultLogLegacyCount];

/// Log questions for rows.
pub(super) const ROWS: &[Kind] = &[Kind::VaultLogDedicated, Kind::VaultLogLegacy];

/// What becomes a question when answers are in.
const DERIVED: &[(Kind, &str)] = &[
    (Kind::ManagementGroupDescendants, "management group that is visible"),
    (Kind::RoleAssignments, "management group that is visible"),
    (Kind::FederatedCredentials, "user-assigned identity that was found"),
    (Kind::DiagnosticSettings, "vault that was found"),
    (Kind::Workspace, "workspace that a diagnostic setting names and no list holds"),
    (Kind::Tables, "workspace in use: named by a diagnostic setting, or expected"),
    (Kind::VaultLogDedicatedCount, "workspace in use"),
    (Kind::VaultLogLegacyCount, "workspace in use"),
    (Kind::VaultLogDedicated, "workspace in use"),
    (Kind::VaultLogLegacy, "workspace in use"),
    (Kind::Principals, "thousand object ids in role assignments, access policies, identities and log rows"),
    (Kind::GroupMembers, "group among the principals"),
];

/// The plan for a request.
pub fn plan(request: &CollectRequest) -> Plan {
    let expected = &request.expected;
    let question = |kind: Kind, scope: &str| Question { kind, scope: scope.to_owned() };
    let mut questions: Vec<Question> = OF_TENANT.iter().map(|(kind, scope)| question(*kind, scope)).collect();
    for group in scopes(&expected.management_groups, group_scope) {
        questions.extend(OF_GROUP.iter().map(|kind| question(*kind, &group)));
    }
    for subscription in scopes(&expected.subscriptions, subscription_scope) {
        questions.extend(OF_SUBSCRIPTION.iter().map(|kind| question(*kind, &subscription)));
    }
    for workspace in scopes(&expected.workspaces, workspace_scope) {
        questions.extend(COUNTS.iter().chain(ROWS).map(|kind| question(*kind, &workspace)));
    }
    questions.push(question(Kind::ManagedIdentityPrincipals, "directory"));

    let derived = |kind: Kind, for_each: &str| Derived { kind, for_each: for_each.to_owned() };
    let of_subscription = match (expected.subscriptions.is_empty(), expected.management_groups.is_empty()) {
        (true, true) => Some("subscription that is visible"),
        (_, false) => Some("subscription below an expected management group"),
        (false, true) => None, // all of them are known
    };
    let mut rules = Vec::new();
    if let Some(for_each) = of_subscription {
        rules.extend(OF_SUBSCRIPTION.iter().map(|kind| derived(*kind, for_each)));
    }
    rules.extend(DERIVED.iter().map(|(kind, for_each)| derived(*kind, for_each)));
    Plan {
        schema: "tickmark.plan/v1".to_owned(),
        tenant_id: request.tenant_id.clone(),
        period: request.period,
        written_at: request.now,
        expected: expected.clone(),
        questions,
        derived: rules,
    }
}

/// Scopes of configured names, each once, in order.
pub(super) fn scopes(names: &[String], scope: fn(&str) -> String) -> Vec<String> {
    let mut scopes: Vec<String> = names.iter().map(|name| scope(name.trim())).collect();
    scopes.sort_by_key(|scope| scope.to_lowercase());
    scopes.dedup_by_key(|scope| scope.to_lowercase());
    scopes
}

/// `/subscriptions/{guid}`, from the GUID or the whole id.
pub(super) fn subscription_scope(name: &str) -> String {
    format!("/subscriptions/{}", last_segment(name))
}

/// The id of a management group, from its name or the whole id.
pub(super) fn group_scope(name: &str) -> String {
    format!("/providers/Microsoft.Management/managementGroups/{}", last_segment(name))
}

/// `workspace:{guid}`, lower case.
pub(super) fn workspace_scope(guid: &str) -> String {
    format!("workspace:{}", guid.to_lowercase())
}

fn last_segment(text: &str) -> &str {
    text.trim_end_matches('/').rsplit('/').next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Expected, Period, Tool};

    fn request(expected: Expected) -> CollectRequest {
        CollectRequest {
            tenant_id: "t1".to_owned(),
            expected,
            period: Period::parse("2026Q3").expect("a period"),
            now: "2026-10-02T09:00:00Z".parse().expect("a time"),
            tool: Tool { name: "tickmark".to_owned(), version: "0".to_owned(), rule_set_sha256: String::new() },
        }
    }

    fn scopes_of(plan: &Plan, kind: Kind) -> Vec<&str> {
        plan.questions.iter().filter(|question| question.kind == kind).map(|question| question.scope.as_str()).collect()
    }

    fn is_derived(plan: &Plan, kind: Kind) -> bool {
        plan.derived.iter().any(|rule| rule.kind == kind)
    }

    #[test]
    fn every_expected_subscription_has_its_questions_before_the_first_request() {
        let subscriptions = vec!["S2".to_owned(), "s1".to_owned(), "s2".to_owned()];
        let plan = plan(&request(Expected { subscriptions, ..Expected::default() }));
        assert_eq!(scopes_of(&plan, Kind::Vaults), ["/subscriptions/s1", "/subscriptions/S2"]);
        assert_eq!(scopes_of(&plan, Kind::RoleAssignments), ["/", "/subscriptions/s1", "/subscriptions/S2"]);
        assert_eq!(scopes_of(&plan, Kind::Subscriptions), ["tenant"]);
        assert_eq!(plan.questions.len(), 3 + 2 * OF_SUBSCRIPTION.len() + 1);
        assert!(!is_derived(&plan, Kind::Vaults), "nothing is left to be found out");
        assert!(is_derived(&plan, Kind::DiagnosticSettings));
    }

    #[test]
    fn with_no_expectation_the_questions_follow_from_what_is_visible() {
        let plan = plan(&request(Expected::default()));
        assert!(scopes_of(&plan, Kind::Vaults).is_empty());
        assert!(is_derived(&plan, Kind::Vaults));
    }

    #[test]
    fn expected_groups_and_workspaces_are_questions_too() {
        let expected = Expected {
            subscriptions: Vec::new(),
            management_groups: vec!["mg1".to_owned()],
            workspaces: vec!["ABCD".to_owned()],
        };
        let plan = plan(&request(expected));
        let group = "/providers/Microsoft.Management/managementGroups/mg1";
        assert_eq!(scopes_of(&plan, Kind::ManagementGroupDescendants), [group]);
        assert_eq!(scopes_of(&plan, Kind::RoleAssignments), ["/", group]);
        assert_eq!(scopes_of(&plan, Kind::VaultLogLegacy), ["workspace:abcd"]);
        assert!(is_derived(&plan, Kind::Vaults));
    }

    #[test]
    fn every_kind_is_planned_or_derived() {
        let plan = plan(&request(Expected::default()));
        for kind in Kind::ALL {
            assert!(!scopes_of(&plan, *kind).is_empty() || is_derived(&plan, *kind), "{kind:?}");
        }
    }
}
