//! `checks/*.toml`: checks that the organisation has written, one a file. They are read and understood here; the
//! module `check` judges by them.

mod place;
mod population;
mod severity;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

pub use self::population::{Population, Related, Source, TIMES, object_fields, object_shape};
pub use self::severity::Severity;
use super::Text;
use super::rows::utf8;
use crate::control::{Control, Framework, Mistake};
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
pub struct CustomCheck {
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

impl PartialEq for CustomCheck {
    fn eq(&self, other: &CustomCheck) -> bool {
        (&self.from, &self.sha256) == (&other.from, &other.sha256)
    }
}

impl CustomCheck {
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

/// Checks that none of these controls cites: each is a control by itself, under the criteria that its file names.
pub fn uncited<'c>(checks: &'c [CustomCheck], controls: &[Control]) -> Vec<&'c CustomCheck> {
    let is_cited = |check: &&CustomCheck| controls.iter().any(|control| control.checks.contains(&check.id));
    checks.iter().filter(|check| !is_cited(check)).collect()
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
) -> Vec<CustomCheck> {
    let framework = match Framework::embedded() {
        Ok(framework) => framework,
        Err(error) => {
            mistakes.extend(error.mistakes);
            return Vec::new();
        }
    };
    let mut checks: BTreeMap<String, CustomCheck> = BTreeMap::new();
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
) -> Result<(CustomCheck, Range<usize>), Vec<Mistake>> {
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
    let check = CustomCheck {
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
                "`{}` is no id of a check of one's own, such as `{PREFIX}001`: `{PREFIX}`, then capital \
                 letters, digits and `-`",
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
