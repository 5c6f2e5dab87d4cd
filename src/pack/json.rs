//! A JSON reader for hostile text: bounded, and refusing what two readers could understand differently.
//!
//! Of two equal keys some readers take the first and some the last. A text that says one thing to us and
//! another to the auditor's tool is therefore not a text that we read.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Most values in one text: enough for a manifest of 100,000 files.
const MAX_VALUES: usize = 5_000_000;

/// Parses `bytes` as exactly one JSON value without duplicate keys. Depth is bounded by the parser (128), the
/// number of values here, and the length by whoever read the bytes.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err("it starts with a byte order mark".to_owned());
    }
    let mut left = MAX_VALUES;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Strict { left: &mut left }.deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

/// Walks a value and keeps nothing but the keys of the objects it is in.
struct Strict<'a> {
    left: &'a mut usize,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        *self.left = self.left.checked_sub(1).ok_or_else(|| D::Error::custom("it holds too many values"))?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // hash order is never looked at: the set only answers "seen before?"
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(Strict { left: &mut *self.left })?;
            if let Some(key) = seen.replace(key) {
                return Err(A::Error::custom(format!("the key `{}` occurs twice in one object", key.escape_debug())));
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Strict { left: &mut *self.left })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn refusal(text: &str) -> String {
        parse::<Value>(text.as_bytes()).expect_err("refused")
    }

    #[test]
    fn what_two_readers_could_understand_differently_is_refused() {
        assert_eq!(parse::<Value>(b" {\"a\":[1,2.5,null,true,\"x\",{\"a\":1}]}\n").expect("good")["a"][0], 1);
        assert!(refusal(r#"{"a":1,"a":2}"#).contains("the key `a` occurs twice"));
        assert!(refusal(r#"[{"x":{"a":1,"\u0061":2}}]"#).contains("the key `a` occurs twice"));
        assert!(refusal("{} {}").contains("trailing"));
        assert!(refusal("\u{feff}{}").contains("byte order mark"));
        assert!(refusal(&"[".repeat(100_000)).contains("recursion"));
        assert!(refusal("").contains("EOF"));
    }
}
