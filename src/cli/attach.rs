//! `tickmark attach`: keeps a record that was made by hand beside the registers, with who vouches for it and when.

use std::fs;
use std::io::Read;
use std::path::Path;

use chrono::NaiveDate;

use super::args::{Args, Attach};
use super::collect::optional_config;
use super::context::{self, SystemClock};
use super::declared;
use super::derive::controls;
use super::terminal::Terminal;
use super::{CliError, End};
use crate::azure::Clock;
use crate::declared::{Day, MAX_ATTACHED_BYTES, NewRecord};
use crate::evidence::{Period, sha256_hex, write_atomically};

pub(super) fn run(options: &Attach, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let config = optional_config(args)?;
    let now = SystemClock.now();
    let period = match &args.period {
        Some(text) => {
            Period::parse(text)?;
            text.clone()
        }
        None => context::period(args, config.as_ref(), now)?.to_string(),
    };
    let known = controls(&declared::configured(args)?)?;
    let control = known.iter().find(|control| control.id.eq_ignore_ascii_case(&options.control)).ok_or_else(|| {
        CliError::Use(format!("there is no control `{}`\n`tickmark list` names them", options.control))
    })?;
    let date = match &options.date {
        None => now.date_naive(),
        Some(text) => NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .map_err(|_| CliError::Use(format!("`{text}` is not a day, such as 2026-10-01")))?,
    };
    for (what, text) in [("--title", &options.title), ("--person", &options.person)] {
        if text.trim().is_empty() {
            return Err(CliError::Use(format!("{what} is empty; say it, because the report prints it")));
        }
    }
    let content = read(&options.file)?;
    let file = format!("content.{}", ending(&options.file));
    let name = options.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let record = NewRecord {
        control: &control.id,
        title: options.title.trim(),
        period: &period,
        person: options.person.trim(),
        date: Day(date),
        name: &name,
        file: &file,
    };
    let folder = config.map_or_else(|| Path::new(".").to_owned(), |config| config.declared).join("attached");
    let id = keep(&folder, &record, &content)?;
    terminal.line(&format!("{id} is attached to {} for {period}: {}", control.id, folder.join(&id).display()))?;
    terminal.line(&format!("SHA-256 {}", sha256_hex(&content)))?;
    terminal.note("it is sealed into the next pack as it is; make sure that it holds no secret");
    Ok(End::Clean)
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let mut content = Vec::new();
    let file = fs::File::open(path).map_err(CliError::io("read", path))?;
    file.take(MAX_ATTACHED_BYTES + 1).read_to_end(&mut content).map_err(CliError::io("read", path))?;
    match content.len() as u64 {
        0 => Err(CliError::Use(format!("`{}` is empty; nothing was attached", path.display()))),
        bytes if bytes > MAX_ATTACHED_BYTES => Err(CliError::Use(format!(
            "`{}` is larger than {MAX_ATTACHED_BYTES} bytes; nothing was attached",
            path.display()
        ))),
        _ => Ok(content),
    }
}

/// The ending of a name, where it is a short plain one: packs take nothing else in names.
fn ending(path: &Path) -> String {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let is_plain = (1..=8).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_plain { ending } else { "bin".to_owned() }
}

/// Writes the record under the next free id; the folder appears with everything in it.
fn keep(folder: &Path, record: &NewRecord<'_>, content: &[u8]) -> Result<String, CliError> {
    fs::create_dir_all(folder).map_err(CliError::io("create", folder))?;
    let mut number = 0;
    for entry in fs::read_dir(folder).map_err(CliError::io("read", folder))? {
        let name = entry.map_err(CliError::io("read", folder))?.file_name();
        let taken: Option<u32> = name.to_string_lossy().strip_prefix("at-").and_then(|digits| digits.parse().ok());
        number = number.max(taken.unwrap_or_default());
    }
    let id = format!("at-{:04}", number.saturating_add(1));
    let made = tempfile::Builder::new().prefix(".attached-").tempdir_in(folder);
    let side = made.map_err(CliError::io("create a folder in", folder))?;
    write_atomically(&side.path().join(record.file), content)?;
    write_atomically(&side.path().join("record.toml"), record.text(content).as_bytes())?;
    let path = folder.join(&id);
    fs::rename(side.keep(), &path).map_err(CliError::io("create", &path))?;
    Ok(id)
}
