//! What a service counts together, and therefore throttles together.

use std::fmt;

use url::Url;

use super::Api;

/// Requests with the same key share their limits: Resource Manager counts by subscription and provider, Graph all
/// of a tenant's, Log Analytics by workspace, and each vault its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    api: Api,
    /// Subscription, workspace or host of a vault, lower case; empty for the tenant.
    place: String,
    /// Namespace of the provider that answers, lower case.
    provider: String,
}

impl Key {
    /// The key of a URL; `path` is its path as the service sees it.
    pub(super) fn of(api: Api, url: &Url, path: &str) -> Key {
        let path = path.to_ascii_lowercase();
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let after = |name: &str| {
            segments.iter().rposition(|segment| *segment == name).and_then(|at| segments.get(at + 1).copied())
        };
        let (place, provider) = match (api, segments.as_slice()) {
            (Api::ResourceManager, ["subscriptions", subscription, ..]) => (Some(*subscription), after("providers")),
            (Api::ResourceManager, _) => (None, after("providers")),
            (Api::LogAnalytics, _) => (after("workspaces"), None),
            (Api::KeyVault, _) => (url.host_str(), None),
            (Api::Graph, _) => (None, None),
        };
        // what names no provider is answered by Resource Manager itself
        let own = if api == Api::ResourceManager { "microsoft.resources" } else { "" };
        Key { api, place: place.unwrap_or_default().to_owned(), provider: provider.unwrap_or(own).to_owned() }
    }

    /// The service.
    pub(super) fn api(&self) -> Api {
        self.api
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.api {
            Api::Graph => f.write_str("Microsoft Graph"),
            Api::LogAnalytics => write!(f, "Log Analytics in workspace `{}`", self.place),
            Api::KeyVault => write!(f, "the vault `{}`", self.place),
            Api::ResourceManager if self.place.is_empty() => write!(f, "`{}`", self.provider),
            Api::ResourceManager => write!(f, "`{}` in subscription `{}`", self.provider, self.place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(api: Api, path: &str) -> Key {
        let url = Url::parse("https://kv-1.vault.azure.net").and_then(|url| url.join(path)).unwrap();
        Key::of(api, &url, path)
    }

    #[test]
    fn resource_manager_counts_by_subscription_and_provider() {
        let vault = "/subscriptions/S1/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v";
        let table = [
            ("/subscriptions/S1/providers/Microsoft.KeyVault/vaults", "`microsoft.keyvault` in subscription `s1`"),
            (vault, "`microsoft.keyvault` in subscription `s1`"),
            // the last provider of a path answers
            (
                &format!("{vault}/providers/Microsoft.Insights/diagnosticSettings"),
                "`microsoft.insights` in subscription `s1`",
            ),
            ("/subscriptions/s1/resources", "`microsoft.resources` in subscription `s1`"),
            ("/subscriptions", "`microsoft.resources`"),
            ("/providers/Microsoft.ResourceGraph/resources", "`microsoft.resourcegraph`"),
            ("/providers/Microsoft.Management/managementGroups/mg/descendants", "`microsoft.management`"),
        ];
        for (path, expected) in table {
            assert_eq!(key(Api::ResourceManager, path).to_string(), expected, "{path}");
        }
    }

    #[test]
    fn the_directory_is_one_and_workspaces_are_many() {
        assert_eq!(key(Api::Graph, "/v1.0/groups"), key(Api::Graph, "/v1.0/servicePrincipals"));
        let one = key(Api::LogAnalytics, "/v1/workspaces/AB/query");
        assert_eq!(one, key(Api::LogAnalytics, "/v1/workspaces/ab/query"));
        assert_ne!(one, key(Api::LogAnalytics, "/v1/workspaces/cd/query"));
        assert_eq!(one.to_string(), "Log Analytics in workspace `ab`");
        assert_eq!(key(Api::KeyVault, "/secrets"), key(Api::KeyVault, "/keys"));
        assert_eq!(key(Api::KeyVault, "/secrets").to_string(), "the vault `kv-1.vault.azure.net`");
    }
}
