//! One run of questions into a capture, begun or continued: what is written before, during and after it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};

use super::collect::{Collected, Source};
use super::progress::length;
use super::stamp::Authorities;
use super::terminal::Terminal;
use super::{CliError, context};
use crate::azure::{Api, Conduct, Door};
use crate::collect::{CollectRequest, Progress, Summary, collect, plan};
use crate::evidence::{CaptureStatus, CaptureWriter, Entry, Event, Head, LockedLedger, Period, RunAs, sha256_hex};

/// A capture that is open for writing, and what is put into it.
pub(super) struct Job<'a> {
    pub(super) store: &'a Path,
    pub(super) source: &'a Source,
    pub(super) request: CollectRequest,
    pub(super) writer: CaptureWriter,
    pub(super) head: Head,
}

impl<'a> Job<'a> {
    /// Makes a new capture. It is in the ledger, and its plan has the time of whoever is to put one on it, before the
    /// first request goes out.
    pub(super) fn begin(
        store: &'a Path,
        source: &'a Source,
        period: Period,
        authorities: &Authorities,
        terminal: &Terminal,
    ) -> Result<Job<'a>, CliError> {
        std::fs::create_dir_all(store).map_err(CliError::io("create", store))?;
        let mut ledger = LockedLedger::open(store)?;
        let now = source.now();
        let tenant_id = source.tenant_id.clone();
        let expected = source.expected.clone();
        let request = CollectRequest {
            tenant_id: tenant_id.clone(),
            expected,
            vault_objects: source.vault_objects,
            api_versions: source.api_versions.clone(),
            period,
            now,
            tool: context::tool(),
            personal: source.personal.clone(),
        };
        let capture_id = free_id(store, &tenant_id, now);
        let run_id = &sha256_hex(format!("{tenant_id}\0{capture_id}\0{now}").as_bytes())[..16];
        let mut head = Head {
            schema: "tickmark.capture/v1".to_owned(),
            run_id: format!("run-{run_id}"),
            capture_id,
            tenant_id,
            cloud: source.cloud.name().to_owned(),
            period,
            started_at: now,
            ended_at: None,
            status: CaptureStatus::Running,
            run_as: RunAs { credential: source.transport.credential(), ..RunAs::default() },
            tool: context::tool(),
            replayed: source.replayed,
            resumed: Vec::new(),
            plan_stamps: Vec::new(),
        };
        let mut writer = CaptureWriter::create(store, head.clone(), &plan(&request))?;
        ledger.append(entry(&head, &writer, Event::Started, now, None)?)?;
        drop(ledger); // nobody waits for it while an authority is asked
        let (stamps, tokens) = authorities.stamp_plan(&plan_bytes(&writer)?, terminal);
        if !stamps.is_empty() {
            head.plan_stamps = stamps;
            writer.keep_plan_stamps(head.clone(), &tokens)?;
        }
        Ok(Job { store, source, request, writer, head })
    }

    /// Puts the questions, and writes how it ended into the capture and the ledger.
    pub(super) fn put_questions(mut self, terminal: &Terminal) -> Result<Collected, CliError> {
        let door = self.source.door();
        let ended = self.ask(&door, terminal);
        let conduct = door.conduct();
        terminal.note(&told(&conduct));
        self.head.ended_at = Some(self.source.now());
        match ended {
            Ok(summary) if summary.status == CaptureStatus::Complete => {
                let left_over = self.writer.left_over()?;
                let note = note(&summary, left_over, &conduct);
                let ended = self.end(Event::Finished, summary.status, Some(&summary), note);
                ended.map_err(|error| self.stopped(&error.to_string()))?;
                let folder = self.writer.folder().to_owned();
                let Head { capture_id, period, .. } = self.head;
                Ok(Collected { folder, capture_id, period, conduct })
            }
            Ok(summary) => {
                let ended = self.end(Event::Interrupted, summary.status, Some(&summary), note(&summary, 0, &conduct));
                ended.map_err(|error| self.stopped(&error.to_string()))?;
                Err(self.stopped("stopped on request"))
            }
            Err(error) => {
                let event = if matches!(error, CliError::Stopped(_)) { Event::Interrupted } else { Event::Failed };
                let first = error.to_string().lines().next().unwrap_or_default().to_owned();
                // On a full disk this fails too. Then the next run notices that this one ended without a word.
                let _ = self.end(event, CaptureStatus::Interrupted, None, first);
                Err(self.stopped(&error.to_string()))
            }
        }
    }

    fn end(
        &mut self,
        event: Event,
        status: CaptureStatus,
        summary: Option<&Summary>,
        note: String,
    ) -> Result<(), CliError> {
        self.head.status = status;
        if let Some(summary) = summary {
            self.head.run_as = summary.run_as.clone();
        }
        self.writer.finish(self.head.clone())?;
        let entry = entry(&self.head, &self.writer, event, self.source.now(), Some(note))?;
        Ok(LockedLedger::open(self.store)?.append(entry)?)
    }

    fn stopped(&self, why: &str) -> CliError {
        let (folder, id) = (self.writer.folder().display(), &self.head.capture_id);
        CliError::Stopped(format!(
            "{why}\nwhat was answered is kept in `{folder}`; continue with `tickmark collect --resume --capture {id}`"
        ))
    }

    /// Puts the questions. The first Ctrl-C ends the run in good order: what was not asked becomes a gap; the second
    /// one ends it at once.
    fn ask(&self, door: &Door, terminal: &Terminal) -> Result<Summary, CliError> {
        self.source.tell_identity(terminal);
        let shown = terminal.progress(door);
        let progress = Stoppable { inner: &shown, stop: AtomicBool::new(false) };
        let runtime = context::runtime()?;
        runtime.block_on(async {
            let mut stopped = std::pin::pin!(async {
                let _ = tokio::signal::ctrl_c().await; // without a signal handler there is nothing to wait for
                progress.stop.store(true, Ordering::Relaxed);
                terminal.note("stopping: the questions under way are finished; press Ctrl-C again to stop at once");
                let _ = tokio::signal::ctrl_c().await;
            });
            tokio::select! {
                summary = shown.beside(collect(door, &self.request, &self.writer, &progress)) => Ok(summary?),
                () = &mut stopped => Err(CliError::Stopped("stopped at once".to_owned())),
            }
        })
    }
}

/// A line of the ledger about a capture.
pub(super) fn entry(
    head: &Head,
    writer: &CaptureWriter,
    event: Event,
    at: DateTime<Utc>,
    note: Option<String>,
) -> Result<Entry, CliError> {
    let plan = plan_bytes(writer)?;
    Ok(Entry {
        sequence: 0,
        at,
        event,
        run_id: head.run_id.clone(),
        capture_id: head.capture_id.clone(),
        tenant_id: head.tenant_id.clone(),
        period: head.period,
        plan_sha256: Some(sha256_hex(&plan)),
        statement_sha256: None,
        pack_id: None,
        note,
        previous_sha256: String::new(),
    })
}

/// The plan as it was written: what its digest and its time-stamps are over.
fn plan_bytes(writer: &CaptureWriter) -> Result<Vec<u8>, CliError> {
    let plan = writer.folder().join("plan.json");
    std::fs::read(&plan).map_err(CliError::io("read", &plan))
}

fn note(summary: &Summary, left_over: usize, conduct: &BTreeMap<Api, Conduct>) -> String {
    let mut note = format!("{} questions, {} without a full answer", summary.questions, summary.gaps.len());
    if summary.taken_over > 0 {
        note += &format!(", {} answered before the interruption", summary.taken_over);
    }
    if left_over > 0 {
        note += &format!("; {left_over} earlier answers left out, their questions no longer arise");
    }
    if summary.identities.len() > 1 {
        let identities: Vec<&str> = summary.identities.iter().map(String::as_str).collect();
        note += &format!("; asked by more than one identity: {}", identities.join(", "));
    }
    note + "; " + &told(conduct)
}

/// How the services were asked, in words.
fn told(conduct: &BTreeMap<Api, Conduct>) -> String {
    let times = |count: u64| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let mut parts = Vec::new();
    for (service, conduct) in conduct {
        let mut beside = Vec::new();
        match conduct.retries {
            0 => {}
            1 => beside.push("1 retry".to_owned()),
            many => beside.push(format!("{many} retries")),
        }
        if conduct.throttled > 0 {
            beside.push(format!("throttled {}", times(conduct.throttled)));
        }
        if conduct.waited.as_secs() > 0 {
            beside.push(format!("{} waited", length(conduct.waited)));
        }
        let beside = if beside.is_empty() { String::new() } else { format!(" ({})", beside.join(", ")) };
        parts.push(format!("{} {}{beside}", service.words(), times(conduct.requests)));
    }
    if parts.is_empty() { "asked nobody".to_owned() } else { format!("asked {}", parts.join(", ")) }
}

/// Progress that can be told to stop the run.
struct Stoppable<'a> {
    inner: &'a dyn Progress,
    stop: AtomicBool,
}

impl Progress for Stoppable<'_> {
    fn planned(&self, service: Api, questions: usize) {
        self.inner.planned(service, questions);
    }

    fn ended(&self, service: Api, title: &str, gap: Option<&str>) {
        self.inner.ended(service, title, gap);
    }

    fn stop_asked(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// `<first eight of the tenant>-<time>`, with a number when that is taken.
fn free_id(store: &Path, tenant_id: &str, now: DateTime<Utc>) -> String {
    let tenant: String = tenant_id.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    let base = format!("{}-{}", tenant.to_lowercase(), now.format("%Y%m%dt%H%M%Sz"));
    let mut id = base.clone();
    let mut number = 1;
    while store.join("captures").join(&id).exists() {
        number += 1;
        id = format!("{base}-{number}");
    }
    id
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn how_the_services_were_asked_is_told_in_words() {
        let conduct = |requests, retries, throttled, seconds| Conduct {
            requests,
            retries,
            throttled,
            waited: Duration::from_secs(seconds),
        };
        let all = BTreeMap::from([
            (Api::ResourceManager, conduct(812, 4, 3, 95)),
            (Api::Graph, conduct(1, 0, 0, 0)),
            (Api::LogAnalytics, conduct(8, 1, 1, 0)),
        ]);
        assert_eq!(
            told(&all),
            "asked Resource Manager 812 times (4 retries, throttled 3 times, 1 min waited), Microsoft Graph once, \
             Log Analytics 8 times (1 retry, throttled once)"
        );
        assert_eq!(told(&BTreeMap::new()), "asked nobody");
    }
}
