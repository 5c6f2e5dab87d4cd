//! Whether what an earlier run asked is what would be asked now.

use super::ask::Put;
use super::record::request_of;
use super::table::Form;
use crate::evidence::Record;

/// Whether a record is of this very question: also the same request, on the same host, in the same version, for the
/// same window and the same ids. Ids to look up follow from answers, so that a look-up may have become another one.
pub(super) fn is_same(record: &Record, question: &Put) -> bool {
    let first = question.asks.first().map(request_of);
    if first.as_ref() != Some(&record.request) {
        return false;
    }
    if !matches!(question.collector.form, Form::Ids | Form::Listing(_)) {
        return true;
    }
    let mut batches = question.asks.iter().map(|ask| ask.body.as_deref());
    let is_first_page = |body: &Option<&str>| body.is_some_and(|body| !body.contains("$skipToken"));
    let sent = record.pages.iter().map(|page| page.body.as_deref()).filter(is_first_page);
    let is_prefix = sent.into_iter().all(|body| batches.next() == Some(body));
    is_prefix && (batches.next().is_none() || !record.is_whole())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::table::collector;
    use super::*;
    use crate::azure::{Api, Ask, Method};
    use crate::evidence::{Gap, Kind, Reason, testing::CaptureBuilder};

    fn look_up(batches: &[&str]) -> Put {
        let ask = |body: &&str| Ask {
            api: Api::Graph,
            method: Method::Post,
            url: "https://graph.microsoft.com/v1.0/directoryObjects/getByIds".to_owned(),
            headers: Vec::new(),
            body: Some((*body).to_owned()),
        };
        let collector = collector(Kind::Principals).expect("a row");
        Put { collector, scope: "directory".to_owned(), asks: batches.iter().map(ask).collect(), held_back: None }
    }

    fn record(batches: &[&str]) -> Record {
        let pages = batches.iter().map(|body| (json!({"value": []}), Some((*body).to_owned()))).collect();
        let capture = CaptureBuilder::default().pages(Kind::Principals, "directory", pages).build();
        let mut record = capture.records.into_iter().next().expect("a record");
        record.request = request_of(&look_up(batches).asks[0]);
        record
    }

    #[test]
    fn a_look_up_of_other_ids_is_another_question_in_any_batch() {
        let kept = record(&["one", "two"]);
        assert!(is_same(&kept, &look_up(&["one", "two"])));
        for other in [&["one", "three"][..], &["one"], &["one", "two", "three"], &["two", "two"]] {
            assert!(!is_same(&kept, &look_up(other)), "{other:?}");
        }
        let refused =
            Gap { reason: Reason::Forbidden, detail: String::new(), status: None, code: None, request_id: None };
        let refused = Record { gap: Some(refused), ..kept };
        assert!(is_same(&refused, &look_up(&["one", "two", "three"])), "it ended at the second");
    }
}
