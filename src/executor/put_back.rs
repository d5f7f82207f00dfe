//! A step that starts again begins from the last commit: what an earlier try left half written is kept aside.

use crate::ids::AttemptId;
use crate::tree::Worktree;

/// Puts back what a try that cannot be gone on with left half written; gives the note that says so, if there was
/// anything.
pub fn put_back(worktree: &Worktree, attempt: &AttemptId) -> Option<String> {
    match worktree.put_back(attempt) {
        Ok(None) => None,
        Ok(Some(done)) => Some(format!(
            "{} that this try left half written: put back to the last commit, and kept as `{}`",
            crate::text::plural(done.files, "file"),
            done.kept
        )),
        Err(error) => Some(format!("what this try left is still in the tree, since it cannot be put back: {error}")),
    }
}
