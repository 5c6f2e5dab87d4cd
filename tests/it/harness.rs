//! The built binary in a folder of its own, with an empty environment.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use chrono::{SecondsFormat, TimeDelta};
use serde_json::Value;
use tickmark::azure::Recording;

/// A folder in which commands run.
pub struct Bench {
    folder: tempfile::TempDir,
    environment: BTreeMap<String, String>,
}

/// What a command did.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Bench {
    pub fn new() -> Bench {
        Bench { folder: tempfile::tempdir().expect("a folder"), environment: BTreeMap::new() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Bench {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn write(&self, below: &str, text: &str) {
        fs::write(self.path(below), text).expect("written");
    }

    pub fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
    }

    pub fn json(&self, below: &str) -> Value {
        serde_json::from_str(&self.read(below)).expect("JSON")
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(env!("CARGO_BIN_EXE_tickmark")).args(args).output().expect("the binary runs"))
    }

    /// Starts the binary and does not wait for it.
    pub fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(env!("CARGO_BIN_EXE_tickmark"));
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
    }

    /// Runs a script of the shell, in which `$TICKMARK` is the binary.
    pub fn shell(&self, script: &str) -> Ran {
        let mut command = self.command("/bin/sh");
        command.env("TICKMARK", env!("CARGO_BIN_EXE_tickmark")).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        Ran::of(command.args(["-c", script]).output().expect("a shell"))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_clear().envs(&self.environment);
        command
    }

    /// A demo of a recorded tenant in `demo/`; its pack is `demo/pack`.
    pub fn demo(&self, tenant: &str) -> Ran {
        let recording = tenant_folder(tenant);
        self.run(&["--quiet", "demo", "--out", "demo", "--replay", &recording.display().to_string()])
    }

    /// `demo/pack/results.json`.
    pub fn results(&self) -> Value {
        self.json("demo/pack/results.json")
    }

    /// Every file below a folder: path → bytes.
    pub fn files(&self, below: &str) -> BTreeMap<String, Vec<u8>> {
        let root = self.path(below);
        let mut files = BTreeMap::new();
        walk(&root, &mut |path| {
            let name = path.strip_prefix(&root).expect("below").display().to_string();
            files.insert(name, fs::read(path).expect("a file"));
        });
        files
    }
}

impl Ran {
    pub fn of(output: Output) -> Ran {
        Ran {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// The request as it was recorded. The activity log is asked for the last 90 days, which a live clock shifts.
pub fn as_recorded(url: &str, recording: &Recording) -> String {
    const FROM: &str = "$filter=eventTimestamp%20ge%20%27";
    let Some((before, rest)) = url.split_once(FROM) else { return url.to_owned() };
    let reach = recording.head().recorded_at - TimeDelta::days(90) + TimeDelta::hours(2);
    let since = reach.to_rfc3339_opts(SecondsFormat::Secs, true).replace(':', "%3A");
    format!("{before}{FROM}{since}{}", &rest[rest.find("%27").unwrap_or(0)..])
}

pub fn tenant_folder(tenant: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tenants").join(tenant)
}

/// A part of the folder of reference material; where it is not there, that is said past the harness, which swallows
/// what a test prints.
pub fn shared(below: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("TICKMARK_SHARED").map_or_else(|| root.join("../shared"), |path| root.join(path));
    let part = folder.join(below);
    if part.exists() {
        return Some(part);
    }
    let words = format!("SKIPPED: `{}` is not there; set TICKMARK_SHARED\n", part.display());
    std::io::stderr().write_all(words.as_bytes()).expect("stderr");
    None
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}

/// The findings of one check in `results.json`: (subject name, outcome), sorted.
pub fn findings(results: &Value, check: &str) -> Vec<(String, String)> {
    let all = results["findings"].as_array().expect("findings");
    let mut found: Vec<(String, String)> = all
        .iter()
        .filter(|finding| finding["check"] == check)
        .map(|finding| {
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            (text(&finding["subject"]["name"]), text(&finding["outcome"]))
        })
        .collect();
    found.sort();
    found
}
