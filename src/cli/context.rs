//! What commands share: the program's own description, period, store, environment, clock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::args::Args;
use super::config::{Config, PeriodChoice};
use super::terminal::{Terminal, clean};
use super::{CliError, derive};
use crate::azure::{Clock, CredentialSettings, Network, Proxy};
use crate::evidence::{Capture, CaptureStatus, Entry, Event, Head, Ledger, Period, Tool};

/// The program, as it is written into evidence and packs.
pub(super) fn tool() -> Tool {
    Tool {
        name: "tickmark".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        rule_set_sha256: derive::rule_set_sha256(),
    }
}

/// The process's clock.
pub(super) struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the command line reads the clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// One variable of the environment; empty is absent.
#[allow(clippy::disallowed_methods, reason = "the command line reads the environment")]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The variables that credentials look at.
pub(super) fn environment() -> BTreeMap<String, String> {
    CredentialSettings::VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), variable(name)?))).collect()
}

/// The proxy of the environment and the configured further roots.
pub(super) fn network(config: &Config) -> Result<Network, CliError> {
    let read = |path: &PathBuf| std::fs::read(path).map_err(CliError::io("read", path));
    let extra_roots = config.azure.ca_file.as_ref().map(read).transpose()?;
    let any = |names: &[&str]| names.iter().find_map(|name| variable(name));
    let address = any(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]);
    let not_for = any(&["NO_PROXY", "no_proxy"]).unwrap_or_default();
    Ok(Network { extra_roots, proxy: address.map(|address| Proxy { address, not_for }) })
}

/// The period: from the command line, else the configuration, else the last quarter that ended before `now`.
pub(super) fn period(args: &Args, config: Option<&Config>, now: DateTime<Utc>) -> Result<Period, CliError> {
    if let Some(text) = &args.period {
        return Ok(Period::parse(text)?);
    }
    let out_of_range = || CliError::Defect(format!("no quarter around {now}"));
    match config.map(|config| &config.period) {
        Some(PeriodChoice::Fixed(period)) => Ok(*period),
        Some(PeriodChoice::CurrentQuarter) => Period::current_quarter(now).ok_or_else(out_of_range),
        Some(PeriodChoice::LastQuarter) | None => Period::last_quarter(now).ok_or_else(out_of_range),
    }
}

/// The store: from the command line, else the configuration, else `tickmark-store`.
pub(super) fn store(args: &Args, config: Option<&Config>) -> PathBuf {
    match (&args.store, config) {
        (Some(store), _) => store.clone(),
        (None, Some(config)) => config.store.clone(),
        (None, None) => PathBuf::from("tickmark-store"),
    }
}

/// The capture that is meant: by id, by folder, else the newest of the store that reached its end; of newer ones that
/// did not, and of those that cannot be read, it is said why they were passed over.
pub(super) fn capture(store: &Path, which: Option<&str>, terminal: &Terminal) -> Result<(PathBuf, Capture), CliError> {
    if let Some(which) = which {
        let by_id = store.join("captures").join(which);
        let folder = if by_id.is_dir() { by_id } else { PathBuf::from(which) };
        let capture = Capture::open(&folder)?;
        return Ok((folder, capture));
    }
    let (found, passed_over) = newest(store)?;
    for (id, why) in passed_over {
        terminal.note(&clean(&format!("passed over capture `{id}`: {why}; name it with --capture to take it")));
    }
    found.ok_or_else(|| {
        let advice = "make one with `tickmark collect`, or name one with --capture";
        CliError::Use(format!("the store `{}` holds no capture that reached its end\n{advice}", store.display()))
    })
}

/// The ledger of a store without the packs that this capture was sealed into already: looking at it again seals nothing,
/// so that it is not the second pack of its period.
pub(super) fn ledger(store: &Path, capture: &Capture) -> Result<Vec<Entry>, CliError> {
    let mut entries = Ledger::open(store)?.entries;
    entries.retain(|entry| entry.event != Event::Sealed || entry.capture_id != capture.head.capture_id);
    Ok(entries)
}

/// A capture with its folder, and those that were passed over: id and why.
type Newest = (Option<(PathBuf, Capture)>, Vec<(String, String)>);

/// The newest capture that reached its end and can be read.
fn newest(store: &Path) -> Result<Newest, CliError> {
    let mut passed_over = Vec::new();
    let mut heads = Vec::new();
    for folder in captures(store)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match Head::open(&folder) {
            Ok(head) => heads.push(((head.started_at, head.capture_id.clone()), head, name, folder)),
            Err(error) => passed_over.push((name, error.to_string())),
        }
    }
    heads.sort_by(|one, other| other.0.cmp(&one.0));
    for (_, head, name, folder) in heads {
        if head.status != CaptureStatus::Complete {
            passed_over.push((name, "it did not reach its end".to_owned()));
            continue;
        }
        match Capture::open(&folder) {
            Ok(capture) => return Ok((Some((folder, capture)), passed_over)),
            Err(error) => passed_over.push((name, error.to_string())),
        }
    }
    Ok((None, passed_over))
}

/// The folders of the captures of a store, in order. One that was not made whole is none.
pub(super) fn captures(store: &Path) -> Result<Vec<PathBuf>, CliError> {
    let captures = store.join("captures");
    let entries = std::fs::read_dir(&captures).map_err(|_| {
        CliError::Use(format!("the store `{}` holds no capture\nmake one with `tickmark collect`", store.display()))
    })?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.map_err(CliError::io("read", &captures))?.path();
        if path.join("capture.json").is_file() && path.extension().is_none_or(|ending| ending != "tmp") {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// A runtime for the commands that ask a network.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::Defect(format!("no runtime: {error}")))
}
