//! URLs as they may be kept: without anything that continues, signs or opens.

use super::CUT;
use super::scrub::secret_in_path;

/// Names in a query that say what was asked; their values are shown. Whatever else stands there may continue, sign or
/// open something: a paging token can carry internal ids, a signature opens a door.
const SHOWN_NAMES: &[&str] = &[
    "api-version",
    "maxresults",
    "timespan",
    "maxresults",
    "page",
    "maxresults",
    "$apply",
    "$count",
    "$expand",
    "$expandregistrationdefinition",
    "$filter",
    "$orderby",
    "$search",
    "$select",
    "$skip",
    "$top",
];

/// The URL with host and path, and of the query what is known to be a question. The fragment goes.
pub(in crate::collect) fn shown(url: &str) -> String {
    let (address, query) = parts(url);
    let segments: Vec<&str> =
        address.split('/').map(|segment| if secret_in_path(segment) { CUT } else { segment }).collect();
    let address = segments.join("/");
    let Some(query) = query else { return address };
    let pairs: Vec<String> = query.split('&').map(shown_pair).collect();
    format!("{address}?{}", pairs.join("&"))
}

/// The URL without its query, except `api-version`.
pub(super) fn without_query(url: &str) -> String {
    let (path, query) = parts(url);
    let is_version = |pair: &&str| pair.to_ascii_lowercase().starts_with("api-version=") && shown_pair(pair) == *pair;
    match query.and_then(|query| query.split('&').find(is_version)) {
        Some(version) => format!("{path}?{version}"),
        None => path,
    }
}

/// Address and query. A user and password in front of the host are cut.
fn parts(url: &str) -> (String, Option<&str>) {
    let url = url.split('#').next().unwrap_or(url);
    let (address, query) = match url.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (url, None),
    };
    let Some((scheme, rest)) = address.split_once("://") else { return (address.to_owned(), query) };
    let (authority, path) = match rest.find(['/', '\\']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    match authority.rsplit_once('@') {
        Some((_, host)) => (format!("{scheme}://{CUT}@{host}{path}"), query),
        None => (address.to_owned(), query),
    }
}

fn shown_pair(pair: &str) -> String {
    let Some((name, value)) = pair.split_once('=') else {
        return if pair.is_empty() || is_shown(pair) { pair.to_owned() } else { CUT.to_owned() };
    };
    match is_shown(name) {
        true if !secret_in_path(value) && !secret_in_path(pair) => pair.to_owned(),
        true => format!("{name}={CUT}"),
        false if is_plain(name) => format!("{name}={CUT}"),
        false => CUT.to_owned(),
    }
}

fn is_shown(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace("%24", "$");
    SHOWN_NAMES.contains(&name.as_str())
}

/// Whether the name itself can be shown: `$skiptoken`, and nothing that a token could be taken for.
fn is_plain(name: &str) -> bool {
    let name = name.trim_start_matches("%24");
    name.len() <= 24 && name.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '$' | '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::collectors;
    use crate::evidence::{Period, Window};

    #[test]
    fn tokens_go_and_the_question_stays() {
        assert_eq!(
            shown("https://management.azure.com/subscriptions?api-version=2022-12-01&$skiptoken=abc&%24skipToken=X'1'"),
            "https://management.azure.com/subscriptions?api-version=2022-12-01&$skiptoken=[cut]&%24skipToken=[cut]"
        );
        assert_eq!(shown("https://u:p@h/x?sig=1#f"), "https://[cut]@h/x?sig=[cut]");
        assert_eq!(shown("https://h/x"), "https://h/x");
    }

    #[test]
    fn what_is_not_known_to_be_a_question_goes() {
        for (url, expected) in [
            ("https://h/x?code=1&state=2&ctoken=3", "https://h/x?code=[cut]&state=[cut]&ctoken=[cut]"),
            ("https://h/x?hunter2", "https://h/x?[cut]"),
            ("https://h/x?hunter2=1", "https://h/x?[cut]"),
            ("https://h/x?api-version=2022-12-01&", "https://h/x?api-version=2022-12-01&"),
            ("https://h/x?$filter=a%20eq%20%27b%27", "https://h/x?$filter=a%20eq%20%27b%27"),
            // inside of one that is shown
            ("https://h/x?$filter=https%3A%2F%2Fst%2Fc%3Fsv%3D1%26sig%3Dhunter2", "https://h/x?$filter=[cut]"),
            ("https://h/x?$filter=https%253A%252F%252Fu%253Ahunter2%2540h", "https://h/x?$filter=[cut]"),
            ("https://h/x?$top=Bearer%20opaque-token", "https://h/x?$top=[cut]"),
            ("https://h/x?api-version=AccountKey%3Dhunter2", "https://h/x?api-version=[cut]"),
            // in the path
            ("https://h/token=hunter2/x?$top=1", "https://h/[cut]/x?$top=1"),
            ("https://h/password%3Dhunter2/x", "https://h/[cut]/x"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }

    #[test]
    fn every_question_of_the_table_is_shown_as_it_is_put() {
        let at = |text: &str| text.parse().expect("a time");
        let period = Period::parse("2026Q3").expect("a period");
        let window = Window { start: period.start, end: period.end, cutoff: at("2026-10-02T08:30:00Z") };
        let id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv";
        for row in collectors() {
            for scope in ["tenant", "directory", "/", id, "group:11111111-2222-3333-4444-555555555555"] {
                let url = format!("https://management.azure.com{}", row.path_and_query(scope, &window));
                assert_eq!(shown(&url), url, "{:?}", row.kind);
            }
        }
    }

    #[test]
    fn of_a_request_uri_only_the_version_stays() {
        let uri = "https://kv-pay.vault.azure.net/secrets/db-password/?api-version=7.4&x=hunter2";
        assert_eq!(without_query(uri), "https://kv-pay.vault.azure.net/secrets/db-password/?api-version=7.4");
        assert_eq!(without_query("https://kv/secrets/a?x=1"), "https://kv/secrets/a");
        assert_eq!(without_query("https://kv/secrets/a?api-version=sig%3Dhunter2"), "https://kv/secrets/a");
    }
}
