//! The command line: one file a command. The only part that prints and that reads clock, environment and arguments.
//!
//! Exit codes: 0 clean, 1 exceptions found or the pack does not verify, 2 wrong use or configuration,
//! 3 incomplete, 4 our fault. Exceptions win over incomplete, and the last line says both.

mod access;
mod args;
mod assess;
mod attach;
mod collect;
mod config;
mod context;
mod coverage;
mod declared;
mod demo;
mod derive;
mod diff;
mod doctor;
mod error;
mod explain;
mod fields;
mod init;
mod job;
mod key;
mod list;
mod pages;
mod personal;
mod probe;
mod progress;
mod readme;
mod register;
mod reperform;
mod resume;
mod role;
mod run;
mod seal;
mod stamp;
mod summary;
mod terminal;
mod text;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Args, Command};
pub use error::CliError;
use terminal::Terminal;

/// Ends of a command that are not errors, as exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing to report.
    Clean = 0,
    /// Exceptions, a pack that does not verify, or a re-performance that differs.
    Exceptions = 1,
    /// Something could not be read or judged.
    Incomplete = 3,
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let terminal = Terminal::new(args.quiet, args.format, args.color);
    let refusal = args.format.refusal().filter(|_| !args.command.further_formats().contains(&args.format));
    if let Some(refusal) = refusal {
        let error = CliError::Use(refusal.to_owned());
        terminal.error(&error.to_string());
        return ExitCode::from(error.exit_code());
    }
    let ended = match &args.command {
        Command::Demo(options) => demo::run(options, &args, &terminal),
        Command::Init(options) => init::run(options, &args, &terminal),
        Command::Role(options) => role::run(options, &args, &terminal),
        Command::Doctor(options) => doctor::run(options, &args, &terminal),
        Command::Collect(options) => collect::run(options, &args, &terminal),
        Command::Assess(options) => assess::run(options, &args, &terminal),
        Command::Coverage(options) => coverage::run(options, &args, &terminal),
        Command::Diff(options) => diff::run(options, &terminal),
        Command::Access(options) => access::run(options, &args, &terminal),
        Command::Seal(options) => seal::run(options, &args, &terminal),
        Command::Run(options) => run::run(options, &args, &terminal),
        Command::Verify(options) => verify::run(options, &terminal),
        Command::Reperform(options) => reperform::run(options, &terminal),
        Command::Register { command } => register::run(command, &args, &terminal),
        Command::Probe(options) => probe::run(options, &args, &terminal),
        Command::Attach(options) => attach::run(options, &args, &terminal),
        Command::Explain(options) => explain::run(options, &args, &terminal),
        Command::List(options) => list::run(options, &args, &terminal),
        Command::Pseudonyms { command } => personal::run(command, &args, &terminal),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "tickmark", &mut text);
            terminal.raw(&text).map(|()| End::Clean)
        }
    };
    match ended {
        Ok(end) => ExitCode::from(end as u8),
        Err(error) => {
            terminal.error(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}
