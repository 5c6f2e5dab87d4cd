//! From the text to a tree, with the parser of the `cel` crate.
//!
//! It reads the text on a thread with a stack of its own: in a build without optimisation its parser takes some
//! hundred kilobytes for each bracket, and a stack that is used up ends the program. Macros are not expanded there:
//! the tree has forms of its own for them.

use std::thread;

use cel::Env;
use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo};

use super::Wrong;
use super::functions::Function;
use super::tree::{Each, Form, Node, Sign};

/// Bytes of stack for the parser.
const STACK: usize = 256 << 20;
/// Most parts inside of each other; a sum has its first two terms at the bottom.
const DEEPEST: usize = 100;
/// How often the parser may guess what was meant, which is also how many mistakes it finds.
const GUESSES: u32 = 5;
/// Most expressions inside of each other, for the parser.
const NESTED: u16 = 64;

pub(super) fn parse(text: &str) -> Result<Node, Wrong> {
    let unread = |why: String| Wrong::new(0, format!("the parser of expressions failed: {why}"));
    thread::scope(|scope| {
        let started = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || read(text));
        let thread = started.map_err(|error| unread(error.to_string()))?;
        thread.join().unwrap_or_else(|_| Err(unread("it gave up".to_owned())))
    })
}

fn read(text: &str) -> Result<Node, Wrong> {
    let env = Env::default().with_optional_support(false); // no macros, no functions
    let parser = env.parser().max_recursion_depth(NESTED).error_recovery_limit(GUESSES);
    match parser.parse_with_source_info(text) {
        Ok((tree, places)) => Reader { text, places: &places }.node(&tree, 0),
        Err(errors) => Err(first(&errors, text)),
    }
}

/// The first mistake, in the parser's words.
fn first(errors: &cel::ParseErrors, text: &str) -> Wrong {
    let Some(error) = errors.errors.first() else { return Wrong::new(0, "this is no expression") };
    let at = place(text, error.pos.0, error.pos.1);
    let words = error.msg.lines().next().unwrap_or_default();
    let words = words.strip_prefix("Syntax error: ").unwrap_or(words);
    Wrong::new(at, format!("this is no expression: {words}"))
}

/// Line and column, both from 1, in bytes from the start.
fn place(text: &str, line: isize, column: isize) -> usize {
    let (line, column) = (usize::try_from(line).unwrap_or(1), usize::try_from(column).unwrap_or(1));
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(before..).unwrap_or_default();
    before + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

struct Reader<'a> {
    text: &'a str,
    places: &'a SourceInfo,
}

impl Reader<'_> {
    fn node(&self, tree: &IdedExpr, depth: usize) -> Result<Node, Wrong> {
        let at = self.at(tree);
        if depth > DEEPEST {
            return Err(Wrong::new(at, "too many parts stand inside of each other; make it two clauses"));
        }
        let below = |tree: &IdedExpr| self.node(tree, depth + 1);
        let boxed = |tree: &IdedExpr| below(tree).map(Box::new);
        let form = match &tree.expr {
            Expr::Literal(literal) => self.literal(literal, at)?,
            Expr::Ident(name) => Form::Variable(name.clone()),
            Expr::Select(select) => {
                let is_point = self.text.get(at..).is_some_and(|rest| rest.starts_with('.'));
                let at = at + usize::from(is_point); // the name, not the point before it
                let of = boxed(&select.operand)?;
                return Ok(Node { at, form: Form::Member { of, name: select.field.clone(), is_test: select.test } });
            }
            Expr::List(list) => Form::List(list.elements.iter().map(below).collect::<Result<_, Wrong>>()?),
            Expr::Map(map) => {
                let entry = |entry: &EntryExpr| match entry {
                    EntryExpr::MapEntry(entry) => Ok((below(&entry.key)?, below(&entry.value)?)),
                    EntryExpr::StructField(_) => Err(Wrong::new(at, "messages with fields are not read here")),
                };
                Form::Map(map.entries.iter().map(|one| entry(&one.expr)).collect::<Result<_, Wrong>>()?)
            }
            Expr::Call(call) => {
                let target = call.target.as_deref();
                return self.call(at, &call.func_name, target, &call.args, depth);
            }
            Expr::Struct(_) => return Err(Wrong::new(at, "messages with fields are not read here")),
            Expr::Comprehension(_) | Expr::Unspecified => return Err(Wrong::new(at, "this is no expression")),
        };
        Ok(Node { at, form })
    }

    fn literal(&self, literal: &LiteralValue, at: usize) -> Result<Form, Wrong> {
        Ok(match literal {
            LiteralValue::Null => Form::Null,
            LiteralValue::Boolean(flag) => Form::Flag(*flag.inner()),
            LiteralValue::Int(number) => Form::Whole(*number.inner()),
            LiteralValue::Double(number) => Form::Real(*number.inner()),
            LiteralValue::String(text) => Form::Text(text.inner().to_owned()),
            LiteralValue::UInt(_) => return Err(Wrong::new(at, "numbers with `u` are not read here; leave it out")),
            LiteralValue::Bytes(_) => return Err(Wrong::new(at, "bytes are not read here")),
        })
    }

    fn call(
        &self,
        at: usize,
        name: &str,
        target: Option<&IdedExpr>,
        given: &[IdedExpr],
        depth: usize,
    ) -> Result<Node, Wrong> {
        let below = |tree: &IdedExpr| self.node(tree, depth + 1);
        let boxed = |tree: &IdedExpr| below(tree).map(Box::new);
        let form = match (target, name, given) {
            (None, "has", [of]) => match self.node(of, depth)? {
                Node { at, form: Form::Member { of, name, .. } } => {
                    return Ok(Node { at, form: Form::Member { of, name, is_test: true } });
                }
                _ => return Err(Wrong::new(at, "`has` asks for a member, as in `has(vault.tags.env)`")),
            },
            (None, "!_", [of]) => Form::Not(boxed(of)?),
            (None, "-_", [of]) => Form::Minus(boxed(of)?),
            (None, "_[_]", [of, by]) => Form::Index { of: boxed(of)?, by: boxed(by)? },
            (None, "_?_:_", [of, yes, no]) => Form::Choice([boxed(of)?, boxed(yes)?, boxed(no)?]),
            (None, "_&&_", [one, other]) => Form::Decided { by: false, sides: [boxed(one)?, boxed(other)?] },
            (None, "_||_", [one, other]) => Form::Decided { by: true, sides: [boxed(one)?, boxed(other)?] },
            (None, sign, [one, other]) if signed(sign).is_some() => {
                let sign = signed(sign).unwrap_or(Sign::Equal);
                Form::Pair { sign, sides: [boxed(one)?, boxed(other)?] }
            }
            (Some(range), name, [variable, body]) if each(name).is_some() => {
                let Expr::Ident(bound) = &variable.expr else {
                    let what = format!("`{name}` names each item first, as in `{name}(item, item.id != '')`");
                    return Err(Wrong::new(self.at(variable), what));
                };
                let how = each(name).unwrap_or(Each::All);
                Form::Each { how, range: boxed(range)?, name: bound.clone(), body: boxed(body)? }
            }
            _ => {
                let all: Vec<&IdedExpr> = target.into_iter().chain(given).collect();
                let function = Function::named(name, target.is_some(), all.len());
                let function = function.map_err(|what| Wrong::new(self.of_name(at, name), what))?;
                Form::Call { function, given: all.into_iter().map(below).collect::<Result<_, Wrong>>()? }
            }
        };
        Ok(Node { at, form })
    }

    /// Where a part stands, in bytes.
    fn at(&self, tree: &IdedExpr) -> usize {
        let start = self.places.offset_for(tree.id).map_or(0, |(start, _)| start as usize);
        (0..=start.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }

    /// Where the name of a function stands: a call stands at its bracket.
    fn of_name(&self, at: usize, name: &str) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        let is_there = before.trim_end().ends_with(name);
        if is_there { before.trim_end().len() - name.len() } else { at }
    }
}

fn signed(name: &str) -> Option<Sign> {
    Some(match name {
        "_+_" => Sign::Plus,
        "_-_" => Sign::Minus,
        "_*_" => Sign::Times,
        "_/_" => Sign::Over,
        "_%_" => Sign::Rest,
        "_==_" => Sign::Equal,
        "_!=_" => Sign::Unequal,
        "_<_" => Sign::Less,
        "_<=_" => Sign::LessOrEqual,
        "_>_" => Sign::Greater,
        "_>=_" => Sign::GreaterOrEqual,
        "@in" => Sign::In,
        _ => return None,
    })
}

fn each(name: &str) -> Option<Each> {
    Some(match name {
        "all" => Each::All,
        "exists" => Each::Exists,
        "exists_one" => Each::ExistsOne,
        "filter" => Each::Filter,
        "map" => Each::Map,
        _ => return None,
    })
}
