//! The join seen from the secret: every secret that a list names or that was read, with how many could read it and who did.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{ROWS, Usage, is_read, secret_of, silent_at_first};
use crate::access::{Answer, Capability, Open};
use crate::check::Facts;
use crate::check::logs::Logs;
use crate::evidence::{Cite, Kind};
use crate::model::{Id, Need, ObjectFamily, Reach, Vault, VaultEvent};

/// One secret.
#[derive(Clone, Debug)]
pub struct SecretUse {
    /// The vault.
    pub vault: Id,
    /// Its name.
    pub vault_name: String,
    /// Name of the secret.
    pub secret: String,
    /// Whether a list of the vault's content names it; none where no such list was read.
    pub is_listed: Option<bool>,
    /// How many principals can read it, eligible and conditional ones among them.
    pub could: usize,
    /// How many different callers read it.
    pub did: usize,
    /// What became of it: used, unused or not determined.
    pub usage: Usage,
    /// Successful reads in the period.
    pub reads: usize,
    /// The first of them.
    pub first: Option<DateTime<Utc>>,
    /// The last of them.
    pub last: Option<DateTime<Utc>>,
    /// Why it is not determined.
    pub because: String,
    /// The records.
    pub evidence: Vec<Cite>,
}

/// Every secret, in order of vault and name.
pub fn by_secret(facts: &Facts<'_>) -> Vec<SecretUse> {
    let logs = Logs::of(facts);
    let mut listed: BTreeMap<&Id, Vec<(&str, &Cite)>> = BTreeMap::new();
    for object in facts.tenant.contents.objects.iter().filter(|object| object.family == ObjectFamily::Secret) {
        listed.entry(&object.vault).or_default().push((&object.name, &object.from));
    }
    let mut lines: Vec<SecretUse> = Vec::new();
    for vault in &facts.tenant.vaults {
        of_vault(facts, &logs, vault, listed.get(&vault.id).map_or(&[], Vec::as_slice), &mut lines);
    }
    lines.sort_by(|a, b| (&a.vault_name, &a.vault, &a.secret).cmp(&(&b.vault_name, &b.vault, &b.secret)));
    lines
}

fn of_vault(facts: &Facts<'_>, logs: &Logs<'_>, vault: &Vault, listed: &[(&str, &Cite)], lines: &mut Vec<SecretUse>) {
    let (events, open) = match logs.of_vault(vault, ROWS) {
        Err(open) => (Vec::new(), Some(open)),
        Ok(log) => {
            let open = log.falls_short(facts).or_else(|| silent_at_first(facts, &log));
            (log.calls().into_iter().filter(|call| is_read(call)).collect(), open)
        }
    };
    let mut secrets: BTreeMap<String, (Option<&Cite>, Vec<&VaultEvent>)> = BTreeMap::new();
    for (name, from) in listed {
        secrets.entry(name.to_lowercase()).or_default().0.get_or_insert(from);
    }
    for event in events {
        if let Some(name) = secret_of(event) {
            secrets.entry(name.to_lowercase()).or_default().1.push(event);
        }
    }
    if secrets.is_empty() {
        return;
    }
    let need = Need { kind: Kind::VaultSecrets, reach: Reach::Own };
    let is_read_whole = facts.tenant.coverage.missing(need, &vault.id).is_empty();
    let (whole, parts) = readers(facts, vault);
    for (secret, (from, events)) in secrets {
        let of_part = parts.get(&secret).map_or(0, |own| own.difference(&whole).count());
        lines.push(line(vault, secret, (from, is_read_whole), whole.len() + of_part, &events, open.as_ref()));
    }
}

/// Who can read every secret of a vault, and who can read a single one, by its name in small letters.
fn readers(facts: &Facts<'_>, vault: &Vault) -> (BTreeSet<String>, BTreeMap<String, BTreeSet<String>>) {
    let (mut whole, mut parts) = (BTreeSet::new(), BTreeMap::<String, BTreeSet<String>>::new());
    for grant in facts.access.can(&vault.id, Capability::ReadSecret) {
        let who = grant.principal_id.to_string();
        match (grant.answer, grant.object == vault.id) {
            (Answer::Denied, _) => {}
            (_, true) => drop(whole.insert(who)),
            (_, false) => drop(parts.entry(grant.object.name().to_lowercase()).or_default().insert(who)),
        }
    }
    (whole, parts)
}

fn line(
    vault: &Vault,
    secret: String,
    (from, is_read_whole): (Option<&Cite>, bool),
    could: usize,
    events: &[&VaultEvent],
    open: Option<&Open>,
) -> SecretUse {
    let callers: BTreeSet<Option<&str>> = events.iter().map(|event| event.caller_object_id.as_deref()).collect();
    let (usage, because) = match (events.is_empty(), open) {
        (false, _) => (Usage::Used, String::new()),
        (true, None) => (Usage::Unused, String::new()),
        (true, Some(open)) => (Usage::NotDetermined, open.detail.clone()),
    };
    let ends = events.first().into_iter().chain(events.last());
    let mut evidence: Vec<Cite> = from.into_iter().cloned().chain(ends.map(|event| event.from())).collect();
    evidence.extend(open.and_then(|open| open.from.clone()).filter(|_| usage == Usage::NotDetermined));
    evidence.sort();
    evidence.dedup();
    SecretUse {
        vault: vault.id.clone(),
        vault_name: vault.name.clone(),
        secret,
        is_listed: (from.is_some() || is_read_whole).then_some(from.is_some()),
        could,
        did: callers.len(),
        usage,
        reads: events.len(),
        first: events.first().map(|event| event.at),
        last: events.last().map(|event| event.at),
        because,
        evidence,
    }
}
