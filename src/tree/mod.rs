//! The work tree and git: where components work, and what becomes of what they wrote.
//!
//! First form: one worktree for the run on the integration branch, or the work directory itself. What asks for a tree
//! asks for it by subject, so that a worktree for each component changes this room alone.

mod adopt;
mod aside;
mod changes;
mod checkout;
mod commit;
pub mod digests;
mod disk;
mod fresh;
pub mod git;
mod history;
mod home;
mod land;
mod leftovers;
mod locks;
mod merge;
mod moved;
mod patch;
mod path;
mod peek;
mod position;
mod product;
mod put_back;
mod refs;
mod registry;
mod remote;
mod repository;
mod restore;
mod set_up;
mod source;
mod standing;
mod status;
mod told;
mod trailers;
mod undo;
mod users;
mod warm;
mod worktree;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use changes::{Bounds, Change, Contents, Side, Until};
pub use checkout::{Fingerprint, changed_between};
pub use commit::{Commit, landing_message};
pub use fresh::Fresh;
pub use git::{Git, GitError};
pub use history::{Commitment, History};
pub use home::Home;
pub use leftovers::{Signed, beside, remove_beside, remove_if_empty, sign, signed, size_on_disk};
pub use merge::{Merge, Merged};
pub use moved::Moved;
pub use patch::DiffText;
pub use peek::is_elsewhere;
pub use product::product;
pub use put_back::PutBack;
pub use refs::Kept;
pub use remote::Remote;
pub use repository::Repository;
pub use restore::State;
pub use set_up::worktree_of;
pub use standing::{Owner, Standing};
pub use status::{Changed, Kind};
pub use told::{Told, ToldLanding, ToldTip, Untold};
pub use trailers::{Landing, LandingTold, NoLanding, Resolved, StepTold, landing_told, step_told};
pub use undo::Undone;
pub use users::{Forward, bring_back_branch};
pub use warm::warm;
pub use worktree::{Place, TreeError, set_branch_aside};

/// Where the components of a run work.
#[derive(Debug)]
pub enum Tree {
    /// In the work directory itself; nothing is committed.
    Shared(PathBuf),
    /// In a worktree of the repository, on the integration branch.
    Worktree(Box<Worktree>),
}

/// A worktree: on the integration branch (one for all components), or detached (one for each of them).
///
/// Paths in its methods are relative to [`Tree::dir`]; what lies outside of it has a path that begins with `..`. They
/// are bytes as the file system has them, never patterns.
#[derive(Debug)]
pub struct Worktree {
    /// Told which repository and work tree it works on, so that nothing that an agent wrote is taken for one.
    git: Git,
    root: PathBuf,
    dir: PathBuf,
    /// How `dir` is reached from `root`.
    prefix: path::Prefix,
    /// Where the repository keeps what belongs to this worktree alone.
    git_dir: PathBuf,
    branch: String,
    base: String,
    /// Whether it belongs on a commit by itself; else on the integration branch.
    detached: bool,
    source: Arc<source::Source>,
    /// Git's index takes one writer at a time, whoever else has this worktree open.
    index: Arc<Mutex<()>>,
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

    /// The worktree, with all that only git can do; none in the work directory itself, where it cannot be had.
    pub fn worktree(&self) -> Option<&Worktree> {
        match self {
            Self::Shared(_) => None,
            Self::Worktree(worktree) => Some(worktree),
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

impl Worktree {
    /// Lets one caller at a time write to git's index.
    fn lock(&self) -> MutexGuard<'_, ()> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory in which agents and checks work.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The commit of the integration branch, where that is checked out.
    ///
    /// # Errors
    /// Git's own.
    pub fn tip(&self) -> Result<String, GitError> {
        self.head()
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// Git's own.
    pub fn head(&self) -> Result<String, GitError> {
        self.git.run(&self.root, &["rev-parse", "--verify", "HEAD^{commit}"])
    }

    /// The id of the committed tree.
    ///
    /// # Errors
    /// Git's own.
    pub fn tree(&self) -> Result<String, GitError> {
        self.git.run(&self.root, &["rev-parse", "--verify", "HEAD^{tree}"])
    }

    /// The id of the commit that a revision names.
    fn commit_id(&self, revision: &str) -> Result<String, GitError> {
        self.git.run(&self.root, &["rev-parse", "--verify", "--end-of-options", &format!("{revision}^{{commit}}")])
    }
}
