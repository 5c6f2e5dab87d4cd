//! The table of questions: how each kind is put, in which version, and which permission it needs. One file a family.

mod authorization;
mod data;
mod directory;
mod hosts;
mod logging;
mod queries;
mod resource_graph;
mod tenant;
mod vaults;

use super::permission::Permission;
use crate::azure::Api;
use crate::evidence::{Kind, Over, Window};

/// How one kind of question is put.
#[derive(Clone, Copy, Debug)]
pub struct Collector {
    /// What is asked.
    pub kind: Kind,
    /// The least that answers it: the first lets it be asked, further ones fill the answer.
    pub permissions: &'static [Permission],
    /// Path and query for a scope. The `api-version` of ARM and of vaults is added from the next field; `{start}` and `{end}` stand for
    /// the part of the period that has passed.
    pub url: fn(&str) -> String,
    /// `api-version`, or the version in the path.
    pub api_version: &'static str,
    /// Older versions, newest first: asked for in turn where a cloud does not offer the newer ones.
    pub older: &'static [&'static str],
    /// Days that the source keeps, where it keeps less than a period may span.
    pub kept_days: Option<i64>,
    /// The service that is asked.
    pub api: Api,
    /// What is sent.
    pub form: Form,
    /// What a whole answer looks like.
    pub shape: Shape,
    /// Families of scopes that the ids of the answer's items belong to.
    pub gives: &'static [Over],
}

/// What is sent to put a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// GET.
    Get,
    /// GET as an advanced query of Graph: `$count`, and all that depends on the index behind it, are ignored without
    /// the header `ConsistencyLevel: eventual`.
    Advanced,
    /// POST of this body; a read in spite of its method.
    Post(&'static str),
    /// POST of the object ids that were found, in batches.
    Ids,
    /// POST of a query to Resource Graph about the subscriptions, in batches.
    Listing(&'static Listing),
    /// POST of the kind's query to Log Analytics.
    Query,
}

/// A query to Resource Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The name of its kind.
    pub name: &'static str,
    /// The text that is sent.
    pub query: &'static str,
    /// Whether what is assigned above the subscriptions is listed too; it is left out unless it is asked for.
    pub is_inherited: bool,
}

/// What a whole answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Pages of a list: `value`.
    List,
    /// Pages of a list: `data`, with the number of all rows on each.
    Data,
    /// One object with an `id`, or with a `subscriptionId`.
    One,
    /// Tables of rows.
    Rows,
}

impl Collector {
    const fn arm(
        kind: Kind,
        permissions: &'static [Permission],
        api_version: &'static str,
        url: fn(&str) -> String,
    ) -> Collector {
        let (api, form, shape) = (Api::ResourceManager, Form::Get, Shape::List);
        Collector { kind, permissions, url, api_version, older: &[], kept_days: None, api, form, shape, gives: &[] }
    }

    const fn graph(kind: Kind, permissions: &'static [Permission], url: fn(&str) -> String) -> Collector {
        let (api, form, shape) = (Api::Graph, Form::Get, Shape::List);
        Collector {
            kind,
            permissions,
            url,
            api_version: "v1.0",
            older: &[],
            kept_days: None,
            api,
            form,
            shape,
            gives: &[],
        }
    }

    /// A question to the vault itself, at the address that Resource Manager tells.
    const fn vault(
        kind: Kind,
        permissions: &'static [Permission],
        api_version: &'static str,
        url: fn(&str) -> String,
    ) -> Collector {
        Collector { api: Api::KeyVault, ..Collector::arm(kind, permissions, api_version, url) }
    }

    const fn logs(kind: Kind, permissions: &'static [Permission]) -> Collector {
        let (api, form, shape) = (Api::LogAnalytics, Form::Query, Shape::Rows);
        Collector {
            kind,
            permissions,
            url: query_url,
            api_version: "v1",
            older: &[],
            kept_days: None,
            api,
            form,
            shape,
            gives: &[],
        }
    }

    /// Says what is sent.
    const fn put(self, form: Form) -> Collector {
        Collector { form, ..self }
    }

    /// Says what a whole answer looks like.
    const fn shaped(self, shape: Shape) -> Collector {
        Collector { shape, ..self }
    }

    /// Says that the items of the answer are scopes of these families.
    const fn giving(self, gives: &'static [Over]) -> Collector {
        Collector { gives, ..self }
    }

    /// The log table that a question at `scope` reads.
    pub fn table<'a>(&self, scope: &'a str) -> Option<&'a str>
    where
        'static: 'a,
    {
        let named = scope.strip_prefix("workspace:").and_then(|scope| scope.split_once('/'));
        let first = self.permissions.iter().find_map(|permission| match permission {
            Permission::LogTable(table) => Some(*table),
            _ => None,
        });
        named.map(|(_, table)| table).or(first)
    }

    /// Says which older versions answer too.
    const fn falling_back_to(self, older: &'static [&'static str]) -> Collector {
        Collector { older, ..self }
    }

    /// Says that the source keeps so many days.
    const fn kept_for(self, days: i64) -> Collector {
        Collector { kept_days: Some(days), ..self }
    }

    /// The permission without which the question is refused.
    pub fn permission(&self) -> String {
        self.permissions.first().map(|permission| permission.name()).unwrap_or_default()
    }

    /// Path and query of the question at `scope`, for the part of the period that `window` spans.
    pub fn path_and_query(&self, scope: &str, window: &Window) -> String {
        self.in_version(self.api_version, scope, window)
    }

    /// The same in another version.
    pub(super) fn in_version(&self, version: &str, scope: &str, window: &Window) -> String {
        let url = (self.url)(&in_path(scope));
        let time = |at: &chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        // a brace in a scope is percent-encoded by now
        let url = url.replace("{start}", &time(&window.start)).replace("{end}", &time(&window.end));
        match self.api {
            Api::ResourceManager | Api::KeyVault => {
                let (path, rest) = url.split_once('?').unwrap_or((&url, ""));
                let rest = if rest.is_empty() { String::new() } else { format!("&{rest}") };
                format!("{path}?api-version={version}{rest}")
            }
            Api::Graph | Api::LogAnalytics => url,
        }
    }
}

/// Every row, in the order of [`Kind::ALL`].
pub fn collectors() -> impl Iterator<Item = &'static Collector> + Clone {
    let families = [
        tenant::ROWS,
        hosts::ROWS,
        data::ROWS,
        vaults::ROWS,
        authorization::ROWS,
        logging::ROWS,
        directory::ROWS,
        resource_graph::ROWS,
        queries::ROWS,
    ];
    families.into_iter().flatten()
}

/// Every query to Resource Graph, with its name.
pub(super) fn listings() -> impl Iterator<Item = (&'static str, &'static str)> {
    collectors().filter_map(|row| match row.form {
        Form::Listing(listing) => Some((listing.name, listing.query)),
        _ => None,
    })
}

/// The row for a kind.
pub(super) fn collector(kind: Kind) -> Option<&'static Collector> {
    collectors().find(|collector| collector.kind == kind)
}

/// Of the scope of a table, what stands before the table's name is the workspace.
fn query_url(scope: &str) -> String {
    let workspace = scope.trim_start_matches("workspace:");
    format!("/v1/workspaces/{}/query", workspace.split('/').next().unwrap_or(workspace))
}

/// A scope as part of a path: a name may hold characters that mean something else in a URL.
fn in_path(scope: &str) -> String {
    let mut path = String::with_capacity(scope.len());
    for byte in scope.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'(' | b')' | b':' => {
                path.push(char::from(byte));
            }
            other => path.push_str(&format!("%{other:02X}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Window {
        let at = |text: &str| text.parse().expect("a time");
        let (start, end) = (at("2026-07-01T00:00:00Z"), at("2026-10-01T00:00:00Z"));
        Window { start, end, cutoff: end }
    }

    fn url(kind: Kind, scope: &str) -> String {
        collector(kind).expect("a row").path_and_query(scope, &window())
    }

    #[test]
    fn there_is_one_row_for_each_kind_in_order() {
        let kinds: Vec<Kind> = collectors().map(|collector| collector.kind).collect();
        assert_eq!(kinds, Kind::ALL);
    }

    #[test]
    fn urls_are_those_of_the_services() {
        assert_eq!(url(Kind::Subscriptions, "tenant"), "/subscriptions?api-version=2022-12-01");
        assert_eq!(
            url(Kind::RoleAssignments, "/"),
            "/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=atScope()"
        );
        assert_eq!(
            url(Kind::RoleAssignments, "/providers/Microsoft.Management/managementGroups/mg1"),
            "/providers/Microsoft.Management/managementGroups/mg1/providers/Microsoft.Authorization/roleAssignments\
             ?api-version=2022-04-01&$filter=atScope()"
        );
        assert_eq!(
            url(Kind::RoleAssignments, "/subscriptions/s1"),
            "/subscriptions/s1/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"
        );
        assert_eq!(url(Kind::VaultLogLegacy, "workspace:abc"), "/v1/workspaces/abc/query");
        assert_eq!(url(Kind::LogContinuity, "workspace:abc/AuditLogs"), "/v1/workspaces/abc/query");
        assert_eq!(
            url(Kind::GroupMembers, "group:g1"),
            "/v1.0/groups/g1/transitiveMembers?$count=true&$select=id,displayName,userType&$top=999"
        );
    }

    #[test]
    fn a_name_cannot_add_a_query() {
        assert_eq!(
            url(Kind::Tables, "/subscriptions/s/resourceGroups/a b?x#y%2e"),
            "/subscriptions/s/resourceGroups/a%20b%3Fx%23y%252e/tables?api-version=2022-10-01"
        );
    }
}
