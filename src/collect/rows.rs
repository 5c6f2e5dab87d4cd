//! What later questions need of log rows: who called, and how many rows the service counted.
//!
//! A page may hold very many rows, of which one cell or two are needed; the others are passed over and never held.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::windows::Days;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    tables: Vec<Table<'a>>,
}

#[derive(Deserialize)]
struct Table<'a> {
    name: Option<String>,
    columns: Vec<Column>,
    #[serde(borrow)]
    rows: &'a RawValue,
}

#[derive(Deserialize)]
struct Column {
    name: Option<String>,
}

/// Columns that hold object ids: of who did it, and of who was given a role. People who only signed in are not looked
/// up.
const PRINCIPALS: [&str; 4] = ["CallerObjectId", "PrincipalId", "InitiatorId", "ServicePrincipalId"];

/// Claims of a caller.
#[derive(Deserialize)]
struct Identity<'a> {
    #[serde(borrow)]
    claim: Option<Claim<'a>>,
}

#[derive(Deserialize)]
struct Claim<'a> {
    #[serde(borrow)]
    oid: Option<&'a RawValue>,
}

/// Object ids of those who did something and of those who were given a role, as they stand in the rows, each once.
pub(super) fn principals(page: &[u8]) -> HashSet<String> {
    let (mut found, mut seen) = (HashSet::new(), HashSet::new());
    let [caller, given, initiator, service] = PRINCIPALS;
    each_row(page, ["Identity", caller, given, initiator, service], |[identity, ids @ ..]| {
        found.extend(
            ids.iter().flatten().filter(|cell| seen.insert(**cell)).filter_map(|cell| text(cell)).map(Cow::into_owned),
        );
        if let Some(identity) = identity.filter(|cell| seen.insert(cell)) {
            let inside = text(identity);
            let json = inside.as_deref().unwrap_or(identity); // as such, or inside text
            let claim = serde_json::from_str::<Identity<'_>>(json).ok().and_then(|identity| identity.claim);
            found.extend(claim.and_then(|claim| text(claim.oid?.get()).map(Cow::into_owned)));
        }
    });
    found
}

/// Adds up the rows that the service counted and that the question for rows asks for.
pub(super) fn count(page: &[u8], days: &mut Days) {
    each_row(page, ["Kept", "Day"], |[kept, day]| {
        let kept = kept.and_then(|cell| match text(cell) {
            Some(text) => text.trim().parse().ok(),
            None => cell.parse().ok(),
        });
        let day = day.and_then(text).and_then(|day| day.parse().ok());
        let rows: &mut u64 = days.entry(day).or_default();
        *rows = rows.saturating_add(kept.unwrap_or(0));
    });
}

/// Hands of every row of the primary table the cells of these columns to `each`, as JSON.
fn each_row<'a, const N: usize>(page: &'a [u8], names: [&str; N], mut each: impl FnMut([Option<&'a str>; N])) {
    let Ok(answer) = serde_json::from_slice::<Answer<'_>>(page) else { return };
    let is_primary = |table: &&Table<'_>| table.name.as_deref() == Some("PrimaryResult");
    let Some(table) = answer.tables.iter().find(is_primary).or(answer.tables.first()) else { return };
    let position = |name: &str| table.columns.iter().position(|column| column.name.as_deref() == Some(name));
    let rows = Rows { positions: names.map(position), each: &mut each };
    let _ = rows.deserialize(&mut serde_json::Deserializer::from_str(table.rows.get())); // up to what is no list
}

/// Reads rows one by one.
struct Rows<'e, E, const N: usize> {
    positions: [Option<usize>; N],
    each: &'e mut E,
}

impl<'de, E: FnMut([Option<&'de str>; N]), const N: usize> DeserializeSeed<'de> for Rows<'_, E, N> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, E: FnMut([Option<&'de str>; N]), const N: usize> Visitor<'de> for Rows<'_, E, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(cells) = rows.next_element_seed(Row(self.positions))? {
            if let Some(cells) = cells {
                (self.each)(cells);
            }
        }
        Ok(())
    }
}

/// Reads the cells at some positions of a row. What is no list is no row.
struct Row<const N: usize>([Option<usize>; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Row<N> {
    type Value = Option<[Option<&'de str>; N]>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Row<N> {
    type Value = Option<[Option<&'de str>; N]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<Self::Value, A::Error> {
        let mut cells = [None; N];
        for at in 0_usize.. {
            if !self.0.contains(&Some(at)) {
                match row.next_element::<IgnoredAny>()? {
                    Some(_) => continue,
                    None => break,
                }
            }
            let Some(cell) = row.next_element::<&RawValue>()? else { break };
            for (found, _) in cells.iter_mut().zip(&self.0).filter(|(_, position)| **position == Some(at)) {
                *found = Some(cell.get());
            }
        }
        Ok(Some(cells))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// The text that a cell holds, if it is one.
fn text(cell: &str) -> Option<Cow<'_, str>> {
    let inside = cell.strip_prefix('"')?.strip_suffix('"')?;
    if !inside.contains('\\') {
        return Some(Cow::Borrowed(inside));
    }
    serde_json::from_str(cell).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn page(columns: &[&str], rows: &Value) -> Vec<u8> {
        let columns: Vec<Value> = columns.iter().map(|name| json!({ "name": name })).collect();
        json!({"tables": [{"name": "Other", "columns": [], "rows": []},
            {"name": "PrimaryResult", "columns": columns, "rows": rows}]})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn callers_are_found_by_column_name_and_in_claims() {
        let rows = json!([[null, "a"], ["{\"claim\":{\"oid\":\"b\"}}", null], [{"claim": {"oid": "c"}}, 7], "odd", []]);
        let found = principals(&page(&["Identity", "CallerObjectId"], &rows));
        assert_eq!(found, ["a", "b", "c"].map(str::to_owned).into());
        assert!(principals(&page(&["Caller"], &json!([["a"]]))).is_empty());
        assert!(principals(b"{\"tables\": null}").is_empty());
    }

    #[test]
    fn counts_are_added_up_by_day() {
        let mut days = Days::new();
        let rows = json!([["2026-07-01T00:00:00Z", 3], ["2026-07-01T00:00:00Z", "4"], ["soon", 5], [null, null]]);
        count(&page(&["Day", "Kept"], &rows), &mut days);
        let first = "2026-07-01T00:00:00Z".parse().expect("a time");
        assert_eq!(days, Days::from([(None, 5), (Some(first), 7)]));
    }
}
