//! `tickmark seal`: a capture, its results and its report in one signed pack.

use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::args::{Args, PackOptions, Seal};
use super::derive::derive;
use super::stamp::Authorities;
use super::summary::{self, PackLine};
use super::terminal::Terminal;
use super::{CliError, End, assess, context, key, readme, stamp};
use crate::assess::{Assessment, Inputs};
use crate::azure::Network;
use crate::check::Outcome;
use crate::evidence::{Capture, CaptureStatus, Entry, Event, Ledger, LockedLedger, sha256_hex};
use crate::pack::statement::{Collection, Counts, Previous, Span, Tool};
use crate::pack::{Authority, EvidenceIds, Facts, PackFile, SealRequest, Sealed, SigningKey, Source, seal, zip_folder};
use crate::render::render;

pub(super) fn run(options: &Seal, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let config = super::config::Config::open(&args.config)?;
    let store = context::store(args, Some(&config));
    let (folder, capture) = context::capture(&store, options.which.capture.as_deref(), terminal)?;
    let signing = key::open(&config.signing.key)?;
    let authorities = Authorities::of(&options.pack.tsa, Some(&config))?;
    let inputs = assess::inputs(args, Some(&config), &capture, signing.public()?.fingerprint().to_owned())?;
    #[allow(clippy::disallowed_methods, reason = "the command line reads the clock")]
    let now = Utc::now();
    let sealing = Sealing {
        store: &store,
        folder: &folder,
        capture: &capture,
        inputs: Inputs { tsa: authorities.addresses, ..inputs },
        key: &signing,
        now,
        network: authorities.network,
        replace: false,
    };
    finish(&sealing, &options.pack, terminal)
}

/// Everything that one sealing needs.
pub(super) struct Sealing<'a> {
    pub(super) store: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) capture: &'a Capture,
    pub(super) inputs: Inputs,
    pub(super) key: &'a SigningKey,
    pub(super) now: DateTime<Utc>,
    /// How a time-stamping authority is reached.
    pub(super) network: Network,
    /// Whether a pack at the place is replaced; only for the demo.
    pub(super) replace: bool,
}

/// Seals, writes the zip if asked, and prints the end.
pub(super) fn finish(sealing: &Sealing<'_>, options: &PackOptions, terminal: &Terminal) -> Result<End, CliError> {
    let (sealed, assessment) = make(sealing, options.out.as_deref())?;
    let zip = if options.zip { Some(zipped(&sealed.folder)?) } else { None };
    for stamp in &sealed.stamps {
        terminal.note(&format!("time-stamp {}", stamp.at.to_rfc3339_opts(SecondsFormat::Secs, true)));
    }
    let line = PackLine {
        folder: &sealed.folder,
        pack_id: &sealed.pack_id,
        fingerprint: &sealed.fingerprint,
        statement_sha256: &sealed.statement_sha256,
        zip: zip.as_ref().map(|(path, digest)| (path.as_path(), digest.as_str())),
    };
    summary::print(&assessment, Some(&line), terminal)
}

fn zipped(folder: &Path) -> Result<(PathBuf, String), CliError> {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".zip");
    let path = folder.with_file_name(name);
    let digest = zip_folder(folder, &path, false)?;
    Ok((path, digest))
}

/// Judges, renders and seals; the ledger gets its line when the pack is in place.
pub(super) fn make(sealing: &Sealing<'_>, out: Option<&Path>) -> Result<(Sealed, Assessment), CliError> {
    let capture = sealing.capture;
    if capture.head.status != CaptureStatus::Complete {
        let id = &capture.head.capture_id;
        let advice = format!("continue it with `tickmark collect --resume --capture {id}`, then seal it");
        return Err(CliError::Use(format!("the capture `{id}` did not reach its end\n{advice}")));
    }
    let mut ledger = LockedLedger::open(sealing.store)?;
    let assessment = derive(capture, sealing.inputs.clone(), ledger.entries.clone())?;
    let rendered = Rendered::of(&assessment, sealing.store)?;
    let previous = ledger.entries.iter().rev().find(|entry| entry.event == Event::Sealed).cloned();
    let sequence = ledger.entries.iter().filter(|entry| entry.event == Event::Sealed).count() as u64 + 1;
    let pack_id = pack_id(sealing, sequence);
    let folder = out.map_or_else(|| sealing.store.join("packs").join(&pack_id), Path::to_owned);
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(CliError::io("create", parent))?;
    }
    let facts = facts(sealing, &assessment, &ledger, sequence, previous, pack_id.clone())?;
    let mut answers: Vec<_> =
        sealing.inputs.tsa.iter().map(|address| stamp::ask(address.clone(), sealing.network.clone())).collect();
    let authorities = sealing.inputs.tsa.iter().zip(&mut answers);
    let authorities = authorities.map(|(name, ask)| Authority { name: name.clone(), nonce: stamp::nonce(), ask });
    let request = SealRequest {
        files: pack_files(sealing, &assessment, &rendered, &ledger, &facts)?,
        facts,
        capture: value(&capture.head)?,
        inputs: value(&sealing.inputs)?,
        scope: value(&capture.plan.expected)?,
        key: sealing.key,
        authorities: authorities.collect(),
        replace: sealing.replace,
    };
    let sealed = seal(request, &folder)?;
    ledger.append(Entry {
        sequence: 0,
        at: sealing.now,
        event: Event::Sealed,
        run_id: capture.head.run_id.clone(),
        capture_id: capture.head.capture_id.clone(),
        tenant_id: capture.head.tenant_id.clone(),
        period: sealing.inputs.period,
        plan_sha256: None,
        statement_sha256: Some(sealed.statement_sha256.clone()),
        pack_id: Some(pack_id),
        note: None,
        previous_sha256: String::new(),
    })?;
    Ok((sealed, assessment))
}

/// `<first eight of the tenant>-<first day>-<last day>-<sequence>`.
fn pack_id(sealing: &Sealing<'_>, sequence: u64) -> String {
    let tenant = &sealing.capture.head.tenant_id;
    let tenant: String = tenant.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    let period = sealing.inputs.period;
    let last = period.end - TimeDelta::seconds(1);
    format!("{}-{}-{}-{sequence:03}", tenant.to_lowercase(), period.start.format("%Y%m%d"), last.format("%Y%m%d"))
}

fn facts(
    sealing: &Sealing<'_>,
    assessment: &Assessment,
    ledger: &Ledger,
    sequence: u64,
    previous: Option<Entry>,
    pack_id: String,
) -> Result<Facts, CliError> {
    let capture = sealing.capture;
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let of = |outcome| assessment.findings.iter().filter(|finding| finding.outcome() == outcome).count() as u64;
    let tool = &sealing.inputs.tool;
    Ok(Facts {
        pack_id,
        tenant: capture.head.tenant_id.clone(),
        sequence,
        period: Span {
            start: time(sealing.inputs.period.start),
            end: time(sealing.inputs.period.end - TimeDelta::seconds(1)),
        },
        collection: Collection {
            started_at: time(capture.head.started_at),
            ended_at: time(capture.head.ended_at.unwrap_or(capture.head.started_at)),
            run_id: capture.head.run_id.clone(),
            plan_sha256: sha256_hex(&capture.read("plan.json")?),
            ledger_head_sha256: ledger.head(),
        },
        previous: previous
            .and_then(|entry| Some(Previous { pack_id: entry.pack_id?, statement_sha256: entry.statement_sha256? })),
        kid: None,
        tool: Tool {
            name: tool.name.clone(),
            version: tool.version.clone(),
            sha256: own_digest()?,
            rule_set_sha256: tool.rule_set_sha256.clone(),
        },
        counts: Counts {
            evidence: capture.records.len() as u64,
            exceptions: of(Outcome::Fail),
            not_determined: of(Outcome::NotEvaluated),
            ..Counts::default()
        },
    })
}

/// What was rendered, in a folder of its own until it is in the pack: all of it at once may be too much to hold.
struct Rendered {
    folder: tempfile::TempDir,
    paths: Vec<String>,
}

impl Rendered {
    fn of(assessment: &Assessment, store: &Path) -> Result<Rendered, CliError> {
        let made = tempfile::Builder::new().prefix(".rendered-").tempdir_in(store);
        let folder = made.map_err(CliError::io("create a folder in", store))?;
        let report = folder.path().join("report");
        std::fs::create_dir(&report).map_err(CliError::io("create", &report))?;
        let mut paths = Vec::new();
        render(assessment, |path, content| {
            let full = folder.path().join(path);
            let file = std::fs::File::create(&full).map_err(CliError::io("write", &full))?;
            let mut file = BufWriter::with_capacity(1 << 16, file);
            content(&mut file)?;
            file.flush().map_err(CliError::io("write", &full))?;
            paths.push(path.to_owned());
            Ok::<(), CliError>(())
        })?;
        Ok(Rendered { folder, paths })
    }
}

fn pack_files(
    sealing: &Sealing<'_>,
    assessment: &Assessment,
    rendered: &Rendered,
    ledger: &Ledger,
    facts: &Facts,
) -> Result<Vec<PackFile>, CliError> {
    let file = |path: &str, source, role: &str, media_type: &str, evidence| PackFile {
        path: path.to_owned(),
        source,
        role: role.to_owned(),
        media_type: media_type.to_owned(),
        evidence,
    };
    let readme = readme::text(sealing, facts, assessment);
    let mut files = vec![
        file("README.txt", Source::Bytes(readme.into_bytes()), "readme", "text/plain", EvidenceIds::default()),
        file(
            "ledger.jsonl",
            Source::Bytes(ledger.text().into_bytes()),
            "ledger",
            "application/x-ndjson",
            EvidenceIds::default(),
        ),
    ];
    let all: EvidenceIds = sealing.capture.records.iter().map(|record| record.evidence_id.clone()).collect();
    for path in &rendered.paths {
        let role = if path == "results.json" { "results" } else { "report" };
        let source = Source::Move(rendered.folder.path().join(path));
        files.push(file(path, source, role, media_type(path), all.clone()));
    }
    for (name, bytes) in sealing.inputs.declared.files() {
        let path = format!("declared/{name}");
        files.push(file(&path, Source::Bytes(bytes.clone()), "declared", media_type(name), EvidenceIds::default()));
    }
    for kept in sealing.capture.files() {
        let role = if kept.record.is_some() { "evidence" } else { "plan" };
        let source = Source::Copy(sealing.folder.join(&kept.path));
        files.push(file(&kept.path, source, role, media_type(&kept.path), kept.record.into_iter().collect()));
    }
    Ok(files)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("json") => "application/json",
        Some("html") => "text/html",
        Some("md") => "text/markdown",
        Some("csv") => "text/csv",
        Some("toml") => "application/toml",
        _ if path.starts_with("plan.tsr") => "application/timestamp-reply",
        _ => "application/octet-stream",
    }
}

/// SHA-256 of the running program.
fn own_digest() -> Result<String, CliError> {
    let path = std::env::current_exe().map_err(CliError::io("find", Path::new("the running program")))?;
    let mut file = std::fs::File::open(&path).map_err(CliError::io("read", &path))?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut piece).map_err(CliError::io("read", &path))?;
        if read == 0 {
            return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hasher.update(piece.get(..read).unwrap_or_default());
    }
}

fn value(of: &impl serde::Serialize) -> Result<serde_json::Value, CliError> {
    serde_json::to_value(of).map_err(|error| CliError::Defect(error.to_string()))
}
