//! Which questions were answered, and for which subject a gap matters.
//!
//! A check names what it needs and how far the need reaches; [`Coverage::missing`] answers what of it was not
//! read for one subject. A question that was never put counts as missing: silence is not an answer.

use std::collections::{BTreeMap, BTreeSet};

use super::Id;
use crate::evidence::{Capture, Cite, Kind, Reason};

/// What a check needs, and how far the need reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The kind of question.
    pub kind: Kind,
    /// How far.
    pub reach: Reach,
}

/// How far a need reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The list that the subjects come from. A gap anywhere leaves an unknown part of the population, which
    /// becomes a finding of its own; subjects that were read are judged.
    Population,
    /// Only the questions whose scope holds the subject: its subscription, the groups above it, itself.
    Own,
    /// Every question of the kind: one gap anywhere leaves every subject open.
    Whole,
}

/// Something that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What was asked.
    pub kind: Kind,
    /// Where.
    pub scope: String,
    /// Why there is no full answer.
    pub reason: Reason,
    /// One line with the cause and what would supply it.
    pub detail: String,
    /// The record that shows it; none when the question was never put.
    pub from: Option<Cite>,
}

/// How one question ended.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What was asked.
    pub kind: Kind,
    /// Where, as an id where it is one.
    pub scope: String,
    /// The record.
    pub from: Cite,
    /// Reason and detail of the gap, if it has one.
    pub gap: Option<(Reason, String)>,
}

/// Every question of a capture and how it ended.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    asked: BTreeMap<Kind, Vec<Asked>>,
    /// Planned questions that have no record.
    planned_only: Vec<(Kind, String)>,
    /// For each vault: the log questions (kind, scope) that its rows come from. Filled by the model.
    pub(super) logs_of: BTreeMap<Id, BTreeSet<(Kind, String)>>,
    /// Management groups above each subscription. Filled by the model.
    pub(super) above: BTreeMap<Id, Vec<Id>>,
    /// Subscriptions whose chain of management groups is not known up to the root. Filled by the model.
    pub(super) unknown_above: BTreeSet<Id>,
}

impl Coverage {
    /// Reads how each question of `capture` ended.
    pub fn of(capture: &Capture) -> Coverage {
        let mut coverage = Coverage::default();
        for record in &capture.records {
            coverage.asked.entry(record.kind).or_default().push(Asked {
                kind: record.kind,
                scope: record.scope.clone(),
                from: record.cite(),
                gap: record.gap.as_ref().map(|gap| (gap.reason, gap.detail.clone())),
            });
        }
        for question in &capture.plan.questions {
            let scope = Id::new(question.scope.clone());
            if !coverage.questions(question.kind).any(|asked| Id::new(asked.scope.clone()) == scope) {
                coverage.planned_only.push((question.kind, question.scope.clone()));
            }
        }
        coverage
    }

    /// Every question of one kind that has a record.
    pub fn questions(&self, kind: Kind) -> impl Iterator<Item = &Asked> {
        self.asked.get(&kind).into_iter().flatten()
    }

    /// Whether any question of this kind has a record.
    pub fn was_asked(&self, kind: Kind) -> bool {
        self.asked.contains_key(&kind)
    }

    /// What was not read of a kind, anywhere.
    pub fn missing_anywhere(&self, kind: Kind) -> Vec<Missing> {
        let mut missing: Vec<Missing> = self.questions(kind).filter_map(missing_of).collect();
        for (planned, scope) in self.planned_only.iter().filter(|(planned, _)| *planned == kind) {
            missing.push(never_asked(*planned, scope));
        }
        missing
    }

    /// What was not read that `need` asks for, for the subject with this id. An empty list means: all of it was.
    pub fn missing(&self, need: Need, subject: &Id) -> Vec<Missing> {
        match need.reach {
            Reach::Population => Vec::new(), // settled once for the check, not for each subject
            Reach::Whole => {
                let missing = self.missing_anywhere(need.kind);
                if missing.is_empty() && !self.was_asked(need.kind) && !self.is_derived(need.kind) {
                    return vec![never_asked(need.kind, "tenant")];
                }
                missing
            }
            Reach::Own => self.missing_for(need.kind, subject),
        }
    }

    /// Kinds that are asked only for things found: none found, none asked, nothing missing.
    fn is_derived(&self, kind: Kind) -> bool {
        matches!(
            kind,
            Kind::ManagementGroupDescendants
                | Kind::FederatedCredentials
                | Kind::DiagnosticSettings
                | Kind::Workspace
                | Kind::Tables
                | Kind::Principals
                | Kind::GroupMembers
                | Kind::VaultLogDedicated
                | Kind::VaultLogLegacy
                | Kind::VaultLogDedicatedCount
                | Kind::VaultLogLegacyCount
        )
    }

    fn missing_for(&self, kind: Kind, subject: &Id) -> Vec<Missing> {
        if let Kind::VaultLogDedicated | Kind::VaultLogLegacy | Kind::VaultLogDedicatedCount | Kind::VaultLogLegacyCount = kind {
            return self.missing_logs(kind, subject);
        }
        let covering: Vec<&Asked> = self.questions(kind).filter(|asked| self.holds(&asked.scope, subject)).collect();
        let mut missing: Vec<Missing> = covering.iter().filter_map(|asked| missing_of(asked)).collect();
        // Above a subscription there are further questions (`/`, groups); those alone do not answer for it.
        let answered_below_root = covering.iter().any(|asked| Id::new(asked.scope.clone()).is_at_or_above(subject) && asked.scope != "/");
        if !answered_below_root && subject.key() != "/" && subject.key().starts_with('/') {
            missing.push(never_asked(kind, subject.shown()));
        }
        if kind == Kind::RoleAssignments && self.is_above_unknown(subject) {
            missing.push(Missing {
                kind: Kind::ManagementGroups,
                scope: subject.shown().to_owned(),
                reason: Reason::HierarchyUnknown,
                detail: "assignments at management groups above it may exist; give the collector Management Group Reader at the tenant root group".to_owned(),
                from: self.questions(Kind::ManagementGroups).next().map(|asked| asked.from.clone()),
            });
        }
        missing
    }

    fn missing_logs(&self, kind: Kind, vault: &Id) -> Vec<Missing> {
        let Some(sources) = self.logs_of.get(vault) else { return Vec::new() };
        let of_kind = sources.iter().filter(|(source, _)| *source == kind);
        of_kind
            .filter_map(|(source, scope)| {
                let id = Id::new(scope.clone());
                match self.questions(*source).find(|asked| Id::new(asked.scope.clone()) == id) {
                    Some(asked) => missing_of(asked),
                    None => Some(never_asked(*source, scope)),
                }
            })
            .collect()
    }

    fn holds(&self, scope: &str, subject: &Id) -> bool {
        let scope = Id::new(scope);
        if scope.is_at_or_above(subject) {
            return true;
        }
        let Some(guid) = subject.subscription() else { return false };
        let subscription = Id::new(format!("/subscriptions/{guid}"));
        self.above.get(&subscription).is_some_and(|groups| groups.contains(&scope))
    }

    fn is_above_unknown(&self, subject: &Id) -> bool {
        let Some(guid) = subject.subscription() else { return false };
        self.unknown_above.contains(&Id::new(format!("/subscriptions/{guid}")))
    }
}

fn missing_of(asked: &Asked) -> Option<Missing> {
    let (reason, detail) = asked.gap.clone()?;
    Some(Missing { kind: asked.kind, scope: asked.scope.clone(), reason, detail, from: Some(asked.from.clone()) })
}

fn never_asked(kind: Kind, scope: &str) -> Missing {
    Missing {
        kind,
        scope: scope.to_owned(),
        reason: Reason::NotAsked,
        detail: format!("no question about {} was put at `{scope}`", kind.words()),
        from: None,
    }
}
