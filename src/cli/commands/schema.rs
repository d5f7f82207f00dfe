//! Prints the JSON Schema of the manifest.

use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};
use crate::spec::schema;

/// Prints the JSON Schema of the manifest. It is JSON whatever form was asked for, and carries its own version.
pub fn execute(app: &App, _args: args::Schema) -> Result<ExitStatus, CliError> {
    app.printer.answer(&text())?;
    Ok(ExitStatus::Done)
}

/// The schema as a file's content.
pub(super) fn text() -> String {
    format!("{:#}\n", schema::manifest_schema())
}
