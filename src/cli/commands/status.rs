//! Shows how far a spec has come.

use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};

/// Shows how far a spec has come.
pub fn execute(_app: &App, _args: args::Status) -> Result<ExitStatus, CliError> {
    Err(CliError::internal(anyhow::anyhow!("`status` is not built yet")))
}
