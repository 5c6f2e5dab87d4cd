//! A pointer from a statement to the bytes that it rests on.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One place in one kept file: record, file in it, and JSON Pointer (RFC 6901) in that file. A finding cites the whole
/// path that it followed, so that one place is held by very many findings: a clone shares it, and the places of one
/// file share its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cite(Arc<Spot>);

#[derive(Debug, PartialEq, Eq)]
struct Spot {
    file: KeptFile,
    pointer: Pointer,
}

/// A file of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFile(Arc<Names>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Names {
    record: String,
    page: String,
}

/// Nearly all places are items of a page's one list, whose pointer is put together when it is shown.
#[derive(Debug, PartialEq, Eq)]
enum Pointer {
    Item(&'static str, u32),
    Other(Box<str>),
}

/// The lists that hold the items of a page.
const LISTS: [&str; 3] = ["/value", "/tables/0/rows", "/data"];

impl KeptFile {
    /// The file with this name in this record.
    pub fn new(record: &str, page: &str) -> KeptFile {
        KeptFile(Arc::new(Names { record: record.to_owned(), page: page.to_owned() }))
    }

    /// A place in it.
    pub fn at(&self, pointer: &str) -> Cite {
        Cite(Arc::new(Spot { file: self.clone(), pointer: Pointer::of(pointer) }))
    }
}

impl Pointer {
    fn of(text: &str) -> Pointer {
        let item = || {
            let (list, number) = text.rsplit_once('/')?;
            let list = LISTS.into_iter().find(|known| *known == list)?;
            let index: u32 = number.parse().ok()?;
            (index.to_string() == number).then_some(Pointer::Item(list, index))
        };
        item().unwrap_or_else(|| Pointer::Other(text.into()))
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Pointer::Item(..) => {
                let mut text = String::new();
                self.push_to(&mut text);
                Cow::Owned(text)
            }
            Pointer::Other(text) => Cow::Borrowed(text),
        }
    }

    /// In the order of the texts.
    fn cmp(&self, other: &Pointer) -> Ordering {
        match (self, other) {
            (Pointer::Item(list, one), Pointer::Item(same, two)) if list == same => as_text(*one, *two),
            _ => self.text().cmp(&other.text()),
        }
    }

    fn push_to(&self, out: &mut String) {
        match self {
            Pointer::Item(list, index) => {
                let _ = write!(out, "{list}/{index}"); // a text takes everything
            }
            Pointer::Other(text) => out.push_str(text),
        }
    }
}

/// The order of two numbers as texts: `10` is before `9`, and `1` before `10`.
fn as_text(one: u32, two: u32) -> Ordering {
    let digits = |number: u32| number.checked_ilog10().unwrap_or_default();
    let (first, second) = (digits(one), digits(two));
    let padded = |number: u32, by: u32| u64::from(number) * 10_u64.pow(by);
    let (longer, shorter) = (first.max(second) - first, first.max(second) - second);
    padded(one, longer).cmp(&padded(two, shorter)).then(first.cmp(&second))
}

impl Cite {
    /// A place in an answer.
    pub fn new(record: &str, page: &str, pointer: impl AsRef<str>) -> Cite {
        KeptFile::new(record, page).at(pointer.as_ref())
    }

    /// The record as such: that the question was put, and how it ended.
    pub fn of_record(record: &str) -> Cite {
        Cite::new(record, "ipe.json", "")
    }

    /// Evidence id, `ev-0001`.
    pub fn record(&self) -> &str {
        &self.0.file.0.record
    }

    /// File of that record: `page-0001.json`, or `ipe.json` for the record itself.
    pub fn page(&self) -> &str {
        &self.0.file.0.page
    }

    /// JSON Pointer in that file; empty for the whole of it.
    pub fn pointer(&self) -> Cow<'_, str> {
        self.0.pointer.text()
    }

    /// The place in one text: `ev-0001/page-0001.json#/value/3`, and for the whole of a file nothing behind its name.
    pub fn place(&self) -> String {
        let mut text = String::new();
        self.push_place(&mut text);
        text
    }

    /// Adds the place to a text.
    pub fn push_place(&self, text: &mut String) {
        text.push_str(self.record());
        text.push('/');
        self.push_in_record(text);
    }

    /// The same within its record: `page-0001.json#/value/3`.
    pub fn in_record(&self) -> String {
        let mut text = String::new();
        self.push_in_record(&mut text);
        text
    }

    fn push_in_record(&self, text: &mut String) {
        text.push_str(self.page());
        if !matches!(&self.0.pointer, Pointer::Other(text) if text.is_empty()) {
            text.push('#');
            self.0.pointer.push_to(text);
        }
    }
}

/// By record, file and pointer, each as text.
impl Ord for Cite {
    fn cmp(&self, other: &Cite) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        let (one, two) = (&self.0.file.0, &other.0.file.0);
        let files = if Arc::ptr_eq(one, two) { Ordering::Equal } else { one.cmp(two) };
        files.then_with(|| self.0.pointer.cmp(&other.0.pointer))
    }
}

impl PartialOrd for Cite {
    fn partial_cmp(&self, other: &Cite) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Cite {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.record(), self.page(), &*self.pointer()).hash(state);
    }
}

impl Serialize for Cite {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut place = serializer.serialize_struct("Cite", 3)?;
        place.serialize_field("record", self.record())?;
        place.serialize_field("page", self.page())?;
        place.serialize_field("pointer", &*self.pointer())?;
        place.end()
    }
}

impl<'de> Deserialize<'de> for Cite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cite, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Place {
            record: String,
            page: String,
            pointer: String,
        }
        let Place { record, page, pointer } = Place::deserialize(deserializer)?;
        Ok(Cite::new(&record, &page, pointer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_told_as_it_was_given_whatever_its_form() {
        for pointer in ["", "/value/3", "/value/03", "/value/4294967296", "/value", "/tables/0/rows/12", "/a~1b/0"] {
            let cite = Cite::new("ev-0001", "page-0001.json", pointer);
            assert_eq!(cite.pointer(), pointer);
            let behind = if pointer.is_empty() { String::new() } else { format!("#{pointer}") };
            assert_eq!(cite.place(), format!("ev-0001/page-0001.json{behind}"));
            let json = serde_json::to_string(&cite).expect("JSON");
            assert_eq!(serde_json::from_str::<Cite>(&json).expect("a place"), cite);
        }
    }

    #[test]
    fn places_are_in_the_order_of_their_texts() {
        let at = |pointer: &str| Cite::new("ev-0001", "page-0001.json", pointer);
        let numbers = [0, 1, 9, 10, 11, 19, 99, 100, 109, 1000, 99_999, u32::MAX];
        let mut places: Vec<Cite> = numbers.iter().map(|number| at(&format!("/value/{number}"))).collect();
        places.extend([at("/value"), at("/value/1/tags"), at("/tables/0/rows/3"), at("")]);
        places.sort();
        let told: Vec<String> = places.iter().map(|cite| cite.pointer().into_owned()).collect();
        let mut texts = told.clone();
        texts.sort();
        assert_eq!(told, texts);
        assert_eq!(at("/value/10").cmp(&at("/value/9")), Ordering::Less);
    }
}
