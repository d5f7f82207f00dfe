//! Child processes; nothing about agents.
//!
//! Every child is the leader of its own process group, writes to a regular file that is followed, carries the run's
//! and its attempt's mark in its environment, and has exactly one loop that watches it. What a child leaves behind ends
//! with it; what this program leaves behind when it is killed is ended by its [`guard`]; what an earlier boot or a
//! killed guard left is found by [`orphans`].

#![expect(
    clippy::disallowed_methods,
    reason = "the room that starts processes, looks into /proc, and makes the files they write to"
)]

mod capture;
mod child;
pub mod guard;
pub mod orphans;
#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "unix.rs")]
mod os;
mod replace;
mod supervisor;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use orphans::Stray;
pub use replace::Replacement;
pub use supervisor::Supervisor;

/// The environment variable that names the run in every child: `<16 hex digits of the spec>-<uuid>`.
pub const RUN_MARK: &str = "CCO_RUN";
/// The environment variable that names the attempt in every child.
pub const ATTEMPT_MARK: &str = "CCO_ATTEMPT";

/// How far a run is in being stopped; only ever rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Nobody asked to stop.
    Run,
    /// Children are interrupted, and killed after their grace.
    Stop,
    /// Children are killed at once.
    Kill,
}

/// What a child reads.
#[derive(Debug, Clone)]
pub enum Stdin {
    /// Nothing.
    Null,
    /// This text, from a file that has no name: a pipe would have to be fed while the child runs.
    Text(Vec<u8>),
}

/// Where a child's output goes.
#[derive(Debug, Clone)]
pub struct Output {
    /// A fresh regular file (0600); its directory exists.
    pub path: PathBuf,
    /// Whether standard error goes into the same file. Else its tail is returned with [`Finished`].
    pub both: bool,
}

/// A command to be run, complete: nothing is inherited.
#[derive(Debug, Clone)]
pub struct CommandSpec {
    /// The program, with its directory: `PATH` is not searched on the fast path of spawning.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The directory it starts in.
    pub dir: PathBuf,
    /// The whole environment, shared by all children of a kind.
    pub env: Arc<[(OsString, OsString)]>,
    /// What this child gets on top of it.
    pub extra_env: Vec<(OsString, OsString)>,
    /// What it reads.
    pub stdin: Stdin,
    /// Where its output goes.
    pub output: Output,
    /// The attempt it belongs to: what carries this mark ends with the last child of the attempt.
    pub attempt: Arc<str>,
}

/// When a child is ended before it ends by itself; `None` means never.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the start to the first byte.
    pub first_output: Option<Duration>,
    /// Between two bytes, while the watcher says [`Activity::Quiet`].
    pub silence: Option<Duration>,
    /// From the start to the end.
    pub wall: Option<Duration>,
    /// How long it may live on after the watcher says [`Activity::Done`].
    pub linger: Option<Duration>,
    /// Between the interrupt and the kill.
    pub grace: Duration,
}

/// What a child is doing, as far as its output tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Silence would be a bad sign.
    Quiet,
    /// It waits for something that takes its time: silence means nothing.
    Busy,
    /// It has said all it has to say.
    Done,
}

/// Reads along while a child runs.
pub trait Watcher: Send {
    /// The next bytes of the output, cut anywhere.
    fn bytes(&mut self, chunk: &[u8]);
    /// What the bytes so far mean.
    fn state(&self) -> Activity;
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Nobody was there to see.
    Unknown,
}

/// Who ended a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// Itself, or somebody outside.
    Itself,
    /// [`Limits::first_output`].
    FirstOutput,
    /// [`Limits::silence`].
    Silence,
    /// [`Limits::wall`].
    Wall,
    /// [`Limits::linger`].
    Linger,
    /// [`Stop`].
    Stopped,
}

/// A child that has ended, with all it left behind.
#[derive(Debug)]
pub struct Finished {
    /// How.
    pub exit: Exit,
    /// By whom.
    pub ended_by: EndedBy,
    /// The last 64 KiB of standard error; empty when it went into the output file.
    pub stderr: Vec<u8>,
    /// What it had left running in other groups, and what was ended therefore; its own group ends with it, unlisted.
    pub strays: Vec<Stray>,
    /// From the start to the exit.
    pub wall: Duration,
}

/// Why a child did not start.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The run was being stopped already.
    #[error("the run is being stopped")]
    Stopped,
    /// The guard process did not start, and without it a child could outlive this program.
    #[error("cannot start the guard process")]
    Guard(#[source] io::Error),
    /// The output file cannot be made.
    #[error("cannot create `{}`", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no room for what the child shall read, or for its errors.
    #[error("cannot make a temporary file")]
    Temporary(#[source] io::Error),
    /// The directory to start in is not there.
    #[error("`{}` is no directory", .0.display())]
    Directory(PathBuf),
    /// The program did not start.
    #[error("cannot start `{}`", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
}
