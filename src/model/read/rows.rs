//! One row of a log answer, read cell by cell.
//!
//! Columns are addressed by name. Cells come as JSON values or as text; a dynamic cell is JSON inside text.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Item;
use super::item::{CUT, as_flag, as_number, as_time};
use crate::evidence::{Cite, Reason};
use crate::model::Id;

/// One row, with the names of its columns in lower case.
pub(super) struct Row<'a> {
    body: &'a Item<'a>,
    columns: &'a BTreeMap<String, usize>,
    cells: &'a [Value],
    pointer: String,
}

/// Hands the rows of the primary table to `each`. A workspace that stored nothing may answer without tables.
pub(super) fn each_row(body: &Item<'_>, mut each: impl FnMut(&Row<'_>)) {
    let Some(tables) = body.value().get("tables").and_then(Value::as_array) else {
        body.fault("there are no tables in the answer");
        return;
    };
    let is_primary = |table: &&Value| table.get("name").and_then(Value::as_str) == Some("PrimaryResult");
    let index = tables.iter().position(|table| is_primary(&table)).unwrap_or(0);
    let Some(table) = tables.get(index) else {
        body.fault("there are no tables in the answer");
        return;
    };
    let list = |name: &str| table.get(name).and_then(Value::as_array);
    let (Some(columns), Some(rows)) = (list("columns"), list("rows")) else {
        body.fault("the table has no columns or no rows");
        return;
    };
    let mut names = BTreeMap::new();
    for (position, column) in columns.iter().enumerate() {
        let name = column.get("name").or_else(|| column.get("ColumnName")).and_then(Value::as_str).unwrap_or_default();
        names.entry(name.to_lowercase()).or_insert(position);
    }
    body.place().counted(&format!("/tables/{index}/rows"), rows.len());
    for (number, row) in rows.iter().enumerate() {
        let pointer = format!("/tables/{index}/rows/{number}");
        match row.as_array() {
            Some(cells) if cells.len() == columns.len() => each(&Row { body, columns: &names, cells, pointer }),
            Some(_) => body.place().fault(&pointer, "a row has more or fewer cells than there are columns"),
            None => body.place().fault(&pointer, "a row is not a list"),
        }
    }
}

impl Row<'_> {
    pub(super) fn cell(&self, name: &str) -> Option<&Value> {
        let cell = self.cells.get(*self.columns.get(&name.to_lowercase())?)?;
        let is_blank = cell.is_null() || cell.as_str().is_some_and(str::is_empty);
        (!is_blank).then_some(cell)
    }

    pub(super) fn read<T>(&self, name: &str, what: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let found = read(self.cell(name)?);
        if found.is_none() {
            self.body.place().fault(&self.pointer, &format!("`{name}` is not {what}"));
        }
        found
    }

    pub(super) fn needed<T>(&self, name: &str, found: Option<T>) -> Option<T> {
        if found.is_none() && self.cell(name).is_none() {
            self.body.place().fault(&self.pointer, &format!("`{name}` is missing"));
        }
        found
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.read(name, "text", |cell| match cell {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    /// A text that tells one thing from another, so that a cut one is not told.
    pub(super) fn key(&self, name: &str) -> Option<String> {
        let text = self.read(name, "text", |cell| cell.as_str().filter(|text| *text != CUT).map(str::to_owned));
        self.needed(name, text)
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        // Booleans of the legacy table may come as 0 and 1.
        self.read(name, "true or false", |cell| {
            as_flag(cell).or_else(|| match as_number(cell)? {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            })
        })
    }

    pub(super) fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        self.read(name, "a time", as_time)
    }

    /// Notes that something in the row cannot be read.
    pub(super) fn fault(&self, what: &str) {
        self.body.place().fault(&self.pointer, what);
    }

    /// Notes it with a reason of its own.
    pub(super) fn note(&self, reason: Reason, what: &str) {
        self.body.place().note(reason, &self.pointer, what);
    }

    /// A number that may be below zero.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.read(name, "a whole number", as_number)
    }

    /// A GUID or another text that is compared without case, lower case.
    pub(super) fn lower(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| text != CUT).map(|text| text.to_lowercase())
    }

    /// The address of a caller; none where it was not kept.
    pub(super) fn address(&self, name: &str) -> Option<String> {
        self.text(name).filter(|address| address != CUT)
    }

    pub(super) fn count(&self, name: &str) -> Option<u64> {
        self.read(name, "a count", |cell| as_number(cell).and_then(|number| u64::try_from(number).ok()))
    }

    /// Where it was read.
    pub(super) fn from(&self) -> Cite {
        self.body.cite_at(&self.pointer)
    }

    /// The id in a cell that every row has.
    pub(super) fn id(&self, name: &str) -> Option<Id> {
        Some(self.body.place().id(&self.key(name)?))
    }

    /// GUID of the workspace, lower case.
    pub(super) fn workspace(&self) -> String {
        let scope = self.body.scope();
        let log = scope.strip_prefix("workspace:").unwrap_or(scope);
        log.split('/').next().unwrap_or(log).to_lowercase()
    }

    /// A cell that holds JSON, as such or inside text.
    pub(super) fn json(&self, name: &str) -> Option<Value> {
        self.read(name, "JSON", |cell| match cell {
            Value::String(text) => serde_json::from_str(text).ok(),
            other => Some(other.clone()),
        })
    }
}
