//! The tree of those who may only read: whatever they changed or committed is kept aside and undone.

use std::collections::HashSet;
use std::path::PathBuf;

use super::change;
use super::job::Job;
use crate::ids::AttemptId;
use crate::text::plural;
use crate::tree::{TreeError, Worktree};

/// How many paths are named.
const NAMED: usize = 10;

/// Sets the tree back to the commit `head`, which it was at; gives what was changed and where it is kept, in words. None
/// where all is as it was. What was `dirty` before is somebody's work that is not finished.
///
/// # Errors
/// Git's own: whether something changed cannot be told.
pub fn set_right(
    job: &Job,
    worktree: &Worktree,
    attempt: &AttemptId,
    head: Option<&str>,
    dirty: &HashSet<PathBuf>,
) -> Result<Option<(String, Vec<String>)>, TreeError> {
    // First the commits: what they hold is then a change like any other.
    let taken = change::take_back(job, worktree, attempt, head)?;
    let changed = worktree.uncommitted()?.into_iter().map(|changed| changed.path);
    let changed: Vec<PathBuf> = changed.filter(|path| !dirty.contains(path)).collect();
    let patch = job.paths.runs().join(format!("{}.undone.patch", attempt.file_stem()));
    let undone = if changed.is_empty() { None } else { Some(worktree.undo(&changed, &patch)?) };
    // What git itself cannot check out as it was committed is nobody's change.
    let undone = undone.filter(|undone| !undone.changes.is_empty());
    let mut notes: Vec<String> = Vec::new();
    let what = match (&undone, &taken) {
        (None, None) => return Ok(None),
        (Some(undone), _) => {
            let kept = undone.patch.as_ref().unwrap_or(&patch);
            notes.push(format!("what was changed is kept as `{}`", kept.display()));
            named(undone.changes.iter().map(|changed| changed.path.display().to_string()))
        }
        (None, Some(_)) => "what is checked out".to_owned(),
    };
    notes.extend(taken);
    Ok(Some((what, notes)))
}

/// The first of them, and how many more there are.
pub fn named(paths: impl ExactSizeIterator<Item = String>) -> String {
    let more = paths.len().saturating_sub(NAMED);
    let mut text = paths.take(NAMED).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {}", plural(more, "more file")));
    }
    text
}
