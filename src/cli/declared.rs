//! Finds the files that people declare: `registers/*.toml`, `probes/*.toml`, `checks/*.toml`, `controls/*.toml`,
//! `waivers.toml` and `attached/*/*`, in a folder of theirs or in a pack.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::args::Args;
use super::collect::optional_config;
use super::{CliError, derive};
use crate::collect;
use crate::declared::{Declared, MAX_ATTACHED_BYTES};

/// Most bytes of a register, a check, a control or of the waivers: a person has written it.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// What is declared in the folder that the configuration names; without a configuration, nothing.
pub(super) fn configured(args: &Args) -> Result<Declared, CliError> {
    let config = optional_config(args)?;
    Ok(config.map(|config| below(&config.declared)).transpose()?.unwrap_or_default())
}

/// Everything declared below a folder; a folder without any of the files declares nothing. Files of other kinds
/// beside them (a README, an editor's copy) are left alone.
pub(super) fn below(folder: &Path) -> Result<Declared, CliError> {
    let mut files = BTreeMap::new();
    for below in ["registers", "probes", "checks", "controls"] {
        for path in list(&folder.join(below))?.into_iter().filter(|path| is_toml(path)) {
            add(&mut files, format!("{below}/{}", name(&path)), &path, MAX_FILE_BYTES)?;
        }
    }
    let waivers = folder.join("waivers.toml");
    if waivers.exists() {
        add(&mut files, "waivers.toml".to_owned(), &waivers, MAX_FILE_BYTES)?;
    }
    for record in list(&folder.join("attached"))?.into_iter().filter(|path| path.is_dir()) {
        for path in list(&record)? {
            add(&mut files, format!("attached/{}/{}", name(&record), name(&path)), &path, MAX_ATTACHED_BYTES)?;
        }
    }
    let wrong = |error| CliError::Declared { folder: folder.to_owned(), error };
    let declared = Declared::read_with(files, &collect::kept).map_err(wrong)?;
    derive::custom_controls(&declared).map_err(wrong)?; // so that a mistake is told before anything is asked
    Ok(declared)
}

fn add(files: &mut BTreeMap<String, Vec<u8>>, name: String, path: &Path, most: u64) -> Result<(), CliError> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(CliError::io("read", path))?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(CliError::io("read", path))?;
    if bytes.len() as u64 > most {
        return Err(CliError::Use(format!("`{}` is larger than {most} bytes; nothing was judged", path.display())));
    }
    files.insert(name, bytes);
    Ok(())
}

/// What a folder holds, in order; hidden files aside. No folder holds nothing.
fn list(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(CliError::io("read", folder))? {
        let path = entry.map_err(CliError::io("read", folder))?.path();
        if !name(&path).starts_with('.') {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "toml")
}
