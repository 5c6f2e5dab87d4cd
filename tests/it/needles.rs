//! A secret in every form in which it might be written down, and the search for it.

use std::collections::BTreeMap;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256, Sha512};

/// What is looked for.
pub struct Needles {
    /// Name of the form → the text, one character a byte.
    forms: Vec<(String, String)>,
}

impl Needles {
    /// Any of `pieces` in any form; a digest of the whole is found too. Pieces show a secret that was cut.
    pub fn of(whole: &str, pieces: &[&str]) -> Needles {
        let mut forms: Vec<(String, String)> = Vec::new();
        for piece in pieces {
            assert!(whole.contains(piece), "{piece}");
            let encoded = encodings(piece.as_bytes()).into_iter();
            forms.extend(encoded.map(|(name, bytes)| (name.to_owned(), latin(&bytes))));
            for (text, of) in [(piece.as_bytes().to_vec(), ""), (utf16(piece, u16::to_le_bytes), " of UTF-16LE")] {
                for skip in 0..3 {
                    forms.push((format!("base64{of}, alignment {skip}"), inner(&text, skip, &STANDARD)));
                    forms.push((format!("base64url{of}, alignment {skip}"), inner(&text, skip, &URL_SAFE_NO_PAD)));
                }
            }
        }
        forms.extend(digests(whole.as_bytes()).into_iter().map(|(name, text)| (name.to_owned(), text)));
        Needles { forms }
    }

    /// Names of the forms that occur in `bytes`, also below one more layer of escapes.
    pub fn found_in(&self, bytes: &[u8]) -> Vec<&str> {
        let raw = latin(bytes);
        let views = [percent_decoded(bytes), json_unescaped(&raw), html_unescaped(&raw), raw];
        let folded = views.each_ref().map(|view| view.to_ascii_lowercase());
        let is_found = |form: &&(String, String)| {
            let is_plain = form.0 == "plain"; // names are lowered; base64 in lower case is no base64
            views.iter().any(|view| view.contains(&form.1))
                || (is_plain && folded.iter().any(|view| view.contains(&form.1.to_ascii_lowercase())))
        };
        self.forms.iter().filter(is_found).map(|(name, _)| name.as_str()).collect()
    }

    /// Fails when any of the texts holds any form; files that are zip archives are looked into.
    pub fn assert_absent(&self, files: &BTreeMap<String, Vec<u8>>) {
        let mut found = Vec::new();
        for (name, bytes) in files {
            let inside = if name.ends_with(".zip") { unzipped(bytes) } else { BTreeMap::new() };
            let own = [(name.clone(), bytes)].into_iter();
            for (place, bytes) in own.chain(inside.iter().map(|(entry, bytes)| (format!("{name}!{entry}"), bytes))) {
                let forms = self.found_in(bytes).into_iter().chain(self.found_in(place.as_bytes()));
                found.extend(forms.map(|form| format!("{form} in {place}")));
            }
        }
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// The forms of a text that do not depend on what stands before it.
fn encodings(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let each = |format: &dyn Fn(u8) -> String| text.iter().map(|byte| format(*byte)).collect::<String>().into_bytes();
    let word = String::from_utf8(text.to_vec()).expect("UTF-8");
    vec![
        ("plain", text.to_vec()),
        ("reversed", text.iter().rev().copied().collect()),
        ("hex", each(&|byte| format!("{byte:02x}"))),
        ("HEX", each(&|byte| format!("{byte:02X}"))),
        ("hex with colons", each(&|byte| format!("{byte:02x}:"))),
        ("percent", each(&|byte| format!("%{byte:02x}"))),
        ("PERCENT", each(&|byte| format!("%{byte:02X}"))),
        ("percent of percent", each(&|byte| format!("%25{byte:02X}"))),
        ("JSON escapes", each(&|byte| format!("\\u{byte:04x}"))),
        ("JSON ESCAPES", each(&|byte| format!("\\u{byte:04X}"))),
        ("HTML decimal", each(&|byte| format!("&#{byte};"))),
        ("HTML hex", each(&|byte| format!("&#x{byte:x};"))),
        ("HTML HEX", each(&|byte| format!("&#x{byte:X};"))),
        ("UTF-16LE", utf16(&word, u16::to_le_bytes)),
        ("UTF-16BE", utf16(&word, u16::to_be_bytes)),
    ]
}

fn digests(whole: &[u8]) -> Vec<(&'static str, String)> {
    let (short, long) = (Sha256::digest(whole), Sha512::digest(whole));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    vec![
        ("SHA-256", hex(&short)),
        ("SHA-512", hex(&long)),
        ("SHA-256 in base64", STANDARD.encode(short)),
        ("SHA-512 in base64", STANDARD.encode(long)),
    ]
}

/// The part of the base64 of a text that is the same whatever stands around it, when `skip` bytes of its first
/// group belong to what stands before.
fn inner(text: &[u8], skip: usize, engine: &impl Engine) -> String {
    let before = vec![b'x'; skip];
    let encoded = engine.encode([&before, text].concat());
    let from = [0, 2, 3][skip];
    let to = (skip + text.len()) * 4 / 3 / 4 * 4;
    encoded[from..to.min(encoded.len())].to_owned()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

/// One character a byte.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn percent_decoded(bytes: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, more)) = rest.split_first() {
        let digits = more.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                decoded.push(byte);
                rest = &more[2..];
            }
            None => {
                decoded.push(*first);
                rest = more;
            }
        }
    }
    latin(&decoded)
}

fn json_unescaped(text: &str) -> String {
    replaced(text, "\\u", |rest| {
        let digits = rest.get(..4)?;
        Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, 4))
    })
}

fn html_unescaped(text: &str) -> String {
    replaced(text, "&#", |rest| {
        let (number, _) = rest.get(..9.min(rest.len()))?.split_once(';')?;
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        Some((char::from_u32(code)?, number.len() + 1))
    })
}

/// Each `mark` with what follows it, read as one character where it is one.
fn replaced(text: &str, mark: &str, read: impl Fn(&str) -> Option<(char, usize)>) -> String {
    let mut parts = text.split(mark);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match read(part) {
            Some((c, length)) => {
                shown.push(c);
                shown.push_str(&part[length..]);
            }
            None => {
                shown.push_str(mark);
                shown.push_str(part);
            }
        }
    }
    shown
}

fn unzipped(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("an archive");
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).expect("an entry");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("its bytes");
        files.insert(entry.name().expect("a name").into_owned(), bytes);
    }
    assert!(!files.is_empty(), "an archive without a file");
    files
}

#[test]
fn every_form_is_found_where_it_was_planted() {
    let (whole, pieces) = ("tmk-PLANTED-0123456789abcdef-SECRET", ["tmk-PLANTED", "0123456789abcdef"]);
    let needles = Needles::of(whole, &pieces);
    let found = |planted: &[u8]| {
        let names = needles.found_in(&[b"{\"before\": \"", planted, b"\", \"after\": 1}"].concat()).join(", ");
        assert!(!names.is_empty(), "{}", latin(planted));
        names
    };
    for (name, planted) in encodings(whole.as_bytes()) {
        assert!(found(&planted).contains(name), "{name}");
    }
    for (name, planted) in digests(whole.as_bytes()) {
        assert!(found(planted.as_bytes()).contains(name), "{name}");
    }
    for before in ["", "x", "xy", "xyz", "user:"] {
        let text = format!("{before}{whole} and more");
        assert!(found(STANDARD.encode(&text).as_bytes()).contains("base64"));
        assert!(found(URL_SAFE_NO_PAD.encode(&text).as_bytes()).contains("base64url"));
        let wide = utf16(&text, u16::to_le_bytes);
        assert!(found(STANDARD.encode(wide).as_bytes()).contains("base64 of UTF-16LE"));
    }
    // partly escaped, cut, and with another case
    found(b"\\u0074mk-PLANTED-0123");
    found(b"tmk%2DPLANTED");
    found(b"&#116;mk-planted");
    found(b"89ab0123456789ABCDEF89");
    let nothing = needles.found_in(b"{\"before\": \"tmk-PLANT\", \"digest\": \"0123456789abcde\"}");
    assert!(nothing.is_empty(), "{nothing:?}");
}
