//! Draws the components and what they depend on.

use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};

/// Draws the components and what they depend on.
pub fn execute(_app: &App, _args: args::Graph) -> Result<ExitStatus, CliError> {
    Err(CliError::internal(anyhow::anyhow!("`graph` is not built yet")))
}
