//! What must not be shown: gathered from the environment, the checks' own variables, and the files that are copied.

use std::io::ErrorKind;

use anyhow::Context as _;

use super::App;
use super::error::CliError;
use crate::fsx;
use crate::redact::{Redactor, Secrets};
use crate::spec::load::Spec;

/// The largest copied file that is looked through, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The redactor of a spec; without one, of the environment alone. Files are taken as they are now. One that is there
/// and cannot be read is a warning: what it holds may be shown.
///
/// # Errors
/// There is more than can be looked for.
pub fn redactor(app: &App, spec: Option<&Spec>) -> Result<Redactor, CliError> {
    let mut secrets = Secrets::new();
    for (name, value) in &app.environment.vars {
        secrets.add_variable(&name.to_string_lossy(), &value.to_string_lossy());
    }
    if let Some(spec) = spec {
        for (name, value) in spec.manifest.checks().flat_map(|check| &check.env) {
            secrets.add_variable(name, value);
        }
        for file in &spec.manifest.execution.copy {
            match fsx::read_regular(&spec.work_dir.join(&file.path), LARGEST) {
                Ok(bytes) => secrets.add_env_file(&file.path, &String::from_utf8_lossy(&bytes)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => app.printer.warning(format!("what it holds is not redacted: {error}")),
            }
        }
    }
    Redactor::new(secrets).context("cannot look for so many secrets").map_err(CliError::environment)
}
