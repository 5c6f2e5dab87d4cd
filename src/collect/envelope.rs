//! The parts of a body that say whether it is an answer, what it holds, and whether more follows.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::redact::Columns;
use super::table::Shape;

/// A body without what it is about. A member named twice is refused.
#[derive(Deserialize)]
pub(super) struct Envelope {
    value: Option<Vec<Item>>,
    tables: Option<Vec<Table>>,
    error: Option<IgnoredAny>,
    id: Option<IgnoredAny>,
    #[serde(rename = "subscriptionId")]
    subscription: Option<IgnoredAny>,
    #[serde(rename = "nextLink")]
    next: Option<String>,
    #[serde(rename = "@nextLink")]
    at_next: Option<String>,
    #[serde(rename = "@odata.nextLink")]
    odata_next: Option<String>,
    #[serde(rename = "@odata.count")]
    count: Option<u64>,
    /// The service left rows out, and says so.
    #[serde(skip)]
    is_short: bool,
}

/// The same of an answer of Resource Graph.
#[derive(Deserialize)]
struct DataPage {
    data: Option<Vec<Item>>,
    error: Option<IgnoredAny>,
    #[serde(rename = "totalRecords")]
    total: Option<u64>,
    #[serde(rename = "resultTruncated")]
    is_truncated: Option<String>,
    #[serde(rename = "$skipToken")]
    token: Option<String>,
}

/// An item of a list or a row of a table: the first character of its JSON, which tells its type.
struct Item(Option<char>);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Item, D::Error> {
        Ok(Item(<&RawValue>::deserialize(deserializer)?.get().chars().next()))
    }
}

#[derive(Deserialize)]
struct Table {
    name: Option<String>,
    columns: Vec<Column>,
    rows: Vec<Item>,
}

#[derive(Deserialize)]
struct Column {
    name: Option<String>,
}

/// What a body holds, by the contract of its question.
pub(super) struct Held {
    /// How many items or rows.
    pub count: u64,
    /// Whether each of them is an object, or a row a list.
    pub are_of_contract: bool,
}

impl Envelope {
    /// Reads it out of a body.
    pub(super) fn read(shape: Shape, body: &[u8]) -> Result<Envelope, serde_json::Error> {
        if shape != Shape::Data {
            return serde_json::from_slice(body);
        }
        let page: DataPage = serde_json::from_slice(body)?;
        Ok(Envelope {
            value: page.data,
            tables: None,
            error: page.error,
            id: None,
            subscription: None,
            next: page.token,
            at_next: None,
            odata_next: None,
            count: page.total,
            is_short: page.is_truncated.is_some_and(|word| !word.eq_ignore_ascii_case("false")),
        })
    }

    /// What the body holds; none where the contract has something that is not there.
    pub(super) fn held(&self, shape: Shape) -> Option<Held> {
        let all = |items: &[Item], first: char| Held {
            count: items.len() as u64,
            are_of_contract: items.iter().all(|item| item.0 == Some(first)),
        };
        match shape {
            Shape::List | Shape::Data => self.value.as_deref().map(|items| all(items, '{')),
            Shape::Rows => self.tables.as_deref().and_then(primary).map(|table| all(&table.rows, '[')),
            Shape::One => {
                self.id.as_ref().or(self.subscription.as_ref()).map(|_| Held { count: 1, are_of_contract: true })
            }
        }
    }

    /// The columns of its tables.
    pub(super) fn tables(&self) -> Vec<Columns> {
        let names = |table: &Table| table.columns.iter().map(|column| column.name.clone()).collect();
        self.tables.iter().flatten().map(names).collect()
    }

    /// Whether there is an error beside what the body holds: the service says that this is not all.
    pub(super) fn is_partial(&self) -> bool {
        self.error.is_some()
    }

    /// Whether the service says that it left rows out.
    pub(super) fn is_short(&self) -> bool {
        self.is_short
    }

    /// How many items there are over all pages, where the service says so.
    pub(super) fn said_total(&self) -> Option<u64> {
        self.count
    }

    /// The link to the next page, or its token.
    pub(super) fn next(self) -> Option<String> {
        [self.next, self.at_next, self.odata_next].into_iter().flatten().find(|link| !link.is_empty())
    }
}

fn primary(tables: &[Table]) -> Option<&Table> {
    tables.iter().find(|table| table.name.as_deref() == Some("PrimaryResult")).or(tables.first())
}
