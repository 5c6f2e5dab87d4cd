//! Evaluation, counted in steps.
//!
//! `&&`, `||`, `all` and `exists` are decided by one side or one item whatever the others are, as CEL has it: what is
//! not known there does not matter. Running out of steps is never overlooked.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::functions::LONGEST_TEXT;
use super::tree::{Each, Form, Node, Sign};
use super::{Stopped, Value, Variables, Why};

/// Most steps of one expression over one record.
pub const MOST_STEPS: u64 = 1_000_000;
/// Bytes that are gone through in one step.
const BYTES_A_STEP: usize = 64;

pub(super) fn evaluate<'a>(node: &Node, variables: &Variables<'a>) -> Result<Value<'a>, Stopped> {
    Evaluation { variables, steps: Cell::new(0) }.value(node, None)
}

struct Evaluation<'v, 'a> {
    variables: &'v Variables<'a>,
    steps: Cell<u64>,
}

/// A name that is bound to an item.
struct Bound<'s, 'a> {
    name: &'s str,
    value: Result<Value<'a>, Stopped>,
    outer: Option<&'s Bound<'s, 'a>>,
}

type Outcome<'a> = Result<Value<'a>, Stopped>;

impl<'a> Evaluation<'_, 'a> {
    fn count(&self, steps: usize) -> Result<(), Stopped> {
        let counted = self.steps.get().saturating_add(steps as u64);
        self.steps.set(counted);
        match counted > MOST_STEPS {
            true => Err(Stopped::new(Why::TooLong, format!("the expression takes more than {MOST_STEPS} steps"))),
            false => Ok(()),
        }
    }

    fn value(&self, node: &Node, bound: Option<&Bound<'_, 'a>>) -> Outcome<'a> {
        self.count(1)?;
        match &node.form {
            Form::Null => Ok(Value::Null),
            Form::Flag(flag) => Ok(Value::Flag(*flag)),
            Form::Whole(number) => Ok(Value::Whole(*number)),
            Form::Real(number) => Ok(Value::Real(*number)),
            Form::Text(text) => self.text(text.clone()),
            Form::Variable(name) => self.variable(name, bound),
            Form::Member { of, name, is_test } => self.member(node, of, name, *is_test, bound),
            Form::Index { of, by } => self.index(node, of, by, bound),
            Form::Not(of) => Ok(Value::Flag(!self.flag(of, bound)?)),
            Form::Minus(of) => match self.value(of, bound)? {
                Value::Whole(number) => number.checked_neg().map(Value::Whole).ok_or_else(out_of_range),
                Value::Real(number) => Ok(Value::Real(-number)),
                other => Err(Stopped::types(format!("`-` is asked of {}", other.words()))),
            },
            Form::Decided { by, sides: [one, other] } => self.decided(*by, one, other, bound).map(Value::Flag),
            Form::Choice([of, yes, no]) => match self.flag(of, bound)? {
                true => self.value(yes, bound),
                false => self.value(no, bound),
            },
            Form::Pair { sign, sides: [one, other] } => {
                self.pair(*sign, &self.value(one, bound)?, &self.value(other, bound)?)
            }
            Form::Call { function, given } => {
                let given: Vec<Value<'a>> = given.iter().map(|one| self.value(one, bound)).collect::<Result<_, _>>()?;
                let bytes = |value: &Value<'_>| if let Value::Text(text) = value { text.len() } else { 0 };
                self.count(given.iter().map(bytes).sum::<usize>() / BYTES_A_STEP)?;
                function.call(&given)
            }
            Form::Each { how, range, name, body } => self.each(*how, range, name, body, bound),
            Form::List(items) => {
                let items = items.iter().map(|item| self.value(item, bound)).collect::<Result<Vec<_>, _>>()?;
                Ok(Value::List(items.into()))
            }
            Form::Map(entries) => {
                let mut map = BTreeMap::new();
                for (key, value) in entries {
                    let Value::Text(key) = self.value(key, bound)? else {
                        return Err(Stopped::types("names in a map are texts"));
                    };
                    map.insert(key.into_owned(), self.value(value, bound)?);
                }
                Ok(Value::Map(Rc::new(map)))
            }
        }
    }

    fn flag(&self, node: &Node, bound: Option<&Bound<'_, 'a>>) -> Result<bool, Stopped> {
        match self.value(node, bound)? {
            Value::Flag(flag) => Ok(flag),
            other => Err(Stopped::types(format!("{} stands where true or false is wanted", other.words()))),
        }
    }

    fn variable(&self, name: &str, bound: Option<&Bound<'_, 'a>>) -> Outcome<'a> {
        let mut inner = bound;
        while let Some(scope) = inner {
            if scope.name == name {
                return scope.value.clone();
            }
            inner = scope.outer;
        }
        let known = self.variables.get(name).cloned();
        known.unwrap_or_else(|| Err(Stopped::types(format!("there is no variable `{name}`"))))
    }

    fn member(&self, node: &Node, of: &Node, name: &str, is_test: bool, bound: Option<&Bound<'_, 'a>>) -> Outcome<'a> {
        let holder = self.value(of, bound)?;
        let found = holder.member(name).map_err(|stopped| named(node, stopped))?;
        match (found, is_test) {
            (found, true) => Ok(Value::Flag(found.is_some())),
            (Some(value), false) => Ok(value),
            (None, false) => Err(missing(node)),
        }
    }

    fn index(&self, node: &Node, of: &Node, by: &Node, bound: Option<&Bound<'_, 'a>>) -> Outcome<'a> {
        let (holder, by) = (self.value(of, bound)?, self.value(by, bound)?);
        match (&holder, &by) {
            (Value::KeptMap(..) | Value::Map(_), Value::Text(name)) => {
                let found = holder.member(name).map_err(|stopped| named(node, stopped))?;
                found.ok_or_else(|| missing(node))
            }
            (Value::KeptList(..) | Value::List(_), Value::Whole(place)) => {
                let place = usize::try_from(*place).map_err(|_| missing(node))?;
                let item = match &holder {
                    Value::KeptList(items, shape) => items.get(place).map(|item| Value::kept(item, shape.item())),
                    Value::List(items) => items.get(place).cloned().map(Ok),
                    _ => None,
                };
                item.ok_or_else(|| missing(node))?.map_err(|stopped| named(node, stopped))
            }
            _ => Err(Stopped::types(format!("`[ ]` is asked of {} with {}", holder.words(), by.words()))),
        }
    }

    /// `&&` with `false`, `||` with `true`: one side that is so decides.
    fn decided(&self, by: bool, one: &Node, other: &Node, bound: Option<&Bound<'_, 'a>>) -> Result<bool, Stopped> {
        let first = final_or(self.flag(one, bound))?;
        if first == Ok(by) {
            return Ok(by);
        }
        let second = final_or(self.flag(other, bound))?;
        match (first, second) {
            (_, Ok(decides)) if decides == by => Ok(by),
            (Err(stopped), _) | (_, Err(stopped)) => Err(stopped),
            (Ok(_), Ok(_)) => Ok(!by),
        }
    }

    fn each(&self, how: Each, range: &Node, name: &str, body: &Node, outer: Option<&Bound<'_, 'a>>) -> Outcome<'a> {
        let items = self.value(range, outer)?.items().map_err(|stopped| named(range, stopped))?;
        self.count(items.len())?;
        let mut bound = Bound { name, value: Ok(Value::Null), outer };
        let (mut unknown, mut found) = (None, Vec::new());
        for item in items {
            bound.value = item.map_err(|stopped| named(range, stopped));
            match how {
                Each::All | Each::Exists => match final_or(self.flag(body, Some(&bound)))? {
                    Ok(holds) if holds == (how == Each::Exists) => return Ok(Value::Flag(holds)),
                    Ok(_) => {}
                    Err(stopped) => unknown = unknown.or(Some(stopped)),
                },
                Each::ExistsOne | Each::Filter => {
                    if self.flag(body, Some(&bound))? {
                        found.push(bound.value.clone()?);
                    }
                }
                Each::Map => found.push(self.value(body, Some(&bound))?),
            }
        }
        match (how, unknown) {
            (Each::All | Each::Exists, Some(stopped)) => Err(stopped),
            (Each::All, None) => Ok(Value::Flag(true)),
            (Each::Exists, None) => Ok(Value::Flag(false)),
            (Each::ExistsOne, _) => Ok(Value::Flag(found.len() == 1)),
            (Each::Filter | Each::Map, _) => Ok(Value::List(found.into())),
        }
    }

    fn pair(&self, sign: Sign, one: &Value<'a>, other: &Value<'a>) -> Outcome<'a> {
        let count = || self.count(1);
        let order = |is: fn(std::cmp::Ordering) -> bool| Ok(Value::Flag(is(one.order(other)?)));
        let in_words =
            |stopped: Stopped| Stopped { what: format!("{} by `{}`", stopped.what, sign.shown()), ..stopped };
        match sign {
            Sign::Equal => one.same(other, &count).map(Value::Flag).map_err(in_words),
            Sign::Unequal => one.same(other, &count).map(|same| Value::Flag(!same)).map_err(in_words),
            Sign::Less => order(std::cmp::Ordering::is_lt).map_err(in_words),
            Sign::LessOrEqual => order(std::cmp::Ordering::is_le).map_err(in_words),
            Sign::Greater => order(std::cmp::Ordering::is_gt).map_err(in_words),
            Sign::GreaterOrEqual => order(std::cmp::Ordering::is_ge).map_err(in_words),
            Sign::In => self.is_in(one, other).map(Value::Flag),
            Sign::Plus | Sign::Minus | Sign::Times | Sign::Over | Sign::Rest => self.sum(sign, one, other),
        }
    }

    /// An item that is the same decides; else one that cannot be compared leaves it open.
    fn is_in(&self, one: &Value<'a>, list: &Value<'a>) -> Result<bool, Stopped> {
        if let (Value::KeptMap(..) | Value::Map(_), Value::Text(name)) = (list, one) {
            return Ok(list.member(name)?.is_some());
        }
        let mut unknown = None;
        for item in list.items()? {
            match final_or(item.and_then(|item| item.same(one, &|| self.count(1))))? {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(stopped) => unknown = unknown.or(Some(stopped)),
            }
        }
        unknown.map_or(Ok(false), Err)
    }

    fn sum(&self, sign: Sign, one: &Value<'a>, other: &Value<'a>) -> Outcome<'a> {
        let sum = match (sign, one, other) {
            (_, Value::Whole(one), Value::Whole(other)) => match sign {
                Sign::Plus => one.checked_add(*other),
                Sign::Minus => one.checked_sub(*other),
                Sign::Times => one.checked_mul(*other),
                Sign::Over => one.checked_div(*other),
                _ => one.checked_rem(*other),
            }
            .map(Value::Whole),
            (Sign::Plus, Value::Real(one), Value::Real(other)) => Some(Value::Real(one + other)),
            (Sign::Minus, Value::Real(one), Value::Real(other)) => Some(Value::Real(one - other)),
            (Sign::Times, Value::Real(one), Value::Real(other)) => Some(Value::Real(one * other)),
            (Sign::Over, Value::Real(one), Value::Real(other)) => Some(Value::Real(one / other)),
            (Sign::Plus, Value::Time(time), Value::Span(span)) => time.checked_add_signed(*span).map(Value::Time),
            (Sign::Minus, Value::Time(time), Value::Span(span)) => time.checked_sub_signed(*span).map(Value::Time),
            (Sign::Minus, Value::Time(one), Value::Time(other)) => Some(Value::Span(*one - *other)),
            (Sign::Plus, Value::Span(one), Value::Span(other)) => one.checked_add(other).map(Value::Span),
            (Sign::Minus, Value::Span(one), Value::Span(other)) => one.checked_sub(other).map(Value::Span),
            (Sign::Plus, Value::Text(one), Value::Text(other)) => return self.text(format!("{one}{other}")),
            (Sign::Plus, Value::KeptList(..) | Value::List(_), Value::KeptList(..) | Value::List(_)) => {
                let items = one.items()?.into_iter().chain(other.items()?).collect::<Result<Vec<_>, _>>()?;
                self.count(items.len())?;
                return Ok(Value::List(items.into()));
            }
            _ => {
                let types = format!("`{}` is asked of {} and {}", sign.shown(), one.words(), other.words());
                return Err(Stopped::types(types));
            }
        };
        match sum {
            Some(Value::Real(number)) if !number.is_finite() => Err(out_of_range()),
            Some(value) => Ok(value),
            None => Err(out_of_range()),
        }
    }

    fn text(&self, text: String) -> Outcome<'a> {
        self.count(text.len() / BYTES_A_STEP)?;
        if text.len() > LONGEST_TEXT {
            return Err(Stopped::new(
                Why::TooLong,
                format!("the expression makes a text of more than {LONGEST_TEXT} bytes"),
            ));
        }
        Ok(Value::Text(Cow::Owned(text)))
    }
}

/// What may be decided by another side; running out of steps may not.
fn final_or<T>(result: Result<T, Stopped>) -> Result<Result<T, Stopped>, Stopped> {
    match result {
        Err(stopped) if stopped.why == Why::TooLong => Err(stopped),
        other => Ok(other),
    }
}

fn missing(node: &Node) -> Stopped {
    Stopped::new(Why::Missing, format!("the record does not tell `{}`", node.shown()))
}

/// The same with the name of what it is about in front.
fn named(node: &Node, stopped: Stopped) -> Stopped {
    match stopped.why {
        Why::TooLong => stopped,
        _ => Stopped { what: format!("`{}`: {}", node.shown(), stopped.what), ..stopped },
    }
}

fn out_of_range() -> Stopped {
    Stopped::types("a number or a time is out of range")
}
