use std::sync::Arc;

use std::collections::BTreeMap;

use serde_json::json;

use super::super::testing::{
    ROOT_GROUP, SECRETS_USER, SUB, about_name, assignment_json, base, furnished, identity_id, list, only, outcomes,
    patched, role_json, service_principal_json, vault_id, vault_json, with_principals,
};
use super::super::{Outcome, Parameters, Severity, all_checks, find_in, run_those, runner};
use super::*;
use crate::access::Access;
use crate::collect;
use crate::declared::Population;
use crate::evidence::testing::CaptureBuilder;
use crate::evidence::{Kind, Period, Shape};
use crate::model::{self, Reach};

const HEAD: &str = "id = \"ORG-001\"\ntitle = \"A check\"\nseverity = \"high\"\nasks = \"What.\"\nblind_to = \"Much.\"\n\
    fix = \"So.\"\ncriteria = [\"CC6.1\"]\n";

/// A file of a check with these clauses: expression, message, and what follows.
fn file(population: &str, only: &str, clauses: &[(&str, &str, &str)]) -> String {
    let only = if only.is_empty() { String::new() } else { format!("where = '''{only}'''\n") };
    let clauses = clauses.iter().map(|(expression, message, otherwise)| {
        format!("[[clause]]\nexpression = '''{expression}'''\nmessage = \"{message}\"\notherwise = \"{otherwise}\"\n")
    });
    format!("{HEAD}population = \"{population}\"\n{only}{}", clauses.collect::<String>())
}

fn declared(files: &[(&str, &str)]) -> Declared {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Declared::read_with(files.collect(), &collect::kept).unwrap_or_else(|error| panic!("{error}"))
}

/// Findings of the checks of one's own; `keeps` says whether the records are read for them, as they always are.
fn judged(builder: &CaptureBuilder, declared: &Declared, keeps: bool) -> Vec<Finding> {
    let kinds = if keeps { declared.kinds() } else { Default::default() };
    let tenant = model::read_keeping(&builder.clone().build(), &kinds).expect("a tenant");
    let access = Access::of(&tenant);
    let period = Period::parse("2026Q3").expect("a period");
    let parameters = Parameters::default();
    let facts = Facts { tenant: &tenant, access: &access, period, parameters: &parameters, declared, ledger: &[] };
    let all = run_those(&facts, |check| check.id.starts_with("ORG-"));
    all.into_iter().map(Arc::unwrap_or_clone).collect()
}

fn findings(builder: &CaptureBuilder, text: &str) -> Vec<Finding> {
    judged(builder, &declared(&[("checks/a.toml", text)]), true)
}

fn vaults(all: impl IntoIterator<Item = serde_json::Value>) -> CaptureBuilder {
    base().replace(Kind::Vaults, SUB, list(all))
}

const RETENTION: (&str, &str, &str) = ("vault.properties.softDeleteRetentionInDays >= 90", "too short", "fail");
const PURGE: (&str, &str, &str) =
    ("has(vault.properties.enablePurgeProtection) && vault.properties.enablePurgeProtection", "may be purged", "fail");
const CLOSED: (&str, &str, &str) = ("vault.properties.publicNetworkAccess == 'Disabled'", "is open: why?", "manual");

#[test]
fn each_subject_is_held_to_every_clause() {
    let properties = |patch: serde_json::Value| json!({"properties": patch});
    let tenant = vaults([
        vault_json("good", &properties(json!({"softDeleteRetentionInDays": 90, "publicNetworkAccess": "Disabled"}))),
        vault_json("short", &properties(json!({"softDeleteRetentionInDays": 7, "enablePurgeProtection": null}))),
        vault_json("open", &properties(json!({"softDeleteRetentionInDays": 90, "publicNetworkAccess": "Enabled"}))),
        vault_json("text", &properties(json!({"softDeleteRetentionInDays": "90", "publicNetworkAccess": "Disabled"}))),
        vault_json("silent", &properties(json!({"softDeleteRetentionInDays": null, "publicNetworkAccess": "Enabled"}))),
        vault_json("both", &properties(json!({"softDeleteRetentionInDays": null, "enablePurgeProtection": false}))),
    ]);
    let found = findings(&tenant, &file("vaults", "", &[RETENTION, PURGE, CLOSED]));
    for (name, outcome, because) in [
        ("good", Outcome::Pass, "all 3 clauses hold"),
        ("short", Outcome::Fail, "too short (clause 1 of 3); may be purged (clause 2 of 3)"),
        ("open", Outcome::Manual, "is open: why? (clause 3 of 3)"),
        (
            "text",
            Outcome::NotEvaluated,
            "clause 1 of 3 could not be decided: a text is compared with a whole number by `>=` (a failure would \
             say: too short)",
        ),
        (
            "silent",
            Outcome::NotEvaluated,
            "clause 1 of 3 could not be decided: the record does not tell `vault.properties.softDeleteRetentionInDays` \
             (a failure would say: too short)",
        ),
        ("both", Outcome::Fail, "may be purged (clause 2 of 3)"), // a fail that was seen stays a fail
    ] {
        let finding = about_name(&found, name);
        assert_eq!((finding.outcome(), finding.because()), (outcome, because), "{name}");
        assert_eq!((finding.check(), finding.subject().kind.as_ref()), ("ORG-001", "vault"));
        assert!(finding.evidence()[0].place().contains("page-0001.json#/value/"), "{finding:#?}");
        assert_eq!(finding.reason().is_some(), outcome == Outcome::NotEvaluated);
    }
    assert_eq!(found.len(), 6);
    assert_eq!(about_name(&found, "silent").reason(), Some(Reason::Undecided));
}

#[test]
fn a_where_leaves_out_what_it_does_not_hold_for_and_nothing_that_it_cannot_decide() {
    let tagged = |name: &str, tags: serde_json::Value| vault_json(name, &json!({"tags": tags}));
    let tenant = vaults([
        tagged("prod", json!({"env": "prod"})),
        tagged("test", json!({"env": "test"})),
        vault_json("none", &json!({"tags": null})),
    ]);
    let found = findings(&tenant, &file("vaults", "vault.tags.env == 'prod'", &[PURGE]));
    assert_eq!(about_name(&found, "prod").outcome(), Outcome::Pass);
    let open = about_name(&found, "none");
    assert_eq!(open.outcome(), Outcome::NotEvaluated);
    assert!(open.because().starts_with("whether it belongs to the population is not known (`where`)"), "{open:#?}");
    assert_eq!(found.len(), 2);
    // and where nothing belongs, that is proven by the whole list
    let found = findings(&tenant, &file("vaults", "vault.name == 'x'", &[PURGE]));
    let empty = only(&found);
    assert_eq!(empty.outcome(), Outcome::NotApplicable);
    assert!(!empty.evidence().is_empty());
}

#[test]
fn what_was_not_read_is_never_empty_and_never_a_pass() {
    let text = file("vaults", "", &[PURGE]);
    assert_eq!(outcomes(&findings(&vaults([]), &text)), [Outcome::NotApplicable], "asked, whole, and empty");
    let denied = findings(&vaults([vault_json("kv", &json!({}))]).denied(Kind::Vaults, SUB), &text);
    assert_eq!(outcomes(&denied), [Outcome::NotEvaluated]);
    assert_eq!(only(&denied).reason(), Some(Reason::Forbidden));
    assert_eq!(outcomes(&findings(&CaptureBuilder::default(), &text)), [Outcome::NotEvaluated], "nothing was asked");
    // the records were not looked at for the check
    let declared = declared(&[("checks/a.toml", &text)]);
    let unread = judged(&vaults([vault_json("kv", &json!({}))]), &declared, false);
    assert_eq!((only(&unread).outcome(), only(&unread).reason()), (Outcome::NotEvaluated, Some(Reason::NotAsked)));
}

#[test]
fn what_was_cut_is_not_known() {
    let cut = vault_json("kv", &json!({"properties": {"publicNetworkAccess": "[cut]"}}));
    for expression in
        ["vault.properties.publicNetworkAccess != 'Enabled'", "vault.properties.publicNetworkAccess == 'Disabled'"]
    {
        let found = findings(&vaults([cut.clone()]), &file("vaults", "", &[(expression, "m", "fail")]));
        assert_eq!(only(&found).outcome(), Outcome::NotEvaluated);
        assert!(only(&found).because().contains("was cut, whole or in part"), "{found:#?}");
    }
}

#[test]
fn time_is_that_of_the_collection_and_the_period_is_told() {
    let tenant = vaults([vault_json("kv", &json!({"systemData": {"createdAt": "2026-07-05T00:00:00Z"}}))]);
    let collected = model::read(&tenant.clone().build()).expect("facts").collected_at;
    let age = (collected - "2026-07-05T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().expect("a time")).num_days();
    for (expression, outcome) in [
        (format!("now - timestamp(vault.systemData.createdAt) < days({})", age + 1), Outcome::Pass),
        (format!("now - timestamp(vault.systemData.createdAt) < days({age})"), Outcome::Fail),
        ("timestamp(vault.systemData.createdAt) < period_start".to_owned(), Outcome::Fail),
        ("period_end - period_start == days(92)".to_owned(), Outcome::Pass),
    ] {
        let found = findings(&tenant, &file("vaults", "", &[(&expression, "m", "fail")]));
        assert_eq!(outcomes(&found), [outcome], "{expression}: {found:#?}");
    }
}

#[test]
fn a_role_assignment_has_its_role_and_its_principal() {
    const KNOWN: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const GONE: &str = "aaaaaaaa-0000-0000-0000-000000000002";
    let assignment = |number: u8, principal: &str, role: &str| {
        let name = format!("cccccccc-0000-0000-0000-00000000000{number}");
        assignment_json(&name, &vault_id("kv"), role, principal, "ServicePrincipal")
    };
    let other = "11111111-2222-3333-4444-555555555555";
    let tenant = base()
        .replace(
            Kind::RoleAssignments,
            SUB,
            list([assignment(1, KNOWN, SECRETS_USER), assignment(2, GONE, SECRETS_USER), assignment(3, KNOWN, other)]),
        )
        .replace(Kind::RoleDefinitions, SUB, list([role_json(&SECRETS_USER.to_uppercase(), "Secrets User", &[], &[])]));
    let tenant = with_principals(tenant, &[KNOWN, GONE], [service_principal_json(KNOWN, "app")]);
    let text = file(
        "role_assignments",
        "",
        &[("role.properties.roleName == 'Secrets User'", "r", "fail"), ("principal.accountEnabled", "p", "fail")],
    );
    let found = findings(&tenant, &text);
    let of = |number: u8| {
        let end = format!("/cccccccc-0000-0000-0000-00000000000{number}");
        found.iter().find(|finding| finding.subject().id.ends_with(&end)).expect("a finding").clone()
    };
    assert_eq!(&*of(1).subject().name, "app at kv");
    assert_eq!(of(1).outcome(), Outcome::Pass);
    assert_eq!(of(1).evidence().len(), 3, "the assignment, the role and the principal: {:#?}", of(1));
    assert_eq!((of(2).outcome(), of(2).reason()), (Outcome::NotEvaluated, Some(Reason::PrincipalUnresolved)));
    assert!(of(2).because().contains(&format!("no record of the principal `{GONE}` was read")), "{:#?}", of(2));
    assert_eq!((of(3).outcome(), of(3).reason()), (Outcome::NotEvaluated, Some(Reason::RoleDefinitionUnknown)));
    for denied in [(Kind::RoleDefinitions, SUB), (Kind::Principals, "directory")] {
        let found = findings(&tenant.clone().denied(denied.0, denied.1), &text);
        assert!(!outcomes(&found).contains(&Outcome::Pass), "{denied:?}: {found:#?}");
    }
    // what no expression asks for is not needed
    let text = file("role_assignments", "", &[("assignment.properties.scope != '/'", "root", "fail")]);
    let found = findings(&tenant.denied(Kind::RoleDefinitions, SUB).denied(Kind::Principals, "directory"), &text);
    assert_eq!(outcomes(&found), [Outcome::Pass; 3]);
}

#[test]
fn what_vaults_hold_is_told_by_either_list_and_certificates_by_vaults_alone() {
    let secret = |name: &str, attributes: serde_json::Value| {
        let id = format!("{}/secrets/{name}", vault_id("kv"));
        json!({"id": id, "name": name, "properties": {"attributes": attributes}})
    };
    let tenant = vaults([vault_json("kv", &json!({}))])
        .answer(
            Kind::VaultSecrets,
            &vault_id("kv"),
            list([
                secret("ends", json!({"enabled": true, "exp": 1_798_761_600})),
                secret("stays", json!({"enabled": true})),
            ]),
        )
        .answer(Kind::VaultKeys, &vault_id("kv"), list([]));
    let ends = ("has(secret.attributes.exp) && timestamp(secret.attributes.exp) > now", "it has no end", "fail");
    let found = findings(&tenant, &file("secrets", "", &[ends]));
    assert_eq!(about_name(&found, "kv/ends").outcome(), Outcome::Pass);
    assert_eq!(about_name(&found, "kv/stays").outcome(), Outcome::Fail);
    // Resource Manager does not tell it
    let found = findings(&tenant, &file("secrets", "", &[("!has(secret.managed)", "m", "fail")]));
    assert_eq!(outcomes(&found), [Outcome::NotEvaluated; 2]);
    let found = findings(&tenant, &file("certificates", "", &[("certificate.attributes.enabled", "m", "fail")]));
    assert_eq!((only(&found).outcome(), only(&found).reason()), (Outcome::NotEvaluated, Some(Reason::NotAsked)));
    let told = tenant.answer(Kind::VaultDataCertificates, &vault_id("kv"), list([]));
    let found = findings(&told, &file("certificates", "", &[("certificate.attributes.enabled", "m", "fail")]));
    assert_eq!(outcomes(&found), [Outcome::NotApplicable], "{found:#?}");
}

#[test]
fn every_population_is_kept_with_its_id_and_can_be_asked_about() {
    let mut names = BTreeMap::new();
    for population in Population::all() {
        let shape = population.shape(&collect::kept);
        assert_eq!(shape.member("id"), Some(&Shape::Leaf), "{}", population.name);
        for related in population.related {
            assert_eq!(collect::kept(related.kind).member("id"), Some(&Shape::Leaf), "{}", related.variable);
        }
        assert!(names.insert(population.name, ()).is_none(), "{} is there twice", population.name);
        let text = file(population.name, "", &[(&format!("has({}.id)", population.variable), "m", "fail")]);
        for finding in findings(&furnished(), &text) {
            let open = finding.outcome() == Outcome::NotEvaluated;
            assert!(!open || finding.reason() == Some(Reason::NotAsked), "{}: {finding:#?}", population.name);
        }
    }
}

/// The worked examples of the guide.
fn examples() -> Declared {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/checks");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the examples") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        files.insert(format!("checks/{name}"), std::fs::read(&path).expect("a file"));
    }
    Declared::read_with(files, &collect::kept).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn one_denied_question_keeps_no_pass_of_an_example_that_needed_it() {
    const SITE: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    let examples = examples();
    assert_eq!(examples.checks.len(), 3);
    let tags = json!({"tags": {"env": "production"}, "properties": {"softDeleteRetentionInDays": 90}});
    let identity =
        json!({"id": identity_id("id"), "name": "id", "location": "westeurope", "properties": {"principalId": SITE}});
    let assignment =
        assignment_json("cccccccc-0000-0000-0000-000000000001", SUB, SECRETS_USER, SITE, "ServicePrincipal");
    let tenant = base()
        .replace(Kind::Vaults, SUB, list([vault_json("kv", &tags)]))
        .replace(Kind::UserAssignedIdentities, SUB, list([identity]))
        .replace(Kind::RoleAssignments, SUB, list([assignment]));
    let tenant = with_principals(tenant, &[SITE], [service_principal_json(SITE, "app")]);
    let whole = judged(&tenant, &examples, true);
    assert_eq!(outcomes(&whole), [Outcome::Pass; 3], "{whole:#?}");
    for (kind, scope) in tenant.questions() {
        let denied = judged(&tenant.clone().denied(kind, &scope), &examples, true);
        for own in &examples.checks {
            let of = |findings: &[Finding]| {
                let of: Vec<&Finding> = findings.iter().filter(|finding| finding.check() == own.id).collect();
                let passes = of.iter().filter(|finding| finding.outcome() == Outcome::Pass).count();
                (passes, of.iter().filter(|finding| finding.outcome() == Outcome::NotEvaluated).count())
            };
            let needs: Vec<Reach> = own.needs.iter().filter(|need| need.kind == kind).map(|need| need.reach).collect();
            // the lists that every other list is found through matter too
            let is_root =
                matches!(kind, Kind::Subscriptions | Kind::ManagementGroups | Kind::ManagementGroupDescendants);
            match needs.is_empty() {
                true if is_root => assert!(of(&denied).0 + of(&denied).1 > 0, "{} says nothing", own.id),
                true => assert_eq!(of(&denied), (1, 0), "{} does not say that it needs {kind:?}", own.id),
                false if scope == SUB || scope == "directory" => {
                    assert_eq!(of(&denied).0, 0, "{} without {kind:?} at {scope}: {denied:#?}", own.id);
                }
                false => assert!(of(&denied).1 > 0, "{} without {kind:?} at {scope}: {denied:#?}", own.id),
            }
        }
    }
    assert!(tenant.questions().contains(&(Kind::RoleAssignments, ROOT_GROUP.to_owned())), "above, too");
}

#[test]
fn the_words_of_a_check_are_those_of_its_file_and_held_once() {
    let declared = declared(&[("checks/a.toml", &file("vaults", "", &[PURGE]))]);
    let [check] = custom_checks(&declared)[..] else { panic!("one check") };
    assert_eq!((check.id, check.title, check.severity), ("ORG-001", "A check", Severity::High));
    assert!(std::ptr::eq(custom_checks(&declared)[0], check), "the same each time");
    assert!(std::ptr::eq(find_in(&declared, "org-001").expect("found"), check));
    assert_eq!(all_checks(&declared).last().map(|check| check.id), Some("ORG-001"));
    assert!(find_in(&Declared::default(), "ORG-001").is_none());
    // without its definition nothing is concluded
    let tenant = model::read(&vaults([patched(vault_json("kv", &json!({})), &json!({}))]).build()).expect("a tenant");
    let access = Access::of(&tenant);
    let (parameters, nothing) = (Parameters::default(), Declared::default());
    let period = Period::parse("2026Q3").expect("a period");
    let facts =
        Facts { tenant: &tenant, access: &access, period, parameters: &parameters, declared: &nothing, ledger: &[] };
    assert_eq!(outcomes(&runner::run(check, &facts)), [Outcome::NotEvaluated]);
}
