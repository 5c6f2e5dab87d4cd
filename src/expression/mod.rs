//! Conditions that an engineer writes over kept records, in CEL (cel.dev): `vault.properties.sku.name == 'premium'`.
//!
//! `guard` looks at the text before any parser does, `cel` has the grammar's crate parse it, on a stack that it
//! cannot leave, and turns what it found into a `tree`, the only form that is evaluated. `evaluate` is ours, and
//! stricter than the language where that keeps a false "holds" away:
//!
//! - what cannot be known is never false: a member that is not there, one that was cut before the record was kept, a
//!   type that does not fit stop the condition ([`Stopped`]), unless the rest decides it whatever the value;
//! - values of different types are not unequal, they cannot be compared;
//! - there is no clock, no chance, and no order that depends on hashing; the work is counted in steps, so that the
//!   same condition over the same record ends in the same way on every machine.

mod cel;
mod evaluate;
mod functions;
mod guard;
mod tree;
mod value;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

pub use evaluate::MOST_STEPS;
pub use functions::names;
pub use guard::LONGEST;
pub use value::Value;

use crate::evidence::{Reason, Shape};

/// A condition that was understood.
pub trait Condition: fmt::Debug + Send + Sync {
    /// Whether it holds for these variables.
    fn holds(&self, variables: &Variables<'_>) -> Result<bool, Stopped>;

    /// The variables that it reads, each with the place of its first use.
    fn reads(&self) -> Vec<(String, usize)>;

    /// The first member that it asks a variable for and that no record of this shape can have: its path, and its place.
    fn lost(&self, variable: &str, shape: &Shape) -> Option<(String, usize)>;
}

/// Understands a condition.
pub fn compile(text: &str) -> Result<Box<dyn Condition>, Wrong> {
    guard::look(text)?;
    Ok(Box::new(tree::Tree::new(cel::parse(text)?)))
}

/// A text that is no condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Where in the text, in bytes.
    pub at: usize,
    /// What is wrong, for the person who wrote it.
    pub what: String,
}

impl Wrong {
    fn new(at: usize, what: impl Into<String>) -> Wrong {
        Wrong { at, what: what.into() }
    }
}

/// What a condition may look at, by name.
#[derive(Clone, Debug, Default)]
pub struct Variables<'a>(BTreeMap<&'static str, Result<Value<'a>, Stopped>>);

impl<'a> Variables<'a> {
    /// Names a value.
    pub fn set(&mut self, name: &'static str, value: Value<'a>) {
        self.0.insert(name, Ok(value));
    }

    /// Names something that is not known, with the reason.
    pub fn unknown(&mut self, name: &'static str, why: Stopped) {
        self.0.insert(name, Err(why));
    }

    fn get(&self, name: &str) -> Option<&Result<Value<'a>, Stopped>> {
        self.0.get(name)
    }
}

/// Why a condition could not be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Of which sort.
    pub why: Why,
    /// In words for a reader of the report, in lower case without a full stop.
    pub what: String,
}

impl Stopped {
    /// Because of this.
    pub fn new(why: Why, what: impl Into<String>) -> Stopped {
        Stopped { why, what: what.into() }
    }

    fn types(what: impl Into<String>) -> Stopped {
        Stopped::new(Why::Types, what)
    }
}

/// Sorts of reasons why a condition could not be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The record does not tell it.
    Missing,
    /// It was left out before the record was kept, or is never kept.
    Cut,
    /// A record that belongs to this one was not read, for this reason.
    Unread(Reason),
    /// The types do not fit, or a number is out of range.
    Types,
    /// It takes too many steps.
    TooLong,
}
