//! Whether what an earlier run asked is what would be asked now.

use super::ask::Put;
use super::record::request_of;
use super::table::Form;
use crate::evidence::{Reason, Record};

/// Whether a record is of this very question: also the same request, on the same host, in the same version, for the
/// same window and the same ids. Ids to look up follow from answers, so that a look-up may have become another one.
pub(super) fn is_same(record: &Record, question: &Put) -> bool {
    let versions = std::iter::once(&question.parts).chain(&question.older);
    let mut versions = versions.filter_map(|parts| Some(&parts.first()?.ask));
    if !versions.any(|ask| request_of(ask) == record.request) {
        return false;
    }
    let was_held_back = record.gap.as_ref().is_some_and(|gap| gap.reason == Reason::NotAsked);
    if was_held_back != question.held_back.is_some() {
        return false;
    }
    if !matches!(question.collector.form, Form::Ids | Form::Listing(_)) {
        return true;
    }
    let mut batches = question.parts.iter().map(|part| part.ask.body.as_deref());
    let is_first_page = |body: &Option<&str>| body.is_some_and(|body| !body.contains("$skipToken"));
    let sent = record.pages.iter().map(|page| page.body.as_deref()).filter(is_first_page);
    let is_prefix = sent.into_iter().all(|body| batches.next() == Some(body));
    is_prefix && (batches.next().is_none() || !record.is_whole())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Personal;
    use super::super::table::collector;
    use super::*;
    use crate::azure::{Api, Ask, Method};
    use crate::evidence::{Gap, Kind, testing::CaptureBuilder};

    fn look_up(batches: &[&str]) -> Put {
        let part = |body: &&str| {
            let url = "https://graph.microsoft.com/v1.0/directoryObjects/getByIds".to_owned();
            let body = Some((*body).to_owned());
            Ask { api: Api::Graph, method: Method::Post, url, headers: Vec::new(), body }.into()
        };
        let collector = collector(Kind::Principals).expect("a row");
        Put {
            collector,
            scope: "directory".to_owned(),
            parts: batches.iter().map(part).collect(),
            older: Vec::new(),
            personal: Personal::default(),
            held_back: None,
        }
    }

    fn record(batches: &[&str]) -> Record {
        let pages = batches.iter().map(|body| (json!({"value": []}), Some((*body).to_owned()))).collect();
        let capture = CaptureBuilder::default().pages(Kind::Principals, "directory", pages).build();
        let mut record = capture.records.into_iter().next().expect("a record");
        record.request = request_of(&look_up(batches).parts[0].ask);
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
