//! How a command ends: the exit status, and an error that knows which one it is and what the user can do.

use std::fmt;
use std::process::ExitCode;

use rustix::io::Errno;

use crate::spec::catalog::CatalogError;
use crate::spec::scaffold::ScaffoldError;

/// The exit statuses of `cco`. Their numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done; also: nothing to do, and nobody reads the output any more.
    Done = 0,
    /// Not all components are complete; for `validate`: the spec is invalid.
    Incomplete = 1,
    /// The command line is wrong, or names what is not there.
    Usage = 2,
    /// A question waits for `cco answer`.
    NeedsAnswer = 3,
    /// The budget is used up.
    BudgetUsed = 4,
    /// Another run holds the spec or its work directory.
    Locked = 5,
    /// The usage window is used up, and `--no-wait` was given.
    UsageLimit = 6,
    /// Something that cco needs is missing or refuses: claude, git, a login, a directory that can be written.
    Environment = 7,
    /// A command other than `validate` was stopped by an invalid spec.
    InvalidSpec = 65,
    /// A fault of cco's own.
    Internal = 70,
    /// The journal could not be written.
    Journal = 74,
    /// Ended by an interrupt (Ctrl-C).
    Interrupted = 130,
    /// Ended by a request to terminate.
    Terminated = 143,
}

impl ExitStatus {
    /// Where several hold, the earlier one here is told. `Usage` and `Locked` end a command before it begins, so they
    /// meet no other.
    const PRECEDENCE: [Self; 13] = [
        Self::Interrupted,
        Self::Terminated,
        Self::Journal,
        Self::Internal,
        Self::InvalidSpec,
        Self::Environment,
        Self::UsageLimit,
        Self::Locked,
        Self::BudgetUsed,
        Self::NeedsAnswer,
        Self::Usage,
        Self::Incomplete,
        Self::Done,
    ];

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Of two statuses that both hold, the one to tell.
    pub fn or_worse(self, other: Self) -> Self {
        let told = Self::PRECEDENCE.into_iter().find(|status| *status == self || *status == other);
        told.unwrap_or(self)
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub struct CliError {
    /// The exit status.
    pub exit: ExitStatus,
    /// What failed, on what; the chain says why.
    pub error: anyhow::Error,
    /// What the user can do, each printed on a line of its own.
    pub hints: Vec<String>,
}

impl CliError {
    /// An error that ends the program with `exit`.
    pub fn new(exit: ExitStatus, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into(), hints: Vec::new() }
    }

    /// The command line is wrong, or names what is not there.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(ExitStatus::Usage, anyhow::anyhow!("{message}"))
    }

    /// Something that cco needs is missing or refuses.
    pub fn environment(error: impl Into<anyhow::Error>) -> Self {
        let error = Self::new(ExitStatus::Environment, error);
        match error.refusal().and_then(remedy) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// What the operating system said no with. Those who add the path to an error keep its number only in its words.
    fn refusal(&self) -> Option<Errno> {
        let words = format!("{:#}", self.error);
        let number = words.rsplit_once("(os error ")?.1.split(')').next()?.parse().ok()?;
        Some(Errno::from_raw_os_error(number))
    }

    /// A fault of cco's own.
    pub fn internal(error: impl Into<anyhow::Error>) -> Self {
        Self::new(ExitStatus::Internal, error)
    }

    /// Adds what the user can do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Whether the reader of stdout has gone away, which is no failure: people pipe us into `head`.
    pub fn is_closed_stdout(&self) -> bool {
        self.error.is::<StdoutClosed>()
    }
}

/// What can be done where the system has no more to give.
fn remedy(errno: Errno) -> Option<&'static str> {
    match errno {
        Errno::MFILE | Errno::NFILE => Some("allow more open files: `ulimit -n 1024`"),
        Errno::AGAIN => Some("allow more processes: `ulimit -u`"),
        Errno::NOSPC | Errno::DQUOT => Some("make room on that disk"),
        Errno::ROFS => Some("make that file system writable, or keep specs elsewhere: `--store DIR`"),
        _ => None,
    }
}

/// What nobody foresaw is a fault of cco's own; foreseen failures name their status where they arise.
impl From<anyhow::Error> for CliError {
    fn from(error: anyhow::Error) -> Self {
        Self::internal(error)
    }
}

impl From<CatalogError> for CliError {
    fn from(error: CatalogError) -> Self {
        let hints = match &error {
            CatalogError::Malformed { .. } => {
                vec![
                    "a spec is named `<project>/<name>`; a path to a spec directory begins with `/` or `./`".to_owned(),
                ]
            }
            CatalogError::Unknown { nearest: Some(nearest), .. } => vec![format!("did you mean `{nearest}`?")],
            CatalogError::Unknown { nearest: None, .. } => vec!["`cco list` shows the specs that there are".to_owned()],
            CatalogError::Ambiguous { candidates, .. } => vec![format!("name one of: {}", candidates.join(", "))],
            CatalogError::NoneHere { empty_store: true, .. } => {
                vec!["`cco new --name NAME` creates one for this directory; `cco demo` shows how it goes".to_owned()]
            }
            CatalogError::NoneHere { empty_store: false, .. } => {
                vec!["name a spec; `cco list` shows those that there are, `cco new --name NAME` creates one".to_owned()]
            }
            CatalogError::NoSpecDir { .. } => {
                vec!["a spec directory holds a `manifest.json`; `cco list` shows those of the store".to_owned()]
            }
            CatalogError::Escapes { .. } => vec!["name the directory itself by its path".to_owned()],
            CatalogError::Io(_) => Vec::new(),
        };
        let exit = if matches!(error, CatalogError::Io(_)) { ExitStatus::Environment } else { ExitStatus::Usage };
        Self { hints, ..Self::new(exit, error) }
    }
}

impl From<ScaffoldError> for CliError {
    fn from(error: ScaffoldError) -> Self {
        match error {
            ScaffoldError::Io(_) => Self::environment(error).hint("another place for the store: `--store DIR`"),
            ScaffoldError::Case { existing } => {
                let hint = format!("`--project {existing}` is that one");
                Self::usage(ScaffoldError::Case { existing }).hint(hint)
            }
            ScaffoldError::Exists(_) => Self::usage(error).hint("type it again: the time is a part of its name"),
            ScaffoldError::Name { .. } | ScaffoldError::NotUtf8(_) => Self::usage(error),
        }
    }
}

/// The reader of stdout has gone away.
#[derive(Debug, thiserror::Error)]
#[error("stdout was closed by its reader")]
pub struct StdoutClosed;
