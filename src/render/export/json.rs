//! The engineers' view as JSON. Its schema is `docs/coverage.schema.json`.

use serde_json::{Value, json};

use super::{diff, fingerprint};
use crate::assess::{CheckLine, ControlLine, CriterionLine, MissingInput, OpenPoint, Overview, Trend};
use crate::check::{Finding, Outcome};
use crate::declared::Attached;

/// The document.
pub fn json(overview: &Overview) -> Value {
    let (head, inputs, collection) = (&overview.head, &overview.inputs, &overview.collection);
    let needs_attention =
        |finding: &&Finding| matches!(finding.outcome(), Outcome::Fail | Outcome::NotEvaluated | Outcome::Manual);
    let findings = overview.findings.iter().map(AsRef::as_ref).filter(needs_attention);
    let trend = overview.trend.as_ref();
    json!({
        "schema": "tickmark.coverage/v1",
        "tenant": head.tenant_id,
        "capture": head.capture_id,
        "collectedAt": head.started_at,
        "replayed": head.replayed,
        "period": inputs.period,
        "tool": inputs.tool,
        "selection": {"only": overview.selection.only, "skip": overview.selection.skip},
        "collection": {
            "questions": collection.questions, "answered": collection.answered,
            "vaultLogDays": collection.covered_days, "periodDays": collection.period_days,
            "vaults": overview.vaults, "vaultsWithoutLog": overview.vaults_without_log,
        },
        "counts": overview.counts(),
        "criteria": overview.criteria.iter().map(|line| criterion(line, trend)).collect::<Vec<_>>(),
        "controls": overview.controls.iter().map(|line| control(line, trend)).collect::<Vec<_>>(),
        "checks": overview.checks.iter().map(|line| check(line, trend)).collect::<Vec<_>>(),
        "missing": overview.missing.iter().map(missing).collect::<Vec<_>>(),
        "missingElsewhere": overview.missing_elsewhere,
        "findings": findings.map(|one| finding(overview, one)).collect::<Vec<_>>(),
        "since": trend.map(|trend| diff::json(&trend.compared)),
    })
}

fn criterion(line: &CriterionLine, trend: Option<&Trend>) -> Value {
    json!({
        "standard": line.standard.word(), "id": line.id, "title": line.title, "conclusion": line.conclusion,
        "counts": line.counts, "before": before(&line.checks, trend), "days": line.days,
        "controls": line.controls, "checks": line.checks, "leftOut": line.left_out,
    })
}

fn control(line: &ControlLine, trend: Option<&Trend>) -> Value {
    let control = &line.control;
    json!({
        "id": control.id, "title": control.title, "conclusion": line.conclusion,
        "counts": line.counts, "before": before(&line.checks, trend), "days": line.days,
        "criteria": control.all_criteria(), "checks": line.checks, "leftOut": line.left_out,
        "byHand": control.by_hand, "attached": line.attached.iter().map(attached).collect::<Vec<_>>(), "doesNotShow": control.does_not_show,
    })
}

fn attached(record: &Attached) -> Value {
    json!({
        "id": record.id, "title": record.title, "period": record.period, "person": record.person,
        "date": record.date.to_string(), "name": record.name, "sha256": record.sha256,
    })
}

fn check(line: &CheckLine, trend: Option<&Trend>) -> Value {
    let check = line.check;
    let point = |open: &OpenPoint| json!({"reason": open.reason, "count": open.count, "example": open.example, "settle": open.settle});
    json!({
        "id": check.id, "title": check.title, "severity": check.severity.word(), "nature": check.nature.word(),
        "counts": line.counts, "before": before(&[check.id], trend), "days": line.days, "missing": line.missing,
        "open": line.open.iter().map(point).collect::<Vec<_>>(), "manual": line.manual,
    })
}

fn before(checks: &[&str], trend: Option<&Trend>) -> Value {
    json!(trend.and_then(|trend| trend.counts_of(checks)))
}

fn missing(input: &MissingInput) -> Value {
    let permissions = input.supply.permissions.iter().map(|(name, system)| json!({"name": name, "system": system}));
    json!({
        "kind": input.kind, "words": input.kind.words(), "reason": input.reason, "scopes": input.scopes,
        "detail": input.detail, "records": input.records, "permissions": permissions.collect::<Vec<_>>(),
        "supply": input.supply.what, "checks": input.checks,
    })
}

fn finding(overview: &Overview, finding: &Finding) -> Value {
    json!({
        "check": finding.check(),
        "severity": overview.check(finding.check()).map(|line| line.check.severity.word()),
        "subject": finding.subject(), "outcome": finding.outcome(), "because": finding.because(),
        "reason": finding.reason(), "evidence": finding.evidence(), "fingerprint": fingerprint(finding),
        "accepted": finding.accepted(),
    })
}
