//! SARIF 2.1.0 (OASIS, errata 01): what needs attention, as results.
//!
//! An exception has the kind `fail`. What could not be judged is `open` ("insufficient information to decide") and
//! what waits for a person is `review`, both without a level, as the standard has it (3.27.9, 3.27.10). Passes are left
//! out, because many readers show every result as an alert whatever its kind; their number stands in the run's
//! properties. A location names the resource by its ARM id and the file of the evidence below the pack's folder.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::fingerprint;
use crate::assess::{CriterionLine, Overview, Standard};
use crate::check::{Finding, Outcome, Severity};
use crate::evidence::{CaptureStatus, Cite};
use crate::render::RenderError;
use crate::render::escape::visible;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What paths of evidence start from: the folder of the pack, or of the capture.
const BASE: &str = "PACK";
/// Characters of a message.
const MESSAGE: usize = 2_000;
/// Further places of evidence that a result names.
const RELATED: usize = 9;

/// The log.
pub fn sarif(overview: &Overview) -> Result<Vec<u8>, RenderError> {
    let mut bytes = serde_json::to_vec_pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [run(overview)],
    }))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn run(overview: &Overview) -> Value {
    let (head, tool) = (&overview.head, &overview.inputs.tool);
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut invocation = json!({
        "executionSuccessful": head.status == CaptureStatus::Complete,
        "startTimeUtc": time(head.started_at),
        "toolExecutionNotifications": overview.missing.iter().map(not_read).collect::<Vec<_>>(),
    });
    if let (Some(invocation), Some(ended)) = (invocation.as_object_mut(), head.ended_at) {
        invocation.insert("endTimeUtc".to_owned(), time(ended).into());
    }
    json!({
        "tool": {"driver": {
            "name": tool.name,
            "version": tool.version,
            "semanticVersion": tool.version,
            "rules": overview.checks.iter().map(|line| rule(overview, line.check)).collect::<Vec<_>>(),
            "supportedTaxonomies": STANDARDS.map(|standard| json!({"name": standard.word()})),
        }},
        "taxonomies": STANDARDS.map(|standard| taxonomy(overview, standard)),
        "automationDetails": {"id": format!("tickmark/{}/", head.tenant_id)},
        "invocations": [invocation],
        "originalUriBaseIds": {BASE: {"description": {"text": "The folder of the pack, or of the capture."}}},
        "columnKind": "unicodeCodePoints",
        "results": results(overview),
        "properties": {
            "tenant": head.tenant_id, "capture": head.capture_id, "period": overview.inputs.period,
            "counts": overview.counts(), "ruleSetSha256": tool.rule_set_sha256,
        },
    })
}

const STANDARDS: [Standard; 2] = [Standard::Soc2, Standard::Nist];

fn taxonomy(overview: &Overview, standard: Standard) -> Value {
    let own = overview.criteria.iter().filter(|line| line.standard == standard);
    let taxon = |line: &CriterionLine| json!({"id": line.id, "shortDescription": {"text": line.title}});
    let organization = match standard {
        Standard::Soc2 => "AICPA",
        Standard::Nist => "NIST",
    };
    json!({
        "name": standard.word(), "fullName": standard.words(), "organization": organization,
        "shortDescription": {"text": "Ids are the standard's; what stands beside them for SOC 2 is in words of our own."},
        "taxa": own.map(taxon).collect::<Vec<_>>(),
    })
}

fn rule(overview: &Overview, check: &crate::check::Check) -> Value {
    let citing = overview.criteria.iter().filter(|line| line.checks.contains(&check.id));
    let relation = |line: &CriterionLine| json!({"target": {"id": line.id, "toolComponent": {"name": line.standard.word()}}, "kinds": ["relevant"]});
    let tags: Vec<&str> = std::iter::once("security").chain(citing.clone().map(|line| line.id.as_str())).collect();
    json!({
        "id": check.id,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.asks},
        "help": {"text": format!("{}\n\nBlind to: {}", check.fix, check.blind_to)},
        "defaultConfiguration": {"level": level(check.severity)},
        "relationships": citing.map(relation).collect::<Vec<_>>(),
        "properties": {
            "tags": tags, "security-severity": security_severity(check.severity),
            "severity": check.severity.word(), "nature": check.nature.word(),
        },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The middle of the band that code scanning shows by the same word.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

fn results(overview: &Overview) -> Vec<Value> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let needs_attention =
        |finding: &&Finding| matches!(finding.outcome(), Outcome::Fail | Outcome::NotEvaluated | Outcome::Manual);
    let findings = overview.findings.iter().map(AsRef::as_ref).filter(needs_attention);
    findings
        .map(|finding| {
            let fingerprint = fingerprint(finding);
            let occurrence = seen.entry(fingerprint.clone()).or_default();
            *occurrence += 1;
            result(overview, finding, &fingerprint, *occurrence)
        })
        .collect()
}

fn result(overview: &Overview, finding: &Finding, fingerprint: &str, occurrence: usize) -> Value {
    let line = overview.check(finding.check());
    let (kind, level, begin) = match finding.outcome() {
        Outcome::Fail => ("fail", line.map_or("warning", |line| level(line.check.severity)), ""),
        Outcome::Manual => ("review", "none", "Awaits a person. "),
        _ => ("open", "none", "Not evaluated. "),
    };
    let subject = finding.subject();
    let message = format!("{begin}{}: {}", subject.name, finding.because());
    let mut evidence = finding.evidence().iter();
    let mut result = json!({
        "ruleId": finding.check(),
        "kind": kind,
        "level": level,
        "message": {"text": visible(&message, MESSAGE)},
        "locations": [location(finding, evidence.next())],
        "relatedLocations": evidence.take(RELATED).map(|cite| json!({"physicalLocation": physical(Some(cite))})).collect::<Vec<_>>(),
        // the second is the one that code scanning follows from run to run
        "partialFingerprints": {
            "checkAndSubject/v1": fingerprint,
            "primaryLocationLineHash": format!("{fingerprint}:{occurrence}"),
        },
        "properties": {"outcome": finding.outcome().word(), "reason": finding.reason(), "subject": subject},
    });
    let place = overview.checks.iter().position(|line| line.check.id == finding.check());
    if let (Some(result), Some(place)) = (result.as_object_mut(), place) {
        result.insert("ruleIndex".to_owned(), place.into());
    }
    if let (Some(result), Some(accepted)) = (result.as_object_mut(), finding.accepted()) {
        let justification = format!("accepted by {} until {}: {}", accepted.approver, accepted.until, accepted.reason);
        let suppression =
            json!([{"kind": "external", "status": "accepted", "justification": visible(&justification, MESSAGE)}]);
        result.insert("suppressions".to_owned(), suppression);
    }
    result
}

fn location(finding: &Finding, cite: Option<&Cite>) -> Value {
    let subject = finding.subject();
    json!({
        "physicalLocation": physical(cite),
        "logicalLocations": [{
            "name": visible(&subject.name, MESSAGE), "fullyQualifiedName": subject.id,
            "kind": if subject.id.starts_with('/') { "resource" } else { subject.kind.as_str() },
        }],
    })
}

/// The file of the evidence; for a question that was never put, the plan.
fn physical(cite: Option<&Cite>) -> Value {
    let uri = match cite {
        None => "plan.json".to_owned(),
        Some(cite) if cite.record() == "declared" => format!("declared/{}", cite.page()),
        Some(cite) => format!("evidence/{}/{}", cite.record(), cite.page()),
    };
    let pointer = cite.map(|cite| cite.pointer().into_owned()).unwrap_or_default();
    json!({
        "artifactLocation": {"uri": uri, "uriBaseId": BASE},
        "region": {"startLine": 1},
        "properties": {"jsonPointer": pointer},
    })
}

/// A question without a full answer: the tool's trouble, told beside the results.
fn not_read(input: &crate::assess::MissingInput) -> Value {
    let permissions: Vec<&str> = input.supply.permissions.iter().map(|(name, _)| name.as_str()).collect();
    let text = format!(
        "{} not read at {}: {}. What would supply it: {} {}",
        input.kind.words(),
        input.scopes.join(", "),
        input.reason.sentence(),
        permissions.join(", "),
        input.supply.what
    );
    json!({
        "level": "warning",
        "descriptor": {"id": input.reason},
        "message": {"text": visible(&text, MESSAGE)},
        "properties": {"kind": input.kind, "checks": input.checks},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_severity_has_the_level_and_the_band_of_its_word() {
        let of = |severity| (level(severity), security_severity(severity).parse::<f64>().expect("a number"));
        assert_eq!(of(Severity::Critical).0, "error");
        assert!(of(Severity::Critical).1 > 9.0);
        assert!((7.0..9.0).contains(&of(Severity::High).1));
        assert_eq!(of(Severity::Medium).0, "warning");
        assert!((4.0..7.0).contains(&of(Severity::Medium).1));
        assert_eq!(of(Severity::Info), ("note", 0.0));
    }
}
