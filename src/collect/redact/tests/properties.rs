//! Random answers to every kind of question, refusals and tables of rows included, grown along the list.
//!
//! They have mostly the shape of the contract, with a canary wherever the list allows nothing, in many encodings, and
//! where a class of values is only kept in part. They are written as no printer writes: blanks anywhere, numbers and
//! characters in any spelling.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::super::allow::{Allowed, answers, refusals};
use super::super::cell::Class;
use super::*;

const CANARY: &str = "tmk-CANARY-hunter2-7f3a9c51";
/// What is left of it when it is cut to pieces.
const PIECES: [&str; 3] = ["tmk-canary", "hunter2", "7f3a9c51"];

/// Chance, from a seed: the same seed makes the same answer.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }
}

/// The forms in which the canary is planted.
fn forms() -> Vec<String> {
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let wide: Vec<u8> = CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        CANARY.to_owned(),
        CANARY.to_uppercase(),
        CANARY.chars().rev().collect(),
        hex(CANARY),
        hex(CANARY).to_uppercase(),
        percent(CANARY),
        percent(&percent(CANARY)),
        STANDARD.encode(CANARY),
        URL_SAFE_NO_PAD.encode(CANARY),
        STANDARD.encode(wide),
        format!("{{\"password\":\"{CANARY}\"}}"),
    ]
}

/// Whether any form of the canary, or a piece of it, is in a text.
fn holds_canary(text: &str) -> bool {
    let lower = text.to_lowercase();
    forms().iter().any(|form| text.contains(form.as_str())) || PIECES.iter().any(|piece| lower.contains(piece))
}

/// A value that is of the class, with the canary where the class keeps only a part.
fn of_class(class: Class, chance: &mut Chance) -> Value {
    let canary = chance.one_of(&forms());
    let known = match class {
        Class::Text => json!(chance.one_of(&[
            "fine",
            "",
            "rg_customer_platform_production_westeurope_0001",
            "2026-07-01T00:00:00Z"
        ])),
        Class::Path => json!(chance.one_of(&["/subscriptions/s/resourceGroups/rg", "Microsoft.KeyVault/vaults/read"])),
        Class::Url => json!(format!("https://kv.vault.azure.net/secrets/a?api-version=7.4&x={canary}#{canary}")),
        Class::Link => {
            json!(format!("https://u:{canary}@management.azure.com/x?api-version=1&$skiptoken={canary}#{canary}"))
        }
        Class::Token => json!(chance.one_of(&[canary.clone(), String::new()])),
        Class::Tag => json!(chance.one_of(&["prod".to_owned(), format!("password={canary}"), canary.repeat(12)])),
        Class::Code => {
            json!(chance.one_of(&["AuthorizationFailed".to_owned(), format!("{canary} x"), format!("{canary}-")]))
        }
        Class::Address => json!(chance.one_of(&["203.0.113.7".to_owned(), canary.clone(), format!("{canary}:443")])),
        Class::Agent => json!(format!("curl/8.5.0 ({canary}) x/{canary}")),
        Class::Description => json!(format!("Caller is not authorized to perform action on resource. {canary}")),
        Class::Targets => json!(
            json!([{"id": "o", "displayName": canary, "modifiedProperties":
                [{"displayName": "KeyDescription", "newValue": canary}]}])
            .to_string()
        ),
        Class::Person(..) => {
            json!(chance.one_of(&[format!("password={canary}"), "Ann".to_owned(), "ann@contoso.com".to_owned()]))
        }
        Class::Grant => {
            let granted = json!({"PrincipalId": "p", "Scope": "/s", "Description": canary});
            json!(chance.one_of(&[json!({"Properties": granted, "Id": "/x"}).to_string(), canary.clone()]))
        }
        Class::Words => json!(chance.one_of(&[String::new(), canary.clone(), format!("the password is {canary}")])),
        Class::Reference => json!(chance.one_of(&["CHG-4711".to_owned(), canary.clone(), format!("#1 {canary}")])),
        Class::Domain => json!(format!("{canary}@{}", chance.one_of(&["contoso.example".to_owned(), canary.clone()]))),
        Class::Claims => json!(json!({"claim": {"oid": "o", "upn": canary}, canary.clone(): canary}).to_string()),
    };
    match (class, chance.below(10)) {
        (Class::Text, 0) => chance.one_of(&[json!(7), json!(true), json!(1.5), Value::Null]),
        (Class::Claims, 0) => json!({"claim": {"appid": "a", "name": canary}}),
        (_, 1) => chance.one_of(&[json!([canary]), json!({"name": canary}), Value::Null]), // of another shape
        _ => known,
    }
}

/// Something that the list knows nothing of.
fn stranger(chance: &mut Chance, depth: usize) -> Value {
    let canary = chance.one_of(&forms());
    match chance.below(if depth > 3 { 3 } else { 6 }) {
        0 | 1 => json!(canary),
        2 => chance.one_of(&[json!(3), json!(false), Value::Null]),
        3 => Value::Array((0..chance.below(3)).map(|_| stranger(chance, depth + 1)).collect()),
        _ => json!({ canary: stranger(chance, depth + 1), "name": stranger(chance, depth + 1) }),
    }
}

/// An answer that mostly is what the list expects.
fn grown(allowed: &Allowed, chance: &mut Chance, depth: usize) -> Value {
    match allowed {
        // of another shape than the contract's
        Allowed::Array(_) | Allowed::Tuple(_) if depth > 0 && chance.once_in(25) => {
            chance.one_of(&[json!(CANARY), json!({"name": CANARY}), json!(7)])
        }
        Allowed::Object { .. } if depth > 0 && chance.once_in(25) => {
            chance.one_of(&[json!(CANARY), json!([{"name": CANARY}]), json!(true)])
        }
        Allowed::Nothing => stranger(chance, depth),
        Allowed::Leaf(class) => of_class(*class, chance),
        Allowed::Array(items) => Value::Array((0..chance.below(4)).map(|_| grown(items, chance, depth + 1)).collect()),
        Allowed::Tuple(items) => {
            let mut values: Vec<Value> = items.iter().map(|item| grown(item, chance, depth + 1)).collect();
            if chance.once_in(4) {
                values.push(stranger(chance, depth));
            }
            Value::Array(values)
        }
        Allowed::Object { members, any } => {
            let mut object = Map::new();
            for (name, below) in members.iter() {
                if !chance.once_in(4) {
                    object.insert(name.clone(), grown(below, chance, depth + 1));
                }
            }
            if let Some(entry) = any {
                for id in ["/subscriptions/s/a", "/subscriptions/s/b~c", "password=hunter2"] {
                    object.insert(id.to_owned(), grown(entry, chance, depth + 1));
                }
            }
            let strangers = ["zzz", "value2", "secret", "password", "properties.x", "na me", ""];
            let strangers_here = if depth == 0 { 2 } else { 0 } + chance.below(3);
            for _ in 0..strangers_here {
                let name = match chance.below(3) {
                    0 => chance.one_of(&forms()),
                    _ => chance.one_of(&strangers).to_owned(),
                };
                if any.is_none() && members.get(&name).is_none() {
                    object.insert(name, stranger(chance, depth + 1));
                }
            }
            Value::Object(object)
        }
    }
}

/// A table of rows: columns that the list knows, and others.
fn table(columns: &Allowed, chance: &mut Chance) -> Value {
    let Allowed::Object { members, .. } = columns else { panic!("columns") };
    let mut names: Vec<(String, &Allowed)> = members.iter().map(|(name, cell)| (name.clone(), cell)).collect();
    for form in forms() {
        if chance.once_in(6) {
            names.insert(chance.below(names.len()), (form, &Allowed::Nothing));
        }
    }
    let rows: Vec<Value> = (0..chance.below(12))
        .map(|_| Value::Array(names.iter().map(|(_, cell)| grown(cell, chance, 1)).collect()))
        .collect();
    let columns: Vec<Value> =
        names.iter().map(|(name, _)| json!({"name": name, "type": "string", "x": CANARY})).collect();
    json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows, "x": CANARY}],
        "error": grown(refusals(), chance, 0)["error"].clone(), "statistics": stranger(chance, 0)})
}

/// JSON as no printer writes it.
fn written(value: &Value, chance: &mut Chance, out: &mut String) {
    let blank =
        |chance: &mut Chance, out: &mut String| out.push_str(chance.one_of(&["", "", "", " ", "\n  ", "\t", "\r\n"]));
    blank(chance, out);
    match value {
        Value::Object(members) => {
            out.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                blank(chance, out);
                spelled(name, chance, out);
                blank(chance, out);
                out.push(':');
                written(member, chance, out);
            }
            blank(chance, out);
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                written(item, chance, out);
            }
            blank(chance, out);
            out.push(']');
        }
        Value::String(text) => spelled(text, chance, out),
        Value::Number(_) => {
            let numbers = ["0", "-0", "1.0", "1e5", "1E+05", "123456789012345678901234567890", "0.10", "-1.50e-400"];
            out.push_str(chance.one_of(&numbers));
        }
        other => out.push_str(&other.to_string()),
    }
    blank(chance, out);
}

fn spelled(text: &str, chance: &mut Chance, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '/' if chance.once_in(3) => out.push_str("\\/"),
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_ascii() && chance.once_in(12) => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The parts of a JSON text, blanks left out. The commas are of no interest: they go with what is cut.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => {
                let mut is_escaped = false;
                let closing = |(_, c): &(usize, char)| {
                    let is_end = *c == '"' && !is_escaped;
                    is_escaped = *c == '\\' && !is_escaped;
                    is_end
                };
                1 + rest[1..].char_indices().find(closing).expect("a closed string").0 + 1
            }
            '{' | '}' | '[' | ']' | ':' | ',' | ' ' | '\t' | '\r' | '\n' => 1,
            _ => rest.find(['{', '}', '[', ']', ':', ',', ' ', '\t', '\r', '\n']).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(end);
        if !token.trim().is_empty() && token != "," {
            tokens.push(token);
        }
        rest = after;
    }
    tokens
}

/// The first token of `kept` that is not in `body` after the ones before it, those left out that replace something.
fn misplaced<'a>(kept: &'a str, body: &str, replacements: &BTreeSet<&str>) -> Option<&'a str> {
    let body = tokens(body);
    let mut at = 0;
    for token in tokens(kept) {
        if replacements.contains(token) || token.contains("[cut]") {
            continue;
        }
        match body[at..].iter().position(|other| *other == token) {
            Some(further) => at += further + 1,
            None => return Some(token),
        }
    }
    None
}

/// How many places of a kept page a pointer names; `*` stands for any step.
fn resolved(page: &Value, pointer: &str) -> usize {
    let steps: Vec<String> =
        pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    let mut found = vec![page];
    for step in steps {
        found = found
            .into_iter()
            .flat_map(|value| match (value, step.as_str()) {
                (Value::Array(items), "*") => items.iter().collect::<Vec<_>>(),
                (Value::Object(members), "*") => members.values().collect(),
                (Value::Array(items), index) => {
                    index.parse().ok().and_then(|index: usize| items.get(index)).into_iter().collect()
                }
                (Value::Object(members), name) => members.get(name).into_iter().collect(),
                _ => Vec::new(),
            })
            .collect();
    }
    found.len()
}

/// What every answer must be held to.
fn hold(body: &str, clean: &Clean, again: &Clean) {
    let kept = std::str::from_utf8(&clean.bytes).expect("UTF-8");
    let page: Value = serde_json::from_str(&kept.replace("1.50e-400", "0")).expect("what is kept is JSON");
    assert!(!holds_canary(&page.to_string()) && !holds_canary(kept), "{body}\n---\n{kept}");
    let replacements = BTreeSet::from(["null", "\"\"", "\"203.0.113.0/24\"", "\"curl/8.5.0 [cut]\"", "\"{}\""]);
    let is_new = |token: &&str| {
        ["?api-version=", "claim", "PrincipalId", "modifiedProperties"].iter().any(|part| token.contains(part))
    };
    let of_class: BTreeSet<&str> = tokens(kept).into_iter().filter(is_new).chain(replacements).collect();
    assert_eq!(misplaced(kept, body, &of_class), None, "{body}\n---\n{kept}");
    if clean.cuts.is_empty() {
        assert_eq!(kept, body);
    }
    assert_eq!(again.bytes, clean.bytes, "what is kept is kept again as it is");
    for cut in &clean.cuts {
        let places = resolved(&page, &cut.place);
        let is_exact = !cut.place.contains('*');
        assert!(if is_exact { places == 1 } else { places > 8 }, "{places} of {cut:?} in {kept}");
        assert!(cut.count > 0);
    }
    // what is visibly cut is told of
    let visible = kept.matches("\"[cut]\"").count() as u64;
    let told: u64 = clean.cuts.iter().filter(|cut| cut.rule != "not_on_list").map(|cut| cut.count).sum();
    assert!(visible <= told, "{visible} are visible, {told} are told of: {kept}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn nothing_outside_the_list_survives_in_any_answer(seed in any::<u64>()) {
        for (number, kind) in Kind::ALL.iter().enumerate() {
            let mut chance = Chance(seed.wrapping_add(number as u64));
            let list = answers(*kind);
            let value = match list.member("column") {
                Some((_, columns)) => table(columns, &mut chance),
                None => grown(list, &mut chance, 0),
            };
            let mut body = String::new();
            written(&value, &mut chance, &mut body);
            let clean = answer(*kind, body.as_bytes()).expect("JSON");
            hold(&body, &clean, &answer(*kind, &clean.bytes).expect("JSON"));
        }
    }

    #[test]
    fn nothing_outside_the_list_survives_in_a_refusal(seed in any::<u64>()) {
        let mut chance = Chance(seed);
        for _ in 0..8 {
            let value = match chance.below(3) {
                0 => stranger(&mut chance, 0),
                _ => grown(refusals(), &mut chance, 0),
            };
            let mut body = String::new();
            written(&value, &mut chance, &mut body);
            let clean = refusal(body.as_bytes()).expect("JSON");
            hold(&body, &clean, &refusal(&clean.bytes).expect("JSON"));
        }
    }
}

#[test]
fn the_random_answers_reach_every_kind_and_hold_the_canary() {
    for kind in Kind::ALL {
        let (mut planted, mut kept) = (0, BTreeSet::new());
        for seed in 0..80 {
            let mut chance = Chance(seed);
            let list = answers(*kind);
            let value = match list.member("column") {
                Some((_, columns)) => table(columns, &mut chance),
                None => grown(list, &mut chance, 0),
            };
            planted += usize::from(holds_canary(&value.to_string()));
            let clean = answer(*kind, value.to_string().as_bytes()).expect("JSON");
            let page: Value = serde_json::from_slice(&clean.bytes).expect("JSON");
            names(&page, &mut kept);
        }
        assert!(planted > 30, "{kind:?}: {planted} of 80 answers hold the canary");
        let expected: BTreeSet<String> = match answers(*kind).member("column") {
            Some(_) => ["tables", "columns", "rows", "error"].map(str::to_owned).into(),
            None => {
                let named = names_in(&paths(*kind)).into_iter().filter(|name| name != "*");
                named.map(|name| name.replace("~1", "/").to_lowercase()).collect()
            }
        };
        let missing: Vec<&String> = expected.difference(&kept).collect();
        assert!(missing.is_empty(), "{kind:?}: never kept {missing:?}");
    }
}

fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            found.insert(name.to_lowercase());
            names(member, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        _ => {}
    }
}
