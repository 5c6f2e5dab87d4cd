//! Conditions: the text that Azure keeps, and for those that are made here what the text says.

use serde::Deserialize;

/// A condition. One that was written by hand is text alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub(super) struct Condition {
    pub text: String,
    /// What it says; none of one that was written by hand.
    pub says: Option<Says>,
}

/// What a condition says, of what is asked about.
#[derive(Clone, Debug)]
pub(super) enum Says {
    /// The vault's name is this.
    VaultIs(&'static str),
    /// The secret's name is this.
    SecretIs(&'static str),
    /// The secret's name begins so.
    SecretStarts(&'static str),
    /// Something that no list tells: an attribute of the caller.
    Unknown,
    /// The action is this one.
    ActionIs(&'static str),
    Not(Box<Says>),
    All(Box<[Says; 2]>),
    Any(Box<[Says; 2]>),
}

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub action: &'a str,
    pub vault: &'a str,
    /// Name of the secret; none when the question is about the vault as a whole, or about a key.
    pub secret: Option<&'a str>,
}

impl From<String> for Condition {
    fn from(text: String) -> Condition {
        Condition { text, says: None }
    }
}

impl From<Says> for Condition {
    fn from(says: Says) -> Condition {
        Condition { text: says.text(), says: Some(says) }
    }
}

impl Says {
    fn text(&self) -> String {
        match self {
            Says::VaultIs(name) => format!("@Resource[Microsoft.KeyVault/vaults:name] StringEquals '{name}'"),
            Says::SecretIs(name) => format!("@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals '{name}'"),
            Says::SecretStarts(start) => {
                format!("@Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith '{start}'")
            }
            Says::Unknown => {
                "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Team_Name] StringEquals 'ops'".to_owned()
            }
            Says::ActionIs(action) => format!("ActionMatches{{'{action}'}}"),
            Says::Not(says) => format!("!({})", says.text()),
            Says::All(both) => format!("({}) AND ({})", both[0].text(), both[1].text()),
            Says::Any(both) => format!("({}) OR ({})", both[0].text(), both[1].text()),
        }
    }

    /// Whether it holds; none when that is not told. What is said of a secret's name depends on the secret, and of what
    /// is none Azure does not say what the name is.
    pub fn holds(&self, about: About<'_>) -> Option<bool> {
        match self {
            Says::VaultIs(name) => Some(about.vault == *name),
            Says::SecretIs(name) => about.secret.map(|secret| secret == *name),
            Says::SecretStarts(start) => about.secret.map(|secret| secret.starts_with(start)),
            Says::Unknown => None,
            Says::ActionIs(action) => Some(about.action.eq_ignore_ascii_case(action)),
            Says::Not(says) => says.holds(about).map(|holds| !holds),
            Says::All(both) => match (both[0].holds(about), both[1].holds(about)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Says::Any(both) => match (both[0].holds(about), both[1].holds(about)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        }
    }
}
