//! `tickmark collect --resume`: continues a capture that was interrupted, as it was begun.
//!
//! Tenant, period, expected scope and the window of the logs are those of the plan, whatever the configuration says
//! now. What would mix two captures is refused before anything is changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::collect::{Collected, Source};
use super::job::{Job, entry};
use super::terminal::Terminal;
use super::{CliError, context};
use crate::collect::CollectRequest;
use crate::evidence::{
    CaptureStatus, CaptureWriter, Event, Head, Ledger, LockedLedger, Period, PersonalData, Plan, Resumed, TakenUp,
    Tool, sha256_hex,
};

/// Continues the capture `which`, or the newest of this tenant that did not reach its end.
pub(super) fn run(
    store: &Path,
    source: &Source,
    which: Option<&str>,
    period: Option<Period>,
    terminal: &Terminal,
) -> Result<Collected, CliError> {
    if !store.join("captures").is_dir() {
        return Err(nothing(store, ""));
    }
    let mut ledger = LockedLedger::open(store)?; // until the capture is marked as running
    let folder = match which {
        Some(id) => named(store, id)?,
        None => newest(store, source, &ledger)?,
    };
    let (mut writer, plan) = CaptureWriter::reopen(&folder)?;
    let mut head = writer.head().clone();
    may_continue(source, &head, &plan, &ledger, &writer, period)?;
    let now = source.now();
    if head.status == CaptureStatus::Complete {
        let note = "noticed later: the capture is whole, its last line was missing";
        ledger.append(entry(&head, &writer, Event::Finished, now, Some(note.to_owned()))?)?;
        let conduct = BTreeMap::new(); // nobody was asked
        return Ok(Collected { folder, capture_id: head.capture_id, period: head.period, conduct });
    }
    if ledger.start_of(&head.capture_id).is_none() {
        let note = format!("noticed later: it began at {}", head.started_at.to_rfc3339());
        ledger.append(entry(&head, &writer, Event::Started, now, Some(note))?)?;
    }
    if ledger.last_of(&head.capture_id).is_some_and(|last| matches!(last.event, Event::Started | Event::Resumed)) {
        let note = "noticed later: the run ended without a word".to_owned();
        ledger.append(entry(&head, &writer, Event::Interrupted, now, Some(note))?)?;
    }
    let tool = context::tool();
    let before = head.resumed.last().map_or(&head.tool, |resumed| &resumed.tool).clone();
    head.status = CaptureStatus::Running;
    head.ended_at = None;
    head.resumed.push(Resumed { at: now, tool: tool.clone() });
    let found = writer.take_up(head.clone())?;
    let note = note(found, &before, &tool);
    terminal.note(&format!("continuing {}: {note}", head.capture_id));
    ledger.append(entry(&head, &writer, Event::Resumed, now, Some(note))?)?;
    drop(ledger);
    let request = CollectRequest::of_plan(&plan, tool, source.personal.clone());
    if request.expected != source.expected {
        terminal.note("the scope is the one that the capture was begun with, not the configured one");
    }
    Job { store, source, request, writer, head }.put_questions(terminal)
}

/// The folder of a capture by its id.
fn named(store: &Path, id: &str) -> Result<PathBuf, CliError> {
    let is_name = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let folder = store.join("captures").join(id);
    if is_name && folder.is_dir() {
        return Ok(folder);
    }
    Err(CliError::Use(format!("the store `{}` holds no capture `{id}`", store.display())))
}

/// The newest capture of this tenant that did not reach its end.
fn newest(store: &Path, source: &Source, ledger: &Ledger) -> Result<PathBuf, CliError> {
    let mut newest: Option<(DateTime<Utc>, String, PathBuf)> = None;
    let mut of_others = Vec::new();
    for folder in context::captures(store)? {
        let head = Head::open(&folder)?;
        if !is_unfinished(&head, ledger) {
            continue;
        }
        if !head.tenant_id.eq_ignore_ascii_case(&source.tenant_id) {
            of_others.push(format!("`{}` of tenant {}", head.capture_id, head.tenant_id));
            continue;
        }
        let found = (head.started_at, head.capture_id, folder);
        newest = newest.max(Some(found));
    }
    let others = if of_others.is_empty() { String::new() } else { format!("\nthere is {}", of_others.join(", ")) };
    newest.map(|(_, _, folder)| folder).ok_or_else(|| nothing(store, &others))
}

fn nothing(store: &Path, others: &str) -> CliError {
    let store = store.display();
    CliError::Use(format!("the store `{store}` holds no interrupted capture of this tenant{others}"))
}

/// Whether a capture did not reach its end, or the ledger does not know that it did.
fn is_unfinished(head: &Head, ledger: &Ledger) -> bool {
    let last = ledger.last_of(&head.capture_id).map(|entry| entry.event);
    head.status != CaptureStatus::Complete || matches!(last, None | Some(Event::Started | Event::Resumed))
}

fn may_continue(
    source: &Source,
    head: &Head,
    plan: &Plan,
    ledger: &Ledger,
    writer: &CaptureWriter,
    period: Option<Period>,
) -> Result<(), CliError> {
    let id = &head.capture_id;
    let refuse = |why: String| Err(CliError::Use(format!("the capture `{id}` cannot be continued: {why}")));
    if writer.folder().file_name().is_none_or(|name| name != id.as_str()) {
        return refuse(format!("its folder has another name, `{}`", writer.folder().display()));
    }
    if !is_unfinished(head, ledger) {
        return refuse("it is complete".to_owned());
    }
    for (what, begun, now) in [
        ("tenant", head.tenant_id.as_str(), source.tenant_id.as_str()),
        ("cloud", head.cloud.as_str(), source.cloud.name()),
    ] {
        if !begun.eq_ignore_ascii_case(now) {
            return refuse(format!("it is of the {what} `{begun}`, and the configuration names `{now}`"));
        }
    }
    if head.replayed != source.replayed {
        let (begun, now) = if head.replayed { ("a recording", "Azure") } else { ("Azure", "a recording") };
        return refuse(format!("its answers came from {begun}, not from {now}"));
    }
    // a recording's clock stands still
    if head.replayed && head.started_at != source.now() {
        return refuse("it was begun with another recording".to_owned());
    }
    if plan.personal_data != *source.personal.data() {
        let is_key = PersonalData { key_id: None, ..plan.personal_data.clone() }
            == PersonalData { key_id: None, ..source.personal.data().clone() };
        let what = if is_key { "another key of pseudonyms" } else { "other settings of personal data" };
        let advice = "set [personal_data] as it was, or collect anew";
        return refuse(format!("it was begun with {what}\n{advice}"));
    }
    if let Some(period) = period.filter(|period| *period != head.period) {
        let advice = "leave out --period, or collect anew";
        return refuse(format!("it is of the period {}, not {period}\n{advice}", head.period));
    }
    let is_of_head = plan.tenant_id == head.tenant_id && plan.period == head.period;
    if !is_of_head || plan.written_at != head.started_at {
        return refuse("its plan.json and capture.json do not belong together".to_owned());
    }
    let path = writer.folder().join("plan.json");
    let bytes = std::fs::read(&path).map_err(CliError::io("read", &path))?;
    let begun = ledger.start_of(id).and_then(|entry| entry.plan_sha256.clone());
    if begun.is_some_and(|begun| begun != sha256_hex(&bytes)) {
        return refuse("its plan.json is not the one that the ledger names".to_owned());
    }
    Ok(())
}

fn note(found: TakenUp, before: &Tool, tool: &Tool) -> String {
    let mut note = format!("{} records are kept, {} questions are put again", found.settled, found.passing);
    if found.damaged > 0 {
        note += &format!(", {} records were damaged and are asked for again", found.damaged);
    }
    if before != tool {
        let name = |tool: &Tool| {
            let rules = tool.rule_set_sha256.get(..12).unwrap_or(&tool.rule_set_sha256);
            format!("{} {} (rule set {rules})", tool.name, tool.version)
        };
        note += &format!("; begun by {}, continued by {}", name(before), name(tool));
    }
    note
}
