//! Cases worked out by hand: `tests/access/*.toml`, each with the expected answer, the rule that it shows and where
//! the rule is written.
//!
//! `asks` holds lines such as `u1 read_secret kv1/secrets/db = allowed`. `none` is no; `| gap` behind an answer says
//! that a list which could hold more was not read.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::agreement::Product;
use super::rules::{Outcome, Rules};
use super::world::World;
use crate::access::{Answer, Capability};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What it shows.
    name: String,
    /// One sentence.
    rule: String,
    /// Where the rule is written.
    source: String,
    #[serde(default)]
    tenant: World,
    asks: Vec<String>,
}

/// A question with its answer.
struct Ask<'a> {
    who: &'a str,
    capability: Capability,
    object: &'a str,
    answer: Outcome,
    has_gap: bool,
}

fn ask(line: &str) -> Option<Ask<'_>> {
    let (question, expected) = line.split_once(" = ")?;
    let (expected, has_gap) = match expected.split_once(" | ") {
        Some((expected, "gap")) => (expected, true),
        Some(_) => return None,
        None => (expected, false),
    };
    let [who, capability, object] = question.split(' ').collect::<Vec<_>>()[..] else { return None };
    Some(Ask { who, capability: capability_named(capability)?, object, answer: outcome_named(expected)?, has_gap })
}

fn capability_named(name: &str) -> Option<Capability> {
    let by_name = |capability: &&Capability| capability.name() == name;
    Capability::ALL.iter().find(by_name).copied()
}

fn outcome_named(name: &str) -> Option<Outcome> {
    Some(match name {
        "none" => None,
        "allowed" => Some(Answer::Allowed),
        "eligible" => Some(Answer::Eligible),
        "conditional" => Some(Answer::Conditional),
        "not_determined" => Some(Answer::NotDetermined),
        "denied" => Some(Answer::Denied),
        _ => return None,
    })
}

fn cases() -> BTreeMap<String, Case> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access");
    let mut cases = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for case in file.cases {
            let name = format!("{}: {}", path.file_stem().expect("a name").to_string_lossy(), case.name);
            assert!(cases.insert(name.clone(), case).is_none(), "two cases `{name}`");
        }
    }
    cases
}

#[test]
fn every_case_says_what_it_shows_and_where_that_is_written() {
    let cases = cases();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let mut answers: BTreeSet<String> = BTreeSet::new();
    for (name, case) in &cases {
        assert!(!case.asks.is_empty(), "{name}: asks nothing");
        assert!(case.rule.ends_with('.') && case.rule.len() > 20, "{name}: {}", case.rule);
        assert!(case.source.starts_with("learn.microsoft.com/"), "{name}: {}", case.source);
        for line in &case.asks {
            let ask = ask(line).unwrap_or_else(|| panic!("{name}: `{line}` is no question"));
            answers.insert(format!("{:?}", ask.answer));
        }
    }
    assert_eq!(answers.len(), 6, "every answer has its cases: {answers:?}");
}

#[test]
fn the_engine_answers_every_case_as_it_was_worked_out() {
    let mut wrong = Vec::new();
    for (name, case) in &cases() {
        let product = Product::of(&case.tenant.capture());
        for line in &case.asks {
            let ask = ask(line).expect("a question");
            let object = super::answers::id(&case.tenant, ask.object);
            let said = product.says(ask.who, &object, ask.capability);
            let has_gap = product.has_gap(&object, ask.capability);
            if (said, has_gap) != (ask.answer, ask.has_gap) {
                wrong.push(format!("{name}\n    {line}\n    says {said:?}, gap: {has_gap}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Conditions written by hand are text, which the rules do not read.
#[test]
fn the_rules_answer_every_case_without_a_condition_as_it_was_worked_out() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, case) in &cases() {
        if !case.tenant.is_within_the_rules() {
            continue;
        }
        for line in &case.asks {
            let ask = ask(line).expect("a question");
            let said = Rules::over(&case.tenant).answer(ask.who, ask.object, ask.capability);
            count += 1;
            if said != ask.answer {
                wrong.push(format!("{name}\n    {line}\n    the rules say {said:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 60, "{count}");
}
