//! One run per spec: a lock of the operating system on a file, which nobody can forget to release.

use std::fmt::{self, Write as _};
use std::fs::TryLockError;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use fs_err::{File, OpenOptions};
use jiff::Timestamp;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// Holds a lock until it is dropped or the process ends, however that happens.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Who holds a lock, as the file says. For people only: the lock itself is the operating system's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// Its machine.
    pub host: String,
    /// When it took the lock.
    pub since: Timestamp,
    /// Its command line.
    pub command: String,
}

impl Holder {
    /// This process, from `since` on, started as `command`.
    pub fn this_process(since: Timestamp, command: String) -> Self {
        Self { pid: std::process::id(), host: this_host(), since, command }
    }

    /// Its process, where it is one of this machine.
    pub fn process(&self) -> Option<Pid> {
        Pid::from_raw(self.pid.cast_signed()).filter(|_| self.host == this_host())
    }

    /// Whether it is known to be no more.
    fn is_gone(&self) -> bool {
        self.process().is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
    }

    /// One member a line, so that `cat` on the lock file answers the question.
    fn to_text(&self) -> String {
        // What others wrote ends at the line's end, so the command may not bring one of its own.
        let command = self.command.replace(['\n', '\r'], " ");
        format!("pid {}\nhost {}\nsince {}\ncommand {command}\n", self.pid, self.host, self.since)
    }

    /// None when the text is not whole: its holder may be about to write it.
    fn from_text(text: &str) -> Option<Self> {
        let member = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Some(Self {
            pid: member("pid")?.parse().ok()?,
            host: member("host")?.to_owned(),
            since: member("since")?.parse().ok()?,
            command: member("command")?.to_owned(),
        })
    }
}

fn this_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {} since {} (`{}`)", self.pid, self.host, self.since, self.command)
    }
}

/// Whether a lock is held, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockState {
    /// By nobody.
    Free,
    /// By another process, which may not have said yet who it is.
    Held(Option<Holder>),
}

/// Looks at the lock at `path` without taking it; a file that is missing is held by nobody.
///
/// # Errors
/// The file cannot be opened, or its file system knows no locks.
pub fn lock_state(path: &Path) -> io::Result<LockState> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LockState::Free),
        opened => opened?,
    };
    let mut text = String::new();
    let holder = file.read_to_string(&mut text).ok().and_then(|_| Holder::from_text(&text));
    // The test below takes the lock for a moment where it is free, and a run that starts just then would be refused.
    // Where the file names a dead process it is not needed.
    if holder.as_ref().is_some_and(Holder::is_gone) {
        return Ok(LockState::Free);
    }
    match file.try_lock_shared() {
        Ok(()) => Ok(LockState::Free),
        Err(TryLockError::WouldBlock) => Ok(LockState::Held(holder)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Why a lock was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it, which may not have said yet who it is.
    #[error("{}", held(holder.as_ref()))]
    Held {
        /// Who.
        holder: Option<Holder>,
    },
    /// The file could not be made, or its file system knows no locks.
    #[error("cannot lock: {0}")]
    Io(#[from] io::Error),
}

fn held(holder: Option<&Holder>) -> String {
    let mut text = String::from("another run holds the lock");
    if let Some(holder) = holder {
        let _ = write!(text, ": {holder}");
    }
    text
}

impl RunLock {
    /// Takes the lock at `path`, without waiting. The file is created if it is missing and never removed: another
    /// process may be opening it just now.
    pub fn acquire(path: &Path, holder: &Holder) -> Result<Self, LockError> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Who holds it is a courtesy: that it is held does not depend on it.
                let holder = file.read_to_string(&mut text).ok().and_then(|_| Holder::from_text(&text));
                return Err(LockError::Held { holder });
            }
            Err(TryLockError::Error(error)) => {
                let text = format!("`{}`: {error}", path.display());
                return Err(LockError::Io(io::Error::new(error.kind(), text)));
            }
        }
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(holder.to_text().as_bytes())?;
        Ok(Self { _file: file })
    }
}
