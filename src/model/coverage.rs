//! Which questions were answered, and for which subject a gap matters.
//!
//! A check names what it needs and how far the need reaches; [`Coverage::missing`] answers what of it was not
//! read for one subject. A question that was never put counts as missing: silence is not an answer.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Id;
use crate::evidence::{Capture, CaptureStatus, Cite, Expected, Kind, Over, Reason, Record};

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
    /// Whichever questions the check finds to matter: it leaves a subject open itself. Of the members of a hundred
    /// groups, those count whose group holds a role that the check is about.
    Judged,
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
    /// Places in `asked`, by scope. Looked up for every subject of every check, and never gone through.
    at: HashMap<(Kind, Id), Vec<usize>>,
    /// Places in `asked` of those with a gap. They are few, and asked for very often.
    with_gap: BTreeMap<Kind, BTreeSet<usize>>,
    /// Questions that were planned, or that follow from what was found, and have no record.
    unasked: BTreeMap<Kind, BTreeSet<Id>>,
    /// Questions that were answered whole about less than the period, because the source keeps no more: by kind and
    /// scope, with the detail and the record.
    out_of_reach: BTreeMap<(Kind, Id), (String, Cite)>,
    /// What the configuration expects to exist.
    expected: Expected,
    /// Whether the collection reached its end.
    finished: bool,
    /// For each vault: the log questions (kind, scope) that its rows come from. Filled by the model.
    pub(super) logs_of: BTreeMap<Id, BTreeSet<(Kind, String)>>,
    /// All of these, each once: very many vaults share few of them. Filled by the model.
    pub(super) log_sources: BTreeSet<(Kind, String)>,
    /// Log questions beyond those of vaults to whose table no setting sends. Filled by the model.
    pub(super) idle_tables: BTreeSet<(Kind, Id)>,
    /// For each vault: the workspaces that its audit events are sent to. Filled by the model.
    pub(super) workspaces_of: BTreeMap<Id, BTreeSet<Id>>,
    /// Management groups above each subscription and each group. Filled by the model.
    pub(super) above: BTreeMap<Id, Vec<Id>>,
    /// Subscriptions and groups whose chain of management groups is not known up to the root. Filled by the model.
    pub(super) unknown_above: BTreeSet<Id>,
}

impl Coverage {
    /// Reads how each question of `capture` ended.
    pub fn of(capture: &Capture) -> Coverage {
        let mut coverage = Coverage {
            expected: capture.plan.expected.clone(),
            finished: capture.head.status == CaptureStatus::Complete,
            ..Coverage::default()
        };
        for record in &capture.records {
            let asked = coverage.asked.entry(record.kind).or_default();
            let place = (record.kind, Id::new(record.scope.clone()));
            coverage.at.entry(place).or_default().push(asked.len());
            let gap = gap_of(record);
            if gap.is_some() {
                coverage.with_gap.entry(record.kind).or_default().insert(asked.len());
            }
            asked.push(Asked { kind: record.kind, scope: record.scope.clone(), from: record.cite(), gap });
        }
        for question in &capture.plan.questions {
            coverage.expect(question.kind, &Id::new(question.scope.clone()));
        }
        coverage
    }

    /// Makes a question that was answered a gap, because its answer could not be read whole. A gap that it has
    /// already stays as it is.
    pub(super) fn mark(&mut self, record: &Record, reason: Reason, detail: &str) {
        let of_kind = self.asked.entry(record.kind).or_default();
        let mut numbered = of_kind.iter_mut().enumerate();
        if let Some((place, asked)) = numbered.find(|(_, asked)| asked.from.record() == record.evidence_id) {
            asked.gap.get_or_insert_with(|| (reason, detail.to_owned()));
            self.with_gap.entry(record.kind).or_default().insert(place);
        }
    }

    /// Says that the source no longer keeps a part of the period. The question was answered as far as it can be, so
    /// that the collection lacks nothing; who needs the whole period does.
    pub(super) fn falls_short(&mut self, record: &Record, detail: String) {
        self.out_of_reach.insert((record.kind, Id::new(record.scope.clone())), (detail, record.cite()));
    }

    /// The parts of the period that sources no longer keep, of questions that were answered for the rest of it. One
    /// that was not is missing as a whole.
    pub fn out_of_reach(&self) -> impl Iterator<Item = Missing> {
        let is_answered =
            |kind: Kind, scope: &Id| self.are_at(kind, scope.shown()).into_iter().any(|asked| asked.gap.is_none());
        let parts = self.out_of_reach.iter().filter(move |((kind, scope), _)| is_answered(*kind, scope));
        parts.map(no_longer_kept)
    }

    /// Those of one kind.
    fn out_of_reach_of(&self, kind: Kind) -> impl Iterator<Item = Missing> {
        self.out_of_reach.iter().filter(move |((of, _), _)| *of == kind).map(no_longer_kept)
    }

    /// Says that a question should have been put. Without a record it counts as missing.
    pub(super) fn expect(&mut self, kind: Kind, scope: &Id) {
        if !self.at.contains_key(&(kind, scope.clone())) {
            self.unasked.entry(kind).or_default().insert(scope.clone());
        }
    }

    /// Whether the answer that `record` keeps was whole and could be read whole.
    pub(super) fn is_whole(&self, record: &Record) -> bool {
        let mut asked = self.are_at(record.kind, &record.scope).into_iter();
        asked.any(|asked| asked.from.record() == record.evidence_id && asked.gap.is_none())
    }

    /// What the configuration expects to exist.
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// Whether the collection reached its end.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Every question of one kind that has a record.
    pub fn questions(&self, kind: Kind) -> impl Iterator<Item = &Asked> {
        self.asked.get(&kind).into_iter().flatten()
    }

    /// Those of them that have a gap.
    fn gaps_of(&self, kind: Kind) -> impl Iterator<Item = &Asked> {
        let of_kind = self.asked.get(&kind).map(Vec::as_slice).unwrap_or_default();
        self.with_gap.get(&kind).into_iter().flatten().filter_map(|place| of_kind.get(*place))
    }

    /// The questions of one kind at exactly this scope.
    pub fn at(&self, kind: Kind, scope: &Id) -> impl Iterator<Item = &Asked> {
        let places = self.at.get(&(kind, scope.clone())).into_iter().flatten();
        places.filter_map(move |place| self.asked.get(&kind)?.get(*place))
    }

    /// The questions of one kind whose scope holds the subject by its path, in the order of the records.
    pub fn above(&self, kind: Kind, subject: &Id) -> Vec<&Asked> {
        let key = subject.key();
        let ends = key.char_indices().filter(|(_, c)| *c == '/').map(|(end, _)| end).chain([key.len()]);
        let scopes = ends.filter_map(|end| key.get(..end)).filter(|scope| !scope.is_empty());
        let root = key.starts_with('/').then_some("/");
        let at =
            scopes.chain(root.filter(|root| *root != key)).filter_map(|scope| self.at.get(&(kind, Id::new(scope))));
        let mut places: Vec<usize> = at.flatten().copied().collect();
        places.sort_unstable();
        places.into_iter().filter_map(|place| self.asked.get(&kind)?.get(place)).collect()
    }

    /// Whether there is a record of this evidence id.
    pub fn has_record(&self, evidence_id: &str) -> bool {
        self.asked.values().flatten().any(|asked| asked.from.record() == evidence_id)
    }

    /// Whether any question of this kind has a record.
    pub fn was_asked(&self, kind: Kind) -> bool {
        self.asked.contains_key(&kind)
    }

    /// What was not read of a kind, anywhere.
    pub fn missing_anywhere(&self, kind: Kind) -> Vec<Missing> {
        let mut missing: Vec<Missing> =
            self.gaps_of(kind).filter(|asked| self.excuse(asked).is_none()).filter_map(missing_of).collect();
        let unasked = self.unasked.get(&kind).into_iter().flatten();
        missing.extend(unasked.map(|scope| never_asked(kind, scope.shown())));
        if kind.is_log() {
            let unasked = self
                .log_sources
                .iter()
                .filter(|(source, scope)| *source == kind && self.are_at(kind, scope).is_empty());
            missing.extend(unasked.map(|(_, scope)| never_asked(kind, scope)));
        }
        missing
    }

    /// What leaves part of a population unknown: questions of the kind that were not answered whole, and lists that
    /// say where such questions are to be put. A subscription that no list showed was never asked for its vaults.
    pub fn missing_of_population(&self, kind: Kind) -> Vec<Missing> {
        let mut missing = self.missing_anywhere(kind);
        if kind.is_per_subscription() {
            missing.extend(self.missing_subscriptions());
        }
        if kind.holds_downwards() {
            missing.extend(self.missing_anywhere(Kind::ManagementGroups));
        }
        missing.extend(self.out_of_reach_of(kind));
        missing
    }

    /// Gaps in the lists that the subscriptions come from; none where the configuration names them all.
    fn missing_subscriptions(&self) -> Vec<Missing> {
        let groups = &self.expected.management_groups;
        if groups.is_empty() {
            let lists = if self.expected.subscriptions.is_empty() { Some(Kind::Subscriptions) } else { None };
            return lists.into_iter().flat_map(|kind| self.missing_anywhere(kind)).collect();
        }
        let name = |id: &str| Id::new(id.trim_end_matches('/')).name().to_lowercase();
        let is_expected = |missing: &Missing| groups.iter().any(|group| name(group) == name(&missing.scope));
        self.missing_anywhere(Kind::ManagementGroupDescendants).into_iter().filter(is_expected).collect()
    }

    /// What was not read that `need` asks for, for the subject with this id. An empty list means: all of it was.
    pub fn missing(&self, need: Need, subject: &Id) -> Vec<Missing> {
        match need.reach {
            Reach::Population | Reach::Judged => Vec::new(), // settled for the check at once, or by the check itself
            Reach::Whole => self.missing_of_whole(need.kind),
            Reach::Own => self.missing_for(need.kind, subject),
        }
    }

    fn missing_of_whole(&self, kind: Kind) -> Vec<Missing> {
        let missing = self.missing_of_population(kind);
        let is_of_tenant = kind.is_log() && !kind.is_vault_log();
        if missing.is_empty() && is_of_tenant && self.questions(kind).all(|asked| asked.gap.is_some()) {
            // That no workspace has the table says that nobody keeps that log, not that nothing happened.
            let gaps: Vec<Missing> = self.questions(kind).filter_map(missing_of).collect();
            return if gaps.is_empty() { vec![never_asked(kind, "tenant")] } else { gaps };
        }
        if missing.is_empty() && !self.was_asked(kind) && !kind.is_per_thing_found() {
            return vec![never_asked(kind, "tenant")];
        }
        missing
    }

    fn missing_for(&self, kind: Kind, subject: &Id) -> Vec<Missing> {
        let is_path = subject.key().starts_with('/');
        match kind {
            Kind::ManagementGroupDescendants => {
                let mut missing = self.missing_of_whole(kind);
                missing.extend(self.missing_above(subject));
                missing
            }
            _ if prefix_of(kind).is_some() => self.missing_of_object(kind, subject),
            _ if kind.is_vault_log() && self.is_vault(subject) => self.missing_logs(kind, subject),
            Kind::Tables | Kind::Workspace if self.is_vault(subject) => self.missing_of_workspaces(kind, subject),
            _ if is_path && types_of_things(kind).next().is_some() => self.missing_of_thing(kind, subject),
            _ if is_path && kind.holds_downwards() => self.missing_downwards(kind, subject),
            _ if kind.is_per_subscription() => match subscription_of(subject) {
                Some(subscription) => self.missing_at(kind, subscription.shown()),
                // A group or the root: what holds there is listed by the subscriptions below, so by all of them.
                None => self.missing_of_whole(kind),
            },
            // A list of the whole tenant; or a subject that is no path, so that any question may hold it.
            _ => self.missing_of_whole(kind),
        }
    }

    /// The questions at exactly this scope.
    fn are_at(&self, kind: Kind, scope: &str) -> Vec<&Asked> {
        let places = self.at.get(&(kind, Id::new(scope))).into_iter().flatten();
        places.filter_map(|place| self.asked.get(&kind)?.get(*place)).collect()
    }

    /// What is missing of the question at exactly this scope.
    pub(super) fn missing_at(&self, kind: Kind, scope: &str) -> Vec<Missing> {
        let asked = self.are_at(kind, scope);
        if asked.is_empty() && self.is_told_by_the_vault(kind, scope) {
            return Vec::new();
        }
        if asked.is_empty() {
            return vec![never_asked(kind, scope)];
        }
        let out_of_reach = self.out_of_reach.get_key_value(&(kind, Id::new(scope))).map(no_longer_kept);
        asked.into_iter().filter_map(missing_of).chain(out_of_reach).collect()
    }

    /// Whether a vault has itself told all that Resource Manager would be asked for.
    fn is_told_by_the_vault(&self, kind: Kind, scope: &str) -> bool {
        let own = match kind {
            Kind::VaultKeys => Kind::VaultDataKeys,
            Kind::VaultSecrets => Kind::VaultDataSecrets,
            _ => return false,
        };
        self.is_answered_at(own, &Id::new(scope))
    }

    /// Whether the question at exactly this scope was put and answered whole.
    pub(super) fn is_answered_at(&self, kind: Kind, scope: &Id) -> bool {
        let asked = self.are_at(kind, scope.shown());
        !asked.is_empty() && asked.iter().all(|asked| asked.gap.is_none())
    }

    /// What holds downwards: the subscription's own list, those of every group above it, and that at the root where
    /// there is one are all needed.
    fn missing_downwards(&self, kind: Kind, subject: &Id) -> Vec<Missing> {
        let Some(start) = subscription_of(subject).or_else(|| group_of(subject)) else {
            return match subject.key() {
                "/" if kind.over().contains(&Over::Root) => self.missing_at(kind, "/"),
                _ => self.missing_of_whole(kind),
            };
        };
        let mut missing = self.missing_at(kind, start.shown());
        for group in self.above.get(&start).into_iter().flatten() {
            missing.extend(self.missing_at(kind, group.shown()));
        }
        if kind.over().contains(&Over::Root) {
            missing.extend(self.missing_at(kind, "/"));
        }
        missing.extend(self.missing_above(subject));
        missing
    }

    /// That the groups above the subject are not known.
    fn missing_above(&self, subject: &Id) -> Option<Missing> {
        let start = subscription_of(subject).or_else(|| group_of(subject))?;
        // A place that the model never met has no known chain either.
        if self.above.contains_key(&start) && !self.unknown_above.contains(&start) {
            return None;
        }
        Some(Missing {
            kind: Kind::ManagementGroups,
            scope: subject.shown().to_owned(),
            reason: Reason::HierarchyUnknown,
            detail: "assignments at management groups above it may exist; give the collector Management Group Reader at the tenant root group".to_owned(),
            from: self.questions(Kind::ManagementGroups).next().map(|asked| asked.from.clone()),
        })
    }

    /// Of a kind that is asked for each thing found: the question about the thing that the subject is or lies
    /// in; for a subject that lies above such things, the questions about all of them.
    fn missing_of_thing(&self, kind: Kind, subject: &Id) -> Vec<Missing> {
        if let Some(thing) = thing_of(kind, subject) {
            return self.missing_at(kind, thing.shown());
        }
        let is_below = |scope: &str| subject.is_at_or_above(&Id::new(scope));
        self.missing_anywhere(kind).into_iter().filter(|missing| is_below(&missing.scope)).collect()
    }

    /// Of a kind that is asked for each object of a family in the directory, such as a group: the question about the
    /// subject if it is one; whoever is not one may be in any of them, so all.
    fn missing_of_object(&self, kind: Kind, subject: &Id) -> Vec<Missing> {
        let prefix = prefix_of(kind).unwrap_or_default();
        let scope = format!("{prefix}{}", subject.key().trim_start_matches(prefix));
        let own = Id::new(scope.clone());
        let is_one = self.at.contains_key(&(kind, own.clone()))
            || self.unasked.get(&kind).is_some_and(|unasked| unasked.contains(&own));
        if is_one { self.missing_at(kind, &scope) } else { self.missing_of_whole(kind) }
    }

    fn is_vault(&self, subject: &Id) -> bool {
        thing_of(Kind::DiagnosticSettings, subject).is_some()
    }

    /// The log of a vault lies where its diagnostic settings say; unread settings leave that open.
    fn missing_logs(&self, kind: Kind, subject: &Id) -> Vec<Missing> {
        let Some(vault) = thing_of(Kind::DiagnosticSettings, subject) else { return Vec::new() };
        let mut missing = self.missing_at(Kind::DiagnosticSettings, vault.shown());
        let sources = self.logs_of.get(&vault).into_iter().flatten();
        let of_kind = sources.filter(|(source, _)| *source == kind);
        missing.extend(of_kind.flat_map(|(source, scope)| self.missing_at(*source, scope)));
        missing
    }

    /// What is missing about the workspaces that a vault's log is sent to.
    fn missing_of_workspaces(&self, kind: Kind, subject: &Id) -> Vec<Missing> {
        let Some(vault) = thing_of(Kind::DiagnosticSettings, subject) else { return Vec::new() };
        let mut missing = self.missing_at(Kind::DiagnosticSettings, vault.shown());
        for workspace in self.workspaces_of.get(&vault).into_iter().flatten() {
            match kind {
                // Asked only for a workspace that no list showed.
                Kind::Workspace => {
                    missing.extend(self.are_at(kind, workspace.shown()).into_iter().filter_map(missing_of));
                }
                _ => missing.extend(self.missing_at(kind, workspace.shown())),
            }
        }
        missing
    }

    /// Questions whose refusal is an answer, each with what it says, in words.
    pub fn excused(&self) -> impl Iterator<Item = (&Asked, &'static str)> {
        self.asked.values().flatten().filter_map(|asked| Some((asked, self.excuse(asked)?)))
    }

    fn excuse(&self, asked: &Asked) -> Option<&'static str> {
        let (reason, _) = asked.gap.as_ref()?;
        match self.is_idle_table(asked) {
            true if is_of_vaults(asked) => Some("no such table, and no vault that writes to it"),
            true => Some("no such table, and no setting that sends to it"),
            false => excuse(asked.kind, *reason),
        }
    }

    /// Both shapes are asked of every workspace. A table that does not exist there, and that no setting sends
    /// to, holds nothing: that is an answer.
    fn is_idle_table(&self, asked: &Asked) -> bool {
        let is_table_missing = matches!(asked.gap, Some((Reason::TableMissing, _)));
        is_table_missing && asked.kind.is_log() && {
            let scope = Id::new(asked.scope.clone());
            if !is_of_vaults(asked) {
                return self.idle_tables.contains(&(asked.kind, scope));
            }
            let mut sources = self.log_sources.iter();
            !sources.any(|(kind, source)| *kind == asked.kind && Id::new(source.clone()) == scope)
        }
    }
}

/// Whether the question is about a table that vaults write to.
fn is_of_vaults(asked: &Asked) -> bool {
    let tables = ["/AZKVAuditLogs", "/AzureDiagnostics"];
    let is_table = asked.kind == Kind::LogContinuity && tables.iter().any(|table| asked.scope.ends_with(table));
    asked.kind.is_vault_log() || is_table
}

/// What a refusal says, in words, where it is an answer and no gap.
pub fn excuse(kind: Kind, reason: Reason) -> Option<&'static str> {
    match (kind, reason) {
        (_, Reason::Retired) => Some("retired by the service, so that nothing is granted by it"),
        // A preview that clouds need not have. There is then no second count, which makes nothing less whole.
        (Kind::RoleAssignmentsUsageMetrics, Reason::NotInCloud | Reason::NotFound | Reason::Refused) => {
            Some("not offered, so that there is no second count")
        }
        // Without the licence nobody can activate a role, and those that could be activated are taken away
        // (learn:entra/id-governance/licensing-fundamentals, when a license expires).
        (kind, Reason::NotLicensed) if kind.is_privileged_management() => {
            Some("not licensed, so that no role or membership can be activated there")
        }
        _ => None,
    }
}

/// The gap of a record: the one that it names, or the one that its own numbers give away.
fn gap_of(record: &Record) -> Option<(Reason, String)> {
    if let Some(gap) = &record.gap {
        return Some((gap.reason, gap.detail.clone()));
    }
    if record.truncated || record.last_next_link.is_some() {
        return Some((Reason::CutShort, "the record says that the chain of pages broke off".to_owned()));
    }
    if record.pages.is_empty() {
        return Some((Reason::Malformed, "the record keeps no page and names no gap".to_owned()));
    }
    let off = record.control_totals.iter().find(|total| total.expected != total.read)?;
    Some((Reason::TotalsDiffer, format!("{} rows were read where {} says {}", off.read, off.source, off.expected)))
}

fn subscription_of(subject: &Id) -> Option<Id> {
    Some(Id::new(format!("/subscriptions/{}", subject.subscription()?)))
}

/// The management group that the subject is or lies in by its path.
fn group_of(subject: &Id) -> Option<Id> {
    const ABOVE: &str = "/providers/microsoft.management/managementgroups/";
    let name = subject.key().strip_prefix(ABOVE)?.split('/').next()?;
    Some(Id::new(format!("{ABOVE}{name}")))
}

/// What stands before the object id in the scopes of `kind`, for one that is asked about objects of the directory.
fn prefix_of(kind: Kind) -> Option<&'static str> {
    kind.over().iter().find_map(|over| over.prefix())
}

/// The resource types whose things `kind` is asked about, lower case, what lies in another one first.
fn types_of_things(kind: Kind) -> impl Iterator<Item = &'static str> {
    kind.over().iter().rev().filter_map(|over| over.resource_type())
}

/// The thing of the type that `kind` is asked for that the subject is or lies in by its path.
fn thing_of(kind: Kind, subject: &Id) -> Option<Id> {
    types_of_things(kind).find_map(|of_type| thing_of_type(of_type, subject))
}

/// The thing of a type that the subject is or lies in: a name follows each segment of the type.
fn thing_of_type(of_type: &str, subject: &Id) -> Option<Id> {
    let (namespace, types) = of_type.split_once('/')?;
    let (above, rest) = subject.key().split_once(&format!("/providers/{namespace}/"))?;
    let mut thing = format!("{above}/providers/{namespace}");
    let mut segments = rest.split('/');
    for segment in types.split('/') {
        let name = segments.next().filter(|own| *own == segment).and_then(|_| segments.next());
        thing = format!("{thing}/{segment}/{}", name.filter(|name| !name.is_empty())?);
    }
    Some(Id::new(thing))
}

fn missing_of(asked: &Asked) -> Option<Missing> {
    let (reason, detail) = asked.gap.clone()?;
    Some(Missing { kind: asked.kind, scope: asked.scope.clone(), reason, detail, from: Some(asked.from.clone()) })
}

/// What a source no longer keeps.
fn no_longer_kept(((kind, scope), (detail, from)): (&(Kind, Id), &(String, Cite))) -> Missing {
    Missing {
        kind: *kind,
        scope: scope.shown().to_owned(),
        reason: Reason::RetentionTooShort,
        detail: detail.clone(),
        from: Some(from.clone()),
    }
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
