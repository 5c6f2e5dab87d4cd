//! How many days of the period the evidence of a check can speak of.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::super::CollectionSummary;
use super::Sources;
use crate::check::{Check, Nature};
use crate::evidence::{Capture, Kind, Period, Record};
use crate::model::Tenant;

/// Whole days of the period that the answers of each kind of question about a span of time can cover.
pub(super) struct Days {
    by_kind: BTreeMap<Kind, i64>,
    vault_logs: i64,
}

impl Days {
    /// From the windows that were asked for, and how long the tables keep rows.
    pub(super) fn of(
        capture: &Capture,
        tenant: &Tenant,
        period: &Period,
        collection: &CollectionSummary,
        sources: &Sources<'_>,
    ) -> Days {
        let mut by_kind: BTreeMap<Kind, i64> = BTreeMap::new();
        for record in capture.records.iter().filter(|record| !record.kind.is_vault_log()) {
            let Some(days) = days_of(record, tenant, period, sources) else { continue };
            by_kind.entry(record.kind).and_modify(|least| *least = days.min(*least)).or_insert(days);
        }
        Days { by_kind, vault_logs: collection.covered_days.unwrap_or(0) }
    }

    /// Of an operating check: the least of what it needs. None for a check of a state, or one that needs no log.
    pub(super) fn of_check(&self, check: &Check) -> Option<i64> {
        if check.nature == Nature::Design {
            return None;
        }
        let of_kind = |kind: Kind| {
            if kind.is_vault_log() { Some(self.vault_logs) } else { self.by_kind.get(&kind).copied() }
        };
        check.needs.iter().filter_map(|need| of_kind(need.kind)).min()
    }
}

/// The part of the period that was asked for, less what the table no longer keeps; none for a question about a state.
fn days_of(record: &Record, tenant: &Tenant, period: &Period, sources: &Sources<'_>) -> Option<i64> {
    let window = record.window.as_ref()?;
    if record.gap.is_some() {
        return Some(0);
    }
    let kept = workspace_of(record)
        .and_then(|guid| {
            tenant
                .workspaces
                .iter()
                .find(|one| one.customer_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(guid)))
        })
        .and_then(|workspace| tenant.kept(&workspace.id, &(sources.table)(record.kind, &record.scope)?)?.interactive)
        .and_then(|days| record.started_at.checked_sub_signed(TimeDelta::try_days(days)?));
    let start = kept.map_or(window.start, |oldest| oldest.max(window.start));
    let asked = (start < window.end).then_some(Period { start, end: window.end });
    Some(asked.and_then(|asked| period.overlap(&asked)).map_or(0, |part| part.days()))
}

/// The workspace's GUID in the scope of a question about its log.
fn workspace_of(record: &Record) -> Option<&str> {
    record.scope.strip_prefix("workspace:")?.split('/').next()
}
