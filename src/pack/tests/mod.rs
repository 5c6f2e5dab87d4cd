//! One small good pack, and everything that can be done to it.

mod plan_time;
mod seal;
mod stock_tools;
mod tamper;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::digest::sha256_hex;
use super::statement::{Collection, Counts, Span, Tool};
use super::*;

/// A sealed pack in a temporary folder.
struct Good {
    _folder: TempDir,
    pack: PathBuf,
    sealed: Sealed,
}

impl Good {
    fn new() -> Good {
        Good::sealed_with(request(&key()))
    }

    fn sealed_with(request: SealRequest<'_>) -> Good {
        let folder = tempfile::tempdir().expect("a folder");
        let pack = folder.path().join("contoso-2026q3");
        let sealed = seal(request, &pack).expect("a pack");
        Good { _folder: folder, pack, sealed }
    }

    fn verify(&self) -> Report {
        verify(&self.pack, &[trusted()], &Expect::default())
    }

    fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.pack.join(path)).expect(path)
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.pack.join(path), bytes).expect(path);
    }
}

fn key() -> SigningKey {
    SigningKey::from_scalar_bytes(&[7; 32]).expect("a key")
}

fn trusted() -> TrustedKey {
    key().public().expect("a public key")
}

fn plan() -> &'static str {
    "{\"questions\":[]}\n"
}

fn ledger() -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for event in ["started", "failed", "finished"] {
        let previous = lines.last().map_or_else(|| "0".repeat(64), |line: &String| sha256_hex(line.as_bytes()));
        let sequence = lines.len() + 1;
        lines.push(json!({"sequence": sequence, "event": event, "previousSha256": previous}).to_string());
    }
    lines
}

fn file(path: &str, bytes: &str) -> PackFile {
    PackFile {
        path: path.to_owned(),
        source: Source::Bytes(bytes.as_bytes().to_vec()),
        role: path.split('/').next().unwrap_or_default().to_owned(),
        media_type: "text/plain".to_owned(),
        evidence: EvidenceIds::default(),
    }
}

/// A request for the good pack. Its files come in no order.
fn request(key: &SigningKey) -> SealRequest<'_> {
    let ledger = ledger();
    SealRequest {
        files: vec![
            file("report/report.html", "<!doctype html><title>exceptions: 2</title>\n"),
            file("README.txt", "How to verify\n"),
            file("evidence/ev-0002/page-0001.json", "{\"value\":[2]}"),
            file("evidence/ev-0001/page-0001.json", "{\"value\":[1]}\n"),
            file("evidence/ev-0001/ipe.json", "{}\n"),
            file("plan.json", plan()),
            file("ledger.jsonl", &format!("{}\n", ledger.join("\n"))),
        ],
        facts: Facts {
            pack_id: "contoso-2026q3".to_owned(),
            tenant: "8a2f0000-0000-0000-0000-000000000001".to_owned(),
            sequence: 1,
            period: Span { start: "2026-07-01T00:00:00Z".to_owned(), end: "2026-09-30T23:59:59Z".to_owned() },
            collection: Collection {
                started_at: "2020-10-02T09:00:00Z".to_owned(),
                ended_at: "2020-10-02T09:05:00Z".to_owned(),
                run_id: "run-1".to_owned(),
                plan_sha256: sha256_hex(plan().as_bytes()),
                ledger_head_sha256: sha256_hex(ledger[2].as_bytes()),
            },
            previous: None,
            kid: None,
            tool: Tool {
                name: "tickmark".to_owned(),
                version: "0.1.0".to_owned(),
                sha256: "a".repeat(64),
                rule_set_sha256: "b".repeat(64),
            },
            counts: Counts { evidence: 2, exceptions: 2, not_determined: 1, ..Counts::default() },
        },
        capture: json!({"captureId": "c1"}),
        inputs: json!({"waivers": []}),
        scope: json!({"subscriptions": 1}),
        key,
        authorities: Vec::new(),
        replace: false,
    }
}

/// Whether all these programs can be run; a test that needs them says so and ends when they cannot.
fn have(programs: &[&str]) -> bool {
    programs.iter().all(|program| {
        let found = Command::new(program).arg(if *program == "openssl" { "version" } else { "--version" }).output();
        let found = found.is_ok_and(|output| output.status.success());
        if !found {
            eprintln!("SKIPPED: `{program}` is not installed");
        }
        found
    })
}

/// A throwaway time-stamp authority made with openssl.
struct TestAuthority {
    folder: TempDir,
}

impl TestAuthority {
    fn new() -> TestAuthority {
        let authority = TestAuthority { folder: tempfile::tempdir().expect("a folder") };
        let config = "[tsa]\ndefault_tsa = test\n[test]\nserial = serial\nsigner_cert = tsa.crt\nsigner_key = tsa.key\n\
                      signer_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256\ntsa_name = yes\n\
                      ess_cert_id_alg = sha256\n[req]\ndistinguished_name = name\n[name]\n";
        fs::write(authority.path("tsa.cnf"), config).expect("a configuration");
        fs::write(authority.path("serial"), "01\n").expect("a serial");
        authority.run(&[
            "req",
            "-config",
            "tsa.cnf",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "tsa.key",
            "-out",
            "tsa.crt",
            "-days",
            "2",
            "-subj",
            "/CN=Test TSA",
            "-addext",
            "extendedKeyUsage=critical,timeStamping",
        ]);
        authority
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(self.folder.path()).output().expect("openssl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn reply(&self, query: &[u8]) -> Vec<u8> {
        fs::write(self.path("query.tsq"), query).expect("a query");
        self.run(&["ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr"]);
        fs::read(self.path("reply.tsr")).expect("a reply")
    }

    /// The good pack with this many time-stamps.
    fn stamped(&self, count: usize) -> Good {
        let mut asks: Vec<_> = (0..count).map(|_| |query: &[u8]| Ok(self.reply(query))).collect();
        let key = key();
        let mut request = request(&key);
        for (index, ask) in asks.iter_mut().enumerate() {
            request.authorities.push(Authority { name: "test".to_owned(), nonce: [index as u8; 8], ask });
        }
        Good::sealed_with(request)
    }
}

/// Every file below a folder with its bytes, sorted.
fn all_bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).expect("a file");
                files.push((path.strip_prefix(folder).expect("inside").to_owned(), bytes));
            }
        }
    }
    files.sort();
    files
}
