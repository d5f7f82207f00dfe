//! Whose files a step that starts again gets back as the last commit has them: its own, and nothing of others.

use std::path::Path;

use super::job::Job;
use super::owners::intended;
use crate::ids::{AttemptId, Subject};
use crate::plan::graph::Index;

/// Puts back what a try that cannot be gone on with left half written; gives the note that says so, if there was
/// anything. `others` are writing, or may have left something half written themselves.
pub fn put_back(job: &Job, attempt: &AttemptId, others: &[Subject]) -> Option<String> {
    match job.tree.put_back(&job.plan.spec, attempt, own(job, &attempt.on, others)) {
        Ok(None) => None,
        Ok(Some(done)) => Some(format!(
            "{} that this try left half written: put back to the last commit, and kept as `{}`",
            crate::text::plural(done.files, "file"),
            done.kept
        )),
        Err(error) => Some(format!("what this try left is still in the tree, since it cannot be put back: {error}")),
    }
}

/// Which paths, counted from the work directory, are `on`'s alone while `others` write.
pub fn own<'a>(job: &'a Job, on: &'a Subject, others: &[Subject]) -> impl Fn(&str) -> bool + 'a {
    let writing: Vec<Index> = others.iter().filter(|other| *other != on).filter_map(|on| job.index_of(on)).collect();
    move |path| {
        let (owners, path) = (job.owners(), intended(Path::new(path)));
        !writing.iter().any(|&other| owners.owns(other, &path))
            && match on {
                Subject::Component(id) => job.plan.index(id).is_some_and(|at| owners.owns_alone(at, &path)),
                // What mends the whole may write what all may.
                Subject::Run => owners.anybody_owns(&path),
            }
    }
}
