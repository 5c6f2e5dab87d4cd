//! Text that others wrote, made harmless for each format.
//!
//! Names of resources are the work of whoever may create one. [`Shown`] is the only form in which they enter a
//! template: cut to a length, with every character that hides or reorders text written out. Escaping for the
//! format comes on top, as the default of each template engine, so that a template cannot forget it.

use std::io::{self, Write};

use serde::Serialize;

/// Characters of a name that are shown.
const NAME: usize = 300;
/// Characters of a sentence, URL or id that are shown.
const SENTENCE: usize = 2_000;

/// A string out of evidence, cut and with its invisible characters written out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Shown(String);

impl Shown {
    /// A name.
    pub(super) fn name(text: &str) -> Shown {
        Shown(visible(text, NAME))
    }

    /// A sentence that may hold names, a URL, or an id.
    pub(super) fn sentence(text: &str) -> Shown {
        Shown(visible(text, SENTENCE))
    }
}

/// `text` with control, bidi and zero-width characters as `⟨U+202E⟩`, and no longer than `limit` characters.
pub(super) fn visible(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    let mut characters = text.chars();
    for character in characters.by_ref().take(limit) {
        push_visible(&mut shown, character);
    }
    if characters.next().is_some() {
        shown.push_str(&format!("… ({} characters)", text.chars().count()));
    }
    shown
}

fn push_visible(out: &mut String, character: char) {
    if is_unseen(character) {
        out.push_str(&format!("⟨U+{:04X}⟩", u32::from(character)));
    } else {
        out.push(character);
    }
}

/// Characters that a reader cannot see and that can change what is seen around them.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The default escape of HTML templates: `& < > " '`, and unseen characters other than white space.
pub(super) fn html(input: &str, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(html_text(input).as_bytes())
}

/// `text` for HTML text and attributes.
pub(super) fn html_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(character),
            other => push_visible(&mut escaped, other),
        }
    }
    escaped
}

/// A sentence for HTML: what stands between backticks as code, all of it escaped and set apart from the text
/// around it in its direction.
pub(super) fn html_sentence(text: &str) -> String {
    let pieces = in_backticks(text).into_iter().map(|(is_code, piece)| {
        let escaped = html_text(piece);
        if is_code { format!("<code>{escaped}</code>") } else { escaped }
    });
    format!("<bdi>{}</bdi>", pieces.collect::<String>())
}

/// The default escape of Markdown templates: nothing in `input` is taken for Markdown, HTML or an address.
pub(super) fn markdown(input: &str, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(markdown_text(input).as_bytes())
}

/// `text` for Markdown, every sign escaped. Words that a reader's engine could take for an address become code,
/// because some engines find addresses in text that is escaped already.
pub(super) fn markdown_text(text: &str) -> String {
    by_word(text, |word, out| {
        for character in word.chars() {
            match character {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '|' => out.push_str("&#124;"), // an entity: engines differ on a backslash inside a table
                other if other.is_ascii_punctuation() && !"\"'%,/:;?@^=".contains(other) => {
                    out.push('\\');
                    out.push(other);
                }
                other => push_visible(out, other),
            }
        }
    })
}

/// Our own words for Markdown: code between backticks stays code, and the signs that mean something inside a line
/// or at its start are escaped.
pub(super) fn markdown_words(text: &str) -> String {
    let pieces = in_backticks(text).into_iter();
    let escaped: String =
        pieces.map(|(is_code, piece)| if is_code { markdown_code(piece) } else { lightly_escaped(piece) }).collect();
    let digits = escaped.len() - escaped.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = escaped.split_at(digits);
    let begins_a_block =
        if number.is_empty() { rest.starts_with(['#', '+', '-', '=']) } else { rest.starts_with(['.', ')']) };
    if begins_a_block { format!("{number}\\{rest}") } else { escaped }
}

fn lightly_escaped(text: &str) -> String {
    by_word(text, |word, out| {
        for character in word.chars() {
            match character {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '|' => out.push_str("&#124;"),
                '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' => {
                    out.push('\\');
                    out.push(character);
                }
                other => push_visible(out, other),
            }
        }
    })
}

/// A string out of evidence as a code span whose fence is longer than any run of backticks in it. A `|` would
/// end the cell of a table even there, so it stands between two spans.
pub(super) fn markdown_code(text: &str) -> String {
    if text.is_empty() {
        return "–".to_owned();
    }
    let spans = text.split('|').map(|piece| if piece.is_empty() { String::new() } else { code_span(piece) });
    spans.collect::<Vec<_>>().join("&#124;")
}

/// A sentence for Markdown: what stands between backticks as code, the rest escaped.
pub(super) fn markdown_sentence(text: &str) -> String {
    let pieces = in_backticks(text).into_iter();
    pieces.map(|(is_code, piece)| if is_code { markdown_code(piece) } else { markdown_text(piece) }).collect()
}

fn code_span(piece: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for character in piece.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let pad = if piece.starts_with(['`', ' ']) || piece.ends_with(['`', ' ']) { " " } else { "" };
    let mut shown = String::new();
    piece.chars().for_each(|character| push_visible(&mut shown, character));
    format!("{fence}{pad}{shown}{pad}{fence}")
}

/// Escapes word by word; a word that looks like an address becomes code.
fn by_word(text: &str, escape: impl Fn(&str, &mut String)) -> String {
    let mut out = String::with_capacity(text.len());
    let mut first = true;
    for word in text.split([' ', '\n', '\r', '\t']) {
        if !std::mem::take(&mut first) {
            out.push(' ');
        }
        if is_like_an_address(word) {
            out.push_str(&markdown_code(word));
        } else {
            escape(word, &mut out);
        }
    }
    out
}

fn is_like_an_address(word: &str) -> bool {
    let word = word.to_lowercase();
    word.contains("://")
        || word.contains("www.")
        || word.contains('@')
        || word.contains("mailto:")
        || word.contains("xmpp:")
}

/// Splits at pairs of backticks; true marks what stands between them. An odd number of them means nothing.
fn in_backticks(text: &str) -> Vec<(bool, &str)> {
    if text.matches('`').count() % 2 == 1 || text.contains("``") {
        return vec![(false, text)];
    }
    text.split('`')
        .enumerate()
        .map(|(index, piece)| (index % 2 == 1, piece))
        .filter(|(_, piece)| !piece.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_reorders_text_is_written_out() {
        assert_eq!(visible("a\u{202e}b\u{200b}c\n\0", 300), "a⟨U+202E⟩b⟨U+200B⟩c⟨U+000A⟩⟨U+0000⟩");
        assert_eq!(visible("Müller-Straße 5 日本", 300), "Müller-Straße 5 日本");
    }

    #[test]
    fn a_long_name_is_cut_and_says_how_long_it_was() {
        let shown = visible(&"x".repeat(1 << 20), 300);
        assert_eq!(shown, format!("{}… (1048576 characters)", "x".repeat(300)));
        assert_eq!(visible(&"x".repeat(300), 300), "x".repeat(300));
    }

    #[test]
    fn html_is_escaped_in_text_and_attributes() {
        assert_eq!(
            html_text("<a href='x' b=\"y\">&\u{202e}"),
            "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;⟨U+202E⟩"
        );
        assert_eq!(html_sentence("holds it at `/a<b>`"), "<bdi>holds it at <code>/a&lt;b&gt;</code></bdi>");
        assert_eq!(html_sentence("one ` only"), "<bdi>one ` only</bdi>");
    }

    #[test]
    fn a_fence_is_longer_than_any_run_of_backticks_inside() {
        assert_eq!(markdown_code("a"), "`a`");
        assert_eq!(markdown_code("a``b"), "```a``b```");
        assert_eq!(markdown_code("`a`"), "`` `a` ``");
        assert_eq!(markdown_code("a|b"), "`a`&#124;`b`");
        assert_eq!(markdown_code(""), "–");
    }

    #[test]
    fn markdown_text_says_what_it_says() {
        assert_eq!(markdown_text("# 1. *a* [b](c) <i> a|b"), "\\# 1\\. \\*a\\* \\[b\\]\\(c\\) &lt;i&gt; a&#124;b");
        assert_eq!(markdown_text("see https://x.example now"), "see `https://x.example` now");
        assert_eq!(markdown_words("AC-2(3) is *not* required"), "AC-2(3) is \\*not\\* required");
        assert_eq!(markdown_words("1. first"), "1\\. first");
        assert_eq!(markdown_words("- first"), "\\- first");
        assert_eq!(markdown_words("2026-07-01"), "2026-07-01");
    }
}
