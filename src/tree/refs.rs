//! Commits that must outlive their branch: best trees and abandoned tips.

use std::path::Path;

use super::git::{Git, GitError};
use super::{TreeError, Worktree};

/// A commit that is kept under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The name within the spec, as `best/auth`.
    pub name: String,
    /// The commit.
    pub commit: String,
}

impl Worktree {
    /// Keeps a commit as `refs/cco/<spec>/<name>`, durably; what had that name before is no longer kept by it.
    ///
    /// # Errors
    /// Git's own: no such commit, or the name is none for a ref.
    pub fn keep(&self, name: &str, commit: &str) -> Result<(), TreeError> {
        let _one = self.lock();
        self.keep_now(name, commit)
    }

    /// As [`Worktree::keep`]; the caller holds the lock.
    pub(super) fn keep_now(&self, name: &str, commit: &str) -> Result<(), TreeError> {
        let commit = self.commit_id(commit)?;
        // Git refuses a name that leads out of there.
        let reference = format!("refs/cco/{}/{name}", self.spec);
        self.git.run(&self.root, &["update-ref", "--no-deref", &reference, &commit])?;
        Ok(())
    }
}

pub(super) fn kept(git: &Git, dir: &Path, spec: &str) -> Result<Vec<Kept>, GitError> {
    let below = format!("refs/cco/{spec}/");
    let args = ["for-each-ref", "--sort=refname", "--format=%(objectname) %(refname)", &below];
    let said = git.run(dir, &args)?;
    let kept = said.lines().filter_map(|line| line.split_once(' ')).filter_map(|(commit, reference)| {
        Some(Kept { name: reference.strip_prefix(&below)?.to_owned(), commit: commit.to_owned() })
    });
    Ok(kept.collect())
}
