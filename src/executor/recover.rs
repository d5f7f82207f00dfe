//! What a dead run left: its processes are ended, its attempts settled from the first stage that is missing.

use super::change::Before;
use super::conclude::{conclude, kind_of};
use super::integrate;
use super::job::Job;
use super::put_back::put_back;
use super::site::{Site, Sites};
use super::worker::{Ended, Worked, ended};
use crate::agent::{self, Adopted};
use crate::ids::{AttemptId, Step};
use crate::lifecycle::event::AttemptEnd;
use crate::process::orphans;

/// Ends every process that carries the mark of an earlier run of this spec; tells how many there were.
pub async fn end_strays(spec_mark: &str) -> usize {
    orphans::end_all(spec_mark, 1).await.len()
}

/// How an attempt in flight ended whose run died: a complete answer is adopted and its work committed (or the commit
/// found that exists already); what landed has landed; anything else was interrupted, and begins again from the last
/// commit where its conversation cannot be gone on with. A check without a reaped status runs again.
pub fn settle_left(job: &Job, sites: &Sites, attempt: AttemptId, resumed: bool, work: Worked) -> Ended {
    match attempt.step {
        Step::Check(_) | Step::Compare => return ended(attempt, AttemptEnd::Interrupted { resumable: false }),
        Step::Integrate => return settle_integration(job, attempt, &work),
        _ => {}
    }
    let stream = job.paths.stream(&attempt);
    let (resumable, trouble) = match agent::adopt(&stream, kind_of(&attempt.step), job.redactor.clone()) {
        Ok(Adopted::Complete(reply)) => match sites.left(job, &attempt.on) {
            Some(site) => {
                let head = head_before(job, &site, &attempt, &work);
                let before = Before { work, head, ..Before::default() };
                let mut adopted = conclude(job, &site, attempt, *reply, &before);
                adopted.notes.push("its result was complete when the run died, and was adopted".to_owned());
                return adopted;
            }
            None => (false, Some("its worktree is gone, and what it did with it".to_owned())),
        },
        Ok(Adopted::Interrupted { resumable }) => (resumable || resumed, None),
        Ok(Adopted::Nothing) => (resumed, None),
        Err(error) => (resumed, Some(format!("its stream cannot be read: {error}"))),
    };
    let mut over = ended(attempt, AttemptEnd::Interrupted { resumable });
    over.notes.extend(trouble);
    if !resumable
        && over.attempt.step.writes()
        && let Some(site) = sites.left(job, &over.attempt.on)
        && let Some(worktree) = site.worktree()
    {
        over.notes.extend(put_back(worktree, &over.attempt));
    }
    over
}

/// The commit that a step began at, as far as it can still be told: what was committed since is its own.
fn head_before(job: &Job, site: &Site, attempt: &AttemptId, work: &Worked) -> Option<String> {
    let (repository, worktree) = (job.tree.repository()?, site.worktree()?);
    let head = worktree.head().ok()?;
    if worktree.commit_of(attempt).ok()?.as_ref() == Some(&head) {
        // cco had committed it already, and taken back before what was not its own.
        return Some(head);
    }
    match &work.tip {
        Some(tip) => Some(tip.clone()),
        None => repository.merge_base(&head, &repository.tip().ok()?).ok()?,
    }
}

/// A landing is one step of git's: it happened or not.
fn settle_integration(job: &Job, attempt: AttemptId, work: &Worked) -> Ended {
    let landed = job.tree.repository().map(|repository| integrate::landed(job, repository, &attempt, work));
    match landed {
        Some(Ok(Some(landed))) => {
            let mut adopted = ended(attempt, AttemptEnd::Integrated(Box::new(landed)));
            adopted.notes.push("it had landed when the run died".to_owned());
            adopted
        }
        Some(Err(error)) => {
            let mut over = ended(attempt, AttemptEnd::Interrupted { resumable: false });
            over.notes.push(format!("whether it had landed cannot be told yet: {error}"));
            over
        }
        Some(Ok(None)) | None => ended(attempt, AttemptEnd::Interrupted { resumable: false }),
    }
}
