use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

/// The shape of the records of these tests: what is named here is kept.
fn shape() -> Shape {
    let list = |of: Shape| Shape::List(Box::new(of));
    let map = Shape::Object { members: BTreeMap::new(), any: Some(Box::new(Shape::Leaf)) };
    Shape::object([
        ("name", Shape::Leaf),
        ("days", Shape::Leaf),
        ("purge", Shape::Leaf),
        ("made", Shape::Leaf),
        ("seconds", Shape::Leaf),
        ("tags", Shape::leaves(&["env", "owner"])),
        ("attached", map),
        ("rules", list(Shape::object([("value", Shape::Leaf), ("on", Shape::Leaf), ("of", list(Shape::Leaf))]))),
        ("long", list(Shape::Leaf)),
        ("nested", list(list(Shape::Leaf))),
    ])
}

fn record() -> Json {
    json!({
        "name": "KV-prod", "days": 30, "made": "2026-01-01T00:00:00Z", "seconds": 1_767_225_600, "purge": null,
        "tags": {"env": "prod", "owner": "[cut]"},
        "attached": {"/subscriptions/s/a": 1, "/subscriptions/s/b": 2},
        "rules": [{"value": "10.0.0.0/8", "on": true, "of": ["a", "b"]}, {"value": "0.0.0.0/0", "of": []}],
        "long": (0..400).collect::<Vec<i64>>(),
        "nested": [[1, 2], [3]],
    })
}

fn of(text: &str) -> Result<bool, Stopped> {
    let (record, shape) = (record(), shape());
    let mut variables = Variables::default();
    variables.set("r", Value::kept(&record, &shape).expect("a record"));
    variables.set("now", Value::Time("2026-10-02T09:00:00Z".parse().expect("a time")));
    variables.unknown("role", Stopped::new(Why::Unread, "the role was not read"));
    compile(text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}")).holds(&variables)
}

fn stopped(text: &str) -> (Why, String) {
    let stopped = of(text).expect_err(text);
    (stopped.why, stopped.what)
}

#[test]
fn what_holds_and_what_does_not() {
    for text in [
        "r.days >= 30 && r.days < 31 && r.days + 1 == 31 && -r.days == -30 && 7 % 4 == 3 && 7 / 2 == 3",
        "r.name.lowerAscii() == 'kv-prod' && r.name.startsWith('KV') && !r.name.endsWith(\"x\") && r.name.contains('-')",
        "r.NAME == 'KV-prod' && r['name'] == 'KV-prod' && size(r.name) == 7 && r.name.size() == 7",
        "now - timestamp(r.made) > days(90) && timestamp(r.made) == timestamp(r.seconds)",
        "now - timestamp(r.made) > duration('2160h') && duration('1h30m') == duration('5400s')",
        "timestamp('2026-01-01T00:00:00') + days(1) == timestamp('2026-01-02T01:00:00+01:00')",
        "!has(r.purge) && has(r.tags.env) && 'env' in r.tags && 'prod' in [r.tags.env]",
        "r.rules.exists(rule, rule.value == '0.0.0.0/0') && !r.rules.all(rule, rule.of.size() > 0)",
        "r.rules.filter(rule, has(rule.on)).size() == 1 && r.rules.exists_one(rule, 'a' in rule.of)",
        "r.rules.map(rule, rule.value)[1] == '0.0.0.0/0' && r.nested[0][1] == 2 && r.nested == [[1, 2], [3]]",
        "r.attached.all(id, id.startsWith('/subscriptions/')) && size(r.attached) == 2 && r.attached['/Subscriptions/S/A'] == 1",
        "(r.days > 7 ? 'long' : 'short') == 'long' && {'a': 1}.a == 1 && !('b' in {'a': 1}) && null == null && r.days != null",
        "'a/b/c'.split('/')[2] == 'c' && int('42') == 42 && double(1) == 1 && string(5) == '5' && 'ä' < 'ö' // a remark",
        "[1].all(r, r == 1)",
    ] {
        assert_eq!(of(text), Ok(true), "{text}");
        assert_eq!(of(&format!("!({})", text.replace(" // a remark", ""))), Ok(false), "{text}");
    }
}

#[test]
fn what_cannot_be_known_is_neither() {
    for (text, why, words) in [
        ("r.purge", Why::Missing, "the record does not tell `r.purge`"),
        ("r.rules[1].on", Why::Missing, "the record does not tell `r.rules[…].on`"),
        ("r.rules[2].on", Why::Missing, "the record does not tell `r.rules[…]`"),
        ("r.rules[-1].on", Why::Missing, "the record does not tell `r.rules[…]`"),
        ("r.tags.owner == 'x'", Why::Cut, "`r.tags.owner`: was cut, whole or in part, before the record was kept"),
        ("r.tags.owner != 'x'", Why::Cut, "`r.tags.owner`: was cut, whole or in part, before the record was kept"),
        ("has(r.tags.team)", Why::Cut, "`r.tags.team`: is never kept of such a record"),
        ("r.tags.all(name, name == 'env')", Why::Cut, "of its members only those on a list are kept"),
        ("size(r.tags) == 2", Why::Cut, "of its members only those on a list are kept"),
        ("role.name == 'Owner'", Why::Unread, "the role was not read"),
        ("vault.name == 'x'", Why::Types, "there is no variable `vault`"),
        ("r.days != '30'", Why::Types, "a whole number is compared with a text by `!=`"),
        ("r.days == '30'", Why::Types, "a whole number is compared with a text by `==`"),
        ("r.name < 3", Why::Types, "a text is compared with a whole number by `<`"),
        ("r.days + '1' == '301'", Why::Types, "`+` is asked of a whole number and a text"),
        ("r.days", Why::Types, "the expression gives a whole number, not true or false"),
        ("!r.days", Why::Types, "a whole number stands where true or false is wanted"),
        ("r.name.all(x, true)", Why::Types, "a text has no items"),
        ("r.name.x == 1", Why::Types, "is asked of a text, which has no members"),
        ("timestamp('soon') > now", Why::Types, "`timestamp` cannot read `soon`"),
        ("9223372036854775807 + 1 > 0", Why::Types, "out of range"),
        ("-9223372036854775807 - 2 < 0", Why::Types, "out of range"),
        ("1 / 0 == 1 || 1 % 0 == 1", Why::Types, "out of range"),
        ("1.0 / 0.0 > 1.0", Why::Types, "out of range"),
        ("now + days(1000000000) > now", Why::Types, "out of range"),
        ("duration('1d') > duration('1h')", Why::Types, "`duration` cannot read `1d`"),
        ("[1, 'a'].exists(x, x == 2)", Why::Types, "a text is compared with a whole number"),
        ("2 in [1, 'a']", Why::Types, "a text is compared with a whole number"),
        ("r.rules.exists_one(rule, rule.on)", Why::Missing, "does not tell `rule.on`"),
    ] {
        let (found, what) = stopped(text);
        assert_eq!(found, why, "{text}: {what}");
        assert!(what.contains(words), "{text}: {what}");
    }
}

#[test]
fn what_is_decided_without_it_is_decided() {
    for (text, holds) in [
        ("r.purge || true", true),
        ("true || r.purge", true),
        ("r.purge && false", false),
        ("false && r.purge", false),
        ("has(r.purge) && r.purge", false),
        ("r.rules.exists(rule, rule.on)", true),
        ("[1, 'a'].exists(x, x == 1)", true),
        ("r.rules.all(rule, rule.on && false)", false),
        ("1 in ['a', 1]", true),
    ] {
        assert_eq!(of(text), Ok(holds), "{text}");
    }
    assert!(of("r.purge || false").is_err() && of("r.purge && true").is_err());
}

#[test]
fn work_is_counted_and_running_out_is_never_overlooked() {
    let began = Instant::now();
    let six = "r.long.map(a, r.long.map(b, r.long.map(c, r.long.map(d, r.long.map(e, r.long.map(f, f)))))).size() == 0";
    let alike = "[1].map(a, [a, a]).map(a, [a, a])".to_owned() + &".map(a, [a, a])".repeat(20);
    let long = "['0123456789']".to_owned() + &".map(a, a + a)".repeat(20) + ".size() == 1";
    for text in [
        six.to_owned(),
        format!("{six} || true"),
        format!("true && {six} && false"),
        "r.long.all(a, r.long.all(b, r.long.all(c, a + b + c >= 0)))".to_owned(),
        format!("{alike} == {alike}"),
        long,
    ] {
        assert_eq!(of(&text).map_err(|stopped| stopped.why), Err(Why::TooLong), "{text}");
    }
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(of("r.long.all(a, r.long.exists(b, b == a))"), Ok(true), "160,000 comparisons are fine");
}

#[test]
fn a_text_that_is_no_condition_is_told_where() {
    for (text, at, words) in [
        ("  ", 0, "the expression is empty"),
        ("r.days >=", 9, "this is no expression"),
        ("r.days > 3 r", 11, "this is no expression"),
        ("'ä' == 'ö' &&& r.days", 15, "this is no expression"),
        ("r.days > 3\n&& r.name ==", 23, "this is no expression"),
        ("(r.days > 3", 0, "this `(` is not closed"),
        ("r.days > 3]", 10, "`]` closes nothing"),
        ("(r.days > 3]", 11, "`]` closes what `(` opens"),
        ("r.name == 'x", 10, "this text is not closed"),
        ("r.name == 'x\n'", 10, "this text is not closed"),
        ("'ä' == r.name.matches('x')", 15, "there is no function `matches`; there are has()"),
        ("now() > 1", 0, "there is no function `now`"),
        ("r.name.size(1) > 1", 7, "`size` takes 0 values, not 1"),
        ("r.name.days()", 7, "`days` stands in front of its value"),
        ("contains(r.name)", 0, "`contains` stands behind its value"),
        ("all(r.rules, x, true)", 0, "`all` is called on a list"),
        ("r.rules.all(x)", 8, "`all` is called on a list"),
        ("r.rules.all(1, true)", 12, "`all` names each item first"),
        ("has(r)", 3, "`has` asks for a member"),
        ("r.days == 3u", 10, "numbers with `u`"),
        ("r'x' == 'x'", 0, "texts with `r` or `b` in front"),
        ("b'x' == b'x'", 0, "texts with `r` or `b` in front"),
        ("R{a: 1} == 1", 1, "messages with fields"),
        ("r.?days == 1", 1, "this is no expression"),
        ("r.days == 99999999999999999999", 10, "this is no expression"),
    ] {
        let wrong = compile(text).map(drop).expect_err(text);
        assert!(wrong.what.contains(words), "{text}: {wrong:?}");
        assert_eq!(wrong.at, at, "{text}: {wrong:?}");
    }
}

#[test]
fn deep_long_and_dense_texts_are_refused_or_read() {
    let began = Instant::now();
    let deep = |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    for (text, refused) in [
        (deep("(", ")", 30) + " == 1", false),
        (deep("(", ")", 33), true),
        (deep("[", "]", 2000), true),
        (deep("{'a': ", "}", 30) + " == null", false),
        ("!".repeat(4) + "true", false),
        ("!".repeat(4000) + "true", true),
        ("-".repeat(4000) + "1", true),
        ("- ! ".repeat(900) + "1", true),
        ("r".to_owned() + &".a".repeat(90) + " == 1", false),
        ("r".to_owned() + &".a".repeat(2000), true),
        ("r".to_owned() + &"[0]".repeat(1200), true),
        ("r".to_owned() + &"[0]".repeat(90) + " == 1", false),
        ("true ? true : ".repeat(12) + "false", false),
        ("true ? true : ".repeat(200) + "false", true),
        ("1 ".to_owned() + &"+ 1 ".repeat(95) + "== 1", false),
        ("1".to_owned() + &"+1".repeat(2000), true),
        ("1".to_owned() + &" in 1".repeat(800), true),
        ("true".to_owned() + &" && true".repeat(300), false),
        ("[[],".repeat(32) + &"]".repeat(32), true),
        ("[".repeat(2000) + &"{(".repeat(1000), true),
        ("x".repeat(4097), true),
        ("r.rules".to_owned() + &".filter(x, true)".repeat(60) + ".size() == 2", false),
        ("r.rules".to_owned() + &".filter(x, true)".repeat(130), true),
    ] {
        let short: String = text.chars().take(40).collect();
        assert_eq!(compile(&text).is_err(), refused, "{short}: {:?}", compile(&text).err());
        if !refused {
            let _ = of(&text); // whatever it gives, it ends
        }
    }
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn members_that_are_never_kept_are_found_before_anything_is_evaluated() {
    let lost = |text: &str| compile(text).expect(text).lost("r", &shape());
    assert_eq!(lost("has(r.tags.team) && r.days > 1"), Some(("r.tags.team".to_owned(), 11)));
    assert_eq!(lost("r.tags['team'] == 'x'").map(|(path, _)| path), Some("r.tags.team".to_owned()));
    for fine in ["r.tags.env == 'x'", "r.attached.any == 1", "[{'a': 1}].all(r, r.a == 1)", "s.x == 1", "r.Days == 1"] {
        assert_eq!(lost(fine), None, "{fine}");
    }
    let reads = compile("now > days(1) && [1].all(x, x == r.days)").expect("a condition").reads();
    assert_eq!(reads, [("now".to_owned(), 0), ("r".to_owned(), 33)]);
}

/// Pieces of expressions, good and odd, of which texts are put together.
const PIECES: &[&str] = &[
    "r",
    "r.days",
    "r.rules",
    "r.tags.env",
    "r.long",
    "now",
    "role",
    "1",
    "-1",
    "0.5",
    "1e308",
    "9223372036854775807",
    "'x'",
    "\"y\"",
    "'''z'''",
    "null",
    "true",
    "false",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "?",
    ".",
    ".?",
    "[?",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    " in ",
    "&&",
    "||",
    "has(",
    "size(",
    ".all(x,",
    ".exists(x,",
    ".map(x,",
    ".filter(x,",
    ".exists_one(x,",
    ".split(",
    ".contains(",
    "timestamp(",
    "duration(",
    "days(",
    "int(",
    "double(",
    "string(",
    "x",
    "`a`",
    "@",
    "\\",
    "'",
    "\"",
    "//",
    "\n",
    " ",
    "r'",
    "b'",
    "0x",
    "1u",
    "é",
    "\u{0}",
    "__result__",
    "@result",
    "[cut]",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_brings_it_down(pieces in proptest::collection::vec(0..PIECES.len(), 0..60), odd in ".{0,20}") {
        let text: String = pieces.iter().map(|piece| PIECES[*piece]).chain([odd.as_str()]).collect();
        let began = Instant::now();
        if let Ok(condition) = compile(&text) {
            let (record, shape) = (record(), shape());
            let mut variables = Variables::default();
            variables.set("r", Value::kept(&record, &shape).expect("a record"));
            let first = condition.holds(&variables);
            prop_assert_eq!(first, condition.holds(&variables), "the same twice");
            let _ = (condition.reads(), condition.lost("r", &shape));
        }
        prop_assert!(began.elapsed() < Duration::from_secs(20), "{:?}: {}", began.elapsed(), text);
    }

    #[test]
    fn brackets_in_any_order_end_soon(pieces in proptest::collection::vec(0..12_usize, 0..128)) {
        const DENSE: [&str; 12] = ["(", ")", "[", "]", "{", "}", ",", ":", "?", "1", "x", "!"];
        let text: String = pieces.iter().map(|piece| DENSE[*piece]).collect();
        let began = Instant::now();
        let _ = compile(&text);
        prop_assert!(began.elapsed() < Duration::from_secs(20), "{:?}: {}", began.elapsed(), text);
    }

    /// Brackets that match, so that the parser gets them.
    #[test]
    fn matching_brackets_end_soon(shape in proptest::collection::vec(0..8_usize, 0..120)) {
        let (mut text, mut open) = (String::new(), Vec::new());
        for piece in shape {
            match piece {
                0..=2 if open.len() < 32 => {
                    text.push(['(', '[', '{'][piece]);
                    open.push([')', ']', '}'][piece]);
                }
                3 | 4 => text.extend(open.pop()),
                5 => text.push(','),
                6 => text.push('1'),
                _ => text.push(':'),
            }
        }
        text.extend(open.into_iter().rev());
        let began = Instant::now();
        let _ = compile(&text);
        prop_assert!(began.elapsed() < Duration::from_secs(20), "{:?}: {}", began.elapsed(), text);
    }
}
