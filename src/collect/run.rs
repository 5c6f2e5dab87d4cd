//! The run: every question is put, phase by phase, and how it ended is kept as soon as it has.
//!
//! Inside a phase questions go out side by side. Their numbers are given before, in order of kind and scope, so
//! that the same answers make the same capture whatever comes back first.
//!
//! A run that continues an interrupted one goes the same way. A question that has an answer of then is not put; its
//! answer is kept again under the number that it has now, and later questions follow from it as if it were new.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use thiserror::Error;

use super::ask::{Put, Told, not_put, put};
use super::earlier::is_same;
use super::extract::Found;
use super::kql::{self, KqlError};
use super::plan::{SUBSCRIPTIONS, group_scope, scopes, subscription_scope, table_scopes};
use super::record::{record, run_as};
use super::table::{Form, Listing, Shape, collector, collectors};
use super::{CollectRequest, extract};
use crate::azure::{Api, Ask, Door, Method};
use crate::evidence::{
    CaptureStatus, CaptureWriter, ControlTotal, Earlier, EvidenceError, Kind, Over, Page, Reason, Record, RunAs,
    VaultObjects, Window,
};

/// How many questions are under way at a time; the door may allow fewer requests.
const AT_A_TIME: usize = 8;
/// How many ids go into one look-up.
const IDS_A_BATCH: usize = 1000;
/// How many subscriptions go into one query to Resource Graph, which advises to stay below 300
/// (learn:azure/governance/resource-graph/concepts/guidance-for-throttled-requests).
const SUBSCRIPTIONS_A_BATCH: usize = 250;
/// Rows younger than this may still be on their way into the log: minutes.
const SETTLING: TimeDelta = TimeDelta::minutes(30);

/// Keeps records.
pub trait Keeper {
    /// Keeps one record with the bytes of its pages.
    fn keep(&self, record: &Record, pages: &[Vec<u8>]) -> Result<(), EvidenceError>;

    /// What the run that is continued kept for a question.
    fn earlier(&self, _kind: Kind, _scope: &str) -> Result<Option<Earlier>, EvidenceError> {
        Ok(None)
    }

    /// Keeps what [`Keeper::earlier`] gave as `record`, which is the same with this run's number.
    fn take_over(&self, earlier: &Earlier, record: &Record) -> Result<(), EvidenceError> {
        self.keep(record, &earlier.pages)
    }
}

impl Keeper for CaptureWriter {
    fn keep(&self, record: &Record, pages: &[Vec<u8>]) -> Result<(), EvidenceError> {
        CaptureWriter::keep(self, record, pages)
    }

    fn earlier(&self, kind: Kind, scope: &str) -> Result<Option<Earlier>, EvidenceError> {
        CaptureWriter::earlier(self, kind, scope)
    }

    fn take_over(&self, earlier: &Earlier, record: &Record) -> Result<(), EvidenceError> {
        CaptureWriter::take_over(self, earlier, record)
    }
}

/// Is told how the run goes, and may stop it.
pub trait Progress {
    /// So many further questions are known now.
    fn planned(&self, _questions: usize) {}

    /// A question has ended; `gap` says why it has no full answer.
    fn ended(&self, _title: &str, _gap: Option<&str>) {}

    /// Whether the run is to stop: questions that were not put end as gaps.
    fn stop_asked(&self) -> bool {
        false
    }
}

/// How the run went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Questions that have a record.
    pub questions: usize,
    /// Those of them that were not put, because the run that was continued has the answer.
    pub taken_over: usize,
    /// Those without a full answer: kind, scope, reason, in the order of the records.
    pub gaps: Vec<(Kind, String, Reason)>,
    /// Complete, or interrupted.
    pub status: CaptureStatus,
    /// Who asked.
    pub run_as: RunAs,
    /// Object ids of everyone who asked: more than one when another identity continued the run.
    pub identities: BTreeSet<String>,
}

/// What ends a run before its end. A refusal by Azure is not among it.
#[derive(Debug, Error)]
pub enum CollectError {
    /// A record could not be kept.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A mistake in a query of the program.
    #[error(transparent)]
    Query(#[from] KqlError),
}

/// Puts every question of the plan and every question that follows from an answer.
pub async fn collect(
    door: &Door,
    request: &CollectRequest,
    keeper: &dyn Keeper,
    progress: &dyn Progress,
) -> Result<Summary, CollectError> {
    let mut run = Run::new(door, request, keeper, progress);
    for stage in Over::STAGES {
        let questions = stage.iter().flat_map(|over| run.questions_over(*over)).collect();
        run.phase(questions).await?;
    }
    Ok(run.summary())
}

/// A run under way: what is to be asked, and what is known by now.
pub(super) struct Run<'a> {
    pub(super) door: &'a Door,
    pub(super) request: &'a CollectRequest,
    keeper: &'a dyn Keeper,
    pub(super) progress: &'a dyn Progress,
    /// What later questions follow from.
    pub(super) found: Found,
    /// Kind, scope and reason of the gap, by number.
    ended: BTreeMap<usize, (Kind, String, Option<Reason>)>,
    /// Records that counted rows and were answered whole, by the question for rows.
    counted: BTreeMap<(Kind, String), String>,
    /// Questions whose answer is an earlier run's.
    taken_over: usize,
    /// Whether a question was not put because the run was to stop.
    is_stopped: bool,
    /// Object ids of those who asked.
    identities: BTreeSet<String>,
}

impl<'a> Run<'a> {
    /// A run that has asked nothing yet.
    pub(super) fn new(
        door: &'a Door,
        request: &'a CollectRequest,
        keeper: &'a dyn Keeper,
        progress: &'a dyn Progress,
    ) -> Run<'a> {
        Run {
            door,
            request,
            keeper,
            progress,
            found: Found::default(),
            ended: BTreeMap::new(),
            counted: BTreeMap::new(),
            taken_over: 0,
            is_stopped: false,
            identities: BTreeSet::new(),
        }
    }

    /// The questions of every kind that is asked over a family of scopes, at each scope of it that is known by now.
    pub(super) fn questions_over(&self, over: Over) -> Vec<(Kind, String)> {
        let scopes = self.scopes(over);
        let kinds = collectors().map(|row| row.kind).filter(|kind| kind.over().contains(&over));
        scopes.iter().flat_map(|scope| kinds.clone().map(move |kind| (kind, scope.clone()))).collect()
    }

    /// The scopes of a family: those that are expected, and those that answers have named.
    pub(super) fn scopes(&self, over: Over) -> Vec<String> {
        let expected = &self.request.expected;
        let shown = |ids: &extract::Ids| ids.shown().map(str::to_owned).collect();
        match over {
            Over::Tenant | Over::Root | Over::Directory => over.fixed().into_iter().map(str::to_owned).collect(),
            Over::ManagementGroup => {
                let mut groups = self.found.of(over);
                scopes(&expected.management_groups, group_scope).iter().for_each(|id| groups.add(id));
                shown(&groups)
            }
            Over::Subscription => shown(&self.subscriptions()),
            // no subscriptions, no question: one that names none would be about all that are visible
            Over::Subscriptions => self.subscriptions().shown().take(1).map(|_| SUBSCRIPTIONS.to_owned()).collect(),
            Over::NamedWorkspace => {
                let named = self.found.named_workspaces.shown();
                named.filter(|id| !self.found.workspaces.contains(id)).map(str::to_owned).collect()
            }
            Over::Workspace => self.found.workspaces_in_use(&expected.workspaces).0,
            Over::LogCount | Over::Log => self.found.workspaces_in_use(&expected.workspaces).1.into_iter().collect(),
            Over::LogTable => self.scopes(Over::Log).iter().flat_map(|log| table_scopes(log)).collect(),
            // no ids, no question about them
            Over::Principals if self.found.principals.is_empty() => Vec::new(),
            Over::Principals => vec!["directory".to_owned()],
            Over::Group => self.groups().iter().map(|id| format!("group:{id}")).collect(),
            Over::VaultDataPlane => match self.request.vault_objects {
                VaultObjects::Arm => Vec::new(),
                VaultObjects::DataPlane => shown(&self.found.of(Over::Vault)),
            },
            Over::VaultContents => self.vaults_for_resource_manager(),
            Over::Identity | Over::Vault | Over::Application | Over::ServicePrincipal => shown(&self.found.of(over)),
        }
    }

    /// Vaults whose contents Resource Manager is asked for: all, or those that did not list them themselves.
    fn vaults_for_resource_manager(&self) -> Vec<String> {
        let own = [Kind::VaultDataKeys, Kind::VaultDataSecrets];
        let refused = self.ended.values().filter(|(kind, _, gap)| own.contains(kind) && gap.is_some());
        let refused: BTreeSet<&str> = refused.map(|(_, scope, _)| scope.as_str()).collect();
        let vaults = self.found.of(Over::Vault);
        let is_asked = |vault: &&str| self.request.vault_objects == VaultObjects::Arm || refused.contains(vault);
        vaults.shown().filter(is_asked).map(str::to_owned).collect()
    }

    /// Puts these questions side by side.
    async fn phase(&mut self, mut questions: Vec<(Kind, String)>) -> Result<(), CollectError> {
        questions.sort_by_key(|(kind, scope)| (*kind, scope.to_lowercase()));
        self.progress.planned(questions.len());
        let first = self.ended.len() + 1;
        let mut puts = Vec::new();
        for (kind, scope) in questions {
            puts.extend(self.question(kind, scope)?);
        }
        let mut open = Vec::new();
        for (index, question) in puts.into_iter().enumerate() {
            match self.earlier(&question)?.filter(Earlier::is_settled) {
                Some(earlier) => self.take_over(first + index, &question, &earlier)?,
                None => open.push((first + index, question)),
            }
        }
        let (door, progress) = (self.door, self.progress);
        let put = open.into_iter().map(|(number, question)| async move {
            let told = match progress.stop_asked() {
                true => None,
                false => Some(put(door, &question).await),
            };
            (number, question, told)
        });
        let mut under_way = futures::stream::iter(put).buffer_unordered(AT_A_TIME);
        while let Some((number, question, told)) = under_way.next().await {
            match told {
                Some(told) => self.keep(number, &question, &told)?,
                None => self.leave(number, &question)?,
            }
        }
        Ok(())
    }

    /// A question that is not put because the run is to stop.
    fn leave(&mut self, number: usize, question: &Put) -> Result<(), CollectError> {
        self.is_stopped = true;
        match self.earlier(question)? {
            // what an earlier run read of it is more than nothing
            Some(earlier) => self.take_over(number, question, &earlier),
            None => self.keep(number, question, &not_put(self.door.clock().now(), question)),
        }
    }

    /// What an earlier run kept for this very question.
    fn earlier(&self, question: &Put) -> Result<Option<Earlier>, EvidenceError> {
        let earlier = self.keeper.earlier(question.collector.kind, &question.scope)?;
        Ok(earlier.filter(|earlier| is_same(&earlier.record, question)))
    }

    /// A question as it is put.
    pub(super) fn question(&self, kind: Kind, scope: String) -> Result<Option<Put>, KqlError> {
        let Some(collector) = collector(kind) else { return Ok(None) };
        let path = collector.path_and_query(&scope, &self.window());
        let url = match collector.api {
            // a vault that told no address gives one that the door refuses
            Api::KeyVault => {
                let uri = self.found.vault_uris.get(&scope.to_lowercase()).map(String::as_str).unwrap_or_default();
                format!("{}{path}", uri.trim_end_matches('/'))
            }
            api => self.door.cloud().url(api, &path),
        };
        let get = Ask { api: collector.api, method: Method::Get, url, headers: Vec::new(), body: None };
        let post = |body: String| Ask { method: Method::Post, body: Some(body), ..get.clone() };
        let asks = match collector.form {
            Form::Get => vec![get],
            Form::Advanced => vec![Ask { headers: vec![("ConsistencyLevel", "eventual".to_owned())], ..get }],
            Form::Post(body) => vec![post(body.to_owned())],
            Form::Query => {
                vec![Ask {
                    headers: vec![("Prefer", "wait=600".to_owned())],
                    ..post(kql::body(kind, &scope, &self.window())?)
                }]
            }
            Form::Ids => {
                let ids: Vec<&String> = self.found.principals.iter().collect();
                ids.chunks(IDS_A_BATCH).map(|ids| post(serde_json::json!({ "ids": ids }).to_string())).collect()
            }
            Form::Listing(listing) => {
                let subscriptions = self.subscriptions();
                let guids: Vec<&str> = subscriptions.shown().filter_map(|id| id.rsplit('/').next()).collect();
                guids.chunks(SUBSCRIPTIONS_A_BATCH).map(|guids| post(listing_body(listing, guids))).collect()
            }
        };
        let plan = collector.table(&scope).and_then(|table| Some((table, self.found.odd_plan(&scope, table)?)));
        let held_back = plan.map(|(table, plan)| {
            format!(
                "the table `{table}` is on the plan `{plan}`, whose tables do not take these queries; put it on the plan \
                 Analytics, or supply its rows by hand"
            )
        });
        Ok(Some(Put { collector, scope, asks, held_back }))
    }

    /// The part of the period that has passed, and the instant up to which rows count as arrived.
    fn window(&self) -> Window {
        let (period, now) = (self.request.period, self.request.now);
        let end = period.end.min(now).max(period.start);
        Window { start: period.start, end, cutoff: whole_seconds(now) - SETTLING }
    }

    fn keep(&mut self, number: usize, question: &Put, told: &Told) -> Result<(), CollectError> {
        let (kind, scope) = (question.collector.kind, question.scope.as_str());
        let id = evidence_id(number);
        let window = (question.collector.api == Api::LogAnalytics).then(|| self.window());
        let totals = self.control_totals(&id, kind, scope, &told.pages, told.said_total);
        let record = record((&id, question.collector, scope), told, (self.request, self.door), (window, totals));
        self.keeper.keep(&record, &told.kept)?;
        self.ended(number, &record, &told.kept);
        Ok(())
    }

    /// Keeps an earlier run's answer under this run's number.
    fn take_over(&mut self, number: usize, question: &Put, earlier: &Earlier) -> Result<(), CollectError> {
        let (kind, then) = (question.collector.kind, &earlier.record);
        let id = evidence_id(number);
        let said = then.control_totals.iter().find(|total| total.record == then.evidence_id);
        let said = said.map(|total| total.expected);
        let totals = self.control_totals(&id, kind, &question.scope, &then.pages, said);
        let record = Record { evidence_id: id, control_totals: totals, ..then.clone() };
        self.keeper.take_over(earlier, &record)?;
        self.taken_over += 1;
        self.ended(number, &record, &earlier.pages);
        Ok(())
    }

    /// Learns from a record what later questions need.
    fn ended(&mut self, number: usize, record: &Record, kept: &[Vec<u8>]) {
        let (kind, scope) = (record.kind, record.scope.as_str());
        for (page, bytes) in record.pages.iter().zip(kept) {
            if page.status == 200 {
                self.found.learn(kind, scope, bytes);
            }
        }
        if let (Some(rows), None) = (kind.counts(), &record.gap) {
            self.counted.insert((rows, scope.to_owned()), record.evidence_id.clone());
        }
        self.identities.extend(record.run_as.object_id.clone());
        let reason = record.gap.as_ref().map(|gap| gap.reason);
        // whether a table that does not exist is a gap depends on settings that are read later
        let gap = record.gap.as_ref().filter(|gap| gap.reason != Reason::TableMissing);
        self.progress.ended(&record.title, gap.map(|gap| gap.detail.as_str()));
        self.ended.insert(number, (kind, scope.to_owned(), reason));
    }

    /// Second counts of the same rows: for logs the service's own count, for the directory `@odata.count`.
    fn control_totals(
        &self,
        id: &str,
        kind: Kind,
        scope: &str,
        pages: &[Page],
        said: Option<u64>,
    ) -> Vec<ControlTotal> {
        let read = pages.iter().map(|page| page.item_count).sum();
        let key = (kind, scope.to_owned());
        let counted = self.counted.get(&key).map(|record| ControlTotal {
            source: "rows counted by the service in a query of its own".to_owned(),
            record: record.clone(),
            expected: self.found.expected_rows.get(&key).copied().unwrap_or(0),
            read,
        });
        let is_data = collector(kind).is_some_and(|row| row.shape == Shape::Data);
        let said = said.map(|expected| ControlTotal {
            source: if is_data { "totalRecords of the first page" } else { "@odata.count of the first page" }
                .to_owned(),
            record: id.to_owned(),
            expected,
            read,
        });
        // A question that failed read nothing that could be compared.
        counted.into_iter().chain(said).filter(|_| pages.iter().any(|page| page.status == 200)).collect()
    }

    /// Subscriptions to ask in: those expected, those below an expected group, else all that are visible.
    pub(super) fn subscriptions(&self) -> extract::Ids {
        let expected = &self.request.expected;
        if expected.subscriptions.is_empty() && expected.management_groups.is_empty() {
            return self.found.subscriptions.clone();
        }
        let mut ids = extract::Ids::default();
        scopes(&expected.subscriptions, subscription_scope).iter().for_each(|id| ids.add(id));
        for group in scopes(&expected.management_groups, group_scope) {
            let below = self.found.below.get(&group.to_lowercase());
            below.into_iter().flat_map(extract::Ids::shown).for_each(|id| ids.add(id));
        }
        ids
    }

    /// Groups to expand: those that the directory calls so. Where it was not heard to the end, also those that
    /// role assignments call so; else such a one no longer exists, which the look-up shows.
    fn groups(&self) -> BTreeSet<String> {
        let mut groups = self.found.known_groups.clone();
        let is_whole = self.ended.values().any(|(kind, _, gap)| *kind == Kind::Principals && gap.is_none());
        if !is_whole {
            groups.extend(self.found.said_groups.iter().cloned());
        }
        groups
    }

    fn summary(self) -> Summary {
        let gaps: Vec<(Kind, String, Reason)> =
            self.ended.values().filter_map(|(kind, scope, gap)| Some((*kind, scope.clone(), (*gap)?))).collect();
        Summary {
            questions: self.ended.len(),
            taken_over: self.taken_over,
            gaps,
            status: if self.is_stopped { CaptureStatus::Interrupted } else { CaptureStatus::Complete },
            run_as: run_as(self.door),
            identities: self.identities,
        }
    }
}

/// Body of a query to Resource Graph. Rows come as objects, in the largest pages that there are.
fn listing_body(listing: &Listing, subscriptions: &[&str]) -> String {
    let mut options = serde_json::json!({ "resultFormat": "objectArray", "$top": 1000 });
    if listing.is_inherited
        && let Some(options) = options.as_object_mut()
    {
        options.insert("authorizationScopeFilter".to_owned(), "AtScopeAboveAndBelow".into());
    }
    serde_json::json!({ "subscriptions": subscriptions, "query": listing.query, "options": options }).to_string()
}

fn evidence_id(number: usize) -> String {
    format!("ev-{number:04}")
}

fn whole_seconds(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}
