//! The read-only guard: what may leave through the door, whatever the caller meant.
//!
//! GET is a read, except where a read would hand out a secret. POST is allowed for the four reads that have a body.

use super::{Api, Method};

/// Why a request does not leave.
pub(super) type Refusal = &'static str;

/// Whether a request is a known read. `path` is the path as the service sees it, without query.
pub(super) fn permit(api: Api, method: Method, path: &str) -> Result<(), Refusal> {
    let path = path.to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match method {
        Method::Get if api == Api::KeyVault => permit_list(&segments),
        Method::Get => permit_get(&segments),
        Method::Post => permit_post(api, &segments),
    }
}

/// Of a vault, lists of what it holds, and nothing below them.
fn permit_list(segments: &[&str]) -> Result<(), Refusal> {
    const LISTS: [&str; 6] =
        ["keys", "secrets", "certificates", "deletedkeys", "deletedsecrets", "deletedcertificates"];
    match segments {
        [list] if LISTS.contains(list) => Ok(()),
        _ => Err("it is no list of what a vault holds"),
    }
}

fn permit_get(segments: &[&str]) -> Result<(), Refusal> {
    // the words that are looked at below could hide behind an encoding
    if [segments.first(), segments.last()].into_iter().flatten().any(|segment| segment.contains('%')) {
        return Err("its path is encoded where a plain word belongs");
    }
    // the data plane of Key Vault; the management plane has `secrets` only after `/providers/…/vaults/…`
    if let ["secrets" | "deletedsecrets", _, ..] = segments {
        return Err("it would read the value of a secret");
    }
    if segments.last().is_some_and(|last| hands_out_keys(last)) {
        return Err("it would list keys or other credentials");
    }
    Ok(())
}

/// `listKeys`, `listConnectionStrings`, `listAccountSas`, `config/appsettings/list`, `regenerateKey`, …
fn hands_out_keys(action: &str) -> bool {
    const SECRETS: [&str; 8] =
        ["key", "secret", "credential", "sas", "connectionstring", "token", "password", "appsetting"];
    let names =
        |verb: &str| action.strip_prefix(verb).is_some_and(|what| SECRETS.iter().any(|secret| what.contains(secret)));
    matches!(action, "list" | "publishxml" | "sharedkeys") || names("list") || names("get") || names("regenerate")
}

fn permit_post(api: Api, segments: &[&str]) -> Result<(), Refusal> {
    let known = match (api, segments) {
        (Api::Graph, ["v1.0", "directoryobjects", "getbyids"])
        | (Api::ResourceManager, ["providers", "microsoft.resourcegraph", "resources"])
        | (Api::ResourceManager, ["providers", "microsoft.management", "getentities"]) => true,
        (Api::LogAnalytics, ["v1", "workspaces", workspace, "query"]) => is_guid(workspace),
        _ => false,
    };
    if known { Ok(()) } else { Err("this POST is not one of the known reads") }
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VAULT: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v";

    #[test]
    fn reads_pass() {
        let vault_logs = "/v1/workspaces/00000000-aaaa-bbbb-cccc-0123456789ab/query";
        let table = [
            (Api::ResourceManager, Method::Get, "/subscriptions"),
            (Api::ResourceManager, Method::Get, &format!("{VAULT}/providers/Microsoft.Insights/diagnosticSettings")),
            (Api::ResourceManager, Method::Get, &format!("{VAULT}/secrets")),
            (Api::ResourceManager, Method::Get, &format!("{VAULT}/keys")),
            // a resource may be named like this
            (Api::ResourceManager, Method::Get, "/subscriptions/s/providers/Microsoft.KeyVault/vaults/listener"),
            (Api::KeyVault, Method::Get, "/secrets"),
            (Api::KeyVault, Method::Get, "/deletedCertificates/"),
            (Api::Graph, Method::Get, "/v1.0/groups/g/transitiveMembers"),
            (Api::Graph, Method::Post, "/v1.0/directoryObjects/getByIds"),
            (Api::LogAnalytics, Method::Post, vault_logs),
            (Api::ResourceManager, Method::Post, "/providers/Microsoft.ResourceGraph/resources"),
            (Api::ResourceManager, Method::Post, "/providers/Microsoft.Management/getEntities"),
        ];
        for (api, method, path) in table {
            assert_eq!(permit(api, method, path), Ok(()), "{path}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let table = [
            (Api::ResourceManager, Method::Get, "/secrets/db-password"),
            (Api::ResourceManager, Method::Get, "/Secrets/db-password/0123"),
            (Api::ResourceManager, Method::Get, "//secrets/db-password/"),
            (Api::ResourceManager, Method::Get, "/deletedsecrets/db-password"),
            (Api::ResourceManager, Method::Get, "/%73ecrets/db-password"),
            (Api::KeyVault, Method::Get, "/secrets/db-password"),
            (Api::KeyVault, Method::Get, "/secrets/db-password/versions"),
            (Api::KeyVault, Method::Get, "/keys/k"),
            (Api::KeyVault, Method::Get, "/%73ecrets"),
            (Api::KeyVault, Method::Get, "/"),
            (Api::KeyVault, Method::Post, "/secrets"),
            (Api::KeyVault, Method::Post, "/keys"),
            (Api::ResourceManager, Method::Get, "/x/list%4Beys"),
            (Api::ResourceManager, Method::Get, "/subscriptions/s/providers/Microsoft.Storage/a/listKeys"),
            (
                Api::ResourceManager,
                Method::Get,
                "/subscriptions/s/providers/Microsoft.Web/sites/w/config/appsettings/list",
            ),
            (Api::ResourceManager, Method::Get, "/x/listConnectionStrings/"),
            (Api::ResourceManager, Method::Get, "/x/listAccountSas"),
            (Api::ResourceManager, Method::Get, "/x/sharedKeys"),
            (Api::ResourceManager, Method::Post, "/subscriptions/s/providers/Microsoft.Storage/a/listKeys"),
            (Api::ResourceManager, Method::Post, "/v1.0/directoryObjects/getByIds"),
            (Api::Graph, Method::Post, "/v1.0/groups"),
            (Api::Graph, Method::Post, "/beta/directoryObjects/getByIds"),
            (Api::Graph, Method::Post, "/v1.0/directoryObjects/getByIds/x"),
            (Api::LogAnalytics, Method::Post, "/v1/workspaces/not-a-guid/query"),
            (Api::LogAnalytics, Method::Post, "/v1/workspaces/00000000-aaaa-bbbb-cccc-0123456789ab/purge"),
            (Api::LogAnalytics, Method::Post, "/v1/$batch"),
        ];
        for (api, method, path) in table {
            assert!(permit(api, method, path).is_err(), "{path}");
        }
    }
}
