//! One question as it is put: its requests, made from its row of the table, its scope and what is known by now.

use chrono::{DateTime, TimeDelta, Utc};

use super::ask::{Part, Put};
use super::kql::{self, KqlError};
use super::run::Run;
use super::table::{Collector, Form, Listing, collector};
use super::windows::{Cuts, Span};
use crate::azure::{Api, Ask, Method};
use crate::evidence::{Kind, Over, Window};

/// How many ids go into one look-up.
const IDS_A_BATCH: usize = 1000;
/// How many subscriptions go into one query to Resource Graph, which advises to stay below 300
/// (learn:azure/governance/resource-graph/concepts/guidance-for-throttled-requests).
const SUBSCRIPTIONS_A_BATCH: usize = 250;
/// Rows younger than this may still be on their way into the log: minutes.
const SETTLING: TimeDelta = TimeDelta::minutes(30);

impl Run<'_> {
    /// A question as it is put, in every version in which it may be.
    pub(super) fn question(&self, kind: Kind, scope: String) -> Result<Option<Put>, KqlError> {
        let Some(collector) = collector(kind) else { return Ok(None) };
        let mut forms = self.versions(collector).map(|version| self.parts(collector, &scope, version));
        let parts = forms.next().transpose()?.unwrap_or_default();
        let older = forms.collect::<Result<_, _>>()?;
        let held_back = self.held_back(collector, &scope);
        Ok(Some(Put { collector, scope, parts, older, personal: self.request.personal.clone(), held_back }))
    }

    /// The first request of a question.
    pub(super) fn first_request(&self, kind: Kind, scope: &str) -> Result<Option<Ask>, KqlError> {
        let Some(collector) = collector(kind) else { return Ok(None) };
        let Some(version) = self.versions(collector).next() else { return Ok(None) };
        Ok(self.parts(collector, scope, version)?.into_iter().next().map(|part| part.ask))
    }

    /// The versions in which a question may be put, the one to begin with first.
    fn versions(&self, collector: &'static Collector) -> impl Iterator<Item = &str> {
        let chosen = self.request.api_versions.get(&collector.kind).map(String::as_str);
        let own = std::iter::once(collector.api_version).chain(collector.older.iter().copied());
        chosen.into_iter().chain(own.filter(move |version| Some(*version) != chosen))
    }

    /// Why the service would refuse a question about a log.
    fn held_back(&self, collector: &Collector, scope: &str) -> Option<String> {
        let (table, found) = (collector.table(scope)?, self.found.borrow());
        let plan = found.odd_plan(scope, table)?;
        Some(format!(
            "the table `{table}` is on the plan `{plan}`, whose tables do not take these queries; put it on the plan \
             Analytics, or supply its rows by hand"
        ))
    }

    fn parts(&self, collector: &Collector, scope: &str, version: &str) -> Result<Vec<Part>, KqlError> {
        let kind = collector.kind;
        let path = collector.in_version(version, scope, &self.window_of(collector));
        let url = match collector.api {
            // a vault that told no address gives one that the door refuses
            Api::KeyVault => {
                let found = self.found.borrow();
                let uri = found.vault_uris.get(&scope.to_lowercase()).map(String::as_str).unwrap_or_default();
                format!("{}{path}", uri.trim_end_matches('/'))
            }
            api => self.door.cloud().url(api, &path),
        };
        let get = Ask { api: collector.api, method: Method::Get, url, headers: Vec::new(), body: None };
        let post = |body: String| Ask { method: Method::Post, body: Some(body), ..get.clone() };
        Ok(match collector.form {
            Form::Get => vec![get.into()],
            Form::Advanced => vec![Ask { headers: vec![("ConsistencyLevel", "eventual".to_owned())], ..get }.into()],
            Form::Post(body) => vec![post(body.to_owned()).into()],
            Form::Query => {
                let part = |span: Span| {
                    let ask = post(kql::body(kind, scope, &span.window)?);
                    let ask = Ask { headers: vec![("Prefer", "wait=600".to_owned())], ..ask };
                    Ok(Part { ask, span: Some(span) })
                };
                self.spans(kind, scope).into_iter().map(part).collect::<Result<_, _>>()?
            }
            Form::Ids => {
                let found = self.found.borrow();
                let ids: Vec<&String> = found.principals.iter().collect();
                let bodies = ids.chunks(IDS_A_BATCH).map(|ids| serde_json::json!({ "ids": ids }).to_string());
                bodies.map(|body| post(body).into()).collect()
            }
            Form::Listing(listing) => {
                let subscriptions = self.subscriptions();
                let guids: Vec<&str> = subscriptions.shown().filter_map(|id| id.rsplit('/').next()).collect();
                let bodies = guids.chunks(SUBSCRIPTIONS_A_BATCH).map(|guids| listing_body(listing, guids));
                bodies.map(|body| post(body).into()).collect()
            }
        })
    }

    /// The windows that a log is asked for in. Counts, of which there are few a day, are asked for over the whole.
    fn spans(&self, kind: Kind, scope: &str) -> Vec<Span> {
        if !kind.over().contains(&Over::Log) {
            return vec![Span::whole(self.window())];
        }
        let (key, found) = ((kind, scope.to_owned()), self.found.borrow());
        let is_counted = self.kept.borrow().counted.contains_key(&key);
        let counted = found.expected_rows.get(&key).filter(|_| is_counted);
        let cuts = if kind.is_sum_of_day() { Cuts::BetweenDays } else { Cuts::Anywhere };
        Span::cut(&self.window(), counted, cuts)
    }

    /// The part of the period that has passed, and the instant up to which rows count as arrived.
    fn window(&self) -> Window {
        let (period, now) = (self.request.period, self.request.now);
        let end = period.end.min(now).max(period.start);
        Window { start: period.start, end, cutoff: whole_seconds(now) - SETTLING }
    }

    /// The same, less what the source no longer keeps. The service refuses a question that begins too early, so that
    /// it begins an hour or two late: as long may a run take until it is put.
    pub(super) fn window_of(&self, collector: &Collector) -> Window {
        let window = self.window();
        let oldest = collector.kept_days.and_then(TimeDelta::try_days).map(|kept| {
            let hours = (self.request.now - kept).timestamp().div_euclid(3600) + 2;
            DateTime::from_timestamp(hours * 3600, 0).unwrap_or(window.start)
        });
        let start = oldest.map_or(window.start, |oldest| window.start.max(oldest).min(window.end.max(window.start)));
        Window { start, ..window }
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

fn whole_seconds(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}
