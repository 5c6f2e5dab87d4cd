//! The report as a whole: inert whatever it prints, the same every time, and complete.

use std::collections::BTreeMap;

use pulldown_cmark::{Event, Options, Parser, Tag};
use sha2::{Digest, Sha256};

use super::{RenderError, testing};
use crate::assess::{Assessment, EvidenceLine};
use crate::check::{Outcome, about};
use crate::evidence::Cite;
use crate::model::Id;

fn render(assessment: &Assessment) -> Result<BTreeMap<String, Vec<u8>>, RenderError> {
    let mut files = BTreeMap::new();
    super::render(assessment, |path, content| {
        let mut bytes = Vec::new();
        content(&mut bytes)?;
        files.insert(path.to_owned(), bytes);
        Ok::<(), RenderError>(())
    })?;
    Ok(files)
}

fn text(assessment: &Assessment, path: &str) -> String {
    let mut files = render(assessment).expect("a report");
    String::from_utf8(files.remove(path).expect("the file")).expect("UTF-8")
}

#[test]
fn the_same_assessment_gives_the_same_bytes() {
    assert_eq!(render(&testing::sample()).expect("a report"), render(&testing::sample()).expect("a report"));
    let paths: Vec<String> = render(&testing::sample()).expect("a report").into_keys().collect();
    assert!(paths.contains(&"report/population-nhi-001.csv".to_owned()), "{paths:?}");
    for path in ["results.json", "report/report.html", "report/report.md", "report/exceptions.csv"] {
        assert!(paths.contains(&path.to_owned()), "{path}");
    }
}

#[test]
fn what_was_cut_and_what_was_kept_of_persons_is_on_the_first_page() {
    let markdown = text(&testing::sample(), "report/report.md");
    let first = markdown.split("## Controls").next().expect("the first page");
    for line in [
        "- Cut before it was kept: 55,232 values and members (`address_coarsened` 14,002, `not_on_list` 41,230); each \
         place is in `redactions.json` beside the answer\n",
        "- Addresses of callers: `kept as networks (/24, /48)`\n",
        "- Names of users: `replaced by pseudonyms`\n",
        "- User principal names: `not kept`\n",
        "- Mail addresses: `kept where a person must be matched`\n",
        "- Pseudonyms made with the key: `00112233aabbccdd`\n",
    ] {
        assert!(first.contains(line), "{line}");
    }
    assert!(markdown.contains("2,468 cut before it was kept"), "each record says how much was cut of it");
    let html = text(&testing::sample(), "report/report.html");
    assert!(html.contains("<dt>Names of users</dt>") && html.contains("2,468 cut before it was kept"));
    assert!(text(&testing::empty(), "report/report.md").contains("- Cut before it was kept: nothing\n"));
}

#[test]
fn the_policy_comes_first_and_names_the_digest_of_the_style() {
    use base64::Engine as _;
    let html = text(&testing::sample(), "report/report.html");
    let head = html.split("<head>").nth(1).expect("a head").trim_start();
    assert!(head.starts_with("<meta http-equiv=\"Content-Security-Policy\" content=\""), "{head:.120}");
    let style = html.split("<style>").nth(1).expect("a style").split("</style>").next().expect("its end");
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style.as_bytes()));
    let policy =
        format!("default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'");
    assert!(head.contains(&policy), "{policy}");
    assert_eq!(html.matches("<style").count(), 1);
    assert!(!html.contains(" style=\""), "the policy would drop it");
}

#[test]
fn hostile_names_are_text_in_html() {
    let html = text(&testing::hostile(), "report/report.html");
    let lower = html.to_lowercase();
    for banned in
        ["<script", "<img", "<iframe", "<object", "<base", "<form", "<link", "href=\"http", "href=\"javascript"]
    {
        let found = lower.find(banned).map(|place| html[place..].chars().take(80).collect::<String>());
        assert_eq!(found, None, "{banned}");
    }
    for tag in tags(&lower) {
        assert!(!tag.contains("onerror") && !tag.contains("onmouseover") && !tag.contains("onfocus"), "{tag}");
        assert!(!tag.contains("src=") && !tag.contains("refresh"), "{tag}");
        for value in tag.split("href=\"").skip(1) {
            assert!(
                value.starts_with('#') || value.starts_with("population-") || value.starts_with("exceptions.csv"),
                "{tag}"
            );
        }
    }
    for unseen in ['\u{202e}', '\u{200b}', '\u{feff}', '\0'] {
        assert!(!html.contains(unseen), "{unseen:?}");
    }
    assert!(html.contains("kv⟨U+202E⟩gpj.exe"));
    assert!(html.contains("… (1048576 characters)"));
    assert!(html.len() < 2_000_000, "a long name is cut: {}", html.len());
}

/// What stands between `<` and `>`.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect()
}

#[test]
fn tags_of_the_hostile_report_are_those_of_a_harmless_one() {
    let names = |html: &str| -> std::collections::BTreeSet<String> {
        tags(html).into_iter().map(|tag| tag.split([' ', '\n']).next().unwrap_or_default().to_owned()).collect()
    };
    let harmless = names(&text(&testing::sample(), "report/report.html"));
    let hostile = names(&text(&testing::hostile(), "report/report.html"));
    assert_eq!(hostile.difference(&harmless).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn hostile_names_are_text_in_markdown() {
    let markdown = text(&testing::hostile(), "report/report.md");
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH;
    let headings = |text: &str| {
        Parser::new_ext(text, options).filter(|event| matches!(event, Event::Start(Tag::Heading { .. }))).count()
    };
    for event in Parser::new_ext(&markdown, options) {
        let wild = matches!(
            event,
            Event::Html(_)
                | Event::InlineHtml(_)
                | Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Strikethrough)
                | Event::InlineMath(_)
        );
        assert!(!wild, "{event:?}");
    }
    let mut harmless = testing::hostile();
    rename(&mut harmless);
    assert_eq!(headings(&markdown), headings(&text(&harmless, "report/report.md")), "no heading out of a name");
    // Some engines find addresses in text; they must stand in code.
    for event in Parser::new_ext(&markdown, options) {
        if let Event::Text(text) = event {
            assert!(!text.contains("://") && !text.contains("www.") && !text.contains("@evil"), "{text}");
        }
    }
    assert!(!markdown.contains('\u{202e}') && !markdown.contains('\r'));
}

fn rename(assessment: &mut Assessment) {
    for story in &mut assessment.stories {
        story.principal = "a".to_owned();
        story.vault = "b".to_owned();
    }
}

#[test]
fn every_row_of_a_markdown_table_has_the_cells_of_its_head() {
    for assessment in [testing::sample(), testing::hostile()] {
        let markdown = text(&assessment, "report/report.md");
        let mut cells = None;
        for line in markdown.lines() {
            if !line.starts_with('|') {
                cells = None;
                continue;
            }
            let found = line.matches('|').count();
            assert_eq!(*cells.get_or_insert(found), found, "{line:.200}");
        }
    }
}

#[test]
fn every_exception_is_in_html_and_markdown() {
    let assessment = testing::sample();
    let html = text(&assessment, "report/report.html");
    let markdown = text(&assessment, "report/report.md");
    let fails: Vec<_> = assessment.findings.iter().filter(|finding| finding.outcome() == Outcome::Fail).collect();
    assert!(fails.len() > 5);
    for finding in fails {
        let subject = super::escape::html_text(&finding.subject().name);
        assert!(html.contains(&subject), "{subject}");
        assert!(markdown.contains(finding.subject().name.as_str()), "{subject}");
    }
}

#[test]
fn a_control_with_more_exceptions_than_a_page_shows_says_where_the_others_are() {
    let from = Cite::new("ev-0001", "page-0001.json", "/value/0");
    let fail = |number: usize| {
        let name = format!("id-{number:04}");
        about("managed_identity", &Id::new(format!("/{name}")), &name, &from).fail("no owner").of_check("NHI-001")
    };
    let assessment = testing::assessment((1..=2_001).map(fail).collect(), testing::empty().collection);
    let markdown = text(&assessment, "report/report.md");
    assert!(markdown.contains("`id-2000`") && !markdown.contains("`id-2001`"));
    assert!(markdown.contains("\n1 more in `population-nhi-001.csv`.\n"));
    for path in ["report/population-nhi-001.csv", "report/exceptions.csv"] {
        let table = text(&assessment, path);
        assert!(table.contains("\"id-2001\"") && table.lines().count() == 2_002, "{path}");
    }
}

#[test]
fn of_more_requests_than_a_page_shows_those_without_an_answer_come_first_and_a_table_has_all() {
    let mut assessment = testing::sample();
    let line = EvidenceLine { gap: None, ..assessment.evidence[0].clone() };
    let numbered = |number: usize| EvidenceLine {
        id: format!("ev-{number:04}"),
        gap: (number == 2_001).then(|| ("it was refused".to_owned(), "give it Reader".to_owned())),
        ..line.clone()
    };
    assessment.evidence = (1..=2_001).map(numbered).collect();
    let markdown = text(&assessment, "report/report.md");
    assert!(markdown.contains("Of 2,001 questions, 2,000 are shown, first those without a full answer; all of them"));
    assert!(markdown.contains("\n| `ev-2001` |") && !markdown.contains("\n| `ev-2000` |"));
    let html = text(&assessment, "report/report.html");
    assert!(html.contains(" id=\"ev-2001\"") && !html.contains(" id=\"ev-2000\""));
    assert!(html.contains("<a href=\"requests.csv\">"));
    let table = text(&assessment, "report/requests.csv");
    assert!(table.contains("\"ev-2000\"") && table.lines().count() == 2_002);
    assert!(!render(&testing::sample()).expect("a report").contains_key("report/requests.csv"), "the page has them");
}

#[test]
fn references_lead_to_rows_of_the_ledger() {
    let html = text(&testing::sample(), "report/report.html");
    let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "an id is used twice");
    for target in html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(&target), "#{target}");
    }
    assert!(html.contains("href=\"#ev-0009\""));
}

#[test]
fn the_first_page_says_what_a_reader_must_know() {
    for path in ["report/report.html", "report/report.md"] {
        let report = text(&testing::sample(), path);
        for words in [
            "88 of 92 days",
            "2026-07-01 to 2026-09-30",
            "10 of 11",
            "recording",
            "time is asserted by the signer",
            "Not a SOC 2 report and not an opinion",
            "that the scope was complete",
            "stopped on request after 4 of 11 questions",
        ] {
            let plain = report.replace('\\', "");
            assert!(plain.contains(words), "{path}: {words}");
        }
        for never in ["compliant", "certified", "PASS"] {
            assert!(!report.contains(never), "{path}: {never}");
        }
    }
}

#[test]
fn an_assessment_without_anything_still_renders() {
    let html = text(&testing::empty(), "report/report.html");
    assert!(html.contains("No part of the period is covered by logs"));
    assert!(text(&testing::empty(), "report/report.md").ends_with('\n'));
}

/// For looking at: `cargo test --lib render::tests::writes -- --ignored`.
#[test]
#[ignore = "writes reports below target/ to look at"]
fn writes_the_sample_to_look_at() {
    let target = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    for (name, assessment) in
        [("sample", testing::sample()), ("hostile", testing::hostile()), ("empty", testing::empty())]
    {
        for (path, bytes) in render(&assessment).expect("a report") {
            let full = target.join("looks").join(name).join(path);
            std::fs::create_dir_all(full.parent().expect("a folder")).expect("a folder");
            std::fs::write(full, bytes).expect("written");
        }
    }
}
