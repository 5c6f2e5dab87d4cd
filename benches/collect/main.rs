//! How much a run costs beside fetching the same pages and throwing them away.
//!
//! `cargo bench --bench collect -- [small] [medium] [large] [logs] [logs1m] [--latency 20] [--times 3]`
//!
//! The server is a process of its own, and so is every measured client, so that CPU time and memory are the
//! client's alone; the system tells them when the client has ended. The floor is this program again, as a client
//! that does nothing with what it gets.

#![allow(missing_docs, clippy::print_stdout, clippy::print_stderr, clippy::expect_used, clippy::panic)]

mod floor;
mod measure;
mod server;
mod tenant;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use measure::Cost;
use tenant::{SIZES, Size};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--serve", size, latency] => server::serve(named(size), Duration::from_millis(number(latency))),
        ["--measure", program, rest @ ..] => measure::run(program, rest),
        ["--floor", base] => floor::fetch(base),
        _ => compare(&words),
    }
}

/// What the command line asks for: sizes, and for each the costs side by side.
fn compare(words: &[&str]) {
    let (mut sizes, mut latency, mut times) = (Vec::new(), "0", 1);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--latency" => latency = rest.next().expect("milliseconds"),
            "--times" => times = number(rest.next().expect("a number")),
            size => sizes.push(named(size)),
        }
    }
    if sizes.is_empty() {
        sizes.push(named("small"));
    }
    println!("| tenant | latency | what | wall s | CPU s | peak MB | requests | pages | MB |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for size in sizes {
        let server = Server::start(size, latency);
        for _ in 0..times {
            let folder = tempfile::tempdir().expect("a folder");
            prepare(folder.path(), &server.base);
            let line = |what: &str, cost: Cost, with: (u64, usize, f64)| {
                let (requests, pages, size_mb) = with;
                println!(
                    "| {} | {latency} ms | {what} | {:.2} | {:.2} | {:.0} | {requests} | {pages} | {size_mb:.1} |",
                    size.name, cost.wall, cost.cpu, cost.peak
                );
            };
            let collect = client(folder.path(), &["--quiet", "collect"]);
            line("collect", collect, server.seen());
            expect_answers(folder.path());
            // the pages that were asked for are known now
            let floor = measure::child(&own(), &["--floor", &server.base], folder.path());
            line("floor", floor, server.seen());
            server.reset();
            line("assess", client(folder.path(), &["--quiet", "assess"]), server.seen());
            line("coverage", client(folder.path(), &["--quiet", "coverage"]), server.seen());
            line("run", client(folder.path(), &["--quiet", "run"]), server.seen());
            server.reset();
        }
    }
}

fn client(folder: &Path, args: &[&str]) -> Cost {
    measure::child(env!("CARGO_BIN_EXE_tickmark"), args, folder)
}

/// Every question has its answer, but for those about the legacy log table: the tenant has everything that is asked for.
fn expect_answers(folder: &Path) {
    let captures = std::fs::read_dir(folder.join("tickmark-store/captures")).expect("captures").flatten();
    let records = captures.filter_map(|capture| std::fs::read_dir(capture.path().join("evidence")).ok()).flatten();
    for record in records.flatten() {
        let text = std::fs::read(record.path().join("ipe.json")).expect("a record");
        let record: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let is_legacy = record["kind"].as_str().is_some_and(|kind| kind.contains("legacy"));
        let gap = &record["gap"];
        assert!(gap.is_null() || is_legacy, "{} at {}: {gap}", record["kind"], record["scope"]);
    }
}

/// A configuration that points at the server, and a key.
fn prepare(folder: &Path, base: &str) {
    let init = ["--quiet", "init", "--organisation", "Bench", "--system", "Synthetic", "--tenant", tenant::TENANT];
    let made = Command::new(env!("CARGO_BIN_EXE_tickmark")).args(init).current_dir(folder).envs(ENVIRONMENT).output();
    let made = made.expect("it runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = format!(
        "[organisation]\nname = \"Bench\"\nsystem = \"Synthetic\"\n\n[azure]\ncloud = \"custom\"\ntenant_id = \"{}\"\n\
         credential = \"token\"\n\n[azure.endpoints]\nauthority = \"{base}/login\"\nresource_manager = \"{base}/arm\"\n\
         graph = \"{base}/graph\"\nlog_analytics = \"{base}/logs\"\n\n[period]\ndefault = \"2026Q3\"\n\n\
         [signing]\nkey = \"keys/tickmark.p8\"\n",
        tenant::TENANT
    );
    std::fs::write(folder.join("tickmark.toml"), text).expect("written");
}

/// What a client is started with.
pub const ENVIRONMENT: [(&str, &str); 2] = [("TICKMARK_TOKEN", "bench"), ("TICKMARK_KEY_PASSPHRASE", "bench")];

struct Server {
    process: Child,
    base: String,
}

impl Server {
    fn start(size: Size, latency: &str) -> Server {
        let mut process = Command::new(own())
            .args(["--serve", size.name, latency])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut base = String::new();
        let out = process.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut base).expect("its address");
        Server { process, base: base.trim().to_owned() }
    }

    /// Requests, how many of them were different, and megabytes of answers.
    fn seen(&self) -> (u64, usize, f64) {
        let seen = floor::seen(&self.base);
        let megabytes = seen["bytes"].as_f64().unwrap_or(0.0) / 1e6;
        (seen["requests"].as_u64().unwrap_or(0), seen["pages"].as_array().map_or(0, Vec::len), megabytes)
    }

    fn reset(&self) {
        floor::get(&format!("{}/_reset", self.base));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn own() -> String {
    std::env::current_exe().expect("this program").display().to_string()
}

fn named(name: &str) -> Size {
    *SIZES.iter().find(|size| size.name == name).unwrap_or_else(|| panic!("no size is named `{name}`"))
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is not a number"))
}
