//! What was kept of personal data: the switches of the configuration, in the plan before the first request.
//!
//! Object ids are always kept: assignments, memberships and log rows are joined by them.

use serde::{Deserialize, Serialize};

/// The switches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PersonalData {
    /// Addresses of callers in log rows.
    pub addresses: Addresses,
    /// Display names of users.
    pub names: Persons,
    /// User principal names.
    pub user_principal_names: Persons,
    /// Mail addresses, also where they stand in a tag or a name.
    pub mail: Persons,
    /// Tells one key of pseudonyms from another, and nothing about the key. Absent when no pseudonyms are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}

/// What is kept of the addresses of callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addresses {
    /// The network: /24 of IPv4, /48 of IPv6.
    #[default]
    Network,
    /// The address.
    Full,
    /// Nothing.
    None,
}

/// What is kept of one kind of data about persons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Persons {
    /// The value, where a person must be matched: whoever holds a right.
    #[default]
    Matched,
    /// The value, everywhere.
    All,
    /// A pseudonym, made with a key that only the organisation has.
    Pseudonym,
    /// Nothing.
    None,
}

impl Default for PersonalData {
    fn default() -> PersonalData {
        PersonalData {
            addresses: Addresses::default(),
            names: Persons::default(),
            user_principal_names: Persons::None, // name and object id match a person already
            mail: Persons::default(),
            key_id: None,
        }
    }
}

impl PersonalData {
    /// Whether any of the switches asks for pseudonyms.
    pub fn has_pseudonyms(&self) -> bool {
        [self.names, self.user_principal_names, self.mail].contains(&Persons::Pseudonym)
    }

    /// What was kept, for a reader: a label and the words.
    pub fn words(&self) -> [(&'static str, &'static str); 4] {
        [
            ("Addresses of callers", self.addresses.words()),
            ("Names of users", self.names.words()),
            ("User principal names", self.user_principal_names.words()),
            ("Mail addresses", self.mail.words()),
        ]
    }
}

impl Addresses {
    /// Every choice, by its name in the configuration.
    pub const ALL: &'static [(&'static str, Addresses)] =
        &[("network", Addresses::Network), ("full", Addresses::Full), ("none", Addresses::None)];

    fn words(self) -> &'static str {
        match self {
            Addresses::Network => "kept as networks (/24, /48)",
            Addresses::Full => "kept",
            Addresses::None => "not kept",
        }
    }
}

impl Persons {
    /// Every choice, by its name in the configuration.
    pub const ALL: &'static [(&'static str, Persons)] = &[
        ("matched", Persons::Matched),
        ("all", Persons::All),
        ("pseudonym", Persons::Pseudonym),
        ("none", Persons::None),
    ];

    fn words(self) -> &'static str {
        match self {
            Persons::Matched => "kept where a person must be matched",
            Persons::All => "kept",
            Persons::Pseudonym => "replaced by pseudonyms",
            Persons::None => "not kept",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_configuration_are_those_of_the_plan() {
        for (name, choice) in Persons::ALL {
            assert_eq!(serde_json::to_value(choice).expect("JSON"), *name);
        }
        for (name, choice) in Addresses::ALL {
            assert_eq!(serde_json::to_value(choice).expect("JSON"), *name);
        }
        let data = PersonalData { mail: Persons::Pseudonym, ..PersonalData::default() };
        assert!(data.has_pseudonyms() && !PersonalData::default().has_pseudonyms());
    }
}
