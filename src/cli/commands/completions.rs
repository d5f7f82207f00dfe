//! Prints the completions for a shell.

use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::help;

/// Prints the completions for a shell.
pub fn execute(app: &App, args: args::Completions) -> Result<ExitStatus, CliError> {
    // Written whole, so that a reader that goes away is noticed by the printer and nobody else.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(), "cco", &mut script);
    app.printer.answer(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Done)
}
