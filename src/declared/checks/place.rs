//! Where a byte of a text stands in the TOML that the text is written in.

use std::ops::Range;

/// The place in the file of the byte `at` of a text, whose literal stands at `span`, quotes included.
pub(super) fn in_file(file: &str, span: &Range<usize>, at: usize) -> usize {
    let raw = file.get(span.clone()).unwrap_or_default();
    let quote = if raw.starts_with('"') { '"' } else { '\'' };
    let is_long = raw.len() >= 6 && raw.chars().take(3).all(|sign| sign == quote);
    let mut place = if is_long { 3 } else { 1 };
    if is_long {
        let first = raw.get(place..).unwrap_or_default();
        place += if first.starts_with("\r\n") { 2 } else { usize::from(first.starts_with('\n')) };
    }
    let mut told = 0;
    while told < at {
        let rest = raw.get(place..).unwrap_or_default();
        let (length, means) = match rest.chars().next() {
            None => break,
            Some('\\') if quote == '"' => escape(rest),
            Some(sign) => (sign.len_utf8(), sign.len_utf8()),
        };
        place += length;
        told += means;
    }
    span.start + place.min(raw.len())
}

/// How long an escape is, and how many bytes it stands for.
fn escape(rest: &str) -> (usize, usize) {
    let digits = match rest.chars().nth(1) {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some(space) if space.is_whitespace() => {
            let line = rest.get(1..).unwrap_or_default(); // a line that goes on: the break and what is blank go
            return (1 + line.len() - line.trim_start().len(), 0);
        }
        Some(sign) => return (1 + sign.len_utf8(), 1),
        None => return (1, 1),
    };
    let code = rest.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
    (2 + digits, code.map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_text_is_followed() {
        for toml in [
            "v = 'ab ä == X'",
            "v = \"ab ä == X\"",
            "v = \"ab \\u00e4 == X\"",
            "v = \"\\\"b \\U000000e4 =\\x3d X\"",
            "v = '''ab ä == X'''",
            "v = '''\nab ä == X'''",
            "v = \"\"\"\nab \\\n    ä == X\"\"\"",
            "v = \"\"\"\r\nab\\tä == X\"\"\"",
        ] {
            let table: std::collections::BTreeMap<String, toml::Spanned<String>> = toml::from_str(toml).expect(toml);
            let text = &table["v"];
            let at = text.get_ref().find('X').expect("an X");
            let place = in_file(toml, &text.span(), at);
            assert_eq!(&toml[place..=place], "X", "{toml:?} {text:?}");
        }
        assert_eq!(in_file("v = 'ab'", &(4..8), 99), 8, "past the end is at it");
    }
}
