//! One look at a text, which tells most names, ids and times from whatever could hold a secret.
//!
//! It only ever says that there is nothing to look for: what it does not know to be harmless, `scrub` judges.

use super::scrub::{LONGEST_WORD, MARKS};

/// Letters and digits, `+` and `=`: what a key is made of.
const IN_KEY: u8 = 1;
/// `/` and `_`, which part words and may stand in a key all the same.
const SEPARATOR: u8 = 2;
/// What a token is made of: letters, digits, `_`, `-`, `.` and `~`.
const IN_WORD: u8 = 4;
const LETTER: u8 = 8;
/// `=` and `:`, of which nearly every mark of a credential holds one.
const ASSIGNS: u8 = 16;
/// `%`, `~`, and `@`: escapes, client secrets of Entra, and users in front of a host.
const ODD: u8 = 32;
/// White space and whatever is not ASCII.
const WIDE: u8 = 64;
const DASH: u8 = 128;

/// What each byte is.
const SORTS: [u8; 256] = {
    let mut sorts = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        sorts[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => IN_KEY | IN_WORD | LETTER,
            b'0'..=b'9' => IN_KEY | IN_WORD,
            b'+' => IN_KEY,
            b'=' => IN_KEY | ASSIGNS,
            b':' => ASSIGNS,
            b'/' => SEPARATOR,
            b'_' => SEPARATOR | IN_WORD,
            b'-' => IN_WORD | DASH,
            b'.' => IN_WORD,
            b'~' => IN_WORD | ODD,
            b'%' | b'@' => ODD,
            b' ' | 9..=13 | 128.. => WIDE,
            _ => 0,
        };
        byte += 1;
    }
    sorts
};

/// The letters of each mark.
const LETTERS_OF_MARKS: [u32; MARKS.len()] = {
    let mut all = [0; MARKS.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = letters_of(MARKS[index]);
        index += 1;
    }
    all
};

/// How many dashes in a row open a PEM block.
const DASHES_OF_PEM: u32 = 5;

/// The letters in a text, without case, as bits.
const fn letters_of(text: &str) -> u32 {
    let (bytes, mut letters, mut index) = (text.as_bytes(), 0, 0);
    while index < bytes.len() {
        letters |= letter(bytes[index]);
        index += 1;
    }
    letters
}

/// The bit of a letter; none for anything else.
const fn letter(byte: u8) -> u32 {
    (SORTS[byte as usize] & LETTER != 0) as u32 * (1 << (byte & 31))
}

const fn holds(letters: u32, all: u32) -> bool {
    letters & all == all
}

/// Whether a text surely holds nothing that looks like a secret, where `/` and `_` part words.
pub(super) fn is_harmless_path(text: &str) -> bool {
    is_harmless(text, IN_KEY)
}

/// The same where they may stand in a key.
pub(super) fn is_harmless_text(text: &str) -> bool {
    is_harmless(text, IN_KEY | SEPARATOR)
}

fn is_harmless(text: &str, in_run: u8) -> bool {
    let bytes = text.as_bytes();
    let (mut seen, mut letters, mut dashes, mut before) = (0, 0_u32, 0_u32, 0);
    for (at, byte) in bytes.iter().enumerate() {
        let sort = SORTS[usize::from(*byte)];
        seen |= sort;
        letters |= u32::from(sort & LETTER != 0) << (byte & 31);
        dashes += u32::from(sort & DASH != 0);
        if sort & LETTER != 0 && before & IN_WORD == 0 && begins_token(bytes, at) {
            return false;
        }
        before = sort;
    }
    let may_begin = dashes >= DASHES_OF_PEM && (seen & WIDE != 0 || text.contains("-----"));
    if seen & ODD != 0 || may_begin || has_long_run(bytes, in_run) {
        return false;
    }
    let may_sign = holds(letters, const { letters_of("sharedaccess") }) && (seen & WIDE != 0 || has_shared(bytes));
    !may_sign && (seen & ASSIGNS == 0 || LETTERS_OF_MARKS.iter().all(|mark| !holds(letters, *mark)))
}

/// Whether so many bytes of these sorts stand in a row as a key has. Looked for from the end of each stretch that long,
/// so that most bytes are passed over.
fn has_long_run(bytes: &[u8], sorts: u8) -> bool {
    let mut from = 0;
    while let Some(stretch) = bytes.get(from..from + LONGEST_WORD) {
        match stretch.iter().rposition(|byte| SORTS[usize::from(*byte)] & sorts == 0) {
            Some(at) => from += at + 1,
            None => return true,
        }
    }
    false
}

/// Whether a word begins here as tokens do, or as the name of a scheme that a credential follows.
fn begins_token(bytes: &[u8], at: usize) -> bool {
    let Some([a, b, c]) = bytes.get(at..at + 3).and_then(|first| <[u8; 3]>::try_from(first).ok()) else { return false };
    let first = [a | 32, b | 32, c | 32]; // lower case, of letters
    matches!(&first, b"eyj" | b"ghp" | b"gho" | b"ghs" | b"git" | b"xox" | b"glp" | b"aki" | b"bea" | b"bas")
}

/// The middle of `SharedAccessSignature`, in any case.
fn has_shared(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|four| four.eq_ignore_ascii_case(b"dacc"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::scrub::{looks_like_secret_in_path, looks_like_secret_in_text};
    use super::*;

    /// Pieces of secrets and of names, of which texts are put together.
    const PIECES: &[&str] = &[
        "SharedAccess",
        "shared access",
        "Signature",
        "Key",
        "key=",
        "AccountKey",
        "password",
        "pwd",
        "=",
        ":",
        "-",
        "--",
        "-----BEGIN",
        "begin",
        "sig=",
        "?sig=",
        "&",
        "https://",
        "user@host",
        "@",
        "%41",
        "%",
        "eyJ",
        ".",
        "ghp_",
        "GHO_",
        "github_pat_",
        "xoxb-",
        "glpat-",
        "AKIA",
        "0123456789ABCDEF",
        "abc8Q~",
        "Bearer",
        "basic",
        " ",
        "\t",
        "\u{a0}",
        "\u{2003}",
        "é",
        "/",
        "_",
        "+",
        "abcdefghij",
        "ABCdef123456",
        "token",
        "secret",
        "client_secret",
        "authorization",
        "11111111-2222-3333-4444-555555555555",
        "/subscriptions/",
        "Microsoft.KeyVault",
        "2026-07-01T00:00:00Z",
        "api-key",
        "d",
        "a",
        "c",
        "ſ",
        "K",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn what_is_taken_for_harmless_is_so_for_the_judge(
            pieces in proptest::collection::vec(0..PIECES.len(), 0..12),
            odd in ".{0,12}",
        ) {
            let text: String = pieces.iter().map(|piece| PIECES[*piece]).chain([odd.as_str()]).collect();
            prop_assert!(!is_harmless_text(&text) || !looks_like_secret_in_text(&text), "{text:?}");
            prop_assert!(!is_harmless_path(&text) || !looks_like_secret_in_path(&text), "{text:?}");
        }
    }

    #[test]
    fn most_names_ids_and_times_are_told_at_once() {
        for text in [
            "",
            "11111111-2222-3333-4444-555555555555",
            "2026-10-02T09:00:00.1234567Z",
            "kv-payments-prod",
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-1/providers/Microsoft.KeyVault/vaults/kv-1",
            "Microsoft.Authorization/roleAssignments",
            "https://kv-pay.vault.azure.net/",
        ] {
            assert!(is_harmless_path(text), "{text}");
        }
        assert!(is_harmless_text("ServicePrincipal") && is_harmless_text("11111111-2222-3333-4444-555555555555"));
    }
}
