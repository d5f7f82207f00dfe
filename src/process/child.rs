//! One child, from its start to the moment when nothing of it is left: the one loop that watches it.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::sync::watch;
use tokio::time::Instant;

use super::capture::Capture;
use super::supervisor::{Supervisor, pid_of};
use super::{
    ATTEMPT_MARK, Activity, CommandSpec, EndedBy, Exit, Finished, Limits, RUN_MARK, SpawnError, Stdin, Stop, Watcher,
    os,
};

impl Supervisor {
    /// Runs a command to its end and ends what it leaves behind. When this returns, `watcher` has seen the whole output.
    /// Dropping the future kills the child.
    pub async fn run(
        &self,
        spec: &CommandSpec,
        limits: &Limits,
        mut stop: watch::Receiver<Stop>,
        watcher: &mut impl Watcher,
    ) -> Result<Finished, SpawnError> {
        if *stop.borrow() > Stop::Run {
            return Err(SpawnError::Stopped);
        }
        self.post_guard().map_err(SpawnError::Guard)?;
        let presence = self.enter(&spec.attempt);
        let mut capture = Capture::create(&spec.output)?;
        let leader = Leader::spawn(self, spec, &capture)?;
        let mut times = Times::new(limits);
        let ended_by = self.attend(&leader, &mut times, &mut capture, &mut stop, watcher).await;
        let wall = times.begun.elapsed();
        let pid = leader.pid;
        let exit = leader.reap();
        drop(presence);
        let strays = self.sweep(Some(pid)).await;
        // Only now is nobody left who could write.
        capture.follow(watcher).await;
        Ok(Finished { exit, ended_by, stderr: capture.errors(), strays, wall })
    }

    /// Watches the child until it has ended; sees to it that it does.
    async fn attend(
        &self,
        leader: &Leader<'_>,
        times: &mut Times<'_>,
        capture: &mut Capture,
        stop: &mut watch::Receiver<Stop>,
        watcher: &mut impl Watcher,
    ) -> EndedBy {
        let mut ended_by = EndedBy::Itself;
        let mut level = Stop::Run;
        let mut kill_at = None;
        loop {
            let limit = if level == Stop::Run { times.next_limit(watcher.state()) } else { None };
            let look = times.first_look();
            let wake = [limit.map(|(at, _)| at), kill_at, look].into_iter().flatten();
            let wake = wake.fold(self.next_tick(), Instant::min);
            let asked = tokio::select! {
                biased;
                () = leader.watch.ended() => return ended_by,
                asked = rising(stop, level) => Some(asked),
                () = tokio::time::sleep_until(wake) => None,
            };
            if capture.follow(watcher).await {
                times.heard = Some(Instant::now());
            }
            times.note(watcher.state());
            let now = Instant::now();
            let cause = match asked {
                Some(_) => Some(EndedBy::Stopped),
                None if level == Stop::Run => {
                    times.next_limit(watcher.state()).filter(|(at, _)| *at <= now).map(|(_, by)| by)
                }
                None => None,
            };
            if let Some(cause) = cause
                && level == Stop::Run
            {
                (ended_by, level, kill_at) = (cause, Stop::Stop, now.checked_add(times.limits.grace));
                leader.signal(Signal::INT);
            }
            if asked == Some(Stop::Kill) || kill_at.is_some_and(|at| at <= now) {
                (level, kill_at) = (Stop::Kill, None);
                leader.signal(Signal::KILL);
            }
        }
    }
}

/// Waits until more than `level` is asked for.
async fn rising(stop: &mut watch::Receiver<Stop>, level: Stop) -> Stop {
    match stop.wait_for(|asked| *asked > level).await.map(|asked| *asked) {
        Ok(asked) => asked,
        // Whoever could ask is gone.
        Err(_) => std::future::pending().await,
    }
}

/// What the limits are counted from.
struct Times<'a> {
    limits: &'a Limits,
    begun: Instant,
    heard: Option<Instant>,
    done: Option<Instant>,
}

impl<'a> Times<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self { limits, begun: Instant::now(), heard: None, done: None }
    }

    /// When to look again for a first output that is waited for: the start of others can wait with it.
    fn first_look(&self) -> Option<Instant> {
        const SOON: Duration = Duration::from_millis(50);
        self.limits.first_output.filter(|_| self.heard.is_none()).map(|_| Instant::now() + SOON)
    }

    fn note(&mut self, state: Activity) {
        match state {
            Activity::Quiet | Activity::Busy => self.done = None,
            Activity::Done => {
                self.done.get_or_insert_with(Instant::now);
            }
        }
    }

    /// The limit that is reached first if nothing happens.
    fn next_limit(&self, state: Activity) -> Option<(Instant, EndedBy)> {
        // A limit beyond the end of time is none.
        let limit = |since: Instant, limit: Option<Duration>, by| Some((since.checked_add(limit?)?, by));
        let limits = self.limits;
        let wall = limit(self.begun, limits.wall, EndedBy::Wall);
        let other = match (state, self.done, self.heard) {
            (Activity::Done, Some(done), _) => limit(done, limits.linger, EndedBy::Linger),
            (Activity::Done, None, _) | (Activity::Busy, ..) => None,
            (Activity::Quiet, _, Some(heard)) => limit(heard, limits.silence, EndedBy::Silence),
            (Activity::Quiet, _, None) => limit(self.begun, limits.first_output, EndedBy::FirstOutput).or(limit(
                self.begun,
                limits.silence,
                EndedBy::Silence,
            )),
        };
        [other, wall].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

/// A child that leads its own group. Reaped on every way out.
struct Leader<'a> {
    supervisor: &'a Supervisor,
    child: Child,
    pid: Pid,
    watch: os::ExitWatch,
    reaped: bool,
}

impl<'a> Leader<'a> {
    fn spawn(supervisor: &'a Supervisor, spec: &CommandSpec, capture: &Capture) -> Result<Self, SpawnError> {
        let (stdout, stderr) = capture.stdio().map_err(SpawnError::Temporary)?;
        let mut command = Command::new(&spec.program);
        command.args(&spec.args).current_dir(&spec.dir).process_group(0).stdout(stdout).stderr(stderr);
        command.stdin(stdin(&spec.stdin).map_err(SpawnError::Temporary)?);
        command.env_clear().envs(spec.env.iter().chain(&spec.extra_env).map(|(name, value)| (name, value)));
        command.env(RUN_MARK, supervisor.run_mark()).env(ATTEMPT_MARK, &*spec.attempt);
        let failed = |source| {
            if spec.dir.is_dir() {
                SpawnError::Program { program: spec.program.clone(), source }
            } else {
                SpawnError::Directory(spec.dir.clone())
            }
        };
        let mut child = supervisor.spawn(&mut command).map_err(failed)?;
        let watched =
            pid_of(&child).ok_or(io::ErrorKind::InvalidData.into()).and_then(|pid| Ok((pid, os::ExitWatch::new(pid)?)));
        match watched {
            Ok((pid, watch)) => Ok(Self { supervisor, child, pid, watch, reaped: false }),
            Err(error) => {
                // No descriptor to watch it with: it must not run unwatched.
                let _ = child.kill();
                let _ = supervisor.reap(&mut child);
                Err(failed(error))
            }
        }
    }

    /// Signals the whole group, whose id is the leader's until it is reaped.
    fn signal(&self, signal: Signal) {
        // Nobody left to receive it is what we want anyway.
        let _ = rustix::process::kill_process_group(self.pid, signal);
    }

    /// Ends the rest of the group and reaps the leader, which has ended.
    fn reap(mut self) -> Exit {
        self.reaped = true;
        self.signal(Signal::KILL);
        self.supervisor.reap(&mut self.child).map_or(Exit::Unknown, exit_of)
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        if !self.reaped {
            self.signal(Signal::KILL);
            // Its end is waited for before it is reaped, because reaping holds up the children of others.
            let _ = rustix::process::waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            let _ = self.supervisor.reap(&mut self.child);
        }
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Unknown,
    }
}

fn stdin(stdin: &Stdin) -> io::Result<Stdio> {
    match stdin {
        Stdin::Null => Ok(Stdio::null()),
        Stdin::Text(text) => {
            let mut file: File = os::unnamed_file()?;
            file.write_all(text)?;
            file.rewind()?;
            Ok(file.into())
        }
    }
}
