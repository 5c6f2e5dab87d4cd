//! Sealing: files in, one signed folder out, whole or not at all.
//!
//! Files are copied into a folder beside the final place and hashed on the way; the manifest, the list of sums,
//! the statement and its signatures follow; then the result is synced, verified as an auditor would, and renamed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::digest::{copy_hashed, sha256_hex};
use super::dsse::Envelope;
use super::manifest::{EvidenceIds, MANIFEST_SCHEMA, Manifest, ManifestFile, PackHead};
use super::statement::{
    Collection, Counts, Digest, PREDICATE_TYPE, Predicate, Previous, STATEMENT_TYPE, Signer, Span, Statement, Subject,
    Tool,
};
use super::{Expect, PackError, SigningKey, Stamp, names, sigstore, sums, tsa, verify};

/// Everything that a pack is made from.
#[derive(Debug)]
pub struct SealRequest<'a> {
    /// The files, in any order. `manifest.json`, `SHA256SUMS` and `attestation/` are written by sealing.
    pub files: Vec<PackFile>,
    /// The facts of the statement.
    pub facts: Facts,
    /// For the manifest: how the evidence was collected.
    pub capture: Value,
    /// For the manifest: what else went in.
    pub inputs: Value,
    /// For the manifest: what was in scope.
    pub scope: Value,
    /// The key that signs.
    pub key: &'a SigningKey,
    /// Whom to ask for time-stamps over the signature.
    pub authorities: Vec<Authority<'a>>,
    /// Whether a pack that is already at the place is replaced.
    pub replace: bool,
}

/// One file of a pack.
#[derive(Clone, Debug)]
pub struct PackFile {
    /// Its path in the pack.
    pub path: String,
    /// Where its bytes come from.
    pub source: Source,
    /// What it is for: `report`, `evidence`, `plan`, …
    pub role: String,
    /// Its media type.
    pub media_type: String,
    /// Ids of the evidence that it is, or was made from.
    pub evidence: EvidenceIds,
}

/// Where a file's bytes come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// From memory.
    Bytes(Vec<u8>),
    /// From a regular file, copied in pieces.
    Copy(PathBuf),
    /// From a regular file of the caller's, which is moved into the pack, and copied where it cannot be.
    Move(PathBuf),
}

/// The facts of a statement that the caller knows.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Id of the pack.
    pub pack_id: String,
    /// Entra tenant.
    pub tenant: String,
    /// 1, 2, 3 …
    pub sequence: u64,
    /// The period.
    pub period: Span,
    /// The collection.
    pub collection: Collection,
    /// The pack before.
    pub previous: Option<Previous>,
    /// Address of the key in its vault, if it is in one.
    pub kid: Option<String>,
    /// What makes the pack.
    pub tool: Tool,
    /// Totals; `files` and `withheld` are filled in by sealing.
    pub counts: Counts,
}

/// A time-stamp authority, as a function: the caller has the network.
pub struct Authority<'a> {
    /// What to call it in messages: its address.
    pub name: String,
    /// 8 random bytes.
    pub nonce: [u8; 8],
    /// Sends a request in DER and returns the reply in DER.
    pub ask: AskAuthority<'a>,
}

/// Sends a time-stamp request in DER and returns the reply in DER, or says why there is none.
pub type AskAuthority<'a> = &'a mut dyn FnMut(&[u8]) -> Result<Vec<u8>, String>;

impl std::fmt::Debug for Authority<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Authority({})", self.name)
    }
}

/// A pack that was sealed.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Its folder.
    pub folder: PathBuf,
    /// Its id.
    pub pack_id: String,
    /// Fingerprint of the key that signed.
    pub fingerprint: String,
    /// SHA-256 of the statement: the one number that stands for the whole pack.
    pub statement_sha256: String,
    /// Number of files outside `attestation/`.
    pub files: usize,
    /// What the authorities' tokens say, in the order asked.
    pub stamps: Vec<Stamp>,
}

/// Seals a pack to the folder `out`. What is at `out` is left alone until the new pack is complete and verified.
pub fn seal(request: SealRequest<'_>, out: &Path) -> Result<Sealed, PackError> {
    check_place(out, request.replace)?;
    check_names(&request.files)?;
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let aside = tempfile::Builder::new()
        .prefix(".sealing-")
        .tempdir_in(parent)
        .map_err(PackError::io("create a folder in", parent))?;
    // a folder inside, because the temporary one is closed to everybody else
    let folder = Folder { root: aside.path().join("pack") };
    fs::create_dir(&folder.root).map_err(PackError::io("create", &folder.root))?;

    let replace = request.replace;
    let key = request.key.public()?;
    let mut sealed = write_pack(request, &folder)?;
    folder.sync()?;
    let report = verify(&folder.root, &[key], &Expect::default());
    if let Some(problem) = report.problems.first() {
        return Err(PackError::WouldNotVerify(problem.to_string()));
    }
    let before = aside.path().join("replaced");
    if replace && out.exists() {
        fs::rename(out, &before).map_err(PackError::io("move away", out))?;
    }
    if let Err(error) = fs::rename(&folder.root, out) {
        let _ = fs::rename(&before, out); // the old pack goes back, if there was one
        return Err(PackError::io("write", out)(error));
    }
    sync_folder(parent)?;
    sealed.folder = out.to_owned();
    Ok(sealed)
}

/// A place is free, or holds a pack that may be replaced. Nothing else is ever deleted.
fn check_place(out: &Path, replace: bool) -> Result<(), PackError> {
    match fs::symlink_metadata(out) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(PackError::io("read", out)(error)),
        Ok(_) if !replace => Err(PackError::Exists { path: out.to_owned() }),
        Ok(there) if there.is_dir() && out.join("attestation/pack.dsse.json").is_file() => Ok(()),
        Ok(_) => Err(PackError::NotAPack { path: out.to_owned() }),
    }
}

fn check_names(files: &[PackFile]) -> Result<(), PackError> {
    let refused = |path: &str, why: String| PackError::Name { path: path.escape_debug().to_string(), why };
    for file in files {
        names::check_path(&file.path).map_err(|why| refused(&file.path, why))?;
        let ours = ["manifest.json", "SHA256SUMS", "attestation"];
        if ours.contains(&file.path.as_str()) || file.path.starts_with("attestation/") {
            return Err(refused(&file.path, "sealing writes it".to_owned()));
        }
    }
    let paths = files.iter().map(|file| file.path.as_str()).chain(["manifest.json", "SHA256SUMS"]);
    names::check_together(paths).map_err(|(path, why)| refused(&path, why))
}

fn write_pack(request: SealRequest<'_>, folder: &Folder) -> Result<Sealed, PackError> {
    let SealRequest { mut files, facts, capture, inputs, scope, key, authorities, replace: _ } = request;
    let fingerprint = key.public()?.fingerprint().to_owned();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut listed = Vec::new();
    for file in files {
        listed.push(folder.take(file)?);
    }

    let mut statement = statement(facts, &fingerprint, listed.len() + 2);
    let manifest = Manifest {
        schema: MANIFEST_SCHEMA.to_owned(),
        pack: PackHead::of(&statement.predicate),
        tool: statement.predicate.tool.clone(),
        timestamps: authorities.len() as u64,
        capture,
        inputs,
        scope,
        files: listed,
    };
    let mut text = serde_json::to_vec_pretty(&manifest)?;
    text.push(b'\n');
    folder.write("manifest.json", &text)?;

    let mut digests: Vec<(String, String)> = manifest.files.into_iter().map(|file| (file.path, file.sha256)).collect();
    digests.push(("manifest.json".to_owned(), sha256_hex(&text)));
    let sums = sums::write(digests.iter().map(|(path, sha256)| (path.as_str(), sha256.as_str())));
    folder.write("SHA256SUMS", sums.as_bytes())?;
    digests.push(("SHA256SUMS".to_owned(), sha256_hex(sums.as_bytes())));
    digests.sort();
    statement.subject = digests.into_iter().map(|(name, sha256)| Subject { name, digest: Digest { sha256 } }).collect();

    // written once: these bytes are signed, kept and hashed
    let payload = serde_json::to_vec(&statement)?;
    let statement_sha256 = sha256_hex(&payload);
    let envelope = Envelope::seal(payload, key)?;
    folder.write("attestation/statement.json", &envelope.payload)?;
    folder.write("attestation/pack.dsse.json", &envelope.to_json()?)?;
    folder.write("attestation/pack.sig", &envelope.signature)?;
    folder.write("attestation/SHA256SUMS.sig", &key.sign(sums.as_bytes()))?;
    let (stamps, replies) = stamp(authorities, &envelope.signature, folder)?;
    folder.write("attestation/pack.sigstore.json", &sigstore::bundle(&envelope, &replies)?)?;
    sync_folder(&folder.root)?;
    Ok(Sealed {
        folder: folder.root.clone(),
        pack_id: statement.predicate.pack_id,
        fingerprint,
        statement_sha256,
        files: statement.subject.len(),
        stamps,
    })
}

fn statement(facts: Facts, fingerprint: &str, files: usize) -> Statement {
    Statement {
        statement_type: STATEMENT_TYPE.to_owned(),
        subject: Vec::new(),
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Predicate {
            pack_id: facts.pack_id,
            tenant: facts.tenant,
            sequence: facts.sequence,
            period: facts.period,
            collection: facts.collection,
            previous: facts.previous,
            signer: Signer { keyid: fingerprint.to_owned(), kid: facts.kid },
            tool: facts.tool,
            counts: Counts { files: files as u64, withheld: 0, ..facts.counts },
            withheld: Vec::new(),
        },
    }
}

/// Time-stamps are over the signature's bytes: what the token dates is the act of signing.
fn stamp(
    authorities: Vec<Authority<'_>>,
    signature: &[u8],
    folder: &Folder,
) -> Result<(Vec<Stamp>, Vec<Vec<u8>>), PackError> {
    let (mut stamps, mut replies) = (Vec::new(), Vec::new());
    for authority in authorities {
        let (reply, stamp) = time_stamp(authority, signature)?;
        stamps.push(stamp);
        folder.write(&format!("attestation/{}", token_name(replies.len())), &reply)?;
        replies.push(reply);
    }
    Ok((stamps, replies))
}

/// Asks one authority for a time-stamp over `message`: its reply in DER, and what that says.
pub fn time_stamp(authority: Authority<'_>, message: &[u8]) -> Result<(Vec<u8>, Stamp), PackError> {
    let Authority { name, nonce, ask } = authority;
    let failed = |why| PackError::TimeStamp { authority: name.clone(), why };
    let query = tsa::request(message, nonce).map_err(failed)?;
    let reply = ask(&query).map_err(failed)?;
    let stamp = tsa::read_reply(&reply, message, Some(nonce)).map_err(failed)?;
    Ok((reply, stamp))
}

/// `pack.tsr`, `pack.tsr.2`, `pack.tsr.3` …
pub(super) fn token_name(index: usize) -> String {
    if index == 0 { "pack.tsr".to_owned() } else { format!("pack.tsr.{}", index + 1) }
}

fn open_regular(path: &Path) -> Result<File, PackError> {
    let kind = fs::symlink_metadata(path).map_err(PackError::io("read", path))?;
    if !kind.is_file() {
        return Err(PackError::NotRegular { path: path.to_owned() });
    }
    File::open(path).map_err(PackError::io("read", path))
}

/// The folder that is being filled.
struct Folder {
    root: PathBuf,
}

impl Folder {
    fn take(&self, file: PackFile) -> Result<ManifestFile, PackError> {
        let (bytes, sha256) = match &file.source {
            Source::Bytes(bytes) => self.copy(&file.path, &mut bytes.as_slice())?,
            Source::Copy(from) => self.copy(&file.path, &mut open_regular(from)?)?,
            Source::Move(from) => self.take_over(&file.path, from)?,
        };
        let PackFile { path, role, media_type, evidence, source: _ } = file;
        Ok(ManifestFile { path, bytes, sha256, role, media_type, evidence })
    }

    fn write(&self, path: &str, mut bytes: &[u8]) -> Result<(), PackError> {
        self.copy(path, &mut bytes).map(|_| ())
    }

    /// Moves a file here; from another file system it is copied.
    fn take_over(&self, path: &str, from: &Path) -> Result<(u64, String), PackError> {
        let mut open = open_regular(from)?;
        if fs::rename(from, self.place(path)?).is_err() {
            return self.copy(path, &mut open);
        }
        copy_hashed(&mut open, &mut io::sink()).map_err(PackError::io("read", from))
    }

    /// Where a file goes, in a folder that is there.
    fn place(&self, path: &str) -> Result<PathBuf, PackError> {
        let to = self.root.join(path);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(PackError::io("create", parent))?;
        }
        Ok(to)
    }

    fn copy(&self, path: &str, from: &mut impl Read) -> Result<(u64, String), PackError> {
        let to = self.place(path)?;
        let mut file = File::create_new(&to).map_err(PackError::io("create", &to))?;
        let copied = copy_hashed(from, &mut file).map_err(PackError::io("write", &to))?;
        file.flush().map_err(PackError::io("write", &to))?;
        Ok(copied)
    }

    /// Makes everything that was written last: with one call, for all of the file system. To sync each of very many
    /// files by itself would take longer than all the rest of sealing.
    #[cfg(target_os = "linux")]
    fn sync(&self) -> Result<(), PackError> {
        let opened = File::open(&self.root).map_err(PackError::io("write", &self.root))?;
        rustix::fs::syncfs(&opened).map_err(|error| PackError::io("write", &self.root)(error.into()))
    }

    /// Makes everything that was written last, file by file.
    #[cfg(not(target_os = "linux"))]
    fn sync(&self) -> Result<(), PackError> {
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(PackError::io("read", &folder))? {
                let path = entry.map_err(PackError::io("read", &folder))?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let file = File::options().write(true).open(&path).map_err(PackError::io("write", &path))?;
                    file.sync_all().map_err(PackError::io("write", &path))?;
                }
            }
            sync_folder(&folder)?;
        }
        Ok(())
    }
}

/// Makes what a folder names last. Only some systems can sync a folder; the others need no telling.
fn sync_folder(folder: &Path) -> Result<(), PackError> {
    #[cfg(unix)]
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(PackError::io("write", folder))?;
    let _ = folder;
    Ok(())
}
