//! Secrets in places where only names should stand, recognised by their look.
//!
//! This is the second fence, behind the list: it errs towards cutting.

use super::look::{is_harmless_path, is_harmless_text};

/// A run of this many characters that looks like a key is taken for one.
pub(super) const LONGEST_WORD: usize = 40;
/// How often a name may be escaped over and over.
const DEEPEST_ESCAPE: usize = 3;

/// Marks of a credential in text, compared in lower case without spaces.
pub(super) const MARKS: &[&str] = &[
    "accountkey=",
    "sharedaccesskey=",
    "sharedaccesssignature",
    "password=",
    "password:",
    "passwd=",
    "pwd=",
    "pwd:",
    "clientsecret=",
    "client_secret=",
    "secret=",
    "apikey=",
    "api_key=",
    "api-key=",
    "access_token=",
    "token=",
    "authorization:",
    "authorization=",
    "-----begin",
    "?sig=",
    "&sig=",
    ";sig=",
];

/// Starts of well-known tokens.
const STARTS: &[&str] = &["ghp_", "gho_", "ghs_", "github_pat_", "xoxb-", "xoxp-", "glpat-"];

/// Whether a name or a line of text looks as if it held a secret.
pub(in crate::collect) fn secret_in_text(text: &str) -> bool {
    !is_harmless_text(text) && looks_like_secret_in_text(text)
}

pub(super) fn looks_like_secret_in_text(text: &str) -> bool {
    in_any_form(text, |text| {
        has_mark(text) || has_token(text) || runs(text, |c| is_separator(c) || is_key_character(c)).any(is_key)
    })
}

/// The same for ids, scopes, actions and URLs, where slashes and underscores part words. Azure makes long names out of
/// several, such as `MC_group_cluster_region`: what is cut there is an id, and is missed in every judgement.
pub(super) fn secret_in_path(text: &str) -> bool {
    !is_harmless_path(text) && looks_like_secret_in_path(text)
}

pub(super) fn looks_like_secret_in_path(text: &str) -> bool {
    let is_word = |run: &str| !run.bytes().any(|b| b.is_ascii_uppercase() || matches!(b, b'+' | b'='));
    let is_key = |run: &str| is_key(run) && (!is_word(run) || is_hexadecimal(run));
    in_any_form(text, |text| has_mark(text) || has_token(text) || runs(text, is_key_character).any(is_key))
}

/// Whether the text, or what it stands for when it is escaped as in a URL, holds something.
fn in_any_form(text: &str, holds: impl Fn(&str) -> bool) -> bool {
    let mut form = std::borrow::Cow::Borrowed(text);
    for _ in 0..=DEEPEST_ESCAPE {
        if holds(&form) {
            return true;
        }
        match unescaped(&form) {
            Some(plain) => form = plain.into(),
            None => return false,
        }
    }
    true // nobody escapes a name that often
}

/// The text with each `%41` replaced by what it stands for; none where there is no such.
fn unescaped(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let (mut plain, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, more)) = rest.split_first() {
        let digits = more.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = more.get(2..).unwrap_or_default();
            }
            None => {
                plain.push(*first);
                rest = more;
            }
        }
    }
    let plain = String::from_utf8_lossy(&plain).into_owned();
    (plain != text).then_some(plain)
}

/// Whether the name of a map's entry, which must be an ARM id, is anything else.
pub(super) fn name_is_unfit(name: &str) -> bool {
    !name.starts_with('/') || secret_in_path(name)
}

fn has_mark(text: &str) -> bool {
    if !text.contains(['=', ':', '-']) && !text.to_ascii_lowercase().contains("sharedaccess") {
        return false; // most values: nothing to look for
    }
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
    if !plain.contains(['=', ':']) {
        return plain.contains("sharedaccesssignature") || plain.contains("-----begin"); // the others hold one of both
    }
    MARKS.iter().any(|mark| plain.contains(mark)) || plain.starts_with("sig=") || has_userinfo(&plain)
}

/// `scheme://user:pass@host`
fn has_userinfo(text: &str) -> bool {
    text.split("://").skip(1).any(|after| {
        let authority = after.split(['/', '?', '#']).next().unwrap_or(after);
        authority.contains('@')
    })
}

fn has_token(text: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'~');
    let mut scheme: &[u8] = b"";
    text.as_bytes().split(|b| !is_part(*b)).filter(|word| !word.is_empty()).any(|word| {
        let before = std::mem::replace(&mut scheme, word);
        word.len() >= 8 && (is_after_scheme(before, word) || is_token(word))
    })
}

/// Whether what follows `Bearer` or `Basic` is its credential.
fn is_after_scheme(scheme: &[u8], word: &[u8]) -> bool {
    // "Basic authentication" is a name
    scheme.eq_ignore_ascii_case(b"bearer")
        || (scheme.eq_ignore_ascii_case(b"basic") && word.iter().any(u8::is_ascii_digit))
}

fn is_token(word: &[u8]) -> bool {
    let is_jwt = word.starts_with(b"eyJ") && word.len() >= 20 && word.contains(&b'.');
    let is_known = STARTS.iter().any(|start| word.starts_with(start.as_bytes()) && word.len() >= start.len() + 10);
    // Entra client secrets have `8Q~` (or `7Q~`) after three characters.
    let is_entra = word.len() >= 34 && word.get(4..6) == Some(b"Q~");
    let is_aws = word.len() == 20 && word.starts_with(b"AKIA");
    is_jwt || is_known || is_entra || is_aws
}

fn is_key_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '=')
}

/// What parts words in a name, and may stand in a key all the same.
fn is_separator(c: char) -> bool {
    matches!(c, '/' | '_')
}

/// Long runs of characters that could be base64 or hexadecimal.
fn runs(text: &str, is_run: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(move |c| !is_run(c)).filter(|run| run.len() >= LONGEST_WORD)
}

/// Whether a run mixes letters with digits, as keys do, and is not made of words and numbers, as names are.
pub(super) fn is_key(run: &str) -> bool {
    let is_mixed = run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic());
    is_mixed && (is_hexadecimal(run) || is_jumbled(run))
}

fn is_hexadecimal(run: &str) -> bool {
    run.chars().all(|c| c.is_ascii_hexdigit() || is_separator(c))
}

/// Whether small letters, capitals, digits and signs alternate as they do where chance put them. In names they stand
/// in words and numbers, which are longer: in `ResourceGroup01`, the kind changes twice in 15 characters, a capital
/// that begins a word not counted; in a key, at every second character. In letters of one case there are fewer kinds,
/// and fewer changes.
fn is_jumbled(run: &str) -> bool {
    let kind = |b: u8| match b {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let is_change = |pair: &[u8]| match pair {
        [a, b] if is_separator((*a).into()) || is_separator((*b).into()) => false,
        [a, b] => kind(*a) != kind(*b) && (kind(*a), kind(*b)) != (1, 0),
        _ => false,
    };
    let changes = run.as_bytes().windows(2).filter(|pair| is_change(pair)).count();
    let length = run.chars().filter(|c| !is_separator(*c)).count();
    let has = |of: fn(&u8) -> bool| run.as_bytes().iter().any(of);
    let often = match (has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase)) {
        (true, true) => 5,
        (true, false) => 8,
        (false, _) => 16, // base32 has few digits
    };
    changes * often >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_seen_by_their_look() {
        for text in [
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc==",
            "Endpoint=sb://x/;SharedAccessKey = abc",
            "Server=db;Password=hunter2",
            "server=db; pwd = hunter2",
            "-----BEGIN RSA PRIVATE KEY-----",
            "https://st.blob.core.windows.net/c?sv=1&sig=abc",
            "https://user:pass@example.com/",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
            "abc8Q~0123456789abcdefghijklmnopqrstuv",
            "ghp_0123456789abcdefghij",
            "curl/8.5.0 Authorization: x",
            "Bearer opaque-token",
            "basic c3ZjOnBhc3M5",
            "0123456789abcdef0123456789abcdef01234567",
            "c3VwZXIvc2VjcmV0L2tleQ0123456789+abcdef/gh==",
        ] {
            assert!(secret_in_text(text), "{text}");
        }
    }

    #[test]
    fn keys_in_paths_are_seen() {
        for path in [
            "/subscriptions/s/resourceGroups/0123456789abcdef0123456789abcdef01234567",
            "/subscriptions/s/resourceGroups/JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DP",
            "/subscriptions/s/resourceGroups/c3VwZXIvc2VjcmV0L2tleQ0123456789abcdefgh",
        ] {
            assert!(secret_in_path(path), "{path}");
        }
    }

    #[test]
    fn names_and_ids_are_left_alone() {
        for text in [
            "setByPolicy-LogAnalytics-central-monitoring-prod01",
            "11111111-2222-3333-4444-555555555555",
            "2026-10-02T09:00:00.1234567Z",
            "Caller is not authorized to perform action on resource",
            "azsdk-rust-keyvault/1.0",
            "isExplicit=True",
            "Basic authentication",
        ] {
            assert!(!secret_in_text(text), "{text}");
        }
        for path in [
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg1/providers/Microsoft.KeyVault/vaults/kv1",
            "https://kv-pay.vault.azure.net/secrets/db-password/0123456789abcdef0123456789abcdef",
            "Microsoft.OperationalInsights/workspaces/query/AADServicePrincipalSignInLogs/read",
            "repo:org/repo:environment:prod",
            "/subscriptions/s/resourceGroups/MC_rg-payments-prod01_aks-payments-prod01_westeurope/providers/x/y/z",
            "/subscriptions/s/resourceGroups/MC_ResourceGroup01_KubernetesCluster01_WestEurope/providers/x/y/z",
            "/subscriptions/s/resourceGroups/contosoproductioncustomerplatform01westeurope",
        ] {
            assert!(!secret_in_path(path), "{path}");
        }
    }

    /// Names that Azure, its tools and people give, at and near the longest that each service takes.
    #[test]
    fn long_names_of_resources_are_left_alone() {
        for name in [
            "AzureBackup_sqlserver-production01_3456789012345678901",
            "rg_customer_platform_production_westeurope_0001",
            "svc_customerplatform_prod_weu_keyvault_reader_01",
            "MC_rg-payments-prod01_aks-payments-prod01_westeurope",
            "ResourceGroupForCustomerPlatformProduction01WestEurope",
            "NetworkWatcherRG_customerplatformproduction01_westeurope2",
            "PRODUCTIONCUSTOMERPLATFORM_RESOURCEGROUP01_WESTEUROPE",
            "synapseworkspace-managedrg-11111111-2222-3333-4444-555555555555",
            "databricks-rg-dbw-customerplatform-prod-weu-001-abcdefghijklm",
            "stcustomerplatformprod01",
            "mlwplatformprod4715520036",
            "aks-agentpool-37463671-vmss_e1a2b3c4",
            "DefaultWorkspace-11111111-2222-3333-4444-555555555555-WEU",
            "ASP-rgcustomerplatformprod-a1b2",
            "Failure Anomalies - func-customer-platform-production-westeurope-001",
            "Contoso Customer Platform / Production / West Europe / Key rotation function app (owner: platform team 01)",
            "github-actions_contoso_customer-platform_environment_production_2026",
            "AADB2C_11111111-2222-3333-4444-555555555555_CustomerPlatformProduction",
            "PowerVirtualAgentsUSGovDataPlatform2026Application",
            "Log_Analytics_Workspace_Of_The_Security_Operations_Center_2026_Q3",
        ] {
            assert!(!secret_in_text(name), "{name}");
            assert!(!secret_in_path(name), "{name}");
            let id = format!(
                "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/{name}/providers/A.B/c/{name}"
            );
            assert!(!secret_in_path(&id), "{id}");
            // Azure Monitor writes ids in capitals, and some lists in small letters.
            assert!(!secret_in_path(&id.to_uppercase()), "{id}");
            assert!(!secret_in_path(&id.to_lowercase()), "{id}");
        }
    }

    #[test]
    fn escapes_hide_nothing() {
        for text in ["password%3Dhunter2", "x%253Fsig%253Dhunter2", "Bearer%20opaque-token", "%2525252525252541"] {
            assert!(secret_in_text(text) && secret_in_path(text), "{text}");
        }
        for text in ["100% coverage", "a%20name%20with%20blanks", "%", "%zz", "ends with %4"] {
            assert!(!secret_in_text(text) && !secret_in_path(text), "{text}");
        }
    }

    fn spelled(alphabet: &str, bytes: &[u8]) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        bytes.iter().map(|byte| letters[usize::from(*byte) % letters.len()]).collect()
    }

    const SMALL: &str = "abcdefghijklmnopqrstuvwxyz";
    const CAPITAL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const DIGITS: &str = "0123456789";

    /// Keys as Azure hands them out. Chance can spell a name, so it is not every one; it is all but one in a thousand.
    #[test]
    fn random_keys_are_seen() {
        let mut state: u64 = 7;
        let mut random = |length: usize| -> Vec<u8> {
            let next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) as u8
            };
            std::iter::repeat_with(next).take(length).collect()
        };
        let base64 = format!("{CAPITAL}{SMALL}{DIGITS}");
        for (name, alphabet, length) in [
            ("a storage key", format!("{base64}+/"), 86),
            ("a 32-byte key", base64.clone(), 43),
            ("a 32-byte key, for URLs", format!("{base64}_"), 43),
            ("a key of an AI services account", base64, 84),
            ("a digest", "0123456789abcdef".to_owned(), 64),
            ("small letters and digits", format!("{SMALL}{DIGITS}"), 52),
            ("base32", format!("{CAPITAL}234567"), 52),
        ] {
            let missed = (0..2000).filter(|_| !secret_in_text(&spelled(&alphabet, &random(length)))).count();
            assert!(missed <= 2, "{name}: {missed} of 2000");
        }
    }
}
