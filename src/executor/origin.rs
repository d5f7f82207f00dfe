//! Going back to an earlier state of a subject's files before a step begins: to the best tree, or to before its
//! implementation.

use std::path::Path;

use super::job::Job;
use super::put_back::{own, put_back};
use crate::ids::{AttemptId, Subject};
use crate::lifecycle::subject::Origin;
use crate::tree::{Commit, State};

/// Sets the subject's files back; gives what is worth recording. `others` are writing now.
///
/// # Errors
/// What kept it from doing so, in words: the step must not begin on another tree than it was decided for.
pub fn go_back(job: &Job, attempt: &AttemptId, origin: &Origin, others: &[Subject]) -> Result<Vec<String>, String> {
    let Some(worktree) = job.tree.worktree() else {
        return Ok(vec!["without git nothing can be set back: the step begins on the tree as it is".to_owned()]);
    };
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut tip = job.tips.lock();
    let own = own(job, &attempt.on, others);
    let mut notes: Vec<String> = put_back(job, attempt, others).into_iter().collect();
    let (state, what) = match origin {
        Origin::At(commit) => (State::Of(commit), "the best state so far"),
        Origin::Before(commit) => (State::Before(commit), "before its implementation"),
    };
    let kept = format!("abandoned/{}", attempt.file_stem());
    worktree.keep(&job.plan.spec, &kept, "HEAD").map_err(|error| text(&error))?;
    let owns = |path: &Path| path.to_str().is_some_and(&own);
    let summary = format!("go back to {what}");
    let commit = Commit { spec: &job.plan.spec, attempt, summary: &summary, paths: &[] };
    let made = worktree.restore(state, &owns, &commit).map_err(|error| text(&error))?;
    if let Some(made) = made {
        notes.push(format!(
            "its files were set back to {what}; what was there is kept as `refs/cco/{}/{kept}`",
            job.plan.spec
        ));
        *tip = Some(made);
    }
    Ok(notes)
}
