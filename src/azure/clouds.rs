//! Which hosts a cloud has and for which audience their tokens are made: a table, and endpoints of one's own.
//!
//! A token is attached only to a URL of which [`Cloud::is_own`] says that it is on the host it was made for.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::{Host, Url};

use super::Api;

/// One cloud: where to sign in, whom to ask, and with a token for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    name: String,
    authority: Url,
    resource_manager: Service,
    graph: Service,
    log_analytics: Service,
    /// The address that every vault's is below.
    key_vault: Option<Service>,
}

/// One API of a cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Service {
    base: Url,
    scope: String,
}

/// Endpoints of a cloud that is not in the table: another sovereign cloud, or a simulator on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// Where to sign in.
    pub authority: String,
    /// Azure Resource Manager.
    pub resource_manager: String,
    /// Microsoft Graph.
    pub graph: String,
    /// Log Analytics query API.
    pub log_analytics: String,
    /// Key Vault, where it is used for signing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_vault: Option<String>,
}

/// Whom tokens are made for, where that is not what the table or the endpoint says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audiences {
    /// Azure Resource Manager.
    pub resource_manager: Option<String>,
    /// Microsoft Graph.
    pub graph: Option<String>,
    /// Log Analytics query API.
    pub log_analytics: Option<String>,
    /// Key Vault.
    pub key_vault: Option<String>,
}

/// A cloud that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CloudError {
    /// Not in the table.
    #[error("no cloud is named `{0}`\nname one of public, usgov, usgov_dod, china, or give the endpoints of your own")]
    Unknown(String),
    /// An endpoint is not usable.
    #[error("the endpoint `{key}` cannot be used: `{value}` {why}")]
    Endpoint {
        /// Key in [`Endpoints`].
        key: &'static str,
        /// What it was set to.
        value: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl CloudError {
    /// The key of [`Endpoints`] that is wrong, if it is one.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            CloudError::Unknown(_) => None,
            CloudError::Endpoint { key, .. } => Some(key),
        }
    }
}

/// Name, authority, then host and audience of Resource Manager, Graph, Log Analytics, then Key Vault.
type Row = (&'static str, &'static str, [(&'static str, &'static str); 3], &'static str);

const CLOUDS: [Row; 4] = [
    (
        "public",
        "https://login.microsoftonline.com",
        [
            ("https://management.azure.com", "https://management.azure.com"),
            ("https://graph.microsoft.com", "https://graph.microsoft.com"),
            // the host was renamed, the audience was not
            ("https://api.loganalytics.azure.com", "https://api.loganalytics.io"),
        ],
        "https://vault.azure.net",
    ),
    (
        "usgov",
        "https://login.microsoftonline.us",
        [
            ("https://management.usgovcloudapi.net", "https://management.usgovcloudapi.net"),
            ("https://graph.microsoft.us", "https://graph.microsoft.us"),
            ("https://api.loganalytics.us", "https://api.loganalytics.us"),
        ],
        "https://vault.usgovcloudapi.net",
    ),
    // the directory of the Department of Defense has a host of its own, everything else is shared
    (
        "usgov_dod",
        "https://login.microsoftonline.us",
        [
            ("https://management.usgovcloudapi.net", "https://management.usgovcloudapi.net"),
            ("https://dod-graph.microsoft.us", "https://dod-graph.microsoft.us"),
            ("https://api.loganalytics.us", "https://api.loganalytics.us"),
        ],
        "https://vault.usgovcloudapi.net",
    ),
    (
        "china",
        "https://login.chinacloudapi.cn",
        [
            ("https://management.chinacloudapi.cn", "https://management.chinacloudapi.cn"),
            ("https://microsoftgraph.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"),
            ("https://api.loganalytics.azure.cn", "https://api.loganalytics.azure.cn"),
        ],
        "https://vault.azure.cn",
    ),
];

impl Cloud {
    /// Names that [`Cloud::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CLOUDS.iter().map(|row| row.0)
    }

    /// A cloud of the table: `public`, `usgov`, `usgov_dod` or `china`.
    pub fn named(name: &str) -> Result<Cloud, CloudError> {
        let row = CLOUDS.iter().find(|row| row.0 == name);
        let (name, authority, [manager, graph, logs], vault) =
            row.ok_or_else(|| CloudError::Unknown(name.to_owned()))?;
        let service = |key, (host, audience): &(&str, &str)| {
            Ok(Service { base: endpoint(key, host)?, scope: format!("{audience}/.default") })
        };
        Ok(Cloud {
            name: (*name).to_owned(),
            authority: endpoint("authority", authority)?,
            resource_manager: service("resource_manager", manager)?,
            graph: service("graph", graph)?,
            log_analytics: service("log_analytics", logs)?,
            key_vault: Some(service("key_vault", &(vault, vault))?),
        })
    }

    /// A cloud named `custom`. The audience of each API is the origin of its endpoint; an endpoint may have a
    /// base path, and may be plain http only on this machine.
    pub fn custom(endpoints: &Endpoints) -> Result<Cloud, CloudError> {
        // the version is part of every path; endpoint tables of other tools have it in the endpoint
        let service = |key, value: &str| {
            let value = value.trim_end_matches('/');
            let base = endpoint(key, value.strip_suffix("/v1.0").or(value.strip_suffix("/v1")).unwrap_or(value))?;
            let scope = format!("{}/.default", base.origin().ascii_serialization());
            Ok(Service { base, scope })
        };
        Ok(Cloud {
            name: "custom".to_owned(),
            authority: endpoint("authority", &endpoints.authority)?,
            resource_manager: service("resource_manager", &endpoints.resource_manager)?,
            graph: service("graph", &endpoints.graph)?,
            log_analytics: service("log_analytics", &endpoints.log_analytics)?,
            key_vault: endpoints.key_vault.as_deref().map(|value| service("key_vault", value)).transpose()?,
        })
    }

    /// The same cloud with other audiences for its tokens.
    pub fn with_audiences(mut self, audiences: &Audiences) -> Cloud {
        let scope = |audience: &String| format!("{}/.default", audience.trim_end_matches('/'));
        let Audiences { resource_manager, graph, log_analytics, key_vault } = audiences;
        let services = [
            (Some(&mut self.resource_manager), resource_manager),
            (Some(&mut self.graph), graph),
            (Some(&mut self.log_analytics), log_analytics),
            (self.key_vault.as_mut(), key_vault),
        ];
        for (service, audience) in services {
            if let (Some(service), Some(audience)) = (service, audience) {
                service.scope = scope(audience);
            }
        }
        self
    }

    /// `public`, `usgov`, `usgov_dod`, `china` or `custom`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where to sign in.
    pub fn authority(&self) -> &Url {
        &self.authority
    }

    /// Key Vault, for signing; the address that every vault's is below.
    pub fn key_vault(&self) -> Option<&Url> {
        self.key_vault.as_ref().map(|service| &service.base)
    }

    /// Scope of the token for an API: its audience and `/.default`.
    pub fn scope(&self, api: Api) -> &str {
        self.service(api).map(|service| service.scope.as_str()).unwrap_or_default()
    }

    /// Host of an API, with its port where that is not the scheme's own; of vaults, the host that theirs are below.
    pub fn host(&self, api: Api) -> String {
        let Some(Service { base, .. }) = self.service(api) else { return String::new() };
        let host = base.host_str().unwrap_or_default();
        base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Absolute URL of a path, and perhaps a query, on an API.
    pub fn url(&self, api: Api, path_and_query: &str) -> String {
        let base = self.service(api).map_or("", |service| service.base.as_str()).trim_end_matches('/');
        format!("{base}/{}", path_and_query.trim_start_matches('/'))
    }

    /// Whether a URL is on the host of that API: same scheme, host and port, and nobody's user name before it.
    pub fn is_own(&self, api: Api, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| self.is_own_url(api, &url))
    }

    /// The same of a URL that was parsed, which lowers the host and drops the scheme's own port.
    pub(super) fn is_own_url(&self, api: Api, url: &Url) -> bool {
        let Some(Service { base: own, .. }) = self.service(api) else { return false };
        let is_own = url.origin() == own.origin() || (api == Api::KeyVault && is_vault_below(own, url));
        is_own && url.username().is_empty() && url.password().is_none()
    }

    /// The path of a URL on that API as its service sees it, without our base path.
    pub(super) fn path_of<'url>(&self, api: Api, url: &'url Url) -> &'url str {
        let base = self.service(api).map_or("", |service| service.base.path()).trim_end_matches('/');
        match url.path().strip_prefix(base) {
            Some(path) if path.starts_with('/') => path,
            _ => url.path(),
        }
    }

    /// Where an API is; a cloud with endpoints of one's own may name none for vaults.
    fn service(&self, api: Api) -> Option<&Service> {
        match api {
            Api::ResourceManager => Some(&self.resource_manager),
            Api::Graph => Some(&self.graph),
            Api::LogAnalytics => Some(&self.log_analytics),
            Api::KeyVault => self.key_vault.as_ref(),
        }
    }
}

/// Whether a URL is that of a vault: its name, and then the host that all of them are below.
fn is_vault_below(own: &Url, url: &Url) -> bool {
    let below = own.domain().zip(url.domain()).and_then(|(own, host)| host.strip_suffix(own)?.strip_suffix('.'));
    below.is_some_and(|name| !name.is_empty() && !name.contains('.'))
        && url.scheme() == own.scheme()
        && url.port_or_known_default() == own.port_or_known_default()
}

fn endpoint(key: &'static str, value: &str) -> Result<Url, CloudError> {
    let refuse = |why| CloudError::Endpoint { key, value: value.to_owned(), why };
    let url = Url::parse(value).map_err(|_| refuse("is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        // not repeated: it may be a password
        return Err(CloudError::Endpoint { key, value: "…".to_owned(), why: "names a user; leave that out" });
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("has a query or fragment; give host and base path only"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(refuse("is plain http, which is allowed only for a host on this machine")),
        _ => Err(refuse("is not https")),
    }
}

/// Whether a token, or a digest to be time-stamped, may be sent there: https, or plain http on a loopback address.
pub(super) fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

/// The same of an address as it is written in a configuration.
pub fn is_safe_address(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| is_safe(&url))
}

/// Whether a URL points at this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(resource_manager: &str) -> Result<Cloud, CloudError> {
        Cloud::custom(&Endpoints {
            authority: "http://127.0.0.1:4100/login".to_owned(),
            resource_manager: resource_manager.to_owned(),
            graph: "http://localhost:4100/graph/".to_owned(),
            log_analytics: "http://[::1]:4100".to_owned(),
            key_vault: None,
        })
    }

    #[test]
    fn the_table_knows_clouds_and_their_audiences() {
        assert_eq!(Cloud::names().collect::<Vec<_>>(), ["public", "usgov", "usgov_dod", "china"]);
        let table = [
            ("public", Api::ResourceManager, "management.azure.com", "https://management.azure.com/.default"),
            ("public", Api::Graph, "graph.microsoft.com", "https://graph.microsoft.com/.default"),
            ("public", Api::LogAnalytics, "api.loganalytics.azure.com", "https://api.loganalytics.io/.default"),
            ("usgov", Api::Graph, "graph.microsoft.us", "https://graph.microsoft.us/.default"),
            ("usgov_dod", Api::Graph, "dod-graph.microsoft.us", "https://dod-graph.microsoft.us/.default"),
            ("china", Api::LogAnalytics, "api.loganalytics.azure.cn", "https://api.loganalytics.azure.cn/.default"),
        ];
        for (name, api, host, scope) in table {
            let cloud = Cloud::named(name).unwrap();
            assert_eq!((cloud.host(api).as_str(), cloud.scope(api)), (host, scope));
        }
        assert!(Cloud::named("germany").unwrap_err().to_string().starts_with("no cloud is named `germany`"));
    }

    #[test]
    fn an_audience_can_be_another_one() {
        let audiences = Audiences {
            resource_manager: Some("https://management.core.windows.net/".to_owned()),
            log_analytics: Some("https://api.loganalytics.azure.com".to_owned()),
            ..Audiences::default()
        };
        let cloud = Cloud::named("public").unwrap().with_audiences(&audiences);
        assert_eq!(cloud.scope(Api::ResourceManager), "https://management.core.windows.net/.default");
        assert_eq!(cloud.scope(Api::LogAnalytics), "https://api.loganalytics.azure.com/.default");
        assert_eq!(cloud.scope(Api::Graph), "https://graph.microsoft.com/.default");
        assert_eq!(cloud.host(Api::ResourceManager), "management.azure.com");
    }

    #[test]
    fn urls_are_built_on_host_and_base_path() {
        let public = Cloud::named("public").unwrap();
        assert_eq!(
            public.url(Api::ResourceManager, "/subscriptions?api-version=2022-12-01"),
            "https://management.azure.com/subscriptions?api-version=2022-12-01"
        );
        let custom = local("http://127.0.0.1:4100/arm").unwrap();
        assert_eq!(custom.url(Api::ResourceManager, "/subscriptions"), "http://127.0.0.1:4100/arm/subscriptions");
        assert_eq!(custom.url(Api::Graph, "/v1.0/groups"), "http://localhost:4100/graph/v1.0/groups");
        let versioned = local("http://127.0.0.1:4100/arm/v1/").unwrap();
        assert_eq!(versioned.url(Api::ResourceManager, "/v1/x"), "http://127.0.0.1:4100/arm/v1/x", "not twice");
        assert_eq!(custom.host(Api::ResourceManager), "127.0.0.1:4100");
        assert_eq!(custom.scope(Api::ResourceManager), "http://127.0.0.1:4100/.default");
        let url = Url::parse("http://127.0.0.1:4100/arm/subscriptions").unwrap();
        assert_eq!(custom.path_of(Api::ResourceManager, &url), "/subscriptions");
    }

    #[test]
    fn only_the_same_origin_is_own() {
        let cloud = Cloud::named("public").unwrap();
        let table = [
            ("https://management.azure.com/subscriptions?$skiptoken=x", true),
            ("https://management.azure.com:443/subscriptions", true),
            ("https://MANAGEMENT.azure.com/subscriptions", true),
            ("http://management.azure.com/subscriptions", false),
            ("https://management.azure.com:444/subscriptions", false),
            ("https://management.azure.com.evil.example/subscriptions", false),
            ("https://management.azure.com@evil.example/", false),
            ("https://someone@management.azure.com/", false),
            ("https://graph.microsoft.com/v1.0/groups", false),
            ("//management.azure.com/subscriptions", false),
            ("/subscriptions", false),
            ("", false),
        ];
        for (url, own) in table {
            assert_eq!(cloud.is_own(Api::ResourceManager, url), own, "{url}");
        }
    }

    #[test]
    fn a_vault_is_one_name_below_the_clouds_own_host() {
        let cloud = Cloud::named("public").unwrap();
        assert_eq!(cloud.scope(Api::KeyVault), "https://vault.azure.net/.default");
        let table = [
            ("https://kv-1.vault.azure.net/secrets", true),
            ("https://KV-1.vault.azure.net:443/keys?api-version=7.5", true),
            ("http://kv-1.vault.azure.net/secrets", false),
            ("https://kv-1.vault.azure.net:8443/secrets", false),
            ("https://kv-1.vault.azure.net.evil.example/secrets", false),
            ("https://evilvault.azure.net/secrets", false),
            ("https://a.b.vault.azure.net/secrets", false),
            ("https://kv-1.vault.usgovcloudapi.net/secrets", false),
            ("https://me@kv-1.vault.azure.net/secrets", false),
            ("/secrets", false),
        ];
        for (url, own) in table {
            assert_eq!(cloud.is_own(Api::KeyVault, url), own, "{url}");
        }
        let custom = local("http://127.0.0.1:4100").unwrap();
        assert!(!custom.is_own(Api::KeyVault, "https://kv-1.vault.azure.net/secrets"), "none is configured");
    }

    #[test]
    fn plain_http_is_for_this_machine_and_the_error_names_the_key() {
        assert!(local("http://localhost:1").is_ok());
        assert!(local("http://[::1]:1").is_ok());
        let error = local("http://arm.example").unwrap_err().to_string();
        assert_eq!(
            error,
            "the endpoint `resource_manager` cannot be used: `http://arm.example` is plain http, which is allowed \
             only for a host on this machine"
        );
        assert!(local("http://localhost.example").is_err());
        assert!(local("ftp://localhost").is_err());
        assert!(local("arm.example").is_err());
        assert!(local("https://arm.example/?a=b").is_err());
        assert!(!local("https://me:hunter2@arm.example").unwrap_err().to_string().contains("hunter2"));
    }
}
