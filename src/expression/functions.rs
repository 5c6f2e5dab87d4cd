//! The functions that an expression may call: none that asks a clock, chance, or anything outside of its values.

use std::borrow::Cow;
use std::rc::Rc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Stopped, Value, Why};

/// Longest text that an expression may make, in bytes.
pub(super) const LONGEST_TEXT: usize = 64 * 1024;

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Whole,
    Real,
    Text,
    Timestamp,
    Duration,
    Days,
    Contains,
    StartsWith,
    EndsWith,
    Lower,
    Upper,
    Split,
}

/// Functions that are called with their values: name, how many, and which.
const PLAIN: &[(&str, usize, Function)] = &[
    ("size", 1, Function::Size),
    ("int", 1, Function::Whole),
    ("double", 1, Function::Real),
    ("string", 1, Function::Text),
    ("timestamp", 1, Function::Timestamp),
    ("duration", 1, Function::Duration),
    ("days", 1, Function::Days),
];

/// Functions that are called on a value; it is counted.
const OF_VALUES: &[(&str, usize, Function)] = &[
    ("size", 1, Function::Size),
    ("contains", 2, Function::Contains),
    ("startsWith", 2, Function::StartsWith),
    ("endsWith", 2, Function::EndsWith),
    ("lowerAscii", 1, Function::Lower),
    ("upperAscii", 1, Function::Upper),
    ("split", 2, Function::Split),
];

/// What is asked of every item, which the grammar calls macros.
const MACROS: &[&str] = &["all", "exists", "exists_one", "filter", "map"];

/// Names of all of them, as they are written.
pub fn names() -> impl Iterator<Item = String> {
    let plain = PLAIN.iter().map(|(name, ..)| format!("{name}()"));
    let of_values = OF_VALUES.iter().map(|(name, ..)| *name).chain(MACROS.iter().copied());
    std::iter::once("has()".to_owned()).chain(plain).chain(of_values.map(|name| format!(".{name}()")))
}

impl Function {
    /// The function of this name for so many values.
    pub(super) fn named(name: &str, is_of_value: bool, count: usize) -> Result<Function, String> {
        let (own, other) = if is_of_value { (OF_VALUES, PLAIN) } else { (PLAIN, OF_VALUES) };
        let of = usize::from(is_of_value);
        match own.iter().find(|(known, ..)| *known == name) {
            Some((_, wanted, function)) if *wanted == count => Ok(*function),
            Some((_, wanted, _)) => Err(format!("`{name}` takes {} values, not {}", wanted - of, count - of)),
            None if other.iter().any(|(known, ..)| *known == name) => Err(match is_of_value {
                true => format!("`{name}` stands in front of its value, as in `{name}(value)`"),
                false => format!("`{name}` stands behind its value, as in `value.{name}(…)`"),
            }),
            None if MACROS.contains(&name) => {
                Err(format!("`{name}` is called on a list, as in `list.{name}(item, item.id != '')`"))
            }
            None => Err(format!("there is no function `{name}`; there are {}", names().collect::<Vec<_>>().join(", "))),
        }
    }

    fn shown(self) -> &'static str {
        let mut all = PLAIN.iter().chain(OF_VALUES);
        all.find(|(_, _, function)| *function == self).map_or("", |(name, ..)| name)
    }

    pub(super) fn call<'a>(self, given: &[Value<'a>]) -> Result<Value<'a>, Stopped> {
        let wrong = || {
            let types: Vec<&str> = given.iter().map(Value::words).collect();
            Stopped::types(format!("`{}` is asked of {}", self.shown(), types.join(" and ")))
        };
        let text = |place: usize| match given.get(place) {
            Some(Value::Text(text)) => Ok(text.clone()),
            _ => Err(wrong()),
        };
        let first = given.first().ok_or_else(wrong)?;
        Ok(match self {
            Function::Size => Value::Whole(first.size()?.try_into().unwrap_or(i64::MAX)),
            Function::Contains => Value::Flag(text(0)?.contains(&*text(1)?)),
            Function::StartsWith => Value::Flag(text(0)?.starts_with(&*text(1)?)),
            Function::EndsWith => Value::Flag(text(0)?.ends_with(&*text(1)?)),
            Function::Lower => Value::Text(Cow::Owned(text(0)?.to_ascii_lowercase())),
            Function::Upper => Value::Text(Cow::Owned(text(0)?.to_ascii_uppercase())),
            Function::Split => {
                let (whole, by) = (text(0)?, text(1)?);
                if by.is_empty() {
                    return Err(Stopped::types("`split` needs a text to part by"));
                }
                let parts = whole.split(&*by).map(|part| Value::Text(Cow::Owned(part.to_owned())));
                Value::List(parts.collect::<Rc<[Value<'a>]>>())
            }
            Function::Whole => Value::Whole(match first {
                Value::Whole(number) => *number,
                Value::Real(number) if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => {
                    *number as i64
                }
                Value::Text(text) => text.trim().parse().map_err(|_| unread(self, text))?,
                Value::Time(time) => time.timestamp(),
                _ => return Err(wrong()),
            }),
            Function::Real => Value::Real(match first {
                Value::Whole(number) => *number as f64,
                Value::Real(number) => *number,
                Value::Text(text) => finite(text).ok_or_else(|| unread(self, text))?,
                _ => return Err(wrong()),
            }),
            Function::Text => Value::Text(match first {
                Value::Text(text) => text.clone(),
                Value::Whole(number) => Cow::Owned(number.to_string()),
                Value::Flag(flag) => Cow::Owned(flag.to_string()),
                Value::Time(time) => Cow::Owned(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
                _ => return Err(wrong()),
            }),
            Function::Timestamp => Value::Time(match first {
                Value::Time(time) => *time,
                Value::Whole(seconds) => {
                    let out = || Stopped::types(format!("`timestamp`: {seconds} is out of range"));
                    DateTime::from_timestamp(*seconds, 0).ok_or_else(out)?
                }
                Value::Text(text) => time(text).ok_or_else(|| unread(self, text))?,
                _ => return Err(wrong()),
            }),
            Function::Duration => Value::Span(match first {
                Value::Span(span) => *span,
                Value::Text(text) => span(text).ok_or_else(|| unread(self, text))?,
                _ => return Err(wrong()),
            }),
            Function::Days => match first {
                Value::Whole(days) => {
                    let out = || Stopped::types(format!("`days`: {days} is out of range"));
                    Value::Span(TimeDelta::try_days(*days).ok_or_else(out)?)
                }
                _ => return Err(wrong()),
            },
        })
    }
}

fn unread(function: Function, text: &str) -> Stopped {
    let short: String = text.chars().take(40).collect();
    Stopped::new(Why::Types, format!("`{}` cannot read `{short}`", function.shown()))
}

fn finite(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// RFC 3339; a time without a zone is UTC, as Azure means it.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    zoned.or_else(|| text.parse::<chrono::NaiveDateTime>().ok().map(|time| time.and_utc()))
}

/// `2160h`, `1h30m`, `45s`: the units of CEL down to a second.
fn span(text: &str) -> Option<TimeDelta> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut seconds: i64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|sign: char| !sign.is_ascii_digit())?;
        let (number, behind) = rest.split_at(end);
        let unit = match behind.chars().next()? {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = behind.get(1..)?;
    }
    TimeDelta::try_seconds(seconds.checked_mul(sign)?)
}
