//! What was kept: the bytes that Azure answered, how they were asked for, and what could not be had.
//!
//! A capture is a folder: `capture.json` (who, when, with what), `plan.json` (what was to be asked,
//! written before the first request) and `evidence/ev-NNNN/` for each question: `ipe.json` (the record
//! that an auditor needs to rely on the answer), `page-NNNN.json` (the answers after redaction) and
//! `redactions.json` (what was cut, never the values). Nothing here knows what an answer means.

mod capture;
mod cite;
mod digest;
mod error;
mod head;
mod kind;
mod ledger;
mod lock;
mod over;
mod period;
mod personal;
mod plan;
mod reason;
mod record;
mod resume;
mod shape;
#[cfg(test)]
pub(crate) mod testing;
mod write;

pub use capture::{Capture, Damage, EvidenceFile};
pub use cite::{Cite, KeptFile};
pub use digest::sha256_hex;
pub use error::EvidenceError;
pub use head::{CaptureStatus, Head, PlanStamp, Resumed, RunAs, Tool, plan_token_name};
pub use kind::Kind;
pub use ledger::{Entry, Event, Ledger, LockedLedger};
pub use over::Over;
pub use period::{Period, PeriodError};
pub use personal::{Addresses, PersonalData, Persons};
pub use plan::{Derived, Expected, Plan, Question, VaultObjects};
pub use reason::Reason;
pub use record::{CUT, Clock, ControlTotal, Gap, Page, Record, Redaction, Request, Source, Window};
pub use resume::{Earlier, TakenUp};
pub use shape::Shape;
pub use write::{CaptureWriter, write_aside, write_atomically};
