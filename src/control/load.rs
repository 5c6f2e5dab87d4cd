//! Control files: read, checked, and refused with file and line.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{ControlError, Framework};
use crate::control::error::Mistake;

/// One control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Ours, or the customer's own id.
    pub id: String,
    /// One line.
    pub title: String,
    /// What the control claims, as the entity would write it.
    pub says: String,
    /// SOC 2 criteria.
    pub criteria: Vec<String>,
    /// NIST SP 800-53 r5 controls, as `AC-6(5)`.
    pub nist: Vec<String>,
    /// Ids of checks.
    pub checks: Vec<String>,
    /// What must come by hand.
    pub by_hand: Vec<String>,
    /// What its evidence proves.
    pub proves: String,
    /// What it does not show.
    pub does_not_show: String,
    /// Markdown for the reader.
    pub narrative: String,
    /// Tables shown with it: `break_fix`.
    pub shows: Vec<String>,
}

impl Control {
    /// SOC 2 criteria, then NIST controls.
    pub fn all_criteria(&self) -> Vec<String> {
        self.criteria.iter().chain(&self.nist).cloned().collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlFile {
    id: Spanned<String>,
    title: String,
    says: String,
    criteria: Vec<Spanned<String>>,
    nist: Vec<Spanned<String>>,
    checks: Vec<Spanned<String>>,
    #[serde(default)]
    by_hand: Vec<String>,
    proves: String,
    does_not_show: String,
    #[serde(default)]
    narrative: String,
    #[serde(default)]
    shows: Vec<Spanned<String>>,
}

/// The control files that this build carries, with their names, in order.
const FILES: &[(&str, &str)] = &[
    ("tm-01.toml", include_str!("../../controls/tm-01.toml")),
    ("tm-02.toml", include_str!("../../controls/tm-02.toml")),
    ("tm-03.toml", include_str!("../../controls/tm-03.toml")),
    ("tm-04.toml", include_str!("../../controls/tm-04.toml")),
    ("tm-05.toml", include_str!("../../controls/tm-05.toml")),
    ("tm-06.toml", include_str!("../../controls/tm-06.toml")),
    ("tm-07.toml", include_str!("../../controls/tm-07.toml")),
    ("tm-08.toml", include_str!("../../controls/tm-08.toml")),
    ("tm-09.toml", include_str!("../../controls/tm-09.toml")),
    ("tm-10.toml", include_str!("../../controls/tm-10.toml")),
    ("tm-11.toml", include_str!("../../controls/tm-11.toml")),
    ("tm-12.toml", include_str!("../../controls/tm-12.toml")),
    ("tm-13.toml", include_str!("../../controls/tm-13.toml")),
    ("tm-14.toml", include_str!("../../controls/tm-14.toml")),
    ("tm-15.toml", include_str!("../../controls/tm-15.toml")),
    ("tm-16.toml", include_str!("../../controls/tm-16.toml")),
    ("tm-17.toml", include_str!("../../controls/tm-17.toml")),
    ("tm-18.toml", include_str!("../../controls/tm-18.toml")),
    ("tm-19.toml", include_str!("../../controls/tm-19.toml")),
    ("tm-20.toml", include_str!("../../controls/tm-20.toml")),
    ("tm-21.toml", include_str!("../../controls/tm-21.toml")),
    ("tm-22.toml", include_str!("../../controls/tm-22.toml")),
    ("tm-23.toml", include_str!("../../controls/tm-23.toml")),
    ("tm-24.toml", include_str!("../../controls/tm-24.toml")),
    ("tm-25.toml", include_str!("../../controls/tm-25.toml")),
    ("tm-26.toml", include_str!("../../controls/tm-26.toml")),
];

/// The controls that this build carries. `known_check` says whether a check id exists.
pub fn embedded(known_check: impl Fn(&str) -> bool) -> Result<Vec<Control>, ControlError> {
    let framework = Framework::embedded()?;
    let mut mistakes = Vec::new();
    let mut controls = Vec::new();
    for (name, text) in FILES {
        match read(name, text, &framework, &known_check) {
            Ok(control) => controls.push(control),
            Err(found) => mistakes.extend(found),
        }
    }
    if mistakes.is_empty() { Ok(controls) } else { Err(ControlError { mistakes }) }
}

/// Controls that the organisation has written, by the names of their files. `known_check` says whether a check id
/// exists.
pub fn custom<'f>(
    files: impl Iterator<Item = (&'f str, &'f [u8])>,
    known_check: impl Fn(&str) -> bool,
) -> Result<Vec<Control>, ControlError> {
    let framework = Framework::embedded()?;
    let (mut mistakes, mut controls): (Vec<Mistake>, Vec<Control>) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            mistakes.push(Mistake::at(name, "", &(0..0), "this is not UTF-8".to_owned()));
            continue;
        }
        match read(name, &text, &framework, &known_check) {
            Ok(control) if controls.iter().any(|known| known.id.eq_ignore_ascii_case(&control.id)) => {
                let what = format!("the id `{}` is that of another control too", control.id);
                mistakes.push(Mistake::at(name, "", &(0..0), what));
            }
            Ok(control) if is_custom(&control.id) => controls.push(control),
            Ok(control) => {
                let what = format!(
                    "`{}` is no id of a control of one's own: letters, digits and `-`, at most 32, and \
                     neither `TM-…` nor `ORG-…`",
                    control.id
                );
                mistakes.push(Mistake::at(name, "", &(0..0), what));
            }
            Err(found) => mistakes.extend(found),
        }
    }
    if mistakes.is_empty() { Ok(controls) } else { Err(ControlError { mistakes }) }
}

fn is_custom(id: &str) -> bool {
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let upper = id.to_ascii_uppercase();
    is_plain && (1..=32).contains(&id.len()) && !upper.starts_with("TM-") && !upper.starts_with("ORG-")
}

/// Everything in this module that a result depends on, for the digest of the rule set.
pub fn rule_set_bytes() -> Vec<u8> {
    let files = FILES.iter().map(|(name, text)| (*name, *text)).chain(Framework::files());
    files.flat_map(|(name, text)| [name.as_bytes(), b"\0", text.as_bytes(), b"\0"].concat()).collect()
}

/// Reads one control file; every mistake in it is reported.
fn read(
    name: &str,
    text: &str,
    framework: &Framework,
    known_check: &impl Fn(&str) -> bool,
) -> Result<Control, Vec<Mistake>> {
    let file: ControlFile = toml::from_str(text).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        vec![Mistake::at(name, text, &at, error.message().to_owned())]
    })?;
    let mut mistakes = Vec::new();
    let mut wrong = |span: Range<usize>, what: String| mistakes.push(Mistake::at(name, text, &span, what));
    let stem = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".toml");
    if !file.id.get_ref().eq_ignore_ascii_case(stem) {
        wrong(file.id.span(), format!("the id `{}` is not the file's name", file.id.get_ref()));
    }
    for criterion in file.criteria.iter().filter(|criterion| framework.criterion(criterion.get_ref()).is_none()) {
        wrong(criterion.span(), format!("`{}` is no criterion of criteria.toml", criterion.get_ref()));
    }
    for control in file.nist.iter().filter(|control| framework.nist(control.get_ref()).is_none()) {
        wrong(control.span(), format!("`{}` is no control of nist.toml", control.get_ref()));
    }
    for check in file.checks.iter().filter(|check| !known_check(check.get_ref())) {
        wrong(check.span(), format!("`{}` is no check", check.get_ref()));
    }
    for table in file.shows.iter().filter(|table| table.get_ref() != "break_fix") {
        wrong(table.span(), format!("`{}` is no table; there is `break_fix`", table.get_ref()));
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let plain = |list: Vec<Spanned<String>>| list.into_iter().map(Spanned::into_inner).collect();
    Ok(Control {
        id: file.id.into_inner(),
        title: file.title,
        says: file.says,
        criteria: plain(file.criteria),
        nist: plain(file.nist),
        checks: plain(file.checks),
        by_hand: file.by_hand,
        proves: file.proves,
        does_not_show: file.does_not_show,
        narrative: file.narrative,
        shows: plain(file.shows),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_and_folder_agree() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("controls");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("controls/")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with("tm-"))
            .collect();
        names.sort();
        assert_eq!(names, FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }

    #[test]
    fn every_mistake_of_a_file_is_reported_with_its_line() {
        let framework = Framework::embedded().expect("criteria");
        let text = "id = \"TM-99\"\ntitle = \"t\"\nsays = \"s\"\ncriteria = [\"CC6.1\", \"CC99.9\"]\nnist = [\"AC-99\"]\n\
                    checks = [\"NHI-001\", \"NO-1\"]\nproves = \"p\"\ndoes_not_show = \"d\"\n";
        let mistakes = read("tm-01.toml", text, &framework, &|id: &str| id == "NHI-001").expect_err("mistakes");
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "tm-01.toml:1:6: the id `TM-99` is not the file's name",
                "tm-01.toml:4:22: `CC99.9` is no criterion of criteria.toml",
                "tm-01.toml:5:9: `AC-99` is no control of nist.toml",
                "tm-01.toml:6:22: `NO-1` is no check",
            ]
        );
    }

    #[test]
    fn an_unknown_key_is_refused_where_it_stands() {
        let framework = Framework::embedded().expect("criteria");
        let mistakes =
            read("tm-01.toml", "id = \"TM-01\"\ncolour = 1\n", &framework, &|_: &str| true).expect_err("a mistake");
        assert!(mistakes[0].to_string().starts_with("tm-01.toml:2:1: unknown field `colour`"), "{}", mistakes[0]);
    }
}
