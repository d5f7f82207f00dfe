//! Going back to an earlier state of a subject's files before a step begins: to the best tree, or to before its
//! implementation.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::job::Job;
use super::put_back::put_back;
use crate::ids::AttemptId;
use crate::lifecycle::subject::Origin;
use crate::tree::{Commit, Repository, State, TreeError, Worktree};

/// Sets the subject's files back, in a further commit; gives what is worth recording.
///
/// # Errors
/// Git's own: the step must not begin on another tree than it was decided for.
pub fn go_back(
    job: &Job,
    repository: &Repository,
    worktree: &Worktree,
    attempt: &AttemptId,
    origin: &Origin,
) -> Result<Vec<String>, TreeError> {
    let mut notes: Vec<String> = put_back(worktree, attempt).into_iter().collect();
    let (state, commit, what) = match origin {
        Origin::At(commit) => (State::Of(commit), commit, "the best state so far"),
        Origin::Before(commit) => (State::Before(commit), commit, "before its implementation"),
    };
    let kept = format!("abandoned/{}", attempt.file_stem());
    worktree.keep(&kept, "HEAD")?;
    let merged = merged_since(repository, worktree, commit)?;
    let summary = format!("go back to {what}");
    let commit = Commit { spec: &job.plan.spec, attempt, summary: &summary, paths: &[] };
    let owns = |path: &Path| !merged.contains(path);
    if let Some(made) = worktree.restore(state, &owns, &commit)? {
        worktree.keep(&format!("tip/{}", attempt.on), &made)?;
        notes.push(format!(
            "its files were set back to {what}; what was there is kept as `refs/cco/{}/{kept}`",
            job.plan.spec
        ));
    }
    Ok(notes)
}

/// The files that came from others since a commit: whoever goes back to it keeps what others finished meanwhile.
fn merged_since(repository: &Repository, worktree: &Worktree, commit: &str) -> Result<BTreeSet<PathBuf>, TreeError> {
    let branch = repository.tip()?;
    match (repository.merge_base(commit, &branch)?, repository.merge_base(&worktree.head()?, &branch)?) {
        (Some(then), Some(now)) if then != now => worktree.differing(&then, &now),
        _ => Ok(BTreeSet::new()),
    }
}
