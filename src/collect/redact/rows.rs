//! The list for a table of log rows: cells are judged by the name of their column, which only the answer tells.

use super::allow::{self, Allowed, Members};
use super::cell::Class;

/// Names of the columns of a table, in order.
pub(in crate::collect) type Columns = Vec<Option<String>>;

/// The list for an answer with these tables: the codes of a partial one, and of each table the columns that `known`
/// names.
pub(super) fn allowed(known: &Allowed, tables: &[Columns]) -> Allowed {
    let tables = Allowed::Tuple(tables.iter().map(|columns| of_table(columns, known)).collect());
    let errors = allow::refusals().member("error").map_or(Allowed::Nothing, |(_, below)| below.clone());
    object([("tables", tables), ("error", errors)])
}

fn of_table(names: &Columns, known: &Allowed) -> Allowed {
    let (mut columns, mut cells) = (Vec::new(), Vec::new());
    for name in names {
        let cell = name.as_deref().and_then(|name| known.member(name));
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
    let mut known = Members::default();
    members.into_iter().for_each(|(name, below)| known.change(name, |member| *member = below));
    Allowed::Object { members: known, any: None }
}
