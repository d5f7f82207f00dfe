//! Where Claude Code looks for slash commands and skills: the user's directory, or a project's `.claude`.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::cli::App;
use crate::cli::args::Scope;
use crate::cli::error::{CliError, ExitStatus};
use crate::text::printable;

/// The directory in a project, and in the home directory.
const CLAUDE: &str = ".claude";
/// The slash command's file, below the directory.
pub const SPEC_COMMAND: &str = "commands/spec.md";

/// A directory that Claude Code reads.
pub struct Place {
    /// The directory; it need not exist.
    pub dir: PathBuf,
    /// The project that it must stay in.
    within: Option<PathBuf>,
}

impl Place {
    /// That of `scope`, for the current directory.
    ///
    /// # Errors
    /// There is no home directory.
    pub fn of(app: &App, scope: Scope) -> Result<Self, CliError> {
        match scope {
            Scope::User => match users(app) {
                Some(dir) => Ok(Self { dir, within: None }),
                None => Err(CliError::environment(anyhow!("there is no home directory"))
                    .hint("set HOME or CLAUDE_CONFIG_DIR, or install for one project: `--scope project`")),
            },
            Scope::Project => {
                let root = project(&app.environment.cwd);
                Ok(Self { dir: root.join(CLAUDE), within: Some(root) })
            }
        }
    }

    /// Refuses where a link on the way to the files leads nowhere, or out of the project; tells where one leads elsewhere.
    ///
    /// # Errors
    /// As said.
    pub fn check(&self, app: &App, files: impl Iterator<Item = PathBuf>) -> Result<(), CliError> {
        let mut dirs = BTreeSet::new();
        for file in files {
            dirs.extend(file.ancestors().skip(1).take_while(|dir| dir.starts_with(&self.dir)).map(Path::to_owned));
        }
        dirs.retain(|dir| dir.symlink_metadata().is_ok_and(|about| about.is_symlink()));
        for dir in dirs {
            let shown = printable(&dir.to_string_lossy()).into_owned();
            let target = fs_err::canonicalize(&dir).map_err(|_| {
                let error = anyhow!("`{shown}` is a symbolic link to what is not there");
                CliError::new(ExitStatus::Environment, error).hint("make what it leads to, or remove the link")
            })?;
            let leaves = |root: &PathBuf| fs_err::canonicalize(root).is_ok_and(|root| !target.starts_with(root));
            let led = printable(&target.to_string_lossy()).into_owned();
            if self.within.as_ref().is_some_and(leaves) {
                let error = anyhow!("`{shown}` is a symbolic link that leads out of the project, to `{led}`");
                return Err(CliError::new(ExitStatus::Environment, error)
                    .hint("remove the link, or install for yourself: `--scope user`"));
            }
            app.printer.note(format!("`{shown}` is a symbolic link: the files are in `{led}`"));
        }
        Ok(())
    }

    /// The error of what cannot be written or removed here. One message, and a remedy that fits.
    pub fn refused(&self, error: io::Error) -> CliError {
        let shown = printable(&self.dir.to_string_lossy()).into_owned();
        let other = if self.within.is_some() { "--scope user" } else { "--scope project" };
        CliError::new(ExitStatus::Environment, anyhow!(error).context(format!("cannot write into `{shown}`")))
            .hint(format!("make it writable for yourself, or install elsewhere: `{other}`"))
    }
}

/// The user's directory, as Claude Code finds it.
fn users(app: &App) -> Option<PathBuf> {
    let environment = &app.environment;
    match environment.var("CLAUDE_CONFIG_DIR") {
        Some(dir) => Some(environment.cwd.join(dir)),
        None => Some(environment.home.as_ref()?.join(CLAUDE)),
    }
}

/// The project of a directory: the root of its repository, else the directory itself.
fn project(dir: &Path) -> PathBuf {
    let root = dir.ancestors().find(|dir| dir.join(".git").symlink_metadata().is_ok());
    root.unwrap_or(dir).to_owned()
}

/// The `/spec` that a claude in `dir` would find: the user's, else that of the directory or one above it.
pub fn find_spec_command(app: &App, dir: &Path) -> Option<PathBuf> {
    let above = dir.ancestors().map(|dir| dir.join(CLAUDE));
    users(app).into_iter().chain(above).map(|dir| dir.join(SPEC_COMMAND)).find(|file| file.is_file())
}
