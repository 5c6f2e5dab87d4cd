//! The list for a table of log rows: cells are judged by the name of their column, which only the answer tells.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::allow::Allowed;
use super::cell::Class;
use super::scan::Malformed;
use crate::evidence::Kind;

/// Columns of the questions for rows.
const ROW_COLUMNS: &[(&str, Class)] = &[
    ("TimeGenerated", Class::Text),
    ("OperationName", Class::Text),
    ("HttpStatusCode", Class::Text),
    ("ResultSignature", Class::Text),
    ("ResultDescription", Class::Description),
    ("CallerIpAddress", Class::Address),
    ("CallerObjectId", Class::Text),
    ("CallerAppId", Class::Text),
    ("ManagedIdentityId", Class::Path),
    ("Identity", Class::Claims),
    ("IsRbacAuthorized", Class::Text),
    ("IsAccessPolicyMatch", Class::Text),
    ("IsAddressAuthorized", Class::Text),
    ("RequestUri", Class::Url),
    ("ClientInfo", Class::Agent),
    ("CorrelationId", Class::Text),
    ("AppliedAssignmentId", Class::Path),
    ("_ResourceId", Class::Path),
];

/// Columns of the questions for counts.
const COUNT_COLUMNS: &[(&str, Class)] = &[
    ("Day", Class::Text),
    ("OperationName", Class::Text),
    ("VaultId", Class::Path),
    ("Rows", Class::Text),
    ("Kept", Class::Text),
    ("First", Class::Text),
    ("Last", Class::Text),
];

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
    name: String,
}

/// The list for this answer. A member named twice is refused, since readers differ in which one they take.
pub(super) fn allowed(kind: Kind, body: &[u8]) -> Result<Allowed, Malformed> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| Malformed("it is not a table of log rows"))?;
    let known = match kind {
        Kind::VaultLogDedicatedCount | Kind::VaultLogLegacyCount => COUNT_COLUMNS,
        _ => ROW_COLUMNS,
    };
    let tables = answer.tables.iter().map(|table| of_table(table, known)).collect();
    let errors = Allowed::from_lines(
        "error/code : code\n\
         error/innererror/code : code\n\
         error/details/[]/code : code\n\
         error/details/[]/innererror/code : code",
    );
    let Allowed::Object { mut members, any } = errors else { return Err(Malformed("the list of codes is not one")) };
    members.insert("tables".to_owned(), ("tables".to_owned(), Allowed::Tuple(tables)));
    Ok(Allowed::Object { members, any })
}

fn of_table(table: &Table, known: &[(&str, Class)]) -> Allowed {
    let class = |column: &Column| known.iter().find(|(name, _)| *name == column.name).map(|(_, class)| *class);
    let columns = table.columns.iter().map(|column| match class(column) {
        Some(_) => object([("name", Allowed::Leaf(Class::Text)), ("type", Allowed::Leaf(Class::Text))]),
        None => object([("name", Allowed::Nothing), ("type", Allowed::Leaf(Class::Text))]),
    });
    let cells = table.columns.iter().map(|column| class(column).map_or(Allowed::Nothing, Allowed::Leaf));
    object([
        ("name", Allowed::Leaf(Class::Text)),
        ("columns", Allowed::Tuple(columns.collect())),
        ("rows", Allowed::Array(Box::new(Allowed::Tuple(cells.collect())))),
    ])
}

fn object<const N: usize>(members: [(&str, Allowed); N]) -> Allowed {
    let members: BTreeMap<_, _> =
        members.into_iter().map(|(name, below)| (name.to_owned(), (name.to_owned(), below))).collect();
    Allowed::Object { members, any: None }
}
