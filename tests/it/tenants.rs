//! What the READMEs of the recorded tenants say "by hand", held against `results.json`: every finding of every check
//! and the conclusion of every control.

use std::collections::BTreeSet;

use serde_json::Value;

use super::harness::{Bench, findings};
use super::replay::{Tenant, judge};

const ALL: &str = "APP-001 APP-002 APP-003 APP-004 APP-006 APP-007 APP-008 CRY-001 EVT-001 EVT-002 EVT-003 EVT-004 EVT-005 EVT-006 EVT-007 FED-001 FED-002 FED-003 FED-004 FED-005 FED-006 FED-007 KV-001 KV-002 KV-003 KV-004 KV-005 KV-006 KV-007 KV-008 KV-009 KV-010 KV-011 KV-012 LOG-001 LOG-002 LOG-003 LOG-004 LOG-005 LOG-006 LOG-008 LOG-009 NHI-001 NHI-002 NHI-003 NHI-004 NHI-005 NHI-006 NHI-007 NHI-008 NHI-009 NHI-011 NHI-012 PACK-001 PACK-002 PACK-003 PIM-001 PIM-002 PIM-004 PIM-005 PRB-001 PRB-002 PRB-003 PRB-004 RBAC-001 RBAC-002 RBAC-003 RBAC-004 RBAC-005 RBAC-006 RBAC-007 RBAC-008 RBAC-009 RBAC-010 RBAC-011 RBAC-012 RBAC-013 RBAC-014 RBAC-015";

fn results(tenant: &str, code: i32) -> Value {
    let bench = Bench::new();
    let ran = bench.demo(tenant);
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    bench.results()
}

/// Lines `CHECK-ID[,CHECK-ID…] | subject[; subject…] | outcome`, which together are all findings of the tenant.
fn agree(results: &Value, expected: &str) {
    let mut told: BTreeSet<(String, String, String)> = BTreeSet::new();
    for line in expected.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [checks, subjects, outcome] = parts[..] else { panic!("{line}") };
        for check in checks.split(',') {
            for subject in subjects.split("; ") {
                let is_new = told.insert((check.trim().to_owned(), subject.to_owned(), outcome.to_owned()));
                assert!(is_new, "{line} is there twice");
            }
        }
    }
    let found: BTreeSet<(String, String, String)> = ALL
        .split_whitespace()
        .flat_map(|check| findings(results, check).into_iter().map(|(name, outcome)| (check.to_owned(), name, outcome)))
        .collect();
    let wrong: Vec<_> = found.difference(&told).map(|line| format!("found, not expected: {line:?}")).collect();
    let missing: Vec<_> = told.difference(&found).map(|line| format!("expected, not found: {line:?}")).collect();
    assert!(wrong.is_empty() && missing.is_empty(), "{wrong:#?}\n{missing:#?}");
}

/// `TM-01 conclusion` lines: all controls of the tenant.
fn conclude(results: &Value, expected: &str) {
    let found: Vec<String> = results["controls"]
        .as_array()
        .expect("controls")
        .iter()
        .map(|control| format!("{} {}", control["id"], control["conclusion"]).replace('"', ""))
        .collect();
    let expected: Vec<&str> = expected.split(", ").map(str::trim).collect();
    assert_eq!(found, expected);
}

/// The sentence of the one finding with this check and subject.
fn because<'a>(results: &'a Value, check: &str, subject: &str) -> &'a str {
    let all = results["findings"].as_array().expect("findings");
    let mut found = all.iter().filter(|one| one["check"] == check && one["subject"]["name"] == subject);
    let finding = found.next().unwrap_or_else(|| panic!("no {check} of {subject}"));
    assert!(found.next().is_none(), "{check} of {subject} is there twice");
    finding["because"].as_str().expect("a sentence")
}

fn assert_says(results: &Value, check: &str, subject: &str, words: &[&str]) {
    let sentence = because(results, check, subject);
    for word in words {
        assert!(sentence.contains(word), "`{word}` is not in: {sentence}");
    }
}

#[test]
fn mixed() {
    let results = results("mixed", 1);
    agree(
        &results,
        "
        FED-001 | github-release; id-github-deploy; sp-landing-zone | manual
        FED-002 | github-release ← release-any; github-release ← release-main; github-release ← release-pr | manual
        FED-002 | id-github-deploy ← github-production; sp-landing-zone ← devops-landing | manual
        APP-001 | partner-portal; sp-nightly-report | fail
        APP-001 | github-release; sp-landing-zone | pass
        APP-002 | legacy-batch | fail
        APP-002 | HR suite; Quayside Scanner; github-release; partner-portal; sp-landing-zone | pass
        APP-002 | sp-nightly-report | pass
        APP-003 | legacy-batch; partner-portal; sp-nightly-report | fail
        APP-003 | sp-landing-zone | pass
        APP-004 | Default app management tenant policy; Old integrations | fail
        APP-006, APP-008 | sp-nightly-report | fail
        APP-006 | sp-landing-zone | manual
        APP-006 | partner-portal | not_evaluated
        APP-007 | app-portal; app-portal/staging; ca-quotes | fail
        APP-007 | func-quotes | manual
        APP-008 | HR suite; Quayside Scanner; github-release; legacy-batch; partner-portal | not_evaluated
        APP-008 | sp-landing-zone | not_evaluated
        CRY-001 | kv-track-legacy/partner-ftp; kv-track-prod/Carrier-Api; kv-track-prod/report-smtp | fail
        CRY-001 | kv-shared/portal-oauth; kv-shared/portal-session; kv-track-prod/tracking-db | pass
        FED-003 | github-release ← release-pr | fail
        FED-003 | github-release ← release-main | manual
        FED-003 | github-release ← release-any | not_evaluated
        FED-003 | id-github-deploy ← github-production; sp-landing-zone ← devops-landing | pass
        FED-004 | github-release ← release-any; github-release ← release-main; github-release ← release-pr | pass
        FED-004 | id-github-deploy ← github-production; sp-landing-zone ← devops-landing | pass
        FED-005 | aks-lab | fail
        FED-005 | aks-platform | pass
        FED-006 | Harbour support | fail
        FED-006 | Harbour backup | pass
        FED-007 | 28fff899-a78f-4594-a7aa-2982962bc545 at 2026-08-20T14:05:00Z | manual
        FED-007 | id-github-deploy/federatedIdentityCredentials/github-production at 2026-08-03T10:02:57Z | manual
        FED-007 | id-github-deploy/federatedIdentityCredentials/github-production at 2026-09-15T09:00:02Z | manual
        FED-007 | the directory's audit log | not_evaluated
        FED-007 | the activity log of Shipment tracking production | pass
        NHI-011 | app-portal; caj-evidence; id-github-deploy | not_evaluated
        NHI-011 | sp-landing-zone; sp-nightly-report; vm-track-01 | pass
        NHI-012 | id-github-deploy; sp-landing-zone | fail
        NHI-012 | HR suite; Quayside Scanner; app-portal; caj-evidence; github-release; id-old-batch | pass
        NHI-012 | id-track-app; legacy-batch; partner-portal; sp-nightly-report; vm-track-01 | pass
        NHI-001 | vm-track-01; app-portal; caj-evidence; id-track-app; id-old-batch; id-github-deploy | pass
        NHI-002 | vm-legacy-ftp | fail
        NHI-002 | vm-track-01; vm-track-02; app-portal; caj-evidence | pass
        NHI-003 | id-track-app; id-old-batch | manual
        NHI-003 | id-github-deploy | pass
        NHI-004 | id-old-batch | fail
        NHI-004 | id-track-app; id-github-deploy | pass
        NHI-005 | id-track-app | manual
        NHI-005 | id-old-batch; id-github-deploy | not_applicable
        NHI-006 | 5f5a8638-9b66-4cb6-9f95-7910fc972c6c | fail
        NHI-006 | grp-platform-owners; vm-track-01; caj-evidence; id-github-deploy; sp-landing-zone | pass
        NHI-006 | grp-vault-readers; app-portal | pass
        KV-001 | kv-track-prod; kv-track-legacy; kv-shared | pass
        KV-002 | kv-track-legacy | fail
        KV-002 | kv-track-prod; kv-shared | pass
        KV-004 | kv-track-prod | fail
        KV-004 | kv-shared | pass
        KV-004 | kv-track-legacy | not_applicable
        KV-005 | kv-track-legacy | fail
        KV-005 | kv-track-prod; kv-shared | not_applicable
        KV-006, KV-007 | kv-track-legacy | fail
        KV-006 | kv-track-prod; kv-shared | pass
        KV-007 | kv-track-prod | manual
        KV-007 | kv-shared | pass
        RBAC-001 | kv-track-prod ← vm-track-01 | fail
        RBAC-001 | kv-track-prod ← sp-nightly-report; kv-shared ← app-portal | pass
        RBAC-002 | kv-track-prod ← sp-nightly-report | fail
        RBAC-002 | kv-track-prod ← vm-track-01; kv-shared ← app-portal | pass
        RBAC-005 | sp-landing-zone | fail
        RBAC-005 | vm-track-01; app-portal; caj-evidence; id-track-app; id-old-batch; id-github-deploy; sp-nightly-report | pass
        RBAC-007 | id-github-deploy | fail
        RBAC-007 | vm-track-01; app-portal; caj-evidence; id-track-app; id-old-batch; sp-nightly-report; sp-landing-zone | pass
        KV-009, RBAC-004 | kv-track-prod; kv-track-legacy; kv-shared | manual
        KV-010, RBAC-003 | kv-track-prod; kv-track-legacy; kv-shared | manual
        NHI-007 | vm-track-01 | manual
        NHI-008 | id-track-app; id-old-batch; id-github-deploy | manual
        NHI-009 | vmss-track-edge; vm-track-01; vm-track-02; ca-quotes; caj-evidence; aks-platform; adf-shared; app-portal | manual
        RBAC-006 | kv-track-prod; kv-track-legacy; kv-shared | not_applicable
        RBAC-008 | Vault support | fail
        RBAC-009 | kv-track-prod; kv-track-legacy | fail
        RBAC-009 | kv-shared | pass
        RBAC-010 | kv-track-legacy | fail
        RBAC-010 | kv-track-prod; kv-shared | pass
        RBAC-011 | kv-track-prod; kv-shared | pass
        RBAC-014 | kv-track-prod | fail
        RBAC-014 | kv-track-legacy | pass
        RBAC-014 | kv-shared | not_evaluated
        RBAC-015 | Deletion of vaults is logged | pass
        RBAC-015 | Managed application | not_evaluated
        LOG-001 | kv-shared | fail
        LOG-001 | kv-track-prod; kv-track-legacy | pass
        LOG-002 | kv-track-prod; kv-track-legacy | pass
        LOG-002 | kv-shared | not_applicable
        LOG-003 | law-shared/AzureDiagnostics | fail
        LOG-003 | law-track-prod/AZKVAuditLogs | pass
        EVT-001 | kv-track-legacy | fail
        EVT-001, EVT-002, EVT-005 | kv-track-prod | pass
        EVT-001, EVT-002, EVT-003, EVT-004, EVT-005 | kv-shared | not_evaluated
        EVT-002, EVT-004, EVT-005 | kv-track-legacy | not_evaluated
        EVT-003 | kv-track-prod ← vm-track-01; kv-track-prod ← sp-nightly-report | pass
        EVT-003 | kv-track-legacy ← d3efabe5-820e-41ed-a2e9-8ab0595a6695; kv-track-legacy ← Alice Berg | fail
        EVT-003 | kv-track-legacy ← id-track-app | not_evaluated
        EVT-004 | kv-track-legacy ← d3efabe5-820e-41ed-a2e9-8ab0595a6695 | fail
        EVT-004 | kv-track-prod ← id-track-app; kv-track-prod ← Bo Lindqvist; kv-track-prod ← Alice Berg | manual
        EVT-006 | kv-track-legacy ← Alice Berg | fail
        EVT-006, EVT-007, KV-003 | kv-track-prod | pass
        EVT-006, KV-003 | kv-shared | not_evaluated
        EVT-007 | kv-track-legacy; kv-shared | not_evaluated
        KV-003 | kv-track-legacy | not_applicable
        KV-008 | kv-track-legacy; kv-shared | pass
        KV-008 | kv-track-prod | manual
        KV-011 | kv-track-legacy; kv-track-prod; kv-shared | pass
        KV-012, LOG-006, LOG-008 | Shipment tracking production | pass
        KV-012, LOG-006 | Shared platform | fail
        LOG-004 | sttrackarchive | fail
        LOG-005 | AuditLogs; SignInLogs | pass
        LOG-005 | ManagedIdentitySignInLogs; ServicePrincipalSignInLogs | fail
        LOG-008 | kv-track-legacy/to-shared; AzureDiagnostics | fail
        LOG-008 | kv-track-legacy/to-shared | manual
        LOG-008 | Shared platform | not_evaluated
        LOG-009 | Shipment tracking production; Shared platform | fail
        PRB-001 | kv-track-legacy ← kv-track-legacy-20260811.091502.toml | not_evaluated
        PRB-002, PRB-003 | kv-track-legacy ← kv-track-legacy-20260811.091502.toml | pass
        PRB-004 | kv-track-legacy ← kv-track-legacy-20260811.091502.toml | fail
        PACK-002 | caj-evidence | pass
        PACK-003 | the chain of packs | not_applicable
        PIM-001 | Shipment tracking production ← grp-platform-owners (Owner); Shared platform ← grp-platform-owners (Owner) | fail
        PIM-002 | Shipment tracking production; Shared platform | pass
        PIM-004 | Reader at mg-brightwater (Dana Okafor) | not_evaluated
        PIM-004 | Key Vault Secrets Officer at kv-track-prod (Bo Lindqvist) | pass
        PIM-004 | Contributor at rg-track-prod (grp-integration) | fail
        PIM-005 | Bo Lindqvist at 2026-07-14T09:02:11Z (Key Vault Secrets Officer) | pass
        PIM-005 | Bo Lindqvist at 2026-08-20T16:40:52Z (Key Vault Secrets Officer) | fail
        PIM-005 | activations of the period | not_evaluated
        RBAC-012 | kv-track-legacy; kv-track-prod | fail
        RBAC-012 | kv-shared | pass
        RBAC-013 | grants and removals of the period; taken at 2026-07-25T08:12:12Z: d3efabe5-820e-41ed-a2e9-8ab0595a6695; given at 2026-08-05T06:30:02Z: sp-nightly-report; taken at 2026-08-06T06:30:02Z: somebody whom the log does not name; taken at 2026-07-20T09:15:14Z: Bo Lindqvist | manual
        RBAC-013 | Shared platform; the tenant's root | not_evaluated
        PACK-001 | the collection | pass
        PACK-001 | the part of the period that is out of reach | not_evaluated
        ",
    );
    conclude(
        &results,
        "TM-01 exceptions, TM-02 exceptions, TM-03 exceptions, TM-04 exceptions, TM-05 exceptions, TM-06 exceptions, \
         TM-07 exceptions, TM-08 exceptions, TM-09 exceptions, TM-10 exceptions, TM-11 not_evaluated, TM-12 exceptions, TM-13 exceptions, TM-14 exceptions, TM-15 exceptions, TM-16 exceptions, TM-17 not_evaluated, TM-18 exceptions, TM-19 exceptions, TM-20 exceptions, TM-21 exceptions, TM-22 awaits_person, TM-23 awaits_person, TM-24 not_applicable, TM-25 exceptions, TM-26 not_applicable",
    );
    assert_says(&results, "NHI-004", "id-old-batch", &["213 days"]);
    assert_says(&results, "KV-005", "kv-track-legacy", &["id-track-app", "set", "delete", "purge"]);
    assert_says(&results, "KV-007", "kv-track-prod", &["203.0.113.0/24"]);
    assert_says(&results, "RBAC-002", "kv-track-prod ← sp-nightly-report", &["mg-brightwater", "grp-vault-readers"]);
    assert_says(&results, "LOG-003", "law-shared/AzureDiagnostics", &["90 days"]);
    assert_says(&results, "EVT-001", "kv-track-prod", &["92 of 92 days"]);
    assert_says(&results, "EVT-002", "kv-track-prod", &["36 rows"]);
    assert_says(&results, "EVT-002", "kv-track-legacy", &["90 days"]);
    assert_says(&results, "EVT-003", "kv-track-prod ← vm-track-01", &["13 reads"]);
    assert_says(
        &results,
        "EVT-003",
        "kv-track-legacy ← d3efabe5-820e-41ed-a2e9-8ab0595a6695",
        &["1 read", "2026-07-09"],
    );
    assert_says(&results, "EVT-003", "kv-track-legacy ← Alice Berg", &["2 reads", "2026-08-05", "2026-09-16", "human"]);
    let probe = "kv-track-legacy ← kv-track-legacy-20260811.091502.toml";
    assert_says(&results, "PRB-004", probe, &["no row of what the record tells", "2026-08-11T09:15:02Z"]);
    let stranger = "kv-track-legacy ← d3efabe5-820e-41ed-a2e9-8ab0595a6695";
    assert_says(&results, "EVT-004", stranger, &["4 denied", "2026-07-21", "2026-07-24", "access policy"]);
    assert_says(&results, "EVT-004", "kv-track-prod ← Alice Berg", &["network"]);
    assert_says(
        &results,
        "RBAC-011",
        "kv-track-prod",
        &["`caj-evidence` (holds Reader)", "`id-github-deploy` (holds Contributor"],
    );
}

#[test]
fn denied() {
    let results = results("denied", 1);
    // each list of "Shared platform" that a check starts from is one line of its own
    let unread = "/subscriptions/ed93a94d-c4ca-4c8a-b9ab-24148f502c6f";
    let broken = "/subscriptions/e177c59b-bf4c-46ad-a223-8df6f0feecdc";
    agree(
        &results,
        &"
        FED-001 | github-release; id-github-deploy; sp-landing-zone | manual
        FED-001 | UNREAD; application:3eece815-f21d-41f7-93c1-fe503afe5efd; directory | not_evaluated
        FED-002 | id-github-deploy ← github-production; sp-landing-zone ← devops-landing | manual
        FED-002 | UNREAD; application:3eece815-f21d-41f7-93c1-fe503afe5efd | not_evaluated
        APP-001, APP-003 | partner-portal; sp-nightly-report | fail
        APP-001 | github-release; sp-landing-zone | pass
        APP-002, APP-003, NHI-012 | directory | not_evaluated
        APP-002 | github-release; partner-portal; sp-landing-zone; sp-nightly-report | pass
        APP-003 | sp-landing-zone | pass
        APP-004 | Old integrations; directory | not_evaluated
        APP-006 | sp-nightly-report | fail
        APP-006 | partner-portal; sp-landing-zone | not_evaluated
        APP-007, FED-005 | UNREAD | not_evaluated
        APP-008 | directory; github-release; partner-portal; sp-landing-zone; sp-nightly-report | not_evaluated
        CRY-001 | /subscriptions/e177c59b-bf4c-46ad-a223-8df6f0feecdc/resourceGroups/rg-track-prod/providers/Microsoft.KeyVault/vaults/kv-track-legacy | not_evaluated
        CRY-001 | /subscriptions/e177c59b-bf4c-46ad-a223-8df6f0feecdc/resourceGroups/rg-track-prod/providers/Microsoft.KeyVault/vaults/kv-track-prod | not_evaluated
        CRY-001 | UNREAD | not_evaluated
        CRY-001 | kv-track-prod/tracking-db | pass
        FED-003, FED-004 | UNREAD; application:3eece815-f21d-41f7-93c1-fe503afe5efd | not_evaluated
        FED-003, FED-004 | id-github-deploy ← github-production; sp-landing-zone ← devops-landing | pass
        FED-006 | BROKEN; UNREAD; directory; partner-portal | not_evaluated
        FED-007 | id-github-deploy/federatedIdentityCredentials/github-production at 2026-09-15T09:00:02Z | manual
        FED-007 | UNREAD; the activity log of Shipment tracking production; the directory's audit log | not_evaluated
        NHI-011 | BROKEN; UNREAD; caj-evidence; id-github-deploy; sp-nightly-report; vm-track-01 | not_evaluated
        NHI-012 | id-github-deploy; sp-landing-zone | fail
        NHI-012 | app-portal; caj-evidence; github-release; id-old-batch; id-track-app; partner-portal | pass
        NHI-012 | sp-nightly-report; vm-track-01 | pass
        NHI-001 | UNREAD; vm-track-01; app-portal; caj-evidence; id-track-app; id-old-batch; id-github-deploy | not_evaluated
        NHI-002 | UNREAD | not_evaluated
        NHI-002 | vm-legacy-ftp | fail
        NHI-002 | vm-track-01; vm-track-02 | pass
        NHI-003, NHI-004, NHI-005 | UNREAD; id-track-app; id-old-batch; id-github-deploy | not_evaluated
        NHI-006 | UNREAD; BROKEN | not_evaluated
        NHI-006 | grp-platform-owners; vm-track-01; caj-evidence; id-github-deploy; grp-vault-readers | pass
        KV-001, KV-002, KV-004, KV-005, KV-006, KV-007 | UNREAD | not_evaluated
        KV-001 | kv-track-prod; kv-track-legacy | pass
        KV-002, KV-006 | kv-track-prod | pass
        KV-002, KV-005, KV-006, KV-007 | kv-track-legacy | fail
        KV-004 | kv-track-prod | fail
        KV-004 | kv-track-legacy | not_applicable
        KV-005 | kv-track-prod | not_applicable
        KV-007 | kv-track-prod | manual
        RBAC-001, RBAC-002, RBAC-011 | UNREAD | not_evaluated
        KV-009, KV-010, RBAC-003, RBAC-004, RBAC-006, NHI-007, NHI-008, NHI-009 | UNREAD | not_evaluated
        KV-010, RBAC-003, RBAC-004, RBAC-006, KV-009 | kv-track-prod; kv-track-legacy | not_evaluated
        NHI-008 | id-track-app; id-old-batch; id-github-deploy | not_evaluated
        NHI-007 | vm-track-01 | not_evaluated
        NHI-009 | vmss-track-edge; vm-track-01; vm-track-02 | not_evaluated
        RBAC-008, RBAC-009, RBAC-010, RBAC-014, RBAC-015 | UNREAD | not_evaluated
        RBAC-009 | kv-track-legacy | fail
        RBAC-009 | kv-track-prod | not_evaluated
        RBAC-010, RBAC-014 | kv-track-prod; kv-track-legacy | not_evaluated
        RBAC-015 | /providers/Microsoft.Management/managementGroups/18d5f02b-8e83-48c5-a19c-a7b2a0b2c032; BROKEN | not_evaluated
        RBAC-001, RBAC-002 | kv-track-prod ← vm-track-01; kv-track-prod ← sp-nightly-report | not_evaluated
        RBAC-005 | vm-track-01; app-portal; caj-evidence; id-track-app; id-old-batch; id-github-deploy | not_evaluated
        RBAC-005 | sp-nightly-report; sp-landing-zone | not_evaluated
        RBAC-007 | id-github-deploy | fail
        RBAC-007 | vm-track-01; app-portal; caj-evidence; id-track-app; id-old-batch | not_evaluated
        RBAC-007 | sp-nightly-report; sp-landing-zone | not_evaluated
        RBAC-011 | kv-track-prod | not_evaluated
        LOG-001, LOG-002 | UNREAD | not_evaluated
        LOG-001 | kv-track-prod; kv-track-legacy | pass
        LOG-002 | kv-track-prod | pass
        LOG-002 | kv-track-legacy | not_evaluated
        LOG-003 | UNREAD; law-track-prod/AZKVAuditLogs; law-shared/AzureDiagnostics | not_evaluated
        EVT-001, EVT-002, EVT-003, EVT-004, EVT-005 | UNREAD; kv-track-prod; kv-track-legacy | not_evaluated
        EVT-006, EVT-007, KV-003 | UNREAD; kv-track-legacy; kv-track-prod | not_evaluated
        KV-008, KV-011 | UNREAD | not_evaluated
        KV-008 | kv-track-legacy | pass
        KV-008 | kv-track-prod | manual
        KV-011 | kv-track-legacy; kv-track-prod | pass
        KV-012, LOG-009 | UNREAD; Shipment tracking production | not_evaluated
        LOG-004 | ROOT; UNREAD; tenant; sttrackarchive | not_evaluated
        LOG-005 | AuditLogs; ManagedIdentitySignInLogs; ServicePrincipalSignInLogs; SignInLogs | not_evaluated
        LOG-006 | Shipment tracking production | pass
        LOG-006 | Shared platform | not_evaluated
        LOG-008 | kv-track-legacy/to-shared | fail
        LOG-008 | kv-track-legacy/to-shared | manual
        LOG-008 | Shipment tracking production; Shared platform | not_evaluated
        PRB-001, PRB-002, PRB-003, PRB-004 | a probe of the period | manual
        PRB-001, PRB-002, PRB-003, PRB-004 | UNREAD | not_evaluated
        PACK-002 | caj-evidence | not_evaluated
        PACK-003 | the chain of packs | not_applicable
        PIM-001 | Shipment tracking production ← grp-platform-owners (Owner) | fail
        PIM-001 | BROKEN; UNREAD; Shared platform | not_evaluated
        PIM-002 | BROKEN; UNREAD; Shipment tracking production; Shared platform | not_evaluated
        PIM-004, PIM-005 | ROOT; UNREAD | not_evaluated
        RBAC-012 | BROKEN; UNREAD; kv-track-legacy; kv-track-prod | not_evaluated
        RBAC-013 | grants and removals of the period; ROOT; BROKEN; Shipment tracking production; UNREAD; Shared platform; the tenant's root | not_evaluated
        PACK-001 | the collection | not_evaluated
        PACK-001 | the part of the period that is out of reach | not_evaluated
        "
        .replace("UNREAD", unread)
        .replace("BROKEN", broken)
        .replace("ROOT", "/providers/Microsoft.Management/managementGroups/18d5f02b-8e83-48c5-a19c-a7b2a0b2c032"),
    );
    conclude(
        &results,
        "TM-01 not_evaluated, TM-02 exceptions, TM-03 exceptions, TM-04 not_evaluated, TM-05 exceptions, \
         TM-06 exceptions, TM-07 not_evaluated, TM-08 not_evaluated, TM-09 not_evaluated, TM-10 exceptions, \
         TM-11 not_evaluated, TM-12 exceptions, TM-13 not_evaluated, TM-14 exceptions, TM-15 not_evaluated, TM-16 exceptions, TM-17 not_evaluated, TM-18 exceptions, TM-19 not_evaluated, TM-20 exceptions, TM-21 not_evaluated, TM-22 not_evaluated, TM-23 not_evaluated, TM-24 not_applicable, TM-25 not_evaluated, TM-26 not_applicable",
    );
    let reasons = |check: &str, subject: &str| -> BTreeSet<String> {
        let all = results["findings"].as_array().expect("findings");
        let of = all.iter().filter(|one| one["check"] == check && one["subject"]["name"] == subject);
        of.map(|one| one["reason"].as_str().expect("a reason").to_owned()).collect()
    };
    let only = |reason: &str| BTreeSet::from([reason.to_owned()]);
    assert_eq!(reasons("EVT-002", "kv-track-prod"), only("table_missing"));
    assert_eq!(reasons("EVT-002", "kv-track-legacy"), only("forbidden"));
    assert_eq!(reasons("RBAC-005", "sp-landing-zone"), only("cut_short"));
    assert_eq!(reasons("KV-002", unread), only("forbidden"));
}

#[test]
fn clean() {
    let results = results("clean", 0);
    agree(
        &results,
        "
        FED-001 | ledger-deploy | pass
        FED-002 | ledger-deploy ← github-production | pass
        APP-001, APP-002, APP-008 | ledger-deploy | pass
        APP-003, APP-006, FED-005, FED-006 | 878bded4-26b8-4144-b980-f5c9be4eb9e1 | not_applicable
        APP-004 | Default app management tenant policy | pass
        APP-007 | func-statements | manual
        CRY-001 | kv-ledger-prod/ledger-db; kv-ledger-prod/smtp-relay | pass
        FED-003, FED-004 | ledger-deploy ← github-production | pass
        FED-007 | the activity log of Ledger production; the directory's audit log | pass
        NHI-011 | caj-evidence; id-ledger-statements; vm-ledger-01 | pass
        NHI-012 | caj-evidence; id-ledger-statements; ledger-deploy; vm-ledger-01 | pass
        NHI-001 | vm-ledger-01; id-ledger-statements; caj-evidence | pass
        NHI-002 | vm-ledger-01; func-statements; caj-evidence | pass
        NHI-003, NHI-004, NHI-005 | id-ledger-statements | pass
        NHI-006 | vm-ledger-01; id-ledger-statements; caj-evidence; Ledger subscription owners | pass
        KV-001, KV-002, KV-004, KV-006, KV-007 | kv-ledger-prod | pass
        KV-005 | kv-ledger-prod | not_applicable
        RBAC-001, RBAC-002 | kv-ledger-prod ← vm-ledger-01; kv-ledger-prod ← id-ledger-statements | pass
        RBAC-005, RBAC-007 | vm-ledger-01; id-ledger-statements; caj-evidence | pass
        KV-009, KV-010, RBAC-003 | kv-ledger-prod | pass
        RBAC-004 | kv-ledger-prod | manual
        NHI-007 | 878bded4-26b8-4144-b980-f5c9be4eb9e1 | not_applicable
        NHI-008 | id-ledger-statements | pass
        NHI-009 | vm-ledger-01; func-statements; caj-evidence | pass
        RBAC-006 | kv-ledger-prod | not_applicable
        RBAC-008, RBAC-015 | 878bded4-26b8-4144-b980-f5c9be4eb9e1 | not_applicable
        RBAC-009, RBAC-010, RBAC-014 | kv-ledger-prod | pass
        RBAC-011, LOG-001, LOG-002 | kv-ledger-prod | pass
        LOG-003 | law-ledger/AZKVAuditLogs | pass
        EVT-001, EVT-002, EVT-004, EVT-005 | kv-ledger-prod | pass
        EVT-003 | kv-ledger-prod ← vm-ledger-01; kv-ledger-prod ← id-ledger-statements | pass
        EVT-006, EVT-007, KV-003, KV-008, KV-011, RBAC-012 | kv-ledger-prod | pass
        KV-012, LOG-006, LOG-008, LOG-009, PIM-002 | Ledger production | pass
        LOG-004 | stledgerarchive | pass
        LOG-005 | AuditLogs; ManagedIdentitySignInLogs; ServicePrincipalSignInLogs; SignInLogs | pass
        PRB-001, PRB-002, PRB-003, PRB-004 | a probe of the period | manual
        PACK-002 | caj-evidence | pass
        PACK-003 | the chain of packs | not_applicable
        PIM-001 | Ledger production ← Ledger subscription owners (Owner) | pass
        PIM-004 | Key Vault Administrator at ef046ce3-0366-4fe0-b02a-52d3a0309665 (Ledger subscription owners) | pass
        PIM-005 | Ines Moreau at 2026-08-11T12:04:30Z (Key Vault Administrator) | pass
        RBAC-013 | grants and removals of the period | not_applicable
        PACK-001 | the collection | pass
        ",
    );
    conclude(
        &results,
        "TM-01 no_exceptions, TM-02 no_exceptions, TM-03 no_exceptions, TM-04 no_exceptions, TM-05 no_exceptions, \
         TM-06 no_exceptions, TM-07 no_exceptions, TM-08 no_exceptions, TM-09 no_exceptions, TM-10 no_exceptions, TM-11 no_exceptions, TM-12 awaits_person, TM-13 no_exceptions, TM-14 no_exceptions, TM-15 no_exceptions, TM-16 no_exceptions, TM-17 not_applicable, TM-18 no_exceptions, TM-19 no_exceptions, TM-20 no_exceptions, TM-21 not_applicable, TM-22 awaits_person, TM-23 no_exceptions, TM-24 not_applicable, TM-25 awaits_person, TM-26 no_exceptions",
    );
    assert_says(&results, "LOG-003", "law-ledger/AZKVAuditLogs", &["400 days"]);
    assert_says(&results, "EVT-001", "kv-ledger-prod", &["2576 rows", "92 of 92 days"]);
    assert_says(&results, "EVT-002", "kv-ledger-prod", &["368 rows", "184 SecretGet"]);
    assert_says(&results, "EVT-005", "kv-ledger-prod", &["184 followed", "0 not"]);
    assert_says(&results, "RBAC-011", "kv-ledger-prod", &["`caj-evidence` (holds Reader)"]);
}

#[test]
fn empty() {
    let results = results("empty", 1);
    let tenant = results["tenant"].as_str().expect("a tenant");
    // a subscription is there, and what is asked of every one is asked of it
    let own = "
        LOG-005 | AuditLogs; ManagedIdentitySignInLogs; ServicePrincipalSignInLogs; SignInLogs | fail
        LOG-006 | Unused | fail
        LOG-008 | Unused | not_evaluated
        PACK-002 | be1c279f-60a3-49d5-95d2-77abf0fd285d | pass
        PACK-003 | the chain of packs | not_applicable
        PIM-001, PIM-002 | Unused | pass
        PIM-005 | activations of the period | not_evaluated
        RBAC-013 | Unused; the tenant's root | not_evaluated
        APP-004 | Default app management tenant policy | pass
        PACK-001 | the collection | pass
        PACK-001 | the part of the period that is out of reach | not_evaluated
        ";
    let others: Vec<&str> = ALL.split_whitespace().filter(|check| !own.contains(*check)).collect();
    agree(&results, &format!("{} | {tenant} | not_applicable\n{own}", others.join(", ")));
    for finding in results["findings"].as_array().expect("findings") {
        assert!(!finding["evidence"].as_array().expect("evidence").is_empty(), "cites the empty lists: {finding}");
    }
    conclude(
        &results,
        "TM-01 not_applicable, TM-02 not_applicable, TM-03 not_applicable, TM-04 not_applicable, \
         TM-05 not_applicable, TM-06 not_applicable, TM-07 not_applicable, TM-08 not_applicable, \
         TM-09 not_applicable, TM-10 not_applicable, TM-11 not_evaluated, TM-12 no_exceptions, TM-13 not_applicable, TM-14 not_applicable, TM-15 not_applicable, TM-16 not_evaluated, TM-17 not_evaluated, TM-18 exceptions, TM-19 not_applicable, TM-20 not_applicable, TM-21 not_applicable, TM-22 not_applicable, TM-23 not_applicable, TM-24 not_applicable, TM-25 not_applicable, TM-26 not_applicable",
    );
}

#[test]
fn idsentinel() {
    let results = results("idsentinel", 1);
    agree(
        &results,
        "
        FED-001, FED-002 | 210d4b58-1c5d-4c50-924b-007f113f4a57 | not_applicable
        APP-001, APP-002 | IDSentinel customer sign-in | pass
        APP-003, APP-006, APP-007, FED-003, FED-004, FED-005, FED-006 | 210d4b58-1c5d-4c50-924b-007f113f4a57 | not_applicable
        APP-004 | Default app management tenant policy | fail
        APP-008 | IDSentinel customer sign-in | not_evaluated
        CRY-001 | kv-idsentinel-azureuser/nhi-test-secret | fail
        FED-007 | the activity log of IDSentinel Azure subscription; the directory's audit log | not_evaluated
        NHI-011 | IDS-NHI-VM; caj-evidence | pass
        NHI-012 | IDS-NHI-VM; IDSentinel customer sign-in; caj-evidence; id-idsentinel-shared | pass
        NHI-001 | IDS-NHI-VM; id-idsentinel-shared; caj-evidence | pass
        NHI-002 | IDS-NHI-VM; caj-evidence | pass
        NHI-003 | id-idsentinel-shared | manual
        NHI-004 | id-idsentinel-shared | pass
        NHI-006 | IDS-NHI-VM; caj-evidence; IDSentinel Platform Administrators | pass
        KV-001, KV-002, KV-004 | kv-idsentinel-azureuser | pass
        KV-005 | kv-idsentinel-azureuser | not_applicable
        KV-006, KV-007 | kv-idsentinel-azureuser | fail
        RBAC-001, RBAC-002 | kv-idsentinel-azureuser ← IDS-NHI-VM | pass
        RBAC-005, RBAC-007 | IDS-NHI-VM; id-idsentinel-shared; caj-evidence | pass
        NHI-005 | id-idsentinel-shared | pass
        KV-009, KV-010, RBAC-003, RBAC-004 | kv-idsentinel-azureuser | manual
        NHI-007 | IDS-NHI-VM | manual
        NHI-008 | id-idsentinel-shared | manual
        NHI-009 | IDS-NHI-VM; caj-evidence | manual
        RBAC-006 | kv-idsentinel-azureuser | not_applicable
        RBAC-008, RBAC-015 | 210d4b58-1c5d-4c50-924b-007f113f4a57 | not_applicable
        RBAC-009, RBAC-014 | kv-idsentinel-azureuser | pass
        RBAC-010 | kv-idsentinel-azureuser | fail
        RBAC-011 | kv-idsentinel-azureuser | pass
        LOG-001, LOG-002 | kv-idsentinel-azureuser | pass
        LOG-003 | law-idsentinel-nhi/AzureDiagnostics | fail
        EVT-001, EVT-002, EVT-004, EVT-005 | kv-idsentinel-azureuser | not_evaluated
        EVT-003 | kv-idsentinel-azureuser ← IDS-NHI-VM | not_evaluated
        EVT-004 | kv-idsentinel-azureuser ← IDS-NHI-VM | manual
        EVT-006, EVT-007, KV-003 | kv-idsentinel-azureuser | not_evaluated
        KV-008, KV-011, RBAC-012 | kv-idsentinel-azureuser | pass
        KV-012, LOG-009 | IDSentinel Azure subscription | fail
        LOG-004 | 210d4b58-1c5d-4c50-924b-007f113f4a57 | not_applicable
        LOG-005 | AuditLogs; SignInLogs | pass
        LOG-005 | ManagedIdentitySignInLogs; ServicePrincipalSignInLogs | fail
        LOG-006, PIM-002 | IDSentinel Azure subscription | pass
        LOG-008 | kv-idsentinel-azureuser/audit; kv-idsentinel-azureuser/kv-audit-to-law | manual
        LOG-008 | IDSentinel Azure subscription | not_evaluated
        PRB-001, PRB-002, PRB-003, PRB-004 | kv-idsentinel-azureuser ← kv-idsentinel-azureuser-20260818.toml | pass
        PACK-002 | caj-evidence | pass
        PACK-003 | the chain of packs | not_applicable
        PIM-001 | IDSentinel Azure subscription ← IDSentinel Platform Administrators (Owner) | fail
        PIM-004 | Key Vault Administrator at kv-idsentinel-azureuser (Jordan Ellis) | fail
        PIM-005 | activations of the period | not_evaluated
        RBAC-013 | grants and removals of the period; given at 2026-09-28T10:02:17Z: caj-evidence; AdminAssign at 2026-08-17T15:10:02Z: Jordan Ellis; given at 2026-08-18T14:21:07Z: IDS-NHI-VM; given at 2026-08-18T14:21:08Z: IDS-NHI-VM; given at 2026-09-28T10:04:51Z: caj-evidence | manual
        RBAC-013 | IDSentinel Azure subscription; the tenant's root | not_evaluated
        PACK-001 | the collection | pass
        PACK-001 | the part of the period that is out of reach | not_evaluated
        ",
    );
    conclude(
        &results,
        "TM-01 awaits_person, TM-02 no_exceptions, TM-03 no_exceptions, TM-04 exceptions, TM-05 exceptions, TM-06 exceptions, TM-07 not_evaluated, TM-08 no_exceptions, TM-09 exceptions, TM-10 awaits_person, TM-11 not_evaluated, TM-12 exceptions, TM-13 not_evaluated, TM-14 no_exceptions, TM-15 exceptions, TM-16 exceptions, TM-17 not_evaluated, TM-18 exceptions, TM-19 exceptions, TM-20 no_exceptions, TM-21 not_applicable, TM-22 awaits_person, TM-23 awaits_person, TM-24 not_applicable, TM-25 no_exceptions, TM-26 not_applicable",
    );
    assert_says(&results, "LOG-003", "law-idsentinel-nhi/AzureDiagnostics", &["90 days"]);
    assert_says(&results, "EVT-004", "kv-idsentinel-azureuser ← IDS-NHI-VM", &["2 denied", "ForbiddenByRbac"]);
    assert_says(&results, "RBAC-011", "kv-idsentinel-azureuser", &["`caj-evidence` (holds Reader)"]);
}

#[test]
fn idsentinel_with_a_log_that_is_kept_longer() {
    let mut tenant = Tenant::open("idsentinel");
    let tables = (0..tenant.answers.len()).find(|answer| tenant.url(*answer).contains("/tables?")).expect("tables");
    let tables = tenant.answers[tables]["response"]["body"]["value"].as_array_mut().expect("a list");
    let kept = tables.iter_mut().find(|table| table["name"] == "AzureDiagnostics").expect("the table");
    kept["properties"]["retentionInDays"] = 400.into();
    kept["properties"]["totalRetentionInDays"] = 400.into();
    let judged = judge(tenant.recording());
    let outcome = |check: &str| -> Vec<&str> {
        let of = judged.assessment.findings.iter().filter(|finding| finding.check() == check);
        of.map(|finding| finding.outcome().word()).collect()
    };
    assert_eq!(outcome("LOG-003"), ["pass"]);
    assert_eq!(outcome("EVT-001"), ["manual"], "203 rows on 33 days: too quiet to tell a gap from silence");
    for check in ["EVT-002", "EVT-003", "EVT-005"] {
        assert_eq!(outcome(check), ["pass"], "{check}");
    }
    assert_eq!(outcome("EVT-004"), ["manual"]);
}

#[test]
fn canary() {
    let results = results("canary", 1);
    agree(
        &results,
        "
        FED-001 | sp-bench-loader | manual
        FED-001 | application:bc3b6576-37ec-4083-ad7d-247d2c27d47c | not_evaluated
        FED-002 | sp-bench-loader ← bench-main | manual
        FED-002 | application:bc3b6576-37ec-4083-ad7d-247d2c27d47c; sp-bench-loader ← bench | not_evaluated
        APP-001, APP-002, APP-003, APP-008 | sp-bench-loader | fail
        APP-004 | [cut] | fail
        APP-004 | Default app management tenant policy | manual
        APP-006 | sp-bench-loader | pass
        APP-007 | app-bench; ca-bench | fail
        APP-007 | app-bench/next | manual
        CRY-001 | kv-bench/other-key | fail
        CRY-001 | kv-bench/bench-key | pass
        FED-003 | sp-bench-loader ← bench-main | manual
        FED-003 | application:bc3b6576-37ec-4083-ad7d-247d2c27d47c; sp-bench-loader ← bench | not_evaluated
        FED-004 | application:bc3b6576-37ec-4083-ad7d-247d2c27d47c | not_evaluated
        FED-004 | sp-bench-loader ← bench; sp-bench-loader ← bench-main | pass
        FED-005 | aks-bench | fail
        FED-006 | Bench support | fail
        FED-007 | id-bench/federatedIdentityCredentials/bench at 2026-07-10T08:00:02Z | manual
        FED-007 | sp-bench-loader at 2026-07-11T08:00:00Z | manual
        FED-007 | the activity log of Test bench; the directory's audit log | not_evaluated
        NHI-011 | caj-evidence | fail
        NHI-011 | sp-bench-loader; vm-bench | pass
        NHI-012 | app-bench; caj-evidence; id-bench; sp-bench-loader; vm-bench | pass
        NHI-001 | vm-bench; app-bench; id-bench; caj-evidence | pass
        NHI-002 | vm-bench; app-bench; caj-evidence | pass
        NHI-003, NHI-004 | id-bench | pass
        NHI-006 | vm-bench; sp-bench-loader; caj-evidence; Kim Aalto | pass
        KV-001 | kv-bench | not_evaluated
        KV-002, KV-004, KV-006 | kv-bench | pass
        KV-005 | kv-bench | not_applicable
        KV-007 | kv-bench | fail
        RBAC-001, RBAC-002 | kv-bench ← vm-bench; kv-bench ← sp-bench-loader | pass
        RBAC-005, RBAC-007 | vm-bench; app-bench; id-bench; caj-evidence; sp-bench-loader | pass
        NHI-005 | id-bench | pass
        KV-009, KV-010, RBAC-003, RBAC-004 | kv-bench | manual
        NHI-007 | vm-bench | manual
        NHI-008 | id-bench | manual
        NHI-009 | vm-bench; app-bench; caj-evidence | manual
        RBAC-006 | kv-bench | not_applicable
        RBAC-008 | f2ec6b4c-dbab-4220-9599-c663e261db2d | not_applicable
        RBAC-009 | kv-bench | pass
        RBAC-010 | kv-bench | not_evaluated
        RBAC-014 | kv-bench | pass
        RBAC-015 | /subscriptions/ecfc80c1-cf57-40f0-85bc-7ce198fcbf15 | not_evaluated
        RBAC-011, LOG-001, LOG-002 | kv-bench | pass
        LOG-003 | law-bench/AZKVAuditLogs | pass
        EVT-001, EVT-002, EVT-005 | kv-bench | pass
        EVT-003 | kv-bench ← vm-bench; kv-bench ← sp-bench-loader | pass
        EVT-004 | kv-bench ← sp-bench-loader | manual
        EVT-006, EVT-007, KV-008, KV-011, RBAC-012 | kv-bench | pass
        KV-003 | kv-bench | not_evaluated
        KV-012, LOG-006, PIM-002 | Test bench | pass
        LOG-004 | stbench | pass
        LOG-005 | AuditLogs; ManagedIdentitySignInLogs; ServicePrincipalSignInLogs; SignInLogs | pass
        LOG-008 | kv-bench/audit | manual
        LOG-008 | Test bench | not_evaluated
        LOG-009 | Test bench | manual
        PRB-001, PRB-002, PRB-003, PRB-004 | a probe of the period | manual
        PACK-002 | caj-evidence | pass
        PACK-003 | the chain of packs | not_applicable
        PIM-001 | Test bench ← Kim Aalto (Owner) | fail
        PIM-004 | Key Vault Administrator at kv-bench (Kim Aalto) | not_evaluated
        PIM-005 | Kim Aalto at 2026-07-20T07:59:10Z (Key Vault Administrator); Kim Aalto at 2026-09-03T07:59:10Z (Key Vault Administrator) | pass
        PIM-005 | activations of the period | not_evaluated
        RBAC-013 | grants and removals of the period; given at 2026-07-20T08:00:02Z: vm-bench | manual
        RBAC-013 | Test bench; the tenant's root | not_evaluated
        PACK-001 | the collection | not_evaluated
        PACK-001 | the part of the period that is out of reach | not_evaluated
        ",
    );
    assert_says(&results, "EVT-002", "kv-bench", &["6 rows"]);
    assert_says(&results, "EVT-003", "kv-bench ← vm-bench", &["2 reads"]);
    assert_says(&results, "EVT-003", "kv-bench ← sp-bench-loader", &["1 read"]);
}
