//! Pseudonyms of persons: the same for the same person and key, and nothing without the key.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::evidence::PersonalData;

/// Digits of a pseudonym: 64 bits, so that two persons of one tenant hardly ever share one.
const DIGITS: usize = 16;

/// A key of pseudonyms. It is never part of the evidence.
#[derive(Clone, PartialEq, Eq)]
pub struct Pseudonyms([u8; 32]);

/// A key that cannot be used, or is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PseudonymError {
    /// It has another form.
    #[error("the key of the pseudonyms is not 64 hexadecimal digits\nmake one with `tickmark pseudonyms new-key`")]
    NotAKey,
    /// The configuration asks for pseudonyms and there is no key.
    #[error("pseudonyms are asked for and there is no key for them\nmake one with `tickmark pseudonyms new-key`")]
    NoKey,
}

impl Pseudonyms {
    /// The key from 32 random bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Pseudonyms {
        Pseudonyms(bytes)
    }

    /// The key as it is kept: 64 hexadecimal digits, with blanks around them.
    pub fn from_text(text: &str) -> Result<Pseudonyms, PseudonymError> {
        let digits = text.trim().as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64 {
            return Err(PseudonymError::NotAKey);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
            let value = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
            *byte = value.ok_or(PseudonymError::NotAKey)?;
        }
        Ok(Pseudonyms(bytes))
    }

    /// The key as it is kept.
    pub fn to_text(&self) -> String {
        hexadecimal(&self.0) + "\n"
    }

    /// Tells this key from another one. Made like a pseudonym, so that it says nothing about the key.
    pub fn key_id(&self) -> String {
        self.digits("key")
    }

    /// `person-` and 16 digits: HMAC-SHA-256 of what identifies the person, in lower case. That is the object id where
    /// the name stands in an object of the directory, else the user principal name or the mail address itself.
    pub fn of(&self, identifies: &str) -> String {
        format!("person-{}", self.digits(&format!("person\0{}", identifies.trim().to_lowercase())))
    }

    fn digits(&self, message: &str) -> String {
        // A key of this length is never refused; were it, there would be no pseudonym, and never the name.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(b"tickmark pseudonyms v1\0");
        mac.update(message.as_bytes());
        let mut digits = hexadecimal(&mac.finalize().into_bytes());
        digits.truncate(DIGITS);
        digits
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pseudonyms({})", self.key_id())
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is kept of personal data, with the key where pseudonyms are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Personal {
    data: PersonalData,
    pseudonyms: Option<Pseudonyms>,
}

impl Personal {
    /// The switches with the key that they need; where none asks for pseudonyms, the key is not used.
    pub fn new(mut data: PersonalData, key: Option<Pseudonyms>) -> Result<Personal, PseudonymError> {
        let pseudonyms = key.filter(|_| data.has_pseudonyms());
        if data.has_pseudonyms() && pseudonyms.is_none() {
            return Err(PseudonymError::NoKey);
        }
        data.key_id = pseudonyms.as_ref().map(Pseudonyms::key_id);
        Ok(Personal { data, pseudonyms })
    }

    /// The switches, as they stand in the plan.
    pub fn data(&self) -> &PersonalData {
        &self.data
    }

    pub(super) fn pseudonym(&self, identifies: &str) -> Option<String> {
        self.pseudonyms.as_ref().map(|key| key.of(identifies))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Persons;

    #[test]
    fn one_person_has_one_pseudonym_with_one_key_and_another_with_another() {
        let (one, other) = (Pseudonyms::from_bytes([1; 32]), Pseudonyms::from_bytes([2; 32]));
        assert_eq!(one.of("Ann@contoso.com"), one.of(" ann@CONTOSO.com "));
        assert_ne!(one.of("ann@contoso.com"), other.of("ann@contoso.com"));
        assert_ne!(one.of("ann@contoso.com"), one.of("bob@contoso.com"));
        assert_ne!(one.key_id(), other.key_id());
        let name = one.of("ann@contoso.com");
        assert!(name.len() == 23 && name.strip_prefix("person-").is_some_and(|id| id != one.key_id()), "{name}");
    }

    /// `printf 'tickmark pseudonyms v1\0person\0ann@contoso.com' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0101…`
    #[test]
    fn a_pseudonym_can_be_computed_with_stock_tools() {
        assert_eq!(Pseudonyms::from_bytes([1; 32]).of("ann@contoso.com"), "person-fa789562a4fc7c41");
    }

    #[test]
    fn a_key_is_read_as_it_was_written_and_never_shown() {
        let key = Pseudonyms::from_bytes([0xab; 32]);
        assert_eq!(key.to_text(), format!("{}\n", "ab".repeat(32)));
        assert_eq!(Pseudonyms::from_text(&format!(" {}\r\n", key.to_text())), Ok(key.clone()));
        let upper = key.to_text().to_uppercase();
        assert_eq!(Pseudonyms::from_text(&upper), Ok(key.clone()));
        for text in ["", "ab", &"ab".repeat(33), &"+1".repeat(32), &"zz".repeat(32), &"é".repeat(32)] {
            assert_eq!(Pseudonyms::from_text(text), Err(PseudonymError::NotAKey), "{text}");
        }
        assert!(!format!("{key:?}").contains("abab"));
    }

    #[test]
    fn pseudonyms_need_a_key_and_a_key_that_is_not_needed_leaves_no_trace() {
        let asked = PersonalData { names: Persons::Pseudonym, ..PersonalData::default() };
        assert_eq!(Personal::new(asked.clone(), None), Err(PseudonymError::NoKey));
        let key = Pseudonyms::from_bytes([3; 32]);
        let personal = Personal::new(asked, Some(key.clone())).expect("a key");
        assert_eq!(personal.data().key_id, Some(key.key_id()));
        assert_eq!(Personal::new(PersonalData::default(), Some(key)), Ok(Personal::default()));
    }
}
