//! A tenant's answers in a folder, for replay: `tenant.json` says whose they are, `answers.json` and the files of a
//! folder `answers` hold them.
//!
//! Requests match by method, by host and path without case, by the set of query pairs, and by what the body must
//! hold. Of several matches the first unused one is taken; the last is repeated. No match is no answer: a replay
//! never makes one up. The clock of a replay stands still at the moment of the recording.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;
use url::Url;

use super::{Answer, Ask, Clock, Method, TokenFacts, Transport, TransportError};

const HEAD: &str = "tenant.json";
const ANSWERS: &str = "answers.json";
const MORE_ANSWERS: &str = "answers";
const SCHEMA: &str = "tickmark.recording/v1";

/// Whose answers they are, and what a replay of them should be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RecordingHead {
    /// Always `tickmark.recording/v1`.
    pub schema: String,
    /// One line about the tenant.
    pub title: String,
    /// When the answers were given; a replay's clock stands still here.
    pub recorded_at: DateTime<Utc>,
    /// Entra tenant.
    pub tenant_id: String,
    /// Period to ask for, such as `2026Q3`.
    pub period: String,
    /// Whose tenant it is.
    pub organisation: RecordedOrganisation,
    /// Subscriptions that are expected; may be empty.
    #[serde(default)]
    pub subscriptions: Vec<String>,
    /// Management groups that are expected.
    #[serde(default)]
    pub management_groups: Vec<String>,
    /// Workspaces that are expected.
    #[serde(default)]
    pub workspaces: Vec<String>,
    /// The identity that asked.
    #[serde(default)]
    pub run_as: RecordedRunAs,
}

/// Whose tenant was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedOrganisation {
    /// Name of the organisation.
    pub name: String,
    /// Name of the system under audit.
    pub system: String,
}

/// The identity that asked when the recording was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct RecordedRunAs {
    /// Object id.
    pub object_id: Option<String>,
    /// Application id.
    pub app_id: Option<String>,
    /// Entra tenant.
    pub tenant_id: Option<String>,
    /// `app` or `user`.
    pub token_type: Option<String>,
    /// ARM id of the managed identity.
    pub managed_identity: Option<String>,
}

/// A recording that cannot be replayed.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// The file system refused.
    #[error("cannot read the recording `{path}`: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("the recording's `{file}` cannot be used: {why}")]
    Malformed {
        /// `tenant.json`, `answers.json` or a file in `answers`.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A tenant that answers from a folder.
#[derive(Debug)]
pub struct Recording {
    head: RecordingHead,
    entries: Vec<Entry>,
    /// Whether the entry of the same number was given out.
    used: Mutex<Vec<bool>>,
}

/// One recorded answer.
#[derive(Debug)]
struct Entry {
    method: String,
    target: Target,
    body_has: Vec<String>,
    answer: Answer,
}

/// What of a URL takes part in matching.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    place: String,
    query: BTreeSet<(String, String)>,
}

impl Target {
    fn of(url: &str) -> Option<Target> {
        let url = Url::parse(url).ok()?;
        let place = format!("{}{}", url.host_str()?, url.path()).to_lowercase();
        Some(Target { place, query: url.query_pairs().into_owned().collect() })
    }
}

impl Recording {
    /// Reads the files of a folder; those in `answers` in order of name.
    pub fn open(folder: &Path) -> Result<Recording, RecordingError> {
        let read = |file: &str| {
            let path = folder.join(file);
            fs::read_to_string(&path).map_err(|source| RecordingError::Io { path, source })
        };
        let head = read(HEAD)?;
        let mut answers = vec![(ANSWERS.to_owned(), read(ANSWERS)?)];
        for file in more_answers(&folder.join(MORE_ANSWERS))? {
            answers.push((file.clone(), read(&file)?));
        }
        let answers: Vec<(&str, &str)> = answers.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
        Recording::from_parts(&head, &answers)
    }

    /// Takes the text of the head, and of each file of answers with its name.
    pub fn from_parts(tenant_json: &str, answers: &[(&str, &str)]) -> Result<Recording, RecordingError> {
        let head: RecordingHead = parse(HEAD, tenant_json)?;
        if head.schema != SCHEMA {
            let why = format!("its schema is `{}`, and this version reads `{SCHEMA}`", head.schema);
            return Err(RecordingError::Malformed { file: HEAD.to_owned(), why });
        }
        let mut entries = Vec::new();
        for (file, text) in answers {
            let lines: Vec<Line<'_>> = parse(file, text)?;
            for (index, line) in lines.into_iter().enumerate() {
                entries.push(line.entry().map_err(|why| RecordingError::Malformed {
                    file: (*file).to_owned(),
                    why: format!("answer number {}: {why}", index + 1),
                })?);
            }
        }
        let used = Mutex::new(vec![false; entries.len()]);
        Ok(Recording { head, entries, used })
    }

    /// Whose answers they are.
    pub fn head(&self) -> &RecordingHead {
        &self.head
    }

    /// A clock that stands still at the moment of the recording; sleeping takes no time.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(StillClock(self.head.recorded_at))
    }

    /// The answer to one request, given by the URL that the public cloud has for it.
    pub fn answer_for(&self, method: &str, url: &str, body: &str) -> Option<Answer> {
        let target = Target::of(url)?;
        let matches = |entry: &Entry| {
            entry.method.eq_ignore_ascii_case(method)
                && entry.target == target
                && entry.body_has.iter().all(|part| body.contains(part))
        };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = None;
        for (entry, used) in self.entries.iter().zip(used.iter_mut()).filter(|(entry, _)| matches(entry)) {
            last = Some(entry);
            if !*used {
                *used = true;
                break;
            }
        }
        last.map(|entry| entry.answer.clone())
    }
}

#[async_trait]
impl Transport for Recording {
    async fn send(&self, ask: &Ask, _refused: Option<u32>) -> Result<Answer, TransportError> {
        let method = match ask.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let body = ask.body.as_deref().unwrap_or_default();
        self.answer_for(method, &ask.url, body).ok_or(TransportError::NotRecorded)
    }

    fn token_facts(&self) -> Option<TokenFacts> {
        let run_as = self.head.run_as.clone();
        Some(TokenFacts {
            credential: self.credential(),
            object_id: run_as.object_id,
            app_id: run_as.app_id,
            tenant_id: run_as.tenant_id,
            token_type: run_as.token_type,
            managed_identity: run_as.managed_identity,
            expires_on: None,
        })
    }

    fn credential(&self) -> String {
        "recording".to_owned()
    }
}

/// Stands still; sleeping takes no time.
pub(super) struct StillClock(pub(super) DateTime<Utc>);

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }

    async fn sleep(&self, _duration: Duration) {}
}

/// One element of `answers.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'text> {
    request: Request,
    #[serde(borrow)]
    response: Response<'text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    body_has: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Response<'text> {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(borrow, default)]
    body: Option<&'text RawValue>,
    #[serde(default)]
    text: Option<String>,
}

impl Line<'_> {
    fn entry(self) -> Result<Entry, String> {
        let Request { method, url, body_has } = self.request;
        if !matches!(method.as_str(), "GET" | "POST") {
            return Err(format!("the method `{method}` is neither GET nor POST"));
        }
        let target = Target::of(&url).ok_or_else(|| format!("`{url}` is not an absolute URL"))?;
        if !(200..=599).contains(&self.response.status) {
            return Err(format!("{} is not the status of an answer", self.response.status));
        }
        let body = match (self.response.body, self.response.text) {
            (Some(_), Some(_)) => return Err("it has both `body` and `text`; keep one".to_owned()),
            (Some(json), None) => json.get().as_bytes().to_vec(),
            (None, Some(text)) => text.into_bytes(),
            (None, None) => Vec::new(),
        };
        let headers = self.response.headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        Ok(Entry { method, target, body_has, answer: Answer { status: self.response.status, headers, body, token: 0 } })
    }
}

fn parse<'text, T: Deserialize<'text>>(file: &str, text: &'text str) -> Result<T, RecordingError> {
    serde_json::from_str(text)
        .map_err(|error| RecordingError::Malformed { file: file.to_owned(), why: error.to_string() })
}

/// The JSON files of a folder, as names below the recording, in order; none when there is no such folder.
fn more_answers(folder: &Path) -> Result<Vec<String>, RecordingError> {
    let failed = |source| RecordingError::Io { path: folder.to_owned(), source };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for file in fs::read_dir(folder).map_err(failed)? {
        let name = file.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".json") {
            files.push(format!("{MORE_ANSWERS}/{name}"));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::super::Api;
    use super::*;

    const TENANT: &str = r#"{
        "schema": "tickmark.recording/v1", "title": "two pages", "recordedAt": "2026-10-02T09:00:00Z",
        "tenantId": "11111111-1111-1111-1111-111111111111", "period": "2026Q3",
        "organisation": {"name": "Example", "system": "Shop"},
        "subscriptions": [], "managementGroups": [], "workspaces": [],
        "runAs": {"objectId": "o", "appId": "a", "tenantId": "t", "tokenType": "app", "managedIdentity": null}
    }"#;

    const ANSWERS: &str = r#"[
        {"request": {"method": "GET", "url": "https://management.azure.com/subscriptions?a=1&b=x%20y"},
         "response": {"status": 429, "headers": {"Retry-After": "2"}}},
        {"request": {"method": "GET", "url": "https://management.azure.com/subscriptions?a=1&b=x%20y"},
         "response": {"status": 200, "body": {"value":  [1.50]}}},
        {"request": {"method": "POST", "url": "https://api.loganalytics.azure.com/v1/q", "bodyHas": ["question=rows;"]},
         "response": {"status": 200, "body": "rows"}},
        {"request": {"method": "POST", "url": "https://api.loganalytics.azure.com/v1/q", "bodyHas": ["question=count;"]},
         "response": {"status": 502, "text": "<html>"}}
    ]"#;

    fn recording() -> Recording {
        Recording::from_parts(TENANT, &[("answers.json", ANSWERS)]).unwrap()
    }

    #[test]
    fn the_first_unused_match_is_taken_and_the_last_repeated() {
        let recording = recording();
        let url = "https://Management.Azure.com/SUBSCRIPTIONS?b=x+y&a=1";
        let statuses: Vec<u16> = (0..4).map(|_| recording.answer_for("GET", url, "").unwrap().status).collect();
        assert_eq!(statuses, [429, 200, 200, 200]);
        // the raw text of the body, not a reprint
        assert_eq!(recording.answer_for("GET", url, "").unwrap().body, br#"{"value":  [1.50]}"#);
    }

    #[test]
    fn method_query_and_body_must_match() {
        let recording = recording();
        let url = "https://management.azure.com/subscriptions";
        assert_eq!(recording.answer_for("GET", url, ""), None);
        assert_eq!(recording.answer_for("GET", &format!("{url}?a=1&b=x%20y&c=2"), ""), None);
        assert_eq!(recording.answer_for("GET", &format!("{url}?a=1&b=X%20y"), ""), None);
        assert_eq!(recording.answer_for("POST", &format!("{url}?a=1&b=x%20y"), ""), None);
        assert_eq!(recording.answer_for("GET", "not a url", ""), None);
        let query = "https://api.loganalytics.azure.com/v1/q";
        assert_eq!(recording.answer_for("POST", query, "// question=count;").unwrap().body, b"<html>");
        assert_eq!(recording.answer_for("POST", query, "// question=rows;").unwrap().body, br#""rows""#);
        assert_eq!(recording.answer_for("POST", query, "").map(|answer| answer.status), None);
    }

    #[tokio::test]
    async fn as_a_transport_it_gives_headers_in_lower_case_and_no_answer_that_it_does_not_hold() {
        let recording = recording();
        let mut ask = Ask {
            api: Api::ResourceManager,
            method: Method::Get,
            url: "https://management.azure.com/subscriptions?a=1&b=x%20y".to_owned(),
            headers: Vec::new(),
            body: None,
        };
        assert_eq!(recording.send(&ask, None).await.unwrap().header("retry-after"), Some("2"));
        ask.url.push_str("&c=3");
        assert_eq!(recording.send(&ask, None).await, Err(TransportError::NotRecorded));
        assert_eq!(recording.credential(), "recording");
        assert_eq!(recording.token_facts().unwrap().object_id.as_deref(), Some("o"));
        assert_eq!(recording.clock().now().to_rfc3339(), "2026-10-02T09:00:00+00:00");
    }

    #[test]
    fn answers_in_a_folder_come_after_those_in_the_file_in_order_of_name() {
        let folder = tempfile::tempdir().unwrap();
        let answer = |text: &str| {
            format!(
                r#"[{{"request": {{"method": "GET", "url": "https://management.azure.com/subscriptions"}},
                     "response": {{"status": 200, "text": "{text}"}}}}]"#
            )
        };
        fs::write(folder.path().join("tenant.json"), TENANT).unwrap();
        fs::write(folder.path().join("answers.json"), answer("first")).unwrap();
        fs::create_dir(folder.path().join("answers")).unwrap();
        fs::write(folder.path().join("answers/b.json"), answer("third")).unwrap();
        fs::write(folder.path().join("answers/a.json"), answer("second")).unwrap();
        fs::write(folder.path().join("answers/README.md"), "not JSON").unwrap();
        let recording = Recording::open(folder.path()).unwrap();
        let body = || recording.answer_for("GET", "https://management.azure.com/subscriptions", "").unwrap().body;
        assert_eq!([body(), body(), body()], [b"first".to_vec(), b"second".to_vec(), b"third".to_vec()]);
        fs::write(folder.path().join("answers/a.json"), "{}").unwrap();
        let refused = Recording::open(folder.path()).unwrap_err().to_string();
        assert!(refused.starts_with("the recording's `answers/a.json` cannot be used"), "{refused}");
    }

    #[test]
    fn errors_name_the_file_and_the_place() {
        let message = |tenant: &str, answers: &str| {
            Recording::from_parts(tenant, &[("answers.json", answers)]).unwrap_err().to_string()
        };
        assert!(message("{}", "[]").starts_with("the recording's `tenant.json` cannot be used: missing field"));
        assert!(message(&TENANT.replace("/v1", "/v2"), "[]").contains("its schema is `tickmark.recording/v2`"));
        assert!(message(TENANT, "{}").starts_with("the recording's `answers.json` cannot be used: invalid type"));
        let relative = ANSWERS.replace("https://api.loganalytics.azure.com/v1/q", "/v1/q");
        assert_eq!(
            message(TENANT, &relative),
            "the recording's `answers.json` cannot be used: answer number 3: `/v1/q` is not an absolute URL"
        );
        assert!(message(TENANT, &ANSWERS.replace("\"POST\"", "\"PUT\"")).contains("`PUT` is neither GET nor POST"));
        let missing = Recording::open(Path::new("/nonexistent")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read the recording `/nonexistent/tenant.json`"));
    }
}
