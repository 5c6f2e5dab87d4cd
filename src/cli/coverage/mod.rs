//! `tickmark coverage`: what evidence there is for each criterion and control, and what would supply the rest. Reads a
//! capture or a pack; with `--live` it collects first.

mod human;

use super::args::{Args, Coverage, FailOn, Format};
use super::stamp::Authorities;
use super::terminal::Terminal;
use super::{CliError, End, assess, collect, context, declared, derive, diff, reperform};
use crate::assess::{Inputs, Overview, Selection, Sources, Supply, Told, Trend, compare, counts_by_check, overview};
use crate::check::{Check, Outcome, Severity};
use crate::collect::{of_reason, supplies, table_of};
use crate::control::Framework;
use crate::evidence::{Capture, Entry, Kind, Reason};
use crate::model::{self, Missing};
use crate::render::export;

pub(super) fn run(options: &Coverage, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let declared = match &options.pack {
        Some(pack) => declared::below(&pack.join("declared"))?,
        None => declared::configured(args)?,
    };
    let controls = derive::controls(&declared)?;
    let selection = Selection { only: options.only.clone(), skip: options.skip.clone() };
    let wrong = |error| CliError::Use(format!("{error}\n`tickmark list` shows them all"));
    selection.check(&controls).map_err(wrong)?; // before anything is asked
    let (capture, inputs, ledger) = capture(options, args, terminal)?;
    derive::refuse_lost_records(&inputs, &controls)?;
    let earlier = options.against.as_deref().map(diff::Pack::open).transpose()?;
    let tenant = model::read_keeping(&capture, &inputs.declared.kinds())?;
    let framework = Framework::embedded()?;
    let sources = Sources { supply: &supply, settle: &settle, table: &table_of, ledger: &ledger };
    let mut overview = overview(inputs, &capture, &tenant, (&controls, &framework), selection, &sources);
    drop(tenant);
    overview.trend = earlier.map(|earlier| trend(earlier, &overview)).transpose()?;
    let end = end(&overview, options.fail_on);
    match terminal.format {
        Format::Json => terminal.json(&export::json(&overview))?,
        Format::Sarif => terminal.raw(&export::sarif(&overview)?)?,
        Format::Junit => terminal.raw(&export::junit(&overview))?,
        Format::Markdown => terminal.raw(export::markdown(&overview).as_bytes())?,
        Format::Human | Format::Csv | Format::Dot => human::print(&overview, end, terminal)?,
    }
    Ok(end)
}

fn supply(missing: &Missing) -> Supply {
    let (permissions, what) = supplies(missing.kind, missing.reason, &missing.scope);
    let named = |permission: &crate::collect::Permission| (permission.name(), permission.system());
    Supply { permissions: permissions.iter().map(named).collect(), what }
}

/// A vault without a log is found without asking any; every other reason has its own words.
fn settle(check: &Check, reason: Reason) -> String {
    let reads_vault_logs = check.needs.iter().any(|need| need.kind.is_vault_log());
    match reason {
        Reason::NotFound if reads_vault_logs => supplies(Kind::VaultLogDedicated, Reason::TableMissing, "").1,
        _ => of_reason(reason).to_owned(),
    }
}

fn capture(options: &Coverage, args: &Args, terminal: &Terminal) -> Result<(Capture, Inputs, Vec<Entry>), CliError> {
    if let Some(pack) = &options.pack {
        let (head, mut inputs) = reperform::manifest(pack)?;
        inputs.declared = declared::below(&pack.join("declared"))?;
        return Ok((Capture::open_with_head(pack, head)?, inputs, reperform::ledger(pack)?));
    }
    let (capture, config) = if options.live {
        let replay = options.replay.as_deref();
        let (source, config) = collect::source(replay, args)?;
        let period = collect::period(&source, replay, config.as_ref(), args)?;
        let authorities = Authorities::of(&[], config.as_ref())?;
        let store = context::store(args, config.as_ref());
        let collected = collect::collect_into(&store, &source, period, &authorities, terminal)?;
        terminal.note(&format!("kept in {}", collected.folder.display()));
        (Capture::open(&collected.folder)?, config)
    } else {
        let config = collect::optional_config(args)?;
        let store = context::store(args, config.as_ref());
        (context::capture(&store, options.which.capture.as_deref(), terminal)?.1, config)
    };
    let inputs = assess::inputs(args, config.as_ref(), &capture, String::new())?; // nothing is signed
    let ledger = context::ledger(&context::store(args, config.as_ref()), &capture)?;
    Ok((capture, inputs, ledger))
}

/// What changed since the earlier pack, in the checks that were run here.
fn trend(earlier: diff::Pack, overview: &Overview) -> Result<Trend, CliError> {
    let own = diff::Pack {
        told: Told::of(overview),
        id: overview.head.capture_id.clone(),
        collected_at: overview.head.started_at,
    };
    diff::require_order(&earlier, &own)?;
    let checks: Vec<&str> = overview.checks.iter().map(|line| line.check.id).collect();
    // a control of which checks were left out concludes for another cause
    let whole = overview.controls.iter().filter(|line| line.left_out.is_empty());
    let controls: Vec<&str> = whole.map(|line| line.control.id.as_str()).collect();
    let about = |told: Told| told.about(&checks, &controls);
    let earlier = diff::Pack { told: about(earlier.told), ..earlier };
    let comparison = compare(&earlier.told, &about(own.told.clone()));
    Ok(Trend { counts: counts_by_check(&earlier.told), compared: diff::compared(earlier, own, comparison) })
}

/// The exit code: exceptions win over what could not be judged. One that a waiver holds for is not counted, or a gate
/// would stay shut until the waiver ends.
fn end(overview: &Overview, fail_on: FailOn) -> End {
    let least = match fail_on {
        FailOn::Never => return End::Clean,
        FailOn::Exceptions | FailOn::Incomplete => Severity::Info,
        FailOn::Low => Severity::Low,
        FailOn::Medium => Severity::Medium,
        FailOn::High => Severity::High,
        FailOn::Critical => Severity::Critical,
    };
    let counts = |check: &str| overview.check(check).is_none_or(|line| line.check.severity >= least);
    if overview.exceptions().any(|finding| counts(finding.check())) {
        return End::Exceptions;
    }
    let open = overview.findings.iter().any(|one| one.outcome() == Outcome::NotEvaluated && counts(one.check()));
    let everything = fail_on == FailOn::Incomplete;
    let unread = everything && (!overview.missing.is_empty() || is_open_elsewhere(overview));
    if fail_on != FailOn::Exceptions && (open || unread) { End::Incomplete } else { End::Clean }
}

/// What leaves the collection as a whole incomplete; it does not count for those who look at a part of it.
fn is_open_elsewhere(overview: &Overview) -> bool {
    let unstamped = overview.head.plan_stamps.iter().any(|stamp| stamp.failed.is_some());
    overview.selection.is_all() && (overview.missing_elsewhere > 0 || unstamped)
}
