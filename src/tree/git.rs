//! The one door to git: every call names its directory, runs no hooks, signs nothing, asks nobody, and makes durable
//! what it writes.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Why a git call did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no git.
    #[error("cannot run `git`: it was not found\nhelp: install git, or run with `--isolation shared`")]
    Missing,
    /// It cannot be started.
    #[error("cannot run `{program}`: {error}")]
    NotStarted {
        /// What was started.
        program: String,
        /// Why not.
        error: std::io::Error,
    },
    /// It said no.
    #[error("`git {call}` failed in `{dir}`: {message}")]
    Refused {
        /// The arguments, without the settings that every call gets.
        call: String,
        /// Where.
        dir: PathBuf,
        /// What it said.
        message: String,
    },
}

/// Settings of every call. Hooks and the file monitor run programs that the tree's owner chose, and an agent may own
/// the tree; git syncs nothing by default, and a commit must be durable before the record that names it.
const SETTINGS: [&str; 6] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.fsync=committed,loose-object,reference",
    "commit.gpgSign=false",
    "gc.auto=0",
    "advice.detachedHead=false",
];

/// Git, as it is run everywhere in this program.
#[derive(Debug, Clone)]
pub struct Git {
    environment: Arc<[(OsString, OsString)]>,
    mark: (OsString, OsString),
}

impl Git {
    /// Git with `environment` and nothing else of ours; `mark` names and carries the run's mark.
    pub fn new(environment: Arc<[(OsString, OsString)]>, mark: (OsString, OsString)) -> Self {
        Self { environment, mark }
    }

    /// Runs `git ARGS` in `dir` and gives its output without the last line end.
    ///
    /// # Errors
    /// See [`GitError`]; its own words are in it.
    pub fn run<A: AsRef<OsStr>>(&self, dir: &Path, args: &[A]) -> Result<String, GitError> {
        self.run_with(dir, args, &[])
    }

    /// As [`Git::run`], with further environment variables (another index, an identity).
    ///
    /// # Errors
    /// As [`Git::run`].
    #[expect(clippy::disallowed_methods, reason = "the one door to git")]
    pub fn run_with<A: AsRef<OsStr>>(
        &self,
        dir: &Path,
        args: &[A],
        environment: &[(&str, &OsStr)],
    ) -> Result<String, GitError> {
        let mut command = Command::new("git");
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env(&self.mark.0, &self.mark.1);
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
        command.envs(environment.iter().copied());
        command.arg("-C").arg(dir);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(args).stdin(Stdio::null());
        let output = command.output().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => GitError::Missing,
            _ => GitError::NotStarted { program: "git".to_owned(), error },
        })?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        let call: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect();
        let said = text(&output.stderr);
        let message = if said.is_empty() { output.status.to_string() } else { said };
        Err(GitError::Refused { call: call.join(" "), dir: dir.to_owned(), message })
    }

    /// As [`Git::run`], where a refusal is an answer: none then.
    ///
    /// # Errors
    /// Only when git cannot be started.
    pub fn ask<A: AsRef<OsStr>>(&self, dir: &Path, args: &[A]) -> Result<Option<String>, GitError> {
        match self.run(dir, args) {
            Ok(text) => Ok(Some(text)),
            Err(GitError::Refused { .. }) => Ok(None),
            Err(error @ (GitError::Missing | GitError::NotStarted { .. })) => Err(error),
        }
    }
}
