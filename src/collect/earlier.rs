//! Whether what an earlier run asked is what would be asked now.

use super::ask::Put;
use super::record::request_of;
use crate::evidence::{Kind, Record};

/// Whether a record is of this very question: also the same request, on the same host, in the same version, for the
/// same window and the same ids. Ids to look up follow from answers, so that a look-up may have become another one.
pub(super) fn is_same(record: &Record, question: &Put) -> bool {
    let first = question.asks.first().map(request_of);
    if first.as_ref() != Some(&record.request) {
        return false;
    }
    if question.collector.kind != Kind::Principals {
        return true;
    }
    let mut batches = question.asks.iter().map(|ask| ask.body.as_deref());
    let sent = record.pages.iter().map(|page| page.body.as_deref()).filter(Option::is_some);
    let is_prefix = sent.into_iter().all(|body| batches.next() == Some(body));
    is_prefix && (batches.next().is_none() || !record.is_whole())
}
