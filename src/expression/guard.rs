//! A look at the text before the parser gets it: the grammar's crate takes very long over some texts, and more stack
//! than there is over others, so that what nobody writes by hand is refused here.

use super::Wrong;

/// Most bytes of an expression.
pub const LONGEST: usize = 4096;
/// Most brackets inside of each other.
const DEEPEST: usize = 32;
/// Most pairs of brackets.
const MOST_BRACKETS: usize = 128;
/// Most `? :`, each of which the grammar reads inside of the one before.
const MOST_CHOICES: usize = 16;
/// Most `!` or `-` in a row.
const MOST_SIGNS: usize = 4;
/// Most signs that are no letters, digits, spaces or parts of a text.
const MOST_SYMBOLS: usize = 800;

/// Refuses what is too long, too deep, or too dense, and brackets that do not match.
pub(super) fn look(text: &str) -> Result<(), Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong::new(0, "the expression is empty"));
    }
    if text.len() > LONGEST {
        return Err(Wrong::new(LONGEST, format!("the expression has {} bytes; most are {LONGEST}", text.len())));
    }
    let mut counts = Counts::default();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let length = match first {
            '\'' | '"' => literal(text, at)?,
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            // the letters in front of a literal that change how it is read are part of no name
            'r' | 'R' | 'b' | 'B' if is_prefixed(text, at) => {
                return Err(Wrong::new(at, "texts with `r` or `b` in front are not read here; write a plain one"));
            }
            _ => {
                counts.sign(first, at)?;
                first.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    match counts.open.last() {
        Some((at, bracket)) => Err(Wrong::new(*at, format!("this `{bracket}` is not closed"))),
        None => Ok(()),
    }
}

#[derive(Default)]
struct Counts {
    open: Vec<(usize, char)>,
    brackets: usize,
    choices: usize,
    signs: usize,
    symbols: usize,
}

impl Counts {
    fn sign(&mut self, sign: char, at: usize) -> Result<(), Wrong> {
        if sign.is_control() && !matches!(sign, '\n' | '\r' | '\t') {
            return Err(Wrong::new(at, "there is a control character here"));
        }
        if sign.is_whitespace() {
            return Ok(());
        }
        self.signs = if matches!(sign, '!' | '-') { self.signs + 1 } else { 0 };
        self.symbols += usize::from(!sign.is_alphanumeric() && sign != '_');
        match sign {
            '(' | '[' | '{' => {
                self.open.push((at, sign));
                self.brackets += 1;
            }
            ')' | ']' | '}' => self.close(sign, at)?,
            '?' => self.choices += 1,
            _ => {}
        }
        for (count, most, what) in [
            (self.open.len(), DEEPEST, "brackets inside of each other"),
            (self.brackets, MOST_BRACKETS, "pairs of brackets"),
            (self.choices, MOST_CHOICES, "`? :`"),
            (self.signs, MOST_SIGNS, "`!` or `-` in a row"),
            (self.symbols, MOST_SYMBOLS, "signs"),
        ] {
            if count > most {
                return Err(Wrong::new(at, format!("there are more than {most} {what}; make it two clauses")));
            }
        }
        Ok(())
    }

    fn close(&mut self, sign: char, at: usize) -> Result<(), Wrong> {
        let opening = match sign {
            ')' => '(',
            ']' => '[',
            _ => '{',
        };
        match self.open.pop() {
            Some((_, open)) if open == opening => Ok(()),
            Some((_, open)) => Err(Wrong::new(at, format!("`{sign}` closes what `{open}` opens"))),
            None => Err(Wrong::new(at, format!("`{sign}` closes nothing"))),
        }
    }
}

/// Whether a letter that begins a name is in front of a literal: `r'…'`.
fn is_prefixed(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    let begins = !before.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_');
    let behind = after.trim_start_matches(['r', 'R', 'b', 'B']);
    begins && after.len() - behind.len() <= 2 && behind.starts_with(['\'', '"'])
}

/// Length of the literal that begins here, quotes included.
fn literal(text: &str, at: usize) -> Result<usize, Wrong> {
    let rest = text.get(at..).unwrap_or_default();
    let quote = if rest.starts_with('"') { "\"" } else { "'" };
    let triple = quote.repeat(3);
    let (end, may_break) = if rest.starts_with(&triple) { (triple.as_str(), true) } else { (quote, false) };
    let mut signs = rest.char_indices().skip(end.len());
    while let Some((place, sign)) = signs.next() {
        match sign {
            '\\' => drop(signs.next()),
            '\n' if !may_break => break,
            _ if rest.get(place..).is_some_and(|rest| rest.starts_with(end)) => return Ok(place + end.len()),
            _ => {}
        }
    }
    Err(Wrong::new(at, "this text is not closed"))
}
