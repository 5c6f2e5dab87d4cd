//! What was cut where, told shortly: each place, or all places that are alike.

use std::borrow::Cow;
use std::collections::BTreeMap;

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

/// What was cut, by rule and by place with `*` for what differs in places that are alike.
#[derive(Default)]
pub(super) struct Cuts(BTreeMap<(&'static str, String), Alike>);

/// Cuts in places that are alike.
#[derive(Default)]
struct Alike {
    count: u64,
    /// The first of the places, and how often it was cut there; one more than [`TOLD_EACH`] when there are more.
    each: Vec<(String, u64)>,
}

impl Cuts {
    pub(super) fn add(&mut self, rule: &'static str, place: &[Step<'_>]) {
        let alike = self.0.entry((rule, pointer(place, true))).or_default();
        alike.count += 1;
        if alike.each.len() > TOLD_EACH {
            return;
        }
        let place = pointer(place, false);
        match alike.each.last_mut() {
            Some((last, count)) if *last == place => *count += 1,
            _ => alike.each.push((place, 1)),
        }
    }

    /// By rule and place.
    pub(super) fn told(self) -> Vec<Redaction> {
        let told = self.0.into_iter().flat_map(|((rule, places), alike)| {
            let told = if alike.each.len() > TOLD_EACH { vec![(places, alike.count)] } else { alike.each };
            told.into_iter().map(move |(place, count)| Redaction { rule: rule.to_owned(), place, count })
        });
        told.collect()
    }
}

/// A JSON Pointer (RFC 6901); of places that are alike, with `*` for what differs.
fn pointer(place: &[Step<'_>], is_of_all: bool) -> String {
    let mut pointer = String::new();
    for step in place {
        pointer.push('/');
        match step {
            Step::Entry(_) | Step::Item(_) if is_of_all => pointer.push('*'),
            Step::Member(name) | Step::Entry(name) => {
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            }
            Step::Cell(index) | Step::Item(index) => pointer.push_str(&index.to_string()),
        }
    }
    pointer
}
