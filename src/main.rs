//! The `tickmark` command: hands the process's arguments, environment and clock to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    tickmark::cli::main()
}
