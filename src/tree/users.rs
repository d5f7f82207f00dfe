//! The branch that the user has checked out: where it stands to the integration branch, and the one way in which this
//! program ever moves it, which the user asks for by name.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::Place;
use super::git::{Git, GitError};
use super::repository::checked_out;
use super::status::records;
use super::{Repository, TreeError};

/// What became of a wish to move the user's branch to the integration branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forward {
    /// It was moved.
    Moved {
        /// The user's branch.
        branch: String,
        /// The commit it was at.
        from: String,
        /// The commit it is at.
        to: String,
    },
    /// It holds all of the integration branch already.
    Already {
        /// The user's branch.
        branch: String,
    },
    /// No branch is checked out.
    Detached,
    /// These files have changes that no commit holds.
    Dirty(Vec<PathBuf>),
    /// It holds what the integration branch does not.
    Diverged {
        /// The user's branch.
        branch: String,
    },
    /// Git would not; it says why, and changed nothing.
    Refused {
        /// The user's branch.
        branch: String,
        /// What git said.
        why: String,
    },
}

impl Repository {
    /// The top of the user's checkout.
    pub fn top(&self) -> &Path {
        &self.source.top
    }

    /// The branch that the user has checked out, without `refs/heads/`; none where a commit is checked out by itself.
    ///
    /// # Errors
    /// Git's own.
    pub fn users_branch(&self) -> Result<Option<String>, TreeError> {
        let head = self.source.git.ask(&self.source.top, &["symbolic-ref", "--quiet", "HEAD"])?;
        Ok(head.and_then(|head| head.strip_prefix("refs/heads/").map(str::to_owned)))
    }

    /// The commit that the user has checked out; none on a branch without one.
    ///
    /// # Errors
    /// Git's own.
    pub fn users_head(&self) -> Result<Option<String>, TreeError> {
        Ok(self.source.git.ask(&self.source.top, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?)
    }

    /// Tracked files of the user's checkout that differ from its commit, staged or not. New files are not among them.
    ///
    /// # Errors
    /// Git's own.
    pub fn users_changes(&self) -> Result<Vec<PathBuf>, TreeError> {
        let args = ["diff", "HEAD", "--name-only", "-z", "--no-renames", "--ignore-submodules=dirty"];
        let staged = ["diff", "--cached", "--name-only", "-z", "--no-renames", "--ignore-submodules=dirty"];
        let mut paths = Vec::new();
        for args in [&args, &staged] {
            let said = self.source.git.bytes(&self.source.top, &args[..], &[])?;
            paths.extend(records(&said).map(|path| PathBuf::from(OsString::from_vec(path.to_vec()))));
        }
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    /// Moves the user's branch and checkout to the commit `tip`, where that only adds commits and the checkout is clean:
    /// `git merge --ff-only`, which also leaves files alone that git ignores. No hook runs.
    ///
    /// # Errors
    /// Git's own, where it cannot say how things stand. That it will not move the branch is an answer.
    pub fn fast_forward(&self, tip: &str) -> Result<Forward, TreeError> {
        let Some(branch) = self.users_branch()? else { return Ok(Forward::Detached) };
        let Some(from) = self.users_head()? else { return Ok(Forward::Diverged { branch }) };
        if self.is_ancestor(tip, &from)? {
            return Ok(Forward::Already { branch });
        }
        if !self.is_ancestor(&from, tip)? {
            return Ok(Forward::Diverged { branch });
        }
        let changes = self.users_changes()?;
        if !changes.is_empty() {
            return Ok(Forward::Dirty(changes));
        }
        let git = self.source.git.with("GIT_REFLOG_ACTION", "cco finish".as_ref());
        let merge = ["merge", "--ff-only", "--no-overwrite-ignore", "--no-autostash", "--quiet", tip];
        match git.run(&self.source.top, &merge) {
            Ok(_) => Ok(Forward::Moved { branch, from, to: tip.to_owned() }),
            Err(GitError::Refused { message, .. }) => Ok(Forward::Refused { branch, why: message }),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the branch that the user has checked out holds a commit.
    ///
    /// # Errors
    /// Git's own.
    pub fn is_in_users_branch(&self, commit: &str) -> Result<bool, TreeError> {
        match (self.users_branch()?, self.users_head()?) {
            (Some(branch), Some(head)) if branch != self.branch => self.is_ancestor(commit, &head),
            (Some(_) | None, _) => Ok(false),
        }
    }

    /// Where the integration branch is checked out.
    ///
    /// # Errors
    /// Git's own.
    pub fn branch_in_use(&self) -> Result<Option<PathBuf>, TreeError> {
        let list = self.source.git.bytes(&self.source.top, &["worktree", "list", "--porcelain", "-z"], &[])?;
        Ok(checked_out(&list, self.branch_ref().as_bytes()).into_iter().next())
    }

    /// How many commits `new` has that `old` has not.
    ///
    /// # Errors
    /// Git's own; among it that there is no such commit.
    pub fn commits_between(&self, old: &str, new: &str) -> Result<u32, TreeError> {
        let said = self.run(&["rev-list", "--count", &format!("{old}..{new}"), "--"])?;
        Ok(said.parse().map_err(|_| GitError::Unclear { call: "rev-list --count", said })?)
    }
}

/// Begins the integration branch again at the commit `tip`, where it is gone and that commit is not: the user may remove
/// a branch that is merged, and the work goes on from there.
///
/// # Errors
/// Git's own.
pub fn bring_back_branch(git: &Git, place: &Place, tip: &str) -> Result<bool, TreeError> {
    let commit = |name: &str| {
        git.ask(
            &place.work_dir,
            &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")],
        )
    };
    let branch = format!("refs/heads/{}", place.branch);
    if commit(&branch)?.is_some() || commit(tip)?.is_none() {
        return Ok(false);
    }
    git.run(&place.work_dir, &["update-ref", "--no-deref", "-m", "cco: begin again", &branch, tip, ""])?;
    Ok(true)
}
