//! What is asked and what is read, held against Microsoft's own specifications of the services.
//!
//! A run over a recorded tenant tells every request; the list of what may be kept tells every field that anything
//! can read. Each request must be an operation of the specification, with the parameters that it requires, and
//! each field must be in the schema of its answer. What differs stands in a table here, with its source.

mod listed;
mod specification;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tickmark::azure::{Answer, Api, Ask, Cloud, Door, Pace, Recording, TokenFacts, Transport, TransportError};
use tickmark::collect::{CollectRequest, Keeper, Personal, Progress, collect};
use tickmark::evidence::{EvidenceError, Expected, Kind, Page, Period, Record, Tool, VaultObjects};
use url::Url;

use self::listed::*;
use self::specification::*;
use super::harness::tenant_folder;

#[test]
fn every_request_is_an_operation_of_its_specification() {
    let Some(shared) = shared() else { return };
    let mut wrong = Vec::new();
    let requests = requests();
    let asked: BTreeSet<Kind> = requests.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(asked, Kind::ALL.iter().copied().collect(), "the recording does not lead to every kind of question");
    for (kind, method, url) in &requests {
        if let Some((_, path, ..)) = unspecified(*kind) {
            wrong.extend((!url.as_str().ends_with(path)).then(|| format!("{kind:?}: {url} is not as it is known")));
            continue;
        }
        match specification(*kind) {
            Some(file) => {
                let specification = Specification::open(&shared, file);
                wrong.extend(specification.differences(*kind, method, url));
            }
            None if elsewhere(*kind).is_some() => wrong.extend(unlike_elsewhere(*kind, method, url)),
            None => wrong.extend(unlike_exchanges(&shared, *kind, method, url)),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_field_that_may_be_kept_is_in_the_schema_of_its_answer() {
    let Some(shared) = shared() else { return };
    let (mut wrong, mut listed) = (Vec::new(), BTreeSet::new());
    let requests = requests();
    for (kind, path) in fields() {
        let (_, method, url) = requests.iter().find(|(asked, ..)| *asked == kind).expect("it was asked");
        let is_there = match specification(kind) {
            _ if unspecified(kind).is_some_and(|(_, _, fields, _)| fields.contains(&path.join("/").as_str())) => true,
            Some(file) => Specification::open(&shared, file).has_field(method, url, &path),
            None if elsewhere(kind).is_some() => false,
            // every field of what is only documented is by its source
            None if DOCUMENTED.iter().any(|(of, ..)| *of == kind) => continue,
            None => exchanges(&shared, kind).iter().any(|body| holds(body, &path)),
        };
        let is_listed = listed_fields().any(|(of, field)| of == kind && field == path.join("/"));
        match (is_there, is_listed) {
            (true, true) => wrong.push(format!("{kind:?} {} is listed here and is in the schema", path.join("/"))),
            (false, false) => wrong.push(format!("{kind:?} {} is not in the schema", path.join("/"))),
            _ => {}
        }
        listed.insert((kind, path.join("/")));
    }
    let gone = listed_fields().filter(|(kind, field)| !listed.contains(&(*kind, (*field).to_owned())));
    wrong.extend(gone.map(|(kind, field)| format!("{kind:?} {field} is listed here and is not read any more")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Kind and path of every field that has a source of its own.
fn listed_fields() -> impl Iterator<Item = (Kind, &'static str)> {
    let shared = SHARED_FIELDS
        .iter()
        .flat_map(|(kinds, fields, _)| kinds.iter().flat_map(|kind| fields.iter().map(|field| (*kind, *field))));
    FIELDS.iter().map(|(kind, field, _)| (*kind, *field)).chain(shared)
}

/// Name of a cloud in the table that Microsoft's own tool ships, and what we call it.
const CLOUDS: [(&str, &str); 3] =
    [("AzureCloud", "public"), ("AzureUSGovernment", "usgov"), ("AzureChinaCloud", "china")];

#[test]
fn clouds_are_those_of_microsofts_own_table() {
    let Some(azure) = shared() else { return };
    let table = fs::read(azure.join("reference/clouds.json")).expect("the table");
    let table: Value = serde_json::from_slice(&table).expect("JSON");
    let rows = table["clouds"].as_array().expect("clouds");
    for (name, own) in CLOUDS {
        let row = rows.iter().find(|row| row["name"] == name).expect("a row");
        let text = |key: &str| row[key].as_str().expect("text").trim_end_matches('/').to_owned();
        let cloud = Cloud::named(own).expect("a cloud");
        assert_eq!(cloud.authority().as_str().trim_end_matches('/'), text("authorityHost"), "{own}");
        assert_eq!(format!("https://{}", cloud.host(Api::ResourceManager)), text("resourceManager"), "{own}");
        assert_eq!(format!("https://{}", cloud.host(Api::Graph)), text("microsoftGraph"), "{own}");
        assert_eq!(format!(".{}", cloud.host(Api::KeyVault)), text("keyVaultDnsSuffix"), "{own}");
        // in the public cloud the host has a new name, and the audience the old one
        let host = text("logAnalyticsEndpoint").replace("loganalytics.io", "loganalytics.azure.com");
        assert_eq!(format!("https://{}", cloud.host(Api::LogAnalytics)), host, "{own}");
        for (api, key) in [
            (Api::ResourceManager, "resourceManagerScope"),
            (Api::Graph, "microsoftGraphScope"),
            (Api::LogAnalytics, "logAnalyticsScope"),
            (Api::KeyVault, "keyVaultScope"),
        ] {
            assert_eq!(cloud.scope(api), text(key), "{own}");
        }
    }
}

/// The folder with the specifications; none, loudly, where it is not.
fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("TICKMARK_SHARED").map_or_else(|| root.join("../shared"), |path| root.join(path));
    let azure = folder.join("azure");
    if azure.join("openapi").is_dir() {
        return Some(azure);
    }
    // past the harness, which swallows what a test prints
    let words = format!("SKIPPED: the specifications are not in `{}`; set TICKMARK_SHARED\n", azure.display());
    std::io::stderr().write_all(words.as_bytes()).expect("stderr");
    None
}

fn specification(kind: Kind) -> Option<&'static str> {
    SPECIFICATIONS.iter().find(|(of, _)| *of == kind).map(|(_, file)| *file)
}

fn unspecified(kind: Kind) -> Option<&'static (Kind, &'static str, &'static [&'static str], &'static str)> {
    UNSPECIFIED.iter().find(|(of, ..)| *of == kind)
}

fn elsewhere(kind: Kind) -> Option<(&'static str, &'static str)> {
    ELSEWHERE.iter().find(|(of, ..)| *of == kind).map(|(_, template, version, _)| (*template, *version))
}

fn unlike_elsewhere(kind: Kind, method: &str, url: &Url) -> Option<String> {
    let (template, version) = elsewhere(kind)?;
    let sent: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let is_alike = method == "GET"
        && fits(&steps(template), &steps(url.path()), &|_| false)
        && sent == [("api-version".to_owned(), version.to_owned())];
    (!is_alike).then(|| format!("{kind:?}: {method} {url} is not {template} in version {version}"))
}

// ---- what is asked ---------------------------------------------------------------------------------------------

/// Kind, method and URL of the first request of every question of a run.
fn requests() -> Vec<(Kind, String, Url)> {
    let recording = Recording::open(&tenant_folder("mixed")).expect("a recording");
    let head = recording.head().clone();
    let clock = recording.clock();
    let tool = Tool { name: "tickmark".to_owned(), version: "0".to_owned(), rule_set_sha256: String::new() };
    let request = CollectRequest {
        tenant_id: head.tenant_id,
        expected: Expected { subscriptions: head.subscriptions, ..Expected::default() },
        // one vault refuses, and Resource Manager is asked about it
        vault_objects: VaultObjects::DataPlane,
        api_versions: BTreeMap::new(),
        period: Period::parse(&head.period).expect("a period"),
        now: head.recorded_at,
        tool,
        personal: Personal::default(),
    };
    let cloud = Cloud::named("public").expect("a cloud");
    let door = Door::new(Arc::new(Unlisted(recording)), cloud, clock, Pace::default());
    let asked = Asked::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(collect(&door, &request, &asked, &Quiet)).expect("a run");
    asked.0.into_inner()
}

/// A recording in which no list holds a workspace, so that workspaces are asked for one by one too.
struct Unlisted(Recording);

#[async_trait]
impl Transport for Unlisted {
    async fn send(&self, ask: &Ask, refused: Option<u32>) -> Result<Answer, TransportError> {
        let is_list = ask.url.contains("/providers/Microsoft.OperationalInsights/workspaces?");
        if is_list && ask.url.contains("/ed93a94d-c4ca-4c8a-b9ab-24148f502c6f/") {
            return Ok(Answer { status: 200, headers: BTreeMap::new(), body: br#"{"value":[]}"#.to_vec(), token: 0 });
        }
        self.0.send(ask, refused).await
    }

    fn token_facts(&self) -> Option<TokenFacts> {
        self.0.token_facts()
    }

    fn credential(&self) -> String {
        self.0.credential()
    }
}

#[derive(Default)]
struct Asked(RefCell<Vec<(Kind, String, Url)>>);

impl Keeper for Asked {
    fn keep_page(&self, _: &str, _: &Page, _: &[u8]) -> Result<(), EvidenceError> {
        Ok(())
    }

    fn keep(&self, record: &Record) -> Result<(), EvidenceError> {
        let mut url = Url::parse(&record.request.url).expect("a URL");
        if let Some((_, more, _)) = NARROWER.iter().find(|(kind, ..)| *kind == record.kind) {
            let path = url.path().to_owned();
            let (scope, rest) = path.rsplit_once("/providers/").expect("a provider");
            url.set_path(&format!("{scope}{more}/providers/{rest}"));
        }
        self.0.borrow_mut().push((record.kind, record.request.method.clone(), url));
        Ok(())
    }
}

struct Quiet;

impl Progress for Quiet {}

// ---- what is read ----------------------------------------------------------------------------------------------

/// Kind and path of every field that may be kept, out of the list of them.
fn fields() -> Vec<(Kind, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/collect/redact/allow");
    let files = fs::read_dir(folder).expect("the list").map(|file| file.expect("a file").path());
    let list: String = files.map(|file| fs::read_to_string(file).expect("a part of the list")).collect();
    let mut kinds: Vec<Kind> = Vec::new();
    let mut found = Vec::new();
    for line in list.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(['#', '-'])) {
        if let Some(names) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let kind = |name: &str| serde_json::from_value(Value::from(name)).expect("a kind");
            let is_kind = |name: &&str| !["errors", "claims", "grant", "targets"].contains(name);
            kinds = names.split_whitespace().filter(is_kind).map(kind).collect();
            continue;
        }
        let (path, _) = line.split_once(" : ").expect("path : class");
        if path.starts_with("column/") {
            continue; // a column of a query, which `kql-check` holds to the tables
        }
        let mut paths: Vec<Vec<String>> = vec![Vec::new()];
        for step in path.trim().split('/') {
            let names: Vec<&str> = step.trim_start_matches('{').trim_end_matches('}').split(',').collect();
            let longer = |path: &Vec<String>| {
                names.iter().map(|name| [path.as_slice(), &[(*name).to_owned()]].concat()).collect::<Vec<_>>()
            };
            paths = paths.iter().flat_map(longer).collect();
        }
        found.extend(kinds.iter().flat_map(|kind| paths.iter().map(move |path| (*kind, path.clone()))));
    }
    assert!(found.len() > 200, "the list was not understood");
    // log answers are known by their columns; the table around them is the contract's
    let logs = SPECIFICATIONS.iter().filter(|(_, file)| file.contains("OperationalInsights.DataPlane"));
    for path in ["tables/[]/name", "tables/[]/columns/[]/name", "tables/[]/rows/[]/[]"] {
        found.extend(logs.clone().map(|(kind, _)| (*kind, path.split('/').map(str::to_owned).collect())));
    }
    found
}

// ---- a specification ---------------------------------------------------------------------------------------------
