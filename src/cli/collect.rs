//! `tickmark collect`: one capture, from a live tenant or a recording.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::args::{Args, Collect, Format};
use super::config::Config;
use super::context::{self, SystemClock};
use super::job::Job;
use super::terminal::Terminal;
use super::{CliError, End, personal, resume};
use crate::azure::{Clock, Cloud, CredentialSettings, Live, LiveSettings, Recording, Transport};
use crate::collect::Personal;
use crate::evidence::{Capture, Expected, Kind, Period};
use crate::model;

/// Where the answers come from and what is expected.
pub(super) struct Source {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cloud: Cloud,
    pub(super) tenant_id: String,
    pub(super) expected: Expected,
    pub(super) personal: Personal,
    pub(super) replayed: bool,
}

/// A capture that was made.
pub(super) struct Collected {
    pub(super) folder: PathBuf,
    pub(super) capture_id: String,
    pub(super) period: Period,
}

pub(super) fn run(options: &Collect, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let (source, config) = match &options.replay {
        Some(folder) => {
            let config = optional_config(args)?;
            (Source::recording(Recording::open(folder)?, config.as_ref())?, config)
        }
        None => {
            let config = Config::open(&args.config)?;
            (Source::live(&config)?, Some(config))
        }
    };
    let store = context::store(args, config.as_ref());
    if options.resume {
        let asked = args.period.as_deref().map(Period::parse).transpose()?;
        let collected = resume::run(&store, &source, options.capture.as_deref(), asked, terminal)?;
        return told(&collected, terminal);
    }
    let period = match (&args.period, &options.replay, &config) {
        (None, Some(folder), None) => Period::parse(&Recording::open(folder)?.head().period)?,
        _ => context::period(args, config.as_ref(), source.clock.now())?,
    };
    told(&collect_into(&store, &source, period, terminal)?, terminal)
}

fn told(collected: &Collected, terminal: &Terminal) -> Result<End, CliError> {
    let gaps = gaps(&Capture::open(&collected.folder)?)?;
    if terminal.format == Format::Json {
        let Collected { folder, capture_id, period } = collected;
        terminal.json(&json!({"capture": capture_id, "folder": folder, "period": period, "gaps": gaps}))?;
    } else {
        terminal.line(&format!("capture {}", collected.capture_id))?;
        terminal.note(&format!("kept in {}", collected.folder.display()));
    }
    if gaps > 0 {
        terminal.note(&format!("incomplete: {gaps} questions have no full answer; `tickmark assess` lists them"));
        return Ok(End::Incomplete);
    }
    Ok(End::Clean)
}

/// Questions without a full answer, as `assess` counts them: nearly every workspace lacks one of the two log tables,
/// which is a gap only where a vault writes to it.
fn gaps(capture: &Capture) -> Result<usize, CliError> {
    let coverage = model::read(capture)?.coverage;
    Ok(Kind::ALL.iter().map(|kind| coverage.missing_anywhere(*kind).len()).sum())
}

/// With a replay the configuration may be missing, but not wrong.
pub(super) fn optional_config(args: &Args) -> Result<Option<Config>, CliError> {
    if args.config.exists() { Ok(Some(Config::open(&args.config)?)) } else { Ok(None) }
}

impl Source {
    /// A recording. Of a configuration, only what says what is kept of the answers is heeded.
    pub(super) fn recording(recording: Recording, config: Option<&Config>) -> Result<Source, CliError> {
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
            personal: personal::of(config)?,
            transport: Arc::new(recording),
            replayed: true,
        })
    }

    pub(super) fn live(config: &Config) -> Result<Source, CliError> {
        let azure = &config.azure;
        let personal = personal::of(Some(config))?; // a missing key is found before anything is asked
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
            personal,
            replayed: false,
        })
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
    Job::begin(store, source, period)?.put_questions(terminal)
}
