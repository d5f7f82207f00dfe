//! The command line: gather, call, print.

use crate::process::guard;

/// Runs the program and returns its exit status.
pub fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [command, run_mark] if command == guard::SUBCOMMAND => guard::main(run_mark),
        _ => std::process::ExitCode::SUCCESS,
    }
}
