//! Who made the calls in a vault's log.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::about;
use super::finding::About;
use super::people::{People, Person, Who};
use crate::evidence::Cite;
use crate::model::{Id, Vault, VaultEvent};

/// The calls of one caller, in order of time; never empty.
pub(super) struct Calls<'a> {
    /// Object id, else application id, else ARM id of the identity; none when the row names nobody.
    pub caller: Option<String>,
    /// The calls.
    pub events: Vec<&'a VaultEvent>,
}

/// Sorts calls by caller.
pub(super) fn by_caller<'a>(events: impl IntoIterator<Item = &'a VaultEvent>) -> Vec<Calls<'a>> {
    let mut by_caller: BTreeMap<Option<String>, Vec<&VaultEvent>> = BTreeMap::new();
    for event in events {
        let named =
            event.caller_object_id.as_ref().or(event.caller_app_id.as_ref()).or(event.managed_identity.as_ref());
        by_caller.entry(named.map(|name| name.to_lowercase())).or_default().push(event);
    }
    by_caller.into_iter().map(|(caller, events)| Calls { caller, events }).collect()
}

impl<'a> Calls<'a> {
    /// Who it was. The object id decides; rows without one are matched by application id, or by the ARM id of the
    /// managed identity.
    pub fn who<'p>(&self, people: &'p People<'_>) -> Who<'p> {
        let Some(event) = self.events.first() else { return Who::Unknown };
        if let Some(id) = &event.caller_object_id {
            return people.who(id);
        }
        let by_app = event.caller_app_id.as_deref().and_then(|app| people.of_app(app));
        let named = by_app.or_else(|| people.of_arm_id(event.managed_identity.as_deref()?));
        named.map_or(Who::Unknown, Who::Known)
    }

    /// Begins a finding about the caller at `vault`. The subject's id is the vault's.
    pub fn about(&self, vault: &Vault, people: &People<'_>) -> About {
        let shown = match (self.who(people), &self.caller) {
            (Who::Known(person), _) => person.name.clone(),
            (_, Some(caller)) => caller.clone(),
            (_, None) => "nobody named".to_owned(),
        };
        let on = about("caller", &Id::new(vault.id.shown()), &format!("{} ← {shown}", vault.name), &vault.from);
        let ends: Vec<Cite> =
            self.events.first().into_iter().chain(self.events.last()).map(|event| event.from()).collect();
        on.citing(&ends)
    }

    /// The days of the first and the last call.
    pub fn when(&self) -> String {
        let day = |event: Option<&&VaultEvent>| event.map(|event| shown(event.at)).unwrap_or_default();
        match (day(self.events.first()), day(self.events.last())) {
            (first, last) if first == last => format!("at {first}"),
            (first, last) => format!("from {first} to {last}"),
        }
    }

    /// The managed identity that the log itself names, where it does.
    pub fn named_identity(&self) -> String {
        match self.events.iter().find_map(|event| event.managed_identity.as_deref()) {
            Some(id) => format!(", which the log names as `{id}`"),
            None => String::new(),
        }
    }
}

/// A caller for a reader: what it is and its name.
pub(super) fn described(person: &Person) -> String {
    format!("{} `{}`", person.kind.words(), person.name)
}

/// A time for a reader.
pub(super) fn shown(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
