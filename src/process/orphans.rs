//! What a dead run left behind: found by the mark in the environment, named by id and start time, ended for good.

use std::collections::HashSet;
use std::time::Duration;

use rustix::process::Pid;
use tokio::time::Instant;

use super::os::{self, Marked};

/// How long a killed process may take to be gone: the kernel may have to finish a write for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

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

/// All processes, but this one, whose run mark begins with `prefix`, with their kin: who descends from them or is in a
/// group that one of them leads, though its own environment was cleared. The spec's hash finds what any run of it left.
pub fn find(prefix: &str) -> Vec<Stray> {
    look(prefix).strays
}

/// Kills what carries a run mark that begins with `prefix` until `clean_passes` looks in a row, a moment apart, found
/// nothing and nobody who is only just being started. Gives what it killed.
///
/// One look is exact but for who forks away while it goes on; whoever has time looks more than once.
pub async fn end_all(prefix: &str, clean_passes: u32) -> Vec<Stray> {
    let deadline = Instant::now() + PATIENCE;
    let mut ended = Vec::new();
    let mut clean = 0;
    loop {
        let Look { strays, nascent } = look(prefix);
        if !strays.is_empty() {
            clean = 0;
            end(&strays).await;
            ended.extend(strays);
            continue;
        }
        // Who stays without an environment for that long is not starting: it is stuck, or not ours to read.
        if nascent && Instant::now() < deadline {
            clean = 0;
        } else {
            clean += 1;
        }
        if clean >= clean_passes {
            return ended;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What one pass over all processes saw.
struct Look {
    /// Who carries the mark, and their kin.
    strays: Vec<Stray>,
    /// Whether somebody without an environment yet may turn out to carry it.
    nascent: bool,
}

fn look(prefix: &str) -> Look {
    let this = rustix::process::getpid();
    let mut others: Vec<_> = os::all().filter(|&pid| pid != this).filter_map(os::Process::read).collect();
    others.retain(|process| !process.zombie);
    let (mut strays, mut family, mut nascent) = (Vec::new(), HashSet::new(), false);
    others.retain(|process| match os::mark(process) {
        Marked::Yes(mark) if mark.run.starts_with(prefix) => {
            family.insert(Some(process.pid));
            strays.push(Stray::new(process, Some(mark)));
            false
        }
        marked => {
            nascent |= marked == Marked::NotYet;
            true
        }
    });
    loop {
        let of_family = |process: &mut os::Process| family.contains(&process.parent) || family.contains(&process.group);
        let kin: Vec<_> = others.extract_if(.., of_family).collect();
        if kin.is_empty() {
            return Look { strays, nascent };
        }
        family.extend(kin.iter().map(|process| Some(process.pid)));
        strays.extend(kin.iter().map(|process| Stray::new(process, None)));
    }
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
