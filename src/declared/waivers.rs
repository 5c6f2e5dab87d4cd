//! Waivers: an exception that is known and accepted for a time. A waived fail stays a fail.

use serde::Deserialize;

use super::rows::{Term, Timed};
use super::{Day, Text};

/// `[[waiver]]` of `waivers.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Id of the check: `RBAC-007`.
    pub check: Text,
    /// The finding's subject: its id, in which `*` stands for any text.
    pub subject: Text,
    /// With `*` in the subject: the most findings that it may cover.
    pub at_most: Option<usize>,
    /// Why the exception is accepted.
    pub reason: Text,
    /// Who answers for the exception.
    pub owner: Text,
    /// Who accepted it; not the owner.
    pub approver: Text,
    /// The day that it was accepted.
    pub created: Day,
    /// The last day that it holds.
    pub expires: Day,
    /// What is done instead.
    pub compensating: Text,
    /// Ids of attached records or of evidence that show what is done instead.
    #[serde(default)]
    pub evidence: Vec<Text>,
    /// Ticket in which it was decided.
    pub ticket: Option<Text>,
}

impl Timed for Waiver {
    fn term(&self) -> Term {
        Term { since: Some(self.created), until: Some(self.expires) }
    }
}

impl Waiver {
    /// Whether the subject is a pattern.
    pub fn is_pattern(&self) -> bool {
        self.subject.as_str().contains('*')
    }

    /// Whether it speaks of this subject of this check. Ids are compared as Azure compares them; `*` is any text.
    pub fn covers(&self, check: &str, subject: &str) -> bool {
        self.check.as_str().eq_ignore_ascii_case(check)
            && matches(&self.subject.as_str().to_lowercase(), &subject.to_lowercase())
    }

    /// Whether owner and approver are the same person, whatever the spelling.
    pub fn is_self_approved(&self) -> bool {
        self.owner.as_str().to_lowercase() == self.approver.as_str().to_lowercase()
    }
}

/// Whether a text is of the form of a pattern in which `*` is any text. Linear in both for each star.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_and_everything_else_is_itself() {
        for (pattern, text, is) in [
            ("/subscriptions/s/a", "/subscriptions/s/a", true),
            ("/subscriptions/s/a", "/subscriptions/s/ab", false),
            ("/subscriptions/*/vaults/kv-*", "/subscriptions/s/rg/vaults/kv-1", true),
            ("/subscriptions/*/vaults/kv-*", "/subscriptions/s/rg/vaults/k-1", false),
            ("*a", "a", true),
            ("a*a", "a", false),
            ("a*a", "aba", true),
            ("*b*b", "ab", false),
            ("*", "", true),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, text), is, "{pattern} {text}");
        }
    }

    #[test]
    fn check_and_subject_are_compared_without_case_and_persons_too() {
        let text = "check = \"rbac-007\"\nsubject = \"/Subscriptions/S/*\"\nat_most = 2\nreason = \"r\"\nowner = \"Ada\"\n\
            approver = \"ada \"\ncreated = 2026-07-01\nexpires = 2026-12-31\ncompensating = \"c\"\n";
        let waiver: Waiver = toml::from_str(text).expect("a waiver");
        assert!(waiver.covers("RBAC-007", "/subscriptions/s/x") && !waiver.covers("RBAC-008", "/subscriptions/s/x"));
        assert!(waiver.is_pattern() && waiver.is_self_approved());
    }
}
