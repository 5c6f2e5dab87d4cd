//! What commands share: the program's own description, period, store, environment, clock.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::args::Args;
use super::config::{Config, PeriodChoice};
use super::{CliError, derive};
use crate::azure::{Clock, CredentialSettings, Network, Proxy};
use crate::evidence::{Capture, Period, Tool};

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

/// The capture that is meant: by id, by folder, else the last of the store that reached its end.
pub(super) fn capture(store: &std::path::Path, which: Option<&str>) -> Result<(PathBuf, Capture), CliError> {
    let captures = store.join("captures");
    if let Some(which) = which {
        let by_id = captures.join(which);
        let folder = if by_id.is_dir() { by_id } else { PathBuf::from(which) };
        let capture = Capture::open(&folder)?;
        return Ok((folder, capture));
    }
    let mut newest: Option<(DateTime<Utc>, String, PathBuf, Capture)> = None;
    for folder in self::captures(store)? {
        let capture = Capture::open(&folder)?;
        let rank = (capture.head.started_at, capture.head.capture_id.clone());
        if newest.as_ref().is_none_or(|(at, id, ..)| (*at, id) < (rank.0, &rank.1)) {
            newest = Some((rank.0, rank.1, folder, capture));
        }
    }
    match newest {
        Some((_, _, folder, capture)) => Ok((folder, capture)),
        None => {
            let advice = "make one with `tickmark collect`";
            Err(CliError::Use(format!("the store `{}` holds no capture\n{advice}", store.display())))
        }
    }
}

/// The folders of the captures of a store, in order. One that was not made whole is none.
pub(super) fn captures(store: &std::path::Path) -> Result<Vec<PathBuf>, CliError> {
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
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .map_err(|error| CliError::Defect(format!("no runtime: {error}")))
}
