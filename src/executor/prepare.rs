//! What a worktree needs before anything is proven or begun in it: the files of `copy`, the directories of `warm`, and
//! the commands of `setup`; and what is run before it goes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::job::Job;
use crate::check::{self, CheckRun, Ran};
use crate::ids::{AttemptId, Step, Subject};
use crate::lifecycle::event::Verdict;
use crate::process::Stop;

/// How long each command of `setup` may take.
const SETUP_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// How long each command of `teardown` may take.
pub const TEARDOWN_TIMEOUT: Duration = Duration::from_secs(5 * 60);

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
    copy(job, dir).map_err(|error| NoPlace::Failed(format!("a file of `copy` cannot be brought along: {error}")))?;
    for (n, command) in job.manifest.execution.setup.iter().enumerate() {
        let log = format!("{}.setup-{}.log", attempt.file_stem(), n + 1);
        let run = command_run(job, dir, attempt, "setup", command.as_str(), log, SETUP_TIMEOUT);
        match check::run(&job.supervisor, run, stop.clone()).await {
            Ran::Interrupted => return Err(NoPlace::Stopped),
            Ran::Checked(result) if result.verdict == Verdict::Pass => {}
            Ran::Checked(result) => {
                let exit = result.evidence.exit.map_or_else(String::new, |exit| format!(" with status {exit}"));
                let why = format!("the setup command `{}` failed{exit}", command.as_str());
                return Err(NoPlace::Failed(why));
            }
        }
    }
    Ok(())
}

/// Runs the commands of `teardown`. What fails there is told and keeps nothing.
pub async fn tear_down(job: &Job, dir: &Path, on: &Subject) {
    let attempt = AttemptId { on: on.clone(), step: Step::Integrate, n: 1 };
    for (n, command) in job.manifest.execution.teardown.iter().enumerate() {
        let log = format!("{on}.teardown-{}.log", n + 1);
        let run = command_run(job, dir, &attempt, "teardown", command.as_str(), log, TEARDOWN_TIMEOUT);
        let never = watch::channel(Stop::Run).1;
        if let Ran::Checked(result) = check::run(&job.supervisor, run, never).await
            && result.verdict != Verdict::Pass
        {
            tracing::warn!("the teardown command `{}` of {on} failed", command.as_str());
        }
    }
}

/// Brings the untracked files along that checks need. One that is not there is none of the checks' business.
fn copy(job: &Job, dir: &Path) -> std::io::Result<()> {
    for file in &job.manifest.execution.copy {
        let (from, to) = (job.work_dir.join(&file.path), dir.join(&file.path));
        if !from.is_file() {
            continue;
        }
        if let Some(parent) = to.parent() {
            fs_err::create_dir_all(parent)?;
        }
        fs_err::copy(&from, &to)?;
    }
    Ok(())
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
    CheckRun {
        name: Arc::from(name),
        command: command.to_owned(),
        dir: dir.to_owned(),
        junit: None,
        env: job.env.check.clone(),
        extra_env: job.names(attempt),
        timeout,
        log: job.paths.runs().join(log),
        attempt: Arc::from(attempt.to_string()),
        tree: None,
        redactor: job.redactor.clone(),
    }
}
