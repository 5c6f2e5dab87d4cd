//! Classes of allowed values: what a string of each class must look like to be kept as it is.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::CUT;
use super::allow::{Allowed, claims, targets};
use super::scrub::{is_key, secret_in_path, secret_in_text};
use super::url::{shown, without_query};

/// How a value on the list is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A name, a word, an id without slashes, or a time.
    Text,
    /// ARM ids, scopes, actions and types: slashes part them, so a long one is not a key.
    Path,
    /// A URL of which the query goes.
    Url,
    /// A link to a next page: its tokens go.
    Link,
    /// The token of a next page: that there is one stays.
    Token,
    /// The value of an allowed tag.
    Tag,
    /// An error code.
    Code,
    /// The address of a caller: coarsened.
    Address,
    /// What a caller calls itself: only products with their version stay, the rest is the caller's free text.
    Agent,
    /// The description in a log row: only known phrases stay.
    Description,
    /// A token's claims as a log row keeps them: only three stay.
    Claims,
    /// What a change in the directory was made to: ids, and the names of what was changed, never a value.
    Targets,
}

/// Longest value of a tag.
const LONGEST_TAG: usize = 120;
/// A code of this length is not taken for one where it could be a key.
const SHORTEST_KEY: usize = 20;
/// Longest error code.
const LONGEST_CODE: usize = 80;

impl Class {
    /// The class by its name in the list.
    pub(super) fn named(name: &str) -> Option<Class> {
        Some(match name {
            "text" => Class::Text,
            "path" => Class::Path,
            "url" => Class::Url,
            "link" => Class::Link,
            "token" => Class::Token,
            "tag" => Class::Tag,
            "code" => Class::Code,
            "address" => Class::Address,
            "agent" => Class::Agent,
            "description" => Class::Description,
            "claims" => Class::Claims,
            "targets" => Class::Targets,
            _ => return None,
        })
    }

    /// Whether a number, `true`, `false` or `null` may stand here.
    pub(super) fn keeps_scalar(self, raw: &[u8]) -> bool {
        self == Class::Text || raw == b"null"
    }

    /// None when `text` may be kept as it is, else the rule and what to write instead.
    pub(super) fn judge(self, text: &str) -> Option<(&'static str, String)> {
        let secret = |found: bool| found.then(|| ("secret_like", CUT.to_owned()));
        let changed = |rule, instead: String| (instead != text).then_some((rule, instead));
        match self {
            Class::Text => secret(secret_in_text(text)),
            Class::Path => secret(secret_in_path(text)),
            Class::Tag if text.chars().count() > LONGEST_TAG => Some(("too_long", CUT.to_owned())),
            Class::Tag => secret(secret_in_text(text)),
            Class::Url => match without_query(text) {
                short if secret_in_path(&short) => secret(true),
                short => changed("url_query", short),
            },
            Class::Link => match shown(text) {
                // `token=[cut]` is no secret any more
                short if secret_in_path(&short.replace("=[cut]", "")) => secret(true),
                short => changed("url_token", short),
            },
            Class::Token => changed("paging_token", if text.is_empty() { String::new() } else { CUT.to_owned() }),
            Class::Code if is_code(text) => None,
            Class::Code => Some(("not_a_code", CUT.to_owned())),
            Class::Address => changed("address_coarsened", coarse(text)),
            Class::Agent => changed("free_text", products(text)),
            Class::Description => changed("free_text", phrases(text)),
            Class::Claims => inner("claims", text, claims()),
            Class::Targets => inner("targets", text, targets()),
        }
    }

    /// What may be kept of a cell that holds JSON.
    pub(super) fn inner(self) -> Option<&'static Allowed> {
        match self {
            Class::Claims => Some(claims()),
            Class::Targets => Some(targets()),
            _ => None,
        }
    }
}

/// JSON inside text, and what stays of it.
fn inner(rule: &'static str, text: &str, allowed: &Allowed) -> Option<(&'static str, String)> {
    match super::scan::copy(text.as_bytes(), allowed) {
        _ if text.is_empty() => None,
        Ok(clean) => Some((rule, String::from_utf8_lossy(&clean.bytes).into_owned())).filter(|(_, kept)| kept != text),
        Err(_) => Some((rule, CUT.to_owned())),
    }
}

/// `^[A-Za-z][A-Za-z0-9_]{0,79}$`, and made of words.
pub(in crate::collect) fn is_code(text: &str) -> bool {
    text.len() <= LONGEST_CODE
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !(text.len() >= SHORTEST_KEY && is_key(text))
}

/// The network of an address: /24 of IPv4, /48 of IPv6. An address that was coarsened before stays as it is.
fn coarse(text: &str) -> String {
    let address = text.trim();
    if address.is_empty() {
        return text.to_owned();
    }
    let bare = address.split('/').next().unwrap_or(address);
    let host = match bare.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or(bracketed), // [2001:db8::1]:443
        None if bare.matches(':').count() == 1 => bare.split(':').next().unwrap_or(bare), // 192.0.2.1:443
        None => bare,
    };
    if let Ok(v4) = host.parse::<Ipv4Addr>() {
        let [a, b, c, _] = v4.octets();
        return format!("{a}.{b}.{c}.0/24");
    }
    match host.parse::<Ipv6Addr>() {
        Ok(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => coarse(&v4.to_string()),
            None => {
                let [a, b, c, ..] = v6.segments();
                format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
            }
        },
        Err(_) => CUT.to_owned(),
    }
}

/// `name/version` words of a user agent, with `[cut]` at the end when there was more.
fn products(text: &str) -> String {
    let is_product = |word: &&str| {
        let Some((name, version)) = word.split_once('/') else { return false };
        let version = version.strip_prefix('v').unwrap_or(version);
        let numbers = version.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let label =
            numbers.trim_start_matches(['-', '+', '.']).trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.len() <= 60
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+'));
        let is_version = version.starts_with(|c: char| c.is_ascii_digit())
            && version.len() <= 24
            && label.len() <= 8
            && label.chars().all(|c| c.is_ascii_lowercase());
        is_name && is_version && !secret_in_path(word)
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut kept: Vec<&str> = words.iter().copied().filter(is_product).collect();
    if kept.len() == words.len() {
        return text.to_owned();
    }
    kept.push(CUT);
    kept.join(" ")
}

/// Phrases of Key Vault that say why it refused. They name nobody.
const PHRASES: &[&str] = &[
    "Caller is not authorized to perform action on resource.",
    "Client address is not authorized and caller is not a trusted service.",
    "is not authorized and caller is not a trusted service",
    "Public network access is disabled and request is not from a trusted service nor via an approved private link.",
    "Connection is not an approved private link and caller was ignored because bypass is not set to 'AzureServices'",
    "was not found in this key vault.",
    "DeniedWithNoValidRBAC",
    "ForbiddenByFirewall",
    "ForbiddenByConnection",
    "ForbiddenByRbac",
    "ForbiddenByPolicy",
    "AccessDenied",
];

/// The known phrases in `text`, with `[cut]` for what stood around them.
fn phrases(text: &str) -> String {
    if text.trim().is_empty() {
        return text.to_owned();
    }
    let permission = missing_permission(text);
    let mut known: Vec<(usize, &str)> = Vec::new();
    for phrase in PHRASES.iter().copied().chain(permission.as_deref()) {
        if let Some(at) = text.find(phrase)
            && !known.iter().any(|(other, longer)| *other <= at && at < other + longer.len())
        {
            known.push((at, phrase));
        }
    }
    known.sort();
    let (mut shown, mut end) = (Vec::new(), 0);
    for (at, phrase) in known {
        if at > end {
            shown.push(CUT);
        }
        shown.push(phrase);
        end = at + phrase.len();
    }
    if end < text.trim_end().len() {
        shown.push(CUT);
    }
    shown.join(" ")
}

/// `does not have secrets get permission on key vault`, when the two words in it are plain words.
fn missing_permission(text: &str) -> Option<String> {
    let (_, after) = text.split_once("does not have ")?;
    let (named, _) = after.split_once(" permission on key vault")?;
    let words: Vec<&str> = named.split(' ').collect();
    let is_plain =
        words.len() == 2 && words.iter().all(|word| word.len() <= 20 && word.bytes().all(|b| b.is_ascii_alphabetic()));
    is_plain.then(|| format!("does not have {named} permission on key vault"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_coarsened_and_nothing_else_passes_as_one() {
        assert_eq!(coarse("203.0.113.7"), "203.0.113.0/24");
        assert_eq!(coarse("203.0.113.7:50123"), "203.0.113.0/24");
        assert_eq!(coarse("203.0.113.0/24"), "203.0.113.0/24");
        assert_eq!(coarse("2001:db8:1:2::7"), "2001:db8:1::/48");
        assert_eq!(coarse("[2001:db8:1:2::7]:443"), "2001:db8:1::/48");
        assert_eq!(coarse("::ffff:203.0.113.7"), "203.0.113.0/24");
        assert_eq!(coarse(""), "");
        assert_eq!(coarse("hunter2"), "[cut]");
    }

    #[test]
    fn of_a_user_agent_only_products_stay() {
        for text in ["", "curl/8.5.0", "azsdk-net-Security.KeyVault.Secrets/4.6.0-beta.1 Python/3.8.9"] {
            assert_eq!(products(text), text);
        }
        assert_eq!(products("Mozilla/5.0 (Windows NT 10.0; Win64)"), "Mozilla/5.0 [cut]");
        assert_eq!(products("curl/8.5.0 Authorization: Bearer hunter2"), "curl/8.5.0 [cut]");
        assert_eq!(products("svc:pass"), "[cut]");
        assert_eq!(products("x/hunter2"), "[cut]");
    }

    #[test]
    fn of_a_description_only_known_phrases_stay() {
        assert_eq!(
            phrases("Caller is not authorized to perform action on resource.\r\nCaller: appid=1;oid=2"),
            "Caller is not authorized to perform action on resource. [cut]"
        );
        assert_eq!(
            phrases("The user 'oid=1' does not have secrets get permission on key vault 'kv-pay'."),
            "[cut] does not have secrets get permission on key vault [cut]"
        );
        assert_eq!(
            phrases("Client address is not authorized and caller is not a trusted service."),
            "Client address is not authorized and caller is not a trusted service."
        );
        assert_eq!(
            phrases("Client address: 203.0.113.7 is not authorized and caller is not a trusted service"),
            "[cut] is not authorized and caller is not a trusted service"
        );
        assert_eq!(phrases("does not have hunter2 get permission on key vault"), "[cut]");
        assert_eq!(phrases("anything"), "[cut]");
        assert_eq!(phrases(""), "");
    }

    #[test]
    fn a_code_is_made_of_words() {
        for code in [
            "AuthorizationFailed",
            "SubscriptionNotFound",
            "AADSTS7000215",
            "Authentication_MSGraphPermissionMissing",
            "Request_ResourceNotFound",
            "AadPremiumLicenseRequired",
            "ScopeLocked2",
            "SEM0100_SEMANTIC_ERROR_IN_THE_QUERY",
        ] {
            assert!(is_code(code), "{code}");
        }
        for text in
            ["", "A b", "7up", "pwd=x", "dG1rLUNBTkFSWS1odW50ZXIyLTdmM2E5YzUx", "f2ca1bb6c7e907d06dafe4687e579fce"]
        {
            assert!(!is_code(text), "{text}");
        }
    }

    #[test]
    fn of_claims_only_the_three_that_identify_the_caller_stay() {
        let text = r#"{"claim":{"oid":"1","upn":"john@example.com","appid":"2","xms_mirid":"/subscriptions/s"}}"#;
        let (rule, kept) = Class::Claims.judge(text).expect("a cut");
        assert_eq!(
            (rule, kept.as_str()),
            ("claims", r#"{"claim":{"oid":"1","appid":"2","xms_mirid":"/subscriptions/s"}}"#)
        );
        assert_eq!(Class::Claims.judge("{oops"), Some(("claims", "[cut]".to_owned())));
        assert_eq!(Class::Claims.judge(""), None);
    }
}
