//! What every Unix can do: groups can be killed, but neither orphans nor marks can be found.

use std::convert::Infallible;
use std::fs::File;
use std::io;

use rustix::process::{Pid, WaitId, WaitIdOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;

/// A regular file without a name.
pub(super) fn unnamed_file() -> io::Result<File> {
    tempfile::tempfile()
}

/// Nothing: the file is on disk.
pub(super) fn forget_head(_file: &File, _length: u64) {}

/// Nothing: only Linux has such adoption.
pub(super) fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

/// Tells when a child has ended, without reaping it: until then its id, also as a group, names nobody else.
pub(super) struct ExitWatch {
    pid: Pid,
    some_child_ended: Mutex<Signal>,
}

impl ExitWatch {
    /// Watches the child `pid`. Within a tokio runtime.
    pub(super) fn new(pid: Pid) -> io::Result<Self> {
        Ok(Self { pid, some_child_ended: Mutex::new(signal(SignalKind::child())?) })
    }

    /// Waits for the end.
    pub(super) async fn ended(&self) {
        let peek = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let mut some_child_ended = self.some_child_ended.lock().await;
        while matches!(rustix::process::waitid(WaitId::Pid(self.pid), peek), Ok(None)) {
            some_child_ended.recv().await;
        }
    }
}

/// A process other than our children: none can be seen here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    pub(super) pid: Pid,
    pub(super) parent: Option<Pid>,
    pub(super) group: Option<Pid>,
    pub(super) start: u64,
    pub(super) zombie: bool,
    never: Infallible,
}

impl Process {
    pub(super) fn read(_pid: Pid) -> Option<Self> {
        None
    }

    pub(super) fn command(&self) -> String {
        match self.never {}
    }

    pub(super) fn kill(&self) -> Option<ExitWatch> {
        match self.never {}
    }
}

/// The group of a process.
pub(super) fn group_of(pid: Pid) -> Option<Pid> {
    rustix::process::getpgid(Some(pid)).ok()
}

/// The marks in a process's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) run: String,
    pub(super) attempt: Option<String>,
}

/// Whether a process carries a run mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Marked {
    Yes(Mark),
    No,
    NotYet,
}

/// Nothing: environments of others cannot be read.
pub(super) fn mark(process: &Process) -> Marked {
    match process.never {}
}

/// Nothing.
pub(super) fn all() -> impl Iterator<Item = Pid> {
    std::iter::empty()
}

/// The children that the kernel has handed to this process: none.
pub(super) struct Adopted;

impl Adopted {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) fn list(&self) -> Vec<Pid> {
        Vec::new()
    }
}
