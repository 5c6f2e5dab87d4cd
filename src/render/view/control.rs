//! One control: what it says, what was asked, what was found, and what that shows.

use serde::Serialize;

use super::front::conclusion_mark;
use super::tables::StoryView;
use super::{CiteView, Mark, OUTCOMES, Part, Places, bar, mark, population_file};
use crate::assess::{Assessment, ControlResult, Counts};
use crate::check::{Finding, Outcome, find_in};
use crate::control::{Criterion, Framework};
use crate::declared::{self, Attached, Declared, Parameter};
use crate::render::escape::Shown;
use crate::render::narrative;

/// Rows of a control that are shown for an outcome that needs no attention.
const CALM_ROWS: usize = 200;
/// Rows of a control that are shown of what could not be evaluated.
const OPEN_ROWS: usize = 1_000;
/// Rows of a control that are shown of its exceptions. More than a person reads; beyond it, the populations have them.
const FAIL_ROWS: usize = 2_000;
/// Places in the evidence that are shown for one finding.
const CITES: usize = 12;
/// With more break/fix timelines than this, a control refers to their section.
const STORIES: usize = 2;

#[derive(Serialize)]
pub(super) struct ControlView {
    id: String,
    anchor: String,
    title: String,
    says: String,
    conclusion: Mark,
    counts: Vec<Part>,
    total: usize,
    criteria: Vec<CriterionView>,
    checks: Vec<CheckView>,
    groups: Vec<Group>,
    proves: String,
    does_not_show: String,
    by_hand: Vec<String>,
    attached: Vec<AttachedView>,
    parameters: Vec<ParameterView>,
    narrative_html: String,
    narrative_markdown: String,
    /// Whether break/fix timelines belong to it.
    shows_stories: bool,
    /// The timelines, when they are few.
    stories: Vec<StoryView>,
    story_count: usize,
}

/// What the organisation sets for a parameter of a NIST control.
#[derive(Serialize)]
struct ParameterView {
    control: Shown,
    parameter: Shown,
    value: Shown,
    until: Option<String>,
    row: CiteView,
}

#[derive(Serialize)]
struct CriterionView {
    standard: &'static str,
    id: String,
    title: String,
    about: String,
    note: String,
}

#[derive(Serialize)]
struct CheckView {
    id: String,
    title: &'static str,
    severity: &'static str,
    nature: &'static str,
    asks: &'static str,
    blind_to: &'static str,
    population: usize,
    results: Vec<Part>,
    /// File of the population, beside the report.
    file: Option<String>,
}

/// The findings of one outcome.
#[derive(Serialize)]
struct Group {
    #[serde(flatten)]
    mark: Mark,
    heading: &'static str,
    total: usize,
    rows: Vec<Row>,
    /// Rows that are left out here.
    more: usize,
    /// Where they are.
    files: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    check: &'static str,
    severity: &'static str,
    name: Shown,
    kind: Shown,
    id: Shown,
    because: Shown,
    reason: Option<&'static str>,
    accepted: Option<AcceptedView>,
    evidence: Vec<CiteView>,
    more_evidence: usize,
}

/// The waiver that holds for an exception.
#[derive(Serialize)]
struct AcceptedView {
    approver: Shown,
    until: Shown,
    reason: Shown,
    compensating: Shown,
    waiver: CiteView,
}

/// A record that somebody made for the control.
#[derive(Serialize)]
struct AttachedView {
    id: String,
    title: Shown,
    person: Shown,
    date: String,
    period: String,
    name: Shown,
    file: CiteView,
}

pub(super) fn controls(
    assessment: &Assessment,
    framework: &Framework,
    places: &Places<'_>,
    stories: &[StoryView],
) -> Vec<ControlView> {
    let of_controls = assessment.controls.iter();
    of_controls.map(|result| control(assessment, result, framework, places, stories)).collect()
}

fn control(
    assessment: &Assessment,
    result: &ControlResult,
    framework: &Framework,
    places: &Places<'_>,
    stories: &[StoryView],
) -> ControlView {
    let control = &result.control;
    let cited = |finding: &&Finding| control.checks.iter().any(|check| check == finding.check());
    let findings: Vec<&Finding> = assessment.findings.iter().map(AsRef::as_ref).filter(cited).collect();
    let shows_stories = control.shows.iter().any(|table| table == "break_fix");
    let few = shows_stories && stories.len() <= STORIES;
    ControlView {
        id: control.id.clone(),
        anchor: anchor(&control.id),
        title: control.title.clone(),
        says: control.says.clone(),
        conclusion: conclusion_mark(result.conclusion),
        counts: bar(OUTCOMES.map(|outcome| (mark(outcome), count_of(&result.counts, outcome)))),
        total: OUTCOMES.iter().map(|outcome| count_of(&result.counts, *outcome)).sum(),
        criteria: criteria(result, framework),
        checks: control.checks.iter().map(|check| check_view(assessment, check)).collect(),
        groups: OUTCOMES
            .iter()
            .filter_map(|outcome| group(*outcome, &findings, places, &assessment.inputs.declared))
            .collect(),
        proves: control.proves.clone(),
        does_not_show: control.does_not_show.clone(),
        by_hand: control.by_hand.clone(),
        attached: result.attached.iter().map(|attached| attached_view(attached, places)).collect(),
        parameters: result.parameters.iter().map(|row| parameter_view(row, places)).collect(),
        narrative_html: narrative::to_html(&control.narrative),
        narrative_markdown: narrative::to_markdown(&control.narrative),
        shows_stories,
        stories: if few { stories.to_vec() } else { Vec::new() },
        story_count: stories.len(),
    }
}

/// An id for the control's section: letters, digits and hyphens, whatever the customer calls it.
fn anchor(id: &str) -> String {
    let plain = id.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect::<String>();
    format!("control-{plain}")
}

fn count_of(counts: &Counts, outcome: Outcome) -> usize {
    match outcome {
        Outcome::Pass => counts.pass,
        Outcome::Fail => counts.fail,
        Outcome::NotApplicable => counts.not_applicable,
        Outcome::Manual => counts.manual,
        Outcome::NotEvaluated => counts.not_evaluated,
    }
}

fn criteria(result: &ControlResult, framework: &Framework) -> Vec<CriterionView> {
    let view = |standard, id: &str, known: Option<&Criterion>| CriterionView {
        standard,
        id: id.to_owned(),
        title: known.map(|known| known.title.clone()).unwrap_or_default(),
        about: known.map(|known| known.about.clone()).unwrap_or_default(),
        note: known.map(|known| known.note.clone()).unwrap_or_default(),
    };
    let soc2 = result.control.criteria.iter().map(|id| view("SOC 2", id, framework.criterion(id)));
    let nist = result.control.nist.iter().map(|id| view("NIST SP 800-53", id, framework.nist(id)));
    soc2.chain(nist).collect()
}

fn check_view(assessment: &Assessment, id: &str) -> CheckView {
    let population = assessment.populations.iter().find(|population| population.check == id);
    let items = population.map_or(&[][..], |population| &population.items);
    let known = find_in(&assessment.inputs.declared, id);
    CheckView {
        id: id.to_owned(),
        title: known.map_or_else(|| population.map_or("", |population| population.title), |check| check.title),
        severity: known.map_or("", |check| check.severity.word()),
        nature: known.map_or("", |check| check.nature.word()),
        asks: known.map_or("", |check| check.asks),
        blind_to: known.map_or("", |check| check.blind_to),
        population: items.len(),
        results: bar(
            OUTCOMES.map(|outcome| (mark(outcome), items.iter().filter(|item| item.outcome() == outcome).count()))
        ),
        file: population.map(|population| population_file(population.check)),
    }
}

fn group(outcome: Outcome, findings: &[&Finding], places: &Places<'_>, declared: &Declared) -> Option<Group> {
    let of_outcome: Vec<&Finding> = findings.iter().copied().filter(|finding| finding.outcome() == outcome).collect();
    let shown = match outcome {
        Outcome::Fail => FAIL_ROWS,
        Outcome::NotEvaluated => OPEN_ROWS,
        Outcome::Manual | Outcome::Pass | Outcome::NotApplicable => CALM_ROWS,
    };
    let mut files: Vec<String> =
        of_outcome.iter().skip(shown).map(|finding| population_file(finding.check())).collect();
    files.dedup();
    let heading = match outcome {
        Outcome::Fail => "Exceptions",
        Outcome::NotEvaluated => "Not evaluated",
        Outcome::Manual => "Awaits a person",
        Outcome::Pass => "No exception",
        Outcome::NotApplicable => "Not applicable",
    };
    (!of_outcome.is_empty()).then(|| Group {
        mark: mark(outcome),
        heading,
        total: of_outcome.len(),
        rows: of_outcome.iter().take(shown).map(|finding| row(finding, places, declared)).collect(),
        more: of_outcome.len().saturating_sub(shown),
        files,
    })
}

fn parameter_view(row: &declared::Row<Parameter>, places: &Places<'_>) -> ParameterView {
    let says = &row.says;
    ParameterView {
        control: Shown::name(says.control.as_str()),
        parameter: Shown::sentence(says.parameter.as_str()),
        value: Shown::sentence(says.value.as_str()),
        until: says.until.map(|day| day.to_string()),
        row: places.view(&row.from),
    }
}

fn attached_view(attached: &Attached, places: &Places<'_>) -> AttachedView {
    AttachedView {
        id: attached.id.clone(),
        title: Shown::sentence(&attached.title),
        person: Shown::name(&attached.person),
        date: attached.date.to_string(),
        period: attached.period.to_string(),
        name: Shown::name(&attached.name),
        file: places.view(&attached.from),
    }
}

fn row(finding: &Finding, places: &Places<'_>, declared: &Declared) -> Row {
    let subject = finding.subject();
    let reason = finding.reason().map(|reason| reason.sentence());
    Row {
        check: finding.check(),
        severity: match finding.outcome() {
            Outcome::Fail => find_in(declared, finding.check()).map_or("", |check| check.severity.word()),
            _ => "",
        },
        name: Shown::name(&subject.name),
        kind: Shown::name(&subject.kind.replace('_', " ")),
        id: Shown::sentence(if subject.id == subject.name { "" } else { &subject.id }),
        because: Shown::sentence(finding.because()),
        accepted: finding.accepted().map(|accepted| AcceptedView {
            approver: Shown::name(&accepted.approver),
            until: Shown::name(&accepted.until),
            reason: Shown::sentence(&accepted.reason),
            compensating: Shown::sentence(&accepted.compensating),
            waiver: places.view(&accepted.waiver),
        }),
        reason: reason.filter(|sentence| !finding.because().contains(sentence)),
        evidence: finding.evidence().iter().take(CITES).map(|cite| places.view(cite)).collect(),
        more_evidence: finding.evidence().len().saturating_sub(CITES),
    }
}
