//! One question through all its pages: what was read is kept, and why it ended early is told.
//!
//! A page is redacted, handed over to be kept, and dropped before the next is asked for.

use std::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, Utc};

use super::envelope::Envelope;
use super::record::{header, offset, request_of, version_of};
use super::redact::{self, Clean, Personal, shown};
use super::table::{Collector, Form, Shape};
use super::windows::Span;
use super::{kql, reason};
use crate::azure::{Answered, Ask, Door, Visit};
use crate::evidence::{CUT, EvidenceError, Gap, Kind, Over, Page, Reason, Redaction, Request, sha256_hex};

/// A chain longer than this is taken for an endless one.
const MOST_PAGES: usize = 10_000;
/// The status of a query that the service gave up.
const TIMED_OUT: u16 = 504;

/// How a question went.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// The first request.
    pub request: Request,
    /// Its answers.
    pub pages: Vec<Page>,
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

/// Why a chain ends before its end, before it is known which page it was.
struct Stop {
    reason: Reason,
    cause: String,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
}

/// What ends a chain before its end.
enum End {
    /// There is no full answer.
    Stop(Stop),
    /// The service gives the answer only in smaller windows.
    TooMuch,
    /// What was answered cannot be kept.
    Broken(EvidenceError),
}

impl From<Stop> for End {
    fn from(stop: Stop) -> End {
        End::Stop(stop)
    }
}

impl From<EvidenceError> for End {
    fn from(error: EvidenceError) -> End {
        End::Broken(error)
    }
}

impl Stop {
    fn because(reason: Reason, cause: impl Into<String>) -> Stop {
        Stop { reason, cause: cause.into(), status: None, code: None, request_id: None }
    }
}

/// A question as it is put: its row, its scope, and its requests.
#[derive(Clone, Debug)]
pub(super) struct Put {
    /// Row of the table.
    pub collector: &'static Collector,
    /// Where.
    pub scope: String,
    /// What is sent. More than one request only where ids go in batches, or log rows in windows.
    pub parts: Vec<Part>,
    /// The same in older versions, each tried when the one before it is not offered there.
    pub older: Vec<Vec<Part>>,
    /// What is kept of personal data in the answer.
    pub personal: Personal,
    /// Why it is not put at all: the service would refuse it.
    pub held_back: Option<String>,
}

impl Put {
    /// In which versions it may be asked.
    fn versions(&self) -> Vec<&str> {
        let forms = std::iter::once(&self.parts).chain(&self.older);
        forms.filter_map(|parts| version_of(&parts.first()?.ask.url)).collect()
    }
}

/// The first request of one chain of pages.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The request.
    pub ask: Ask,
    /// The window of time that it is for, where it is for one.
    pub span: Option<Span>,
}

impl From<Ask> for Part {
    fn from(ask: Ask) -> Part {
        Part { ask, span: None }
    }
}

impl Part {
    /// The request for a window as requests for its halves.
    fn halves(&self, kind: Kind, scope: &str) -> Option<[Part; 2]> {
        let half = |span: Span| {
            let body = Some(kql::body(kind, scope, &span.window).ok()?);
            Some(Part { ask: Ask { body, ..self.ask.clone() }, span: Some(span) })
        };
        let [first, second] = self.span.as_ref()?.halves()?;
        Some([half(first)?, half(second)?])
    }
}

/// Takes the pages of a question one by one.
pub(super) type Sink<'a> = &'a dyn Fn(&Page, &[u8]) -> Result<(), EvidenceError>;

/// Puts a question and follows it to its end. How it ended is the answer; this fails only where the sink does.
pub(super) async fn put(door: &Door, question: &Put, sink: Sink<'_>) -> Result<Told, EvidenceError> {
    put_in_turn(door, door.visit(), question, sink).await
}

/// The same for a question that has waited at the door. Where a cloud does not know the version, older ones are asked.
pub(super) async fn put_in_turn(
    door: &Door,
    mut visit: Visit<'_>,
    question: &Put,
    sink: Sink<'_>,
) -> Result<Told, EvidenceError> {
    if let Some(told) = held_back(door, question) {
        return Ok(told);
    }
    let mut told = put_parts((door, &mut visit), question, question.parts.clone(), sink).await?;
    for older in &question.older {
        if !told.is_of_unknown_version() {
            break;
        }
        told = put_parts((door, &mut visit), question, older.clone(), sink).await?;
    }
    if let Some(gap) = told.gap.as_mut().filter(|gap| gap.reason == Reason::NotInCloud) {
        gap.detail += &format!("; asked in {}", question.versions().join(", "));
    }
    Ok(told)
}

async fn put_parts(
    (door, visit): (&Door, &mut Visit<'_>),
    question: &Put,
    parts: Vec<Part>,
    sink: Sink<'_>,
) -> Result<Told, EvidenceError> {
    let mut told = Told::new(&parts, door.clock().now());
    let mut parts = VecDeque::from(parts);
    while let Some(part) = parts.pop_front() {
        let halves = part.halves(question.collector.kind, &question.scope);
        let chain = Chain { door, question, sink, has_halves: halves.is_some() };
        match chain.follow(visit, part.ask, &mut told).await {
            Ok(()) => {}
            Err(End::TooMuch) => halves.into_iter().flatten().rev().for_each(|half| parts.push_front(half)),
            Err(End::Stop(stop)) => {
                told.end(stop);
                break;
            }
            Err(End::Broken(error)) => return Err(error),
        }
    }
    told.ended_at = told.ended_at.max(door.clock().now());
    Ok(told)
}

/// Puts a question and reads the first page of its answer, enough to learn whether there is one. A link to further
/// pages is no gap here.
pub(super) async fn put_first_page(door: &Door, question: &Put, sink: Sink<'_>) -> Result<Told, EvidenceError> {
    if let Some(told) = held_back(door, question) {
        return Ok(told);
    }
    let mut told = first_page(door, question, &question.parts, sink).await?;
    for older in &question.older {
        if !told.is_of_unknown_version() {
            break;
        }
        told = first_page(door, question, older, sink).await?;
    }
    Ok(told)
}

async fn first_page(door: &Door, question: &Put, parts: &[Part], sink: Sink<'_>) -> Result<Told, EvidenceError> {
    let mut told = Told::new(parts, door.clock().now());
    let chain = Chain { door, question, sink, has_halves: false };
    for Part { ask, .. } in parts.iter().take(1) {
        let taken = match door.ask(ask.clone()).await {
            Ok(answered) => chain.take(&mut told, ask, &answered),
            Err(refused) => Err(Stop::because(reason::of_refused(&refused), refused.to_string()).into()),
        };
        match taken {
            Ok(_) | Err(End::TooMuch) => {}
            Err(End::Stop(stop)) => told.end(stop),
            Err(End::Broken(error)) => return Err(error),
        }
    }
    Ok(told)
}

/// How a question went that is not put because the service would refuse it.
fn held_back(door: &Door, question: &Put) -> Option<Told> {
    let why = question.held_back.as_deref()?;
    let mut told = Told::new(&question.parts, door.clock().now());
    told.end(Stop::because(Reason::NotAsked, why));
    Some(told)
}

/// A question that is not put any more.
pub(super) fn not_put(at: DateTime<Utc>, question: &Put) -> Told {
    let mut told = Told::new(&question.parts, at);
    told.end(Stop::because(Reason::Interrupted, "the run was stopped before; collect again"));
    told
}

/// One request of a question, with the pages that follow from it.
struct Chain<'a> {
    door: &'a Door,
    question: &'a Put,
    sink: Sink<'a>,
    /// Whether it can be put in halves instead. A cut answer to it is then no evidence, and is not kept.
    has_halves: bool,
}

impl Chain<'_> {
    async fn follow(&self, visit: &mut Visit<'_>, first: Ask, told: &mut Told) -> Result<(), End> {
        let (api, form) = (self.question.collector.api, self.question.collector.form);
        let mut followed = BTreeSet::from([plain(&first.url)]);
        let mut next = Some(first);
        told.is_first = true;
        while let Some(ask) = next.take() {
            let answered = visit.ask(ask.clone()).await;
            let answered =
                answered.map_err(|refused| Stop::because(reason::of_refused(&refused), refused.to_string()))?;
            told.ended_at = answered.received_at;
            let Some(link) = self.take(told, &ask, &answered)? else { return Ok(()) };
            told.last_next_link = Some(match form {
                Form::Listing(_) => NEXT_TOKEN.to_owned(),
                _ => shown(&link),
            });
            if !followed.insert(plain(&link)) {
                return Err(Stop::because(Reason::CutShort, "the list links back to a page that was read").into());
            }
            if followed.len() > MOST_PAGES {
                let why = format!("the list has more than {MOST_PAGES} pages");
                return Err(Stop::because(Reason::CutShort, why).into());
            }
            next = match form {
                Form::Listing(_) => {
                    Some(Ask { body: ask.body.as_deref().and_then(|body| continued(body, &link)), ..ask })
                }
                _ => {
                    let following = self.door.next(api, &link, &ask);
                    following.map_err(|refused| Stop::because(Reason::CutShort, refused.to_string()))?
                }
            };
        }
        Ok(())
    }

    /// Keeps one answer; gives the link to the next page.
    fn take(&self, told: &mut Told, ask: &Ask, answered: &Answered) -> Result<Option<String>, End> {
        let kind = self.question.collector.kind;
        let answer = &answered.answer;
        if answer.status == TIMED_OUT && self.has_halves {
            return Err(End::TooMuch);
        }
        if answer.status != 200 {
            let clean = redact::refusal(&answer.body).unwrap_or_else(|_| nothing());
            let codes = reason::codes(&clean.bytes);
            let why = reason::of_answer(kind, answer.status, &codes);
            let advice = match answer.wants_claims() {
                true => reason::CLAIMS.to_owned(),
                false => reason::advice(why, self.question.collector, &self.question.scope, &codes),
            };
            let said = [&["HTTP".to_owned(), answer.status.to_string()], codes.as_slice()].concat().join(" ");
            let request_id = self.keep(told, ask, answered, clean, 0)?;
            return Err(End::Stop(Stop {
                reason: why,
                cause: format!("{said}: {advice}"),
                status: Some(answer.status),
                code: codes.into_iter().next(),
                request_id,
            }));
        }
        let shape = self.question.collector.shape;
        let envelope = Envelope::read(shape, &answer.body);
        let malformed = |why: &str| Stop {
            status: Some(answer.status),
            request_id: request_id(answered),
            ..Stop::because(Reason::Malformed, why)
        };
        // Of a body that is not read, nothing is kept: what cannot be read cannot be cleared of secrets.
        let Ok(envelope) = envelope else { return Err(malformed("the answer is not the JSON of the contract").into()) };
        if envelope.is_partial() && self.has_halves {
            return Err(End::TooMuch);
        }
        let clean = redact::answer(kind, &answer.body, &envelope.tables(), &self.question.personal)
            .map_err(|redact::Malformed(why)| malformed(why))?;
        let code = if envelope.is_partial() { reason::codes(&clean.bytes).into_iter().next() } else { None };
        let held = envelope.held(shape);
        let request_id = self.keep(told, ask, answered, clean, held.as_ref().map_or(0, |held| held.count))?;
        match held {
            None => return Err(malformed("the answer holds no list where the contract has one").into()),
            Some(held) if !held.are_of_contract => {
                return Err(malformed("the list holds something that is no item of the contract").into());
            }
            Some(_) => {}
        }
        if envelope.is_partial() {
            let cause = match kind {
                _ if kind.over().contains(&Over::Log) => {
                    "the service marked its answer as partial, as it does past 500,000 rows; collect shorter periods"
                }
                _ => "the service marked its answer as partial",
            };
            let stop = Stop::because(Reason::Partial, cause);
            return Err(End::Stop(Stop { status: Some(200), code, request_id, ..stop }));
        }
        told.accepted += 1;
        told.last_next_link = None;
        if let Some(count) = envelope.said_total().filter(|_| told.is_first) {
            told.said_total = Some(told.said_total.unwrap_or(0).saturating_add(count));
        }
        told.is_first = false;
        let (is_short, next) = (envelope.is_short(), envelope.next());
        let is_limited = header(answer, &["x-ms-tenant-subscription-limit-hit"]).is_some_and(|hit| hit == "true");
        if (is_short && next.is_none()) || (is_limited && shape == Shape::Data) {
            let cause = "the service says that rows are missing from its answer";
            return Err(End::Stop(Stop { request_id, ..Stop::because(Reason::CutShort, cause) }));
        }
        Ok(next)
    }

    /// Hands over what is kept of one answer; gives the id of its request.
    fn keep(
        &self,
        told: &mut Told,
        ask: &Ask,
        answered: &Answered,
        clean: Clean,
        item_count: u64,
    ) -> Result<Option<String>, EvidenceError> {
        let file = format!("page-{:04}.json", told.pages.len() + 1);
        let answer = &answered.answer;
        let server_date = header(answer, &["date"]);
        if told.pages.is_empty() {
            told.clock_offset = offset(answered.received_at, server_date.as_deref());
        }
        let request_id = request_id(answered);
        told.cuts.extend(clean.cuts.into_iter().map(|cut| Redaction { place: format!("{file}#{}", cut.place), ..cut }));
        let page = Page {
            file,
            url: shown(&ask.url),
            body: shown_body(self.question.collector.form, ask, &told.request),
            status: answer.status,
            item_count,
            request_id: request_id.clone(),
            correlation_id: header(answer, &["x-ms-correlation-request-id", "client-request-id"]),
            server_date,
            received_at: answered.received_at,
            attempts: answered.attempts,
            bytes: clean.bytes.len() as u64,
            sha256: sha256_hex(&clean.bytes),
        };
        (self.sink)(&page, &clean.bytes)?;
        told.pages.push(page);
        Ok(request_id)
    }
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
fn shown_body(form: Form, ask: &Ask, first: &Request) -> Option<String> {
    let body = ask.body.as_deref()?;
    match form {
        Form::Ids => Some(body.to_owned()),
        Form::Listing(_) if body.contains("$skipToken") => continued(body, CUT),
        Form::Listing(_) => Some(body.to_owned()),
        Form::Query if first.body.as_deref() != Some(body) => Some(body.to_owned()),
        _ => None,
    }
}

impl Told {
    fn new(parts: &[Part], at: DateTime<Utc>) -> Told {
        let request = parts.first().map(|part| request_of(&part.ask));
        Told {
            request: request.unwrap_or(Request { method: "GET".to_owned(), url: String::new(), body: None }),
            pages: Vec::new(),
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

    /// Whether nothing was read because version or provider are not offered there.
    fn is_of_unknown_version(&self) -> bool {
        self.accepted == 0 && self.gap.as_ref().is_some_and(|gap| gap.reason == Reason::NotInCloud)
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

/// An address without what makes no difference, such as the port of its scheme.
fn plain(url: &str) -> String {
    url::Url::parse(url).map_or_else(|_| url.to_owned(), String::from)
}

fn request_id(answered: &Answered) -> Option<String> {
    header(&answered.answer, &["x-ms-request-id", "request-id"])
}

fn nothing() -> Clean {
    Clean { bytes: Vec::new(), cuts: Vec::new() }
}
