//! The form that is evaluated: what of the language is understood here, and where it stands in the text.

use std::collections::BTreeMap;

use super::evaluate::evaluate;
use super::functions::Function;
use super::{Condition, Stopped, Value, Variables};
use crate::evidence::Shape;

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Its place in the text, in bytes.
    pub at: usize,
    pub form: Form,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// `null`.
    Null,
    /// `true`.
    Flag(bool),
    /// `90`.
    Whole(i64),
    /// `0.5`.
    Real(f64),
    /// `'text'`.
    Text(String),
    /// `vault`.
    Variable(String),
    /// `of.name`, and `has(of.name)`.
    Member { of: Box<Node>, name: String, is_test: bool },
    /// `of[by]`.
    Index { of: Box<Node>, by: Box<Node> },
    /// `!a`.
    Not(Box<Node>),
    /// `-a`.
    Minus(Box<Node>),
    /// `a && b`, which a false side decides; `a || b`, which a true side does.
    Decided { by: bool, sides: [Box<Node>; 2] },
    /// `a ? b : c`.
    Choice([Box<Node>; 3]),
    /// `a + b`, `a < b`, `a in b`, …
    Pair { sign: Sign, sides: [Box<Node>; 2] },
    /// `size(a)`, `a.contains(b)`.
    Call { function: Function, given: Vec<Node> },
    /// `range.all(name, body)` and its like.
    Each { how: Each, range: Box<Node>, name: String, body: Box<Node> },
    /// `[a, b]`.
    List(Vec<Node>),
    /// `{'a': b}`.
    Map(Vec<(Node, Node)>),
}

/// Between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
    Times,
    Over,
    Rest,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

impl Sign {
    /// As it is written.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Sign::Plus => "+",
            Sign::Minus => "-",
            Sign::Times => "*",
            Sign::Over => "/",
            Sign::Rest => "%",
            Sign::Equal => "==",
            Sign::Unequal => "!=",
            Sign::Less => "<",
            Sign::LessOrEqual => "<=",
            Sign::Greater => ">",
            Sign::GreaterOrEqual => ">=",
            Sign::In => "in",
        }
    }
}

/// What is asked of every item of a list, or of every name in a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Each {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

impl Node {
    /// The parts of this part, in the order of the text.
    pub(super) fn parts(&self) -> Vec<&Node> {
        match &self.form {
            Form::Null | Form::Flag(_) | Form::Whole(_) | Form::Real(_) | Form::Text(_) | Form::Variable(_) => {
                Vec::new()
            }
            Form::Member { of, .. } => vec![of],
            Form::Index { of, by } => vec![of, by],
            Form::Not(of) | Form::Minus(of) => vec![of],
            Form::Decided { sides, .. } | Form::Pair { sides, .. } => sides.iter().map(AsRef::as_ref).collect(),
            Form::Choice(parts) => parts.iter().map(AsRef::as_ref).collect(),
            Form::Call { given, .. } | Form::List(given) => given.iter().collect(),
            Form::Each { range, body, .. } => vec![range, body],
            Form::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
        }
    }

    /// As it is written, where it is a name or a member of one.
    pub(super) fn shown(&self) -> String {
        match &self.form {
            Form::Variable(name) => name.clone(),
            Form::Member { of, name, .. } => format!("{}.{name}", of.shown()),
            Form::Index { of, .. } => format!("{}[…]", of.shown()),
            _ => "…".to_owned(),
        }
    }

    /// The variable and the members that it names, outermost first: `a.b.c`, and `a.b["c"]` too.
    fn path(&self) -> Option<(&str, Vec<(&str, usize)>)> {
        match &self.form {
            Form::Variable(name) => Some((name, Vec::new())),
            Form::Member { of, name, .. } => {
                let (variable, mut members) = of.path()?;
                members.push((name, self.at));
                Some((variable, members))
            }
            Form::Index { of, by } => match &by.form {
                Form::Text(name) => {
                    let (variable, mut members) = of.path()?;
                    members.push((name, by.at));
                    Some((variable, members))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// A condition as a tree.
#[derive(Debug)]
pub(super) struct Tree(Node);

impl Tree {
    pub(super) fn new(root: Node) -> Tree {
        Tree(root)
    }
}

impl Condition for Tree {
    fn holds(&self, variables: &Variables<'_>) -> Result<bool, Stopped> {
        match evaluate(&self.0, variables)? {
            Value::Flag(flag) => Ok(flag),
            other => Err(Stopped::types(format!("the expression gives {}, not true or false", other.words()))),
        }
    }

    fn reads(&self) -> Vec<(String, usize)> {
        let mut found = BTreeMap::new();
        walk(&self.0, &mut Vec::new(), &mut |node, bound| {
            if let Form::Variable(name) = &node.form
                && !bound.contains(&name.as_str())
            {
                found.entry(name.clone()).or_insert(node.at);
            }
        });
        found.into_iter().collect()
    }

    fn lost(&self, variable: &str, shape: &Shape) -> Option<(String, usize)> {
        let mut lost = None;
        walk(&self.0, &mut Vec::new(), &mut |node, bound| {
            let Some((root, members)) = node.path() else { return };
            if root != variable || bound.contains(&root) || lost.is_some() {
                return;
            }
            let (mut shape, mut path) = (shape, root.to_owned());
            for (name, at) in members {
                path = format!("{path}.{name}");
                match shape.member(name) {
                    Some(below) => shape = below,
                    None => {
                        lost = Some((path, at));
                        return;
                    }
                }
            }
        });
        lost
    }
}

/// Visits every part with the names that are bound around it.
fn walk<'n>(node: &'n Node, bound: &mut Vec<&'n str>, visit: &mut impl FnMut(&'n Node, &[&'n str])) {
    visit(node, bound);
    if let Form::Each { range, name, body, .. } = &node.form {
        walk(range, bound, visit);
        bound.push(name);
        walk(body, bound, visit);
        bound.pop();
        return;
    }
    for part in node.parts() {
        walk(part, bound, visit);
    }
}
