//! What later questions need of log rows: who called, and how many rows the service counted.
//!
//! A page may hold very many rows, of which one cell or two are needed; the others are passed over and never held.

use serde::Deserialize;
use serde_json::Value;
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
    rows: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Column {
    name: Option<String>,
}

/// Columns that hold object ids: of who did it, and of who was given a role. People who only signed in are not looked
/// up.
const PRINCIPALS: &[&str] = &["CallerObjectId", "PrincipalId", "InitiatorId", "ServicePrincipalId"];

/// Object ids of those who did something and of those who were given a role, as they stand in the rows.
pub(super) fn principals(page: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    each_row(page, |cell| {
        found.extend(PRINCIPALS.iter().filter_map(|column| cell(column)).filter_map(text));
        if let Some(identity) = cell("Identity") {
            let parsed =
                identity.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or(identity);
            found.extend(parsed.pointer("/claim/oid").and_then(Value::as_str).map(str::to_owned));
        }
    });
    found
}

/// Adds up the rows that the service counted and that the question for rows asks for.
pub(super) fn count(page: &[u8], days: &mut Days) {
    each_row(page, |cell| {
        let kept = cell("Kept").and_then(|kept| match kept {
            Value::String(text) => text.trim().parse().ok(),
            number => number.as_u64(),
        });
        let day = cell("Day").and_then(text).and_then(|day| day.parse().ok());
        let rows: &mut u64 = days.entry(day).or_default();
        *rows = rows.saturating_add(kept.unwrap_or(0));
    });
}

/// Hands every row of the primary table to `each`, as its cells by name of column.
fn each_row(page: &[u8], mut each: impl FnMut(&dyn Fn(&str) -> Option<Value>)) {
    let Ok(answer) = serde_json::from_slice::<Answer<'_>>(page) else { return };
    let is_primary = |table: &&Table<'_>| table.name.as_deref() == Some("PrimaryResult");
    let Some(table) = answer.tables.iter().find(is_primary).or(answer.tables.first()) else { return };
    let position = |name: &str| table.columns.iter().position(|column| column.name.as_deref() == Some(name));
    for row in &table.rows {
        let Ok(cells) = serde_json::from_str::<Vec<&RawValue>>(row.get()) else { continue };
        each(&|name| serde_json::from_str(cells.get(position(name)?)?.get()).ok());
    }
}

fn text(cell: Value) -> Option<String> {
    match cell {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        assert_eq!(principals(&page(&["Identity", "CallerObjectId"], &rows)), ["a", "b", "c"]);
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
