//! Log queries: kept as `.kql` files that a checker can read, sent with their parameters written in.
//!
//! The service has no parameters. A file declares its own on one `declare query_parameters(…);` line; when it is
//! sent, that line is replaced by typed `let` lines, each value written as a literal of its type.

use chrono::{DateTime, SecondsFormat, Utc};
use thiserror::Error;

use crate::evidence::{Kind, Window};

/// A query that cannot be rendered: a mistake in the program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the query `{query}` cannot be rendered: {why}")]
pub struct KqlError {
    /// Name of the query.
    pub query: &'static str,
    /// What is wrong.
    pub why: String,
}

/// A typed value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// `datetime`.
    Time(DateTime<Utc>),
    /// `string`.
    #[cfg_attr(not(test), expect(dead_code, reason = "no query takes one yet; its escaping is tested"))]
    Text(String),
}

impl Value {
    fn type_name(&self) -> &'static str {
        match self {
            Value::Time(_) => "datetime",
            Value::Text(_) => "string",
        }
    }

    fn literal(&self) -> String {
        match self {
            Value::Time(at) => format!("datetime({})", time(*at)),
            Value::Text(text) => quoted(text),
        }
    }
}

/// A time as KQL and a timespan take it.
fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A string literal. Nothing in it can end it.
fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                literal.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// Every query to Log Analytics: the kind of question, its name and its text.
const QUERIES: &[(Kind, &str, &str)] = &[
    (Kind::VaultLogDedicated, "vault_log_dedicated", include_str!("queries/vault_log_dedicated.kql")),
    (Kind::VaultLogLegacy, "vault_log_legacy", include_str!("queries/vault_log_legacy.kql")),
    (Kind::VaultLogDedicatedCount, "vault_log_dedicated_count", include_str!("queries/vault_log_dedicated_count.kql")),
    (Kind::VaultLogLegacyCount, "vault_log_legacy_count", include_str!("queries/vault_log_legacy_count.kql")),
    (Kind::VaultChangesDedicated, "vault_changes_dedicated", include_str!("queries/vault_changes_dedicated.kql")),
    (Kind::VaultChangesLegacy, "vault_changes_legacy", include_str!("queries/vault_changes_legacy.kql")),
    (
        Kind::VaultChangesDedicatedCount,
        "vault_changes_dedicated_count",
        include_str!("queries/vault_changes_dedicated_count.kql"),
    ),
    (
        Kind::VaultChangesLegacyCount,
        "vault_changes_legacy_count",
        include_str!("queries/vault_changes_legacy_count.kql"),
    ),
    (Kind::LogContinuity, "log_continuity", include_str!("queries/log_continuity.kql")),
    (Kind::Activity, "activity", include_str!("queries/activity.kql")),
    (Kind::ActivityCount, "activity_count", include_str!("queries/activity_count.kql")),
    (Kind::ActivityContinuity, "activity_continuity", include_str!("queries/activity_continuity.kql")),
    (Kind::DirectoryChanges, "directory_changes", include_str!("queries/directory_changes.kql")),
    (Kind::DirectoryChangesCount, "directory_changes_count", include_str!("queries/directory_changes_count.kql")),
    (
        Kind::ServicePrincipalSignIns,
        "service_principal_sign_ins",
        include_str!("queries/service_principal_sign_ins.kql"),
    ),
    (Kind::ManagedIdentitySignIns, "managed_identity_sign_ins", include_str!("queries/managed_identity_sign_ins.kql")),
    (Kind::UserSignIns, "user_sign_ins", include_str!("queries/user_sign_ins.kql")),
    (Kind::UserTokenSignIns, "user_token_sign_ins", include_str!("queries/user_token_sign_ins.kql")),
    (
        Kind::ServicePrincipalSignInsCount,
        "service_principal_sign_ins_count",
        include_str!("queries/service_principal_sign_ins_count.kql"),
    ),
    (
        Kind::ManagedIdentitySignInsCount,
        "managed_identity_sign_ins_count",
        include_str!("queries/managed_identity_sign_ins_count.kql"),
    ),
    (Kind::UserSignInsCount, "user_sign_ins_count", include_str!("queries/user_sign_ins_count.kql")),
    (Kind::UserTokenSignInsCount, "user_token_sign_ins_count", include_str!("queries/user_token_sign_ins_count.kql")),
];

/// The tables whose continuity is asked about, and the part of each that matters. The shared table holds the logs of
/// many sorts of resources; that of other vaults' neighbours says nothing about vaults.
pub(super) const TABLES: &[(&str, &str)] = &[
    ("AADManagedIdentitySignInLogs", "AADManagedIdentitySignInLogs"),
    ("AADNonInteractiveUserSignInLogs", "AADNonInteractiveUserSignInLogs"),
    ("AADServicePrincipalSignInLogs", "AADServicePrincipalSignInLogs"),
    ("AZKVAuditLogs", "AZKVAuditLogs"),
    ("AuditLogs", "AuditLogs"),
    ("AzureActivity", "AzureActivity"),
    (
        "AzureDiagnostics",
        "AzureDiagnostics | where ResourceProvider =~ \"MICROSOFT.KEYVAULT\" and Category == \"AuditEvent\"",
    ),
    ("SigninLogs", "SigninLogs"),
];

/// The line of a query that stands for the table asked about.
const TABLE_LINE: &str = "let Log = AzureActivity;";

/// Every query by name.
pub(super) fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    QUERIES.iter().map(|(_, name, text)| (*name, *text))
}

/// Name and text of the query for a kind of question.
fn source(kind: Kind) -> Option<(&'static str, &'static str)> {
    QUERIES.iter().find(|(of, ..)| *of == kind).map(|(_, name, text)| (*name, *text))
}

/// Body of a question at `scope` for one window.
pub(super) fn body(kind: Kind, scope: &str, window: &Window) -> Result<String, KqlError> {
    let missing = || KqlError { query: "?", why: format!("there is none for {kind:?} at {scope}") };
    let Window { start, end, cutoff } = *window;
    let values = [("StartTime", Value::Time(start)), ("EndTime", Value::Time(end)), ("Cutoff", Value::Time(cutoff))];
    let mut query = render(source(kind).ok_or_else(missing)?, &values)?;
    if query.contains(TABLE_LINE) {
        let (_, asked) = scope.split_once('/').ok_or_else(missing)?;
        let (_, part) = TABLES.iter().find(|(table, _)| *table == asked).ok_or_else(missing)?;
        query = query.replace(TABLE_LINE, &format!("let Log = {part};"));
    }
    let timespan = format!("{}/{}", time(start), time(end));
    Ok(serde_json::json!({ "query": query, "timespan": timespan }).to_string())
}

/// The text to send: the declaration replaced by one `let` line for each of its parameters.
fn render((query, text): (&'static str, &'static str), values: &[(&str, Value)]) -> Result<String, KqlError> {
    let fail = |why: String| KqlError { query, why };
    let mut sent = String::new();
    let mut declared = 0;
    for line in text.lines() {
        match line.strip_prefix("declare query_parameters(").and_then(|rest| rest.strip_suffix(");")) {
            None => sent.push_str(line),
            Some(parameters) => {
                for parameter in parameters.split(", ") {
                    let (name, rest) =
                        parameter.split_once(':').ok_or_else(|| fail(format!("`{parameter}` has no type")))?;
                    let type_name = rest.split(" =").next().unwrap_or(rest);
                    let (_, value) = values
                        .iter()
                        .find(|(given, _)| *given == name)
                        .ok_or_else(|| fail(format!("no value is given for `{name}`")))?;
                    if value.type_name() != type_name {
                        return Err(fail(format!("`{name}` is a {type_name}, the value a {}", value.type_name())));
                    }
                    if declared > 0 {
                        sent.push('\n');
                    }
                    sent.push_str(&format!("let {name} = {};", value.literal()));
                    declared += 1;
                }
            }
        }
        sent.push('\n');
    }
    if declared != values.len() {
        return Err(fail(format!("{} values are given and {declared} are declared", values.len())));
    }
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn window() -> [(&'static str, Value); 3] {
        [
            ("StartTime", Value::Time(at("2026-07-01T00:00:00Z"))),
            ("EndTime", Value::Time(at("2026-10-01T00:00:00Z"))),
            ("Cutoff", Value::Time(at("2026-10-02T08:30:00Z"))),
        ]
    }

    #[test]
    fn every_query_names_itself_first_and_takes_the_window() {
        for (name, text) in sources() {
            let sent = render((name, text), &window()).expect("text to send");
            assert_eq!(sent.lines().next(), Some(format!("// tickmark: question={name};").as_str()));
            assert!(!sent.contains("declare query_parameters"));
            assert!(sent.contains("let StartTime = datetime(2026-07-01T00:00:00Z);\nlet EndTime = datetime(2026-10-01T00:00:00Z);\nlet Cutoff = datetime(2026-10-02T08:30:00Z);\n"));
            for part in ["TimeGenerated >= StartTime and TimeGenerated < EndTime", "ingestion_time() < Cutoff"] {
                assert!(sent.contains(part), "{name}: {part}");
            }
        }
    }

    #[test]
    fn count_and_rows_have_the_same_row_filter() {
        let filter = r#"OperationName == "SecretGet" or OperationName == "Authentication" or "#;
        let is_older = |name: &str| name.starts_with("vault_log");
        assert!(
            sources().all(|(name, text)| !is_older(name) || (text.contains(filter) && text.contains("in (401, 403)")))
        );
        // in the others it is whatever stands before the first line that makes or sums columns
        let filter = |kind: Kind| -> Vec<&str> {
            let (_, text) = source(kind).expect("a query");
            let lines = text.lines().filter(|line| !line.starts_with("//"));
            lines
                .take_while(|line| {
                    !line.starts_with("| extend") && !line.starts_with("| order") && !line.starts_with("| summarize")
                })
                .collect()
        };
        let pairs = Kind::ALL.iter().filter_map(|kind| Some((*kind, kind.counts()?)));
        for (count, rows) in pairs.filter(|(count, _)| !is_older(source(*count).expect("a query").0)) {
            assert_eq!(filter(count), filter(rows), "{count:?}");
            assert!(filter(count).len() >= 4, "{count:?}: declaration, table, period and cutoff at least");
        }
    }

    #[test]
    fn sums_are_counted_by_the_keys_that_make_them() {
        let keys = |kind: Kind| -> Vec<&str> {
            let (_, text) = source(kind).expect("a query");
            text.lines()
                .skip_while(|line| !line.starts_with("    by "))
                .take_while(|line| !line.starts_with('|'))
                .collect()
        };
        for (count, sums) in Kind::ALL.iter().filter_map(|kind| Some((*kind, kind.counts()?))) {
            if sums.is_sum_of_day() {
                assert_eq!(keys(count), keys(sums), "{count:?}");
                assert!(keys(count)[0].starts_with("    by Day = bin(TimeGenerated, 1d), "), "{count:?}");
            }
        }
        assert_eq!(Kind::ALL.iter().filter(|kind| kind.is_sum_of_day()).count(), 4);
        let of_log = |kind: &&Kind| kind.over().contains(&crate::evidence::Over::Log);
        let counted: Vec<Kind> = Kind::ALL.iter().filter_map(|kind| kind.counts()).collect();
        assert!(Kind::ALL.iter().filter(of_log).all(|kind| counted.contains(kind)), "windows follow from counts");
    }

    #[test]
    fn continuity_is_asked_of_the_table_in_the_scope() {
        let (start, end) = (at("2026-07-01T00:00:00Z"), at("2026-10-01T00:00:00Z"));
        let window = Window { start, end, cutoff: end };
        let asked = |scope: &str| body(Kind::LogContinuity, scope, &window);
        for (table, _) in TABLES {
            let text = asked(&format!("workspace:w/{table}")).expect("a body");
            assert!(text.contains(&format!("\\nlet Log = {table}")), "{text}");
        }
        let shared = asked("workspace:w/AzureDiagnostics").expect("a body");
        assert!(shared.contains("MICROSOFT.KEYVAULT"), "of the shared table the part of vaults");
        assert!(asked("workspace:w/Secrets | take 1").is_err() && asked("workspace:w").is_err());
    }

    #[test]
    fn a_string_cannot_end_its_literal() {
        assert_eq!(quoted(r#"a"; drop | b\"#), r#""a\"; drop | b\\""#);
        assert_eq!(quoted("a\nb\u{2028}c\u{7f}"), "\"a\\nb\\u2028c\\u007F\"");
        let query = ("q", "declare query_parameters(Name:string = \"\");\nT | where A == Name");
        let sent = render(query, &[("Name", Value::Text("\"\n| x".to_owned()))]).expect("text");
        assert_eq!(sent, "let Name = \"\\\"\\n| x\";\nT | where A == Name\n");
    }

    #[test]
    fn a_value_that_is_missing_or_of_another_type_is_refused() {
        let query = ("q", "declare query_parameters(A:datetime = datetime(2026-01-01));\nT");
        assert!(render(query, &[]).expect_err("no value").why.contains("no value is given for `A`"));
        assert!(render(query, &[("A", Value::Text(String::new()))]).expect_err("a type").why.contains("is a datetime"));
        let one_too_many = [("A", Value::Time(at("2026-07-01T00:00:00Z"))), ("B", Value::Text(String::new()))];
        assert!(render(query, &one_too_many).expect_err("too many").why.contains("2 values"));
    }
}
