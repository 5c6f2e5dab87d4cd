//! `ipe.json`: the record that makes an answer usable as evidence.
//!
//! IPE is "information produced by the entity": an auditor may rely on it only when source, parameters,
//! completeness and accuracy can be judged. Every field here answers one of those questions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Cite, Kind, Reason, RunAs, Tool};

/// One question, how it was asked, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Record {
    /// `ev-0001`, and so on in the order of the plan.
    pub evidence_id: String,
    /// The question in words.
    pub title: String,
    /// What was asked.
    pub kind: Kind,
    /// Where: see [`Kind`] for the form.
    pub scope: String,
    /// From which system.
    pub source: Source,
    /// The first request; following pages have their own URL.
    pub request: Request,
    /// The answers, in order.
    pub pages: Vec<Page>,
    /// Items over all pages.
    pub row_count: u64,
    /// Number of pages.
    pub page_count: u64,
    /// The link that was not followed; null when the chain of pages reached its end.
    pub last_next_link: Option<String>,
    /// True when the chain broke off or the service said so.
    pub truncated: bool,
    /// Second, independent counts.
    pub control_totals: Vec<ControlTotal>,
    /// Who asked.
    pub run_as: RunAs,
    /// Local clock against the server's.
    pub clock: Clock,
    /// For questions about logs: the window asked for and what was found in it.
    pub window: Option<Window>,
    /// The program that asked.
    pub tool: Tool,
    /// What was done to the bytes before they were kept; `redactions.json` has the places.
    pub transformations: Vec<Redaction>,
    /// When the first request went out, UTC.
    pub started_at: DateTime<Utc>,
    /// When the last answer was in, UTC.
    pub ended_at: DateTime<Utc>,
    /// Absent when the question was answered whole.
    pub gap: Option<Gap>,
}

/// From which system an answer came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Source {
    /// Name of the cloud.
    pub cloud: String,
    /// Entra tenant.
    pub tenant_id: String,
    /// Host of the API.
    pub host: String,
    /// `api-version`, or the version in the path.
    pub api_version: String,
    /// Permission that the question needs.
    pub permission: String,
}

/// How it was asked. Headers that carry credentials are never part of this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// Full URL with query; values of `$skiptoken` and of anything like a key are cut.
    pub url: String,
    /// Body, for a log query or a look-up by ids.
    pub body: Option<String>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Page {
    /// `page-0001.json`.
    pub file: String,
    /// URL of this page, cut like [`Request::url`].
    pub url: String,
    /// Body of this page's request, where pages differ in it.
    pub body: Option<String>,
    /// HTTP status.
    pub status: u16,
    /// Items on this page.
    pub item_count: u64,
    /// `x-ms-request-id`, or the service's own form of it.
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id`.
    pub correlation_id: Option<String>,
    /// `Date`, as the server wrote it.
    pub server_date: Option<String>,
    /// Local clock when the answer was in, UTC.
    pub received_at: DateTime<Utc>,
    /// How often the request was sent, 1 without a retry.
    pub attempts: u32,
    /// Bytes kept.
    pub bytes: u64,
    /// SHA-256 of the bytes kept.
    pub sha256: String,
}

/// A second count of the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ControlTotal {
    /// Where the second count comes from.
    pub source: String,
    /// The record that holds it.
    pub record: String,
    /// Rows by the second count.
    pub expected: u64,
    /// Rows read.
    pub read: u64,
}

/// Local clock against the server's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Clock {
    /// Local time minus the server's `Date` on the first page, seconds; absent without that header.
    pub offset_seconds: Option<i64>,
}

/// A window of time that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Window {
    /// First instant asked for.
    pub start: DateTime<Utc>,
    /// First instant not asked for.
    pub end: DateTime<Utc>,
    /// Rows ingested after this instant are left out, so that count and rows see the same set.
    pub cutoff: DateTime<Utc>,
}

/// What stands in place of a value, or of a part of one, that was cut before it was kept: it is of another type than the
/// contract's, or looks like a secret.
pub const CUT: &str = "[cut]";

/// What one rule of redaction did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Redaction {
    /// Id of the rule: `not_on_list`, `wrong_shape`, or what a kind of value is held to.
    pub rule: String,
    /// Where: page, `#`, and JSON Pointer into the page as kept. A member that was cut goes with its name, so that the
    /// object that held it is named. Where one rule cut at many places that are alike, one line tells of all of them,
    /// with `*` for what differs in the pointer: items of arrays, and entries of maps.
    pub place: String,
    /// How many values or members were cut there.
    pub count: u64,
}

/// Why a question has no full answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Gap {
    /// From the closed list.
    pub reason: Reason,
    /// One line for the reader: what happened, and what would supply it.
    pub detail: String,
    /// HTTP status of the answer that ended the question.
    pub status: Option<u16>,
    /// Error code in that answer.
    pub code: Option<String>,
    /// Request id of that answer.
    pub request_id: Option<String>,
}

impl Page {
    /// File of the first page of a record.
    pub const FIRST: &str = "page-0001.json";
}

impl Record {
    /// The record as such, to cite that the question was put and how it ended.
    pub fn cite(&self) -> Cite {
        Cite::of_record(&self.evidence_id)
    }

    /// Lets go of room for more pages and cuts than there are: of very many records, all are held at once.
    pub(super) fn shrink(&mut self) {
        self.pages.shrink_to_fit();
        self.control_totals.shrink_to_fit();
        self.transformations.shrink_to_fit();
    }

    /// Whether the question was answered whole.
    pub fn is_whole(&self) -> bool {
        self.gap.is_none()
    }
}
