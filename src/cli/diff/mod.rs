//! `tickmark diff`: what changed between two packs of one tenant. Reads their results and manifests; verifying them is
//! for `tickmark verify`.

mod human;

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};

use super::args::{Diff, Format};
use super::terminal::Terminal;
use super::{CliError, End, reperform};
use crate::assess::{Compared, Comparison, Side, Told, compare};
use crate::render::export;

pub(super) use human::print;

/// Bytes of results that are read at most.
const LARGEST: u64 = 1 << 30;

/// A pack, as far as it is compared.
pub(super) struct Pack {
    pub(super) told: Told,
    pub(super) id: String,
    /// When the collection began, UTC.
    pub(super) collected_at: DateTime<Utc>,
}

pub(super) fn run(options: &Diff, terminal: &Terminal) -> Result<End, CliError> {
    let (earlier, later) = (Pack::open(&options.earlier)?, Pack::open(&options.later)?);
    require_order(&earlier, &later)?;
    let comparison = compare(&earlier.told, &later.told);
    let compared = compared(earlier, later, comparison);
    let end = end(&compared.comparison);
    match terminal.format {
        Format::Json => terminal.json(&export::diff_json(&compared))?,
        Format::Markdown => terminal.raw(export::diff_markdown(&compared).as_bytes())?,
        _ => {
            print(&compared, terminal)?;
            terminal.line("\nNeither pack was verified here: `tickmark verify` does that.")?;
            terminal.line(&human::last_line(&compared.comparison))?;
        }
    }
    Ok(end)
}

fn end(comparison: &Comparison) -> End {
    match (comparison.new.is_empty(), comparison.no_longer_evaluated.is_empty()) {
        (false, _) => End::Exceptions,
        (true, false) => End::Incomplete,
        (true, true) => End::Clean,
    }
}

impl Pack {
    /// Reads results and manifest of the pack in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Pack, CliError> {
        let (id, head, _) = reperform::identified(folder)?;
        let path = folder.join("results.json");
        let size = std::fs::metadata(&path).map_err(CliError::io("read", &path))?.len();
        if size > LARGEST {
            return Err(CliError::Use(format!("`{}` is larger than any results are", path.display())));
        }
        let bytes = std::fs::read(&path).map_err(CliError::io("read", &path))?;
        let wrong = |why: String| CliError::Use(format!("`{}` are not the results of a pack: {why}", path.display()));
        let told: Told = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if told.schema != Told::SCHEMA {
            return Err(wrong(format!("its schema is `{}`, known is `{}`", told.schema, Told::SCHEMA)));
        }
        if !told.tenant.eq_ignore_ascii_case(&head.tenant_id) {
            return Err(wrong(format!(
                "they are of the tenant `{}`, the manifest of `{}`",
                told.tenant, head.tenant_id
            )));
        }
        Ok(Pack { told, id, collected_at: head.started_at })
    }
}

/// Refuses two that cannot be compared: of different tenants, or the later first.
pub(super) fn require_order(earlier: &Pack, later: &Pack) -> Result<(), CliError> {
    if !earlier.told.tenant.eq_ignore_ascii_case(&later.told.tenant) {
        return Err(CliError::Use(format!(
            "the packs are of different tenants: `{}` and `{}`\nonly packs of one tenant can be compared",
            earlier.told.tenant, later.told.tenant
        )));
    }
    if earlier.collected_at > later.collected_at {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        return Err(CliError::Use(format!(
            "the first was collected at {}, after the second at {}\ngive the earlier one first",
            time(earlier.collected_at),
            time(later.collected_at)
        )));
    }
    Ok(())
}

/// Puts the two beside what changed.
pub(super) fn compared(earlier: Pack, later: Pack, comparison: Comparison) -> Compared {
    let tenant = later.told.tenant.clone();
    let side = |pack: Pack| Side {
        id: pack.id,
        collected_at: pack.collected_at,
        period: pack.told.period,
        tool: pack.told.tool,
    };
    Compared { tenant, earlier: side(earlier), later: side(later), comparison }
}
