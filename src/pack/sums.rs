//! `SHA256SUMS`: the list that `sha256sum -c` and its cousins read.

use std::fmt::Write;

use super::digest::is_sha256_hex;

/// The list's text: `<hex> *<path>`, one file a line, sorted by the bytes of the path.
pub(super) fn write<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let mut text = String::new();
    for (path, sha256) in files {
        let _ = writeln!(text, "{sha256} *{path}"); // a String takes every write
    }
    text
}

/// Reads a list in exactly that form, as (path, digest), or says which line is not.
pub(super) fn parse(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut files: Vec<(&str, &str)> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let number = files.len() + 1;
        let (line, after) =
            rest.split_once('\n').ok_or_else(|| format!("line {number} does not end with a line feed"))?;
        if line.ends_with('\r') {
            return Err(format!("line {number} ends with a carriage return: line endings were converted"));
        }
        let (sha256, path) = line.split_once(" *").ok_or_else(|| format!("line {number} is not `<digest> *<path>`"))?;
        if !is_sha256_hex(sha256) {
            return Err(format!("line {number} does not start with 64 lower-case hexadecimal digits"));
        }
        if files.last().is_some_and(|(before, _)| *before >= path) {
            return Err(format!("line {number} is not in order, or names a file again"));
        }
        files.push((path, sha256));
        rest = after;
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_survives_its_text_and_is_sorted_by_bytes() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let text = write([("evidence/x", a.as_str()), ("README.txt", b.as_str()), ("evidence-x", b.as_str())]);
        assert_eq!(text, format!("{b} *README.txt\n{b} *evidence-x\n{a} *evidence/x\n"));
        assert_eq!(parse(&text).expect("a list").len(), 3);
        for (altered, words) in [
            (text.replace('\n', "\r\n"), "line 1 ends with a carriage return"),
            (text.trim_end().to_owned(), "line 3 does not end"),
            (text.replace(" *", "  "), "line 1 is not `<digest> *<path>`"),
            (text.to_uppercase(), "line 1 does not start"),
            (format!("{text}{a} *README.txt\n"), "line 4 is not in order"),
        ] {
            assert_eq!(parse(&altered).expect_err(words).find(words), Some(0));
        }
    }
}
