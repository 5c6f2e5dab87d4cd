//! What all exports must hold, on a small tenant whose vaults have names that somebody chose to do harm.

use pulldown_cmark::{Event, Parser, Tag};
use serde_json::{Value, json as object};

use super::*;
use crate::assess::{Inputs, Organisation, Overview, Selection, Sources, Supply, overview};
use crate::check::testing::{SUB, base};
use crate::check::{Check, Parameters};
use crate::control::{self, Framework};
use crate::declared::Declared;
use crate::evidence::{Kind, Reason};
use crate::model;
use crate::render::testing::HOSTILE;

/// Vaults of these names, all open to every network; deny assignments were refused.
fn seen(names: &[&str]) -> Overview {
    declaring(names, &[])
}

/// The same with these files of what people declare.
fn declaring(names: &[&str], files: &[(&str, &str)]) -> Overview {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    let vault = |name: &&str| {
        let id = format!("{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}");
        object!({"id": id, "name": name, "type": "Microsoft.KeyVault/vaults",
            "properties": {"enableRbacAuthorization": true, "publicNetworkAccess": "Enabled",
                "networkAcls": {"defaultAction": "Allow"}, "accessPolicies": []}})
    };
    let vaults: Vec<Value> = names.iter().map(vault).collect();
    let builder = base().replace(Kind::Vaults, SUB, object!({ "value": vaults }));
    let capture = builder.refused(Kind::DenyAssignments, SUB, Reason::Forbidden).build();
    let tenant = model::read(&capture).expect("a tenant");
    let inputs = Inputs {
        organisation: Organisation { name: "o".to_owned(), system: "<b>s</b>".to_owned() },
        period: capture.head.period,
        parameters: Parameters::default(),
        key_fingerprint: String::new(),
        tsa: Vec::new(),
        tool: capture.head.tool.clone(),
        declared: Declared::read(files).expect("declared"),
    };
    let supply =
        |_: &model::Missing| Supply { permissions: vec![("A/read".to_owned(), "Azure role")], what: "w".to_owned() };
    let settle = |_: &Check, _: Reason| "a person".to_owned();
    let table = |_: Kind, _: &str| None;
    let sources = Sources { supply: &supply, settle: &settle, table: &table };
    let controls = control::embedded(|_| true).expect("controls");
    let framework = Framework::embedded().expect("criteria");
    overview(inputs, &capture, &tenant, (&controls, &framework), Selection::default(), &sources)
}

#[test]
fn no_name_becomes_an_element_a_link_or_another_cell() {
    let seen = seen(HOSTILE);
    let xml = String::from_utf8(junit(&seen)).expect("UTF-8");
    for line in xml.lines().filter(|line| line.contains("<testcase")) {
        assert!(line.matches('<').count() <= 4 && line.matches('"').count() % 2 == 0, "{line}");
    }
    assert!(!xml.contains("<script") && !xml.contains("<img") && !xml.contains('\u{202e}'));
    let text = markdown(&seen);
    for event in Parser::new(&text) {
        let is_wild =
            matches!(event, Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::Link { .. } | Tag::Image { .. }));
        assert!(!is_wild, "{event:?}");
    }
    let is_cell = |line: &&str| line.starts_with("| KV-007 |");
    for line in text.lines().filter(is_cell) {
        assert_eq!(line.matches('|').count(), 5, "{line}");
    }
    let log: Value = serde_json::from_slice(&sarif(&seen).expect("SARIF")).expect("JSON");
    assert!(!log["runs"][0]["results"].to_string().contains("\u{202e}gpj.exe: "), "messages show what is hidden");
}

#[test]
fn what_somebody_accepted_is_shown_as_accepted_and_stays_an_exception() {
    let waiver = format!(
        "[[waiver]]\ncheck = \"KV-007\"\nsubject = \"{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-one\"\n\
         reason = \"behind a firewall\"\nowner = \"Bo\"\napprover = \"Ann\"\ncompensating = \"weekly review\"\n\
         created = 2026-01-10\nexpires = 2026-12-31\n"
    );
    let before = seen(&["kv-one", "kv-two"]);
    let seen = declaring(&["kv-one", "kv-two"], &[("waivers.toml", &waiver)]);
    assert_eq!(seen.exceptions().count(), before.exceptions().count() - 1);
    assert_eq!((seen.counts().fail, seen.counts().accepted), (before.counts().fail, 1));

    let told = json(&seen);
    let accepted: Vec<&Value> =
        told["findings"].as_array().expect("findings").iter().filter(|one| !one["accepted"].is_null()).collect();
    assert_eq!(accepted.len(), 1);
    assert_eq!((&accepted[0]["outcome"], &accepted[0]["accepted"]["approver"]), (&"fail".into(), &"Ann".into()));

    let log: Value = serde_json::from_slice(&sarif(&seen).expect("SARIF")).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results").iter();
    let suppressed: Vec<&Value> = results.filter(|one| one.get("suppressions").is_some()).collect();
    assert_eq!((suppressed.len(), &suppressed[0]["kind"]), (1, &"fail".into()));
    assert_eq!(suppressed[0]["suppressions"][0]["status"], "accepted");

    let xml = String::from_utf8(junit(&seen)).expect("UTF-8");
    assert_eq!(
        xml.matches("<skipped message=\"exception, accepted by Ann until 2026-12-31 (behind a firewall): ").count(),
        1
    );
    assert!(markdown(&seen).contains("(1 more accepted)") && markdown(&seen).contains("accepted by Ann until 2026"));
}

#[test]
fn what_was_refused_is_told_beside_the_results_with_its_permission() {
    let log: Value = serde_json::from_slice(&sarif(&seen(&["kv"])).expect("SARIF")).expect("JSON");
    let notes = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().expect("notes");
    let text = notes.iter().find(|note| note["properties"]["kind"] == "deny_assignments").expect("a note");
    assert!(text["message"]["text"].as_str().expect("text").contains("A/read"), "{text}");
    assert_eq!(text["descriptor"]["id"], "forbidden");
}

#[test]
fn a_length_is_told_in_the_units_that_matter() {
    let told = |minutes| length(TimeDelta::minutes(minutes));
    assert_eq!((told(0), told(61), told(1440)), ("0 minutes".to_owned(), "1 hour".to_owned(), "1 day".to_owned()));
    assert_eq!(told(91 * 1440 + 120), "91 days 2 hours");
}
