//! The trees in which the base, a level and the whole are proven: made anew from the commit, with what `setup` and `copy`
//! say, and no agent ever worked in them.

use std::path::PathBuf;

use tokio::sync::{Mutex, watch};

use super::job::Job;
use super::prepare::{NoPlace, set_up};
use crate::ids::AttemptId;
use crate::lifecycle::event::Scope;
use crate::process::Stop;

/// A fresh tree of a run, made when it is first needed, and made anew when another commit is asked for or something else is
/// judged: what a level's checks left is not what the whole is proven with.
#[derive(Debug)]
pub struct FreshTree {
    name: &'static str,
    made: Mutex<Option<Made>>,
}

#[derive(Debug, Clone)]
struct Made {
    commit: String,
    scope: Scope,
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

impl FreshTree {
    /// Where the whole is proven.
    pub fn of_the_whole() -> Self {
        Self { name: "final", made: Mutex::default() }
    }

    /// Where the base is proven, and what worktrees are warmed from. Nobody else's tree, so that it stays as long as the
    /// run lives.
    pub fn of_the_base() -> Self {
        Self { name: "base", made: Mutex::default() }
    }

    /// Its name among the worktrees.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The tree of `commit` for a check of the base, of a level or of the whole, made and set up by whichever comes first.
    /// Without git it is the work directory itself.
    ///
    /// # Errors
    /// [`NoPlace`].
    pub async fn place(
        &self,
        job: &Job,
        commit: Option<&str>,
        scope: Scope,
        attempt: &AttemptId,
        stop: &watch::Receiver<Stop>,
    ) -> Result<Place, NoPlace> {
        let Some(repository) = job.tree.repository() else {
            return Ok(Place { dir: job.work_dir.clone(), tree: None });
        };
        let failed = |what: &str, error: &dyn std::fmt::Display| NoPlace::Failed(format!("{what}: {error}"));
        let commit = match commit {
            Some(commit) => commit.to_owned(),
            None => repository.tip().map_err(|error| failed("the branch cannot be read", &error))?,
        };
        let mut made = self.made.lock().await;
        if let Some(known) = made.as_ref().filter(|known| known.commit == commit && known.scope == scope) {
            return Ok(known.place.clone());
        }
        *made = None;
        let fresh = tokio::task::block_in_place(|| repository.fresh(self.name, &commit));
        let fresh = fresh.map_err(|error| failed("no fresh worktree can be made", &error))?;
        let place = Place { dir: fresh.dir, tree: Some(fresh.tree) };
        set_up(job, &place.dir, attempt, stop).await?;
        *made = Some(Made { commit, scope, place: place.clone() });
        Ok(place)
    }

    /// Removes the tree, or that of a run that was killed before it could; what it was for is recorded.
    pub async fn discard(&self, job: &Job) {
        *self.made.lock().await = None;
        if let Some(repository) = job.tree.repository()
            && let Err(error) = repository.discard_fresh(self.name)
        {
            tracing::warn!("the worktree `{}` stays: {error}", self.name);
        }
    }
}
