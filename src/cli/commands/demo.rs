//! Runs a small example project.

use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};

/// Runs a small example project.
pub fn execute(_app: &App, _args: args::Demo) -> Result<ExitStatus, CliError> {
    Err(CliError::internal(anyhow::anyhow!("`demo` is not built yet")))
}
