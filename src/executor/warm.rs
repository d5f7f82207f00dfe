//! Worktrees begin with what was built in that of the base already: the ignored files that `warm` names.
//!
//! They come from the worktree in which the base was prepared and checked, and in which no agent worked; never from the
//! user's checkout. The trees in which something is proven are not warmed: they must not pass by what lay about.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::fresh::FreshTree;
use super::job::Job;
use super::prepare::NoPlace;
use super::untouched::named;
use crate::ids::AttemptId;
use crate::lifecycle::event::Scope;
use crate::process::Stop;
use crate::spec::writeset::WriteSet;
use crate::tree::{Repository, Worktree};

/// What worktrees are warmed with.
#[derive(Debug)]
pub struct Warmth {
    base: Arc<FreshTree>,
    /// Whether it was said already what cannot be had.
    told: AtomicBool,
}

impl From<Arc<FreshTree>> for Warmth {
    fn from(base: Arc<FreshTree>) -> Self {
        Self { base, told: AtomicBool::new(false) }
    }
}

impl Warmth {
    /// Gives a new worktree what `warm` names; nothing where it names nothing. Killed meanwhile, the worktree is not
    /// ready, and is made anew.
    ///
    /// # Errors
    /// The worktree of the base cannot be prepared, something in it cannot be copied, or cco was told to stop.
    pub async fn warm(
        &self,
        job: &Job,
        repository: &Repository,
        to: &Worktree,
        attempt: &AttemptId,
        stop: &watch::Receiver<Stop>,
    ) -> Result<(), NoPlace> {
        let asked = &job.manifest.execution.warm;
        if asked.is_empty() {
            return Ok(());
        }
        let place =
            self.base.place(job, Some(repository.base()), Scope::Baseline, attempt, stop).await.map_err(|error| {
                match error {
                    NoPlace::Stopped => NoPlace::Stopped,
                    NoPlace::Failed(why) => NoPlace::Failed(format!("the worktree of the base, for `warm`: {why}")),
                }
            })?;
        let failed = |error: &dyn std::fmt::Display| NoPlace::Failed(format!("`warm` cannot be copied: {error}"));
        let goes_on = || *stop.borrow() == Stop::Run;
        tokio::task::block_in_place(|| {
            let ignored = repository.ignored_in(self.base.name()).map_err(|error| failed(&error))?;
            let (paths, missing) = choose(asked, &ignored);
            let warmed = repository.warm(self.base.name(), to, &paths, &goes_on).map_err(|error| failed(&error))?;
            if !self.told.swap(true, Ordering::Relaxed) {
                missing.iter().for_each(|path| tell_missing(&place.dir, path));
                if !warmed.left_out.is_empty() {
                    let links = warmed.left_out.iter().map(|path| path.display().to_string());
                    tracing::warn!("links of `warm` that lead out of the worktree are left out: {}", named(links));
                }
            }
            if warmed.stopped { Err(NoPlace::Stopped) } else { Ok(()) }
        })
    }
}

/// What of `ignored` is asked for, and what is asked for in vain. Only ignored files: others would be taken for work of
/// the component.
fn choose<'a>(asked: &'a [String], ignored: &[PathBuf]) -> (Vec<PathBuf>, Vec<&'a str>) {
    let (mut paths, mut missing) = (Vec::new(), Vec::new());
    for text in asked {
        let set = WriteSet::new([text.as_str()]).unwrap_or_default();
        let before = paths.len();
        paths.extend(ignored.iter().filter(|path| set.matches(path)).cloned());
        let path: PathBuf = Path::new(text).components().collect();
        if paths.len() == before && ignored.iter().any(|above| path.starts_with(above)) {
            paths.push(path);
        }
        if paths.len() == before {
            missing.push(text.as_str());
        }
    }
    (paths, missing)
}

fn tell_missing(base: &Path, path: &str) {
    if fs_err::symlink_metadata(base.join(path)).is_ok() {
        tracing::warn!("`{path}` of `warm` is not copied: git does not ignore it, so it would be taken for work");
    } else {
        tracing::warn!("`{path}` of `warm` is not there: neither `setup` nor a check of the base makes it");
    }
}
