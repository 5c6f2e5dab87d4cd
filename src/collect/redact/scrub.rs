//! Secrets in places where only names should stand, recognised by their look.
//!
//! This is the second fence, behind the list: it errs towards cutting.

/// A run of this many characters that looks like a key is taken for one.
const LONGEST_WORD: usize = 40;

/// Marks of a credential in text, compared in lower case without spaces.
const MARKS: &[&str] = &[
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
pub(super) fn secret_in_text(text: &str) -> bool {
    has_mark(text) || has_token(text) || runs(text, |c| c == '/' || is_key_character(c)).any(is_mixed)
}

/// The same for ids, scopes, actions and URLs, where slashes and underscores part words. Azure makes long names out of
/// several, such as `MC_group_cluster_region`: what is cut there is an id, and is missed in every judgement.
pub(super) fn secret_in_path(text: &str) -> bool {
    let is_word = |run: &str| !run.bytes().any(|b| b.is_ascii_uppercase() || matches!(b, b'+' | b'='));
    let is_key = |run: &str| is_mixed(run) && (!is_word(run) || run.bytes().all(|b| b.is_ascii_hexdigit()));
    has_mark(text) || has_token(text) || runs(text, |c| c != '_' && is_key_character(c)).any(is_key)
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
    c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | '_')
}

/// Long runs of characters that could be base64 or hexadecimal.
fn runs(text: &str, is_run: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(move |c| !is_run(c)).filter(|run| run.len() >= LONGEST_WORD)
}

/// Whether a run mixes letters with digits, as keys do.
fn is_mixed(run: &str) -> bool {
    run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic())
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
}
