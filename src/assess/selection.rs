//! Which controls and checks are looked at: by check, family of checks, control, or criterion.

use thiserror::Error;

use crate::control::Control;

/// What is taken and what is left out. Each word names a check (`KV-002`), a family of checks (`KV`), a control
/// (`TM-03`), or a criterion (`CC6.1`, `AC-6(5)`), which stands for the controls that cite it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only what one of these names; empty means everything.
    pub only: Vec<String>,
    /// Not what one of these names.
    pub skip: Vec<String>,
}

/// Words that name nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no check, family of checks, control or criterion is called {}", .0.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))]
pub struct NamesNothing(pub Vec<String>);

impl Selection {
    /// Whether everything is looked at.
    pub fn is_all(&self) -> bool {
        self.only.is_empty() && self.skip.is_empty()
    }

    /// Whether the check counts for the control.
    pub fn takes(&self, control: &Control, check: &str) -> bool {
        let named = |words: &[String]| words.iter().any(|word| names(word, control, check));
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }

    /// Whether the criterion is looked at: where some are named, those alone.
    pub fn shows(&self, criterion: &str, all: &[Control]) -> bool {
        let is_criterion = |word: &&String| all.iter().any(|control| cites(control, word));
        let mut named = self.only.iter().filter(is_criterion).peekable();
        let is_named = named.peek().is_none() || named.any(|word| word.eq_ignore_ascii_case(criterion));
        is_named && !self.skip.iter().any(|word| word.eq_ignore_ascii_case(criterion))
    }

    /// Refuses words that name nothing: a typing error must not leave everything out.
    pub fn check(&self, all: &[Control]) -> Result<(), NamesNothing> {
        // every check is cited by a control
        let is_check = |word: &str| all.iter().flat_map(|one| &one.checks).any(|check| is_check_or_family(word, check));
        let is_control = |word: &str| all.iter().any(|one| one.id.eq_ignore_ascii_case(word) || cites(one, word));
        let words = self.only.iter().chain(&self.skip);
        let wrong: Vec<String> = words.filter(|word| !is_check(word) && !is_control(word)).cloned().collect();
        if wrong.is_empty() { Ok(()) } else { Err(NamesNothing(wrong)) }
    }
}

fn names(word: &str, control: &Control, check: &str) -> bool {
    is_check_or_family(word, check) || control.id.eq_ignore_ascii_case(word) || cites(control, word)
}

fn is_check_or_family(word: &str, check: &str) -> bool {
    let family = check.split('-').next().unwrap_or(check);
    check.eq_ignore_ascii_case(word) || family.eq_ignore_ascii_case(word)
}

fn cites(control: &Control, criterion: &str) -> bool {
    control.criteria.iter().chain(&control.nist).any(|cited| cited.eq_ignore_ascii_case(criterion))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(id: &str) -> Control {
        let all = crate::control::embedded(|_| true).expect("controls");
        all.into_iter().find(|control| control.id == id).expect("a control")
    }

    fn selection(only: &[&str], skip: &[&str]) -> Selection {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Selection { only: own(only), skip: own(skip) }
    }

    #[test]
    fn a_word_may_be_a_check_a_family_a_control_or_a_criterion() {
        let vaults = control("TM-03"); // cites CC6.1 and AC-6(5), not CC7.2
        for word in ["KV-002", "kv", "tm-03", "cc6.1", "AC-6(5)"] {
            assert!(selection(&[word], &[]).takes(&vaults, "KV-002"), "{word}");
            assert!(!selection(&[], &[word]).takes(&vaults, "KV-002"), "{word}");
        }
        for word in ["KV-004", "RBAC", "TM-01", "CC7.2", "K"] {
            assert!(!selection(&[word], &[]).takes(&vaults, "KV-002"), "{word}");
        }
        assert!(!selection(&["TM-03"], &["KV"]).takes(&vaults, "KV-002"), "what is left out wins");
        assert!(selection(&["TM-03"], &["KV"]).takes(&vaults, "RBAC-001"));
    }

    #[test]
    fn where_criteria_are_named_no_other_is_shown() {
        let all = [control("TM-03"), control("TM-01")];
        assert!(selection(&["CC6.1", "KV"], &[]).shows("CC6.1", &all));
        assert!(!selection(&["CC6.1", "KV"], &[]).shows("CC6.3", &all));
        assert!(selection(&["TM-03"], &[]).shows("CC6.3", &all));
        assert!(!selection(&[], &["cc6.3"]).shows("CC6.3", &all));
    }

    #[test]
    fn a_word_that_names_nothing_is_refused() {
        let all = [control("TM-03")];
        let error = selection(&["KV-002", "KV-02"], &["CC9.9"]).check(&all).expect_err("two words");
        assert!(error.to_string().ends_with("is called `KV-02`, `CC9.9`"), "{error}");
        assert_eq!(selection(&["kv"], &["TM-03"]).check(&all), Ok(()));
    }
}
