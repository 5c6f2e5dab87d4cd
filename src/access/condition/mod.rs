//! Conditions on assignments, definitions and deny assignments.
#![allow(dead_code, reason = "every condition is unknown until the grammar is read")]

use crate::model::Id;

/// A condition that was read.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// As received.
    pub(super) text: String,
}

/// What is known of a condition. Unknown is never taken for either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// The evidence does not decide it.
    Unknown,
}

/// What is asked of Azure when somebody uses a capability.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The action.
    pub(super) action: &'a str,
    /// Name of the vault.
    pub(super) vault: &'a str,
    /// Name of the secret; none when it is any of those in the vault.
    pub(super) secret: Option<&'a str>,
    /// Whether what is asked for is a secret at all.
    pub(super) is_secret: bool,
}

impl<'a> Asked<'a> {
    /// An action on a vault, or on an object in it.
    pub(super) fn of(action: &'a str, vault_name: &'a str, vault: &Id, object: &'a Id) -> Asked<'a> {
        let below = object.shown().get(vault.shown().len()..).unwrap_or_default();
        let mut segments = below.split('/').skip(1);
        let family = segments.next().unwrap_or_default();
        let name = segments.next().filter(|_| family.eq_ignore_ascii_case("secrets"));
        let is_secret = action.to_ascii_lowercase().starts_with("microsoft.keyvault/vaults/secrets/");
        Asked { action, vault: vault_name, secret: name, is_secret }
    }
}

impl Rule {
    /// Reads a condition.
    pub(super) fn read(text: &str) -> Rule {
        Rule { text: text.trim().to_owned() }
    }

    /// Whether it could be understood.
    pub(super) fn is_parsed(&self) -> bool {
        true
    }

    /// Whether it asks for the name of a secret.
    pub(super) fn names_objects(&self) -> bool {
        false
    }

    /// Whether it holds.
    pub(super) fn holds(&self, _asked: &Asked<'_>) -> Truth {
        Truth::Unknown
    }
}
