//! The list for a table of log rows: cells are judged by the name of their column, which only the answer tells.

use serde::Deserialize;

use super::allow::{self, Allowed};
use super::cell::Class;
use super::scan::Malformed;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    tables: Vec<Table>,
}

#[derive(Deserialize)]
struct Table {
    #[serde(default)]
    columns: Vec<Column>,
}

#[derive(Deserialize)]
struct Column {
    name: Option<String>,
}

/// The list for this answer: the codes of a partial one, and of each table the columns that `known` names. A member
/// named twice is refused, since readers differ in which one they take.
pub(super) fn allowed(known: &Allowed, body: &[u8]) -> Result<Allowed, Malformed> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| Malformed("it is not a table of log rows"))?;
    let tables = Allowed::Tuple(answer.tables.iter().map(|table| of_table(table, known)).collect());
    let errors = allow::refusals().member("error").map_or(Allowed::Nothing, |(_, below)| below.clone());
    Ok(object([("tables", tables), ("error", errors)]))
}

fn of_table(table: &Table, known: &Allowed) -> Allowed {
    let (mut columns, mut cells) = (Vec::new(), Vec::new());
    for column in &table.columns {
        let cell = column.name.as_deref().and_then(|name| known.member(name));
        let cell = cell.map_or(Allowed::Nothing, |(_, cell)| cell.clone());
        let name = if matches!(cell, Allowed::Nothing) { Allowed::Nothing } else { Allowed::Leaf(Class::Text) };
        columns.push(object([("name", name), ("type", Allowed::Leaf(Class::Text))]));
        cells.push(cell);
    }
    object([
        ("name", Allowed::Leaf(Class::Text)),
        ("columns", Allowed::Tuple(columns)),
        ("rows", Allowed::Array(Box::new(Allowed::Tuple(cells)))),
    ])
}

fn object<const N: usize>(members: [(&str, Allowed); N]) -> Allowed {
    let members = members.into_iter().map(|(name, below)| (name.to_owned(), below));
    Allowed::Object { members: members.collect(), any: None }
}
