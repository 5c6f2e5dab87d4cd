//! What is kept of personal data by the configuration, and `tickmark pseudonyms`: the key that only the organisation
//! has, and what it makes of a person.

use std::path::Path;

use rand_core::{OsRng, RngCore};
use serde_json::json;

use super::args::{Args, Format, Pseudonyms as Command};
use super::config::{Config, KeyPlace};
use super::terminal::{Terminal, clean};
use super::{CliError, End, context};
use crate::collect::{Personal, Pseudonyms};
use crate::pack::write_key_file;

/// The switches of the configuration, with the key where they need one.
pub(super) fn of(config: Option<&Config>) -> Result<Personal, CliError> {
    let Some(config) = config else { return Ok(Personal::default()) };
    let data = config.personal.data.clone();
    let key = if data.has_pseudonyms() { Some(key(&config.personal.key)?) } else { None };
    Ok(Personal::new(data, key)?)
}

fn key(place: &KeyPlace) -> Result<Pseudonyms, CliError> {
    let advice = "make one with `tickmark pseudonyms new-key`";
    let text = match place {
        KeyPlace::File(path) => std::fs::read_to_string(path).map_err(|error| {
            CliError::Use(format!("cannot read the key of the pseudonyms `{}`: {error}\n{advice}", path.display()))
        })?,
        KeyPlace::Variable(name) => context::variable(name).ok_or_else(|| {
            CliError::Use(format!("the variable `{name}`, which holds the key of the pseudonyms, is not set\n{advice}"))
        })?,
    };
    Ok(Pseudonyms::from_text(&text)?)
}

pub(super) fn run(command: &Command, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let config = Config::open(&args.config)?;
    match command {
        Command::NewKey => new_key(&config.personal.key, terminal),
        Command::Of { persons } => tell(&key(&config.personal.key)?, persons, terminal),
    }
}

fn new_key(place: &KeyPlace, terminal: &Terminal) -> Result<End, CliError> {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    let key = Pseudonyms::from_bytes(bytes);
    match place {
        KeyPlace::File(path) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            std::fs::create_dir_all(folder).map_err(CliError::io("create", folder))?;
            write_key_file(path, &key.to_text())?;
            terminal.line(&format!("{} created (not encrypted); back it up", path.display()))?;
        }
        KeyPlace::Variable(name) => {
            terminal.line(key.to_text().trim_end())?;
            terminal.note(&format!("set the variable {name} to this line; it is kept nowhere else"));
        }
    }
    terminal.note(&format!("key id {}: it stands in the plan of every capture made with this key", key.key_id()));
    terminal
        .note("keep the key away from whoever reads the evidence: with it and a list of staff, names are found again");
    Ok(End::Clean)
}

fn tell(key: &Pseudonyms, persons: &[String], terminal: &Terminal) -> Result<End, CliError> {
    if terminal.format == Format::Json {
        let told: Vec<_> =
            persons.iter().map(|person| json!({"person": person, "pseudonym": key.of(person)})).collect();
        terminal.json(&json!({"keyId": key.key_id(), "pseudonyms": told}))?;
        return Ok(End::Clean);
    }
    for person in persons {
        terminal.line(&format!("{} {}", key.of(person), clean(person)))?;
    }
    Ok(End::Clean)
}
