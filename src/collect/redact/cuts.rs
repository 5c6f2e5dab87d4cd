//! What was cut where, told shortly: each place, or all places that are alike.

use std::borrow::Cow;

use crate::evidence::Redaction;

/// How many places that are alike are told one by one; more are told together.
const TOLD_EACH: usize = 8;

/// One step of the way to a place.
pub(super) enum Step<'a> {
    /// A member that the list names.
    Member(Cow<'a, str>),
    /// An entry of a map: there are many alike.
    Entry(Cow<'a, str>),
    /// An item that is known by its position.
    Cell(usize),
    /// An item of a list: there are many alike.
    Item(usize),
}

/// What was cut, as a tree of the places that something was cut in or below. The first is the value as a whole.
pub(super) struct Cuts(Vec<Alike>);

/// Places that are alike.
struct Alike {
    step: AnyOf,
    /// Where those stand that are one step below.
    below: Vec<usize>,
    rules: Vec<Told>,
}

/// A step without what differs in places that are alike.
#[derive(PartialEq, Eq)]
enum AnyOf {
    Member(String),
    Cell(usize),
    /// An entry or an item.
    Many,
}

/// Cuts by one rule.
struct Told {
    rule: &'static str,
    count: u64,
    /// The first of the places, and how often it was cut there; one more than [`TOLD_EACH`] when there are more.
    each: Vec<(String, u64)>,
}

impl Default for Cuts {
    fn default() -> Cuts {
        Cuts(vec![Alike::at(AnyOf::Many)])
    }
}

impl Alike {
    fn at(step: AnyOf) -> Alike {
        Alike { step, below: Vec::new(), rules: Vec::new() }
    }
}

impl AnyOf {
    fn is(&self, step: &Step<'_>) -> bool {
        match (self, step) {
            (AnyOf::Member(known), Step::Member(name)) => known == name,
            (AnyOf::Cell(known), Step::Cell(index)) => known == index,
            (AnyOf::Many, Step::Entry(_) | Step::Item(_)) => true,
            _ => false,
        }
    }

    fn of(step: &Step<'_>) -> AnyOf {
        match step {
            Step::Member(name) => AnyOf::Member(name.clone().into_owned()),
            Step::Cell(index) => AnyOf::Cell(*index),
            Step::Entry(_) | Step::Item(_) => AnyOf::Many,
        }
    }
}

impl Cuts {
    pub(super) fn add(&mut self, rule: &'static str, place: &[Step<'_>]) {
        let at = place.iter().fold(0, |at, step| self.below(at, step));
        let Some(alike) = self.0.get_mut(at) else { return };
        let known = alike.rules.iter().position(|told| told.rule == rule).unwrap_or_else(|| {
            alike.rules.push(Told { rule, count: 0, each: Vec::new() });
            alike.rules.len() - 1
        });
        let Some(told) = alike.rules.get_mut(known) else { return };
        told.count += 1;
        if told.each.len() > TOLD_EACH {
            return; // most cuts
        }
        let place = pointer(place);
        match told.each.last_mut() {
            Some((last, count)) if *last == place => *count += 1,
            _ => told.each.push((place, 1)),
        }
    }

    /// Where the places stand that are one step below those at `at`.
    fn below(&mut self, at: usize, step: &Step<'_>) -> usize {
        let below = self.0.get(at).into_iter().flat_map(|alike| alike.below.iter().copied());
        let is_it = |index: &usize| self.0.get(*index).is_some_and(|alike| alike.step.is(step));
        if let Some(known) = below.into_iter().find(is_it) {
            return known;
        }
        let new = self.0.len();
        self.0.push(Alike::at(AnyOf::of(step)));
        if let Some(alike) = self.0.get_mut(at) {
            alike.below.push(new);
        }
        new
    }

    /// By rule and place.
    pub(super) fn told(self) -> Vec<Redaction> {
        let mut alike = Vec::new();
        self.tell(0, "", &mut alike);
        alike.sort_by(|(one, a), (other, b)| (a.rule, one).cmp(&(b.rule, other)));
        let told = alike.into_iter().flat_map(|(places, told)| {
            let each = if told.each.len() > TOLD_EACH { vec![(places, told.count)] } else { told.each.clone() };
            each.into_iter().map(|(place, count)| Redaction { rule: told.rule.to_owned(), place, count })
        });
        told.collect()
    }

    /// What was cut at these places and below, with the pointer that all of them have.
    fn tell<'c>(&'c self, at: usize, places: &str, told: &mut Vec<(String, &'c Told)>) {
        let Some(alike) = self.0.get(at) else { return };
        told.extend(alike.rules.iter().map(|rule| (places.to_owned(), rule)));
        for below in &alike.below {
            let step = match self.0.get(*below).map(|alike| &alike.step) {
                Some(AnyOf::Member(name)) => escaped(name),
                Some(AnyOf::Cell(index)) => index.to_string(),
                Some(AnyOf::Many) | None => "*".to_owned(),
            };
            self.tell(*below, &format!("{places}/{step}"), told);
        }
    }
}

/// A JSON Pointer (RFC 6901).
fn pointer(place: &[Step<'_>]) -> String {
    let mut pointer = String::new();
    for step in place {
        pointer.push('/');
        match step {
            Step::Member(name) | Step::Entry(name) => pointer.push_str(&escaped(name)),
            Step::Cell(index) | Step::Item(index) => pointer.push_str(&index.to_string()),
        }
    }
    pointer
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
