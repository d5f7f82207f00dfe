//! Prints the completions for a shell.

use clap_complete::Shell;

use crate::cli::App;
use crate::cli::args;
use crate::cli::complete::scripts;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::help;

/// Prints the completions for a shell.
pub fn execute(app: &App, args: args::Completions) -> Result<ExitStatus, CliError> {
    let asks = match args.shell {
        Shell::Bash => Some(scripts::BASH),
        Shell::Zsh => Some(scripts::ZSH),
        Shell::Fish => Some(scripts::FISH),
        // The others get the names of commands and options, and none of specs.
        _ => None,
    };
    if let Some(script) = asks {
        app.printer.answer(script)?;
        return Ok(ExitStatus::Done);
    }
    // Written whole, so that a reader that goes away is noticed by the printer and nobody else.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(), "cco", &mut script);
    app.printer.answer(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Done)
}
