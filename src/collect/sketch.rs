//! An answer as far as later questions follow from it: its texts, lists and objects, which stay in the bytes of the
//! page; numbers and the like are passed over.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value of an answer.
#[derive(Debug)]
pub(super) enum Sketch<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Sketch<'a>>),
    /// An object.
    Object(Vec<(Cow<'a, str>, Sketch<'a>)>),
    /// A number, a boolean, or null.
    Other,
}

impl<'a> Sketch<'a> {
    /// Reads an answer; none where it is no JSON.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Sketch<'a>> {
        serde_json::from_slice(bytes).ok()
    }

    /// What stands at the end of a way of names parted by slashes, which begins with one.
    pub(super) fn at(&self, way: &str) -> Option<&Sketch<'a>> {
        way.split('/').skip(1).try_fold(self, |at, name| at.member(name))
    }

    /// The member with this name; of several, the last.
    pub(super) fn member(&self, name: &str) -> Option<&Sketch<'a>> {
        let Sketch::Object(members) = self else { return None };
        members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The values of an object that is used as a map.
    pub(super) fn members(&self) -> impl Iterator<Item = &Sketch<'a>> {
        let members = if let Sketch::Object(members) = self { members.as_slice() } else { &[] };
        members.iter().map(|(_, value)| value)
    }

    /// The items of a list.
    pub(super) fn items(&self) -> &[Sketch<'a>] {
        if let Sketch::List(items) = self { items } else { &[] }
    }

    /// The text.
    pub(super) fn text(&self) -> Option<&str> {
        if let Sketch::Text(text) = self { Some(text) } else { None }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Sketch<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sketch<'a>, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Sketch<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Sketch<'de>, E> {
        Ok(Sketch::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sketch<'de>, E> {
        Ok(Sketch::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Sketch<'de>, E> {
        Ok(Sketch::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Sketch<'de>, E> {
        Ok(Sketch::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Sketch<'de>, E> {
        Ok(Sketch::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Sketch<'de>, E> {
        Ok(Sketch::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Sketch<'de>, E> {
        Ok(Sketch::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sketch<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Sketch::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Sketch<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some(name) = members.next_key()? {
            match name {
                Sketch::Text(name) => object.push((name, members.next_value()?)),
                _ => drop(members.next_value::<IgnoredAny>()?), // a name is a text
            }
        }
        Ok(Sketch::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_their_way_and_not_copied() {
        assert!(Sketch::of(br#"{"a": {"b": [1, null, "plain""#).is_none(), "it is cut");
        let sketch =
            Sketch::of(br#"{"a": {"b": [1, null, "plain", "a\nb"]}, "m": {"x": "one", "x": "two"}}"#).expect("JSON");
        let texts: Vec<Option<&str>> = sketch.at("/a/b").expect("a list").items().iter().map(Sketch::text).collect();
        assert_eq!(texts, [None, None, Some("plain"), Some("a\nb")]);
        assert!(matches!(&sketch.at("/a/b").expect("a list").items()[2], Sketch::Text(Cow::Borrowed("plain"))));
        assert_eq!(sketch.at("/m/x").and_then(Sketch::text), Some("two"), "the last counts");
        assert_eq!(sketch.at("/m").expect("a map").members().filter_map(Sketch::text).count(), 2);
        assert!(sketch.at("/a/b/c").is_none() && sketch.at("/no").is_none());
    }
}
