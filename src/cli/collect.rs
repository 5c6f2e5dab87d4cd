//! `tickmark collect`: one capture, from a live tenant or a recording.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rand_core::{OsRng, RngCore};
use serde_json::{Value, json};

use super::args::{Args, Collect, Format};
use super::config::Config;
use super::context::{self, SystemClock};
use super::job::Job;
use super::stamp::Authorities;
use super::terminal::{Terminal, clean};
use super::{CliError, End, doctor, personal, resume};
use crate::access::{Access, Excess, OwnRights};
use crate::azure::{
    Api, Clock, Cloud, Conduct, CredentialKind, CredentialSettings, Door, Live, LiveSettings, Pace, PassedOver,
    Recording, Transport,
};
use crate::collect::Personal;
use crate::evidence::{Capture, Expected, Kind, Period, VaultObjects};
use crate::model::{self, Tenant};

/// Where the answers come from and what is expected.
pub(super) struct Source {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cloud: Cloud,
    pub(super) tenant_id: String,
    pub(super) expected: Expected,
    pub(super) personal: Personal,
    pub(super) vault_objects: VaultObjects,
    pub(super) api_versions: BTreeMap<Kind, String>,
    pub(super) replayed: bool,
    /// Credentials that were tried before.
    passed_over: Vec<PassedOver>,
}

/// A capture that was made.
pub(super) struct Collected {
    pub(super) folder: PathBuf,
    pub(super) capture_id: String,
    pub(super) period: Period,
    /// How the services were asked.
    pub(super) conduct: BTreeMap<Api, Conduct>,
}

/// Where a collection gets its answers, and the configuration where there is one.
pub(super) fn source(replay: Option<&Path>, args: &Args) -> Result<(Source, Option<Config>), CliError> {
    match replay {
        Some(folder) => {
            let config = optional_config(args)?;
            Ok((Source::recording(Recording::open(folder)?, config.as_ref())?, config))
        }
        None => {
            let config = Config::open(&args.config)?;
            Ok((Source::live(&config)?, Some(config)))
        }
    }
}

/// The period that is collected: a recording without a configuration has its own.
pub(super) fn period(
    source: &Source,
    replay: Option<&Path>,
    config: Option<&Config>,
    args: &Args,
) -> Result<Period, CliError> {
    match (&args.period, replay, config) {
        (None, Some(folder), None) => Ok(Period::parse(&Recording::open(folder)?.head().period)?),
        _ => context::period(args, config, source.clock.now()),
    }
}

pub(super) fn run(options: &Collect, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let (source, config) = source(options.replay.as_deref(), args)?;
    if options.strict_rights {
        doctor::require_rights(&source)?;
    }
    let store = context::store(args, config.as_ref());
    if options.resume {
        let asked = args.period.as_deref().map(Period::parse).transpose()?;
        let collected = resume::run(&store, &source, options.capture.as_deref(), asked, terminal)?;
        return told(&collected, terminal);
    }
    let period = period(&source, options.replay.as_deref(), config.as_ref(), args)?;
    let authorities = Authorities::of(&options.tsa, config.as_ref())?;
    told(&collect_into(&store, &source, period, &authorities, terminal)?, terminal)
}

fn told(collected: &Collected, terminal: &Terminal) -> Result<End, CliError> {
    let capture = Capture::open(&collected.folder)?;
    let tenant = model::survey(&capture)?;
    let gaps = gaps(&tenant);
    let own = OwnRights::from_evidence(&tenant, &Access::holders(&tenant), capture.head.run_as.object_id.as_deref());
    if terminal.format == Format::Json {
        let Collected { folder, capture_id, period, conduct } = collected;
        let conduct: serde_json::Map<String, Value> = conduct.iter().map(conduct_json).collect();
        terminal.json(&json!({
            "capture": capture_id, "folder": folder, "period": period, "gaps": gaps, "conduct": conduct,
            "plan_stamps": capture.head.plan_stamps,
            "must_not_have": own.excess.iter().map(Excess::line).collect::<Vec<_>>(),
        }))?;
    } else {
        terminal.line(&format!("capture {}", collected.capture_id))?;
        terminal.note(&format!("kept in {}", collected.folder.display()));
    }
    tell_rights(&own, terminal);
    let unstamped = capture.head.plan_stamps.iter().any(|stamp| stamp.failed.is_some());
    if unstamped {
        terminal.note("incomplete: an authority put no time on the plan; the report says so");
    }
    if gaps > 0 {
        terminal.note(&format!("incomplete: {gaps} questions have no full answer; `tickmark assess` lists them"));
    }
    Ok(if gaps > 0 || unstamped { End::Incomplete } else { End::Clean })
}

fn conduct_json((service, conduct): (&Api, &Conduct)) -> (String, Value) {
    let value = json!({
        "requests": conduct.requests, "retries": conduct.retries, "throttled": conduct.throttled,
        "waited_seconds": conduct.waited.as_secs_f64(),
    });
    (service.name().to_owned(), value)
}

/// Questions without a full answer, as `assess` counts them: nearly every workspace lacks one of the two log tables,
/// which is a gap only where a vault writes to it.
fn gaps(tenant: &Tenant) -> usize {
    Kind::ALL.iter().map(|kind| tenant.coverage.missing_anywhere(*kind).len()).sum()
}

/// Warns of rights that the identity that collected must not have.
pub(super) fn tell_rights(own: &OwnRights, terminal: &Terminal) {
    for excess in &own.excess {
        terminal.note(&format!("warning: the collecting identity must not have this: {}", clean(&excess.line())));
    }
    if !own.excess.is_empty() {
        terminal.note("`--strict-rights` refuses to collect with such rights; `tickmark role` prints what is needed");
    }
}

/// With a replay the configuration may be missing, but not wrong.
pub(super) fn optional_config(args: &Args) -> Result<Option<Config>, CliError> {
    if args.config.exists() { Ok(Some(Config::open(&args.config)?)) } else { Ok(None) }
}

impl Source {
    /// A recording, asked as the configuration says, where there is one.
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
            vault_objects: config.map_or(VaultObjects::Arm, |config| config.azure.vault_objects),
            api_versions: config.map(|config| config.api_versions.clone()).unwrap_or_default(),
            transport: Arc::new(recording),
            passed_over: Vec::new(),
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
        let cloud = cloud.with_audiences(&azure.audiences);
        let credential = CredentialSettings {
            kind: azure.credential.first().copied().unwrap_or_default(),
            otherwise: azure.credential.iter().skip(1).copied().collect(),
            tenant_id: Some(azure.tenant_id.clone()),
            client_id: azure.client_id.clone(),
            token: context::variable("TICKMARK_TOKEN"),
            client_secret: context::variable("AZURE_CLIENT_SECRET"),
            certificate_file: azure.certificate_file.clone(),
            environment: context::environment(),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let settings = LiveSettings { credential, network: context::network(config)?, ..LiveSettings::default() };
        let live = context::runtime()?.block_on(Live::connect(cloud.clone(), settings, clock.clone()))?;
        Ok(Source {
            passed_over: live.passed_over().to_vec(),
            transport: Arc::new(live),
            clock,
            cloud,
            tenant_id: azure.tenant_id.clone(),
            vault_objects: azure.vault_objects,
            api_versions: config.api_versions.clone(),
            expected: Expected {
                subscriptions: azure.subscriptions.clone(),
                management_groups: azure.management_groups.clone(),
                workspaces: azure.workspaces.clone(),
            },
            personal,
            replayed: false,
        })
    }

    /// Says as whom Azure is asked, and what is to be said about that.
    pub(super) fn tell_identity(&self, terminal: &Terminal) {
        if self.replayed {
            return;
        }
        for passed_over in &self.passed_over {
            terminal.note(&clean(&format!("could not sign in by {passed_over}")));
        }
        let credential = self.transport.credential();
        terminal.note(&format!("asking as {credential}"));
        if credential == CredentialKind::ClientSecret.name() {
            terminal.note(
                "warning: whoever copies the client secret can sign in from anywhere; a managed identity, a workload \
                 identity or a certificate is better",
            );
        }
    }

    pub(super) fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    pub(super) fn expected(&self) -> &Expected {
        &self.expected
    }

    pub(super) fn door(&self) -> Door {
        // a replay leaves nothing to chance
        let seed = (!self.replayed).then(|| OsRng.next_u64());
        let pace = Pace { seed, ..Pace::default() };
        Door::new(self.transport.clone(), self.cloud.clone(), self.clock.clone(), pace)
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
    authorities: &Authorities,
    terminal: &Terminal,
) -> Result<Collected, CliError> {
    Job::begin(store, source, period, authorities, terminal)?.put_questions(terminal)
}
