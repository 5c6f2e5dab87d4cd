//! `tickmark reperform`: results and report again, out of a pack's raw evidence, compared byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::{Format, Reperform};
use super::derive::derive;
use super::terminal::{Terminal, Tone, clean};
use super::{CliError, End, context, declared};
use crate::assess::{Assessment, Inputs};
use crate::evidence::{Capture, Head, Ledger};
use crate::render::{Content, render};

/// What differs.
struct Difference {
    path: String,
    what: String,
}

pub(super) fn run(options: &Reperform, terminal: &Terminal) -> Result<End, CliError> {
    let pack = &options.pack;
    let (head, mut inputs) = manifest(pack)?;
    inputs.declared = declared::below(&pack.join("declared"))?;
    let capture = Capture::open_with_head(pack, head)?;
    let ledger_path = pack.join("ledger.jsonl");
    let text = fs::read_to_string(&ledger_path).map_err(CliError::io("read", &ledger_path))?;
    let ledger = Ledger::parse(PathBuf::from("ledger.jsonl"), &text)?;

    let mut differences: Vec<Difference> =
        capture.damage().into_iter().map(|damage| Difference { path: damage.path, what: damage.why }).collect();
    let own = context::tool();
    let same_rules = own.rule_set_sha256 == inputs.tool.rule_set_sha256;
    let made_by = format!("{} {}", inputs.tool.name, inputs.tool.version);
    let records = capture.records.len();
    let derived = derive(&capture.as_found(), inputs, ledger.entries);
    let files = match derived.and_then(|assessment| compare(pack, &assessment)) {
        Ok((files, found)) => {
            differences.extend(found);
            files
        }
        Err(error) if !differences.is_empty() => {
            let what = format!("cannot be derived: {}", error.to_string().lines().next().unwrap_or_default());
            differences.push(Difference { path: "results.json".to_owned(), what });
            0
        }
        Err(error) => return Err(error),
    };

    let end = if differences.is_empty() { End::Clean } else { End::Exceptions };
    if terminal.format == Format::Json {
        let list: Vec<_> = differences.iter().map(|one| json!({"path": one.path, "what": one.what})).collect();
        terminal.json(&json!({"identical": differences.is_empty(), "same_rule_set": same_rules, "files": files, "differences": list}))?;
        return Ok(end);
    }
    if !same_rules {
        terminal.line(&format!(
            "note: the pack was made by {made_by} with another rule set than this build's; use that version to compare"
        ))?;
    }
    for one in &differences {
        terminal.line(&format!(
            "{} {}: {}",
            terminal.tone(Tone::Bad, "differs"),
            clean(&one.path),
            clean(&one.what)
        ))?;
    }
    if differences.is_empty() {
        let words = format!("identical: {} files derived again from {} evidence records", files, records);
        terminal.line(&words)?;
        terminal.line("This shows that the results follow from the evidence; `tickmark verify` shows that the evidence is as it was signed.")?;
    } else {
        terminal.line(&format!("not identical: {} differences", differences.len()))?;
    }
    Ok(end)
}

/// Head and inputs as the pack's manifest holds them.
pub(super) fn manifest(pack: &Path) -> Result<(Head, Inputs), CliError> {
    let (_, head, inputs) = identified(pack)?;
    Ok((head, inputs))
}

/// The same with the pack's id before.
pub(super) fn identified(pack: &Path) -> Result<(String, Head, Inputs), CliError> {
    let path = pack.join("manifest.json");
    let bytes = fs::read(&path).map_err(CliError::io("read", &path))?;
    let wrong = |error: serde_json::Error| {
        CliError::Use(format!("`{}` is not the manifest of a pack: {error}", path.display()))
    };
    let mut manifest: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&bytes).map_err(wrong)?;
    let mut part = |name: &str| manifest.remove(name).unwrap_or_default();
    let id = part("pack").get("packId").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    Ok((
        id,
        serde_json::from_value(part("capture")).map_err(wrong)?,
        serde_json::from_value(part("inputs")).map_err(wrong)?,
    ))
}

/// How many files were rendered again, and what differs, in order of path.
fn compare(pack: &Path, assessment: &Assessment) -> Result<(usize, Vec<Difference>), CliError> {
    let (mut differences, mut derived) = (Vec::new(), BTreeSet::new());
    render(assessment, |path, content| {
        let what = match fs::File::open(pack.join(path)) {
            Ok(kept) => {
                let mut beside =
                    BufWriter::new(Beside { kept: BufReader::with_capacity(1 << 16, kept), differs: false });
                content(&mut beside)?;
                let is_same = beside.into_inner().is_ok_and(|mut beside| beside.is_same());
                if is_same { None } else { Some(difference(&pack.join(path), content)?) }
            }
            Err(error) => Some(format!("cannot be read: {error}")),
        };
        differences.extend(what.map(|what| Difference { path: path.to_owned(), what }));
        derived.insert(path.to_owned());
        Ok::<(), CliError>(())
    })?;
    differences.sort_by(|a, b| a.path.cmp(&b.path));
    let report = pack.join("report");
    let entries = fs::read_dir(&report).map_err(CliError::io("read", &report))?;
    let mut kept = BTreeSet::new();
    for entry in entries {
        let entry = entry.map_err(CliError::io("read", &report))?;
        kept.insert(format!("report/{}", entry.file_name().to_string_lossy()));
    }
    for path in kept.into_iter().filter(|path| !derived.contains(path)) {
        differences.push(Difference { path, what: "it does not follow from the evidence".to_owned() });
    }
    Ok((derived.len(), differences))
}

/// What is derived, held beside what the pack keeps while it is written.
struct Beside {
    kept: BufReader<fs::File>,
    differs: bool,
}

impl Beside {
    /// Whether both were the same up to the end.
    fn is_same(&mut self) -> bool {
        !self.differs && self.kept.fill_buf().is_ok_and(<[u8]>::is_empty)
    }
}

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = vec![0; bytes.len()];
        self.differs = self.differs || self.kept.read_exact(&mut kept).is_err() || kept != bytes;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What differs in one file.
fn difference(path: &Path, content: Content<'_>) -> Result<String, CliError> {
    let mut derived = Vec::new();
    content(&mut derived)?;
    Ok(match fs::read(path) {
        Ok(kept) => first_difference(&kept, &derived),
        Err(error) => format!("cannot be read: {error}"),
    })
}

/// The first line in which two texts differ.
fn first_difference(kept: &[u8], derived: &[u8]) -> String {
    let (kept, derived) = (String::from_utf8_lossy(kept), String::from_utf8_lossy(derived));
    let shorten = |line: Option<&str>| match line {
        None => "the end".to_owned(),
        Some(line) if line.chars().count() > 160 => format!("`{}…`", line.trim().chars().take(160).collect::<String>()),
        Some(line) => format!("`{}`", line.trim()),
    };
    let mut pairs = (kept.lines(), derived.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (pairs.0.next(), pairs.1.next()) {
            (None, None) => return "the line ends differ".to_owned(),
            (a, b) if a != b => {
                return format!("line {number}: the pack has {}, the evidence gives {}", shorten(a), shorten(b));
            }
            _ => {}
        }
    }
}
