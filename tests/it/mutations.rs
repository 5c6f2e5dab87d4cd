//! For each check one change to the clean tenant that makes it fail, and nothing else but what the table names.
//!
//! The table (`mutations.toml`) is written by hand: what is changed, and what must come of it. A check that finds
//! nothing in the change does not look at what it says it looks at; one more that fails looks at too much.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::Deserialize;
use serde_json::Value;
use tickmark::check::{CHECKS, Outcome};
use tickmark::declared::Declared;
use tickmark::evidence::{Entry, VaultObjects};

use super::harness::tenant_folder;
use super::replay::{Judged, Tenant, assessed_with, judge_declared};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    change: Vec<Change>,
}

/// One change, and what must come of it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// The check that it is for.
    check: String,
    /// What is changed, in words.
    what: String,
    /// Other checks that fail for it.
    #[serde(default)]
    also: Vec<String>,
    /// What the check says; without it `fail`. Some checks accuse nobody: they list, count, or ask a person.
    becomes: Option<String>,
    /// Changes to recorded answers.
    #[serde(default)]
    edits: Vec<Edit>,
    /// Further answers, as a recording has them.
    #[serde(default)]
    answers: Vec<Value>,
    /// Whether vaults are asked themselves what they hold.
    #[serde(default)]
    data_plane: bool,
    /// Files below `declared/`, in place of the tenant's own.
    #[serde(default)]
    declared: BTreeMap<String, String>,
    /// Lines of the ledger.
    #[serde(default)]
    ledger: Vec<Entry>,
}

/// A change to the answer to one question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// A part of the request that no other has: its URL, or what tells a query from others.
    at: String,
    /// New values by place: `/value/name=kv/properties/x`. `name=kv` is the item with that name, `-` a further one.
    #[serde(default)]
    set: BTreeMap<String, Value>,
    /// Places that are taken out.
    #[serde(default)]
    remove: Vec<String>,
    /// Items that are there so many times more.
    #[serde(default)]
    again: BTreeMap<String, usize>,
    /// Texts that stand for others wherever they are.
    #[serde(default)]
    replace: BTreeMap<String, String>,
}

impl Edit {
    /// None where something is not there, or is so already.
    fn apply(&self, body: &mut Value) -> Option<()> {
        let before = body.clone();
        for (place, value) in &self.set {
            let (above, last) = place.rsplit_once('/')?;
            match find(body, above)? {
                Value::Array(items) if last == "-" => items.push(value.clone()),
                list @ Value::Array(_) => *item(list, last)? = value.clone(),
                Value::Object(fields) => drop(fields.insert(last.to_owned(), value.clone())),
                _ => return None,
            }
        }
        for place in &self.remove {
            let (above, last) = place.rsplit_once('/')?;
            match find(body, above)? {
                Value::Object(fields) => drop(fields.remove(last)?),
                Value::Array(items) => {
                    let at = items.iter().enumerate().position(|(at, one)| is_meant(one, at, last))?;
                    items.remove(at);
                }
                _ => return None,
            }
        }
        for (place, times) in &self.again {
            let (above, last) = place.rsplit_once('/')?;
            let list = find(body, above)?;
            let one = item(list, last)?.clone();
            list.as_array_mut()?.extend(std::iter::repeat_n(one, *times));
        }
        for (text, other) in &self.replace {
            let all = body.to_string();
            *body = serde_json::from_str(&all.replace(text, other)).ok()?;
        }
        (*body != before).then_some(())
    }
}

/// The clean tenant, and what is declared about it.
struct Clean {
    tenant: Tenant,
    declared: BTreeMap<String, Vec<u8>>,
}

impl Clean {
    fn open() -> Clean {
        let mut declared = BTreeMap::new();
        let folder = tenant_folder("clean").join("declared");
        for file in fs::read_dir(folder.join("registers")).expect("registers") {
            let path = file.expect("a file").path();
            let name = path.strip_prefix(&folder).expect("it lies below").display().to_string();
            declared.insert(name, fs::read(&path).expect("a register"));
        }
        Clean { tenant: Tenant::open("clean"), declared }
    }

    fn with(&self, change: &Change) -> Result<Judged, String> {
        let mut tenant = self.tenant.clone();
        for edit in &change.edits {
            let of = |answer: &Value| {
                let request = &answer["request"];
                request["url"].as_str().is_some_and(|url| url.contains(&edit.at))
                    || request["bodyHas"].to_string().contains(&edit.at)
            };
            let mut meant = tenant.answers.iter_mut().filter(|answer| of(answer));
            let (Some(answer), None) = (meant.next(), meant.next()) else {
                return Err(format!("`{}` is not a part of one question", edit.at));
            };
            edit.apply(&mut answer["response"]["body"]).ok_or_else(|| format!("nothing to change at `{}`", edit.at))?;
        }
        tenant.answers.extend(change.answers.iter().cloned());
        let mut files = self.declared.clone();
        files.extend(change.declared.iter().map(|(name, text)| (name.clone(), text.as_bytes().to_vec())));
        let declared = Declared::read(files).map_err(|mistakes| mistakes.to_string())?;
        let objects = if change.data_plane { VaultObjects::DataPlane } else { VaultObjects::Arm };
        let mut judged = judge_declared(tenant.recording(), objects, declared.clone());
        if !change.ledger.is_empty() {
            judged.assessment = assessed_with(&judged.capture, declared, change.ledger.clone());
        }
        Ok(judged)
    }
}

fn find<'a>(value: &'a mut Value, place: &str) -> Option<&'a mut Value> {
    place.split('/').skip(1).try_fold(value, |value, segment| match value {
        Value::Array(_) => item(value, segment),
        _ => value.get_mut(segment),
    })
}

fn item<'a>(list: &'a mut Value, segment: &str) -> Option<&'a mut Value> {
    let mut items = list.as_array_mut()?.iter_mut().enumerate();
    items.find(|(at, one)| is_meant(one, *at, segment)).map(|(_, one)| one)
}

/// Whether a segment means the item: by its number, or by a field of it or of its properties.
fn is_meant(one: &Value, at: usize, segment: &str) -> bool {
    match segment.split_once('=') {
        Some((field, value)) => one[field] == value || one["properties"][field] == value,
        None => segment.parse() == Ok(at),
    }
}

fn table() -> Vec<Change> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mutations.toml");
    let table: Result<Table, _> = toml::from_str(&fs::read_to_string(path).expect("the table"));
    table.unwrap_or_else(|mistake| panic!("{mistake}")).change
}

fn with_outcome(judged: &Judged, outcome: Outcome) -> BTreeSet<&str> {
    let findings = judged.assessment.findings.iter();
    findings.filter(|finding| finding.outcome() == outcome).map(|finding| finding.check()).collect()
}

/// What went otherwise than the table says.
fn wrong(clean: &Clean, change: &Change) -> Option<String> {
    let judged = match clean.with(change) {
        Ok(judged) => judged,
        Err(mistake) => return Some(mistake),
    };
    let told = |check: &str| {
        let findings = judged.assessment.findings.iter().filter(|finding| finding.check() == check);
        let lines =
            findings.map(|one| format!("\n    {check} {:?} {}: {}", one.outcome(), one.subject().name, one.because()));
        lines.collect::<String>()
    };
    let outcome = match change.becomes.as_deref() {
        None => Outcome::Fail,
        Some("not_evaluated") => Outcome::NotEvaluated,
        Some("manual") => Outcome::Manual,
        Some("not_applicable") => Outcome::NotApplicable,
        Some(other) => return Some(format!("`{other}` is no outcome")),
    };
    if !with_outcome(&judged, outcome).contains(change.check.as_str()) {
        return Some(format!("it does not become {outcome:?}:{}", told(&change.check)));
    }
    let mut expected: BTreeSet<&str> = change.also.iter().map(String::as_str).collect();
    if outcome == Outcome::Fail {
        expected.insert(&change.check);
    }
    let failed = with_outcome(&judged, Outcome::Fail);
    let surplus: String = failed.difference(&expected).map(|check| told(check)).collect();
    let lacking: String = expected.difference(&failed).map(|check| told(check)).collect();
    match (surplus.is_empty(), lacking.is_empty()) {
        (true, true) => None,
        _ => Some(format!("fails beside it:{surplus}\n  does not fail:{lacking}")),
    }
}

#[test]
fn each_check_finds_the_fault_that_it_is_about_and_few_others_do() {
    let (clean, table) = (Clean::open(), table());
    let wrongs: Mutex<BTreeMap<String, String>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(change) = table.get(next.fetch_add(1, Ordering::SeqCst)) {
            if let Some(wrong) = wrong(&clean, change) {
                let what = format!("{}: {}", change.check, change.what);
                wrongs.lock().expect("a lock").insert(what, wrong);
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let wrongs = wrongs.into_inner().expect("a lock");
    let lines: Vec<String> = wrongs.iter().map(|(what, wrong)| format!("{what}\n  {wrong}")).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn each_check_has_its_change_and_without_one_nothing_fails() {
    let table = table();
    let changed: BTreeSet<&str> = table.iter().map(|change| change.check.as_str()).collect();
    let all: BTreeSet<&str> = CHECKS.iter().map(|check| check.id).collect();
    assert_eq!(changed, all);
    let judged = Clean::open().with(&Change::default()).expect("the tenant as it is");
    assert_eq!(with_outcome(&judged, Outcome::Fail), BTreeSet::new());
    assert_eq!(with_outcome(&judged, Outcome::NotEvaluated), BTreeSet::new());
    // what no evidence shows, a person must say
    assert_eq!(
        with_outcome(&judged, Outcome::Manual),
        BTreeSet::from(["APP-007", "PRB-001", "PRB-002", "PRB-003", "PRB-004", "RBAC-004"])
    );
}
