//! The one door to git: every call names its directory, runs no hooks, signs nothing, asks nobody, and makes durable
//! what it writes.

use std::ffi::{OsStr, OsString};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;

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
    /// It said something that is not what this program knows; taking it for nothing would hide a change.
    #[error("`git {call}` gave an answer that cannot be read: {said}\nhelp: use another version of git")]
    Unclear {
        /// What was called.
        call: &'static str,
        /// The part that is not understood.
        said: String,
    },
}

/// Settings of every call. Hooks and the file monitor run programs that the tree's owner chose, and an agent may own
/// the tree; git syncs nothing by default, and a commit must be durable before the record that names it; and a submodule is another repository, with settings of its own.
const SETTINGS: [&str; 7] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.fsync=committed,loose-object,reference",
    "commit.gpgSign=false",
    "gc.auto=0",
    "advice.detachedHead=false",
    "submodule.recurse=false",
];

/// What git says when a program that files pass through does not do its work.
const FILTER_FAILED: [&str; 2] = ["smudge filter", "clean filter"];
const INSTALL_FILTER: &str = "\nhelp: install the program that files pass through (`git config --get-regexp filter` \
                              names it; git-lfs for most), or set its `required` to false";

/// Git, as it is run everywhere in this program.
#[derive(Debug, Clone)]
pub struct Git {
    environment: Arc<[(OsString, OsString)]>,
    mark: (OsString, OsString),
    /// What calls get beyond [`SETTINGS`]; of two for the same thing the later one counts.
    settings: Arc<[&'static str]>,
}

impl Git {
    /// Git with `environment` and nothing else of ours; `mark` names and carries the run's mark.
    pub fn new(environment: Arc<[(OsString, OsString)]>, mark: (OsString, OsString)) -> Self {
        Self { environment, mark, settings: Arc::from([]) }
    }

    /// The same git with a further environment variable.
    #[must_use]
    pub(super) fn with(&self, name: &str, value: &OsStr) -> Self {
        let more = [(OsString::from(name), value.to_owned())];
        Self { environment: self.environment.iter().cloned().chain(more).collect(), ..self.clone() }
    }

    /// The same git with further settings.
    #[must_use]
    pub(super) fn set(&self, settings: &[&'static str]) -> Self {
        Self { settings: self.settings.iter().chain(settings).copied().collect(), ..self.clone() }
    }

    /// The same git, told which repository and which work tree are meant: nothing in the directory is asked for them.
    #[must_use]
    pub(super) fn bound(&self, git_dir: &Path, work_tree: &Path) -> Self {
        self.with("GIT_DIR", git_dir.as_os_str()).with("GIT_WORK_TREE", work_tree.as_os_str())
    }

    /// Runs `git ARGS` in `dir` and gives its output without the last line end.
    ///
    /// # Errors
    /// See [`GitError`]; its own words are in it.
    pub fn run<A: AsRef<OsStr>>(&self, dir: &Path, args: &[A]) -> Result<String, GitError> {
        self.bytes(dir, args, &[]).map(|bytes| text(&bytes))
    }

    /// As [`Git::run`], where a refusal is an answer: none then.
    ///
    /// # Errors
    /// Only when git cannot be started.
    pub fn ask<A: AsRef<OsStr>>(&self, dir: &Path, args: &[A]) -> Result<Option<String>, GitError> {
        match self.run(dir, args) {
            Ok(text) => Ok(Some(text)),
            Err(GitError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Runs what makes a commit, in the user's name or, on a machine without an identity, in that of this program: it
    /// must not stop a night's work.
    pub(super) fn signed(&self, dir: &Path, args: &[&str]) -> Result<String, GitError> {
        match self.run(dir, args) {
            Err(GitError::Refused { message, .. })
                if message.contains("user.email") || message.contains("tell me who") =>
            {
                let identity = ["-c", "user.name=cco", "-c", "user.email=cco@localhost"];
                self.run(dir, &[&identity[..], args].concat())
            }
            said => said,
        }
    }

    /// Runs `git ARGS` in `dir` with `input` on its standard input, and gives its output byte by byte as it is.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub(super) fn bytes<A: AsRef<OsStr>>(&self, dir: &Path, args: &[A], input: &[u8]) -> Result<Vec<u8>, GitError> {
        self.first(dir, args, input, u64::MAX).map(|(bytes, _)| bytes)
    }

    /// As [`Git::bytes`], but reads no more than `limit` bytes, and says whether these are all; git is ended where there
    /// are more.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub(super) fn first<A: AsRef<OsStr>>(
        &self,
        dir: &Path,
        args: &[A],
        input: &[u8],
        limit: u64,
    ) -> Result<(Vec<u8>, bool), GitError> {
        let (talk, status) = self.call(dir, args, input, limit)?;
        if status.success() || !talk.whole {
            return Ok((talk.output, talk.whole));
        }
        Err(refused(dir, args, &talk.errors, status))
    }

    /// Runs a command whose exit status 0 or 1 is an answer, yes or no; gives that and the output.
    ///
    /// # Errors
    /// As [`Git::run`], for every other exit status.
    pub(super) fn answer<A: AsRef<OsStr>>(&self, dir: &Path, args: &[A]) -> Result<(bool, Vec<u8>), GitError> {
        let (talk, status) = self.call(dir, args, &[], u64::MAX)?;
        match status.code() {
            Some(code @ (0 | 1)) => Ok((code == 0, talk.output)),
            Some(_) | None => Err(refused(dir, args, &talk.errors, status)),
        }
    }

    fn call<A: AsRef<OsStr>>(
        &self,
        dir: &Path,
        args: &[A],
        input: &[u8],
        limit: u64,
    ) -> Result<(Talk, ExitStatus), GitError> {
        let not_started = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => GitError::Missing,
            _ => GitError::NotStarted { program: "git".to_owned(), error },
        };
        let mut command = self.command(dir, args);
        command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(not_started)?;
        let talk = talk(&mut child, input, limit);
        let status = child.wait().map_err(not_started)?;
        Ok((talk.map_err(not_started)?, status))
    }

    #[expect(clippy::disallowed_methods, reason = "the one door to git")]
    fn command<A: AsRef<OsStr>>(&self, dir: &Path, args: &[A]) -> Command {
        let mut command = Command::new("git");
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env(&self.mark.0, &self.mark.1);
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
        command.arg("-C").arg(dir);
        for setting in SETTINGS.iter().chain(self.settings.iter()) {
            command.args(["-c", setting]);
        }
        command.args(args);
        command
    }
}

/// What a call said.
struct Talk {
    output: Vec<u8>,
    errors: Vec<u8>,
    whole: bool,
}

/// Writes the input and reads both outputs at the same time: each pipe holds little, and git waits for whichever is full.
fn talk(child: &mut Child, input: &[u8], limit: u64) -> std::io::Result<Talk> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        // A git that gives up early does not read on; why it did is in its errors.
        let _writer = stdin.map(|mut pipe| scope.spawn(move || pipe.write_all(input)));
        let errors = scope.spawn(move || {
            let mut bytes = Vec::new();
            stderr.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut bytes)).map(|_| bytes)
        });
        let mut output = Vec::new();
        let read = stdout.map_or(Ok(0), |pipe| pipe.take(limit.saturating_add(1)).read_to_end(&mut output));
        let whole = output.len() as u64 <= limit;
        if read.is_err() || !whole {
            output.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            // Else it would wait for somebody to read on, and its errors would have no end.
            child.kill()?;
        }
        let errors = errors.join().unwrap_or_else(|_| Ok(Vec::new()))?;
        read.map(|_| Talk { output, errors, whole })
    })
}

fn refused<A: AsRef<OsStr>>(dir: &Path, args: &[A], errors: &[u8], status: ExitStatus) -> GitError {
    let call: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect();
    let said = text(errors);
    let mut message = if said.is_empty() { status.to_string() } else { said };
    if FILTER_FAILED.iter().any(|words| message.contains(words)) {
        message.push_str(INSTALL_FILTER);
    }
    GitError::Refused { call: call.join(" "), dir: dir.to_owned(), message }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned()
}
