//! Stops the live run of a spec, and ends what a dead one left.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use super::run::runtime;
use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::mark;
use crate::executor::end_strays;
use crate::journal::{Holder, LockError, LockState, RunLock, SpecPaths, lock_state};

/// How often the lock is looked at.
const GLANCE: Duration = Duration::from_millis(100);
/// What a run may take to stop: the grace of its steps and the end of what they left.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a run may take that was told to kill; then it is killed itself, and its guard ends the rest.
const SHORT_PATIENCE: Duration = Duration::from_secs(10);

/// What was done.
#[derive(Serialize)]
struct Outcome<'a> {
    spec: &'a str,
    /// The run that was stopped; null: none lived.
    stopped: Option<u32>,
    /// Whether the run itself had to be killed.
    killed: bool,
    /// How many processes of a dead run were ended.
    strays: usize,
    /// The command that carries on.
    #[serde(skip)]
    again: &'static str,
}

/// Stops the live run of a spec. The manifest is not read: a run can be stopped whatever became of it.
pub fn execute(app: &App, args: args::Stop) -> Result<ExitStatus, CliError> {
    let entry = app.find_spec(args.spec.reference())?;
    let called = app.called(&entry)?;
    let target = Target { spec: entry.reference(), paths: SpecPaths::new(&entry.path) };
    let mut outcome = Outcome { spec: &target.spec, stopped: None, killed: false, strays: 0, again: "run" };
    match target.lock_state()? {
        LockState::Held(holder) => {
            if holder.as_ref().is_some_and(|holder| holder.command.starts_with("cco formalize")) {
                outcome.again = "formalize";
            }
            let pid = target.process(holder)?;
            outcome.stopped = Some(pid.as_raw_pid().unsigned_abs());
            outcome.killed = target.stop(app, pid, args.now)?;
        }
        LockState::Free => outcome.strays = target.end_left(app)?,
    }
    tell(app, &called, &outcome)?;
    Ok(ExitStatus::Done)
}

/// The spec whose run is to be stopped.
struct Target {
    spec: String,
    paths: SpecPaths,
}

impl Target {
    fn lock_state(&self) -> Result<LockState, CliError> {
        lock_state(&self.paths.lock()).map_err(CliError::environment)
    }

    /// The process to be told.
    fn process(&self, holder: Option<Holder>) -> Result<Pid, CliError> {
        let Some(holder) = holder else {
            let error = anyhow!("a run of `{}` holds the lock and has not said who it is", self.spec);
            return Err(CliError::new(ExitStatus::Incomplete, error).hint("it may be starting; try again"));
        };
        match holder.process() {
            Some(pid) => Ok(pid),
            None => Err(CliError::new(ExitStatus::Incomplete, anyhow!("the run lives on another machine: {holder}"))
                .hint(format!("`cco stop` on `{}` stops it", holder.host))),
        }
    }

    /// Tells whether the run itself had to be killed.
    fn stop(&self, app: &App, pid: Pid, now: bool) -> Result<bool, CliError> {
        app.printer.note(if now { "killing what runs" } else { "stopping: running steps are interrupted" });
        send(pid, Signal::INT)?;
        if now {
            // The second signal means kill. Another one, since two of a kind can arrive as one.
            send(pid, Signal::TERM)?;
            if self.is_free_within(SHORT_PATIENCE)? {
                return Ok(false);
            }
            send(pid, Signal::KILL)?;
        }
        if self.is_free_within(PATIENCE)? {
            return Ok(now);
        }
        let error = anyhow!("process {} has not ended within {} s", pid.as_raw_pid(), PATIENCE.as_secs());
        Err(CliError::new(ExitStatus::Incomplete, error).hint("`cco stop --now` kills what runs"))
    }

    fn is_free_within(&self, patience: Duration) -> Result<bool, CliError> {
        let begin = Instant::now();
        loop {
            if self.lock_state()? == LockState::Free {
                return Ok(true);
            }
            if begin.elapsed() >= patience {
                return Ok(false);
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// Ends the processes of dead runs, under the lock, so that no run begins meanwhile whose processes look the same.
    fn end_left(&self, app: &App) -> Result<usize, CliError> {
        if !self.paths.lock().exists() {
            return Ok(0);
        }
        let this = Holder::this_process(app.environment.started, format!("cco stop {}", self.spec));
        let _lock = match RunLock::acquire(&self.paths.lock(), &this) {
            Ok(lock) => lock,
            Err(error @ LockError::Held { .. }) => {
                return Err(
                    CliError::new(ExitStatus::Locked, error).hint("a run began just now; `cco stop` again stops it")
                );
            }
            Err(error @ LockError::Io(_)) => return Err(CliError::environment(error)),
        };
        Ok(runtime()?.block_on(end_strays(&mark(&self.paths))))
    }
}

/// A process that has ended meanwhile is what was wanted.
fn send(pid: Pid, signal: Signal) -> Result<(), CliError> {
    match kill_process(pid, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => {
            let error = anyhow!("cannot signal process {}: {error}", pid.as_raw_pid());
            Err(CliError::environment(error).hint("it may belong to another user"))
        }
    }
}

fn tell(app: &App, spec: &str, outcome: &Outcome<'_>) -> Result<(), CliError> {
    match app.printer.format() {
        Format::Json => return app.printer.document(outcome),
        Format::Text => {}
    }
    let again = outcome.again;
    app.printer.answer(&match (outcome.stopped, outcome.killed, outcome.strays) {
        (Some(pid), false, _) => format!("stopped (process {pid}); `cco {again} {spec}` carries on\n"),
        (Some(pid), true, _) => {
            format!(
                "killed (process {pid}), since it did not stop; nothing recorded is lost: `cco {again} {spec}` carries on\n"
            )
        }
        (None, _, 0) => format!("no run of `{spec}` is live\n"),
        (None, _, strays) => {
            format!("no run of `{spec}` is live; {} of a dead run ended\n", crate::text::plural(strays, "stray"))
        }
    })
}
