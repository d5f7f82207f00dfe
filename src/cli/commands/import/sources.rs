//! The files that are imported.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};

use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};
use crate::fsx;
use crate::import::{self, Dialect, Source};
use crate::text::printable;

/// What spec-kit puts beside its tasks.
const BESIDE: [&str; 2] = ["plan.md", "spec.md"];

/// The files, read.
pub(super) struct Sources(Vec<(String, String)>);

impl Sources {
    /// Reads the files that were named, and what belongs to them.
    pub(super) fn read(app: &App, args: &args::Import) -> Result<Self, CliError> {
        let mut paths: Vec<PathBuf> = args.files.clone();
        if args.from == Dialect::Speckit {
            for path in beside(app, &args.files) {
                app.printer.note(format!("`{}` is read too", printable(&path.to_string_lossy())));
                paths.push(path);
            }
        }
        let texts = paths.iter().map(|path| {
            let name = path.display().to_string();
            let text = read(&app.environment.cwd.join(path), path, &name)?;
            Ok((name, text))
        });
        texts.collect::<Result<_, CliError>>().map(Self)
    }

    /// As the importer takes them.
    pub(super) fn list(&self) -> Vec<Source<'_>> {
        self.0.iter().map(|(name, text)| Source { name, text }).collect()
    }

    /// How a file is called.
    pub(super) fn name(&self, source: usize) -> &str {
        self.0.get(source).map_or("", |(name, _)| name)
    }
}

/// The plan and the specification beside the tasks, each once, where they were not named.
fn beside(app: &App, files: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in files {
        for path in BESIDE.iter().map(|name| file.with_file_name(name)) {
            if app.environment.cwd.join(&path).is_file() && !files.contains(&path) && !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}

fn read(path: &Path, given: &Path, name: &str) -> Result<String, CliError> {
    let shown = printable(name).into_owned();
    if path.is_dir() {
        let tasks = given.join("tasks.md");
        return Err(CliError::usage(format!("`{shown}` is a directory"))
            .hint(format!("name the file with the tasks, such as `{}`", printable(&tasks.to_string_lossy()))));
    }
    let bytes = fsx::read_regular(path, import::MAX_BYTES).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => CliError::usage(format!("`{shown}` does not exist"))
            .hint("name the file with the tasks; `cco import --help` shows where each tool keeps it"),
        std::io::ErrorKind::InvalidInput => {
            CliError::new(ExitStatus::InvalidSpec, anyhow!("{}", printable(&error.to_string())))
        }
        _ => CliError::environment(anyhow::Error::new(error).context(format!("cannot read `{shown}`"))),
    })?;
    import::decode(name, bytes)
        .with_context(|| format!("cannot import `{shown}`"))
        .map_err(|error| CliError::new(ExitStatus::InvalidSpec, error))
}
