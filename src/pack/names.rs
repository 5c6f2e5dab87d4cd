//! Which paths a pack may hold.
//!
//! A pack is unpacked on systems that we do not know. So a path must mean the same file on all of them: no
//! letters that some file systems fold, no device names, nothing that leaves the folder, nothing that a
//! terminal or a shell reads as more than a name.

use std::collections::BTreeMap;

/// Longest path, in bytes.
pub(super) const MAX_PATH: usize = 100;

/// The two files whose names are shouted, so that a person finds them.
const UPPER_CASE: [&str; 2] = ["README.txt", "SHA256SUMS"];

/// Checks one path of a pack against the rules of the layout; the error names the rule that it breaks.
pub fn check_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("it is empty".to_owned());
    }
    if path.len() > MAX_PATH {
        return Err(format!("it is {} bytes long, more than {MAX_PATH}", path.len()));
    }
    if path.starts_with('/') {
        return Err("it is absolute".to_owned());
    }
    if UPPER_CASE.contains(&path) {
        return Ok(());
    }
    path.split('/').try_for_each(check_segment)
}

fn check_segment(segment: &str) -> Result<(), String> {
    if segment.is_empty() {
        return Err("it has an empty part".to_owned());
    }
    if segment == "." || segment == ".." {
        return Err(format!("it has the part `{segment}`, which is a step and not a name"));
    }
    if let Some(odd) = segment.chars().find(|c| !(c.is_ascii_alphanumeric() || "._-".contains(*c))) {
        return Err(format!("it has the character `{}`; allowed are a-z, 0-9, `.`, `_` and `-`", odd.escape_default()));
    }
    if !segment.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err("one of its parts does not start with a letter or digit".to_owned());
    }
    if segment.ends_with('.') {
        return Err("one of its parts ends with a dot, which Windows drops".to_owned());
    }
    if segment.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("it has upper-case letters; only README.txt and SHA256SUMS at the top have them".to_owned());
    }
    if is_device(segment) {
        return Err(format!("`{segment}` is the name of a device on Windows"));
    }
    Ok(())
}

/// Windows takes these for devices whatever follows the first dot.
fn is_device(segment: &str) -> bool {
    let stem = segment.split('.').next().unwrap_or_default();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|digit| digit.len() == 1 && digit.bytes().all(|b| b.is_ascii_digit()))
    };
    matches!(stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// Finds the first path that cannot stand beside the others: equal to one when case is ignored, or a file where
/// another path needs a folder. The error is the path and the rule.
pub(super) fn check_together<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<(), (String, String)> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for path in paths {
        if let Some(other) = seen.insert(path.to_ascii_lowercase(), path) {
            let why = if other == path { "it is listed twice".to_owned() } else { equal_but_for_case(other) };
            return Err((path.to_owned(), why));
        }
    }
    for (folded, path) in &seen {
        for (end, _) in folded.match_indices('/') {
            if let Some(file) = folded.get(..end).and_then(|folder| seen.get(folder)) {
                return Err(((*path).to_owned(), format!("it needs a folder where `{file}` is a file")));
            }
        }
    }
    Ok(())
}

/// The words for two paths that some file systems cannot tell apart.
pub(super) fn equal_but_for_case(other: &str) -> String {
    format!("it differs from `{other}` only by case")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_itself_passes() {
        for path in [
            "README.txt",
            "SHA256SUMS",
            "manifest.json",
            "evidence/ev-0001/page-0001.json",
            "report/population-keyvault_001.csv",
            "console.txt",
            "com10/a..b",
        ] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
        assert_eq!(check_together(["a/b", "a/c", "a.b"]), Ok(()));
    }

    #[test]
    fn each_rule_refuses_with_its_own_words() {
        let long = format!("a/{}", "b".repeat(99));
        for (path, words) in [
            ("", "empty"),
            (long.as_str(), "101 bytes"),
            ("/etc/passwd", "absolute"),
            ("a//b", "empty part"),
            ("a/", "empty part"),
            ("../a", "`..`"),
            ("a/../b", "`..`"),
            ("./a", "`.`"),
            ("a\\b", "character"),
            ("a b", "character"),
            ("a\nb", "`\\n`"),
            ("C:/a", "character"),
            ("é", "`\\u{e9}`"),
            (".hidden", "does not start"),
            ("-rf", "does not start"),
            ("a./b", "ends with a dot"),
            ("Report.html", "upper-case"),
            ("report/README.txt", "upper-case"),
            ("readme.TXT", "upper-case"),
            ("nul", "device"),
            ("a/con.txt", "device"),
            ("com1.tar.gz", "device"),
            ("lpt9", "device"),
        ] {
            let why = check_path(path).expect_err(path);
            assert!(why.contains(words), "{path}: {why}");
        }
    }

    #[test]
    fn paths_that_collide_are_refused() {
        let (path, why) = check_together(["README.txt", "readme.txt"]).expect_err("case");
        assert_eq!((path.as_str(), why.as_str()), ("readme.txt", "it differs from `README.txt` only by case"));
        assert!(check_together(["a", "a"]).expect_err("twice").1.contains("twice"));
        let (path, why) = check_together(["a", "a-b", "a/b"]).expect_err("file and folder");
        assert_eq!((path.as_str(), why.as_str()), ("a/b", "it needs a folder where `a` is a file"));
    }
}
