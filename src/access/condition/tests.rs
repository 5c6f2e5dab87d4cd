use proptest::prelude::*;

use super::{Asked, Granting, Rule, Truth};
use crate::access::built_in::conditions;
use crate::model::Id;

const GET: &str = "Microsoft.KeyVault/vaults/secrets/getSecret/action";
const ASSIGN: &str = "Microsoft.Authorization/roleAssignments/write";
const NAMES_DB: &str = "((!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/getSecret/action'})) OR \
                        (@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'db'))";

fn of(text: &str, action: &str, below: &str) -> Truth {
    let vault = Id::new("/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv1");
    let object = Id::new(format!("{vault}{below}"));
    let rule = Rule::read(text);
    assert!(rule.is_parsed(), "{text}");
    rule.holds(&Asked::of(action, "kv1", &vault, &object))
}

#[test]
fn the_name_of_a_secret_decides_where_it_is_known() {
    assert_eq!(of(NAMES_DB, GET, "/secrets/db"), Truth::True);
    assert_eq!(of(NAMES_DB, GET, "/secrets/other"), Truth::False);
    assert_eq!(of(NAMES_DB, GET, ""), Truth::Unknown, "some secrets, and not others");
    assert_eq!(of(NAMES_DB, "Microsoft.KeyVault/vaults/secrets/delete", ""), Truth::True, "another action");
    assert_eq!(of(NAMES_DB, GET, "/secrets/DB"), Truth::Unknown, "which case Azure compares is not told");
    assert!(Rule::read(NAMES_DB).names_objects());
}

#[test]
fn names_are_compared_by_every_text_operator() {
    let vault = |operator: &str, value: &str| {
        of(&format!("@Resource[Microsoft.KeyVault/vaults:name] {operator} {value}"), GET, "")
    };
    for (operator, value, expected) in [
        ("StringEquals", "'kv1'", Truth::True),
        ("StringNotEquals", "'kv1'", Truth::False),
        ("StringEqualsIgnoreCase", "'KV1'", Truth::True),
        ("StringEquals", "'KV1'", Truth::Unknown),
        ("StringStartsWith", "'kv'", Truth::True),
        ("StringNotStartsWith", "'kv'", Truth::False),
        ("StringLike", "'k*1'", Truth::True),
        ("StringLike", "'k?'", Truth::False),
        ("StringLike", "'k?1*'", Truth::True),
        ("StringNotLike", "'prod-*'", Truth::True),
        ("ForAnyOfAnyValues:StringEquals", "{'kv2', 'kv1'}", Truth::True),
        ("ForAnyOfAllValues:StringNotEquals", "{'kv2', 'kv1'}", Truth::False),
        ("StringEquals", "{'kv1', 'kv2'}", Truth::Unknown),
        ("NumericEquals", "1", Truth::Unknown),
    ] {
        assert_eq!(vault(operator, value), expected, "{operator} {value}");
    }
}

#[test]
fn what_the_evidence_does_not_know_stays_unknown_and_what_it_settles_counts() {
    let unknown = "@Environment[isPrivateLink] BoolEquals true";
    let named = "@Resource[Microsoft.KeyVault/vaults:name] StringEquals";
    for (text, expected) in [
        (unknown.to_owned(), Truth::Unknown),
        (format!("NOT {unknown}"), Truth::Unknown),
        (format!("({unknown}) AND ({named} 'kv2')"), Truth::False),
        (format!("({unknown}) && ({named} 'kv1')"), Truth::Unknown),
        (format!("({unknown}) || ({named} 'kv1')"), Truth::True),
        (format!("!({named} 'kv2')"), Truth::True),
        ("SubOperationMatches{'Blob.List'}".to_owned(), Truth::Unknown),
        (
            "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Team_Name] StringEquals 'a'".to_owned(),
            Truth::Unknown,
        ),
        ("Exists @Request[x:y]".to_owned(), Truth::Unknown),
        ("NotExists @Resource[Microsoft.KeyVault/vaults:name]".to_owned(), Truth::False),
        ("ActionMatches{'Microsoft.KeyVault/*'}".to_owned(), Truth::True),
        ("ActionMatches{'Microsoft.KeyVault/vaults/secrets/getSecret/*/action'}".to_owned(), Truth::Unknown),
        ("@Resource[tags:Project<$key_case_sensitive$>] StringEquals 'x'".to_owned(), Truth::Unknown),
    ] {
        assert_eq!(of(&text, GET, ""), expected, "{text}");
    }
}

#[test]
fn what_is_no_condition_is_not_parsed_and_stays_unknown() {
    let mixed = "ActionMatches{'a'} AND ActionMatches{'b'} OR ActionMatches{'c'}";
    let deep = format!("{}ActionMatches{{'a'}}{}", "(".repeat(99), ")".repeat(99));
    let long = format!("ActionMatches{{'{}'}}", "a".repeat(20_000));
    for text in [
        "",
        "x",
        "(",
        "@Resource[name",
        "a b",
        "ActionMatches{}",
        "ActionMatches{'a'",
        "a = 'b'",
        "'a' 'b' 'c'",
        mixed,
        &deep,
        &long,
    ] {
        let rule = Rule::read(text);
        assert!(!rule.is_parsed(), "{text}");
        let vault = Id::new("/v");
        assert_eq!(rule.holds(&Asked::of(GET, "kv1", &vault, &vault)), Truth::Unknown);
    }
    assert!(Rule::read("a b").words().ends_with("(not parsed)"));
}

#[test]
fn a_delegation_is_decided_by_role_and_principal() {
    let text = "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR \
                (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals \
                {0000aaaa00000000000000000000bbbb, 1111aaaa-0000-0000-0000-00000000bbbb} AND \
                @Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEqualsIgnoreCase 'ServicePrincipal'))";
    let rule = Rule::read(text);
    let vault = Id::new("/v");
    let granting = |role, principal_type| {
        let granting = Granting { role, principal_id: Some("p"), principal_type };
        rule.holds(&Asked::of(ASSIGN, "kv1", &vault, &vault).to_grant(granting))
    };
    let (listed, other) = ("0000aaaa-0000-0000-0000-00000000bbbb", "2222aaaa-0000-0000-0000-00000000bbbb");
    assert_eq!(granting(listed, Some("ServicePrincipal")), Truth::True);
    assert_eq!(granting(listed, Some("User")), Truth::False);
    assert_eq!(granting(listed, None), Truth::Unknown);
    assert_eq!(granting(other, None), Truth::False);
}

#[test]
fn every_condition_of_a_built_in_role_is_parsed() {
    let Some(conditions) = conditions() else { return };
    assert!(conditions.len() > 20, "{}", conditions.len());
    for (role, text) in conditions {
        assert!(Rule::read(&text).is_parsed(), "{role}: {text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[ -~äß(){}'!&|@\\[\\]]{0,300}", action in "[a-zA-Z/*.]{0,40}") {
        let vault = Id::new("/v");
        Rule::read(&text).holds(&Asked::of(&action, "kv1", &vault, &vault));
    }

    #[test]
    fn no_jumble_of_its_words_makes_it_panic(words in prop::collection::vec(prop::sample::select(vec![
        "(", ")", "{", "}", ",", "!", "AND", "OR", "NOT", "'a*'", "ActionMatches", "Exists", "StringLike", "GuidEquals",
        "ForAnyOfAnyValues:StringEquals", "@Resource[Microsoft.KeyVault/vaults:name]", "@Request[x]", "1", "true",
    ]), 0..60)) {
        let vault = Id::new("/v");
        Rule::read(&words.join(" ")).holds(&Asked::of("a/b", "kv1", &vault, &vault));
    }
}
