//! Where each subject works: a worktree of its own, set up before anything runs in it, or the work directory that all
//! share.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::job::Job;
use super::prepare::{NoPlace, set_up, tear_down};
use super::put_back::put_back;
use super::worker::Worked;
use crate::ids::{AttemptId, Subject};
use crate::process::Stop;
use crate::tree::digests::Snapshot;
use crate::tree::{Repository, TreeError, Worktree};

/// The places of a run, each made when it is first needed.
#[derive(Debug, Default)]
pub struct Sites(Mutex<HashMap<Subject, Arc<Cell>>>);

/// The place of one subject, and who is there.
#[derive(Debug, Default)]
struct Cell {
    worktree: tokio::sync::Mutex<Option<Arc<Worktree>>>,
    users: AtomicUsize,
    /// Counts the times that somebody changed what all there may only read.
    meddled: AtomicU64,
    checking: Mutex<Checking>,
}

/// Checks that run in a place, and how it was before the first of them.
#[derive(Debug, Default)]
pub struct Checking {
    /// How many run.
    pub count: usize,
    /// The commit that was checked out.
    pub head: Option<String>,
    /// What differed from it.
    pub dirty: HashSet<PathBuf>,
    /// What was in the directory that all share.
    pub whole: Option<Snapshot>,
}

/// A place to work in, for as long as this is held.
#[derive(Debug)]
pub struct Site {
    /// Whose it is.
    pub on: Subject,
    /// The work directory within it.
    pub dir: PathBuf,
    worktree: Option<Arc<Worktree>>,
    cell: Arc<Cell>,
}

impl Site {
    /// The worktree; none in the work directory that all share.
    pub fn worktree(&self) -> Option<&Worktree> {
        self.worktree.as_deref()
    }

    /// A number that differs once somebody changed what all here may only read.
    pub fn meddled(&self) -> u64 {
        self.cell.meddled.load(Ordering::SeqCst)
    }

    /// Notes that somebody did.
    pub fn note_meddled(&self) {
        self.cell.meddled.fetch_add(1, Ordering::SeqCst);
    }

    /// The checks that run here.
    pub fn checking(&self) -> MutexGuard<'_, Checking> {
        self.cell.checking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.cell.users.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Sites {
    /// The place of all, where they share one.
    pub fn shared(&self, job: &Job, on: &Subject) -> Option<Site> {
        let dir = job.tree.shared()?.to_owned();
        // One for all: what changes in it changes for all.
        let cell = self.cell(&Subject::Run);
        cell.users.fetch_add(1, Ordering::SeqCst);
        Some(Site { on: on.clone(), dir, worktree: None, cell })
    }

    /// The place of an attempt: its subject's worktree, made and set up by whoever comes first, and brought to where the
    /// journal says that the subject is. Gives with it what is worth recording.
    ///
    /// # Errors
    /// [`NoPlace`].
    pub async fn open(
        &self,
        job: &Job,
        attempt: &AttemptId,
        work: &Worked,
        stop: &watch::Receiver<Stop>,
    ) -> Result<(Site, Vec<String>), NoPlace> {
        let Some(repository) = job.tree.repository() else {
            let site = self
                .shared(job, &attempt.on)
                .ok_or_else(|| NoPlace::Failed("there is no work directory".to_owned()))?;
            return Ok((site, Vec::new()));
        };
        let cell = self.cell(&attempt.on);
        let mut known = cell.worktree.lock().await;
        let mut notes = Vec::new();
        let worktree = match known.take() {
            // Whoever is there already found it as it must be.
            Some(worktree) if cell.users.load(Ordering::SeqCst) > 0 => worktree,
            _ => {
                let taken = tokio::task::block_in_place(|| take_up(job, repository, attempt, work, &mut notes));
                match taken.map_err(|error| NoPlace::Failed(error.to_string()))? {
                    Taken::Ready(worktree) => Arc::new(worktree),
                    Taken::New(worktree) => {
                        set_up(job, worktree.dir(), attempt, stop).await?;
                        worktree.mark_ready().map_err(|error| NoPlace::Failed(error.to_string()))?;
                        Arc::new(worktree)
                    }
                }
            }
        };
        *known = Some(worktree.clone());
        cell.users.fetch_add(1, Ordering::SeqCst);
        drop(known);
        Ok((Site { on: attempt.on.clone(), dir: worktree.dir().to_owned(), worktree: Some(worktree), cell }, notes))
    }

    /// The place of a subject as a dead run left it; none where there is none to work in.
    pub fn left(&self, job: &Job, on: &Subject) -> Option<Site> {
        let Some(repository) = job.tree.repository() else { return self.shared(job, on) };
        let worktree = Arc::new(repository.worktree(on).ok().flatten().filter(Worktree::is_ready)?);
        let cell = self.cell(on);
        cell.users.fetch_add(1, Ordering::SeqCst);
        Some(Site { on: on.clone(), dir: worktree.dir().to_owned(), worktree: Some(worktree), cell })
    }

    /// Removes the worktree of a subject whose work is on the branch.
    pub async fn clear(&self, job: &Job, on: &Subject) {
        let Some(repository) = job.tree.repository() else { return };
        let cell = self.cell(on);
        let mut known = cell.worktree.lock().await;
        *known = None;
        if cell.users.load(Ordering::SeqCst) > 0 {
            return;
        }
        let found = tokio::task::block_in_place(|| repository.worktree(on));
        // Of one that is half gone already the rest goes.
        if let Ok(Some(worktree)) = found {
            tear_down(job, worktree.dir(), on).await;
        }
        if let Err(error) = tokio::task::block_in_place(|| repository.remove(on)) {
            tracing::warn!("the worktree of {on} stays: {error}");
        }
    }

    fn cell(&self, on: &Subject) -> Arc<Cell> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(on.clone()).or_default().clone()
    }
}

/// A worktree, and whether anything was ever done in it.
enum Taken {
    Ready(Worktree),
    New(Worktree),
}

/// The worktree of a subject at the commit that the journal knows: what is there already is gone on with.
fn take_up(
    job: &Job,
    repository: &Repository,
    attempt: &AttemptId,
    work: &Worked,
    notes: &mut Vec<String>,
) -> Result<Taken, TreeError> {
    let branch = repository.tip()?;
    // What the branch holds is nobody's own any more.
    let own = match &work.tip {
        Some(tip) if !repository.is_ancestor(tip, &branch)? => Some(tip.as_str()),
        Some(_) | None => None,
    };
    // In one that was never ready nobody has worked.
    let found = repository.worktree(&attempt.on)?;
    if let Some(unready) = found.as_ref().filter(|found| !found.is_ready())
        && let Some(commit) =
            unready.adopt(&job.plan.spec, &attempt.on, "what was in a worktree that was not set up")?
    {
        repository.keep(&format!("abandoned/{}-unready", attempt.file_stem()), &commit)?;
    }
    let Some(worktree) = found.filter(Worktree::is_ready) else {
        repository.remove(&attempt.on)?;
        return repository.set_up(&attempt.on, own.unwrap_or(&branch)).map(Taken::New);
    };
    if work.cut_off && attempt.step.writes() {
        notes.extend(put_back(&worktree, attempt));
    } else if work.untried {
        notes.extend(adopt(job, &worktree, attempt)?);
    }
    let head = worktree.head()?;
    match own {
        Some(tip) if head != tip && !repository.is_ancestor(tip, &head)? => {
            notes.push(go_to(job, &worktree, attempt, &head, tip)?);
        }
        // Nothing of its own is there: it begins with what the others have finished.
        None if work.untried && head != branch && repository.is_ancestor(&head, &branch)? => {
            worktree.position(&branch)?;
        }
        Some(_) | None => {}
    }
    Ok(Taken::Ready(worktree))
}

/// Takes in what the user changed in the worktree while nobody worked there.
fn adopt(job: &Job, worktree: &Worktree, attempt: &AttemptId) -> Result<Option<String>, TreeError> {
    let Some(commit) = worktree.adopt(&job.plan.spec, &attempt.on, "changes in the worktree")? else { return Ok(None) };
    let dir = worktree.dir().display();
    Ok(Some(format!("what was changed in `{dir}` while nobody worked there was taken in as {commit}, by user")))
}

/// Goes to the commit that the journal knows, from one that it does not.
fn go_to(job: &Job, worktree: &Worktree, attempt: &AttemptId, head: &str, tip: &str) -> Result<String, TreeError> {
    let kept = format!("abandoned/{}-head", attempt.file_stem());
    worktree.keep(&kept, head)?;
    worktree.position(tip)?;
    Ok(format!("its worktree was at a commit that is not of its work: kept as `refs/cco/{}/{kept}`", job.plan.spec))
}
