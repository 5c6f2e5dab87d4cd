//! The record of one question: everything that lets a reader rely on its answer.

use chrono::{DateTime, Utc};

use super::CollectRequest;
use super::ask::Told;
use super::redact::{is_secret, shown};
use super::table::Collector;
use crate::azure::{Answer, Api, Ask, Door, Method};
use crate::evidence::{Clock, ControlTotal, Kind, Record, Request, RunAs, Source, Window};

/// Builds the record of a question that has ended.
pub(super) fn record(
    (evidence_id, collector, scope): (&str, &Collector, &str),
    told: &Told,
    (request, door): (&CollectRequest, &Door),
    (window, control_totals): (Option<Window>, Vec<ControlTotal>),
) -> Record {
    Record {
        evidence_id: evidence_id.to_owned(),
        title: title(collector.kind, scope),
        kind: collector.kind,
        scope: scope.to_owned(),
        source: Source {
            cloud: door.cloud().name().to_owned(),
            tenant_id: request.tenant_id.clone(),
            host: host(collector.api, door, &told.request.url),
            api_version: version_of(&told.request.url).unwrap_or(collector.api_version).to_owned(),
            permission: collector.permission(),
        },
        request: told.request.clone(),
        pages: told.pages.clone(),
        row_count: told.pages.iter().map(|page| page.item_count).sum(),
        page_count: told.pages.len() as u64,
        last_next_link: told.last_next_link.clone(),
        truncated: told.is_truncated,
        control_totals,
        run_as: run_as(door),
        clock: Clock { offset_seconds: told.clock_offset },
        window,
        tool: request.tool.clone(),
        transformations: told.cuts.clone(),
        started_at: told.started_at,
        ended_at: told.ended_at,
        gap: told.gap.clone(),
    }
}

/// The version that was asked for, where it stands in the query.
pub(super) fn version_of(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("api-version="))
}

/// Host that was asked. Each vault has its own.
fn host(api: Api, door: &Door, url: &str) -> String {
    let told = url.split_once("://").and_then(|(_, rest)| rest.split('/').next());
    match (api, told) {
        (Api::KeyVault, Some(host)) => host.to_owned(),
        _ => door.cloud().host(api),
    }
}

/// The question in words.
pub(super) fn title(kind: Kind, scope: &str) -> String {
    let words = kind.words();
    let mut letters = words.chars();
    let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    match scope {
        "tenant" => format!("{capital} of the tenant"),
        "directory" => capital, // the words name the directory
        "/" => format!("{capital} at the root `/`"),
        "subscriptions" => format!("{capital} of all subscriptions asked in"),
        _ => match scope.split_once(':') {
            Some(("group", id)) => format!("{capital}: `{id}`"),
            _ if words.contains(" a ") || words.starts_with("a ") => format!("{capital}: `{scope}`"),
            Some(("workspace", id)) => format!("{capital} in workspace `{id}`"),
            _ => format!("{capital} at `{scope}`"),
        },
    }
}

/// The request as it may be kept.
pub(super) fn request_of(ask: &Ask) -> Request {
    let method = match ask.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    Request { method: method.to_owned(), url: shown(&ask.url), body: ask.body.clone() }
}

/// The identity that asks, as its token tells.
pub(super) fn run_as(door: &Door) -> RunAs {
    let facts = door.transport().token_facts();
    let credential = door.transport().credential();
    match facts {
        None => RunAs { credential, ..RunAs::default() },
        Some(facts) => RunAs {
            credential,
            object_id: facts.object_id,
            app_id: facts.app_id,
            tenant_id: facts.tenant_id,
            token_type: facts.token_type,
            managed_identity: facts.managed_identity,
        },
    }
}

/// The first of these headers that looks like an id or a date, and nothing else.
pub(super) fn header(answer: &Answer, names: &[&str]) -> Option<String> {
    let fits = |value: &&str| {
        value.len() <= 100
            && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | ',' | ' ' | '+'))
    };
    names.iter().find_map(|name| answer.header(name)).filter(fits).filter(|value| !is_secret(value)).map(str::to_owned)
}

/// Local time minus the server's, seconds.
pub(super) fn offset(received_at: DateTime<Utc>, server_date: Option<&str>) -> Option<i64> {
    let server = DateTime::parse_from_rfc2822(server_date?).ok()?;
    Some((received_at - server.with_timezone(&Utc)).num_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_say_what_was_asked_and_where() {
        assert_eq!(title(Kind::Vaults, "/subscriptions/s1"), "Vaults at `/subscriptions/s1`");
        assert_eq!(title(Kind::Subscriptions, "tenant"), "Subscriptions of the tenant");
        assert_eq!(title(Kind::RoleAssignments, "/"), "Role assignments at the root `/`");
        assert_eq!(title(Kind::Workspace, "/subscriptions/s/w"), "A Log Analytics workspace: `/subscriptions/s/w`");
        assert_eq!(title(Kind::GroupMembers, "group:g1"), "Members of a group: `g1`");
        assert_eq!(title(Kind::VaultLogLegacy, "workspace:w1"), "Vault log rows (AzureDiagnostics) in workspace `w1`");
    }

    #[test]
    fn the_clock_is_compared_with_the_servers() {
        let local = "2026-10-02T09:00:00Z".parse().expect("a time");
        assert_eq!(offset(local, Some("Fri, 02 Oct 2026 09:00:03 GMT")), Some(-3));
        assert_eq!(offset(local, Some("soon")), None);
        assert_eq!(offset(local, None), None);
    }
}
