//! cco looks at what somebody else left in a worktree: it is taken in, and the change checks are made on it.

use std::path::Path;

use super::change::{breached, tampering};
use super::conclude::{Judged, judge, product_of};
use super::job::Job;
use super::site::Site;
use super::worker::{Ended, Worked, ended};
use crate::ids::AttemptId;
use crate::lifecycle::event::{AttemptEnd, Change, FoundLanding, Issue, Trouble};
use crate::tree::{Bounds, TreeError, Until, Worktree};

/// Makes the change checks on what landed and has no records any more: on the files of that commit alone, whatever else
/// the branch holds by now, and as they are now, since later work may have mended them. What it may touch is asked too,
/// since nobody knows who made it.
fn judge_landed(
    job: &Job,
    worktree: &Worktree,
    attempt: &AttemptId,
    landing: &FoundLanding,
) -> Result<Judged, TreeError> {
    let files = worktree.differing(&landing.onto, &landing.commit)?;
    let touched = |path: &Path| files.contains(path);
    let changes = worktree.changes(&landing.onto, Until::Commit("HEAD"), &touched, Bounds::default())?;
    let resolved = |path: &Path| landing.conflicts.iter().any(|file| Path::new(file) == path);
    let at = job.index_of(&attempt.on);
    let breach = |path: &Path| at.and_then(|at| job.owners().breach(at, path)).filter(|_| !resolved(path));
    let kept = "it is on the branch, and its records are lost";
    let breaches = changes.iter().filter_map(|it| Some(breached(&it.path, &breach(&it.path)?, kept)));
    let mut findings: Vec<Issue> = breaches.collect();
    let (tampering, notes) = tampering(job, attempt, changes, true);
    findings.extend(tampering);
    let patch = worktree.patch_id(&landing.onto, &landing.commit, &|_| true)?.map(Into::into);
    let change = Change { base: landing.onto.clone(), tree: landing.tree.clone(), patch };
    Ok(Judged { findings, notes, change })
}

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
    let product = job.definition_of(&out.attempt.on).map(|definition| product_of(site, definition));
    let (Some(repository), Some(worktree)) = (job.tree.repository(), site.worktree()) else {
        return Ok(AttemptEnd::Compared { commit: None, product, findings: Vec::new(), change: None });
    };
    if let Some(landing) = &work.found {
        let Judged { findings, notes, change } = judge_landed(job, worktree, &out.attempt, landing)?;
        out.notes.extend(notes);
        return Ok(AttemptEnd::Compared { commit: None, product, findings, change: Some(Box::new(change)) });
    }
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
