//! A register: one file, one table of rows, and the time that each row is in force.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::Day;
use crate::control::Mistake;
use crate::evidence::Cite;

/// The rows of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Register<T> {
    /// The file.
    pub from: Cite,
    /// Its rows, in its order.
    pub rows: Vec<Row<T>>,
}

/// One row, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<T> {
    /// What it says.
    pub says: T,
    /// Its place: `declared/registers/readers.toml#/reader/0`.
    pub from: Cite,
    /// Line of its first value, from 1.
    pub line: usize,
}

/// The days of a row, first and last included; either may be left open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Term {
    /// First day.
    pub since: Option<Day>,
    /// Last day.
    pub until: Option<Day>,
}

/// Whether a row is in force at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    InForce,
    /// It begins on this day.
    NotYet(Day),
    /// It ended with this day.
    Expired(Day),
}

/// A row that has days.
pub trait Timed {
    /// Its days.
    fn term(&self) -> Term;
}

impl Term {
    /// Whether the moment lies in it.
    pub fn standing(self, at: DateTime<Utc>) -> Standing {
        match (self.since, self.until) {
            (_, Some(last)) if at >= last.end() => Standing::Expired(last),
            (Some(first), _) if at < first.start() => Standing::NotYet(first),
            _ => Standing::InForce,
        }
    }
}

impl<T: Timed> Row<T> {
    /// Whether the row is in force at a moment.
    pub fn standing(&self, at: DateTime<Utc>) -> Standing {
        self.says.term().standing(at)
    }
}

impl<T> Row<T> {
    /// File and line for a reader: `registers/readers.toml:12`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.from.page(), self.line)
    }
}

impl<T: Timed> Register<T> {
    /// The rows that are in force at a moment.
    pub fn in_force(&self, at: DateTime<Utc>) -> impl Iterator<Item = &Row<T>> {
        self.rows.iter().filter(move |row| row.standing(at) == Standing::InForce)
    }
}

/// The register in the file of this name, whose rows are `[[table]]`; none where there is no such file.
pub(super) fn read<T: DeserializeOwned>(
    files: &BTreeMap<String, Vec<u8>>,
    name: &str,
    table: &str,
    mistakes: &mut Vec<Mistake>,
) -> Option<Register<T>> {
    let bytes = files.get(name)?;
    match parse(bytes, name, table) {
        Ok(register) => Some(register),
        Err(mistake) => {
            mistakes.push(mistake);
            None
        }
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8], name: &str, table: &str) -> Result<Register<T>, Mistake> {
    let text = utf8(bytes, name)?;
    let wrong =
        |error: toml::de::Error| Mistake::at(name, text, &error.span().unwrap_or(0..0), error.message().to_owned());
    // the names of the tables first: a row of an unknown table would be refused for what it holds
    let tables: BTreeMap<Spanned<String>, toml::Value> = toml::from_str(text).map_err(wrong)?;
    if let Some(unknown) = tables.keys().find(|key| key.get_ref() != table) {
        let what = format!("`{}` is no table of this file; its rows are `[[{table}]]`", unknown.get_ref());
        return Err(Mistake::at(name, text, &unknown.span(), what));
    }
    let mut tables: BTreeMap<String, Vec<Spanned<T>>> = toml::from_str(text).map_err(wrong)?;
    let rows = tables.remove(table).unwrap_or_default().into_iter().enumerate();
    let rows = rows.map(|(index, row)| Row {
        line: text.get(..row.span().start).unwrap_or(text).matches('\n').count() + 1,
        from: Cite::new("declared", name, format!("/{table}/{index}")),
        says: row.into_inner(),
    });
    Ok(Register { from: Cite::new("declared", name, ""), rows: rows.collect() })
}

/// One table that is the whole of a file.
pub(super) fn whole<T: for<'de> Deserialize<'de>>(bytes: &[u8], name: &str) -> Result<T, Mistake> {
    let text = utf8(bytes, name)?;
    toml::from_str(text)
        .map_err(|error| Mistake::at(name, text, &error.span().unwrap_or(0..0), error.message().to_owned()))
}

pub(super) fn utf8<'a>(bytes: &'a [u8], name: &str) -> Result<&'a str, Mistake> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default()).into_owned();
        Mistake::at(name, &before, &(before.len()..before.len()), "this is not UTF-8".to_owned())
    })
}
