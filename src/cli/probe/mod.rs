//! `tickmark probe`: a script with which a person makes the calls of a break/fix probe. tickmark only reads, and never
//! calls what gives a secret, so that it makes none of them itself.

use super::args::{Args, Probe};
use super::collect::optional_config;
use super::terminal::Terminal;
use super::{CliError, End};
use crate::azure::Cloud;
use crate::declared::Web;
use crate::evidence::write_atomically;

/// The script; what stands between `@` is filled in.
const SCRIPT: &str = include_str!("script.sh");

pub(super) fn run(options: &Probe, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let config = optional_config(args)?;
    let cloud = match &config {
        Some(config) => match &config.azure.endpoints {
            Some(endpoints) => Cloud::custom(endpoints)?,
            None => Cloud::named(&config.azure.cloud)?,
        },
        None => Cloud::named("public")?,
    };
    let script = script(&options.vault, &options.secret, &cloud)?;
    let Some(out) = &options.out else {
        terminal.raw(script.as_bytes())?;
        return Ok(End::Clean);
    };
    if out.exists() {
        return Err(CliError::Use(format!("`{}` is there already; nothing was written", out.display())));
    }
    write_atomically(out, script.as_bytes())?;
    terminal.line(&format!("{} written: read it, then run it with `sh`", out.display()))?;
    Ok(End::Clean)
}

/// The script for a secret of a vault, which is named by its address, or by its name in this cloud.
fn script(vault: &str, secret: &str, cloud: &Cloud) -> Result<String, CliError> {
    // https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#objects-identifiers-and-versioning
    let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !(1..=127).contains(&secret.len()) || !is_plain(secret) {
        return Err(CliError::Use(format!("`{secret}` is no name of a secret: letters, digits and `-`, at most 127")));
    }
    let above = cloud.key_vault().ok_or_else(|| {
        CliError::Use("the configuration names no address of vaults\nset `key_vault` in [azure.endpoints]".to_owned())
    })?;
    let above = Web::parse(above.as_str());
    let audience = above.as_ref().map(Web::as_str).unwrap_or_default();
    let address = match vault.contains("://") {
        true => Web::parse(vault).filter(|address| address.as_str().matches('/').count() == 2),
        false => {
            let is_name = (3..=24).contains(&vault.len()) && is_plain(vault);
            let host = audience.split_once("://").filter(|_| is_name);
            host.and_then(|(scheme, host)| Web::parse(&format!("{scheme}://{vault}.{host}")))
        }
    };
    let address = address.ok_or_else(|| {
        CliError::Use(format!(
            "`{vault}` is neither a vault's name nor its address\nsuch as kv-prod or https://kv-prod.vault.azure.net"
        ))
    })?;
    let address = address.as_str();
    let (scheme, host) = address.split_once("://").unwrap_or_default();
    let name = host.split(['.', ':']).next().unwrap_or_default();
    let filled = [
        ("@VERSION@", env!("CARGO_PKG_VERSION")),
        ("@VAULT@", address),
        ("@SECRET@", secret),
        ("@AUDIENCE@", audience),
        ("@SCHEME@", scheme),
        ("@NAME@", name),
    ];
    Ok(filled.iter().fold(SCRIPT.to_owned(), |text, (place, value)| text.replace(place, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vault: &str, secret: &str) -> Result<String, String> {
        script(vault, secret, &Cloud::named("public").expect("a cloud")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_vault_is_named_by_its_name_or_its_address() {
        for vault in ["KV-Prod", "https://kv-prod.vault.azure.net", "https://kv-prod.vault.azure.net/"] {
            let text = of(vault, "canary").expect("a script");
            assert!(text.contains("VAULT='https://kv-prod.vault.azure.net'\n"), "{text}");
            assert!(text.contains("AUDIENCE='https://vault.azure.net'\n"), "{text}");
        }
        let china = script("kv-prod", "canary", &Cloud::named("china").expect("a cloud")).expect("a script");
        assert!(china.contains("VAULT='https://kv-prod.vault.azure.cn'\n"), "{china}");
    }

    #[test]
    fn what_could_be_read_as_a_command_is_refused() {
        for vault in
            ["kv'; rm -rf ~; '", "kv", "kv.prod", "http://kv-prod.vault.azure.net", "https://kv/x", "https://a'b"]
        {
            assert!(of(vault, "canary").is_err(), "{vault}");
        }
        for secret in ["", "a/b", "a'b", "a b", "$(id)", "a_b"] {
            assert!(of("kv-prod", secret).is_err(), "{secret}");
        }
    }

    #[test]
    fn every_place_is_filled_in() {
        let text = of("kv-prod", "canary").expect("a script");
        for place in ["@VERSION@", "@VAULT@", "@SECRET@", "@AUDIENCE@", "@SCHEME@", "@NAME@"] {
            assert!(SCRIPT.contains(place) && !text.contains(place), "{place}");
        }
    }
}
