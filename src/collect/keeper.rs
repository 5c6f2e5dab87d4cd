//! Where the run puts what it keeps, and finds what an earlier run kept.

use crate::evidence::{CaptureWriter, Earlier, EvidenceError, Kind, Page, Record};

/// Keeps records.
pub trait Keeper {
    /// Keeps one page of a record that is not kept yet, the first page first.
    fn keep_page(&self, evidence_id: &str, page: &Page, bytes: &[u8]) -> Result<(), EvidenceError>;

    /// Keeps a record whose pages are all kept.
    fn keep(&self, record: &Record) -> Result<(), EvidenceError>;

    /// What the run that is continued kept for a question.
    fn earlier(&self, _kind: Kind, _scope: &str) -> Result<Option<Earlier>, EvidenceError> {
        Ok(None)
    }

    /// Keeps what [`Keeper::earlier`] gave as `record`, which is the same with this run's number.
    fn take_over(&self, _earlier: &Earlier, record: &Record) -> Result<(), EvidenceError> {
        self.keep(record)
    }
}

impl Keeper for CaptureWriter {
    fn keep_page(&self, evidence_id: &str, page: &Page, bytes: &[u8]) -> Result<(), EvidenceError> {
        CaptureWriter::keep_page(self, evidence_id, page, bytes)
    }

    fn keep(&self, record: &Record) -> Result<(), EvidenceError> {
        CaptureWriter::keep(self, record)
    }

    fn earlier(&self, kind: Kind, scope: &str) -> Result<Option<Earlier>, EvidenceError> {
        CaptureWriter::earlier(self, kind, scope)
    }

    fn take_over(&self, earlier: &Earlier, record: &Record) -> Result<(), EvidenceError> {
        CaptureWriter::take_over(self, earlier, record)
    }
}
