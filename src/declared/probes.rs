//! Records of break/fix probes: calls to one canary secret that a person made outside of tickmark, and how each was
//! answered. The script of `tickmark probe` writes them.
//!
//! A record holds neither a token nor a secret's value, nor a hash of either. Only the keys below are taken, most of
//! them in a form that has no room for one, and a file in which something looks like one is refused without being
//! repeated.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use toml::Spanned;

use super::rows::whole;
use super::{Guid, Moment, Text, Web};
use crate::control::Mistake;
use crate::evidence::Cite;

/// One record: `probes/kv-prod-20260818.140000.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Its name below `declared/`.
    pub file: String,
    /// Address of the vault.
    pub vault: Web,
    /// Address of the canary secret.
    pub secret: Web,
    /// Who made the calls.
    pub person: Text,
    /// User agent of the calls, by which the vault's log tells them from others.
    pub client: Option<Text>,
    /// Without a token.
    pub without_token: Option<Call>,
    /// With a token of an identity that has no role at the secret.
    pub without_role: Option<Call>,
    /// With a token of an identity that has one.
    pub with_role: Option<Call>,
    /// The record.
    pub from: Cite,
}

/// One call, and what was kept of the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// When it was made.
    pub at: DateTime<Utc>,
    /// HTTP status; 0 where no answer came.
    pub status: u16,
    /// `error.code`.
    pub code: Option<Text>,
    /// `error.innererror.code`: `ForbiddenByRbac`, `ForbiddenByFirewall`, …
    pub inner_code: Option<Text>,
    /// `x-ms-request-id` of the answer, and `x-ms-client-request-id` that was sent.
    pub ids: Vec<Guid>,
    /// Where the challenge of a 401 sends the client for a token.
    pub authorization: Option<Web>,
    /// What the token must be for, by that challenge.
    pub resource: Option<Web>,
    /// Id of the secret that was read, with its version.
    pub id: Option<Web>,
    /// Length of its value, in characters.
    pub length: Option<u64>,
    /// What the token says of itself.
    pub token: Option<TokenFacts>,
    /// Where it stands in the record.
    pub from: Cite,
}

/// Claims of the token that was used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFacts {
    /// What it is for.
    pub aud: Option<Text>,
    /// Object id of the identity.
    pub oid: Option<Guid>,
    /// Its application id.
    pub appid: Option<Guid>,
    /// `app` or `user`.
    pub idtyp: Option<Text>,
    /// ARM id of a managed identity.
    pub xms_mirid: Option<Text>,
    /// When it was issued, seconds since 1970.
    pub iat: Option<i64>,
    /// When it ends, seconds since 1970.
    pub exp: Option<i64>,
}

impl Probe {
    /// The calls with what was sent, in words, in the order of the script.
    pub fn calls(&self) -> impl Iterator<Item = (&'static str, &Call)> {
        let calls = [
            ("without a token", &self.without_token),
            ("with a token and without a role", &self.without_role),
            ("with a role", &self.with_role),
        ];
        calls.into_iter().filter_map(|(words, call)| Some((words, call.as_ref()?)))
    }
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    vault: Web,
    secret: Spanned<Web>,
    person: Text,
    client: Option<Text>,
    without_token: Option<Spanned<CallTable>>,
    without_role: Option<Spanned<CallTable>>,
    with_role: Option<Spanned<CallTable>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallTable {
    at: Moment,
    status: u16,
    code: Option<Text>,
    inner_code: Option<Text>,
    request_id: Option<Guid>,
    client_request_id: Option<Guid>,
    authorization: Option<Web>,
    resource: Option<Web>,
    id: Option<Web>,
    length: Option<u64>,
    token: Option<TokenFacts>,
}

/// Every record.
pub(super) fn read(files: &BTreeMap<String, Vec<u8>>, mistakes: &mut Vec<Mistake>) -> Vec<Probe> {
    let mut found = Vec::new();
    for (name, bytes) in files {
        let Some(file) = name.strip_prefix("probes/") else { continue };
        match one(name, file, bytes) {
            Ok(probe) => found.push(probe),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    found
}

fn one(name: &str, file: &str, bytes: &[u8]) -> Result<Probe, Mistake> {
    let text = String::from_utf8_lossy(bytes);
    let wrong = |span: &Range<usize>, what: &str| Mistake::at(name, &text, span, what.to_owned());
    // the name stands in the pack
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let stem = file.strip_suffix(".toml").unwrap_or_default();
    if !stem.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) || !stem.chars().all(is_plain) {
        let what = "a record's name has small letters, digits, `.`, `_` and `-`, and ends with `.toml`";
        return Err(wrong(&(0..0), what));
    }
    if let Some(span) = secret_in(&text) {
        let what = "this looks like a token, a key or a hash; a record holds none: take it out, and treat what it was \
                    as disclosed";
        return Err(wrong(&span, what));
    }
    let record: File = whole(bytes, name)?;
    let secrets = Web::parse(&format!("{}/secrets", record.vault.as_str()));
    let is_secret = |secret: &Web| secrets.as_ref().is_some_and(|above| secret != above && secret.is_below(above));
    if !is_secret(record.secret.get_ref()) {
        return Err(wrong(&record.secret.span(), "this is no address of a secret in the vault that the record names"));
    }
    let call = |key: &str, table: Option<Spanned<CallTable>>| -> Option<Call> {
        let table = table?.into_inner();
        Some(Call {
            at: table.at.0,
            status: table.status,
            code: table.code,
            inner_code: table.inner_code,
            ids: table.client_request_id.into_iter().chain(table.request_id).collect(),
            authorization: table.authorization,
            resource: table.resource,
            id: table.id,
            length: table.length,
            token: table.token,
            from: Cite::new("declared", name, format!("/{key}")),
        })
    };
    let tables = [&record.without_token, &record.without_role, &record.with_role];
    if tables.into_iter().flatten().next().is_none() {
        return Err(wrong(&(0..0), "it has no call: `[without_token]`, `[without_role]` or `[with_role]`"));
    }
    let is_status = |status: u16| status == 0 || (100..600).contains(&status);
    if let Some(odd) = tables.into_iter().flatten().find(|table| !is_status(table.get_ref().status)) {
        return Err(wrong(&odd.span(), "`status` is an HTTP status, or 0 where no answer came"));
    }
    if let Some(token) = record.without_token.as_ref().filter(|table| table.get_ref().token.is_some()) {
        return Err(wrong(&token.span(), "`without_token` is the call without a token, and it has facts of one"));
    }
    Ok(Probe {
        file: name.to_owned(),
        vault: record.vault,
        secret: record.secret.into_inner(),
        person: record.person,
        client: record.client,
        without_token: call("without_token", record.without_token),
        without_role: call("without_role", record.without_role),
        with_role: call("with_role", record.with_role),
        from: Cite::new("declared", name, ""),
    })
}

/// The first stretch that looks like a token, a key or a hash: a JWT, what follows `Bearer`, or more letters and digits
/// in a row than an id or a name has.
fn secret_in(text: &str) -> Option<Range<usize>> {
    const LONGEST: usize = 60;
    let is_of = |c: char| c.is_ascii_alphanumeric() || "-_+=.~".contains(c);
    let mut before = "";
    let mut start = 0;
    for word in text.split(|c: char| !is_of(c)) {
        let span = start..start + word.len();
        start = span.end + text.get(span.end..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let is_jwt = word.starts_with("eyJ") && word.contains('.');
        let is_bearer = before.eq_ignore_ascii_case("bearer") && word.len() > 8;
        let is_long = word.split('.').any(|part| part.len() >= LONGEST);
        if is_jwt || is_bearer || is_long {
            return Some(span);
        }
        if !word.is_empty() {
            before = word;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Declared;
    use super::*;

    const RECORD: &str = r#"# written by the script
vault = "https://KV-Prod.vault.azure.net/"
secret = "https://kv-prod.vault.azure.net/secrets/canary"
person = "Grace Hopper"
client = "tickmark-probe/20260818.140000.812"

[without_token]
at = "2026-08-18T14:00:00Z"
status = 401
code = "Unauthorized"
client_request_id = "AAAAAAAA-0000-4000-8000-000000000001"
request_id = "aaaaaaaa-0000-4000-8000-000000000002"
authorization = "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111"
resource = "https://vault.azure.net"

[with_role]
at = 2026-08-18T14:00:02Z
status = 200
id = "https://kv-prod.vault.azure.net/secrets/canary/0123456789abcdef0123456789abcdef"
length = 36

[with_role.token]
aud = "https://vault.azure.net"
oid = "aaaaaaaa-0000-0000-0000-000000000001"
iat = 1755525000
exp = 1755611400
"#;

    fn read_as(name: &str, text: &str) -> Result<Declared, String> {
        let files = BTreeMap::from([(name.to_owned(), text.as_bytes().to_vec())]);
        Declared::read(files).map_err(|error| error.to_string())
    }

    fn refused(text: &str) -> String {
        read_as("probes/one.toml", text).expect_err("refused")
    }

    #[test]
    fn a_record_is_read_with_the_place_of_each_call() {
        let declared = read_as("probes/kv-prod-20260818.140000.toml", RECORD).expect("a record");
        let [probe] = declared.probes.as_slice() else { panic!("{declared:#?}") };
        assert_eq!(probe.vault.as_str(), "https://kv-prod.vault.azure.net");
        let calls: Vec<(&str, u16)> = probe.calls().map(|(words, call)| (words, call.status)).collect();
        assert_eq!(calls, [("without a token", 401), ("with a role", 200)]);
        let knock = probe.without_token.as_ref().expect("a call");
        let ids: Vec<&str> = knock.ids.iter().map(Guid::as_str).collect();
        assert_eq!(ids, ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"]);
        assert_eq!(knock.from.place(), "declared/probes/kv-prod-20260818.140000.toml#/without_token");
        let token = probe.with_role.as_ref().and_then(|call| call.token.as_ref()).expect("facts");
        assert_eq!(token.exp.zip(token.iat).map(|(end, begin)| end - begin), Some(86400));
    }

    #[test]
    fn a_value_and_any_other_key_is_refused_with_its_place_and_without_what_it_holds() {
        let told = refused(&RECORD.replace("length = 36", "value = \"hunter2\""));
        assert!(told.starts_with("probes/one.toml:20:1: unknown field `value`"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
        assert!(refused(&RECORD.replace("iat =", "sub =")).contains("unknown field `sub`"));
        assert!(refused(&RECORD.replace("status = 200", "status = 9")).contains("is an HTTP status"));
        assert!(
            refused(&RECORD.replace("[with_role.token]", "[without_token.token]")).contains("call without a token")
        );
    }

    #[test]
    fn what_looks_like_a_token_a_key_or_a_hash_is_refused_wherever_it_stands() {
        let secrets =
            ["eyJ0eXAiOiJKV1QiLCJhbGciOi.eyJhdWQi.c2ln".to_owned(), "Bearer abcdefghi".to_owned(), "ab01".repeat(16)];
        for secret in &secrets {
            for text in [
                format!("# {secret}\n{RECORD}"),
                RECORD.replace("Grace Hopper", secret),
                RECORD.replace("\"Unauthorized\"", &format!("\"x {secret}\"")),
            ] {
                let told = refused(&text);
                assert!(told.contains("looks like a token, a key or a hash"), "{told}");
                assert!(!told.contains(secret.as_str()), "{told}");
            }
        }
    }

    #[test]
    fn a_record_of_another_secret_without_calls_or_with_an_odd_name_is_refused() {
        let elsewhere = refused(&RECORD.replace(
            "\"https://kv-prod.vault.azure.net/secrets/canary\"",
            "\"https://kv-test.vault.azure.net/secrets/canary\"",
        ));
        assert!(elsewhere.starts_with("probes/one.toml:3:10: this is no address of a secret"), "{elsewhere}");
        let head = RECORD.split("\n[").next().expect("the head");
        assert!(refused(head).contains("it has no call"));
        for name in ["probes/One.toml", "probes/a b.toml", "probes/.toml", "probes/one.txt", "probes/a/b.toml"] {
            assert!(read_as(name, RECORD).is_err(), "{name}");
        }
    }
}
