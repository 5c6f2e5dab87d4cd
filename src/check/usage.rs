//! Who could read secrets against who did: every grant of a vault beside the reads that its log shows in the period,
//! and every reader whom no grant explains.
//!
//! The grants are those at collection; one that ended in the period is seen only where the activity log tells of it,
//! or where a row names an assignment that is there no more. Callers are matched by object id.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::Facts;
use super::callers::{Calls, by_caller, shown};
use super::logs::{Logs, ROWS};
use crate::access::{Answer, Capability, Grant, Open};
use crate::evidence::Cite;
use crate::model::{ActivityEvent, Id, Vault, VaultEvent};

/// What became of a grant in the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Usage {
    /// Reads by it are in the log.
    Used,
    /// The log shows the whole period and no read.
    Unused,
    /// Reads, and nothing known that allowed them.
    UsedWithoutGrant,
    /// Reads under an assignment that is there no more, all of them before it was removed.
    UsedBeforeRemoval,
    /// Reads under an assignment after the activity log shows that it was removed. Tokens and caches live on for
    /// minutes (learn.microsoft.com/azure/role-based-access-control/troubleshooting).
    UsedAfterRemoval,
    /// No read is in the log, and the log does not show the whole period.
    NotDetermined,
}

impl Usage {
    /// The usage in words.
    pub fn words(self) -> &'static str {
        match self {
            Usage::Used => "used",
            Usage::Unused => "unused",
            Usage::UsedWithoutGrant => "used without a known grant",
            Usage::UsedBeforeRemoval => "used before its removal",
            Usage::UsedAfterRemoval => "used after its removal",
            Usage::NotDetermined => "not determined",
        }
    }
}

/// One line of the join: a grant with its reads, or reads without a grant.
#[derive(Clone, Debug)]
pub struct GrantUse {
    /// The vault.
    pub vault: Id,
    /// Its name.
    pub vault_name: String,
    /// Lower-case object id of the holder or caller; where the log names none, what it names instead.
    pub principal_id: String,
    /// The vault, or the object that alone is granted; none for reads without a grant.
    pub object: Option<Id>,
    /// The answer about the grant; none for reads without one.
    pub answer: Option<Answer>,
    /// What gives it, in words.
    pub by: String,
    /// What became of it.
    pub usage: Usage,
    /// Successful reads of secret values in the period.
    pub reads: usize,
    /// How many different secrets were read.
    pub secrets: usize,
    /// The first of the reads.
    pub first: Option<DateTime<Utc>>,
    /// The last of them.
    pub last: Option<DateTime<Utc>>,
    /// Whole days without a read up to the end of what the log shows; none where that is not known.
    pub idle_days: Option<i64>,
    /// Why the line says what it says, where it needs a reason.
    pub because: String,
    /// The records.
    pub evidence: Vec<Cite>,
}

/// Every line, in order of vault, principal and object.
pub fn join(facts: &Facts<'_>) -> Vec<GrantUse> {
    let logs = Logs::of(facts);
    let removals = Removals::of(facts);
    let mut lines: Vec<GrantUse> =
        facts.tenant.vaults.iter().flat_map(|vault| of_vault(facts, &logs, &removals, vault)).collect();
    let key = |line: &GrantUse| (line.vault.clone(), line.principal_id.clone(), line.object.clone(), line.usage);
    lines.sort_by_cached_key(key);
    lines
}

/// The reads of one vault by caller, or why they are not known.
struct Reads<'a> {
    by_caller: BTreeMap<String, Calls<'a>>,
    /// Why the log does not show the whole period.
    falls_short: Option<Open>,
    evidence: Vec<Cite>,
}

fn of_vault<'a>(facts: &Facts<'a>, logs: &Logs<'a>, removals: &Removals<'a>, vault: &'a Vault) -> Vec<GrantUse> {
    let grants = facts.access.can(&vault.id, Capability::ReadSecret);
    let grants: Vec<Grant> = grants.into_iter().filter(|grant| grant.answer != Answer::Denied).collect();
    let reads = match logs.of_vault(vault, ROWS) {
        Err(open) => return grants.iter().map(|grant| unknown(facts, vault, grant, &open)).collect(),
        Ok(log) => {
            let calls = log.calls().into_iter().filter(|call| is_read(call));
            let named = by_caller(calls).into_iter().filter_map(|calls| Some((calls.caller.clone()?, calls)));
            Reads { by_caller: named.collect(), falls_short: log.falls_short(facts), evidence: log.evidence }
        }
    };
    let mut lines: Vec<GrantUse> = grants.iter().map(|grant| of_grant(facts, vault, grant, &reads)).collect();
    let holders: BTreeSet<&str> = grants.iter().map(|grant| &*grant.principal_id).collect();
    let others = reads.by_caller.iter().filter(|(caller, _)| !holders.contains(caller.as_str()));
    lines.extend(others.flat_map(|(caller, calls)| without_grant(removals, vault, caller, calls)));
    lines
}

fn is_read(call: &VaultEvent) -> bool {
    call.operation.eq_ignore_ascii_case("SecretGet") && call.status.is_some_and(|status| (200..300).contains(&status))
}

fn line(facts: &Facts<'_>, vault: &Vault, grant: &Grant) -> GrantUse {
    let by: Vec<String> = grant.paths.iter().map(|path| path.words()).collect();
    let mut evidence: Vec<Cite> = grant.paths.iter().flat_map(|path| facts.access.evidence(&vault.id, path)).collect();
    evidence.sort();
    evidence.dedup();
    GrantUse {
        vault: vault.id.clone(),
        vault_name: vault.name.clone(),
        principal_id: grant.principal_id.to_string(),
        object: Some(grant.object.clone()),
        answer: Some(grant.answer),
        by: by.join(" | "),
        usage: Usage::NotDetermined,
        reads: 0,
        secrets: 0,
        first: None,
        last: None,
        idle_days: None,
        because: String::new(),
        evidence,
    }
}

fn unknown(facts: &Facts<'_>, vault: &Vault, grant: &Grant, open: &Open) -> GrantUse {
    let mut line = line(facts, vault, grant);
    line.because.clone_from(&open.detail);
    line.evidence.extend(open.from.clone());
    line
}

fn of_grant(facts: &Facts<'_>, vault: &Vault, grant: &Grant, reads: &Reads<'_>) -> GrantUse {
    let mut line = line(facts, vault, grant);
    let calls = reads.by_caller.get(&*grant.principal_id);
    let events: Vec<&VaultEvent> = calls
        .into_iter()
        .flat_map(|calls| &calls.events)
        .copied()
        .filter(|event| covers(vault, grant, event))
        .collect();
    count(&mut line, &events);
    let end = facts.period.end.min(facts.tenant.collected_at);
    match (&reads.falls_short, line.last) {
        (_, Some(last)) => {
            line.usage = Usage::Used;
            line.idle_days = reads.falls_short.is_none().then(|| (end - last).num_days());
        }
        (None, None) => {
            line.usage = Usage::Unused;
            line.idle_days = Some((end - facts.period.start).num_days());
            line.evidence.extend(reads.evidence.iter().cloned());
        }
        (Some(open), None) => {
            line.because.clone_from(&open.detail);
            line.evidence.extend(open.from.clone());
        }
    }
    line
}

/// Whether a grant on one object is about the object that was read.
fn covers(vault: &Vault, grant: &Grant, event: &VaultEvent) -> bool {
    if grant.object == vault.id {
        return true;
    }
    secret_of(event).is_some_and(|name| grant.object.name().eq_ignore_ascii_case(name))
}

/// Name of the secret in the address that was asked for.
fn secret_of(event: &VaultEvent) -> Option<&str> {
    let (_, rest) = event.object.as_deref()?.split_once("/secrets/")?;
    rest.split(['/', '?']).next().filter(|name| !name.is_empty())
}

fn count(line: &mut GrantUse, events: &[&VaultEvent]) {
    let secrets: BTreeSet<String> = events.iter().filter_map(|event| secret_of(event)).map(str::to_lowercase).collect();
    line.reads = events.len();
    line.secrets = secrets.len();
    line.first = events.first().map(|event| event.at);
    line.last = events.last().map(|event| event.at);
    let ends = events.first().into_iter().chain(events.last());
    line.evidence.extend(ends.map(|event| event.from.clone()));
}

/// Reads of a caller whom no grant allows now: under assignments that were removed, and others.
fn without_grant(removals: &Removals<'_>, vault: &Vault, caller: &str, calls: &Calls<'_>) -> Vec<GrantUse> {
    let mut parts: BTreeMap<Usage, (Vec<&VaultEvent>, String, Vec<Cite>)> = BTreeMap::new();
    for event in &calls.events {
        let (usage, because, from) = removals.judge(event);
        let part = parts.entry(usage).or_insert_with(|| (Vec::new(), because, Vec::new()));
        part.0.push(event);
        part.2.extend(from.filter(|from| !part.2.contains(from)));
    }
    let of_part = |(usage, (events, because, evidence)): (Usage, (Vec<&VaultEvent>, String, Vec<Cite>))| {
        let mut line = GrantUse {
            vault: vault.id.clone(),
            vault_name: vault.name.clone(),
            principal_id: caller.to_owned(),
            object: None,
            answer: None,
            by: String::new(),
            usage,
            reads: 0,
            secrets: 0,
            first: None,
            last: None,
            idle_days: None,
            because,
            evidence,
        };
        count(&mut line, &events);
        line
    };
    parts.into_iter().map(of_part).collect()
}

/// Role assignments that the activity log shows to be removed, by the last segment of their id, lower case.
struct Removals<'a> {
    by_name: BTreeMap<String, &'a ActivityEvent>,
}

impl<'a> Removals<'a> {
    fn of(facts: &Facts<'a>) -> Removals<'a> {
        let events = facts
            .tenant
            .logging
            .activity
            .iter()
            .filter(|event| event.is("Microsoft.Authorization/roleAssignments/delete") && event.has_succeeded());
        let by_name = events.filter_map(|event| Some((event.resource.as_ref()?.name().to_lowercase(), event)));
        Removals { by_name: by_name.collect() }
    }

    /// What is to be said of a read that no grant allows now.
    fn judge(&self, event: &VaultEvent) -> (Usage, String, Option<Cite>) {
        let nothing = "nothing that is known allows it now".to_owned();
        let Some(assignment) = &event.assignment_id else { return (Usage::UsedWithoutGrant, nothing, None) };
        let Some(removal) = self.by_name.get(&assignment.to_lowercase()) else {
            let because = format!("{nothing}; the log names assignment `{assignment}`");
            return (Usage::UsedWithoutGrant, because, None);
        };
        let because = format!("assignment `{assignment}` was removed at {}", shown(removal.at));
        let usage = if event.at > removal.at { Usage::UsedAfterRemoval } else { Usage::UsedBeforeRemoval };
        (usage, because, Some(removal.from.clone()))
    }
}
