//! Whether each question would be answered: the first page of its cheapest form, at every scope that tells
//! something of its own. Nothing is kept.
//!
//! What is asked where follows the run: the tenant, every management group, every subscription. Of vaults and
//! identities one in each subscription stands for the others, of groups one for all.

use std::collections::BTreeSet;

use super::ask::{Put, Told, put, put_first_page};
use super::extract::{Found, Ids};
use super::plan::{COUNTS, OF_GROUP, OF_SUBSCRIPTION, OF_TENANT, ROWS, group_scope, scopes};
use super::table::{Collector, collector};
use super::{Progress, record};
use crate::azure::{Api, Ask, Door, Method};
use crate::evidence::{Expected, Kind, Reason};

/// How many ids go into the look-up.
const IDS: usize = 1000;

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

/// Puts the cheapest form of every question.
pub async fn probe(door: &Door, expected: &Expected, progress: &dyn Progress) -> Probe {
    let mut prober = Prober { door, progress, found: Found::default(), probe: Probe::default() };
    for (kind, scope) in OF_TENANT {
        prober.ask(*kind, scope).await;
        if prober.probe.is_signed_out() {
            return prober.probe; // every further question would end the same way
        }
    }
    let groups = prober.groups(expected);
    prober.ask_all(OF_GROUP, groups.shown()).await;
    let subscriptions = prober.found.subscriptions_in(expected);
    prober.ask_all(OF_SUBSCRIPTION, subscriptions.shown()).await;
    let identities = one_in_each(&prober.found.identities, &subscriptions);
    prober
        .ask_found(
            &[Kind::FederatedCredentials],
            &identities,
            "the first pages of the lists hold no user-assigned identity",
        )
        .await;
    let vaults = one_in_each(&prober.found.vaults, &subscriptions);
    prober.ask_found(&[Kind::DiagnosticSettings], &vaults, "the first pages of the lists hold no vault").await;
    let unread = prober.found.named_workspaces.shown().filter(|id| !prober.found.workspaces.contains(id));
    let unread: Vec<String> = unread.map(str::to_owned).collect();
    prober.ask_found(&[Kind::Workspace], &unread, "every workspace in use is in a list").await;
    let (workspaces, logs) = prober.found.workspaces_in_use(&expected.workspaces);
    let none = "no workspace in use was found";
    prober.ask_found(&[Kind::Tables], &workspaces, none).await;
    prober.ask_found(&[COUNTS, ROWS].concat(), &logs.into_iter().collect::<Vec<_>>(), none).await;
    prober.ask(Kind::ManagedIdentityPrincipals, "directory").await;
    prober.ask_ids().await;
    let group = prober.found.known_groups.iter().chain(&prober.found.said_groups).next();
    let group: Vec<String> = group.map(|id| format!("group:{id}")).into_iter().collect();
    prober.ask_found(&[Kind::GroupMembers], &group, "no group was found").await;
    prober.end(expected, &subscriptions)
}

struct Prober<'a> {
    door: &'a Door,
    progress: &'a dyn Progress,
    found: Found,
    probe: Probe,
}

impl Prober<'_> {
    async fn ask_all(&mut self, kinds: &[Kind], scopes: impl Iterator<Item = &str>) {
        for scope in scopes {
            for kind in kinds {
                self.ask(*kind, scope).await;
            }
        }
    }

    /// The same for scopes that other answers led to; where there are none, says so.
    async fn ask_found(&mut self, kinds: &[Kind], scopes: &[String], none: &str) {
        if !scopes.is_empty() {
            return self.ask_all(kinds, scopes.iter().map(String::as_str)).await;
        }
        for kind in kinds {
            self.note(*kind, "-", Some(Reason::NotAsked), Some(none.to_owned()));
        }
    }

    /// Ids of principals that were found, in one look-up, as a run would ask.
    async fn ask_ids(&mut self) {
        let ids: Vec<String> = self.found.principals.iter().take(IDS).cloned().collect();
        if ids.is_empty() {
            return self.ask_found(&[Kind::Principals], &[], "no principal was found").await;
        }
        let Some(collector) = collector(Kind::Principals) else { return };
        let body = Some(serde_json::json!({ "ids": ids }).to_string());
        let ask = Ask { method: Method::Post, body, ..plain(self.door, collector, "directory") };
        self.put_and_note(collector, "directory", ask).await;
    }

    async fn ask(&mut self, kind: Kind, scope: &str) {
        let Some(collector) = collector(kind) else { return };
        let cheap = cheapest(self.door, collector, scope);
        self.put_and_note(collector, scope, cheap).await;
    }

    async fn put_and_note(&mut self, collector: &'static Collector, scope: &str, cheap: Ask) {
        let kind = collector.kind;
        self.progress.planned(1);
        let told = ask_or_plain(self.door, collector, scope, cheap).await;
        for (page, bytes) in told.pages.iter().zip(&told.kept) {
            if page.status == 200 {
                self.found.learn(kind, scope, bytes);
            }
        }
        self.probe.clock_offset = self.probe.clock_offset.or(told.clock_offset);
        let detail = told.gap.as_ref().map(|gap| gap.detail.clone());
        self.progress.ended(&record::title(kind, scope), detail.as_deref());
        self.note(kind, scope, told.gap.as_ref().map(|gap| gap.reason), detail);
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

    fn groups(&self, expected: &Expected) -> Ids {
        let mut groups = Ids::default();
        scopes(&expected.management_groups, group_scope).iter().for_each(|id| groups.add(id));
        self.found.groups.shown().for_each(|id| groups.add(id));
        groups
    }

    fn end(mut self, expected: &Expected, subscriptions: &Ids) -> Probe {
        missing_tables(&mut self.probe.questions);
        self.probe.questions.sort_by_key(|asked| (asked.kind, asked.scope.to_lowercase()));
        self.probe.subscriptions = subscriptions.shown().map(str::to_owned).collect();
        self.probe.groups = self.found.groups.shown().map(str::to_owned).collect();
        if !expected.subscriptions.is_empty() {
            let invisible = subscriptions.shown().filter(|id| !self.found.subscriptions.contains(id));
            self.probe.invisible = invisible.map(str::to_owned).collect();
        }
        self.probe
    }
}

/// Puts the cheap form; where the service or a recording does not know it, the plain one.
async fn ask_or_plain(door: &Door, collector: &'static Collector, scope: &str, cheap: Ask) -> Told {
    let plain = plain(door, collector, scope);
    let is_plain = cheap == plain || cheap.method == Method::Post;
    let question = |ask: Ask| Put { collector, scope: scope.to_owned(), asks: vec![ask] };
    // Lists that say where to ask are read whole: a subscription on their second page counts like any other.
    if matches!(collector.kind, Kind::Subscriptions | Kind::ManagementGroups | Kind::ManagementGroupDescendants) {
        return put(door, &question(plain)).await;
    }
    let told = put_first_page(door, &question(cheap)).await;
    match told.gap.as_ref().map(|gap| gap.reason) {
        Some(Reason::NotRecorded | Reason::Refused) if !is_plain => put_first_page(door, &question(plain)).await,
        _ => told,
    }
}

/// The question as a run puts it, without a body.
fn plain(door: &Door, collector: &Collector, scope: &str) -> Ask {
    let url = door.cloud().url(collector.api, &collector.path_and_query(scope));
    Ask { api: collector.api, method: Method::Get, url, headers: collector.headers(), body: None }
}

/// The question in the form that costs least: one item where the service takes `$top`, one row of a log.
fn cheapest(door: &Door, collector: &Collector, scope: &str) -> Ask {
    let plain = plain(door, collector, scope);
    match collector.kind {
        Kind::Resources => Ask { url: format!("{}&$top=1", plain.url), ..plain },
        Kind::ManagedIdentityPrincipals | Kind::GroupMembers => {
            Ask { url: plain.url.replace("$top=999", "$top=1"), ..plain }
        }
        _ if collector.api == Api::LogAnalytics => {
            let body = serde_json::json!({ "query": one_row(collector.kind), "timespan": "P1D" });
            Ask { method: Method::Post, body: Some(body.to_string()), ..plain }
        }
        _ => plain,
    }
}

/// A query for one row. It names the question that it stands for, as every query does.
fn one_row(kind: Kind) -> String {
    let (name, table, columns) = match kind {
        Kind::VaultLogDedicated => ("vault_log_dedicated", "AZKVAuditLogs", "project TimeGenerated"),
        Kind::VaultLogLegacy => ("vault_log_legacy", "AzureDiagnostics", "project TimeGenerated"),
        Kind::VaultLogDedicatedCount => ("vault_log_dedicated_count", "AZKVAuditLogs", "summarize Rows = count()"),
        _ => ("vault_log_legacy_count", "AzureDiagnostics", "summarize Rows = count()"),
    };
    format!("// tickmark: question={name};\n{table}\n| take 1\n| {columns}\n")
}

fn state(gap: Option<Reason>) -> State {
    match gap {
        None => State::Works,
        Some(Reason::Forbidden) => State::Refused,
        Some(Reason::NotLicensed) => State::NotLicensed,
        Some(Reason::NotInCloud) => State::NotInCloud,
        Some(Reason::NotFound) => State::NotThere,
        Some(Reason::TableMissing) => State::NoTable,
        Some(Reason::NotAsked) => State::NotAsked,
        Some(_) => State::Failed,
    }
}

/// A vault logs to one of the two tables. A workspace that has neither has no log, or hides it.
fn missing_tables(questions: &mut [Probed]) {
    let is_log = |kind: Kind| COUNTS.contains(&kind) || ROWS.contains(&kind);
    let answered: BTreeSet<String> = questions
        .iter()
        .filter(|asked| is_log(asked.kind) && asked.state == State::Works)
        .map(|asked| asked.scope.clone())
        .collect();
    for asked in questions.iter_mut().filter(|asked| asked.state == State::NoTable) {
        if !answered.contains(&asked.scope) {
            asked.state = State::NotThere;
            asked.detail = Some(
                "the workspace shows neither AZKVAuditLogs nor AzureDiagnostics: nothing was stored there yet, or the \
                 identity may not read them"
                    .to_owned(),
            );
        }
    }
}

/// The first of these resources in each subscription.
fn one_in_each(ids: &Ids, subscriptions: &Ids) -> Vec<String> {
    let below = |subscription: &str| {
        let prefix = format!("{}/", subscription.to_lowercase());
        ids.shown().find(|id| id.to_lowercase().starts_with(&prefix)).map(str::to_owned)
    };
    subscriptions.shown().filter_map(below).collect()
}
