//! The tree in which the whole is proven: made anew from the commit, with what `setup` and `copy` say, and no agent ever
//! worked in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use super::job::Job;
use crate::check::{self, CheckRun, Ran};
use crate::ids::AttemptId;
use crate::lifecycle::event::Verdict;
use crate::process::Stop;

/// The name of the worktree.
const NAME: &str = "final";
/// How long all of `setup` may take.
const SETUP_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// The fresh tree of a run, made when it is first needed and made anew when the branch has moved.
#[derive(Debug, Default)]
pub struct FreshTree(Mutex<Option<Made>>);

#[derive(Debug, Clone)]
struct Made {
    commit: String,
    place: Place,
}

/// Where a check of the whole runs.
#[derive(Debug, Clone)]
pub struct Place {
    /// The work directory.
    pub dir: PathBuf,
    /// The id of its tree; none without git.
    pub tree: Option<String>,
}

/// Why there is no tree to prove anything in.
#[derive(Debug)]
pub enum NoPlace {
    /// cco was told to stop.
    Stopped,
    /// This, in words.
    Failed(String),
}

impl FreshTree {
    /// The tree for a check of the whole, made and set up by whichever check comes first. Without git it is the work
    /// directory itself.
    pub async fn place(&self, job: &Job, attempt: &AttemptId, stop: &watch::Receiver<Stop>) -> Result<Place, NoPlace> {
        let Some(worktree) = job.tree.worktree() else {
            return Ok(Place { dir: job.tree.dir().to_owned(), tree: None });
        };
        let failed = |what: &str, error: &dyn std::fmt::Display| NoPlace::Failed(format!("{what}: {error}"));
        let commit = worktree.tip().map_err(|error| failed("the branch cannot be read", &error))?;
        let mut made = self.0.lock().await;
        if let Some(known) = made.as_ref().filter(|known| known.commit == commit) {
            return Ok(known.place.clone());
        }
        *made = None;
        let fresh = worktree.fresh(NAME, &commit).map_err(|error| failed("no fresh worktree can be made", &error))?;
        let place = Place { dir: fresh.dir, tree: Some(fresh.tree) };
        copy(job, &place.dir).map_err(|error| failed("a file of `copy` cannot be brought along", &error))?;
        set_up(job, &place, attempt, stop).await?;
        *made = Some(Made { commit, place: place.clone() });
        Ok(place)
    }

    /// Removes the tree; what it was for is recorded.
    pub async fn discard(&self, job: &Job) {
        if let (Some(_), Some(worktree)) = (self.0.lock().await.take(), job.tree.worktree())
            && let Err(error) = worktree.discard_fresh(NAME)
        {
            tracing::warn!("the worktree of the final validation stays: {error}");
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

/// Runs the commands of `setup` in order; the first that fails is the reason why nothing could be checked.
async fn set_up(job: &Job, place: &Place, attempt: &AttemptId, stop: &watch::Receiver<Stop>) -> Result<(), NoPlace> {
    for (n, command) in job.manifest.execution.setup.iter().enumerate() {
        let run = CheckRun {
            name: Arc::from("setup"),
            command: command.as_str().to_owned(),
            dir: place.dir.clone(),
            junit: None,
            env: job.env.check.clone(),
            extra_env: job.names(attempt),
            timeout: SETUP_TIMEOUT,
            log: job.paths.runs().join(format!("{}.setup-{}.log", attempt.file_stem(), n + 1)),
            attempt: Arc::from(attempt.to_string()),
            tree: place.tree.clone(),
            redactor: job.redactor.clone(),
        };
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
