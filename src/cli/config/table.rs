//! One table of the file, taken apart key by key; what is left over is unknown.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::control::Mistake;

/// Collects mistakes as `file:line:column: what`.
pub(super) struct Mistakes<'a> {
    file: &'a str,
    text: &'a str,
    found: RefCell<Vec<(usize, String)>>,
}

impl<'a> Mistakes<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Mistakes<'a> {
        Mistakes { file, text, found: RefCell::new(Vec::new()) }
    }

    pub(super) fn at(&self, span: &Range<usize>, what: impl AsRef<str>) {
        let words = Mistake::at(self.file, self.text, span, what.as_ref().to_owned()).to_string();
        self.found.borrow_mut().push((span.start, words));
    }

    /// The mistakes in the order of the file, each once.
    pub(super) fn into_lines(self) -> Vec<String> {
        let mut found = self.found.into_inner();
        found.sort();
        found.dedup();
        found.into_iter().map(|(_, words)| words).collect()
    }
}

/// A table of the file, or the lack of it.
pub(super) struct Table<'t, 'a> {
    /// Dotted name for messages; empty for the root.
    name: String,
    /// Where to point when a key is missing.
    span: Range<usize>,
    items: Option<&'t DeTable<'a>>,
    mistakes: &'t Mistakes<'a>,
}

impl<'t, 'a> Table<'t, 'a> {
    pub(super) fn root(items: &'t Spanned<DeTable<'a>>, mistakes: &'t Mistakes<'a>) -> Table<'t, 'a> {
        Table { name: String::new(), span: 0..0, items: Some(items.get_ref()), mistakes }
    }

    /// Refuses every key that is not in `known`.
    pub(super) fn only(&self, known: &[&str]) {
        for key in self.items.into_iter().flat_map(|items| items.keys()) {
            if !known.contains(&key.get_ref().as_ref()) {
                let place = if self.name.is_empty() { "here".to_owned() } else { format!("in [{}]", self.name) };
                self.mistakes.at(
                    &key.span(),
                    format!("unknown key `{}` {place}; known are {}", key.get_ref(), known.join(", ")),
                );
            }
        }
    }

    /// A sub-table; absent is an empty one.
    pub(super) fn table(&self, key: &str) -> Table<'t, 'a> {
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        let (span, items) = match self.value(key) {
            None => (self.span.clone(), None),
            Some((span, DeValue::Table(items))) => (span, Some(items)),
            Some((span, other)) => {
                self.wrong(&span, key, "a table", other);
                (span, None)
            }
        };
        Table { name, span, items, mistakes: self.mistakes }
    }

    pub(super) fn is_present(&self) -> bool {
        self.items.is_some()
    }

    /// Reports a missing key.
    pub(super) fn missing(&self, key: &str, expected: &str) {
        self.mistakes.at(&self.span, format!("`{key}` is missing in [{}]: expected {expected}", self.name));
    }

    /// Reports a value that is of the right type and still wrong.
    pub(super) fn refuse(&self, key: &str, what: impl AsRef<str>) {
        let span = self.value(key).map_or_else(|| self.span.clone(), |(span, _)| span);
        self.mistakes.at(&span, what);
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        let (span, value) = self.value(key)?;
        match value {
            DeValue::String(text) => Some(text.to_string()),
            other => {
                self.wrong(&span, key, "text in quotes", other);
                None
            }
        }
    }

    pub(super) fn integer<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        let (span, value) = self.value(key)?;
        let number = match value {
            DeValue::Integer(number) => i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok(),
            other => {
                self.wrong(&span, key, "a whole number", other);
                return None;
            }
        };
        let fitting = number.filter(|number| *number >= 0).and_then(|number| T::try_from(number).ok());
        if fitting.is_none() {
            self.mistakes.at(&span, format!("`{key}` is out of range: expected a whole number from 0"));
        }
        fitting
    }

    pub(super) fn texts(&self, key: &str) -> Option<Vec<String>> {
        let (span, value) = self.value(key)?;
        let DeValue::Array(items) = value else {
            self.wrong(&span, key, "a list of texts", value);
            return None;
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) => texts.push(text.to_string()),
                other => self.wrong(&item.span(), key, "text in quotes", other),
            }
        }
        Some(texts)
    }

    /// A text, or a list of texts.
    pub(super) fn text_or_texts(&self, key: &str) -> Option<Vec<String>> {
        match self.value(key)? {
            (_, DeValue::Array(_)) => self.texts(key),
            _ => self.text(key).map(|text| vec![text]),
        }
    }

    /// Where the `index`-th item of a list stands.
    pub(super) fn refuse_item(&self, key: &str, index: usize, what: impl AsRef<str>) {
        let span = match self.value(key) {
            Some((span, DeValue::Array(items))) => items.get(index).map_or(span, Spanned::span),
            Some((span, _)) => span,
            None => self.span.clone(),
        };
        self.mistakes.at(&span, what);
    }

    fn value(&self, key: &str) -> Option<(Range<usize>, &'t DeValue<'a>)> {
        let (_, value) = self.items?.iter().find(|(name, _)| name.get_ref().as_ref() == key)?;
        Some((value.span(), value.get_ref()))
    }

    fn wrong(&self, span: &Range<usize>, key: &str, expected: &str, found: &DeValue<'_>) {
        self.mistakes.at(span, format!("`{key}` is a {}: expected {expected}", found.type_str()));
    }
}
