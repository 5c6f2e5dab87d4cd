//! A walk over JSON that copies what a list allows and drops the rest.
//!
//! Kept parts are copied byte for byte: number text, escapes, order of members and white space stay, so that the
//! kept page is the answer minus the cuts. Anything that is not strict JSON, nests deeper than [`DEEPEST`], or names
//! a member that would be kept twice is refused whole: what cannot be read cannot be cleared, and of two values
//! every reader may take another.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::allow::Allowed;
use super::cell::Class;
use super::cuts::{Cuts, Step};
use super::person::{Around, Holder};
use super::{CUT, Clean, Personal};

/// Nesting beyond this is refused.
const DEEPEST: usize = 64;

/// Bytes that are not JSON as expected; nothing of them is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::collect) struct Malformed(pub &'static str);

/// Copies what `allowed` lists, of personal data what `personal` says.
pub(super) fn copy(body: &[u8], allowed: &Allowed, personal: &Personal) -> Result<Clean, Malformed> {
    if std::str::from_utf8(body).is_err() {
        return Err(Malformed("it is not UTF-8"));
    }
    let mut walk = Walk {
        body,
        at: 0,
        out: Vec::with_capacity(body.len()),
        place: Vec::new(),
        cuts: Cuts::default(),
        personal,
        holder: None,
    };
    walk.space_kept();
    walk.value(allowed, 0)?;
    walk.space_kept();
    if walk.at != body.len() {
        return Err(Malformed("something follows the JSON value"));
    }
    Ok(Clean { bytes: walk.out, cuts: walk.cuts.told() })
}

struct Walk<'a> {
    body: &'a [u8],
    at: usize,
    out: Vec<u8>,
    place: Vec<Step<'a>>,
    cuts: Cuts,
    personal: &'a Personal,
    /// Whose data stands in the object that is walked over; none where the list has none of a person there.
    holder: Option<Holder>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, allowed: &Allowed, depth: usize) -> Result<(), Malformed> {
        if depth > DEEPEST {
            return Err(Malformed("it nests too deep"));
        }
        match (allowed, self.peek()) {
            (Allowed::Object { .. }, Some(b'{')) => {
                let holder = if allowed.holds_person() { Some(self.read_ahead(depth)?) } else { None };
                let outer = std::mem::replace(&mut self.holder, holder);
                self.object(allowed, depth)?;
                self.holder = outer;
                Ok(())
            }
            (Allowed::Array(_) | Allowed::Tuple(_), Some(b'[')) => self.array(allowed, depth),
            (Allowed::Leaf(class), Some(b'{' | b'[')) if class.inner().is_some() => {
                self.value(class.inner().unwrap_or(&Allowed::Nothing), depth)
            }
            (Allowed::Nothing, _) => {
                if self.skip(depth)? != b"null" {
                    self.cut("not_on_list");
                }
                self.out.extend_from_slice(b"null");
                Ok(())
            }
            (Allowed::Leaf(class), Some(b'"')) => self.text(*class),
            (Allowed::Leaf(class), Some(first)) if first != b'{' && first != b'[' => {
                let raw = self.skip(depth)?;
                match class.keeps_scalar(raw) {
                    true => self.out.extend_from_slice(raw),
                    false => self.instead("wrong_shape", CUT),
                }
                Ok(())
            }
            // An allowed member of another shape than the contract's stays visible as such: were it dropped, it
            // would be read as absent.
            _ => {
                let raw = self.skip(depth)?;
                match raw {
                    b"null" => self.out.extend_from_slice(raw),
                    _ => self.instead("wrong_shape", CUT),
                }
                Ok(())
            }
        }
    }

    fn object(&mut self, allowed: &Allowed, depth: usize) -> Result<(), Malformed> {
        self.expect(b'{')?;
        self.out.push(b'{');
        let mut is_first = true;
        let mut kept: BTreeSet<Cow<'_, str>> = BTreeSet::new();
        loop {
            let lead = self.space();
            if is_first && self.peek() == Some(b'}') {
                self.out.extend_from_slice(lead);
                break;
            }
            is_first = false;
            let key = self.string()?;
            let before_colon = self.space();
            self.expect(b':')?;
            let before_value = self.space();
            let name = decode(key)?;
            match allowed.member(&name) {
                Some((is_known, below)) => {
                    if !kept.is_empty() {
                        self.out.push(b',');
                    }
                    if !kept.insert(name.clone()) {
                        return Err(Malformed("a member is named twice"));
                    }
                    self.out.extend_from_slice(lead);
                    let is_unfit = !is_known && super::scrub::name_is_unfit(&name);
                    self.place.push(match (is_known, is_unfit) {
                        (true, _) => Step::Member(name),
                        (false, false) => Step::Entry(name),
                        (false, true) => Step::Entry(CUT.into()),
                    });
                    match is_unfit {
                        true => self.instead("secret_like", CUT), // the name is data here, and must not be lost
                        false => self.out.extend_from_slice(key),
                    }
                    self.out.extend_from_slice(before_colon);
                    self.out.push(b':');
                    self.out.extend_from_slice(before_value);
                    self.value(below, depth + 1)?;
                    self.place.pop();
                    self.space_kept();
                }
                None => {
                    self.skip(depth + 1)?;
                    self.space();
                    self.cut("not_on_list");
                }
            }
            match self.next() {
                Some(b',') => {}
                Some(b'}') => {
                    self.out.push(b'}');
                    return Ok(());
                }
                _ => return Err(Malformed("an object is not closed")),
            }
        }
        self.expect(b'}')?;
        self.out.push(b'}');
        Ok(())
    }

    fn array(&mut self, allowed: &Allowed, depth: usize) -> Result<(), Malformed> {
        self.expect(b'[')?;
        self.out.push(b'[');
        self.space_kept();
        if self.peek() == Some(b']') {
            self.at += 1;
            self.out.push(b']');
            return Ok(());
        }
        for index in 0_usize.. {
            self.space_kept();
            self.place.push(match allowed {
                Allowed::Tuple(_) => Step::Cell(index),
                _ => Step::Item(index),
            });
            self.value(allowed.item(index), depth + 1)?;
            self.place.pop();
            self.space_kept();
            match self.next() {
                Some(b',') => self.out.push(b','),
                Some(b']') => break,
                _ => return Err(Malformed("an array is not closed")),
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn text(&mut self, class: Class) -> Result<(), Malformed> {
        let raw = self.string()?;
        let around = Around { personal: self.personal, holder: self.holder.as_ref() };
        match class.judge(&decode(raw)?, &around) {
            None => self.out.extend_from_slice(raw),
            Some((rule, instead)) => self.instead(rule, &instead),
        }
        Ok(())
    }

    /// Writes `text` where something else stood, and counts it.
    fn instead(&mut self, rule: &'static str, text: &str) {
        self.cut(rule);
        self.out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    }

    fn cut(&mut self, rule: &'static str) {
        self.cuts.add(rule, &self.place);
    }

    // Reading without keeping.

    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        match self.next() {
            Some(found) if found == byte => Ok(()),
            _ => Err(Malformed("it is not JSON")),
        }
    }

    fn since(&self, start: usize) -> &'a [u8] {
        self.body.get(start..self.at).unwrap_or_default()
    }

    fn space(&mut self) -> &'a [u8] {
        let start = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.since(start)
    }

    fn space_kept(&mut self) {
        let space = self.space();
        self.out.extend_from_slice(space);
    }

    /// A string with its quotes.
    fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.at;
        self.expect(b'"')?;
        loop {
            match self.next() {
                Some(b'"') => return Ok(self.since(start)),
                Some(b'\\') => {
                    self.next();
                }
                Some(0x20..) => {}
                _ => return Err(Malformed("a string is not closed")),
            }
        }
    }

    /// Whose data the object holds that begins here. Nothing of it is passed over.
    fn read_ahead(&mut self, depth: usize) -> Result<Holder, Malformed> {
        let start = self.at;
        let mut holder = Holder::default();
        self.expect(b'{')?;
        loop {
            self.space();
            if self.peek() == Some(b'}') {
                break;
            }
            let name = decode(self.string()?)?;
            self.space();
            self.expect(b':')?;
            self.space();
            let value = self.skip(depth + 1)?;
            if value.first() == Some(&b'"') {
                holder.learn(&name, &decode(value)?);
            }
            self.space();
            match self.next() {
                Some(b',') => {}
                Some(b'}') => break,
                _ => return Err(Malformed("an object is not closed")),
            }
        }
        self.at = start;
        Ok(holder)
    }

    /// Passes over one value of any shape; gives its bytes.
    fn skip(&mut self, depth: usize) -> Result<&'a [u8], Malformed> {
        if depth > DEEPEST {
            return Err(Malformed("it nests too deep"));
        }
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                let raw = self.string()?;
                decode(raw)?;
            }
            Some(b'{') => self.skip_all(b'}', depth)?,
            Some(b'[') => self.skip_all(b']', depth)?,
            _ => {
                while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E')) {
                    self.at += 1;
                }
                let raw = self.since(start);
                if !matches!(raw, b"null" | b"true" | b"false") && !is_number(raw) {
                    return Err(Malformed("it is not JSON"));
                }
            }
        }
        Ok(self.since(start))
    }

    fn skip_all(&mut self, close: u8, depth: usize) -> Result<(), Malformed> {
        self.at += 1;
        self.space();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            if close == b'}' {
                let key = self.string()?;
                decode(key)?;
                self.space();
                self.expect(b':')?;
                self.space();
            }
            self.skip(depth + 1)?;
            self.space();
            match self.next() {
                Some(b',') => {}
                Some(byte) if byte == close => return Ok(()),
                _ => return Err(Malformed("an object or array is not closed")),
            }
        }
    }
}

/// The text that a JSON string stands for.
fn decode(raw: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    if let Some(plain) = raw.get(1..raw.len().saturating_sub(1)).filter(|plain| !plain.contains(&b'\\')) {
        // without an escape a string stands for itself; that nothing in it ends it was seen when it was read
        return std::str::from_utf8(plain).map(Cow::Borrowed).map_err(|_| Malformed("a string is not valid"));
    }
    serde_json::from_slice(raw).map_err(|_| Malformed("a string is not valid"))
}

/// Whether `raw` is a number by the grammar of RFC 8259, of any size.
fn is_number(raw: &[u8]) -> bool {
    let digits = |raw: &[u8]| raw.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let after = |raw: &'_ [u8], count: usize| raw.get(count..).unwrap_or_default().to_vec();
    let rest = raw.strip_prefix(b"-").unwrap_or(raw);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.first() == Some(&b'0')) {
        return false;
    }
    let mut rest = after(rest, whole);
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = after(fraction, count);
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or(rest.strip_prefix(b"E")) {
        let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}
