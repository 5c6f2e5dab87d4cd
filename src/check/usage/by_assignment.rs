//! The join seen from what grants: every role assignment and access policy that gives secrets, beside the reads under it.
//!
//! Under Azure RBAC a row names the assignment that allowed the call (`AppliedAssignmentId`); a row that names none may
//! have been allowed by any of the caller's, so that those are not unused for certain. Under access policies the caller's
//! own entry, or the one of his group, allowed it. What is only eligible is no assignment yet.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{ROWS, Usage, is_read, silent_at_first};
use crate::access::{Answer, Capability, Open, Path, Via};
use crate::check::Facts;
use crate::check::logs::Logs;
use crate::evidence::Cite;
use crate::model::{Id, Vault, VaultEvent};

/// One role assignment, or one entry of a vault's access policies.
#[derive(Clone, Debug)]
pub struct AssignmentUse {
    /// ARM id of the assignment; for a policy that of its vault.
    pub id: Id,
    /// What it is, in words.
    pub by: String,
    /// Where it is given.
    pub scope: Id,
    /// Lower-case object id of the one it names: a principal or a group.
    pub holder_id: String,
    /// Its name, else its object id.
    pub holder: String,
    /// How many principals read by it, groups followed.
    pub principals: usize,
    /// How many vaults it opens.
    pub vaults: usize,
    /// What became of it: used, unused or not determined.
    pub usage: Usage,
    /// Successful reads of secret values under it in the period.
    pub reads: usize,
    /// The first of them.
    pub first: Option<DateTime<Utc>>,
    /// The last of them.
    pub last: Option<DateTime<Utc>>,
    /// Whole days without a read up to the end of what the logs show; none where that is not known.
    pub idle_days: Option<i64>,
    /// Why it is not determined.
    pub because: String,
    /// The records.
    pub evidence: Vec<Cite>,
}

/// Every assignment and policy, in order of scope and holder.
pub fn by_assignment(facts: &Facts<'_>) -> Vec<AssignmentUse> {
    let logs = Logs::of(facts);
    let mut found: BTreeMap<(Id, String), Gathered> = BTreeMap::new();
    for vault in &facts.tenant.vaults {
        of_vault(facts, &logs, vault, &mut found);
    }
    let mut lines: Vec<AssignmentUse> = found.into_iter().map(|(key, one)| one.line(facts, key)).collect();
    lines.sort_by(|a, b| (&a.scope, &a.holder, &a.id, &a.holder_id).cmp(&(&b.scope, &b.holder, &b.id, &b.holder_id)));
    lines
}

/// What is known of one assignment so far.
struct Gathered {
    by: String,
    scope: Id,
    principals: BTreeSet<String>,
    vaults: usize,
    reads: usize,
    first: Option<(DateTime<Utc>, Cite)>,
    last: Option<(DateTime<Utc>, Cite)>,
    /// Why it may have been used although no row says so.
    open: Option<Open>,
    evidence: Vec<Cite>,
}

fn of_vault(facts: &Facts<'_>, logs: &Logs<'_>, vault: &Vault, found: &mut BTreeMap<(Id, String), Gathered>) {
    let grants = facts.access.can(&vault.id, Capability::ReadSecret);
    let mut of_holder: BTreeMap<(Id, String), (BTreeSet<String>, &Path)> = BTreeMap::new();
    for grant in &grants {
        for path in grant.paths.iter().filter(|path| path.answer != Answer::Denied) {
            let Some(key) = key(vault, &grant.principal_id, path) else { continue };
            of_holder.entry(key).or_insert((BTreeSet::new(), path)).0.insert(grant.principal_id.to_string());
        }
    }
    let read = vault_reads(facts, logs, vault);
    for (key, (principals, path)) in of_holder {
        let one = found.entry(key.clone()).or_insert_with(|| Gathered {
            by: path.via.words(),
            scope: path.scope.clone(),
            principals: BTreeSet::new(),
            vaults: 0,
            reads: 0,
            first: None,
            last: None,
            open: None,
            evidence: path.evidence().cloned().collect(),
        });
        one.vaults += 1;
        match &read {
            Err(open) => one.keep(open),
            Ok(reads) => reads.add_to(one, &key.0, &principals, vault),
        }
        one.principals.extend(principals);
    }
}

/// The assignment, or the vault of a policy, and the one that it names.
fn key(vault: &Vault, principal: &str, path: &Path) -> Option<(Id, String)> {
    let holder = path.through.first().map_or(principal, |group| group.group_id.as_str()).to_lowercase();
    match &*path.via {
        Via::Role { assignment, .. } => Some((assignment.clone(), holder)),
        Via::Policy { .. } => Some((vault.id.clone(), holder)),
        Via::EligibleRole { .. } | Via::Lighthouse { .. } | Via::Classic { .. } => None,
    }
}

/// The successful reads of one vault, and whether its log shows the whole period.
struct VaultReads<'a> {
    events: Vec<&'a VaultEvent>,
    falls_short: Option<Open>,
}

fn vault_reads<'a>(facts: &Facts<'a>, logs: &Logs<'a>, vault: &'a Vault) -> Result<VaultReads<'a>, Open> {
    let log = logs.of_vault(vault, ROWS)?;
    let falls_short = log.falls_short(facts).or_else(|| silent_at_first(facts, &log));
    Ok(VaultReads { events: log.calls().into_iter().filter(|call| is_read(call)).collect(), falls_short })
}

impl VaultReads<'_> {
    fn add_to(&self, one: &mut Gathered, assignment: &Id, principals: &BTreeSet<String>, vault: &Vault) {
        let is_by_holder =
            |event: &VaultEvent| event.caller_object_id.as_deref().is_some_and(|caller| principals.contains(caller));
        let mut nameless = 0;
        for event in &self.events {
            match event.assignment_id.as_deref() {
                Some(name) if name.eq_ignore_ascii_case(assignment.name()) => one.count(event),
                Some(_) => {}
                None if !is_by_holder(event) => {}
                None if vault.is_rbac() => nameless += 1,
                None => one.count(event),
            }
        }
        if let Some(open) = &self.falls_short {
            one.keep(open);
        }
        if nameless > 0 {
            let detail = format!("{nameless} reads of `{}` by who holds it name no assignment", vault.name);
            one.keep(&Open { reason: crate::evidence::Reason::ValueUnknown, detail, from: None });
        }
    }
}

impl Gathered {
    fn count(&mut self, event: &VaultEvent) {
        self.reads += 1;
        let at = || Some((event.at, event.from()));
        if self.first.as_ref().is_none_or(|(first, _)| event.at < *first) {
            self.first = at();
        }
        if self.last.as_ref().is_none_or(|(last, _)| event.at > *last) {
            self.last = at();
        }
    }

    fn keep(&mut self, open: &Open) {
        self.open.get_or_insert_with(|| open.clone());
    }

    fn line(self, facts: &Facts<'_>, (id, holder_id): (Id, String)) -> AssignmentUse {
        let end = facts.period.end.min(facts.tenant.collected_at);
        let last = self.last.as_ref().map(|(at, _)| *at);
        let (usage, because) = match (last, &self.open) {
            (Some(_), _) => (Usage::Used, String::new()),
            (None, None) => (Usage::Unused, String::new()),
            (None, Some(open)) => (Usage::NotDetermined, open.detail.clone()),
        };
        let idle_from = last.unwrap_or(facts.period.start);
        let mut evidence = self.evidence;
        let open = self.open.as_ref().and_then(|open| open.from.clone()).filter(|_| usage == Usage::NotDetermined);
        evidence.extend(self.first.iter().chain(&self.last).map(|(_, from)| from.clone()).chain(open));
        evidence.sort();
        evidence.dedup();
        AssignmentUse {
            by: self.by,
            scope: self.scope,
            holder: facts.tenant.principal_name(&holder_id),
            holder_id,
            principals: self.principals.len(),
            vaults: self.vaults,
            usage,
            reads: self.reads,
            first: self.first.map(|(at, _)| at),
            last,
            idle_days: self.open.is_none().then(|| (end - idle_from).num_days()),
            because,
            evidence,
            id,
        }
    }
}
