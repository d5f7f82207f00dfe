//! A step that starts again begins from the last commit: what an earlier try left half written is kept aside.

use std::path::PathBuf;

use super::job::Job;
use crate::ids::AttemptId;
use crate::tree::{TreeError, Worktree};

/// Puts back what a try that cannot be gone on with left half written; gives the note that says so, if there was
/// anything.
pub fn put_back(job: &Job, worktree: &Worktree, attempt: &AttemptId) -> Option<String> {
    match undo(job, worktree, attempt) {
        Ok(None) => None,
        Ok(Some((files, kept))) => Some(format!(
            "{} that this try left half written: put back to the last commit, and kept as `{}`",
            crate::text::plural(files, "file"),
            kept.display()
        )),
        Err(error) => Some(format!("what this try left is still in the tree, since it cannot be put back: {error}")),
    }
}

fn undo(job: &Job, worktree: &Worktree, attempt: &AttemptId) -> Result<Option<(usize, PathBuf)>, TreeError> {
    let paths: Vec<PathBuf> = worktree.uncommitted()?.into_iter().map(|changed| changed.path).collect();
    if paths.is_empty() {
        return Ok(None);
    }
    let patch = job.paths.runs().join(format!("{}.left.patch", attempt.file_stem()));
    let undone = worktree.undo(&paths, &patch)?;
    Ok(Some((undone.changes.len(), undone.patch.unwrap_or(patch))))
}
