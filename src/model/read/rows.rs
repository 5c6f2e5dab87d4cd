//! One row of a log answer, read cell by cell.
//!
//! Columns are addressed by name. Cells come as JSON values or as text; a dynamic cell is JSON inside text.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Item;
use super::item::{as_flag, as_number, as_time};
use super::json::Json;
use crate::evidence::{CUT, Cite, Reason};
use crate::model::Id;
use crate::model::facts::RowList;

/// One row, with the names of the columns and the place of its list.
pub(super) struct Row<'a> {
    body: &'a Item<'a>,
    columns: &'a [&'a str],
    cells: &'a [Json<'a>],
    list: &'a Arc<RowList>,
    number: u32,
}

/// Hands the rows of the primary table to `each`. A workspace that stored nothing may answer without tables.
pub(super) fn each_row<'a>(body: &Item<'a>, mut each: impl FnMut(&Row<'_>)) {
    let Some(tables) = body.value().get("tables").and_then(Json::as_list) else {
        body.fault("there are no tables in the answer");
        return;
    };
    let is_primary = |table: &&Json<'_>| table.get("name").and_then(Json::as_text) == Some("PrimaryResult");
    let index = tables.iter().position(|table| is_primary(&table)).unwrap_or(0);
    let Some(table) = tables.get(index) else {
        body.fault("there are no tables in the answer");
        return;
    };
    let list = |name: &str| table.get(name).and_then(Json::as_list);
    let (Some(columns), Some(rows)) = (list("columns"), list("rows")) else {
        body.fault("the table has no columns or no rows");
        return;
    };
    let name = |column: &'a Json<'a>| column.get("name").or_else(|| column.get("ColumnName")).and_then(Json::as_text);
    let names: Vec<&str> = columns.iter().map(|column| name(column).unwrap_or_default()).collect();
    let list = RowList { file: body.place().file.clone(), pointer: format!("/tables/{index}/rows") };
    let list = Arc::new(list);
    body.place().counted(&list.pointer, rows.len());
    for (number, row) in (0..).zip(rows) {
        let fault = |what: &str| body.place().fault(&format!("{}/{number}", list.pointer), what);
        match row.as_list() {
            Some(cells) if cells.len() == names.len() => {
                each(&Row { body, columns: &names, cells, list: &list, number })
            }
            Some(_) => fault("a row has more or fewer cells than there are columns"),
            None => fault("a row is not a list"),
        }
    }
}

impl Row<'_> {
    pub(super) fn cell(&self, name: &str) -> Option<&Json<'_>> {
        let place = self.columns.iter().position(|column| column.eq_ignore_ascii_case(name))?;
        let cell = self.cells.get(place)?;
        let is_blank = cell.is_null() || cell.as_text().is_some_and(str::is_empty);
        (!is_blank).then_some(cell)
    }

    pub(super) fn read<T>(&self, name: &str, what: &str, read: impl FnOnce(&Json<'_>) -> Option<T>) -> Option<T> {
        let found = read(self.cell(name)?);
        if found.is_none() {
            self.fault(&format!("`{name}` is not {what}"));
        }
        found
    }

    pub(super) fn needed<T>(&self, name: &str, found: Option<T>) -> Option<T> {
        if found.is_none() && self.cell(name).is_none() {
            self.fault(&format!("`{name}` is missing"));
        }
        found
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.read(name, "text", |cell| match cell {
            Json::Text(text) => Some(text.as_ref().to_owned()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    /// A text that tells one thing from another, so that a cut one is not told.
    pub(super) fn key(&self, name: &str) -> Option<String> {
        let text = self.read(name, "text", |cell| cell.as_text().filter(|text| *text != CUT).map(str::to_owned));
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
        self.body.place().fault(&self.pointer(), what);
    }

    /// Notes it with a reason of its own.
    pub(super) fn note(&self, reason: Reason, what: &str) {
        self.body.place().note(reason, &self.pointer(), what);
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
        self.list.row(self.number)
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

    /// What `read` makes of a cell that holds JSON, as such or inside text.
    pub(super) fn json<T>(&self, name: &str, read: impl FnOnce(&Json<'_>) -> T) -> Option<T> {
        self.read(name, "JSON", |cell| match cell {
            Json::Text(text) => Json::of(text.as_bytes()).ok().map(|json| read(&json)),
            other => Some(read(other)),
        })
    }

    /// The list that the row is in, and its place there.
    pub(super) fn place(&self) -> (Arc<RowList>, u32) {
        (self.list.clone(), self.number)
    }

    /// The text held once, however many rows name it.
    pub(super) fn shared(&self, text: &str) -> Arc<str> {
        self.body.place().text(text)
    }

    fn pointer(&self) -> String {
        format!("{}/{}", self.list.pointer, self.number)
    }
}
