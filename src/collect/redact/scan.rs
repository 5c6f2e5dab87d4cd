//! A walk over JSON that copies what a list allows and drops the rest.
//!
//! Kept parts are copied byte for byte: number text, escapes, order of members and white space stay, so that the
//! kept page is the answer minus the cuts. Anything that is not strict JSON, nests deeper than [`DEEPEST`], or names
//! a member that would be kept twice is refused whole: what cannot be read cannot be cleared, and of two values
//! every reader may take another.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

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
    let text = std::str::from_utf8(body).map_err(|_| Malformed("it is not UTF-8"))?;
    let mut walk = Walk {
        judged: HashMap::new(),
        text,
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

/// How many judgements are noted.
const MOST_NOTED: usize = 4096;
/// How many names of one object are compared one by one.
const FEW: usize = 16;
/// What ends a string, or is no plain part of it.
const STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        stops[byte] = byte < 0x20 || byte == b'"' as usize || byte == b'\\' as usize;
        byte += 1;
    }
    stops
};

/// A JSON string as it stands, quotes included.
#[derive(Clone, Copy)]
struct Raw<'a> {
    text: &'a str,
    /// Whether it holds no escape, so that it stands for itself.
    is_plain: bool,
}

/// Names that were kept of one object.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    more: BTreeSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    fn is_empty(&self) -> bool {
        self.few.is_empty()
    }

    /// Adds a name; false when it is there.
    fn add(&mut self, name: Cow<'a, str>) -> bool {
        if self.few.contains(&name) {
            return false;
        }
        if self.few.len() == FEW {
            return self.more.insert(name);
        }
        self.few.push(name);
        true
    }
}

/// A rule, and the JSON to write instead of what it cuts; none where nothing is cut.
type Judged = Option<(&'static str, Rc<str>)>;

struct Walk<'a> {
    /// Texts of many rows, whose judgement takes long.
    judged: HashMap<(Class, &'a str), Judged>,
    text: &'a str,
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
                if self.skip(depth)? != "null" {
                    self.cut("not_on_list");
                }
                self.out.extend_from_slice(b"null");
                Ok(())
            }
            (Allowed::Leaf(class), Some(b'"')) => self.text(*class),
            (Allowed::Leaf(class), Some(first)) if first != b'{' && first != b'[' => {
                let raw = self.skip(depth)?;
                match class.keeps_scalar(raw) {
                    true => self.out.extend_from_slice(raw.as_bytes()),
                    false => self.instead("wrong_shape", CUT),
                }
                Ok(())
            }
            // An allowed member of another shape than the contract's stays visible as such: were it dropped, it
            // would be read as absent.
            _ => {
                let raw = self.skip(depth)?;
                match raw {
                    "null" => self.out.extend_from_slice(b"null"),
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
        let mut kept = Names::default();
        loop {
            let lead = self.space();
            if is_first && self.peek() == Some(b'}') {
                self.out.extend_from_slice(lead.as_bytes());
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
                    if !kept.add(name.clone()) {
                        return Err(Malformed("a member is named twice"));
                    }
                    self.out.extend_from_slice(lead.as_bytes());
                    let is_unfit = !is_known && super::scrub::name_is_unfit(&name);
                    self.place.push(match (is_known, is_unfit) {
                        (true, _) => Step::Member(name),
                        (false, false) => Step::Entry(name),
                        (false, true) => Step::Entry(CUT.into()),
                    });
                    match is_unfit {
                        true => self.instead("secret_like", CUT), // the name is data here, and must not be lost
                        false => self.out.extend_from_slice(key.text.as_bytes()),
                    }
                    self.out.extend_from_slice(before_colon.as_bytes());
                    self.out.push(b':');
                    self.out.extend_from_slice(before_value.as_bytes());
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
        let known = self.judged.get(&(class, raw.text)).cloned();
        let judged = match known {
            Some(judged) => judged,
            None => self.judge(class, raw)?,
        };
        match judged {
            None => self.out.extend_from_slice(raw.text.as_bytes()),
            Some((rule, instead)) => {
                self.cut(rule);
                self.out.extend_from_slice(instead.as_bytes());
            }
        }
        Ok(())
    }

    /// The rule that cuts a text and what to write instead; none where it stays.
    fn judge(&mut self, class: Class, raw: Raw<'a>) -> Result<Judged, Malformed> {
        let around = Around { personal: self.personal, holder: self.holder.as_ref() };
        let judged = class.judge(&decode(raw)?, &around).map(|(rule, instead)| (rule, quoted(&instead).into()));
        if class.is_worth_noting() && self.judged.len() < MOST_NOTED {
            self.judged.insert((class, raw.text), judged.clone());
        }
        Ok(judged)
    }

    /// Writes `text` where something else stood, and counts it.
    fn instead(&mut self, rule: &'static str, text: &str) {
        self.cut(rule);
        self.out.extend_from_slice(quoted(text).as_bytes());
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

    /// Always whole characters: a value and white space begin and end with one of ASCII.
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn space(&mut self) -> &'a str {
        let start = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.since(start)
    }

    fn space_kept(&mut self) {
        let space = self.space();
        self.out.extend_from_slice(space.as_bytes());
    }

    /// A string with its quotes.
    fn string(&mut self) -> Result<Raw<'a>, Malformed> {
        let start = self.at;
        self.expect(b'"')?;
        let mut is_plain = true;
        loop {
            let rest = self.body.get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|byte| STOPS[usize::from(*byte)]);
            self.at += plain.unwrap_or(rest.len());
            match self.next() {
                Some(b'"') => return Ok(Raw { text: self.since(start), is_plain }),
                Some(b'\\') => {
                    is_plain = false;
                    self.next();
                }
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
            match self.peek() {
                Some(b'"') => holder.learn(&name, &decode(self.string()?)?),
                _ => drop(self.skip(depth + 1)?),
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
    fn skip(&mut self, depth: usize) -> Result<&'a str, Malformed> {
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
                if !matches!(raw, "null" | "true" | "false") && !is_number(raw) {
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

/// A text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The text that a JSON string stands for.
fn decode(raw: Raw<'_>) -> Result<Cow<'_, str>, Malformed> {
    let inside = raw.text.get(1..raw.text.len().saturating_sub(1));
    if let Some(plain) = inside.filter(|_| raw.is_plain) {
        return Ok(Cow::Borrowed(plain)); // that nothing in it ends it was seen when it was read
    }
    serde_json::from_str(raw.text).map(Cow::Owned).map_err(|_| Malformed("a string is not valid"))
}

/// Whether `raw` is a number by the grammar of RFC 8259, of any size.
fn is_number(raw: &str) -> bool {
    let digits = |raw: &str| raw.bytes().take_while(u8::is_ascii_digit).count();
    let rest = raw.strip_prefix('-').unwrap_or(raw);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = rest.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = fraction.get(count..).unwrap_or_default();
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}
