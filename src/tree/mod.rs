//! The work tree and git: where components work, and what becomes of what they wrote.
//!
//! First form: one worktree for the run on the integration branch, or the work directory itself. What asks for a tree
//! asks for it by subject, so that a worktree for each component changes this room alone.

mod commit;
pub mod git;
mod product;
mod put_back;
mod worktree;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub use commit::Commit;
pub use git::{Git, GitError};
pub use product::product;
pub use put_back::PutBack;
pub use worktree::{Place, TreeError, set_branch_aside};

/// Where the components of a run work.
#[derive(Debug)]
pub enum Tree {
    /// In the work directory itself; nothing is committed.
    Shared(PathBuf),
    /// In a worktree of the repository, on the integration branch.
    Worktree(Worktree),
}

/// A worktree on the integration branch.
#[derive(Debug)]
pub struct Worktree {
    git: Git,
    root: PathBuf,
    dir: PathBuf,
    branch: String,
    base: String,
    /// Git's index takes one writer at a time.
    index: Mutex<()>,
}

impl Tree {
    /// The directory in which agents and checks work.
    pub fn dir(&self) -> &Path {
        match self {
            Self::Shared(dir) => dir,
            Self::Worktree(worktree) => &worktree.dir,
        }
    }

    /// The id of the committed tree that checks run on; none where there is no git.
    ///
    /// # Errors
    /// Git's own.
    pub fn id(&self) -> Result<Option<String>, GitError> {
        match self {
            Self::Shared(_) => Ok(None),
            Self::Worktree(worktree) => worktree.git.run(&worktree.root, &["rev-parse", "HEAD^{tree}"]).map(Some),
        }
    }

    /// The integration branch and the commit it began at; none in the work directory itself.
    pub fn branch(&self) -> Option<(&str, &str)> {
        match self {
            Self::Shared(_) => None,
            Self::Worktree(worktree) => Some((&worktree.branch, &worktree.base)),
        }
    }
}
