//! Where commands of the manifest run: the same for a run, and for a proof that needs none.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::fresh::Place;
use super::job::names;
use super::prepare::NoPlace;
use crate::check::{self, CheckRun, Ran};
use crate::ids::{AttemptId, Subject};
use crate::lifecycle::event::Verdict;
use crate::plan::{CheckPlan, Plan};
use crate::process::{Stop, Supervisor};
use crate::redact::Redactor;
use crate::spec::execution::Execution;

/// How long each command of `setup` may take.
const SETUP_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// How long each command of `teardown` may take.
pub const TEARDOWN_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// What a command of the manifest is run with.
pub struct Bench<'a> {
    /// What the manifest says of worktrees.
    pub execution: &'a Execution,
    /// The user's own directory, from which files are copied.
    pub work_dir: &'a Path,
    /// The work environment.
    pub env: &'a Arc<[(OsString, OsString)]>,
    /// The variables that tell a command whose it is.
    pub names: Vec<(OsString, OsString)>,
    /// Where outputs go.
    pub logs: &'a Path,
    /// Who knows all children.
    pub supervisor: &'a Supervisor,
    /// What must not be told of what processes say.
    pub redactor: &'a Arc<Redactor>,
}

impl Bench<'_> {
    /// The variables that tell a command that it is of the whole.
    pub fn names_of_the_run(plan: &Plan) -> Vec<(OsString, OsString)> {
        names(plan, &Subject::Run)
    }

    /// Prepares the worktree whose work directory is `dir`.
    ///
    /// # Errors
    /// A file cannot be copied, a command of `setup` failed, or cco was told to stop.
    pub async fn set_up(&self, dir: &Path, attempt: &AttemptId, stop: &watch::Receiver<Stop>) -> Result<(), NoPlace> {
        let copied = self.copy(dir);
        copied.map_err(|error| NoPlace::Failed(format!("a file of `copy` cannot be brought along: {error}")))?;
        for (n, command) in self.execution.setup.iter().enumerate() {
            let log = format!("{}.setup-{}.log", attempt.file_stem(), n + 1);
            let run = self.command(dir, attempt, "setup", command.as_str(), log, SETUP_TIMEOUT);
            match check::run(self.supervisor, run, stop.clone()).await {
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
    pub async fn tear_down(&self, dir: &Path, attempt: &AttemptId) {
        let on = &attempt.on;
        for (n, command) in self.execution.teardown.iter().enumerate() {
            let log = format!("{on}.teardown-{}.log", n + 1);
            let run = self.command(dir, attempt, "teardown", command.as_str(), log, TEARDOWN_TIMEOUT);
            let never = watch::channel(Stop::Run).1;
            if let Ran::Checked(result) = check::run(self.supervisor, run, never).await
                && result.verdict != Verdict::Pass
            {
                tracing::warn!("the teardown command `{}` of {on} failed", command.as_str());
            }
        }
    }

    /// Brings the untracked files along that checks need. One that is not there is none of the checks' business.
    fn copy(&self, dir: &Path) -> std::io::Result<()> {
        for file in &self.execution.copy {
            let (from, to) = (self.work_dir.join(&file.path), dir.join(&file.path));
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
    pub fn command(
        &self,
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
            env: self.env.clone(),
            extra_env: self.names.clone(),
            timeout,
            log: self.logs.join(log),
            attempt: Arc::from(attempt.to_string()),
            tree: None,
            redactor: self.redactor.clone(),
        }
    }

    /// A check, in a place.
    pub fn check(&self, plan: &CheckPlan, attempt: &AttemptId, place: &Place, log: PathBuf) -> CheckRun {
        let mut extra_env = self.names.clone();
        extra_env.extend(plan.env.iter().map(|(name, value)| (name.into(), value.into())));
        CheckRun {
            name: plan.name.clone(),
            command: plan.run.clone(),
            dir: plan.dir.as_ref().map_or_else(|| place.dir.clone(), |dir| place.dir.join(dir)),
            junit: plan.junit.as_ref().map(|path| place.dir.join(path)),
            env: self.env.clone(),
            extra_env,
            timeout: plan.timeout,
            log,
            attempt: Arc::from(attempt.to_string()),
            tree: place.tree.clone(),
            redactor: self.redactor.clone(),
        }
    }
}
