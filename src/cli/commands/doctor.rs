//! Looks at what cco needs.

use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};

/// Looks at what cco needs.
pub fn execute(_app: &App, _args: args::Doctor) -> Result<ExitStatus, CliError> {
    Err(CliError::internal(anyhow::anyhow!("`doctor` is not built yet")))
}
