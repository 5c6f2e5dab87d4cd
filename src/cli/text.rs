//! Text that fits a terminal of 100 columns.

/// Columns that a line may fill.
pub(super) const WIDTH: usize = 100;

/// Broken at the width, every line after `indent`; line breaks of the text stay. A word that is longer than a line is
/// cut in its middle.
pub(super) fn wrapped(text: &str, indent: &str) -> String {
    hanging(text, indent, indent)
}

/// The same, with another beginning of the first line.
pub(super) fn hanging(text: &str, first: &str, indent: &str) -> String {
    let mut lines = Vec::new();
    let mut begin = first;
    for paragraph in text.lines() {
        let mut line = begin.to_owned();
        let mut is_begun = false;
        begin = indent;
        for word in paragraph.split_whitespace() {
            let word = shortened(word, WIDTH - indent.chars().count());
            let needed = line.chars().count() + usize::from(is_begun) + word.chars().count();
            if is_begun && needed > WIDTH {
                lines.push(std::mem::replace(&mut line, indent.to_owned()));
                is_begun = false;
            }
            if is_begun {
                line.push(' ');
            }
            line.push_str(&word);
            is_begun = true;
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// Cut in the middle where it is longer than `width`: of an id, beginning and end tell most.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let head = width.saturating_sub(1) / 3;
    let tail = width.saturating_sub(1) - head;
    let begin: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{begin}…{end}")
}

/// Cut at the end where it is longer than `width`.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let begin: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", begin.trim_end())
}

/// `1 question`, `3 questions`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_and_no_word_is_lost() {
        let words: Vec<String> = (1..60).map(|length| "x".repeat(length % 17 + 1)).collect();
        let told = wrapped(&words.join(" "), "    ");
        assert!(told.lines().all(|line| line.chars().count() <= WIDTH && line.starts_with("    x")), "{told}");
        assert_eq!(told.split_whitespace().collect::<Vec<_>>(), words);
        assert_eq!(hanging("a b\nc", "1. ", "   "), "1. a b\n   c");
    }

    #[test]
    fn a_long_word_loses_its_middle_and_a_long_line_its_end() {
        let id = format!("/subscriptions/{}/vaults/kv-prod", "a".repeat(200));
        let told = wrapped(&format!("at {id} here"), "  ");
        assert!(told.lines().all(|line| line.chars().count() <= WIDTH), "{told}");
        assert!(told.contains("  /subscriptions/") && told.contains("/vaults/kv-prod"), "{told}");
        assert_eq!(cut("one two three", 8), "one two…");
        assert_eq!(cut("one", 8), "one");
    }
}
