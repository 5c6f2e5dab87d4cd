//! Redaction against canaries, and against a second, slow and obvious one.

mod properties;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::*;

const CANARY: &str = "CANARY-hunter2";

/// With the switches as they are when nothing is configured.
fn answer(kind: Kind, body: &[u8]) -> Result<Clean, Malformed> {
    super::answer(kind, body, &tables(kind, body)?, &Personal::default())
}

/// The columns of an answer's tables, as the envelope tells them.
fn tables(kind: Kind, body: &[u8]) -> Result<Vec<Columns>, Malformed> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        tables: Vec<Table>,
    }
    #[derive(Deserialize)]
    struct Table {
        #[serde(default)]
        columns: Vec<Column>,
    }
    #[derive(Deserialize)]
    struct Column {
        name: Option<String>,
    }
    if allow::answers(kind).member("column").is_none() {
        return Ok(Vec::new());
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| Malformed("it is not a table of log rows"))?;
    let names = |table: Table| table.columns.into_iter().map(|column| column.name).collect();
    Ok(answer.tables.into_iter().map(names).collect())
}

fn kept(kind: Kind, body: &str) -> String {
    String::from_utf8(answer(kind, body.as_bytes()).expect("JSON").bytes).expect("UTF-8")
}

#[test]
fn what_stays_stays_byte_for_byte() {
    let body = "{ \"value\" : [ {\"zzz\":\"CANARY\", \"properties\":{ \"tenantId\" : 1e400 ,\"b\":[1,{}],\
                \"softDeleteRetentionInDays\":1.0},\n \"id\":\"\\/subscriptions\\u002fs\" } ]\n}\n";
    let expected = "{ \"value\" : [ { \"properties\":{ \"tenantId\" : 1e400 ,\"softDeleteRetentionInDays\":1.0},\n \
                    \"id\":\"\\/subscriptions\\u002fs\" } ]\n}\n";
    assert_eq!(kept(Kind::Vaults, body), expected);
    assert_eq!(kept(Kind::Vaults, r#"{"zzz":1,"yyy":2}"#), "{}");
    assert_eq!(kept(Kind::Vaults, r#"{"value":[ ],"zzz":2}"#), r#"{"value":[ ]}"#);
}

#[test]
fn members_named_twice_are_refused_and_escapes_hide_nothing() {
    let body = r#"{"value":[{"n\u0061me":"b","NAME":"pwd=hunter2","secret":"x","s\u0065cret":"y","secret":"z"}]}"#;
    assert_eq!(kept(Kind::Vaults, body), r#"{"value":[{"n\u0061me":"b","NAME":"[cut]"}]}"#);
    for twice in [r#"{"value":[],"value":[]}"#, r#"{"value":[{"name":"a","n\u0061me":"b"}]}"#] {
        assert_eq!(answer(Kind::Vaults, twice.as_bytes()), Err(Malformed("a member is named twice")));
    }
}

#[test]
fn a_member_of_another_shape_stays_visible_as_such() {
    let body = r#"{"value":[{"properties":{"accessPolicies":"CANARY","networkAcls":null,"tenantId":["CANARY"],"vaultUri":7}}]}"#;
    let expected = r#"{"value":[{"properties":{"accessPolicies":"[cut]","networkAcls":null,"tenantId":"[cut]","vaultUri":"[cut]"}}]}"#;
    assert_eq!(kept(Kind::Vaults, body), expected);
}

#[test]
fn attached_identities_keep_their_ids_and_their_nulls() {
    let body = r#"{"value":[{"identity":{"type":"UserAssigned","userAssignedIdentities":{"/subscriptions/s/id1":null,"/subscriptions/s/id2":{"clientId":"c","secret":"x"},"pwd=hunter2":{}}}}]}"#;
    let expected = r#"{"value":[{"identity":{"type":"UserAssigned","userAssignedIdentities":{"/subscriptions/s/id1":null,"/subscriptions/s/id2":{"clientId":"c"},"[cut]":{}}}}]}"#;
    assert_eq!(kept(Kind::Resources, body), expected);
}

#[test]
fn of_tags_only_those_that_say_what_a_thing_is_for_stay() {
    let body = json!({"value": [{"tags": {
        "Environment": "prod", "OWNER": "ledger team", "connection": CANARY,
        "purpose": "Server=db;Password=hunter2", "system": "x".repeat(121),
    }}]});
    let kept: Value = serde_json::from_str(&kept(Kind::Resources, &body.to_string())).expect("JSON");
    let expected = json!({"Environment": "prod", "OWNER": "ledger team", "purpose": "[cut]", "system": "[cut]"});
    assert_eq!(kept["value"][0]["tags"], expected);
}

#[test]
fn what_cannot_be_read_is_refused_whole() {
    let deep = format!("{{\"value\":{}{}}}", "[".repeat(70), "]".repeat(70));
    for body in [
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{\"value\":[]} x",
        "{'value':1}",
        "{\"value\":[01]}",
        "{\"value\":[1.]}",
        "{\"value\":[+1]}",
        "{\"zzz\":nul}",
        "{\"zzz\":\"\\ud800\"}",
        "{\"zzz\":\"\n\"}",
        "{\"zzz\" 1}",
        "<html>",
        "\u{feff}{}",
        &deep,
    ] {
        assert!(answer(Kind::Vaults, body.as_bytes()).is_err(), "{body:?}");
    }
    assert!(answer(Kind::Vaults, b"{\"value\":[\"\xff\"]}").is_err());
}

#[test]
fn of_an_error_only_codes_stay() {
    let body = br#"{"error":{"code":"AuthorizationFailed","message":"client 'hunter2'","innererror":{"code":"ForbiddenByRbac","x":1},
        "details":[{"code":"A b","message":"m"},{"code":"Fine_1"}],"target":"t"},"trace":"hunter2"}"#;
    let clean = refusal(body).expect("JSON");
    let kept: Value = serde_json::from_slice(&clean.bytes).expect("JSON");
    let expected = json!({"error": {"code": "AuthorizationFailed", "innererror": {"code": "ForbiddenByRbac"},
        "details": [{"code": "[cut]"}, {"code": "Fine_1"}]}});
    assert_eq!(kept, expected);
    assert!(refusal(b"<html>").is_err());
}

#[test]
fn log_cells_are_judged_by_their_column() {
    let body = json!({"tables": [{"name": "PrimaryResult", "extra": CANARY,
        "columns": [
            {"name": "TimeGenerated", "type": "datetime"}, {"name": "CallerIpAddress", "type": "string"},
            {"name": "RequestUri", "type": "string"}, {"name": CANARY, "type": "string"},
            {"name": "ResultDescription", "type": "string"}, {"name": "Identity", "type": "dynamic"},
            {"name": "HttpStatusCode", "type": "int"},
        ],
        "rows": [["2026-07-01T00:00:00Z", "203.0.113.7", "https://kv.vault.azure.net/secrets/a?api-version=7.4&x=CANARY",
            CANARY, CANARY, {"claim": {"oid": "o", "upn": CANARY}}, 403, CANARY]]}]});
    let clean = answer(Kind::VaultLogDedicated, body.to_string().as_bytes()).expect("JSON");
    let kept: Value = serde_json::from_slice(&clean.bytes).expect("JSON");
    assert_eq!(
        kept["tables"][0]["rows"][0],
        json!(["2026-07-01T00:00:00Z", "203.0.113.0/24", "https://kv.vault.azure.net/secrets/a?api-version=7.4", null,
            "[cut]", {"claim": {"oid": "o"}}, 403, null])
    );
    assert_eq!(kept["tables"][0]["columns"][3], json!({"name": null, "type": "string"}));
    assert!(!kept.to_string().contains(CANARY));
    let places: Vec<(&str, &str, u64)> =
        clean.cuts.iter().map(|cut| (cut.rule.as_str(), cut.place.as_str(), cut.count)).collect();
    assert!(places.contains(&("address_coarsened", "/tables/0/rows/0/1", 1)), "{places:?}");
    assert!(places.contains(&("not_on_list", "/tables/0/rows/0/3", 1)), "{places:?}");
    assert!(places.contains(&("not_on_list", "/tables/0/rows/0/7", 1)), "{places:?}");
    assert!(
        answer(Kind::VaultLogDedicated, br#"{"tables":[{"columns":[],"columns":[{"name":"RequestUri"}]}]}"#).is_err()
    );
}

#[test]
fn cuts_are_told_by_rule_and_place() {
    let body = json!({"value": [{"a": 1, "b": 2, "name": "pwd=x"}, {"c": 3, "tags": {"x": "y"}}],
        "nextLink": "https://management.azure.com/x?$skiptoken=abc"});
    let clean = answer(Kind::Resources, body.to_string().as_bytes()).expect("JSON");
    let cut = |rule: &str, place: &str, count| Redaction { rule: rule.to_owned(), place: place.to_owned(), count };
    assert_eq!(
        clean.cuts,
        [
            cut("not_on_list", "/value/0", 2),
            cut("not_on_list", "/value/1", 1),
            cut("not_on_list", "/value/1/tags", 1),
            cut("secret_like", "/value/0/name", 1),
            cut("url_token", "/nextLink", 1),
        ]
    );
}

#[test]
fn many_cuts_that_are_alike_are_told_together() {
    let identities = json!({"/subscriptions/s~/id1": {"x": 1}, "pwd=hunter2": {"y": 1, "z": 2}});
    let items = |count: usize| vec![json!({"secret": 1, "identity": {"userAssignedIdentities": identities}}); count];
    let cuts = |count| {
        let body = json!({ "value": items(count) }).to_string();
        answer(Kind::Resources, body.as_bytes()).expect("JSON").cuts
    };
    let cut = |rule: &str, place: &str, count| Redaction { rule: rule.to_owned(), place: place.to_owned(), count };
    let of_one = [
        cut("not_on_list", "/value/0", 1),
        cut("not_on_list", "/value/0/identity/userAssignedIdentities/~1subscriptions~1s~0~1id1", 1),
        cut("not_on_list", "/value/0/identity/userAssignedIdentities/[cut]", 2),
        cut("secret_like", "/value/0/identity/userAssignedIdentities/[cut]", 1),
    ];
    assert_eq!(cuts(1), of_one);
    assert_eq!(cuts(4).len(), 4 * 4);
    let of_five = cuts(5); // two maps entries each: ten places alike
    assert_eq!(of_five.iter().filter(|cut| cut.place.contains('*')).count(), 1, "{of_five:?}");
    assert!(of_five.contains(&cut("not_on_list", "/value/*/identity/userAssignedIdentities/*", 15)), "{of_five:?}");
    assert_eq!(of_five.iter().map(|cut| cut.count).sum::<u64>(), 5 * 5);
}

/// Steps of every path that the list has for a kind.
fn paths(kind: Kind) -> Vec<Vec<String>> {
    let entries = allow::FILES.iter().flat_map(|(_, text)| allow::entries(text)).map(|entry| entry.expect("an entry"));
    let paths = entries.filter(|entry| entry.is_for(kind)).flat_map(|entry| entry.paths());
    paths.map(|path| path.into_iter().map(str::to_owned).collect()).collect()
}

/// The obvious redaction: keep what some path begins with, cut the rest.
fn slow(value: &Value, paths: &[&[String]]) -> Value {
    let below = |step: &str| -> Vec<&[String]> {
        paths
            .iter()
            .filter_map(|path| path.split_first())
            .filter(|(first, _)| *first == step)
            .map(|(_, rest)| rest)
            .collect()
    };
    match value {
        Value::Null => Value::Null,
        Value::Object(members) if paths.iter().any(|path| path.first().is_some_and(|step| step != "[]")) => {
            let mut kept = Map::new();
            for (name, member) in members {
                let named = below(name);
                if !named.is_empty() {
                    kept.insert(name.clone(), slow(member, &named));
                }
            }
            Value::Object(kept)
        }
        Value::Array(items) if !below("[]").is_empty() => {
            Value::Array(items.iter().map(|item| slow(item, &below("[]"))).collect())
        }
        Value::Object(_) | Value::Array(_) => json!("[cut]"),
        scalar if paths.iter().any(|path| path.is_empty()) => scalar.clone(),
        _ => json!("[cut]"),
    }
}

/// Trees that have an eye on the list: mostly its names, mostly in its order, with canaries everywhere.
fn tree(names: Vec<String>) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(null)), Just(json!(true)), Just(json!(CANARY)), Just(json!("fine"))];
    leaf.prop_recursive(8, 96, 5, move |inner| {
        let name = prop_oneof![8 => proptest::sample::select(names.clone()), 1 => Just(CANARY.to_owned())];
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            3 => proptest::collection::vec((name, inner), 0..5).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Puts `fine` where the list allows text, so that every canary left is outside.
fn calm(value: &mut Value, paths: &[&[String]]) {
    let below = |step: &str| -> Vec<&[String]> {
        paths
            .iter()
            .filter_map(|path| path.split_first())
            .filter(|(first, _)| *first == step)
            .map(|(_, rest)| rest)
            .collect()
    };
    match value {
        Value::String(text) if paths.iter().any(|path| path.is_empty()) => *text = "fine".to_owned(),
        Value::Object(members) => members.iter_mut().for_each(|(name, member)| calm(member, &below(name))),
        Value::Array(items) => items.iter_mut().for_each(|item| calm(item, &below("[]"))),
        _ => {}
    }
}

fn names_in(paths: &[Vec<String>]) -> Vec<String> {
    let mut names: Vec<String> = paths.iter().flatten().filter(|name| *name != "[]").cloned().collect();
    names.sort();
    names.dedup();
    names
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_canary_outside_the_list_survives(
        item in tree(names_in(&paths(Kind::Vaults))),
        properties in tree(names_in(&paths(Kind::Vaults))),
        is_pretty in any::<bool>(),
    ) {
        let list = paths(Kind::Vaults);
        let list: Vec<&[String]> = list.iter().map(Vec::as_slice).collect();
        // Two places deep in the list get a random tree each, since random names alone rarely reach them.
        let mut body = json!({"value": [item, {"properties": properties}, {"tags": {"owner": "fine", "x": CANARY}}]});
        calm(&mut body, &list);
        let text = if is_pretty { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) };
        let clean = answer(Kind::Vaults, text.expect("JSON").as_bytes()).expect("JSON");
        let kept = String::from_utf8(clean.bytes).expect("UTF-8");
        prop_assert!(!kept.contains(CANARY), "{kept}");
        // Booleans where the list has a URL, a path or a tag are cut; the slow one does not know classes.
        let fast: Value = serde_json::from_str(&kept.replace("\"[cut]\"", "true")).expect("JSON");
        let slow: Value = serde_json::from_str(&slow(&body, &list).to_string().replace("\"[cut]\"", "true")).expect("JSON");
        prop_assert_eq!(fast, slow);
    }
}
