//! `tickmark init`: a commented configuration and a signing key.

use std::fs;
use std::path::Path;

use rand_core::OsRng;

use super::args::{Args, Init};
use super::config::TEMPLATE;
use super::terminal::{Terminal, Tone};
use super::{CliError, End, key};
use crate::evidence::write_atomically;
use crate::pack::{SigningKey, write_key_file};

pub(super) fn run(options: &Init, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let config = &args.config;
    let folder = config.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let key_path = folder.join("keys").join("tickmark.p8");
    let public_path = key::public_path(&key_path);
    for path in [config.as_path(), &key_path, &public_path] {
        if path.exists() {
            return Err(CliError::Use(format!("`{}` is there already; nothing was changed", path.display())));
        }
    }
    let passphrase = key::new_passphrase()?;
    let mut random = OsRng;
    let signing = SigningKey::generate(&mut random);
    let pem = signing.to_encrypted_pem(passphrase.as_bytes(), &mut random)?;
    let trusted = signing.public()?;

    let keys = folder.join("keys");
    fs::create_dir_all(&keys).map_err(CliError::io("create", &keys))?;
    write_key_file(&key_path, &pem)?;
    write_atomically(&public_path, trusted.to_pem()?.as_bytes())?;
    write_atomically(config, text(options).as_bytes())?;

    terminal.line(&format!("{} written; fill in what is marked", config.display()))?;
    terminal.line(&format!("{} created (encrypted); back it up, keep the passphrase elsewhere", key_path.display()))?;
    terminal.line(&format!("{} is the public half, for your auditor", public_path.display()))?;
    terminal.line(&format!("fingerprint {}", terminal.tone(Tone::Strong, trusted.fingerprint())))?;
    terminal.line(
        "Put the fingerprint into the engagement letter: trust must reach the auditor another way than the pack.",
    )?;
    terminal.note("next: tickmark collect, or tickmark run");
    Ok(End::Clean)
}

fn text(options: &Init) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    TEMPLATE
        .replace("\"ORGANISATION\"", &quoted(&options.organisation))
        .replace("\"SYSTEM\"", &quoted(&options.system))
        .replace("\"TENANT_ID\"", &quoted(&options.tenant))
}
