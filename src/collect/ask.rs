//! One question through all its pages: what was read is kept, and why it ended early is told.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::reason;
use super::record::{header, offset, request_of};
use super::redact::{self, Clean, shown};
use super::table::{Collector, Form, Shape};
use crate::azure::{Answered, Ask, Door};
use crate::evidence::{Gap, Page, Reason, Redaction, Request, sha256_hex};

/// A chain longer than this is taken for an endless one.
const MOST_PAGES: usize = 10_000;

/// How a question went.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// The first request.
    pub request: Request,
    /// Its answers.
    pub pages: Vec<Page>,
    /// The bytes of each page that are kept.
    pub kept: Vec<Vec<u8>>,
    /// What was cut.
    pub cuts: Vec<Redaction>,
    /// Why it has no full answer.
    pub gap: Option<Gap>,
    /// The link that was not followed.
    pub last_next_link: Option<String>,
    /// The chain broke off, or the service said so.
    pub is_truncated: bool,
    /// How many items the service says there are.
    pub said_total: Option<u64>,
    /// Local clock minus the server's.
    pub clock_offset: Option<i64>,
    /// Before the first request.
    pub started_at: DateTime<Utc>,
    /// After the last answer.
    pub ended_at: DateTime<Utc>,
    /// Pages that were what the contract says.
    accepted: usize,
    /// Whether the next page is the first of its chain.
    is_first: bool,
}

/// An item of a list or a row of a table: the first character of its JSON, which tells its type.
struct Part(Option<char>);

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Part, D::Error> {
        Ok(Part(<&RawValue>::deserialize(deserializer)?.get().chars().next()))
    }
}

/// The parts of a body that say whether it is one, and whether more follows. A member named twice is refused.
#[derive(Deserialize)]
struct Envelope {
    value: Option<Vec<Part>>,
    tables: Option<Vec<Table>>,
    error: Option<IgnoredAny>,
    id: Option<IgnoredAny>,
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
    data: Option<Vec<Part>>,
    error: Option<IgnoredAny>,
    #[serde(rename = "totalRecords")]
    total: Option<u64>,
    #[serde(rename = "resultTruncated")]
    is_truncated: Option<String>,
    #[serde(rename = "$skipToken")]
    token: Option<String>,
}

impl Envelope {
    fn read(shape: Shape, body: &[u8]) -> Result<Envelope, serde_json::Error> {
        if shape != Shape::Data {
            return serde_json::from_slice(body);
        }
        let page: DataPage = serde_json::from_slice(body)?;
        Ok(Envelope {
            value: page.data,
            tables: None,
            error: page.error,
            id: None,
            next: page.token,
            at_next: None,
            odata_next: None,
            count: page.total,
            is_short: page.is_truncated.is_some_and(|word| !word.eq_ignore_ascii_case("false")),
        })
    }
}

#[derive(Deserialize)]
struct Table {
    name: Option<String>,
    #[serde(rename = "columns")]
    _columns: Vec<IgnoredAny>,
    rows: Vec<Part>,
}

/// Why a chain ends before its end, before it is known which page it was.
struct Stop {
    reason: Reason,
    cause: String,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
}

impl Stop {
    fn because(reason: Reason, cause: impl Into<String>) -> Stop {
        Stop { reason, cause: cause.into(), status: None, code: None, request_id: None }
    }
}

/// A question as it is put: its row, its scope, and its requests. More than one only where ids go in batches.
#[derive(Clone, Debug)]
pub(super) struct Put {
    /// Row of the table.
    pub collector: &'static Collector,
    /// Where.
    pub scope: String,
    /// First request of each chain of pages.
    pub asks: Vec<Ask>,
    /// Why it is not put at all: the service would refuse it.
    pub held_back: Option<String>,
}

/// Puts a question and follows it to its end. This never fails: how it ended is the answer.
pub(super) async fn put(door: &Door, question: &Put) -> Told {
    let mut told = Told::new(question, door.clock().now());
    if let Some(why) = &question.held_back {
        told.end(Stop::because(Reason::NotAsked, why.as_str()));
        return told;
    }
    for ask in &question.asks {
        if let Err(stop) = chain(door, question, ask.clone(), &mut told).await {
            told.end(stop);
            break;
        }
    }
    told.ended_at = told.ended_at.max(door.clock().now());
    told
}

/// Puts a question and reads the first page of its answer, enough to learn whether there is one. A link to further
/// pages is no gap here.
pub(super) async fn put_first_page(door: &Door, question: &Put) -> Told {
    let mut told = Told::new(question, door.clock().now());
    for ask in question.asks.iter().take(1) {
        let ended = match door.ask(ask.clone()).await {
            Ok(answered) => told.take(question, ask, &answered).err(),
            Err(refused) => Some(Stop::because(reason::of_refused(&refused), refused.to_string())),
        };
        ended.into_iter().for_each(|stop| told.end(stop));
    }
    told
}

/// A question that is not put any more.
pub(super) fn not_put(at: DateTime<Utc>, question: &Put) -> Told {
    let mut told = Told::new(question, at);
    told.end(Stop::because(Reason::Interrupted, "the run was stopped before; collect again"));
    told
}

async fn chain(door: &Door, question: &Put, first: Ask, told: &mut Told) -> Result<(), Stop> {
    let api = question.collector.api;
    let mut followed = BTreeSet::from([first.url.clone()]);
    let mut next = Some(first);
    told.is_first = true;
    while let Some(ask) = next.take() {
        let answered = door.ask(ask.clone()).await;
        let answered = answered.map_err(|refused| Stop::because(reason::of_refused(&refused), refused.to_string()))?;
        told.ended_at = answered.received_at;
        let Some(link) = told.take(question, &ask, &answered)? else { return Ok(()) };
        let form = question.collector.form;
        told.last_next_link = Some(match form {
            Form::Listing(_) => NEXT_TOKEN.to_owned(),
            _ => shown(&link),
        });
        if !followed.insert(link.clone()) {
            return Err(Stop::because(Reason::CutShort, "the list links back to a page that was read"));
        }
        if followed.len() > MOST_PAGES {
            return Err(Stop::because(Reason::CutShort, format!("the list has more than {MOST_PAGES} pages")));
        }
        next = match form {
            Form::Listing(_) => Some(Ask { body: ask.body.as_deref().and_then(|body| continued(body, &link)), ..ask }),
            _ => {
                let following = door.next(api, &link, &ask);
                following.map_err(|refused| Stop::because(Reason::CutShort, refused.to_string()))?
            }
        };
    }
    Ok(())
}

/// What stands for the token of a page that was not read.
const NEXT_TOKEN: &str = "$skipToken=[cut]";

/// The body of a query to Resource Graph, with the token of the page to give.
pub(super) fn continued(body: &str, token: &str) -> Option<String> {
    let mut body: serde_json::Value = serde_json::from_str(body).ok()?;
    body.get_mut("options")?.as_object_mut()?.insert("$skipToken".to_owned(), token.into());
    Some(body.to_string())
}

/// The body of a page's request as it is kept, where pages differ in it. A token may hold ids that are not ours.
fn shown_body(form: Form, ask: &Ask) -> Option<String> {
    let body = ask.body.as_deref()?;
    match form {
        Form::Ids => Some(body.to_owned()),
        Form::Listing(_) if body.contains("$skipToken") => continued(body, redact::CUT),
        Form::Listing(_) => Some(body.to_owned()),
        _ => None,
    }
}

impl Told {
    fn new(question: &Put, at: DateTime<Utc>) -> Told {
        let request = question.asks.first().map(request_of);
        Told {
            request: request.unwrap_or(Request { method: "GET".to_owned(), url: String::new(), body: None }),
            pages: Vec::new(),
            kept: Vec::new(),
            cuts: Vec::new(),
            gap: None,
            last_next_link: None,
            is_truncated: false,
            said_total: None,
            clock_offset: None,
            started_at: at,
            ended_at: at,
            accepted: 0,
            is_first: true,
        }
    }

    /// Keeps one answer; gives the link to the next page.
    fn take(&mut self, question: &Put, ask: &Ask, answered: &Answered) -> Result<Option<String>, Stop> {
        let kind = question.collector.kind;
        let answer = &answered.answer;
        if answer.status != 200 {
            let clean = redact::refusal(&answer.body).ok();
            let codes = clean.as_ref().map(|clean| reason::codes(&clean.bytes)).unwrap_or_default();
            let request_id = self.keep(question, ask, answered, clean.unwrap_or_else(nothing), 0);
            let why = reason::of_answer(kind, answer.status, &codes);
            let advice = reason::advice(why, question.collector, &question.scope, &codes);
            let said = [&["HTTP".to_owned(), answer.status.to_string()], codes.as_slice()].concat().join(" ");
            return Err(Stop {
                reason: why,
                cause: format!("{said}: {advice}"),
                status: Some(answer.status),
                code: codes.into_iter().next(),
                request_id,
            });
        }
        let envelope = Envelope::read(question.collector.shape, &answer.body);
        let malformed = |why: &str| Stop {
            status: Some(answer.status),
            request_id: request_id(answered),
            ..Stop::because(Reason::Malformed, why)
        };
        // Of a body that is not read, nothing is kept: what cannot be read cannot be cleared of secrets.
        let Ok(envelope) = envelope else { return Err(malformed("the answer is not the JSON of the contract")) };
        let clean = redact::answer(kind, &answer.body).map_err(|redact::Malformed(why)| malformed(why))?;
        let rows = || envelope.tables.as_deref().and_then(primary).map(|table| (table.rows.as_slice(), '['));
        let list = || envelope.value.as_deref().map(|items| (items, '{'));
        let (parts, first) = match question.collector.shape {
            Shape::Rows => rows().unzip(),
            Shape::One => (envelope.id.as_ref().map(|_| [Part(None)].as_slice()), None),
            Shape::List | Shape::Data => list().unzip(),
        };
        let request_id = self.keep(question, ask, answered, clean, parts.map_or(0, <[Part]>::len) as u64);
        let Some(parts) = parts else { return Err(malformed("the answer holds no list where the contract has one")) };
        if parts.iter().any(|part| part.0 != first) {
            return Err(malformed("the list holds something that is no item of the contract"));
        }
        if envelope.error.is_some() {
            let code = self.kept.last().and_then(|kept| reason::codes(kept).into_iter().next());
            let cause = match kind {
                _ if kind.is_log() && kind.counts().is_none() => {
                    "the service marked its answer as partial, as it does past 500,000 rows; collect shorter periods"
                }
                _ => "the service marked its answer as partial",
            };
            return Err(Stop { status: Some(200), code, request_id, ..Stop::because(Reason::Partial, cause) });
        }
        self.accepted += 1;
        self.last_next_link = None;
        if let Some(count) = envelope.count.filter(|_| self.is_first) {
            self.said_total = Some(self.said_total.unwrap_or(0).saturating_add(count));
        }
        self.is_first = false;
        let links = [envelope.next, envelope.at_next, envelope.odata_next];
        let next = links.into_iter().flatten().find(|link| !link.is_empty());
        let is_limited = header(answer, &["x-ms-tenant-subscription-limit-hit"]).is_some_and(|hit| hit == "true");
        if (envelope.is_short && next.is_none()) || (is_limited && question.collector.shape == Shape::Data) {
            let cause = "the service says that rows are missing from its answer";
            return Err(Stop { request_id, ..Stop::because(Reason::CutShort, cause) });
        }
        Ok(next)
    }

    fn keep(
        &mut self,
        question: &Put,
        ask: &Ask,
        answered: &Answered,
        clean: Clean,
        item_count: u64,
    ) -> Option<String> {
        let file = format!("page-{:04}.json", self.pages.len() + 1);
        let answer = &answered.answer;
        let server_date = header(answer, &["date"]);
        if self.pages.is_empty() {
            self.clock_offset = offset(answered.received_at, server_date.as_deref());
        }
        let request_id = request_id(answered);
        self.cuts.extend(clean.cuts.into_iter().map(|cut| Redaction { place: format!("{file}#{}", cut.place), ..cut }));
        self.pages.push(Page {
            file,
            url: shown(&ask.url),
            body: shown_body(question.collector.form, ask),
            status: answer.status,
            item_count,
            request_id: request_id.clone(),
            correlation_id: header(answer, &["x-ms-correlation-request-id", "client-request-id"]),
            server_date,
            received_at: answered.received_at,
            attempts: answered.attempts,
            bytes: clean.bytes.len() as u64,
            sha256: sha256_hex(&clean.bytes),
        });
        self.kept.push(clean.bytes);
        request_id
    }

    /// Ends the question early. Once a page was accepted, the reason is that the list was cut short.
    fn end(&mut self, stop: Stop) {
        let Stop { mut reason, mut cause, status, code, request_id } = stop;
        self.is_truncated = self.accepted > 0 || reason == Reason::Partial;
        if self.accepted > 0 && reason != Reason::Partial {
            let read = if self.accepted == 1 { "1 page was" } else { &format!("{} pages were", self.accepted) };
            cause = format!("{read} read, then: {cause}");
            reason = Reason::CutShort;
        }
        self.gap = Some(Gap { reason, detail: cause, status, code, request_id });
    }
}

fn request_id(answered: &Answered) -> Option<String> {
    header(&answered.answer, &["x-ms-request-id", "request-id"])
}

fn nothing() -> Clean {
    Clean { bytes: Vec::new(), cuts: Vec::new() }
}

fn primary(tables: &[Table]) -> Option<&Table> {
    tables.iter().find(|table| table.name.as_deref() == Some("PrimaryResult")).or(tables.first())
}
