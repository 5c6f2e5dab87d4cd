//! `tickmark collect`: one capture, from a live tenant or a recording.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};

use super::args::{Args, Collect};
use super::config::Config;
use super::context::{self, SystemClock};
use super::terminal::Terminal;
use super::{CliError, End, doctor};
use crate::azure::{Clock, Cloud, CredentialSettings, Door, Live, LiveSettings, Pace, Recording, Transport};
use crate::collect::{CollectRequest, Progress, Summary, collect, plan};
use crate::evidence::{CaptureStatus, CaptureWriter, Entry, Event, Expected, Head, Ledger, Period, RunAs, sha256_hex};

/// Where the answers come from and what is expected.
pub(super) struct Source {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    cloud: Cloud,
    tenant_id: String,
    expected: Expected,
    replayed: bool,
}

/// A capture that was made.
pub(super) struct Collected {
    pub(super) folder: PathBuf,
    pub(super) capture_id: String,
    pub(super) gaps: usize,
}

pub(super) fn run(options: &Collect, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let (source, config) = match &options.replay {
        Some(folder) => (Source::recording(Recording::open(folder)?)?, optional_config(args)?),
        None => {
            let config = Config::open(&args.config)?;
            (Source::live(&config)?, Some(config))
        }
    };
    let period = match (&args.period, &options.replay, &config) {
        (None, Some(folder), None) => Period::parse(&Recording::open(folder)?.head().period)?,
        _ => context::period(args, config.as_ref(), source.clock.now())?,
    };
    if options.strict_rights {
        doctor::require_rights(&source)?;
    }
    let store = context::store(args, config.as_ref());
    let collected = collect_into(&store, &source, period, terminal)?;
    terminal.line(&format!("capture {}", collected.capture_id))?;
    terminal.note(&format!("kept in {}", collected.folder.display()));
    if collected.gaps > 0 {
        terminal.note(&format!(
            "incomplete: {} questions have no full answer; `tickmark assess` lists them",
            collected.gaps
        ));
        return Ok(End::Incomplete);
    }
    Ok(End::Clean)
}

/// With a replay the configuration may be missing, but not wrong.
pub(super) fn optional_config(args: &Args) -> Result<Option<Config>, CliError> {
    if args.config.exists() { Ok(Some(Config::open(&args.config)?)) } else { Ok(None) }
}

impl Source {
    pub(super) fn recording(recording: Recording) -> Result<Source, CliError> {
        let head = recording.head().clone();
        Ok(Source {
            clock: recording.clock(),
            cloud: Cloud::named("public")?,
            tenant_id: head.tenant_id,
            expected: Expected {
                subscriptions: head.subscriptions,
                management_groups: head.management_groups,
                workspaces: head.workspaces,
            },
            transport: Arc::new(recording),
            replayed: true,
        })
    }

    pub(super) fn live(config: &Config) -> Result<Source, CliError> {
        let azure = &config.azure;
        let cloud = match &azure.endpoints {
            Some(endpoints) => Cloud::custom(endpoints)?,
            None => Cloud::named(&azure.cloud)?,
        };
        let credential = CredentialSettings {
            kind: azure.credential,
            tenant_id: Some(azure.tenant_id.clone()),
            client_id: azure.client_id.clone(),
            token: context::variable("TICKMARK_TOKEN"),
            client_secret: context::variable("AZURE_CLIENT_SECRET"),
            certificate_file: azure.certificate_file.clone(),
            environment: context::environment(),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let settings = LiveSettings { credential, ca_file: azure.ca_file.clone(), ..LiveSettings::default() };
        let live = context::runtime()?.block_on(Live::connect(cloud.clone(), settings, clock.clone()))?;
        Ok(Source {
            transport: Arc::new(live),
            clock,
            cloud,
            tenant_id: azure.tenant_id.clone(),
            expected: Expected {
                subscriptions: azure.subscriptions.clone(),
                management_groups: azure.management_groups.clone(),
                workspaces: azure.workspaces.clone(),
            },
            replayed: false,
        })
    }

    pub(super) fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    pub(super) fn expected(&self) -> &Expected {
        &self.expected
    }

    pub(super) fn door(&self) -> Door {
        Door::new(self.transport.clone(), self.cloud.clone(), self.clock.clone(), Pace::default())
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

/// Makes one capture in `store`; the ledger gets a line before the first request and one at the end, whatever the end.
pub(super) fn collect_into(
    store: &Path,
    source: &Source,
    period: Period,
    terminal: &Terminal,
) -> Result<Collected, CliError> {
    std::fs::create_dir_all(store).map_err(CliError::io("create", store))?;
    let now = source.now();
    let request = CollectRequest {
        tenant_id: source.tenant_id.clone(),
        expected: source.expected.clone(),
        period,
        now,
        tool: context::tool(),
    };
    let plan = plan(&request);
    let capture_id = free_id(store, &source.tenant_id, now);
    let run_id = format!("run-{}", &sha256_hex(format!("{}\0{capture_id}\0{now}", source.tenant_id).as_bytes())[..16]);
    let mut head = Head {
        schema: "tickmark.capture/v1".to_owned(),
        capture_id: capture_id.clone(),
        run_id: run_id.clone(),
        tenant_id: source.tenant_id.clone(),
        cloud: source.cloud.name().to_owned(),
        period,
        started_at: now,
        ended_at: None,
        status: CaptureStatus::Running,
        run_as: RunAs { credential: source.transport.credential(), ..RunAs::default() },
        tool: context::tool(),
        replayed: source.replayed,
    };
    let mut writer = CaptureWriter::create(store, head.clone(), &plan)?;
    let plan_bytes = std::fs::read(writer.folder().join("plan.json")).map_err(CliError::io("read", writer.folder()))?;
    let entry = |event, at, note| Entry {
        sequence: 0,
        at,
        event,
        run_id: run_id.clone(),
        capture_id: capture_id.clone(),
        tenant_id: source.tenant_id.clone(),
        period,
        plan_sha256: Some(sha256_hex(&plan_bytes)),
        statement_sha256: None,
        pack_id: None,
        note,
        previous_sha256: String::new(),
    };
    let mut ledger = Ledger::open(store)?;
    ledger.append(entry(Event::Started, now, None))?;

    let ended = put_questions(source, &request, &writer, terminal);
    head.ended_at = Some(source.now());
    match ended {
        Ok(summary) => {
            head.status = summary.status;
            head.run_as = summary.run_as;
            writer.finish(head)?;
            let event = if summary.status == CaptureStatus::Complete { Event::Finished } else { Event::Failed };
            let note = format!("{} questions, {} without a full answer", summary.questions, summary.gaps.len());
            ledger.append(entry(event, source.now(), Some(note)))?;
            if event == Event::Failed {
                let folder = writer.folder().display();
                return Err(CliError::Stopped(format!("stopped on request; what was answered is kept in `{folder}`")));
            }
            Ok(Collected { folder: writer.folder().to_owned(), capture_id, gaps: summary.gaps.len() })
        }
        Err(error) => {
            head.status = CaptureStatus::Interrupted;
            writer.finish(head)?;
            let first = error.to_string().lines().next().unwrap_or_default().to_owned();
            ledger.append(entry(Event::Failed, source.now(), Some(first)))?;
            Err(error)
        }
    }
}

/// Puts the questions. The first Ctrl-C ends the run in good order: what was not asked becomes a gap; the second
/// one ends it at once.
fn put_questions(
    source: &Source,
    request: &CollectRequest,
    writer: &CaptureWriter,
    terminal: &Terminal,
) -> Result<Summary, CliError> {
    let door = source.door();
    let progress = Stoppable { inner: terminal.progress(), stop: AtomicBool::new(false) };
    let runtime = context::runtime()?;
    runtime.block_on(async {
        let mut stopped = std::pin::pin!(async {
            let _ = tokio::signal::ctrl_c().await; // without a signal handler there is nothing to wait for
            progress.stop.store(true, Ordering::Relaxed);
            terminal.note("stopping: the questions under way are finished; press Ctrl-C again to stop at once");
            let _ = tokio::signal::ctrl_c().await;
        });
        tokio::select! {
            summary = collect(&door, request, writer, &progress) => Ok(summary?),
            () = &mut stopped => Err(CliError::Stopped(format!(
                "stopped at once; what was answered is kept in `{}`, and the ledger says that it was stopped",
                writer.folder().display()
            ))),
        }
    })
}

/// Progress that can be told to stop the run.
struct Stoppable {
    inner: Box<dyn Progress>,
    stop: AtomicBool,
}

impl Progress for Stoppable {
    fn planned(&self, questions: usize) {
        self.inner.planned(questions);
    }

    fn ended(&self, title: &str, gap: Option<&str>) {
        self.inner.ended(title, gap);
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
