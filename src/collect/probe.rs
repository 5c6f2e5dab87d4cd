//! Whether each question would be answered: the first page of its cheapest form, at every scope that tells
//! something of its own. Nothing is kept.
//!
//! What is asked where follows the table, as in a run: the tenant, every management group, every subscription, every
//! workspace in use. Of other things that are found, one in each subscription stands for the others; of those that
//! are in none, such as groups, one for all.

use std::collections::BTreeSet;

use super::ask::{Put, Sink, Told, put, put_first_page};
use super::run::{CollectError, Run};
use super::table::{Form, collector, collectors};
use super::{CollectRequest, Keeper, Progress, record};
use crate::azure::{Ask, Door};
use crate::evidence::{EvidenceError, Kind, Over, Page, Reason, Record, VaultObjects};

/// Whether a question would be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It was answered.
    Works,
    /// 403: a permission is missing.
    Refused,
    /// The tenant has no licence for it.
    NotLicensed,
    /// Provider or version are not offered in this cloud.
    NotInCloud,
    /// 404: it is not there, or hidden.
    NotThere,
    /// The workspace has no such table, but has the other one.
    NoTable,
    /// It failed in another way.
    Failed,
    /// Nothing was found that it could be asked of.
    NotAsked,
}

impl State {
    /// The state in words.
    pub fn words(self) -> &'static str {
        match self {
            State::Works => "works",
            State::Refused => "refused",
            State::NotLicensed => "not licensed",
            State::NotInCloud => "not in this cloud",
            State::NotThere => "not there",
            State::NoTable => "no such table",
            State::Failed => "failed",
            State::NotAsked => "not asked",
        }
    }

    /// The word in exports.
    pub fn word(self) -> &'static str {
        match self {
            State::Works => "works",
            State::Refused => "refused",
            State::NotLicensed => "not_licensed",
            State::NotInCloud => "not_in_cloud",
            State::NotThere => "not_there",
            State::NoTable => "no_table",
            State::Failed => "failed",
            State::NotAsked => "not_asked",
        }
    }

    /// Whether a run would get an answer, as far as this can tell.
    pub fn is_good(self) -> bool {
        matches!(self, State::Works | State::NoTable | State::NotAsked)
    }
}

/// How one question went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// What was asked.
    pub kind: Kind,
    /// Where.
    pub scope: String,
    /// Whether it would be answered.
    pub state: State,
    /// Why not, of the closed list.
    pub reason: Option<Reason>,
    /// Why not, in words.
    pub detail: Option<String>,
    /// What it takes.
    pub permissions: Vec<String>,
}

/// How all of them went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// In the order of kinds, then of scopes.
    pub questions: Vec<Probed>,
    /// Local clock minus the server's, seconds, at the first answer that told.
    pub clock_offset: Option<i64>,
    /// Subscriptions that a run would ask in.
    pub subscriptions: Vec<String>,
    /// Expected subscriptions that are not in the list of visible ones.
    pub invisible: Vec<String>,
    /// Visible management groups.
    pub groups: Vec<String>,
}

impl Probe {
    /// Whether the token was refused, or there was none; then nothing further was asked.
    pub fn is_signed_out(&self) -> bool {
        self.questions.iter().any(|asked| asked.reason == Some(Reason::Unauthenticated) && asked.scope == "tenant")
    }
}

/// Keeps nothing.
pub(super) struct Nothing;

impl Keeper for Nothing {
    fn keep_page(&self, _: &str, _: &Page, _: &[u8]) -> Result<(), EvidenceError> {
        Ok(())
    }

    fn keep(&self, _: &Record) -> Result<(), EvidenceError> {
        Ok(())
    }
}

impl Progress for Nothing {}

/// Puts the cheapest form of every question.
pub async fn probe(door: &Door, request: &CollectRequest, progress: &dyn Progress) -> Result<Probe, CollectError> {
    let mut prober = Prober { run: Run::new(door, request, &Nothing, progress), probe: Probe::default() };
    for over in Over::STAGES.iter().flat_map(|stage| stage.iter()) {
        prober.ask_over(*over).await?;
        if prober.probe.is_signed_out() {
            break; // every further question would end the same way
        }
    }
    Ok(prober.end())
}

struct Prober<'a> {
    run: Run<'a>,
    probe: Probe,
}

impl Prober<'_> {
    async fn ask_over(&mut self, over: Over) -> Result<(), CollectError> {
        let scopes = self.sample(over);
        let questions = self.run.questions_over(over).into_iter().filter(|(_, scope)| scopes.contains(scope));
        let questions: Vec<(Kind, String)> = questions.collect();
        let kinds = collectors().map(|row| row.kind).filter(|kind| kind.over().contains(&over));
        for kind in kinds.filter(|kind| questions.iter().all(|(asked, _)| asked != kind)) {
            let why = match over {
                Over::VaultDataPlane if self.run.request.vault_objects == VaultObjects::Arm => {
                    "vaults are not asked themselves, as the configuration says (`vault_objects`)".to_owned()
                }
                Over::Principals => "nothing was found that it could be asked about".to_owned(),
                _ => format!("there is no {}, as far as the pages that were read tell", over.words()),
            };
            self.note(kind, "-", Some(Reason::NotAsked), Some(why));
        }
        for (kind, scope) in questions {
            self.ask(kind, scope).await?;
            if self.probe.is_signed_out() {
                break;
            }
        }
        Ok(())
    }

    /// The scopes of a family that are asked at.
    fn sample(&self, over: Over) -> Vec<String> {
        let scopes = self.run.scopes(over);
        let is_asked_everywhere = over.fixed().is_some()
            || matches!(over, Over::ManagementGroup | Over::Subscription)
            || matches!(over, Over::NamedWorkspace | Over::Workspace | Over::LogCount | Over::LogTable | Over::Log);
        if is_asked_everywhere {
            return scopes;
        }
        let mut seen = BTreeSet::new();
        scopes.into_iter().filter(|scope| seen.insert(subscription_of(scope))).collect()
    }

    async fn ask(&mut self, kind: Kind, scope: String) -> Result<(), CollectError> {
        let Some(question) = self.run.question(kind, scope.clone())? else { return Ok(()) };
        let service = question.collector.api;
        self.run.progress.planned(service, 1);
        let learn = |page: &Page, bytes: &[u8]| {
            if page.status == 200 {
                self.run.found.borrow_mut().learn(kind, &scope, bytes);
            }
            Ok(())
        };
        let told = ask_cheaply(self.run.door, &question, &learn).await?;
        self.probe.clock_offset = self.probe.clock_offset.or(told.clock_offset);
        let detail = told.gap.as_ref().map(|gap| gap.detail.clone());
        self.run.progress.ended(service, &record::title(kind, &scope), detail.as_deref());
        self.note(kind, &scope, told.gap.as_ref().map(|gap| gap.reason), detail);
        if let (true, Some(noted)) = (question.held_back.is_some(), self.probe.questions.last_mut()) {
            noted.state = State::Failed; // a run would not get an answer either
        }
        Ok(())
    }

    fn note(&mut self, kind: Kind, scope: &str, reason: Option<Reason>, detail: Option<String>) {
        let needed = collector(kind).into_iter().flat_map(|collector| collector.permissions);
        let permissions = needed.map(|permission| permission.name()).collect();
        self.probe.questions.push(Probed {
            kind,
            scope: scope.to_owned(),
            state: state(reason),
            reason,
            detail,
            permissions,
        });
    }

    fn end(mut self) -> Probe {
        missing_tables(&mut self.probe.questions);
        self.probe.questions.sort_by_key(|asked| (asked.kind, asked.scope.to_lowercase()));
        self.probe.subscriptions = self.run.scopes(Over::Subscription);
        self.probe.groups = self.run.found.borrow().of(Over::ManagementGroup).shown().map(str::to_owned).collect();
        if !self.run.request.expected.subscriptions.is_empty() {
            let visible = &self.run.found.borrow().subscriptions;
            let invisible = self.probe.subscriptions.iter().filter(|id| !visible.contains(id));
            self.probe.invisible = invisible.cloned().collect();
        }
        self.probe
    }
}

/// The subscription that a resource is in; empty for what is in none.
fn subscription_of(scope: &str) -> String {
    let scope = scope.to_lowercase();
    let parts: Vec<&str> = scope.split('/').take(3).collect();
    if parts.get(1) == Some(&"subscriptions") { parts.join("/") } else { String::new() }
}

/// Puts the cheap form; where the service or a recording does not know it, the plain one.
async fn ask_cheaply(door: &Door, question: &Put, sink: Sink<'_>) -> Result<Told, EvidenceError> {
    // Lists that say where to ask are read whole: a subscription on their second page counts like any other.
    if question.collector.kind.over().iter().all(|over| matches!(over, Over::Tenant | Over::ManagementGroup)) {
        return put(door, question, sink).await;
    }
    let Some(cheap) = question.parts.first().and_then(|plain| cheapest(question, &plain.ask)) else {
        return put_first_page(door, question, sink).await;
    };
    let told = put_first_page(door, &Put { parts: vec![cheap.into()], ..question.clone() }, sink).await?;
    match (question.collector.form, told.gap.as_ref().map(|gap| gap.reason)) {
        (Form::Get | Form::Advanced, Some(Reason::NotRecorded | Reason::Refused)) => {
            put_first_page(door, question, sink).await
        }
        _ => Ok(told),
    }
}

/// The form that costs least, where there is one: one item where the service takes `$top`, one row of a log.
fn cheapest(question: &Put, plain: &Ask) -> Option<Ask> {
    match question.collector.form {
        Form::Query => {
            let body = serde_json::json!({ "query": one_row(question)?, "timespan": "P1D" });
            Some(Ask { body: Some(body.to_string()), ..plain.clone() })
        }
        Form::Listing(_) => {
            let body = plain.body.as_deref()?.replace("\"$top\":1000", "\"$top\":1");
            Some(Ask { body: Some(body), ..plain.clone() })
        }
        _ if question.collector.kind == Kind::Resources => {
            Some(Ask { url: format!("{}&$top=1", plain.url), ..plain.clone() })
        }
        _ if plain.url.contains("$top=999") => {
            Some(Ask { url: plain.url.replace("$top=999", "$top=1"), ..plain.clone() })
        }
        _ => None,
    }
}

/// A query for one row of the table that the question needs. It names that question, as every query does.
fn one_row(question: &Put) -> Option<String> {
    let table = question.collector.table(&question.scope)?;
    let asked: serde_json::Value = serde_json::from_str(question.parts.first()?.ask.body.as_deref()?).ok()?;
    let name = asked.get("query")?.as_str()?.lines().next()?.to_owned();
    Some(format!("{name}\nlet Log = {table};\nLog\n| take 1\n| project TimeGenerated\n"))
}

fn state(gap: Option<Reason>) -> State {
    match gap {
        None => State::Works,
        // what a service no longer has grants nothing, and that it says so is an answer
        Some(Reason::Retired) => State::Works,
        Some(Reason::Forbidden) => State::Refused,
        Some(Reason::NotLicensed) => State::NotLicensed,
        Some(Reason::NotInCloud) => State::NotInCloud,
        Some(Reason::NotFound) => State::NotThere,
        Some(Reason::TableMissing) => State::NoTable,
        Some(Reason::NotAsked) => State::NotAsked,
        Some(_) => State::Failed,
    }
}

/// A table that nothing was written to yet does not exist. A workspace in use that shows none of the two for vaults
/// has no log of vaults, or hides it.
fn missing_tables(questions: &mut [Probed]) {
    let answered: BTreeSet<String> = questions
        .iter()
        .filter(|asked| asked.kind.is_vault_log() && asked.state == State::Works)
        .map(|asked| asked.scope.clone())
        .collect();
    for asked in questions.iter_mut().filter(|asked| asked.kind.is_vault_log() && asked.state == State::NoTable) {
        if !answered.contains(&asked.scope) {
            asked.state = State::NotThere;
            asked.detail = Some(
                "the workspace shows none of the tables for the logs of vaults: nothing was stored there yet, or the \
                 identity may not read them"
                    .to_owned(),
            );
        }
    }
}
