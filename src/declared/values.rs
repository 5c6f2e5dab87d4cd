//! Forms of single values: a wrong one is refused where it stands.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Deserializer, de};

use crate::access::Capability;
use crate::model::{Id, Network};

/// Text that says something: trimmed and not empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(String);

/// A GUID, lower case: the object id of a principal, or the id of an application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guid(String);

/// An ARM id or scope; compared as Azure compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(pub Id);

/// A resource by its ARM id, or by its name where that is unique by itself, as a vault's is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By its ARM id.
    Id(Id),
    /// By its name, lower case.
    Name(String),
}

/// An IPv4 network in CIDR form, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// As written.
    pub shown: String,
    /// What it holds.
    pub network: Network,
}

/// A day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub NaiveDate);

/// A moment, RFC 3339 with its zone; kept in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub DateTime<Utc>);

/// An address of the web without query: `https`, or `http` at this machine. Host in small letters, no `/` at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web(String);

/// A capability by its name in `tickmark access`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapabilityName(pub Capability);

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Guid {
    /// Lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Named {
    /// Whether this names the resource.
    pub fn is(&self, id: &Id) -> bool {
        match self {
            Named::Id(own) => own == id,
            Named::Name(name) => id.name().eq_ignore_ascii_case(name),
        }
    }

    /// As written; names in small letters.
    pub fn shown(&self) -> &str {
        match self {
            Named::Id(id) => id.shown(),
            Named::Name(name) => name,
        }
    }
}

impl Day {
    /// The first instant of the day.
    pub fn start(self) -> DateTime<Utc> {
        self.0.and_time(NaiveTime::MIN).and_utc()
    }

    /// The first instant after the day; for the last day that there is, its first.
    pub fn end(self) -> DateTime<Utc> {
        Day(self.0.checked_add_days(Days::new(1)).unwrap_or(self.0)).start()
    }
}

impl Web {
    /// The address; none where it is not one.
    pub fn parse(text: &str) -> Option<Web> {
        let (scheme, rest) = text.split_once("://")?;
        let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let host = host.to_lowercase();
        let name = host.split(':').next().unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        let is_here = ["localhost", "127.0.0.1"].contains(&name);
        let is_host = !name.is_empty() && host.chars().all(|c| is_plain(c) || c == ':');
        let is_path = path.chars().all(|c| is_plain(c) || c == '/');
        let is_scheme = scheme == "https" || scheme == "http" && is_here;
        (is_scheme && is_host && is_path).then(|| Web(format!("{scheme}://{host}{}", path.trim_end_matches('/'))))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is below the other one, or is it. Paths of vaults compare without case.
    pub fn is_below(&self, other: &Web) -> bool {
        let (own, other) = (self.0.to_lowercase(), other.0.to_lowercase());
        own.strip_prefix(&other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

/// Reads a text and turns it into a value, or says what it should have been.
fn parsed<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    wanted: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(text.trim()).ok_or_else(|| match text.trim() {
        "" => de::Error::custom(format!("nothing is said here; it wants {wanted}")),
        _ => de::Error::custom(format!("`{text}` is not {wanted}")),
    })
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        parsed(deserializer, "a text, or the row to be taken out", |text| {
            (!text.is_empty()).then(|| Text(text.to_owned()))
        })
    }
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Guid, D::Error> {
        parsed(deserializer, "a GUID, such as the object id of a principal", |text| {
            is_guid(text).then(|| Guid(text.to_lowercase()))
        })
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scope, D::Error> {
        parsed(deserializer, "an ARM id; it begins with `/`", |text| {
            text.starts_with('/').then(|| Scope(Id::new(text)))
        })
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Named, D::Error> {
        parsed(deserializer, "an ARM id or a name", |text| match text {
            "" => None,
            text if text.starts_with('/') => Some(Named::Id(Id::new(text))),
            text if text.contains('/') => None,
            text => Some(Named::Name(text.to_lowercase())),
        })
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        parsed(deserializer, "an IPv4 network, such as `203.0.113.0/24`", |text| {
            Network::parse(text).map(|network| Address { shown: text.to_owned(), network })
        })
    }
}

impl<'de> Deserialize<'de> for CapabilityName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CapabilityName, D::Error> {
        let names: Vec<&str> = Capability::ALL.iter().map(|capability| capability.name()).collect();
        parsed(deserializer, &format!("a capability; there are {}", names.join(", ")), |text| {
            Capability::ALL.iter().find(|one| one.name() == text).map(|one| CapabilityName(*one))
        })
    }
}

impl<'de> Deserialize<'de> for Web {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Web, D::Error> {
        parsed(deserializer, "an address that begins with `https://` and has no query", Web::parse)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let text = match &value {
            toml::Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        let at = DateTime::parse_from_rfc3339(&text);
        at.map(|at| Moment(at.with_timezone(&Utc)))
            .map_err(|_| de::Error::custom(format!("`{text}` is not a moment, such as 2026-08-18T14:00:00Z")))
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let text = match &value {
            toml::Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
        day.map(Day).ok_or_else(|| de::Error::custom(format!("`{text}` is not a day, such as 2026-12-31")))
    }
}

/// `8-4-4-4-12` hexadecimal digits.
pub(super) fn is_guid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
        let mut table: std::collections::BTreeMap<String, T> =
            toml::from_str(&format!("v = {text}")).map_err(|error| error.message().to_owned())?;
        table.remove("v").ok_or_else(|| "none".to_owned())
    }

    #[test]
    fn days_are_written_with_and_without_quotes_and_hold_24_hours() {
        let day: Day = value("2026-09-30").expect("a day");
        assert_eq!(Ok(day), value("\"2026-09-30\""));
        assert_eq!(day.end().to_rfc3339(), "2026-10-01T00:00:00+00:00");
        for odd in ["\"2026-9-30\"", "\"soon\"", "20260930", "2026-09-30T10:00:00Z", "\"2026-02-30\""] {
            assert!(value::<Day>(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_vault_is_named_by_its_id_or_its_name_in_any_case() {
        let id = Id::new("/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/KV-Prod");
        for text in ["\"kv-prod\"", "\"KV-PROD\"", &format!("\"{}/\"", id.shown().to_uppercase())] {
            assert!(value::<Named>(text).expect("a name").is(&id), "{text}");
        }
        assert!(!value::<Named>("\"kv-prod2\"").expect("a name").is(&id));
        assert!(value::<Named>("\"rg/kv-prod\"").is_err() && value::<Named>("\" \"").is_err());
    }

    #[test]
    fn addresses_compare_as_vaults_do_and_moments_are_kept_in_utc() {
        let web = |text: &str| Web::parse(text);
        let vault = web("https://KV-Prod.vault.azure.net/").expect("an address");
        assert_eq!(vault.as_str(), "https://kv-prod.vault.azure.net");
        assert!(web("https://kv-prod.vault.azure.net/Secrets/canary").expect("an address").is_below(&vault));
        assert!(!web("https://kv-prod.vault.azure.net.evil.example").expect("an address").is_below(&vault));
        assert!(web("http://127.0.0.1:8080").is_some() && web("http://localhost").is_some());
        for odd in
            ["http://kv.vault.azure.net", "https://", "kv", "https://a b", "https://a?x=1", "https://u@a", "https://a'"]
        {
            assert_eq!(web(odd), None, "{odd}");
        }
        let moment: Moment = value("2026-08-18T16:00:00+02:00").expect("a moment");
        assert_eq!(Ok(moment), value("\"2026-08-18T14:00:00Z\""));
        assert!(value::<Moment>("2026-08-18").is_err() && value::<Moment>("\"2026-08-18T14:00:00\"").is_err());
    }

    #[test]
    fn other_forms_are_refused_with_what_was_wanted() {
        assert!(value::<Guid>("\"aaaaaaaa-0000-0000-0000-00000000000g\"").expect_err("odd").contains("is not a GUID"));
        assert!(value::<Scope>("\"subscriptions/s\"").expect_err("odd").contains("begins with `/`"));
        assert!(value::<CapabilityName>("\"read\"").expect_err("odd").contains("there are read_secret"));
        assert!(value::<Text>("\"  \"").is_err());
        assert!(value::<Address>("\"10.0.0.0/40\"").is_err());
    }
}
