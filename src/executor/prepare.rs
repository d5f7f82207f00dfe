//! What a worktree needs before anything is proven or begun in it: the files of `copy`, the directories of `warm`, and
//! the commands of `setup`; and what is run before it goes.

use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;

use super::job::Job;
use crate::check::CheckRun;
use crate::ids::{AttemptId, Step, Subject};
use crate::process::Stop;

/// Why there is no place to work in.
#[derive(Debug)]
pub enum NoPlace {
    /// cco was told to stop.
    Stopped,
    /// This, in words.
    Failed(String),
}

/// Prepares the worktree whose work directory is `dir`.
///
/// # Errors
/// A file cannot be copied, a command of `setup` failed, or cco was told to stop.
pub async fn set_up(job: &Job, dir: &Path, attempt: &AttemptId, stop: &watch::Receiver<Stop>) -> Result<(), NoPlace> {
    job.bench(attempt).set_up(dir, attempt, stop).await
}

/// Runs the commands of `teardown`. What fails there is told and keeps nothing.
pub async fn tear_down(job: &Job, dir: &Path, on: &Subject) {
    let attempt = AttemptId { on: on.clone(), step: Step::Integrate, n: 1 };
    job.bench(&attempt).tear_down(dir, &attempt).await;
}

/// A command of the manifest that is no check, run like one.
pub fn command_run(
    job: &Job,
    dir: &Path,
    attempt: &AttemptId,
    name: &str,
    command: &str,
    log: String,
    timeout: Duration,
) -> CheckRun {
    job.bench(attempt).command(dir, attempt, name, command, log, timeout)
}
