//! A finding begins with its subject and the record that shows it. There is no other way to build a pass.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::access::Open;
use crate::evidence::{Cite, Reason};
use crate::model::{Id, Missing, Text, Texts};

/// How a check ended for one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Pass,
    /// An exception.
    Fail,
    /// Proven not to apply.
    NotApplicable,
    /// Needs a person's record.
    Manual,
    /// Could not be judged; the reason says why. Never counts as a pass.
    NotEvaluated,
}

impl Outcome {
    /// The word in results and exports.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::NotApplicable => "not_applicable",
            Outcome::Manual => "manual",
            Outcome::NotEvaluated => "not_evaluated",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// `vault`, `managed_identity`, `principal`, `role_assignment`, `workspace`, `scope`, `collection`, …
    pub kind: Text,
    /// ARM id, object id or scope, as received.
    pub id: Text,
    /// Name for a reader.
    pub name: Text,
}

impl Subject {
    /// What makes it the same subject in another run: its id, compared without case. A pair, such as a vault and a
    /// caller of it, has the id of the first, so that the name of the second counts as well.
    pub fn key(&self) -> String {
        let id = self.id.to_lowercase();
        match self.name.split_once(" ← ") {
            Some((_, second)) => format!("{id} ← {second}"),
            None => id,
        }
    }
}

/// One result of one check for one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    check: &'static str,
    subject: Subject,
    outcome: Outcome,
    because: Arc<str>,
    reason: Option<Reason>,
    evidence: Box<[Cite]>,
    accepted: Option<Arc<Accepted>>,
}

/// A waiver that holds for a fail. The fail stays one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// Who accepted it.
    pub approver: String,
    /// Who answers for it.
    pub owner: String,
    /// Last day, UTC: `2026-12-31`.
    pub until: String,
    /// Why.
    pub reason: String,
    /// What is done instead.
    pub compensating: String,
    /// Where that was decided.
    pub ticket: Option<String>,
    /// The waiver.
    pub waiver: Cite,
}

impl Finding {
    /// Id of the check; empty until the runner has set it.
    pub fn check(&self) -> &'static str {
        self.check
    }

    /// What it is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// One sentence in lower case without a full stop.
    pub fn because(&self) -> &str {
        &self.because
    }

    /// Set for [`Outcome::NotEvaluated`] alone.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// The records that it rests on, each once, in order.
    pub fn evidence(&self) -> &[Cite] {
        &self.evidence
    }

    /// The waiver that holds for it; set for [`Outcome::Fail`] alone.
    pub fn accepted(&self) -> Option<&Accepted> {
        self.accepted.as_deref()
    }

    /// The same fail, accepted under a waiver; anything else is left as it is.
    pub(super) fn accept(&mut self, accepted: &Arc<Accepted>) {
        if self.outcome == Outcome::Fail {
            self.accepted = Some(accepted.clone());
        }
    }

    pub(crate) fn of_check(mut self, id: &'static str) -> Finding {
        self.check = id;
        self
    }

    /// The same finding, with texts that others have too.
    pub(super) fn sharing(mut self, texts: &Texts) -> Finding {
        for text in [&mut self.subject.kind, &mut self.subject.id, &mut self.subject.name] {
            *text = texts.text(text);
        }
        self.because = texts.of(&self.because);
        self
    }

    /// The same finding, taken back because something that it needed was not read.
    pub(super) fn taken_back(mut self, missing: &Missing) -> Finding {
        self.outcome = Outcome::NotEvaluated;
        self.because = missing_words(missing).into();
        self.reason = Some(missing.reason);
        let mut evidence = self.evidence.into_vec();
        evidence.extend(missing.from.clone());
        evidence.sort();
        evidence.dedup();
        self.evidence = evidence.into();
        self
    }
}

/// Begins a finding about a subject with the record that shows it.
pub fn about(kind: &str, id: &Id, name: &str, from: &Cite) -> About {
    About {
        subject: Subject { kind: kind.into(), id: id.shown().into(), name: name.into() },
        evidence: vec![from.clone()],
    }
}

/// A finding that has not ended yet.
#[derive(Clone, Debug)]
pub struct About {
    subject: Subject,
    evidence: Vec<Cite>,
}

impl About {
    /// Adds records that the finding rests on.
    pub fn citing<'a>(mut self, evidence: impl IntoIterator<Item = &'a Cite>) -> About {
        self.evidence.extend(evidence.into_iter().cloned());
        self
    }

    /// As it should be.
    pub fn pass(self, because: impl Into<String>) -> Finding {
        self.end(Outcome::Pass, because.into(), None)
    }

    /// An exception.
    pub fn fail(self, because: impl Into<String>) -> Finding {
        self.end(Outcome::Fail, because.into(), None)
    }

    /// Proven not to apply.
    pub fn not_applicable(self, because: impl Into<String>) -> Finding {
        self.end(Outcome::NotApplicable, because.into(), None)
    }

    /// Needs a person's record.
    pub fn manual(self, because: impl Into<String>) -> Finding {
        self.end(Outcome::Manual, because.into(), None)
    }

    /// Could not be judged.
    pub fn not_evaluated(self, reason: Reason, because: impl Into<String>) -> Finding {
        self.end(Outcome::NotEvaluated, because.into(), Some(reason))
    }

    /// Could not be judged, because of something that was not read.
    pub fn missing(self, missing: &Missing) -> Finding {
        let because = missing_words(missing);
        let from: Vec<Cite> = missing.from.iter().cloned().collect();
        self.citing(&from).not_evaluated(missing.reason, because)
    }

    /// Could not be judged, because a path to it is not settled.
    pub fn open(self, open: &Open) -> Finding {
        let from: Vec<Cite> = open.from.iter().cloned().collect();
        self.citing(&from).not_evaluated(open.reason, open.detail.clone())
    }

    fn end(mut self, outcome: Outcome, because: String, reason: Option<Reason>) -> Finding {
        self.evidence.sort();
        self.evidence.dedup();
        let (because, evidence) = (because.into(), self.evidence.into());
        Finding { check: "", subject: self.subject, outcome, because, reason, evidence, accepted: None }
    }
}

pub(super) fn missing_words(missing: &Missing) -> String {
    format!(
        "{} at `{}` not read: {}; {}",
        missing.kind.words(),
        missing.scope,
        missing.reason.sentence(),
        missing.detail
    )
}

/// A finding about an unread part of a population.
pub(super) fn unread(missing: &Missing) -> Finding {
    Finding {
        check: "",
        subject: Subject {
            kind: "scope".into(),
            id: missing.scope.as_str().into(),
            name: missing.scope.as_str().into(),
        },
        outcome: Outcome::NotEvaluated,
        because: missing_words(missing).into(),
        reason: Some(missing.reason),
        evidence: missing.from.iter().cloned().collect(),
        accepted: None,
    }
}

/// A finding that a population is proven empty.
pub(super) fn empty(tenant_id: &str, what: &str, evidence: Vec<Cite>) -> Finding {
    Finding {
        check: "",
        subject: Subject { kind: "tenant".into(), id: tenant_id.into(), name: tenant_id.into() },
        outcome: Outcome::NotApplicable,
        because: format!("the answers are complete and hold nothing to judge ({what})").into(),
        reason: None,
        evidence: evidence.into(),
        accepted: None,
    }
}
