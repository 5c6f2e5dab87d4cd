//! A zip of a sealed folder: the same folder gives the same bytes.
//!
//! The folder is what was signed; the zip only carries it. Its digest is told to the auditor by another way.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::PackError;
use super::digest::copy_hashed;

/// Writes `folder` as a zip to `out`, all below the folder's own name, and returns the zip's SHA-256. Written to
/// the side and renamed; an existing file is refused unless `replace` is set.
pub fn zip_folder(folder: &Path, out: &Path, replace: bool) -> Result<String, PackError> {
    if !replace && out.exists() {
        return Err(PackError::Exists { path: out.to_owned() });
    }
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut aside = tempfile::NamedTempFile::new_in(parent).map_err(PackError::io("create", parent))?;
    write_zip(folder, out, BufWriter::new(aside.as_file_mut()))?;
    aside.as_file().sync_all().map_err(PackError::io("write", out))?;

    aside.rewind().map_err(PackError::io("read", out))?;
    let (_, sha256) = copy_hashed(aside.as_file_mut(), &mut std::io::sink()).map_err(PackError::io("read", out))?;
    let renamed = if replace { aside.persist(out) } else { aside.persist_noclobber(out) };
    renamed.map_err(|error| PackError::Io { action: "write", path: out.to_owned(), source: error.error })?;
    Ok(sha256)
}

fn write_zip(folder: &Path, out: &Path, to: impl Write + Seek) -> Result<(), PackError> {
    let failed = |error: ::zip::result::ZipError| PackError::Zip { path: out.to_owned(), why: error.to_string() };
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("pack");
    let mut files = Vec::new();
    list(folder, name, &mut files)?;
    files.sort();

    let mut zip = ZipWriter::new(to);
    for (name, bytes) in files {
        let path = folder.join(name.split_once('/').map_or("", |(_, inside)| inside));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(6))
            .last_modified_time(DateTime::default()) // 1980-01-01, the first that a zip can hold
            .unix_permissions(0o644)
            .system(System::Unix)
            .large_file(bytes >= u64::from(u32::MAX) / 2);
        zip.start_file(name, options).map_err(failed)?;
        let mut file = BufReader::new(File::open(&path).map_err(PackError::io("read", &path))?);
        copy_hashed(&mut file.by_ref(), &mut zip).map_err(PackError::io("copy", &path))?;
    }
    zip.finish().map_err(failed)?.flush().map_err(PackError::io("write", out))
}

/// All files below `folder`, as (name in the zip, bytes).
fn list(folder: &Path, name: &str, files: &mut Vec<(String, u64)>) -> Result<(), PackError> {
    let entries = fs::read_dir(folder).map_err(PackError::io("read", folder))?;
    for entry in entries {
        let entry = entry.map_err(PackError::io("read", folder))?;
        let path = entry.path();
        let kind = fs::symlink_metadata(&path).map_err(PackError::io("read", &path))?;
        let inside = format!("{name}/{}", entry.file_name().to_string_lossy());
        if kind.is_dir() {
            list(&path, &inside, files)?;
        } else if kind.is_file() {
            files.push((inside, kind.len()));
        } else {
            return Err(PackError::NotRegular { path });
        }
    }
    Ok(())
}
