//! The one who knows all children of a run: starts them under guard, and ends what they leave behind.
//!
//! This program is the one to whom the kernel hands orphaned descendants, so after each child the list of handed-over
//! processes says what it left. Invariants: who is not registered as a leader is reaped here and nowhere else, and only
//! while nobody is spawning; a leader is reaped only by who spawned it.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use rustix::process::{Pid, WaitOptions};
use tokio::time::Instant;

use super::os::Marked;
use super::{Stray, guard, orphans, os};

/// How long a sweep goes on at most: a stray can only resist by being stuck in the kernel.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one waits for a process that is only just being started.
const BLINK: Duration = Duration::from_millis(1);
/// How often output is looked at. Aligned for all children, so that waiting for many wakes the processor once.
const TICK: Duration = Duration::from_secs(1);

/// Starts and watches the children of one run.
pub struct Supervisor {
    program: PathBuf,
    run_mark: Arc<str>,
    /// This program's own group; none where that is outside of what it can see.
    group: Option<Pid>,
    begun: Instant,
    adopted: os::Adopted,
    /// Held for reading while a child is spawned, for writing while strays are told from children.
    spawning: RwLock<()>,
    registry: Mutex<Registry>,
    /// The guard, with the only end of its pipe that can be written to.
    guard: Mutex<Option<Child>>,
}

#[derive(Default)]
struct Registry {
    /// Children of ours, not yet reaped; the guard too.
    leaders: HashSet<Pid>,
    /// How many children each attempt has.
    attempts: HashMap<Arc<str>, usize>,
}

/// An attempt that has a child: what carries its mark is left alone as long as this lives.
pub(super) struct Presence<'a> {
    supervisor: &'a Supervisor,
    attempt: Arc<str>,
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        let mut registry = self.supervisor.registry();
        if let Some(count) = registry.attempts.get_mut(&self.attempt) {
            *count -= 1;
            if *count == 0 {
                registry.attempts.remove(&self.attempt);
            }
        }
    }
}

/// What a look at the processes that were handed to us came to.
enum Strays {
    /// Nobody is to be ended.
    None,
    /// Some were reaped, and these were killed.
    Dying(Vec<os::ExitWatch>),
    /// One is only just being started: whose it is will be seen in a moment.
    Unknown,
}

impl Supervisor {
    /// A supervisor of the run `run_mark`, which is not empty. `program` is this very program: it is started as
    /// the guard before the first child. From here on the kernel hands orphaned descendants to this process.
    pub fn new(program: PathBuf, run_mark: Arc<str>) -> io::Result<Arc<Self>> {
        if run_mark.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the run mark is empty"));
        }
        os::adopt_orphans()?;
        Ok(Arc::new(Self {
            program,
            run_mark,
            group: os::group_of(rustix::process::getpid()),
            begun: Instant::now(),
            adopted: os::Adopted::new(),
            spawning: RwLock::default(),
            registry: Mutex::default(),
            guard: Mutex::default(),
        }))
    }

    /// The mark that every child of the run carries.
    pub fn run_mark(&self) -> &str {
        &self.run_mark
    }

    /// Ends everything that is left of the run and dismisses the guard. No child may be running.
    pub async fn finish(&self) {
        self.sweep(None).await;
        // Whoever found another one to adopt it is still known by the mark.
        orphans::end_all(&self.run_mark, 1).await;
        let Some(mut guard) = self.guard.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        if let Some(mut pipe) = guard.stdin.take() {
            // Without the byte, because it was killed, the guard has nothing to be told.
            let _ = pipe.write_all(&[guard::GOODBYE]);
        }
        if let Some(Ok(watch)) = pid_of(&guard).map(os::ExitWatch::new) {
            watch.ended().await;
        }
        let _ = self.reap(&mut guard);
    }

    /// Starts the guard unless it is there.
    pub(super) fn post_guard(&self) -> io::Result<()> {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.is_none() {
            let mut command = Command::new(&self.program);
            command.arg(guard::SUBCOMMAND).arg(&*self.run_mark);
            // An environment of its own: the mark of a run around this one must not make it the victim of that run's
            // guard before it has done its work.
            command.env_clear().current_dir("/").process_group(0);
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            *guard = Some(self.spawn(&mut command)?);
        }
        Ok(())
    }

    /// Spawns `command` as a registered leader.
    pub(super) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let _telling_strays_waits = self.spawning.read().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn()?;
        self.registry().leaders.extend(pid_of(&child));
        Ok(child)
    }

    /// Reaps a leader that has ended. Its id is free for others from the same moment on, hence under the lock.
    pub(super) fn reap(&self, child: &mut Child) -> io::Result<std::process::ExitStatus> {
        let mut registry = self.registry();
        if let Some(pid) = pid_of(child) {
            registry.leaders.remove(&pid);
        }
        child.wait()
    }

    /// Enters a child of `attempt`.
    pub(super) fn enter(&self, attempt: &Arc<str>) -> Presence<'_> {
        *self.registry().attempts.entry(Arc::clone(attempt)).or_default() += 1;
        Presence { supervisor: self, attempt: Arc::clone(attempt) }
    }

    /// The next common moment to look at outputs.
    pub(super) fn next_tick(&self) -> Instant {
        let ticks = self.begun.elapsed().as_millis() / TICK.as_millis() + 1;
        self.begun + TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
    }

    /// Ends what no running attempt answers for; `leader` was the leader of the child that has just been reaped.
    /// Costs one small read when there is nothing.
    pub(super) async fn sweep(&self, leader: Option<Pid>) -> Vec<Stray> {
        let deadline = Instant::now() + PATIENCE;
        let mut ended = Vec::new();
        loop {
            // Whoever ends hands its own children to us: look again until there was nobody.
            match self.kill_strays(leader, &mut ended) {
                Strays::None => return ended,
                Strays::Dying(dying) => {
                    for watch in dying {
                        if tokio::time::timeout_at(deadline, watch.ended()).await.is_err() {
                            return ended;
                        }
                    }
                }
                Strays::Unknown if Instant::now() < deadline => tokio::time::sleep(BLINK).await,
                Strays::Unknown => return ended,
            }
        }
    }

    /// Reaps strays that have ended, kills the others.
    fn kill_strays(&self, leader: Option<Pid>, ended: &mut Vec<Stray>) -> Strays {
        if self.adopted.list().iter().all(|pid| self.registry().leaders.contains(pid)) {
            return Strays::None;
        }
        let _nobody_spawns = self.spawning.write().unwrap_or_else(PoisonError::into_inner);
        let registry = self.registry();
        let (mut reaped, mut unknown, mut dying) = (false, false, Vec::new());
        for pid in self.adopted.list() {
            let Some(process) = os::Process::read(pid).filter(|_| !registry.leaders.contains(&pid)) else { continue };
            let marked = os::mark(&process);
            unknown |= marked == Marked::NotYet;
            let mark = if let Marked::Yes(mark) = marked { Some(mark) } else { None };
            if !self.is_stray(&process, mark.as_ref(), leader, &registry) {
                continue;
            }
            if process.zombie {
                reaped |= rustix::process::waitpid(Some(pid), WaitOptions::NOHANG).is_ok();
                continue;
            }
            // Described while there is still something to be seen.
            let stray = Stray::new(&process, mark);
            let Some(watch) = process.kill() else { continue };
            dying.push(watch);
            if (leader.is_none() || process.group != leader) && !ended.iter().any(|known| known.is(&process)) {
                ended.push(stray);
            }
        }
        match (reaped || !dying.is_empty(), unknown) {
            (true, _) => Strays::Dying(dying),
            (false, true) => Strays::Unknown,
            (false, false) => Strays::None,
        }
    }

    /// Whether a process that was handed to us is to be ended now.
    fn is_stray(
        &self,
        process: &os::Process,
        mark: Option<&os::Mark>,
        leader: Option<Pid>,
        registry: &Registry,
    ) -> bool {
        let attempt = mark.filter(|mark| *mark.run == *self.run_mark).and_then(|mark| mark.attempt.as_deref());
        if let Some(attempt) = attempt {
            return !registry.attempts.contains_key(attempt);
        }
        // Children have groups of their own: who is in ours was started by another part of this program.
        if process.group == self.group {
            return false;
        }
        let of_leader = leader.is_some() && process.group == leader;
        // Without a mark it can be anybody's: then it waits until nobody is left to answer for it.
        process.zombie || of_leader || registry.attempts.is_empty()
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of a child that has not been reaped.
pub(super) fn pid_of(child: &Child) -> Option<Pid> {
    Pid::from_raw(child.id().cast_signed())
}
