//! The signing key: passphrase, file, and the public half beside it.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use super::CliError;
use super::context::variable;
use crate::pack::{SigningKey, TrustedKey};

const PASSPHRASE: &str = "TICKMARK_KEY_PASSPHRASE";

/// The passphrase of an existing key.
pub(super) fn passphrase() -> Result<String, CliError> {
    if let Some(passphrase) = variable(PASSPHRASE) {
        return Ok(passphrase);
    }
    ask("passphrase of the signing key: ")
}

/// A passphrase for a new key, asked twice.
pub(super) fn new_passphrase() -> Result<String, CliError> {
    if let Some(passphrase) = variable(PASSPHRASE) {
        return Ok(passphrase);
    }
    let first = ask("new passphrase for the signing key: ")?;
    if first.is_empty() {
        return Err(CliError::Use("the passphrase is empty".to_owned()));
    }
    if first != ask("the same again: ")? {
        return Err(CliError::Use("the two passphrases differ".to_owned()));
    }
    Ok(first)
}

fn ask(prompt: &str) -> Result<String, CliError> {
    if !std::io::stdin().is_terminal() {
        let advice = format!("set {PASSPHRASE}, or run on a terminal");
        return Err(CliError::Use(format!("a passphrase is needed and there is no terminal to ask on\n{advice}")));
    }
    rpassword::prompt_password(prompt).map_err(CliError::io("read the passphrase for", Path::new("the key")))
}

/// Opens the key file.
pub(super) fn open(path: &Path) -> Result<SigningKey, CliError> {
    let pem = std::fs::read_to_string(path).map_err(|error| {
        CliError::Use(format!(
            "cannot read the signing key `{}`: {error}\nmake one with `tickmark init`",
            path.display()
        ))
    })?;
    Ok(SigningKey::from_encrypted_pem(&pem, passphrase()?.as_bytes())?)
}

/// Where the public half of a key file stands.
pub(super) fn public_path(key: &Path) -> PathBuf {
    key.with_extension("pub.pem")
}

/// Fingerprint without the passphrase, from the public half beside the key.
pub(super) fn fingerprint(key: &Path) -> Result<String, CliError> {
    let path = public_path(key);
    let pem = std::fs::read_to_string(&path).map_err(|error| {
        CliError::Use(format!(
            "cannot read the public key `{}`: {error}\nmake one with `tickmark init`",
            path.display()
        ))
    })?;
    Ok(TrustedKey::from_pem(&pem)?.fingerprint().to_owned())
}
