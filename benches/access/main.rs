//! How long the question takes who can do what, beside reading the evidence that answers it.
//!
//! `cargo bench --bench access -- [subscriptions…]`, by default 6, 12, 25 and 50.
//!
//! Each size is made by one process and measured by another, so that what is told is the measured one's alone. Seconds
//! are CPU seconds; the program uses one thread.

#![allow(missing_docs, clippy::print_stdout, clippy::print_stderr, clippy::expect_used, clippy::panic)]

mod kept;
mod tenant;

use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use tickmark::access::{Access, Capability};
use tickmark::evidence::Capture;
use tickmark::model::{self, Id};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--make", folder, subscriptions] => make(Path::new(folder), number(subscriptions)),
        ["--measure", folder] => measure(Path::new(folder)),
        [] => compare(&[6, 12, 25, 50]),
        sizes => compare(&sizes.iter().map(|size| number(size)).collect::<Vec<_>>()),
    }
}

fn compare(sizes: &[usize]) {
    println!(
        "| subscriptions | vaults | assignments | MB of answers | read s | put in order s | readers s | whole matrix s | \
         grants | one answer ms | peak MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for size in sizes {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("UTF-8");
        let megabytes = run(&["--make", path, &size.to_string()]);
        let costs = run(&["--measure", path]);
        println!("| {size} | {} | {} | {megabytes} | {costs} |", size * 100, size * 2_000);
    }
}

/// This program again, in a process of its own; gives its one line.
fn run(args: &[&str]) -> String {
    let own = std::env::current_exe().expect("this program");
    let output = Command::new(own).args(args).stderr(Stdio::inherit()).output().expect("it runs");
    assert!(output.status.success(), "{args:?} ended with {}", output.status);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn make(folder: &Path, subscriptions: usize) {
    let mut kept = kept::Kept::at(folder);
    tenant::keep(&mut kept, subscriptions);
    println!("{:.1}", kept.bytes as f64 / 1e6);
}

fn measure(folder: &Path) {
    let capture = Capture::open_with_head(folder, kept::head()).expect("a capture");
    let (read, tenant) = timed(|| model::read(&capture).expect("a tenant"));
    let (ordered, access) = timed(|| Access::of(&tenant));
    let can_read = |vault: &Id| access.can(vault, Capability::ReadSecret).len();
    let (readers, some) = timed(|| tenant.vaults.iter().map(|vault| can_read(&vault.id)).sum::<usize>());
    let (matrix, grants) = timed(|| tenant.vaults.iter().map(|vault| access.on(&vault.id).len()).sum::<usize>());
    let vault = Id::new(tenant::vault_id(0, 0));
    let (why, words) = timed(|| {
        let grants = access.of_principal(&vault, tenant::SOMEBODY);
        let paths = grants.iter().flat_map(|grant| &grant.paths);
        paths.map(|path| (path.words(), access.evidence(&vault, path).len())).collect::<Vec<_>>()
    });
    assert!(grants > 0 && some > 0 && !words.is_empty(), "somebody holds something");
    let peak = getrusage(UsageWho::RUSAGE_SELF).expect("its costs").max_rss() as f64 / 1024.0;
    println!("{read:.2} | {ordered:.2} | {readers:.2} | {matrix:.2} | {grants} | {:.1} | {peak:.0}", why * 1e3);
}

/// CPU seconds, and what came of it.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let before = cpu();
    let done = work();
    (cpu() - before, done)
}

fn cpu() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("its costs");
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is not a number"))
}
