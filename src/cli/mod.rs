//! The command line: gather, call, print.

use std::ffi::OsString;

/// Runs the program and returns its exit status.
pub fn main() -> std::process::ExitCode {
    // Before anything else: the simulated agent takes claude's options, not ours, and must start fast.
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let [first, rest @ ..] = args.as_slice()
        && first == "agent-sim"
    {
        return crate::agent::sim::main(rest);
    }
    std::process::ExitCode::SUCCESS
}
