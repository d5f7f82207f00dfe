//! Answers a question that a run has put.

use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};

/// Answers a question that a run has put.
pub fn execute(_app: &App, _args: args::Answer) -> Result<ExitStatus, CliError> {
    Err(CliError::internal(anyhow::anyhow!("`answer` is not built yet")))
}
