//! `checks/*.toml`: checks that the organisation has written, one a file. They are read and understood here; the
//! module `check` judges by them.

mod place;
mod population;
mod severity;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

pub use self::population::{Population, Related, Source, TIMES, object_fields, object_shape};
pub use self::severity::Severity;
use super::Text;
use super::rows::utf8;
use crate::control::{Framework, Mistake};
use crate::evidence::{Cite, Kind, Shape, sha256_hex};
use crate::expression::{Condition, compile};
use crate::model::Need;

/// The folder of the files.
const FOLDER: &str = "checks/";
/// What every id begins with, so that none is taken for one of this build.
const PREFIX: &str = "ORG-";
/// Longest id.
const LONGEST_ID: usize = 32;
/// Longest title.
const LONGEST_TITLE: usize = 160;
/// Most clauses of a check.
const MOST_CLAUSES: usize = 32;

/// A check that the organisation has written.
#[derive(Clone, Debug)]
pub struct OwnCheck {
    /// `ORG-001`.
    pub id: String,
    /// One line.
    pub title: String,
    /// How much a failure matters.
    pub severity: Severity,
    /// What is asked and how.
    pub asks: String,
    /// What it cannot see.
    pub blind_to: String,
    /// How to fix a failure.
    pub fix: String,
    /// SOC 2 criteria that it speaks for, where no control cites it.
    pub criteria: Vec<String>,
    /// NIST controls, in the same way.
    pub nist: Vec<String>,
    /// What it judges.
    pub population: &'static Population,
    /// What can be known of a subject, and of what is related to it, by variable.
    pub shapes: BTreeMap<&'static str, Shape>,
    /// Which of them; none means all.
    pub only: Option<Expression>,
    /// What must hold, in the order of the file.
    pub clauses: Vec<Clause>,
    /// What must have been read.
    pub needs: Vec<Need>,
    /// The file: `declared/checks/….toml`.
    pub from: Cite,
    /// SHA-256 of the file, which is all that it says.
    pub sha256: String,
}

/// An expression and what was understood of it.
#[derive(Clone, Debug)]
pub struct Expression {
    /// As it is written.
    pub text: String,
    /// As it is evaluated.
    pub condition: Arc<dyn Condition>,
}

/// One condition of a check.
#[derive(Clone, Debug)]
pub struct Clause {
    /// What must hold.
    pub expression: Expression,
    /// What is said of a subject for which it does not.
    pub message: String,
    /// What follows then.
    pub otherwise: Otherwise,
}

/// What follows when a condition does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// An exception.
    #[default]
    Fail,
    /// A person must look.
    Manual,
}

impl PartialEq for OwnCheck {
    fn eq(&self, other: &OwnCheck) -> bool {
        (&self.from, &self.sha256) == (&other.from, &other.sha256)
    }
}

impl OwnCheck {
    /// The kinds of record that it looks at as they were kept.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        let own = match self.population.source {
            Source::Records(kind) => Some(kind),
            Source::Objects(_) => None,
        };
        own.into_iter().chain(self.related().map(|related| related.kind))
    }

    /// What belongs to each subject and is asked for in an expression.
    pub fn related(&self) -> impl Iterator<Item = &'static Related> {
        self.population.related.iter().filter(|related| self.shapes.contains_key(related.variable))
    }
}

/// A file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: Spanned<String>,
    title: Spanned<Text>,
    severity: Severity,
    asks: Text,
    blind_to: Text,
    fix: Text,
    #[serde(default)]
    criteria: Vec<Spanned<String>>,
    #[serde(default)]
    nist: Vec<Spanned<String>>,
    population: Spanned<String>,
    #[serde(rename = "where")]
    only: Option<Spanned<String>>,
    clause: Spanned<Vec<ClauseRow>>,
}

/// `[[clause]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClauseRow {
    expression: Spanned<String>,
    message: Text,
    #[serde(default)]
    otherwise: Otherwise,
}

/// Whether this is the name of such a file.
pub(super) fn is_file(name: &str) -> bool {
    let own = name.strip_prefix(FOLDER).and_then(|name| name.strip_suffix(".toml"));
    own.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

/// Every check, in order of id. `kept` says what is kept of a record.
pub(super) fn read(
    files: &BTreeMap<String, Vec<u8>>,
    kept: &dyn Fn(Kind) -> Shape,
    mistakes: &mut Vec<Mistake>,
) -> Vec<OwnCheck> {
    let framework = match Framework::embedded() {
        Ok(framework) => framework,
        Err(error) => {
            mistakes.extend(error.mistakes);
            return Vec::new();
        }
    };
    let mut checks: BTreeMap<String, OwnCheck> = BTreeMap::new();
    for (name, bytes) in files.iter().filter(|(name, _)| is_file(name)) {
        match one(name, bytes, &framework, kept) {
            Err(found) => mistakes.extend(found),
            Ok((check, id)) => match checks.get(&check.id) {
                Some(first) => {
                    let what = format!("the id `{}` is that of `{}` too", check.id, first.from.page());
                    mistakes.push(Mistake::at(name, &String::from_utf8_lossy(bytes), &id, what));
                }
                None => drop(checks.insert(check.id.clone(), check)),
            },
        }
    }
    checks.into_values().collect()
}

/// Reads one file; every mistake in it is reported. The second is where its id stands.
fn one(
    name: &str,
    bytes: &[u8],
    framework: &Framework,
    kept: &dyn Fn(Kind) -> Shape,
) -> Result<(OwnCheck, Range<usize>), Vec<Mistake>> {
    let text = utf8(bytes, name).map_err(|mistake| vec![mistake])?;
    let file: File = toml::from_str(text)
        .map_err(|error| vec![Mistake::at(name, text, &error.span().unwrap_or(0..0), error.message().to_owned())])?;
    let mut reader = Reader { name, text, mistakes: Vec::new(), asked: BTreeSet::new() };
    reader.id(&file.id);
    reader.title(&file.title);
    for one in file.criteria.iter().filter(|one| framework.criterion(one.get_ref()).is_none()) {
        reader.wrong(one.span(), format!("`{}` is no criterion of criteria.toml", one.get_ref()));
    }
    for one in file.nist.iter().filter(|one| framework.nist(one.get_ref()).is_none()) {
        reader.wrong(one.span(), format!("`{}` is no control of nist.toml", one.get_ref()));
    }
    let Some(population) = Population::named(file.population.get_ref()) else {
        let known: Vec<&str> = Population::all().map(|population| population.name).collect();
        let what = format!("`{}` is no population; there are {}", file.population.get_ref(), known.join(", "));
        reader.wrong(file.population.span(), what);
        return Err(reader.mistakes);
    };
    let mut shapes = BTreeMap::from([(population.variable, population.shape(kept))]);
    shapes.extend(population.related.iter().map(|related| (related.variable, kept(related.kind))));
    let only = file.only.as_ref().and_then(|text| reader.expression(text, &shapes));
    let count = file.clause.get_ref().len();
    if count == 0 || count > MOST_CLAUSES {
        reader.wrong(
            file.clause.span(),
            format!("there are {count} clauses; there must be one, and at most {MOST_CLAUSES}"),
        );
    }
    let mut clauses = Vec::new();
    for row in file.clause.get_ref() {
        let message = row.message.as_str().trim_end_matches('.').to_owned();
        if let Some(expression) = reader.expression(&row.expression, &shapes) {
            clauses.push(Clause { expression, message, otherwise: row.otherwise });
        }
    }
    if !reader.mistakes.is_empty() {
        return Err(reader.mistakes);
    }
    shapes.retain(|variable, _| *variable == population.variable || reader.asked.contains(*variable));
    let related = population.related.iter().filter(|related| shapes.contains_key(related.variable));
    let needs = population.needs.iter().copied().chain(related.map(|related| related.need)).collect();
    let plain = |list: Vec<Spanned<String>>| list.into_iter().map(Spanned::into_inner).collect();
    let place = file.id.span();
    let check = OwnCheck {
        id: file.id.into_inner(),
        title: file.title.get_ref().as_str().to_owned(),
        severity: file.severity,
        asks: file.asks.as_str().to_owned(),
        blind_to: file.blind_to.as_str().to_owned(),
        fix: file.fix.as_str().to_owned(),
        criteria: plain(file.criteria),
        nist: plain(file.nist),
        population,
        shapes,
        only,
        clauses,
        needs,
        from: Cite::new("declared", name, ""),
        sha256: sha256_hex(bytes),
    };
    Ok((check, place))
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    mistakes: Vec<Mistake>,
    /// Variables that an expression asks for.
    asked: BTreeSet<String>,
}

impl Reader<'_> {
    fn wrong(&mut self, span: Range<usize>, what: String) {
        self.mistakes.push(Mistake::at(self.name, self.text, &span, what));
    }

    fn id(&mut self, id: &Spanned<String>) {
        let rest = id.get_ref().strip_prefix(PREFIX).unwrap_or_default();
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        if id.get_ref().len() > LONGEST_ID || !rest.split('-').all(is_part) {
            let what = format!(
                "`{}` is no id of a check of one's own, such as `{PREFIX}001`: `{PREFIX}`, then capital letters, digits and `-`",
                id.get_ref()
            );
            self.wrong(id.span(), what);
        }
    }

    fn title(&mut self, title: &Spanned<Text>) {
        let text = title.get_ref().as_str();
        if text.chars().any(char::is_control) || text.chars().count() > LONGEST_TITLE {
            self.wrong(title.span(), format!("a title is one line of at most {LONGEST_TITLE} letters"));
        }
    }

    /// Understands an expression, and looks whether what it asks for can be there.
    fn expression(&mut self, text: &Spanned<String>, shapes: &BTreeMap<&str, Shape>) -> Option<Expression> {
        let span = text.span();
        let place = |at: usize| {
            let at = place::in_file(self.text, &span, at);
            at..at
        };
        let condition = match compile(text.get_ref()) {
            Ok(condition) => condition,
            Err(wrong) => {
                self.wrong(place(wrong.at), wrong.what);
                return None;
            }
        };
        for (variable, at) in condition.reads() {
            if !shapes.contains_key(variable.as_str()) && !TIMES.contains(&variable.as_str()) {
                let known: Vec<&str> = shapes.keys().copied().chain(TIMES).collect();
                self.wrong(place(at), format!("there is no variable `{variable}`; there are {}", known.join(", ")));
                return None;
            }
            self.asked.insert(variable);
        }
        for (variable, shape) in shapes {
            if let Some((path, at)) = condition.lost(variable, shape) {
                self.wrong(place(at), format!("`{path}` is never kept of such a record, so that nobody can tell"));
                return None;
            }
        }
        Some(Expression { text: text.get_ref().trim().to_owned(), condition: condition.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Declared;
    use super::*;

    const GOOD: &str = r#"id = "ORG-001"
title = "Vaults keep what is deleted"
severity = "high"
asks = "Every vault."
blind_to = "Backups."
fix = "Turn it on."
criteria = ["CC6.1"]
nist = ["SC-12"]
population = "vaults"
where = 'vault.name != "x"'

[[clause]]
expression = "vault.properties.days >= 90"
message = "too short."

[[clause]]
expression = '''
vault.name
  == "kv"'''
message = "odd"
otherwise = "manual"
"#;

    /// What these tests keep of a record.
    fn kept(kind: Kind) -> Shape {
        let properties = ("properties", Shape::leaves(&["days", "roleDefinitionId", "principalId"]));
        match kind {
            Kind::Vaults | Kind::RoleAssignments => {
                Shape::object([("name", Shape::Leaf), ("id", Shape::Leaf), properties])
            }
            _ => Shape::leaves(&["id", "name"]),
        }
    }

    fn read(files: &[(&str, &str)]) -> Result<Declared, Vec<String>> {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
        let read = Declared::read_with(files.collect(), &kept);
        read.map_err(|error| error.mistakes.iter().map(ToString::to_string).collect())
    }

    fn refused(from: &str, to: &str) -> Vec<String> {
        assert!(GOOD.contains(from), "{from}");
        read(&[("checks/a.toml", &GOOD.replacen(from, to, 1))]).map(drop).expect_err(to)
    }

    #[test]
    fn a_file_says_what_is_asked_of_what() {
        let declared = read(&[("checks/a.toml", GOOD)]).expect("a check");
        let [check] = declared.checks.as_slice() else { panic!("{declared:#?}") };
        assert_eq!((check.id.as_str(), check.severity, check.population.name), ("ORG-001", Severity::High, "vaults"));
        assert_eq!(
            check.clauses.iter().map(|clause| clause.otherwise).collect::<Vec<_>>(),
            [Otherwise::Fail, Otherwise::Manual]
        );
        assert_eq!(check.clauses[0].message, "too short");
        assert_eq!(check.only.as_ref().map(|only| only.text.as_str()), Some("vault.name != \"x\""));
        assert_eq!(check.from.place(), "declared/checks/a.toml");
        assert_eq!(declared.kinds(), BTreeSet::from([Kind::Vaults]));
        assert!(declared.check("org-001").is_some() && declared.check("ORG-002").is_none());
        assert_eq!(declared.files().len(), 1, "the bytes are kept");
        assert_ne!(declared, read(&[("checks/a.toml", &GOOD.replace("odd", "even"))]).expect("a check"));
    }

    #[test]
    fn what_belongs_to_a_subject_is_needed_where_it_is_asked_for() {
        let text = GOOD.replace("\"vaults\"", "\"role_assignments\"").replace("vault.", "assignment.");
        let declared = read(&[("checks/a.toml", &text)]).expect("a check");
        assert_eq!(declared.kinds(), BTreeSet::from([Kind::RoleAssignments]));
        let text = text.replace("assignment.properties.days >= 90", "role.name == 'Owner'");
        let declared = read(&[("checks/a.toml", &text)]).expect("a check");
        assert_eq!(declared.kinds(), BTreeSet::from([Kind::RoleAssignments, Kind::RoleDefinitions]));
        let kinds: Vec<Kind> = declared.checks[0].needs.iter().map(|need| need.kind).collect();
        assert_eq!(kinds, [Kind::RoleAssignments, Kind::RoleDefinitions]);
    }

    #[test]
    fn a_mistake_is_told_where_it_is_also_inside_of_an_expression() {
        for (from, to, told) in [
            ("ORG-001", "TM-001", "checks/a.toml:1:6: `TM-001` is no id of a check of one's own, such as `ORG-001`"),
            ("ORG-001", "ORG-", "checks/a.toml:1:6: `ORG-` is no id"),
            ("ORG-001", "ORG-a", "checks/a.toml:1:6: `ORG-a` is no id"),
            ("ORG-001", "ORG-1--2", "checks/a.toml:1:6: `ORG-1--2` is no id"),
            ("ORG-001", "ORG-../x", "checks/a.toml:1:6: `ORG-../x` is no id"),
            ("Vaults keep", "Vaults\\nkeep", "checks/a.toml:2:9: a title is one line"),
            ("\"high\"", "\"awful\"", "checks/a.toml:3:12: unknown variant `awful`"),
            ("fix = \"Turn it on.\"\n", "", "checks/a.toml:1:1: missing field `fix`"),
            ("\"Every vault.\"", "\" \"", "checks/a.toml:4:8: nothing is said here"),
            ("CC6.1", "CC9.9", "checks/a.toml:7:13: `CC9.9` is no criterion of criteria.toml"),
            ("SC-12", "SC-99", "checks/a.toml:8:9: `SC-99` is no control of nist.toml"),
            ("\"vaults\"", "\"vault\"", "checks/a.toml:9:14: `vault` is no population; there are subscriptions, "),
            ("where =", "when =", "checks/a.toml:10:1: unknown field `when`"),
            ("!= \"x\"'", "!= \"x'", "checks/a.toml:10:24: this text is not closed"),
            ("otherwise =", "else =", "checks/a.toml:21:1: unknown field `else`"),
            ("\"manual\"", "\"pass\"", "checks/a.toml:21:13: unknown variant `pass`"),
            (">= 90\"", ">= \"", "checks/a.toml:13:40: this is no expression"),
            (
                "vault.properties.days",
                "valt.properties.days",
                "checks/a.toml:13:15: there is no variable `valt`; there are vault, now, period_start, period_end",
            ),
            (
                "vault.properties.days",
                "vault.properties.dais",
                "checks/a.toml:13:32: `vault.properties.dais` is never kept of such a record",
            ),
            ("vault.properties.days", "(vault.properties.days", "checks/a.toml:13:15: this `(` is not closed"),
            (
                "vault.properties.days",
                "\\u00e4 == (vault.properties.days",
                "checks/a.toml:13:25: this `(` is not closed",
            ),
            ("  == \"kv\"", "  == \"kv\" && role.name == \"x\"", "checks/a.toml:19:14: there is no variable `role`"),
            ("  == \"kv\"", "  == nope(\"kv\")", "checks/a.toml:19:6: there is no function `nope`"),
        ] {
            let mistakes = refused(from, to);
            assert!(mistakes[0].starts_with(told), "{told}\n{mistakes:#?}");
        }
    }

    #[test]
    fn clauses_are_needed_and_not_without_end_and_every_mistake_is_told() {
        let head = GOOD.split("[[clause]]").next().expect("a head");
        let none = read(&[("checks/a.toml", head)]).map(drop).expect_err("no clause");
        assert!(none[0].contains("missing field `clause`"), "{none:?}");
        let many = "[[clause]]\nexpression = \"true\"\nmessage = \"m\"\n".repeat(33);
        let many = read(&[("checks/a.toml", &format!("{head}{many}"))]).map(drop).expect_err("too many");
        assert!(many[0].contains("there are 33 clauses; there must be one, and at most 32"), "{many:?}");
        let mistakes = refused("CC6.1", "CC9.9");
        assert_eq!(mistakes.len(), 1);
        let both = GOOD.replace("CC6.1", "CC9.9").replace(">= 90", ">=");
        assert_eq!(read(&[("checks/a.toml", &both)]).map(drop).expect_err("two").len(), 2);
    }

    #[test]
    fn an_id_is_there_once_and_files_are_checks_alone() {
        let again = read(&[("checks/a.toml", GOOD), ("checks/b.toml", GOOD)]).map(drop).expect_err("twice");
        assert_eq!(again, ["checks/b.toml:1:6: the id `ORG-001` is that of `checks/a.toml` too"]);
        for name in ["checks/a/b.toml", "checks/.toml", "checks/a.txt"] {
            let lost = read(&[(name, GOOD)]).map(drop).expect_err(name);
            assert!(lost[0].contains("no such file is read"), "{lost:?}");
        }
        let odd =
            Declared::read_with(BTreeMap::from([("checks/a.toml".to_owned(), vec![0xff])]), &kept).expect_err("odd");
        assert!(odd.to_string().contains("this is not UTF-8"), "{odd}");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

        /// A file that is damaged anywhere, with odd text in it, is read or refused.
        #[test]
        fn no_file_brings_it_down(from in 0..500_usize, length in 0..40_usize, odd in ".{0,16}") {
            let cut: String = GOOD.chars().enumerate().filter(|(at, _)| *at < from || *at >= from + length).map(|(_, one)| one).collect();
            let at = cut.char_indices().nth(from).map_or(cut.len(), |(at, _)| at);
            let text = format!("{}{odd}{}", &cut[..at], &cut[at..]);
            if let Err(mistakes) = read(&[("checks/a.toml", &text)]) {
                proptest::prop_assert!(mistakes.iter().all(|mistake| mistake.starts_with("checks/a.toml:")), "{mistakes:?}");
            }
        }
    }

    #[test]
    fn without_knowing_what_is_kept_nothing_can_be_asked() {
        let files = BTreeMap::from([("checks/a.toml".to_owned(), GOOD.as_bytes().to_vec())]);
        let refused = Declared::read(files).expect_err("refused").to_string();
        assert!(refused.contains("`vault.name` is never kept"), "{refused}");
    }
}
