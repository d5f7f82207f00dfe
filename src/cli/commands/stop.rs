//! Stops the live run of a spec.

use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};

/// Stops the live run of a spec.
pub fn execute(_app: &App, _args: args::Stop) -> Result<ExitStatus, CliError> {
    Err(CliError::internal(anyhow::anyhow!("`stop` is not built yet")))
}
