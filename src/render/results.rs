//! `results.json`: every result, for machines. Its schema is `docs/results.schema.json`.

use std::io::Write;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use super::RenderError;
use crate::assess::{Assessment, ControlResult, Counts};
use crate::check::{Accepted, Finding, Outcome, Subject};
use crate::declared::{Attached, Parameter, Row};
use crate::evidence::{Cite, Reason, Tool};

#[derive(Serialize)]
struct Results<'a> {
    schema: &'static str,
    tenant: &'a str,
    period: Span,
    tool: &'a Tool,
    collector: CollectorLine<'a>,
    controls: Vec<ControlLine<'a>>,
    #[serde(serialize_with = "each_finding")]
    findings: &'a [Arc<Finding>],
}

/// One line after the other: there may be very many.
fn each_finding<S: Serializer>(findings: &[Arc<Finding>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(findings.iter().map(|finding| finding_line(finding)))
}

#[derive(Serialize)]
struct Span {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

/// The identity that collected.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CollectorLine<'a> {
    credential: &'a str,
    object_id: Option<&'a str>,
    app_id: Option<&'a str>,
    /// Records in which Azure says what it may do.
    effective: &'a [Cite],
    must_not_have: Vec<ExcessLine<'a>>,
    not_checked: &'a [String],
}

#[derive(Serialize)]
struct ExcessLine<'a> {
    by: &'a str,
    scope: &'a str,
    group: Option<&'a str>,
    gives: &'a [String],
    evidence: &'a [Cite],
}

#[derive(Serialize)]
struct ControlLine<'a> {
    id: &'a str,
    title: &'a str,
    criteria: Vec<&'a str>,
    conclusion: &'static str,
    counts: Counts,
    checks: &'a [String],
    /// Records that people made for it; left out where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attached: Vec<AttachedLine<'a>>,
    /// What the organisation sets for parameters of the NIST controls that it cites; left out where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<ParameterLine<'a>>,
}

#[derive(Serialize)]
struct ParameterLine<'a> {
    control: &'a str,
    parameter: &'a str,
    value: &'a str,
    since: Option<String>,
    until: Option<String>,
    row: &'a Cite,
}

#[derive(Serialize)]
struct AttachedLine<'a> {
    id: &'a str,
    title: &'a str,
    person: &'a str,
    date: String,
    period: Span,
    file: &'a Cite,
    sha256: &'a str,
}

#[derive(Serialize)]
struct FindingLine<'a> {
    check: &'a str,
    subject: &'a Subject,
    outcome: Outcome,
    because: &'a str,
    reason: Option<Reason>,
    evidence: &'a [Cite],
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<&'a Accepted>,
}

/// Writes `results.json`.
pub(super) fn results(assessment: &Assessment, out: &mut dyn Write) -> Result<(), RenderError> {
    let period = assessment.inputs.period;
    let results = Results {
        schema: "tickmark.results/v1",
        tenant: &assessment.head.tenant_id,
        period: Span { start: period.start, end: period.end },
        tool: &assessment.inputs.tool,
        collector: collector_line(assessment),
        controls: assessment.controls.iter().map(control_line).collect(),
        findings: &assessment.findings,
    };
    serde_json::to_writer_pretty(&mut *out, &results)?;
    Ok(out.write_all(b"\n")?)
}

fn collector_line(assessment: &Assessment) -> CollectorLine<'_> {
    let (run_as, own) = (&assessment.head.run_as, &assessment.own);
    let excess = own.excess.iter().map(|excess| ExcessLine {
        by: &excess.by,
        scope: &excess.scope,
        group: excess.group.as_deref(),
        gives: &excess.gives,
        evidence: &excess.evidence,
    });
    CollectorLine {
        credential: &run_as.credential,
        object_id: run_as.object_id.as_deref(),
        app_id: run_as.app_id.as_deref(),
        effective: &own.effective,
        must_not_have: excess.collect(),
        not_checked: &own.unread,
    }
}

fn control_line(result: &ControlResult) -> ControlLine<'_> {
    let control = &result.control;
    ControlLine {
        id: &control.id,
        title: &control.title,
        criteria: control.criteria.iter().chain(&control.nist).map(String::as_str).collect(),
        conclusion: result.conclusion.word(),
        counts: result.counts,
        checks: &control.checks,
        attached: result.attached.iter().map(attached_line).collect(),
        parameters: result.parameters.iter().map(parameter_line).collect(),
    }
}

fn parameter_line(row: &Row<Parameter>) -> ParameterLine<'_> {
    let says = &row.says;
    ParameterLine {
        control: says.control.as_str(),
        parameter: says.parameter.as_str(),
        value: says.value.as_str(),
        since: says.since.map(|day| day.to_string()),
        until: says.until.map(|day| day.to_string()),
        row: &row.from,
    }
}

fn attached_line(attached: &Attached) -> AttachedLine<'_> {
    AttachedLine {
        id: &attached.id,
        title: &attached.title,
        person: &attached.person,
        date: attached.date.to_string(),
        period: Span { start: attached.period.start, end: attached.period.end },
        file: &attached.from,
        sha256: &attached.sha256,
    }
}

fn finding_line(finding: &Finding) -> FindingLine<'_> {
    FindingLine {
        check: finding.check(),
        subject: finding.subject(),
        outcome: finding.outcome(),
        because: finding.because(),
        reason: finding.reason(),
        evidence: finding.evidence(),
        accepted: finding.accepted(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn results(assessment: &Assessment) -> Result<Vec<u8>, RenderError> {
        let mut bytes = Vec::new();
        super::results(assessment, &mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn a_sample_agrees_with_the_schema_beside_the_documentation() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../../docs/results.schema.json")).expect("the schema is JSON");
        let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
        for assessment in [testing::sample(), testing::hostile(), testing::empty()] {
            let bytes = results(&assessment).expect("results");
            let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new());
        }
        let mut open =
            serde_json::from_slice::<serde_json::Value>(&results(&testing::sample()).expect("results")).expect("JSON");
        open["findings"][0]["verdict"] = "clean".into();
        assert!(!validator.is_valid(&open), "the schema is closed");
    }

    #[test]
    fn the_schema_lists_every_reason() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../../docs/results.schema.json")).expect("the schema is JSON");
        let listed = &schema["$defs"]["reason"]["enum"];
        assert_eq!(*listed, serde_json::to_value(Reason::ALL).expect("JSON"));
    }

    #[test]
    fn keys_stand_in_the_documented_order_and_the_file_ends_with_a_line_feed() {
        let text = String::from_utf8(results(&testing::sample()).expect("results")).expect("UTF-8");
        assert!(text.starts_with("{\n  \"schema\": \"tickmark.results/v1\",\n  \"tenant\": "), "{text:.120}");
        assert!(text.contains("\"start\": \"2026-07-01T00:00:00Z\",\n    \"end\": \"2026-10-01T00:00:00Z\""));
        assert!(text.ends_with("]\n}\n"));
        assert!(text.contains("\"CC6.1\",\n        \"CC6.2\",\n        \"CC6.3\",\n        \"AC-2\","));
    }
}
