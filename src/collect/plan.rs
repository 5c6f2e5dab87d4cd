//! The plan: what will be asked, fixed before the first request, so that a miss can be seen.

use super::CollectRequest;
use super::kql;
use super::table::collectors;
use crate::evidence::{Derived, Expected, Over, Plan, Question, VaultObjects};

/// The plan for a request.
pub fn plan(request: &CollectRequest) -> Plan {
    let known: Vec<(Over, Vec<String>)> = Over::STAGES
        .iter()
        .flat_map(|stage| stage.iter())
        .map(|over| (*over, known(*over, &request.expected)))
        .collect();
    let mut questions = Vec::new();
    let mut derived = Vec::new();
    for (over, scopes) in known {
        if over == Over::VaultDataPlane && request.vault_objects == VaultObjects::Arm {
            continue; // not asked at all
        }
        let kinds = collectors().map(|row| row.kind).filter(|kind| kind.over().contains(&over));
        for kind in kinds {
            questions.extend(scopes.iter().map(|scope| Question { kind, scope: scope.clone() }));
            if let Some(for_each) = found_later(over, &request.expected) {
                derived.push(Derived { kind, for_each: for_each.to_owned() });
            }
        }
    }
    Plan {
        schema: "tickmark.plan/v1".to_owned(),
        tenant_id: request.tenant_id.clone(),
        period: request.period,
        written_at: request.now,
        expected: request.expected.clone(),
        personal_data: request.personal.data().clone(),
        vault_objects: request.vault_objects,
        api_versions: request.api_versions.clone(),
        questions,
        derived,
    }
}

/// The scope of a question about all subscriptions together.
pub(super) const SUBSCRIPTIONS: &str = "subscriptions";

/// The scopes of a family that are known before the first request.
fn known(over: Over, expected: &Expected) -> Vec<String> {
    match over {
        Over::ManagementGroup => scopes(&expected.management_groups, group_scope),
        Over::Subscription => scopes(&expected.subscriptions, subscription_scope),
        // without a subscription there is nothing to ask about
        Over::Subscriptions if expected.subscriptions.is_empty() => Vec::new(),
        Over::Subscriptions => vec![SUBSCRIPTIONS.to_owned()],
        Over::LogCount | Over::Log => scopes(&expected.workspaces, workspace_scope),
        Over::LogTable => {
            scopes(&expected.workspaces, workspace_scope).iter().flat_map(|log| table_scopes(log)).collect()
        }
        _ => over.fixed().into_iter().map(str::to_owned).collect(),
    }
}

/// What further scopes of a family are, where answers name any.
fn found_later(over: Over, expected: &Expected) -> Option<&'static str> {
    match over {
        _ if over.fixed().is_some() => None,
        Over::Subscription if !expected.management_groups.is_empty() => {
            Some("subscription below an expected management group")
        }
        Over::Subscription | Over::Subscriptions if !expected.subscriptions.is_empty() => None, // all of them are known
        _ => Some(over.words()),
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

/// `workspace:{guid}/{table}` for each table that is asked about.
pub(super) fn table_scopes(log: &str) -> Vec<String> {
    kql::TABLES.iter().map(|(table, _)| format!("{log}/{table}")).collect()
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
    use std::collections::BTreeMap;

    use super::super::Personal;
    use super::*;
    use crate::evidence::{Kind, Period, Tool};

    fn request(expected: Expected) -> CollectRequest {
        CollectRequest {
            tenant_id: "t1".to_owned(),
            expected,
            vault_objects: VaultObjects::Arm,
            api_versions: BTreeMap::new(),
            period: Period::parse("2026Q3").expect("a period"),
            now: "2026-10-02T09:00:00Z".parse().expect("a time"),
            tool: Tool { name: "tickmark".to_owned(), version: "0".to_owned(), rule_set_sha256: String::new() },
            personal: Personal::default(),
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
        let of_subscription = Kind::ALL.iter().filter(|kind| kind.is_per_subscription()).count();
        assert_eq!(scopes_of(&plan, Kind::ResourceGraphVaults), ["subscriptions"]);
        let of_directory = Kind::ALL.iter().filter(|kind| kind.over().contains(&Over::Directory)).count();
        assert_eq!(plan.questions.len(), 6 + 3 + 2 * of_subscription + of_directory);
        assert!(!is_derived(&plan, Kind::Vaults), "nothing is left to be found out");
        assert!(is_derived(&plan, Kind::DiagnosticSettings));
    }

    #[test]
    fn with_no_expectation_the_questions_follow_from_what_is_visible() {
        let plan = plan(&request(Expected::default()));
        assert!(scopes_of(&plan, Kind::Vaults).is_empty());
        assert!(is_derived(&plan, Kind::Vaults));
        assert!(scopes_of(&plan, Kind::ResourceGraphVaults).is_empty() && is_derived(&plan, Kind::ResourceGraphVaults));
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
        let asked = CollectRequest { vault_objects: VaultObjects::DataPlane, ..request(Expected::default()) };
        let plan = plan(&asked);
        assert_eq!(plan.vault_objects, VaultObjects::DataPlane);
        for kind in Kind::ALL {
            assert!(!scopes_of(&plan, *kind).is_empty() || is_derived(&plan, *kind), "{kind:?}");
        }
    }

    #[test]
    fn vaults_are_asked_themselves_only_where_that_is_wished() {
        let plan = plan(&request(Expected::default()));
        assert!(!is_derived(&plan, Kind::VaultDataSecrets) && !is_derived(&plan, Kind::VaultDeletedKeys));
        assert!(is_derived(&plan, Kind::VaultSecrets) && is_derived(&plan, Kind::VaultKeys));
    }
}
