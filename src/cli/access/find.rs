//! Which vault or principal a person means.

use super::CliError;
use crate::access::Access;
use crate::model::{Id, Tenant, Vault};

/// A vault by name, ARM id or address.
pub(super) fn vault<'a>(tenant: &'a Tenant, access: &Access, text: &str) -> Result<&'a Vault, CliError> {
    let id = Id::new(text);
    let uri = |vault: &Vault| {
        let same = |uri: &String| uri.trim_end_matches('/').eq_ignore_ascii_case(text.trim_end_matches('/'));
        vault.vault_uri.as_ref().is_some_and(same)
    };
    let is_meant = |vault: &&Vault| vault.id == id || vault.name.eq_ignore_ascii_case(text) || uri(vault);
    match tenant.vaults.iter().filter(is_meant).collect::<Vec<_>>().as_slice() {
        [vault] => Ok(vault),
        [] => {
            let mut names: Vec<&str> = tenant.vaults.iter().map(|vault| vault.name.as_str()).collect();
            names.sort_unstable();
            let mut said = format!("the capture has no vault `{text}`\n{}", advice("vaults", &names));
            for gap in access.unread_vaults() {
                said.push_str(&format!("\nit may be in `{}`, whose vaults were not read: {}", gap.name, gap.detail));
            }
            Err(CliError::Use(said))
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|vault| vault.id.shown()).collect();
            Err(CliError::Use(format!(
                "`{text}` is the name of several vaults; name one by its id\n{}",
                ids.join("\n")
            )))
        }
    }
}

/// The object id of a principal by object id, application id, ARM id of a user-assigned identity or of what carries
/// a system-assigned one, or display name. An object id that nobody told about is taken as it is.
pub(super) fn principal(tenant: &Tenant, text: &str) -> Result<String, CliError> {
    let lower = text.to_lowercase();
    if tenant.principals.contains_key(&lower) || tenant.members.contains_key(&lower) {
        return Ok(lower);
    }
    let is_application = |app_id: &Option<String>| app_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(text));
    let by_application = tenant.principals.values().filter(|principal| is_application(&principal.app_id));
    let by_name = tenant.principals.values().filter(|principal| principal.name.eq_ignore_ascii_case(text));
    let id = Id::new(text);
    let user_assigned = tenant.user_assigned.iter().filter(|identity| identity.id == id);
    let user_assigned = user_assigned.filter_map(|identity| identity.principal_id.as_ref());
    let system = tenant.resources.iter().filter(|resource| resource.id == id);
    let system = system.filter_map(|resource| resource.identity.as_ref()?.system_principal_id.as_ref());
    let mut found: Vec<String> = by_application.chain(by_name).map(|principal| principal.id.clone()).collect();
    found.extend(user_assigned.chain(system).map(|id| id.to_lowercase()));
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [id] => Ok(id.clone()),
        [] if is_guid(text) => Ok(lower),
        [] => Err(CliError::Use(format!(
            "the capture has no principal `{text}`\nname one by its object id, application id or display name, or by the \
             ARM id of what carries it"
        ))),
        several => Err(CliError::Use(format!("`{text}` means several principals; name one\n{}", several.join("\n")))),
    }
}

fn is_guid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The names that there are, as many as a person reads.
fn advice(what: &str, names: &[&str]) -> String {
    const MOST: usize = 20;
    match names {
        [] => format!("it holds no {what} at all"),
        names if names.len() > MOST => {
            let first = names.get(..MOST).unwrap_or_default().join(", ");
            format!("it has {} {what}, such as {first}", names.len())
        }
        names => format!("its {what}: {}", names.join(", ")),
    }
}
