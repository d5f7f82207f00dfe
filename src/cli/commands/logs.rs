//! Shows what agents and checks have put out.

use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};

/// Shows what agents and checks have put out.
pub fn execute(_app: &App, _args: args::Logs) -> Result<ExitStatus, CliError> {
    Err(CliError::internal(anyhow::anyhow!("`logs` is not built yet")))
}
