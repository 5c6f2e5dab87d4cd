//! Walking kept answers: record by record, page by page, each page dropped before the next is read.
//!
//! Nothing is lost in silence here. A page that is no JSON, a list that is not one, an item without its id, a
//! field of another type: each makes its question a gap, so that no check takes the rest for the whole.

use std::cell::RefCell;
use std::sync::Arc;

use super::json::Json;
use super::{Item, ModelError};
use crate::evidence::{Capture, KeptFile, Kind, Page, Reason, Record, sha256_hex};
use crate::model::id::Ids;
use crate::model::{Coverage, Id, Texts};

/// The kept answers of a capture, and how well they could be read.
pub(super) struct Pages<'a> {
    capture: &'a Capture,
    /// How each question ended; what could not be read is marked here.
    pub(super) coverage: Coverage,
    ids: Ids,
    texts: Texts,
    /// Whether rows of the vaults' logs are kept.
    pub(super) keeps_reads: bool,
}

/// Where an item was read, and where its faults are noted.
pub(super) struct Place<'a> {
    pub(super) record: &'a Record,
    pub(super) page: &'a Page,
    pub(super) file: KeptFile,
    faults: &'a Faults,
    ids: &'a Ids,
    texts: &'a Texts,
}

/// What could not be read of one record: the first fault, and how many there were.
#[derive(Default)]
struct Faults(RefCell<Option<(Reason, String, u64)>>);

impl Faults {
    fn note(&self, reason: Reason, detail: impl FnOnce() -> String) {
        match &mut *self.0.borrow_mut() {
            Some((_, _, count)) => *count += 1,
            none => *none = Some((reason, detail(), 1)),
        }
    }
}

impl Place<'_> {
    /// The id with this text.
    pub(super) fn id(&self, text: &str) -> Id {
        self.ids.of(text)
    }

    /// The text, held once.
    pub(super) fn text(&self, text: &str) -> Arc<str> {
        self.texts.of(text)
    }

    /// Notes that something at `pointer` could not be read.
    pub(super) fn fault(&self, pointer: &str, what: &str) {
        self.note(Reason::Malformed, pointer, what);
    }

    /// Notes that the page does not hold as many items as were counted when it came.
    pub(super) fn counted(&self, pointer: &str, found: usize) {
        let counted = self.page.item_count;
        if found as u64 != counted {
            self.fault(pointer, &format!("items in the page: {found}, counted when it came: {counted}"));
        }
    }

    /// Notes it with a reason of its own.
    pub(super) fn note(&self, reason: Reason, pointer: &str, what: &str) {
        let (record, page) = (&self.record.evidence_id, &self.page.file);
        self.faults.note(reason, || format!("{what}, at `{pointer}` in {record}/{page}"));
    }
}

impl<'a> Pages<'a> {
    pub(super) fn of(capture: &'a Capture) -> Pages<'a> {
        Pages {
            capture,
            coverage: Coverage::of(capture),
            ids: Ids::default(),
            texts: Texts::default(),
            keeps_reads: true,
        }
    }

    /// What `each` makes of every item in every answer of `kind`. `None` drops the item; whoever returns it has
    /// noted why, or left the item out on purpose.
    pub(super) fn items<T>(
        &mut self,
        kind: Kind,
        each: impl FnMut(&Item<'_>) -> Option<T>,
    ) -> Result<Vec<T>, ModelError> {
        self.items_of(kind, "value", each)
    }

    /// The same of a list with another name.
    pub(super) fn items_of<T>(
        &mut self,
        kind: Kind,
        list: &str,
        mut each: impl FnMut(&Item<'_>) -> Option<T>,
    ) -> Result<Vec<T>, ModelError> {
        let mut found = Vec::new();
        self.bodies(kind, |body| match body.list(list) {
            Some(items) => {
                body.place().counted(&format!("/{list}"), body.length(list));
                found.extend(items.iter().filter_map(&mut each));
            }
            None => body.fault(&format!("there is no list `{list}`")),
        })?;
        found.shrink_to_fit(); // the facts of all lists are held at once
        Ok(found)
    }

    /// Hands the body of every page of `kind` to `each`.
    pub(super) fn bodies(&mut self, kind: Kind, mut each: impl FnMut(&Item<'_>)) -> Result<(), ModelError> {
        let capture = self.capture;
        for record in capture.records.iter().filter(|record| record.kind == kind) {
            let faults = Faults::default();
            for (index, page) in record.pages.iter().enumerate() {
                let file = KeptFile::new(&record.evidence_id, &page.file);
                let place = Place { record, page, file, faults: &faults, ids: &self.ids, texts: &self.texts };
                let bytes = intact(capture, record, page)?;
                if !(200..300).contains(&page.status) {
                    // A refusal is kept beside what did arrive; it holds no items.
                    if record.is_whole() {
                        place.fault("", &format!("the answer has status {}", page.status));
                    }
                    continue;
                }
                if page.status == 204 && bytes.iter().all(u8::is_ascii_whitespace) {
                    continue; // "no content": a workspace that never stored anything
                }
                match Json::of(&bytes) {
                    Ok(body) => {
                        let body = Item::new(&body, &place);
                        if body.has("error") {
                            place.note(Reason::Partial, "/error", "the answer holds an error beside its items");
                        }
                        if index + 1 == record.pages.len() && record.is_whole() && has_next_link(&body) {
                            place.note(Reason::CutShort, "", "the last page names a next one that was not read");
                        }
                        each(&body);
                    }
                    Err(error) => place.fault("", &format!("the answer is not JSON ({error})")),
                }
            }
            if let Some((reason, first, count)) = faults.0.into_inner() {
                let detail = if count == 1 { first } else { format!("{first}, and {} more", count - 1) };
                self.coverage.mark(record, reason, &detail);
            }
        }
        Ok(())
    }

    /// Every record of a kind.
    pub(super) fn records(&self, kind: Kind) -> impl Iterator<Item = &'a Record> + use<'a> {
        self.capture.records.iter().filter(move |record| record.kind == kind)
    }

    /// Records of a kind that were answered whole and could be read whole. Ask after reading the kind.
    pub(super) fn whole(&self, kind: Kind) -> impl Iterator<Item = &'a Record> {
        let records = self.capture.records.iter().filter(move |record| record.kind == kind);
        records.filter(|record| self.coverage.is_whole(record))
    }
}

/// The bytes of a page, when they are those that the record speaks of.
fn intact(capture: &Capture, record: &Record, page: &Page) -> Result<Vec<u8>, ModelError> {
    let bytes = capture.page(record, page)?;
    let sha256 = sha256_hex(&bytes);
    if sha256 == page.sha256 {
        return Ok(bytes);
    }
    let path = format!("evidence/{}/{}", record.evidence_id, page.file);
    Err(ModelError::Damaged { path, found: sha256, recorded: page.sha256.clone() })
}

fn has_next_link(body: &Item<'_>) -> bool {
    ["nextLink", "@nextLink", "@odata.nextLink", "$skipToken"]
        .iter()
        .any(|name| body.text(name).is_some_and(|link| !link.is_empty()))
}
