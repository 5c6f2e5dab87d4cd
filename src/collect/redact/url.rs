//! URLs as they may be kept: without anything that continues, signs or opens.

use super::CUT;

/// Parts of query names whose value is cut. A paging token can carry internal ids, a signature opens a door.
const SECRET_NAMES: &[&str] =
    &["skiptoken", "sig", "code", "token", "key", "secret", "password", "credential", "state"];

/// The URL with host and path, and the query with the values of tokens cut. The fragment goes.
pub(in crate::collect) fn shown(url: &str) -> String {
    let (path, query) = parts(url);
    let Some(query) = query else { return path };
    let pairs: Vec<String> = query.split('&').map(shown_pair).collect();
    format!("{path}?{}", pairs.join("&"))
}

/// The URL without its query, except `api-version`.
pub(super) fn without_query(url: &str) -> String {
    let (path, query) = parts(url);
    let version = query.and_then(|query| {
        query.split('&').find(|pair| pair.to_ascii_lowercase().starts_with("api-version=")).map(str::to_owned)
    });
    match version {
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
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    match authority.rsplit_once('@') {
        Some((_, host)) => (format!("{scheme}://{CUT}@{host}{path}"), query),
        None => (address.to_owned(), query),
    }
}

fn shown_pair(pair: &str) -> String {
    let Some((name, _)) = pair.split_once('=') else {
        return if pair.len() > 40 { CUT.to_owned() } else { pair.to_owned() };
    };
    let plain = name.to_ascii_lowercase();
    match SECRET_NAMES.iter().any(|secret| plain.contains(secret)) {
        true => format!("{name}={CUT}"),
        false => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn of_a_request_uri_only_the_version_stays() {
        let uri = "https://kv-pay.vault.azure.net/secrets/db-password/?api-version=7.4&x=hunter2";
        assert_eq!(without_query(uri), "https://kv-pay.vault.azure.net/secrets/db-password/?api-version=7.4");
        assert_eq!(without_query("https://kv/secrets/a?x=1"), "https://kv/secrets/a");
    }
}
