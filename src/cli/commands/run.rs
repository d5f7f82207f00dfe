//! Runs a spec, or carries on where the last run stopped.

use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};

/// Runs a spec, or carries on where the last run stopped.
pub fn execute(_app: &App, _args: args::Run) -> Result<ExitStatus, CliError> {
    Err(CliError::internal(anyhow::anyhow!("`run` is not built yet")))
}
