//! cco looks at what somebody else left in a worktree: it is taken in, and the change checks are made on it.

use super::conclude::{Judged, judge, product_of};
use super::job::Job;
use super::site::Site;
use super::worker::{Ended, Worked, ended};
use crate::ids::AttemptId;
use crate::lifecycle::event::{AttemptEnd, Trouble};
use crate::tree::TreeError;

/// Judges what is there. Nothing of it is undone: it is the user's.
pub fn compare(job: &Job, site: &Site, attempt: AttemptId, work: &Worked) -> Ended {
    let mut out = ended(attempt, AttemptEnd::Interrupted { resumable: false });
    out.end = match look(job, site, &mut out, work) {
        Ok(end) => end,
        Err(error) => {
            let message = format!("what is in the worktree cannot be told: {error}");
            AttemptEnd::Failed { class: Trouble::NotStarted, message, resumable: false }
        }
    };
    out
}

fn look(job: &Job, site: &Site, out: &mut Ended, work: &Worked) -> Result<AttemptEnd, TreeError> {
    let product = product_of(job, site);
    let (Some(repository), Some(worktree)) = (job.tree.repository(), site.worktree()) else {
        return Ok(AttemptEnd::Compared { commit: None, product, findings: Vec::new(), change: None });
    };
    let head = worktree.head()?;
    let branch = repository.tip()?;
    let own = !repository.is_ancestor(&head, &branch)?;
    let commit = (own && work.tip.as_ref() != Some(&head)).then(|| head.clone());
    if let Some(commit) = &commit {
        worktree.keep(&format!("tip/{}", out.attempt.on), commit)?;
    }
    let Judged { findings, notes, change } = judge(job, repository, worktree, &out.attempt, work, true)?;
    out.notes.extend(notes);
    let change = Some(Box::new(change));
    Ok(AttemptEnd::Compared { commit: commit.map(Into::into), product, findings, change })
}
