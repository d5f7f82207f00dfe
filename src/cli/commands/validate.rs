//! todo
use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};

/// todo
pub fn execute(_app: &App, _args: args::Validate) -> Result<ExitStatus, CliError> {
    Err(CliError::internal(anyhow::anyhow!("`validate` is not built yet")))
}
