//! Whether somebody else made commits where only this program should.

use super::git::GitError;
use super::{TreeError, Worktree};

/// How the worktree and its branch stand to a commit that they were left at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The commit that is checked out now.
    pub head: String,
    /// The ref that is checked out (`refs/heads/…`); none where it is a commit by itself.
    pub on: Option<String>,
    /// The commit that the integration branch points to; none where the branch is gone. Of a detached worktree always
    /// none: the branch is not its own.
    pub tip: Option<String>,
    /// The commits that are new, oldest first, on the branch and in what is checked out.
    pub new: Vec<String>,
    /// Whether the known commit is no longer in the history of what is checked out, or of the branch.
    pub rewritten: bool,
}

impl Worktree {
    /// What moved since the branch was at `tip` and checked out (in a detached worktree: since `tip` was checked out by
    /// itself); none where all is as it was left. Nothing is undone:
    /// [`Worktree::keep`] keeps what must not be lost, and [`Worktree::restore`] sets files back with a further commit.
    ///
    /// # Errors
    /// Git's own; among it that `tip` is no commit.
    pub fn moved_since(&self, tip: &str) -> Result<Option<Moved>, TreeError> {
        let _one = self.lock();
        let branch = format!("refs/heads/{}", self.branch);
        let known = self.commit_id(tip)?;
        let head = self.head()?;
        let on = self.git.ask(&self.root, &["symbolic-ref", "--quiet", "HEAD"])?;
        let tip = if self.detached {
            None
        } else {
            self.git.ask(&self.root, &["rev-parse", "--verify", "--quiet", &format!("{branch}^{{commit}}")])?
        };
        let as_left =
            if self.detached { on.is_none() } else { tip.as_ref() == Some(&known) && on.as_ref() == Some(&branch) };
        if head == known && as_left {
            return Ok(None);
        }
        let ends: Vec<&str> = [head.as_str()].into_iter().chain(tip.as_deref()).collect();
        let without = format!("^{known}");
        let new = [&["rev-list", "--reverse", "--topo-order"][..], &ends[..], &[without.as_str()][..]].concat();
        let new = self.git.run(&self.root, &new)?.lines().map(str::to_owned).collect();
        let kept = ends.iter().map(|end| self.is_ancestor(&known, end)).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(Moved { rewritten: kept.contains(&false), head, on, tip, new }))
    }

    /// Puts checkout (and branch, where that is checked out) back to the commit `tip`, with all files as they are: what
    /// was committed since is then not committed. Whoever wants to find those commits again keeps them before.
    ///
    /// # Errors
    /// Git's own; among it that `tip` is no commit.
    pub fn take_back(&self, tip: &str) -> Result<(), TreeError> {
        let _one = self.lock();
        let tip = self.commit_id(tip)?;
        if self.detached {
            self.move_head("cco: take back", &tip)?;
        } else {
            let branch = format!("refs/heads/{}", self.branch);
            self.git.run(&self.root, &["symbolic-ref", "HEAD", &branch])?;
            self.git.run(&self.root, &["update-ref", "-m", "cco: take back", &branch, &tip])?;
        }
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
