//! One question at a time is taken away: nothing that rested on it may stay, and nothing may look better for it.
//!
//! What rests on what is written down here by hand, from the definitions of the checks, and not read from them.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tickmark::assess::Conclusion;
use tickmark::check::{Finding, Outcome};

use super::replay::{Judged, Tenant, forbidden, judge};

/// What rests on knowing the management groups above the subscription.
const ABOVE: &str =
    "RBAC-001 RBAC-002 RBAC-005 RBAC-007 RBAC-011 RBAC-012 PIM-001 PIM-002 PACK-002 RBAC-009 RBAC-010 RBAC-014";

/// Part of the request; checks that must have no pass left; checks that must say that their population is not whole.
///
/// For the tenant `clean`: one subscription, one vault, one workspace, so that whatever belongs to one of them
/// belongs to every subject.
const NEEDED: &[(&str, &str, &str)] = &[
    // who may grant or holds a broad role is a claim over everything that there is
    ("/subscriptions?", "RBAC-005 RBAC-007 KV-012 LOG-006 LOG-008 LOG-009 PACK-002", "LOG-006"),
    // what is assigned above the subscription is inherited by everything below
    ("/managementGroups?", ABOVE, ""),
    ("/descendants?", ABOVE, ""),
    (
        "/roleAssignments?",
        "RBAC-001 RBAC-002 RBAC-005 RBAC-007 RBAC-009 RBAC-010 RBAC-011 RBAC-014 RBAC-012 PIM-001 PIM-002",
        "NHI-006 RBAC-003 RBAC-015 KV-009 KV-010 NHI-008 NHI-009 RBAC-013",
    ),
    // Owner and Contributor are known by id, whatever else is in the list
    (
        "/roleDefinitions?",
        "RBAC-001 RBAC-002 RBAC-005 RBAC-009 RBAC-010 RBAC-011 RBAC-014 RBAC-012 PACK-002",
        "RBAC-003 RBAC-008 RBAC-015 KV-009 KV-010 NHI-008 NHI-009",
    ),
    // a deny only takes away; not to know of it makes nobody's access smaller, and nobody's certain
    ("/denyAssignments?", "RBAC-010", "RBAC-015"),
    ("/eventtypes/management/values?", "", ""),
    ("/microsoft.aadiam/diagnosticSettings?", "APP-008 LOG-005", "FED-007 LOG-004 PIM-005"),
    ("/878bded4-26b8-4144-b980-f5c9be4eb9e1/providers/Microsoft.Insights/diagnosticSettings?", "", "LOG-004"),
    // the first days of the period are in the exported table alone
    (
        "/ef046ce3-0366-4fe0-b02a-52d3a0309665/providers/Microsoft.Insights/diagnosticSettings?",
        "LOG-006 LOG-008 KV-003",
        "LOG-004 RBAC-013",
    ),
    ("/pricings?", "KV-012", ""),
    ("/activityLogAlerts?", "LOG-009", ""),
    ("/actionGroups?", "LOG-009", ""),
    // rules on the activity log suffice
    ("/scheduledQueryRules?", "", ""),
    ("/containers?", "LOG-004", ""),
    // as long as the list of subscriptions shows them all
    ("/getEntities?", "", ""),
    ("/roleAssignmentsUsageMetrics?", "", ""),
    // an administrator of the classic model is like an owner
    ("/classicAdministrators?", "RBAC-010", "KV-010 NHI-008 NHI-009"),
    ("/locks?", "", ""),
    // who holds a role by a delegation is in no other list
    ("/registrationAssignments?", "", "FED-006 KV-010 NHI-008 NHI-009"),
    // who can activate a role may grant after it, and read
    ("/roleEligibilityScheduleInstances?", "RBAC-010 RBAC-012", "RBAC-003 KV-010 NHI-008 NHI-009 PIM-004"),
    // the one role that PIM-001 asks about is assigned at the subscription
    (
        "/ef046ce3-0366-4fe0-b02a-52d3a0309665/providers/Microsoft.Authorization/roleAssignmentScheduleInstances?",
        "PIM-001",
        "",
    ),
    // no person's role is active at the vault's secrets
    (
        "/878bded4-26b8-4144-b980-f5c9be4eb9e1/providers/Microsoft.Authorization/roleAssignmentScheduleInstances?",
        "",
        "",
    ),
    ("/roleAssignmentScheduleRequests?", "", "PIM-005 RBAC-013"),
    ("/roleEligibilityScheduleRequests?", "", "RBAC-013"),
    // the one eligible role is of the subscription: whether another person approves
    (
        "/ef046ce3-0366-4fe0-b02a-52d3a0309665/providers/Microsoft.Authorization/roleManagementPolicyAssignments?",
        "RBAC-010 PIM-004",
        "",
    ),
    (
        "/878bded4-26b8-4144-b980-f5c9be4eb9e1/providers/Microsoft.Authorization/roleManagementPolicyAssignments?",
        "",
        "",
    ),
    // what the collecting identity may do decides nothing about others
    ("/permissions?", "PACK-002", ""),
    // the function that the identity hangs on is in this list alone
    ("/resources?api-version=2021", "KV-001 NHI-001 NHI-003 NHI-004 NHI-005", "NHI-002 NHI-007 NHI-009"),
    ("/virtualMachines?", "NHI-001 NHI-003 NHI-005", "NHI-002 NHI-007 NHI-009"),
    ("/userAssignedIdentities?", "NHI-001 NHI-003 NHI-004 NHI-005", "NHI-003 NHI-004 NHI-005 NHI-008"),
    // the identity is attached, which is enough
    ("/federatedIdentityCredentials?", "", "FED-003 FED-004"),
    (
        "/providers/Microsoft.KeyVault/vaults?",
        "KV-001 KV-002 KV-004 KV-006 KV-007 RBAC-001 RBAC-002 RBAC-009 RBAC-010 RBAC-011 RBAC-014 LOG-001 LOG-002 LOG-003 EVT-001 EVT-002 EVT-003 EVT-004 EVT-005 KV-003 KV-008 KV-011 KV-012 RBAC-012 LOG-009 EVT-006 EVT-007 PACK-002",
        "KV-001 KV-002 KV-004 KV-005 KV-006 KV-007 KV-009 KV-010 RBAC-003 RBAC-004 RBAC-006 RBAC-009 RBAC-010 RBAC-014 LOG-001 EVT-001 KV-003 KV-008 KV-011 KV-012 LOG-009 EVT-006 EVT-007 RBAC-012",
    ),
    ("/deletedVaults?", "KV-001", ""),
    // resources by type, some of which carry identities
    ("/virtualMachineScaleSets?", "", "NHI-007 NHI-009"),
    ("/Microsoft.Web/sites?", "", "APP-007 NHI-007 NHI-009"),
    ("/slots?", "", "APP-007 NHI-007 NHI-009"),
    ("/configreferences/appsettings?", "", "APP-007"),
    ("/configreferences/connectionstrings?", "", "APP-007"),
    ("/containerApps?", "", "APP-007 NHI-007 NHI-009"),
    // its nodes may carry an identity
    ("/managedClusters?", "NHI-005", "FED-005 NHI-007 NHI-009"),
    ("/factories?", "", "NHI-007 NHI-009"),
    ("/Microsoft.Synapse/workspaces?", "", ""),
    ("/Microsoft.Databricks/workspaces?", "", ""),
    ("/accessConnectors?", "", ""),
    ("/automationAccounts?", "", "NHI-007 NHI-009"),
    ("/workflows?", "", "NHI-007 NHI-009"),
    ("/diskEncryptionSets?", "", ""),
    ("/Microsoft.Sql/servers?", "", ""),
    // every container of logs has a policy of its own
    ("/storageAccounts?", "", ""),
    ("/databaseAccounts?", "", ""),
    ("/Microsoft.CognitiveServices/accounts?", "", ""),
    ("/searchServices?", "", ""),
    ("/flexibleServers?", "", ""),
    ("/privateEndpoints?", "", ""),
    ("/managedHSMs?", "", ""),
    // names and attributes of what a vault holds
    ("/vaults/kv-ledger-prod/keys?", "", ""),
    ("/vaults/kv-ledger-prod/secrets?", "CRY-001", "CRY-001"),
    (
        "/vaults/kv-ledger-prod/providers/Microsoft.Insights/diagnosticSettings?",
        "LOG-001 LOG-002 LOG-003 EVT-001 EVT-002 EVT-003 EVT-004 EVT-005 RBAC-014 EVT-006 EVT-007",
        "LOG-004",
    ),
    // the list gives the id by which the workspace is queried
    (
        "/Microsoft.OperationalInsights/workspaces?",
        "LOG-002 EVT-001 EVT-002 EVT-003 EVT-004 EVT-005 RBAC-014 LOG-008 EVT-006 EVT-007 KV-003",
        "RBAC-013",
    ),
    // the log has rows from the first day, so that how long it is kept matters to LOG-003 alone
    ("/tables?", "LOG-003 LOG-008 KV-003", "RBAC-013"),
    ("/servicePrincipals?$filter=", "NHI-001", "RBAC-005 RBAC-007"),
    (
        "/v1.0/applications?",
        "APP-001 APP-004",
        "APP-001 APP-003 APP-006 FED-001 FED-002 FED-003 FED-004 FED-006 FED-007",
    ),
    ("/federatedIdentityCredentials null", "FED-003 FED-004", "FED-001 FED-002 FED-003 FED-004"),
    ("/servicePrincipals?$count=", "APP-002 APP-008 NHI-012", "APP-002 APP-003 APP-008 FED-006 NHI-012"),
    // the one application has no credential that could belong to its owner
    ("/owners?", "", ""),
    ("/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')", "NHI-012", ""),
    ("/v1.0/roleManagement/directory/roleDefinitions", "NHI-012", ""),
    ("/v1.0/roleManagement/directory/roleAssignments null", "NHI-012", ""),
    // schedules say how a role came to be held; that it is, the plain list says
    ("/v1.0/roleManagement/directory/roleAssignmentScheduleInstances", "", ""),
    ("/v1.0/roleManagement/directory/roleEligibilityScheduleInstances", "", ""),
    ("/v1.0/identity/conditionalAccess/", "", ""),
    ("/v1.0/policies/identitySecurityDefaultsEnforcementPolicy", "", ""),
    ("/v1.0/policies/defaultAppManagementPolicy", "APP-004", "APP-004"),
    ("/v1.0/policies/appManagementPolicies", "", "APP-004"),
    ("/v1.0/directory/deletedItems/", "", ""),
    ("/privilegedAccess/group/assignmentScheduleInstances?", "", ""),
    // who can become a member of the owners' group may grant
    ("/privilegedAccess/group/eligibilityScheduleInstances?", "RBAC-010 RBAC-012", ""),
    // the callers are in the list of managed identities; that one who holds a role is a group its assignment says, and
    // the list of its members says who has access through it
    ("/directoryObjects/getByIds", "NHI-006 RBAC-001 RBAC-002 RBAC-005 RBAC-007 RBAC-011 PIM-001 PIM-002", ""),
    // the group is Owner of the subscription: whoever is in it can grant, and can activate reading
    ("/transitiveMembers?", "RBAC-005 RBAC-007 RBAC-009 RBAC-010 RBAC-011 RBAC-014 RBAC-012 PIM-001 PACK-002", ""),
    // each list is held against Resource Graph's
    ("where isIdentity", "NHI-001", ""),
    ("where type =~ 'microsoft.keyvault/vaults'", "KV-001", ""),
    ("authorizationresources", "", ""),
    ("question=vault_log_dedicated;", "EVT-002 EVT-003 EVT-004 EVT-005 RBAC-014 EVT-006", ""),
    ("question=vault_log_dedicated_count;", "EVT-001 EVT-002", ""),
    // the vault writes to the other table
    ("question=vault_log_legacy;", "", ""),
    ("question=vault_log_legacy_count;", "", ""),
    // no check rests on these alone yet
    ("question=vault_changes_dedicated;", "EVT-007", ""),
    ("question=vault_changes_dedicated_count;", "", ""),
    ("question=vault_changes_legacy;", "", ""),
    ("question=vault_changes_legacy_count;", "", ""),
    ("question=log_continuity;", "", ""), // asked of each table on its own
    // the first days of the period are in the exported table alone
    ("question=activity;", "LOG-008 KV-003", "FED-007 RBAC-013"),
    ("question=activity_count;", "LOG-008 KV-003", "FED-007 RBAC-013"),
    ("question=activity_continuity;", "LOG-008 KV-003", "RBAC-013"),
    ("question=directory_changes;", "", "FED-007 PIM-005 RBAC-013"),
    ("question=directory_changes_count;", "", "FED-007 PIM-005 RBAC-013"),
    ("question=service_principal_sign_ins;", "APP-008", "APP-008"),
    ("question=managed_identity_sign_ins;", "", ""),
    ("question=user_sign_ins;", "", ""),
    ("question=user_token_sign_ins;", "", ""),
    ("question=service_principal_sign_ins_count;", "APP-008", "APP-008"),
    ("question=managed_identity_sign_ins_count;", "", ""),
    ("question=user_sign_ins_count;", "", ""),
    ("question=user_token_sign_ins_count;", "", ""),
];

#[test]
fn no_pass_outlives_the_question_that_it_needed() {
    let clean = Tenant::open("clean");
    let mut met = BTreeSet::new();
    for answer in 0..clean.answers.len() {
        let (part, no_pass, not_whole) = needed(&clean, answer);
        met.insert(part);
        let judged = judge(clean.answering(answer, forbidden()).recording());
        let left: Vec<String> = judged
            .assessment
            .findings
            .iter()
            .filter(|finding| finding.outcome() == Outcome::Pass)
            .filter(|finding| no_pass.split_whitespace().chain(["PACK-001"]).any(|check| check == finding.check()))
            .map(|finding| format!("{} {}: {}", finding.check(), finding.subject().name, finding.because()))
            .collect();
        assert!(left.is_empty(), "without {}\n{left:#?}", clean.url(answer));
        for check in not_whole.split_whitespace() {
            assert!(is_open(&judged, check), "without {} {check} looks whole", clean.url(answer));
        }
    }
    assert_eq!(met.len(), NEEDED.len(), "every row of the table was used");
}

#[test]
fn a_denied_question_makes_nothing_look_better_and_accuses_nobody() {
    for name in ["clean", "mixed", "idsentinel"] {
        let tenant = Tenant::open(name);
        let whole = judge(tenant.recording());
        for answer in 0..tenant.answers.len() {
            let lacking = judge(tenant.answering(answer, forbidden()).recording());
            compare(&whole, &lacking, &format!("{name} without {}", tenant.url(answer)));
        }
    }
}

#[test]
fn other_ways_to_have_no_answer_end_the_same_way() {
    let mixed = Tenant::open("mixed");
    let whole = judge(mixed.recording());
    let chosen = ["/vaults?", "/roleAssignments?", "/servicePrincipals?", "/getByIds", "_dedicated;", "_legacy_count;"];
    let first = |part: &str| (0..mixed.answers.len()).find(|answer| asked(&mixed, *answer).contains(part));
    for answer in chosen.into_iter().map(|part| first(part).expect("such a question")) {
        let body = mixed.answers[answer]["response"]["body"].clone();
        let mut cut = body.clone();
        cut["nextLink"] = json!(format!("{}&$skiptoken=nowhere", mixed.url(answer)));
        let other_host = json!("https://evil.example/next");
        let mut led_away = body.clone();
        led_away["nextLink"] = other_host.clone();
        led_away["@odata.nextLink"] = other_host;
        let mut unlike = body;
        unlike["value"] = json!({"0": "not a list"});
        unlike["tables"] = json!("not a list");
        let ways: &[(&str, Value)] = &[
            (
                "throttled for ever",
                json!({"status": 429, "headers": {"retry-after": "1"}, "body": {"error": {"code": "TooManyRequests"}}}),
            ),
            ("failing for ever", json!({"status": 503, "text": "<html>Service Unavailable</html>"})),
            ("a page in HTML", json!({"status": 200, "text": "<html><body>Sign in</body></html>"})),
            ("nothing at all", json!({"status": 200, "text": ""})),
            ("half a body", json!({"status": 200, "text": "{\"value\": [{\"id\": \"/sub"})),
            ("an empty object", json!({"status": 200, "body": {}})),
            ("an error beside 200", json!({"status": 200, "body": {"error": {"code": "PartialError"}}})),
            ("another shape", json!({"status": 200, "body": unlike})),
            ("no content", json!({"status": 204})),
            ("a redirect", json!({"status": 302, "headers": {"location": "https://evil.example/"}})),
            ("a cut list", json!({"status": 200, "body": cut})),
            ("a link to another host", json!({"status": 200, "body": led_away})),
        ];
        for (way, response) in ways {
            let is_about_pages = ["a cut list", "a link to another host"].contains(way);
            if is_about_pages && mixed.url(answer).ends_with("/query") {
                continue; // log answers have no pages
            }
            let lacking = judge(mixed.answering(answer, response.clone()).recording());
            let what = format!("mixed with {way} for {}", asked(&mixed, answer));
            if mixed.answers[answer]["response"]["status"] == 200 {
                assert!(is_open(&lacking, "PACK-001"), "{what} is no gap");
            }
            compare(&whole, &lacking, &what);
        }
    }
}

/// URL and the words that tell one query from another.
fn asked(tenant: &Tenant, answer: usize) -> String {
    format!("{} {}", tenant.url(answer), tenant.answers[answer]["request"]["bodyHas"])
}

fn needed(tenant: &Tenant, answer: usize) -> (&'static str, &'static str, &'static str) {
    let asked = asked(tenant, answer);
    let rows: Vec<_> = NEEDED.iter().filter(|(part, ..)| asked.contains(part)).collect();
    assert!(!rows.is_empty(), "the table has no row for {asked}");
    // `/subscriptions?` and `/vaults?` end a path; nothing else matches twice
    assert_eq!(rows.len(), 1, "{asked}: {rows:?}");
    *rows[0]
}

fn is_open(judged: &Judged, check: &str) -> bool {
    let findings = judged.assessment.findings.iter();
    findings.filter(|finding| finding.check() == check).any(|finding| finding.outcome() == Outcome::NotEvaluated)
}

/// Check and subject → outcomes. Azure writes one id in several ways, and which of them is shown may change.
fn outcomes<F: Borrow<Finding>>(findings: &[F]) -> BTreeMap<(&str, String), BTreeSet<Outcome>> {
    let mut outcomes: BTreeMap<(&str, String), BTreeSet<Outcome>> = BTreeMap::new();
    for finding in findings.iter().map(Borrow::borrow) {
        let subject = finding.subject().id.to_lowercase();
        outcomes.entry((finding.check(), subject)).or_default().insert(finding.outcome());
    }
    outcomes
}

/// What findings say, beyond "not evaluated", that those from more evidence do not, and what is gone without a word.
pub fn claims_of_ignorance<F: Borrow<Finding>>(whole: &[F], lacking: &[F]) -> Vec<String> {
    let mut claims = Vec::new();
    let is_open = |check: &str| {
        lacking
            .iter()
            .map(Borrow::borrow)
            .any(|finding| finding.check() == check && finding.outcome() == Outcome::NotEvaluated)
    };
    let (before, after) = (outcomes(whole), outcomes(lacking));
    for ((check, subject), were) in &before {
        match after.get(&(*check, subject.clone())) {
            Some(are) => {
                for is in are.difference(were).filter(|is| **is != Outcome::NotEvaluated) {
                    claims.push(format!("{check} of {subject} was {were:?} and is {is:?}"));
                }
                let lost_fail = were.contains(&Outcome::Fail) && !are.contains(&Outcome::Fail);
                if lost_fail && !are.contains(&Outcome::NotEvaluated) {
                    claims.push(format!("{check} of {subject} is {are:?}"));
                }
            }
            None if !is_open(check) => claims.push(format!("{check} of {subject} is gone without a word")),
            None => {}
        }
    }
    for ((check, subject), are) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
        if are.iter().any(|is| *is != Outcome::NotEvaluated) {
            claims.push(format!("{check} of {subject} is new and {are:?}"));
        }
    }
    claims
}

fn compare(whole: &Judged, lacking: &Judged, what: &str) {
    let claims = claims_of_ignorance(&whole.assessment.findings, &lacking.assessment.findings);
    assert!(claims.is_empty(), "{what}: {claims:#?}");
    for (was, is) in whole.assessment.controls.iter().zip(&lacking.assessment.controls) {
        let is_same = was.conclusion == is.conclusion;
        assert!(
            is_same || is.conclusion == Conclusion::NotEvaluated,
            "{what}: {} was {:?} and is {:?}",
            was.control.id,
            was.conclusion,
            is.conclusion
        );
    }
}
