//! The guard: a process of its own that outlives this program just long enough to end what it left behind.
//!
//! It waits on a pipe whose other end only `cco` holds. A byte means that all is in order; the end of the pipe without
//! one means that `cco` was killed, and then everything that carries the run's mark is killed too, whatever sessions
//! and groups it hides in.

use std::io::{self, Read as _};
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{orphans, os};

/// The subcommand under which `cco` starts itself as the guard; the run's mark is its argument.
pub const SUBCOMMAND: &str = "guard";
/// What `cco` writes before it leaves in peace.
pub(super) const GOODBYE: u8 = b'.';
/// How many looks in a row must find nothing: one that forks and ends in the same moment can be missed by one.
const CLEAN_PASSES: u32 = 3;

/// Runs the guard of the run `run_mark`, with the pipe as standard input.
pub fn main(run_mark: &str) -> ExitCode {
    if run_mark.is_empty() {
        return ExitCode::FAILURE;
    }
    leave_session();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    runtime.block_on(async {
        let _ignored = ignore_signals();
        if !said_goodbye() {
            orphans::end_all(run_mark, CLEAN_PASSES).await;
        }
    });
    ExitCode::SUCCESS
}

/// Leaves the terminal. The guard starts as the leader of a group of its own, so that no signal for `cco`'s group
/// reaches it even for a moment; but a leader cannot open a session, so it goes back for the blink of an eye.
fn leave_session() {
    // If the parent is dead already, then init stands in its place, and a group of its own is all the guard needs.
    if let Some(back) = rustix::process::getppid().and_then(os::group_of)
        && rustix::process::setpgid(None, Some(back)).is_ok()
    {
        let _ = rustix::process::setsid();
    }
}

/// Keeps signals that are meant for `cco` from ending the guard first: a handler that does nothing.
fn ignore_signals() -> Vec<Signal> {
    [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit(), SignalKind::terminate()]
        .into_iter()
        .filter_map(|kind| signal(kind).ok())
        .collect()
}

/// Waits for the end of `cco`; says whether it was in order.
fn said_goodbye() -> bool {
    let mut byte = [0];
    loop {
        match io::stdin().read(&mut byte) {
            Ok(count) => return count == 1 && byte == [GOODBYE],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}
