//! Values: those of kept records, which are only looked at, and those that an expression makes.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value as Json};

use super::{Stopped, Why};
use crate::evidence::{CUT, Shape};

/// A value.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// Another number.
    Real(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// A moment.
    Time(DateTime<Utc>),
    /// A length of time.
    Span(TimeDelta),
    /// A list of a record.
    KeptList(&'a [Json], &'a Shape),
    /// An object of a record.
    KeptMap(&'a Map<String, Json>, &'a Shape),
    /// A list that the expression makes.
    List(Rc<[Value<'a>]>),
    /// A map that the expression makes.
    Map(Rc<BTreeMap<String, Value<'a>>>),
}

impl<'a> Value<'a> {
    /// A value of a record. What was cut is not known.
    pub fn kept(json: &'a Json, shape: &'a Shape) -> Result<Value<'a>, Stopped> {
        match json {
            _ if *shape == Shape::Nothing => Err(Stopped::new(Why::Cut, "is never kept")),
            Json::Null => Ok(Value::Null),
            Json::Bool(flag) => Ok(Value::Flag(*flag)),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Ok(Value::Whole(whole)),
                (None, Some(real)) => Ok(Value::Real(real)),
                (None, None) => Err(Stopped::types("is no number that can be read")),
            },
            Json::String(text) if text.contains(CUT) => {
                Err(Stopped::new(Why::Cut, "was cut, whole or in part, before the record was kept"))
            }
            Json::String(text) => Ok(Value::Text(Cow::Borrowed(text))),
            Json::Array(items) => Ok(Value::KeptList(items, shape)),
            Json::Object(members) => Ok(Value::KeptMap(members, shape)),
        }
    }

    /// What it is, for a reader.
    pub fn words(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Flag(_) => "true or false",
            Value::Whole(_) => "a whole number",
            Value::Real(_) => "a number",
            Value::Text(_) => "a text",
            Value::Time(_) => "a time",
            Value::Span(_) => "a duration",
            Value::KeptList(..) | Value::List(_) => "a list",
            Value::KeptMap(..) | Value::Map(_) => "an object",
        }
    }

    /// A member; none when it is not there, or null, which is the same.
    pub(super) fn member(&self, name: &str) -> Result<Option<Value<'a>>, Stopped> {
        match self {
            Value::KeptMap(members, shape) => {
                let Some(below) = shape.member(name) else {
                    return Err(Stopped::new(Why::Cut, "is never kept of such a record"));
                };
                let in_any_case = || members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
                let found = members.get(name).or_else(|| in_any_case().map(|(_, value)| value));
                found.filter(|value| !value.is_null()).map(|value| Value::kept(value, below)).transpose()
            }
            Value::Map(entries) => Ok(entries.get(name).cloned()),
            other => Err(Stopped::types(format!("is asked of {}, which has no members", other.words()))),
        }
    }

    /// The items of a list, or the names in a map, in their order.
    pub(super) fn items(&self) -> Result<Vec<Result<Value<'a>, Stopped>>, Stopped> {
        match self {
            Value::KeptList(items, shape) => Ok(items.iter().map(|item| Value::kept(item, shape.item())).collect()),
            Value::List(items) => Ok(items.iter().cloned().map(Ok).collect()),
            Value::Map(entries) => Ok(entries.keys().map(|name| Ok(Value::Text(Cow::Owned(name.clone())))).collect()),
            Value::KeptMap(members, shape) => {
                complete(shape)?;
                let name = |name: &'a String| match name.contains(CUT) {
                    true => Err(Stopped::new(Why::Cut, "a name in it was cut before the record was kept")),
                    false => Ok(Value::Text(Cow::Borrowed(name.as_str()))),
                };
                Ok(members.keys().map(name).collect())
            }
            other => Err(Stopped::types(format!("{} has no items", other.words()))),
        }
    }

    /// How many items, names or letters it has.
    pub(super) fn size(&self) -> Result<usize, Stopped> {
        match self {
            Value::Text(text) => Ok(text.chars().count()),
            Value::KeptList(items, _) => Ok(items.len()),
            Value::List(items) => Ok(items.len()),
            Value::Map(entries) => Ok(entries.len()),
            Value::KeptMap(members, shape) => complete(shape).map(|()| members.len()),
            other => Err(Stopped::types(format!("{} has no size", other.words()))),
        }
    }

    /// The order of two values of one type; numbers are compared with numbers.
    pub(super) fn order(&self, other: &Value<'_>) -> Result<Ordering, Stopped> {
        let order = match (self, other) {
            (Value::Whole(one), Value::Whole(other)) => Some(one.cmp(other)),
            (Value::Whole(one), Value::Real(other)) => (*one as f64).partial_cmp(other),
            (Value::Real(one), Value::Whole(other)) => one.partial_cmp(&(*other as f64)),
            (Value::Real(one), Value::Real(other)) => one.partial_cmp(other),
            (Value::Text(one), Value::Text(other)) => Some(one.cmp(other)),
            (Value::Time(one), Value::Time(other)) => Some(one.cmp(other)),
            (Value::Span(one), Value::Span(other)) => Some(one.cmp(other)),
            (Value::Flag(one), Value::Flag(other)) => Some(one.cmp(other)),
            _ => None,
        };
        order.ok_or_else(|| Stopped::types(format!("{} is compared with {}", self.words(), other.words())))
    }

    /// Whether two values are the same. `null` can be compared with everything; of all else, types must agree.
    /// `count` is told of every comparison.
    pub(super) fn same(&self, other: &Value<'_>, count: &dyn Fn() -> Result<(), Stopped>) -> Result<bool, Stopped> {
        count()?;
        let is_list = |value: &Value<'_>| matches!(value, Value::KeptList(..) | Value::List(_));
        match (self, other) {
            (Value::Null, Value::Null) => Ok(true),
            (Value::Null, _) | (_, Value::Null) => Ok(false),
            _ if is_list(self) && is_list(other) => {
                let (one, other) = (self.items()?, other.items()?);
                if one.len() != other.len() {
                    return Ok(false);
                }
                for (one, other) in one.into_iter().zip(other) {
                    if !one?.same(&other?, count)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => Ok(self.order(other)? == Ordering::Equal),
        }
    }
}

/// Refuses to count or name the members of an object of which others may have been cut.
fn complete(shape: &Shape) -> Result<(), Stopped> {
    match shape {
        Shape::Object { any: Some(_), .. } => Ok(()),
        _ => {
            Err(Stopped::new(Why::Cut, "of its members only those on a list are kept, so that they cannot be counted"))
        }
    }
}
