//! What the evidence decides of a condition.

use super::parse::{Attribute, Compare, Expr, Operand};
use crate::access::actions::matches;
use crate::model::Id;

/// Name of the vault (learn:azure/key-vault/general/rbac-abac).
const VAULT_NAME: &str = "microsoft.keyvault/vaults:name";
/// Name of the secret.
pub(super) const SECRET_NAME: &str = "microsoft.keyvault/vaults/secrets:name";
/// Role of the assignment that is written (learn:azure/role-based-access-control/conditions-authorization-actions-attributes).
pub(super) const ROLE: &str = "microsoft.authorization/roleassignments:roledefinitionid";
/// Object id of whom it is for.
const PRINCIPAL_ID: &str = "microsoft.authorization/roleassignments:principalid";
/// What that is: `User`, `Group`, `ServicePrincipal`.
const PRINCIPAL_TYPE: &str = "microsoft.authorization/roleassignments:principaltype";

/// What is known of a condition. Unknown is never taken for either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::access) enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// The evidence does not decide it.
    Unknown,
}

impl Truth {
    fn of(is: bool) -> Truth {
        if is { Truth::True } else { Truth::False }
    }

    fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }

    /// Whether some, or whether every one holds.
    fn over(truths: impl Iterator<Item = Truth>, all: bool) -> Truth {
        let settles = Truth::of(!all);
        let mut of_all = settles.not();
        for truth in truths {
            if truth == settles {
                return settles;
            }
            if truth == Truth::Unknown {
                of_all = Truth::Unknown;
            }
        }
        of_all
    }
}

/// What is asked of Azure when somebody uses a capability.
#[derive(Clone, Copy, Debug)]
pub(in crate::access) struct Asked<'a> {
    /// The action.
    pub(in crate::access) action: &'a str,
    /// Name of the vault; none when it is any.
    vault: Option<&'a str>,
    /// Name of the secret; none when it is any of those in the vault, or no secret.
    secret: Option<&'a str>,
    /// The assignment that is written, when one is.
    granting: Option<Granting<'a>>,
}

/// A role assignment that somebody writes.
#[derive(Clone, Copy, Debug)]
pub(in crate::access) struct Granting<'a> {
    /// Lower-case GUID of the role.
    pub(in crate::access) role: &'a str,
    /// Lower-case object id of whom it is for; none when that may be anybody.
    pub(in crate::access) principal_id: Option<&'a str>,
    /// What that is, where it is known.
    pub(in crate::access) principal_type: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// An action on a vault, or on an object in it.
    pub(in crate::access) fn of(action: &'a str, vault_name: &'a str, vault: &Id, object: &'a Id) -> Asked<'a> {
        let below = object.shown().get(vault.key().len()..).unwrap_or_default();
        let mut segments = below.split('/').skip(1);
        let family = segments.next().unwrap_or_default();
        let secret = segments.next().filter(|_| family.eq_ignore_ascii_case("secrets"));
        Asked { action, vault: Some(vault_name), secret, granting: None }
    }

    /// An action anywhere.
    pub(in crate::access) fn anywhere(action: &'a str) -> Asked<'a> {
        Asked { action, vault: None, secret: None, granting: None }
    }

    /// The same, to write this assignment.
    pub(in crate::access) fn to_grant(self, granting: Granting<'a>) -> Asked<'a> {
        Asked { granting: Some(granting), ..self }
    }

    pub(super) fn evaluate(&self, expr: &Expr) -> Truth {
        match expr {
            Expr::All(parts) => Truth::over(parts.iter().map(|part| self.evaluate(part)), true),
            Expr::Any(parts) => Truth::over(parts.iter().map(|part| self.evaluate(part)), false),
            Expr::Not(part) => self.evaluate(part).not(),
            Expr::ActionMatches(pattern) => {
                // Whether `/*/` means a single `/` is not documented.
                let (strict, wide) = (matches(pattern, self.action, false), matches(pattern, self.action, true));
                if strict == wide { Truth::of(strict) } else { Truth::Unknown }
            }
            Expr::Function => Truth::Unknown,
            Expr::Exists(attribute) => match self.value(attribute) {
                Some(_) => Truth::True,
                None => Truth::Unknown,
            },
            Expr::Compare(compare) => self.compare(compare),
        }
    }

    /// The value of an attribute, where the evidence has it.
    fn value(&self, attribute: &Attribute) -> Option<&'a str> {
        match (attribute.source.as_str(), attribute.name.as_str()) {
            ("resource", VAULT_NAME) => self.vault,
            ("resource", SECRET_NAME) => self.secret,
            ("request", ROLE) => Some(self.granting?.role),
            ("request", PRINCIPAL_ID) => self.granting?.principal_id,
            ("request", PRINCIPAL_TYPE) => self.granting?.principal_type,
            _ => None,
        }
    }

    fn compare(&self, compare: &Compare) -> Truth {
        let (left, right) = (self.operand(&compare.left), self.operand(&compare.right));
        let (Some(left), Some(right)) = (left, right) else { return Truth::Unknown };
        let one = |left: &str, right: &str| compare_one(&compare.operator, left, right);
        let (all_left, all_right) = match compare.quantifier.as_deref() {
            // A set without a quantifier has no documented meaning.
            None if left.len() == 1 && right.len() == 1 => (false, false),
            Some("foranyofanyvalues") => (false, false),
            Some("forallofanyvalues") => (true, false),
            Some("foranyofallvalues") => (false, true),
            Some("forallofallvalues") => (true, true),
            _ => return Truth::Unknown,
        };
        let of_left = |left: &&str| Truth::over(right.iter().map(|right| one(left, right)), all_right);
        Truth::over(left.iter().map(of_left), all_left)
    }

    fn operand<'b>(&self, operand: &'b Operand) -> Option<Vec<&'b str>>
    where
        'a: 'b,
    {
        match operand {
            Operand::Attribute(attribute) => Some(vec![self.value(attribute)?]),
            Operand::Values(values) => Some(values.iter().map(String::as_str).collect()),
        }
    }
}

/// Compares two values; unknown for operators that are not about texts and ids.
fn compare_one(operator: &str, left: &str, right: &str) -> Truth {
    let (operator, ignores_case) = match operator.strip_suffix("ignorecase") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    let is_negated = operator.contains("not");
    let positive = operator.replacen("not", "", 1);
    let (low_left, low_right) = (left.to_lowercase(), right.to_lowercase());
    let both: fn(&str, &str) -> Option<bool> = match positive.as_str() {
        "stringequals" => |left, right| Some(left == right),
        "stringstartswith" => |left, right| Some(left.starts_with(right)),
        "stringlike" => like,
        "guidequals" => {
            let bare = |guid: &str| guid.replace('-', "");
            let truth = Truth::of(bare(&low_left) == bare(&low_right));
            return if is_negated { truth.not() } else { truth };
        }
        _ => return Truth::Unknown,
    };
    let Some(lower) = both(&low_left, &low_right) else { return Truth::Unknown };
    // In which case Azure hands over a name is not known, so that a difference of case alone decides nothing.
    let truth = if ignores_case || both(left, right) == Some(lower) { Truth::of(lower) } else { Truth::Unknown };
    if is_negated { truth.not() } else { truth }
}

/// `*` stands for any letters, `?` for one; none for a pattern with an escape, whose rules are the service's.
fn like(text: &str, pattern: &str) -> Option<bool> {
    if pattern.contains('\\') {
        return None;
    }
    let mut places: Vec<bool> = Vec::new();
    let pattern: Vec<char> = pattern.chars().collect();
    let spread = |places: &mut Vec<bool>| {
        for (place, letter) in pattern.iter().enumerate() {
            if *letter == '*'
                && places.get(place) == Some(&true)
                && let Some(next) = places.get_mut(place + 1)
            {
                *next = true;
            }
        }
    };
    places.resize(pattern.len() + 1, false);
    if let Some(first) = places.first_mut() {
        *first = true;
    }
    spread(&mut places);
    for letter in text.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for (place, expected) in pattern.iter().enumerate().filter(|(place, _)| places.get(*place) == Some(&true)) {
            let reached = match expected {
                '*' => place,
                '?' => place + 1,
                expected if *expected == letter => place + 1,
                _ => continue,
            };
            if let Some(reached) = next.get_mut(reached) {
                *reached = true;
            }
        }
        spread(&mut next);
        places = next;
    }
    Some(places.last() == Some(&true))
}
