//! Classes of allowed values: what a string of each class must look like to be kept as it is.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::allow::{Allowed, claims, grant, targets};
use super::person::{self, Around, Datum, Role};
use super::scrub::{is_key, secret_in_path, secret_in_text};
use super::url::{shown, without_query};
use super::{CUT, Personal};
use crate::evidence::{Addresses, Persons};

/// How a value on the list is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// The address of a caller, as the switches of personal data have it.
    Address,
    /// Data of a person, as the switches have it.
    Person(Datum, Role),
    /// What a caller calls itself: only products with their version stay, the rest is the caller's free text.
    Agent,
    /// The description in a log row: only known phrases stay.
    Description,
    /// What a person wrote: only that something is there stays.
    Words,
    /// A reference that a person wrote, such as a ticket's number: a short one stays.
    Reference,
    /// The body of a request that grants or takes a role, as text: only who, what and where stay.
    Grant,
    /// A mail address: only its domain stays, which tells one's own people from strangers.
    Domain,
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
/// Longest reference.
const LONGEST_REFERENCE: usize = 24;

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
            "person_name" => Class::Person(Datum::Name, Role::Matched),
            "person_upn" => Class::Person(Datum::PrincipalName, Role::Matched),
            "person_mail" => Class::Person(Datum::Mail, Role::Matched),
            "other_name" => Class::Person(Datum::Name, Role::Aside),
            "other_upn" => Class::Person(Datum::PrincipalName, Role::Aside),
            "other_mail" => Class::Person(Datum::Mail, Role::Aside),
            "agent" => Class::Agent,
            "description" => Class::Description,
            "domain" => Class::Domain,
            "grant" => Class::Grant,
            "words" => Class::Words,
            "reference" => Class::Reference,
            "claims" => Class::Claims,
            "targets" => Class::Targets,
            _ => return None,
        })
    }

    /// Whether a number, `true`, `false` or `null` may stand here.
    pub(super) fn keeps_scalar(self, raw: &str) -> bool {
        self == Class::Text || raw == "null"
    }

    /// Whether a judgement takes long, depends on nothing but the text, and is mostly the same in many rows.
    pub(super) fn is_worth_noting(self) -> bool {
        matches!(self, Class::Url | Class::Address | Class::Agent | Class::Description | Class::Claims | Class::Targets)
    }

    /// None when `text` may be kept as it is, else the rule and what to write instead.
    pub(super) fn judge(self, text: &str, around: &Around<'_>) -> Option<(&'static str, String)> {
        let secret = |found: bool| found.then(|| ("secret_like", CUT.to_owned()));
        let changed = |rule, instead: String| (instead != text).then_some((rule, instead));
        match self {
            Class::Text => secret(secret_in_text(text)).or_else(|| of_persons(text, around)),
            Class::Path => secret(secret_in_path(text)),
            Class::Tag if text.chars().count() > LONGEST_TAG => Some(("too_long", CUT.to_owned())),
            Class::Tag => secret(secret_in_text(text)).or_else(|| of_persons(text, around)),
            Class::Person(datum, role) => person::judge(datum, role, text, around),
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
            Class::Address => match around.personal.data().addresses {
                Addresses::Network => changed("address_coarsened", coarse(text)),
                Addresses::Full if coarse(text) == CUT => Some(("not_an_address", CUT.to_owned())),
                Addresses::Full => None,
                Addresses::None if text.is_empty() => None,
                Addresses::None => Some(("personal_data", CUT.to_owned())),
            },
            Class::Grant => match super::scan::copy(text.as_bytes(), grant(), around.personal) {
                _ if text.is_empty() => None,
                Ok(clean) => changed("free_text", String::from_utf8_lossy(&clean.bytes).into_owned()),
                Err(_) => Some(("free_text", CUT.to_owned())),
            },
            Class::Domain => match person::mailbox(text, around.personal) {
                None => None,
                Some(mailbox) => changed("mail_address", domain(text, &mailbox)),
            },
            Class::Words if text.trim().is_empty() => None,
            Class::Words => changed("free_text", CUT.to_owned()),
            Class::Reference if is_reference(text) => None,
            Class::Reference => changed("free_text", CUT.to_owned()),
            Class::Agent => changed("free_text", products(text)),
            Class::Description => changed("free_text", phrases(text)),
            Class::Claims => inner("claims", text, claims(), around.personal),
            Class::Targets => inner("targets", text, targets(), around.personal),
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
fn inner(rule: &'static str, text: &str, allowed: &Allowed, personal: &Personal) -> Option<(&'static str, String)> {
    match super::scan::copy(text.as_bytes(), allowed, personal) {
        _ if text.is_empty() => None,
        Ok(clean) => Some((rule, String::from_utf8_lossy(&clean.bytes).into_owned())).filter(|(_, kept)| kept != text),
        Err(_) => Some((rule, CUT.to_owned())),
    }
}

/// A text with the mail addresses of persons in it as the switches have them.
fn of_persons(text: &str, around: &Around<'_>) -> Option<(&'static str, String)> {
    match person::with_mail(text, around.personal) {
        Cow::Borrowed(_) => None,
        Cow::Owned(other) if around.personal.data().mail == Persons::Pseudonym => Some(("pseudonym", other)),
        Cow::Owned(other) => Some(("personal_data", other)),
    }
}

/// `^[A-Za-z][A-Za-z0-9_]{0,79}$`, and made of words.
pub(in crate::collect) fn is_code(text: &str) -> bool {
    text.len() <= LONGEST_CODE
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !(text.len() >= SHORTEST_KEY && is_key(text))
}

/// A mail address with something else before its domain. One that was shortened before stays as it is.
fn domain(text: &str, mailbox: &str) -> String {
    let fits = |domain: &&str| {
        let is_label = |label: &str| {
            (1..=30).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        domain.contains('.') && domain.split('.').all(is_label) && !secret_in_path(domain)
    };
    match text.split_once('@') {
        _ if text.is_empty() => String::new(),
        Some((_, domain)) if fits(&domain) => format!("{mailbox}@{domain}"),
        _ => CUT.to_owned(),
    }
}

/// A ticket's number: letters, digits and a few marks, too short for a key.
fn is_reference(text: &str) -> bool {
    text.len() <= LONGEST_REFERENCE
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '#' | '/' | '.'))
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
    use super::super::Personal;
    use super::*;
    use crate::evidence::PersonalData;

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
    fn of_a_grant_only_who_what_and_where_stay() {
        let text = r#"{"Id":"x","Properties":{"PrincipalId":"p","RoleDefinitionId":"/r","Scope":"/s","Description":"hunter2"}}"#;
        let (rule, kept) = judged(Class::Grant, text).expect("a cut");
        let expected = r#"{"Properties":{"PrincipalId":"p","RoleDefinitionId":"/r","Scope":"/s"}}"#;
        assert_eq!((rule, kept.as_str()), ("free_text", expected));
        assert_eq!(judged(Class::Grant, "{oops"), Some(("free_text", "[cut]".to_owned())));
        assert_eq!(judged(Class::Grant, ""), None);
    }

    #[test]
    fn of_a_mail_address_only_the_domain_stays() {
        let domain = |address: &str| domain(address, CUT);
        assert_eq!(domain("kim.aalto@pennant.example"), "[cut]@pennant.example");
        assert_eq!(domain("[cut]@pennant.example"), "[cut]@pennant.example");
        assert_eq!(domain(""), "");
        for other in ["kim", "a@b@c.example", "kim@localhost", "kim@a..b", "x@pass word.example"] {
            assert_eq!(domain(other), "[cut]", "{other}");
        }
    }

    #[test]
    fn of_what_a_person_wrote_only_a_short_reference_stays() {
        assert_eq!(judged(Class::Words, ""), None);
        assert_eq!(judged(Class::Words, "the password is hunter2"), Some(("free_text", "[cut]".to_owned())));
        for number in ["", "CHG0012345", "INC-4711", "#88/2"] {
            assert_eq!(judged(Class::Reference, number), None, "{number}");
        }
        for other in ["see mail of Kim", "password=hunter2", "0123456789abcdef0123456789"] {
            assert_eq!(judged(Class::Reference, other), Some(("free_text", "[cut]".to_owned())), "{other}");
        }
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

    fn judged(class: Class, text: &str) -> Option<(&'static str, String)> {
        class.judge(text, &Around { personal: &Personal::default(), holder: None })
    }

    #[test]
    fn addresses_are_kept_as_the_switch_says() {
        let kept = |addresses, text: &str| {
            let personal = Personal::new(PersonalData { addresses, ..PersonalData::default() }, None).expect("no key");
            let judged = Class::Address.judge(text, &Around { personal: &personal, holder: None });
            judged.map_or(text.to_owned(), |(_, instead)| instead)
        };
        assert_eq!(kept(Addresses::Network, "203.0.113.7"), "203.0.113.0/24");
        assert_eq!(kept(Addresses::Full, "203.0.113.7:50123"), "203.0.113.7:50123");
        assert_eq!(kept(Addresses::Full, "2001:db8:1:2::7"), "2001:db8:1:2::7");
        assert_eq!(kept(Addresses::Full, "hunter2"), "[cut]");
        assert_eq!(kept(Addresses::None, "203.0.113.7"), "[cut]");
        assert_eq!(kept(Addresses::None, ""), "");
    }

    #[test]
    fn of_claims_only_the_three_that_identify_the_caller_stay() {
        let text = r#"{"claim":{"oid":"1","upn":"john@example.com","appid":"2","xms_mirid":"/subscriptions/s"}}"#;
        let (rule, kept) = judged(Class::Claims, text).expect("a cut");
        assert_eq!(
            (rule, kept.as_str()),
            ("claims", r#"{"claim":{"oid":"1","appid":"2","xms_mirid":"/subscriptions/s"}}"#)
        );
        assert_eq!(judged(Class::Claims, "{oops"), Some(("claims", "[cut]".to_owned())));
        assert_eq!(judged(Class::Claims, ""), None);
    }
}
