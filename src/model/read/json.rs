//! One JSON answer, read without copying: texts stay in the bytes of the page unless they hold escapes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A value of an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Flag(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Reads `bytes`, all of them.
    pub(super) fn of(bytes: &'a [u8]) -> Result<Json<'a>, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Json::Null)
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn as_list(&self) -> Option<&[Json<'a>]> {
        if let Json::List(items) = self { Some(items) } else { None }
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self, Json::Object(_))
    }

    /// A member of an object; of members with the same name the last counts.
    pub(super) fn get(&self, name: &str) -> Option<&Json<'a>> {
        let Json::Object(members) = self else { return None };
        members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The same as a value of its own.
    pub(super) fn to_serde(&self) -> serde_json::Value {
        match self {
            Json::Null => serde_json::Value::Null,
            Json::Flag(flag) => (*flag).into(),
            Json::Number(number) => serde_json::Value::Number(number.clone()),
            Json::Text(text) => text.to_string().into(),
            Json::List(items) => items.iter().map(Json::to_serde).collect(),
            Json::Object(members) => {
                let members = members.iter().map(|(name, value)| (name.to_string(), value.to_serde()));
                serde_json::Value::Object(members.collect())
            }
        }
    }

    /// The members of an object in order of their names, each once.
    pub(super) fn members(&self) -> Option<BTreeMap<&str, &Json<'a>>> {
        let Json::Object(members) = self else { return None };
        Some(members.iter().map(|(name, value)| (&**name, value)).collect())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json<'a>, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json<'de>, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json<'de>, E> {
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some(Name(name)) = members.next_key()? {
            object.push((name, members.next_value()?));
        }
        Ok(Json::Object(object))
    }
}

/// The name of a member.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name<'a>, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sort_of_value_is_read_and_texts_are_not_copied() {
        let bytes = br#"{"a": [null, true, -1, 2.5, "plain", "a\nb"], "b": {}}"#;
        let body = Json::of(bytes).expect("JSON");
        let [
            Json::Null,
            Json::Flag(true),
            Json::Number(minus),
            Json::Number(half),
            Json::Text(plain),
            Json::Text(owned),
        ] = body.get("a").and_then(Json::as_list).expect("a list")
        else {
            panic!("{body:?}")
        };
        assert_eq!((minus.as_i64(), half.as_f64()), (Some(-1), Some(2.5)));
        assert!(matches!(plain, Cow::Borrowed("plain")));
        assert_eq!(owned, "a\nb");
        assert!(body.get("b").expect("there").is_object());
    }

    #[test]
    fn of_members_with_the_same_name_the_last_counts_and_they_come_in_order() {
        let body = Json::of(br#"{"b": 1, "a": 2, "b": 3}"#).expect("JSON");
        assert_eq!(body.get("b"), Some(&Json::Number(3.into())));
        let members = body.members().expect("an object");
        assert_eq!(members.keys().copied().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(members["b"], &Json::Number(3.into()));
    }

    #[test]
    fn what_is_not_json_is_refused_in_the_parsers_words() {
        for bytes in [&b"<html>"[..], b"{\"a\": 1", b"{} {}", b""] {
            let own = Json::of(bytes).expect_err("no JSON").to_string();
            let usual = serde_json::from_slice::<serde_json::Value>(bytes).expect_err("no JSON").to_string();
            assert_eq!(own, usual);
        }
    }
}
