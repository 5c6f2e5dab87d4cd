//! One question as it is put: its requests, made from its row of the table, its scope and what is known by now.

use chrono::{DateTime, TimeDelta, Utc};

use super::ask::{Part, Put};
use super::extract::counts;
use super::kql::{self, KqlError};
use super::run::Run;
use super::table::{Form, collector};
use super::windows::Span;
use crate::azure::{Api, Ask, Method};
use crate::evidence::{Kind, Window};

/// How many ids go into one look-up.
const IDS_A_BATCH: usize = 1000;
/// Rows younger than this may still be on their way into the log: minutes.
const SETTLING: TimeDelta = TimeDelta::minutes(30);

impl Run<'_> {
    /// A question as it is put.
    pub(super) fn question(&self, kind: Kind, scope: String) -> Result<Option<Put>, KqlError> {
        let Some(collector) = collector(kind) else { return Ok(None) };
        let path = collector.path_and_query(&scope, &self.window());
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
        let parts = match collector.form {
            Form::Get => vec![get.into()],
            Form::Advanced => vec![Ask { headers: vec![("ConsistencyLevel", "eventual".to_owned())], ..get }.into()],
            Form::Post(body) => vec![post(body.to_owned()).into()],
            Form::Query => {
                let part = |span: Span| {
                    let ask = post(kql::body(kind, &span.window)?);
                    let ask = Ask { headers: vec![("Prefer", "wait=600".to_owned())], ..ask };
                    Ok(Part { ask, span: Some(span) })
                };
                self.spans(kind, &scope).into_iter().map(part).collect::<Result<_, _>>()?
            }
            Form::Ids => {
                let found = self.found.borrow();
                let ids: Vec<&String> = found.principals.iter().collect();
                let bodies = ids.chunks(IDS_A_BATCH).map(|ids| serde_json::json!({ "ids": ids }).to_string());
                bodies.map(|body| post(body).into()).collect()
            }
        };
        Ok(Some(Put { collector, scope, parts }))
    }

    /// The windows that a log is asked for in. Counts are asked for over the whole.
    fn spans(&self, kind: Kind, scope: &str) -> Vec<Span> {
        if counts(kind).is_some() {
            return vec![Span::whole(self.window())];
        }
        let (key, found) = ((kind, scope.to_owned()), self.found.borrow());
        let is_counted = self.counted.contains_key(&key);
        Span::cut(&self.window(), found.expected_rows.get(&key).filter(|_| is_counted))
    }

    /// The part of the period that has passed, and the instant up to which rows count as arrived.
    pub(super) fn window(&self) -> Window {
        let (period, now) = (self.request.period, self.request.now);
        let end = period.end.min(now).max(period.start);
        Window { start: period.start, end, cutoff: whole_seconds(now) - SETTLING }
    }
}

fn whole_seconds(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}
