//! The run: every question is put, phase by phase, and how it ended is kept as soon as it has.
//!
//! Inside a phase questions go out side by side. Their numbers are given before, in order of kind and scope, so
//! that the same answers make the same capture whatever comes back first.
//!
//! A run that continues an interrupted one goes the same way. A question that has an answer of then is not put; its
//! answer is kept again under the number that it has now, and later questions follow from it as if it were new.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use thiserror::Error;

use super::ask::{Put, Told, not_put, put_in_turn};
use super::earlier::is_same;
use super::extract::{Found, teaches};
use super::kql::KqlError;
use super::plan::{SUBSCRIPTIONS, group_scope, scopes, subscription_scope, table_scopes};
use super::record::{record, run_as};
use super::table::{Shape, collector, collectors};
use super::{CollectRequest, Keeper, extract};
use crate::azure::{Api, Door, Turn, Visit};
use crate::evidence::{
    CaptureStatus, ControlTotal, Earlier, EvidenceError, Kind, Over, Page, Reason, Record, RunAs, VaultObjects,
};

/// Is told how the run goes, and may stop it.
pub trait Progress {
    /// So many further questions to a service are known now.
    fn planned(&self, _service: Api, _questions: usize) {}

    /// A question has ended; `gap` says why it has no full answer.
    fn ended(&self, _service: Api, _title: &str, _gap: Option<&str>) {}

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
    let run = Run::new(door, request, keeper, progress);
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
    /// What later questions follow from. It learns from every page as it comes.
    pub(super) found: RefCell<Found>,
    /// What has ended.
    pub(super) kept: RefCell<Kept>,
}

/// How questions ended until now.
#[derive(Default)]
pub(super) struct Kept {
    /// How many have ended.
    questions: usize,
    /// Kind, scope and reason of the gap of those without a full answer, by number.
    gaps: BTreeMap<usize, (Kind, String, Reason)>,
    /// Kinds of which a question was answered whole.
    answered: BTreeSet<Kind>,
    /// Records that counted rows and were answered whole, by the question for rows.
    pub(super) counted: BTreeMap<(Kind, String), String>,
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
        Run { door, request, keeper, progress, found: RefCell::default(), kept: RefCell::default() }
    }

    /// The questions of every kind that is asked over a family of scopes, at each scope of it that is known by now.
    pub(super) fn questions_over(&self, over: Over) -> Vec<(Kind, String)> {
        let scopes = self.scopes(over);
        let kinds = collectors().map(|row| row.kind).filter(|kind| kind.over().contains(&over));
        scopes.iter().flat_map(|scope| kinds.clone().map(move |kind| (kind, scope.clone()))).collect()
    }

    /// The scopes of a family: those that are expected, and those that answers have named.
    pub(super) fn scopes(&self, over: Over) -> Vec<String> {
        let (expected, found) = (&self.request.expected, self.found.borrow());
        let shown = |ids: &extract::Ids| ids.shown().map(str::to_owned).collect();
        match over {
            Over::Tenant | Over::Root | Over::Directory => over.fixed().into_iter().map(str::to_owned).collect(),
            Over::ManagementGroup => {
                let mut groups = found.of(over);
                scopes(&expected.management_groups, group_scope).iter().for_each(|id| groups.add(id));
                shown(&groups)
            }
            Over::Subscription => shown(&self.subscriptions()),
            // no subscriptions, no question: one that names none would be about all that are visible
            Over::Subscriptions => self.subscriptions().shown().take(1).map(|_| SUBSCRIPTIONS.to_owned()).collect(),
            Over::NamedWorkspace => {
                let named = found.named_workspaces.shown();
                named.filter(|id| !found.workspaces.contains(id)).map(str::to_owned).collect()
            }
            Over::Workspace => found.workspaces_in_use(&expected.workspaces).0,
            Over::LogCount | Over::Log => found.workspaces_in_use(&expected.workspaces).1.into_iter().collect(),
            Over::LogTable => {
                let logs = found.workspaces_in_use(&expected.workspaces).1;
                logs.iter().flat_map(|log| table_scopes(log)).collect()
            }
            // no ids, no question about them
            Over::Principals if found.principals.is_empty() => Vec::new(),
            Over::Principals => vec!["directory".to_owned()],
            Over::Group => self.groups().iter().map(|id| format!("group:{id}")).collect(),
            Over::VaultDataPlane => match self.request.vault_objects {
                VaultObjects::Arm => Vec::new(),
                VaultObjects::DataPlane => shown(&found.of(Over::Vault)),
            },
            Over::VaultContents => self.vaults_for_resource_manager(),
            Over::Identity
            | Over::Vault
            | Over::Site
            | Over::Archive
            | Over::Slot
            | Over::Factory
            | Over::SqlServer
            | Over::EligibleScope
            | Over::Application
            | Over::AppPolicy
            | Over::ServicePrincipal => shown(&found.of(over)),
        }
    }

    /// Vaults whose contents Resource Manager is asked for: all, or those that did not list them themselves.
    fn vaults_for_resource_manager(&self) -> Vec<String> {
        let own = [Kind::VaultDataKeys, Kind::VaultDataSecrets];
        let kept = self.kept.borrow();
        let refused = kept.gaps.values().filter(|(kind, ..)| own.contains(kind));
        let refused: BTreeSet<&str> = refused.map(|(_, scope, _)| scope.as_str()).collect();
        let vaults = self.found.borrow().of(Over::Vault);
        let is_asked = |vault: &&str| self.request.vault_objects == VaultObjects::Arm || refused.contains(vault);
        vaults.shown().filter(is_asked).map(str::to_owned).collect()
    }

    /// Puts these questions side by side. None of them follows from the answer to another, so that it does not matter
    /// when each is made: only when its turn has come, because very many wait.
    async fn phase(&self, mut questions: Vec<(Kind, String)>) -> Result<(), CollectError> {
        questions.sort_by_cached_key(|(kind, scope)| (*kind, scope.to_lowercase()));
        let mut planned: BTreeMap<Api, usize> = BTreeMap::new();
        let rows = questions.iter().filter_map(|(kind, _)| collector(*kind));
        rows.for_each(|row| *planned.entry(row.api).or_default() += 1);
        planned.into_iter().for_each(|(service, questions)| self.progress.planned(service, questions));
        let first = self.kept.borrow().questions + 1;
        let mut open = Vec::new();
        for (number, (kind, scope)) in (first..).zip(questions) {
            match self.earlier(kind, &scope)?.filter(|(_, earlier)| earlier.is_settled()) {
                Some((question, earlier)) => self.take_over(number, &question, &earlier)?,
                None => open.push((number, kind, scope)),
            }
        }
        // All of them wait at the door, which lets in as many as the services bear: one that is throttled holds up no
        // other. What a question needs while it is put is on the heap, so that those that wait are small.
        let put = open.into_iter().map(|(number, kind, scope)| async move {
            let mut visit = self.door.visit();
            if let Some(turn) = self.turn(kind, &scope)? {
                let _ = visit.ready(&turn).await; // if it is refused, putting it says so
            }
            Box::pin(self.put(visit, number, kind, scope)).await
        });
        let mut under_way: FuturesUnordered<_> = put.collect();
        while let Some(ended) = under_way.next().await {
            ended?;
        }
        Ok(())
    }

    /// Where a question waits for its turn; nowhere when it may not leave.
    fn turn(&self, kind: Kind, scope: &str) -> Result<Option<Turn>, CollectError> {
        Ok(self.first_request(kind, scope)?.and_then(|first| self.door.turn(&first).ok()))
    }

    /// Puts a question whose turn has come, and keeps how it ended.
    async fn put(&self, visit: Visit<'_>, number: usize, kind: Kind, scope: String) -> Result<(), CollectError> {
        let Some(question) = self.question(kind, scope)? else { return Ok(()) };
        if self.progress.stop_asked() {
            return self.leave(number, &question);
        }
        let id = evidence_id(number);
        let sink = |page: &Page, bytes: &[u8]| {
            self.keeper.keep_page(&id, page, bytes)?;
            if page.status == 200 {
                self.found.borrow_mut().learn(kind, &question.scope, bytes);
            }
            Ok(())
        };
        let told = put_in_turn(self.door, visit, &question, &sink).await?;
        self.keep(number, &question, &told)
    }

    /// A question that is not put because the run is to stop.
    fn leave(&self, number: usize, question: &Put) -> Result<(), CollectError> {
        self.kept.borrow_mut().is_stopped = true;
        match self.earlier(question.collector.kind, &question.scope)? {
            // what an earlier run read of it is more than nothing
            Some((_, earlier)) => self.take_over(number, question, &earlier),
            None => self.keep(number, question, &not_put(self.door.clock().now(), question)),
        }
    }

    /// What an earlier run kept for a question, where it is the very same.
    fn earlier(&self, kind: Kind, scope: &str) -> Result<Option<(Put, Earlier)>, CollectError> {
        let Some(earlier) = self.keeper.earlier(kind, scope)? else { return Ok(None) };
        let question = self.question(kind, scope.to_owned())?;
        Ok(question.filter(|question| is_same(&earlier.record, question)).map(|question| (question, earlier)))
    }

    fn keep(&self, number: usize, question: &Put, told: &Told) -> Result<(), CollectError> {
        let (kind, scope) = (question.collector.kind, question.scope.as_str());
        let id = evidence_id(number);
        let has_window = question.collector.api == Api::LogAnalytics || question.collector.kept_days.is_some();
        let window = has_window.then(|| self.window_of(question.collector));
        let totals = self.control_totals(&id, kind, scope, &told.pages, told.said_total);
        let record = record((&id, question.collector, scope), told, (self.request, self.door), (window, totals));
        self.keeper.keep(&record)?;
        self.ended(number, &record);
        Ok(())
    }

    /// Keeps an earlier run's answer under this run's number.
    fn take_over(&self, number: usize, question: &Put, earlier: &Earlier) -> Result<(), CollectError> {
        let (kind, then) = (question.collector.kind, &earlier.record);
        let id = evidence_id(number);
        let said = then.control_totals.iter().find(|total| total.record == then.evidence_id);
        let said = said.map(|total| total.expected);
        let totals = self.control_totals(&id, kind, &question.scope, &then.pages, said);
        let record = Record { evidence_id: id, control_totals: totals, ..then.clone() };
        for page in then.pages.iter().filter(|page| page.status == 200 && teaches(kind)) {
            self.found.borrow_mut().learn(kind, &then.scope, &earlier.page(page)?);
        }
        self.keeper.take_over(earlier, &record)?;
        self.kept.borrow_mut().taken_over += 1;
        self.ended(number, &record);
        Ok(())
    }

    /// Notes how a question ended.
    fn ended(&self, number: usize, record: &Record) {
        let (kind, scope) = (record.kind, record.scope.as_str());
        let mut kept = self.kept.borrow_mut();
        kept.questions += 1;
        kept.identities.extend(record.run_as.object_id.clone());
        match &record.gap {
            Some(gap) => drop(kept.gaps.insert(number, (kind, scope.to_owned(), gap.reason))),
            None => {
                kept.answered.insert(kind);
                let rows = kind.counts().map(|rows| ((rows, scope.to_owned()), record.evidence_id.clone()));
                kept.counted.extend(rows);
            }
        }
        // whether a table that does not exist is a gap depends on settings that are read later, and what is retired is none
        let is_open = |reason: Reason| !matches!(reason, Reason::TableMissing | Reason::Retired);
        let gap = record.gap.as_ref().filter(|gap| is_open(gap.reason));
        if let Some(collector) = collector(kind) {
            self.progress.ended(collector.api, &record.title, gap.map(|gap| gap.detail.as_str()));
        }
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
        let kept = self.kept.borrow();
        let counted = kept.counted.get(&key).map(|record| ControlTotal {
            source: "rows counted by the service in a query of its own".to_owned(),
            record: record.clone(),
            expected: self.found.borrow().expected_rows.get(&key).map_or(0, |days| days.values().sum()),
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

    /// Subscriptions to ask in: those expected, those below an expected group, else all that are visible and all that
    /// the tree of management groups names. One of those that is not visible is refused, which is seen.
    pub(super) fn subscriptions(&self) -> extract::Ids {
        let (expected, found) = (&self.request.expected, self.found.borrow());
        if expected.subscriptions.is_empty() && expected.management_groups.is_empty() {
            let mut ids = found.subscriptions.clone();
            found.tree.shown().for_each(|id| ids.add(id));
            return ids;
        }
        let mut ids = extract::Ids::default();
        scopes(&expected.subscriptions, subscription_scope).iter().for_each(|id| ids.add(id));
        for group in scopes(&expected.management_groups, group_scope) {
            let below = found.below.get(&group.to_lowercase());
            below.into_iter().flat_map(extract::Ids::shown).for_each(|id| ids.add(id));
        }
        ids
    }

    /// Groups to expand: those that the directory calls so. Where it was not heard to the end, also those that
    /// role assignments call so; else such a one no longer exists, which the look-up shows.
    fn groups(&self) -> BTreeSet<String> {
        let found = self.found.borrow();
        let mut groups = found.known_groups.clone();
        if !self.kept.borrow().answered.contains(&Kind::Principals) {
            groups.extend(found.said_groups.iter().cloned());
        }
        groups
    }

    fn summary(self) -> Summary {
        let kept = self.kept.into_inner();
        Summary {
            questions: kept.questions,
            taken_over: kept.taken_over,
            gaps: kept.gaps.into_values().collect(),
            status: if kept.is_stopped { CaptureStatus::Interrupted } else { CaptureStatus::Complete },
            run_as: run_as(self.door),
            identities: kept.identities,
        }
    }
}

fn evidence_id(number: usize) -> String {
    format!("ev-{number:04}")
}
