//! What a process costs, as the system tells when it has ended.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

/// Wall and CPU seconds, and the most memory that was held at a time.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub wall: f64,
    pub cpu: f64,
    pub peak: f64,
}

/// Runs a program below a process of its own, because the system adds up the costs of all children of one.
pub fn child(program: &str, args: &[&str], folder: &Path) -> Cost {
    let output = Command::new(super::own())
        .arg("--measure")
        .arg(program)
        .args(args)
        .current_dir(folder)
        .envs(super::ENVIRONMENT)
        .stderr(Stdio::inherit())
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    match numbers.as_slice() {
        [wall, cpu, peak] => Cost { wall: *wall, cpu: *cpu, peak: *peak },
        _ => panic!("no costs of {program} {args:?}: {text}"),
    }
}

/// The process in between: runs the program and prints what it cost.
pub fn run(program: &str, args: &[&str]) {
    let start = Instant::now();
    let status = Command::new(program).args(args).stdout(Stdio::null()).status().expect("it runs");
    let wall = start.elapsed().as_secs_f64();
    // 1 and 3 are results: exceptions were found, or something could not be read
    assert!(matches!(status.code(), Some(0 | 1 | 3)), "{program} {args:?} ended with {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("its costs");
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let cpu = seconds(usage.user_time()) + seconds(usage.system_time());
    println!("{wall} {cpu} {}", usage.max_rss() as f64 / 1024.0);
}
