//! Whether somebody else made commits where only this program should.

use super::git::GitError;
use super::{TreeError, Worktree};

/// What is checked out in a worktree that was left at another commit, or on none of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The commit that is checked out now.
    pub head: String,
    /// The commits that are new, oldest first.
    pub new: Vec<String>,
}

impl Worktree {
    /// What moved since `commit` was checked out by itself; none where all is as it was left. Nothing is undone:
    /// [`Worktree::keep`] keeps what must not be lost, and [`Worktree::take_back`] goes back.
    ///
    /// # Errors
    /// Git's own; among it that `commit` is none.
    pub fn moved_since(&self, commit: &str) -> Result<Option<Moved>, TreeError> {
        let _one = self.lock();
        let known = self.commit_id(commit)?;
        let head = self.head()?;
        if head == known && self.git.ask(&self.root, &["symbolic-ref", "--quiet", "HEAD"])?.is_none() {
            return Ok(None);
        }
        let range = format!("{known}..{head}");
        let new = self.git.run(&self.root, &["rev-list", "--reverse", "--topo-order", &range])?;
        Ok(Some(Moved { head, new: new.lines().map(str::to_owned).collect() }))
    }

    /// Checks out a commit by itself again, with all files as they are: what was committed since is then not committed.
    /// Whoever wants to find those commits again keeps them before. A branch that is checked out stays where it is.
    ///
    /// # Errors
    /// Git's own; among it that `commit` is none.
    pub fn take_back(&self, commit: &str) -> Result<(), TreeError> {
        let _one = self.lock();
        let commit = self.commit_id(commit)?;
        self.move_head("cco: take back", &commit)?;
        // The index too: what the agent had told git to overlook is looked at again.
        self.git.run(&self.root, &["read-tree", "--reset", "HEAD"])?;
        Ok(())
    }

    /// Checks out a commit by itself in name: files and index stay as they are, and so does a branch that is checked out.
    pub(super) fn move_head(&self, why: &str, commit: &str) -> Result<(), GitError> {
        self.git.run(&self.root, &["update-ref", "--no-deref", "-m", why, "HEAD", commit]).map(drop)
    }

    pub(super) fn is_ancestor(&self, old: &str, new: &str) -> Result<bool, GitError> {
        Ok(self.git.answer(&self.root, &["merge-base", "--is-ancestor", old, new])?.0)
    }
}
