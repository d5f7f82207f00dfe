//! The tree in which a level and the whole are proven: made anew from the commit, with what `setup` and `copy` say, and no
//! agent ever worked in it.

use std::path::PathBuf;

use tokio::sync::{Mutex, watch};

use super::job::Job;
use super::prepare::{NoPlace, set_up};
use crate::ids::AttemptId;
use crate::lifecycle::event::Scope;
use crate::process::Stop;

/// The name of the worktree.
const NAME: &str = "final";

/// The fresh tree of a run, made when it is first needed, and made anew when the branch has moved or something else is
/// judged: what a level's checks left is not what the whole is proven with.
#[derive(Debug, Default)]
pub struct FreshTree(Mutex<Option<Made>>);

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
    /// The tree of `commit` for a check of a level or of the whole, made and set up by whichever check comes first. Without git it is the
    /// work directory itself.
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
        let mut made = self.0.lock().await;
        if let Some(known) = made.as_ref().filter(|known| known.commit == commit && known.scope == scope) {
            return Ok(known.place.clone());
        }
        *made = None;
        let fresh = tokio::task::block_in_place(|| repository.fresh(NAME, &commit));
        let fresh = fresh.map_err(|error| failed("no fresh worktree can be made", &error))?;
        let place = Place { dir: fresh.dir, tree: Some(fresh.tree) };
        set_up(job, &place.dir, attempt, stop).await?;
        *made = Some(Made { commit, scope, place: place.clone() });
        Ok(place)
    }

    /// Removes the tree, or that of a run that was killed before it could; what it was for is recorded.
    pub async fn discard(&self, job: &Job) {
        *self.0.lock().await = None;
        if let Some(repository) = job.tree.repository()
            && let Err(error) = repository.discard_fresh(NAME)
        {
            tracing::warn!("the worktree of the final validation stays: {error}");
        }
    }
}
