//! Check commands: each in the place that it judges, which afterwards is as it was before.

use tokio::sync::watch;

use super::{Ended, Worked, Worker, ended, noting};
use crate::check::{self, CheckRun, Ran};
use crate::executor::change;
use crate::executor::common;
use crate::executor::fresh::Place;
use crate::executor::job::Job;
use crate::executor::prepare::NoPlace;
use crate::executor::site::{Checking, Site};
use crate::executor::untouched::set_right;
use crate::ids::AttemptId;
use crate::lifecycle::event::{AttemptEnd, Scope};
use crate::plan::CheckIndex;
use crate::process::Stop;
use crate::tree::Worktree;

impl Worker {
    pub(super) async fn check(
        &self,
        attempt: AttemptId,
        index: CheckIndex,
        scope: Scope,
        work: &Worked,
        stop: watch::Receiver<Stop>,
    ) -> Ended {
        let job = &*self.job;
        // The base, a level and the whole are judged by what is committed, where no agent ever worked.
        if let (Some(repository), Scope::Baseline | Scope::Level(_) | Scope::Final) = (job.tree.repository(), scope) {
            let commit = if scope == Scope::Baseline { Some(repository.base()) } else { work.tip.as_deref() };
            return match self.fresh.place(job, commit, scope, &attempt, &stop).await {
                Ok(place) => self.run_check(attempt, index, place, stop).await,
                Err(no_place) => self.unchecked(attempt, index, no_place),
            };
        }
        let (site, notes) = match self.sites.open(job, &attempt, work, &stop).await {
            Ok(opened) => opened,
            Err(no_place) => return self.unchecked(attempt, index, no_place),
        };
        let tree = match site.worktree().map(Worktree::tree).transpose() {
            Ok(None) => tokio::task::block_in_place(|| job.common.as_ref().and_then(|common| common.tree())),
            Ok(tree) => tree,
            Err(error) => return self.unchecked(attempt, index, NoPlace::Failed(error.to_string())),
        };
        tokio::task::block_in_place(|| begin_check(job, &site));
        let ran = self.run_check(attempt, index, Place { dir: site.dir.clone(), tree }, stop).await;
        let undone = tokio::task::block_in_place(|| end_check(job, &site, &ran.attempt));
        noting(ran, notes.into_iter().chain(undone).collect())
    }

    async fn run_check(
        &self,
        attempt: AttemptId,
        index: CheckIndex,
        place: Place,
        stop: watch::Receiver<Stop>,
    ) -> Ended {
        match check::run(&self.job.supervisor, self.check_run(&attempt, index, place), stop).await {
            Ran::Checked(result) => {
                let ms = result.evidence.ms;
                Ended { ms, ..ended(attempt, AttemptEnd::Checked(Box::new(result))) }
            }
            Ran::Interrupted => ended(attempt, AttemptEnd::Interrupted { resumable: false }),
        }
    }

    /// A check that has no place to run in.
    fn unchecked(&self, attempt: AttemptId, index: CheckIndex, no_place: NoPlace) -> Ended {
        match no_place {
            NoPlace::Stopped => ended(attempt, AttemptEnd::Interrupted { resumable: false }),
            NoPlace::Failed(why) => {
                let nowhere = Place { dir: self.job.work_dir.clone(), tree: None };
                let result = check::unavailable(&self.check_run(&attempt, index, nowhere), why);
                ended(attempt, AttemptEnd::Checked(Box::new(result)))
            }
        }
    }

    fn check_run(&self, attempt: &AttemptId, index: CheckIndex, place: Place) -> CheckRun {
        let job = &*self.job;
        job.bench(attempt).check(job.plan.check(index), attempt, &place, job.paths.log(attempt))
    }
}

/// The first check looks what is half written; the last one puts back whatever else differs then.
fn begin_check(job: &Job, site: &Site) {
    let mut checking = site.checking();
    if checking.count == 0 {
        checking.head = site.worktree().and_then(|worktree| worktree.head().ok());
        checking.dirty = change::dirty(site.worktree());
        checking.whole = job.common.as_ref().and_then(|common| common::begin_checks(common));
    }
    checking.count += 1;
}

fn end_check(job: &Job, site: &Site, attempt: &AttemptId) -> Vec<String> {
    let mut checking = site.checking();
    checking.count -= 1;
    match site.worktree() {
        Some(worktree) if checking.count == 0 => restore_after_checks(job, worktree, attempt, &checking),
        None if checking.count == 0 => match (&job.common, checking.whole.take()) {
            (Some(common), Some(whole)) => common::end_checks(job, common, &whole).into_iter().collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Puts back what checks changed in the tree that others go on with, once none of them runs any more.
fn restore_after_checks(job: &Job, worktree: &Worktree, attempt: &AttemptId, before: &Checking) -> Vec<String> {
    match set_right(job, worktree, attempt, before.head.as_deref(), &before.dirty) {
        Ok(None) => Vec::new(),
        Ok(Some((what, told))) => {
            std::iter::once(format!("{what} changed while checks ran; that was undone")).chain(told).collect()
        }
        Err(error) => vec![format!("what checks changed cannot be undone: {error}")],
    }
}
