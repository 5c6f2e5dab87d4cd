//! Conditions on assignments, definitions and deny assignments (learn:azure/role-based-access-control/conditions-format).
//!
//! `parse` reads the documented grammar, `evaluate` decides what the evidence decides: the action, the names of vault
//! and secret, and of a role assignment to be written its role and its principal. Everything else stays unknown, and so
//! does a condition that could not be parsed: neither is ever dropped.

mod evaluate;
mod parse;

pub(super) use evaluate::{Asked, Granting, Truth};
use parse::Expr;

/// Whether the text of a condition can be parsed. One that cannot is never taken to narrow anything.
pub fn is_condition_read(text: &str) -> bool {
    parse::parse(text).is_ok()
}

/// A condition that was read.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// As received.
    pub(super) text: String,
    /// None when it could not be parsed.
    parsed: Option<Expr>,
}

impl Rule {
    /// Reads a condition.
    pub(super) fn read(text: &str) -> Rule {
        Rule { text: text.trim().to_owned(), parsed: parse::parse(text).ok() }
    }

    /// Whether it could be understood.
    pub(super) fn is_parsed(&self) -> bool {
        self.parsed.is_some()
    }

    /// The text for a reader, who is told when nobody understood it.
    pub(super) fn words(&self) -> String {
        let note = if self.is_parsed() { "" } else { " (not parsed)" };
        format!("{}{note}", self.text)
    }

    /// Whether it asks for the name of a secret, so that its answer may differ from secret to secret.
    pub(super) fn names_objects(&self) -> bool {
        self.parsed.as_ref().is_some_and(|expr| expr.names(evaluate::SECRET_NAME))
    }

    /// GUIDs of the roles that it compares an assignment's role with.
    pub(super) fn roles(&self) -> Vec<&str> {
        let mut roles = Vec::new();
        if let Some(expr) = &self.parsed {
            expr.compared_with(evaluate::ROLE, &mut roles);
        }
        roles
    }

    /// Whether it holds.
    pub(super) fn holds(&self, asked: &Asked<'_>) -> Truth {
        self.parsed.as_ref().map_or(Truth::Unknown, |expr| asked.evaluate(expr))
    }
}

#[cfg(test)]
mod tests;
