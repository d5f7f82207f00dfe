//! What a dead run left behind: found by the mark in the environment, named by id and start time, ended for good.

use std::time::Duration;

use rustix::process::Pid;
use tokio::time::Instant;

use super::os;

/// How long a killed process may take to be gone: the kernel may have to finish a write for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// A process that outlived who started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Its id.
    pub pid: u32,
    /// When it started, in clock ticks since boot: with the id it names the process for good.
    pub start: u64,
    /// Its command line, as it is: the caller makes it fit for a terminal.
    pub command: String,
    /// The attempt that it carries the mark of, if any.
    pub attempt: Option<String>,
}

impl Stray {
    pub(super) fn new(process: &os::Process, mark: Option<os::Mark>) -> Self {
        Self {
            pid: process.pid.as_raw_pid().unsigned_abs(),
            start: process.start,
            command: process.command(),
            attempt: mark.and_then(|mark| mark.attempt),
        }
    }

    /// Whether this is what `process` is called.
    pub(super) fn is(&self, process: &os::Process) -> bool {
        (self.pid, self.start) == (process.pid.as_raw_pid().unsigned_abs(), process.start)
    }

    /// The process, if it is still there.
    fn process(&self) -> Option<os::Process> {
        let pid = Pid::from_raw(self.pid.cast_signed())?;
        os::Process::read(pid).filter(|process| self.is(process) && !process.zombie)
    }
}

/// All processes, but this one, whose run mark begins with `prefix`: the spec's hash finds what any run of it left.
pub fn find(prefix: &str) -> Vec<Stray> {
    let this = rustix::process::getpid();
    let marked = os::all().filter(|&pid| pid != this).filter_map(|pid| Some((pid, os::mark(pid)?)));
    marked
        .filter(|(_, mark)| mark.run.starts_with(prefix))
        .filter_map(|(pid, mark)| Some(Stray::new(&os::Process::read(pid)?, Some(mark))))
        .collect()
}

/// Kills `strays` and waits until they are gone, for five seconds at most. Who got the id of one since is not touched.
pub async fn end(strays: &[Stray]) {
    let deadline = Instant::now() + PATIENCE;
    let dying: Vec<_> = strays.iter().filter_map(Stray::process).filter_map(|process| process.kill()).collect();
    for watch in dying {
        if tokio::time::timeout_at(deadline, watch.ended()).await.is_err() {
            return;
        }
    }
}
