//! What only Linux can do: process descriptors, adoption of orphans, marks in `/proc`.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use rustix::fs::{FallocateFlags, MemfdFlags};
use rustix::process::{Pid, PidfdFlags, Signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{ATTEMPT_MARK, RUN_MARK};

/// A regular file without a name, in memory.
pub(super) fn unnamed_file() -> io::Result<File> {
    Ok(File::from(rustix::fs::memfd_create("cco", MemfdFlags::CLOEXEC)?))
}

/// Gives back the memory of the first `length` bytes of an unnamed file; the offsets of the rest stay.
pub(super) fn forget_head(file: &File, length: u64) {
    // At worst the memory stays taken.
    let _ = rustix::fs::fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, length);
}

/// Makes the kernel hand orphaned descendants to this process instead of to init.
pub(super) fn adopt_orphans() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Tells when a process has ended, without reaping it: until then its id, also as a group, names nobody else.
pub(super) struct ExitWatch(AsyncFd<OwnedFd>);

impl ExitWatch {
    /// Watches `pid`, which the caller knows to be the process that it means. Within a tokio runtime.
    pub(super) fn new(pid: Pid) -> io::Result<Self> {
        Self::of(rustix::process::pidfd_open(pid, PidfdFlags::empty())?)
    }

    #[expect(deprecated, reason = "unsound only for types that do not own their descriptor; its successor is `unsafe`")]
    fn of(pidfd: OwnedFd) -> io::Result<Self> {
        Ok(Self(AsyncFd::with_interest(pidfd, Interest::READABLE)?))
    }

    /// Waits for the end.
    pub(super) async fn ended(&self) {
        // An error means that the runtime shuts down, and with it whoever waits here.
        let _ = self.0.readable().await;
    }
}

/// A process, as `/proc` shows it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: Pid,
    pub(super) parent: Option<Pid>,
    pub(super) group: Option<Pid>,
    /// In clock ticks since boot: with the id it names a process for good.
    pub(super) start: u64,
    /// Ended, but not yet reaped.
    pub(super) zombie: bool,
    memory: Memory,
}

/// How far the memory of a process is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// A thread of the kernel, or ended.
    None,
    /// In the middle of `execve`: a memory of its own, but no environment in it yet, so no mark can be seen. The kernel
    /// shows the same of who is not ours to read.
    Blank,
    /// With arguments and environment.
    Whole,
}

impl Process {
    /// The process with this id, if there is one.
    pub(super) fn read(pid: Pid) -> Option<Self> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may hold anything, parentheses too.
        let after_name = stat.iter().rposition(|&byte| byte == b')')? + 1;
        let mut fields = std::str::from_utf8(&stat[after_name..]).ok()?.split_ascii_whitespace();
        let zombie = matches!(fields.next()?, "Z" | "X");
        // A process that has just been reaped by another shows -1 here for a moment, which is no id.
        let mut id = || Some(Pid::from_raw(fields.next()?.parse::<i32>().ok()?.max(0)));
        let (parent, group) = (id()?, id()?);
        let start = fields.nth(16)?.parse().ok()?;
        let size = fields.next()?;
        let environment_end = fields.nth(27)?;
        let memory = match (size, environment_end) {
            ("0", _) => Memory::None,
            (_, "0") => Memory::Blank,
            _ => Memory::Whole,
        };
        Some(Self { pid, parent, group, start, zombie, memory })
    }

    /// The command line, arguments separated by blanks.
    pub(super) fn command(&self) -> String {
        let bytes = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).trim_end_matches('\0').replace('\0', " ")
    }

    /// Kills this process and no other that got its id since. Gives what tells its end; nothing if it has ended.
    pub(super) fn kill(&self) -> Option<ExitWatch> {
        let pidfd = rustix::process::pidfd_open(self.pid, PidfdFlags::empty()).ok()?;
        // The descriptor holds on to whoever has the id now; only then is it asked who that is.
        if Self::read(self.pid)?.start != self.start {
            return None;
        }
        rustix::process::pidfd_send_signal(&pidfd, Signal::KILL).ok()?;
        ExitWatch::of(pidfd).ok()
    }
}

/// The group of a process; none where it is outside of what this process can see, as that of a container's init can be.
/// The library's own call takes that for impossible.
pub(super) fn group_of(pid: Pid) -> Option<Pid> {
    Process::read(pid)?.group
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
    /// It does.
    Yes(Mark),
    /// It does not, or it has ended, or it is another user's.
    No,
    /// It is only just being started: it may carry any mark in a moment.
    NotYet,
}

/// The marks that `process` carries by now.
pub(super) fn mark(process: &Process) -> Marked {
    let mut process = *process;
    // Its environment can have come while it was asked for: then it is asked for once more.
    for _ in 0..2 {
        if process.memory == Memory::None {
            return Marked::No;
        }
        let Ok(environment) = fs::read(format!("/proc/{}/environ", process.pid)) else { return Marked::No };
        if !environment.is_empty() {
            return marks_in(&environment).map_or(Marked::No, Marked::Yes);
        }
        match Process::read(process.pid) {
            Some(now) if now.memory == Memory::Blank && is_mine(now.pid) => return Marked::NotYet,
            Some(now) => process = now,
            None => return Marked::No,
        }
    }
    Marked::No
}

fn marks_in(environment: &[u8]) -> Option<Mark> {
    let value = |name: &str| {
        environment.split(|&byte| byte == 0).find_map(|entry| {
            let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            Some(String::from_utf8_lossy(value).into_owned())
        })
    };
    Some(Mark { run: value(RUN_MARK)?, attempt: value(ATTEMPT_MARK) })
}

fn is_mine(pid: Pid) -> bool {
    fs::metadata(format!("/proc/{pid}")).is_ok_and(|meta| meta.uid() == rustix::process::geteuid().as_raw())
}

/// Every process that there is. In the order of the ids, so one that starts meanwhile can be missed.
pub(super) fn all() -> impl Iterator<Item = Pid> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

/// The children that the kernel has handed to this process, cheaply.
///
/// Orphans go to the first living thread, the main thread, and children that a worker thread spawned stay with that
/// thread: its list of children is as good as empty, and reading it is one system call.
pub(super) struct Adopted(Option<File>);

impl Adopted {
    /// Opens the list.
    pub(super) fn new() -> Self {
        let main = rustix::process::getpid();
        Self(File::open(format!("/proc/self/task/{main}/children")).ok())
    }

    /// All orphans, and whichever children the main thread spawned.
    pub(super) fn list(&self) -> Vec<Pid> {
        let Some(file) = &self.0 else { return children_by_parent() };
        let mut text = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(n @ 1..) = file.read_at(&mut chunk, text.len() as u64) {
            text.extend_from_slice(&chunk[..n]);
        }
        let ids = text.split(|&byte| byte == b' ').filter_map(|id| std::str::from_utf8(id).ok()?.parse().ok());
        ids.filter_map(Pid::from_raw).collect()
    }
}

/// The same on kernels that do not list children: dear, and includes those of all threads.
fn children_by_parent() -> Vec<Pid> {
    let this = Some(rustix::process::getpid());
    all().filter(|&pid| Process::read(pid).is_some_and(|process| process.parent == this)).collect()
}
