//! What every command works with.

use super::error::{CliError, ExitStatus};
use super::output::Printer;
use super::settings::{Environment, Layer, Layers, Origin, Settings};
use crate::diagnostic;
use crate::spec::catalog::{Catalog, Entry};
use crate::spec::load::{self, LoadError, Spec};

/// How many problems of a spec are shown by a command that they stop.
const PROBLEMS: usize = 100;

/// Gathered once, before a command begins.
pub struct App {
    /// What the process was given.
    pub environment: Environment,
    /// Who set what, so far as it is known without a spec.
    pub layers: Layers,
    /// The way to the user.
    pub printer: Printer,
}

impl App {
    /// Who the user is, for records: the login name.
    pub fn login(&self) -> String {
        let name = ["USER", "LOGNAME"].into_iter().find_map(|name| self.environment.var(name));
        let name = name.map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()))
    }

    /// The spec store.
    ///
    /// # Errors
    /// Nobody named one and there is no home directory.
    pub fn catalog(&self) -> Result<Catalog, CliError> {
        let root = self.layers.resolve().store_root(&self.environment)?;
        Ok(Catalog::new(root, self.environment.home.clone()))
    }

    /// The spec that `reference` means; without one, the spec of the current directory.
    ///
    /// # Errors
    /// Every way in which that is not exactly one spec.
    pub fn find_spec(&self, reference: Option<&str>) -> Result<Entry, CliError> {
        let (catalog, cwd) = (self.catalog()?, &self.environment.cwd);
        Ok(match reference {
            Some(reference) => catalog.find(reference, cwd)?,
            None => catalog.find_here(cwd)?,
        })
    }

    /// Loads a spec to work with it. What is wrong with it goes to stderr.
    ///
    /// # Errors
    /// It is invalid (65), or its work directory is missing (7).
    pub fn load_spec(&self, entry: &Entry) -> Result<Spec, CliError> {
        let error = match load::load(&entry.path) {
            Ok(spec) => return Ok(spec),
            Err(error) => error,
        };
        match &error {
            LoadError::Invalid(report) => {
                let (problems, left) = diagnostic::shown(&report.diagnostics, PROBLEMS);
                for problem in problems {
                    self.printer.say(&diagnostic::render(problem, &report.source, true));
                }
                if left > 0 {
                    self.printer.note(format!("{left} more; `cco validate` shows them"));
                }
                let again = format!("mend it, then `cco validate {}`", self.called(entry)?);
                Err(CliError::new(ExitStatus::InvalidSpec, error).hint(again))
            }
            LoadError::NoWorkDir(_) => Err(CliError::environment(error).hint("create it, or correct `work_dir`")),
        }
    }

    /// What holds for a spec: every place that sets something, its manifest and `flags` included.
    ///
    /// # Errors
    /// The work directory's own file cannot be read or understood, or a value is out of bounds.
    pub fn settings_for(&self, spec: &Spec, flags: Layer) -> Result<Settings, CliError> {
        let mut layers = self.layers.clone();
        layers.add_project(&spec.work_dir)?;
        layers.add(Origin::Manifest, Layer::from_manifest(&spec.manifest))?;
        layers.add(Origin::Flag, flags)?;
        Ok(layers.resolve())
    }
}
