//! One JSON object of an answer, read field by field.
//!
//! Absent and null are the same: not told. A field of another type than the contract's is read as not told
//! **and** noted as a fault of the question. Numbers, booleans and times are also read from text.

use std::collections::{BTreeMap, BTreeSet};

use super::json::Json;
use super::pages::Place;
use crate::evidence::{CUT, Cite};
use crate::model::Id;
use chrono::{DateTime, NaiveDateTime, Utc};

/// A value of an answer and its place.
pub(super) struct Item<'a> {
    value: &'a Json<'a>,
    pointer: String,
    place: &'a Place<'a>,
}

impl<'a> Item<'a> {
    /// The whole of a page.
    pub(super) fn new(value: &'a Json<'a>, place: &'a Place<'a>) -> Item<'a> {
        Item { value, pointer: String::new(), place }
    }

    /// Where it was read.
    pub(super) fn from(&self) -> Cite {
        self.cite_at(&self.pointer)
    }

    /// Another place on the same page.
    pub(super) fn cite_at(&self, pointer: &str) -> Cite {
        self.place.file.at(pointer)
    }

    /// The scope that the question was put at, as an id.
    pub(super) fn scope_id(&self) -> Id {
        self.place.id(self.scope())
    }

    /// The scope that the question was put at.
    pub(super) fn scope(&self) -> &'a str {
        &self.place.record.scope
    }

    /// The value as such.
    pub(super) fn value(&self) -> &'a Json<'a> {
        self.value
    }

    /// The place, to note faults.
    pub(super) fn place(&self) -> &'a Place<'a> {
        self.place
    }

    /// Notes that this cannot be read.
    pub(super) fn fault(&self, what: &str) {
        self.place.fault(&self.pointer, what);
    }

    /// Whether the field is there and not null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn get(&self, name: &str) -> Option<&'a Json<'a>> {
        self.value.get(name).filter(|value| !value.is_null())
    }

    fn of_type<T>(&self, name: &str, what: &str, read: impl FnOnce(&'a Json<'a>) -> Option<T>) -> Option<T> {
        let found = read(self.get(name)?);
        if found.is_none() {
            self.place.fault(&self.pointer, &format!("`{name}` is not {what}"));
        }
        found
    }

    fn needed<T>(&self, name: &str, found: Option<T>) -> Option<T> {
        if found.is_none() && !self.has(name) {
            self.place.fault(&self.pointer, &format!("`{name}` is missing"));
        }
        found
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.of_type(name, "text", |value| value.as_text().map(str::to_owned))
    }

    /// A text that tells one thing from another, so that a cut one is not told.
    pub(super) fn whole_text(&self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        if text == CUT {
            self.place.fault(&self.pointer, &format!("`{name}` was cut when it was collected"));
            return None;
        }
        Some(text)
    }

    /// A name to show; one that was cut, or is empty, is none.
    pub(super) fn shown(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty() && text != CUT)
    }

    /// A text that must be there and not empty.
    pub(super) fn need(&self, name: &str) -> Option<String> {
        let text = self.needed(name, self.whole_text(name))?;
        if text.is_empty() {
            self.place.fault(&self.pointer, &format!("`{name}` is empty"));
            return None;
        }
        Some(text)
    }

    /// A GUID or another text that is compared without case, lower case; empty is not told.
    pub(super) fn lower(&self, name: &str) -> Option<String> {
        self.whole_text(name).map(|text| text.to_lowercase()).filter(|text| !text.is_empty())
    }

    /// An ARM id or scope; a missing first slash is supplied.
    pub(super) fn id(&self, name: &str) -> Option<Id> {
        self.whole_text(name).filter(|text| !text.is_empty()).map(|text| self.rooted(&text))
    }

    /// An ARM id that must be there. In place of one that was cut, its place stands, so that two of them stay two.
    pub(super) fn need_id_or_cut(&self, name: &str) -> Option<Id> {
        match self.text(name) {
            Some(text) if text == CUT => {
                let from = self.from();
                Some(Id::new(format!("{CUT} at {} in {}/{}", from.pointer(), from.record(), from.page())))
            }
            _ => self.need_id(name),
        }
    }

    /// An ARM id or scope that must be there.
    pub(super) fn need_id(&self, name: &str) -> Option<Id> {
        self.need(name).map(|text| self.rooted(&text))
    }

    /// A boolean, also as text.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.of_type(name, "true or false", as_flag)
    }

    /// A whole number, also as text.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.of_type(name, "a whole number", as_number)
    }

    /// A time; one without a zone is UTC.
    pub(super) fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        self.of_type(name, "a time", as_time)
    }

    /// A time in seconds since 1970, as vaults tell it.
    pub(super) fn seconds(&self, name: &str) -> Option<DateTime<Utc>> {
        let time = |value| as_number(value).and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        self.of_type(name, "a time in seconds", time)
    }

    /// An object.
    pub(super) fn object(&self, name: &str) -> Option<Item<'a>> {
        let value = self.of_type(name, "an object", |value| value.is_object().then_some(value))?;
        Some(self.below(name, value))
    }

    /// An object that must be there.
    pub(super) fn need_object(&self, name: &str) -> Option<Item<'a>> {
        self.needed(name, self.object(name))
    }

    /// The objects of a list; `None` when there is no list.
    pub(super) fn list(&self, name: &str) -> Option<Vec<Item<'a>>> {
        let values = self.of_type(name, "a list", Json::as_list)?;
        let pointer = format!("{}/{}", self.pointer, escaped(name));
        Some(self.objects(values.iter().enumerate().map(|(index, value)| (format!("{pointer}/{index}"), value))))
    }

    /// How many values a list holds, objects or not.
    pub(super) fn length(&self, name: &str) -> usize {
        self.get(name).and_then(Json::as_list).map_or(0, <[_]>::len)
    }

    /// The objects of a list that may be absent.
    pub(super) fn items(&self, name: &str) -> Vec<Item<'a>> {
        self.list(name).unwrap_or_default()
    }

    /// How many items a list has, whatever they are.
    pub(super) fn count(&self, name: &str) -> usize {
        self.get(name).and_then(Json::as_list).map_or(0, <[_]>::len)
    }

    /// A list that must be there.
    pub(super) fn need_list(&self, name: &str) -> Option<Vec<Item<'a>>> {
        self.needed(name, self.list(name))
    }

    fn objects(&self, values: impl Iterator<Item = (String, &'a Json<'a>)>) -> Vec<Item<'a>> {
        let mut objects = Vec::new();
        for (pointer, value) in values {
            if value.is_object() {
                objects.push(Item { value, pointer, place: self.place });
            } else {
                self.place.fault(&pointer, "an item is not an object");
            }
        }
        objects
    }

    /// The entries of an object that is used as a map. Values may be null.
    pub(super) fn entries(&self, name: &str) -> Vec<(&'a str, Item<'a>)> {
        let Some(map) = self.of_type(name, "an object", Json::members) else { return Vec::new() };
        let base = format!("{}/{}", self.pointer, escaped(name));
        let entry = |(key, value): (&'a str, &'a Json<'a>)| {
            (key, Item { value, pointer: format!("{base}/{}", escaped(key)), place: self.place })
        };
        map.into_iter().map(entry).collect()
    }

    /// The texts of a list that may be absent, of which one that was cut is a fault.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let mut texts = self.texts_or_cut(name);
        let before = texts.len();
        texts.retain(|text| text != CUT);
        if texts.len() < before {
            self.place.fault(&self.pointer, &format!("in `{name}` something was cut when it was collected"));
        }
        texts
    }

    /// The same where one that was cut leaves the others of use: its mark stands for it.
    pub(super) fn texts_or_cut(&self, name: &str) -> Vec<String> {
        let values = self.of_type(name, "a list", Json::as_list).unwrap_or_default();
        let mut texts = Vec::new();
        for value in values {
            match value.as_text() {
                Some(text) => texts.push(text.to_owned()),
                None => self.place.fault(&self.pointer, &format!("`{name}` holds something that is not text")),
            }
        }
        texts
    }

    /// The texts of a list as a set, lower case.
    pub(super) fn lower_set(&self, name: &str) -> BTreeSet<String> {
        self.texts(name).into_iter().map(|text| text.to_lowercase()).collect()
    }

    /// `tags`, names lower case.
    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        let entry = |(name, value): (&str, Item<'_>)| {
            (name.to_lowercase(), value.value.as_text().map_or_else(String::new, str::to_owned))
        };
        self.entries("tags").into_iter().map(entry).collect()
    }

    fn rooted(&self, text: &str) -> Id {
        if text.starts_with('/') { self.place.id(text) } else { self.place.id(&format!("/{text}")) }
    }

    fn below(&self, name: &str, value: &'a Json<'a>) -> Item<'a> {
        Item { value, pointer: format!("{}/{}", self.pointer, escaped(name)), place: self.place }
    }
}

/// One segment of a JSON Pointer (RFC 6901).
fn escaped(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// A boolean, also as text in any case.
pub(super) fn as_flag(value: &Json<'_>) -> Option<bool> {
    match value {
        Json::Flag(flag) => Some(*flag),
        Json::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Json::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A whole number, also as text or as a decimal with nothing behind the point (`403.0`).
pub(super) fn as_number(value: &Json<'_>) -> Option<i64> {
    let whole = |real: f64| (real.fract() == 0.0 && real.abs() < 9_007_199_254_740_992.0).then_some(real as i64);
    match value {
        Json::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Json::Text(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
        }
        _ => None,
    }
}

/// A time in RFC 3339; one without a zone is UTC.
pub(super) fn as_time(value: &Json<'_>) -> Option<DateTime<Utc>> {
    let text = value.as_text()?;
    let zoned = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    zoned.or_else(|| text.parse::<NaiveDateTime>().ok().map(|time| time.and_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Json<'_> {
        Json::Text(text.into())
    }

    fn json(text: &str) -> Json<'_> {
        Json::of(text.as_bytes()).expect("JSON")
    }

    #[test]
    fn numbers_and_booleans_are_also_read_from_text() {
        assert_eq!(as_number(&text("9223372036854775807")), Some(i64::MAX));
        assert_eq!(as_number(&text("403.0")), Some(403));
        assert_eq!(as_number(&json("403.0")), Some(403));
        assert_eq!(as_number(&text("NaN")), None);
        assert_eq!(as_number(&json("403.5")), None);
        assert_eq!(as_flag(&text("True")), Some(true));
        assert_eq!(as_flag(&json("0")), None);
    }

    #[test]
    fn a_time_without_a_zone_is_utc() {
        assert_eq!(as_time(&text("2026-01-05T08:00:01.2691226")), as_time(&text("2026-01-05T08:00:01.2691226Z")));
        assert_eq!(as_time(&text("yesterday")), None);
    }

    #[test]
    fn a_key_with_slashes_is_one_segment_of_a_pointer() {
        assert_eq!(escaped("/subscriptions/a~b"), "~1subscriptions~1a~0b");
    }
}
